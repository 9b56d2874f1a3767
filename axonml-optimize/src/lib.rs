//! Optimization algorithms over vectors of numbers: gradient descent, least squares, differential evolution.
//!
//! An [`Optimizer`] is asked for a batch of points and told their values: it owns no function, starts no thread and
//! knows nothing of what is optimized. Its whole state is a value that can be serialized between any two calls, and goes
//! on to the same bits wherever it is read.
//!
//! | algorithm | told of each point | for |
//! | --- | --- | --- |
//! | [`Descent`] by Adam or Ranger | [`Slope`] | noisy, annealed or expensive losses |
//! | [`Lbfgs`] | [`Slope`] | smooth losses |
//! | [`LevenbergMarquardt`] | [`Rows`] | sums of squares |
//! | [`DifferentialEvolution`] | a [`Fitness`] | plateaus, many minima |
//! | [`ParetoEvolution`] | two objectives | trade-offs |
//!
//! [`Starts`] runs many optimizations of one kind as one. Points stay within a feasible set, a [`Projection`]: bounds, a
//! subspace, or whatever a closure projects on. [`Adam`], [`RectifiedAdam`], [`Lookahead`] and [`Schedule`] are there on
//! their own for loops that are no optimizer's.
//!
//! # Example
//! Four descents of Rosenbrock's function side by side, within bounds:
//! ```
//! use axonml_optimize::{Bounds, Lbfgs, LbfgsSettings, Optimizer, Slope, Starts};
//!
//! let rosenbrock = |x: &Vec<f64>| {
//!     let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
//!     Slope {
//!         fitness: a * a + 100.0 * b * b,
//!         gradient: vec![-2.0 * a - 400.0 * x[0] * b, 200.0 * b],
//!     }
//! };
//! let bounds = Bounds::uniform(2, -2.0, 2.0)?;
//! let starts = [[-1.2, 1.0], [0.0, 0.0], [2.0, -2.0], [-2.0, 2.0]];
//! let each: Result<Vec<Lbfgs>, _> = starts
//!     .iter()
//!     .map(|start| Lbfgs::new(LbfgsSettings::default(), start.to_vec(), &bounds))
//!     .collect();
//! let mut starts = Starts::new(each?);
//! while starts.stop().is_none() {
//!     // One batch, which may be evaluated in any order.
//!     let told = starts.ask().iter().map(rosenbrock).collect();
//!     starts.tell(told, &bounds)?;
//! }
//! let best = starts.best().expect("values are numbers");
//! assert!((best.x[0] - 1.0).abs() < 1e-6 && (best.x[1] - 1.0).abs() < 1e-6);
//! # Ok::<(), axonml_optimize::OptimizeError>(())
//! ```
#![forbid(unsafe_code)]

mod bounds;
mod error;
mod evolution;
mod fitness;
mod gradient;
mod least_squares;
mod optimizer;
mod orthogonal;
mod projection;
mod starts;

pub use bounds::Bounds;
pub use error::OptimizeError;
pub use evolution::{
    Boundary, Control, Crossover, DifferentialEvolution, EvolutionSettings, Initial, Limits, Means,
    Mutation, ParetoEvolution, Spread, Strategy,
};
pub use fitness::{Fitness, lexicographic, ranking};
pub use gradient::{
    Adam, Descent, DescentSettings, Lbfgs, LbfgsSettings, Lookahead, Momenta, RectifiedAdam, Rule,
    Schedule, Slope,
};
pub use least_squares::{LeastSquaresSettings, LevenbergMarquardt, Rows};
pub use optimizer::{Optimizer, Point, Stop};
pub use orthogonal::least_squares;
pub use projection::{Projection, Unconstrained};
pub use starts::Starts;
