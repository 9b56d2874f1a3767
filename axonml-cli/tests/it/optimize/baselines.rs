//! Results are never worse than a montage, and `axonml threshold` says the same of their currents.

use serde_json::Value;

use super::{QUICK, de, done, folder, gd, number, numbers, weight};

/// Whether a result is at least as good as the best montage: its area, then its separation to 1e-3.
#[track_caller]
fn not_worse(best: &Value) {
    for kind in ["monopolar", "bipolar", "tripolar", "best"] {
        let baseline = &best["baselines"][kind];
        let [found, known] = [best, baseline].map(|of| number(&of["misclassified"]));
        assert!(found < known + 1e-9, "{kind}: {found} {known}");
        if found > known - 1e-9 {
            let [found, known] = [best, baseline].map(|of| number(&of["separation"]));
            assert!(found > known * (1.0 - 1e-3), "{kind}: {found} {known}");
        }
    }
}

/// The figures of a result follow from its fibers, and from the definitions.
#[track_caller]
fn is_consistent(best: &Value) {
    let fibers = best["fibers"].as_array().unwrap();
    let (mut wrong, mut last_target, mut first_other) = (0.0, 0.0_f64, f64::INFINITY);
    for (place, fiber) in fibers.iter().enumerate() {
        let share = number(&fiber["weight"]);
        assert!((share - weight(place)).abs() < 1e-12);
        let is_target = fiber["target"] == true;
        let least = fiber["threshold"].as_f64().unwrap_or(f64::INFINITY);
        assert_eq!(fiber["active"] == true, least <= 1.0, "{fiber}");
        if (fiber["active"] == true) != is_target {
            wrong += share;
        }
        match is_target {
            true => last_target = last_target.max(least),
            false => first_other = first_other.min(least),
        }
    }
    assert!((number(&best["misclassified"]) - wrong).abs() < 1e-12);
    // -ln 1e-7 of what is wrong, -ln (1 - 1e-7) of the rest.
    let wbce = 16.118_095_650_958_32 * wrong + 1.000_000_05e-7 * (1.0 - wrong);
    assert!((number(&best["wbce"]) - wbce).abs() < 1e-9);
    assert!((number(&best["separation"]) - first_other / last_target).abs() < 1e-12);
    assert_eq!(numbers(&best["window"]), [last_target, first_other]);
    let verified = &best["verified"];
    assert_eq!(verified["model"], "mrg");
    assert_eq!(verified["precision"], "f64");
    assert_eq!(number(&verified["dt_ms"]), 0.04);
    assert_eq!(numbers(&verified["nodes"]), [53.0, 53.0]);
    assert_eq!(verified["disagreeing_fibers"], serde_json::json!([]));
    for figure in [
        "target_pct",
        "offtarget_pct",
        "misclassified",
        "wbce",
        "separation",
    ] {
        assert_eq!(verified[figure], best[figure], "{figure}");
    }
}

#[test]
fn no_montage_is_better_whatever_the_objective() {
    let folder = folder("baselines");
    let [descent, evolution] = [
        gd("--starts 1").replace("--steps 2", "--steps 1"),
        de("").replace("--generations 2", "--generations 1"),
    ];
    for (method, command, objectives) in [
        ("gd", descent, ["selective", "margin", "area", "jaccard"]),
        ("de", evolution, ["selective", "wbce", "dice", "hamming"]),
    ] {
        for objective in objectives {
            let command = format!("{command} --objective {objective}");
            let best = done(&folder, &command, &format!("{method}-{objective}"));
            assert_eq!(best["objective"], objective);
            assert_eq!(best["method"], method);
            not_worse(&best);
            is_consistent(&best);
        }
    }
}

/// The thresholds of a result, its area and its margin, are those that `axonml threshold` finds of the same currents.
#[test]
fn thresholds_are_those_of_the_same_currents() {
    let folder = folder("baselines-threshold");
    let best = done(&folder, &gd("--starts 1"), "r");
    assert!(number(&best["separation"]) > 1.0);
    let contacts: Vec<String> = numbers(&best["amplitudes_mA"])
        .iter()
        .map(f64::to_string)
        .collect();
    let answer = folder
        .axonml(&format!(
            "threshold --nerve n --diameter 5.7 {QUICK} --pulse biphasic:pw=0.2,delay=0.2 --contacts={} --format json",
            contacts.join(",")
        ))
        .done();
    let answer = answer.json();
    let rows = answer["results"].as_array().unwrap();
    let fibers = best["fibers"].as_array().unwrap();
    assert_eq!((rows.len(), fibers.len()), (4, 4));
    let mut thresholds = Vec::new();
    for (row, fiber) in rows.iter().zip(fibers) {
        assert_eq!(row["status"], "ok");
        // Currents in mA as factors: the amplitude is the multiple of the stimulus.
        let [of_command, of_result] = [number(&row["threshold_mA"]), number(&fiber["threshold"])];
        assert!(
            (of_command / of_result - 1.0).abs() < 1e-4,
            "{of_command} {of_result}"
        );
        thresholds.push(of_command);
    }
    let area: f64 = (0..4)
        .filter(|&fiber| (thresholds[fiber] <= 1.0) != (fiber < 2))
        .map(weight)
        .sum();
    assert!((area - number(&best["misclassified"])).abs() < 1e-12);
    let separation = thresholds[2].min(thresholds[3]) / thresholds[0].max(thresholds[1]);
    assert!((separation / number(&best["separation"]) - 1.0).abs() < 2e-4);
}
