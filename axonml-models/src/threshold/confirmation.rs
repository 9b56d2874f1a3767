//! Confirmation of scouts' results by trials that count: in the requested precision, and to the end.

use super::ThresholdSearch;
use super::grid::{Ending, Verdict, final_cell};
use super::scout::Found;
use super::scouting::MOST_SPARE;
use super::seen::Trial;
use super::trials::Trials;
use crate::{SimulationError, SpikeStart};

/// Rounds after which a fiber whose threshold is not near where it was expected is left to a search.
const ROUNDS: usize = 12;

/// One fiber's confirmation.
#[derive(Debug)]
enum Confirmation {
    Cell(Bracket),
    /// Silence at the largest amplitude.
    Nothing(f64),
    Done(Ending),
    /// Left to a search.
    Refuted,
}

/// The cell of factor 2 that a threshold lies in, and what is known of it.
#[derive(Debug)]
struct Bracket {
    around_ma: (f64, f64),
    lower_ma: f64,
    upper_ma: f64,
    /// Largest amplitude that failed, smallest that fired, and where.
    failed: Option<f64>,
    fired: Option<(f64, SpikeStart)>,
    /// Final cells by which the next trial moves if all lie on one side.
    step: f64,
}

impl Trials<'_> {
    /// The endings of searches that would find what scouts did, `None` where trials tell otherwise.
    pub(super) fn confirmed(
        &mut self,
        found: &[Found],
        options: &ThresholdSearch,
    ) -> Result<Vec<Option<Ending>>, SimulationError> {
        let manner = self.exact();
        // What scouts ran as it would be run here need not be run again.
        let scouts = self.scouts_in(options);
        let is_known = scouts == manner.precision && manner.early;
        let of = |found: &Found| Confirmation::of(found, is_known);
        let mut all: Vec<Confirmation> = found.iter().map(of).collect();
        for round in 0..ROUNDS {
            let mut trials: Vec<Trial> = Vec::new();
            let wants = |confirmation: &Confirmation| confirmation.wants(options.resolution, 0);
            let needed: Vec<usize> = all.iter().map(|x| wants(x).len()).collect();
            let open = needed.iter().filter(|needed| **needed > 0).count();
            if open == 0 {
                break;
            }
            // Lanes that would idle take trials that may be needed.
            let needed: usize = needed.iter().sum();
            let spare = needed.next_multiple_of(self.width(manner.precision)) - needed;
            for (fiber, confirmation) in all.iter().enumerate() {
                let mut wanted =
                    confirmation.wants(options.resolution, (spare / open).min(MOST_SPARE));
                if round == 0 && !wanted.is_empty() {
                    wanted.extend(self.besides(confirmation, options.resolution));
                }
                trials.extend(wanted.into_iter().map(|ma| (fiber, ma)));
            }
            // Those that are expected to fire end sooner than those that fail.
            let fires = |&(fiber, ma): &Trial| all[fiber].fires_at(ma);
            let (mut ordered, mut silent): (Vec<Trial>, Vec<Trial>) =
                trials.iter().partition(|trial| fires(trial));
            ordered.append(&mut silent);
            let answers = self.answers(&ordered, manner)?;
            for (fiber, ma) in trials {
                let Some(answer) = answers.get(&(fiber, ma.to_bits())) else {
                    continue;
                };
                let confirmation = std::mem::replace(&mut all[fiber], Confirmation::Refuted);
                all[fiber] = confirmation.take(ma, answer.verdict);
            }
            all.iter_mut()
                .for_each(|confirmation| confirmation.go_on(options.resolution));
        }
        let ending = |confirmation| match confirmation {
            Confirmation::Done(ending) => Some(ending),
            _ => None,
        };
        Ok(all.into_iter().map(ending).collect())
    }

    /// Amplitudes whose verdicts count besides those of an ending: without stimulus no fiber fires, and an explicit
    /// cable is stable wherever plain halving of the cell of factor 2 would look.
    fn besides(&self, confirmation: &Confirmation, resolution: f64) -> Vec<f64> {
        let mut besides = vec![0.0];
        if let Confirmation::Cell(bracket) = confirmation
            && !self.exact().early
        {
            besides.extend(bracket.halvings(resolution));
        }
        besides
    }
}

impl Confirmation {
    /// That of what a scout found; `is_known` if its trials count as they are.
    fn of(found: &Found, is_known: bool) -> Self {
        match *found {
            Found::Cell {
                lower_ma,
                upper_ma,
                start,
                around_ma,
            } => Confirmation::Cell(Bracket {
                around_ma,
                lower_ma,
                upper_ma,
                failed: None,
                fired: is_known.then_some((upper_ma, start)),
                step: 1.0,
            }),
            Found::Nothing { top_ma } => Confirmation::Nothing(top_ma),
            Found::Unclear => Confirmation::Refuted,
        }
    }

    /// Amplitudes to be tried next: what is needed, and up to `spare` more that may be.
    fn wants(&self, resolution: f64, spare: usize) -> Vec<f64> {
        match self {
            Confirmation::Cell(bracket) => bracket.wants(resolution, spare),
            Confirmation::Nothing(top_ma) => vec![*top_ma],
            Confirmation::Done(_) | Confirmation::Refuted => Vec::new(),
        }
    }

    /// Decides what comes after the answers of a round.
    fn go_on(&mut self, resolution: f64) {
        if let Confirmation::Cell(bracket) = self {
            match bracket.next(resolution) {
                Some(ending) => *self = Confirmation::Done(ending),
                None if bracket.is_contradictory() => *self = Confirmation::Refuted,
                None => {}
            }
        }
    }

    /// Whether a fiber is expected to fire at an amplitude.
    fn fires_at(&self, amplitude_ma: f64) -> bool {
        matches!(self, Confirmation::Cell(bracket) if amplitude_ma >= bracket.upper_ma)
    }

    fn take(self, amplitude_ma: f64, verdict: Verdict) -> Self {
        match (self, verdict) {
            (_, Verdict::Diverged(_)) | (Confirmation::Refuted, _) => Confirmation::Refuted,
            (open, Verdict::Quiet) if amplitude_ma == 0.0 => open,
            (_, _) if amplitude_ma == 0.0 => Confirmation::Refuted,
            (Confirmation::Nothing(top_ma), Verdict::Quiet) => {
                Confirmation::Done(Ending::NotFound {
                    top_ma,
                    local: false,
                })
            }
            (Confirmation::Cell(mut bracket), verdict) => {
                bracket.take(amplitude_ma, verdict);
                Confirmation::Cell(bracket)
            }
            (done @ Confirmation::Done(_), _) => done,
            (Confirmation::Nothing(_), _) => Confirmation::Refuted,
        }
    }
}

impl Bracket {
    fn cell(&self, amplitude_ma: f64, resolution: f64) -> (f64, f64) {
        final_cell(self.around_ma, amplitude_ma, resolution)
    }

    /// The upper end of the cell of factor 2, and the middles that plain halving of it asks for on its way to the
    /// bracket, but for the bracket's own ends.
    fn halvings(&self, resolution: f64) -> Vec<f64> {
        let (mut lower, mut upper) = self.around_ma;
        let mut asked = vec![upper];
        while upper - lower > resolution * upper {
            let middle = 0.5 * (lower + upper);
            match middle <= self.lower_ma {
                true => lower = middle,
                false => upper = middle,
            }
            asked.push(middle);
        }
        asked.retain(|ma| *ma != self.lower_ma && *ma != self.upper_ma);
        asked
    }

    /// Both ends of the final cell, as far as they are not known, and up to `spare` ends of others.
    fn wants(&self, resolution: f64, spare: usize) -> Vec<f64> {
        let (least, most) = self.around_ma;
        let failed = self.failed;
        let fired = self.fired.map(|(fired, _)| fired);
        let is_open = |ma: f64| failed.is_none_or(|x| x < ma) && fired.is_none_or(|x| ma < x);
        let ends = [self.lower_ma, self.upper_ma];
        let mut wanted: Vec<f64> = ends.into_iter().filter(|ma| is_open(*ma)).collect();
        if wanted.is_empty() || spare == 0 {
            return wanted;
        }
        let steps = (0..spare as i32).map(|k| self.step * 2.0_f64.powi(k) * resolution);
        let parts = (1..=spare).map(|k| k as f64 / (spare + 1) as f64);
        let others: Vec<f64> = match (failed, fired) {
            (Some(failed), Some(fired)) => parts
                .map(|part| self.cell(failed + part * (fired - failed), resolution).1)
                .collect(),
            (Some(_), None) => steps
                .map(|step| {
                    self.cell((self.upper_ma * (1.0 + step)).min(most), resolution)
                        .1
                })
                .collect(),
            (None, _) => steps
                .map(|step| {
                    self.cell((self.lower_ma * (1.0 - step)).max(least), resolution)
                        .0
                })
                .collect(),
        };
        for ma in others {
            if is_open(ma) && !wanted.contains(&ma) {
                wanted.push(ma);
            }
        }
        wanted
    }

    fn take(&mut self, amplitude_ma: f64, verdict: Verdict) {
        match verdict {
            Verdict::Fires(start) => {
                if self.fired.is_none_or(|(fired, _)| amplitude_ma < fired) {
                    self.fired = Some((amplitude_ma, start));
                }
            }
            _ => self.failed = Some(self.failed.map_or(amplitude_ma, |x| x.max(amplitude_ma))),
        }
    }

    /// Whether it fired below where it failed, or on one side of the threshold throughout the cell of factor 2.
    fn is_contradictory(&self) -> bool {
        let (least, most) = self.around_ma;
        match (self.failed, self.fired) {
            (Some(failed), Some((fired, _))) => fired <= failed,
            (Some(failed), None) => failed >= most,
            (None, Some((fired, _))) => fired <= least,
            (None, None) => false,
        }
    }

    /// The ending, or the final cell to be tried next.
    fn next(&mut self, resolution: f64) -> Option<Ending> {
        let cell = |ma: f64| self.cell(ma, resolution);
        let (least, most) = self.around_ma;
        let (lower, upper) = match (self.failed, self.fired) {
            _ if self.is_contradictory() => return None,
            (Some(failed), Some((fired, start))) => {
                let (lower, upper) = cell(fired);
                if (lower, upper) == (failed, fired) {
                    return Some(Ending::Found {
                        lower_ma: lower,
                        upper_ma: upper,
                        start,
                        local_below_ma: None,
                    });
                }
                // Nothing is tried twice.
                let (lower, upper) = cell(0.5 * (failed + fired));
                (lower.max(failed), upper.min(fired))
            }
            (Some(failed), None) => {
                let (_, upper) = cell((failed * (1.0 + self.step * resolution)).min(most));
                (failed, upper)
            }
            (None, Some((fired, _))) => {
                let (lower, _) = cell((fired * (1.0 - self.step * resolution)).max(least));
                (lower, fired)
            }
            (None, None) => return None,
        };
        self.step *= 2.0;
        (self.lower_ma, self.upper_ma) = (lower, upper);
        None
    }
}

#[cfg(test)]
mod tests;
