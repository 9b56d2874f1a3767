//! Checksums and lengths made right after a mutation: no mutation by chance would get behind them.
//!
//! Inputs keep their length, so that libFuzzer's custom mutators can use the same functions.

use sha2::{Digest, Sha256};

use crate::bundle;

/// The checksum of zip files (CRC-32 of ISO 3309).
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    };
    !bytes.iter().fold(!0, step)
}

/// Makes the checksums of the members of a zip right that are stored without compression.
pub fn zip(bytes: &mut [u8]) {
    const LOCAL: &[u8] = b"PK\x03\x04";
    const CENTRAL: &[u8] = b"PK\x01\x02";
    let word = |bytes: &[u8], at: usize, width: usize| -> Option<usize> {
        let raw = bytes.get(at..at.checked_add(width)?)?;
        Some(
            raw.iter()
                .rev()
                .fold(0, |word, byte| word << 8 | usize::from(*byte)),
        )
    };
    let starts: Vec<usize> = (0..bytes.len().saturating_sub(4))
        .filter(|&at| bytes[at..].starts_with(CENTRAL))
        .collect();
    for entry in starts {
        let found = (|| {
            let stored = word(bytes, entry + 10, 2)? == 0;
            let size = word(bytes, entry + 20, 4)?;
            let local = word(bytes, entry + 42, 4)?;
            if !stored || !bytes.get(local..)?.starts_with(LOCAL) {
                return None;
            }
            let data = local + 30 + word(bytes, local + 26, 2)? + word(bytes, local + 28, 2)?;
            let crc = crc32(bytes.get(data..data.checked_add(size)?)?);
            Some((local, crc.to_le_bytes()))
        })();
        let Some((local, crc)) = found else {
            continue;
        };
        for at in [local + 14, entry + 16] {
            if let Some(old) = bytes.get_mut(at..at + 4) {
                old.copy_from_slice(&crc);
            }
        }
    }
}

/// Makes length and checksum of a training's checkpoint right.
pub fn checkpoint(bytes: &mut [u8]) {
    const HEADER: usize = 52;
    if let Some((header, content)) = bytes.split_at_mut_checked(HEADER) {
        header[12..20].copy_from_slice(&(content.len() as u64).to_le_bytes());
        header[20..].copy_from_slice(&Sha256::digest(&content[..]));
    }
}

/// Makes the checksums that the manifest of a bundled set states right.
pub fn dataset(bytes: &mut [u8]) {
    let files = bundle::places(bytes);
    let Some((_, manifest)) = files.iter().find(|(name, _)| name == "manifest.json") else {
        return;
    };
    for (name, place) in &files {
        let Some((shard, file)) = name.split_once('/') else {
            continue;
        };
        let digest = Sha256::digest(&bytes[place.clone()]);
        let text: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let manifest = &mut bytes[manifest.clone()];
        let stated = find(manifest, 0, format!("\"{shard}\"").as_bytes())
            .and_then(|at| find(manifest, at, format!("\"{file}\"").as_bytes()))
            .and_then(|at| find(manifest, at, b"\"sha256\": \""));
        if let Some(old) = stated.and_then(|at| manifest.get_mut(at..at + 64)) {
            old.copy_from_slice(text.as_bytes());
        }
    }
}

/// Makes the length of the header of an `.npy` file that of the line which it is.
pub fn npy(bytes: &mut [u8]) {
    const START: usize = 10;
    let line = bytes.iter().skip(START).position(|byte| *byte == b'\n');
    if let (Some(line), Some(length)) = (line, bytes.get_mut(8..START))
        && let Ok(found) = u16::try_from(line + 1)
    {
        length.copy_from_slice(&found.to_le_bytes());
    }
}

/// Makes the length of the header of a `.safetensors` file that of the object which it is.
pub fn safetensors(bytes: &mut [u8]) {
    const START: usize = 8;
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    let end = bytes.iter().skip(START).position(|byte| {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' if !quoted => depth += 1,
            b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0
    });
    if let (Some(end), Some(length)) = (end, bytes.get_mut(..START)) {
        let found = (end as u64 + 1).next_multiple_of(8);
        length.copy_from_slice(&found.to_le_bytes());
    }
}

/// Makes the headers of the arrays of a bundle right.
pub fn bundled_arrays(bytes: &mut [u8]) {
    for (name, place) in bundle::places(bytes) {
        if name.ends_with(".npy") {
            npy(&mut bytes[place]);
        }
    }
}

/// The end of the first `wanted` from `start` on.
fn find(text: &[u8], start: usize, wanted: &[u8]) -> Option<usize> {
    let found = text[start..]
        .windows(wanted.len())
        .position(|part| part == wanted);
    found.map(|at| start + at + wanted.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_zip_files() {
        // The check value that descriptions of this checksum give.
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn nonsense_is_left_alone() {
        for repair in [zip, checkpoint, dataset, npy, safetensors, bundled_arrays] {
            for text in [
                &b""[..],
                b"PK\x01\x02",
                b"PK\x01\x02PK\x03\x04",
                b"manifest.json\0\xff\xff\xff\xff",
            ] {
                repair(&mut text.to_vec());
            }
        }
    }

    #[test]
    fn lengths_of_headers_are_found() {
        let mut array = *b"\x93NUMPY\x01\x00\xff\xff{'shape': (2,), }   \nDATA";
        npy(&mut array);
        assert_eq!(array[8..10], [21, 0]);
        let mut weights = [&[9; 8][..], br#"{"a":{"b":"}\"}"}}  DATA"#].concat();
        safetensors(&mut weights);
        assert_eq!(weights[..8], [24, 0, 0, 0, 0, 0, 0, 0]);
    }
}
