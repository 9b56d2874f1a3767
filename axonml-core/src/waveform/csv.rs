//! Waveforms as the text of a file: `time_ms,amplitude`.

use super::Waveform;
use crate::delimited::{DelimitedText, Record, Separator, decode};
use crate::error::{CoreError, cut};

impl Waveform {
    /// Reads lines of `time_ms,amplitude`, from which each amplitude holds until the next time (the
    /// last one for ever).
    ///
    /// Separators, comments, quotes and decimal commas are those of [`DelimitedText`]. A first line of
    /// names is optional, but must then begin with `time_ms` or name the unit, as `t (ms)` does; the
    /// comment line above the first numbers may do so. Two lines may give the same time, an edge: the
    /// second amplitude holds from there. A pulse ends with a line whose amplitude is 0.
    ///
    /// # Errors
    /// [`CoreError::WaveformCsv`] naming the line: not two columns, not finite numbers, times in
    /// another unit than ms, that descend or are negative, no line at all. [`CoreError::Text`].
    ///
    /// # Example
    /// ```
    /// use axonml_core::{TimeGrid, Waveform};
    /// let pulse = Waveform::from_csv("time_ms,amplitude\n0.1,-1\n0.3,0\n")?;
    /// assert_eq!(pulse.sample(&TimeGrid::new(0.1, 0.5)?)?, [0.0, -1.0, -1.0, 0.0, 0.0]);
    /// # Ok::<(), axonml_core::CoreError>(())
    /// ```
    pub fn from_csv(text: &str) -> Result<Self, CoreError> {
        Self::from_delimited(&DelimitedText::parse(text)?, None)
    }

    /// Reads one column of amplitudes of a table of several, counted from 0 after the times, as [`Waveform::from_csv`] reads
    /// the only one.
    ///
    /// # Errors
    /// As [`Waveform::from_csv`], and if a line has no such column.
    ///
    /// # Example
    /// ```
    /// use axonml_core::{TimeGrid, Waveform};
    /// let table = "time_ms,contact_0_mA,contact_1_mA\n0.1,-1,0.5\n0.2,0,0\n";
    /// let pulse = Waveform::from_csv_column(table, 1)?;
    /// assert_eq!(pulse.sample(&TimeGrid::new(0.1, 0.3)?)?, [0.0, 0.5, 0.0]);
    /// # Ok::<(), axonml_core::CoreError>(())
    /// ```
    pub fn from_csv_column(text: &str, column: usize) -> Result<Self, CoreError> {
        Self::from_delimited(&DelimitedText::parse(text)?, Some(column))
    }

    /// Reads the bytes of a file as [`Waveform::from_csv`] reads its text.
    ///
    /// # Errors
    /// As [`Waveform::from_csv`].
    pub fn from_csv_bytes(bytes: &[u8]) -> Result<Self, CoreError> {
        Self::from_csv(&decode(bytes)?)
    }

    /// Reads the bytes of a file as [`Waveform::from_csv_column`] reads its text.
    ///
    /// # Errors
    /// As [`Waveform::from_csv_column`].
    pub fn from_csv_column_bytes(bytes: &[u8], column: usize) -> Result<Self, CoreError> {
        Self::from_csv_column(&decode(bytes)?, column)
    }

    fn from_delimited(table: &DelimitedText, column: Option<usize>) -> Result<Self, CoreError> {
        // Place of the amplitude among the cells of a line.
        let place = column.map_or(1, |column| column.saturating_add(1));
        check_heading(table)?;
        let (mut times_ms, mut amplitudes) = (Vec::<f64>::new(), Vec::new());
        let mut edge = false;
        for (index, record) in table.records().enumerate() {
            let wrong = |expected: &str| CoreError::WaveformCsv {
                line: record.line,
                found: shown(&record, table.separator()),
                expected: expected.to_owned(),
            };
            if index == 0 && is_names(table, &record) {
                if !names_ms(&record) {
                    return Err(wrong("the names time_ms,amplitude (times are in ms)"));
                }
                continue;
            }
            match column {
                None if record.len() > 2 => {
                    return Err(wrong(
                        "two columns, time_ms,amplitude; of several amplitudes #K after the file's name chooses one, the first is #0",
                    ));
                }
                None if record.len() < 2 => {
                    return Err(wrong("two columns, time_ms,amplitude"));
                }
                Some(column) if record.len() <= place => {
                    return Err(wrong(&format!(
                        "a time and amplitudes up to column #{column}, the first of which is #0"
                    )));
                }
                _ => {}
            }
            let number = |cell: usize| {
                table
                    .number(record.cell(cell))
                    .filter(|number| number.is_finite())
            };
            let (Some(time_ms), Some(amplitude)) = (number(0), number(place)) else {
                return Err(wrong("two finite numbers, time_ms,amplitude"));
            };
            if time_ms < 0.0 {
                return Err(wrong("a time of 0 ms or later"));
            }
            match times_ms.last() {
                Some(&previous) if previous > time_ms => {
                    return Err(wrong(&format!(
                        "a time after the previous one, {previous} ms"
                    )));
                }
                Some(&previous) if previous == time_ms => {
                    if edge {
                        return Err(wrong(&format!(
                            "a time after the previous one, {previous} ms, which two lines already \
                             give (an edge has one value before and one after it)"
                        )));
                    }
                    edge = true;
                    amplitudes.pop();
                }
                _ => {
                    edge = false;
                    times_ms.push(time_ms);
                }
            }
            amplitudes.push(amplitude);
        }
        if times_ms.is_empty() {
            return Err(CoreError::WaveformCsv {
                line: table.records().last().map_or(0, |record| record.line),
                found: String::new(),
                expected: "at least one line of time_ms,amplitude".to_owned(),
            });
        }
        Self::from_table(times_ms, amplitudes)
    }
}

/// Whether the first record names the columns instead of giving numbers.
fn is_names(table: &DelimitedText, record: &Record<'_>) -> bool {
    let first = record.cell(0);
    first.starts_with(char::is_alphabetic) && table.number(first).is_none()
}

/// Whether names of columns begin with a time in ms.
fn names_ms(record: &Record<'_>) -> bool {
    let first = record.cell(0);
    let names: Vec<&str> = record.cells().collect();
    ["time_ms", "t_ms"]
        .iter()
        .any(|name| first.eq_ignore_ascii_case(name))
        || unit(&names.join(" ")) == Some("ms")
}

/// Refuses a comment above the numbers that gives the times another unit than ms.
fn check_heading(table: &DelimitedText) -> Result<(), CoreError> {
    match table.heading() {
        Some((line, text)) if unit(text).is_some_and(|unit| unit != "ms") => {
            Err(CoreError::WaveformCsv {
                line,
                found: text.to_owned(),
                expected: "times in ms, as in `t (ms)`".to_owned(),
            })
        }
        _ => Ok(()),
    }
}

/// The unit of time that names of columns give in brackets (`t (ms)`, `time [s]`), if they do so.
fn unit(names: &str) -> Option<&str> {
    const UNITS: [&str; 9] = ["ms", "s", "sec", "us", "µs", "μs", "ns", "min", "h"];
    let open = names.find(['(', '['])?;
    let inside = &names[open + 1..];
    let unit = inside[..inside.find([')', ']'])?].trim();
    UNITS.contains(&unit).then_some(unit)
}

/// A record as messages show it.
fn shown(record: &Record<'_>, separator: Separator) -> String {
    let between = match separator {
        Separator::Comma => ",",
        Separator::Semicolon => ";",
        Separator::Tab | Separator::Blanks => " ",
    };
    let cells: Vec<&str> = record.cells().collect();
    cut(&cells.join(between))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every column as a file of its own has it; one that is missing, and none chosen of several, are refused.
    #[test]
    fn a_column_of_several_is_one_alone() {
        let table = "time_ms,contact_0_mA,contact_1_mA\n0,0,0.25\n0.1,-1,0.5\n0.2,0,0\n";
        let alone = [
            Waveform::from_csv("0,0\n0.1,-1\n0.2,0\n").unwrap(),
            Waveform::from_csv("0,0.25\n0.1,0.5\n0.2,0\n").unwrap(),
        ];
        for (column, expected) in alone.iter().enumerate() {
            let read = Waveform::from_csv_column_bytes(table.as_bytes(), column).unwrap();
            assert_eq!(&read, expected);
        }
        let refused = Waveform::from_csv_column(table, 2).unwrap_err().to_string();
        assert!(refused.contains("up to column #2"), "{refused}");
        let refused = Waveform::from_csv(table).unwrap_err().to_string();
        assert!(refused.contains("#K after the file's name"), "{refused}");
        assert!(Waveform::from_csv_column(table, usize::MAX).is_err());
    }

    #[test]
    fn names_comments_blanks_and_line_ends_do_not_matter() {
        let expected = Waveform::from_table(vec![0.0, 0.1, 0.2], vec![0.0, -1.0, 0.0]).unwrap();
        let texts = [
            "0,0\n0.1,-1\n0.2,0",
            "time_ms,amplitude\n0,0\n0.1,-1\n0.2,0\n",
            "\u{feff}Time_ms, w\r\n0, 0\r\n0.1, -1\r\n0.2, 0\r\n",
            "# a pulse\n\n0,0\n 1e-1 , -1.0 \n# its end\n0.2,0\n\n",
            "time_ms;amplitude\n0;0\n0,1;-1\n0,2;0\n",
            "time_ms\tamplitude\n0\t0\n0.1\t-1\n0.2\t0\n",
            "% Model: x.mph\n% t (ms)   I\n0 0\n0.1 -1\n0.2 0\n",
            "\"t [ms]\",\"I (mA)\"\n0,0\n0.1,-1\n0.2,0\n",
            "t (ms)  I\n0 0\n0.1 -1\n0.2 0\n",
            // Edges: the value before and the value after.
            "0,0\n0.1,0\n0.1,-1\n0.2,-1\n0.2,0\n",
        ];
        for text in texts {
            assert_eq!(Waveform::from_csv(text).unwrap(), expected, "{text:?}");
        }
        let bytes: Vec<u8> = "\u{feff}0,0\r\n0.1,-1\r\n0.2,0"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        assert_eq!(Waveform::from_csv_bytes(&bytes).unwrap(), expected);
    }

    #[test]
    fn the_line_that_is_wrong_is_named() {
        let cases = [
            (
                "time_s,amplitude\n0,0\n",
                1,
                "time_s,amplitude",
                "times are in ms",
            ),
            ("t (s),I\n0,0\n", 1, "t (s),I", "times are in ms"),
            ("% x\n% t (us)  I\n0 0\n", 2, "t (us)  I", "times in ms"),
            ("0,0\n0.1\n", 2, "0.1", "two columns"),
            ("0,0\n0.1,1,2\n", 2, "0.1,1,2", "two columns"),
            (
                "time_ms,amplitude\n0,0\n0.1,x\n",
                3,
                "0.1,x",
                "two finite numbers",
            ),
            (
                "0,0\ntime_ms,amplitude\n",
                2,
                "time_ms,amplitude",
                "two finite numbers",
            ),
            ("0,nan\n", 1, "0,nan", "two finite numbers"),
            ("inf,1\n", 1, "inf,1", "two finite numbers"),
            ("-1,0\n", 1, "-1,0", "0 ms or later"),
            (
                "0,0\n\n0.2,1\n0.1,0\n",
                4,
                "0.1,0",
                "after the previous one, 0.2 ms",
            ),
            ("0,0\n0,1\n0,2\n", 3, "0,2", "which two lines already"),
            ("time_ms,amplitude\n", 1, "", "at least one line"),
            ("", 0, "", "at least one line"),
        ];
        for (text, line, found, expected) in cases {
            let message = Waveform::from_csv(text).unwrap_err().to_string();
            for part in [&format!("line {line} "), &format!("`{found}`"), expected] {
                assert!(
                    message.contains(part),
                    "{text:?}: {part} is missing in: {message}"
                );
            }
        }
    }
}
