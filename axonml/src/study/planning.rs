//! Plans studies: lays out their cases, and has their question complete and check them.

use axonml_core::error::short;

use super::StudyError;
use super::case::Case;
use super::listener::Listener;
use super::plan::{Plan, lay_out};
use super::protocol::question;
use super::setup::Machine;
use super::spec::Study;
use super::unused;

impl Plan {
    /// Plans a study on a machine: reads its files, checks them, and lays out its cases.
    ///
    /// # Errors
    /// [`StudyError`] for what is wrong with the study as a whole; what is wrong with single cases stays with them and is
    /// found by [`Plan::refused`].
    pub fn new(
        study: &Study,
        machine: &Machine,
        listener: &mut dyn Listener,
    ) -> Result<Self, StudyError> {
        study.check_numbers()?;
        let given = study.with_models_read()?;
        let completed = question(&given.protocol).completed(&given);
        let (given, study) = (&given, &completed);
        let question = question(&study.protocol);
        question.check(study)?;
        unused::check(study, given, listener)?;
        let mut plan = lay_out(study, machine, listener)?;
        question.arrange(&mut plan)?;
        for planned in &mut plan.cases {
            let Ok(case) = &planned.case else { continue };
            let checked = check_detection(case).and_then(|()| question.check_case(case));
            if let Err(error) = checked {
                planned.case = Err(error.at(&planned.name));
            }
        }
        let cases = plan.cases.iter();
        let cases: Vec<&Case> = cases
            .filter_map(|planned| planned.case.as_ref().ok())
            .collect();
        plan.request.put_cases(cases.iter().copied());
        question.describe(study, &mut plan.request);
        let as_json = serde_json::to_value(study).map_err(StudyError::failure)?;
        plan.request.put("study", as_json);
        Ok(plan)
    }
}

/// Refuses detection that begins when the run is over: nothing would be found, whatever happens.
fn check_detection(case: &Case) -> Result<(), StudyError> {
    match case.detection.after_ms < case.tstop_ms {
        true => Ok(()),
        false => Err(StudyError::request(format!(
            "the beginning of detection is `{} ms`: expected a time within the run, 0 to {} ms",
            short(case.detection.after_ms),
            short(case.tstop_ms)
        ))
        .help("lower detection.after_ms (--detect-after), or raise tstop (--tstop)")),
    }
}
