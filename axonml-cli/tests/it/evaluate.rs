//! `axonml evaluate`: figures that can be recomputed from its rows, and from other commands.

use std::collections::HashMap;

use crate::support::{Folder, repository, timeless};

/// The surrogate with its bundled weights.
const SURROGATE: &str = "--model smf";

type Cells = HashMap<String, String>;

/// Every `every`-th row of the public table.
fn table(folder: &Folder, name: &str, every: usize, with_reference: bool) -> usize {
    let text = std::fs::read_to_string(repository("golden/neuron/thresholds_mrg.csv")).unwrap();
    let mut lines: Vec<String> = text
        .lines()
        .enumerate()
        .filter(|(row, _)| *row == 0 || row % every == 1)
        .map(|(_, line)| line.to_owned())
        .collect();
    if !with_reference {
        // The last two columns are the threshold and its lower bound.
        for line in &mut lines {
            *line = line.rsplitn(3, ',').last().unwrap().to_owned();
        }
    }
    folder.write(name, lines.join("\n"));
    lines.len() - 1
}

fn number(row: &Cells, column: &str) -> f64 {
    row[column]
        .parse()
        .unwrap_or_else(|_| panic!("{column} is `{}`", row[column]))
}

/// Mean absolute error of rows, percent.
fn mape<'r>(rows: impl Iterator<Item = &'r Cells>) -> f64 {
    let errors: Vec<f64> = rows
        .map(|row| {
            let (ours, theirs) = (number(row, "threshold_mA"), number(row, "reference_mA"));
            (100.0 * (ours - theirs) / theirs).abs()
        })
        .collect();
    errors.iter().sum::<f64>() / errors.len() as f64
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * b.abs().max(1e-9)
}

#[test]
fn a_surrogate_is_evaluated_on_a_table_of_the_exact_fiber() {
    let folder = Folder::new("evaluate");
    let count = table(&folder, "t.csv", 9, true);
    let answer = folder
        .axonml(&format!(
            "evaluate {SURROGATE} --conditions t.csv -o out.csv -o out.json --plot e.svg"
        ))
        .done();
    assert!(answer.stdout.contains("MAPE"), "{answer:#?}");
    let rows = folder.rows("out.csv");
    assert_eq!(rows.len(), count);
    assert!(
        rows.iter()
            .all(|row| row["model"] == "smf" && row["status"] == "ok")
    );
    // The thresholds are those that `threshold` finds.
    folder
        .axonml(&format!(
            "threshold {SURROGATE} --conditions t.csv -o plain.csv"
        ))
        .done();
    for (row, plain) in rows.iter().zip(folder.rows("plain.csv")) {
        for column in ["threshold_mA", "lower_mA", "reference_mA", "error_pct"] {
            assert_eq!(row[column], plain[column]);
        }
    }
    // The figures are of the rows.
    let json = folder.json("out.json");
    let summary = &json["summary"];
    let plain = &folder.json("plain.csv.json")["summary"];
    for figure in [
        "n",
        "mape_pct",
        "median_pct",
        "p95_pct",
        "min_pct",
        "max_pct",
    ] {
        assert_eq!(summary[figure], plain[figure], "{figure}");
    }
    let mut seen = HashMap::new();
    for group in summary["groups"].as_array().unwrap() {
        let (key, value) = (
            group["group"].as_str().unwrap(),
            group["value"].as_str().unwrap(),
        );
        let members: Vec<&Cells> = rows
            .iter()
            .filter(|row| key == "all" || row[key] == value)
            .collect();
        assert_eq!(group["n"], members.len(), "{key} {value}");
        let expected = mape(members.into_iter());
        assert!(
            close(group["mape_pct"].as_f64().unwrap(), expected),
            "{key} {value}"
        );
        *seen.entry(key.to_owned()).or_insert(0) += group["n"].as_u64().unwrap();
    }
    for key in ["all", "shape", "pw_ms", "diameter_um"] {
        assert_eq!(seen[key], count as u64, "{key}");
    }
    assert_eq!(json["request"]["reference"], serde_json::json!(["mrg"]));
    assert_eq!(json["request"]["command"], "evaluate");
    let picture = folder.text("e.svg");
    assert!(
        picture.contains("Activation thresholds of t.csv: smf (smf-mrg)"),
        "{picture}"
    );
    let again = folder
        .axonml(&format!(
            "evaluate {SURROGATE} --conditions t.csv --format json --threads 1"
        ))
        .done()
        .json();
    let mut json = timeless(json);
    json["request"]["conditions"] = again["request"]["conditions"].clone();
    assert_eq!(timeless(again), json);
}

#[test]
fn arrivals_are_those_of_runs_at_the_multiple_of_each_threshold() {
    let folder = Folder::new("arrivals");
    folder.write(
        "t.csv",
        "diameter_um,n_nodes,distance_um,shape,pw_ms\n10,31,800,mono,0.1\n8,41,600,biphasic,0.2\n",
    );
    folder
        .axonml(&format!(
            "evaluate {SURROGATE} --conditions t.csv --at 1.7 -o out.csv"
        ))
        .done();
    let rows = folder.rows("out.csv");
    assert_eq!(rows.len(), 2);
    let pulses = ["monophasic:pw=0.1,delay=0.1", "biphasic:pw=0.2,delay=0.1"];
    for (row, pulse) in rows.iter().zip(pulses) {
        assert_eq!(row["reference_status"], "ok");
        let mut arrivals = Vec::new();
        for (model, threshold) in [(SURROGATE, "threshold_mA"), ("--model mrg", "reference_mA")] {
            let place = format!(
                "--diameter {} --nodes {} --point {},0,0 --pulse {pulse}",
                row["diameter_um"], row["n_nodes"], row["distance_um"]
            );
            let found = folder
                .axonml(&format!("threshold {model} {place} --format json"))
                .done()
                .json();
            assert_eq!(
                found["results"][0]["threshold_mA"].as_f64().unwrap(),
                number(row, threshold)
            );
            let amplitude = 1.7 * number(row, threshold);
            folder
                .axonml(&format!(
                    "run {model} {place} --amplitude {amplitude} -o spikes.csv"
                ))
                .done();
            let nodes = number(row, "n_nodes") as i64;
            let watched = [5, nodes - 5];
            let times = folder
                .rows("spikes.csv")
                .into_iter()
                .filter(|spike| watched.contains(&spike["node"].parse().unwrap()))
                .map(|spike| number(&spike, "t_ms"));
            arrivals.push(times.fold(f64::INFINITY, f64::min));
        }
        assert!(
            close(number(row, "arrival_ms"), arrivals[0]),
            "{row:?} {arrivals:?}"
        );
        assert!(
            close(number(row, "reference_arrival_ms"), arrivals[1]),
            "{row:?} {arrivals:?}"
        );
        let error = number(row, "arrival_error_ms");
        assert!((error - (arrivals[0] - arrivals[1])).abs() < 1e-9 && error != 0.0);
    }
}

#[test]
fn a_model_agrees_with_itself() {
    let folder = Folder::new("itself");
    let count = table(&folder, "t.csv", 40, true);
    let answer = folder
        .axonml("evaluate --conditions t.csv --reference mrg -o out.csv --format json")
        .done();
    let summary = &answer.json()["summary"];
    assert_eq!(summary["n"], count);
    for figure in ["mape_pct", "min_pct", "max_pct"] {
        assert_eq!(summary[figure], 0.0);
    }
    for figure in ["arrival_error_ms", "spike_time_rms_ms", "trace_rms_mV"] {
        assert_eq!(summary[figure]["max_abs"], 0.0, "{figure}");
    }
    for row in folder.rows("out.csv") {
        assert_eq!(row["reference_mA"], row["threshold_mA"]);
        assert_eq!(
            (
                row["nodes_differing"].as_str(),
                row["trace_max_mV"].as_str()
            ),
            ("0", "0")
        );
    }
    // Another reference shows: the surrogate has other thresholds, by its own weights.
    let other = folder
        .axonml("evaluate --conditions t.csv --reference smf --thresholds-only --format json")
        .done()
        .json();
    assert_eq!(other["summary"]["n"], count);
    let error = other["summary"]["mape_pct"].as_f64().unwrap();
    assert!(error > 0.1 && error < 20.0, "{error}");
}

#[test]
fn cases_without_a_threshold_are_counted_by_reason() {
    let folder = Folder::new("without");
    let count = table(&folder, "t.csv", 30, true);
    let answer = folder
        .axonml("evaluate --model smf --weights published --conditions t.csv --format json")
        .done()
        .json();
    let summary = &answer["summary"];
    assert_eq!(
        (&summary["n"], &summary["mape_pct"]),
        (&0.into(), &serde_json::Value::Null)
    );
    assert_eq!(summary["without_error"]["spontaneous"], count);
    assert_eq!(summary["groups"][0]["without_error"]["spontaneous"], count);
    let low = folder
        .axonml(&format!(
            "evaluate {SURROGATE} --conditions t.csv --max-amplitude 0.3 --thresholds-only --format json"
        ))
        .done()
        .json();
    let without = low["summary"]["without_error"]["no_activation"]
        .as_u64()
        .unwrap();
    assert!(without > 0 && without < count as u64);
    assert_eq!(low["summary"]["n"], count as u64 - without);
    let table = folder
        .axonml("evaluate --model smf --weights published --conditions t.csv")
        .done()
        .stdout;
    assert!(table.contains(&format!("{count} spontaneous")), "{table}");
}

#[test]
fn lengths_of_the_tables_own_model_do_not_stand_in_the_way() {
    let folder = Folder::new("stands-in");
    folder.write(
        "t.csv",
        "model,diameter_um,n_nodes,delta_z_um,length_um,distance_um\nsundt,10,31,50,1550,500\n",
    );
    folder
        .axonml(&format!(
            "threshold {SURROGATE} --conditions t.csv -o out.csv"
        ))
        .done();
    let row = &folder.rows("out.csv")[0];
    // A spacing that was not used is not shown.
    assert_eq!(
        (row["status"].as_str(), row["delta_z_um"].as_str()),
        ("ok", "")
    );
    // Given for this model, they are checked as ever.
    folder
        .axonml(&format!(
            "threshold {SURROGATE} --conditions t.csv --delta-z 50"
        ))
        .refused(&["node spacing of 50 um was stated"]);
    folder.write(
        "own.csv",
        "model,diameter_um,n_nodes,delta_z_um,distance_um\nsmf,10,31,50,500\n",
    );
    folder
        .axonml(&format!("threshold {SURROGATE} --conditions own.csv"))
        .refused(&["node spacing of 50 um was stated"]);
}

#[test]
fn recorded_traces_are_met_by_the_exact_fiber() {
    let folder = Folder::new("traces");
    let file = |name: &str| repository(&format!("golden/neuron/traces_mrg_{name}.npz"));
    let files = format!(
        "--traces {} --traces {}",
        file("02_supra_mono"),
        file("11_iclamp_supra")
    );
    let exact = folder
        .axonml(&format!("evaluate {files} --format json -o out.csv"))
        .done()
        .json();
    let results = exact["results"].as_array().unwrap();
    assert_eq!(results.len(), 2);
    for row in results {
        assert!(row["trace_max_mV"].as_f64().unwrap() < 1e-5, "{row}");
        assert!(
            row["arrival_error_ms"].as_f64().unwrap().abs() < 1e-8,
            "{row}"
        );
        assert!(row["arrival_ms"].as_f64().unwrap() > 0.5, "{row}");
        assert_eq!(
            (&row["nodes_differing"], &row["status"]),
            (&0.into(), &"ok".into())
        );
    }
    assert_eq!(folder.rows("out.csv").len(), 2);
    // The surrogate differs, and not by nothing.
    let surrogate = folder
        .axonml(&format!("evaluate {SURROGATE} {files} --format json"))
        .done()
        .json();
    for row in surrogate["results"].as_array().unwrap() {
        assert!(row["trace_rms_mV"].as_f64().unwrap() > 0.1, "{row}");
    }
    // Beside a table they are told beside it.
    table(&folder, "t.csv", 90, true);
    let both = folder
        .axonml(&format!(
            "evaluate --conditions t.csv --thresholds-only {files} --format json"
        ))
        .done()
        .json();
    assert_eq!(both["traces"], exact["results"]);
    assert_eq!(both["results"].as_array().unwrap().len(), 2);
}

#[test]
fn requests_that_make_no_sense_are_refused() {
    let folder = Folder::new("evaluate-bad");
    folder.write("plain.csv", "diameter_um,distance_um\n10,800\n");
    folder.write("own.csv", "model,diameter_um,distance_um\nsundt,1,100\n");
    folder.write("text.npz", "no archive");
    folder.npy("array.npz", &[3], |i| i as f64);
    let trace = repository("golden/neuron/traces_mrg_02_supra_mono.npz");
    let whole = std::fs::read(&trace).unwrap();
    folder.write("cut.npz", &whole[..whole.len() / 3]);
    let other = repository("golden/axonml/smf_a_pulse_n21.npz");
    for (arguments, parts) in [
        (
            "".to_owned(),
            &["nothing to compare with", "--conditions"][..],
        ),
        (
            format!("--traces {trace} --plot x.svg"),
            &["--plot has no effect"],
        ),
        (
            format!("--traces {trace} --reference mrg"),
            &["--reference has no effect"],
        ),
        (
            format!("--traces {trace} --dt 0.01"),
            &["--dt", "traces have their own"],
        ),
        (
            format!("--traces {trace} --tstop 1"),
            &["--tstop", "traces have their own"],
        ),
        ("--traces absent.npz".to_owned(), &["--traces: absent.npz"]),
        ("--traces text.npz".to_owned(), &["--traces: text.npz"]),
        ("--traces cut.npz".to_owned(), &["--traces: cut.npz"]),
        ("--traces array.npz".to_owned(), &["--traces: array.npz"]),
        (
            format!("--traces {other}"),
            &["no array `v`", "expected an archive with v"],
        ),
        (
            "--conditions plain.csv".to_owned(),
            &["no threshold_mA", "--reference MODEL"],
        ),
        (
            "--conditions plain.csv --reference mrgg".to_owned(),
            &["--reference", "did you mean `mrg`"],
        ),
        (
            "--conditions own.csv --reference mrg".to_owned(),
            &[
                "the reference",
                "1 um is outside",
                "choose another reference (--reference MODEL)",
            ],
        ),
        (
            "--conditions plain.csv --point 1,2,3 --nerve x".to_owned(),
            &["--nerve"],
        ),
        ("--conditions plain.csv --at 0.5".to_owned(), &["--at"]),
        (
            "--conditions plain.csv --at 2 --thresholds-only".to_owned(),
            &["--thresholds-only"],
        ),
        ("--conditions plain.csv -o x.txt".to_owned(), &["x.txt"]),
    ] {
        folder
            .axonml(&format!("evaluate {arguments}"))
            .refused(parts);
    }
}
