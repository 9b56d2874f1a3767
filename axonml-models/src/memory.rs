//! Estimates the memory of simulations, so that work that does not fit is refused before it begins.
//!
//! The figures are a fifth to a half above the measurements of the largest model (the MRG double cable in double
//! precision: 600 bytes a node and fiber, 4.9 kB a node and thread); all arithmetic saturates, so that no request is
//! too large to be estimated.

/// Bytes of a fiber for each of its nodes: coefficients, eleven sample points, their potentials and projections.
const FIBER_NODE: u128 = 1_000;
/// Bytes of a thread that simulates for each node: states, modes and drive of all its lanes.
const THREAD_NODE: u128 = 6_000;
/// Bytes of a waveform for each step.
const WAVEFORM_STEP: u128 = 64;
/// Bytes of a batch in addition to its fibers.
const BATCH: u128 = 4 << 20;

/// Memory of a batch of fibers while it is simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchSize {
    /// Fibers simulated at once.
    pub fibers: usize,
    /// Nodes of the longest.
    pub nodes: usize,
    /// Steps.
    pub steps: usize,
    /// Different waveforms among them.
    pub waveforms: usize,
    /// Threads that simulate.
    pub threads: usize,
}

impl BatchSize {
    /// Approximate bytes; saturates at the largest number.
    pub fn bytes(&self) -> u128 {
        let nodes = self.nodes as u128;
        let fibers = (self.fibers as u128).saturating_mul(nodes.saturating_mul(FIBER_NODE));
        // A thread has a fiber in each lane only if there are enough fibers; searches fill lanes with trials.
        let threads = (self.threads as u128).saturating_mul(nodes.saturating_mul(THREAD_NODE));
        // Each waveform as it is sampled, as the backend keeps it, and the passive responses to it at the sites where
        // crossings are judged.
        let waveforms =
            (self.waveforms as u128 + 1).saturating_mul(WAVEFORM_STEP * self.steps as u128);
        let all = [fibers, threads, waveforms, BATCH];
        all.into_iter().fold(0, u128::saturating_add)
    }
}

/// Approximate bytes of recordings: as recorded, concatenated, and as a file; saturates at the largest number.
///
/// `values` are the recorded states of a node, the voltage among them.
pub fn recording_bytes(fibers: usize, rows: usize, nodes: usize, values: usize) -> u128 {
    let sizes = [fibers, rows, nodes, values];
    let numbers = sizes
        .iter()
        .fold(8_u128, |bytes, &size| bytes.saturating_mul(size as u128));
    numbers.saturating_mul(3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_too_large_to_be_estimated() {
        let most = usize::MAX;
        let size = BatchSize {
            fibers: most,
            nodes: most,
            steps: most,
            waveforms: most,
            threads: most,
        };
        assert!(size.bytes() > 1 << 127);
        assert_eq!(recording_bytes(most, most, most, most), u128::MAX);
        let one = BatchSize {
            fibers: 1,
            nodes: 53,
            steps: 1000,
            waveforms: 1,
            threads: 1,
        };
        assert!(one.bytes() < 10 << 20);
        assert_eq!(recording_bytes(2, 10, 53, 5), 3 * 8 * 2 * 10 * 53 * 5);
    }
}
