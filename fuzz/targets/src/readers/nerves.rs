//! Arrays and nerve folders.

use std::io::Cursor;

use axonml_models::{Npz, nerve_from_files, read_array};

use crate::scratch::Scratch;
use crate::{Outcome, bundle};

/// One `.npy` file.
pub(super) fn npy(bytes: &[u8]) -> Outcome {
    let scratch = Scratch::new();
    assert!(scratch.write("a.npy", bytes), "a scratch file is written");
    match read_array(&scratch.path().join("a.npy")) {
        Err(error) => Outcome::refused(bytes.len(), error),
        Ok(array) => {
            // A number takes a byte of the file or more.
            assert!(array.len() <= bytes.len(), "more numbers than bytes");
            Outcome::Accepted
        }
    }
}

/// An `.npz` file whose arrays are those of recorded traces.
pub(super) fn npz(bytes: &[u8]) -> Outcome {
    let mut archive = match Npz::open(Cursor::new(bytes)) {
        Ok(archive) => archive,
        Err(error) => return Outcome::refused(bytes.len(), error),
    };
    let mut found = false;
    for name in ["v", "t_ms", "dt_ms"] {
        match archive.numbers(name) {
            Err(error) => return Outcome::refused(bytes.len(), error),
            Ok(None) => assert!(!archive.has(name), "{name} is there but not read"),
            // Deflate makes a byte of a thousand at most.
            Ok(Some(array)) => {
                assert!(array.len() <= 1100 * bytes.len(), "more numbers than bytes");
                found = true;
            }
        }
    }
    match found {
        true => Outcome::Accepted,
        false => Outcome::Refused("none of the arrays".to_owned()),
    }
}

/// A nerve folder, bundled.
pub(super) fn folder(bytes: &[u8]) -> Outcome {
    let files = bundle::unpack(bytes);
    let named: Vec<(&str, &[u8])> = files.iter().map(|(n, c)| (n.as_str(), *c)).collect();
    let nerve = match nerve_from_files("fuzzed", &named) {
        Ok(nerve) => nerve,
        Err(error) => return Outcome::refused(bytes.len(), error),
    };
    let samples = nerve.fiber_z_um().len();
    assert!(nerve.contacts() > 0 && nerve.fibers() > 0 && samples > 1);
    assert!(
        nerve.contacts() * nerve.fibers() * samples <= bytes.len(),
        "more numbers than bytes"
    );
    assert!(
        nerve.fiber_z_um().windows(2).all(|pair| pair[0] < pair[1]),
        "positions that do not ascend"
    );
    assert!(nerve.weights().iter().all(|weight| weight.is_finite()));
    for contact in 0..nerve.contacts() {
        let potentials_mv = nerve.potentials_mv(contact);
        assert_eq!(potentials_mv.dim(), (nerve.fibers(), samples));
    }
    Outcome::Accepted
}
