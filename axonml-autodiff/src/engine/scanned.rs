//! Space-time potentials that need not be read through again.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Space-time potentials that were found finite, so that they are scanned once and not at every run of a search.
///
/// Holds a reference to every scanned array: as long as it does, they cannot change. Rollouts that are made from each
/// other share it.
#[derive(Clone, Default)]
pub struct ScannedPotentials {
    /// Arrays by their address.
    known: Arc<Mutex<HashMap<usize, Scanned>>>,
}

/// An array, and the largest magnitude in it; NaN if a value is no number.
struct Scanned {
    array: Arc<Vec<f64>>,
    largest: f64,
}

impl fmt::Debug for ScannedPotentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ScannedPotentials")
    }
}

impl ScannedPotentials {
    /// The largest magnitude in `potentials`, NaN if one is no number.
    pub(super) fn largest(&self, potentials: &Arc<Vec<f64>>) -> f64 {
        let address = Arc::as_ptr(potentials) as usize;
        let lock = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(scanned) = lock().get(&address) {
            return scanned.largest;
        }
        let largest = largest(potentials);
        let mut known = lock();
        // An array that only this list still holds is in no rollout: forget it.
        known.retain(|_, scanned| Arc::strong_count(&scanned.array) > 1);
        let array = potentials.clone();
        known.insert(address, Scanned { array, largest });
        largest
    }
}

/// The largest magnitude, NaN if a value is no number.
fn largest(values: &[f64]) -> f64 {
    // Sums of 0 x are 0 unless an x is not finite; several of both, so that additions need not wait for each other.
    const LANES: usize = 16;
    let (rows, rest) = values.as_chunks::<LANES>();
    let (mut wrong, mut most) = ([0.0_f64; LANES], [0.0_f64; LANES]);
    for row in rows {
        for l in 0..LANES {
            wrong[l] += 0.0 * row[l];
            most[l] = if row[l].abs() > most[l] {
                row[l].abs()
            } else {
                most[l]
            };
        }
    }
    for (l, x) in rest.iter().enumerate() {
        wrong[l] += 0.0 * x;
        most[l] = most[l].max(x.abs());
    }
    let sound = wrong.iter().sum::<f64>() == 0.0;
    match sound || !values.iter().any(|x| x.is_nan()) {
        true => most.into_iter().fold(0.0, f64::max),
        false => f64::NAN,
    }
}
