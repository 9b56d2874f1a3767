use std::sync::Arc;

use axonml_core::{Medium, PointSource, Waveform};

use super::*;
use crate::{Device, Fiber, Settings, model};

/// Fibers of several diameters at several distances.
fn nerve(precision: Precision) -> (Simulation, Stimulus) {
    let diameters = [5.7, 6.4, 7.3, 8.1, 8.7, 9.6, 10.5, 11.5, 12.8];
    let fibers: Vec<Fiber> = diameters
        .into_iter()
        .flat_map(|diameter| [Fiber::new(diameter, 41); 4])
        .collect();
    let settings = Settings {
        tstop_ms: 3.0,
        precision,
        ..Settings::default()
    };
    let waveform = Arc::new("monophasic:pw=0.1,delay=0.1".parse().unwrap());
    let mut stimulus = Stimulus::none(fibers.len());
    for fiber in 0..fibers.len() {
        let source = PointSource {
            x_um: 300.0 + 400.0 * (fiber % 4) as f64,
            y_um: 0.0,
            z_um: 37.0 * fiber as f64,
            medium: Medium::isotropic(500.0),
        };
        stimulus = stimulus.source(fiber, Arc::new(source), Arc::clone(&waveform));
    }
    let device = Device::cpu_with_threads(1).unwrap();
    let simulation = Simulation::new(&model("mrg").unwrap(), fibers, &settings, &device).unwrap();
    (simulation, stimulus)
}

/// Neither what is searched together, nor guesses, nor the trials that help to choose others change an answer.
#[test]
fn chunks_and_guesses_change_no_threshold() {
    for precision in [Precision::F64, Precision::F32] {
        let (simulation, stimulus) = nerve(precision);
        let search = |early_end: bool, chunk: usize, guesses_ma: Option<&[f64]>| {
            let options = ThresholdSearch {
                early_end,
                ..ThresholdSearch::default()
            };
            let mut fractions = vec![0.0];
            let found = simulation
                .search_in_chunks(chunk, &stimulus, &options, guesses_ma, &mut |fraction| {
                    fractions.push(fraction);
                })
                .unwrap();
            assert!(fractions.is_sorted(), "{fractions:?}");
            assert_eq!(fractions.last(), Some(&1.0));
            found
        };
        let plain = search(false, 1000, None);
        assert!(plain.iter().all(|found| found.upper_ma().is_some()));
        assert_eq!(search(true, 1000, None), plain);
        // As many as the backend runs at once, several times.
        assert_eq!(search(true, 1, None), plain);
        for factor in [1.0, 1.0001, 0.97, 1.6, 0.1] {
            let guesses = plain.iter().map(|found| factor * found.upper_ma().unwrap());
            let guesses: Vec<f64> = guesses.collect();
            assert_eq!(search(true, 1, Some(&guesses)), plain, "{factor}");
        }
    }
}

#[test]
fn errors_of_a_later_chunk_name_the_fiber() {
    let (simulation, _) = nerve(Precision::F64);
    let pulse: Arc<Waveform> = Arc::new("monophasic:pw=0.1".parse().unwrap());
    let mut stimulus = Stimulus::none(36);
    for fiber in 0..36 {
        let node = if fiber == 30 { 99 } else { 20 };
        stimulus = stimulus.inject_scaled(fiber, node, Arc::clone(&pulse));
    }
    let options = ThresholdSearch {
        max_ma: 1e-5,
        ..ThresholdSearch::default()
    };
    let found = simulation.search_in_chunks(1, &stimulus, &options, None, &mut |_| ());
    assert!(
        matches!(found, Err(SimulationError::Stimulus { fiber: 30, .. })),
        "{found:?}"
    );
}
