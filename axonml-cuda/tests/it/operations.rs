//! Every operation of the table inside a kernel.

use std::sync::Arc;

use axonml_autodiff::cable::Cable;
use axonml_autodiff::cable::ExplicitCable;
use axonml_autodiff::engine::{
    Backend, Binding, BoundProgram, Drive, MembranePrograms, Rollout, RolloutFiber, Start,
};
use axonml_autodiff::ir::op::OPERATIONS;
use axonml_autodiff::ir::{Expr, Extent, Precision, Tracer};
use axonml_core::TimeGrid;
use axonml_cpu::Reference;
use axonml_cuda::KernelSource;

use crate::cases::host_kernels;

/// Every operation applied to `u` and the state `x`, by its name in the table.
fn all<'t>(u: Expr<'t>, x: Expr<'t>) -> Vec<(&'static str, Expr<'t>)> {
    let positive = u * u + 0.5;
    vec![
        ("add", u + x),
        ("sub", u - x),
        ("mul", u * x),
        ("div", u / positive),
        ("neg", -(u * x)),
        ("exp", u.exp()),
        ("expm1", u.expm1()),
        ("log", positive.ln()),
        ("sqrt", positive.sqrt()),
        ("exprelr", u.exprelr()),
        ("exprelr_d1", u.exprelr_d1()),
        ("exprelr_d2", u.exprelr_d2()),
        ("sigmoid", u.sigmoid()),
        ("min", u.min(x)),
        ("max", u.max(x)),
        ("select_lt", u.select_lt(x, u * u, x * x)),
    ]
}

#[test]
fn every_operation_runs_in_a_kernel_as_the_table_says() {
    let listed: Vec<&str> = OPERATIONS.iter().map(|row| row.name).collect();
    let tracer = Tracer::new();
    let (u, x) = (
        tracer.input("u", Extent::Node),
        tracer.input("x", Extent::Node),
    );
    let values = all(u, x);
    let names: Vec<&str> = values.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, listed, "a row of the table is not tried here");
    let zero = u.same(0.0);
    // The state that stands for each operation becomes its value.
    let step_outputs: Vec<(String, Expr<'_>)> = values
        .iter()
        .map(|&(name, value)| (name.to_owned(), value))
        .chain([
            ("x".into(), x * 0.5 - u),
            ("g".into(), u.same(1e-3)),
            ("j".into(), x * 1e-3),
        ])
        .collect();
    let step = tracer.finish(&step_outputs).unwrap();
    let density = [("g".to_owned(), zero), ("j".to_owned(), zero)];
    let currents = tracer.finish(&density).unwrap();
    let states: Vec<String> = names
        .iter()
        .map(|n| (*n).to_owned())
        .chain(["x".into()])
        .collect();
    let rest_outputs: Vec<(String, Expr<'_>)> =
        states.iter().map(|name| (name.clone(), zero)).collect();
    let rest = tracer.finish(&rest_outputs).unwrap();
    let bind = |program: axonml_autodiff::ir::Program| -> BoundProgram {
        let bound = program
            .inputs()
            .iter()
            .map(|input| match input.name.as_str() {
                "u" => Binding::U,
                _ => Binding::State(states.len() - 1),
            });
        let bindings = bound.collect();
        BoundProgram::new(program, bindings)
    };
    let [rest, currents, step] = [rest, currents, step].map(bind);
    let cable = Cable::Explicit(ExplicitCable {
        nodes: 40,
        area_cm2: 1e-7,
        capacitance_nf: 1e-3,
        axial_us: 1e-3,
        v_weights: (1.0, -2.0),
        ve_weights: (1.0, -2.0),
    });
    // Potentials of both signs, small and large, 0 among them.
    let v_mv: Vec<f64> = (0..40).map(|k| f64::from(k - 20) * 0.9).collect();
    let mut given = vec![vec![0.0; 40]; states.len()];
    given[states.len() - 1] = (0..40).map(|k| f64::from(k % 7) - 3.0).collect();
    let mut rollout = Rollout {
        membrane: Arc::new(MembranePrograms::new(states, rest, currents, step)),
        shared: Arc::default(),
        v_reference_mv: 0.0,
        fibers: vec![RolloutFiber {
            cable: Arc::new(cable),
            parameters: Vec::new(),
        }],
        drive: Drive {
            waveforms: Vec::new(),
            sources: vec![Arc::default()],
            gains: vec![Vec::new()],
        },
        grid: TimeGrid::new(0.01, 0.03).unwrap(),
        steps: 0..3,
        start: Start::From(vec![axonml_autodiff::engine::FiberState {
            v_mv,
            states: given,
            modes: Vec::new(),
        }]),
        observers: Vec::new(),
        stop_when_active: None,
        quiet_end: None,
        final_states: true,
        precision: Precision::F64,
        rates: Default::default(),
        scanned: Default::default(),
        cancel: Default::default(),
    };
    for source in KernelSource::for_rollout(&rollout) {
        for function in [
            "exponential(",
            "expm1(",
            "log(",
            "sqrt(",
            "exprelr_d2(",
            "sigmoid(",
        ] {
            assert!(source.text.contains(function), "{function}");
        }
    }
    let Some(kernels) = host_kernels() else {
        return;
    };
    let expected = Reference
        .run(&rollout)
        .unwrap()
        .fibers
        .remove(0)
        .state
        .unwrap();
    for (precision, tolerance) in [(Precision::F64, 1e-13), (Precision::F32, 2e-5)] {
        rollout.precision = precision;
        let found = kernels
            .run(&rollout)
            .unwrap()
            .fibers
            .remove(0)
            .state
            .unwrap();
        for ((found, expected), name) in found.states.iter().zip(&expected.states).zip(&names) {
            for (found, expected) in found.iter().zip(expected) {
                let error = (found - expected).abs() / expected.abs().max(1.0);
                assert!(
                    error < tolerance,
                    "{name} {precision:?}: {found} instead of {expected}"
                );
            }
        }
    }
}
