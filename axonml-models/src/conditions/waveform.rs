//! The waveform of a row, and whether it fits the run.

use std::sync::Arc;

use axonml_core::{TimeGrid, Waveform};

use super::cell::{not_negative, positive};
use super::row::Row;
use super::{ConditionError, Polarity, PulseText, RowReader};

/// Whether the name of a shape says a polarity, which another would flip.
fn says_polarity(shape: &str) -> bool {
    let shape = shape.to_lowercase();
    shape.contains("anodic") || shape.contains("cathodic")
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
                "the row's column pulse defines the whole waveform",
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
        if says_polarity(shape)
            && let Some(stated) = self.overrides.polarity.or(of_row)
        {
            let (found, remedy) = match self.overrides.polarity {
                Some(_) => (format!("--polarity {stated}"), "leave --polarity out"),
                None => (format!("`{stated}`"), "leave polarity empty"),
            };
            return Err(ConditionError::Column {
                column: "polarity",
                problem: format!(
                    "found {found} and the shape `{shape}`, whose name says the polarity itself, expected one of them: \
                     {remedy}, or take the shape `mono` or `biphasic`"
                ),
            });
        }
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

    /// Refuses a pulse that does not fit the run; checked once for each pair of them.
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
