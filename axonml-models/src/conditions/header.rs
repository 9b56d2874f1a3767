//! The names of a table's columns: which are used, which pass through, and which are refused.

use std::collections::HashMap;

use thiserror::Error;

use super::columns::{COLUMNS, Role, column, elsewhere, meant};

/// The columns of a table, by name.
#[derive(Clone, Debug, Default)]
pub struct Header {
    positions: HashMap<&'static str, usize>,
    unused: Vec<String>,
}

/// Errors of the names of a table's columns.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeaderError {
    /// Two columns mean the same.
    #[error("the column `{column}` occurs twice{}", as_well(column, also))]
    Twice {
        /// The second one.
        column: String,
        /// The first one.
        also: String,
    },
    /// No column means anything.
    #[error(
        "found the columns `{}`, expected some of {}",
        found.join(", "),
        setting_names().join(", ")
    )]
    NothingKnown {
        /// The text found.
        found: Vec<String>,
    },
    /// A column that would have no effect, as what it says is said elsewhere.
    #[error("the column `{column}` would have no effect: it names {place}")]
    Elsewhere {
        /// Its name.
        column: String,
        /// The thing that it names, and the column or flag that says it.
        place: String,
    },
    /// A column that would have no effect, although it looks as if it should have one.
    #[error("the column `{column}` is unknown{}", suggestion(*nearest))]
    Misnamed {
        /// Its name.
        column: String,
        /// The column that was most likely meant.
        nearest: Option<&'static str>,
    },
}

impl HeaderError {
    /// How to fix it.
    pub fn help(&self) -> &'static str {
        match self {
            HeaderError::Twice { .. } => "remove or rename one of them",
            HeaderError::NothingKnown { .. } => "the first line of the table must name its columns",
            HeaderError::Misnamed { .. } | HeaderError::Elsewhere { .. } => {
                "rename it, or, if it is to pass through, give it a name that is no setting's"
            }
        }
    }
}

fn as_well(column: &str, also: &str) -> String {
    match column == also {
        true => String::new(),
        false => format!(", also as `{also}`"),
    }
}

fn suggestion(nearest: Option<&str>) -> String {
    match nearest.and_then(column) {
        None => ", but a flag has this name".to_owned(),
        Some(nearest) => format!(" (did you mean `{}`, {}?)", nearest.name, nearest.meaning),
    }
}

fn setting_names() -> Vec<&'static str> {
    let acting = COLUMNS.iter().filter(|column| column.role.acts());
    acting.map(|column| column.name).collect()
}

impl Header {
    /// Checks the names of a table's columns; `flags` are the names of settings that have no column, such as the
    /// command line's flags, without dashes in front.
    ///
    /// # Errors
    /// [`HeaderError`] if no name or one name twice is known, and for a name that is a flag's or nearly a column's:
    /// such a column would be taken for a setting and have no effect.
    pub fn new(columns: &[String], flags: &[&str]) -> Result<Self, HeaderError> {
        let mut header = Header::default();
        let mut used = false;
        for (position, name) in columns.iter().enumerate() {
            let twice = |also: &String| HeaderError::Twice {
                column: name.clone(),
                also: also.clone(),
            };
            if let Some(also) = columns[..position].iter().find(|other| *other == name) {
                return Err(twice(also));
            }
            let Some(known) = column(name) else {
                let flag = name.replace('_', "-").to_lowercase();
                let nearest = meant(name).map(|column| column.name);
                if nearest.is_some() || flags.contains(&flag.as_str()) {
                    return Err(HeaderError::Misnamed {
                        column: name.clone(),
                        nearest,
                    });
                }
                if let Some(place) = elsewhere(name) {
                    return Err(HeaderError::Elsewhere {
                        column: name.clone(),
                        place,
                    });
                }
                if !name.is_empty() {
                    header.unused.push(name.clone());
                }
                continue;
            };
            used |= known.role.acts();
            if known.role != Role::Inert
                && let Some(first) = header.positions.insert(known.name, position)
            {
                return Err(twice(&columns[first]));
            }
        }
        match used {
            true => Ok(header),
            false => Err(HeaderError::NothingKnown {
                found: columns.to_vec(),
            }),
        }
    }

    /// The place of a column, from 0.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.positions.get(name).copied()
    }

    /// Names that mean nothing and pass through, in their order.
    pub fn unused(&self) -> &[String] {
        &self.unused
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(columns: &[&str]) -> Result<Header, HeaderError> {
        let columns: Vec<String> = columns.iter().map(|name| (*name).to_owned()).collect();
        Header::new(&columns, &["max-amplitude", "set", "seed"])
    }

    #[test]
    fn every_column_is_used_refused_or_named() {
        let found = header(&["diameter_um", "note", "fibre", "detect", "status", "group"]).unwrap();
        assert_eq!(found.unused(), ["note", "group"]);
        assert_eq!(found.position("fiber"), Some(2));
        assert_eq!(found.position("detect"), None);

        let message = |columns: &[&str]| header(columns).unwrap_err().to_string();
        let misspelt = message(&["diameter_um", "pulse_width_ms"]);
        assert!(misspelt.contains("`pulse_width_ms`") && misspelt.contains("did you mean `pw_ms`"));
        assert!(message(&["diameter_um", "max_amplitude"]).contains("a flag has this name"));
        let gap = message(&["diameter_um", "gap_ms"]);
        assert!(gap.contains("`gap_ms` would have no effect") && gap.contains("biphasic:pw=0.1"));
        assert!(message(&["diameter_um", "gna"]).contains("--set conductance.gna=VALUE"));
        assert!(message(&["diameter_um", "diameter_um"]).contains("twice"));
        assert!(message(&["fiber", "fibre"]).contains("also as `fiber`"));
        assert!(message(&["a", "b"]).contains("expected some of model, diameter_um"));
        assert!(message(&["status", "lower_mA"]).contains("expected some of"));
    }
}
