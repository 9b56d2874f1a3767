//! A place along a fiber: a node, or a fraction of the length.

use axonml_autodiff::cable::Cable;
use axonml_autodiff::engine::NodeSelection;
use axonml_core::CoreError;

use crate::Detection;
use crate::ends::check_joined;

/// A place along a fiber.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Site {
    /// A 0-based node (or compartment); negative numbers count from the fiber's end (-1 is the last).
    Node(i64),
    /// The node nearest to this fraction of the fiber's length, 0 being its first node and 1 its last.
    Fraction(f64),
}

impl Site {
    /// The 0-based node in a fiber of `nodes` nodes.
    ///
    /// # Errors
    /// [`CoreError::BadValue`] for a node that the fiber does not have, and for a fraction that is not from 0 to 1.
    pub fn node(self, nodes: usize) -> Result<usize, CoreError> {
        let sites = match self {
            Site::Node(node) => NodeSelection::Nodes(vec![node]),
            Site::Fraction(fraction) => NodeSelection::Fractions(vec![fraction]),
        };
        let detection = Detection {
            sites,
            ..Detection::default()
        };
        Ok(detection.nodes(nodes)?[0])
    }

    /// The same in a fiber with this cable, whose passive ends are refused.
    pub(crate) fn node_in(self, cable: &Cable) -> Result<usize, CoreError> {
        let node = self.node(cable.nodes())?;
        check_joined(cable, node, "the site")?;
        Ok(node)
    }
}
