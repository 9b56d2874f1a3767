//! Lowers a membrane over symbols to the three programs of a rollout.

mod balance;
mod bind;
mod held;

use std::collections::HashMap;

use axonml_autodiff::engine::{Membrane, MembranePrograms, SectionKind, StateUpdate};
use axonml_autodiff::ir::{Expr, Extent, Program, TraceError, Tracer, Value};
use axonml_core::names;

use crate::FiberModel;
use crate::model::{DT, Patch, REFERENCE, Symbols, U};
use crate::schema::Schema;
use balance::with_balances;
use bind::bind;
use held::Held;

/// Traces the membrane of the nodes (or compartments) into the three programs of a rollout.
pub(crate) fn trace_membrane(
    model: &dyn FiberModel,
    schema: &Schema,
    section: SectionKind,
) -> Result<MembranePrograms, TraceError> {
    let tracer = Tracer::new();
    let u = tracer.input(U, Extent::Node);
    let reference = tracer.input(REFERENCE, Extent::Shared);
    let symbols = Symbols {
        tracer: &tracer,
        schema,
    };
    let patch = Patch::new(symbols, u + reference);
    let membrane = model.membrane(section, &patch);
    // A name that is not declared explains whatever else does not fit.
    tracer.finish(&[])?;
    let updates = updates_in_order(schema, &membrane)?;
    let (gates, slow): (Vec<_>, Vec<_>) = updates
        .into_iter()
        .partition(|(_, update)| update.is_gate());

    let dt = tracer.input(DT, Extent::Shared);
    let starts = tracer.finish(&steady_values(&slow))?;
    let steady = tracer.finish(&steady_values(&gates))?;
    let membrane = with_balances(membrane, &tracer, [u, reference], &[&starts, &steady])?;
    let (g, j) = membrane.linearized(u, reference);
    let currents = tracer.finish(&[named("g", g), named("j", j)])?;

    // Slow states read the voltage at the moment before a step. Their operands are computed at the end of the step before
    // and handed on as states of their own.
    let mut held = Held::new(&tracer);
    let moved = slow
        .iter()
        .map(|(name, update)| {
            let update = held.hold(name, *update)?;
            let x = tracer.input(name, Extent::Node);
            Ok(named(name, update.step(x, dt)))
        })
        .collect::<Result<Vec<_>, TraceError>>()?;
    let moved = tracer.finish(&moved)?;
    let relaxed: Vec<_> = gates
        .iter()
        .map(|(name, gate)| named(name, gate.step(tracer.input(name, Extent::Node), dt)))
        .collect();
    let relaxed = tracer.finish(&relaxed)?;
    let readers = [&moved, &relaxed, &currents];
    let held = held.finish(&membrane, [u, reference], &readers)?;

    // Rest: start values, steady states of gates at the resting potential, what is handed on of both.
    let rest_tracer = Tracer::new();
    let mut rest_states = outputs_by_name(&starts, &rest_tracer, &HashMap::new());
    rest_states.extend(outputs_by_name(&steady, &rest_tracer, &rest_states));
    let rest_held = held.values(&rest_tracer, &rest_states);

    // A step: slow states by what was handed on, then the gates, then the currents and what is handed on of the new states.
    let step_tracer = Tracer::new();
    step_tracer.input(DT, Extent::Shared);
    let mut new_states = outputs_by_name(&moved, &step_tracer, &HashMap::new());
    new_states.extend(outputs_by_name(&relaxed, &step_tracer, &new_states));
    let new_held = held.values(&step_tracer, &new_states);
    let new_currents = currents.inline(&step_tracer, &new_states);

    let mut states: Vec<String> = schema.states.iter().map(|name| name.to_string()).collect();
    states.extend(held.names().cloned());
    let rest = rest_tracer.finish(&in_order(&states, &rest_states, &rest_held))?;
    let mut step_outputs = in_order(&states, &new_states, &new_held);
    step_outputs.extend(
        ["g", "j"]
            .into_iter()
            .zip(new_currents)
            .map(|(name, e)| named(name, e)),
    );
    let step = step_tracer.finish(&step_outputs)?;
    if let Some(state) = states.iter().find(|state| reads(&rest, state)) {
        return Err(inconsistent(
            schema,
            format!("the steady state of a gate depends on the gate `{state}`"),
        ));
    }

    let [rest, currents, step] =
        [rest, currents, step].map(|program| bind(program, schema, &states));
    Ok(MembranePrograms::new(states, rest, currents, step))
}

/// The update of every declared state.
fn updates_in_order<'s, 't>(
    schema: &'s Schema,
    membrane: &Membrane<'t>,
) -> Result<Vec<(&'s str, StateUpdate<'t>)>, TraceError> {
    let declared = &schema.states;
    let updated = || membrane.states().iter().map(|(name, _)| name.as_str());
    let updates = declared.iter().map(|name| {
        let name = &**name;
        let mut found = membrane.states().iter();
        match found.find(|(updated, _)| updated == name) {
            Some((_, update)) => Ok((name, *update)),
            None => {
                let nearest = names::nearest(name, updated());
                let hint = nearest
                    .map(|n| format!(" (is it `{n}`?)"))
                    .unwrap_or_default();
                Err(inconsistent(
                    schema,
                    format!("the membrane has no update for state `{name}`{hint}"),
                ))
            }
        }
    });
    let updates = updates.collect::<Result<Vec<_>, _>>()?;
    if let Some(name) = updated().find(|name| declared.iter().all(|known| known != name)) {
        return Err(inconsistent(
            schema,
            format!("the membrane updates `{name}`, which the schema does not declare as a state"),
        ));
    }
    if membrane.states().len() > declared.len() {
        return Err(inconsistent(
            schema,
            "the membrane updates a state twice".into(),
        ));
    }
    Ok(updates)
}

fn inconsistent(schema: &Schema, problem: String) -> TraceError {
    TraceError::Inconsistent {
        model: schema.id.to_string(),
        problem,
    }
}

fn named<'t>(name: &str, e: Expr<'t>) -> (String, Expr<'t>) {
    (name.to_owned(), e)
}

/// Steady states of gates and start values of other states, by name.
fn steady_values<'t>(updates: &[(&str, StateUpdate<'t>)]) -> Vec<(String, Expr<'t>)> {
    let each = updates.iter();
    each.map(|(name, update)| named(name, update.steady()))
        .collect()
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

/// Whether a program's outputs depend on the input of this name.
fn reads(program: &Program, name: &str) -> bool {
    let input = program.input(name);
    input.is_some_and(|input| program.values().contains(&Value::Input(input)))
}
