//! The course of an optimization: its batches, kept as they come, its history, and the reasons to end it.

use std::time::Instant;

use axonml_models::CancelToken;

use super::result::HistoryRow;
use super::{DesignError, Judged, Score};

/// Work that an optimization has done.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    /// Stimuli whose activation was simulated.
    pub evaluations: usize,
    /// Stimuli whose thresholds were searched.
    pub thresholds: usize,
    /// Stimuli whose gradients were computed.
    pub gradients: usize,
}

impl Tally {
    /// Stimuli looked at.
    pub fn candidates(&self) -> usize {
        self.evaluations + self.thresholds
    }
}

impl Tally {
    /// What was done since another one.
    fn since(self, before: Tally) -> Tally {
        Tally {
            evaluations: self.evaluations - before.evaluations,
            thresholds: self.thresholds - before.thresholds,
            gradients: self.gradients - before.gradients,
        }
    }

    fn add(&mut self, more: Tally) {
        self.evaluations += more.evaluations;
        self.thresholds += more.thresholds;
        self.gradients += more.gradients;
    }
}

/// A message about the course of an optimization.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moment {
    /// Steps or generations that are done.
    pub iteration: usize,
    /// Of so many at most.
    pub of: usize,
    /// The best score so far.
    pub best: Option<Score>,
    /// Work done so far.
    pub tally: Tally,
    /// Time since the beginning, s.
    pub seconds: f64,
}

/// Hears of the course of an optimization, and keeps it where it survives a kill.
pub trait Course {
    /// The next batch that was kept in an earlier run, in the order of [`Course::keep`].
    fn recall(&mut self) -> Option<String> {
        None
    }

    /// Keeps a finished batch.
    ///
    /// # Errors
    /// [`DesignError::Keep`] if it cannot be kept.
    fn keep(&mut self, batch: &str) -> Result<(), DesignError> {
        let _ = batch;
        Ok(())
    }

    /// A better stimulus was found.
    ///
    /// # Errors
    /// [`DesignError::Keep`] if it cannot be kept.
    fn improved(&mut self, best: &Judged, tally: &Tally) -> Result<(), DesignError> {
        let _ = (best, tally);
        Ok(())
    }

    /// A stage begins: "montages", "descent", "generations", "grid".
    fn stage(&mut self, stage: &'static str) {
        let _ = stage;
    }

    /// A part of a long batch is done.
    fn fraction(&mut self, fraction: f64) {
        let _ = fraction;
    }

    /// A step or generation is done.
    ///
    /// # Errors
    /// [`DesignError::Keep`] if it cannot be kept.
    fn reached(&mut self, moment: &Moment, history: &[HistoryRow]) -> Result<(), DesignError> {
        let _ = (moment, history);
        Ok(())
    }
}

/// A course that keeps nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unkept;

impl Course for Unkept {}

/// Ends of an optimization before its own.
#[derive(Clone, Debug, Default)]
pub struct Ends {
    /// Time, s.
    pub max_seconds: Option<f64>,
    /// Stimuli looked at.
    pub max_evaluations: Option<usize>,
    /// A user who has seen enough.
    pub cancel: CancelToken,
}

/// An optimization on its way.
pub struct Run<'a> {
    course: &'a mut dyn Course,
    ends: Ends,
    began: Instant,
    /// Work done so far.
    pub tally: Tally,
    /// Steps or generations so far.
    pub history: Vec<HistoryRow>,
    /// Why it ended early.
    pub stopped: Option<String>,
    best: Option<Score>,
    recalls: bool,
}

impl std::fmt::Debug for Run<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = f.debug_struct("Run");
        text.field("tally", &self.tally)
            .field("stopped", &self.stopped);
        text.finish_non_exhaustive()
    }
}

impl<'a> Run<'a> {
    /// Begins, or goes on where `course` recalls batches.
    pub fn new(course: &'a mut dyn Course, ends: Ends) -> Self {
        Run {
            course,
            ends,
            began: Instant::now(),
            tally: Tally::default(),
            history: Vec::new(),
            stopped: None,
            best: None,
            recalls: true,
        }
    }

    /// Time since it began, s.
    pub fn seconds(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }

    /// Whether to end before the next batch; notes why.
    pub(super) fn is_over(&mut self) -> bool {
        if self.stopped.is_some() {
            return true;
        }
        let reason = match &self.ends {
            ends if ends.cancel.is_canceled() => Some("interrupted"),
            ends if ends.max_seconds.is_some_and(|most| self.seconds() >= most) => {
                Some("max_seconds")
            }
            ends if ends
                .max_evaluations
                .is_some_and(|most| self.tally.candidates() >= most) =>
            {
                Some("max_evaluations")
            }
            _ => None,
        };
        self.stopped = reason.map(str::to_owned);
        reason.is_some()
    }

    /// A batch of `rows` of `columns` numbers: recalled, or made now and kept. `None` where the run is over.
    ///
    /// # Errors
    /// Those of `make`; a canceled simulation is the end of the run, and no error.
    pub(super) fn batch(
        &mut self,
        rows: usize,
        columns: usize,
        make: impl FnOnce(&mut Self) -> Result<Vec<Vec<f64>>, DesignError>,
    ) -> Result<Option<Vec<Vec<f64>>>, DesignError> {
        if self.recalls {
            match self.course.recall() {
                Some(text) => match decoded(&text, rows, columns) {
                    Some((batch, work)) => {
                        self.tally.add(work);
                        return Ok(Some(batch));
                    }
                    None => {
                        return Err(DesignError::Keep(
                            "a kept batch does not fit this optimization".into(),
                        ));
                    }
                },
                None => self.recalls = false,
            }
        }
        if self.is_over() {
            return Ok(None);
        }
        let before = self.tally;
        match make(self) {
            Ok(batch) => {
                let work = self.tally.since(before);
                self.course.keep(&encoded(&batch, work))?;
                Ok(Some(batch))
            }
            Err(error) if error.is_canceled() => {
                self.stopped = Some("interrupted".into());
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Notes a stimulus that may be the best so far.
    ///
    /// # Errors
    /// [`DesignError::Keep`] if it cannot be kept.
    pub fn offer(&mut self, judged: &Judged) -> Result<(), DesignError> {
        use axonml_optimize::Fitness;
        let better = |best: &Score| judged.score.better_than(best);
        if judged.score.is_number() && self.best.as_ref().is_none_or(better) {
            self.best = Some(judged.score);
            self.course.improved(judged, &self.tally)?;
        }
        Ok(())
    }

    /// Notes a score that was recalled, of which nothing else is known.
    pub(super) fn offer_score(&mut self, score: &Score) {
        use axonml_optimize::Fitness;
        let better = |best: &Score| score.better_than(best);
        if score.is_number() && self.best.as_ref().is_none_or(better) {
            self.best = Some(*score);
        }
    }

    /// The best score so far.
    pub fn best(&self) -> Option<&Score> {
        self.best.as_ref()
    }

    /// Tells of a stage.
    pub fn stage(&mut self, stage: &'static str) {
        self.course.stage(stage);
    }

    /// Tells that a part of a long batch is done.
    pub fn fraction(&mut self, fraction: f64) {
        self.course.fraction(fraction);
    }

    pub(super) fn reached(&mut self, iteration: usize, of: usize) -> Result<(), DesignError> {
        let moment = Moment {
            iteration,
            of,
            best: self.best,
            tally: self.tally,
            seconds: self.seconds(),
        };
        self.course.reached(&moment, &self.history)
    }
}

/// A batch as text, with the work that it took: three counts, and then numbers bit for bit, 16 hexadecimal digits each. A row
/// ends with a semicolon.
fn encoded(batch: &[Vec<f64>], work: Tally) -> String {
    use std::fmt::Write as _;
    let mut text = format!(
        "{},{},{};",
        work.evaluations, work.thresholds, work.gradients
    );
    for row in batch {
        for number in row {
            // A string takes everything.
            let _ = write!(text, "{:016x}", number.to_bits());
        }
        text.push(';');
    }
    text
}

fn decoded(text: &str, rows: usize, columns: usize) -> Option<(Vec<Vec<f64>>, Tally)> {
    let (counts, numbers) = text.split_once(';')?;
    let counts: Result<Vec<usize>, _> = counts.split(',').map(str::parse).collect();
    let [evaluations, thresholds, gradients] = counts.ok()?[..] else {
        return None;
    };
    let work = Tally {
        evaluations,
        thresholds,
        gradients,
    };
    let batch: Option<Vec<Vec<f64>>> = numbers
        .split_terminator(';')
        .map(|row| {
            let digits = row.as_bytes().chunks(16);
            let number = |digits: &[u8]| {
                let text = std::str::from_utf8(digits).ok()?;
                u64::from_str_radix(text, 16).ok().map(f64::from_bits)
            };
            let numbers: Option<Vec<f64>> = digits.map(number).collect();
            numbers.filter(|numbers| numbers.len() == columns)
        })
        .collect();
    let batch = batch.filter(|batch| batch.len() == rows)?;
    Some((batch, work))
}

/// Numbers of a score, for batches.
pub(super) const SCORE: usize = 6;

pub(super) fn of_score(score: &Score) -> [f64; SCORE] {
    [
        score.misclassified,
        score.separation,
        score.cost,
        score.dose.charge_nc,
        score.dose.energy_ma2_ms,
        score.dose.peak_ma,
    ]
}

pub(super) fn to_score(numbers: &[f64]) -> Score {
    let mut score = Score::unknown();
    if let [
        misclassified,
        separation,
        cost,
        charge_nc,
        energy_ma2_ms,
        peak_ma,
        ..,
    ] = *numbers
    {
        score = Score {
            misclassified,
            separation,
            cost,
            dose: super::Dose {
                charge_nc,
                energy_ma2_ms,
                peak_ma,
            },
        };
    }
    score
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_come_back_to_the_bit() {
        let batch = vec![vec![0.1, -0.0, f64::INFINITY], vec![f64::NAN, 1e-308, -7.0]];
        let work = Tally {
            evaluations: 3,
            thresholds: 2,
            gradients: 1,
        };
        let text = encoded(&batch, work);
        let (back, counted) = decoded(&text, 2, 3).unwrap();
        let bits = |batch: &[Vec<f64>]| -> Vec<u64> {
            batch.iter().flatten().map(|x| x.to_bits()).collect()
        };
        assert_eq!(bits(&back), bits(&batch));
        assert_eq!(counted, work);
        assert_eq!(decoded(&text, 3, 3), None);
        assert_eq!(decoded(&text, 2, 2), None);
        assert_eq!(decoded("0,0,0;zz;", 1, 1), None);
        assert_eq!(decoded("0,0;", 0, 3), None);
        let nothing = (Vec::new(), Tally::default());
        assert_eq!(decoded("0,0,0;", 0, 3), Some(nothing));
    }
}
