//! Runs in parts: from a state to a step, and looked at, or changed, in between, by a synapse that opens among others.

use std::fmt;
use std::ops::Range;

use axonml_autodiff::engine::{
    BackendError, FiberOutcome, FiberState, FiberStatus, Observation, ObserverKind, ObserverSpec,
    Outcome, Rollout, Start,
};
use axonml_core::CoreError;

use crate::synapse::{Opening, Synapse};
use crate::{Amplitudes, Simulation, SimulationError, Stimulus};

/// Called with the number of steps that were taken and the states of all fibers then, none of those that diverged;
/// returns whether it changed one of them.
pub type Look<'l> =
    dyn FnMut(usize, &mut [Option<FiberState>]) -> Result<bool, SimulationError> + 'l;

/// The part of a simulation's time grid that a run takes, and who looks at its states on the way. By default all of it.
///
/// # Example
/// ```
/// # use std::sync::Arc;
/// # use axonml_models::{Course, Device, Fiber, Settings, Simulation, Stimulus, model};
/// # let fibers = vec![Fiber::new(10.0, 21)];
/// let simulation = Simulation::new(&model("mrg")?, fibers, &Settings::default(), &Device::auto()?)?;
/// let clamp = Arc::new("monophasic:pw=0.2,delay=0.1,scale=-1".parse()?);
/// let stimulus = Stimulus::none(1).inject(0, 5, 3.0, clamp);
/// // The highest peak of any node, looked for every ten steps.
/// let mut peak_mv = f64::MIN;
/// let mut look = |_step: usize, states: &mut [Option<axonml_models::FiberState>]| {
///     let voltages = states.iter().flatten().flat_map(|state| &state.v_mv);
///     peak_mv = voltages.fold(peak_mv, |peak, v| peak.max(*v));
///     Ok(false)
/// };
/// simulation.run_in_parts(&stimulus, 0.0, &[], Course::whole().looking(10, &mut look))?;
/// assert!(peak_mv > 20.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Default)]
pub struct Course<'l> {
    begin: Option<(usize, Vec<FiberState>)>,
    end: Option<usize>,
    look: Option<(usize, &'l mut Look<'l>)>,
    openings: Vec<Synapse>,
}

impl fmt::Debug for Course<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Course")
            .field("begin", &self.begin.as_ref().map(|(step, _)| step))
            .field("end", &self.end)
            .field("every", &self.look.as_ref().map(|(every, _)| every))
            .field("openings", &self.openings)
            .finish()
    }
}

impl<'l> Course<'l> {
    /// From the simulation's own start to the end of its time grid.
    pub fn whole() -> Self {
        Course::default()
    }

    /// From these states, one per fiber, at the moment after `step` steps: waveforms are where they are then.
    #[must_use]
    pub fn begin(mut self, step: usize, states: Vec<FiberState>) -> Self {
        self.begin = Some((step, states));
        self
    }

    /// Up to the moment after `step` steps of the time grid.
    #[must_use]
    pub fn end(mut self, step: usize) -> Self {
        self.end = Some(step);
        self
    }

    /// Calls `look` whenever the number of steps is a multiple of `every` (of 1, where it is 0), and at the end.
    #[must_use]
    pub fn looking(mut self, every: usize, look: &'l mut Look<'l>) -> Self {
        self.look = Some((every.max(1), look));
        self
    }

    /// Opens a synapse of every fiber on the way, of a model [`crate::WithSynapse`]; once more where it is called again.
    #[must_use]
    pub fn opening(mut self, synapse: Synapse) -> Self {
        self.openings.push(synapse);
        self
    }

    /// Whether action potentials may have begun before, so that this run does not show where.
    pub(crate) fn begins_elsewhere(&self) -> bool {
        self.begin.is_some()
    }

    /// Puts begin and end into a rollout of the whole run.
    pub(crate) fn cut(&mut self, rollout: &mut Rollout) -> Result<(), CoreError> {
        let Range { start, end } = rollout.steps;
        let end = self.end.unwrap_or(end);
        let begin = self.begin.take();
        let first = begin.as_ref().map_or(start, |(step, _)| *step);
        if first > end || end > rollout.steps.end {
            return Err(CoreError::BadValue {
                what: "the part of a run".into(),
                found: format!("steps {first} to {end}"),
                expected: format!("steps from 0 to {} in order", rollout.steps.end),
            });
        }
        rollout.steps = first..end;
        if let Some((_, states)) = begin {
            rollout.start = Start::From(states);
        }
        Ok(())
    }

    /// Runs a rollout that was cut, and tells whether its states were changed on the way.
    pub(crate) fn execute(
        self,
        simulation: &Simulation,
        rollout: &Rollout,
    ) -> Result<(Outcome, bool), SimulationError> {
        let openings = self.openings.iter();
        let openings = openings.map(|synapse| simulation.opening(synapse));
        let visits = Visits {
            look: self.look,
            openings: openings.collect::<Result<_, _>>()?,
        };
        match visits.look.is_none() && visits.openings.is_empty() {
            true => Ok((simulation.execute(rollout)?, false)),
            false => simulation.execute_in_parts(rollout, visits),
        }
    }
}

/// The look at a run that is cut, and the openings of synapses.
struct Visits<'l> {
    look: Option<(usize, &'l mut Look<'l>)>,
    openings: Vec<Opening>,
}

impl Visits<'_> {
    /// The next cut of a run that has come to the state `at`, which may be `at` itself if nothing was run yet.
    fn next(&self, at: usize, is_begin: bool) -> usize {
        let look = self.look.as_ref();
        let look = look.map(|(every, _)| (at / every + 1).saturating_mul(*every));
        let openings = self.openings.iter().map(|opening| opening.step);
        let openings = openings.filter(|step| *step > at || (*step == at && is_begin));
        look.into_iter().chain(openings).min().unwrap_or(usize::MAX)
    }

    /// Looks at the states after `step` steps, and opens synapses; whether a state is another one now.
    fn visit(
        &mut self,
        step: usize,
        is_end: bool,
        states: &mut [Option<FiberState>],
    ) -> Result<bool, SimulationError> {
        let mut changed = false;
        if let Some((every, look)) = &mut self.look
            && (is_end || (step > 0 && step.is_multiple_of(*every)))
        {
            changed |= look(step, states)?;
        }
        // It acts in the step that begins there, which the next part takes if this one ends here.
        for opening in &self.openings {
            if opening.step == step && !is_end {
                opening.open(states);
                changed = true;
            }
        }
        Ok(changed)
    }
}

impl Simulation {
    /// [`Simulation::run`] on a part of the time grid, with looks at the states on the way, which may change them. A run in
    /// parts equals the run in one piece up to rounding, and observers see it as one, with the exception of
    /// [`ObserverKind::Active`] for more than one node, which is refused where there are looks or a synapse. A run that begins after the
    /// first step does not record the state that it begins with, which was the last of another run.
    ///
    /// # Errors
    /// As [`Simulation::run`]; [`SimulationError::Core`] for a part outside the time grid and an observer that cannot be
    /// continued, and for a synapse of a model without any or at an onset outside the run; [`SimulationError::Stimulus`] if a
    /// fiber does not have its site; [`SimulationError::Backend`] for states that do not fit the fibers; errors of looks.
    pub fn run_in_parts(
        &self,
        stimulus: &Stimulus,
        amplitude_ma: impl Into<Amplitudes>,
        observers: &[ObserverSpec],
        mut course: Course<'_>,
    ) -> Result<Outcome, SimulationError> {
        let mut rollout = self.rollout(stimulus, observers)?;
        rollout.drive.gains = self.gains(stimulus, amplitude_ma)?;
        course.cut(&mut rollout)?;
        let (outcome, _) = course.execute(self, &rollout)?;
        Ok(outcome)
    }

    /// Runs `whole` from cut to cut and looks at the states there and at the end; also whether they were changed. Fibers
    /// that diverge are left behind.
    fn execute_in_parts(
        &self,
        whole: &Rollout,
        mut visits: Visits<'_>,
    ) -> Result<(Outcome, bool), SimulationError> {
        check_observers(&whole.observers)?;
        let Range { start, end } = whole.steps;
        let mut part = whole.clone();
        part.final_states = true;
        part.steps = start..start;
        let mut members: Vec<usize> = (0..whole.fibers.len()).collect();
        let mut fibers: Vec<FiberOutcome> = Vec::with_capacity(members.len());
        let (mut is_begin, mut changed) = (true, false);
        loop {
            let done = part.steps.end;
            let until = visits.next(done, is_begin).min(end);
            part.steps = done..until;
            let results = self.execute(&part)?.fibers;
            if std::mem::take(&mut is_begin) {
                fibers = results;
            } else {
                for (&fiber, later) in members.iter().zip(results) {
                    match done {
                        // The start, which the first part consisted of, is seen by the second as well.
                        0 => fibers[fiber] = later,
                        _ => continue_with(&mut fibers[fiber], later)?,
                    }
                }
            }
            let mut states: Vec<Option<FiberState>> =
                fibers.iter_mut().map(|of| of.state.take()).collect();
            changed |= visits.visit(until, until >= end, &mut states)?;
            let goes_on =
                |&fiber: &usize| !matches!(fibers[fiber].status, FiberStatus::Diverged { .. });
            let left: Vec<usize> = members.iter().copied().filter(goes_on).collect();
            if until >= end || left.is_empty() {
                for (of, state) in fibers.iter_mut().zip(states) {
                    of.state = state;
                }
                return Ok((Outcome { fibers }, changed));
            }
            if left.len() < members.len() {
                part = whole.select(left.iter().copied());
                part.final_states = true;
                part.steps = start..until;
            }
            members = left;
            let begins = members.iter().map(|&fiber| {
                let state = states[fiber].take();
                state.ok_or(SimulationError::from(BackendError::NoResult { fiber }))
            });
            part.start = Start::From(begins.collect::<Result<_, _>>()?);
        }
    }
}

/// Refuses observers whose observation of a whole run does not follow from those of its parts.
fn check_observers(observers: &[ObserverSpec]) -> Result<(), CoreError> {
    let several = |observer: &ObserverSpec| match observer.kind {
        ObserverKind::Active { at_least } => (at_least > 1).then_some(at_least),
        _ => None,
    };
    let each = observers.iter().enumerate();
    match each
        .filter_map(|(index, at)| Some((index, several(at)?)))
        .next()
    {
        None => Ok(()),
        Some((index, at_least)) => Err(CoreError::BadValue {
            what: format!("observer {index} of a run in parts"),
            found: format!("activity of at least {at_least} nodes"),
            expected: "of at least 1; count action potentials instead".into(),
        }),
    }
}

/// Continues the result of the first part of a run with that of the second.
fn continue_with(first: &mut FiberOutcome, later: FiberOutcome) -> Result<(), SimulationError> {
    first.status = later.status;
    first.state = later.state;
    for (own, later) in first.observations.iter_mut().zip(later.observations) {
        match (own, later) {
            (Observation::Active(at), Observation::Active(later)) => *at = at.or(later),
            (Observation::Count(counts), Observation::Count(later)) => {
                counts
                    .iter_mut()
                    .zip(later)
                    .for_each(|(n, later)| *n += later);
            }
            (Observation::Raster(crossings), Observation::Raster(later)) => crossings.extend(later),
            (Observation::Recorded(recording), Observation::Recorded(later)) => {
                recording.t_ms.extend(later.t_ms);
                recording.v_mv.extend(later.v_mv);
                for (values, later) in recording.states.iter_mut().zip(later.states) {
                    values.extend(later);
                }
            }
            (Observation::Traced(traces), Observation::Traced(later)) => {
                traces.t_ms.extend(later.t_ms);
                traces.values.extend(later.values);
            }
            (Observation::Maximum(largest), Observation::Maximum(later)) => {
                for (largest, later) in largest.iter_mut().zip(later) {
                    *largest = largest.max(later);
                }
            }
            _ => {
                return Err(SimulationError::Backend(BackendError::Unsupported(
                    "the backend reports the parts of a run differently".into(),
                )));
            }
        }
    }
    Ok(())
}
