//! The order of points.

use std::cmp::Ordering;

/// Fitness of a point: an order in which less is better.
///
/// # Example
/// Two keys, of which the second counts where the first differs by less than 1e-9:
/// ```
/// use std::cmp::Ordering;
/// use axonml_optimize::{Fitness, lexicographic};
///
/// #[derive(Clone)]
/// struct Score { area: f64, separation: f64 }
///
/// impl Fitness for Score {
///     fn compare(&self, other: &Self) -> Ordering {
///         // The greater separation is the better one.
///         lexicographic(&[(self.area, other.area, 1e-9), (-self.separation, -other.separation, 0.0)])
///     }
///     fn is_number(&self) -> bool {
///         !self.area.is_nan()
///     }
/// }
///
/// let (close, far) = (Score { area: 0.1, separation: 1.2 }, Score { area: 0.1 + 1e-17, separation: 1.5 });
/// assert!(far.better_than(&close));
/// ```
pub trait Fitness: Clone {
    /// `Less` if this one is better than the other, `Equal` if neither is. Not a number is worse than any number. Keys
    /// with a tolerance make this no order in the strict sense; nothing here relies on one.
    fn compare(&self, other: &Self) -> Ordering;

    /// Whether it has a value at all: what has none is never the best.
    fn is_number(&self) -> bool;

    /// Whether this one is strictly better.
    fn better_than(&self, other: &Self) -> bool {
        self.compare(other) == Ordering::Less
    }
}

impl Fitness for f64 {
    fn compare(&self, other: &Self) -> Ordering {
        compare_numbers(*self, *other)
    }

    fn is_number(&self) -> bool {
        !self.is_nan()
    }
}

/// Less is better, and NaN worse than any number.
pub(crate) fn compare_numbers(left: f64, right: f64) -> Ordering {
    left.partial_cmp(&right)
        .unwrap_or_else(|| left.is_nan().cmp(&right.is_nan()))
}

/// Compares by the first key whose numbers differ by the tolerance or more; keys are `(left, right, tolerance)`. With
/// a tolerance of 0, numbers that differ at all do. Less is better, NaN worse than any number.
pub fn lexicographic(keys: &[(f64, f64, f64)]) -> Ordering {
    let orders = keys.iter().map(|&(left, right, tolerance)| {
        // Infinities of the same sign have no difference.
        if (left - right).abs() < tolerance {
            Ordering::Equal
        } else {
            compare_numbers(left, right)
        }
    });
    orders
        .into_iter()
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// Indices of `fitness` from best to worst; equals stay in their order. A merge sort of our own, since the standard
/// library's may panic where an order is not strict, as tolerances make it.
pub fn ranking<F: Fitness>(fitness: &[F]) -> Vec<usize> {
    let mut ranked: Vec<usize> = (0..fitness.len()).collect();
    let mut width = 1;
    while width < ranked.len() {
        let mut merged = Vec::with_capacity(ranked.len());
        for pair in ranked.chunks(2 * width) {
            let (mut left, mut right) = pair.split_at(width.min(pair.len()));
            while let (Some((&a, more_left)), Some((&b, more_right))) =
                (left.split_first(), right.split_first())
            {
                if fitness[b].better_than(&fitness[a]) {
                    merged.push(b);
                    right = more_right;
                } else {
                    merged.push(a);
                    left = more_left;
                }
            }
            merged.extend_from_slice(left);
            merged.extend_from_slice(right);
        }
        ranked = merged;
        width *= 2;
    }
    ranked
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn not_a_number_is_worst() {
        assert!(1.0.better_than(&f64::NAN));
        assert!(f64::INFINITY.better_than(&f64::NAN));
        assert!(!f64::NAN.better_than(&f64::INFINITY));
        assert_eq!(f64::NAN.compare(&f64::NAN), Ordering::Equal);
        assert_eq!(ranking(&[f64::NAN, 2.0, f64::INFINITY, 1.0]), [3, 1, 2, 0]);
    }

    #[test]
    fn later_keys_count_among_ties() {
        let inf = f64::INFINITY;
        let cases = [
            (&[(0.1, 0.2, 1e-9), (9.0, 1.0, 0.0)][..], Ordering::Less),
            (
                &[(0.1, 0.1 + 1e-12, 1e-9), (9.0, 1.0, 0.0)],
                Ordering::Greater,
            ),
            (&[(inf, inf, 1e-9), (1.0, 2.0, 0.0)], Ordering::Less),
            (&[(f64::NAN, 1.0, 1e-9), (1.0, 2.0, 0.0)], Ordering::Greater),
            (&[(1.0, 1.0, 0.0), (2.0, 2.0, 0.0)], Ordering::Equal),
        ];
        for (keys, expected) in cases {
            assert_eq!(lexicographic(keys), expected, "{keys:?}");
        }
    }

    proptest! {
        #[test]
        fn rankings_are_those_of_a_stable_sort(values in prop::collection::vec(0_u8..20, 0..70)) {
            let values: Vec<f64> = values.into_iter().map(f64::from).collect();
            let mut expected: Vec<usize> = (0..values.len()).collect();
            expected.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
            prop_assert_eq!(ranking(&values), expected);
        }
    }
}
