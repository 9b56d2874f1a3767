//! Rows kept as they finish, beside the file that they are for: `OUT.csv.partial`.

use std::path::Path;

use axonml::file::{Journal, JournalError};
use axonml::simulation::provenance::sha256;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::error::CliError;
use crate::messages::Messages;
use crate::report::{Cell, Target, counted};
use crate::search::Found;

/// A finished row, as a line of the file has it.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// Its place among the rows.
    row: usize,
    found: Found,
}

/// The finished rows of a search, on the disk.
pub(super) struct Partial(Journal);

impl Partial {
    /// Opens the rows kept beside `target` for this request, or begins them; `found` gets those that are there.
    pub(super) fn open(
        target: &Target,
        request: &Value,
        rows: &[(Vec<Cell>, Option<f64>)],
        found: &mut [Option<Found>],
        messages: Messages,
    ) -> Result<Self, CliError> {
        let path = target.journal();
        let work = describe(request, rows);
        let opened = Journal::open(&path, &work.to_string())
            .map_err(|error| refusal(error, &work, &path))?;
        let mut damaged = opened.damaged;
        let mut there = 0;
        for piece in &opened.pieces {
            let kept: Option<Kept> = serde_json::from_str(piece).ok();
            match kept.and_then(|kept| Some((found.get_mut(kept.row)?, kept.found))) {
                Some((place, kept)) => {
                    there += usize::from(place.is_none());
                    *place = Some(kept);
                }
                None => damaged += 1,
            }
        }
        if there > 0 {
            messages.note(format_args!(
                "{there} of {} are taken from {}",
                counted(found.len(), "row"),
                path.display()
            ));
        }
        if damaged > 0 {
            messages.note(format_args!(
                "{}: {} torn or changed and computed again",
                path.display(),
                match damaged {
                    1 => "1 line is".to_owned(),
                    many => format!("{many} lines are"),
                }
            ));
        }
        Ok(Partial(opened.journal))
    }

    /// Keeps a finished row: even SIGKILL leaves it from now on.
    pub(super) fn keep(&mut self, row: usize, found: &Found) -> Result<(), CliError> {
        let kept = Kept {
            row,
            found: found.clone(),
        };
        let line = serde_json::to_string(&kept).map_err(CliError::failure)?;
        self.0.append(&line).map_err(failure)
    }

    /// Brings all kept rows to the disk.
    pub(super) fn sync(&mut self) -> Result<(), CliError> {
        self.0.sync().map_err(failure)
    }

    /// Removes the file when its rows are where they belong.
    pub(super) fn remove(self) -> Result<(), CliError> {
        self.0.remove().map_err(failure)
    }

    /// Its file.
    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }
}

/// Identity of the rows: everything that they depend on.
fn describe(request: &Value, rows: &[(Vec<Cell>, Option<f64>)]) -> Value {
    let mut text = String::new();
    for (settings, reference_ma) in rows {
        let cells: Vec<String> = settings.iter().map(Cell::exact).collect();
        text.push_str(&format!("{cells:?} {reference_ma:?}\n"));
    }
    let rows_sha256 = sha256(text.as_bytes());
    json!({
        "request_sha256": sha256(format!("{request}\n{rows_sha256}").as_bytes()),
        "request": request,
        "rows": rows.len(),
        "rows_sha256": rows_sha256,
    })
}

/// Keeping a row failed.
fn failure(error: JournalError) -> CliError {
    CliError::failure(format!("{error}; the rows before are kept there"))
        .help("make room, then give the same command again: it goes on where this one ended")
}

/// The rows there cannot be gone on with.
fn refusal(error: JournalError, work: &Value, path: &Path) -> CliError {
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
            let difference = match first_difference("", &found["request"], &work["request"]) {
                Some((field, there, asked)) => {
                    format!(
                        "`{field}` is {} there, but {} here",
                        short(&there),
                        short(&asked)
                    )
                }
                None => "its rows differ".to_owned(),
            };
            CliError::request(format!(
                "`{name}` keeps {} of another request ({}, this one is {}): {difference}",
                counted(pieces, "finished row"),
                id(&found),
                id(work)
            ))
            .help(format!(
                "repeat that request to finish it, name another -o, or remove `{name}`"
            ))
        }
        error @ JournalError::Foreign { .. } => CliError::request(error).help(format!(
            "name another -o, or move `{name}` away: finished rows are kept there"
        )),
        error @ JournalError::Held { .. } => CliError::request(error),
        error => CliError::failure(error).help("make room, or name a file on another disk"),
    }
}

/// Place and values of the first difference.
fn first_difference(place: &str, a: &Value, b: &Value) -> Option<(String, Value, Value)> {
    match (a, b) {
        (Value::Object(x), Value::Object(y)) => x.keys().chain(y.keys()).find_map(|key| {
            let at = |object: &serde_json::Map<String, Value>| {
                object.get(key).cloned().unwrap_or_default()
            };
            let place = match place {
                "" => key.clone(),
                place => format!("{place}.{key}"),
            };
            first_difference(&place, &at(x), &at(y))
        }),
        _ if a == b => None,
        _ => Some((place.to_owned(), a.clone(), b.clone())),
    }
}

/// A value that may be a long list.
fn short(value: &Value) -> String {
    const LONGEST: usize = 60;
    let text = value.to_string();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}
