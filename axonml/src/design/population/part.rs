//! Fibers that share a basis, and stimuli as rows of its gains.

use std::sync::Arc;

use axonml_models::{Basis, Pair};
use ndarray::Array2;

use crate::design::{Delivered, DesignError};

/// Fibers that share a basis.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) basis: Basis,
    /// The place of each of its fibers in the population.
    pub(super) fibers: Vec<usize>,
}

/// Amplitudes as rows of gains.
pub(super) fn gains(stimuli: &[Delivered], contacts: usize) -> Array2<f64> {
    Array2::from_shape_fn((stimuli.len(), contacts), |(stimulus, contact)| {
        stimuli[stimulus].amplitudes_ma[contact]
    })
}

/// Stimuli as rows of gains of a part, or as fibers of their own.
pub(super) struct View<'a> {
    part: &'a Part,
    /// A basis that has a copy of the fibers for each stimulus, each with the waveforms of its own.
    own: Option<Basis>,
    pub(super) gains: Array2<f64>,
}

impl Part {
    /// Stimuli and fibers of this part that are wanted (by stimulus and fiber of the population), fiber by fiber.
    pub(super) fn places(
        &self,
        stimuli: usize,
        wanted: &dyn Fn(usize, usize) -> bool,
    ) -> Vec<(usize, usize)> {
        let fibers = self.fibers.iter().enumerate();
        fibers
            .flat_map(|(own, &fiber)| {
                let stimuli = (0..stimuli).filter(move |&stimulus| wanted(stimulus, fiber));
                stimuli.map(move |stimulus| (stimulus, own))
            })
            .collect()
    }

    /// `stimuli` on the fibers of this part, whose contacts have the waveform `reference`.
    pub(super) fn view(
        &self,
        stimuli: &[Delivered],
        reference: &Arc<Vec<f64>>,
    ) -> Result<View<'_>, DesignError> {
        let contacts = self.basis.contacts();
        let shares = |stimulus: &Delivered| {
            let shared = stimulus.shared_waveform();
            shared.is_some_and(|waveform| Arc::ptr_eq(waveform, reference))
        };
        if stimuli.iter().all(shares) {
            return Ok(View {
                part: self,
                own: None,
                gains: gains(stimuli, contacts),
            });
        }
        let waveforms: Vec<Vec<Arc<Vec<f64>>>> = stimuli.iter().map(Delivered::in_ma).collect();
        Ok(View {
            part: self,
            own: Some(self.basis.with_waveforms(&waveforms)?),
            gains: Array2::ones((1, contacts)),
        })
    }
}

impl View<'_> {
    pub(super) fn basis(&self) -> &Basis {
        self.own.as_ref().unwrap_or(&self.part.basis)
    }

    /// Row of gains and fiber of the basis, of a stimulus and a fiber of the part.
    pub(super) fn pair(&self, (stimulus, own): (usize, usize)) -> Pair {
        match self.own {
            None => (stimulus, own),
            Some(_) => (0, stimulus * self.part.fibers.len() + own),
        }
    }
}
