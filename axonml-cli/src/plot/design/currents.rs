//! Current of each contact over time, and its part of the allowed range.

use super::super::axes::{Axes, Scale, thin};
use super::super::format;
use super::super::legend::{Key, Legend};
use super::super::scene::{Anchor, Area, Mark, Point, Scene, Stroke, Text, fit};
use super::super::theme::{self, Marker, Rgb};
use super::{BELOW, Panel};

/// The currents of the contacts of a stimulus, a row for each contact.
#[derive(Clone, Debug, Default)]
pub(crate) struct CurrentsPanel {
    /// Begin of each step, and the end of the last one, ms; empty where currents over time are not known.
    pub edges_ms: Vec<f64>,
    /// Points of all lines together, at most.
    pub points: usize,
    /// The contacts; the first 32 are drawn.
    pub contacts: Vec<ContactCurrent>,
    /// Quantity of the bars, without its unit.
    pub bars: String,
}

/// Current of a contact.
#[derive(Clone, Debug, Default)]
pub(crate) struct ContactCurrent {
    /// Its current in each step, mA.
    pub currents_ma: Vec<f64>,
    /// Ends of its bar, mA; one of them is 0 unless the bar shows a range.
    pub bar_ma: [f64; 2],
    /// The same current of the stimulus compared with, mA.
    pub before_ma: Option<f64>,
    /// Least and largest current that it may deliver, mA.
    pub bounds_ma: Option<[f64; 2]>,
    /// Largest charge of a phase, nC.
    pub charge_nc: Option<f64>,
    /// Sign of its color: that of the first phase.
    pub sign: f64,
}

/// Rows at most.
const ROWS: usize = 32;
/// Height of a row where there is room, px.
const ROW: f64 = 66.0;
/// Least height of a row, px.
const LEAST_ROW: f64 = 25.0;
/// Height that rows share, px.
const SHARED: f64 = 480.0;
/// Room above the rows, px.
const HEAD: f64 = 74.0;
/// Room for the number of a contact, px.
const NUMBER: f64 = 46.0;
/// Width of a column of numbers, px.
const FIGURE: f64 = 100.0;
/// Bounds that are wider than this many times the currents lie outside of the frame.
const WIDE: f64 = 3.0;
/// Room for a tick of the bars' axis, px.
const TICK: f64 = 88.0;
/// Color of what a contact may deliver.
const ALLOWED: Rgb = Rgb(228, 232, 237);

/// Where the columns lie.
struct Columns {
    over_time: Option<Axes>,
    bars: Axes,
    row: f64,
}

impl Panel for CurrentsPanel {
    fn heading(&self) -> &str {
        "Currents of the contacts"
    }

    fn height(&self, _: f64) -> f64 {
        let rows = self.contacts.len().clamp(1, ROWS) as f64;
        HEAD + rows * (SHARED / rows).clamp(LEAST_ROW, ROW) + BELOW
    }

    fn draw(&self, scene: &mut Scene, area: Area) {
        let columns = self.columns(area);
        self.legend(columns.bars.x)
            .draw(scene, (area.x + NUMBER, area.y), area.w - NUMBER);
        let heads = area.y + HEAD - 12.0;
        let mut head = |x: f64, anchor: Anchor, room: f64, words: &str| {
            let words = fit(words, theme::NOTE, false, room);
            let text = Text::new((x, heads), theme::NOTE, words).anchor(anchor);
            scene.text(text.color(theme::MUTED));
        };
        if let Some(axes) = &columns.over_time {
            let peak = format::short(self.peak_ma(), 3);
            let words = format!("current; a row spans ±{peak} mA");
            head(axes.area.x, Anchor::Start, axes.area.w, &words);
        }
        head(area.right() - FIGURE, Anchor::End, FIGURE, "mA");
        head(area.right(), Anchor::End, FIGURE, "nC / phase");
        let frame = columns.bars.area;
        if let Some(axes) = &columns.over_time {
            axes.verticals(scene);
        }
        columns.bars.verticals(scene);
        for (i, contact) in self.contacts.iter().take(ROWS).enumerate() {
            let middle = frame.y + (i as f64 + 0.5) * columns.row;
            let number = Text::new((area.x + 14.0, middle + 6.5), theme::TICK, i.to_string());
            scene.text(number.anchor(Anchor::Middle).bold());
            if let Some(axes) = &columns.over_time {
                self.trace(scene, axes, contact, middle, columns.row);
            }
            contact.bar(scene, &columns.bars, middle, columns.row);
        }
        self.figures(scene, &columns, area.right());
        self.frames(scene, &columns);
    }
}

impl CurrentsPanel {
    fn columns(&self, area: Area) -> Columns {
        let rows = self.contacts.len().clamp(1, ROWS) as f64;
        let row = (area.h - HEAD - BELOW).max(LEAST_ROW) / rows;
        let (top, height) = (area.y + HEAD, row * rows);
        let (left, right) = (area.x + NUMBER, area.right() - 2.0 * FIGURE - 14.0);
        let timed = self.span_ms();
        let split = match timed {
            Some(_) => left + 0.58 * (right - left),
            None => left,
        };
        let frame = |x: f64, end: f64| Area::new(x, top, (end - x).max(40.0), height);
        let y = Scale::linear(0.0, 1.0);
        Columns {
            over_time: timed.map(|(begin, end)| {
                let time = Scale::linear(begin, end);
                Axes::new(frame(left, split - 18.0), time, y)
            }),
            bars: {
                let frame = frame(split + 18.0, right);
                Axes::new(frame, self.bar_scale(frame.w), y)
            },
            row,
        }
    }

    /// The time that is drawn, ms: up to a little after the last current; none if no current is known over time.
    fn span_ms(&self) -> Option<(f64, f64)> {
        let (begin, end) = (*self.edges_ms.first()?, *self.edges_ms.last()?);
        let last = |contact: &ContactCurrent| contact.currents_ma.iter().rposition(|ma| *ma != 0.0);
        let known = self.contacts.iter().any(|c| !c.currents_ma.is_empty());
        let last = self.contacts.iter().filter_map(last).max();
        let over = last.and_then(|step| self.edges_ms.get(step + 1));
        let shown = over.map_or(end, |over| (begin + 1.2 * (over - begin)).min(end));
        known.then_some((begin, shown))
    }

    /// Largest current over time, mA.
    fn peak_ma(&self) -> f64 {
        let all = self.contacts.iter().flat_map(|c| &c.currents_ma);
        let finite = all.map(|ma| ma.abs()).filter(|ma| ma.is_finite());
        finite.fold(0.0, f64::max)
    }

    /// A symmetric scale for bars in a frame of `width` px, with a tick on either side of 0; bounds are inside where that
    /// leaves enough room for the currents.
    fn bar_scale(&self, width: f64) -> Scale {
        let most = |values: &mut dyn Iterator<Item = f64>| {
            let sizes = values.map(f64::abs).filter(|ma| ma.is_finite());
            sizes.fold(0.0, f64::max)
        };
        let contacts = || self.contacts.iter();
        let currents = most(&mut contacts().flat_map(|c| c.bar_ma.into_iter().chain(c.before_ma)));
        let bounds = most(&mut contacts().flat_map(|c| c.bounds_ma.into_iter().flatten()));
        let half = match bounds <= WIDE * currents {
            true => currents.max(bounds),
            false => currents,
        };
        let scale = |half: f64| Scale::linear(-half, half);
        let wider = (0..12).map(|i| scale(half * 1.08_f64.powi(i + 1)));
        let has_ticks = |scale: &Scale| scale.fitting(width, (width / TICK) as usize).len() > 2;
        wider
            .into_iter()
            .find(has_ticks)
            .unwrap_or(scale(1.08 * half))
    }

    fn legend(&self, scale: Scale) -> Legend {
        let mut legend = Legend::default();
        let bounds = || self.contacts.iter().filter_map(|c| c.bounds_ma);
        if bounds().next().is_some() {
            let outside = bounds().any(|[lo, hi]| lo < scale.lo || hi > scale.hi);
            let mut words = "allowed".to_owned();
            if let (true, Some([lo, hi])) = (outside, bounds().next()) {
                let same = bounds().all(|other| other == [lo, hi]);
                words = match same {
                    true => format!(
                        "allowed ({} to {} mA)",
                        format::short(lo, 3),
                        format::short(hi, 3)
                    ),
                    false => "allowed (bounds beyond the frame)".to_owned(),
                };
            }
            legend.add(Key::Bar(ALLOWED), words);
        }
        if self.contacts.iter().any(|c| c.before_ma.is_some()) {
            legend.add(Key::Mark(theme::INK, Marker::Diamond), "best montage");
        }
        if self.contacts.len() > ROWS {
            let more = self.contacts.len() - ROWS;
            legend.add(
                Key::Bar(theme::PAPER),
                format!("{more} more contacts not drawn"),
            );
        }
        legend
    }

    /// The current of a contact over time, as a staircase around the middle of its row.
    fn trace(
        &self,
        scene: &mut Scene,
        axes: &Axes,
        contact: &ContactCurrent,
        middle: f64,
        row: f64,
    ) {
        let zero = [(axes.area.x, middle), (axes.area.right(), middle)];
        scene.line(&zero, Stroke::new(theme::AXIS, 1.0));
        let peak = self.peak_ma();
        if peak == 0.0 {
            return;
        }
        let y = |ma: f64| middle - 0.42 * row * ma / peak;
        let mut points: Vec<Point> = Vec::new();
        for (i, ma) in contact.currents_ma.iter().enumerate() {
            let Some([from, to]) = self.edges_ms.get(i..i + 2) else {
                break;
            };
            // All currents are 0 beyond.
            if *from >= axes.x.hi {
                break;
            }
            let ends = [*from, to.min(axes.x.hi)];
            let repeats = points.len() > 1 && points.last().is_some_and(|p| p.1 == y(*ma));
            if repeats {
                points.pop();
            } else {
                points.push((axes.px(ends[0]), y(*ma)));
            }
            points.push((axes.px(ends[1]), y(*ma)));
        }
        let share = self.points / self.contacts.len().clamp(1, ROWS);
        let points = thin(&points, (axes.area.w as usize).min(share / 4).max(1));
        scene.line(&points, Stroke::new(contact.color(), 2.6));
    }

    /// The currents and charges in numbers, with as many decimals as the largest needs.
    fn figures(&self, scene: &mut Scene, columns: &Columns, right: f64) {
        let contacts = || self.contacts.iter().take(ROWS);
        let currents: Vec<Option<f64>> = contacts().map(|c| Some(c.largest_ma())).collect();
        let charges: Vec<Option<f64>> = contacts().map(|c| c.charge_nc).collect();
        for (x, values) in [(right - FIGURE, currents), (right, charges)] {
            let decimals = decimals(values.iter().flatten().copied());
            for (i, value) in values.iter().enumerate() {
                let Some(value) = value.filter(|value| value.is_finite()) else {
                    continue;
                };
                let middle = columns.bars.area.y + (i as f64 + 0.5) * columns.row;
                let words = format::fixed(value, decimals);
                let text = Text::new((x, middle + 6.0), theme::NOTE, words);
                scene.text(text.anchor(Anchor::End));
            }
        }
    }

    fn frames(&self, scene: &mut Scene, columns: &Columns) {
        if let Some(axes) = &columns.over_time {
            axes.bottom(scene, "time (ms)");
        }
        let axes = &columns.bars;
        let zero = axes.px(0.0);
        let line = [(zero, axes.area.y), (zero, axes.area.bottom())];
        scene.line(&line, Stroke::new(theme::AXIS, 1.5));
        axes.bottom(scene, &format!("{} (mA)", self.bars));
    }
}

impl ContactCurrent {
    fn color(&self) -> Rgb {
        match self.sign {
            sign if sign > 0.0 => theme::POSITIVE,
            sign if sign < 0.0 => theme::NEGATIVE,
            _ => theme::UNUSED,
        }
    }

    fn bar(&self, scene: &mut Scene, axes: &Axes, middle: f64, row: f64) {
        let inside = |ma: f64| axes.px(ma.clamp(axes.x.lo, axes.x.hi));
        let mut block = |from: f64, to: f64, height: f64, color: Rgb| {
            let (left, right) = (inside(from.min(to)), inside(from.max(to)));
            if right > left {
                let place = Area::new(left, middle - 0.5 * height, right - left, height);
                scene.rect(place, color);
            }
        };
        if let Some([lo, hi]) = self.bounds_ma.filter(|b| b.iter().all(|ma| !ma.is_nan())) {
            block(lo, hi, 0.56 * row, ALLOWED);
        }
        let [lo, hi] = self.bar_ma;
        if lo.is_finite() && hi.is_finite() {
            block(lo, hi, 0.34 * row, self.color());
        }
        let before = self.before_ma.filter(|ma| ma.is_finite() && *ma != 0.0);
        if let Some(ma) = before {
            scene.mark(Mark {
                marker: Marker::Diamond,
                center: (inside(ma), middle),
                radius: (0.16 * row).min(7.0),
                fill: theme::INK,
                stroke: Stroke::new(theme::PAPER, 1.5),
                role: "before",
                hint: format!("best montage: {} mA", format::short(ma, 4)),
            });
        }
    }

    /// The end of the bar that is further from 0, mA.
    fn largest_ma(&self) -> f64 {
        let [lo, hi] = self.bar_ma;
        if lo.abs() > hi.abs() { lo } else { hi }
    }
}

/// Decimals with which the largest value has three digits.
fn decimals(values: impl Iterator<Item = f64>) -> usize {
    let finite = values.map(f64::abs).filter(|v| v.is_finite() && *v > 0.0);
    let magnitude = finite.fold(0.0, f64::max).log10().floor();
    match magnitude.is_finite() {
        true => (2.0 - magnitude).clamp(0.0, 9.0) as usize,
        false => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn panel(bounds: [f64; 2]) -> CurrentsPanel {
        let contact = |ma: f64| ContactCurrent {
            currents_ma: vec![0.0, ma, ma, -ma, 0.0],
            bar_ma: [ma.min(0.0), ma.max(0.0)],
            bounds_ma: Some(bounds),
            sign: ma,
            ..ContactCurrent::default()
        };
        CurrentsPanel {
            points: 1000,
            edges_ms: vec![0.0, 0.1, 0.2, 0.3, 0.4, 0.5],
            contacts: [0.5, -0.25, 0.0].map(contact).to_vec(),
            bars: "first phase".to_owned(),
        }
    }

    #[test]
    fn wide_bounds_leave_room_for_the_currents() {
        let near = panel([-1.0, 1.0]).bar_scale(400.0);
        assert!((near.hi - 1.08).abs() < 1e-12 && near.lo == -near.hi);
        let far = panel([-3.0, 3.0]);
        assert!((far.bar_scale(400.0).hi - 0.54).abs() < 1e-12);
        let svg = far.inline(1000.0);
        assert!(svg.contains("allowed (−3 to 3 mA)"), "{svg}");
        assert!(
            !panel([-1.0, 1.0])
                .inline(1000.0)
                .contains("allowed (−1 to 1 mA)")
        );
    }

    /// A pulse of two phases within zeros has four edges: ten corners, the first and the last among them.
    #[test]
    fn a_trace_has_the_corners_of_its_pulse() {
        let only = CurrentsPanel {
            contacts: panel([-1.0, 1.0]).contacts[..1].to_vec(),
            ..panel([-1.0, 1.0])
        };
        let color = theme::POSITIVE;
        let mut scene = Scene::blank(1000.0, 400.0, "");
        only.draw(&mut scene, Area::new(0.0, 0.0, 1000.0, 400.0));
        let traces: Vec<usize> = scene
            .shapes
            .iter()
            .filter_map(|shape| match shape {
                super::super::super::scene::Shape::Line { points, stroke } => {
                    (stroke.color == color).then_some(points.len())
                }
                _ => None,
            })
            .collect();
        assert_eq!(traces, [8]);
    }
}
