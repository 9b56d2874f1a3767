//! Thresholds over pulse width, with rheobase and chronaxie.

use serde_json::json;

use super::threshold::{
    Unit, check_unknown, describe_search, failed_threshold, search_keys, summarize,
    threshold_columns,
};
use super::{Question, curves};
use crate::curve::{StrengthDuration, StrengthDurationLaw};
use crate::study::StudyError;
use crate::study::answer::Answer;
use crate::study::case::Case;
use crate::study::plan::{Plan, Request};
use crate::study::report::{Cell, Results, Table, significant};
use crate::study::spec::{
    OneOrMany, SourceSpec, StrengthDurationProtocol, Study, ThresholdProtocol,
};

/// Pulse widths where a study gives none, ms: from far below to far above the chronaxie of a myelinated fiber.
const WIDTHS_MS: [f64; 8] = [0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0];

impl Question for StrengthDurationProtocol {
    fn completed(&self, study: &Study) -> Study {
        let mut study = study.clone();
        if study.sources.is_empty() {
            study.sources.push(SourceSpec::default());
        }
        if study
            .sources
            .iter()
            .all(|source| source.pulse_width_ms.is_none())
        {
            study.sources[0].pulse_width_ms = Some(OneOrMany(WIDTHS_MS.to_vec()));
        }
        study
    }

    fn check(&self, study: &Study) -> Result<(), StudyError> {
        curves::check_field(study)?;
        check_unknown(study)
    }

    fn search_keys(&self, study: &Study) -> &'static [&'static str] {
        search_keys(study)
    }

    fn describe(&self, study: &Study, request: &mut Request) {
        describe_search(study, request);
    }

    fn columns(&self, plan: &Plan) -> Vec<String> {
        threshold_columns(Unit::of(&plan.study))
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

    fn finish(&self, plan: &Plan, results: &mut Results) -> Result<(), StudyError> {
        summarize(results);
        let (columns, curves) = curves::by_fiber(plan, results, "pw_ms");
        let names = [
            "law",
            "rheobase_mA",
            "chronaxie_ms",
            "misfit_pct",
            "points",
            "message",
        ];
        let mut fits = Table::new(columns.iter().map(String::as_str).chain(names));
        let mut summary = Vec::new();
        for curve in &curves {
            let laws = [
                ("Weiss", StrengthDurationLaw::Weiss),
                ("Lapicque", StrengthDurationLaw::Lapicque),
            ];
            for (name, law) in laws {
                let fit = StrengthDuration::fit(law, &curve.points);
                let (numbers, message) = match &fit {
                    Ok(fit) => {
                        summary.push(json!({
                            "law": name, "rheobase_mA": fit.rheobase, "chronaxie_ms": fit.chronaxie_ms,
                            "misfit_pct": fit.misfit_pct,
                        }));
                        results.words.push(format!(
                            "{}: rheobase {} mA, chronaxie {} ms by {name}, misfit {} %",
                            curve.name,
                            significant(fit.rheobase, 4),
                            significant(fit.chronaxie_ms, 3),
                            significant(fit.misfit_pct, 2)
                        ));
                        let numbers = [fit.rheobase, fit.chronaxie_ms, fit.misfit_pct];
                        (numbers.map(Cell::Number), curve.left_out())
                    }
                    Err(error) => (std::array::from_fn(|_| Cell::Missing), error.to_string()),
                };
                let mut row = curve.settings.clone();
                row.push(Cell::text(name));
                row.extend(numbers);
                row.push(Cell::integer(curve.points.len()));
                row.push(Cell::text(message));
                fits.rows.push(row);
            }
        }
        results.summary.insert("fits".into(), json!(summary));
        results.further.push(("fits", fits));
        Ok(())
    }
}
