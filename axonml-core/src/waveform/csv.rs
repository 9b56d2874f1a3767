//! Waveforms as the text of a file: `time_ms,amplitude`.

use super::Waveform;
use crate::error::CoreError;

impl Waveform {
    /// Reads lines of `time_ms,amplitude`, from which each amplitude holds until the next time (the
    /// last one for ever).
    ///
    /// A first line of names is optional, but must then begin with `time_ms`; blank lines and lines
    /// that begin with `#` are skipped. A pulse therefore ends with a line whose amplitude is 0.
    ///
    /// # Errors
    /// [`CoreError::WaveformCsv`] naming the line: not two columns, not finite numbers, times that
    /// do not ascend or are negative, no line at all.
    ///
    /// # Example
    /// ```
    /// use axonml_core::{TimeGrid, Waveform};
    /// let pulse = Waveform::from_csv("time_ms,amplitude\n0.1,-1\n0.3,0\n")?;
    /// assert_eq!(pulse.sample(&TimeGrid::new(0.1, 0.5)?)?, [0.0, -1.0, -1.0, 0.0, 0.0]);
    /// # Ok::<(), axonml_core::CoreError>(())
    /// ```
    pub fn from_csv(text: &str) -> Result<Self, CoreError> {
        let (mut times_ms, mut amplitudes) = (Vec::new(), Vec::new());
        let mut may_be_header = true;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (index, line) in text.lines().enumerate() {
            let wrong = |expected: &str| CoreError::WaveformCsv {
                line: index + 1,
                found: line.to_owned(),
                expected: expected.to_owned(),
            };
            let trimmed = line.trim();
            if trimmed.is_empty() || trimmed.starts_with('#') {
                continue;
            }
            let fields: Vec<&str> = trimmed.split(',').map(str::trim).collect();
            let [time, amplitude] = fields[..] else {
                return Err(wrong("two columns, time_ms,amplitude"));
            };
            let is_header =
                std::mem::take(&mut may_be_header) && time.starts_with(char::is_alphabetic);
            if is_header && time.parse::<f64>().is_err() {
                if time.eq_ignore_ascii_case("time_ms") {
                    continue;
                }
                return Err(wrong("the names time_ms,amplitude (times are in ms)"));
            }
            let number = |text: &str| text.parse().ok().filter(|number: &f64| number.is_finite());
            let (Some(time_ms), Some(amplitude)) = (number(time), number(amplitude)) else {
                return Err(wrong("two finite numbers, time_ms,amplitude"));
            };
            if time_ms < 0.0 {
                return Err(wrong("a time of 0 ms or later"));
            }
            if let Some(previous) = times_ms.last().filter(|&&previous| previous >= time_ms) {
                return Err(wrong(&format!(
                    "a time after the previous one, {previous} ms"
                )));
            }
            times_ms.push(time_ms);
            amplitudes.push(amplitude);
        }
        if times_ms.is_empty() {
            let expected = "at least one line of time_ms,amplitude".to_owned();
            return Err(CoreError::WaveformCsv {
                line: text.lines().count(),
                found: String::new(),
                expected,
            });
        }
        Self::from_table(times_ms, amplitudes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_comments_blanks_and_line_ends_do_not_matter() {
        let expected = Waveform::from_table(vec![0.0, 0.1, 0.2], vec![0.0, -1.0, 0.0]).unwrap();
        let texts = [
            "0,0\n0.1,-1\n0.2,0",
            "time_ms,amplitude\n0,0\n0.1,-1\n0.2,0\n",
            "\u{feff}Time_ms, w\r\n0, 0\r\n0.1, -1\r\n0.2, 0\r\n",
            "# a pulse\n\n0,0\n 1e-1 , -1.0 \n# its end\n0.2,0\n\n",
        ];
        for text in texts {
            assert_eq!(Waveform::from_csv(text).unwrap(), expected, "{text:?}");
        }
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
            ("0,0\n0,1\n", 2, "0,1", "after the previous one, 0 ms"),
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
