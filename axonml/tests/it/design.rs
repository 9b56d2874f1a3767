//! Montages of the bundled nerve, against a search of each by itself.

use std::sync::Arc;

use axonml::design::{DesignError, Goal, Montage, MontageKind, contacts, scan};
use axonml::field::{Extension, Interpolation};
use axonml::population::Basis;
use axonml::{Device, Fiber, Precision, Settings, Simulation, Stimulus, ThresholdSearch, Waveform};

const PULSE: &str = "biphasic:pw=0.2,delay=0.2";

fn simulation(fibers: usize) -> Simulation {
    let settings = Settings {
        precision: Precision::F32,
        tstop_ms: 1.5,
        ..Settings::default()
    };
    let list = vec![Fiber::new(5.7, 53); fibers];
    Simulation::new(
        axonml::model("mrg").unwrap(),
        list,
        &settings,
        &Device::cpu().unwrap(),
    )
    .unwrap()
}

fn search() -> ThresholdSearch {
    ThresholdSearch {
        resolution: 1e-3,
        ..ThresholdSearch::default()
    }
}

/// The separations of the best montages are those that a program of its own found, by thresholds to 1e-4.
#[test]
fn the_best_montages_of_the_bundled_nerve_separate_as_known() {
    let nerve = axonml::demonstration::nerve().unwrap();
    let simulation = simulation(nerve.fibers());
    let pulse: Arc<Waveform> = Arc::new(PULSE.parse().unwrap());
    let stimulus = contacts(&nerve, 1, &pulse, Interpolation::Cubic, Extension::Refuse).unwrap();
    let basis: Basis = simulation.basis(&stimulus).unwrap();
    let goal = Goal::of_nerve(&nerve, 1).unwrap();
    let waveform = pulse.sample(simulation.grid()).unwrap();
    let found = scan(&basis, &goal, &waveform, &search(), &mut |_| ()).unwrap();
    assert_eq!(found.montages.len(), 162);
    let expected = [
        (MontageKind::Monopolar, 1.30),
        (MontageKind::Bipolar, 1.30),
        (MontageKind::Tripolar, 1.66),
    ];
    for (kind, separation) in expected {
        let best = found.best_of(kind).unwrap();
        assert_eq!(best.outcome.misclassified, 0.0);
        assert!(
            (best.score.separation - separation).abs() < 0.01,
            "{kind:?}"
        );
    }
    let best = found.best().unwrap();
    assert_eq!(best.montage.kind, MontageKind::Tripolar);
    // Currents that return in the cuff, delivered as said: a run of its own fires the targets and nothing else.
    assert!(best.amplitudes_ma.iter().sum::<f64>().abs() < 1e-12);
    let mut alone = Stimulus::none(nerve.fibers());
    for fiber in 0..nerve.fibers() {
        let (interpolation, extension) = (Interpolation::Cubic, Extension::Refuse);
        let field = nerve.field(fiber, &best.amplitudes_ma, interpolation, 0.0, extension);
        alone = alone.source(fiber, Arc::new(field.unwrap()), pulse.clone());
    }
    let thresholds = simulation
        .thresholds(&alone, &search(), &mut |_| ())
        .unwrap();
    for (fiber, threshold) in thresholds.iter().enumerate() {
        let multiple = threshold.upper_ma().unwrap_or(f64::INFINITY);
        assert_eq!(
            multiple <= 1.0,
            goal.targets()[fiber],
            "fiber {fiber}: {multiple}"
        );
        let of_montage = best.thresholds[fiber].unwrap_or(f64::INFINITY) / best.best.scale;
        assert!((multiple / of_montage - 1.0).abs() < 3e-3, "fiber {fiber}");
    }
}

#[test]
fn a_goal_of_other_fibers_is_refused() {
    let nerve = axonml::demonstration::nerve().unwrap();
    let simulation = simulation(nerve.fibers());
    let pulse: Arc<Waveform> = Arc::new(PULSE.parse().unwrap());
    let stimulus = contacts(&nerve, 1, &pulse, Interpolation::Cubic, Extension::Refuse).unwrap();
    let basis = simulation.basis(&stimulus).unwrap();
    let goal = Goal::new(vec![0.5; 2], vec![true, false]).unwrap();
    let error = scan(&basis, &goal, &[], &search(), &mut |_| ()).unwrap_err();
    assert!(matches!(error, DesignError::Request(_)));
    assert!(
        error.to_string().contains("the fibers of the goal"),
        "{error}"
    );
    assert_eq!(Montage::all(basis.contacts()).len(), 162);
}
