//! Where the contacts and fascicles of a nerve lie: for pictures and for reports, not for the
//! numerics.

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
    /// The nerves that this one was put together from, their fibers in this order.
    pub parts: Vec<NerveGeometry>,
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
            "checks": {"stats": {"peak_V": [1.0]}}
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
