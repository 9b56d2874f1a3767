//! Checks of descriptions, and errors with their place.

use std::collections::HashSet;

use axonml_core::names::nearest;

use super::units::meant;
use super::{
    CAPACITANCE, CELSIUS, CableDescription, Change, CurrentDescription, DIAMETER, FiberDescription,
    Formula, Function, Part, RESISTIVITY, VOLTAGE,
};
use crate::models::model;

/// A description that cannot be read or used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{place}: {problem}", .line_column.map_or_else(String::new, |(l, c)| format!("line {l}, column {c}: ")))]
pub struct DescriptionError {
    /// Line and column in the text, from 1, where there is one.
    pub line_column: Option<(usize, usize)>,
    /// The entry: `gate 2, alpha`.
    pub place: String,
    /// The text found, and the text expected instead.
    pub problem: String,
}

/// An entry of a description, as keys and indices from the top.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) list: &'static str,
    pub(super) index: Option<usize>,
    pub(super) name: Option<String>,
    pub(super) key: Option<&'static str>,
}

/// An entry, the character of its text, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) place: Place,
    pub(super) at: Option<usize>,
    pub(super) problem: String,
}

impl Place {
    pub(super) fn top(key: &'static str) -> Self {
        Place {
            list: key,
            index: None,
            name: None,
            key: None,
        }
    }

    pub(super) fn list(list: &'static str, index: usize) -> Self {
        Place {
            index: Some(index),
            ..Place::top(list)
        }
    }

    fn parameter(name: &str) -> Self {
        Place {
            name: Some(name.to_owned()),
            ..Place::top("param")
        }
    }

    pub(super) fn key(&self, key: &'static str) -> Self {
        Place {
            key: Some(key),
            ..self.clone()
        }
    }

    pub(super) fn wrong(&self, problem: impl Into<String>) -> Problem {
        self.wrong_at(None, problem)
    }

    pub(super) fn wrong_at(&self, at: Option<usize>, problem: impl Into<String>) -> Problem {
        Problem {
            place: self.clone(),
            at,
            problem: problem.into(),
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.list)?;
        if let Some(index) = self.index {
            write!(f, " {}", index + 1)?;
        }
        if let Some(name) = &self.name {
            write!(f, ".{name}")?;
        }
        match self.key {
            Some(key) => write!(f, ", {key}"),
            None => Ok(()),
        }
    }
}

impl From<Problem> for DescriptionError {
    fn from(problem: Problem) -> Self {
        let at = problem.at.map(|at| format!(" at character {}", at + 1));
        DescriptionError {
            line_column: None,
            place: format!("{}{}", problem.place, at.unwrap_or_default()),
            problem: problem.problem,
        }
    }
}

impl FiberDescription {
    /// Checks names, numbers and the cable: [`FiberDescription::from_toml`] has done so.
    ///
    /// # Errors
    /// [`DescriptionError`] with the entry, the text found and the text expected.
    pub fn check(&self) -> Result<(), DescriptionError> {
        check(self).map_err(DescriptionError::from)
    }

    /// All formulas but the definitions, with their entries.
    pub(super) fn formulas(&self) -> impl Iterator<Item = (Place, &Formula)> {
        let currents = self
            .currents
            .iter()
            .enumerate()
            .flat_map(|(index, current)| {
                let place = Place::list("current", index);
                match current {
                    CurrentDescription::Ohmic { g, e } => {
                        vec![(place.key("g"), g), (place.key("e"), e)]
                    }
                    CurrentDescription::Density(i) => vec![(place.key("i"), i)],
                }
            });
        let states = self.states.iter().enumerate().flat_map(|(index, state)| {
            let place = self.place_of_state(index);
            state
                .change
                .formulas()
                .map(|(key, formula)| (place.key(key), formula))
        });
        currents.chain(states)
    }

    /// Gates and other states are lists of their own.
    fn place_of_state(&self, index: usize) -> Place {
        let is_gate = |index: usize| !matches!(self.states[index].change, Change::Rate { .. });
        let before = (0..index).filter(|&other| is_gate(other) == is_gate(index));
        let list = if is_gate(index) { "gate" } else { "state" };
        Place::list(list, before.count())
    }

    /// Names of parameters, states and definitions.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let parameters = self.parameters.iter().map(|own| own.name.as_str());
        let states = self.states.iter().map(|state| state.name.as_str());
        let definitions = self.definitions.iter().map(|(name, _)| name.as_str());
        parameters.chain(states).chain(definitions)
    }
}

pub(super) fn check(description: &FiberDescription) -> Result<(), Problem> {
    check_head(description)?;
    check_names(description)?;
    check_units(description)?;
    check_cable(description)?;
    check_formulas(description)
}

/// Numbers are not converted: a unit of another size than that of formulas would be taken for it.
fn check_units(description: &FiberDescription) -> Result<(), Problem> {
    for own in &description.parameters {
        if let Some((unit, factor)) = meant(&own.unit) {
            let problem = format!(
                "found `{}`, but values are not converted, and formulas count in {unit}: expected \"{unit}\" and the value \
                 times {factor:e}, or another word for the unit if your formulas convert it",
                own.unit
            );
            return Err(Place::parameter(&own.name).key("unit").wrong(problem));
        }
    }
    Ok(())
}

fn check_head(description: &FiberDescription) -> Result<(), Problem> {
    let id = &description.id;
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if id.is_empty() || !id.chars().all(good) {
        let problem = format!("found `{id}`, expected small letters, digits and `-`, at least one");
        return Err(Place::top("id").wrong(problem));
    }
    if model(id).is_ok() {
        let problem = format!("found `{id}`, expected an id that no bundled model has");
        return Err(Place::top("id").wrong(problem));
    }
    let numbers = [
        ("v_rest_mV", Some(description.v_rest_mv), f64::MIN),
        ("celsius", Some(description.celsius), -273.15),
        ("delta_z_um", description.delta_z_um, 0.0),
        ("length_um", description.length_um, 0.0),
    ];
    for (key, value, above) in numbers {
        if let Some(value) = value
            && !(value.is_finite() && value > above)
        {
            let expected = if above == f64::MIN {
                "a finite number".to_owned()
            } else {
                format!("a finite number above {above}")
            };
            return Err(Place::top(key).wrong(format!("found {value}, expected {expected}")));
        }
    }
    if let Some([least, largest]) = description.diameter_um
        && !(0.0 < least && least < largest && largest.is_finite())
    {
        let problem = format!(
            "found [{least}, {largest}], expected the least and the largest diameter, above 0"
        );
        return Err(Place::top("diameter_um").wrong(problem));
    }
    if let Some(speed) = description.conduction {
        let place = Place::top("conduction");
        let positive = |x: f64| x > 0.0 && x.is_finite();
        if !(positive(speed.m_per_s)
            && positive(speed.at_um)
            && (0.0..=2.0).contains(&speed.exponent))
        {
            return Err(place.wrong(format!(
                "found {} m/s at {} um with exponent {}, expected a speed and a diameter above 0 and an exponent from 0 to 2",
                speed.m_per_s, speed.at_um, speed.exponent
            )));
        }
    }
    for own in &description.parameters {
        if !own.value.is_finite() {
            let problem = format!("found {}, expected a finite number", own.value);
            return Err(Place::parameter(&own.name).key("value").wrong(problem));
        }
    }
    Ok(())
}

fn check_names(description: &FiberDescription) -> Result<(), Problem> {
    let reserved = [VOLTAGE, CELSIUS, DIAMETER, "where"];
    let functions = Function::ALL.iter().map(|function| function.name());
    let mut taken: HashSet<&str> = reserved.into_iter().chain(functions).collect();
    let parameters = description.parameters.iter();
    let parameters = parameters.map(|own| (Place::parameter(&own.name), own.name.as_str()));
    let states = description.states.iter().enumerate();
    let states = states.map(|(index, state)| {
        let place = description.place_of_state(index).key("name");
        (place, state.name.as_str())
    });
    let definitions = description.definitions.iter().enumerate();
    let definitions = definitions
        .map(|(index, (name, _))| (Place::list("define", index).key("name"), name.as_str()));
    for (place, name) in parameters.chain(states).chain(definitions) {
        let mut letters = name.chars();
        let begins = letters
            .next()
            .is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
        let belongs = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
        if !begins || !letters.all(belongs) {
            let problem = format!(
                "found `{name}`, expected a name of letters, digits, `_` and `.` that begins with a letter"
            );
            return Err(place.wrong(problem));
        }
        if !taken.insert(name) {
            let problem = format!("found `{name}`, which has a meaning already; rename it");
            return Err(place.wrong(problem));
        }
    }
    Ok(())
}

fn check_cable(description: &FiberDescription) -> Result<(), Problem> {
    match &description.cable {
        CableDescription::Cylinder => {
            for (name, unit) in [(CAPACITANCE, "uF/cm2"), (RESISTIVITY, "ohm cm")] {
                match description.parameters.iter().find(|own| own.name == name) {
                    Some(own) if own.unit == unit => {}
                    Some(own) => {
                        let problem = format!("found `{}`, expected \"{unit}\"", own.unit);
                        return Err(Place::parameter(name).key("unit").wrong(problem));
                    }
                    None => {
                        let problem = format!(
                            "found no parameter `{name}`, expected the cylinder's: [param.{name}] with value and unit = \
                             \"{unit}\""
                        );
                        return Err(Place::top("cable").wrong(problem));
                    }
                }
            }
            Ok(())
        }
        CableDescription::Like(id) => match model(id) {
            Ok(_) => Ok(()),
            Err(error) => Err(Place::top("cable").wrong(format!(
                "{error}; a cable is `cylinder` or that of a bundled model"
            ))),
        },
    }
}

fn check_formulas(description: &FiberDescription) -> Result<(), Problem> {
    let inherited = description
        .like()
        .map(|like| like.parameters)
        .unwrap_or_default();
    let own = description.parameters.iter().map(|own| own.name.as_str());
    let states = description.states.iter().map(|state| state.name.as_str());
    let reserved = [VOLTAGE, CELSIUS, DIAMETER];
    let inherited = inherited.iter().map(|parameter| &*parameter.name);
    let known: Vec<&str> = reserved
        .into_iter()
        .chain(own)
        .chain(states)
        .chain(inherited)
        .collect();
    let definitions = description.definitions.iter().enumerate();
    let definitions = definitions
        .map(|(index, (_, formula))| (Place::list("define", index).key("value"), formula));
    for (place, formula) in definitions.chain(description.formulas()) {
        let mut wrong = None;
        formula.each(&mut |part| match part.part() {
            Part::Name(name) if !known.contains(&&**name) => {
                let hint = nearest(name, known.iter().copied())
                    .map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
                wrong.get_or_insert(format!(
                    "found `{name}`, which is no parameter, state or definition before this one{hint}"
                ));
            }
            Part::Number(value) if !value.is_finite() => {
                wrong.get_or_insert(format!("found {value}, expected a finite number"));
            }
            _ => {}
        });
        if let Some(problem) = wrong {
            return Err(place.wrong(problem));
        }
    }
    Ok(())
}
