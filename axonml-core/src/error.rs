//! Errors in the input, each with its remedy.

use crate::names::nearest;

/// Errors of waveforms, fields and nerves.
/// Every message names the place, the value found, the value expected, and the fix.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CoreError {
    /// A name that does not exist.
    #[error(
        "unknown {what} `{found}`{}; valid: {}",
        did_you_mean(nearest.as_deref()), valid.join(", ")
    )]
    UnknownName {
        /// The kind of thing that was named: `pulse`, `key of pulse monophasic`.
        what: String,
        /// The name as it was given.
        found: String,
        /// The valid name it was most likely meant to be.
        nearest: Option<String>,
        /// All valid names.
        valid: Vec<String>,
    },

    /// A value outside its valid range.
    #[error("{what} is `{found}`: expected {expected}")]
    BadValue {
        /// The quantity: `pw of pulse monophasic`, `dt`.
        what: String,
        /// The value as it was given.
        found: String,
        /// The accepted values.
        expected: String,
    },

    /// Text that does not follow the syntax of waveforms.
    #[error(
        "cannot read the waveform `{text}`: {problem}; write `name:key=value,key=value`, \
         e.g. `monophasic:pw=0.1,delay=0.1`"
    )]
    WaveformSyntax {
        /// The text as it was given.
        text: String,
        /// The problem.
        problem: String,
    },

    /// A waveform file was named where only text is read.
    #[error(
        "the waveform `file:{path}` names a file, which must be read by the caller: pass its \
         text to `Waveform::from_csv`"
    )]
    WaveformFile {
        /// The path as it was given.
        path: String,
    },

    /// A line of a waveform file that cannot be used.
    #[error("line {line} of the waveform file is `{found}`: expected {expected}")]
    WaveformCsv {
        /// Line number, counted from 1.
        line: usize,
        /// The line as it was found.
        found: String,
        /// The accepted values.
        expected: String,
    },

    /// Text that is not a table.
    #[error(transparent)]
    Text(#[from] crate::delimited::DelimitedError),

    /// A duration that vanishes when sampled.
    #[error(
        "{what} is {} ms, less than half a time step of {} ms, and vanishes when sampled: \
         lengthen it or reduce dt",
        short(*found_ms), short(*dt_ms)
    )]
    TooShort {
        /// The quantity: `pw of pulse monophasic`.
        what: String,
        /// The duration in ms.
        found_ms: f64,
        /// The time step in ms.
        dt_ms: f64,
    },

    /// A sine that the time step cannot resolve.
    #[error(
        "a sine of {} kHz needs more than two samples per period, but a time step of \
         {} ms gives {}: reduce dt to {} ms or less",
        short(*freq_khz), short(*dt_ms), short(1.0 / (freq_khz * dt_ms)), short(0.05 / freq_khz)
    )]
    Undersampled {
        /// Frequency in kHz.
        freq_khz: f64,
        /// The time step in ms.
        dt_ms: f64,
    },

    /// A pulse that is not over when the run is.
    #[error(
        "tstop is shorter than the pulse: the run ends at {} ms, but `{waveform}` is \
         active until {} ms; raise tstop or shorten the pulse or its delay",
        short(*tstop_ms), short(*end_ms)
    )]
    BeyondRun {
        /// The part of the waveform that is too long, as text.
        waveform: String,
        /// When it ends (or, if it never does, when it last changes), in ms.
        end_ms: f64,
        /// When the run ends, in ms.
        tstop_ms: f64,
    },

    /// Samples made for another time step.
    #[error(
        "the waveform was sampled with dt = {} ms, but the run has dt = \
         {} ms: run with the former or resample",
        short(*expected_ms), short(*found_ms)
    )]
    SampleStep {
        /// The time step of the samples in ms.
        expected_ms: f64,
        /// The time step of the run in ms.
        found_ms: f64,
    },

    /// Arrays whose shapes disagree.
    #[error("{what}: expected {expected}, found {found}")]
    Shape {
        /// The array or count.
        what: String,
        /// Its shape or count as it should be, and why.
        expected: String,
        /// Its shape or count as it is.
        found: String,
    },

    /// A NaN or an infinity among numbers.
    #[error("{what} has {found} at index {index}: expected finite numbers only")]
    NonFinite {
        /// The array.
        what: String,
        /// Index of the first one that is not finite.
        index: usize,
        /// Its value.
        found: f64,
    },

    /// Positions that do not ascend.
    #[error(
        "{what} must ascend strictly, but index {index} has {} after {}: sort \
         them and drop duplicates",
        short(*found), short(*previous)
    )]
    NotAscending {
        /// The array of positions.
        what: String,
        /// Index of the first one that is not greater than the one before it.
        index: usize,
        /// The value before it.
        previous: f64,
        /// Its value.
        found: f64,
    },

    /// A position outside the sampled range.
    #[error(
        "{} lies outside the sampled range {} to {}: samples are never \
         extrapolated; extend them or stay inside",
        short(*x), short(*first), short(*last)
    )]
    OutsideRange {
        /// The position.
        x: f64,
        /// The first sample's position.
        first: f64,
        /// The last sample's position.
        last: f64,
    },

    /// A point source that lies exactly on a sample point of the fiber.
    #[error(
        "the point source lies on the fiber's axis at its sample point z = {} um, where \
         its potential is infinite: move the electrode off the axis",
        short(*z_um)
    )]
    OnFiber {
        /// The position along the fiber, in um.
        z_um: f64,
    },

    /// A fiber longer than the line its field was sampled along.
    #[error(
        "the fiber reaches from {} um, but the sampled field covers only {} um about the \
         fiber's middle: take fewer nodes or another offset, or extend the field like a \
         point source (`--extend point-source`)",
        extent(*fiber_um), extent(*line_um)
    )]
    FiberBeyondLine {
        /// First and last point of the fiber, um from its middle.
        fiber_um: (f64, f64),
        /// First and last sample of the line, um from the fiber's middle.
        line_um: (f64, f64),
    },

    /// A sampled field that cannot be continued like that of a point source, as it does not decay
    /// towards its end.
    #[error(
        "the sampled field cannot be extended like a point source at its {end} end: \
         {} mV with an outward slope of {} mV/um does not decay; \
         sample a longer line or take fewer nodes",
        short(*potential_mv), short(*slope_mv_per_um)
    )]
    NoDecay {
        /// `first` or `last`.
        end: &'static str,
        /// Potential at that end in mV per mA.
        potential_mv: f64,
        /// Its slope outwards in mV per mA per um.
        slope_mv_per_um: f64,
    },

    /// A line of a nerve with fewer than two known values.
    #[error(
        "contact {contact}, fiber {fiber}: all {samples} samples of the line are NaN, or all but one; \
         export the field again or remove this fiber"
    )]
    EmptyLine {
        /// Contact, counted from 0.
        contact: usize,
        /// Fiber, counted from 0.
        fiber: usize,
        /// Number of samples of the line.
        samples: usize,
    },

    /// A fiber that reaches to where a line's values are unknown.
    #[error(
        "the fiber reaches from {} um, but its line is known only from {} um about the fiber's \
         middle (NaN beyond; two samples are kept as a margin): take fewer nodes or another \
         offset, or export the field again",
        extent(*fiber_um), extent(*known_um)
    )]
    FiberBeyondKnown {
        /// First and last point of the fiber, um from its middle.
        fiber_um: (f64, f64),
        /// Where the line can be used, um from the fiber's middle.
        known_um: (f64, f64),
    },

    /// A fiber for which a line would have to be extended too far.
    #[error(
        "the fiber reaches {} um beyond a line of {} um, which may be extended by {} um ({} % of it): \
         sample a longer line or take fewer nodes",
        short(*beyond_um), short(*line_um), short(*limit_um), short(100.0 * limit_um / line_um)
    )]
    ExtendedTooFar {
        /// How far the fiber reaches beyond the line, both ends together, um.
        beyond_um: f64,
        /// Length of the line, um.
        line_um: f64,
        /// How far it may, um.
        limit_um: f64,
    },
}

impl CoreError {
    /// A name that is none of `valid`.
    pub(crate) fn unknown_name<'a>(
        what: impl Into<String>,
        found: &str,
        valid: impl IntoIterator<Item = &'a str> + Clone,
    ) -> Self {
        Self::UnknownName {
            what: what.into(),
            found: cut(found),
            nearest: nearest(found, valid.clone()).map(str::to_owned),
            valid: valid.into_iter().map(str::to_owned).collect(),
        }
    }

    /// A value outside its valid range.
    pub(crate) fn bad_value(
        what: impl Into<String>,
        found: impl ToString,
        expected: impl Into<String>,
    ) -> Self {
        Self::BadValue {
            what: what.into(),
            found: cut(&found.to_string()),
            expected: expected.into(),
        }
    }

    /// Arrays whose shapes disagree.
    pub(crate) fn shape(
        what: impl Into<String>,
        expected: impl ToString,
        found: impl ToString,
    ) -> Self {
        Self::Shape {
            what: what.into(),
            expected: expected.to_string(),
            found: found.to_string(),
        }
    }

    /// `value`, if it is a finite number above 0.
    pub(crate) fn check_positive(what: &str, unit: &str, value: f64) -> Result<f64, Self> {
        if value.is_finite() && value > 0.0 {
            return Ok(value);
        }
        Err(Self::bad_value(
            what,
            short(value),
            format!("a finite number in {unit} greater than 0"),
        ))
    }

    /// `value`, if it is a finite number that is not negative.
    pub(crate) fn check_not_negative(what: &str, unit: &str, value: f64) -> Result<f64, Self> {
        if value.is_finite() && value >= 0.0 {
            return Ok(value);
        }
        Err(Self::bad_value(
            what,
            short(value),
            format!("a finite number in {unit}, 0 or more"),
        ))
    }

    /// `value`, if it is finite.
    pub(crate) fn check_finite(what: &str, unit: &str, value: f64) -> Result<f64, Self> {
        if value.is_finite() {
            return Ok(value);
        }
        Err(Self::bad_value(
            what,
            short(value),
            format!("a finite number in {unit}"),
        ))
    }

    /// Ok if all values are finite.
    pub(crate) fn check_all_finite(what: &str, values: &[f64]) -> Result<(), Self> {
        // All of them first, without a branch for each: what is not finite is rare, and many are checked.
        if values
            .iter()
            .fold(true, |all, value| all & value.is_finite())
        {
            return Ok(());
        }
        match values.iter().position(|value| !value.is_finite()) {
            Some(index) => Err(Self::NonFinite {
                what: what.to_owned(),
                index,
                found: values[index],
            }),
            None => Ok(()),
        }
    }

    /// Ok if each value is greater than the one before it; NaN is not.
    pub(crate) fn check_ascending(what: &str, values: &[f64]) -> Result<(), Self> {
        let ascends = |pair: &[f64]| pair[0] < pair[1];
        match values.windows(2).position(|pair| !ascends(pair)) {
            Some(at) => Err(Self::NotAscending {
                what: what.to_owned(),
                index: at + 1,
                previous: values[at],
                found: values[at + 1],
            }),
            None => Ok(()),
        }
    }
}

fn extent((first, last): (f64, f64)) -> String {
    format!("{} to {}", short(first), short(last))
}

/// Formats a number with at most six significant digits, for messages.
///
/// # Example
/// ```
/// use axonml_core::error::short;
/// assert_eq!(short(-29183.218999999997), "-29183.2");
/// assert_eq!((short(0.1), short(1e300), short(f64::NAN)), ("0.1".into(), "1e300".into(), "NaN".into()));
/// ```
#[must_use]
pub fn short(number: f64) -> String {
    if number == 0.0 || !number.is_finite() {
        return number.to_string();
    }
    exact(format!("{number:.5e}").parse().unwrap_or(number))
}

/// A number so that it reads back the same, with an exponent where it would have many zeros.
#[must_use]
pub fn exact(number: f64) -> String {
    match number.abs() {
        size if size != 0.0 && size.is_finite() && !(1e-5..1e7).contains(&size) => {
            format!("{number:e}")
        }
        _ => number.to_string(),
    }
}

/// The beginning of a text, long enough to recognize it.
#[must_use]
pub fn cut(text: &str) -> String {
    const LONGEST: usize = 80;
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}...", &text[..at]),
        None => text.to_owned(),
    }
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest
        .map(|name| format!(" (did you mean `{name}`?)"))
        .unwrap_or_default()
}
