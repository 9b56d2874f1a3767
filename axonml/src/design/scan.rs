//! Thresholds of all montages of a cuff.

use axonml_models::Progress;
use axonml_optimize::ranking;

use super::problem::Judged;
use super::{Delivered, DesignError, Montage, MontageKind, Outcome, Problem, Score};

/// The montages of a cuff with their scores, best first.
#[derive(Clone, Debug)]
pub struct Scan {
    /// All montages in the order of results (that of [`Score`]).
    pub montages: Vec<Scanned>,
}

/// A montage at its best scale.
#[derive(Clone, Debug)]
pub struct Scanned {
    /// The montage.
    pub montage: Montage,
    /// Currents of the contacts at its best scale, mA.
    pub amplitudes_ma: Vec<f64>,
    /// Thresholds as multiples of these currents; `None` of fibers that never fire below the limits.
    pub thresholds: Vec<Option<f64>>,
    /// Area that it activates there.
    pub outcome: Outcome,
    /// All that is known of it.
    pub judged: Judged,
    /// Whether it obeys limits that no scale changes: currents that add up to 0, frozen contacts.
    pub within_limits: bool,
}

impl Scanned {
    /// Its score at its best scale.
    pub fn score(&self) -> &Score {
        &self.judged.score
    }
}

impl Scan {
    /// The best montage of a kind; `None` if the cuff has none.
    pub fn best_of(&self, kind: MontageKind) -> Option<&Scanned> {
        let mut all = self.montages.iter();
        all.find(|scanned| scanned.montage.kind == kind)
    }

    /// The best montage.
    pub fn best(&self) -> Option<&Scanned> {
        self.montages.first()
    }
}

impl Problem {
    /// Finds the thresholds of all [montages](Montage::all) of the reference waveform, and the multiple of each that
    /// serves the goal best within the limits on currents.
    ///
    /// # Errors
    /// [`DesignError`] if a fiber fires without stimulus, or the simulation fails.
    pub fn scan(&self, progress: &mut Progress<'_>) -> Result<Scan, DesignError> {
        let montages = Montage::all(self.population.contacts());
        let (waveform, dt_ms) = (self.population.waveform(), self.population.dt_ms());
        let stimuli = montages.iter();
        let stimuli: Vec<Delivered> = stimuli
            .map(|montage| Delivered::of_one(montage.gains.clone(), waveform, dt_ms))
            .collect();
        let mut scanned = Vec::with_capacity(montages.len());
        let found = self
            .population
            .thresholds(&stimuli, &self.search, None, progress)?;
        for ((montage, stimulus), multiples) in montages.into_iter().zip(stimuli).zip(found) {
            // A montage is compared at the best of all its multiples.
            let judged = self.judge_scaled(stimulus, multiples);
            let thresholds = judged.thresholds();
            let delivered = judged.delivered();
            scanned.push(Scanned {
                outcome: self.goal.outcome(&self.goal.active_at(&thresholds, 1.0)),
                within_limits: self.limits.violations(&delivered).is_empty(),
                amplitudes_ma: delivered.amplitudes_ma,
                thresholds,
                montage,
                judged,
            });
        }
        let scores: Vec<Score> = scanned.iter().map(|scanned| *scanned.score()).collect();
        let in_order = ranking(&scores).into_iter();
        Ok(Scan {
            montages: in_order.map(|place| scanned[place].clone()).collect(),
        })
    }
}
