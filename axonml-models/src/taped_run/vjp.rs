//! Adjoint pass of a run: from cotangents of its results to those of its inputs.

use axonml_autodiff::adjoint::{GradientRequest, SourceCotangent};
use axonml_autodiff::engine::{FiberOutcome, FiberState, Rollout, Source};
use axonml_autodiff::tape::OperationError;
use ndarray::{ArrayD, ArrayView2, ArrayViewMutD, Axis};

use super::layout::Layout;
use crate::Simulation;
use crate::scaling::Scaling;

/// The kind of an operand of the operation.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum OperandKind {
    Amplitudes,
    Gains,
    Waveforms,
    Potentials,
    SpaceTime,
    Parameters,
    StartV,
    StartStates,
    StartModes,
}

/// The inputs of an operation: kind and shape of each operand, and the run that they define.
pub(super) struct Operands {
    pub(super) simulation: Simulation,
    pub(super) rollout: Rollout,
    pub(super) scaling: Scaling,
    /// Amplitude of each fiber, mA.
    pub(super) amplitudes: Vec<f64>,
    pub(super) kinds: Vec<(OperandKind, Vec<usize>)>,
}

/// The cotangents of one fiber with respect to the operands.
pub(super) struct Bars<'g> {
    pub(super) amplitude: f64,
    pub(super) parameters: &'g [f64],
    pub(super) sources: &'g [SourceCotangent],
    /// Derivative of a scaled gain by its factor of the amplitude.
    pub(super) by_factor: f64,
    pub(super) start: Option<&'g FiberState>,
    /// Factor of all cotangents.
    pub(super) weight: f64,
}

impl Operands {
    pub(super) fn request(&self) -> GradientRequest {
        let is_operand = |kind: OperandKind| self.kinds.iter().any(|(own, _)| *own == kind);
        GradientRequest {
            parameters: is_operand(OperandKind::Parameters),
            waveforms: is_operand(OperandKind::Waveforms),
            fields: is_operand(OperandKind::Potentials) || is_operand(OperandKind::SpaceTime),
            ..GradientRequest::default()
        }
    }

    /// Vector-Jacobian product of a run whose results have `layout`.
    pub(super) fn run_vjp(
        &self,
        layout: &Layout,
        bar: &ArrayD<f64>,
    ) -> Result<Vec<ArrayD<f64>>, OperationError> {
        let bar: ArrayView2<'_, f64> = bar.view().into_dimensionality()?;
        let members: Vec<usize> = (0..self.rollout.fibers.len()).collect();
        let objective = |fiber: usize, _: &FiberOutcome| layout.evaluation(bar.row(fiber));
        let (simulation, rollout) = (&self.simulation, &self.rollout);
        let runs = simulation.differentiate_rollout(
            rollout,
            &self.scaling,
            &members,
            &objective,
            self.request(),
        )?;
        let mut bars = Vec::with_capacity(runs.len());
        for (fiber, run) in runs.iter().enumerate() {
            if let Some(error) = simulation.divergence(fiber, run.outcome.status) {
                return Err(error.into());
            }
            let Some(gradient) = &run.gradient else {
                unreachable!("only runs that diverge have no derivative")
            };
            let of_fiber = Bars {
                amplitude: gradient.amplitude,
                parameters: &gradient.parameters,
                sources: &gradient.sources,
                by_factor: self.amplitudes[fiber],
                start: Some(&gradient.start),
                weight: 1.0,
            };
            bars.push((fiber, of_fiber));
        }
        Ok(self.accumulate(&bars))
    }

    /// Accumulates the cotangents of fibers by operand.
    pub(super) fn accumulate(&self, bars: &[(usize, Bars<'_>)]) -> Vec<ArrayD<f64>> {
        let each = self.kinds.iter();
        each.map(|(kind, shape)| {
            let mut sum = ArrayD::zeros(&shape[..]);
            for (fiber, bars) in bars {
                self.add(*kind, *fiber, bars, &mut sum);
            }
            sum
        })
        .collect()
    }

    /// Adds the contribution of fiber `fiber` to an operand's cotangent.
    fn add(&self, kind: OperandKind, fiber: usize, bars: &Bars<'_>, to: &mut ArrayD<f64>) {
        let weight = bars.weight;
        let sources = self.rollout.drive.sources[fiber].iter().zip(bars.sources);
        let own = |to: &mut ArrayD<f64>, values: &[f64]| {
            add_row(to.index_axis_mut(Axis(0), fiber), values, weight);
        };
        match (kind, bars.start) {
            (OperandKind::Amplitudes, _) if to.len() == 1 => *to += weight * bars.amplitude,
            (OperandKind::Amplitudes, _) => to[[fiber]] += weight * bars.amplitude,
            (OperandKind::Gains, _) => {
                let gains = self.scaling.sources(fiber).iter().zip(bars.sources);
                let scaled = gains.filter(|(gain, _)| gain.is_scaled());
                for (to, (_, bar)) in to.index_axis_mut(Axis(0), fiber).iter_mut().zip(scaled) {
                    *to += weight * bars.by_factor * bar.gain;
                }
            }
            (OperandKind::Waveforms, _) => {
                for (source, bar) in sources {
                    if let Source::Separable { waveform, .. } = *source {
                        add_row(to.index_axis_mut(Axis(0), waveform), &bar.waveform, weight);
                    }
                }
            }
            (OperandKind::Potentials, _) => {
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
            (OperandKind::SpaceTime, _) => {
                if let Some(bar) = bars.sources.last() {
                    own(to, &bar.potentials);
                }
            }
            (OperandKind::Parameters, _) => add_row(to.view_mut(), bars.parameters, weight),
            (OperandKind::StartV, Some(start)) => own(to, &start.v_mv),
            (OperandKind::StartStates, Some(start)) => own(to, &start.states.concat()),
            (OperandKind::StartModes, Some(start)) => own(to, &start.modes),
            (OperandKind::StartV | OperandKind::StartStates | OperandKind::StartModes, None) => {
                unreachable!("operations without a derivative by the initial state do not take one")
            }
        }
    }
}

/// Whether the potentials of a source are an operand's part.
fn has_field(source: &Source) -> bool {
    matches!(
        source,
        Source::Separable {
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
