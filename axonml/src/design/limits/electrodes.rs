//! Contacts as electrodes: how large they are, and which voltages their currents need.

use axonml_core::NerveGeometry;

use super::super::Delivered;

/// Areas and impedances of the contacts of a cuff, as far as they are known.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Electrodes {
    /// Area of each contact, cm2; `None` where it is not known. May be empty.
    pub areas_cm2: Vec<Option<f64>>,
    /// Potential of each contact per current of each, `[contact, contact]`, ohm; `None` where it is not known.
    pub impedance_ohm: Option<Vec<Vec<f64>>>,
}

impl Electrodes {
    /// The contacts that a nerve's geometry describes.
    pub fn of_nerve(geometry: &NerveGeometry) -> Self {
        let contacts = geometry.contacts.iter();
        Electrodes {
            areas_cm2: contacts.map(|contact| contact.surface_cm2()).collect(),
            impedance_ohm: geometry.impedances_ohm().cloned(),
        }
    }

    /// The same with an area for all of so many contacts, cm2, instead of those known.
    pub fn with_area(self, contacts: usize, area_cm2: f64) -> Self {
        Electrodes {
            areas_cm2: vec![Some(area_cm2); contacts],
            ..self
        }
    }

    /// The same with `ohm` between each contact and the tissue, added to its own impedance. Nothing is changed where
    /// impedances are not known.
    pub fn with_access(mut self, ohm: f64) -> Self {
        let rows = self.impedance_ohm.iter_mut().flatten().enumerate();
        for (contact, row) in rows {
            if let Some(own) = row.get_mut(contact) {
                *own += ohm;
            }
        }
        self
    }

    /// Area of a contact, cm2, if it is known.
    pub fn area_cm2(&self, contact: usize) -> Option<f64> {
        self.areas_cm2.get(contact).copied().flatten()
    }

    /// Shannon's k of each contact, of the phase with the largest charge: `log10(Q D)` with `Q` in uC and `D` in uC/cm2;
    /// `None` of contacts whose area is not known or that deliver nothing.
    ///
    /// # Source
    /// Shannon 1992, IEEE Trans Biomed Eng 39:424, equation 1.
    pub fn shannon_k(&self, stimulus: &Delivered) -> Vec<Option<f64>> {
        let of = |contact: usize| {
            let charge_uc = 1e-3 * stimulus.charge_phase_nc(contact);
            let density_uc_cm2 = charge_uc / self.area_cm2(contact)?;
            Some((charge_uc * density_uc_cm2).log10()).filter(|k| k.is_finite())
        };
        (0..stimulus.contacts()).map(of).collect()
    }

    /// The largest voltage of each contact at any step, V, without sign; `None` where impedances are not known.
    pub fn peak_v(&self, stimulus: &Delivered) -> Option<Vec<f64>> {
        let ohm = self.impedance_ohm.as_ref()?;
        let contacts = 0..stimulus.contacts();
        let currents: Vec<Vec<f64>> = contacts
            .map(|c| stimulus.currents_ma(c).collect())
            .collect();
        let peak = |row: &Vec<f64>| {
            let steps = 0..currents.first().map_or(0, Vec::len);
            let mv = steps.map(|step| {
                let each = row.iter().zip(&currents);
                each.map(|(ohm, ma)| ohm * ma[step]).sum::<f64>()
            });
            // ohm mA are mV.
            1e-3 * mv.fold(0.0, |most: f64, mv| most.max(mv.abs()))
        };
        Some(ohm.iter().map(peak).collect())
    }
}
