//! The grid of a stimulator's converter: the best stimulus on it is searched, not only rounded to.

use super::run::{Run, SCORE, of_score, to_score};
use super::{Delivered, DesignError, Judged, Problem, Score};
use axonml_optimize::Fitness;

/// Multiples of a point whose roundings are tried.
const MULTIPLES: usize = 24;

/// Rounds of steps to better neighbors, at most.
const ROUNDS: usize = 200;

impl Problem {
    /// The best stimulus on the grid of the converter near these points: roundings of multiples of each that do what its
    /// best multiple does, then steps from the best of them to better neighbors, until there is none. `None` if no rounding
    /// obeys all limits.
    ///
    /// # Errors
    /// [`DesignError`] as [`Problem::judge`].
    pub fn on_grid(
        &self,
        points: &[Vec<f64>],
        run: &mut Run<'_>,
    ) -> Result<Option<Judged>, DesignError> {
        let mut stimuli: Vec<Delivered> = Vec::new();
        let judged = self.judge(
            points.iter().map(|x| self.stimulus(x)).collect(),
            None,
            &mut |_| (),
        )?;
        for judged in &judged {
            for scale in multiples(judged) {
                let rounded = self.limits.on_grid(&judged.stimulus.scaled(scale));
                stimuli.extend(rounded.filter(|rounded| {
                    stimuli
                        .iter()
                        .all(|known| known.amplitudes_ma != rounded.amplitudes_ma)
                }));
            }
        }
        let mut best: Option<(Delivered, Score)> = None;
        for round in 0..ROUNDS {
            if stimuli.is_empty() {
                break;
            }
            let told = run.batch(stimuli.len(), SCORE, |run| {
                let rows = self.scores_as_delivered(&stimuli)?;
                run.tally.thresholds += rows.len();
                Ok(rows)
            })?;
            let told = match told {
                Some(told) => told,
                // What ends early ends on the grid, too: with the best rounding, which is not kept, as more may be found
                // before it when the optimization goes on.
                None if round == 0 => self.scores_as_delivered(&stimuli)?,
                None => break,
            };
            let before = best.clone();
            for (stimulus, row) in stimuli.iter().zip(&told) {
                let score = to_score(row);
                let better = best
                    .as_ref()
                    .is_none_or(|(_, known)| score.better_than(known));
                if score.is_number() && better {
                    best = Some((stimulus.clone(), score));
                }
            }
            run.reached(round, ROUNDS)?;
            let is_better = match (&before, &best) {
                (Some((before, _)), Some((now, _))) => before.amplitudes_ma != now.amplitudes_ma,
                _ => true,
            };
            stimuli = match &best {
                Some((stimulus, _)) if is_better => self.limits.neighbors(stimulus),
                _ => break,
            };
        }
        let Some((stimulus, _)) = best else {
            return Ok(None);
        };
        let found = self.population.thresholds(
            std::slice::from_ref(&stimulus),
            &self.search,
            None,
            &mut |_| (),
        )?;
        let multiples = found.into_iter().next();
        Ok(multiples.map(|multiples| self.judge_within(stimulus, multiples, [1.0, 1.0])))
    }

    /// Scores of stimuli as they are, as numbers.
    fn scores_as_delivered(&self, stimuli: &[Delivered]) -> Result<Vec<Vec<f64>>, DesignError> {
        let found = self
            .population
            .thresholds(stimuli, &self.search, None, &mut |_| ())?;
        let each = stimuli.iter().zip(found);
        let judged = each.map(|(stimulus, multiples)| {
            self.judge_within(stimulus.clone(), multiples, [1.0, 1.0])
        });
        Ok(judged
            .map(|judged| of_score(&judged.score).to_vec())
            .collect())
    }
}

/// Multiples of a point that do what its best one does, from end to end of its window.
fn multiples(judged: &Judged) -> impl Iterator<Item = f64> {
    let [lower, upper] = judged.best.window;
    let [least, largest] = judged.allowed;
    let open = judged.best.scale;
    let low = if lower > 0.0 { lower.max(least) } else { open };
    let high = if upper.is_finite() {
        upper.min(largest)
    } else {
        (2.0 * open).min(largest)
    };
    let ratio = (high / low).max(1.0);
    (0..MULTIPLES).map(move |at| low * ratio.powf((at as f64 + 0.5) / MULTIPLES as f64))
}
