//! Checkpoints that PyTorch wrote (`golden/pytorch`), and malformed ones.

use std::collections::HashMap;
use std::io::{Cursor, Write};

use axonml_models::model;
use axonml_models::weights::ModelFile;
use axonml_models::weights::pytorch::{
    Checkpoint, CheckpointError, import_checkpoint, read_checkpoint, smf_from_checkpoint,
    smf_to_tensors,
};
use serde_json::Value;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::golden::path;

const STATE_DICT: &str = "state_dict_f64.pt";
const SINGLE: &str = "state_dict_f32.pt";
const TRAINING: &str = "training_checkpoint_f32.pt";

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(path(&format!("pytorch/{name}"))).unwrap()
}

/// The numbers of a nested list, in order.
fn flatten(value: &Value, numbers: &mut Vec<f64>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| flatten(item, numbers)),
        number => numbers.push(number.as_f64().unwrap()),
    }
}

/// The content that torch reads from a file.
fn expected(name: &str) -> HashMap<String, Vec<f64>> {
    let text = std::fs::read_to_string(path("pytorch/values.json")).unwrap();
    let all: Value = serde_json::from_str(&text).unwrap();
    let of_file = all[name].as_object().unwrap().iter();
    of_file
        .map(|(key, value)| {
            let mut numbers = Vec::new();
            flatten(value, &mut numbers);
            (key.clone(), numbers)
        })
        .collect()
}

#[test]
fn the_numbers_are_those_that_torch_reads() {
    for name in [STATE_DICT, SINGLE, TRAINING] {
        let checkpoint = read_checkpoint(&bytes(name)).unwrap();
        let file = smf_from_checkpoint(&checkpoint).unwrap();
        let expected = expected(name);
        let schema = model("smf").unwrap().schema();
        file.check(&schema).unwrap();
        for (key, values) in &expected {
            assert_eq!(&checkpoint.tensors[key].values, values, "{name}: {key}");
        }
        // The optimizer's step moved pi as well, which goes into these.
        let pi = checkpoint.tensors["pi"].values[0] / std::f64::consts::PI;
        assert_eq!((pi - 1.0).abs() > 1e-4, name == TRAINING, "{name}: {pi}");
        let factor = |name: &str| match name {
            _ if (pi - 1.0).abs() < 1e-6 => 1.0,
            "noded1" | "noded2" | "noded3" => pi,
            "rhoa" => 1.0 / pi,
            _ => 1.0,
        };
        let mut compared = 0;
        for parameter in schema.parameters.iter().filter(|p| p.group != "coupling") {
            let name = &*parameter.name;
            assert_eq!(
                [file.parameters[name]],
                [factor(name) * expected[name][0]],
                "{name}"
            );
            compared += 1;
        }
        assert_eq!(compared, 53);
        // Asymmetric on purpose: only the symmetric part acts.
        let w = &expected["ssd.weight"];
        for (parameter, value) in [
            ("v_neighbor", (w[0] + w[2]) / 2.0),
            ("v_center", w[1]),
            ("ve_neighbor", (w[3] + w[5]) / 2.0),
            ("ve_center", w[4]),
        ] {
            assert_eq!(file.parameters[parameter], value, "{name}: {parameter}");
        }
        assert!(w[0] != w[2] && file.parameters["v_neighbor"] != 1.0);
    }
}

#[test]
fn weights_go_back_to_torch_as_they_act() {
    for name in [STATE_DICT, SINGLE, TRAINING] {
        let checkpoint = read_checkpoint(&bytes(name)).unwrap();
        let (file, _) = import_checkpoint(&bytes(name), name).unwrap();
        assert_eq!(file.provenance["checkpoint file"], name);
        let tensors = smf_to_tensors(&file).unwrap();
        assert!(tensors.keys().eq(checkpoint.tensors.keys()), "{name}");
        for (key, tensor) in &tensors {
            assert_eq!(tensor.shape, checkpoint.tensors[key].shape, "{name}: {key}");
        }
        let exported = Checkpoint {
            tensors,
            ..checkpoint
        };
        let again = smf_from_checkpoint(&exported).unwrap();
        assert_eq!(again.parameters, file.parameters, "{name}");
    }
    let other = ModelFile::new(&model("mrg").unwrap());
    let error = smf_to_tensors(&other).unwrap_err();
    assert!(error.to_string().contains("smf"), "{error}");
}

#[test]
fn training_checkpoints_say_what_they_are() {
    let checkpoint = read_checkpoint(&bytes(TRAINING)).unwrap();
    assert_eq!(checkpoint.path, "model_state_dict");
    assert_eq!(checkpoint.numbers["validation_loss"], 0.125);
    assert_eq!(checkpoint.numbers["index"], 3.0);
    let file = smf_from_checkpoint(&checkpoint).unwrap();
    assert_eq!(file.provenance["checkpoint index"], "3");
    assert_eq!(file.provenance["precision of the checkpoint"], "single");
    let plain = read_checkpoint(&bytes(STATE_DICT)).unwrap();
    assert!(plain.path.is_empty() && plain.numbers.is_empty());
    assert_eq!(file.domain.dt_ms, Some(0.005));
}

#[test]
fn truncated_files_are_refused_wherever_they_end() {
    let whole = bytes(STATE_DICT);
    for length in (0..whole.len()).step_by(97).chain([whole.len() - 1]) {
        let error = read_checkpoint(&whole[..length]).unwrap_err();
        assert!(
            matches!(error, CheckpointError::Archive(_)),
            "{length}: {error}"
        );
    }
}

/// Rewrites the records of a golden file: each may be replaced, or left out.
fn rewritten(name: &str, change: impl Fn(&str, Vec<u8>) -> Option<Vec<u8>>) -> Vec<u8> {
    let bytes = bytes(name);
    let mut old = ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut new = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for index in 0..old.len() {
        let mut record = old.by_index(index).unwrap();
        let path = record.name().to_owned();
        let mut content = Vec::new();
        std::io::Read::read_to_end(&mut record, &mut content).unwrap();
        let short = path.split_once('/').unwrap().1.to_owned();
        if let Some(content) = change(&short, content) {
            new.start_file(path, options).unwrap();
            new.write_all(&content).unwrap();
        }
    }
    new.finish().unwrap().into_inner()
}

fn with_pickle(pickle: &[u8]) -> Result<Checkpoint, CheckpointError> {
    read_checkpoint(&rewritten(STATE_DICT, |name, content| {
        Some(if name == "data.pkl" {
            pickle.to_vec()
        } else {
            content
        })
    }))
}

/// Every occurrence of `from` in the pickle of a golden file replaced by as many bytes.
fn replaced(from: &[u8], to: &[u8]) -> Result<Checkpoint, CheckpointError> {
    assert_eq!(from.len(), to.len());
    read_checkpoint(&rewritten(STATE_DICT, |name, mut content| {
        if name == "data.pkl" {
            let mut found = 0;
            for at in 0..content.len() - from.len() {
                if content[at..].starts_with(from) {
                    content[at..at + to.len()].copy_from_slice(to);
                    found += 1;
                }
            }
            assert!(found > 0, "{from:?} is not in the pickle");
        }
        Some(content)
    }))
}

#[test]
fn functions_are_refused_by_name_and_not_called() {
    let marker = std::env::temp_dir().join(format!("axonml-pickle-{}", std::process::id()));
    let command = format!("touch {}", marker.display());
    let mut attack = b"\x80\x02cos\nsystem\n(X".to_vec();
    attack.extend((command.len() as u32).to_le_bytes());
    attack.extend(command.as_bytes());
    attack.extend(b"tR.");
    let error = with_pickle(&attack).unwrap_err();
    assert_eq!(
        error,
        CheckpointError::Forbidden {
            name: "os.system".into()
        }
    );
    assert!(!marker.exists());
    // The other ways to a function: by extension code, by class instance, by stack.
    for (pickle, name) in [
        (&b"\x80\x02\x82\x01."[..], "pickle instruction 0x82"),
        (b"\x80\x02(ios\nsystem\n.", "pickle instruction 0x69"),
        (b"\x80\x04\x95.", "pickle protocol 4"),
        (
            b"\x80\x02\x8c\x02os\x8c\x06system\x93.",
            "pickle instruction 0x8c",
        ),
        (b"\x80\x02cbuiltins\neval\n.", "builtins.eval"),
        (
            b"\x80\x02ctorch._utils\n_rebuild_tensor\n.",
            "torch._utils._rebuild_tensor",
        ),
    ] {
        let error = with_pickle(pickle).unwrap_err();
        assert_eq!(error, CheckpointError::Forbidden { name: name.into() });
    }
}

#[test]
fn nonsense_in_the_pickle_is_an_error_and_never_a_panic() {
    let whole = rewritten_pickle();
    for end in 0..whole.len() {
        let error = with_pickle(&whole[..end]).unwrap_err();
        assert!(
            matches!(error, CheckpointError::Pickle { .. }),
            "{end}: {error}"
        );
    }
    for pickle in [
        &b"\x80\x02."[..],
        b"\x80\x02N}s.",
        b"\x80\x02}(Nu.",
        b"\x80\x02t.",
        b"\x80\x02h\x07.",
        b"\x80\x02K\x01Q.",
        b"\x80\x02K\x01)R.",
        b"\x80\x02K\x01}b.",
        b"\x80\x02X\xff\xff\xff\xffabc.",
        b"\x80\x02X\x01\x00\x00\x00\xff.",
        b"\x80\x02]K\x01(a.",
        b"\x80\x02\x8a\x09\x01\x01\x01\x01\x01\x01\x01\x01\x01.",
    ] {
        let error = with_pickle(pickle).unwrap_err();
        assert!(
            matches!(error, CheckpointError::Pickle { .. }),
            "{pickle:?}: {error}"
        );
    }
    assert_eq!(
        with_pickle(b"\x80\x02}.").unwrap_err(),
        CheckpointError::NoStateDict
    );
    assert_eq!(
        with_pickle(b"\x80\x02K\x01.").unwrap_err(),
        CheckpointError::NoStateDict
    );
    // A dictionary that holds itself.
    assert_eq!(
        with_pickle(b"\x80\x02}q\x00X\x01\x00\x00\x00ah\x00s.").unwrap_err(),
        CheckpointError::NoStateDict
    );
}

#[test]
fn small_files_cannot_ask_for_much_memory() {
    // A million tuples in each other, and tuples of two that hold each other's predecessors.
    let mut deep = b"\x80\x02)".to_vec();
    deep.extend([0x85; 1_000_000]);
    deep.push(b'.');
    assert_eq!(
        with_pickle(&deep).unwrap_err(),
        CheckpointError::NoStateDict
    );
    let mut wide = b"\x80\x02)q\x00".to_vec();
    for _ in 0..10_000 {
        wide.extend(b"h\x00h\x00\x86q\x00");
    }
    wide.push(b'.');
    assert_eq!(
        with_pickle(&wide).unwrap_err(),
        CheckpointError::NoStateDict
    );
    // A tensor whose strides repeat one number.
    let mut many =
        b"\x80\x02}X\x01\x00\x00\x00actorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storage"
            .to_vec();
    many.extend(b"ctorch\nDoubleStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x01tQK\x00");
    let rest = b"J\x00\x00\x00\x7f\x85K\x00\x85\x89}tRs.";
    let whole = [&many[..], rest].concat();
    let error = with_pickle(&whole).unwrap_err();
    assert!(
        matches!(&error, CheckpointError::Record { record, .. } if record == "data/0"),
        "{error}"
    );
    // The same with one number is read.
    let whole = [&many[..], b"K\x01\x85K\x00\x85\x89}tRs."].concat();
    assert_eq!(with_pickle(&whole).unwrap().tensors["a"].shape, [1]);
}

/// The first 400 bytes of a golden pickle: every instruction there is cut somewhere.
fn rewritten_pickle() -> Vec<u8> {
    let found = std::cell::RefCell::new(Vec::new());
    rewritten(STATE_DICT, |name, content| {
        if name == "data.pkl" {
            *found.borrow_mut() = content[..400].to_vec();
        }
        Some(content)
    });
    found.into_inner()
}

#[test]
fn missing_and_strange_keys_are_named() {
    let renamed = replaced(b"gkbar", b"gkbat").unwrap();
    let CheckpointError::UnknownKey { key, nearest } = smf_from_checkpoint(&renamed).unwrap_err()
    else {
        panic!("a key that does not exist was taken")
    };
    assert_eq!((key.as_str(), nearest.as_deref()), ("gkbat", Some("gkbar")));
    let mut fewer = read_checkpoint(&bytes(STATE_DICT)).unwrap();
    fewer.tensors.remove("bsC");
    fewer.tensors.remove("ssd.weight");
    let CheckpointError::MissingKeys { keys } = smf_from_checkpoint(&fewer).unwrap_err() else {
        panic!("an incomplete state dict was taken")
    };
    assert_eq!(keys, ["bsC", "ssd.weight"]);
}

#[test]
fn other_shapes_and_types_are_refused() {
    let whole = read_checkpoint(&bytes(STATE_DICT)).unwrap();
    for (key, shape) in [
        ("ssd.weight", vec![2, 3]),
        ("ssd.weight", vec![1, 3, 2]),
        ("gl", vec![2]),
    ] {
        let mut other = whole.clone();
        let tensor = other.tensors.get_mut(key).unwrap();
        tensor.values = vec![1.0; shape.iter().product()];
        tensor.shape = shape.clone();
        let CheckpointError::Shape { found, .. } = smf_from_checkpoint(&other).unwrap_err() else {
            panic!("{shape:?} was taken for {key}")
        };
        assert_eq!(found, shape);
    }
    let error = replaced(b"DoubleStorage", b"\nnotStorage__").unwrap_err();
    assert!(
        matches!(error, CheckpointError::Forbidden { .. }),
        "{error}"
    );
    let error = replaced(b"torch\nDoubleStorage\n", b"torch\nLongStorage\n00").unwrap_err();
    assert!(
        matches!(error, CheckpointError::Forbidden { .. }),
        "{error}"
    );
}

#[test]
fn damaged_records_are_refused() {
    // Storages too short for the tensors that lie in them, missing, or of the other byte order.
    let halved = rewritten(STATE_DICT, |name, mut content| {
        if name.starts_with("data/") {
            content.truncate(content.len() / 2);
        }
        Some(content)
    });
    let error = read_checkpoint(&halved).unwrap_err();
    assert!(
        matches!(&error, CheckpointError::Record { record, .. } if record.starts_with("data/")),
        "{error}"
    );
    let without = rewritten(STATE_DICT, |name, content| {
        (name != "data/0").then_some(content)
    });
    let error = read_checkpoint(&without).unwrap_err();
    assert!(
        matches!(&error, CheckpointError::Record { record, .. } if record == "data/0"),
        "{error}"
    );
    let big = rewritten(STATE_DICT, |name, content| {
        Some(if name == "byteorder" {
            b"big".to_vec()
        } else {
            content
        })
    });
    let error = read_checkpoint(&big).unwrap_err();
    assert!(
        matches!(&error, CheckpointError::Record { record, .. } if record == "byteorder"),
        "{error}"
    );
    let infinite = rewritten(STATE_DICT, |name, content| {
        Some(if name.starts_with("data/") {
            vec![0xff; content.len()]
        } else {
            content
        })
    });
    let error = read_checkpoint(&infinite).unwrap_err();
    assert!(
        matches!(error, CheckpointError::NotFinite { .. }),
        "{error}"
    );
    // A flipped bit is seen by the zip's checksum.
    let mut flipped = bytes(STATE_DICT);
    let at = flipped.windows(5).position(|w| w == b"gkbar").unwrap();
    flipped[at] ^= 1;
    let error = read_checkpoint(&flipped).unwrap_err();
    assert!(
        matches!(&error, CheckpointError::Record { record, .. } if record == "data.pkl"),
        "{error}"
    );
    let error = read_checkpoint(b"\x80\x02}.").unwrap_err();
    assert!(error.to_string().contains("before version 1.6"), "{error}");
}

/// `pi` acts on the nodes' area and the axial resistance alone; a trained one is absorbed by what it multiplies there.
#[test]
fn a_trained_pi_is_absorbed() {
    let mut checkpoint = read_checkpoint(&bytes(STATE_DICT)).unwrap();
    let plain = smf_from_checkpoint(&checkpoint).unwrap();
    checkpoint.tensors.get_mut("pi").unwrap().values[0] = 3.0;
    let absorbed = smf_from_checkpoint(&checkpoint).unwrap();
    let area = |file: &ModelFile, pi: f64| {
        let p = |name: &str| file.parameters[name];
        pi * (p("noded1") * 64.0 + p("noded2") * 8.0 + p("noded3"))
    };
    let resistance = |file: &ModelFile, pi: f64| file.parameters["rhoa"] / pi;
    let pi = std::f64::consts::PI;
    assert!((area(&absorbed, pi) / area(&plain, 3.0) - 1.0).abs() < 1e-14);
    assert!((resistance(&absorbed, pi) / resistance(&plain, 3.0) - 1.0).abs() < 1e-14);
    let others = |file: &ModelFile| {
        let mut others = file.parameters.clone();
        for name in ["noded1", "noded2", "noded3", "rhoa"] {
            others.remove(name);
        }
        others
    };
    assert_eq!(others(&absorbed), others(&plain));
}

/// Numbers whose products are none, and a pi that makes lengths negative or resistivities infinite.
#[test]
fn a_pi_that_is_none_and_products_that_overflow_are_refused() {
    let whole = read_checkpoint(&bytes(STATE_DICT)).unwrap();
    for pi in [1e-310, 0.0, -3.0, 1e3] {
        let mut other = whole.clone();
        other.tensors.get_mut("pi").unwrap().values[0] = pi;
        let error = smf_from_checkpoint(&other).unwrap_err();
        assert!(
            matches!(&error, CheckpointError::Value { key, .. } if key == "pi"),
            "{error}"
        );
    }
    let mut other = whole.clone();
    other.tensors.get_mut("ssd.weight").unwrap().values = vec![f64::MAX; 6];
    let CheckpointError::NotFinite { key, .. } = smf_from_checkpoint(&other).unwrap_err() else {
        panic!("an infinite weight was taken")
    };
    assert!(key.ends_with("_neighbor"), "{key}");
}
