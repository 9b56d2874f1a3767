//! Every picture as SVG and PNG, with ordinary and awkward data.

mod blocks;

use std::path::PathBuf;

use super::*;

/// Writes `picture` in both formats and returns the SVG.
fn written(name: &str, picture: &dyn Picture) -> String {
    let dir = std::env::temp_dir().join(format!("axonml-plot-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let (svg, png) = (
        dir.join(format!("{name}.svg")),
        dir.join(format!("{name}.PNG")),
    );
    picture.save(&svg, &Page::default()).unwrap();
    picture.save(&png, &Page::default()).unwrap();
    let (text, bytes) = (
        std::fs::read_to_string(&svg).unwrap(),
        std::fs::read(&png).unwrap(),
    );
    std::fs::remove_file(svg).unwrap();
    std::fs::remove_file(png).unwrap();
    assert!(bytes.starts_with(b"\x89PNG\r\n\x1a\n"), "{name}");
    let side = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    let size = format!("width=\"{}\" height=\"{}\"", side(16), side(20));
    assert!(text.contains(&size) && side(16) >= 1600, "{name}: {size}");
    assert!(
        !text.contains("NaN") && !text.contains("inf\""),
        "{name} has coordinates that are no numbers"
    );
    text
}

fn count(svg: &str, part: &str) -> usize {
    svg.matches(part).count()
}

fn assert_holds(svg: &str, labels: &[&str]) {
    for label in labels {
        assert!(
            svg.contains(&format!(">{label}</text>")),
            "no label `{label}`"
        );
    }
}

fn electrode(from: f64, to: f64, factor: f64) -> Electrode {
    Electrode {
        label: "7".to_owned(),
        z_mm: (from, to),
        factor,
    }
}

/// `fibers` with a wave that leaves the middle, over 5 ms.
fn run(fibers: usize, nodes: usize, steps: usize) -> RunPlot {
    let t_ms: Vec<f64> = (0..steps).map(|i| 5.0 * i as f64 / steps as f64).collect();
    let fiber = |i: usize| {
        let z_um: Vec<f64> = (0..nodes)
            .map(|n| (n as f64 - nodes as f64 / 2.0) * 1000.0)
            .collect();
        let v =
            |t: f64, z: f64| -80.0 + 110.0 * (-(20.0 * (t - 1.0 - z.abs() / 5e4)).powi(2)).exp();
        let v_mv = t_ms
            .iter()
            .flat_map(|t| z_um.iter().map(move |z| v(*t, *z)))
            .collect();
        FiberTrace {
            label: format!("fiber {i}"),
            v_mv,
            z_um,
            start: Some((nodes / 2, 1.0)),
            detection: vec![nodes / 10, nodes - 1 - nodes / 10],
        }
    };
    let values = t_ms
        .iter()
        .map(|t| if (1.0..1.1).contains(t) { -1.0 } else { 0.0 })
        .collect();
    let strip = Strip {
        label: "stimulus (mA)".to_owned(),
        values,
    };
    RunPlot {
        title: "A run <1>".to_owned(),
        subtitle: "monophasic:pw=0.1".to_owned(),
        electrodes: vec![electrode(0.0, 0.0, 1.0), electrode(2.0, 4.0, -0.5)],
        fibers: (0..fibers).map(fiber).collect(),
        t_ms,
        strips: vec![strip],
    }
}

fn nerve(
    fibers: usize,
    diameters: &[f64],
    threshold: impl Fn(usize, f64) -> Option<f64>,
) -> NervePlot {
    let point = |i: usize, d: f64| {
        let threshold_ma = threshold(i, d);
        let status = if threshold_ma.is_some() {
            "ok"
        } else {
            "no_activation"
        }
        .to_owned();
        ThresholdPoint {
            diameter_um: d,
            threshold_ma,
            status,
        }
    };
    let fiber = |i: usize| {
        let (r, angle) = (1100.0 * (i as f64 / fibers as f64).sqrt(), 2.4 * i as f64);
        FiberThresholds {
            x_um: r * angle.cos(),
            y_um: r * angle.sin(),
            weight: 1.0,
            points: diameters.iter().map(|d| point(i, *d)).collect(),
        }
    };
    let disc = |i: usize| Contact {
        shape: ContactShape::Disc {
            theta_deg: 60.0 * i as f64,
            diameter_mm: 2.0,
        },
        factor: [1.0, -0.5, 0.0][i % 3],
    };
    NervePlot {
        title: "A nerve".to_owned(),
        subtitle: "monophasic:pw=0.1".to_owned(),
        electrodes: (0..6)
            .map(|i| electrode(f64::from(i), f64::from(i) + 2.0, 0.0))
            .collect(),
        nerve_radius_mm: Some(1.3),
        cuff_inner_radius_mm: Some(1.4),
        fascicles: vec![
            Fascicle {
                x_mm: 0.3,
                y_mm: 0.3,
                radius_mm: 0.4,
                target: true,
            },
            Fascicle {
                x_mm: -0.5,
                y_mm: -0.2,
                radius_mm: 0.3,
                target: false,
            },
        ],
        contacts: (0..6).map(disc).collect(),
        fibers: (0..fibers).map(fiber).collect(),
    }
}

fn evaluation(n: usize, groups: usize, error_pct: f64) -> EvaluationPlot {
    let point = |i: usize| {
        let reference_ma = 0.01 * 10_f64.powf(3.0 * i as f64 / n as f64);
        let error = error_pct * (7.3 * i as f64).sin();
        Prediction {
            reference_ma,
            predicted_ma: reference_ma * (1.0 + 0.01 * error),
            group: format!("group {}", i % groups),
        }
    };
    EvaluationPlot {
        title: "An evaluation".to_owned(),
        subtitle: "diameter 10 µm".to_owned(),
        points: (0..n).map(point).collect(),
    }
}

#[test]
fn a_run_shows_traces_map_and_stimulus() {
    let svg = written("run", &run(1, 53, 1001));
    assert_holds(
        &svg,
        &[
            "A run &lt;1&gt;",
            "fiber 0",
            "monophasic:pw=0.1",
            "node 5 detection",
            "26 start",
            "47 detection",
            "electrode",
            "reversed",
            "time (ms)",
            "position (mm)",
            "membrane potential (mV)",
            "stimulus (mA)",
        ],
    );
    assert_eq!(count(&svg, "<image "), 2); // the map and its color bar
    assert_eq!(count(&svg, ">stimulus (mA)<"), 1);
    assert_eq!(count(&svg, "class=\"start\""), 1);
}

#[test]
fn a_run_of_many_fibers_says_what_it_leaves_out() {
    let svg = written("run-many", &run(7, 11, 101));
    assert_eq!(count(&svg, "<image "), 5);
    assert_holds(&svg, &["fiber 3", "3 more fibers not drawn"]);
    assert!(!svg.contains(">fiber 4<"));
}

#[test]
fn a_run_may_be_tiny_flat_uneven_or_broken() {
    written("run-tiny", &run(1, 1, 1));
    let mut flat = run(2, 5, 20);
    flat.strips.clear();
    flat.fibers[0].v_mv.fill(-80.0);
    flat.fibers[1].v_mv.fill(-80.0);
    flat.fibers[1].z_um = vec![0.0, 1.0, 10.0, 100.0, 1000.0];
    assert!(!written("run-flat", &flat).contains("stimulus (mA)"));
    let mut broken = run(1, 5, 20);
    broken.fibers[0].v_mv[30..].fill(f64::NAN);
    written("run-broken", &broken);
    broken.fibers[0].v_mv.fill(f64::NAN);
    written("run-none", &broken);
}

#[test]
fn a_nerve_shows_each_fiber_at_each_diameter() {
    let diameters = [5.7, 8.7, 12.8];
    let svg = written(
        "nerve",
        &nerve(150, &diameters, |i, d| {
            (i % 10 != 0).then(|| (1.0 + i as f64) / d)
        }),
    );
    assert_eq!(count(&svg, "class=\"fiber\""), 3 * 135);
    assert_eq!(count(&svg, "class=\"fiber silent\""), 3 * 15);
    assert_holds(
        &svg,
        &[
            "5.7 µm",
            "12.8 µm",
            "threshold (mA)",
            "amplitude (mA)",
            "fraction of fibers active",
            "no threshold (no activation)",
            "contacts along the nerve (mm)",
            "monophasic:pw=0.1",
            "target fascicle",
            "contact with the waveform",
            "contact with the waveform reversed",
            "contact not used",
            "Multiples of the waveform: contact 0 × +1, contact 1 × −0.5, contact 3 × +1, contact 4 × −0.5.",
        ],
    );
    assert!(svg.contains("<title>fiber 1, 5.7 µm: 0.3509 mA</title>"));
}

#[test]
fn a_nerve_may_lack_geometry_thresholds_or_fibers() {
    let equal = |_, _| Some(0.25);
    written("nerve-equal", &nerve(12, &[10.0], equal));
    let svg = written("nerve-silent", &nerve(12, &[5.7, 10.0], |_, _| None));
    assert_holds(&svg, &["no fiber has a threshold"]);
    assert_eq!(count(&svg, "class=\"fiber\""), 0);
    let svg = written(
        "nerve-diameters",
        &nerve(3, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0], equal),
    );
    assert_holds(
        &svg,
        &["Of 9 diameters, 3 cross-sections and 8 curves are drawn."],
    );
    for fibers in [1, 40] {
        let fibers = nerve(fibers, &[10.0], equal).fibers;
        let plot = NervePlot {
            title: "Fibers only".to_owned(),
            fibers,
            ..NervePlot::default()
        };
        written("nerve-bare", &plot);
    }
    let mut points = nerve(5, &[10.0], |i, _| {
        [Some(f64::NAN), Some(-1.0), Some(0.0), Some(1e-9), Some(1e9)][i]
    });
    points.contacts[0].shape = ContactShape::Point {
        x_mm: 2.0,
        y_mm: 0.0,
    };
    points.contacts[1].shape = ContactShape::Ring {
        theta_deg: 0.0,
        arc_deg: 360.0,
    };
    let svg = written("nerve-odd", &points);
    assert_eq!(
        [
            count(&svg, "class=\"fiber\""),
            count(&svg, "class=\"fiber silent\"")
        ],
        [2, 3]
    );
}

#[test]
fn an_evaluation_shows_pairs_and_the_summary() {
    for error_pct in [0.002, 20.0, 0.0] {
        let svg = written("evaluation", &evaluation(400, 5, error_pct));
        assert_eq!(count(&svg, "class=\"pair\""), 400);
        assert_holds(
            &svg,
            &[
                "group 4",
                "reference threshold (mA)",
                "error (% of the reference)",
                "MAPE",
                "400",
            ],
        );
    }
    written("evaluation-one", &evaluation(1, 1, 1.0));
    assert_holds(
        &written("evaluation-groups", &evaluation(100, 13, 1.0)),
        &["13 groups"],
    );
    let mut outlier = evaluation(200, 2, 1.0);
    outlier.points[50].predicted_ma *= 2.0;
    outlier.points[51].predicted_ma = f64::NAN;
    let svg = written("evaluation-outlier", &outlier);
    assert_holds(
        &svg,
        &[
            "1 beyond →",
            "1 row without a positive reference and prediction not drawn",
        ],
    );
}

#[test]
fn a_log_shows_loss_and_validation() {
    let curve = |label: &str, values: &[f64]| LogCurve {
        label: label.to_owned(),
        points: (1..).map(f64::from).zip(values.iter().copied()).collect(),
    };
    let panel = |name: &str, curves: Vec<LogCurve>| (name.to_owned(), curves);
    let mut plot = TrainingPlot {
        title: "Training in out".to_owned(),
        stages: vec![3.0],
        panels: vec![
            panel(
                "loss",
                vec![
                    curve("training", &[3.0, 2.0, 0.0, f64::NAN, 0.5]),
                    curve("validation", &[2.5]),
                ],
            ),
            panel("error of thresholds (%)", vec![curve("mean", &[])]),
        ],
    };
    let svg = written("log", &plot);
    assert_holds(&svg, &["loss", "step", "training", "validation"]);
    assert!(
        !svg.contains("error of thresholds"),
        "a panel without points"
    );
    assert_eq!(
        count(&svg, "<circle"),
        4,
        "one for each value that a logarithm has"
    );
    plot.panels[1].1[0] = curve("mean", &[20.0, 4.0]);
    assert_holds(
        &written("log-both", &plot),
        &["error of thresholds (%)", "mean"],
    );
}

#[test]
fn nothing_to_plot_is_an_error() {
    let file = PathBuf::from("never-written.svg");
    let empty: [&dyn Picture; 8] = [
        &TrainingPlot::default(),
        &RunPlot::default(),
        &NervePlot::default(),
        &RunsPlot::default(),
        &CurvePlot::default(),
        &HeatMap::default(),
        &RecruitmentPlot::default(),
        &EvaluationPlot::default(),
    ];
    for picture in empty {
        assert!(matches!(
            picture.save(&file, &Page::default()),
            Err(PlotError::Empty { .. })
        ));
    }
    let mut short = run(1, 5, 20);
    short.strips[0].values.pop();
    assert!(matches!(
        short.save(&file, &Page::default()),
        Err(PlotError::Shape {
            expected: 20,
            got: 19,
            ..
        })
    ));
    let mut short = run(1, 5, 20);
    short.fibers[0].v_mv.pop();
    assert!(matches!(
        short.save(&file, &Page::default()),
        Err(PlotError::Shape {
            expected: 100,
            got: 99,
            ..
        })
    ));
    assert!(!file.exists());
}

#[test]
fn only_svg_and_png_are_written() {
    for name in ["plot.pdf", "plot", "plot.svg.gz"] {
        let error = evaluation(3, 1, 1.0)
            .save(Path::new(name), &Page::default())
            .unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, PlotError::Extension { .. }), "{name}");
        assert!(
            text.contains(name) && text.contains(".svg") && text.contains(".png"),
            "{text}"
        );
    }
    for name in ["missing-directory/a.svg", "missing-directory/a.png"] {
        let error = evaluation(3, 1, 1.0)
            .save(Path::new(name), &Page::default())
            .unwrap_err();
        assert!(matches!(error, PlotError::Write { .. }), "{name}: {error}");
    }
}

#[test]
fn the_same_data_gives_the_same_picture() {
    let plot = nerve(40, &[5.7, 8.7], |i, d| Some((1.0 + i as f64) / d));
    assert_eq!(written("same", &plot), written("same", &plot));
}
