//! Waveforms as text, both ways.
//!
//! ```text
//! waveform = pulse { "+" pulse }
//! pulse    = name | name "(" settings ")" | name ":" settings
//! settings = key "=" value { "," key "=" value }
//! ```
//!
//! Settings after a colon reach to the end of the text. A value may hold parentheses.

use std::fmt;
use std::str::FromStr;

use super::catalogue;
use super::kind::{Given, PulseKind, depth_change};
use super::pulse::{Curve, Pulse};
use super::{Term, Waveform};
use crate::error::{CoreError, cut, exact};
use crate::names::canonical;

/// The longest text of a waveform.
const MAX_TEXT_BYTES: usize = 1 << 17;

fn syntax(text: &str, problem: String) -> CoreError {
    CoreError::WaveformSyntax {
        text: cut(text),
        problem,
    }
}

impl FromStr for Waveform {
    type Err = CoreError;

    /// Reads `name:key=value,key=value` or a sum like `name(key=value)+name(key=value)`;
    /// [`PULSES`](super::PULSES) lists names, keys and defaults. Upper case and `_` for `-` are
    /// accepted.
    ///
    /// # Errors
    /// [`CoreError::UnknownName`] for pulses and keys, [`CoreError::BadValue`] for values,
    /// [`CoreError::WaveformSyntax`] and, for `file:PATH`, [`CoreError::WaveformFile`].
    fn from_str(text: &str) -> Result<Self, CoreError> {
        if text.len() > MAX_TEXT_BYTES {
            let problem = format!(
                "found {} bytes, expected {MAX_TEXT_BYTES} or fewer",
                text.len()
            );
            return Err(syntax(text, problem));
        }
        parse_sum(text, None, 0)
    }
}

/// Reads a sum of pulses within `depth` trains; `delay_ms` is the default of their delay.
fn parse_sum(text: &str, delay_ms: Option<f64>, depth: usize) -> Result<Waveform, CoreError> {
    let wrong = |problem: String| syntax(text, problem);
    if depth > Waveform::MAX_DEPTH {
        let limit = Waveform::MAX_DEPTH;
        return Err(wrong(format!(
            "more than {limit} trains lie within each other; nest at most {limit}"
        )));
    }
    let mut sum = Waveform { terms: Vec::new() };
    let mut rest = text.trim();
    loop {
        let (name, after_name) = rest.split_at(rest.find([':', '(', '+']).unwrap_or(rest.len()));
        let name = name.trim();
        let (settings, after) = if let Some(settings) = after_name.strip_prefix(':') {
            (settings, "")
        } else if let Some(inner) = after_name.strip_prefix('(') {
            let close = closing(inner).ok_or_else(|| wrong("a `(` is not closed".to_owned()))?;
            (&inner[..close], inner[close + 1..].trim_start())
        } else {
            ("", after_name)
        };
        match canonical(name).as_str() {
            "" => return Err(wrong("the name of a pulse is missing".to_owned())),
            "file" => {
                return Err(CoreError::WaveformFile {
                    path: settings.to_owned(),
                });
            }
            _ => {}
        }
        let kind = PulseKind::named(name)
            .ok_or_else(|| CoreError::unknown_name("pulse", name, catalogue::names()))?;
        let given = Given::parse(kind, settings, depth, wrong)?;
        let delay_ms = match (given.get("delay"), delay_ms) {
            (None, Some(delay_ms)) => delay_ms,
            _ => given.number("delay")?,
        };
        let delay_ms = CoreError::check_not_negative(&given.what("delay"), "ms", delay_ms)?;
        let scale =
            CoreError::check_finite(&given.what("scale"), "multiples", given.number("scale")?)?;
        sum = sum + (kind.build)(&given)?.scaled(scale).delayed(delay_ms);

        rest = match after.strip_prefix('+') {
            Some(next) => next.trim_start(),
            None if after.is_empty() => return Ok(sum),
            None => {
                return Err(wrong(format!(
                    "`{after}` follows a `)`, where only `+` may"
                )));
            }
        };
    }
}

impl Given<'_> {
    /// A pulse within the pulse, whose delay defaults to 0.
    pub(super) fn pulse(&self, key: &str) -> Result<Waveform, CoreError> {
        parse_sum(self.text(key), Some(0.0), self.depth + 1)
    }
}

/// Where the parenthesis that was opened before `text` is closed.
fn closing(text: &str) -> Option<usize> {
    let mut open = 1;
    text.char_indices().find_map(|(at, c)| {
        open += depth_change(c);
        (open == 0).then_some(at)
    })
}

impl fmt::Display for Waveform {
    /// Writes text that [`FromStr`] reads back exactly, except that samples and tables are abbreviated to their number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [term] = self.terms.as_slice() {
            return term.fmt(f);
        }
        f.write_str(&self.nested())
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.pulse.name(), self.settings())
    }
}

impl Term {
    fn settings(&self) -> String {
        let own = match &self.pulse {
            Pulse::Monophasic { pw_ms } | Pulse::AsymmetricBiphasic { pw_ms } => {
                format!("pw={}", exact(*pw_ms))
            }
            Pulse::Biphasic { pw_ms, gap_ms } => {
                format!("pw={},gap={}", exact(*pw_ms), exact(*gap_ms))
            }
            Pulse::ChargeBalanced {
                pw1_ms,
                pw2_ms,
                gap_ms,
            } => format!(
                "pw1={},pw2={},gap={}",
                exact(*pw1_ms),
                exact(*pw2_ms),
                exact(*gap_ms)
            ),
            Pulse::Curve {
                curve: Curve::Ramp(direction),
                pw_ms,
                ..
            } => format!("pw={},dir={direction}", exact(*pw_ms)),
            Pulse::Curve {
                curve: Curve::Exponential { tau_ms, direction },
                pw_ms,
                ..
            } => {
                format!(
                    "pw={},tau={},dir={direction}",
                    exact(*pw_ms),
                    exact(*tau_ms)
                )
            }
            Pulse::Curve { pw_ms, .. } => format!("pw={}", exact(*pw_ms)),
            Pulse::Sine {
                freq_khz,
                duration_ms: None,
            } => format!("freq={}", exact(*freq_khz)),
            Pulse::Sine {
                freq_khz,
                duration_ms: Some(ms),
            } => format!("freq={},dur={}", exact(*freq_khz), exact(*ms)),
            Pulse::Train { pulse, freq_khz, n } => {
                format!("pulse={},freq={},n={n}", pulse.nested(), exact(*freq_khz))
            }
            Pulse::Samples { dt_ms, values } => format!("dt={},n={}", exact(*dt_ms), values.len()),
            Pulse::Table { times_ms, .. } => format!("n={}", times_ms.len()),
        };
        let scale = if self.scale == 1.0 {
            String::new()
        } else {
            format!(",scale={}", exact(self.scale))
        };
        format!("{own},delay={}{scale}", exact(self.delay_ms))
    }
}

impl Waveform {
    /// The text of a waveform inside another, and of a sum.
    fn nested(&self) -> String {
        let pulses: Vec<_> = self
            .terms
            .iter()
            .map(|term| format!("{}({})", term.pulse.name(), term.settings()))
            .collect();
        pulses.join("+")
    }
}

#[cfg(test)]
mod tests;
