//! Shares: one study split over machines.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A share of a study: part `index` of `of`, counted from 1. It has every `of`-th case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// Which part, from 1.
    pub index: usize,
    /// Number of parts.
    pub of: usize,
}

impl Share {
    /// Whether the share has a case.
    pub fn has(&self, case: usize) -> bool {
        case % self.of == self.index - 1
    }

    /// The share of a task of a SLURM array, from `SLURM_ARRAY_TASK_ID`, `_MIN` and `_COUNT` as `get` finds them; none
    /// outside of an array.
    ///
    /// # Errors
    /// The reason if the variables are no numbers, or the array's numbers have gaps.
    pub fn of_slurm(get: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, String> {
        let number = |name: &str| match get(name) {
            None => Ok(None),
            Some(text) => match text.trim().parse::<usize>() {
                Ok(number) => Ok(Some(number)),
                Err(_) => Err(format!("{name}: found `{text}`, expected a whole number")),
            },
        };
        let Some(id) = number("SLURM_ARRAY_TASK_ID")? else {
            return Ok(None);
        };
        let count = number("SLURM_ARRAY_TASK_COUNT")?
            .ok_or("SLURM_ARRAY_TASK_COUNT: not set, expected the number of tasks of the array")?;
        let first = number("SLURM_ARRAY_TASK_MIN")?.unwrap_or(1);
        let index = id.checked_sub(first).map(|index| index + 1);
        match index.filter(|index| *index <= count) {
            Some(index) => Ok(Some(Share { index, of: count })),
            None => Err(format!(
                "SLURM_ARRAY_TASK_ID {id}: expected {first} to {}, without gaps",
                (first + count).saturating_sub(1)
            )),
        }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text
            .split_once('/')
            .and_then(|(index, of)| Some((index.trim().parse().ok()?, of.trim().parse().ok()?)));
        match numbers {
            Some((index, of)) if (1..=of).contains(&index) => Ok(Share { index, of }),
            _ => Err(format!(
                "found part {text}, expected I/N, part I of N counted from 1, such as 3/7"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_cover_every_case_once() {
        for of in [1, 2, 7] {
            for case in 0..40 {
                let having = (1..=of).filter(|&index| Share { index, of }.has(case));
                assert_eq!(having.count(), 1);
            }
        }
        assert_eq!("3/7".parse(), Ok(Share { index: 3, of: 7 }));
        for wrong in ["0/7", "8/7", "3", "a/b", "1/0", "-1/2"] {
            assert!(wrong.parse::<Share>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_task_of_an_array_is_a_share() {
        let of = |variables: &[(&str, &str)]| {
            Share::of_slurm(|name| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            })
        };
        assert_eq!(of(&[]), Ok(None));
        let task = |id, min| {
            of(&[
                ("SLURM_ARRAY_TASK_ID", id),
                ("SLURM_ARRAY_TASK_COUNT", "7"),
                ("SLURM_ARRAY_TASK_MIN", min),
            ])
        };
        assert_eq!(task("3", "1"), Ok(Some(Share { index: 3, of: 7 })));
        assert_eq!(task("0", "0"), Ok(Some(Share { index: 1, of: 7 })));
        assert!(task("9", "1").unwrap_err().contains("without gaps"));
        assert!(task("x", "1").unwrap_err().contains("whole number"));
    }
}
