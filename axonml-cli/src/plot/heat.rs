//! Heat maps: states or numbers over two quantities.
//!
//! The response of a fiber over amplitude and frequency, and thresholds over two settings, are this picture.

use super::Picture;
use super::axes::{Axes, Scale};
use super::curve::{Axis, Spacing};
use super::error::PlotError;
use super::framed::Framed;
use super::legend::{Key, Legend, palette, vertical_bar};
use super::page::Canvas;
use super::scene::{Area, Image, Point, Scene, Stroke};
use super::theme::{self, Rgb};

/// States or numbers in cells over x and y.
#[derive(Clone, Debug, Default)]
pub(crate) struct HeatMap {
    /// Title: the question and the model.
    pub title: String,
    /// Setting that all cells share, such as the pulse and the electrode; wrapped.
    pub subtitle: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// Values of x at the middles of the columns, increasing.
    pub columns: Vec<f64>,
    /// Values of y at the middles of the rows, increasing.
    pub rows: Vec<f64>,
    /// The cells, row by row from the least y.
    pub cells: Cells,
    /// Lines over the map, such as block thresholds over frequency: label and points.
    pub lines: Vec<(String, Vec<(f64, f64)>)>,
    /// Remarks below the picture.
    pub notes: Vec<String>,
}

/// The cells of a heat map.
#[derive(Clone, Debug)]
pub(crate) enum Cells {
    /// One of several states each.
    States {
        /// Their names, at most 7, in the order of the legend.
        names: Vec<String>,
        /// Index of the state of each cell; none where it is not known.
        values: Vec<Option<usize>>,
    },
    /// A number each; what is not finite is left gray.
    Numbers {
        /// Quantity with its unit.
        title: String,
        /// How colors are spread over the numbers.
        spacing: Spacing,
        /// The numbers.
        values: Vec<f64>,
    },
}

impl Default for Cells {
    fn default() -> Self {
        Cells::Numbers {
            title: String::new(),
            spacing: Spacing::Auto,
            values: Vec::new(),
        }
    }
}

impl Cells {
    fn len(&self) -> usize {
        match self {
            Cells::States { values, .. } => values.len(),
            Cells::Numbers { values, .. } => values.len(),
        }
    }

    /// The scale of the colors; none of states.
    fn colors(&self) -> Option<Scale> {
        match self {
            Cells::States { .. } => None,
            Cells::Numbers {
                spacing, values, ..
            } => Some(Axis::new("", *spacing).scale(values, 0.0).0),
        }
    }

    /// The colors, the first for what is not known, and the index of each cell's.
    fn indices(&self) -> (Vec<Rgb>, Vec<u8>) {
        match self {
            Cells::States { names, values } => {
                let mut colors = vec![theme::ABSENT];
                colors.extend((0..names.len()).map(theme::state));
                let index = |state: &Option<usize>| {
                    state
                        .filter(|s| *s < names.len())
                        .map_or(0, |s| s as u8 + 1)
                };
                (colors, values.iter().map(index).collect())
            }
            Cells::Numbers { values, .. } => {
                let scale = self.colors().unwrap_or(Scale::linear(0.0, 1.0));
                let mut colors = palette();
                colors[0] = theme::ABSENT;
                let index = |v: &f64| {
                    let at = scale.fraction(*v);
                    match at.is_finite() {
                        true => 1 + (254.0 * at.clamp(0.0, 1.0)).round() as u8,
                        false => 0,
                    }
                };
                (colors, values.iter().map(index).collect())
            }
        }
    }
}

/// Room on the right for a color bar, px.
const BAR: f64 = 140.0;
/// Most names of states that colors tell apart.
const STATES: usize = theme::STATES;

impl HeatMap {
    fn check(&self) -> Result<(), PlotError> {
        if self.columns.is_empty() || self.rows.is_empty() {
            return Err(PlotError::Empty { what: "cells" });
        }
        let (expected, got) = (self.columns.len() * self.rows.len(), self.cells.len());
        if expected != got {
            let what = "cells of the map".to_owned();
            return Err(PlotError::Shape {
                what,
                expected,
                got,
            });
        }
        if let Cells::States { names, .. } = &self.cells
            && names.len() > STATES
        {
            let what = "names of states".to_owned();
            return Err(PlotError::Shape {
                what,
                expected: STATES,
                got: names.len(),
            });
        }
        Ok(())
    }

    fn legend(&self) -> Legend {
        let mut legend = Legend::default();
        if let Cells::States { names, values } = &self.cells {
            for (i, name) in names.iter().enumerate() {
                legend.add(Key::Bar(theme::state(i)), name.as_str());
            }
            if values.contains(&None) {
                legend.add(Key::Bar(theme::ABSENT), "not known");
            }
        }
        for (label, _) in &self.lines {
            legend.add(Key::Line(theme::INK), label.as_str());
        }
        legend
    }
}

impl Picture for HeatMap {
    fn scene(&self, canvas: Canvas) -> Result<Scene, PlotError> {
        self.check()?;
        let colors = self.cells.colors();
        let legend = self.legend();
        let bar = if colors.is_some() { BAR } else { 0.0 };
        let framed = Framed {
            title: &self.title,
            subtitle: &self.subtitle,
            legend: &legend,
            notes: &self.notes,
            right: bar,
        };
        let (mut scene, area) = framed.scene(canvas);
        let x = edges(&self.columns, &self.x);
        let y = edges(&self.rows, &self.y);
        let axes = Axes::new(area, span(&x, &self.x), span(&y, &self.y));
        let (palette, indices) = self.cells.indices();
        scene.image(image(&axes, &x, &y, palette, &indices));
        for (_, points) in &self.lines {
            let points: Vec<Point> = points.iter().map(|p| axes.at(p.0, p.1)).collect();
            scene.line(&points, Stroke::new(theme::PAPER, 6.0));
            scene.line(&points, Stroke::new(theme::INK, 3.0));
        }
        match self.x.names.as_slice() {
            [] => axes.bottom(&mut scene, &self.x.title),
            names => axes.bottom_names(&mut scene, names, &self.x.title),
        }
        axes.left(&mut scene, &self.y.title);
        if let (Some(scale), Cells::Numbers { title, .. }) = (colors, &self.cells) {
            let area = Area::new(area.right() + 34.0, area.y, 20.0, area.h);
            vertical_bar(&mut scene, area, scale, title);
        }
        Ok(scene)
    }
}

/// Whether an axis with these middles is logarithmic.
fn logarithmic(middles: &[f64], axis: &Axis) -> bool {
    axis.names.is_empty() && axis.scale(middles, 0.0).0.log
}

/// Borders of cells: halfway between their middles, on the axis as it is spread.
fn edges(middles: &[f64], axis: &Axis) -> Vec<f64> {
    let log = logarithmic(middles, axis);
    let to = |v: &f64| if log { v.log10() } else { *v };
    let from = |v: f64| if log { 10_f64.powf(v) } else { v };
    let at: Vec<f64> = middles.iter().map(to).collect();
    let last = at.len() - 1;
    let half = |a: usize, b: usize| match last {
        0 => 0.5,
        _ => 0.5 * (at[b] - at[a]),
    };
    let between = at.windows(2).map(|pair| 0.5 * (pair[0] + pair[1]));
    std::iter::once(at[0] - half(0, last.min(1)))
        .chain(between)
        .chain([at[last] + half(last.saturating_sub(1), last)])
        .map(from)
        .collect()
}

/// The scale from the first border to the last.
fn span(edges: &[f64], axis: &Axis) -> Scale {
    let (lo, hi) = (edges[0], edges[edges.len() - 1]);
    match logarithmic(edges, axis) && hi > lo {
        true => Scale { lo, hi, log: true },
        false => Scale::linear(lo, hi),
    }
}

/// The cells as an image: one pixel a cell where cells are even, else as many as show their sizes.
fn image(axes: &Axes, x: &[f64], y: &[f64], palette: Vec<Rgb>, indices: &[u8]) -> Image {
    let places = |edges: &[f64], scale: Scale, pixels: f64| -> Vec<usize> {
        let n = edges.len() - 1;
        let at: Vec<f64> = edges.iter().map(|e| scale.fraction(*e)).collect();
        let even = at
            .windows(2)
            .all(|w| ((w[1] - w[0]) * n as f64 - 1.0).abs() < 0.01);
        let count = if even { n } else { pixels.max(1.0) as usize };
        (0..count)
            .map(|i| {
                let t = (i as f64 + 0.5) / count as f64;
                at.partition_point(|edge| *edge <= t).clamp(1, n) - 1
            })
            .collect()
    };
    let columns = places(x, axes.x, axes.area.w);
    let rows = places(y, axes.y, axes.area.h);
    let width = x.len() - 1;
    let cells = rows
        .iter()
        .rev()
        .flat_map(|row| {
            columns
                .iter()
                .map(move |column| indices[row * width + column])
        })
        .collect();
    Image {
        area: axes.area,
        columns: columns.len(),
        cells,
        palette,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn borders_lie_halfway() {
        let linear = Axis::new("", Spacing::Linear);
        assert_eq!(edges(&[1.0, 2.0, 4.0], &linear), [0.5, 1.5, 3.0, 5.0]);
        assert_eq!(edges(&[3.0], &linear), [2.5, 3.5]);
        let log = edges(&[1.0, 100.0], &Axis::new("", Spacing::Log));
        for (found, expected) in log.iter().zip([0.1, 10.0, 1000.0]) {
            assert!((found / expected - 1.0).abs() < 1e-9, "{log:?}");
        }
    }
}
