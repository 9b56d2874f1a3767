//! The stimulus of a group of lanes: the projections of its sources onto nodes and modes, and the strength of each at a
//! step.

mod reverse;
mod total;

use std::sync::Arc;

use axonml_autodiff::cable::Cable;
use axonml_autodiff::cable::Projection;
use axonml_autodiff::engine::{Rollout, Source};
use axonml_autodiff::ir::Real;

use crate::cable::AddScaled;
use crate::isa::{Isa, dispatch};

pub(crate) use reverse::DriveSums;
use total::Total;

/// Fields of one source per lane, for a waveform of 1.
#[derive(Debug)]
struct SourceSlot<R> {
    /// None where the lane has fewer sources.
    lanes: Vec<Option<LaneSource>>,
    fields: Fields<R>,
}

/// How strong a source is in one lane.
#[derive(Clone, Debug)]
struct LaneSource {
    waveform: Arc<Vec<f64>>,
    gain: f64,
}

/// Projection of a unit source over a step: currents into nodes over a step (nA, `[node][lane]`) and increments of
/// modes (nA, `[internode][mode][lane]`; empty where it does nothing to them).
#[derive(Debug, Default)]
pub(crate) struct Fields<R> {
    pub(crate) nodes: Vec<R>,
    pub(crate) modes: Vec<R>,
}

impl<R: Real> Fields<R> {
    fn zero(nodes: usize, lanes: usize) -> Self {
        Fields {
            nodes: vec![R::default(); nodes * lanes],
            modes: Vec::new(),
        }
    }

    /// Fills in one lane. Modes pass a part of their drive on to the nodes within the step.
    fn set(
        &mut self,
        cable: &Cable,
        projection: &Projection,
        dt_ms: f64,
        lane: usize,
        lanes: usize,
    ) {
        let mut nodes = projection.nodes_na.clone();
        let driven = projection.modes.iter().any(|&x| x != 0.0);
        if let Some(step) = cable.modal_step(dt_ms).filter(|_| driven) {
            let rows = self.nodes.len() / lanes;
            let size = (rows - 1) * step.modes() * lanes;
            self.modes.resize(size, R::default());
            let increments = step.drive_modes(&projection.modes, dt_ms, &mut nodes);
            for (index, increment) in increments.into_iter().enumerate() {
                self.modes[index * lanes + lane] = R::from_f64(increment);
            }
        } else {
            self.modes
                .iter_mut()
                .skip(lane)
                .step_by(lanes)
                .for_each(|x| *x = R::default());
        }
        for (k, current) in nodes.into_iter().enumerate() {
            self.nodes[k * lanes + lane] = R::from_f64(current);
        }
    }
}

/// Space-time potentials of one lane.
#[derive(Debug)]
struct LaneSpaceTime {
    lane: usize,
    cable: Arc<Cable>,
    ve_mv: Arc<Vec<f64>>,
    gain: f64,
}

impl LaneSpaceTime {
    fn given(&self, dt_ms: f64) -> axonml_autodiff::adjoint::SpaceTimeSource<'_> {
        axonml_autodiff::adjoint::SpaceTimeSource {
            cable: &self.cable,
            dt_ms,
            ve_mv: &self.ve_mv,
            gain: self.gain,
        }
    }
}

/// The stimulus of a group.
#[derive(Debug)]
pub(crate) struct GroupDrive<R> {
    slots: Vec<SourceSlot<R>>,
    total: Total<R>,
    space_time: Vec<LaneSpaceTime>,
    /// Fields of the space-time sources at the last requested step.
    space_time_fields: Fields<R>,
    dt_ms: f64,
    lanes: usize,
}

impl<R: Real> GroupDrive<R> {
    /// The stimulus of the fibers `members` (indices in the rollout), one per lane, in arrays of `nodes` rows. Lanes
    /// from `used` on only repeat others, and skip costly work.
    pub(crate) fn new(rollout: &Rollout, members: &[usize], used: usize, nodes: usize) -> Self {
        let lanes = members.len();
        let dt_ms = rollout.grid.dt_ms();
        let mut drive = GroupDrive {
            slots: Vec::new(),
            total: Total::new(&[], lanes),
            space_time: Vec::new(),
            space_time_fields: Fields::zero(nodes, lanes),
            dt_ms,
            lanes,
        };
        for (lane, &fiber) in members.iter().enumerate() {
            let cable = &rollout.fibers[fiber].cable;
            let mut next_slot = 0;
            let sources = rollout.drive.sources[fiber].iter();
            for (source, &gain) in sources.zip(&rollout.drive.gains[fiber]) {
                match source {
                    Source::Separable {
                        projection,
                        waveform,
                        ..
                    } => {
                        if next_slot == drive.slots.len() {
                            let fields = Fields::zero(nodes, lanes);
                            drive.slots.push(SourceSlot {
                                lanes: vec![None; lanes],
                                fields,
                            });
                        }
                        let slot = &mut drive.slots[next_slot];
                        next_slot += 1;
                        slot.lanes[lane] = Some(LaneSource {
                            waveform: rollout.drive.waveforms[*waveform].clone(),
                            gain,
                        });
                        slot.fields.set(cable, projection, dt_ms, lane, lanes);
                    }
                    Source::SpaceTime(_) if lane >= used => {}
                    Source::SpaceTime(ve_mv) => drive.space_time.push(LaneSpaceTime {
                        lane,
                        cable: cable.clone(),
                        ve_mv: ve_mv.clone(),
                        gain,
                    }),
                }
            }
        }
        let fields: Vec<&Fields<R>> = drive.slots.iter().map(|slot| &slot.fields).collect();
        drive.total = Total::new(&fields, lanes);
        drive
    }

    /// Whether any source is on at `step`.
    pub(crate) fn is_on(&self, step: usize) -> bool {
        let on = |source: &LaneSource| {
            let value = source.waveform[step];
            value * source.gain != 0.0
        };
        let separable = self.slots.iter().flat_map(|slot| &slot.lanes);
        separable.flatten().any(on) || !self.space_time.is_empty()
    }

    /// Adds the projections of the sources at `step` to the currents into nodes and to the modes.
    pub(crate) fn add<const L: usize>(
        &mut self,
        isa: Isa,
        step: usize,
        current: &mut [R],
        mut modes: Option<&mut [R]>,
    ) {
        let field = |slot: usize| &self.slots[slot].fields;
        let set = |strengths: &mut [[R; L]]| {
            for (strengths, slot) in strengths.iter_mut().zip(&self.slots) {
                for (strength, source) in strengths.iter_mut().zip(&slot.lanes) {
                    *strength = source.as_ref().map_or(R::default(), |source| {
                        let value = source.waveform[step];
                        R::from_f64(value * source.gain)
                    });
                }
            }
        };
        let of_modes = modes.as_deref_mut();
        self.total.add::<L>(isa, field, set, current, of_modes);
        if self.project_dense(step) {
            let factor = &[R::from_f64(1.0); L];
            let add = |x: &[R], to: &mut [R]| {
                dispatch(isa, AddScaled::<R, L> { factor, x, to });
            };
            add(&self.space_time_fields.nodes, current);
            if let (Some(modes), false) = (modes, self.space_time_fields.modes.is_empty()) {
                add(&self.space_time_fields.modes, modes);
            }
        }
    }

    /// Projects the space-time potentials at `step`; false if there are none or all are zero.
    fn project_dense(&mut self, step: usize) -> bool {
        if self.space_time.is_empty() {
            return false;
        }
        let mut totals: Vec<Option<Vec<f64>>> = vec![None; self.lanes];
        for source in &self.space_time {
            let samples = source.cable.samples();
            let ve = &source.ve_mv[step * samples..(step + 1) * samples];
            let total = totals[source.lane].get_or_insert_with(|| vec![0.0; samples]);
            total
                .iter_mut()
                .zip(ve)
                .for_each(|(total, ve)| *total += source.gain * ve);
        }
        let on = totals.iter().flatten().flatten().any(|&ve| ve != 0.0);
        if on {
            for source in &self.space_time {
                if let Some(ve) = totals[source.lane].take() {
                    let projection = source.cable.project(&ve);
                    self.space_time_fields.set(
                        &source.cable,
                        &projection,
                        self.dt_ms,
                        source.lane,
                        self.lanes,
                    );
                }
            }
        }
        on
    }
}
