//! Currents through contacts that activate some fibers and spare others: the request, as far as its plan goes.
//!
//! A plan has a case for every fiber, whose sources are the nerve's contacts, one after the other, all with the waveform of
//! `[stimulus]`. They are not answered one by one: an optimization looks at all fibers at once.

use super::{Question, failed_row};
use crate::study::StudyError;
use crate::study::answer::Answer;
use crate::study::case::Case;
use crate::study::plan::Plan;
use crate::study::spec::{Diameters, FiberGroup, OptimizeProtocol, Study};

impl Question for OptimizeProtocol {
    fn search_keys(&self, _study: &Study) -> &'static [&'static str] {
        &[
            "first_amplitude_mA",
            "max_amplitude_mA",
            "resolution",
            "early_end",
            "end_excitation",
        ]
    }

    fn weighs_groups(&self) -> bool {
        true
    }

    fn draws_at_random(&self) -> bool {
        true
    }

    fn completed(&self, study: &Study) -> Study {
        let mut study = study.clone();
        study.numerics.tstop_ms.get_or_insert(Self::TSTOP_MS);
        study.search.resolution.get_or_insert(Self::RESOLUTION);
        if study.fibers.is_empty() {
            study.fibers.push(FiberGroup::default());
        }
        for group in &mut study.fibers {
            let model = axonml_models::model(group.model.as_deref().unwrap_or("mrg"));
            // An unknown model is refused by name later.
            let is_myelinated = model.is_ok_and(|model| model.schema().compartment_um.is_none());
            if group.diameter_um.is_none() && is_myelinated {
                group.diameter_um = Some(Diameters::One(Self::DIAMETER_UM));
            }
        }
        study
    }

    fn columns(&self, _plan: &Plan) -> Vec<String> {
        ["status", "message"].map(str::to_owned).to_vec()
    }

    fn answer(
        &self,
        _plan: &Plan,
        _cases: Vec<(usize, &Case)>,
        _progress: &mut dyn FnMut(f64),
    ) -> Result<Vec<(usize, Answer)>, StudyError> {
        Err(
            StudyError::request("protocol: an optimization is run as a whole, not case by case")
                .help("run it with `axonml optimize`, or axonml::design::optimize"),
        )
    }

    fn failed(&self, _plan: &Plan, status: &str, error: &StudyError) -> Answer {
        failed_row(2, status, error)
    }
}
