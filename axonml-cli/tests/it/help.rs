//! What the program says about itself: help of commands, topics, completions.

use axonml::PULSES;
use axonml::simulation::STATUSES;
use axonml::table::conditions::COLUMNS;

use crate::support::{Folder, repository};

/// Every command that has a help of its own.
const COMMANDS: &[&str] = &[
    "models",
    "devices",
    "run",
    "threshold",
    "optimize scan",
    "optimize gd",
    "optimize de",
    "optimize report",
    "evaluate",
    "import",
    "export",
    "dataset",
    "dataset generate",
    "dataset inspect",
    "dataset import",
    "dataset export",
    "train",
    "verify",
    "help",
    "completions",
];
const TOPICS: &[&str] = &[
    "pulses",
    "columns",
    "nerve-folders",
    "units",
    "statuses",
    "exit-codes",
    "fibers",
    "fields",
    "search",
    "files",
    "traces",
    "recipes",
];

#[test]
fn help_says_units_and_defaults_on_two_screens() {
    let folder = Folder::new("help");
    for command in COMMANDS {
        let long = folder.axonml(&format!("{command} --help")).done().stdout;
        let lines = long.lines().count();
        assert!(lines <= 100, "{command}: {lines} lines");
        let same = [format!("{command} -h"), format!("help {command}")];
        for spelling in same {
            assert_eq!(folder.axonml(&spelling).done().stdout, long, "{spelling}");
        }
    }
    for (command, parts) in [
        (
            "--help",
            &["threshold", "run", "models", "devices", "Exit codes"][..],
        ),
        (
            "threshold --help",
            &[
                "[default: 0.005]",
                "ohm-cm",
                "[default: 5,-5]",
                "[default: 1e-4]",
                "--keep-going",
                "active or passive",
                "| search |",
            ],
        ),
        (
            "run --help",
            &["--amplitude", "mA", "--record", "kHz", "nA"],
        ),
        ("models --help", &["--json", "um"]),
        ("devices --help", &["--json"]),
    ] {
        let help = folder.axonml(command).done().stdout;
        let flat = help.split_whitespace().collect::<Vec<_>>().join(" ");
        for part in parts {
            assert!(flat.contains(part), "{command}: {part}");
        }
    }
}

#[test]
fn every_topic_names_all_there_is() {
    let folder = Folder::new("topics");
    let topic = |name: &str| folder.axonml(&format!("help {name}")).done().stdout;
    let overview = folder.axonml("help").done().stdout;
    assert_eq!(overview, folder.axonml("--help").done().stdout);
    for name in TOPICS {
        assert!(overview.contains(&format!("\n  {name} ")), "{name}");
        assert!(topic(name).lines().count() > 5, "{name}");
    }
    let begins = |text: &str, name: &str| {
        let mut lines = text.lines();
        lines.any(|line| line.split_whitespace().next() == Some(name))
    };
    let pulses = topic("pulses");
    for pulse in PULSES {
        assert!(begins(&pulses, pulse.name), "{}", pulse.name);
        for key in pulse.keys {
            assert!(begins(&pulses, key.name) && pulses.contains(key.summary));
        }
        for alias in pulse.aliases {
            assert!(pulses.contains(alias), "{alias}");
        }
    }
    let columns = topic("columns");
    for column in COLUMNS {
        assert!(begins(&columns, column.name), "{}", column.name);
    }
    let statuses = topic("statuses");
    for status in STATUSES {
        assert!(begins(&statuses, status.name), "{}", status.name);
    }
    for (name, parts) in [
        (
            "nerve-folders",
            &["0.npy", "fiber_z.npy", "weights.npy", "field_units"][..],
        ),
        ("units", &["kHz", "ohm-cm", "S/cm2", "uF/cm2", "Cathodic"]),
        ("exit-codes", &["0  ", "1  ", "2  ", "129", "130", "143"]),
        ("files", &[".partial", ".npz"]),
        ("fields", &["FACTOR", "node", "timesteps"]),
        ("traces", &["ve_sections_per_mA", "--thresholds-only"]),
    ] {
        let text = topic(name);
        for part in parts {
            assert!(text.contains(part), "{name}: {part}");
        }
    }
}

/// The columns that commands print are those that the help explains.
#[test]
fn columns_of_results_are_explained() {
    let folder = Folder::new("result-columns");
    let help = folder.axonml("help columns").done().stdout;
    let common = "--diameter 10 --nodes 21 --point 500,0,0 --dt 0.01 --tstop 2";
    let mut headers = Vec::new();
    for command in ["threshold --resolution 0.1", "run --amplitude 0.5"] {
        let csv = folder
            .axonml(&format!("{command} {common} --format csv"))
            .done()
            .stdout;
        headers.extend(csv.lines().next().unwrap().split(',').map(str::to_owned));
    }
    folder
        .axonml(&format!("run --amplitude 0.5 {common} -o spikes.csv"))
        .done();
    let spikes = folder.text("spikes.csv");
    headers.extend(spikes.lines().next().unwrap().split(',').map(str::to_owned));
    for header in headers {
        assert!(help.contains(&format!("\n  {header} ")), "{header}");
    }
}

#[test]
fn slips_are_answered_with_the_nearest() {
    let folder = Folder::new("help-slips");
    folder
        .axonml("help pulsees")
        .refused(&["`pulsees`", "did you mean `pulses`?"]);
    folder
        .axonml("help treshold")
        .refused(&["did you mean `threshold`?"]);
    folder
        .axonml("help nerve")
        .refused(&["did you mean `nerve-folders`?"]);
    folder
        .axonml("help dataset generat")
        .refused(&["no command of `dataset`", "did you mean `generate`?"]);
    folder.axonml("help threshold now").refused(&["`now`"]);
    folder
        .axonml("help banana")
        .refused(&["`banana`", "commands:", "topics:", "pulses"]);
    folder.axonml("help Exit_Codes").done();
    folder.axonml("treshold").refused(&["'threshold'"]);
}

#[test]
fn shells_complete_commands_and_topics() {
    let folder = Folder::new("completions");
    let script = |shell: &str| folder.axonml(&format!("completions {shell}")).done().stdout;
    let bash = script("bash");
    for command in COMMANDS {
        let last = command.split(' ').next_back().unwrap();
        assert!(bash.contains(last), "{command}");
    }
    for part in [
        "--diameter",
        "--conditions",
        "nerve-folders",
        "steady-state",
    ] {
        assert!(bash.contains(part), "{part}");
    }
    for shell in ["zsh", "fish", "powershell", "elvish"] {
        assert!(script(shell).contains("threshold"), "{shell}");
    }
    folder.axonml("completions tcsh").refused(&["tcsh", "bash"]);
}

#[test]
fn the_readme_has_the_table_of_statuses() {
    let readme = std::fs::read_to_string(repository("README.md")).unwrap();
    for status in STATUSES {
        let empty = match status.empty {
            [] => "none".to_owned(),
            columns => {
                let quoted = columns.iter().map(|c| format!("`{c}`"));
                quoted.collect::<Vec<_>>().join(", ")
            }
        };
        let row = format!("| `{}` | {} | {empty} |", status.name, status.meaning);
        assert!(readme.contains(&row), "the README lacks: {row}");
    }
}
