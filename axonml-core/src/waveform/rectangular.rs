//! Pulses of one or two rectangular phases as numbers, for whoever varies them.

use super::pulse::Pulse;
use super::{Term, Waveform};
use crate::error::CoreError;

/// A pulse of one rectangular phase, or of two that carry the same charge.
///
/// # Units
/// ms; amplitudes without unit, as those of a [`Waveform`].
///
/// # Example
/// ```
/// use axonml_core::Waveform;
/// let pulse: Waveform = "charge-balanced:pw1=0.1,pw2=0.4,gap=0.05,delay=0.2".parse()?;
/// let mut shape = pulse.rectangular().expect("its phases are rectangular");
/// assert_eq!((shape.delay_ms, shape.amplitude, shape.pw_ms), (0.2, -1.0, 0.1));
/// shape.pw_ms = 0.15;
/// let wider: Waveform = "charge-balanced:pw1=0.15,pw2=0.6,gap=0.05,delay=0.2".parse()?;
/// assert_eq!(shape.waveform()?.rectangular(), wider.rectangular());
/// assert_eq!("gaussian".parse::<Waveform>()?.rectangular(), None);
/// # Ok::<(), axonml_core::CoreError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RectangularPulse {
    /// Onset.
    pub delay_ms: f64,
    /// Value during the first phase: -1 of named pulses, times their scale.
    pub amplitude: f64,
    /// Width of the first phase.
    pub pw_ms: f64,
    /// The second phase; none of a monophasic pulse.
    pub recharge: Option<Recharge>,
}

/// The second phase of a pulse: of the other sign, with the charge of the first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recharge {
    /// Pause after the first phase, ms.
    pub gap_ms: f64,
    /// Width relative to that of the first phase, and so many times lower.
    pub asymmetry: f64,
}

impl Waveform {
    /// The numbers of a pulse of one or two rectangular phases; `None` of every other waveform, trains and sums among
    /// them.
    pub fn rectangular(&self) -> Option<RectangularPulse> {
        let [
            Term {
                pulse,
                delay_ms,
                scale,
            },
        ] = self.terms.as_slice()
        else {
            return None;
        };
        let (pw_ms, recharge) = match *pulse {
            Pulse::Monophasic { pw_ms } => (pw_ms, None),
            Pulse::Biphasic { pw_ms, gap_ms } => (pw_ms, Some((gap_ms, 1.0))),
            Pulse::ChargeBalanced {
                pw1_ms,
                pw2_ms,
                gap_ms,
            } => (pw1_ms, Some((gap_ms, pw2_ms / pw1_ms))),
            Pulse::AsymmetricBiphasic { pw_ms } => (pw_ms, Some((0.0, Pulse::ASYMMETRY.1))),
            _ => return None,
        };
        Some(RectangularPulse {
            delay_ms: *delay_ms,
            amplitude: -scale,
            pw_ms,
            recharge: recharge.map(|(gap_ms, asymmetry)| Recharge { gap_ms, asymmetry }),
        })
    }
}

impl RectangularPulse {
    /// The pulse as a waveform.
    ///
    /// # Errors
    /// [`CoreError::BadValue`] if a width is no finite number above 0, or a gap is negative.
    pub fn waveform(&self) -> Result<Waveform, CoreError> {
        let pulse = match self.recharge {
            None => Waveform::monophasic(self.pw_ms)?,
            Some(Recharge {
                gap_ms,
                asymmetry: 1.0,
            }) => Waveform::biphasic(self.pw_ms, gap_ms)?,
            Some(Recharge { gap_ms, asymmetry }) => {
                Waveform::charge_balanced(self.pw_ms, asymmetry * self.pw_ms, gap_ms)?
            }
        };
        Ok(pulse.scaled(-self.amplitude).delayed(self.delay_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TimeGrid;

    #[test]
    fn numbers_make_the_pulse_that_they_were_read_from() {
        let grid = TimeGrid::new(0.005, 2.0).unwrap();
        for text in [
            "monophasic:pw=0.103,delay=0.2,scale=-2",
            "biphasic:pw=0.2,gap=0.0517,delay=0.1",
            "charge-balanced:pw1=0.1,pw2=0.3,gap=0.02",
            "asymmetric-biphasic:pw=0.2,delay=0",
        ] {
            let given: Waveform = text.parse().unwrap();
            let made = given.rectangular().unwrap().waveform().unwrap();
            let (given, made) = (given.sample(&grid).unwrap(), made.sample(&grid).unwrap());
            for (given, made) in given.iter().zip(&made) {
                assert!((given - made).abs() < 1e-13, "{text}: {made}, not {given}");
            }
        }
    }

    #[test]
    fn other_waveforms_have_no_such_numbers() {
        for text in [
            "triangle",
            "sine:freq=2,dur=1",
            "train:pulse=biphasic(pw=0.1),freq=1,n=2",
        ] {
            let waveform: Waveform = text.parse().unwrap();
            assert_eq!(waveform.rectangular(), None, "{text}");
        }
        let one = || Waveform::monophasic(0.1).unwrap();
        assert_eq!((one() + one().delayed(0.2)).rectangular(), None);
        let table = Waveform::from_table(vec![0.0, 0.1], vec![-1.0, 0.0]).unwrap();
        assert_eq!(table.rectangular(), None);
        let mut shape = one().rectangular().unwrap();
        shape.pw_ms = 0.0;
        assert!(
            shape
                .waveform()
                .unwrap_err()
                .to_string()
                .contains("pw of monophasic")
        );
    }
}
