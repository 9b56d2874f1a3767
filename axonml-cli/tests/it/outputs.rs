//! Outputs replace nothing but files that may be replaced: no device, no input, no other output.

use crate::support::Folder;

const TABLE: &str = "diameter_um,distance_um\n10,1000\n";
/// Work that would be done if it were not refused.
const POINT: &str = "threshold --point 1000,0,0 --diameter 10 --nodes 5 --detect-nodes 2";

#[cfg(unix)]
#[test]
fn what_is_no_regular_file_is_not_replaced() {
    use std::os::unix::fs::{FileTypeExt, symlink};
    let folder = Folder::new("irregular");
    let socket = folder.0.join("socket.csv");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    symlink("/dev/null", folder.0.join("null.csv")).unwrap();
    symlink("/dev/stdout", folder.0.join("stdout.json")).unwrap();
    symlink("socket.csv", folder.0.join("p.svg")).unwrap();
    std::fs::create_dir(folder.0.join("folder.csv")).unwrap();
    let before = folder.files();
    let remedy = "without -o, results are printed on standard output";
    for (output, found) in [
        ("-o socket.csv", "a socket"),
        ("-o null.csv", "a device"),
        ("-o stdout.json", "a stream"),
        ("-o folder.csv", "a folder"),
        ("-o /dev/null", "a device"),
        ("-o /dev/stdout", "a stream"),
        ("--plot p.svg", "a socket"),
        ("--plot /dev/null", "a device"),
    ] {
        for command in [POINT, "run --tstop 0.2"] {
            folder
                .axonml(&format!("{command} {output}"))
                .refused(&["cannot write", found, remedy]);
        }
    }
    let sockets = std::fs::metadata(&socket).unwrap();
    assert!(sockets.file_type().is_socket());
    // The files beside a table, too.
    symlink("/dev/null", folder.0.join("t.csv.json")).unwrap();
    let sidecar = folder.axonml(&format!("{POINT} -o t.csv"));
    sidecar.refused(&["`t.csv.json`", "a device"]);
    std::fs::remove_file(folder.0.join("t.csv.json")).unwrap();
    assert_eq!(folder.files(), before);
}

#[test]
fn no_output_is_an_input() {
    let folder = Folder::new("own-input");
    folder.write("pre.csv", TABLE);
    folder.write("pulse.csv", "time_ms,amplitude\n0,0\n0.1,-1\n0.2,0\n");
    folder.write(
        "by_row.csv",
        "diameter_um,distance_um,pulse\n10,1000,file:pulse.csv\n",
    );
    folder.nerve("nerve");
    folder.write("nerve/nerve.json", "{}");
    folder.write("in_nerve.csv", "diameter_um,nerve,fiber\n10,nerve,0\n");
    folder.axonml("export --model smf -o w.safetensors").done();
    folder.write("sub/x", "");
    let before = folder.files();
    for (command, input) in [
        (
            "threshold --conditions pre.csv -o pre.csv",
            "--conditions pre.csv",
        ),
        (
            "threshold --conditions pre.csv -o sub/../pre.csv",
            "--conditions pre.csv",
        ),
        (
            "evaluate --conditions pre.csv -o pre.csv",
            "--conditions pre.csv",
        ),
        (
            "threshold --conditions by_row.csv -o pulse.csv",
            "column pulse pulse.csv",
        ),
        (
            "threshold --conditions in_nerve.csv --nerves . -o nerve/nerve.json",
            "column nerve, nerve",
        ),
        (
            "threshold --nerve nerve --nodes 5 -o nerve/nerve.json",
            "--nerve nerve",
        ),
        (
            "run --point 1000,0,0 --pulse file:pulse.csv -o ./pulse.csv",
            "--pulse pulse.csv",
        ),
        (
            "export --model smf --weights w.safetensors --set gna=1 -o w.safetensors",
            "--weights w.safetensors",
        ),
    ] {
        folder
            .axonml(command)
            .refused(&["would overwrite an input", input, "name another file"]);
    }
    assert_eq!(folder.files(), before);
    assert_eq!(folder.text("pre.csv"), TABLE);
    // Rows of unfinished work and sidecars are outputs as well.
    folder.write("a.csv.json", TABLE);
    folder
        .axonml("threshold --conditions a.csv.json -o a.csv")
        .refused(&["sidecar of -o a.csv", "--conditions a.csv.json"]);
    folder.write("a.csv.partial", TABLE);
    folder
        .axonml("threshold --conditions a.csv.partial -o a.csv")
        .refused(&["--conditions a.csv.partial"]);
}

#[cfg(unix)]
#[test]
fn an_input_by_another_name_is_one() {
    let folder = Folder::new("linked-input");
    folder.write("pre.csv", TABLE);
    std::os::unix::fs::symlink("pre.csv", folder.0.join("link.csv")).unwrap();
    folder
        .axonml("threshold --conditions pre.csv -o link.csv")
        .refused(&["-o link.csv would overwrite an input"]);
    assert_eq!(folder.text("pre.csv"), TABLE);
}

#[test]
fn no_two_outputs_are_one_file() {
    let folder = Folder::new("colliding");
    for outputs in [
        "-o y.csv.json -o y.csv",
        "-o y.csv -o y.csv.json",
        "-o aa.csv -o ./aa.csv",
        "-o aa.csv -o aa.csv",
    ] {
        for command in [POINT, "run --tstop 0.2"] {
            folder
                .axonml(&format!("{command} {outputs}"))
                .refused(&["are the same file", "a name of its own"]);
        }
    }
    assert!(folder.files().is_empty());
}
