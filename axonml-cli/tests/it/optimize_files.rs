//! Optimizations from files, into files, and out of them again, on a nerve of two fibers and two contacts.

use serde_json::Value;

use crate::support::{Folder, timeless};

/// A nerve of two lines of 40 mm, each next to a contact of its own; the first line should fire.
fn folder(name: &str) -> Folder {
    let folder = Folder::new(name);
    for contact in 0..2 {
        folder.npy(&format!("nerve/{contact}.npy"), &[2, 1001], |i| {
            let (line, sample) = (i / 1001, i % 1001);
            let away_um = if line == contact { 500.0 } else { 1500.0_f64 };
            let z_um = 40.0 * sample as f64 - 20_000.0;
            4e5 / away_um.hypot(z_um)
        });
    }
    folder.npy("nerve/fiber_z.npy", &[1001], |i| 40.0 * i as f64);
    folder.npy("nerve/target.npy", &[2], |i| i == 0);
    folder
}

/// Settings of a small optimization.
const SMALL: &str = "--nerve nerve --nodes 53 --tstop 1.5 --robust 0 -q";

fn result(json: &Value) -> &Value {
    &json["results"][0]
}

/// A study in a file is the command; done again, it goes on with what is kept, to the same results. Its currents are a
/// stimulus for other commands: thresholds are the multiples of it that were found.
#[test]
fn a_file_is_the_command_and_its_currents_are_a_pulse() {
    let folder = folder("optimize-files");
    let command = format!("optimize scan {SMALL}");
    let printed = folder.axonml(&format!("{command} --print-study")).done();
    folder.write("s.toml", &printed.stdout);
    let by_flags = folder.axonml(&format!("{command} --save-dir flags --format json"));
    let by_flags = by_flags.done().json();
    let study = "study s.toml -q --save-dir file -o file.json";
    folder.axonml(study).done();
    let by_file = folder.json("file.json");
    let without_seconds = |json: &Value| {
        let mut of = result(json).clone();
        for key in ["seconds", "candidate_nerves_per_s"] {
            assert!(of.as_object_mut().unwrap().remove(key).is_some());
        }
        of
    };
    assert_eq!(without_seconds(&by_file), without_seconds(&by_flags));
    assert_eq!(result(&by_file)["misclassified"], 0.0);
    folder.axonml(study).done();
    let again = folder.json("file.json");
    assert_eq!(without_seconds(&again), without_seconds(&by_file));
    assert_eq!(
        timeless(again)["request"],
        timeless(by_file.clone())["request"]
    );

    let pulses = "--pulse 0:file:file/waveforms.csv#0 --pulse 1:file:file/waveforms.csv#1";
    let thresholds = format!(
        "threshold --nerve nerve --nodes 53 --diameter 5.7 --tstop 1.5 --precision f64 {pulses} -q -o t.csv"
    );
    folder.axonml(&thresholds).done();
    let rows = folder.rows("t.csv");
    let fibers = result(&by_file)["fibers"].as_array().unwrap();
    assert_eq!(rows.len(), fibers.len());
    for (row, fiber) in rows.iter().zip(fibers) {
        let found: f64 = row["threshold_mA"].parse().unwrap();
        let expected = fiber["threshold"].as_f64().unwrap();
        // The proof is at the default extent of fibers, which are longer.
        assert!((found / expected - 1.0).abs() < 5e-3, "{found} {expected}");
    }

    folder
        .axonml("study s.toml --part 1/2 -o part.json")
        .refused(&["--part has no effect", "as a whole"]);
    folder
        .axonml("rerun file.json")
        .refused(&["the results of an optimization", "axonml study"]);
    folder
        .axonml("threshold --pulse file:file/waveforms.csv")
        .refused(&["#K after the file's name"]);
    folder
        .axonml("threshold --pulse file:file/waveforms.csv#7")
        .refused(&["up to column #7"]);
    let other = folder.axonml("threshold --distance 500 --nodes 21 --print-study");
    folder.write("other.toml", other.done().stdout);
    folder
        .axonml("study other.toml --save-dir x")
        .refused(&["--save-dir has no effect"]);
}

/// Members of a population come from arrays and from results; a front is of numbers, and a search over copies reports the
/// nerve as it is.
#[test]
fn populations_come_from_files_and_fronts_go_into_them() {
    let folder = folder("optimize-members");
    folder.npy("members.npy", &[2, 2], |i| [-0.5, 0.1, -0.2, -0.1][i]);
    let of = |more: &str| {
        let text =
            format!("optimize de {SMALL} --population 5 --generations 1 --format json {more}");
        folder.axonml(&text)
    };
    let front = of("--save-dir front --objectives area,charge --init members.npy");
    let front = front.done().json();
    let front = result(&front);
    assert_eq!(front["objective"], "area,charge");
    let points = front["pareto"].as_array().unwrap();
    assert!(!points.is_empty());
    let number = |value: &Value| value.as_f64().unwrap();
    for point in points {
        let amplitudes = point["amplitudes_mA"].as_array().unwrap();
        let charge_uc: f64 = amplitudes.iter().map(|ma| 0.2 * number(ma).abs()).sum();
        assert!((charge_uc - number(&point["objectives"][1])).abs() < 1e-9);
    }
    // What is reported is one of the front.
    let reported = &front["amplitudes_mA"];
    assert!(
        points
            .iter()
            .any(|point| &point["amplitudes_mA"] == reported)
    );

    let copies = of("--save-dir copies --robust-in-loop 2 --init front/best.json").done();
    let copies = copies.json();
    assert_eq!(result(&copies)["fibers"].as_array().unwrap().len(), 2);
    assert_eq!(result(&copies)["misclassified"], 0.0);

    folder.npy("wide.npy", &[1, 3], |_| 0.1);
    of("--save-dir a --init wide.npy").refused(&["wide.npy", "a member of 3 numbers, expected 2"]);
    folder.npy("many.npy", &[6, 2], |i| 0.1 * (i as f64 - 5.5));
    of("--save-dir b --init many.npy").refused(&["found 6 members, expected 5 at most"]);
    folder.npy("not.npy", &[1, 2], |_| f64::NAN);
    of("--save-dir c --init not.npy").refused(&["not.npy", "found NaN"]);
}
