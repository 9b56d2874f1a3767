//! Small multiples: curves over time, each in a frame of its own scales with its name below.

use super::Picture;
use super::axes::{Axes, Scale, thin};
use super::error::PlotError;
use super::legend::{Key, Legend};
use super::page::Canvas;
use super::scene::{Anchor, Area, Point, Scene, Stroke, Text, fit, head};
use super::theme::{self, MARGIN, WIDTH};

/// Curves beside and below each other.
#[derive(Clone, Debug, Default)]
pub(crate) struct MultiplesPlot {
    /// Title of the picture.
    pub title: String,
    /// Line below the title, of all curves; wrapped.
    pub subtitle: String,
    /// Name of the horizontal axes.
    pub x: String,
    /// Name of the vertical axes.
    pub y: String,
    /// Names of the groups that panels belong to.
    pub groups: Vec<String>,
    /// The frames, row by row.
    pub panels: Vec<SmallPanel>,
}

/// One frame.
#[derive(Clone, Debug, Default)]
pub(crate) struct SmallPanel {
    /// Its name, below.
    pub name: String,
    /// A line below its name.
    pub caption: String,
    /// Group, by its place among all: its curves have a color.
    pub group: usize,
    /// Places of the points on the horizontal axis, increasing.
    pub x: Vec<f64>,
    /// Their values.
    pub y: Vec<f64>,
    /// A value that is marked by a line across.
    pub level: Option<f64>,
}

/// Frames in a row at most.
const COLUMNS: usize = 4;
/// Room on the left of a frame, px.
const LEFT: f64 = 92.0;
const HEIGHT: f64 = 210.0;
/// Room below a frame for its axis, name and caption, and for the gap to the next row, px.
const BELOW: f64 = 158.0;

impl MultiplesPlot {
    fn check(&self) -> Result<(), PlotError> {
        if self.panels.is_empty() {
            return Err(PlotError::Empty { what: "curves" });
        }
        let uneven = self.panels.iter().find(|p| p.x.len() != p.y.len());
        uneven.map_or(Ok(()), |panel| {
            Err(PlotError::Shape {
                what: panel.name.clone(),
                expected: panel.x.len(),
                got: panel.y.len(),
            })
        })
    }
}

impl Picture for MultiplesPlot {
    fn scene(&self, _: Canvas) -> Result<Scene, PlotError> {
        self.check()?;
        let columns = self.panels.len().min(COLUMNS);
        let rows = self.panels.len().div_ceil(columns);
        let mut legend = Legend::default();
        for (group, name) in self.groups.iter().enumerate() {
            if self.panels.iter().any(|panel| panel.group == group) {
                legend.add(Key::Line(theme::category(group)), name.as_str());
            }
        }
        let keys = WIDTH - 2.0 * MARGIN - LEFT;
        let key = head(&self.subtitle, WIDTH) + 4.0;
        let top = key + legend.height(keys) + 24.0;
        let height = top + rows as f64 * (HEIGHT + BELOW) - 24.0;
        let mut scene = Scene::new(WIDTH, height, &self.title);
        scene.subtitle(&self.subtitle);
        legend.draw(&mut scene, (MARGIN + LEFT, key), keys);
        let pitch = (WIDTH - 2.0 * MARGIN) / columns as f64;
        for (index, panel) in self.panels.iter().enumerate() {
            let (row, column) = (index / columns, index % columns);
            let x = MARGIN + column as f64 * pitch + LEFT;
            let y = top + row as f64 * (HEIGHT + BELOW);
            let area = Area::new(x, y, pitch - LEFT - 18.0, HEIGHT);
            panel.draw(&mut scene, area, [&self.x, &self.y]);
        }
        Ok(scene)
    }
}

impl SmallPanel {
    fn draw(&self, scene: &mut Scene, area: Area, [x, y]: [&str; 2]) {
        let axes = Axes::new(
            area,
            Scale::around(self.x.iter().copied(), 0.0),
            Scale::around(self.y.iter().copied().chain(self.level), 0.06),
        );
        axes.grid(scene, false);
        if let Some(level) = self.level {
            let y = axes.py(level);
            let across = [(area.x, y), (area.right(), y)];
            scene.dashed(&across, Stroke::new(theme::MUTED, 1.4), 7.0, 6.0);
        }
        let points = self.x.iter().zip(&self.y);
        let points: Vec<Point> = points.map(|(&x, &y)| axes.at(x, y)).collect();
        let color = theme::category(self.group);
        scene.line(&thin(&points, area.w as usize), Stroke::new(color, 2.8));
        axes.bottom(scene, x);
        axes.left(scene, y);
        let middle = area.center().0;
        let room = area.w + LEFT;
        let name = fit(&self.name, theme::HEADING, true, room);
        let below = |dy: f64, size: f64, text: String| {
            Text::new((middle, area.bottom() + dy), size, text).anchor(Anchor::Middle)
        };
        scene.text(below(92.0, theme::HEADING, name).bold());
        let caption = fit(&self.caption, theme::NOTE, false, room);
        scene.text(below(116.0, theme::NOTE, caption).color(theme::MUTED));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn panel(scale: f64) -> SmallPanel {
        SmallPanel {
            name: format!("{scale}"),
            x: vec![0.0, 1.0, 2.0],
            y: vec![0.0, scale, 0.0],
            ..SmallPanel::default()
        }
    }

    /// The points of the only line in a panel's color.
    fn curve(panel: &SmallPanel, area: Area) -> Vec<Point> {
        let mut scene = Scene::blank(WIDTH, HEIGHT, "");
        panel.draw(&mut scene, area, ["x", "y"]);
        let lines = scene.shapes.into_iter().filter_map(|shape| match shape {
            super::super::scene::Shape::Line { points, stroke }
                if stroke.color == theme::category(0) =>
            {
                Some(points)
            }
            _ => None,
        });
        let lines: Vec<Vec<Point>> = lines.collect();
        assert_eq!(lines.len(), 1);
        lines.into_iter().flatten().collect()
    }

    #[test]
    fn each_frame_has_scales_of_its_own() {
        let area = Area::new(0.0, 0.0, 300.0, HEIGHT);
        let (small, large) = (curve(&panel(1e-3), area), curve(&panel(1e3), area));
        for (a, b) in small.iter().zip(&large) {
            assert!((a.0 - b.0).abs() < 1e-9 && (a.1 - b.1).abs() < 1e-9);
        }
        assert!((small[1].1 - HEIGHT * 0.06 / 1.12).abs() < 1e-9);
    }

    #[test]
    fn rows_are_added_as_curves_are() {
        let height = |n: usize| {
            let plot = MultiplesPlot {
                panels: vec![panel(1.0); n],
                ..MultiplesPlot::default()
            };
            plot.scene(Canvas::default()).map(|scene| scene.height)
        };
        assert!(height(0).is_err());
        let [one, four, five] = [1, 4, 5].map(|n| height(n).unwrap());
        assert_eq!((one, five - four), (four, HEIGHT + BELOW));
        let uneven = SmallPanel {
            x: vec![0.0],
            ..SmallPanel::default()
        };
        let plot = MultiplesPlot {
            panels: vec![uneven],
            ..MultiplesPlot::default()
        };
        assert!(plot.scene(Canvas::default()).is_err());
    }
}
