//! Recruitment curves: the fraction of a nerve that an amplitude activates.

use axonml_core::CoreError;

/// A step of a recruitment curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RecruitmentStep {
    /// A threshold of one or several fibers, mA.
    pub amplitude_ma: f64,
    /// Fraction of the fibers that is active from this amplitude on, up to the next step.
    pub fraction: f64,
}

/// The recruitment curve of fibers with these activation thresholds, a step for each different threshold, ascending;
/// below the first one the fraction is 0.
///
/// A fiber without a threshold is never active. `weights` are the shares of the nerve's fibers that the fibers stand
/// for ([`Nerve::weights`](axonml_core::Nerve::weights)), of any positive sum; without them all fibers count alike.
///
/// # Errors
/// [`CoreError`] if a threshold is not a finite number, or the weights are not one finite number, 0 or more, per fiber,
/// some of them above 0.
pub fn recruitment(
    thresholds_ma: &[Option<f64>],
    weights: Option<&[f64]>,
) -> Result<Vec<RecruitmentStep>, CoreError> {
    let fibers = thresholds_ma.len();
    let bad = |what: &str, found: String, expected: &str| CoreError::BadValue {
        what: what.into(),
        found,
        expected: expected.into(),
    };
    let equal;
    let weights = match weights {
        Some(weights) => weights,
        None => {
            equal = vec![1.0; fibers];
            &equal
        }
    };
    if weights.len() != fibers {
        let expected = format!("{fibers}, one per fiber");
        return Err(bad(
            "the number of weights",
            weights.len().to_string(),
            &expected,
        ));
    }
    if let Some(weight) = weights.iter().find(|w| !(w.is_finite() && **w >= 0.0)) {
        return Err(bad(
            "a weight",
            weight.to_string(),
            "a finite number, 0 or more",
        ));
    }
    let total: f64 = weights.iter().sum();
    if fibers > 0 && total <= 0.0 {
        return Err(bad(
            "the sum of the weights",
            total.to_string(),
            "more than 0",
        ));
    }
    let mut found = Vec::new();
    for (threshold, weight) in thresholds_ma.iter().zip(weights) {
        match threshold {
            Some(threshold) if !threshold.is_finite() => {
                let expected = "a finite number of mA, or none";
                return Err(bad("a threshold", threshold.to_string(), expected));
            }
            Some(threshold) => found.push((*threshold, *weight)),
            None => {}
        }
    }
    found.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut active = 0.0;
    let steps = found.chunk_by(|a, b| a.0 == b.0).map(|step| {
        active += step.iter().map(|(_, weight)| weight).sum::<f64>();
        RecruitmentStep {
            amplitude_ma: step[0].0,
            fraction: active / total,
        }
    });
    Ok(steps.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(thresholds: &[Option<f64>], weights: Option<&[f64]>) -> Vec<(f64, f64)> {
        let steps = recruitment(thresholds, weights).unwrap();
        steps.iter().map(|s| (s.amplitude_ma, s.fraction)).collect()
    }

    #[test]
    fn a_curve_rises_at_each_threshold_by_the_shares_that_have_it() {
        let thresholds = [Some(1.0), Some(0.1), None, Some(1.0)];
        assert_eq!(steps(&thresholds, None), [(0.1, 0.25), (1.0, 0.75)]);
        let weights = [2.0, 1.0, 4.0, 1.0];
        assert_eq!(
            steps(&thresholds, Some(&weights)),
            [(0.1, 0.125), (1.0, 0.5)]
        );
        assert_eq!(steps(&[None, None], None), []);
        assert_eq!(steps(&[], None), []);
    }

    #[test]
    fn what_is_no_share_and_no_threshold_is_refused() {
        let of = |thresholds: &[Option<f64>], weights: &[f64]| {
            recruitment(thresholds, Some(weights))
                .unwrap_err()
                .to_string()
        };
        assert!(of(&[Some(1.0)], &[0.5, 0.5]).contains("expected 1, one per fiber"));
        for weight in [f64::NAN, -1.0, f64::INFINITY] {
            assert!(of(&[Some(1.0)], &[weight]).contains("0 or more"));
        }
        assert!(of(&[Some(1.0)], &[0.0]).contains("more than 0"));
        assert!(of(&[Some(f64::NAN)], &[1.0]).contains("a finite number of mA"));
    }
}
