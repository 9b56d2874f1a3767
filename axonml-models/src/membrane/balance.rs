//! Currents that balance an ion's at rest.

use std::collections::HashMap;

use axonml_autodiff::engine::{Ion, Membrane};
use axonml_autodiff::ir::{Expr, Program, TraceError, Tracer};

use super::{named, outputs_by_name};
use crate::model::U;

/// Replaces the balances of `membrane` by the currents that they stand for: computed where the voltage is that of rest and
/// states have their `steady` values (programs in the order in which they depend on each other). Nothing in them is per
/// node any more, so that executors compute them once.
pub(super) fn with_balances<'t>(
    mut membrane: Membrane<'t>,
    tracer: &'t Tracer,
    [u, reference]: [Expr<'t>; 2],
    steady: &[&Program],
) -> Result<Membrane<'t>, TraceError> {
    let balances = membrane.take_balances();
    let unbalanced = membrane.clone();
    for balance in balances {
        let name = balance.ion.name();
        let current = unbalanced.ion_current(name, u, reference);
        let at_any = tracer.finish(&[
            named("current", current),
            named("reversal", balance.ion.reversal()),
        ])?;
        let u_rest = balance.v_rest - reference;
        let mut at_rest = HashMap::from([(U.to_owned(), u_rest)]);
        for program in steady {
            at_rest.extend(outputs_by_name(program, tracer, &at_rest));
        }
        let [current, reversal] = at_any.inline(tracer, &at_rest)[..] else {
            unreachable!("the program has two outputs")
        };
        let conductance = -current / (u_rest + reference - reversal);
        let leak = conductance.select_lt(0.0, 0.0, conductance);
        let constant = conductance.select_lt(0.0, -current, 0.0);
        membrane = membrane
            .through(&balance.ion, leak)
            .carried_by(&Ion::new(name, reversal), constant);
    }
    Ok(membrane)
}
