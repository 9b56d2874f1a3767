//! Requests that no machine has room for, and disks that take no more.

use crate::support::{Folder, command};

const HUGE: &str = "18446744073709551615";

#[test]
fn what_memory_has_no_room_for_is_refused_before_it_is_made() {
    let folder = Folder::new("room-memory");
    let refuse = |arguments: &str, parts: &[&str]| {
        let begun = std::time::Instant::now();
        folder.axonml(arguments).refused(parts);
        assert!(begun.elapsed().as_secs() < 10, "{arguments}");
    };
    let both = [
        " of memory, but ",
        " are available",
        "help:",
        "--max-memory",
    ];
    let with = |more: &'static str| [&both[..], &[more]].concat();
    for command in ["threshold", "run"] {
        for nodes in ["1000000000", HUGE, "9223372036854775808"] {
            let arguments = format!("{command} --point 1000,0,0 --nodes {nodes}");
            refuse(&arguments, &["--nodes", "3 or more, at most 10000000"]);
        }
        let arguments = format!("{command} --point 1000,0,0 --nodes 10000000 --max-memory 8");
        let allowed = [
            "a fiber of 10000000 nodes and a run of ",
            "needs ",
            "GB of memory, but 8.0 GB are allowed",
        ];
        refuse(&arguments, &allowed);
        // Refused as more steps than can be counted, and as more than fit.
        let arguments = format!("{command} --point 1000,0,0 --dt 1e-9 --tstop 1e6");
        refuse(&arguments, &["tstop", "steps of dt = 1e-9 ms"]);
        let arguments = format!("{command} --point 1000,0,0 --dt 1e-6 --tstop 4000 --max-memory 8");
        refuse(
            &arguments,
            &[
                "a run of 4000000000 steps needs",
                "but 8.0 GB are allowed",
                "raise --dt",
            ],
        );
    }
    folder.write(
        "t.csv",
        "diameter_um,distance_um,shape,pw_ms,n_nodes\n10,1000,mono,0.1,10000000\n10,1000,mono,0.1,11\n",
    );
    folder.write(
        "u.csv",
        "diameter_um,distance_um,n_nodes\n10,1000,1000000000\n",
    );
    refuse(
        "threshold --conditions u.csv",
        &[
            "u.csv, row 1 (line 2): column n_nodes: found `1000000000`",
            "at most 10000000",
        ],
    );
    refuse(
        "threshold --conditions t.csv --max-memory 8",
        &[
            "t.csv, row 1 (line 2): a fiber of 10000000 nodes",
            "but 8.0 GB are allowed",
        ],
    );
    refuse(
        "run --point 1000,0,0 --nodes 10000000 --record-nodes -1 -o r.npz --max-memory 8",
        &["a fiber of 10000000 nodes", "but 8.0 GB are allowed"],
    );
    refuse(
        "run --point 1000,0,0 --diameter 5.7:14:5000 -o r.npz --record all --max-memory 8",
        &["the recording needs", "but 8.0 GB are allowed", "--every"],
    );
    refuse(
        "run --point 1000,0,0 -o r.npz --max-memory 0.0001",
        &["but 100.0 kB are allowed", "--max-memory"],
    );
    refuse(
        &format!("models mrg --diameter 10 --nodes {HUGE}"),
        &["--nodes", HUGE],
    );

    let generate = "dataset generate --point 300:1500";
    refuse(
        &format!("{generate} -o set --count {HUGE}"),
        &[
            "more than 1000 ZB are needed in `set`",
            "are free",
            "--count",
        ],
    );
    refuse(
        &format!("{generate} --simulate-only --count {HUGE}"),
        &with("the simulation needs"),
    );
    refuse(
        &format!("{generate} -o set --count {HUGE} --shard {HUGE}"),
        &with("a shard under way needs more than 1000 ZB"),
    );
    refuse(
        &format!("{generate} -o set --nodes {HUGE}"),
        &with("a shard under way needs"),
    );
    refuse(
        &format!("{generate} -o set --dt 1e-9"),
        &["tstop", "steps of dt"],
    );
    folder.write("r.toml", "dt_ms = 1e-6\ntstop_ms = 4000\n");
    refuse(
        "dataset generate -o set --recipe r.toml",
        &[" of memory, but "],
    );
    assert_eq!(folder.files(), ["r.toml", "t.csv", "u.csv"]);

    // A bad row is a row of its own.
    let answer =
        folder.axonml("threshold --conditions t.csv --keep-going -o out.csv --max-memory 8 --end-excitation accept");
    answer.failed(1, &["1 of 2 rows could not be computed", "of memory, but "]);
    let rows = folder.rows("out.csv");
    assert_eq!((&*rows[0]["status"], &*rows[1]["status"]), ("error", "ok"));
    assert!(rows[0]["message"].contains("a fiber of 10000000 nodes"));
}

#[test]
fn memory_bounds_batches_and_changes_nothing() {
    let folder = Folder::new("room-batches");
    let arguments = "threshold --point 1000,0,0 --diameter 5.7:14:40 --nodes 11 --tstop 1";
    folder.axonml(&format!("{arguments} -o all.csv")).done();
    // Room for a few fibers at a time.
    folder
        .axonml(&format!(
            "{arguments} -o few.csv --threads 1 --max-memory 0.0046"
        ))
        .done();
    assert!(folder.read("all.csv") == folder.read("few.csv"));
}

/// Estimated and used memory agree within a factor of two.
#[cfg(target_os = "linux")]
#[test]
fn memory_is_estimated_as_measured() {
    let folder = Folder::new("room-measured");
    let arguments = "run --point 1000,0,0 --nodes 40001 --pulse monophasic:pw=0.02,delay=0.01 --tstop 0.05 --threads 1";
    let refused = folder.axonml(&format!("{arguments} --max-memory 0.01"));
    let needed = refused.stderr.split("needs ").nth(1).unwrap();
    let needed_mb: f64 = needed.split(" MB").next().unwrap().parse().unwrap();
    let mut child = command(&folder.0)
        .args(arguments.split_whitespace())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut most_kb = 0.0_f64;
    while child.try_wait().unwrap().is_none() {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id()));
        let status = status.unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("VmHWM:"));
        let kb = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
        most_kb = most_kb.max(kb.unwrap_or(0.0));
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    let share = 1.024e-3 * most_kb / needed_mb;
    assert!(
        (0.5..1.0).contains(&share),
        "{most_kb} kB of {needed_mb} MB"
    );
}

#[test]
fn threads_are_bounded() {
    let folder = Folder::new("room-threads");
    for threads in ["1000000", "1025", HUGE, "0"] {
        folder
            .axonml(&format!("threshold --diameter 10 --threads {threads}"))
            .refused(&[
                "--threads",
                "1 or more and at most 1024; this machine can run",
            ]);
    }
}

/// The trainings of `train.rs` with batches that do not fit.
#[test]
fn batches_of_a_training_must_fit() {
    let folder = crate::train::folder("room-train");
    folder
        .axonml("train c.toml --set stage.0.batch=100000000000 --set train.count=100000000000")
        .refused(&[
            "c.toml: stage[0]: a batch of 100000000000 fibers needs",
            "available",
            "--max-memory",
        ]);
    folder
        .axonml("train c.toml --max-memory 0.0001")
        .refused(&["a batch of 4 fibers needs", "but 100.0 kB are allowed"]);
    assert!(!folder.has("out"));
}

/// Runs `axonml` where files may not grow beyond so many blocks of 512 bytes: as good as a full disk.
#[cfg(unix)]
fn on_a_full_disk(folder: &Folder, blocks: usize, arguments: &str) -> (i32, String) {
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" {arguments}");
    let output = std::process::Command::new("sh")
        .args(["-c", &script, env!("CARGO_BIN_EXE_axonml")])
        .current_dir(&folder.0)
        .output()
        .unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    (output.status.code().unwrap_or(-1), message)
}

#[cfg(unix)]
#[test]
fn a_full_disk_leaves_what_was_there() {
    let folder = Folder::new("room-disk");
    let search = "threshold --point 1000,0,0 --diameter 5.7:14:40 --nodes 11 --tstop 1";
    for (file, option) in [
        ("old.svg", "--plot"),
        ("old.png", "--plot"),
        ("old.json", "-o"),
        ("old.npz", "-o"),
    ] {
        folder.write(file, "what was there");
        let (code, message) = on_a_full_disk(&folder, 2, &format!("{search} {option} {file}"));
        assert_eq!(code, 1, "{message}");
        assert!(
            message.contains("cannot write") && message.contains("too large"),
            "{message}"
        );
        assert_eq!(folder.text(file), "what was there");
    }
    let (code, message) = on_a_full_disk(&folder, 2, "export --model mrg -o old.safetensors");
    assert_eq!(code, 1, "{message}");
    let rows: Vec<String> = folder.files();
    let partial = ["old.json.partial", "old.npz.partial"];
    let expected = ["old.json", "old.npz", "old.png", "old.svg"];
    assert!(
        rows.iter()
            .all(|name| expected.contains(&&**name) || partial.contains(&&**name)),
        "{rows:?}"
    );
}

/// Finished rows are kept until the disk takes no more, and gone on with when there is room.
#[cfg(unix)]
#[test]
fn rows_survive_a_full_disk() {
    let folder = Folder::new("room-rows");
    let search = "threshold --point 1000,0,0 --diameter 5.7:14:40 --nodes 11 --tstop 1";
    let (code, message) = on_a_full_disk(&folder, 8, &format!("{search} -o out.csv"));
    assert_eq!(code, 1, "{message}");
    for part in [
        "cannot write `out.csv.partial`",
        "the rows before are kept there",
        "make room",
    ] {
        assert!(message.contains(part), "`{part}` is missing in: {message}");
    }
    assert!(!folder.has("out.csv"));
    let kept = folder.text("out.csv.partial");
    let rows = kept.lines().count() - 1;
    assert!(kept.ends_with('\n') && (1..40).contains(&rows), "{rows}");
    let answer = folder.axonml(&format!("{search} -o out.csv")).done();
    let taken = format!("{rows} of 40 rows are taken from out.csv.partial");
    assert!(answer.stderr.contains(&taken), "{}", answer.stderr);
    folder.axonml(&format!("{search} -o whole.csv")).done();
    assert!(folder.read("out.csv") == folder.read("whole.csv"));
    assert_eq!(
        folder.files(),
        ["out.csv", "out.csv.json", "whole.csv", "whole.csv.json"]
    );
}

/// Two processes into one folder: the second one is refused at once.
#[cfg(unix)]
#[test]
fn one_writes_into_a_folder() {
    let folder = crate::train::folder("room-locks");
    let refused = |arguments: &str, place: &str| {
        let begun = std::time::Instant::now();
        while !folder.has(&format!("{place}/.lock")) {
            assert!(begun.elapsed().as_secs() < 60);
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        // The lock is taken as soon as its file is there, or a moment later.
        std::thread::sleep(std::time::Duration::from_millis(50));
        folder
            .axonml(arguments)
            .refused(&[&format!("`{place}` is being written by another process")]);
    };
    let spawn = |arguments: &str| {
        command(&folder.0)
            .args(arguments.split_whitespace())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap()
    };
    let generate = "dataset generate -o set --point 300:1500 --count 4000 --shard 8 --every 10";
    let mut child = spawn(generate);
    refused(generate, "set");
    // Whatever else is asked for, and before anything there is read.
    refused("dataset generate -o set --point 300:1500 --count 8", "set");
    child.kill().unwrap();
    child.wait().unwrap();

    let train = "train c.toml --set stage.0.epochs=100000";
    let mut child = spawn(train);
    refused(train, "out");
    refused("train c.toml --resume", "out");
    child.kill().unwrap();
    child.wait().unwrap();
}
