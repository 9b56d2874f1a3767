//! Treatment of genes beyond their bounds.

use axonml_core::Random;
use serde::{Deserialize, Serialize};

use crate::bounds::Bounds;

/// Treatment of a gene beyond its bounds.
///
/// # Source
/// K. Price, R. Storn and J. Lampinen, *Differential Evolution*, Springer 2005, section 4.3.1; J. Arabas, A.
/// Szczepankiewicz and T. Wroniak, "Experimental comparison of methods to handle boundary constraints in differential
/// evolution", PPSN XI, LNCS 6239, 411-420 (2010); midpoints: J. Zhang and A. C. Sanderson (2009), section III.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Boundary {
    /// The mutant is made anew of other members, up to a hundred times; then as `Reinit`.
    Resample,
    /// The bound takes its place.
    Clip,
    /// It is mirrored at the bound, as often as it takes.
    Reflect,
    /// It comes in again at the other bound.
    Wrap,
    /// The middle between the target's gene and the bound takes its place.
    Midpoint,
    /// A number drawn uniformly between the bounds takes its place.
    #[default]
    Reinit,
}

impl Boundary {
    /// Puts genes that lie beyond their bounds back, in `genes` of a trial for `target`.
    pub(super) fn repair(
        self,
        genes: &mut [f64],
        target: &[f64],
        bounds: &Bounds,
        random: &mut Random,
    ) {
        let ends = bounds.lower().iter().zip(bounds.upper());
        for (k, (&lower, &upper)) in ends.enumerate() {
            let gene = genes[k];
            if lower <= gene && gene <= upper {
                continue;
            }
            let width = upper - lower;
            let beyond = if gene < lower { lower } else { upper };
            let repaired = match self {
                // Differences may overflow.
                _ if !gene.is_finite() => bounds.at(k, random.unit()),
                Boundary::Resample | Boundary::Reinit => bounds.at(k, random.unit()),
                Boundary::Clip => beyond,
                Boundary::Midpoint => 0.5 * target[k] + 0.5 * beyond,
                _ if width == 0.0 => lower,
                Boundary::Wrap => lower + (gene - lower).rem_euclid(width),
                Boundary::Reflect => {
                    let there_and_back = (gene - lower).rem_euclid(2.0 * width);
                    lower + there_and_back.min(2.0 * width - there_and_back)
                }
            };
            // Rounding may exceed a bound by its last digit; what `rem_euclid` makes of an overflow is not a number.
            genes[k] = if repaired.is_nan() {
                beyond
            } else {
                repaired.clamp(lower, upper)
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [Boundary; 6] = [
        Boundary::Resample,
        Boundary::Clip,
        Boundary::Reflect,
        Boundary::Wrap,
        Boundary::Midpoint,
        Boundary::Reinit,
    ];

    #[test]
    fn rules_are_those_of_their_names() {
        let bounds = Bounds::uniform(5, -1.0, 3.0).unwrap();
        let cases = [
            (Boundary::Clip, [-1.0, 3.0, 3.0, 0.5, -1.0]),
            (Boundary::Reflect, [0.0, 2.0, -0.5, 0.5, 2.5]),
            (Boundary::Wrap, [2.0, 0.0, 2.5, 0.5, -0.5]),
            (Boundary::Midpoint, [0.0, 2.0, 2.0, 0.5, 0.0]),
        ];
        for (boundary, expected) in cases {
            let mut genes = [-2.0, 4.0, 6.5, 0.5, -4.5];
            boundary.repair(&mut genes, &[1.0; 5], &bounds, &mut Random::new(0, 0));
            assert_eq!(genes, expected, "{boundary:?}");
        }
    }

    fn gene() -> impl Strategy<Value = f64> {
        prop_oneof![
            -10.0..10.0,
            any::<f64>(),
            Just(f64::INFINITY),
            Just(f64::NAN)
        ]
    }

    proptest! {
        #[test]
        fn bounds_are_never_left(
            each in prop::collection::vec((gene(), -3.0..3.0, 0.0..2.0, 0.0..=1.0), 1..8),
            seed in any::<u64>(),
        ) {
            let lower: Vec<f64> = each.iter().map(|(_, lower, ..)| *lower).collect();
            let upper = each.iter().map(|(_, lower, width, _)| lower + width).collect();
            let bounds = Bounds::new(lower, upper).unwrap();
            let target: Vec<f64> = each.iter().enumerate().map(|(k, e)| bounds.at(k, e.3)).collect();
            for boundary in ALL {
                let before: Vec<f64> = each.iter().map(|(gene, ..)| *gene).collect();
                let mut genes = before.clone();
                boundary.repair(&mut genes, &target, &bounds, &mut Random::new(seed, 0));
                prop_assert!(bounds.contain(&genes), "{:?}: {:?}", boundary, genes);
                for (k, before) in before.iter().enumerate() {
                    if bounds.lower()[k] <= *before && *before <= bounds.upper()[k] {
                        prop_assert_eq!(genes[k], *before);
                    }
                }
            }
        }
    }
}
