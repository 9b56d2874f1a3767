//! Lowers a membrane over symbols to the three programs of a rollout.

use std::collections::HashMap;

use axonml_autodiff::engine::{Binding, BoundProgram, MembranePrograms, SectionKind, StateUpdate};
use axonml_autodiff::ir::{Expr, Extent, Program, TraceError, Tracer, Value};
use axonml_core::names;

use crate::FiberModel;
use crate::model::{CELSIUS, DT, Patch, REFERENCE, Symbols, U};
use crate::schema::Schema;

/// Traces the membrane of the nodes (or compartments) into the three programs of a rollout.
pub(crate) fn trace_membrane(
    model: &dyn FiberModel,
    schema: &Schema,
    section: SectionKind,
) -> Result<MembranePrograms, TraceError> {
    let inconsistent = |problem: String| TraceError::Inconsistent {
        model: schema.id.to_owned(),
        problem,
    };

    let tracer = Tracer::new();
    let u = tracer.input(U, Extent::Node);
    let reference = tracer.input(REFERENCE, Extent::Shared);
    let patch = Patch {
        symbols: Symbols {
            tracer: &tracer,
            schema,
        },
        v: u + reference,
    };
    let membrane = model.membrane(section, &patch);
    let declared = &schema.states;
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
    if let Some((name, _)) = membrane
        .states()
        .iter()
        .find(|(name, _)| !declared.contains(&name.as_str()))
    {
        return Err(inconsistent(format!(
            "the membrane updates `{name}`, which the schema does not declare as a state"
        )));
    }
    if membrane.states().len() > declared.len() {
        return Err(inconsistent("the membrane updates a state twice".into()));
    }

    let named = |name: &str, e| (name.to_owned(), e);
    let is_ode = |update: &StateUpdate<'_>| matches!(update, StateUpdate::Ode { .. });
    let tracer_state = |name: &str| tracer.input(name, Extent::Node);
    let dt = tracer.input(DT, Extent::Shared);
    let (g, j) = membrane.linearized(u, reference);
    let currents = tracer.finish(&[named("g", g), named("j", j)])?;

    // The rate of an ODE belongs to the voltage and states before a step. It is computed at the end of the step before
    // and handed on as a state of its own.
    let mut starts = Vec::new();
    let mut gates = Vec::new();
    let mut rates = Vec::new();
    for (&name, update) in declared.iter().zip(&updates) {
        match *update {
            StateUpdate::Ode { start, rate } => {
                starts.push(named(name, start));
                rates.push(named(&rate_name(name), rate));
            }
            _ => gates.push((name, *update)),
        }
    }
    let starts = tracer.finish(&starts)?;
    let rates = tracer.finish(&rates)?;
    let steady: Vec<_> = gates
        .iter()
        .map(|(name, gate)| named(name, gate.steady()))
        .collect();
    let steady = tracer.finish(&steady)?;
    let relaxed: Vec<_> = gates
        .iter()
        .filter_map(|(name, gate)| Some(named(name, gate.relax(tracer_state(name), dt)?)))
        .collect();
    let relaxed = tracer.finish(&relaxed)?;

    // Rest: initial values of ODE states, steady states of gates at the resting potential, rates of both.
    let rest_tracer = Tracer::new();
    let mut rest_states = outputs_by_name(&starts, &rest_tracer, &HashMap::new());
    rest_states.extend(outputs_by_name(&steady, &rest_tracer, &rest_states));
    let rest_rates = outputs_by_name(&rates, &rest_tracer, &rest_states);

    // A step: ODE states by the rates handed on, then the gates, then the currents and rates of the new states.
    let step_tracer = Tracer::new();
    let step_dt = step_tracer.input(DT, Extent::Shared);
    let mut new_states: HashMap<String, Expr<'_>> = declared
        .iter()
        .zip(&updates)
        .filter(|(_, update)| is_ode(update))
        .map(|(&name, _)| {
            let x = step_tracer.input(name, Extent::Node);
            (
                name.to_owned(),
                x + step_dt * step_tracer.input(&rate_name(name), Extent::Node),
            )
        })
        .collect();
    new_states.extend(outputs_by_name(&relaxed, &step_tracer, &new_states));
    let new_rates = outputs_by_name(&rates, &step_tracer, &new_states);
    let new_currents = currents.inline(&step_tracer, &new_states);

    let mut states: Vec<String> = declared.iter().map(|&name| name.to_owned()).collect();
    states.extend(rates.outputs().iter().map(|(name, _)| name.clone()));
    let rest = rest_tracer.finish(&in_order(&states, &rest_states, &rest_rates))?;
    let mut step_outputs = in_order(&states, &new_states, &new_rates);
    step_outputs.extend(
        ["g", "j"]
            .into_iter()
            .zip(new_currents)
            .map(|(name, e)| named(name, e)),
    );
    let step = step_tracer.finish(&step_outputs)?;
    if let Some(state) = states_read(&rest, schema) {
        return Err(inconsistent(format!(
            "the steady state of a gate depends on the gate `{state}`"
        )));
    }

    let [rest, currents, step] =
        [rest, currents, step].map(|program| bind(program, schema, &states));
    Ok(MembranePrograms::new(states, rest, currents, step))
}

/// Name of the state that hands on the rate of an ODE state.
fn rate_name(state: &str) -> String {
    format!("rate of {state}")
}

/// The outputs of `program`, computed in `tracer` with some of its inputs replaced.
fn outputs_by_name<'t>(
    program: &Program,
    tracer: &'t Tracer,
    replaced: &HashMap<String, Expr<'t>>,
) -> HashMap<String, Expr<'t>> {
    let names = program.outputs().iter().map(|(name, _)| name.clone());
    names.zip(program.inline(tracer, replaced)).collect()
}

/// The expressions of `names`, found in one of two maps.
fn in_order<'t>(
    names: &[String],
    first: &HashMap<String, Expr<'t>>,
    second: &HashMap<String, Expr<'t>>,
) -> Vec<(String, Expr<'t>)> {
    names
        .iter()
        .filter_map(|name| Some((name.clone(), *first.get(name).or_else(|| second.get(name))?)))
        .collect()
}

/// The first state variable that a program's outputs depend on.
fn states_read<'s>(program: &Program, schema: &'s Schema) -> Option<&'s str> {
    schema.states.iter().copied().find(|state| {
        let input = program.input(state);
        input.is_some_and(|input| program.values().contains(&Value::Input(input)))
    })
}

fn bind(program: Program, schema: &Schema, states: &[String]) -> BoundProgram {
    let bind = |name: &str| match name {
        U => Binding::U,
        DT => Binding::Dt,
        REFERENCE => Binding::Reference,
        CELSIUS => Binding::Shared(schema.parameters.len()),
        name => match states.iter().position(|state| state == name) {
            Some(state) => Binding::State(state),
            None => Binding::Shared(
                schema
                    .parameters
                    .iter()
                    .position(|parameter| parameter.name == name)
                    .expect("a trace only has inputs that the schema declares"),
            ),
        },
    };
    let bindings = program
        .inputs()
        .iter()
        .map(|input| bind(&input.name))
        .collect();
    BoundProgram::new(program, bindings)
}
