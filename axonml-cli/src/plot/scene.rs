//! A picture as a list of shapes in pixels, the origin at the upper left.

use super::font::advance_em;
use super::theme::{self, Marker, Rgb};

/// A point: x to the right, y downward, px.
pub(super) type Point = (f64, f64);

/// An axis-parallel rectangle, px.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Area {
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

/// A point of data.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    pub(super) marker: Marker,
    pub(super) center: Point,
    /// Radius of the disc with the same area, px.
    pub(super) radius: f64,
    pub(super) fill: Rgb,
    pub(super) stroke: Stroke,
    /// Meaning; the `class` of the element in SVG.
    pub(super) role: &'static str,
    /// Shown by an SVG viewer under the pointer; empty for none.
    pub(super) hint: String,
}

impl Mark {
    /// The corners of the marker; none of a disc.
    pub(super) fn corners(&self) -> Vec<Point> {
        let (x, y) = self.center;
        let r = self.radius;
        let triangle = |turn: f64| {
            // A triangle around its center with about the area of the disc.
            let long = 1.4 * r;
            (0..3)
                .map(|i| {
                    let angle = turn + std::f64::consts::TAU * f64::from(i) / 3.0;
                    (x + long * angle.cos(), y + long * angle.sin())
                })
                .collect()
        };
        const QUARTER: f64 = std::f64::consts::FRAC_PI_2;
        let (side, diagonal) = (0.89 * r, 1.26 * r);
        match self.marker {
            Marker::Circle => Vec::new(),
            Marker::Square => vec![
                (x - side, y - side),
                (x + side, y - side),
                (x + side, y + side),
                (x - side, y + side),
            ],
            Marker::Diamond => vec![
                (x, y - diagonal),
                (x + diagonal, y),
                (x, y + diagonal),
                (x - diagonal, y),
            ],
            Marker::Up => triangle(-QUARTER),
            Marker::Down => triangle(QUARTER),
            Marker::Right => triangle(0.0),
        }
    }
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
    /// A point of data.
    Mark(Mark),
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
    /// A picture without anything on it yet.
    pub(super) fn blank(width: f64, height: f64, title: &str) -> Self {
        Self {
            width,
            height,
            title: title.to_owned(),
            shapes: Vec::new(),
        }
    }

    /// A picture that carries its title at the top left.
    pub(super) fn new(width: f64, height: f64, title: &str) -> Self {
        let mut scene = Self::blank(width, height, title);
        let room = width - 2.0 * theme::MARGIN;
        let size = (theme::TITLE * room / text_width(title, theme::TITLE, true).max(1.0))
            .clamp(14.0, theme::TITLE);
        let shown = fit(title, size, true, room);
        scene.text(Text::new((theme::MARGIN, 56.0), size, shown).bold());
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

    /// A dashed line; gaps are left at points that are not finite.
    pub(super) fn dashed(&mut self, points: &[Point], stroke: Stroke, dash: f64, gap: f64) {
        for piece in points.split(|p| !(p.0.is_finite() && p.1.is_finite())) {
            let (mut on, mut left) = (true, dash);
            let mut current: Vec<Point> = piece.first().copied().into_iter().collect();
            for pair in piece.windows(2) {
                let (from, to) = (pair[0], pair[1]);
                let length = (to.0 - from.0).hypot(to.1 - from.1);
                let mut done = 0.0;
                while length - done > left {
                    done += left;
                    let t = done / length;
                    let at = (from.0 + t * (to.0 - from.0), from.1 + t * (to.1 - from.1));
                    if on {
                        current.push(at);
                        self.line(&current, stroke);
                    }
                    on = !on;
                    left = if on { dash } else { gap };
                    current = vec![at];
                }
                left -= length - done;
                current.push(to);
            }
            if on {
                self.line(&current, stroke);
            }
        }
    }

    pub(super) fn mark(&mut self, mark: Mark) {
        self.shapes.push(Shape::Mark(mark));
    }

    /// Lines below the title; returns the vertical place below them.
    pub(super) fn subtitle(&mut self, text: &str) -> f64 {
        let lines = subtitle_lines(text, self.width);
        for (i, line) in lines.iter().enumerate() {
            let at = (theme::MARGIN, 86.0 + SUBTITLE_ROW * i as f64);
            self.text(Text::new(at, theme::NOTE, line.as_str()).color(theme::MUTED));
        }
        head(text, self.width)
    }

    /// This picture `factor` times as large and moved by `offset`, on a page of `size` px.
    pub(super) fn placed(mut self, factor: f64, offset: Point, size: Point) -> Self {
        let at = |p: &mut Point| *p = (p.0 * factor + offset.0, p.1 * factor + offset.1);
        let wide = |stroke: &mut Stroke| stroke.width *= factor;
        for shape in &mut self.shapes {
            match shape {
                Shape::Polygon { points, .. } => points.iter_mut().for_each(at),
                Shape::Line { points, stroke } => {
                    points.iter_mut().for_each(at);
                    wide(stroke);
                }
                Shape::Circle {
                    center,
                    radius,
                    stroke,
                    ..
                } => {
                    at(center);
                    *radius *= factor;
                    stroke.iter_mut().for_each(wide);
                }
                Shape::Mark(mark) => {
                    at(&mut mark.center);
                    mark.radius *= factor;
                    wide(&mut mark.stroke);
                }
                Shape::Text(text) => {
                    at(&mut text.at);
                    text.size *= factor;
                }
                Shape::Image(image) => {
                    let mut corner = (image.area.x, image.area.y);
                    at(&mut corner);
                    let (w, h) = (image.area.w * factor, image.area.h * factor);
                    image.area = Area::new(corner.0, corner.1, w, h);
                }
            }
        }
        (self.width, self.height) = size;
        self
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

/// Distance between lines below the title, px.
const SUBTITLE_ROW: f64 = 25.0;

/// Lines of the text below a title on a picture of `width` px, at most three.
fn subtitle_lines(text: &str, width: f64) -> Vec<String> {
    let room = width - 2.0 * theme::MARGIN;
    let mut lines = wrap(text, theme::NOTE, room);
    if lines.len() > 3 {
        let rest = lines.split_off(2).join(" ");
        lines.push(fit(&rest, theme::NOTE, false, room));
    }
    lines
}

/// The vertical place below the title and the lines of `subtitle`.
pub(super) fn head(subtitle: &str, width: f64) -> f64 {
    72.0 + SUBTITLE_ROW * subtitle_lines(subtitle, width).len() as f64
}

/// `text` in lines of at most `room` px; a longer word has a line of its own, cut.
pub(super) fn wrap(text: &str, size: f64, room: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let longer = lines.last().map(|line| format!("{line} {word}"));
        match longer.filter(|line| text_width(line, size, false) <= room) {
            Some(line) => {
                lines.pop();
                lines.push(line);
            }
            None => lines.push(fit(word, size, false, room)),
        }
    }
    lines
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
