//! Pictures that are filled with other data: curves, maps, recruitment, runs of many fibers; and pages.

use axonml::simulation::RecruitmentStep;

use super::super::page::Page;
use super::super::scene::{Scene, Shape};
use super::*;

/// A strength-duration curve with its fit.
fn strength_duration(n: usize) -> CurvePlot {
    let series = |i: usize| {
        let rheobase = 0.1 * (1.0 + i as f64);
        let law = move |pw: f64| rheobase * (1.0 + 0.2 / pw);
        let widths = (0..9).map(|k| 0.01 * 10_f64.powf(f64::from(k) / 4.0));
        CurveSeries {
            label: format!("series {i}"),
            points: widths
                .map(|pw| (pw, (pw > 0.011).then(|| law(pw))))
                .collect(),
            joined: i.is_multiple_of(2),
            fit: Some(Fit {
                label: format!("Weiss {i}"),
                points: (0..100)
                    .map(|k| 0.01 * 10_f64.powf(f64::from(k) / 50.0))
                    .map(|pw| (pw, law(pw)))
                    .collect(),
            }),
        }
    };
    CurvePlot {
        title: "Strength-duration curves".to_owned(),
        subtitle: "monophasic, cathodic; point electrode 1000 µm from the fiber".to_owned(),
        x: Axis::new("pulse width (ms)", Spacing::Auto),
        y: Axis::new("threshold (mA)", Spacing::Log),
        series: (0..n).map(series).collect(),
        absent: "no threshold".to_owned(),
        notes: vec!["Rheobase and chronaxie by Weiss.".to_owned()],
    }
}

/// A map of states over frequency and amplitude, or of numbers.
fn map(states: bool) -> HeatMap {
    let (columns, rows) = (vec![1.0, 2.0, 5.0, 10.0, 20.0], vec![0.1, 0.2, 0.5, 1.0]);
    let n = columns.len() * rows.len();
    HeatMap {
        title: "Responses".to_owned(),
        subtitle: "sine; mrg, 10 µm".to_owned(),
        x: Axis::new("frequency (kHz)", Spacing::Log),
        y: Axis::new("amplitude (mA)", Spacing::Linear),
        columns,
        rows,
        cells: match states {
            true => Cells::States {
                names: ["transmitted", "excited", "blocked"]
                    .map(str::to_owned)
                    .to_vec(),
                values: (0..n).map(|i| (i != 7).then_some(i % 3)).collect(),
            },
            false => Cells::Numbers {
                title: "action potentials".to_owned(),
                spacing: Spacing::Linear,
                values: (0..n)
                    .map(|i| if i == 3 { f64::NAN } else { i as f64 })
                    .collect(),
            },
        },
        lines: vec![("block threshold".to_owned(), vec![(1.0, 0.2), (20.0, 0.9)])],
        notes: vec!["A remark.".to_owned()],
    }
}

fn recruited(n: usize) -> RecruitmentPlot {
    let group = |i: usize| RecruitmentGroup {
        label: format!("fascicle {i}"),
        steps: (1..=10)
            .map(|k| RecruitmentStep {
                amplitude_ma: 0.05 * f64::from(k) * (1.0 + i as f64),
                fraction: 0.1 * f64::from(k),
            })
            .collect(),
        faint: false,
    };
    RecruitmentPlot {
        title: "Recruitment".to_owned(),
        subtitle: "nerve N1".to_owned(),
        share: "fraction of fibers active".to_owned(),
        groups: (0..n).map(group).collect(),
        ..RecruitmentPlot::default()
    }
}

fn many(fibers: usize) -> RunsPlot {
    let t_ms: Vec<f64> = (0..500).map(|i| 0.01 * f64::from(i)).collect();
    let row = |i: usize| RunRow {
        label: i.to_string(),
        group: format!("{} µm", i * 2 / fibers),
        v_mv: t_ms
            .iter()
            .map(|t| -80.0 + 100.0 * (-(10.0 * (t - 1.0 - 0.001 * i as f64)).powi(2)).exp())
            .collect(),
        start_mm: (!i.is_multiple_of(7)).then_some(i as f64 * 0.01),
    };
    RunsPlot {
        title: "Runs".to_owned(),
        subtitle: "monophasic:pw=0.1".to_owned(),
        rows: "fiber".to_owned(),
        fibers: (0..fibers).map(row).collect(),
        z_mm: (-20.0, 20.0),
        strips: vec![Strip {
            label: "stimulus (mA)".to_owned(),
            values: vec![0.0; t_ms.len()],
        }],
        electrodes: vec![electrode(-4.0, -2.0, 1.0)],
        t_ms,
    }
}

#[test]
fn curves_have_markers_and_fits() {
    let svg = written("curves", &strength_duration(3));
    assert_eq!(count(&svg, "class=\"point\""), 3 * 8);
    assert_eq!(count(&svg, "class=\"point absent\""), 3);
    assert_holds(
        &svg,
        &[
            "series 2",
            "Weiss 1",
            "no threshold",
            "pulse width (ms)",
            "threshold (mA)",
            "0.01",
            "1",
            "monophasic, cathodic; point electrode 1000 µm from the fiber",
            "Rheobase and chronaxie by Weiss.",
        ],
    );
    assert!(svg.contains("<title>series 0: "));
    // A disc, a square and a triangle.
    assert!(svg.contains("<circle") && count(&svg, "Z\" class=\"point\"") == 16);
}

#[test]
fn a_thousand_curves_are_all_drawn() {
    let mut plot = strength_duration(1000);
    plot.series.iter_mut().for_each(|series| {
        series.fit = None;
        series.joined = true;
    });
    let svg = written("curves-many", &plot);
    let lines = svg
        .lines()
        .filter(|line| line.contains("stroke-width=\"1.4\""));
    assert_eq!(lines.count(), 1000);
    assert_holds(&svg, &["series 0", "… 1000 series …", "series 999"]);
}

#[test]
fn curves_may_be_of_names_or_without_values() {
    let mut plot = strength_duration(2);
    plot.series.truncate(1);
    plot.series[0].points = vec![(0.0, Some(1.0)), (1.0, Some(2.0)), (2.0, None)];
    plot.x.names = ["mono", "biphasic", "a very long name of a pulse indeed"]
        .map(str::to_owned)
        .to_vec();
    assert_holds(&written("curves-names", &plot), &["mono", "biphasic"]);
    let mut silent = strength_duration(2);
    for series in &mut silent.series {
        series.fit = None;
        series.points.iter_mut().for_each(|point| point.1 = None);
    }
    assert_holds(
        &written("curves-silent", &silent),
        &["no threshold anywhere"],
    );
    silent.series[0].points = vec![
        (f64::NAN, Some(1.0)),
        (5.0, Some(f64::INFINITY)),
        (5.0, Some(-1.0)),
    ];
    written("curves-odd", &silent);
}

#[test]
fn a_map_is_of_states_or_numbers() {
    let svg = written("map-states", &map(true));
    assert_holds(
        &svg,
        &[
            "transmitted",
            "excited",
            "blocked",
            "not known",
            "block threshold",
            "frequency (kHz)",
        ],
    );
    assert_eq!(count(&svg, "<image "), 1);
    let svg = written("map-numbers", &map(false));
    assert_holds(&svg, &["action potentials", "amplitude (mA)", "A remark."]);
    assert_eq!(count(&svg, "<image "), 2); // the map and its color bar
    let mut one = map(false);
    (one.columns, one.rows) = (vec![3.0], vec![0.5]);
    one.cells = Cells::Numbers {
        title: String::new(),
        spacing: Spacing::Log,
        values: vec![-1.0],
    };
    written("map-one", &one);
    one.rows.push(1.0);
    let refused = one.bytes(Format::Svg, &Page::default());
    assert!(matches!(
        refused,
        Err(PlotError::Shape {
            expected: 2,
            got: 1,
            ..
        })
    ));
}

/// Cells lie where their row and column are: the first row at the bottom.
#[test]
fn a_map_shows_each_cell_in_its_place() {
    let mut plot = map(true);
    (plot.columns, plot.rows) = (vec![1.0, 2.0], vec![1.0, 2.0, 3.0]);
    plot.x = Axis::new("x", Spacing::Linear);
    plot.cells = Cells::States {
        names: ["a", "b"].map(str::to_owned).to_vec(),
        values: vec![Some(0), Some(1), None, Some(1), Some(0), Some(0)],
    };
    let scene = plot.scene(Canvas::default()).unwrap();
    let images = scene.shapes.iter().filter_map(|shape| match shape {
        Shape::Image(image) => Some(image),
        _ => None,
    });
    let image = { images }.next_back().unwrap();
    assert_eq!(
        (image.columns, image.cells.as_slice()),
        (2, &[1, 1, 0, 2, 1, 2][..])
    );
}

#[test]
fn recruitment_has_a_curve_a_group() {
    let svg = written("recruitment", &recruited(4));
    assert_holds(
        &svg,
        &[
            "fascicle 3",
            "amplitude (mA)",
            "fraction of fibers active",
            "nerve N1",
        ],
    );
    assert!(written("recruitment-many", &recruited(30)).contains("fascicle 29"));
    let mut faint = recruited(5);
    for group in &mut faint.groups[1..] {
        group.faint = true;
        group.label = "each fascicle".to_owned();
    }
    let svg = written("recruitment-faint", &faint);
    assert_eq!(count(&svg, "each fascicle"), 1);
    let thin = |svg: &str| count(svg, "stroke-width=\"1.4\"");
    let bold = written("recruitment-five", &recruited(5));
    assert_eq!(thin(&svg), thin(&bold) + 4);
    let mut silent = recruited(1);
    silent.groups[0].steps.clear();
    assert_holds(
        &written("recruitment-none", &silent),
        &["no fiber has a threshold"],
    );
}

#[test]
fn runs_of_many_fibers_are_all_drawn() {
    for fibers in [5, 36, 1000] {
        let svg = written("runs", &many(fibers));
        let silent = fibers.div_ceil(7);
        assert_eq!(count(&svg, "class=\"start\""), fibers - silent);
        assert_eq!(count(&svg, "class=\"start none\""), silent);
        let said = format!(
            "{fibers} fibers, all drawn; in {} an action potential arrives",
            fibers - silent
        );
        assert_holds(
            &svg,
            &[
                &said,
                "0 µm",
                "1 µm",
                "stimulus (mA)",
                "electrode",
                "none arrives",
            ],
        );
    }
    // Lines between as many groups as fibers would leave nothing to see.
    let mut single = many(1000);
    for (i, fiber) in single.fibers.iter_mut().enumerate() {
        fiber.group = i.to_string();
    }
    let lines = |svg: &str| count(svg, "stroke=\"#ffffff\" stroke-width=\"3\"");
    assert_eq!(lines(&written("runs-single", &single)), 0);
    assert_eq!(lines(&written("runs-two", &many(36))), 2);
    let mut short = many(5);
    short.fibers[2].v_mv.pop();
    let refused = short.bytes(Format::Svg, &Page::default());
    assert!(matches!(
        refused,
        Err(PlotError::Shape {
            expected: 500,
            got: 499,
            ..
        })
    ));
}

#[test]
fn pages_have_the_size_that_was_asked_for() {
    let page = |size: &str, dpi| Page {
        size: Some(size.parse().unwrap()),
        dpi,
    };
    let pictures: [&dyn Picture; 4] = [
        &strength_duration(3),
        &map(true),
        &recruited(3),
        &nerve(20, &[10.0], |i, _| Some(1.0 + i as f64)),
    ];
    for picture in pictures {
        for size in ["85x60", "180x240", "40x40"] {
            let svg = picture.bytes(Format::Svg, &page(size, None)).unwrap();
            let svg = String::from_utf8(svg).unwrap();
            let (width, height) = size.split_once('x').unwrap();
            assert!(svg.contains(&format!("width=\"{width}mm\" height=\"{height}mm\"")));
        }
        let png = picture
            .bytes(Format::Png, &page("127x254", Some(100.0)))
            .unwrap();
        let side = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
        assert_eq!((side(16), side(20)), (500, 1000));
        let physical = png.windows(4).position(|bytes| bytes == b"pHYs").unwrap();
        assert_eq!(side(physical + 4), 3937); // pixels per meter
    }
    let huge = strength_duration(1).bytes(Format::Png, &page("2000x2000", Some(2400.0)));
    let text = huge.unwrap_err().to_string();
    assert!(text.contains("--dpi") && text.contains("pixels"), "{text}");
}

#[test]
fn nothing_of_a_curve_lies_beyond_its_page() {
    let page = Page {
        size: "60x45".parse().ok(),
        dpi: None,
    };
    let mut plot = strength_duration(2);
    plot.x.title = "a title of an axis that is much longer than the axis itself (mm)".to_owned();
    let scene: Scene = page.fitted(plot.scene(page.canvas()).unwrap());
    for shape in &scene.shapes {
        if let Shape::Text(text) = shape
            && !text.upward
        {
            let width = super::super::scene::text_width(&text.content, text.size, text.bold);
            assert!(width <= scene.width, "{}", text.content);
            assert!(
                (0.0..=scene.height).contains(&text.at.1),
                "{}",
                text.content
            );
        }
    }
}
