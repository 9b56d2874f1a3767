//! The way back through a run: from derivatives by its results to those by what went in.

use axonml_autodiff::adjoint::SourceCotangent;
use axonml_autodiff::engine::{FiberOutcome, FiberState, Rollout, Source, SourceField};
use axonml_autodiff::tape::OperationError;
use ndarray::{ArrayD, ArrayView2, ArrayViewMutD, Axis};

use super::layout::Layout;
use crate::{Simulation, Wanted};

/// What an operand of the operation is.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Kind {
    Amplitudes,
    Waveforms,
    Potentials,
    SpaceTime,
    Parameters,
    StartV,
    StartStates,
    StartModes,
}

/// What went into an operation: the kind and shape of each operand, and the run that they made.
pub(super) struct Operands {
    pub(super) simulation: Simulation,
    pub(super) rollout: Rollout,
    pub(super) kinds: Vec<(Kind, Vec<usize>)>,
}

/// What a fiber has to say of the operands.
pub(super) struct Bars<'g> {
    pub(super) amplitude: f64,
    pub(super) parameters: &'g [f64],
    pub(super) sources: &'g [SourceCotangent],
    pub(super) start: Option<&'g FiberState>,
    /// What all of it is multiplied by.
    pub(super) weight: f64,
}

impl Operands {
    pub(super) fn wanted(&self) -> Wanted {
        let asked = |kind: Kind| self.kinds.iter().any(|(own, _)| *own == kind);
        Wanted {
            parameters: asked(Kind::Parameters),
            waveforms: asked(Kind::Waveforms),
            potentials: asked(Kind::Potentials) || asked(Kind::SpaceTime),
        }
    }

    /// The way back through a run whose results lie as `layout` says.
    pub(super) fn pull_run(
        &self,
        layout: &Layout,
        bar: &ArrayD<f64>,
    ) -> Result<Vec<ArrayD<f64>>, OperationError> {
        let bar: ArrayView2<'_, f64> = bar.view().into_dimensionality()?;
        let members: Vec<usize> = (0..self.rollout.fibers.len()).collect();
        let objective = |fiber: usize, _: &FiberOutcome| layout.evaluation(bar.row(fiber));
        let (simulation, rollout) = (&self.simulation, &self.rollout);
        let runs =
            simulation.differentiate_rollout(rollout, &members, &objective, self.wanted())?;
        let mut bars = Vec::with_capacity(runs.len());
        for (fiber, run) in runs.iter().enumerate() {
            if let Some(error) = simulation.divergence(fiber, run.outcome.status) {
                return Err(error.into());
            }
            let Some(gradient) = &run.gradient else {
                unreachable!("only runs that diverge have no derivative")
            };
            bars.push(Bars {
                amplitude: gradient.amplitude,
                parameters: &gradient.parameters,
                sources: &gradient.sources,
                start: Some(&gradient.start),
                weight: 1.0,
            });
        }
        Ok(self.collect(&bars))
    }

    /// The derivatives by the operands, from what all fibers say.
    pub(super) fn collect(&self, bars: &[Bars<'_>]) -> Vec<ArrayD<f64>> {
        let each = self.kinds.iter();
        each.map(|(kind, shape)| {
            let mut sum = ArrayD::zeros(&shape[..]);
            for (fiber, bars) in bars.iter().enumerate() {
                self.add(*kind, fiber, bars, &mut sum);
            }
            sum
        })
        .collect()
    }

    /// Adds what fiber `fiber` says of an operand.
    fn add(&self, kind: Kind, fiber: usize, bars: &Bars<'_>, to: &mut ArrayD<f64>) {
        let weight = bars.weight;
        let sources = self.rollout.drive.sources[fiber].iter().zip(bars.sources);
        let own = |to: &mut ArrayD<f64>, values: &[f64]| {
            add_row(to.index_axis_mut(Axis(0), fiber), values, weight);
        };
        match (kind, bars.start) {
            (Kind::Amplitudes, _) if to.len() == 1 => *to += weight * bars.amplitude,
            (Kind::Amplitudes, _) => to[[fiber]] += weight * bars.amplitude,
            (Kind::Waveforms, _) => {
                for (source, bar) in sources {
                    if let SourceField::Separable { waveform, .. } = source.field {
                        add_row(to.index_axis_mut(Axis(0), waveform), &bar.waveform, weight);
                    }
                }
            }
            (Kind::Potentials, _) => {
                let of_fields = sources.filter(|(source, _)| has_field(source));
                let mut of_fiber = to.index_axis_mut(Axis(0), fiber);
                for (index, (_, bar)) in of_fields.enumerate() {
                    add_row(
                        of_fiber.index_axis_mut(Axis(0), index),
                        &bar.potentials,
                        weight,
                    );
                }
            }
            (Kind::SpaceTime, _) => {
                if let Some(bar) = bars.sources.last() {
                    own(to, &bar.potentials);
                }
            }
            (Kind::Parameters, _) => add_row(to.view_mut(), bars.parameters, weight),
            (Kind::StartV, Some(start)) => own(to, &start.v_mv),
            (Kind::StartStates, Some(start)) => own(to, &start.states.concat()),
            (Kind::StartModes, Some(start)) => own(to, &start.modes),
            (Kind::StartV | Kind::StartStates | Kind::StartModes, None) => {
                unreachable!("what has no derivative by its start takes none")
            }
        }
    }
}

/// Whether the potentials of a source are an operand's part.
fn has_field(source: &Source) -> bool {
    matches!(
        source.field,
        SourceField::Separable {
            potentials: Some(_),
            ..
        }
    )
}

/// Adds `weight` times `values`, which lie in row-major order.
fn add_row(mut to: ArrayViewMutD<'_, f64>, values: &[f64], weight: f64) {
    for (to, &x) in to.iter_mut().zip(values) {
        *to += weight * x;
    }
}
