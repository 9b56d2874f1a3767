//! Currents of the contacts, phase by phase.

use axonml::design::DesignRecord;

/// A run of currents of one sign, pauses within it included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Phase {
    /// Largest current, with its sign, mA.
    pub(crate) peak_ma: f64,
    /// Time with a current, ms; of a rectangular phase its exact width.
    pub(crate) width_ms: f64,
    /// Charge with its sign, nC.
    pub(crate) charge_nc: f64,
    /// Whether the current is the same throughout, but for steps at its edges.
    pub(crate) is_flat: bool,
}

/// How a stimulus is best told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Contacts deliver one waveform of at most two rectangular phases, each with its amplitude.
    Pulses,
    /// Contacts have waveforms that take a file to tell.
    Waveforms,
    /// Amplitudes are known, the currents over time are not.
    Amplitudes,
}

/// Currents of the contacts.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    /// How it is told.
    pub(crate) form: Form,
    /// The phases of each contact.
    pub(crate) phases: Vec<Vec<Phase>>,
    /// Sign of the first phase of a positive amplitude, where contacts share a waveform.
    pub(crate) polarity: Option<f64>,
}

impl Delivery {
    /// Those of a design.
    pub(crate) fn of(record: &DesignRecord) -> Self {
        let result = &record.result;
        let each = record.currents_ma.iter();
        let phases: Vec<Vec<Phase>> = each.map(|ma| phases(&record.times_ms, ma)).collect();
        let simple = |contact: &Vec<Phase>| contact.len() <= 2 && contact.iter().all(|p| p.is_flat);
        let signs = phases.iter().zip(&result.amplitudes_ma);
        let mut signs = signs.filter_map(|(phases, ma)| {
            let first = phases.first()?;
            (*ma != 0.0).then(|| first.peak_ma.signum() * ma.signum())
        });
        let first = signs.next();
        let shared = result.waveform.is_none() && signs.all(|sign| Some(sign) == first);
        Delivery {
            form: match phases.iter().flatten().next() {
                None => Form::Amplitudes,
                Some(_) if result.waveform.is_none() && phases.iter().all(simple) => Form::Pulses,
                Some(_) => Form::Waveforms,
            },
            polarity: first.filter(|_| shared),
            phases,
        }
    }

    /// Sign of the color of a contact: that of its first phase, or of its amplitude where nothing is known over time.
    pub(super) fn sign(&self, contact: usize, amplitude_ma: f64) -> f64 {
        let first = self.phases.get(contact).and_then(|phases| phases.first());
        first.map_or(self.first_phase_ma(amplitude_ma), |first| first.peak_ma)
    }

    /// Current of the first phase of an amplitude, where that is known: else the amplitude.
    pub(crate) fn first_phase_ma(&self, amplitude_ma: f64) -> f64 {
        // Not -0.
        self.polarity.unwrap_or(1.0) * amplitude_ma + 0.0
    }
}

/// Begin of each step and the end of the last one, ms.
pub(super) fn edges(times_ms: &[f64]) -> Vec<f64> {
    let [.., before, last] = times_ms else {
        return Vec::new();
    };
    let mut edges = times_ms.to_vec();
    edges.push(last + (last - before));
    edges
}

/// The phases of a contact.
fn phases(times_ms: &[f64], currents_ma: &[f64]) -> Vec<Phase> {
    let edges = edges(times_ms);
    let mut runs: Vec<Vec<(f64, f64)>> = Vec::new();
    for (ends, ma) in edges.windows(2).zip(currents_ma) {
        if *ma == 0.0 || !ma.is_finite() {
            continue;
        }
        let step = (ends[1] - ends[0], *ma);
        match runs.last_mut() {
            Some(run) if run[0].1.signum() == ma.signum() => run.push(step),
            _ => runs.push(vec![step]),
        }
    }
    runs.iter().map(|run| phase(run)).collect()
}

/// A phase of steps, each with its length, ms, and current, mA.
fn phase(run: &[(f64, f64)]) -> Phase {
    /// Relative difference of currents that are the same, after sums of waveforms in another order.
    const SAME: f64 = 1e-9;
    let largest = |best: f64, (_, ma): &(f64, f64)| match ma.abs() > best.abs() {
        true => *ma,
        false => best,
    };
    let peak_ma = run.iter().fold(0.0, largest);
    // Edges within a step act with the part of it that they cover.
    let inner = run.get(1..run.len() - 1).unwrap_or_default();
    let is_flat = inner
        .iter()
        .all(|(_, ma)| (ma - peak_ma).abs() <= SAME * peak_ma.abs());
    let ma_ms: f64 = run.iter().map(|(ms, ma)| ms * ma).sum();
    Phase {
        peak_ma,
        width_ms: match is_flat {
            true => ma_ms / peak_ma,
            false => run.iter().map(|(ms, _)| ms).sum(),
        },
        charge_nc: 1e3 * ma_ms,
        is_flat,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axonml::design::DesignResult;

    fn record(currents_ma: Vec<Vec<f64>>, amplitudes_ma: Vec<f64>) -> DesignRecord {
        let steps = currents_ma.first().map_or(0, Vec::len);
        DesignRecord {
            times_ms: (0..steps).map(|step| 0.005 * step as f64).collect(),
            currents_ma,
            result: DesignResult {
                amplitudes_ma,
                ..DesignResult::default()
            },
            ..DesignRecord::default()
        }
    }

    /// 0.2 ms of -1 and 0.2 ms of 1 at 0.3 mA: 60 nC each.
    #[test]
    fn a_pulse_has_width_and_charge() {
        let wave = [vec![0.0; 3], vec![-1.0; 40], vec![1.0; 40], vec![0.0; 2]].concat();
        let of = |ma: f64| wave.iter().map(|w| ma * w).collect::<Vec<f64>>();
        let delivery = Delivery::of(&record(
            vec![of(0.3), of(-0.1), of(0.0)],
            vec![0.3, -0.1, 0.0],
        ));
        assert_eq!(
            (delivery.form, delivery.polarity),
            (Form::Pulses, Some(-1.0))
        );
        let [first, second] = delivery.phases[0][..] else {
            panic!("{:?}", delivery.phases[0])
        };
        assert_eq!((first.peak_ma, second.peak_ma), (-0.3, 0.3));
        assert!((first.width_ms - 0.2).abs() < 1e-12 && first.is_flat);
        assert!((first.charge_nc + 60.0).abs() < 1e-9);
        assert!((second.charge_nc - 60.0).abs() < 1e-9);
        assert_eq!(delivery.phases[1][0].peak_ma, 0.1);
        assert!(delivery.phases[2].is_empty());
        assert_eq!(delivery.first_phase_ma(0.3), -0.3);
    }

    /// 13.5 steps of 5 us are 67.5 us.
    #[test]
    fn an_edge_within_a_step_counts_for_its_part() {
        let wave = [vec![-0.2; 13], vec![-0.1, 0.0]].concat();
        let delivery = Delivery::of(&record(vec![wave], vec![0.2]));
        assert!((delivery.phases[0][0].width_ms - 0.0675).abs() < 1e-12);
        assert!((delivery.phases[0][0].charge_nc + 13.5).abs() < 1e-9);
    }

    #[test]
    fn other_waveforms_are_no_pulses() {
        let ramp: Vec<f64> = (0..20).map(|i| -0.01 * f64::from(i)).collect();
        assert_eq!(
            Delivery::of(&record(vec![ramp], vec![0.2])).form,
            Form::Waveforms
        );
        let unknown = Delivery::of(&record(Vec::new(), vec![0.2]));
        assert_eq!((unknown.form, unknown.polarity), (Form::Amplitudes, None));
        assert_eq!(unknown.first_phase_ma(0.2), 0.2);
        // Contacts of opposite waveforms share none.
        let opposite = record(vec![vec![0.1, 0.1], vec![-0.1, -0.1]], vec![0.1, 0.1]);
        assert_eq!(Delivery::of(&opposite).polarity, None);
    }
}
