//! Lookahead.

use serde::{Deserialize, Serialize};

/// Slow coordinates that follow fast ones: after every `period` updates they go `share` of the way, and the fast ones
/// start again from there.
///
/// # Source
/// M. R. Zhang et al., "Lookahead optimizer: k steps forward, 1 step back", NeurIPS 2019, arXiv:1907.08610,
/// algorithm 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lookahead {
    slow: Vec<f64>,
    period: usize,
    share: f64,
    since: usize,
}

impl Lookahead {
    /// Slow coordinates at `x`; a period of 0 counts as 1.
    pub fn new(x: Vec<f64>, period: usize, share: f64) -> Self {
        Lookahead {
            slow: x,
            period: period.max(1),
            share,
            since: 0,
        }
    }

    /// Takes note of an update of the fast coordinates `x`, and moves them to the slow ones at the end of a period.
    pub fn follow(&mut self, x: &mut [f64]) {
        self.since += 1;
        if self.since < self.period {
            return;
        }
        self.since = 0;
        for (slow, x) in self.slow.iter_mut().zip(x) {
            *slow += self.share * (*x - *slow);
            *x = *slow;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_third_update_goes_half_of_the_way() {
        let mut x = [0.0];
        let mut lookahead = Lookahead::new(x.to_vec(), 3, 0.5);
        let mut seen = Vec::new();
        for _ in 0..6 {
            x[0] += 1.0;
            lookahead.follow(&mut x);
            seen.push(x[0]);
        }
        assert_eq!(seen, [1.0, 2.0, 1.5, 2.5, 3.5, 3.0]);
    }
}
