//! The picture of a run: a few fibers with all their nodes, many with what arrives at their detection nodes.

use std::collections::BTreeMap;

use axonml::simulation::{DetectedRun, Recording};
use axonml::study::{Batch, Case, CaseSource, Outcome, Place, Plan, PlannedCase, RunProtocol};
use axonml::{NodeSelection, Observation, ObserverKind, ObserverSpec, TimeGrid};

use super::words;
use crate::error::CliError;
use crate::plot::{FiberTrace, Picture, ROWS, RunPlot, RunRow, RunsPlot, Strip};

/// A fiber that was run once more for its picture.
struct Drawn<'p> {
    planned: &'p PlannedCase,
    case: &'p Case,
    recording: Recording,
    /// Places of all nodes, um.
    z_um: Vec<f64>,
    /// Node and time, ms, where the first action potential began that arrives.
    start: Option<(usize, f64)>,
}

/// Samples of a few fibers, and of all of many together.
const SAMPLES: usize = 2000;
const ALL_SAMPLES: usize = 10_000_000;

/// The fibers once more, recorded for a picture.
pub(super) fn picture(
    plan: &Plan,
    protocol: &RunProtocol,
    outcome: &Outcome,
) -> Result<Box<dyn Picture>, CliError> {
    let nothing = || CliError::failure("there is nothing to draw: no fiber could be run");
    let completed = |index: usize| {
        let answer = outcome.answers[index].as_ref();
        let status = answer.and_then(|answer| answer.rows.first()?.iter().rev().nth(1));
        status.is_some_and(|status| matches!(status.exact().as_str(), "ok" | "end_excitation"))
    };
    let cases: Vec<(usize, &Case)> = plan
        .cases()
        .filter(|(index, _)| completed(*index))
        .collect();
    let Some(&(_, first)) = cases.first() else {
        return Err(nothing());
    };
    let grid = TimeGrid::new(first.dt_ms, first.tstop_ms)?;
    let few = cases.len() <= ROWS;
    let samples = match few {
        true => SAMPLES,
        false => (ALL_SAMPLES / cases.len()).clamp(100, SAMPLES / 2),
    };
    let kind = ObserverKind::Recorder {
        states: Vec::new(),
        every: grid.steps().div_ceil(samples).max(1),
    };
    let nodes = match few {
        true => NodeSelection::All,
        false => first.detection.sites.clone(),
    };
    let amplitude_ma = protocol.amplitude_ma();
    let recorder = ObserverSpec::new(kind, nodes);
    let mut drawn = recorded(plan, &cases, amplitude_ma, &recorder)?;
    let Some(of_first) = drawn.first() else {
        return Err(nothing());
    };
    let t_ms = of_first.recording.t_ms.clone();
    let models = plan.titles().join(", ");
    let title = match &plan.place {
        None | Some(Place::Inside) => format!("Run of {models} with injected current"),
        Some(Place::Basis(_)) => format!("Run of {models} at {amplitude_ma} times the basis"),
        Some(Place::Points(_) | Place::Distances(_)) => {
            format!("Run of {models} at {amplitude_ma} mA")
        }
        Some(Place::Nerve { nerve, .. }) => {
            format!(
                "Run of {models} in nerve {} at {amplitude_ma} mA",
                nerve.name()
            )
        }
    };
    let subtitle = words::stimulus(plan);
    let electrodes = words::electrodes(plan);
    let strips = strips(plan, &cases, &grid, amplitude_ma, &t_ms)?;
    if few {
        let trace = |drawn: Drawn<'_>| -> Result<FiberTrace, CliError> {
            let nodes = drawn.z_um.len();
            Ok(FiberTrace {
                label: drawn.planned.name.replace(" um", " µm"),
                v_mv: drawn.recording.v_mv,
                z_um: drawn.z_um,
                start: drawn.start,
                detection: drawn.case.detection.nodes(nodes)?,
            })
        };
        return Ok(Box::new(RunPlot {
            title,
            subtitle,
            t_ms,
            fibers: drawn.into_iter().map(trace).collect::<Result<_, _>>()?,
            strips,
            electrodes,
        }));
    }
    let diameter = |drawn: &Drawn<'_>| drawn.planned.member.diameter_um;
    drawn.sort_by(|a, b| diameter(a).total_cmp(&diameter(b)));
    let ends = drawn.iter().flat_map(|fiber| fiber.z_um.iter());
    let (lo, hi) = ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), z| {
        (lo.min(*z), hi.max(*z))
    });
    // Near electrodes fibers differ in their diameter alone.
    let numbered = matches!(plan.place, Some(Place::Nerve { .. } | Place::Basis(_)));
    let row = |drawn: Drawn<'_>| {
        let sites = drawn.recording.v_mv.len() / drawn.recording.t_ms.len().max(1);
        let instants = drawn.recording.v_mv.chunks(sites.max(1));
        let member = &drawn.planned.member;
        RunRow {
            label: match numbered {
                true => member.fiber.to_string(),
                // Without the digits that a division of a range leaves.
                false => ((member.diameter_um * 1e3).round() * 1e-3)
                    .to_string()
                    .chars()
                    .take(6)
                    .collect(),
            },
            group: match numbered {
                true => format!("{} µm", member.diameter_um),
                false => String::new(),
            },
            v_mv: instants
                .map(|nodes| nodes.iter().copied().fold(f64::NEG_INFINITY, f64::max))
                .collect(),
            start_mm: drawn.start.map(|(node, _)| 1e-3 * drawn.z_um[node]),
        }
    };
    Ok(Box::new(RunsPlot {
        title,
        subtitle,
        t_ms,
        rows: match numbered {
            true => "fiber".to_owned(),
            false => "fiber diameter (µm)".to_owned(),
        },
        fibers: drawn.into_iter().map(row).collect(),
        z_mm: (1e-3 * lo, 1e-3 * hi),
        strips,
        electrodes,
    }))
}

/// Runs cases and records them, batch by batch; fibers that diverge are left out.
fn recorded<'p>(
    plan: &'p Plan,
    cases: &[(usize, &'p Case)],
    amplitude_ma: f64,
    recorder: &ObserverSpec,
) -> Result<Vec<Drawn<'p>>, CliError> {
    let mut drawn = Vec::with_capacity(cases.len());
    for group in axonml::study::groups(cases.iter().copied()) {
        let most = axonml::study::most_at_once(&group);
        for batch in group.chunks(most) {
            let Some((cases, batch)) = Batch::settled(batch.to_vec(), &mut |_, _| ())? else {
                continue;
            };
            let simulation = &batch.simulation;
            let DetectedRun {
                outcome, starts, ..
            } = simulation.run_detected(
                &batch.stimulus,
                amplitude_ma,
                &cases[0].1.detection,
                std::slice::from_ref(recorder),
            )?;
            let fibers = outcome.fibers.into_iter().zip(starts).zip(&cases);
            for (position, ((fiber, start), (index, case))) in fibers.enumerate() {
                if simulation.divergence(position, fiber.status).is_some() {
                    continue;
                }
                let recording = fiber.observations.into_iter().find_map(|seen| match seen {
                    Observation::Recorded(recording) => Some(recording),
                    _ => None,
                });
                let Some(recording) = recording else { continue };
                drawn.push(Drawn {
                    planned: &plan.cases[*index],
                    case,
                    recording,
                    z_um: simulation.nodes_um(position),
                    start: start.map(|(start, _)| (start.node, start.time_ms)),
                });
            }
        }
    }
    Ok(drawn)
}

/// Stimulus and currents from each recorded instant on: the stimulus of the first fiber, and the current injected into each node.
fn strips(
    plan: &Plan,
    cases: &[(usize, &Case)],
    grid: &TimeGrid,
    amplitude_ma: f64,
    t_ms: &[f64],
) -> Result<Vec<Strip>, CliError> {
    let mut strips = Vec::new();
    let Some((_, first)) = cases.first() else {
        return Ok(strips);
    };
    let several = first.sources.len() > 1;
    let mut space_time = false;
    for (index, source) in first.sources.iter().enumerate() {
        let CaseSource::Field(_, waveform) = source else {
            space_time = true;
            continue;
        };
        let unit = match &plan.place {
            Some(Place::Basis(_)) => "multiple of the basis",
            _ => "mA",
        };
        let which = plan
            .study
            .sources
            .get(index)
            .and_then(|of| of.contact.or(of.point));
        let which = which.filter(|_| several).map(|number| format!(" {number}"));
        let steps = waveform.sample(grid)?;
        strips.push(Strip {
            label: format!("stimulus{} ({unit})", which.unwrap_or_default()),
            values: steps.iter().map(|x| amplitude_ma * x).collect(),
        });
    }
    if space_time {
        let values = cases.iter().filter_map(|(_, case)| largest_mv(case));
        let size = |values: &Vec<f64>| values.iter().fold(0.0, |a: f64, x| a.max(x.abs()));
        let most = values.max_by(|a, b| size(a).total_cmp(&size(b)));
        strips.extend(most.map(|values| Strip {
            label: "extracellular potential where it is largest (mV)".to_owned(),
            values: values.iter().map(|x| amplitude_ma * x).collect(),
        }));
    }
    let mut by_node: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
    for injection in first.injections.iter() {
        let sum = by_node
            .entry(injection.node)
            .or_insert_with(|| vec![0.0; grid.steps()]);
        for (sum, x) in sum.iter_mut().zip(injection.waveform.sample(grid)?) {
            *sum += injection.amp_na.unwrap_or_default() * x;
        }
    }
    strips.extend(by_node.into_iter().map(|(node, values)| Strip {
        label: format!("current injected into node {node} (nA)"),
        values,
    }));
    let last = grid.steps() - 1;
    let at = |t: &f64| ((t / grid.dt_ms()).round() as usize).min(last);
    for strip in &mut strips {
        strip.values = t_ms.iter().map(|t| strip.values[at(t)]).collect();
    }
    Ok(strips)
}

/// The potential over time at the sample point of a space-time field where its size is largest, mV.
fn largest_mv(case: &Case) -> Option<Vec<f64>> {
    let CaseSource::SpaceTime {
        ve_mv,
        shape: (_, samples),
    } = case.sources.first()?
    else {
        return None;
    };
    let (at, _) = ve_mv
        .iter()
        .enumerate()
        .max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()))?;
    let of_sample = ve_mv.iter().skip(at % samples).step_by(*samples);
    Some(of_sample.copied().collect())
}
