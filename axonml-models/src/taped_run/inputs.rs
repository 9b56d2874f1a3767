//! Inputs of a run on a tape: the values of tensors, written into a rollout.

use std::sync::Arc;

use axonml_autodiff::engine::{FiberState, ObserverSpec, Rollout, Source, Start};
use axonml_autodiff::tape::Tensor;
use axonml_core::CoreError;
use ndarray::{ArrayD, ArrayView, Axis, Dimension, Ix1, Ix2, Ix3};

use super::vjp::{OperandKind, Operands};
use super::{StateTensors, TapedRun, TapedRunError};
use crate::SimulationError;
use crate::scaling::{Scaling, SourceGain};

/// A run with the values of tensors, and which of its gains the amplitude multiplies.
pub(super) struct Given {
    pub(super) rollout: Rollout,
    pub(super) scaling: Scaling,
    /// Amplitude of each fiber, mA.
    pub(super) amplitudes: Vec<f64>,
}

impl<'t> TapedRun<'_, 't> {
    /// The operands of the operation.
    pub(super) fn operands(&self, given: Given) -> (Vec<Tensor<'t>>, Operands) {
        let all = [
            (OperandKind::Amplitudes, self.amplitudes),
            (OperandKind::Gains, self.gains),
            (OperandKind::Waveforms, self.waveforms),
            (OperandKind::Potentials, self.potentials),
            (OperandKind::SpaceTime, self.space_time),
            (OperandKind::Parameters, self.parameters),
            (OperandKind::StartV, self.start.map(|start| start.v_mv)),
            (
                OperandKind::StartStates,
                self.start.map(|start| start.states),
            ),
            (OperandKind::StartModes, self.start.map(|start| start.modes)),
        ];
        let present = all
            .into_iter()
            .filter_map(|(kind, tensor)| Some((kind, tensor?)));
        let (kinds, tensors) = present.map(|(kind, t)| ((kind, t.shape()), t)).unzip();
        let operands = Operands {
            simulation: self.simulation.clone(),
            rollout: given.rollout,
            scaling: given.scaling,
            amplitudes: given.amplitudes,
            kinds,
        };
        (tensors, operands)
    }

    /// The run as data, with the values of the tensors.
    pub(super) fn given(&self, observers: &[ObserverSpec]) -> Result<Given, TapedRunError> {
        let mut rollout = self.simulation.rollout(self.stimulus, observers)?;
        rollout.steps = self.steps.clone();
        let fibers = rollout.fibers.len();
        let steps = rollout.grid.steps();

        let mut scaling = self.stimulus.scaling();
        if let Some(tensor) = self.gains {
            let gains = tensor.value()?;
            for fiber in 0..fibers {
                let expected = [fibers, scaling.scaled_sources(fiber)];
                let all = shaped::<Ix2>("the gains", &gains, &expected)?;
                scaling.strengthen(fiber, all.row(fiber).iter().copied());
            }
        }
        if let Some(tensor) = self.waveforms {
            let expected = [rollout.drive.waveforms.len(), steps];
            let waveforms = tensor.value()?;
            let waveforms = shaped::<Ix2>("the waveforms", &waveforms, &expected)?;
            let rows = waveforms.outer_iter();
            rollout.drive.waveforms = rows.map(|row| Arc::new(row.to_vec())).collect();
        }
        if let Some(tensor) = self.potentials {
            let potentials = tensor.value()?;
            for fiber in 0..fibers {
                let cable = rollout.fibers[fiber].cable.clone();
                let mut sources = rollout.drive.sources[fiber].to_vec();
                let of_fields = sources.iter_mut().filter_map(|source| match source {
                    Source::Separable {
                        projection,
                        potentials: Some(potentials),
                        ..
                    } => Some((projection, potentials)),
                    _ => None,
                });
                let of_fields: Vec<_> = of_fields.collect();
                let expected = [fibers, of_fields.len(), cable.samples()];
                let all = shaped::<Ix3>("the potentials", &potentials, &expected)?;
                for (index, (projection, potentials)) in of_fields.into_iter().enumerate() {
                    let values = all.index_axis(Axis(0), fiber).row(index).to_vec();
                    *projection = Arc::new(cable.project(&values));
                    *potentials = Arc::new(values);
                }
                rollout.drive.sources[fiber] = Arc::new(sources);
            }
        }
        if let Some(tensor) = self.space_time {
            let potentials = tensor.value()?;
            for fiber in 0..fibers {
                let expected = [fibers, steps, rollout.fibers[fiber].cable.samples()];
                let all = shaped::<Ix3>("the space-time potentials", &potentials, &expected)?;
                let values = all.index_axis(Axis(0), fiber).iter().copied().collect();
                let mut sources = rollout.drive.sources[fiber].to_vec();
                sources.push(Source::SpaceTime(Arc::new(values)));
                scaling.push(fiber, SourceGain::Scaled(1.0));
                rollout.drive.sources[fiber] = Arc::new(sources);
            }
        }
        if let Some(tensor) = self.parameters {
            let values = tensor.value()?;
            self.check_parameters(&values)?;
        }
        if let Some(start) = self.start {
            rollout.start = self.given_start(&rollout, start)?;
        }
        let amplitudes = self.given_amplitudes(fibers)?;
        rollout.drive.gains = scaling.gains_of(amplitudes.iter().copied().enumerate());
        Ok(Given {
            rollout,
            scaling,
            amplitudes,
        })
    }

    /// The amplitude of each fiber, mA.
    fn given_amplitudes(&self, fibers: usize) -> Result<Vec<f64>, TapedRunError> {
        let Some(tensor) = self.amplitudes else {
            return Ok(vec![1.0; fibers]);
        };
        let amplitudes = tensor.value()?;
        Ok(match amplitudes.len() {
            1 => vec![amplitudes.iter().copied().next().unwrap_or_default(); fibers],
            _ => shaped::<Ix1>("the amplitudes", &amplitudes, &[fibers])?.to_vec(),
        })
    }

    fn check_parameters(&self, given: &ArrayD<f64>) -> Result<(), SimulationError> {
        let parameters = &self.simulation.schema().parameters;
        let given = shaped::<Ix1>("the parameters", given, &[parameters.len()])?;
        let differing = parameters
            .iter()
            .zip(given)
            .find(|(p, given)| p.value != **given);
        match differing {
            None => Ok(()),
            Some((parameter, given)) => Err(SimulationError::Core(CoreError::BadValue {
                what: format!("parameter {} on the tape", parameter.name),
                found: given.to_string(),
                expected: format!("{}, which the simulation was built with", parameter.value),
            })),
        }
    }

    fn given_start(
        &self,
        rollout: &Rollout,
        start: StateTensors<'t>,
    ) -> Result<Start, TapedRunError> {
        let (v, states, modes) = (
            start.v_mv.value()?,
            start.states.value()?,
            start.modes.value()?,
        );
        let fibers = rollout.fibers.len();
        let count = rollout.membrane.states.len();
        let mut each = Vec::with_capacity(fibers);
        for (fiber, of) in rollout.fibers.iter().enumerate() {
            let nodes = of.cable.nodes();
            let v = shaped::<Ix2>("the start voltages", &v, &[fibers, nodes])?;
            let states = shaped::<Ix3>("the start states", &states, &[fibers, count, nodes])?;
            let modes = shaped::<Ix2>("the start modes", &modes, &[fibers, of.cable.mode_count()])?;
            let of_fiber = states.index_axis(Axis(0), fiber);
            each.push(FiberState {
                v_mv: v.row(fiber).to_vec(),
                states: of_fiber.outer_iter().map(|state| state.to_vec()).collect(),
                modes: modes.row(fiber).to_vec(),
            });
        }
        Ok(Start::From(each))
    }
}

/// An array of the expected shape.
fn shaped<'a, D: Dimension>(
    what: &str,
    value: &'a ArrayD<f64>,
    expected: &[usize],
) -> Result<ArrayView<'a, f64, D>, SimulationError> {
    let view = value.view().into_dimensionality::<D>().ok();
    view.filter(|view| view.shape() == expected).ok_or_else(|| {
        SimulationError::Core(CoreError::Shape {
            what: format!("{what} on the tape"),
            expected: format!("the shape {expected:?}"),
            found: format!("{:?}", value.shape()),
        })
    })
}
