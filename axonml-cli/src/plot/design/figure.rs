//! The figure of one or several designs: their panels in rows.

use super::super::error::PlotError;
use super::super::page::Canvas;
use super::super::scene::{Area, Scene, Text, fit, head};
use super::super::theme::{self, MARGIN};
use super::super::{Picture, format};
use super::{ConvergencePanel, CurrentsPanel, FrontPanel, Panel, RecruitedPanel, SectionsPanel};

/// Designs below each other.
#[derive(Clone, Debug, Default)]
pub(crate) struct DesignFigure {
    /// The designs; the first eight are drawn.
    pub designs: Vec<DesignPlot>,
}

/// The panels of a design, as far as they are known.
#[derive(Clone, Debug, Default)]
pub(crate) struct DesignPlot {
    /// Title: nerve, method and objective.
    pub title: String,
    /// Figures of the result; wrapped.
    pub subtitle: String,
    /// Cross-sections before and after.
    pub sections: Option<SectionsPanel>,
    /// Recruitment over amplitude.
    pub recruited: Option<RecruitedPanel>,
    /// Currents of the contacts.
    pub currents: Option<CurrentsPanel>,
    /// Convergence of the starts.
    pub convergence: Option<ConvergencePanel>,
    /// Pareto front.
    pub front: Option<FrontPanel>,
}

/// Designs drawn at most.
const DESIGNS: usize = 8;
/// Width of the figure, px.
const WIDTH: f64 = 1840.0;
/// Width of a figure without cross-sections, px.
const NARROW: f64 = 1600.0;
/// Space between panels beside each other, px.
const GAP: f64 = 48.0;
/// Room for the heading of a panel, px.
const HEADING: f64 = 44.0;
/// Space below a row, px.
const BELOW_ROW: f64 = 22.0;

impl Picture for DesignFigure {
    fn scene(&self, _: Canvas) -> Result<Scene, PlotError> {
        let drawn = &self.designs[..self.designs.len().min(DESIGNS)];
        if drawn.iter().all(|design| design.panels().is_empty()) {
            return Err(PlotError::Empty { what: "designs" });
        }
        let wide = drawn.iter().any(|design| design.sections.is_some());
        let width = if wide { WIDTH } else { NARROW };
        let scenes: Vec<Scene> = drawn.iter().map(|design| design.scene(width)).collect();
        let left_out = self.designs.len() - drawn.len();
        let note = if left_out > 0 { 44.0 } else { 0.0 };
        let height = scenes.iter().map(|scene| scene.height).sum::<f64>() + note;
        let title = drawn.first().map_or("", |design| &design.title);
        let mut page = Scene::blank(width, height, title);
        let mut y = 0.0;
        for scene in scenes {
            let below = y + scene.height;
            let placed = scene.placed(1.0, (0.0, y), (width, height));
            page.shapes.extend(placed.shapes);
            y = below;
        }
        if left_out > 0 {
            let words = format!("{} not drawn.", format::count(left_out, "more design"));
            let text = Text::new((MARGIN, y + 14.0), theme::NOTE, words);
            page.text(text.color(theme::MUTED));
        }
        Ok(page)
    }
}

impl DesignPlot {
    /// The panels in rows, each with its share of the width.
    fn panels(&self) -> Vec<Vec<(&dyn Panel, f64)>> {
        fn part<P: Panel>(panel: &Option<P>, share: f64) -> Option<(&dyn Panel, f64)> {
            panel.as_ref().map(|panel| (panel as &dyn Panel, share))
        }
        let rows = [
            vec![part(&self.sections, 1.75), part(&self.recruited, 1.0)],
            vec![part(&self.currents, 1.75), part(&self.convergence, 1.0)],
            vec![part(&self.front, 1.0)],
        ];
        let rows = rows.map(|row| row.into_iter().flatten().collect::<Vec<_>>());
        rows.into_iter().filter(|row| !row.is_empty()).collect()
    }

    fn scene(&self, width: f64) -> Scene {
        let rows = self.panels();
        let places: Vec<Vec<(&dyn Panel, f64)>> = rows
            .into_iter()
            .map(|row| {
                let room = width - 2.0 * MARGIN - GAP * (row.len() - 1) as f64;
                let all: f64 = row.iter().map(|(_, share)| share).sum();
                row.into_iter()
                    .map(|(panel, share)| (panel, (room * share / all).min(panel.widest())))
                    .collect()
            })
            .collect();
        let height_of = |row: &[(&dyn Panel, f64)]| {
            let heights = row.iter().map(|(panel, wide)| panel.height(*wide));
            heights.fold(0.0, f64::max)
        };
        let top = head(&self.subtitle, width) + 4.0;
        let heights: Vec<f64> = places.iter().map(|row| height_of(row)).collect();
        let all = heights.iter().map(|height| HEADING + height + BELOW_ROW);
        let mut scene = Scene::new(width, top + all.sum::<f64>() + 14.0, &self.title);
        scene.subtitle(&self.subtitle);
        let mut y = top;
        for (row, height) in places.iter().zip(heights) {
            let mut x = MARGIN;
            for (panel, wide) in row {
                let heading = fit(panel.heading(), theme::HEADING, true, *wide);
                scene.text(Text::new((x, y + 28.0), theme::HEADING, heading).bold());
                panel.draw(&mut scene, Area::new(x, y + HEADING, *wide, height));
                x += wide + GAP;
            }
            y += HEADING + height + BELOW_ROW;
        }
        scene
    }
}
