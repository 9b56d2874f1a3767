//! One run: voltages over time at a few nodes, beside the whole fiber as a map of time and place.

use super::Picture;
use super::along::{self, Electrode};
use super::axes::{Axes, Scale, extremes, thin};
use super::error::PlotError;
use super::format;
use super::legend::{Key, Legend, palette, vertical_bar};
use super::page::Canvas;
use super::scene::{Area, Image, Mark, Point, Scene, Stroke, Text, fit, head};
use super::theme::{self, GUTTER, MARGIN, Marker, Rgb, WIDTH};

/// The recording of a few fibers; of many see [`super::RunsPlot`].
#[derive(Clone, Debug, Default)]
pub(crate) struct RunPlot {
    /// Title of the picture.
    pub title: String,
    /// Setting that all fibers share, such as the pulse and the electrode; wrapped.
    pub subtitle: String,
    /// Times of the samples, ms, increasing.
    pub t_ms: Vec<f64>,
    /// The fibers; the first four are drawn.
    pub fibers: Vec<FiberTrace>,
    /// Stimulus, drawn below the fibers.
    pub strips: Vec<Strip>,
    /// The electrodes, drawn where they lie along the fibers.
    pub electrodes: Vec<Electrode>,
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
    /// Node and time, ms, where the first action potential began.
    pub start: Option<(usize, f64)>,
    /// Nodes where an action potential has to arrive.
    pub detection: Vec<usize>,
}

/// Fibers drawn at most.
pub(crate) const ROWS: usize = 4;
/// Nodes traced in each fiber at most.
const TRACES: usize = 5;

const TRACE_WIDTH: f64 = 610.0;
const MAP_WIDTH: f64 = 530.0;
const MAP_LEFT: f64 = MARGIN + GUTTER + TRACE_WIDTH + 142.0;
/// Room for legends beside a panel's own width, px.
const KEYS_MORE: f64 = 100.0;
const KEYS_WIDTH: f64 = TRACE_WIDTH + KEYS_MORE;
/// Height of a strip, px.
pub(super) const STRIP: f64 = 84.0;
/// Room above a strip, for its label, px.
pub(super) const STRIP_GAP: f64 = 40.0;

impl Picture for RunPlot {
    fn scene(&self, _: Canvas) -> Result<Scene, PlotError> {
        self.check()?;
        let drawn = &self.fibers[..self.fibers.len().min(ROWS)];
        let row = [500.0, 300.0, 230.0, 190.0][drawn.len() - 1];
        let keys = drawn.iter().map(|f| f.legend().height(KEYS_WIDTH));
        let (top, head) = (head(&self.subtitle, WIDTH), 68.0 + keys.fold(0.0, f64::max));
        let strip = self.strips.len() as f64 * (STRIP + STRIP_GAP);
        let left_out = self.fibers.len() - drawn.len();
        let note = if left_out > 0 { 34.0 } else { 0.0 };
        let end = top + drawn.len() as f64 * (head + row);
        let mut scene = Scene::new(WIDTH, end + strip + 92.0 + note, &self.title);
        scene.subtitle(&self.subtitle);

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
            scene.text(Text::new((traces.area.x, y - head + 50.0), theme::HEADING, heading).bold());
            self.traces(&mut scene, fiber, &traces);
            fiber.map(&mut scene, &map, colors, &self.electrodes);
            if i == 0 {
                let mut legend = along::legend(&self.electrodes);
                if drawn.iter().any(|fiber| fiber.start.is_some()) {
                    legend.add(Key::Mark(theme::POSITIVE, Marker::Diamond), "start");
                }
                let height = legend.height(MAP_WIDTH + KEYS_MORE);
                legend.draw(
                    &mut scene,
                    (map.area.x, y - 8.0 - height),
                    MAP_WIDTH + KEYS_MORE,
                );
            }
            if i + 1 == drawn.len() {
                map.bottom(&mut scene, "time (ms)");
                if strip == 0.0 {
                    traces.bottom(&mut scene, "time (ms)");
                }
            }
        }
        for (i, strip) in self.strips.iter().enumerate() {
            let y = end + STRIP_GAP + i as f64 * (STRIP + STRIP_GAP);
            let area = Area::new(MARGIN + GUTTER, y, TRACE_WIDTH, STRIP);
            let axes = strip.draw(&mut scene, &self.t_ms, area, time);
            if i + 1 == self.strips.len() {
                axes.bottom(&mut scene, "time (ms)");
            }
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
        let nodes = fiber.z_um.len();
        for (node, color) in fiber.chosen() {
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
        }
        let legend = fiber.legend();
        let y = axes.area.y - 8.0 - legend.height(KEYS_WIDTH);
        legend.draw(scene, (axes.area.x, y), KEYS_WIDTH);
        axes.base(scene);
        axes.left(scene, "potential (mV)");
    }
}

impl Strip {
    /// Draws what acted at `t_ms`, with its label above `area`.
    pub(super) fn draw(&self, scene: &mut Scene, t_ms: &[f64], area: Area, time: Scale) -> Axes {
        let label = fit(&self.label, theme::NOTE, false, area.w);
        scene.text(Text::new((area.x, area.y - 10.0), theme::NOTE, label));
        let (lo, hi) = extremes(self.values.iter().copied().chain([0.0])).unwrap_or((0.0, 1.0));
        let axes = Axes::new(area, time, Scale::around([lo, hi], 0.12));
        let zero = axes.py(0.0);
        scene.line(
            &[(area.x, zero), (area.right(), zero)],
            Stroke::new(theme::GRID, 1.2),
        );
        // Each value holds until the next sample; a value that stays needs its two ends only.
        let mut points: Vec<Point> = Vec::new();
        for (step, (t, value)) in t_ms.iter().zip(&self.values).enumerate() {
            let end = t_ms.get(step + 1).unwrap_or(t);
            if step > 0 && self.values[step - 1] == *value {
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

    fn map(&self, scene: &mut Scene, axes: &Axes, colors: Scale, electrodes: &[Electrode]) {
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
        along::beside(scene, axes, electrodes);
        if let Some((node, t_ms)) = self.start
            && let Some(z) = self.z_um.get(node)
        {
            scene.mark(Mark {
                marker: Marker::Diamond,
                center: axes.at(t_ms, 1e-3 * z),
                radius: 7.0,
                fill: theme::POSITIVE,
                stroke: Stroke::new(theme::PAPER, 2.0),
                role: "start",
                hint: format!("node {node}, {} ms", format::short(t_ms, 4)),
            });
        }
        for (node, color) in self.chosen() {
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

    /// The nodes to trace, in order, each with a color by its rank: where the action potential began, where it has
    /// to arrive, and others evenly spread.
    fn chosen(&self) -> Vec<(usize, Rgb)> {
        let nodes = self.z_um.len();
        let known = self.start.iter().map(|start| start.0);
        let known = known.chain(self.detection.iter().copied());
        let mut chosen: Vec<usize> = Vec::new();
        for node in known.filter(|node| *node < nodes) {
            if !chosen.contains(&node) && chosen.len() < TRACES {
                chosen.push(node);
            }
        }
        // Each further one lies as far from the others as it can, but in symmetric fields off the mirror image of the last.
        while chosen.len() < TRACES.min(nodes) {
            let apart = |node: &usize| {
                let nearest = chosen.iter().map(|other| node.abs_diff(*other)).min();
                let mirrored = chosen.iter().any(|other| other + node + 1 == nodes);
                (nearest.unwrap_or(usize::MAX), !mirrored)
            };
            let free = (0..nodes).filter(|node| !chosen.contains(node));
            match free.max_by_key(apart) {
                Some(node) => chosen.push(node),
                None => break,
            }
        }
        chosen.sort_unstable();
        // By rank: neighbors such as the first node and a detection node near it differ as much as others.
        let last = (chosen.len() - 1).max(1) as f64;
        let color = |(i, node): (usize, usize)| (node, theme::position(i as f64 / last));
        chosen.into_iter().enumerate().map(color).collect()
    }

    /// The traced nodes by name.
    fn legend(&self) -> Legend {
        let mut legend = Legend::default();
        for (i, (node, color)) in self.chosen().into_iter().enumerate() {
            let begins = self.start.is_some_and(|start| start.0 == node);
            let role = match (begins, self.detection.contains(&node)) {
                (true, true) => " start, detection",
                (true, false) => " start",
                (false, true) => " detection",
                (false, false) => "",
            };
            let noun = if i == 0 { "node " } else { "" };
            legend.add(Key::Line(color), format!("{noun}{node}{role}"));
        }
        legend
    }
}
