//! Fiber models as data: read from a file, or made at run time.
//!
//! A [`FiberDescription`] has parameters with units, currents, gates and other states with [`Formula`]s, and a cable: a
//! cylinder, or the cable of a bundled model. It is a [`FiberModel`] like any other: checked by the same rules, as fast,
//! differentiable, and traced to the same program as the same equations in Rust.

mod check;
mod choice;
mod formula;
mod origin;
mod parse;
mod print;
mod raw;
mod text;
mod units;

pub use check::DescriptionError;
pub use choice::{ModelChoice, ModelChoiceError};
pub use formula::{Binary, CELSIUS, DIAMETER, Formula, FormulaError, Function, Part, VOLTAGE};
pub use origin::FIBER_FILE;
pub(crate) use origin::check_formulas;

use std::collections::HashMap;

use axonml_autodiff::engine::{Membrane, SectionKind};
use axonml_autodiff::ir::Expr;
use formula::Names;
use serde::{Deserialize, Serialize};

use crate::models::model;
use crate::{
    ConductionSpeed, FiberModel, FiberSymbols, Geometry, Patch, Scale, Schema, Text, Unmyelinated,
};

/// A fiber model as data.
///
/// # Example
/// ```
/// use axonml_models::description::FiberDescription;
/// use axonml_models::{Device, Fiber, Settings, Simulation};
///
/// let passive = FiberDescription::from_toml(
///     r#"
///     id = "passive"
///     v_rest_mV = -70
///     [param]
///     cm = { value = 1, unit = "uF/cm2" }
///     ra = { value = 100, unit = "ohm cm" }
///     g = { value = 1e-3, unit = "S/cm2" }
///     [[current]]
///     g = "g"
///     e = "-70"
///     [[gate]]
///     name = "x"
///     inf = "sigmoid((v + 40)/5)"
///     tau = "2"
///     "#,
/// )?;
/// let fibers = vec![Fiber::new(1.0, 21)];
/// let simulation = Simulation::new(&passive, fibers, &Settings::default(), &Device::cpu()?)?;
/// assert_eq!(simulation.schema().states, ["x"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "raw::RawDescription", into = "raw::RawDescription")]
pub struct FiberDescription {
    /// Id, as `--model` and studies name it.
    pub id: String,
    /// Summary in one line.
    pub name: String,
    /// Literature sources of equations and constants.
    pub citations: Vec<String>,
    /// Membrane potential at the start, mV; gates are at their steady state there.
    pub v_rest_mv: f64,
    /// Temperature unless the user sets another, degrees Celsius.
    pub celsius: f64,
    /// Least and largest diameter, um; that of the cable's model, or any, if none is given.
    pub diameter_um: Option<[f64; 2]>,
    /// Length of a compartment, um; 8.333 or that of the cable's model, if none is given.
    pub delta_z_um: Option<f64>,
    /// Default length of a fiber, um, for cables without nodes of Ranvier.
    pub length_um: Option<f64>,
    /// Conduction velocity, from which the default duration of runs follows; that of the cable's model, if none is given.
    pub conduction: Option<ConductionSpeed>,
    /// The cable.
    pub cable: CableDescription,
    /// Parameters; a cable of a bundled model has that model's besides.
    pub parameters: Vec<ParameterDescription>,
    /// Parts of formulas that have names.
    pub definitions: Vec<(String, Formula)>,
    /// Currents through the membrane.
    pub currents: Vec<CurrentDescription>,
    /// Gates and other states.
    pub states: Vec<StateDescription>,
}

/// The cable of a described fiber.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CableDescription {
    /// A cylinder with the parameters `cm` (uF/cm2) and `ra` (ohm cm), stepped implicitly.
    #[default]
    Cylinder,
    /// The cable of the bundled model of this id, with the parameters that it has.
    Like(String),
}

/// A parameter of a described fiber.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterDescription {
    /// Name.
    pub name: String,
    /// Group that it is listed by.
    pub group: String,
    /// Default value.
    pub value: f64,
    /// Unit.
    pub unit: String,
    /// Its transform in training, if training moves it by default.
    pub train: Option<Training>,
}

impl ParameterDescription {
    /// Its transform in a training that moves it: if none is given, potentials are shifted, as they may be of either
    /// sign, and all else is multiplied.
    fn training(&self) -> Training {
        let usual = match self.unit.as_str() {
            "mV" => Training::Shift(SHIFT_MV),
            _ => Training::Factor,
        };
        self.train.unwrap_or(usual)
    }
}

/// A step of a potential in training, mV: that of the bundled surrogates.
const SHIFT_MV: f64 = 10.0;

/// The transform of a parameter in training.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Training {
    /// It is multiplied.
    Factor,
    /// Shifts of this size are added.
    Shift(f64),
}

/// A current of a described membrane, mA/cm2.
#[derive(Clone, Debug, PartialEq)]
pub enum CurrentDescription {
    /// `g (v - e)`: S/cm2 and mV.
    Ohmic {
        /// Conductance.
        g: Formula,
        /// Reversal potential.
        e: Formula,
    },
    /// Any other outward current density.
    Density(Formula),
}

/// A state of a described membrane.
#[derive(Clone, Debug, PartialEq)]
pub struct StateDescription {
    /// Name.
    pub name: String,
    /// How it moves.
    pub change: Change,
}

/// How a state of a described membrane moves.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A gate by opening and closing rate, 1/ms.
    AlphaBeta {
        /// Opening rate.
        alpha: Formula,
        /// Closing rate.
        beta: Formula,
    },
    /// A gate by steady state and time constant, ms.
    InfTau {
        /// Steady state.
        inf: Formula,
        /// Time constant.
        tau: Formula,
    },
    /// A state by its time derivative, per ms.
    Rate {
        /// Value at the start.
        start: Formula,
        /// Time derivative.
        rate: Formula,
    },
}

impl Change {
    /// Its formulas by their keys.
    fn formulas(&self) -> [(&'static str, &Formula); 2] {
        match self {
            Change::AlphaBeta { alpha, beta } => [("alpha", alpha), ("beta", beta)],
            Change::InfTau { inf, tau } => [("inf", inf), ("tau", tau)],
            Change::Rate { start, rate } => [("start", start), ("rate", rate)],
        }
    }
}

/// Names of the parameters of a cylinder.
const CAPACITANCE: &str = "cm";
const RESISTIVITY: &str = "ra";
const COMPARTMENT_UM: f64 = 8.333;

impl FiberModel for FiberDescription {
    fn schema(&self) -> Schema {
        let name = |text: &str| Text::Owned(text.to_owned());
        let mut schema = Schema::new(name(&self.id), name(&self.name));
        match self.like() {
            Some(like) => {
                schema.diameters_um = like.diameters_um;
                schema.listed_um = like.listed_um;
                schema.compartment_um = like.compartment_um;
                schema.length_um = like.length_um;
                schema.scheme = like.scheme;
                schema.speed = like.speed;
                let own = |name: &str| self.parameters.iter().any(|own| own.name == name);
                let inherited = like.parameters.into_iter().filter(|p| !own(&p.name));
                schema.parameters.extend(inherited);
            }
            None => {
                schema.compartment_um = Some(COMPARTMENT_UM);
                schema.scheme = "backward Euler, single cable".into();
            }
        }
        schema.citations = self.citations.iter().map(|source| name(source)).collect();
        schema.states = self.states.iter().map(|state| name(&state.name)).collect();
        schema.celsius = self.celsius;
        schema.start.v_mv = self.v_rest_mv;
        if let Some([least, largest]) = self.diameter_um {
            schema.diameters_um = least..=largest;
            schema.listed_um = None;
        }
        schema.compartment_um = self.delta_z_um.or(schema.compartment_um);
        schema.length_um = self.length_um.or(schema.length_um);
        schema.speed = self.conduction.or(schema.speed);
        for own in &self.parameters {
            schema = schema.param(
                name(&own.group),
                name(&own.name),
                own.value,
                name(&own.unit),
            );
            if let Some(parameter) = schema.parameters.last_mut() {
                parameter.trained = own.train.is_some();
                parameter.scale = match own.training() {
                    Training::Factor => Scale::Factor,
                    Training::Shift(step) => {
                        // A shift may change the sign of a value; a factor keeps it.
                        parameter.range = parameter.physical.range();
                        Scale::Shift(step)
                    }
                };
            }
        }
        schema
    }

    fn geometry<'t>(&self, fiber: &FiberSymbols<'t>) -> Geometry<'t> {
        if let CableDescription::Like(id) = &self.cable
            && let Ok(like) = model(id)
        {
            return like.geometry(fiber);
        }
        Geometry::Unmyelinated(Unmyelinated {
            compartment_um: fiber.compartment_um(),
            diameter_um: fiber.diameter(),
            capacitance_uf_cm2: fiber.param(CAPACITANCE),
            axial_ohm_cm: fiber.param(RESISTIVITY),
        })
    }

    fn membrane<'t>(&self, _section: SectionKind, x: &Patch<'t>) -> Membrane<'t> {
        if let Err(error) = self.check() {
            x.refuse(&error);
        }
        let names = PatchNames {
            patch: x,
            states: &self.states,
        };
        let mut known = HashMap::new();
        let tracer = x.v().tracer();
        let mut of = |formula: &Formula| formula.trace(tracer, &names, &mut known);
        let mut membrane = Membrane::new();
        for current in &self.currents {
            membrane = match current {
                CurrentDescription::Ohmic { g, e } => membrane.ohmic(of(g), of(e)),
                CurrentDescription::Density(density) => membrane.current(of(density)),
            };
        }
        for StateDescription { name, change } in &self.states {
            let [(_, first), (_, second)] = change.formulas();
            let (first, second) = (of(first), of(second));
            membrane = match change {
                Change::AlphaBeta { .. } => membrane.gate(name, first, second),
                Change::InfTau { .. } => membrane.gate_inf_tau(name, first, second),
                Change::Rate { .. } => membrane.ode(name, first, second),
            };
        }
        membrane
    }
}

impl FiberDescription {
    /// The schema of the model whose cable it has, with the parameters that the cable depends on.
    fn like(&self) -> Option<Schema> {
        let CableDescription::Like(id) = &self.cable else {
            return None;
        };
        let model = model(id).ok()?;
        let mut schema = model.schema();
        let read = crate::lower::geometry_inputs(&model, &schema);
        schema
            .parameters
            .retain(|parameter| read.iter().any(|name| *name == parameter.name));
        Some(schema)
    }
}

/// Names of formulas in a patch of membrane.
struct PatchNames<'p, 't> {
    patch: &'p Patch<'t>,
    states: &'p [StateDescription],
}

impl<'t> Names<'t> for PatchNames<'_, 't> {
    fn find(&self, name: &str) -> Expr<'t> {
        match name {
            VOLTAGE => self.patch.v(),
            CELSIUS => self.patch.celsius(),
            DIAMETER => self.patch.diameter_um(),
            _ if self.states.iter().any(|state| state.name == name) => self.patch.state(name),
            _ => self.patch.param(name),
        }
    }
}
