//! Figures of designs, complete and with every part missing.

use std::path::PathBuf;

use axonml::design::{DesignRecord, DesignResult};

use super::sample::{pareto, record};
use super::*;
use crate::plot::{Format, Page};

fn svg(records: &[DesignRecord]) -> String {
    let bytes = figure(records)
        .bytes(Format::Svg, &Page::default())
        .unwrap();
    let text = String::from_utf8(bytes).unwrap();
    assert_well_formed(&text);
    text
}

/// Every element is closed where it should be, and no coordinate is a word.
fn assert_well_formed(svg: &str) {
    assert!(
        !svg.contains("NaN") && !svg.contains("inf\""),
        "a coordinate is no number"
    );
    let mut open: Vec<&str> = Vec::new();
    for piece in svg.split('<').skip(1) {
        let (tag, text) = piece.split_once('>').expect("every tag ends");
        assert!(!text.contains('>'), "text holds a bare >: {text}");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name));
        } else if !tag.ends_with('/') {
            open.push(tag.split_whitespace().next().unwrap_or_default());
        }
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
    }
    assert!(open.is_empty(), "not closed: {open:?}");
}

fn count(text: &str, part: &str) -> usize {
    text.matches(part).count()
}

#[test]
fn a_design_shows_all_its_panels() {
    let mut design = record();
    design.result.pareto = pareto();
    design.request["study"]["protocol"]["objectives"] = "area,charge".into();
    let svg = svg(&[design]);
    for words in [
        "Selective stimulation of nerve N1: gd, objective selective",
        "Thresholds across the nerve",
        "best montage: 3 against 4 and 5",
        "found: gd",
        "cathodic first",
        "target fascicle",
        "never fires",
        "Recruitment over amplitude",
        "delivered",
        "Currents of the contacts",
        "first phase (mA)",
        "−0.300",
        "Convergence",
        "start 0 (tripolar 3, 4, 5), the best",
        "5 other starts",
        "Pareto front",
        "area",
        "charge",
    ] {
        assert!(svg.contains(&format!(">{words}</text>")), "no `{words}`");
    }
    // Twelve fibers in two views, two of which never fire after.
    assert_eq!(count(&svg, "class=\"fiber\""), 22);
    assert_eq!(count(&svg, "class=\"fiber silent\""), 2);
    assert_eq!(count(&svg, ", target: fires from"), 8);
    assert!(!svg.contains("misclassified</text>"), "no fiber is");
}

#[test]
fn fibers_that_do_what_they_should_not_are_marked() {
    let mut design = record();
    let spared = design.result.fibers.iter_mut().find(|fiber| !fiber.target);
    spared.unwrap().active = true;
    assert!(svg(&[design]).contains(">misclassified</text>"));
}

/// Without fascicles the four targets have a ring each, in both views.
#[test]
fn targets_are_marked_where_fascicles_do_not_tell() {
    let ring = "fill=\"none\" stroke=\"#de8a1d\"";
    let whole = svg(&[record()]);
    let mut bare = record();
    bare.geometry = None;
    let rings = |svg: &str| {
        svg.lines()
            .filter(|line| line.starts_with("<circle") && line.contains(ring))
            .count()
    };
    assert_eq!((rings(&whole), rings(&svg(&[bare]))), (0, 8));
}

#[test]
fn parts_that_are_missing_are_left_out() {
    type Change = fn(&mut DesignRecord);
    let changes: [(Change, &str); 7] = [
        (|r| r.geometry = None, "target fascicle</text>"),
        (|r| r.history.clear(), "Convergence"),
        (|r| r.result.fibers.clear(), "Recruitment over amplitude"),
        (|r| r.times_ms.clear(), "time (ms)"),
        (|r| r.bounds_ma.clear(), "allowed"),
        (|r| r.result.baselines.clear(), "best montage</text>"),
        (|r| r.result.verified = None, "verified (mrg"),
    ];
    let whole = svg(&[record()]);
    let mut bare = record();
    for (change, words) in changes {
        assert!(whole.contains(words), "no `{words}` in the whole");
        let mut without = record();
        change(&mut without);
        assert!(!svg(&[without]).contains(words), "`{words}` without it");
        change(&mut bare);
        svg(std::slice::from_ref(&bare));
    }
    let silent = |fiber: &mut FiberResult| {
        (fiber.threshold, fiber.baseline_threshold, fiber.active) = (None, None, false);
    };
    let mut none = record();
    none.result.fibers.iter_mut().for_each(silent);
    none.result.window = [None, None];
    none.result.separation = None;
    none.history
        .iter_mut()
        .for_each(|row| row.separation = None);
    assert!(svg(&[none]).contains("no fiber has a threshold"));
}

#[test]
fn numbers_that_are_none_are_not_drawn() {
    let mut odd = record();
    odd.result.amplitudes_ma = vec![f64::NAN; 6];
    odd.currents_ma = vec![vec![f64::NAN; 500]; 6];
    odd.bounds_ma = vec![[f64::NEG_INFINITY, f64::INFINITY]; 6];
    for (i, fiber) in odd.result.fibers.iter_mut().enumerate() {
        fiber.threshold = [Some(f64::NAN), Some(0.0), Some(-1.0), Some(1e300)][i % 4];
        fiber.xy_um = Some([f64::NAN, f64::INFINITY])
            .filter(|_| i % 3 == 0)
            .or(fiber.xy_um);
        fiber.weight = if i % 2 == 0 { f64::NAN } else { 0.0 };
    }
    for row in &mut odd.history {
        (row.misclassified, row.separation) = (f64::NAN, Some(f64::INFINITY));
    }
    svg(&[odd]);
}

/// Two diameters at each place lie beside each other.
#[test]
fn fibers_of_one_place_are_all_drawn() {
    let mut design = record();
    let large = design.result.fibers.clone().into_iter();
    let large = large.map(|fiber| FiberResult {
        diameter_um: 8.7,
        ..fiber
    });
    design.result.fibers.extend(large.collect::<Vec<_>>());
    let svg = svg(&[design]);
    assert_eq!(count(&svg, "class=\"fiber\""), 44);
    assert!(svg.contains("from the left 5.7, 8.7 µm."));
}

#[test]
fn a_montage_is_not_compared_with_itself() {
    let mut scan = record();
    scan.result.method = "scan".to_owned();
    scan.history.clear();
    let svg = svg(&[scan]);
    assert!(svg.contains("Selective stimulation of nerve N1: best of all montages"));
    assert_eq!(count(&svg, "class=\"fiber\""), 10);
}

#[test]
fn several_designs_lie_below_each_other() {
    let one = svg(&[record()]);
    let ten = svg(&vec![record(); 10]);
    assert_eq!(count(&ten, ">Convergence</text>"), 8);
    assert!(ten.contains("2 more designs not drawn."));
    assert_eq!(count(&one, ">Convergence</text>"), 1);
    let nothing = DesignRecord {
        result: DesignResult::default(),
        ..DesignRecord::default()
    };
    assert!(
        figure(&[nothing])
            .bytes(Format::Svg, &Page::default())
            .is_err()
    );
}

#[test]
fn figures_are_written_as_svg_and_png() {
    let folder = std::env::temp_dir().join(format!("axonml-design-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = |name: &str| -> PathBuf { folder.join(name) };
    let layout = Layout::default();
    draw(&[record()], &path("a.svg"), &layout).unwrap();
    draw(&[record()], &path("a.png"), &layout).unwrap();
    let text = std::fs::read_to_string(path("a.svg")).unwrap();
    let bytes = std::fs::read(path("a.png")).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    let side = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    let size = format!("width=\"{}\" height=\"{}\"", side(16), side(20));
    assert!(text.contains(&size), "{size}");
    let asked = Layout {
        x: Some("threshold".to_owned()),
        ..Layout::default()
    };
    let refused = draw(&[record()], &path("a.svg"), &asked).unwrap_err();
    assert!(refused.message().contains("--x threshold has no effect"));
}
