//! What gradients cost on CUDA device 0, in forward runs of the same rollout.

use std::sync::Arc;
use std::time::Instant;

use axonml_core::{Medium, PointSource};
use axonml_models::{
    Device, Evaluation, Fiber, FiberOutcome, NodeSelection, Observation, ObserverKind,
    ObserverSpec, Precision, RecordedCotangent, Settings, Simulation, Stimulus, Wanted, model,
};

/// A gradient measured against forward runs.
pub(super) struct Ratio {
    pub(super) name: &'static str,
    model: &'static str,
    precision: Precision,
    wanted: Wanted,
}

pub(super) const FIBERS: usize = 16_384;
pub(super) const NODES: usize = 53;
pub(super) const STEPS: usize = 1000;

const PARAMETERS: Wanted = Wanted {
    parameters: true,
    waveforms: false,
    potentials: false,
};
const WAVEFORMS: Wanted = Wanted {
    parameters: false,
    waveforms: true,
    potentials: false,
};

#[rustfmt::skip]
pub(super) const RATIOS: &[Ratio] = &[
    Ratio { name: "smf.grad_over_forward.cuda", model: "smf", precision: Precision::F32, wanted: PARAMETERS },
    Ratio { name: "mrg.grad_over_forward.cuda", model: "mrg", precision: Precision::F32, wanted: PARAMETERS },
    Ratio { name: "mrg.waveforms.grad_over_forward.cuda", model: "mrg", precision: Precision::F32, wanted: WAVEFORMS },
    Ratio { name: "mrg.f64.grad_over_forward.cuda", model: "mrg", precision: Precision::F64, wanted: PARAMETERS },
];

/// The loss is the sum of all that was recorded.
fn objective(_: usize, outcome: &FiberOutcome) -> Evaluation {
    let Some(Observation::Recorded(recording)) = outcome.observations.first() else {
        return Evaluation::default();
    };
    Evaluation {
        loss: recording.v_mv.iter().sum(),
        recorded: vec![Some(RecordedCotangent {
            v_mv: vec![1.0; recording.v_mv.len()],
            states: Vec::new(),
        })],
        state: None,
    }
}

impl Ratio {
    /// Times of gradients over times of forward runs, one a repetition; the first of each, which compiles, is left out.
    pub(super) fn measure(
        &self,
        device: &Device,
        repeat: usize,
    ) -> Result<Vec<f64>, Box<dyn std::error::Error>> {
        let fibers = (0..FIBERS).map(|i| Fiber::new(5.7 + 8.3 * (i % 64) as f64 / 64.0, NODES));
        let settings = Settings {
            precision: self.precision,
            dt_ms: 0.005,
            tstop_ms: 0.005 * STEPS as f64,
            ..Settings::default()
        };
        let simulation = Simulation::new(model(self.model)?, fibers.collect(), &settings, device)?;
        let source = PointSource {
            x_um: 1000.0,
            y_um: 0.0,
            z_um: 0.0,
            medium: Medium::isotropic(500.0),
        };
        let pulse = "monophasic:pw=0.1,delay=0.1".parse()?;
        let stimulus = Stimulus::uniform(FIBERS, Arc::new(source), pulse);
        // A node in the middle and one at the far side, as arrival times need them.
        let recorder = ObserverKind::Recorder {
            states: Vec::new(),
            every: 1,
        };
        let nodes = NodeSelection::Nodes(vec![NODES as i64 / 2, -5]);
        let observers = [ObserverSpec::new(recorder, nodes)];
        let mut ratios = Vec::new();
        for _ in 0..=repeat {
            let start = Instant::now();
            simulation.run(&stimulus, 0.2, &observers)?;
            let forward = start.elapsed().as_secs_f64();
            let start = Instant::now();
            simulation.differentiate(&stimulus, 0.2, &observers, &objective, self.wanted)?;
            ratios.push(start.elapsed().as_secs_f64() / forward);
        }
        Ok(ratios.split_off(1))
    }
}
