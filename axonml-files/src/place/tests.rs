use super::*;

fn folder(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("axonml-place-{}-{name}", std::process::id()));
    _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap();
    path
}

#[cfg(unix)]
#[test]
fn only_regular_files_are_replaced() {
    use std::os::unix::fs::{FileTypeExt, symlink};
    let folder = folder("regular");
    let refused = |path: &Path| {
        let message = check_regular(path).unwrap_err().to_string();
        assert_eq!(
            crate::check_writable(path).unwrap_err().to_string(),
            message
        );
        assert!(crate::replace(path, b"bytes").is_err());
        message
    };
    assert!(refused(Path::new("/dev/null")).contains("a device"));
    for stream in ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"] {
        assert!(refused(Path::new(stream)).contains("a stream"), "{stream}");
    }
    let socket = folder.join("socket.csv");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    assert!(refused(&socket).contains("a socket"));
    for (name, target, found) in [
        ("null.csv", "/dev/null", "a device"),
        ("stdout.csv", "/dev/stdout", "a stream"),
        ("link.csv", "socket.csv", "a socket"),
        ("folder.csv", ".", "a folder"),
        ("circle.csv", "circle.csv", "in a circle"),
    ] {
        let link = folder.join(name);
        symlink(target, &link).unwrap();
        assert!(refused(&link).contains(found), "{name}: {}", refused(&link));
        assert!(link.is_symlink(), "{name}");
    }
    let kind = std::fs::metadata("/dev/null").unwrap().file_type();
    assert!(kind.is_char_device());
    assert!(std::fs::metadata(&socket).unwrap().file_type().is_socket());
    std::fs::remove_dir_all(folder).unwrap();
}

#[cfg(unix)]
#[test]
fn links_to_nothing_yet_are_followed() {
    let folder = folder("nothing-yet");
    let link = folder.join("link.csv");
    std::os::unix::fs::symlink("data.csv", &link).unwrap();
    crate::replace(&link, b"new").unwrap();
    assert!(link.is_symlink());
    assert_eq!(std::fs::read(folder.join("data.csv")).unwrap(), b"new");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn files_are_the_same_by_any_name() {
    let folder = folder("same");
    std::fs::create_dir(folder.join("inner")).unwrap();
    let at = |name: &str| folder.join(name);
    for there in [false, true] {
        if there {
            std::fs::write(at("a.csv"), "a").unwrap();
        }
        assert!(same_file(&at("a.csv"), &at("inner/../a.csv")), "{there}");
        assert!(same_file(&at("a.csv"), &at("./a.csv")), "{there}");
        assert!(!same_file(&at("a.csv"), &at("b.csv")), "{there}");
        assert!(!same_file(&at("a.csv"), &at("inner/a.csv")), "{there}");
    }
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("a.csv", at("link.csv")).unwrap();
        assert!(same_file(&at("a.csv"), &at("link.csv")));
    }
    std::fs::remove_dir_all(folder).unwrap();
}
