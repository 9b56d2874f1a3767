//! `axonml optimize report`: the report of a finished or an interrupted run again.

use super::{done, folder, gd};

#[test]
fn a_finished_run_is_told_again() {
    let folder = folder("reports");
    let run = folder
        .axonml(&gd("--starts 1 --save-dir r --format json"))
        .done();
    let again = folder.axonml("optimize report r --format json").done();
    assert_eq!(again.json()["results"], run.json()["results"]);
    assert_eq!(again.json()["request"], run.json()["request"]);

    let text = folder.axonml("optimize report r").done().stdout;
    for part in [
        "Selective stimulation of nerve n",
        "deliver",
        "activates",
        "verified",
        "montages",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let amplitude = folder.json("r/best.json")["amplitudes_mA"][0]
        .as_f64()
        .unwrap();
    assert!(
        text.contains(&format!("{:.4}", amplitude.abs())),
        "{amplitude}: {text}"
    );
    assert!(folder.has("r/report.html"));

    let files = folder.files();
    let answer = folder
        .axonml("optimize report r --html again.html --plot again.svg")
        .done();
    assert!(answer.stdout.contains("deliver"));
    let page = folder.text("again.html");
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("<svg"));
    for request in ["http://", "https://", "src=\"//"] {
        let found = page
            .match_indices(request)
            .map(|(at, _)| &page[at..at + 40]);
        let links: Vec<&str> = found.filter(|link| !link.contains("www.w3.org")).collect();
        assert!(links.is_empty(), "{links:?}");
    }
    assert!(page.len() < 2_000_000);
    assert!(folder.text("again.svg").starts_with("<svg"));
    assert_eq!(folder.files().len(), files.len() + 2);
}

#[test]
fn an_interrupted_run_is_told_too() {
    let folder = folder("reports-interrupted");
    let command = gd("--starts 1 --max-evaluations 19 --save-dir r");
    folder.axonml(&command).done();
    let text = folder.axonml("optimize report r").done().stdout;
    assert!(text.contains("stopped: max_evaluations"), "{text}");
    // As a kill leaves it: the best so far, as its search has it.
    let mut best = folder.json("r/best.json");
    best["status"] = "running".into();
    best["verified"] = serde_json::Value::Null;
    best["baselines"] = serde_json::json!({});
    folder.write("r/best.json", best.to_string());
    std::fs::remove_file(folder.0.join("r/history.csv")).unwrap();
    let answer = folder
        .axonml("optimize report r --html r.html --plot r.svg")
        .done();
    let words: Vec<&str> = answer.stdout.split_whitespace().collect();
    assert!(
        words.join(" ").contains("(not verified)"),
        "{}",
        answer.stdout
    );
    assert!(folder.has("r.html") && folder.has("r.svg"));
}

#[test]
fn what_is_no_run_is_refused() {
    let folder = folder("reports-none");
    for (what, parts) in [
        (
            "nowhere",
            &[
                "nowhere",
                "expected the folder of an optimization",
                "--save-dir",
            ][..],
        ),
        (
            "n",
            &[
                "n/request.json",
                "expected the folder of an optimization",
                "--save-dir",
            ],
        ),
        ("n/0.npy", &["n/0.npy", "--save-dir"]),
    ] {
        folder
            .axonml(&format!("optimize report {what} --html r.html"))
            .refused(parts);
    }
    // Begun, and killed before anything was found.
    done(&folder, &gd("--starts 1"), "r");
    std::fs::remove_file(folder.0.join("r/best.json")).unwrap();
    folder.axonml("optimize report r --html r.html").refused(&[
        "r/best.json",
        "found nothing yet",
        "--resume",
    ]);
    folder.write("r/best.json", "{}");
    folder
        .axonml("optimize report r --html r.html")
        .refused(&["r/best.json", "found no currents"]);
    assert!(!folder.has("r.html"));
}
