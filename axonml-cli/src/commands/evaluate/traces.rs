//! A model under the stimulus of recorded traces, and how far its voltages are from theirs.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use axonml::Waveform;
use axonml::error::short;
use axonml::field::{Extension, Interpolation, SampledLine};
use axonml::simulation::Response;
use axonml::study::{
    Batch, Case, CaseInjection, CaseSource, Cell, InjectionSpec, Request, Results, Setup,
    StudyError, Table, counted, of_one, refused, warn_of_doubts,
};
use axonml::table::Npz;
use axonml::{Fiber, NodeSelection, Observation, ObserverKind, ObserverSpec};
use ndarray::{Array1, Array2, ArrayD, Axis, Ix0};
use serde_json::{Map, Value, json};

use super::groups::spread;
use super::traces_sha256;
use crate::args::{EvaluateArgs, Injection};
use crate::error::CliError;
use crate::messages::{Messages, StudyListener};

/// One file of traces.
struct Trace {
    name: String,
    job: Case,
    amplitude_ma: f64,
    t_ms: Vec<f64>,
    /// `[row, node]` flattened.
    v_mv: Vec<f64>,
}

/// All files.
pub(super) struct Traces(Vec<Trace>);

/// Arrays that the files must hold.
const EXPECTED: &str = "expected an archive with v (times, nodes) in mV, t_ms (times), w_eff (times - 1), \
     ve_sections_per_mA and sec_z_um (samples), amp_mA, diameter_um, dt_ms; `axonml help traces` tells more";

impl Traces {
    /// Reads the files.
    pub(super) fn read(args: &EvaluateArgs, setup: &Arc<Setup>) -> Result<Self, CliError> {
        let read = |path: &std::path::PathBuf| {
            Trace::read(path, args, setup)
                .map_err(|error| error.at(format!("--traces {}", path.display())))
        };
        let traces: Vec<Trace> = args.traces.iter().map(read).collect::<Result<_, _>>()?;
        let jobs = traces.iter().map(|trace| &trace.job).enumerate();
        let errors: Vec<StudyError> = refused(jobs)
            .into_iter()
            .map(|(index, error)| error.at(&traces[index].name))
            .collect();
        StudyError::of_many(&errors).map_or(Ok(Traces(traces)), |error| Err(error.into()))
    }

    /// Runs the model under each stimulus and compares.
    pub(super) fn compare(
        &self,
        args: &EvaluateArgs,
        setup: &Arc<Setup>,
        messages: Messages,
    ) -> Result<Results, CliError> {
        let started = Instant::now();
        let flags = args;
        let model = flags.question.model.model()?;
        setup.weights.check_used(&[model])?;
        let mut listener = StudyListener::new(messages, "traces");
        warn_of_doubts(self.0.iter().map(|trace| &trace.job), &mut listener);
        let mut request = Request::new("evaluate", &[(model, setup.clone())])?;
        request.put(
            "traces",
            json!(self.0.iter().map(|t| t.name.clone()).collect::<Vec<_>>()),
        );
        request.put("traces_sha256", traces_sha256(&args.traces)?);
        request.put_cases(self.0.iter().map(|trace| &trace.job));
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
        for trace in &self.0 {
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
            counted(self.0.len(), "recording"),
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
    fn read(path: &Path, args: &EvaluateArgs, setup: &Arc<Setup>) -> Result<Self, CliError> {
        let flags = args;
        let file = File::open(path)
            .map_err(|error| CliError::request(error).help("name an existing .npz file"))?;
        let mut archive =
            Archive(Npz::open(file).map_err(|error| CliError::request(error).help(EXPECTED))?);
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
                return Err(CliError::request(format!(
                    "{name}: found {found} numbers, expected {expected}, as v is {rows} times by {nodes} nodes"
                ))
                .help(EXPECTED));
            }
        }
        let v_mv: Vec<f64> = v.iter().copied().collect();
        if v_mv.iter().chain(&t_ms).any(|x| !x.is_finite()) {
            return Err(CliError::request(
                "v and t_ms: found a number that is not finite",
            ));
        }
        for (flag, given) in [
            (
                "--dt",
                flags
                    .question
                    .numerics
                    .dt
                    .is_some_and(|dt| (dt - dt_ms).abs() > 1e-9),
            ),
            (
                "--nodes",
                flags.question.fiber.nodes.is_some_and(|n| n != nodes),
            ),
            ("--tstop", flags.question.numerics.tstop.is_some()),
        ] {
            if given {
                return Err(CliError::request(format!(
                    "{flag}: traces have their own, {} ms, {nodes} nodes and {} ms",
                    short(dt_ms),
                    short(t_ms[rows - 1])
                ))
                .help("leave it out"));
            }
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
        let mut currents = Vec::new();
        let mut inject = |at: &Injection| -> Result<(), CliError> {
            let spec = InjectionSpec {
                node: Some(at.node),
                at: None,
                amp_na: at.amp_na,
                pw_ms: at.pw_ms,
                delay_ms: at.delay_ms,
            };
            currents.push(CaseInjection {
                node: at.node,
                at: None,
                amp_na: Some(at.amp_na.unwrap_or(InjectionSpec::AMP_NA)),
                pw_ms: at.pw_ms,
                delay_ms: at.delay_ms,
                waveform: Arc::new(spec.waveform()?),
            });
            Ok(())
        };
        flags
            .question
            .injection
            .inject
            .iter()
            .try_for_each(&mut inject)?;
        for clamp in clamps.axis_iter(Axis(0)) {
            let clamp: Vec<f64> = clamp.iter().copied().collect();
            let &[node, amp_na, delay_ms, pw_ms] = clamp.as_slice() else {
                return Err(shape("iclamp_node_amp_nA_delay_ms_dur_ms")(
                    &"not (count, 4)",
                ));
            };
            inject(&Injection {
                node: node as i64,
                amp_na: Some(amp_na),
                pw_ms,
                delay_ms,
            })?;
        }
        let waveform = Waveform::from_samples(dt_ms, waveform)?;
        Ok(Trace {
            name: path.display().to_string(),
            job: Case {
                model: flags.question.model.model()?,
                setup: setup.clone(),
                fiber: Fiber::new(diameter_um, nodes),
                length_um: None,
                celsius: flags.question.model.temperature,
                dt_ms,
                tstop_ms: steps as f64 * dt_ms,
                detection: flags.question.detection.detection(),
                sources: vec![CaseSource::Field(Arc::new(field), Arc::new(waveform))],
                source_distance_um: None,
                injections: Arc::new(currents),
            },
            amplitude_ma,
            t_ms,
            v_mv,
        })
    }

    /// Runs the model; the cells of the table and the differences, if it ran to the end.
    fn compare(
        &self,
    ) -> Result<(Vec<Cell>, Option<axonml::simulation::ResponseDifference>), CliError> {
        let job = &self.job;
        let nodes = job.fiber.nodes;
        let (level_mv, after_ms) = (job.detection.threshold_mv, job.detection.after_ms);
        let theirs = Response::new(&self.t_ms, self.v_mv.clone(), nodes, level_mv, after_ms);
        let detect = job.detection.nodes(nodes)?;
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
            Cell::text(job.model.schema().id),
            Cell::Number(job.fiber.diameter_um),
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
    fn run(&self) -> Result<Result<Response, String>, CliError> {
        let mut why = String::new();
        let mut diverged = |_, error: StudyError| why = error.message();
        let ready = Batch::settled(vec![(0, &self.job)], &mut diverged)?;
        let Some((_, batch)) = ready else {
            return Ok(Err(why));
        };
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
                self.job.detection.threshold_mv,
                self.job.detection.after_ms,
            )),
            _ => Err("nothing was recorded".to_owned()),
        })
    }
}

/// An archive of arrays of any type of number.
struct Archive(Npz<File>);

impl Archive {
    fn floats(&mut self, name: &str) -> Result<ArrayD<f64>, CliError> {
        match self.0.numbers(name) {
            Ok(Some(array)) => Ok(array),
            Ok(None) => Err(CliError::request(format!("found no array `{name}`")).help(EXPECTED)),
            Err(error) => Err(CliError::request(format!(
                "array `{name}`: found {error}, expected a complete array of numbers"
            ))
            .help(EXPECTED)),
        }
    }

    fn line(&mut self, name: &str) -> Result<Vec<f64>, CliError> {
        let array: Array1<f64> = self
            .floats(name)?
            .into_dimensionality()
            .map_err(shape(name))?;
        Ok(array.to_vec())
    }

    fn number(&mut self, name: &str) -> Result<f64, CliError> {
        let array = self.floats(name)?.into_dimensionality::<Ix0>();
        Ok(array.map_err(shape(name))?.into_scalar())
    }
}

/// The error for an array of another shape.
fn shape<E: std::fmt::Display>(name: &str) -> impl Fn(E) -> CliError {
    let name = name.to_owned();
    move |error| CliError::request(format!("array `{name}`: {error}")).help(EXPECTED)
}
