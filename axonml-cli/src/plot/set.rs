//! A training set: how diameters, currents and durations are distributed, and which fibers fire.

use super::Picture;
use super::axes::{Axes, Scale, extremes};
use super::error::PlotError;
use super::page::Canvas;
use super::scene::{Anchor, Area, Scene, Text};
use super::theme::{self, GUTTER, MARGIN, WIDTH};

/// The figures of a set.
#[derive(Clone, Debug, Default)]
pub(crate) struct SetPlot {
    /// Title of the picture.
    pub title: String,
    /// Diameter of each fiber, um.
    pub diameters_um: Vec<f64>,
    /// Whether each fiber fires; empty if that is unknown.
    pub firing: Vec<bool>,
    /// Largest current of each pulse, mA.
    pub peaks_ma: Vec<f64>,
    /// Duration of each pulse, ms.
    pub active_ms: Vec<f64>,
}

/// Bins at most.
const BINS: usize = 40;
const PANEL_WIDTH: f64 = 600.0;
const PANEL_HEIGHT: f64 = 300.0;
const COLUMN: f64 = 770.0;
const ROW: f64 = 460.0;

/// Counts in bins of equal width.
struct Histogram {
    range: Scale,
    counts: Vec<usize>,
    /// How many of each bin's members are marked.
    marked: Vec<usize>,
}

impl Histogram {
    fn new(values: &[f64], marks: &[bool]) -> Self {
        let (lo, hi) = extremes(values.iter().copied()).unwrap_or((0.0, 1.0));
        let range = Scale::linear(lo, hi);
        // As many as there is something to tell about: bins of a few values each.
        let bins = ((values.len() as f64).sqrt().ceil() as usize).clamp(1, BINS);
        let (mut counts, mut marked) = (vec![0; bins], vec![0; bins]);
        for (index, value) in values.iter().enumerate().filter(|(_, v)| v.is_finite()) {
            let bin = (range.fraction(*value) * bins as f64) as usize;
            counts[bin.min(bins - 1)] += 1;
            marked[bin.min(bins - 1)] += usize::from(marks.get(index) == Some(&true));
        }
        Histogram {
            range,
            counts,
            marked,
        }
    }

    /// Draws bars of these heights; a bin of which nothing is known is shaded from top to bottom.
    fn draw(&self, scene: &mut Scene, area: Area, heights: &[Option<f64>], names: [&str; 2]) {
        let highest = heights.iter().flatten().copied().fold(0.0, f64::max);
        let axes = Axes::new(area, self.range, Scale::linear(0.0, highest.max(1e-9)));
        axes.grid(scene, false);
        let width = area.w / heights.len() as f64;
        for (bin, height) in heights.iter().enumerate() {
            let (top, color) = match height {
                Some(height) if *height > 0.0 => (axes.py(*height), theme::category(0)),
                Some(_) => continue,
                None => (area.y, theme::GRID),
            };
            let x = area.x + bin as f64 * width;
            let bar = Area::new(x + 1.0, top, width - 2.0, area.bottom() - top);
            scene.rect(bar, color);
        }
        axes.bottom(scene, names[0]);
        axes.left(scene, names[1]);
    }
}

impl Picture for SetPlot {
    fn scene(&self, _: Canvas) -> Result<Scene, PlotError> {
        if self.diameters_um.is_empty() {
            return Err(PlotError::Empty { what: "fibers" });
        }
        let (expected, got) = (self.diameters_um.len(), self.firing.len());
        if got != 0 && got != expected {
            return Err(PlotError::Shape {
                what: "fibers that fire".to_owned(),
                expected,
                got,
            });
        }
        let mut scene = Scene::new(WIDTH, 110.0 + 2.0 * ROW, &self.title);
        let area = |column: usize, row: usize| {
            let (x, y) = (COLUMN * column as f64, ROW * row as f64);
            Area::new(MARGIN + GUTTER + x, 130.0 + y, PANEL_WIDTH, PANEL_HEIGHT)
        };
        let heading = |scene: &mut Scene, area: Area, text: &str| {
            scene.text(Text::new((area.x, area.y - 18.0), theme::HEADING, text).bold());
        };
        let counts = |counts: &[usize]| -> Vec<Option<f64>> {
            counts.iter().map(|&n| Some(n as f64)).collect()
        };

        let diameters = Histogram::new(&self.diameters_um, &self.firing);
        let panels = [
            (
                area(0, 0),
                "Diameters",
                &diameters,
                ["diameter (µm)", "fibers"],
            ),
            (
                area(0, 1),
                "Pulses: largest current",
                &Histogram::new(&self.peaks_ma, &[]),
                ["current (mA)", "pulses"],
            ),
            (
                area(1, 1),
                "Pulses: duration",
                &Histogram::new(&self.active_ms, &[]),
                ["time with current (ms)", "pulses"],
            ),
        ];
        for (area, title, histogram, names) in panels {
            heading(&mut scene, area, title);
            histogram.draw(&mut scene, area, &counts(&histogram.counts), names);
        }
        let fires = area(1, 0);
        heading(&mut scene, fires, "Fibers that fire");
        if self.firing.is_empty() {
            let at = (fires.x, fires.center().1);
            let text = Text::new(at, theme::LABEL, "unknown: v was not recorded");
            scene.text(text.color(theme::MUTED));
        } else {
            // A diameter without fibers is not one at which none fires.
            let share = |(&n, &all): (&usize, &usize)| (all > 0).then(|| n as f64 / all as f64);
            let pairs = diameters.marked.iter().zip(&diameters.counts);
            let shares: Vec<Option<f64>> = pairs.map(share).collect();
            diameters.draw(
                &mut scene,
                fires,
                &shares,
                ["diameter (µm)", "share firing"],
            );
            if shares.contains(&None) {
                let at = (fires.right(), fires.y - 18.0);
                let text = Text::new(at, theme::NOTE, "grey: no fibers");
                scene.text(text.anchor(Anchor::End).color(theme::MUTED));
            }
        }
        Ok(scene)
    }
}

#[cfg(test)]
mod tests {
    use super::super::scene::Shape;
    use super::*;

    #[test]
    fn diameters_without_fibers_are_told_from_those_at_which_none_fires() {
        // Bins of 2 um: four fibers that fire, none, five that do not, seven of which three do.
        let groups = [(4, 6.0, 4), (5, 11.0, 0), (6, 13.0, 3), (1, 14.0, 0)];
        let mut plot = SetPlot::default();
        for (n, diameter_um, firing) in groups {
            plot.diameters_um.extend([diameter_um].repeat(n));
            plot.firing.extend((0..n).map(|fiber| fiber < firing));
        }
        let histogram = Histogram::new(&plot.diameters_um, &plot.firing);
        assert_eq!(histogram.counts, [4, 0, 5, 7]);
        assert_eq!(histogram.marked, [4, 0, 0, 3]);
        let filled = |plot: &SetPlot, color| {
            let scene = plot.scene(Canvas::default()).unwrap();
            let of_color =
                |shape: &&Shape| matches!(shape, Shape::Polygon { fill, .. } if *fill == color);
            scene.shapes.iter().filter(of_color).count()
        };
        assert_eq!(filled(&plot, theme::GRID), 1);
        // Three bars of fibers, two of those that fire.
        assert_eq!(filled(&plot, theme::category(0)), 5);
        plot.diameters_um[4] = 9.0;
        assert_eq!(filled(&plot, theme::GRID), 0);
    }
}
