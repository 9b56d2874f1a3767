//! A nerve: its cross-section, the fibers colored by threshold, beside the recruitment curve.

use axonml::simulation::recruitment;

use super::Picture;
use super::along;
use super::axes::{Axes, Scale};
use super::error::PlotError;
use super::format;
use super::legend::{Key, Legend, horizontal_bar};
use super::nerve_data::{FiberThresholds, NervePlot, ThresholdPoint};
use super::page::Canvas;
use super::recruitment::{self as curves, Curve};
use super::scene::{Anchor, Area, Scene, Text, fit, head};
use super::section::{Outcome, Section, Spot};
use super::theme::{self, GUTTER, MARGIN};

/// Cross-sections drawn at most.
const PANELS: usize = 3;
/// Recruitment curves drawn at most.
const CURVES: usize = 8;
/// Space between cross-sections, px.
const GAP: f64 = 14.0;

impl Picture for NervePlot {
    fn scene(&self, _: Canvas) -> Result<Scene, PlotError> {
        let diameters = self.diameters();
        if diameters.is_empty() {
            return Err(PlotError::Empty {
                what: "fibers with thresholds",
            });
        }
        let shown = spread(diameters.len(), PANELS);
        let curves = self.curves(&diameters)?;
        let width = [1600.0, 1720.0, 1900.0][shown.len() - 1];
        let side = [640.0, 500.0, 430.0][shown.len() - 1];
        let (left, top) = (MARGIN, 56.0 + head(&self.subtitle, width));
        let sections_w = shown.len() as f64 * (side + GAP) - GAP;
        let bar = Area::new(
            left + 0.5 * (sections_w - sections_w.min(560.0)),
            top + side + 24.0,
            sections_w.min(560.0),
            18.0,
        );
        let all = self
            .fibers
            .iter()
            .flat_map(|f| f.points.iter().filter_map(valid));
        let colors = Scale::log_around(all, 0.0);

        let legend = self.legend();
        let along = match self.electrodes.is_empty() {
            true => 0.0,
            false => along::STRIP_HEIGHT + 30.0,
        };
        let legend_y = bar.bottom() + 86.0 + along;
        let legend_w = width - 2.0 * MARGIN;
        let remarks = self.remarks(&diameters, shown.len());
        let height = legend_y + legend.height(legend_w) + 30.0 * remarks.len() as f64 + 22.0;
        let mut scene = Scene::new(width, height, &self.title);
        scene.subtitle(&self.subtitle);

        let section = Section::new(self, side);
        for (i, shown) in shown.iter().enumerate() {
            let diameter = diameters[*shown];
            let area = Area::new(left + i as f64 * (side + GAP), top, side, side);
            let heading = Text::new(
                (area.center().0, top - 18.0),
                theme::HEADING,
                name(diameter),
            );
            scene.text(heading.anchor(Anchor::Middle).bold());
            section.draw(&mut scene, area, &self.spots(diameter, colors));
            if i == 0 {
                section.scale_bar(&mut scene, area);
            }
        }
        match colors {
            Some(scale) => horizontal_bar(&mut scene, bar, scale, "threshold (mA)"),
            None => {
                let at = (bar.center().0, bar.bottom() + 8.0);
                let text = Text::new(at, theme::LABEL, "no fiber has a threshold");
                scene.text(text.anchor(Anchor::Middle).color(theme::MUTED));
            }
        }
        if !self.electrodes.is_empty() {
            let places = self.electrodes.iter().flat_map(|e| [e.z_mm.0, e.z_mm.1]);
            let area = Area::new(left, bar.bottom() + 92.0, sections_w, 80.0);
            let axes = Axes::new(area, Scale::around(places, 0.12), Scale::linear(0.0, 1.0));
            along::strip(&mut scene, &axes, &self.electrodes);
            axes.bottom(&mut scene, "contacts along the nerve (mm)");
        }
        let x = left + sections_w + 36.0 + GUTTER;
        let curve_w = width - MARGIN - x;
        let key = curves::legend(&curves);
        let curve_y = (top + 20.0).max(top - 44.0 + key.height(curve_w));
        let end = match self.electrodes.is_empty() {
            true => bar.bottom(),
            false => bar.bottom() + 172.0,
        };
        let curve = Area::new(x, curve_y, curve_w, end - curve_y);
        let share = match self.weighted() {
            true => "fraction of the nerve's fibers active, by weight",
            false => "fraction of fibers active",
        };
        let key_y = curve.y - key.height(curve.w) - 8.0;
        key.draw(&mut scene, (curve.x, key_y), curve.w);
        curves::draw(&mut scene, curve, &curves, share);

        legend.draw(&mut scene, (left, legend_y), legend_w);
        for (i, remark) in remarks.into_iter().enumerate() {
            let y = legend_y + legend.height(legend_w) + 22.0 + 30.0 * i as f64;
            let remark = fit(&remark, theme::NOTE, false, legend_w);
            scene.text(Text::new((left, y), theme::NOTE, remark).color(theme::MUTED));
        }
        Ok(scene)
    }
}

impl NervePlot {
    /// The diameters that occur, increasing.
    fn diameters(&self) -> Vec<f64> {
        let points = self
            .fibers
            .iter()
            .flat_map(|f| f.points.iter().map(|p| p.diameter_um));
        let mut diameters: Vec<f64> = points.filter(|d| d.is_finite()).collect();
        diameters.sort_by(f64::total_cmp);
        diameters.dedup_by(|a, b| same(*a, *b));
        diameters
    }

    /// Whether the fibers stand for different shares of the nerve's.
    fn weighted(&self) -> bool {
        self.fibers.windows(2).any(|f| f[0].weight != f[1].weight)
    }

    fn curves(&self, diameters: &[f64]) -> Result<Vec<Curve>, PlotError> {
        let drawn = spread(diameters.len(), CURVES);
        let curve = |(i, which): (usize, &usize)| {
            let diameter = diameters[*which];
            let (mut thresholds, mut weights) = (Vec::new(), Vec::new());
            for fiber in &self.fibers {
                let points = fiber.points.iter();
                for point in points.filter(|p| same(p.diameter_um, diameter)) {
                    thresholds.push(valid(point));
                    weights.push(fiber.weight);
                }
            }
            let steps = recruitment(&thresholds, Some(&weights));
            Ok(Curve {
                label: name(diameter),
                color: theme::ordinal(i, drawn.len()),
                dashed: false,
                faint: false,
                steps: steps.map_err(|error| PlotError::Draw {
                    detail: format!("recruitment at {}: {error}", name(diameter)),
                })?,
            })
        };
        drawn.iter().enumerate().map(curve).collect()
    }

    /// The fibers of one cross-section.
    fn spots(&self, diameter: f64, colors: Option<Scale>) -> Vec<Spot> {
        let spot = |(i, fiber): (usize, &FiberThresholds)| {
            let point = fiber
                .points
                .iter()
                .find(|p| same(p.diameter_um, diameter))?;
            let (outcome, text) = match (valid(point), colors) {
                (Some(t), Some(scale)) => (
                    Outcome::Fired(scale.fraction(t)),
                    format!("{} mA", format::short(t, 4)),
                ),
                _ => (Outcome::Silent, point.status.replace('_', " ")),
            };
            let (x_mm, y_mm) = (1e-3 * fiber.x_um, 1e-3 * fiber.y_um);
            if !(x_mm.is_finite() && y_mm.is_finite()) {
                return None;
            }
            Some(Spot {
                x_mm,
                y_mm,
                outcome,
                hint: format!("fiber {i}, {}: {text}", name(diameter)),
            })
        };
        self.fibers.iter().enumerate().filter_map(spot).collect()
    }

    fn legend(&self) -> Legend {
        let mut legend = Legend::default();
        let silent = || {
            self.fibers
                .iter()
                .flat_map(|f| f.points.iter().filter(|p| valid(p).is_none()))
        };
        if silent().next().is_some() {
            let mut statuses: Vec<String> = silent().map(|p| p.status.replace('_', " ")).collect();
            statuses.retain(|s| !s.is_empty());
            statuses.sort();
            statuses.dedup();
            let why = if statuses.is_empty() {
                String::new()
            } else {
                format!(" ({})", statuses.join(", "))
            };
            legend.add(Key::Ring(theme::ABSENT), format!("no threshold{why}"));
        }
        if self.fascicles.iter().any(|f| f.target) {
            legend.add(
                Key::Disc {
                    fill: theme::TARGET,
                    edge: theme::TARGET_EDGE,
                },
                "target fascicle",
            );
        }
        let any = |test: fn(f64) -> bool| self.contacts.iter().any(|c| test(c.factor));
        if any(|f| f > 0.0) {
            legend.add(Key::Bar(theme::POSITIVE), "contact with the waveform");
        }
        if any(|f| f < 0.0) {
            legend.add(
                Key::Bar(theme::NEGATIVE),
                "contact with the waveform reversed",
            );
        }
        if any(|f| f == 0.0) {
            legend.add(Key::Bar(theme::UNUSED), "contact not used");
        }
        legend
    }

    /// Items that the picture cannot show.
    fn remarks(&self, diameters: &[f64], shown: usize) -> Vec<String> {
        let mut remarks = Vec::new();
        let active = || {
            self.contacts
                .iter()
                .enumerate()
                .filter(|(_, c)| c.factor != 0.0)
        };
        if active().any(|(_, c)| c.factor.abs() != 1.0) {
            let each: Vec<String> = active()
                .map(|(i, c)| format!("contact {i} × {}", format::signed(c.factor)))
                .collect();
            remarks.push(format!("Multiples of the waveform: {}.", each.join(", ")));
        }
        if diameters.len() > shown {
            let curves = diameters.len().min(CURVES);
            remarks.push(format!(
                "Of {} diameters, {shown} cross-sections and {curves} curves are drawn.",
                diameters.len()
            ));
        }
        remarks
    }
}

/// The heading of a diameter.
fn name(diameter_um: f64) -> String {
    format!("{} µm", format::short(diameter_um, 4))
}

fn same(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-6 * a.abs().max(b.abs())
}

/// A threshold that a logarithmic axis can show.
fn valid(point: &ThresholdPoint) -> Option<f64> {
    point.threshold_ma.filter(|t| t.is_finite() && *t > 0.0)
}

/// At most `most` of `n` indices, evenly spread, the first and the last among them.
fn spread(n: usize, most: usize) -> Vec<usize> {
    if n <= most {
        return (0..n).collect();
    }
    (0..most)
        .map(|i| (i * (n - 1) + (most - 1) / 2) / (most - 1))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selection_keeps_both_ends() {
        assert_eq!(spread(2, 3), [0, 1]);
        assert_eq!(spread(9, 3), [0, 4, 8]);
        assert_eq!(spread(4, 3).len(), 3);
        assert_eq!(spread(40, 8).last(), Some(&39));
    }
}
