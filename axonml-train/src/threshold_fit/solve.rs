//! The damped normal equations of a fit.

use super::{Row, huber_weight};

/// Damping that is hardly any.
pub(super) const WEAKEST: f64 = 1e-9;
/// Damping that leaves nothing of a step.
const STRONGEST: f64 = 1e12;

/// `(J^T W J + prior) d = -(J^T W r + prior x)`, to be damped.
pub(super) struct Normal {
    matrix: Vec<Vec<f64>>,
    right: Vec<f64>,
    prior: f64,
    /// Mean of the diagonal, the unit of damping.
    mean: f64,
}

impl Normal {
    pub(super) fn new(rows: &[Row], x: &[f64], prior: f64) -> Self {
        let n = x.len();
        let mut matrix = vec![vec![0.0; n]; n];
        let mut right: Vec<f64> = x.iter().map(|x| -prior * x).collect();
        for row in rows {
            let weight = huber_weight(row.residual, row.limit);
            for (i, a) in row.by_x.iter().enumerate() {
                right[i] -= weight * a * row.residual;
                for (to, b) in matrix[i].iter_mut().zip(&row.by_x) {
                    *to += weight * a * b;
                }
            }
        }
        let diagonal = (0..n).map(|i| matrix[i][i]);
        Normal {
            mean: diagonal.sum::<f64>() / n.max(1) as f64,
            matrix,
            right,
            prior,
        }
    }

    /// The step for damping `mu`, or for the least of `mu`, `4 mu`, `16 mu`, ... with which no coordinate moves by more
    /// than `largest`; `None` if the rows are not finite.
    ///
    /// All coordinates are damped alike, as their units are natural ones. Damping each in proportion to the sensitivity
    /// of the rows (Marquardt's scaling) would forbid the long moves that fits need most, along which rates,
    /// conductances and potentials of a gate compensate each other. Shortening a step instead of damping it would spend
    /// it on directions that the rows hardly determine.
    pub(super) fn step(&self, mu: f64, largest: f64) -> Option<Step> {
        let mut mu = mu;
        while mu <= STRONGEST {
            let mut matrix = self.matrix.clone();
            for (i, row) in matrix.iter_mut().enumerate() {
                row[i] += mu * self.mean + self.prior;
            }
            if let Some(by_x) = cholesky_solve(matrix, self.right.clone()) {
                let longest = by_x.iter().fold(0.0_f64, |m, d| m.max(d.abs()));
                if longest <= largest {
                    let promised = self.promised(&by_x);
                    return Some(Step { by_x, mu, promised });
                }
            }
            mu = (4.0 * mu).max(WEAKEST);
        }
        None
    }

    /// Decrease of the cost predicted by the linearized rows and the prior.
    fn promised(&self, step: &[f64]) -> f64 {
        let each = self.matrix.iter().zip(&self.right).zip(step);
        each.map(|((row, right), d)| {
            let curved: f64 = row.iter().zip(step).map(|(a, d)| a * d).sum();
            d * (2.0 * right - curved - self.prior * d)
        })
        .sum()
    }
}

/// A step of a fit.
pub(super) struct Step {
    pub(super) by_x: Vec<f64>,
    /// The damping that it took.
    pub(super) mu: f64,
    /// Decrease of the cost if residuals are linear.
    pub(super) promised: f64,
}

/// Solves a symmetric positive definite system by the Cholesky factorization.
fn cholesky_solve(mut a: Vec<Vec<f64>>, mut b: Vec<f64>) -> Option<Vec<f64>> {
    let n = b.len();
    for i in 0..n {
        for j in 0..=i {
            let dot: f64 = (0..j).map(|k| a[i][k] * a[j][k]).sum();
            let left = a[i][j] - dot;
            if i == j {
                if !(left > 0.0 && left.is_finite()) {
                    return None;
                }
                a[i][i] = left.sqrt();
            } else {
                a[i][j] = left / a[j][j];
            }
        }
    }
    for i in 0..n {
        let dot: f64 = (0..i).map(|k| a[i][k] * b[k]).sum();
        b[i] = (b[i] - dot) / a[i][i];
    }
    for i in (0..n).rev() {
        let dot: f64 = (i + 1..n).map(|k| a[k][i] * b[k]).sum();
        b[i] = (b[i] - dot) / a[i][i];
    }
    Some(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_system_is_solved_and_an_indefinite_one_refused() {
        let a = vec![
            vec![4.0, 2.0, 0.5],
            vec![2.0, 5.0, 1.0],
            vec![0.5, 1.0, 3.0],
        ];
        let x = [1.0, -2.0, 0.25];
        let b = a
            .iter()
            .map(|row| row.iter().zip(&x).map(|(a, x)| a * x).sum());
        let found = cholesky_solve(a.clone(), b.collect()).unwrap();
        for (found, x) in found.iter().zip(&x) {
            assert!((found - x).abs() < 1e-14);
        }
        assert_eq!(cholesky_solve(vec![vec![0.0]], vec![1.0]), None);
    }

    /// A linear problem is solved by one undamped step, whatever the rows.
    #[test]
    fn one_step_solves_a_linear_problem() {
        let target = [0.1, -0.2];
        let rows: Vec<Row> = [[1.0, 0.5], [-0.3, 2.0], [0.7, 0.7]]
            .into_iter()
            .map(|by_x| Row {
                residual: -(by_x[0] * target[0] + by_x[1] * target[1]),
                limit: 10.0,
                by_x: by_x.to_vec(),
                steep: false,
            })
            .collect();
        let normal = Normal::new(&rows, &[0.0; 2], 0.0);
        let step = normal.step(0.0, 1.0).unwrap();
        assert!((step.by_x[0] - 0.1).abs() < 1e-14 && (step.by_x[1] + 0.2).abs() < 1e-14);
        let cost = |at: &[f64]| -> f64 {
            let residual = |row: &Row| row.residual + row.by_x[0] * at[0] + row.by_x[1] * at[1];
            rows.iter().map(|row| residual(row).powi(2)).sum()
        };
        assert!((step.promised - cost(&[0.0, 0.0])).abs() < 1e-14);
        // Too long a step is damped, not shortened, and keeps its promise.
        let damped = normal.step(0.0, 0.1).unwrap();
        assert!(damped.mu > 0.0 && damped.by_x.iter().all(|d| d.abs() <= 0.1));
        let lowered = cost(&[0.0, 0.0]) - cost(&damped.by_x);
        assert!((damped.promised - lowered).abs() < 1e-14);
        // No other step of that length lowers the cost as much.
        let length = |step: &[f64]| step.iter().map(|d| d * d).sum::<f64>().sqrt();
        let share = length(&damped.by_x) / length(&step.by_x);
        let shortened = [0.1 * share, -0.2 * share];
        assert!(cost(&damped.by_x) < cost(&shortened));
    }

    #[test]
    fn rows_that_are_not_finite_have_no_step() {
        let row = Row {
            residual: 1.0,
            limit: 3.0,
            by_x: vec![f64::NAN, 1.0],
            steep: false,
        };
        assert!(
            Normal::new(&[row], &[0.0; 2], 1.0)
                .step(1e-4, 0.5)
                .is_none()
        );
    }
}
