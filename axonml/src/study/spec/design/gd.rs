//! `[gd]`: gradient descent.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use axonml_models::conditions::cell;
use axonml_optimize::Schedule;
use serde::{Deserialize, Serialize};

use super::names::{DescentRule, ScheduleSpec};
use super::span::Span;
use super::written::{as_text, unknown};
use crate::study::StudyError;
use crate::study::spec::check::{idle, optional};

/// Gradient descent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GdSpec {
    /// Steps; 60 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<usize>,
    /// Starts, which descend side by side; 6 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starts: Option<usize>,
    /// The rule of a step: `adam`, by default, `ranger` or `lbfgs`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<DescentRule>,
    /// Learning rate: length of a step relative to the stimulus; 0.15 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lr: Option<f64>,
    /// The share of it that the last step has; 0.1 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lr_end: Option<f64>,
    /// Its course: `cosine`, by default, `exponential` or `constant`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<ScheduleSpec>,
    /// Length to which longer gradients are shortened; none by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip: Option<f64>,
    /// Where it starts: `scan` (the best montages), by default, `random`, `zero`, `FILE.json` (results of an optimization)
    /// or `amplitudes:0.1,0,-0.1` (mA).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub init: Option<GdInit>,
    /// Softness of losses in the first step and in the last, as a difference of logarithms of thresholds; 0.2 and 0.02 by
    /// default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub softness: Option<Span>,
    /// Whether the mean of the gradient is subtracted, so that steps of the currents add up to 0.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub centralize: bool,
    /// Whether starts that cannot win end early; true by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub early_stop: Option<bool>,
}

impl GdSpec {
    pub(in crate::study::spec) fn is_empty(&self) -> bool {
        *self == GdSpec::default()
    }

    /// Steps.
    pub fn steps(&self) -> usize {
        self.steps.unwrap_or(60)
    }

    /// Starts.
    pub fn starts(&self) -> usize {
        self.starts.unwrap_or(6)
    }

    /// The rule of a step.
    pub fn rule(&self) -> DescentRule {
        self.rule.unwrap_or(DescentRule::Adam)
    }

    /// Learning rate: length of a step relative to the stimulus; by default 0.15, and 0.02 where all samples of a waveform
    /// move at once.
    pub fn lr(&self, samples: bool) -> f64 {
        self.lr.unwrap_or(if samples { 0.02 } else { 0.15 })
    }

    /// The share of it that the last step has.
    pub fn lr_end(&self) -> f64 {
        self.lr_end.unwrap_or(0.1)
    }

    /// Its course.
    pub fn schedule(&self) -> ScheduleSpec {
        self.schedule.unwrap_or(ScheduleSpec::Cosine)
    }

    /// Where it starts.
    pub fn init(&self) -> GdInit {
        self.init.clone().unwrap_or(GdInit::Scan)
    }

    /// Softness of losses in the first step and in the last.
    pub fn softness(&self) -> [f64; 2] {
        self.softness.map_or([0.2, 0.02], |span| span.0)
    }

    /// Whether starts that cannot win end early.
    pub fn early_stop(&self) -> bool {
        self.early_stop.unwrap_or(true)
    }
}

impl GdSpec {
    /// The same table with every default that acts written out.
    #[must_use]
    pub fn completed(&self, samples: bool) -> Self {
        let by_rate = self.rule() != DescentRule::Lbfgs;
        let many = matches!(self.init(), GdInit::Scan | GdInit::Random);
        let falls = by_rate && self.schedule() != ScheduleSpec::Constant;
        GdSpec {
            steps: Some(self.steps()),
            starts: many.then(|| self.starts()),
            rule: Some(self.rule()),
            lr: by_rate.then(|| self.lr(samples)),
            lr_end: falls.then(|| self.lr_end()),
            schedule: by_rate.then(|| self.schedule()),
            clip: self.clip,
            init: Some(self.init()),
            softness: Some(Span(self.softness())),
            centralize: self.centralize,
            early_stop: Some(self.early_stop()),
        }
    }
}

impl GdSpec {
    pub(super) fn check(&self) -> Result<(), StudyError> {
        for (key, count) in [("steps", self.steps), ("starts", self.starts)] {
            if count == Some(0) {
                let problem = format!("{key}: found 0, expected 1 or more");
                return Err(StudyError::request(problem)
                    .help("correct the number, or leave it out for the default"));
            }
        }
        optional("lr", self.lr, cell::positive(""))?;
        let least = match self.schedule() {
            ScheduleSpec::Exponential => 1e-9,
            ScheduleSpec::Constant | ScheduleSpec::Cosine => 0.0,
        };
        optional("lr_end", self.lr_end, cell::between("", least, 1.0))?;
        if self.lr_end.is_some() && self.schedule() == ScheduleSpec::Constant {
            return Err(idle("lr_end", "the schedule is constant")
                .help("leave it out, or set schedule = \"cosine\""));
        }
        optional("clip", self.clip, cell::positive(""))?;
        if let Some(Span([first, last])) = self.softness
            && !(last > 0.0 && first >= last)
        {
            return Err(StudyError::request(format!(
                "softness: found {}, expected numbers above 0, the last not above the first",
                Span([first, last])
            ))
            .help("give two such as [0.2, 0.02], or one for all steps"));
        }
        if self.rule() == DescentRule::Lbfgs {
            let given = [
                ("lr", self.lr.is_some()),
                ("lr_end", self.lr_end.is_some()),
                ("schedule", self.schedule.is_some()),
                ("clip", self.clip.is_some()),
                ("centralize", self.centralize),
            ];
            if let Some((key, _)) = given.iter().find(|(_, given)| *given) {
                let why = "lbfgs finds the length of its steps by itself";
                return Err(idle(key, why).help("leave it out, or set rule = \"adam\""));
            }
        }
        match (self.init(), self.starts) {
            (GdInit::Zero | GdInit::File(_) | GdInit::Amplitudes(_), Some(starts))
                if starts > 1 =>
            {
                Err(
                    idle("starts", &format!("init is {}, one start", self.init()))
                        .help("leave it out, or set init = \"scan\""),
                )
            }
            (GdInit::Amplitudes(ma), _) if ma.iter().all(|ma| *ma == 0.0) => {
                Err(StudyError::request(format!(
                    "init: found {}, expected a current that is not 0",
                    self.init()
                ))
                .help("give amplitudes in mA, or zero for a start without current"))
            }
            _ => Ok(()),
        }
    }
}

impl From<ScheduleSpec> for Schedule {
    fn from(schedule: ScheduleSpec) -> Self {
        match schedule {
            ScheduleSpec::Constant => Schedule::Constant,
            ScheduleSpec::Cosine => Schedule::Cosine,
            ScheduleSpec::Exponential => Schedule::Exponential,
        }
    }
}

/// Where a descent starts.
#[derive(Clone, Debug, PartialEq)]
pub enum GdInit {
    /// At the best montages.
    Scan,
    /// At random directions.
    Random,
    /// At no current at all, as AxonML does.
    Zero,
    /// At the amplitudes or waveforms of results of an optimization.
    File(PathBuf),
    /// At these amplitudes, mA, one for each contact.
    Amplitudes(Vec<f64>),
}

impl fmt::Display for GdInit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GdInit::Scan => f.write_str("scan"),
            GdInit::Random => f.write_str("random"),
            GdInit::Zero => f.write_str("zero"),
            GdInit::File(path) => path.display().fmt(f),
            GdInit::Amplitudes(ma) => {
                let ma: Vec<String> = ma.iter().map(f64::to_string).collect();
                write!(f, "amplitudes:{}", ma.join(","))
            }
        }
    }
}

impl FromStr for GdInit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim() {
            "scan" => Ok(GdInit::Scan),
            "random" => Ok(GdInit::Random),
            "zero" => Ok(GdInit::Zero),
            file if file.ends_with(".json") => Ok(GdInit::File(file.into())),
            other => match other.strip_prefix("amplitudes:") {
                Some(list) => {
                    let number =
                        |text: &str| text.trim().parse().ok().filter(|x: &f64| x.is_finite());
                    let ma: Option<Vec<f64>> = list.split(',').map(number).collect();
                    ma.map(GdInit::Amplitudes).ok_or_else(|| {
                        format!(
                            "found `{other}`, expected finite numbers in mA, one for each contact, such as amplitudes:0.1,0,-0.1"
                        )
                    })
                }
                None => {
                    let valid = [
                        "scan",
                        "random",
                        "zero",
                        "FILE.json",
                        "amplitudes:MA,MA,...",
                    ];
                    Err(unknown(other, valid.into_iter()))
                }
            },
        }
    }
}

as_text!(GdInit);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_are_read_as_they_are_written() {
        for text in [
            "scan",
            "random",
            "zero",
            "a/best.json",
            "amplitudes:0.1,0,-0.25",
        ] {
            assert_eq!(text.parse::<GdInit>().unwrap().to_string(), text);
        }
        for (wrong, part) in [
            ("rnadom", "did you mean `random`"),
            ("best.csv", "FILE.json"),
            ("amplitudes:", "one for each contact"),
            ("amplitudes:1,inf", "one for each contact"),
        ] {
            let why = wrong.parse::<GdInit>().unwrap_err();
            assert!(why.contains(part), "{why}");
        }
    }
}
