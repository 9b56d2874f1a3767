//! Parts of searches for selective stimuli, through the same calls: candidates, thresholds, steps of a descent.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use axonml::design::{
    DescentOptions, Ends, Goal as Wanted, Montage, MontageKind, Population, Problem, Quotient, Run,
    Start, Unkept, contacts,
};
use axonml_core::{Extension, Interpolation, Nerve, Random, Waveform};
use axonml_models::weights::Weights;
use axonml_models::{
    ActivationOptions, Device, Fiber, Precision, Settings, Simulation, model, read_nerve,
};

use super::gradients::{memory_kb, threads};
use super::row::{Goal, Row, Unit};

const CANDIDATES: usize = 300;
const DIRECTIONS: usize = 32;
/// Largest current of a contact, mA.
const LARGEST_MA: f64 = 0.3;
const STEPS: usize = 500;
const DIAMETER_UM: f64 = 5.7;
const PULSE: &str = "biphasic:pw=0.2,delay=0.2";
/// Steps of descents.
const UPDATES: usize = 8;
/// Descents at once in `optimize.gd_step_of_six_ms`.
const AT_ONCE: usize = 6;

/// Fibers and nodes of `optimize.gd_step_large_ms`, at least.
const LARGE: (usize, usize) = (40, 101);
const NODES: usize = 53;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The rows whose name `asked` accepts, on the fibers of a nerve folder.
pub(super) fn measure(
    asked: &dyn Fn(&str) -> bool,
    folder: &Path,
    repeat: usize,
    show: &mut dyn FnMut(Row),
) -> Result<(), Failure> {
    type Way = fn(&Case) -> Result<f64, Failure>;
    const RATE: Unit = Unit::CandidatesPerSecond;
    const MS: Unit = Unit::Milliseconds;
    let (large_ms, large_mb) = ("optimize.gd_step_large_ms", "optimize.gd_step_large_mb");
    let quotient_ms = "optimize.quotient_step_ms";
    #[rustfmt::skip]
    let ways: [(&str, Way, Unit, Option<Goal>, &str); 5] = [
        ("optimize.candidates", Case::candidates, RATE, Some(Goal::AtLeast(300.0)), "activation at random currents"),
        ("optimize.thresholds", Case::thresholds, RATE, None, "thresholds to 1e-3 of random directions"),
        ("optimize.gd_step_ms", |case| case.descent(1), MS, Some(Goal::AtMost(80.0)), "thresholds to 1e-3 and gradients of one start"),
        ("optimize.gd_step_of_six_ms", |case| case.descent(AT_ONCE), MS, Some(Goal::AtMost(80.0)), "the same of six starts at once, per start"),
        ("optimize.current_gradient_ms", Case::current_gradient, MS, None, "gradient of a stimulus by all currents"),
    ];
    let is_large = asked(large_ms) || asked(large_mb) || asked(quotient_ms);
    if !is_large && !ways.iter().any(|(name, ..)| asked(name)) {
        return Ok(());
    }
    let nerve = read_nerve(folder)?;
    let pool = threads(2)?;
    let measured = |case: &Case, way: Way| -> Result<Vec<f64>, Failure> {
        let mut each = Vec::new();
        for _ in 0..=repeat {
            each.push(pool.install(|| way(case))?);
        }
        // The first one warms caches and the allocator.
        Ok(each.split_off(1))
    };
    if is_large {
        let mut case = Case::new(&nerve, LARGE.0.div_ceil(nerve.fibers()), LARGE.1)?;
        let what = format!("one start, {}", case.described(folder));
        let is_by_thresholds = asked(large_ms) || asked(large_mb);
        let times = match is_by_thresholds {
            true => measured(&case, |case| case.descent(1))?,
            false => Vec::new(),
        };
        if asked(large_ms) {
            let goal = Some(Goal::AtMost(400.0));
            show(Row::new(large_ms, times, MS, goal, what.clone()));
        }
        if let (true, Some(kb)) = (asked(large_mb), memory_kb("VmHWM:")) {
            let peak_mb = vec![kb as f64 * 1024.0 / 1e6];
            let what = format!("{what}; largest resident size of the process so far");
            let goal = Some(Goal::AtMost(200.0));
            show(Row::new(
                large_mb,
                peak_mb,
                Unit::Megabytes,
                goal,
                what.clone(),
            ));
        }
        if asked(quotient_ms) {
            case.problem.quotient = Some(Quotient::default());
            case.problem.unit = LARGEST_MA;
            let times = measured(&case, |case| case.descent(1))?;
            let what = format!("quotient of gates, {what}");
            // 200 steps a minute.
            let goal = Some(Goal::AtMost(300.0));
            show(Row::new(quotient_ms, times, MS, goal, what));
        }
    }
    let case = Case::new(&nerve, 1, NODES)?;
    for (name, way, unit, goal, what) in ways {
        if asked(name) {
            let each = measured(&case, way)?;
            let what = format!("{what}, {}", case.described(folder));
            show(Row::new(name, each, unit, goal, what));
        }
    }
    Ok(())
}

/// The fibers of a nerve as the subject of an optimization.
struct Case {
    problem: Problem,
    nodes: usize,
}

impl Case {
    /// Every fiber `copies` times, the diameters of the copies 0.1 um apart.
    fn new(nerve: &Nerve, copies: usize, nodes: usize) -> Result<Self, Failure> {
        let settings = Settings {
            precision: Precision::F32,
            dt_ms: 0.005,
            tstop_ms: 0.005 * STEPS as f64,
            weights: Weights::Published,
            ..Settings::default()
        };
        let fiber = |index: usize| Fiber::new(DIAMETER_UM + 0.1 * (index % copies) as f64, nodes);
        let fibers = (0..nerve.fibers() * copies).map(fiber).collect();
        let simulation = Simulation::new(&model("mrg")?, fibers, &settings, &Device::cpu()?)?;
        let pulse: Arc<Waveform> = Arc::new(PULSE.parse()?);
        let (interpolation, extension) = (Interpolation::Cubic, Extension::Refuse);
        let stimulus = contacts(nerve, copies, &pulse, interpolation, extension)?;
        let waveform = Arc::new(pulse.sample(simulation.grid())?);
        let population = Population::new(simulation.basis(&stimulus)?, waveform)?;
        let goal = Wanted::of_nerve(nerve, copies)?;
        Ok(Case {
            problem: Problem::new(population, goal),
            nodes,
        })
    }

    fn described(&self, folder: &Path) -> String {
        let population = &self.problem.population;
        format!(
            "{} fibers of {}, {} contacts, mrg, {} nodes, {STEPS} steps, f32, two cores",
            population.fibers(),
            folder.display(),
            population.contacts(),
            self.nodes,
        )
    }

    /// Random points, of currents up to [`LARGEST_MA`].
    fn points(&self, count: usize) -> Vec<Vec<f64>> {
        let mut random = Random::new(1, 0);
        let mut current = || LARGEST_MA * (2.0 * random.unit() - 1.0);
        let contacts = self.problem.population.contacts();
        let mut point = || (0..contacts).map(|_| current()).collect();
        (0..count).map(|_| point()).collect()
    }

    /// Candidates whose every fiber was decided, per second.
    fn candidates(&self) -> Result<f64, Failure> {
        let points = self.points(CANDIDATES);
        let stimuli: Vec<_> = points.iter().map(|x| self.problem.stimulus(x)).collect();
        let options = ActivationOptions::default();
        let start = Instant::now();
        let population = &self.problem.population;
        population.activation(&stimuli, &options, &mut |_| ())?;
        Ok(CANDIDATES as f64 / start.elapsed().as_secs_f64())
    }

    /// Directions whose thresholds were found, per second.
    fn thresholds(&self) -> Result<f64, Failure> {
        let points = self.points(DIRECTIONS);
        let stimuli = points.iter().map(|x| self.problem.stimulus(x)).collect();
        let start = Instant::now();
        self.problem.judge(stimuli, None, &mut |_| ())?;
        Ok(DIRECTIONS as f64 / start.elapsed().as_secs_f64())
    }

    /// Time of a step of one of several descents from tripolar montages, ms.
    fn descent(&self, starts: usize) -> Result<f64, Failure> {
        let montages = Montage::all(self.problem.population.contacts());
        let all = montages
            .iter()
            .filter(|of| of.kind == MontageKind::Tripolar);
        let starts: Vec<Start> = all
            .filter_map(|montage| {
                Some(Start {
                    init: montage.kind.name().into(),
                    x: self.problem.start(&montage.gains)?,
                })
            })
            .take(starts)
            .collect();
        let options = DescentOptions {
            steps: UPDATES,
            early_stop: false,
            ..DescentOptions::default()
        };
        let mut course = Unkept;
        let mut run = Run::new(&mut course, Ends::default());
        let start = Instant::now();
        self.problem.descend(&starts, &options, &mut run)?;
        let ms = 1e3 * start.elapsed().as_secs_f64();
        match run.tally.gradients {
            0 => Err("no step was taken".into()),
            steps => Ok(ms / steps as f64),
        }
    }

    /// Time of the derivatives by all currents of what every fiber's threshold counts for, ms.
    fn current_gradient(&self) -> Result<f64, Failure> {
        let (population, search) = (&self.problem.population, &self.problem.search);
        let stimuli: Vec<_> = self
            .points(1)
            .iter()
            .map(|x| self.problem.stimulus(x))
            .collect();
        let found = population.thresholds(&stimuli, search, None, &mut |_| ())?;
        let weights = vec![vec![1.0; population.fibers()]];
        let start = Instant::now();
        population.gradients(&stimuli, search, &found, &weights, false)?;
        Ok(1e3 * start.elapsed().as_secs_f64())
    }
}
