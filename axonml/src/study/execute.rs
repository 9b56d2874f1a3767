//! Runs a plan: batch by batch, each answer handed out and kept as soon as it is there.

use std::path::PathBuf;
use std::time::Instant;

use super::answer::Answer;
use super::case::Case;
use super::doubts::warn_of_doubts;
use super::journal::AnswerJournal;
use super::listener::Listener;
use super::pace::in_batches;
use super::plan::{Plan, Refused};
use super::protocol::question;
use super::report::{Results, Table};
use super::share::Share;
use super::{Fault, StudyError};

/// How a plan is run; results do not depend on it.
#[derive(Clone, Debug, Default)]
pub struct Execution {
    /// File that keeps answers as they come, so that a killed study goes on where it ended.
    pub journal: Option<PathBuf>,
    /// The share of the cases that is computed; all without one.
    pub share: Option<Share>,
}

/// Answers of a study's cases, as far as it was run.
#[derive(Debug)]
pub struct Outcome {
    /// The answers so far, by case; cases of other shares have none.
    pub answers: Vec<Option<Answer>>,
    /// Cases that could not be computed.
    pub refused: usize,
    /// Whether the study was canceled before its end.
    pub canceled: bool,
    /// Time it took, s.
    pub seconds: f64,
    journal: Option<AnswerJournal>,
}

impl Outcome {
    /// The answers of a whole study, computed elsewhere in that many seconds but for `refused` cases.
    pub(super) fn whole(answers: Vec<Option<Answer>>, refused: usize, seconds: f64) -> Self {
        Outcome {
            answers,
            refused,
            canceled: false,
            seconds,
            journal: None,
        }
    }

    /// Cases with an answer.
    pub fn finished(&self) -> usize {
        self.answers.iter().flatten().count()
    }

    /// Removes the file of kept answers, once results are where they belong.
    ///
    /// # Errors
    /// [`StudyError`] if it cannot be removed.
    pub fn discard_journal(&mut self) -> Result<(), StudyError> {
        self.journal.take().map_or(Ok(()), AnswerJournal::remove)
    }
}

impl Plan {
    /// Runs the plan. Cases that cannot be computed refuse it, unless the study keeps going.
    ///
    /// # Errors
    /// [`StudyError`] before any work for what is wrong with cases or the journal; while it works if a backend fails or an
    /// answer cannot be kept. A canceled study is no error: its outcome has what was finished.
    pub fn run(
        &self,
        execution: &Execution,
        listener: &mut dyn Listener,
    ) -> Result<Outcome, StudyError> {
        let refused = self.refused(self.study.output.keep_going)?;
        self.run_without(&refused, execution, listener)
    }

    /// As [`Plan::run`], where it is known which cases cannot be computed.
    ///
    /// # Errors
    /// As [`Plan::run`].
    pub fn run_without(
        &self,
        refused: &Refused,
        execution: &Execution,
        listener: &mut dyn Listener,
    ) -> Result<Outcome, StudyError> {
        let started = Instant::now();
        warn_of_doubts(self.cases().map(|(_, case)| case), listener);
        let question = question(&self.study.protocol);
        let ours = |index: usize| execution.share.is_none_or(|share| share.has(index));
        let mut answers: Vec<Option<Answer>> = vec![None; self.cases.len()];
        for (index, error) in refused.iter().filter(|(index, _)| ours(*index)) {
            answers[*index] = Some(question.failed(self, "error", error));
        }
        let mut journal = match &execution.journal {
            Some(path) => Some(AnswerJournal::open(
                path,
                self,
                execution.share,
                &mut answers,
                listener,
            )?),
            None => None,
        };
        let open: Vec<(usize, &Case)> = self
            .cases()
            .filter(|(index, _)| ours(*index) && answers[*index].is_none())
            .collect();
        let canceled = self.work(open, &mut answers, &mut journal, listener)?;
        Ok(Outcome {
            answers,
            refused: refused.iter().filter(|(index, _)| ours(*index)).count(),
            canceled,
            seconds: started.elapsed().as_secs_f64(),
            journal,
        })
    }

    /// Answers cases; whether it was canceled.
    fn work(
        &self,
        open: Vec<(usize, &Case)>,
        answers: &mut [Option<Answer>],
        journal: &mut Option<AnswerJournal>,
        listener: &mut dyn Listener,
    ) -> Result<bool, StudyError> {
        let question = question(&self.study.protocol);
        let first = question.first_batch(self);
        let ended = in_batches(open, first, "cases", listener, &mut |batch, progress| {
            let new = question.answer(self, batch, progress)?;
            if let Some(journal) = journal {
                journal.keep(&new)?;
            }
            for (index, answer) in new {
                answers[index] = Some(answer);
            }
            Ok(())
        });
        match ended {
            Err(error) if error.fault() == Fault::Canceled => Ok(true),
            ended => ended.map(|()| false),
        }
    }

    /// The results: rows in the order of cases; those without an answer are left out.
    ///
    /// # Errors
    /// [`StudyError`] if what belongs to all rows cannot be made.
    pub fn results(&self, outcome: &Outcome) -> Result<Results, StudyError> {
        let answers = &outcome.answers;
        let question = question(&self.study.protocol);
        let mut columns = self.columns.clone();
        columns.extend(question.columns(self));
        let mut table = Table {
            columns,
            rows: Vec::new(),
        };
        for (planned, answer) in self.cases.iter().zip(answers) {
            for row in answer.iter().flat_map(|answer| &answer.rows) {
                let cells = question.cells(self, planned, row);
                table.rows.push([planned.settings.clone(), cells].concat());
            }
        }
        let mut further = Vec::new();
        for (at, (name, columns)) in question.further().iter().enumerate() {
            let columns = columns.iter().map(|column| (*column).to_owned());
            let mut table = Table {
                columns: self.columns.iter().cloned().chain(columns).collect(),
                rows: Vec::new(),
            };
            for (planned, answer) in self.cases.iter().zip(answers) {
                let rows = answer.iter().filter_map(|answer| answer.further.get(at));
                for row in rows.flatten() {
                    table
                        .rows
                        .push([planned.settings.clone(), row.clone()].concat());
                }
            }
            further.push((*name, table));
        }
        let mut results = Results {
            request: self.request(),
            table,
            further,
            ..Results::default()
        };
        question.finish(self, &mut results)?;
        if outcome.canceled {
            results.summary.insert("interrupted".into(), true.into());
        }
        let seconds = outcome.seconds;
        results.summary.insert("seconds".into(), seconds.into());
        results.words.push(format!("computed in {seconds:.2} s"));
        Ok(results)
    }
}
