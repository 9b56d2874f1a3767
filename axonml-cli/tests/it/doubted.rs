//! Inputs of other programs: read where they are meant unmistakably, refused where they would give a wrong number.

use ndarray::{Array1, Array2};

use crate::support::{Folder, repository};

/// A small file that tests share.
fn data(path: &str) -> String {
    repository(&format!("axonml-cli/tests/data/{path}"))
}

/// The column `threshold_mA` of a threshold command's CSV.
#[track_caller]
fn thresholds(folder: &Folder, arguments: &str) -> Vec<f64> {
    folder
        .axonml(&format!("threshold {arguments} -o out.csv"))
        .done();
    let rows = folder.rows("out.csv");
    let ok = |row: &std::collections::HashMap<String, String>| {
        assert_eq!(row["status"], "ok", "{row:?}");
        row["threshold_mA"].parse().unwrap()
    };
    rows.iter().map(ok).collect()
}

#[test]
fn waveform_tables_of_any_separator_are_the_same_pulse() {
    let folder = Folder::new("doubted-waveforms");
    let point = "--point 1000,0,0 --diameter 10";
    let expected = thresholds(&folder, point);
    for table in ["comsol", "semi", "tab", "decimalcomma"] {
        let pulse = data(&format!("tables/{table}.csv"));
        let found = thresholds(&folder, &format!("{point} --pulse file:{pulse}"));
        assert_eq!(found, expected, "{table}");
    }
    let utf16: Vec<u8> = "\u{feff}% t (ms)\tI\r\n0\t0\r\n0,1\t-1\r\n0,2\t0\r\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    folder.write("w.txt", utf16);
    assert_eq!(
        thresholds(&folder, &format!("{point} --pulse file:w.txt")),
        expected
    );
    folder.write("s.csv", "t [s];I\n0;0\n1e-4;-1\n2e-4;0\n");
    folder
        .axonml(&format!("threshold {point} --pulse file:s.csv"))
        .refused(&["s.csv", "line 1", "t [s];I", "times are in ms"]);
}

#[test]
fn condition_tables_with_comments_and_semicolons() {
    let folder = Folder::new("doubted-conditions");
    // The reference of this row, as NEURON gives it: golden/neuron/thresholds_mrg.csv.
    let (lower, upper) = (0.115_7, 0.131_5);
    for table in ["conditions_hash", "conditions_semi"] {
        let path = data(&format!("tables/{table}.csv"));
        let found = thresholds(&folder, &format!("--conditions {path}"));
        assert!(
            found.len() == 1 && (lower..upper).contains(&found[0]),
            "{table}: {found:?}"
        );
    }
    // The comment above the data names the columns; decimal commas; a list stays a list.
    folder.write(
        "t.txt",
        "% model diameter_um distance_um pw_ms detect_node_index\nmrg 10 1000,0 0,1 5,47\n",
    );
    let found = thresholds(&folder, "--conditions t.txt");
    assert!(
        found.len() == 1 && (lower..upper).contains(&found[0]),
        "{found:?}"
    );
    folder.write("t.csv", "diameter_um,distance_um,note\n10,\"1000\",\"x\n");
    folder
        .axonml("threshold --conditions t.csv")
        .refused(&["t.csv", "line 2", "never closed"]);
}

#[test]
fn many_rows_are_read_in_linear_time() {
    let folder = Folder::new("doubted-many-rows");
    // The last row is wrong as text, so that none is run; quadratic work would take hours.
    let mut table = String::from("diameter_um,distance_um\n");
    table.push_str(&"10,1000\n".repeat(1_000_000));
    table.push_str("10,\"x\n");
    folder.write("t.csv", table);
    let began = std::time::Instant::now();
    folder
        .axonml("threshold --conditions t.csv")
        .refused(&["line 1000002", "never closed"]);
    assert!(began.elapsed().as_secs() < 60, "{:?}", began.elapsed());
}

#[test]
fn edges_between_steps_are_exact_and_coarse_sines_are_told() {
    let folder = Folder::new("doubted-edges");
    let point = "--point 1000,0,0 --diameter 10";
    // Within one step only the charge matters: 0.0026 ms need 0.005 / 0.0026 times what 0.005 ms need. (The step of 0.005 ms
    // itself is too coarse for either, which is told: at dt = 1e-4 ms the threshold is 1.4314 mA.)
    let pulse = |pw: &str| format!("{point} --pulse monophasic:pw={pw}");
    let found = thresholds(&folder, &pulse("0.0026"))[0];
    let of_a_step = thresholds(&folder, &pulse("0.005"))[0];
    assert!(
        (found * 0.0026 / (of_a_step * 0.005) - 1.0).abs() < 1e-3,
        "{found} {of_a_step}"
    );
    let told = folder
        .axonml(&format!("threshold {}", pulse("0.0026")))
        .done()
        .stderr;
    assert!(
        told.contains("lasts 0.0026 ms, less than 4 steps"),
        "{told}"
    );
    // Between the neighbors on the grid, in proportion to the charge.
    let between = thresholds(&folder, &format!("{point} --pulse monophasic:pw=0.0126"));
    let (short, long) = (
        thresholds(&folder, &format!("{point} --pulse monophasic:pw=0.01"))[0],
        thresholds(&folder, &format!("{point} --pulse monophasic:pw=0.015"))[0],
    );
    assert!(
        long < between[0] && between[0] < short,
        "{short} {between:?} {long}"
    );
    let sine = |freq: &str| {
        folder.axonml(&format!(
            "run {point} --amplitude 0.1 --pulse sine:freq={freq}"
        ))
    };
    let told = sine("99").done().stderr;
    assert!(
        told.contains("99 kHz has 2.0 samples a period") && told.contains("10 or more"),
        "{told}"
    );
    assert!(!sine("20").done().stderr.contains("samples a period"));
    sine("100").refused(&["100 kHz", "more than two samples"]);
    let nested = "train:pulse=".repeat(10_000);
    let refused = folder
        .axonml(&format!("run {point} --pulse {nested}monophasic"))
        .refused(&["more than 16 trains"]);
    assert!(refused.stderr.len() < 1000, "{}", refused.stderr.len());
}

/// The lines of the shared nerve, `[fiber, sample]` in mV per mA, and their positions in um.
fn nerve() -> (Array2<f64>, Array1<f64>) {
    let lines = ndarray_npy::read_npy(data("nerve/0.npy")).unwrap();
    let z: Array1<i64> = ndarray_npy::read_npy(data("nerve/fiber_z.npy")).unwrap();
    (lines, z.mapv(|z| z as f64))
}

fn write<T: ndarray_npy::WritableElement, D: ndarray::Dimension>(
    folder: &Folder,
    name: &str,
    array: &ndarray::Array<T, D>,
) {
    let mut bytes = Vec::new();
    ndarray_npy::WriteNpyExt::write_npy(array, &mut bytes).unwrap();
    folder.write(name, bytes);
}

#[test]
fn units_and_shapes_of_nerves_are_doubted() {
    let folder = Folder::new("doubted-nerves");
    let (lines, z) = nerve();
    let threshold =
        |nerve: &str| folder.axonml(&format!("threshold --nerve {nerve} --diameter 10"));
    // What the fibers need, found with the same field in double precision and um.
    let right = [0.1236, 0.0726, 0.0341];
    let is_right = |nerve: &str| {
        let found = thresholds(&folder, &format!("--nerve {nerve} --diameter 10"));
        assert_eq!(found.len(), right.len());
        for (found, right) in found.iter().zip(right) {
            assert!(
                (found / right - 1.0).abs() < 2e-3,
                "{nerve}: {found}, not {right}"
            );
        }
    };
    is_right(&data("nerve"));

    write(&folder, "mm/0.npy", &lines);
    write(&folder, "mm/fiber_z.npy", &z.mapv(|z| z / 1e3));
    let spans = ["fiber_z spans 70: is it in mm?", "field_units"];
    threshold("mm").refused(&spans);
    threshold("mm --extend point-source").refused(&spans);
    folder.write("mm/nerve.json", r#"{"field_units": {"z": "mm"}}"#);
    is_right("mm");

    write(&folder, "volts/0.npy", &lines.mapv(|v| v / 1e3));
    write(&folder, "volts/fiber_z.npy", &z);
    threshold("volts").refused(&["peak at 0.994718 mV per mA", "are they in V?"]);
    folder.write("volts/nerve.json", r#"{"field_units": {"potential": "V"}}"#);
    is_right("volts");

    write(&folder, "swapped/0.npy", &lines.t().to_owned());
    write(&folder, "swapped/fiber_z.npy", &z);
    threshold("swapped").refused(&["(1401, 3)", "(3, 1401)", "transposed"]);
    write(&folder, "zero/0.npy", &(0.0 * &lines));
    write(&folder, "zero/fiber_z.npy", &z);
    threshold("zero").refused(&["0.npy are 0 along every line"]);
    write(&folder, "single/0.npy", &lines.mapv(|v| v as f32));
    write(&folder, "single/fiber_z.npy", &z.mapv(|z| z as i32));
    is_right("single");
    write(&folder, "per-ampere/0.npy", &lines.mapv(|v| v * 1e3));
    write(&folder, "per-ampere/fiber_z.npy", &z);
    let told = folder
        .axonml("threshold --nerve per-ampere --diameter 10 --keep-going")
        .stderr;
    assert!(told.contains("are they per A?"), "{told}");

    // The line of the last fiber leaves the mesh 8 mm after its beginning is left: outside the fiber and two samples.
    let mut cut = lines.clone();
    cut.slice_mut(ndarray::s![2, ..40]).fill(f64::NAN);
    write(&folder, "cut/0.npy", &cut);
    write(&folder, "cut/fiber_z.npy", &z);
    is_right("cut");
    cut.slice_mut(ndarray::s![2, ..600]).fill(f64::NAN);
    write(&folder, "cut/0.npy", &cut);
    threshold("cut").refused(&["fiber 2", "known only from", "NaN beyond"]);
    folder
        .axonml("threshold --nerve cut --diameter 10 --keep-going -o out.csv")
        .failed(1, &["1 of 3 rows"]);
    let rows = folder.rows("out.csv");
    let status: Vec<&str> = rows.iter().map(|row| row["status"].as_str()).collect();
    assert_eq!(status, ["ok", "ok", "error"]);

    let coarse = data("coarse-line");
    threshold(&coarse).refused(&["every 5000 um", "expected 1 % or less", "--accept-coarse"]);
    let accepted = threshold(&format!("{coarse} --accept-coarse")).done();
    assert!(accepted.stderr.contains("warning") && accepted.stderr.contains("every 5000 um"));
    // The first fiber, 1 mm from its source: every 1.15 mm is told, every 0.5 mm is fine.
    for (step, warned) in [(23, true), (10, false)] {
        let first = lines.slice(ndarray::s![..1, ..;step]).to_owned();
        write(&folder, "sparse/0.npy", &first);
        write(
            &folder,
            "sparse/fiber_z.npy",
            &z.slice(ndarray::s![..;step]).to_owned(),
        );
        let told = threshold("sparse").done().stderr;
        assert_eq!(
            told.contains("sampled coarsely"),
            warned,
            "every {step}th: {told}"
        );
    }
    folder
        .axonml("threshold --point 1000,0,0 --diameter 10 --accept-coarse")
        .refused(&["--accept-coarse has no effect"]);
}

#[test]
fn arrays_that_announce_more_than_they_hold_are_refused() {
    let folder = Folder::new("doubted-hostile");
    let basis = |file: &str| {
        format!(
            "run --diameter 10 --basis {}",
            data(&format!("hostile/{file}"))
        )
    };
    folder.axonml(&basis("declares_8TB.npy")).refused(&[
        "declares_8TB.npy",
        "announces 8796093022208 bytes",
        "the file has 0",
    ]);
    folder
        .axonml(&basis("zero_times_huge.npy"))
        .refused(&["(0, 18446744073709551615)"]);
    folder
        .axonml(&format!(
            "evaluate --diameter 10 --traces {}",
            data("hostile/decl_huge.npz")
        ))
        .refused(&["decl_huge.npz", "bytes"]);
    folder.npy("b.npy", &[573, 1], |_| 0.0);
    folder.axonml("run --diameter 10 --basis b.npy").refused(&[
        "[573, 1]",
        "expected 573 samples",
        "transpose",
    ]);
    folder.npy("b1.npy", &[573], |_| 0.0);
    let told = folder.axonml("run --diameter 10 --basis b1.npy").refused(&[
        "[573]",
        "(fibers, samples)",
        "a[None, :]",
    ]);
    assert!(!told.stderr.contains("more like this"), "{}", told.stderr);
}
