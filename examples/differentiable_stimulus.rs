//! Gradients through exact fibers: how the contacts of a cuff should share the current so that the target fibers of a
//! nerve are excited before the others.
//!
//! Run with `cargo run --release --package axonml-models --example differentiable_stimulus`.

use std::path::Path;
use std::sync::Arc;

use axonml_core::{Extension, Interpolation, Waveform};
use axonml_models::tape::{GradientTape, Tensor};
use axonml_models::{
    Device, Fiber, Settings, Simulation, Stimulus, ThresholdSearch, model, read_nerve,
};
use ndarray::{Array1, Ix1};

const STEPS: usize = 25;
/// Length of a step in the factors of the contacts, at first and at last.
const STEP: [f64; 2] = [0.6, 0.05];
/// A smooth maximum of logarithms of thresholds exceeds the largest by at most ln(12)/SHARPNESS.
const SHARPNESS: f64 = 20.0;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Twelve fibers of a nerve under six contacts; the nerve says which are to be excited.
    let nerves = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/nerves");
    let nerve = read_nerve(&nerves.join("N1"))?;
    let target = nerve.target().ok_or("the nerve names its targets")?;
    let (fibers, contacts) = (nerve.fibers(), nerve.contacts());

    // Exact MRG fibers of 8.7 um for 3 ms. The effect of each contact on each fiber is projected once.
    let settings = Settings {
        tstop_ms: 3.0,
        ..Settings::default()
    };
    let all = vec![Fiber::new(8.7, 53); fibers];
    let simulation = Simulation::new(&model("mrg")?, all, &settings, &Device::auto()?)?;
    let pulse: Arc<Waveform> = Arc::new("biphasic:pw=0.1,gap=0.05,delay=0.2".parse()?);
    let mut stimulus = Stimulus::none(fibers);
    for contact in 0..contacts {
        let mut only = vec![0.0; contacts];
        only[contact] = 1.0;
        for fiber in 0..fibers {
            let field = nerve.field(fiber, &only, Interpolation::Cubic, 0.0, Extension::Refuse)?;
            stimulus = stimulus.source(fiber, Arc::new(field), pulse.clone());
        }
    }
    let basis = simulation.basis(&stimulus)?;
    let search = ThresholdSearch {
        resolution: 1e-6,
        ..ThresholdSearch::default()
    };

    let mut factors = Array1::from_elem(contacts, 1.0);
    for step in 0..=STEPS {
        // On the tape: the contacts' factors are gains, one row of them, and make the thresholds.
        let tape = GradientTape::new();
        let variable = tape.variable(factors.clone());
        let ln_thresholds = basis
            .ln_thresholds(&tape, variable.insert_axis(0), &search)?
            .index_axis(0, 0);

        // How far the highest threshold of a target lies above the lowest of the others: below 1, an amplitude between
        // the two excites all targets and nothing else.
        let of = |wanted: bool| (0..fibers).filter(move |&fiber| target[fiber] == wanted);
        let thresholds = ln_thresholds.value()?;
        let highest = of(true)
            .map(|fiber| thresholds[[fiber]])
            .fold(f64::NEG_INFINITY, f64::max);
        let lowest = of(false)
            .map(|fiber| thresholds[[fiber]])
            .fold(f64::INFINITY, f64::min);
        println!(
            "step {step:2}: highest target / lowest other {:.3}, factors {factors:.3}",
            (highest - lowest).exp()
        );
        // The same, smooth and from above.
        let upper = |wanted: bool, sign: f64| -> Tensor<'_> {
            let chosen: Vec<_> = of(wanted).map(|f| ln_thresholds.index_axis(0, f)).collect();
            (tape.stack(0, &chosen) * (sign * SHARPNESS)).log_sum_exp_axis(0) / SHARPNESS
        };
        let loss = upper(true, 1.0) + upper(false, -1.0);
        if step == STEPS {
            break;
        }

        // Thresholds do not care how large the factors are in all, only how they relate: the step keeps their length.
        let slope = tape.backward(loss)?.of(variable)?;
        let slope = slope.into_dimensionality::<Ix1>()?;
        let share = step as f64 / STEPS as f64;
        let length = STEP[0] * (STEP[1] / STEP[0]).powf(share);
        factors = factors - &slope * (length / slope.dot(&slope).sqrt());
        factors *= (contacts as f64 / factors.dot(&factors)).sqrt();
    }
    Ok(())
}
