//! Mechanisms: reusable pieces of membrane with states and parameters of their own, of which models are composed.
//!
//! A [`Mechanism`] is written with local names. A model that has it as `nav1p8` finds its state `m` as `nav1p8.m` and its
//! parameter `g` as `nav1p8.g`; so do recordings, settings and listings. Those that keep the concentrations of an ion, or
//! fix its reversal potential, hand the ion to all others ([`Mechanism::ion`]).
//!
//! `examples/custom_model.rs` has a mechanism of its own beside some of these.

mod balance;
mod calcium;
mod channel;
mod exchanger;
mod ion;
mod pump;
mod shell;

pub use balance::Balanced;
pub use calcium::CalciumShell;
pub use channel::{Channel, Kinetics, boltzmann, gaussian};
pub use exchanger::SodiumCalciumExchanger;
pub use ion::{FixedIon, IonConstants, nernst_mv};
pub use pump::{CalciumPump, SodiumPotassiumPump};
pub use shell::Shell;

use axonml_autodiff::engine::{Ion, Membrane};

use crate::model::local_name;
use crate::{Patch, Schema};

/// A piece of membrane: a channel, a pump, an exchanger, a leak, the concentrations of an ion.
pub trait Mechanism: std::fmt::Debug + Send + Sync {
    /// Adds its states and parameters, by local names, to an empty schema; other parts of it are ignored.
    fn declare(&self, own: Schema) -> Schema;

    /// The ion whose concentrations or reversal potential it keeps; `name` is the mechanism's, which is the ion's.
    fn ion<'t>(&self, name: &'static str, x: &Patch<'t>) -> Option<Ion<'t>> {
        let _ = (name, x);
        None
    }

    /// Its currents and state updates, states by local names.
    fn membrane<'t>(&self, x: &Patch<'t>) -> Membrane<'t>;
}

/// The mechanisms of a model by name, in the order in which the model has their states.
#[derive(Debug, Default)]
pub struct Mechanisms<'m>(Vec<(&'static str, Box<dyn Mechanism + 'm>)>);

impl<'m> Mechanisms<'m> {
    /// None.
    pub fn new() -> Self {
        Mechanisms::default()
    }

    /// Adds a mechanism by name; the mechanism that keeps an ion has the ion's.
    #[must_use]
    pub fn with(mut self, name: &'static str, mechanism: impl Mechanism + 'm) -> Self {
        self.0.push((name, Box::new(mechanism)));
        self
    }
}

impl Schema {
    /// Declares the states and parameters of mechanisms: `nav1p8.m`, `nav1p8.g`.
    #[must_use]
    pub fn mechanisms(mut self, mechanisms: &Mechanisms<'_>) -> Self {
        for (name, mechanism) in &mechanisms.0 {
            let own = mechanism.declare(Schema::new("", ""));
            let full = |local: &str| local_name(name, local).into();
            let states = own.states.iter().map(|state| full(state));
            self.states.extend(states);
            for mut parameter in own.parameters {
                parameter.name = full(&parameter.name);
                self.parameters.push(parameter);
            }
            self.unknown.extend(own.unknown);
        }
        self
    }
}

impl<'t> Patch<'t> {
    /// The currents and state updates of mechanisms.
    pub fn mechanisms(&self, mechanisms: &Mechanisms<'_>) -> Membrane<'t> {
        let each = || mechanisms.0.iter();
        let ions = each().filter_map(|(name, mechanism)| mechanism.ion(name, &self.within(name)));
        let patch = self.with_ions(ions);
        each().fold(Membrane::new(), |membrane, (name, mechanism)| {
            let own = mechanism.membrane(&patch.within(name));
            membrane.with(own.rename_states(|local| local_name(name, local)))
        })
    }
}
