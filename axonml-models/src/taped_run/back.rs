//! The way back through a run: from derivatives by its results to those by what went in.

use axonml_autodiff::tensor::OperationError;
use axonml_autodiff::{FiberOutcome, Rollout, SourceField};
use ndarray::{ArrayD, ArrayView1, ArrayView2, Axis};

use super::layout::Layout;
use crate::{FiberDerivative, Gradient, Simulation, SimulationError, Wanted};

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

/// The way back through a run.
pub(super) struct Back {
    pub(super) simulation: Simulation,
    pub(super) rollout: Rollout,
    pub(super) layout: Layout,
    /// The operands with their shapes.
    pub(super) kinds: Vec<(Kind, Vec<usize>)>,
}

impl Back {
    pub(super) fn pull(&self, bar: &ArrayD<f64>) -> Result<Vec<ArrayD<f64>>, OperationError> {
        let bar: ArrayView2<'_, f64> = bar.view().into_dimensionality()?;
        let asked = |kind: Kind| self.kinds.iter().any(|(own, _)| *own == kind);
        let wanted = Wanted {
            parameters: asked(Kind::Parameters),
            waveforms: asked(Kind::Waveforms),
            potentials: asked(Kind::Potentials) || asked(Kind::SpaceTime),
        };
        let members: Vec<usize> = (0..self.rollout.fibers.len()).collect();
        let objective = |fiber: usize, _: &FiberOutcome| self.layout.evaluation(bar.row(fiber));
        let (simulation, rollout) = (&self.simulation, &self.rollout);
        let runs = simulation.differentiate_rollout(rollout, &members, &objective, wanted)?;
        let gradients = runs.iter().enumerate();
        let gradients = gradients.map(|(fiber, run)| self.gradient(fiber, run));
        let gradients: Vec<&Gradient> = gradients.collect::<Result<_, SimulationError>>()?;
        let each = self.kinds.iter();
        Ok(each
            .map(|(kind, shape)| self.by_operand(*kind, shape, &gradients))
            .collect())
    }

    fn gradient<'r>(
        &self,
        fiber: usize,
        run: &'r FiberDerivative,
    ) -> Result<&'r Gradient, SimulationError> {
        run.gradient.as_ref().ok_or_else(|| {
            let diverged = self.simulation.divergence(fiber, run.outcome.status);
            diverged.unwrap_or_else(|| unreachable!("only runs that diverge have no derivative"))
        })
    }

    /// The derivative by an operand, from those of all fibres.
    fn by_operand(&self, kind: Kind, shape: &[usize], gradients: &[&Gradient]) -> ArrayD<f64> {
        let mut sum = ArrayD::zeros(shape);
        for (fiber, gradient) in gradients.iter().enumerate() {
            let sources = self.rollout.drive.sources[fiber]
                .iter()
                .zip(&gradient.sources);
            match kind {
                Kind::Amplitudes if sum.len() == 1 => sum += gradient.amplitude,
                Kind::Amplitudes => sum[[fiber]] = gradient.amplitude,
                Kind::Waveforms => {
                    for (source, bar) in sources {
                        if let SourceField::Separable { waveform, .. } = source.field {
                            let mut row = sum.index_axis_mut(Axis(0), waveform);
                            row += &ArrayView1::from(&bar.waveform);
                        }
                    }
                }
                Kind::Potentials => {
                    let of_fields = sources.filter(|(source, _)| {
                        matches!(
                            &source.field,
                            SourceField::Separable {
                                potentials: Some(_),
                                ..
                            }
                        )
                    });
                    let mut of_fiber = sum.index_axis_mut(Axis(0), fiber);
                    for (index, (_, bar)) in of_fields.enumerate() {
                        let mut row = of_fiber.index_axis_mut(Axis(0), index);
                        row.assign(&ArrayView1::from(&bar.potentials));
                    }
                }
                Kind::SpaceTime => {
                    if let Some((_, bar)) = sources.last() {
                        assign(&mut sum, fiber, &bar.potentials);
                    }
                }
                Kind::Parameters => sum += &ArrayView1::from(&gradient.parameters),
                Kind::StartV => assign(&mut sum, fiber, &gradient.start.v_mv),
                Kind::StartStates => assign(&mut sum, fiber, &gradient.start.states.concat()),
                Kind::StartModes => assign(&mut sum, fiber, &gradient.start.modes),
            }
        }
        sum
    }
}

/// Fills the part of a fibre, in row-major order.
fn assign(to: &mut ArrayD<f64>, fiber: usize, values: &[f64]) {
    let mut part = to.index_axis_mut(Axis(0), fiber);
    part.iter_mut().zip(values).for_each(|(to, &x)| *to = x);
}
