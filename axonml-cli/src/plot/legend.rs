//! Keys and color bars.

use super::axes::Scale;
use super::scene::{Anchor, Area, Image, Mark, Scene, Stroke, Text, fit, text_width};
use super::theme::{self, Marker, Rgb};

/// The sample of an entry.
#[derive(Clone, Copy, Debug)]
pub(super) enum Key {
    /// A line.
    Line(Rgb),
    /// A dashed line, such as a fit.
    Dashed(Rgb),
    /// A line through markers.
    Series(Rgb, Marker),
    /// A marker.
    Mark(Rgb, Marker),
    /// An open circle.
    Ring(Rgb),
    /// A filled and outlined circle, such as a fascicle.
    Disc { fill: Rgb, edge: Rgb },
    /// A thick bar, such as a contact.
    Bar(Rgb),
}

/// Entries beside each other, in as many rows as they need.
#[derive(Clone, Debug, Default)]
pub(super) struct Legend {
    entries: Vec<(Key, String)>,
}

const KEY: f64 = 34.0;
const BETWEEN: f64 = 36.0;
const ROW: f64 = 32.0;

impl Legend {
    pub(super) fn add(&mut self, key: Key, text: impl Into<String>) {
        self.entries.push((key, text.into()));
    }

    /// The height of the rows when they may be `width` wide.
    pub(super) fn height(&self, width: f64) -> f64 {
        let (places, _) = self.places(width);
        places.last().map_or(0.0, |last| (last.1 + 1) as f64 * ROW)
    }

    /// Draws the entries below and right of `(x, y)`.
    pub(super) fn draw(&self, scene: &mut Scene, (x, y): (f64, f64), width: f64) {
        let (places, texts) = self.places(width);
        for (((key, _), text), (dx, row)) in self.entries.iter().zip(texts).zip(places) {
            let (left, middle) = (x + dx, y + (row as f64 + 0.5) * ROW);
            sample(scene, *key, (left, middle));
            let at = (left + KEY, middle + 0.36 * theme::TICK);
            scene.text(Text::new(at, theme::TICK, text).color(theme::MUTED));
        }
    }

    /// The offset and the row of each entry, and its text cut to the width.
    fn places(&self, width: f64) -> (Vec<(f64, usize)>, Vec<String>) {
        let (mut x, mut row) = (0.0, 0);
        let (mut places, mut texts) = (Vec::new(), Vec::new());
        for (_, text) in &self.entries {
            let text = fit(text, theme::TICK, false, width - KEY);
            let wide = KEY + text_width(&text, theme::TICK, false);
            if x > 0.0 && x + wide > width {
                (x, row) = (0.0, row + 1);
            }
            places.push((x, row));
            texts.push(text);
            x += wide + BETWEEN;
        }
        (places, texts)
    }
}

fn sample(scene: &mut Scene, key: Key, (x, y): (f64, f64)) {
    let center = (x + 13.0, y);
    match key {
        Key::Line(color) => scene.line(&[(x, y), (x + 26.0, y)], Stroke::new(color, 3.5)),
        Key::Dashed(color) => {
            scene.dashed(&[(x, y), (x + 28.0, y)], Stroke::new(color, 2.6), 7.0, 4.5)
        }
        Key::Series(color, marker) => {
            scene.line(&[(x, y), (x + 26.0, y)], Stroke::new(color, 2.6));
            scene.mark(marked(center, color, marker));
        }
        Key::Mark(color, marker) => scene.mark(marked(center, color, marker)),
        Key::Ring(color) => scene.circle(
            center,
            7.0,
            Some(theme::PAPER),
            Some(Stroke::new(color, 2.0)),
        ),
        Key::Disc { fill, edge } => {
            scene.circle(center, 10.0, Some(fill), Some(Stroke::new(edge, 3.0)))
        }
        Key::Bar(color) => scene.rect(Area::new(x, y - 7.0, 26.0, 14.0), color),
    }
}

fn marked(center: (f64, f64), color: Rgb, marker: Marker) -> Mark {
    Mark {
        marker,
        center,
        radius: 7.0,
        fill: color,
        stroke: Stroke::new(theme::PAPER, 1.5),
        role: "",
        hint: String::new(),
    }
}

/// The colors of [`theme::sequential`] as a palette.
pub(super) fn palette() -> Vec<Rgb> {
    (0..256)
        .map(|i| theme::sequential(f64::from(i) / 255.0))
        .collect()
}

/// A color bar below a panel, `area` being the bar itself; labels take 62 px more.
pub(super) fn horizontal_bar(scene: &mut Scene, area: Area, scale: Scale, name: &str) {
    mapped_bar(scene, area, scale, name, |place| place);
}

/// As [`horizontal_bar`], where the place on the scale, 0..=1, has the color that `color_of` names.
pub(super) fn mapped_bar(
    scene: &mut Scene,
    area: Area,
    scale: Scale,
    name: &str,
    color_of: impl Fn(f64) -> f64,
) {
    let cell = |place: u8| (255.0 * color_of(f64::from(place) / 255.0)).round() as u8;
    scene.image(Image {
        area,
        columns: 256,
        cells: (0..=255).map(cell).collect(),
        palette: palette(),
    });
    for tick in scale.fitting(area.w, (area.w / 70.0) as usize) {
        let x = area.x + scale.fraction(tick.value) * area.w;
        scene.line(
            &[(x, area.bottom()), (x, area.bottom() + 8.0)],
            Stroke::new(theme::AXIS, 1.5),
        );
        let label = Text::new((x, area.bottom() + 29.0), theme::TICK, tick.label);
        scene.text(label.anchor(Anchor::Middle).color(theme::MUTED));
    }
    let at = (area.center().0, area.bottom() + 60.0);
    scene.text(Text::new(at, theme::LABEL, name).anchor(Anchor::Middle));
}

/// A color bar on the right of a panel, `area` being the bar itself; labels take about 90 px more.
pub(super) fn vertical_bar(scene: &mut Scene, area: Area, scale: Scale, name: &str) {
    scene.image(Image {
        area,
        columns: 1,
        cells: (0..=255).rev().collect(),
        palette: palette(),
    });
    let mut widest: f64 = 30.0;
    for tick in scale.ticks((area.h / 48.0).clamp(2.0, 9.0) as usize) {
        let y = area.bottom() - scale.fraction(tick.value) * area.h;
        widest = widest.max(text_width(&tick.label, theme::TICK, false));
        scene.line(
            &[(area.right(), y), (area.right() + 8.0, y)],
            Stroke::new(theme::AXIS, 1.5),
        );
        let at = (area.right() + 14.0, y + 0.36 * theme::TICK);
        scene.text(Text::new(at, theme::TICK, tick.label).color(theme::MUTED));
    }
    let at = (area.right() + 14.0 + widest + 36.0, area.center().1);
    scene.text(
        Text::new(at, theme::LABEL, name)
            .anchor(Anchor::Middle)
            .upward(),
    );
}
