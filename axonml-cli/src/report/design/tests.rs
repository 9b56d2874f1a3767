//! Reports of designs, complete and with every part missing.

use std::path::Path;

use axonml::design::{Baseline, DesignRecord, DesignResult, FiberResult, HistoryRow};

use super::*;
use crate::pictures::design::sample::{pareto, record};

const HEADINGS: [&str; 11] = [
    "What to deliver",
    "What it activates",
    "Cross-section before and after",
    "Recruitment",
    "Convergence",
    "Pareto front",
    "Robustness",
    "Comparison with montages",
    "Fibers by threshold",
    "What was not verified",
    "Request",
];

const LARGEST: usize = 2_000_000;

fn complete() -> DesignRecord {
    let mut record = record();
    record.result.pareto = pareto();
    record
}

fn assert_lines_fit(text: &str) {
    for line in text.lines() {
        assert!(line.chars().count() <= 100, "too long: {line}");
        assert_eq!(line, line.trim_end());
    }
}

/// A page asks nothing of any other, and no text of a user is taken for mark-up.
fn assert_self_contained(page: &str) {
    for part in [
        "http://", "https://", "<script", "<link", "url(", "@import", "src=", "<\"&'>",
    ] {
        assert!(!page.contains(part), "the page holds `{part}`");
    }
    assert!(!page.contains("NaN") && !page.contains("inf\""));
    assert!(page.len() < LARGEST, "{} bytes", page.len());
    assert!(page.ends_with("</html>\n"));
}

#[test]
fn text_begins_with_what_each_contact_delivers() {
    let text = text(&record(), Some(Path::new("optimize-N1")));
    assert_lines_fit(&text);
    let deliver = text.find("deliver ").unwrap();
    assert!(deliver < text.find("activates").unwrap());
    // Positive amplitudes of a waveform that begins with -1 are cathodic first.
    for row in [
        "0   -0.0610  200.0  12.2   0.0610  200.0  12.2  -0.3 to 0.3",
        "1    0.0284  200.0   5.7  -0.0284  200.0   5.7  -0.3 to 0.3",
        "3   -0.3000  200.0  60.0   0.3000  200.0  60.0  -0.3 to 0.3",
        "5    0.2071  200.0  41.4  -0.2071  200.0  41.4  -0.3 to 0.3",
    ] {
        assert!(text.contains(row), "no row `{row}` in\n{text}");
    }
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "negative currents are cathodic",
        "100.0 % of the target area, 0.0 % of the off-target area; 0.0 % misclassified (verified)",
        "the amplitude may drift from 0.747 to 1.338 times this",
        "1.791: the first off-target fiber fires at 1.791 times",
        "reached: bound of contact 3 (0.3 mA)",
        "mrg, f64, dt 0.005 ms, 53 to 71 nodes",
        "fiber 7 does not do what its threshold or the search said",
        "the action potential of fiber 9 begins at an end",
        "32 perturbed copies: target 99.2 % on average",
        "rotation: the contacts lie at different places",
        "better than the best montage: separation 1.791, not 1.660",
        "tripolar 3 against 4 and 5",
        "528 threshold searches",
        "21.4 s",
        "report.html",
    ] {
        assert!(words.contains(part), "no `{part}` in\n{text}");
    }
}

#[test]
fn text_names_fibers_that_do_what_they_should_not() {
    let mut design = record();
    design.result.verified = None;
    design.result.limits_active.clear();
    design.result.robust = None;
    design.result.separation = Some(0.84);
    let mut numbers = [usize::MAX; 2];
    for fiber in &mut design.result.fibers {
        let place = &mut numbers[usize::from(fiber.target)];
        if *place == usize::MAX {
            *place = fiber.fiber;
            fiber.active = !fiber.target;
        }
    }
    let text = text(&design, None);
    assert_lines_fit(&text);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let [extra, missed] = numbers;
    for part in [
        format!(
            "fiber {missed} of the targets does not fire; fiber {extra} fires though off-target"
        ),
        "(not verified)".to_owned(),
        "0.840: no amplitude activates all targets alone".to_owned(),
        "none is reached".to_owned(),
        "--html FILE".to_owned(),
    ] {
        assert!(text.contains(&part), "no `{part}` in\n{text}");
    }
}

#[test]
fn windows_and_separations_without_an_end_are_told() {
    let of = |window: [Option<f64>; 2], separation: Option<f64>| {
        let mut design = record();
        (design.result.window, design.result.separation) = (window, separation);
        text(&design, None)
    };
    let open = of([Some(0.9), None], None);
    assert!(
        open.contains("down to 0.900 times this and upward without a known end"),
        "{open}"
    );
    assert!(
        open.contains("unlimited: no off-target fiber fires"),
        "{open}"
    );
    let below = of([Some(0.0), Some(1.25)], Some(0.0));
    assert!(below.contains("up to 1.250 times this"), "{below}");
    assert!(
        below.contains("0: a target fiber fires at no amplitude"),
        "{below}"
    );
    assert!(of([None, None], None).contains("it is not known how far"));
}

/// Less area counts first, then separation; a difference of sums of weights is none.
#[test]
fn the_comparison_follows_the_order_of_results() {
    let of = |misclassified: f64, separation: f64| {
        let mut design = record();
        let best = design.result.baselines.get_mut("best").unwrap();
        (best.misclassified, best.separation) = (misclassified, Some(separation));
        super::words::compared(&design).unwrap()
    };
    assert!(of(0.053, 9.0).starts_with("better than the best montage: 0.0 % of the area"));
    assert!(
        of(1e-12, 1.5).starts_with("better than the best montage: separation 1.791, not 1.500")
    );
    assert!(of(0.0, 2.0).contains("separates less than the best montage: 1.791, not 2.000"));
    let mut worse = record();
    worse.result.misclassified = 0.1;
    let words = super::words::compared(&worse).unwrap();
    assert!(
        words.starts_with("worse than the best montage: 10.0 %"),
        "{words}"
    );
}

#[test]
fn a_scan_shows_the_best_of_each_kind_and_ten_montages() {
    let mut scan = record();
    scan.result.method = "scan".to_owned();
    let best = scan.result.baselines["best"].clone();
    let ranked = |n: usize| Baseline {
        contacts: vec![n, n + 1, n + 2],
        amplitudes_ma: vec![0.01 * (n + 1) as f64; 40],
        ..best.clone()
    };
    let all: Vec<Baseline> = (0..30).map(ranked).collect();
    let text = scan_text(&scan, &all, None);
    assert_lines_fit(&text);
    assert!(text.contains("best 10 of 30 montages"));
    assert!(
        text.contains("10  9 against 10 and 11    -0.1000"),
        "{text}"
    );
    assert!(!text.contains("10 against 11 and 12"));
    for kind in ["monopolar", "bipolar", "tripolar", "best"] {
        assert!(text.contains(&format!("  {kind} ")), "{text}");
    }
    assert!(
        !text.contains("found"),
        "it is compared with itself\n{text}"
    );
    assert!(scan_text(&scan, &all[..3], None).contains("all 3 montages"));
    assert_lines_fit(&scan_text(&DesignRecord::default(), &[], None));
}

#[test]
fn a_page_has_every_section_and_needs_nothing_else() {
    let page = html(&[complete()]);
    assert_self_contained(&page);
    for heading in HEADINGS {
        assert!(
            page.contains(&format!("<h3>{heading}</h3>")),
            "no `{heading}`"
        );
    }
    assert_eq!(page.matches("<svg ").count(), 6);
    assert_eq!(page.matches("<details>").count(), 3);
    // The request holds `<"&'>`.
    assert!(
        page.contains("selective &lt;\\&quot;&amp;'&gt;"),
        "the request is not escaped"
    );
    let opened = |tag: &str| {
        page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count()
    };
    for tag in [
        "table", "tr", "td", "div", "p", "h3", "figure", "svg", "text", "details", "ul", "li",
        "dl", "pre",
    ] {
        assert_eq!(
            opened(tag),
            page.matches(&format!("</{tag}>")).count(),
            "<{tag}>"
        );
    }
}

#[test]
fn mark_up_in_names_is_text() {
    let mut design = complete();
    let name = "<\"&'><script>";
    design.result.nerve = name.to_owned();
    design.result.objective = name.to_owned();
    design.result.status = name.to_owned();
    design.result.limits_active = vec![name.to_owned()];
    design.result.starts[0].init = name.to_owned();
    design.result.fibers[0].group = name.to_owned();
    design.request["objectives"] = [name, name].into_iter().collect();
    let robust = design.result.robust.as_mut().unwrap();
    robust.left_out = vec![name.to_owned()];
    robust.by.insert(name.to_owned(), 0.1);
    design.result.verified.as_mut().unwrap().model = name.to_owned();
    assert_self_contained(&html(&[design.clone(), design]));
}

#[test]
fn parts_that_are_missing_are_said_to_be() {
    type Change = fn(&mut DesignRecord);
    let changes: [(Change, &str); 7] = [
        (
            |r| {
                r.result
                    .fibers
                    .iter_mut()
                    .for_each(|fiber| fiber.xy_um = None)
            },
            "It is not known where the fibers lie",
        ),
        (|r| r.history.clear(), "There is no history."),
        (
            |r| r.result.robust = None,
            "The response to small changes was not looked at.",
        ),
        (
            |r| r.result.verified = None,
            "was not run again in double precision",
        ),
        (
            |r| r.result.baselines.clear(),
            "Montages were not looked at.",
        ),
        (
            |r| r.result.fibers.clear(),
            "The thresholds of fibers are not known.",
        ),
        (
            |r| r.result.status = "interrupted".to_owned(),
            "not finished (interrupted)",
        ),
    ];
    let mut bare = complete();
    bare.geometry = None;
    for (change, words) in changes {
        assert!(
            !html(&[complete()]).contains(words),
            "`{words}` of a complete design"
        );
        let mut without = complete();
        change(&mut without);
        let page = html(std::slice::from_ref(&without));
        assert_self_contained(&page);
        assert!(page.contains(words), "no `{words}`");
        assert_lines_fit(&text(&without, None));
        change(&mut bare);
        assert_self_contained(&html(std::slice::from_ref(&bare)));
        assert_lines_fit(&text(&bare, None));
    }
    let nothing = DesignRecord::default();
    assert_lines_fit(&text(&nothing, None));
    assert_self_contained(&html(&[nothing]));
    assert_self_contained(&html(&[]));
}

#[test]
fn amplitudes_are_told_where_currents_are_not_known() {
    let mut design = record();
    design.currents_ma.clear();
    let told = text(&design, None);
    assert_lines_fit(&told);
    assert!(
        told.contains("amplitude mA     us  nC / phase   allowed mA"),
        "{told}"
    );
    assert!(
        told.contains("      3        0.3000  200.0        60.0  -0.3 to 0.3"),
        "{told}"
    );
    assert!(told.contains("amplitudes are multiples of the waveform"));
}

#[test]
fn waveforms_are_told_by_their_range() {
    let mut design = record();
    design.result.waveform = Some("waveforms.csv".to_owned());
    for (contact, currents) in design.currents_ma.iter_mut().enumerate() {
        for (step, ma) in currents.iter_mut().enumerate() {
            let t = step as f64 / 500.0;
            *ma = 0.1 * (contact as f64 + 1.0) * (std::f64::consts::TAU * t).sin();
        }
    }
    let told = text(&design, None);
    assert_lines_fit(&told);
    assert!(told.contains("least mA  largest mA"), "{told}");
    assert!(told.contains("-0.6000      0.6000"), "{told}");
    assert!(told.contains("waveforms.csv"));
    let page = html(&[design]);
    assert_self_contained(&page);
    assert!(page.contains(">range of the current (mA)</text>"));
}

/// A large request on large nerves: more fibers, steps and starts than a page has room for.
#[test]
fn the_largest_page_is_below_two_megabytes() {
    let mut large = complete();
    let fiber = |i: usize| FiberResult {
        fiber: i,
        xy_um: Some([(i % 173) as f64 * 14.7, (i / 173) as f64 * 13.3]),
        threshold: Some(0.3 + 0.001_234_567 * i as f64),
        baseline_threshold: Some(0.2 + 0.001_134_567 * i as f64),
        weight: 1e-4,
        diameter_um: 5.7,
        group: "a group".to_owned(),
        fascicle: Some(i % 40),
        target: i.is_multiple_of(3),
        ..FiberResult::default()
    };
    large.result.fibers = (0..12_000).map(fiber).collect();
    let wave = |contact: usize| {
        let at = move |step: usize| 0.1 * ((step * (contact + 3)) as f64 * 0.017).sin();
        (0..20_000).map(at).collect()
    };
    large.currents_ma = (0..40).map(wave).collect();
    large.times_ms = (0..20_000).map(|step| 0.005 * step as f64).collect();
    large.result.amplitudes_ma = vec![0.1; 40];
    let row = |i: usize| HistoryRow {
        start: i / 1000,
        iteration: i % 1000,
        loss: 1.0 / (1.0 + i as f64),
        misclassified: 1.0 / (2.0 + (i % 1000) as f64),
        separation: Some(1.0 + 0.001_234 * (i % 1000) as f64),
        ..HistoryRow::default()
    };
    large.history = (0..60_000).map(row).collect();
    large.result.pareto = (0..5000).flat_map(|_| pareto()).collect();
    large.request["list"] = vec!["é <&> \"".repeat(20); 10_000].into();
    for n in [1, 3, 20] {
        let page = html(&vec![large.clone(); n]);
        assert_self_contained(&page);
    }
}

#[test]
fn several_nerves_have_an_overview() {
    let mut other = complete();
    other.result = DesignResult {
        nerve: "N2".to_owned(),
        offtarget_pct: 12.3,
        ..other.result
    };
    let page = html(&[complete(), other]);
    assert_self_contained(&page);
    assert!(page.contains("Selective stimulation of 2 nerves"));
    assert!(page.contains("<td>N2</td><td class=\"n\">100.0</td><td class=\"n\">12.3</td>"));
    // Both are of one request.
    assert_eq!(page.matches("<summary>all settings</summary>").count(), 1);
}
