//! Converts the adjoint kernel's accumulators to cotangents of fibers.

use axonml_autodiff::adjoint::{AdjointSums, Differentiated, FiberGradient, SourceSums};
use axonml_autodiff::engine::{BackendError, FiberOutcome, FiberState, Source};
use rayon::prelude::*;

use super::steps::{self, StepCotangents};
use super::{GradientPass, SeededLoss};
use crate::execute::{Element, Executor, Tables};
use crate::layout::result::NOT_FINITE;
use crate::layout::{RESULT_WORDS, modes, row_length, state_rows, warp_index};
use crate::pack::Launch;
use crate::unpack::state;

/// Sums of sources as the kernel hands them over.
struct OfSources<'s> {
    /// Gains from the fiber's first source on.
    gains: &'s [f64],
    /// `[source][step]` and `[source][row][warp index]`, of all sources of the launch.
    waveforms: &'s [f64],
    fields: &'s [f64],
    first_source: usize,
}

impl<E: Executor> GradientPass<'_, E> {
    /// Copies the adjoint kernel's results to the host.
    pub(super) fn results<R: Element>(
        &self,
        mut launch: Launch<R>,
        tables: &Tables<R, E>,
        outcomes: Vec<FiberOutcome>,
        seeded: Vec<Option<SeededLoss>>,
        trace: Option<StepCotangents>,
    ) -> Result<Vec<Differentiated>, BackendError> {
        let (rollout, executor) = (self.rollout, self.executor);
        let Some(more) = &tables.gradient else {
            unreachable!("kernels of gradients have their tables")
        };
        let sizes = self.sizes(&launch);
        let mut back = vec![R::default(); sizes.back];
        executor.download(&more.back, &mut back)?;
        let mut sums = vec![0.0; sizes.sums];
        executor.download(&more.sums, &mut sums)?;
        executor.download(&tables.out_ints, &mut launch.out_ints)?;
        let sources = self.fibers.iter();
        let first_sources: Vec<usize> = sources
            .map(|&fiber| rollout.drive.sources[fiber].len())
            .scan(0, |next, count| {
                *next += count;
                Some(*next - count)
            })
            .collect();
        let each = (outcomes, seeded, first_sources)
            .into_par_iter()
            .enumerate();
        let found = each.map(|(position, (outcome, seeded, first_source))| {
            let fiber = self.fibers[position];
            let result = launch.header.results as usize + position * RESULT_WORDS;
            let result = &launch.out_ints[result..result + RESULT_WORDS];
            let gradient = match seeded {
                None => FiberGradient::Diverged,
                Some(_) if result[0] == NOT_FINITE => FiberGradient::NonFinite {
                    state: result[1] as usize,
                    node: Some(result[2] as usize),
                },
                Some(seeded) => {
                    let header = &launch.header;
                    let start = self.start(position, &back);
                    let of_fiber = &sums[position * self.layout.of_fiber()..];
                    let mut accumulated = self.adjoint_sums(fiber, start, of_fiber);
                    let sums = OfSources {
                        gains: &sums[header.gain_sums as usize + first_source..],
                        waveforms: &sums[header.waveform_sums as usize..],
                        fields: &sums[header.field_sums as usize..],
                        first_source,
                    };
                    self.add_sources(&mut accumulated, fiber, position, &sums, trace.as_ref());
                    let request = self.job.request;
                    accumulated.gradient(rollout, fiber, seeded.loss, &seeded.seeds, request)
                }
            };
            Differentiated { outcome, gradient }
        });
        Ok(found.collect())
    }

    /// Cotangents of the state that a fiber started from.
    fn start<R: Element>(&self, position: usize, back: &[R]) -> FiberState {
        let nodes_per_lane = self.forward.nodes_per_lane;
        let rows = (state_rows(self.rollout) + 2) * row_length(nodes_per_lane);
        let nodes = self.rollout.fibers[self.fibers[position]].cable.nodes();
        state(
            self.rollout,
            nodes,
            nodes_per_lane,
            &back[position * rows..][..rows],
        )
    }

    /// The fiber's sums, but for its sources.
    fn adjoint_sums(&self, fiber: usize, start: FiberState, sums: &[f64]) -> AdjointSums {
        let cable = &self.rollout.fibers[fiber].cable;
        let [step, currents] = self.layout.coefficients(sums);
        let a_kappa = cable.modal_step(self.rollout.grid.dt_ms());
        let a_kappa = a_kappa.map_or(Vec::new(), |step| step.sent_us().collect());
        let requested = self.job.request.cables;
        AdjointSums {
            start,
            step: step.to_vec(),
            currents: currents.to_vec(),
            cable: requested.then(|| {
                let sums = &sums[..self.layout.of_fiber()];
                self.layout.cable(sums, cable.nodes(), &a_kappa)
            }),
            sources: Vec::new(),
        }
    }

    fn add_sources(
        &self,
        to: &mut AdjointSums,
        fiber: usize,
        position: usize,
        sums: &OfSources<'_>,
        trace: Option<&StepCotangents>,
    ) {
        let (rollout, request) = (self.rollout, self.job.request);
        let nodes_per_lane = self.forward.nodes_per_lane;
        let cable = &rollout.fibers[fiber].cable;
        let (steps, row) = (rollout.steps.clone(), row_length(nodes_per_lane));
        let no_space_time = [];
        let mut space_time = match trace {
            Some(trace) => trace.of(position),
            None => &no_space_time[..],
        }
        .iter();
        for (index, source) in rollout.drive.sources[fiber].iter().enumerate() {
            let number = sums.first_source + index;
            to.sources.push(match source {
                Source::Separable { .. } => {
                    let mut waveform = Vec::new();
                    if request.waveforms {
                        waveform = vec![0.0; rollout.grid.steps()];
                        let found = &sums.waveforms[number * steps.len()..];
                        waveform[steps.clone()].copy_from_slice(&found[..steps.len()]);
                    }
                    let (mut nodes_na, mut increments) = (Vec::new(), Vec::new());
                    if request.fields || request.cables {
                        let modes = modes(rollout);
                        let field = &sums.fields[number * (1 + modes) * row..];
                        let at = |quantity: usize, node: usize| {
                            field[quantity * row + warp_index(node, nodes_per_lane)]
                        };
                        nodes_na = (0..cable.nodes()).map(|node| at(0, node)).collect();
                        let of_mode = |index: usize| at(1 + index % modes, index / modes);
                        increments = (0..cable.mode_count()).map(of_mode).collect();
                    }
                    SourceSums::Separable {
                        gain: sums.gains[index],
                        waveform,
                        nodes_na,
                        increments,
                    }
                }
                Source::SpaceTime(_) => match space_time.next() {
                    Some(sums) => SourceSums::SpaceTime(sums.clone()),
                    None => steps::nothing(rollout, fiber, index, request),
                },
            });
        }
    }
}
