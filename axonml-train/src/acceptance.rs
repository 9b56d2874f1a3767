//! Acceptance tests of a surrogate before release, independent of the errors of its thresholds.

use std::sync::Arc;

use axonml_core::{CoreError, Field, Medium, PointSource, Waveform};
use axonml_models::weights::ModelFile;
use axonml_models::{
    Device, Fiber, FiberModel, FiberStatus, NodeSelection, Observation, ObserverKind, ObserverSpec,
    Precision, Settings, Simulation, SimulationError, Stimulus, ThresholdSearch,
};
use thiserror::Error;

/// Errors of checking weights.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AcceptanceError {
    /// The weights have no training domain.
    #[error("the weights have no {what} in their domain; train them, or export them with a domain")]
    Domain {
        /// The missing entry.
        what: &'static str,
    },
    /// A simulation could not be run.
    #[error(transparent)]
    Simulation(#[from] SimulationError),
}

/// The result of the check.
#[derive(Clone, Debug, PartialEq)]
pub struct Acceptance {
    /// Fibers that fired within 40 ms without stimulus, um.
    pub spontaneous_um: Vec<f64>,
    /// Largest difference of the action potential's peak from the exact fiber's, mV.
    pub peak_mv: f64,
    /// Diameter (um) and multiple of the threshold at which a fiber diverged, or was beyond 150 mV after the pulse.
    pub unstable: Vec<(f64, f64)>,
}

/// Duration of the run without stimulus, ms.
const QUIET_MS: f64 = 40.0;
/// Largest difference of peaks, mV.
const PEAK_MV: f64 = 5.0;
/// No membrane is beyond this after the pulse, mV.
const SANE_MV: f64 = 150.0;
/// Amplitudes in thresholds.
const MULTIPLES: [f64; 5] = [1.5, 3.0, 6.0, 10.0, 20.0];
/// A node that the action potential is conducted to.
const CONDUCTED: i64 = 5;
const NODES: usize = 53;
const PULSE: &str = "monophasic:pw=0.1,delay=0.1";
const PULSE_END_MS: f64 = 0.25;
const DISTANCE_UM: f64 = 1000.0;

impl Acceptance {
    /// Whether the surrogate may be used.
    pub fn accepted(&self) -> bool {
        self.spontaneous_um.is_empty() && self.peak_mv <= PEAK_MV && self.unstable.is_empty()
    }

    /// Checks weights of `surrogate` at `diameters` diameters of their domain, from its least to its greatest, at their time step.
    ///
    /// # Errors
    /// As [`Acceptance::check`], and if the file is not complete or lacks a time step or diameters.
    pub fn of_weights(
        file: &ModelFile,
        surrogate: &dyn FiberModel,
        exact: &dyn FiberModel,
        diameters: usize,
        device: &Device,
    ) -> Result<Self, AcceptanceError> {
        let missing = |what| AcceptanceError::Domain { what };
        let settings = Settings {
            dt_ms: file.domain.dt_ms.ok_or(missing("time step"))?,
            precision: Precision::F64,
            weights: file.clone().into(),
            ..Settings::default()
        };
        let (low, high) = file.domain.diameter_um.ok_or(missing("diameters"))?;
        let last = diameters.max(2) - 1;
        let diameter = |k: usize| low + (high - low) * k as f64 / last as f64;
        let diameters_um: Vec<f64> = (0..=last).map(diameter).collect();
        Ok(Acceptance::check(
            surrogate,
            &settings,
            exact,
            &diameters_um,
            device,
        )?)
    }

    /// Checks `model` with `settings` (parameters, start, temperature and time step) against `exact` at these
    /// diameters.
    ///
    /// # Errors
    /// If a simulation cannot be set up, or a fiber has no threshold for a 0.1 ms pulse at 1 mm.
    pub fn check(
        model: &dyn FiberModel,
        settings: &Settings,
        exact: &dyn FiberModel,
        diameters_um: &[f64],
        device: &Device,
    ) -> Result<Self, SimulationError> {
        let own = Settings {
            tstop_ms: 5.0,
            ..settings.clone()
        };
        let theirs = Settings {
            dt_ms: own.dt_ms,
            tstop_ms: own.tstop_ms,
            precision: Precision::F64,
            ..Settings::default()
        };
        let quiet = Settings {
            tstop_ms: QUIET_MS,
            ..settings.clone()
        };
        let fibers: Vec<Fiber> = diameters_um.iter().map(|&d| Fiber::new(d, NODES)).collect();
        let simulation = Simulation::new(model, fibers.clone(), &own, device)?;
        let (thresholds_ma, peaks) = thresholds_and_peaks(&simulation)?;
        let (_, exact_peaks) =
            thresholds_and_peaks(&Simulation::new(exact, fibers.clone(), &theirs, device)?)?;
        let differences = peaks.iter().zip(&exact_peaks).map(|(a, b)| (a - b).abs());
        Ok(Acceptance {
            spontaneous_um: spontaneous(&Simulation::new(model, fibers, &quiet, device)?)?,
            peak_mv: differences.fold(0.0, greatest),
            unstable: unstable(&simulation, &thresholds_ma)?,
        })
    }
}

/// The greater of two numbers, or NaN if one is.
fn greatest(a: f64, b: f64) -> f64 {
    if a.is_nan() || b <= a { a } else { b }
}

fn stimulus(simulation: &Simulation) -> Result<Stimulus, SimulationError> {
    let electrode: Arc<dyn Field> = Arc::new(PointSource {
        x_um: DISTANCE_UM,
        y_um: 0.0,
        z_um: 0.0,
        medium: Medium::isotropic(500.0),
    });
    let pulse: Waveform = PULSE.parse()?;
    let fibers = simulation.fibers().len();
    Ok(Stimulus::uniform(fibers, electrode, pulse))
}

/// Thresholds in mA, and the largest voltage that an action potential at 1.5 times them reaches at a conducting node.
fn thresholds_and_peaks(simulation: &Simulation) -> Result<(Vec<f64>, Vec<f64>), SimulationError> {
    let stimulus = stimulus(simulation)?;
    let found = simulation.thresholds(&stimulus, &ThresholdSearch::default(), &mut |_| ())?;
    let mut thresholds_ma = Vec::with_capacity(found.len());
    for (fiber, threshold) in found.iter().enumerate() {
        thresholds_ma.push(
            threshold
                .upper_ma()
                .ok_or_else(|| SimulationError::Stimulus {
                    fiber,
                    source: CoreError::BadValue {
                        what: format!("the threshold for {PULSE} at {DISTANCE_UM} um"),
                        found: threshold.status().into(),
                        expected: "an amplitude".into(),
                    },
                })?,
        );
    }
    let nodes = NodeSelection::Nodes(vec![CONDUCTED]);
    let observer = ObserverSpec::new(ObserverKind::Maximum, nodes).after_ms(PULSE_END_MS);
    let above: Vec<f64> = thresholds_ma.iter().map(|t| 1.5 * t).collect();
    let outcome = simulation.run(&stimulus, above, &[observer])?;
    let peak = |observation: &Observation| match observation {
        Observation::Maximum(peaks) => peaks[0],
        _ => f64::NAN,
    };
    let peaks = outcome
        .fibers
        .iter()
        .map(|fiber| peak(&fiber.observations[0]));
    Ok((thresholds_ma, peaks.collect()))
}

/// Diameters of fibers that fire without stimulus, or diverge.
fn spontaneous(simulation: &Simulation) -> Result<Vec<f64>, SimulationError> {
    let stimulus = Stimulus::none(simulation.fibers().len());
    let observer = ObserverSpec::new(ObserverKind::Active { at_least: 1 }, NodeSelection::All);
    let outcome = simulation.run(&stimulus, 0.0, &[observer])?;
    let fires = |(fiber, outcome): (&Fiber, &axonml_models::FiberOutcome)| {
        let quiet = outcome.observations[0] == Observation::Active(None)
            && outcome.status == FiberStatus::Completed;
        (!quiet).then_some(fiber.diameter_um)
    };
    let each = simulation.fibers().iter().zip(&outcome.fibers);
    Ok(each.filter_map(fires).collect())
}

fn unstable(
    simulation: &Simulation,
    thresholds_ma: &[f64],
) -> Result<Vec<(f64, f64)>, SimulationError> {
    let stimulus = stimulus(simulation)?;
    let kind = ObserverKind::Recorder {
        states: Vec::new(),
        every: 2,
    };
    let recorder = ObserverSpec::new(kind, NodeSelection::All).after_ms(PULSE_END_MS);
    let mut unstable = Vec::new();
    for multiple in MULTIPLES {
        let amplitudes: Vec<f64> = thresholds_ma.iter().map(|t| multiple * t).collect();
        let outcome = simulation.run(&stimulus, amplitudes, std::slice::from_ref(&recorder))?;
        for (fiber, result) in simulation.fibers().iter().zip(&outcome.fibers) {
            let sane = match &result.observations[0] {
                Observation::Recorded(recording) => {
                    recording.v_mv.iter().all(|v| v.abs() <= SANE_MV)
                }
                _ => false,
            };
            if !sane || result.status != FiberStatus::Completed {
                unstable.push((fiber.diameter_um, multiple));
            }
        }
    }
    Ok(unstable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axonml_models::model;
    use axonml_models::weights::{BUNDLED, Weights};

    /// The bundled weights are those that `cargo xtask train-bundled` accepted.
    #[test]
    fn bundled_weights_are_accepted() {
        let device = Device::cpu().unwrap();
        assert!(!BUNDLED.is_empty());
        for bundled in BUNDLED {
            let file = ModelFile::from_bytes(bundled.bytes).unwrap();
            let found = Acceptance::of_weights(
                &file,
                &model(&file.model).unwrap(),
                &model("mrg").unwrap(),
                16,
                &device,
            )
            .unwrap();
            assert!(found.accepted(), "{}: {found:?}", bundled.name);
        }
    }

    /// Peaks that are no numbers are not near the exact ones.
    #[test]
    fn a_difference_that_is_no_number_is_kept() {
        let of = |differences: [f64; 3]| differences.into_iter().fold(0.0, greatest);
        assert_eq!(of([1.0, 3.0, 2.0]), 3.0);
        for place in 0..3 {
            let mut differences = [1.0, 3.0, 2.0];
            differences[place] = f64::NAN;
            assert!(of(differences).is_nan());
        }
    }

    /// A fiber is unstable if it diverges under the pulse, before anything is recorded, or continues with
    /// unphysiological voltages.
    #[test]
    fn unstable_fibers_are_found_out() {
        let of = |id: &str, threshold_ma: f64| {
            let settings = Settings {
                tstop_ms: 5.0,
                ..Settings::default()
            };
            let fibers = vec![Fiber::new(10.0, NODES)];
            let device = Device::cpu().unwrap();
            let simulation =
                Simulation::new(&model(id).unwrap(), fibers, &settings, &device).unwrap();
            unstable(&simulation, &[threshold_ma]).unwrap()
        };
        assert_eq!(of("mrg", 0.2), []);
        assert_eq!(of("mrg", 1e6).len(), MULTIPLES.len());
        assert_eq!(of("smf", 1e306).len(), MULTIPLES.len());
    }

    #[test]
    fn weights_that_do_not_say_where_they_hold_are_refused() {
        let smf = model("smf").unwrap();
        let device = Device::cpu().unwrap();
        let error =
            Acceptance::of_weights(&ModelFile::new(&smf), &smf, &smf, 16, &device).unwrap_err();
        assert!(error.to_string().contains("no time step"), "{error}");
    }

    /// The exact fiber accepts itself; the untrained surrogate, which fires by itself, is found out.
    #[test]
    fn a_fiber_that_fires_by_itself_is_found_out() {
        let device = Device::cpu().unwrap();
        let mrg = model("mrg").unwrap();
        let itself =
            Acceptance::check(&mrg, &Settings::default(), &mrg, &[8.0, 12.0], &device).unwrap();
        assert!(itself.accepted(), "{itself:?}");
        assert_eq!(itself.peak_mv, 0.0);
        let untrained = model("smf").unwrap();
        let fibers = vec![Fiber::new(10.0, NODES)];
        let quiet = Settings {
            tstop_ms: QUIET_MS,
            weights: Weights::Published,
            ..Settings::default()
        };
        let simulation = Simulation::new(&untrained, fibers, &quiet, &device).unwrap();
        assert_eq!(spontaneous(&simulation).unwrap(), [10.0]);
    }
}
