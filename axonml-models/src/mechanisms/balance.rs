//! Currents that keep a fiber at its resting potential.

use axonml_autodiff::engine::Membrane;

use super::Mechanism;
use crate::{Patch, Schema};

/// For each of some ions, the current that cancels all its others in the steady state at the resting potential: a leak
/// where its conductance is not negative, else a constant current.
///
/// # Source
/// Tigerholm et al. 2014, J Neurophysiol 111:1721-1735, doi:10.1152/jn.00777.2012 (leaks and pumps that balance the ions); the
/// rule by sign after Pelot et al. 2021, J Neurophysiol 125:86-104, doi:10.1152/jn.00315.2020.
#[derive(Clone, Copy, Debug)]
pub struct Balanced {
    /// The ions.
    pub ions: &'static [&'static str],
    /// Resting potential, mV.
    pub v_rest_mv: f64,
}

impl Mechanism for Balanced {
    fn declare(&self, own: Schema) -> Schema {
        own.param("reversal", "v_rest", self.v_rest_mv, "mV")
    }

    fn membrane<'t>(&self, x: &Patch<'t>) -> Membrane<'t> {
        let v_rest = x.param("v_rest");
        self.ions.iter().fold(Membrane::new(), |membrane, ion| {
            membrane.balance(&x.ion(ion), v_rest)
        })
    }
}
