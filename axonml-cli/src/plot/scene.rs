//! A picture as a list of shapes in pixels, the origin at the upper left.

use super::font::advance_em;
use super::theme::{self, Rgb};

/// A point: x to the right, y downward, px.
pub(super) type Point = (f64, f64);

/// An axis-parallel rectangle, px.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Area {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) w: f64,
    pub(super) h: f64,
}

impl Area {
    pub(super) fn new(x: f64, y: f64, w: f64, h: f64) -> Self {
        Self { x, y, w, h }
    }
    pub(super) fn right(self) -> f64 {
        self.x + self.w
    }
    pub(super) fn bottom(self) -> f64 {
        self.y + self.h
    }
    pub(super) fn center(self) -> Point {
        (self.x + 0.5 * self.w, self.y + 0.5 * self.h)
    }
}

/// How a line is drawn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stroke {
    pub(super) color: Rgb,
    pub(super) width: f64,
}

impl Stroke {
    pub(super) fn new(color: Rgb, width: f64) -> Self {
        Self { color, width }
    }
}

/// Which point of a text its coordinates name, along its baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A line of text.
#[derive(Clone, Debug)]
pub(super) struct Text {
    pub(super) content: String,
    /// The anchor, on the baseline.
    pub(super) at: Point,
    pub(super) size: f64,
    pub(super) anchor: Anchor,
    pub(super) bold: bool,
    pub(super) color: Rgb,
    /// Read from the bottom to the top.
    pub(super) upward: bool,
}

impl Text {
    /// Text that starts at `at`, in ink.
    pub(super) fn new(at: Point, size: f64, content: impl Into<String>) -> Self {
        Self {
            content: content.into(),
            at,
            size,
            anchor: Anchor::Start,
            bold: false,
            color: theme::INK,
            upward: false,
        }
    }
    pub(super) fn anchor(self, anchor: Anchor) -> Self {
        Self { anchor, ..self }
    }
    pub(super) fn bold(self) -> Self {
        Self { bold: true, ..self }
    }
    pub(super) fn color(self, color: Rgb) -> Self {
        Self { color, ..self }
    }
    pub(super) fn upward(self) -> Self {
        Self {
            upward: true,
            ..self
        }
    }
}

/// A grid of colored cells.
#[derive(Clone, Debug)]
pub(super) struct Image {
    pub(super) area: Area,
    pub(super) columns: usize,
    /// Row by row from the top, indices into `palette`.
    pub(super) cells: Vec<u8>,
    /// At most 256 colors.
    pub(super) palette: Vec<Rgb>,
}

/// One element of a picture.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    /// A filled convex polygon.
    Polygon { points: Vec<Point>, fill: Rgb },
    /// An open line.
    Line { points: Vec<Point>, stroke: Stroke },
    /// A disc, a circle, or both.
    Circle {
        center: Point,
        radius: f64,
        fill: Option<Rgb>,
        /// Opacity of the fill.
        alpha: f64,
        stroke: Option<Stroke>,
        /// Meaning of the circle; the `class` of the element in SVG.
        role: &'static str,
        /// Shown by an SVG viewer under the pointer; empty for none.
        hint: String,
    },
    /// Text.
    Text(Text),
    /// A grid of cells.
    Image(Image),
}

/// A picture: its size and its shapes, the later over the earlier.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) title: String,
    pub(super) shapes: Vec<Shape>,
}

impl Scene {
    /// A picture that carries its title at the top left.
    pub(super) fn new(width: f64, height: f64, title: &str) -> Self {
        let mut scene = Self {
            width,
            height,
            title: title.to_owned(),
            shapes: Vec::new(),
        };
        let room = width - 2.0 * theme::MARGIN;
        let size = (theme::TITLE * room / text_width(title, theme::TITLE, true).max(1.0))
            .clamp(14.0, theme::TITLE);
        scene.text(Text::new((theme::MARGIN, 56.0), size, title).bold());
        scene
    }

    pub(super) fn text(&mut self, text: Text) {
        if !text.content.is_empty() {
            self.shapes.push(Shape::Text(text));
        }
    }

    /// A line; gaps are left at points that are not finite.
    pub(super) fn line(&mut self, points: &[Point], stroke: Stroke) {
        for piece in points.split(|p| !(p.0.is_finite() && p.1.is_finite())) {
            if piece.len() > 1 {
                self.shapes.push(Shape::Line {
                    points: piece.to_vec(),
                    stroke,
                });
            }
        }
    }

    pub(super) fn polygon(&mut self, points: Vec<Point>, fill: Rgb) {
        self.shapes.push(Shape::Polygon { points, fill });
    }

    pub(super) fn rect(&mut self, area: Area, fill: Rgb) {
        let (x, y, r, b) = (area.x, area.y, area.right(), area.bottom());
        self.polygon(vec![(x, y), (r, y), (r, b), (x, b)], fill);
    }

    /// A circle that stands for no datum.
    pub(super) fn circle(
        &mut self,
        center: Point,
        radius: f64,
        fill: Option<Rgb>,
        stroke: Option<Stroke>,
    ) {
        let shape = Shape::Circle {
            center,
            radius,
            fill,
            alpha: 1.0,
            stroke,
            role: "",
            hint: String::new(),
        };
        self.shapes.push(shape);
    }

    pub(super) fn image(&mut self, image: Image) {
        self.shapes.push(Shape::Image(image));
    }
}

/// The width of a line of text in the embedded font, px. Viewers of SVG may choose a font that is a little wider.
pub(super) fn text_width(text: &str, size: f64, bold: bool) -> f64 {
    advance_em(text, bold) * size
}

/// `text`, cut with an ellipsis when it is wider than `room`.
pub(super) fn fit(text: &str, size: f64, bold: bool, room: f64) -> String {
    if text_width(text, size, bold) <= room {
        return text.to_owned();
    }
    let mut cut: String = text.to_owned();
    while cut.pop().is_some() {
        let shortened = format!("{}…", cut.trim_end());
        if text_width(&shortened, size, bold) <= room {
            return shortened;
        }
    }
    String::new()
}
