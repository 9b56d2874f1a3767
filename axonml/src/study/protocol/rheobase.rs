//! Rheobases: thresholds of a pulse so long that a longer one changes nothing.

use axonml_models::conditions::cell;

use super::threshold::{
    Unit, check_unknown, describe_search, failed_threshold, search_keys, summarize,
    threshold_columns,
};
use super::{Question, curves};
use crate::study::StudyError;
use crate::study::answer::Answer;
use crate::study::case::Case;
use crate::study::plan::{Plan, Request};
use crate::study::report::Results;
use crate::study::spec::{
    OneOrMany, RheobaseProtocol, SourceSpec, Study, ThresholdProtocol, check,
};

/// Width where a study gives none, ms: a hundred chronaxies of a myelinated fiber.
const PW_MS: f64 = 20.0;
/// Time after the pulse that a run lasts, ms.
const AFTER_MS: f64 = 3.0;

impl Question for RheobaseProtocol {
    fn completed(&self, study: &Study) -> Study {
        let mut study = study.clone();
        let pw_ms = self.pw_ms.unwrap_or(PW_MS);
        if study.sources.is_empty() {
            study.sources.push(SourceSpec::default());
        }
        study.sources[0]
            .pulse_width_ms
            .get_or_insert(OneOrMany(vec![pw_ms]));
        study
            .numerics
            .tstop_ms
            .get_or_insert((pw_ms + AFTER_MS).ceil());
        study
    }

    fn check(&self, study: &Study) -> Result<(), StudyError> {
        curves::check_field(study)?;
        check_unknown(study)?;
        check::optional("pw_ms", self.pw_ms, cell::positive("ms"))?;
        let widths = study
            .sources
            .first()
            .and_then(|source| source.pulse_width_ms.as_ref());
        match (widths.map(|list| &list.0[..]), self.pw_ms) {
            (Some([width]), Some(pw_ms)) if *width == pw_ms => Ok(()),
            (Some([_]), None) => Ok(()),
            _ => Err(check::exclusive("pw_ms", "pulse_width_ms of the source")),
        }
    }

    fn search_keys(&self, study: &Study) -> &'static [&'static str] {
        search_keys(study)
    }

    fn describe(&self, study: &Study, request: &mut Request) {
        describe_search(study, request);
    }

    fn columns(&self, plan: &Plan) -> Vec<String> {
        let columns = threshold_columns(Unit::of(&plan.study)).into_iter();
        columns
            .map(|column| column.replace("threshold", "rheobase"))
            .collect()
    }

    fn answer(
        &self,
        plan: &Plan,
        cases: Vec<(usize, &Case)>,
        progress: &mut dyn FnMut(f64),
    ) -> Result<Vec<(usize, Answer)>, StudyError> {
        ThresholdProtocol::default().answer(plan, cases, progress)
    }

    fn failed(&self, _plan: &Plan, status: &str, error: &StudyError) -> Answer {
        failed_threshold(status, error)
    }

    fn finish(&self, _plan: &Plan, results: &mut Results) -> Result<(), StudyError> {
        summarize(results);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use axonml_models::Device;

    use crate::study::{Execution, Machine, Plan, Silent, Study};

    /// A pulse of half the width has the same threshold within the resolution of the search, and one of a chronaxie about
    /// twice it.
    #[test]
    fn a_longer_pulse_changes_nothing() {
        let of = |pw_ms: f64| {
            let study = Study::from_toml(&format!(
                "[field]\ndistance_um = 1000\n[protocol]\nkind = \"rheobase\"\npw_ms = {pw_ms}"
            ));
            let machine = Machine::new(Device::auto().unwrap());
            let plan = Plan::new(&study.unwrap(), &machine, &mut Silent).unwrap();
            let outcome = plan.run(&Execution::default(), &mut Silent).unwrap();
            let results = plan.results(&outcome).unwrap();
            results.table.numbers("rheobase_mA")[0].unwrap()
        };
        let rheobase = of(20.0);
        assert!((of(10.0) / rheobase - 1.0).abs() < 2e-4);
        assert!((1.8..2.2).contains(&(of(0.15) / rheobase)));
    }
}
