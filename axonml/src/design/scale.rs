//! The multiples of a stimulus at which it serves a goal, from the thresholds of its fibers.

use super::Goal;
use super::goal::AREA_TOLERANCE;

/// Multiple of the last threshold, or part of the first one, at which a stimulus is delivered whose window is unbounded.
const BEYOND: f64 = 1.1;

/// Ratio of the ends of the range in which an amplitude may be that is delivered: no stimulator holds it better than to a
/// percent, and thresholds of searches are known to a thousandth.
const HELD_RATIO: f64 = 1.01;

/// The best multiple of a stimulus.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// The multiple: the geometric middle of the allowed part of its window, or 1.1 times the lower end of one that is
    /// unbounded above, if that is allowed.
    pub scale: f64,
    /// Multiples between which the same fibers fire; from the first that activates the last of them up to the first that
    /// activates another one (infinite if none does). 0 below the first threshold.
    pub window: [f64; 2],
    /// Area that does what it should not; in a window narrower than 1 % of a goal that wants a part of the targets, the most
    /// within 1 %.
    pub misclassified: f64,
}

impl Goal {
    /// The least threshold of fibers that should not fire over the largest of those that should: above 1 there is a range
    /// of amplitudes of this ratio that activates all targets and nothing else. Infinite if no other fiber ever fires, 0
    /// if a target never does.
    ///
    /// `thresholds` are multiples of the stimulus, one per fiber; `None` of fibers that never fire. Fibers without weight
    /// do not count.
    pub fn separation(&self, thresholds: &[Option<f64>]) -> f64 {
        let [last_target, first_other] = self.target_window(thresholds);
        match last_target.is_finite() {
            true => first_other / last_target,
            false => 0.0,
        }
    }

    /// The largest threshold of a target and the least one of another fiber.
    pub fn target_window(&self, thresholds: &[Option<f64>]) -> [f64; 2] {
        let goal = self.fixed(thresholds);
        let (mut last_target, mut first_other) = (0.0_f64, f64::INFINITY);
        let fibers = goal.targets().iter().zip(goal.weights()).zip(thresholds);
        for ((is_target, weight), threshold) in fibers {
            let least = threshold.unwrap_or(f64::INFINITY);
            match is_target {
                _ if *weight == 0.0 => {}
                true => last_target = last_target.max(least),
                false => first_other = first_other.min(least),
            }
        }
        [last_target, first_other]
    }

    /// The multiple of a stimulus that serves the goal best, of those in `allowed` (least and largest): with the least
    /// misclassified area, among equals the one whose window is the widest. Windows narrower than 1 % do not count beside
    /// wider ones; where a part of the targets is wanted, whose thresholds are close to each other as a rule, they count as
    /// the worst within 1 %.
    pub fn best_scale(&self, thresholds: &[Option<f64>], allowed: [f64; 2]) -> Scale {
        self.best_scale_held(thresholds, allowed, HELD_RATIO)
    }

    /// The least misclassified area of any multiple in `allowed`, however narrow its window is.
    pub(super) fn least_area(&self, thresholds: &[Option<f64>], allowed: [f64; 2]) -> f64 {
        let best = self.best_scale_held(thresholds, allowed, 1.0);
        best.misclassified
    }

    fn best_scale_held(
        &self,
        thresholds: &[Option<f64>],
        allowed: [f64; 2],
        held_ratio: f64,
    ) -> Scale {
        let fibers = thresholds.iter().zip(self.weights());
        let counted = fibers.filter(|(_, weight)| **weight > 0.0);
        let mut edges: Vec<f64> = counted.filter_map(|(threshold, _)| *threshold).collect();
        edges.sort_by(f64::total_cmp);
        edges.dedup();
        let uppers = edges.iter().copied().chain([f64::INFINITY]);
        let lowers = [0.0].into_iter().chain(edges.iter().copied());
        let windows = lowers.zip(uppers);
        let [least, largest] = [allowed[0], allowed[1].max(allowed[0])];
        let reached = windows.filter(|(lower, upper)| *lower <= largest && *upper > least);
        let scales = reached.map(|(lower, upper)| {
            let inner = [lower.max(least), upper.min(largest)];
            let scale = match lower > 0.0 && upper.is_finite() {
                true => (inner[0] * inner[1]).sqrt(),
                false => beside(lower, upper).clamp(inner[0], inner[1]),
            };
            Scale {
                // Of neighboring numbers the mean is one of the two.
                scale: if scale < upper { scale } else { inner[0] },
                window: [lower, upper],
                misclassified: self.misclassified(&self.active_at(thresholds, inner[0])),
            }
        });
        let scales: Vec<Scale> = scales.collect();
        let is_wide = |scale: &Scale| scale.window[0] * held_ratio <= scale.window[1];
        let better = |best: Scale, next: Scale| if next.is_better(&best) { next } else { best };
        let wide = scales.iter().copied().filter(is_wide);
        // One multiple alone, or none that is held.
        let narrow = || scales.iter().copied().reduce(better);
        let best = match self.recruitment() == [1.0, 1.0] || least == largest {
            true => wide.reduce(better).or_else(narrow),
            false => {
                let held = scales.iter().map(|scale| match is_wide(scale) {
                    true => *scale,
                    false => scale.worst_within(held_ratio, &scales),
                });
                held.reduce(better)
            }
        };
        best.unwrap_or_else(|| unreachable!("some window holds what is allowed"))
    }
}

/// A number that the best multiple of a stimulus moves with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum End {
    /// The threshold of this value.
    Threshold(f64),
    /// The largest multiple that is allowed.
    Largest,
}

impl Scale {
    /// The numbers that the multiple moves with, of those in `allowed`, each with its share: the logarithm of the multiple
    /// is the sum of theirs times these, and a constant.
    pub(super) fn moves_with(&self, [least, largest]: [f64; 2]) -> Vec<(End, f64)> {
        let [lower, upper] = self.window;
        let is_between = lower > 0.0 && upper.is_finite();
        match () {
            // The one multiple that is allowed.
            () if least == largest => vec![(End::Largest, 1.0)],
            () if is_between => {
                let below = (lower >= least).then_some((End::Threshold(lower), 0.5));
                let above = match upper <= largest {
                    true => End::Threshold(upper),
                    false => End::Largest,
                };
                below.into_iter().chain([(above, 0.5)]).collect()
            }
            () if self.scale == largest => vec![(End::Largest, 1.0)],
            () if self.scale == least => Vec::new(),
            () if lower > 0.0 => vec![(End::Threshold(lower), 1.0)],
            () if upper.is_finite() => vec![(End::Threshold(upper), 1.0)],
            () => Vec::new(),
        }
    }

    /// The same with the most area that is misclassified within this ratio about its multiple.
    fn worst_within(self, ratio: f64, all: &[Scale]) -> Scale {
        let [low, high] = [self.scale / ratio.sqrt(), self.scale * ratio.sqrt()];
        let about = all
            .iter()
            .filter(|other| other.window[0] < high && other.window[1] > low);
        let areas = about.map(|other| other.misclassified);
        Scale {
            misclassified: areas.fold(self.misclassified, f64::max),
            ..self
        }
    }

    fn is_better(&self, other: &Scale) -> bool {
        match self.misclassified - other.misclassified {
            less if less < -AREA_TOLERANCE => true,
            more if more > AREA_TOLERANCE => false,
            _ => self.width() > other.width(),
        }
    }

    /// Ratio of the ends of the window; 1 below the first threshold, where nothing fires.
    fn width(&self) -> f64 {
        match self.window {
            [0.0, _] => 1.0,
            [lower, upper] => upper / lower,
        }
    }
}

/// The multiple in a window that is open at an end.
fn beside(lower: f64, upper: f64) -> f64 {
    match (lower > 0.0, upper.is_finite()) {
        (true, _) => lower * BEYOND,
        (false, true) => upper / BEYOND,
        (false, false) => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn goal() -> Goal {
        Goal::new(vec![0.1, 0.2, 0.3, 0.4], vec![true, false, true, false]).unwrap()
    }

    #[test]
    fn a_window_that_separates_is_taken_in_its_middle() {
        let thresholds = [Some(1.0), Some(8.0), Some(2.0), None];
        assert_eq!(goal().separation(&thresholds), 4.0);
        let best = goal().best_scale(&thresholds, [0.0, 20.0]);
        assert_eq!(
            (best.scale, best.window, best.misclassified),
            (4.0, [2.0, 8.0], 0.0)
        );
    }

    /// Worked by hand: below 1 nothing fires, 0.4; from 1 on the other of 0.2, 0.6; from 2 on both targets too, 0.2;
    /// from 3 on all, 0.6.
    #[test]
    fn where_none_separates_the_least_area_decides() {
        let thresholds = [Some(2.0), Some(1.0), Some(2.0), Some(3.0)];
        assert_eq!(goal().separation(&thresholds), 0.5);
        let best = goal().best_scale(&thresholds, [0.0, 20.0]);
        assert_eq!(best.window, [2.0, 3.0]);
        assert!((best.misclassified - 0.2).abs() < 1e-12);
    }

    /// Between 2 and 2.01 only the targets fire, between 1 and 2 one of them (0.3 is missed), from 2.01 on all (0.2 + 0.4).
    #[test]
    fn a_window_that_no_stimulator_holds_does_not_count() {
        let thresholds = [Some(1.0), Some(2.01), Some(2.0), Some(2.01)];
        let best = goal().best_scale(&thresholds, [0.0, 20.0]);
        assert_eq!(best.window, [1.0, 2.0]);
        assert!((best.misclassified - 0.3).abs() < 1e-12);
        assert_eq!(goal().least_area(&thresholds, [0.0, 20.0]), 0.0);
        // What is delivered as it is has one window.
        let best = goal().best_scale(&thresholds, [2.005, 2.005]);
        assert_eq!((best.window, best.misclassified), ([2.0, 2.01], 0.0));
    }

    /// A hundred targets whose thresholds are half a percent apart: half of them can be recruited all the same, to one or two
    /// fibers more or less.
    #[test]
    fn levels_between_close_thresholds_can_be_had() {
        let weights = [vec![0.0078125; 100], vec![0.21875]].concat();
        let wanted = [vec![true; 100], vec![false]].concat();
        let goal = Goal::new(weights, wanted).unwrap();
        let goal = goal.with_recruitment([0.5, 0.5]).unwrap();
        let mut thresholds: Vec<Option<f64>> = (0..100).map(|k| Some(1.005_f64.powi(k))).collect();
        thresholds.push(Some(10.0));
        let best = goal.best_scale(&thresholds, [0.0, 20.0]);
        let active = goal.active_at(&thresholds, best.scale);
        let count = active.iter().filter(|active| **active).count();
        assert!((48..=52).contains(&count), "{count} {best:?}");
        assert!(best.misclassified <= 0.02, "{count} {best:?}");
    }

    #[test]
    fn fibers_that_never_fire_leave_windows_open() {
        let silent = [Some(1.0), None, Some(2.0), None];
        assert_eq!(goal().separation(&silent), f64::INFINITY);
        // Nothing is known beyond what was tried.
        assert_eq!(goal().best_scale(&silent, [0.0, 2.1]).scale, 2.1);
        assert_eq!(goal().best_scale(&silent, [0.0, 20.0]).scale, 2.2);
        let lost = [None, Some(1.0), Some(2.0), None];
        assert_eq!(goal().separation(&lost), 0.0);
        let nothing = goal().best_scale(&[None; 4], [0.0, 20.0]);
        assert_eq!((nothing.scale, nothing.window), (1.0, [0.0, f64::INFINITY]));
    }

    /// Thresholds 1 (other), 2, 2 (targets), 3 (other): up to 1.5 only the other of 0.2 fires, which is worse than none;
    /// up to 2.5 the window of the targets is cut.
    #[test]
    fn what_is_not_allowed_is_not_taken() {
        let thresholds = [Some(2.0), Some(1.0), Some(2.0), Some(3.0)];
        let best = goal().best_scale(&thresholds, [0.0, 1.5]);
        assert!(best.scale < 1.0 && (best.misclassified - 0.4).abs() < 1e-12);
        let best = goal().best_scale(&thresholds, [0.0, 2.5]);
        assert_eq!(best.window, [2.0, 3.0]);
        assert!(
            (best.scale - 5.0_f64.sqrt()).abs() < 1e-12,
            "{}",
            best.scale
        );
        let fixed = goal().best_scale(&thresholds, [1.0, 1.0]);
        assert_eq!(fixed.scale, 1.0);
        assert!((fixed.misclassified - 0.6).abs() < 1e-12);
        let edge = goal().best_scale(&thresholds, [0.0, 2.0]);
        assert_eq!((edge.scale, edge.window), (2.0, [2.0, 3.0]));
    }

    /// A thousandth more of a number moves the multiple by its share of a thousandth.
    #[test]
    fn multiples_move_as_said() {
        let silent = [Some(1.0), None, Some(2.0), None];
        let between = [Some(1.0), Some(8.0), Some(2.0), None];
        for (thresholds, allowed) in [
            (silent, [0.0, 20.0]),
            (silent, [0.0, 2.1]),
            (between, [0.0, 20.0]),
            (between, [0.0, 5.0]),
            (between, [3.0, 5.0]),
        ] {
            let scale =
                |thresholds: [Option<f64>; 4], allowed| goal().best_scale(&thresholds, allowed);
            let best = scale(thresholds, allowed);
            let moves = best.moves_with(allowed);
            for moved in 0..5 {
                let (mut other, mut range) = (thresholds, allowed);
                let end = match moved {
                    4 => {
                        range[1] *= 1.001;
                        End::Largest
                    }
                    fiber => {
                        let Some(threshold) = &mut other[fiber] else {
                            continue;
                        };
                        let end = End::Threshold(*threshold);
                        *threshold *= 1.001;
                        end
                    }
                };
                let share = moves
                    .iter()
                    .find(|(of, _)| *of == end)
                    .map_or(0.0, |(_, share)| *share);
                let found = (scale(other, range).scale / best.scale).ln() / 1.001_f64.ln();
                assert!(
                    (found - share).abs() < 1e-9,
                    "{thresholds:?} {allowed:?} {end:?}: {found} {share}"
                );
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// No multiple misclassifies less but in narrow windows, and the one that is found fires what it is said to.
        #[test]
        fn no_multiple_is_better(thresholds in prop::array::uniform4(prop::option::of(0.1..10.0_f64)), other in 0.01..20.0_f64) {
            let goal = goal();
            let allowed = [0.0, 20.0];
            let best = goal.best_scale(&thresholds, allowed);
            let at = |scale: f64| goal.misclassified(&goal.active_at(&thresholds, scale));
            prop_assert_eq!(at(best.scale), best.misclassified);
            let ends = || thresholds.iter().flatten().copied();
            let width = |at: f64| {
                let below = ends().filter(|end| *end <= at).fold(0.0, f64::max);
                let above = ends().filter(|end| *end > at).fold(f64::INFINITY, f64::min);
                above / below
            };
            prop_assert!(width(other) < HELD_RATIO || at(other) > best.misclassified - AREA_TOLERANCE);
            prop_assert!(at(other) > goal.least_area(&thresholds, allowed) - AREA_TOLERANCE);
        }

        /// Twice the stimulus has half the thresholds, the same separation, and half the best multiple.
        #[test]
        fn scores_do_not_depend_on_strength(thresholds in prop::array::uniform4(prop::option::of(0.1..10.0_f64))) {
            let goal = goal();
            let halved = thresholds.map(|threshold| threshold.map(|x| x / 2.0));
            prop_assert_eq!(goal.separation(&halved), goal.separation(&thresholds));
            let (one, two) = (goal.best_scale(&thresholds, [0.0, 20.0]), goal.best_scale(&halved, [0.0, 10.0]));
            prop_assert_eq!(two.misclassified, one.misclassified);
            let nothing_fires = one.window == [0.0, f64::INFINITY];
            prop_assert!(nothing_fires || (two.scale * 2.0 / one.scale - 1.0).abs() < 1e-15);
        }
    }
}
