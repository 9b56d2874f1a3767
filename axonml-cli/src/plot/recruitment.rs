//! Recruitment curves: which share of the fibers an amplitude activates.

use axonml::simulation::RecruitmentStep;

use super::Picture;
use super::axes::{Axes, Scale};
use super::error::PlotError;
use super::framed::Framed;
use super::legend::{Key, Legend};
use super::page::Canvas;
use super::scene::{Anchor, Area, Point, Scene, Stroke, Text};
use super::theme::{self, Rgb};

/// Recruitment of several groups of fibers, such as fascicles or diameters: step curves over amplitude.
#[derive(Clone, Debug, Default)]
pub(crate) struct RecruitmentPlot {
    /// Title: the nerve and the model.
    pub title: String,
    /// Setting that all groups share, such as the pulse and the contacts; wrapped.
    pub subtitle: String,
    /// Denominator of the fractions, such as "fraction of fibers active"; the title of the vertical axis.
    pub share: String,
    /// The groups; all are drawn.
    pub groups: Vec<RecruitmentGroup>,
    /// Whether groups have an order, such as diameters, and are colored by it.
    pub ordered: bool,
    /// Remarks below the picture.
    pub notes: Vec<String>,
}

/// The recruitment of one group.
#[derive(Clone, Debug, Default)]
pub(crate) struct RecruitmentGroup {
    /// Entry of the legend.
    pub label: String,
    /// Its steps, by amplitude; none if no fiber of it has a threshold.
    pub steps: Vec<RecruitmentStep>,
    /// Whether it is one of many, such as fascicles: thin and gray behind the others, all under one entry of the legend.
    pub faint: bool,
}

impl Picture for RecruitmentPlot {
    fn scene(&self, canvas: Canvas) -> Result<Scene, PlotError> {
        if self.groups.is_empty() {
            return Err(PlotError::Empty {
                what: "groups of fibers",
            });
        }
        let (faint, groups): (Vec<_>, Vec<_>) = self.groups.iter().partition(|group| group.faint);
        let n = groups.len();
        let behind = faint.into_iter().map(|group| Curve {
            label: group.label.clone(),
            color: theme::AXIS,
            dashed: false,
            steps: group.steps.clone(),
            faint: true,
        });
        let curve = |(i, group): (usize, &RecruitmentGroup)| Curve {
            label: group.label.clone(),
            color: match self.ordered || n > theme::CATEGORIES {
                true => theme::ordinal(i, n),
                false => theme::category(i),
            },
            // Neighbors that colors alone might not tell apart.
            dashed: !self.ordered && i % 2 == 1,
            steps: group.steps.clone(),
            faint: false,
        };
        let curves: Vec<Curve> = behind
            .chain(groups.into_iter().enumerate().map(curve))
            .collect();
        let framed = Framed {
            title: &self.title,
            subtitle: &self.subtitle,
            legend: &legend(&curves),
            notes: &self.notes,
            right: 0.0,
        };
        let (mut scene, area) = framed.scene(canvas);
        draw(&mut scene, area, &curves, &self.share);
        Ok(scene)
    }
}

/// The recruitment of the fibers of one kind.
#[derive(Clone, Debug)]
pub(super) struct Curve {
    /// Entry of the legend.
    pub(super) label: String,
    /// Color of the line.
    pub(super) color: Rgb,
    /// Whether the line is dashed.
    pub(super) dashed: bool,
    /// Its steps, by amplitude.
    pub(super) steps: Vec<RecruitmentStep>,
    /// Whether the line is thin, and shares its entry of the legend with the others that are.
    pub(super) faint: bool,
}

/// Draws `curves` in `area`; `share` says what their fractions are of.
pub(super) fn draw(scene: &mut Scene, area: Area, curves: &[Curve], share: &str) {
    let all = curves
        .iter()
        .flat_map(|c| c.steps.iter().map(|step| step.amplitude_ma));
    let found = Scale::log_around(all, 0.1);
    let x = found.unwrap_or(Scale {
        lo: 0.1,
        hi: 10.0,
        log: true,
    });
    let axes = Axes::new(area, x, Scale::linear(0.0, 1.0));
    axes.grid(scene, true);

    for curve in curves {
        let width = if curve.faint { 1.4 } else { 3.4 };
        let (points, stroke) = (steps(curve, &axes), Stroke::new(curve.color, width));
        match curve.dashed {
            true => scene.dashed(&points, stroke, 12.0, 5.0),
            false => scene.line(&points, stroke),
        }
    }
    if found.is_none() {
        let at = (area.center().0, area.center().1);
        let text = Text::new(at, theme::LABEL, "no fiber has a threshold");
        scene.text(text.anchor(Anchor::Middle).color(theme::MUTED));
    }
    axes.bottom(scene, "amplitude (mA)");
    axes.left(scene, share);
}

/// The legend of what [`draw`] draws.
pub(super) fn legend(curves: &[Curve]) -> Legend {
    let mut legend = Legend::default();
    let faint = curves.iter().filter(|curve| curve.faint).take(1);
    for curve in curves.iter().filter(|curve| !curve.faint).chain(faint) {
        let key = match curve.dashed {
            true => Key::Dashed(curve.color),
            false => Key::Line(curve.color),
        };
        legend.add(key, curve.label.as_str());
    }
    legend
}

/// The steps of a curve, from the left end of the axis to the right one.
pub(super) fn steps(curve: &Curve, axes: &Axes) -> Vec<Point> {
    let mut points = vec![axes.at(axes.x.lo, 0.0)];
    let mut before = 0.0;
    for step in &curve.steps {
        points.push(axes.at(step.amplitude_ma, before));
        points.push(axes.at(step.amplitude_ma, step.fraction));
        before = step.fraction;
    }
    points.push(axes.at(axes.x.hi, before));
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_rises_at_each_step() {
        let area = Area::new(0.0, 0.0, 100.0, 100.0);
        let axes = Axes::new(
            area,
            Scale {
                lo: 0.1,
                hi: 10.0,
                log: true,
            },
            Scale::linear(0.0, 1.0),
        );
        let curve = Curve {
            label: String::new(),
            color: theme::INK,
            dashed: false,
            faint: false,
            steps: [(0.1, 0.25), (1.0, 0.5)]
                .map(|(amplitude_ma, fraction)| RecruitmentStep {
                    amplitude_ma,
                    fraction,
                })
                .to_vec(),
        };
        let points = steps(&curve, &axes);
        let expected = [
            (0.0, 100.0),
            (0.0, 100.0),
            (0.0, 75.0),
            (50.0, 75.0),
            (50.0, 50.0),
            (100.0, 50.0),
        ];
        for (p, e) in points.iter().zip(expected) {
            assert!(
                (p.0 - e.0).abs() < 1e-9 && (p.1 - e.1).abs() < 1e-9,
                "{points:?}"
            );
        }
        assert_eq!(points.len(), expected.len());
    }
}
