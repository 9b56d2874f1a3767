//! What makes results doubtful, told before they are computed.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use axonml_core::error::short;
use axonml_core::{TimeGrid, format_ms};
use axonml_models::weights::{Usage, phase_widths_ms};
use axonml_models::{DRIFT_MS, InitialState, Settings, Text, drift_mv};

use super::case::{Case, CaseSource};
use super::listener::Listener;
use super::weights::NamedWeights;

/// Change of the membrane potential without stimulus, mV, above which it is noted.
const NOTED_DRIFT_MV: f64 = 1.0;

/// Warns where cases leave what their weights were trained on, and where their steps distort pulses.
pub fn warn_of_doubts<'c>(cases: impl Iterator<Item = &'c Case>, listener: &mut dyn Listener) {
    let cases: Vec<&Case> = cases.collect();
    warn_of_domain(cases.iter().copied(), listener);
    note_drifts(&cases, listener);
    let (mut told, mut seen) = (HashSet::new(), HashSet::new());
    for case in cases {
        let Ok(grid) = TimeGrid::new(case.dt_ms, case.tstop_ms) else {
            continue;
        };
        let rounded = rounding(&grid, case.tstop_ms).filter(|note| told.insert(note.clone()));
        rounded.into_iter().for_each(|note| listener.note(note));
        for source in &case.sources {
            let CaseSource::Field(_, waveform) = source else {
                continue;
            };
            if !seen.insert((Arc::as_ptr(waveform) as usize, case.dt_ms.to_bits())) {
                continue;
            }
            let sine = waveform.coarse_sine(&grid).map(|sine| sine.to_string());
            let phase = waveform.short_phase(&grid).map(|phase| phase.to_string());
            for doubt in sine.into_iter().chain(phase) {
                if told.insert(doubt.clone()) {
                    listener.warn(doubt);
                }
            }
        }
    }
}

/// Notes, once for each model and temperature, that fibers which start as published do not rest there.
fn note_drifts(cases: &[&Case], listener: &mut dyn Listener) {
    let mut seen = HashSet::new();
    for case in cases {
        let (id, start) = (case.model.schema().id, &case.setup.start);
        let is_published = *start == InitialState::Declared;
        // Weights are trained from a start, whether a fiber rests there or not.
        let has_weights = case.setup.weights.of_model(&id).is_some();
        let celsius = case.celsius.map(f64::to_bits);
        if !is_published || has_weights || !seen.insert((id.clone(), celsius)) {
            continue;
        }
        let settings = Settings {
            dt_ms: case.dt_ms,
            celsius: case.celsius,
            ..case.setup.settings(&case.model)
        };
        let device = &case.setup.machine.device;
        // What cannot be simulated is refused, or found to diverge, by the run itself.
        let Ok(moved_mv) = drift_mv(&case.model, case.fiber.diameter_um, &settings, device) else {
            continue;
        };
        if moved_mv.abs() > NOTED_DRIFT_MV {
            listener.note(format!(
                "model {id} does not rest where it starts: without stimulus it moves by {} mV within {} ms; \
                 start from its steady state (warmup)",
                short(moved_mv),
                short(DRIFT_MS)
            ));
        }
    }
}

/// Where a run ends whose duration is no multiple of its step: elsewhere than requested.
pub fn rounding(grid: &TimeGrid, tstop_ms: f64) -> Option<String> {
    (!grid.ends_at(tstop_ms)).then(|| {
        format!(
            "tstop {} ms is no multiple of dt {} ms: {} steps are simulated, to {} ms",
            format_ms(tstop_ms),
            short(grid.dt_ms()),
            grid.steps(),
            format_ms(grid.duration_ms())
        )
    })
}

/// Warns, once for each condition, where cases leave the domain that their weights were trained on.
fn warn_of_domain<'c>(cases: impl Iterator<Item = &'c Case>, listener: &mut dyn Listener) {
    let mut usages: BTreeMap<(Text, String), (Arc<NamedWeights>, Usage)> = BTreeMap::new();
    let mut phases = HashMap::new();
    for case in cases {
        let id = case.model.schema().id;
        let Some(weights) = case.setup.weights.of_model(&id) else {
            continue;
        };
        let (_, usage) = usages
            .entry((id, weights.name.clone()))
            .or_insert_with(|| (weights.clone(), Usage::default()));
        Usage::widen(&mut usage.dt_ms, case.dt_ms);
        Usage::widen(&mut usage.diameter_um, case.fiber.diameter_um);
        Usage::widen(
            &mut usage.celsius,
            case.celsius.unwrap_or(weights.schema.celsius),
        );
        if let Some(distance) = case.source_distance_um {
            Usage::widen(&mut usage.source_distance_um, distance);
        }
        for source in &case.sources {
            let CaseSource::Field(_, waveform) = source else {
                continue;
            };
            let key = (
                Arc::as_ptr(waveform) as usize,
                case.dt_ms.to_bits(),
                case.tstop_ms.to_bits(),
            );
            let widths = phases.entry(key).or_insert_with(|| {
                let grid = TimeGrid::new(case.dt_ms, case.tstop_ms).ok()?;
                phase_widths_ms(&waveform.sample(&grid).ok()?, case.dt_ms)
            });
            if let Some((least, greatest)) = *widths {
                Usage::widen(&mut usage.pulse_width_ms, least);
                Usage::widen(&mut usage.pulse_width_ms, greatest);
            }
        }
    }
    for ((id, name), (weights, usage)) in usages {
        for departure in weights.file.domain.departures(&usage) {
            listener.warn(format!(
                "weights {name} of model {id} are extrapolating beyond the training domain: {departure}"
            ));
        }
    }
}
