//! Which fibers should fire, and how much of the nerve each of them stands for.

use std::borrow::Cow;

use axonml_core::{CoreError, Nerve};

/// Areas that differ by less are equal: sums of weights in another order are.
pub(crate) const AREA_TOLERANCE: f64 = 1e-9;

/// Largest distance of the sum of weights from 1.
const WEIGHTS_TOLERANCE: f64 = 1e-6;

/// Activations closer to 0 or 1 are moved here before their logarithm is taken.
const LEAST_ACTIVATION: f64 = 1e-7;

/// Fibers with their weights, some of which should fire and the others not.
#[derive(Clone, Debug, PartialEq)]
pub struct Goal {
    weights: Vec<f64>,
    targets: Vec<bool>,
    recruit: [f64; 2],
}

/// Activated area of a stimulus, by target and off-target fibers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// Part of the targets' area that fires, %.
    pub target_pct: f64,
    /// Part of the others' area that fires, %.
    pub offtarget_pct: f64,
    /// Area that does what it should not: targets that are silent, and others that fire.
    pub misclassified: f64,
    /// Weighted binary cross-entropy, with activations within 1e-7 of 0 and 1: `misclassified` times 16.118, but for
    /// 1e-7 of the rest.
    pub wbce: f64,
}

impl Outcome {
    /// Weighted binary cross-entropy of a misclassified area of 1.
    pub(super) const WBCE_PER_AREA: f64 = 16.118_095_650_958_32;
}

impl Goal {
    /// Weights of fibers, which sum to 1, and which of them should fire.
    ///
    /// # Errors
    /// [`CoreError`] if the counts differ, a weight is negative or not a number, they do not sum to 1 within 1e-6, or the
    /// targets have no weight, or all of it.
    pub fn new(weights: Vec<f64>, targets: Vec<bool>) -> Result<Self, CoreError> {
        if weights.len() != targets.len() {
            return Err(CoreError::Shape {
                what: "the targets".into(),
                expected: format!("{}, one per weight", weights.len()),
                found: targets.len().to_string(),
            });
        }
        let bad = |what: String, found: f64, expected: &str| CoreError::BadValue {
            what,
            found: found.to_string(),
            expected: expected.into(),
        };
        let mut each = weights.iter().enumerate();
        if let Some((fiber, weight)) = each.find(|(_, w)| !(w.is_finite() && **w >= 0.0)) {
            let what = format!("the weight of fiber {fiber}");
            return Err(bad(what, *weight, "a finite number of 0 or more"));
        }
        let sum: f64 = weights.iter().sum();
        if (sum - 1.0).abs() > WEIGHTS_TOLERANCE {
            return Err(bad("the sum of the weights".into(), sum, "1 within 1e-6"));
        }
        let goal = Goal {
            weights,
            targets,
            recruit: [1.0, 1.0],
        };
        let wanted = goal.area(|fiber| goal.targets[fiber]);
        let unwanted = goal.area(|fiber| !goal.targets[fiber]);
        if wanted <= 0.0 || unwanted <= 0.0 {
            let expected = "targets that are a part of the nerve: some fibers that should fire, and some that should not";
            return Err(bad("the weight of the targets".into(), wanted, expected));
        }
        Ok(goal)
    }

    /// The weights and targets of a nerve, each of whose fibers is simulated `copies` times, one after the other, and
    /// shares its weight among them.
    ///
    /// # Errors
    /// As [`Goal::new`]; also if the nerve names no targets, or there are no copies.
    pub fn of_nerve(nerve: &Nerve, copies: usize) -> Result<Self, CoreError> {
        let bad = |what: String, found: &str, expected: &str| CoreError::BadValue {
            what,
            found: found.into(),
            expected: expected.into(),
        };
        let Some(targets) = nerve.target() else {
            let what = format!("the targets of nerve {}", nerve.name());
            let expected =
                "which fibers should fire: target.npy in its folder, or targets of your own";
            return Err(bad(what, "none", expected));
        };
        if copies == 0 {
            return Err(bad("the copies of a fiber".into(), "0", "at least one"));
        }
        let shares = nerve.weights().iter().map(|weight| weight / copies as f64);
        let repeated = shares.flat_map(|share| std::iter::repeat_n(share, copies));
        let of_copies = targets
            .iter()
            .flat_map(|&target| std::iter::repeat_n(target, copies));
        Goal::new(repeated.collect(), of_copies.collect())
    }

    /// The goal of activating a part of the targets' area within `[least, largest]`, fractions of it, whichever fibers
    /// they are; `[1, 1]` is all of them.
    ///
    /// # Errors
    /// [`CoreError`] if the fractions are not `0 < least <= largest <= 1`.
    pub fn with_recruitment(self, [least, largest]: [f64; 2]) -> Result<Self, CoreError> {
        match least > 0.0 && least <= largest && largest <= 1.0 {
            true => Ok(Goal {
                recruit: [least, largest],
                ..self
            }),
            false => Err(CoreError::BadValue {
                what: "the part of the targets' area to activate".into(),
                found: format!("{least} to {largest}"),
                expected: "fractions above 0, the least first, 1 at most".into(),
            }),
        }
    }

    /// The goal of serving `copies` of the same fibers at once, which follow the fibers themselves; these do not count. Areas
    /// are means over copies, and the separation is the range of amplitudes that serves all of them.
    ///
    /// # Errors
    /// [`CoreError`] if there are no copies, or only a part of the targets' area is wanted, which areas over copies do
    /// not tell.
    pub fn over_copies(&self, copies: usize) -> Result<Self, CoreError> {
        if copies == 0 || self.recruit != [1.0, 1.0] {
            return Err(CoreError::BadValue {
                what: "a goal over copies".into(),
                found: format!("{copies} copies, a part of {:?}", self.recruit),
                expected: "one copy or more, and all targets".into(),
            });
        }
        let share = 1.0 / copies as f64;
        let themselves = std::iter::repeat_n(0.0, self.fibers());
        let shares = self.weights.iter().map(|weight| weight * share);
        let of_copies = std::iter::repeat_n(shares, copies).flatten();
        Ok(Goal {
            weights: themselves.chain(of_copies).collect(),
            targets: self.targets.repeat(copies + 1),
            recruit: self.recruit,
        })
    }

    /// The part of the targets' area that should fire, least and largest.
    pub fn recruitment(&self) -> [f64; 2] {
        self.recruit
    }

    /// The goal as fixed sets of fibers, for a stimulus with these thresholds: of the targets, those that fire first make
    /// up the area that is wanted, and the ones that would exceed it should not fire. Fibers that may or may not fire
    /// have no weight.
    pub(super) fn fixed(&self, thresholds: &[Option<f64>]) -> Cow<'_, Goal> {
        if self.recruit == [1.0, 1.0] {
            return Cow::Borrowed(self);
        }
        let of = |fiber: &usize| thresholds[*fiber].unwrap_or(f64::INFINITY);
        let mut first: Vec<usize> = (0..self.fibers())
            .filter(|fiber| self.targets[*fiber] && self.weights[*fiber] > 0.0)
            .collect();
        first.sort_by(|a, b| of(a).total_cmp(&of(b)));
        let all: f64 = first.iter().map(|fiber| self.weights[*fiber]).sum();
        let [least, largest] = self.recruit.map(|part| part * all);
        let mut fixed = self.clone();
        fixed.recruit = [1.0, 1.0];
        let mut area = 0.0;
        for fiber in first {
            let with = area + self.weights[fiber];
            let wanted = area < least - AREA_TOLERANCE
                && (with <= largest + AREA_TOLERANCE
                    || with - largest <= least - area + AREA_TOLERANCE);
            if wanted {
                area = with;
            } else if with <= largest + AREA_TOLERANCE {
                fixed.weights[fiber] = 0.0;
                area = with;
            } else {
                fixed.targets[fiber] = false;
                // No later fiber fits either.
                area = f64::INFINITY;
            }
        }
        Cow::Owned(fixed)
    }

    /// Number of fibers.
    pub fn fibers(&self) -> usize {
        self.weights.len()
    }

    /// Share of the nerve that each fiber stands for.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// Which fibers should fire.
    pub fn targets(&self) -> &[bool] {
        &self.targets
    }

    /// Weight of the fibers for which `is` holds.
    fn area(&self, is: impl Fn(usize) -> bool) -> f64 {
        let weights = self.weights.iter().enumerate();
        let own = weights.filter(|(fiber, _)| is(*fiber));
        own.fold(0.0, |sum, (_, weight)| sum + weight)
    }

    /// Area that does what it should not where these fibers fire: others that fire, and what the targets' active area
    /// lacks, or has too much.
    ///
    /// # Panics
    /// If there are fewer than [`Goal::fibers`].
    pub fn misclassified(&self, active: &[bool]) -> f64 {
        if self.recruit == [1.0, 1.0] {
            return self.area(|fiber| active[fiber] != self.targets[fiber]);
        }
        let all = self.area(|fiber| self.targets[fiber]);
        let fires = self.area(|fiber| self.targets[fiber] && active[fiber]);
        let [least, largest] = self.recruit.map(|part| part * all);
        let off = self.area(|fiber| !self.targets[fiber] && active[fiber]);
        off + (least - fires).max(fires - largest).max(0.0)
    }

    /// The outcome of a stimulus that fires these fibers.
    ///
    /// # Panics
    /// If there are fewer than [`Goal::fibers`].
    pub fn outcome(&self, active: &[bool]) -> Outcome {
        let percent = |is_target: bool| {
            let all = self.area(|fiber| self.targets[fiber] == is_target);
            100.0 * self.area(|fiber| active[fiber] && self.targets[fiber] == is_target) / all
        };
        let misclassified = self.misclassified(active);
        let (wrong, right) = (-LEAST_ACTIVATION.ln(), -(1.0 - LEAST_ACTIVATION).ln());
        Outcome {
            target_pct: percent(true),
            offtarget_pct: percent(false),
            misclassified,
            wbce: misclassified * wrong + (1.0 - misclassified) * right,
        }
    }

    /// Which fibers fire at `scale` times the stimulus whose thresholds these are; `None` of fibers that never do.
    pub fn active_at(&self, thresholds: &[Option<f64>], scale: f64) -> Vec<bool> {
        let fires = |threshold: &Option<f64>| threshold.is_some_and(|least| least <= scale);
        thresholds.iter().map(fires).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Worked by hand: of the targets (0.1, 0.3) the second fires, of the others (0.2, 0.4) the first.
    #[test]
    fn percentages_are_those_of_areas() {
        let goal = Goal::new(vec![0.1, 0.2, 0.3, 0.4], vec![true, false, true, false]).unwrap();
        let outcome = goal.outcome(&[false, true, true, false]);
        assert!((outcome.target_pct - 75.0).abs() < 1e-12);
        assert!((outcome.offtarget_pct - 100.0 / 3.0).abs() < 1e-12);
        assert!((outcome.misclassified - 0.3).abs() < 1e-12);
        // -ln 1e-7 = 16.11809565..., and -ln(1 - 1e-7) = 1.00000005e-7.
        let expected = 0.3 * 16.118_095_650_958_32 + 0.7 * 1.000_000_05e-7;
        assert!((outcome.wbce - expected).abs() < 1e-12, "{}", outcome.wbce);
        let right = goal.outcome(&[true, false, true, false]);
        assert_eq!(
            (right.target_pct, right.offtarget_pct, right.misclassified),
            (100.0, 0.0, 0.0)
        );
    }

    /// Half of an area of 0.5: of targets of 0.2, 0.2 and 0.1 the first and the third (0.3) are closer than the first
    /// alone (0.2 lacks 0.05, 0.3 has 0.05 too much: the area is reached first).
    #[test]
    fn a_part_of_the_targets_is_those_that_fire_first() {
        let goal = Goal::new(vec![0.2, 0.2, 0.1, 0.5], vec![true, true, true, false])
            .unwrap()
            .with_recruitment([0.5, 0.5])
            .unwrap();
        let thresholds = [Some(1.0), Some(3.0), Some(2.0), Some(4.0)];
        let fixed = goal.fixed(&thresholds);
        assert_eq!(fixed.targets, [true, false, true, false]);
        assert!((goal.misclassified(&[true, false, true, false]) - 0.05).abs() < 1e-12);
        assert!((goal.misclassified(&[true, false, false, false]) - 0.05).abs() < 1e-12);
        assert!((goal.misclassified(&[true, true, false, true]) - 0.65).abs() < 1e-12);
        // From 40 % to 80 %: the first must fire, the third and the second may or must not.
        let wide = goal.with_recruitment([0.4, 0.8]).unwrap();
        let fixed = wide.fixed(&thresholds);
        assert_eq!(fixed.targets, [true, false, true, false]);
        assert_eq!(fixed.weights[2], 0.0);
        assert_eq!(wide.misclassified(&[true, false, true, false]), 0.0);
        for wrong in [[0.0, 1.0], [0.6, 0.5], [0.5, 1.1], [f64::NAN, 1.0]] {
            assert!(wide.clone().with_recruitment(wrong).is_err(), "{wrong:?}");
        }
    }

    /// Two copies, of which one fires what it should and the other what the fibers themselves do: a half of the area that
    /// these misclassify. The separation is that of the worst: the last target of all, 3, and the first other one, 2.
    #[test]
    fn copies_are_served_on_average() {
        let goal = Goal::new(vec![0.1, 0.2, 0.3, 0.4], vec![true, false, true, false]).unwrap();
        let over = goal.over_copies(2).unwrap();
        let itself = [false, true, true, false];
        let right = [true, false, true, false];
        let active = [itself, right, itself].concat();
        assert!((over.misclassified(&active) - 0.15).abs() < 1e-12);
        let thresholds = [
            [Some(9.0), Some(0.1), None, None],
            [Some(1.0), Some(4.0), Some(1.0), None],
            [Some(3.0), Some(2.0), Some(1.0), None],
        ];
        let separation = over.separation(&thresholds.concat());
        assert!((separation - 2.0 / 3.0).abs() < 1e-12, "{separation}");
        assert!(goal.over_copies(0).is_err());
        let half = goal.with_recruitment([0.5, 0.5]).unwrap();
        assert!(half.over_copies(2).is_err());
    }

    #[test]
    fn goals_that_cannot_be_met_or_missed_are_refused() {
        let refused = |weights: &[f64], targets: &[bool]| {
            Goal::new(weights.to_vec(), targets.to_vec())
                .unwrap_err()
                .to_string()
        };
        let some = [true, false];
        assert!(refused(&[0.5, 0.4], &some).contains("sum of the weights"));
        assert!(refused(&[1.5, -0.5], &some).contains("weight of fiber 1"));
        assert!(refused(&[f64::NAN, 1.0], &some).contains("weight of fiber 0"));
        assert!(refused(&[0.5, 0.5], &[true]).contains("targets"));
        assert!(refused(&[0.5, 0.5], &[true, true]).contains("some that should not"));
        assert!(refused(&[1.0, 0.0], &[false, true]).contains("some fibers that should fire"));
    }
}
