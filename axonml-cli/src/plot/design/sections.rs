//! Cross-sections of a nerve side by side, its fibers colored by their thresholds.

use super::super::axes::{Scale, extremes};
use super::super::legend::{Key, Legend, mapped_bar};
use super::super::nerve_data::NervePlot;
use super::super::scene::{Anchor, Area, Scene, Stroke, Text, fit};
use super::super::section::{Outcome, Section, Spot};
use super::super::theme;
use super::Panel;

/// Cross-sections of one nerve under several stimuli, such as the best montage and what was found.
#[derive(Clone, Debug, Default)]
pub(crate) struct SectionsPanel {
    /// The stimuli, from the left.
    pub views: Vec<SectionView>,
    /// Keys of contacts that deliver a positive and a negative multiple.
    pub signs: [String; 2],
    /// A remark below; empty for none.
    pub note: String,
}

/// A nerve under one stimulus.
#[derive(Clone, Debug, Default)]
pub(crate) struct SectionView {
    /// Name of the stimulus.
    pub heading: String,
    /// Figures of the stimulus.
    pub caption: String,
    /// The nerve; of its fibers the places count, of its contacts the factors.
    pub nerve: NervePlot,
    /// One for each fiber of the nerve.
    pub marks: Vec<FiberMark>,
}

/// A fiber under a stimulus.
#[derive(Clone, Debug, Default)]
pub(crate) struct FiberMark {
    /// The least multiple of the stimulus that fires it; none if it never fires.
    pub threshold: Option<f64>,
    /// Whether it should fire; shown where no fascicle is known to be a target.
    pub is_target: bool,
    /// Whether it does what it should not.
    pub is_wrong: bool,
    /// Shown by an SVG viewer under the pointer; empty for none.
    pub hint: String,
}

/// Largest side of a cross-section, px.
const SIDE: f64 = 560.0;
/// Space between cross-sections, px.
const GAP: f64 = 24.0;
/// Room above a cross-section for its name and figures, px.
const HEAD: f64 = 62.0;
/// Room from a cross-section to the end of the axis of the color bar, px.
const BAR: f64 = 108.0;
/// Height of a remark, px.
const NOTE: f64 = 30.0;
/// Distance of a ring from a fiber, and of rings, px.
const RING: f64 = 4.5;
/// Ends of the color scale, and their inverses.
const ENDS: [f64; 3] = [2.0, 5.0, MOST];
/// Thresholds beyond this and its inverse have the color of the end of the scale.
const MOST: f64 = 10.0;

impl Panel for SectionsPanel {
    fn heading(&self) -> &str {
        "Thresholds across the nerve"
    }

    fn height(&self, width: f64) -> f64 {
        let note = if self.note.is_empty() { 0.0 } else { NOTE };
        HEAD + self.side(width) + BAR + self.legend().height(width) + note
    }

    fn draw(&self, scene: &mut Scene, area: Area) {
        let n = self.views.len().max(1) as f64;
        let side = self.side(area.w);
        let cell = (area.w - GAP * (n - 1.0)) / n;
        let colors = Colors::of(self.views.iter().flat_map(|view| &view.marks));
        for (i, view) in self.views.iter().enumerate() {
            let middle = area.x + (i as f64) * (cell + GAP) + 0.5 * cell;
            for (text, dy, size, bold) in [
                (&view.heading, 22.0, theme::LABEL, true),
                (&view.caption, 47.0, theme::NOTE, false),
            ] {
                let shown = fit(text, size, bold, cell);
                let text = Text::new((middle, area.y + dy), size, shown).anchor(Anchor::Middle);
                scene.text(match bold {
                    true => text.bold(),
                    false => text.color(theme::MUTED),
                });
            }
            let place = Area::new(middle - 0.5 * side, area.y + HEAD, side, side);
            view.draw(scene, place, &colors, i == 0);
        }
        let wide = (0.62 * area.w).min(720.0);
        let bar = Area::new(
            area.center().0 - 0.5 * wide,
            area.y + HEAD + side + 22.0,
            wide,
            18.0,
        );
        let name = "threshold, multiples of the stimulus delivered (up to 1: fires)";
        mapped_bar(scene, bar, colors.scale, name, |place| colors.at(place));
        let y = area.y + HEAD + side + BAR;
        let legend = self.legend();
        legend.draw(scene, (area.x, y), area.w);
        let at = (area.x, y + legend.height(area.w) + 20.0);
        let note = fit(&self.note, theme::NOTE, false, area.w);
        scene.text(Text::new(at, theme::NOTE, note).color(theme::MUTED));
    }
}

impl SectionsPanel {
    /// The side of a cross-section in a panel of `width` px.
    fn side(&self, width: f64) -> f64 {
        let n = self.views.len().max(1) as f64;
        ((width - GAP * (n - 1.0)) / n).min(SIDE)
    }

    fn legend(&self) -> Legend {
        let mut legend = Legend::default();
        let marks = || self.views.iter().flat_map(|view| &view.marks);
        if marks().any(|mark| valid(mark).is_none()) {
            legend.add(Key::Ring(theme::ABSENT), "never fires");
        }
        if marks().any(|mark| mark.is_wrong) {
            legend.add(Key::Ring(theme::INK), "misclassified");
        }
        let nerves = || self.views.iter().map(|view| &view.nerve);
        if nerves().any(|nerve| nerve.fascicles.iter().any(|f| f.target)) {
            let key = Key::Disc {
                fill: theme::TARGET,
                edge: theme::TARGET_EDGE,
            };
            legend.add(key, "target fascicle");
        } else if self.views.iter().any(SectionView::shows_target_fibers) {
            legend.add(Key::Ring(theme::TARGET_EDGE), "target");
        }
        let any = |test: fn(f64) -> bool| {
            nerves().any(|nerve| nerve.contacts.iter().any(|c| test(c.factor)))
        };
        if any(|f| f < 0.0) {
            legend.add(Key::Bar(theme::NEGATIVE), self.signs[1].as_str());
        }
        if any(|f| f > 0.0) {
            legend.add(Key::Bar(theme::POSITIVE), self.signs[0].as_str());
        }
        if any(|f| f == 0.0) {
            legend.add(Key::Bar(theme::UNUSED), "not used");
        }
        legend
    }
}

impl SectionView {
    /// Whether targets are marked one by one: they are where fascicles do not tell.
    fn shows_target_fibers(&self) -> bool {
        let fascicles = &self.nerve.fascicles;
        !fascicles.iter().any(|fascicle| fascicle.target)
            && self.marks.iter().any(|mark| mark.is_target)
    }

    fn draw(&self, scene: &mut Scene, area: Area, colors: &Colors, scale_bar: bool) {
        let section = Section::new(&self.nerve, area.w);
        let fibers = || self.nerve.fibers.iter().zip(&self.marks);
        let known = |x: f64, y: f64| x.is_finite() && y.is_finite();
        let spots: Vec<Spot> = fibers()
            .filter(|(fiber, _)| known(fiber.x_um, fiber.y_um))
            .map(|(fiber, mark)| Spot {
                x_mm: 1e-3 * fiber.x_um,
                y_mm: 1e-3 * fiber.y_um,
                outcome: valid(mark).map_or(Outcome::Silent, |threshold| {
                    Outcome::Fired(colors.at(colors.scale.fraction(threshold)))
                }),
                hint: mark.hint.clone(),
            })
            .collect();
        section.draw(scene, area, &spots);
        let targets = self.shows_target_fibers();
        for (fiber, mark) in fibers().filter(|(fiber, _)| known(fiber.x_um, fiber.y_um)) {
            let at = section.at(area, 1e-3 * fiber.x_um, 1e-3 * fiber.y_um);
            let mut radius = section.spot_px + RING;
            if targets && mark.is_target {
                let ring = Stroke::new(theme::TARGET_EDGE, 3.0);
                scene.circle(at, radius, None, Some(ring));
                radius += RING;
            }
            if mark.is_wrong {
                let ring = Stroke::new(theme::INK, 2.4);
                scene.circle(at, radius, None, Some(ring));
            }
        }
        if scale_bar {
            section.scale_bar(scene, area);
        }
    }
}

/// Colors of thresholds: dark below 1, light above, with a gap in between, so that fibers that fire are told at a glance.
struct Colors {
    scale: Scale,
}

/// Colors of the sequential scale just below 1 and just above.
const BELOW_ONE: f64 = 0.36;
const ABOVE_ONE: f64 = 0.70;

impl Colors {
    fn of<'m>(marks: impl Iterator<Item = &'m FiberMark>) -> Self {
        let (least, most) = extremes(marks.filter_map(valid)).unwrap_or((1.0, 1.0));
        let lo = ENDS.into_iter().find(|end| 1.0 / end <= least);
        let hi = ENDS.into_iter().find(|end| *end >= most);
        Colors {
            scale: Scale {
                lo: 1.0 / lo.unwrap_or(MOST),
                hi: hi.unwrap_or(MOST),
                log: true,
            },
        }
    }

    /// The color of a place on the scale, both 0..=1.
    fn at(&self, place: f64) -> f64 {
        let one = self.scale.fraction(1.0);
        let place = place.clamp(0.0, 1.0);
        match place <= one + 1e-12 {
            true => BELOW_ONE * place / one,
            false => ABOVE_ONE + (1.0 - ABOVE_ONE) * (place - one) / (1.0 - one),
        }
    }
}

/// A threshold that a logarithmic scale can show.
fn valid(mark: &FiberMark) -> Option<f64> {
    mark.threshold.filter(|t| t.is_finite() && *t > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fibers_that_fire_are_darker_than_all_others() {
        let mark = |threshold| FiberMark {
            threshold,
            ..FiberMark::default()
        };
        let marks = [0.2, 0.9, 1.0, 1.01, 40.0].map(|t| mark(Some(t)));
        let silent = mark(None);
        let colors = Colors::of(marks.iter().chain([&silent]));
        assert_eq!((colors.scale.lo, colors.scale.hi), (1.0 / 5.0, MOST));
        let of = |t: f64| colors.at(colors.scale.fraction(t));
        assert_eq!(of(0.2), 0.0);
        assert_eq!((of(1.0), of(40.0)), (BELOW_ONE, 1.0));
        assert!(of(0.9) < of(1.0) && of(1.01) > ABOVE_ONE);
        let none = Colors::of([&silent].into_iter());
        assert_eq!((none.scale.lo, none.scale.hi), (0.5, 2.0));
    }
}
