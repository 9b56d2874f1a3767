//! A parameterization's functions of time, and which amplitudes of one of them limits allow.

use super::super::Parameterization;
use super::Limits;
use super::loads::phases;

/// A charge that is this part of a function's charge without signs is rounding.
const BALANCED: f64 = 1e-12;

/// Functions of time, `[coefficient, step]`: the currents of a contact whose coefficient is 1.
pub(super) struct Profile {
    pub(super) functions: Vec<Vec<f64>>,
    pub(super) dt_ms: f64,
}

impl Profile {
    /// The functions at the shapes of a point.
    pub(super) fn of(p: &dyn Parameterization, shapes: &[f64]) -> Self {
        let linear = p.contacts() * p.coefficients();
        let mut x = vec![0.0; linear];
        x.extend_from_slice(shapes);
        let mut dt_ms = 0.0;
        let mut function = |coefficient: usize| {
            x[coefficient] = 1.0;
            let stimulus = p.stimulus(&x);
            x[coefficient] = 0.0;
            dt_ms = stimulus.dt_ms;
            stimulus.currents_ma(0).collect()
        };
        let functions = (0..p.coefficients()).map(&mut function).collect();
        Profile { functions, dt_ms }
    }

    /// The function, if there is only one.
    pub(super) fn only(&self) -> Option<&[f64]> {
        match self.functions.as_slice() {
            [function] => Some(function),
            _ => None,
        }
    }

    /// Coefficients and values of the functions that are not 0 at a step.
    pub(super) fn row(&self, step: usize) -> Vec<(usize, f64)> {
        let values = self
            .functions
            .iter()
            .map(|function| function[step])
            .enumerate();
        values.filter(|(_, value)| *value != 0.0).collect()
    }

    pub(super) fn steps(&self) -> usize {
        self.functions.first().map_or(0, Vec::len)
    }

    /// The charges that a parameterization says its functions have, where they are more than rounding; `None` if all are
    /// balanced.
    pub(super) fn charges(&self, p: &dyn Parameterization) -> Option<Vec<f64>> {
        let net = |(charge, function): (f64, &Vec<f64>)| {
            let size = self.dt_ms * function.iter().map(|value| value.abs()).sum::<f64>();
            if charge.abs() > BALANCED * size {
                charge
            } else {
                0.0
            }
        };
        let charges = p.charges()?.into_iter().zip(&self.functions);
        let charges: Vec<f64> = charges.map(net).collect();
        charges
            .iter()
            .any(|charge| *charge != 0.0)
            .then_some(charges)
    }
}

impl Limits {
    /// Least and largest multiple of a function of time that a contact may deliver by its own limits: bounds, charge and
    /// Shannon's k. Empty (the least above the largest) where bounds do not allow 0 and the function does not fit them.
    pub(super) fn amplitude_range(&self, contact: usize, function: &[f64], dt_ms: f64) -> [f64; 2] {
        let mut range = [f64::NEG_INFINITY, f64::INFINITY];
        for value in function.iter().filter(|value| **value != 0.0) {
            range = intersection(range, quotients(self.bounds_ma[contact], *value));
        }
        let charges_nc = self
            .charge_max_nc
            .into_iter()
            .chain(self.shannon_charge_nc(contact));
        let phases = phases(function).into_iter();
        let unit_nc = 1e3 * dt_ms * phases.fold(0.0, |most: f64, (_, sum)| most.max(sum.abs()));
        let largest = charges_nc.fold(f64::INFINITY, f64::min) / unit_nc;
        intersection(range, [-largest, largest])
    }
}

/// The numbers whose product with `factor` lies in a range.
pub(super) fn quotients(range: [f64; 2], factor: f64) -> [f64; 2] {
    let [a, b] = range.map(|end| end / factor);
    [a.min(b), a.max(b)]
}

pub(super) fn intersection(a: [f64; 2], b: [f64; 2]) -> [f64; 2] {
    [a[0].max(b[0]), a[1].min(b[1])]
}
