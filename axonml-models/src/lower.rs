//! Lowers a model over symbols to programs and numeric cables.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use axonml_autodiff::cable::Cable;
use axonml_autodiff::engine::{Binding, CancelToken, MembranePrograms};
use axonml_autodiff::ir::{Program, TraceError, Tracer};
use axonml_core::{CoreError, names};

use crate::built::{BuiltFiber, build, membrane_of, node_spacing_um};
use crate::geometry::GeometryKind;
use crate::membrane::trace_membrane;
use crate::model::{
    AREA, CELSIUS, COMPARTMENT, DIAMETER, DT, FiberSymbols, LENGTH, REFERENCE, Symbols, U,
};
use crate::schema::{DeclaredStart, Parameter, Schema};
use crate::{Ends, Fiber, FiberModel, Settings, SimulationError};

/// A model with numeric parameters.
#[derive(Debug)]
pub(crate) struct LoweredModel {
    pub(crate) schema: Schema,
    pub(crate) membrane: Arc<MembranePrograms>,
    /// Values of the shared parameters, then the temperature.
    pub(crate) shared: Arc<Vec<f64>>,
    pub(crate) v_reference_mv: f64,
    pub(crate) geometry: FiberGeometry,
}

impl LoweredModel {
    /// Values of the membrane's parameters that a fiber has of its own, in the order of
    /// [`OF_FIBER`](crate::model::OF_FIBER); none where the membrane reads none of them.
    pub(crate) fn of_fiber(&self, fiber: &Fiber, built: &BuiltFiber) -> Vec<f64> {
        let membrane = &self.membrane;
        let programs = [&membrane.rest, &membrane.currents, &membrane.step];
        let is_own = |binding: &Binding| matches!(binding, Binding::Fiber(_));
        if !programs
            .into_iter()
            .any(|bound| bound.bindings.iter().any(is_own))
        {
            return Vec::new();
        }
        let [length_um, area_cm2] = membrane_of(self.geometry.kind, &built.values);
        vec![fiber.diameter_um, length_um, area_cm2]
    }
}

/// Applies the settings' weights, parameters (name as `param` or `group.param`, value), temperature and start to the
/// model, builds the fibers and traces the membrane.
pub(crate) fn lower(
    model: &dyn FiberModel,
    fibers: &[Fiber],
    settings: &Settings,
) -> Result<(LoweredModel, Vec<Arc<BuiltFiber>>), SimulationError> {
    let schema = with_settings(model, settings)?;
    let geometry = FiberGeometry::trace(model, &schema, settings.ends)?;
    let cable = geometry.kind.without_passive_ends();
    if let (Some(cable), Ends::Passive) = (cable, settings.ends) {
        return Err(SimulationError::PassiveEnds {
            model: schema.id.to_string(),
            cable,
        });
    }
    let built = geometry.build_fibers(&schema, fibers, &settings.cancel)?;
    let v_reference_mv = common_reference(&schema, &built)?;
    let membrane = trace_membrane(model, &schema, geometry.kind.section())?;
    let mut shared: Vec<f64> = schema.parameters.iter().map(|p| p.value).collect();
    shared.push(schema.celsius);
    let lowered = LoweredModel {
        schema,
        membrane: Arc::new(membrane),
        shared: Arc::new(shared),
        v_reference_mv,
        geometry,
    };
    Ok((lowered, built))
}

/// The model's declaration with the weights, parameters, start and temperature of the settings.
fn with_settings(model: &dyn FiberModel, settings: &Settings) -> Result<Schema, SimulationError> {
    let mut schema = model.schema();
    check_names(&schema)?;
    if let Some(weights) = settings.weights.choose(&schema)? {
        schema = weights.file.schema(schema)?;
    }
    for (name, value) in &settings.parameters {
        set_parameter(&mut schema, name, *value)?;
    }
    schema.refuse_repeated(&settings.parameters)?;
    check_values(&schema)?;
    if let Some(start) = &settings.declared {
        check_start(&schema, start)?;
        schema.start = start.clone();
    }
    schema.celsius = settings.celsius.unwrap_or(schema.celsius);
    if !(schema.celsius > -273.15 && schema.celsius.is_finite()) {
        return Err(SimulationError::Core(CoreError::BadValue {
            what: "the temperature".into(),
            found: schema.celsius.to_string(),
            expected: "degrees Celsius above -273.15".into(),
        }));
    }
    Ok(schema)
}

/// A start replaced by the user has a finite voltage, and a finite value for each state or none.
fn check_start(schema: &Schema, start: &DeclaredStart) -> Result<(), CoreError> {
    let fits = |states: &Vec<f64>| {
        states.len() == schema.states.len() && states.iter().all(|x| x.is_finite())
    };
    if start.v_mv.is_finite() && start.states.as_ref().is_none_or(fits) {
        return Ok(());
    }
    Err(CoreError::BadValue {
        what: format!("the start of model `{}`", schema.id),
        found: format!("{} mV, {:?}", start.v_mv, start.states),
        expected: format!(
            "a finite voltage, and finite values of {} or of none of them",
            schema.states.join(", ")
        ),
    })
}

/// Programs address parameters, states and the rest by name: all must be different.
fn check_names(schema: &Schema) -> Result<(), TraceError> {
    if let Some(name) = schema.unknown.first() {
        let own = schema.parameters.iter().flat_map(|p| [&*p.name, &*p.group]);
        return Err(TraceError::UnknownName {
            model: schema.id.to_string(),
            name: name.clone(),
            nearest: names::nearest(name, own).map(str::to_owned),
        });
    }
    let reserved = [
        DIAMETER,
        COMPARTMENT,
        LENGTH,
        AREA,
        CELSIUS,
        DT,
        U,
        REFERENCE,
    ];
    let own = schema.parameters.iter().map(|p| &*p.name);
    let mut seen = std::collections::HashSet::new();
    match reserved
        .into_iter()
        .chain(own)
        .chain(schema.states.iter().map(|name| &**name))
        .find(|name| !seen.insert(*name))
    {
        None => Ok(()),
        Some(name) => Err(TraceError::Inconsistent {
            model: schema.id.to_string(),
            problem: format!(
                "the name `{name}` is declared twice, or reserved; rename the parameter or state"
            ),
        }),
    }
}

/// Every parameter has a value that physics admits, whether it comes from the model, from weights or from the user.
fn check_values(schema: &Schema) -> Result<(), CoreError> {
    let bad = |p: &&Parameter| !p.physical.admits(p.value);
    let Some(parameter) = schema.parameters.iter().find(bad) else {
        return Ok(());
    };
    let space = if parameter.unit.is_empty() { "" } else { " " };
    Err(CoreError::BadValue {
        what: format!("{} of model `{}`", parameter.full_name(), schema.id),
        found: format!("{}{space}{}", parameter.value, parameter.unit),
        expected: parameter.physical.describe().into(),
    })
}

/// The internodal reversal potential, which membrane potentials are relative to; it must be equal for all fibers.
fn common_reference(schema: &Schema, built: &[Arc<BuiltFiber>]) -> Result<f64, TraceError> {
    let of = |fiber: &Arc<BuiltFiber>| fiber.v_reference_mv.unwrap_or(schema.start.v_mv);
    let reference = built.first().map_or(schema.start.v_mv, of);
    match built.iter().map(of).find(|&other| other != reference) {
        None => Ok(reference),
        Some(other) => Err(TraceError::Inconsistent {
            model: schema.id.to_string(),
            problem: format!(
                "the reversal potential of the internodes differs between fibers ({reference} and {other} mV); it must not \
                 depend on the diameter"
            ),
        }),
    }
}

/// Names of the inputs that a model's cable depends on; none where it cannot be traced.
pub(crate) fn geometry_inputs(model: &dyn FiberModel, schema: &Schema) -> Vec<String> {
    let traced = FiberGeometry::trace(model, schema, Ends::Active);
    let inputs = traced.map(|geometry| geometry.program.inputs().to_vec());
    let names = inputs.unwrap_or_default().into_iter();
    names.map(|input| input.name).collect()
}

/// The traced geometry of a model.
#[derive(Debug)]
pub(crate) struct FiberGeometry {
    program: Program,
    adjoint: OnceLock<Program>,
    pub(crate) kind: GeometryKind,
    pub(crate) ends: Ends,
}

impl FiberGeometry {
    /// Traces the geometry of a model.
    pub(crate) fn trace(
        model: &dyn FiberModel,
        schema: &Schema,
        ends: Ends,
    ) -> Result<Self, TraceError> {
        let tracer = Tracer::new();
        let geometry = model.geometry(&FiberSymbols(Symbols {
            tracer: &tracer,
            schema,
        }));
        let values = geometry.quantities().into_iter();
        let values = values.chain(geometry.cable_numbers()).enumerate();
        let outputs: Vec<_> = values
            .map(|(index, e)| (format!("value {index}"), e))
            .collect();
        Ok(FiberGeometry {
            program: tracer.finish(&outputs)?,
            adjoint: OnceLock::new(),
            kind: geometry.kind(),
            ends,
        })
    }

    /// The program from diameter, compartment length and parameters to cable coefficients.
    pub(crate) fn program(&self) -> &Program {
        &self.program
    }

    /// Accumulates the VJP of a fiber's geometry into the cotangents of `parameters`, in the schema's order.
    pub(crate) fn accumulate_vjp(
        &self,
        schema: &Schema,
        built: &BuiltFiber,
        values: &[f64],
        parameters: &mut [f64],
    ) {
        let adjoint = self.adjoint.get_or_init(|| self.program.adjoint());
        let mut inputs = built.inputs.clone();
        inputs.extend(values);
        for (input, bar) in self.program.inputs().iter().zip(adjoint.eval(&inputs)) {
            let found = schema.parameters.iter().position(|p| p.name == input.name);
            if let Some(parameter) = found {
                parameters[parameter] += bar;
            }
        }
    }

    /// The cable of a fiber of three nodes with this diameter and length of compartments, if there is one.
    pub(crate) fn cable(
        &self,
        schema: &Schema,
        diameter_um: f64,
        compartment_um: f64,
    ) -> Option<Arc<Cable>> {
        let inputs = self.inputs(schema).at(diameter_um, compartment_um);
        let values = self.program.eval(&inputs);
        let size = (3, Ends::Active);
        let built = build(self.kind, inputs, values, size, &String::new).ok()?;
        Some(built.cable)
    }

    fn inputs(&self, schema: &Schema) -> GeometryInputs {
        let mut values = GeometryInputs {
            given: Vec::new(),
            diameter: None,
            compartment: None,
        };
        for (index, input) in self.program.inputs().iter().enumerate() {
            values.given.push(match &*input.name {
                DIAMETER => {
                    values.diameter = Some(index);
                    f64::NAN
                }
                COMPARTMENT => {
                    values.compartment = Some(index);
                    f64::NAN
                }
                name => parameter(schema, name),
            });
        }
        values
    }

    /// Distance between the nodes of a fiber, um, without its cable.
    ///
    /// # Errors
    /// As [`FiberGeometry::build_fibers`], as far as the fiber itself is concerned.
    pub(crate) fn spacing_um(
        &self,
        schema: &Schema,
        fiber: &Fiber,
    ) -> Result<f64, SimulationError> {
        let compartment_um = checked_compartment_um(schema, 0, fiber)?;
        let inputs = self.inputs(schema).at(fiber.diameter_um, compartment_um);
        let spacing = node_spacing_um(self.kind, &self.program.eval(&inputs));
        if spacing > 0.0 && spacing.is_finite() {
            return Ok(spacing);
        }
        Err(SimulationError::Geometry {
            fiber: format!("model `{}`, {} um", schema.id, fiber.diameter_um),
            problem: format!("the distance between nodes is {spacing} um, but must be positive"),
        })
    }

    /// Cables of fibers; equal fibers share one.
    pub(crate) fn build_fibers(
        &self,
        schema: &Schema,
        fibers: &[Fiber],
        cancel: &CancelToken,
    ) -> Result<Vec<Arc<BuiltFiber>>, SimulationError> {
        let mut known: HashMap<(u64, usize, u64), Arc<BuiltFiber>> = HashMap::new();
        let inputs = self.inputs(schema);
        let mut built = Vec::with_capacity(fibers.len());
        for (index, fiber) in fibers.iter().enumerate() {
            cancel.check()?;
            let wrong = |problem: String| {
                Err(SimulationError::Fiber {
                    fiber: index,
                    problem,
                })
            };
            let compartment = checked_compartment_um(schema, index, fiber)?;
            let fewest = self.ends.fewest_nodes();
            if fiber.nodes < fewest {
                let ends = match self.ends {
                    Ends::Active => "",
                    Ends::Passive => " with passive ends",
                };
                return wrong(format!(
                    "{} nodes; a fiber{ends} needs at least {fewest}",
                    fiber.nodes
                ));
            }
            let key = (
                fiber.diameter_um.to_bits(),
                fiber.nodes,
                compartment.to_bits(),
            );
            let cable = match known.get(&key) {
                Some(cable) => cable.clone(),
                None => {
                    let inputs = inputs.at(fiber.diameter_um, compartment);
                    let values = self.program.eval(&inputs);
                    let what = || {
                        format!(
                            "fiber {index} (model `{}`, {} um)",
                            schema.id, fiber.diameter_um
                        )
                    };
                    let size = (fiber.nodes, self.ends);
                    let cable = Arc::new(build(self.kind, inputs, values, size, &what)?);
                    known.insert(key, cable.clone());
                    cable
                }
            };
            if let (Some(stated), None) = (fiber.compartment_um, schema.compartment_um) {
                let spacing = cable.node_spacing_um();
                if stated.is_nan() || (stated - spacing).abs() > 1e-3 * spacing {
                    return wrong(format!(
                        "a node spacing of {stated} um was stated, but model `{}` has {spacing} um at {} um diameter",
                        schema.id, fiber.diameter_um
                    ));
                }
            }
            built.push(cable);
        }
        Ok(built)
    }
}

/// Inputs of the geometry's program, of which diameter and length of compartments are a fiber's own.
struct GeometryInputs {
    given: Vec<f64>,
    /// Places of what is a fiber's own, where the geometry depends on it.
    diameter: Option<usize>,
    compartment: Option<usize>,
}

impl GeometryInputs {
    fn at(&self, diameter_um: f64, compartment_um: f64) -> Vec<f64> {
        let mut values = self.given.clone();
        for (place, value) in [
            (self.diameter, diameter_um),
            (self.compartment, compartment_um),
        ] {
            if let Some(place) = place {
                values[place] = value;
            }
        }
        values
    }
}

/// The length of a fiber's compartments, um; 0 where the diameter fixes the geometry.
///
/// # Errors
/// [`SimulationError::Fiber`] for a diameter or length of compartments that the model does not have.
fn checked_compartment_um(
    schema: &Schema,
    index: usize,
    fiber: &Fiber,
) -> Result<f64, SimulationError> {
    let wrong = |problem: String| {
        Err(SimulationError::Fiber {
            fiber: index,
            problem,
        })
    };
    if let Some(expected) = schema.wrong_diameter(fiber.diameter_um) {
        let what = match schema.listed_um {
            Some(_) => "none of those",
            None => "outside the range",
        };
        return wrong(format!(
            "diameter {} um is {what} of model `{}`, {expected}",
            fiber.diameter_um, schema.id,
        ));
    }
    match (fiber.compartment_um, schema.compartment_um) {
        (Some(length), Some(_)) if !(length > 0.0 && length.is_finite()) => wrong(format!(
            "compartments of {length} um; the length must be positive"
        )),
        (Some(length), Some(_)) => Ok(length),
        (None, Some(length)) => Ok(length),
        // There a stated length can only be checked.
        (_, None) => Ok(0.0),
    }
}

fn parameter(schema: &Schema, name: &str) -> f64 {
    schema
        .parameters
        .iter()
        .find(|p| p.name == name)
        .map_or(f64::NAN, |p| p.value)
}

/// Sets `name` (or `group.name`) to `value`.
fn set_parameter(schema: &mut Schema, name: &str, value: f64) -> Result<(), CoreError> {
    if !value.is_finite() {
        return Err(CoreError::BadValue {
            what: format!("parameter {name}"),
            found: value.to_string(),
            expected: "a finite number".into(),
        });
    }
    let full = Parameter::full_name;
    match schema
        .parameters
        .iter_mut()
        .find(|p| p.name == name || full(p) == name)
    {
        Some(parameter) => {
            parameter.value = value;
            Ok(())
        }
        None => {
            let valid: Vec<String> = schema.parameters.iter().map(full).collect();
            let short = schema.parameters.iter().map(|parameter| &*parameter.name);
            let nearest = names::nearest(name, valid.iter().map(String::as_str).chain(short))
                .map(str::to_owned);
            Err(CoreError::UnknownName {
                what: format!("parameter of model `{}`", schema.id),
                found: name.to_owned(),
                nearest,
                valid,
            })
        }
    }
}
