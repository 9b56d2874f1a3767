//! Montages of the bundled nerve, against a search of each by itself.

use std::sync::Arc;

use axonml::design::{
    DescentOptions, DesignError, Goal, Montage, MontageKind, Objective, contacts, descend, scan,
};
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

/// From a monopolar start that separates by 1.30: a few steps improve it, what is returned is what its currents do, and
/// currents that shall return in the cuff do.
#[test]
fn a_descent_improves_on_its_start_and_obeys() {
    let nerve = axonml::demonstration::nerve().unwrap();
    let simulation = simulation(nerve.fibers());
    let pulse: Arc<Waveform> = Arc::new(PULSE.parse().unwrap());
    let stimulus = contacts(&nerve, 1, &pulse, Interpolation::Cubic, Extension::Refuse).unwrap();
    let basis = simulation.basis(&stimulus).unwrap();
    let goal = Goal::of_nerve(&nerve, 1).unwrap();
    let waveform = pulse.sample(simulation.grid()).unwrap();
    let options = DescentOptions {
        steps: 6,
        sum_zero: true,
        search: search(),
        ..DescentOptions::default()
    };
    let starts = [vec![1.0, 0.0, 0.0, -1.0, 0.0, 0.0]];
    let found = descend(&basis, &goal, &waveform, &starts, &options, &mut |_| ()).unwrap();
    assert!(found.score.separation > 1.45, "{}", found.score.separation);
    assert_eq!(found.outcome.misclassified, 0.0);
    let largest = found.score.dose.peak_ma;
    assert!(found.amplitudes_ma.iter().sum::<f64>().abs() < 1e-9 * largest);
    let gains = ndarray::Array2::from_shape_vec((1, 6), found.amplitudes_ma.clone()).unwrap();
    let thresholds = basis
        .thresholds(gains.view(), &search(), None, &mut |_| ())
        .unwrap();
    for (fiber, (again, told)) in thresholds.iter().zip(&found.thresholds).enumerate() {
        let (again, told) = (again.upper_ma().unwrap(), told.unwrap());
        assert!(
            (again / told - 1.0).abs() < 3e-3,
            "fiber {fiber}: {again} and {told}"
        );
    }
    // No step: the start itself, at its best scale.
    let none = DescentOptions {
        steps: 0,
        objective: Objective::Margin,
        ..options
    };
    let start = descend(&basis, &goal, &waveform, &starts, &none, &mut |_| ()).unwrap();
    assert!((start.score.separation - 1.30).abs() < 0.01);
    assert!(found.score.separation > start.score.separation);
    let wrong = DescentOptions {
        softness: [0.0, 0.02],
        ..none.clone()
    };
    let error = descend(&basis, &goal, &waveform, &starts, &wrong, &mut |_| ()).unwrap_err();
    assert!(error.to_string().contains("softness"), "{error}");
    let wrong = DescentOptions {
        objective: Objective::Dice,
        ..none.clone()
    };
    let error = descend(&basis, &goal, &waveform, &starts, &wrong, &mut |_| ()).unwrap_err();
    assert!(
        error.to_string().contains("does not depend on strength"),
        "{error}"
    );
    let nothing = [vec![0.0; 6]];
    assert!(descend(&basis, &goal, &waveform, &nothing, &none, &mut |_| ()).is_err());
    assert_eq!(
        descend(&basis, &goal, &waveform, &[], &none, &mut |_| ()),
        Err(DesignError::NoStart)
    );
}
