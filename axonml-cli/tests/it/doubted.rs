//! Inputs of other programs: read where they are meant unmistakably, refused where they would give a wrong number.

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
    folder
        .axonml(&format!("run {point} --pulse {nested}monophasic"))
        .refused(&["more than 16 trains"]);
}
