//! Linear least squares by orthogonal transformations.

/// The `x` that minimizes `|a x - b|`, by Householder reflections of the columns of `a`, which are `columns`, each as
/// long as `b`; `None` if one of them depends on the others, or there are more of them than rows.
///
/// # Source
/// G. H. Golub and C. F. Van Loan, *Matrix Computations*, 4th ed., Johns Hopkins 2013, algorithms 5.1.1 and 5.3.2.
pub fn least_squares(mut columns: Vec<Vec<f64>>, mut b: Vec<f64>) -> Option<Vec<f64>> {
    let n = columns.len();
    if n > b.len() {
        return None;
    }
    let mut diagonal = vec![0.0; n];
    for k in 0..n {
        let (done, rest) = columns.split_at_mut(k + 1);
        let reflector = &mut done[k][k..];
        let length = reflector.iter().map(|x| x * x).sum::<f64>().sqrt();
        if !(length > 0.0 && length.is_finite()) {
            return None;
        }
        // Of the sign that cancels nothing.
        diagonal[k] = -length.copysign(reflector[0]);
        reflector[0] -= diagonal[k];
        let square: f64 = reflector.iter().map(|x| x * x).sum();
        for column in rest.iter_mut().chain([&mut b]) {
            let below = &mut column[k..];
            let dot: f64 = reflector.iter().zip(below.iter()).map(|(v, x)| v * x).sum();
            let factor = 2.0 * dot / square;
            let pairs = below.iter_mut().zip(reflector.iter());
            pairs.for_each(|(x, v)| *x -= factor * v);
        }
    }
    for k in (0..n).rev() {
        let known: f64 = (k + 1..n).map(|j| columns[j][k] * b[j]).sum();
        b[k] = (b[k] - known) / diagonal[k];
    }
    b.truncate(n);
    b.iter().all(|x| x.is_finite()).then_some(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand: the line 1 + 2 t through three points, moved by residuals (1, -2, 1) that are orthogonal to it.
    #[test]
    fn a_line_is_fitted() {
        let columns = vec![vec![1.0, 1.0, 1.0], vec![0.0, 1.0, 2.0]];
        let found = least_squares(columns, vec![2.0, 1.0, 6.0]).unwrap();
        assert!(
            (found[0] - 1.0).abs() < 1e-14 && (found[1] - 2.0).abs() < 1e-14,
            "{found:?}"
        );
    }

    /// Laeuchli's matrix: its normal equations are singular in double precision.
    #[test]
    fn columns_that_are_nearly_alike_are_told_apart() {
        let small = 1e-9;
        let columns = vec![vec![1.0, small, 0.0], vec![1.0, 0.0, small]];
        let found = least_squares(columns, vec![3.0, 2.0 * small, small]).unwrap();
        assert!(
            (found[0] - 2.0).abs() < 1e-6 && (found[1] - 1.0).abs() < 1e-6,
            "{found:?}"
        );
    }

    #[test]
    fn what_has_no_solution_has_none() {
        assert_eq!(least_squares(vec![vec![0.0, 0.0]], vec![1.0, 1.0]), None);
        assert_eq!(least_squares(vec![vec![f64::NAN]], vec![1.0]), None);
        assert_eq!(least_squares(vec![vec![1.0], vec![2.0]], vec![1.0]), None);
        assert_eq!(least_squares(vec![], vec![1.0]), Some(vec![]));
    }
}
