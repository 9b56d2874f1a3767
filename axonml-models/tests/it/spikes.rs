//! Amplitudes that fire a fiber, and the places: crossings that are no action potential, end excitation, windows.

use std::path::PathBuf;
use std::sync::Arc;

use axonml_core::{Extension, Field, Interpolation, Medium, PointSource, Superposition, Waveform};
use axonml_models::{
    Detection, Device, Extents, Fiber, FiberLength, FiberStatus, NodeSelection, Settings,
    Simulation, Stimulus, Threshold, ThresholdKind, ThresholdSearch, model, read_nerve,
};
use proptest::prelude::*;

use crate::golden::path;
use crate::neuron::{Case, cases, stimulus};

fn point(x_um: f64, z_um: f64) -> Arc<dyn Field> {
    Arc::new(PointSource {
        x_um,
        y_um: 0.0,
        z_um,
        medium: Medium::isotropic(500.0),
    })
}

fn without_sodium() -> Settings {
    Settings {
        parameters: vec![("gna".into(), 0.0), ("gnap".into(), 0.0)],
        ..Settings::default()
    }
}

/// The threshold of an MRG fiber of 10 um and 53 nodes.
fn threshold(settings: &Settings, field: Arc<dyn Field>, pulse: &str) -> Threshold {
    let fiber = vec![Fiber::new(10.0, 53)];
    let device = Device::cpu().unwrap();
    let simulation = Simulation::new(&model("mrg").unwrap(), fiber, settings, &device).unwrap();
    let stimulus = Stimulus::uniform(1, field, pulse.parse().unwrap());
    let search = ThresholdSearch::default();
    simulation
        .thresholds(&stimulus, &search, &mut |_| ())
        .unwrap()[0]
}

const PULSE: &str = "monophasic:pw=0.1,delay=0.1";

#[test]
fn fibers_without_sodium_have_no_action_potentials_however_strong_the_stimulus() {
    let cases = cases();
    let fibers = |case: &Case| Fiber::new(case.diameter_um, 53);
    let fibers: Vec<Fiber> = cases.iter().map(fibers).collect();
    let device = Device::cpu().unwrap();
    let simulation =
        Simulation::new(&model("mrg").unwrap(), fibers, &without_sodium(), &device).unwrap();
    let anywhere = Detection {
        sites: NodeSelection::All,
        ..Detection::default()
    };
    let mut crossed = 0;
    for factor in [1.0, 3.0, 10.0, 100.0] {
        let amplitudes: Vec<f64> = cases.iter().map(|c| factor * c.threshold_ma).collect();
        let observer = axonml_models::ObserverSpec::new(
            axonml_models::ObserverKind::ActionPotentialCount,
            NodeSelection::All,
        );
        let run = simulation
            .run_detected(&stimulus(&cases), amplitudes, &anywhere, &[observer])
            .unwrap();
        for ((case, start), fiber) in cases.iter().zip(&run.starts).zip(&run.outcome.fibers) {
            assert_eq!(*start, None, "{case:?} at {factor} times its threshold");
            let axonml_models::Observation::Count(counts) = &fiber.observations[0] else {
                panic!("counts")
            };
            crossed += usize::from(counts.iter().any(|count| *count > 0));
        }
    }
    // Nodes do cross the level: it is not for lack of crossings that none counts.
    assert!(crossed > 50, "{crossed}");
}

#[test]
fn a_polarized_node_is_an_artifact() {
    // Over node 5, which it brings above 0 mV.
    let found = threshold(&without_sodium(), point(1000.0, -24_150.0), PULSE);
    assert_eq!(found.status(), "artifact", "{found:?}");
    assert_eq!((found.upper_ma(), found.start()), (None, None));
}

/// An action potential that has no time to arrive is a failure of propagation, though stronger stimuli only polarize.
#[test]
fn a_run_that_is_too_short_is_no_artifact() {
    let short = Settings {
        tstop_ms: 0.5,
        ..Settings::default()
    };
    let found = threshold(&short, point(1000.0, 0.0), PULSE);
    assert_eq!(found.status(), "propagation_failure", "{found:?}");
}

#[test]
fn a_spike_that_begins_at_an_end_says_so() {
    let found = threshold(&Settings::default(), point(1000.0, 29_900.0), PULSE);
    let Threshold::Found {
        upper_ma,
        start,
        kind: ThresholdKind::EndExcitation,
        ..
    } = found
    else {
        panic!("{found:?}")
    };
    assert!((upper_ma - 0.1139).abs() < 1e-4, "{upper_ma}");
    assert_eq!(start.node, 52);
    assert!(start.z_um > 29_000.0 && (0.1..1.0).contains(&start.time_ms));
    // Over the middle the same electrode excites the fiber itself.
    let found = threshold(&Settings::default(), point(1000.0, 0.0), PULSE);
    assert_eq!(found.status(), "ok");
    assert_eq!(found.start().unwrap().node, 26);
}

/// A sealed end is felt as far as a length constant: sqrt(d / (4 ra g)), 500 um at 1 um diameter with the leak alone,
/// 0.1 mS/cm2 and 100 ohm cm.
#[test]
fn a_spike_that_begins_within_a_length_constant_of_an_end_says_so() {
    let found = |nodes: usize, z_um: f64| {
        let settings = Settings {
            tstop_ms: 20.0,
            ..Settings::default()
        };
        let fiber = vec![Fiber::new(1.0, nodes)];
        let device = Device::cpu().unwrap();
        let sundt = model("sundt").unwrap();
        let simulation = Simulation::new(&sundt, fiber, &settings, &device).unwrap();
        let pulse = "monophasic:pw=1,delay=0.1".parse().unwrap();
        let stimulus = Stimulus::uniform(1, point(60.0, z_um), pulse);
        let search = ThresholdSearch::default();
        simulation
            .thresholds(&stimulus, &search, &mut |_| ())
            .unwrap()[0]
    };
    // The same electrode, 160 um from the end of a fiber of 1 mm, and far from the ends of one of 5 mm.
    let near = found(121, 340.0);
    let last_um = 60.0 * 25.0 / 3.0;
    let from_end_um = last_um - near.start().unwrap().z_um;
    assert_eq!(near.status(), "end_excitation", "{near:?}");
    assert!((100.0..500.0).contains(&from_end_um), "{near:?}");
    assert_eq!(found(601, 340.0).status(), "ok");
}

#[test]
fn an_amplitude_that_blocks_is_not_the_lowest_that_fires() {
    // 5 um off a node for 1 ms: at 1 uA propagation already fails, and 52 uA excites again beyond the block. An
    // independent run fires and conducts at 1.6e-4 mA and not at 1.5e-4.
    let found = threshold(&Settings::default(), point(5.0, 0.0), "monophasic:pw=1");
    let (lower, upper) = (found.lower_ma().unwrap(), found.upper_ma().unwrap());
    assert!(1.5e-4 < upper && lower < 1.6e-4, "{found:?}");
    assert_eq!(found.status(), "ok");
}

/// The golden brackets of thin fibers, which 53 nodes miss by up to 80 %; and that the default extent is long enough.
#[test]
fn thin_fibers_in_nerves_fire_within_the_brackets_of_neuron() {
    let mut table = csv::Reader::from_path(path("nerves/thin_fibers.csv")).unwrap();
    let headers = table.headers().unwrap().clone();
    let column = |name: &str| headers.iter().position(|header| header == name).unwrap();
    let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 72);
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../examples/nerves");
    let nerves = ["N1", "B1"].map(|name| (name, read_nerve(&folder.join(name)).unwrap()));
    let text = |row: &csv::StringRecord, name: &str| row[column(name)].to_owned();
    let number = |row: &csv::StringRecord, name: &str| text(row, name).parse::<f64>().unwrap();

    let fiber = |row: &csv::StringRecord| {
        let nodes = number(row, "n_nodes") as usize;
        [Fiber::new(number(row, "diameter_um"), nodes); 2]
    };
    let settings = Settings {
        tstop_ms: 12.0,
        ..Settings::default()
    };
    let mrg = model("mrg").unwrap();
    let device = Device::cpu().unwrap();
    let fibers = rows.iter().flat_map(fiber).collect();
    let simulation = Simulation::new(&mrg, fibers, &settings, &device).unwrap();
    let mut stimulus = Stimulus::none(2 * rows.len());
    let mut amplitudes = Vec::new();
    let mut extents = Extents::new(&mrg, &settings).unwrap();
    for (index, row) in rows.iter().enumerate() {
        let (_, nerve) = nerves
            .iter()
            .find(|(name, _)| *name == text(row, "nerve"))
            .unwrap();
        let contacts: Vec<f64> = text(row, "contacts")
            .split(',')
            .map(|factor| factor.parse().unwrap())
            .collect();
        let line = number(row, "fibre") as usize;
        let (cubic, refuse) = (Interpolation::Cubic, Extension::Refuse);
        let field: Arc<dyn Field> =
            Arc::new(nerve.field(line, &contacts, cubic, 0.0, refuse).unwrap());
        let shape = text(row, "shape");
        let pulse = Waveform::from_shape(&shape, number(row, "pw_ms"), number(row, "delay_ms"));
        let pulse = Arc::new(pulse.unwrap());
        for at in 0..2 {
            stimulus = stimulus.source(2 * index + at, field.clone(), pulse.clone());
        }
        amplitudes.extend([number(row, "lower_bound_mA"), number(row, "threshold_mA")]);
        let diameter = number(row, "diameter_um");
        let extent = extents
            .resolve(FiberLength::Default, diameter, None, Some(&*field))
            .unwrap();
        assert!(
            !extent.ends_driven && extent.nodes > 53,
            "{row:?}: {extent:?}"
        );
    }
    let run = simulation
        .run_detected(&stimulus, amplitudes, &Detection::default(), &[])
        .unwrap();
    for (row, pair) in rows.iter().zip(run.starts.chunks(2)) {
        assert_eq!(pair[0], None, "{row:?} fires at its lower bound");
        let Some((start, false)) = pair[1] else {
            panic!("{row:?}: {:?}", pair[1])
        };
        // Several nodes may cross in one step; the table names the lowest.
        let first = number(row, "first_node");
        assert!(
            (start.node as f64 - first).abs() <= 2.0,
            "{row:?}: {start:?}"
        );
        let time_ms = number(row, "first_crossing_ms");
        assert!(
            (start.time_ms - time_ms).abs() <= 0.0051,
            "{row:?}: {start:?}"
        );
    }
    assert!(
        run.outcome
            .fibers
            .iter()
            .all(|f| f.status == FiberStatus::Completed)
    );
}

/// Searches with and without early ends give the same brackets, to the bit.
#[track_caller]
fn assert_early_ends_change_nothing(simulation: &Simulation, stimulus: &Stimulus) {
    let search = |early_end| {
        let search = ThresholdSearch {
            early_end,
            ..ThresholdSearch::default()
        };
        simulation
            .thresholds(stimulus, &search, &mut |_| ())
            .unwrap()
    };
    let (with, without) = (search(true), search(false));
    assert_eq!(with, without);
    assert!(
        with.iter().all(|threshold| threshold.upper_ma().is_some()),
        "{with:?}"
    );
}

#[test]
fn trials_that_end_early_change_no_threshold_of_myelinated_fibers() {
    let all = cases();
    let some: Vec<Case> = all.into_iter().step_by(9).collect();
    let device = Device::cpu().unwrap();
    for id in ["mrg", "two-mode", "smf"] {
        let fibers = some.iter().map(|case| Fiber::new(case.diameter_um, 53));
        let settings = Settings::default();
        let simulation =
            Simulation::new(&model(id).unwrap(), fibers.collect(), &settings, &device).unwrap();
        assert_early_ends_change_nothing(&simulation, &stimulus(&some));
    }
}

#[test]
fn trials_that_end_early_change_no_threshold_of_c_fibers() {
    let settings = Settings {
        tstop_ms: 12.0,
        ..Settings::default()
    };
    let device = Device::cpu().unwrap();
    let fibers = [0.5, 1.0, 2.0]
        .map(|diameter| Fiber::new(diameter, 181))
        .to_vec();
    let simulation = Simulation::new(&model("sundt").unwrap(), fibers, &settings, &device).unwrap();
    for pulse in [
        "monophasic:pw=1,delay=0.1",
        "biphasic:pw=0.4",
        "monophasic:pw=0.1",
    ] {
        let stimulus = Stimulus::uniform(3, point(250.0, 0.0), pulse.parse().unwrap());
        assert_early_ends_change_nothing(&simulation, &stimulus);
    }
}

/// The threshold of a short fiber whose field and largest amplitude are scaled alike.
fn scaled(factor: f64) -> Threshold {
    let settings = Settings {
        tstop_ms: 1.5,
        ..Settings::default()
    };
    let fiber = vec![Fiber::new(10.0, 21)];
    let device = Device::cpu().unwrap();
    let simulation = Simulation::new(&model("mrg").unwrap(), fiber, &settings, &device).unwrap();
    let field = Superposition::new([(factor, point(1000.0, 300.0))]).unwrap();
    let stimulus = Stimulus::uniform(1, Arc::new(field), PULSE.parse().unwrap());
    let search = ThresholdSearch {
        detection: Detection::at_nodes(&[2, -3]),
        max_ma: 20.0 / factor,
        ..ThresholdSearch::default()
    };
    simulation
        .thresholds(&stimulus, &search, &mut |_| ())
        .unwrap()[0]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_stronger_field_has_a_lower_threshold_in_proportion(exponent in -20_i32..=20) {
        let factor = 2.0_f64.powi(exponent);
        let (plain, other) = (scaled(1.0), scaled(factor));
        let bounds = |t: &Threshold| [t.lower_ma().unwrap(), t.upper_ma().unwrap()];
        prop_assert_eq!(bounds(&plain), bounds(&other).map(|ma| ma * factor));
        prop_assert_eq!(plain.start(), other.start());
    }

    #[test]
    fn so_it_has_for_factors_that_are_no_powers_of_two(exponent in -6.0_f64..6.0) {
        let factor = 10.0_f64.powf(exponent);
        let (plain, other) = (scaled(1.0), scaled(factor));
        let (lower, upper) = (other.lower_ma().unwrap() * factor, other.upper_ma().unwrap() * factor);
        let rounding = 1e-9 * upper;
        prop_assert!(lower <= plain.upper_ma().unwrap() + rounding);
        prop_assert!(upper >= plain.lower_ma().unwrap() - rounding);
    }
}

/// Detection where the stimulus acts sees a fiber fire in several ranges of amplitudes: which of them is found depends on
/// nothing but the fiber, neither on others in the search nor on early ends.
#[test]
fn several_ranges_of_firing_do_not_depend_on_companions() {
    let settings = Settings {
        precision: axonml_models::Precision::F32,
        dt_ms: 0.01,
        tstop_ms: 3.0,
        ..Settings::default()
    };
    let device = Device::cpu().unwrap();
    let options = ThresholdSearch {
        detection: Detection {
            sites: NodeSelection::Nodes(vec![10]),
            ..Detection::default()
        },
        ..ThresholdSearch::default()
    };
    let plain = ThresholdSearch {
        early_end: false,
        ..options.clone()
    };
    let diameters_um = [9.802, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0];
    let pulse: Arc<Waveform> = Arc::new("monophasic:pw=0.1,delay=0.1".parse().unwrap());
    let thresholds = |diameters_um: &[f64], options: &ThresholdSearch| {
        let fibers: Vec<Fiber> = diameters_um.iter().map(|&d| Fiber::new(d, 21)).collect();
        let count = fibers.len();
        let mrg = model("mrg").unwrap();
        let simulation = Simulation::new(&mrg, fibers, &settings, &device).unwrap();
        let mut stimulus = Stimulus::none(count);
        for fiber in 0..count {
            stimulus = stimulus.source(fiber, point(2731.4, -385.5), pulse.clone());
        }
        simulation
            .thresholds(&stimulus, options, &mut |_| ())
            .unwrap()
    };
    let together = thresholds(&diameters_um, &options);
    assert_eq!(together, thresholds(&diameters_um, &plain));
    for (diameter_um, found) in diameters_um.iter().zip(&together) {
        assert_eq!(
            thresholds(&[*diameter_um], &options)[0],
            *found,
            "{diameter_um} um"
        );
    }
}

/// Fibers of which early ends found another range than plain halving does: a site at an end, and one in the middle of a fiber
/// whose ends are excited, too.
#[test]
fn several_ranges_of_firing_do_not_depend_on_early_ends() {
    let cases = [
        (
            12.147,
            1679.5,
            326.1,
            "monophasic:pw=0.5,delay=0.1,scale=-1",
            20,
            0.0,
        ),
        (
            12.411,
            2351.8,
            -531.7,
            "sine-cycle:pw=1,delay=0.1",
            10,
            -20.0,
        ),
    ];
    for (diameter_um, x_um, z_um, pulse, site, threshold_mv) in cases {
        let settings = Settings {
            precision: axonml_models::Precision::F32,
            tstop_ms: 5.5,
            ..Settings::default()
        };
        let fibers = vec![Fiber::new(diameter_um, 21)];
        let mrg = model("mrg").unwrap();
        let device = Device::cpu().unwrap();
        let simulation = Simulation::new(&mrg, fibers, &settings, &device).unwrap();
        let pulse: Waveform = pulse.parse().unwrap();
        let stimulus = Stimulus::uniform(1, point(x_um, z_um), pulse);
        let options = ThresholdSearch {
            detection: Detection {
                sites: NodeSelection::Nodes(vec![site]),
                threshold_mv,
                ..Detection::default()
            },
            ..ThresholdSearch::default()
        };
        let plain = ThresholdSearch {
            early_end: false,
            ..options.clone()
        };
        let found = simulation
            .thresholds(&stimulus, &options, &mut |_| ())
            .unwrap();
        let plainly = simulation
            .thresholds(&stimulus, &plain, &mut |_| ())
            .unwrap();
        assert_eq!(found, plainly, "{diameter_um} um");
        assert!(found[0].upper_ma().is_some(), "{found:?}");
    }
}
