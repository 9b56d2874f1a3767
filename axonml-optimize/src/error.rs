//! Errors of setting an optimization up and of telling it values.

use thiserror::Error;

/// Errors of an optimization; none of them changes its state.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum OptimizeError {
    /// A setting makes no sense.
    #[error("{what}: found {found}, expected {expected}")]
    Setting {
        /// The setting.
        what: &'static str,
        /// Its value.
        found: String,
        /// The accepted values.
        expected: String,
    },
    /// The bounds of a coordinate are no interval.
    #[error("bounds of coordinate {coordinate}: found [{lower}, {upper}], expected {expected}")]
    Bounds {
        /// The coordinate, from 0.
        coordinate: usize,
        /// Its lower bound.
        lower: f64,
        /// Its upper bound.
        upper: f64,
        /// The accepted intervals.
        expected: &'static str,
    },
    /// There are too few members for a strategy of differential evolution.
    #[error("population: found {found}, expected {least} or more, which {strategy} needs")]
    Population {
        /// The strategy.
        strategy: String,
        /// Members.
        found: usize,
        /// Members that the strategy needs.
        least: usize,
    },
    /// A given point does not lie within the bounds.
    #[error(
        "point {point}, coordinate {coordinate}: found {found}, expected a number in [{lower}, {upper}]"
    )]
    Outside {
        /// The point, from 0.
        point: usize,
        /// The coordinate, from 0.
        coordinate: usize,
        /// The number there.
        found: f64,
        /// Its lower bound.
        lower: f64,
        /// Its upper bound.
        upper: f64,
    },
    /// The number of evaluations is not that of the points to evaluate.
    #[error("evaluations: found {found}, expected {expected}, one for each point to evaluate")]
    Count {
        /// Evaluations.
        found: usize,
        /// Points.
        expected: usize,
    },
    /// A vector has the wrong length.
    #[error("{what} of point {point}: found {found} numbers, expected {expected}")]
    Length {
        /// The vector.
        what: &'static str,
        /// The point, from 0.
        point: usize,
        /// Its length.
        found: usize,
        /// The expected length.
        expected: usize,
    },
}

impl OptimizeError {
    pub(crate) fn setting(
        what: &'static str,
        found: impl ToString,
        expected: impl Into<String>,
    ) -> Self {
        OptimizeError::Setting {
            what,
            found: found.to_string(),
            expected: expected.into(),
        }
    }
}

/// Refuses a vector whose length is not the expected one.
pub(crate) fn check_length(
    what: &'static str,
    point: usize,
    found: usize,
    expected: usize,
) -> Result<(), OptimizeError> {
    if found == expected {
        return Ok(());
    }
    Err(OptimizeError::Length {
        what,
        point,
        found,
        expected,
    })
}

/// Refuses another number of evaluations than that of the points.
pub(crate) fn check_count(found: usize, expected: usize) -> Result<(), OptimizeError> {
    if found == expected {
        return Ok(());
    }
    Err(OptimizeError::Count { found, expected })
}

/// Refuses a number that is not finite and above 0.
pub(crate) fn check_positive(what: &'static str, found: f64) -> Result<(), OptimizeError> {
    if found > 0.0 && found.is_finite() {
        return Ok(());
    }
    let expected = "a finite number above 0";
    Err(OptimizeError::setting(what, found, expected))
}
