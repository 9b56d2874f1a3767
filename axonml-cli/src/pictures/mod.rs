//! From results to pictures: which picture answers which question, and what it says.

pub(crate) mod action_potentials;
mod answers;
pub(crate) mod design;
mod geometry;
mod run;
mod thresholds;
mod words;

use std::path::Path;

use axonml::study::{Found, Outcome, Plan, Protocol, Results};
use axonml::table::names;

use crate::args::PlotArgs;
use crate::error::CliError;
use crate::plot::{Page, Picture};
pub(crate) use thresholds::Thresholds;

/// Page and horizontal axis of a picture.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layout {
    /// Size and resolution.
    pub(crate) page: Page,
    /// Column on the horizontal axis, where one is asked for.
    pub(crate) x: Option<String>,
}

impl Layout {
    /// As the flags have it.
    pub(crate) fn of(args: &PlotArgs) -> Result<Self, CliError> {
        Ok(Layout {
            page: args.page()?,
            x: args.x.clone(),
        })
    }

    /// The place of the column that is asked for among those of the rows.
    fn column(&self, columns: &[String]) -> Result<Option<usize>, CliError> {
        let Some(name) = &self.x else {
            return Ok(None);
        };
        match columns.iter().position(|column| column == name) {
            Some(at) => Ok(Some(at)),
            None => {
                let nearest = names::nearest(name, columns.iter().map(String::as_str))
                    .map(|nearest| format!(" (did you mean `{nearest}`?)"));
                Err(CliError::request(format!(
                    "--x {name}: there is no such column{}",
                    nearest.unwrap_or_default()
                ))
                .help(format!("columns of the rows: {}", columns.join(", "))))
            }
        }
    }

    /// Refuses an axis where the picture has its own.
    pub(crate) fn refuse_x(&self, picture: &str) -> Result<(), CliError> {
        match &self.x {
            None => Ok(()),
            Some(name) => Err(CliError::request(format!(
                "--x {name} has no effect: {picture} has an axis of its own"
            ))
            .help("leave it out")),
        }
    }
}

/// Refuses, before any work, what the picture of a study cannot show.
pub(crate) fn check(plan: &Plan, layout: &Layout) -> Result<(), CliError> {
    match &plan.study.protocol {
        Protocol::Run(_) => layout.refuse_x("a run over time"),
        Protocol::Recruitment(_) => layout.refuse_x("a recruitment curve"),
        Protocol::Response(_) => layout.refuse_x("a map of responses"),
        _ => layout.column(&plan.columns).map(|_| ()),
    }
}

/// Draws the results of a study into a file.
pub(crate) fn draw(
    plan: &Plan,
    outcome: &Outcome,
    results: &Results,
    path: &Path,
    layout: &Layout,
) -> Result<(), CliError> {
    let picture: Box<dyn Picture> = match &plan.study.protocol {
        Protocol::Run(protocol) => run::picture(plan, protocol, outcome)?,
        Protocol::Recruitment(_) => Box::new(answers::recruitment(plan, results)),
        Protocol::Response(_) => answers::response(plan, results)?,
        Protocol::Block(_) => answers::block(plan, results, layout)?,
        Protocol::Cv(_) => answers::velocities(plan, results, layout)?,
        Protocol::StrengthDuration(_) | Protocol::CurrentDistance(_) | Protocol::Recovery(_) => {
            answers::curve(plan, results, layout)?
        }
        _ => {
            let answers = outcome.answers.iter();
            let found: Vec<Found> = answers
                .map(|answer| {
                    answer
                        .as_ref()
                        .and_then(Found::of_answer)
                        .unwrap_or_default()
                })
                .collect();
            let references: Vec<Option<f64>> = plan
                .cases
                .iter()
                .map(|planned| planned.reference_ma)
                .collect();
            Thresholds::new(plan, layout)?.picture(&found, &references)?
        }
    };
    Ok(picture.save(path, &layout.page)?)
}
