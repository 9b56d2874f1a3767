//! A stimulus of one's own, and a loss of one's own: every contact has a prepulse beside its main pulse, and the loss wants
//! all targets to fire at a third of the amplitude of the first other fiber.
//!
//! `cargo run --release --package axonml --example design_stimulus [NERVE FOLDER]`

use std::sync::Arc;

use axonml::design::{
    Delivered, DescentOptions, Ends, Goal, Loss, Parameterization, Population, Problem, Run,
    Softness, Start, ThresholdLoss, Unkept, best_reached, contacts,
};
use axonml::field::{Extension, Interpolation};
use axonml::{Device, Fiber, Precision, Settings, Simulation, Waveform};
use ndarray::ArrayView2;

/// Two pulses, each with an amplitude for every contact.
#[derive(Debug)]
struct PrepulseAndPulse {
    contacts: usize,
    /// Prepulse and pulse, a value for each step.
    waveforms: [Vec<f64>; 2],
    dt_ms: f64,
}

impl Parameterization for PrepulseAndPulse {
    fn contacts(&self) -> usize {
        self.contacts
    }

    fn coefficients(&self) -> usize {
        2
    }

    fn charges(&self) -> Option<Vec<f64>> {
        let charge = |waveform: &Vec<f64>| waveform.iter().sum::<f64>() * self.dt_ms;
        Some(self.waveforms.iter().map(charge).collect())
    }

    fn stimulus(&self, x: &[f64]) -> Delivered {
        let [before, main] = &self.waveforms;
        let current = |of: &[f64]| {
            let both = before.iter().zip(main);
            Arc::new(both.map(|(b, m)| of[0] * b + of[1] * m).collect())
        };
        Delivered {
            amplitudes_ma: vec![1.0; self.contacts],
            waveforms: x.chunks(2).map(current).collect(),
            dt_ms: self.dt_ms,
        }
    }

    fn start(&self, amplitudes_ma: &[f64]) -> Vec<f64> {
        amplitudes_ma.iter().flat_map(|ma| [0.0, *ma]).collect()
    }

    fn pull_back(&self, _: &[f64], by_currents: ArrayView2<'_, f64>) -> Vec<f64> {
        let rows = by_currents.rows();
        let dot = |row: usize, waveform: &Vec<f64>| -> f64 {
            let steps = rows.clone().into_iter().nth(row).into_iter().flatten();
            steps.zip(waveform).map(|(by, value)| by * value).sum()
        };
        let each = (0..self.contacts).flat_map(|row| [0, 1].map(|of| (row, of)));
        each.map(|(row, of)| dot(row, &self.waveforms[of]))
            .collect()
    }
}

/// How much the separation falls short of 3, squared.
#[derive(Debug)]
struct ShortOfThree;

impl ThresholdLoss for ShortOfThree {
    fn is_scale_free(&self) -> bool {
        true
    }

    fn loss(&self, goal: &Goal, thresholds: &[Option<f64>], softness: Softness) -> Loss {
        let mut loss = Loss::zero(goal);
        let ln = |fiber: usize| thresholds[fiber].unwrap_or(softness.silent_from).ln();
        let fibers = || 0..thresholds.len();
        let last = fibers().filter(|of| goal.targets()[*of]);
        let first = fibers().filter(|of| !goal.targets()[*of]);
        let (Some(last), Some(first)) = (
            last.max_by(|a, b| ln(*a).total_cmp(&ln(*b))),
            first.min_by(|a, b| ln(*a).total_cmp(&ln(*b))),
        ) else {
            return loss;
        };
        let short = (3.0_f64.ln() + ln(last) - ln(first)).max(0.0);
        loss.value = short * short;
        loss.by_ln_threshold[last] = 2.0 * short;
        loss.by_ln_threshold[first] = -2.0 * short;
        loss
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1);
    let nerve = match &folder {
        Some(folder) => axonml::read_nerve(folder.as_ref())?,
        None => axonml::demonstration::nerve()?,
    };
    let settings = Settings {
        precision: Precision::F32,
        tstop_ms: 2.5,
        ..Settings::default()
    };
    let fibers = vec![Fiber::new(5.7, 53); nerve.fibers()];
    let simulation = Simulation::new(&axonml::model("mrg")?, fibers, &settings, &Device::auto()?)?;
    let main: Arc<Waveform> = Arc::new("biphasic:pw=0.2,delay=0.6".parse()?);
    let before: Waveform = "biphasic:pw=0.1,delay=0.3".parse()?;
    let stimulus = contacts(&nerve, 1, &main, Interpolation::Cubic, Extension::Refuse)?;
    let grid = *simulation.grid();
    let waveform = Arc::new(main.sample(&grid)?);
    let population = Population::new(simulation.basis(&stimulus)?, waveform.clone())?;
    let mut problem = Problem::new(population, Goal::of_nerve(&nerve, 1)?);
    problem.parameterization = Arc::new(PrepulseAndPulse {
        contacts: nerve.contacts(),
        waveforms: [before.sample(&grid)?, waveform.to_vec()],
        dt_ms: grid.dt_ms(),
    });
    problem.objective = Arc::new(ShortOfThree);
    problem.limits.sum_zero = true;
    problem.check()?;

    let scan = problem.scan(&mut |_| ())?;
    let best = scan.montages.iter().take(2);
    let starts: Vec<Start> = best
        .filter_map(|best| {
            Some(Start {
                init: format!("{:?}", best.montage.contacts),
                x: problem.start(&best.amplitudes_ma)?,
            })
        })
        .collect();
    let options = DescentOptions {
        steps: 30,
        ..DescentOptions::default()
    };
    let mut course = Unkept;
    let mut run = Run::new(&mut course, Ends::default());
    let reached = problem.descend(&starts, &options, &mut run)?;
    let Some(best) = best_reached(&reached) else {
        return Err("no start has a score".into());
    };
    let judged = problem.judge(vec![problem.stimulus(&best.x)], None, &mut |_| ())?;
    let delivered = judged[0].delivered();
    println!(
        "from montage {}: separation {:.3}",
        best.init, best.score.separation
    );
    for (contact, x) in problem.unknowns(&best.x).chunks(2).enumerate() {
        let scale = judged[0].best.scale;
        println!(
            "contact {contact}: prepulse {:8.4} mA, pulse {:8.4} mA",
            scale * x[0],
            scale * x[1]
        );
    }
    let sum = |step: usize| delivered.waveforms.iter().map(|of| of[step]).sum::<f64>();
    let largest = (0..grid.steps())
        .map(sum)
        .fold(0.0, |most: f64, sum| most.max(sum.abs()));
    println!("largest sum of all currents: {largest:.1e} mA");
    Ok(())
}
