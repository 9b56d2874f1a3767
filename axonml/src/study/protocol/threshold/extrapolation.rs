//! Thresholds extrapolated to a vanishing time step.
//!
//! All schemes are Euler's, so that thresholds approach their limit as `theta(dt) = theta(0) + c dt + O(dt^2)`. A second
//! search at half the step removes the first order: `theta(0) = 2 theta(dt/2) - theta(dt) + O(dt^2)`.
//!
//! Both searches are brackets, and so is what is extrapolated from them: of `[l, u]` at `dt` and `[l', u']` at `dt/2` the
//! bracket is `[2 l' - u, 2 u' - l]`, as wide as one of the first and two of the second. It accounts for the resolution of
//! the searches, not for the second order in `dt` that is left.
//!
//! # Source
//! L. F. Richardson, J. A. Gaunt, "The deferred approach to the limit", Phil. Trans. R. Soc. A 226 (1927) 299-361.

use std::collections::HashMap;

use axonml_core::TimeGrid;
use axonml_core::error::short;
use axonml_models::ThresholdSearch;

use super::{Found, Unit, search, search_near};
use crate::study::StudyError;
use crate::study::case::{Case, CaseSource};
use crate::study::plan::Plan;
use crate::study::report::Cell;
use crate::study::spec::Study;

/// How much finer than asked for both searches are, so that the bracket of the extrapolated threshold is no wider than
/// was asked for: three of them add up to 3/4.
const FINER: f64 = 4.0;

/// Steps that a phase of a pulse lasts at least, if it is constant and if it is not: a threshold under fewer does not
/// approach its limit in proportion to the step yet.
const CONSTANT_STEPS: usize = 4;
const VARYING_STEPS: usize = 8;

/// An interval of amplitudes, mA.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Bracket {
    lower_ma: f64,
    upper_ma: f64,
}

impl Bracket {
    fn of(found: &Found) -> Option<Self> {
        Some(Bracket {
            lower_ma: found.lower_ma?,
            upper_ma: found.upper_ma?,
        })
    }

    /// The bracket of the limit, from that at a step and that at its half.
    fn extrapolated(whole: Self, half: Self) -> Self {
        Bracket {
            lower_ma: 2.0 * half.lower_ma - whole.upper_ma,
            upper_ma: 2.0 * half.upper_ma - whole.lower_ma,
        }
    }

    fn middle_ma(self) -> f64 {
        0.5 * (self.lower_ma + self.upper_ma)
    }
}

/// Threshold at half the time step, and the limit extrapolated from both.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Extrapolation {
    /// Status of the search at half the step; empty where none was made.
    half_status: String,
    half: Option<Bracket>,
    limit: Option<Bracket>,
}

/// Columns of an extrapolation.
pub(super) const COLUMNS: usize = 6;

impl Extrapolation {
    /// From the searches at a step and at its half; or the reason why there is no extrapolation.
    fn new(whole: &Found, half: &Found) -> Result<Self, (Self, String)> {
        let known = Extrapolation {
            half_status: half.status.clone(),
            half: Bracket::of(half).filter(|_| half.upper_ma.is_some()),
            limit: None,
        };
        let (Some(at_whole), Some(at_half)) = (Bracket::of(whole), known.half) else {
            let why = format!("at half the time step the status is {}", half.status);
            return Err((known, why));
        };
        if whole.status != half.status {
            let why = format!(
                "thresholds at the time step and at its half are not the same: {} and {}",
                whole.status, half.status
            );
            return Err((known, why));
        }
        let limit = Bracket::extrapolated(at_whole, at_half);
        if limit.lower_ma <= 0.0 {
            let why = "the threshold at half the time step is less than half: lower dt".to_owned();
            return Err((known, why));
        }
        Ok(Extrapolation {
            limit: Some(limit),
            ..known
        })
    }

    /// The same, unless there is a reason against a limit.
    fn unless(self, why: Option<&String>) -> Result<Self, (Self, String)> {
        match why {
            None => Ok(self),
            Some(why) => Err((
                Extrapolation {
                    limit: None,
                    ..self
                },
                why.clone(),
            )),
        }
    }

    /// The cells of an answer.
    pub(super) fn cells(&self, unit: Unit) -> [Cell; COLUMNS] {
        let amplitude = |bracket: Option<Bracket>, of: fn(Bracket) -> f64| {
            Cell::maybe(bracket.map(|bracket| unit.of_ma(of(bracket))))
        };
        [
            amplitude(self.half, |half| half.upper_ma),
            amplitude(self.half, |half| half.lower_ma),
            Cell::text(self.half_status.clone()),
            amplitude(self.limit, Bracket::middle_ma),
            amplitude(self.limit, |limit| limit.lower_ma),
            amplitude(self.limit, |limit| limit.upper_ma),
        ]
    }
}

/// Names of the columns.
pub(super) fn columns(unit: Unit) -> [String; COLUMNS] {
    let symbol = unit.symbol();
    [
        format!("threshold_half_dt_{symbol}"),
        format!("lower_half_dt_{symbol}"),
        "half_dt_status".to_owned(),
        format!("threshold_extrapolated_{symbol}"),
        format!("lower_extrapolated_{symbol}"),
        format!("upper_extrapolated_{symbol}"),
    ]
}

/// Whether a study asks for it.
pub(super) fn requested(study: &Study) -> bool {
    study.search.extrapolate == Some(true)
}

/// Searches the thresholds of cases of one batch at their time step and, where there is one, at half of it.
pub(super) fn search_extrapolated(
    study: &Study,
    cases: Vec<(usize, &Case)>,
    progress: &mut dyn FnMut(f64),
) -> Result<Vec<(usize, Found, Extrapolation)>, StudyError> {
    let mut finer = study.clone();
    let resolution = study.search.resolution;
    let resolution = resolution.unwrap_or(ThresholdSearch::default().resolution);
    finer.search.resolution = Some(resolution / FINER);
    let found = search(&finer, cases.clone(), &mut |done| progress(0.5 * done))?;

    let coarse: HashMap<usize, String> = cases
        .iter()
        .filter_map(|(index, case)| Some((*index, too_coarse(case)?)))
        .collect();
    let guesses_ma: HashMap<usize, f64> = found
        .iter()
        .filter_map(|(index, found)| Some((*index, found.upper_ma?)))
        .collect();
    let halved: Vec<(usize, Case)> = cases
        .into_iter()
        .filter(|(index, _)| guesses_ma.contains_key(index))
        .map(|(index, case)| (index, at_half_step(case)))
        .collect();
    let halved: Vec<(usize, &Case)> = halved.iter().map(|(index, case)| (*index, case)).collect();
    let halves: HashMap<usize, Found> = match halved.is_empty() {
        true => HashMap::new(),
        false => search_near(&finer, halved, Some(&guesses_ma), &mut |done| {
            progress(0.5 + 0.5 * done);
        })?
        .into_iter()
        .collect(),
    };
    let both = found.into_iter().map(|(index, mut whole)| {
        let extrapolation = match halves.get(&index) {
            None => Extrapolation::default(),
            Some(half) => Extrapolation::new(&whole, half)
                .and_then(|known| known.unless(coarse.get(&index)))
                .unwrap_or_else(|(known, why)| {
                    let before = [whole.message.as_str(), "; "].concat();
                    let before = if whole.message.is_empty() {
                        ""
                    } else {
                        &before
                    };
                    whole.message = format!("{before}no extrapolation: {why}");
                    known
                }),
        };
        (index, whole, extrapolation)
    });
    Ok(both.collect())
}

/// Why the stimulus of a case has too few steps to be extrapolated.
fn too_coarse(case: &Case) -> Option<String> {
    let grid = case.grid()?;
    let of_fields = case.sources.iter().filter_map(|source| match source {
        CaseSource::Field(_, waveform) => Some(waveform),
        _ => None,
    });
    let injected = case.injections.iter().map(|injection| &injection.waveform);
    let sampled = of_fields
        .chain(injected)
        // Those that cannot be sampled are refused by the search.
        .filter_map(|waveform| waveform.sample(&grid).ok());
    let mut short = sampled.filter_map(|values| {
        let phases = values
            .chunk_by(|a, b| a * b > 0.0)
            .filter(|phase| phase[0] != 0.0);
        let mut short = phases.filter_map(|phase| {
            // But for its ends, of which parts of a step may be covered.
            let inner = match phase {
                [_, inner @ .., _] => inner,
                _ => &[],
            };
            let constant = inner.windows(2).all(|pair| pair[0] == pair[1]);
            let least = if constant {
                CONSTANT_STEPS
            } else {
                VARYING_STEPS
            };
            (phase.len() < least).then_some((phase.len(), least))
        });
        short.next()
    });
    let (steps, least) = short.next()?;
    let dt_ms = axonml_core::error::short(case.dt_ms);
    Some(format!(
        "a phase of the stimulus lasts {steps} steps of dt = {dt_ms} ms, of {least} that are needed: lower dt"
    ))
}

/// The case at half its time step: the same stimulus, for the same time.
fn at_half_step(case: &Case) -> Case {
    let mut halved = case.clone();
    // A duration that is no multiple of the step is rounded once, not again.
    halved.tstop_ms = case.grid().map_or(case.tstop_ms, |grid| grid.duration_ms());
    halved.dt_ms = 0.5 * case.dt_ms;
    for source in &mut halved.sources {
        if let CaseSource::SpaceTime { ve_mv, shape } = source {
            // The potentials of a step act in both of its halves.
            let samples = shape.1;
            let rows = ve_mv.chunks_exact(samples.max(1));
            *ve_mv = rows
                .flat_map(|row| [row, row].concat())
                .collect::<Vec<f64>>()
                .into();
            shape.0 *= 2;
        }
    }
    halved
}

/// Refuses cases that cannot be searched at half their time step, or whose threshold has no limit.
pub(super) fn check(plan: &mut Plan) {
    for planned in &mut plan.cases {
        let Ok(case) = &planned.case else { continue };
        if let Err(error) = check_case(case) {
            planned.case = Err(error.at(&planned.name));
        }
    }
}

fn check_case(case: &Case) -> Result<(), StudyError> {
    let id = case.model.schema().id;
    let weights = case.setup.weights.of_model(&id);
    if let Some((weights, dt_ms)) =
        weights.and_then(|named| Some((named, named.file.domain.dt_ms?)))
    {
        return Err(StudyError::request(format!(
            "search: extrapolate: the weights {} of model {id} stand for the exact fiber at a step of {} ms, and smaller \
             steps do not come nearer to it",
            weights.name,
            short(dt_ms)
        ))
        .help("leave extrapolate (--extrapolate) out, or take the exact model"));
    }
    let halved = at_half_step(case);
    let grid = TimeGrid::new(halved.dt_ms, halved.tstop_ms)?;
    case.setup
        .machine
        .check_fiber(case.fiber.nodes, &grid, case.waveforms())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(status: &str, bracket: Option<(f64, f64)>) -> Found {
        Found {
            status: status.to_owned(),
            lower_ma: bracket.map(|(lower, _)| lower),
            upper_ma: bracket.map(|(_, upper)| upper),
            ..Found::default()
        }
    }

    /// Thresholds of first order and any position within their brackets: the limit is within its own.
    #[test]
    fn the_limit_lies_within_its_bracket() {
        let (limit, slope, width) = (0.2, 0.5, 3e-5);
        for at in [0.0, 0.3, 1.0] {
            for at_half in [0.0, 0.6, 1.0] {
                let bracket = |dt: f64, at: f64| {
                    let theta = limit + slope * dt;
                    found("ok", Some((theta - at * width, theta + (1.0 - at) * width)))
                };
                let extrapolation =
                    Extrapolation::new(&bracket(5e-3, at), &bracket(2.5e-3, at_half)).unwrap();
                let Bracket { lower_ma, upper_ma } = extrapolation.limit.unwrap();
                let rounding = 1e-15;
                assert!(lower_ma - rounding <= limit && limit <= upper_ma + rounding);
                assert!((upper_ma - lower_ma - 3.0 * width).abs() < rounding);
            }
        }
    }

    #[test]
    fn different_answers_are_not_extrapolated() {
        let whole = found("ok", Some((0.1, 0.11)));
        for (half, why) in [
            (found("no_activation", None), "the status is no_activation"),
            (
                found("end_excitation", Some((0.1, 0.11))),
                "ok and end_excitation",
            ),
            (found("ok", Some((0.05, 0.051))), "less than half"),
        ] {
            let (known, reason) = Extrapolation::new(&whole, &half).unwrap_err();
            assert!(reason.contains(why), "{reason}");
            assert_eq!(
                (known.limit, known.half_status),
                (None, half.status.clone())
            );
            assert_eq!(known.half.map(|half| half.upper_ma), half.upper_ma);
        }
    }
}
