//! Ranges of numbers.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::study::spec::OneOrMany;

/// A range of numbers, or one number that is both of its ends: `0.5` or `[0.1, 0.8]` in files, `0.5` or `0.1:0.8` in flags.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span(pub [f64; 2]);

impl Span {
    /// Its first end.
    pub fn from(self) -> f64 {
        self.0[0]
    }

    /// Its last end.
    pub fn to(self) -> f64 {
        self.0[1]
    }

    /// Whether it is one number.
    pub fn is_point(self) -> bool {
        self.0[0] == self.0[1]
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_point() {
            true => write!(f, "{}", self.0[0]),
            false => write!(f, "{}:{}", self.0[0], self.0[1]),
        }
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.trim().parse().ok().filter(|x: &f64| x.is_finite());
        let (from, to) = text.split_once(':').unwrap_or((text, text));
        let ends = number(from).zip(number(to));
        ends.map(|(from, to)| Span([from, to])).ok_or_else(|| {
            format!(
                "found `{text}`, expected a number, or two with a colon between them, such as 0.2:1.2"
            )
        })
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.is_point() {
            true => self.0[0].serialize(serializer),
            false => self.0.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let ends: OneOrMany<f64> = Deserialize::deserialize(deserializer)?;
        match ends.0[..] {
            [one] => Ok(Span([one, one])),
            [from, to] => Ok(Span([from, to])),
            ref many => Err(serde::de::Error::custom(format!(
                "found {} numbers, expected one, or the two ends of a range",
                many.len()
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_they_are_written() {
        for (text, span) in [("0.5", [0.5, 0.5]), ("0.2:1.2", [0.2, 1.2])] {
            assert_eq!(text.parse(), Ok(Span(span)));
            assert_eq!(Span(span).to_string(), text);
        }
        for wrong in ["", "1:", "1:2:3", "a", "nan", "1:inf"] {
            let why = wrong.parse::<Span>().unwrap_err();
            assert!(why.contains("such as 0.2:1.2"), "{why}");
        }
    }
}
