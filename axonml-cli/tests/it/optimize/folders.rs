//! Folders of optimizations: whose they are, and that nothing else is touched.

use std::process::Stdio;
use std::time::Duration;

use super::{done, folder, gd};
use crate::support::command;

#[test]
fn a_folder_is_one_requests() {
    let folder = folder("folders");
    done(&folder, &gd("--starts 1"), "r");
    let best = folder.read("r/best.json");
    folder.axonml(&gd("--starts 1 --save-dir r")).refused(&[
        "r holds this optimization already",
        "--resume",
        "--save-dir",
    ]);
    for (other, difference) in [
        (gd("--starts 2"), "starts"),
        (gd("--starts 1 --seed 4"), "seed"),
        (gd("--starts 1 --bound 2"), "bound"),
        (gd("--starts 1").replace("--steps 2", "--steps 3"), "steps"),
    ] {
        for resume in ["", "--resume"] {
            folder
                .axonml(&format!("{other} --save-dir r {resume}"))
                .refused(&[
                    "r holds another optimization",
                    difference,
                    "there",
                    "here",
                    "--save-dir",
                ]);
        }
    }
    assert!(folder.read("r/best.json") == best);
}

#[test]
fn foreign_files_are_left_alone() {
    let folder = folder("folders-foreign");
    folder.write("mine/notes.txt", "mine");
    let files = || std::fs::read_dir(folder.0.join("mine")).unwrap().count();
    for resume in ["", "--resume"] {
        folder
            .axonml(&gd(&format!("--save-dir mine {resume}")))
            .refused(&[
                "mine holds `notes.txt`",
                "expected a folder of an optimization, or an empty one",
                "--save-dir",
            ]);
        assert_eq!(files(), 1);
    }
    folder
        .axonml(&gd("--save-dir mine/notes.txt"))
        .refused(&["mine/notes.txt", "--save-dir"]);
    folder.write("torn/request.json", "{\"command\": ");
    folder.axonml(&gd("--save-dir torn --resume")).refused(&[
        "torn/request.json",
        "expected the request of an optimization",
    ]);
}

#[test]
fn one_process_at_a_time_writes_into_a_folder() {
    let folder = folder("folders-two");
    let long = gd("--save-dir r").replace("--steps 2", "--steps 9000");
    let mut child = command(&folder.0)
        .args(long.split_whitespace())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while !folder.has("r/batches.journal") {
        assert!(child.try_wait().unwrap().is_none());
        std::thread::sleep(Duration::from_millis(2));
    }
    let second = folder.axonml(&format!("{long} --resume"));
    child.kill().unwrap();
    child.wait().unwrap();
    second.refused(&["`r` is being written by another process; wait for it or end it"]);
}
