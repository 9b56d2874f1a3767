//! Thresholds of rows of gains, and their derivatives by each gain.

use axonml_autodiff::adjoint::GradientRequest;
use axonml_autodiff::engine::Source;
use ndarray::{Array2, Array3, ArrayView2, ArrayViewMut1, Axis};

use super::{Basis, Pair, of_pair};
use crate::threshold_gradient::detector;
use crate::{Progress, SimulationError, SourceCotangent, Threshold, ThresholdSearch};

impl Basis {
    /// The activation threshold of every fiber for each row of gains, `[candidate, fiber]`: the factor of the row at
    /// which the fiber just fires, as [`Simulation::thresholds`](crate::Simulation::thresholds) searches it.
    ///
    /// Good guesses (`[candidate, fiber]`, as [`Simulation::thresholds_near`](crate::Simulation::thresholds_near) takes
    /// them) reduce the number of trials and change no result.
    ///
    /// # Errors
    /// [`SimulationError`] as [`Simulation::thresholds`](crate::Simulation::thresholds), and if the gains or guesses do
    /// not fit.
    pub fn thresholds(
        &self,
        gains: ArrayView2<'_, f64>,
        search: &ThresholdSearch,
        guesses_ma: Option<ArrayView2<'_, f64>>,
        progress: &mut Progress<'_>,
    ) -> Result<Array2<Threshold>, SimulationError> {
        self.check_gains(gains)?;
        if let Some(guesses_ma) = &guesses_ma {
            self.check_shape("the guesses", gains.nrows(), guesses_ma.dim())?;
        }
        let pairs = self.pairs(gains.nrows());
        let guesses: Option<Vec<f64>> =
            guesses_ma.map(|guesses| pairs.iter().map(|&pair| guesses[pair]).collect());
        let thresholds = self.thresholds_of(gains, &pairs, search, guesses.as_deref(), progress)?;
        let size = (gains.nrows(), self.whole.fibers.len());
        let mut found = Array2::from_elem(size, Threshold::Spontaneous);
        for (pair, threshold) in pairs.into_iter().zip(thresholds) {
            found[pair] = threshold;
        }
        Ok(found)
    }

    /// [`Basis::thresholds`] of some pairs of a candidate and a fiber, in their order, with a guess for each or for none.
    /// Pairs of one fiber had better come one after the other.
    ///
    /// # Errors
    /// As [`Basis::thresholds`], and if there is no such candidate or fiber.
    pub fn thresholds_of(
        &self,
        gains: ArrayView2<'_, f64>,
        pairs: &[Pair],
        search: &ThresholdSearch,
        guesses_ma: Option<&[f64]>,
        progress: &mut Progress<'_>,
    ) -> Result<Vec<Threshold>, SimulationError> {
        self.check_gains(gains)?;
        self.check_pairs(gains.nrows(), pairs)?;
        let mut found = Vec::with_capacity(pairs.len());
        for chunk in pairs.chunks(self.chunk()) {
            let done = found.len();
            let batch = self.batch(gains, chunk);
            let guesses_ma = guesses_ma.map(|guesses| {
                let own = guesses.iter().copied().skip(done);
                own.take(chunk.len()).collect::<Vec<f64>>()
            });
            let of_all =
                |fraction: f64| (done as f64 + fraction * chunk.len() as f64) / pairs.len() as f64;
            let thresholds = batch.simulation.thresholds_of(
                batch.whole,
                &batch.scaling,
                search,
                guesses_ma.as_deref(),
                &mut |fraction| progress(of_all(fraction)),
            );
            found.extend(thresholds.map_err(|error| of_pair(error, chunk))?);
        }
        Ok(found)
    }

    /// The derivatives of `ln threshold` by each gain, `[candidate, fiber, contact]`, of known thresholds
    /// (`[candidate, fiber]`, mA); 0 where there is none. One adjoint pass per candidate and fiber.
    ///
    /// The derivatives of a pair, times the gains, add up to -1: a threshold is the inverse of the gains' size.
    ///
    /// # Errors
    /// [`SimulationError`] as [`Simulation::threshold_gradients`](crate::Simulation::threshold_gradients), and if the
    /// gains or thresholds do not fit.
    pub fn threshold_gradients(
        &self,
        gains: ArrayView2<'_, f64>,
        search: &ThresholdSearch,
        thresholds_ma: ArrayView2<'_, Option<f64>>,
    ) -> Result<Array3<f64>, SimulationError> {
        self.check_gains(gains)?;
        self.check_shape("the thresholds", gains.nrows(), thresholds_ma.dim())?;
        let size = (gains.nrows(), self.whole.fibers.len(), self.contacts);
        let mut by_gain = Array3::zeros(size);
        let mut pairs = self.pairs(gains.nrows());
        pairs.retain(|&pair| thresholds_ma[pair].is_some());
        let request = GradientRequest {
            fields: true,
            ..GradientRequest::default()
        };
        for chunk in pairs.chunks(self.chunk()) {
            let mut batch = self.batch(gains, chunk);
            batch.whole.observers = vec![detector(search)];
            let known: Vec<Option<f64>> = chunk.iter().map(|&pair| thresholds_ma[pair]).collect();
            let gradients = batch.simulation.threshold_gradients_of(
                batch.whole,
                &batch.scaling,
                search,
                &known,
                request,
            );
            let gradients = gradients.map_err(|error| of_pair(error, chunk))?;
            for (&(candidate, fiber), gradient) in chunk.iter().zip(gradients) {
                let sources = gradient.map_or(Vec::new(), |gradient| gradient.sources);
                let mut row = by_gain.index_axis_mut(Axis(0), candidate);
                self.put_by_gains(fiber, &sources, row.index_axis_mut(Axis(0), fiber));
            }
        }
        Ok(by_gain)
    }

    /// The derivatives by the gains of a fiber's contacts from those by its sources ([`Basis::sources`]), of which there
    /// may be none.
    pub(super) fn put_by_gains(
        &self,
        fiber: usize,
        sources: &[SourceCotangent],
        mut by_gain: ArrayViewMut1<'_, f64>,
    ) {
        let contacts = self.contact_places(fiber).into_iter();
        for (to, (source, place, is_part)) in by_gain.iter_mut().zip(contacts) {
            if let Some(found) = sources.get(place) {
                *to = match is_part {
                    true => by_part(source, found),
                    false => found.gain,
                };
            }
        }
    }
}

/// The derivative by a contact's gain from that by the source that it is part of: the projection of the source is the sum
/// of the contacts', each times its gain.
fn by_part(contact: &Source, sum: &SourceCotangent) -> f64 {
    let (Source::Separable { projection, .. }, Some(by_projection)) = (contact, &sum.projection)
    else {
        unreachable!("separable sources are summed, and their cotangents were requested")
    };
    let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
    dot(&projection.nodes_na, &by_projection.nodes_na)
        + dot(&projection.modes, &by_projection.modes)
}
