//! Gradients by the parameters of models against differences of runs of the reference, which solves internodes by their
//! compartments.

use std::sync::{Arc, OnceLock};

use axonml_core::Waveform;
use axonml_cpu::Reference;
use axonml_models::weights::Weights;
use axonml_models::{
    Device, Evaluation, Fiber, FiberModel, FiberOutcome, FiberSymbols, Geometry, GradientRequest,
    Membrane, Myelinated, MyelinatedSection, NodeSelection, ObserverKind, ObserverSpec, Patch,
    Schema, SectionKind, Settings, Simulation, Stimulus,
};

use super::cases::myelinated;
use super::pairing::{Random, recording, weights};
use crate::models::distinct;

/// Share of the largest derivative from which differences see one: below, their rounding is compared.
const SMALL: f64 = 2e-4;

/// Fourth-order difference of `f`: rounding wants large steps, curvature small ones; of `steps`, the one that comes
/// closest to `expected`, or first close enough.
fn difference(expected: f64, steps: &[f64], f: impl Fn(f64) -> f64) -> f64 {
    let mut closest = f64::INFINITY;
    for &h in steps {
        let [a, b, c, d] = [-2.0, -1.0, 1.0, 2.0].map(|k| f(k * h));
        let found = (a - 8.0 * b + 8.0 * c - d) / (12.0 * h);
        if (found - expected).abs() < (closest - expected).abs() {
            closest = found;
        }
        if (closest - expected).abs() <= 1e-9 * expected.abs() {
            break;
        }
    }
    closest
}

/// A myelinated fiber every number of which is a parameter: node, resistivity, reversal, and eight of each compartment,
/// which mirror each other.
struct Exposed;

/// Name and value of the parameters of [`Exposed`].
fn exposed() -> &'static [(&'static str, f64)] {
    static PARAMETERS: OnceLock<Vec<(&str, f64)>> = OnceLock::new();
    PARAMETERS.get_or_init(|| {
        let mut all = vec![
            ("length", 1.0),
            ("diameter", 3.3),
            ("width", 0.002),
            ("capacitance", 2.0),
            ("rho", 70.0),
            ("reversal", -80.0),
        ];
        for j in 0..5 {
            let near = |x: f64| x * (1.0 + 0.03 * f64::from(j));
            let length = [3.0, 46.0, 170.0, 175.0, 180.0][j as usize];
            let values = [
                ("length", length),
                ("fiber", near(10.0)),
                ("axon", near(6.9)),
                ("width", near(0.004)),
                ("cm", near(1.4)),
                ("gm", near(7e-4)),
                ("cx", near(4e-3)),
                ("gx", near(4e-5)),
            ];
            for (name, value) in values {
                let name: &'static str = format!("{name}_{j}").leak();
                all.push((name, value));
            }
        }
        all
    })
}

impl FiberModel for Exposed {
    fn schema(&self) -> Schema {
        let schema = Schema::new("exposed", "every number of the geometry a parameter")
            .states(["x"])
            .param("conductance", "g", 0.05, "S/cm2")
            .start_mv(-75.0);
        let all = exposed().iter();
        all.fold(schema, |schema, &(name, value)| {
            schema.param("geometry", name, value, "")
        })
    }

    fn geometry<'t>(&self, fiber: &FiberSymbols<'t>) -> Geometry<'t> {
        let all: Vec<_> = exposed().iter().map(|p| fiber.param(p.0)).collect();
        let internode = std::array::from_fn(|place: usize| {
            let s = &all[6 + 8 * place.min(9 - place)..];
            MyelinatedSection {
                length_um: s[0],
                fiber_diameter_um: s[1],
                axon_diameter_um: s[2],
                periaxonal_um: s[3],
                axolemma_uf_cm2: s[4],
                axolemma_s_cm2: s[5],
                myelin_uf_cm2: s[6],
                myelin_s_cm2: s[7],
            }
        });
        Geometry::Myelinated(Box::new(Myelinated {
            node_length_um: all[0],
            node_diameter_um: all[1],
            node_periaxonal_um: all[2],
            node_capacitance_uf_cm2: all[3],
            axial_ohm_cm: all[4],
            internode_reversal_mv: all[5],
            internode,
        }))
    }

    fn membrane<'t>(&self, _section: SectionKind, x: &Patch<'t>) -> Membrane<'t> {
        let v = x.v();
        Membrane::new()
            .ohmic(x.param("g") * x.state("x"), x.number(-90.0))
            .ohmic(x.number(0.01), x.number(-70.0))
            .gate_inf_tau("x", (0.1 * (v + 70.0)).sigmoid(), x.number(0.05))
    }
}

/// A loss that is linear in the recording of one recorder.
fn loss(fiber: usize, outcome: &FiberOutcome) -> Evaluation {
    let mut evaluation = weights(fiber, outcome);
    evaluation.state = None;
    let seen = recording(&outcome.observations[0]).unwrap();
    let weights = evaluation.recorded[0].as_ref().unwrap();
    let of_states = seen.states.iter().zip(&weights.states);
    let terms = of_states.chain([(&seen.v_mv, &weights.v_mv)]);
    evaluation.loss = terms
        .flat_map(|(x, w)| x.iter().zip(w))
        .map(|(x, w)| x * w)
        .sum();
    evaluation
}

/// Simulations of one fiber that differ in a parameter, the temperature or the start, in unmoved potentials.
struct Model {
    model: &'static dyn FiberModel,
    backend: Device,
}

impl Model {
    fn simulation(&self, change: impl FnOnce(&mut Settings)) -> Simulation {
        // Differences of a tenth of a parameter are taken too: explicit steps must be stable with those.
        let dt_ms = 0.004;
        let mut settings = Settings {
            dt_ms,
            tstop_ms: 40.0 * dt_ms,
            weights: Weights::Published,
            ..Settings::default()
        };
        change(&mut settings);
        let diameter_um = match myelinated(&self.model.schema().id) {
            true => 10.0,
            false => 1.0,
        };
        let fibers = vec![Fiber::new(diameter_um, 5)];
        Simulation::new(self.model, fibers, &settings, &self.backend).unwrap()
    }

    fn stimulus(simulation: &Simulation) -> Stimulus {
        let samples = simulation.sample_points_um(0).len();
        let mut random = Random::new(3);
        let ve = (0..samples).map(|_| 60.0 * random.number()).collect();
        let pulse = "monophasic:pw=0.1,delay=0.02".parse().unwrap();
        let injected: Waveform = "monophasic:pw=0.1,delay=0.05".parse().unwrap();
        Stimulus::none(1)
            .potentials(0, ve, Arc::new(pulse))
            .unwrap()
            .inject(0, 1, -0.1, Arc::new(injected))
    }

    fn observers(&self) -> [ObserverSpec; 1] {
        let states = self.model.schema().states;
        let states = states.iter().map(|name| name.to_string()).collect();
        let kind = ObserverKind::Recorder { states, every: 1 };
        [ObserverSpec::new(kind, NodeSelection::All)]
    }

    fn loss(&self, change: impl FnOnce(&mut Settings)) -> f64 {
        let simulation = self.simulation(change);
        let stimulus = Model::stimulus(&simulation);
        let outcome = simulation.run(&stimulus, 0.5, &self.observers()).unwrap();
        loss(0, &outcome.fibers[0]).loss
    }
}

/// By every parameter of every model, the temperature, the start and the amplitude: of membranes, geometries, the
/// properties of internodes (whose compartments the reference solves) and the reference potential.
#[test]
fn gradients_by_parameters_are_differences() {
    for model in distinct().chain([&Exposed as &dyn FiberModel]) {
        let fast = Model {
            model,
            backend: Device::cpu().unwrap(),
        };
        let slow = Model {
            model,
            backend: Device::custom(Reference),
        };
        let simulation = fast.simulation(|_| ());
        let stimulus = Model::stimulus(&simulation);
        let runs = simulation
            .differentiate(
                &stimulus,
                0.5,
                &fast.observers(),
                &loss,
                GradientRequest::ALL,
            )
            .unwrap();
        let gradient = runs[0].gradient.as_ref().unwrap();
        let schema = simulation.schema().clone();
        let id = schema.id;
        // Derivatives times the size of the parameter.
        let size = |x: f64| if x == 0.0 { 1.0 } else { x };
        let mut compared: Vec<(&str, f64, f64)> = Vec::new();
        let steps = [1e-3, 3e-3, 1e-2, 1e-1, 3e-4, 1e-4, 3e-5, 1e-5];
        for (parameter, found) in schema.parameters.iter().zip(&gradient.parameters) {
            let size = size(parameter.value);
            let found = found * size;
            let expected = difference(found, &steps, |h| {
                let value = parameter.value + h * size;
                slow.loss(|s| s.parameters.push((parameter.name.to_string(), value)))
            });
            compared.push((&parameter.name, found, expected));
        }
        let expected = difference(gradient.celsius, &steps, |h| {
            slow.loss(|s| s.celsius = Some(schema.celsius + h))
        });
        compared.push(("celsius", gradient.celsius, expected));
        let expected = difference(gradient.start_v, &steps, |h| {
            let mut start = schema.start.clone();
            start.v_mv += h;
            slow.loss(|s| s.declared = Some(start))
        });
        compared.push(("start", gradient.start_v, expected));
        let at = slow.simulation(|_| ());
        let expected = difference(gradient.amplitude, &steps, |h| {
            let outcome = at.run(&stimulus, 0.5 + h, &slow.observers()).unwrap();
            loss(0, &outcome.fibers[0]).loss
        });
        compared.push(("amplitude", gradient.amplitude, expected));
        let largest = compared.iter().fold(0.0_f64, |m, c| m.max(c.2.abs()));
        let mut worst = 0.0_f64;
        for (name, found, expected) in &compared {
            let error = (found - expected).abs();
            let scale = expected.abs() + SMALL * largest;
            worst = worst.max(error / scale);
            assert!(
                error <= 1e-7 * scale,
                "{id}: {name}: {found:e}, by differences {expected:e}, off by {error:e} (largest {largest:e})"
            );
        }
        println!("{id}: {} derivatives, worst {worst:.1e}", compared.len());
    }
}
