//! Activation thresholds as an operation on a tape.

use axonml_autodiff::tape::{OperationError, Tensor};
use axonml_core::CoreError;
use ndarray::{Array1, ArrayD};

use super::inputs::Given;
use super::vjp::Bars;
use super::{TapedRun, TapedRunError};
use crate::threshold_gradient::detector;
use crate::{SimulationError, ThresholdSearch};

impl<'t> TapedRun<'_, 't> {
    /// Natural logarithms of the fibers' activation thresholds in mA, `[fiber]`: the operation searches them, and takes
    /// their derivatives as [`crate::Simulation::threshold_gradients`] does. They vary smoothly where responses do not.
    /// Settings of recording have no effect.
    ///
    /// # Errors
    /// As [`TapedRun::run`]; [`TapedRunError::NoThreshold`] if a fiber has none; [`TapedRunError::Simulation`] if
    /// amplitudes, steps or a start were given, which thresholds on the tape do not support.
    pub fn ln_thresholds(self, search: &ThresholdSearch) -> Result<Tensor<'t>, TapedRunError> {
        let whole_run = 0..self.simulation.grid().steps();
        let given = [
            (
                self.amplitudes.is_some(),
                "amplitudes, which are searched for",
            ),
            (self.start.is_some(), "states to start from"),
            (self.steps != whole_run, "a part of the steps"),
        ];
        if let Some((_, found)) = given.into_iter().find(|(given, _)| *given) {
            return Err(SimulationError::Core(CoreError::BadValue {
                what: "operands of thresholds on the tape".into(),
                found: found.into(),
                expected: "waveforms, potentials or parameters".into(),
            })
            .into());
        }
        let Given { rollout, scaling } = self.given(&[])?;
        let simulation = self.simulation;
        let found = simulation.thresholds_of(rollout, &scaling, search, None, &mut |_| ())?;
        let mut thresholds_ma = Vec::with_capacity(found.len());
        for (fiber, threshold) in found.iter().enumerate() {
            thresholds_ma.push(threshold.upper_ma().ok_or(TapedRunError::NoThreshold {
                fiber,
                status: threshold.status(),
            })?);
        }
        let logarithms = thresholds_ma.iter().map(|ma| ma.ln());
        let result = Array1::from_iter(logarithms).into_dyn();

        let (operands, given) = self.operands(self.given(&[detector(search)])?);
        let search = search.clone();
        let known: Vec<Option<f64>> = thresholds_ma.into_iter().map(Some).collect();
        let vjp = move |bar: &ArrayD<f64>| -> Result<Vec<ArrayD<f64>>, OperationError> {
            let (rollout, request) = (given.rollout.clone(), given.request());
            let simulation = &given.simulation;
            let scaling = &given.scaling;
            let found =
                simulation.threshold_gradients_of(rollout, scaling, &search, &known, request)?;
            let each = found.iter().flatten().zip(bar);
            let bars = each.map(|(gradient, &weight)| Bars {
                amplitude: 0.0,
                parameters: &gradient.parameters,
                sources: &gradient.sources,
                start: None,
                weight,
            });
            Ok(given.accumulate(&bars.collect::<Vec<_>>()))
        };
        Ok(self.tape.operation("ln_thresholds", &operands, result, vjp))
    }
}
