//! From the bytes of a file to text.

use std::borrow::Cow;

use super::DelimitedError;

/// Decodes UTF-8 with or without a byte order mark, and UTF-16 of either byte order with one.
///
/// # Errors
/// [`DelimitedError::Encoding`] naming the line: bytes that are none of these, or NUL characters
/// (which UTF-16 without a byte order mark has).
pub fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, DelimitedError> {
    let text = match bytes {
        [0xff, 0xfe, rest @ ..] => Cow::Owned(utf16(rest, u16::from_le_bytes)?),
        [0xfe, 0xff, rest @ ..] => Cow::Owned(utf16(rest, u16::from_be_bytes)?),
        _ => {
            let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
            Cow::Borrowed(std::str::from_utf8(bytes).map_err(|error| {
                let at = error.valid_up_to();
                wrong(
                    lines(&bytes[..at], b'\n'),
                    format!("byte 0x{:02x} is not UTF-8", bytes[at]),
                )
            })?)
        }
    };
    match text.find('\0') {
        Some(at) => Err(wrong(
            lines(&text.as_bytes()[..at], b'\n'),
            "found a NUL character".to_owned(),
        )),
        None => Ok(text),
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, DelimitedError> {
    let (units, rest) = bytes.as_chunks::<2>();
    let mut text = String::with_capacity(units.len());
    for c in char::decode_utf16(units.iter().map(|&pair| unit(pair))) {
        text.push(c.map_err(|error| {
            wrong(
                lines(text.as_bytes(), b'\n'),
                format!(
                    "0x{:04x} is half of a UTF-16 pair",
                    error.unpaired_surrogate()
                ),
            )
        })?);
    }
    if rest.is_empty() {
        return Ok(text);
    }
    let problem = "half a UTF-16 character ends the file".to_owned();
    Err(wrong(lines(text.as_bytes(), b'\n'), problem))
}

fn lines(before: &[u8], end: u8) -> usize {
    1 + before.iter().filter(|&&byte| byte == end).count()
}

fn wrong(line: usize, problem: String) -> DelimitedError {
    DelimitedError::Encoding { line, problem }
}
