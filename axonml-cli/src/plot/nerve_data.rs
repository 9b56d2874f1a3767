//! A nerve and the thresholds in it, as its picture takes them.

use super::along::Electrode;

/// Thresholds in a nerve.
#[derive(Clone, Debug, Default)]
pub(crate) struct NervePlot {
    /// Title of the picture.
    pub title: String,
    /// Setting that all fibers share, such as the pulse; wrapped.
    pub subtitle: String,
    /// Radius of the nerve, centerd at the origin, mm.
    pub nerve_radius_mm: Option<f64>,
    /// Inner radius of the cuff, centerd at the origin, mm.
    pub cuff_inner_radius_mm: Option<f64>,
    /// The fascicles.
    pub fascicles: Vec<Fascicle>,
    /// The contacts, in the order of their numbers.
    pub contacts: Vec<Contact>,
    /// Where those contacts lie along the nerve whose places are known.
    pub electrodes: Vec<Electrode>,
    /// The fibers and their thresholds.
    pub fibers: Vec<FiberThresholds>,
}

/// A bundle of fibers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Fascicle {
    /// Center, mm.
    pub x_mm: f64,
    /// Center, mm.
    pub y_mm: f64,
    /// Radius, mm.
    pub radius_mm: f64,
    /// Whether it is to be activated.
    pub target: bool,
}

/// An electrode contact.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Contact {
    /// Its look in the cross-section.
    pub shape: ContactShape,
    /// The multiple of the waveform that it delivers; 0 if it is not used.
    pub factor: f64,
}

/// The look of a contact in the cross-section.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ContactShape {
    /// A disc that lies on the inner surface of the cuff.
    Disc {
        /// Direction of its middle from the axis, degrees, counter-clockwise from the x axis.
        theta_deg: f64,
        /// Diameter, mm, along the surface.
        diameter_mm: f64,
    },
    /// A band around a part of the inner surface of the cuff.
    Ring {
        /// Direction of its middle from the axis, degrees, counter-clockwise from the x axis.
        theta_deg: f64,
        /// The angle it covers, degrees.
        arc_deg: f64,
    },
    /// A small contact anywhere.
    Point {
        /// Place, mm.
        x_mm: f64,
        /// Place, mm.
        y_mm: f64,
    },
}

/// A fiber with its threshold at each diameter.
#[derive(Clone, Debug, Default)]
pub(crate) struct FiberThresholds {
    /// Place in the cross-section, um.
    pub x_um: f64,
    /// Place in the cross-section, um.
    pub y_um: f64,
    /// The share of the nerve's fibers that it stands for; of any unit.
    pub weight: f64,
    /// One entry a diameter, in any order.
    pub points: Vec<ThresholdPoint>,
}

/// A threshold search.
#[derive(Clone, Debug, Default)]
pub(crate) struct ThresholdPoint {
    /// Fiber diameter, um.
    pub diameter_um: f64,
    /// Threshold, mA; `None` if there is none.
    pub threshold_ma: Option<f64>,
    /// How the search ended, such as `ok` or `no_activation`.
    pub status: String,
}
