//! What is asked for acts, is refused, or is named as unused; and results say what acted.

use std::sync::Arc;

use axonml_core::{Medium, PointSource, Waveform};
use axonml_models::{Device, Fiber, Settings, Simulation, Stimulus, ThresholdSearch, model};

use crate::support::{Folder, repository};

/// Copies the nerve N1, its contact 0 taken from the file `contact`.
fn copy_of_n1(folder: &Folder, name: &str, contact: &str) {
    let nerve = repository("examples/nerves/N1");
    for entry in std::fs::read_dir(&nerve).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        let from = if file == "0.npy" { contact } else { &file };
        let content = std::fs::read(format!("{nerve}/{from}")).unwrap();
        folder.write(&format!("{name}/{file}"), content);
    }
}

#[test]
fn two_nerves_of_one_name_are_two_requests() {
    let folder = Folder::new("same-name");
    copy_of_n1(&folder, "one/N1", "0.npy");
    copy_of_n1(&folder, "other/N1", "1.npy");
    let request = |nerve: &str| {
        let answer = folder.axonml(&format!(
            "run --nerve {nerve} --diameter 10 --tstop 0.2 --format json"
        ));
        answer.done().json()["request"].clone()
    };
    let (one, other) = (request("one/N1"), request("other/N1"));
    assert_eq!(one["field"]["nerve"], other["field"]["nerve"]);
    let (ours, theirs) = (&one["field"]["sha256"], &other["field"]["sha256"]);
    assert_eq!(theirs["0.npy"], ours["1.npy"]);
    assert_ne!(theirs["0.npy"], ours["0.npy"]);
    for file in [
        "1.npy",
        "5.npy",
        "fiber_z.npy",
        "weights.npy",
        "target.npy",
        "fibers_xy.npy",
    ] {
        assert!(
            ours[file].is_string() && ours[file] == theirs[file],
            "{file}"
        );
    }
    assert_eq!(request("one/N1"), one);
}

/// 0.1 ms of a field in space and time: shorter than the default pulse, which does not act.
#[test]
fn a_field_in_space_and_time_is_all_that_acts() {
    let folder = Folder::new("space-time");
    // The field peaks at step 10, at the last of the 45 sample points of five nodes.
    folder.npy("b.npy", &[1, 20, 45], |i| match i {
        494 => -4.0,
        i => 0.01 * (i % 45) as f64,
    });
    let command = "run --basis b.npy --nodes 5 --detect-nodes 2 --tstop 0.1 --amplitude 2.5";
    folder
        .axonml(&format!("{command} -o r.json --plot r.svg"))
        .done();
    let request = folder.json("r.json")["request"].clone();
    for unused in ["pulse", "polarity", "waveform", "seed"] {
        assert!(request.get(unused).is_none(), "{unused}: {request}");
    }
    assert_eq!(request["amplitude_mA"], 2.5);
    assert!(request["field"]["sha256"].is_string());
    let picture = folder.text("r.svg");
    assert!(picture.contains("extracellular potential where it is largest (mV)"));
    assert!(picture.contains("2.5 times the basis"));
    assert!(!picture.contains("stimulus (") && !picture.contains("monophasic"));

    let other = folder.axonml(&format!("{command} --format json"));
    assert_eq!(other.done().json()["request"]["field"], request["field"]);
    folder.npy("b.npy", &[1, 20, 45], |i| 0.01 * (i % 45) as f64);
    let changed = folder
        .axonml(&format!("{command} --format json"))
        .done()
        .json();
    assert_ne!(
        changed["request"]["field"]["sha256"],
        request["field"]["sha256"]
    );
}

#[test]
fn pictures_of_runs_show_what_acted() {
    let folder = Folder::new("acted");
    folder
        .axonml(
            "run --point 1000,0,0 --amplitude 0.25 --tstop 1 --inject node=3,amp=0.5 --plot p.svg",
        )
        .done();
    let picture = folder.text("p.svg");
    assert!(picture.contains("stimulus (mA)"));
    assert!(picture.contains("current injected into node 3 (nA)"));
}

#[test]
fn a_seed_that_nothing_uses_is_named() {
    let folder = Folder::new("seed");
    let answer = folder.axonml("run --tstop 0.2 --seed 3 --inject node=0,delay=0 --format json");
    let answer = answer.done();
    assert!(
        answer.stderr.contains("--seed has no effect"),
        "{answer:#?}"
    );
    assert!(answer.json()["request"].get("seed").is_none());
}

/// The library's defaults are the command line's.
#[test]
fn the_library_runs_what_the_command_line_runs() {
    let folder = Folder::new("same-default");
    let answer =
        folder.axonml("threshold --model smf --point 1000,0,0 --diameter 10 --format json");
    let json = answer.done().json();
    let device = Device::auto().unwrap();
    let smf = model("smf").unwrap();
    let fibers = vec![Fiber::new(10.0, 53)];
    let simulation = Simulation::new(smf, fibers, &Settings::default(), &device).unwrap();
    let electrode = PointSource {
        x_um: 1000.0,
        y_um: 0.0,
        z_um: 0.0,
        medium: Medium::isotropic(500.0),
    };
    let pulse: Waveform = "monophasic:pw=0.1,delay=0.1".parse().unwrap();
    let stimulus = Stimulus::uniform(1, Arc::new(electrode), pulse);
    let search = ThresholdSearch::default();
    let found = simulation
        .thresholds(&stimulus, &search, &mut |_| ())
        .unwrap();
    assert_eq!(
        json["results"][0]["threshold_mA"].as_f64(),
        found[0].upper_ma()
    );
    assert_eq!(
        json["request"]["model_hash"]["smf"].as_str(),
        Some(simulation.model_hash().as_str())
    );
}

#[test]
fn recruitment_is_drawn_by_weight() {
    let folder = Folder::new("by-weight");
    let nerve = repository("examples/nerves/N1");
    let search = "--diameter 10 --resolution 0.1 --precision f32 --tstop 2";
    folder
        .axonml(&format!("threshold --nerve {nerve} {search} --plot p.svg"))
        .done();
    assert!(folder.text("p.svg").contains("fibers active, by weight"));
}
