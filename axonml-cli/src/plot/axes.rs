//! Scales, ticks and the frames that carry them.

use super::format;
use super::scene::{Anchor, Area, Point, Scene, Stroke, Text, fit, text_width};
use super::theme;

/// A marked value of a scale.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tick {
    pub(super) value: f64,
    pub(super) label: String,
}

/// The values from one end of an axis to the other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    pub(super) lo: f64,
    pub(super) hi: f64,
    pub(super) log: bool,
}

impl Scale {
    /// A linear scale from `lo` to `hi`; values that coincide are moved apart.
    pub(super) fn linear(lo: f64, hi: f64) -> Self {
        let span = hi - lo;
        let least = 1e-9 * lo.abs().max(hi.abs());
        if span > least && span > 0.0 {
            Self { lo, hi, log: false }
        } else {
            let half = if lo == 0.0 { 1.0 } else { 0.1 * lo.abs() };
            Self {
                lo: lo - half,
                hi: lo + half,
                log: false,
            }
        }
    }

    /// A linear scale around finite `values`, with the part `pad` of their range added at both ends.
    pub(super) fn around(values: impl IntoIterator<Item = f64>, pad: f64) -> Self {
        let (lo, hi) = extremes(values).unwrap_or((0.0, 1.0));
        let room = pad * (hi - lo);
        Self::linear(lo - room, hi + room)
    }

    /// A logarithmic scale around the positive finite `values`, `pad` decades wider at both ends and not narrower than a
    /// factor of 1.5; `None` without such values.
    pub(super) fn log_around(values: impl IntoIterator<Item = f64>, pad: f64) -> Option<Self> {
        let (lo, hi) = extremes(values.into_iter().filter(|v| *v > 0.0))?;
        let (lo, hi) = (lo.log10() - pad, hi.log10() + pad);
        let spread = (0.5 * (1.5_f64.log10() - (hi - lo))).max(0.0);
        Some(Self {
            lo: 10_f64.powf(lo - spread),
            hi: 10_f64.powf(hi + spread),
            log: true,
        })
    }

    /// Where `v` lies: 0 at `lo`, 1 at `hi`.
    pub(super) fn fraction(self, v: f64) -> f64 {
        if self.log {
            (v / self.lo).log10() / (self.hi / self.lo).log10()
        } else {
            (v - self.lo) / (self.hi - self.lo)
        }
    }

    fn contains(self, v: f64) -> bool {
        (-1e-9..=1.0 + 1e-9).contains(&self.fraction(v))
    }

    /// About `most` labeled ticks: on a linear scale in steps of 1, 2 or 5 times a power of ten; on a
    /// logarithmic one the densest that fits of 1-2-5, 1-3 and 1, or all digits where these are too few, or linear steps
    /// within little more than an octave.
    pub(super) fn ticks(self, most: usize) -> Vec<Tick> {
        let most = most.max(2);
        if !self.log {
            return self.linear_ticks(most);
        }
        let mut ticks = Vec::new();
        for digits in [&[1, 2, 5][..], &[1, 3], &[1]] {
            ticks = self.log_ticks(digits, 1);
            if ticks.len() <= most + 1 {
                break;
            }
        }
        if ticks.len() < 3 && self.hi < 4.0 * self.lo {
            return self.linear_ticks(most.min(8));
        }
        if ticks.len() < 3 {
            ticks = self.log_ticks(&[1, 2, 3, 4, 5, 6, 7, 8, 9], 1);
            if ticks.len() < 5 {
                return self.linear_ticks(most.min(8));
            }
        }
        let mut decades = 2;
        while ticks.len() > most + 1 {
            ticks = self.log_ticks(&[1], decades);
            decades += 1;
        }
        ticks
    }

    /// The ticks of a horizontal axis of `length` px, about `most`, whose labels do not touch each other.
    pub(super) fn fitting(self, length: f64, most: usize) -> Vec<Tick> {
        /// Space between labels, px.
        const GAP: f64 = 14.0;
        let apart = |pair: &[Tick]| {
            let wide = |tick: &Tick| 0.5 * text_width(&tick.label, theme::TICK, false);
            let [a, b] = pair else { return true };
            let distance = (self.fraction(b.value) - self.fraction(a.value)).abs() * length;
            distance >= wide(a) + wide(b) + GAP
        };
        let mut ticks = Vec::new();
        for most in (2..=most.max(2)).rev() {
            ticks = self.ticks(most);
            if ticks.windows(2).all(apart) {
                return ticks;
            }
        }
        // Even the fewest collide, as on a very short axis: drop whatever touches the one before.
        let mut kept: Vec<Tick> = Vec::new();
        for tick in ticks {
            if kept
                .last()
                .is_none_or(|last| apart(&[last.clone(), tick.clone()]))
            {
                kept.push(tick);
            }
        }
        kept
    }

    /// The unlabeled ticks 2…9 of each decade of a logarithmic scale of at most four decades.
    fn minor(self) -> Vec<f64> {
        if !self.log || self.hi / self.lo > 1e4 {
            return Vec::new();
        }
        self.log_ticks(&[2, 3, 4, 5, 6, 7, 8, 9], 1)
            .into_iter()
            .map(|t| t.value)
            .collect()
    }

    fn linear_ticks(self, most: usize) -> Vec<Tick> {
        let rough = (self.hi - self.lo) / most as f64;
        let unit = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .map(|m| m * unit)
            .into_iter()
            .find(|s| *s >= 0.8 * rough);
        let step = step.unwrap_or(10.0 * unit);
        let decimals = (-(step * 1.001).log10().floor()).max(0.0) as usize;
        let first = (self.lo / step - 1e-6).ceil() as i64;
        let last = (self.hi / step + 1e-6).floor() as i64;
        (first..=last)
            .map(|i| {
                let value = i as f64 * step;
                let plain = decimals <= 5 && value.abs() < 1e6;
                let label = if plain {
                    format::fixed(value, decimals)
                } else {
                    format::short(value, 6)
                };
                Tick { value, label }
            })
            .collect()
    }

    fn log_ticks(self, digits: &[i32], every: i32) -> Vec<Tick> {
        let (first, last) = (
            self.lo.log10().floor() as i32,
            self.hi.log10().ceil() as i32,
        );
        let mut ticks = Vec::new();
        for exponent in (first..=last).filter(|e| e.rem_euclid(every) == 0) {
            for digit in digits {
                let value = f64::from(*digit) * 10_f64.powi(exponent);
                let label = match exponent {
                    -4..=4 => format::fixed(value, (-exponent).max(0) as usize),
                    _ if *digit == 1 => format::power_of_ten(exponent),
                    _ => format!("{digit}×{}", format::power_of_ten(exponent)),
                };
                if self.contains(value) {
                    ticks.push(Tick { value, label });
                }
            }
        }
        ticks
    }
}

/// The least and the greatest finite value.
pub(super) fn extremes(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    values
        .into_iter()
        .filter(|v| v.is_finite())
        .fold(None, |found, v| match found {
            None => Some((v, v)),
            Some((lo, hi)) => Some((v.min(lo), v.max(hi))),
        })
}

/// A frame with a scale on two sides.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axes {
    pub(super) area: Area,
    pub(super) x: Scale,
    pub(super) y: Scale,
}

/// Pixels on which one tick label of a horizontal axis may count.
const TICK_ROOM: f64 = 88.0;

impl Axes {
    pub(super) fn new(area: Area, x: Scale, y: Scale) -> Self {
        Self { area, x, y }
    }

    /// The pixel of a pair of values.
    pub(super) fn at(&self, x: f64, y: f64) -> Point {
        (self.px(x), self.py(y))
    }

    pub(super) fn px(&self, x: f64) -> f64 {
        self.area.x + self.x.fraction(x) * self.area.w
    }

    pub(super) fn py(&self, y: f64) -> f64 {
        self.area.bottom() - self.y.fraction(y) * self.area.h
    }

    /// Horizontal grid lines, and vertical ones too if `both`; to be drawn before the data.
    pub(super) fn grid(&self, scene: &mut Scene, both: bool) {
        let stroke = Stroke::new(theme::GRID, 1.2);
        for tick in self.y_ticks() {
            let y = self.py(tick.value);
            scene.line(&[(self.area.x, y), (self.area.right(), y)], stroke);
        }
        for tick in self.x_ticks().into_iter().filter(|_| both) {
            let x = self.px(tick.value);
            scene.line(&[(x, self.area.y), (x, self.area.bottom())], stroke);
        }
    }

    /// Vertical grid lines; to be drawn before the data.
    pub(super) fn verticals(&self, scene: &mut Scene) {
        for tick in self.x_ticks() {
            let x = self.px(tick.value);
            let line = [(x, self.area.y), (x, self.area.bottom())];
            scene.line(&line, Stroke::new(theme::GRID, 1.2));
        }
    }

    /// The axis below, with tick labels and its name.
    pub(super) fn bottom(&self, scene: &mut Scene, name: &str) {
        self.base(scene);
        let y = self.area.bottom();
        for value in self.x.minor() {
            let x = self.px(value);
            scene.line(&[(x, y), (x, y + 4.5)], Stroke::new(theme::AXIS, 1.2));
        }
        for tick in self.x_ticks() {
            let x = self.px(tick.value);
            scene.line(&[(x, y), (x, y + 8.0)], Stroke::new(theme::AXIS, 1.5));
            let label = Text::new((x, y + 29.0), theme::TICK, tick.label);
            scene.text(label.anchor(Anchor::Middle).color(theme::MUTED));
        }
        self.name_below(scene, name);
    }

    /// The axis below of things that have names, the `i`-th at the value `i`; names are cut where there is no room.
    pub(super) fn bottom_names(&self, scene: &mut Scene, names: &[String], name: &str) {
        self.base(scene);
        let y = self.area.bottom();
        let room = self.area.w / names.len().max(1) as f64 - 8.0;
        // Where names would be a few letters only, every second, third, ... is shown.
        let every = (60.0 / (room + 8.0)).ceil().max(1.0) as usize;
        for (i, text) in names.iter().enumerate().step_by(every) {
            let x = self.px(i as f64);
            scene.line(&[(x, y), (x, y + 8.0)], Stroke::new(theme::AXIS, 1.5));
            let shown = fit(text, theme::TICK, false, room * every as f64);
            let label = Text::new((x, y + 29.0), theme::TICK, shown);
            scene.text(label.anchor(Anchor::Middle).color(theme::MUTED));
        }
        self.name_below(scene, name);
    }

    /// The name of the axis below, in letters as small as it takes, and cut if they would be unreadable.
    fn name_below(&self, scene: &mut Scene, name: &str) {
        let room = self.area.w + 80.0;
        let wide = text_width(name, theme::LABEL, false).max(1.0);
        let size = (theme::LABEL * room / wide).clamp(theme::NOTE, theme::LABEL);
        let at = (self.area.center().0, self.area.bottom() + 60.0);
        let name = fit(name, size, false, room);
        scene.text(Text::new(at, size, name).anchor(Anchor::Middle));
    }

    /// The line below, without ticks.
    pub(super) fn base(&self, scene: &mut Scene) {
        let y = self.area.bottom();
        scene.line(
            &[(self.area.x, y), (self.area.right(), y)],
            Stroke::new(theme::AXIS, 1.5),
        );
    }

    /// The axis on the left, with tick labels and its name, which is `GUTTER` wide.
    pub(super) fn left(&self, scene: &mut Scene, name: &str) {
        let x = self.area.x;
        scene.line(
            &[(x, self.area.y), (x, self.area.bottom())],
            Stroke::new(theme::AXIS, 1.5),
        );
        for value in self.y.minor() {
            let y = self.py(value);
            scene.line(&[(x - 4.5, y), (x, y)], Stroke::new(theme::AXIS, 1.2));
        }
        let mut widest: f64 = 38.0;
        for tick in self.y_ticks() {
            let y = self.py(tick.value);
            widest = widest.max(text_width(&tick.label, theme::TICK, false));
            scene.line(&[(x - 8.0, y), (x, y)], Stroke::new(theme::AXIS, 1.5));
            let label = Text::new((x - 14.0, y + 0.36 * theme::TICK), theme::TICK, tick.label);
            scene.text(label.anchor(Anchor::End).color(theme::MUTED));
        }
        let at = (x - 14.0 - widest - 16.0, self.area.center().1);
        scene.text(
            Text::new(at, theme::LABEL, name)
                .anchor(Anchor::Middle)
                .upward(),
        );
    }

    fn x_ticks(&self) -> Vec<Tick> {
        self.x
            .fitting(self.area.w, ((self.area.w / TICK_ROOM) as usize).min(12))
    }

    fn y_ticks(&self) -> Vec<Tick> {
        self.y.ticks((self.area.h / 38.0).clamp(2.0, 6.0) as usize)
    }
}

/// At most two points per pixel column of a line sampled more densely: the extremes in each, so that no peak is lost.
pub(super) fn thin(points: &[Point], columns: usize) -> Vec<Point> {
    if points.len() <= 4 * columns || columns == 0 {
        return points.to_vec();
    }
    let mut kept = Vec::with_capacity(2 * columns + 2);
    for chunk in points.chunks(points.len().div_ceil(columns)) {
        let by_height = |a: &&Point, b: &&Point| a.1.total_cmp(&b.1);
        if let (Some(low), Some(high)) = (
            chunk.iter().min_by(by_height),
            chunk.iter().max_by(by_height),
        ) {
            let (first, second) = if low.0 <= high.0 {
                (low, high)
            } else {
                (high, low)
            };
            kept.extend([*first, *second]);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scale: Scale, most: usize) -> Vec<String> {
        scale.ticks(most).into_iter().map(|t| t.label).collect()
    }

    #[test]
    fn linear_ticks_are_round() {
        assert_eq!(
            labels(Scale::linear(0.0, 5.0), 6),
            ["0", "1", "2", "3", "4", "5"]
        );
        assert_eq!(
            labels(Scale::linear(-83.0, 41.0), 5),
            ["−80", "−60", "−40", "−20", "0", "20", "40"]
        );
        assert_eq!(
            labels(Scale::linear(0.0, 0.3), 3),
            ["0.0", "0.1", "0.2", "0.3"]
        );
        assert_eq!(labels(Scale::linear(-0.003, 0.002), 5).len(), 6);
    }

    #[test]
    fn log_ticks_are_one_two_five() {
        let scale = Scale {
            lo: 0.04,
            hi: 2.5,
            log: true,
        };
        assert_eq!(labels(scale, 8), ["0.05", "0.1", "0.2", "0.5", "1", "2"]);
        let wide = Scale {
            lo: 1e-7,
            hi: 1e7,
            log: true,
        };
        assert!((3..=7).contains(&wide.ticks(6).len()));
        let narrow = Scale {
            lo: 0.9,
            hi: 1.35,
            log: true,
        };
        assert!(narrow.ticks(8).len() >= 4);
    }

    #[test]
    fn labels_of_horizontal_axes_do_not_touch() {
        for (lo, hi, log) in [
            (0.068, 0.104, true),
            (0.0471, 0.3478, true),
            (1e-6, 1e5, true),
            (9.0, 11.0, false),
            (-123_456.0, 987_654.0, false),
        ] {
            for length in [60.0, 200.0, 560.0, 1400.0] {
                let scale = Scale { lo, hi, log };
                let ticks = scale.fitting(length, (length / 70.0) as usize);
                for pair in ticks.windows(2) {
                    let at = |tick: &Tick| scale.fraction(tick.value) * length;
                    let wide = |tick: &Tick| text_width(&tick.label, theme::TICK, false);
                    let gap = at(&pair[1]) - at(&pair[0]) - 0.5 * (wide(&pair[0]) + wide(&pair[1]));
                    assert!(gap > 10.0, "{pair:?} on {length} px");
                }
                assert!(length < 300.0 || ticks.len() > 1, "{scale:?} {ticks:?}");
            }
        }
    }

    #[test]
    fn equal_values_still_make_a_scale() {
        for scale in [
            Scale::linear(0.0, 0.0),
            Scale::linear(-3.0, -3.0),
            Scale::around([f64::NAN], 0.1),
        ] {
            assert!(scale.lo < scale.hi && scale.ticks(5).len() > 1, "{scale:?}");
        }
        let scale = Scale::log_around([0.2, 0.2], 0.0).unwrap();
        assert!((scale.fraction(0.2) - 0.5).abs() < 1e-12);
        assert_eq!(Scale::log_around([0.0, -1.0, f64::NAN], 0.1), None);
    }

    #[test]
    fn thinning_keeps_the_peak() {
        let mut line: Vec<Point> = (0..10_000).map(|i| (f64::from(i), 0.0)).collect();
        line[4_321].1 = 7.0;
        let thinned = thin(&line, 500);
        assert!(thinned.len() <= 1_002);
        assert!(thinned.iter().any(|p| p.1 == 7.0));
    }
}
