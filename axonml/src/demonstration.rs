//! The demonstration nerve, inside the library: what bare commands run.

use axonml_core::Nerve;
use axonml_models::{NerveFolderError, nerve_from_files};

/// Diameters of the demonstration, um.
pub const DIAMETERS_UM: [f64; 3] = [5.7, 8.7, 12.8];

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_bytes!(concat!("../../examples/nerves/N1/", $name)) as &[u8])),*]
    };
}

const FILES: &[(&str, &[u8])] = files![
    "0.npy",
    "1.npy",
    "2.npy",
    "3.npy",
    "4.npy",
    "5.npy",
    "fiber_z.npy",
    "fibers_xy.npy",
    "target.npy",
    "weights.npy",
    "nerve.json",
];

/// The nerve N1: twelve fibers in a cuff with six contacts.
///
/// # Errors
/// None on a sound build: its arrays were checked when the library was made.
pub fn nerve() -> Result<Nerve, NerveFolderError> {
    nerve_from_files("N1", FILES)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_bundled_nerve_is_complete() {
        let nerve = super::nerve().unwrap();
        assert_eq!((nerve.fibers(), nerve.contacts()), (12, 6));
        assert!(nerve.geometry().is_some() && nerve.target().is_some());
    }
}
