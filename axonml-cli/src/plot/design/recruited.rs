//! Recruitment of target and off-target area over multiples of a stimulus, with the window that it may drift in.

use axonml::simulation::RecruitmentStep;

use super::super::axes::{Axes, Scale};
use super::super::legend::{Key, Legend};
use super::super::recruitment::{Curve, steps};
use super::super::scene::{Anchor, Area, Point, Scene, Stroke, Text};
use super::super::theme::{self, GUTTER, Rgb};
use super::{BELOW, Panel, empty};

/// Which part of the targets and of the others fires at multiples of a stimulus.
#[derive(Clone, Debug, Default)]
pub(crate) struct RecruitedPanel {
    /// The curves, those behind first.
    pub curves: Vec<RecruitedCurve>,
    /// Multiples between which the same fibers fire as at 1; none where there is no end.
    pub window: Option<[Option<f64>; 2]>,
}

/// A recruitment curve.
#[derive(Clone, Debug, Default)]
pub(crate) struct RecruitedCurve {
    /// Entry of the legend; curves of the stimulus compared with share the first one's.
    pub label: String,
    /// Whether it is of targets.
    pub is_target: bool,
    /// Whether it is of the stimulus compared with: dashed.
    pub is_before: bool,
    /// Its steps, by multiples of the stimulus.
    pub steps: Vec<RecruitmentStep>,
}

/// Multiples beyond this and its inverse are not drawn.
const MOST: f64 = 20.0;

impl Panel for RecruitedPanel {
    fn heading(&self) -> &str {
        "Recruitment over amplitude"
    }

    fn height(&self, width: f64) -> f64 {
        (0.72 * width).clamp(380.0, 520.0)
    }

    fn draw(&self, scene: &mut Scene, area: Area) {
        let curves: Vec<Curve> = self.curves.iter().map(RecruitedCurve::curve).collect();
        let key = self.legend();
        let wide = area.w - GUTTER - 24.0;
        let top = key.height(wide) + 40.0;
        let frame = Area::new(
            area.x + GUTTER,
            area.y + top,
            wide,
            (area.h - top - BELOW).max(60.0),
        );
        key.draw(scene, (frame.x, area.y), wide);

        let axes = Axes::new(frame, self.scale(), Scale::linear(0.0, 1.0));
        if let Some(window) = self.window {
            let [left, right] = ends(window, axes.x).map(|end| axes.px(end));
            let shade = theme::category(2).mix(theme::PAPER, 0.86);
            scene.rect(Area::new(left, frame.y, right - left, frame.h), shade);
        }
        axes.grid(scene, true);
        for curve in &curves {
            let width = if curve.dashed { 2.2 } else { 3.6 };
            let (points, stroke) = (
                coarse(&steps(curve, &axes)),
                Stroke::new(curve.color, width),
            );
            match curve.dashed {
                true => scene.dashed(&points, stroke, 10.0, 6.0),
                false => scene.line(&points, stroke),
            }
        }
        if curves.iter().all(|curve| curve.steps.is_empty()) {
            empty(scene, frame, "no fiber has a threshold");
        }
        let x = axes.px(1.0);
        let delivered = Stroke::new(theme::INK, 1.8);
        scene.line(&[(x, frame.y - 8.0), (x, frame.bottom())], delivered);
        let label = Text::new((x, frame.y - 14.0), theme::NOTE, "delivered");
        scene.text(label.anchor(Anchor::Middle));
        axes.bottom(scene, "multiple of the stimulus delivered");
        axes.left(scene, "fraction of area activated");
    }
}

impl RecruitedPanel {
    fn legend(&self) -> Legend {
        let mut legend = Legend::default();
        for curve in self.curves.iter().filter(|curve| !curve.is_before) {
            legend.add(Key::Line(curve.color()), curve.label.as_str());
        }
        if let Some(before) = self.curves.iter().find(|curve| curve.is_before) {
            legend.add(Key::Dashed(theme::MUTED), before.label.as_str());
        }
        legend
    }

    /// A scale around all steps, the window and the stimulus delivered.
    fn scale(&self) -> Scale {
        let steps = self.curves.iter().flat_map(|curve| &curve.steps);
        let steps = steps.map(|step| step.amplitude_ma);
        let window = self.window.into_iter().flatten().flatten();
        let all = steps.chain(window).chain([1.0]);
        let near = all.filter(|x| (1.0 / MOST..=MOST).contains(x));
        let fallback = Scale {
            lo: 0.5,
            hi: 2.0,
            log: true,
        };
        Scale::log_around(near, 0.08).unwrap_or(fallback)
    }
}

impl RecruitedCurve {
    fn color(&self) -> Rgb {
        match self.is_target {
            true => theme::TARGET_EDGE,
            false => theme::category(0),
        }
    }

    fn curve(&self) -> Curve {
        Curve {
            label: self.label.clone(),
            color: self.color(),
            dashed: self.is_before,
            steps: self.steps.clone(),
            faint: false,
        }
    }
}

/// A line without points that nobody can tell from the one before.
fn coarse(points: &[Point]) -> Vec<Point> {
    /// Less than the width of a line, px.
    const NEAR: f64 = 1.0;
    let mut kept: Vec<Point> = Vec::new();
    for (i, &at) in points.iter().enumerate() {
        let near = |last: &Point| (at.0 - last.0).abs() < NEAR && (at.1 - last.1).abs() < NEAR;
        if i + 1 == points.len() || !kept.last().is_some_and(near) {
            kept.push(at);
        }
    }
    kept
}

/// The ends of a window on a scale.
fn ends(window: [Option<f64>; 2], scale: Scale) -> [f64; 2] {
    let inside = |end: f64| end.clamp(scale.lo, scale.hi);
    let number = |end: Option<f64>| end.filter(|end| end.is_finite() && *end > 0.0);
    let left = number(window[0]).map_or(scale.lo, inside);
    let right = number(window[1]).map_or(scale.hi, inside);
    [left.min(right), right]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_without_an_end_reach_the_end_of_the_axis() {
        let scale = Scale {
            lo: 0.5,
            hi: 4.0,
            log: true,
        };
        assert_eq!(ends([Some(0.8), Some(1.3)], scale), [0.8, 1.3]);
        assert_eq!(ends([None, Some(1.3)], scale), [0.5, 1.3]);
        assert_eq!(ends([Some(0.0), None], scale), [0.5, 4.0]);
        assert_eq!(ends([Some(0.1), Some(f64::INFINITY)], scale), [0.5, 4.0]);
    }

    /// Ten thousand points within ten pixels leave no more than one for each pixel, and both ends.
    #[test]
    fn fine_steps_are_drawn_coarsely() {
        let points: Vec<Point> = (0..10_001).map(|i| (1e-3 * f64::from(i), 0.0)).collect();
        let kept = coarse(&points);
        assert!((10..=12).contains(&kept.len()), "{}", kept.len());
        assert_eq!((kept[0], kept.last()), (points[0], points.last()));
        let stairs = [(0.0, 0.0), (3.0, 0.0), (3.0, 5.0)];
        assert_eq!(coarse(&stairs), stairs);
    }

    #[test]
    fn steps_far_away_do_not_squeeze_the_rest() {
        let steps = [0.9, 1.2, 4000.0].map(|amplitude_ma| RecruitmentStep {
            amplitude_ma,
            fraction: 0.5,
        });
        let panel = RecruitedPanel {
            curves: vec![RecruitedCurve {
                steps: steps.to_vec(),
                ..RecruitedCurve::default()
            }],
            window: None,
        };
        let scale = panel.scale();
        assert!(scale.lo > 0.5 && scale.hi < 2.0, "{scale:?}");
    }
}
