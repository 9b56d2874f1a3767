//! Makes the binary inputs of `fuzz/corpus` anew: `cargo run -p fuzz-targets --example make_corpus`.
//!
//! Texts are kept as they were written by hand; this makes what no editor can: arrays, bundles, weights, checkpoints,
//! sets.

use std::error::Error;
use std::io::Cursor;
use std::path::Path;

use axonml_models::{Device, model, weights::ModelFile};
use axonml_train::checkpoint;
use axonml_train::dataset::{
    Cases, Dataset, FieldKind, FieldSource, KeyValue, Plan, PulseFamily, Range, Recipe, Recording,
    export_hdf5, generate,
};
use fuzz_targets::{bundle, corpora, repair};
use ndarray::{Array, Array1, Array2, Dimension, Ix0};
use ndarray_npy::{NpzWriter, WritableElement, WriteNpyExt};
use serde::Serialize;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    arrays()?;
    nerves()?;
    model_files()?;
    pytorch()?;
    checkpoints()?;
    sets()
}

fn keep(target: &str, name: &str, bytes: &[u8]) -> Result<()> {
    let folder = corpora().join(target);
    std::fs::create_dir_all(&folder)?;
    Ok(std::fs::write(folder.join(name), bytes)?)
}

fn npy<T: WritableElement, D: Dimension>(array: &Array<T, D>) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    array.write_npy(&mut bytes)?;
    Ok(bytes)
}

/// A file of a header that is written here and any data.
fn headed(description: &str, data: &[u8]) -> Vec<u8> {
    let mut text = description.to_owned();
    while !(10 + text.len() + 1).is_multiple_of(64) {
        text.push(' ');
    }
    text.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((text.len() as u16).to_le_bytes());
    bytes.extend(text.as_bytes());
    bytes.extend(data);
    bytes
}

fn arrays() -> Result<()> {
    let matrix = Array2::from_shape_fn((2, 3), |(i, j)| (10 * i + j) as f64);
    let whole = npy(&matrix)?;
    keep("npy", "ok-f64.npy", &whole)?;
    keep("npy", "ok-f32.npy", &npy(&matrix.mapv(|x| x as f32))?)?;
    keep(
        "npy",
        "ok-columns-first.npy",
        &npy(&matrix.clone().reversed_axes())?,
    )?;
    keep(
        "npy",
        "ok-one-number.npy",
        &npy(&Array::<f64, Ix0>::from_elem((), 1.5))?,
    )?;
    keep("npy", "ok-none.npy", &npy(&Array1::<f64>::zeros(0))?)?;
    keep("npy", "bad-truncated.npy", &whole[..whole.len() - 8])?;
    keep("npy", "bad-header-cut.npy", &whole[..40])?;
    keep("npy", "bad-empty.npy", b"")?;
    let mut longer = whole.clone();
    longer.extend([0; 3]);
    keep("npy", "bad-bytes-after.npy", &longer)?;
    let texts = "{'descr': '<U3', 'fortran_order': False, 'shape': (1,), }";
    keep("npy", "bad-texts.npy", &headed(texts, &[0; 12]))?;
    keep("npy", "ok-i64.npy", &npy(&matrix.mapv(|x| x as i64))?)?;
    let half = "{'descr': '<f2', 'fortran_order': False, 'shape': (2,), }";
    keep("npy", "ok-f16.npy", &headed(half, &[0, 0x3c, 0, 0xc0]))?;
    let shaped = |shape: &str| {
        let text = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({shape}), }}");
        headed(&text, &[])
    };
    keep("npy", "bad-8-terabytes.npy", &shaped("1000000, 1000000"))?;
    keep(
        "npy",
        "bad-overflow.npy",
        &shaped("4294967296, 4294967296, 4294967296"),
    )?;
    keep(
        "npy",
        "bad-zero-times-huge.npy",
        &shaped("0, 18446744073709551615, 18446744073709551615"),
    )?;
    // A parser of Python's literals that tries every reading takes for ever.
    keep("npy", "bad-nested.npy", &headed(&"{".repeat(532), &[]))?;

    let archive = |compressed: bool| -> Result<Vec<u8>> {
        let mut file = Cursor::new(Vec::new());
        let mut writer = match compressed {
            true => NpzWriter::new_compressed(&mut file),
            false => NpzWriter::new(&mut file),
        };
        writer.add_array("v", &matrix)?;
        writer.add_array("t_ms", &Array1::from_vec(vec![0.0_f32, 0.5]))?;
        writer.finish()?;
        Ok(file.into_inner())
    };
    let stored = archive(false)?;
    keep("npz", "ok-stored.npz", &stored)?;
    keep("npz", "ok-compressed.npz", &archive(true)?)?;
    keep("npz", "bad-truncated.npz", &stored[..stored.len() - 30])?;
    keep("npz", "bad-text.npz", b"not an archive\n")?;
    let old = b"'shape': (2, 3)";
    let at = stored.windows(old.len()).position(|part| part == old);
    let at = at.ok_or("found no matrix in the archive")?;
    let mut huge = stored.clone();
    huge[at..at + old.len()].copy_from_slice(b"'shape': (9,9*)");
    repair::zip(&mut huge);
    keep("npz", "bad-shape.npz", &huge)
}

fn nerves() -> Result<()> {
    let potentials = Array2::from_shape_fn((2, 41), |(i, j)| {
        let z = (j as f64 - 20.0 - i as f64) / 10.0;
        40.0 / (1.0 + z * z)
    });
    let z_um = Array1::from_iter((0..41).map(|j| 1000.0 * (f64::from(j) - 20.0)));
    let (one, two) = (
        npy(&potentials)?,
        npy(&potentials.mapv(|x| -0.5 * x as f32))?,
    );
    let z = npy(&z_um)?;
    let required = [("0.npy", &one[..]), ("1.npy", &two), ("fiber_z.npy", &z)];
    keep("nerve", "ok-arrays", &bundle::pack(required))?;
    let xy = npy(&Array2::from_shape_fn((2, 2), |(i, j)| {
        (100 * i + 10 * j) as f64
    }))?;
    let target = npy(&Array1::from_vec(vec![true, false]))?;
    let weights = npy(&Array1::from_vec(vec![0.25, 0.75]))?;
    let geometry = std::fs::read(corpora().join("../../examples/nerves/B1/nerve.json"))?;
    let optional = [
        ("fibers_xy.npy", &xy[..]),
        ("target.npy", &target),
        ("weights.npy", &weights),
        ("nerve.json", &geometry),
    ];
    keep(
        "nerve",
        "ok-everything",
        &bundle::pack(required.into_iter().chain(optional)),
    )?;
    keep(
        "nerve",
        "bad-gap",
        &bundle::pack([required[1], required[2]]),
    )?;
    keep("nerve", "bad-no-z", &bundle::pack([required[0]]))?;
    keep(
        "nerve",
        "bad-z-length",
        &bundle::pack([required[0], ("fiber_z.npy", &weights)]),
    )?;
    let json = ("nerve.json", &b"[[[["[..]);
    keep(
        "nerve",
        "bad-json",
        &bundle::pack(required.into_iter().chain([json])),
    )?;
    let negative = npy(&Array1::from_vec(vec![1.5, -0.5]))?;
    let weights = ("weights.npy", &negative[..]);
    keep(
        "nerve",
        "bad-weights",
        &bundle::pack(required.into_iter().chain([weights])),
    )
}

fn model_files() -> Result<()> {
    for name in ["smf", "two-mode"] {
        let file = ModelFile::new(&model(name)?);
        let bytes = file.to_bytes()?;
        keep("model_file", &format!("ok-{name}.safetensors"), &bytes)?;
        if name == "smf" {
            keep(
                "model_file",
                "bad-truncated.safetensors",
                &bytes[..bytes.len() - 8],
            )?;
            keep("model_file", "bad-header-cut.safetensors", &bytes[..500])?;
            let mut other = file.clone();
            other.parameters.insert("gna_max".to_owned(), 1.0);
            keep("model_file", "bad-unknown.safetensors", &other.to_bytes()?)?;
            let mut nan = bytes.clone();
            let last = nan.len() - 8;
            nan[last..].copy_from_slice(&f64::NAN.to_le_bytes());
            keep("model_file", "bad-nan.safetensors", &nan)?;
        }
    }
    Ok(())
}

fn pytorch() -> Result<()> {
    let golden = corpora().join("../../golden/pytorch");
    let read = |name: &str| std::fs::read(golden.join(name));
    let whole = read("state_dict_f64.pt")?;
    keep("pytorch", "ok-f64.pt", &whole)?;
    keep("pytorch", "ok-f32.pt", &read("state_dict_f32.pt")?)?;
    keep("pytorch", "bad-truncated.pt", &whole[..whole.len() / 2])?;
    keep("pytorch", "bad-bare-pickle.pt", b"\x80\x02}q\x00.")?;
    // A call of another function, of a name as long as the one that it replaces.
    let call = b"ctorch._utils\n_rebuild_tensor_v2\n";
    let other = b"cposix\nsystem_of_the_same_length\n";
    let at = whole.windows(call.len()).position(|part| part == call);
    let at = at.ok_or("found no tensor in the file")?;
    let mut executes = whole.clone();
    executes[at..at + call.len()].copy_from_slice(other);
    repair::zip(&mut executes);
    keep("pytorch", "bad-calls-system.pt", &executes)?;
    // The same without the checksum.
    let mut changed = whole.clone();
    changed[at..at + call.len()].copy_from_slice(other);
    keep("pytorch", "bad-checksum.pt", &changed)
}

/// The fields of a training's state in their order, which is all that its format knows.
#[derive(Serialize)]
struct State {
    settings: Vec<(String, String)>,
    backend: String,
    step: usize,
    stage: usize,
    stage_step: usize,
    state: Option<Vec<u8>>,
    x: Vec<f64>,
    best: Option<(f64, usize, Vec<f64>)>,
    waited: usize,
    log_bytes: u64,
}

fn checkpoints() -> Result<()> {
    let state = State {
        settings: vec![
            ("seed".to_owned(), "3".to_owned()),
            ("model".to_owned(), "smf".to_owned()),
        ],
        backend: "cpu, baseline".to_owned(),
        step: 12,
        stage: 1,
        stage_step: 4,
        state: Some(vec![1, 2, 3]),
        x: vec![0.5, -1.25e-300],
        best: Some((0.03, 8, vec![0.25, 0.0])),
        waited: 2,
        log_bytes: 1234,
    };
    let file = std::env::temp_dir().join(format!("axonml-corpus-{}.bin", std::process::id()));
    checkpoint::save(&file, &state)?;
    let whole = std::fs::read(&file)?;
    std::fs::remove_file(&file)?;
    keep("checkpoint", "ok-state.bin", &whole)?;
    keep("checkpoint", "bad-truncated.bin", &whole[..whole.len() - 1])?;
    keep("checkpoint", "bad-foreign.bin", b"PK\x03\x04")?;
    let mut other = whole.clone();
    other[8] = 9;
    keep("checkpoint", "bad-version.bin", &other)?;
    let mut flipped = whole.clone();
    flipped[60] ^= 1;
    keep("checkpoint", "bad-checksum.bin", &flipped)?;
    let mut shorter = whole.clone();
    shorter.truncate(70);
    repair::checkpoint(&mut shorter);
    keep("checkpoint", "bad-content.bin", &shorter)
}

fn sets() -> Result<()> {
    let recipe = Recipe {
        count: 3,
        nodes: 5,
        tstop_ms: 0.05,
        fields: vec![FieldSource::new(FieldKind::Point {
            distance_um: Range::log(300.0, 1500.0),
            z_um: Range::fixed(0.0),
            resistivity_ohm_cm: 500.0,
        })],
        pulses: vec![PulseFamily {
            amplitude_ma: Range::uniform(0.1, 0.5),
            delay_ms: Range::fixed(0.005),
            keys: [("pw".to_owned(), KeyValue::Number(0.01))].into(),
            ..PulseFamily::default()
        }],
        ..Recipe::default()
    };
    let folder = std::env::temp_dir().join(format!("axonml-corpus-{}", std::process::id()));
    let device = Device::cpu()?;
    let cases = Cases::open(&recipe, Path::new(""))?;
    let recording = Recording {
        states: vec!["v".to_owned()],
        ..Recording::default()
    };
    let plan = Plan::new(&cases, &device, &recording, 2, &folder)?;
    generate(&cases, &device, plan, &mut |_| (), &mut |_| ())?;

    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    for entry in std::fs::read_dir(&folder)? {
        let path = entry?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if path.is_dir() {
            for entry in std::fs::read_dir(&path)? {
                let file = entry?.path();
                let of_shard = file
                    .file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned();
                files.push((format!("{name}/{of_shard}"), std::fs::read(file)?));
            }
        } else if name == "manifest.json" {
            files.push((name, std::fs::read(path)?));
        }
    }
    files.sort();
    let bundled = |files: &[(String, Vec<u8>)]| {
        bundle::pack(
            files
                .iter()
                .map(|(name, content)| (name.as_str(), content.as_slice())),
        )
    };
    keep("dataset", "ok-two-shards", &bundled(&files))?;
    let manifest = files.iter().position(|(name, _)| name == "manifest.json");
    let manifest = manifest.ok_or("found no manifest")?;
    let mut changed = files.clone();
    changed[manifest + 1].1[130] ^= 1;
    keep("dataset", "bad-checksum", &bundled(&changed))?;
    let mut changed = files.clone();
    changed.pop();
    keep("dataset", "bad-file-missing", &bundled(&changed))?;
    let mut changed = files.clone();
    let text = String::from_utf8(changed[manifest].1.clone())?;
    let zero = text.replace("\"rows\": 11", "\"rows\": 0");
    changed[manifest].1 = zero.into_bytes();
    keep("dataset", "bad-no-rows", &bundled(&changed))?;

    let file = folder.join("out.h5");
    export_hdf5(&Dataset::open(&folder)?, &file, &mut |_| ())?;
    let whole = std::fs::read(&file)?;
    std::fs::remove_dir_all(&folder)?;
    keep("hdf5", "ok-voltage.h5", &whole)?;
    keep("hdf5", "bad-truncated.h5", &whole[..whole.len() / 2])?;
    keep("hdf5", "bad-text.h5", b"not a file of HDF5\n")
}
