//! Folders of training sets and AxonML's HDF5 files.

use axonml_train::dataset::{Dataset, ImportSettings, import_hdf5};

use crate::scratch::Scratch;
use crate::{Outcome, bundle};

/// A folder of a set, bundled: every number that is handed out is finite.
pub(super) fn folder(bytes: &[u8]) -> Outcome {
    let scratch = Scratch::new();
    for (name, content) in bundle::unpack(bytes) {
        scratch.write(&name, content);
    }
    read(bytes.len(), &scratch)
}

/// An HDF5 file, imported with the voltage alone; what was imported is a set.
pub(super) fn hdf5(bytes: &[u8]) -> Outcome {
    let scratch = Scratch::new();
    assert!(scratch.write("in.h5", bytes), "a scratch file is written");
    let settings = ImportSettings {
        states: vec!["v".to_owned()],
        ..ImportSettings::default()
    };
    let set = Scratch::new();
    let file = scratch.path().join("in.h5");
    match import_hdf5(&file, set.path(), &settings, &mut |_| ()) {
        Err(error) => Outcome::refused(bytes.len(), error),
        Ok(_) => match read(bytes.len(), &set) {
            Outcome::Accepted => Outcome::Accepted,
            Outcome::Refused(message) => panic!("an imported set is refused: {message}"),
        },
    }
}

fn read(input: usize, folder: &Scratch) -> Outcome {
    let set = match Dataset::open(folder.path()) {
        Ok(set) => set,
        Err(error) => return Outcome::refused(input, error),
    };
    if let Err(error) = set.verify(&mut |_| ()) {
        return Outcome::refused(input, error);
    }
    let indices: Vec<usize> = (0..set.len().min(64)).collect();
    let read = set.read(&indices, &mut |trace| {
        assert!(trace.diameter_um.is_finite());
        assert!(trace.node_z_um.iter().all(|z| z.is_finite()));
        assert!(trace.states.iter().all(|state| state.is_finite()));
        assert_eq!(trace.basis_mv_per_ma.nrows(), set.contacts());
        Ok(())
    });
    match read {
        Ok(()) => Outcome::Accepted,
        Err(error) => Outcome::refused(input, error),
    }
}
