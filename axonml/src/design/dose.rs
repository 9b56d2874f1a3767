//! Charge, energy and peak current of a stimulus.

/// Charge, energy and largest current of a stimulus.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Dose {
    /// Sum over contacts of the charge of the larger phase, nC.
    pub charge_nc: f64,
    /// Sum over contacts of the integral of the squared current, mA2 ms.
    pub energy_ma2_ms: f64,
    /// Largest current of a contact, mA.
    pub peak_ma: f64,
}

impl Dose {
    /// The dose of currents `amplitudes_ma[contact]` times one waveform, sampled in steps of `dt_ms`.
    pub fn of(amplitudes_ma: &[f64], waveform: &[f64], dt_ms: f64) -> Self {
        let phase = |sign: f64| waveform.iter().map(|w| (sign * w).max(0.0)).sum::<f64>() * dt_ms;
        // mA ms are uC.
        let unit_nc = 1e3 * phase(1.0).max(phase(-1.0));
        let unit_energy = waveform.iter().map(|w| w * w).sum::<f64>() * dt_ms;
        let unit_peak = waveform.iter().fold(0.0_f64, |most, w| most.max(w.abs()));
        let sum = |of: fn(f64) -> f64| amplitudes_ma.iter().map(|ma| of(*ma)).sum::<f64>();
        Dose {
            charge_nc: unit_nc * sum(f64::abs),
            energy_ma2_ms: unit_energy * sum(|ma| ma * ma),
            peak_ma: unit_peak
                * amplitudes_ma
                    .iter()
                    .fold(0.0_f64, |most, ma| most.max(ma.abs())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 0.2 ms of -1 and 0.2 ms of 1 through two contacts, 0.1 and -0.3 mA: 80 nC a phase, 0.1 mA2 times 0.4 ms.
    #[test]
    fn a_biphasic_pulse_costs_its_larger_phase() {
        let waveform = [vec![0.0; 3], vec![-1.0; 40], vec![1.0; 40]].concat();
        let dose = Dose::of(&[0.1, 0.0, -0.3], &waveform, 0.005);
        assert!((dose.charge_nc - 80.0).abs() < 1e-10);
        assert!((dose.energy_ma2_ms - 0.04).abs() < 1e-15);
        assert_eq!(dose.peak_ma, 0.3);
        assert_eq!(Dose::of(&[], &waveform, 0.005), Dose::default());
    }
}
