//! `axonml train`.

use std::time::{Duration, Instant};

use crate::support::{Folder, command};

const RECIPE: &str = "\
seed = 5
count = 12
nodes = 11
tstop_ms = 0.5
[[fields]]
kind = \"point\"
distance_um = { low = 400, high = 1500, spacing = \"log\" }
[[pulses]]
shape = \"monophasic\"
polarity = \"cathodic\"
amplitude_ma = { low = 0.05, high = 0.5 }
pw = { low = 0.05, high = 0.2 }
";

const CONFIG: &str = "\
seed = 3
save_dir = \"out\"
save_every = 7
postfix = [\"gl\"]
set = { gl = 0.08, el = -80.9 }
[train]
recipe = \"recipe.toml\"
[valid]
every = 10
traces = { recipe = \"recipe.toml\", seed = 6, count = 4 }
[[stage]]
kind = \"trajectory\"
epochs = 10
batch = 4
learning_rate = 0.003
";

pub(crate) fn folder(name: &str) -> Folder {
    folder_with(name, RECIPE, CONFIG)
}

fn folder_with(name: &str, recipe: &str, config: &str) -> Folder {
    let folder = Folder::new(name);
    folder.write("recipe.toml", recipe);
    folder.write("c.toml", config);
    folder
}

/// Starts `train c.toml` and kills it as soon as its log has more than `row` rows.
#[cfg(unix)]
fn kill_behind_row(folder: &Folder, row: usize) {
    let mut child = command(&folder.0)
        .args(["train", "c.toml"])
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    loop {
        let log = std::fs::read_to_string(folder.0.join("out/log.csv")).unwrap_or_default();
        if log.lines().count() > row {
            break;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "no row is written"
        );
        assert!(
            child.try_wait().unwrap().is_none(),
            "the training ended before it was killed"
        );
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().code(), None, "a signal ended it");
}

/// All that two trainings leave has the same bytes.
#[cfg(unix)]
fn assert_same_results(found: &Folder, expected: &Folder) {
    for name in [
        "last.safetensors",
        "best.safetensors",
        "log.csv",
        "checkpoint.bin",
    ] {
        let name = format!("out/{name}");
        assert!(found.read(&name) == expected.read(&name), "{name}");
    }
}

/// Killed in the middle of an epoch, at whatever moment, and resumed: the same bytes as without.
#[cfg(unix)]
#[test]
fn a_killed_training_goes_on_to_the_same_bytes() {
    let whole = folder("train-whole");
    let answer = whole
        .axonml("train c.toml --threads 1 --plot log.svg")
        .done();
    assert!(
        answer.stdout.contains("out/last.safetensors: 30 steps"),
        "{answer:#?}"
    );
    assert!(
        answer
            .stdout
            .contains("out/best.safetensors: validation loss"),
        "{answer:#?}"
    );
    assert!(answer.stderr.contains("10 of 30 steps, "), "{answer:#?}");
    assert!(
        answer.stderr.contains("; loss ") && answer.stderr.contains(", gl 0.0"),
        "{answer:#?}"
    );
    let rows = whole.rows("out/log.csv");
    assert_eq!(rows.len(), 30);
    assert!(
        rows.iter()
            .all(|row| row["valid_loss"].is_empty() != ["10", "20", "30"].contains(&&*row["step"]))
    );
    assert!(whole.text("log.svg").contains("validation"));

    let killed = folder("train-killed");
    // An epoch has 3 steps and checkpoints come every 7: row 9 lies in mid-epoch, behind a checkpoint.
    kill_behind_row(&killed, 9);
    assert!(killed.read("out/last.safetensors") != whole.read("out/last.safetensors"));

    killed
        .axonml("train c.toml")
        .refused(&["holds a training already", "--resume"]);
    let answer = killed.axonml("train c.toml --resume").done();
    assert!(answer.stderr.contains("resumes after step "), "{answer:#?}");
    assert_same_results(&killed, &whole);
    // The weights are ones that other commands take.
    killed
        .axonml(
            "threshold --model smf --weights out/best.safetensors --point 800,0,0 --diameter 10",
        )
        .done();
}

/// Killed between the iterations of a fit of thresholds, at whatever moment, and resumed: the same bytes as without.
#[cfg(unix)]
#[test]
fn a_killed_fit_of_thresholds_goes_on_to_the_same_bytes() {
    let config = "\
save_dir = \"out\"
save_every = 2
set = { gl = 0.08, el = -80.9 }
[train]
recipe = \"recipe.toml\"
[valid]
every = 2
thresholds = { recipe = \"recipe.toml\", seed = 6, count = 4 }
[[stage]]
kind = \"thresholds\"
cases = 8
iterations = 7
";
    let recipe = RECIPE.replace("tstop_ms = 0.5", "tstop_ms = 3");
    let folder = |name: &str| folder_with(name, &recipe, config);
    let whole = folder("fit-whole");
    whole.axonml("train c.toml --threads 1").done();
    let costs: Vec<f64> = whole
        .rows("out/log.csv")
        .iter()
        .map(|row| row["loss"].parse().unwrap())
        .collect();
    assert_eq!(costs.len(), 7);
    assert!(costs.windows(2).all(|pair| pair[1] < pair[0]), "{costs:?}");

    let killed = folder("fit-killed");
    // Row 3 lies behind the checkpoint of step 2.
    kill_behind_row(&killed, 3);
    assert!(killed.read("out/last.safetensors") != whole.read("out/last.safetensors"));
    let answer = killed.axonml("train c.toml --resume").done();
    assert!(answer.stderr.contains("resumes after step "), "{answer:#?}");
    assert_same_results(&killed, &whole);
}

#[cfg(unix)]
#[test]
fn ctrl_c_saves_and_says_where() {
    let folder = folder("train-interrupted");
    let mut child = command(&folder.0)
        .args([
            "train",
            "c.toml",
            "--set",
            "stage.0.epochs=100000",
            "--set",
            "valid.every=1",
        ])
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    use std::io::BufRead;
    let mut lines = std::io::BufReader::new(child.stderr.take().unwrap())
        .lines()
        .map_while(Result::ok);
    assert!(lines.any(|line| line.starts_with("3 of 300000 steps")));
    let pid = child.id().to_string();
    let sent = std::process::Command::new("kill")
        .args(["-INT", &pid])
        .status()
        .unwrap();
    assert!(sent.success());
    let rest: Vec<String> = lines.collect();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let kept = rest
        .iter()
        .find_map(|line| line.strip_prefix("interrupted by SIGINT: "))
        .unwrap();
    assert!(
        kept.contains(" of 300000 steps are kept in out; "),
        "{kept}"
    );
    // No step is lost.
    let steps: usize = kept.split(' ').next().unwrap().parse().unwrap();
    let rows = folder.rows("out/log.csv");
    assert_eq!(rows.len(), steps);
    let answer =
        folder.axonml("train c.toml --resume --set stage.0.epochs=100000 --set valid.every=2");
    answer.refused(&["valid.every = 1, but 2 is requested", "another save_dir"]);
}

#[test]
fn slips_are_answered() {
    let folder = folder("train-slips");
    let with = |from: &str, to: &str| {
        folder.write("slip.toml", CONFIG.replace(from, to));
        folder.axonml("train slip.toml")
    };
    with("learning_rate", "lerning_rate").refused(&[
        "slip.toml: line 15, column 1: unknown key `lerning_rate` (did you mean `learning_rate`?)",
    ]);
    with("save_every = 7", "save_every = 0").refused(&["save_every: found 0, expected 1 or more"]);
    with("epochs = 10", "epochs = ten").refused(&["slip.toml: line 13, "]);
    with("recipe = \"recipe.toml\"\n", "recipe = \"r.toml\"\n").refused(&["cannot read `r.toml`"]);
    with("seed = 6", "seed = 5").refused(&["valid.traces.seed", "expected another seed"]);
    folder
        .axonml("train none.toml")
        .refused(&["cannot read `none.toml`"]);
    folder
        .axonml("train c.toml --plot log.jpg")
        .refused(&["log.jpg", ".svg or .png"]);
    folder
        .axonml("train c.toml --set stage.0.bach=4")
        .refused(&["did you mean `batch`?"]);
    assert!(!folder.has("out"));
}

/// Sets that cannot be learned from, by name and place.
#[test]
fn sets_are_checked() {
    let folder = folder("train-sets");
    folder
        .axonml("dataset generate -o set --recipe recipe.toml --states v --count 8 --shard 8 -q")
        .done();
    let config = CONFIG.replace(
        "[train]\nrecipe = \"recipe.toml\"",
        "[train]\nfolder = \"set\"",
    );
    folder.write("f.toml", &config);
    folder
        .axonml("train f.toml --set stage.0.loss.weights.m=1")
        .refused(&[
            "train: `set` has no state `m`; it has v",
            "leave its weight out",
        ]);
    folder
        .axonml("train f.toml --set nodes=9")
        .refused(&["nodes: found 9, expected 11"]);
    folder
        .axonml("train f.toml --set valid.traces.seed=5")
        .refused(&["valid.traces.seed"]);

    // A number that is none, in a set whose checksums are right.
    let file = "set/shard-00000/states.npy";
    let mut bytes = folder.read(file);
    let at = bytes.len() - 4;
    bytes[at..].copy_from_slice(&f32::NAN.to_le_bytes());
    folder.write(file, &bytes);
    folder
        .axonml("train f.toml --set save_dir=damaged")
        .refused(&["states.npy", "content changed"]);
    use sha2::{Digest, Sha256};
    let sum: String = Sha256::digest(&bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let mut manifest = folder.json("set/manifest.json");
    manifest["shards"][0]["files"]["states.npy"]["sha256"] = sum.into();
    folder.write("set/manifest.json", manifest.to_string());
    folder
        .axonml("train f.toml --set save_dir=none")
        .refused(&["state v of fiber 7 is NaN at node 10", "mend or leave out"]);
}

/// A damaged checkpoint is told from a good one; a disk that takes no more leaves a good one.
#[cfg(unix)]
#[test]
fn checkpoints_are_verified_and_survive_a_full_disk() {
    let folder = folder("train-damage");
    // A limit on the size of files, as good as a full disk. Of all files the log comes there first, after more than one
    // checkpoint: its rows have many columns here.
    let many = [
        "gnabar", "gkbar", "ena", "ek", "amA", "amB", "amC", "bmA", "bmB", "bmC", "ahA", "ahB",
        "ahC", "bhA", "bhB", "bhC", "asA", "asB", "asC", "bsA", "bsB", "bsC", "cm", "noded1",
        "noded2",
    ];
    let wide = CONFIG
        .replace("[\"gl\"]", &format!("{many:?}"))
        .replace("epochs = 10", "epochs = 40");
    folder.write("c.toml", wide);
    let output = std::process::Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 48; exec \"$0\" train c.toml"])
        .arg(env!("CARGO_BIN_EXE_axonml"))
        .current_dir(&folder.0)
        .output()
        .unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("cannot write `out/log.csv`"), "{error}");
    assert!(error.contains("with --resume"), "{error}");
    let answer = folder.axonml("train c.toml --resume").done();
    assert!(answer.stderr.contains("resumes after step "), "{answer:#?}");
    assert!(answer.stdout.contains("120 steps"), "{answer:#?}");
    assert_eq!(folder.rows("out/log.csv").len(), 120);

    let mut bytes = folder.read("out/checkpoint.bin");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    folder.write("out/checkpoint.bin", &bytes);
    folder.axonml("train c.toml --resume").refused(&[
        "out/checkpoint.bin` has a wrong checksum",
        "restore the file",
    ]);
    folder.write("out/checkpoint.bin", &bytes[..last]);
    folder
        .axonml("train c.toml --resume")
        .refused(&["it was truncated or replaced"]);
}
