//! `axonml dataset`.

use std::collections::BTreeMap;
use std::path::Path;

use ndarray::{Array1, Array3, Array4};
use ndarray_npy::ReadNpyExt;
use sha2::{Digest, Sha256};

use crate::support::{Folder, command, repository};

/// A small set near a point electrode: 6 shards.
const SMALL: &str = "--point 300:1500 --nodes 11 --tstop 1 --delay 0:0.5 --pw 0.05:0.5 --amplitude 0.1:0.5 \
                     --count 24 --shard 4 --every 4 --seed 3";

/// Names and contents of all files.
pub(crate) fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            let inner = contents(&path);
            files.extend(
                inner
                    .into_iter()
                    .map(|(file, bytes)| (format!("{name}/{file}"), bytes)),
            );
        } else {
            files.insert(name, std::fs::read(path).unwrap());
        }
    }
    files
}

fn generated(name: &str) -> Folder {
    let folder = Folder::new(name);
    folder
        .axonml(&format!("dataset generate -o set {SMALL} -q"))
        .done();
    folder
}

#[test]
fn the_size_is_announced_and_the_files_are_numpys() {
    let folder = Folder::new("set-files");
    let answer = folder
        .axonml(&format!("dataset generate -o set {SMALL}"))
        .done();
    assert!(answer.stderr.contains("24 fibers: ") && answer.stderr.contains("in 6 shards; "));
    assert!(answer.stdout.contains("set: 24 fibers") && answer.stdout.contains("simulated 24"));

    let manifest = folder.json("set/manifest.json");
    assert_eq!(manifest["shards"].as_array().unwrap().len(), 6);
    let mut total = 0;
    for (file, record) in manifest["shards"][2]["files"].as_object().unwrap() {
        let bytes = folder.read(&format!("set/shard-00002/{file}"));
        total += bytes.len();
        let sum: String = Sha256::digest(&bytes)
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        assert_eq!(
            (record["bytes"].as_u64().unwrap(), &record["sha256"]),
            (bytes.len() as u64, &sum.into())
        );
    }
    let announced = format!("{:.1} kB in 6 shards", 6.0 * total as f64 / 1e3);
    assert!(
        answer.stderr.contains(&announced),
        "{announced}: {}",
        answer.stderr
    );

    let open = |name: &str| {
        std::fs::File::open(folder.0.join(format!("set/shard-00002/{name}.npy"))).unwrap()
    };
    let states = Array4::<f32>::read_npy(open("states")).unwrap();
    let waveforms = Array3::<f32>::read_npy(open("waveforms_ma")).unwrap();
    let basis = Array3::<f32>::read_npy(open("basis_mv_per_ma")).unwrap();
    let t_ms = Array1::<f64>::read_npy(open("t_ms")).unwrap();
    let diameters = Array1::<f64>::read_npy(open("diameter_um")).unwrap();
    assert_eq!(states.dim(), (4, 51, 5, 11));
    assert_eq!((waveforms.dim(), basis.dim()), ((4, 1, 200), (4, 1, 11)));
    assert_eq!((t_ms[0], t_ms[1], t_ms.len()), (0.0, 0.02, 51));
    assert!(diameters.iter().all(|d| (5.7..=14.0).contains(d)));
    // The start: -80 mV everywhere.
    assert!((0..4).all(|fiber| states[[fiber, 0, 4, 7]] == -80.0));

    // The picture, and the figures.
    let answer = folder.axonml("dataset inspect set --plot set.svg").done();
    for part in [
        "24 fibers of 11 nodes, model mrg, seed 3",
        "200 steps of 0.005 ms",
        "m h p s v",
        "of 24 fibers fire",
    ] {
        assert!(
            answer.stdout.contains(part),
            "`{part}` is missing in {}",
            answer.stdout
        );
    }
    assert!(folder.text("set.svg").contains("share firing"));
    let json = folder.axonml("dataset inspect set --json").done().json();
    assert_eq!(json["summary"]["fibers"], 24);
    let answer = folder.axonml("dataset inspect set --verify").done();
    assert!(answer.stdout.contains("all checksums are right"));

    // The same fibers without writing them.
    let simulated = folder
        .axonml(&format!("dataset generate --simulate-only {SMALL}"))
        .done();
    let firing = |text: &str| {
        text.lines()
            .find(|line| line.contains("fibers fire"))
            .unwrap()
            .to_owned()
    };
    let inspected = folder.axonml("dataset inspect set").done();
    assert_eq!(firing(&simulated.stdout), firing(&inspected.stdout));
    // A dry run leaves no folder.
    folder
        .axonml(&format!("dataset generate -o other {SMALL} --dry-run"))
        .done();
    assert!(!folder.has("other"));
}

#[test]
fn bytes_do_not_depend_on_threads() {
    let folder = generated("set-threads");
    let first = contents(&folder.0.join("set"));
    for threads in [1, 3] {
        folder
            .axonml(&format!(
                "dataset generate -o set{threads} {SMALL} -q --threads {threads}"
            ))
            .done();
        assert!(
            contents(&folder.0.join(format!("set{threads}"))) == first,
            "{threads} threads"
        );
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_keeps_the_finished_shards() {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    let folder = Folder::new("set-interrupted");
    let mut child = command(&folder.0)
        .args(
            "dataset generate -o set --point 300:1500 --count 4000 --shard 8 --every 10 -v"
                .split_whitespace(),
        )
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap())
        .lines()
        .map_while(Result::ok);
    assert!(lines.any(|line| line == "1 shards finished"));
    let killed = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(killed.success());
    let rest: Vec<String> = lines.collect();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(
        rest.join("\n")
            .contains("of 500 shards are kept in set; run the same command again"),
        "{rest:?}"
    );
    folder
        .axonml("dataset inspect set")
        .refused(&["`set` is unfinished", "of 4000 fibers"]);
}

#[cfg(unix)]
#[test]
fn a_full_disk_loses_nothing() {
    let folder = Folder::new("set-full");
    let generate = |set: &str| format!("dataset generate -o {set} {SMALL} -q");
    // The system refuses to let files grow beyond 8 kB: a disk that is full in the middle of a shard.
    let limited = format!(
        "trap '' XFSZ; ulimit -f 16; exec '{}' {}",
        env!("CARGO_BIN_EXE_axonml"),
        generate("set")
    );
    let output = std::process::Command::new("sh")
        .args(["-c", &limited])
        .current_dir(&folder.0)
        .output()
        .unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{message}");
    for part in [
        "cannot write",
        "states.npy",
        "finished shards are kept",
        "run the same command again",
    ] {
        assert!(message.contains(part), "`{part}` is missing in: {message}");
    }
    let left = std::fs::read_dir(folder.0.join("set")).unwrap();
    let mut left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, [".lock", "manifest.json"]);
    folder.axonml(&generate("set")).done();
    folder.axonml(&generate("whole")).done();
    assert!(contents(&folder.0.join("set")) == contents(&folder.0.join("whole")));

    // What cannot fit is refused before any work.
    folder
        .axonml("dataset generate -o vast --point 300:1500 --count 100000000000")
        .refused(&["are needed in `vast`", "are free", "--every"]);
    assert!(!folder.has("vast"));
}

#[test]
fn damage_is_named_and_nothing_is_lost() {
    let folder = generated("set-damaged");
    let states = "set/shard-00003/states.npy";
    let whole = folder.read(states);
    let generate = format!("dataset generate -o set {SMALL}");

    folder.write(states, &whole[..whole.len() / 2]);
    for arguments in ["dataset inspect set", &generate] {
        folder.axonml(arguments).refused(&[
            "shard-00003",
            "states.npy",
            "bytes, expected",
            "help:",
        ]);
    }
    let mut other = whole.clone();
    *other.last_mut().unwrap() ^= 64;
    folder.write(states, &other);
    for arguments in [
        "dataset inspect set",
        "dataset inspect set --verify",
        &generate,
    ] {
        folder
            .axonml(arguments)
            .refused(&["shard-00003", "SHA-256", "its content changed"]);
    }
    // A NaN with the right checksum.
    let end = other.len();
    other[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    folder.write(states, &other);
    let sum = |bytes: &[u8]| {
        Sha256::digest(bytes)
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect::<String>()
    };
    let manifest = folder.text("set/manifest.json");
    folder.write(
        "set/manifest.json",
        manifest.replace(&sum(&whole), &sum(&other)),
    );
    folder
        .axonml("dataset inspect set --verify")
        .refused(&["state v of fiber 15 is NaN at node 10, 1 ms"]);

    folder.write("set/manifest.json", "[");
    folder
        .axonml(&generate)
        .refused(&["manifest.json", "no manifest of a set"]);
    folder.write(states, &whole);
    folder.write("set/manifest.json", &manifest);
    folder.axonml(&generate).done();
    folder.axonml("dataset inspect set --verify").done();
}

#[test]
fn requests_that_cannot_be_meant() {
    let folder = generated("set-refused");
    let refuse = |arguments: &str, parts: &[&str]| {
        folder.axonml(arguments).refused(parts);
    };
    refuse("dataset generate", &["--output"]);
    refuse(
        &format!("dataset generate -o set {SMALL} --seed 4").replace("--seed 3", ""),
        &[
            "another request",
            "request.recipe.seed",
            "is 3 there, but 4",
            "help:",
        ],
    );
    refuse(
        &format!("dataset generate -o set {SMALL}").replace("--every 4", "--every 5"),
        &["request.every", "is 4 there, but 5"],
    );
    refuse(
        "dataset generate -o new --point 300:1500 --states m,q",
        &["no state `q`", "m, h, p, s, v", "--states"],
    );
    refuse(
        "dataset generate -o new --diameter 1:2",
        &["diameter_um: found 1 um", "2 to 16 um"],
    );
    refuse(
        "dataset generate -o new --diameter 9:5",
        &["diameter_um: found 9 to 5"],
    );
    refuse(
        "dataset generate -o new --diameter 9:x",
        &["--diameter", "low:high"],
    );
    refuse(
        "dataset generate -o new --pw 0:4",
        &["pulses[0]", "active until 6 ms", "tstop"],
    );
    refuse(
        "dataset generate -o new --model mgr",
        &["did you mean `mrg`"],
    );
    refuse("dataset generate -o new --nerve nowhere", &["nowhere"]);
    refuse(
        "dataset generate -o new --nodes 61",
        &["fields[0]", "the sampled field covers only"],
    );
    refuse(
        "dataset generate -o new --recipe none.toml",
        &["none.toml", "--print-recipe"],
    );
    folder.write("r.toml", "sed = 1");
    refuse(
        "dataset generate -o new --recipe r.toml",
        &["r.toml", "unknown field `sed`"],
    );
    folder.write("busy/file", "x");
    refuse(
        &format!("dataset generate -o busy {SMALL}"),
        &["holds `file`", "not a set"],
    );
    refuse("dataset inspect nowhere", &["nowhere", "manifest.json"]);
    refuse("dataset inspect set --plot p.pdf", &["p.pdf"]);
    assert!(!folder.has("new"));
}

#[test]
fn recipes_and_flags() {
    let folder = Folder::new("set-recipes");
    let printed = folder
        .axonml("dataset generate --print-recipe --seed 5 --diameter 6:12:log")
        .done();
    folder.write("recipe.toml", &printed.stdout);
    assert_eq!(
        folder
            .axonml("dataset generate --print-recipe --recipe recipe.toml")
            .done()
            .stdout,
        printed.stdout
    );
    assert!(printed.stdout.contains("seed = 5") && printed.stdout.contains("spacing = \"log\""));
    // Nerve folders lie beside the recipe.
    folder.nerve("sub/nerve");
    folder.write(
        "sub/r.toml",
        "count = 6\nnodes = 5\ndiameter_um = { low = 8, high = 10 }\n[[fields]]\nkind = \"nerve\"\nfolder = \"nerve\"\n\
         [[pulses]]\nshape = \"biphasic\"\namplitude_ma = { low = 0.1, high = 0.2 }\npw = { low = 0.05, high = 0.5, spacing = \"log\" }\n\
         [[pulses]]\nshape = \"noise\"\namplitude_ma = { low = 0, high = 0.2 }\npw = 2\n",
    );
    folder
        .axonml("dataset generate --recipe sub/r.toml -o set -q --states v")
        .done();
    let manifest = folder.json("set/manifest.json");
    assert_eq!(manifest["request"]["fields"][0]["folder"], "nerve");
    assert_eq!(
        (
            &manifest["request"]["states"],
            &manifest["shards"][0]["contacts"]
        ),
        (&serde_json::json!(["v"]), &2.into())
    );
    // The pool of the default recipe is found from anywhere.
    folder
        .axonml("dataset generate --count 2 --every 100 -o pool -q")
        .done();
    assert_eq!(
        folder.json("pool/manifest.json")["shards"][0]["contacts"],
        6
    );
    assert!(Path::new(&repository("examples/nerves/T1")).is_dir());
}

#[cfg(not(feature = "hdf5"))]
#[test]
fn without_its_feature_hdf5_is_refused() {
    let folder = generated("set-without-hdf5");
    for command in ["export set -o set.h5", "import set.h5 -o back"] {
        folder
            .axonml(&format!("dataset {command}"))
            .refused(&["without HDF5", "--features hdf5"]);
    }
    assert!(!folder.0.join("set.h5").exists() && !folder.0.join("back").exists());
}

#[cfg(feature = "hdf5")]
#[test]
fn axonmls_layout_out_and_in() {
    let folder = generated("set-hdf5");
    let refuse = |arguments: &str, parts: &[&str]| {
        folder.axonml(arguments).refused(parts);
    };
    refuse("dataset export nowhere -o x.h5", &["manifest.json"]);
    refuse("dataset import none.h5 -o new", &["none.h5"]);
    folder.write("text.h5", "text");
    refuse("dataset import text.h5 -o new", &["text.h5"]);
    assert!(!folder.has("new"));
    let answer = folder.axonml("dataset export set -o set.h5").done();
    assert!(
        answer.stdout.contains("[1, 24, 1, 11, 50]"),
        "{}",
        answer.stdout
    );
    folder
        .axonml("dataset export set -o set.h5")
        .refused(&["set.h5", "exists already"]);
    let answer = folder
        .axonml("dataset import set.h5 -o back --dt 0.02 --shard 4")
        .done();
    assert!(answer.stdout.contains("24 fibers"), "{}", answer.stdout);
    let open = |set: &str, name: &str| {
        std::fs::File::open(folder.0.join(format!("{set}/shard-00004/{name}.npy"))).unwrap()
    };
    let before = Array4::<f32>::read_npy(open("set", "states")).unwrap();
    let after = Array4::<f32>::read_npy(open("back", "states")).unwrap();
    // The last row has no potential after it.
    assert_eq!(after.dim(), (4, 50, 5, 11));
    assert!(after.indexed_iter().all(|(index, x)| before[index] == *x));
    let potential = |set: &str, every: usize| {
        let waveforms = Array3::<f32>::read_npy(open(set, "waveforms_ma")).unwrap();
        let basis = Array3::<f32>::read_npy(open(set, "basis_mv_per_ma")).unwrap();
        move |fiber: usize, column: usize, node: usize| -> f32 {
            (0..waveforms.dim().1)
                .map(|k| waveforms[[fiber, k, column * every]] * basis[[fiber, k, node]])
                .sum()
        }
    };
    let (exact, found) = (potential("set", 4), potential("back", 1));
    for fiber in 0..4 {
        for column in 0..50 {
            for node in 0..11 {
                let (exact, found) = (exact(fiber, column, node), found(fiber, column, node));
                assert!(
                    (exact - found).abs() <= 1e-5 * exact.abs().max(1.0),
                    "{exact} {found}"
                );
            }
        }
    }
    folder
        .axonml("dataset import set.h5 -o other --states n")
        .refused(&["no state `n`"]);
    folder.axonml("dataset inspect back --verify").done();
}
