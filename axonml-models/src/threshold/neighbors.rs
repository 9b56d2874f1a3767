//! Guesses of a fiber's threshold from fibers like it whose thresholds are known.
//!
//! What is compared is the threshold relative to the amplitude at which the passive fiber reaches the level: it varies
//! little between fibers under one waveform, and smoothly with their size and with that amplitude.

/// Fibers that a guess is made from.
const NEAREST: usize = 6;
/// Distance in logarithms below which neighbors count alike.
const ALIKE: f64 = 1e-3;
/// Weight, relative to the neighbors', of there being no trend.
const NO_TREND: f64 = 0.05;
/// A guess errs as much as the worst guess of some of its neighbors would from the others, and at least so much; guesses
/// worse than the last are none.
const WITNESSES: usize = 3;
const LEAST_ERROR: f64 = 2e-4;
const LARGEST_ERROR: f64 = 0.2;

/// What a threshold may be like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Guess {
    pub(super) amplitude_ma: f64,
    /// Its error, relative.
    pub(super) error: f64,
}

/// What the threshold of a fiber depends on.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Features {
    /// Waveforms of the scaled sources, by index.
    pub(super) waveforms: Vec<usize>,
    /// Logarithm of a size that grows with the diameter.
    pub(super) ln_size: f64,
    /// Logarithm of the amplitude, mA, at which the passive fiber reaches the level.
    pub(super) ln_reaching: f64,
}

/// A fiber whose threshold is known.
#[derive(Clone, Debug)]
struct Neighbor {
    features: Features,
    /// Logarithm of the threshold relative to the amplitude of the passive fiber.
    ratio: f64,
    /// Error of a guess of it from the others.
    error: f64,
}

/// Fibers whose thresholds are known.
#[derive(Debug, Default)]
pub(super) struct Neighbors(Vec<Neighbor>);

impl Neighbors {
    /// Adds fibers with their thresholds, mA.
    pub(super) fn learn(&mut self, fibers: impl Iterator<Item = (Features, f64)>) {
        self.0
            .extend(fibers.map(|(features, threshold_ma)| Neighbor {
                ratio: threshold_ma.ln() - features.ln_reaching,
                features,
                error: f64::INFINITY,
            }));
        let error = |at: usize| {
            let (before, rest) = self.0.split_at(at);
            let [this, after @ ..] = rest else {
                return f64::INFINITY;
            };
            let ratio = trend(&nearest(before.iter().chain(after), &this.features));
            ratio.map_or(f64::INFINITY, |ratio| (ratio - this.ratio).abs())
        };
        let errors: Vec<f64> = (0..self.0.len()).map(error).collect();
        for (neighbor, error) in self.0.iter_mut().zip(errors) {
            neighbor.error = error;
        }
    }

    /// The threshold of a fiber, if enough under the same waveforms are known: the trend of the nearest.
    pub(super) fn guess(&self, of: &Features) -> Option<Guess> {
        let near = nearest(self.0.iter(), of);
        let ratio = trend(&near)?;
        let witnesses = near.iter().take(WITNESSES);
        let error = witnesses.fold(LEAST_ERROR, |most, (neighbor, _)| most.max(neighbor.error));
        let amplitude_ma = (ratio + of.ln_reaching).exp();
        let sound = error < LARGEST_ERROR && amplitude_ma.is_finite() && amplitude_ma > 0.0;
        sound.then_some(Guess {
            amplitude_ma,
            error,
        })
    }
}

/// The nearest fibers under the same waveforms, and how far they lie in size and passive response.
fn nearest<'n>(
    all: impl Iterator<Item = &'n Neighbor>,
    of: &Features,
) -> Vec<(&'n Neighbor, [f64; 2])> {
    let alike = all.filter(|neighbor| neighbor.features.waveforms == of.waveforms);
    let away = |neighbor: &Neighbor| {
        let of_size = neighbor.features.ln_size - of.ln_size;
        [of_size, neighbor.features.ln_reaching - of.ln_reaching]
    };
    let mut near: Vec<_> = alike.map(|neighbor| (neighbor, away(neighbor))).collect();
    near.sort_by(|(_, a), (_, b)| square(a).total_cmp(&square(b)));
    near.truncate(NEAREST);
    near
}

fn square(away: &[f64; 2]) -> f64 {
    away[0] * away[0] + away[1] * away[1]
}

/// The ratio that the trend of two or more neighbors has here: by weighted least squares with two slopes, which few or
/// equal neighbors do not determine.
fn trend(near: &[(&Neighbor, [f64; 2])]) -> Option<f64> {
    if near.len() < 2 {
        return None;
    }
    let mut normal = [[0.0; 4]; 3];
    let mut weights = 0.0;
    for (neighbor, away) in near {
        let weight = 1.0 / (square(away) + ALIKE * ALIKE);
        let row = [1.0, away[0], away[1], neighbor.ratio];
        for (i, of_row) in normal.iter_mut().enumerate() {
            for (j, entry) in of_row.iter_mut().enumerate() {
                *entry += weight * row[i] * row[j];
            }
        }
        weights += weight;
    }
    let spread = near.iter().map(|(_, away)| square(away)).sum::<f64>() / near.len() as f64;
    for slope in [1, 2] {
        normal[slope][slope] += NO_TREND * weights * (spread + ALIKE * ALIKE);
    }
    let [ratio, _, _] = solved(normal)?;
    Some(ratio)
}

/// The solution of three symmetric positive equations with their right side.
fn solved(mut rows: [[f64; 4]; 3]) -> Option<[f64; 3]> {
    for pivot in 0..3 {
        let of_pivot = rows[pivot];
        if of_pivot[pivot] <= 0.0 || !of_pivot[pivot].is_finite() {
            return None;
        }
        for row in rows.iter_mut().skip(pivot + 1) {
            let factor = row[pivot] / of_pivot[pivot];
            for (entry, of_pivot) in row.iter_mut().zip(of_pivot) {
                *entry -= factor * of_pivot;
            }
        }
    }
    let mut solution = [0.0; 3];
    for at in (0..3).rev() {
        let known = (at + 1..3).map(|k| rows[at][k] * solution[k]);
        solution[at] = (rows[at][3] - known.sum::<f64>()) / rows[at][at];
    }
    solution.iter().all(|x| x.is_finite()).then_some(solution)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn features(size: f64, reaching_ma: f64) -> Features {
        Features {
            waveforms: vec![0],
            ln_size: f64::ln(size),
            ln_reaching: f64::ln(reaching_ma),
        }
    }

    #[test]
    fn a_threshold_follows_the_trend_of_its_neighbors() {
        let mut known = Neighbors::default();
        assert_eq!(known.guess(&features(5.0, 0.3)), None);
        let law = |size: f64, reaching: f64| 0.4 * reaching.powf(1.05) * size.powf(-0.2);
        let sizes = [4.0, 5.5, 7.0, 9.0, 12.0].into_iter();
        let fibers = sizes.flat_map(|size| [0.2, 0.5, 1.1].map(|reaching| (size, reaching)));
        known.learn(fibers.map(|(a, b)| (features(a, b), law(a, b))));
        let guess = known.guess(&features(6.0, 0.4)).unwrap();
        let error = (guess.amplitude_ma / law(6.0, 0.4) - 1.0).abs();
        assert!(error < 0.02 && error < guess.error, "{error}: {guess:?}");
        // Not that of fibers under another waveform.
        let other = Features {
            waveforms: vec![1],
            ..features(6.0, 0.4)
        };
        assert_eq!(known.guess(&other), None);
    }

    #[test]
    fn equal_neighbors_are_as_good_as_one() {
        let mut known = Neighbors::default();
        known.learn(std::iter::repeat_n((features(5.0, 0.5), 0.2), 8));
        let guess = known.guess(&features(5.0, 0.5)).unwrap();
        assert!((guess.amplitude_ma / 0.2 - 1.0).abs() < 1e-9, "{guess:?}");
        assert!(guess.error < 1e-3, "{guess:?}");
    }
}
