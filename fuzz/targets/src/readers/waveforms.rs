//! Pulses and waveform tables.

use axonml_core::delimited::DelimitedText;
use axonml_core::{TimeGrid, Waveform};

use crate::Outcome;

/// The text of `--pulse`: printed and read again it is the same pulse.
pub(super) fn pulse(bytes: &[u8]) -> Outcome {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => return Outcome::refused(bytes.len(), error),
    };
    let waveform: Waveform = match text.parse() {
        Ok(waveform) => waveform,
        Err(error) => return Outcome::refused(bytes.len(), error),
    };
    let printed = waveform.to_string();
    let again: Waveform = match printed.parse() {
        Ok(again) => again,
        Err(error) => panic!("`{printed}` is printed but not read: {error}"),
    };
    assert_eq!(again, waveform, "`{printed}` is read as another pulse");
    sampled(bytes.len(), &waveform);
    Outcome::Accepted
}

/// The bytes of the file of `--pulse file:TABLE`.
pub(super) fn table(bytes: &[u8]) -> Outcome {
    match Waveform::from_csv_bytes(bytes) {
        Err(error) => Outcome::refused(bytes.len(), error),
        Ok(waveform) => {
            sampled(bytes.len(), &waveform);
            Outcome::Accepted
        }
    }
}

/// A table of text of any separator: records come in the order of their lines, and cells are no more than the text.
pub(super) fn delimited(bytes: &[u8]) -> Outcome {
    let table = match DelimitedText::from_bytes(bytes) {
        Ok(table) => table,
        Err(error) => return Outcome::refused(bytes.len(), error),
    };
    let (mut size, mut line) = (0, 0);
    for record in table.records() {
        assert!(record.line > line, "line {} after line {line}", record.line);
        line = record.line;
        assert!(!record.is_empty());
        for cell in record.cells() {
            size += cell.len();
            table.number(cell);
        }
        assert_eq!(record.cell(record.len()), "", "a cell beyond the record");
    }
    // UTF-16 grows by half when it becomes UTF-8.
    assert!(size <= 2 * bytes.len(), "more cells than text");
    Outcome::Accepted
}

/// Samples are finite, or refused.
fn sampled(input: usize, waveform: &Waveform) {
    assert!(
        waveform.end_ms().is_none_or(|end_ms| !end_ms.is_nan()),
        "an end that is no number"
    );
    for (dt_ms, duration_ms) in [(0.005, 5.0), (0.1, 1.0)] {
        let grid = TimeGrid::new(dt_ms, duration_ms).expect("a good grid");
        match waveform.sample(&grid) {
            Ok(samples) => {
                assert_eq!(samples.len(), grid.steps());
                assert!(
                    samples.iter().all(|sample| sample.is_finite()),
                    "a sample is not finite"
                );
            }
            Err(error) => _ = Outcome::refused(input, error),
        }
    }
}
