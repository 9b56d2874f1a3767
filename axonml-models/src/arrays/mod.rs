//! Arrays in `.npy` and `.npz` files: read, of whatever type of numbers NumPy gave them, and written.
//!
//! The announced size of a file is compared with its actual size, in checked arithmetic, before memory is allocated.

mod element;
mod header;
mod npy;
mod npz;
mod written;

use thiserror::Error;

pub use element::{NpyElement, NpyNumber};
pub(crate) use header::shape_text;
pub(crate) use npy::{flags, numbers};
pub use npz::Npz;
pub use written::{NpzWriter, npy_header};

/// Errors of reading an array, or of making an archive.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum ArrayError {
    /// The header is no header of an array.
    #[error("no .npy header ({problem})")]
    Header {
        /// The mismatch.
        problem: String,
    },
    /// Its sizes make no array that a machine could hold.
    #[error("an array of shape {shape}, which {problem}")]
    Shape {
        /// The sizes, as the header has them.
        shape: String,
        /// The problem.
        problem: String,
    },
    /// The elements are not numbers, or not those that are needed.
    #[error("the dtype {found}")]
    Kind {
        /// The type in the header.
        found: String,
    },
    /// There are fewer bytes than announced.
    #[error(
        "a truncated file: its header announces {announced} bytes of data, the file has {present}"
    )]
    Truncated {
        /// Bytes of data that the header announces.
        announced: u64,
        /// Bytes of data found.
        present: u64,
    },
    /// There are more bytes than announced.
    #[error("{extra} bytes after the data")]
    Extra {
        /// Number of surplus bytes.
        extra: u64,
    },
    /// A member of an archive announces more than it can hold, or than is read.
    #[error(
        "a member that announces {announced} bytes in {present} compressed ones; at most {limit} are read"
    )]
    TooLarge {
        /// Bytes that the archive announces.
        announced: u64,
        /// Compressed bytes in the archive.
        present: u64,
        /// The most bytes that are read of a member of this size.
        limit: u64,
    },
    /// An archive is damaged.
    #[error("a damaged archive ({problem})")]
    Archive {
        /// The mismatch.
        problem: String,
    },
    /// An archive could not be made.
    #[error("cannot make the .npz archive: {problem}")]
    Unwritten {
        /// What went wrong.
        problem: String,
    },
}
