//! The files of shares, and the study that they make together.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::StudyError;
use super::answer::Answer;
use super::difference::{check_unchanged, first_difference, short};
use super::execute::Outcome;
use super::listener::Listener;
use super::plan::Plan;
use super::protocol::fits;
use super::report::{Results, json_text};
use super::setup::Machine;
use super::share::Share;
use super::spec::Study;

/// The file of a share.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ShareFile {
    share: Share,
    request: Value,
    cases: usize,
    answers: Vec<(usize, Answer)>,
    /// Cases of the share that could not be computed.
    #[serde(default)]
    refused: usize,
    seconds: f64,
}

impl ShareFile {
    /// Reads the file of a share.
    fn read(text: &str) -> Result<Self, StudyError> {
        let wrong = |problem: String| {
            StudyError::request(problem).help("give files that `--part I/N -o FILE.json` wrote")
        };
        let file: ShareFile = serde_json::from_str(text)
            .map_err(|error| wrong(format!("found no part of a study: {error}")))?;
        let Share { index, of } = file.share;
        match (1..=of).contains(&index) {
            true => Ok(file),
            false => Err(wrong(format!(
                "found part {index}/{of}, expected I/N with I from 1 to N"
            ))),
        }
    }
}

/// The file of a share, as JSON, which [`merge`] reads.
///
/// # Errors
/// [`StudyError`] if the share is not finished.
pub fn share_text(plan: &Plan, share: Share, outcome: &Outcome) -> Result<String, StudyError> {
    let each = outcome.answers.iter().enumerate();
    let answers: Vec<(usize, Answer)> = each
        .filter_map(|(index, answer)| Some((index, answer.clone()?)))
        .collect();
    let expected = (0..plan.cases.len())
        .filter(|case| share.has(*case))
        .count();
    if outcome.canceled || answers.len() != expected {
        return Err(StudyError::failure(format!(
            "part {share} is not finished: {} of {expected} cases",
            answers.len()
        )));
    }
    let file = ShareFile {
        share,
        request: plan.request(),
        cases: plan.cases.len(),
        answers,
        refused: outcome.refused,
        seconds: outcome.seconds,
    };
    let value = serde_json::to_value(&file).map_err(StudyError::failure)?;
    Ok(json_text(&value))
}

/// Puts shares together: the results are those of the study in one piece, to the byte but for the time it took.
///
/// `files` are names and texts. The study's own files (nerves, tables, waveforms) are read again and must be those that
/// the shares were computed from.
///
/// # Errors
/// [`StudyError`] if a text is no share, shares are of different studies or versions, one is missing or there twice, or
/// the study's files have changed.
pub fn merge(
    files: &[(String, String)],
    machine: &Machine,
    listener: &mut dyn Listener,
) -> Result<(Plan, Outcome, Results), StudyError> {
    let mut shares: Vec<(&str, ShareFile)> = Vec::new();
    for (name, text) in files {
        shares.push((name, ShareFile::read(text).map_err(|error| error.at(name))?));
    }
    let Some((first_name, first)) = shares.first() else {
        return Err(StudyError::request("found no parts, expected one or more"));
    };
    for (name, share) in &shares[1..] {
        let difference = first_difference("", &first.request, &share.request);
        if let Some((field, there, here)) = difference {
            return Err(StudyError::request(format!(
                "{name} is a part of another study than {first_name}: `{field}` is {} there, but {} here",
                short(&there),
                short(&here)
            )));
        }
        if (share.share.of, share.cases) != (first.share.of, first.cases) {
            return Err(StudyError::request(format!(
                "{name} is part {} of {} cases, {first_name} part {} of {}",
                share.share, share.cases, first.share, first.cases
            )));
        }
    }
    for part in 1..=first.share.of {
        let of_part = shares.iter().filter(|(_, file)| file.share.index == part);
        let names: Vec<&str> = of_part.map(|(name, _)| *name).collect();
        match names[..] {
            [_] => {}
            [] => {
                return Err(StudyError::request(format!(
                    "part {part}/{} is missing beside {first_name}",
                    first.share.of
                ))
                .help("compute it, then merge again"));
            }
            [a, b, ..] => {
                return Err(StudyError::request(format!(
                    "{a} and {b} are both part {part}/{}",
                    first.share.of
                ))
                .help("give every part once"));
            }
        }
    }
    let study: Study = serde_json::from_value(first.request["study"].clone())
        .map_err(|error| StudyError::request(error).at(first_name))?;
    let plan = Plan::new(&study, machine, listener).map_err(|error| error.at(first_name))?;
    check_unchanged(&first.request, &plan.request()).map_err(|error| error.at(first_name))?;
    if plan.cases.len() != first.cases {
        return Err(StudyError::request(format!(
            "the study has {} cases, {first_name} is a part of {}",
            plan.cases.len(),
            first.cases
        )));
    }
    let mut answers: Vec<Option<Answer>> = vec![None; first.cases];
    for (name, file) in &shares {
        for (case, answer) in &file.answers {
            let is_its = file.share.has(*case) && *case < first.cases && answers[*case].is_none();
            if !is_its {
                return Err(StudyError::request(format!(
                    "{name}: found case {case}, which part {} does not have",
                    file.share
                )));
            }
            if !fits(&plan, *case, answer) {
                return Err(StudyError::request(format!(
                    "{name}: the answer of case {case} has other rows than this version makes"
                ))
                .help("compute the part again"));
            }
            answers[*case] = Some(answer.clone());
        }
    }
    if let Some(case) = answers.iter().position(Option::is_none) {
        let mut ours = shares.iter().filter(|(_, file)| file.share.has(case));
        let name = ours.next().map_or(*first_name, |(name, _)| *name);
        return Err(
            StudyError::request(format!("{name}: case {case} is missing"))
                .help("compute the part again"),
        );
    }
    let seconds = shares.iter().map(|(_, file)| file.seconds).sum();
    let refused = shares.iter().map(|(_, file)| file.refused).sum();
    let outcome = Outcome::whole(answers, refused, seconds);
    let mut results = plan.results(&outcome)?;
    results.request = first.request.clone();
    Ok((plan, outcome, results))
}
