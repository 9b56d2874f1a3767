//! The canonical grid of a threshold search, and one search on it as a state machine driven by verdicts.
//!
//! Trials lie at the first amplitude times powers of two, and at the middles of the cells between them, of their
//! halves, and so on. What is known of a fiber beforehand ([`super::scout`]) changes which of these amplitudes are tried,
//! never which ones exist, so that it does not change the result.

use axonml_autodiff::engine::FiberStatus;

use super::ThresholdSearch;
use crate::SpikeStart;

/// One microampere in mA: default grids are this times powers of two.
const MICROAMPERE: f64 = 1e-3;
/// A search begins this far below the amplitude at which the passive fiber would reach the level.
const BELOW_TWIN: f64 = 1e-3;
/// Halvings below the first amplitude after which a fiber that still fires counts as firing by itself.
const MAX_HALVINGS: i32 = 100;

/// First amplitude of a search: the largest 1 uA times 2^-j that is not above a thousandth of the amplitude at which
/// the passive twin reaches the level, and at most 1 uA; or the largest on this grid that is not above another part of
/// that amplitude.
pub(super) fn first_amplitude(reaching_ma: Option<f64>, max_ma: f64, part: Option<f64>) -> f64 {
    let least = reaching_ma.map_or(max_ma, |reaching| max_ma.min(BELOW_TWIN * reaching));
    let mut first = MICROAMPERE;
    while first > least && first > f64::MIN_POSITIVE / f64::EPSILON {
        first *= 0.5;
    }
    let most = reaching_ma
        .zip(part)
        .map(|(reaching, part)| part * reaching);
    while most.is_some_and(|most| 2.0 * first <= most.min(max_ma)) {
        first *= 2.0;
    }
    first
}

/// The largest amplitude of the default grid that is not above `limit_ma`.
pub(super) fn largest_up_to(limit_ma: f64) -> f64 {
    let mut amplitude = first_amplitude(None, limit_ma, None);
    while 2.0 * amplitude <= limit_ma {
        amplitude *= 2.0;
    }
    amplitude
}

/// The final cell within `cell` that holds an amplitude: the cell is halved until it is as narrow as the resolution
/// says. Amplitudes outside belong to the cell at that end; a limit between cells belongs to the lower one.
pub(super) fn final_cell(cell: (f64, f64), amplitude_ma: f64, resolution: f64) -> (f64, f64) {
    let (mut lower, mut upper) = cell;
    while upper - lower > resolution * upper {
        let middle = 0.5 * (lower + upper);
        match amplitude_ma <= middle {
            true => upper = middle,
            false => lower = middle,
        }
    }
    (lower, upper)
}

/// Response to one simulated amplitude.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Verdict {
    /// An action potential reaches a detection site.
    Fires(SpikeStart),
    /// None does, although nodes cross the level.
    Local,
    /// No node crosses the level.
    Quiet,
    /// The solution diverged.
    Diverged(FiberStatus),
}

/// The end of a search, before the responses to its trials are classified.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Ending {
    Found {
        lower_ma: f64,
        upper_ma: f64,
        start: SpikeStart,
        /// A smaller amplitude at which nodes cross, with no firing amplitude between it and the silent ones.
        local_below_ma: Option<f64>,
    },
    NotFound {
        top_ma: f64,
        /// Whether nodes cross the level there.
        local: bool,
    },
    Spontaneous,
    Diverged {
        amplitude_ma: f64,
        status: FiberStatus,
        lower_ma: Option<f64>,
    },
}

impl Ending {
    /// The amplitude that is reported as a lower bound.
    pub(super) fn lower_ma(&self) -> Option<f64> {
        match *self {
            Ending::Found { lower_ma, .. } => Some(lower_ma),
            Ending::NotFound { top_ma, .. } => Some(top_ma),
            Ending::Diverged { lower_ma, .. } => lower_ma,
            Ending::Spontaneous => None,
        }
    }
}

/// Neighboring amplitudes, the lower silent, the upper with crossings that reach no site: a window of firing may lie
/// between them.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Window {
    quiet: f64,
    local: f64,
}

/// The continuation of a search whose supposed window does not exist.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Then {
    /// The cell above it in which the fiber fires.
    Halve(Cell),
    /// Grid points above the first amplitude are tried.
    Rise,
    /// Nothing: the largest amplitude was reached.
    Stop { top_ma: f64, local: bool },
}

/// A cell of the grid whose lower end failed and whose upper end fired.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Cell {
    lower: f64,
    upper: f64,
    start: SpikeStart,
}

#[derive(Clone, Debug)]
enum Phase {
    /// Amplitude 0.
    Silence,
    /// Grid points upward: `failed` is the largest that failed so far.
    Rising {
        failed: f64,
        next: f64,
        window: Option<Window>,
    },
    /// Grid points downward from the first amplitude, which fired or let nodes cross.
    Falling {
        next: f64,
        fired: Option<(f64, SpikeStart)>,
        local: Option<f64>,
    },
    /// Between a silent amplitude and one with crossings, in search of one that fires.
    Probing {
        window: Window,
        then: Then,
    },
    /// Within a cell.
    Halving(Halving),
    Done(Ending),
}

/// The search within a cell of the grid.
#[derive(Clone, Debug)]
struct Halving {
    cell: Cell,
    /// Largest amplitude known to fail and smallest known to fire.
    failed: f64,
    fired: f64,
    /// Where the action potential began at the latter.
    start: SpikeStart,
    local_below: Option<f64>,
}

/// One fiber's search.
#[derive(Clone, Debug)]
pub(super) struct Search {
    first_ma: f64,
    phase: Phase,
}

impl Search {
    /// A search from `first_ma` upward, or one whose ending is known.
    pub(super) fn new(first_ma: f64, ending: Option<Ending>) -> Self {
        Search {
            first_ma,
            phase: ending.map_or(Phase::Silence, Phase::Done),
        }
    }

    /// The amplitude that the search begins with, mA.
    pub(super) fn first_ma(&self) -> f64 {
        self.first_ma
    }

    /// Discards all verdicts.
    pub(super) fn begin_again(&mut self) {
        self.phase = Phase::Silence;
    }

    /// The amplitude whose verdict is needed next.
    pub(super) fn wants(&self, options: &ThresholdSearch) -> Option<f64> {
        match &self.phase {
            Phase::Silence => Some(0.0),
            Phase::Rising { next, .. } | Phase::Falling { next, .. } => Some(*next),
            Phase::Probing { window, .. } => Some(0.5 * (window.quiet + window.local)),
            Phase::Halving(halving) => match halving.next(options) {
                Next::Try(amplitude) => Some(amplitude),
                Next::Done(..) => None,
            },
            Phase::Done(_) => None,
        }
    }

    /// The end of the search, if it is finished.
    pub(super) fn ending(&self) -> Option<Ending> {
        match self.phase {
            Phase::Done(ending) => Some(ending),
            _ => None,
        }
    }

    /// Takes the verdict at the requested amplitude.
    pub(super) fn advance(&mut self, verdict: Verdict, options: &ThresholdSearch) {
        let Some(amplitude) = self.wants(options) else {
            return;
        };
        if let Verdict::Diverged(status) = verdict {
            let lower_ma = match &self.phase {
                Phase::Silence | Phase::Falling { .. } => None,
                Phase::Rising { failed, .. } => Some(*failed),
                Phase::Probing { window, .. } => Some(window.quiet),
                Phase::Halving(halving) => Some(halving.failed),
                Phase::Done(_) => None,
            };
            self.phase = Phase::Done(Ending::Diverged {
                amplitude_ma: amplitude,
                status,
                lower_ma,
            });
            return;
        }
        let phase = std::mem::replace(&mut self.phase, Phase::Silence);
        self.phase = match phase {
            Phase::Silence => match verdict {
                Verdict::Quiet => Phase::Rising {
                    failed: 0.0,
                    next: self.first_ma.min(options.max_ma),
                    window: None,
                },
                _ => Phase::Done(Ending::Spontaneous),
            },
            Phase::Rising {
                failed,
                next,
                window,
            } => self.risen(failed, next, window, verdict, options),
            Phase::Falling { next, fired, local } => {
                self.fallen(next, fired, local, verdict, options)
            }
            Phase::Probing { window, then } => {
                self.probed(window, then, amplitude, verdict, options)
            }
            Phase::Halving(mut halving) => {
                halving.take(amplitude, verdict);
                halving.into_phase(options)
            }
            done @ Phase::Done(_) => done,
        };
    }

    fn risen(
        &self,
        failed: f64,
        next: f64,
        window: Option<Window>,
        verdict: Verdict,
        options: &ThresholdSearch,
    ) -> Phase {
        let is_first = failed == 0.0;
        match verdict {
            Verdict::Fires(start) if is_first => Phase::Falling {
                next: 0.5 * next,
                fired: Some((next, start)),
                local: None,
            },
            Verdict::Local if is_first => Phase::Falling {
                next: 0.5 * next,
                fired: None,
                local: Some(next),
            },
            Verdict::Fires(start) => {
                let cell = Cell {
                    lower: failed,
                    upper: next,
                    start,
                };
                match window {
                    Some(window) => Phase::Probing {
                        window,
                        then: Then::Halve(cell),
                    },
                    None => self.halve(cell, None, options),
                }
            }
            verdict => {
                let local = verdict == Verdict::Local;
                let seen = local.then_some(Window {
                    quiet: failed,
                    local: next,
                });
                let window = window.or(seen);
                if next < options.max_ma {
                    return Phase::Rising {
                        failed: next,
                        next: (2.0 * next).min(options.max_ma),
                        window,
                    };
                }
                let top_ma = next;
                match window {
                    Some(window) => Phase::Probing {
                        window,
                        then: Then::Stop { top_ma, local },
                    },
                    None => Phase::Done(Ending::NotFound { top_ma, local }),
                }
            }
        }
    }

    fn fallen(
        &self,
        next: f64,
        fired: Option<(f64, SpikeStart)>,
        local: Option<f64>,
        verdict: Verdict,
        options: &ThresholdSearch,
    ) -> Phase {
        let (fired, local) = match verdict {
            Verdict::Fires(start) => (Some((next, start)), None),
            Verdict::Local => (fired, Some(next)),
            _ => {
                let cell = fired.map(|(upper, start)| Cell {
                    lower: 0.5 * upper,
                    upper,
                    start,
                });
                return match (cell, local) {
                    (Some(cell), None) => self.halve(cell, None, options),
                    (cell, local) => Phase::Probing {
                        window: Window {
                            quiet: next,
                            local: local.unwrap_or(2.0 * next),
                        },
                        then: cell.map_or(Then::Rise, Then::Halve),
                    },
                };
            }
        };
        if next < self.first_ma * 0.5_f64.powi(MAX_HALVINGS) {
            return Phase::Done(Ending::Spontaneous);
        }
        Phase::Falling {
            next: 0.5 * next,
            fired,
            local,
        }
    }

    fn probed(
        &self,
        window: Window,
        then: Then,
        amplitude: f64,
        verdict: Verdict,
        options: &ThresholdSearch,
    ) -> Phase {
        let window = match verdict {
            Verdict::Fires(start) => {
                let cell = Cell {
                    lower: window.quiet,
                    upper: amplitude,
                    start,
                };
                return self.halve(cell, None, options);
            }
            Verdict::Local => Window {
                local: amplitude,
                ..window
            },
            _ => Window {
                quiet: amplitude,
                ..window
            },
        };
        if window.local - window.quiet > options.resolution * window.local {
            return Phase::Probing { window, then };
        }
        match then {
            Then::Halve(cell) => self.halve(cell, Some(window.local), options),
            Then::Stop { top_ma, local } => Phase::Done(Ending::NotFound { top_ma, local }),
            Then::Rise if self.first_ma >= options.max_ma => Phase::Done(Ending::NotFound {
                top_ma: self.first_ma,
                local: true,
            }),
            Then::Rise => Phase::Rising {
                failed: self.first_ma,
                next: (2.0 * self.first_ma).min(options.max_ma),
                // Whatever is found above lies above these crossings.
                window: Some(window),
            },
        }
    }

    fn halve(&self, cell: Cell, local_below: Option<f64>, options: &ThresholdSearch) -> Phase {
        let halving = Halving {
            cell,
            failed: cell.lower,
            fired: cell.upper,
            start: cell.start,
            local_below,
        };
        halving.into_phase(options)
    }

    /// Fraction of the search that is done after `answers`, estimated from the trials that remain.
    pub(super) fn fraction(&self, answers: usize, options: &ThresholdSearch) -> f64 {
        let halvings = |ratio: f64| ratio.max(1.0).log2().ceil();
        let full = halvings(1.0 / options.resolution);
        let left = match &self.phase {
            Phase::Silence => halvings(options.max_ma / self.first_ma) + full,
            Phase::Rising { next, .. } => halvings(options.max_ma / next) + full,
            Phase::Falling { .. } | Phase::Probing { .. } => full,
            Phase::Halving(halving) => {
                halvings((halving.fired - halving.failed) / (options.resolution * halving.fired))
            }
            Phase::Done(_) => return 1.0,
        };
        let done = answers as f64;
        done / (done + left.max(1.0))
    }

    /// Amplitudes that the next `depth` verdicts may request: the current one and, for either verdict, those after it.
    pub(super) fn speculate(
        &self,
        depth: usize,
        options: &ThresholdSearch,
        amplitudes: &mut Vec<f64>,
    ) {
        let Some(amplitude) = self.wants(options) else {
            return;
        };
        if !amplitudes.contains(&amplitude) {
            amplitudes.push(amplitude);
        }
        if depth > 1 {
            let fires = Verdict::Fires(SpikeStart {
                node: 0,
                z_um: 0.0,
                time_ms: 0.0,
            });
            for verdict in [fires, Verdict::Quiet] {
                let mut next = self.clone();
                next.advance(verdict, options);
                next.speculate(depth - 1, options, amplitudes);
            }
        }
    }
}

enum Next {
    Try(f64),
    Done(f64, f64),
}

impl Halving {
    /// The middle of the present cell.
    fn next(&self, options: &ThresholdSearch) -> Next {
        let (mut lower, mut upper) = (self.cell.lower, self.cell.upper);
        while upper - lower > options.resolution * upper {
            let middle = 0.5 * (lower + upper);
            if middle <= self.failed {
                lower = middle;
            } else if middle >= self.fired {
                upper = middle;
            } else {
                return Next::Try(middle);
            }
        }
        Next::Done(lower, upper)
    }

    fn take(&mut self, amplitude: f64, verdict: Verdict) {
        let start = match verdict {
            Verdict::Fires(start) => Some(start),
            _ => None,
        };
        match start {
            Some(start) => (self.fired, self.start) = (amplitude, start),
            None => self.failed = amplitude,
        }
    }

    fn into_phase(self, options: &ThresholdSearch) -> Phase {
        let Next::Done(lower, upper) = self.next(options) else {
            return Phase::Halving(self);
        };
        Phase::Done(Ending::Found {
            lower_ma: lower,
            upper_ma: upper,
            start: self.start,
            local_below_ma: self.local_below,
        })
    }
}

#[cfg(test)]
mod tests;
