//! SIGINT, SIGTERM, SIGHUP: what is finished is kept, named, and gone on with.
#![cfg(unix)]

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStderr, Command, Stdio};

use crate::support::{Folder, command};

/// The first group of rows is done at once, the second takes minutes.
const TABLE: &str =
    "diameter_um,distance_um,tstop_ms,note\n10,1000,2,a\n14,1000,2,b\n12,1000,20000,c\n";

pub(crate) fn send(child: &Child, signal: &str) {
    let sent = Command::new("kill")
        .args([&format!("-{signal}"), &child.id().to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
}

fn spawn(folder: &Folder, arguments: &str) -> (Child, impl Iterator<Item = String> + use<>) {
    let mut child = command(&folder.0)
        .args(arguments.split_whitespace())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let stderr: ChildStderr = child.stderr.take().unwrap();
    let lines = BufReader::new(stderr).lines().map_while(Result::ok);
    (child, lines)
}

/// Whether this process, and so its children, ignores SIGHUP, signal 1.
fn hangups_are_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & 1 != 0)
}

#[test]
fn finished_rows_are_kept_whatever_ends_the_search() {
    for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        if signal == "HUP" && hangups_are_ignored() {
            println!(
                "SIGHUP did not run: whoever started the tests ignores it (nohup), and so do their children"
            );
            continue;
        }
        let folder = Folder::new(&format!("signals-{signal}"));
        folder.write("t.csv", TABLE);
        for kept in [
            "2 of 3 thresholds",
            "2 of 3 rows are taken from out.csv.partial",
        ] {
            let (mut child, mut lines) = spawn(
                &folder,
                "threshold --conditions t.csv -o out.csv -o out.npz -v",
            );
            assert!(lines.any(|line| line.contains(kept)), "{kept}");
            if kept.contains("taken") {
                // The first group is there; the second is begun, and the request is refused to others.
                assert!(lines.any(|line| line.starts_with("1 fiber(s)")));
                folder
                    .axonml("threshold --conditions t.csv -o out.csv")
                    .refused(&["`out.csv.partial` is being written by another process"]);
            }
            send(&child, signal);
            let rest = lines.collect::<Vec<String>>().join("\n");
            assert_eq!(child.wait().unwrap().code(), Some(code), "{rest}");
            let message = format!(
                "interrupted by SIG{signal}: 2 of 3 rows are kept in out.csv.partial; the same command goes on"
            );
            assert!(rest.contains(&message), "{rest}");
        }
        assert_eq!(folder.files(), ["out.csv.partial", "t.csv"]);
        let kept = folder.text("out.csv.partial");
        assert_eq!(kept.lines().count(), 3, "{kept}");
        assert!(
            kept.contains("\"row\":0") && kept.contains("\"row\":1"),
            "{kept}"
        );
    }
}

#[test]
fn without_a_file_finished_rows_are_printed() {
    let folder = Folder::new("signals-printed");
    folder.write("t.csv", TABLE);
    let (child, mut lines) = spawn(&folder, "threshold --conditions t.csv -v");
    assert!(lines.any(|line| line.starts_with("2 of 3 thresholds")));
    send(&child, "TERM");
    let rest = lines.collect::<Vec<String>>().join("\n");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(143), "{rest}");
    assert!(
        rest.contains("2 of 3 rows were finished and are printed"),
        "{rest}"
    );
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(
        printed.contains("threshold_mA") && printed.contains("14"),
        "{printed}"
    );
    assert_eq!(folder.files(), ["t.csv"]);
}

#[test]
fn a_run_keeps_its_finished_fibers() {
    // Fibers are run in batches; the first is done within seconds, the second within minutes at most.
    let folder = Folder::new("signals-run");
    let diameters = "--diameter 5.7:14:2000 --nodes 11 --point 1000,0,0 --amplitude 0.2 --tstop 20";
    let (mut child, mut lines) = spawn(&folder, &format!("run {diameters} -o out.csv -v"));
    assert!(lines.any(|line| line.contains(" of 2000 fibers, ")));
    send(&child, "TERM");
    let rest = lines.collect::<Vec<String>>().join("\n");
    assert_eq!(child.wait().unwrap().code(), Some(143), "{rest}");
    assert!(
        rest.contains("of 2000 rows are kept in out.csv.partial; the same command goes on"),
        "{rest}"
    );
    assert!(folder.text("out.csv.partial").lines().count() > 128);
    assert!(!folder.has("out.csv"));
}

/// `nohup` has SIGHUP ignored: the work goes on when the terminal is closed.
#[cfg(target_os = "linux")]
#[test]
fn an_ignored_hangup_stays_ignored() {
    let folder = Folder::new("signals-nohup");
    folder.write("t.csv", TABLE);
    let script = "trap '' HUP; exec \"$0\" threshold --conditions t.csv -o out.csv -v";
    let mut child = Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_axonml")])
        .current_dir(&folder.0)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let stderr = BufReader::new(child.stderr.take().unwrap());
    let mut lines = stderr.lines().map_while(Result::ok);
    assert!(lines.any(|line| line.starts_with("2 of 3 thresholds")));
    send(&child, "HUP");
    std::thread::sleep(std::time::Duration::from_millis(200));
    assert!(child.try_wait().unwrap().is_none());
    send(&child, "INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn rows_of_another_request_are_left_alone() {
    let folder = Folder::new("signals-other");
    folder.write("t.csv", TABLE);
    let (mut child, mut lines) = spawn(&folder, "threshold --conditions t.csv -o out.csv -v");
    assert!(lines.any(|line| line.starts_with("2 of 3 thresholds")));
    child.kill().unwrap();
    child.wait().unwrap();
    let kept = folder.read("out.csv.partial");

    let refuse = |arguments: &str, parts: &[&str]| {
        let mut all = vec![
            "`out.csv.partial` keeps 2 finished rows of another request (",
            ", this one is ",
            "help: repeat that request to finish it, name another -o, or remove `out.csv.partial`",
        ];
        all.extend(parts);
        folder.axonml(arguments).refused(&all);
        assert!(folder.read("out.csv.partial") == kept);
    };
    refuse(
        "threshold --conditions t.csv -o out.csv --resolution 1e-3",
        &["`resolution` is 0.0001 there, but 0.001 here"],
    );
    refuse(
        "threshold --diameter 10 -o out.csv",
        &["`conditions` is \"t.csv\" there"],
    );
    folder.write("t.csv", TABLE.replace("1000,2,a", "1001,2,a"));
    refuse(
        "threshold --conditions t.csv -o out.csv",
        &["`conditions_sha256` is"],
    );

    // A file that is no journal, and one whose last line is torn.
    folder.write("out.csv.partial", "my notes\n");
    folder
        .axonml("threshold --diameter 10 -o out.csv")
        .refused(&["`out.csv.partial` exists and is not a journal", "help:"]);
    assert_eq!(folder.text("out.csv.partial"), "my notes\n");
    folder.write("t.csv", TABLE);
    folder.write("out.csv.partial", &kept[..kept.len() - 7]);
    let (mut child, mut lines) = spawn(&folder, "threshold --conditions t.csv -o out.csv -v");
    assert!(lines.any(|line| line.contains("1 of 3 rows are taken")));
    assert!(lines.any(|line| line.contains("1 line is torn or changed and computed again")));
    assert!(lines.any(|line| line.starts_with("1 of 2 thresholds")));
    child.kill().unwrap();
    child.wait().unwrap();
    // Computed again, it is the same row.
    assert!(folder.read("out.csv.partial") == kept);
}
