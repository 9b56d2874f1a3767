use super::*;

/// A file like AxonML's: 2 groups, 2 minibatches, 3 axons, 4 nodes, 50 columns.
const SHAPE: [usize; 5] = [2, 2, 3, 4, 50];

fn value(dataset: usize, i: usize) -> f32 {
    (dataset as f32 + 1.0) * (0.37 * i as f32).sin()
}

/// Writes such a file without the datasets in `without`; `change` may spoil a number.
fn file(
    name: &str,
    without: &[&str],
    change: impl Fn(&str, usize, f32) -> f32,
) -> std::path::PathBuf {
    let path = std::env::temp_dir().join(format!("axonml-{}-{name}.h5", std::process::id()));
    let out = H5File::create(&path).unwrap();
    for (number, label) in ["e", "m", "h", "p", "s", "v"].into_iter().enumerate() {
        if !without.contains(&label) {
            let count: usize = SHAPE.iter().product();
            let values: Vec<f32> = (0..count)
                .map(|i| change(label, i, value(number, i)))
                .collect();
            let dataset = out.new_dataset::<f32>().shape(SHAPE).create(label).unwrap();
            dataset.write_raw(&values).unwrap();
        }
    }
    for label in ["diameters", "ys"] {
        if !without.contains(&label) {
            let values: Vec<f32> = (0..12).map(|i| change(label, i, 6.0 + i as f32)).collect();
            let dataset = out
                .new_dataset::<f32>()
                .shape(&SHAPE[..3])
                .create(label)
                .unwrap();
            dataset.write_raw(&values).unwrap();
        }
    }
    out.close().unwrap();
    path
}

fn folder(name: &str) -> std::path::PathBuf {
    let path = std::env::temp_dir().join(format!("axonml-{}-{name}", std::process::id()));
    _ = std::fs::remove_dir_all(&path);
    path
}

#[test]
fn axonmls_layout_in_and_out() {
    let (input, set_folder) = (file("in", &[], |_, _, x| x), folder("in"));
    let settings = ImportSettings {
        shard_fibers: 5,
        ..ImportSettings::default()
    };
    let report = import_hdf5(&input, &set_folder, &settings, &mut |_| ()).unwrap();
    assert_eq!((report.fibers, report.contacts), (12, 4));
    let set = Dataset::open(&set_folder).unwrap();
    set.verify(&mut |_| ()).unwrap();
    assert_eq!(
        (set.len(), set.request().states.join("")),
        (12, "mhpsv".to_owned())
    );
    let size = SHAPE[3] * SHAPE[4];
    for fiber in 0..12 {
        let trace = set.fiber(fiber).unwrap();
        let (ve_mv, at) = (trace.ve_mv(), |node: usize, t: usize| {
            fiber * size + node * 50 + t
        });
        assert_eq!(trace.diameter_um, 6.0 + fiber as f64);
        for node in 0..4 {
            for t in 0..50 {
                assert!((ve_mv[[t, node]] - value(0, at(node, t))).abs() < 2e-6);
                for state in 0..5 {
                    assert_eq!(
                        trace.states[[t, state, node]],
                        value(state + 1, at(node, t))
                    );
                }
            }
        }
    }

    let output = input.with_extension("out.h5");
    let exported = export_hdf5(&set, &output, &mut |_| ()).unwrap();
    assert_eq!(exported.shape, [1, 12, 1, 4, 50]);
    let read = H5File::open(&output).unwrap();
    for (number, label) in ["e", "m", "h", "p", "s", "v"].into_iter().enumerate() {
        let values = read.dataset(label).unwrap().read_raw::<f32>().unwrap();
        for (i, found) in values.iter().enumerate() {
            let tolerance = if label == "e" { 2e-6 } else { 0.0 };
            assert!(
                (found - value(number, i)).abs() <= tolerance,
                "{label}, {i}"
            );
        }
    }
    let diameters = read
        .dataset("diameters")
        .unwrap()
        .read_raw::<f32>()
        .unwrap();
    assert_eq!(
        diameters,
        (0..12).map(|i| 6.0 + i as f32).collect::<Vec<_>>()
    );
    for path in [input, output] {
        std::fs::remove_file(path).unwrap();
    }
    std::fs::remove_dir_all(set_folder).unwrap();
}

#[test]
fn what_is_wrong_with_a_file_is_named() {
    let refuse = |name: &str, path: std::path::PathBuf, parts: &[&str]| {
        let set = folder(name);
        let error = import_hdf5(&path, &set, &ImportSettings::default(), &mut |_| ()).unwrap_err();
        assert!(!error.is_failure());
        for part in parts {
            assert!(
                error.to_string().contains(part),
                "`{part}` is missing in: {error}"
            );
        }
        _ = std::fs::remove_dir_all(set);
        _ = std::fs::remove_file(path);
    };
    let same = |_: &str, _: usize, x: f32| x;
    refuse(
        "no-e",
        file("no-e", &["e"], same),
        &["no dataset `e`", "diameters", "consolidated"],
    );
    refuse(
        "no-p",
        file("no-p", &["p"], same),
        &["no state `p`", "m, h, s, v"],
    );
    refuse(
        "no-d",
        file("no-d", &["diameters"], same),
        &["no dataset `diameters`"],
    );
    let nan = |wanted: &'static str, at: usize| {
        move |label: &str, i: usize, x: f32| match label == wanted && i == at {
            true => f32::NAN,
            false => x,
        }
    };
    // Fiber 7, node 2, column 30.
    let at = 7 * 200 + 2 * 50 + 30;
    refuse(
        "nan-v",
        file("nan-v", &[], nan("v", at)),
        &["state v of fiber 7 is NaN at node 2, 0.15 ms"],
    );
    refuse(
        "nan-e",
        file("nan-e", &[], nan("e", at)),
        &["potential e of fiber 7 is NaN at node 2, 0.15 ms"],
    );
    refuse(
        "nan-d",
        file("nan-d", &[], nan("diameters", 3)),
        &["diameters of fiber 3 is NaN"],
    );
    let text = std::env::temp_dir().join(format!("axonml-{}-text.h5", std::process::id()));
    std::fs::write(&text, "no HDF5").unwrap();
    refuse("text", text, &["text.h5"]);
    refuse("absent", "/nonexistent/x.h5".into(), &["/nonexistent/x.h5"]);
}
