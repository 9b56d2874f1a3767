//! Sets from simulation to batch, and everything that can be wrong with a folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use axonml_core::{Medium, PointSource, Waveform};
use axonml_models::{
    Device, Fiber, NodeSelection, Observation, ObserverKind, ObserverSpec, Precision, Settings,
    Simulation, Stimulus, model,
};
use sha2::{Digest, Sha256};

use super::file_record::hex;
use super::*;

mod own_models;

/// Short fibers near a point electrode, for 1 ms.
fn recipe() -> Recipe {
    let fields = FieldKind::Point {
        distance_um: Range::log(300.0, 1500.0),
        z_um: Range::fixed(0.0),
        resistivity_ohm_cm: 500.0,
    };
    let pulse = PulseFamily {
        amplitude_ma: Range::uniform(0.1, 0.5),
        polarity: Polarity::Cathodic,
        delay_ms: Range::fixed(0.1),
        keys: [("pw".to_owned(), KeyValue::Number(0.1))].into(),
        ..PulseFamily::default()
    };
    Recipe {
        seed: 3,
        count: 10,
        nodes: 11,
        tstop_ms: 1.0,
        fields: vec![FieldSource::new(fields)],
        pulses: vec![pulse],
        ..Recipe::default()
    }
}

fn recording(every: usize) -> Recording {
    Recording {
        every,
        states: Vec::new(),
    }
}

fn device() -> Device {
    Device::cpu().unwrap()
}

/// A folder of a test's own, emptied.
fn folder(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("axonml-set-{}-{name}", std::process::id()));
    _ = std::fs::remove_dir_all(&path);
    path
}

fn made(name: &str) -> PathBuf {
    let folder = folder(name);
    go_on(&recipe(), &folder).unwrap();
    folder
}

fn go_on(recipe: &Recipe, folder: &Path) -> Result<Generated, DatasetError> {
    let cases = Cases::open(recipe, Path::new(""))?;
    let plan = Plan::new(&cases, &device(), &recording(4), 4, folder)?;
    generate(&cases, &device(), plan, &mut |_| (), &mut |_| ())
}

/// Names and contents of all files.
fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(contents(&path));
        } else {
            files.push((path.clone(), std::fs::read(path).unwrap()));
        }
    }
    files.sort();
    files
}

#[test]
fn traces_are_the_exact_simulation() {
    let cases = Cases::open(&recipe(), Path::new("")).unwrap();
    let mut traces = Vec::new();
    cases
        .simulate(0..10, &device(), &recording(1), &mut |trace| {
            traces.push(trace);
            Ok(())
        })
        .unwrap();
    for index in [0, 7] {
        let trace = &traces[index];
        // The same by hand: distance from the potential at the middle, current from the pulse.
        let settings = Settings {
            tstop_ms: 1.0,
            precision: Precision::F64,
            ..Settings::default()
        };
        let fibers = vec![Fiber::new(trace.diameter_um, 11)];
        let simulation =
            Simulation::new(&model("mrg").unwrap(), fibers, &settings, &device()).unwrap();
        let middle = trace.node_z_um[5];
        let r_um =
            1e4 * 500.0 / (4.0 * std::f64::consts::PI * f64::from(trace.basis_mv_per_ma[[0, 5]]));
        let electrode = PointSource {
            x_um: (r_um * r_um - middle * middle).sqrt(),
            y_um: 0.0,
            z_um: -middle,
            medium: Medium::isotropic(500.0),
        };
        let amplitude_ma = -f64::from(trace.waveforms_ma[[0, 20]]);
        assert!((0.1..=0.5).contains(&amplitude_ma));
        let pulse: Waveform = "monophasic:pw=0.1,delay=0.1".parse().unwrap();
        let stimulus = Stimulus::uniform(1, Arc::new(electrode), pulse);
        let kind = ObserverKind::Recorder {
            states: vec!["h".to_owned()],
            every: 1,
        };
        let watch = [ObserverSpec::new(kind, NodeSelection::All)];
        let outcome = simulation.run(&stimulus, amplitude_ma, &watch).unwrap();
        let Observation::Recorded(recorded) = &outcome.fibers[0].observations[0] else {
            panic!("no recording")
        };
        let (mut v_error, mut h_error) = (0.0_f64, 0.0_f64);
        for row in 0..201 {
            for node in 0..11 {
                let at = row * 11 + node;
                let difference = |state: usize, expected: f64| {
                    (f64::from(trace.states[[row, state, node]]) - expected).abs()
                };
                h_error = h_error.max(difference(1, recorded.states[0][at]));
                v_error = v_error.max(difference(4, recorded.v_mv[at]));
            }
        }
        // Single precision against double: a spike is shifted by less than a thousandth of a step.
        assert!(v_error < 0.05 && h_error < 1e-3, "{v_error} mV, {h_error}");
    }
}

#[test]
fn a_recipe_and_its_folder_give_the_same_batches() {
    let folder = made("batches");
    let set = Dataset::open(&folder).unwrap();
    set.verify(&mut |_| ()).unwrap();
    let stored = Source::Folder(set);
    let streamed = Source::from_recipe(&recipe(), &device(), recording(4)).unwrap();
    let indices = [9, 0, 4, 4];
    let batch = stored.batch(&indices).unwrap();
    assert_eq!(batch, streamed.batch(&indices).unwrap());
    assert_eq!(batch.states.dim(), (4, 51, 5, 11));
    assert_eq!((stored.len(), streamed.len(), batch.len()), (10, 10, 4));
    assert_eq!((stored.states(), stored.every()), (streamed.states(), 4));
    assert_eq!((stored.nodes(), stored.dt_ms()), (11, 0.005));
    assert!((batch.t_ms[50] - 1.0).abs() < 1e-12);
    let (waveform, basis) = (
        batch.waveforms_ma[[1, 0, 25]],
        batch.basis_mv_per_ma[[1, 0, 3]],
    );
    assert_eq!(batch.ve_mv(1)[[25, 3]], waveform * basis);
    for source in [&stored, &streamed] {
        let message = source.batch(&[10]).unwrap_err().to_string();
        assert_eq!(message, "there is no fiber 10; the set has 10");
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn bytes_do_not_depend_on_threads_or_interruptions() {
    let folder = made("whole");
    let whole = contents(&folder);
    // The manifest, the lock and the files of three shards.
    assert_eq!(whole.len(), 2 + 3 * 6);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(3)
        .build()
        .unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    pool.install(|| go_on(&recipe(), &folder)).unwrap();
    assert!(whole == contents(&folder), "three threads");

    // As after a kill between two shards, in the middle of one, and between a shard and the manifest.
    let mut manifest = Manifest::read(&folder).unwrap();
    manifest.shards.truncate(1);
    manifest.write(&folder).unwrap();
    std::fs::remove_dir_all(folder.join("shard-00002")).unwrap();
    let unfinished = folder.join(".axonml-4294967295-2.tmp");
    std::fs::create_dir(&unfinished).unwrap();
    std::fs::write(unfinished.join("states.npy"), b"half").unwrap();
    std::fs::write(folder.join("shard-00001/states.npy"), b"who knows").unwrap();
    let error = Dataset::open(&folder).unwrap_err().to_string();
    assert!(error.contains("is unfinished: 4 of 10 fibers"), "{error}");
    let done = go_on(&recipe(), &folder).unwrap();
    assert_eq!((done.simulated, done.kept), (6, 4));
    assert!(whole == contents(&folder), "gone on with");
    assert_eq!(go_on(&recipe(), &folder).unwrap().simulated, 0);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn another_request_is_refused_by_its_first_difference() {
    let folder = made("other");
    let before = contents(&folder);
    let other = Recipe {
        seed: 4,
        ..recipe()
    };
    let error = go_on(&other, &folder).unwrap_err().to_string();
    assert!(
        error.contains("`request.recipe.seed` is 3 there, but 4 was requested"),
        "{error}"
    );
    let mut other = recipe();
    other.pulses[0].weight = 2.0;
    let error = go_on(&other, &folder).unwrap_err().to_string();
    assert!(
        error.contains("`request.recipe.pulses[0].weight`"),
        "{error}"
    );
    assert!(before == contents(&folder));
    std::fs::write(folder.join("manifest.json"), "{}").unwrap();
    let error = go_on(&recipe(), &folder).unwrap_err().to_string();
    assert!(error.contains("manifest.json` is no manifest"), "{error}");
    std::fs::remove_file(folder.join("manifest.json")).unwrap();
    let error = go_on(&recipe(), &folder).unwrap_err().to_string();
    assert!(error.contains("it is not a set"), "{error}");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn only_one_writes_and_only_what_fits() {
    let folder = folder("lock");
    let cases = Cases::open(&recipe(), Path::new("")).unwrap();
    let plan = || Plan::new(&cases, &device(), &recording(4), 4, &folder);
    // The second one is refused while the first one has only planned, and cannot replace its work.
    let first = plan().unwrap();
    let error = plan().unwrap_err().to_string();
    assert!(
        error.contains("being written by another process"),
        "{error}"
    );
    generate(&cases, &device(), first, &mut |_| (), &mut |_| ()).unwrap();
    let whole = contents(&folder);
    assert_eq!(plan().unwrap().fibers_done(), 10);
    assert!(whole == contents(&folder));
    std::fs::remove_dir_all(&folder).unwrap();

    for count in [1 << 44, usize::MAX] {
        let vast = Recipe { count, ..recipe() };
        let error = go_on(&vast, &folder).unwrap_err();
        assert!(matches!(error, DatasetError::DiskTooSmall { .. }) && !error.is_failure());
        assert!(error.to_string().contains("are needed"), "{error}");
        assert!(!folder.exists());
    }
}

/// A manifest is text that anybody can change: its content is checked before a file that it names is opened.
#[test]
fn manifests_that_lie_are_refused() {
    let folder = made("lies");
    let path = folder.join(Manifest::FILE);
    let good: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let files = |edit: fn(&mut serde_json::Map<String, serde_json::Value>)| {
        move |manifest: &mut serde_json::Value| {
            edit(manifest["shards"][1]["files"].as_object_mut().unwrap());
        }
    };
    type Edit = Box<dyn Fn(&mut serde_json::Value)>;
    let cases: Vec<(Edit, &str)> = vec![
        (
            Box::new(files(|files| files.clear())),
            "does not list `t_ms.npy`",
        ),
        (
            Box::new(files(|files| _ = files.remove("states.npy"))),
            "does not list `states.npy`",
        ),
        (
            Box::new(files(|files| {
                let record = files["states.npy"].clone();
                files.insert("../../secret.npy".to_owned(), record);
            })),
            "lists the file `../../secret.npy`",
        ),
        (
            Box::new(files(|files| {
                let record = files["states.npy"].clone();
                files.insert("/etc/passwd".to_owned(), record);
            })),
            "lists the file `/etc/passwd`",
        ),
        (
            Box::new(files(|files| files["t_ms.npy"]["bytes"] = 7.into())),
            "`shard-00001/t_ms.npy` has 7 bytes by the manifest, expected 536",
        ),
        (
            Box::new(files(|files| files["t_ms.npy"]["sha256"] = "../x".into())),
            "expected 64 hexadecimal digits",
        ),
        (
            Box::new(|manifest| manifest["shards"][1]["contacts"] = usize::MAX.into()),
            "basis_mv_per_ma.npy` has",
        ),
        (
            Box::new(|manifest| manifest["shards"][1]["name"] = "../other".into()),
            "is `../other`",
        ),
        (
            Box::new(|manifest| manifest["request"]["states"][1] = "m".into()),
            "`request.states[1]` is `m`, expected each state once",
        ),
        (
            Box::new(|manifest| {
                manifest["request"]["recipe"]["diameter_um"]["low"] = (-5.7).into();
            }),
            "diameter_um: found -5.7 to 14",
        ),
        (
            Box::new(|manifest| manifest["request"]["count"] = 0.into()),
            "`request.count` is 0",
        ),
        (
            Box::new(|manifest| manifest["request"]["nodes"] = usize::MAX.into()),
            "`request.nodes` is 18446744073709551615, but `request.recipe.nodes` is 11",
        ),
        (
            Box::new(|manifest| manifest["request"]["steps"] = 201.into()),
            "`request.steps` is 201, but the recipe has 200",
        ),
    ];
    for (edit, part) in cases {
        let mut manifest = good.clone();
        edit(&mut manifest);
        std::fs::write(&path, manifest.to_string()).unwrap();
        for error in [
            Dataset::open(&folder).map(drop).unwrap_err(),
            go_on(&recipe(), &folder).map(drop).unwrap_err(),
        ] {
            assert!(matches!(error, DatasetError::Manifest { .. }), "{error}");
            assert!(!error.is_failure());
            let error = error.to_string();
            assert!(error.contains(part), "`{part}` is missing in: {error}");
        }
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_diameter_that_is_none_is_named() {
    let folder = made("diameter");
    let file = folder.join("shard-00000/diameter_um.npy");
    let mut bytes = std::fs::read(&file).unwrap();
    let at = bytes.len() - 8;
    bytes[at..].copy_from_slice(&(-5.7_f64).to_le_bytes());
    std::fs::write(&file, &bytes).unwrap();
    let mut manifest = Manifest::read(&folder).unwrap();
    let record = manifest.shards[0].files.get_mut("diameter_um.npy").unwrap();
    record.sha256 = hex(&Sha256::digest(&bytes));
    manifest.write(&folder).unwrap();
    let error = Dataset::open(&folder).unwrap().fiber(3).unwrap_err();
    assert!(
        error.to_string().contains("diameter_um of fiber 3 is -5.7"),
        "{error}"
    );
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn damage_is_named() {
    let folder = made("damage");
    let states = folder.join("shard-00001/states.npy");
    let whole = std::fs::read(&states).unwrap();
    let refused = |parts: &[&str]| {
        let opened = Dataset::open(&folder).and_then(|set| set.fiber(6).map(|_| ()));
        let error = opened.unwrap_err();
        assert!(!error.is_failure());
        for part in parts {
            assert!(
                error.to_string().contains(part),
                "`{part}` is missing in: {error}"
            );
        }
    };

    std::fs::write(&states, &whole[..whole.len() - 100]).unwrap();
    refused(&["shard-00001", "states.npy", "bytes, expected", "truncated"]);
    assert!(
        go_on(&recipe(), &folder)
            .unwrap_err()
            .to_string()
            .contains("truncated")
    );

    let mut flipped = whole.clone();
    *flipped.last_mut().unwrap() ^= 1;
    std::fs::write(&states, &flipped).unwrap();
    refused(&[
        "shard-00001",
        "states.npy",
        "SHA-256",
        "its content changed",
    ]);

    // NaN with a valid checksum: fiber 6 is row 2, then [row 20, state v, node 3].
    let mut nan = whole.clone();
    let at = ((2 * 51 + 20) * 5 + 4) * 11 + 3;
    let header = whole.len() - 4 * 51 * 5 * 11 * 4;
    nan[header + 4 * at..][..4].copy_from_slice(&f32::NAN.to_le_bytes());
    std::fs::write(&states, &nan).unwrap();
    let mut manifest = Manifest::read(&folder).unwrap();
    let record = manifest.shards[1].files.get_mut("states.npy").unwrap();
    record.sha256 = hex(&Sha256::digest(&nan));
    manifest.write(&folder).unwrap();
    refused(&["state v of fiber 6 is NaN at node 3, 0.4 ms"]);
    let set = Dataset::open(&folder).unwrap();
    assert!(
        set.verify(&mut |_| ())
            .unwrap_err()
            .to_string()
            .contains("fiber 6")
    );
    assert!(set.fiber(5).is_ok());
    assert_eq!(
        set.state("n").unwrap_err().to_string(),
        format!(
            "`{}` has no state `n`; it has m, h, p, s, v",
            folder.display()
        )
    );
    assert_eq!(set.state("p").unwrap(), 2);

    std::fs::remove_file(&states).unwrap();
    refused(&["cannot read", "states.npy"]);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn recordings_that_cannot_be_are_refused() {
    let cases = Cases::open(&recipe(), Path::new("")).unwrap();
    let refused = |states: &[&str], every: usize| {
        let states = states.iter().map(|state| (*state).to_owned()).collect();
        Recording { every, states }
            .resolve(&cases)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        refused(&["m", "q"], 1),
        "`model mrg` has no state `q`; it has m, h, p, s, v"
    );
    assert!(refused(&["v", "v"], 1).contains("each state once"));
    assert!(refused(&[], 201).contains("200 steps"));
}

#[test]
fn the_survey_counts_what_fires() {
    let cases = Cases::open(&recipe(), Path::new("")).unwrap();
    let recording = recording(1).resolve(&cases).unwrap();
    let mut tally = Tally::new(&recording.states, 0.005, 1);
    let (mut firing, mut low, mut high) = (0, f32::INFINITY, f32::NEG_INFINITY);
    cases
        .simulate(0..10, &device(), &recording, &mut |trace| {
            let v = |row: usize, node: usize| trace.states[[row, 4, node]];
            let fires = |node| (1..201).any(|row| v(row - 1, node) < 0.0 && v(row, node) >= 0.0);
            firing += usize::from(fires(5) || fires(6));
            for row in 0..201 {
                for node in 0..11 {
                    (low, high) = (low.min(v(row, node)), high.max(v(row, node)));
                }
            }
            tally.add(&trace);
            Ok(())
        })
        .unwrap();
    let survey = tally.survey;
    assert!((1..=10).contains(&firing), "{firing}");
    assert_eq!((survey.fibers(), survey.firing()), (10, Some(firing)));
    assert_eq!(survey.v_range_mv, Some((low.into(), high.into())));
    assert!(survey.active_ms.iter().all(|ms| (ms - 0.1).abs() < 1e-12));
    assert!(survey.peaks_ma.iter().all(|ma| (-0.5..=-0.1).contains(ma)));
}
