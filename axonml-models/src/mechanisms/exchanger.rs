//! The sodium-calcium exchanger.

use axonml_autodiff::engine::Membrane;
use axonml_autodiff::ir::Expr;

use super::{IonConstants, Mechanism};
use crate::{Patch, Schema};

/// The sodium-calcium exchanger: three sodium ions in and one calcium ion out per turn, or back, by voltage and
/// concentrations.
///
/// # Source
/// Lindblad, Murphey, Clark & Giles 1996, Am J Physiol 271:H1666-H1696, as in Pelot et al. 2021, J Neurophysiol 125:86-104,
/// doi:10.1152/jn.00315.2020.
#[derive(Clone, Copy, Debug)]
pub struct SodiumCalciumExchanger {
    /// Default of the parameter `scale`.
    pub scale: f64,
    /// Unit of the scale.
    pub unit: &'static str,
    /// The factor by temperature that the scale is multiplied by.
    pub by_temperature: for<'x, 't> fn(&'x Patch<'t>) -> Expr<'t>,
    /// Constants of the thermal voltage.
    pub constants: IonConstants,
}

impl Mechanism for SodiumCalciumExchanger {
    fn declare(&self, own: Schema) -> Schema {
        own.param("pump", "scale", self.scale, self.unit)
            .param("pump", "partition", 0.5, "")
            .param("pump", "saturation", 0.0036, "1/mM4")
    }

    fn membrane<'t>(&self, x: &Patch<'t>) -> Membrane<'t> {
        let (na, ca) = (x.ion("na"), x.ion("ca"));
        let sodium = |concentration: Expr<'t>| concentration.powi(3);
        let inward = sodium(x.outside("na")) * x.inside("ca");
        let outward = sodium(x.inside("na")) * x.outside("ca");
        let partition = x.param("partition") / self.constants.thermal_mv(x);
        // Exponents end at 60, beyond 3 V.
        let exponent = (partition * x.v()).min(60.0).max(-60.0);
        let net = outward * exponent.exp() - inward * (-exponent).exp();
        let scale = x.param("scale") * (self.by_temperature)(x);
        let current = scale * net / (1.0 + x.param("saturation") * (inward + outward));
        Membrane::new()
            .carried_by(&na, 3.0 * current)
            .carried_by(&ca, -2.0 * current)
    }
}
