//! Geometry and passive properties of an internode.

use thiserror::Error;

use super::COMPARTMENTS;

/// Geometry and passive properties of one compartment of an internode.
///
/// Membrane properties are per area of a cylinder of `area_diameter_um`. Published models give those of the axolemma per
/// area of the axon itself: they are to be scaled by `axon_diameter_um / area_diameter_um`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InternodeCompartment {
    /// Length, um.
    pub length_um: f64,
    /// Diameter of the membranes' reference area, um: the fiber's.
    pub area_diameter_um: f64,
    /// Diameter of the axon, um.
    pub axon_diameter_um: f64,
    /// Width of the periaxonal space, um.
    pub periaxonal_width_um: f64,
    /// Capacitance of the axolemma, uF/cm2 of the reference area.
    pub axolemma_capacitance_uf_cm2: f64,
    /// Conductance of the axolemma, S/cm2 of the reference area.
    pub axolemma_conductance_s_cm2: f64,
    /// Capacitance of the whole myelin sheath, uF/cm2 of the reference area.
    pub myelin_capacitance_uf_cm2: f64,
    /// Conductance of the whole myelin sheath, S/cm2 of the reference area.
    pub myelin_conductance_s_cm2: f64,
}

/// Geometry of a node of Ranvier, as far as axial currents need it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NodeGeometry {
    /// Length, um.
    pub length_um: f64,
    /// Diameter, um.
    pub diameter_um: f64,
    /// Width of the periaxonal space, um.
    pub periaxonal_width_um: f64,
}

/// Why an internode cannot be reduced to modes.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum InternodeError {
    /// A dimension or property that no internode can have.
    #[error("{place}: {quantity} is {found}, which must be a finite number {}", if *zero { "of at least 0" } else { "above 0" })]
    BadValue {
        /// `the node`, `the axoplasm` or `compartment 3`.
        place: String,
        /// Name of the field.
        quantity: &'static str,
        /// Its value.
        found: f64,
        /// Whether 0 would be accepted.
        zero: bool,
    },
    /// The second half of the internode is not the mirror image of the first.
    #[error(
        "compartments {compartment} and {mirrored} of the internode differ, but they must mirror each other"
    )]
    NotSymmetric {
        /// Index of the first compartment that differs from its mirror image.
        compartment: usize,
        /// Index of the mirror image.
        mirrored: usize,
    },
    /// The numbers are so extreme that the modes cannot be computed, or a mode that neither node can reach.
    #[error(
        "the internode's properties are too extreme to be reduced to modes in double precision"
    )]
    IllConditioned,
}

/// Rejects input that [`super::Internode::new`] cannot take.
pub(super) fn check(
    compartments: &[InternodeCompartment; COMPARTMENTS],
    node: NodeGeometry,
    axoplasm_ohm_cm: f64,
) -> Result<(), InternodeError> {
    let value = |place: &dyn Fn() -> String, quantity: &'static str, found: f64, zero: bool| {
        if found.is_finite() && (found > 0.0 || (zero && found == 0.0)) {
            return Ok(());
        }
        Err(InternodeError::BadValue {
            place: place(),
            quantity,
            found,
            zero,
        })
    };
    value(
        &|| "the axoplasm".to_owned(),
        "axoplasm_ohm_cm",
        axoplasm_ohm_cm,
        false,
    )?;
    let at_node = || "the node".to_owned();
    value(&at_node, "length_um", node.length_um, false)?;
    value(&at_node, "diameter_um", node.diameter_um, false)?;
    value(
        &at_node,
        "periaxonal_width_um",
        node.periaxonal_width_um,
        false,
    )?;
    for (j, c) in compartments.iter().enumerate() {
        let here = || format!("compartment {j}");
        value(&here, "length_um", c.length_um, false)?;
        value(&here, "area_diameter_um", c.area_diameter_um, false)?;
        value(&here, "axon_diameter_um", c.axon_diameter_um, false)?;
        value(&here, "periaxonal_width_um", c.periaxonal_width_um, false)?;
        value(
            &here,
            "axolemma_capacitance_uf_cm2",
            c.axolemma_capacitance_uf_cm2,
            false,
        )?;
        value(
            &here,
            "axolemma_conductance_s_cm2",
            c.axolemma_conductance_s_cm2,
            true,
        )?;
        value(
            &here,
            "myelin_capacitance_uf_cm2",
            c.myelin_capacitance_uf_cm2,
            false,
        )?;
        value(
            &here,
            "myelin_conductance_s_cm2",
            c.myelin_conductance_s_cm2,
            true,
        )?;
        let mirrored = COMPARTMENTS - 1 - j;
        if *c != compartments[mirrored] {
            return Err(InternodeError::NotSymmetric {
                compartment: j,
                mirrored,
            });
        }
    }
    Ok(())
}
