//! Rollouts with everything in them: ragged fibers, several sources each, parameters shared and their own, irregular
//! cables.

use std::sync::Arc;

use axonml_autodiff::cable::Cable;
use axonml_autodiff::cable::{ExplicitCable, ImplicitCable, ReducedCable};
use axonml_autodiff::engine::{
    Backend, Binding, BoundProgram, MembranePrograms, Rollout, Source, Start,
};
use axonml_core::{Medium, PointSource, Waveform};
use axonml_cpu::Reference;
use axonml_models::weights::Weights;
use axonml_models::{
    Device, Fiber, FiberModel, NodeSelection, ObserverKind, ObserverSpec, Settings, Simulation,
    Stimulus,
};

use super::pairing::Random;

/// A rollout, and the memory for trajectories to differentiate it with.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) rollout: Rollout,
    pub(crate) trajectory_bytes: Option<usize>,
}

/// Whether a model's nodes are joined by myelinated internodes, or look so.
pub(crate) fn myelinated(id: &str) -> bool {
    ["mrg", "sweeney", "two-mode", "smf", "exposed"].contains(&id)
}

/// A model twice: a run from its declared start in one go, and one that resumes from a state without symmetry, in
/// several segments, with parameters of the fibers' own and cables without regularity.
pub(crate) fn both(model: &dyn FiberModel) -> [Case; 2] {
    let id = model.schema().id;
    let plain = plain(model);
    let rollout = continued(irregular(with_own_parameters(plain.clone())));
    let row = |cable: &Cable| cable.nodes() * (3 + rollout.membrane.states.len());
    let widest = rollout.fibers.iter().map(|fiber| {
        let cable = &fiber.cable;
        row(cable) + cable.mode_count()
    });
    let bytes = 14 * 64 * widest.max().unwrap();
    [
        Case {
            name: id.to_string(),
            rollout: plain,
            trajectory_bytes: None,
        },
        Case {
            name: format!("{id}, continued"),
            rollout,
            trajectory_bytes: Some(bytes),
        },
    ]
}

/// Four fibers of different lengths, each with other sources, some of them excited.
pub(crate) fn plain(model: &dyn FiberModel) -> Rollout {
    let id = model.schema().id;
    let (diameters, scale) = match myelinated(&id) {
        true => ([5.7, 8.7, 14.0, 10.0], 1.0),
        false => ([1.0, 1.1, 1.5, 1.2], 0.2),
    };
    let fibers: Vec<Fiber> = diameters
        .iter()
        .zip([7, 9, 4, 9])
        .map(|(&diameter, nodes)| Fiber::new(diameter, nodes))
        .collect();
    let dt_ms = match &*id {
        "mrg" | "two-mode" | "smf" | "sundt-explicit" => 0.005,
        _ => 0.02,
    };
    let settings = Settings {
        dt_ms,
        tstop_ms: 60.0 * dt_ms,
        weights: Weights::Published,
        ..Settings::default()
    };
    let simulation = Simulation::new(model, fibers, &settings, &Device::cpu().unwrap()).unwrap();
    let steps = simulation.grid().steps();
    let electrode = |x_um: f64, z_um: f64| {
        Arc::new(PointSource {
            x_um: scale * x_um,
            y_um: 0.0,
            z_um: scale * z_um,
            medium: Medium::isotropic(500.0),
        })
    };
    let of_steps = |f: &dyn Fn(f64) -> f64| -> Arc<Waveform> {
        let samples = (0..steps).map(|k| f(k as f64)).collect();
        Arc::new(Waveform::from_samples(dt_ms, samples).unwrap())
    };
    let pulse = of_steps(&|k| if (3.0..18.0).contains(&k) { -1.0 } else { 0.0 });
    let wave = of_steps(&|k| 0.6 * (0.3 * k).sin() - 0.2);
    let clamp = of_steps(&|k| if k < 30.0 { 1.0 } else { -0.4 });
    let injected_na = if myelinated(&id) { 0.6 } else { 0.05 };
    let dense = |fiber: usize, size: f64| {
        let z_um = simulation.sample_points_um(fiber);
        let ve = (0..steps).flat_map(|step| {
            let of = move |z: f64| (z / 900.0 / scale + 0.2 * step as f64).cos();
            z_um.iter().map(move |&z| size * of(z))
        });
        Arc::new(ve.collect::<Vec<f64>>())
    };
    let stimulus = Stimulus::none(4)
        .source(0, electrode(700.0, 200.0), pulse.clone())
        .source(0, electrode(500.0, -900.0), wave.clone())
        .inject(0, 1, injected_na, clamp.clone())
        .source(1, electrode(900.0, 0.0), wave.clone())
        .space_time(1, dense(1, 30.0))
        .space_time(2, dense(2, 40.0))
        .space_time(2, dense(2, -11.0))
        .inject(2, -1, 2.0 * injected_na, clamp)
        .source(3, electrode(400.0, 100.0), pulse);
    let states = simulation.schema().states.iter();
    let states: Vec<String> = states.map(|name| name.to_string()).collect();
    // Twice the same: its cotangents add up.
    let few = vec![states[0].clone(); 2];
    let recorder = |states, every| ObserverKind::Recorder { states, every };
    let observers = [
        ObserverSpec::new(recorder(states, 1), NodeSelection::All),
        ObserverSpec::new(ObserverKind::Maximum, NodeSelection::All),
        ObserverSpec::new(recorder(few, 7), NodeSelection::Nodes(vec![-1, 1, 1])).after_ms(0.1),
    ];
    let mut rollout = simulation.rollout(&stimulus, &observers).unwrap();
    let amplitudes = [0.1, 0.15, 0.12, 0.3].into_iter().enumerate();
    rollout.drive.gains = stimulus.scaling().gains_of(amplitudes);
    rollout
}

/// Every other parameter becomes the fibers' own, of different values, behind those that they have.
pub(crate) fn with_own_parameters(mut rollout: Rollout) -> Rollout {
    let before = rollout.fibers[0].parameters.len();
    let rebind = |bound: &BoundProgram| {
        let bindings = bound.bindings.iter().map(|binding| match *binding {
            Binding::Shared(index) if index % 2 == 1 => Binding::Fiber(before + index / 2),
            binding => binding,
        });
        BoundProgram::new(bound.program.clone(), bindings.collect())
    };
    let membrane = &rollout.membrane;
    let [rest, currents, step] = [&membrane.rest, &membrane.currents, &membrane.step].map(rebind);
    let states = membrane.states.clone();
    rollout.membrane = Arc::new(MembranePrograms::new(states, rest, currents, step));
    for (index, fiber) in rollout.fibers.iter_mut().enumerate() {
        let own = rollout.shared.iter().skip(1).step_by(2);
        let factor = 1.0 + 0.003 * index as f64;
        fiber.parameters.extend(own.map(|x| factor * x));
    }
    rollout
}

/// Replaces cable coefficients, where possible, by values without regularity; forgets the potentials of one
/// source, whose projection is then no cable's.
pub(crate) fn irregular(mut rollout: Rollout) -> Rollout {
    let mut random = Random::new(11);
    let mut near = |x: f64| x * (1.0 + 0.2 * random.number());
    for fiber in &mut rollout.fibers {
        fiber.cable = Arc::new(match &*fiber.cable {
            Cable::Explicit(cable) => Cable::Explicit(ExplicitCable {
                v_weights: (0.97, -1.96),
                ve_weights: (0.9, -1.7),
                ..cable.clone()
            }),
            Cable::Implicit(cable) => {
                let mut each = |x: &[f64]| x.iter().map(|&x| near(x)).collect();
                Cable::Implicit(ImplicitCable {
                    area_cm2: each(&cable.area_cm2),
                    capacitance_nf: each(&cable.capacitance_nf),
                    link_us: each(&cable.link_us),
                })
            }
            Cable::Reduced(cable) => Cable::Reduced(ReducedCable {
                neighbor_us: near(cable.neighbor_us),
                ..cable.clone()
            }),
            double => double.clone(),
        });
    }
    let mut rollout = reprojected(rollout);
    if let Source::Separable { potentials, .. } =
        &mut Arc::make_mut(&mut rollout.drive.sources[3])[0]
    {
        *potentials = None;
    }
    rollout
}

/// The rollout with the projections that its cables make of its potentials.
pub(crate) fn reprojected(mut rollout: Rollout) -> Rollout {
    for (fiber, sources) in rollout.fibers.iter().zip(&mut rollout.drive.sources) {
        for source in Arc::make_mut(sources) {
            if let Source::Separable {
                projection,
                potentials: Some(ve),
                ..
            } = source
            {
                *projection = Arc::new(fiber.cable.project(ve));
            }
        }
    }
    rollout
}

/// The rollout from its state after 8 steps, disturbed, to 3 steps before the end.
pub(crate) fn continued(mut rollout: Rollout) -> Rollout {
    let mut first = rollout.clone();
    first.steps = 0..8;
    let outcome = Reference.run(&first).unwrap();
    let mut random = Random::new(5);
    let states = outcome.fibers.into_iter().map(|fiber| {
        let mut state = fiber.state.expect("all steps are taken");
        for v in &mut state.v_mv {
            *v += 2.0 * random.number();
        }
        for x in state.states.iter_mut().flatten() {
            *x *= 1.0 + 0.05 * random.number();
        }
        for zeta in &mut state.modes {
            *zeta *= 1.0 + 0.3 * random.number();
        }
        state
    });
    rollout.start = Start::From(states.collect());
    rollout.steps = 8..rollout.grid.steps() - 3;
    rollout
}
