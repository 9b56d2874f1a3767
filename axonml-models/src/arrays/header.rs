//! Headers of `.npy` files: a Python dictionary of three known keys, read as such and not as Python.

use super::ArrayError;

/// The most axes an array may have.
const MAX_AXES: usize = 8;
/// The most bytes a header may have: NumPy's own are 118, or a few hundred.
const MAX_HEADER_BYTES: usize = 1 << 16;

/// The content of a header.
#[derive(Debug, PartialEq)]
pub(super) struct Header {
    /// Type of the elements, as NumPy writes it: `<f8`.
    pub(super) descr: String,
    pub(super) fortran_order: bool,
    pub(super) shape: Vec<usize>,
    /// Bytes before the data.
    pub(super) length: usize,
}

fn wrong<T>(problem: impl Into<String>) -> Result<T, ArrayError> {
    Err(ArrayError::Header {
        problem: problem.into(),
    })
}

impl Header {
    /// Bytes of a header, of which the first twelve are given; fewer may be there.
    pub(super) fn length_of(start: &[u8]) -> Result<usize, ArrayError> {
        if !start.starts_with(b"\x93NUMPY") {
            return wrong("it does not begin with \\x93NUMPY");
        }
        let (version, length) = match start[6..] {
            [1, _, a, b, ..] => (1, 10 + usize::from(u16::from_le_bytes([a, b]))),
            [2 | 3, _, a, b, c, d, ..] => {
                let length = u32::from_le_bytes([a, b, c, d]);
                (2, (length as usize).saturating_add(12))
            }
            [version, ..] if !(1..=3).contains(&version) => {
                return wrong(format!("format version {version}, expected 1 to 3"));
            }
            _ => return wrong("the file ends within it"),
        };
        if length > MAX_HEADER_BYTES {
            let (limit, found) = (MAX_HEADER_BYTES, length);
            return wrong(format!(
                "version {version} with {found} bytes, expected {limit} or fewer"
            ));
        }
        Ok(length)
    }

    /// Reads the header at the beginning of an array.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, ArrayError> {
        let length = Self::length_of(bytes)?;
        let start = if bytes[6] == 1 { 10 } else { 12 };
        let Some(text) = bytes.get(start..length) else {
            let (announced, present) = (length as u64, bytes.len() as u64);
            return Err(ArrayError::Truncated { announced, present });
        };
        let Ok(text) = std::str::from_utf8(text) else {
            return wrong("it is not text");
        };
        let mut words = Words(text);
        let (mut descr, mut fortran_order, mut shape) = (None, None, None);
        words.expect('{')?;
        while !words.found('}') {
            let key = words.quoted()?;
            words.expect(':')?;
            match key {
                "descr" => descr = Some(words.quoted()?.to_owned()),
                "fortran_order" => fortran_order = Some(words.truth()?),
                "shape" => shape = Some(words.sizes()?),
                key => {
                    return wrong(format!(
                        "the key `{key}`, expected descr, fortran_order and shape"
                    ));
                }
            }
            if !words.found(',') {
                words.expect('}')?;
                break;
            }
        }
        match (descr, fortran_order, shape) {
            (Some(descr), Some(fortran_order), Some(shape)) if words.0.trim().is_empty() => {
                Ok(Header {
                    descr,
                    fortran_order,
                    shape,
                    length,
                })
            }
            _ => wrong("expected descr, fortran_order and shape, and nothing else"),
        }
    }

    /// The number of elements, and the bytes that they take.
    pub(super) fn size(&self, element_bytes: usize) -> Result<(usize, u64), ArrayError> {
        let refuse = |problem: &str| ArrayError::Shape {
            shape: shape_text(&self.shape),
            problem: problem.to_owned(),
        };
        // Axes of length 0 hide the sizes of the others, which indices are made of all the same.
        let strides = self
            .shape
            .iter()
            .try_fold(8_usize, |n, &axis| n.checked_mul(axis.max(1)));
        if strides.is_none_or(|bytes| bytes > isize::MAX as usize) {
            return Err(refuse("is more than can be addressed"));
        }
        let count: usize = self.shape.iter().product();
        Ok((count, count as u64 * element_bytes as u64))
    }
}

/// A shape as Python writes it.
pub(crate) fn shape_text(shape: &[usize]) -> String {
    let sizes: Vec<String> = shape.iter().map(usize::to_string).collect();
    match sizes.as_slice() {
        [one] => format!("({one},)"),
        many => format!("({})", many.join(", ")),
    }
}

/// The rest of a header's text.
struct Words<'t>(&'t str);

impl<'t> Words<'t> {
    fn found(&mut self, sign: char) -> bool {
        match self.0.trim_start().strip_prefix(sign) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, sign: char) -> Result<(), ArrayError> {
        if self.found(sign) {
            return Ok(());
        }
        let found: String = self.0.trim_start().chars().take(20).collect();
        wrong(format!("`{found}` where `{sign}` is expected"))
    }

    fn quoted(&mut self) -> Result<&'t str, ArrayError> {
        let quote = if self.found('"') { '"' } else { '\'' };
        if quote == '\'' {
            self.expect('\'')?;
        }
        match self.0.split_once(quote) {
            Some((text, rest)) => {
                self.0 = rest;
                Ok(text)
            }
            None => wrong("a text that does not end"),
        }
    }

    fn truth(&mut self) -> Result<bool, ArrayError> {
        let text = self.0.trim_start();
        for (word, truth) in [("True", true), ("False", false)] {
            if let Some(rest) = text.strip_prefix(word) {
                self.0 = rest;
                return Ok(truth);
            }
        }
        wrong("fortran_order is neither True nor False")
    }

    fn sizes(&mut self) -> Result<Vec<usize>, ArrayError> {
        let mut sizes = Vec::new();
        self.expect('(')?;
        while !self.found(')') {
            let text = self.0.trim_start();
            let digits = text
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(text.len());
            let Ok(size) = text[..digits].parse() else {
                return wrong("a size in shape is not a whole number below 2^64");
            };
            if sizes.len() == MAX_AXES {
                return wrong(format!("more than {MAX_AXES} axes"));
            }
            sizes.push(size);
            self.0 = &text[digits..];
            if !self.found(',') {
                self.expect(')')?;
                break;
            }
        }
        Ok(sizes)
    }
}
