//! Eigenvalues and eigenvectors of small symmetric positive definite matrices by cyclic Jacobi rotations.
//!
//! The decay rates of an internode span nine decades. A method that first reduces the matrix to tridiagonal form gets
//! every eigenvalue right to a fraction of the largest one only, hence the slow rates to few digits; Jacobi's gets each
//! of them right to a fraction of itself, as long as the matrix scaled to a unit diagonal is well conditioned. So it does
//! the small components of the eigenvectors, which one-sided rotations of a factor get right to a fraction of the largest
//! ones.
//!
//! Several matrices are solved at once, each in a lane of its own, so that their arithmetic is that of vectors.
//!
//! # Source
//! J. Demmel, K. Veselic, "Jacobi's method is more accurate than QR", SIAM J. Matrix Anal. Appl. 13 (1992) 1204-1245:
//! the stopping criterion relative to the diagonal elements of each pair.

use std::array::from_fn;

/// `A = V diag(values) V^T` with orthonormal `V`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Eigen<const N: usize> {
    /// Eigenvalues, ascending.
    pub(super) values: [f64; N],
    /// `vectors[k]` belongs to `values[k]` and has unit length; the first of its components that is at least half as
    /// large as the largest one is positive.
    pub(super) vectors: [[f64; N]; N],
}

/// A sweep rotates every pair once; convergence is quadratic and takes six to ten sweeps.
const MAX_SWEEPS: usize = 60;

/// Largest square of an off-diagonal element, per product of the diagonal ones, that counts as 0.
const NEGLIGIBLE: f64 = f64::EPSILON * f64::EPSILON;

/// Diagonal elements whose products, and those of what is negligible beside them, neither overflow nor underflow.
const RANGE: std::ops::Range<f64> = 1e-60..1e60;

/// One number of each matrix.
type Lanes<const L: usize> = [f64; L];

/// Matrices under rotation: the upper triangle of `V^T A V`, and `V^T`.
struct Rotated<const N: usize, const L: usize> {
    a: [[Lanes<L>; N]; N],
    rows: [[Lanes<L>; N]; N],
}

/// Eigenvalues and eigenvectors of symmetric matrices, of which the upper triangles are read.
///
/// The order of the rotations is fixed, and matrices know nothing of each other: equal ones give equal bits. `None` if
/// one is not numerically positive definite (NaN included).
pub(super) fn symmetric_positive_eigen<const N: usize, const L: usize>(
    matrices: &[[[f64; N]; N]; L],
) -> Option<[Eigen<N>; L]> {
    let mut rotated = Rotated {
        a: from_fn(|i| from_fn(|j| from_fn(|lane| matrices[lane][i][j]))),
        rows: from_fn(|i| from_fn(|j| [if i == j { 1.0 } else { 0.0 }; L])),
    };
    for _ in 0..MAX_SWEEPS {
        let diagonal = (0..N).flat_map(|k| rotated.a[k][k]);
        if !diagonal.into_iter().all(|x| RANGE.contains(&x)) {
            return None;
        }
        let mut converged = true;
        for (p, q) in pairs::<N>() {
            converged &= !rotated.rotate(p, q);
        }
        if converged {
            return Some(from_fn(|lane| rotated.sorted(lane)));
        }
    }
    None
}

/// All pairs of indices, the smaller one first, in the rounds of a tournament: those of a round have no index in common,
/// so that a processor overlaps the roots and divisions of one with the rotations of another.
fn pairs<const N: usize>() -> impl Iterator<Item = (usize, usize)> {
    // By the circle method; an odd number of players gives one of them a round off.
    let players = N + N % 2;
    let last = players - 1;
    let rounds = (0..last).flat_map(move |round| {
        (0..players / 2).map(move |place| {
            let other = if place == 0 {
                last
            } else {
                (round + last - place) % last
            };
            ((round + place) % last, other)
        })
    });
    rounds
        .map(|(p, q)| (p.min(q), p.max(q)))
        .filter(|&(_, q)| q < N)
}

/// A rotation of each lane.
struct Turn<const L: usize> {
    c: Lanes<L>,
    s: Lanes<L>,
}

impl<const L: usize> Turn<L> {
    #[inline]
    fn apply(&self, x: &mut Lanes<L>, y: &mut Lanes<L>) {
        for l in 0..L {
            let (old_x, old_y) = (x[l], y[l]);
            x[l] = self.c[l] * old_x - self.s[l] * old_y;
            y[l] = self.s[l] * old_x + self.c[l] * old_y;
        }
    }

    #[inline]
    fn within<const N: usize>(&self, row: &mut [Lanes<L>; N], p: usize, q: usize) {
        if let Ok([x, y]) = row.get_disjoint_mut([p, q]) {
            self.apply(x, y);
        }
    }
}

impl<const N: usize, const L: usize> Rotated<N, L> {
    /// Annihilates `a[p][q]` (`p < q`) of every matrix in which it is not negligible by a rotation of rows and columns
    /// `p` and `q`, and rotates the rows of `V^T` likewise; `false` if there is none.
    fn rotate(&mut self, p: usize, q: usize) -> bool {
        let (first, second, off) = (self.a[p][p], self.a[q][q], self.a[p][q]);
        let mut significant = [false; L];
        for l in 0..L {
            let negligible = NEGLIGIBLE * (first[l] * second[l]);
            significant[l] = off[l] * off[l] > negligible || off[l].is_nan();
        }
        if significant == [false; L] {
            return false;
        }
        // tan(2 angle) = 2 off/difference; without rotation the angle is 0.
        let mut turn = Turn {
            c: [1.0; L],
            s: [0.0; L],
        };
        for l in 0..L {
            let difference = second[l] - first[l];
            let twice = 2.0 * off[l];
            let length = (difference * difference + twice * twice).sqrt();
            let sum = difference.abs() + length;
            let tangent = (if difference < 0.0 { -twice } else { twice }) / sum;
            let cosine = (sum / (2.0 * length)).sqrt();
            if significant[l] {
                turn.c[l] = cosine;
                turn.s[l] = cosine * tangent;
                self.a[p][p][l] = first[l] - tangent * off[l];
                self.a[q][q][l] = second[l] + tangent * off[l];
                self.a[p][q][l] = 0.0;
            }
        }
        let Rotated { a, rows } = self;
        let (above, [row_p, from_p @ ..]) = a.split_at_mut(p) else {
            unreachable!("p is below q, which is below N")
        };
        let (between, [row_q, ..]) = from_p.split_at_mut(q - p - 1) else {
            unreachable!("q is below N")
        };
        for row in above {
            turn.within(row, p, q);
        }
        for (y, row) in row_p[p + 1..q].iter_mut().zip(between) {
            turn.apply(y, &mut row[q]);
        }
        for (x, y) in row_p[q + 1..].iter_mut().zip(&mut row_q[q + 1..]) {
            turn.apply(x, y);
        }
        if let Ok([x, y]) = rows.get_disjoint_mut([p, q]) {
            for (x, y) in x.iter_mut().zip(y) {
                turn.apply(x, y);
            }
        }
        true
    }

    fn sorted(&self, lane: usize) -> Eigen<N> {
        let mut order: [usize; N] = from_fn(|k| k);
        order.sort_by(|&i, &j| self.a[i][i][lane].total_cmp(&self.a[j][j][lane]));
        let mut eigen = Eigen {
            values: [0.0; N],
            vectors: [[0.0; N]; N],
        };
        for (place, &k) in order.iter().enumerate() {
            eigen.values[place] = self.a[k][k][lane];
            let row = &self.rows[k];
            let largest = row
                .iter()
                .fold(0.0_f64, |largest, x| largest.max(x[lane].abs()));
            let leading = row.iter().find(|x| x[lane].abs() >= largest / 2.0);
            let sign = 1.0_f64.copysign(leading.map_or(1.0, |x| x[lane]));
            for (component, x) in eigen.vectors[place].iter_mut().zip(row) {
                *component = sign * x[lane];
            }
        }
        eigen
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::f64::consts::PI;

    fn dot<const N: usize>(x: &[f64; N], y: &[f64; N]) -> f64 {
        x.iter().zip(y).map(|(x, y)| x * y).sum()
    }

    /// Largest deviation from `V^T V = 1` and, relative to `sqrt(a_ii a_jj)`, from `V diag(values) V^T = A`.
    fn defects<const N: usize>(a: &[[f64; N]; N], e: &Eigen<N>) -> (f64, f64) {
        let (mut orthogonality, mut reconstruction) = (0.0_f64, 0.0_f64);
        for i in 0..N {
            for j in 0..N {
                let delta = if i == j { 1.0 } else { 0.0 };
                orthogonality =
                    orthogonality.max((dot(&e.vectors[i], &e.vectors[j]) - delta).abs());
                let rebuilt: f64 = (0..N)
                    .map(|k| e.values[k] * e.vectors[k][i] * e.vectors[k][j])
                    .sum();
                reconstruction =
                    reconstruction.max((rebuilt - a[i][j]).abs() / (a[i][i] * a[j][j]).sqrt());
            }
        }
        (orthogonality, reconstruction)
    }

    /// Of one matrix, and the same beside another one.
    fn eigen<const N: usize>(a: &[[f64; N]; N]) -> Option<Eigen<N>> {
        let [alone] = symmetric_positive_eigen(&[*a])?;
        let other = std::array::from_fn(|i| {
            std::array::from_fn(|j| if i == j { 3.0 } else { 1.0 / (i + j) as f64 })
        });
        assert_eq!(symmetric_positive_eigen(&[other, *a]).unwrap()[1], alone);
        Some(alone)
    }

    #[test]
    fn second_difference_has_cosine_eigenvalues_and_sine_vectors() {
        const N: usize = 10;
        let a: [[f64; N]; N] = std::array::from_fn(|i| {
            std::array::from_fn(|j| match i.abs_diff(j) {
                0 => 2.0,
                1 => -1.0,
                _ => 0.0,
            })
        });
        let e = eigen(&a).unwrap();
        for k in 0..N {
            let angle = PI * (k + 1) as f64 / (N + 1) as f64;
            let expected = 4.0 * (angle / 2.0).sin().powi(2);
            assert!(
                (e.values[k] / expected - 1.0).abs() < 1e-14,
                "{k}: {} {expected}",
                e.values[k]
            );
            let sine: [f64; N] = std::array::from_fn(|j| {
                (2.0 / (N + 1) as f64).sqrt() * (angle * (j + 1) as f64).sin()
            });
            let largest = sine.iter().fold(0.0_f64, |largest, x| largest.max(x.abs()));
            let leading = sine.iter().find(|x| x.abs() > largest / 2.0).unwrap();
            for j in 0..N {
                let expected = sine[j] * leading.signum();
                assert!(
                    (e.vectors[k][j] - expected).abs() < 1e-14,
                    "{k} {j}: {} {expected}",
                    e.vectors[k][j]
                );
            }
        }
    }

    #[test]
    fn small_eigenvalues_of_a_graded_matrix_keep_all_digits() {
        // D B D with D = 10^0, 10^-6, 10^-12; b the off-diagonal element of B. To first order in the grading the
        // eigenvalues are d_k^2 times the pivots of B: 1, 1 - b^2, (1 - b)(1 + 2 b)/(1 + b).
        let b = 0.5;
        let d = [1.0, 1e-6, 1e-12];
        let a = std::array::from_fn(|i| {
            std::array::from_fn(|j| d[i] * d[j] * if i == j { 1.0 } else { b })
        });
        let e = eigen::<3>(&a).unwrap();
        let pivots = [
            (1.0 - b) * (1.0 + 2.0 * b) / (1.0 + b) * 1e-24,
            (1.0 - b * b) * 1e-12,
            1.0,
        ];
        for (value, pivot) in e.values.iter().zip(pivots) {
            assert!((value / pivot - 1.0).abs() < 1e-11, "{value:e} {pivot:e}");
        }
        let determinant: f64 = e.values.iter().product();
        assert!(
            (determinant / (0.5 * 1e-36) - 1.0).abs() < 1e-14,
            "{determinant:e}"
        );
    }

    #[test]
    fn a_diagonal_matrix_is_only_sorted() {
        let e = eigen(&[[3.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 2.0]]).unwrap();
        assert_eq!(e.values, [1.0, 2.0, 3.0]);
        assert_eq!(
            e.vectors,
            [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
        );
    }

    #[test]
    fn indefinite_singular_and_nan_matrices_are_refused() {
        assert_eq!(eigen(&[[1.0, 2.0], [2.0, 1.0]]), None);
        assert_eq!(eigen(&[[0.0, 0.0], [0.0, 1.0]]), None);
        assert_eq!(eigen(&[[1.0, f64::NAN], [f64::NAN, 1.0]]), None);
        assert_eq!(eigen(&[[f64::NAN, 0.0], [0.0, 1.0]]), None);
    }

    proptest! {
        #[test]
        fn any_graded_positive_definite_matrix_is_rebuilt(
            factor in prop::array::uniform6(prop::array::uniform6(-1.0..1.0_f64)),
            decades in prop::array::uniform6(-5.0..5.0_f64),
        ) {
            let a: [[f64; 6]; 6] = std::array::from_fn(|i| std::array::from_fn(|j| {
                let scale = 10.0_f64.powf(decades[i]) * 10.0_f64.powf(decades[j]);
                scale * (dot(&factor[i], &factor[j]) + if i == j { 1.0 } else { 0.0 })
            }));
            let e = eigen(&a).unwrap();
            let (orthogonality, reconstruction) = defects(&a, &e);
            prop_assert!(orthogonality < 1e-14, "{orthogonality:e}");
            prop_assert!(reconstruction < 1e-13, "{reconstruction:e}");
            prop_assert!(e.values.is_sorted());
            prop_assert_eq!(eigen(&a), Some(e));
        }
    }
}
