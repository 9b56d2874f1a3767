//! Numbers rounded to integers whose sums stay what they are.

use ndarray::{Array2, ArrayView2};

/// Distance from an integer that is rounding.
const WHOLE: f64 = 1e-9;

/// The integers nearest to numbers, in the sum of squares, that lie within ranges of integers and add up to 0 if `sum_zero`;
/// `None` if there are none.
///
/// Steps toward the sum are taken where they cost least, which is optimal for separable convex costs (Gross 1956).
pub(super) fn nearest(numbers: &[f64], ranges: &[[f64; 2]], sum_zero: bool) -> Option<Vec<f64>> {
    if ranges.iter().any(|[least, largest]| least > largest) {
        return None;
    }
    let each = numbers.iter().zip(ranges);
    let rounded = each.map(|(number, [least, largest])| number.round().max(*least).min(*largest));
    let mut rounded: Vec<f64> = rounded.collect();
    if !sum_zero {
        return Some(rounded);
    }
    loop {
        let sum: f64 = rounded.iter().sum();
        if sum == 0.0 {
            return Some(rounded);
        }
        let down = sum > 0.0;
        let step = if down { -1.0 } else { 1.0 };
        let may_move = |at: &usize| match down {
            true => rounded[*at] > ranges[*at][0],
            false => rounded[*at] < ranges[*at][1],
        };
        // Of equal costs the first, so that results do not depend on how numbers are compared.
        let cost = |at: usize| step * (rounded[at] - numbers[at]);
        let movable = (0..rounded.len()).filter(may_move);
        let cheapest =
            movable.reduce(|best, next| if cost(next) < cost(best) { next } else { best })?;
        rounded[cheapest] += step;
    }
}

/// Rounds every number of a matrix, whose rows and columns all add up to 0, up or down so that they still do.
///
/// Numbers that are not whole make cycles, along rows and columns in turn: adding and subtracting the same alternately along a
/// cycle keeps all sums, until one of its numbers is whole (Causey, Cox & Ernst 1985, J Am Stat Assoc 80:903). Of the two
/// directions the one that stays nearer to the matrix is taken; the result is near to it, not always the nearest.
pub(super) fn controlled(numbers: ArrayView2<'_, f64>) -> Array2<f64> {
    let snap = |x: f64| {
        if (x - x.round()).abs() <= WHOLE {
            x.round()
        } else {
            x
        }
    };
    let mut rounded = numbers.mapv(snap);
    let mut from = 0;
    let is_broken_at = |matrix: &Array2<f64>, at: usize| {
        is_broken(matrix[[at / matrix.ncols(), at % matrix.ncols()]])
    };
    while let Some(first) = (from..rounded.len()).find(|at| is_broken_at(&rounded, *at)) {
        // What is whole stays whole.
        from = first;
        let cycle = match cycle(&rounded, first / rounded.ncols()) {
            Ok(cycle) => cycle,
            Err(alone) => {
                rounded[alone] = rounded[alone].round();
                continue;
            }
        };
        let sign = |place: usize| if place.is_multiple_of(2) { 1.0 } else { -1.0 };
        let room = |direction: f64| {
            let each = cycle
                .iter()
                .enumerate()
                .map(|(place, at)| match direction * sign(place) {
                    up if up > 0.0 => rounded[*at].ceil() - rounded[*at],
                    _ => rounded[*at] - rounded[*at].floor(),
                });
            direction * each.fold(f64::INFINITY, f64::min)
        };
        let cost = |change: f64| -> f64 {
            let each = cycle.iter().enumerate();
            each.map(|(place, at)| (rounded[*at] + sign(place) * change - numbers[*at]).powi(2))
                .sum()
        };
        let (up, down) = (room(1.0), room(-1.0));
        let change = if cost(down) < cost(up) { down } else { up };
        for (place, at) in cycle.iter().enumerate() {
            rounded[*at] = snap(rounded[*at] + sign(place) * change);
        }
    }
    rounded
}

fn is_broken(x: f64) -> bool {
    x != x.round()
}

/// Places of numbers that are not whole, each in the row or the column of the one before, in turn, and the last in line with
/// the first. If the walk that begins in a row ends at a number that is alone in its line (its sum was not quite 0): that one.
fn cycle(matrix: &Array2<f64>, row: usize) -> Result<Vec<[usize; 2]>, [usize; 2]> {
    #[derive(Clone, Copy, PartialEq)]
    enum Line {
        Row(usize),
        Column(usize),
    }
    let (rows, columns) = matrix.dim();
    let (mut lines, mut places) = (vec![Line::Row(row)], Vec::<[usize; 2]>::new());
    let mut line = Line::Row(row);
    loop {
        let last = places.last().copied();
        let is_next = |at: &[usize; 2]| Some(*at) != last && is_broken(matrix[*at]);
        let next = match line {
            Line::Row(row) => (0..columns).map(|column| [row, column]).find(is_next),
            Line::Column(column) => (0..rows).map(|row| [row, column]).find(is_next),
        };
        let next = next.ok_or(last.unwrap_or([row, 0]))?;
        places.push(next);
        line = match line {
            Line::Row(_) => Line::Column(next[1]),
            Line::Column(_) => Line::Row(next[0]),
        };
        if let Some(seen) = lines.iter().position(|other| *other == line) {
            return Ok(places.split_off(seen));
        }
        lines.push(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// 0.4, 0.4, -0.8 add up to 0: rounded on their own to 0, 0, -1.
    #[test]
    fn the_cheapest_number_gives_way() {
        let wide = [[-9.0, 9.0]; 3];
        assert_eq!(
            nearest(&[0.4, 0.45, -0.85], &wide, false).unwrap(),
            [0.0, 0.0, -1.0]
        );
        assert_eq!(
            nearest(&[0.4, 0.45, -0.85], &wide, true).unwrap(),
            [0.0, 1.0, -1.0]
        );
        let narrow = [[-9.0, 9.0], [0.0, 0.0], [-9.0, 9.0]];
        assert_eq!(
            nearest(&[0.4, 0.45, -0.85], &narrow, true).unwrap(),
            [1.0, 0.0, -1.0]
        );
        assert_eq!(nearest(&[5.0, 1.0], &[[2.0, 9.0], [-1.0, 9.0]], true), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Of all integers around the numbers none with the sum are nearer.
        #[test]
        fn no_integers_with_the_sum_are_nearer(mut numbers in prop::array::uniform4(-2.0..2.0_f64)) {
            let mean = numbers.iter().sum::<f64>() / 4.0;
            numbers.iter_mut().for_each(|x| *x -= mean);
            let distance = |integers: &[f64]| -> f64 {
                integers.iter().zip(&numbers).map(|(n, x)| (n - x).powi(2)).sum()
            };
            let found = nearest(&numbers, &[[-3.0, 3.0]; 4], true).unwrap();
            prop_assert_eq!(found.iter().sum::<f64>(), 0.0);
            let mut least = f64::INFINITY;
            for at in 0..7_usize.pow(4) {
                let digit = |k: u32| ((at / 7_usize.pow(k)) % 7) as f64 - 3.0;
                let other = [digit(0), digit(1), digit(2), digit(3)];
                if other.iter().sum::<f64>() == 0.0 {
                    least = least.min(distance(&other));
                }
            }
            prop_assert!(distance(&found) <= least + 1e-9, "{} {least}", distance(&found));
        }

        /// Rows and columns add up to 0 before and after, and no number moves by a whole step.
        #[test]
        fn controlled_rounding_keeps_the_sums_of_rows_and_columns(
            rows in 2..7_usize,
            columns in 2..40_usize,
            seed in prop::collection::vec(-20.0..20.0_f64, 240),
        ) {
            let mut numbers = Array2::from_shape_fn((rows, columns), |(r, c)| seed[r * 40 + c]);
            for mut row in numbers.rows_mut() {
                let mean = row.sum() / columns as f64;
                row -= mean;
            }
            for mut column in numbers.columns_mut() {
                let mean = column.sum() / rows as f64;
                column -= mean;
            }
            let rounded = controlled(numbers.view());
            prop_assert!(rounded.rows().into_iter().all(|row| row.sum() == 0.0));
            prop_assert!(rounded.columns().into_iter().all(|column| column.sum() == 0.0));
            for (n, x) in rounded.iter().zip(&numbers) {
                prop_assert!(*n == n.round() && (n - x).abs() < 1.0, "{n} {x}");
            }
        }
    }
}
