//! Observers on traces whose crossings are known.

use std::sync::Arc;

use axonml_autodiff::cable::Cable;
use axonml_autodiff::cable::ImplicitCable;
use axonml_autodiff::engine::{
    BoundProgram, Drive, MembranePrograms, NodeSelection, RolloutFiber, Start,
};
use axonml_autodiff::ir::{Precision, Program, Tracer};
use proptest::prelude::*;

use super::*;

const DT_MS: f64 = 0.5;

/// A trace per node, looked at at one state.
struct Frame<'a> {
    traces: &'a [&'a [f64]],
    now: usize,
}

impl FiberView for Frame<'_> {
    fn v_mv(&self, node: usize) -> f64 {
        self.traces[node][self.now]
    }
    fn previous_v_mv(&self, node: usize) -> f64 {
        self.traces[node][self.now.saturating_sub(1)]
    }
    fn state(&self, state: usize, node: usize) -> f64 {
        (100 * state + 10 * node + self.now) as f64
    }
}

fn rollout(nodes: usize, steps: usize, observers: Vec<ObserverSpec>) -> Rollout {
    let nothing = || -> Program { Tracer::new().finish(&[]).unwrap() };
    let states = ["m", "h", "slow"].map(str::to_owned).to_vec();
    let nothing = || BoundProgram::new(nothing(), Vec::new());
    let programs = MembranePrograms::new(states, nothing(), nothing(), nothing());
    let cable = ImplicitCable {
        area_cm2: vec![1.0; nodes],
        capacitance_nf: vec![1.0; nodes],
        link_us: vec![1.0; nodes - 1],
    };
    Rollout {
        membrane: Arc::new(programs),
        shared: Arc::default(),
        v_reference_mv: 0.0,
        fibers: vec![RolloutFiber {
            cable: Arc::new(Cable::Implicit(cable)),
            parameters: Vec::new(),
        }],
        drive: Drive::default(),
        grid: TimeGrid::new(DT_MS, DT_MS * steps as f64).unwrap(),
        steps: 0..steps,
        start: Start::Uniform {
            v_mv: 0.0,
            states: None,
        },
        observers,
        stop_when_active: None,
        quiet_end: None,
        final_states: true,
        precision: Precision::F64,
        rates: Default::default(),
        scanned: Default::default(),
        cancel: Default::default(),
    }
}

/// Reports of the observers of `rollout`.
fn observe(rollout: &Rollout, traces: &[&[f64]]) -> Vec<Observation> {
    let mut watch = Watch::new(rollout, 0).unwrap();
    watch.start(&Frame {
        traces,
        now: rollout.steps.start,
    });
    for step in rollout.steps.clone() {
        watch.see(
            step + 1,
            &Frame {
                traces,
                now: step + 1,
            },
        );
    }
    watch.finish(&Frame {
        traces,
        now: rollout.steps.end,
    })
}

fn one(
    kind: ObserverKind,
    change: impl Fn(ObserverSpec) -> ObserverSpec,
    traces: &[&[f64]],
) -> Observation {
    let spec = change(ObserverSpec::new(kind, NodeSelection::All));
    observe(
        &rollout(traces.len(), traces[0].len() - 1, vec![spec]),
        traces,
    )
    .remove(0)
}

fn crossing(node: usize, state: usize, time_ms: f64, v_mv: f64) -> Crossing {
    Crossing {
        node,
        state,
        time_ms,
        v_mv,
    }
}

#[test]
fn crossings_are_counted_once_and_timed_within_the_step() {
    let early: &[f64] = &[-10.0, -10.0, 30.0, 40.0, -1.0, 0.0, 5.0];
    let late: &[f64] = &[-10.0, -10.0, -30.0, -10.0, -20.0, 60.0, 70.0];
    let raster = one(ObserverKind::Raster, |spec| spec, &[early, late]);
    // -10 to 30 crosses 0 after a quarter of the step from 0.5 ms; reaching the threshold is crossing it,
    // and leaving it upward is not.
    let expected = [
        crossing(0, 2, 0.625, 30.0),
        crossing(1, 5, 2.125, 60.0),
        crossing(0, 5, 2.5, 0.0),
    ];
    assert_eq!(raster, Observation::Raster(expected.to_vec()));
    let count = one(
        ObserverKind::ActionPotentialCount,
        |spec| spec,
        &[early, late],
    );
    assert_eq!(count, Observation::Count(vec![2, 1]));
    let count = one(
        ObserverKind::ActionPotentialCount,
        |spec| spec.threshold_mv(50.0),
        &[early, late],
    );
    assert_eq!(count, Observation::Count(vec![0, 1]));
}

#[test]
fn a_node_above_the_threshold_when_watching_begins_counts_once() {
    let above: &[f64] = &[20.0, 20.0, 20.0, -20.0, 20.0];
    let falls: &[f64] = &[20.0, -20.0, -20.0, -20.0, -20.0];
    let raster = one(ObserverKind::Raster, |spec| spec, &[above, falls]);
    assert_eq!(
        raster,
        Observation::Raster(vec![crossing(0, 1, 0.5, 20.0), crossing(0, 4, 1.75, 20.0)])
    );
    // Watching from 1 ms, which is state 2: the same, but from there.
    let raster = one(
        ObserverKind::Raster,
        |spec| spec.after_ms(1.0),
        &[above, falls],
    );
    assert_eq!(
        raster,
        Observation::Raster(vec![crossing(0, 2, 1.0, 20.0), crossing(0, 4, 1.75, 20.0)])
    );
    // From just after 1 ms it is state 3, below the threshold.
    let raster = one(
        ObserverKind::Raster,
        |spec| spec.after_ms(1.01),
        &[above, falls],
    );
    assert_eq!(
        raster,
        Observation::Raster(vec![crossing(0, 4, 1.75, 20.0)])
    );
}

#[test]
fn activity_needs_enough_different_nodes() {
    let first: &[f64] = &[-1.0, 1.0, -1.0, 1.0, -1.0, 1.0];
    let second: &[f64] = &[-1.0, -1.0, -1.0, -1.0, 1.0, 1.0];
    let active =
        |at_least, traces: &[&[f64]]| one(ObserverKind::Active { at_least }, |spec| spec, traces);
    assert_eq!(active(1, &[first, second]), Observation::Active(Some(1)));
    assert_eq!(active(2, &[first, second]), Observation::Active(Some(4)));
    assert_eq!(active(3, &[first, second]), Observation::Active(None));

    // Naming a node twice does not make it two.
    let nodes = NodeSelection::Nodes(vec![0, -2, 0]);
    let twice = ObserverSpec::new(ObserverKind::Active { at_least: 2 }, nodes);
    assert_eq!(
        observe(&rollout(2, 5, vec![twice]), &[first, second]),
        [Observation::Active(None)]
    );
}

#[test]
fn only_the_chosen_observer_ends_a_run() {
    let trace: &[f64] = &[-1.0, -1.0, 5.0, 15.0];
    let active = |threshold_mv| {
        ObserverSpec::new(ObserverKind::Active { at_least: 1 }, NodeSelection::All)
            .threshold_mv(threshold_mv)
    };
    let answers = |stop_when_active| -> Vec<bool> {
        let case = Rollout {
            stop_when_active,
            ..rollout(1, 3, vec![active(0.0), active(10.0)])
        };
        let mut watch = Watch::new(&case, 0).unwrap();
        watch.start(&Frame {
            traces: &[trace],
            now: 0,
        });
        (1..=3)
            .map(|now| {
                watch.see(
                    now,
                    &Frame {
                        traces: &[trace],
                        now,
                    },
                );
                watch.answered()
            })
            .collect()
    };
    assert_eq!(answers(None), [false, false, false]);
    assert_eq!(answers(Some(0)), [false, true, true]);
    assert_eq!(answers(Some(1)), [false, false, true]);
}

#[test]
fn recorders_take_every_few_states_from_where_they_begin() {
    let a: Vec<f64> = (0..10).map(f64::from).collect();
    let b: Vec<f64> = a.iter().map(|v| -v).collect();
    let kind = |every| ObserverKind::Recorder {
        states: vec!["slow".to_owned(), "m".to_owned()],
        every,
    };
    let nodes = NodeSelection::Nodes(vec![-1, 0]);
    let spec = ObserverSpec::new(kind(4), nodes.clone());
    let case = rollout(
        2,
        9,
        vec![spec, ObserverSpec::new(kind(4), nodes).after_ms(1.5)],
    );
    let recording = |states: [usize; 3], rows: usize| {
        let row = |f: &dyn Fn(usize) -> [f64; 2]| {
            states[..rows]
                .iter()
                .flat_map(|&k| f(k))
                .collect::<Vec<f64>>()
        };
        Observation::Recorded(Recording {
            t_ms: states[..rows].iter().map(|&k| DT_MS * k as f64).collect(),
            nodes: vec![1, 0],
            v_mv: row(&|k| [-(k as f64), k as f64]),
            states: vec![
                row(&|k| [210.0 + k as f64, 200.0 + k as f64]),
                row(&|k| [10.0 + k as f64, k as f64]),
            ],
        })
    };
    assert_eq!(
        observe(&case, &[&a, &b]),
        [recording([0, 4, 8], 3), recording([3, 7, 0], 2)]
    );
}

#[test]
fn traces_are_one_array_of_the_quantities_in_their_order() {
    let a: Vec<f64> = (0..10).map(|k| 0.1 * f64::from(k)).collect();
    let b: Vec<f64> = a.iter().map(|v| -v).collect();
    let quantities = ["slow", "v", "m"].map(str::to_owned).to_vec();
    let kind = ObserverKind::Traces {
        quantities,
        every: 4,
    };
    let some = NodeSelection::Nodes(vec![-1, 0]);
    for (nodes, listed) in [(some, vec![1, 0]), (NodeSelection::All, vec![0, 1])] {
        let spec = ObserverSpec::new(kind.clone(), nodes).after_ms(0.5);
        let row = |k: usize| {
            let at = |start: f64, node: &usize| (start + (10 * node + k) as f64) as f32;
            let slow = listed.iter().map(move |node| at(200.0, node));
            let v = listed.iter().map(|&node| [&a, &b][node][k] as f32);
            let m = listed.iter().map(move |node| at(0.0, node));
            slow.chain(v).chain(m).collect::<Vec<f32>>()
        };
        let expected = Observation::Traced(Traces {
            t_ms: [1, 5, 9].map(|k| DT_MS * f64::from(k)).to_vec(),
            nodes: listed.clone(),
            values: [1, 5, 9].into_iter().flat_map(row).collect(),
        });
        assert_eq!(observe(&rollout(2, 9, vec![spec]), &[&a, &b]), [expected]);
    }
}

#[test]
fn maxima_include_the_start_unless_told_to_begin_later() {
    let trace: &[f64] = &[9.0, 1.0, 7.0, 3.0];
    assert_eq!(
        one(ObserverKind::Maximum, |spec| spec, &[trace]),
        Observation::Maximum(vec![9.0])
    );
    assert_eq!(
        one(ObserverKind::Maximum, |spec| spec.after_ms(0.5), &[trace]),
        Observation::Maximum(vec![7.0])
    );
    assert_eq!(
        one(ObserverKind::Maximum, |spec| spec.after_ms(1.5), &[trace]),
        Observation::Maximum(vec![3.0])
    );
}

#[test]
fn observers_that_do_not_fit_are_refused_by_name() {
    let outside = ObserverSpec::new(ObserverKind::Raster, NodeSelection::Nodes(vec![0, -4]));
    let fits = ObserverSpec::new(ObserverKind::Raster, NodeSelection::Nodes(vec![0, -3]));
    let error = Watch::new(&rollout(3, 1, vec![fits, outside]), 0).unwrap_err();
    assert_eq!(
        error,
        BackendError::NodeOutOfRange {
            observer: 1,
            fiber: 0,
            index: -4,
            nodes: 3
        }
    );

    let recorder = ObserverKind::Recorder {
        states: vec!["m".to_owned(), "slw".to_owned()],
        every: 1,
    };
    let error = Watch::new(
        &rollout(3, 1, vec![ObserverSpec::new(recorder, NodeSelection::All)]),
        0,
    )
    .unwrap_err();
    let nearest = Some("slow".to_owned());
    assert_eq!(
        error,
        BackendError::UnknownState {
            observer: 0,
            name: "slw".to_owned(),
            nearest
        }
    );
}

proptest! {
    /// Cutting a run in two at any step changes neither crossings nor rows.
    #[test]
    fn a_run_in_parts_reports_the_parts_of_the_whole(
        trace in prop::collection::vec(-2.0..2.0_f64, 12),
        cut in 1..11_usize,
        after in 0..12_usize,
        every in 1..4_usize,
    ) {
        let kinds = [ObserverKind::Raster, ObserverKind::Recorder { states: Vec::new(), every }];
        let observers = kinds.into_iter().map(|kind| {
            ObserverSpec::new(kind, NodeSelection::All).after_ms(DT_MS * after as f64)
        });
        let whole = rollout(1, 11, observers.collect());
        let part = |steps| Rollout { steps, ..whole.clone() };
        let mut crossings = Vec::new();
        let mut times = Vec::new();
        for steps in [0..cut, cut..11] {
            for observation in observe(&part(steps), &[&trace]) {
                match observation {
                    Observation::Raster(seen) => crossings.extend(seen),
                    Observation::Recorded(recording) => times.extend(recording.t_ms),
                    other => prop_assert!(false, "{:?}", other),
                }
            }
        }
        let expected = observe(&whole, &[&trace]);
        prop_assert_eq!(&Observation::Raster(crossings), &expected[0]);
        let Observation::Recorded(recording) = &expected[1] else { unreachable!() };
        prop_assert_eq!(&times, &recording.t_ms);
        prop_assert_eq!(times.len(), (12 - after).div_ceil(every));
    }
}
