//! The sheet that a picture is laid out on.

use std::str::FromStr;

use super::scene::Scene;
use super::theme::WIDTH;

/// Pixels of a layout per millimeter: tick labels of 19 px come out as 7 point letters.
const PX_PER_MM: f64 = WIDTH / 208.0;

/// The room that a picture has, px.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Canvas {
    /// Width, px.
    pub(super) width: f64,
    /// Height, px; none if each picture chooses its own.
    pub(super) height: Option<f64>,
}

impl Default for Canvas {
    fn default() -> Self {
        Canvas {
            width: WIDTH,
            height: None,
        }
    }
}

/// Size and resolution of the file.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Page {
    /// Width and height; none for what the picture needs at a width of 208 mm.
    pub(crate) size: Option<Size>,
    /// Dots per inch of a bitmap; none for 195, or 300 with a size.
    pub(crate) dpi: Option<f64>,
}

impl Page {
    /// The room for the layout.
    pub(super) fn canvas(&self) -> Canvas {
        self.size.map_or(Canvas::default(), |size| Canvas {
            width: size.width_mm * PX_PER_MM,
            height: Some(size.height_mm * PX_PER_MM),
        })
    }

    /// A picture on this page: one that is laid out for another size is shrunk or enlarged, and put in the middle.
    pub(super) fn fitted(&self, scene: Scene) -> Scene {
        let canvas = self.canvas();
        let Some(height) = canvas.height else {
            return scene;
        };
        let (w, h) = (scene.width, scene.height);
        let factor = (canvas.width / w).min(height / h);
        let offset = (
            0.5 * (canvas.width - factor * w),
            0.5 * (height - factor * h),
        );
        scene.placed(factor, offset, (canvas.width, height))
    }

    /// The picture in the pixels of the bitmap, and their number per inch where one was asked for.
    pub(super) fn rastered(&self, scene: Scene) -> (Scene, Option<f64>) {
        let dpi = self.dpi.or(self.size.map(|_| 300.0));
        let Some(dpi) = dpi else {
            return (scene, None);
        };
        let factor = dpi / (25.4 * PX_PER_MM);
        let size = (
            (scene.width * factor).round(),
            (scene.height * factor).round(),
        );
        (scene.placed(factor, (0.0, 0.0), size), Some(dpi))
    }
}

/// Width and height of a picture, mm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Size {
    pub(super) width_mm: f64,
    pub(super) height_mm: f64,
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const EXPECTED: &str = "expected WIDTHxHEIGHT in mm, each from 40 to 2000, e.g. 85x60 for a column of a journal";
        let side = |text: &str| {
            let side: Option<f64> = text.trim().parse().ok();
            side.filter(|side| (40.0..=2000.0).contains(side))
        };
        let (width, height) = text.split_once(['x', 'X']).ok_or(EXPECTED)?;
        let height = height.trim_end();
        let height = height.strip_suffix("mm").unwrap_or(height);
        match (side(width), side(height)) {
            (Some(width_mm), Some(height_mm)) => Ok(Size {
                width_mm,
                height_mm,
            }),
            _ => Err(EXPECTED.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_refused() {
        let read = |text: &str| text.parse::<Size>().map(|s| (s.width_mm, s.height_mm));
        assert_eq!(read("85x60"), Ok((85.0, 60.0)));
        assert_eq!(read("85 X 60.5mm"), Ok((85.0, 60.5)));
        for wrong in ["", "85", "85x", "x60", "0x60", "85x1e9", "nanx60", "-85x60"] {
            assert!(read(wrong).unwrap_err().contains("in mm"), "{wrong}");
        }
    }

    #[test]
    fn a_page_holds_the_whole_picture() {
        let page = Page {
            size: "100x50".parse().ok(),
            dpi: Some(254.0),
        };
        let scene = page.fitted(Scene::new(400.0, 400.0, "square"));
        assert!((scene.width - 2.0 * scene.height).abs() < 1e-9);
        let (scene, dpi) = page.rastered(scene);
        assert_eq!(
            (scene.width, scene.height, dpi),
            (1000.0, 500.0, Some(254.0))
        );
    }
}
