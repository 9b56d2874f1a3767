//! What must hold of block searches and response maps whatever the numbers are: statuses, independence of companions,
//! refusals.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axonml_core::{CoreError, Field, Medium, PointSource, Waveform};
use axonml_models::weights::Weights;
use axonml_models::{
    BlockSearch, BlockStatus, CancelToken, Detection, Device, Fiber, NodeSelection, Observation,
    ObserverKind, ObserverSpec, Settings, Simulation, SimulationError, Stimulus, TestPulses,
    TransmissionState, model,
};

/// Two test pulses within 15 ms, after the kHz signal has acted for 8 ms.
const AT_MS: [f64; 2] = [8.5, 11.5];

fn settings() -> Settings {
    Settings {
        tstop_ms: 15.0,
        ..Settings::default()
    }
}

fn mrg(diameters_um: &[f64], settings: &Settings, device: &Device) -> Simulation {
    let fibers = diameters_um
        .iter()
        .map(|&diameter| Fiber::new(diameter, 53));
    Simulation::new(&model("mrg").unwrap(), fibers.collect(), settings, device).unwrap()
}

fn sine() -> Arc<Waveform> {
    Arc::new("sine:freq=10,delay=0.5".parse().unwrap())
}

fn point(z_um: f64) -> Arc<PointSource> {
    Arc::new(PointSource {
        x_um: 1000.0,
        y_um: 0.0,
        z_um,
        medium: Medium::isotropic(500.0),
    })
}

/// A sine of 10 kHz from an electrode 1 mm away, at these z, um.
fn stimulus(z_um: &[f64]) -> Stimulus {
    let each = z_um.iter().enumerate();
    each.fold(Stimulus::none(z_um.len()), |stimulus, (fiber, &z_um)| {
        stimulus.source(fiber, point(z_um), sine())
    })
}

fn detection(nodes: &[i64]) -> Detection {
    Detection {
        threshold_mv: -20.0,
        after_ms: 8.0,
        ..Detection::at_nodes(nodes)
    }
}

fn search() -> BlockSearch {
    BlockSearch {
        detection: detection(&[5, 48]),
        first_ma: 0.1,
        max_ma: 1.0,
        resolution: 1e-2,
        ..BlockSearch::new(TestPulses::new(5, 2.0, 0.1, &AT_MS))
    }
}

fn status(simulation: &Simulation, z_um: f64, search: &BlockSearch) -> BlockStatus {
    let found = simulation.block_thresholds(&stimulus(&[z_um]), search, &mut |_| ());
    found.unwrap()[0].status
}

#[test]
fn a_field_over_half_of_the_way_blocks_one_direction() {
    let device = Device::cpu().unwrap();
    let simulation = mrg(&[10.0], &settings(), &device);
    let at_node = |node: usize| simulation.nodes_um(0)[node];
    // Test pulses run from node 5 to node 30; those of the other direction from node 47 to node 22.
    let half_way = BlockSearch {
        detection: detection(&[30]),
        ..search()
    };
    let z_um = at_node(13);
    let found = simulation.block_thresholds(&stimulus(&[z_um]), &half_way, &mut |_| ());
    let found = found.unwrap()[0];
    assert_eq!(found.status, BlockStatus::OneWayBlock, "{found:?}");
    assert!(found.block.is_some());
    assert_eq!(status(&simulation, at_node(26), &half_way), BlockStatus::Ok);
}

#[test]
fn fibers_that_cannot_be_blocked_say_why() {
    let device = Device::cpu().unwrap();
    let simulation = mrg(&[10.0], &settings(), &device);
    let weak = BlockSearch {
        max_ma: 0.15,
        ..search()
    };
    let found = simulation.block_thresholds(&stimulus(&[0.0]), &weak, &mut |_| ());
    let found = found.unwrap()[0];
    assert_eq!(
        (found.status, found.excitation),
        (BlockStatus::NoBlock, None)
    );

    // NEURON's intracellular threshold of this fiber is 1.0 nA.
    let mut too_weak = search();
    too_weak.pulses.amp_na = 0.8;
    assert_eq!(
        status(&simulation, 0.0, &too_weak),
        BlockStatus::NoActivation
    );
    // The second falls into the refractory period of the first.
    let mut too_close = search();
    too_close.pulses.at_ms = vec![8.5, 8.7];
    assert_eq!(
        status(&simulation, 0.0, &too_close),
        BlockStatus::NoActivation
    );

    // With its published constants the surrogate fires by itself.
    let published = Settings {
        weights: Weights::Published,
        ..settings()
    };
    let fibers = vec![Fiber::new(10.0, 53)];
    let smf = Simulation::new(&model("smf").unwrap(), fibers, &published, &device).unwrap();
    assert_eq!(status(&smf, 0.0, &search()), BlockStatus::Spontaneous);
}

#[test]
fn a_divergence_is_a_status_with_its_amplitude() {
    let device = Device::cpu().unwrap();
    let simulation = mrg(&[10.0, 10.0], &settings(), &device);
    let strong = BlockSearch {
        first_ma: 1e6,
        max_ma: 1e6,
        ..search()
    };
    // The second fiber is not stimulated.
    let stimulus = Stimulus::none(2).source(0, point(0.0), sine());
    let found = simulation
        .block_thresholds(&stimulus, &strong, &mut |_| ())
        .unwrap();
    let BlockStatus::Diverged { amplitude_ma, .. } = found[0].status else {
        panic!("{found:?}")
    };
    assert!((8e5..=1e6).contains(&amplitude_ma));
    assert_eq!(found[1].status, BlockStatus::NoBlock);

    let amplitudes = [vec![0.0, 1e6], vec![1e6]];
    let pulses = Some(&strong.pulses);
    let found = simulation
        .transmission(
            &stimulus,
            pulses,
            &strong.detection,
            &amplitudes,
            &mut |_| (),
        )
        .unwrap();
    let states = found.iter().flatten().map(|found| found.state);
    let expected = [
        TransmissionState::Transmitted,
        TransmissionState::Diverged,
        TransmissionState::Transmitted,
    ];
    assert!(states.eq(expected), "{found:?}");
}

/// The states and counts of a fiber do not depend on other fibers, on the number and order of amplitudes, or on threads;
/// nor do brackets.
#[test]
fn results_do_not_depend_on_companions() {
    let diameters_um = [10.0, 5.7, 10.0];
    let z_um = [0.0, 300.0, 5000.0];
    let amplitudes = [0.9, 0.0, 0.25, 0.3, 0.6];
    let search = search();
    let pulses = Some(&search.pulses);
    let two = Device::cpu_with_threads(2).unwrap();
    let together = mrg(&diameters_um, &settings(), &two);
    let all = stimulus(&z_um);
    let found = together
        .block_thresholds(&all, &search, &mut |_| ())
        .unwrap();
    let lists = vec![amplitudes.to_vec(); 3];
    let counted = together
        .transmission(&all, pulses, &search.detection, &lists, &mut |_| ())
        .unwrap();
    let one = Device::cpu_with_threads(1).unwrap();
    for fiber in 0..3 {
        let alone = mrg(&diameters_um[fiber..=fiber], &settings(), &one);
        let stimulus = stimulus(&z_um[fiber..=fiber]);
        let again = alone
            .block_thresholds(&stimulus, &search, &mut |_| ())
            .unwrap();
        assert_eq!(again[0], found[fiber], "fiber {fiber}");
        for (k, &ma) in amplitudes.iter().enumerate() {
            let lists = [vec![ma]];
            let again =
                alone.transmission(&stimulus, pulses, &search.detection, &lists, &mut |_| ());
            assert_eq!(
                again.unwrap()[0][0],
                counted[fiber][k],
                "fiber {fiber}, {ma} mA"
            );
        }
    }
    assert_ne!(found[0], found[1]);
}

/// A field that counts how often it is sampled.
#[derive(Debug)]
struct Counted {
    field: Arc<PointSource>,
    calls: AtomicUsize,
}

impl Field for Counted {
    fn potentials_mv(&self, z_um: &[f64]) -> Result<Vec<f64>, CoreError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.field.potentials_mv(z_um)
    }
}

#[test]
fn a_field_is_sampled_once_however_many_amplitudes_there_are() {
    let device = Device::cpu().unwrap();
    let short = Settings {
        tstop_ms: 2.0,
        ..Settings::default()
    };
    let simulation = mrg(&[10.0], &short, &device);
    let field = Arc::new(Counted {
        field: point(0.0),
        calls: AtomicUsize::new(0),
    });
    let stimulus = Stimulus::none(1).source(0, field.clone(), sine());
    let amplitudes = [(0..20).map(|k| 0.02 * f64::from(k)).collect()];
    let from_the_start = Detection::at_nodes(&[48]);
    let found = simulation
        .transmission(&stimulus, None, &from_the_start, &amplitudes, &mut |_| ())
        .unwrap();
    assert_eq!(field.calls.load(Ordering::Relaxed), 1);
    // Without test pulses the count is the result.
    let (quiet, excited) = (&found[0][0], &found[0][19]);
    assert_eq!((quiet.state, quiet.n_ap), (TransmissionState::Quiet, 0));
    assert_eq!(excited.state, TransmissionState::Excited);
    assert!(excited.n_ap > 0 && excited.n_ap_expected == 0);
}

/// A site in the middle of a strong field is polarized beyond the level in every cycle; these are no action potentials.
#[test]
fn polarization_by_the_signal_is_not_counted() {
    let device = Device::cpu().unwrap();
    let simulation = mrg(&[10.0], &settings(), &device);
    let middle = NodeSelection::Nodes(vec![26]);
    let detection = Detection {
        sites: middle.clone(),
        ..detection(&[])
    };
    let search = search();
    let (amplitudes, pulses) = ([vec![10.0]], Some(&search.pulses));
    let stimulus = stimulus(&[0.0]);
    let found = simulation
        .transmission(&stimulus, pulses, &detection, &amplitudes, &mut |_| ())
        .unwrap();
    let of_middle = &found[0][0];
    assert_eq!(
        (of_middle.state, of_middle.n_ap),
        (TransmissionState::Blocked, 0)
    );
    // 7 ms of 10 kHz.
    let crossings = ObserverSpec::new(ObserverKind::ActionPotentialCount, middle)
        .threshold_mv(-20.0)
        .after_ms(8.0);
    let outcome = simulation.run(&stimulus, 10.0, &[crossings]).unwrap();
    let Observation::Count(crossings) = &outcome.fibers[0].observations[0] else {
        panic!("a count")
    };
    assert!(crossings[0] >= 70, "{crossings:?}");
}

#[test]
fn what_does_not_fit_is_refused() {
    let device = Device::cpu().unwrap();
    let simulation = mrg(&[10.0], &settings(), &device);
    let stimulus = stimulus(&[0.0]);
    let refused = |change: &dyn Fn(&mut BlockSearch), words: &str| {
        let mut search = search();
        change(&mut search);
        let error = simulation
            .block_thresholds(&stimulus, &search, &mut |_| ())
            .unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    };
    refused(&|s| s.pulses.node = 53, "node of the test pulses");
    refused(&|s| s.pulses.node = 46, "at least 3 from node 46");
    refused(
        &|s| s.pulses.amp_na = f64::NAN,
        "current of the test pulses",
    );
    refused(&|s| s.pulses.pw_ms = 0.0, "width of the test pulses");
    refused(&|s| s.pulses.at_ms = vec![], "at least one onset");
    refused(&|s| s.pulses.at_ms = vec![11.0, 9.0], "ascending");
    refused(&|s| s.pulses.at_ms = vec![-1.0, 9.0], "onset");
    refused(&|s| s.pulses.at_ms = vec![9.0, 15.0], "15");
    refused(
        &|s| s.detection.after_ms = 12.0,
        "before the last test pulse",
    );
    refused(&|s| s.detection.after_ms = 16.0, "beginning of detection");
    refused(
        &|s| s.detection.sites = NodeSelection::Nodes(vec![60]),
        "detection node",
    );
    refused(
        &|s| s.detection.sites = NodeSelection::Nodes(vec![]),
        "detection sites",
    );
    refused(&|s| s.resolution = 1e-13, "resolution");
    refused(&|s| s.max_ma = f64::INFINITY, "largest amplitude");
    refused(&|s| s.first_ma = 0.0, "first amplitude");
    refused(&|s| s.first_ma = 2.0, "first amplitude");

    let search = search();
    for (amplitudes, words) in [
        (vec![], "lists of amplitudes"),
        (vec![vec![1.0, f64::NAN]], "an amplitude"),
    ] {
        let pulses = Some(&search.pulses);
        let error = simulation
            .transmission(
                &stimulus,
                pulses,
                &search.detection,
                &amplitudes,
                &mut |_| (),
            )
            .unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }
    let none = [vec![]];
    let found = simulation.transmission(&stimulus, None, &search.detection, &none, &mut |_| ());
    assert_eq!(found, Ok(vec![vec![]]));
}

#[test]
fn a_search_ends_when_it_is_canceled() {
    let settings = Settings {
        cancel: CancelToken::default(),
        ..settings()
    };
    let simulation = mrg(&[10.0], &settings, &Device::cpu().unwrap());
    let cancel = settings.cancel.clone();
    let mut after_a_round = |done: f64| {
        if done > 0.0 {
            cancel.cancel();
        }
    };
    let error = simulation.block_thresholds(&stimulus(&[0.0]), &search(), &mut after_a_round);
    assert!(error.is_err_and(|error: SimulationError| error.is_canceled()));
}
