//! The cross-section of a nerve, from its geometry.

use axonml::nerve::{ContactGeometry, FascicleGeometry, NerveGeometry};

use crate::plot::{Contact, ContactShape, Fascicle, NervePlot};

/// The nerve without its fibers, its contacts with these multiples of a waveform.
pub(super) fn cross_section(geometry: &NerveGeometry, factors: &[f64]) -> NervePlot {
    let contact = |(index, geometry): (usize, &ContactGeometry)| {
        Some(Contact {
            shape: shape(geometry)?,
            factor: factors.get(index).copied().unwrap_or(0.0),
        })
    };
    let contacts = geometry.contacts.iter().enumerate();
    NervePlot {
        nerve_radius_mm: geometry.nerve_radius_mm,
        cuff_inner_radius_mm: geometry.cuff_inner_radius_mm,
        fascicles: geometry.fascicles.iter().filter_map(fascicle).collect(),
        contacts: contacts.filter_map(contact).collect(),
        ..NervePlot::default()
    }
}

fn fascicle(geometry: &FascicleGeometry) -> Option<Fascicle> {
    Some(Fascicle {
        x_mm: geometry.x_mm?,
        y_mm: geometry.y_mm?,
        radius_mm: geometry.radius_mm?,
        target: geometry.target.unwrap_or(false),
    })
}

/// Shape of a contact in the cross-section.
fn shape(contact: &ContactGeometry) -> Option<ContactShape> {
    let direction = || {
        let (x, y) = (contact.x_mm?, contact.y_mm?);
        Some(y.atan2(x).to_degrees())
    };
    let theta_deg = contact.theta_deg.or_else(direction);
    match (theta_deg, contact.arc_deg, contact.diameter_mm) {
        (Some(theta_deg), Some(arc_deg), _) => Some(ContactShape::Ring { theta_deg, arc_deg }),
        (Some(theta_deg), None, Some(diameter_mm)) => Some(ContactShape::Disc {
            theta_deg,
            diameter_mm,
        }),
        _ => Some(ContactShape::Point {
            x_mm: contact.x_mm?,
            y_mm: contact.y_mm?,
        }),
    }
}
