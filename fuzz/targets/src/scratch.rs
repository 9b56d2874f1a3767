//! Files for readers that take paths only.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A folder that nobody else uses, removed in the end.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// # Panics
    /// If the folder cannot be made.
    pub(crate) fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        // In memory, where there is such a place: a campaign writes thousands of files a second.
        let memory = Path::new("/dev/shm");
        let parent = match memory.is_dir() {
            true => memory.to_owned(),
            false => std::env::temp_dir(),
        };
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = parent.join(format!("axonml-fuzz-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).expect("a temporary folder can be made");
        Scratch(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file; `false` for names that lead out of the folder or that no file can have.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> bool {
        let normal = |part| matches!(part, std::path::Component::Normal(_));
        if name.is_empty() || !Path::new(name).components().all(normal) {
            return false;
        }
        let path = self.0.join(name);
        let folder = path.parent().map(fs::create_dir_all);
        folder.is_some_and(|made| made.is_ok()) && fs::write(path, bytes).is_ok()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.0);
    }
}
