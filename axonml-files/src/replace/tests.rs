use super::*;

fn folder(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("axonml-files-{}-{name}", std::process::id()));
    _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap();
    path
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn files_are_replaced_whole_or_not_at_all() {
    let folder = folder("whole");
    let path = folder.join("a.csv");
    check_writable(&path).unwrap();
    assert!(names(&folder).is_empty());
    replace(&path, b"first").unwrap();
    let mut staged = Staged::create(&path).unwrap();
    staged.write_all(b"sec").unwrap();
    assert_eq!(names(&folder).len(), 2);
    drop(staged);
    assert_eq!(std::fs::read(&path).unwrap(), b"first");
    replace(&path, b"second").unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"second");

    // A writer that creates the file again.
    let staged = Staged::create(&path).unwrap();
    std::fs::remove_file(staged.path()).unwrap();
    std::fs::write(staged.path(), b"third").unwrap();
    staged.commit().unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"third");
    assert_eq!(names(&folder), ["a.csv"]);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn what_cannot_be_written_is_refused() {
    let folder = folder("refused");
    let refused = |path: &Path| check_writable(path).unwrap_err().to_string();
    assert_eq!(refused(&folder), "it is a folder");
    assert_eq!(refused(Path::new("/")), "it is a folder");
    let error = check_writable(&folder.join("none/a.csv")).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    let path = folder.join("a.csv");
    std::fs::write(&path, "kept").unwrap();
    let mut permissions = std::fs::metadata(&path).unwrap().permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(&path, permissions).unwrap();
    assert_eq!(refused(&path), "it exists and is read-only");
    assert!(replace(&path, b"new").is_err());
    assert_eq!(std::fs::read(&path).unwrap(), b"kept");
    assert_eq!(names(&folder), ["a.csv"]);
    std::fs::remove_dir_all(folder).unwrap();
}

#[cfg(unix)]
#[test]
fn links_and_permissions_stay() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder("links");
    let (file, link) = (folder.join("data.csv"), folder.join("link.csv"));
    std::fs::write(&file, "old").unwrap();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink("data.csv", &link).unwrap();
    replace(&link, b"new").unwrap();
    assert!(link.is_symlink());
    assert_eq!(std::fs::read(&file).unwrap(), b"new");
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn folders_appear_when_they_are_full() {
    let folder = folder("folders");
    let path = folder.join("shard-00000");
    let staged = StagedFolder::create(&path).unwrap();
    std::fs::write(staged.path().join("a.npy"), "half").unwrap();
    drop(staged);
    assert!(names(&folder).is_empty());
    std::fs::create_dir(&path).unwrap();
    std::fs::write(path.join("stale.npy"), "old").unwrap();
    let staged = StagedFolder::create(&path).unwrap();
    std::fs::write(staged.path().join("a.npy"), "whole").unwrap();
    staged.commit().unwrap();
    assert_eq!(names(&folder), ["shard-00000"]);
    assert_eq!(names(&path), ["a.npy"]);
    std::fs::remove_dir_all(folder).unwrap();
}
