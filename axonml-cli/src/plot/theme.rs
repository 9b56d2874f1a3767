//! Colors and sizes shared by all pictures.

use std::f64::consts::PI;

/// An sRGB color.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rgb(pub(super) u8, pub(super) u8, pub(super) u8);

impl Rgb {
    /// This color with the part `t` of `other` mixed in.
    pub(super) fn mix(self, other: Self, t: f64) -> Self {
        let channel =
            |a: u8, b: u8| (f64::from(a) + (f64::from(b) - f64::from(a)) * t).round() as u8;
        Self(
            channel(self.0, other.0),
            channel(self.1, other.1),
            channel(self.2, other.2),
        )
    }
}

/// Width of a picture, px.
pub(super) const WIDTH: f64 = 1600.0;
/// Space around a picture, px.
pub(super) const MARGIN: f64 = 40.0;
/// Space on the left of a frame for its tick labels and its axis label, px.
pub(super) const GUTTER: f64 = 108.0;

/// Type size of the title, px.
pub(super) const TITLE: f64 = 30.0;
/// Type size of the heading of a panel, px.
pub(super) const HEADING: f64 = 23.0;
/// Type size of axis labels, px.
pub(super) const LABEL: f64 = 21.0;
/// Type size of tick labels and keys, px.
pub(super) const TICK: f64 = 19.0;
/// Type size of remarks, px.
pub(super) const NOTE: f64 = 17.0;

/// Background.
pub(super) const PAPER: Rgb = Rgb(255, 255, 255);
/// Text and the marks that matter most.
pub(super) const INK: Rgb = Rgb(29, 37, 48);
/// Secondary text.
pub(super) const MUTED: Rgb = Rgb(88, 99, 114);
/// Axes and their ticks.
pub(super) const AXIS: Rgb = Rgb(136, 147, 161);
/// Grid lines.
pub(super) const GRID: Rgb = Rgb(231, 234, 239);
/// Color of fibers without response.
pub(super) const ABSENT: Rgb = Rgb(150, 158, 168);

/// Connective tissue of a nerve.
pub(super) const NERVE: Rgb = Rgb(247, 246, 243);
/// Outline of a nerve.
pub(super) const NERVE_EDGE: Rgb = Rgb(190, 187, 180);
/// Inside of a fascicle.
pub(super) const FASCICLE: Rgb = Rgb(255, 255, 255);
/// Outline of a fascicle.
pub(super) const FASCICLE_EDGE: Rgb = Rgb(165, 163, 158);
/// Inside of a fascicle that is to be activated.
pub(super) const TARGET: Rgb = Rgb(255, 244, 224);
/// Outline of a fascicle that is to be activated.
pub(super) const TARGET_EDGE: Rgb = Rgb(222, 138, 29);
/// The wall of a cuff.
pub(super) const CUFF: Rgb = Rgb(210, 215, 221);
/// A contact that delivers a positive multiple of the waveform.
pub(super) const POSITIVE: Rgb = Rgb(190, 58, 52);
/// A contact that delivers a negative multiple of the waveform.
pub(super) const NEGATIVE: Rgb = Rgb(42, 98, 168);
/// A contact that delivers nothing.
pub(super) const UNUSED: Rgb = Rgb(214, 218, 223);

/// How many colors [`category`] tells apart.
pub(super) const CATEGORIES: usize = 12;

/// The color of the `i`-th of several unordered things; repeats after [`CATEGORIES`].
pub(super) fn category(i: usize) -> Rgb {
    const COLORS: [Rgb; CATEGORIES] = [
        Rgb(49, 98, 148),
        Rgb(214, 98, 54),
        Rgb(52, 143, 114),
        Rgb(139, 92, 158),
        Rgb(201, 154, 38),
        Rgb(95, 168, 211),
        Rgb(158, 54, 82),
        Rgb(122, 139, 60),
        Rgb(104, 118, 138),
        Rgb(226, 148, 172),
        Rgb(123, 91, 69),
        Rgb(38, 160, 166),
    ];
    COLORS[i % CATEGORIES]
}

/// The color of the `i`-th of `n` ordered things, such as diameters: light to dark.
pub(super) fn ordinal(i: usize, n: usize) -> Rgb {
    let t = if n < 2 {
        0.75
    } else {
        i as f64 / (n - 1) as f64
    };
    oklch(0.76 - 0.48 * t, 0.14, 65.0 - 50.0 * t)
}

/// The color of the position `t` in 0..=1 along something: blue to red at about one lightness.
pub(super) fn position(t: f64) -> Rgb {
    oklch(0.50 + 0.14 * t, 0.15, 262.0 + 150.0 * t)
}

/// The color of a quantity, `t` in 0..=1: dark violet through teal to light yellow.
///
/// Lightness rises in equal steps of OKLab, so equal differences look equal, also without color vision.
pub(super) fn sequential(t: f64) -> Rgb {
    let t = t.clamp(0.0, 1.0);
    // This chroma is a little below the largest that sRGB has along the way.
    oklch(
        0.26 + 0.66 * t,
        0.12 - 0.145 * t + 0.2 * t * t,
        302.0 - 200.0 * t,
    )
}

/// OKLCh to sRGB; `chroma` is lowered until the color exists.
///
/// # Source
/// Ottosson (2020), "A perceptual color space for image processing", <https://bottosson.github.io/posts/oklab/>.
fn oklch(lightness: f64, chroma: f64, hue_deg: f64) -> Rgb {
    let linear = |chroma: f64| {
        let (a, b) = (
            chroma * (hue_deg * PI / 180.0).cos(),
            chroma * (hue_deg * PI / 180.0).sin(),
        );
        let l = (lightness + 0.396_337_777_4 * a + 0.215_803_757_3 * b).powi(3);
        let m = (lightness - 0.105_561_345_8 * a - 0.063_854_172_8 * b).powi(3);
        let s = (lightness - 0.089_484_177_5 * a - 1.291_485_548_0 * b).powi(3);
        [
            4.076_741_662_1 * l - 3.307_711_591_3 * m + 0.230_969_929_2 * s,
            -1.268_438_004_6 * l + 2.609_757_401_1 * m - 0.341_319_396_5 * s,
            -0.004_196_086_3 * l - 0.703_418_614_7 * m + 1.707_614_701_0 * s,
        ]
    };
    let exists = |chroma: f64| linear(chroma).iter().all(|c| (-1e-9..=1.0).contains(c));
    let (mut low, mut high) = (0.0, chroma);
    if exists(chroma) {
        low = chroma;
    }
    for _ in 0..12 {
        let middle = 0.5 * (low + high);
        if exists(middle) {
            low = middle
        } else {
            high = middle
        }
    }
    let channel = |c: f64| {
        let c = c.clamp(0.0, 1.0);
        let encoded = if c <= 0.003_130_8 {
            12.92 * c
        } else {
            1.055 * c.powf(1.0 / 2.4) - 0.055
        };
        (encoded * 255.0).round() as u8
    };
    let [r, g, b] = linear(low).map(channel);
    Rgb(r, g, b)
}
