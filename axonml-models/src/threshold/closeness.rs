//! Where a threshold lies between trials, from when the fiber fired or came to rest in them.
//!
//! A fiber that is stimulated barely enough, or barely too little, dwells near the state between firing and not, which
//! it leaves exponentially: the closer to its threshold, the later it fires or rests, by the time constant for every
//! factor e. Farther above the latency falls more slowly; farther below it rests as soon as it may. The law is a guess
//! about which amplitudes to try; no answer rests on it.

/// Excess over the threshold, relative to it, at which the latency changes half as fast as close to the threshold.
const HALF: f64 = 0.15;
/// Relative misfit of differences between latencies, and scatter of the time constants of fibers.
const MISFIT: f64 = 0.04;
const SCATTER: f64 = 0.15;
/// Scatter of the logarithm of distances below the threshold, which fibers are looked at too rarely to tell better.
const SCATTER_BELOW: f64 = 0.5;
/// Relative distance below a threshold that it is known well enough for.
const LEAST_DISTANCE: f64 = 5e-4;
/// Places between the trials that are compared, in steps of the logarithm of the ratio of the distances to both, and
/// refinements of the best.
const PLACES: i32 = 18;
const STEP: f64 = 0.7;
const REFINEMENTS: usize = 16;

/// A trial that fired.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Fired {
    pub(super) amplitude_ma: f64,
    /// Time at which the action potential began, ms.
    pub(super) time_ms: f64,
}

/// A trial that failed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Failed {
    pub(super) amplitude_ma: f64,
    /// Time from the end of the last source until the fiber was at rest, ms.
    pub(super) rest_ms: f64,
    /// Whether it was at rest when this was first looked at.
    pub(super) at_once: bool,
}

/// Law of latencies, from fibers with known thresholds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Law {
    /// The time constant, ms.
    pub(super) tau_ms: Option<f64>,
    /// How close to its threshold a fiber rests at once, as the logarithm of the distance relative to the amplitude.
    pub(super) ln_rest: Option<f64>,
}

impl Law {
    /// Logarithm of the distance from a trial that failed to the threshold, relative to its amplitude.
    fn ln_distance(&self, failed: &Failed) -> Option<f64> {
        Some(self.ln_rest? - failed.rest_ms / self.tau_ms?)
    }

    /// [`Law::ln_rest`] by a trial that failed closely below a known threshold.
    pub(super) fn ln_rest_of(&self, failed: &Failed, threshold_ma: f64) -> Option<f64> {
        let distance = threshold_ma / failed.amplitude_ma - 1.0;
        let shows = !failed.at_once && distance > LEAST_DISTANCE;
        Some(distance.ln() + failed.rest_ms / self.tau_ms?).filter(|_| shows)
    }
}

/// Latency at an excess over the threshold, in time constants.
fn latency(excess: f64) -> f64 {
    let root = (excess / HALF).sqrt();
    -2.0 * (root / (1.0 + root)).ln()
}

/// The threshold that explains trials that fired, the strongest first, and the strongest that failed: at least three, or
/// two if the time constant is known about.
pub(super) fn threshold_ma(fired: &[Fired], failed: &Failed, law: Law) -> Option<f64> {
    let tau_ms = law.tau_ms;
    let above_ma = failed.amplitude_ma;
    let below = law.ln_distance(failed);
    let last = fired.last()?.amplitude_ma;
    let delays: Vec<f64> = pairs(fired).map(|[a, b]| b.time_ms - a.time_ms).collect();
    let by_latencies = delays.len() + usize::from(tau_ms.is_some()) >= 2 && !delays.is_empty();
    let by_rest = below.is_some() && !failed.at_once;
    if !(by_latencies || by_rest) || delays.iter().any(|delay| *delay <= 0.0) {
        return None;
    }
    let at = |ln_ratio: f64| above_ma + (last - above_ma) / (1.0 + (-ln_ratio).exp());
    let misfit = |ln_ratio: f64| {
        let ratios = ratios(fired, &delays, at(ln_ratio));
        let tau = time_constant(&ratios, tau_ms);
        let of_delays = ratios.iter().map(|ratio| (1.0 - tau * ratio).powi(2));
        let of_tau = tau_ms.map_or(0.0, |known| ((tau / known - 1.0) / SCATTER).powi(2));
        let distance = (at(ln_ratio) / above_ma - 1.0).ln();
        let of_rest = below.map_or(0.0, |below| match failed.at_once && distance > below {
            true => 0.0,
            false => ((distance - below) / SCATTER_BELOW).powi(2),
        });
        of_delays.sum::<f64>() / (MISFIT * MISFIT) + of_tau + of_rest
    };
    let each = (-PLACES..=PLACES).map(|k| STEP * f64::from(k));
    let best = each.min_by(|a, b| misfit(*a).total_cmp(&misfit(*b)))?;
    // Thirds of what is left around the best of them.
    let (mut low, mut high) = (best - STEP, best + STEP);
    for _ in 0..REFINEMENTS {
        let third = (high - low) / 3.0;
        match misfit(low + third) < misfit(high - third) {
            true => high -= third,
            false => low += third,
        }
    }
    Some(at(0.5 * (low + high)))
}

/// The time constant that explains the latencies of trials above a known threshold, ms.
pub(super) fn time_constant_ms(fired: &[Fired], threshold_ma: f64) -> Option<f64> {
    let delays: Vec<f64> = pairs(fired).map(|[a, b]| b.time_ms - a.time_ms).collect();
    let sound = !delays.is_empty() && delays.iter().all(|delay| *delay > 0.0);
    let tau = time_constant(&ratios(fired, &delays, threshold_ma), None);
    (sound && tau.is_finite() && tau > 0.0).then_some(tau)
}

fn pairs(fired: &[Fired]) -> impl Iterator<Item = [Fired; 2]> {
    fired.windows(2).map(|pair| [pair[0], pair[1]])
}

/// Expected differences of latencies, in time constants, over the observed ones.
fn ratios(fired: &[Fired], delays: &[f64], threshold_ma: f64) -> Vec<f64> {
    let of = |fired: Fired| latency(fired.amplitude_ma / threshold_ma - 1.0);
    let each = pairs(fired).zip(delays);
    each.map(|([a, b], delay)| (of(b) - of(a)) / delay)
        .collect()
}

/// The time constant by least squares, drawn to the known one.
fn time_constant(ratios: &[f64], known_ms: Option<f64>) -> f64 {
    let weight = 1.0 / (MISFIT * MISFIT);
    let (mut above, mut below) = (0.0, 0.0);
    for ratio in ratios {
        above += weight * ratio;
        below += weight * ratio * ratio;
    }
    if let Some(known) = known_ms {
        let weight = 1.0 / (SCATTER * SCATTER * known * known);
        above += weight * known;
        below += weight;
    }
    above / below
}

#[cfg(test)]
mod tests {
    use super::*;

    /// First crossings of a 10 um fiber of `mrg`, 0.1 ms pulses 1 mm away: excess over the threshold, time, ms.
    const LATENCIES: [(f64, f64); 6] = [
        (0.5, 0.1893),
        (0.1, 0.2645),
        (0.02, 0.3593),
        (3e-3, 0.5048),
        (3e-4, 0.7092),
        (1e-5, 1.0271),
    ];

    fn fired(threshold_ma: f64, which: std::ops::Range<usize>) -> Vec<Fired> {
        let of = |&(excess, time_ms): &(f64, f64)| Fired {
            amplitude_ma: threshold_ma * (1.0 + excess),
            time_ms,
        };
        LATENCIES[which].iter().map(of).collect()
    }

    #[test]
    fn latencies_tell_how_far_above_its_threshold_a_fiber_fired() {
        for (which, tau_ms, within) in [
            (0..2, Some(0.095), 0.5),
            (1..3, Some(0.095), 0.3),
            (0..3, None, 0.6),
            (1..4, Some(0.095), 0.3),
            (2..5, Some(0.095), 0.3),
            (2..5, None, 0.5),
            (3..6, None, 0.3),
        ] {
            let trials = fired(0.1236, which.clone());
            let law = Law {
                tau_ms,
                ln_rest: None,
            };
            let found = threshold_ma(&trials, &AT_ONCE, law).unwrap();
            // In terms of the distance from the last trial.
            let distance = trials.last().unwrap().amplitude_ma - 0.1236;
            let error = (found - 0.1236).abs() / distance;
            assert!(error < within, "{which:?}, {tau_ms:?}: off by {error}");
        }
        let tau = time_constant_ms(&fired(0.1236, 3..6), 0.1236).unwrap();
        assert!((tau / 0.094 - 1.0).abs() < 0.05, "{tau}");
    }

    const AT_ONCE: Failed = Failed {
        amplitude_ma: 0.0618,
        rest_ms: 0.3,
        at_once: true,
    };

    #[test]
    fn latencies_that_do_not_grow_tell_nothing() {
        let known = Law {
            tau_ms: Some(0.1),
            ln_rest: None,
        };
        let mut trials = fired(1.0, 0..3);
        assert_eq!(threshold_ma(&trials[..1], &AT_ONCE, known), None);
        assert_eq!(threshold_ma(&trials[..2], &AT_ONCE, Law::default()), None);
        trials[2].time_ms = trials[1].time_ms;
        assert_eq!(threshold_ma(&trials, &AT_ONCE, known), None);
        assert_eq!(time_constant_ms(&trials, 0.9), None);
    }

    /// A fiber rests later the closer it came, by the law that others show.
    #[test]
    fn late_rest_tells_how_close_a_fiber_came() {
        let mut law = Law {
            tau_ms: Some(0.09),
            ln_rest: None,
        };
        let failed = |distance: f64, rest_ms: f64| Failed {
            amplitude_ma: 1.0 / (1.0 + distance),
            rest_ms,
            at_once: false,
        };
        // Another fiber rested after 0.55 ms a thousandth below its threshold.
        law.ln_rest = law.ln_rest_of(&failed(1e-3, 0.55), 1.0);
        assert!(law.ln_rest.is_some());
        let strong = [Fired {
            amplitude_ma: 1.3,
            time_ms: 0.2,
        }];
        for distance in [3e-3, 3e-4_f64] {
            let rest_ms = 0.55 - 0.09 * (distance / 1e-3).ln();
            let found = threshold_ma(&strong, &failed(distance, rest_ms), law).unwrap();
            assert!((found - 1.0).abs() < 0.1 * distance, "{distance}: {found}");
        }
        assert_eq!(law.ln_rest_of(&AT_ONCE, 0.07), None);
    }
}
