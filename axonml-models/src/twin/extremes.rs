//! How far samples go.

/// How far a waveform goes, 0 among its samples.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extremes {
    pub(super) low: f64,
    pub(super) high: f64,
    /// Sum of the magnitudes of its samples.
    pub(super) sum: f64,
}

impl Extremes {
    /// Of some samples.
    pub(super) fn of(samples: &[f64]) -> Self {
        Extremes {
            low: samples.iter().copied().fold(0.0, f64::min),
            high: samples.iter().copied().fold(0.0, f64::max),
            sum: samples.iter().map(|w| w.abs()).sum(),
        }
    }

    /// The largest magnitude.
    pub(super) fn peak(self) -> f64 {
        self.high.max(-self.low)
    }
}
