//! How fibers end: with a membrane as everywhere, or cut off from their first and last node.

use std::str::FromStr;

use axonml_autodiff::cable::Cable;
use axonml_core::CoreError;
use serde::{Deserialize, Serialize};

/// How fibers end.
///
/// Passive ends are those of PyFibers (Marshall et al. 2025, PLoS Comput Biol 21:e1013764,
/// doi:10.1371/journal.pcbi.1013764), which gives the first and the last node a leak that reverses at their start, and an
/// axial resistivity of 1e10 ohm cm. That joins them to nothing: here they have neither membrane nor axial conductance,
/// and stay at their start exactly. A fiber of n nodes with passive ends is one of n - 2 with active, sealed ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ends {
    /// The first and the last node have the membrane of all others.
    #[default]
    Active,
    /// The first and the last node are cut off.
    Passive,
}

impl Ends {
    /// Fewest nodes of a fiber: a node in the middle and one to either side.
    pub(crate) fn fewest_nodes(self) -> usize {
        3 + 2 * self.cut_nodes()
    }

    /// Nodes that are cut off at either end.
    pub(crate) fn cut_nodes(self) -> usize {
        match self {
            Ends::Active => 0,
            Ends::Passive => 1,
        }
    }

    /// `active` or `passive`, as the command line and result files spell it.
    pub fn name(self) -> &'static str {
        match self {
            Ends::Active => "active",
            Ends::Passive => "passive",
        }
    }
}

impl FromStr for Ends {
    type Err = CoreError;

    fn from_str(text: &str) -> Result<Self, CoreError> {
        match text {
            "active" => Ok(Ends::Active),
            "passive" => Ok(Ends::Passive),
            _ => Err(CoreError::BadValue {
                what: "the ends of fibers".into(),
                found: text.into(),
                expected: "active or passive".into(),
            }),
        }
    }
}

/// Refuses a place where nothing would ever happen: `what` acts on, or watches, a node that passive ends cut off.
pub(crate) fn check_joined(cable: &Cable, node: usize, what: &str) -> Result<(), CoreError> {
    let joined = cable.joined();
    if joined.contains(&node) {
        return Ok(());
    }
    Err(CoreError::BadValue {
        what: what.into(),
        found: node.to_string(),
        expected: format!(
            "{} to {}, as passive ends are cut off from the fiber; or leave its ends active (--ends active)",
            joined.start,
            joined.end - 1
        ),
    })
}
