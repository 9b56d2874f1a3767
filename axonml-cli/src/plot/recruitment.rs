//! The recruitment curve: how many fibres an amplitude activates.

use super::axes::{Axes, Scale};
use super::legend::{Key, Legend};
use super::scene::{Anchor, Area, Point, Scene, Stroke, Text};
use super::theme::{self, Rgb};

/// The thresholds of the fibres of one kind.
#[derive(Clone, Debug)]
pub(super) struct Curve {
    /// Entry of the legend.
    pub(super) label: String,
    /// Colour of the line.
    pub(super) colour: Rgb,
    /// Thresholds of the fibres that have one, mA.
    pub(super) thresholds_ma: Vec<f64>,
    /// All fibres, with or without a threshold.
    pub(super) fibres: usize,
}

/// Draws `curves` in `area`, with their legend above it.
pub(super) fn draw(scene: &mut Scene, area: Area, curves: &[Curve]) {
    let all = curves.iter().flat_map(|c| c.thresholds_ma.iter().copied());
    let found = Scale::log_around(all, 0.1);
    let x = found.unwrap_or(Scale {
        lo: 0.1,
        hi: 10.0,
        log: true,
    });
    let axes = Axes::new(area, x, Scale::linear(0.0, 1.0));
    axes.grid(scene, true);

    for curve in curves {
        scene.line(&steps(curve, &axes), Stroke::new(curve.colour, 3.4));
    }
    if found.is_none() {
        let at = (area.centre().0, area.centre().1);
        let text = Text::new(at, theme::LABEL, "no fibre has a threshold");
        scene.text(text.anchor(Anchor::Middle).colour(theme::MUTED));
    }
    let key = legend(curves);
    key.draw(scene, (area.x, area.y - key.height(area.w) - 8.0), area.w);
    axes.bottom(scene, "amplitude (mA)");
    axes.left(scene, "fraction of fibres active");
}

/// The legend that [`draw`] puts above its area.
pub(super) fn legend(curves: &[Curve]) -> Legend {
    let mut legend = Legend::default();
    for curve in curves {
        legend.add(Key::Line(curve.colour), curve.label.as_str());
    }
    legend
}

/// The steps of a curve, from the left end of the axis to the right one.
fn steps(curve: &Curve, axes: &Axes) -> Vec<Point> {
    let mut sorted = curve.thresholds_ma.clone();
    sorted.sort_by(f64::total_cmp);
    let n = curve.fibres.max(1) as f64;
    let mut points = vec![axes.at(axes.x.lo, 0.0)];
    for (i, threshold) in sorted.iter().enumerate() {
        points.push(axes.at(*threshold, i as f64 / n));
        points.push(axes.at(*threshold, (i + 1) as f64 / n));
    }
    points.push(axes.at(axes.x.hi, sorted.len() as f64 / n));
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_rises_by_one_fibre_at_each_threshold() {
        let area = Area::new(0.0, 0.0, 100.0, 100.0);
        let axes = Axes::new(
            area,
            Scale {
                lo: 0.1,
                hi: 10.0,
                log: true,
            },
            Scale::linear(0.0, 1.0),
        );
        let curve = Curve {
            label: String::new(),
            colour: theme::INK,
            thresholds_ma: vec![1.0, 0.1],
            fibres: 4,
        };
        let points = steps(&curve, &axes);
        let expected = [
            (0.0, 100.0),
            (0.0, 100.0),
            (0.0, 75.0),
            (50.0, 75.0),
            (50.0, 50.0),
            (100.0, 50.0),
        ];
        for (p, e) in points.iter().zip(expected) {
            assert!(
                (p.0 - e.0).abs() < 1e-9 && (p.1 - e.1).abs() < 1e-9,
                "{points:?}"
            );
        }
        assert_eq!(points.len(), expected.len());
    }
}
