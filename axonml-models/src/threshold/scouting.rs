//! Rounds of trials of many scouts: a few fibers first, then others with what was learned of them.

use std::collections::HashMap;
use std::f64::consts::LN_2;

use axonml_autodiff::engine::Source;
use axonml_autodiff::ir::Precision;

use super::closeness::Law;
use super::neighbors::{Features, Guess, Neighbors};
use super::scout::{Answer, Found, Scout};
use super::seen::Trial;
use super::trials::{Manner, Trials};
use super::{Progress, ThresholdSearch};
use crate::SimulationError;

/// No fiber is expected to fire below this fraction of the amplitude at which the passive one reaches the level.
const SURE: f64 = 0.25;
/// Up to this fraction of it a stimulus changes no membrane to speak of.
const WEAK: f64 = 1.0 / 32.0;
/// Waves of fibers grow by this factor.
const GROWTH: usize = 4;
/// Scouts go in single precision down to this resolution, at which it tells amplitudes apart.
const FINEST_F32: f64 = 1e-5;
/// Relative difference between the thresholds in both precisions, about.
const OF_PRECISION: f64 = 3e-6;

/// Trials of a fiber that may be needed, at most.
pub(super) const MOST_SPARE: usize = 15;
/// Share of a search that scouts take, about.
const OF_SCOUTS: f64 = 0.6;
/// Error of a guess that a caller gave, relative.
const OF_CALLERS: f64 = 3e-3;

/// Amplitudes and guesses that the scouts of all fibers begin with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scouts<'a> {
    /// Amplitude that its search begins with, mA.
    pub(super) first_ma: &'a [f64],
    /// Least amplitude at which its passive twin reaches the level, mA.
    pub(super) reaching_ma: &'a [Option<f64>],
    /// Guesses of its threshold, mA.
    pub(super) guesses_ma: Option<&'a [f64]>,
}

impl Trials<'_> {
    /// Results of the scouts of all fibers.
    pub(super) fn scouted(
        &mut self,
        Scouts {
            first_ma,
            reaching_ma,
            guesses_ma,
        }: Scouts<'_>,
        options: &ThresholdSearch,
        progress: &mut Progress<'_>,
    ) -> Result<Vec<Found>, SimulationError> {
        let refined = self.scouts_in(options) != Precision::F32;
        let coarse = ThresholdSearch {
            resolution: match refined {
                true => FINEST_F32,
                false => options.resolution,
            },
            ..options.clone()
        };
        let of_fiber = |fiber: usize| {
            // Of amplitudes that the user chose nothing is known.
            let sure_ma = match (options.first_ma, reaching_ma[fiber]) {
                (None, Some(reaching)) => SURE * reaching,
                _ => 0.0,
            };
            Scout::new(first_ma[fiber], sure_ma, &coarse)
        };
        let fibers = first_ma.len();
        let mut scouts: Vec<Scout> = (0..fibers).map(of_fiber).collect();
        let weak_ma: Vec<f64> = reaching_ma
            .iter()
            .map(|reaching| WEAK * reaching.unwrap_or(0.0))
            .collect();
        let kinds = self.kinds_of_waveforms();
        let features: Vec<Option<Features>> = (0..fibers)
            .map(|fiber| self.features(fiber, &kinds, reaching_ma[fiber]))
            .collect();
        let manner = self.scouts(Precision::F32);
        let mut known = Neighbors::default();
        let mut done = 0;
        for wave in waves(&features, self.width(Precision::F32)) {
            for &fiber in &wave {
                let given = guesses_ma.map(|guesses_ma| Guess {
                    amplitude_ma: guesses_ma[fiber],
                    error: OF_CALLERS,
                });
                let of_neighbors = || known.guess(features[fiber].as_ref()?);
                scouts[fiber].expect(given.or_else(of_neighbors));
            }
            self.close_in(&mut scouts, &wave, &weak_ma, manner, &coarse)?;
            known.learn(wave.iter().filter_map(|&fiber| {
                match (scouts[fiber].found(), &features[fiber]) {
                    (Some(Found::Cell { upper_ma, .. }), Some(features)) => {
                        Some((features.clone(), upper_ma))
                    }
                    _ => None,
                }
            }));
            done += wave.len();
            progress(OF_SCOUTS * done as f64 / fibers as f64);
        }
        let mut found: Vec<Found> = scouts.iter().map(found_by).collect();
        if refined {
            self.refine(&mut found, &coarse, options)?;
        }
        Ok(found)
    }

    /// The precision of the last trials of scouts.
    pub(super) fn scouts_in(&self, options: &ThresholdSearch) -> Precision {
        match self.whole.precision {
            Precision::F64 if options.resolution < FINEST_F32 => Precision::F64,
            _ => Precision::F32,
        }
    }

    /// Whether scouts can run: single precision holds all numbers of runs up to an amplitude, mA.
    pub(super) fn can_scout(&self, max_ma: f64) -> bool {
        if self.whole.precision == Precision::F32 {
            return true;
        }
        let fibers = 0..self.whole.fibers.len();
        let mut strongest = self.whole.clone();
        strongest.precision = Precision::F32;
        strongest.drive.gains = self
            .scaling
            .gains_of(fibers.clone().map(|fiber| (fiber, max_ma)));
        let mut fibers = fibers;
        fibers.all(|fiber| self.twins.fits_single(fiber, max_ma)) && strongest.check().is_ok()
    }

    /// Looks for the final cells of a resolution that single precision does not have.
    fn refine(
        &mut self,
        found: &mut [Found],
        coarse: &ThresholdSearch,
        options: &ThresholdSearch,
    ) -> Result<(), SimulationError> {
        let mut scouts = Vec::with_capacity(found.len());
        let mut open = Vec::new();
        for (fiber, found) in found.iter().enumerate() {
            let Found::Cell {
                upper_ma,
                around_ma,
                ..
            } = *found
            else {
                scouts.push(Scout::new(f64::MAX, 0.0, options));
                continue;
            };
            let guess = Guess {
                amplitude_ma: upper_ma * (1.0 - 0.5 * coarse.resolution),
                error: 0.5 * coarse.resolution + OF_PRECISION,
            };
            scouts.push(Scout::within(around_ma, guess, options.resolution));
            open.push(fiber);
        }
        let manner = self.scouts(Precision::F64);
        self.close_in(&mut scouts, &open, &vec![0.0; found.len()], manner, options)?;
        for fiber in open {
            found[fiber] = found_by(&scouts[fiber]);
        }
        Ok(())
    }

    /// Runs rounds of trials until the scouts of some fibers want nothing more. Stimuli up to `weak_ma` of each fiber are
    /// weak.
    fn close_in(
        &mut self,
        scouts: &mut [Scout],
        fibers: &[usize],
        weak_ma: &[f64],
        manner: Manner,
        options: &ThresholdSearch,
    ) -> Result<(), SimulationError> {
        let width = self.width(manner.precision);
        loop {
            let open: Vec<usize> = fibers
                .iter()
                .copied()
                .filter(|&fiber| scouts[fiber].found().is_none())
                .collect();
            if open.is_empty() {
                return Ok(());
            }
            // Lanes that would idle take trials that may be needed.
            let least: Vec<usize> = open
                .iter()
                .map(|&fiber| scouts[fiber].wants(options, 0).len())
                .collect();
            let needed: usize = least.iter().sum();
            let spare = needed.next_multiple_of(width) - needed;
            let (each, more) = (spare / open.len(), spare % open.len());
            let each = each.min(MOST_SPARE);
            let law = self.law(scouts);
            // Steps by which a trial takes longer for every halving of its distance to the threshold.
            let slower = law.tau_ms.unwrap_or(0.0) * LN_2 / self.whole.grid.dt_ms();
            let mut trials: Vec<(Trial, usize)> = Vec::with_capacity(needed + spare);
            for (at, &fiber) in open.iter().enumerate() {
                let until = self.silent_until(fiber, manner);
                let wanted = scouts[fiber].wants(options, each + usize::from(at < more));
                trials.extend(wanted.into_iter().map(|ma| {
                    let end = scouts[fiber].expected_end(ma, until, slower);
                    ((fiber, ma), end)
                }));
            }
            // Trials that end alike share lanes.
            let mut ordered = trials.clone();
            ordered.sort_by_key(|&(_, end)| end);
            let is_weak = |&(fiber, ma): &Trial| ma <= weak_ma[fiber];
            let ordered = ordered.into_iter().map(|(trial, _)| trial);
            let (weak, strong): (Vec<Trial>, Vec<Trial>) = ordered.partition(is_weak);
            let mut answers = self.answers(&strong, manner)?;
            answers.extend(self.answers(&weak, manner.of_weak())?);
            let mut next = trials.iter().map(|(trial, _)| *trial).peekable();
            while let Some(&(fiber, _)) = next.peek() {
                let mut of_fiber = Vec::new();
                while let Some((_, ma)) = next.next_if(|(other, _)| *other == fiber) {
                    if let Some(answer) = answers.get(&(fiber, ma.to_bits())) {
                        of_fiber.push((ma, *answer));
                    }
                }
                let driven = self.whole.driven_until(fiber);
                let until = self.silent_until(fiber, manner);
                let every = manner.quiet_end.map_or(0, |quiet| quiet.every);
                let rest = |answer: &Answer| {
                    let after = answer.end.saturating_sub(driven);
                    let dt_ms = self.whole.grid.dt_ms();
                    (
                        dt_ms * after as f64,
                        answer.end < until + every || !answer.is_quiet,
                    )
                };
                scouts[fiber].take(&of_fiber, rest, options, law);
            }
        }
    }

    /// The first waveform that is equal to each.
    fn kinds_of_waveforms(&self) -> Vec<usize> {
        let mut first: HashMap<Vec<u64>, usize> = HashMap::new();
        let waveforms = self.whole.drive.waveforms.iter().enumerate();
        let bits = |waveform: &[f64]| waveform.iter().map(|w| w.to_bits()).collect();
        let each = waveforms.map(|(index, waveform)| *first.entry(bits(waveform)).or_insert(index));
        each.collect()
    }

    /// Law of latencies of the scouts that are done, or nearly so, for the others.
    fn law(&self, scouts: &[Scout]) -> Law {
        let taus = |known: bool| {
            let some = scouts
                .iter()
                .filter(|scout| !known || scout.found().is_some());
            median(some.filter_map(Scout::time_constant_ms).collect())
        };
        let law = Law {
            tau_ms: taus(true).or_else(|| taus(false)),
            ln_rest: None,
        };
        let known = scouts.iter().filter_map(|scout| match scout.found() {
            Some(Found::Cell { upper_ma, .. }) => Some((scout, upper_ma)),
            _ => None,
        });
        let rests = known.flat_map(|(scout, threshold_ma)| {
            let each = scout.failed().iter();
            each.filter_map(move |failed| law.ln_rest_of(failed, threshold_ma))
        });
        Law {
            ln_rest: median(rests.collect()),
            ..law
        }
    }

    /// Properties that the threshold of a fiber depends on; none of space-time potentials.
    fn features(
        &self,
        fiber: usize,
        kinds: &[usize],
        reaching_ma: Option<f64>,
    ) -> Option<Features> {
        let sources = &self.whole.drive.sources[fiber];
        let scaled = self.scaling.kept(fiber, true, sources);
        let waveforms: Option<Vec<usize>> = scaled
            .iter()
            .map(|source| match source {
                Source::Separable { waveform, .. } => Some(kinds[*waveform]),
                Source::SpaceTime(_) => None,
            })
            .collect();
        Some(Features {
            waveforms: waveforms?,
            ln_size: self.whole.fibers[fiber].cable.capacitance_nf(0).ln(),
            ln_reaching: reaching_ma?.ln(),
        })
    }
}

fn found_by(scout: &Scout) -> Found {
    scout.found().unwrap_or(Found::Unclear)
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// Fibers in waves that grow, the first as many as run at once, each spread over what fibers may be like.
fn waves(features: &[Option<Features>], width: usize) -> Vec<Vec<usize>> {
    let mut left: Vec<usize> = (0..features.len()).collect();
    left.sort_by(|&a, &b| match (&features[a], &features[b]) {
        (Some(a), Some(b)) => (a.waveforms.cmp(&b.waveforms))
            .then(a.ln_size.total_cmp(&b.ln_size))
            .then(a.ln_reaching.total_cmp(&b.ln_reaching)),
        (a, b) => a.is_none().cmp(&b.is_none()),
    });
    let mut waves = Vec::new();
    let mut size = width.max(1);
    while left.len() >= 2 * size {
        let stride = left.len() as f64 / size as f64;
        let taken: Vec<usize> = (0..size)
            .map(|k| ((k as f64 + 0.5) * stride) as usize)
            .collect();
        waves.push(taken.iter().map(|&at| left[at]).collect());
        let mut at = 0..;
        left.retain(|_| {
            at.next()
                .is_some_and(|at| taken.binary_search(&at).is_err())
        });
        size *= GROWTH;
    }
    waves.push(left);
    waves.retain(|wave| !wave.is_empty());
    waves
}
