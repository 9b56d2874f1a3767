//! The field of a point electrode in an unbounded medium.

use std::f64::consts::PI;

use super::Field;
use crate::error::CoreError;

/// An unbounded conductor around the fiber.
///
/// # Units
/// ohm-cm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Medium {
    /// The same resistivity in all directions.
    Isotropic {
        /// Resistivity in ohm-cm.
        resistivity_ohm_cm: f64,
    },
    /// One resistivity along the fiber and another across it.
    Anisotropic {
        /// Resistivity across the fiber in ohm-cm.
        transverse_ohm_cm: f64,
        /// Resistivity along the fiber in ohm-cm.
        longitudinal_ohm_cm: f64,
    },
}

impl Medium {
    /// A medium with the same resistivity in all directions.
    pub const fn isotropic(resistivity_ohm_cm: f64) -> Self {
        Self::Isotropic { resistivity_ohm_cm }
    }

    /// A medium with one resistivity across the fiber and another along it.
    pub const fn anisotropic(transverse_ohm_cm: f64, longitudinal_ohm_cm: f64) -> Self {
        Self::Anisotropic {
            transverse_ohm_cm,
            longitudinal_ohm_cm,
        }
    }

    /// Resistivities across and along the fiber, checked.
    fn resistivities_ohm_cm(self) -> Result<(f64, f64), CoreError> {
        match self {
            Self::Isotropic { resistivity_ohm_cm } => {
                let rho = CoreError::check_positive("resistivity", "ohm-cm", resistivity_ohm_cm)?;
                Ok((rho, rho))
            }
            Self::Anisotropic {
                transverse_ohm_cm,
                longitudinal_ohm_cm,
            } => Ok((
                CoreError::check_positive("transverse resistivity", "ohm-cm", transverse_ohm_cm)?,
                CoreError::check_positive(
                    "longitudinal resistivity",
                    "ohm-cm",
                    longitudinal_ohm_cm,
                )?,
            )),
        }
    }
}

/// A point electrode, its return infinitely far away, seen from a fiber along z through x = y = 0.
///
/// With conductivities `sigma = 1 / rho` across (t) and along (l) the fiber, a current I gives `V =
/// I / (4 pi sqrt(sigma_t sigma_l (x^2 + y^2) + sigma_t^2 z^2))`, in an isotropic medium `V = rho I
/// / (4 pi r)`.
///
/// # Source
/// P. W. Nicholson, "Experimental models for current conduction in an anisotropic medium", IEEE
/// Trans. Biomed. Eng. 14 (1967) 55-56; R. Plonsey and R. C. Barr, *Bioelectricity: A Quantitative
/// Approach*, 3rd ed. (2007), chapter 2.
///
/// # Example
/// ```
/// use axonml_core::{Field, Medium, PointSource};
/// let electrode = PointSource { x_um: 600.0, y_um: 800.0, z_um: 0.0, medium: Medium::isotropic(500.0) };
/// let potential_mv = electrode.potentials_mv(&[0.0])?[0];
/// assert!((potential_mv - 1e4 * 500.0 / (4.0 * std::f64::consts::PI * 1000.0)).abs() < 1e-9);
/// # Ok::<(), axonml_core::CoreError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PointSource {
    /// Position across the fiber in um.
    pub x_um: f64,
    /// Position across the fiber in um.
    pub y_um: f64,
    /// Position along the fiber in um, its middle being 0.
    pub z_um: f64,
    /// The conductor around electrode and fiber.
    pub medium: Medium,
}

impl PointSource {
    /// Micrometers in a centimeter.
    const UM_PER_CM: f64 = 1e4;

    /// The same electrode as a parallel fiber through `[x, y]` (um) sees it.
    pub fn seen_from(self, [x_um, y_um]: [f64; 2]) -> Self {
        Self {
            x_um: self.x_um - x_um,
            y_um: self.y_um - y_um,
            ..self
        }
    }
}

impl Field for PointSource {
    /// In mV per mA.
    ///
    /// # Errors
    /// [`CoreError::OnFiber`] when the electrode lies on a sample point; [`CoreError::BadValue`]
    /// for a resistivity that is not a finite number above 0; [`CoreError::NonFinite`] for
    /// positions that are not finite.
    fn potentials_mv(&self, z_um: &[f64]) -> Result<Vec<f64>, CoreError> {
        let (transverse, longitudinal) = self.medium.resistivities_ohm_cm()?;
        CoreError::check_all_finite(
            "position of the point source",
            &[self.x_um, self.y_um, self.z_um],
        )?;
        CoreError::check_all_finite("positions along the fiber", z_um)?;
        // V = 1 mA rho_t / (4 pi sqrt(rho_t/rho_l (x^2 + y^2) + z^2)); mA ohm-cm/um is 1e4 mV.
        let strength = transverse * Self::UM_PER_CM / (4.0 * PI);
        let across_squared =
            (transverse / longitudinal) * (self.x_um * self.x_um + self.y_um * self.y_um);
        let at = |z: f64| {
            let along = z - self.z_um;
            strength / (across_squared + along * along).sqrt()
        };
        let potentials_mv: Vec<f64> = z_um.iter().map(|&z| at(z)).collect();
        match z_um
            .iter()
            .zip(&potentials_mv)
            .find(|(_, potential)| !potential.is_finite())
        {
            None => Ok(potentials_mv),
            Some((&z_um, _)) => Err(CoreError::OnFiber { z_um }),
        }
    }

    fn axis_distance_um(&self, from_um: f64, to_um: f64) -> Option<f64> {
        let beyond_um = self.z_um - self.z_um.clamp(from_um, to_um);
        Some(self.x_um.hypot(self.y_um).hypot(beyond_um))
    }
}

#[cfg(test)]
mod tests;
