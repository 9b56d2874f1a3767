//! How a run that is differentiated is cut: into segments of steps whose states are kept at once, and into fibres that run
//! together.

use std::ops::Range;

use axonml_autodiff::{BackendError, GradientRequest, Rollout, SourceField};

use crate::layout::{LANES, checkpoint_rows, field_rows, slots, state_rows};
use crate::source::Kept;
use crate::sums::SumLayout;

/// Fibres that fill a device: more of them at once gain nothing, and leave less memory for each.
const FIBERS_AT_ONCE: usize = 4096;

/// A run cut into segments. All but the last are run twice.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Segments {
    /// Steps of a segment; the last may be shorter.
    pub(super) length: usize,
    /// Their steps, in order.
    pub(super) steps: Vec<Range<usize>>,
    /// Fibres that run together.
    pub(super) fibers: usize,
}

/// Bytes of memory per fibre.
#[derive(Clone, Copy, Debug)]
struct Sizes {
    /// Whatever the segments are.
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
        let number = size_of_number(rollout);
        let row = slots(nodes_per_lane);
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

    /// With `steps` steps in segments of `length`.
    fn of(&self, steps: usize, length: usize) -> usize {
        let checkpoints = steps.div_ceil(length.max(1)).saturating_sub(1);
        self.fixed
            + checkpoints * self.checkpoint
            + (length + 1) * self.kept_state
            + length * self.traced_step
    }
}

fn size_of_number(rollout: &Rollout) -> usize {
    match rollout.precision {
        axonml_autodiff::Precision::F32 => 4,
        axonml_autodiff::Precision::F64 => 8,
    }
}

/// Whether cotangents of single steps are wanted: by space-time potentials.
pub(super) fn traces(rollout: &Rollout, fibers: &[usize], request: GradientRequest) -> bool {
    let wanted = GradientRequest {
        parameters: request.parameters,
        ..GradientRequest::default()
    };
    let is_dense = |fiber: &usize| {
        let mut sources = rollout.drive.sources[*fiber].iter();
        sources.any(|source| matches!(source.field, SourceField::Dense(_)))
    };
    request != wanted && fibers.iter().any(is_dense)
}

impl Segments {
    /// As few segments, of as many fibres at once, as fit in `budget` bytes.
    ///
    /// # Errors
    /// [`BackendError::Unsupported`] if not even one fibre does, with the sizes.
    pub(super) fn new(
        rollout: &Rollout,
        fibers: &[usize],
        nodes_per_lane: usize,
        request: GradientRequest,
        budget: usize,
    ) -> Result<Self, BackendError> {
        let sizes = Sizes::new(rollout, fibers, nodes_per_lane, request);
        let steps = rollout.steps.len();
        // More segments need more checkpoints: behind the least, memory grows again.
        let lengths = || (1..=steps.max(1)).map(|count| steps.div_ceil(count));
        let (mut least, mut shortest) = (usize::MAX, 0);
        for length in lengths() {
            let bytes = sizes.of(steps, length);
            if bytes < least {
                (least, shortest) = (bytes, length);
            }
        }
        let at_once = FIBERS_AT_ONCE
            .min(fibers.len())
            .min(budget / least.max(1))
            .max(1);
        if least > budget {
            return Err(BackendError::Unsupported(format!(
                "differentiating fibre {} over {steps} steps needs {} MiB on the device even in segments of {shortest} steps, \
                 and {} MiB are free: take fewer steps at once (truncated), ask for fewer derivatives, or use the CPU",
                fibers.first().copied().unwrap_or(0),
                least.div_ceil(1 << 20),
                budget >> 20,
            )));
        }
        let fits =
            |length: &usize| *length == shortest || sizes.of(steps, *length) <= budget / at_once;
        let length = lengths().find(fits).unwrap_or(shortest);
        let starts = rollout.steps.clone().step_by(length.max(1));
        Ok(Segments {
            length: length.max(1),
            steps: starts
                .map(|start| start..(start + length).min(rollout.steps.end))
                .collect(),
            fibers: at_once,
        })
    }
}
