//! The trait of fiber models: a schema, a geometry and a membrane, the latter two over symbols.
//!
//! A model file needs nothing but this module. It never sees a device, a time step, a batch or a number type, and it
//! has no error handling: a name that the schema does not declare is remembered and reported, with the nearest declared
//! name, when the model is used.

use axonml_autodiff::engine::{Membrane, SectionKind};
use axonml_autodiff::ir::{Expr, Extent, TraceError, Tracer};
use axonml_core::names;

use crate::geometry::Geometry;
use crate::schema::Schema;

/// A model of a nerve fiber.
///
/// Implementations are stateless: parameters live in the [`Schema`]. See `examples/custom_model.rs` for a complete one.
pub trait FiberModel: Send + Sync {
    /// Names, parameters, ranges and sources.
    fn schema(&self) -> Schema;

    /// The cable of a fiber of the symbolic diameter `fiber.diameter()`.
    fn geometry<'t>(&self, fiber: &FiberSymbols<'t>) -> Geometry<'t>;

    /// Currents and state updates of one patch of membrane of the given kind.
    fn membrane<'t>(&self, section: SectionKind, patch: &Patch<'t>) -> Membrane<'t>;
}

/// The model's id.
impl std::fmt::Debug for dyn FiberModel + '_ {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.schema().id)
    }
}

/// Names of a model resolved to symbols; unknown ones become an error of the trace.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Symbols<'t> {
    pub(crate) tracer: &'t Tracer,
    pub(crate) schema: &'t Schema,
}

impl<'t> Symbols<'t> {
    fn param(&self, name: &str) -> Expr<'t> {
        match self
            .schema
            .parameters
            .iter()
            .any(|parameter| parameter.name == name)
        {
            true => self.tracer.input(name, Extent::Shared),
            false => self.unknown(name),
        }
    }

    fn unknown(&self, name: &str) -> Expr<'t> {
        let declared = self
            .schema
            .states
            .iter()
            .copied()
            .chain(self.schema.parameters.iter().map(|p| p.name));
        self.tracer.fail(TraceError::UnknownName {
            model: self.schema.id.to_owned(),
            name: name.to_owned(),
            nearest: names::nearest(name, declared).map(str::to_owned),
        });
        self.tracer.constant(1.0)
    }
}

/// Input names of the lowering; a parameter cannot be called like this.
pub(crate) const DIAMETER: &str = "diameter um";
pub(crate) const COMPARTMENT: &str = "compartment um";
pub(crate) const CELSIUS: &str = "temperature C";
pub(crate) const DT: &str = "dt ms";
pub(crate) const U: &str = "u mV";
pub(crate) const REFERENCE: &str = "reference mV";

/// The symbols that a fiber's geometry may depend on.
#[derive(Clone, Copy, Debug)]
pub struct FiberSymbols<'t>(pub(crate) Symbols<'t>);

impl<'t> FiberSymbols<'t> {
    /// Fiber diameter, um.
    pub fn diameter(&self) -> Expr<'t> {
        self.0.tracer.input(DIAMETER, Extent::Fiber)
    }

    /// Length of a compartment, um, for models that declare one.
    pub fn compartment_um(&self) -> Expr<'t> {
        self.0.tracer.input(COMPARTMENT, Extent::Fiber)
    }

    /// A parameter by name.
    pub fn param(&self, name: &str) -> Expr<'t> {
        self.0.param(name)
    }

    /// Several parameters by name.
    pub fn params<const N: usize>(&self, names: [&str; N]) -> [Expr<'t>; N] {
        names.map(|name| self.param(name))
    }

    /// A number.
    pub fn number(&self, value: f64) -> Expr<'t> {
        self.0.tracer.constant(value)
    }
}

/// The symbols that one patch of membrane may depend on.
#[derive(Clone, Copy, Debug)]
pub struct Patch<'t> {
    pub(crate) symbols: Symbols<'t>,
    pub(crate) v: Expr<'t>,
}

impl<'t> Patch<'t> {
    /// Membrane potential, inside minus outside, mV.
    pub fn v(&self) -> Expr<'t> {
        self.v
    }

    /// A state variable by name.
    pub fn state(&self, name: &str) -> Expr<'t> {
        match self.symbols.schema.states.contains(&name) {
            true => self.symbols.tracer.input(name, Extent::Node),
            false => self.symbols.unknown(name),
        }
    }

    /// Several state variables by name.
    pub fn states<const N: usize>(&self, names: [&str; N]) -> [Expr<'t>; N] {
        names.map(|name| self.state(name))
    }

    /// A parameter by name.
    pub fn param(&self, name: &str) -> Expr<'t> {
        self.symbols.param(name)
    }

    /// Several parameters by name.
    pub fn params<const N: usize>(&self, names: [&str; N]) -> [Expr<'t>; N] {
        names.map(|name| self.param(name))
    }

    /// Temperature, degrees Celsius.
    pub fn celsius(&self) -> Expr<'t> {
        self.symbols.tracer.input(CELSIUS, Extent::Shared)
    }

    /// Temperature factor `factor^((T - reference)/10)` of a rate.
    pub fn q10(&self, factor: f64, reference_celsius: f64) -> Expr<'t> {
        ((self.celsius() - reference_celsius) * (factor.ln() / 10.0)).exp()
    }

    /// A number.
    pub fn number(&self, value: f64) -> Expr<'t> {
        self.symbols.tracer.constant(value)
    }
}
