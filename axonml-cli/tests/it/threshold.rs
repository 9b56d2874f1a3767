//! `axonml threshold` without a table, and the commands that list things.

use crate::support::{Folder, repository, timeless};

#[test]
fn the_bare_command_runs_the_demonstration() {
    let folder = Folder::new("bare");
    let answer = folder.axonml("threshold").done();
    let table: Vec<Vec<&str>> = answer
        .stdout
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(table[0], ["all", "rows:", "nerve", "N1"]);
    let rows: Vec<&Vec<&str>> = table
        .iter()
        .filter(|row| row.last() == Some(&"ok") && row.len() == 10)
        .collect();
    let order: Vec<(&str, &str)> = rows.iter().map(|row| (row[0], row[1])).collect();
    let expected: Vec<(String, &str)> = (0..12)
        .flat_map(|f| ["5.7", "8.7", "12.8"].map(|d| (f.to_string(), d)))
        .collect();
    assert!(
        order
            .iter()
            .zip(&expected)
            .all(|(a, b)| a.0 == b.0 && a.1 == b.1)
            && order.len() == 36,
        "{order:?}"
    );
    assert!(answer.stderr.contains("demonstration nerve N1"));

    // The same nerve from its folder.
    let nerve = repository("examples/nerves/N1");
    let named = folder
        .axonml(&format!(
            "threshold --nerve {nerve} --diameter 5.7,8.7,12.8"
        ))
        .done();
    let thresholds = |text: &str| {
        text.lines()
            .filter(|line| line.ends_with("  ok"))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(thresholds(&answer.stdout), thresholds(&named.stdout));
    assert!(
        folder
            .axonml("threshold -q --point 1000,0,0")
            .done()
            .stderr
            .is_empty()
    );
}

/// The surrogates come with weights: every fiber of the bundled nerve has a threshold, near that of the exact fiber.
#[test]
fn the_surrogates_have_thresholds_in_the_bundled_nerve() {
    let folder = Folder::new("surrogates");
    let thresholds = |model: &str| -> Vec<f64> {
        let answer = folder
            .axonml(&format!("threshold --model {model} --format json"))
            .done();
        let results = answer.json()["results"].as_array().unwrap().clone();
        let of_row = |row: &serde_json::Value| {
            assert_eq!(row["status"], "ok", "{model}: {row}");
            row["threshold_mA"].as_f64().unwrap()
        };
        results.iter().map(of_row).collect()
    };
    let exact = thresholds("mrg");
    assert_eq!(exact.len(), 36);
    for (model, tolerance) in [("smf", 0.15), ("two-mode", 0.03)] {
        for (found, exact) in thresholds(model).iter().zip(&exact) {
            let error = found / exact - 1.0;
            assert!(error.abs() < tolerance, "{model}: {error}");
        }
    }
}

#[test]
fn the_forms_agree() {
    let folder = Folder::new("forms");
    let command = "threshold --point 1000,0,0 --point 0,800,500,-0.5 --diameter 8:12:2 --temperature 36 --set gna=3.1";
    let json = folder
        .axonml(&format!("{command} --format json"))
        .done()
        .json();
    folder
        .axonml(&format!(
            "{command} -o t.csv -o t.json -o t.npz --plot t.svg"
        ))
        .done();
    assert_eq!(timeless(json.clone()), timeless(folder.json("t.json")));
    assert_eq!(
        timeless(folder.json("t.csv.json"))["request"],
        json["request"]
    );
    assert_eq!(
        folder.files(),
        ["t.csv", "t.csv.json", "t.json", "t.npz", "t.svg"]
    );
    let request = &json["request"];
    assert_eq!(
        (&request["set"]["gna"], &request["temperature_celsius"]),
        (&3.1.into(), &36.0.into())
    );
    assert_eq!(request["field"]["points"][1]["factor"], -0.5);
    assert_eq!(
        (&request["pulse"], &request["polarity"]),
        (&"monophasic:pw=0.1,delay=0.1".into(), &"cathodic".into())
    );

    let mut npz =
        ndarray_npy::NpzReader::new(std::fs::File::open(folder.0.join("t.npz")).unwrap()).unwrap();
    let upper: ndarray::Array1<f64> = npz.by_name("upper_mA").unwrap();
    let bytes: ndarray::Array1<u8> = npz.by_name("request_json").unwrap();
    let rows = folder.rows("t.csv");
    for ((row, value), result) in rows
        .iter()
        .zip(&upper)
        .zip(json["results"].as_array().unwrap())
    {
        assert_eq!(row["upper_mA"], value.to_string());
        assert_eq!(result["threshold_mA"].as_f64(), Some(*value));
    }
    let inside: serde_json::Value = serde_json::from_slice(&bytes.to_vec()).unwrap();
    assert_eq!(&inside, request);
    assert!(folder.text("t.svg").starts_with("<svg") || folder.text("t.svg").starts_with("<?xml"));
}

#[test]
fn results_do_not_depend_on_threads() {
    let folder = Folder::new("threads");
    let files = ["csv", "npz"];
    for threads in [1, 2] {
        let outputs: Vec<String> = files
            .iter()
            .map(|form| format!("-o {threads}.{form}"))
            .collect();
        folder
            .axonml(&format!(
                "threshold --threads {threads} --precision f32 --diameter 8 {} -o {threads}.json",
                outputs.join(" ")
            ))
            .done();
        folder.axonml(&format!("run --threads {threads} --point 1000,0,0 --amplitude 0.3 --diameter 5.7:14:6 -o run{threads}.npz -o run{threads}.csv --plot {threads}.png")).done();
    }
    for form in files {
        assert!(
            folder.read(&format!("1.{form}")) == folder.read(&format!("2.{form}")),
            "{form}"
        );
        assert!(
            folder.read(&format!("run1.{form}")) == folder.read(&format!("run2.{form}")),
            "run {form}"
        );
    }
    assert!(folder.read("1.png") == folder.read("2.png"));
    assert_eq!(
        timeless(folder.json("1.json")),
        timeless(folder.json("2.json"))
    );
    assert_eq!(
        timeless(folder.json("1.csv.json")),
        timeless(folder.json("2.csv.json"))
    );
}

#[test]
fn statuses_say_why_there_is_no_threshold() {
    let folder = Folder::new("statuses");
    let answer = folder
        .axonml("threshold --point 1000,0,0 --max-amplitude 0.01 --format json")
        .done()
        .json();
    let row = &answer["results"][0];
    assert_eq!(
        (&row["status"], &row["lower_mA"], &row["threshold_mA"]),
        (
            &"no_activation".into(),
            &0.01.into(),
            &serde_json::Value::Null
        )
    );
    let answer = folder
        .axonml("threshold --point 1000,0,0 --tstop 0.4 --max-amplitude 0.4 --format json")
        .done()
        .json();
    assert_eq!(answer["results"][0]["status"], "propagation_failure");
}

#[test]
fn a_basis_is_the_field_at_the_sample_points() {
    let folder = Folder::new("basis");
    let answer = folder
        .axonml("models smf --diameter 10 --nodes 21 --json")
        .done()
        .json();
    let z: Vec<f64> = answer["sample_points_um"]
        .as_array()
        .unwrap()
        .iter()
        .map(|z| z.as_f64().unwrap())
        .collect();
    assert_eq!((z.len(), z[10]), (21, 0.0));
    let model = "--model smf --nodes 21 --diameter 10";
    let mv_per_ma = |z: f64| 500.0e4 / (4.0 * std::f64::consts::PI * 1000.0_f64.hypot(z));
    folder.npy("static.npy", &[1, 21], |i| mv_per_ma(z[i]));
    // The default pulse: -1 from step 20 to 40.
    folder.npy("moving.npy", &[1, 1000, 21], |i| {
        if (20..40).contains(&(i / 21)) {
            -mv_per_ma(z[i % 21])
        } else {
            0.0
        }
    });
    let threshold = |field: &str| {
        let json = folder
            .axonml(&format!("threshold {model} {field} --format json"))
            .done()
            .json();
        json["results"][0]["threshold_mA"]
            .as_f64()
            .unwrap_or_else(|| panic!("{json:#}"))
    };
    let point = threshold("--point 1000,0,0");
    for basis in ["static.npy", "moving.npy"] {
        let basis = threshold(&format!("--basis {basis}"));
        assert!((basis / point - 1.0).abs() < 1e-3, "{basis} {point}");
    }
}

#[test]
fn lists_are_complete() {
    let folder = Folder::new("lists");
    let listing = folder.axonml("models").done().stdout;
    let all = folder.axonml("models --json").done().json();
    for model in all.as_array().unwrap() {
        let id = model["model"].as_str().unwrap();
        let group = model["group"].as_str().unwrap();
        let (_, of_group) = listing.split_once(&format!("{group} fibers")).unwrap();
        let line = of_group
            .lines()
            .find(|line| line.split(' ').next() == Some(id));
        let line = line.unwrap_or_else(|| panic!("{id} is not listed: {listing}"));
        let compared = model["validations"].as_array().unwrap();
        assert!(!compared.is_empty(), "{id}");
        for validation in compared {
            assert!(
                line.contains(validation["text"].as_str().unwrap()),
                "{line}"
            );
        }
        let text = folder.axonml(&format!("models {id}")).done().stdout;
        for parameter in model["parameters"].as_array().unwrap() {
            let name = format!(
                "{}.{}",
                parameter["group"].as_str().unwrap(),
                parameter["name"].as_str().unwrap()
            );
            assert!(text.contains(&name), "{name}");
        }
        assert!(
            !model["citations"].as_array().unwrap().is_empty() && text.contains("sources"),
            "{id}"
        );
    }
    let group = |id: &str| {
        let mut all = all.as_array().unwrap().iter();
        all.find(|model| model["model"] == id).unwrap()["group"].clone()
    };
    assert_eq!(group("sweeney"), "myelinated");
    assert_eq!(group("sundt-explicit"), "unmyelinated");
    assert_eq!(
        (group("smf"), group("two-mode")),
        ("surrogate".into(), "surrogate".into())
    );
    let text = folder.axonml("models MRG_POLY").done().stdout;
    for part in [
        "172 thresholds of NEURON 9.0.2",
        "gna",
        "S/cm2",
        " um",
        "m h p s",
        "11 (n - 1) + 1",
        "-80 mV",
        "double cable",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let devices = folder.axonml("devices --json").done().json();
    assert_eq!(
        (
            &devices["devices"][0]["backend"],
            &devices["devices"][0]["available"]
        ),
        (&"cpu".into(), &true.into())
    );
    assert!(
        folder
            .axonml("devices")
            .done()
            .stdout
            .contains("instruction sets")
    );
}
