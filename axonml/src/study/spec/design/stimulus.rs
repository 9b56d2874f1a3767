//! `[stimulus]`: what contacts may deliver.

use std::fmt;
use std::str::FromStr;

use axonml_core::error::short;
use axonml_core::{CoreError, PULSES, PulseKind, Waveform, names};
use axonml_models::conditions::cell;
use serde::{Deserialize, Serialize};

use super::names::{Method, Varied};
use super::span::Span;
use super::written::as_text;
use crate::study::StudyError;
use crate::study::spec::OneOrMany;
use crate::study::spec::check::{empty, idle, number};

/// Currents that contacts may deliver, and the numbers of them that vary.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StimulusSpec {
    /// Waveform of unit amplitude, the same at all contacts; `biphasic:pw=0.2,delay=0.2` by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waveform: Option<String>,
    /// The unknowns; `amplitude` by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vary: Option<OneOrMany<Varied>>,
    /// Where samples vary, ms; currents are 0 outside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window_ms: Option<Span>,
    /// Duration of a sample, ms; the time step by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample_ms: Option<f64>,
    /// Functions of time that samples are made of: `samples`, by default, `spline:N` or `fourier:N`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expand: Option<ExpansionSpec>,
    /// Range of the width of the first phase, ms; 0.05 to 1 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pw_range_ms: Option<Span>,
    /// Range of the pause between the phases, ms; 0 to 0.2 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gap_range_ms: Option<Span>,
    /// Range of the width of the second phase relative to the first; 1 to 5 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asymmetry_range: Option<Span>,
}

impl StimulusSpec {
    /// The waveform unless a study says otherwise.
    pub const WAVEFORM: &str = "biphasic:pw=0.2,delay=0.2";

    pub(in crate::study::spec) fn is_empty(&self) -> bool {
        *self == StimulusSpec::default()
    }

    /// The waveform of unit amplitude, as text.
    pub fn waveform(&self) -> &str {
        self.waveform.as_deref().unwrap_or(Self::WAVEFORM)
    }

    /// The unknowns.
    pub fn vary(&self) -> &[Varied] {
        self.vary
            .as_ref()
            .map_or(&[Varied::Amplitude], |vary| &vary.0)
    }

    /// Whether a number of the stimulus is an unknown.
    pub fn varies(&self, unknown: Varied) -> bool {
        self.vary().contains(&unknown)
    }

    /// Where samples vary, ms, if they do.
    pub fn window_ms(&self) -> Option<[f64; 2]> {
        self.window_ms.map(|window| window.0)
    }

    /// Duration of a sample, ms, in a study of this time step.
    pub fn sample_ms(&self, dt_ms: f64) -> f64 {
        self.sample_ms.unwrap_or(dt_ms)
    }

    /// Functions of time that samples are made of.
    pub fn expand(&self) -> ExpansionSpec {
        self.expand.unwrap_or_default()
    }

    /// Range of the width of the first phase, ms.
    pub fn pw_range_ms(&self) -> [f64; 2] {
        self.pw_range_ms.map_or([0.05, 1.0], |range| range.0)
    }

    /// Range of the pause between the phases, ms.
    pub fn gap_range_ms(&self) -> [f64; 2] {
        self.gap_range_ms.map_or([0.0, 0.2], |range| range.0)
    }

    /// Range of the width of the second phase relative to the first.
    pub fn asymmetry_range(&self) -> [f64; 2] {
        self.asymmetry_range.map_or([1.0, 5.0], |range| range.0)
    }
}

impl StimulusSpec {
    /// The same table with every default that acts written out, in a study of this time step.
    #[must_use]
    pub fn completed(&self, dt_ms: f64) -> Self {
        let range = |unknown, range: [f64; 2]| self.varies(unknown).then_some(Span(range));
        let samples = self.varies(Varied::Samples);
        StimulusSpec {
            waveform: Some(self.waveform().to_owned()),
            vary: Some(self.vary().to_vec().into()),
            window_ms: self.window_ms,
            sample_ms: samples.then(|| self.sample_ms(dt_ms)),
            expand: samples.then(|| self.expand()),
            pw_range_ms: range(Varied::Pw, self.pw_range_ms()),
            gap_range_ms: range(Varied::Gap, self.gap_range_ms()),
            asymmetry_range: range(Varied::Asymmetry, self.asymmetry_range()),
        }
    }
}

impl StimulusSpec {
    pub(super) fn check(
        &self,
        method: Method,
        dt_ms: f64,
        tstop_ms: f64,
    ) -> Result<(), StudyError> {
        let kind = self.check_waveform(tstop_ms)?;
        let vary = self.vary();
        if vary.is_empty() {
            return Err(empty("vary", "unknowns"));
        }
        if let Some(twice) = vary
            .iter()
            .enumerate()
            .find(|(at, of)| vary[..*at].contains(of))
        {
            let problem = format!("vary: found {} twice, expected it once", twice.1);
            return Err(StudyError::request(problem).help("name each unknown once"));
        }
        let samples = self.varies(Varied::Samples);
        if samples && vary.len() > 1 {
            return Err(StudyError::request(
                "vary: found samples beside other unknowns, expected samples alone",
            )
            .help("leave the others out: samples can be of any width and amplitude"));
        }
        if !samples && !self.varies(Varied::Amplitude) {
            return Err(StudyError::request(format!(
                "vary: found {} without amplitude, expected it, too",
                vary[0]
            ))
            .help("add amplitude"));
        }
        if method == Method::Scan && vary != [Varied::Amplitude] {
            return Err(idle("vary", "a scan has amplitudes of montages only"));
        }
        self.check_shapes(kind)?;
        match samples {
            true => self.check_samples(dt_ms, tstop_ms),
            false => {
                let given = [
                    ("window_ms", self.window_ms.is_some()),
                    ("sample_ms", self.sample_ms.is_some()),
                    ("expand", self.expand.is_some()),
                ];
                match given.iter().find(|(_, given)| *given) {
                    Some((key, _)) => Err(idle(key, "no samples vary")
                        .help("set vary = \"samples\" (--vary samples), or leave it out")),
                    None => Ok(()),
                }
            }
        }
    }

    /// Refuses text that is no waveform, and a waveform that does not begin within the run; its kind, if it is one of the
    /// pulses.
    fn check_waveform(&self, tstop_ms: f64) -> Result<Option<&'static PulseKind>, StudyError> {
        let text = self.waveform();
        if text.trim().starts_with("file:") {
            return Ok(None);
        }
        let waveform: Waveform = text.parse().map_err(|error: CoreError| {
            StudyError::request(error)
                .help("`axonml help pulses` lists the pulses with their keys, units and defaults")
                .at("waveform")
        })?;
        if let Some(end_ms) = waveform.end_ms().filter(|end_ms| *end_ms > tstop_ms) {
            return Err(StudyError::request(format!(
                "waveform: `{text}` ends at {} ms, expected an end within the run, {} ms at most",
                short(end_ms),
                short(tstop_ms)
            ))
            .help("shorten it, or raise tstop_ms (--tstop)"));
        }
        let name = names::canonical(text.split(':').next().unwrap_or_default());
        Ok(PULSES.iter().find(|kind| {
            let mut all = kind.aliases.iter().chain([&kind.name]);
            all.any(|known| names::canonical(known) == name)
        }))
    }

    /// Refuses unknown widths that the waveform does not have, and ranges of what does not vary.
    fn check_shapes(&self, kind: Option<&PulseKind>) -> Result<(), StudyError> {
        let shapes = [
            (Varied::Pw, "pw_range_ms", self.pw_range_ms, &["pw"][..]),
            (Varied::Gap, "gap_range_ms", self.gap_range_ms, &["gap"]),
            // The second phase of a symmetric pulse, which its width and gap tell.
            (
                Varied::Asymmetry,
                "asymmetry_range",
                self.asymmetry_range,
                &["pw", "gap"],
            ),
        ];
        for (unknown, key, range, needed) in shapes {
            let varies = self.varies(unknown);
            let has =
                |key: &&str| kind.is_some_and(|kind| kind.keys.iter().any(|k| k.name == *key));
            if varies && !needed.iter().all(has) {
                return Err(StudyError::request(format!(
                    "vary: found {unknown} with the waveform `{}`, expected a waveform with the keys {}",
                    self.waveform(),
                    needed.join(" and ")
                ))
                .help("give a waveform such as biphasic:pw=0.2,delay=0.2"));
            }
            let Some(range) = range else { continue };
            if !varies {
                let why = format!("{unknown} does not vary");
                let help =
                    format!("add {unknown} to vary (--vary amplitude,{unknown}), or leave it out");
                return Err(idle(key, &why).help(help));
            }
            let least_is_fine = match unknown {
                Varied::Gap => range.from() >= 0.0,
                _ => range.from() > 0.0,
            };
            if !(least_is_fine && range.from() < range.to()) {
                return Err(StudyError::request(format!(
                    "{key}: found {range}, expected a range of widths above 0, the lower end first"
                ))
                .help("give both ends, such as 0.05:1"));
            }
        }
        Ok(())
    }

    /// Refuses windows that are none, and steps that do not fit.
    fn check_samples(&self, dt_ms: f64, tstop_ms: f64) -> Result<(), StudyError> {
        let Some(Span([from, to])) = self.window_ms else {
            return Err(StudyError::request(
                "window_ms: found none, expected the time in which samples vary",
            )
            .help("give window_ms = [0.2, 1.2] (--window 0.2:1.2)"));
        };
        let found = Span([from, to]);
        if !(0.0 <= from && from < to) {
            return Err(StudyError::request(format!(
                "window_ms: found {found}, expected a window that is not empty, from 0 ms on, its beginning first"
            ))
            .help("give window_ms = [0.2, 1.2] (--window 0.2:1.2)"));
        }
        if to > tstop_ms {
            return Err(StudyError::request(format!(
                "window_ms: found {found}, expected a window within the run, 0 to {} ms",
                short(tstop_ms)
            ))
            .help("move its end, or raise tstop_ms (--tstop)"));
        }
        let sample_ms = self.sample_ms(dt_ms);
        number("sample_ms", sample_ms, cell::positive("ms"))?;
        if !is_multiple(sample_ms, dt_ms) {
            return Err(StudyError::request(format!(
                "sample_ms: found {}, expected a multiple of the time step, {} ms",
                short(sample_ms),
                short(dt_ms)
            ))
            .help("correct it (--sample-ms), or change dt_ms (--dt)"));
        }
        for (what, ms, step_ms, of) in [
            ("length", to - from, sample_ms, "sample"),
            ("beginning", from, dt_ms, "time step"),
        ] {
            if !is_multiple(ms, step_ms) {
                return Err(StudyError::request(format!(
                    "window_ms: found {found}, expected a {what} that is a multiple of the {of}, {} ms",
                    short(step_ms)
                ))
                .help("move its ends, or change sample_ms (--sample-ms)"));
            }
        }
        let samples = ((to - from) / sample_ms).round() as usize;
        let (count, least, most) = match self.expand() {
            ExpansionSpec::Samples => return Ok(()),
            ExpansionSpec::Spline(count) => (count, 4, samples),
            ExpansionSpec::Fourier(count) => (count, 1, samples / 2),
        };
        match (least..=most).contains(&count) {
            true => Ok(()),
            false => Err(StudyError::request(format!(
                "expand: found {}, expected {least} to {most} functions for {samples} samples",
                self.expand()
            ))
            .help("change their number, or give samples")),
        }
    }
}

/// Whether a time is a multiple of a step, as far as decimal fractions can be told.
fn is_multiple(ms: f64, step_ms: f64) -> bool {
    let steps = ms / step_ms;
    (steps - steps.round()).abs() <= 1e-6 * steps.abs().max(1.0)
        && (ms == 0.0 || steps.round() >= 1.0)
}

/// Functions of time that samples are made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExpansionSpec {
    /// Each sample by itself.
    #[default]
    Samples,
    /// So many splines.
    Spline(usize),
    /// Sines and cosines of so many frequencies.
    Fourier(usize),
}

impl fmt::Display for ExpansionSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ExpansionSpec::Samples => f.write_str("samples"),
            ExpansionSpec::Spline(count) => write!(f, "spline:{count}"),
            ExpansionSpec::Fourier(count) => write!(f, "fourier:{count}"),
        }
    }
}

impl FromStr for ExpansionSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, count) = text.split_once(':').unwrap_or((text, ""));
        let count = count.trim().parse().ok();
        match (name.trim(), count) {
            ("samples", None) if !text.contains(':') => Ok(ExpansionSpec::Samples),
            ("spline", Some(count)) => Ok(ExpansionSpec::Spline(count)),
            ("fourier", Some(count)) => Ok(ExpansionSpec::Fourier(count)),
            _ => Err(format!(
                "found `{text}`, expected samples, or a number of functions such as spline:12 or fourier:8"
            )),
        }
    }
}

as_text!(ExpansionSpec);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expansions_are_read_as_they_are_written() {
        for text in ["samples", "spline:12", "fourier:8"] {
            assert_eq!(text.parse::<ExpansionSpec>().unwrap().to_string(), text);
        }
        for wrong in ["samples:3", "spline", "fourier:x", "splines:3"] {
            let why = wrong.parse::<ExpansionSpec>().unwrap_err();
            assert!(why.contains("spline:12"), "{why}");
        }
    }
}
