//! The log of a training: loss and validation against steps.

use super::Picture;
use super::axes::{Axes, Scale};
use super::error::PlotError;
use super::legend::{Key, Legend};
use super::page::Canvas;
use super::scene::{Area, Point, Scene, Stroke};
use super::theme::{self, GUTTER, MARGIN, WIDTH};

/// A column of the log.
#[derive(Clone, Debug, Default)]
pub(crate) struct LogCurve {
    /// Entry of the legend.
    pub label: String,
    /// Steps and values, where there is one.
    pub points: Vec<(f64, f64)>,
}

/// A log, as panels above each other.
#[derive(Clone, Debug, Default)]
pub(crate) struct TrainingPlot {
    /// Title of the picture.
    pub title: String,
    /// Panels: name of the vertical axis, and the curves.
    pub panels: Vec<(String, Vec<LogCurve>)>,
    /// Steps at which stages begin, but for the first.
    pub stages: Vec<f64>,
}

const PANEL_HEIGHT: f64 = 340.0;
const ROW: f64 = 470.0;

impl Picture for TrainingPlot {
    fn scene(&self, _: Canvas) -> Result<Scene, PlotError> {
        let filled = |curves: &[LogCurve]| curves.iter().any(|curve| !curve.points.is_empty());
        let panels: Vec<_> = self.panels.iter().filter(|(_, c)| filled(c)).collect();
        if panels.is_empty() {
            return Err(PlotError::Empty {
                what: "steps in the log",
            });
        }
        let mut scene = Scene::new(WIDTH, 110.0 + ROW * panels.len() as f64, &self.title);
        let all = || panels.iter().flat_map(|(_, curves)| curves);
        let steps = all().flat_map(|curve| curve.points.iter().map(|p| p.0));
        let x = Scale::around(steps, 0.0);
        for (row, (name, curves)) in panels.iter().enumerate() {
            let y = 140.0 + ROW * row as f64;
            let width = WIDTH - 2.0 * MARGIN - GUTTER;
            let area = Area::new(MARGIN + GUTTER, y, width, PANEL_HEIGHT);
            draw(&mut scene, area, x, name, curves, &self.stages);
        }
        Ok(scene)
    }
}

fn draw(scene: &mut Scene, area: Area, x: Scale, name: &str, curves: &[LogCurve], stages: &[f64]) {
    let values = || {
        curves
            .iter()
            .flat_map(|curve| curve.points.iter().map(|p| p.1))
    };
    let y = Scale::log_around(values(), 0.05).unwrap_or_else(|| Scale::around(values(), 0.05));
    let axes = Axes::new(area, x, y);
    axes.grid(scene, false);
    for &step in stages {
        let x = axes.px(step);
        let line = [(x, area.y), (x, area.bottom())];
        scene.line(&line, Stroke::new(theme::AXIS, 1.5));
    }
    let mut legend = Legend::default();
    for (index, curve) in curves
        .iter()
        .enumerate()
        .filter(|(_, c)| !c.points.is_empty())
    {
        let color = theme::category(index);
        // A value that the scale cannot show, such as a loss of 0, interrupts the line.
        let shown = |p: &&(f64, f64)| p.1.is_finite() && (!y.log || p.1 > 0.0);
        let points = curve.points.iter().filter(shown);
        let points: Vec<Point> = points.map(|&(step, value)| axes.at(step, value)).collect();
        scene.line(&points, Stroke::new(color, 2.6));
        if points.len() < 60 {
            points
                .iter()
                .for_each(|&at| scene.circle(at, 4.5, Some(color), None));
        }
        legend.add(Key::Line(color), curve.label.as_str());
    }
    legend.draw(
        scene,
        (area.x, area.y - legend.height(area.w) - 8.0),
        area.w,
    );
    axes.bottom(scene, "step");
    axes.left(scene, name);
}
