//! Counts of action potentials over amplitude, frequency and fiber: kHz maps.

use axonml_models::TransmissionState;
use serde_json::json;

use super::block::with_khz_signal;
use super::{Question, curves, failed_row};
use crate::study::StudyError;
use crate::study::answer::Answer;
use crate::study::batch::{Batch, of_one};
use crate::study::case::Case;
use crate::study::plan::{Plan, Request};
use crate::study::report::{Cell, Results, Statuses, counted};
use crate::study::spec::{ResponseProtocol, Study, TestPulseSpec};

/// Amplitudes where a study gives none, mA.
const STEPS: usize = 21;
const MAX_MA: f64 = 2.0;
/// Runs that are made at once at first.
const FIRST_RUNS: usize = 256;

/// State where test pulses do not arrive even without the field: nothing can be said of block.
const NO_ACTIVATION: &str = "no_activation";

const COLUMNS: [&str; 5] = ["amplitude_mA", "n_ap", "n_ap_expected", "state", "message"];

impl ResponseProtocol {
    /// The amplitudes, mA.
    pub fn amplitudes_ma(&self) -> Vec<f64> {
        match &self.amplitude_ma {
            Some(numbers) => numbers.values().to_vec(),
            None => {
                let step = MAX_MA / (STEPS - 1) as f64;
                (0..STEPS).map(|k| step * k as f64).collect()
            }
        }
    }
}

impl Question for ResponseProtocol {
    fn completed(&self, study: &Study) -> Study {
        with_khz_signal(study, self.test_pulse.as_ref())
    }

    fn check(&self, study: &Study) -> Result<(), StudyError> {
        curves::check_field(study)?;
        if study.injections.iter().any(|spec| spec.amp_na.is_none()) {
            return Err(StudyError::request(
                "inject: found no amp_nA, expected one: nothing is looked for",
            ));
        }
        if let Some(pulses) = &self.test_pulse {
            pulses.check()?;
        }
        let amplitudes = self.amplitudes_ma();
        match amplitudes.iter().find(|ma| !ma.is_finite()) {
            _ if amplitudes.is_empty() => Err(StudyError::request(
                "amplitude_mA: found an empty list, expected one or more numbers",
            )),
            Some(ma) => Err(StudyError::request(format!(
                "amplitude_mA: found {ma}, expected finite numbers"
            ))),
            None => Ok(()),
        }
    }

    fn describe(&self, _study: &Study, request: &mut Request) {
        request.put("amplitude_mA", json!(self.amplitudes_ma()));
        request.put("test_pulse", json!(self.test_pulse));
    }

    fn check_case(&self, case: &Case) -> Result<(), StudyError> {
        let pulses = self.test_pulse.as_ref();
        pulses.map_or(Ok(()), |pulses| pulses.check_case(case))
    }

    fn columns(&self, _plan: &Plan) -> Vec<String> {
        COLUMNS.map(str::to_owned).to_vec()
    }

    fn first_batch(&self, _plan: &Plan) -> usize {
        (FIRST_RUNS / self.amplitudes_ma().len()).max(1)
    }

    fn answer(
        &self,
        _plan: &Plan,
        cases: Vec<(usize, &Case)>,
        progress: &mut dyn FnMut(f64),
    ) -> Result<Vec<(usize, Answer)>, StudyError> {
        let mut answers = Vec::with_capacity(cases.len());
        let mut diverged = |index: usize, error: StudyError| {
            answers.push((index, failed_row(COLUMNS.len(), "diverged", &error)));
        };
        let ready = Batch::settled(cases, &mut diverged)?;
        let Some((cases, batch)) = ready else {
            return Ok(answers);
        };
        let mut each = self.amplitudes_ma();
        // Whether test pulses arrive at all is seen without the field.
        let asked = each.len();
        if self.test_pulse.is_some() {
            each.push(0.0);
        }
        let amplitudes = vec![each; cases.len()];
        let pulses = self.test_pulse.as_ref().map(TestPulseSpec::pulses);
        let counted = batch.simulation.transmission(
            &batch.stimulus,
            pulses.as_ref(),
            &cases[0].1.detection,
            &amplitudes,
            progress,
        )?;
        for (fiber, ((index, _), counted)) in cases.iter().zip(counted).enumerate() {
            let without_field = counted.get(asked).map(|at| at.state);
            let arrives = without_field.is_none_or(|state| state == TransmissionState::Transmitted);
            let rows = counted.iter().take(asked).map(|at| {
                let diverged = at.state == TransmissionState::Diverged;
                let why = batch.simulation.divergence(fiber, at.status);
                // A run that did not last has no counts.
                let count = |n: usize| match diverged {
                    true => Cell::Missing,
                    false => Cell::integer(n),
                };
                vec![
                    Cell::Number(at.amplitude_ma),
                    count(at.n_ap),
                    Cell::integer(at.n_ap_expected),
                    Cell::text(match arrives || diverged {
                        true => at.state.name(),
                        false => NO_ACTIVATION,
                    }),
                    Cell::text(match why {
                        Some(error) => of_one(error).message(),
                        None if arrives => String::new(),
                        None => "without the field the test pulses are not transmitted: raise amp, or set pulses further apart"
                            .to_owned(),
                    }),
                ]
            });
            answers.push((*index, Answer::of_rows(rows.collect())));
        }
        Ok(answers)
    }

    fn failed(&self, _plan: &Plan, status: &str, error: &StudyError) -> Answer {
        failed_row(COLUMNS.len(), status, error)
    }

    fn finish(&self, _plan: &Plan, results: &mut Results) -> Result<(), StudyError> {
        let states = Statuses::of_column(&results.table, "state");
        let rows = results.table.rows.len();
        results.summary.insert("rows".into(), json!(rows));
        results
            .words
            .push(format!("{}: {}", counted(rows, "response"), states.words()));
        results
            .summary
            .insert("states".into(), states.counts().into());
        Ok(())
    }
}
