//! Weights: chosen, read, written, imported, and extrapolating beyond the training domain.

use axonml::model;
use axonml::model::weights::{Domain, ModelFile};
use sha2::{Digest, Sha256};

use crate::support::{Folder, repository};

/// A leak with which the published constants do not fire by themselves.
const QUIET: f64 = 0.02;
const POINT: &str = "threshold --model smf --point 1000,0,0 --diameter 8,10 --format json";

/// A file of the surrogate with its domain.
fn file(domain: Domain) -> Vec<u8> {
    let mut file = ModelFile::new(&model("smf").unwrap());
    file.parameters.insert("gl".into(), QUIET);
    file.domain = domain;
    file.to_bytes().unwrap()
}

fn sha256(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_file_is_the_same_as_its_parameters_set() {
    let folder = Folder::new("weights");
    folder
        .axonml("export --model smf --weights published --set conductance.gl=0.02 -o w.safetensors")
        .done();
    let by_file = folder
        .axonml(&format!("{POINT} --weights w.safetensors"))
        .done()
        .json();
    let by_set = folder
        .axonml(&format!("{POINT} --weights published --set gl=0.02"))
        .done()
        .json();
    assert_eq!(by_file["results"], by_set["results"]);
    assert_eq!(by_file["results"][0]["status"], "ok");
    let request = &by_file["request"];
    assert_eq!(request["weights"]["smf"]["name"], "w.safetensors");
    let hash = sha256(&folder.read("w.safetensors"));
    assert_eq!(request["weights"]["smf"]["sha256"], hash);
    assert_eq!(request["model_hash"], by_set["request"]["model_hash"]);
    assert_eq!(by_set["request"]["weights"], serde_json::json!({}));

    // `published` are the model's constants, no weights of its own the bundled ones; --set stands above a file.
    let published = folder
        .axonml(&format!("{POINT} --weights published"))
        .done()
        .json();
    assert_eq!(published["results"][0]["status"], "spontaneous");
    assert_ne!(published["request"]["model_hash"], request["model_hash"]);
    let bundled = folder.axonml(POINT).done().json();
    assert_eq!(bundled["results"][0]["status"], "ok");
    assert_eq!(bundled["request"]["weights"]["smf"]["name"], "smf-mrg");
    let above = folder
        .axonml(&format!("{POINT} --weights w.safetensors --set gl=0.03"))
        .done()
        .json();
    let other = folder
        .axonml(&format!("{POINT} --weights published --set gl=0.03"))
        .done()
        .json();
    assert_eq!(above["results"], other["results"]);
    assert_ne!(above["results"], by_set["results"]);
    assert_eq!(
        above["request"]["model_hash"],
        other["request"]["model_hash"]
    );
}

#[test]
fn exporting_keeps_what_a_file_says_and_adds_what_was_done() {
    let folder = Folder::new("export");
    let domain = Domain {
        diameter_um: Some((5.0, 12.0)),
        dt_ms: Some(0.005),
        ..Domain::default()
    };
    folder.write("w.safetensors", file(domain.clone()));
    for name in ["a", "b"] {
        folder
            .axonml(&format!(
                "export --model smf --weights w.safetensors --set geometry.deltax1=-8 -o {name}.safetensors"
            ))
            .done();
    }
    assert_eq!(folder.read("a.safetensors"), folder.read("b.safetensors"));
    let found = ModelFile::from_bytes(&folder.read("a.safetensors")).unwrap();
    assert_eq!((found.domain, found.parameters["gl"]), (domain, QUIET));
    assert_eq!(found.parameters["deltax1"], -8.0);
    assert_eq!(found.provenance["set by hand"], "geometry.deltax1=-8");
    assert!(found.provenance["exported from"].contains(&sha256(&folder.read("w.safetensors"))));
    folder
        .axonml("export --model smf --set conductance.gll=1 -o c.safetensors")
        .refused(&["--set", "no parameter `conductance.gll`"]);
    folder
        .axonml("export --model smf -o c.txt")
        .refused(&["c.txt", "expected .safetensors"]);
    folder
        .axonml("export --model mrg --weights w.safetensors -o c.safetensors")
        .refused(&["parameters of model `smf`, expected those of `mrg`"]);
    assert!(!folder.has("c.safetensors") && !folder.has("c.txt"));
}

#[test]
fn leaving_the_domain_warns_once_for_each_condition() {
    let folder = Folder::new("domain");
    let domain = Domain {
        diameter_um: Some((5.7, 10.0)),
        dt_ms: Some(0.005),
        pulse_width_ms: Some((0.05, 0.2)),
        source_distance_um: Some(500.0),
        celsius: Some(37.0),
    };
    folder.write("w.safetensors", file(domain));
    let warnings_of = |arguments: &str| {
        let command = format!("threshold --weights w.safetensors {arguments}");
        let answer = folder.axonml(&command).done();
        let lines = answer.stderr.lines();
        let warnings = lines.filter(|line| line.starts_with("warning: weights w.safetensors"));
        warnings.map(str::to_owned).collect::<Vec<_>>()
    };
    let warnings = |arguments: &str| warnings_of(&format!("--model smf {arguments}"));
    assert_eq!(warnings("--point 500,0,0 --diameter 5.7,10"), [""; 0]);
    for (arguments, part) in [
        (
            "--point 800,0,0 --dt 0.0025",
            "dt (ms) 0.0025, trained on 0.005",
        ),
        (
            "--point 800,0,0 --diameter 5.7,11,12",
            "diameter (um) 5.7 to 12, trained on 5.7 to 10",
        ),
        (
            "--point 800,0,0 --pulse biphasic:pw=0.3,delay=0.1",
            "pulse width (ms) 0.3, trained on 0.05 to 0.2",
        ),
        (
            "--point 800,0,0 --point 300,300,0",
            "distance of the source (um) 424.26",
        ),
        (
            "--point 800,0,0 --temperature 36",
            "temperature (degrees Celsius) 36, trained on 37",
        ),
    ] {
        let found = warnings(arguments);
        assert!(
            found.len() == 1 && found[0].contains(part),
            "{arguments}: {found:?}"
        );
    }
    // Once for a whole table, about the rows of the weights' model.
    folder.write(
        "t.csv",
        "model,diameter_um,distance_um,pw_ms,dt_ms\nsmf,8,400,0.02,0.005\nsmf,9,450,0.1,0.0025\nmrg,14,100,0.1,0.008\n",
    );
    let whats = |warnings: Vec<String>| {
        let of_line = |line: &String| line.rsplit_once(": ").unwrap().1.to_owned();
        warnings.iter().map(of_line).collect::<Vec<_>>()
    };
    assert_eq!(
        whats(warnings_of("--conditions t.csv")),
        [
            "dt (ms) 0.0025 to 0.005, trained on 0.005",
            "pulse width (ms) 0.02 to 0.1, trained on 0.05 to 0.2",
            "distance of the source (um) 400 to 450, trained on 500 or more",
        ]
    );
    let all = whats(warnings("--conditions t.csv"));
    assert_eq!(all.len(), 4, "{all:?}");
    assert!(all[1].starts_with("diameter (um) 8 to 14"), "{all:?}");
    assert!(warnings("-q --conditions t.csv").is_empty());
}

#[test]
fn tables_use_weights_in_the_rows_of_their_model() {
    let folder = Folder::new("weights-table");
    let domain = Domain {
        dt_ms: Some(0.005),
        source_distance_um: Some(500.0),
        ..Domain::default()
    };
    folder.write("w.safetensors", file(domain));
    let rows = "model,diameter_um,n_nodes,distance_um\nsmf,8,31,700\nmrg,8,31,300\n";
    folder.write("t.csv", rows);
    let command = "threshold --conditions t.csv --format json";
    let plain = folder.axonml(command).done().json();
    let answer = folder
        .axonml(&format!("{command} --weights w.safetensors"))
        .done();
    // The row of the other model is nearer, and none of the weights' business.
    assert!(!answer.stderr.contains("warning"), "{}", answer.stderr);
    let with = answer.json();
    assert_eq!(with["results"][1], plain["results"][1]);
    assert_eq!(plain["request"]["weights"]["smf"]["name"], "smf-mrg");
    let threshold = |answer: &serde_json::Value| answer["results"][0]["threshold_mA"].as_f64();
    let found = threshold(&with).zip(threshold(&plain));
    assert!(
        found.is_some_and(|(with, plain)| with != plain),
        "{found:?}"
    );
    assert_eq!(with["request"]["weights"]["smf"]["name"], "w.safetensors");
    folder.write("m.csv", "model,diameter_um,distance_um\nmrg,8,700\n");
    folder
        .axonml("threshold --conditions m.csv --weights w.safetensors")
        .refused(&[
            "parameters of model `smf`, expected those of `mrg`",
            "--model smf",
        ]);
}

#[test]
fn weights_that_cannot_be_used_are_refused() {
    let folder = Folder::new("bad-weights");
    let good = file(Domain::default());
    folder.write("good.safetensors", &good);
    folder.write("short.safetensors", &good[..good.len() - 5]);
    folder.write("text.safetensors", "not one at all, but long enough");
    let renamed = |from: &str, to: &str| {
        let text: Vec<u8> = good.clone();
        let at = text
            .windows(from.len())
            .position(|w| w == from.as_bytes())
            .unwrap();
        let mut text = text;
        text[at..at + to.len()].copy_from_slice(to.as_bytes());
        text
    };
    folder.write(
        "misspelt.safetensors",
        renamed("\"gnabar\":{", "\"gnabat\":{"),
    );
    folder.write(
        "model.safetensors",
        renamed("\"model\":\"smf\"", "\"model\":\"smg\""),
    );
    for (weights, parts) in [
        (
            "short.safetensors",
            &["`short.safetensors`", "truncated"][..],
        ),
        ("text.safetensors", &["not a safetensors file"]),
        (
            "misspelt.safetensors",
            &["no parameter `gnabat`", "did you mean `gnabar`"],
        ),
        (
            "model.safetensors",
            &["unknown model `smg`", "did you mean `smf`"],
        ),
        ("absent.safetensors", &["cannot read `absent.safetensors`"]),
        (
            "smf-mrgg",
            &["unknown bundled weights `smf-mrgg`", "published"],
        ),
    ] {
        let answer = folder.axonml(&format!("{POINT} --weights {weights}"));
        answer.refused(&["--weights"]).refused(parts);
    }
    for command in ["threshold", "run"] {
        folder
            .axonml(&format!(
                "{command} --weights good.safetensors --point 1000,0,0"
            ))
            .refused(&[
                "parameters of model `smf`, expected those of `mrg`",
                "--model smf",
            ]);
    }
}

#[test]
fn checkpoints_are_imported() {
    let folder = Folder::new("import");
    for name in [
        "state_dict_f64",
        "state_dict_f32",
        "training_checkpoint_f32",
    ] {
        let checkpoint = repository(&format!("golden/pytorch/{name}.pt"));
        let answer = folder.axonml(&format!("import {checkpoint}")).done();
        let output = format!("{name}.safetensors");
        assert!(
            answer.stdout.contains(&format!("wrote {output}")),
            "{answer:#?}"
        );
        assert!(answer.stdout.contains(&sha256(&folder.read(&output))));
        assert!(answer.stdout.contains("coupling.v_center"));
        let file = ModelFile::from_bytes(&folder.read(&output)).unwrap();
        file.check(&model("smf").unwrap().schema()).unwrap();
        let content = std::fs::read(&checkpoint).unwrap();
        assert_eq!(file.provenance["checkpoint sha256"], sha256(&content));
        folder
            .axonml(&format!("import {checkpoint}"))
            .refused(&["exists", "-o"]);
        folder
            .axonml(&format!("import {checkpoint} -o again.safetensors"))
            .done();
        assert_eq!(folder.read(&output), folder.read("again.safetensors"));
    }
    // It is used like any other file, and says at which step it was trained.
    let answer = folder
        .axonml(&format!(
            "{POINT} --weights state_dict_f64.safetensors --dt 0.0025"
        ))
        .done();
    assert!(
        answer.stderr.contains("dt (ms) 0.0025, trained on 0.005"),
        "{answer:#?}"
    );

    let good = std::fs::read(repository("golden/pytorch/state_dict_f64.pt")).unwrap();
    folder.write("cut.pt", &good[..good.len() / 2]);
    folder.write("old.pt", b"\x80\x02}q\x00.");
    for (arguments, parts) in [
        ("import cut.pt", &["cut.pt", "truncated"][..]),
        ("import old.pt", &["before version 1.6"]),
        ("import absent.pt", &["absent.pt", "name an existing file"]),
        ("import cut.pt -o x.bin", &["cut.pt"]),
    ] {
        folder.axonml(arguments).refused(parts);
    }
    assert!(!folder.has("cut.safetensors") && !folder.has("x.bin"));
}

#[test]
fn models_list_what_is_bundled() {
    let folder = Folder::new("bundled");
    for id in ["smf", "mrg"] {
        let described = folder.axonml(&format!("models {id} --json")).done().json();
        let schema = model(id).unwrap().schema();
        let bundled = axonml::model::weights::BUNDLED.iter();
        let expected: Vec<&str> = bundled.filter(|b| b.model == id).map(|b| b.name).collect();
        let listed = described["weights"].as_array().unwrap();
        let names: Vec<&str> = listed.iter().map(|w| w["name"].as_str().unwrap()).collect();
        assert_eq!(names, expected);
        for weights in listed {
            let is_default = weights["name"].as_str() == schema.weights;
            assert_eq!(weights["default"].as_bool(), Some(is_default));
        }
        let told = folder.axonml(&format!("models {id}")).done().stdout;
        assert_eq!(told.contains("none bundled"), expected.is_empty());
    }
}
