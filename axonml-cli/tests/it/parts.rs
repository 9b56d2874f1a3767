//! Studies in parts: computed anywhere, killed and gone on with, merged to the bytes of the study in one run.

use std::fmt::Write as _;

use crate::support::{Folder, timeless};

/// Groups that cannot share a batch, in a nerve, drawn at random: parts of several batches, so that a kill finds some rows
/// finished and others not.
fn study() -> String {
    let mut text = "[field]\nnerve = \"small\"\n[protocol]\nkind = \"threshold\"\n[numerics]\nseed = 3\ntstop_ms = 2\n\
                    [search]\nresolution = 0.01\nmax_amplitude_mA = 5\n[detection]\nnodes = 2\n"
        .to_owned();
    for group in 0..6 {
        write!(
            text,
            "[[fibers]]\nname = \"g{group}\"\ncount = 14\nnodes = 5\ntemperature_celsius = {}\n\
             diameter_um = {{ uniform = {{ min_um = 6, max_um = 10 }} }}\noffset_um = \"random\"\n",
            35 + group
        )
        .unwrap();
    }
    text
}

fn folder(name: &str) -> Folder {
    let folder = Folder::new(name);
    folder.nerve("small");
    folder.write("study.toml", study());
    folder
}

fn parts(of: usize) -> String {
    let names: Vec<String> = (1..=of).map(|part| format!("p{part}.json")).collect();
    names.join(" ")
}

#[cfg(unix)]
#[test]
fn seven_parts_one_of_them_killed_make_the_study_in_one_run() {
    use std::process::Stdio;
    use std::time::Duration;

    use crate::signals::send;
    use crate::support::command;

    let folder = folder("parts-seven");
    folder
        .axonml("study study.toml -o whole.csv -o whole.json")
        .done();
    for part in 1..=7 {
        let threads = 1 + part % 2;
        let arguments =
            format!("study study.toml --threads {threads} --part {part}/7 -o p{part}.json");
        if part == 4 {
            // On a busy machine the signal may come when the part is finished: then again.
            for attempt in 0.. {
                let mut child = command(&folder.0)
                    .args(arguments.split_whitespace())
                    .stderr(Stdio::null())
                    .stdout(Stdio::null())
                    .spawn()
                    .unwrap();
                // In the middle: a batch is finished, others are not.
                let finished = || match std::fs::read(folder.0.join("p4.json.partial")) {
                    Ok(bytes) => bytes.iter().filter(|byte| **byte == b'\n').count() > 2,
                    Err(_) => false,
                };
                let mut ended = false;
                while !ended && !finished() {
                    std::thread::sleep(Duration::from_millis(1));
                    ended = child.try_wait().unwrap().is_some();
                }
                // Whoever was waited for is not there any more.
                if !ended {
                    send(&child, "KILL");
                }
                child.wait().unwrap();
                if !folder.has("p4.json") {
                    break;
                }
                assert!(attempt < 20, "it was always killed too late");
                std::fs::remove_file(folder.0.join("p4.json")).unwrap();
                _ = std::fs::remove_file(folder.0.join("p4.json.partial"));
            }
            let resumed = folder.axonml(&arguments).done();
            assert!(
                resumed
                    .stderr
                    .contains("rows are taken from p4.json.partial"),
                "{resumed:#?}"
            );
            assert!(!folder.has("p4.json.partial"));
        } else {
            folder.axonml(&arguments).done();
        }
    }
    folder
        .axonml(&format!("merge {} -o m.csv -o m.json", parts(7)))
        .done();
    assert!(folder.read("m.csv") == folder.read("whole.csv"));
    for name in ["json", "csv.json"] {
        let [merged, whole] =
            ["m", "whole"].map(|of| timeless(folder.json(&format!("{of}.{name}"))).to_string());
        assert!(merged == whole, "{name} differs");
    }
    let again = folder.axonml("rerun m.json --threads 2").done();
    assert!(again.stdout.contains("84 rows are the same"), "{again:#?}");

    // The order of the files does not matter.
    folder
        .axonml("merge p7.json p3.json p1.json p2.json p6.json p5.json p4.json -o n.csv")
        .done();
    assert!(folder.read("n.csv") == folder.read("whole.csv"));
}

/// Two parts of a study of 4 cases, and one of another.
fn two_parts(name: &str) -> Folder {
    let folder = Folder::new(name);
    folder.nerve("small");
    let study = "[field]\nnerve = \"small\"\n[fibers]\ndiameter_um = [9, 10]\nnodes = 5\n[detection]\nnodes = 2\n\
                 [numerics]\ntstop_ms = 1\n[search]\nresolution = 0.1\nmax_amplitude_mA = 5\n[protocol]\nkind = \"threshold\"\n";
    folder.write("a.toml", study);
    folder.write(
        "b.toml",
        study.replace("resolution = 0.1", "resolution = 0.2"),
    );
    for (file, study, part) in [
        ("a1", "a", "1/2"),
        ("a2", "a", "2/2"),
        ("b2", "b", "2/2"),
        ("a3", "a", "2/3"),
    ] {
        folder
            .axonml(&format!("study {study}.toml --part {part} -o {file}.json"))
            .done();
    }
    folder
}

#[test]
fn parts_that_do_not_make_a_study_are_refused() {
    let folder = two_parts("parts-wrong");
    let refuse = |files: &str, parts: &[&str]| {
        folder
            .axonml(&format!("merge {files} -o m.csv"))
            .refused(parts);
        assert!(!folder.has("m.csv"));
    };
    refuse("a1.json", &["part 2/2 is missing", "a1.json", "compute it"]);
    refuse(
        "a1.json a2.json a1.json",
        &["a1.json and a1.json are both part 1/2"],
    );
    refuse(
        "a1.json b2.json",
        &[
            "b2.json is a part of another study than a1.json",
            "`resolution`",
            "0.1",
            "0.2",
        ],
    );
    refuse(
        "a1.json a3.json",
        &["a3.json is part 2/3", "a1.json part 1/2"],
    );
    folder.write("text.json", "resolution = 0.1");
    refuse(
        "a1.json text.json",
        &["text.json", "no part of a study", "--part I/N"],
    );
    folder.axonml("study a.toml -o whole.json").done();
    refuse(
        "a1.json whole.json",
        &["whole.json", "no part of a study", "--part I/N"],
    );
    refuse("a1.json gone.json", &["gone.json", "existing file"]);
    folder
        .axonml("merge a1.json a2.json -o a1.json")
        .refused(&["a1.json"]);
    // Parts that somebody changed.
    let change = |name: &str, from: &str, to: &str| {
        let text = folder.text("a2.json");
        assert!(text.contains(from), "{from}");
        folder.write(name, text.replacen(from, to, 1));
    };
    change("none.json", "\"of\": 2", "\"of\": 0");
    refuse("none.json", &["none.json", "part 2/0"]);
    change("beyond.json", "\"index\": 2", "\"index\": 5");
    refuse("a1.json beyond.json", &["beyond.json", "part 5/2"]);
    let mut torn = folder.json("a2.json");
    torn["answers"][0][1]["rows"][0]
        .as_array_mut()
        .unwrap()
        .pop();
    folder.write("torn.json", torn.to_string());
    refuse(
        "a1.json torn.json",
        &["torn.json", "other rows", "compute the part again"],
    );
    torn["answers"][0][1]["rows"] = serde_json::json!([]);
    folder.write("torn.json", torn.to_string());
    refuse("a1.json torn.json", &["torn.json", "other rows"]);
    torn["answers"].as_array_mut().unwrap().remove(0);
    folder.write("torn.json", torn.to_string());
    refuse("a1.json torn.json", &["torn.json", "is missing"]);
    torn["answers"][0][0] = 0.into();
    folder.write("torn.json", torn.to_string());
    refuse("a1.json torn.json", &["torn.json", "found case 0"]);

    // The nerve is not the one that the parts were computed in.
    let whole = folder.read("small/0.npy");
    folder.npy("small/0.npy", &[2, 401], |i| (i % 401) as f64);
    refuse(
        "a1.json a2.json",
        &["a1.json", "`field.sha256.0.npy` has changed"],
    );
    folder
        .axonml("rerun whole.json")
        .refused(&["whole.json", "`field.sha256.0.npy` has changed"]);
    std::fs::rename(folder.0.join("small"), folder.0.join("moved")).unwrap();
    refuse(
        "a1.json a2.json",
        &["a1.json", "`small`", "existing nerve folder"],
    );
    std::fs::rename(folder.0.join("moved"), folder.0.join("small")).unwrap();
    folder.write("small/0.npy", whole);
    folder.axonml("merge a1.json a2.json -o m.csv").done();
}

#[test]
fn what_is_no_result_is_not_run_again() {
    let folder = two_parts("parts-rerun");
    folder
        .axonml("merge a1.json a2.json -o m.csv -o m.json")
        .done();
    folder
        .axonml("rerun a1.json")
        .refused(&["a1.json", "part of a study", "merge"]);
    folder
        .axonml("rerun m.csv.json")
        .refused(&["m.csv.json", "beside a .csv", ".json"]);
    folder
        .axonml("rerun m.csv")
        .refused(&["m.csv", "FILE.json"]);
    folder.write("other.json", "{\"request\": {}}");
    folder
        .axonml("rerun other.json")
        .refused(&["other.json", "request.study"]);
    let mut changed = folder.json("m.json");
    changed["results"][1]["threshold_mA"] = 7.into();
    folder.write("changed.json", changed.to_string());
    let answer = folder.axonml("rerun changed.json");
    assert!(
        answer.stdout.contains("row 1, threshold_mA: 7 in the file"),
        "{answer:#?}"
    );
    answer.failed(1, &["1 values of 4 rows differ from changed.json"]);
    changed["results"].as_array_mut().unwrap().pop();
    folder.write("changed.json", changed.to_string());
    folder
        .axonml("rerun changed.json")
        .failed(1, &["found 3 rows in the file, 4 now"]);
}

/// Tables beside the rows are compared, too.
#[test]
fn all_tables_are_run_again() {
    let folder = Folder::new("parts-rerun-tables");
    folder.nerve("small");
    folder
        .axonml(
            "recruitment --nerve small --diameter 9,10 --nodes 5 --detect-nodes 2 --tstop 1 --resolution 0.1 --at 1 -o r.json",
        )
        .done();
    folder.axonml("rerun r.json").done();
    let mut changed = folder.json("r.json");
    changed["thresholds"][2]["lower_mA"] = 7.into();
    folder.write("r.json", changed.to_string());
    let answer = folder.axonml("rerun r.json");
    assert!(
        answer
            .stdout
            .contains("row 2, thresholds.lower_mA: 7 in the file"),
        "{answer:#?}"
    );
    answer.failed(1, &["1 values of "]);
    changed["thresholds"].as_array_mut().unwrap().pop();
    folder.write("r.json", changed.to_string());
    folder
        .axonml("rerun r.json")
        .failed(1, &["found 3 rows of `thresholds` in the file, 4 now"]);
}

/// What makes a study fail makes its parts fail when they are put together.
#[test]
fn merging_has_the_exit_code_of_the_study() {
    let folder = Folder::new("parts-verdict");
    folder.nerve("small");
    folder.npy("small/0.npy", &[2, 401], |i| {
        let there = 1e5 / (1000.0 + (20.0 * (i % 401) as f64 - 4000.0).abs());
        if i > 401 { f64::NAN } else { there }
    });
    let flags = "threshold --nerve small --diameter 10 --nodes 5 --detect-nodes 2 --tstop 1 --resolution 0.1 --keep-going";
    folder
        .axonml(&format!("{flags} -o whole.csv"))
        .failed(1, &["1 of 2 rows"]);
    folder
        .axonml(&format!("{flags} --part 1/2 -o p1.json"))
        .done();
    folder
        .axonml(&format!("{flags} --part 2/2 -o p2.json"))
        .failed(1, &["1 of 2 rows"]);
    folder
        .axonml("merge p1.json p2.json -o m.csv")
        .failed(1, &["1 of 2 rows could not be computed"]);
    assert!(folder.read("m.csv") == folder.read("whole.csv"));

    // A short fiber is excited at its end.
    let ends = "threshold --inject node=0 --diameter 10 --nodes 11 --tstop 2 --resolution 0.1 --end-excitation error";
    folder
        .axonml(&format!("{ends} -o whole.csv"))
        .failed(1, &["begin at an end"]);
    folder
        .axonml(&format!("{ends} --part 1/1 -o p1.json"))
        .done();
    folder
        .axonml("merge p1.json -o m.csv")
        .failed(1, &["begin at an end"]);
}
