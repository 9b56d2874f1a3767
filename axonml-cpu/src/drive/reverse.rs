//! What the stimulus of a group collects on the way back.

use axonml_autodiff::cable::Projection;
use axonml_autodiff::{Cable, GradientRequest, Real, Rollout, SourceCotangent, SourceField};

use super::{Fields, GroupDrive};
use crate::cable::AddScaled;
use crate::cable::reverse::Dot;
use crate::isa::{Isa, dispatch};

/// Running sums of the cotangents of a group's sources.
#[derive(Debug)]
pub(crate) struct DriveSums<R> {
    slots: Vec<SlotSums<R>>,
    /// Of the dense sources: their potentials, `[step, sample]`, empty if not wanted.
    dense: Vec<Vec<f64>>,
    /// Whether strengths (of amplitudes or waveforms) and fields are collected.
    strengths: bool,
    waveforms: bool,
    fields: bool,
    /// The derivative with respect to the amplitude of each lane.
    amplitudes: Vec<f64>,
}

#[derive(Debug)]
struct SlotSums<R> {
    /// `[lane][step]`; empty if not wanted.
    waveforms: Vec<Vec<f64>>,
    /// Of the fields of a unit source.
    fields: Fields<R>,
}

/// What a lane's sources collected.
pub(crate) struct LaneDrive {
    pub(crate) amplitude: f64,
    pub(crate) sources: Vec<SourceCotangent>,
    /// What the decay of the modes collects because it shapes what sources do to them; empty if not asked for.
    pub(crate) a: Vec<f64>,
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
        let modal = cable.modes_per_internode() > 0;
        let fields = request.fields || (request.cables && modal);
        let slots = drive.slots.iter().map(|slot| SlotSums {
            waveforms: match request.waveforms {
                true => vec![vec![0.0; rollout.grid.steps()]; lanes],
                false => Vec::new(),
            },
            fields: match fields {
                true => Fields {
                    nodes: vec![R::default(); slot.fields.nodes.len()],
                    modes: vec![
                        R::default();
                        (slot.fields.nodes.len() - lanes) * cable.modes_per_internode()
                    ],
                },
                false => Fields::default(),
            },
        });
        let dense = drive.dense.iter().map(|source| match request.fields {
            true => vec![0.0; source.ve_mv.len()],
            false => Vec::new(),
        });
        debug_assert_eq!(members.len(), lanes);
        DriveSums {
            slots: slots.collect(),
            dense: dense.collect(),
            strengths: request.amplitudes || request.waveforms,
            waveforms: request.waveforms,
            fields,
            amplitudes: vec![0.0; lanes],
        }
    }

    /// Adds what step `step` says: `y` is the cotangent of the currents into the nodes, `z` that of the modes after it.
    pub(crate) fn collect<const L: usize>(
        &mut self,
        drive: &GroupDrive<R>,
        isa: Isa,
        step: usize,
        y: &[R],
        z: Option<&[R]>,
    ) {
        for (slot, sums) in drive.slots.iter().zip(&mut self.slots) {
            let mut strength = [R::default(); L];
            let mut values = [(0.0, 0.0, false); L];
            let mut on = false;
            for (lane, source) in slot.lanes.iter().enumerate() {
                let Some(source) = source else { continue };
                let value = source.waveform.get(step).copied().unwrap_or(0.0);
                on |= value * source.amplitude != 0.0;
                strength[lane] = R::from_f64(value * source.amplitude);
                values[lane] = (value, source.amplitude, source.scaled);
            }
            if self.waveforms || (self.strengths && values.iter().any(|(value, ..)| *value != 0.0))
            {
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
                for (lane, (value, amplitude, scaled)) in values.into_iter().enumerate() {
                    let dot = dot[lane].to_f64();
                    if scaled {
                        self.amplitudes[lane] += value * dot;
                    }
                    if let Some(waveform) = sums.waveforms.get_mut(lane) {
                        waveform[step] += amplitude * dot;
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
        if self.strengths || self.dense.iter().any(|sums| !sums.is_empty()) {
            self.collect_dense(drive, step, y, z);
        }
    }

    /// The same of the dense sources, by the transpose of their projection.
    fn collect_dense(&mut self, drive: &GroupDrive<R>, step: usize, y: &[R], z: Option<&[R]>) {
        for (source, sums) in drive.dense.iter().zip(&mut self.dense) {
            let samples = source.cable.samples();
            let range = step * samples..(step + 1) * samples;
            let Some(ve) = source.ve_mv.get(range.clone()) else {
                continue;
            };
            let column = |x: &[R], count: usize| -> Vec<f64> {
                (0..count)
                    .map(|k| x[k * drive.lanes + source.lane].to_f64())
                    .collect()
            };
            let nodes = column(y, source.cable.nodes());
            let mut modes = z.map_or(Vec::new(), |z| column(z, source.cable.mode_count()));
            if let Some(step) = source.cable.modal_step(drive.dt_ms) {
                modes = step.drive_modes_transposed(&modes, drive.dt_ms, &nodes);
            }
            let unit = source.cable.project_transposed(&nodes, &modes);
            if source.scaled {
                let dot: f64 = unit.iter().zip(ve).map(|(x, ve)| x * ve).sum();
                self.amplitudes[source.lane] += dot;
            }
            if let Some(sums) = sums.get_mut(range) {
                for (sum, x) in sums.iter_mut().zip(&unit) {
                    *sum += source.amplitude * x;
                }
            }
        }
    }

    /// What lane `lane` with fibre `fiber` collected.
    pub(crate) fn finish(
        &self,
        drive: &GroupDrive<R>,
        rollout: &Rollout,
        lane: usize,
        fiber: usize,
        request: GradientRequest,
    ) -> LaneDrive {
        let cable: &Cable = &rollout.fibers[fiber].cable;
        let modal = cable.modal_step(drive.dt_ms);
        let mut a = match (&modal, request.cables) {
            (Some(step), true) => vec![0.0; step.modes()],
            _ => Vec::new(),
        };
        let column = |x: &[R], count: usize| -> Vec<f64> {
            (0..count.min(x.len() / drive.lanes))
                .map(|k| x[k * drive.lanes + lane].to_f64())
                .collect()
        };
        let mut sources = Vec::new();
        let mut slots = self.slots.iter();
        let mut of_lane = drive.dense.iter().zip(&self.dense);
        for source in rollout.drive.sources[fiber].iter() {
            match &source.field {
                SourceField::Separable { projection, .. } => {
                    let Some(sums) = slots.next() else {
                        unreachable!("every separable source has a slot")
                    };
                    let projection = self.fields.then(|| {
                        let nodes_na = column(&sums.fields.nodes, cable.nodes());
                        let increments = column(&sums.fields.modes, cable.mode_count());
                        let modes = match &modal {
                            Some(step) if !increments.is_empty() => {
                                let drives = step.drive_modes_transposed(
                                    &increments,
                                    drive.dt_ms,
                                    &nodes_na,
                                );
                                for (mode, a) in a.iter_mut().enumerate() {
                                    let each = drives.iter().zip(&projection.modes);
                                    let each = each.skip(mode).step_by(step.modes());
                                    // drive -> a dt drive: linear in both.
                                    *a += each.map(|(x, drive)| x * drive).sum::<f64>()
                                        / step.a[mode];
                                }
                                drives
                            }
                            _ => vec![0.0; cable.mode_count()],
                        };
                        Projection { nodes_na, modes }
                    });
                    sources.push(SourceCotangent {
                        waveform: sums.waveforms.get(lane).cloned().unwrap_or_default(),
                        projection: projection.filter(|_| request.fields),
                        dense: Vec::new(),
                    });
                }
                SourceField::Dense(_) => {
                    let found = of_lane.find(|(source, _)| source.lane == lane);
                    sources.push(SourceCotangent {
                        dense: found.map_or(Vec::new(), |(_, sums)| sums.clone()),
                        ..Default::default()
                    });
                }
            }
        }
        LaneDrive {
            amplitude: self.amplitudes[lane],
            sources,
            a,
        }
    }
}
