//! Answers kept as they come, beside the file that they are for: `OUT.csv.partial`.

use std::path::Path;

use axonml_files::{Journal, JournalError};
use axonml_models::provenance::sha256;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::StudyError;
use super::answer::Answer;
use super::difference::{first_difference, short};
use super::listener::Listener;
use super::plan::Plan;
use super::protocol::fits;
use super::report::{Cell, counted};
use super::share::Share;

/// An answer, as a line of the file has it.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// Index of its case.
    row: usize,
    #[serde(flatten)]
    answer: Answer,
}

/// The answers of a study, on the disk.
#[derive(Debug)]
pub(super) struct AnswerJournal(Journal);

impl AnswerJournal {
    /// Opens the answers kept at `path` for this plan, or begins them; `answers` gets those that are there.
    pub(super) fn open(
        path: &Path,
        plan: &Plan,
        share: Option<Share>,
        answers: &mut [Option<Answer>],
        listener: &mut dyn Listener,
    ) -> Result<Self, StudyError> {
        let work = describe(plan, share);
        let opened =
            Journal::open(path, &work.to_string()).map_err(|error| refusal(error, &work, path))?;
        let mut damaged = opened.damaged;
        let mut there = 0;
        for piece in &opened.pieces {
            let kept: Option<Kept> = serde_json::from_str(piece).ok();
            let kept = kept.filter(|kept| fits(plan, kept.row, &kept.answer));
            match kept.and_then(|kept| Some((answers.get_mut(kept.row)?, kept.answer))) {
                Some((place, kept)) => {
                    there += usize::from(place.is_none());
                    *place = Some(kept);
                }
                None => damaged += 1,
            }
        }
        if there > 0 {
            listener.note(format!(
                "{there} of {} are taken from {}",
                counted(answers.len(), "row"),
                path.display()
            ));
        }
        if damaged > 0 {
            listener.note(format!(
                "{}: {} torn or changed and computed again",
                path.display(),
                match damaged {
                    1 => "1 line is".to_owned(),
                    many => format!("{many} lines are"),
                }
            ));
        }
        Ok(AnswerJournal(opened.journal))
    }

    /// Keeps answers: even SIGKILL leaves them from now on.
    pub(super) fn keep(&mut self, answers: &[(usize, Answer)]) -> Result<(), StudyError> {
        for (row, answer) in answers {
            let kept = Kept {
                row: *row,
                answer: answer.clone(),
            };
            let line = serde_json::to_string(&kept).map_err(StudyError::failure)?;
            self.0.append(&line).map_err(failure)?;
        }
        self.0.sync().map_err(failure)
    }

    /// Removes the file when its answers are where they belong.
    pub(super) fn remove(self) -> Result<(), StudyError> {
        self.0.remove().map_err(failure)
    }
}

/// Identity of the answers: everything that they depend on.
fn describe(plan: &Plan, share: Option<Share>) -> Value {
    let request = plan.request();
    let mut text = String::new();
    for planned in &plan.cases {
        let cells: Vec<String> = planned.settings.iter().map(Cell::exact).collect();
        text.push_str(&format!("{cells:?} {:?}\n", planned.reference_ma));
    }
    let rows_sha256 = sha256(text.as_bytes());
    json!({
        "request_sha256": sha256(format!("{request}\n{rows_sha256}\n{share:?}").as_bytes()),
        "request": request,
        "share": share,
        "rows": plan.cases.len(),
        "rows_sha256": rows_sha256,
    })
}

/// Keeping a row failed.
fn failure(error: JournalError) -> StudyError {
    StudyError::failure(format!("{error}; the rows before are kept there"))
        .help("make room, then give the same command again: it goes on where this one ended")
}

/// The rows there cannot be gone on with.
fn refusal(error: JournalError, work: &Value, path: &Path) -> StudyError {
    let name = path.display();
    match error {
        JournalError::Other {
            work: found,
            pieces,
            ..
        } => {
            // It is refused all the same: only what the message says of it depends on this.
            let found: Value = serde_json::from_str(&found).unwrap_or_default();
            let id = |work: &Value| {
                let id = work["request_sha256"].as_str().unwrap_or("unknown");
                id.chars().take(12).collect::<String>()
            };
            let difference = match first_difference("", &found["request"], &work["request"])
                .or_else(|| first_difference("part", &found["share"], &work["share"]))
            {
                Some((field, there, asked)) => {
                    format!(
                        "`{field}` is {} there, but {} here",
                        short(&there),
                        short(&asked)
                    )
                }
                None => "its rows differ".to_owned(),
            };
            StudyError::request(format!(
                "`{name}` keeps {} of another request ({}, this one is {}): {difference}",
                counted(pieces, "finished row"),
                id(&found),
                id(work)
            ))
            .help(format!(
                "repeat that request to finish it, name another -o, or remove `{name}`"
            ))
        }
        error @ JournalError::Foreign { .. } => StudyError::request(error).help(format!(
            "name another -o, or move `{name}` away: finished rows are kept there"
        )),
        error @ JournalError::Held { .. } => StudyError::request(error),
        error => StudyError::failure(error).help("make room, or name a file on another disk"),
    }
}
