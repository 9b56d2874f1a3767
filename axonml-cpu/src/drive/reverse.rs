//! VJP of the stimulus of a group: gains, waveforms, fields.

use axonml_autodiff::adjoint::{GradientRequest, SourceSums, SpaceTimeSums};
use axonml_autodiff::engine::{Rollout, Source};
use axonml_autodiff::ir::Real;

use super::{Fields, GroupDrive};
use crate::cable::AddScaled;
use crate::cable::reverse::Dot;
use crate::isa::{Isa, dispatch};

/// Gradient accumulators of a group's sources.
#[derive(Debug)]
pub(crate) struct DriveSums<R> {
    slots: Vec<SlotSums<R>>,
    space_time: Vec<SpaceTimeSums>,
    /// Whether cotangents of strengths (of gains or waveforms) and of fields are accumulated.
    strengths: bool,
    waveforms: bool,
    fields: bool,
}

#[derive(Debug)]
struct SlotSums<R> {
    /// `[lane]`.
    gains: Vec<f64>,
    /// `[lane][step]`; empty if not requested.
    waveforms: Vec<Vec<f64>>,
    /// Cotangents of the fields of a unit source since the last flush.
    fields: Fields<R>,
    /// The same in double precision, up to the last flush.
    moved: Fields<f64>,
}

impl<R: Real> DriveSums<R> {
    pub(crate) fn new(
        drive: &GroupDrive<R>,
        rollout: &Rollout,
        members: &[usize],
        request: GradientRequest,
    ) -> Self {
        let lanes = drive.lanes;
        let cable = &rollout.fibers[members[0]].cable;
        let fields = request.fields || request.cables;
        let slots = drive.slots.iter().map(|slot| {
            let nodes = slot.fields.nodes.len();
            let (nodes, modes) = match fields {
                true => (nodes, (nodes - lanes) * cable.modes_per_internode()),
                false => (0, 0),
            };
            SlotSums {
                gains: vec![0.0; lanes],
                waveforms: match request.waveforms {
                    true => vec![vec![0.0; rollout.grid.steps()]; lanes],
                    false => Vec::new(),
                },
                fields: Fields {
                    nodes: vec![R::default(); nodes],
                    modes: vec![R::default(); modes],
                },
                moved: Fields {
                    nodes: vec![0.0; nodes],
                    modes: vec![0.0; modes],
                },
            }
        });
        let space_time = drive.space_time.iter();
        let space_time =
            space_time.map(|source| SpaceTimeSums::new(source.given(drive.dt_ms), request));
        debug_assert_eq!(members.len(), lanes);
        DriveSums {
            slots: slots.collect(),
            space_time: space_time.collect(),
            strengths: request.gains || request.waveforms,
            waveforms: request.waveforms,
            fields,
        }
    }

    /// Accumulates the VJP of step `step`: `y` is the cotangent of the currents into the nodes, `z` that of the modes
    /// after it.
    pub(crate) fn accumulate<const L: usize>(
        &mut self,
        drive: &GroupDrive<R>,
        isa: Isa,
        step: usize,
        y: &[R],
        z: Option<&[R]>,
    ) {
        for (slot, sums) in drive.slots.iter().zip(&mut self.slots) {
            let mut strength = [R::default(); L];
            let mut values = [(0.0, 0.0); L];
            let mut on = false;
            for (lane, source) in slot.lanes.iter().enumerate() {
                let Some(source) = source else { continue };
                let value = source.waveform[step];
                on |= value * source.gain != 0.0;
                strength[lane] = R::from_f64(value * source.gain);
                values[lane] = (value, source.gain);
            }
            if self.waveforms || (self.strengths && values.iter().any(|(value, _)| *value != 0.0)) {
                let mut dot = [R::default(); L];
                dispatch(
                    isa,
                    Dot::<R, L> {
                        x: &slot.fields.nodes,
                        y,
                        to: &mut dot,
                    },
                );
                if let (Some(z), false) = (z, slot.fields.modes.is_empty()) {
                    let (x, to) = (&slot.fields.modes[..], &mut dot);
                    dispatch(isa, Dot::<R, L> { x, y: z, to });
                }
                for (lane, (value, gain)) in values.into_iter().enumerate() {
                    let dot = dot[lane].to_f64();
                    sums.gains[lane] += value * dot;
                    if self.waveforms {
                        sums.waveforms[lane][step] += gain * dot;
                    }
                }
            }
            if self.fields && on {
                let factor = &strength;
                let add = |x: &[R], to: &mut [R]| {
                    dispatch(isa, AddScaled::<R, L> { factor, x, to });
                };
                add(y, &mut sums.fields.nodes);
                if let (Some(z), false) = (z, sums.fields.modes.is_empty()) {
                    add(z, &mut sums.fields.modes);
                }
            }
        }
        if self.strengths || self.fields {
            self.accumulate_space_time(drive, step, y, z);
        }
    }

    /// The same for the space-time sources, by the transpose of their projection.
    fn accumulate_space_time(
        &mut self,
        drive: &GroupDrive<R>,
        step: usize,
        y: &[R],
        z: Option<&[R]>,
    ) {
        for (source, sums) in drive.space_time.iter().zip(&mut self.space_time) {
            let column = |x: &[R], count: usize| -> Vec<f64> {
                (0..count)
                    .map(|k| x[k * drive.lanes + source.lane].to_f64())
                    .collect()
            };
            let nodes = column(y, source.cable.nodes());
            let modes = z.map_or(Vec::new(), |z| column(z, source.cable.mode_count()));
            sums.add(source.given(drive.dt_ms), step, &nodes, &modes);
        }
    }

    /// Flushes accumulators of the group's precision into double precision; to be called before they are read, and
    /// often enough that single precision suffices.
    pub(crate) fn flush(&mut self) {
        let move_all = |from: &mut [R], to: &mut [f64]| {
            for (from, to) in from.iter_mut().zip(to) {
                *to += from.to_f64();
                *from = R::default();
            }
        };
        for sums in &mut self.slots {
            move_all(&mut sums.fields.nodes, &mut sums.moved.nodes);
            move_all(&mut sums.fields.modes, &mut sums.moved.modes);
        }
    }

    /// Returns the accumulated cotangents of the sources of lane `lane` with fiber `fiber`.
    pub(crate) fn finish(
        &self,
        drive: &GroupDrive<R>,
        rollout: &Rollout,
        lane: usize,
        fiber: usize,
    ) -> Vec<SourceSums> {
        let cable = &rollout.fibers[fiber].cable;
        let column = |x: &[f64], count: usize| -> Vec<f64> {
            let count = if self.fields { count } else { 0 };
            (0..count).map(|k| x[k * drive.lanes + lane]).collect()
        };
        let mut slots = self.slots.iter();
        let mut space_time = drive.space_time.iter().zip(&self.space_time);
        let sources = rollout.drive.sources[fiber].iter();
        let sources = sources.map(|source| match source {
            Source::Separable { .. } => {
                let Some(sums) = slots.next() else {
                    unreachable!("every separable source has a slot")
                };
                SourceSums::Separable {
                    gain: sums.gains[lane],
                    waveform: match self.waveforms {
                        true => sums.waveforms[lane].clone(),
                        false => Vec::new(),
                    },
                    nodes_na: column(&sums.moved.nodes, cable.nodes()),
                    increments: column(&sums.moved.modes, cable.mode_count()),
                }
            }
            Source::SpaceTime(_) => match space_time.find(|(source, _)| source.lane == lane) {
                Some((_, sums)) => SourceSums::SpaceTime(sums.clone()),
                None => unreachable!("every space-time source of a lane was noted"),
            },
        });
        sources.collect()
    }
}
