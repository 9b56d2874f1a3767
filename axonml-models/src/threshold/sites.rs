//! Detection sites at which more than conduction is detected.
//!
//! A fiber fires in one range of amplitudes, from its threshold up, as long as its action potentials begin where the
//! stimulus acts and are conducted to sites far from there. A site that the stimulus itself polarizes to the level, at which
//! action potentials begin, or which is an end of the fiber, may see them in several ranges, and so may a fiber that is
//! excited at its ends; which of these ranges a search finds depends on the amplitudes that it tries. Such fibers are
//! searched by plain halving, to the end of every run, so that their answers depend on nothing that was learned from others.

use axonml_autodiff::engine::ObserverKind;

use super::grid::Ending;
use super::trials::{CONDUCTED, Trials};
use crate::twin::Reaching;

/// Nodes from an end of a fiber that count as that end.
const OF_END: usize = 1;

/// Part of the amplitude at which the passive fiber reaches the level at a site, up to which the site sees no more than
/// conduction.
const POLARIZED: f64 = 0.5;

impl Trials<'_> {
    pub(super) fn sites(&self, fiber: usize) -> Vec<usize> {
        let nodes = self.whole.fibers[fiber].cable.nodes();
        let watching = self.detection().at_sites(ObserverKind::Raster);
        let Ok(sites) = watching.nodes.resolve(nodes) else {
            unreachable!("a search has refused sites that its fibers do not have")
        };
        sites
    }

    /// Whether what was found of a fiber, if anything was, may be one of several ranges in which it fires.
    pub(super) fn is_unclear(
        &self,
        fiber: usize,
        found: Option<&Ending>,
        reaching: &Reaching,
    ) -> bool {
        let joined = self.whole.fibers[fiber].cable.joined();
        let sites = self.sites(fiber);
        if sites
            .iter()
            .any(|site| *site <= joined.start + OF_END || site + OF_END + 1 >= joined.end)
        {
            return true;
        }
        let polarizes = |ma: f64| {
            let least = reaching.at_sites_ma;
            least.is_some_and(|least| ma >= POLARIZED * least)
        };
        match found {
            Some(Ending::Found {
                upper_ma, start, ..
            }) => {
                let reach = CONDUCTED * self.length_constant(fiber);
                let near = |site: &usize| (site.abs_diff(start.node) as f64) < reach;
                polarizes(2.0 * upper_ma)
                    || self.starts_at_an_end(fiber, start)
                    || sites.iter().any(near)
            }
            Some(Ending::NotFound { top_ma, .. }) => polarizes(*top_ma),
            Some(Ending::Spontaneous | Ending::Diverged { .. }) | None => false,
        }
    }
}
