//! Derivatives of thresholds by the current of each contact at each step.

use std::sync::Arc;

use axonml_autodiff::adjoint::GradientRequest;
use axonml_autodiff::engine::Source;
use ndarray::{Array3, ArrayView2, Axis};

use super::stimuli::is_space_time;
use super::{Basis, Batch, CHUNK, CHUNK_BYTES, Pair, of_pair};
use crate::scaling::SourceGain;
use crate::threshold_gradient::detector;
use crate::{SimulationError, SourceCotangent, ThresholdSearch};

impl Basis {
    /// The derivative of the sum over fibers of `by_ln_threshold * ln threshold` by the current of each contact at each
    /// step, of known thresholds: a current is a gain times the contact's waveform, in mA where the gain is.
    ///
    /// Fibers that have no threshold, or whose weight in the sum is 0, are not simulated; the others take one adjoint
    /// pass each. Contacts without current have derivatives, too. All derivatives of a row, times the currents, add up
    /// to minus the sum of `by_ln_threshold`: a threshold is the inverse of the currents' size.
    ///
    /// # Shape
    /// `thresholds_ma` and `by_ln_threshold` are `[candidate, fiber]`, the result `[candidate, contact, step]`; where the
    /// basis has several stimuli ([`Basis::with_waveforms`]), each has its own row, at `candidate * stimuli + stimulus`.
    ///
    /// # Errors
    /// [`SimulationError`] as [`Simulation::threshold_gradients`](crate::Simulation::threshold_gradients), and if an array
    /// does not fit, a weight is not finite, or a contact is a space-time potential, which has no current.
    pub fn current_gradients(
        &self,
        gains: ArrayView2<'_, f64>,
        search: &ThresholdSearch,
        thresholds_ma: ArrayView2<'_, Option<f64>>,
        by_ln_threshold: ArrayView2<'_, f64>,
    ) -> Result<Array3<f64>, SimulationError> {
        let chunk = self.current_chunk();
        self.current_gradients_by(gains, search, thresholds_ma, by_ln_threshold, chunk)
    }

    /// [`Basis::current_gradients`] of `chunk` pairs at a time, on which no result depends.
    fn current_gradients_by(
        &self,
        gains: ArrayView2<'_, f64>,
        search: &ThresholdSearch,
        thresholds_ma: ArrayView2<'_, Option<f64>>,
        by_ln_threshold: ArrayView2<'_, f64>,
        chunk: usize,
    ) -> Result<Array3<f64>, SimulationError> {
        self.check_gains(gains)?;
        self.check_shape("the thresholds", gains.nrows(), thresholds_ma.dim())?;
        self.check_shape(
            "the derivatives by thresholds",
            gains.nrows(),
            by_ln_threshold.dim(),
        )?;
        self.check_finite("the derivative by the threshold", by_ln_threshold)?;
        let mut by_current = self.no_current_gradients(gains.nrows());
        let mut pairs = self.pairs(gains.nrows());
        pairs.retain(|&pair| thresholds_ma[pair].is_some() && by_ln_threshold[pair] != 0.0);
        let request = GradientRequest {
            waveforms: true,
            ..GradientRequest::default()
        };
        for chunk in pairs.chunks(chunk) {
            let mut batch = self.batch(gains, chunk);
            batch.whole.observers = vec![detector(search)];
            let places = self.probe_currents(&mut batch, gains, chunk)?;
            let known: Vec<Option<f64>> = chunk.iter().map(|&pair| thresholds_ma[pair]).collect();
            let gradients = batch.simulation.threshold_gradients_of(
                batch.whole,
                &batch.scaling,
                search,
                &known,
                request,
            );
            let gradients = gradients.map_err(|error| of_pair(error, chunk))?;
            for ((&pair, gradient), places) in chunk.iter().zip(gradients).zip(places) {
                let sources = gradient.map_or(Vec::new(), |gradient| gradient.sources);
                let weight = by_ln_threshold[pair];
                self.add_by_currents(&mut by_current, pair, &sources, &places, weight);
            }
        }
        Ok(by_current)
    }

    /// Zeros by the current of each contact at each step, a row for each candidate and stimulus.
    pub(super) fn no_current_gradients(&self, candidates: usize) -> Array3<f64> {
        let rows = candidates * self.stimuli;
        Array3::zeros((rows, self.contacts, self.whole.grid.steps()))
    }

    /// Adds `weight` times the derivatives of a pair by its sources, of which there may be none, to those by the currents
    /// of its row; `places` are those of [`Basis::probe_currents`].
    pub(super) fn add_by_currents(
        &self,
        by_current: &mut Array3<f64>,
        (candidate, fiber): Pair,
        sources: &[SourceCotangent],
        places: &[usize],
        weight: f64,
    ) {
        let fibers = self.whole.fibers.len() / self.stimuli;
        let row = candidate * self.stimuli + fiber / fibers;
        let mut sums = by_current.index_axis_mut(Axis(0), row);
        for (mut sums, place) in sums.outer_iter_mut().zip(places) {
            let of_contact = sources.get(*place).map(|source| &source.waveform);
            let terms = sums.iter_mut().zip(of_contact.into_iter().flatten());
            terms.for_each(|(sum, x)| *sum += weight * x);
        }
    }

    /// Gives every pair of a batch a source of each contact alone at a gain of 1, and returns their indices among the
    /// pair's sources, `[pair][contact]`.
    ///
    /// A contact that is part of a sum, or has another gain, gets a source in addition whose waveform is 0: it changes no
    /// bit of the run, which hence fires at the threshold that was found for these sums, and the cotangents of its
    /// waveform are those of the contact's current.
    pub(super) fn probe_currents(
        &self,
        batch: &mut Batch,
        gains: ArrayView2<'_, f64>,
        pairs: &[Pair],
    ) -> Result<Vec<Vec<usize>>, SimulationError> {
        let drive = &mut batch.whole.drive;
        let silent = drive.waveforms.len();
        drive
            .waveforms
            .push(Arc::new(vec![0.0; self.whole.grid.steps()]));
        let mut places = Vec::with_capacity(pairs.len());
        for (index, &(candidate, fiber)) in pairs.iter().enumerate() {
            let mut of_pair = Vec::with_capacity(self.contacts);
            let contacts = self.contact_places(fiber);
            for ((source, place, is_part), &gain) in contacts.into_iter().zip(gains.row(candidate))
            {
                let Source::Separable {
                    projection,
                    potentials,
                    ..
                } = source
                else {
                    return Err(is_space_time(fiber).into());
                };
                if !is_part && gain == 1.0 {
                    of_pair.push(place);
                    continue;
                }
                let sources = Arc::make_mut(&mut drive.sources[index]);
                of_pair.push(sources.len());
                sources.push(Source::Separable {
                    projection: projection.clone(),
                    potentials: potentials.clone(),
                    waveform: silent,
                });
                batch.scaling.push(index, SourceGain::Scaled(1.0));
                drive.gains[index].push(1.0);
            }
            places.push(of_pair);
        }
        Ok(places)
    }

    /// Pairs to differentiate at once: each has cotangents of all its sources at all steps, twice while they are copied.
    pub(super) fn current_chunk(&self) -> usize {
        let sources = self.whole.drive.sources.iter().map(|sources| sources.len());
        let sources = sources.max().unwrap_or(0) + self.contacts;
        let pair_bytes = 2 * size_of::<f64>() * sources * self.whole.grid.steps();
        self.chunk()
            .min((CHUNK_BYTES / pair_bytes.max(1)).clamp(1, CHUNK))
    }
}

#[cfg(test)]
mod tests {
    use axonml_core::{Medium, PointSource, Waveform};
    use ndarray::{Array2, array};

    use super::*;
    use crate::{Detection, Device, Fiber, Settings, Simulation, Stimulus, model};

    /// Two contacts of one waveform at two fibers: sums in chunks of one, three and all four pairs are the same.
    #[test]
    fn sums_do_not_depend_on_chunks() {
        let settings = Settings {
            tstop_ms: 0.6,
            ..Settings::default()
        };
        let fibers = vec![Fiber::new(10.0, 9), Fiber::new(14.0, 9)];
        let device = Device::cpu().unwrap();
        let sim = Simulation::new(&model("mrg").unwrap(), fibers, &settings, &device).unwrap();
        let pulse: Arc<Waveform> = Arc::new("monophasic:delay=0.05".parse().unwrap());
        let mut stimulus = Stimulus::none(2);
        for (fiber, x_um) in [(0, 400.0), (0, 900.0), (1, 600.0), (1, 500.0)] {
            let electrode = PointSource {
                x_um,
                y_um: 0.0,
                z_um: 0.0,
                medium: Medium::isotropic(500.0),
            };
            stimulus = stimulus.source(fiber, Arc::new(electrode), pulse.clone());
        }
        let basis = sim.basis(&stimulus).unwrap();
        let gains = array![[1.0, 0.3], [0.2, 1.0]];
        let search = ThresholdSearch {
            detection: Detection::at_nodes(&[1, -2]),
            ..ThresholdSearch::default()
        };
        let found = basis.thresholds(gains.view(), &search, None, &mut |_| ());
        let known = found.unwrap().map(|threshold| threshold.upper_ma());
        assert!(known.iter().all(Option::is_some));
        let weights = Array2::ones((2, 2));
        let by = |chunk: usize| {
            let (known, weights) = (known.view(), weights.view());
            basis
                .current_gradients_by(gains.view(), &search, known, weights, chunk)
                .unwrap()
        };
        let whole = by(4);
        assert!(whole.outer_iter().all(|row| row.iter().any(|x| *x != 0.0)));
        assert_eq!(by(1), whole);
        assert_eq!(by(3), whole);
        assert!(basis.current_chunk() >= 4);
    }
}
