//! One run: voltages over time at a few nodes, beside the whole fiber as a map of time and place.

use super::Picture;
use super::axes::{Axes, Scale, extremes, thin};
use super::error::PlotError;
use super::format;
use super::legend::{Key, Legend, palette, vertical_bar};
use super::scene::{Area, Image, Point, Scene, Stroke, Text, fit};
use super::theme::{self, GUTTER, MARGIN, Rgb, WIDTH};

/// The recording of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct RunPlot {
    /// Title of the picture.
    pub title: String,
    /// Times of the samples, ms, increasing.
    pub t_ms: Vec<f64>,
    /// The fibers; the first four are drawn.
    pub fibers: Vec<FiberTrace>,
    /// Stimulus, drawn below the fibers.
    pub strips: Vec<Strip>,
}

/// Something that acted over time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Strip {
    /// Quantity with its unit.
    pub label: String,
    /// Its values from each of the picture's times on.
    pub values: Vec<f64>,
}

/// Recording of one fiber.
#[derive(Clone, Debug, Default)]
pub(crate) struct FiberTrace {
    /// Heading, such as the model and the diameter.
    pub label: String,
    /// Membrane potential, mV, `[time, node]` with the node running fastest.
    pub v_mv: Vec<f64>,
    /// Positions of the nodes along the fiber, um, increasing.
    pub z_um: Vec<f64>,
}

/// Fibers drawn at most.
const ROWS: usize = 4;
/// Nodes traced in each fiber at most.
const TRACES: usize = 6;

const TRACE_WIDTH: f64 = 610.0;
const MAP_WIDTH: f64 = 530.0;
const MAP_LEFT: f64 = MARGIN + GUTTER + TRACE_WIDTH + 142.0;
const STRIP: f64 = 84.0;
/// Room above a strip, for its label, px.
const STRIP_GAP: f64 = 40.0;

impl Picture for RunPlot {
    fn scene(&self) -> Result<Scene, PlotError> {
        self.check()?;
        let drawn = &self.fibers[..self.fibers.len().min(ROWS)];
        let row = [500.0, 300.0, 230.0, 190.0][drawn.len() - 1];
        let (top, head) = (66.0, 100.0);
        let strip = self.strips.len() as f64 * (STRIP + STRIP_GAP);
        let left_out = self.fibers.len() - drawn.len();
        let note = if left_out > 0 { 34.0 } else { 0.0 };
        let end = top + drawn.len() as f64 * (head + row);
        let mut scene = Scene::new(WIDTH, end + strip + 92.0 + note, &self.title);

        let time = Scale::linear(self.t_ms[0], self.t_ms[self.t_ms.len() - 1]);
        let all = || drawn.iter().flat_map(|f| f.v_mv.iter().copied());
        let (volts, colors) = (Scale::around(all(), 0.04), Scale::around(all(), 0.0));

        for (i, fiber) in drawn.iter().enumerate() {
            let y = top + i as f64 * (head + row) + head;
            let traces = Axes::new(Area::new(MARGIN + GUTTER, y, TRACE_WIDTH, row), time, volts);
            let map = Axes::new(Area::new(MAP_LEFT, y, MAP_WIDTH, row), time, fiber.extent());
            let heading = fit(
                &fiber.label,
                theme::HEADING,
                true,
                WIDTH - 2.0 * MARGIN - GUTTER,
            );
            scene.text(Text::new((traces.area.x, y - 50.0), theme::HEADING, heading).bold());
            self.traces(&mut scene, fiber, &traces);
            fiber.map(&mut scene, &map, colors);
            if strip == 0.0 && i + 1 == drawn.len() {
                traces.bottom(&mut scene, "time (ms)");
                map.bottom(&mut scene, "time (ms)");
            }
        }
        for (i, strip) in self.strips.iter().enumerate() {
            let y = end + STRIP_GAP + i as f64 * (STRIP + STRIP_GAP);
            for (x, width) in [(MARGIN + GUTTER, TRACE_WIDTH), (MAP_LEFT, MAP_WIDTH)] {
                let axes = self.strip(&mut scene, strip, Area::new(x, y, width, STRIP), time);
                if i + 1 == self.strips.len() {
                    axes.bottom(&mut scene, "time (ms)");
                }
            }
            let label = fit(&strip.label, theme::NOTE, false, TRACE_WIDTH);
            scene.text(Text::new((MARGIN + GUTTER, y - 10.0), theme::NOTE, label));
        }
        let bar = Area::new(
            MAP_LEFT + MAP_WIDTH + 34.0,
            top + head,
            20.0,
            end - top - head,
        );
        vertical_bar(&mut scene, bar, colors, "membrane potential (mV)");
        if left_out > 0 {
            let text = format!("{} not drawn", format::count(left_out, "more fiber"));
            let at = (MARGIN + GUTTER, end + strip + 92.0 + 14.0);
            scene.text(Text::new(at, theme::NOTE, text).color(theme::MUTED));
        }
        Ok(scene)
    }
}

impl RunPlot {
    fn check(&self) -> Result<(), PlotError> {
        if self.fibers.is_empty() {
            return Err(PlotError::Empty { what: "fibers" });
        }
        if self.t_ms.is_empty() {
            return Err(PlotError::Empty {
                what: "recorded times",
            });
        }
        for fiber in &self.fibers {
            if fiber.z_um.is_empty() {
                return Err(PlotError::Empty {
                    what: "recorded nodes",
                });
            }
            let (expected, got) = (self.t_ms.len() * fiber.z_um.len(), fiber.v_mv.len());
            if expected != got {
                let what = format!("membrane potential of `{}`", fiber.label);
                return Err(PlotError::Shape {
                    what,
                    expected,
                    got,
                });
            }
        }
        let expected = self.t_ms.len();
        match self.strips.iter().find(|s| s.values.len() != expected) {
            None => Ok(()),
            Some(strip) => Err(PlotError::Shape {
                what: strip.label.clone(),
                expected,
                got: strip.values.len(),
            }),
        }
    }

    fn traces(&self, scene: &mut Scene, fiber: &FiberTrace, axes: &Axes) {
        axes.grid(scene, false);
        let mut legend = Legend::default();
        let nodes = fiber.z_um.len();
        for (i, (node, color)) in chosen(nodes).into_iter().enumerate() {
            let points: Vec<Point> = self
                .t_ms
                .iter()
                .enumerate()
                .map(|(step, t)| axes.at(*t, fiber.v_mv[step * nodes + node]))
                .collect();
            scene.line(
                &thin(&points, axes.area.w as usize),
                Stroke::new(color, 2.4),
            );
            let name = if i == 0 {
                format!("node {node}")
            } else {
                node.to_string()
            };
            legend.add(Key::Line(color), name);
        }
        legend.draw(scene, (axes.area.x, axes.area.y - 42.0), axes.area.w + 40.0);
        axes.base(scene);
        axes.left(scene, "potential (mV)");
    }

    fn strip(&self, scene: &mut Scene, strip: &Strip, area: Area, time: Scale) -> Axes {
        let (lo, hi) = extremes(strip.values.iter().copied().chain([0.0])).unwrap_or((0.0, 1.0));
        let axes = Axes::new(area, time, Scale::around([lo, hi], 0.12));
        let zero = axes.py(0.0);
        scene.line(
            &[(area.x, zero), (area.right(), zero)],
            Stroke::new(theme::GRID, 1.2),
        );
        // Each value holds until the next sample; a value that stays needs its two ends only.
        let mut points: Vec<Point> = Vec::new();
        for (step, (t, value)) in self.t_ms.iter().zip(&strip.values).enumerate() {
            let end = self.t_ms.get(step + 1).unwrap_or(t);
            if step > 0 && strip.values[step - 1] == *value {
                points.pop();
            } else {
                points.push(axes.at(*t, *value));
            }
            points.push(axes.at(*end, *value));
        }
        scene.line(
            &thin(&points, 2 * area.w as usize),
            Stroke::new(theme::INK, 2.0),
        );
        axes.left(scene, "");
        axes
    }
}

impl FiberTrace {
    /// The scale along the fiber, mm: from half a spacing before the first node to half a spacing after the last.
    fn extent(&self) -> Scale {
        let edges = self.edges_mm();
        Scale::linear(edges[0], edges[edges.len() - 1])
    }

    /// The borders between nodes, mm, one more than there are nodes.
    fn edges_mm(&self) -> Vec<f64> {
        let z: Vec<f64> = self.z_um.iter().map(|z| 1e-3 * z).collect();
        let last = z.len() - 1;
        let half = if last == 0 { 0.5 } else { 0.5 * (z[1] - z[0]) };
        let half_last = if last == 0 {
            0.5
        } else {
            0.5 * (z[last] - z[last - 1])
        };
        let between = z.windows(2).map(|w| 0.5 * (w[0] + w[1]));
        std::iter::once(z[0] - half)
            .chain(between)
            .chain([z[last] + half_last])
            .collect()
    }

    fn map(&self, scene: &mut Scene, axes: &Axes, colors: Scale) {
        let nodes = self.z_um.len();
        let steps = self.v_mv.len() / nodes;
        let columns = steps.min(axes.area.w as usize);
        let edges = self.edges_mm();
        let rows = self.rows(axes.area.h as usize);
        let mut color = palette();
        color[0] = theme::ABSENT; // index 0 is kept for what is not a number
        let mut cells = Vec::with_capacity(columns * rows);
        for row in 0..rows {
            let z = axes.y.hi - (row as f64 + 0.5) / rows as f64 * (axes.y.hi - axes.y.lo);
            let node = edges.partition_point(|edge| *edge <= z).clamp(1, nodes) - 1;
            for column in 0..columns {
                let step = ((column as f64 + 0.5) / columns as f64 * steps as f64) as usize;
                let v = self.v_mv[step.min(steps - 1) * nodes + node];
                let index = 1.0 + (colors.fraction(v) * 254.0).round().clamp(0.0, 254.0);
                cells.push(if v.is_finite() { index as u8 } else { 0 });
            }
        }
        scene.image(Image {
            area: axes.area,
            columns,
            cells,
            palette: color,
        });
        for (node, color) in chosen(nodes) {
            let (x, y) = (axes.area.right() + 3.0, axes.py(1e-3 * self.z_um[node]));
            scene.polygon(
                vec![(x, y), (x + 12.0, y - 6.0), (x + 12.0, y + 6.0)],
                color,
            );
        }
        axes.base(scene);
        axes.left(scene, "position (mm)");
    }

    /// Rows of the map: one for each node if they are evenly spaced, else enough to show the spacing.
    fn rows(&self, pixels: usize) -> usize {
        let spacing: Vec<f64> = self.z_um.windows(2).map(|w| w[1] - w[0]).collect();
        let even = extremes(spacing).is_none_or(|(lo, hi)| hi - lo <= 0.01 * hi.abs());
        if even && self.z_um.len() <= 2 * pixels {
            self.z_um.len()
        } else {
            pixels
        }
    }
}

/// The nodes to trace, evenly spread, each with the color of its position. They lie a little off the symmetric places, so that
/// in a symmetric field no trace hides another.
fn chosen(nodes: usize) -> Vec<(usize, Rgb)> {
    let n = nodes.min(TRACES);
    let offset = if n > 1 { 0.25 } else { 0.5 };
    (0..n)
        .map(|i| {
            let node = ((i as f64 + offset) / n as f64 * nodes as f64) as usize;
            (
                node,
                theme::position(if n < 2 {
                    0.0
                } else {
                    i as f64 / (n - 1) as f64
                }),
            )
        })
        .collect()
}
