//! Eigenvalues and eigenvectors of small symmetric positive definite matrices by cyclic Jacobi rotations.
//!
//! The decay rates of an internode span nine decades. A method that first reduces the matrix to tridiagonal form gets
//! every eigenvalue right to a fraction of the largest one only, hence the slow rates to few digits; Jacobi's gets each
//! of them right to a fraction of itself, as long as the matrix scaled to a unit diagonal is well conditioned.
//!
//! # Source
//! J. Demmel, K. Veselic, "Jacobi's method is more accurate than QR", SIAM J. Matrix Anal. Appl. 13 (1992) 1204-1245:
//! the stopping criterion relative to the diagonal elements of each pair.

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

/// Eigenvalues and eigenvectors of a symmetric matrix, of which the upper triangle is read.
///
/// The order of the rotations is fixed: equal matrices give equal bits. `None` if the matrix is not numerically
/// positive definite (NaN included).
pub(super) fn symmetric_positive_eigen<const N: usize>(matrix: &[[f64; N]; N]) -> Option<Eigen<N>> {
    let mut a = *matrix;
    let mut rows = [[0.0; N]; N];
    for (k, row) in rows.iter_mut().enumerate() {
        row[k] = 1.0;
    }
    for _ in 0..MAX_SWEEPS {
        if (0..N).any(|k| a[k][k].is_nan() || a[k][k] <= 0.0) {
            return None;
        }
        let mut rotated = false;
        for p in 0..N {
            for q in p + 1..N {
                if a[p][q].abs() > f64::EPSILON * (a[p][p] * a[q][q]).sqrt() {
                    rotate(&mut a, &mut rows, p, q);
                    rotated = true;
                } else if a[p][q].is_nan() {
                    return None;
                }
            }
        }
        if !rotated {
            return Some(sorted(&a, &rows));
        }
    }
    None
}

/// Annihilates `a[p][q]` (`p < q`) by a rotation of rows and columns `p` and `q`, and rotates the rows of `V^T` likewise.
fn rotate<const N: usize>(a: &mut [[f64; N]; N], rows: &mut [[f64; N]; N], p: usize, q: usize) {
    let cotangent = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
    // The smaller root of t^2 + 2 t cotangent - 1 = 0; hypot does not overflow for a tiny element.
    let t = 1.0_f64.copysign(cotangent) / (cotangent.abs() + cotangent.hypot(1.0));
    let c = 1.0 / t.hypot(1.0);
    let s = c * t;
    let turn = |x: f64, y: f64| (c * x - s * y, s * x + c * y);

    let shift = t * a[p][q];
    a[p][p] -= shift;
    a[q][q] += shift;
    a[p][q] = 0.0;
    for k in 0..p {
        (a[k][p], a[k][q]) = turn(a[k][p], a[k][q]);
    }
    for k in p + 1..q {
        (a[p][k], a[k][q]) = turn(a[p][k], a[k][q]);
    }
    for k in q + 1..N {
        (a[p][k], a[q][k]) = turn(a[p][k], a[q][k]);
    }
    for k in 0..N {
        (rows[p][k], rows[q][k]) = turn(rows[p][k], rows[q][k]);
    }
}

fn sorted<const N: usize>(a: &[[f64; N]; N], rows: &[[f64; N]; N]) -> Eigen<N> {
    let mut order: [usize; N] = std::array::from_fn(|k| k);
    order.sort_by(|&i, &j| a[i][i].total_cmp(&a[j][j]));
    let oriented = |row: [f64; N]| {
        let largest = row.iter().fold(0.0_f64, |largest, x| largest.max(x.abs()));
        let leading = row.iter().find(|x| x.abs() >= largest / 2.0);
        row.map(|x| x * 1.0_f64.copysign(*leading.unwrap_or(&1.0)))
    };
    Eigen {
        values: order.map(|k| a[k][k]),
        vectors: order.map(|k| oriented(rows[k])),
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
        let e = symmetric_positive_eigen(&a).unwrap();
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
        let e = symmetric_positive_eigen::<3>(&a).unwrap();
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
        let e =
            symmetric_positive_eigen(&[[3.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 2.0]]).unwrap();
        assert_eq!(e.values, [1.0, 2.0, 3.0]);
        assert_eq!(
            e.vectors,
            [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
        );
    }

    #[test]
    fn indefinite_singular_and_nan_matrices_are_refused() {
        assert_eq!(symmetric_positive_eigen(&[[1.0, 2.0], [2.0, 1.0]]), None);
        assert_eq!(symmetric_positive_eigen(&[[0.0, 0.0], [0.0, 1.0]]), None);
        assert_eq!(
            symmetric_positive_eigen(&[[1.0, f64::NAN], [f64::NAN, 1.0]]),
            None
        );
        assert_eq!(
            symmetric_positive_eigen(&[[f64::NAN, 0.0], [0.0, 1.0]]),
            None
        );
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
            let e = symmetric_positive_eigen(&a).unwrap();
            let (orthogonality, reconstruction) = defects(&a, &e);
            prop_assert!(orthogonality < 1e-14, "{orthogonality:e}");
            prop_assert!(reconstruction < 1e-13, "{reconstruction:e}");
            prop_assert!(e.values.is_sorted());
            prop_assert_eq!(symmetric_positive_eigen(&a), Some(e));
        }
    }
}
