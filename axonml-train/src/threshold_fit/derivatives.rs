//! The responses of a surrogate to the cases, and their derivatives.

use std::collections::BTreeMap;

use axonml_models::{
    Device, Evaluation, FiberDerivative, FiberOutcome, GradientRequest, Observation,
    RecordedCotangent, Recording, Simulation, Stimulus, Threshold,
};

use super::cases::{
    Between, REST_ROWS, REST_STOP_MS, SUPRATHRESHOLD, Trace, recorder, recordings, search,
};
use super::row::Row;
use super::stability::excess;
use super::{
    BROKEN_MV, FitError, HUBER_OTHERS, HUBER_THRESHOLD, LOST, STEEPEST_ARRIVAL_MS, STEEPEST_MV,
    STEEPEST_THRESHOLD, ThresholdFit, ThresholdStage,
};
use crate::Surrogate;

/// Smallest amplitude near which a threshold is searched, mA.
const SMALLEST_GUESS_MA: f64 = 1e-3;
/// A search begins this many times below the smallest guess, so that it detects propagation failure or firing there.
const BELOW_GUESS: f64 = 4.0;

/// The responses of a surrogate to the cases.
pub(super) struct Residuals {
    /// Per case: its response, or the reason for its absence.
    cases: Vec<Result<CaseResiduals, &'static str>>,
    /// Per fiber without stimulus: errors of its voltage at each time, mV; none where it diverged.
    rest_mv: Vec<Option<[f64; REST_ROWS.len()]>>,
    /// Standardized excess of the stability number, of fibers that are stepped explicitly.
    pub(super) excess: Vec<f64>,
}

#[derive(Clone, Copy, Debug)]
struct CaseResiduals {
    threshold_ma: f64,
    /// `ln(threshold / exact)`.
    threshold: f64,
    /// Errors at 1.5 times the threshold; none where the action potential does not arrive.
    arrival_ms: Option<f64>,
    shape_mv: Option<f64>,
}

/// The scale of a kind of residual, in its own unit.
#[derive(Clone, Copy)]
struct Measure {
    sigma: f64,
    /// Residual from which the penalty is linear, in standard deviations.
    limit: f64,
    steepest: f64,
}

impl Measure {
    fn threshold(stage: &ThresholdStage) -> Self {
        Measure {
            sigma: stage.sigma_threshold,
            limit: HUBER_THRESHOLD,
            steepest: STEEPEST_THRESHOLD,
        }
    }

    fn arrival(stage: &ThresholdStage) -> Self {
        Measure {
            sigma: stage.sigma_arrival_ms,
            limit: HUBER_OTHERS,
            steepest: STEEPEST_ARRIVAL_MS,
        }
    }

    fn voltage(sigma_mv: f64) -> Self {
        Measure {
            sigma: sigma_mv,
            limit: HUBER_OTHERS,
            steepest: STEEPEST_MV,
        }
    }

    /// The row of a residual and its derivative in its own unit.
    fn row(self, residual: f64, by_x: &[f64]) -> Row {
        Row {
            residual: residual / self.sigma,
            limit: self.limit,
            by_x: by_x.iter().map(|slope| slope / self.sigma).collect(),
            // A NaN counts as too steep.
            steep: !by_x.iter().all(|slope| slope.abs() <= self.steepest),
        }
    }
}

impl Residuals {
    /// Number of cases with a threshold.
    pub(super) fn found(&self) -> usize {
        self.cases.iter().flatten().count()
    }

    /// Number of cases and fibers at rest with an unphysiological response: without a threshold, an arrival, the shape
    /// of an action potential or a resting state. Explicit steps break a fiber quite suddenly.
    pub(super) fn broken(&self) -> usize {
        let off = |mv: f64| mv.abs() > BROKEN_MV;
        let breaks = |case: &&Result<CaseResiduals, &'static str>| match case {
            Ok(case) => case.arrival_ms.is_none() || case.shape_mv.is_none_or(off),
            Err(_) => true,
        };
        let restless = |errors: &&Option<[f64; REST_ROWS.len()]>| match errors {
            Some(errors) => errors.iter().any(|&mv| off(mv)),
            None => true,
        };
        let rest = self.rest_mv.iter().filter(restless).count();
        self.cases.iter().filter(breaks).count() + rest
    }

    /// The reasons for which cases have none, with counts.
    pub(super) fn reasons(&self) -> String {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for reason in self.cases.iter().filter_map(|case| case.as_ref().err()) {
            *counts.entry(reason).or_default() += 1;
        }
        let each = counts
            .iter()
            .map(|(reason, count)| format!("{count} {reason}"));
        each.collect::<Vec<_>>().join(", ")
    }

    /// Thresholds, or the guesses where there is none.
    pub(super) fn guesses(&self, guessed_ma: &[f64]) -> Vec<f64> {
        let each = self.cases.iter().zip(guessed_ma);
        each.map(|(case, guess)| case.map_or(*guess, |case| case.threshold_ma))
            .collect()
    }

    /// Errors `ln(threshold / exact)` of the cases that have one.
    pub(super) fn threshold_errors(&self) -> Vec<f64> {
        self.cases
            .iter()
            .flatten()
            .map(|case| case.threshold)
            .collect()
    }

    pub(super) fn arrival_errors(&self) -> Vec<f64> {
        self.cases
            .iter()
            .flatten()
            .filter_map(|case| case.arrival_ms)
            .collect()
    }

    pub(super) fn shape_errors(&self) -> Vec<f64> {
        self.cases
            .iter()
            .flatten()
            .filter_map(|case| case.shape_mv)
            .collect()
    }

    pub(super) fn rest_errors(&self) -> Vec<f64> {
        self.rest_mv.iter().flatten().flatten().copied().collect()
    }

    /// All residuals in standard deviations, with the limits beyond which they count linearly.
    pub(super) fn standardized(&self, stage: &ThresholdStage) -> impl Iterator<Item = (f64, f64)> {
        let lost = (LOST, HUBER_THRESHOLD);
        let (threshold, arrival) = (stage.sigma_threshold, stage.sigma_arrival_ms);
        let (shape, rest) = (stage.sigma_shape_mv, stage.sigma_rest_mv);
        let of_case = move |case: &Result<CaseResiduals, &'static str>| match case {
            Err(_) => [Some(lost), None, None],
            // An action potential that fires but does not arrive, or not in time, is as bad as can be.
            Ok(case) => [
                Some((case.threshold / threshold, HUBER_THRESHOLD)),
                Some(
                    case.arrival_ms
                        .map_or(lost, |x| (x / arrival, HUBER_OTHERS)),
                ),
                Some(case.shape_mv.map_or(lost, |x| (x / shape, HUBER_OTHERS))),
            ],
        };
        let cases = self.cases.iter().flat_map(of_case).flatten();
        let of_fiber = move |errors: &Option<[f64; REST_ROWS.len()]>| match errors {
            Some(errors) => errors.map(|x| (x / rest, HUBER_OTHERS)),
            None => [(LOST, HUBER_OTHERS); REST_ROWS.len()],
        };
        let rest = self.rest_mv.iter().flat_map(of_fiber);
        cases
            .chain(rest)
            .chain(self.excess.iter().map(|x| (*x, f64::INFINITY)))
    }
}

/// The derivative of a crossing's time in rows by the voltages before and after it.
fn crossing_slopes(trace: &Trace<'_>, at: Between) -> [f64; 2] {
    let rise = trace.v_mv(at.row + 1) - trace.v_mv(at.row);
    [(at.fraction - 1.0) / rise, -at.fraction / rise]
}

/// Recorded voltages of a fiber that did not diverge.
fn recorded(outcome: &FiberOutcome) -> &Recording {
    let Some(Observation::Recorded(recording)) = outcome.observations.first() else {
        unreachable!("the only observer is a recorder")
    };
    recording
}

/// A loss of value `loss` with these derivatives by values of the recording.
fn seeds(recording: &Recording, loss: f64, by: &[(usize, f64)]) -> Evaluation {
    let mut v_mv = vec![0.0; recording.v_mv.len()];
    for &(index, slope) in by {
        v_mv[index] += slope;
    }
    Evaluation {
        loss,
        recorded: vec![Some(RecordedCotangent {
            v_mv,
            states: Vec::new(),
        })],
        state: None,
    }
}

/// The arrival in ms.
fn arrival(trace: &Trace<'_>, recording: &Recording, dt_ms: f64) -> Evaluation {
    let Some(at) = trace.crossing() else {
        return Evaluation::default();
    };
    let [before, after] = crossing_slopes(trace, at);
    let by = [
        (trace.index(at.row), dt_ms * before),
        (trace.index(at.row + 1), dt_ms * after),
    ];
    seeds(recording, trace.time_ms(at), &by)
}

/// The voltage some time after the arrival, whose own shift counts.
fn shape(trace: &Trace<'_>, recording: &Recording, after_ms: f64) -> Evaluation {
    let Some(at) = trace.crossing() else {
        return Evaluation::default();
    };
    let Some(later) = trace.later(at, after_ms) else {
        return Evaluation::default();
    };
    // Per row.
    let slope = trace.v_mv(later.row + 1) - trace.v_mv(later.row);
    let [before, after] = crossing_slopes(trace, at);
    let by = [
        (trace.index(later.row), 1.0 - later.fraction),
        (trace.index(later.row + 1), later.fraction),
        (trace.index(at.row), slope * before),
        (trace.index(at.row + 1), slope * after),
    ];
    seeds(recording, trace.voltage_mv(later), &by)
}

impl ThresholdFit {
    fn simulation(
        &self,
        surrogate: &Surrogate,
        x: &[f64],
        device: &Device,
    ) -> Result<Simulation, FitError> {
        let cases = &self.cases;
        let settings = surrogate.settings(x, cases.dt_ms, cases.tstop_ms, self.precision);
        Ok(Simulation::new(
            surrogate.model(),
            cases.fibers.clone(),
            &settings,
            device,
        )?)
    }

    pub(super) fn rest_simulation(
        &self,
        surrogate: &Surrogate,
        x: &[f64],
        device: &Device,
    ) -> Result<Simulation, FitError> {
        let rest = &self.rest;
        let settings = surrogate.settings(x, rest.dt_ms, REST_STOP_MS, self.precision);
        Ok(Simulation::new(
            surrogate.model(),
            rest.fibers.clone(),
            &settings,
            device,
        )?)
    }

    /// Thresholds (searched for from `guesses_ma`), arrivals, shapes and rest of the surrogate at `x`.
    pub(super) fn residuals(
        &self,
        surrogate: &Surrogate,
        x: &[f64],
        guesses_ma: &[f64],
        device: &Device,
    ) -> Result<Residuals, FitError> {
        let cases = &self.cases;
        let simulation = self.simulation(surrogate, x, device)?;
        let options = search();
        // A guess may stem from a threshold before a long step of the fit.
        let guesses: Vec<f64> = guesses_ma
            .iter()
            .map(|guess| guess.clamp(SMALLEST_GUESS_MA, options.max_ma))
            .collect();
        let smallest = guesses.iter().copied().fold(options.max_ma, f64::min);
        let options = options.from_below(smallest / BELOW_GUESS);
        let found = simulation.thresholds_near(&cases.stimulus, &options, &guesses, &mut |_| ())?;
        let above =
            |threshold: &Threshold| SUPRATHRESHOLD * threshold.upper_ma().unwrap_or_default();
        let amplitudes: Vec<f64> = found.iter().map(above).collect();
        let outcome = simulation.run(&cases.stimulus, amplitudes, &[recorder()])?;
        let each = found
            .iter()
            .zip(recordings(&outcome))
            .zip(&cases.references);
        let of_case = each.map(|((threshold, recording), reference)| {
            let threshold_ma = threshold.upper_ma().ok_or(threshold.status())?;
            let recording = recording.ok_or("diverged above threshold")?;
            let trace = Trace::new(recording, reference.node, cases.dt_ms);
            let crossing = trace.crossing();
            let later = crossing.and_then(|at| trace.later(at, reference.after_ms));
            Ok(CaseResiduals {
                threshold_ma,
                threshold: (threshold_ma / reference.threshold_ma).ln(),
                arrival_ms: crossing.map(|at| trace.time_ms(at) - reference.arrival_ms),
                shape_mv: later.map(|at| trace.voltage_mv(at) - reference.shape_mv),
            })
        });
        let rest = self.rest_simulation(surrogate, x, device)?;
        Ok(Residuals {
            cases: of_case.collect(),
            rest_mv: self.rest_errors(&rest)?,
            excess: excess(&rest, surrogate, x),
        })
    }

    fn rest_errors(
        &self,
        simulation: &Simulation,
    ) -> Result<Vec<Option<[f64; REST_ROWS.len()]>>, FitError> {
        let stimulus = Stimulus::none(self.rest.fibers.len());
        let outcome = simulation.run(&stimulus, 0.0, &[self.rest.recorder()])?;
        let each = recordings(&outcome).zip(&self.rest.v_mv);
        let errors = |(recording, exact): (Option<&Recording>, &[f64; REST_ROWS.len()])| {
            let recording = recording?;
            Some(std::array::from_fn(|k| {
                recording.v_mv[REST_ROWS[k]] - exact[k]
            }))
        };
        Ok(each.map(errors).collect())
    }

    /// The rows of the least squares at `x`, whose residuals are known, and the number of cases that have a threshold
    /// of which a row is left out for its derivative.
    pub(super) fn rows(
        &self,
        surrogate: &Surrogate,
        x: &[f64],
        residuals: &Residuals,
        device: &Device,
    ) -> Result<(Vec<Row>, usize), FitError> {
        let of_cases = self.case_rows(surrogate, x, residuals, device)?;
        let whole = of_cases
            .iter()
            .filter(|rows| !rows.iter().any(|row| row.steep));
        let whole = whole.filter(|rows| !rows.is_empty()).count();
        let mut rows: Vec<Row> = of_cases.into_iter().flatten().collect();
        rows.extend(self.rest_rows(surrogate, x, residuals, device)?);
        rows.extend(self.stability_rows(surrogate, x, &residuals.excess, device)?);
        rows.retain(|row| !row.steep);
        Ok((rows, residuals.found() - whole))
    }

    /// The rows of each case that has a threshold; none where a derivative is not finite.
    fn case_rows(
        &self,
        surrogate: &Surrogate,
        x: &[f64],
        residuals: &Residuals,
        device: &Device,
    ) -> Result<Vec<Vec<Row>>, FitError> {
        let (cases, stage) = (&self.cases, &self.stage);
        let known: Vec<(usize, CaseResiduals)> = residuals
            .cases
            .iter()
            .enumerate()
            .filter_map(|(case, residuals)| Some((case, residuals.ok()?)))
            .collect();
        let simulation = self.simulation(surrogate, x, device)?;
        let request = GradientRequest {
            parameters: true,
            ..GradientRequest::default()
        };
        let mut thresholds_ma = vec![None; cases.len()];
        for (case, at) in &known {
            thresholds_ma[*case] = Some(at.threshold_ma);
        }
        let by_thresholds = simulation.threshold_gradients_each(
            &cases.stimulus,
            &search(),
            &thresholds_ma,
            request,
        )?;

        // Arrival and shape: the same run, two losses.
        let members: Vec<usize> = known.iter().flat_map(|(case, _)| [*case; 2]).collect();
        let whole = simulation.rollout(&cases.stimulus, &[recorder()])?;
        let mut rollout = whole.select(members.iter().copied());
        rollout.final_states = false;
        let scaling = cases.stimulus.scaling();
        let trials = known
            .iter()
            .flat_map(|(case, at)| [(*case, SUPRATHRESHOLD * at.threshold_ma); 2]);
        rollout.drive.gains = scaling.gains_of(trials);
        let objective = |trial: usize, outcome: &FiberOutcome| {
            let reference = &cases.references[known[trial / 2].0];
            let recording = recorded(outcome);
            let trace = Trace::new(recording, reference.node, cases.dt_ms);
            match trial % 2 {
                0 => arrival(&trace, recording, cases.dt_ms),
                _ => shape(&trace, recording, reference.after_ms),
            }
        };
        let derivatives =
            simulation.differentiate_each(&rollout, &scaling, &members, &objective, request)?;

        let gradient = |of: &Result<FiberDerivative, _>| of.as_ref().ok()?.gradient.clone();
        let of_case = |((case, at), of_case): (&(usize, CaseResiduals), &[Result<_, _>])| {
            let mut rows = Vec::new();
            let (Some(Ok(by_threshold)), Some(arrival), Some(shape)) = (
                &by_thresholds[*case],
                gradient(&of_case[0]),
                gradient(&of_case[1]),
            ) else {
                return rows;
            };
            let by_threshold = surrogate.vjp(x, &by_threshold.parameters);
            // The amplitude moves with the threshold.
            let above = SUPRATHRESHOLD * at.threshold_ma;
            let others = [
                (at.arrival_ms, &arrival, Measure::arrival(stage)),
                (at.shape_mv, &shape, Measure::voltage(stage.sigma_shape_mv)),
            ];
            for (residual, gradient, measure) in others {
                let Some(residual) = residual else { continue };
                let mut by_x = surrogate.vjp(x, &gradient.parameters);
                for (own, moved) in by_x.iter_mut().zip(&by_threshold) {
                    *own += gradient.amplitude * above * moved;
                }
                rows.push(measure.row(residual, &by_x));
            }
            rows.push(Measure::threshold(stage).row(at.threshold, &by_threshold));
            rows
        };
        let each = known.iter().zip(derivatives.chunks_exact(2));
        Ok(each.map(of_case).collect())
    }

    fn rest_rows(
        &self,
        surrogate: &Surrogate,
        x: &[f64],
        residuals: &Residuals,
        device: &Device,
    ) -> Result<Vec<Row>, FitError> {
        let simulation = self.rest_simulation(surrogate, x, device)?;
        let stimulus = Stimulus::none(self.rest.fibers.len());
        let whole = simulation.rollout(&stimulus, &[self.rest.recorder()])?;
        let fibers = 0..self.rest.fibers.len();
        let members: Vec<usize> = fibers.flat_map(|f| [f; REST_ROWS.len()]).collect();
        let mut rollout = whole.select(members.iter().copied());
        rollout.final_states = false;
        let objective = |trial: usize, outcome: &FiberOutcome| {
            let recording = recorded(outcome);
            let row = REST_ROWS[trial % REST_ROWS.len()];
            seeds(recording, recording.v_mv[row], &[(row, 1.0)])
        };
        let request = GradientRequest {
            parameters: true,
            ..GradientRequest::default()
        };
        let derivatives = simulation.differentiate_each(
            &rollout,
            &stimulus.scaling(),
            &members,
            &objective,
            request,
        )?;
        let measure = Measure::voltage(self.stage.sigma_rest_mv);
        let of_fiber = derivatives
            .chunks_exact(REST_ROWS.len())
            .zip(&residuals.rest_mv);
        let mut rows = Vec::new();
        for (derivatives, errors) in of_fiber {
            let Some(errors) = errors else { continue };
            for (derivative, &error) in derivatives.iter().zip(errors) {
                let gradient = derivative.as_ref().ok().and_then(|d| d.gradient.as_ref());
                if let Some(gradient) = gradient {
                    rows.push(measure.row(error, &surrogate.vjp(x, &gradient.parameters)));
                }
            }
        }
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_action_potential_or_no_rest_is_broken() {
        let sound = CaseResiduals {
            threshold_ma: 1.0,
            threshold: 0.1,
            arrival_ms: Some(0.01),
            shape_mv: Some(-BROKEN_MV),
        };
        let ringing = CaseResiduals {
            shape_mv: Some(-2.0 * BROKEN_MV),
            ..sound
        };
        let late = CaseResiduals {
            shape_mv: None,
            ..sound
        };
        let residuals = |cases: &[CaseResiduals], rest_mv: f64| Residuals {
            cases: cases.iter().map(|case| Ok(*case)).collect(),
            rest_mv: vec![Some([0.0, rest_mv, rest_mv]), Some([0.0; 3])],
            excess: Vec::new(),
        };
        assert_eq!(residuals(&[sound, sound], 1.0).broken(), 0);
        assert_eq!(residuals(&[sound, ringing, late], 1.0).broken(), 2);
        let mut firing = residuals(&[sound], 60.0);
        firing.cases.push(Err("spontaneous"));
        assert_eq!(firing.broken(), 2);
        firing.rest_mv[1] = None;
        assert_eq!(firing.broken(), 3);
    }
}
