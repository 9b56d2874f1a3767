//! Gradient accumulators of a fiber's sources.

use crate::adjoint::{GradientRequest, SourceCotangent};
use crate::cable::{Cable, CableCotangent, ModalStep, Projection};
use crate::engine::Source;

/// Accumulated cotangents of one source; zero or empty where they are not requested.
#[derive(Clone, Debug, PartialEq)]
pub enum SourceSums {
    /// Sums of a separable field.
    Separable {
        /// Cotangent of the gain.
        gain: f64,
        /// Cotangents of the waveform, `[step]` of the whole run.
        waveform: Vec<f64>,
        /// Cotangents of the currents that a unit source sends into the nodes over a step (nA).
        nodes_na: Vec<f64>,
        /// Cotangents of the increments that a unit source gives the modes over a step (nA), `[internode, mode]`.
        increments: Vec<f64>,
    },
    /// Sums of a space-time potential.
    SpaceTime(SpaceTimeSums),
}

/// Sums of the cotangents of space-time potentials.
#[derive(Clone, Debug, PartialEq)]
pub struct SpaceTimeSums {
    /// Cotangent of the gain, if requested.
    gain: Option<f64>,
    /// Cotangents of the potentials, `[step, sample]`.
    potentials: Vec<f64>,
    cable: Option<CableCotangent>,
}

/// Space-time potentials of a fiber.
#[derive(Clone, Copy, Debug)]
pub struct SpaceTimeSource<'a> {
    /// The fiber's cable.
    pub cable: &'a Cable,
    /// Time step, ms.
    pub dt_ms: f64,
    /// mV per unit, `[step, sample]`.
    pub ve_mv: &'a [f64],
    /// Gain of the source.
    pub gain: f64,
}

impl SpaceTimeSums {
    /// Zeros for `source`.
    pub fn new(source: SpaceTimeSource<'_>, request: GradientRequest) -> Self {
        SpaceTimeSums {
            gain: (request.gains || request.waveforms).then_some(0.0),
            potentials: match request.fields {
                true => vec![0.0; source.ve_mv.len()],
                false => Vec::new(),
            },
            cable: request.cables.then(|| CableCotangent::zero(source.cable)),
        }
    }

    /// Accumulates the VJP of the projection of `source` at step `step`, from the cotangents of the currents into the
    /// nodes and of the modes after the step, `[internode, mode]`.
    ///
    /// # Panics
    /// If the potentials do not reach to that step: those of a checked rollout do.
    pub fn add(
        &mut self,
        source: SpaceTimeSource<'_>,
        step: usize,
        nodes_na: &[f64],
        increments: &[f64],
    ) {
        let (cable, dt_ms) = (source.cable, source.dt_ms);
        let samples = cable.samples();
        let range = step * samples..(step + 1) * samples;
        let ve = &source.ve_mv[range.clone()];
        let drives = match cable.modal_step(dt_ms) {
            Some(step) => step.drive_modes_transposed(increments, dt_ms, nodes_na),
            None => Vec::new(),
        };
        if let Some(cotangent) = &mut self.cable {
            let ve: Vec<f64> = ve.iter().map(|ve| source.gain * ve).collect();
            let driven = cable.project(&ve).modes;
            cotangent.add_projection(cable, &ve, nodes_na, &drives);
            add_increments(cotangent, cable, dt_ms, &driven, &drives);
        }
        let unit = cable.project_transposed(nodes_na, &drives);
        if !self.potentials.is_empty() {
            for (sum, x) in self.potentials[range].iter_mut().zip(&unit) {
                *sum += source.gain * x;
            }
        }
        if let Some(gain) = &mut self.gain {
            *gain += unit.iter().zip(ve).map(|(x, ve)| x * ve).sum::<f64>();
        }
    }
}

impl SourceSums {
    /// Returns the cotangents of `source`, and adds those of the fiber's cable coefficients, on which the projection of
    /// a source depends.
    pub(super) fn cotangent(
        self,
        source: &Source,
        cable: &Cable,
        dt_ms: f64,
        request: GradientRequest,
        mut of_cable: Option<&mut CableCotangent>,
    ) -> SourceCotangent {
        match (self, source) {
            (
                SourceSums::Separable {
                    gain,
                    waveform,
                    nodes_na,
                    increments,
                },
                Source::Separable {
                    projection,
                    potentials,
                    ..
                },
            ) => {
                let mut cotangent = SourceCotangent {
                    gain,
                    waveform,
                    ..Default::default()
                };
                if !(request.fields || request.cables) {
                    return cotangent;
                }
                let modes = match cable.modal_step(dt_ms) {
                    Some(step) => step.drive_modes_transposed(&increments, dt_ms, &nodes_na),
                    None => Vec::new(),
                };
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
                cotangent
            }
            (SourceSums::SpaceTime(sums), _) => {
                if let (Some(to), Some(from)) = (of_cable, &sums.cable) {
                    to.add(from);
                }
                SourceCotangent {
                    gain: sums.gain.unwrap_or_default(),
                    potentials: sums.potentials,
                    ..Default::default()
                }
            }
            (SourceSums::Separable { .. }, Source::SpaceTime(_)) => {
                unreachable!("sums are those of the rollout's sources")
            }
        }
    }
}

/// Adds the cotangents of cable coefficients that turn the drives `driven` of modes into increments over a step:
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
