//! From a model over symbols to programs and cables in numbers.

use std::collections::HashMap;
use std::sync::Arc;

use axonml_autodiff::{
    Binding, Extent, MembranePrograms, Program, SectionKind, TraceError, Tracer,
};
use axonml_core::{CoreError, names};

use crate::geometry::{BuiltFiber, Kind, build};
use crate::model::{CELSIUS, COMPARTMENT, DIAMETER, DT, FiberSymbols, Patch, Symbols, U};
use crate::schema::{Parameter, Schema};
use crate::{Fiber, FiberModel, SimulationError};

/// A model with its parameters set, ready to make fibres.
#[derive(Debug)]
pub(crate) struct LoweredModel {
    pub(crate) schema: Schema,
    pub(crate) membrane: Arc<MembranePrograms>,
    /// Values of the shared parameters, then the temperature.
    pub(crate) shared: Arc<Vec<f64>>,
    pub(crate) v_reference_mv: f64,
    geometry: Program,
    kind: Kind,
}

impl LoweredModel {
    /// Traces `model`; `settings` are (parameter, value) pairs that override defaults, names as `param` or
    /// `group.param`.
    pub(crate) fn new(
        model: &dyn FiberModel,
        settings: &[(String, f64)],
        celsius: Option<f64>,
    ) -> Result<Self, SimulationError> {
        let mut schema = model.schema();
        for (name, value) in settings {
            set_parameter(&mut schema, name, *value)?;
        }
        schema.celsius = celsius.unwrap_or(schema.celsius);
        let (geometry, kind) = trace_geometry(model, &schema)?;
        let mut shared: Vec<f64> = schema
            .parameters
            .iter()
            .map(|parameter| parameter.value)
            .collect();
        shared.push(schema.celsius);

        // The reference potential follows from parameters alone; any diameter of the range will tell it.
        let mut lowered = LoweredModel {
            membrane: Arc::new(trace_membrane(model, &schema, kind.section(), 0.0)?),
            shared: Arc::new(shared),
            v_reference_mv: 0.0,
            geometry,
            kind,
            schema,
        };
        let diameter = lowered.schema.diameters_um.start() * 0.5
            + lowered.schema.diameters_um.end().min(1e3) * 0.5;
        let compartment = lowered.schema.compartment_um.unwrap_or(1.0);
        let quantities = lowered.quantities(diameter, compartment);
        let probe = build(kind, &quantities, 2, lowered.schema.id)?;
        let reference = probe.v_reference_mv.unwrap_or(lowered.schema.start.v_mv);
        if reference != 0.0 {
            lowered.membrane = Arc::new(trace_membrane(
                model,
                &lowered.schema,
                kind.section(),
                reference,
            )?);
            lowered.v_reference_mv = reference;
        }
        Ok(lowered)
    }

    fn quantities(&self, diameter_um: f64, compartment_um: f64) -> Vec<f64> {
        let inputs: Vec<f64> = self
            .geometry
            .inputs()
            .iter()
            .map(|input| match input.name.as_str() {
                DIAMETER => diameter_um,
                COMPARTMENT => compartment_um,
                name => parameter(&self.schema, name),
            })
            .collect();
        self.geometry.eval(&inputs)
    }

    /// Cables of fibres; equal fibres share one.
    pub(crate) fn build_fibers(
        &self,
        fibers: &[Fiber],
    ) -> Result<Vec<Arc<BuiltFiber>>, SimulationError> {
        let mut known: HashMap<(u64, usize, u64), Arc<BuiltFiber>> = HashMap::new();
        let mut built = Vec::with_capacity(fibers.len());
        for (index, fiber) in fibers.iter().enumerate() {
            let wrong = |problem: String| {
                Err(SimulationError::Fiber {
                    fiber: index,
                    problem,
                })
            };
            let range = &self.schema.diameters_um;
            if !range.contains(&fiber.diameter_um) {
                return wrong(format!(
                    "diameter {} um is outside the range of model `{}`, {} to {} um",
                    fiber.diameter_um,
                    self.schema.id,
                    range.start(),
                    range.end()
                ));
            }
            if fiber.nodes < 3 {
                return wrong(format!("{} nodes; a fibre needs at least 3", fiber.nodes));
            }
            let compartment = match (fiber.compartment_um, self.schema.compartment_um) {
                (Some(length), Some(_)) if !(length > 0.0 && length.is_finite()) => {
                    return wrong(format!(
                        "compartments of {length} um; the length must be positive"
                    ));
                }
                (Some(length), Some(_)) => length,
                (None, Some(length)) => length,
                // Where the diameter fixes the geometry, a stated length can only be checked.
                (_, None) => 0.0,
            };
            let key = (
                fiber.diameter_um.to_bits(),
                fiber.nodes,
                compartment.to_bits(),
            );
            let cable = match known.get(&key) {
                Some(cable) => cable.clone(),
                None => {
                    let quantities = self.quantities(fiber.diameter_um, compartment);
                    let what = format!(
                        "fibre {index} (model `{}`, {} um)",
                        self.schema.id, fiber.diameter_um
                    );
                    let cable = Arc::new(build(self.kind, &quantities, fiber.nodes, &what)?);
                    known.insert(key, cable.clone());
                    cable
                }
            };
            if let (Some(stated), None) = (fiber.compartment_um, self.schema.compartment_um) {
                let spacing = cable.node_spacing_um();
                if (stated - spacing).abs() > 1e-3 * spacing {
                    return wrong(format!(
                        "a node spacing of {stated} um was stated, but model `{}` has {spacing} um at {} um diameter",
                        self.schema.id, fiber.diameter_um
                    ));
                }
            }
            built.push(cable);
        }
        Ok(built)
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
    let full = |p: &Parameter| format!("{}.{}", p.group, p.name);
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
            let short = valid
                .iter()
                .map(|full| full.split('.').next_back().unwrap_or(full));
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

fn trace_geometry(model: &dyn FiberModel, schema: &Schema) -> Result<(Program, Kind), TraceError> {
    let tracer = Tracer::new();
    let geometry = model.geometry(&FiberSymbols(Symbols {
        tracer: &tracer,
        schema,
    }));
    let outputs: Vec<_> = geometry
        .quantities()
        .into_iter()
        .enumerate()
        .map(|(index, e)| (format!("quantity {index}"), e))
        .collect();
    Ok((tracer.finish(&outputs)?, geometry.kind()))
}

/// Traces the membrane of the nodes (or compartments) into the three programs of a rollout.
fn trace_membrane(
    model: &dyn FiberModel,
    schema: &Schema,
    section: SectionKind,
    v_reference: f64,
) -> Result<MembranePrograms, TraceError> {
    let inconsistent = |problem: String| TraceError::Inconsistent {
        model: schema.id.to_owned(),
        problem,
    };

    let tracer = Tracer::new();
    let u = tracer.input(U, Extent::Node);
    let patch = Patch {
        symbols: Symbols {
            tracer: &tracer,
            schema,
        },
        v: u + v_reference,
    };
    let membrane = model.membrane(section, &patch);
    let declared = &schema.states;
    if membrane.states().len() != declared.len() {
        return Err(inconsistent(format!(
            "the schema declares {} states, the membrane updates {}",
            declared.len(),
            membrane.states().len()
        )));
    }
    let updates = declared
        .iter()
        .map(|name| {
            let found = membrane
                .states()
                .iter()
                .find(|(updated, _)| updated == name);
            found.map(|(_, update)| *update).ok_or_else(|| {
                let updated = membrane
                    .states()
                    .iter()
                    .map(|(updated, _)| updated.as_str());
                let hint = names::nearest(name, updated)
                    .map(|n| format!(" (is it `{n}`?)"))
                    .unwrap_or_default();
                inconsistent(format!(
                    "the membrane has no update for state `{name}`{hint}"
                ))
            })
        })
        .collect::<Result<Vec<_>, _>>()?;

    let named = |name: &str, e| (name.to_owned(), e);
    let rest_outputs: Vec<_> = declared
        .iter()
        .zip(&updates)
        .map(|(name, update)| named(name, update.steady()))
        .collect();
    let rest = tracer.finish(&rest_outputs)?;
    if let Some(state) = states_read(&rest, schema) {
        return Err(inconsistent(format!(
            "the steady state of a gate depends on the state `{state}`"
        )));
    }

    let (g, j) = membrane.linearised(u, v_reference);
    let currents = tracer.finish(&[named("g", g), named("j", j)])?;

    // A step: first the states, then the currents of the new states at the same voltage.
    let dt = tracer.input(DT, Extent::Shared);
    let step_tracer = Tracer::new();
    let old: Vec<_> = declared
        .iter()
        .map(|name| tracer.input(name, Extent::Node))
        .collect();
    let advance_outputs: Vec<_> = declared
        .iter()
        .zip(&updates)
        .zip(&old)
        .map(|((name, update), &x)| named(name, update.step(x, dt)))
        .collect();
    let advance = tracer.finish(&advance_outputs)?;
    let new_states = advance.inline(&step_tracer, &HashMap::new());
    let replaced = declared
        .iter()
        .map(|name| (*name).to_owned())
        .zip(new_states.iter().copied())
        .collect();
    let new_currents = currents.inline(&step_tracer, &replaced);
    let step_outputs: Vec<_> = declared
        .iter()
        .copied()
        .chain(["g", "j"])
        .zip(new_states.into_iter().chain(new_currents))
        .map(|(name, e)| named(name, e))
        .collect();
    let step = step_tracer.finish(&step_outputs)?;

    let bindings = [&rest, &currents, &step].map(|program| bind(program, schema));
    Ok(MembranePrograms {
        states: declared.iter().map(|name| (*name).to_owned()).collect(),
        rest,
        currents,
        step,
        bindings,
    })
}

/// The first state variable that a program's outputs depend on.
fn states_read<'s>(program: &Program, schema: &'s Schema) -> Option<&'s str> {
    schema.states.iter().copied().find(|state| {
        let input = program.input(state);
        input.is_some_and(|input| {
            program
                .values()
                .iter()
                .any(|v| *v == axonml_autodiff::Value::Input(input))
        })
    })
}

fn bind(program: &Program, schema: &Schema) -> Vec<Binding> {
    program
        .inputs()
        .iter()
        .map(|input| match input.name.as_str() {
            U => Binding::U,
            DT => Binding::Dt,
            CELSIUS => Binding::Shared(schema.parameters.len()),
            name => match schema.states.iter().position(|state| *state == name) {
                Some(state) => Binding::State(state),
                None => Binding::Shared(
                    schema
                        .parameters
                        .iter()
                        .position(|parameter| parameter.name == name)
                        .expect("a trace only has inputs that the schema declares"),
                ),
            },
        })
        .collect()
}
