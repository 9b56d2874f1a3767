//! The kept sum of sources against sums made from nothing.

use super::*;

const LANES: usize = 8;

/// Numbers without pattern in -1..1.
fn noise(seed: usize) -> f64 {
    let mixed = (seed as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 11;
    mixed as f64 / (1_u64 << 52) as f64 - 1.0
}

fn fields(slot: usize, modes: usize) -> Fields<f64> {
    let array = |of: usize, rows: usize| {
        let numbers = 0..rows * LANES;
        numbers.map(|i| noise(1000 * slot + of + i)).collect()
    };
    Fields {
        nodes: array(0, 5),
        modes: array(500, modes),
    }
}

/// Strengths as sources have them: off at first, constant, changing in one lane, in all of them at once, and in all of them
/// at every step.
fn strength(step: usize, slot: usize, lane: usize) -> f64 {
    match step {
        0..3 => 0.0,
        3..20 => match lane == step % LANES && slot == 1 {
            true => noise(step),
            false => noise(slot),
        },
        20..30 => noise(1000 * step + 10 * slot + lane),
        30..40 => [0.0, 1.0, -0.5][slot],
        _ => 0.0,
    }
}

#[test]
fn a_sum_does_not_depend_on_how_it_is_computed() {
    let slots = [fields(0, 7), fields(1, 0), fields(2, 7)];
    let all: Vec<&Fields<f64>> = slots.iter().collect();
    for isa in Isa::available() {
        let mut kept = Total::new(&all, LANES);
        // Forwards, and backwards as on the way back.
        for step in (0..45).chain((0..45).rev()) {
            let add = |total: &mut Total<f64>| {
                let mut current: Vec<f64> = (0..5 * LANES).map(noise).collect();
                let mut modes: Vec<f64> = (0..7 * LANES).map(noise).collect();
                let set = |strengths: &mut [[f64; LANES]]| {
                    for (slot, strengths) in strengths.iter_mut().enumerate() {
                        *strengths = std::array::from_fn(|lane| strength(step, slot, lane));
                    }
                };
                let field = |slot: usize| &slots[slot];
                total.add::<LANES>(isa, field, set, &mut current, Some(&mut modes));
                (current, modes)
            };
            let found = add(&mut kept);
            let bits = |x: &[f64]| -> Vec<u64> { x.iter().map(|x| x.to_bits()).collect() };
            let anew = add(&mut Total::new(&all, LANES));
            assert_eq!(bits(&found.0), bits(&anew.0), "{isa}, step {step}");
            assert_eq!(bits(&found.1), bits(&anew.1), "{isa}, step {step}");
            let close = |found: &[f64], of: fn(&Fields<f64>) -> &[f64]| {
                for (i, found) in found.iter().enumerate() {
                    let term = |slot: usize| {
                        let field = of(&slots[slot]).get(i).copied().unwrap_or(0.0);
                        strength(step, slot, i % LANES) * field
                    };
                    let expected = noise(i) + (0..3).map(term).sum::<f64>();
                    assert!((found - expected).abs() < 1e-14, "{isa}, step {step}, {i}");
                }
            };
            close(&found.0, |fields| &fields.nodes);
            close(&found.1, |fields| &fields.modes);
        }
    }
}
