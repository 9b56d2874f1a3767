//! Transmission of test pulses through a fiber under stimulation: counts of action potentials and what they mean.

use axonml_autodiff::engine::FiberStatus;
use axonml_core::CoreError;
use axonml_core::error::short;

use super::pulses::{TestPulses, Windows, first_state};
use super::trials::{Kind, Rollouts, Trial, Trials};
use crate::{Detection, Progress, Simulation, SimulationError, Stimulus};

/// Meaning of the action potentials that arrive at the site of a fiber.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransmissionState {
    /// Exactly one in the window of each test pulse, and nothing else.
    Transmitted,
    /// At least one that no test pulse explains: a second one in a window, or one before the first window; without test
    /// pulses, any.
    Excited,
    /// None, although test pulses are given.
    Blocked,
    /// At most one in each window and nothing else, but none in some windows.
    Partial,
    /// None, and no test pulses are given.
    Quiet,
    /// The solution diverged.
    Diverged,
}

impl TransmissionState {
    /// Its name in result files.
    pub fn name(self) -> &'static str {
        match self {
            TransmissionState::Transmitted => "transmitted",
            TransmissionState::Excited => "excited",
            TransmissionState::Blocked => "blocked",
            TransmissionState::Partial => "partial",
            TransmissionState::Quiet => "quiet",
            TransmissionState::Diverged => "diverged",
        }
    }
}

/// Response of a fiber to the stimulus at one amplitude.
#[derive(Clone, Debug, PartialEq)]
pub struct Transmission {
    /// Amplitude of the extracellular sources, mA.
    pub amplitude_ma: f64,
    /// Action potentials at the site from [`Detection::after_ms`] on; of a run that diverged, those before it did.
    pub n_ap: usize,
    /// Test pulses whose onset lies at or after [`Detection::after_ms`]: as many action potentials are expected.
    pub n_ap_expected: usize,
    /// Action potentials at the site before [`Detection::after_ms`].
    pub n_before: usize,
    /// Action potentials in the window of each expected test pulse.
    pub per_pulse: Vec<usize>,
    /// Their meaning.
    pub state: TransmissionState,
    /// How the run ended.
    pub status: FiberStatus,
}

impl Transmission {
    /// Counts arrivals, given as states of the run.
    pub(super) fn of(
        amplitude_ma: f64,
        arrivals: &[usize],
        windows: &Windows,
        status: FiberStatus,
    ) -> Self {
        let mut per_pulse = vec![0; windows.onsets.len()];
        let (mut n_ap, mut n_before) = (0, 0);
        for &arrival in arrivals {
            if arrival < windows.after {
                n_before += 1;
                continue;
            }
            n_ap += 1;
            let begun = windows.onsets.partition_point(|&onset| onset <= arrival);
            if let Some(window) = begun.checked_sub(1) {
                per_pulse[window] += 1;
            }
        }
        let state = match status {
            FiberStatus::Diverged { .. } => TransmissionState::Diverged,
            _ => state(n_ap, &per_pulse),
        };
        Transmission {
            amplitude_ma,
            n_ap,
            n_ap_expected: per_pulse.len(),
            n_before,
            per_pulse,
            state,
            status,
        }
    }

    /// Whether an action potential arrives in the window of every test pulse, whatever else does.
    pub(super) fn all_arrive(&self) -> bool {
        !self.per_pulse.is_empty() && self.per_pulse.iter().all(|&n| n > 0)
    }
}

/// The meaning of `n_ap` action potentials of which `per_pulse` lie in the windows of the test pulses.
fn state(n_ap: usize, per_pulse: &[usize]) -> TransmissionState {
    let in_windows: usize = per_pulse.iter().sum();
    let unexplained = n_ap > in_windows || per_pulse.iter().any(|&n| n > 1);
    match n_ap {
        0 if per_pulse.is_empty() => TransmissionState::Quiet,
        0 => TransmissionState::Blocked,
        _ if unexplained => TransmissionState::Excited,
        _ if in_windows < per_pulse.len() => TransmissionState::Partial,
        _ => TransmissionState::Transmitted,
    }
}

impl Simulation {
    /// Counts the action potentials at one site of every fiber at each of its amplitudes, as for maps of the response to
    /// kHz stimulation.
    ///
    /// The site is the last of the detection's: beyond the field, as seen from the test pulses. Counted are action
    /// potentials as [`Detection`] defines them (a site that is above the level when counting begins is no crossing
    /// here), from [`Detection::after_ms`] on. `pulses` act in addition to the stimulus and are not scaled; without them
    /// none are expected, and states are [`TransmissionState::Quiet`] and [`TransmissionState::Excited`]: the count is
    /// the result.
    ///
    /// Fields are sampled once, however many amplitudes there are; results depend neither on other fibers and amplitudes
    /// nor on how many are simulated at once. A run that diverges has [`TransmissionState::Diverged`] and is no error.
    ///
    /// # Shape
    /// `amplitudes_ma[fiber][amplitude]`, in any order and number; the result has the same shape.
    ///
    /// # Units
    /// mA.
    ///
    /// # Errors
    /// [`SimulationError`] if stimulus, test pulses, amplitudes or detection sites do not fit the fibers or the run, if
    /// the site lies within three nodes of the test pulses, or if the work is canceled.
    pub fn transmission(
        &self,
        stimulus: &Stimulus,
        pulses: Option<&TestPulses>,
        detection: &Detection,
        amplitudes_ma: &[Vec<f64>],
        progress: &mut Progress<'_>,
    ) -> Result<Vec<Vec<Transmission>>, SimulationError> {
        if amplitudes_ma.len() != self.fibers().len() {
            return Err(SimulationError::Core(CoreError::BadValue {
                what: "the number of lists of amplitudes".into(),
                found: amplitudes_ma.len().to_string(),
                expected: format!("one per fiber, {}", self.fibers().len()),
            }));
        }
        if let Some(ma) = amplitudes_ma.iter().flatten().find(|ma| !ma.is_finite()) {
            return Err(SimulationError::Core(CoreError::BadValue {
                what: "an amplitude".into(),
                found: short(*ma),
                expected: "a finite number of mA".into(),
            }));
        }
        let rollouts = Rollouts::new(self, stimulus, pulses, detection)?;
        let windows = match pulses {
            Some(pulses) => pulses.windows(self.grid(), detection.after_ms),
            None => Windows {
                after: first_state(self.grid(), detection.after_ms),
                onsets: Vec::new(),
            },
        };
        let mut trials = Trials::new(self, &rollouts, detection)?;
        let mut found: Vec<Vec<Transmission>> = amplitudes_ma
            .iter()
            .map(|of| Vec::with_capacity(of.len()))
            .collect();
        let all: usize = amplitudes_ma.iter().map(Vec::len).sum();
        let mut done = 0;
        progress(0.0);
        let each = |fiber: usize| {
            amplitudes_ma[fiber].iter().map(move |&amplitude_ma| Trial {
                fiber,
                amplitude_ma,
                kind: Kind::Pulsed,
            })
        };
        for fibers in trials.rooms() {
            let wanted: Vec<Trial> = fibers.flat_map(each).collect();
            for batch in wanted.chunks(trials.batch()) {
                for seen in trials.run(batch)? {
                    let (arrivals, status) = (&seen.arrivals, seen.status);
                    let counted =
                        Transmission::of(seen.trial.amplitude_ma, arrivals, &windows, status);
                    found[seen.trial.fiber].push(counted);
                }
                done += batch.len();
                progress(done as f64 / all as f64);
            }
            trials.forget();
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests;
