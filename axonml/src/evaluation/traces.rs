//! A model under the stimulus of recorded traces, and how far its voltages are from theirs.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use axonml_core::error::short;
use axonml_core::{Extension, Interpolation, SampledLine, Waveform};
use axonml_models::provenance::file_sha256;
use axonml_models::{
    Fiber, Model, NodeSelection, Npz, Observation, ObserverKind, ObserverSpec, Response,
    ResponseDifference,
};
use ndarray::{Array1, Array2, ArrayD, Axis, Ix0};
use serde_json::{Map, Value, json};

use super::groups::spread;
use crate::study::{
    Batch, Case, CaseSource, Cell, FiberGroup, InjectionSpec, Listener, Request, Results, Setup,
    Study, StudyError, Table, counted, injections, of_one, placed_injections, refused,
    warn_of_doubts,
};

/// One file of traces.
struct Trace {
    name: String,
    case: Case,
    amplitude_ma: f64,
    t_ms: Vec<f64>,
    /// `[row, node]` flattened.
    v_mv: Vec<f64>,
}

/// Files of recorded traces, and the model that is to run under their stimuli.
pub struct Traces {
    model: Model,
    setup: Arc<Setup>,
    paths: Vec<PathBuf>,
    traces: Vec<Trace>,
}

/// Arrays that the files must hold.
const EXPECTED: &str = "expected an archive with v (times, nodes) in mV, t_ms (times), w_eff (times - 1), \
     ve_sections_per_mA and sec_z_um (samples), amp_mA, diameter_um, dt_ms; `axonml help traces` tells more";

impl Traces {
    /// Reads files; the model, its numbers, detection and injected currents are those of `study`.
    ///
    /// # Errors
    /// [`StudyError`] for files that cannot be read, and cases that cannot be computed.
    pub fn read(paths: &[PathBuf], study: &Study, setup: &Arc<Setup>) -> Result<Self, StudyError> {
        let default = FiberGroup::default();
        let study = &study.with_models_read()?;
        let group = study.fibers.first().unwrap_or(&default);
        let model = study.model_of(group)?;
        let read = |path: &PathBuf| {
            Trace::read(path, model.clone(), group, study, setup)
                .map_err(|error| error.at(path.display()))
        };
        let traces: Vec<Trace> = paths.iter().map(read).collect::<Result<_, _>>()?;
        let cases = traces.iter().map(|trace| &trace.case).enumerate();
        let errors: Vec<StudyError> = refused(cases)
            .into_iter()
            .map(|(index, error)| error.at(&traces[index].name))
            .collect();
        match StudyError::of_many(&errors) {
            Some(error) => Err(error),
            None => Ok(Traces {
                model,
                setup: setup.clone(),
                paths: paths.to_vec(),
                traces,
            }),
        }
    }

    /// Runs the model under each stimulus and compares.
    ///
    /// # Errors
    /// [`StudyError`] if a run fails otherwise than by diverging.
    pub fn compare(&self, listener: &mut dyn Listener) -> Result<Results, StudyError> {
        let started = Instant::now();
        self.setup
            .weights
            .check_used(std::slice::from_ref(&self.model))?;
        warn_of_doubts(self.traces.iter().map(|trace| &trace.case), listener);
        let mut request = Request::new("evaluate", &[(self.model.clone(), self.setup.clone())])?;
        let names = self.traces.iter().map(|trace| trace.name.clone());
        request.put("traces", names.collect::<Vec<_>>());
        request.put("traces_sha256", hashes(&self.paths)?);
        request.put_cases(self.traces.iter().map(|trace| &trace.case));
        let mut table = Table {
            columns: [
                "traces",
                "model",
                "diameter_um",
                "amplitude_mA",
                "trace_rms_mV",
                "trace_max_mV",
                "arrival_ms",
                "reference_arrival_ms",
                "arrival_error_ms",
                "spike_time_rms_ms",
                "nodes_differing",
                "status",
                "message",
            ]
            .map(str::to_owned)
            .to_vec(),
            rows: Vec::new(),
        };
        let (mut rms, mut arrivals) = (Vec::new(), Vec::new());
        for trace in &self.traces {
            let (cells, difference) = trace.compare()?;
            table.rows.push(cells);
            rms.extend(difference.map(|d| d.v_rms_mv));
            arrivals.extend(difference.and_then(|d| d.arrival_ms));
        }
        let seconds = started.elapsed().as_secs_f64();
        let mut summary = Map::new();
        summary.insert("n".into(), json!(rms.len()));
        summary.insert("trace_rms_mV".into(), spread(&rms));
        summary.insert("arrival_error_ms".into(), spread(&arrivals));
        summary.insert("seconds".into(), json!(seconds));
        let number = |value: Value| value.as_f64().unwrap_or(f64::NAN);
        let words = format!(
            "{} in {seconds:.2} s: voltages differ by {:.3e} mV (rms, mean), at most {:.3e} mV in one",
            counted(self.traces.len(), "recording"),
            number(spread(&rms)["mean"].clone()),
            number(spread(&rms)["max_abs"].clone()),
        );
        Ok(Results {
            request: request.value(),
            table,
            summary,
            words: vec![words],
            ..Results::default()
        })
    }
}

impl Trace {
    fn read(
        path: &Path,
        model: Model,
        group: &FiberGroup,
        study: &Study,
        setup: &Arc<Setup>,
    ) -> Result<Self, StudyError> {
        let file = File::open(path)
            .map_err(|error| StudyError::request(error).help("name an existing .npz file"))?;
        let mut archive =
            Archive(Npz::open(file).map_err(|error| StudyError::request(error).help(EXPECTED))?);
        let v: Array2<f64> = archive
            .floats("v")?
            .into_dimensionality()
            .map_err(shape("v"))?;
        let t_ms = archive.line("t_ms")?;
        let waveform = archive.line("w_eff")?;
        let potentials = archive.line("ve_sections_per_mA")?;
        let z_um = archive.line("sec_z_um")?;
        let diameter_um = archive.number("diameter_um")?;
        let dt_ms = archive.number("dt_ms")?;
        let amplitude_ma = archive.number("amp_mA")?;
        let clamps = match archive.0.has("iclamp_node_amp_nA_delay_ms_dur_ms") {
            true => archive.floats("iclamp_node_amp_nA_delay_ms_dur_ms")?,
            false => ArrayD::zeros(vec![0, 4]),
        };
        let (rows, nodes) = v.dim();
        let steps = rows.saturating_sub(1);
        for (name, found, expected) in [
            ("t_ms", t_ms.len(), rows),
            ("w_eff", waveform.len(), steps),
            ("sec_z_um", z_um.len(), potentials.len()),
        ] {
            if found != expected || rows < 2 {
                return Err(StudyError::request(format!(
                    "{name}: found {found} numbers, expected {expected}, as v is {rows} times by {nodes} nodes"
                ))
                .help(EXPECTED));
            }
        }
        let v_mv: Vec<f64> = v.iter().copied().collect();
        if v_mv.iter().chain(&t_ms).any(|x| !x.is_finite()) {
            return Err(StudyError::request(
                "v and t_ms: found a number that is not finite",
            ));
        }
        let numerics = &study.numerics;
        let own = [
            (
                "dt_ms",
                numerics.dt_ms.is_some_and(|dt| (dt - dt_ms).abs() > 1e-9),
            ),
            ("nodes", group.nodes.is_some_and(|n| n != nodes)),
            ("tstop_ms", numerics.tstop_ms.is_some()),
        ];
        if let Some((key, _)) = own.iter().find(|(_, given)| *given) {
            return Err(StudyError::request(format!(
                "{key}: traces have their own, {} ms, {nodes} nodes and {} ms",
                short(dt_ms),
                short(t_ms[rows - 1])
            ))
            .help("leave it out"));
        }
        let (first, last) = (z_um.first().copied(), z_um.last().copied());
        let middle_um = first.zip(last).map_or(0.0, |(a, b)| 0.5 * (a + b));
        let field = SampledLine::new(
            z_um,
            potentials,
            Interpolation::default(),
            // Back to the fiber's coordinate, whose zero is its middle node.
            -middle_um,
            Extension::Refuse,
        )?;
        let mut all = study.clone();
        for spec in &mut all.injections {
            spec.amp_na.get_or_insert(InjectionSpec::AMP_NA);
        }
        for clamp in clamps.axis_iter(Axis(0)) {
            let clamp: Vec<f64> = clamp.iter().copied().collect();
            let &[node, amp_na, delay_ms, pw_ms] = clamp.as_slice() else {
                return Err(shape("iclamp_node_amp_nA_delay_ms_dur_ms")(
                    &"not (count, 4)",
                ));
            };
            all.injections.push(InjectionSpec {
                node: Some(node as i64),
                at: None,
                amp_na: Some(amp_na),
                pw_ms,
                delay_ms,
            });
        }
        let injections = Arc::new(injections(&all)?);
        let waveform = Waveform::from_samples(dt_ms, waveform)?;
        Ok(Trace {
            name: path.display().to_string(),
            case: Case {
                model,
                setup: setup.clone(),
                fiber: Fiber::new(diameter_um, nodes),
                length_um: None,
                celsius: setup.celsius,
                dt_ms,
                tstop_ms: steps as f64 * dt_ms,
                detection: study.detection.detection(),
                sources: vec![CaseSource::Field(Arc::new(field), Arc::new(waveform))],
                source_distance_um: None,
                injections: placed_injections(&injections, nodes),
            },
            amplitude_ma,
            t_ms,
            v_mv,
        })
    }

    /// Runs the model; the cells of the table and the differences, if it ran to the end.
    fn compare(&self) -> Result<(Vec<Cell>, Option<ResponseDifference>), StudyError> {
        let case = &self.case;
        let nodes = case.fiber.nodes;
        let (level_mv, after_ms) = (case.detection.threshold_mv, case.detection.after_ms);
        let theirs = Response::new(&self.t_ms, self.v_mv.clone(), nodes, level_mv, after_ms);
        let detect = case.detection.nodes(nodes)?;
        let (mut ours, mut difference, mut message) = (None, None, String::new());
        match self.run()? {
            Ok(response) => {
                difference = Some(response.difference(&theirs, &detect));
                ours = response.arrival_ms(&detect);
            }
            Err(why) => message = why,
        }
        let cells = vec![
            Cell::text(self.name.clone()),
            Cell::text(case.model.schema().id),
            Cell::Number(case.fiber.diameter_um),
            Cell::Number(self.amplitude_ma),
            Cell::maybe(difference.map(|d| d.v_rms_mv)),
            Cell::maybe(difference.map(|d| d.v_max_mv)),
            Cell::maybe(ours),
            Cell::maybe(theirs.arrival_ms(&detect)),
            Cell::maybe(difference.and_then(|d| d.arrival_ms)),
            Cell::maybe(difference.and_then(|d| d.spike_time_rms_ms)),
            difference.map_or(Cell::Missing, |d| Cell::integer(d.nodes_differing)),
            Cell::text(if difference.is_some() {
                "ok"
            } else {
                "diverged"
            }),
            Cell::text(message),
        ];
        Ok((cells, difference))
    }

    /// The model's response, or why there is none.
    fn run(&self) -> Result<Result<Response, String>, StudyError> {
        let mut why = String::new();
        let mut diverged = |_, error: StudyError| why = error.message();
        let ready = Batch::settled(vec![(0, &self.case)], &mut diverged)?;
        let Some((_, batch)) = ready else {
            return Ok(Err(why));
        };
        self.case.detection.nodes_in(batch.simulation.cable(0))?;
        let kind = ObserverKind::Recorder {
            states: Vec::new(),
            every: 1,
        };
        let recorder = ObserverSpec::new(kind, NodeSelection::All);
        let mut outcome = batch
            .simulation
            .run(&batch.stimulus, self.amplitude_ma, &[recorder])?;
        let Some(mut fiber) = outcome.fibers.pop() else {
            return Ok(Err("nothing was simulated".to_owned()));
        };
        if let Some(error) = batch.simulation.divergence(0, fiber.status) {
            return Ok(Err(of_one(error).message()));
        }
        Ok(match fiber.observations.pop() {
            Some(Observation::Recorded(recording)) => Ok(Response::of_recording(
                recording,
                self.case.detection.threshold_mv,
                self.case.detection.after_ms,
            )),
            _ => Err("nothing was recorded".to_owned()),
        })
    }
}

/// Hashes of files.
pub(super) fn hashes(paths: &[PathBuf]) -> Result<Vec<String>, StudyError> {
    let hash = |path: &PathBuf| {
        file_sha256(path).map_err(|error| StudyError::request(error).at(path.display()))
    };
    paths.iter().map(hash).collect()
}

/// An archive of arrays of any type of number.
struct Archive(Npz<File>);

impl Archive {
    fn floats(&mut self, name: &str) -> Result<ArrayD<f64>, StudyError> {
        match self.0.numbers(name) {
            Ok(Some(array)) => Ok(array),
            Ok(None) => Err(StudyError::request(format!("found no array `{name}`")).help(EXPECTED)),
            Err(error) => Err(StudyError::request(format!(
                "array `{name}`: found {error}, expected a complete array of numbers"
            ))
            .help(EXPECTED)),
        }
    }

    fn line(&mut self, name: &str) -> Result<Vec<f64>, StudyError> {
        let array: Array1<f64> = self
            .floats(name)?
            .into_dimensionality()
            .map_err(shape(name))?;
        Ok(array.to_vec())
    }

    fn number(&mut self, name: &str) -> Result<f64, StudyError> {
        let array = self.floats(name)?.into_dimensionality::<Ix0>();
        Ok(array.map_err(shape(name))?.into_scalar())
    }
}

/// The error for an array of another shape.
fn shape<E: std::fmt::Display>(name: &str) -> impl Fn(E) -> StudyError {
    let name = name.to_owned();
    move |error| StudyError::request(format!("array `{name}`: {error}")).help(EXPECTED)
}
