//! Many jobs as batches that the library runs at once.

use axonml::error::{exact, short};
use axonml::simulation::InitialState;
use axonml::{CoreError, TimeGrid};
use axonml::{Settings, Simulation, SimulationError, Stimulus};

use crate::common::Common;
use crate::error::CliError;
use crate::job::{Job, Source};

/// Jobs of one model, grid, temperature and detection, ready to run.
pub(crate) struct Batch {
    /// The fibers.
    pub(crate) simulation: Simulation,
    /// Their stimulus.
    pub(crate) stimulus: Stimulus,
}

/// Jobs with the batch they make.
pub(crate) type Ready<'j> = (Vec<(usize, &'j Job)>, Batch);

impl Batch {
    /// Builds a batch in the state that `common` asks for; fibers that diverge on the way to a steady state are passed to `diverged`
    /// and left out.
    pub(crate) fn settled<'j>(
        mut jobs: Vec<(usize, &'j Job)>,
        common: &Common,
        diverged: &mut dyn FnMut(usize, CliError),
    ) -> Result<Option<Ready<'j>>, CliError> {
        while !jobs.is_empty() {
            let all: Vec<&Job> = jobs.iter().map(|(_, job)| *job).collect();
            match Batch::build(&all, common, &common.start) {
                Ok(batch) => return Ok(Some((jobs, batch))),
                Err(error @ SimulationError::Diverged { fiber, .. }) if fiber < jobs.len() => {
                    let (index, _) = jobs.remove(fiber);
                    diverged(index, of_one(error).at("while settling"));
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(None)
    }

    /// Builds the cables and settles the fibers if `start` says so.
    pub(crate) fn build(
        jobs: &[&Job],
        common: &Common,
        start: &InitialState,
    ) -> Result<Batch, SimulationError> {
        let first = jobs[0];
        let settings = Settings {
            dt_ms: first.dt_ms,
            tstop_ms: first.tstop_ms,
            celsius: first.celsius,
            start: start.clone(),
            ..common.settings(first.model)
        };
        let fibers = jobs.iter().map(|job| job.fiber).collect();
        let simulation = Simulation::new(first.model, fibers, &settings, &common.device)?;
        let mut stimulus = Stimulus::none(jobs.len());
        for (index, job) in jobs.iter().enumerate() {
            stimulus = match &job.source {
                None => stimulus,
                Some(Source::Field(field, waveform)) => {
                    stimulus.source(index, field.clone(), waveform.clone())
                }
                Some(Source::SpaceTime { ve_mv, .. }) => stimulus.space_time(index, ve_mv.clone()),
            };
            for (injection, waveform) in job.injections.iter() {
                stimulus =
                    stimulus.inject(index, injection.node, injection.amp_na, waveform.clone());
            }
        }
        Ok(Batch {
            simulation,
            stimulus,
        })
    }

    /// Checks what the library would only find while it runs.
    fn check(&self, jobs: &[&Job]) -> Result<(), SimulationError> {
        for (index, job) in jobs.iter().enumerate() {
            let wrong = |source: CoreError| SimulationError::Stimulus {
                fiber: index,
                source,
            };
            let nodes = job.fiber.nodes;
            job.detection.nodes(nodes).map_err(wrong)?;
            let samples = self.simulation.sample_points_um(index).len();
            let expected = (self.simulation.grid().steps(), samples);
            if let Some(Source::SpaceTime { shape, .. }) = job.source
                && shape != expected
            {
                return Err(wrong(CoreError::Shape {
                    what: "the field in space and time".into(),
                    expected: format!(
                        "(timesteps, samples) = {expected:?} for this dt, tstop, model and number of nodes"
                    ),
                    found: format!("{shape:?}"),
                }));
            }
            if let Some(length_um) = job.length_um {
                let at = self.simulation.nodes_um(index);
                let extent_um = at[nodes - 1] - at[0];
                let spacing_um = extent_um / (nodes - 1) as f64;
                if (length_um - extent_um).abs() > 1.01 * spacing_um {
                    return Err(wrong(CoreError::BadValue {
                        what: "length_um".into(),
                        found: exact(length_um),
                        expected: format!(
                            "about {} um, as {nodes} nodes lie {} um apart; correct n_nodes, \
                             delta_z_um or length_um",
                            short(extent_um),
                            short(spacing_um)
                        ),
                    }));
                }
            }
        }
        self.simulation.rollout(&self.stimulus, &[]).map(|_| ())
    }
}

/// Which jobs may share a batch: those with equal keys.
pub(crate) fn groups<'j>(
    jobs: impl IntoIterator<Item = (usize, &'j Job)>,
) -> Vec<Vec<(usize, &'j Job)>> {
    let alike = |a: &Job, b: &Job| {
        let grid = |job: &Job| TimeGrid::new(job.dt_ms, job.tstop_ms).ok();
        a.model.schema().id == b.model.schema().id
            && grid(a) == grid(b)
            && a.celsius == b.celsius
            && a.detection == b.detection
    };
    let mut groups: Vec<Vec<(usize, &Job)>> = Vec::new();
    for (index, job) in jobs {
        match groups.iter_mut().find(|group| alike(group[0].1, job)) {
            Some(group) => group.push((index, job)),
            None => groups.push(vec![(index, job)]),
        }
    }
    groups
}

/// Finds the jobs that cannot be run, and why, before any is.
pub(crate) fn refused<'j>(
    jobs: impl IntoIterator<Item = (usize, &'j Job)>,
    common: &Common,
) -> Vec<(usize, CliError)> {
    let mut refused = Vec::new();
    let jobs = jobs.into_iter().filter(|(index, job)| {
        let grid = TimeGrid::new(job.dt_ms, job.tstop_ms).map_err(CliError::from);
        let waveforms = 1 + job.injections.len();
        let fits = grid.and_then(|grid| common.check_fiber(job.fiber.nodes, &grid, waveforms));
        fits.map_err(|error| refused.push((*index, error))).is_ok()
    });
    // Only a batch must fit into memory, here as when it runs.
    for group in groups(jobs) {
        for batch in group.chunks(common.most_at_once(&group)) {
            halve(batch, common, &mut refused);
        }
    }
    refused.sort_by_key(|(index, _)| *index);
    refused
}

/// Narrows down by halves which jobs of a group are refused.
fn halve(group: &[(usize, &Job)], common: &Common, refused: &mut Vec<(usize, CliError)>) {
    let jobs: Vec<&Job> = group.iter().map(|(_, job)| *job).collect();
    let checked = Batch::build(&jobs, common, &InitialState::Declared)
        .and_then(|batch| batch.check(&jobs).map(|()| batch));
    match (checked, group) {
        (Ok(_), _) => {}
        (Err(error), [(index, _)]) => refused.push((*index, of_one(error))),
        (Err(_), _) => {
            let (front, back) = group.split_at(group.len() / 2);
            halve(front, common, refused);
            halve(back, common, refused);
        }
    }
}

/// An error of a batch of one, or of the fiber that the caller names, without the fiber's index in the batch.
pub(crate) fn of_one(error: SimulationError) -> CliError {
    match error {
        SimulationError::Fiber { problem, .. } => CliError::request(problem),
        SimulationError::Stimulus { source, .. } => CliError::request(source),
        SimulationError::Unstable { instability, .. } => CliError::request(instability),
        SimulationError::Diverged { fiber, .. } => {
            let text = error.to_string();
            let text = text
                .strip_prefix(&format!("fiber {fiber} "))
                .unwrap_or(&text);
            CliError::failure(text)
        }
        error => CliError::from(error),
    }
}
