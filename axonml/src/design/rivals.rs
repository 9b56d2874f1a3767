//! Stimuli that each must beat a rival: thresholds are searched only as far as the outcome needs.
//!
//! What is known of a stimulus bounds how good it can be: a target whose threshold is not known may fire at once, and
//! another fiber never. Whoever is worse than its rival even so has lost, whatever its other fibers do. Targets are
//! searched first; then one run of each other fiber, where it must be silent, spares most searches of stimuli that lose.

use axonml_models::ActivationOptions;

use super::evolution::Standing;
use super::goal::AREA_TOLERANCE;
use super::population::Multiples;
use super::{Delivered, DesignError, Judged, Problem, Score};

/// A multiple this much below the one at which a separation is equal to the rival's makes it less.
const BELOW: f64 = 1e-9;

/// A stimulus on its way.
struct Trial<'a> {
    stimulus: &'a Delivered,
    rival: &'a Standing,
    known: Multiples,
    has_lost: bool,
}

impl Problem {
    /// Judges stimuli that each must not be worse than a rival; `None` of those that are. Without rivals all are judged.
    ///
    /// # Errors
    /// [`DesignError`] as [`Problem::judge`].
    pub fn judge_against(
        &self,
        stimuli: &[Delivered],
        rivals: &[Standing],
    ) -> Result<Vec<Option<Judged>>, DesignError> {
        // Costs depend on the multiple that is delivered, and parts of the targets' area on all of their thresholds.
        let is_bounded = self.penalty.is_none() && self.goal.recruitment() == [1.0, 1.0];
        if !is_bounded || rivals.len() != stimuli.len() {
            let judged = self.judge(stimuli.to_vec(), None, &mut |_| ())?;
            return Ok(judged.into_iter().map(Some).collect());
        }
        let counts = |fiber: usize| self.goal.weights()[fiber] > 0.0;
        let is_target = |fiber: usize| self.goal.targets()[fiber] && counts(fiber);
        let is_other = |fiber: usize| !self.goal.targets()[fiber] && counts(fiber);
        let nothing = || Multiples {
            thresholds: vec![None; self.population.fibers()],
            ..Multiples::default()
        };
        let each = stimuli.iter().zip(rivals);
        let mut trials: Vec<Trial<'_>> = each
            .map(|(stimulus, rival)| Trial {
                stimulus,
                rival,
                known: nothing(),
                has_lost: false,
            })
            .collect();
        self.search_open(&mut trials, &is_target)?;
        for trial in &mut trials {
            trial.has_lost = self.is_lost(trial, &trial.known);
        }
        self.test(&mut trials, &is_other)?;
        self.search_open(&mut trials, &|fiber| !is_target(fiber))?;
        let judged = trials.into_iter().map(|trial| {
            (!trial.has_lost).then(|| self.judge_one(trial.stimulus.clone(), trial.known))
        });
        Ok(judged.collect())
    }

    /// Searches the thresholds of some fibers of the trials that have not lost.
    fn search_open(
        &self,
        trials: &mut [Trial<'_>],
        is_wanted: &dyn Fn(usize) -> bool,
    ) -> Result<(), DesignError> {
        let mut open: Vec<&mut Trial<'_>> = open(trials).collect();
        let stimuli: Vec<Delivered> = open.iter().map(|trial| trial.stimulus.clone()).collect();
        let wanted = |_: usize, fiber: usize| is_wanted(fiber);
        let found =
            self.population
                .some_thresholds(&stimuli, &wanted, &self.search, None, &mut |_| ())?;
        for (trial, found) in open.iter_mut().zip(found) {
            trial.known.join(found);
        }
        Ok(())
    }

    /// Runs the other fibers of open trials where they must be silent for the trial to win.
    fn test(
        &self,
        trials: &mut [Trial<'_>],
        is_other: &dyn Fn(usize) -> bool,
    ) -> Result<(), DesignError> {
        let mut tested: Vec<(&mut Trial<'_>, f64)> = Vec::new();
        for trial in open(trials) {
            if let Some(multiple) = self.silent_at(trial, is_other) {
                tested.push((trial, multiple));
            }
        }
        // A search reports the upper end of the bracket that it narrows a threshold down to: that of a fiber that fires
        // this far below is no larger.
        let bracket = 1.0 - self.search.resolution;
        let stimuli: Vec<Delivered> = tested
            .iter()
            .map(|(trial, multiple)| trial.stimulus.scaled(bracket * multiple))
            .collect();
        let options = ActivationOptions {
            detection: self.search.detection.clone(),
            early_end: self.search.early_end,
            bound: None,
        };
        let wanted = |_: usize, fiber: usize| is_other(fiber);
        let active = self
            .population
            .some_activation(&stimuli, &wanted, &options)?;
        for ((trial, multiple), active) in tested.into_iter().zip(active.rows()) {
            let mut hope = trial.known.clone();
            for (threshold, active) in hope.thresholds.iter_mut().zip(active) {
                if *active == Some(true) {
                    *threshold = Some(multiple);
                }
            }
            trial.has_lost = self.is_lost(trial, &hope);
        }
        Ok(())
    }

    /// A threshold of another fiber that makes a trial lose, or helps to. `None` if the targets tell of none.
    fn silent_at(&self, trial: &Trial<'_>, is_other: &dyn Fn(usize) -> bool) -> Option<f64> {
        let weights = self.goal.weights();
        let fibers = 0..self.population.fibers();
        let lightest = fibers.filter(|fiber| is_other(*fiber));
        let lightest = lightest.min_by(|a, b| weights[*a].total_cmp(&weights[*b]))?;
        let [last_target, _] = self.goal.target_window(&trial.known.thresholds);
        let equal = last_target * trial.rival.score.separation * (1.0 - BELOW);
        let most = self.search.max_ma;
        if last_target.is_finite() && equal > 0.0 {
            let multiple = equal.min(most);
            let mut hope = trial.known.clone();
            hope.thresholds[lightest] = Some(multiple);
            if self.is_lost(trial, &hope) {
                return Some(multiple);
            }
        }
        // The least multiple at which enough targets fire.
        let mut thresholds: Vec<f64> = trial.known.thresholds.iter().flatten().copied().collect();
        thresholds.sort_by(f64::total_cmp);
        thresholds.into_iter().find(|&multiple| {
            let active = self.goal.active_at(&trial.known.thresholds, multiple);
            let misclassified = self.goal.misclassified(&active);
            misclassified <= trial.rival.score.misclassified + AREA_TOLERANCE
        })
    }

    /// Whether a trial is worse than its rival even with these thresholds, none of which is worse than its own.
    fn is_lost(&self, trial: &Trial<'_>, hope: &Multiples) -> bool {
        let Some((allowed, _)) = self.allowed(trial.stimulus) else {
            return false;
        };
        let thresholds = &hope.thresholds;
        let hope = Score {
            misclassified: self.goal.least_area(thresholds, allowed),
            separation: self.goal.separation(thresholds),
            ..Score::worst()
        };
        let rival = trial.rival;
        let more = self.objective.of_score(&hope) - rival.loss;
        let area = hope.misclassified - rival.score.misclassified;
        let ties = more >= -AREA_TOLERANCE && area >= -AREA_TOLERANCE;
        more > AREA_TOLERANCE || (ties && hope.separation < rival.score.separation)
    }
}

fn open<'t, 'a>(trials: &'t mut [Trial<'a>]) -> impl Iterator<Item = &'t mut Trial<'a>> {
    trials.iter_mut().filter(|trial| !trial.has_lost)
}
