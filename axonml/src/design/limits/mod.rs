//! Limits of a stimulator, and of the contacts that it drives.
//!
//! Limits are hard: they shape the search instead of being added to a loss. Those that a multiple of a stimulus obeys if the
//! stimulus does (sums of 0, contacts that are silent or few) make a set of directions on which points are
//! [projected](Feasible); the others allow a [range of multiples](Limits::scales) of a direction. What is delivered is
//! judged by [`Limits::violations`], which is written from the definitions and shares no code with either.

mod check;
mod dykstra;
mod electrodes;
mod grid;
mod limit;
mod loads;
mod profile;
mod project;
mod pulse;
mod rounding;
mod violations;
mod waveform_check;

#[cfg(test)]
mod tests;

pub use electrodes::Electrodes;
pub use limit::{Limit, Violation};
pub use loads::Scales;
pub use project::Feasible;

/// The limits of a stimulator and of the contacts that it drives.
///
/// Contacts are counted from 0, and every list has an entry for each.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Least and largest current of each contact at every step, mA.
    pub bounds_ma: Vec<[f64; 2]>,
    /// Whether the currents of all contacts add up to 0 at every step: there is no return at a distance.
    pub sum_zero: bool,
    /// Whether the charge of each contact adds up to 0 over the stimulus.
    pub balanced: bool,
    /// Largest charge of a phase of a contact, nC.
    pub charge_max_nc: Option<f64>,
    /// Largest k of Shannon, for each contact and phase: `log10(Q D)` with the charge `Q` in uC, and `D`, `Q` over the
    /// contact's area, in uC/cm2.
    ///
    /// # Source
    /// Shannon 1992, IEEE Trans Biomed Eng 39:424, equation 1.
    pub shannon_max: Option<f64>,
    /// Largest voltage of a contact at any step, V: the sum over contacts of impedance times current, without sign.
    pub compliance_max_v: Option<f64>,
    /// Step of the stimulator's digital-to-analog converter, mA.
    ///
    /// If the contacts that deliver anything share one waveform whose largest magnitude is 1, their amplitudes are multiples
    /// of it: values in between are steps of the simulation in which an edge falls, not levels of the converter. Otherwise
    /// every sample of every contact is.
    pub dac_ma: Option<f64>,
    /// Largest number of contacts that deliver anything.
    pub max_contacts: Option<usize>,
    /// Amplitude of contacts that are not to be varied, mA.
    pub frozen_ma: Vec<Option<f64>>,
    /// The contacts as electrodes: areas for Shannon's k, impedances for the compliance.
    pub electrodes: Electrodes,
}

impl Limits {
    /// Currents of at most `bound_ma` in either direction, and no other limit.
    pub fn of_bound(contacts: usize, bound_ma: f64) -> Self {
        Limits {
            bounds_ma: vec![[-bound_ma, bound_ma]; contacts],
            sum_zero: false,
            balanced: false,
            charge_max_nc: None,
            shannon_max: None,
            compliance_max_v: None,
            dac_ma: None,
            max_contacts: None,
            frozen_ma: vec![None; contacts],
            electrodes: Electrodes::default(),
        }
    }

    /// Number of contacts.
    pub fn contacts(&self) -> usize {
        self.bounds_ma.len()
    }

    /// Whether every multiple between 0 and 1 of a stimulus that obeys obeys as well (but for the steps of a converter): no
    /// contact is frozen at another current than 0, and all may be silent.
    pub fn is_scale_free(&self) -> bool {
        let mut frozen = self.frozen_ma.iter().flatten();
        let mut bounds = self.bounds_ma.iter();
        frozen.all(|ma| *ma == 0.0)
            && bounds.all(|[least, largest]| *least <= 0.0 && *largest >= 0.0)
    }

    /// The largest charge of a phase that Shannon's k allows a contact, nC: `Q = sqrt(10^k A)`.
    fn shannon_charge_nc(&self, contact: usize) -> Option<f64> {
        let area_cm2 = self.electrodes.area_cm2(contact)?;
        let charge_uc = (10.0_f64.powf(self.shannon_max?) * area_cm2).sqrt();
        Some(1e3 * charge_uc)
    }

    /// Contacts that an optimizer may vary.
    fn free(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.contacts()).filter(|contact| self.frozen_ma[*contact].is_none())
    }

    /// Contacts frozen at a current other than 0, with it.
    fn frozen(&self) -> impl Iterator<Item = (usize, f64)> + '_ {
        let frozen = self.frozen_ma.iter().enumerate();
        frozen.filter_map(|(contact, ma)| ma.filter(|ma| *ma != 0.0).map(|ma| (contact, ma)))
    }
}
