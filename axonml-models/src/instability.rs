//! A fiber whose explicit step is unstable at rest, with the settings that would be stable.

use std::fmt;

use axonml_autodiff::cable::ExplicitCable;
use axonml_core::error::short;

/// Largest stability number of a step at rest.
pub(crate) const RESTING_LIMIT: f64 = ExplicitCable::STABLE;

/// A fiber whose explicit step amplifies differences between neighboring nodes at rest.
#[derive(Clone, Debug, PartialEq)]
pub struct Instability {
    /// The fiber's diameter, um.
    pub diameter_um: f64,
    /// Length of its compartments, um; none where the diameter fixes the geometry.
    pub compartment_um: Option<f64>,
    /// The time step, ms.
    pub dt_ms: f64,
    /// Stability number of that step with the membrane's resting conductance; at most [`ExplicitCable::STABLE`] is
    /// stable.
    pub stability: f64,
    /// Largest stable time step of this fiber, ms.
    pub largest_dt_ms: f64,
    /// A geometry that would be stable at this time step, if there is one.
    pub geometry: Option<StableGeometry>,
}

/// A geometry whose explicit step is stable.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum StableGeometry {
    /// The nearest thinner fiber, um.
    DiameterAtMostUm(f64),
    /// The nearest thicker fiber, um, where none thinner is stable.
    DiameterAtLeastUm(f64),
    /// The shortest compartments, um.
    CompartmentAtLeastUm(f64),
}

impl fmt::Display for Instability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Instability {
            diameter_um,
            dt_ms,
            stability,
            ..
        } = self;
        write!(
            f,
            "the explicit step of {} ms is unstable at rest at {} um diameter",
            short(*dt_ms),
            short(*diameter_um)
        )?;
        if let Some(length) = self.compartment_um {
            write!(f, " in compartments of {} um", short(length))?;
        }
        write!(
            f,
            ": stability number {stability:.3}, expected at most {RESTING_LIMIT}; use a dt of at most {} ms",
            rounded(self.largest_dt_ms, f64::floor)
        )?;
        match self.geometry {
            Some(StableGeometry::DiameterAtMostUm(diameter)) => write!(
                f,
                " or a diameter of at most {} um",
                rounded(diameter, f64::floor)
            ),
            Some(StableGeometry::DiameterAtLeastUm(diameter)) => write!(
                f,
                " or a diameter of at least {} um",
                rounded(diameter, f64::ceil)
            ),
            Some(StableGeometry::CompartmentAtLeastUm(length)) => write!(
                f,
                " or compartments of at least {} um",
                rounded(length, f64::ceil)
            ),
            None => Ok(()),
        }
    }
}

/// Four digits of a positive number, rounded to the side on which the advice holds.
fn rounded(x: f64, round: fn(f64) -> f64) -> f64 {
    let decimals = 3 - x.log10().floor() as i32;
    // Through text: a quotient by a power of ten would print more digits.
    let digits = round(x * 10f64.powi(decimals));
    format!("{digits}e{}", -decimals).parse().unwrap_or(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_is_rounded_to_the_side_on_which_it_holds() {
        assert_eq!(rounded(0.004_327_99, f64::floor), 0.004_327);
        assert_eq!(rounded(0.004_327_01, f64::ceil), 0.004_328);
        assert_eq!(rounded(14.258_9, f64::floor).to_string(), "14.25");
        assert_eq!(rounded(123.41, f64::ceil).to_string(), "123.5");
        assert_eq!(rounded(33.0, f64::ceil), 33.0);
    }
}
