//! Requests that cannot be optimized are refused before anything is written; fibers that cannot be had are said to be.

use super::{de, folder, gd, nerve, number};
use crate::support::Folder;

/// Files of the small nerve that do not fit: the file, its bytes by `fill`, and parts of the message.
type Unfit = (&'static str, fn(&Folder), &'static [&'static str]);

const UNFIT: &[Unfit] = &[
    (
        "no target",
        |folder| std::fs::remove_file(folder.0.join("n/target.npy")).unwrap(),
        &["target", "--target"],
    ),
    (
        "all targets",
        |folder| folder.npy("n/target.npy", &[4], |_| true),
        &["no fiber that should be spared", "--target"],
    ),
    (
        "no targets",
        |folder| folder.npy("n/target.npy", &[4], |_| false),
        &["no fiber that should fire", "--target"],
    ),
    (
        "more targets than lines",
        |folder| folder.npy("n/target.npy", &[5], |fiber| fiber < 2),
        &["target", "expected 4, found 5"],
    ),
    (
        "fewer weights than lines",
        |folder| folder.npy("n/weights.npy", &[3], |_| 1.0 / 3.0),
        &["weights", "expected 4, found 3"],
    ),
    (
        "weights that do not add up",
        |folder| folder.npy("n/weights.npy", &[4], |_| 0.2),
        &["sum of weights", "0.8", "expected 1", "divide the weights"],
    ),
    (
        "a weight below 0",
        |folder| folder.npy("n/weights.npy", &[4], |fiber| [-0.1, 0.4, 0.4, 0.3][fiber]),
        &["weight of fiber 0", "-0.1", "expected 0 or more"],
    ),
    (
        "a weight that is none",
        |folder| folder.npy("n/weights.npy", &[4], |_| f64::NAN),
        &["weights has NaN", "index 0"],
    ),
    (
        "fewer lines of a contact",
        |folder| folder.npy("n/2.npy", &[3, super::SAMPLES], |_| 1.0),
        &[
            "contact 2",
            "expected (fibers, samples) = (4, 275)",
            "found (3, 275)",
        ],
    ),
];

#[test]
fn nerves_that_do_not_fit() {
    for (number, (what, spoil, parts)) in UNFIT.iter().enumerate() {
        let folder = folder(&format!("refusals-nerve-{number}"));
        spoil(&folder);
        let answer = folder.axonml(&gd("--save-dir r")).refused(parts);
        assert!(answer.stdout.is_empty(), "{what}: {answer:#?}");
        assert!(!folder.has("r"), "{what}");
    }
}

/// Each: settings of a descent, and parts of the message.
const REFUSED: &[(&str, &[&str])] = &[
    ("--bounds none.csv", &["none.csv"]),
    (
        "--bounds header.csv",
        &[
            "header.csv",
            "found the columns `contact,low,high`",
            "contact,min_mA,max_mA",
        ],
    ),
    (
        "--bounds word.csv",
        &["word.csv", "line 2", "`0,x,1`", "two currents in mA"],
    ),
    (
        "--bounds cells.csv",
        &["cells.csv", "line 2", "`0,1`", "two currents in mA"],
    ),
    (
        "--bounds crossed.csv",
        &[
            "crossed.csv",
            "line 3",
            "`1,0.2,0.2`",
            "the lower one first",
        ],
    ),
    (
        "--bounds nan.csv",
        &["nan.csv", "line 2", "two finite currents"],
    ),
    (
        "--bounds twice.csv",
        &["twice.csv", "line 3", "each contact once"],
    ),
    (
        "--bounds nine.csv",
        &["nine.csv", "line 2", "a contact from 0 to 2"],
    ),
    (
        "--objective quotient --recruit 0.5",
        &["recruit", "objective quotient", "--recruit"],
    ),
    ("--init zero", &["found zero", "quotient"]),
    ("--init none.json", &["none.json"]),
    ("--init torn.json", &["torn.json"]),
    ("--init other.json", &["other.json", "amplitudes_mA"]),
    (
        "--init two.json",
        &["two.json", "found 2 amplitudes, expected 3"],
    ),
    ("--init amplitudes:0.1", &["found 1 amplitudes, expected 3"]),
    (
        "--vary amplitude,pw",
        &["tstop", "1.4 ms", "--pw-range", "--tstop"],
    ),
    ("--nerve n", &["nerves: found n twice", "--nerve"]),
    ("--nerve two --shared", &["2 contacts", "3", "--shared"]),
    (
        "--nerve bare --shared --compliance 0.4 --vary pulses",
        &["pulses", "amplitude"],
    ),
    ("--save-every 0", &["--save-every"]),
    ("--max-seconds 0", &["--max-seconds", "0", "greater than 0"]),
    ("--max-evaluations 0", &["--max-evaluations", "0"]),
];

#[test]
fn requests_that_make_no_sense() {
    let folder = folder("refusals");
    let bounds = |name: &str, rows: &str| {
        folder.write(
            &format!("{name}.csv"),
            format!("contact,min_mA,max_mA\n{rows}"),
        );
    };
    folder.write("header.csv", "contact,low,high\n0,-1,1\n");
    bounds("word", "0,x,1\n");
    bounds("cells", "0,1\n");
    bounds("crossed", "0,-1,1\n1,0.2,0.2\n");
    bounds("nan", "0,NaN,1\n");
    bounds("twice", "0,-1,1\n0,-2,1\n");
    bounds("nine", "9,-1,1\n");
    folder.write("torn.json", "{\"amplitudes_mA\": [1,");
    folder.write("other.json", "{\"amplitudes\": [1, 2, 3]}");
    folder.write("two.json", "{\"amplitudes_mA\": [1, 2]}");
    nerve(&folder, "two", 0.0, &[]);
    std::fs::remove_file(folder.0.join("two/2.npy")).unwrap();
    std::fs::remove_file(folder.0.join("two/nerve.json")).unwrap();
    let before = folder.files();
    for (settings, parts) in REFUSED {
        folder
            .axonml(&gd(&format!("{settings} --save-dir r")))
            .refused(parts);
        assert_eq!(folder.files(), before, "{settings}");
    }
    folder
        .axonml(&de("--init two.json --save-dir r"))
        .refused(&["two.json", "found 2 amplitudes, expected 3"]);
    assert_eq!(folder.files(), before);
}

/// Limits that need what the nerve does not tell.
#[test]
fn contacts_of_which_nothing_is_known() {
    let folder = folder("refusals-contacts");
    std::fs::remove_file(folder.0.join("n/nerve.json")).unwrap();
    folder.axonml(&gd("--shannon 1.85 --save-dir r")).refused(&[
        "shannon_k: found 1.85",
        "contact 0 of unknown area",
        "--contact-area",
        "nerve.json",
    ]);
    folder
        .axonml(&gd("--compliance 0.4 --save-dir r"))
        .refused(&[
            "compliance_V: found 0.4",
            "unknown impedance",
            "impedance_ohm",
            "nerve.json",
        ]);
    assert!(!folder.has("r"));
}

/// All targets, and all others, fire when nothing is delivered.
#[test]
fn fibers_that_fire_by_themselves_are_named() {
    let folder = folder("refusals-spontaneous");
    for (command, into) in [(gd("--starts 1"), "gd"), (de(""), "de")] {
        let answer = folder.axonml(&format!(
            "{command} --set reversal.el=-40 --save-dir {into}"
        ));
        answer.refused(&[
            "nerve n, fiber 0",
            "fires without stimulus",
            "change its membrane or start",
        ]);
        assert!(!folder.has(&format!("{into}/best.json")));
    }
}

/// A target that no stimulus fires: the rest is done as well as it can be, and it is said.
#[test]
fn targets_out_of_reach() {
    let folder = Folder::new("optimize-refusals-silent");
    nerve(&folder, "n", 0.0, &[0]);
    for (command, into) in [(gd("--starts 1"), "gd"), (de(""), "de")] {
        let answer = folder
            .axonml(&format!("{command} --save-dir {into}"))
            .done();
        assert!(!answer.stdout.contains("NaN"), "{answer:#?}");
        assert!(
            answer
                .stdout
                .contains("fiber 0 of the targets does not fire"),
            "{}",
            answer.stdout
        );
        let best = folder.json(&format!("{into}/best.json"));
        // Of 14 parts, the silent target has 2.
        assert!((number(&best["misclassified"]) - 2.0 / 14.0).abs() < 1e-12);
        assert_eq!(number(&best["separation"]), 0.0);
        assert!(best["fibers"][0]["threshold"].is_null());
        assert_eq!(best["fibers"][0]["active"], false);
        for figure in [
            "target_pct",
            "offtarget_pct",
            "wbce",
            "charge_nC",
            "energy",
            "peak_mA",
            "sum_mA",
        ] {
            assert!(number(&best[figure]).is_finite(), "{figure}");
        }
    }
}

/// No fiber fires at any amplitude that is tried: nothing is what serves best, and no number is made up.
#[test]
fn nerves_out_of_reach() {
    let folder = Folder::new("optimize-refusals-dead");
    nerve(&folder, "n", 0.0, &[0, 1, 2, 3]);
    for (command, into) in [(gd("--starts 1"), "gd"), (de(""), "de")] {
        let command = format!("{command} --save-dir {into}");
        let answer = folder.axonml(&command).done();
        assert!(!answer.stdout.contains("NaN"), "{answer:#?}");
        let best = folder.json(&format!("{into}/best.json"));
        // The targets are 5 of 14 parts.
        assert!(
            (number(&best["misclassified"]) - 5.0 / 14.0).abs() < 1e-12,
            "{best}"
        );
        assert_eq!(number(&best["target_pct"]), 0.0);
        assert_eq!(number(&best["separation"]), 0.0);
    }
}

/// No other fiber is ever reached: any stimulus that is strong enough separates, and no number is made up.
#[test]
fn others_out_of_reach() {
    let folder = Folder::new("optimize-refusals-alone");
    nerve(&folder, "n", 0.0, &[2, 3]);
    let answer = folder.axonml(&gd("--starts 1 --save-dir r")).done();
    assert!(
        answer.stdout.contains("separation  unlimited"),
        "{}",
        answer.stdout
    );
    let best = folder.json("r/best.json");
    assert_eq!(number(&best["misclassified"]), 0.0);
    assert!(best["separation"].is_null() && best["window"][1].is_null());
    assert!(number(&best["window"][0]) < 1.0);
}
