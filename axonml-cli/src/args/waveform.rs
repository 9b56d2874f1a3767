//! When the current flows: the pulse, and currents injected into nodes.

use std::path::Path;
use std::str::FromStr;

use axonml::table::conditions::{self, PulseText};
use axonml::table::names;
use axonml::{CoreError, Waveform};
use clap::{Args, ValueEnum};

use crate::error::CliError;
use crate::input::Input;

/// The pulse unless asked otherwise.
pub(crate) const PULSE: &str = "monophasic:pw=0.1,delay=0.1";

/// Flags of the waveform.
#[derive(Debug, Args)]
#[command(next_help_heading = "Waveform")]
pub(crate) struct WaveformArgs {
    /// Waveform of unit amplitude, cathodic (negative) first: NAME:KEY=VALUE,... (times in ms, frequencies in kHz) or
    /// file:W.csv (time_ms,amplitude); --help lists names and keys [default: monophasic:pw=0.1,delay=0.1]
    #[arg(long, value_name = "PULSE")]
    pub(crate) pulse: Option<String>,
    /// Polarity: anodic flips the sign of the waveform [default: cathodic]
    #[arg(long, value_name = "SIGN", value_enum)]
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

impl Polarity {
    /// As flags and results spell it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Polarity::Cathodic => "cathodic",
            Polarity::Anodic => "anodic",
        }
    }
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
        self.pulse.is_some() || self.polarity.is_some()
    }

    /// The file of the pulse, if it comes from one.
    pub(crate) fn inputs(&self) -> Vec<Input> {
        let text = self.pulse.as_deref().map(str::trim);
        let file = text.and_then(|text| text.strip_prefix("file:"));
        let input = file.map(|path| Input::of("--pulse", Path::new(path)));
        input.into_iter().collect()
    }

    /// The pulse as it was written, and as it was read, without its polarity; none if none was asked for.
    pub(crate) fn written(&self) -> Result<Option<(String, PulseText)>, CliError> {
        let Some(text) = &self.pulse else {
            return Ok(None);
        };
        let read = PulseText::read(text).map_err(|error| {
            CliError::request(format!("--pulse {error}"))
                .help("`axonml run --help` lists the pulses with their keys, units and defaults")
        })?;
        Ok(Some((text.clone(), read)))
    }

    /// The waveform asked for, or the default one, with its polarity.
    pub(crate) fn waveform(&self) -> Result<Waveform, CliError> {
        let waveform = match self.written()? {
            Some((_, read)) => read.waveform,
            None => PULSE.parse()?,
        };
        Ok(conditions::Polarity::from(self.polarity.unwrap_or(Polarity::Cathodic)).of(waveform))
    }
}

/// Flags of injected currents.
#[derive(Debug, Args)]
#[command(next_help_heading = "Intracellular current")]
pub(crate) struct InjectionArgs {
    /// Inject a current pulse into a node: node (0-based; negative from the end), amp in nA (positive depolarizes), pw
    /// and delay in ms; e.g. node=0,amp=2,pw=0.1,delay=1, which are the defaults (repeatable). It is not scaled by the
    /// amplitude under study
    #[arg(long, value_name = "KEY=VALUE,...", allow_hyphen_values = true)]
    pub(crate) inject: Vec<Injection>,
}

/// A current pulse into a node.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Injection {
    /// 0-based node; negative from the end.
    pub(crate) node: i64,
    /// Current, nA; positive depolarizes.
    pub(crate) amp_na: f64,
    /// Pulse width, ms.
    pub(crate) pw_ms: f64,
    /// Onset, ms.
    pub(crate) delay_ms: f64,
}

impl Default for Injection {
    fn default() -> Self {
        Injection {
            node: 0,
            amp_na: 2.0,
            pw_ms: 0.1,
            delay_ms: 1.0,
        }
    }
}

impl Injection {
    /// The waveform of 1 nA.
    pub(crate) fn waveform(&self) -> Result<Waveform, CoreError> {
        Ok(Waveform::monophasic(self.pw_ms)?
            .flipped()
            .delayed(self.delay_ms))
    }
}

impl FromStr for Injection {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const KEYS: [&str; 4] = ["node", "amp", "pw", "delay"];
        let mut injection = Injection::default();
        for setting in text.split(',') {
            let (key, value) = setting
                .split_once('=')
                .ok_or("expected key=value,..., e.g. node=0,amp=2,pw=0.1,delay=1")?;
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
                "amp" => injection.amp_na = number("a finite number in nA", |_| true)?,
                "pw" => {
                    injection.pw_ms = number("a finite number in ms greater than 0", |x| x > 0.0)?;
                }
                "delay" => {
                    injection.delay_ms = number("a finite number in ms, 0 or more", |x| x >= 0.0)?;
                }
                _ => {
                    let hint = names::nearest(key, KEYS)
                        .map(|nearest| format!(" (did you mean `{nearest}`?)"))
                        .unwrap_or_default();
                    return Err(format!(
                        "unknown key `{key}`{hint}; valid: {}",
                        KEYS.join(", ")
                    ));
                }
            }
        }
        Ok(injection)
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
            (-2, 3.0, 0.1, 0.5)
        );
        assert!(read("pw=abc").unwrap_err().contains("pw is `abc`"));
        assert!(read("nod=1").unwrap_err().contains("did you mean `node`"));
        assert!(read("1").unwrap_err().contains("key=value"));
    }
}
