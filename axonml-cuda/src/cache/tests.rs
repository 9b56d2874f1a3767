use super::*;

/// A folder of the test's own, removed in the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = process_folder().unwrap().join(format!("scratch-{count}"));
        builder().create(&path).unwrap();
        Scratch(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn damaged_code_is_not_given_back() {
    let scratch = Scratch::new();
    let path = scratch.0.join("code");
    assert_eq!(read_code(&path), None);
    write_code(&path, b"machine code").unwrap();
    assert_eq!(read_code(&path).as_deref(), Some(&b"machine code"[..]));
    let whole = std::fs::read(&path).unwrap();
    // What a compiler wrote is sealed to the same bytes.
    let compiled = scratch.0.join("compiled");
    std::fs::write(&compiled, b"machine code").unwrap();
    assert_eq!(read_code(&compiled), None);
    seal_code(&compiled).unwrap();
    assert_eq!(std::fs::read(&compiled).unwrap(), whole);
    for length in 0..whole.len() {
        std::fs::write(&path, &whole[..length]).unwrap();
        assert_eq!(read_code(&path), None, "{length} bytes");
    }
    for place in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[place] ^= 1;
        std::fs::write(&path, &damaged).unwrap();
        assert_eq!(read_code(&path), None, "byte {place}");
    }
}

#[cfg(unix)]
#[test]
fn folders_of_code_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = Scratch::new();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&scratch.0), 0o700);
    let fresh = scratch.0.join("one").join("two");
    make_private(&fresh).unwrap();
    assert_eq!(
        (mode(&fresh), mode(fresh.parent().unwrap())),
        (0o700, 0o700)
    );
    // One that others may write to is taken back, whatever lies in it.
    let open = scratch.0.join("open");
    std::fs::create_dir(&open).unwrap();
    std::fs::set_permissions(&open, PermissionsExt::from_mode(0o777)).unwrap();
    make_private(&open).unwrap();
    assert_eq!(mode(&open), 0o700);
    // A link leads to a folder that somebody else may own.
    let link = scratch.0.join("link");
    std::os::unix::fs::symlink(&open, &link).unwrap();
    assert!(make_private(&link).is_err());
    let file = scratch.0.join("file");
    std::fs::write(&file, b"").unwrap();
    assert!(make_private(&file).is_err());
}
