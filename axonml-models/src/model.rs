//! The trait of fiber models: a schema, a geometry and a membrane, the latter two over symbols.
//!
//! A model file needs nothing but this module. It never sees a device, a time step, a batch or a number type, and it
//! has no error handling: a name that the schema does not declare is remembered and reported, with the nearest declared
//! name, when the model is used.

use axonml_autodiff::engine::{Ion, Membrane, SectionKind};
use axonml_autodiff::ir::{Expr, Extent, TraceError, Tracer};
use axonml_core::names;

use crate::geometry::{Geometry, Unmyelinated};
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
        f.write_str(&self.schema().id)
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
        let states = self.schema.states.iter().map(|name| &**name);
        let parameters = self.schema.parameters.iter().map(|p| &*p.name);
        self.unknown_among(name, states.chain(parameters))
    }

    /// Notes that `name` is none of the `declared` ones; stands for anything from then on.
    fn unknown_among<'n>(
        &self,
        name: &str,
        declared: impl IntoIterator<Item = &'n str>,
    ) -> Expr<'t> {
        self.tracer.fail(TraceError::UnknownName {
            model: self.schema.id.to_string(),
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
pub(crate) const LENGTH: &str = "length um";
pub(crate) const AREA: &str = "area cm2";

/// The inputs of membranes that a fiber's geometry has values for, in the order of
/// [`RolloutFiber::parameters`](axonml_autodiff::engine::RolloutFiber::parameters).
pub(crate) const OF_FIBER: [&str; 3] = [DIAMETER, LENGTH, AREA];

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

    /// A fiber without myelin: a cylinder of its diameter, cut as the schema declares, with the parameters `cm` (capacitance of
    /// the membrane, uF/cm2) and `ra` (axial resistivity, ohm cm).
    pub fn cylinder(&self) -> Unmyelinated<'t> {
        Unmyelinated {
            compartment_um: self.compartment_um(),
            diameter_um: self.diameter(),
            capacitance_uf_cm2: self.param("cm"),
            axial_ohm_cm: self.param("ra"),
        }
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

/// The symbols that one patch of membrane may depend on: those of the fiber, or of one of its mechanisms, which finds its own
/// states and parameters by their local names ([`Patch::mechanisms`]).
#[derive(Clone, Debug)]
pub struct Patch<'t> {
    symbols: Symbols<'t>,
    v: Expr<'t>,
    mechanism: Option<&'static str>,
    ions: Vec<Ion<'t>>,
}

impl<'t> Patch<'t> {
    pub(crate) fn new(symbols: Symbols<'t>, v: Expr<'t>) -> Self {
        Patch {
            symbols,
            v,
            mechanism: None,
            ions: Vec::new(),
        }
    }

    /// The same patch as the mechanism of this name sees it.
    pub(crate) fn within(&self, mechanism: &'static str) -> Self {
        Patch {
            mechanism: Some(mechanism),
            ..self.clone()
        }
    }

    /// The same patch with these ions besides those that it has.
    pub(crate) fn with_ions(&self, ions: impl IntoIterator<Item = Ion<'t>>) -> Self {
        let mut with = self.clone();
        with.ions.extend(ions);
        with
    }

    /// Membrane potential, inside minus outside, mV.
    pub fn v(&self) -> Expr<'t> {
        self.v
    }

    /// Fiber diameter (myelin included where there is any), um.
    pub fn diameter_um(&self) -> Expr<'t> {
        self.symbols.tracer.input(DIAMETER, Extent::Fiber)
    }

    /// Length of the compartment or node of Ranvier, um.
    pub fn length_um(&self) -> Expr<'t> {
        self.symbols.tracer.input(LENGTH, Extent::Fiber)
    }

    /// Membrane area of the compartment or node of Ranvier, cm2.
    pub fn area_cm2(&self) -> Expr<'t> {
        self.symbols.tracer.input(AREA, Extent::Fiber)
    }

    /// An ion by name.
    ///
    /// Ions are those that the model's mechanisms keep ([`Mechanism::ion`](crate::mechanisms::Mechanism::ion)); any other name is
    /// an error when the model is used.
    pub fn ion(&self, name: &str) -> Ion<'t> {
        let found = self.ions.iter().find(|ion| ion.name() == name);
        found.copied().unwrap_or_else(|| {
            let names = self.ions.iter().map(Ion::name);
            Ion::new("?", self.symbols.unknown_among(name, names))
        })
    }

    /// The ion that the mechanism keeps, whose name it has; outside of a mechanism it is an error when the model is used.
    pub fn own_ion(&self) -> Ion<'t> {
        self.ion(self.mechanism.unwrap_or("own_ion outside of a mechanism"))
    }

    /// Concentration of an ion inside, mM.
    ///
    /// An ion without concentrations is an error when the model is used; so it is in [`Patch::outside`].
    pub fn inside(&self, ion: &str) -> Expr<'t> {
        self.concentrations(ion)[0]
    }

    /// Concentration of an ion outside, mM.
    pub fn outside(&self, ion: &str) -> Expr<'t> {
        self.concentrations(ion)[1]
    }

    fn concentrations(&self, name: &str) -> [Expr<'t>; 2] {
        let ion = self.ion(name);
        ion.concentrations().unwrap_or_else(|| {
            self.symbols.tracer.fail(TraceError::Inconsistent {
                model: self.symbols.schema.id.to_string(),
                problem: format!("the ion `{name}` has no concentrations"),
            });
            [ion.reversal(); 2]
        })
    }

    /// A state variable by name.
    pub fn state(&self, name: &str) -> Expr<'t> {
        let declared = |name: &str| self.symbols.schema.states.iter().any(|state| state == name);
        match self.full_name(name, declared) {
            Some(full) => self.symbols.tracer.input(&full, Extent::Node),
            None => self.symbols.unknown(name),
        }
    }

    /// Several state variables by name.
    pub fn states<const N: usize>(&self, names: [&str; N]) -> [Expr<'t>; N] {
        names.map(|name| self.state(name))
    }

    /// A parameter by name.
    pub fn param(&self, name: &str) -> Expr<'t> {
        let declared = |name: &str| {
            let mut parameters = self.symbols.schema.parameters.iter();
            parameters.any(|parameter| parameter.name == name)
        };
        match self.full_name(name, declared) {
            Some(full) => self.symbols.param(&full),
            None => self.symbols.unknown(name),
        }
    }

    /// The declared name that `name` stands for: the mechanism's own, else the model's.
    fn full_name(&self, name: &str, declared: impl Fn(&str) -> bool) -> Option<String> {
        let own = self
            .mechanism
            .map(|mechanism| local_name(mechanism, name))
            .filter(|own| declared(own));
        own.or_else(|| declared(name).then(|| name.to_owned()))
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

    /// Reports that the membrane cannot be made: an error when the model is used.
    pub fn refuse(&self, problem: &dyn std::fmt::Display) {
        self.symbols.tracer.fail(TraceError::Inconsistent {
            model: self.symbols.schema.id.to_string(),
            problem: problem.to_string(),
        });
    }

    /// A number.
    pub fn number(&self, value: f64) -> Expr<'t> {
        self.symbols.tracer.constant(value)
    }
}

/// A mechanism's own name of a state or parameter, as the model has it: `nav1p8.m`.
pub(crate) fn local_name(mechanism: &str, name: &str) -> String {
    format!("{mechanism}.{name}")
}
