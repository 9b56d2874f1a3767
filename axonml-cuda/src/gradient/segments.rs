//! Plan of a gradient: segments of steps whose states are stored at once, and groups of fibers that run together.

use std::ops::Range;

use axonml_autodiff::adjoint::GradientRequest;
use axonml_autodiff::engine::{BackendError, Rollout, Source};

use crate::layout::{LANES, checkpoint_rows, field_rows, row_length, state_rows};
use crate::source::Kept;
use crate::sums::{FLUSH_STEPS, SumLayout};

/// Fibers that fill a device: more of them at once gain nothing, and leave less memory for each.
const FIBERS_AT_ONCE: usize = 4096;

/// A run cut into segments, at the multiples of a number of steps. All but the last are run twice.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Segments {
    /// That number.
    pub(super) length: usize,
    /// Their steps, in order; none if the run has none.
    pub(super) steps: Vec<Range<usize>>,
    /// Fibers that run together.
    pub(super) fibers: usize,
}

/// Bytes of memory per fiber.
#[derive(Clone, Copy, Debug)]
struct Sizes {
    /// Memory independent of the segments.
    fixed: usize,
    checkpoint: usize,
    kept_state: usize,
    /// Cotangents of a step that are handed out.
    traced_step: usize,
}

impl Sizes {
    fn new(
        rollout: &Rollout,
        fibers: &[usize],
        nodes_per_lane: usize,
        request: GradientRequest,
    ) -> Self {
        let number = rollout.precision.bytes();
        let row = row_length(nodes_per_lane);
        let fields = rollout
            .fibers
            .first()
            .map_or(0, |fiber| field_rows(&fiber.cable));
        let most_sources = fibers
            .iter()
            .map(|&fiber| rollout.drive.sources[fiber].len());
        let mut of_source = 1;
        if request.waveforms {
            of_source += rollout.steps.len();
        }
        if request.fields || request.cables {
            of_source += fields * row;
        }
        let sums = SumLayout::new(rollout, nodes_per_lane, request);
        let sums = sums.of_lane * LANES + sums.of_fiber();
        Sizes {
            fixed: 8 * (sums + most_sources.max().unwrap_or(0) * of_source)
                + number * (state_rows(rollout) + 2) * row,
            checkpoint: number * checkpoint_rows(rollout) * row,
            kept_state: number * Kept::new(rollout, request).rows(rollout) * row,
            traced_step: match traces(rollout, fibers, request) {
                true => number * fields * row,
                false => 0,
            },
        }
    }

    /// Splits a run of `steps`, cut at the multiples of `length`.
    fn of(&self, steps: &Range<usize>, length: usize) -> usize {
        let longest = length.min(steps.len());
        self.fixed
            + cuts(steps, length).count() * self.checkpoint
            + (longest + 1) * self.kept_state
            + self.traced(steps, length)
    }

    /// The part of it that the host reads after every segment.
    fn traced(&self, steps: &Range<usize>, length: usize) -> usize {
        length.min(steps.len()) * self.traced_step
    }
}

/// The multiples of `length` within a run, its ends excluded.
fn cuts(steps: &Range<usize>, length: usize) -> impl Iterator<Item = usize> + use<> {
    let first = (steps.start + 1).next_multiple_of(length);
    (first..steps.end).step_by(length)
}

/// Whether cotangents of single steps are requested, as for space-time potentials.
pub(super) fn traces(rollout: &Rollout, fibers: &[usize], request: GradientRequest) -> bool {
    let requested = GradientRequest {
        parameters: request.parameters,
        ..GradientRequest::default()
    };
    let is_space_time = |fiber: &usize| {
        let mut sources = rollout.drive.sources[*fiber].iter();
        sources.any(|source| matches!(source, Source::SpaceTime(_)))
    };
    request != requested && fibers.iter().any(is_space_time)
}

impl Segments {
    /// Plans as few segments, of as many fibers at once, as fit: `tables` bytes for the tables that the host reads
    /// after each segment, `budget` for all memory. The former is respected only as far as the shortest segments of
    /// single fibers allow.
    ///
    /// # Errors
    /// [`BackendError::Unsupported`] if not even one fiber fits `budget`, with the sizes.
    pub(super) fn new(
        rollout: &Rollout,
        fibers: &[usize],
        nodes_per_lane: usize,
        request: GradientRequest,
        [tables, budget]: [usize; 2],
    ) -> Result<Self, BackendError> {
        let sizes = Sizes::new(rollout, fibers, nodes_per_lane, request);
        let steps = &rollout.steps;
        // From the whole run down to the shortest segments. More of them need more checkpoints: beyond the minimum,
        // memory grows again.
        let lengths = || {
            let whole = steps.end.max(1);
            let parts = (2..=steps.len().max(1)).map(|count| steps.len().div_ceil(count));
            let lengths = std::iter::once(whole).chain(parts);
            lengths.map(|length| length.next_multiple_of(FLUSH_STEPS))
        };
        let mut least = (usize::MAX, 0);
        for length in lengths() {
            least = least.min((sizes.of(steps, length), length));
        }
        let (least, shortest) = least;
        if least > budget {
            let most = fibers.iter();
            let most = most.max_by_key(|&&fiber| rollout.drive.sources[fiber].len());
            return Err(BackendError::Unsupported(format!(
                "differentiating fiber {} over {} steps needs {} KiB on the device even in segments of {shortest} steps, \
                 and {} KiB are free: take fewer steps at once (truncated), ask for fewer derivatives, or use the CPU",
                most.copied().unwrap_or(0),
                steps.len(),
                least.div_ceil(1 << 10),
                budget >> 10,
            )));
        }
        let traced = sizes.traced(steps, FLUSH_STEPS).max(1);
        let at_once = FIBERS_AT_ONCE
            .min(fibers.len())
            .min(budget / least)
            .min((tables / traced).max(1));
        let fits = |&length: &usize| {
            sizes.of(steps, length) <= budget / at_once
                && sizes.traced(steps, length) <= tables / at_once
        };
        let length = lengths().find(fits).unwrap_or(shortest);
        let starts: Vec<usize> = std::iter::once(steps.start)
            .chain(cuts(steps, length))
            .filter(|_| !steps.is_empty())
            .collect();
        let ends = starts.iter().skip(1).copied().chain([steps.end]);
        Ok(Segments {
            length,
            steps: starts
                .iter()
                .zip(ends)
                .map(|(&start, end)| start..end)
                .collect(),
            fibers: at_once,
        })
    }
}
