//! Tables against their functions.

use super::*;
use crate::ir::{Expr, Extent, Program, Tracer};

const NUMBERS: [(&str, f64); 2] = [("reference", -80.0), ("dt", 0.005)];
const TOLERANCE: f64 = 2e-7;

fn number(name: &str) -> f64 {
    let found = NUMBERS.iter().find(|(known, _)| *known == name);
    found.map_or(f64::NAN, |(_, x)| *x)
}

/// Gates of a node of Ranvier at 37 degrees, the last of them steeper than any segment; conductances of two of them.
fn gates() -> Program {
    let tracer = Tracer::new();
    let u = tracer.input("u", Extent::Node);
    let reference = tracer.input("reference", Extent::Shared);
    let dt = tracer.input("dt", Extent::Shared);
    let v = u + reference;
    let mut outputs = Vec::new();
    for (name, rates) in [("m", 0), ("h", 1), ("s", 2)] {
        let (alpha, beta) = match rates {
            0 => (
                v.select_lt(-150.0, 0.6, 73.3 * (-(v + 21.4) / 10.3).exprelr()),
                3.0 * ((v + 25.7) / 9.16).exprelr(),
            ),
            1 => (
                4.2 * ((v + 114.0) / 11.0).exprelr(),
                14.1 * ((v + 31.8) / 13.4).sigmoid(),
            ),
            _ => (
                0.33 * ((v + 53.0) / 5.0).sigmoid(),
                0.033 * (v + 90.0).sigmoid(),
            ),
        };
        let x = tracer.input(name, Extent::Node);
        let steady = alpha / (alpha + beta);
        let new = steady + (x - steady) * (-dt * (alpha + beta)).exp();
        outputs.push((name.to_owned(), new));
    }
    let (m, h) = (outputs[0].1, outputs[1].1);
    outputs.push(("g".to_owned(), 3.0 * m.powi(3) * h));
    // A function that is no gate's.
    let ghk = tracer.input("p", Extent::Node) * tracer.input("own", Extent::Fiber);
    outputs.push(("j".to_owned(), ghk.exp() * ((v - 50.0) / 25.0).exprelr()));
    tracer.finish(&outputs).unwrap()
}

fn separated(program: &Program) -> Separated {
    let role = |name: &str| match name {
        "u" => Role::Variable,
        "reference" | "dt" => Role::Number,
        _ => Role::Other,
    };
    let inputs = program.inputs().iter();
    let roles: Vec<Role> = inputs.map(|input| role(&input.name)).collect();
    let outputs = program.outputs().iter();
    let updates: Vec<Option<usize>> = outputs.map(|(name, _)| program.input(name)).collect();
    Separated::new(program, &roles, &updates).unwrap()
}

fn functions<'p>(separated: &'p Separated, program: &Program) -> Functions<'p> {
    let inputs = separated.inputs.iter();
    let numbers = inputs.map(|&input| number(&program.inputs()[input].name));
    let grid = Grid::new(-110.0 - number("reference"), 5.0);
    Functions::new(
        &separated.functions,
        numbers.collect(),
        separated.variable,
        grid,
    )
}

fn tables(functions: &Functions<'_>, candidate: &Candidate) -> Option<Vec<Table>> {
    let tolerance = TOLERANCE * functions.scale(candidate.scale());
    functions.tables(&candidate.functions(), tolerance)
}

#[test]
fn gates_and_other_functions_are_found_and_fit_unless_too_steep() {
    let program = gates();
    let separated = separated(&program);
    let functions = functions(&separated, &program);
    let found: Vec<Option<usize>> = separated
        .candidates
        .iter()
        .map(|candidate| tables(&functions, candidate).map(|tables| tables.len()))
        .collect();
    // m, h, s; the function that multiplies what depends on the fiber.
    assert_eq!(found, [Some(2), Some(2), None, Some(1)]);
}

/// The bound holds, and is no more than a few times what happens.
#[test]
fn tables_differ_from_their_functions_by_no_more_than_proven() {
    const POINTS: usize = 600_000;
    let program = gates();
    let separated = separated(&program);
    let functions = functions(&separated, &program);
    let grid = Grid::new(-110.0 - number("reference"), 5.0);
    let known: Vec<(usize, Table)> = separated
        .candidates
        .iter()
        .filter_map(|candidate| {
            Some(
                candidate
                    .functions()
                    .into_iter()
                    .zip(tables(&functions, candidate)?),
            )
        })
        .flatten()
        .collect();
    assert_eq!(known.len(), 5);
    let mut worst = vec![0.0_f64; known.len()];
    let mut inputs: Vec<f64> = separated
        .inputs
        .iter()
        .map(|&input| number(&program.inputs()[input].name))
        .collect();
    for point in 0..POINTS {
        let share = (point as f64 + 0.5) / POINTS as f64;
        let u = (f64::from(grid.lowest()) + 160.0 * share) as f32;
        let place = grid.place(u);
        assert!(place.inside);
        inputs[separated.variable] = f64::from(u);
        let exact = separated.functions.eval(&inputs);
        for ((function, table), worst) in known.iter().zip(&mut worst) {
            for value in [table.value::<true>(place), table.value::<false>(place)] {
                *worst = worst.max((f64::from(value) - exact[*function]).abs());
            }
        }
    }
    for ((_, table), worst) in known.iter().zip(worst) {
        assert!(worst <= table.bound, "{worst:e} {:e}", table.bound);
        assert!(worst >= 0.2 * table.bound, "{worst:e} {:e}", table.bound);
    }
}

/// The proof is of the coefficients: one that is altered beyond the tolerance is found, wherever it is.
#[test]
fn altered_coefficients_are_found() {
    let program = gates();
    let separated = separated(&program);
    let functions = functions(&separated, &program);
    let candidate = &separated.candidates[1];
    let tolerance = TOLERANCE * functions.scale(candidate.scale());
    for (function, table) in candidate
        .functions()
        .into_iter()
        .zip(tables(&functions, candidate).unwrap())
    {
        for segment in [0, 7, 16, SEGMENTS - 1] {
            for power in 0..table.coefficients.len() {
                let mut altered = table.coefficients.clone();
                // At the end of the segment, 2.5 mV from its center.
                altered[power][segment] += (1.5 * tolerance / 2.5_f64.powi(power as i32)) as f32;
                let bound = functions.bound(function, &altered);
                assert!(bound > tolerance, "{function} {segment} {power}: {bound:e}");
            }
        }
        assert_eq!(functions.bound(function, &table.coefficients), table.bound);
    }
}

/// With the functions' own values the rest of the program is the program.
#[test]
fn the_rest_of_a_program_completes_it() {
    let program = gates();
    let separated = separated(&program);
    let kept: Vec<&Candidate> = separated.candidates.iter().collect();
    let rest = separated.rest(&program, &kept);
    let indices: Vec<usize> = kept
        .iter()
        .flat_map(|candidate| candidate.functions())
        .collect();
    for step in 0..60 {
        let u = -30.0 + 2.7 * f64::from(step);
        let value = |name: &str| match name {
            "u" => u,
            "m" | "h" | "s" => 0.3,
            "p" => 0.7,
            "own" => 1.1,
            other => number(other),
        };
        let inputs: Vec<f64> = program
            .inputs()
            .iter()
            .map(|input| value(&input.name))
            .collect();
        let of_functions: Vec<f64> = separated
            .inputs
            .iter()
            .map(|&input| inputs[input])
            .collect();
        let functions = separated.functions.eval(&of_functions);
        let mut given = inputs.clone();
        given.extend(indices.iter().map(|&function| functions[function]));
        assert_eq!(rest.inputs().len(), given.len());
        for (found, expected) in rest.eval(&given).into_iter().zip(program.eval(&inputs)) {
            assert!(
                (found - expected).abs() <= 1e-14 * expected.abs().max(1.0),
                "{found} {expected}"
            );
        }
    }
}

/// A bend inside of the grid has no table, nor has what depends on a fiber's own parameter.
#[test]
fn what_cannot_be_proven_has_no_table() {
    let tracer = Tracer::new();
    let u = tracer.input("u", Extent::Node);
    let (x, y) = (
        tracer.input("x", Extent::Node),
        tracer.input("y", Extent::Node),
    );
    let own = tracer.input("own", Extent::Fiber);
    let relaxed = |x: Expr<'_>, rate: Expr<'_>| {
        let decay = (-0.005 * rate).exp();
        tracer.expression((x * decay).id())
    };
    let bent = relaxed(x, (u - 3.0).max(0.0) + (u / 20.0).sigmoid());
    let of_fiber = relaxed(y, own * (u / 20.0).sigmoid());
    let outputs = [("x".to_owned(), bent), ("y".to_owned(), of_fiber)];
    let program = tracer.finish(&outputs).unwrap();
    let separated = separated(&program);
    let functions = functions(&separated, &program);
    assert_eq!(separated.candidates.len(), 1);
    assert!(tables(&functions, &separated.candidates[0]).is_none());
}
