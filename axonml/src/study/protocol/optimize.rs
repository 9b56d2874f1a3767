//! Currents through contacts that activate some fibers and spare others: the request, as far as its plan goes.
//!
//! A plan has a case for every fiber, whose sources are the nerve's contacts, one after the other, all with the waveform of
//! `[stimulus]`. They are not answered one by one: an optimization looks at all fibers at once. [`Member`] has what is
//! wanted of each: its target, and its weight, 0 of fibers that may do as they like.
//!
//! [`Member`]: crate::study::Member

use serde_json::{Value, json};

use super::threshold::describe_search;
use super::{Question, failed_row};
use crate::study::StudyError;
use crate::study::answer::Answer;
use crate::study::case::Case;
use crate::study::plan::{Plan, Request};
use crate::study::spec::{Diameters, FiberGroup, OptimizeProtocol, Study, Want};

impl Question for OptimizeProtocol {
    fn check(&self, _study: &Study) -> Result<(), StudyError> {
        match self.nerves.is_empty() {
            true => Ok(()),
            false => Err(StudyError::request(format!(
                "nerves: found {} nerves, expected one: each of several is planned by itself",
                self.nerves.len()
            ))
            .help("plan the studies of OptimizeProtocol::of_each_nerve, or run `axonml optimize`")),
        }
    }

    fn search_keys(&self, _study: &Study) -> &'static [&'static str] {
        &[
            "first_amplitude_mA",
            "max_amplitude_mA",
            "resolution",
            "early_end",
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
        let models: Vec<_> = study
            .fibers
            .iter()
            .map(|group| study.model_of(group))
            .collect();
        for (group, model) in study.fibers.iter_mut().zip(models) {
            // An unknown model is refused by name later.
            let is_myelinated = model.is_ok_and(|model| model.schema().compartment_um.is_none());
            if group.diameter_um.is_none() && is_myelinated {
                group.diameter_um = Some(Diameters::One(Self::DIAMETER_UM));
            }
        }
        study
    }

    fn describe(&self, study: &Study, request: &mut Request) {
        describe_search(study, request);
        request.put("seed", study.numerics.seed.unwrap_or(0));
        let Ok(Value::Object(tables)) = serde_json::to_value(study.with_design_defaults()) else {
            return;
        };
        for (name, table) in tables {
            match name.as_str() {
                "protocol" => request.put("optimize", table),
                "stimulus" | "limits" | "gd" | "de" | "robust" => request.put(&name, table),
                _ => {}
            }
        }
        let wants = study.fibers.iter().map(|group| group.want().name());
        request.put("want", json!(wants.collect::<Vec<_>>()));
    }

    fn arrange(&self, plan: &mut Plan) -> Result<(), StudyError> {
        for planned in &mut plan.cases {
            let member = &mut planned.member;
            member.target = match plan.study.fibers[member.group].want() {
                Want::Target => member.target,
                Want::Activate => Some(true),
                Want::Spare => Some(false),
                Want::Ignore => None,
            };
        }
        check_targets(plan)
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

/// Refuses fibers of which nobody knows what they should do, and goals that are none.
fn check_targets(plan: &Plan) -> Result<(), StudyError> {
    let name = plan.place.as_ref().and_then(|place| place.nerve());
    let name = name.map_or("", |nerve| nerve.name());
    let counting = plan.cases.iter().map(|planned| &planned.member);
    let counting: Vec<_> = counting.filter(|member| member.weight > 0.0).collect();
    if counting.iter().any(|member| member.target.is_none()) {
        return Err(StudyError::request(format!(
            "target: found none, and nerve {name} has no target.npy; expected the fibers that should fire"
        ))
        .help("give target = \"fascicles:2,5\" or a file (--target), or want = \"activate\" or \"spare\" to each group"));
    }
    let targets = counting.iter().filter(|member| member.target == Some(true));
    let problem = match targets.count() {
        0 => "no fiber that should fire",
        all if all == counting.len() => "no fiber that should be spared",
        _ => return Ok(()),
    };
    Err(StudyError::request(format!(
        "target: found {problem} among {} fibers of nerve {name}, expected fibers of both kinds",
        counting.len()
    ))
    .help("change target (--target), or want of a group (--group)"))
}
