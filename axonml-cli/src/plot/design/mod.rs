//! A stimulus that was optimized: cross-sections before and after, currents, recruitment, convergence.
//!
//! Each of them is a [`Panel`], which is drawn beside others in a [`DesignFigure`], or by itself in a page.

mod convergence;
mod currents;
mod figure;
mod front;
mod recruited;
mod sections;

pub(crate) use convergence::{ConvergencePanel, Course, Role, Track};
pub(crate) use currents::{ContactCurrent, CurrentsPanel};
pub(crate) use figure::{DesignFigure, DesignPlot};
pub(crate) use front::FrontPanel;
pub(crate) use recruited::{RecruitedCurve, RecruitedPanel};
pub(crate) use sections::{FiberMark, SectionView, SectionsPanel};

use super::scene::{Anchor, Area, Scene, Text, fit};
use super::{svg, theme};

/// A part of a figure, axes and keys included.
pub(crate) trait Panel {
    /// Its heading, which whoever places it writes above it.
    fn heading(&self) -> &str;

    /// The height that suits a width, px.
    fn height(&self, width: f64) -> f64;

    /// The width beyond which it would only be emptier, px.
    fn widest(&self) -> f64 {
        f64::INFINITY
    }

    /// Draws it into a rectangle.
    fn draw(&self, scene: &mut Scene, area: Area);

    /// The panel by itself, as an element of a page that is laid out `width` px wide.
    fn inline(&self, width: f64) -> String {
        let area = Area::new(EDGE, EDGE, width - 2.0 * EDGE, 0.0);
        let area = Area {
            h: self.height(area.w),
            ..area
        };
        let mut scene = Scene::blank(width, area.bottom() + EDGE, self.heading());
        self.draw(&mut scene, area);
        svg::inline(&scene)
    }
}

/// Space around a panel by itself, px.
const EDGE: f64 = 10.0;

/// Room below a frame for its tick labels and its name, px.
const BELOW: f64 = 72.0;

/// Words in the middle of a rectangle that has nothing else to show.
fn empty(scene: &mut Scene, area: Area, words: &str) {
    let text = fit(words, theme::TICK, false, area.w);
    let text = Text::new(area.center(), theme::TICK, text);
    scene.text(text.anchor(Anchor::Middle).color(theme::MUTED));
}
