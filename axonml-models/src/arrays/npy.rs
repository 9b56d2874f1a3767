//! The elements of an array, as double precision.

use ndarray::{ArrayD, IxDyn, ShapeBuilder};

use super::ArrayError;
use super::header::{Header, shape_text};

/// The type of an array's elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Bool,
    Signed(usize),
    Unsigned(usize),
    Float(usize),
}

impl Kind {
    /// The kind and whether its bytes are in the order of this format's default, little-endian.
    fn of(descr: &str) -> Result<(Self, bool), ArrayError> {
        let unknown = || ArrayError::Kind {
            found: descr.chars().take(40).collect(),
        };
        let (order, kind) = descr.split_at_checked(1).ok_or_else(unknown)?;
        let kind = match kind {
            "b1" => Self::Bool,
            "i1" => Self::Signed(1),
            "i2" => Self::Signed(2),
            "i4" => Self::Signed(4),
            "i8" => Self::Signed(8),
            "u1" => Self::Unsigned(1),
            "u2" => Self::Unsigned(2),
            "u4" => Self::Unsigned(4),
            "u8" => Self::Unsigned(8),
            "f2" => Self::Float(2),
            "f4" => Self::Float(4),
            "f8" => Self::Float(8),
            _ => return Err(unknown()),
        };
        match (order, kind.bytes()) {
            ("<", _) | ("|", 1) => Ok((kind, true)),
            (">", _) => Ok((kind, false)),
            ("=", _) => Ok((kind, cfg!(target_endian = "little"))),
            _ => Err(unknown()),
        }
    }

    fn bytes(self) -> usize {
        match self {
            Self::Bool => 1,
            Self::Signed(bytes) | Self::Unsigned(bytes) | Self::Float(bytes) => bytes,
        }
    }

    /// An element whose bytes are little-endian, the others 0.
    fn number(self, raw: [u8; 8]) -> f64 {
        let bits = u64::from_le_bytes(raw);
        match self {
            Self::Bool | Self::Unsigned(_) => bits as f64,
            Self::Signed(bytes) => {
                // The sign bit moves to the top and back.
                let unused = 64 - 8 * bytes as u32;
                ((bits << unused) as i64 >> unused) as f64
            }
            Self::Float(2) => half(bits as u16),
            Self::Float(4) => f64::from(f32::from_bits(bits as u32)),
            Self::Float(_) => f64::from_bits(bits),
        }
    }
}

/// A number in half precision: one bit of sign, five of exponent, ten of fraction (IEEE 754 binary16).
fn half(bits: u16) -> f64 {
    let fraction = f64::from(bits & 0x3ff) / 1024.0;
    let size = match (bits >> 10) & 0x1f {
        0 => fraction * 2_f64.powi(-14),
        0x1f if fraction == 0.0 => f64::INFINITY,
        0x1f => f64::NAN,
        exponent => (1.0 + fraction) * 2_f64.powi(i32::from(exponent) - 15),
    };
    if bits & 0x8000 == 0 { size } else { -size }
}

/// An array of numbers of any type: whole or in half, single or double precision.
pub(crate) fn numbers(bytes: &[u8]) -> Result<ArrayD<f64>, ArrayError> {
    match elements(bytes)? {
        (Kind::Bool, _) => Err(ArrayError::Kind {
            found: "|b1".to_owned(),
        }),
        (_, array) => Ok(array),
    }
}

/// An array of flags: booleans, or whole numbers 0 and 1.
pub(crate) fn flags(bytes: &[u8]) -> Result<ArrayD<bool>, ArrayError> {
    let (kind, array) = elements(bytes)?;
    let is_flag = |number: &f64| *number == 0.0 || *number == 1.0;
    if matches!(kind, Kind::Float(_)) || !array.iter().all(is_flag) {
        return Err(ArrayError::Kind {
            found: format!("{kind:?} with values other than 0 and 1"),
        });
    }
    Ok(array.mapv(|number| number == 1.0))
}

fn elements(bytes: &[u8]) -> Result<(Kind, ArrayD<f64>), ArrayError> {
    let header = Header::read(bytes)?;
    let (kind, little) = Kind::of(&header.descr)?;
    let (_, announced) = header.size(kind.bytes())?;
    let data = &bytes[header.length..];
    let present = data.len() as u64;
    if announced > present {
        return Err(ArrayError::Truncated { announced, present });
    }
    if announced < present {
        return Err(ArrayError::Extra {
            extra: present - announced,
        });
    }
    let width = kind.bytes();
    let numbers: Vec<f64> = data
        .chunks_exact(width)
        .map(|element| {
            let mut raw = [0; 8];
            raw[..width].copy_from_slice(element);
            if !little {
                raw[..width].reverse();
            }
            kind.number(raw)
        })
        .collect();
    let shape = IxDyn(&header.shape).set_f(header.fortran_order);
    let array = ArrayD::from_shape_vec(shape, numbers).map_err(|error| ArrayError::Shape {
        shape: shape_text(&header.shape),
        problem: error.to_string(),
    })?;
    Ok((kind, array.as_standard_layout().into_owned()))
}

#[cfg(test)]
mod tests {
    use ndarray_npy::WriteNpyExt;

    use super::*;

    /// An array as NumPy writes it: its header and its bytes.
    fn npy(descr: &str, fortran: &str, shape: &str, data: &[u8]) -> Vec<u8> {
        let text =
            format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n");
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((text.len() as u16).to_le_bytes());
        bytes.extend(text.as_bytes());
        bytes.extend(data);
        bytes
    }

    #[test]
    fn every_type_of_number_is_read() {
        // [1, -2] or [1, 254] by the types' own bytes, written by hand.
        let cases: [(&str, &[u8], [f64; 2]); 12] = [
            ("|i1", &[1, 254], [1.0, -2.0]),
            ("|u1", &[1, 254], [1.0, 254.0]),
            ("<i2", &[1, 0, 0xfe, 0xff], [1.0, -2.0]),
            (">i2", &[0, 1, 0xff, 0xfe], [1.0, -2.0]),
            ("<u2", &[1, 0, 0xfe, 0xff], [1.0, 65534.0]),
            ("<i4", &[1, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff], [1.0, -2.0]),
            (
                ">u4",
                &[0, 0, 0, 1, 0xff, 0xff, 0xff, 0xfe],
                [1.0, 4294967294.0],
            ),
            (
                "<i8",
                &[
                    1, 0, 0, 0, 0, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                ],
                [1.0, -2.0],
            ),
            (
                "<u8",
                &[1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0],
                [1.0, 2.0],
            ),
            // 1 is 0x3c00, -2 is 0xc000.
            ("<f2", &[0, 0x3c, 0, 0xc0], [1.0, -2.0]),
            (">f4", &[0x3f, 0x80, 0, 0, 0xc0, 0, 0, 0], [1.0, -2.0]),
            ("=f4", &[0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0], [1.0, -2.0]),
        ];
        for (descr, data, expected) in cases {
            let array = numbers(&npy(descr, "False", "(2,)", data)).unwrap();
            assert_eq!(array.as_slice().unwrap(), expected, "{descr}");
        }
    }

    #[test]
    fn halves_are_ieee() {
        // Smallest subnormal, largest subnormal, smallest normal, a third, largest, infinity.
        let cases = [
            (0x0001, 5.960_464_477_539_063e-8),
            (0x03ff, 6.097_555_160_522_461e-5),
            (0x0400, 6.103_515_625e-5),
            (0x3555, 0.333_251_953_125),
            (0xfbff, -65504.0),
            (0x7c00, f64::INFINITY),
        ];
        for (bits, expected) in cases {
            assert_eq!(half(bits), expected, "{bits:04x}");
        }
        assert!(half(0x7e00).is_nan());
    }

    #[test]
    fn columns_first_is_read_as_numpy_does() {
        let data: Vec<u8> = [0_u8, 1, 2, 3, 4, 5].to_vec();
        let array = numbers(&npy("|u1", "True", "(2, 3)", &data)).unwrap();
        assert_eq!(array.shape(), [2, 3]);
        assert_eq!(array.as_slice().unwrap(), [0.0, 2.0, 4.0, 1.0, 3.0, 5.0]);
        // Another writer, in both orders.
        let cube =
            ndarray::Array3::from_shape_fn((2, 3, 4), |(i, j, k)| (100 * i + 10 * j + k) as f32);
        let mut bytes = Vec::new();
        cube.write_npy(&mut bytes).unwrap();
        assert_eq!(numbers(&bytes).unwrap(), cube.mapv(f64::from).into_dyn());
        let mut bytes = Vec::new();
        cube.t().write_npy(&mut bytes).unwrap();
        assert_eq!(
            numbers(&bytes).unwrap(),
            cube.t().mapv(f64::from).into_dyn()
        );
    }

    #[test]
    fn flags_are_booleans_or_zero_and_one() {
        let read = |descr: &str, data: &[u8]| flags(&npy(descr, "False", "(2,)", data));
        for descr in ["|b1", "|u1", "|i1"] {
            assert_eq!(
                read(descr, &[1, 0]).unwrap().as_slice().unwrap(),
                [true, false]
            );
        }
        assert!(read("|u1", &[2, 0]).is_err());
        assert!(numbers(&npy("|b1", "False", "(2,)", &[1, 0])).is_err());
    }

    #[test]
    fn announced_sizes_are_compared_before_anything_is_allocated() {
        let error = |descr: &str, shape: &str, data: &[u8]| {
            numbers(&npy(descr, "False", shape, data))
                .unwrap_err()
                .to_string()
        };
        let cases: [(&str, &str, &[u8], &[&str]); 9] = [
            (
                "<f8",
                "(1, 1099511627776)",
                &[0; 8],
                &["8796093022208 bytes", "the file has 8"],
            ),
            (
                "<f8",
                "(0, 18446744073709551615)",
                &[],
                &["(0, 18446744073709551615)", "addressed"],
            ),
            ("<f8", "(4294967296, 4294967296)", &[], &["addressed"]),
            ("<f8", "(99999999999999999999,)", &[], &["below 2^64"]),
            (
                "<f8",
                "(1, 1, 1, 1, 1, 1, 1, 1, 1)",
                &[0; 8],
                &["more than 8 axes"],
            ),
            ("<f8", "(-1,)", &[0; 8], &["whole number"]),
            ("<f8", "(1,)", &[0; 9], &["1 bytes after the data"]),
            ("<c16", "(1,)", &[0; 16], &["dtype <c16"]),
            ("<f8', 'x': '", "(1,)", &[0; 8], &["key `x`"]),
        ];
        for (descr, shape, data, parts) in cases {
            let message = error(descr, shape, data);
            for part in parts {
                assert!(
                    message.contains(part),
                    "{shape}: `{part}` is missing in: {message}"
                );
            }
        }
        let whole = npy("<f8", "False", "(1,)", &[0; 8]);
        for length in 0..whole.len() {
            assert!(numbers(&whole[..length]).is_err(), "{length}");
        }
        let mut huge = b"\x93NUMPY\x02\x00\xff\xff\xff\xff".to_vec();
        huge.extend([b' '; 100]);
        assert!(
            numbers(&huge)
                .unwrap_err()
                .to_string()
                .contains("65536 or fewer")
        );
    }
}
