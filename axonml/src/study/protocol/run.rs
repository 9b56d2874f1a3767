//! Runs at one amplitude: spikes, largest voltages, recordings.

use std::collections::BTreeSet;
use std::sync::Arc;

use axonml_core::{TimeGrid, names};
use axonml_models::memory::recording_bytes;
use axonml_models::{
    Crossing, DetectedRun, NodeSelection, Observation, ObserverKind, ObserverSpec, Recording,
    Schema,
};
use ndarray::{Array1, Array2, Array3};
use serde_json::{Value, json};

use super::{Question, failed_row};
use crate::study::StudyError;
use crate::study::answer::{Answer, FiberRecording};
use crate::study::batch::{Batch, of_one};
use crate::study::case::Case;
use crate::study::plan::{Plan, Request};
use crate::study::report::{Cell, NpzArchive, Results, Statuses, counted};
use crate::study::spec::{InjectionSpec, RecordSpec, RunProtocol, Study, check};

/// Status of a fiber whose first action potential began at an end of the simulated piece.
const END_EXCITATION: &str = "end_excitation";

const COLUMNS: [&str; 11] = [
    "active_nodes",
    "first_node",
    "first_ms",
    "detected_spikes",
    "first_detected_ms",
    "start_node",
    "start_um",
    "start_ms",
    "v_max_mV",
    "status",
    "message",
];

impl RunProtocol {
    /// Amplitude, mA.
    pub fn amplitude_ma(&self) -> f64 {
        self.amplitude_ma.unwrap_or(1.0)
    }

    /// The recorded states of a model.
    fn states(&self, schema: &Schema) -> Vec<String> {
        let Some(record) = &self.record else {
            return Vec::new();
        };
        if record.states.iter().any(|state| state == "all") {
            return schema
                .states
                .iter()
                .map(|state| state.to_string())
                .collect();
        }
        // The voltage is always recorded.
        let states = record.states.iter().filter(|state| *state != "v");
        states.cloned().collect()
    }

    /// The recorder of a case, if anything is recorded.
    fn recorder(&self, case: &Case) -> Option<ObserverSpec> {
        let record = self.record.as_ref()?;
        let nodes = match &record.nodes {
            None => NodeSelection::All,
            Some(nodes) => NodeSelection::Nodes(nodes.clone()),
        };
        let kind = ObserverKind::Recorder {
            states: self.states(&case.model.schema()),
            every: record.every.unwrap_or(1),
        };
        Some(ObserverSpec::new(kind, nodes))
    }

    /// Refuses recordings of states, steps or nodes that there are not, and those that do not fit into memory.
    fn check_recording(&self, plan: &Plan) -> Result<(), StudyError> {
        let Some(record) = &self.record else {
            return Ok(());
        };
        let mut bytes = 0_u128;
        for (_, case) in plan.cases() {
            let schema = case.model.schema();
            let states = self.states(&schema);
            check_states(&states, record, &schema)?;
            let grid = TimeGrid::new(case.dt_ms, case.tstop_ms)?;
            let every = record.every.unwrap_or(1);
            if every == 0 || every > grid.steps() {
                let steps = grid.steps();
                return Err(StudyError::request(format!(
                    "every: found {every}, expected 1 to {steps}, as the run has {steps} steps"
                ))
                .help("lower --every, or raise --tstop"));
            }
            let nodes = case.fiber.nodes;
            if let Some(list) = &record.nodes {
                if list.is_empty() {
                    return Err(check::empty("record: nodes", "nodes"));
                }
                NodeSelection::Nodes(list.clone()).resolve(nodes).map_err(|node| {
                    StudyError::request(format!(
                        "record_nodes: found `{node}`, expected 0 to {} or -{nodes} to -1, as fibers have {nodes} nodes",
                        nodes - 1
                    ))
                })?;
            }
            let columns = record.nodes.as_ref().map_or(nodes, Vec::len);
            let rows = grid.steps() / every + 1;
            bytes = bytes.saturating_add(recording_bytes(1, rows, columns, 1 + states.len()));
        }
        let machine = plan.models.first().map(|(_, setup)| &setup.machine);
        machine.map_or(Ok(()), |machine| {
            machine.memory.check("the recording", bytes).map_err(|error| {
                StudyError::request(error).help(
                    "record fewer rows with --every, fewer nodes with --record-nodes, or fewer fibers, or allow more with \
                     --max-memory GB",
                )
            })
        })
    }
}

fn check_states(states: &[String], record: &RecordSpec, schema: &Schema) -> Result<(), StudyError> {
    if let Some(unknown) = states
        .iter()
        .find(|&state| schema.states.iter().all(|known| known != state))
    {
        let hint = names::nearest(unknown, schema.states.iter().map(|name| &**name))
            .map(|nearest| format!(" (did you mean `{nearest}`?)"))
            .unwrap_or_default();
        return Err(StudyError::request(format!(
            "record: found `{unknown}`{hint}, expected states of model `{}`: {}",
            schema.id,
            schema.states.join(", ")
        )));
    }
    let mut listed = record.states.iter().enumerate();
    match listed.find(|(index, state)| record.states[..*index].contains(state)) {
        None => Ok(()),
        Some((_, twice)) => Err(StudyError::request(format!(
            "record: found `{twice}` twice, expected it once"
        ))
        .help("name every state once, or give --record all")),
    }
}

/// Outcome of a fiber's run.
#[derive(Default)]
struct Ran {
    status: &'static str,
    message: String,
    /// Upward crossings, in order of time.
    spikes: Vec<Crossing>,
    start: Option<(usize, f64, f64)>,
    z_um: Vec<f64>,
    v_max_mv: Option<f64>,
    recording: Option<Recording>,
}

impl Ran {
    fn completed(&self) -> bool {
        self.status != "diverged"
    }

    fn answer(self, case: &Case) -> Answer {
        let watched = case.detection.nodes(self.z_um.len()).unwrap_or_default();
        let detected = self
            .spikes
            .iter()
            .find(|spike| watched.contains(&spike.node));
        let at = |node: &usize| {
            self.spikes
                .iter()
                .filter(|spike| spike.node == *node)
                .count()
        };
        let most = watched.iter().map(at).max().unwrap_or(0);
        let active: BTreeSet<usize> = self.spikes.iter().map(|spike| spike.node).collect();
        let first = self.spikes.first();
        // A fiber that was not simulated to the end has no counts.
        let count = |n: usize| match self.completed() {
            true => Cell::integer(n),
            false => Cell::Missing,
        };
        let start = self.start;
        let row = vec![
            count(active.len()),
            first.map_or(Cell::Missing, |spike| Cell::integer(spike.node)),
            Cell::maybe(first.map(|spike| spike.time_ms)),
            count(most),
            Cell::maybe(detected.map(|spike| spike.time_ms)),
            start.map_or(Cell::Missing, |(node, _, _)| Cell::integer(node)),
            Cell::maybe(start.map(|(_, z_um, _)| z_um)),
            Cell::maybe(start.map(|(_, _, ms)| ms)),
            Cell::maybe(self.v_max_mv),
            Cell::text(self.status),
            Cell::text(self.message.clone()),
        ];
        let spikes = self.spikes.iter().map(|spike| {
            vec![
                Cell::integer(spike.node),
                Cell::Number(self.z_um[spike.node]),
                Cell::Number(spike.time_ms),
            ]
        });
        Answer {
            rows: vec![row],
            further: vec![spikes.collect()],
            recording: self.recording.map(|recording| {
                Arc::new(FiberRecording {
                    recording,
                    z_um: self.z_um,
                })
            }),
        }
    }
}

impl Question for RunProtocol {
    fn check(&self, study: &Study) -> Result<(), StudyError> {
        if let Some(amplitude) = self.amplitude_ma {
            if !amplitude.is_finite() {
                return Err(StudyError::request(format!(
                    "amplitude_mA: found {amplitude}, expected a finite number"
                )));
            }
            if !study.field.flows() && study.conditions.is_none() {
                return Err(StudyError::request(
                    "amplitude_mA has no effect: there is no extracellular field",
                )
                .help("give --point, --nerve or --basis, or leave it out"));
            }
        }
        match study.injections.iter().any(|spec| spec.amp_na.is_none()) {
            true => Err(StudyError::request(
                "inject: found no amp_nA, expected one: nothing is looked for in a run",
            )),
            false => Ok(()),
        }
    }

    fn describe(&self, study: &Study, request: &mut Request) {
        if study.field.flows() {
            request.put("amplitude_mA", self.amplitude_ma());
        }
    }

    fn arrange(&self, plan: &mut Plan) -> Result<(), StudyError> {
        // Recordings have their times in common.
        let longest_ms = plan
            .cases()
            .map(|(_, case)| case.tstop_ms)
            .fold(0.0, f64::max);
        let cases = plan.cases.iter_mut();
        for case in cases.filter_map(|planned| planned.case.as_mut().ok()) {
            case.tstop_ms = longest_ms;
        }
        if let Some(record) = &self.record {
            let states = plan
                .models
                .first()
                .map(|(model, _)| self.states(&model.schema()));
            plan.request.put("record", states.unwrap_or_default());
            plan.request.put("every", record.every.unwrap_or(1));
            plan.request.put("record_nodes", json!(record.nodes));
        }
        self.check_recording(plan)
    }

    fn columns(&self, _plan: &Plan) -> Vec<String> {
        COLUMNS.map(str::to_owned).to_vec()
    }

    fn further(&self) -> &'static [(&'static str, &'static [&'static str])] {
        &[("spikes", &["node", "z_um", "t_ms"])]
    }

    fn answer(
        &self,
        _plan: &Plan,
        cases: Vec<(usize, &Case)>,
        _progress: &mut dyn FnMut(f64),
    ) -> Result<Vec<(usize, Answer)>, StudyError> {
        let mut answers = Vec::with_capacity(cases.len());
        let mut diverged = |index: usize, error: StudyError| {
            answers.push((index, failed_row(COLUMNS.len(), "diverged", &error)));
        };
        let ready = Batch::settled(cases, &mut diverged)?;
        let Some((cases, batch)) = ready else {
            return Ok(answers);
        };
        let maximum = ObserverSpec::new(ObserverKind::Maximum, NodeSelection::All);
        let mut observers = vec![maximum];
        observers.extend(self.recorder(cases[0].1));
        let simulation = &batch.simulation;
        let detection = &cases[0].1.detection;
        let DetectedRun {
            outcome,
            crossings,
            starts,
        } = simulation.run_detected(&batch.stimulus, self.amplitude_ma(), detection, &observers)?;
        let fibers = outcome.fibers.into_iter().zip(starts).zip(crossings);
        for (position, (((fiber, start), spikes), (index, case))) in fibers.zip(&cases).enumerate()
        {
            let mut ran = Ran {
                status: match start {
                    Some((_, true)) => END_EXCITATION,
                    _ => "ok",
                },
                start: start.map(|(start, _)| (start.node, start.z_um, start.time_ms)),
                z_um: simulation.nodes_um(position),
                ..Ran::default()
            };
            if let Some(error) = simulation.divergence(position, fiber.status) {
                ran.status = "diverged";
                ran.message = of_one(error).message();
            }
            // Crossings on the way to divergence are no action potentials.
            if ran.completed() {
                ran.spikes = spikes;
            }
            for observation in fiber.observations {
                match observation {
                    Observation::Maximum(v) if ran.completed() => {
                        ran.v_max_mv = v.into_iter().reduce(f64::max);
                    }
                    Observation::Recorded(recording) if ran.completed() => {
                        ran.recording = Some(recording);
                    }
                    _ => {}
                }
            }
            answers.push((*index, ran.answer(case)));
        }
        Ok(answers)
    }

    fn failed(&self, _plan: &Plan, status: &str, error: &StudyError) -> Answer {
        failed_row(COLUMNS.len(), status, error)
    }

    fn finish(&self, _plan: &Plan, results: &mut Results) -> Result<(), StudyError> {
        let statuses = Statuses::of(&results.table);
        let starts = results.table.numbers("start_node");
        let detected = starts.iter().flatten().count();
        let n = results.table.rows.len();
        let spikes = results
            .further("spikes")
            .map_or(0, |table| table.rows.len());
        results.csv = Some("spikes");
        results.summary.insert("n".into(), json!(n));
        results.summary.insert("detected".into(), json!(detected));
        results.summary.insert("spikes".into(), json!(spikes));
        results.words.push(format!(
            "{}: action potentials reach the detection nodes of {detected}",
            counted(n, "fiber")
        ));
        results.words.extend(statuses.end_excitation());
        statuses.insert(&mut results.summary);
        Ok(())
    }
}

impl Study {
    /// The current that is injected where a run has neither field nor current, so that something happens.
    pub fn default_injection() -> InjectionSpec {
        InjectionSpec {
            amp_na: Some(InjectionSpec::AMP_NA),
            ..InjectionSpec::default()
        }
    }
}

/// The recordings of a run as an archive: `t_ms`, `v_mV` (time, fiber, node), one array per state, `z_um`, `diameter_um`,
/// `fiber`, `node`, with request and summary.
///
/// # Errors
/// [`StudyError`] if the study is no run that records, or the archive cannot be made.
pub fn recordings_npz(
    plan: &Plan,
    answers: &[Option<Answer>],
    results: &Results,
) -> Result<Vec<u8>, StudyError> {
    let crate::study::spec::Protocol::Run(protocol) = &plan.study.protocol else {
        return Err(StudyError::request("the study is no run"));
    };
    let recorded: Vec<(&FiberRecording, &super::PlannedCase)> = answers
        .iter()
        .zip(&plan.cases)
        .filter_map(|(answer, planned)| Some((&**answer.as_ref()?.recording.as_ref()?, planned)))
        .collect();
    let (t_ms, nodes) = match recorded.first() {
        Some((first, _)) => (first.recording.t_ms.clone(), first.recording.nodes.clone()),
        None => (Vec::new(), Vec::new()),
    };
    let (times, fibers, columns) = (t_ms.len(), recorded.len(), nodes.len());
    let interleaved = |values: &dyn Fn(&Recording) -> &[f64]| {
        let of_fiber: Vec<&[f64]> = recorded
            .iter()
            .map(|(recorded, _)| values(&recorded.recording))
            .collect();
        Array3::from_shape_fn((times, fibers, columns), |(t, fiber, node)| {
            of_fiber[fiber][t * columns + node]
        })
    };
    let mut npz = NpzArchive::new();
    npz.add("t_ms", &Array1::from(t_ms))?;
    npz.add("v_mV", &interleaved(&|recording| &recording.v_mv))?;
    let schema = plan.models.first().map(|(model, _)| model.schema());
    let states = schema.map(|schema| protocol.states(&schema));
    for (index, state) in states.unwrap_or_default().iter().enumerate() {
        npz.add(state, &interleaved(&|recording| &recording.states[index]))?;
    }
    let z = |(fiber, column): (usize, usize)| recorded[fiber].0.z_um[nodes[column]];
    npz.add("z_um", &Array2::from_shape_fn((fibers, columns), z))?;
    let members = || recorded.iter().map(|(_, planned)| &planned.member);
    npz.add(
        "diameter_um",
        &members()
            .map(|member| member.diameter_um)
            .collect::<Array1<f64>>(),
    )?;
    npz.add(
        "fiber",
        &members()
            .map(|member| member.fiber as i64)
            .collect::<Array1<i64>>(),
    )?;
    npz.add(
        "node",
        &nodes
            .iter()
            .map(|node| *node as i64)
            .collect::<Array1<i64>>(),
    )?;
    npz.finish(&results.request, &Value::Object(results.summary.clone()))
}
