//! Symmetric tridiagonal systems, one per lane, by elimination from both ends.
//!
//! Elimination is a chain of divisions that wait for each other. Two chains, from the first row and from the last, keep
//! the processor busy twice as well; they meet in a row that depends on a fiber's own length only, so that the rounding
//! of a lane does not depend on its companions. No pivoting: for conductances >= 0 the matrix is diagonally dominant.
//! (The two-ended elimination of LINPACK's SPTSL: J. J. Dongarra, C. B. Moler, J. R. Bunch and G. W. Stewart, *LINPACK
//! Users' Guide*, SIAM 1979, chapter 7.)

use axonml_autodiff::ir::Real;

use super::{lanes, lanes_mut};

/// The row in which the two eliminations meet: the half of `nodes` with its two leading bits kept, so that fibers of
/// nearly equal length can share a group.
pub(crate) fn meeting_row(nodes: usize) -> usize {
    let half = nodes / 2;
    let low_bits = half.checked_ilog2().unwrap_or(0).saturating_sub(1);
    half >> low_bits << low_bits
}

/// Solves systems with the couplings `off` of row k to row k + 1: `diagonal` and `right` hold diagonal and right-hand
/// side, and on exit scratch and the solution. Rows after a lane's last one are decoupled from it.
#[inline(always)]
pub(super) fn solve_rows<R: Real, const L: usize, const FUSED: bool>(
    off: &[R],
    diagonal: &mut [R],
    right: &mut [R],
    meeting: usize,
) {
    let off = lanes::<R, L>(off);
    let (coupling, solution) = (lanes_mut::<R, L>(diagonal), lanes_mut::<R, L>(right));
    let n = coupling.len();
    eliminate::<R, L, FUSED>(&off[..n], coupling, solution, meeting);
    substitute::<R, L, FUSED>(coupling, solution, meeting);
}

/// Leaves in `coupling[k]` the coupling of row k to the next row towards the meeting row, over the remaining diagonal,
/// and in `solution` the right-hand sides over it; solves the meeting row.
#[inline(always)]
fn eliminate<R: Real, const L: usize, const FUSED: bool>(
    off: &[[R; L]],
    coupling: &mut [[R; L]],
    solution: &mut [[R; L]],
    meeting: usize,
) {
    let n = coupling.len();
    let zero = [R::default(); L];
    let (mut first, mut last) = (Chain::<R, L>::new(), Chain::<R, L>::new());
    let (above, below) = (meeting, n - 1 - meeting);
    for i in 0..above.min(below) {
        let k = n - 1 - i;
        let before = if i == 0 { &zero } else { &off[i - 1] };
        first.row::<FUSED>(before, &off[i], &mut coupling[i], &mut solution[i]);
        last.row::<FUSED>(&off[k], &off[k - 1], &mut coupling[k], &mut solution[k]);
    }
    for i in above.min(below)..above {
        let before = if i == 0 { &zero } else { &off[i - 1] };
        first.row::<FUSED>(before, &off[i], &mut coupling[i], &mut solution[i]);
    }
    for i in above.min(below)..below {
        let k = n - 1 - i;
        last.row::<FUSED>(&off[k], &off[k - 1], &mut coupling[k], &mut solution[k]);
    }
    let one = R::from_f64(1.0);
    let before = if above == 0 { &zero } else { &off[above - 1] };
    let after = &off[meeting];
    let (diagonal, right) = (&coupling[meeting], &mut solution[meeting]);
    for l in 0..L {
        let (before, after) = (-before[l], -after[l]);
        let diagonal = before.fma::<FUSED>(first.coupling[l], diagonal[l]);
        let rest = before.fma::<FUSED>(first.solution[l], right[l]);
        let inverse = one / after.fma::<FUSED>(last.coupling[l], diagonal);
        right[l] = after.fma::<FUSED>(last.solution[l], rest) * inverse;
    }
}

/// Numbers that one of the two eliminations carries from row to row.
struct Chain<R, const L: usize> {
    coupling: [R; L],
    solution: [R; L],
}

impl<R: Real, const L: usize> Chain<R, L> {
    fn new() -> Self {
        let zero = [R::default(); L];
        Chain {
            coupling: zero,
            solution: zero,
        }
    }

    /// Eliminates the coupling `done` of a row to the previous one, and divides by the remaining diagonal.
    #[inline(always)]
    fn row<const FUSED: bool>(
        &mut self,
        done: &[R; L],
        next: &[R; L],
        coupling: &mut [R; L],
        solution: &mut [R; L],
    ) {
        let one = R::from_f64(1.0);
        for l in 0..L {
            let done = -done[l];
            let inverse = one / done.fma::<FUSED>(self.coupling[l], coupling[l]);
            self.coupling[l] = next[l] * inverse;
            self.solution[l] = done.fma::<FUSED>(self.solution[l], solution[l]) * inverse;
            coupling[l] = self.coupling[l];
            solution[l] = self.solution[l];
        }
    }
}

/// Completes the solution from the meeting row outwards.
#[inline(always)]
fn substitute<R: Real, const L: usize, const FUSED: bool>(
    coupling: &[[R; L]],
    solution: &mut [[R; L]],
    meeting: usize,
) {
    let n = solution.len();
    let coupling = &coupling[..n];
    let (mut first, mut last) = (solution[meeting], solution[meeting]);
    let (above, below) = (meeting, n - 1 - meeting);
    for i in 0..above.min(below) {
        let (j, k) = (meeting - 1 - i, meeting + 1 + i);
        substitute_row::<R, L, FUSED>(&coupling[j], &mut first, &mut solution[j]);
        substitute_row::<R, L, FUSED>(&coupling[k], &mut last, &mut solution[k]);
    }
    for i in above.min(below)..above {
        let j = meeting - 1 - i;
        substitute_row::<R, L, FUSED>(&coupling[j], &mut first, &mut solution[j]);
    }
    for i in above.min(below)..below {
        let k = meeting + 1 + i;
        substitute_row::<R, L, FUSED>(&coupling[k], &mut last, &mut solution[k]);
    }
}

#[inline(always)]
fn substitute_row<R: Real, const L: usize, const FUSED: bool>(
    coupling: &[R; L],
    solved: &mut [R; L],
    solution: &mut [R; L],
) {
    for l in 0..L {
        solved[l] = (-coupling[l]).fma::<FUSED>(solved[l], solution[l]);
        solution[l] = solved[l];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Dense Gaussian elimination with pivoting, of a system with these diagonals.
    fn dense(off: &[f64], diagonal: &[f64], right: &[f64]) -> Vec<f64> {
        let n = diagonal.len();
        let mut matrix: Vec<Vec<f64>> = (0..n)
            .map(|i| {
                let entry = |j: usize| match i.abs_diff(j) {
                    0 => diagonal[i],
                    1 => off[i.min(j)],
                    _ => 0.0,
                };
                (0..n).map(entry).chain([right[i]]).collect()
            })
            .collect();
        for column in 0..n {
            let largest = |&a: &usize, &b: &usize| {
                matrix[a][column].abs().total_cmp(&matrix[b][column].abs())
            };
            let pivot = (column..n).max_by(largest).unwrap();
            matrix.swap(column, pivot);
            let pivot = matrix[column].clone();
            for (_, row) in matrix.iter_mut().enumerate().filter(|(i, _)| *i != column) {
                let factor = row[column] / pivot[column];
                row.iter_mut()
                    .zip(&pivot)
                    .for_each(|(x, p)| *x -= factor * p);
            }
        }
        (0..n).map(|i| matrix[i][n] / matrix[i][i]).collect()
    }

    /// Systems of every length, alone and beside longer ones: the solution is that of dense elimination, and its bits do not
    /// depend on companions.
    #[test]
    fn solutions_are_those_of_dense_elimination_whatever_the_companions() {
        const L: usize = 4;
        let number = |seed: usize| ((seed * 7919) % 1009) as f64 / 1009.0;
        let system = |n: usize| {
            let off: Vec<f64> = (0..n)
                .map(|k| if k + 1 < n { -number(k + 1) } else { 0.0 })
                .collect();
            let diagonal: Vec<f64> = (0..n).map(|k| 2.5 + number(k + 31)).collect();
            let right: Vec<f64> = (0..n).map(|k| number(3 * k + 5) - 0.4).collect();
            (off, diagonal, right)
        };
        for n in 1..70 {
            let meeting = meeting_row(n);
            let solve = |rows: usize, others: usize| {
                let lengths = [n, others, n, others];
                let (mut off, mut diagonal, mut right) = (
                    vec![0.0; rows * L],
                    vec![1.0; rows * L],
                    vec![0.0; rows * L],
                );
                for (lane, &length) in lengths.iter().enumerate() {
                    let (o, d, r) = system(length);
                    for k in 0..length {
                        off[k * L + lane] = o[k];
                        diagonal[k * L + lane] = d[k];
                        right[k * L + lane] = r[k];
                    }
                }
                solve_rows::<f64, L, false>(&off, &mut diagonal, &mut right, meeting);
                (0..n).map(|k| right[k * L + 2]).collect::<Vec<f64>>()
            };
            let alone = solve(n, n);
            let (off, diagonal, right) = system(n);
            for (found, expected) in alone.iter().zip(dense(&off, &diagonal, &right)) {
                assert!(
                    (found - expected).abs() < 1e-13,
                    "{n} rows: {found} and {expected}"
                );
            }
            let longest = (n..200)
                .take_while(|&other| meeting_row(other) == meeting)
                .last()
                .unwrap();
            assert_eq!(solve(longest, longest), alone, "{n} rows beside {longest}");
        }
    }

    #[test]
    fn eliminations_meet_near_the_middle() {
        assert_eq!(
            [1, 2, 3, 21, 53, 101].map(meeting_row),
            [0, 1, 1, 8, 24, 48]
        );
        assert!((2..1000).all(|n| (3 * n / 10..=n / 2).contains(&meeting_row(n))));
    }
}
