//! The embedded font, and how wide texts are in it.

use std::sync::Once;

use plotters::style::{FontDesc, FontFamily, FontStyle, register_font};

const FAMILY: &str = "axonml";

/// The advance of `text` in units of its size.
pub(super) fn advance_em(text: &str, bold: bool) -> f64 {
    const SIZE: f64 = 1000.0; // the answer comes in whole units
    match font(SIZE, bold).layout_box(text) {
        Ok(((left, _), (right, _))) => f64::from(right - left) / SIZE,
        Err(_) => 0.6 * text.chars().count() as f64, // unreachable with the embedded fonts
    }
}

/// The embedded font.
pub(super) fn font(size: f64, bold: bool) -> FontDesc<'static> {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| {
        let regular = include_bytes!("../../assets/fonts/axonml-sans-regular.ttf");
        let semibold = include_bytes!("../../assets/fonts/axonml-sans-semibold.ttf");
        let added = register_font(FAMILY, FontStyle::Normal, regular).is_ok()
            && register_font(FAMILY, FontStyle::Bold, semibold).is_ok();
        assert!(added, "the embedded fonts are readable");
    });
    let style = if bold {
        FontStyle::Bold
    } else {
        FontStyle::Normal
    };
    FontDesc::new(FontFamily::Name(FAMILY), size, style)
}
