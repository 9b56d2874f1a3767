//! The nearest point of an intersection of an affine set and slabs: Dykstra's algorithm.

/// Points whose product with a normal lies within a range.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Slab {
    /// Places and values of the normal that are not 0.
    pub(super) normal: Vec<(usize, f64)>,
    /// Least and largest product; may be infinite.
    pub(super) range: [f64; 2],
}

/// Change of a point, relative to its largest number, at which it counts as found.
const CONVERGED: f64 = 1e-12;

/// Part of a point's largest number of which nothing is left where 0 is the nearest point.
const VANISHED: f64 = 1e-30;

/// Rounds after which the search is given up: of sets that do not meet, or meet at very small angles.
const MOST_ROUNDS: usize = 20_000;

impl Slab {
    /// Moves a point along the normal into the slab, after the correction of the last round (a multiple of the normal) was
    /// added back. Returns how far the correction moved the point.
    fn project(&self, x: &mut [f64], correction: &mut f64) -> f64 {
        let length2: f64 = self.normal.iter().map(|(_, value)| value * value).sum();
        if length2 == 0.0 {
            return 0.0;
        }
        let product: f64 = self.normal.iter().map(|(at, value)| value * x[*at]).sum();
        let product = product + *correction * length2;
        let [least, largest] = self.range;
        let excess = (product - product.max(least).min(largest)) / length2;
        let moved = *correction - excess;
        for (at, value) in &self.normal {
            x[*at] += moved * value;
        }
        *correction = excess;
        moved.abs() * length2.sqrt()
    }
}

/// Moves `x` to the nearest point of the affine set that `affine` projects on that lies in all slabs; if there is none, to
/// where the search was given up.
///
/// # Source
/// Boyle & Dykstra 1986, "A method for finding projections onto the intersection of convex sets in Hilbert spaces"; affine
/// sets need no correction. Rounds end by the changes of the corrections (Birgin & Raydan 2005, SIAM J Sci Comput 26:1405):
/// the point itself may stand still for rounds before it goes on.
pub(super) fn nearest(x: &mut [f64], affine: &dyn Fn(&mut [f64]), slabs: &[Slab]) {
    affine(x);
    let largest = |x: &[f64]| x.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
    let first = largest(x);
    let mut corrections = vec![0.0; slabs.len()];
    for _ in 0..MOST_ROUNDS {
        let mut change = 0.0_f64;
        for (slab, correction) in slabs.iter().zip(&mut corrections) {
            change = change.max(slab.project(x, correction));
        }
        let before = x.to_vec();
        affine(x);
        let moves = x.iter().zip(&before).map(|(x, before)| (x - before).abs());
        let change = moves.fold(change, f64::max);
        let size = largest(x);
        if change <= CONVERGED * size || size <= VANISHED * first || !size.is_finite() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slab(normal: &[f64], range: [f64; 2]) -> Slab {
        Slab {
            normal: normal.iter().copied().enumerate().collect(),
            range,
        }
    }

    /// Nearest to (3, 1) with sum 0 is (1, -1); with the first at most 0.25 it is (0.25, -0.25).
    #[test]
    fn a_bound_on_a_line() {
        let sum_zero = |x: &mut [f64]| {
            let mean = x.iter().sum::<f64>() / x.len() as f64;
            x.iter_mut().for_each(|x| *x -= mean);
        };
        let mut x = [3.0, 1.0];
        nearest(&mut x, &sum_zero, &[slab(&[1.0, 0.0], [-0.25, 0.25])]);
        assert!(
            (x[0] - 0.25).abs() < 1e-12 && (x[1] + 0.25).abs() < 1e-12,
            "{x:?}"
        );
    }

    /// Nearest to (2, 1) with a sum of at most 1 and the second at most -0.5 is (1.5, -0.5). Alternating projections without
    /// corrections would end at (1, -0.5).
    #[test]
    fn the_nearest_point_and_not_any_point() {
        let mut x = [2.0, 1.0];
        let slabs = [
            slab(&[1.0, 1.0], [f64::NEG_INFINITY, 1.0]),
            slab(&[0.0, 1.0], [f64::NEG_INFINITY, -0.5]),
        ];
        nearest(&mut x, &|_| (), &slabs);
        assert!(
            (x[0] - 1.5).abs() < 1e-11 && (x[1] + 0.5).abs() < 1e-11,
            "{x:?}"
        );
    }
}
