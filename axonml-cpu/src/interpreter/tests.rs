//! Random programs: the interpreter against the canonical evaluation, on every instruction set of this machine.

use axonml_autodiff::ir::op::OPERATIONS;
use axonml_autodiff::ir::{Expr, Extent, FusedProgram, ProgramLayout, Target, Tracer};
use proptest::prelude::*;

use super::*;

const LANES: usize = 8;

/// A random program over two node inputs, a fiber and a shared input, with values kept of order one.
fn random_program(choices: &[(usize, usize, usize, usize, usize)]) -> axonml_autodiff::ir::Program {
    let tracer = Tracer::new();
    let mut pool: Vec<Expr<'_>> = vec![
        tracer.input("a", Extent::Node),
        tracer.input("b", Extent::Node),
        tracer.input("f", Extent::Fiber),
        tracer.input("s", Extent::Shared),
        tracer.constant(0.7),
    ];
    for &(op, a, b, c, d) in choices {
        let row = &OPERATIONS[op % OPERATIONS.len()];
        let pick = |i: usize| pool[i % pool.len()];
        let squash = |i: usize| pick(i).sigmoid() * 3.0 - 1.0;
        let arguments: Vec<Expr<'_>> = match (row.op, row.arity) {
            (Op::Log | Op::Sqrt, _) => vec![pick(a).sigmoid() + 0.5],
            // The third derivative and its like cancel; they have tests of their own.
            (Op::Div, _) => vec![pick(a), pick(b).sigmoid() + 0.5],
            // Scaled and shifted arguments, and products of products, are folded.
            (Op::Exp | Op::Exprelr | Op::Sigmoid, _) if d % 3 == 0 => vec![pick(a) * 0.7],
            (Op::Exp | Op::Exprelr | Op::Sigmoid, _) if d % 3 == 1 => vec![pick(a) * 0.7 + pick(3)],
            (Op::Mul, _) if d % 2 == 0 => vec![pick(a) * pick(c), pick(b)],
            (Op::Add | Op::Sub | Op::Mul, _) => vec![pick(a), pick(b)],
            (_, 1) => vec![squash(a)],
            (_, 2) => vec![squash(a), squash(b)],
            // Selections on fixed numbers: last bits must not decide a branch.
            _ => vec![pool[a % 4], tracer.constant(0.31), pick(c), pick(d)],
        };
        // Products and sums of products would grow without bound.
        pool.push(Expr::apply(row.op, &arguments).max(-4.0).min(4.0));
    }
    let n = pool.len();
    let names = ["y0", "y1", "y2", "y3"].map(str::to_owned);
    // Outputs that are an input, repeat another, or are the same for all nodes are places where things go wrong.
    let outputs: Vec<(String, Expr<'_>)> = names
        .into_iter()
        .zip([pool[n - 1], pool[0], pool[n - 1], pool[n / 2]])
        .collect();
    tracer.finish(&outputs).unwrap()
}

/// Runs `program` over `rows` nodes of [`LANES`] lanes; inputs are functions of node and lane. Returns the array outputs
/// and the sums of two runs.
fn run_targets<R: Real>(
    program: &axonml_autodiff::ir::Program,
    targets: &[Target],
    isa: Isa,
    rows: usize,
    lane_of: impl Fn(usize) -> usize,
    fold: bool,
) -> (Vec<Vec<f64>>, Vec<Vec<f64>>) {
    let len = rows * LANES;
    let fill = |index: usize| -> Vec<R> {
        (0..len)
            .map(|i| R::from_f64(node_input(index, i / LANES, lane_of(i % LANES))))
            .collect()
    };
    let (a, b) = (fill(0), fill(1));
    let constants: Vec<Vec<Option<f64>>> = (0..LANES)
        .map(|lane| {
            let of = |name: &str| match name {
                "f" => Some(fiber_input(lane_of(lane))),
                "s" => Some(SHARED),
                _ => None,
            };
            program
                .inputs()
                .iter()
                .map(|input| of(&input.name))
                .collect()
        })
        .collect();
    let array = |name: &str| ["a", "b"].iter().position(|known| *known == name);
    let inputs = program.inputs().iter();
    let layout = ProgramLayout {
        arrays: inputs.map(|input| array(&input.name)).collect(),
        targets: targets.to_vec(),
    };
    let fused = FusedProgram::new(program);
    let coefficients = fused.coefficients(&constants);
    let tape = Tape::<R>::lower(&fused, &coefficients, &layout, LANES, fold);
    let mut interpreter = Interpreter::new(tape, len);
    let is_array = |target: &&Target| matches!(target, Target::Array(_));
    let arrays = targets.iter().filter(is_array).count();
    let mut outputs = vec![vec![R::default(); len]; arrays];
    let mut sums = vec![vec![0.0; LANES]; targets.len() - arrays];
    for _ in 0..2 {
        let mut borrowed: Vec<&mut [R]> = outputs.iter_mut().map(|x| &mut x[..]).collect();
        interpreter.run(isa, &[&a, &b], &mut borrowed);
        interpreter.take_sums(&mut sums);
    }
    let widened = |x: Vec<R>| x.into_iter().map(Real::to_f64).collect();
    (outputs.into_iter().map(widened).collect(), sums)
}

fn run<R: Real>(
    program: &axonml_autodiff::ir::Program,
    isa: Isa,
    rows: usize,
    lane_of: impl Fn(usize) -> usize,
) -> Vec<Vec<f64>> {
    let targets = Target::arrays(program.outputs().len());
    run_targets::<R>(program, &targets, isa, rows, lane_of, true).0
}

const SHARED: f64 = -0.45;

fn node_input(index: usize, row: usize, lane: usize) -> f64 {
    f64::from(((row * 37 + lane * 11 + index * 5) % 64) as u32) / 20.0 - 1.6
}

fn fiber_input(lane: usize) -> f64 {
    0.25 * lane as f64 - 0.9
}

/// The same by the canonical evaluation.
fn expected(program: &axonml_autodiff::ir::Program, row: usize, lane: usize) -> Vec<f64> {
    let inputs: Vec<f64> = program
        .inputs()
        .iter()
        .map(|input| match input.name.as_str() {
            "a" => node_input(0, row, lane),
            "b" => node_input(1, row, lane),
            "f" => fiber_input(lane),
            _ => SHARED,
        })
        .collect();
    program.eval(&inputs)
}

fn choices() -> impl Strategy<Value = Vec<(usize, usize, usize, usize, usize)>> {
    let index = || 0..1_000_usize;
    proptest::collection::vec((index(), index(), index(), index(), index()), 1..30)
}

proptest! {
    #[test]
    fn interpreter_agrees_with_the_canonical_evaluation(choices in choices(), rows in 1..200_usize) {
        let program = random_program(&choices);
        for isa in Isa::available() {
            let found = run::<f64>(&program, isa, rows, |lane| lane);
            for (row, lane) in [(0, 0), (rows / 2, 3), (rows - 1, LANES - 1)] {
                for (output, value) in expected(&program, row, lane).into_iter().enumerate() {
                    let error = (found[output][row * LANES + lane] - value).abs();
                    // A few ulp per operation, through chains whose slopes may multiply a few times by up to 9.
                    prop_assert!(error <= 1e-11 * value.abs().max(1.0), "{isa} output {output}: {error:e}\n{program}");
                }
            }
        }
    }

    /// Neither the block a node falls into nor the companions of a lane change a bit.
    #[test]
    fn lanes_and_blocks_are_independent(choices in choices(), rows in 1..200_usize) {
        let program = random_program(&choices);
        for isa in Isa::available() {
            let mixed = run::<f32>(&program, isa, rows, |lane| lane);
            let reversed = run::<f32>(&program, isa, rows, |lane| LANES - 1 - lane);
            let alone = run::<f32>(&program, isa, 1, |_| 5);
            for output in 0..mixed.len() {
                for row in 0..rows {
                    let (a, b) = (mixed[output][row * LANES + 2], reversed[output][row * LANES + LANES - 3]);
                    prop_assert_eq!(a.to_bits(), b.to_bits());
                }
                prop_assert_eq!(mixed[output][5].to_bits(), alone[output][0].to_bits());
            }
        }
    }

    /// Inlined operations give the same bits as stored ones.
    #[test]
    fn folding_changes_no_bit(choices in choices(), rows in 1..100_usize) {
        let program = random_program(&choices);
        let targets = Target::arrays(4);
        for isa in Isa::available() {
            let of = |fold| run_targets::<f32>(&program, &targets, isa, rows, |lane| lane, fold).0;
            for (output, (folded, plain)) in of(true).iter().zip(of(false)).enumerate() {
                let differs = folded.iter().zip(plain).position(|(a, b)| a.to_bits() != b.to_bits());
                prop_assert!(differs.is_none(), "{isa}, output {output}: {differs:?}\n{program}");
            }
        }
    }

    /// Outputs that are summed are the sums of what they are as arrays.
    #[test]
    fn sums_add_up_nodes_and_runs(choices in choices(), rows in 1..100_usize) {
        let program = random_program(&choices);
        let targets = [Target::Sum(0), Target::Array(0), Target::Sum(1), Target::Sum(2)];
        for isa in Isa::available() {
            let arrays = run::<f64>(&program, isa, rows, |lane| lane);
            let (kept, sums) = run_targets::<f64>(&program, &targets, isa, rows, |lane| lane, true);
            prop_assert_eq!(&kept[0], &arrays[1]);
            for (sum, array) in [(0, 0), (1, 2), (2, 3)] {
                for lane in 0..LANES {
                    let column = arrays[array].iter().skip(lane).step_by(LANES);
                    let (total, size) = column.fold((0.0, 0.0), |(t, s), x| (t + 2.0 * x, s + x.abs()));
                    let error = (sums[sum][lane] - total).abs();
                    prop_assert!(error <= 1e-13 * (size + 1.0), "{isa} {sum}: {error:e}\n{program}");
                }
            }
        }
    }
}

/// Functions of scaled and shifted arguments, functions with their derivatives, and triple products are done in one
/// instruction each, in whatever order they come and wherever their operands lie.
#[test]
fn folded_instructions_agree_with_the_canonical_evaluation() {
    let tracer = Tracer::new();
    let [a, b] = ["a", "b"].map(|name| tracer.input(name, Extent::Node));
    let [f, s] = [("f", Extent::Fiber), ("s", Extent::Shared)].map(|(n, e)| tracer.input(n, e));
    let shifted = 1.7 * a + s;
    let (value, slope) = (shifted.exprelr(), shifted.exprelr_d1());
    let own = (a * b).sigmoid();
    let (boltzmann, of_fiber) = ((s * b + 0.3).sigmoid(), (f * b + 0.3).sigmoid());
    fn slope_of(y: Expr<'_>) -> Expr<'_> {
        y - y * y
    }
    let scaled = -0.8 * b;
    let direct = b.exprelr_d1() * b.exprelr();
    let names = ["y0", "y1", "y2", "y3"].map(str::to_owned);
    let outputs = [
        value * slope + direct * boltzmann,
        slope_of(boltzmann) * boltzmann
            + slope_of(of_fiber) * value
            + scaled.exprelr_d1() * scaled.exprelr(),
        a * f * (b * own) + slope_of(own) * (0.4 * a).exp(),
        (s * a).exp() * slope * s,
    ];
    let outputs: Vec<(String, Expr<'_>)> = names.into_iter().zip(outputs).collect();
    let program = tracer.finish(&outputs).unwrap();
    let targets = [Target::arrays(3), vec![Target::Sum(0)]].concat();
    for isa in Isa::available() {
        let (found, sums) = run_targets::<f64>(&program, &targets, isa, 77, |lane| lane, true);
        let narrow = run_targets::<f32>(&program, &targets, isa, 77, |lane| lane, true).0;
        for lane in 0..LANES {
            let mut sum = 0.0;
            for row in 0..77 {
                let expected = expected(&program, row, lane);
                for output in 0..3 {
                    let at = row * LANES + lane;
                    let error = |found: f64| (found - expected[output]).abs();
                    assert!(error(found[output][at]) < 1e-14, "{isa} {output} {row}");
                    assert!(error(narrow[output][at]) < 1e-5, "{isa} {output} {row}");
                }
                sum += 2.0 * expected[3];
            }
            assert!((sums[0][lane] - sum).abs() < 1e-12, "{isa} {lane}");
        }
    }

    let constants = vec![vec![None, None, Some(0.2), Some(SHARED)]; LANES];
    let fused = FusedProgram::new(&program);
    let layout = ProgramLayout {
        arrays: vec![Some(0), Some(1), None, None],
        targets,
    };
    let tape = Tape::<f64>::new(&fused, &fused.coefficients(&constants), &layout, LANES);
    let count = |is: fn(&Instruction<f64>) -> bool| {
        let all = tape.instructions.iter();
        all.filter(|&instruction| is(instruction)).count()
    };
    assert_eq!(
        count(|i| matches!(i.action, Action::ValueAndDerivative(_))),
        6
    );
    assert_eq!(count(|i| i.before == Prologue::Affine), 3);
    assert_eq!(count(|i| i.before == Prologue::Scaled), 3);
    assert!(count(|i| i.action == Action::Product) >= 1);
}
