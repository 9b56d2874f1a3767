//! Runs of many fibers: every fiber a row, its potential where an action potential has to arrive over time, beside the
//! place where its first action potential began.

use super::Picture;
use super::along::{self, Electrode};
use super::axes::{Axes, Scale, extremes};
use super::error::PlotError;
use super::legend::{Key, palette, vertical_bar};
use super::page::Canvas;
use super::run::{STRIP, STRIP_GAP, Strip};
use super::scene::{Anchor, Area, Image, Mark, Scene, Stroke, Text, fit, head};
use super::theme::{self, GUTTER, MARGIN, Marker, WIDTH};

/// The runs of many fibers; of a few see [`super::RunPlot`].
#[derive(Clone, Debug, Default)]
pub(crate) struct RunsPlot {
    /// Title of the picture.
    pub title: String,
    /// Setting that all fibers share, such as the pulse and the electrode; wrapped.
    pub subtitle: String,
    /// Times of the samples, ms, increasing.
    pub t_ms: Vec<f64>,
    /// Meaning of the fibers' names, such as "fiber" or "fiber diameter (µm)".
    pub rows: String,
    /// The fibers, from the top; all are drawn.
    pub fibers: Vec<RunRow>,
    /// Where fibers end, mm, the longest of them.
    pub z_mm: (f64, f64),
    /// Stimulus, drawn below the fibers.
    pub strips: Vec<Strip>,
    /// The electrodes, drawn where they lie along the fibers.
    pub electrodes: Vec<Electrode>,
}

/// One fiber of many.
#[derive(Clone, Debug, Default)]
pub(crate) struct RunRow {
    /// Its name on the axis, such as its number.
    pub label: String,
    /// The group that it belongs to, such as its diameter; a line is drawn between groups.
    pub group: String,
    /// Largest membrane potential at the detection nodes at each time, mV.
    pub v_mv: Vec<f64>,
    /// Where the first action potential began that arrived there, mm.
    pub start_mm: Option<f64>,
}

const MAP_WIDTH: f64 = 760.0;
/// Room for the name of a fiber, px.
const NAME: f64 = 74.0;
/// Groups that lines divide at most.
const GROUPS: usize = 20;
const RIGHT_LEFT: f64 = MARGIN + GUTTER + MAP_WIDTH + 250.0;

impl RunsPlot {
    fn check(&self) -> Result<(), PlotError> {
        if self.fibers.is_empty() {
            return Err(PlotError::Empty { what: "fibers" });
        }
        if self.t_ms.is_empty() {
            return Err(PlotError::Empty {
                what: "recorded times",
            });
        }
        let expected = self.t_ms.len();
        let rows = self.fibers.iter().map(|row| (&row.label, row.v_mv.len()));
        let strips = self.strips.iter().map(|s| (&s.label, s.values.len()));
        match rows.chain(strips).find(|(_, got)| *got != expected) {
            None => Ok(()),
            Some((what, got)) => Err(PlotError::Shape {
                what: what.clone(),
                expected,
                got,
            }),
        }
    }

    /// The map of potentials, a row a fiber.
    fn map(&self, area: Area, colors: Scale) -> Image {
        let steps = self.t_ms.len();
        let columns = steps.min(area.w as usize);
        let mut palette = palette();
        palette[0] = theme::ABSENT; // index 0 is kept for what is not a number
        // More fibers than a page has rows share them: a row shows the largest potential of its fibers.
        let n = self.fibers.len();
        let rows = n.min(2 * area.h as usize);
        let mut cells = Vec::with_capacity(columns * rows);
        for row in 0..rows {
            let fibers = &self.fibers[row * n / rows..(row + 1) * n / rows];
            for column in 0..columns {
                // The largest of the samples that fall into a column, so that no spike is lost.
                let from = column * steps / columns;
                let to = ((column + 1) * steps / columns).max(from + 1);
                let seen = fibers.iter().flat_map(|fiber| &fiber.v_mv[from..to]);
                let v = extremes(seen.copied()).map(|(_, most)| most);
                let index = |v| 1.0 + (colors.fraction(v) * 254.0).round().clamp(0.0, 254.0);
                cells.push(v.map_or(0, |v| index(v) as u8));
            }
        }
        Image {
            area,
            columns,
            cells,
            palette,
        }
    }

    /// Names of some rows on the left, and lines between groups with their names on the right.
    fn rows(&self, scene: &mut Scene, area: Area, names: bool) {
        let n = self.fibers.len();
        let middle = |row: usize| area.y + (row as f64 + 0.5) / n as f64 * area.h;
        let least = n.div_ceil((area.h / 30.0) as usize).max(1);
        let round = (0..9).flat_map(|decade| [1, 2, 5].map(|digit| digit * 10_usize.pow(decade)));
        let every = { round }.find(|every| *every >= least).unwrap_or(least);
        let edge = Stroke::new(theme::AXIS, 1.5);
        scene.line(&[(area.x, area.y), (area.x, area.bottom())], edge);
        for (row, fiber) in self.fibers.iter().enumerate().filter(|_| names) {
            if row % every == 0 {
                let (x, y) = (area.x, middle(row));
                scene.line(&[(x - 8.0, y), (x, y)], edge);
                let at = (x - 14.0, y + 0.36 * theme::TICK);
                let shown = fit(&fiber.label, theme::TICK, false, NAME);
                let label = Text::new(at, theme::TICK, shown);
                scene.text(label.anchor(Anchor::End).color(theme::MUTED));
            }
        }
        // Lines between groups of one fiber, or between very many, would cover what they divide.
        let groups = self.fibers.chunk_by(|a, b| a.group == b.group).count();
        if groups > GROUPS || groups == n {
            return;
        }
        let mut begin = 0;
        for group in self.fibers.chunk_by(|a, b| a.group == b.group) {
            let end = begin + group.len();
            if end < n {
                let y = area.y + end as f64 / n as f64 * area.h;
                let line = [(area.x, y), (area.right(), y)];
                scene.line(&line, Stroke::new(theme::PAPER, 3.0));
                scene.line(&line, Stroke::new(theme::AXIS, 1.0));
            }
            if !names && group.len() < n {
                let y = 0.5 * (middle(begin) + middle(end - 1)) + 0.36 * theme::TICK;
                let label = Text::new((area.right() + 10.0, y), theme::TICK, &*group[0].group);
                scene.text(label.color(theme::MUTED));
            }
            begin = end;
        }
    }

    /// The places where action potentials began.
    fn starts(&self, scene: &mut Scene, axes: &Axes) {
        let area = axes.area;
        axes.verticals(scene);
        for electrode in self.electrodes.iter().filter(|e| e.factor != 0.0) {
            let (a, b) = (axes.px(electrode.z_mm.0), axes.px(electrode.z_mm.1));
            let (from, to) = (
                (a.min(b) - 2.0).max(area.x),
                (a.max(b) + 2.0).min(area.right()),
            );
            if to > from {
                let color = match electrode.factor > 0.0 {
                    true => theme::POSITIVE,
                    false => theme::NEGATIVE,
                };
                let band = Area::new(from, area.y, to - from, area.h);
                scene.rect(band, color.mix(theme::PAPER, 0.8));
            }
        }
        let n = self.fibers.len();
        let radius = (0.4 * area.h / n as f64).clamp(2.0, 7.0);
        for (row, fiber) in self.fibers.iter().enumerate() {
            let y = area.y + (row as f64 + 0.5) / n as f64 * area.h;
            let began = fiber.start_mm.filter(|z| z.is_finite());
            scene.mark(Mark {
                marker: Marker::Diamond,
                center: (began.map_or(area.right() - 8.0, |z| axes.px(z)), y),
                radius,
                fill: began.map_or(theme::PAPER, |_| theme::INK),
                stroke: match began {
                    // Small ones would vanish behind a light edge.
                    Some(_) if radius < 4.0 => Stroke::new(theme::INK, 0.5),
                    Some(_) => Stroke::new(theme::PAPER, 0.5),
                    None => Stroke::new(theme::ABSENT, 1.5),
                },
                role: if began.is_some() {
                    "start"
                } else {
                    "start none"
                },
                hint: format!("{} {}", fiber.label, fiber.group),
            });
        }
    }
}

impl Picture for RunsPlot {
    fn scene(&self, _: Canvas) -> Result<Scene, PlotError> {
        self.check()?;
        let n = self.fibers.len();
        let height = (14.0 * n as f64).clamp(360.0, 900.0);
        // Electrodes that deliver nothing are not drawn.
        let used = self.electrodes.iter().filter(|e| e.factor != 0.0);
        let mut legend = along::legend(&used.cloned().collect::<Vec<_>>());
        let began = self.fibers.iter().filter(|f| f.start_mm.is_some()).count();
        if began > 0 {
            legend.add(Key::Mark(theme::INK, Marker::Diamond), "start");
        }
        if began < n {
            legend.add(Key::Mark(theme::UNUSED, Marker::Diamond), "none arrives");
        }
        let right = Area::new(RIGHT_LEFT, 0.0, WIDTH - MARGIN - RIGHT_LEFT - 80.0, height);
        let keys = right.w + 80.0;
        let top = head(&self.subtitle, WIDTH) + legend.height(keys).max(32.0) + 20.0;
        let end = top + height;
        let strips = self.strips.len() as f64 * (STRIP + STRIP_GAP);
        let mut scene = Scene::new(WIDTH, end + strips + 96.0, &self.title);
        scene.subtitle(&self.subtitle);

        let time = Scale::linear(self.t_ms[0], self.t_ms[self.t_ms.len() - 1]);
        let colors = Scale::around(self.fibers.iter().flat_map(|f| f.v_mv.iter().copied()), 0.0);
        let area = Area::new(MARGIN + GUTTER, top, MAP_WIDTH, height);
        let map = Axes::new(area, time, Scale::linear(0.0, n as f64));
        let share = format!("{n} fibers, all drawn; in {began} an action potential arrives");
        scene.text(Text::new((area.x, top - 14.0), theme::TICK, share));
        scene.image(self.map(area, colors));
        self.rows(&mut scene, area, true);
        let name = Text::new(
            (MARGIN + 8.0, area.center().1),
            theme::LABEL,
            self.rows.as_str(),
        );
        scene.text(name.anchor(Anchor::Middle).upward());
        let bar = Area::new(area.right() + 28.0, top, 20.0, height);
        vertical_bar(&mut scene, bar, colors, "potential at detection nodes (mV)");

        let right = Area { y: top, ..right };
        let place = Axes::new(
            right,
            Scale::linear(self.z_mm.0, self.z_mm.1),
            Scale::linear(0.0, n as f64),
        );
        self.starts(&mut scene, &place);
        self.rows(&mut scene, right, false);
        place.bottom(&mut scene, "start of action potential (mm)");
        legend.draw(&mut scene, (right.x, top - 8.0 - legend.height(keys)), keys);

        for (i, strip) in self.strips.iter().enumerate() {
            let y = end + STRIP_GAP + i as f64 * (STRIP + STRIP_GAP);
            let area = Area::new(area.x, y, MAP_WIDTH, STRIP);
            let axes = strip.draw(&mut scene, &self.t_ms, area, time);
            if i + 1 == self.strips.len() {
                axes.bottom(&mut scene, "time (ms)");
            }
        }
        if self.strips.is_empty() {
            map.bottom(&mut scene, "time (ms)");
        } else {
            map.base(&mut scene);
        }
        Ok(scene)
    }
}
