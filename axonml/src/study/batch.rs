//! Cases as batches that are simulated at once.

use axonml_core::CoreError;
use axonml_core::error::{exact, short};
use axonml_models::{InitialState, Settings, Simulation, SimulationError, Stimulus};

use super::StudyError;
use super::case::{Case, CaseSource};

/// Fibers of one batch at most: many enough to fill vector lanes and cores, few enough that results come in steadily and
/// an interruption loses little. Results do not depend on it.
pub(super) const BATCH: usize = 256;

/// Cases of one model, setup, grid, temperature and detection, ready to run.
#[derive(Debug)]
pub struct Batch {
    /// The fibers.
    pub simulation: Simulation,
    /// Their stimulus.
    pub stimulus: Stimulus,
}

/// Cases, each under its index, with the batch they make.
pub type ReadyBatch<'c> = (Vec<(usize, &'c Case)>, Batch);

impl Batch {
    /// Builds a batch in the initial state of its cases; fibers that diverge on the way to a steady state are passed to
    /// `diverged` and left out. None if no fiber is left.
    ///
    /// # Errors
    /// [`StudyError`] for cases that cannot be simulated; [`refused`] finds them beforehand.
    pub fn settled<'c>(
        mut cases: Vec<(usize, &'c Case)>,
        diverged: &mut dyn FnMut(usize, StudyError),
    ) -> Result<Option<ReadyBatch<'c>>, StudyError> {
        while !cases.is_empty() {
            let all: Vec<&Case> = cases.iter().map(|(_, case)| *case).collect();
            match Batch::build(&all, &all[0].setup.start) {
                Ok(batch) => return Ok(Some((cases, batch))),
                Err(error @ SimulationError::Diverged { fiber, .. }) if fiber < cases.len() => {
                    let (index, _) = cases.remove(fiber);
                    diverged(index, of_one(error).at("while settling"));
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(None)
    }

    /// Builds the cables and settles the fibers if `start` says so.
    fn build(cases: &[&Case], start: &InitialState) -> Result<Batch, SimulationError> {
        let first = cases[0];
        let settings = Settings {
            dt_ms: first.dt_ms,
            tstop_ms: first.tstop_ms,
            celsius: first.celsius,
            start: start.clone(),
            ..first.setup.settings(&first.model)
        };
        let fibers = cases.iter().map(|case| case.fiber).collect();
        let device = &first.setup.machine.device;
        let simulation = Simulation::new(&first.model, fibers, &settings, device)?;
        let stimulus = stimulus(cases, true);
        Ok(Batch {
            simulation,
            stimulus,
        })
    }

    /// Checks what the library would only find while it runs.
    fn check(&self, cases: &[&Case]) -> Result<(), SimulationError> {
        for (index, case) in cases.iter().enumerate() {
            let wrong = |source: CoreError| SimulationError::Stimulus {
                fiber: index,
                source,
            };
            let nodes = case.fiber.nodes;
            let cable = self.simulation.cable(index);
            case.detection.nodes_in(cable).map_err(wrong)?;
            let samples = self.simulation.sample_points_um(index).len();
            let expected = (self.simulation.grid().steps(), samples);
            for source in &case.sources {
                if let CaseSource::SpaceTime { shape, .. } = source
                    && *shape != expected
                {
                    return Err(wrong(CoreError::Shape {
                        what: "the field in space and time".into(),
                        expected: format!(
                            "(timesteps, samples) = {expected:?} for this dt, tstop, model and number of nodes"
                        ),
                        found: format!("{shape:?}"),
                    }));
                }
            }
            if let Some(length_um) = case.length_um {
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
        self.simulation.check_stimulus(&self.stimulus)
    }
}

/// The stimulus of cases, with or without the injected currents.
pub(super) fn stimulus(cases: &[&Case], injections: bool) -> Stimulus {
    let mut stimulus = Stimulus::none(cases.len());
    for (index, case) in cases.iter().enumerate() {
        for source in &case.sources {
            stimulus = match source {
                CaseSource::Field(field, waveform) => {
                    stimulus.source(index, field.clone(), waveform.clone())
                }
                CaseSource::SpaceTime { ve_mv, .. } => stimulus.space_time(index, ve_mv.clone()),
            };
        }
        for injection in case.injections.iter().filter(|_| injections) {
            let (node, waveform) = (injection.node, injection.waveform.clone());
            stimulus = match injection.amp_na {
                Some(amp_na) => stimulus.inject(index, node, amp_na, waveform),
                None => stimulus.inject_scaled(index, node, waveform),
            };
        }
    }
    stimulus
}

/// Cases that can share a batch, together; order is kept within each group.
pub fn groups<'c>(
    cases: impl IntoIterator<Item = (usize, &'c Case)>,
) -> Vec<Vec<(usize, &'c Case)>> {
    let mut groups: Vec<Vec<(usize, &Case)>> = Vec::new();
    for (index, case) in cases {
        match groups
            .iter_mut()
            .find(|group| group[0].1.batches_with(case))
        {
            Some(group) => group.push((index, case)),
            None => groups.push(vec![(index, case)]),
        }
    }
    groups
}

/// The cases that cannot be simulated, and why, before any is.
pub fn refused<'c>(cases: impl IntoIterator<Item = (usize, &'c Case)>) -> Vec<(usize, StudyError)> {
    let mut refused = Vec::new();
    let cases = cases.into_iter().filter(|(index, case)| {
        let grid = axonml_core::TimeGrid::new(case.dt_ms, case.tstop_ms);
        let machine = &case.setup.machine;
        let fits = grid
            .map_err(StudyError::from)
            .and_then(|grid| machine.check_fiber(case.fiber.nodes, &grid, case.waveforms()));
        fits.map_err(|error| refused.push((*index, error))).is_ok()
    });
    // Only a batch must fit into memory, here as when it runs.
    for group in groups(cases) {
        for batch in group.chunks(most_at_once(&group)) {
            halve(batch, &mut refused);
        }
    }
    refused.sort_by_key(|(index, _)| *index);
    refused
}

/// How many fibers like the largest of these cases fit into memory at once, at least one.
pub fn most_at_once(cases: &[(usize, &Case)]) -> usize {
    let Some((_, first)) = cases.first() else {
        return 1;
    };
    let nodes = cases
        .iter()
        .map(|(_, case)| case.fiber.nodes)
        .max()
        .unwrap_or(1);
    let waveforms = cases
        .iter()
        .map(|(_, case)| case.waveforms())
        .max()
        .unwrap_or(1);
    let steps = first.grid().map_or(1, |grid| grid.steps());
    let machine = &first.setup.machine;
    let fits =
        |fibers: usize| machine.holds(fibers, nodes, steps, fibers.saturating_mul(waveforms));
    let mut most = BATCH;
    while most > 1 && !fits(most) {
        most /= 2;
    }
    most
}

/// Narrows down by halves which cases of a group are refused.
fn halve(group: &[(usize, &Case)], refused: &mut Vec<(usize, StudyError)>) {
    let cases: Vec<&Case> = group.iter().map(|(_, case)| *case).collect();
    let checked = Batch::build(&cases, &InitialState::Declared)
        .and_then(|batch| batch.check(&cases).map(|()| batch));
    match (checked, group) {
        (Ok(_), _) => {}
        (Err(error), [(index, _), ..]) if error.is_canceled() => {
            refused.push((*index, StudyError::from(error)));
        }
        (Err(error), [(index, _)]) => refused.push((*index, of_one(error))),
        (Err(_), _) => {
            let (front, back) = group.split_at(group.len() / 2);
            halve(front, refused);
            halve(back, refused);
        }
    }
}

/// An error of a batch of one, or of the fiber that the caller names, without the fiber's index in the batch.
pub fn of_one(error: SimulationError) -> StudyError {
    match error {
        SimulationError::Fiber { problem, .. } => StudyError::request(problem),
        SimulationError::Stimulus { source, .. } => StudyError::request(source),
        SimulationError::Unstable { instability, .. } => StudyError::request(instability),
        SimulationError::Diverged { fiber, .. } => {
            let text = error.to_string();
            let text = text
                .strip_prefix(&format!("fiber {fiber} "))
                .unwrap_or(&text);
            StudyError::failure(text)
        }
        error => StudyError::from(error),
    }
}
