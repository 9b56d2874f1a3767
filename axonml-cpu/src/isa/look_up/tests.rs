//! Values of tables on every instruction set.

use axonml_autodiff::ir::tabulation::{Grid, Place, Table};

use super::*;

/// Fixed numbers of all magnitudes below 1.
fn table(coefficients: usize) -> Table {
    let number = |seed: usize| ((seed * 2_654_435_761) % 1_000_003) as f32 / 1_000_003.0 - 0.5;
    let row = |power: usize| std::array::from_fn(|segment| number(power * SEGMENTS + segment + 1));
    Table {
        coefficients: (0..coefficients).map(row).collect(),
        bound: f64::NAN,
    }
}

/// Every instruction set gives the bits of the scalar evaluation, fused or not, in whole and in partly filled registers.
#[test]
fn values_are_those_of_the_scalar_table() {
    let grid = Grid::new(-80.0, 5.0);
    let places: Vec<Place> = (0..4 * WIDTH)
        .map(|i| grid.place(-80.0 + 2.497 * i as f32))
        .collect();
    let segments: Vec<u32> = places.iter().map(|place| place.segment).collect();
    let offsets: Vec<f32> = places.iter().map(|place| place.offset).collect();
    for isa in Isa::available() {
        let fused = isa.name() != "baseline";
        for count in 4..=7 {
            let table = table(count);
            for length in [WIDTH, 3 * WIDTH] {
                let mut values = vec![f32::NAN; length];
                look_up(
                    isa,
                    LookUp {
                        coefficients: &table.coefficients,
                        segments: &segments[..length],
                        offsets: &offsets[..length],
                        values: &mut values,
                    },
                );
                for (value, place) in values.into_iter().zip(&places) {
                    let expected = match fused {
                        true => table.value::<true>(*place),
                        false => table.value::<false>(*place),
                    };
                    assert_eq!(
                        value.to_bits(),
                        expected.to_bits(),
                        "{isa} {count} {place:?}"
                    );
                }
            }
        }
    }
}
