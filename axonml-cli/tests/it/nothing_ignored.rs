//! Every setting acts, is refused, or is named as unused; and results record what acted.

use std::sync::Arc;

use axonml::{Device, Fiber, Settings, Simulation, Stimulus, ThresholdSearch, model};
use axonml::{Medium, PointSource, Waveform};

use crate::support::{Folder, repository};

/// Copies the nerve N1, its contact 0 taken from the file `contact`.
fn copy_of_n1(folder: &Folder, name: &str, contact: &str) {
    let nerve = repository("examples/nerves/N1");
    for entry in std::fs::read_dir(&nerve).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        let from = if file == "0.npy" { contact } else { &file };
        let content = std::fs::read(format!("{nerve}/{from}")).unwrap();
        folder.write(&format!("{name}/{file}"), content);
    }
}

#[test]
fn two_nerves_of_one_name_are_two_requests() {
    let folder = Folder::new("same-name");
    copy_of_n1(&folder, "one/N1", "0.npy");
    copy_of_n1(&folder, "other/N1", "1.npy");
    let request = |nerve: &str| {
        let answer = folder.axonml(&format!(
            "run --nerve {nerve} --diameter 10 --tstop 0.2 --format json"
        ));
        answer.done().json()["request"].clone()
    };
    let (one, other) = (request("one/N1"), request("other/N1"));
    assert_eq!(one["field"]["nerve"], other["field"]["nerve"]);
    let (ours, theirs) = (&one["field"]["sha256"], &other["field"]["sha256"]);
    assert_eq!(theirs["0.npy"], ours["1.npy"]);
    assert_ne!(theirs["0.npy"], ours["0.npy"]);
    for file in [
        "1.npy",
        "5.npy",
        "fiber_z.npy",
        "weights.npy",
        "target.npy",
        "fibers_xy.npy",
    ] {
        assert!(
            ours[file].is_string() && ours[file] == theirs[file],
            "{file}"
        );
    }
    assert_eq!(request("one/N1"), one);
}

/// 0.1 ms of a field in space and time: shorter than the default pulse, which does not act.
#[test]
fn a_field_in_space_and_time_is_all_that_acts() {
    let folder = Folder::new("space-time");
    // The field peaks at step 10, at the last of the 45 sample points of five nodes.
    folder.npy("b.npy", &[1, 20, 45], |i| match i {
        494 => -4.0,
        i => 0.01 * (i % 45) as f64,
    });
    let command = "run --basis b.npy --nodes 5 --detect-nodes 2 --tstop 0.1 --amplitude 2.5";
    folder
        .axonml(&format!("{command} -o r.json --plot r.svg"))
        .done();
    let request = folder.json("r.json")["request"].clone();
    for unused in ["pulse", "polarity", "waveform", "seed"] {
        assert!(request.get(unused).is_none(), "{unused}: {request}");
    }
    assert_eq!(request["amplitude_mA"], 2.5);
    assert!(request["field"]["sha256"].is_string());
    let picture = folder.text("r.svg");
    assert!(picture.contains("extracellular potential where it is largest (mV)"));
    assert!(picture.contains("2.5 times the basis"));
    assert!(!picture.contains("stimulus (") && !picture.contains("monophasic"));

    let other = folder.axonml(&format!("{command} --format json"));
    assert_eq!(other.done().json()["request"]["field"], request["field"]);
    folder.npy("b.npy", &[1, 20, 45], |i| 0.01 * (i % 45) as f64);
    let changed = folder
        .axonml(&format!("{command} --format json"))
        .done()
        .json();
    assert_ne!(
        changed["request"]["field"]["sha256"],
        request["field"]["sha256"]
    );
}

#[test]
fn pictures_of_runs_show_what_acted() {
    let folder = Folder::new("acted");
    folder
        .axonml(
            "run --point 1000,0,0 --amplitude 0.25 --tstop 1 --inject node=3,amp=0.5,delay=0.5 --plot p.svg",
        )
        .done();
    let picture = folder.text("p.svg");
    assert!(picture.contains("stimulus (mA)"));
    assert!(picture.contains("current injected into node 3 (nA)"));
}

#[test]
fn a_seed_that_nothing_uses_is_named() {
    let folder = Folder::new("seed");
    let answer = folder.axonml("run --tstop 0.2 --seed 3 --inject node=0,delay=0 --format json");
    let answer = answer.done();
    assert!(
        answer.stderr.contains("the seed has no effect"),
        "{answer:#?}"
    );
    assert!(answer.json()["request"].get("seed").is_none());
}

/// The library's defaults are the command line's.
#[test]
fn the_library_runs_what_the_command_line_runs() {
    let folder = Folder::new("same-default");
    let answer =
        folder.axonml("threshold --model smf --point 1000,0,0 --diameter 10 --format json");
    let json = answer.done().json();
    let device = Device::auto().unwrap();
    let smf = model("smf").unwrap();
    let fibers = vec![Fiber::new(10.0, 53)];
    let simulation = Simulation::new(&smf, fibers, &Settings::default(), &device).unwrap();
    let electrode = PointSource {
        x_um: 1000.0,
        y_um: 0.0,
        z_um: 0.0,
        medium: Medium::isotropic(500.0),
    };
    let pulse: Waveform = "monophasic:pw=0.1,delay=0.1".parse().unwrap();
    let stimulus = Stimulus::uniform(1, Arc::new(electrode), pulse);
    let search = ThresholdSearch::default();
    let found = simulation
        .thresholds(&stimulus, &search, &mut |_| ())
        .unwrap();
    assert_eq!(
        json["results"][0]["threshold_mA"].as_f64(),
        found[0].upper_ma()
    );
    assert_eq!(
        json["request"]["model_hash"]["smf"].as_str(),
        Some(simulation.model_hash().as_str())
    );
}

/// Between passive ends a fiber is one that is two nodes shorter, and its results say what it was.
#[test]
fn passive_ends_act_and_are_recorded() {
    let folder = Folder::new("passive-ends");
    let found = |flags: &str| {
        let command = format!("threshold --model sweeney --point 600,0,0 {flags} --format json");
        folder.axonml(&command).done().json()
    };
    let passive = found("--nodes 31 --detect-nodes 6,-7 --ends passive");
    let shorter = found("--nodes 29 --detect-nodes 5,-6 --ends active");
    let ma = |json: &serde_json::Value| json["results"][0]["threshold_mA"].as_f64().unwrap();
    assert!((ma(&passive) / ma(&shorter) - 1.0).abs() < 1e-12);
    assert_eq!(passive["request"]["ends"], "passive");
    assert_eq!(shorter["request"]["ends"], "active");
    assert_ne!(
        passive["request"]["model_hash"],
        shorter["request"]["model_hash"]
    );
    let plain = found("--nodes 29 --detect-nodes 5,-6");
    assert_eq!(plain["request"]["ends"], "active");
    assert_eq!(
        plain["request"]["model_hash"],
        shorter["request"]["model_hash"]
    );
}

#[test]
fn recruitment_is_drawn_by_weight() {
    let folder = Folder::new("by-weight");
    let nerve = repository("examples/nerves/N1");
    let search = "--diameter 10 --resolution 0.1 --precision f32 --tstop 2";
    folder
        .axonml(&format!("threshold --nerve {nerve} {search} --plot p.svg"))
        .done();
    assert!(folder.text("p.svg").contains("fibers active, by weight"));
}

// ---- columns of tables ---------------------------------------------------------------------------------------------

const RUN: &str = "threshold --conditions t.csv --format json";

/// Columns of a table that version 0.1 dropped: the pulse, its polarity; and one that is misnamed.
#[test]
fn columns_that_were_dropped_act_or_are_refused() {
    let folder = Folder::new("silent-columns");
    let table = std::fs::read_to_string(repository(
        "axonml-cli/tests/data/tables/silent_columns.csv",
    ));
    let table = table.unwrap();
    folder.write("t.csv", &table);
    folder
        .axonml(RUN)
        .refused(&["`pulse_width_ms`", "did you mean `pw_ms`", "rename it"]);
    // Without that column, the rows are what the flags would have them be.
    let lines: Vec<&str> = table.lines().take(3).collect();
    let kept: Vec<&str> = lines
        .iter()
        .map(|line| line.rsplit_once(',').unwrap().0)
        .collect();
    folder.write("t.csv", kept.join("\n"));
    let json = folder.axonml(RUN).done().json();
    let found = |row: usize| json["results"][row]["threshold_mA"].as_f64().unwrap();
    let point = "threshold --point 1000,0,0 --nodes 53 --diameter 10 --format json --pulse";
    let expected = |pulse: &str| {
        let json = folder.axonml(&format!("{point} {pulse}")).done().json();
        json["results"][0]["threshold_mA"].as_f64().unwrap()
    };
    assert_eq!(found(0), expected("biphasic:pw=0.5"));
    assert_eq!(found(1), expected("monophasic:pw=0.1 --polarity anodic"));
    assert!((found(1) / 0.61481 - 1.0).abs() < 1e-3, "{}", found(1));
    let width = kept[0].replace(",pulse,polarity", ",pw_ms");
    folder.write("t.csv", format!("{width}\nmrg,10,53,1000,0,0.5\n"));
    let json = folder.axonml(RUN).done().json();
    let mono = json["results"][0]["threshold_mA"].as_f64().unwrap();
    assert!((mono / 0.0570 - 1.0).abs() < 1e-3, "{mono}");
}

#[test]
fn columns_of_point_electrodes_are_refused_in_nerves_as_the_flags_are() {
    let folder = Folder::new("nerve-columns");
    folder.nerve("n/small");
    let refuse = |columns: &str, row: &str, flags: &str, parts: &[&str]| {
        folder.write(
            "t.csv",
            format!("nerve,fiber,diameter_um,n_nodes,detect_node_index{columns}\n{row}\n"),
        );
        folder
            .axonml(&format!("{RUN} --nerves n {flags}"))
            .refused(parts);
    };
    let row = "small,0,10,5,2";
    for (column, cell) in [
        ("z_offset_um", 500),
        ("resistivity_ohm_cm", 300),
        ("distance_um", 1000),
    ] {
        let parts = [&format!("column {column}"), "has no effect", "nerve"];
        refuse(&format!(",{column}"), &format!("{row},{cell}"), "", &parts);
    }
    refuse(
        "",
        row,
        "--resistivity 300",
        &["--resistivity has no effect"],
    );
    folder.write("t.csv", "diameter_um,distance_um\n10,1000\n");
    for flag in [
        "--offset 100",
        "--contacts 1,0",
        "--extend point-source",
        "--interpolation linear",
    ] {
        let name = flag.split_once(' ').unwrap().0;
        folder
            .axonml(&format!("{RUN} {flag}"))
            .refused(&[&format!("{name} has no effect")]);
    }
}

#[test]
fn every_flag_as_a_column_is_used_or_refused() {
    let folder = Folder::new("flag-columns");
    for (column, cell) in [
        ("max_amplitude", "1"),
        ("seed", "1"),
        ("warmup", "200"),
        ("backend", "cpu"),
        ("ends", "passive"),
        ("set", "gl=1"),
        ("start", "settled"),
        ("dt", "0.001"),
        ("nodes", "21"),
        ("pw_us", "100"),
        ("distance_mm", "1"),
        ("Temperature", "30"),
    ] {
        folder.write(
            "t.csv",
            format!("diameter_um,distance_um,{column}\n10,1000,{cell}\n"),
        );
        folder
            .axonml(RUN)
            .refused(&[&format!("the column `{column}`")]);
    }
}

#[test]
fn columns_act_and_strangers_are_named() {
    let folder = Folder::new("new-columns");
    folder.write(
        "t.csv",
        "distance_um,diameter_um,temperature,detect_after_ms,first_node,operator\n\
         1000,10,37,0,26,ada\n1000,10,30,0,26,ada\n1000,10,,0.5,26,bob\n",
    );
    let answer = folder.axonml(RUN).done();
    let note = "nothing uses the columns operator: they pass through";
    assert!(answer.stderr.contains(note), "{answer:#?}");
    let json = answer.json();
    assert_eq!(
        json["request"]["temperature_celsius"],
        serde_json::json!([37.0, 30.0, null])
    );
    let found = |row: usize| json["results"][row]["threshold_mA"].as_f64().unwrap();
    // As the flags have it, one row at a time.
    let flag = |flag: &str| {
        let point = "threshold --point 1000,0,0 --nodes 53 --diameter 10 --format json";
        let json = folder.axonml(&format!("{point} {flag}")).done().json();
        json["results"][0]["threshold_mA"].as_f64().unwrap()
    };
    assert_eq!(found(0), flag("--temperature 37"));
    assert_eq!(found(1), flag("--temperature 30"));
    assert_eq!(found(2), flag("--detect-after 0.5"));
    assert_ne!(found(0), found(1));
    // A flag stands above the column, and the result says so.
    let answer = folder.axonml(&format!("{RUN} --temperature 30")).done();
    assert!(
        answer
            .stderr
            .contains("flags override the table's temperature")
    );
    assert_eq!(
        answer.json()["results"][0]["threshold_mA"]
            .as_f64()
            .unwrap(),
        found(1)
    );
}

/// A result of a nerve, as a table again: its columns are understood, and the request tells the nerve by its arrays.
#[test]
fn results_of_a_nerve_are_read_back() {
    let folder = Folder::new("read-back");
    folder.nerve("n/small");
    let search = "--nodes 5 --detect-nodes 2 --max-amplitude 5";
    folder
        .axonml(&format!(
            "threshold --nerve n/small --diameter 10 {search} -o a.csv"
        ))
        .done();
    let first = folder.rows("a.csv");
    assert_eq!(first[1]["fiber"], "1");
    let answer = folder.axonml(&format!(
        "threshold --conditions a.csv --nerves n {search} -o b.csv"
    ));
    let answer = answer.done();
    assert!(!answer.stderr.contains("nothing uses"), "{answer:#?}");
    for (before, after) in first.iter().zip(folder.rows("b.csv")) {
        assert_eq!(before["threshold_mA"], after["reference_mA"]);
        assert_eq!(before["threshold_mA"], after["threshold_mA"]);
    }
    let nerves = folder.json("b.csv.json")["request"]["nerves"].clone();
    assert!(nerves["small"]["sha256"]["0.npy"].is_string(), "{nerves}");
    // The older spelling of the column is read, too.
    folder.write(
        "c.csv",
        "nerve,fiber,diameter_um,n_nodes,detect_node_index\nsmall,1,10,5,2\n",
    );
    folder
        .axonml("threshold --conditions c.csv --nerves n --max-amplitude 5 -o d.csv")
        .done();
    assert_eq!(folder.rows("d.csv")[0]["fiber"], "1");
}
