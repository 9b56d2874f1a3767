//! Membranes, cables and rollouts to test with.

use std::sync::Arc;

use axonml_autodiff::cable::Cable;
use axonml_autodiff::cable::{
    DoubleCable, ExplicitCable, ImplicitCable, Internode, InternodeCompartment, NodeGeometry,
};
use axonml_autodiff::engine::{
    Binding, BoundProgram, Drive, MembranePrograms, Rollout, RolloutFiber, Start,
};
use axonml_autodiff::ir::{Expr, Extent, Precision, Program, Tracer};
use axonml_core::TimeGrid;

/// Inputs of a test membrane.
#[derive(Clone, Copy)]
pub(super) struct Inputs<'t> {
    pub(super) u: Expr<'t>,
    pub(super) x: Expr<'t>,
    pub(super) shared: Expr<'t>,
    pub(super) fiber: Expr<'t>,
    pub(super) dt: Expr<'t>,
}

/// A program of all five inputs, in the order of `BINDINGS`.
pub(super) fn program(outputs: impl for<'t> Fn(Inputs<'t>) -> Vec<Expr<'t>>) -> Program {
    let tracer = Tracer::new();
    let inputs = Inputs {
        u: tracer.input("u", Extent::Node),
        x: tracer.input("x", Extent::Node),
        shared: tracer.input("shared", Extent::Shared),
        fiber: tracer.input("fiber", Extent::Fiber),
        dt: tracer.input("dt", Extent::Shared),
    };
    let outputs: Vec<_> = outputs(inputs)
        .into_iter()
        .enumerate()
        .map(|(i, e)| (format!("out{i}"), e))
        .collect();
    tracer.finish(&outputs).unwrap()
}

const BINDINGS: [Binding; 5] = [
    Binding::U,
    Binding::State(0),
    Binding::Shared(0),
    Binding::Fiber(0),
    Binding::Dt,
];

pub(super) fn membrane(
    states: &[&str],
    rest: Program,
    currents: Program,
    step: Program,
) -> Arc<MembranePrograms> {
    let states: Vec<String> = states.iter().map(|&name| name.to_owned()).collect();
    // A membrane without states must not bind one; its programs' second input is then never used.
    let bindings = if states.is_empty() {
        BINDINGS.map(|binding| {
            if binding == Binding::State(0) {
                Binding::U
            } else {
                binding
            }
        })
    } else {
        BINDINGS
    };
    let bound = |program| BoundProgram::new(program, bindings.to_vec());
    Arc::new(MembranePrograms::new(
        states,
        bound(rest),
        bound(currents),
        bound(step),
    ))
}

/// The conductance is the fiber's parameter (S/cm2), the source is the shared one (mA/cm2).
pub(super) fn passive() -> Arc<MembranePrograms> {
    let density = || program(|i| vec![i.fiber, i.shared]);
    membrane(&[], program(|_| Vec::new()), density(), density())
}

/// One state that relaxes to `u/10` at 1/ms; `G = fiber (1 + x^2)`, `J = shared x`.
pub(super) fn active() -> Arc<MembranePrograms> {
    let rest = program(|i| vec![i.u * 0.1]);
    let currents = program(|i| vec![i.fiber * (i.x * i.x + 1.0), i.shared * i.x]);
    let step = program(|i| {
        let x = i.u * 0.1 + (i.x - i.u * 0.1) * (-i.dt).exp();
        vec![x, i.fiber * (x * x + 1.0), i.shared * x]
    });
    membrane(&["x"], rest, currents, step)
}

pub(super) fn rollout(
    cable: Cable,
    membrane: Arc<MembranePrograms>,
    g_s_cm2: f64,
    dt_ms: f64,
    steps: usize,
) -> Rollout {
    let fiber = RolloutFiber {
        cable: Arc::new(cable),
        parameters: vec![g_s_cm2],
    };
    Rollout {
        membrane,
        shared: Arc::new(vec![0.0]),
        v_reference_mv: -70.0,
        fibers: vec![fiber],
        drive: Drive {
            waveforms: Vec::new(),
            sources: vec![Arc::default()],
            gains: vec![Vec::new()],
        },
        grid: TimeGrid::new(dt_ms, dt_ms * steps as f64).unwrap(),
        steps: 0..steps,
        start: Start::Uniform {
            v_mv: -60.0,
            states: None,
        },
        observers: Vec::new(),
        stop_when_active: None,
        quiet_end: None,
        final_states: true,
        precision: Precision::F64,
        rates: Default::default(),
        scanned: Default::default(),
        cancel: Default::default(),
    }
}

pub(super) fn chain(nodes: usize, link_us: f64) -> Cable {
    Cable::Implicit(ImplicitCable {
        area_cm2: vec![1e-5; nodes],
        capacitance_nf: vec![0.01; nodes],
        link_us: vec![link_us; nodes - 1],
    })
}

pub(super) fn explicit(nodes: usize, axial_us: f64) -> Cable {
    Cable::Explicit(ExplicitCable {
        nodes,
        area_cm2: 1e-5,
        capacitance_nf: 0.01,
        axial_us,
        v_weights: (1.0, -2.0),
        ve_weights: (1.0, -1.9),
    })
}

pub(super) fn double(nodes: usize) -> Cable {
    let compartment =
        |length_um, axon_diameter_um, periaxonal_width_um, conductance| InternodeCompartment {
            length_um,
            area_diameter_um: 10.0,
            axon_diameter_um,
            periaxonal_width_um,
            axolemma_capacitance_uf_cm2: 0.2 * axon_diameter_um,
            axolemma_conductance_s_cm2: conductance * axon_diameter_um / 10.0,
            myelin_capacitance_uf_cm2: 0.1 / 240.0,
            myelin_conductance_s_cm2: 0.001 / 240.0,
        };
    let (mysa, flut) = (
        compartment(3.0, 3.3, 0.002, 1e-3),
        compartment(46.0, 6.9, 0.004, 1e-4),
    );
    let stin = compartment(175.0, 6.9, 0.004, 1e-4);
    let node = NodeGeometry {
        length_um: 1.0,
        diameter_um: 3.3,
        periaxonal_width_um: 0.002,
    };
    let compartments = [mysa, flut, stin, stin, stin, stin, stin, stin, flut, mysa];
    Cable::Double(DoubleCable {
        nodes,
        node_area_cm2: 1e-7,
        node_capacitance_nf: 2e-4,
        internode: Arc::new(Internode::new(&compartments, node, 70.0).unwrap()),
    })
}
