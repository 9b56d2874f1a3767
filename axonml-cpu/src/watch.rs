//! The observers of one fiber: they read every state of a run and accumulate the requested observations.

#[cfg(test)]
mod tests;

use axonml_autodiff::engine::{
    BackendError, Crossing, Observation, ObserverKind, ObserverSpec, Recording, Rollout, Traces,
    VOLTAGE,
};
use axonml_core::TimeGrid;
use axonml_core::names::nearest;

/// The present and the previous state of one fiber, as observers see it.
pub(crate) trait FiberView {
    /// Membrane potential of `node`, mV.
    fn v_mv(&self, node: usize) -> f64;
    /// Membrane potential of `node` one step earlier, mV.
    fn previous_v_mv(&self, node: usize) -> f64;
    /// State variable `state` of `node`.
    fn state(&self, state: usize, node: usize) -> f64;
    /// Nodes, ascending, among which are all that have risen to a threshold since the previous state; `None` if nothing is
    /// known of that.
    fn risen_to(&self, _threshold_mv: f64) -> Option<&[usize]> {
        None
    }
    /// Largest membrane potential of `node` since a state, mV, from views that keep it.
    fn largest_mv(&self, _first_state: usize, _node: usize) -> Option<f64> {
        None
    }
    /// [`FiberView::v_mv`] of the first `nodes` nodes.
    fn voltages_mv(&self, nodes: usize) -> impl Iterator<Item = f64> {
        (0..nodes).map(|node| self.v_mv(node))
    }
    /// [`FiberView::state`] of the first `nodes` nodes.
    fn states(&self, state: usize, nodes: usize) -> impl Iterator<Item = f64> {
        (0..nodes).map(move |node| self.state(state, node))
    }
}

/// The observers of one fiber during one run.
#[derive(Debug)]
pub(crate) struct Watch {
    grid: TimeGrid,
    start: usize,
    observers: Vec<Observer>,
    stop_when_active: Option<usize>,
}

/// State of one observer: its nodes, first state, and observations.
#[derive(Debug)]
struct Observer {
    nodes: Vec<usize>,
    /// Whether every node comes once, in ascending order.
    ascending: bool,
    threshold_mv: f64,
    first_state: usize,
    seen: Seen,
}

#[derive(Debug)]
enum Seen {
    Active {
        crossed: Vec<bool>,
        missing: usize,
        at: Option<usize>,
    },
    Count(Vec<u32>),
    Raster(Vec<Crossing>),
    Recorded {
        states: Vec<usize>,
        every: usize,
        /// Whether the recorded nodes are all up to some node, in order.
        in_order: bool,
        recording: Recording,
    },
    Traced {
        quantities: Vec<Quantity>,
        every: usize,
        in_order: bool,
        traces: Traces,
    },
    Maximum(Vec<f64>),
}

/// Quantities of a row of traces.
#[derive(Clone, Copy, Debug)]
enum Quantity {
    Voltage,
    State(usize),
}

impl Watch {
    /// The observers of `rollout` for its fiber `fiber`.
    ///
    /// # Errors
    /// [`BackendError::NodeOutOfRange`] and [`BackendError::UnknownState`] for observers that do not fit the fiber or
    /// the membrane.
    pub(crate) fn new(rollout: &Rollout, fiber: usize) -> Result<Self, BackendError> {
        let nodes = rollout.fibers[fiber].cable.nodes();
        let observers = rollout.observers.iter().enumerate().map(|(index, spec)| {
            let selected =
                spec.nodes
                    .resolve(nodes)
                    .map_err(|node| BackendError::NodeOutOfRange {
                        observer: index,
                        fiber,
                        index: node,
                        nodes,
                    })?;
            let seen = Seen::nothing(rollout, index, &selected)?;
            Ok(Observer::new(spec, selected, seen, &rollout.grid))
        });
        Ok(Watch {
            grid: rollout.grid,
            start: rollout.steps.start,
            observers: observers.collect::<Result<_, _>>()?,
            stop_when_active: rollout.stop_when_active,
        })
    }

    /// Looks at the state the run starts from. That of a continued run is its predecessor's last, and was seen.
    pub(crate) fn start(&mut self, view: &impl FiberView) {
        if self.start == 0 {
            self.see(0, view);
        }
    }

    /// Looks at state `state`, the one after step `state - 1`. To be called for every state in order.
    #[inline]
    pub(crate) fn see(&mut self, state: usize, view: &impl FiberView) {
        for observer in &mut self.observers {
            if state >= observer.first_state {
                observer.see(state, &self.grid, view);
            }
        }
    }

    /// Whether the observer that may end the run has its answer.
    #[inline]
    pub(crate) fn answered(&self) -> bool {
        self.stop_when_active
            .and_then(|index| self.observers.get(index))
            .is_some_and(|observer| matches!(observer.seen, Seen::Active { at: Some(_), .. }))
    }

    /// Returns the observation of every observer; `view` is what it saw last.
    pub(crate) fn finish(self, view: &impl FiberView) -> Vec<Observation> {
        self.observers
            .into_iter()
            .map(|observer| observer.report(view))
            .collect()
    }
}

impl Observer {
    fn new(spec: &ObserverSpec, mut nodes: Vec<usize>, seen: Seen, grid: &TimeGrid) -> Self {
        let first = spec.first_state(grid);
        let first_state = match seen {
            Seen::Recorded { .. } | Seen::Traced { .. } | Seen::Maximum(_) => first,
            // A crossing leads from one state to the next: the start has none.
            Seen::Active { .. } | Seen::Count(_) | Seen::Raster(_) => first.max(1),
        };
        if matches!(seen, Seen::Active { .. } | Seen::Raster(_)) {
            // A node named twice is still one node.
            nodes.sort_unstable();
            nodes.dedup();
        }
        Observer {
            ascending: nodes.is_sorted_by(|a, b| a < b),
            nodes,
            threshold_mv: spec.threshold_mv,
            first_state,
            seen,
        }
    }

    fn report(mut self, view: &impl FiberView) -> Observation {
        if let Seen::Maximum(largest) = &mut self.seen {
            for (largest, &node) in largest.iter_mut().zip(&self.nodes) {
                *largest = view.largest_mv(self.first_state, node).unwrap_or(*largest);
            }
        }
        self.seen.report()
    }

    #[inline]
    fn see(&mut self, state: usize, grid: &TimeGrid, view: &impl FiberView) {
        let Observer {
            nodes,
            ascending,
            threshold_mv,
            first_state,
            seen,
        } = self;
        let begins = state == *first_state;
        // Below the threshold, as most nodes are most of the time, the previous state is not even read.
        let crosses = |node: usize| {
            view.v_mv(node) >= *threshold_mv && (begins || view.previous_v_mv(node) < *threshold_mv)
        };
        let each_crossing = |act: &mut dyn FnMut(usize, usize)| match view.risen_to(*threshold_mv) {
            Some(risen) if *ascending && !begins => {
                for &node in risen {
                    if let Ok(index) = nodes.binary_search(&node)
                        && crosses(node)
                    {
                        act(index, node);
                    }
                }
            }
            _ => {
                for (index, &node) in nodes.iter().enumerate() {
                    if crosses(node) {
                        act(index, node);
                    }
                }
            }
        };
        match seen {
            Seen::Active { at: Some(_), .. } => {}
            Seen::Active {
                crossed,
                missing,
                at,
            } => {
                each_crossing(&mut |index, _| {
                    if !std::mem::replace(&mut crossed[index], true) {
                        *missing = missing.saturating_sub(1);
                    }
                });
                *at = (*missing == 0).then_some(state);
            }
            Seen::Count(counts) => each_crossing(&mut |index, _| counts[index] += 1),
            Seen::Raster(crossings) => each_crossing(&mut |_, node| {
                let fraction = rise(view.previous_v_mv(node), view.v_mv(node), *threshold_mv);
                crossings.push(Crossing {
                    node,
                    state,
                    time_ms: grid.dt_ms() * ((state - 1) as f64 + fraction),
                    v_mv: view.v_mv(node),
                });
            }),
            Seen::Recorded {
                states,
                every,
                in_order,
                recording,
            } => {
                if (state - *first_state).is_multiple_of(*every) {
                    let nodes = &recording.nodes;
                    let v_mv = &mut recording.v_mv;
                    recording.t_ms.push(grid.time_ms(state));
                    match in_order {
                        true => v_mv.extend(view.voltages_mv(nodes.len())),
                        false => v_mv.extend(nodes.iter().map(|&node| view.v_mv(node))),
                    }
                    for (values, &index) in recording.states.iter_mut().zip(&*states) {
                        match in_order {
                            true => values.extend(view.states(index, nodes.len())),
                            false => {
                                values.extend(nodes.iter().map(|&node| view.state(index, node)));
                            }
                        }
                    }
                }
            }
            Seen::Traced {
                quantities,
                every,
                in_order,
                traces,
            } => {
                if (state - *first_state).is_multiple_of(*every) {
                    let nodes = &traces.nodes;
                    let values = &mut traces.values;
                    traces.t_ms.push(grid.time_ms(state));
                    for &quantity in &*quantities {
                        match (quantity, *in_order) {
                            (Quantity::Voltage, true) => {
                                values.extend(view.voltages_mv(nodes.len()).map(|x| x as f32));
                            }
                            (Quantity::State(index), true) => {
                                values.extend(view.states(index, nodes.len()).map(|x| x as f32));
                            }
                            (Quantity::Voltage, false) => {
                                values.extend(nodes.iter().map(|&node| view.v_mv(node) as f32));
                            }
                            (Quantity::State(index), false) => values
                                .extend(nodes.iter().map(|&node| view.state(index, node) as f32)),
                        }
                    }
                }
            }
            Seen::Maximum(largest) => {
                for (largest, &node) in largest.iter_mut().zip(&*nodes) {
                    if view.largest_mv(*first_state, node).is_some() {
                        break;
                    }
                    *largest = largest.max(view.v_mv(node));
                }
            }
        }
    }
}

/// Fraction of a step after which the voltage reaches the threshold, on the straight line from `before` to `after`; 1
/// if it was there already when watching began.
fn rise(before: f64, after: f64, threshold: f64) -> f64 {
    if before < threshold {
        (threshold - before) / (after - before)
    } else {
        1.0
    }
}

impl Seen {
    /// Empty observations with reserved capacity.
    fn nothing(rollout: &Rollout, observer: usize, nodes: &[usize]) -> Result<Self, BackendError> {
        let spec = &rollout.observers[observer];
        Ok(match &spec.kind {
            ObserverKind::Active { at_least } => Seen::Active {
                crossed: vec![false; nodes.len()],
                missing: *at_least,
                at: None,
            },
            ObserverKind::ActionPotentialCount => Seen::Count(vec![0; nodes.len()]),
            ObserverKind::Raster => Seen::Raster(Vec::new()),
            ObserverKind::Maximum => Seen::Maximum(vec![f64::NEG_INFINITY; nodes.len()]),
            ObserverKind::Recorder {
                states: names,
                every,
            } => {
                let states = names
                    .iter()
                    .map(|name| find_state(rollout, observer, name))
                    .collect::<Result<_, _>>()?;
                let every = (*every).max(1);
                let rows = rows_of(rollout, spec, every);
                let values = || Vec::with_capacity(rows * nodes.len());
                let recording = Recording {
                    t_ms: Vec::with_capacity(rows),
                    nodes: nodes.to_vec(),
                    v_mv: values(),
                    states: names.iter().map(|_| values()).collect(),
                };
                Seen::Recorded {
                    states,
                    every,
                    in_order: in_order(nodes),
                    recording,
                }
            }
            ObserverKind::Traces {
                quantities: names,
                every,
            } => {
                let quantity = |name: &String| match name.as_str() {
                    VOLTAGE => Ok(Quantity::Voltage),
                    name => find_state(rollout, observer, name).map(Quantity::State),
                };
                let every = (*every).max(1);
                let rows = rows_of(rollout, spec, every);
                Seen::Traced {
                    quantities: names.iter().map(quantity).collect::<Result<_, _>>()?,
                    every,
                    in_order: in_order(nodes),
                    traces: Traces {
                        t_ms: Vec::with_capacity(rows),
                        nodes: nodes.to_vec(),
                        values: Vec::with_capacity(rows * names.len() * nodes.len()),
                    },
                }
            }
        })
    }

    fn report(self) -> Observation {
        match self {
            Seen::Active { at, .. } => Observation::Active(at),
            Seen::Count(counts) => Observation::Count(counts),
            Seen::Raster(mut crossings) => {
                crossings.sort_by(|a, b| a.time_ms.total_cmp(&b.time_ms).then(a.node.cmp(&b.node)));
                Observation::Raster(crossings)
            }
            Seen::Recorded { recording, .. } => Observation::Recorded(recording),
            Seen::Traced { traces, .. } => Observation::Traced(traces),
            Seen::Maximum(largest) => Observation::Maximum(largest),
        }
    }
}

/// Rows that a recorder will have at most.
fn rows_of(rollout: &Rollout, spec: &ObserverSpec, every: usize) -> usize {
    let first = rollout.steps.start.max(spec.first_state(&rollout.grid));
    rollout.steps.end.saturating_sub(first) / every + 1
}

/// Whether these are all nodes up to some node.
fn in_order(nodes: &[usize]) -> bool {
    nodes.iter().copied().eq(0..nodes.len())
}

fn find_state(rollout: &Rollout, observer: usize, name: &str) -> Result<usize, BackendError> {
    let known = &rollout.membrane.states;
    known
        .iter()
        .position(|state| state == name)
        .ok_or_else(|| BackendError::UnknownState {
            observer,
            name: name.to_owned(),
            nearest: nearest(name, known.iter().map(String::as_str)).map(str::to_owned),
        })
}
