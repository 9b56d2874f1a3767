//! Charge, energy and peak current of a stimulus.

use serde::{Deserialize, Serialize};

use super::Delivered;

/// Charge, energy and largest current of a stimulus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Dose {
    /// Sum over contacts of the charge of the larger phase, nC.
    pub charge_nc: f64,
    /// Sum over contacts of the integral of the squared current, mA2 ms.
    pub energy_ma2_ms: f64,
    /// Largest current of a contact, mA.
    pub peak_ma: f64,
}

impl Dose {
    /// The dose of a stimulus.
    pub fn of(stimulus: &Delivered) -> Self {
        let contacts = 0..stimulus.contacts();
        let squares = |contact| stimulus.currents_ma(contact).map(|ma| ma * ma).sum::<f64>();
        Dose {
            charge_nc: contacts.clone().map(|of| larger_nc(stimulus, of)).sum(),
            energy_ma2_ms: stimulus.dt_ms * contacts.clone().map(squares).sum::<f64>(),
            peak_ma: contacts.fold(0.0, |most, of| stimulus.peak_ma(of).max(most)),
        }
    }
}

/// All that flows into a contact or all that flows out, whichever is more, nC.
fn larger_nc(stimulus: &Delivered, contact: usize) -> f64 {
    let phases = stimulus.phases_nc(contact);
    let sum = |sign: f64| phases.iter().map(|nc| (sign * nc).max(0.0)).sum::<f64>();
    sum(1.0).max(sum(-1.0))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    /// 0.2 ms of -1 and 0.2 ms of 1 through two contacts, 0.1 and -0.3 mA: 80 nC a phase, 0.1 mA2 times 0.4 ms.
    #[test]
    fn a_biphasic_pulse_costs_its_larger_phase() {
        let waveform = Arc::new([vec![0.0; 3], vec![-1.0; 40], vec![1.0; 40]].concat());
        let dose = Dose::of(&Delivered::of_one(vec![0.1, 0.0, -0.3], &waveform, 0.005));
        assert!((dose.charge_nc - 80.0).abs() < 1e-10);
        assert!((dose.energy_ma2_ms - 0.04).abs() < 1e-15);
        assert_eq!(dose.peak_ma, 0.3);
        let none = Delivered::of_one(Vec::new(), &waveform, 0.005);
        assert_eq!(Dose::of(&none), Dose::default());
    }
}
