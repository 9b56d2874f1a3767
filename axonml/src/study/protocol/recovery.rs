//! Thresholds after a conditioning action potential, over the interval between them.

use std::sync::Arc;

use axonml_models::Detection;
use axonml_models::conditions::cell;
use serde_json::json;

use super::threshold::{
    Found, Unit, check_unknown, describe_search, search, search_keys, threshold_columns,
};
use super::{Question, curves, failed_row};
use crate::study::StudyError;
use crate::study::answer::Answer;
use crate::study::batch::Batch;
use crate::study::case::Case;
use crate::study::plan::{Plan, PlannedCase, Request};
use crate::study::report::{Cell, Results, Statuses, counted};
use crate::study::spec::{ConditioningSpec, OneOrMany, RecoveryProtocol, SourceSpec, Study, check};

/// Intervals where a study gives none, ms: refractory, supernormal and subnormal period.
const INTERVALS_MS: [f64; 8] = [2.0, 3.0, 5.0, 10.0, 20.0, 40.0, 70.0, 100.0];
/// The conditioning current where a study gives none, nA, ms: above threshold for every fiber of the MRG family.
const CONDITIONING_NA: f64 = 3.0;
const CONDITIONING_PW_MS: f64 = 0.2;
/// Time after the onset of the stimulus that a run lasts, ms.
const AFTER_ONSET_MS: f64 = 5.0;

impl RecoveryProtocol {
    fn intervals_ms(&self) -> Vec<f64> {
        match &self.intervals_ms {
            Some(intervals) => intervals.0.clone(),
            None => INTERVALS_MS.to_vec(),
        }
    }

    /// Onsets of the stimulus: the intervals after the first conditioning current, ms.
    fn onsets_ms(&self, study: &Study) -> OneOrMany<f64> {
        let at_ms = study.conditioning.first().map_or(0.0, |spec| spec.at_ms);
        let onsets = self.intervals_ms().into_iter();
        OneOrMany(onsets.map(|interval| at_ms + interval).collect())
    }
}

impl Question for RecoveryProtocol {
    fn completed(&self, study: &Study) -> Study {
        let mut study = study.clone();
        if study.conditioning.is_empty() {
            study.conditioning.push(ConditioningSpec {
                // The middle, whatever the fiber's length.
                at: Some(0.5),
                amp_na: CONDITIONING_NA,
                pw_ms: CONDITIONING_PW_MS,
                ..ConditioningSpec::default()
            });
        }
        if study.sources.is_empty() {
            study.sources.push(SourceSpec::default());
        }
        if study.sources[0].delay_ms.is_none() {
            study.sources[0].delay_ms = Some(self.onsets_ms(&study));
        }
        study
    }

    fn check(&self, study: &Study) -> Result<(), StudyError> {
        curves::check_field(study)?;
        check_unknown(study)?;
        if study.sources.len() > 1 {
            return Err(StudyError::request(
                "source: found several waveforms, expected one: the stimulus whose onset moves",
            ));
        }
        let intervals = self.intervals_ms.as_ref().map(|list| &list.0[..]);
        check::list("intervals_ms", intervals, cell::positive("ms"))?;
        let onsets = study
            .sources
            .first()
            .and_then(|source| source.delay_ms.as_ref());
        match onsets == Some(&self.onsets_ms(study)) || self.intervals_ms.is_none() {
            true => Ok(()),
            false => Err(check::exclusive("intervals_ms", "delay_ms of the source")),
        }
    }

    fn search_keys(&self, study: &Study) -> &'static [&'static str] {
        search_keys(study)
    }

    fn describe(&self, study: &Study, request: &mut Request) {
        request.put("intervals_ms", json!(self.intervals_ms()));
        request.put("conditioning", json!(study.conditioning));
        describe_search(study, request);
    }

    fn arrange(&self, plan: &mut Plan) -> Result<(), StudyError> {
        if plan.study.numerics.tstop_ms.is_some() {
            return Ok(());
        }
        for case in plan
            .cases
            .iter_mut()
            .filter_map(|planned| planned.case.as_mut().ok())
        {
            case.tstop_ms = case.tstop_ms.max(case.detection.after_ms + AFTER_ONSET_MS);
        }
        Ok(())
    }

    fn columns(&self, plan: &Plan) -> Vec<String> {
        let mut columns = threshold_columns(Unit::of(&plan.study));
        columns.insert(0, "interval_ms".to_owned());
        columns.insert(4, "unconditioned_mA".to_owned());
        columns.insert(5, "ratio".to_owned());
        columns
    }

    fn cells(&self, plan: &Plan, planned: &PlannedCase, answer: &[Cell]) -> Vec<Cell> {
        let onset = plan.columns.iter().position(|column| column == "delay_ms");
        let onset_ms = onset.and_then(|at| planned.settings[at].number());
        let at_ms = plan.study.conditioning.first().map(|spec| spec.at_ms);
        let interval = onset_ms.zip(at_ms).map(|(onset, at)| {
            // Without the digits that the sum's rounding makes.
            ((onset - at) * 1e9).round() / 1e9
        });
        let mut cells = vec![Cell::maybe(interval)];
        cells.extend(answer.iter().cloned());
        cells
    }

    fn answer(
        &self,
        plan: &Plan,
        cases: Vec<(usize, &Case)>,
        progress: &mut dyn FnMut(f64),
    ) -> Result<Vec<(usize, Answer)>, StudyError> {
        let study = &plan.study;
        let conditioning = study.conditioning.len();
        let silent = unconditioned_failures(&cases)?;
        let bare: Vec<(usize, Case)> = cases
            .iter()
            .map(|(index, case)| {
                let others = case.injections.iter().skip(conditioning).cloned();
                let case = Case {
                    injections: Arc::new(others.collect()),
                    ..(*case).clone()
                };
                (*index, case)
            })
            .collect();
        let conditioned = search(study, cases, &mut |part| progress(0.5 * part))?;
        let bare = bare.iter().map(|(index, case)| (*index, case)).collect();
        let unconditioned = search(study, bare, &mut |part| progress(0.5 + 0.5 * part))?;
        let unit = Unit::of(study);
        let answer = |(index, mut found): (usize, Found)| {
            if silent.contains(&index) {
                found = Found {
                    status: "error".to_owned(),
                    message: "the conditioning action potential does not reach the detection sites before the stimulus: the current \
                              starts none, or the interval is shorter than the conduction time"
                        .to_owned(),
                    ..Found::default()
                };
            }
            let mut of_case = unconditioned.iter();
            let without = of_case.find(|(other, _)| *other == index);
            let without_ma = without.and_then(|(_, found)| found.upper_ma);
            let ratio = found
                .upper_ma
                .zip(without_ma)
                .map(|(with, without)| with / without);
            let mut cells = found.cells(unit);
            cells.insert(3, Cell::maybe(without_ma));
            cells.insert(4, Cell::maybe(ratio));
            (index, Answer::of_rows(vec![cells]))
        };
        Ok(conditioned.into_iter().map(answer).collect())
    }

    fn failed(&self, plan: &Plan, status: &str, error: &StudyError) -> Answer {
        failed_row(self.columns(plan).len() - 1, status, error)
    }

    fn finish(&self, _plan: &Plan, results: &mut Results) -> Result<(), StudyError> {
        let statuses = Statuses::of(&results.table);
        let rows = results.table.rows.len();
        results.summary.insert("rows".into(), json!(rows));
        let words = format!("{}: {}", counted(rows, "threshold"), statuses.words());
        results.words.push(words);
        statuses.insert(&mut results.summary);
        Ok(())
    }
}

/// The cases whose conditioning current starts no action potential that arrives before the stimulus.
fn unconditioned_failures(cases: &[(usize, &Case)]) -> Result<Vec<usize>, StudyError> {
    let mut silent = Vec::new();
    let mut diverged = |_: usize, _: StudyError| {};
    let ready = Batch::settled(cases.to_vec(), &mut diverged)?;
    let Some((cases, batch)) = ready else {
        return Ok(silent);
    };
    let detection = Detection {
        after_ms: 0.0,
        ..cases[0].1.detection.clone()
    };
    let ran = batch
        .simulation
        .run_detected(&batch.stimulus, 0.0, &detection, &[])?;
    for (((index, case), start), crossings) in cases.iter().zip(&ran.starts).zip(&ran.crossings) {
        let sites = case.detection.nodes(case.fiber.nodes)?;
        let arrives = crossings
            .iter()
            .any(|at| sites.contains(&at.node) && at.time_ms < case.detection.after_ms);
        if start.is_none() || !arrives {
            silent.push(*index);
        }
    }
    Ok(silent)
}
