//! Thresholds without a nerve: against diameter, one line a series.

use super::Picture;
use super::axes::{Axes, Scale, extremes};
use super::error::PlotError;
use super::format;
use super::legend::{Key, Legend};
use super::scene::{Anchor, Area, Point, Scene, Shape, Stroke, Text};
use super::theme::{self, GUTTER, MARGIN, WIDTH};

/// Threshold against diameter.
#[derive(Clone, Debug, Default)]
pub(crate) struct ThresholdPlot {
    /// Title of the picture.
    pub title: String,
    /// The lines; the first twelve are drawn.
    pub series: Vec<ThresholdSeries>,
}

/// The thresholds of one model, electrode or waveform.
#[derive(Clone, Debug, Default)]
pub(crate) struct ThresholdSeries {
    /// Entry of the legend.
    pub label: String,
    /// Diameter, um, and threshold, mA; `None` where the fiber did not fire.
    pub points: Vec<(f64, Option<f64>)>,
}

const HEIGHT: f64 = 620.0;

impl Picture for ThresholdPlot {
    fn scene(&self) -> Result<Scene, PlotError> {
        let drawn = &self.series[..self.series.len().min(theme::CATEGORIES)];
        let diameters = extremes(drawn.iter().flat_map(|s| s.points.iter().map(|p| p.0)));
        let Some((least, greatest)) = diameters else {
            return Err(PlotError::Empty { what: "thresholds" });
        };
        let absent = drawn
            .iter()
            .any(|s| s.points.iter().any(|p| valid(p.1).is_none()));
        let mut legend = Legend::default();
        if drawn.len() > 1 {
            for (i, series) in drawn.iter().enumerate() {
                legend.add(Key::Line(theme::category(i)), series.label.as_str());
            }
        }
        if absent {
            legend.add(Key::Ring(theme::ABSENT), "no threshold");
        }
        let width = WIDTH - 2.0 * MARGIN - GUTTER;
        let top = 92.0 + legend.height(width) + 20.0;
        let left_out = self.series.len() - drawn.len();
        let note = if left_out > 0 { 34.0 } else { 0.0 };
        let mut scene = Scene::new(WIDTH, top + HEIGHT + 92.0 + note, &self.title);
        legend.draw(&mut scene, (MARGIN + GUTTER, 84.0), width);

        let fired = || {
            drawn
                .iter()
                .flat_map(|s| s.points.iter().filter_map(|p| valid(p.1)))
        };
        let found = Scale::log_around(fired(), 0.08);
        let y = found.unwrap_or(Scale {
            lo: 0.1,
            hi: 10.0,
            log: true,
        });
        let x = Scale::around([least, greatest], 0.05);
        let axes = Axes::new(Area::new(MARGIN + GUTTER, top, width, HEIGHT), x, y);
        axes.grid(&mut scene, true);
        for (i, series) in drawn.iter().enumerate() {
            draw(&mut scene, &axes, series, i);
        }
        if found.is_none() {
            let text = Text::new(axes.area.center(), theme::LABEL, "no fiber has a threshold");
            scene.text(text.anchor(Anchor::Middle).color(theme::MUTED));
        }
        axes.bottom(&mut scene, "fiber diameter (µm)");
        axes.left(&mut scene, "threshold (mA)");
        if left_out > 0 {
            let text = format!("{left_out} more series not drawn");
            let at = (MARGIN + GUTTER, top + HEIGHT + 92.0 + 14.0);
            scene.text(Text::new(at, theme::NOTE, text).color(theme::MUTED));
        }
        Ok(scene)
    }
}

fn draw(scene: &mut Scene, axes: &Axes, series: &ThresholdSeries, i: usize) {
    let color = theme::category(i);
    let mut points = series.points.clone();
    points.retain(|p| p.0.is_finite());
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let line: Vec<Point> = points
        .iter()
        .map(|p| axes.at(p.0, valid(p.1).unwrap_or(f64::NAN)))
        .collect();
    scene.line(&line, Stroke::new(color, 2.8));
    for ((diameter, threshold), at) in points.iter().zip(line) {
        let threshold = valid(*threshold);
        let value = threshold.map_or("no threshold".to_owned(), |t| {
            format!("{} mA", format::short(t, 4))
        });
        let edge = if threshold.is_some() {
            theme::PAPER
        } else {
            color
        };
        scene.shapes.push(Shape::Circle {
            center: if threshold.is_some() {
                at
            } else {
                (axes.px(*diameter), axes.area.y + 4.0)
            },
            radius: 7.5,
            fill: Some(if threshold.is_some() {
                color
            } else {
                theme::PAPER
            }),
            alpha: 1.0,
            stroke: Some(Stroke::new(edge, 2.0)),
            role: "threshold",
            hint: format!(
                "{}: {} µm, {value}",
                series.label,
                format::short(*diameter, 4)
            ),
        });
    }
}

/// A threshold that a logarithmic axis can show.
fn valid(threshold: Option<f64>) -> Option<f64> {
    threshold.filter(|t| t.is_finite() && *t > 0.0)
}
