//! `kind = "optimize"`: what is wanted, and how it is measured.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use axonml_models::conditions::cell;
use serde::{Deserialize, Serialize};

use super::names::{Method, ObjectiveSpec, PenaltyName};
use super::span::Span;
use super::written::{as_text, unknown};
use crate::study::StudyError;
use crate::study::spec::check::{empty, exclusive, idle, list, optional};
use crate::study::spec::{Protocol, Study};

/// `kind = "optimize"`: currents through the contacts of a nerve that activate its targets and spare its other fibers.
///
/// An optimization is done as a whole, not case by case. The field is a nerve, or one of several; `[[source]]` has no part
/// in it: what contacts deliver is the answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OptimizeProtocol {
    /// `scan`, `gd` (by default) or `de`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<Method>,
    /// `gd` after `de`: what polishes the best member.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub then: Option<Method>,
    /// Objective; `selective` by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub objective: Option<ObjectiveSpec>,
    /// Two things that are lowered at once, for a Pareto front; of `de` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub objectives: Option<Vec<Criterion>>,
    /// Fibers that should fire: a file of one flag per line, or `fascicles:2,5`; by default the nerve's `target.npy`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<TargetSpec>,
    /// A file with the share of each line in the area of the nerve; by default the nerve's `weights.npy`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub area_weights: Option<PathBuf>,
    /// Shares of a line's weight for each diameter of the first group, of any positive sum; equal by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diameter_shares: Option<Vec<f64>>,
    /// Part of the target area that should fire: one number, or the ends of a range; 1 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recruit: Option<Span>,
    /// Nerve folders, in place of the field's one: there is a result for each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub nerves: Vec<PathBuf>,
    /// Whether one stimulus is sought for all nerves.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub shared: bool,
    /// Time after which the best so far is the result, s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_seconds: Option<f64>,
    /// Evaluations (candidates, each on one nerve) after which the best so far is the result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_evaluations: Option<usize>,
    /// Whether the best montages are reported beside the result; true by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baselines: Option<bool>,
    /// Costs of stimuli.
    #[serde(skip_serializing_if = "PenaltySpec::is_empty")]
    pub penalty: PenaltySpec,
}

impl OptimizeProtocol {
    /// Duration of a run unless a study says otherwise, ms.
    pub const TSTOP_MS: f64 = 2.5;
    /// Diameter of myelinated fibers unless a study says otherwise, um.
    pub const DIAMETER_UM: f64 = 5.7;
    /// Width of the final bracket of a threshold search on the way, relative to its upper end, unless a study says
    /// otherwise.
    pub const RESOLUTION: f64 = 1e-3;
    /// The same where a result is proven.
    pub const PROOF_RESOLUTION: f64 = 1e-4;

    /// How stimuli are looked for.
    pub fn method(&self) -> Method {
        self.method.unwrap_or(Method::Gd)
    }

    /// Objective, where there is no Pareto front.
    pub fn objective(&self) -> ObjectiveSpec {
        self.objective.unwrap_or(ObjectiveSpec::Selective)
    }

    /// The two things that are lowered at once, where there is a Pareto front.
    pub fn pareto(&self) -> Option<[Criterion; 2]> {
        self.objectives
            .as_deref()
            .and_then(|both| both.try_into().ok())
    }

    /// Least and greatest part of the target area that should fire.
    pub fn recruit(&self) -> [f64; 2] {
        self.recruit.map_or([1.0, 1.0], |span| span.0)
    }

    /// The studies of single nerves that a study of several is made of; the study itself where it has one.
    pub fn of_each_nerve(study: &Study) -> Vec<Study> {
        let Protocol::Optimize(protocol) = &study.protocol else {
            return vec![study.clone()];
        };
        if protocol.nerves.is_empty() {
            return vec![study.clone()];
        }
        let of_nerve = |nerve: &PathBuf| {
            let mut one = study.clone();
            one.field.nerve = Some(nerve.clone());
            one.protocol = Protocol::Optimize(OptimizeProtocol {
                nerves: Vec::new(),
                shared: false,
                ..protocol.clone()
            });
            one
        };
        protocol.nerves.iter().map(of_nerve).collect()
    }

    /// Whether the best montages are reported.
    pub fn baselines(&self) -> bool {
        self.baselines.unwrap_or(true)
    }

    /// Whether some part of it descends along gradients.
    pub fn descends(&self) -> bool {
        self.method() == Method::Gd || self.then == Some(Method::Gd)
    }

    /// Whether some part of it is an evolution.
    pub fn evolves(&self) -> bool {
        self.method() == Method::De
    }
}

impl OptimizeProtocol {
    /// The same table with every default that acts written out.
    #[must_use]
    pub fn completed(&self) -> Self {
        let ranks = self.method() == Method::Scan || self.objectives.is_some();
        OptimizeProtocol {
            method: Some(self.method()),
            objective: (!ranks).then(|| self.objective()),
            recruit: Some(Span(self.recruit())),
            baselines: Some(self.baselines()),
            ..self.clone()
        }
    }
}

impl OptimizeProtocol {
    pub(super) fn check(&self, study: &Study) -> Result<(), StudyError> {
        let method = self.method();
        if let Some(then) = self.then {
            if method != Method::De {
                let why = format!("the method is {method}, not de");
                return Err(idle("then", &why));
            }
            if then != Method::Gd {
                let problem = format!("then: found {then}, expected gd");
                return Err(StudyError::request(problem).help("leave it out, or give gd"));
            }
        }
        self.check_objectives(method)?;
        if let Some(TargetSpec::Fascicles(numbers)) = &self.target
            && numbers.is_empty()
        {
            return Err(empty("target", "fascicles"));
        }
        if let Some(shares) = &self.diameter_shares {
            list("diameter_shares", Some(shares), cell::not_negative(""))?;
            let diameters = study.diameters_of_a_line();
            if shares.len() != diameters {
                return Err(StudyError::request(format!(
                    "diameter_shares: found {} shares, expected {diameters}, one for each diameter",
                    shares.len()
                ))
                .help("give a share for each diameter of the first group, or leave it out for equal ones"));
            }
            if shares.iter().sum::<f64>() <= 0.0 {
                return Err(StudyError::request(
                    "diameter_shares: found 0 only, expected a share above 0",
                )
                .help("give one diameter a share, or leave it out for equal ones"));
            }
        }
        if let Some(Span([least, most])) = self.recruit
            && !(0.0 <= least && least <= most && most <= 1.0 && most > 0.0)
        {
            return Err(StudyError::request(format!(
                "recruit: found {}, expected a fraction above 0, at most 1, or a range of them, the least first",
                Span([least, most])
            ))
            .help("give a fraction of the target area such as 0.5, or 0.1:0.8"));
        }
        if self.shared && self.nerves.len() < 2 {
            return Err(
                idle("shared", "there is one nerve").help("give several nerves, or leave it out")
            );
        }
        optional("max_seconds", self.max_seconds, cell::positive("s"))?;
        match self.max_evaluations {
            Some(0) => Err(
                StudyError::request("max_evaluations: found 0, expected 1 or more")
                    .help("correct the number, or leave it out for no limit"),
            ),
            _ => Ok(()),
        }
    }

    fn check_objectives(&self, method: Method) -> Result<(), StudyError> {
        for name in PenaltyName::ALL {
            let weight = self.penalty.given(*name);
            optional(name.name(), weight, cell::not_negative(""))
                .map_err(|error| error.at("penalty"))?;
        }
        if method == Method::Scan {
            let given = [
                ("objective", self.objective.is_some()),
                ("objectives", self.objectives.is_some()),
                ("penalty", !self.penalty.is_empty()),
                ("max_evaluations", self.max_evaluations.is_some()),
            ];
            let why = "a scan puts all montages in the order of results";
            if let Some((key, _)) = given.iter().find(|(_, given)| *given) {
                return Err(idle(key, why));
            }
        }
        let Some(objectives) = &self.objectives else {
            return Ok(());
        };
        if self.objective.is_some() {
            return Err(exclusive("objective", "objectives"));
        }
        if method != Method::De {
            let why = format!("a front is found by de, and the method is {method}");
            return Err(idle("objectives", &why).help("set method = \"de\" (axonml optimize de)"));
        }
        if !self.penalty.is_empty() {
            return Err(
                idle("penalty", "a front of two objectives adds no costs to them")
                    .help("leave it out, or make the cost one of the objectives"),
            );
        }
        match objectives[..] {
            [Criterion::Penalty(_), Criterion::Penalty(_)] => Err(StudyError::request(format!(
                "objectives: found the costs {} and {}, expected an objective about fibers among the two",
                objectives[0], objectives[1]
            ))
            .help("no stimulus costs least; give one such as area, margin or wbce")),
            [one, other] if one != other => match [one, other].iter().find_map(Criterion::is_no_number) {
                Some((name, why)) => Err(StudyError::request(format!(
                    "objectives: found {name}, {why}"
                ))
                .help("give area, margin or one of activation: wbce, jaccard, dice, hamming")),
                None => Ok(()),
            },
            _ => {
                let names: Vec<String> = objectives.iter().map(ToString::to_string).collect();
                Err(StudyError::request(format!(
                    "objectives: found `{}`, expected two that differ",
                    names.join(",")
                ))
                .help("give two such as area,charge, or objective for one"))
            }
        }
    }
}

/// Costs of stimuli: a weight for each kind of cost, 0 where it is not given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PenaltySpec {
    /// Per uC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub charge: Option<f64>,
    /// Per mA2 ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub energy: Option<f64>,
    /// Per mA.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peak: Option<f64>,
    /// Per (mA/ms)2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smooth: Option<f64>,
    /// Per contact whose current is not 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contacts: Option<f64>,
}

impl PenaltySpec {
    pub(super) fn is_empty(&self) -> bool {
        *self == PenaltySpec::default()
    }

    /// The weight of a cost; 0 unless it is given.
    pub fn weight(&self, name: PenaltyName) -> f64 {
        self.given(name).unwrap_or(0.0)
    }

    /// The weight of a cost, if it is given.
    pub(super) fn given(&self, name: PenaltyName) -> Option<f64> {
        match name {
            PenaltyName::Charge => self.charge,
            PenaltyName::Energy => self.energy,
            PenaltyName::Peak => self.peak,
            PenaltyName::Smooth => self.smooth,
            PenaltyName::Contacts => self.contacts,
        }
    }

    /// Sets the weight of a cost.
    pub fn set(&mut self, name: PenaltyName, weight: f64) {
        let place = match name {
            PenaltyName::Charge => &mut self.charge,
            PenaltyName::Energy => &mut self.energy,
            PenaltyName::Peak => &mut self.peak,
            PenaltyName::Smooth => &mut self.smooth,
            PenaltyName::Contacts => &mut self.contacts,
        };
        *place = Some(weight);
    }
}

/// One of the two things that a Pareto front is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Criterion {
    /// How well the right fibers are activated.
    Objective(ObjectiveSpec),
    /// Cost.
    Penalty(PenaltyName),
}

impl Criterion {
    /// Why a front cannot be about it, with its name.
    fn is_no_number(&self) -> Option<(ObjectiveSpec, &'static str)> {
        match self {
            Criterion::Objective(name @ ObjectiveSpec::Selective) => Some((
                *name,
                "which is an order of two figures; a front needs numbers",
            )),
            Criterion::Objective(name @ ObjectiveSpec::Quotient) => Some((
                *name,
                "which is a loss of gates; a front takes losses of activation or thresholds",
            )),
            _ => None,
        }
    }

    fn names() -> impl Iterator<Item = &'static str> + Clone {
        let objectives = ObjectiveSpec::ALL.iter().map(|name| name.name());
        objectives.chain(PenaltyName::ALL.iter().map(|name| name.name()))
    }
}

impl fmt::Display for Criterion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Criterion::Objective(name) => name.fmt(f),
            Criterion::Penalty(name) => name.fmt(f),
        }
    }
}

impl FromStr for Criterion {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let objective = text.parse().map(Criterion::Objective);
        objective
            .or_else(|_| text.parse().map(Criterion::Penalty))
            .map_err(|_: String| unknown(text, Self::names()))
    }
}

as_text!(Criterion);

/// Fibers that should fire: `fascicles:2,5`, or the path of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetSpec {
    /// All fibers of these fascicles, counted from 0 as `nerve.json` does.
    Fascicles(Vec<usize>),
    /// An array with one flag per line of the nerve.
    File(PathBuf),
}

impl fmt::Display for TargetSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TargetSpec::Fascicles(numbers) => {
                let numbers: Vec<String> = numbers.iter().map(usize::to_string).collect();
                write!(f, "fascicles:{}", numbers.join(","))
            }
            TargetSpec::File(path) => path.display().fmt(f),
        }
    }
}

impl FromStr for TargetSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "found `{text}`, expected a file such as target.npy, or numbers of fascicles such as fascicles:2,5"
            )
        };
        match text.split_once(':') {
            Some(("fascicles", numbers)) => {
                let numbers = numbers.split(',').map(|number| number.trim().parse().ok());
                let numbers: Option<Vec<usize>> = numbers.collect();
                numbers.map(TargetSpec::Fascicles).ok_or_else(wrong)
            }
            _ if text.ends_with(".npy") => Ok(TargetSpec::File(text.into())),
            _ => Err(wrong()),
        }
    }
}

as_text!(TargetSpec);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_files_or_fascicles() {
        for text in ["fascicles:2,5", "nerves/N1/target.npy"] {
            assert_eq!(text.parse::<TargetSpec>().unwrap().to_string(), text);
        }
        assert_eq!(
            "fascicles:2, 5".parse(),
            Ok(TargetSpec::Fascicles(vec![2, 5]))
        );
        for wrong in ["fascicles:", "fascicles:a", "fascicle:2", "target"] {
            let why = wrong.parse::<TargetSpec>().unwrap_err();
            assert!(why.contains("fascicles:2,5"), "{why}");
        }
    }

    #[test]
    fn fronts_are_of_objectives_and_costs() {
        assert_eq!(
            "charge".parse(),
            Ok(Criterion::Penalty(PenaltyName::Charge))
        );
        assert_eq!(
            "area".parse(),
            Ok(Criterion::Objective(ObjectiveSpec::Area))
        );
        let wrong = "chrge".parse::<Criterion>().unwrap_err();
        assert!(wrong.contains("did you mean `charge`"), "{wrong}");
    }
}
