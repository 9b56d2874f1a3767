//! Whatever is wrong with a request: exit code 2, what and where, what was found and expected. Never a panic.

use crate::support::Folder;

#[test]
fn flags_that_cannot_be_meant() {
    let folder = Folder::new("bad-flags");
    let refuse = |arguments: &str, parts: &[&str]| {
        folder.axonml(arguments).refused(parts);
    };
    refuse(
        "threshold --model mgr",
        &["unknown model `mgr`", "did you mean `mrg`?"],
    );
    refuse(
        "models smg",
        &["unknown model `smg`", "did you mean `smf`?"],
    );
    refuse(
        "threshold --set conductance.gnaa=3",
        &["`conductance.gnaa`", "did you mean `conductance.gna`?"],
    );
    refuse("threshold --set gna", &["--set", "group.param=value"]);
    refuse(
        "threshold --diameter -5",
        &["'-5'", "--diameter", "in um greater than 0"],
    );
    refuse(
        "threshold --diameter 1",
        &[
            "1 um",
            "range of model `mrg`, 2 to ",
            "mrg",
            "nerve N1, fiber 0",
        ],
    );
    refuse("threshold --diameter 5:6", &["5:6", "start:stop:count"]);
    refuse(
        "threshold --dt -0.005",
        &["-0.005", "--dt", "in ms greater than 0"],
    );
    refuse("threshold --dt x", &["'x'", "--dt", "number in ms"]);
    refuse("threshold --tstop 0", &["--tstop", "in ms greater than 0"]);
    refuse("threshold --nodes 2", &["--nodes", "3 or more"]);
    refuse(
        "threshold --nodes 5 --point 1000,0,0",
        &["detection node is `5`", "0 to 4", "--detect-nodes"],
    );
    refuse(
        "threshold --detect-nodes 60",
        &["detection node is `60`", "0 to 52", "-53 to -1"],
    );
    refuse(
        "threshold --detect-nodes a",
        &["--detect-nodes", "node numbers"],
    );
    refuse(
        "threshold --resolution 0",
        &["--resolution", "0.000000001 to 0.5"],
    );
    refuse("threshold --resolution 2", &["--resolution", "0.5"]);
    refuse(
        "threshold --max-amplitude -1",
        &["--max-amplitude", "in mA"],
    );
    refuse(
        "threshold --max-amplitude nan",
        &["--max-amplitude", "in mA"],
    );
    refuse(
        "threshold --ends passive",
        &["model `mrg`", "a double cable", "--ends active"],
    );
    for (flags, what) in [
        (
            "threshold --inject node=0,pw=0.2",
            "injected current is `0`",
        ),
        ("run --inject node=-1", "injected current is `52`"),
        (
            "threshold --point 600,0,0 --detect-nodes 0",
            "detection node is `0`",
        ),
        ("cv --sites 0,30", "--sites): found `0`"),
        ("cv --at 0.2,1", "at: found `52`"),
        (
            "cv --start-by synapse:node=52,g=0.1",
            "synapse: node: found `52`",
        ),
        (
            "response --distance 600 --test-pulse node=-1",
            "node: found `-1`",
        ),
    ] {
        refuse(
            &format!("{flags} --model sweeney --ends passive"),
            &[what, "1 to 51", "passive ends are cut off", "--ends"],
        );
    }
    refuse(
        "threshold --rates table",
        &["tables of rates", "found f64", "--precision f32"],
    );
    refuse(
        "threshold --backend quantum",
        &["unknown backend `quantum`", "auto, cpu, cuda"],
    );
    refuse("threshold --threads 0", &["--threads", "1 or more"]);
    refuse(
        "threshold --start declared --warmup 5",
        &["--warmup 5", "--start published"],
    );
    refuse(
        "threshold --inject node=0,amp=2",
        &["--inject", "--point, --nerve or --basis"],
    );
    refuse("threshold --frequency 3", &["--frequency"]);
    refuse(
        "run --amplitude 2",
        &["--amplitude has no effect", "--point"],
    );
    refuse("run --record m", &["-o FILE.npz"]);
    refuse("run --record q -o x.npz", &["`q`", "m, h, p, s"]);
    refuse("run --record-nodes 99 -o x.npz", &["`99`", "0 to 52"]);
    refuse(
        "run --inject node=99",
        &["injected current is `99`", "0 to 52"],
    );
    refuse("run --inject pw=abc", &["pw is `abc`", "in ms"]);
    refuse("run --inject nod=0", &["`nod`", "did you mean `node`?"]);
    refuse(
        "run --point 1000,0,0 --contacts 1,0",
        &["--contacts has no effect", "--nerve"],
    );
    assert_eq!(
        folder.files(),
        Vec::<String>::new(),
        "a refused request leaves nothing behind"
    );
}

#[test]
fn pulses_that_cannot_be_meant() {
    let folder = Folder::new("bad-pulses");
    let refuse = |pulse: &str, parts: &[&str]| {
        folder
            .axonml(&format!(
                "threshold --point 1000,0,0 --tstop 5 --pulse {pulse}"
            ))
            .refused(parts);
    };
    refuse(
        "monofasic",
        &[
            "`monofasic`",
            "did you mean `monophasic`?",
            "axonml help pulses",
        ],
    );
    refuse("monophasic:pq=0.1", &["`pq`", "did you mean `pw`?"]);
    refuse(
        "monophasic:pw=abc",
        &["pw of monophasic is `abc`", "pulse width in ms"],
    );
    refuse(
        "monophasic:pw=4.95,delay=0.1",
        &[
            "tstop is shorter than the pulse",
            "5 ms",
            "5.05 ms",
            "raise tstop",
        ],
    );
    refuse("sine:freq=150", &["150 kHz", "reduce dt"]);
    refuse("file:no.csv", &["no.csv", "time_ms,amplitude"]);
    folder.write("w.csv", "0,0\n0.1,x\n");
    refuse(
        "file:w.csv",
        &["w.csv", "line 2", "`0.1,x`", "two finite numbers"],
    );
    refuse("train:pulse=file(w.csv)", &["file:", "alone"]);
}

#[test]
fn fields_that_cannot_be_used() {
    let folder = Folder::new("bad-fields");
    let refuse = |arguments: &str, parts: &[&str]| {
        folder
            .axonml(&format!("threshold {arguments}"))
            .refused(parts);
    };
    for inside in [
        "--point 0,0,0",
        "--point 3,-3,500",
        "--point 1000,0,0 --point 0.1,0,0",
    ] {
        refuse(
            inside,
            &[
                "fiber 0, 10 um",
                "distance of a point source from the fiber's axis",
                "at least the fiber's radius, 5 um",
            ],
        );
    }
    refuse("--point 1,2", &["--point", "X,Y,Z in um"]);
    refuse(
        "--point 1000,0,0 --resistivity 0",
        &["--resistivity", "ohm-cm"],
    );
    refuse("--nerve nowhere", &["`nowhere`", "existing nerve folder"]);

    folder.nerve("good");
    let nodes = "--diameter 10 --nodes 5 --detect-nodes 0,-1";
    folder
        .axonml(&format!("threshold --nerve good {nodes}"))
        .done();
    refuse(
        "--nerve good --diameter 10",
        &[
            "nerve good, fiber 0, 10 um",
            "-4000 to 4000 um",
            "--extend point-source",
        ],
    );
    refuse(
        &format!("--nerve good --contacts 1,0,0 {nodes}"),
        &["3 contact factors", "expected 2"],
    );

    folder.nerve("truncated");
    let whole = folder.read("truncated/1.npy");
    folder.write("truncated/1.npy", &whole[..whole.len() - 100]);
    refuse(
        &format!("--nerve truncated {nodes}"),
        &["truncated/1.npy", "truncated file", "complete .npy array"],
    );

    folder.nerve("dtype");
    folder.npy("dtype/1.npy", &[2, 401], |i| i % 2 == 0);
    refuse(
        &format!("--nerve dtype {nodes}"),
        &["dtype/1.npy", "|b1", "f32 or f64"],
    );

    folder.nerve("shape");
    folder.npy("shape/1.npy", &[2, 400], |i| i as f64);
    refuse(
        &format!("--nerve shape {nodes}"),
        &["contact 1", "(2, 401)", "(2, 400)"],
    );

    folder.nerve("nan");
    folder.npy("nan/1.npy", &[2, 401], |i| {
        if i < 401 { i as f64 } else { f64::NAN }
    });
    refuse(
        &format!("--nerve nan --contacts 0,1 {nodes}"),
        &["contact 1, fiber 1", "all 401 samples of the line are NaN"],
    );

    folder.nerve("missing");
    std::fs::remove_file(folder.0.join("missing/fiber_z.npy")).unwrap();
    refuse(
        &format!("--nerve missing {nodes}"),
        &["`missing`", "no `fiber_z.npy`"],
    );
}

#[test]
fn gaps_in_lines_are_filled_and_told() {
    let folder = Folder::new("gaps");
    folder.nerve("gap");
    folder.npy("gap/1.npy", &[2, 401], |i| {
        if (100..103).contains(&i) {
            f64::NAN
        } else {
            10.0 + 0.01 * i as f64
        }
    });
    let answer = folder
        .axonml("threshold --nerve gap --diameter 10 --nodes 5 --detect-nodes 0,-1")
        .done();
    assert!(
        answer
            .stderr
            .contains("contact 1, fiber 0, samples 100 to 102"),
        "{answer:#?}"
    );
    // A longer gap may hide a peak.
    folder.npy("gap/1.npy", &[2, 401], |i| {
        if (100..106).contains(&i) {
            f64::NAN
        } else {
            10.0 + 0.01 * i as f64
        }
    });
    let request = "threshold --nerve gap --diameter 10 --nodes 5 --detect-nodes 0,-1";
    folder.axonml(request).refused(&[
        "samples 100 to 105 of contact 1, fiber 0 are NaN",
        "expected at most 5 in a row",
        "--accept-coarse",
    ]);
    folder.axonml(&format!("{request} --accept-coarse")).done();
}

/// One bad line of a nerve is one row: the other fibers are computed as if it were good.
#[test]
fn a_bad_fiber_of_a_nerve_is_a_row_of_its_own() {
    let folder = Folder::new("bad-fiber");
    let nodes = "--diameter 10 --nodes 5 --detect-nodes 0,-1";
    let potential = |i: usize| 1e5 / (1000.0 + (20.0 * (i % 401) as f64 - 4000.0).abs());
    folder.nerve("good");
    folder.nerve("bad");
    folder.npy("bad/0.npy", &[2, 401], |i| {
        if i > 401 { f64::NAN } else { potential(i) }
    });
    folder
        .axonml(&format!("threshold --nerve good {nodes} -o good.csv"))
        .done();
    let good = folder.rows("good.csv");
    folder
        .axonml(&format!("threshold --nerve bad {nodes}"))
        .refused(&[
            "nerve bad, fiber 1, 10 um: contact 0, fiber 1",
            "--keep-going",
        ]);
    for command in ["threshold --end-excitation accept", "run --amplitude 0.2"] {
        let answer = folder.axonml(&format!(
            "{command} --nerve bad {nodes} --keep-going -o bad.json"
        ));
        answer.failed(1, &["1 of 2 ", "contact 0, fiber 1: "]);
        let rows = folder.json("bad.json")["results"].clone();
        assert_eq!(
            (&rows[0]["status"], &rows[1]["status"]),
            (&"ok".into(), &"error".into())
        );
        assert!(rows[1]["message"].as_str().unwrap().contains("NaN"));
        if command.starts_with("threshold") {
            assert_eq!(rows[0]["threshold_mA"].to_string(), good[0]["threshold_mA"]);
        }
    }

    // What is unknown beyond the fiber, and two samples more, does not matter.
    folder.npy("bad/0.npy", &[2, 401], |i| {
        if (401..450).contains(&i) {
            f64::NAN
        } else {
            potential(i)
        }
    });
    folder
        .axonml(&format!("threshold --nerve bad {nodes} -o bad.csv"))
        .done();
    let rows = folder.rows("bad.csv");
    let number = |row: &std::collections::HashMap<String, String>| -> f64 {
        row["threshold_mA"].parse().unwrap()
    };
    assert!((number(&rows[1]) / number(&good[1]) - 1.0).abs() < 1e-3);
    folder.npy("bad/0.npy", &[2, 401], |i| {
        if (401..500).contains(&i) {
            f64::NAN
        } else {
            potential(i)
        }
    });
    folder
        .axonml(&format!("threshold --nerve bad {nodes}"))
        .refused(&["fiber 1", "known only from"]);
}

#[test]
fn bases_of_the_wrong_kind() {
    let folder = Folder::new("bad-bases");
    let refuse = |arguments: &str, parts: &[&str]| {
        folder
            .axonml(&format!("threshold {arguments}"))
            .refused(parts);
    };
    refuse("--basis no.npy", &["no.npy", "existing .npy file"]);
    folder.npy("count.npy", &[1, 53], |_| 1.0);
    refuse("--basis count.npy", &["[1, 53]", "expected 573 samples"]);
    folder.npy("rank.npy", &[573], |_| 1.0);
    refuse("--basis rank.npy", &["[573]", "(fibers, samples)"]);
    folder.npy("flags.npy", &[1, 573], |i| i % 2 == 0);
    refuse("--basis flags.npy", &["flags.npy", "|b1", "f32 or f64"]);
    folder.npy(
        "nan.npy",
        &[2, 573],
        |i| if i == 700 { f64::NAN } else { 1.0 },
    );
    refuse("--basis nan.npy", &["fiber 1", "NaN", "127"]);
    folder.npy("steps.npy", &[1, 10, 573], |_| 1.0);
    refuse("--basis steps.npy", &["(1000, 573)", "(10, 573)"]);
    refuse(
        "--basis steps.npy --polarity anodic",
        &["--polarity", "space and time"],
    );
    folder.npy("three.npy", &[3, 573], |_| 1.0);
    refuse(
        "--basis three.npy --diameter 5.7,10",
        &["3 fibers and 2 diameters"],
    );
}

#[test]
fn outputs_are_checked_before_the_work() {
    let folder = Folder::new("bad-outputs");
    // Would take hours.
    let long = "threshold --point 1000,0,0 --tstop 100000 --diameter 5.7:14:1000";
    let refuse = |arguments: &str, parts: &[&str]| {
        folder.axonml(&format!("{long} {arguments}")).refused(parts);
    };
    refuse(
        "-o nowhere/x.csv",
        &["nowhere/x.csv", "No such file", "folder that exists"],
    );
    refuse("-o x.txt", &["x.txt", "`.txt`", ".csv, .json or .npz"]);
    refuse("-o x", &["no extension", ".csv, .json or .npz"]);
    refuse("--plot x.pdf", &["x.pdf", ".svg or .png"]);
    refuse("--plot nowhere/x.svg", &["nowhere/x.svg"]);
    folder.write("folder.csv/file", "");
    refuse("-o folder.csv", &["folder.csv", "it is a folder"]);
    assert_eq!(folder.files(), ["folder.csv"]);
}

#[test]
fn a_reader_that_went_away_is_no_panic() {
    let folder = Folder::new("broken-pipe");
    for arguments in [
        "models --json",
        "threshold --format json --diameter 10 --tstop 2",
        "run --format json",
        "--help",
    ] {
        let mut child = crate::support::command(&folder.0)
            .args(arguments.split_whitespace())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(!stderr.contains("panicked"), "{arguments}: {stderr}");
        assert_eq!(output.status.code(), Some(0), "{arguments}: {stderr}");
    }
}
