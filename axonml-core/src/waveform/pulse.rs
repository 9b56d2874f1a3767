//! Pulses as phases laid end to end, each a curve over a number of steps.

use std::f64::consts::TAU;
use std::fmt;
use std::str::FromStr;

use super::Waveform;
use crate::error::CoreError;
use crate::names::canonical;
use crate::time::TimeGrid;

/// Which way a ramp or an exponential goes. Written `up` or `down`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
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

/// A pulse as requested, in ms, checked.
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

/// A pulse on a grid.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum OnGrid {
    /// Constant values laid end to end, which act in the steps that they cover in part with the
    /// covered fraction.
    Rectangles(Vec<Rectangle>),
    /// Values at the instants of the grid, from the step nearest to the onset on.
    Sampled {
        curve: Curve,
        /// Number of steps, or `None` if it never ends.
        steps: Option<usize>,
    },
    /// One value per step, from the step nearest to the onset on.
    Given(Vec<f64>),
}

/// A constant value for a while.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rectangle {
    pub(super) value: f64,
    /// Duration in steps, not necessarily whole ones; `None` if it never ends, which only the last phase may.
    pub(super) steps: Option<f64>,
}

/// The shape of a sampled phase.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Curve {
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
    pub(super) const ASYMMETRY: (f64, f64) = (0.25, 4.0);

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

    /// Duration from its onset, or `None` if it never ends.
    pub(super) fn duration_ms(&self) -> Option<f64> {
        match self {
            Self::Monophasic { pw_ms } | Self::Curve { pw_ms, .. } => Some(*pw_ms),
            Self::Biphasic { pw_ms, gap_ms } => Some(2.0 * pw_ms + gap_ms),
            Self::ChargeBalanced {
                pw1_ms,
                pw2_ms,
                gap_ms,
            } => Some(pw1_ms + gap_ms + pw2_ms),
            Self::AsymmetricBiphasic { pw_ms } => Some(pw_ms * (1.0 + Self::ASYMMETRY.1)),
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

    /// Every pulse but a train, which is a repetition of others.
    pub(super) fn on_grid(&self, grid: &TimeGrid) -> Result<OnGrid, CoreError> {
        let sampled_steps = |key: &str, ms: f64| {
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
        let check_sine = |freq_khz: f64| match samples_per_period(freq_khz, grid) {
            samples if samples <= 2.0 => Err(CoreError::Undersampled {
                freq_khz,
                dt_ms: grid.dt_ms(),
            }),
            _ => Ok(()),
        };
        let rectangle = |value, steps| Rectangle {
            value,
            steps: Some(steps),
        };

        Ok(match self {
            Self::Monophasic { pw_ms } => {
                OnGrid::Rectangles(vec![rectangle(-1.0, grid.steps_until(*pw_ms))])
            }
            Self::Biphasic { pw_ms, gap_ms } => {
                let (width, gap) = (grid.steps_until(*pw_ms), grid.steps_until(*gap_ms));
                OnGrid::Rectangles(vec![
                    rectangle(-1.0, width),
                    rectangle(0.0, gap),
                    rectangle(1.0, width),
                ])
            }
            Self::ChargeBalanced {
                pw1_ms,
                pw2_ms,
                gap_ms,
            } => {
                let (first, second) = (grid.steps_until(*pw1_ms), grid.steps_until(*pw2_ms));
                OnGrid::Rectangles(vec![
                    rectangle(-1.0, first),
                    rectangle(0.0, grid.steps_until(*gap_ms)),
                    rectangle(first / second, second),
                ])
            }
            Self::AsymmetricBiphasic { pw_ms } => {
                let width = grid.steps_until(*pw_ms);
                let (amplitude, times) = Self::ASYMMETRY;
                OnGrid::Rectangles(vec![
                    rectangle(-1.0, width),
                    rectangle(amplitude, times * width),
                ])
            }
            Self::Curve { curve, pw_ms, .. } => {
                let steps = sampled_steps("pw", *pw_ms)?;
                if let Curve::SineCycle = curve {
                    check_sine(1.0 / pw_ms)?;
                }
                OnGrid::Sampled {
                    curve: *curve,
                    steps: Some(steps),
                }
            }
            Self::Sine {
                freq_khz,
                duration_ms,
            } => {
                check_sine(*freq_khz)?;
                let steps = duration_ms.map(|ms| sampled_steps("dur", ms)).transpose()?;
                OnGrid::Sampled {
                    curve: Curve::Sine {
                        freq_khz: *freq_khz,
                    },
                    steps,
                }
            }
            Self::Samples { dt_ms, values } => {
                if (dt_ms - grid.dt_ms()).abs() > 1e-9 * dt_ms {
                    return Err(CoreError::SampleStep {
                        expected_ms: *dt_ms,
                        found_ms: grid.dt_ms(),
                    });
                }
                OnGrid::Given(active(values).to_vec())
            }
            Self::Table {
                times_ms,
                amplitudes,
            } => OnGrid::Rectangles(held(times_ms, amplitudes, grid)),
            Self::Train { .. } => unreachable!("a train is sampled by sampling its pulse"),
        })
    }

    /// The fewest samples that a period of one of its sines gets, with the frequency; `None` if it
    /// has no sine.
    pub(super) fn coarsest_sine(&self, grid: &TimeGrid) -> Option<(f64, f64)> {
        let freq_khz = match self {
            Self::Sine { freq_khz, .. } => *freq_khz,
            Self::Curve {
                curve: Curve::SineCycle,
                pw_ms,
                ..
            } => 1.0 / pw_ms,
            Self::Train { pulse, .. } => return pulse.coarsest_sine(grid),
            _ => return None,
        };
        Some((samples_per_period(freq_khz, grid), freq_khz))
    }

    /// The shortest of its rectangular phases, gaps included; `None` where it has none. Tables are taken as given.
    pub(super) fn shortest_phase_ms(&self) -> Option<f64> {
        let positive = |ms: f64| if ms > 0.0 { ms } else { f64::INFINITY };
        match self {
            Self::Monophasic { pw_ms } | Self::AsymmetricBiphasic { pw_ms } => Some(*pw_ms),
            Self::Biphasic { pw_ms, gap_ms } => Some(pw_ms.min(positive(*gap_ms))),
            Self::ChargeBalanced {
                pw1_ms,
                pw2_ms,
                gap_ms,
            } => Some(pw1_ms.min(*pw2_ms).min(positive(*gap_ms))),
            Self::Train { pulse, .. } => pulse.shortest_phase_ms(),
            _ => None,
        }
    }

    /// How many trains lie around its innermost pulse, itself included.
    pub(super) fn depth(&self) -> usize {
        match self {
            Self::Train { pulse, .. } => 1 + pulse.depth(),
            _ => 0,
        }
    }

    /// Number of pulses that it consists of.
    pub(super) fn count(&self) -> u64 {
        match self {
            Self::Train { pulse, n, .. } => u64::from(*n).saturating_mul(pulse.count()),
            _ => 1,
        }
    }
}

/// Samples in a period of a sine; a whole number but for rounding errors is one.
fn samples_per_period(freq_khz: f64, grid: &TimeGrid) -> f64 {
    grid.steps_until(1.0 / freq_khz)
}

/// The values up to the last one that is not 0.
fn active(values: &[f64]) -> &[f64] {
    let end = values
        .iter()
        .rposition(|&value| value != 0.0)
        .map_or(0, |last| last + 1);
    &values[..end]
}

/// Silence until the first time, then each value until the next time, the last one for ever unless
/// it is 0.
fn held(times_ms: &[f64], amplitudes: &[f64], grid: &TimeGrid) -> Vec<Rectangle> {
    let values = active(amplitudes);
    if values.is_empty() {
        return Vec::new();
    }
    let begin = |index: usize| times_ms.get(index).map(|&ms| grid.steps_until(ms));
    let silence = Rectangle {
        value: 0.0,
        steps: begin(0),
    };
    let held = values.iter().enumerate().map(|(index, &value)| Rectangle {
        value,
        steps: begin(index + 1)
            .zip(begin(index))
            .map(|(end, start)| end - start),
    });
    std::iter::once(silence).chain(held).collect()
}
