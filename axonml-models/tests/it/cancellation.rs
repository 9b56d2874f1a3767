//! Work that is canceled ends soon, with an error and without results.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axonml_core::{Medium, PointSource};
use axonml_models::{
    CancelToken, Device, Evaluation, Fiber, FiberOutcome, GradientRequest, NodeSelection,
    ObserverKind, ObserverSpec, Precision, Settings, Simulation, SimulationError, Stimulus,
    ThresholdSearch, model,
};

/// Runs `work` on a simulation that takes minutes, cancels it in the middle, and returns its error.
fn canceled(
    device: &Device,
    work: impl Fn(&Simulation, &Stimulus) -> Result<(), SimulationError>,
) -> SimulationError {
    let settings = Settings {
        tstop_ms: 20_000.0,
        precision: Precision::F64,
        cancel: CancelToken::default(),
        ..Settings::default()
    };
    let fibers = vec![Fiber::new(10.0, 53); 20];
    let simulation = Simulation::new(&model("mrg").unwrap(), fibers, &settings, device).unwrap();
    let electrode = PointSource {
        x_um: 1000.0,
        y_um: 0.0,
        z_um: 0.0,
        medium: Medium::isotropic(500.0),
    };
    let pulse = "monophasic:pw=0.1,delay=0.1".parse().unwrap();
    let stimulus = Stimulus::uniform(20, Arc::new(electrode), pulse);
    let token = settings.cancel.clone();
    let canceler = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(500));
        token.cancel();
        Instant::now()
    });
    let error = work(&simulation, &stimulus).expect_err("canceled work has no result");
    let ended = Instant::now();
    let late = ended.saturating_duration_since(canceler.join().unwrap());
    // A step takes microseconds; the limit is for machines that do other work.
    assert!(late < Duration::from_secs(2), "ended after {late:?}");
    assert!(error.is_canceled(), "{error}");
    error
}

#[test]
fn runs_searches_and_gradients_end_when_they_are_canceled() {
    let none = |_: usize, _: &FiberOutcome| Evaluation::default();
    let observers = [ObserverSpec::new(ObserverKind::Maximum, NodeSelection::All)];
    for device in [Device::cpu().unwrap(), Device::reference().unwrap()] {
        let error = canceled(&device, |simulation, stimulus| {
            simulation.run(stimulus, 0.2, &observers).map(drop)
        });
        assert_eq!(error.to_string(), "canceled");
    }
    let device = Device::cpu().unwrap();
    canceled(&device, |simulation, stimulus| {
        let search = ThresholdSearch::default();
        simulation
            .thresholds(stimulus, &search, &mut |_| ())
            .map(drop)
    });
    canceled(&device, |simulation, stimulus| {
        simulation
            .differentiate(stimulus, 0.2, &[], &none, GradientRequest::default())
            .map(drop)
    });
}
