//! Activation thresholds as an operation on a tape.

use axonml_autodiff::tape::{OperationError, Tensor};
use axonml_core::CoreError;
use ndarray::{Array1, ArrayD};

use super::inputs::Given;
use super::vjp::Bars;
use super::{TapedRun, TapedRunError};
use crate::threshold_gradient::detector;
use crate::{SimulationError, Threshold, ThresholdSearch};

/// Settings of thresholds on a tape.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TapedThresholds {
    /// The search.
    pub search: ThresholdSearch,
    /// Expected thresholds, mA, of the shape of the result: they reduce the number of trials and change no result.
    pub guesses_ma: Option<ArrayD<f64>>,
    /// Value in place of a threshold that the search does not find up to its largest amplitude, mA, such as that
    /// amplitude; its derivatives are 0. Without it such a fiber is an error, as are in any case fibers that fire without
    /// the stimulus, and diverging ones.
    pub without_ma: Option<f64>,
}

impl From<&ThresholdSearch> for TapedThresholds {
    fn from(search: &ThresholdSearch) -> Self {
        TapedThresholds {
            search: search.clone(),
            ..TapedThresholds::default()
        }
    }
}

impl TapedThresholds {
    /// The value of a threshold on the tape, mA.
    pub(crate) fn value_ma(
        &self,
        candidate: Option<usize>,
        fiber: usize,
        threshold: &Threshold,
    ) -> Result<f64, TapedRunError> {
        let without_ma = self.without_ma.filter(|_| {
            matches!(
                threshold,
                Threshold::NoActivation { .. }
                    | Threshold::PropagationFailure { .. }
                    | Threshold::Artifact { .. }
            )
        });
        match (threshold.upper_ma(), without_ma) {
            (Some(found_ma), _) => Ok(found_ma),
            (None, Some(value_ma)) if value_ma > 0.0 && value_ma.is_finite() => Ok(value_ma),
            (None, Some(value_ma)) => Err(SimulationError::Core(CoreError::BadValue {
                what: "the value in place of a threshold".into(),
                found: value_ma.to_string(),
                expected: "a positive number of mA".into(),
            })
            .into()),
            (None, None) => Err(TapedRunError::NoThreshold {
                candidate,
                fiber,
                status: threshold.status(),
            }),
        }
    }
}

impl<'t> TapedRun<'_, 't> {
    /// Natural logarithms of the fibers' activation thresholds in mA, `[fiber]`: the operation searches them, and takes
    /// their derivatives as [`crate::Simulation::threshold_gradients`] does. They vary smoothly where responses do not.
    /// Settings of recording have no effect.
    ///
    /// # Errors
    /// As [`TapedRun::run`]; [`TapedRunError::NoThreshold`] if a fiber has none, unless
    /// [`TapedThresholds::without_ma`] stands for it; [`TapedRunError::Simulation`] if amplitudes, steps or a start were
    /// given, which thresholds on the tape do not support, or if a guess is no amplitude of the search.
    pub fn ln_thresholds(
        self,
        options: impl Into<TapedThresholds>,
    ) -> Result<Tensor<'t>, TapedRunError> {
        let options: TapedThresholds = options.into();
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
                expected: "gains, waveforms, potentials or parameters".into(),
            })
            .into());
        }
        let search = &options.search;
        let guesses: Option<Vec<f64>> = options
            .guesses_ma
            .as_ref()
            .map(|guesses| guesses.iter().copied().collect());
        let Given {
            rollout, scaling, ..
        } = self.given(&[])?;
        let found = self.simulation.thresholds_of(
            rollout,
            &scaling,
            search,
            guesses.as_deref(),
            &mut |_| (),
        )?;
        let each = found.iter().enumerate();
        let values_ma = each.map(|(fiber, threshold)| options.value_ma(None, fiber, threshold));
        let values_ma = values_ma.collect::<Result<Vec<f64>, _>>()?;
        let logarithms = values_ma.iter().map(|ma| ma.ln());
        let result = Array1::from_iter(logarithms).into_dyn();

        let (operands, given) = self.operands(self.given(&[detector(search)])?);
        let search = search.clone();
        let known: Vec<Option<f64>> = found.iter().map(Threshold::upper_ma).collect();
        let vjp = move |bar: &ArrayD<f64>| -> Result<Vec<ArrayD<f64>>, OperationError> {
            let (rollout, request) = (given.rollout.clone(), given.request());
            let simulation = &given.simulation;
            let scaling = &given.scaling;
            let found =
                simulation.threshold_gradients_of(rollout, scaling, &search, &known, request)?;
            let each = found.iter().zip(bar).enumerate();
            let bars = each.filter_map(|(fiber, (gradient, &weight))| {
                let gradient = gradient.as_ref()?;
                let bars = Bars {
                    amplitude: 0.0,
                    parameters: &gradient.parameters,
                    sources: &gradient.sources,
                    // Derivatives of thresholds are by these factors themselves.
                    by_factor: 1.0,
                    start: None,
                    weight,
                };
                Some((fiber, bars))
            });
            Ok(given.accumulate(&bars.collect::<Vec<_>>()))
        };
        Ok(self.tape.operation("ln_thresholds", &operands, result, vjp))
    }
}
