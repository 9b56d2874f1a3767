//! Curves: series of points over a quantity, with markers, lines, and fitted lines.
//!
//! Threshold against diameter, strength-duration, current-distance, recovery and conduction velocity are this picture
//! with other data.

use super::Picture;
use super::axes::{Axes, Scale, extremes};
use super::error::PlotError;
use super::format;
use super::framed::Framed;
use super::legend::{Key, Legend};
use super::page::Canvas;
use super::scene::{Anchor, Mark, Point, Scene, Stroke, Text, fit};
use super::theme;

/// Several series of points with markers, optional lines through them, and optional fitted lines.
///
/// All series are drawn. Up to twelve have a color and a marker each; more are colored in their order and named by their
/// first and last.
#[derive(Clone, Debug, Default)]
pub(crate) struct CurvePlot {
    /// Title: the question and the model.
    pub title: String,
    /// Setting that all series share, such as the pulse and the electrode; wrapped.
    pub subtitle: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// The series.
    pub series: Vec<CurveSeries>,
    /// Entry of the legend for points without a value, such as "no threshold"; they lie at the upper edge.
    pub absent: String,
    /// Remarks below the picture.
    pub notes: Vec<String>,
}

/// An axis.
#[derive(Clone, Debug, Default)]
pub(crate) struct Axis {
    /// Quantity with its unit, such as "pulse width (ms)".
    pub title: String,
    /// How values are spread.
    pub spacing: Spacing,
    /// Names of the values 0, 1, 2, ..., where the axis is of things instead of numbers; horizontal axes only.
    pub names: Vec<String>,
}

impl Axis {
    /// An axis of numbers.
    pub(crate) fn new(title: impl Into<String>, spacing: Spacing) -> Self {
        Axis {
            title: title.into(),
            spacing,
            names: Vec::new(),
        }
    }

    /// The scale for these values, and whether there were any to choose it by.
    pub(super) fn scale(&self, values: &[f64], pad: f64) -> (Scale, bool) {
        if !self.names.is_empty() {
            return (Scale::linear(-0.5, self.names.len() as f64 - 0.5), true);
        }
        let wide = |(lo, hi): (f64, f64)| lo > 0.0 && hi >= 10.0 * lo;
        let log = match self.spacing {
            Spacing::Log => true,
            Spacing::Linear => false,
            Spacing::Auto => extremes(values.iter().copied()).is_some_and(wide),
        };
        if log {
            let found = Scale::log_around(values.iter().copied(), pad);
            let fallback = Scale {
                lo: 0.1,
                hi: 10.0,
                log: true,
            };
            return (found.unwrap_or(fallback), found.is_some());
        }
        let some = values.iter().any(|v| v.is_finite());
        (Scale::around(values.iter().copied(), pad), some)
    }
}

/// How the values of an axis are spread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Spacing {
    /// Logarithmic where all values are positive and span a decade or more, else linear.
    #[default]
    Auto,
    /// Linear.
    Linear,
    /// Logarithmic; values that are not positive have no place.
    Log,
}

/// A series of points.
#[derive(Clone, Debug, Default)]
pub(crate) struct CurveSeries {
    /// Entry of the legend.
    pub label: String,
    /// The points, in any order: x, and y where there is a value.
    pub points: Vec<(f64, Option<f64>)>,
    /// Whether a line runs through the points.
    pub joined: bool,
    /// A fitted line, drawn dashed in the color of the series.
    pub fit: Option<Fit>,
}

/// A fitted line.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fit {
    /// Entry of the legend, such as "Weiss: rheobase 0.12 mA, chronaxie 0.15 ms".
    pub label: String,
    /// Its points, dense enough to look smooth, in the order of x.
    pub points: Vec<(f64, f64)>,
}

impl CurvePlot {
    /// Whether series differ by color and marker, and not only by their order.
    fn has_distinct_looks(&self) -> bool {
        self.series.len() <= theme::CATEGORIES
    }

    fn legend(&self) -> Legend {
        let mut legend = Legend::default();
        let n = self.series.len();
        for (i, series) in self.series.iter().enumerate() {
            let (color, marker) = self.look(i);
            let key = match series.joined {
                true => Key::Series(color, marker),
                false => Key::Mark(color, marker),
            };
            if n > 1 && self.has_distinct_looks() {
                legend.add(key, series.label.as_str());
            } else if n > 1 && (i == 0 || i + 1 == n) {
                legend.add(Key::Line(color), series.label.as_str());
                if i == 0 {
                    legend.add(Key::Line(self.look(n / 2).0), format!("… {n} series …"));
                }
            }
            if let Some(fit) = &series.fit
                && self.has_distinct_looks()
            {
                legend.add(Key::Dashed(color), fit.label.as_str());
            }
        }
        if self.lacks() {
            let text = match self.absent.as_str() {
                "" => "no value",
                absent => absent,
            };
            legend.add(Key::Ring(theme::ABSENT), text);
        }
        legend
    }

    fn look(&self, i: usize) -> (theme::Rgb, theme::Marker) {
        match self.has_distinct_looks() {
            true => (theme::category(i), theme::marker(i)),
            false => {
                let t = i as f64 / (self.series.len() - 1) as f64;
                (theme::sequential(0.9 * t), theme::Marker::Circle)
            }
        }
    }

    /// Whether a point has no value that the vertical axis can show.
    fn lacks(&self) -> bool {
        let (y, _) = self.y.scale(&self.values(), 0.0);
        let mut points = self.series.iter().flat_map(|s| &s.points);
        points.any(|p| shown(p.1, y).is_none())
    }

    /// The values of all points and fitted lines.
    fn values(&self) -> Vec<f64> {
        let points = self.series.iter().flat_map(|s| &s.points);
        points.filter_map(|p| p.1).collect()
    }

    fn draw(&self, scene: &mut Scene, axes: &Axes, i: usize) {
        let series = &self.series[i];
        let (color, marker) = self.look(i);
        let mut points = series.points.clone();
        points.retain(|p| p.0.is_finite() && (!axes.x.log || p.0 > 0.0));
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        let line: Vec<Point> = points
            .iter()
            .map(|p| axes.at(p.0, shown(p.1, axes.y).unwrap_or(f64::NAN)))
            .collect();
        if let Some(fit) = &series.fit {
            let inside = |p: &&(f64, f64)| {
                let x = axes.x.fraction(p.0);
                let y = axes.y.fraction(p.1);
                (0.0..=1.0).contains(&x) && (0.0..=1.0).contains(&y)
            };
            let curve: Vec<Point> = fit
                .points
                .iter()
                .filter(inside)
                .map(|p| axes.at(p.0, p.1))
                .collect();
            scene.dashed(&curve, Stroke::new(color, 2.2), 9.0, 6.0);
        }
        let width = if self.has_distinct_looks() { 2.6 } else { 1.4 };
        if series.joined {
            scene.line(&line, Stroke::new(color, width));
        }
        let radius = match (self.has_distinct_looks(), points.len()) {
            (true, 0..60) => 7.5,
            (true, 60..400) => 4.5,
            // A line of many points needs none; points that no line joins are all there is.
            _ => 3.0,
        };
        let silent = !self.has_distinct_looks() && series.joined && points.len() > 1;
        for ((x, y), at) in points.iter().zip(line) {
            let value = shown(*y, axes.y);
            if value.is_some() && silent {
                continue;
            }
            let text = value.map_or_else(
                || self.absent.clone(),
                |y| format!("{} at {}", format::short(y, 4), self.place(*x)),
            );
            scene.mark(Mark {
                marker,
                center: match value {
                    Some(_) => at,
                    None => (axes.px(*x), axes.area.y + 4.0),
                },
                radius,
                fill: if value.is_some() { color } else { theme::PAPER },
                stroke: match value {
                    Some(_) => Stroke::new(theme::PAPER, 1.5),
                    None => Stroke::new(color, 2.0),
                },
                role: if value.is_some() {
                    "point"
                } else {
                    "point absent"
                },
                hint: format!("{}: {text}", series.label),
            });
        }
    }

    /// A value of the horizontal axis in words.
    fn place(&self, x: f64) -> String {
        let name = self.x.names.get(x.round().max(0.0) as usize);
        name.cloned().unwrap_or_else(|| format::short(x, 4))
    }
}

impl Picture for CurvePlot {
    fn scene(&self, canvas: Canvas) -> Result<Scene, PlotError> {
        let xs: Vec<f64> = self
            .series
            .iter()
            .flat_map(|s| s.points.iter().map(|p| p.0))
            .collect();
        if !xs.iter().any(|x| x.is_finite()) {
            return Err(PlotError::Empty { what: "points" });
        }
        let legend = self.legend();
        let framed = Framed {
            title: &self.title,
            subtitle: &self.subtitle,
            legend: &legend,
            notes: &self.notes,
            right: 0.0,
        };
        let (mut scene, area) = framed.scene(canvas);
        let (x, _) = self
            .x
            .scale(&xs, if self.x.names.is_empty() { 0.05 } else { 0.0 });
        let (y, some) = self.y.scale(&self.values(), 0.08);
        let axes = Axes::new(area, x, y);
        axes.grid(&mut scene, self.x.names.is_empty());
        for i in 0..self.series.len() {
            self.draw(&mut scene, &axes, i);
        }
        if !some {
            let text = match self.absent.as_str() {
                "" => "no values".to_owned(),
                absent => format!("{absent} anywhere"),
            };
            let text = Text::new(axes.area.center(), theme::LABEL, text);
            scene.text(text.anchor(Anchor::Middle).color(theme::MUTED));
        }
        match self.x.names.as_slice() {
            [] => axes.bottom(&mut scene, &self.x.title),
            names => axes.bottom_names(&mut scene, names, &self.x.title),
        }
        axes.left(
            &mut scene,
            &fit(&self.y.title, theme::LABEL, false, area.h + 60.0),
        );
        Ok(scene)
    }
}

/// A value that this scale can show.
fn shown(value: Option<f64>, scale: Scale) -> Option<f64> {
    value.filter(|v| v.is_finite() && (!scale.log || *v > 0.0))
}
