//! Functions of one node input, such as rates of the membrane potential, as tables with proven bounds.
//!
//! [`Separated`] finds them in a program, [`Functions`] encloses and fits them, [`Separated::rest`] is the program that is
//! left.

mod grid;
mod interval;
mod jet;
mod separated;
mod table;
#[cfg(test)]
mod tests;

pub use grid::{Grid, Place, SEGMENTS};
pub use separated::{Candidate, Role, Separated};
pub use table::{Functions, Table};
