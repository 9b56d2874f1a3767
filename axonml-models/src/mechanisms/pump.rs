//! Pumps.

use axonml_autodiff::engine::Membrane;

use super::Mechanism;
use crate::{Patch, Schema};

/// Temperature of the maxima below, degrees Celsius.
const REFERENCE_CELSIUS: f64 = 22.85;

/// The sodium-potassium pump: three sodium ions out and two potassium ions in, by voltage and concentrations.
///
/// # Source
/// Lindblad, Murphey, Clark & Giles 1996, Am J Physiol 271:H1666-H1696, as in Pelot et al. 2021, J Neurophysiol 125:86-104,
/// doi:10.1152/jn.00315.2020. There its maximum falls with temperature, as a time constant would.
#[derive(Clone, Copy, Debug)]
pub struct SodiumPotassiumPump {
    /// Largest current, mA/cm2, at 22.85 degrees.
    pub maximum_ma_cm2: f64,
}

impl Mechanism for SodiumPotassiumPump {
    fn declare(&self, own: Schema) -> Schema {
        own.param("pump", "maximum", self.maximum_ma_cm2, "mA/cm2")
    }

    fn membrane<'t>(&self, x: &Patch<'t>) -> Membrane<'t> {
        let (v, na, k) = (x.v(), x.ion("na"), x.ion("k"));
        let (sodium, potassium) = (x.inside("na"), x.outside("k"));
        let by_voltage = (v + 150.0) / (v + 200.0);
        let by_sodium = (sodium / (sodium + 5.46)).powi(3);
        let by_potassium = (potassium / (potassium + 0.621)).powi(2);
        let maximum = x.param("maximum") / x.q10(1.16, REFERENCE_CELSIUS);
        let current = maximum * by_voltage * by_sodium * by_potassium;
        Membrane::new()
            .carried_by(&na, 3.0 * current)
            .carried_by(&k, -2.0 * current)
    }
}

/// A calcium pump, by the concentration inside.
///
/// # Source
/// As [`SodiumPotassiumPump`]; its maximum at 22 degrees falls with temperature, too.
#[derive(Clone, Copy, Debug)]
pub struct CalciumPump {
    /// Largest current, mA/cm2, at 22 degrees.
    pub maximum_ma_cm2: f64,
}

impl Mechanism for CalciumPump {
    fn declare(&self, own: Schema) -> Schema {
        own.param("pump", "maximum", self.maximum_ma_cm2, "mA/cm2")
            .param("pump", "half", 0.0005, "mM")
    }

    fn membrane<'t>(&self, x: &Patch<'t>) -> Membrane<'t> {
        let ca = x.ion("ca");
        let inside = x.inside("ca");
        let maximum = x.param("maximum") / x.q10(2.3, 22.0);
        Membrane::new().carried_by(&ca, maximum * (inside / (inside + x.param("half"))))
    }
}
