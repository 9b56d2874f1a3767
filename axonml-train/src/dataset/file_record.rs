//! A file of a set by its size and its checksum.

use serde::{Deserialize, Serialize};

/// A file of a shard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FileRecord {
    /// Size.
    pub bytes: u64,
    /// Checksum in hexadecimal.
    pub sha256: String,
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
