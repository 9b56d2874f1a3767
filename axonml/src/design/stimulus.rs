//! Currents of the contacts of a cuff.

use std::sync::Arc;

/// Currents of the contacts of a cuff over time: each contact delivers its amplitude times a waveform.
///
/// Contacts whose waveforms are one ([`Arc::ptr_eq`]) are projected on fibers as one source.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivered {
    /// Amplitude of each contact, mA.
    pub amplitudes_ma: Vec<f64>,
    /// Waveform of each contact, without unit, one value for each step.
    pub waveforms: Vec<Arc<Vec<f64>>>,
    /// Time step, ms.
    pub dt_ms: f64,
}

impl Delivered {
    /// Amplitudes of one waveform.
    pub fn of_one(amplitudes_ma: Vec<f64>, waveform: &Arc<Vec<f64>>, dt_ms: f64) -> Self {
        Delivered {
            waveforms: vec![waveform.clone(); amplitudes_ma.len()],
            amplitudes_ma,
            dt_ms,
        }
    }

    /// Number of contacts.
    pub fn contacts(&self) -> usize {
        self.amplitudes_ma.len()
    }

    /// The currents of a contact over time, mA.
    pub fn currents_ma(&self, contact: usize) -> impl Iterator<Item = f64> + '_ {
        let amplitude_ma = self.amplitudes_ma[contact];
        let waveform = self.waveforms[contact].iter();
        waveform.map(move |value| amplitude_ma * value)
    }

    /// `factor` times the stimulus.
    pub fn scaled(&self, factor: f64) -> Self {
        Delivered {
            amplitudes_ma: self.amplitudes_ma.iter().map(|ma| ma * factor).collect(),
            ..self.clone()
        }
    }

    /// The current of each contact over time, mA. Contacts whose currents are the same share them.
    pub fn in_ma(&self) -> Vec<Arc<Vec<f64>>> {
        let mut known: Vec<(usize, Arc<Vec<f64>>)> = Vec::new();
        let mut all = Vec::with_capacity(self.contacts());
        for contact in 0..self.contacts() {
            let like = |known: &&(usize, Arc<Vec<f64>>)| {
                self.amplitudes_ma[known.0] == self.amplitudes_ma[contact]
                    && Arc::ptr_eq(&self.waveforms[known.0], &self.waveforms[contact])
            };
            let shared = known
                .iter()
                .find(like)
                .map(|(_, currents)| currents.clone());
            let own = shared.unwrap_or_else(|| {
                let currents = Arc::new(self.currents_ma(contact).collect());
                known.push((contact, Arc::clone(&currents)));
                currents
            });
            all.push(own);
        }
        all
    }

    /// The waveform, if it is the same at all contacts.
    pub fn shared_waveform(&self) -> Option<&Arc<Vec<f64>>> {
        let first = self.waveforms.first()?;
        let mut rest = self.waveforms.iter();
        rest.all(|other| Arc::ptr_eq(first, other)).then_some(first)
    }

    /// Largest current of a contact, mA.
    pub fn peak_ma(&self, contact: usize) -> f64 {
        self.currents_ma(contact)
            .fold(0.0, |most, ma| most.max(ma.abs()))
    }

    /// Charge of each phase of a contact, nC, with its sign: a phase is a run of steps whose currents have one sign,
    /// pauses included.
    pub fn phases_nc(&self, contact: usize) -> Vec<f64> {
        let mut phases: Vec<f64> = Vec::new();
        for ma in self.currents_ma(contact).filter(|ma| *ma != 0.0) {
            // mA ms are uC.
            let nc = 1e3 * ma * self.dt_ms;
            match phases.last_mut() {
                Some(last) if last.signum() == nc.signum() => *last += nc,
                _ => phases.push(nc),
            }
        }
        phases
    }

    /// The largest charge of a phase of a contact, nC, without sign.
    pub fn charge_phase_nc(&self, contact: usize) -> f64 {
        let phases = self.phases_nc(contact).into_iter();
        phases.fold(0.0, |most, nc| most.max(nc.abs()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 0.2 ms of -1, a pause, 0.4 ms of 0.5, 0.1 ms of -1, at -0.3 mA: phases of 60, -60 and 30 nC.
    #[test]
    fn phases_are_runs_of_one_sign() {
        let waveform = [
            vec![-1.0; 40],
            vec![0.0; 7],
            vec![0.5; 80],
            vec![-1.0; 20],
            vec![0.0; 3],
        ]
        .concat();
        let stimulus = Delivered::of_one(vec![-0.3, 0.0], &Arc::new(waveform), 0.005);
        let phases = stimulus.phases_nc(0);
        assert_eq!(phases.len(), 3);
        for (found, expected) in phases.iter().zip([60.0, -60.0, 30.0]) {
            assert!((found - expected).abs() < 1e-9, "{found} {expected}");
        }
        assert!((stimulus.charge_phase_nc(0) - 60.0).abs() < 1e-9);
        assert_eq!(stimulus.charge_phase_nc(1), 0.0);
        assert_eq!(stimulus.peak_ma(0), 0.3);
        assert_eq!(stimulus.scaled(2.0).peak_ma(0), 0.6);
        assert!(stimulus.shared_waveform().is_some());
    }
}
