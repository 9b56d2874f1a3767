//! Pulses as rows and flags write them.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use axonml_core::error::cut;
use axonml_core::{CoreError, Waveform};

use super::PulseError;
use crate::provenance::sha256;
use crate::read_text_file;

/// The sign of a waveform.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Polarity {
    /// As written: pulses are cathodic (negative) first.
    #[default]
    Cathodic,
    /// Flipped.
    Anodic,
}

impl Polarity {
    /// The waveform with this polarity.
    pub fn of(self, waveform: Waveform) -> Waveform {
        match self {
            Polarity::Cathodic => waveform,
            Polarity::Anodic => waveform.flipped(),
        }
    }
}

impl fmt::Display for Polarity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Polarity::Cathodic => "cathodic",
            Polarity::Anodic => "anodic",
        })
    }
}

impl FromStr for Polarity {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim().to_lowercase().as_str() {
            "cathodic" => Ok(Polarity::Cathodic),
            "anodic" => Ok(Polarity::Anodic),
            _ => Err("expected cathodic or anodic".to_owned()),
        }
    }
}

/// A pulse that was read: `NAME:KEY=VALUE,...`, a sum of such, or `file:W.csv`; `file:W.csv#K` of a table with several
/// columns of amplitudes, the first of which is `#0`.
#[derive(Clone, Debug, PartialEq)]
pub struct PulseText {
    /// The waveform.
    pub waveform: Waveform,
    /// SHA-256 of the file's bytes, where it came from one.
    pub file_sha256: Option<String>,
}

impl PulseText {
    /// The path of the file that a text names, if it does so.
    pub fn file(text: &str) -> Option<&str> {
        named(text).map(|(path, _)| path)
    }

    /// Reads a pulse; a file's path starts from the working directory.
    ///
    /// # Errors
    /// [`PulseError`] for text that is no pulse and for files that cannot be read.
    pub fn read(text: &str) -> Result<Self, PulseError> {
        let Some((path, column)) = named(text) else {
            return match text.parse() {
                Ok(waveform) => Ok(PulseText {
                    waveform,
                    file_sha256: None,
                }),
                Err(CoreError::WaveformFile { .. }) => {
                    Err(PulseError::FileInside { text: cut(text) })
                }
                Err(source) => Err(PulseError::Text {
                    text: cut(text),
                    source,
                }),
            };
        };
        let bytes = read_text_file(Path::new(path)).map_err(|error| PulseError::Read {
            path: path.to_owned(),
            problem: error.to_string(),
        })?;
        let wrong = |source| PulseError::File {
            path: path.to_owned(),
            source,
        };
        Ok(PulseText {
            waveform: match column {
                None => Waveform::from_csv_bytes(&bytes),
                Some(column) => Waveform::from_csv_column_bytes(&bytes, column),
            }
            .map_err(wrong)?,
            file_sha256: Some(sha256(&bytes)),
        })
    }
}

/// The path of a file, and the column of amplitudes that is chosen, if one is.
fn named(text: &str) -> Option<(&str, Option<usize>)> {
    let name = text.trim().strip_prefix("file:")?;
    let chosen = name
        .rsplit_once('#')
        .and_then(|(path, column)| Some((path, Some(column.parse().ok()?))));
    Some(chosen.unwrap_or((name, None)))
}
