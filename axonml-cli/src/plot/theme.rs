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

/// How many unordered things a legend tells apart, by color and marker together.
pub(super) const CATEGORIES: usize = 12;

/// Colors that people with any common color vision tell apart.
///
/// # Source
/// Okabe & Ito (2008), "Color universal design", <https://jfly.uni-koeln.de/color/>; without the yellow, which is too
/// light on paper.
const COLORS: [Rgb; 7] = [
    Rgb(0, 114, 178),
    Rgb(213, 94, 0),
    Rgb(0, 158, 115),
    Rgb(204, 121, 167),
    Rgb(230, 159, 0),
    Rgb(86, 180, 233),
    INK,
];

/// The color of the `i`-th of several unordered things. Colors repeat after seven, markers ([`marker`]) after six: the
/// pair is unique for 42 things.
pub(super) fn category(i: usize) -> Rgb {
    COLORS[i % COLORS.len()]
}

/// The marker of the `i`-th of several unordered things; see [`category`].
pub(super) fn marker(i: usize) -> Marker {
    const MARKERS: [Marker; 6] = [
        Marker::Circle,
        Marker::Square,
        Marker::Up,
        Marker::Diamond,
        Marker::Down,
        Marker::Right,
    ];
    MARKERS[i % MARKERS.len()]
}

/// States that [`state`] tells apart.
pub(super) const STATES: usize = 7;

/// The color of the `i`-th state of a fiber in a map: colors of [`category`] with as much lightness between neighbors as
/// they have, the first being the lightest, as it stands for the ordinary.
pub(super) fn state(i: usize) -> Rgb {
    const ORDER: [usize; STATES] = [5, 4, 0, 3, 2, 1, 6];
    category(ORDER[i % STATES])
}

/// The form of a point of data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Marker {
    /// A disc.
    Circle,
    /// A square.
    Square,
    /// A triangle that points up.
    Up,
    /// A square on its corner.
    Diamond,
    /// A triangle that points down.
    Down,
    /// A triangle that points to the right.
    Right,
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

/// The color of the position `t` in 0..=1 along something: dark blue to light orange. Lightness rises with it, so that
/// neighbors differ without color vision, too.
pub(super) fn position(t: f64) -> Rgb {
    oklch(0.34 + 0.40 * t, 0.15, 262.0 + 160.0 * t)
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

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// An sRGB color in linear light, as seen without the cones that `matrix` removes, compared in OKLab.
    fn lab(color: Rgb, matrix: [[f64; 3]; 3]) -> [f64; 3] {
        let linear = [color.0, color.1, color.2].map(|c| {
            let c = f64::from(c) / 255.0;
            if c <= 0.040_45 {
                c / 12.92
            } else {
                ((c + 0.055) / 1.055).powf(2.4)
            }
        });
        let dot = |row: [f64; 3]| row.iter().zip(linear).map(|(a, b)| a * b).sum::<f64>();
        let [r, g, b] = matrix.map(|row| dot(row).clamp(0.0, 1.0));
        let l = (0.412_221_47 * r + 0.536_332_54 * g + 0.051_445_99 * b).cbrt();
        let m = (0.211_903_5 * r + 0.680_699_55 * g + 0.107_396_96 * b).cbrt();
        let s = (0.088_302_46 * r + 0.281_718_84 * g + 0.629_978_7 * b).cbrt();
        [
            0.210_454_26 * l + 0.793_617_79 * m - 0.004_072_05 * s,
            1.977_998_5 * l - 2.428_592_2 * m + 0.450_593_71 * s,
            0.025_904_04 * l + 0.782_771_77 * m - 0.808_675_77 * s,
        ]
    }

    /// Machado, Oliveira & Fernandes (2009), severity 1: normal, protanopia, deuteranopia.
    const VISIONS: [[[f64; 3]; 3]; 3] = [
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
        [
            [0.152_286, 1.052_583, -0.204_868],
            [0.114_503, 0.786_281, 0.099_216],
            [-0.003_882, -0.048_116, 1.051_998],
        ],
        [
            [0.367_322, 0.860_646, -0.227_968],
            [0.280_085, 0.672_501, 0.047_413],
            [-0.011_820, 0.042_940, 0.968_881],
        ],
    ];

    #[test]
    fn categories_differ_for_every_color_vision() {
        for vision in VISIONS {
            for (i, a) in COLORS.iter().enumerate() {
                for b in &COLORS[..i] {
                    let (a, b) = (lab(*a, vision), lab(*b, vision));
                    let distance: f64 = a.iter().zip(b).map(|(x, y)| (x - y).powi(2)).sum();
                    assert!(distance.sqrt() > 0.07, "{a:?} {b:?}: {}", distance.sqrt());
                }
            }
        }
        let pairs: HashSet<_> = (0..42)
            .map(|i| (i % COLORS.len(), format!("{:?}", marker(i))))
            .collect();
        assert_eq!(pairs.len(), 42);
    }
}
