//! Rollouts that every backend refuses, alike.

use std::sync::Arc;

use axonml_autodiff::adjoint::{Evaluation, GradientRequest};
use axonml_autodiff::cable::Cable;
use axonml_autodiff::cable::{DoubleCable, ExplicitCable, ImplicitCable, Projection, ReducedCable};
use axonml_autodiff::engine::{
    Backend, BackendError, FiberOutcome, FiberState, NodeSelection, ObserverKind, ObserverSpec,
    Rollout, Source, Start,
};
use axonml_autodiff::ir::Precision;
use axonml_cpu::{CpuBackend, Isa, Reference};
use axonml_models::Fiber;

use crate::cases::{host_kernels, rollout_of};

/// The reference, the processor with every instruction set, and the kernels where there is a compiler.
pub(crate) fn backends() -> Vec<Box<dyn Backend>> {
    let mut backends: Vec<Box<dyn Backend>> = vec![Box::new(Reference)];
    for isa in Isa::available() {
        backends.push(Box::new(CpuBackend::with_isa(isa)));
    }
    if let Some(kernels) = host_kernels() {
        backends.push(Box::new(kernels));
    }
    backends
}

/// Long enough for every pulse.
pub(crate) const STEPS: usize = 250;

pub(crate) fn two_fibers(id: &str) -> Rollout {
    let diameter = if id == "sundt" { 1.0 } else { 10.0 };
    let fibers = vec![Fiber::new(diameter, 21), Fiber::new(diameter * 1.1, 15)];
    let mut rollout = rollout_of(id, fibers, 0.005, STEPS, Precision::F64);
    rollout.observers.clear();
    rollout
}

/// A rollout with a field for every step in the second fiber.
fn with_space_time() -> (Rollout, Arc<Vec<f64>>) {
    let mut rollout = two_fibers("mrg");
    let samples = rollout.fibers[1].cable.samples();
    let potentials = Arc::new(vec![0.25; STEPS * samples]);
    rollout.drive.sources[1] = Arc::new(vec![Source::SpaceTime(potentials.clone())]);
    rollout.drive.gains[1] = vec![0.1];
    (rollout, potentials)
}

/// All backends refuse the rollout with the same error.
#[track_caller]
fn refused_alike(what: &str, rollout: &Rollout) -> BackendError {
    let no_loss = |_: usize, _: &FiberOutcome| Evaluation::default();
    let mut errors = Vec::new();
    for backend in backends() {
        match backend.run(rollout) {
            Err(error) => errors.push(error),
            Ok(outcome) => panic!(
                "{what}: {} ran: {:?}",
                backend.name(),
                outcome.fibers[0].status
            ),
        }
        if backend.name() != Reference.name() {
            let found = backend.differentiate(rollout, &no_loss, GradientRequest::ALL);
            errors.push(found.expect_err(what));
        }
    }
    for error in &errors {
        // NaN equals nothing, but is printed alike.
        assert_eq!(format!("{error:?}"), format!("{:?}", errors[0]), "{what}");
    }
    errors.remove(0)
}

#[test]
fn numbers_that_are_none_are_refused_alike() {
    type Spoil = fn(&mut Rollout, f64);
    let cases: &[(&str, Spoil)] = &[
        ("the reference potential", |r, x| r.v_reference_mv = x),
        ("the shared parameters", |r, x| {
            Arc::make_mut(&mut r.shared)[0] = x;
        }),
        ("the gains of fiber 1", |r, x| r.drive.gains[1][0] = x),
        ("waveform 1", |r, x| {
            Arc::make_mut(&mut r.drive.waveforms[1])[STEPS - 1] = x;
        }),
        ("the start voltages of all fibers", |r, x| {
            r.start = Start::Uniform {
                v_mv: x,
                states: None,
            };
        }),
        ("the start states of all fibers", |r, x| {
            let mut states = vec![0.5; r.membrane.states.len()];
            states[1] = x;
            r.start = Start::Uniform {
                v_mv: -80.0,
                states: Some(states),
            };
        }),
        ("the start voltages of fiber 1", |r, x| {
            start(r)[1].v_mv[14] = x;
        }),
        ("the start states of fiber 0", |r, x| {
            start(r)[0].states[2][3] = x;
        }),
        ("the start modes of fiber 1", |r, x| {
            start(r)[1].modes[7] = x
        }),
        ("the effect of source 0 on fiber 0", |r, x| {
            projection(r).nodes_na[5] = x;
        }),
        ("the effect of source 0 on fiber 0", |r, x| {
            projection(r).modes[5] = x;
        }),
        ("the potentials of source 0 along fiber 0", |r, x| {
            let Some(potentials) = potentials(r) else {
                panic!("a field has potentials")
            };
            Arc::make_mut(potentials)[17] = x;
        }),
        ("the threshold or begin of observer 0", |r, x| {
            let active = ObserverKind::Active { at_least: 1 };
            r.observers = vec![ObserverSpec::new(active, NodeSelection::All).threshold_mv(x)];
        }),
        ("the threshold or begin of observer 0", |r, x| {
            r.observers =
                vec![ObserverSpec::new(ObserverKind::Raster, NodeSelection::All).after_ms(x)];
        }),
    ];
    for (place, spoil) in cases {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let mut rollout = two_fibers("mrg");
            spoil(&mut rollout, value);
            let error = refused_alike(place, &rollout);
            let BackendError::BadNumber {
                place: found,
                value: bad,
                ..
            } = &error
            else {
                panic!("{place}: {error}")
            };
            assert_eq!(found, place);
            assert!(bad.to_bits() == value.to_bits(), "{place}: {bad}");
        }
        // Single precision cannot hold it; double precision can, unless no membrane has such a voltage.
        let mut rollout = two_fibers("mrg");
        spoil(&mut rollout, 1e39);
        let voltage = place.contains("voltages") || place.contains("reference");
        match rollout.check() {
            Err(BackendError::VoltageOutOfRange { .. }) if voltage => {}
            found => assert_eq!(found.is_ok(), !voltage, "{place}: {found:?}"),
        }
        rollout.precision = Precision::F32;
        let error = refused_alike(place, &rollout);
        assert!(
            matches!(error, BackendError::BadNumber { value: 1e39, .. }),
            "{place}: {error}"
        );
    }
}

/// The start of a rollout as states of its fibers.
fn start(rollout: &mut Rollout) -> &mut Vec<FiberState> {
    rollout.steps = 0..0;
    let states = Reference.run(rollout).unwrap().fibers;
    rollout.steps = 0..rollout.grid.steps();
    rollout.start = Start::From(states.into_iter().map(|f| f.state.unwrap()).collect());
    match &mut rollout.start {
        Start::From(states) => states,
        Start::Uniform { .. } => unreachable!(),
    }
}

fn projection(rollout: &mut Rollout) -> &mut Projection {
    match &mut Arc::make_mut(&mut rollout.drive.sources[0])[0] {
        Source::Separable { projection, .. } => Arc::make_mut(projection),
        Source::SpaceTime(_) => panic!("a point source is separable"),
    }
}

fn potentials(rollout: &mut Rollout) -> Option<&mut Arc<Vec<f64>>> {
    match &mut Arc::make_mut(&mut rollout.drive.sources[0])[0] {
        Source::Separable { potentials, .. } => potentials.as_mut(),
        Source::SpaceTime(_) => None,
    }
}

#[test]
fn space_time_potentials_are_refused_alike_whoever_scanned_them_before() {
    let (mut rollout, potentials) = with_space_time();
    rollout.check().unwrap();
    for value in [f64::NAN, f64::INFINITY] {
        let mut bad = (*potentials).clone();
        let last = bad.len() - 1;
        bad[last] = value;
        let known = rollout.drive.sources[1].clone();
        rollout.drive.sources[1] = Arc::new(vec![Source::SpaceTime(Arc::new(bad))]);
        for rollout in [&rollout, &rollout.select([1, 1].into_iter())] {
            let error = refused_alike("space-time", rollout);
            let BackendError::BadNumber { place, .. } = &error else {
                panic!("{error}")
            };
            assert!(
                place.contains("space-time potentials of source 0"),
                "{place}"
            );
        }
        rollout.drive.sources[1] = known;
        rollout.check().unwrap();
    }
    // An array that was found sound cannot be changed behind the rollout's back.
    let Source::SpaceTime(held) = &mut Arc::make_mut(&mut rollout.drive.sources[1])[0] else {
        unreachable!()
    };
    drop(potentials);
    assert!(Arc::get_mut(held).is_none());
    Arc::make_mut(held)[3] = 1e39;
    rollout.check().unwrap();
    rollout.precision = Precision::F32;
    assert!(matches!(
        refused_alike("space-time", &rollout),
        BackendError::BadNumber { value: 1e39, .. }
    ));
}

#[test]
fn voltages_that_no_membrane_has_are_refused_alike() {
    let mut reference = two_fibers("mrg");
    reference.v_reference_mv = 5001.0;
    let mut uniform = two_fibers("mrg");
    uniform.start = Start::Uniform {
        v_mv: -10_001.0,
        states: None,
    };
    let mut given = two_fibers("mrg");
    start(&mut given)[1].v_mv[2] = 10_001.0;
    for (rollout, place, v_mv) in [
        (reference, "the reference potential", 5001.0),
        (uniform, "the start voltages of all fibers", -10_001.0),
        (given, "the start voltages of fiber 1", 10_001.0),
    ] {
        let error = refused_alike(place, &rollout);
        let BackendError::VoltageOutOfRange {
            place: found,
            v_mv: bad,
            ..
        } = &error
        else {
            panic!("{error}")
        };
        assert_eq!((found.as_str(), *bad), (place, v_mv));
    }
}

/// A coefficient of a cable, and the word by which the error names it.
type Coefficient = (&'static str, fn(&mut Cable) -> &mut f64);

fn of_explicit(cable: &mut Cable) -> &mut ExplicitCable {
    match cable {
        Cable::Explicit(cable) => cable,
        _ => panic!("another kind of cable"),
    }
}

fn of_implicit(cable: &mut Cable) -> &mut ImplicitCable {
    match cable {
        Cable::Implicit(cable) => cable,
        _ => panic!("another kind of cable"),
    }
}

fn of_double(cable: &mut Cable) -> &mut DoubleCable {
    match cable {
        Cable::Double(cable) => cable,
        _ => panic!("another kind of cable"),
    }
}

fn of_reduced(cable: &mut Cable) -> &mut ReducedCable {
    match cable {
        Cable::Reduced(cable) => cable,
        _ => panic!("another kind of cable"),
    }
}

#[test]
fn cables_of_nonsense_are_refused_alike() {
    let cases: &[(&str, &[Coefficient])] = &[
        (
            "smf",
            &[
                ("area", |c| &mut of_explicit(c).area_cm2),
                ("capacitance", |c| &mut of_explicit(c).capacitance_nf),
                ("axial conductance", |c| &mut of_explicit(c).axial_us),
            ],
        ),
        (
            "sundt",
            &[
                ("capacitances", |c| &mut of_implicit(c).capacitance_nf[14]),
                ("axial conductances", |c| &mut of_implicit(c).link_us[0]),
            ],
        ),
        (
            "mrg",
            &[
                ("area of a node", |c| &mut of_double(c).node_area_cm2),
                ("capacitance of a node", |c| {
                    &mut of_double(c).node_capacitance_nf
                }),
                ("axial conductances", |c| {
                    &mut Arc::make_mut(&mut of_double(c).internode).ga_us[3]
                }),
                ("myelin capacitances", |c| {
                    &mut Arc::make_mut(&mut of_double(c).internode).cx_nf[9]
                }),
                ("rates of modes", |c| {
                    &mut Arc::make_mut(&mut of_double(c).internode).lambda[19]
                }),
            ],
        ),
        (
            "two-mode",
            &[
                ("area of a node", |c| &mut of_reduced(c).node_area_cm2),
                ("capacitance of a node", |c| {
                    &mut of_reduced(c).capacitance_nf
                }),
                ("axial conductance", |c| &mut of_reduced(c).neighbor_us),
                ("rates of modes", |c| &mut of_reduced(c).odd.lambda_per_ms),
                ("couplings of modes", |c| {
                    &mut of_reduced(c).even.coupling_us_per_ms
                }),
            ],
        ),
    ];
    for (id, coefficients) in cases {
        let rollout = two_fibers(id);
        for (name, coefficient) in *coefficients {
            for value in [-1e-3, 0.0, f64::NAN, f64::INFINITY] {
                let mut rollout = rollout.clone();
                *coefficient(Arc::make_mut(&mut rollout.fibers[1].cable)) = value;
                let error = refused_alike(name, &rollout);
                let BackendError::BadCable {
                    fiber: 1,
                    what,
                    value: found,
                    ..
                } = &error
                else {
                    panic!("{id}, {name} = {value}: {error}")
                };
                assert!(what.contains(name), "{id}: {what} for {name}");
                assert!(found.to_bits() == value.to_bits());
            }
        }
    }
    // Without a membrane, but not with less than none.
    let mut insulated = two_fibers("sundt");
    of_implicit(Arc::make_mut(&mut insulated.fibers[0].cable)).area_cm2[3] = 0.0;
    insulated.check().unwrap();
    of_implicit(Arc::make_mut(&mut insulated.fibers[0].cable)).area_cm2[3] = -1e-9;
    refused_alike("a negative area", &insulated);
}

// ---- divergence ----------------------------------------------------------------------------------------------------
