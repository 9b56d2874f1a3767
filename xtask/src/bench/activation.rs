//! Activation of a nerve's fibers by many currents through its contacts: the inner loop of searches for selective
//! currents.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use axonml_core::{Extension, Field, Interpolation, Nerve, Random, Waveform};
use axonml_cpu::CpuBackend;
use axonml_models::weights::Weights;
use axonml_models::{
    Activation, ActivationOptions, Backend, Basis, Device, Fiber, FiberStatus, NodeSelection,
    ObserverKind, ObserverSpec, Precision, Settings, Simulation, Stimulus, model, read_nerve,
};
use ndarray::Array2;

use super::row::{Goal, Row, Unit};

const CANDIDATES: usize = 300;
/// Largest current of a contact, mA.
const LARGEST_MA: f64 = 0.3;
const NODES: usize = 53;
const STEPS: usize = 500;
const DIAMETER_UM: f64 = 5.7;
const PULSE: &str = "biphasic:pw=0.2,delay=0.2";

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The contacts and fibers of a nerve, and random currents.
struct Case {
    simulation: Simulation,
    basis: Basis,
    pulse: Arc<Waveform>,
    /// Potentials of each contact along each fiber, mV/mA.
    potentials: Vec<Vec<Vec<f64>>>,
    gains: Array2<f64>,
}

impl Case {
    fn new(nerve: &Nerve, device: &Device) -> Result<Self, Failure> {
        let settings = Settings {
            precision: Precision::F32,
            dt_ms: 0.005,
            tstop_ms: 0.005 * STEPS as f64,
            weights: Weights::Published,
            ..Settings::default()
        };
        let (fibers, contacts) = (nerve.fibers(), nerve.contacts());
        let list = vec![Fiber::new(DIAMETER_UM, NODES); fibers];
        let simulation = Simulation::new(&model("mrg")?, list, &settings, device)?;
        let pulse: Arc<Waveform> = Arc::new(PULSE.parse()?);
        let mut stimulus = Stimulus::none(fibers);
        let mut potentials = Vec::with_capacity(fibers);
        for fiber in 0..fibers {
            let mut of_fiber = Vec::with_capacity(contacts);
            for contact in 0..contacts {
                let mut weights = vec![0.0; contacts];
                weights[contact] = 1.0;
                let field = nerve.field(
                    fiber,
                    &weights,
                    Interpolation::Cubic,
                    0.0,
                    Extension::Refuse,
                )?;
                let field: Arc<dyn Field> = Arc::new(field);
                of_fiber.push(field.potentials_mv(simulation.sample_points_um(fiber))?);
                stimulus = stimulus.source(fiber, field, pulse.clone());
            }
            potentials.push(of_fiber);
        }
        let mut random = Random::new(1, 0);
        let gains = Array2::from_shape_simple_fn((CANDIDATES, contacts), || {
            LARGEST_MA * (2.0 * random.unit() - 1.0)
        });
        Ok(Case {
            basis: simulation.basis(&stimulus)?,
            simulation,
            pulse,
            potentials,
            gains,
        })
    }

    /// Candidates of which every fiber was decided, per second.
    fn rate(&self, seconds: f64) -> f64 {
        self.gains.nrows() as f64 / seconds
    }

    /// All candidates in one call.
    fn matrix(&self) -> Result<(f64, Array2<bool>), Failure> {
        let options = ActivationOptions::default();
        let start = Instant::now();
        let active = self
            .basis
            .activation(self.gains.view(), &options, &mut |_| ())?;
        let seconds = start.elapsed().as_secs_f64();
        let fires = |activation: &Activation| activation.fires() == Some(true);
        Ok((self.rate(seconds), active.map(fires)))
    }

    /// A stimulus for each candidate, its runs stopped where a detection site crosses the level.
    fn one_by_one(&self) -> Result<(f64, Array2<bool>), Failure> {
        let fibers = self.potentials.len();
        let mut crossed = Array2::from_elem((self.gains.nrows(), fibers), false);
        let sites = NodeSelection::Nodes(vec![5, -5]);
        let active = ObserverSpec::new(ObserverKind::Active { at_least: 1 }, sites);
        let start = Instant::now();
        for (candidate, gains) in self.gains.outer_iter().enumerate() {
            let mut stimulus = Stimulus::none(fibers);
            for (fiber, of_contacts) in self.potentials.iter().enumerate() {
                let mut sum = vec![0.0; of_contacts[0].len()];
                for (potentials, gain) in of_contacts.iter().zip(gains) {
                    sum.iter_mut()
                        .zip(potentials)
                        .for_each(|(sum, x)| *sum += gain * x);
                }
                stimulus = stimulus.potentials(fiber, sum, self.pulse.clone())?;
            }
            let mut rollout = self
                .simulation
                .rollout(&stimulus, std::slice::from_ref(&active))?;
            rollout.stop_when_active = Some(0);
            rollout.final_states = false;
            let outcome = CpuBackend::new().run(&rollout)?;
            for (fiber, outcome) in outcome.fibers.iter().enumerate() {
                crossed[(candidate, fiber)] = matches!(outcome.status, FiberStatus::Answered(_));
            }
        }
        Ok((self.rate(start.elapsed().as_secs_f64()), crossed))
    }
}

/// Measures `activation.matrix` and, as what it replaces, `activation.one_by_one`.
pub(super) fn measure(
    asked: &dyn Fn(&str) -> bool,
    nerve: &Path,
    repeat: usize,
    show: &mut dyn FnMut(Row),
) -> Result<(), Failure> {
    type Way = fn(&Case) -> Result<(f64, Array2<bool>), Failure>;
    let ways: [(&str, Way, Option<Goal>); 2] = [
        (
            "activation.matrix",
            Case::matrix,
            Some(Goal::AtLeast(300.0)),
        ),
        ("activation.one_by_one", Case::one_by_one, None),
    ];
    if !ways.iter().any(|(name, ..)| asked(name)) {
        return Ok(());
    }
    let folder = read_nerve(nerve)?;
    let case = Case::new(&folder, &Device::cpu()?)?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build()?;
    for (name, way, goal) in ways {
        if !asked(name) {
            continue;
        }
        let mut rates = Vec::new();
        let mut firing = 0;
        for _ in 0..=repeat {
            let (rate, fires) = pool.install(|| way(&case))?;
            firing = fires.iter().filter(|fires| **fires).count();
            rates.push(rate);
        }
        let (fibers, contacts) = (case.potentials.len(), case.basis.contacts());
        show(Row::new(
            name,
            rates.split_off(1),
            Unit::CandidatesPerSecond,
            goal,
            format!(
                "{CANDIDATES} candidates of {contacts} currents up to {LARGEST_MA} mA, {fibers} fibers of {} \
                 ({firing} fire), mrg, {NODES} nodes, {STEPS} steps, f32, two cores",
                nerve.display()
            ),
        ));
    }
    Ok(())
}
