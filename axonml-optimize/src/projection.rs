//! Feasible sets.

/// A closed convex set, given by the nearest of its points.
///
/// Closures over `&mut [f64]` are projections, and so are [`Bounds`](crate::Bounds):
/// ```
/// use axonml_optimize::Projection;
/// // Coordinates that add to 0.
/// let sum_zero = |x: &mut [f64]| {
///     let mean = x.iter().sum::<f64>() / x.len() as f64;
///     x.iter_mut().for_each(|x| *x -= mean);
/// };
/// let mut x = [1.0, 2.0, 6.0];
/// sum_zero.project(&mut x);
/// assert_eq!(x, [-2.0, -1.0, 3.0]);
/// ```
pub trait Projection {
    /// Moves `x` to the nearest point of the set; a point of the set stays where it is.
    fn project(&self, x: &mut [f64]);
}

impl<P: Fn(&mut [f64])> Projection for P {
    fn project(&self, x: &mut [f64]) {
        self(x);
    }
}

/// All points.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unconstrained;

impl Projection for Unconstrained {
    fn project(&self, _: &mut [f64]) {}
}

/// Length of the step that probes a set, as a share of the size of coordinates.
const PROBE: f64 = 1e-6;

/// The part of `gradient` at a point `x` of the set against which one can move without leaving it: minus the projection
/// of minus the gradient on the tangent cone. Components that point out of bounds are exactly 0, and without a
/// constraint the gradient is returned as it is. `size` is the size of coordinates that lie near 0.
///
/// # Source
/// P. H. Calamai and J. J. More, "Projected gradient methods for linearly constrained problems", Math. Program. 39,
/// 93-116 (1987), definition 2.1; found here from a short step, which is exact for polyhedra.
pub(crate) fn projected_gradient(
    x: &[f64],
    gradient: &[f64],
    size: f64,
    set: &dyn Projection,
) -> Vec<f64> {
    let steepest = largest(gradient);
    if steepest == 0.0 {
        return gradient.to_vec();
    }
    let step = PROBE * largest(x).max(size) / steepest;
    let free: Vec<f64> = x.iter().zip(gradient).map(|(x, g)| x - step * g).collect();
    let mut feasible = free.clone();
    set.project(&mut feasible);
    let each = x.iter().zip(gradient).zip(free.iter().zip(&feasible));
    each.map(|((&x, &gradient), (free, &feasible))| {
        if feasible == *free {
            gradient
        } else {
            (x - feasible) / step
        }
    })
    .collect()
}

/// The largest magnitude.
pub(crate) fn largest(x: &[f64]) -> f64 {
    x.iter().fold(0.0, |largest: f64, x| largest.max(x.abs()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Bounds;

    #[test]
    fn without_a_constraint_the_gradient_is_itself() {
        let gradient = [0.1, -3.0, 1e-9];
        let found = projected_gradient(&[1.0, 2.0, 1e5], &gradient, 1.0, &Unconstrained);
        assert_eq!(found, gradient);
    }

    #[test]
    fn directions_out_of_bounds_are_zero() {
        let bounds = Bounds::uniform(4, 0.0, 1.0).unwrap();
        let gradient = [1.0, -1.0, 2.0, -2.0];
        let found = projected_gradient(&[0.0, 0.0, 1.0, 1.0], &gradient, 1.0, &bounds);
        assert_eq!(found, [0.0, -1.0, 2.0, 0.0]);
    }

    /// In a subspace: the orthogonal projection, by hand.
    #[test]
    fn in_a_subspace_the_gradient_lies_in_it() {
        let sum_zero = |x: &mut [f64]| {
            let mean = x.iter().sum::<f64>() / x.len() as f64;
            x.iter_mut().for_each(|x| *x -= mean);
        };
        let found = projected_gradient(&[1.0, 1.0, -2.0], &[3.0, 0.0, 0.0], 1.0, &sum_zero);
        for (found, expected) in found.iter().zip([2.0, -1.0, -1.0]) {
            // The rounding of coordinates over the length of the probe.
            assert!((found - expected).abs() < 1e-8, "{found}");
        }
    }
}
