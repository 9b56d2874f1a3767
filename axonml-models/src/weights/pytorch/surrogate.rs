//! From AxonML's keys to the parameters of the surrogate.

use std::collections::BTreeMap;
use std::f64::consts::PI;

use axonml_core::names;

use super::{Checkpoint, CheckpointError, Tensor};
use crate::FiberModel;
use crate::models::Smf;
use crate::weights::{Domain, ModelFile, ModelFileError};

/// Coupling weights of the voltage (first row) and the extracellular potential, three points each.
const COUPLING: &str = "ssd.weight";
/// AxonML keeps even pi as a parameter.
const CIRCLE: &str = "pi";

/// The model file of model `smf` from a checkpoint of AxonML's surrogate of a myelinated fiber.
///
/// Keys are the parameters' names. `ssd.weight` (1, 2, 3) is symmetrised as AxonML does when it runs. A `pi` that was
/// trained with the rest is absorbed by the node's diameter and the axial resistivity, the only quantities it acts on,
/// which is exact.
///
/// # Errors
/// [`CheckpointError`] for keys that are missing or unknown and tensors of another shape.
pub fn smf_from_checkpoint(checkpoint: &Checkpoint) -> Result<ModelFile, CheckpointError> {
    let schema = Smf.schema();
    let tensors = &checkpoint.tensors;
    let is_coupling = |group: &str| group == "coupling";
    let own: Vec<&str> = schema
        .parameters
        .iter()
        .filter(|p| !is_coupling(&p.group))
        .map(|p| &*p.name)
        .collect();
    let needed = || own.iter().copied().chain([COUPLING]);
    if let Some(key) = tensors
        .keys()
        .find(|key| *key != CIRCLE && !needed().any(|name| name == *key))
    {
        return Err(CheckpointError::UnknownKey {
            key: key.clone(),
            nearest: names::nearest(key, needed()).map(str::to_owned),
        });
    }
    let missing: Vec<String> = needed()
        .filter(|name| !tensors.contains_key(*name))
        .map(str::to_owned)
        .collect();
    if !missing.is_empty() {
        return Err(CheckpointError::MissingKeys { keys: missing });
    }

    let mut file = ModelFile::new(&Smf);
    for name in own {
        file.parameters
            .insert(name.to_owned(), number(tensors, name)?);
    }
    let weight = &tensors[COUPLING];
    let &[v_left, v_center, v_right, ve_left, ve_center, ve_right] = weight.values.as_slice()
    else {
        return Err(shape(COUPLING, weight));
    };
    if weight.shape != [1, 2, 3] {
        return Err(shape(COUPLING, weight));
    }
    for (name, value) in [
        ("v_neighbor", 0.5 * (v_left + v_right)),
        ("v_center", v_center),
        ("ve_neighbor", 0.5 * (ve_left + ve_right)),
        ("ve_center", ve_center),
    ] {
        file.parameters.insert(name.to_owned(), value);
    }
    let circle = match tensors.contains_key(CIRCLE) {
        true => number(tensors, CIRCLE)? / PI,
        false => 1.0,
    };
    // Training moves it by some percent; lengths and resistivities of another sign or size are no fiber's.
    if !(0.1..10.0).contains(&circle) {
        return Err(CheckpointError::Value {
            key: CIRCLE.to_owned(),
            value: circle * PI,
            expected: "pi as it was trained, a number near 3.14159",
        });
    }
    // Single precision has pi to 3e-8.
    if (circle - 1.0).abs() > 1e-6 {
        for (name, factor) in [
            ("noded1", circle),
            ("noded2", circle),
            ("noded3", circle),
            ("rhoa", 1.0 / circle),
        ] {
            if let Some(value) = file.parameters.get_mut(name) {
                *value *= factor;
            }
        }
    }

    // Finite numbers were read, but their sums and products need not be.
    if let Some((key, value)) = file.parameters.iter().find(|(_, value)| !value.is_finite()) {
        return Err(CheckpointError::NotFinite {
            key: key.clone(),
            value: *value,
        });
    }

    // AxonML runs at this step and temperature by default; a checkpoint does not record them.
    file.domain = Domain {
        dt_ms: Some(0.005),
        celsius: Some(schema.celsius),
        ..Domain::default()
    };
    let place = match checkpoint.path.as_str() {
        "" => "a state dict".to_owned(),
        path => format!("`{path}` of a training checkpoint"),
    };
    let precision = match tensors.values().any(|tensor| tensor.single) {
        true => "single",
        false => "double",
    };
    let provenance = [
        ("imported from", format!("PyTorch AxonML, {place}")),
        ("precision of the checkpoint", precision.to_owned()),
        (
            "references",
            "Hussain, Grill & Pelot 2024, doi:10.1038/s41467-024-51709-8".to_owned(),
        ),
        (
            "assumed",
            "dt 0.005 ms, 37 degrees and the published start: not recorded in a checkpoint"
                .to_owned(),
        ),
    ];
    let numbers = checkpoint.numbers.iter();
    file.provenance = provenance
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .chain(numbers.map(|(key, value)| (format!("checkpoint {key}"), value.to_string())))
        .collect();
    Ok(file)
}

/// The tensors of a state dict of AxonML's surrogate by key, from a model file of model `smf`: the reverse of
/// [`smf_from_checkpoint`].
///
/// # Errors
/// [`ModelFileError`] for a file of another model, or an incomplete one.
pub fn smf_to_tensors(file: &ModelFile) -> Result<BTreeMap<String, Tensor>, ModelFileError> {
    let schema = Smf.schema();
    file.check(&schema)?;
    let value = |name: &str| file.parameters[name];
    let tensor = |shape: Vec<usize>, values: Vec<f64>| Tensor {
        shape,
        values,
        single: false,
    };
    let own = schema.parameters.iter().filter(|p| p.group != "coupling");
    let mut tensors: BTreeMap<String, Tensor> = own
        .map(|p| (p.name.to_string(), tensor(Vec::new(), vec![value(&p.name)])))
        .collect();
    let rows = ["v", "ve"].map(|of| {
        let neighbor = value(&format!("{of}_neighbor"));
        [neighbor, value(&format!("{of}_center")), neighbor]
    });
    tensors.insert(COUPLING.to_owned(), tensor(vec![1, 2, 3], rows.concat()));
    tensors.insert(CIRCLE.to_owned(), tensor(Vec::new(), vec![PI]));
    Ok(tensors)
}

/// The one number of a tensor.
fn number(tensors: &BTreeMap<String, Tensor>, key: &str) -> Result<f64, CheckpointError> {
    let tensor = &tensors[key];
    match (tensor.shape.as_slice(), tensor.values.as_slice()) {
        ([] | [1], &[value]) => Ok(value),
        _ => Err(shape(key, tensor)),
    }
}

fn shape(key: &str, tensor: &Tensor) -> CheckpointError {
    CheckpointError::Shape {
        key: key.to_owned(),
        found: tensor.shape.clone(),
        expected: match key {
            COUPLING => "[1, 2, 3]",
            _ => "[] (one number)",
        },
    }
}
