//! Thresholds of all montages of a cuff.

use axonml_models::Progress;
use axonml_optimize::ranking;

use super::problem::Judged;
use super::{
    Delivered, DesignError, Montage, MontageKind, Multiples, Outcome, Problem, Run, Score,
};

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
        let stimuli = self.stimuli_of(&montages);
        let found = self
            .population
            .thresholds(&stimuli, &self.search, None, progress)?;
        Ok(self.in_order(montages, stimuli, found))
    }

    /// As [`Problem::scan`], as part of `run`: each kind of montage is a batch. Where the run is over before its end, those
    /// that were scanned.
    ///
    /// # Errors
    /// As [`Problem::scan`], or if a batch cannot be kept.
    pub fn scan_in(&self, run: &mut Run<'_>) -> Result<Scan, DesignError> {
        let all = Montage::all(self.population.contacts());
        let (mut montages, mut found) = (Vec::with_capacity(all.len()), Vec::new());
        for kind in all.chunk_by(|a, b| a.kind == b.kind) {
            let columns = HEAD + 2 * self.population.fibers();
            let told = run.batch(kind.len(), columns, |run| {
                let stimuli = self.stimuli_of(kind);
                let found =
                    self.population
                        .thresholds(&stimuli, &self.search, None, &mut |part| run.fraction(part))?;
                run.tally.thresholds += found.len();
                Ok(found.iter().map(to_numbers).collect())
            })?;
            let Some(told) = told else { break };
            montages.extend(kind.iter().cloned());
            found.extend(told.iter().map(|row| of_numbers(row)));
        }
        let stimuli = self.stimuli_of(&montages);
        Ok(self.in_order(montages, stimuli, found))
    }

    fn stimuli_of(&self, montages: &[Montage]) -> Vec<Delivered> {
        let (waveform, dt_ms) = (self.population.waveform(), self.population.dt_ms());
        let each = montages.iter();
        each.map(|montage| Delivered::of_one(montage.gains.clone(), waveform, dt_ms))
            .collect()
    }

    /// Montages with what was found of them, best first.
    fn in_order(
        &self,
        montages: Vec<Montage>,
        stimuli: Vec<Delivered>,
        found: Vec<Multiples>,
    ) -> Scan {
        let mut scanned = Vec::with_capacity(montages.len());
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
        Scan {
            montages: in_order.map(|place| scanned[place].clone()).collect(),
        }
    }
}

/// Numbers before those of fibers: the fiber that diverged, or -1, and its multiple.
const HEAD: usize = 2;

/// Findings about a montage as numbers: thresholds, infinite of fibers that never fire, and 1 for those excited at an end.
fn to_numbers(found: &Multiples) -> Vec<f64> {
    let (fiber, multiple) = found
        .diverged
        .map_or((-1.0, 0.0), |(fiber, multiple)| (fiber as f64, multiple));
    let thresholds = found.thresholds.iter();
    let thresholds = thresholds.map(|threshold| threshold.unwrap_or(f64::INFINITY));
    let ends = (0..found.thresholds.len()).map(|fiber| found.end_excitation.contains(&fiber));
    let ends = ends.map(|is_end| f64::from(u8::from(is_end)));
    [fiber, multiple]
        .into_iter()
        .chain(thresholds)
        .chain(ends)
        .collect()
}

fn of_numbers(numbers: &[f64]) -> Multiples {
    let (head, fibers) = numbers.split_at(HEAD);
    let (thresholds, ends) = fibers.split_at(fibers.len() / 2);
    let finite = |number: &f64| number.is_finite().then_some(*number);
    let ends = ends.iter().enumerate();
    Multiples {
        thresholds: thresholds.iter().map(finite).collect(),
        end_excitation: ends
            .filter(|(_, is_end)| **is_end == 1.0)
            .map(|(fiber, _)| fiber)
            .collect(),
        diverged: (head[0] >= 0.0).then_some((head[0] as usize, head[1])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_comes_back() {
        let found = Multiples {
            thresholds: vec![Some(0.1), None, Some(7.0)],
            end_excitation: vec![2],
            diverged: Some((0, 3.5)),
        };
        assert_eq!(of_numbers(&to_numbers(&found)), found);
        let nothing = Multiples {
            thresholds: vec![None],
            ..Multiples::default()
        };
        assert_eq!(of_numbers(&to_numbers(&nothing)), nothing);
        assert_eq!(to_numbers(&found).len(), HEAD + 2 * 3);
    }
}
