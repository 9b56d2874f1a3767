//! Losses of one stimulus, from the logarithms of its thresholds.

use super::{Loss, Softness};
use crate::design::Goal;
use crate::design::goal::AREA_TOLERANCE;

/// Distances from thresholds, in units of the softness, at which scales are tried: at the last ones activation is 0 or 1 to
/// the last bit of a sum.
const AROUND: [f64; 17] = [
    -40.0, -10.0, -5.0, -3.0, -2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 40.0,
];

/// Thresholds whose loss is asked for.
pub(super) struct Case<'a> {
    pub(super) goal: &'a Goal,
    pub(super) thresholds: &'a [Option<f64>],
    /// Logarithms of the thresholds; of fibers without one, of the multiple that they count with.
    pub(super) ln: Vec<f64>,
    /// Area that the best allowed multiple misclassifies.
    pub(super) misclassified: f64,
    pub(super) softness: Softness,
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// `ln(1 + e^x)` without overflow.
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

impl Case<'_> {
    fn fibers(&self) -> impl Iterator<Item = (f64, bool, f64)> {
        let of = self.goal.weights().iter().zip(self.goal.targets());
        of.zip(&self.ln).map(|((w, t), ln)| (*w, *t, *ln))
    }

    pub(super) fn selective(&self) -> Loss {
        let margin = self.margin();
        if self.misclassified < AREA_TOLERANCE {
            return margin;
        }
        let area = self.area();
        let weights = self.goal.weights().iter().copied();
        let least = weights.filter(|w| *w > 0.0).fold(f64::INFINITY, f64::min);
        let share = sigmoid(margin.value);
        let slope = least * share * (1.0 - share);
        let both = area.by_ln_threshold.iter().zip(&margin.by_ln_threshold);
        Loss {
            value: 1.0 + area.value + least * share,
            by_ln_threshold: both.map(|(area, margin)| area + slope * margin).collect(),
            by_ln_largest: area.by_ln_largest,
        }
    }

    pub(super) fn margin(&self) -> Loss {
        let (last_target, by_targets) = self.smooth_max(true, 1.0);
        let (first_other, by_others) = self.smooth_max(false, -1.0);
        let both = by_targets.into_iter().zip(by_others);
        Loss {
            value: last_target + first_other,
            by_ln_threshold: both.map(|(target, other)| target - other).collect(),
            by_ln_largest: 0.0,
        }
    }

    /// Smooth maximum of `sign` times the logarithms of targets' (or others') thresholds, which is at most the largest, and
    /// its derivatives by these.
    fn smooth_max(&self, targets: bool, sign: f64) -> (f64, Vec<f64>) {
        let counted = |(w, t, ln): (f64, bool, f64)| (w > 0.0 && t == targets).then_some(sign * ln);
        let values: Vec<Option<f64>> = self.fibers().map(counted).collect();
        let largest = values.iter().flatten().copied().fold(f64::MIN, f64::max);
        let term =
            |value: &Option<f64>| value.map_or(0.0, |x| ((x - largest) / self.softness.tau).exp());
        let terms: Vec<f64> = values.iter().map(term).collect();
        let sum: f64 = terms.iter().sum();
        let count = values.iter().flatten().count() as f64;
        let derivatives = terms.iter().map(|term| term / sum).collect();
        (
            largest + self.softness.tau * (sum / count).ln(),
            derivatives,
        )
    }

    /// Weight, target and logarithm of the threshold of fibers that fire at all.
    fn firing(&self) -> impl Iterator<Item = (f64, bool, f64)> {
        let fibers = self.fibers().zip(self.thresholds);
        fibers.filter_map(|(of, threshold)| threshold.map(|_| of))
    }

    /// The soft misclassified area at the scale of this logarithm. A fiber that never fires is silent at any.
    fn area_at(&self, ln_scale: f64) -> f64 {
        let each = self.fibers().zip(self.thresholds);
        let each = each.map(|((w, t, ln), threshold)| {
            let p = match threshold {
                Some(_) => sigmoid((ln_scale - ln) / self.softness.tau),
                None => 0.0,
            };
            w * if t { 1.0 - p } else { p }
        });
        each.sum()
    }

    /// Derivative of the soft area by the logarithm of the scale, times the softness.
    fn slope_at(&self, ln_scale: f64) -> f64 {
        let each = self.firing().map(|(w, t, ln)| {
            let p = sigmoid((ln_scale - ln) / self.softness.tau);
            w * p * (1.0 - p) * if t { -1.0 } else { 1.0 }
        });
        each.sum()
    }

    pub(super) fn area(&self) -> Loss {
        let [least, largest] = self.softness.scales.map(f64::ln);
        let free = self.best_ln_scale(least, largest);
        let ln_scale = free.max(least).min(largest);
        let slope = |(w, t, ln): (f64, bool, f64)| {
            let p = sigmoid((ln_scale - ln) / self.softness.tau);
            let slope = w * p * (1.0 - p) / self.softness.tau;
            if t { slope } else { -slope }
        };
        // At a scale of no slope the loss does not depend on the scale; at the end of what is allowed it does.
        let at_end = ln_scale == largest;
        Loss {
            value: self.area_at(ln_scale),
            by_ln_threshold: self.fibers().map(slope).collect(),
            by_ln_largest: if at_end {
                self.slope_at(ln_scale) / self.softness.tau
            } else {
                0.0
            },
        }
    }

    /// The scale of the least soft area between two: the best of points around and between all thresholds, refined. They
    /// reach to where nothing fires, and all that fires at all, which may be the best that there is.
    fn best_ln_scale(&self, least: f64, largest: f64) -> f64 {
        let mut at: Vec<f64> = self
            .firing()
            .filter(|of| of.0 > 0.0)
            .map(|of| of.2)
            .collect();
        at.sort_by(f64::total_cmp);
        let between = at.windows(2).map(|pair| 0.5 * (pair[0] + pair[1]));
        let around = at
            .iter()
            .flat_map(|ln| AROUND.map(|away| ln + away * self.softness.tau));
        let ends = [least, largest].into_iter().filter(|end| end.is_finite());
        let all = between.chain(around).map(|x| x.max(least).min(largest));
        let mut points: Vec<f64> = all.chain(ends).collect();
        points.sort_by(f64::total_cmp);
        points.dedup();
        let rated = points.iter().map(|&x| self.area_at(x)).enumerate();
        let Some((best, _)) = rated.min_by(|a, b| a.1.total_cmp(&b.1)) else {
            // Nothing fires at any scale.
            return 0.0;
        };
        let neighbor = |place: usize| points[place.min(points.len() - 1)];
        let (low, high) = (neighbor(best.saturating_sub(1)), neighbor(best + 1));
        match points[best] {
            // Still falling at the end of what is allowed.
            end if end == largest && self.slope_at(end) <= 0.0 => end,
            end if end == least && self.slope_at(end) >= 0.0 => end,
            _ => self.stationary(low, high),
        }
    }

    /// The point between two at which the soft area has no slope, by bisection.
    fn stationary(&self, mut low: f64, mut high: f64) -> f64 {
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            match self.slope_at(middle) < 0.0 {
                true => low = middle,
                false => high = middle,
            }
        }
        0.5 * (low + high)
    }

    pub(super) fn wbce(&self) -> Loss {
        // -ln p and -ln(1 - p) of p = sigmoid(-L/tau).
        let each = self.fibers().map(|(w, t, ln)| {
            let x = ln / self.softness.tau;
            let (value, slope) = if t {
                (softplus(x), sigmoid(x))
            } else {
                (softplus(-x), -sigmoid(-x))
            };
            (w * value, w * slope / self.softness.tau)
        });
        let (values, slopes): (Vec<f64>, Vec<f64>) = each.unzip();
        Loss {
            value: values.into_iter().sum(),
            by_ln_threshold: slopes,
            by_ln_largest: 0.0,
        }
    }

    pub(super) fn hamming(&self) -> Loss {
        let each = self.fibers().map(|(w, t, ln)| {
            let p = sigmoid(-ln / self.softness.tau);
            let slope = w * p * (1.0 - p) / self.softness.tau;
            if t {
                (w * (1.0 - p), slope)
            } else {
                (w * p, -slope)
            }
        });
        let (values, slopes): (Vec<f64>, Vec<f64>) = each.unzip();
        Loss {
            value: values.into_iter().sum(),
            by_ln_threshold: slopes,
            by_ln_largest: 0.0,
        }
    }

    /// A loss of the areas that are active targets, targets, and active, with its derivatives by the first and the last.
    pub(super) fn overlap(&self, of: impl Fn(f64, f64, f64) -> (f64, f64, f64)) -> Loss {
        let active = |ln: f64| sigmoid(-ln / self.softness.tau);
        let sum = |area: &dyn Fn(f64, bool, f64) -> f64| -> f64 {
            self.fibers().map(|(w, t, ln)| area(w, t, ln)).sum()
        };
        let both = sum(&|w, t, ln| if t { w * active(ln) } else { 0.0 });
        let wanted = sum(&|w, t, _| if t { w } else { 0.0 });
        let all = sum(&|w, _, ln| w * active(ln));
        let (value, by_both, by_active) = of(both, wanted, all);
        let slope = |(w, t, ln): (f64, bool, f64)| {
            let p = active(ln);
            let by_p = by_active + if t { by_both } else { 0.0 };
            -w * by_p * p * (1.0 - p) / self.softness.tau
        };
        Loss {
            value,
            by_ln_threshold: self.fibers().map(slope).collect(),
            by_ln_largest: 0.0,
        }
    }
}
