//! Linear cable coefficients of one fiber, in nA, nF, uS, mV and ms (nF mV/ms = uS mV = nA).
//!
//! A cable knows geometry and passive properties only. The membrane enters through a conductance `G` (S/cm2) and a
//! source `J` (mA/cm2) per node, so that the ionic current density is `G u - J`, with `u = v - v_ref`.

mod coefficients;
mod cotangent;
mod double;
mod eigen;
mod explicit;
mod implicit;
mod modal;
mod parity;
mod reduced;
#[cfg(test)]
mod tests;

use std::ops::Range;

pub use cotangent::CableCotangent;
pub use double::{
    DoubleCable, Internode, InternodeCompartment, InternodeError, InternodeModes,
    InternodeProperties, NodeGeometry, StepCoefficients,
};
pub use explicit::ExplicitCable;
pub use implicit::ImplicitCable;
pub use modal::ModalStep;
pub use parity::{MODES, Parity};
pub use reduced::{Mode, ReducedCable, ReducedDrive};

/// Microsiemens per siemens: membranes are given in S/cm2, cables in uS.
pub const US_PER_S: f64 = 1e6;

/// Effect of one unit (mA, or nA for injections) of a source on a fiber, independent of the time step.
///
/// # Shape
/// `nodes_na` has one value per node; `modes` has one row per internode, or is empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Projection {
    /// Current into each node, nA per unit, `[node]`.
    pub nodes_na: Vec<f64>,
    /// Drive of each internodal mode, nA/ms per unit, `[internode, mode]`; empty without internodes.
    pub modes: Vec<f64>,
}

/// The cable of one fiber: linear coefficients, without the membrane.
///
/// # Units
/// nA, nF, uS, mV, ms; membrane areas in cm2.
#[derive(Clone, Debug, PartialEq)]
pub enum Cable {
    /// Single cable of surrogates, stepped by forward Euler: a trainable second difference.
    Explicit(ExplicitCable),
    /// Single cable of compartments, stepped by backward Euler: one tridiagonal system per step (Thomas algorithm or
    /// partition).
    Implicit(ImplicitCable),
    /// Nodes of Ranvier joined by passive double-cable internodes (axoplasm, periaxonal space, myelin), stepped exactly
    /// as independent modes.
    Double(DoubleCable),
    /// Nodes of Ranvier joined by internodes of one even and one odd mode (surrogates).
    Reduced(ReducedCable),
}

impl Cable {
    /// Returns the number of nodes (or compartments) that carry a membrane program.
    pub fn nodes(&self) -> usize {
        match self {
            Cable::Explicit(c) => c.nodes,
            Cable::Implicit(c) => c.area_cm2.len(),
            Cable::Double(c) => c.nodes,
            Cable::Reduced(c) => c.nodes,
        }
    }

    /// Returns the nodes that act on others: all but the cut-off ends of an implicit cable, which have neither membrane
    /// nor link, so that their voltage changes by injected currents only.
    pub fn joined(&self) -> Range<usize> {
        match self {
            Cable::Implicit(c) => c.joined(),
            Cable::Explicit(_) | Cable::Double(_) | Cable::Reduced(_) => 0..self.nodes(),
        }
    }

    /// Returns the number of points along the fiber where the extracellular potential is needed.
    pub fn samples(&self) -> usize {
        match self {
            Cable::Explicit(_) | Cable::Implicit(_) | Cable::Reduced(_) => self.nodes(),
            Cable::Double(c) => c.samples(),
        }
    }

    /// Returns the number of modes of an internode, the first half of them even, the second half odd; 0 without
    /// internodes.
    pub fn modes_per_internode(&self) -> usize {
        match self {
            Cable::Explicit(_) | Cable::Implicit(_) => 0,
            Cable::Double(_) => MODES,
            Cable::Reduced(_) => ReducedCable::MODES,
        }
    }

    /// Returns the number of internodal mode amplitudes in the state of one fiber: internodes times modes, or 0.
    pub fn mode_count(&self) -> usize {
        self.nodes().saturating_sub(1) * self.modes_per_internode()
    }

    /// Returns the coefficients of a backward Euler step of `dt_ms` for cables with internodal modes, none for others.
    /// With nodes, areas and [`Projection`]s they are all that a backend needs.
    pub fn modal_step(&self, dt_ms: f64) -> Option<ModalStep> {
        match self {
            Cable::Explicit(_) | Cable::Implicit(_) => None,
            Cable::Double(c) => Some(c.step(dt_ms)),
            Cable::Reduced(c) => Some(c.step(dt_ms)),
        }
    }

    /// Checks that the cable has nodes and that its arrays fit together.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        match self {
            Cable::Explicit(c) if c.nodes < 2 => Err("an explicit cable needs at least 2 nodes"),
            Cable::Double(c) if c.nodes < 1 => Err("a double cable needs at least 1 node"),
            Cable::Reduced(c) if c.nodes < 1 => Err("a reduced cable needs at least 1 node"),
            Cable::Implicit(c) if c.area_cm2.is_empty() => {
                Err("an implicit cable needs at least 1 compartment")
            }
            Cable::Implicit(c)
                if c.capacitance_nf.len() != c.area_cm2.len()
                    || c.link_us.len() + 1 != c.area_cm2.len() =>
            {
                Err(
                    "an implicit cable needs a capacitance per compartment and one link fewer than compartments",
                )
            }
            _ => Ok(()),
        }
    }

    /// Membrane area of `node`, cm2.
    pub fn area_cm2(&self, node: usize) -> f64 {
        match self {
            Cable::Explicit(c) => c.area_cm2,
            Cable::Implicit(c) => c.area_cm2[node],
            Cable::Double(c) => c.node_area_cm2,
            Cable::Reduced(c) => c.node_area_cm2,
        }
    }

    /// Membrane capacitance of `node`, nF.
    pub fn capacitance_nf(&self, node: usize) -> f64 {
        match self {
            Cable::Explicit(c) => c.capacitance_nf,
            Cable::Implicit(c) => c.capacitance_nf[node],
            Cable::Double(c) => c.node_capacitance_nf,
            Cable::Reduced(c) => c.capacitance_nf,
        }
    }

    /// Projects extracellular potentials at the sample points (mV per mA) onto nodes and modes.
    ///
    /// # Shape
    /// `ve_mv` has [`Cable::samples`] values.
    ///
    /// # Panics
    /// If `ve_mv` does not hold [`Cable::samples`] values: callers check counts where they take potentials in.
    pub fn project(&self, ve_mv: &[f64]) -> Projection {
        assert_eq!(
            ve_mv.len(),
            self.samples(),
            "one potential per sample point"
        );
        match self {
            Cable::Explicit(c) => c.project(ve_mv),
            Cable::Implicit(c) => c.project(ve_mv),
            Cable::Double(c) => c.project(ve_mv),
            Cable::Reduced(c) => c.project(ve_mv),
        }
    }

    /// The transpose of [`Cable::project`]: cotangents of the potentials at the sample points from cotangents of the node
    /// currents, `[node]`, and of the mode drives, `[internode, mode]`.
    ///
    /// # Panics
    /// If a number is missing or left over, as [`Cable::project`].
    pub fn project_transposed(&self, nodes_bar: &[f64], modes_bar: &[f64]) -> Vec<f64> {
        assert_eq!(nodes_bar.len(), self.nodes(), "one cotangent per node");
        assert_eq!(
            modes_bar.len(),
            self.mode_count(),
            "one cotangent per internodal mode"
        );
        match self {
            Cable::Explicit(c) => c.project_transposed(nodes_bar),
            Cable::Implicit(c) => c.project_transposed(nodes_bar),
            Cable::Double(c) => c.project_transposed(nodes_bar, modes_bar),
            Cable::Reduced(c) => c.project_transposed(nodes_bar, modes_bar),
        }
    }

    /// Returns the projection of 1 nA injected into the axoplasm of `node`.
    pub fn inject(&self, node: usize) -> Projection {
        let mut nodes_na = vec![0.0; self.nodes()];
        nodes_na[node] = 1.0;
        Projection {
            nodes_na,
            modes: vec![0.0; self.mode_count()],
        }
    }
}
