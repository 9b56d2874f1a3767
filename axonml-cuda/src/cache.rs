//! Files of compiled kernels.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::CudaError;

/// A hash of several texts, as part of a file name.
pub(crate) fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        // Lengths, so that the parts cannot run into each other.
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    let bytes = hash.finalize();
    bytes[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Writes a file whole or not at all, with the folders it lies in.
pub(crate) fn write_file(path: &Path, bytes: &[u8]) -> Result<(), CudaError> {
    let wrong = |error: std::io::Error| CudaError::Cache {
        path: path.to_owned(),
        problem: error.to_string(),
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(wrong)?;
    }
    axonml_files::replace(path, bytes).map_err(wrong)
}

/// Where compiled kernels are kept: a folder of that name within `axonml` in the user's cache folder. Not a folder that
/// everyone may write to: what lies there is run.
pub(crate) fn folder(name: &str) -> PathBuf {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let cache = set("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| set("HOME").map(|home| PathBuf::from(home).join(".cache")))
        .unwrap_or_else(std::env::temp_dir);
    cache.join("axonml").join(name)
}
