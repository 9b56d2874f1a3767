//! Where electrodes lie along a fiber.

use super::axes::Axes;
use super::legend::{Key, Legend};
use super::scene::{Anchor, Area, Scene, Stroke, Text};
use super::theme::{self, Rgb};

/// A contact of a cuff, or a point electrode.
#[derive(Clone, Debug, Default)]
pub(crate) struct Electrode {
    /// Its number.
    pub label: String,
    /// Where it begins and ends along the axis of the picture, mm; the same place twice for a point.
    pub z_mm: (f64, f64),
    /// The multiple of the waveform that it delivers; 0 if it is not used.
    pub factor: f64,
}

impl Electrode {
    fn color(&self) -> Rgb {
        match self.factor {
            f if f > 0.0 => theme::POSITIVE,
            f if f < 0.0 => theme::NEGATIVE,
            _ => theme::UNUSED,
        }
    }

    fn is_finite(&self) -> bool {
        self.z_mm.0.is_finite() && self.z_mm.1.is_finite()
    }
}

/// The keys of electrodes.
pub(super) fn legend(electrodes: &[Electrode]) -> Legend {
    let mut legend = Legend::default();
    let any = |test: fn(f64) -> bool| electrodes.iter().any(|e| e.is_finite() && test(e.factor));
    if any(|f| f > 0.0) {
        legend.add(Key::Bar(theme::POSITIVE), "electrode");
    }
    if any(|f| f < 0.0) {
        legend.add(Key::Bar(theme::NEGATIVE), "reversed");
    }
    if any(|f| f == 0.0) {
        legend.add(Key::Bar(theme::UNUSED), "not used");
    }
    legend
}

/// Electrodes as bars inside the right edge of a map whose vertical axis is the place, mm.
pub(super) fn beside(scene: &mut Scene, axes: &Axes, electrodes: &[Electrode]) {
    let area = axes.area;
    // Those that are used lie over those that are not.
    let mut order: Vec<&Electrode> = electrodes.iter().filter(|e| e.is_finite()).collect();
    order.sort_by_key(|e| e.factor != 0.0);
    for electrode in order {
        let (a, b) = (axes.py(electrode.z_mm.0), axes.py(electrode.z_mm.1));
        let (top, bottom) = (a.min(b), a.max(b));
        let grow = (0.5 * (7.0 - (bottom - top))).max(0.0);
        let (top, bottom) = ((top - grow).max(area.y), (bottom + grow).min(area.bottom()));
        if bottom > top {
            let bar = Area::new(area.right() - 13.0, top, 11.0, bottom - top);
            scene.rect(
                Area::new(bar.x - 1.0, bar.y - 1.0, bar.w + 2.0, bar.h + 2.0),
                theme::PAPER,
            );
            scene.rect(bar, electrode.color());
        }
    }
}

/// Height of [`strip`], with its axis, px.
pub(super) const STRIP_HEIGHT: f64 = 150.0;

/// A strip that shows where contacts lie along the nerve, mm: each contact a bar with its number, overlapping ones in
/// lanes below each other. `area` is the frame without its axis.
pub(super) fn strip(scene: &mut Scene, axes: &Axes, electrodes: &[Electrode]) {
    /// Lanes at most; further contacts share the last.
    const LANES: usize = 4;
    let area = axes.area;
    let lane_height = area.h / LANES as f64;
    axes.verticals(scene);
    let mut taken: Vec<(usize, f64, f64)> = Vec::new();
    for electrode in electrodes.iter().filter(|e| e.is_finite()) {
        let (a, b) = (axes.px(electrode.z_mm.0), axes.px(electrode.z_mm.1));
        let (from, to) = (a.min(b), a.max(b));
        let grow = (0.5 * (22.0 - (to - from))).max(0.0);
        let (from, to) = (from - grow, to + grow);
        let clear = |lane: usize| {
            let mut others = taken.iter().filter(|other| other.0 == lane);
            others.all(|(_, start, end)| to + 2.0 <= *start || from >= *end + 2.0)
        };
        let lane = (0..LANES).find(|lane| clear(*lane)).unwrap_or(LANES - 1);
        taken.push((lane, from, to));
        let y = area.y + lane as f64 * lane_height;
        scene.rect(
            Area::new(from, y + 2.0, to - from, lane_height - 4.0),
            electrode.color(),
        );
        let ink = if electrode.factor == 0.0 {
            theme::MUTED
        } else {
            theme::PAPER
        };
        let at = (0.5 * (from + to), y + 0.5 * lane_height + 5.0);
        let label = Text::new(at, 14.5, electrode.label.as_str());
        scene.text(label.anchor(Anchor::Middle).color(ink).bold());
    }
    let edge = Stroke::new(theme::AXIS, 1.5);
    scene.line(&[(area.x, area.y), (area.x, area.bottom())], edge);
}
