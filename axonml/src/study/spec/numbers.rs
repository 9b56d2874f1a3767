//! Lists of numbers that may be written as ranges.

use std::fmt;
use std::str::FromStr;

use serde::de::value::SeqAccessDeserializer;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Numbers: one, a list, or `start:stop:count`, which may stand in a list separated by commas, such as `0:1:11,2,5`.
///
/// They are written as they were read.
#[derive(Clone, Debug, PartialEq)]
pub struct Numbers {
    text: Option<String>,
    values: Vec<f64>,
}

impl Numbers {
    /// The most numbers of a range: more is a slip of the finger.
    const MOST: usize = 1_000_000;

    /// The numbers.
    pub fn values(&self) -> &[f64] {
        &self.values
    }
}

impl From<Vec<f64>> for Numbers {
    fn from(values: Vec<f64>) -> Self {
        Numbers { text: None, values }
    }
}

impl FromStr for Numbers {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "found `{text}`, expected a list of numbers such as 5.7,8.7 or start:stop:count such as 0:2:21"
            )
        };
        let number = |part: &str| {
            let parsed = part.trim().parse::<f64>().ok();
            parsed.filter(|x| x.is_finite()).ok_or_else(wrong)
        };
        let mut values = Vec::new();
        for part in text.split(',') {
            match part.split(':').collect::<Vec<_>>()[..] {
                [one] => values.push(number(one)?),
                [start, stop, count] => {
                    let (start, stop) = (number(start)?, number(stop)?);
                    let count: usize = count.trim().parse().map_err(|_| wrong())?;
                    if !(1..=Self::MOST).contains(&count) {
                        return Err(wrong());
                    }
                    let step = (stop - start) / (count.max(2) - 1) as f64;
                    values.extend((0..count).map(|k| match k > 0 && k + 1 == count {
                        true => stop,
                        // Without the digits that rounding errors make.
                        false => ((start + step * k as f64) * 1e9).round() / 1e9,
                    }));
                }
                _ => return Err(wrong()),
            }
        }
        Ok(Numbers {
            text: Some(text.to_owned()),
            values,
        })
    }
}

impl Serialize for Numbers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (&self.text, &self.values[..]) {
            (Some(text), _) if text.contains(':') => serializer.serialize_str(text),
            (_, [one]) => one.serialize(serializer),
            (_, many) => many.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Numbers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Numbers;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, a list of numbers, or \"start:stop:count\"")
            }

            fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Numbers, E> {
                Ok(vec![value as f64].into())
            }

            fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Numbers, E> {
                Ok(vec![value as f64].into())
            }

            fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Numbers, E> {
                Ok(vec![value].into())
            }

            fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Numbers, E> {
                value.parse().map_err(E::custom)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, values: A) -> Result<Numbers, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(values)).map(Numbers::from)
            }
        }

        deserializer.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_lists_and_ranges() {
        let read = |text: &str| text.parse::<Numbers>().map(|n| n.values);
        assert_eq!(read("5.7,8.7").unwrap(), [5.7, 8.7]);
        assert_eq!(read("1:2:5,10").unwrap(), [1.0, 1.25, 1.5, 1.75, 2.0, 10.0]);
        assert_eq!(read("3:9:1").unwrap(), [3.0]);
        assert_eq!(*read("5.7:14:20").unwrap().last().unwrap(), 14.0);
        for wrong in ["", "1,", "nan", "1:2", "1:2:0", "1:2:3:4", "a"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
