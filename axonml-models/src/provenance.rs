//! Hashes of the inputs of a result: models as traced, arrays as used.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use axonml_core::Nerve;
use sha2::{Digest, Sha256};

use crate::lower::{LoweredModel, lower};
use crate::{Ends, FiberModel, Settings, Simulation, SimulationError};

/// SHA-256 of bytes, in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    hexadecimal(Sha256::new_with_prefix(bytes))
}

/// SHA-256 of a file's bytes, in hexadecimal; the file is read in parts.
///
/// # Errors
/// Those of reading it.
pub fn file_sha256(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let mut digest = Sha256::new();
    let mut part = vec![0; 1 << 16];
    loop {
        match file.read(&mut part)? {
            0 => return Ok(hexadecimal(digest)),
            read => digest.update(&part[..read]),
        }
    }
}

/// SHA-256, in hexadecimal, of an array: of its shape (u64) and its values (f64, outermost index first), little-endian.
/// Files of another number type or memory order with the same values have the same hash.
pub fn array_sha256(shape: &[usize], values: impl IntoIterator<Item = f64>) -> String {
    let mut digest = Sha256::new();
    for &extent in shape {
        digest.update((extent as u64).to_le_bytes());
    }
    for value in values {
        digest.update(value.to_le_bytes());
    }
    hexadecimal(digest)
}

/// [`array_sha256`] of every array of a nerve that a result can depend on, by the name of its file: potentials (gaps
/// filled), `fiber_z.npy`, `weights.npy`, and `fibers_xy.npy` and `target.npy` (0 or 1) where it has them.
pub fn nerve_sha256(nerve: &Nerve) -> BTreeMap<String, String> {
    let mut hashes = BTreeMap::new();
    let mut put = |name: &str, hash: String| hashes.insert(name.to_owned(), hash);
    for contact in 0..nerve.contacts() {
        let potentials = nerve.potentials_mv(contact);
        let hash = array_sha256(potentials.shape(), potentials.iter().copied());
        put(&format!("{contact}.npy"), hash);
    }
    let vector = |values: &[f64]| array_sha256(&[values.len()], values.iter().copied());
    put("fiber_z.npy", vector(nerve.fiber_z_um()));
    put("weights.npy", vector(nerve.weights()));
    if let Some(xy) = nerve.fibers_xy_um() {
        put(
            "fibers_xy.npy",
            array_sha256(xy.shape(), xy.iter().copied()),
        );
    }
    if let Some(target) = nerve.target() {
        let numbers = target.iter().map(|&is| f64::from(u8::from(is)));
        put("target.npy", array_sha256(&[target.len()], numbers));
    }
    hashes
}

/// Hash of the computation of a model with `settings`, equal to [`Simulation::model_hash`], without any fiber.
///
/// # Errors
/// [`SimulationError`] if the model is inconsistent, or weights or parameters do not fit it.
pub fn model_hash(model: &dyn FiberModel, settings: &Settings) -> Result<String, SimulationError> {
    Ok(lower(model, &[], settings)?.0.hash())
}

impl Simulation {
    /// Hash of the model's computation, `sha256:` and hexadecimal digits: of its traced geometry and membrane, the
    /// values of its parameters, temperature, start, compartment length, the names of its states, and passive ends. Prose (summary,
    /// citations, names of schemes) is not in it; neither are fibers, time grid, precision and a steady-state run.
    pub fn model_hash(&self) -> String {
        self.model.hash()
    }
}

impl LoweredModel {
    /// Hash of the programs and values.
    fn hash(&self) -> String {
        format!("sha256:{}", sha256(self.canonical().as_bytes()))
    }

    /// Everything that the model's results depend on, as text. Numbers are written so that they are read back to the
    /// bit.
    fn canonical(&self) -> String {
        let schema = &self.schema;
        let mut parameters: Vec<(&str, f64)> = schema
            .parameters
            .iter()
            .map(|p| (&*p.name, p.value))
            .collect();
        parameters.sort_by_key(|(name, _)| *name);
        let mut text = format!(
            "cable {:?}\nstates {:?}\nstart {:?} {:?}\ncelsius {:?}\ncompartment {:?}\n",
            self.geometry.kind,
            schema.states,
            schema.start.v_mv,
            schema.start.states,
            schema.celsius,
            schema.compartment_um
        );
        // Active ends are not mentioned: they were all there was when the first hashes were made.
        if self.geometry.ends == Ends::Passive {
            text.push_str("passive ends\n");
        }
        for (name, value) in parameters {
            let _ = writeln!(text, "parameter {name} {value:?}");
        }
        let membrane = &self.membrane;
        for (name, program) in [
            ("geometry", self.geometry.program()),
            ("rest", &membrane.rest.program),
            ("currents", &membrane.currents.program),
            ("step", &membrane.step.program),
        ] {
            let _ = write!(text, "program {name}\n{program}");
        }
        text
    }
}

fn hexadecimal(digest: Sha256) -> String {
    digest
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use axonml_autodiff::engine::{Membrane, SectionKind};

    use super::*;
    use crate::weights::Weights;
    use crate::{FiberSymbols, Geometry, Patch, Schema, Unmyelinated, model};

    /// A leaky cylinder with one thing or another changed.
    #[derive(Clone, Default)]
    struct Cylinder {
        prose: &'static str,
        rate: f64,
        thicker: f64,
        state: Option<&'static str>,
    }

    impl FiberModel for Cylinder {
        fn schema(&self) -> Schema {
            Schema::new("cylinder", self.prose)
                .cite(self.prose)
                .scheme(self.prose)
                .states([self.state.unwrap_or("w")])
                .param("conductance", "g", 1e-3, "S/cm2")
                .compartment_um(50.0)
        }

        fn geometry<'t>(&self, fiber: &FiberSymbols<'t>) -> Geometry<'t> {
            Geometry::Unmyelinated(Unmyelinated {
                compartment_um: fiber.compartment_um(),
                diameter_um: fiber.diameter() * (1.0 + self.thicker),
                capacitance_uf_cm2: fiber.number(1.0),
                axial_ohm_cm: fiber.number(100.0),
            })
        }

        fn membrane<'t>(&self, _section: SectionKind, patch: &Patch<'t>) -> Membrane<'t> {
            let name = self.state.unwrap_or("w");
            let opening = (patch.v() * 0.05).exp() * (1.0 + self.rate);
            Membrane::new()
                .ohmic(patch.param("g") * patch.state(name), patch.number(-70.0))
                .gate(name, opening, patch.number(1.0))
        }
    }

    fn hash(model: &Cylinder, settings: &Settings) -> String {
        model_hash(model, settings).unwrap()
    }

    #[test]
    fn a_model_is_what_it_computes_and_not_how_it_is_described() {
        let settings = Settings::default();
        let plain = Cylinder::default();
        let expected = hash(&plain, &settings);
        assert!(expected.starts_with("sha256:") && expected.len() == 71);
        let reworded = Cylinder {
            prose: "implicit Euler",
            ..plain.clone()
        };
        assert_eq!(hash(&reworded, &settings), expected);
        let longer = Settings {
            tstop_ms: 10.0,
            ..Settings::default()
        };
        assert_eq!(hash(&plain, &longer), expected);
        let different = [
            Cylinder {
                rate: 1e-12,
                ..plain.clone()
            },
            Cylinder {
                thicker: 1e-12,
                ..plain.clone()
            },
            Cylinder {
                state: Some("x"),
                ..plain.clone()
            },
        ];
        let mut found: Vec<String> = different.iter().map(|m| hash(m, &settings)).collect();
        found.push(hash(
            &plain,
            &Settings {
                parameters: vec![("g".into(), 1.001e-3)],
                ..Settings::default()
            },
        ));
        found.push(hash(
            &plain,
            &Settings {
                celsius: Some(36.0),
                ..Settings::default()
            },
        ));
        found.push(hash(
            &plain,
            &Settings {
                ends: Ends::Passive,
                ..Settings::default()
            },
        ));
        found.push(expected);
        let count = found.len();
        found.sort_unstable();
        found.dedup();
        assert_eq!(found.len(), count);
    }

    #[test]
    fn weights_count_by_their_numbers() {
        let smf = model("smf").unwrap();
        let of = |weights: Weights| {
            let settings = Settings {
                weights,
                ..Settings::default()
            };
            model_hash(&smf, &settings).unwrap()
        };
        let named = of(Weights::Named("SMF_MRG".into()));
        assert_eq!(of(Weights::Default), named);
        assert_ne!(of(Weights::Published), named);
    }

    /// Made with `printf` and `sha256sum` from the bytes of two u64 and two f64.
    #[test]
    fn an_array_is_its_shape_and_its_values() {
        assert_eq!(
            array_sha256(&[1, 2], [0.0, 1.0]),
            "4d72277dcf41a6e28619f6f545542a11bb80cbe8c3b816ae83f9d1bd1bcdf5ac"
        );
        assert_ne!(
            array_sha256(&[2, 1], [0.0, 1.0]),
            array_sha256(&[1, 2], [0.0, 1.0])
        );
    }
}
