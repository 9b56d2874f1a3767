//! Gradients that do not exist, and gradients that depend on nothing but their own fiber.

use std::sync::Arc;

use axonml_autodiff::adjoint::{Differentiated, FiberGradient, GradientRequest, Objective};
use axonml_autodiff::engine::{Backend, BackendError, FiberStatus, Rollout};
use axonml_autodiff::ir::Precision;
use axonml_core::Waveform;
use axonml_cpu::{CpuBackend, Reference, TangentDirection};
use axonml_models::{
    Device, Evaluation, Fiber, FiberModel, FiberOutcome, FiberSymbols, Geometry, Membrane,
    NodeSelection, ObserverKind, ObserverSpec, Patch, Schema, SectionKind, Settings, Simulation,
    Stimulus, Unmyelinated, model,
};

use super::all;
use super::cases::{continued, irregular, plain, with_own_parameters};
use super::pairing::{backward, everything, weights};
use crate::models::distinct;

fn rollout(id: &str) -> Rollout {
    plain(&model(id).unwrap())
}

fn differentiate(
    rollout: &Rollout,
    objective: &dyn Objective,
) -> Result<Vec<Differentiated>, BackendError> {
    CpuBackend::new().differentiate(rollout, objective, GradientRequest::ALL)
}

fn gradients(rollout: &Rollout, objective: &dyn Objective) -> Vec<FiberGradient> {
    let all = differentiate(rollout, objective).unwrap();
    all.into_iter().map(|one| one.gradient).collect()
}

/// `==` would call -0 and 0 equal and NaN different from itself; shortest decimals tell all numbers apart.
fn bits(gradient: &FiberGradient) -> String {
    format!("{gradient:?}")
}

// ---- a fiber's gradient is its own
// ------------------------------------------------------------------------------------

/// Rollouts of twenty fibers, in both precisions: the four fibers of a case repeated, with other gains.
fn batches() -> Vec<Rollout> {
    let mut batches = Vec::new();
    for id in ["mrg", "two-mode", "smf", "sundt"] {
        for precision in [Precision::F64, Precision::F32] {
            let case = continued(irregular(with_own_parameters(rollout(id))));
            let mut batch = case.select((0..20).map(|k| k % 4));
            batch.precision = precision;
            for (k, gains) in batch.drive.gains.iter_mut().enumerate() {
                gains
                    .iter_mut()
                    .for_each(|gain| *gain *= 1.0 + 0.01 * k as f64);
            }
            batches.push(batch);
        }
    }
    batches
}

fn gradients_of(batch: &Rollout, order: &[usize]) -> Vec<String> {
    let objective = |fiber: usize, outcome: &FiberOutcome| weights(order[fiber], outcome);
    let rollout = batch.select(order.iter().copied());
    gradients(&rollout, &objective).iter().map(bits).collect()
}

#[test]
fn a_fibers_gradient_does_not_depend_on_companions_order_or_threads() {
    for batch in batches() {
        let all: Vec<usize> = (0..20).collect();
        let together = gradients_of(&batch, &all);
        assert!(together.iter().all(|one| one.starts_with("Found")));
        for k in 0..8 {
            let alone = gradients_of(&batch, &[k]).remove(0);
            assert!(alone == together[k], "fiber {k} differs when it runs alone");
        }
        let order: Vec<usize> = (0..20).map(|k| (7 * k + 3) % 20).collect();
        for (one, &k) in gradients_of(&batch, &order).iter().zip(&order) {
            assert!(*one == together[k], "fiber {k} differs in another order");
        }
        for threads in [1, 5] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            let found = pool.build().unwrap().install(|| gradients_of(&batch, &all));
            assert!(found == together, "{threads} threads");
        }
    }
}

#[test]
fn gradients_do_not_depend_on_the_memory_for_trajectories() {
    for case in all() {
        let with = |bytes: usize| -> Vec<String> {
            let backend = CpuBackend::new().with_trajectory_bytes(bytes);
            let found = backend.differentiate(&case.rollout, &weights, GradientRequest::ALL);
            let found = found.unwrap();
            found.iter().map(|one| bits(&one.gradient)).collect()
        };
        // The least, some, all.
        let [least, some, all] = [1, 300_000, 1 << 30].map(with);
        assert!(least == all && some == all, "{}", case.name);
    }
}

/// Steps behind the last cotangent are left out. A cotangent of the last state, though it be 0, has them all taken.
#[test]
fn steps_behind_the_last_cotangent_change_nothing() {
    for case in all() {
        let early = |fiber: usize, outcome: &FiberOutcome| {
            let mut evaluation = weights(fiber, outcome);
            evaluation.state = None;
            for recorded in evaluation.recorded.iter_mut().flatten() {
                let arrays = std::iter::once(&mut recorded.v_mv).chain(&mut recorded.states);
                for values in arrays {
                    let kept = values.len() * (1 + fiber % 2) / 4;
                    values[kept..].fill(0.0);
                }
            }
            evaluation
        };
        let whole = |fiber: usize, outcome: &FiberOutcome| {
            let mut last = outcome.state.clone().unwrap();
            let arrays = [&mut last.v_mv, &mut last.modes].into_iter();
            arrays
                .chain(&mut last.states)
                .for_each(|values| values.fill(0.0));
            Evaluation {
                state: Some(last),
                ..early(fiber, outcome)
            }
        };
        for bytes in [1, 300_000, 1 << 30] {
            let backend = CpuBackend::new().with_trajectory_bytes(bytes);
            let of = |objective: &dyn Objective| {
                let found = backend.differentiate(&case.rollout, objective, GradientRequest::ALL);
                found.unwrap()
            };
            let (early, whole) = (of(&early), of(&whole));
            for (fiber, (early, whole)) in early.iter().zip(&whole).enumerate() {
                assert!(early.gradient.found().is_some());
                assert_eq!(
                    early.gradient, whole.gradient,
                    "{}, fiber {fiber}, {bytes} bytes",
                    case.name
                );
            }
        }
    }
}

/// A membrane that rises from -60 mV by itself and becomes too conductive for its step above 0 mV.
struct Rising;

impl FiberModel for Rising {
    fn schema(&self) -> Schema {
        Schema::new("rising", "a leak towards 60 mV, and much conductance there")
            .states(["x"])
            .param("passive", "g", 0.001, "S/cm2")
            .start_mv(-60.0)
            .compartment_um(500.0)
    }

    fn geometry<'t>(&self, fiber: &FiberSymbols<'t>) -> Geometry<'t> {
        let g = fiber.param("g");
        Geometry::UnmyelinatedExplicit(Unmyelinated {
            compartment_um: fiber.compartment_um(),
            diameter_um: fiber.diameter(),
            capacitance_uf_cm2: g.same(1.0),
            axial_ohm_cm: g.same(100.0),
        })
    }

    fn membrane<'t>(&self, _section: SectionKind, x: &Patch<'t>) -> Membrane<'t> {
        let conductive = (0.5 * x.v()).sigmoid();
        Membrane::new()
            .ohmic(x.param("g"), x.number(60.0))
            .ohmic(x.state("x"), x.number(60.0))
            .gate_inf_tau("x", conductive, x.number(0.1))
    }
}

/// Padding rows of a short fiber are not stimulated: they must not reach voltages at which its membrane diverges.
#[test]
fn rows_behind_a_short_fiber_do_not_matter() {
    let settings = Settings {
        dt_ms: 0.01,
        tstop_ms: 15.0,
        ..Settings::default()
    };
    let run = |lengths: &[usize], injected_na: f64| {
        let fibers = lengths.iter().map(|&n| Fiber::new(1.0, n)).collect();
        let device = Device::cpu().unwrap();
        let simulation = Simulation::new(&Rising, fibers, &settings, &device).unwrap();
        let clamp: Arc<Waveform> = Arc::new("monophasic:pw=15,delay=0".parse().unwrap());
        let each = lengths.iter().enumerate();
        let nodes = each.flat_map(|(fiber, &nodes)| (0..nodes).map(move |node| (fiber, node)));
        let stimulus = nodes.fold(Stimulus::none(lengths.len()), |stimulus, (fiber, node)| {
            stimulus.inject(fiber, node as i64, injected_na, clamp.clone())
        });
        let kind = ObserverKind::Recorder {
            states: Vec::new(),
            every: 1,
        };
        let observers = [ObserverSpec::new(kind, NodeSelection::All)];
        simulation.rollout(&stimulus, &observers).unwrap()
    };
    let objective = |_: usize, outcome: &FiberOutcome| weights(0, outcome);
    let free = gradients(&run(&[3], 0.0), &objective);
    assert_eq!(free[0], FiberGradient::Diverged);
    // 1.57e-5 cm2 at 1e-3 S/cm2: 2 nA balance 127 mV.
    let alone = gradients(&run(&[3], 2.0), &objective);
    assert!(alone[0].found().is_some(), "{:?}", alone[0]);
    let together = gradients(&run(&[3, 12], 2.0), &objective);
    assert_eq!(bits(&together[0]), bits(&alone[0]));
}

#[test]
fn a_diverging_fiber_has_no_gradient_and_leaves_its_companions_alone() {
    for (id, enormous) in [("smf", 1e306), ("mrg", 1e306), ("sundt", 1e308)] {
        for bytes in [1 << 30, 100_000] {
            let sound = rollout(id);
            let mut broken = sound.clone();
            broken.drive.gains[1].fill(enormous);
            let backend = CpuBackend::new().with_trajectory_bytes(bytes);
            let [sound, broken] = [sound, broken].map(|rollout| {
                let found = backend.differentiate(&rollout, &weights, GradientRequest::ALL);
                found.unwrap()
            });
            assert!(
                matches!(broken[1].outcome.status, FiberStatus::Diverged { .. }),
                "{id}: {:?}",
                broken[1].outcome.status
            );
            assert_eq!(broken[1].gradient, FiberGradient::Diverged);
            for k in [0, 2, 3] {
                assert_eq!(bits(&sound[k].gradient), bits(&broken[k].gradient), "{id}");
            }
        }
    }
}

// ---- numbers that are none
// --------------------------------------------------------------------------------------------

#[test]
fn gradients_that_overflow_are_named() {
    for id in ["mrg", "smf", "sundt"] {
        let mut rollout = rollout(id);
        let size = |rollout: &Rollout, factor: f64| {
            let objective = |fiber: usize, outcome: &FiberOutcome| {
                let mut evaluation = weights(fiber, outcome);
                if fiber == 1 {
                    let last = evaluation.state.as_mut().unwrap();
                    last.v_mv.iter_mut().for_each(|x| *x *= factor);
                }
                evaluation
            };
            gradients(rollout, &objective)
        };
        let end = rollout.steps.end;
        assert!(size(&rollout, 5e37)[1].found().is_some(), "{id} in f64");
        rollout.precision = Precision::F32;
        let sound = size(&rollout, 1.0);
        let broken = size(&rollout, 5e37);
        let FiberGradient::NonFinite { state, node } = broken[1] else {
            panic!("{id}: {:?}", broken[1])
        };
        assert!(state <= end && node.is_none_or(|node| node < 9), "{id}");
        for k in [0, 2, 3] {
            assert_eq!(bits(&sound[k]), bits(&broken[k]), "{id}");
        }
    }
}

#[test]
fn numbers_that_are_none_are_found_where_they_come_in() {
    for id in ["mrg", "smf", "sundt"] {
        let rollout = rollout(id);
        let (steps, nodes) = (rollout.steps.end, 9);
        let with = |spoil: &(dyn Fn(&mut Evaluation) + Sync)| {
            let objective = |fiber: usize, outcome: &FiberOutcome| {
                let mut evaluation = weights(fiber, outcome);
                if fiber == 3 {
                    spoil(&mut evaluation);
                }
                evaluation
            };
            let mut found = gradients(&rollout, &objective);
            assert!(found[0].found().is_some() && found[1].found().is_some());
            match found.pop().unwrap() {
                FiberGradient::NonFinite { state, node } => (state, node),
                other => panic!("{id}: {other:?}"),
            }
        };
        for state in [0, 1, 17, steps] {
            let found = with(&|e: &mut Evaluation| {
                e.recorded[0].as_mut().unwrap().v_mv[state * nodes + 4] = f64::NAN;
            });
            assert_eq!(found, (state, Some(4)), "{id}");
            let found = with(&|e: &mut Evaluation| {
                e.recorded[0].as_mut().unwrap().states[1][state * nodes + 8] = f64::INFINITY;
            });
            assert_eq!(found, (state, Some(8)), "{id}");
        }
        let found = with(&|e: &mut Evaluation| e.state.as_mut().unwrap().states[0][2] = f64::NAN);
        assert_eq!(found, (steps, Some(2)), "{id}");
        assert_eq!(
            with(&|e: &mut Evaluation| e.loss = f64::NAN),
            (0, None),
            "{id}"
        );
        if id == "mrg" {
            let found =
                with(&|e: &mut Evaluation| e.state.as_mut().unwrap().modes[3 * 20 + 7] = f64::NAN);
            assert_eq!(found, (steps, Some(3)));
        }
    }
}

// ---- requests that do not fit
// -----------------------------------------------------------------------------------------

#[test]
fn cotangents_of_other_shapes_are_refused() {
    let rollout = rollout("mrg");
    let refused = |spoil: &(dyn Fn(&mut Evaluation) + Sync)| {
        let objective = |fiber: usize, outcome: &FiberOutcome| {
            let mut evaluation = weights(fiber, outcome);
            if fiber == 2 {
                spoil(&mut evaluation);
            }
            evaluation
        };
        differentiate(&rollout, &objective).unwrap_err().to_string()
    };
    fn first(e: &mut Evaluation) -> &mut axonml_models::RecordedCotangent {
        e.recorded[0].as_mut().unwrap()
    }
    fn last(e: &mut Evaluation) -> &mut axonml_models::FiberState {
        e.state.as_mut().unwrap()
    }
    type Spoil<'s> = &'s (dyn Fn(&mut Evaluation) + Sync);
    let cases: [(Spoil<'_>, &str); 9] = [
        (
            &|e| _ = first(e).v_mv.pop(),
            "the voltages recorded by observer 0 in fiber 2: expected 244 values, found 243",
        ),
        (
            &|e| _ = first(e).states.pop(),
            "the states recorded by observer 0 in fiber 2: expected 4 values, found 3",
        ),
        (
            &|e| first(e).states[3].push(0.0),
            "`s` recorded by observer 0 in fiber 2: expected 244 values, found 245",
        ),
        (
            &|e| e.recorded[1] = Some(Default::default()),
            "observer 1, which is not a recorder",
        ),
        (
            &|e| e.recorded.push(Some(Default::default())),
            "observer 3, which is not a recorder",
        ),
        (
            &|e| _ = last(e).v_mv.pop(),
            "the last voltages of fiber 2: expected 4 values, found 3",
        ),
        (
            &|e| _ = last(e).states.pop(),
            "the last states of fiber 2: expected 4 values, found 3",
        ),
        (
            &|e| last(e).states[1].push(0.0),
            "the last states of fiber 2: expected 4 values, found 5",
        ),
        (
            &|e| _ = last(e).modes.pop(),
            "the last modes of fiber 2: expected 60 values, found 59",
        ),
    ];
    for (spoil, expected) in cases {
        let message = refused(spoil);
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn directions_of_other_shapes_are_refused() {
    let rollout = rollout("mrg");
    let other = plain(&model("sundt").unwrap());
    let refused = |spoil: &dyn Fn(&mut TangentDirection)| {
        let fibers = 0..rollout.fibers.len();
        let mut directions: Vec<_> = fibers.map(|fiber| everything(&rollout, fiber)).collect();
        spoil(&mut directions[1]);
        let error = Reference.tangent(&rollout, &directions).unwrap_err();
        error.to_string()
    };
    type Spoil<'s> = &'s dyn Fn(&mut TangentDirection);
    let cases: [(Spoil<'_>, &str); 9] = [
        (
            &|d| d.shared.push(0.0),
            "shared parameters of fiber 1: expected 16 values, found 17",
        ),
        (
            &|d| d.parameters.push(0.0),
            "own parameters of fiber 1: expected 0 values, found 1",
        ),
        (
            &|d| _ = d.start.v_mv.pop(),
            "start voltages of fiber 1: expected 9 values, found 8",
        ),
        (
            &|d| d.start.states[2].push(0.0),
            "start states of fiber 1: expected 9 values, found 10",
        ),
        (
            &|d| _ = d.start.modes.pop(),
            "start modes of fiber 1: expected 160 values, found 159",
        ),
        (
            &|d| d.cable = everything(&other, 1).cable,
            "cable of fiber 1 is of another kind",
        ),
        (
            &|d| _ = d.sources.pop(),
            "sources of fiber 1: expected 2 values, found 1",
        ),
        (
            &|d| _ = d.sources[0].waveform.pop(),
            "waveforms of fiber 1: expected 60 values, found 59",
        ),
        (
            &|d| _ = d.sources[1].potentials.pop(),
            "potentials of fiber 1: expected 5340 values, found 5339",
        ),
    ];
    for (spoil, expected) in cases {
        let message = refused(spoil);
        assert!(message.contains(expected), "{message}");
    }
    let error = Reference.tangent(&rollout, &[]).unwrap_err().to_string();
    assert_eq!(error, "directions: expected 4 values, found 0");
}

#[test]
fn early_stops_are_refused() {
    let mut rollout = rollout("mrg");
    let active = ObserverKind::Active { at_least: 1 };
    rollout.observers = vec![ObserverSpec::new(active, NodeSelection::All)];
    rollout.stop_when_active = Some(0);
    let error = differentiate(&rollout, &weights).unwrap_err();
    assert!(error.to_string().contains("cannot stop early"), "{error}");
}

#[test]
fn of_a_run_without_steps_the_start_is_the_end() {
    for model in distinct() {
        for mut rollout in [plain(model), continued(plain(model))] {
            rollout.steps = rollout.steps.start..rollout.steps.start;
            rollout.observers.clear();
            let found = differentiate(&rollout, &weights).unwrap();
            for (fiber, one) in found.iter().enumerate() {
                let last = weights(fiber, &one.outcome).state.unwrap();
                let cotangents = one.gradient.found().unwrap();
                assert_eq!(cotangents.start, last);
                assert!(cotangents.sources.iter().all(|source| source.gain == 0.0));
            }
        }
    }
}

/// Single precision sees the same derivatives, as far as its digits go. In runs of fibers with concentrations, whose fibers here
/// are about to fire, or not to, rounding grows a few thousandfold.
#[test]
fn single_precision_gives_double_precisions_gradients() {
    for case in all() {
        let mut rollout = case.rollout;
        let [double, single] = [Precision::F64, Precision::F32].map(|precision| {
            rollout.precision = precision;
            gradients(&rollout, &weights)
        });
        let mut worst = 0.0_f64;
        for (fiber, (double, single)) in double.iter().zip(&single).enumerate() {
            let direction = everything(&rollout, fiber);
            let [double, single] =
                [double, single].map(|one| backward(one.found().unwrap(), &direction));
            worst = worst.max((double.total - single.total).abs() / double.size);
        }
        println!("{}: {worst:.1e}", case.name);
        let grows = ["schild", "thio", "tigerholm"]
            .iter()
            .any(|name| case.name.starts_with(name));
        let limit = if grows { 1e-3 } else { 1e-4 };
        assert!(worst < limit && worst > 1e-12, "{}: {worst:e}", case.name);
    }
}
