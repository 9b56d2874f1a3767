//! Methods that follow gradients.

mod adam;
mod descent;
mod lbfgs;
mod lookahead;
mod moments;
mod rectified;
mod schedule;
mod slope;

pub use adam::Adam;
pub use descent::{Descent, DescentSettings, Rule};
pub use lbfgs::{Lbfgs, LbfgsSettings};
pub use lookahead::Lookahead;
pub use moments::Momenta;
pub use rectified::RectifiedAdam;
pub use schedule::Schedule;
pub use slope::Slope;
