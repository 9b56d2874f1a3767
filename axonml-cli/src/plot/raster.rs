//! A scene as PNG.
//!
//! plotters draws in whole pixels; here it draws everything four times too large (less for very large pictures), and the
//! average of each block of pixels is kept. That gives even strokes, smooth curves and well spaced letters.

use plotters::backend::{BitMapBackend, DrawingBackend};
use plotters::style::{FontTransform, RGBAColor};

use super::error::PlotError;
use super::font::{advance_em, font};
use super::scene::{Anchor, Image, Mark, Point, Scene, Shape, Stroke, Text};
use super::theme::{PAPER, Rgb};

/// Pixels that may be drawn, more than any screen or page has use for.
const MOST_PIXELS: f64 = 1e8;
/// Pixels that may be drawn before they are averaged: what they take is a few hundred MB.
const MOST_DRAWN: f64 = 1.2e8;

/// The PNG file of `scene`, whose pixels are `dpi` to the inch where that is known.
///
/// # Errors
/// [`PlotError::Size`] for more pixels than are drawn.
pub(super) fn png(scene: &Scene, dpi: Option<f64>) -> Result<Vec<u8>, PlotError> {
    let (width, height) = (scene.width.ceil(), scene.height.ceil());
    if !(width >= 1.0 && height >= 1.0 && width * height <= MOST_PIXELS) {
        return Err(PlotError::Size { width, height });
    }
    let drawn = |scale: &i32| width * height * f64::from(scale * scale) <= MOST_DRAWN;
    let scale = [4, 3, 2].into_iter().find(drawn).unwrap_or(1);
    let (width, height) = (width as u32, height as u32);
    let pixels = render(scene, width, height, scale)?;
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    if let Some(dpi) = dpi {
        let per_meter = (dpi / 0.0254).round() as u32;
        encoder.set_pixel_dims(Some(png::PixelDimensions {
            xppu: per_meter,
            yppu: per_meter,
            unit: png::Unit::Meter,
        }));
    }
    let mut writer = encoder.write_header().map_err(draw_error)?;
    writer.write_image_data(&pixels).map_err(draw_error)?;
    writer.finish().map_err(draw_error)?;
    Ok(file)
}

/// The pixels of `scene`, RGB, row by row, each the average of `scale` times `scale` drawn ones.
fn render(scene: &Scene, width: u32, height: u32, scale: i32) -> Result<Vec<u8>, PlotError> {
    let factor = scale as usize;
    let (w, h) = (width as usize, height as usize);
    let mut large = vec![0; w * h * factor * factor * 3];
    {
        let size = (width * scale as u32, height * scale as u32);
        let mut painter = Painter {
            backend: BitMapBackend::with_buffer(&mut large, size),
            scale: f64::from(scale),
        };
        painter.rect((0.0, 0.0), (scene.width.ceil(), scene.height.ceil()), PAPER)?;
        for shape in &scene.shapes {
            painter.shape(shape)?;
        }
        painter.backend.present().map_err(draw_error)?;
    }
    let mut small = Vec::with_capacity(w * h * 3);
    for y in 0..h {
        for x in 0..w {
            let mut sum = [0_u32; 3];
            for row in 0..factor {
                let start = ((y * factor + row) * w + x) * factor * 3;
                for pixel in large[start..start + factor * 3].chunks_exact(3) {
                    for c in 0..3 {
                        sum[c] += u32::from(pixel[c]);
                    }
                }
            }
            let n = (factor * factor) as u32;
            small.extend(sum.map(|s| ((s + n / 2) / n) as u8));
        }
    }
    Ok(small)
}

struct Painter<'a> {
    backend: BitMapBackend<'a>,
    /// How many times too large each side is drawn.
    scale: f64,
}

impl Painter<'_> {
    fn shape(&mut self, shape: &Shape) -> Result<(), PlotError> {
        match shape {
            Shape::Polygon { points, fill } => self.polygon(points, *fill, 1.0),
            Shape::Line { points, stroke } => self.line(points, *stroke),
            Shape::Circle {
                center,
                radius,
                fill,
                alpha,
                stroke,
                ..
            } => {
                if let Some(fill) = fill {
                    self.polygon(&self.round(*center, *radius), *fill, *alpha)?;
                }
                stroke.map_or(Ok(()), |stroke| {
                    let mut outline = self.round(*center, *radius);
                    outline.extend_from_within(..2);
                    self.line(&outline, stroke)
                })
            }
            Shape::Mark(mark) => self.mark(mark),
            Shape::Text(text) => self.text(text),
            Shape::Image(image) => self.image(image),
        }
    }

    fn mark(&mut self, mark: &Mark) -> Result<(), PlotError> {
        let mut outline = mark.corners();
        if outline.is_empty() {
            outline = self.round(mark.center, mark.radius);
        }
        self.polygon(&outline, mark.fill, 1.0)?;
        outline.extend_from_within(..2);
        self.line(&outline, mark.stroke)
    }

    /// A circle as a polygon whose sides cannot be told apart.
    fn round(&self, center: Point, radius: f64) -> Vec<Point> {
        let n = ((radius * self.scale).sqrt() * 8.0)
            .clamp(12.0, 240.0)
            .round();
        (0..n as usize)
            .map(|i| {
                let angle = std::f64::consts::TAU * i as f64 / n;
                (
                    center.0 + radius * angle.cos(),
                    center.1 + radius * angle.sin(),
                )
            })
            .collect()
    }

    fn grid(&self, (x, y): Point) -> (i32, i32) {
        (
            (x * self.scale).round() as i32,
            (y * self.scale).round() as i32,
        )
    }

    fn polygon(&mut self, points: &[Point], fill: Rgb, alpha: f64) -> Result<(), PlotError> {
        let points: Vec<(i32, i32)> = points.iter().map(|p| self.grid(*p)).collect();
        self.backend
            .fill_polygon(points, &ink(fill, alpha))
            .map_err(draw_error)
    }

    /// From the upper left corner to the lower right one, exclusively.
    fn rect(&mut self, from: Point, to: Point, fill: Rgb) -> Result<(), PlotError> {
        let (from, to) = (self.grid(from), self.grid(to));
        self.backend
            .draw_rect(from, to, &ink(fill, 1.0), true)
            .map_err(draw_error)
    }

    /// Each segment as a rectangle, each sharp joint as a disc.
    fn line(&mut self, points: &[Point], stroke: Stroke) -> Result<(), PlotError> {
        let half = 0.5 * stroke.width;
        let mut before = None;
        for pair in points.windows(2) {
            let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
            let length = (x1 - x0).hypot(y1 - y0);
            if length < 1e-9 {
                continue;
            }
            let (dx, dy) = ((x1 - x0) / length, (y1 - y0) / length);
            let mut start = (x0, y0);
            if let Some((px, py)) = before {
                let turn = f64::atan2(px * dy - py * dx, px * dx + py * dy);
                if half * turn.abs() > 0.15 {
                    self.polygon(&self.round(start, half), stroke.color, 1.0)?;
                } else {
                    // A disc would reach past short segments at the end of a thick line; an overlap is enough.
                    let overlap = length.min(0.75);
                    start = (x0 - overlap * dx, y0 - overlap * dy);
                }
            }
            let (nx, ny) = (-dy * half, dx * half);
            let corners = [
                (start.0 + nx, start.1 + ny),
                (x1 + nx, y1 + ny),
                (x1 - nx, y1 - ny),
                (start.0 - nx, start.1 - ny),
            ];
            self.polygon(&corners, stroke.color, 1.0)?;
            before = Some((dx, dy));
        }
        Ok(())
    }

    fn text(&mut self, text: &Text) -> Result<(), PlotError> {
        let size = text.size * self.scale;
        let width = advance_em(&text.content, text.bold) * text.size;
        let back = match text.anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => 0.5 * width,
            Anchor::End => width,
        };
        // plotters puts the baseline half the size below the point it is given.
        let (x, y) = text.at;
        let (at, turn) = if text.upward {
            ((x - 0.5 * text.size, y + back), FontTransform::Rotate270)
        } else {
            ((x - back, y - 0.5 * text.size), FontTransform::None)
        };
        let style = font(size, text.bold)
            .transform(turn)
            .color(&ink(text.color, 1.0));
        self.backend
            .draw_text(&text.content, &style, self.grid(at))
            .map_err(draw_error)
    }

    fn image(&mut self, image: &Image) -> Result<(), PlotError> {
        let rows = image.cells.len() / image.columns.max(1);
        let (cell_w, cell_h) = (
            image.area.w / image.columns as f64,
            image.area.h / rows as f64,
        );
        for (row, line) in image.cells.chunks(image.columns).enumerate() {
            let (top, bottom) = (
                image.area.y + row as f64 * cell_h,
                image.area.y + (row + 1) as f64 * cell_h,
            );
            let mut start = 0;
            for run in line.chunk_by(|a, b| a == b) {
                let end = start + run.len();
                let from = (image.area.x + start as f64 * cell_w, top);
                let to = (image.area.x + end as f64 * cell_w, bottom);
                self.rect(from, to, image.palette[usize::from(run[0])])?;
                start = end;
            }
        }
        Ok(())
    }
}

fn ink(Rgb(r, g, b): Rgb, alpha: f64) -> RGBAColor {
    RGBAColor(r, g, b, alpha)
}

fn draw_error(error: impl std::fmt::Display) -> PlotError {
    PlotError::Draw {
        detail: error.to_string(),
    }
}
