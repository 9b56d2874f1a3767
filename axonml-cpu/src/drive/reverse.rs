//! What the stimulus of a group collects on the way back.

use axonml_autodiff::cable::{CableCotangent, ModalStep, Projection};
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
    /// What the dense sources' cables collect; empty if cables are not asked for.
    dense_cables: Vec<CableCotangent>,
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
    /// What the numbers of the lane's cable collect because they shape what sources do, if asked for.
    pub(crate) cable: Option<CableCotangent>,
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
            dense_cables: match request.cables {
                true => drive
                    .dense
                    .iter()
                    .map(|source| CableCotangent::zero(&source.cable))
                    .collect(),
                false => Vec::new(),
            },
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
        if self.strengths || self.fields {
            self.collect_dense(drive, step, y, z);
        }
    }

    /// The same of the dense sources, by the transpose of their projection.
    fn collect_dense(&mut self, drive: &GroupDrive<R>, step: usize, y: &[R], z: Option<&[R]>) {
        for (index, (source, sums)) in drive.dense.iter().zip(&mut self.dense).enumerate() {
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
            if let Some(cotangent) = self.dense_cables.get_mut(index) {
                let ve: Vec<f64> = ve.iter().map(|ve| source.amplitude * ve).collect();
                let driven = source.cable.project(&ve).modes;
                cotangent.add_projection(&source.cable, &ve, &nodes, &modes);
                add_increments(cotangent, &source.cable, drive.dt_ms, &driven, &modes);
            }
            let unit = source.cable.project_transposed(&nodes, &modes);
            if source.scaled && self.strengths {
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
        let dt_ms = drive.dt_ms;
        let modal = cable.modal_step(dt_ms);
        let mut of_cable = request.cables.then(|| CableCotangent::zero(cable));
        let column = |x: &[R], count: usize| -> Vec<f64> {
            (0..count)
                .map(|k| x[k * drive.lanes + lane].to_f64())
                .collect()
        };
        let mut sources = Vec::new();
        let mut slots = self.slots.iter();
        let mut of_lane = (0..drive.dense.len()).filter(|&index| drive.dense[index].lane == lane);
        for source in rollout.drive.sources[fiber].iter() {
            match &source.field {
                SourceField::Separable {
                    projection,
                    potentials,
                    ..
                } => {
                    let Some(sums) = slots.next() else {
                        unreachable!("every separable source has a slot")
                    };
                    let mut cotangent = SourceCotangent {
                        waveform: sums.waveforms.get(lane).cloned().unwrap_or_default(),
                        ..Default::default()
                    };
                    if self.fields {
                        let nodes_na = column(&sums.fields.nodes, cable.nodes());
                        let mut modes = column(&sums.fields.modes, cable.mode_count());
                        if let Some(step) = &modal {
                            modes = step.drive_modes_transposed(&modes, dt_ms, &nodes_na);
                        }
                        if let Some(to) = &mut of_cable {
                            if let Some(ve) = potentials {
                                to.add_projection(cable, ve, &nodes_na, &modes);
                            }
                            add_increments(to, cable, dt_ms, &projection.modes, &modes);
                        }
                        if request.fields {
                            if potentials.is_some() {
                                cotangent.potentials = cable.project_transposed(&nodes_na, &modes);
                            }
                            cotangent.projection = Some(Projection { nodes_na, modes });
                        }
                    }
                    sources.push(cotangent);
                }
                SourceField::Dense(_) => {
                    let Some(index) = of_lane.next() else {
                        unreachable!("every dense source of a lane was noted")
                    };
                    if let (Some(to), Some(from)) = (&mut of_cable, self.dense_cables.get(index)) {
                        to.add(from);
                    }
                    sources.push(SourceCotangent {
                        potentials: self.dense[index].clone(),
                        ..Default::default()
                    });
                }
            }
        }
        LaneDrive {
            amplitude: self.amplitudes[lane],
            sources,
            cable: of_cable,
        }
    }
}

/// Adds what the numbers of a cable collect because they turn the drives `driven` of modes into increments over a step:
/// `drives` are the cotangents of the drives.
fn add_increments(
    to: &mut CableCotangent,
    cable: &Cable,
    dt_ms: f64,
    driven: &[f64],
    drives: &[f64],
) {
    if let Some(step) = cable.modal_step(dt_ms) {
        // Increments are a dt times the drive: linear in the decay as in the drive.
        let mut bar = ModalStep {
            a: vec![0.0; step.modes()],
            kappa: vec![0.0; step.modes()],
            self_coupling: 0.0,
            neighbor_coupling: 0.0,
            capacitance_nf: 0.0,
        };
        for (index, (driven, cotangent)) in driven.iter().zip(drives).enumerate() {
            let mode = index % step.modes();
            bar.a[mode] += driven * cotangent / step.a[mode];
        }
        to.add_modal_step(cable, dt_ms, &bar, 0.0);
    }
}
