//! Summaries of errors: means, quantiles, extremes.

/// Figures of a set of errors, in the unit of the errors (thresholds: percent of the reference).
///
/// # Example
/// ```
/// let errors = axonml_models::ErrorSummary::of(&[-2.0, 1.0, 0.0, 4.0, 1.0]).expect("five errors");
/// assert_eq!((errors.n, errors.median, errors.min, errors.max), (5, 1.0, -2.0, 4.0));
/// assert!((errors.mean_abs - 1.6).abs() < 1e-12 && (errors.p95_abs - 3.6).abs() < 1e-12);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ErrorSummary {
    /// Number of errors.
    pub n: usize,
    /// Mean of the errors with their signs.
    pub mean: f64,
    /// Mean of the magnitudes.
    pub mean_abs: f64,
    /// Median of the errors with their signs.
    pub median: f64,
    /// 95th percentile of the magnitudes.
    pub p95_abs: f64,
    /// Least error, with its sign.
    pub min: f64,
    /// Greatest error, with its sign.
    pub max: f64,
    /// Greatest magnitude.
    pub max_abs: f64,
}

impl ErrorSummary {
    /// Summarizes errors; `None` without any.
    pub fn of(errors: &[f64]) -> Option<Self> {
        let n = errors.len();
        let sorted = |mut values: Vec<f64>| {
            values.sort_by(f64::total_cmp);
            values
        };
        let signed = sorted(errors.to_vec());
        let sizes = sorted(errors.iter().map(|error| error.abs()).collect());
        let (min, max) = (*signed.first()?, *signed.last()?);
        Some(ErrorSummary {
            n,
            mean: errors.iter().sum::<f64>() / n as f64,
            mean_abs: errors.iter().map(|error| error.abs()).sum::<f64>() / n as f64,
            median: quantile(&signed, 0.5)?,
            p95_abs: quantile(&sizes, 0.95)?,
            min,
            max,
            max_abs: *sizes.last()?,
        })
    }
}

/// The value below which the part `q` (0 to 1) of values in ascending order lies, interpolated linearly between neighbors;
/// `None` without values.
pub fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    let at = q.clamp(0.0, 1.0) * sorted.len().checked_sub(1)? as f64;
    let (below, above) = (at.floor() as usize, at.ceil() as usize);
    Some(sorted[below] + (sorted[above] - sorted[below]) * (at - below as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_are_what_their_names_say() {
        let found = ErrorSummary::of(&[-5.0, 0.0, 10.0]).unwrap();
        assert_eq!(
            found,
            ErrorSummary {
                n: 3,
                mean: 5.0 / 3.0,
                mean_abs: 5.0,
                median: 0.0,
                p95_abs: 9.5,
                min: -5.0,
                max: 10.0,
                max_abs: 10.0,
            }
        );
        assert_eq!(ErrorSummary::of(&[]), None);
        // Quartiles of 1, 2, 3, 4 by linear interpolation (type 7 of Hyndman & Fan 1996, as NumPy's default).
        let quartiles = [0.0, 0.25, 0.5, 0.75, 1.0].map(|q| quantile(&[1.0, 2.0, 3.0, 4.0], q));
        assert_eq!(quartiles, [1.0, 1.75, 2.5, 3.25, 4.0].map(Some));
        assert_eq!(quantile(&[], 0.5), None);
    }
}
