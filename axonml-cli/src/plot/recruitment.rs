//! The recruitment curve: which share of the fibers an amplitude activates.

use axonml::simulation::RecruitmentStep;

use super::axes::{Axes, Scale};
use super::legend::{Key, Legend};
use super::scene::{Anchor, Area, Point, Scene, Stroke, Text};
use super::theme::{self, Rgb};

/// The recruitment of the fibers of one kind.
#[derive(Clone, Debug)]
pub(super) struct Curve {
    /// Entry of the legend.
    pub(super) label: String,
    /// Color of the line.
    pub(super) color: Rgb,
    /// Its steps, by amplitude.
    pub(super) steps: Vec<RecruitmentStep>,
}

/// Draws `curves` in `area`, with their legend above it; `share` says what their fractions are of.
pub(super) fn draw(scene: &mut Scene, area: Area, curves: &[Curve], share: &str) {
    let all = curves
        .iter()
        .flat_map(|c| c.steps.iter().map(|step| step.amplitude_ma));
    let found = Scale::log_around(all, 0.1);
    let x = found.unwrap_or(Scale {
        lo: 0.1,
        hi: 10.0,
        log: true,
    });
    let axes = Axes::new(area, x, Scale::linear(0.0, 1.0));
    axes.grid(scene, true);

    for curve in curves {
        scene.line(&steps(curve, &axes), Stroke::new(curve.color, 3.4));
    }
    if found.is_none() {
        let at = (area.center().0, area.center().1);
        let text = Text::new(at, theme::LABEL, "no fiber has a threshold");
        scene.text(text.anchor(Anchor::Middle).color(theme::MUTED));
    }
    let key = legend(curves);
    key.draw(scene, (area.x, area.y - key.height(area.w) - 8.0), area.w);
    axes.bottom(scene, "amplitude (mA)");
    axes.left(scene, share);
}

/// The legend that [`draw`] puts above its area.
pub(super) fn legend(curves: &[Curve]) -> Legend {
    let mut legend = Legend::default();
    for curve in curves {
        legend.add(Key::Line(curve.color), curve.label.as_str());
    }
    legend
}

/// The steps of a curve, from the left end of the axis to the right one.
fn steps(curve: &Curve, axes: &Axes) -> Vec<Point> {
    let mut points = vec![axes.at(axes.x.lo, 0.0)];
    let mut before = 0.0;
    for step in &curve.steps {
        points.push(axes.at(step.amplitude_ma, before));
        points.push(axes.at(step.amplitude_ma, step.fraction));
        before = step.fraction;
    }
    points.push(axes.at(axes.x.hi, before));
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_rises_at_each_step() {
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
            color: theme::INK,
            steps: [(0.1, 0.25), (1.0, 0.5)]
                .map(|(amplitude_ma, fraction)| RecruitmentStep {
                    amplitude_ma,
                    fraction,
                })
                .to_vec(),
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
