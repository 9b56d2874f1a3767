//! Taking a space-time potential apart into fields times waveforms.

/// A potential as the sum over k of field k times waveform k.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Separated {
    /// `[k, node]`, mV per unit.
    pub(super) fields: Vec<f32>,
    /// `[k, step]`.
    pub(super) waveforms: Vec<f32>,
    /// Largest difference left, mV.
    pub(super) residual_mv: f64,
}

/// Rounding error of a number of size 1 in single precision after a few operations.
const ROUNDING: f64 = 4.0 * f32::EPSILON as f64;

/// Takes `ve_mv`, `[node, step]`, apart by elimination with complete pivoting: each term eliminates the column and the
/// row of the largest remaining entry, until the remainder is rounding. A potential of n contacts gives n terms,
/// whatever their waveforms; one of no such form at most as many as there are nodes.
pub(super) fn separate(ve_mv: &[f32], nodes: usize, steps: usize) -> Separated {
    let mut left: Vec<f64> = ve_mv.iter().map(|&ve| ve.into()).collect();
    let largest = |values: &[f64]| {
        let larger = |best: (usize, f64), (at, value): (usize, &f64)| match value.abs() > best.1 {
            true => (at, value.abs()),
            false => best,
        };
        values.iter().enumerate().fold((0, 0.0), larger)
    };
    let limit = ROUNDING * largest(&left).1;
    let mut separated = Separated::default();
    for _ in 0..nodes {
        let (at, size) = largest(&left);
        if size <= limit {
            break;
        }
        let (node, step) = (at / steps, at % steps);
        let pivot = left[at];
        // Rounded first, so that the next terms make up for it.
        let field: Vec<f32> = (0..nodes).map(|n| left[n * steps + step] as f32).collect();
        let waveform: Vec<f32> = (0..steps)
            .map(|t| (left[node * steps + t] / pivot) as f32)
            .collect();
        for (n, row) in left.chunks_exact_mut(steps).enumerate() {
            for (value, w) in row.iter_mut().zip(&waveform) {
                *value -= f64::from(field[n]) * f64::from(*w);
            }
        }
        separated.fields.extend(field);
        separated.waveforms.extend(waveform);
    }
    separated.residual_mv = largest(&left).1;
    separated
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assembled(parts: &Separated, nodes: usize, steps: usize) -> Vec<f64> {
        let mut sum = vec![0.0; nodes * steps];
        let terms = parts
            .fields
            .chunks(nodes)
            .zip(parts.waveforms.chunks(steps));
        for (field, waveform) in terms {
            for n in 0..nodes {
                for t in 0..steps {
                    sum[n * steps + t] += f64::from(field[n]) * f64::from(waveform[t]);
                }
            }
        }
        sum
    }

    #[test]
    fn as_many_terms_as_contacts() {
        let (nodes, steps) = (21, 300);
        let field = |k: usize, n: usize| 500.0 / (1.0 + (n as f64 - 3.0 * k as f64).powi(2) / 40.0);
        let waveform = |k: usize, t: usize| match t {
            t if (40 * k..40 * k + 90).contains(&t) => 0.1 - 0.06 * k as f64,
            _ => 0.0,
        };
        let exact: Vec<f32> = (0..nodes * steps)
            .map(|i| {
                (0..6)
                    .map(|k| field(k, i / steps) * waveform(k, i % steps))
                    .sum::<f64>() as f32
            })
            .collect();
        let parts = separate(&exact, nodes, steps);
        let count = parts.fields.len() / nodes;
        assert!((6..=8).contains(&count), "{count}");
        let size = exact.iter().fold(0.0_f32, |a, b| a.max(b.abs()));
        for (found, expected) in assembled(&parts, nodes, steps).iter().zip(&exact) {
            assert!((found - f64::from(*expected)).abs() <= 5e-7 * f64::from(size));
        }
        assert_eq!(separate(&[0.0; 6], 2, 3), Separated::default());
    }

    #[test]
    fn anything_can_be_taken_apart() {
        let (nodes, steps) = (5, 40);
        let noise: Vec<f32> = (0..nodes * steps)
            .map(|i| ((i * i) as f32 * 0.7).sin())
            .collect();
        let parts = separate(&noise, nodes, steps);
        assert_eq!(parts.fields.len() / nodes, 5);
        for (found, expected) in assembled(&parts, nodes, steps).iter().zip(&noise) {
            assert!((found - f64::from(*expected)).abs() < 1e-6);
        }
    }
}
