//! A batch of simulations as data.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use axonml_core::{TimeGrid, names};

use crate::cable::{Cable, Projection};
use crate::engine::{
    BackendError, Binding, CancelToken, MembranePrograms, ObserverKind, ObserverSpec, Rates,
    ScannedPotentials,
};
use crate::ir::{Extent, Precision};

/// One fiber of a rollout.
#[derive(Clone, Debug)]
pub struct RolloutFiber {
    /// Cable of the fiber; shared between fibers of equal geometry.
    pub cable: Arc<Cable>,
    /// Values of the membrane parameters of fiber extent.
    pub parameters: Vec<f64>,
}

/// Field of one source along one fiber, at a gain of 1.
///
/// # Units
/// mV per unit of gain times waveform: per mA for extracellular contacts; injections project nA.
#[derive(Clone, Debug)]
pub enum Source {
    /// A separable field: a fixed spatial profile times a waveform.
    Separable {
        /// Effect of one unit on nodes and modes.
        projection: Arc<Projection>,
        /// The potentials at the sample points that were projected, mV per unit: cotangents of the cable coefficients
        /// depend on them. None for injections, whose projection does not depend on the cable.
        potentials: Option<Arc<Vec<f64>>>,
        /// Index into [`Drive::waveforms`].
        waveform: usize,
    },
    /// A space-time potential: one value for every step of the whole run and every sample point, mV per unit, `[step,
    /// sample]` flattened.
    SpaceTime(Arc<Vec<f64>>),
}

/// Stimulus of a rollout: the waveforms, sources and gains that act on the fibers. The strength of a source during a
/// step is its gain times the value of its waveform.
///
/// # Shape
/// `waveforms[waveform][step]` over the whole run, `sources[fiber][source]`, `gains[fiber][source]`.
///
/// # Units
/// Waveforms have no unit; a gain has the unit of which the source's field is per: mA for fields in mV/mA.
#[derive(Clone, Debug, Default)]
pub struct Drive {
    /// Unit waveforms, one value per step of the whole run each.
    pub waveforms: Vec<Arc<Vec<f64>>>,
    /// Sources of each fiber, `[fiber][source]`.
    pub sources: Vec<Arc<Vec<Source>>>,
    /// Gain of each source of each fiber, `[fiber][source]`.
    pub gains: Vec<Vec<f64>>,
}

/// State of one fiber, independent of time step and stimulus.
#[derive(Clone, Debug, PartialEq)]
pub struct FiberState {
    /// Membrane potential per node, mV.
    pub v_mv: Vec<f64>,
    /// State variables, `[state][node]`.
    pub states: Vec<Vec<f64>>,
    /// Internodal mode amplitudes, nA, `[internode, mode]` flattened; empty without internodes.
    pub modes: Vec<f64>,
}

/// How a rollout starts.
#[derive(Clone, Debug)]
pub enum Start {
    /// Every node at `v_mv`, the states at their steady state there, internodes without charge.
    Uniform {
        /// Membrane potential, mV.
        v_mv: f64,
        /// Values of the states instead of their steady state, for models whose publication lists them.
        states: Option<Vec<f64>>,
    },
    /// From given states, one per fiber.
    From(Vec<FiberState>),
}

/// Criterion for a fiber that will not fire any more: its sources are off and every node has returned to within a band
/// around its initial voltage.
///
/// It is a heuristic, for choosing trials: an answer that rests on a run which ended like this ([`FiberStatus::Quiet`](crate::engine::FiberStatus::Quiet)) is
/// confirmed by a whole one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QuietEnd {
    /// Largest distance of any node from the voltage that it started with, mV.
    pub band_mv: f64,
    /// Time after the fiber's last source, ms.
    pub after_ms: f64,
    /// Steps between two checks, >= 1.
    pub every: usize,
}

impl QuietEnd {
    /// The first state at which `fiber` of `rollout` may end; it may lie beyond the last.
    pub fn first_state(&self, rollout: &Rollout, fiber: usize) -> usize {
        let wait = (self.after_ms / rollout.grid.dt_ms()).ceil() as usize;
        rollout.driven_until(fiber).saturating_add(wait)
    }
}

/// A batch of fibers of one model, with one time step and number of steps.
///
/// # Shape
/// `fibers`, `drive.sources`, `drive.gains` and the states of [`Start::From`] have one entry per fiber, in the
/// same order.
///
/// # Units
/// ms, mV, mA (gains of contacts), nA (injections).
///
/// # Errors
/// Its fields are free to set; [`Rollout::check`], which every backend calls, reports what is inconsistent.
#[derive(Clone, Debug)]
pub struct Rollout {
    /// The model's membrane.
    pub membrane: Arc<MembranePrograms>,
    /// Values of the membrane parameters that all fibers share.
    pub shared: Arc<Vec<f64>>,
    /// Potential from which `u` is measured, mV (the reversal of passive internodes; 0 for explicit cables).
    pub v_reference_mv: f64,
    /// The fibers; node counts may differ, the kind of cable may not.
    pub fibers: Vec<RolloutFiber>,
    /// Stimulus of every fiber.
    pub drive: Drive,
    /// Time step and number of steps of the whole run: waveforms have one value per step.
    pub grid: TimeGrid,
    /// The steps to take now; it starts above 0 when a run continues.
    pub steps: Range<usize>,
    /// Initial state.
    pub start: Start,
    /// Observers, the same for every fiber.
    pub observers: Vec<ObserverSpec>,
    /// Stop a fiber at the state where this observer (an index, of kind `Active`) has its answer.
    pub stop_when_active: Option<usize>,
    /// End fibers that will not fire any more before the last step; backends may ignore it.
    pub quiet_end: Option<QuietEnd>,
    /// Whether outcomes hold the states after the last step; leaving them out saves a device their copying.
    pub final_states: bool,
    /// Floating-point precision of the run.
    pub precision: Precision,
    /// How rates are evaluated.
    pub rates: Rates,
    /// Space-time potentials that [`Rollout::check`] need not read again; begin with none.
    pub scanned: ScannedPotentials,
    /// Ends the run early with [`BackendError::Canceled`]; backends look at it at every step, or between launches.
    pub cancel: CancelToken,
}

impl Rollout {
    /// Ends work whose token was canceled.
    ///
    /// # Errors
    /// [`BackendError::Canceled`].
    pub fn check_canceled(&self) -> Result<(), BackendError> {
        self.cancel.check()
    }

    /// Checks that the parts fit together, so that backends may index without asking, and that every number makes sense, so
    /// that a run that completes has computed something.
    ///
    /// # Errors
    /// [`BackendError::Shape`] naming the first part whose size is wrong; [`BackendError::BadCable`] for a coefficient
    /// that no cable can have; [`BackendError::BadNumber`] for a number that is not finite or beyond the precision, and
    /// [`BackendError::VoltageOutOfRange`] for start and reference voltages of no membrane;
    /// [`BackendError::Unsupported`] for cables of different kinds in one rollout, an early stop on something that is
    /// not an `Active` observer, or tables of rates that were made for something else.
    pub fn check(&self) -> Result<(), BackendError> {
        let shape = |what: String, expected: usize, found: usize| {
            if expected == found {
                Ok(())
            } else {
                Err(BackendError::Shape {
                    what,
                    expected,
                    found,
                })
            }
        };
        let fibers = self.fibers.len();
        shape(
            "sources (one list per fiber)".into(),
            fibers,
            self.drive.sources.len(),
        )?;
        shape(
            "gains (one list per fiber)".into(),
            fibers,
            self.drive.gains.len(),
        )?;
        for (index, waveform) in self.drive.waveforms.iter().enumerate() {
            shape(
                format!("waveform {index} (one value per step)"),
                self.grid.steps(),
                waveform.len(),
            )?;
        }
        if self.steps.start > self.steps.end || self.steps.end > self.grid.steps() {
            return Err(BackendError::Unsupported(format!(
                "steps {} to {} lie outside a run of {} steps",
                self.steps.start,
                self.steps.end,
                self.grid.steps()
            )));
        }
        for (index, fiber) in self.fibers.iter().enumerate() {
            let cable = &fiber.cable;
            cable.check().map_err(|problem| {
                BackendError::Unsupported(format!("fiber {index}: {problem}"))
            })?;
            // Equal fibers share a cable, and are adjacent more often than not.
            if index == 0 || !Arc::ptr_eq(cable, &self.fibers[index - 1].cable) {
                cable
                    .check_coefficients()
                    .map_err(|bad| BackendError::BadCable {
                        fiber: index,
                        what: bad.what,
                        value: bad.value,
                        expected: bad.expected,
                    })?;
            }
            if std::mem::discriminant(&**cable) != std::mem::discriminant(&*self.fibers[0].cable) {
                return Err(BackendError::Unsupported(format!(
                    "fiber {index} has another kind of cable than fiber 0: run them as separate batches"
                )));
            }
            shape(
                format!("gains of fiber {index} (one per source)"),
                self.drive.sources[index].len(),
                self.drive.gains[index].len(),
            )?;
            for source in self.drive.sources[index].iter() {
                match source {
                    Source::Separable {
                        projection,
                        potentials,
                        waveform,
                    } => {
                        if let Some(potentials) = potentials {
                            shape(
                                format!("potentials of a source of fiber {index}"),
                                cable.samples(),
                                potentials.len(),
                            )?;
                        }
                        shape(
                            format!("node drive of fiber {index}"),
                            cable.nodes(),
                            projection.nodes_na.len(),
                        )?;
                        shape(
                            format!("mode drive of fiber {index}"),
                            cable.mode_count(),
                            projection.modes.len(),
                        )?;
                        if *waveform >= self.drive.waveforms.len() {
                            return Err(BackendError::Unsupported(format!(
                                "a source of fiber {index} names waveform {waveform} of {}",
                                self.drive.waveforms.len()
                            )));
                        }
                    }
                    Source::SpaceTime(ve) => {
                        let expected = self.grid.steps() * cable.samples();
                        shape(
                            format!("space-time potentials of fiber {index}"),
                            expected,
                            ve.len(),
                        )?;
                    }
                }
            }
        }
        if let Start::From(states) = &self.start {
            shape("start states (one per fiber)".into(), fibers, states.len())?;
            for (index, (state, fiber)) in states.iter().zip(&self.fibers).enumerate() {
                let nodes = fiber.cable.nodes();
                shape(
                    format!("start voltages of fiber {index}"),
                    nodes,
                    state.v_mv.len(),
                )?;
                shape(
                    format!("start states of fiber {index}"),
                    self.membrane.states.len(),
                    state.states.len(),
                )?;
                for values in &state.states {
                    shape(
                        format!("start values of a state of fiber {index}"),
                        nodes,
                        values.len(),
                    )?;
                }
                shape(
                    format!("start modes of fiber {index}"),
                    fiber.cable.mode_count(),
                    state.modes.len(),
                )?;
            }
        }
        if let Start::Uniform {
            states: Some(states),
            ..
        } = &self.start
        {
            shape(
                "start values of the states".into(),
                self.membrane.states.len(),
                states.len(),
            )?;
        }
        self.check_bindings()?;
        self.check_rates()?;
        self.check_numbers()?;
        self.check_observers()?;
        if let Some(quiet) = &self.quiet_end
            && !(quiet.band_mv > 0.0 && quiet.after_ms >= 0.0 && quiet.every >= 1)
        {
            return Err(BackendError::Unsupported(format!(
                "{quiet:?}: a band above 0 mV, a time of 0 ms or more and 1 or more steps between looks are needed"
            )));
        }
        match self.stop_when_active.map(|index| self.observers.get(index)) {
            Some(Some(ObserverSpec {
                kind: ObserverKind::Active { .. },
                ..
            }))
            | None => Ok(()),
            Some(_) => Err(BackendError::Unsupported(
                "a run can only stop early on an `Active` observer".into(),
            )),
        }
    }

    /// The same for rollouts that are differentiated.
    ///
    /// # Errors
    /// As [`Rollout::check`]; [`BackendError::Unsupported`] if it may stop early, or has tables of rates.
    pub fn check_differentiable(&self) -> Result<(), BackendError> {
        self.check()?;
        self.rates.must_be_exact("reverse mode")?;
        match self.stop_when_active.is_none() && self.quiet_end.is_none() {
            true => Ok(()),
            false => Err(BackendError::Unsupported(
                "a run that is differentiated cannot stop early".into(),
            )),
        }
    }

    /// Tables of rates have single precision, and were made for this membrane, its parameters and these steps.
    fn check_rates(&self) -> Result<(), BackendError> {
        let Rates::Table(step) = &self.rates else {
            return Ok(());
        };
        let (shared, dt_ms) = (&self.shared, self.grid.dt_ms());
        let problem = match self.precision {
            Precision::F64 => {
                "tables of rates have the accuracy of single precision: run in f32, or with exact rates"
            }
            Precision::F32 if step.fits(&self.membrane, shared, self.v_reference_mv, dt_ms) => {
                return Ok(());
            }
            Precision::F32 => {
                "tables of rates are those of one membrane, its parameters and its time step: make them anew for others"
            }
        };
        Err(BackendError::Unsupported(problem.into()))
    }

    /// Observers name nodes and states that exist, and can see something.
    fn check_observers(&self) -> Result<(), BackendError> {
        for (index, observer) in self.observers.iter().enumerate() {
            let refuse = |problem: &str| {
                Err(BackendError::Unsupported(format!(
                    "observer {index}: {problem}"
                )))
            };
            let mut fewest = usize::MAX;
            let mut resolved_for = None;
            for (fiber, of) in self.fibers.iter().enumerate() {
                let nodes = of.cable.nodes();
                // Fibers of as many nodes are adjacent more often than not.
                if resolved_for.replace(nodes) == Some(nodes) {
                    continue;
                }
                let resolved = observer.nodes.resolve(nodes);
                let resolved = resolved.map_err(|node| BackendError::NodeOutOfRange {
                    observer: index,
                    fiber,
                    index: node,
                    nodes,
                })?;
                fewest = fewest.min(resolved.iter().collect::<HashSet<_>>().len());
            }
            match &observer.kind {
                _ if fewest == 0 => return refuse("it watches no node; name at least one"),
                ObserverKind::Active { at_least } if *at_least == 0 || *at_least > fewest => {
                    return refuse("it needs at least 1 and at most as many nodes as it watches");
                }
                ObserverKind::Maximum if observer.first_state(&self.grid) > self.grid.steps() => {
                    return refuse(
                        "it begins to watch after the run ends; let it begin earlier or raise tstop",
                    );
                }
                _ => {}
            }
            let Some((states, every)) = observer.kind.recorded() else {
                continue;
            };
            if every == 0 {
                return refuse("a recorder must record every 1 or more steps, not every 0");
            }
            let known = || self.membrane.states.iter().map(String::as_str);
            if let Some(name) = states
                .into_iter()
                .find(|&name| known().all(|known| known != name))
            {
                return Err(BackendError::UnknownState {
                    observer: index,
                    name: name.to_owned(),
                    nearest: names::nearest(name, known()).map(str::to_owned),
                });
            }
        }
        Ok(())
    }

    /// Every input of a membrane program is bound to something that exists, of the input's extent.
    fn check_bindings(&self) -> Result<(), BackendError> {
        let membrane = &self.membrane;
        let programs = [
            ("rest", &membrane.rest),
            ("currents", &membrane.currents),
            ("step", &membrane.step),
        ];
        let fiber_parameters = self
            .fibers
            .iter()
            .map(|fiber| fiber.parameters.len())
            .min()
            .unwrap_or(usize::MAX);
        let states = membrane.states.len();
        for ((name, bound), expected) in programs.into_iter().zip([states, 2, states + 2]) {
            let found = bound.program.outputs().len();
            if found != expected {
                let what = format!("outputs of the membrane program `{name}`");
                return Err(BackendError::Shape {
                    what,
                    expected,
                    found,
                });
            }
        }
        for (name, bound) in programs {
            let (program, bindings) = (&bound.program, &bound.bindings);
            if bindings.len() != program.inputs().len() {
                return Err(BackendError::Shape {
                    what: format!("bindings of the membrane program `{name}`"),
                    expected: program.inputs().len(),
                    found: bindings.len(),
                });
            }
            for (input, binding) in program.inputs().iter().zip(bindings) {
                let exists = match *binding {
                    Binding::U | Binding::Dt | Binding::Reference => true,
                    Binding::State(index) => index < membrane.states.len(),
                    Binding::Shared(index) => index < self.shared.len(),
                    Binding::Fiber(index) => index < fiber_parameters,
                };
                // Voltage and states are per node; everything else is the same at every node of a fiber.
                let per_node = matches!(binding, Binding::U | Binding::State(_));
                if !exists || per_node != (input.extent == Extent::Node) {
                    return Err(BackendError::Unsupported(format!(
                        "input `{}` of the membrane program `{name}` is bound to {binding:?}, which no node has",
                        input.name
                    )));
                }
            }
        }
        Ok(())
    }

    /// The step after which no source acts on `fiber` any more; the last one where that is not known beforehand.
    pub fn driven_until(&self, fiber: usize) -> usize {
        let until = |source: &Source| match source {
            Source::Separable { waveform, .. } => {
                let last = self.drive.waveforms[*waveform]
                    .iter()
                    .rposition(|w| *w != 0.0);
                last.map_or(0, |step| step + 1)
            }
            Source::SpaceTime(_) => self.grid.steps(),
        };
        let each = self.drive.sources[fiber].iter().map(until);
        // Without sources nothing acts from the start on.
        each.max().unwrap_or(0)
    }

    /// The same rollout for some of its fibers, in the given order; a fiber may come more than once.
    #[must_use]
    pub fn select(&self, fibers: impl Iterator<Item = usize> + Clone) -> Rollout {
        let of = |fiber: usize| self.fibers[fiber].clone();
        Rollout {
            fibers: fibers.clone().map(of).collect(),
            drive: Drive {
                waveforms: self.drive.waveforms.clone(),
                sources: fibers
                    .clone()
                    .map(|fiber| self.drive.sources[fiber].clone())
                    .collect(),
                gains: fibers
                    .clone()
                    .map(|fiber| self.drive.gains[fiber].clone())
                    .collect(),
            },
            start: match &self.start {
                Start::From(states) => {
                    Start::From(fibers.map(|fiber| states[fiber].clone()).collect())
                }
                uniform => uniform.clone(),
            },
            membrane: self.membrane.clone(),
            shared: self.shared.clone(),
            observers: self.observers.clone(),
            steps: self.steps.clone(),
            rates: self.rates.clone(),
            scanned: self.scanned.clone(),
            cancel: self.cancel.clone(),
            ..*self
        }
    }

    /// Values for the inputs of a program that are the same at every node of `fiber`: parameters, time step and
    /// reference potential; `None` for voltage and states.
    pub fn constants(&self, bindings: &[Binding], fiber: usize) -> Vec<Option<f64>> {
        bindings
            .iter()
            .map(|binding| match *binding {
                Binding::U | Binding::State(_) => None,
                Binding::Shared(index) => Some(self.shared[index]),
                Binding::Fiber(index) => Some(self.fibers[fiber].parameters[index]),
                Binding::Dt => Some(self.grid.dt_ms()),
                Binding::Reference => Some(self.v_reference_mv),
            })
            .collect()
    }

    /// Steady state of the state variables of `fiber` at the membrane potential `v_mv`.
    pub fn rest(&self, fiber: usize, v_mv: f64) -> Vec<f64> {
        let rest = &self.membrane.rest;
        let u = v_mv - self.v_reference_mv;
        let constants = self.constants(&rest.bindings, fiber);
        let inputs: Vec<f64> = constants.into_iter().map(|c| c.unwrap_or(u)).collect();
        rest.program.eval(&inputs)
    }
}
