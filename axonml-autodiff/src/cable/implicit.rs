//! Implicit single cable: a chain of compartments solved by backward Euler.

use std::ops::Range;

use super::Projection;

/// Single cable of compartments with sealed ends.
///
/// Its coefficients are those of `c u' + area (G u - J) = sum over neighbors of link ((u + ve)_j - (u + ve)_k) +
/// injected`.
#[derive(Clone, Debug, PartialEq)]
pub struct ImplicitCable {
    /// Membrane area per compartment, cm2; 0 where the membrane is perfectly insulated.
    pub area_cm2: Vec<f64>,
    /// Capacitance per compartment, nF.
    pub capacitance_nf: Vec<f64>,
    /// Axial conductance between compartments k and k + 1, uS (one fewer than compartments); ends are sealed. 0 only where
    /// it cuts off an end without membrane.
    pub link_us: Vec<f64>,
}

impl ImplicitCable {
    /// All compartments but ends that have neither membrane nor link.
    pub(super) fn joined(&self) -> Range<usize> {
        let cut = |area: Option<&f64>, link: Option<&f64>| {
            usize::from(area == Some(&0.0) && link == Some(&0.0))
        };
        let first = cut(self.area_cm2.first(), self.link_us.first());
        let last = cut(self.area_cm2.last(), self.link_us.last());
        first..self.area_cm2.len() - last
    }

    /// The axial conductances between compartments that are joined, uS.
    pub(super) fn joining_us(&self) -> &[f64] {
        let joined = self.joined();
        let links = joined.start..joined.end.saturating_sub(1);
        self.link_us.get(links).unwrap_or(&self.link_us)
    }

    pub(super) fn project(&self, ve_mv: &[f64]) -> Projection {
        let mut nodes_na = vec![0.0; ve_mv.len()];
        for (k, link) in self.link_us.iter().enumerate() {
            let current = link * (ve_mv[k + 1] - ve_mv[k]);
            nodes_na[k] += current;
            nodes_na[k + 1] -= current;
        }
        Projection {
            nodes_na,
            modes: Vec::new(),
        }
    }

    /// The transpose of [`ImplicitCable::project`], which is symmetric.
    pub(super) fn project_transposed(&self, nodes_bar: &[f64]) -> Vec<f64> {
        self.project(nodes_bar).nodes_na
    }
}
