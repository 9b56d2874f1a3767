//! The points whose stimuli obey, but for their strength.

use std::borrow::Cow;
use std::collections::BTreeMap;

use axonml_optimize::Projection;

use super::super::{Delivered, Parameterization};
use super::Limits;
use super::dykstra::{self, Slab};
use super::profile::{Profile, intersection, quotients};

/// The points of a parameterization that limits allow, for an optimizer to project on.
///
/// Where limits are [scale-free](Limits::is_scale_free) the set is made of directions: every multiple of its points belongs
/// to it. Currents add up to 0 at every step, charges of each contact to 0, contacts frozen at 0 are silent, and contacts
/// that may deliver currents of one sign do. How far to go is up to [`Limits::scales`].
///
/// Otherwise points are in mA: frozen contacts deliver their currents, and the free ones what bounds, compliance and, of
/// amplitudes of one waveform, charge and Shannon's k leave them. (The phases of other stimuli depend on their signs, so
/// that the set of those with small charges is not convex: their charges are judged by [`Limits::violations`].)
///
/// Shapes are clamped to their ranges.
#[derive(Clone, Debug)]
pub struct Feasible<'a> {
    limits: &'a Limits,
    parameterization: &'a dyn Parameterization,
    /// Charge of each coefficient at 1; `None` if nothing needs to be balanced.
    charges: Option<Vec<f64>>,
    /// Coefficients of contacts that are frozen at other currents than 0; 0 of all others.
    frozen: Vec<f64>,
    /// Where no shape moves them.
    slabs: Option<Vec<Slab>>,
}

impl Limits {
    /// The points of a parameterization that these limits allow.
    ///
    /// # Panics
    /// If the parameterization has another number of contacts than the limits.
    pub fn feasible<'a>(&'a self, parameterization: &'a dyn Parameterization) -> Feasible<'a> {
        let p = parameterization;
        assert_eq!(
            p.contacts(),
            self.contacts(),
            "contacts of the parameterization"
        );
        let amplitudes: Vec<f64> = self.frozen_ma.iter().map(|ma| ma.unwrap_or(0.0)).collect();
        let start = p.start(&amplitudes);
        let (linear, shapes) = start.split_at(p.contacts() * p.coefficients());
        let mut frozen = vec![0.0; linear.len()];
        for (contact, _) in self.frozen() {
            let own = contact * p.coefficients()..(contact + 1) * p.coefficients();
            frozen[own.clone()].copy_from_slice(&linear[own]);
        }
        let profile = || Profile::of(p, shapes);
        let has_charges = self.balanced && p.charges().is_some();
        let slabs = if !self.has_slabs() {
            Some(Vec::new())
        } else {
            shapes.is_empty().then(|| self.slabs(&profile()))
        };
        Feasible {
            limits: self,
            parameterization,
            charges: if has_charges {
                profile().charges(p)
            } else {
                None
            },
            frozen,
            slabs,
        }
    }

    /// Moves a point of a parameterization to the nearest one that is allowed: see [`Feasible`], which does less work where
    /// several points are projected.
    ///
    /// # Panics
    /// If the point has another number of unknowns than the parameterization, or that another number of contacts than the
    /// limits.
    pub fn project(&self, parameterization: &dyn Parameterization, x: &mut [f64]) {
        self.feasible(parameterization).project(x);
    }

    fn has_slabs(&self) -> bool {
        !self.is_scale_free() || self.free().any(|contact| self.cone(contact).is_some())
    }

    /// The signs of a contact's currents, if only one is allowed, as a range that is the same for all multiples.
    fn cone(&self, contact: usize) -> Option<[f64; 2]> {
        match self.bounds_ma[contact] {
            [0.0, _] => Some([0.0, f64::INFINITY]),
            [_, 0.0] => Some([f64::NEG_INFINITY, 0.0]),
            _ => None,
        }
    }

    /// Linear constraints on coefficients, of free contacts' currents and, where limits are not scale-free, of voltages.
    fn slabs(&self, profile: &Profile) -> Vec<Slab> {
        let scale_free = self.is_scale_free();
        let mut slabs = Vec::new();
        for contact in self.free() {
            let range = match scale_free {
                true => self.cone(contact),
                false => Some(self.bounds_ma[contact]),
            };
            if let Some(range) = range {
                slabs.extend(current_slabs(profile, contact, range));
            }
        }
        if !scale_free {
            slabs.extend(self.charge_slabs(profile));
            slabs.extend(self.volt_slabs(profile));
        }
        slabs
    }

    fn charge_slabs(&self, profile: &Profile) -> Vec<Slab> {
        let Some(function) = profile.only() else {
            return Vec::new();
        };
        let of = |contact| Slab {
            normal: vec![(contact, 1.0)],
            range: self.amplitude_range(contact, function, profile.dt_ms),
        };
        self.free().map(of).collect()
    }

    fn volt_slabs(&self, profile: &Profile) -> Vec<Slab> {
        let (Some(volts), Some(ohm)) = (self.compliance_max_v, &self.electrodes.impedance_ohm)
        else {
            return Vec::new();
        };
        // Of steps at which only one function acts, that of its largest value is enough.
        let mut alone: BTreeMap<usize, f64> = BTreeMap::new();
        let mut rows: Vec<Vec<(usize, f64)>> = Vec::new();
        for row in (0..profile.steps()).map(|step| profile.row(step)) {
            match row.as_slice() {
                [] => {}
                [(coefficient, value)] => {
                    let most = alone.entry(*coefficient).or_default();
                    *most = most.max(value.abs());
                }
                _ => rows.push(row),
            }
        }
        rows.extend(alone.into_iter().map(|row| vec![row]));
        let coefficients = profile.functions.len();
        let slab = |(impedances, row): (&Vec<f64>, &Vec<(usize, f64)>)| {
            let each = impedances.iter().enumerate();
            let normal = each.flat_map(|(contact, ohm)| {
                row.iter()
                    .map(move |(at, value)| (contact * coefficients + at, ohm * value))
            });
            // ohm mA are mV.
            Slab {
                normal: normal.collect(),
                range: [-1e3 * volts, 1e3 * volts],
            }
        };
        let pairs = ohm
            .iter()
            .flat_map(|impedances| rows.iter().map(move |row| (impedances, row)));
        pairs.map(slab).collect()
    }
}

/// A contact's currents within a range at every step.
fn current_slabs(profile: &Profile, contact: usize, range: [f64; 2]) -> Vec<Slab> {
    let first = contact * profile.functions.len();
    let mut alone: BTreeMap<usize, [f64; 2]> = BTreeMap::new();
    let mut slabs = Vec::new();
    for row in (0..profile.steps()).map(|step| profile.row(step)) {
        match row.as_slice() {
            [] => {}
            [(coefficient, value)] => {
                let all = alone
                    .entry(*coefficient)
                    .or_insert([f64::NEG_INFINITY, f64::INFINITY]);
                *all = intersection(*all, quotients(range, *value));
            }
            _ => slabs.push(Slab {
                normal: row.iter().map(|(at, value)| (first + at, *value)).collect(),
                range,
            }),
        }
    }
    let alone = alone.into_iter();
    slabs.extend(alone.map(|(coefficient, range)| Slab {
        normal: vec![(first + coefficient, 1.0)],
        range,
    }));
    slabs
}

impl Feasible<'_> {
    /// The stimulus of the nearest allowed point to `x`, and that point.
    pub fn stimulus(&self, x: &[f64]) -> (Vec<f64>, Delivered) {
        let mut nearest = x.to_vec();
        self.project(&mut nearest);
        let stimulus = self.parameterization.stimulus(&nearest);
        (nearest, stimulus)
    }

    /// The affine part: frozen contacts, balanced charges, and sums of 0 among the contacts that are kept. Each is an
    /// orthogonal projection, and they commute: balance mixes coefficients of a contact, the sum mixes contacts.
    fn affine(&self, x: &mut [f64], kept: &[bool]) {
        let coefficients = self.parameterization.coefficients();
        for (contact, own) in x.chunks_exact_mut(coefficients).enumerate() {
            if !kept[contact] {
                let first = contact * coefficients;
                own.copy_from_slice(&self.frozen[first..first + coefficients]);
            } else if let Some(charges) = &self.charges {
                let net: f64 = own.iter().zip(charges).map(|(x, charge)| x * charge).sum();
                let length2: f64 = charges.iter().map(|charge| charge * charge).sum();
                for (x, charge) in own.iter_mut().zip(charges) {
                    *x -= net / length2 * charge;
                }
            }
        }
        let varied = kept.iter().filter(|kept| **kept).count();
        if !self.limits.sum_zero || varied == 0 {
            return;
        }
        for coefficient in 0..coefficients {
            let sum: f64 = x.iter().skip(coefficient).step_by(coefficients).sum();
            for contact in (0..kept.len()).filter(|contact| kept[*contact]) {
                x[contact * coefficients + coefficient] -= sum / varied as f64;
            }
        }
    }

    /// Leaves the contacts out that matter least, one after the other, until no more are left than may deliver anything.
    fn drop_contacts(&self, x: &mut [f64], kept: &mut [bool]) {
        let coefficients = self.parameterization.coefficients();
        let frozen = self.limits.frozen().count();
        let most = self
            .limits
            .max_contacts
            .map_or(kept.len(), |most| most.saturating_sub(frozen));
        let left = kept.iter().filter(|kept| **kept).count();
        for _ in most..left {
            let norm2 = |contact: usize| -> f64 {
                let own = &x[contact * coefficients..(contact + 1) * coefficients];
                own.iter().map(|x| x * x).sum()
            };
            let contacts = (0..kept.len()).filter(|contact| kept[*contact]);
            let least = contacts.min_by(|a, b| norm2(*a).total_cmp(&norm2(*b)));
            if let Some(least) = least {
                kept[least] = false;
            }
            self.affine(x, kept);
        }
    }
}

/// The nearest point of the set, but where fewer contacts may deliver anything than would: then contacts are left out
/// greedily, the one with the smallest coefficients first (and currents brought back to a sum of 0 before the next), as in
/// iterative hard thresholding (Blumensath & Davies 2009, Appl Comput Harmon Anal 27:265). Other contacts could be nearer.
impl Projection for Feasible<'_> {
    /// # Panics
    /// If the point has another number of unknowns than the parameterization.
    fn project(&self, x: &mut [f64]) {
        let p = self.parameterization;
        assert_eq!(x.len(), p.unknowns(), "unknowns of the point");
        let (linear, shapes) = x.split_at_mut(p.contacts() * p.coefficients());
        for (shape, (_, [least, largest])) in shapes.iter_mut().zip(p.shapes()) {
            *shape = shape.max(least).min(largest);
        }
        let slabs = match &self.slabs {
            Some(slabs) => Cow::Borrowed(slabs),
            None => Cow::Owned(self.limits.slabs(&Profile::of(p, shapes))),
        };
        let mut kept: Vec<bool> = self.limits.frozen_ma.iter().map(Option::is_none).collect();
        let nearest = |x: &mut [f64], kept: &[bool]| match slabs.is_empty() {
            true => self.affine(x, kept),
            false => dykstra::nearest(x, &|x| self.affine(x, kept), &slabs),
        };
        nearest(linear, &kept);
        if self.limits.max_contacts.is_some() {
            self.drop_contacts(linear, &mut kept);
            nearest(linear, &kept);
        }
    }
}
