//! Observers of a run: they are data, and every backend evaluates them inside its time loop.
//!
//! An upward crossing at a node is a state with `v >= threshold` whose predecessor lay below; the state a run
//! starts from counts as "below" when watching begins, so that a node already above threshold then counts once.

use axonml_core::TimeGrid;

/// The nodes an observer watches, 0-based; negative numbers count from the fiber's end (-1 is the last node).
#[derive(Clone, Debug, PartialEq)]
pub enum NodeSelection {
    /// Every node.
    All,
    /// The listed nodes.
    Nodes(Vec<i64>),
    /// The nodes nearest to these fractions of the fiber's length, 0 being its first node and 1 its last.
    Fractions(Vec<f64>),
}

impl NodeSelection {
    /// The 0-based nodes in a fiber of `nodes` nodes, or the first index that the fiber does not have.
    pub fn resolve(&self, nodes: usize) -> Result<Vec<usize>, i64> {
        let existing = |node: i64, index: i64| {
            let node = usize::try_from(node).ok();
            node.filter(|&node| node < nodes).ok_or(index)
        };
        match self {
            NodeSelection::All => Ok((0..nodes).collect()),
            NodeSelection::Nodes(list) => list
                .iter()
                .map(|&index| match index < 0 {
                    true => existing(index.saturating_add(nodes as i64), index),
                    false => existing(index, index),
                })
                .collect(),
            NodeSelection::Fractions(list) => list
                .iter()
                .map(|&fraction| {
                    // NaN is no place on the fiber.
                    let place = (fraction * nodes.saturating_sub(1) as f64).round();
                    let node = if place.is_nan() { -1 } else { place as i64 };
                    existing(node, node)
                })
                .collect(),
        }
    }
}

/// Quantity that an observer reports, from the states of one fiber at the watched nodes.
///
/// # Units
/// Voltages in mV, times in ms, states in their own units.
#[derive(Clone, Debug, PartialEq)]
pub enum ObserverKind {
    /// Reports whether at least `at_least` of the watched nodes have crossed upward (each node counts once).
    Active {
        /// Number of different nodes that must cross.
        at_least: usize,
    },
    /// Counts the upward crossings (action potentials) per watched node.
    ActionPotentialCount,
    /// Reports the time of every upward crossing at every watched node.
    Raster,
    /// Records voltage and chosen states at the watched nodes every `every` steps, the start included. Only recordings
    /// have derivatives.
    ///
    /// # Shape
    /// `[row, node]`, one array per quantity.
    Recorder {
        /// States by name, without the voltage, which is always recorded.
        states: Vec<String>,
        /// Steps between recorded rows, >= 1.
        every: usize,
    },
    /// Records as [`ObserverKind::Recorder`] does, in single precision and in one array: for data sets, which are
    /// large. It has no derivative.
    ///
    /// # Shape
    /// `[row, quantity, node]`.
    Traces {
        /// States by name and the voltage as [`VOLTAGE`], in this order.
        quantities: Vec<String>,
        /// Steps between recorded rows, >= 1.
        every: usize,
    },
    /// Reports the largest voltage at each watched node, the start included.
    Maximum,
}

/// Name of the voltage among [`ObserverKind::Traces`]' quantities.
pub const VOLTAGE: &str = "v";

impl ObserverKind {
    /// Names of the states that are recorded, without the voltage, and steps between rows; of kinds that record.
    #[must_use]
    pub fn recorded(&self) -> Option<(Vec<&str>, usize)> {
        let (names, every) = match self {
            ObserverKind::Recorder { states, every } => (states, every),
            ObserverKind::Traces { quantities, every } => (quantities, every),
            _ => return None,
        };
        let traces = matches!(self, ObserverKind::Traces { .. });
        let states = names.iter().map(String::as_str);
        let states = states.filter(|name| !(traces && *name == VOLTAGE));
        Some((states.collect(), *every))
    }
}

/// One observer of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct ObserverSpec {
    /// Quantity that it reports.
    pub kind: ObserverKind,
    /// Nodes that it watches.
    pub nodes: NodeSelection,
    /// Upward-crossing level, mV.
    pub threshold_mv: f64,
    /// States at times before this are ignored, ms (true time of the state).
    pub after_ms: f64,
}

impl ObserverSpec {
    /// An observer of `kind` at `nodes`, crossing level 0 mV, from the start.
    pub fn new(kind: ObserverKind, nodes: NodeSelection) -> Self {
        ObserverSpec {
            kind,
            nodes,
            threshold_mv: 0.0,
            after_ms: 0.0,
        }
    }

    /// The same with another crossing level, mV.
    #[must_use]
    pub fn threshold_mv(mut self, threshold_mv: f64) -> Self {
        self.threshold_mv = threshold_mv;
        self
    }

    /// The same, watching from `after_ms` on.
    #[must_use]
    pub fn after_ms(mut self, after_ms: f64) -> Self {
        self.after_ms = after_ms;
        self
    }

    /// First state index (0 is the start) that lies at or after `after_ms`.
    pub fn first_state(&self, grid: &TimeGrid) -> usize {
        // A state at k dt counts as "at" after_ms despite the rounding of k * dt.
        let k = self.after_ms / grid.dt_ms();
        if k <= 0.0 {
            0
        } else {
            (k - 1e-6).ceil() as usize
        }
    }
}

/// One upward crossing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Crossing {
    /// 0-based node.
    pub node: usize,
    /// Index of the first state at or above the threshold (state k lies at k dt since the run's time zero).
    pub state: usize,
    /// Time of the crossing, ms, by linear interpolation between the two states.
    pub time_ms: f64,
    /// Membrane potential of the node at that state, mV: at or above the threshold.
    pub v_mv: f64,
}

/// Recorded voltages and states of one fiber.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recording {
    /// Times of the rows, ms.
    pub t_ms: Vec<f64>,
    /// 0-based nodes of the columns.
    pub nodes: Vec<usize>,
    /// Voltage, mV, `[row, node]` flattened.
    pub v_mv: Vec<f64>,
    /// One array like `v_mv` per recorded state, in the requested order.
    pub states: Vec<Vec<f64>>,
}

/// Recorded quantities of one fiber in single precision.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Traces {
    /// Times of the rows, ms.
    pub t_ms: Vec<f64>,
    /// 0-based nodes of the columns.
    pub nodes: Vec<usize>,
    /// `[row, quantity, node]` flattened, quantities in the requested order.
    pub values: Vec<f32>,
}

/// Observation of one observer in one fiber.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Observation {
    /// State index at which the required number of nodes had crossed, if it was reached.
    Active(Option<usize>),
    /// Upward crossings per watched node.
    Count(Vec<u32>),
    /// Crossings in order of time, then node.
    Raster(Vec<Crossing>),
    /// Recorded traces.
    Recorded(Recording),
    /// Recorded traces in single precision.
    Traced(Traces),
    /// Largest voltage per watched node, mV.
    Maximum(Vec<f64>),
}
