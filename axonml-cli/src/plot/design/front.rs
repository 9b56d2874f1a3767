//! A Pareto front: stimuli of which none is better in both objectives.

use super::super::axes::{Axes, Scale};
use super::super::format;
use super::super::scene::{Area, Mark, Point, Scene, Stroke, fit};
use super::super::theme::{self, GUTTER, Marker};
use super::{BELOW, Panel, empty};

/// Stimuli by their two objectives, both of which are better where they are less.
#[derive(Clone, Debug, Default)]
pub(crate) struct FrontPanel {
    /// Names of the objectives.
    pub names: [String; 2],
    /// Objectives of the stimuli, with a hint for each.
    pub points: Vec<([f64; 2], String)>,
}

/// Points that still have hints.
const HINTS: usize = 100;

impl Panel for FrontPanel {
    fn heading(&self) -> &str {
        "Pareto front"
    }

    fn widest(&self) -> f64 {
        900.0
    }

    fn height(&self, width: f64) -> f64 {
        (0.6 * width).clamp(320.0, 480.0)
    }

    fn draw(&self, scene: &mut Scene, area: Area) {
        let mut points: Vec<&([f64; 2], String)> = self
            .points
            .iter()
            .filter(|(at, _)| at.iter().all(|v| v.is_finite()))
            .collect();
        points.sort_by(|(a, _), (b, _)| a[0].total_cmp(&b[0]).then(b[1].total_cmp(&a[1])));
        let frame = Area::new(
            area.x + GUTTER,
            area.y + 16.0,
            area.w - GUTTER - 24.0,
            (area.h - 16.0 - BELOW).max(60.0),
        );
        let along = |which: usize| Scale::around(points.iter().map(|(at, _)| at[which]), 0.08);
        let axes = Axes::new(frame, along(0), along(1));
        axes.grid(scene, true);
        // Between two neighbors nothing better is known than the worse of both.
        let mut corners: Vec<Point> = Vec::new();
        for (at, _) in &points {
            let next = axes.at(at[0], at[1]);
            if let Some(last) = corners.last().copied() {
                corners.push((next.0, last.1));
            }
            corners.push(next);
        }
        scene.line(&corners, Stroke::new(theme::AXIS, 1.6));
        for (at, hint) in &points {
            scene.mark(Mark {
                marker: Marker::Circle,
                center: axes.at(at[0], at[1]),
                radius: 6.5,
                fill: theme::category(0),
                stroke: Stroke::new(theme::PAPER, 1.5),
                role: "point",
                hint: match points.len() <= HINTS {
                    true => format!(
                        "{}, {}: {hint}",
                        format::short(at[0], 4),
                        format::short(at[1], 4)
                    ),
                    false => String::new(),
                },
            });
        }
        if points.is_empty() {
            empty(scene, frame, "no stimulus has two finite objectives");
        }
        let [below, beside] = &self.names;
        axes.bottom(scene, below);
        axes.left(scene, &fit(beside, theme::LABEL, false, frame.h));
    }
}
