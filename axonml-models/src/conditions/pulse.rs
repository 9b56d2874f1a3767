//! Pulses as rows and flags write them.

use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use axonml_core::error::cut;
use axonml_core::{CoreError, TimeGrid, Waveform};
use thiserror::Error;

use super::cell::{not_negative, positive};
use super::condition::Row;
use super::{ConditionError, RowReader};
use crate::provenance::sha256;
use crate::read_text_file;

/// The sign of a waveform.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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

/// A pulse that was read: `NAME:KEY=VALUE,...`, a sum of such, or `file:W.csv`.
#[derive(Clone, Debug, PartialEq)]
pub struct PulseText {
    /// The waveform.
    pub waveform: Waveform,
    /// SHA-256 of the file's bytes, where it came from one.
    pub file_sha256: Option<String>,
}

/// Why a pulse cannot be read.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum PulseError {
    /// The text is no pulse.
    #[error("`{text}`: {source}")]
    Text {
        /// The beginning of the text.
        text: String,
        /// What is wrong with it.
        source: CoreError,
    },
    /// `file:` inside a sum or train.
    #[error(
        "`{text}`: found file: inside a sum or train, expected it alone; put the whole waveform into the file"
    )]
    FileInside {
        /// The beginning of the text.
        text: String,
    },
    /// The file cannot be read.
    #[error("cannot read `{path}`: {problem}; name an existing CSV file of time_ms,amplitude")]
    Read {
        /// Its path.
        path: String,
        /// What the system says.
        problem: String,
    },
    /// The file holds no waveform.
    #[error("`{path}`: {source}")]
    File {
        /// Its path.
        path: String,
        /// What is wrong with it.
        source: CoreError,
    },
}

impl PulseText {
    /// Reads a pulse; a file's path starts from the working directory.
    ///
    /// # Errors
    /// [`PulseError`] for text that is no pulse and for files that cannot be read.
    pub fn read(text: &str) -> Result<Self, PulseError> {
        let Some(path) = text.trim().strip_prefix("file:") else {
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
            waveform: Waveform::from_csv_bytes(&bytes).map_err(wrong)?,
            file_sha256: Some(sha256(&bytes)),
        })
    }
}

impl RowReader<'_> {
    /// The waveform of a row, with its polarity.
    pub(super) fn waveform(&mut self, row: Row<'_>) -> Result<Arc<Waveform>, ConditionError> {
        let of_row = row.parse("polarity", |text| text.parse::<Polarity>())?;
        let polarity = self.overrides.polarity.or(of_row).unwrap_or_default();
        let shape = row.cell("shape");
        let pw_ms = row.parse("pw_ms", positive("ms"))?;
        let delay_ms = row.parse("delay_ms", not_negative("ms"))?;
        if let Some((text, waveform)) = &self.overrides.pulse {
            let made = self.waveforms.entry(format!("{polarity} {text}"));
            let made = made.or_insert_with(|| Arc::new(polarity.of(waveform.clone())));
            return Ok(made.clone());
        }
        if let Some(text) = row.cell("pulse") {
            row.refuse(
                &["shape", "pw_ms", "delay_ms"],
                "the row's column pulse says all of the waveform",
                "leave one of them empty",
            )?;
            let key = format!("{polarity} {text}");
            if let Some(known) = self.waveforms.get(&key) {
                return Ok(known.clone());
            }
            let pulse = PulseText::read(text)?;
            if let Some(hash) = pulse.file_sha256 {
                self.pulse_files.insert(text.to_owned(), hash);
            }
            let made = Arc::new(polarity.of(pulse.waveform));
            self.waveforms.insert(key, made.clone());
            return Ok(made);
        }
        let (shape, pw_ms) = (shape.unwrap_or("mono"), pw_ms.unwrap_or(0.1));
        let delay_ms = delay_ms.unwrap_or(0.1);
        let key = format!(
            "{polarity} {shape} {} {}",
            pw_ms.to_bits(),
            delay_ms.to_bits()
        );
        if let Some(known) = self.waveforms.get(&key) {
            return Ok(known.clone());
        }
        let made = Waveform::from_shape(shape, pw_ms, delay_ms);
        let made = made.map_err(|error| ConditionError::Column {
            column: "shape",
            problem: error.to_string(),
        })?;
        let made = Arc::new(polarity.of(made));
        self.waveforms.insert(key, made.clone());
        Ok(made)
    }

    /// Refuses a pulse that does not fit the run; asked once for each pair of them.
    pub(super) fn check_fits(
        &mut self,
        waveform: &Arc<Waveform>,
        dt_ms: f64,
        tstop_ms: f64,
    ) -> Result<(), ConditionError> {
        let key = (
            Arc::as_ptr(waveform) as usize,
            dt_ms.to_bits(),
            tstop_ms.to_bits(),
        );
        let room = self.room;
        let fits = self.fits.entry(key).or_insert_with(|| {
            let grid = TimeGrid::new(dt_ms, tstop_ms)?;
            room(&grid).map_err(ConditionError::TooLarge)?;
            Ok(waveform.sample(&grid).map(|_| ())?)
        });
        fits.clone()
    }
}
