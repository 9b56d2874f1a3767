//! Binds the inputs of membrane programs.

use axonml_autodiff::engine::{Binding, BoundProgram};
use axonml_autodiff::ir::Program;

use crate::model::{CELSIUS, DT, OF_FIBER, REFERENCE, U};
use crate::schema::Schema;

/// Binds the inputs of `program` to the voltage, to `states`, to the parameters of `schema` and to quantities of the fiber.
pub(super) fn bind(program: Program, schema: &Schema, states: &[String]) -> BoundProgram {
    let of_fiber = |name: &str| OF_FIBER.iter().position(|known| *known == name);
    let bind = |name: &str| match name {
        U => Binding::U,
        DT => Binding::Dt,
        REFERENCE => Binding::Reference,
        CELSIUS => Binding::Shared(schema.parameters.len()),
        name => match (
            of_fiber(name),
            states.iter().position(|state| state == name),
        ) {
            (Some(quantity), _) => Binding::Fiber(quantity),
            (None, Some(state)) => Binding::State(state),
            (None, None) => Binding::Shared(
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
