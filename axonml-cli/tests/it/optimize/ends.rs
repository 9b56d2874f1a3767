//! Optimizations that end before their own end: by time, by work.

use super::{Currents, done, folder, gd, number};

#[test]
fn work_and_time_end_it_and_more_of_them_go_on() {
    let folder = folder("ends");
    let whole = done(&folder, &gd("--starts 2"), "whole");
    let all = whole["thresholds"].as_u64().unwrap();
    // The 18 montages are within the limit, and two starts after them.
    for (limit, reason, more) in [
        (
            "--max-evaluations 19",
            "max_evaluations",
            "--max-evaluations 1000",
        ),
        ("--max-seconds 0.001", "max_seconds", "--max-seconds 1000"),
    ] {
        let command = |limit: &str| gd(&format!("--starts 2 {limit} --save-dir {reason}"));
        folder.axonml(&command(limit)).done();
        let best = folder.json(&format!("{reason}/best.json"));
        assert_eq!(best["status"], format!("stopped: {reason}"));
        let thresholds = best["thresholds"].as_u64().unwrap();
        assert!((1..all).contains(&thresholds), "{thresholds} of {all}");
        assert!(best["verified"].is_object());
        assert!(
            number(&best["misclassified"]) <= number(&best["baselines"]["best"]["misclassified"])
        );

        folder.axonml(&command(&format!("{more} --resume"))).done();
        let mut resumed = folder.json(&format!("{reason}/best.json"));
        for time in ["seconds", "candidate_nerves_per_s"] {
            resumed[time] = whole[time].clone();
        }
        assert_eq!(resumed, whole);
    }
}

/// Results of early ends lie on the converter's grid, too.
#[test]
fn what_ends_early_obeys_all_the_same() {
    let folder = folder("ends-grid");
    let command = gd("--max-evaluations 19 --dac 0.03 --sum-zero --save-dir r");
    folder.axonml(&command).done();
    let best = folder.json("r/best.json");
    assert_eq!(best["status"], "stopped: max_evaluations");
    let currents = Currents::read(&folder, "r");
    assert!(currents.sum_ma() < 1e-9 * currents.largest_ma());
    for ma in super::numbers(&best["amplitudes_mA"]) {
        assert!((ma / 0.03 - (ma / 0.03).round()).abs() < 1e-9, "{ma}");
    }
}
