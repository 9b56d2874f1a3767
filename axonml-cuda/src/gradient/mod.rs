//! Gradients, independent of the executor of the kernels: a forward pass that stores states, the objective on the host,
//! and the adjoint pass segment by segment (two-level uniform checkpointing; Griewank & Walther 2008, Evaluating
//! Derivatives).

mod results;
mod segments;
mod sizes;
mod steps;

use std::ops::Range;

use axonml_autodiff::adjoint::{Differentiated, Evaluation, GradientRequest, Objective, Seeds};
use axonml_autodiff::engine::{BackendError, FiberOutcome, FiberStatus, Rollout, every_result};
use axonml_autodiff::ir::Precision;
use rayon::prelude::*;

use crate::execute::{Element, Executor, GradientTables, Tables, check_size};
use crate::layout::{NONE, modes, row_length, state_rows, warp_index};
use crate::membrane::ParameterSets;
use crate::pack::{Launch, pack, words};
use crate::plan::{FIRST_RASTER_CAPACITY, classes, launches};
use crate::source::KernelSource;
use crate::sums::SumLayout;
use crate::unpack::unpack;
use segments::{Segments, traces};
use sizes::TableSizes;
use steps::StepCotangents;

/// Runs a rollout and differentiates an objective of its observations.
pub(crate) fn differentiate<E: Executor>(
    executor: &E,
    rollout: &Rollout,
    objective: &dyn Objective,
    request: GradientRequest,
) -> Result<Vec<Differentiated>, BackendError> {
    rollout.check_differentiable()?;
    // Cotangents of the last state will lie where it did.
    let kept = Rollout {
        final_states: true,
        ..rollout.clone()
    };
    let job = GradientJob {
        objective,
        request,
        final_states: rollout.final_states,
    };
    match rollout.precision {
        Precision::F32 => differentiate_as::<f32, E>(executor, &kept, job),
        Precision::F64 => differentiate_as::<f64, E>(executor, &kept, job),
    }
}

/// Request of the caller.
#[derive(Clone, Copy)]
struct GradientJob<'a> {
    objective: &'a dyn Objective,
    request: GradientRequest,
    /// Whether outcomes hold the last states.
    final_states: bool,
}

fn differentiate_as<R: Element, E: Executor>(
    executor: &E,
    rollout: &Rollout,
    job: GradientJob<'_>,
) -> Result<Vec<Differentiated>, BackendError> {
    let request = job.request;
    let budgets = executor.gradient_bytes()?;
    let budget = budgets[0];
    let mut fibers: Vec<Option<Differentiated>> = vec![None; rollout.fibers.len()];
    for (nodes_per_lane, class) in classes(rollout) {
        let sets = ParameterSets::new(rollout, &class);
        let [forward, reverse] =
            KernelSource::of_gradients::<R>(rollout, &sets, nodes_per_lane, request);
        let segments = Segments::new(rollout, &class, nodes_per_lane, request, budgets)?;
        let mut set_of = sets.of_fiber.iter().copied();
        for part in launches(rollout, &class, nodes_per_lane, budget) {
            check_size(rollout, &part, nodes_per_lane, budget)?;
            for part in part.chunks(segments.fibers) {
                let pass = GradientPass {
                    executor,
                    rollout,
                    job,
                    fibers: part,
                    sets: ParameterSets {
                        of_fiber: set_of.by_ref().take(part.len()).collect(),
                        examples: sets.examples.clone(),
                    },
                    forward: &forward,
                    reverse: &reverse,
                    segments: &segments,
                    layout: SumLayout::new(rollout, nodes_per_lane, request),
                };
                for (&fiber, found) in part.iter().zip(pass.execute::<R>()?) {
                    fibers[fiber] = Some(found);
                }
            }
        }
    }
    every_result(fibers)
}

/// Forward and adjoint pass over some fibers of a rollout.
struct GradientPass<'a, E> {
    executor: &'a E,
    rollout: &'a Rollout,
    job: GradientJob<'a>,
    fibers: &'a [usize],
    sets: ParameterSets,
    forward: &'a KernelSource,
    reverse: &'a KernelSource,
    segments: &'a Segments,
    layout: SumLayout,
}

/// Steps of one kernel launch.
struct LaunchWindow {
    steps: Range<usize>,
    /// The checkpoint to begin from, if the steps were taken before.
    checkpoint: Option<usize>,
    /// First state of the stored trajectory, in a forward pass.
    keep_from: usize,
}

impl LaunchWindow {
    /// Covers a whole segment, or a run, and stores its states.
    fn of(steps: &Range<usize>) -> Self {
        LaunchWindow {
            steps: steps.clone(),
            checkpoint: None,
            keep_from: steps.start,
        }
    }
}

/// A finished forward pass with its stored trajectory.
struct ForwardPass<R: Element, E: Executor> {
    launch: Launch<R>,
    tables: Tables<R, E>,
    outcomes: Vec<FiberOutcome>,
}

/// Loss value and seed cotangents of a completed fiber.
struct SeededLoss {
    loss: f64,
    seeds: Seeds,
}

impl<E: Executor> GradientPass<'_, E> {
    fn execute<R: Element>(&self) -> Result<Vec<Differentiated>, BackendError> {
        let (executor, nodes_per_lane) = (self.executor, self.forward.nodes_per_lane);
        let ForwardPass {
            mut launch,
            mut tables,
            mut outcomes,
        } = self.run_forward::<R>()?;
        if !self.job.final_states {
            outcomes.iter_mut().for_each(|outcome| outcome.state = None);
        }
        let seeded = self.evaluate_loss(&outcomes)?;

        let seeds = self.seed(&mut launch, &seeded);
        executor.overwrite(&mut tables.out_reals, &seeds)?;
        let traced_steps = launch.header.traced_steps as usize;
        let mut trace = (traced_steps > 0)
            .then(|| StepCotangents::new(self.rollout, self.fibers, self.job.request));
        let mut rows = match trace {
            Some(_) => vec![R::default(); self.sizes(&launch).trace],
            None => Vec::new(),
        };
        let segments = &self.segments.steps;
        for (index, segment) in segments.iter().enumerate().rev() {
            if index + 1 < segments.len() {
                let replay = LaunchWindow {
                    checkpoint: Some(index),
                    ..LaunchWindow::of(segment)
                };
                self.launch(&mut launch, &mut tables, self.forward, replay)?;
            }
            let window = LaunchWindow::of(segment);
            self.launch(&mut launch, &mut tables, self.reverse, window)?;
            if let (Some(trace), Some(more)) = (&mut trace, &tables.gradient) {
                executor.download(&more.trace, &mut rows)?;
                trace.add(segment.clone(), traced_steps, &rows, nodes_per_lane);
            }
        }
        if segments.is_empty() {
            let window = LaunchWindow::of(&self.rollout.steps);
            self.launch(&mut launch, &mut tables, self.reverse, window)?;
        }
        self.results(launch, &tables, outcomes, seeded, trace)
    }

    /// Runs the whole rollout, storing the states of the last segment and a checkpoint at the begin of each other
    /// segment; repeats it with larger rasters if one overflows.
    fn run_forward<R: Element>(&self) -> Result<ForwardPass<R, E>, BackendError> {
        let (rollout, nodes_per_lane) = (self.rollout, self.forward.nodes_per_lane);
        let mut capacity = vec![FIRST_RASTER_CAPACITY; rollout.observers.len()];
        loop {
            let mut launch = pack::<R>(
                rollout,
                self.fibers,
                &self.sets,
                self.forward,
                Some(self.reverse),
                &capacity,
            );
            let gradient = self.set_up(&mut launch)?;
            launch.words = words(&launch.header, &launch.observers);
            let mut tables = Tables::new(self.executor, self.forward, &launch, Some(gradient))?;
            let last = self.segments.steps.last();
            let whole = LaunchWindow {
                keep_from: last.map_or(rollout.steps.start, |last| last.start),
                ..LaunchWindow::of(&rollout.steps)
            };
            self.launch(&mut launch, &mut tables, self.forward, whole)?;
            tables.fetch(self.executor, &mut launch)?;
            match unpack(rollout, self.fibers, nodes_per_lane, &launch, &capacity) {
                Ok(outcomes) => {
                    return Ok(ForwardPass {
                        launch,
                        tables,
                        outcomes,
                    });
                }
                Err(needed) => capacity = needed,
            }
        }
    }

    /// Lays out stored states, checkpoints and accumulators in the header, and reserves their memory.
    fn set_up<R: Element>(
        &self,
        launch: &mut Launch<R>,
    ) -> Result<GradientTables<R, E>, BackendError> {
        let (rollout, request) = (self.rollout, self.job.request);
        let fibers = self.fibers.len();
        let sources = self.fibers.iter();
        let sources: usize = sources.map(|&f| rollout.drive.sources[f].len()).sum();
        let header = &mut launch.header;
        let kept_states = self.segments.length.min(rollout.steps.len()) + 1;
        let checkpoints = self.segments.steps.len().saturating_sub(1);
        header.segment = self.segments.length as u64;
        header.kept_states = kept_states as u64;
        header.checkpoints = checkpoints as u64;
        header.of_gains = u64::from(request.gains);
        header.of_waveforms = u64::from(request.waveforms);
        header.of_fields = u64::from(request.fields || request.cables);
        header.traced_steps = match traces(rollout, self.fibers, request) {
            true => kept_states as u64 - 1,
            false => 0,
        };
        let mut sums = fibers * self.layout.of_fiber();
        header.gain_sums = sums as u64;
        sums += sources;
        header.waveform_sums = sums as u64;
        if request.waveforms {
            sums += sources * rollout.steps.len();
        }
        header.field_sums = sums as u64;
        let sizes = self.sizes(launch);
        let executor = self.executor;
        Ok(GradientTables {
            kept: executor.reserve(sizes.kept)?,
            back: executor.reserve(sizes.back)?,
            lane_sums: executor.reserve(sizes.lane_sums)?,
            sums: executor.reserve(sizes.sums)?,
            trace: executor.reserve(sizes.trace)?,
        })
    }

    fn sizes<R>(&self, launch: &Launch<R>) -> TableSizes {
        let sources = self.fibers.iter();
        TableSizes::new(
            self.rollout,
            &launch.header,
            &self.layout,
            sources.map(|&f| self.rollout.drive.sources[f].len()).sum(),
            self.job.request,
        )
    }

    fn launch<R: Element>(
        &self,
        launch: &mut Launch<R>,
        tables: &mut Tables<R, E>,
        kernel: &KernelSource,
        of: LaunchWindow,
    ) -> Result<(), BackendError> {
        self.rollout.check_canceled()?;
        launch.header.begin_step = of.steps.start as u64;
        launch.header.end_step = of.steps.end as u64;
        launch.header.checkpoint = of.checkpoint.map_or(u64::from(NONE), |index| index as u64);
        launch.header.keep_from = of.keep_from as u64;
        launch.words = words(&launch.header, &launch.observers);
        self.executor.overwrite(&mut tables.words, &launch.words)?;
        self.executor.launch(kernel, launch.blocks, tables)?;
        Ok(())
    }

    /// Evaluates loss and seed cotangents of every fiber that did not diverge.
    fn evaluate_loss(
        &self,
        outcomes: &[FiberOutcome],
    ) -> Result<Vec<Option<SeededLoss>>, BackendError> {
        let each = self.fibers.par_iter().zip(outcomes);
        let seeded: Vec<Result<Option<SeededLoss>, BackendError>> = each
            .map(|(&fiber, outcome)| {
                if matches!(outcome.status, FiberStatus::Diverged { .. }) {
                    return Ok(None);
                }
                let evaluation: Evaluation = self.job.objective.evaluate(fiber, outcome);
                let loss = evaluation.loss;
                let seeds = Seeds::new(self.rollout, fiber, &outcome.observations, evaluation)?;
                Ok(Some(SeededLoss { loss, seeds }))
            })
            .collect();
        seeded.into_iter().collect()
    }

    /// Returns the seed cotangents of recordings and last states, at the places of these among the results.
    fn seed<R: Element>(&self, launch: &mut Launch<R>, seeded: &[Option<SeededLoss>]) -> Vec<R> {
        let nodes_per_lane = self.forward.nodes_per_lane;
        let row = row_length(nodes_per_lane);
        let rows = state_rows(self.rollout);
        let states = self.rollout.membrane.states.len();
        let modes = modes(self.rollout);
        let mut to = vec![R::default(); launch.out_reals.len()];
        for (position, seeded) in seeded.iter().enumerate() {
            let Some(seeded) = seeded else { continue };
            for recorded in seeded.seeds.recorded() {
                let plan = &mut launch.observers[recorded.observer];
                plan.words.seeded = 1;
                plan.seed(self.rollout, position, recorded, &mut to);
            }
            if let Some(last) = seeded.seeds.last() {
                let first = launch.header.states as usize + position * rows * row;
                let mut put = |quantity: usize, node: usize, value: f64| {
                    to[first + quantity * row + warp_index(node, nodes_per_lane)] =
                        R::from_f64(value);
                };
                for (node, &value) in last.v_mv.iter().enumerate() {
                    put(0, node, value);
                }
                for (state, values) in last.states.iter().enumerate() {
                    for (node, &value) in values.iter().enumerate() {
                        put(1 + state, node, value);
                    }
                }
                for (index, &value) in last.modes.iter().enumerate() {
                    put(1 + states + index % modes, index / modes, value);
                }
            }
        }
        to
    }
}
