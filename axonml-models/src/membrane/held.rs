//! What slow states need of the moment before a step: it is computed at the end of the step before, and handed on as states.

use std::collections::HashMap;

use axonml_autodiff::engine::{Ion, Membrane, StateUpdate};
use axonml_autodiff::ir::{Expr, Extent, Program, TraceError, Tracer};

use super::{named, outputs_by_name, reads};
use crate::model::U;

/// Expressions that are handed on to the next step, by the name of the state that does it.
pub(super) struct Held<'t> {
    tracer: &'t Tracer,
    operands: Vec<(String, Expr<'t>)>,
}

/// The programs of what is handed on.
pub(super) struct HeldPrograms {
    /// Currents of ions.
    currents: Program,
    /// Operands of updates, which may depend on these.
    operands: Program,
}

impl<'t> Held<'t> {
    pub(super) fn new(tracer: &'t Tracer) -> Self {
        Held {
            tracer,
            operands: Vec::new(),
        }
    }

    /// `update` of the state `name` with every operand that depends on the voltage replaced by one that is handed on. The
    /// others follow from states, whose values before a step are at hand.
    pub(super) fn hold(
        &mut self,
        name: &str,
        update: StateUpdate<'t>,
    ) -> Result<StateUpdate<'t>, TraceError> {
        let mut failed = None;
        let held =
            update.map_held(
                |role, operand| match self.tracer.finish(&[named(role, operand)]) {
                    Ok(program) if reads(&program, U) => {
                        let state = format!("{role} of {name}");
                        let input = self.tracer.input(&state, Extent::Node);
                        self.operands.push((state, operand));
                        input
                    }
                    Ok(_) => operand,
                    Err(error) => {
                        failed = Some(error);
                        operand
                    }
                },
            );
        failed.map_or(Ok(held), Err)
    }

    /// The programs of all that was held, and of the currents of ions that they or `readers` read.
    pub(super) fn finish(
        &self,
        membrane: &Membrane<'t>,
        [u, reference]: [Expr<'t>; 2],
        readers: &[&Program],
    ) -> Result<HeldPrograms, TraceError> {
        let operands = self.tracer.finish(&self.operands)?;
        let mut currents: Vec<(String, Expr<'t>)> = Vec::new();
        for reader in readers.iter().copied().chain([&operands]) {
            for input in reader.inputs() {
                let known = currents.iter().any(|(name, _)| *name == input.name);
                if let Some(ion) = Ion::of_current(&input.name)
                    && !known
                    && reads(reader, &input.name)
                {
                    let current = membrane.ion_current(ion, u, reference);
                    currents.push((input.name.clone(), current));
                }
            }
        }
        Ok(HeldPrograms {
            currents: self.tracer.finish(&currents)?,
            operands,
        })
    }
}

impl HeldPrograms {
    /// Names of the states that hand them on.
    pub(super) fn names(&self) -> impl Iterator<Item = &String> {
        let each = [&self.operands, &self.currents].into_iter();
        each.flat_map(|program| program.outputs().iter().map(|(name, _)| name))
    }

    /// All of them in `tracer`, where states have these values.
    pub(super) fn values<'s>(
        &self,
        tracer: &'s Tracer,
        states: &HashMap<String, Expr<'s>>,
    ) -> HashMap<String, Expr<'s>> {
        let mut known = states.clone();
        let currents = outputs_by_name(&self.currents, tracer, &known);
        known.extend(currents.clone());
        let mut values = outputs_by_name(&self.operands, tracer, &known);
        values.extend(currents);
        values
    }
}
