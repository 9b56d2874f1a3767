//! The damped normal equations of a fit.

use super::{Row, huber_weight};

/// `(J^T W J + prior) d = -(J^T W r + prior x)`, to be damped.
pub(super) struct Normal {
    matrix: Vec<Vec<f64>>,
    right: Vec<f64>,
    prior: f64,
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
        Normal {
            matrix,
            right,
            prior,
        }
    }

    /// The step for damping `mu` (times the diagonal), shortened so that no coordinate moves by more than `largest`;
    /// `None` if the equations cannot be solved.
    pub(super) fn step(&self, mu: f64, largest: f64) -> Option<Vec<f64>> {
        let mut matrix = self.matrix.clone();
        for (i, row) in matrix.iter_mut().enumerate() {
            row[i] += mu * row[i] + self.prior;
        }
        let mut step = cholesky_solve(matrix, self.right.clone())?;
        let longest = step.iter().fold(0.0_f64, |m, d| m.max(d.abs()));
        if longest > largest {
            step.iter_mut().for_each(|d| *d *= largest / longest);
        }
        Some(step)
    }
}

/// Solves a symmetric positive definite system by the Cholesky factorisation.
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
            })
            .collect();
        let step = Normal::new(&rows, &[0.0; 2], 0.0).step(0.0, 1.0).unwrap();
        assert!((step[0] - 0.1).abs() < 1e-14 && (step[1] + 0.2).abs() < 1e-14);
        let short = Normal::new(&rows, &[0.0; 2], 0.0).step(0.0, 0.1).unwrap();
        assert!((short[1] + 0.1).abs() < 1e-14, "shortened");
    }
}
