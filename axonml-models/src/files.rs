//! Files of bounded size: nothing is read before its size is known to be reasonable.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The most bytes that a table of text may have: millions of rows.
const MAX_TEXT_BYTES: u64 = 1 << 30;

/// Reads a file of text, of at most 1 GiB: a table of conditions or a waveform.
///
/// # Errors
/// Those of the operating system, and [`io::ErrorKind::FileTooLarge`] with both sizes.
pub fn read_text_file(path: &Path) -> io::Result<Vec<u8>> {
    read_at_most(path, MAX_TEXT_BYTES)
}

/// Reads a file of at most `limit` bytes. A pipe is read until it exceeds the limit.
///
/// # Errors
/// Those of the operating system, and [`io::ErrorKind::FileTooLarge`] with both sizes.
pub(crate) fn read_at_most(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let too_large = |found: String| {
        let message = format!("found {found} bytes, expected {limit} or fewer");
        io::Error::new(io::ErrorKind::FileTooLarge, message)
    };
    let announced = file.metadata()?.len();
    if announced > limit {
        return Err(too_large(announced.to_string()));
    }
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(too_large(format!("more than {limit}")));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_compared_before_reading() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let size = std::fs::metadata(&path).unwrap().len();
        assert_eq!(read_at_most(&path, size).unwrap().len() as u64, size);
        let error = read_at_most(&path, size - 1).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        let message = error.to_string();
        assert!(
            message.contains(&format!("found {size} bytes, expected {} or", size - 1)),
            "{message}"
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_device_without_end_is_refused() {
        let message = read_at_most(Path::new("/dev/zero"), 1000)
            .unwrap_err()
            .to_string();
        assert!(message.contains("more than 1000"), "{message}");
    }
}
