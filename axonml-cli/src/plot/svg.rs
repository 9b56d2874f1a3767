//! A scene as SVG.
//!
//! Written directly rather than through plotters, whose SVG has whole pixels only and no images.

use std::fmt::Write as _;

use super::scene::{Anchor, Image, Mark, Point, Scene, Shape, Stroke, Text};
use super::theme::Rgb;

/// The text of the file; `size_mm` is the size of the printed picture, else pixels count.
pub(super) fn document(scene: &Scene, size_mm: Option<(f64, f64)>) -> String {
    let (w, h) = (scene.width.ceil(), scene.height.ceil());
    let (width, height) = match size_mm {
        Some((w, h)) => (format!("{}mm", n(w)), format!("{}mm", n(h))),
        None => (w.to_string(), h.to_string()),
    };
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {w} {h}\" \
         font-family=\"Inter, Helvetica, Arial, sans-serif\" stroke-linejoin=\"round\">\n\
         <title>{}</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n",
        escape(&scene.title)
    );
    elements(&mut out, scene);
    out
}

/// An element of a page in HTML, as wide as there is room: no name space and no fonts of its own.
pub(super) fn inline(scene: &Scene) -> String {
    let (w, h) = (scene.width.ceil(), scene.height.ceil());
    let mut out = format!(
        "<svg viewBox=\"0 0 {w} {h}\" role=\"img\" aria-label=\"{}\" stroke-linejoin=\"round\">\n",
        escape(&scene.title)
    );
    elements(&mut out, scene);
    out
}

/// The shapes of a scene, and the end of the picture.
fn elements(out: &mut String, scene: &Scene) {
    for shape in &scene.shapes {
        element(out, shape);
        out.push('\n');
    }
    out.push_str("</svg>\n");
}

// Writing to a `String` cannot fail, so the results of `write!` are dropped.
fn element(out: &mut String, shape: &Shape) {
    match shape {
        Shape::Polygon { points, fill } => {
            let _ = write!(
                out,
                "<path d=\"{}Z\" fill=\"{}\"/>",
                path(points),
                hex(*fill)
            );
        }
        Shape::Line { points, stroke } => {
            let _ = write!(
                out,
                "<path d=\"{}\" fill=\"none\"{}/>",
                path(points),
                attributes(*stroke)
            );
        }
        Shape::Circle {
            center,
            radius,
            fill,
            alpha,
            stroke,
            role,
            hint,
        } => {
            let _ = write!(
                out,
                "<circle cx=\"{}\" cy=\"{}\" r=\"{}\"",
                n(center.0),
                n(center.1),
                n(*radius)
            );
            if !role.is_empty() {
                let _ = write!(out, " class=\"{role}\"");
            }
            let _ = write!(
                out,
                " fill=\"{}\"",
                fill.map_or_else(|| "none".to_owned(), hex)
            );
            if *alpha < 1.0 {
                let _ = write!(out, " fill-opacity=\"{}\"", n(*alpha));
            }
            out.push_str(&stroke.map_or_else(String::new, attributes));
            if hint.is_empty() {
                out.push_str("/>");
            } else {
                let _ = write!(out, "><title>{}</title></circle>", escape(hint));
            }
        }
        Shape::Mark(mark) => marker(out, mark),
        Shape::Text(text) => label(out, text),
        Shape::Image(image) => picture(out, image),
    }
}

fn marker(out: &mut String, mark: &Mark) {
    let corners = mark.corners();
    let name = if corners.is_empty() {
        let (x, y) = (n(mark.center.0), n(mark.center.1));
        let _ = write!(
            out,
            "<circle cx=\"{x}\" cy=\"{y}\" r=\"{}\"",
            n(mark.radius)
        );
        "circle"
    } else {
        let _ = write!(out, "<path d=\"{}Z\"", path(&corners));
        "path"
    };
    if !mark.role.is_empty() {
        let _ = write!(out, " class=\"{}\"", mark.role);
    }
    let _ = write!(
        out,
        " fill=\"{}\"{}",
        hex(mark.fill),
        attributes(mark.stroke)
    );
    if mark.hint.is_empty() {
        out.push_str("/>");
    } else {
        let _ = write!(out, "><title>{}</title></{name}>", escape(&mark.hint));
    }
}

fn label(out: &mut String, text: &Text) {
    let (x, y) = (n(text.at.0), n(text.at.1));
    let _ = write!(
        out,
        "<text x=\"{x}\" y=\"{y}\" font-size=\"{}\" fill=\"{}\"",
        n(text.size),
        hex(text.color)
    );
    match text.anchor {
        Anchor::Start => {}
        Anchor::Middle => out.push_str(" text-anchor=\"middle\""),
        Anchor::End => out.push_str(" text-anchor=\"end\""),
    }
    if text.bold {
        out.push_str(" font-weight=\"600\"");
    }
    if text.upward {
        let _ = write!(out, " transform=\"rotate(-90 {x} {y})\"");
    }
    let _ = write!(out, ">{}</text>", escape(&text.content));
}

fn picture(out: &mut String, image: &Image) {
    let a = image.area;
    let _ = write!(
        out,
        "<image x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" preserveAspectRatio=\"none\" \
         style=\"image-rendering:pixelated\" href=\"data:image/png;base64,{}\"/>",
        n(a.x),
        n(a.y),
        n(a.w),
        n(a.h),
        base64(&png(image))
    );
}

fn path(points: &[Point]) -> String {
    let mut d = String::with_capacity(points.len() * 12);
    for (i, (x, y)) in points.iter().enumerate() {
        let _ = write!(d, "{}{} {}", if i == 0 { 'M' } else { 'L' }, n(*x), n(*y));
    }
    d
}

fn attributes(stroke: Stroke) -> String {
    format!(
        " stroke=\"{}\" stroke-width=\"{}\"",
        hex(stroke.color),
        n(stroke.width)
    )
}

fn hex(Rgb(r, g, b): Rgb) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

/// A number to a hundredth, as short as it can be.
fn n(v: f64) -> String {
    let text = format!("{v:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" {
        "0".to_owned()
    } else {
        text.to_owned()
    }
}

/// Text for an element of SVG or HTML: mark-up quoted, and without the control characters that XML cannot hold.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}') => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// An indexed PNG without compression: an SVG cannot hold an image in any simpler form.
///
/// # Source
/// PNG specification (W3C, third edition), sections 5.3, 11.2 and annex D; RFC 1950; RFC 1951, section 3.2.4.
fn png(image: &Image) -> Vec<u8> {
    let rows = image.cells.len() / image.columns.max(1);
    let mut scanlines = Vec::with_capacity(image.cells.len() + rows);
    for row in image.cells.chunks(image.columns.max(1)) {
        scanlines.push(0); // filter: none
        scanlines.extend_from_slice(row);
    }
    const BLOCK: usize = 65_535;
    let mut zlib = vec![0x78, 0x01];
    let blocks = scanlines.len().div_ceil(BLOCK);
    for (i, block) in scanlines.chunks(BLOCK).enumerate() {
        let length = block.len() as u16;
        zlib.push(u8::from(i + 1 == blocks));
        zlib.extend(length.to_le_bytes());
        zlib.extend((!length).to_le_bytes());
        zlib.extend(block);
    }
    zlib.extend(adler32(&scanlines).to_be_bytes());

    let mut header = Vec::new();
    header.extend((image.columns as u32).to_be_bytes());
    header.extend((rows as u32).to_be_bytes());
    header.extend([8, 3, 0, 0, 0]); // eight bits an index, palette
    let palette: Vec<u8> = image.palette.iter().flat_map(|c| [c.0, c.1, c.2]).collect();

    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, data) in [
        (b"IHDR", &header),
        (b"PLTE", &palette),
        (b"IDAT", &zlib),
        (b"IEND", &Vec::new()),
    ] {
        out.extend((data.len() as u32).to_be_bytes());
        let start = out.len();
        out.extend(kind);
        out.extend(data);
        let check = crc32(&out[start..]);
        out.extend(check.to_be_bytes());
    }
    out
}

fn crc32(data: &[u8]) -> u32 {
    !data.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |c, _| {
            if c & 1 == 1 {
                0xEDB8_8320 ^ (c >> 1)
            } else {
                c >> 1
            }
        })
    })
}

fn adler32(data: &[u8]) -> u32 {
    let (a, b) = data.iter().fold((1_u32, 0_u32), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65_521;
        (a, (b + a) % 65_521)
    });
    b << 16 | a
}

fn base64(data: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(data.len().div_ceil(3) * 4);
    for chunk in data.chunks(3) {
        let word = chunk
            .iter()
            .enumerate()
            .fold(0_u32, |w, (i, byte)| w | u32::from(*byte) << (16 - 8 * i));
        for i in 0..4 {
            let digit = DIGITS[(word >> (18 - 6 * i) & 63) as usize];
            out.push(if i <= chunk.len() {
                char::from(digit)
            } else {
                '='
            });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_and_base64_match_published_values() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926); // the check value of CRC-32/ISO-HDLC
        assert_eq!(adler32(b"Wikipedia"), 0x11E6_0398);
        assert_eq!(
            ["", "f", "fo", "foo", "foobar"].map(|s| base64(s.as_bytes())),
            ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYmFy"]
        );
    }

    #[test]
    fn text_is_escaped() {
        assert_eq!(escape("a<b & \"c\"\u{7}"), "a&lt;b &amp; &quot;c&quot; ");
        assert_eq!([n(-0.001), n(2.50), n(10.0)], ["0", "2.5", "10"]);
    }
}
