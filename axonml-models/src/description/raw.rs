//! The form of a description in files: formulas as text.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::check::{Place, Problem, check};
use super::parse::parse;
use super::print::{Named, text};
use super::{
    CableDescription, Change, CurrentDescription, DescriptionError, FiberDescription, Formula,
    ParameterDescription, Part, StateDescription, Training,
};
use crate::ConductionSpeed;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDescription {
    id: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    citations: Vec<String>,
    #[serde(rename = "v_rest_mV")]
    v_rest_mv: f64,
    #[serde(default = "body_temperature")]
    celsius: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    diameter_um: Option<[f64; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delta_z_um: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    length_um: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    conduction: Option<RawConduction>,
    #[serde(default = "cylinder")]
    cable: String,
    #[serde(default)]
    param: BTreeMap<String, RawParameter>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    define: Vec<RawDefinition>,
    #[serde(default)]
    current: Vec<RawCurrent>,
    #[serde(default)]
    gate: Vec<RawGate>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    state: Vec<RawState>,
}

const CYLINDER: &str = "cylinder";

fn cylinder() -> String {
    CYLINDER.into()
}

fn body_temperature() -> f64 {
    37.0
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawConduction {
    m_per_s: f64,
    at_um: f64,
    exponent: f64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawParameter {
    value: f64,
    #[serde(default)]
    unit: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    train: Option<RawTraining>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected \"factor\" or { shift = SIZE }")]
enum RawTraining {
    Factor(Factor),
    #[serde(rename_all = "snake_case")]
    Shift {
        shift: f64,
    },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Factor {
    Factor,
}

/// A formula, or a number.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a formula as text, or a number")]
enum RawFormula {
    Number(f64),
    Text(String),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDefinition {
    name: String,
    value: RawFormula,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCurrent {
    #[serde(skip_serializing_if = "Option::is_none")]
    g: Option<RawFormula>,
    #[serde(skip_serializing_if = "Option::is_none")]
    e: Option<RawFormula>,
    #[serde(skip_serializing_if = "Option::is_none")]
    i: Option<RawFormula>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawGate {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    alpha: Option<RawFormula>,
    #[serde(skip_serializing_if = "Option::is_none")]
    beta: Option<RawFormula>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inf: Option<RawFormula>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tau: Option<RawFormula>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawState {
    name: String,
    start: RawFormula,
    rate: RawFormula,
}

impl TryFrom<RawDescription> for FiberDescription {
    type Error = DescriptionError;

    fn try_from(raw: RawDescription) -> Result<Self, DescriptionError> {
        read(raw).map_err(DescriptionError::from)
    }
}

/// The description, checked.
pub(super) fn read(raw: RawDescription) -> Result<FiberDescription, Problem> {
    let mut reader = Reader::default();
    for (index, definition) in raw.define.iter().enumerate() {
        let place = Place::list("define", index);
        let formula = reader.formula(&place.key("value"), &definition.value)?;
        reader.define(&place.key("name"), &definition.name, formula)?;
    }
    let mut currents = Vec::new();
    for (index, current) in raw.current.iter().enumerate() {
        let place = Place::list("current", index);
        currents.push(match (&current.g, &current.e, &current.i) {
            (Some(g), Some(e), None) => CurrentDescription::Ohmic {
                g: reader.formula(&place.key("g"), g)?,
                e: reader.formula(&place.key("e"), e)?,
            },
            (None, None, Some(i)) => {
                CurrentDescription::Density(reader.formula(&place.key("i"), i)?)
            }
            _ => return Err(place.wrong("expected either g and e, or i")),
        });
    }
    let mut states = Vec::new();
    for (index, gate) in raw.gate.iter().enumerate() {
        let place = Place::list("gate", index);
        let change = match (&gate.alpha, &gate.beta, &gate.inf, &gate.tau) {
            (Some(alpha), Some(beta), None, None) => Change::AlphaBeta {
                alpha: reader.formula(&place.key("alpha"), alpha)?,
                beta: reader.formula(&place.key("beta"), beta)?,
            },
            (None, None, Some(inf), Some(tau)) => Change::InfTau {
                inf: reader.formula(&place.key("inf"), inf)?,
                tau: reader.formula(&place.key("tau"), tau)?,
            },
            _ => {
                let problem = format!(
                    "expected either alpha and beta, or inf and tau, of gate `{}`",
                    gate.name
                );
                return Err(place.wrong(problem));
            }
        };
        states.push(StateDescription {
            name: gate.name.clone(),
            change,
        });
    }
    for (index, state) in raw.state.iter().enumerate() {
        let place = Place::list("state", index);
        states.push(StateDescription {
            name: state.name.clone(),
            change: Change::Rate {
                start: reader.formula(&place.key("start"), &state.start)?,
                rate: reader.formula(&place.key("rate"), &state.rate)?,
            },
        });
    }
    let parameters = raw
        .param
        .into_iter()
        .map(|(name, parameter)| ParameterDescription {
            group: parameter
                .group
                .unwrap_or_else(|| group_of(&parameter.unit).into()),
            name,
            value: parameter.value,
            unit: parameter.unit,
            train: parameter.train.map(|train| match train {
                RawTraining::Factor(_) => Training::Factor,
                RawTraining::Shift { shift } => Training::Shift(shift),
            }),
        });
    let description = FiberDescription {
        id: raw.id,
        name: raw.name,
        citations: raw.citations,
        v_rest_mv: raw.v_rest_mv,
        celsius: raw.celsius,
        diameter_um: raw.diameter_um,
        delta_z_um: raw.delta_z_um,
        length_um: raw.length_um,
        conduction: raw.conduction.map(|raw| ConductionSpeed {
            m_per_s: raw.m_per_s,
            at_um: raw.at_um,
            exponent: raw.exponent,
        }),
        cable: match raw.cable.as_str() {
            CYLINDER => CableDescription::Cylinder,
            id => CableDescription::Like(id.to_owned()),
        },
        parameters: parameters.collect(),
        definitions: reader.definitions,
        currents,
        states,
    };
    check(&description)?;
    Ok(description)
}

/// The group of a parameter of this unit, unless the file names one.
fn group_of(unit: &str) -> &'static str {
    match unit {
        "S/cm2" => "conductance",
        "mV" => "potential",
        "uF/cm2" | "ohm cm" => "passive",
        _ => "model",
    }
}

#[derive(Default)]
struct Reader {
    definitions: Vec<(String, Formula)>,
}

impl Reader {
    fn formula(&self, place: &Place, raw: &RawFormula) -> Result<Formula, Problem> {
        match raw {
            RawFormula::Number(value) => Ok(Formula::number(*value)),
            RawFormula::Text(text) => {
                let defined = |name: &str| {
                    let mut known = self.definitions.iter();
                    known
                        .find(|(known, _)| known == name)
                        .map(|(_, formula)| formula.clone())
                };
                parse(text, &defined).map_err(|error| place.wrong_at(error.at, error.problem))
            }
        }
    }

    fn define(&mut self, place: &Place, name: &str, formula: Formula) -> Result<(), Problem> {
        if self.definitions.iter().any(|(known, _)| known == name) {
            return Err(place.wrong(format!("found `{name}` twice, expected each name once")));
        }
        self.definitions.push((name.to_owned(), formula));
        Ok(())
    }
}

/// Operations from which on a part that is used more than once is given a name.
const WORTH_A_NAME: u64 = 8;

impl From<FiberDescription> for RawDescription {
    fn from(description: FiberDescription) -> Self {
        let (define, named) = definitions(&description);
        let raw = |formula: &Formula| match formula.part() {
            Part::Number(value) => RawFormula::Number(*value),
            _ => RawFormula::Text(match named.get(&formula.key()) {
                Some(name) => name.clone(),
                None => text(formula, &named),
            }),
        };
        let (mut gate, mut state) = (Vec::new(), Vec::new());
        for StateDescription { name, change } in &description.states {
            let [(_, first), (_, second)] = change.formulas();
            let (first, second) = (raw(first), raw(second));
            let mut own = RawGate {
                name: name.clone(),
                alpha: None,
                beta: None,
                inf: None,
                tau: None,
            };
            match change {
                Change::AlphaBeta { .. } => (own.alpha, own.beta) = (Some(first), Some(second)),
                Change::InfTau { .. } => (own.inf, own.tau) = (Some(first), Some(second)),
                Change::Rate { .. } => {
                    state.push(RawState {
                        name: name.clone(),
                        start: first,
                        rate: second,
                    });
                    continue;
                }
            }
            gate.push(own);
        }
        let current = description.currents.iter().map(|current| match current {
            CurrentDescription::Ohmic { g, e } => RawCurrent {
                g: Some(raw(g)),
                e: Some(raw(e)),
                i: None,
            },
            CurrentDescription::Density(i) => RawCurrent {
                g: None,
                e: None,
                i: Some(raw(i)),
            },
        });
        let parameter = |own: &ParameterDescription| {
            let raw = RawParameter {
                value: own.value,
                group: (own.group != group_of(&own.unit)).then(|| own.group.clone()),
                unit: own.unit.clone(),
                train: own.train.map(|train| match train {
                    Training::Factor => RawTraining::Factor(Factor::Factor),
                    Training::Shift(shift) => RawTraining::Shift { shift },
                }),
            };
            (own.name.clone(), raw)
        };
        RawDescription {
            current: current.collect(),
            gate,
            state,
            define,
            param: description.parameters.iter().map(parameter).collect(),
            cable: match description.cable {
                CableDescription::Cylinder => cylinder(),
                CableDescription::Like(id) => id,
            },
            id: description.id,
            name: description.name,
            citations: description.citations,
            v_rest_mv: description.v_rest_mv,
            celsius: description.celsius,
            diameter_um: description.diameter_um,
            delta_z_um: description.delta_z_um,
            length_um: description.length_um,
            conduction: description.conduction.map(|speed| RawConduction {
                m_per_s: speed.m_per_s,
                at_um: speed.at_um,
                exponent: speed.exponent,
            }),
        }
    }
}

/// Definitions in an order in which each needs only those before it, and all parts with names: those that have one, and
/// larger ones that are used more than once.
fn definitions(description: &FiberDescription) -> (Vec<RawDefinition>, Named) {
    let mut uses: HashMap<usize, usize> = HashMap::new();
    let mut parts: Vec<&Formula> = Vec::new();
    let given = || description.definitions.iter().map(|(_, formula)| formula);
    for formula in given().chain(description.formulas().map(|(_, formula)| formula)) {
        *uses.entry(formula.key()).or_default() += 1;
        formula.each(&mut |part| {
            if parts.iter().all(|known| known.key() != part.key()) {
                for operand in part.part().operands() {
                    *uses.entry(operand.key()).or_default() += 1;
                }
                parts.push(part);
            }
        });
    }
    let mut named: Named = given()
        .zip(&description.definitions)
        .map(|(formula, (name, _))| (formula.key(), name.clone()))
        .collect();
    let taken = |name: &str, named: &Named| {
        named.values().any(|known| known == name) || description.names().any(|known| known == name)
    };
    let mut next = 1;
    let mut define = Vec::new();
    for part in parts {
        let shared = uses[&part.key()] > 1 && part.operations() >= WORTH_A_NAME;
        if shared && !named.contains_key(&part.key()) {
            while taken(&format!("part{next}"), &named) {
                next += 1;
            }
            named.insert(part.key(), format!("part{next}"));
        }
        if let Some(name) = named.get(&part.key()) {
            define.push(RawDefinition {
                name: name.clone(),
                value: RawFormula::Text(text(part, &named)),
            });
        }
    }
    (define, named)
}
