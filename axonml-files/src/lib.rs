//! Atomic writes: every file that axonml writes is written here.
//!
//! - [`replace`] and [`Staged`] put a file in its place in one move, and [`StagedFolder`] a folder: a kill or a full
//!   disk at any moment leaves the previous content.
//! - [`Journal`] keeps finished pieces of long work, a checksummed line each, so that even SIGKILL costs only the
//!   pieces in progress.
//! - [`FolderLock`] keeps a second process out of a folder.
//! - [`Memory`] and [`available_disk`] report available memory and disk space, so that work that does not fit is
//!   refused before it begins.
//!
//! ```
//! let folder = std::env::temp_dir().join(format!("axonml-files-{}", std::process::id()));
//! std::fs::create_dir_all(&folder)?;
//! let path = folder.join("result.csv");
//! axonml_files::replace(&path, b"threshold_mA\n0.1\n")?;
//! assert_eq!(std::fs::read(&path)?, b"threshold_mA\n0.1\n");
//! # std::fs::remove_dir_all(folder)?;
//! # Ok::<(), std::io::Error>(())
//! ```
#![forbid(unsafe_code)]

mod journal;
mod lock;
mod place;
mod replace;
mod room;

pub use journal::{Journal, JournalError, Reopened};
pub use lock::{FolderLock, LockError};
pub use place::{check_regular, same_file};
pub use replace::{Staged, StagedFolder, abandon, check_writable, replace, sync_folder};
pub use room::{Memory, TooLarge, available_disk, available_memory, size_text};
