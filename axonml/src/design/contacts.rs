//! The contacts of a nerve as sources of its fibers.

use std::sync::Arc;

use axonml_core::{CoreError, Extension, Interpolation, Nerve, Waveform};
use axonml_models::Stimulus;

/// A source for every contact of a nerve on every fiber of a population, all with the same waveform: what
/// [`Simulation::basis`](crate::Simulation::basis) makes a [`Basis`](crate::population::Basis) of.
///
/// Each line of the nerve carries `copies` fibers, one after the other. Gains are then currents in mA.
///
/// # Errors
/// [`CoreError`] if the field of a contact cannot be interpolated.
pub fn contacts(
    nerve: &Nerve,
    copies: usize,
    waveform: &Arc<Waveform>,
    interpolation: Interpolation,
    extension: Extension,
) -> Result<Stimulus, CoreError> {
    let mut stimulus = Stimulus::none(nerve.fibers() * copies);
    for contact in 0..nerve.contacts() {
        let mut only = vec![0.0; nerve.contacts()];
        only[contact] = 1.0;
        for line in 0..nerve.fibers() {
            let field = Arc::new(nerve.field(line, &only, interpolation, 0.0, extension)?);
            for copy in 0..copies {
                let fiber = line * copies + copy;
                stimulus = stimulus.source(fiber, field.clone(), waveform.clone());
            }
        }
    }
    Ok(stimulus)
}
