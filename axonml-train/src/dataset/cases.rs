//! Cases: a recipe and a number determine one.

use std::path::Path;
use std::sync::Arc;

use axonml_core::{TimeGrid, Waveform};
use axonml_models::{CancelToken, Device, Fiber, Model, Settings, Simulation, Stimulus};
use ndarray::Array2;

use super::fields::{DrawnField, FieldPool};
use super::pulses::PulseSampler;
use super::recipe::{Contacts, Recipe};
use super::{DatasetError, FieldRecord};
use axonml_core::Random;

/// A recipe whose fields have been read.
pub struct Cases {
    recipe: Recipe,
    model: Model,
    grid: TimeGrid,
    pool: FieldPool,
    records: Vec<FieldRecord>,
    pulses: Vec<PulseSampler>,
    pulse_weights: Vec<f64>,
    cancel: CancelToken,
}

/// One fiber, its field and its pulses.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// Its number.
    pub index: usize,
    /// Fiber diameter, um.
    pub diameter_um: f64,
    /// Position of the middle node, in node spacings from the middle of the field.
    pub offset_spacings: f64,
    /// `[contact, step]`: current in mA in the step `t_k -> t_(k+1)`.
    pub waveforms_ma: Array2<f64>,
    field: DrawnField,
}

impl Cases {
    /// The same cases, whose simulations end early once `cancel` is asked to, with an error that says so
    /// ([`DatasetError::is_canceled`]).
    #[must_use]
    pub fn canceled_by(self, cancel: CancelToken) -> Self {
        Cases { cancel, ..self }
    }

    /// Checks the recipe and reads its nerve folders and the fiber file of its model; relative ones lie in `base`.
    ///
    /// # Errors
    /// [`DatasetError`] naming the setting or file; [`DatasetError::Core`] if the longest fiber is longer than a
    /// nerve's lines.
    pub fn open(recipe: &Recipe, base: &Path) -> Result<Self, DatasetError> {
        let recipe = recipe.with_model_read(base)?;
        recipe.check()?;
        let grid = recipe.grid()?;
        let sampler = |family| PulseSampler::new(family, grid);
        let cases = Cases {
            model: recipe.model()?,
            grid,
            pool: FieldPool::read(&recipe, base)?,
            records: super::fields::records(&recipe, base)?,
            pulses: recipe.pulses.iter().map(sampler).collect(),
            pulse_weights: recipe.pulses.iter().map(|pulse| pulse.weight).collect(),
            cancel: CancelToken::default(),
            recipe,
        };
        cases.check_reach()?;
        Ok(cases)
    }

    /// Checks that the longest fibers lie within the nerves' lines.
    fn check_reach(&self) -> Result<(), DatasetError> {
        let longest = Fiber::new(self.recipe.diameter_um.high, self.recipe.nodes);
        let settings = Settings::default();
        let simulation = Simulation::new(&self.model, vec![longest], &settings, &Device::auto()?)?;
        let samples_um = simulation.sample_points_um(0);
        let ends_um = [samples_um[0], samples_um[samples_um.len() - 1]];
        let offsets = self.recipe.offset_spacings;
        for offset_spacings in [offsets.low, offsets.high] {
            let offset_um = offset_spacings * spacing_um(&simulation, 0);
            self.pool.check_reach(&ends_um.map(|z| z + offset_um))?;
        }
        Ok(())
    }

    /// The recipe.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// The time grid.
    pub fn grid(&self) -> &TimeGrid {
        &self.grid
    }

    /// The most contacts that a case can have; cases with fewer are padded with contacts that deliver nothing.
    pub fn contacts(&self) -> usize {
        self.pool.contacts()
    }

    /// Checksums of the nerve folders.
    pub fn field_records(&self) -> &[FieldRecord] {
        &self.records
    }

    /// Case `index`: a pure function of the recipe without its count, and `index`.
    ///
    /// # Errors
    /// [`DatasetError::Core`] for a pulse that cannot be sampled, which [`Recipe::check`] does not leave.
    pub fn case(&self, index: usize) -> Result<Case, DatasetError> {
        let mut random = Random::new(self.recipe.seed, index);
        let diameter_um = self.recipe.diameter_um.draw(&mut random);
        let offset_spacings = self.recipe.offset_spacings.draw(&mut random);
        let field = self.pool.draw(&mut random);
        let contacts = self.pool.contacts_of(&field);
        let mut waveforms_ma = Array2::zeros((contacts, self.grid.steps()));
        let draw = |random: &mut Random, steps_ma: &mut [f64]| {
            let pulse = random.weighted(&self.pulse_weights);
            self.pulses[pulse]
                .draw(random, steps_ma)
                .map_err(DatasetError::core(format!("case {index}, pulses[{pulse}]")))
        };
        match self.recipe.contacts {
            Contacts::Independent => {
                for mut steps_ma in waveforms_ma.rows_mut() {
                    let steps_ma = steps_ma.as_slice_mut().expect("rows are contiguous");
                    draw(&mut random, steps_ma)?;
                }
            }
            Contacts::Together => {
                let mut pulse_ma = vec![0.0; self.grid.steps()];
                draw(&mut random, &mut pulse_ma)?;
                for mut steps_ma in waveforms_ma.rows_mut() {
                    let factor = match contacts {
                        1 => 1.0,
                        _ => 2.0 * random.unit() - 1.0,
                    };
                    let each = steps_ma.iter_mut().zip(&pulse_ma);
                    each.for_each(|(to, pulse)| *to = factor * pulse);
                }
            }
        }
        Ok(Case {
            index,
            diameter_um,
            offset_spacings,
            waveforms_ma,
            field,
        })
    }

    /// `[contact, point]`: potentials in mV per mA at `z_um`, um from the fiber's middle node. `spacing_um` is the
    /// distance between the exact model's nodes, in which the offset is measured: a surrogate's may be another.
    ///
    /// # Errors
    /// [`DatasetError::Core`] where the field does not reach, or an electrode lies on the fiber.
    pub fn basis_mv_per_ma(
        &self,
        case: &Case,
        z_um: &[f64],
        spacing_um: f64,
    ) -> Result<Array2<f64>, DatasetError> {
        let offset_um = case.offset_spacings * spacing_um;
        let shifted: Vec<f64> = z_um.iter().map(|z| z + offset_um).collect();
        self.pool
            .basis_mv_per_ma(&case.field, &shifted)
            .map_err(DatasetError::core(format!(
                "case {} (diameter {} um)",
                case.index, case.diameter_um
            )))
    }

    /// The exact fibers of `cases` with their stimulus; amplitude 1 is as drawn.
    ///
    /// # Errors
    /// As [`Simulation::new`] and [`Cases::basis_mv_per_ma`].
    pub fn exact(
        &self,
        cases: &[Case],
        device: &Device,
    ) -> Result<(Simulation, Stimulus), DatasetError> {
        let fiber = |case: &Case| Fiber::new(case.diameter_um, self.recipe.nodes);
        let settings = Settings {
            dt_ms: self.recipe.dt_ms,
            tstop_ms: self.recipe.tstop_ms,
            precision: self.recipe.precision.into(),
            cancel: self.cancel.clone(),
            ..Settings::default()
        };
        let fibers = cases.iter().map(fiber).collect();
        let simulation = Simulation::new(&self.model, fibers, &settings, device)?;
        let spacings_um: Vec<f64> = (0..cases.len())
            .map(|fiber| spacing_um(&simulation, fiber))
            .collect();
        let stimulus = self.stimulus(cases.iter().zip(spacings_um), &simulation)?;
        Ok((simulation, stimulus))
    }

    /// The stimulus of the fibers of `simulation`, which are those of `cases`, each given with the distance between its
    /// exact fiber's nodes in um.
    ///
    /// # Errors
    /// As [`Cases::basis_mv_per_ma`].
    pub(crate) fn stimulus<'c>(
        &self,
        cases: impl Iterator<Item = (&'c Case, f64)>,
        simulation: &Simulation,
    ) -> Result<Stimulus, DatasetError> {
        let mut stimulus = Stimulus::none(simulation.fibers().len());
        for (fiber, (case, spacing_um)) in cases.enumerate() {
            let z_um = simulation.sample_points_um(fiber);
            let basis = self.basis_mv_per_ma(case, z_um, spacing_um)?;
            for (potentials, steps_ma) in basis.rows().into_iter().zip(case.waveforms_ma.rows()) {
                let waveform = Waveform::from_samples(self.recipe.dt_ms, steps_ma.to_vec());
                let place = || DatasetError::core(format!("case {}", case.index));
                let waveform = Arc::new(waveform.map_err(place())?);
                stimulus = stimulus
                    .potentials(fiber, potentials.to_vec(), waveform)
                    .map_err(place())?;
            }
        }
        Ok(stimulus)
    }
}

/// Distance between the nodes of a fiber, um.
pub(crate) fn spacing_um(simulation: &Simulation, fiber: usize) -> f64 {
    let nodes_um = simulation.nodes_um(fiber);
    nodes_um[1] - nodes_um[0]
}

#[cfg(test)]
mod tests;
