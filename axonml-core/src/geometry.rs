//! Where the contacts and fascicles of a nerve lie, for pictures and for reports, and what its contacts are as electrodes,
//! for the limits of stimulators: not for the numerics of fibers.

use serde::{Deserialize, Serialize};

/// The cross-section of a nerve in its cuff, as `nerve.json` describes it.
///
/// Deserializes leniently: keys that are missing are `None` or empty, keys that are not known are
/// ignored.
///
/// # Units
/// mm, with the origin on the nerve's axis and in the middle of the cuff.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NerveGeometry {
    /// Name of the nerve.
    pub name: Option<String>,
    /// The kind of electrode it carries.
    pub electrode: Option<String>,
    /// Outer radius of the nerve in mm.
    pub nerve_radius_mm: Option<f64>,
    /// Inner radius of the cuff in mm.
    pub cuff_inner_radius_mm: Option<f64>,
    /// Outer radius of the cuff in mm.
    pub cuff_outer_radius_mm: Option<f64>,
    /// Where the cuff's insulation begins and ends along the nerve, in mm.
    pub insulator_z_mm: Vec<[f64; 2]>,
    /// The electrode's contacts, in the order of the potential files.
    pub contacts: Vec<ContactGeometry>,
    /// The fascicles.
    pub fascicles: Vec<FascicleGeometry>,
    /// For each fiber the fascicle that it lies in; empty if unknown.
    pub axon_fascicle: Vec<usize>,
    /// Potential of each contact per current of each, ohm; see [`NerveGeometry::impedances_ohm`].
    pub impedance_ohm: Option<Vec<Vec<f64>>>,
    /// Checks of the fields' computation.
    pub checks: Option<GeometryChecks>,
    /// The nerves that this one was put together from, their fibers in this order.
    pub parts: Vec<NerveGeometry>,
}

/// Checks of the computation that a nerve's fields come from, as far as they are of use here.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GeometryChecks {
    /// As [`NerveGeometry::impedance_ohm`].
    pub impedance_ohm: Option<Vec<Vec<f64>>>,
}

impl NerveGeometry {
    /// Potential of each contact per current of each, `[contact, contact]`, ohm: from the top level or, where it is not
    /// there, from the checks. Transfer impedances of the tissue, without what the contacts' own surfaces add.
    pub fn impedances_ohm(&self) -> Option<&Vec<Vec<f64>>> {
        let in_checks = self.checks.as_ref();
        let in_checks = in_checks.and_then(|checks| checks.impedance_ohm.as_ref());
        self.impedance_ohm.as_ref().or(in_checks)
    }
}

/// Where a contact lies.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ContactGeometry {
    /// `disc`, `ring` and the like.
    pub shape: Option<String>,
    /// Position of its center across the nerve, in mm.
    #[serde(rename = "x")]
    pub x_mm: Option<f64>,
    /// Position of its center across the nerve, in mm.
    #[serde(rename = "y")]
    pub y_mm: Option<f64>,
    /// Position of its center along the nerve, in mm.
    #[serde(rename = "z")]
    pub z_mm: Option<f64>,
    /// Direction of its center, in degrees from x towards y.
    pub theta_deg: Option<f64>,
    /// Diameter of a disc in mm.
    #[serde(rename = "diameter")]
    pub diameter_mm: Option<f64>,
    /// Width of a ring along the nerve in mm.
    #[serde(rename = "width")]
    pub width_mm: Option<f64>,
    /// How far a ring reaches around the nerve, in degrees.
    pub arc_deg: Option<f64>,
    /// Surface that delivers current, in cm2; see [`ContactGeometry::surface_cm2`].
    pub area_cm2: Option<f64>,
}

impl ContactGeometry {
    /// Surface that delivers current, cm2: what is given, else that of a disc of the diameter. `None` of other shapes, whose
    /// surface does not follow from what is known of them.
    pub fn surface_cm2(&self) -> Option<f64> {
        let is_disc = self.shape.as_deref() == Some("disc");
        let disc = self.diameter_mm.filter(|_| is_disc).map(|diameter_mm| {
            let radius_cm = diameter_mm / 20.0;
            std::f64::consts::PI * radius_cm * radius_cm
        });
        self.area_cm2.or(disc)
    }
}

/// A fascicle, taken as a circle.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FascicleGeometry {
    /// Center across the nerve, in mm.
    #[serde(rename = "x")]
    pub x_mm: Option<f64>,
    /// Center across the nerve, in mm.
    #[serde(rename = "y")]
    pub y_mm: Option<f64>,
    /// Radius in mm.
    #[serde(rename = "radius")]
    pub radius_mm: Option<f64>,
    /// Whether its fibers are to be activated.
    pub target: Option<bool>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_read_and_what_is_not_is_absent() {
        let text = r#"{
            "name": "N", "units": "mm", "nerve_radius_mm": 1.3, "insulator_z_mm": [[-4.5, 4.5]],
            "contacts": [{"shape": "disc", "theta_deg": 120, "z": -2.0, "x": -0.7, "y": 1.2, "diameter": 2.0}, {}],
            "fascicles": [{"x": 0.3, "y": -0.6, "radius": 0.4, "target": true}],
            "axon_fascicle": [0, 0, 1],
            "checks": {"stats": {"peak_V": [1.0]}, "impedance_ohm": [[1769.4, 1191.2], [1191.2, 1774.8]]}
        }"#;
        let geometry: NerveGeometry = serde_json::from_str(text).unwrap();
        assert_eq!(geometry.nerve_radius_mm, Some(1.3));
        assert_eq!(geometry.cuff_inner_radius_mm, None);
        assert_eq!(geometry.insulator_z_mm, [[-4.5, 4.5]]);
        let disc = &geometry.contacts[0];
        assert_eq!(
            (disc.x_mm, disc.y_mm, disc.z_mm),
            (Some(-0.7), Some(1.2), Some(-2.0))
        );
        assert_eq!(
            (disc.theta_deg, disc.diameter_mm, disc.width_mm),
            (Some(120.0), Some(2.0), None)
        );
        assert_eq!(geometry.contacts[1], ContactGeometry::default());
        assert_eq!(geometry.fascicles[0].radius_mm, Some(0.4));
        assert_eq!(geometry.fascicles[0].target, Some(true));
        assert_eq!(geometry.axon_fascicle, [0, 0, 1]);
        assert_eq!(geometry.impedances_ohm().unwrap()[1], [1191.2, 1774.8]);
    }

    /// A disc of 2 mm: pi times (0.1 cm) squared.
    #[test]
    fn areas_of_discs_follow_from_diameters_and_others_must_be_given() {
        let contact = |text: &str| serde_json::from_str::<ContactGeometry>(text).unwrap();
        let disc = contact(r#"{"shape": "disc", "diameter": 2.0}"#);
        assert!((disc.surface_cm2().unwrap() - 0.031415926535897934).abs() < 1e-17);
        let given = contact(r#"{"shape": "disc", "diameter": 2.0, "area_cm2": 0.02}"#);
        assert_eq!(given.surface_cm2(), Some(0.02));
        let ring = r#"{"shape": "ring", "diameter": 2.0, "width": 1.0, "arc_deg": 90}"#;
        assert_eq!(contact(ring).surface_cm2(), None);
        let ring = contact(r#"{"shape": "ring", "area_cm2": 0.05}"#);
        assert_eq!(ring.surface_cm2(), Some(0.05));
    }

    #[test]
    fn impedances_at_the_top_level_go_before_those_of_checks() {
        let geometry = |text: &str| serde_json::from_str::<NerveGeometry>(text).unwrap();
        let both = geometry(r#"{"impedance_ohm": [[1.0]], "checks": {"impedance_ohm": [[2.0]]}}"#);
        assert_eq!(both.impedances_ohm(), Some(&vec![vec![1.0]]));
        let neither = geometry(r#"{"checks": {"outflow_error": 1e-9}}"#);
        assert_eq!(neither.impedances_ohm(), None);
        assert_eq!(geometry(r#"{"checks": null}"#).impedances_ohm(), None);
    }

    #[test]
    fn nerves_of_several_parts() {
        let text =
            r#"{"name": "T", "parts": [{"name": "a", "nerve_radius_mm": 1.0}, {"name": "b"}]}"#;
        let geometry: NerveGeometry = serde_json::from_str(text).unwrap();
        assert_eq!(geometry.parts.len(), 2);
        assert_eq!(geometry.parts[0].nerve_radius_mm, Some(1.0));
        assert!(geometry.contacts.is_empty());
    }

    #[test]
    fn serialized_it_reads_back_the_same() {
        let contact = ContactGeometry {
            x_mm: Some(1.0),
            arc_deg: Some(270.0),
            ..Default::default()
        };
        let geometry = NerveGeometry {
            contacts: vec![contact],
            ..Default::default()
        };
        let text = serde_json::to_string(&geometry).unwrap();
        assert_eq!(
            serde_json::from_str::<NerveGeometry>(&text).unwrap(),
            geometry
        );
    }
}
