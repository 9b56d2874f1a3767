//! An evaluation: predicted against reference thresholds, beside the distribution of the error.

use axonml::simulation::ErrorSummary;

use super::Picture;
use super::axes::{Axes, Scale, extremes};
use super::error::PlotError;
use super::format;
use super::legend::{Key, Legend};
use super::page::Canvas;
use super::scene::{Anchor, Area, Mark, Scene, Stroke, Text, head, text_width};
use super::theme::{self, GUTTER, MARGIN, WIDTH};

/// Predicted against reference thresholds.
#[derive(Clone, Debug, Default)]
pub(crate) struct EvaluationPlot {
    /// Title of the picture.
    pub title: String,
    /// Setting that all rows share; wrapped.
    pub subtitle: String,
    /// The pairs; those that are not positive and finite are counted, not drawn.
    pub points: Vec<Prediction>,
}

/// One threshold, twice.
#[derive(Clone, Debug, Default)]
pub(crate) struct Prediction {
    /// Reference threshold, mA.
    pub reference_ma: f64,
    /// Threshold under evaluation, mA.
    pub predicted_ma: f64,
    /// Group that shares a color, such as a waveform; empty for none.
    pub group: String,
}

impl Prediction {
    /// The error in percent of the reference, if both are positive and finite.
    fn error_pct(&self) -> Option<f64> {
        let good = |v: f64| v.is_finite() && v > 0.0;
        (good(self.reference_ma) && good(self.predicted_ma))
            .then(|| 100.0 * (self.predicted_ma - self.reference_ma) / self.reference_ma)
    }
}

const SIDE: f64 = 600.0;

impl Picture for EvaluationPlot {
    fn scene(&self, _: Canvas) -> Result<Scene, PlotError> {
        let mut errors: Vec<f64> = self
            .points
            .iter()
            .filter_map(Prediction::error_pct)
            .collect();
        errors.sort_by(f64::total_cmp);
        let Some(summary) = ErrorSummary::of(&errors) else {
            return Err(PlotError::Empty {
                what: "pairs of positive thresholds",
            });
        };
        let left_out = self.points.len() - errors.len();
        let (groups, legend) = self.groups();
        let width = WIDTH - 2.0 * MARGIN - GUTTER;
        let figures = head(&self.subtitle, WIDTH) + 30.0;
        let top = figures + 74.0;
        let key = top + SIDE + 84.0;
        let below = legend.height(width) + if left_out > 0 { 34.0 } else { 0.0 };
        let mut scene = Scene::new(WIDTH, key + below + 20.0, &self.title);
        scene.subtitle(&self.subtitle);

        let scatter = Area::new(MARGIN + GUTTER, top, SIDE, SIDE);
        self.scatter(&mut scene, scatter, &groups);
        let left = scatter.right() + 54.0 + GUTTER;
        histogram(
            &mut scene,
            Area::new(left, top, WIDTH - MARGIN - left, SIDE),
            &errors,
            summary.p95_abs,
        );
        print(&mut scene, summary, figures);
        legend.draw(&mut scene, (scatter.x, key), width);
        if left_out > 0 {
            let text = format!(
                "{} without a positive reference and prediction not drawn",
                format::count(left_out, "row")
            );
            let at = (scatter.x, key + legend.height(width) + 20.0);
            scene.text(Text::new(at, theme::NOTE, text).color(theme::MUTED));
        }
        Ok(scene)
    }
}

impl EvaluationPlot {
    /// The groups in order of appearance, and the legend that tells them apart if there are not too many.
    fn groups(&self) -> (Vec<&str>, Legend) {
        let mut groups: Vec<&str> = Vec::new();
        for point in &self.points {
            if !groups.contains(&point.group.as_str()) {
                groups.push(&point.group);
            }
        }
        let mut legend = Legend::default();
        if groups.len() > theme::CATEGORIES {
            legend.add(
                Key::Mark(theme::category(0), theme::marker(0)),
                format!("{} groups", groups.len()),
            );
            groups.clear();
        } else if groups.len() > 1 {
            for (i, group) in groups.iter().enumerate() {
                let name = if group.is_empty() { "other" } else { group };
                legend.add(Key::Mark(theme::category(i), theme::marker(i)), name);
            }
        }
        (groups, legend)
    }

    fn scatter(&self, scene: &mut Scene, area: Area, groups: &[&str]) {
        let drawn = || self.points.iter().filter(|p| p.error_pct().is_some());
        let both = drawn().flat_map(|p| [p.reference_ma, p.predicted_ma]);
        let Some(scale) = Scale::log_around(both, 0.06) else {
            return;
        };
        let axes = Axes::new(area, scale, scale);
        axes.grid(scene, true);
        let identity = [axes.at(scale.lo, scale.lo), axes.at(scale.hi, scale.hi)];
        scene.line(&identity, Stroke::new(theme::AXIS, 2.0));
        let n = drawn().count() as f64;
        let radius = (9.0 - n.log10() * 1.4).clamp(3.5, 8.0);
        for point in drawn() {
            let group = groups.iter().position(|g| *g == point.group).unwrap_or(0);
            scene.mark(Mark {
                marker: theme::marker(group),
                center: axes.at(point.reference_ma, point.predicted_ma),
                radius,
                fill: theme::category(group),
                // Keeps points of a crowd apart.
                stroke: Stroke::new(theme::PAPER, 0.8),
                role: "pair",
                hint: String::new(),
            });
        }
        let at = (area.right() - 14.0, area.bottom() - 16.0);
        let remark = Text::new(at, theme::NOTE, "line: predicted = reference");
        scene.text(remark.anchor(Anchor::End).color(theme::MUTED));
        axes.bottom(scene, "reference threshold (mA)");
        axes.left(scene, "predicted threshold (mA)");
    }
}

/// Bars over equal bins. A few errors far beyond the others are counted beside the axis instead of stretching it.
fn histogram(scene: &mut Scene, area: Area, sorted: &[f64], p95: f64) {
    let reach = if p95 > 0.0 { 4.0 * p95 } else { f64::INFINITY };
    let inside: Vec<f64> = sorted
        .iter()
        .copied()
        .filter(|e| e.abs() <= reach)
        .collect();
    let (lo, hi) = extremes(inside.iter().copied().chain([0.0])).unwrap_or((-1.0, 1.0));
    let range = if hi > lo {
        Scale::around([lo, hi], 0.03)
    } else {
        Scale::linear(-1.0, 1.0)
    };
    let bins = ((inside.len() as f64).sqrt() * 1.6).clamp(8.0, 48.0) as usize;
    let width = (range.hi - range.lo) / bins as f64;
    // Bins are laid from zero, so that no bar hides on which side of it the errors are.
    let first = (range.lo / width).floor();
    let last = (range.hi / width).ceil();
    let bins = (last - first) as usize;
    let mut counts = vec![0_usize; bins];
    for error in &inside {
        let bin = ((error / width).floor() - first) as usize;
        counts[bin.min(bins - 1)] += 1;
    }
    let tallest = counts.iter().copied().max().unwrap_or(0) as f64;
    let x = Scale::linear(first * width, last * width);
    let axes = Axes::new(area, x, Scale::linear(0.0, (1.06 * tallest).max(5.3)));
    axes.grid(scene, false);
    for (bin, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let from = axes.at((first + bin as f64) * width, *count as f64);
        let to = axes.px((first + bin as f64 + 1.0) * width);
        let bar = Area::new(
            from.0 + 0.75,
            from.1,
            to - from.0 - 1.5,
            area.bottom() - from.1,
        );
        scene.rect(bar, theme::category(0).mix(theme::PAPER, 0.25));
    }
    let zero = axes.px(0.0);
    scene.line(
        &[(zero, area.y), (zero, area.bottom())],
        Stroke::new(theme::INK, 1.6),
    );
    for (beyond, anchor, at) in [
        (
            sorted.iter().filter(|e| **e < -reach).count(),
            Anchor::Start,
            area.x + 10.0,
        ),
        (
            sorted.iter().filter(|e| **e > reach).count(),
            Anchor::End,
            area.right(),
        ),
    ] {
        if beyond > 0 {
            let text = if anchor == Anchor::Start {
                format!("← {beyond} beyond")
            } else {
                format!("{beyond} beyond →")
            };
            scene.text(
                Text::new((at, area.y + 16.0), theme::NOTE, text)
                    .anchor(anchor)
                    .color(theme::MUTED),
            );
        }
    }
    axes.bottom(scene, "error (% of the reference)");
    axes.left(scene, "thresholds");
}

/// The summary as a row of figures above the panels.
fn print(scene: &mut Scene, s: ErrorSummary, y: f64) {
    let percent = |v: f64| format!("{} %", format::short(v, 3));
    let figures = [
        ("n", s.n.to_string()),
        ("MAPE", percent(s.mean_abs)),
        ("median error", percent(s.median)),
        ("95th percentile of |error|", percent(s.p95_abs)),
        ("lowest error", percent(s.min)),
        ("highest error", percent(s.max)),
    ];
    let widths: Vec<f64> = figures
        .iter()
        .map(|(name, value)| {
            text_width(name, theme::NOTE, false).max(text_width(value, theme::HEADING, true))
        })
        .collect();
    let left = MARGIN + GUTTER;
    let gap = (WIDTH - MARGIN - left - widths.iter().sum::<f64>()) / (figures.len() - 1) as f64;
    let mut x = left;
    for ((name, value), width) in figures.into_iter().zip(widths) {
        scene.text(Text::new((x, y), theme::NOTE, name).color(theme::MUTED));
        scene.text(Text::new((x, y + 32.0), theme::HEADING, value).bold());
        x += width + gap.min(80.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_is_of_the_percentage_errors() {
        let point = |predicted_ma| Prediction {
            reference_ma: 2.0,
            predicted_ma,
            group: String::new(),
        };
        let mut errors: Vec<f64> = [1.9, 2.0, 2.2, f64::NAN, -1.0]
            .into_iter()
            .filter_map(|p| point(p).error_pct())
            .collect();
        errors.sort_by(f64::total_cmp);
        let s = ErrorSummary::of(&errors).unwrap();
        let found = [s.mean_abs, s.median, s.p95_abs, s.min, s.max];
        for (f, e) in found.into_iter().zip([5.0, 0.0, 9.5, -5.0, 10.0]) {
            assert!((f - e).abs() < 1e-9, "{s:?}");
        }
        assert_eq!(s.n, 3);
        assert_eq!(ErrorSummary::of(&[]), None);
    }
}
