//! Thresholds over the distance of a point electrode.

use serde_json::json;

use super::threshold::{
    Unit, check_unknown, describe_search, failed_threshold, search_keys, summarize,
    threshold_columns,
};
use super::{Question, curves};
use crate::curve::CurrentDistance;
use crate::study::StudyError;
use crate::study::answer::Answer;
use crate::study::case::Case;
use crate::study::plan::{Plan, Request};
use crate::study::report::{Cell, Results, Table, significant};
use crate::study::spec::{CurrentDistanceProtocol, OneOrMany, Study, ThresholdProtocol};

/// Distances where a study gives none, um.
const DISTANCES_UM: [f64; 7] = [200.0, 300.0, 500.0, 750.0, 1000.0, 1500.0, 2000.0];

impl Question for CurrentDistanceProtocol {
    fn completed(&self, study: &Study) -> Study {
        let mut study = study.clone();
        if !study.field.flows() {
            study.field.distance_um = Some(OneOrMany(DISTANCES_UM.to_vec()));
        }
        study
    }

    fn check(&self, study: &Study) -> Result<(), StudyError> {
        curves::check_field(study)?;
        match study.field.distance_um {
            Some(_) => check_unknown(study),
            None => Err(StudyError::request(
                "found another field than distances of a point electrode, expected them",
            )
            .help("give --distance 200,500,1000 in place of --point, --nerve and --basis")),
        }
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
        let (columns, curves) = curves::by_fiber(plan, results, "distance_um");
        let names = ["i0_mA", "k_mA_per_mm2", "misfit_pct", "points", "message"];
        let mut fits = Table::new(columns.iter().map(String::as_str).chain(names));
        let mut summary = Vec::new();
        for curve in &curves {
            let points: Vec<(f64, f64)> = curve
                .points
                .iter()
                .map(|(um, ma)| (1e-3 * um, *ma))
                .collect();
            let (numbers, message) = match CurrentDistance::fit(&points) {
                Ok(fit) => {
                    summary.push(json!({
                        "i0_mA": fit.i0_ma, "k_mA_per_mm2": fit.k_ma_per_mm2, "misfit_pct": fit.misfit_pct,
                    }));
                    results.words.push(format!(
                        "{}: I = {} mA + {} mA/mm2 r2, misfit {} %",
                        curve.name,
                        significant(fit.i0_ma, 3),
                        significant(fit.k_ma_per_mm2, 3),
                        significant(fit.misfit_pct, 2)
                    ));
                    let numbers = [fit.i0_ma, fit.k_ma_per_mm2, fit.misfit_pct];
                    (numbers.map(Cell::Number), curve.left_out())
                }
                Err(error) => (std::array::from_fn(|_| Cell::Missing), error.to_string()),
            };
            let mut row = curve.settings.clone();
            row.extend(numbers);
            row.push(Cell::integer(curve.points.len()));
            row.push(Cell::text(message));
            fits.rows.push(row);
        }
        results.summary.insert("fits".into(), json!(summary));
        results.further.push(("fits", fits));
        Ok(())
    }
}
