//! Checks of a stimulus against the fibers that it acts on.

use std::collections::HashSet;
use std::sync::Arc;

use axonml_autodiff::cable::Cable;
use axonml_core::{CoreError, Field, TimeGrid};

use super::{Extracellular, Injection, Stimulus, WaveformBank};
use crate::SimulationError;
use crate::built::BuiltFiber;
use crate::ends::check_joined;

impl Stimulus {
    /// Refuses what [`Stimulus::lower`] refuses, without projecting anything.
    ///
    /// # Errors
    /// [`SimulationError::Stimulus`] for a field that is not known at a fiber's sample points, potentials that are not
    /// finite, a node that does not exist or a waveform that does not fit the grid; [`SimulationError::Core`] for a wrong
    /// number of fibers.
    pub(crate) fn check(
        &self,
        fibers: &[Arc<BuiltFiber>],
        grid: &TimeGrid,
    ) -> Result<(), SimulationError> {
        self.check_count(fibers.len())?;
        let mut waveforms = WaveformBank::new(grid);
        let mut seen = HashSet::new();
        for (index, fiber) in fibers.iter().enumerate() {
            let wrong = |source: CoreError| SimulationError::Stimulus {
                fiber: index,
                source,
            };
            for source in &self.extracellular[index] {
                match source {
                    Extracellular::Separable { field, waveform } => {
                        if seen.insert((Arc::as_ptr(field).cast::<()>(), Arc::as_ptr(fiber))) {
                            sampled(&**field, fiber).map_err(wrong)?;
                        }
                        waveforms.index(waveform).map_err(wrong)?;
                    }
                    Extracellular::Dense(ve_mv) => space_time(ve_mv).map_err(wrong)?,
                }
            }
            for injection in &self.injections[index] {
                injection.node_of(&fiber.cable).map_err(wrong)?;
                waveforms.index(&injection.waveform).map_err(wrong)?;
            }
        }
        Ok(())
    }

    /// Refuses another number of fibers.
    pub(super) fn check_count(&self, fibers: usize) -> Result<(), SimulationError> {
        if self.fibers() == fibers {
            return Ok(());
        }
        Err(SimulationError::Core(CoreError::BadValue {
            what: "the number of fibers of the stimulus".into(),
            found: self.fibers().to_string(),
            expected: fibers.to_string(),
        }))
    }
}

impl Injection {
    /// The node of a fiber with this cable that receives the current.
    pub(super) fn node_of(&self, cable: &Cable) -> Result<usize, CoreError> {
        let nodes = cable.nodes();
        let count = nodes as i64;
        let node = match self.node < 0 {
            true => self.node.saturating_add(count),
            false => self.node,
        };
        let what = "the node of an injected current";
        if (0..count).contains(&node) {
            let node = node as usize;
            check_joined(cable, node, what)?;
            return Ok(node);
        }
        Err(CoreError::BadValue {
            what: what.into(),
            found: self.node.to_string(),
            expected: format!("0 to {}, or -{nodes} to -1 from the end", count - 1),
        })
    }
}

/// The potentials at a fiber's sample points. Fields can be user-defined, so their values are checked.
pub(super) fn sampled(field: &dyn Field, fiber: &BuiltFiber) -> Result<Vec<f64>, CoreError> {
    let expected = fiber.sample_z_um.len();
    let ve_mv = field.potentials_mv(&fiber.sample_z_um)?;
    if ve_mv.len() != expected {
        return Err(CoreError::Shape {
            what: "the potentials of a field".into(),
            expected: format!("{expected} values, one per sample point"),
            found: ve_mv.len().to_string(),
        });
    }
    match first_not_finite(&ve_mv) {
        None => Ok(ve_mv),
        Some(at) => Err(CoreError::BadValue {
            what: format!("potential {at} of a field"),
            found: ve_mv[at].to_string(),
            expected: "a finite number of mV per mA".into(),
        }),
    }
}

/// Refuses space-time potentials that are not finite.
pub(super) fn space_time(ve_mv: &[f64]) -> Result<(), CoreError> {
    match first_not_finite(ve_mv) {
        None => Ok(()),
        Some(at) => Err(CoreError::BadValue {
            what: format!("potential {at} of the space-time field"),
            found: ve_mv[at].to_string(),
            expected: "a finite number".into(),
        }),
    }
}

/// All are looked at first, without a branch for each.
fn first_not_finite(values: &[f64]) -> Option<usize> {
    match values.iter().fold(true, |all, x| all & x.is_finite()) {
        true => None,
        false => values.iter().position(|x| !x.is_finite()),
    }
}
