//! The coefficients of cables one after the other, with the range that physics leaves them.

use super::{Cable, Mode};

/// Which values a coefficient can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    /// Above 0.
    Positive,
    /// At least 0.
    NotNegative,
    /// Any finite number.
    Any,
}

impl Sign {
    /// Whether a coefficient can have the value `x`; no coefficient is infinite or NaN.
    fn admits(self, x: f64) -> bool {
        let signed = match self {
            Sign::Positive => x > 0.0,
            Sign::NotNegative => x >= 0.0,
            Sign::Any => true,
        };
        signed & x.is_finite()
    }

    /// The range in words.
    fn describe(self) -> &'static str {
        match self {
            Sign::Positive => "a finite number above 0",
            Sign::NotNegative => "a finite number of at least 0",
            Sign::Any => "a finite number",
        }
    }
}

/// A coefficient that no cable can have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct BadCoefficient {
    /// Its name and unit.
    pub(crate) what: &'static str,
    /// Its value.
    pub(crate) value: f64,
    /// The range in words.
    pub(crate) expected: &'static str,
}

impl Cable {
    /// Shows `visit` every coefficient, by its name and unit: one value, or one per place along the fiber.
    ///
    /// # Errors
    /// The first that `visit` returns.
    pub fn for_each_number<E>(
        &self,
        visit: &mut impl FnMut(&'static str, &[f64]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.each_coefficient(&mut |what, _, values| visit(what, values))
    }

    /// Checks that every coefficient is in the range that physics leaves it.
    pub(crate) fn check_coefficients(&self) -> Result<(), BadCoefficient> {
        self.each_coefficient(&mut |what, sign, values| {
            // All of them first, without a branch for each.
            let admitted = |x: &f64| sign.admits(*x);
            if values.iter().fold(true, |all, x| all & admitted(x)) {
                return Ok(());
            }
            match values.iter().find(|x| !admitted(x)) {
                Some(&value) => Err(BadCoefficient {
                    what,
                    value,
                    expected: sign.describe(),
                }),
                None => Ok(()),
            }
        })
    }

    fn each_coefficient<E>(
        &self,
        visit: &mut impl FnMut(&'static str, Sign, &[f64]) -> Result<(), E>,
    ) -> Result<(), E> {
        use Sign::{Any, NotNegative, Positive};
        match self {
            Cable::Explicit(c) => {
                visit("membrane area (cm2)", Positive, &[c.area_cm2])?;
                visit("capacitance (nF)", Positive, &[c.capacitance_nf])?;
                visit("axial conductance (uS)", Positive, &[c.axial_us])?;
                let (neighbor, center) = c.v_weights;
                visit("weights of the voltage", Any, &[neighbor, center])?;
                let (neighbor, center) = c.ve_weights;
                let weights = [neighbor, center];
                visit("weights of the extracellular potential", Any, &weights)
            }
            Cable::Implicit(c) => {
                // A perfectly insulated compartment has no membrane.
                visit("membrane areas (cm2)", NotNegative, &c.area_cm2)?;
                visit("capacitances (nF)", Positive, &c.capacitance_nf)?;
                visit("axial conductances (uS)", Positive, c.joining_us())
            }
            Cable::Double(c) => {
                let internode = &*c.internode;
                visit(
                    "membrane area of a node (cm2)",
                    Positive,
                    &[c.node_area_cm2],
                )?;
                visit(
                    "capacitance of a node (nF)",
                    Positive,
                    &[c.node_capacitance_nf],
                )?;
                for (what, sign, values) in [
                    ("axial conductances (uS)", Positive, &internode.ga_us[..]),
                    (
                        "periaxonal conductances (uS)",
                        Positive,
                        &internode.gp_us[..],
                    ),
                    ("axolemma capacitances (nF)", Positive, &internode.cm_nf[..]),
                    (
                        "axolemma conductances (uS)",
                        NotNegative,
                        &internode.gm_us[..],
                    ),
                    ("myelin capacitances (nF)", Positive, &internode.cx_nf[..]),
                    (
                        "myelin conductances (uS)",
                        NotNegative,
                        &internode.gx_us[..],
                    ),
                    ("rates of modes (1/ms)", Positive, &internode.lambda[..]),
                    ("couplings of modes", Any, &internode.b[..]),
                    ("shapes of modes", Any, internode.phi.as_flattened()),
                ] {
                    visit(what, sign, values)?;
                }
                Ok(())
            }
            Cable::Reduced(c) => {
                visit(
                    "membrane area of a node (cm2)",
                    Positive,
                    &[c.node_area_cm2],
                )?;
                visit("capacitance of a node (nF)", Positive, &[c.capacitance_nf])?;
                visit("conductance at a node (uS)", Positive, &[c.self_us])?;
                visit("axial conductance (uS)", Positive, &[c.neighbor_us])?;
                let of_modes = |of: fn(&Mode) -> f64| [of(&c.even), of(&c.odd)];
                let rates = of_modes(|mode| mode.lambda_per_ms);
                visit("rates of modes (1/ms)", Positive, &rates)?;
                let couplings = of_modes(|mode| mode.coupling_us_per_ms);
                visit("couplings of modes (uS/ms)", Positive, &couplings)?;
                let drive = [
                    c.drive.node_even_us,
                    c.drive.node_odd_us,
                    c.drive.node_wide_us,
                    c.drive.even_us_per_ms,
                    c.drive.odd_us_per_ms,
                    c.drive.wide_us_per_ms,
                ];
                visit("effects of the extracellular potential", Any, &drive)
            }
        }
    }
}
