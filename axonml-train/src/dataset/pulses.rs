//! Random pulses: a shape of the command line, every number of it drawn from a range.

use std::collections::BTreeMap;

use axonml_core::waveform::COMMON_KEYS;
use axonml_core::{CoreError, PULSES, TimeGrid, Waveform, names};
use serde::{Deserialize, Serialize};

use super::{DatasetError, Range};
use axonml_core::Random;

/// A family of pulses.
///
/// `shape` is a pulse of [`axonml_core::PULSES`], cathodic (negative) first, or `noise`. Its keys (`pw`, `gap`,
/// `freq`, ... in ms and kHz) are numbers, ranges or, for the pulse of a train, text; those left out have the pulse's
/// own default. `noise` has the keys `pw` (how long it lasts) and `hold` (how long each value does): values uniform
/// between plus and minus the amplitude. A pulse with a phase shorter than half a step delivers nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PulseFamily {
    /// Relative frequency of its choice.
    #[serde(default = "one")]
    pub weight: f64,
    /// Name of the pulse.
    pub shape: String,
    /// Magnitude, mA.
    pub amplitude_ma: Range,
    /// Sign of the first phase.
    #[serde(default)]
    pub polarity: Polarity,
    /// Onset, ms.
    #[serde(default = "PulseFamily::at_once")]
    pub delay_ms: Range,
    /// The keys of the shape.
    #[serde(flatten)]
    pub keys: BTreeMap<String, KeyValue>,
}

/// The default weight.
pub(super) fn one() -> f64 {
    1.0
}

/// Sign of the first phase of a pulse.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Polarity {
    /// Cathodic and anodic alike.
    #[default]
    Either,
    /// Negative.
    Cathodic,
    /// Positive.
    Anodic,
}

/// A key of a pulse.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "expected a number, text, or a range such as { low = 0.01, high = 2, spacing = \"log\" }"
)]
#[non_exhaustive]
pub enum KeyValue {
    /// Always this number.
    Number(f64),
    /// Drawn independently for each pulse.
    Range(Range),
    /// Anything that is no number, such as the pulse of a train.
    Text(String),
}

/// The shape that the core does not have, as it is random itself.
const NOISE: &str = "noise";
/// Its keys with their defaults, ms.
const NOISE_KEYS: [(&str, f64); 2] = [("pw", 1.0), ("hold", 0.05)];

impl Default for PulseFamily {
    /// AxonML's: monophasic, up to 0.2 mA of either sign, up to 2 ms long, up to 2 ms late.
    fn default() -> Self {
        PulseFamily {
            weight: 1.0,
            shape: "monophasic".to_owned(),
            amplitude_ma: Range::uniform(0.0, 0.2),
            polarity: Polarity::Either,
            delay_ms: Range::uniform(0.0, 2.0),
            keys: BTreeMap::from([("pw".to_owned(), KeyValue::Range(Range::uniform(0.0, 2.0)))]),
        }
    }
}

/// A family with its keys found.
#[derive(Clone, Debug)]
pub(super) struct PulseSampler {
    family: PulseFamily,
    grid: TimeGrid,
}

impl PulseFamily {
    fn at_once() -> Range {
        Range::fixed(0.0)
    }

    /// Checks names and numbers: the longest pulse that can be drawn must end before the run does.
    pub(super) fn check(&self, place: &str, grid: &TimeGrid) -> Result<(), DatasetError> {
        let at = |key: &str| format!("{place}.{key}");
        self.amplitude_ma.check(&at("amplitude_ma"), 0.0)?;
        self.delay_ms.check(&at("delay_ms"), 0.0)?;
        self.check_names(place)?;
        for (key, value) in &self.keys {
            match value {
                KeyValue::Range(range) => range.check(&at(key), 0.0)?,
                KeyValue::Number(number) => Range::fixed(*number).check(&at(key), 0.0)?,
                KeyValue::Text(_) => {}
            }
        }
        // The longest pulse has the longest durations and the slowest frequency, the shortest the opposite.
        for (end, long) in [("long", true), ("short", false)] {
            let number = |key: &str, range: &Range| match (key == "freq") != long {
                true => range.high,
                false => range.low,
            };
            let delay_ms = number("delay", &self.delay_ms);
            let keys = self.fix_keys(number);
            if self.is_noise() {
                noise_steps(&keys, delay_ms, grid).map(|_| ())
            } else {
                let mut steps = vec![0.0; grid.steps()];
                add_pulse(&mut steps, &self.shape, &keys, delay_ms, 1.0, grid)
            }
            .map_err(DatasetError::core(format!(
                "{place} ({}), at the {end} end of its ranges",
                self.shape
            )))?;
        }
        Ok(())
    }

    /// The keys with a number for every range.
    fn fix_keys(&self, mut number: impl FnMut(&str, &Range) -> f64) -> Vec<(String, KeyValue)> {
        let fixed = |(key, value): (&String, &KeyValue)| {
            let value = match value {
                KeyValue::Range(range) => KeyValue::Number(number(key, range)),
                fixed => fixed.clone(),
            };
            (key.clone(), value)
        };
        self.keys.iter().map(fixed).collect()
    }

    fn is_noise(&self) -> bool {
        names::canonical(&self.shape) == NOISE
    }

    fn check_names(&self, place: &str) -> Result<(), DatasetError> {
        let unknown = |what: &str, found: &str, valid: Vec<&str>| DatasetError::Core {
            place: place.to_owned(),
            source: Box::new(CoreError::UnknownName {
                what: what.to_owned(),
                found: found.to_owned(),
                nearest: names::nearest(found, valid.iter().copied()).map(str::to_owned),
                valid: valid.into_iter().map(str::to_owned).collect(),
            }),
        };
        let wanted = names::canonical(&self.shape);
        let known: Vec<&str> = if self.is_noise() {
            NOISE_KEYS.iter().map(|(key, _)| *key).collect()
        } else {
            let kind = PULSES
                .iter()
                .find(|kind| kind.name == wanted || kind.aliases.contains(&wanted.as_str()));
            let Some(kind) = kind else {
                let valid = PULSES.iter().map(|kind| kind.name).chain([NOISE]);
                return Err(unknown("shape", &self.shape, valid.collect()));
            };
            kind.keys.iter().map(|key| key.name).collect()
        };
        for key in self.keys.keys() {
            if COMMON_KEYS.iter().any(|common| common.name == key) {
                return Err(DatasetError::recipe(
                    format!("{place}.{key}"),
                    "a key of the shape",
                    "`delay_ms`, `amplitude_ma` and `polarity` instead",
                ));
            }
            if !known.contains(&key.as_str()) {
                let what = format!("key of shape {}", self.shape);
                return Err(unknown(&what, key, known));
            }
        }
        Ok(())
    }
}

impl PulseSampler {
    /// A sampler of a family that was checked.
    pub(super) fn new(family: &PulseFamily, grid: TimeGrid) -> Self {
        PulseSampler {
            family: family.clone(),
            grid,
        }
    }

    /// Adds a pulse in mA to the steps of a run.
    pub(super) fn draw(&self, random: &mut Random, steps_ma: &mut [f64]) -> Result<(), CoreError> {
        let family = &self.family;
        let magnitude_ma = family.amplitude_ma.draw(random);
        // Shapes are cathodic first, so that a positive factor is cathodic.
        let sign = match family.polarity {
            Polarity::Either if random.unit() < 0.5 => 1.0,
            Polarity::Either | Polarity::Anodic => -1.0,
            Polarity::Cathodic => 1.0,
        };
        let delay_ms = family.delay_ms.draw(random);
        let keys = family.fix_keys(|_, range| range.draw(random));
        if family.is_noise() {
            let (onset, length, hold) = noise_steps(&keys, delay_ms, &self.grid)?;
            for held in steps_ma[onset..onset + length].chunks_mut(hold) {
                held.fill(magnitude_ma * (2.0 * random.unit() - 1.0));
            }
            return Ok(());
        }
        let scale = sign * magnitude_ma;
        add_pulse(steps_ma, &family.shape, &keys, delay_ms, scale, &self.grid)
    }
}

/// Onset, length and hold of noise in steps.
fn noise_steps(
    keys: &[(String, KeyValue)],
    delay_ms: f64,
    grid: &TimeGrid,
) -> Result<(usize, usize, usize), CoreError> {
    let [pw_ms, hold_ms] =
        NOISE_KEYS.map(
            |(name, default)| match keys.iter().find(|(key, _)| key == name) {
                Some((_, KeyValue::Number(value))) => *value,
                Some(_) => f64::NAN,
                None => default,
            },
        );
    for (what, found) in [("pw of noise", pw_ms), ("hold of noise", hold_ms)] {
        if !(found.is_finite() && found >= 0.0) {
            return Err(CoreError::BadValue {
                what: what.to_owned(),
                found: found.to_string(),
                expected: "a number of ms or a range".to_owned(),
            });
        }
    }
    let (onset, length) = (grid.steps_in(delay_ms), grid.steps_in(pw_ms));
    if onset + length > grid.steps() {
        return Err(CoreError::BeyondRun {
            waveform: format!("noise:pw={pw_ms},hold={hold_ms},delay={delay_ms}"),
            end_ms: delay_ms + pw_ms,
            tstop_ms: grid.duration_ms(),
        });
    }
    Ok((onset, length, grid.steps_in(hold_ms).max(1)))
}

/// Durations among the keys of a shape, which are drawn in ms and last whole steps.
fn is_duration(key: &str) -> bool {
    key.starts_with("pw") || matches!(key, "gap" | "dur")
}

/// Adds `scale` times a pulse to the steps of a run; nothing where it is too short for a step.
///
/// Onset and durations are rounded to steps, as in the sets that AxonML's surrogates were trained on: a drawn pulse is
/// a sample of a distribution, whose edges need not lie within steps.
fn add_pulse(
    steps: &mut [f64],
    shape: &str,
    keys: &[(String, KeyValue)],
    delay_ms: f64,
    scale: f64,
    grid: &TimeGrid,
) -> Result<(), CoreError> {
    // Pulses must have a width; one of exactly 0 is the shortest of those that are too short.
    let steps_of = |ms: f64| grid.time_ms(grid.steps_in(ms));
    let vanishes = |(key, value): &(String, KeyValue)| match value {
        KeyValue::Number(ms) if is_duration(key) => {
            (*ms > 0.0 || key.starts_with("pw")) && steps_of(*ms) == 0.0
        }
        _ => false,
    };
    if keys.iter().any(vanishes) {
        return Ok(());
    }
    let mut text = format!("{shape}:delay={}", steps_of(delay_ms));
    for (key, value) in keys {
        let value = match value {
            KeyValue::Number(ms) if is_duration(key) => steps_of(*ms).to_string(),
            KeyValue::Number(number) => number.to_string(),
            KeyValue::Text(text) => text.clone(),
            KeyValue::Range(range) => range.low.to_string(),
        };
        text.push_str(&format!(",{key}={value}"));
    }
    let waveform: Waveform = text.parse()?;
    match waveform.sample(grid) {
        Ok(samples) => {
            for (step, sample) in steps.iter_mut().zip(samples) {
                *step += scale * sample;
            }
            Ok(())
        }
        Err(error) => Err(error),
    }
}
