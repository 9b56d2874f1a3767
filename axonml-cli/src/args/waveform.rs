//! When the current flows: the pulse, and currents injected into nodes.

use std::path::Path;
use std::str::FromStr;

use axonml::table::conditions::{self, PulseText};
use axonml::table::names;
use clap::{Args, ValueEnum};

use super::number::Positives;
use crate::input::Input;

/// Flags of the waveform.
#[derive(Debug, Args)]
#[command(next_help_heading = "Stimulus")]
pub(crate) struct WaveformArgs {
    /// Waveform in ms, kHz [default: monophasic:pw=0.1,delay=0.1]; N:PULSE is that of contact or point N (repeatable)
    #[arg(long, value_name = "[N:]PULSE")]
    pub(crate) pulse: Vec<PulseArg>,
    /// In place of the pulse's pw, ms: a list makes a grid
    #[arg(long, value_name = "MS", allow_hyphen_values = true)]
    pub(crate) pulse_width: Option<Positives>,
    /// In place of the pulse's freq, kHz: a list makes a grid
    #[arg(long, value_name = "KHZ", allow_hyphen_values = true)]
    pub(crate) frequency: Option<Positives>,
    /// cathodic, or anodic: sign flipped [default: cathodic]
    #[arg(long, value_name = "SIGN", value_enum, hide_possible_values = true)]
    pub(crate) polarity: Option<Polarity>,
}

/// The sign of the waveform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Polarity {
    /// As written
    Cathodic,
    /// Flipped
    Anodic,
}

impl From<Polarity> for conditions::Polarity {
    fn from(polarity: Polarity) -> Self {
        match polarity {
            Polarity::Cathodic => conditions::Polarity::Cathodic,
            Polarity::Anodic => conditions::Polarity::Anodic,
        }
    }
}

impl WaveformArgs {
    /// Whether anything was asked for.
    pub(crate) fn is_given(&self) -> bool {
        !self.pulse.is_empty()
            || self.polarity.is_some()
            || self.pulse_width.is_some()
            || self.frequency.is_some()
    }

    /// The files of pulses that come from one.
    pub(crate) fn inputs(&self) -> Vec<Input> {
        let texts = self.pulse.iter().map(|pulse| pulse.text.trim());
        let files = texts.filter_map(PulseText::file);
        files
            .map(|path| Input::of("--pulse", Path::new(path)))
            .collect()
    }
}

/// A pulse, of the whole field or of one contact or point.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PulseArg {
    /// The contact or point.
    pub(crate) number: Option<usize>,
    /// The pulse.
    pub(crate) text: String,
}

impl FromStr for PulseArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbered = text
            .split_once(':')
            .and_then(|(number, pulse)| Some((number.trim().parse().ok()?, pulse.to_owned())));
        Ok(match numbered {
            Some((number, text)) => PulseArg {
                number: Some(number),
                text,
            },
            None => PulseArg {
                number: None,
                text: text.to_owned(),
            },
        })
    }
}

/// Flags of injected currents.
#[derive(Debug, Args)]
#[command(next_help_heading = "Stimulus")]
pub(crate) struct InjectionArgs {
    /// Into a node: node=0,amp=2,pw=0.1,delay=1 (nA, ms; repeatable)
    #[arg(long, value_name = "KEY=VALUE,...", allow_hyphen_values = true)]
    pub(crate) inject: Vec<Injection>,
    /// Spike before the stimulus: node=0,amp=2,pw=0.1,at=1 (repeatable)
    #[arg(long, value_name = "KEY=VALUE,...", allow_hyphen_values = true)]
    pub(crate) conditioning: Vec<Conditioning>,
}

/// A current pulse into a node.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Injection {
    /// 0-based node; negative from the end.
    pub(crate) node: i64,
    /// Current, nA, if it is given; positive depolarizes.
    pub(crate) amp_na: Option<f64>,
    /// Pulse width, ms.
    pub(crate) pw_ms: f64,
    /// Onset, ms.
    pub(crate) delay_ms: f64,
}

impl Default for Injection {
    fn default() -> Self {
        Injection {
            node: 0,
            amp_na: None,
            pw_ms: 0.1,
            delay_ms: 1.0,
        }
    }
}

/// Keys of a current pulse: the last one is its onset.
fn read_current(text: &str, onset: &'static str) -> Result<Injection, String> {
    let keys = ["node", "amp", "pw", onset];
    let mut injection = Injection::default();
    for setting in text.split(',') {
        let (key, value) = setting
            .split_once('=')
            .ok_or_else(|| format!("expected key=value,..., e.g. node=0,amp=2,pw=0.1,{onset}=1"))?;
        let (key, value) = (key.trim(), value.trim());
        let number = |expected: &str, valid: fn(f64) -> bool| {
            let parsed = value.parse().ok();
            parsed
                .filter(|x: &f64| x.is_finite() && valid(*x))
                .ok_or_else(|| format!("{key} is `{value}`: expected {expected}"))
        };
        match key {
            "node" => {
                injection.node = value.parse().map_err(|_| {
                    format!("node is `{value}`: expected a whole number, 0 being the first node and -1 the last")
                })?;
            }
            "amp" => injection.amp_na = Some(number("a finite number in nA", |_| true)?),
            "pw" => injection.pw_ms = number("a finite number in ms greater than 0", |x| x > 0.0)?,
            known if known == onset => {
                injection.delay_ms = number("a finite number in ms, 0 or more", |x| x >= 0.0)?;
            }
            _ => {
                let hint = names::nearest(key, keys)
                    .map(|nearest| format!(" (did you mean `{nearest}`?)"))
                    .unwrap_or_default();
                return Err(format!(
                    "unknown key `{key}`{hint}; valid: {}",
                    keys.join(", ")
                ));
            }
        }
    }
    Ok(injection)
}

/// A current that starts an action potential before the stimulus.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Conditioning(pub(crate) Injection);

impl FromStr for Conditioning {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        read_current(text, "at").map(Conditioning)
    }
}

impl FromStr for Injection {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        read_current(text, "delay")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn injections_are_read_and_refused() {
        let read = |text: &str| text.parse::<Injection>();
        let found = read("node=-2,amp=3,delay=0.5").unwrap();
        assert_eq!(
            (found.node, found.amp_na, found.pw_ms, found.delay_ms),
            (-2, Some(3.0), 0.1, 0.5)
        );
        assert!(read("pw=abc").unwrap_err().contains("pw is `abc`"));
        assert!(read("nod=1").unwrap_err().contains("did you mean `node`"));
        assert!(read("1").unwrap_err().contains("key=value"));
    }
}
