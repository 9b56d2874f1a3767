//! Thresholds of rows of gains as an operation on a tape.

use axonml_autodiff::tape::{GradientTape, OperationError, Tensor};
use axonml_core::CoreError;
use ndarray::{Array2, ArrayD, Ix2};

use super::Basis;
use crate::taped_run::{TapedRunError, TapedThresholds};
use crate::{SimulationError, Threshold};

impl Basis {
    /// Natural logarithms of the fibers' activation thresholds for rows of gains, a tensor `[candidate, contact]`:
    /// `[candidate, fiber]`. A threshold is the factor of the row at which the fiber just fires, in mA.
    ///
    /// Derivatives by gains are those of [`Basis::threshold_gradients`].
    ///
    /// # Errors
    /// [`TapedRunError::Tensor`] if an error was noted on the tape before; [`TapedRunError::NoThreshold`] if a fiber has
    /// no threshold, unless [`TapedThresholds::without_ma`] stands for it; [`TapedRunError::Simulation`] as
    /// [`Basis::thresholds`].
    pub fn ln_thresholds<'t>(
        &self,
        tape: &'t GradientTape,
        gains: Tensor<'t>,
        options: impl Into<TapedThresholds>,
    ) -> Result<Tensor<'t>, TapedRunError> {
        let options: TapedThresholds = options.into();
        let values = matrix("the gains on the tape", (*gains.value()?).clone())?;
        let guesses = options.guesses_ma.clone();
        let guesses = guesses
            .map(|guesses| matrix("the guesses", guesses))
            .transpose()?;
        let guesses = guesses.as_ref().map(|guesses| guesses.view());
        let found = self.thresholds(values.view(), &options.search, guesses, &mut |_| ())?;
        let mut logarithms = Array2::zeros(found.dim());
        for ((candidate, fiber), threshold) in found.indexed_iter() {
            let value_ma = options.value_ma(Some(candidate), fiber, threshold)?;
            logarithms[(candidate, fiber)] = value_ma.ln();
        }

        let (basis, search) = (self.clone(), options.search);
        let known = found.map(Threshold::upper_ma);
        let vjp = move |bar: &ArrayD<f64>| -> Result<Vec<ArrayD<f64>>, OperationError> {
            let by_gain = basis.threshold_gradients(values.view(), &search, known.view())?;
            let mut sum = Array2::zeros(values.dim());
            for ((candidate, fiber, contact), derivative) in by_gain.indexed_iter() {
                sum[(candidate, contact)] += bar[[candidate, fiber]] * derivative;
            }
            Ok(vec![sum.into_dyn()])
        };
        Ok(tape.operation("ln_thresholds", &[gains], logarithms.into_dyn(), vjp))
    }
}

fn matrix(what: &str, value: ArrayD<f64>) -> Result<Array2<f64>, SimulationError> {
    let found = format!("{:?}", value.shape());
    value.into_dimensionality::<Ix2>().map_err(|_| {
        SimulationError::Core(CoreError::Shape {
            what: what.into(),
            expected: "a matrix with a row for each candidate".into(),
            found,
        })
    })
}
