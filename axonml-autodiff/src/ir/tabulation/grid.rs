//! The segments of tables.

/// Segments of a table: as many as two registers of AVX-512 hold numbers.
pub const SEGMENTS: usize = 32;

/// Equal segments side by side. Every number is a small multiple of 1/8, so that centers are exact in single precision,
/// however they are computed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grid {
    /// Center of the first segment.
    pub first: f32,
    /// Width of a segment.
    pub width: f32,
}

/// Where an argument lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// Index of its segment, below [`SEGMENTS`].
    pub segment: u32,
    /// Its distance from the segment's center.
    pub offset: f32,
    /// Whether tables are defined there; not so for NaN.
    pub inside: bool,
}

/// `1.5 * 2^23`: adding it rounds to an integer, which is left in the low bits.
const ROUND: f32 = 12_582_912.0;

impl Grid {
    /// Offsets from a segment's center exceed half its width by at most this share of the width: an argument is divided by
    /// the width with an error of 2^-22 in 32.
    pub const OVERLAP: f64 = 1.0 / 65_536.0;

    /// Segments of `width` from about `lowest` on.
    ///
    /// # Panics
    /// If the width is not a multiple of 1/4, or a number is so large that single precision cannot hold its eighths.
    pub fn new(lowest: f64, width: f32) -> Self {
        assert!(width > 0.0 && (4.0 * width).fract() == 0.0 && width <= 64.0);
        assert!(lowest.abs() <= 10_000.0, "segments begin at a voltage");
        let first = (8.0 * (lowest + 0.5 * f64::from(width))).round() / 8.0;
        Grid {
            first: first as f32,
            width,
        }
    }

    /// Center of a segment.
    pub fn center(&self, segment: usize) -> f32 {
        self.first + self.width * segment as f32
    }

    /// About the lowest argument at which tables are defined.
    pub fn lowest(&self) -> f32 {
        self.first - 0.5 * self.width
    }

    /// About where they end.
    pub fn end(&self) -> f32 {
        self.lowest() + self.width * SEGMENTS as f32
    }

    /// The segment of `u` and its offset there; the same bits on every instruction set.
    #[inline(always)]
    pub fn place(&self, u: f32) -> Place {
        let rounded = (u - self.first) * (1.0 / self.width) + ROUND;
        let segment = rounded - ROUND;
        let inside = segment >= 0.0 && segment <= (SEGMENTS - 1) as f32;
        let center = self.first + segment * self.width;
        Place {
            segment: rounded.to_bits() % SEGMENTS as u32,
            offset: u - center,
            inside,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Neighboring floats around every boundary, the ends, and arguments that have no place.
    #[test]
    fn arguments_lie_in_their_segments() {
        let grid = Grid::new(-110.0 + 73.3, 5.0);
        let largest = f64::from(grid.width) * (0.5 + Grid::OVERLAP);
        for boundary in 0..=SEGMENTS {
            let mut u = grid.lowest() + grid.width * boundary as f32;
            (0..20).for_each(|_| u = u.next_down());
            for _ in 0..40 {
                let Place {
                    segment,
                    offset,
                    inside,
                } = grid.place(u);
                let within = u > grid.lowest() && u < grid.end();
                let at_an_end = boundary == 0 || boundary == SEGMENTS;
                assert!(inside == within || at_an_end, "{u}");
                if inside {
                    // Differences of single-precision numbers are exact in double precision.
                    let exact = f64::from(u) - f64::from(grid.center(segment as usize));
                    assert!(exact.abs() <= largest, "{u}");
                    assert!((f64::from(offset) - exact).abs() <= exact.abs() * 2f64.powi(-24));
                }
                u = u.next_up();
            }
        }
        for nowhere in [f32::NAN, f32::INFINITY, -f32::INFINITY, 1e30, -1e4] {
            let place = grid.place(nowhere);
            assert!(!place.inside && place.segment < SEGMENTS as u32);
        }
    }
}
