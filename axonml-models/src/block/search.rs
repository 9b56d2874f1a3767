//! The search for block thresholds of one fiber, as a function of the answers that are known.
//!
//! The function is read from the beginning whenever answers were added. It ends at the first question without an answer,
//! so that answers which were computed in advance cannot change what it finds.

use std::collections::{BTreeMap, VecDeque};

use axonml_autodiff::engine::FiberStatus;

use super::trials::Kind;
use super::{BlockSearch, BlockStatus, BlockThreshold, Bracket, TransmissionState};

/// One microampere in mA: grids are this times powers of 2^(1/4).
const MICROAMPERE: f64 = 1e-3;
/// 2^(j/4) for j from 0 to 3, correctly rounded.
const STEPS: [f64; 4] = [
    1.0,
    1.189_207_115_002_721,
    std::f64::consts::SQRT_2,
    1.681_792_830_507_429,
];
/// Halvings between 0 and a first amplitude that fires; the bracket then ends at 0.
const MAX_HALVINGS: usize = 100;

/// Response of the fiber to an amplitude.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Answer {
    /// Whether an action potential reaches a detection site in a run of [`Kind::Alone`].
    Fires(bool),
    /// The state of a run with test pulses, and whether one arrives in every window.
    Passes(TransmissionState, bool),
    /// The solution diverged.
    Diverged(FiberStatus),
}

/// A run whose answer is needed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Question {
    pub(super) kind: Kind,
    pub(super) amplitude_ma: f64,
    /// The answer that leads to the next question of a scan; a bisection has none.
    expected: Option<bool>,
}

/// Answers by kind of run and amplitude.
#[derive(Clone, Debug, Default)]
pub(super) struct Known(BTreeMap<(Kind, u64), Answer>);

impl Known {
    pub(super) fn insert(&mut self, kind: Kind, amplitude_ma: f64, answer: Answer) {
        self.0.insert((kind, amplitude_ma.to_bits()), answer);
    }

    /// Number of answers.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

/// Grid points in ascending order, from the largest that is not above the first amplitude to the largest amplitude, which
/// is one of them, and whether each is tried where nothing changes quickly: powers of two and the last.
pub(super) fn grid(options: &BlockSearch) -> Vec<(f64, bool)> {
    let at = |j: i32| MICROAMPERE * 2.0_f64.powi(j.div_euclid(4)) * STEPS[j.rem_euclid(4) as usize];
    let mut j = (4.0 * (options.first_ma / MICROAMPERE).log2()).ceil() as i32 + 1;
    while at(j) > options.first_ma {
        j -= 1;
    }
    let points = (j..).map(|j| (at(j), j.rem_euclid(4) == 0));
    let mut points: Vec<(f64, bool)> = points.take_while(|at| at.0 < options.max_ma).collect();
    points.push((options.max_ma, true));
    points
}

/// Why the function ends early.
enum Stop {
    Unknown(Question),
    Diverged {
        amplitude_ma: f64,
        status: FiberStatus,
    },
}

/// The search of one fiber.
struct Inquiry<'k> {
    known: &'k Known,
    grid: &'k [(f64, bool)],
    resolution: f64,
}

/// The result of a search with these answers, or the question without which there is none.
pub(super) fn decide(
    known: &Known,
    grid: &[(f64, bool)],
    resolution: f64,
) -> Result<BlockThreshold, Question> {
    let mut found = BlockThreshold {
        excitation: None,
        block: None,
        reexcitation: None,
        status: BlockStatus::NoBlock,
    };
    let inquiry = Inquiry {
        known,
        grid,
        resolution,
    };
    found.status = match inquiry.search(&mut found) {
        Ok(status) => status,
        Err(Stop::Diverged {
            amplitude_ma,
            status,
        }) => BlockStatus::Diverged {
            amplitude_ma,
            status,
        },
        Err(Stop::Unknown(question)) => return Err(question),
    };
    Ok(found)
}

/// Questions that the search may ask next, at most `most`, the next one first: those of a scan one after the other, those
/// of a bisection for either answer.
pub(super) fn speculate(
    known: &Known,
    grid: &[(f64, bool)],
    resolution: f64,
    most: usize,
) -> Vec<Question> {
    let mut questions: Vec<Question> = Vec::new();
    let mut worlds = VecDeque::from([known.clone()]);
    // Different answers may lead to the same question: the number of looks is bounded, too.
    for _ in 0..4 * most.max(1) {
        let Some(world) = worlds.pop_front() else {
            break;
        };
        let Err(question) = decide(&world, grid, resolution) else {
            continue;
        };
        let same = |other: &Question| {
            (other.kind, other.amplitude_ma) == (question.kind, question.amplitude_ma)
        };
        if !questions.iter().any(same) {
            questions.push(question);
        }
        if questions.len() >= most.max(1) {
            break;
        }
        for yes in [false, true] {
            if question.expected.is_none_or(|expected| expected == yes) {
                let mut next = world.clone();
                next.insert(
                    question.kind,
                    question.amplitude_ma,
                    assumed(question.kind, yes),
                );
                worlds.push_back(next);
            }
        }
    }
    questions
}

/// An answer for which [`Inquiry::holds`] is `yes`.
fn assumed(kind: Kind, yes: bool) -> Answer {
    match (kind, yes) {
        (Kind::Alone, yes) => Answer::Fires(yes),
        (_, true) => Answer::Passes(TransmissionState::Blocked, false),
        (_, false) => Answer::Passes(TransmissionState::Transmitted, true),
    }
}

impl Inquiry<'_> {
    fn answer(
        &self,
        kind: Kind,
        amplitude_ma: f64,
        expected: Option<bool>,
    ) -> Result<Answer, Stop> {
        match self.known.0.get(&(kind, amplitude_ma.to_bits())) {
            None => Err(Stop::Unknown(Question {
                kind,
                amplitude_ma,
                expected,
            })),
            Some(&Answer::Diverged(status)) => Err(Stop::Diverged {
                amplitude_ma,
                status,
            }),
            Some(&answer) => Ok(answer),
        }
    }

    /// Whether the sources alone excite, or the test pulses are blocked.
    fn holds(&self, kind: Kind, amplitude_ma: f64, expected: Option<bool>) -> Result<bool, Stop> {
        let answer = self.answer(kind, amplitude_ma, expected)?;
        Ok(match answer {
            Answer::Fires(fires) => fires,
            Answer::Passes(state, _) => state == TransmissionState::Blocked,
            Answer::Diverged(_) => false,
        })
    }

    /// The first of `points` at which [`Inquiry::holds`] becomes `target`, bracketed; `below` is an amplitude at which it
    /// is not. Returns the bracket and the point.
    fn edge(
        &self,
        kind: Kind,
        below: f64,
        points: impl Iterator<Item = f64>,
        target: bool,
    ) -> Result<Option<(Bracket, f64)>, Stop> {
        let mut lower = below;
        for upper in points {
            if self.holds(kind, upper, Some(!target))? == target {
                return Ok(Some((self.bisect(kind, lower, upper, target)?, upper)));
            }
            lower = upper;
        }
        Ok(None)
    }

    fn bisect(
        &self,
        kind: Kind,
        mut lower_ma: f64,
        mut upper_ma: f64,
        target: bool,
    ) -> Result<Bracket, Stop> {
        for _ in 0..MAX_HALVINGS {
            if upper_ma - lower_ma <= self.resolution * upper_ma {
                break;
            }
            let middle = 0.5 * (lower_ma + upper_ma);
            match self.holds(kind, middle, None)? == target {
                true => upper_ma = middle,
                false => lower_ma = middle,
            }
        }
        Ok(Bracket { lower_ma, upper_ma })
    }

    fn search(&self, found: &mut BlockThreshold) -> Result<BlockStatus, Stop> {
        if self.holds(Kind::Alone, 0.0, Some(false))? {
            return Ok(BlockStatus::Spontaneous);
        }
        let silent = self.answer(Kind::Pulsed, 0.0, Some(false))?;
        if !matches!(silent, Answer::Passes(_, true)) {
            return Ok(BlockStatus::NoActivation);
        }
        let all = self.grid.iter().map(|&(ma, _)| ma);
        let excitation = self.edge(Kind::Alone, 0.0, all, true)?;
        found.excitation = excitation.map(|(bracket, _)| bracket);
        // Far below excitation nothing changes quickly: one point an octave.
        let fine_from = excitation.map_or(0.0, |(_, fires_ma)| 0.5 * fires_ma);
        let scan: Vec<f64> = self
            .grid
            .iter()
            .filter(|&&(ma, octave)| octave || ma >= fine_from)
            .map(|&(ma, _)| ma)
            .collect();
        let Some((block, blocked_ma)) = self.edge(Kind::Pulsed, 0.0, scan.iter().copied(), true)?
        else {
            for &ma in &scan {
                let answer = self.answer(Kind::Pulsed, ma, Some(false))?;
                if matches!(answer, Answer::Passes(TransmissionState::Partial, _)) {
                    return Ok(BlockStatus::PartialBlock);
                }
            }
            return Ok(BlockStatus::NoBlock);
        };
        found.block = Some(block);
        let above = scan.into_iter().filter(|&ma| ma > blocked_ma);
        let reexcitation = self.edge(Kind::Pulsed, blocked_ma, above, false)?;
        found.reexcitation = reexcitation.map(|(bracket, _)| bracket);
        Ok(
            match self.holds(Kind::Mirrored, block.upper_ma, Some(true))? {
                true => BlockStatus::Ok,
                false => BlockStatus::OneWayBlock,
            },
        )
    }
}

#[cfg(test)]
mod tests;
