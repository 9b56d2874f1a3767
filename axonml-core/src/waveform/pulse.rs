//! What a pulse is made of: phases laid end to end, each a curve over a number of steps.

use std::f64::consts::TAU;
use std::fmt;
use std::str::FromStr;

use super::Waveform;
use crate::error::CoreError;
use crate::names::canonical;
use crate::time::TimeGrid;

/// Which way a ramp or an exponential goes. Written `up` or `down`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Its magnitude rises.
    Up,
    /// Its magnitude falls.
    Down,
}

impl Direction {
    const NAMES: [&str; 2] = ["up", "down"];
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(Self::NAMES[*self as usize])
    }
}

impl FromStr for Direction {
    type Err = CoreError;

    fn from_str(text: &str) -> Result<Self, CoreError> {
        match canonical(text).as_str() {
            "up" => Ok(Self::Up),
            "down" => Ok(Self::Down),
            _ => Err(CoreError::unknown_name("direction", text, Self::NAMES)),
        }
    }
}

/// A pulse as it was asked for, in ms, checked.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Pulse {
    Monophasic {
        pw_ms: f64,
    },
    Biphasic {
        pw_ms: f64,
        gap_ms: f64,
    },
    ChargeBalanced {
        pw1_ms: f64,
        pw2_ms: f64,
        gap_ms: f64,
    },
    AsymmetricBiphasic {
        pw_ms: f64,
    },
    Curve {
        name: &'static str,
        curve: Curve,
        pw_ms: f64,
    },
    Sine {
        freq_khz: f64,
        duration_ms: Option<f64>,
    },
    Train {
        pulse: Waveform,
        freq_khz: f64,
        n: u32,
    },
    Samples {
        dt_ms: f64,
        values: Vec<f64>,
    },
    Table {
        times_ms: Vec<f64>,
        amplitudes: Vec<f64>,
    },
}

/// A stretch of a pulse on a grid; one without an end lasts for ever and comes last.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Phase {
    pub(super) curve: Curve,
    pub(super) steps: Option<usize>,
}

/// What a phase looks like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Curve {
    Constant(f64),
    Triangle,
    Ramp(Direction),
    Gaussian,
    Exponential { tau_ms: f64, direction: Direction },
    SineCycle,
    Sine { freq_khz: f64 },
}

impl Curve {
    /// The value at step k of p.
    pub(super) fn value(self, k: usize, p: usize, dt_ms: f64) -> f64 {
        let (k, p) = (k as f64, p as f64);
        match self {
            Self::Constant(value) => value,
            Self::Triangle => -(1.0 - (2.0 * k / p - 1.0).abs()),
            Self::Ramp(Direction::Up) => -k / p,
            Self::Ramp(Direction::Down) => -(1.0 - k / p),
            Self::Gaussian => {
                let deviations = (k - p / 2.0) / (p / 6.0);
                -(-0.5 * deviations * deviations).exp()
            }
            Self::Exponential {
                tau_ms,
                direction: Direction::Up,
            } => -((k - p) * dt_ms / tau_ms).exp(),
            Self::Exponential {
                tau_ms,
                direction: Direction::Down,
            } => -(-k * dt_ms / tau_ms).exp(),
            Self::SineCycle => -(TAU * k / p).sin(),
            Self::Sine { freq_khz } => (TAU * freq_khz * (k * dt_ms)).sin(),
        }
    }
}

impl Pulse {
    /// The amplitude and the length of the recharging phase of an asymmetric biphasic pulse,
    /// relative to its first.
    const ASYMMETRY: (f64, usize) = (0.25, 4);

    /// The name it is known by in text.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Monophasic { .. } => "monophasic",
            Self::Biphasic { .. } => "biphasic",
            Self::ChargeBalanced { .. } => "charge-balanced",
            Self::AsymmetricBiphasic { .. } => "asymmetric-biphasic",
            Self::Curve { name, .. } => name,
            Self::Sine { .. } => "sine",
            Self::Train { .. } => "train",
            Self::Samples { .. } => "samples",
            Self::Table { .. } => "table",
        }
    }

    /// How long it lasts from its onset, or `None` if for ever.
    pub(super) fn duration_ms(&self) -> Option<f64> {
        match self {
            Self::Monophasic { pw_ms } | Self::Curve { pw_ms, .. } => Some(*pw_ms),
            Self::Biphasic { pw_ms, gap_ms } => Some(2.0 * pw_ms + gap_ms),
            Self::ChargeBalanced {
                pw1_ms,
                pw2_ms,
                gap_ms,
            } => Some(pw1_ms + gap_ms + pw2_ms),
            Self::AsymmetricBiphasic { pw_ms } => Some(pw_ms * (1 + Self::ASYMMETRY.1) as f64),
            Self::Sine { duration_ms, .. } => *duration_ms,
            Self::Train { pulse, freq_khz, n } => {
                Some(f64::from(n - 1) / freq_khz + pulse.end_ms()?)
            }
            Self::Samples { dt_ms, values } => Some(dt_ms * active(values).len() as f64),
            Self::Table {
                times_ms,
                amplitudes,
            } => match active(amplitudes).len() {
                0 => Some(0.0),
                last => times_ms.get(last).copied(),
            },
        }
    }

    /// The phases of every pulse but a train, which is a repetition of others.
    pub(super) fn phases(&self, grid: &TimeGrid) -> Result<Vec<Phase>, CoreError> {
        let lasting = |key: &str, ms: f64| {
            let steps = grid.steps_in(ms);
            if ms > 0.0 && steps == 0 {
                let what = format!("{key} of {}", self.name());
                return Err(CoreError::TooShort {
                    what,
                    found_ms: ms,
                    dt_ms: grid.dt_ms(),
                });
            }
            Ok(steps)
        };
        let phase = |curve, steps| Phase {
            curve,
            steps: Some(steps),
        };
        let constant = |value, steps| phase(Curve::Constant(value), steps);

        Ok(match self {
            Self::Monophasic { pw_ms } => vec![constant(-1.0, lasting("pw", *pw_ms)?)],
            Self::Biphasic { pw_ms, gap_ms } => {
                let (p, gap) = (lasting("pw", *pw_ms)?, lasting("gap", *gap_ms)?);
                vec![constant(-1.0, p), constant(0.0, gap), constant(1.0, p)]
            }
            Self::ChargeBalanced {
                pw1_ms,
                pw2_ms,
                gap_ms,
            } => {
                let (p1, p2) = (lasting("pw1", *pw1_ms)?, lasting("pw2", *pw2_ms)?);
                let gap = lasting("gap", *gap_ms)?;
                vec![
                    constant(-1.0, p1),
                    constant(0.0, gap),
                    constant(p1 as f64 / p2 as f64, p2),
                ]
            }
            Self::AsymmetricBiphasic { pw_ms } => {
                let p = lasting("pw", *pw_ms)?;
                let (amplitude, times) = Self::ASYMMETRY;
                vec![
                    constant(-1.0, p),
                    constant(amplitude, p.saturating_mul(times)),
                ]
            }
            Self::Curve { curve, pw_ms, .. } => vec![phase(*curve, lasting("pw", *pw_ms)?)],
            Self::Sine {
                freq_khz,
                duration_ms,
            } => {
                if freq_khz * grid.dt_ms() >= 0.5 {
                    return Err(CoreError::Undersampled {
                        freq_khz: *freq_khz,
                        dt_ms: grid.dt_ms(),
                    });
                }
                let steps = duration_ms.map(|ms| lasting("dur", ms)).transpose()?;
                vec![Phase {
                    curve: Curve::Sine {
                        freq_khz: *freq_khz,
                    },
                    steps,
                }]
            }
            Self::Samples { dt_ms, values } => {
                if (dt_ms - grid.dt_ms()).abs() > 1e-9 * dt_ms {
                    return Err(CoreError::SampleStep {
                        expected_ms: *dt_ms,
                        found_ms: grid.dt_ms(),
                    });
                }
                active(values)
                    .iter()
                    .map(|&value| constant(value, 1))
                    .collect()
            }
            Self::Table {
                times_ms,
                amplitudes,
            } => {
                check_held(times_ms, amplitudes, grid)?;
                table_phases(times_ms, amplitudes, grid)
            }
            Self::Train { .. } => unreachable!("a train is sampled by sampling its pulse"),
        })
    }
}

/// The values up to the last one that is not 0.
fn active(values: &[f64]) -> &[f64] {
    let end = values
        .iter()
        .rposition(|&value| value != 0.0)
        .map_or(0, |last| last + 1);
    &values[..end]
}

/// A value that is held for less than a step would vanish or stand in for its neighbours.
fn check_held(times_ms: &[f64], amplitudes: &[f64], grid: &TimeGrid) -> Result<(), CoreError> {
    for (index, (pair, &amplitude)) in times_ms.windows(2).zip(amplitudes).enumerate() {
        if amplitude != 0.0 && grid.steps_in(pair[0]) == grid.steps_in(pair[1]) {
            return Err(CoreError::TooShort {
                what: format!(
                    "value {} of the waveform table (from {} ms)",
                    index + 1,
                    pair[0]
                ),
                found_ms: ((pair[1] - pair[0]) * 1e9).round() / 1e9,
                dt_ms: grid.dt_ms(),
            });
        }
    }
    Ok(())
}

/// Silence until the first time, then each value until the next time, the last one for ever unless
/// it is 0.
fn table_phases(times_ms: &[f64], amplitudes: &[f64], grid: &TimeGrid) -> Vec<Phase> {
    let values = active(amplitudes);
    if values.is_empty() {
        return Vec::new();
    }
    let begin = |index: usize| times_ms.get(index).map(|&ms| grid.steps_in(ms));
    let silence = Phase {
        curve: Curve::Constant(0.0),
        steps: begin(0),
    };
    let held = values.iter().enumerate().map(|(index, &value)| Phase {
        curve: Curve::Constant(value),
        steps: begin(index + 1)
            .zip(begin(index))
            .map(|(end, start)| end - start),
    });
    std::iter::once(silence).chain(held).collect()
}
