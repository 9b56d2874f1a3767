//! Ctrl-C.
#![cfg(unix)]

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::support::{Folder, command};

#[test]
fn finished_rows_are_kept_and_named() {
    let folder = Folder::new("interrupted");
    // The first group is done at once, the second takes minutes.
    folder.write(
        "t.csv",
        "diameter_um,distance_um,tstop_ms,note\n10,1000,2,a\n12,1000,20000,b\n14,1000,2,c\n",
    );
    let mut child = command(&folder.0)
        .args(["threshold", "--conditions", "t.csv", "-o", "out.csv", "-v"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap())
        .lines()
        .map_while(Result::ok);
    assert!(lines.any(|line| line.starts_with("2 of 3 thresholds")));
    let killed = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(killed.success());
    let rest: Vec<String> = lines.collect();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(
        rest.join("\n")
            .contains("2 of 3 rows are kept in out.partial.csv"),
        "{rest:?}"
    );
    let notes: Vec<String> = folder
        .rows("out.partial.csv")
        .iter()
        .map(|row| row["note"].clone())
        .collect();
    assert_eq!(notes, ["a", "c"]);
    assert_eq!(
        folder.json("out.partial.csv.json")["summary"]["interrupted"],
        true
    );
    assert!(!folder.has("out.csv"));
}
