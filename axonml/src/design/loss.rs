//! Losses on thresholds, with their derivatives: what descents lower.
//!
//! A threshold enters by its logarithm `L`, so that losses are as steep for weak stimuli as for strong ones, and the
//! derivative of `L` by a current is what [`Basis::threshold_gradients`](crate::population::Basis::threshold_gradients)
//! gives. [`Objective::Selective`], [`Objective::Margin`] and [`Objective::Area`] do not depend on the strength of the
//! stimulus; the others are those of the stimulus as delivered.

use super::Goal;
use super::scale::AREA_TOLERANCE;

impl Objective {
    /// Whether it is the same for all multiples of a stimulus.
    pub fn is_scale_free(self) -> bool {
        matches!(
            self,
            Objective::Selective | Objective::Margin | Objective::Area
        )
    }
}

/// Losses of a stimulus on its thresholds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Objective {
    /// Where the best scale misclassifies fibers: 1, the soft area, and a share of the margin that never outweighs the fiber
    /// of the least weight. Where it misclassifies none: the margin.
    Selective,
    /// Smooth maximum of `L` over targets less its smooth minimum over the others: minus the logarithm of the
    /// [separation](Goal::separation), and less by no more than the softness times the logarithms of their numbers.
    Margin,
    /// Misclassified area at the best scale, with activation `sigmoid((ln s - L)/softness)` at scale `s`.
    Area,
    /// Weighted binary cross-entropy of the activation as delivered, `sigmoid(-L/softness)`.
    Wbce,
    /// 1 less the weighted Jaccard index of activation and targets.
    Jaccard,
    /// 1 less the weighted Dice coefficient of activation and targets.
    Dice,
    /// Weighted sum of the distances of activations from targets.
    Hamming,
}

/// A loss and its derivatives.
#[derive(Clone, Debug, PartialEq)]
pub struct Loss {
    /// The loss.
    pub value: f64,
    /// Derivative by the logarithm of each fiber's threshold; 0 for fibers without one.
    pub by_ln_threshold: Vec<f64>,
}

/// Softness of losses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Softness {
    /// Width of the transition from silent to active, as a difference of logarithms of thresholds.
    pub tau: f64,
    /// Multiple of the stimulus that fibers without a threshold count with: the largest that was tried.
    pub silent_from: f64,
}

impl Objective {
    /// The loss of a stimulus whose thresholds are these multiples of it, one per fiber; `None` of fibers that never fire.
    ///
    /// # Panics
    /// If there is not one threshold per fiber of the goal.
    pub fn loss(self, goal: &Goal, thresholds: &[Option<f64>], softness: Softness) -> Loss {
        assert_eq!(thresholds.len(), goal.fibers(), "one threshold per fiber");
        let case = Case {
            goal,
            thresholds,
            ln: thresholds
                .iter()
                .map(|threshold| threshold.unwrap_or(softness.silent_from).ln())
                .collect(),
            softness,
        };
        let mut loss = match self {
            Objective::Selective => case.selective(),
            Objective::Margin => case.margin(),
            Objective::Area => case.area(),
            Objective::Wbce => case.wbce(),
            Objective::Jaccard => case.overlap(|both, wanted, active| {
                let either = wanted + active - both;
                let share = both / either;
                // By both, and by what is active.
                (1.0 - share, -(1.0 + share) / either, share / either)
            }),
            Objective::Dice => case.overlap(|both, wanted, active| {
                let share = 2.0 * both / (wanted + active);
                let sum = wanted + active;
                (1.0 - share, -2.0 / sum, share / sum)
            }),
            Objective::Hamming => case.hamming(),
        };
        // The threshold of a fiber without one is a lower bound that no current moves.
        let fibers = loss.by_ln_threshold.iter_mut().zip(thresholds);
        let silent = fibers.filter(|(_, threshold)| threshold.is_none());
        silent.for_each(|(derivative, _)| *derivative = 0.0);
        loss
    }
}

/// Distances from thresholds, in units of the softness, at which scales are tried: at the last ones activation is 0 or 1 to
/// the last bit of a sum.
const AROUND: [f64; 17] = [
    -40.0, -10.0, -5.0, -3.0, -2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 40.0,
];

/// Thresholds whose loss is asked for.
struct Case<'a> {
    goal: &'a Goal,
    thresholds: &'a [Option<f64>],
    /// Logarithms of the thresholds; of fibers without one, of the multiple that they count with.
    ln: Vec<f64>,
    softness: Softness,
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

    fn selective(&self) -> Loss {
        let margin = self.margin();
        let best = self
            .goal
            .best_scale(self.thresholds, self.softness.silent_from);
        if best.misclassified < AREA_TOLERANCE {
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
        }
    }

    fn margin(&self) -> Loss {
        let (last_target, by_targets) = self.smooth_max(true, 1.0);
        let (first_other, by_others) = self.smooth_max(false, -1.0);
        let both = by_targets.into_iter().zip(by_others);
        Loss {
            value: last_target + first_other,
            by_ln_threshold: both.map(|(target, other)| target - other).collect(),
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

    fn area(&self) -> Loss {
        let ln_scale = self.best_ln_scale();
        let slope = |(w, t, ln): (f64, bool, f64)| {
            let p = sigmoid((ln_scale - ln) / self.softness.tau);
            let slope = w * p * (1.0 - p) / self.softness.tau;
            if t { slope } else { -slope }
        };
        // At the best scale the loss does not depend on the scale.
        Loss {
            value: self.area_at(ln_scale),
            by_ln_threshold: self.fibers().map(slope).collect(),
        }
    }

    /// The scale of the least soft area: the best of points around and between all thresholds, refined. They reach to where
    /// nothing fires, and all that fires at all, which may be the best that there is.
    fn best_ln_scale(&self) -> f64 {
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
        let mut points: Vec<f64> = between.chain(around).collect();
        points.sort_by(f64::total_cmp);
        let rated = points.iter().map(|&x| self.area_at(x)).enumerate();
        let Some((best, _)) = rated.min_by(|a, b| a.1.total_cmp(&b.1)) else {
            // Nothing fires at any scale.
            return 0.0;
        };
        let neighbor = |place: usize| points[place.min(points.len() - 1)];
        self.stationary(neighbor(best.saturating_sub(1)), neighbor(best + 1))
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

    fn wbce(&self) -> Loss {
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
        }
    }

    fn hamming(&self) -> Loss {
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
        }
    }

    /// A loss of the areas that are active targets, targets, and active, with its derivatives by the first and the last.
    fn overlap(&self, of: impl Fn(f64, f64, f64) -> (f64, f64, f64)) -> Loss {
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
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [Objective; 7] = [
        Objective::Selective,
        Objective::Margin,
        Objective::Area,
        Objective::Wbce,
        Objective::Jaccard,
        Objective::Dice,
        Objective::Hamming,
    ];

    fn goal() -> Goal {
        Goal::new(
            vec![0.1, 0.2, 0.3, 0.25, 0.15],
            vec![true, false, true, false, false],
        )
        .unwrap()
    }

    fn softness(tau: f64) -> Softness {
        Softness {
            tau,
            silent_from: 20.0,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn derivatives_are_those_of_differences(
            ln in prop::array::uniform5(-2.0..2.0_f64),
            tau in 0.2..1.0_f64,
        ) {
            let at = |ln: &[f64; 5], objective: Objective| {
                let thresholds = ln.map(|x| Some(x.exp()));
                objective.loss(&goal(), &thresholds, softness(tau))
            };
            const STEP: f64 = 1e-5;
            for objective in ALL {
                let loss = at(&ln, objective);
                let largest = loss.by_ln_threshold.iter().fold(1e-3_f64, |most, x| most.max(x.abs()));
                for fiber in 0..5 {
                    let moved = |by: f64| {
                        let mut moved = ln;
                        moved[fiber] += by;
                        at(&moved, objective).value
                    };
                    // Two scales may be equally good: there the loss has a kink.
                    let (up, down) = (moved(STEP) - loss.value, loss.value - moved(-STEP));
                    if (up - down).abs() > 1e-3 * STEP * largest.max(1.0) {
                        continue;
                    }
                    let difference = (up + down) / (2.0 * STEP);
                    let error = (difference - loss.by_ln_threshold[fiber]).abs();
                    prop_assert!(error < 1e-5 * largest, "{objective:?}, fiber {fiber}: {error:e} of {largest}");
                }
            }
        }

        /// Scale-free losses stay the same when the stimulus is made stronger.
        #[test]
        fn strength_does_not_matter_to_losses_at_the_best_scale(
            ln in prop::array::uniform5(-2.0..2.0_f64),
            by in -1.0..1.0_f64,
        ) {
            for objective in [Objective::Selective, Objective::Margin, Objective::Area] {
                let value = |by: f64| {
                    let thresholds = ln.map(|x| Some((x + by).exp()));
                    objective.loss(&goal(), &thresholds, softness(0.1)).value
                };
                prop_assert!((value(by) - value(0.0)).abs() < 1e-9, "{objective:?}");
            }
        }
    }

    /// Where transitions are sharp, losses are those of activation: thresholds 2 and 4 of the targets, 3, 9 and none.
    #[test]
    fn sharp_losses_are_those_of_activation() {
        let thresholds = [Some(2.0), Some(3.0), Some(4.0), Some(9.0), None];
        let value =
            |objective: Objective| objective.loss(&goal(), &thresholds, softness(1e-3)).value;
        let below = (4.0_f64 / 3.0).ln() - value(Objective::Margin);
        // Two targets and three others; of smooth means of n numbers one outweighs by 1/n.
        assert!((below - 1e-3 * 6.0_f64.ln()).abs() < 1e-9, "{below}");
        assert!(
            (value(Objective::Area) - goal().best_scale(&thresholds, 20.0).misclassified).abs()
                < 1e-9
        );
        // As delivered nothing fires.
        assert!((value(Objective::Hamming) - 0.4).abs() < 1e-9);
        assert!((value(Objective::Jaccard) - 1.0).abs() < 1e-9);
        // At five times: both targets (0.4) and the other of 0.2. Jaccard 0.4/0.6, Dice 0.8/1.0.
        let delivered = thresholds.map(|threshold| threshold.map(|x| x / 5.0));
        let value =
            |objective: Objective| objective.loss(&goal(), &delivered, softness(1e-3)).value;
        assert!((value(Objective::Hamming) - 0.2).abs() < 1e-9);
        assert!((value(Objective::Jaccard) - 1.0 / 3.0).abs() < 1e-9);
        assert!((value(Objective::Dice) - 0.2).abs() < 1e-9);
    }

    #[test]
    fn no_current_moves_a_fiber_without_a_threshold() {
        let thresholds = [Some(2.0), Some(3.0), None, Some(9.0), None];
        for objective in ALL {
            let loss = objective.loss(&goal(), &thresholds, softness(0.3));
            assert!(loss.value.is_finite());
            assert_eq!(
                (loss.by_ln_threshold[2], loss.by_ln_threshold[4]),
                (0.0, 0.0)
            );
        }
    }

    /// Of two equal targets one never fires, whatever the scale: the area is that of the other's best.
    #[test]
    fn a_target_that_never_fires_is_not_activated_by_a_large_scale() {
        let goal = Goal::new(vec![0.3, 0.3, 0.2, 0.2], vec![true, true, false, false]).unwrap();
        let thresholds = [Some(1.0), None, Some(0.9), Some(2.0)];
        for tau in [0.2, 0.02] {
            let loss = Objective::Area.loss(&goal, &thresholds, softness(tau));
            assert!(loss.value > 0.49, "{}", loss.value);
            let (target, other) = (loss.by_ln_threshold[0], loss.by_ln_threshold[2]);
            assert!(target > 0.0 && other < 0.0, "{target} {other}");
        }
        let sharp = Objective::Area
            .loss(&goal, &thresholds, softness(1e-3))
            .value;
        assert!((sharp - 0.5).abs() < 1e-9, "{sharp}");
    }

    /// However soft, a stimulus that misclassifies nothing has a lower loss than one that does.
    #[test]
    fn selective_knows_a_perfect_stimulus_among_many_fibers() {
        let targets: Vec<bool> = (0..100).map(|fiber| fiber < 50).collect();
        let goal = Goal::new(vec![0.01; 100], targets).unwrap();
        let loss = |first: f64| {
            let of = |fiber: usize| match fiber {
                0 => first,
                fiber if fiber < 50 => 1.0,
                _ => 1.05,
            };
            let thresholds: Vec<Option<f64>> = (0..100).map(|fiber| Some(of(fiber))).collect();
            Objective::Selective
                .loss(&goal, &thresholds, softness(0.2))
                .value
        };
        assert!(
            loss(1.0) < 0.0 && loss(1.1) > 1.0,
            "{} {}",
            loss(1.0),
            loss(1.1)
        );
    }

    /// However large the margin, it is worth less than the area of the smallest fiber.
    #[test]
    fn selective_puts_area_before_separation() {
        let goal = goal();
        let value = |thresholds: [f64; 5]| {
            Objective::Selective
                .loss(&goal, &thresholds.map(Some), softness(0.01))
                .value
        };
        let narrow = value([1.0, 1.2, 1.0, 1.2, 1.2]);
        let wide = value([1.0, 9.0, 1.0, 9.0, 9.0]);
        let misses_one = value([9.5, 9.0, 1.0, 9.0, 9.0]);
        assert!(
            wide < narrow && narrow < misses_one,
            "{wide} {narrow} {misses_one}"
        );
    }
}
