//! Several files in one input: for readers of folders.
//!
//! A file is its name, a zero byte, its length in four bytes (little-endian) and its bytes. Reading never fails: a mutated
//! input ends where it stops making sense, and a file that ends early is a shorter file.

use std::ops::Range;

/// Names of the files of `bytes`, and where their contents lie.
pub fn places(bytes: &[u8]) -> Vec<(String, Range<usize>)> {
    let (mut files, mut at) = (Vec::new(), 0);
    while let Some(end) = bytes[at..].iter().position(|byte| *byte == 0) {
        let Ok(name) = std::str::from_utf8(&bytes[at..at + end]) else {
            break;
        };
        let Some((length, rest)) = bytes[at + end + 1..].split_first_chunk() else {
            break;
        };
        let length = u32::from_le_bytes(*length) as usize;
        let begin = at + end + 5;
        at = begin + length.min(rest.len());
        files.push((name.to_owned(), begin..at));
    }
    files
}

/// Names and contents of the files of `bytes`.
pub fn unpack(bytes: &[u8]) -> Vec<(String, &[u8])> {
    let files = places(bytes).into_iter();
    files.map(|(name, place)| (name, &bytes[place])).collect()
}

/// The input that [`unpack`] makes these files of.
///
/// # Panics
/// For a file of 4 GiB or more.
pub fn pack<'f>(files: impl IntoIterator<Item = (&'f str, &'f [u8])>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, content) in files {
        let length = u32::try_from(content.len()).expect("files of corpora are small");
        bytes.extend(name.as_bytes());
        bytes.push(0);
        bytes.extend(length.to_le_bytes());
        bytes.extend(content);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_survive_and_broken_inputs_end_early() {
        let files = [("a.npy", &b"123"[..]), ("folder/b", b""), ("c", b"\0\xff")];
        let packed = pack(files);
        let back = unpack(&packed);
        let named: Vec<(&str, &[u8])> = back.iter().map(|(n, c)| (n.as_str(), *c)).collect();
        assert_eq!(named, files);
        assert_eq!(unpack(&packed[..7]), []);
        assert_eq!(unpack(&packed[..12]), [("a.npy".to_owned(), &b"12"[..])]);
    }
}
