//! Cost of gradients: in forward runs of the same rollout, and in milliseconds of a training or optimization step.

use std::sync::Arc;
use std::time::Instant;

use axonml_core::{Medium, PointSource, Waveform};
use axonml_models::weights::Weights;
use axonml_models::{
    Device, Evaluation, Fiber, FiberOutcome, GradientRequest, NodeSelection, Observation,
    ObserverKind, ObserverSpec, Precision, RecordedCotangent, Settings, Simulation, Start,
    Stimulus, Text, model,
};

use super::row::{Goal, Row, Unit};

type Failure = Box<dyn std::error::Error>;

/// Which nodes' voltages the loss sees.
#[derive(Clone, Copy, PartialEq)]
enum Seen {
    /// A node in the middle and one at the far side, as arrival times need them.
    Two,
    All,
}

/// A gradient measured against forward runs.
struct Ratio {
    name: &'static str,
    model: &'static str,
    precision: Precision,
    request: GradientRequest,
    seen: Seen,
    must_reach: Option<f64>,
}

const PARAMETERS: GradientRequest = GradientRequest {
    parameters: true,
    waveforms: false,
    fields: false,
    cables: false,
    gains: false,
};
const WAVEFORMS: GradientRequest = GradientRequest {
    parameters: false,
    waveforms: true,
    fields: false,
    cables: false,
    gains: false,
};

/// Forward runs that a gradient may cost.
const FORWARD_RUNS: Option<f64> = Some(4.0);

#[rustfmt::skip]
const RATIOS: &[Ratio] = {
    use Precision::{F32, F64};
    use Seen::{All, Two};
    const fn ratio(name: &'static str, model: &'static str, precision: Precision, request: GradientRequest, seen: Seen, must_reach: Option<f64>) -> Ratio {
        Ratio { name, model, precision, request, seen, must_reach }
    }
    &[
        ratio("smf.grad_over_forward", "smf", F64, PARAMETERS, Two, FORWARD_RUNS),
        ratio("smf.f32.grad_over_forward", "smf", F32, PARAMETERS, Two, FORWARD_RUNS),
        ratio("smf.all_nodes.grad_over_forward", "smf", F64, PARAMETERS, All, FORWARD_RUNS),
        ratio("smf.waveforms.grad_over_forward", "smf", F64, WAVEFORMS, Two, FORWARD_RUNS),
        ratio("mrg.grad_over_forward", "mrg", F64, PARAMETERS, Two, FORWARD_RUNS),
        ratio("mrg.f32.grad_over_forward", "mrg", F32, PARAMETERS, Two, FORWARD_RUNS),
        ratio("mrg.all_nodes.grad_over_forward", "mrg", F64, PARAMETERS, All, FORWARD_RUNS),
        ratio("mrg.waveforms.grad_over_forward", "mrg", F64, WAVEFORMS, Two, FORWARD_RUNS),
        ratio("two-mode.grad_over_forward", "two-mode", F64, PARAMETERS, Two, None),
        ratio("two-mode.f32.grad_over_forward", "two-mode", F32, PARAMETERS, Two, None),
    ]
};

/// On CUDA device 0.
#[rustfmt::skip]
const DEVICE_RATIOS: &[Ratio] = {
    use Precision::{F32, F64};
    const fn ratio(name: &'static str, model: &'static str, precision: Precision, request: GradientRequest) -> Ratio {
        Ratio { name, model, precision, request, seen: Seen::Two, must_reach: None }
    }
    &[
        ratio("smf.grad_over_forward.cuda", "smf", F32, PARAMETERS),
        ratio("mrg.grad_over_forward.cuda", "mrg", F32, PARAMETERS),
        ratio("mrg.waveforms.grad_over_forward.cuda", "mrg", F32, WAVEFORMS),
        ratio("mrg.f64.grad_over_forward.cuda", "mrg", F64, PARAMETERS),
    ]
};

const FIBERS: usize = 64;
const DEVICE_FIBERS: usize = 16_384;
const NODES: usize = 53;

/// The rows whose name `asked` accepts. The memory of a step comes first: later measurements would leave the process
/// with memory that it needs not ask for again.
pub(super) fn measure(
    asked: &dyn Fn(&str) -> bool,
    repeat: usize,
    show: &mut dyn FnMut(Row),
) -> Result<(), Failure> {
    let device = Device::cpu()?;
    if asked("smf.gd_step_ms") || asked("smf.gd_step_mb") {
        for row in gradient_descent(&device, repeat)? {
            if asked(&row.name) {
                show(row);
            }
        }
    }
    if asked("smf.tbptt_chunk_ms") {
        show(truncated_chunk(&device, repeat)?);
    }
    for ratio in RATIOS.iter().filter(|ratio| asked(ratio.name)) {
        show(ratio.measure(&device, FIBERS, repeat)?);
    }
    Ok(())
}

/// The rows of CUDA device 0 whose name `asked` accepts; what could not run is said.
pub(super) fn measure_on_device(
    asked: &dyn Fn(&str) -> bool,
    repeat: usize,
    show: &mut dyn FnMut(Row),
) -> Result<(), String> {
    for ratio in DEVICE_RATIOS.iter().filter(|ratio| asked(ratio.name)) {
        match Device::cuda(0) {
            Ok(device) => {
                let row = ratio.measure(&device, DEVICE_FIBERS, repeat);
                show(row.map_err(|e| format!("{}: {e}", ratio.name))?);
            }
            Err(error) => println!("{:<34} DID NOT RUN: {error}", ratio.name),
        }
    }
    Ok(())
}

impl Ratio {
    /// On `device`, of the processor by one core.
    fn measure(&self, device: &Device, fibers: usize, repeat: usize) -> Result<Row, Failure> {
        let steps = 1000;
        let simulation = simulation(self.model, fibers, NODES, steps, self.precision, device)?;
        let stimulus = point_source(fibers)?;
        let observers = [recorder(self.seen, &[])];
        let pool = threads(1)?;
        let forward = || -> Result<f64, Failure> {
            let start = Instant::now();
            let outcome = pool.install(|| simulation.run(&stimulus, 0.2, &observers))?;
            let seconds = start.elapsed().as_secs_f64();
            simulation.completed_states(outcome)?;
            Ok(seconds)
        };
        let backward = || -> Result<f64, Failure> {
            let start = Instant::now();
            let differentiated = pool.install(|| {
                let (observers, objective) = (&observers, &squares);
                simulation.differentiate(&stimulus, 0.2, observers, objective, self.request)
            })?;
            let seconds = start.elapsed().as_secs_f64();
            check_found(&simulation, &differentiated)?;
            Ok(seconds)
        };
        // Each gradient is divided by the forward runs before and after it: a machine that slows down slows down both.
        let mut before = forward().and_then(|_| forward())?;
        backward()?;
        let mut ratios = Vec::new();
        for _ in 0..repeat {
            let gradient = backward()?;
            let after = forward()?;
            ratios.push(2.0 * gradient / (before + after));
            before = after;
        }
        Ok(Row::new(
            self.name,
            ratios,
            Unit::ForwardRuns,
            self.must_reach.map(Goal::AtMost),
            format!(
                "{}; {fibers} fibers, {NODES} nodes, {steps} steps, of a processor one core, voltages of {} nodes recorded",
                device.name(),
                match self.seen {
                    Seen::Two => "two",
                    Seen::All => "all",
                }
            ),
        ))
    }
}

/// A window of truncated backpropagation in the middle of a run: every state of every node enters the loss.
fn truncated_chunk(device: &Device, repeat: usize) -> Result<Row, Failure> {
    let (fibers, window) = (32, 50);
    let simulation = simulation("smf", fibers, NODES, 1000, Precision::F64, device)?;
    let stimulus = point_source(fibers)?;
    let begins = simulation.initial_states()?;
    let before = simulation.resume(begins, 0..window, &stimulus, 0.2, &[])?;
    let states = simulation.completed_states(before)?;
    let gates = simulation.schema().states.clone();
    let mut rollout = simulation.rollout(&stimulus, &[recorder(Seen::All, &gates)])?;
    let scaling = stimulus.scaling();
    rollout.drive.gains = scaling.gains_of((0..fibers).map(|fiber| (fiber, 0.2)));
    rollout.steps = window..2 * window;
    rollout.start = Start::From(states);
    let members: Vec<usize> = (0..fibers).collect();
    let pool = threads(1)?;
    let mut times = Vec::new();
    for _ in 0..=repeat {
        let start = Instant::now();
        let differentiated = pool.install(|| {
            simulation.differentiate_rollout(&rollout, &scaling, &members, &squares, PARAMETERS)
        })?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
        check_found(&simulation, &differentiated)?;
    }
    Ok(Row::new(
        "smf.tbptt_chunk_ms",
        times.split_off(1),
        Unit::Milliseconds,
        Some(Goal::AtMost(13.0)),
        format!(
            "{window} steps, {fibers} fibers, {NODES} nodes, f64, all states in the loss, one core"
        ),
    ))
}

/// A step of the optimization of a waveform by its gradient, and the memory that the first one takes.
fn gradient_descent(device: &Device, repeat: usize) -> Result<Vec<Row>, Failure> {
    let (fibers, nodes, steps) = (40, 101, 500);
    let simulation = simulation("smf", fibers, nodes, steps, Precision::F64, device)?;
    let stimulus = point_source(fibers)?;
    let observers = [recorder(Seen::All, &[])];
    let pool = threads(2)?;
    let before_kb = memory_kb("VmRSS:");
    let (mut times, mut peak_mb) = (Vec::new(), None);
    for _ in 0..=repeat {
        let start = Instant::now();
        let differentiated = pool.install(|| {
            simulation.differentiate(&stimulus, 0.2, &observers, &squares, WAVEFORMS)
        })?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
        peak_mb = peak_mb.or_else(|| {
            let grown_kb = memory_kb("VmHWM:")?.saturating_sub(before_kb?);
            Some(grown_kb as f64 * 1024.0 / 1e6)
        });
        check_found(&simulation, &differentiated)?;
    }
    let what = format!(
        "{steps} steps, {fibers} fibers, {nodes} nodes, f64, by waveforms and gains, all voltages in the loss, two cores"
    );
    let mut rows = vec![Row::new(
        "smf.gd_step_ms",
        times.split_off(1),
        Unit::Milliseconds,
        Some(Goal::AtMost(150.0)),
        what.clone(),
    )];
    if let Some(peak_mb) = peak_mb {
        rows.push(Row::new(
            "smf.gd_step_mb",
            vec![peak_mb],
            Unit::Megabytes,
            Some(Goal::AtMost(100.0)),
            format!("{what}; growth of the process's largest resident size"),
        ));
    }
    Ok(rows)
}

/// A line of `/proc/self/status`, kB; none on other systems.
pub(super) fn memory_kb(name: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}

pub(super) fn threads(count: usize) -> Result<rayon::ThreadPool, rayon::ThreadPoolBuildError> {
    rayon::ThreadPoolBuilder::new().num_threads(count).build()
}

fn simulation(
    id: &str,
    fibers: usize,
    nodes: usize,
    steps: usize,
    precision: Precision,
    device: &Device,
) -> Result<Simulation, Failure> {
    let dt_ms = 0.005;
    let settings = Settings {
        precision,
        dt_ms,
        tstop_ms: dt_ms * steps as f64,
        weights: Weights::Published,
        ..Settings::default()
    };
    // Every fiber of another diameter.
    let diameter = |i: usize| 5.7 + 8.3 * i as f64 / fibers as f64;
    let fibers = (0..fibers)
        .map(|i| Fiber::new(diameter(i), nodes))
        .collect();
    Ok(Simulation::new(&model(id)?, fibers, &settings, device)?)
}

fn point_source(fibers: usize) -> Result<Stimulus, Failure> {
    let source = PointSource {
        x_um: 1000.0,
        y_um: 0.0,
        z_um: 0.0,
        medium: Medium::isotropic(500.0),
    };
    let pulse: Waveform = "monophasic:pw=0.1,delay=0.1".parse()?;
    Ok(Stimulus::uniform(fibers, Arc::new(source), pulse))
}

fn recorder(seen: Seen, states: &[Text]) -> ObserverSpec {
    let nodes = match seen {
        Seen::Two => NodeSelection::Nodes(vec![26, 45]),
        Seen::All => NodeSelection::All,
    };
    let kind = ObserverKind::Recorder {
        states: states.iter().map(|state| state.to_string()).collect(),
        every: 1,
    };
    ObserverSpec::new(kind, nodes)
}

/// The mean of the squares of everything recorded.
fn squares(_: usize, outcome: &FiberOutcome) -> Evaluation {
    let Some(Observation::Recorded(recording)) = outcome.observations.first() else {
        return Evaluation::default();
    };
    let share = 1.0 / recording.v_mv.len() as f64;
    let mut loss = 0.0;
    let mut of = |values: &[f64]| -> Vec<f64> {
        loss += share * values.iter().map(|x| x * x).sum::<f64>();
        values.iter().map(|x| 2.0 * share * x).collect()
    };
    let cotangent = RecordedCotangent {
        v_mv: of(&recording.v_mv),
        states: recording.states.iter().map(|values| of(values)).collect(),
    };
    Evaluation {
        loss,
        recorded: vec![Some(cotangent)],
        state: None,
    }
}

/// A run without a gradient would be fast.
fn check_found(
    simulation: &Simulation,
    derivatives: &[axonml_models::FiberDerivative],
) -> Result<(), Failure> {
    for (fiber, derivative) in derivatives.iter().enumerate() {
        if let Some(error) = simulation.divergence(fiber, derivative.outcome.status) {
            return Err(error.into());
        }
        if derivative.gradient.is_none() {
            return Err(format!("fiber {fiber} has no gradient").into());
        }
    }
    Ok(())
}
