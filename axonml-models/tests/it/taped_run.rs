//! Runs on the outer tape: PyTorch's values through it, finite differences where PyTorch has none, and refused inputs.

use std::sync::Arc;

use axonml_core::{Medium, PointSource, Waveform};
use axonml_models::tape::{GradientTape, Tensor};
use axonml_models::weights::Weights;
use axonml_models::{
    Detection, Device, Fiber, NodeSelection, Settings, Simulation, StateTensors, Stimulus,
    TapedRun, TapedRunError, TapedThresholds, ThresholdSearch, model,
};
use ndarray::{Array1, Array2, Array3, ArrayD, Ix3, Ix4, array};

use crate::golden::Golden;

const DT_MS: f64 = 0.005;

fn simulation(id: &str, diameters: &[f64], nodes: usize, steps: usize) -> Simulation {
    let fibers = diameters.iter().map(|&d| Fiber::new(d, nodes)).collect();
    let settings = Settings {
        dt_ms: DT_MS,
        tstop_ms: DT_MS * steps as f64,
        weights: Weights::Published,
        ..Settings::default()
    };
    let device = Device::cpu().unwrap();
    Simulation::new(&model(id).unwrap(), fibers, &settings, &device).unwrap()
}

fn close(what: &str, found: &ArrayD<f64>, expected: &ArrayD<f64>, relative: f64, share: f64) {
    assert_eq!(found.shape(), expected.shape(), "{what}");
    let largest = expected.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
    for ((place, found), expected) in found.indexed_iter().zip(expected) {
        let error = (found - expected).abs();
        assert!(
            error <= relative * expected.abs() + share * largest,
            "{what} at {place:?}: {found:e}, expected {expected:e}"
        );
    }
}

fn ends() -> NodeSelection {
    NodeSelection::Nodes(vec![0, 1, 2, 3, 4, -5, -4, -3, -2, -1])
}

/// A waveform of two fibers, its value at every step free.
#[test]
fn a_waveform_as_pytorch_differentiates_it() {
    let mut golden = Golden::open("axonml/grad_waveform_t300.npz");
    let basis = golden.array::<f64, Ix3>("basis");
    let x = golden.vector("x");
    let (fibers, _, nodes) = basis.dim();
    let sim = simulation("smf", &golden.vector("diameters"), nodes, x.len());
    let unit = Arc::new(Waveform::from_samples(DT_MS, vec![1.0; x.len()]).unwrap());
    let zero = vec![0.0; nodes];
    let stimulus = (0..fibers).fold(Stimulus::none(fibers), |stimulus, fiber| {
        let stimulus = stimulus.potentials(fiber, zero.clone(), unit.clone());
        stimulus.unwrap()
    });

    let tape = GradientTape::new();
    let steps = x.len();
    let waveform = tape.variable(Array1::from(x));
    let run = sim
        .on_tape(&tape, &stimulus)
        .waveforms(waveform.insert_axis(0))
        .potentials(tape.constant(basis))
        .record(ends(), &["m"], 1)
        .run()
        .unwrap();
    let loss = run.states[0].sum();
    let wanted = golden.number("loss");
    assert!((loss.number().unwrap() - wanted).abs() <= 1e-8 * wanted.abs());
    let found = tape.backward(loss).unwrap().of(waveform).unwrap();
    let expected = Array1::from(golden.vector("grad_x")).into_dyn();
    assert_eq!(expected.len(), steps);
    close("waveform", &found, &expected, 1e-8, 1e-12);
}

/// The mean squared difference from given states: by parameters and by potentials in space and time.
#[test]
fn parameters_and_space_time_potentials_as_pytorch_differentiates_by_them() {
    let mut golden = Golden::open("axonml/grad_mse_t50.npz");
    let ve = golden.array::<f64, Ix4>("ve");
    let target = golden.array::<f64, Ix4>("target");
    let (steps, fibers, _, nodes) = ve.dim();
    let sim = simulation("smf", &golden.vector("diameters"), nodes, steps);

    let tape = GradientTape::new();
    // PyTorch's order is (step, fiber, 1, node).
    let dense = tape.variable(ve);
    let names: Vec<&str> = sim.schema().parameters.iter().map(|p| &*p.name).collect();
    let values = sim.schema().parameters.iter().map(|p| p.value);
    let parameters = tape.variable(Array1::from_iter(values));
    let run = sim
        .on_tape(&tape, &Stimulus::none(fibers))
        .space_time(dense.index_axis(2, 0).permute(&[1, 0, 2]))
        .parameters(parameters)
        .record(NodeSelection::All, &["m", "h", "p", "s"], 1)
        .run()
        .unwrap();
    let states = [&run.states[..], &[run.v_mv]].concat();
    let all = tape.stack(0, &states).permute(&[2, 1, 0, 3]);
    let loss = (all - tape.constant(target)).square().mean();
    let wanted = golden.number("loss");
    assert!((loss.number().unwrap() - wanted).abs() <= 1e-8 * wanted.abs());

    let gradients = tape.backward(loss).unwrap();
    let by_ve = golden.array::<f64, Ix4>("grad_ve").into_dyn();
    close("ve", &gradients.of(dense).unwrap(), &by_ve, 1e-8, 1e-12);
    let expected: Vec<f64> = names
        .iter()
        .map(|&name| {
            let weights = golden.array::<f64, Ix3>("grad_ssd.weight");
            match name {
                "v_neighbor" => weights[[0, 0, 0]] + weights[[0, 0, 2]],
                "ve_neighbor" => weights[[0, 1, 0]] + weights[[0, 1, 2]],
                "v_center" => weights[[0, 0, 1]],
                "ve_center" => weights[[0, 1, 1]],
                name => golden.number(&format!("grad_{name}")),
            }
        })
        .collect();
    let found = gradients.of(parameters).unwrap();
    close(
        "parameters",
        &found,
        &Array1::from(expected).into_dyn(),
        1e-8,
        1e-12,
    );
}

/// Sampled potentials of an electrode at `x`, on the tape: rho I/(4 pi r).
fn electrode<'t>(sim: &Simulation, tape: &'t GradientTape, x_um: Tensor<'t>) -> Tensor<'t> {
    let each: Vec<Tensor> = (0..sim.fibers().len())
        .map(|fiber| {
            let z = Array1::from(sim.sample_points_um(fiber).to_vec());
            let r = (tape.constant(z).square() + x_um.square()).sqrt();
            // 500 ohm cm, mA, um: mV.
            (500.0 * 1e4 / (4.0 * std::f64::consts::PI)) / r
        })
        .collect();
    tape.stack(0, &each).insert_axis(1)
}

/// How well a small bipolar stimulus does, from the position of an electrode, amplitudes, the strengths of two phases
/// and of an injected current.
struct Design {
    position_um: f64,
    amplitudes_ma: [f64; 2],
    phases: [f64; 2],
    injected: f64,
}

impl Design {
    const START: Design = Design {
        position_um: 900.0,
        amplitudes_ma: [0.05, 0.08],
        phases: [-1.0, 0.7],
        injected: 0.4,
    };

    fn variables<'t>(&self, tape: &'t GradientTape) -> [Tensor<'t>; 4] {
        [
            tape.variable(array![self.position_um]),
            tape.variable(Array1::from(self.amplitudes_ma.to_vec())),
            tape.variable(Array1::from(self.phases.to_vec())),
            tape.variable(array![self.injected]),
        ]
    }

    /// A smooth measure of the highest voltage of both fibers near their ends, and a penalty of charge.
    fn loss<'t>(sim: &Simulation, tape: &'t GradientTape, of: [Tensor<'t>; 4]) -> Tensor<'t> {
        let [position, amplitudes, phases, injected] = of;
        let steps = sim.grid().steps();
        let unit = Arc::new(Waveform::from_samples(DT_MS, vec![1.0; steps]).unwrap());
        let current = Arc::new(Waveform::from_samples(DT_MS, vec![0.0; steps]).unwrap());
        let field = |stimulus: Stimulus, fiber: usize| {
            let zeros = vec![0.0; sim.sample_points_um(fiber).len()];
            stimulus.potentials(fiber, zeros, unit.clone()).unwrap()
        };
        let stimulus = (0..2).fold(Stimulus::none(2), field);
        let stimulus = stimulus.inject(1, 3, 1.0, current);

        // Two phases of 20 steps, and the injected current in the last quarter.
        let phase = |range: std::ops::Range<usize>| {
            let of = |step| if range.contains(&step) { 1.0 } else { 0.0 };
            tape.constant(Array1::from_iter((0..steps).map(of)))
        };
        let shape =
            phases.slice_axis(0, 0..1) * phase(5..25) + phases.slice_axis(0, 1..2) * phase(25..45);
        let injection = injected * phase(steps * 3 / 4..steps);
        let run = sim
            .on_tape(tape, &stimulus)
            .amplitudes(amplitudes)
            .waveforms(tape.stack(0, &[shape, injection]))
            .potentials(electrode(sim, tape, position))
            .record(NodeSelection::Nodes(vec![2, 3, -3]), &["m"], 2)
            .run()
            .unwrap();
        let highest = (run.v_mv * 0.2).log_sum_exp_axis(1).sum();
        highest + run.states[0].square().sum() + shape.square().sum() * 0.1
    }
}

/// Electrode position, amplitudes, waveforms and injected current of exact fibers at once, against differences.
#[test]
fn a_design_from_end_to_end() {
    for id in ["mrg", "smf", "hh"] {
        let diameter = if id == "hh" { 0.9 } else { 9.0 };
        let sim = simulation(id, &[diameter, 1.1 * diameter], 9, 100);
        let tape = GradientTape::new();
        let variables = Design::START.variables(&tape);
        let gradients = tape.backward(Design::loss(&sim, &tape, variables)).unwrap();
        let found: Vec<f64> = variables
            .iter()
            .flat_map(|&variable| gradients.of(variable).unwrap())
            .collect();

        let moved = |index: usize, by: f64| {
            let Design {
                mut position_um,
                mut amplitudes_ma,
                mut phases,
                mut injected,
            } = Design::START;
            match index {
                0 => position_um += by,
                1 | 2 => amplitudes_ma[index - 1] += by,
                3 | 4 => phases[index - 3] += by,
                _ => injected += by,
            }
            let design = Design {
                position_um,
                amplitudes_ma,
                phases,
                injected,
            };
            let tape = GradientTape::new();
            let variables = design.variables(&tape);
            Design::loss(&sim, &tape, variables).number().unwrap()
        };
        let size = [900.0, 0.05, 0.08, 1.0, 0.7, 0.4];
        for (index, (found, size)) in found.into_iter().zip(size).enumerate() {
            let h = 1e-4 * size;
            let differences = 8.0 * (moved(index, h) - moved(index, -h))
                - (moved(index, 2.0 * h) - moved(index, -2.0 * h));
            let expected = differences / (12.0 * h);
            // Finite differences lose the digits of losses of about 100 beyond the 14th.
            let error = (found - expected).abs() * size;
            assert!(
                error <= 1e-7 * (expected.abs() * size) + 1e-9,
                "{id}, number {index}: {found:e}, differences {expected:e}"
            );
        }
    }
}

/// Rows of waveforms are numbered fiber by fiber, of each its extracellular sources first.
#[test]
fn waveforms_are_numbered_as_they_are_first_used() {
    let sim = simulation("smf", &[8.0, 9.0], 9, 3);
    let constant = |value| Arc::new(Waveform::from_samples(DT_MS, vec![value; 3]).unwrap());
    let shared = constant(0.1);
    let potentials = |stimulus: Stimulus, fiber, waveform: &Arc<Waveform>| {
        let ve_mv = vec![1.0; sim.sample_points_um(fiber).len()];
        let stimulus = stimulus.potentials(fiber, ve_mv, waveform.clone());
        stimulus.unwrap()
    };
    let stimulus = potentials(Stimulus::none(2), 1, &constant(0.3));
    let stimulus = potentials(stimulus, 1, &shared);
    let stimulus = stimulus.inject(0, 2, 1.0, constant(0.2));
    let stimulus = potentials(stimulus, 0, &shared).inject(1, 2, 1.0, constant(0.4));
    let rollout = sim.rollout(&stimulus, &[]).unwrap();
    let first: Vec<f64> = rollout.drive.waveforms.iter().map(|row| row[0]).collect();
    assert_eq!(first, [0.1, 0.2, 0.3, 0.4]);
}

/// Two runs, the second going on from the first, have the derivatives of one.
#[test]
fn a_run_in_two_parts() {
    for id in ["mrg", "two-mode", "sundt", "smf"] {
        let diameter = if id == "sundt" { 0.9 } else { 9.0 };
        let sim = simulation(id, &[diameter, 1.2 * diameter], 7, 60);
        let source = PointSource {
            x_um: 600.0,
            y_um: 0.0,
            z_um: 0.0,
            medium: Medium::isotropic(500.0),
        };
        let pulse = Waveform::monophasic(0.1).unwrap();
        let stimulus = Stimulus::uniform(2, Arc::new(source), pulse);
        let loss_of = |ends: &[usize]| {
            let tape = GradientTape::new();
            let amplitudes = tape.variable(array![-0.03, -0.05]);
            let mut start: Option<StateTensors> = None;
            let mut loss = tape.number(0.0);
            let mut done = 0;
            for &end in ends {
                let mut run = sim
                    .on_tape(&tape, &stimulus)
                    .amplitudes(amplitudes)
                    .steps(done..end)
                    .keep_last();
                if let Some(start) = start {
                    run = run.start(start);
                }
                let run = run.run().unwrap();
                loss = loss + (run.v_mv * 0.01).square().sum();
                start = run.last;
                done = end;
            }
            let last = start.unwrap();
            loss = loss + last.states.square().sum() * 3.0 + last.modes.sum() * 0.1;
            let by_amplitudes = tape.backward(loss).unwrap().of(amplitudes).unwrap();
            (loss.number().unwrap(), by_amplitudes)
        };
        let (whole, by_whole) = loss_of(&[60]);
        let (parts, by_parts) = loss_of(&[25, 60]);
        assert!((whole - parts).abs() <= 1e-12 * whole, "{id}");
        close(id, &by_parts, &by_whole, 1e-10, 0.0);
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let sim = simulation("mrg", &[9.0, 10.0], 5, 20);
    let stimulus = Stimulus::uniform(
        2,
        Arc::new(PointSource {
            x_um: 500.0,
            y_um: 0.0,
            z_um: 0.0,
            medium: Medium::isotropic(500.0),
        }),
        Waveform::monophasic(0.05).unwrap(),
    );
    let tape = GradientTape::new();
    let run = || sim.on_tape(&tape, &stimulus);
    let refused = |run: TapedRun<'_, '_>| run.run().unwrap_err().to_string();
    let three = tape.constant(array![1.0, 2.0, 3.0]);
    let text = refused(run().amplitudes(three));
    assert!(
        text.contains("the amplitudes on the tape") && text.contains("[2]"),
        "{text}"
    );
    let text = refused(run().waveforms(tape.constant(Array2::zeros((1, 19)))));
    assert!(
        text.contains("the waveforms") && text.contains("[1, 20]"),
        "{text}"
    );
    let text = refused(run().potentials(tape.constant(Array3::zeros((2, 1, 5)))));
    assert!(
        text.contains("the potentials") && text.contains("[2, 1, 45]"),
        "{text}"
    );
    let text = refused(run().space_time(tape.constant(Array3::zeros((2, 20, 44)))));
    assert!(
        text.contains("space-time") && text.contains("[2, 20, 45]"),
        "{text}"
    );
    let values = sim.schema().parameters.iter().map(|p| p.value);
    let other = tape.constant(Array1::from_iter(values) + 1.0);
    let text = refused(run().parameters(other));
    assert!(
        text.contains("which the simulation was built with"),
        "{text}"
    );
    let text = refused(run().record(NodeSelection::All, &["q"], 1));
    assert!(text.contains("`q`"), "{text}");

    // The earlier error on the tape is the one reported.
    let broken = tape.variable(array![0.0]).ln();
    let error = run().amplitudes(broken).run().unwrap_err();
    assert!(matches!(error, TapedRunError::Tensor(_)), "{error}");
    assert!(error.to_string().contains("`ln`"), "{error}");

    // Fibers of unequal length have no rectangle of voltages.
    let device = Device::cpu().unwrap();
    let settings = Settings {
        tstop_ms: 0.1,
        ..Settings::default()
    };
    let fibers = vec![Fiber::new(9.0, 5), Fiber::new(9.0, 7)];
    let sim = Simulation::new(&model("mrg").unwrap(), fibers, &settings, &device).unwrap();
    let tape = GradientTape::new();
    let all = sim.on_tape(&tape, &stimulus).run().unwrap_err().to_string();
    assert!(all.contains("fiber 1") && all.contains("5 nodes"), "{all}");
    let some = sim.on_tape(&tape, &stimulus);
    let some = some.record(NodeSelection::Nodes(vec![1, -1]), &[], 1);
    assert_eq!(some.run().unwrap().v_mv.shape(), [2, 21, 2]);
}

/// A fiber that diverges is an error that names it, not a number.
#[test]
fn divergence_is_named() {
    let fibers = vec![Fiber::new(10.0, 21)];
    let settings = Settings {
        dt_ms: 0.1,
        tstop_ms: 2.0,
        allow_unstable: true,
        ..Settings::default()
    };
    let device = Device::cpu().unwrap();
    let sim = Simulation::new(&model("smf").unwrap(), fibers, &settings, &device).unwrap();
    let tape = GradientTape::new();
    let error = sim.on_tape(&tape, &Stimulus::none(1)).run().unwrap_err();
    assert!(error.to_string().contains("fiber 0 diverged"), "{error}");
}

/// Thresholds as an operation: electrode position and phases of exact fibers against differences of thresholds.
#[test]
fn thresholds_of_a_design() {
    let sim = simulation("mrg", &[8.0, 12.0], 15, 240);
    let search = ThresholdSearch {
        resolution: 1e-9,
        detection: Detection::at_nodes(&[2, -3]),
        ..ThresholdSearch::default()
    };
    let steps = sim.grid().steps();
    let unit = Arc::new(Waveform::from_samples(DT_MS, vec![1.0; steps]).unwrap());
    let stimulus = (0..2).fold(Stimulus::none(2), |stimulus, fiber| {
        let zeros = vec![0.0; sim.sample_points_um(fiber).len()];
        stimulus.potentials(fiber, zeros, unit.clone()).unwrap()
    });
    let on = |from: usize, to: usize| -> Array1<f64> {
        (0..steps)
            .map(|step| if (from..to).contains(&step) { 1.0 } else { 0.0 })
            .collect()
    };
    // The second fiber counts twice, so that fibers cannot be mixed up.
    fn weighed<'t>(
        tape: &'t GradientTape,
        run: TapedRun<'_, 't>,
        search: &ThresholdSearch,
    ) -> Tensor<'t> {
        let weights = tape.constant(array![1.0, 2.0]);
        (run.ln_thresholds(search).unwrap() * weights).sum()
    }
    let loss = |tape: &GradientTape, numbers: [f64; 3]| -> (f64, Vec<f64>) {
        let variables = tape.variable(Array1::from(numbers.to_vec()));
        let number = |index: usize| variables.slice_axis(0, index..index + 1);
        let waveform =
            number(1) * tape.constant(on(10, 30)) + number(2) * tape.constant(on(30, 60));
        let run = sim
            .on_tape(tape, &stimulus)
            .potentials(electrode(&sim, tape, number(0)))
            .waveforms(waveform.insert_axis(0));
        let loss = weighed(tape, run, &search);
        let gradients = tape.backward(loss).unwrap();
        let found = gradients.of(variables).unwrap().iter().copied().collect();
        (loss.number().unwrap(), found)
    };
    let at = [700.0, -1.0, 0.3];
    let (_, found) = loss(&GradientTape::new(), at);
    for (index, found) in found.into_iter().enumerate() {
        let moved = |by: f64| {
            let mut at = at;
            at[index] *= 1.0 + by;
            loss(&GradientTape::new(), at).0
        };
        let h = 1e-4;
        let expected = (moved(h) - moved(-h)) / (2.0 * h * at[index]);
        assert!(
            (found - expected).abs() <= 1e-3 * expected.abs(),
            "number {index}: {found:e}, differences {expected:e}"
        );
    }

    // Fibers without a threshold, and operands that thresholds do not depend on.
    let tape = GradientTape::new();
    let silent = sim
        .on_tape(&tape, &stimulus)
        .ln_thresholds(&ThresholdSearch {
            max_ma: 0.002,
            ..search.clone()
        });
    let text = silent.unwrap_err().to_string();
    assert!(
        text.contains("fiber 0 has no threshold (no_activation)"),
        "{text}"
    );
    let run = sim.on_tape(&tape, &stimulus).amplitudes(tape.number(1.0));
    let text = run.ln_thresholds(&search).unwrap_err().to_string();
    assert!(
        text.contains("amplitudes, which are searched for"),
        "{text}"
    );
}

/// Gains of two electrodes and an injected current, which the amplitude multiplies, beside a current of its own.
#[test]
fn gains_of_sources() {
    let sim = simulation("mrg", &[8.0, 12.0], 15, 240);
    let electrode = |z_um: f64| PointSource {
        x_um: 800.0,
        y_um: 0.0,
        z_um,
        medium: Medium::isotropic(500.0),
    };
    let [early, late] = ["monophasic:pw=0.1,delay=0.05", "biphasic:pw=0.1,delay=0.1"]
        .map(|text| Arc::new(text.parse::<Waveform>().unwrap()));
    let stimulus = (0..2).fold(Stimulus::none(2), |stimulus, fiber| {
        stimulus
            .source(fiber, Arc::new(electrode(100.0)), early.clone())
            .source(fiber, Arc::new(electrode(1500.0)), late.clone())
            .inject(fiber, 3, 0.05, late.clone())
            .inject_scaled(fiber, 7, late.clone())
    });
    let at: [[f64; 3]; 2] = [[1.0, 0.4, -1e-6], [0.7, -0.6, 2e-6]];
    let search = ThresholdSearch {
        resolution: 1e-9,
        detection: Detection::at_nodes(&[2, -3]),
        ..ThresholdSearch::default()
    };
    let of_runs = |run: TapedRun<'_, '_>| {
        let run = run.record(NodeSelection::Nodes(vec![2, -3]), &[], 2);
        let highest = run.run().unwrap().v_mv * 0.2;
        highest.log_sum_exp_axis(1).sum().number().unwrap()
    };
    let scale = |fiber: usize, source: usize| at[fiber][source].abs();
    let check = |what: &str, found: ArrayD<f64>, loss: &dyn Fn(Array2<f64>) -> f64| {
        for fiber in 0..2 {
            for source in 0..3 {
                let h = 1e-4 * scale(fiber, source);
                let moved = |by: f64| {
                    let mut gains = Array2::from(at.to_vec());
                    gains[(fiber, source)] += by;
                    loss(gains)
                };
                let expected = (moved(h) - moved(-h)) / (2.0 * h);
                let found = found[[fiber, source]];
                assert!(
                    (found - expected).abs() <= 1e-3 * expected.abs(),
                    "{what}, fiber {fiber}, source {source}: {found:e}, differences {expected:e}"
                );
            }
        }
    };

    // Runs at two amplitudes.
    let amplitudes = array![0.03, -0.02];
    let loss = |gains: Array2<f64>| {
        let tape = GradientTape::new();
        let run = sim
            .on_tape(&tape, &stimulus)
            .amplitudes(tape.constant(amplitudes.clone()))
            .gains(tape.constant(gains));
        of_runs(run)
    };
    let tape = GradientTape::new();
    let gains = tape.variable(Array2::from(at.to_vec()));
    let run = sim
        .on_tape(&tape, &stimulus)
        .amplitudes(tape.constant(amplitudes.clone()))
        .gains(gains)
        .record(NodeSelection::Nodes(vec![2, -3]), &[], 2);
    let highest = run.run().unwrap().v_mv * 0.2;
    let value = highest.log_sum_exp_axis(1).sum();
    let found = tape.backward(value).unwrap().of(gains).unwrap();
    check("runs", found, &loss);

    // Thresholds.
    let loss = |gains: Array2<f64>| {
        let tape = GradientTape::new();
        let run = sim.on_tape(&tape, &stimulus).gains(tape.constant(gains));
        run.ln_thresholds(&search).unwrap().sum().number().unwrap()
    };
    let tape = GradientTape::new();
    let gains = tape.variable(Array2::from(at.to_vec()));
    let run = sim.on_tape(&tape, &stimulus).gains(gains);
    let thresholds = run.ln_thresholds(&search).unwrap();
    let found = tape.backward(thresholds.sum()).unwrap().of(gains).unwrap();
    check("thresholds", found, &loss);

    // A value in place of a threshold that there is none, its derivatives 0; guesses change nothing.
    let guesses = thresholds.value().unwrap().map(|ln_ma| 1.2 * ln_ma.exp());
    let highest_ma = guesses.iter().copied().fold(f64::INFINITY, f64::min);
    let limited = TapedThresholds {
        search: ThresholdSearch {
            max_ma: highest_ma,
            ..search.clone()
        },
        guesses_ma: None,
        without_ma: Some(highest_ma),
    };
    let run = sim.on_tape(&tape, &stimulus).gains(gains);
    let some = run.ln_thresholds(limited).unwrap();
    let absent = some.value().unwrap().map(|ln_ma| *ln_ma == highest_ma.ln());
    assert_eq!(
        absent.iter().filter(|absent| **absent).count(),
        1,
        "{absent}"
    );
    let by_gains = tape.backward(some.sum()).unwrap().of(gains).unwrap();
    for (row, absent) in by_gains.outer_iter().zip(&absent) {
        assert!(row.iter().all(|x| (*x == 0.0) == *absent));
    }
    let guessed = TapedThresholds {
        guesses_ma: Some(guesses),
        ..TapedThresholds::from(&search)
    };
    let run = sim.on_tape(&tape, &stimulus).gains(gains);
    let again = run.ln_thresholds(guessed).unwrap();
    assert_eq!(again.value().unwrap(), thresholds.value().unwrap());
}
