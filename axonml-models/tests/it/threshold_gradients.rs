//! Derivatives of thresholds against differences of thresholds.

use std::sync::Arc;

use axonml_core::{Field, Medium, PointSource, Waveform};
use axonml_models::weights::Weights;
use axonml_models::{
    Device, Fiber, GradientRequest, Settings, Simulation, SimulationError, Stimulus,
    ThresholdGradient, ThresholdSearch, model,
};

const NODES: usize = 31;
const DT_MS: f64 = 0.005;
const DIAMETERS_UM: [f64; 2] = [8.0, 12.0];

fn search() -> ThresholdSearch {
    ThresholdSearch {
        resolution: 1e-8,
        ..ThresholdSearch::default()
    }
}

/// Two electrodes with a waveform each, so that waveforms are not the amplitude in disguise.
fn stimulus(simulation: &Simulation, waveforms: [&[f64]; 2]) -> Stimulus {
    let electrode = |z_um: f64| PointSource {
        x_um: 800.0,
        y_um: 0.0,
        z_um,
        medium: Medium::isotropic(500.0),
    };
    let waveforms =
        waveforms.map(|samples| Arc::new(Waveform::from_samples(DT_MS, samples.to_vec()).unwrap()));
    let mut stimulus = Stimulus::none(DIAMETERS_UM.len());
    for fiber in 0..DIAMETERS_UM.len() {
        for (waveform, z_um) in waveforms.iter().zip([200.0, 1500.0]) {
            let points = simulation.sample_points_um(fiber);
            let ve = electrode(z_um).potentials_mv(points).unwrap();
            stimulus = stimulus.potentials(fiber, ve, waveform.clone()).unwrap();
        }
    }
    stimulus
}

fn samples(steps: usize, from: usize, to: usize, value: f64) -> Vec<f64> {
    (0..steps)
        .map(|k| if (from..to).contains(&k) { value } else { 0.0 })
        .collect()
}

struct Case {
    id: &'static str,
    parameters: Vec<(String, f64)>,
    waveforms: [Vec<f64>; 2],
}

impl Case {
    fn new(id: &'static str) -> Case {
        // The untrained surrogate fires by itself.
        let parameters = match id {
            "smf" => vec![("gl".into(), 0.09), ("el".into(), -80.8)],
            _ => Vec::new(),
        };
        // A cathodic pulse on one contact, half of it reversed and late on the other.
        let steps = 300;
        Case {
            id,
            parameters,
            waveforms: [samples(steps, 20, 50, -1.0), samples(steps, 40, 80, 0.5)],
        }
    }

    fn simulation(&self) -> Simulation {
        let fibers = DIAMETERS_UM.map(|d| Fiber::new(d, NODES)).to_vec();
        let settings = Settings {
            dt_ms: DT_MS,
            tstop_ms: 1.5,
            weights: Weights::Published,
            parameters: self.parameters.clone(),
            ..Settings::default()
        };
        let device = Device::cpu().unwrap();
        Simulation::new(&model(self.id).unwrap(), fibers, &settings, &device).unwrap()
    }

    fn stimulus(&self, simulation: &Simulation) -> Stimulus {
        stimulus(simulation, [&self.waveforms[0], &self.waveforms[1]])
    }

    /// Searched for from `near_ma`, if given.
    fn thresholds(&self, near_ma: Option<&[f64]>) -> Vec<f64> {
        let simulation = self.simulation();
        let stimulus = self.stimulus(&simulation);
        let found = match near_ma {
            Some(near) => simulation.thresholds_near(&stimulus, &search(), near, &mut |_| ()),
            None => simulation.thresholds(&stimulus, &search(), &mut |_| ()),
        };
        let found = found.unwrap();
        found.iter().map(|t| t.upper_ma().unwrap()).collect()
    }

    fn gradients(&self) -> Vec<ThresholdGradient> {
        let simulation = self.simulation();
        let known: Vec<_> = self.thresholds(None).into_iter().map(Some).collect();
        let stimulus = self.stimulus(&simulation);
        let gradients = simulation
            .threshold_gradients(&stimulus, &search(), &known, GradientRequest::ALL)
            .unwrap();
        gradients.into_iter().map(Option::unwrap).collect()
    }

    /// Central differences of `ln threshold` per fiber for a change of the case by `+h` and `-h`.
    fn differences(&self, near: &[f64], h: f64, change: impl Fn(&mut Case, f64)) -> Vec<f64> {
        let at = |h: f64| {
            let mut case = Case {
                id: self.id,
                parameters: self.parameters.clone(),
                waveforms: self.waveforms.clone(),
            };
            change(&mut case, h);
            case.thresholds(Some(near))
        };
        let (above, below) = (at(h), at(-h));
        let each = above.iter().zip(&below);
        each.map(|(a, b)| (a / b).ln() / (2.0 * h)).collect()
    }
}

/// Within one percent, or a hundredth of what a natural change of the threshold is.
fn close(what: &str, found: f64, expected: f64, scale: f64) {
    let error = (found - expected).abs();
    assert!(
        error <= 0.01 * expected.abs() + 1e-4 * scale,
        "{what}: {found:e}, by differences {expected:e}"
    );
}

#[test]
fn by_parameters_waveforms_and_contacts() {
    for id in ["mrg", "smf", "two-mode"] {
        let case = Case::new(id);
        let near = case.thresholds(None);
        let gradients = case.gradients();
        let schema = case.simulation().schema().clone();

        // Parameters of the membrane, of the geometry, and of the couplings.
        let names: &[&str] = match id {
            "mrg" => &[
                "gna",
                "gk",
                "el",
                "cm",
                "ra",
                "g_mysa",
                "c_lamella",
                "e_internode",
            ],
            "smf" => &[
                "gnabar",
                "amB",
                "bhA",
                "cm",
                "axond2",
                "deltax2",
                "v_neighbor",
                "ve_center",
            ],
            _ => &[
                "gnabar",
                "bmC",
                "noded2",
                "capacitance_0",
                "neighbor_1",
                "even_rate_0",
                "node_odd_0",
            ],
        };
        for &name in names {
            let place = schema.parameters.iter().position(|p| p.name == name);
            let value = schema.parameters[place.unwrap()].value;
            let h = 2e-4 * value.abs();
            let expected = case.differences(&near, h, |case, h| {
                case.parameters.push((name.into(), value + h));
            });
            for (gradient, expected) in gradients.iter().zip(expected) {
                let found = gradient.parameters[place.unwrap()];
                close(&format!("{id} {name}"), found, expected, 1.0 / value.abs());
            }
        }

        // Samples within both pulses, and just outside.
        for (contact, step) in [(0, 18), (0, 49), (1, 60), (1, 85)] {
            let expected =
                case.differences(&near, 0.02, |case, h| case.waveforms[contact][step] += h);
            for (gradient, expected) in gradients.iter().zip(expected) {
                let found = gradient.sources[contact].waveform[step];
                close(&format!("{id} sample {step}"), found, expected, 0.1);
            }
        }

        // The amplitude of one contact.
        for contact in 0..2 {
            let expected = case.differences(&near, 1e-3, |case, h| {
                case.waveforms[contact]
                    .iter_mut()
                    .for_each(|w| *w *= 1.0 + h);
            });
            for (gradient, expected) in gradients.iter().zip(expected) {
                let by_waveform = gradient.sources[contact].waveform.iter();
                let found: f64 = by_waveform
                    .zip(&case.waveforms[contact])
                    .map(|(g, w)| g * w)
                    .sum();
                close(&format!("{id} contact {contact}"), found, expected, 0.1);
            }
        }

        // All contacts together scale the threshold: -1, whatever the model.
        for gradient in &gradients {
            let all = gradient.sources.iter().zip(&case.waveforms);
            let total: f64 = all
                .flat_map(|(source, w)| source.waveform.iter().zip(w).map(|(g, w)| g * w))
                .sum();
            assert!((total + 1.0).abs() < 1e-9, "{id}: {total}");
        }
    }
}

#[test]
fn what_is_no_threshold_is_refused() {
    let case = Case::new("mrg");
    let simulation = case.simulation();
    let stimulus = case.stimulus(&simulation);
    let below = [Some(0.5 * case.thresholds(None)[0]), None];
    let error = simulation
        .threshold_gradients(&stimulus, &search(), &below, GradientRequest::default())
        .unwrap_err();
    assert!(
        matches!(error, SimulationError::NoThreshold { fiber: 0, .. }),
        "{error}"
    );
    // The per-fiber variant returns the other fiber.
    let thresholds = case.thresholds(None);
    let half = [Some(0.5 * thresholds[0]), Some(thresholds[1])];
    let request = GradientRequest {
        parameters: true,
        ..GradientRequest::default()
    };
    let each = simulation
        .threshold_gradients_each(&stimulus, &search(), &half, request)
        .unwrap();
    let both: Vec<_> = thresholds.into_iter().map(Some).collect();
    let both = simulation.threshold_gradients(&stimulus, &search(), &both, request);
    let [Some(Err(error)), Some(Ok(other))] = &each[..] else {
        panic!("{each:?}")
    };
    assert!(
        matches!(error, SimulationError::NoThreshold { fiber: 0, .. }),
        "{error}"
    );
    assert_eq!(Some(other), both.unwrap()[1].as_ref());
    let none =
        simulation.threshold_gradients(&stimulus, &search(), &[None, None], GradientRequest::ALL);
    assert_eq!(none.unwrap(), [None, None]);
}
