//! Derivatives of whole simulations against PyTorch's autograd, in double precision, on the parent module's device.

use std::sync::Arc;

use axonml_core::Waveform;
use axonml_models::weights::Weights;
use axonml_models::{
    Evaluation, Fiber, FiberDerivative, FiberOutcome, FiberState, GradientRequest, NodeSelection,
    Observation, ObserverKind, ObserverSpec, RecordedCotangent, Recording, Settings, Simulation,
    Stimulus, model,
};
use ndarray::{Array1, Array3, Array4, Ix3, Ix4, s};

use super::golden::Golden;

const STATES: [&str; 4] = ["m", "h", "p", "s"];
const DT_MS: f64 = 0.005;

/// Required agreement: relative, and a share of the largest number of the group.
const RELATIVE: f64 = 1e-8;
const OF_LARGEST: f64 = 1e-12;

fn close(what: &str, found: f64, expected: f64, largest: f64) {
    let error = (found - expected).abs();
    assert!(
        error <= RELATIVE * expected.abs() + OF_LARGEST * largest,
        "{what}: {found:e}, PyTorch {expected:e}, off by {error:e}"
    );
}

fn simulation(diameters: &[f64], nodes: usize, steps: usize) -> Simulation {
    let fibers = diameters.iter().map(|&d| Fiber::new(d, nodes)).collect();
    let settings = Settings {
        dt_ms: DT_MS,
        tstop_ms: DT_MS * steps as f64,
        weights: Weights::Published,
        ..Settings::default()
    };
    Simulation::new(&model("smf").unwrap(), fibers, &settings, &super::device()).unwrap()
}

fn dense(ve: &Array4<f64>) -> Stimulus {
    let fibers = ve.dim().1;
    (0..fibers).fold(Stimulus::none(fibers), |stimulus, fiber| {
        let of_fiber = ve.slice(s![.., fiber, 0, ..]).iter().copied().collect();
        stimulus.space_time(fiber, Arc::new(of_fiber))
    })
}

fn recorder(nodes: NodeSelection, states: &[&str]) -> ObserverSpec {
    let kind = ObserverKind::Recorder {
        states: states.iter().map(|&name| name.to_owned()).collect(),
        every: 1,
    };
    ObserverSpec::new(kind, nodes)
}

fn recording(outcome: &FiberOutcome) -> &Recording {
    match &outcome.observations[0] {
        Observation::Recorded(recording) => recording,
        other => panic!("{other:?}"),
    }
}

/// Mean over `count` numbers of the squared difference from `target` (row, fiber, state, node), whose row 0 is the
/// first recorded row.
fn squared(target: &Array3<f64>, recording: &Recording, count: f64) -> Evaluation {
    let nodes = recording.nodes.len();
    let mut loss = 0.0;
    let mut against = |values: &[f64], state: usize| -> Vec<f64> {
        let each = values.iter().enumerate();
        each.map(|(index, value)| {
            let difference = value - target[[index / nodes, state, index % nodes]];
            loss += difference * difference / count;
            2.0 * difference / count
        })
        .collect()
    };
    let states = recording.states.iter().enumerate();
    let states = states.map(|(state, x)| against(x, state)).collect();
    let v_mv = against(&recording.v_mv, 4);
    Evaluation {
        loss,
        recorded: vec![Some(RecordedCotangent { v_mv, states })],
        state: None,
    }
}

/// Every parameter's derivative, summed over fibers; `suffix` names the piece.
fn check_parameters(golden: &mut Golden, suffix: &str, sim: &Simulation, runs: &[FiberDerivative]) {
    let of = |parameter: usize| -> f64 {
        runs.iter()
            .map(|run| run.gradient.as_ref().unwrap().parameters[parameter])
            .sum()
    };
    let weights = golden.array::<f64, Ix3>(&format!("grad_ssd.weight{suffix}"));
    let mut compared = Vec::new();
    for (index, parameter) in sim.schema().parameters.iter().enumerate() {
        // A neighbor's weight is the mean of the two raw ones: its derivative is the sum of theirs.
        let raw = |row: usize| weights[[0, row, 0]] + weights[[0, row, 2]];
        let expected = match &*parameter.name {
            "v_neighbor" => raw(0),
            "ve_neighbor" => raw(1),
            "v_center" => weights[[0, 0, 1]],
            "ve_center" => weights[[0, 1, 1]],
            name => golden.number(&format!("grad_{name}{suffix}")),
        };
        compared.push((parameter.name.clone(), of(index), expected));
    }
    assert_eq!(compared.len(), 57, "all of them");
    let largest = compared.iter().map(|c| c.2.abs()).fold(0.0, f64::max);
    for (name, found, expected) in compared {
        close(&format!("{name}{suffix}"), found, expected, largest);
    }
}

fn check_potentials(expected: &Array4<f64>, runs: &[FiberDerivative]) {
    let largest = expected.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
    for (fiber, run) in runs.iter().enumerate() {
        let found = &run.gradient.as_ref().unwrap().sources[0].potentials;
        let of_fiber = expected.slice(s![.., fiber, 0, ..]);
        assert_eq!(found.len(), of_fiber.len());
        for (&found, &expected) in found.iter().zip(&of_fiber) {
            close("ve", found, expected, largest);
        }
    }
}

fn total_loss(runs: &[FiberDerivative]) -> f64 {
    runs.iter()
        .map(|run| run.gradient.as_ref().unwrap().loss)
        .sum()
}

fn last_states(runs: Vec<FiberDerivative>) -> Vec<FiberState> {
    runs.into_iter()
        .map(|run| run.outcome.state.unwrap())
        .collect()
}

#[test]
fn squared_error_over_fifty_steps() {
    let mut golden = Golden::open("axonml/grad_mse_t50.npz");
    let ve = golden.array::<f64, Ix4>("ve");
    let target = golden.array::<f64, Ix4>("target");
    let sim = simulation(&golden.vector("diameters"), ve.dim().3, ve.dim().0);
    let objective = |fiber: usize, outcome: &FiberOutcome| {
        let of_fiber = target.slice(s![.., fiber, .., ..]).to_owned();
        squared(&of_fiber, recording(outcome), target.len() as f64)
    };
    let observers = [recorder(NodeSelection::All, &STATES)];
    let runs = sim
        .differentiate(
            &dense(&ve),
            1.0,
            &observers,
            &objective,
            GradientRequest::ALL,
        )
        .unwrap();
    close("loss", total_loss(&runs), golden.number("loss"), 0.0);
    check_parameters(&mut golden, "", &sim, &runs);
    check_potentials(&golden.array::<f64, Ix4>("grad_ve"), &runs);
}

#[test]
fn truncated_backpropagation_through_three_pieces() {
    let mut golden = Golden::open("axonml/grad_tbptt_3x50.npz");
    let ve = golden.array::<f64, Ix4>("ve");
    let target = golden.array::<f64, Ix4>("target");
    let (steps, fibers, _, nodes) = ve.dim();
    let sim = simulation(&golden.vector("diameters"), nodes, steps);
    let observers = [recorder(NodeSelection::All, &STATES)];
    let count = (51 * fibers * 5 * nodes) as f64;
    let mut states = sim.initial_states().unwrap();
    for piece in 0..3 {
        let range = 50 * piece..50 * (piece + 1);
        let mut rollout = sim.rollout(&dense(&ve), &observers).unwrap();
        rollout.steps = range.clone();
        rollout.start = axonml_autodiff::engine::Start::From(states.clone());
        // The run starts with the state it was given, which the recorder of a continued run does not repeat.
        let first = if piece == 0 { 0 } else { 1 };
        let objective = |fiber: usize, outcome: &FiberOutcome| {
            let rows = range.start + first..range.end + 1;
            let of_fiber = target.slice(s![rows, fiber, .., ..]).to_owned();
            squared(&of_fiber, recording(outcome), count)
        };
        let members: Vec<usize> = (0..fibers).collect();
        let runs = sim
            .differentiate_rollout(
                &rollout,
                &dense(&ve).scaling(),
                &members,
                &objective,
                GradientRequest::ALL,
            )
            .unwrap();
        let suffix = format!("_chunk{piece}");
        let mut loss = total_loss(&runs);
        if piece > 0 {
            for (fiber, state) in states.iter().enumerate() {
                let rows = state.states.iter().chain([&state.v_mv]).enumerate();
                for (row, x) in
                    rows.flat_map(|(row, x)| x.iter().enumerate().map(move |n| (row, n)))
                {
                    let (node, x) = x;
                    loss += (x - target[[range.start, fiber, row, node]]).powi(2) / count;
                }
            }
        }
        close("loss", loss, golden.number(&format!("loss{suffix}")), 0.0);
        check_parameters(&mut golden, &suffix, &sim, &runs);
        check_potentials(
            &golden.array::<f64, Ix4>(&format!("grad_ve{suffix}")),
            &runs,
        );
        states = last_states(runs);
    }
}

#[test]
fn mean_of_a_gate_at_both_ends_over_three_hundred_steps() {
    let mut golden = Golden::open("axonml/grad_endm_t300.npz");
    let ve = golden.array::<f64, Ix4>("ve");
    let (steps, fibers, _, nodes) = ve.dim();
    let sim = simulation(&golden.vector("diameters"), nodes, steps);
    let count = ((steps + 1) * fibers * 5) as f64;
    let objective = |_: usize, outcome: &FiberOutcome| sum_of_m(outcome, 1.0 / count);
    let observers = [recorder(ends(), &["m"])];
    let runs = sim
        .differentiate(
            &dense(&ve),
            1.0,
            &observers,
            &objective,
            GradientRequest::ALL,
        )
        .unwrap();
    close("loss", total_loss(&runs), golden.number("loss"), 0.0);
    check_parameters(&mut golden, "", &sim, &runs);
    check_potentials(&golden.array::<f64, Ix4>("grad_ve"), &runs);
}

#[test]
fn a_waveform_shared_by_two_fibers() {
    let mut golden = Golden::open("axonml/grad_waveform_t300.npz");
    let basis = golden.array::<f64, Ix3>("basis");
    let x = golden.vector("x");
    let expected = golden.vector("grad_x");
    let sim = simulation(&golden.vector("diameters"), basis.dim().2, x.len());
    let waveform = Arc::new(Waveform::from_samples(DT_MS, x).unwrap());
    let stimulus = (0..2).fold(Stimulus::none(2), |stimulus, fiber| {
        let ve = basis.slice(s![fiber, 0, ..]).to_vec();
        stimulus.potentials(fiber, ve, waveform.clone()).unwrap()
    });
    let objective = |_: usize, outcome: &FiberOutcome| sum_of_m(outcome, 1.0);
    let observers = [recorder(ends(), &["m"])];
    let request = GradientRequest {
        waveforms: true,
        ..GradientRequest::default()
    };
    let runs = sim
        .differentiate(&stimulus, 1.0, &observers, &objective, request)
        .unwrap();
    close("loss", total_loss(&runs), golden.number("loss"), 0.0);
    let mut found = Array1::<f64>::zeros(expected.len());
    for run in &runs {
        let of_fiber = &run.gradient.as_ref().unwrap().sources[0].waveform;
        found += &Array1::from(of_fiber.clone());
    }
    let largest = expected.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
    for (found, expected) in found.iter().zip(&expected) {
        close("waveform", *found, *expected, largest);
    }
    // The derivative by the amplitude from that by the waveform: x . dL/dx.
    let (x, by_amplitude) = (golden.vector("x"), runs.iter());
    let by_amplitude: f64 = by_amplitude
        .map(|run| run.gradient.as_ref().unwrap().amplitude)
        .sum();
    let dot: f64 = x.iter().zip(&expected).map(|(x, g)| x * g).sum();
    close("amplitude", by_amplitude, dot, largest);
}

fn ends() -> NodeSelection {
    NodeSelection::Nodes(vec![0, 1, 2, 3, 4, -5, -4, -3, -2, -1])
}

/// The sum of everything recorded of the first state, times `weight`.
fn sum_of_m(outcome: &FiberOutcome, weight: f64) -> Evaluation {
    let m = &recording(outcome).states[0];
    Evaluation {
        loss: weight * m.iter().sum::<f64>(),
        recorded: vec![Some(RecordedCotangent {
            v_mv: Vec::new(),
            states: vec![vec![weight; m.len()]],
        })],
        state: None,
    }
}
