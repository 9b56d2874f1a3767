//! How the voltage-dependent functions of a membrane step are evaluated.

use std::sync::Arc;

use crate::engine::{BackendError, Binding, BoundProgram, MembranePrograms};
use crate::ir::tabulation::{Candidate, Functions, Grid, Role, Separated, Table};

/// Evaluation of the functions of a membrane step that depend on nothing but the membrane potential.
#[derive(Clone, Debug, Default)]
pub enum Rates {
    /// By their formulas.
    #[default]
    Exact,
    /// From tables, where there are some; only single precision, and no gradients.
    Table(Arc<TabulatedStep>),
}

/// Lowest membrane potential of tables, mV, and width of their segments, mV: resting fibers, action potentials and what
/// stimuli around their thresholds add to both.
const LOWEST_MV: f64 = -110.0;
const SEGMENT_MV: f32 = 5.0;

/// Largest error of a gate's update by tables, as a share of its largest update; of other functions, as a share of their own
/// largest magnitude.
pub const TABLE_TOLERANCE: f64 = 2e-7;

/// Largest steady value of a state in the grid by which it counts as a gate.
const GATE_RANGE: std::ops::RangeInclusive<f64> = 0.5..=1.001;

/// A membrane step whose voltage-dependent functions are tables.
///
/// A gate's update is `x + (B - D x)` with `D = 1 - e^(-dt/tau)` and `B = D x_inf`, both tables. Their errors, bounded over all
/// potentials of the grid (see [`Table::bound`]), add up to at most [`TABLE_TOLERANCE`] of the largest `D`, which no update of a
/// gate between 0 and 1 exceeds. (The sums around them are rounded as those of an exact step are.) Functions that no table brings that close stay in the program, and so do
/// updates of states that are no gates: their steady value is nowhere near 1, or beyond it; as do all that depend on a fiber's own
/// parameters; outside of the grid a step is the exact one.
#[derive(Debug)]
pub struct TabulatedStep {
    /// Segments of the tables; their variable is `u`, the deviation of the potential from the reference, mV.
    pub grid: Grid,
    /// The tables.
    pub tables: Vec<Table>,
    /// The step with the values of tables as further inputs of node extent: they are bound as states behind those of the
    /// membrane. Outputs as those of [`MembranePrograms::step`].
    pub rest: BoundProgram,
    membrane: Arc<MembranePrograms>,
    shared: Arc<Vec<f64>>,
    v_reference_mv: f64,
    dt_ms: f64,
}

impl TabulatedStep {
    /// Tables for steps of `dt_ms` of a membrane with these shared parameters.
    pub fn new(
        membrane: &Arc<MembranePrograms>,
        shared: &Arc<Vec<f64>>,
        v_reference_mv: f64,
        dt_ms: f64,
    ) -> Self {
        let BoundProgram {
            program, bindings, ..
        } = &membrane.step;
        let grid = Grid::new(LOWEST_MV - v_reference_mv, SEGMENT_MV);
        let role = |binding: &Binding| match binding {
            Binding::U => Role::Variable,
            Binding::Shared(_) | Binding::Dt | Binding::Reference => Role::Number,
            Binding::State(_) | Binding::Fiber(_) => Role::Other,
        };
        let roles: Vec<Role> = bindings.iter().map(role).collect();
        let old_state = |output: usize| {
            let old = Binding::State(output);
            let input = bindings.iter().position(|binding| *binding == old);
            input.filter(|_| output < membrane.states.len())
        };
        let updates: Vec<Option<usize>> = (0..program.outputs().len()).map(old_state).collect();

        let mut tables = Vec::new();
        let mut rest = program.clone();
        if let Some(separated) = Separated::new(program, &roles, &updates) {
            let number = |&input: &usize| match bindings[input] {
                Binding::Shared(index) => shared[index],
                Binding::Dt => dt_ms,
                Binding::Reference => v_reference_mv,
                Binding::U | Binding::State(_) | Binding::Fiber(_) => f64::NAN,
            };
            let numbers = separated.inputs.iter().map(number).collect();
            let functions = Functions::new(&separated.functions, numbers, separated.variable, grid);
            let mut kept: Vec<&Candidate> = Vec::new();
            // The tolerance is that of a state between 0 and 1: a concentration may be far smaller, or larger.
            let is_gate = |candidate: &&Candidate| match candidate.update() {
                Some((decay, gain)) => GATE_RANGE.contains(&functions.ratio(gain, decay)),
                None => true,
            };
            for candidate in separated.candidates.iter().filter(is_gate) {
                let tolerance = TABLE_TOLERANCE * functions.scale(candidate.scale());
                if let Some(fitting) = functions.tables(&candidate.functions(), tolerance) {
                    kept.push(candidate);
                    tables.extend(fitting);
                }
            }
            rest = separated.rest(program, &kept);
        }
        let states = membrane.states.len();
        let from_tables = (0..tables.len()).map(|table| Binding::State(states + table));
        let bindings = bindings.iter().copied().chain(from_tables).collect();
        TabulatedStep {
            grid,
            tables,
            rest: BoundProgram::new(rest, bindings),
            membrane: membrane.clone(),
            shared: shared.clone(),
            v_reference_mv,
            dt_ms,
        }
    }

    /// Whether it was made for these numbers.
    pub fn fits(
        &self,
        membrane: &Arc<MembranePrograms>,
        shared: &Arc<Vec<f64>>,
        v_reference_mv: f64,
        dt_ms: f64,
    ) -> bool {
        Arc::ptr_eq(&self.membrane, membrane)
            && self.shared == *shared
            && self.v_reference_mv == v_reference_mv
            && self.dt_ms == dt_ms
    }
}

impl Rates {
    /// Refuses tables.
    ///
    /// # Errors
    /// [`BackendError::Unsupported`], saying that `what` needs exact rates.
    pub fn must_be_exact(&self, what: &str) -> Result<(), BackendError> {
        match self {
            Rates::Exact => Ok(()),
            Rates::Table(_) => Err(BackendError::Unsupported(format!(
                "{what} evaluates rates exactly: run without tables of rates"
            ))),
        }
    }
}
