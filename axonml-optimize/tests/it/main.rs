//! Tests of the public interface.

mod descent;
mod evolution;
mod functions;
mod lbfgs;
mod least_squares;
mod pareto;
mod rates;
mod refusals;
mod resume;
mod starts;
