//! Threshold curves: fits over pulse width and distance.

use thiserror::Error;

/// A law of strength and duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StrengthDurationLaw {
    /// `I = Irh (1 + chronaxie / pw)`: the charge at threshold grows linearly with the pulse width.
    ///
    /// # Source
    /// G. Weiss, "Sur la possibilité de rendre comparables entre eux les appareils servant à l'excitation électrique", Arch.
    /// Ital. Biol. 35 (1901) 413-446.
    Weiss,
    /// `I = Irh / (1 - exp(-pw / tau))`, `chronaxie = tau ln 2`: a leaky capacitor is charged to a fixed voltage.
    ///
    /// # Source
    /// L. Lapicque, "Recherches quantitatives sur l'excitation électrique des nerfs traitée comme une polarisation", J.
    /// Physiol. Pathol. Gen. 9 (1907) 620-635.
    Lapicque,
}

/// Rheobase and chronaxie of a fiber, from activation thresholds at several pulse widths.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StrengthDuration {
    /// The law that was fitted.
    pub law: StrengthDurationLaw,
    /// Threshold of an endless pulse, in the unit of the thresholds.
    pub rheobase: f64,
    /// Pulse width at which the threshold is twice the rheobase, ms.
    pub chronaxie_ms: f64,
    /// Root mean square of the relative errors of the fit, percent.
    pub misfit_pct: f64,
}

/// Why thresholds cannot be fitted.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum FitError {
    /// Two unknowns need two different pulse widths or distances.
    #[error("found {found} different pulse widths or distances, expected at least 2; add some")]
    TooFew {
        /// Number of different pulse widths or distances.
        found: usize,
    },
    /// A pulse width, distance or threshold that is none.
    #[error(
        "point {index}: found threshold {threshold} at pulse width or distance {at}, expected finite numbers above 0"
    )]
    BadPoint {
        /// 0-based index of the point.
        index: usize,
        /// Its pulse width, ms, or distance, mm.
        at: f64,
        /// Its threshold.
        threshold: f64,
    },
    /// The thresholds do not fall with the pulse width as the law has it.
    #[error(
        "the thresholds do not follow the law of {law:?}: the best fit has no positive rheobase and chronaxie; check that \
         thresholds fall with the pulse width"
    )]
    NoFit {
        /// The law.
        law: StrengthDurationLaw,
    },
}

impl StrengthDuration {
    /// Fits a law to (pulse width in ms, threshold) by least squares of the relative errors.
    ///
    /// # Errors
    /// [`FitError`]: fewer than two different pulse widths, numbers that are not positive, thresholds that no such law gives.
    ///
    /// # Example
    /// ```
    /// use axonml::curve::{StrengthDuration, StrengthDurationLaw};
    ///
    /// // Thresholds in mA made by Weiss' law: 0.2 mA, 0.15 ms.
    /// let points = [0.05, 0.1, 0.3, 1.0].map(|pw_ms| (pw_ms, 0.2 * (1.0 + 0.15 / pw_ms)));
    /// let fit = StrengthDuration::fit(StrengthDurationLaw::Weiss, &points)?;
    /// assert!((fit.rheobase - 0.2).abs() < 1e-12 && (fit.chronaxie_ms - 0.15).abs() < 1e-12);
    /// # Ok::<(), axonml::curve::FitError>(())
    /// ```
    pub fn fit(law: StrengthDurationLaw, points: &[(f64, f64)]) -> Result<Self, FitError> {
        let positive = |x: f64| x.is_finite() && x > 0.0;
        let widths = check_points(points)?;
        let found = match law {
            StrengthDurationLaw::Weiss => weiss(points),
            StrengthDurationLaw::Lapicque => lapicque(points, widths[0], widths[widths.len() - 1]),
        };
        let (rheobase, chronaxie_ms) = found
            .filter(|&(rheobase, chronaxie)| positive(rheobase) && positive(chronaxie))
            .ok_or(FitError::NoFit { law })?;
        let fit = StrengthDuration {
            law,
            rheobase,
            chronaxie_ms,
            misfit_pct: 0.0,
        };
        let squares = points.iter().map(|&(pw_ms, threshold)| {
            let error = fit.threshold(pw_ms) / threshold - 1.0;
            error * error
        });
        Ok(StrengthDuration {
            misfit_pct: 100.0 * (squares.sum::<f64>() / points.len() as f64).sqrt(),
            ..fit
        })
    }

    /// The threshold at a pulse width, in the unit of the rheobase.
    pub fn threshold(&self, pw_ms: f64) -> f64 {
        match self.law {
            StrengthDurationLaw::Weiss => self.rheobase * (1.0 + self.chronaxie_ms / pw_ms),
            StrengthDurationLaw::Lapicque => {
                let tau_ms = self.chronaxie_ms / std::f64::consts::LN_2;
                -self.rheobase / (-pw_ms / tau_ms).exp_m1()
            }
        }
    }
}

/// Current and distance of a point electrode: `I = I0 + k r^2`.
///
/// # Source
/// S. D. Stoney, W. D. Thompson, H. Asanuma, "Excitation of pyramidal tract cells by intracortical microstimulation: effective
/// extent of stimulating current", J. Neurophysiol. 31 (1968) 659-669.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CurrentDistance {
    /// Threshold at no distance, mA; it may come out negative.
    pub i0_ma: f64,
    /// Growth with the squared distance, mA/mm2.
    pub k_ma_per_mm2: f64,
    /// Root mean square of the relative errors of the fit, percent.
    pub misfit_pct: f64,
}

impl CurrentDistance {
    /// Fits the law to (distance in mm, threshold in mA) by least squares of the relative errors.
    ///
    /// # Errors
    /// [`FitError`]: fewer than two different distances, or numbers that are not positive.
    ///
    /// # Example
    /// ```
    /// use axonml::curve::CurrentDistance;
    ///
    /// let points = [0.2, 0.5, 1.0, 2.0].map(|r_mm: f64| (r_mm, 0.01 + 0.12 * r_mm * r_mm));
    /// let fit = CurrentDistance::fit(&points)?;
    /// assert!((fit.i0_ma - 0.01).abs() < 1e-12 && (fit.k_ma_per_mm2 - 0.12).abs() < 1e-12);
    /// # Ok::<(), axonml::curve::FitError>(())
    /// ```
    pub fn fit(points: &[(f64, f64)]) -> Result<Self, FitError> {
        check_points(points)?;
        let rows = points
            .iter()
            .map(|&(r_mm, ma)| (1.0 / ma, r_mm * r_mm / ma));
        let (i0_ma, k_ma_per_mm2) = linear(rows).ok_or(FitError::TooFew { found: 1 })?;
        let squares = points.iter().map(|&(r_mm, ma)| {
            let error = (i0_ma + k_ma_per_mm2 * r_mm * r_mm) / ma - 1.0;
            error * error
        });
        Ok(CurrentDistance {
            i0_ma,
            k_ma_per_mm2,
            misfit_pct: 100.0 * (squares.sum::<f64>() / points.len() as f64).sqrt(),
        })
    }
}

/// The different places of points, ascending; refuses points that are no measurements of a curve.
fn check_points(points: &[(f64, f64)]) -> Result<Vec<f64>, FitError> {
    let positive = |x: f64| x.is_finite() && x > 0.0;
    for (index, &(at, threshold)) in points.iter().enumerate() {
        if !(positive(at) && positive(threshold)) {
            return Err(FitError::BadPoint {
                index,
                at,
                threshold,
            });
        }
    }
    let mut places: Vec<f64> = points.iter().map(|point| point.0).collect();
    places.sort_by(f64::total_cmp);
    places.dedup();
    match places.len() {
        0 | 1 => Err(FitError::TooFew {
            found: places.len(),
        }),
        _ => Ok(places),
    }
}

/// The coefficients a, b of least squares of `a x + b y - 1`, if the rows determine them.
fn linear(rows: impl Iterator<Item = (f64, f64)>) -> Option<(f64, f64)> {
    // Normal equations; two columns of like size are well enough conditioned.
    let [mut xx, mut xy, mut yy, mut x_sum, mut y_sum] = [0.0; 5];
    for (x, y) in rows {
        xx += x * x;
        xy += x * y;
        yy += y * y;
        x_sum += x;
        y_sum += y;
    }
    let determinant = xx * yy - xy * xy;
    let a = (x_sum * yy - y_sum * xy) / determinant;
    let b = (y_sum * xx - x_sum * xy) / determinant;
    (determinant > 0.0).then_some((a, b))
}

/// Rheobase and chronaxie: `rheobase + (rheobase chronaxie) / pw` is linear in its two coefficients.
fn weiss(points: &[(f64, f64)]) -> Option<(f64, f64)> {
    let rows = points
        .iter()
        .map(|&(pw_ms, threshold)| (1.0 / threshold, 1.0 / (pw_ms * threshold)));
    let (rheobase, slope) = linear(rows)?;
    Some((rheobase, slope / rheobase))
}

/// Rheobase and chronaxie by Gauss-Newton steps in the logarithms of rheobase and time constant, from the best time
/// constant of a scan.
fn lapicque(points: &[(f64, f64)], shortest_ms: f64, longest_ms: f64) -> Option<(f64, f64)> {
    // The rheobase that is best at a time constant, and the sum of squares with it.
    let at = |tau_ms: f64| {
        let (mut xx, mut x_sum) = (0.0, 0.0);
        for &(pw_ms, threshold) in points {
            let x = -1.0 / ((-pw_ms / tau_ms).exp_m1() * threshold);
            xx += x * x;
            x_sum += x;
        }
        let rheobase = x_sum / xx;
        (rheobase, points.len() as f64 - rheobase * x_sum)
    };
    const SCAN: u32 = 400;
    let (low, high) = ((1e-3 * shortest_ms).ln(), (1e3 * longest_ms).ln());
    let each = (0..=SCAN).map(|k| (low + (high - low) * f64::from(k) / f64::from(SCAN)).exp());
    let start_ms = each.min_by(|a, b| at(*a).1.total_cmp(&at(*b).1))?;
    let (mut ln_rheobase, mut ln_tau) = (at(start_ms).0.ln(), start_ms.ln());
    for _ in 0..100 {
        let (rheobase, tau_ms) = (ln_rheobase.exp(), ln_tau.exp());
        let [mut aa, mut ab, mut bb, mut a, mut b] = [0.0; 5];
        for &(pw_ms, threshold) in points {
            let decay = (-pw_ms / tau_ms).exp();
            let model = rheobase / ((1.0 - decay) * threshold);
            // By the logarithms of rheobase and time constant.
            let (by_rheobase, by_tau) = (model, model * decay / (1.0 - decay) * pw_ms / tau_ms);
            let residual = model - 1.0;
            aa += by_rheobase * by_rheobase;
            ab += by_rheobase * by_tau;
            bb += by_tau * by_tau;
            a -= by_rheobase * residual;
            b -= by_tau * residual;
        }
        let determinant = aa * bb - ab * ab;
        if !(determinant.is_finite() && determinant > 0.0) {
            return None;
        }
        let steps = [
            (a * bb - b * ab) / determinant,
            (b * aa - a * ab) / determinant,
        ];
        let [of_rheobase, of_tau] = steps.map(|step: f64| step.clamp(-0.5, 0.5));
        ln_rheobase += of_rheobase;
        ln_tau += of_tau;
        if of_rheobase.abs().max(of_tau.abs()) < 1e-15 {
            break;
        }
    }
    // A time constant at an end of the scan is none that the data tell.
    (low + 1.0..high - 1.0)
        .contains(&ln_tau)
        .then(|| (ln_rheobase.exp(), ln_tau.exp() * std::f64::consts::LN_2))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTHS_MS: [f64; 7] = [0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0];

    #[test]
    fn both_laws_give_back_what_thresholds_were_made_of() {
        for rheobase in [1e-6, 0.2, 30.0] {
            for chronaxie_ms in [0.03, 0.15, 1.2] {
                let weiss = |pw_ms: f64| rheobase * (1.0 + chronaxie_ms / pw_ms);
                let tau_ms = chronaxie_ms / 2.0_f64.ln();
                let lapicque = |pw_ms: f64| rheobase / (1.0 - (-pw_ms / tau_ms).exp());
                let laws: [(_, &dyn Fn(f64) -> f64); 2] = [
                    (StrengthDurationLaw::Weiss, &weiss),
                    (StrengthDurationLaw::Lapicque, &lapicque),
                ];
                for (law, threshold) in laws {
                    let points = WIDTHS_MS.map(|pw_ms| (pw_ms, threshold(pw_ms)));
                    let fit = StrengthDuration::fit(law, &points).unwrap();
                    assert!((fit.rheobase / rheobase - 1.0).abs() < 1e-9, "{fit:?}");
                    assert!(
                        (fit.chronaxie_ms / chronaxie_ms - 1.0).abs() < 1e-9,
                        "{fit:?}"
                    );
                    assert!(fit.misfit_pct < 1e-7, "{fit:?}");
                    // Twice the rheobase at the chronaxie, by definition.
                    let twice = fit.threshold(fit.chronaxie_ms) / fit.rheobase;
                    assert!((twice - 2.0).abs() < 1e-12);
                }
            }
        }
    }

    /// Least squares, seen from outside: no neighbor of a fit to thresholds that follow neither law fits better.
    #[test]
    fn fits_are_the_best_of_their_law() {
        let points = WIDTHS_MS.map(|pw_ms| (pw_ms, 0.2 * (1.0 + (0.15 / pw_ms).powf(0.8))));
        for law in [StrengthDurationLaw::Weiss, StrengthDurationLaw::Lapicque] {
            let fit = StrengthDuration::fit(law, &points).unwrap();
            let squares = |fit: &StrengthDuration| -> f64 {
                let errors = points
                    .iter()
                    .map(|(pw_ms, i)| fit.threshold(*pw_ms) / i - 1.0);
                errors.map(|error| error * error).sum()
            };
            let best = squares(&fit);
            let misfit_pct = 100.0 * (best / points.len() as f64).sqrt();
            assert!(fit.misfit_pct > 1.0 && (fit.misfit_pct - misfit_pct).abs() < 1e-12);
            for (by_rheobase, by_chronaxie) in
                [(1e-4, 0.0), (-1e-4, 0.0), (0.0, 1e-4), (0.0, -1e-4)]
            {
                let beside = StrengthDuration {
                    rheobase: fit.rheobase * (1.0 + by_rheobase),
                    chronaxie_ms: fit.chronaxie_ms * (1.0 + by_chronaxie),
                    ..fit
                };
                assert!(squares(&beside) > best, "{law:?}");
            }
        }
    }

    #[test]
    fn thresholds_that_no_law_gives_are_refused() {
        let fit = |points: &[(f64, f64)]| StrengthDuration::fit(StrengthDurationLaw::Weiss, points);
        assert_eq!(
            fit(&[(0.1, 1.0), (0.1, 1.1)]),
            Err(FitError::TooFew { found: 1 })
        );
        assert!(matches!(
            fit(&[(0.1, 1.0), (0.2, f64::NAN)]),
            Err(FitError::BadPoint { index: 1, .. })
        ));
        // Thresholds that rise with the pulse width.
        let rising = [(0.1, 1.0), (0.2, 2.0), (0.4, 3.0)];
        for law in [StrengthDurationLaw::Weiss, StrengthDurationLaw::Lapicque] {
            let found = StrengthDuration::fit(law, &rising);
            assert_eq!(found, Err(FitError::NoFit { law }), "{found:?}");
        }
    }
}
