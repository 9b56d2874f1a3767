//! The shape names of condition tables.

use super::{Direction, Waveform};
use crate::error::CoreError;
use crate::names::canonical;

/// The shapes as messages list them.
const SHAPES: [&str; 12] = [
    "mono",
    "anodic",
    "biphasic",
    "biphasic_anodic_first",
    "biphasic_gapG",
    "asym_biphasic",
    "triangle",
    "ramp_up",
    "ramp_down",
    "gaussian",
    "sine_cycle",
    "sine_burstF_C",
];

impl Waveform {
    /// The waveform that a condition table calls `shape`, with pulse width `pw_ms`, from `delay_ms`
    /// on.
    ///
    /// `mono`, `anodic`, `biphasic`, `biphasic_anodic_first`, `biphasic_gapG` (a gap of G ms),
    /// `asym_biphasic`, `triangle`, `ramp_up`, `ramp_down`, `gaussian`, `sine_cycle`,
    /// `sine_burstF_C` (C cycles of F kHz, whatever `pw_ms`). Upper case and `-` for `_` are
    /// accepted.
    ///
    /// # Errors
    /// [`CoreError::UnknownName`] for other shapes; [`CoreError::BadValue`] for a width, delay,
    /// gap, frequency or count that is none.
    ///
    /// # Example
    /// ```
    /// use axonml_core::Waveform;
    /// let shape = Waveform::from_shape("biphasic_gap0.1", 0.2, 0.5)?;
    /// assert_eq!(shape, "biphasic:pw=0.2,gap=0.1,delay=0.5".parse()?);
    /// # Ok::<(), axonml_core::CoreError>(())
    /// ```
    pub fn from_shape(shape: &str, pw_ms: f64, delay_ms: f64) -> Result<Self, CoreError> {
        let delay_ms =
            CoreError::check_not_negative(&format!("delay of shape {shape}"), "ms", delay_ms)?;
        let name = canonical(shape);
        let pulse = match name.as_str() {
            "mono" => Self::monophasic(pw_ms)?,
            "anodic" => Self::monophasic(pw_ms)?.flipped(),
            "biphasic" => Self::biphasic(pw_ms, 0.0)?,
            "biphasic-anodic-first" => Self::biphasic(pw_ms, 0.0)?.flipped(),
            "asym-biphasic" => Self::asymmetric_biphasic(pw_ms)?,
            "triangle" => Self::triangle(pw_ms)?,
            "ramp-up" => Self::ramp(pw_ms, Direction::Up)?,
            "ramp-down" => Self::ramp(pw_ms, Direction::Down)?,
            "gaussian" => Self::gaussian(pw_ms)?,
            "sine-cycle" => Self::sine_cycle(pw_ms)?,
            _ => {
                if let Some(gap) = name.strip_prefix("biphasic-gap") {
                    Self::biphasic(
                        pw_ms,
                        number(
                            shape,
                            gap,
                            "biphasic_gapG with a gap of G ms, e.g. biphasic_gap0.1",
                        )?,
                    )?
                } else if let Some(burst) = name.strip_prefix("sine-burst") {
                    let expected = "sine_burstF_C with F kHz and C cycles, e.g. sine_burst5_10";
                    let (freq, cycles) = burst.split_once('-').unwrap_or((burst, ""));
                    let freq_khz = number(shape, freq, expected)?;
                    Self::sine(freq_khz, Some(number(shape, cycles, expected)? / freq_khz))?
                } else {
                    return Err(CoreError::unknown_name("shape", shape, SHAPES));
                }
            }
        };
        Ok(pulse.delayed(delay_ms))
    }
}

/// A number within the name of a shape.
fn number(shape: &str, text: &str, expected: &str) -> Result<f64, CoreError> {
    text.parse()
        .map_err(|_| CoreError::bad_value("shape", shape, expected))
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;
    use crate::TimeGrid;

    const DT_MS: f64 = 0.005;
    const ONSET: usize = 100;

    /// The definitions, written down once more: the value at step k from the onset with p steps of
    /// width.
    fn defined(shape: &str, k: usize, p: usize) -> f64 {
        let (within, twice) = (k < p, k < 2 * p);
        let (i, q) = (k, p);
        let (k, p) = (k as f64, p as f64);
        let only = |on: bool, value: f64| if on { value } else { 0.0 };
        match shape {
            "mono" => only(within, -1.0),
            "anodic" => only(within, 1.0),
            "biphasic" => only(within, -1.0) + only(!within && twice, 1.0),
            "biphasic_anodic_first" => only(within, 1.0) + only(!within && twice, -1.0),
            "biphasic_gap0.1" => only(within, -1.0) + only(i >= q + 20 && i < 2 * q + 20, 1.0),
            "asym_biphasic" => only(within, -1.0) + only(!within && i < 5 * q, 0.25),
            "triangle" => only(within, -(1.0 - (2.0 * k / p - 1.0).abs())),
            "ramp_up" => only(within, -k / p),
            "ramp_down" => only(within, -(1.0 - k / p)),
            "gaussian" => {
                let (t, c, s) = (k * DT_MS, p / 2.0 * DT_MS, p * DT_MS / 6.0);
                only(within, -(-(t - c).powi(2) / (2.0 * s * s)).exp())
            }
            "sine_cycle" => only(within, -(2.0 * PI * k / p).sin()),
            // Ten cycles of 5 kHz are 2 ms, 400 steps.
            "sine_burst5_10" => only(i < 400, (2.0 * PI * 5.0 * k * DT_MS).sin()),
            _ => panic!("{shape} has no definition here"),
        }
    }

    #[test]
    fn shapes_are_as_defined() {
        let grid = TimeGrid::new(DT_MS, 5.0).unwrap();
        for shape in SHAPES {
            let shape = shape
                .replace("gapG", "gap0.1")
                .replace("burstF_C", "burst5_10");
            for pw_ms in [0.1, 0.035, 0.4] {
                let samples = Waveform::from_shape(&shape, pw_ms, 0.5)
                    .unwrap()
                    .sample(&grid)
                    .unwrap();
                let p = (pw_ms / DT_MS).round() as usize;
                for (i, found) in samples.iter().enumerate() {
                    let expected = if i < ONSET {
                        0.0
                    } else {
                        defined(&shape, i - ONSET, p)
                    };
                    assert!(
                        (found - expected).abs() < 1e-13,
                        "{shape}, step {i}: {found}, not {expected}"
                    );
                }
            }
        }
    }

    #[test]
    fn spelling_does_not_matter() {
        let shape = |name| Waveform::from_shape(name, 0.1, 0.0).unwrap();
        assert_eq!(shape("Ramp-Up"), shape("ramp_up"));
        assert_eq!(shape("Sine-Burst0.5_2"), shape("sine_burst0.5_2"));
    }

    #[test]
    fn what_is_no_shape_is_answered() {
        let refuse = |name, pw, delay| {
            Waveform::from_shape(name, pw, delay)
                .unwrap_err()
                .to_string()
        };
        let message = refuse("biphasik", 0.1, 0.1);
        for part in [
            "shape `biphasik`",
            "did you mean `biphasic`?",
            "sine_burstF_C",
            "ramp_down",
        ] {
            assert!(message.contains(part), "{part}: {message}");
        }
        let message = refuse("biphasic_gapx", 0.1, 0.1);
        assert!(
            message.contains("`biphasic_gapx`") && message.contains("a gap of G ms"),
            "{message}"
        );
        for burst in ["sine_burst5", "sine_burst_5", "sine_burst5_x"] {
            let message = refuse(burst, 0.1, 0.1);
            assert!(
                message.contains(burst) && message.contains("F kHz and C cycles"),
                "{message}"
            );
        }
        assert!(refuse("mono", -0.1, 0.1).contains("pw of monophasic is `-0.1`"));
        assert!(refuse("mono", 0.1, f64::NAN).contains("delay of shape mono is `NaN`"));
    }
}
