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
    /// The next batch as it was kept in an earlier run, in the order of [`Course::keep`]; `None` if it must be made.
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
    /// Time that earlier runs took, s.
    earlier: f64,
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
            earlier: 0.0,
        }
    }

    /// Time since it began, and what earlier runs took for the batches that they kept, s.
    pub fn seconds(&self) -> f64 {
        self.earlier + self.began.elapsed().as_secs_f64()
    }

    /// Whether to end before the next batch; notes why. Something is looked at before time or work are over.
    pub(super) fn is_over(&mut self) -> bool {
        if self.stopped.is_some() {
            return true;
        }
        let reason = match &self.ends {
            ends if ends.cancel.is_canceled() => Some("interrupted"),
            _ if self.tally.candidates() == 0 => None,
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
        if let Some(text) = self.course.recall() {
            let Some(kept) = Kept::decoded(&text, rows, columns) else {
                return Err(DesignError::Keep(
                    "a kept batch does not fit this optimization".into(),
                ));
            };
            self.tally = kept.tally;
            self.earlier += (kept.seconds - self.seconds()).max(0.0);
            return Ok(Some(kept.batch));
        }
        if self.is_over() {
            return Ok(None);
        }
        match make(self) {
            Ok(batch) => {
                let kept = Kept {
                    tally: self.tally,
                    seconds: self.seconds(),
                    batch,
                };
                self.course.keep(&kept.encoded())?;
                Ok(Some(kept.batch))
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

/// A finished batch as it is kept.
#[derive(Clone, Debug, PartialEq)]
struct Kept {
    /// Work done when it was finished.
    tally: Tally,
    /// Time since the beginning then, s.
    seconds: f64,
    batch: Vec<Vec<f64>>,
}

impl Kept {
    /// Numbers as text, bit for bit: a number is 16 hexadecimal digits, a row ends with a semicolon. The first row is the
    /// work and the time.
    fn encoded(&self) -> String {
        use std::fmt::Write as _;
        let Tally {
            evaluations,
            thresholds,
            gradients,
        } = self.tally;
        let mut text = String::new();
        // A string takes everything.
        for count in [evaluations, thresholds, gradients] {
            let _ = write!(text, "{count:016x}");
        }
        let _ = write!(text, "{:016x};", self.seconds.to_bits());
        for row in &self.batch {
            for number in row {
                let _ = write!(text, "{:016x}", number.to_bits());
            }
            text.push(';');
        }
        text
    }

    /// A batch of `rows` of `columns` numbers; `None` of any other text.
    fn decoded(text: &str, rows: usize, columns: usize) -> Option<Self> {
        let mut all = text.split_terminator(';').map(|row| {
            let digits = row.as_bytes().chunks(16);
            let number = |digits: &[u8]| {
                let text = std::str::from_utf8(digits).ok()?;
                let whole = text.len() == 16;
                u64::from_str_radix(text, 16).ok().filter(|_| whole)
            };
            digits.map(number).collect::<Option<Vec<u64>>>()
        });
        let &[evaluations, thresholds, gradients, seconds] = all.next()??.as_slice() else {
            return None;
        };
        let count = |count: u64| usize::try_from(count).ok();
        let row = |row: Option<Vec<u64>>| {
            let numbers = row?.into_iter().map(f64::from_bits).collect::<Vec<f64>>();
            (numbers.len() == columns).then_some(numbers)
        };
        let batch: Option<Vec<Vec<f64>>> = all.map(row).collect();
        Some(Kept {
            tally: Tally {
                evaluations: count(evaluations)?,
                thresholds: count(thresholds)?,
                gradients: count(gradients)?,
            },
            seconds: f64::from_bits(seconds),
            batch: batch.filter(|batch| batch.len() == rows)?,
        })
    }
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
        let kept = Kept {
            tally: Tally {
                evaluations: 7,
                thresholds: 300,
                gradients: 0,
            },
            seconds: 0.1,
            batch: vec![vec![0.1, -0.0, f64::INFINITY], vec![f64::NAN, 1e-308, -7.0]],
        };
        let text = kept.encoded();
        let back = Kept::decoded(&text, 2, 3).unwrap();
        let bits = |kept: &Kept| -> Vec<u64> {
            let numbers = kept.batch.iter().flatten().chain([&kept.seconds]);
            numbers.map(|x| x.to_bits()).collect()
        };
        assert_eq!((back.tally, bits(&back)), (kept.tally, bits(&kept)));
        assert_eq!(Kept::decoded(&text, 3, 3), None);
        assert_eq!(Kept::decoded(&text, 2, 2), None);
        let nothing = Kept {
            batch: Vec::new(),
            ..kept
        };
        let none = nothing.encoded();
        assert_eq!(Kept::decoded(&none, 0, 3), Some(nothing));
        for wrong in ["", "zz;", &text[16..], &none[..none.len() - 2]] {
            assert_eq!(Kept::decoded(wrong, 0, 3), None, "{wrong}");
        }
    }
}
