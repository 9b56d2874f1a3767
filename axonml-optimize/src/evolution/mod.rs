//! Differential evolution.

mod boundary;
mod control;
mod domination;
mod initial;
mod pareto;
mod settings;
mod single;
mod strategy;
mod variation;

pub use boundary::Boundary;
pub use control::{Control, Means};
pub use initial::{Initial, Spread};
pub use pareto::ParetoEvolution;
pub use settings::{EvolutionSettings, Limits};
pub use single::DifferentialEvolution;
pub use strategy::{Crossover, Mutation, Strategy};
