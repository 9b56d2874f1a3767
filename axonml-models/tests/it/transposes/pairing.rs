//! Random directions and cotangents, and the two ways of pairing them.

use axonml_autodiff::adjoint::Cotangents;
use axonml_autodiff::cable::Cable;
use axonml_autodiff::cable::CableCotangent;
use axonml_autodiff::engine::{Rollout, Source};
use axonml_cpu::{FiberTangent, TangentDirection};
use axonml_models::{
    Evaluation, FiberOutcome, FiberState, Observation, RecordedCotangent, Recording,
};

/// Reproducible numbers between -1 and 1 (Steele, Lea & Flood 2014, SplitMix).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    pub(crate) fn number(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^= x >> 31;
        (x >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }

    fn times(&mut self, size: f64) -> f64 {
        size * self.number()
    }

    fn each(&mut self, sizes: &[f64]) -> Vec<f64> {
        sizes.iter().map(|&size| self.times(size)).collect()
    }

    fn many(&mut self, count: usize, size: f64) -> Vec<f64> {
        (0..count).map(|_| self.times(size)).collect()
    }
}

/// A sum and the sum of the magnitudes of its terms.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sum {
    pub(crate) total: f64,
    pub(crate) size: f64,
}

impl Sum {
    fn add(&mut self, a: f64, b: f64) {
        self.total += a * b;
        self.size += (a * b).abs();
    }

    fn dot(&mut self, a: &[f64], b: &[f64]) {
        assert_eq!(a.len(), b.len());
        a.iter().zip(b).for_each(|(&a, &b)| self.add(a, b));
    }

    fn state(&mut self, a: &FiberState, b: &FiberState) {
        self.dot(&a.v_mv, &b.v_mv);
        assert_eq!(a.states.len(), b.states.len());
        let states = a.states.iter().zip(&b.states);
        states.for_each(|(a, b)| self.dot(a, b));
        self.dot(&a.modes, &b.modes);
    }
}

// ---- loss cotangents
// -------------------------------------------------------------------------------------------------

pub(crate) fn recording(observation: &Observation) -> Option<&Recording> {
    match observation {
        Observation::Recorded(recording) => Some(recording),
        _ => None,
    }
}

/// Random weights of everything that fiber `fiber` recorded, and of its last state: a linear loss.
pub(crate) fn weights(fiber: usize, outcome: &FiberOutcome) -> Evaluation {
    let mut random = Random::new(100 + fiber as u64);
    let of_recording = |recording: &Recording, random: &mut Random| {
        let count = recording.v_mv.len();
        let states = recording.states.iter();
        RecordedCotangent {
            v_mv: random.many(count, 1.0),
            states: states.map(|_| random.many(count, 30.0)).collect(),
        }
    };
    let observations = outcome.observations.iter();
    let recorded = observations
        .map(|seen| recording(seen).map(|seen| of_recording(seen, &mut random)))
        .collect();
    let last = outcome.state.as_ref().unwrap();
    let (nodes, modes) = (last.v_mv.len(), last.modes.len());
    let largest = last.modes.iter().fold(1e-9_f64, |m, x| m.max(x.abs()));
    let states = last.states.iter();
    let state = FiberState {
        v_mv: random.many(nodes, 5.0),
        states: states.map(|_| random.many(nodes, 50.0)).collect(),
        modes: random.many(modes, 50.0 / largest),
    };
    Evaluation {
        loss: 0.0,
        recorded,
        state: Some(state),
    }
}

/// `<w, J v>`: the weights of fiber `fiber` paired with the directional derivatives of its recording.
pub(crate) fn forward(
    rollout: &Rollout,
    fiber: usize,
    outcome: &FiberOutcome,
    direction: &TangentDirection,
    tangent: &FiberTangent,
) -> Sum {
    let mut sum = Sum::default();
    // A deviation and its reference may change by opposite amounts: sizes are those of both.
    let reference = direction.v_reference_mv.abs();
    let weights = weights(fiber, outcome);
    for (index, (seen, weights)) in outcome
        .observations
        .iter()
        .zip(weights.recorded)
        .enumerate()
    {
        let (Some(seen), Some(weights)) = (recording(seen), weights) else {
            continue;
        };
        let axonml_models::ObserverKind::Recorder { states, .. } = &rollout.observers[index].kind
        else {
            panic!("a recorder")
        };
        let nodes = seen.nodes.len();
        for (row, t_ms) in seen.t_ms.iter().enumerate() {
            let state = (t_ms / rollout.grid.dt_ms()).round() as usize;
            let change = &tangent.changes[state - rollout.steps.start];
            for (column, &node) in seen.nodes.iter().enumerate() {
                let at = row * nodes + column;
                sum.add(weights.v_mv[at], change.v_mv[node]);
                sum.size += weights.v_mv[at].abs() * reference;
                for (name, weights) in states.iter().zip(&weights.states) {
                    let all = &rollout.membrane.states;
                    let state = all.iter().position(|state| state == name).unwrap();
                    sum.add(weights[at], change.states[state][node]);
                }
            }
        }
    }
    sum.state(&weights.state.unwrap(), tangent.changes.last().unwrap());
    sum
}

// ---- directions
// ------------------------------------------------------------------------------------------------------

/// The coefficients of a cable's cotangent or direction by name.
pub(crate) fn numbers(cable: &mut CableCotangent) -> Vec<(&'static str, &mut [f64])> {
    fn one(x: &mut f64) -> &mut [f64] {
        std::slice::from_mut(x)
    }
    match cable {
        CableCotangent::Explicit {
            area_cm2,
            capacitance_nf,
            axial_us,
            v_weights,
            ve_weights,
        } => vec![
            ("area", one(area_cm2)),
            ("capacitance", one(capacitance_nf)),
            ("axial", one(axial_us)),
            ("v weight of neighbors", one(&mut v_weights.0)),
            ("v weight of the node", one(&mut v_weights.1)),
            ("ve weight of neighbors", one(&mut ve_weights.0)),
            ("ve weight of the node", one(&mut ve_weights.1)),
        ],
        CableCotangent::Implicit {
            area_cm2,
            capacitance_nf,
            link_us,
        } => vec![
            ("area", area_cm2),
            ("capacitance", capacitance_nf),
            ("links", link_us),
        ],
        CableCotangent::Double {
            area_cm2,
            capacitance_nf,
            modes,
        } => vec![
            ("area", one(area_cm2)),
            ("capacitance", one(capacitance_nf)),
            ("rates", &mut modes.lambda),
            ("couplings", &mut modes.b),
            ("drives of modes", modes.drive.as_flattened_mut()),
            ("end", one(&mut modes.end_us)),
        ],
        CableCotangent::Reduced(cable) => vec![
            ("area", one(&mut cable.node_area_cm2)),
            ("capacitance", one(&mut cable.capacitance_nf)),
            ("self", one(&mut cable.self_us)),
            ("neighbor", one(&mut cable.neighbor_us)),
            ("even rate", one(&mut cable.even.lambda_per_ms)),
            ("even coupling", one(&mut cable.even.coupling_us_per_ms)),
            ("odd rate", one(&mut cable.odd.lambda_per_ms)),
            ("odd coupling", one(&mut cable.odd.coupling_us_per_ms)),
            ("node_even", one(&mut cable.drive.node_even_us)),
            ("node_odd", one(&mut cable.drive.node_odd_us)),
            ("node_wide", one(&mut cable.drive.node_wide_us)),
            ("even", one(&mut cable.drive.even_us_per_ms)),
            ("odd", one(&mut cable.drive.odd_us_per_ms)),
            ("wide", one(&mut cable.drive.wide_us_per_ms)),
        ],
    }
}

/// The coefficients of a cable, as a direction that scales all of them alike.
fn itself(cable: &Cable) -> CableCotangent {
    match cable {
        Cable::Explicit(c) => CableCotangent::Explicit {
            area_cm2: c.area_cm2,
            capacitance_nf: c.capacitance_nf,
            axial_us: c.axial_us,
            v_weights: c.v_weights,
            ve_weights: c.ve_weights,
        },
        Cable::Implicit(c) => CableCotangent::Implicit {
            area_cm2: c.area_cm2.clone(),
            capacitance_nf: c.capacitance_nf.clone(),
            link_us: c.link_us.clone(),
        },
        Cable::Double(c) => CableCotangent::Double {
            area_cm2: c.node_area_cm2,
            capacitance_nf: c.node_capacitance_nf,
            modes: Box::new(c.internode.modes()),
        },
        Cable::Reduced(c) => CableCotangent::Reduced(c.clone()),
    }
}

/// A random change of everything, each number by up to its own size.
pub(crate) fn everything(rollout: &Rollout, fiber: usize) -> TangentDirection {
    let mut random = Random::new(1000 + fiber as u64);
    let mut direction = TangentDirection::zero(rollout, fiber);
    direction.shared = random.each(&rollout.shared);
    direction.parameters = random.each(&rollout.fibers[fiber].parameters);
    direction.v_reference_mv = random.times(1.0);
    direction.uniform_v_mv = random.times(1.0);
    for (change, &gain) in direction
        .sources
        .iter_mut()
        .zip(&rollout.drive.gains[fiber])
    {
        change.gain = random.times(gain);
    }
    let cable = &*rollout.fibers[fiber].cable;
    direction.cable = itself(cable);
    for (_, numbers) in numbers(&mut direction.cable) {
        numbers.iter_mut().for_each(|x| *x *= random.number());
    }
    let largest = |x: &[f64]| x.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
    let steps = rollout.grid.steps();
    for (source, change) in rollout.drive.sources[fiber]
        .iter()
        .zip(&mut direction.sources)
    {
        match source {
            Source::Separable {
                projection,
                potentials,
                ..
            } => {
                change.waveform = random.many(steps, 1.0);
                let mut unit = axonml_autodiff::cable::Projection::clone(projection);
                let scale = largest(&unit.nodes_na);
                unit.nodes_na = random.many(unit.nodes_na.len(), scale);
                unit.modes = match largest(&unit.modes) {
                    0.0 => random.many(unit.modes.len(), 1e-3 * scale),
                    _ => random.each(&unit.modes),
                };
                change.projection = Some(unit);
                if let Some(ve) = potentials {
                    change.potentials = random.many(ve.len(), largest(ve));
                }
            }
            Source::SpaceTime(ve) => change.potentials = random.many(ve.len(), 0.3 * largest(ve)),
        }
    }
    let start = &mut direction.start;
    let nodes = start.v_mv.len();
    start.v_mv = random.many(nodes, 1.0);
    start
        .states
        .iter_mut()
        .for_each(|state| *state = random.many(nodes, 0.05));
    start.modes = random.many(start.modes.len(), 1e-2);
    direction
}

/// The parts that a direction consists of, each alone, by name; empty ones left out.
pub(crate) fn parts(rollout: &Rollout, fiber: usize) -> Vec<(&'static str, TangentDirection)> {
    let all = everything(rollout, fiber);
    let zero = || TangentDirection::zero(rollout, fiber);
    let mut parts = vec![
        (
            "shared parameters",
            TangentDirection {
                shared: all.shared.clone(),
                ..zero()
            },
        ),
        (
            "own parameters",
            TangentDirection {
                parameters: all.parameters.clone(),
                ..zero()
            },
        ),
        (
            "reference",
            TangentDirection {
                v_reference_mv: all.v_reference_mv,
                ..zero()
            },
        ),
        (
            "uniform start",
            TangentDirection {
                uniform_v_mv: all.uniform_v_mv,
                ..zero()
            },
        ),
        ("all", all.clone()),
    ];
    let names: Vec<&str> = numbers(&mut all.cable.clone())
        .iter()
        .map(|n| n.0)
        .collect();
    for kept in names {
        let mut direction = TangentDirection {
            cable: all.cable.clone(),
            ..zero()
        };
        for (name, numbers) in numbers(&mut direction.cable) {
            if name != kept {
                numbers.fill(0.0);
            }
        }
        parts.push((kept, direction));
    }
    let mut sources =
        ["gains", "waveforms", "projections", "potentials"].map(|name| (name, zero()));
    let [gains, waveforms, projections, potentials] = &mut sources;
    for (index, change) in all.sources.iter().enumerate() {
        gains.1.sources[index].gain = change.gain;
        waveforms.1.sources[index].waveform = change.waveform.clone();
        projections.1.sources[index].projection = change.projection.clone();
        potentials.1.sources[index].potentials = change.potentials.clone();
    }
    parts.extend(sources);
    let mut start = ["start voltages", "start states", "start modes"].map(|name| (name, zero()));
    start[0].1.start.v_mv = all.start.v_mv.clone();
    start[1].1.start.states = all.start.states.clone();
    start[2].1.start.modes = all.start.modes.clone();
    parts.extend(start);
    parts
}

/// `<J^T w, v>`: the VJP paired with the direction.
pub(crate) fn backward(cotangents: &Cotangents, direction: &TangentDirection) -> Sum {
    let mut sum = Sum::default();
    sum.dot(&cotangents.shared, &direction.shared);
    sum.dot(&cotangents.parameters, &direction.parameters);
    sum.add(cotangents.v_reference, direction.v_reference_mv);
    sum.add(cotangents.uniform_v, direction.uniform_v_mv);
    let mut cable = cotangents.cable.clone().unwrap();
    let mut change = direction.cable.clone();
    for ((_, bar), (_, change)) in numbers(&mut cable).iter().zip(numbers(&mut change)) {
        sum.dot(bar, change);
    }
    assert_eq!(cotangents.sources.len(), direction.sources.len());
    for (bar, change) in cotangents.sources.iter().zip(&direction.sources) {
        sum.add(bar.gain, change.gain);
        if !change.waveform.is_empty() {
            sum.dot(&bar.waveform, &change.waveform);
        }
        if !change.potentials.is_empty() {
            sum.dot(&bar.potentials, &change.potentials);
        }
        if let Some(change) = &change.projection {
            let bar = bar.projection.as_ref().unwrap();
            sum.dot(&bar.nodes_na, &change.nodes_na);
            sum.dot(&bar.modes, &change.modes);
        }
    }
    sum.state(&cotangents.start, &direction.start);
    sum
}
