//! Passive twins: the same fiber, start and stimulus with the membrane's conductances frozen at their values at t = 0.
//!
//! A twin is linear, so that its voltage at amplitude A is that of the start and of the unscaled currents alone plus A
//! times the response to the scaled sources at unit amplitude. The response of a twin is due to the stimulus; any
//! further response of a fiber is due to its active membrane.

mod contacts;
mod extremes;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use axonml_autodiff::cable::Cable;
use axonml_autodiff::cable::US_PER_S;
use axonml_autodiff::engine::{
    Binding, BoundProgram, FiberOutcome, FiberState, FiberStatus, MembranePrograms, NodeSelection,
    Observation, ObserverKind, ObserverSpec, Rates, Rollout, RolloutFiber, Source, Start, Traces,
    VOLTAGE,
};
use axonml_autodiff::ir::{Extent, Precision, Tracer};

use crate::scaling::{Scaling, SourceGain};
use crate::{Simulation, SimulationError};

pub(crate) use contacts::ContactTwins;
use extremes::Extremes;

/// Range of the potentials that a response is computed with, mV, to a factor of two: small enough that no twin is
/// mistaken for diverged.
const RESPONSE_MV: f64 = 16.0;

/// Time after the last source in which internodes may still charge nodes, ms.
const RELAXED_MS: f64 = 0.3;

/// Range of potentials up to which everything that follows from them fits single precision, mV.
const LARGEST_F32_MV: f64 = 1e25;

/// The membrane of a segment in the initial state of a run: conductance (S/cm2) and source (mA/cm2).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Frozen {
    pub(crate) g: f64,
    pub(crate) j: f64,
}

/// The membrane of every node of `fiber` in the initial state of `rollout`.
pub(crate) fn membrane_at_start(rollout: &Rollout, fiber: usize) -> Vec<Frozen> {
    let currents = &rollout.membrane.currents;
    let constants = rollout.constants(&currents.bindings, fiber);
    let at = |v_mv: f64, state: &dyn Fn(usize) -> f64| {
        let inputs: Vec<f64> = currents
            .bindings
            .iter()
            .zip(&constants)
            .map(|(binding, constant)| match *binding {
                Binding::U => v_mv - rollout.v_reference_mv,
                Binding::State(index) => state(index),
                _ => constant.unwrap_or(f64::NAN),
            })
            .collect();
        let outputs = currents.program.eval(&inputs);
        Frozen {
            g: outputs[0],
            j: outputs[1],
        }
    };
    match &rollout.start {
        Start::Uniform { v_mv, states } => {
            let states = match states {
                Some(states) => states.clone(),
                None => rollout.rest(fiber, *v_mv),
            };
            vec![at(*v_mv, &|index| states[index]); rollout.fibers[fiber].cable.nodes()]
        }
        Start::From(saved) => {
            let saved = &saved[fiber];
            let of_node = |(node, &v_mv)| at(v_mv, &|index| saved.states[index][node]);
            saved.v_mv.iter().enumerate().map(of_node).collect()
        }
    }
}

/// The first fiber that is equal to each of a rollout but for the sources that an amplitude multiplies.
fn equal_without_sources(whole: &Rollout, scaling: &Scaling) -> Vec<usize> {
    let is_uniform = matches!(whole.start, Start::Uniform { .. });
    let mut first: HashMap<*const Cable, usize> = HashMap::new();
    let equal = |(fiber, of): (usize, &RolloutFiber)| {
        if !is_uniform || scaling.has_fixed(fiber) {
            return fiber;
        }
        let known = *first.entry(Arc::as_ptr(&of.cable)).or_insert(fiber);
        match whole.fibers[known].parameters == of.parameters {
            true => known,
            false => fiber,
        }
    };
    whole.fibers.iter().enumerate().map(equal).collect()
}

/// A membrane whose conductance and source are constant states.
fn frozen_membrane() -> Result<MembranePrograms, SimulationError> {
    const NAMES: [&str; 2] = ["frozen G", "frozen J"];
    let program = |outputs: &[&str], constant: bool| {
        let tracer = Tracer::new();
        let value = |name: &str| match constant {
            true => tracer.constant(0.0),
            false => tracer.input(name, Extent::Node),
        };
        let outputs: Vec<_> = outputs
            .iter()
            .enumerate()
            .map(|(index, name)| (format!("{name} {index}"), value(name)))
            .collect();
        let program = tracer.finish(&outputs)?;
        let bindings = program
            .inputs()
            .iter()
            .map(|input| Binding::State(usize::from(input.name == NAMES[1])))
            .collect();
        Ok::<_, SimulationError>(BoundProgram::new(program, bindings))
    };
    let step = [NAMES[0], NAMES[1], NAMES[0], NAMES[1]];
    Ok(MembranePrograms::new(
        NAMES.map(str::to_owned).to_vec(),
        program(&NAMES, true)?,
        program(&NAMES, false)?,
        program(&step, false)?,
    ))
}

/// Steps that are computed at once: a trace is the same whatever it was asked for, and in how many goes.
const PIECE: usize = 128;

/// The voltage of a twin at some nodes in a run that can be continued.
#[derive(Clone, Debug)]
struct Trace {
    nodes: Vec<usize>,
    /// The last state that was computed; beyond all states once there are no more.
    last: usize,
    /// `[state, node]` flattened, mV.
    v_mv: Vec<f32>,
    /// The state `last` of the whole twin; none of sums, which are not continued, and of twins that diverged.
    end: Option<FiberState>,
    /// Amplitude of the sources.
    scale: f64,
}

impl Trace {
    fn covers(&self, nodes: &[usize], last: usize) -> bool {
        self.last >= last && nodes.iter().all(|node| self.nodes.contains(node))
    }

    /// Voltage at a node in the `row`th state.
    fn v_mv(&self, node: usize, row: usize) -> Option<f64> {
        let column = self.nodes.binary_search(&node).ok()?;
        let v_mv = self.v_mv.get(row * self.nodes.len() + column)?;
        Some(f64::from(*v_mv))
    }
}

/// Properties that traces share when they are computed in one rollout.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Together {
    nodes: Vec<usize>,
    /// The state to go on from, and the last one that is asked for.
    from: usize,
    last: usize,
    /// Whether single precision holds their fields.
    single: bool,
}

/// Least amplitudes at which a twin reaches a level, mA; `None` where none does, or none is known.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Reaching {
    /// At any node.
    pub(crate) anywhere_ma: Option<f64>,
    /// At a detection site; 0 where nothing is known.
    pub(crate) at_sites_ma: Option<f64>,
}

/// Which sources act on a twin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// Those that the amplitude does not multiply, from the start of the run.
    Base,
    /// Those that it multiplies, from zero.
    Unit,
}

/// The passive twins of the fibers of a rollout; computed lazily.
#[derive(Debug)]
pub(crate) struct Twins<'s> {
    simulation: &'s Simulation,
    /// The rollout of the fibers themselves.
    whole: &'s Rollout,
    scaling: &'s Scaling,
    frozen: Arc<MembranePrograms>,
    membranes: Vec<Vec<Frozen>>,
    /// Of each waveform of the rollout, which many fibers share.
    waveforms: Vec<Extremes>,
    /// The first fiber that is equal to each without scaled sources: they share that part.
    equal: Vec<usize>,
    bases: BTreeMap<usize, Trace>,
    units: BTreeMap<usize, Trace>,
    /// Twins that responses are summed from, where the sources are contacts of a population.
    contacts: Option<Box<ContactTwins<'s>>>,
}

impl<'s> Twins<'s> {
    /// The twins of the fibers of `whole`, none of them computed yet.
    pub(crate) fn new(
        simulation: &'s Simulation,
        whole: &'s Rollout,
        scaling: &'s Scaling,
    ) -> Result<Self, SimulationError> {
        let fibers = 0..whole.fibers.len();
        Ok(Twins {
            simulation,
            whole,
            scaling,
            frozen: Arc::new(frozen_membrane()?),
            membranes: fibers
                .map(|fiber| membrane_at_start(whole, fiber))
                .collect(),
            waveforms: whole
                .drive
                .waveforms
                .iter()
                .map(|w| Extremes::of(w))
                .collect(),
            equal: equal_without_sources(whole, scaling),
            bases: BTreeMap::new(),
            units: BTreeMap::new(),
            contacts: None,
        })
    }

    /// The same with responses summed from those to single contacts.
    pub(crate) fn summed_from(mut self, contacts: Option<ContactTwins<'s>>) -> Self {
        self.contacts = contacts.map(Box::new);
        self
    }

    /// Whether the twin of `fiber` stays below `limit_mv` at `node` and this amplitude whatever its cable does: the
    /// inner potentials of a network of positive conductances stay between those of its sources, so that no membrane
    /// lies above its reversal by more than the highest potential around the fiber does above the one at the node. Not
    /// known of surrogates' cables, whose coefficients are fitted, nor of injected currents and space-time fields.
    pub(crate) fn stays_below(
        &self,
        fiber: usize,
        node: usize,
        amplitude_ma: f64,
        limit_mv: f64,
    ) -> bool {
        let is_network = matches!(
            *self.whole.fibers[fiber].cable,
            Cable::Implicit(_) | Cable::Double(_)
        );
        // Internodes may carry charge from earlier stimulation.
        let (true, Start::Uniform { v_mv, .. }) = (is_network, &self.whole.start) else {
            return false;
        };
        let reference = self.whole.v_reference_mv;
        let mut highest = reference.max(*v_mv);
        for frozen in &self.membranes[fiber] {
            // A conductance that is not positive is no part of such a network.
            if frozen.g.is_nan() || frozen.g <= 0.0 {
                return false;
            }
            highest = highest.max(frozen.j / frozen.g + reference);
        }
        let drive = &self.whole.drive;
        let sample = self.simulation.built[fiber].node_samples[node];
        let gains = self.scaling.sources(fiber);
        for (source, gain) in drive.sources[fiber].iter().zip(gains) {
            let (
                Source::Separable {
                    potentials: Some(potentials),
                    waveform,
                    ..
                },
                SourceGain::Scaled(strength),
            ) = (source, gain)
            else {
                return false;
            };
            let gain = strength * amplitude_ma;
            let wave = self.waveforms[*waveform];
            let field = Extremes::of(potentials);
            let products = |ve: [f64; 2]| {
                let each = ve
                    .into_iter()
                    .flat_map(|ve| [wave.low * ve, wave.high * ve]);
                each.map(|x| gain * x)
            };
            highest += products([field.low, field.high]).fold(0.0, f64::max);
            highest -= products([potentials[sample]; 2]).fold(0.0, f64::min);
        }
        highest < limit_mv
    }

    /// Range of the potentials that sources give a fiber over space and time at unit amplitude, mV: at most. Outside
    /// they are those of the field; inside, an injected current charges its node by no more than if the node kept all
    /// of the charge.
    fn range_mv(&self, fiber: usize) -> f64 {
        let drive = &self.whole.drive;
        let cable = &self.whole.fibers[fiber].cable;
        let span = |values: &[f64]| {
            let field = Extremes::of(values);
            field.high - field.low
        };
        let of_source = |source: &Source| match source {
            Source::Separable {
                projection,
                potentials,
                waveform,
            } => {
                let wave = self.waveforms[*waveform];
                match potentials {
                    Some(potentials) => 2.0 * span(potentials) * wave.peak(),
                    None => {
                        let charge_pc = |na: f64| na.abs() * self.whole.grid.dt_ms();
                        let nodes = projection.nodes_na.iter().enumerate();
                        let driven = nodes.filter(|(_, na)| **na != 0.0);
                        let charged =
                            driven.map(|(k, na)| charge_pc(*na) / cable.capacitance_nf(k));
                        charged.sum::<f64>() * wave.sum
                    }
                }
            }
            Source::SpaceTime(values) => 2.0 * span(values),
        };
        let each = drive.sources[fiber].iter().zip(self.scaling.sources(fiber));
        each.map(|(source, gain)| match gain {
            SourceGain::Scaled(strength) => strength.abs() * of_source(source),
            SourceGain::Fixed(_) => 0.0,
        })
        .sum()
    }

    /// Whether single precision holds the potentials that sources give a fiber at an amplitude, mA.
    pub(crate) fn fits_single(&self, fiber: usize, amplitude_ma: f64) -> bool {
        amplitude_ma * self.range_mv(fiber) < LARGEST_F32_MV
    }

    /// A power of two at which the fiber's sources are weak. It follows the field exactly when that is scaled by a
    /// power of two, and so does everything that is computed with it.
    fn weak_amplitude(&self, fiber: usize) -> f64 {
        let range = self.range_mv(fiber);
        match range > 0.0 && range.is_finite() {
            true => (RESPONSE_MV / range).log2().floor().exp2(),
            false => 1.0,
        }
    }

    /// One part of the twins of `fibers` as a rollout. Voltages are relative to the internodal reversal potential.
    fn rollout(&self, fibers: &[usize], part: Part, observer: ObserverSpec) -> Rollout {
        let whole = self.whole;
        let unit = part == Part::Unit;
        let mut rollout = whole.select(fibers.iter().copied());
        rollout.membrane = self.frozen.clone();
        rollout.rates = Rates::Exact;
        rollout.shared = Arc::new(Vec::new());
        rollout.v_reference_mv = 0.0;
        // The twin is compared with a margin of many mV: single precision is plenty, unless it cannot hold the field.
        if fibers.iter().all(|&fiber| self.fits_single(fiber, 1.0)) {
            rollout.precision = Precision::F32;
        }
        rollout.observers = vec![observer];
        rollout.stop_when_active = None;
        rollout.quiet_end = None;
        rollout.final_states = false;
        let drive = &mut rollout.drive;
        let each = drive.sources.iter_mut().zip(&mut drive.gains);
        for ((sources, gains), &fiber) in each.zip(fibers) {
            let all = self.scaling.gains(fiber, self.weak_amplitude(fiber));
            *gains = self.scaling.kept(fiber, unit, &all);
            *sources = Arc::new(self.scaling.kept(fiber, unit, &whole.drive.sources[fiber]));
        }
        for fiber in &mut rollout.fibers {
            fiber.parameters.clear();
        }
        let start = |&fiber: &usize| {
            let cable = &whole.fibers[fiber].cable;
            let zeros = || vec![0.0; cable.nodes()];
            let membrane = &self.membranes[fiber];
            let (v_mv, modes) = match &whole.start {
                _ if unit => (zeros(), vec![0.0; cable.mode_count()]),
                Start::Uniform { v_mv, .. } => (
                    vec![v_mv - whole.v_reference_mv; cable.nodes()],
                    vec![0.0; cable.mode_count()],
                ),
                Start::From(saved) => {
                    let v_mv = saved[fiber].v_mv.iter();
                    let u_mv = v_mv.map(|v| v - whole.v_reference_mv);
                    (u_mv.collect(), saved[fiber].modes.clone())
                }
            };
            let source = |frozen: &Frozen| if unit { 0.0 } else { frozen.j };
            FiberState {
                v_mv,
                states: vec![
                    membrane.iter().map(|frozen| frozen.g).collect(),
                    membrane.iter().map(source).collect(),
                ],
                modes,
            }
        };
        rollout.start = Start::From(fibers.iter().map(start).collect());
        rollout
    }

    /// Least amplitudes at which the twin of each fiber reaches `level_mv`, mA, somewhere and at one of its `sites`.
    pub(crate) fn reaching(
        &self,
        level_mv: f64,
        sites: impl Fn(usize) -> Vec<usize>,
    ) -> Result<Vec<Reaching>, SimulationError> {
        let maximum = ObserverSpec::new(ObserverKind::Maximum, NodeSelection::All);
        // Without sources a passive membrane only relaxes. Rounded, so that fibers are computed together.
        let wait = (RELAXED_MS / self.whole.grid.dt_ms()).ceil() as usize;
        let mut by_last: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for fiber in 0..self.whole.fibers.len() {
            self.whole.check_canceled()?;
            let last = self.whole.driven_until(fiber).saturating_add(wait);
            let last = last.checked_next_power_of_two().unwrap_or(usize::MAX);
            let last = last.clamp(self.whole.steps.start, self.whole.steps.end);
            by_last.entry(last).or_default().push(fiber);
        }
        let mut reaching = vec![Reaching::default(); self.whole.fibers.len()];
        for (last, fibers) in by_last {
            let mut rollout = self.rollout(&fibers, Part::Unit, maximum.clone());
            rollout.steps.end = last;
            let outcome = self.simulation.execute(&rollout)?;
            for (&fiber, outcome) in fibers.iter().zip(&outcome.fibers) {
                let needed = self.needed_ma(fiber, outcome, level_mv);
                let least = |ma: &mut dyn Iterator<Item = f64>| ma.min_by(f64::total_cmp);
                reaching[fiber] = match needed {
                    // Nothing is known of a twin that diverged.
                    None => Reaching {
                        anywhere_ma: None,
                        at_sites_ma: Some(0.0),
                    },
                    Some(needed) => Reaching {
                        anywhere_ma: least(&mut needed.iter().flatten().copied()),
                        at_sites_ma: least(
                            &mut sites(fiber).into_iter().filter_map(|site| needed[site]),
                        ),
                    },
                };
            }
        }
        Ok(reaching)
    }

    /// The amplitude at which each node of a twin reaches a level, mA, from the largest voltages at a weak one; `None` of
    /// nodes that never do.
    fn needed_ma(
        &self,
        fiber: usize,
        outcome: &FiberOutcome,
        level_mv: f64,
    ) -> Option<Vec<Option<f64>>> {
        let Observation::Maximum(response_mv) = &outcome.observations[0] else {
            return None;
        };
        if matches!(outcome.status, FiberStatus::Diverged { .. }) {
            return None;
        }
        let scale = self.weak_amplitude(fiber);
        let start_mv = |node: usize| match &self.whole.start {
            Start::Uniform { v_mv, .. } => *v_mv,
            Start::From(saved) => saved[fiber].v_mv[node],
        };
        let needed = |(node, &response): (usize, &f64)| {
            let missing = level_mv - start_mv(node);
            (response > 0.0 && missing > 0.0).then_some(missing / response * scale)
        };
        Some(response_mv.iter().enumerate().map(needed).collect())
    }

    /// Computes the twins at the given (fiber, nodes), up to the state `last`, where they are not known yet.
    pub(crate) fn look_at(
        &mut self,
        wanted: &BTreeMap<usize, Vec<usize>>,
        last: usize,
    ) -> Result<(), SimulationError> {
        let steps = &self.whole.steps;
        // At least one piece, so that what is known can be continued.
        let last = steps.start
            + last
                .saturating_sub(steps.start)
                .max(1)
                .next_multiple_of(PIECE);
        let last = last.min(steps.end);
        if let Some(contacts) = &mut self.contacts {
            let is_known = |fiber: &usize, nodes: &[usize]| {
                let parts = [self.units.get(fiber), self.bases.get(&self.equal[*fiber])];
                let mut parts = parts.into_iter();
                parts.all(|trace| trace.is_some_and(|trace| trace.covers(nodes, last)))
            };
            // Fibers that are looked at in the same places are summed together.
            let mut missing: BTreeMap<&[usize], Vec<usize>> = BTreeMap::new();
            for (&fiber, nodes) in wanted {
                if !is_known(&fiber, nodes) {
                    missing.entry(nodes).or_default().push(fiber);
                }
            }
            for (nodes, fibers) in missing {
                for (fiber, unit) in contacts.responses(&fibers, nodes, last)? {
                    let base = self.bases.get(&self.equal[fiber]);
                    if !base.is_some_and(|base| base.covers(nodes, last)) {
                        self.bases.insert(self.equal[fiber], contacts.base(fiber));
                    }
                    self.units.insert(fiber, unit);
                }
            }
            return Ok(());
        }
        let mut bases: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (&fiber, nodes) in wanted {
            bases.entry(self.equal[fiber]).or_default().extend(nodes);
        }
        let known = std::mem::take(&mut self.bases);
        self.bases = self.continued(known, &bases, last, Part::Base)?;
        let known = std::mem::take(&mut self.units);
        self.units = self.continued(known, wanted, last, Part::Unit)?;
        Ok(())
    }

    /// The known traces of a part of twins, and those wanted up to the state `last`.
    fn continued(
        &self,
        mut known: BTreeMap<usize, Trace>,
        wanted: &BTreeMap<usize, Vec<usize>>,
        last: usize,
        part: Part,
    ) -> Result<BTreeMap<usize, Trace>, SimulationError> {
        let mut missing: BTreeMap<Together, Vec<usize>> = BTreeMap::new();
        for (&fiber, nodes) in wanted {
            let mut together = Together {
                nodes: nodes.clone(),
                from: self.whole.steps.start,
                last,
                single: self.fits_single(fiber, 1.0),
            };
            if let Some(trace) = known.get(&fiber) {
                if trace.covers(nodes, last) {
                    continue;
                }
                together.nodes.extend(&trace.nodes);
                if nodes.iter().all(|node| trace.nodes.contains(node)) {
                    together.from = trace.last;
                } else {
                    // From the start, as far as it was known elsewhere.
                    together.last = last.max(trace.last);
                    known.remove(&fiber);
                }
            }
            together.nodes.sort_unstable();
            together.nodes.dedup();
            missing.entry(together).or_default().push(fiber);
        }
        for (together, fibers) in missing {
            let traces = fibers.iter().map(|fiber| known.remove(fiber)).collect();
            let traces = self.traces(&fibers, traces, &together, part)?;
            known.extend(fibers.into_iter().zip(traces));
        }
        Ok(known)
    }

    /// Continues traces of `fibers`, all known up to the same state or none at all.
    fn traces(
        &self,
        fibers: &[usize],
        known: Vec<Option<Trace>>,
        together: &Together,
        part: Part,
    ) -> Result<Vec<Trace>, SimulationError> {
        let nodes = &together.nodes;
        let kind = ObserverKind::Traces {
            quantities: vec![VOLTAGE.to_owned()],
            every: 1,
        };
        let selection = nodes.iter().map(|&node| node as i64).collect();
        let observer = ObserverSpec::new(kind, NodeSelection::Nodes(selection));
        let new = |(&fiber, known): (&usize, Option<Trace>)| {
            known.unwrap_or_else(|| Trace {
                nodes: nodes.clone(),
                last: together.from,
                v_mv: Vec::new(),
                end: None,
                scale: self.weak_amplitude(fiber),
            })
        };
        let mut traces: Vec<Trace> = fibers.iter().zip(known).map(new).collect();
        let mut open: Vec<usize> = (0..fibers.len()).collect();
        let mut done = together.from;
        let begins = |done: usize| done == self.whole.steps.start;
        while !open.is_empty() && (begins(done) || done < together.last) {
            let each: Vec<usize> = open.iter().map(|&at| fibers[at]).collect();
            let mut rollout = self.rollout(&each, part, observer.clone());
            rollout.final_states = true;
            if !begins(done) {
                let ends = open.iter().filter_map(|&at| traces[at].end.take());
                rollout.start = Start::From(ends.collect());
            }
            rollout.steps = done..(done + PIECE).min(together.last);
            let is_last = rollout.steps.is_empty();
            done = rollout.steps.end;
            let outcomes = self.simulation.execute(&rollout)?.fibers;
            let mut still_open = Vec::with_capacity(open.len());
            for (&at, outcome) in open.iter().zip(outcomes) {
                let trace = &mut traces[at];
                if let Some(Observation::Traced(Traces { values, .. })) =
                    outcome.observations.into_iter().next()
                {
                    trace.v_mv.extend(values);
                }
                trace.end = outcome.state;
                // Of a twin that diverged nothing more is known, however often it is asked for.
                trace.last = match trace.end {
                    Some(_) => done,
                    None => usize::MAX,
                };
                still_open.extend(trace.end.is_some().then_some(at));
            }
            open = still_open;
            if is_last {
                break;
            }
        }
        Ok(traces)
    }

    /// Drops what was computed, to free its memory.
    pub(crate) fn forget(&mut self) {
        self.bases.clear();
        self.units.clear();
    }

    /// Voltage of a twin at an amplitude, mV; `None` if it was not computed there, or is not finite.
    pub(crate) fn v_mv(
        &self,
        fiber: usize,
        node: usize,
        state: usize,
        amplitude_ma: f64,
    ) -> Option<f64> {
        let base = self.bases.get(&self.equal[fiber])?;
        let unit = self.units.get(&fiber)?;
        // The first row is the start of a run, or the state after the first step of one that is continued.
        let start = self.whole.steps.start;
        let row = state.checked_sub(start + usize::from(start > 0))?;
        let response_mv = amplitude_ma / unit.scale * unit.v_mv(node, row)?;
        let v_mv = base.v_mv(node, row)? + response_mv + self.whole.v_reference_mv;
        v_mv.is_finite().then_some(v_mv)
    }

    /// Length constant of a fiber in its initial state, in spacings of its nodes: over so many of them a
    /// passive voltage falls by e. 1 for nodes joined by internodes, which insulate.
    pub(crate) fn length_constant(&self, fiber: usize) -> f64 {
        if self.simulation.schema().compartment_um.is_none() {
            return 1.0;
        }
        let cable = &self.whole.fibers[fiber].cable;
        let middle = cable.nodes() / 2;
        let link_us = match &**cable {
            Cable::Implicit(cable) => cable.link_us.get(middle).copied(),
            Cable::Explicit(cable) => Some(cable.axial_us),
            Cable::Double(_) | Cable::Reduced(_) => None,
        };
        let g = self.membranes[fiber].get(middle).map_or(0.0, |at| at.g);
        let leak_us = US_PER_S * g * cable.area_cm2(middle);
        match link_us {
            Some(link_us) if leak_us > 0.0 => (link_us / leak_us).sqrt().max(1.0),
            _ => 1.0,
        }
    }
}
