//! The shape of the action potential that passes along a fiber.

use std::sync::Arc;

use axonml_autodiff::engine::{NodeSelection, Observation, ObserverKind, ObserverSpec};
use axonml_core::Waveform;

use crate::{
    Device, Extents, Fiber, FiberLength, FiberModel, InitialState, Settings, Simulation,
    SimulationError, Site, Stimulus, ThresholdSearch,
};

/// Nodes of a myelinated fiber, and length of an unmyelinated one, um.
const NODES: usize = 41;
const LENGTH_UM: f64 = 2_000.0;
/// The current that starts the action potential: its place and duration (ms), how well its threshold is found, and its multiple
/// of that.
const BEGIN: Site = Site::Fraction(0.2);
const PULSE_MS: f64 = 0.5;
const RESOLUTION: f64 = 0.25;
const ABOVE_THRESHOLD: f64 = 1.2;
/// The place that is watched: far from where the current flows, and from the end.
const WATCHED: Site = Site::Fraction(0.6);
/// The window around the peak, in widths at half height.
const BEFORE: f64 = 4.0;
const BEHIND: f64 = 16.0;

/// An action potential in the middle of a fiber, on its own scale of time.
#[derive(Clone, Debug, PartialEq)]
pub struct SpikeShape {
    /// Diameter of the fiber, um.
    pub diameter_um: f64,
    /// Times from the peak, ms, from 4 widths before it to 16 behind.
    pub t_ms: Vec<f64>,
    /// Membrane potential at these times, mV.
    pub v_mv: Vec<f64>,
    /// Membrane potential before the stimulus, mV.
    pub rest_mv: f64,
    /// Largest membrane potential, mV.
    pub peak_mv: f64,
    /// Time that the potential is above the mean of rest and peak, ms.
    pub half_width_ms: f64,
}

impl SpikeShape {
    /// Finds the action potential in a recording that begins at rest, and the time at which its window ends, ms.
    fn find(diameter_um: f64, t_ms: &[f64], v_mv: &[f64]) -> Option<(Self, f64)> {
        let rest_mv = *v_mv.first()?;
        let largest = v_mv.iter().fold(f64::NEG_INFINITY, |most, &v| most.max(v));
        let half_mv = 0.5 * (rest_mv + largest);
        let up = v_mv.iter().position(|&v| v > half_mv)?;
        let down = up + v_mv[up..].iter().position(|&v| v <= half_mv)?;
        let above = up..down;
        let peak = above.max_by(|&a, &b| v_mv[a].total_cmp(&v_mv[b]))?;
        let crossing = |k: usize| {
            let part = (half_mv - v_mv[k - 1]) / (v_mv[k] - v_mv[k - 1]);
            t_ms[k - 1] + part * (t_ms[k] - t_ms[k - 1])
        };
        let half_width_ms = crossing(down) - crossing(up);
        let from_peak = |k: &usize| {
            let t = t_ms[*k] - t_ms[peak];
            (-BEFORE * half_width_ms..=BEHIND * half_width_ms).contains(&t)
        };
        let window: Vec<usize> = (0..t_ms.len()).filter(from_peak).collect();
        let shape = SpikeShape {
            diameter_um,
            t_ms: window.iter().map(|&k| t_ms[k] - t_ms[peak]).collect(),
            v_mv: window.iter().map(|&k| v_mv[k]).collect(),
            rest_mv,
            peak_mv: v_mv[peak],
            half_width_ms,
        };
        Some((shape, t_ms[peak] + BEHIND * half_width_ms))
    }
}

/// The action potential that a current above its threshold (1.2 to 1.6 times) starts in a resting fiber of this diameter, as it
/// passes three fifths of a fiber of 41 nodes or 2 mm; none where no current starts one.
///
/// The fiber rests: 200 ms without stimulus go before, whatever start `settings` has. Its duration is not used either.
///
/// # Errors
/// As [`Simulation::new`], [`Simulation::thresholds`] and [`Simulation::run`]; [`SimulationError::Diverged`].
pub fn spike_shape(
    model: &dyn FiberModel,
    diameter_um: f64,
    settings: &Settings,
    device: &Device,
) -> Result<Option<SpikeShape>, SimulationError> {
    let length = match model.schema().compartment_um {
        Some(_) => FiberLength::Um(LENGTH_UM),
        None => FiberLength::Nodes(NODES),
    };
    let mut extents = Extents::new(model, settings)?;
    let extent = extents.resolve(length, diameter_um, None, None)?;
    let ends = [0, extent.nodes - 1];
    let simulation = |tstop_ms: f64| {
        let settings = Settings {
            tstop_ms,
            start: InitialState::Settled { warmup_ms: 200.0 },
            ..settings.clone()
        };
        let fibers = vec![Fiber::new(diameter_um, extent.nodes)];
        Simulation::new(model, fibers, &settings, device)
    };
    // Long enough for an action potential from one end to the other.
    let mut tstop_ms = extents.tstop_ms(diameter_um, &extent, &ends[..1], Some(PULSE_MS));

    let pulse = Arc::new(Waveform::monophasic(PULSE_MS)?.flipped());
    let [begin, watched] = [BEGIN.node(extent.nodes)?, WATCHED.node(extent.nodes)?];
    let stimulus = Stimulus::none(1).inject_scaled(0, begin as i64, pulse);
    let search = ThresholdSearch {
        resolution: RESOLUTION,
        first_part: Some(0.05),
        // 1 uA: more than any fiber needs, and less than diverges.
        max_ma: 1e-3,
        ..ThresholdSearch::default()
    };
    let threshold = simulation(tstop_ms)?.thresholds(&stimulus, &search, &mut |_| ())?[0];
    let Some(threshold_ma) = threshold.upper_ma() else {
        return Ok(None);
    };
    let recorder = ObserverKind::Recorder {
        states: Vec::new(),
        every: 1,
    };
    let recorder = ObserverSpec::new(recorder, NodeSelection::Nodes(vec![watched as i64]));
    loop {
        let simulation = simulation(tstop_ms)?;
        let observers = std::slice::from_ref(&recorder);
        let outcome = simulation.run(&stimulus, ABOVE_THRESHOLD * threshold_ma, observers)?;
        let observation = outcome.fibers[0].observations.first().cloned();
        simulation.completed_states(outcome)?;
        let Some(Observation::Recorded(recording)) = observation else {
            return Ok(None);
        };
        match SpikeShape::find(diameter_um, &recording.t_ms, &recording.v_mv) {
            None => return Ok(None),
            Some((shape, end_ms)) if end_ms <= tstop_ms => return Ok(Some(shape)),
            // The run ends within the window.
            Some((_, end_ms)) => tstop_ms = end_ms.ceil(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A triangle from -70 to 30 mV, 1 ms up and 2 ms down, begun at 8 ms; a second one later is none of its business.
    fn triangles(second_mv: f64) -> (Vec<f64>, Vec<f64>) {
        let wave = |t: f64| (1.0 - if t < 0.0 { -t } else { 0.5 * t }).max(0.0);
        let v = |t: f64| -70.0 + 100.0 * wave(t - 9.0) + (second_mv + 70.0) * wave(t - 40.0);
        let t_ms: Vec<f64> = (0..=6000).map(|k| 0.01 * f64::from(k)).collect();
        let v_mv = t_ms.iter().map(|&t| v(t)).collect();
        (t_ms, v_mv)
    }

    #[test]
    fn a_triangle_has_its_height_and_half_its_width() {
        for second_mv in [-70.0, 25.0] {
            let (t_ms, v_mv) = triangles(second_mv);
            let (shape, end_ms) = SpikeShape::find(1.0, &t_ms, &v_mv).unwrap();
            assert_eq!((shape.rest_mv, shape.diameter_um), (-70.0, 1.0));
            assert!((shape.peak_mv - 30.0).abs() < 1e-9);
            assert!((shape.half_width_ms - 1.5).abs() < 1e-9);
            assert!((end_ms - (9.0 + 16.0 * 1.5)).abs() < 1e-9);
            let [first, last] = [shape.t_ms[0], *shape.t_ms.last().unwrap()];
            assert!((first + 6.0).abs() < 0.011 && (last - 24.0).abs() < 0.011);
            let peak = shape.t_ms.iter().position(|&t| t == 0.0).unwrap();
            assert_eq!(shape.v_mv[peak], shape.peak_mv);
        }
    }

    #[test]
    fn a_potential_that_stays_up_is_no_action_potential() {
        let t_ms = [0.0, 1.0, 2.0];
        assert_eq!(SpikeShape::find(1.0, &t_ms, &[-70.0, 0.0, 0.0]), None);
        assert_eq!(SpikeShape::find(1.0, &t_ms, &[-70.0; 3]), None);
        assert_eq!(SpikeShape::find(1.0, &[], &[]), None);
    }
}
