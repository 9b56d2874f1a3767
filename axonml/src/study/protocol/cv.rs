//! Conduction velocities: of an action potential that a current, a field or a synapse starts.

use axonml_models::conditions::cell;
use axonml_models::{
    Amplitudes, Conduction, ConductionVelocity, Extents, Fiber, FiberExtent, Settings, Simulation,
    SimulationError, Site, Stimulus, Synapse, VelocitySites, WithSynapse, weights::Weights,
};
use serde_json::json;

use super::{Question, check_node, check_time, failed_row};
use crate::study::StudyError;
use crate::study::answer::Answer;
use crate::study::batch::{Batch, of_one};
use crate::study::case::{Case, CaseSource};
use crate::study::plan::{Plan, Request};
use crate::study::report::{Cell, Results, Statuses, counted, significant};
use crate::study::spec::{CvProtocol, InjectionSpec, Study, SynapseSpec, check};

impl SynapseSpec {
    fn check(&self) -> Result<(), StudyError> {
        if self.node.is_some() && self.at.is_some() {
            return Err(check::exclusive("node", "at"));
        }
        check::optional("at", self.at, check::fraction())?;
        check::number("g_uS", self.g_us, cell::positive("uS"))?;
        check::number("tau_ms", self.tau_ms, cell::positive("ms"))?;
        check::number("e_mV", self.e_mv, cell::finite("mV"))?;
        check::number("delay_ms", self.delay_ms, cell::not_negative("ms"))
    }

    fn site(&self) -> Site {
        match (self.node, self.at) {
            (Some(node), _) => Site::Node(node),
            (None, at) => Site::Fraction(at.unwrap_or(0.1)),
        }
    }
}

/// The sites where a study gives none, as fractions of the length.
const SITES: [f64; 2] = [0.25, 0.75];

const COLUMNS: [&str; 10] = [
    "cv_m_per_s",
    "node_a",
    "node_b",
    "t_a_ms",
    "t_b_ms",
    "site_distance_um",
    "start",
    "start_node",
    "status",
    "message",
];

impl CvProtocol {
    fn sites(&self, case: &Case) -> VelocitySites {
        let sites = match (self.nodes, self.at) {
            (Some([a, b]), _) => VelocitySites::nodes(a, b),
            (None, at) => {
                let [a, b] = at.unwrap_or(SITES);
                VelocitySites::fractions(a, b)
            }
        };
        sites
            .threshold_mv(case.detection.threshold_mv)
            .after_ms(case.detection.after_ms)
    }

    /// The duration in which the action potential passes both sites, ms: detection sites do not matter here.
    fn tstop_ms(&self, case: &Case, extents: &mut Extents, flows: bool) -> Result<f64, StudyError> {
        let Fiber {
            diameter_um,
            nodes,
            compartment_um,
        } = case.fiber;
        let space_time = |source: &CaseSource| matches!(source, CaseSource::SpaceTime { .. });
        // Potentials in space and time say themselves how long they are.
        let Some(last) = nodes
            .checked_sub(1)
            .filter(|_| !case.sources.iter().any(space_time))
        else {
            return Ok(case.tstop_ms);
        };
        let fraction = |at: f64| (at * last as f64).round() as i64;
        let sites = match (self.nodes, self.at) {
            (Some(nodes), _) => nodes,
            (None, at) => at.unwrap_or(SITES).map(fraction),
        };
        let starts: Vec<i64> = match &self.synapse {
            // A field starts it anywhere.
            _ if flows => vec![0, last as i64],
            Some(synapse) => vec![match synapse.site() {
                Site::Node(node) => node,
                Site::Fraction(at) => fraction(at),
            }],
            None => case.injections.iter().map(|at| at.node).collect(),
        };
        // Nodes that there are not are refused elsewhere.
        let index = |node: i64| {
            let from_start = if node < 0 { node + nodes as i64 } else { node };
            usize::try_from(from_start).unwrap_or(0).min(last)
        };
        let ways = starts
            .iter()
            .flat_map(|start| sites.map(|site| (*start, site)));
        let way = ways.map(|(start, site)| index(start).abs_diff(index(site)));
        let extent = FiberExtent {
            nodes: way.max().unwrap_or(0) + 1,
            spacing_um: extents
                .spacing_um(diameter_um, compartment_um)
                .map_err(of_one)?,
            ends_driven: false,
        };
        let end_ms = match &self.synapse {
            Some(synapse) => synapse.delay_ms + synapse.tau_ms,
            None => {
                let fields = case.sources.iter().filter_map(|source| match source {
                    CaseSource::Field(_, waveform) => waveform.end_ms(),
                    CaseSource::SpaceTime { .. } => None,
                });
                let injected = case.injections.iter().filter_map(|at| at.waveform.end_ms());
                fields.chain(injected).fold(0.0, f64::max)
            }
        };
        // The way from one end of such a piece to the other.
        Ok(extents.tstop_ms(diameter_um, &extent, &[0], Some(end_ms)))
    }

    /// Start of the action potential.
    fn start(&self, study: &Study) -> &'static str {
        match (&self.synapse, study.field.flows()) {
            (Some(_), _) => "synapse",
            (None, true) => "extracellular",
            (None, false) => "intracellular",
        }
    }

    /// Velocities of cases whose action potentials a synapse starts.
    fn synaptic(
        &self,
        synapse: &SynapseSpec,
        cases: &[&Case],
    ) -> Result<Vec<ConductionVelocity>, SimulationError> {
        let first = cases[0];
        let settings = first.setup.settings(&first.model);
        let model = WithSynapse::with_weights(first.model.clone(), &settings.weights)?;
        let mut parameters = settings.parameters.clone();
        parameters.push(("synapse.e_syn".to_owned(), synapse.e_mv));
        parameters.push(("synapse.tau_syn".to_owned(), synapse.tau_ms));
        let settings = Settings {
            dt_ms: first.dt_ms,
            tstop_ms: first.tstop_ms,
            celsius: first.celsius,
            start: first.setup.start.clone(),
            weights: Weights::Default,
            parameters,
            ..settings
        };
        let fibers = cases.iter().map(|case| case.fiber).collect();
        let device = &first.setup.machine.device;
        let simulation = Simulation::new(&model, fibers, &settings, device)?;
        let opening = Synapse {
            site: synapse.site(),
            onset_ms: synapse.delay_ms,
            conductance_us: synapse.g_us,
        };
        simulation.synaptic_velocities(&opening, &self.sites(first))
    }
}

impl Question for CvProtocol {
    fn completed(&self, study: &Study) -> Study {
        let mut study = study.clone();
        let nothing = study.injections.is_empty() && !study.field.flows();
        if nothing && self.synapse.is_none() {
            study.injections.push(InjectionSpec {
                at: Some(0.1),
                amp_na: Some(3.0),
                pw_ms: 0.2,
                delay_ms: 0.1,
                ..InjectionSpec::default()
            });
        }
        study
    }

    fn has_detection_sites(&self) -> bool {
        false
    }

    fn check(&self, study: &Study) -> Result<(), StudyError> {
        let at = self.at.as_ref().map(|at| &at[..]);
        check::list("at", at, check::fraction())?;
        check::optional("amplitude_mA", self.amplitude_ma, cell::finite("mA"))?;
        if let Some(synapse) = &self.synapse {
            synapse.check().map_err(|error| error.at("synapse"))?;
        }
        let wrong = |text: &str| Err(StudyError::request(text));
        if study.conditions.is_some() {
            return wrong("conditions: velocities are those of fibers, not of rows of a table");
        }
        match (&self.synapse, self.amplitude_ma, study.field.flows()) {
            (Some(_), _, true) => {
                return wrong(
                    "synapse: found a field, too; expected one start of the action potential",
                );
            }
            (None, None, true) => {
                return Err(StudyError::request(
                    "amplitude_mA: found none, expected the amplitude of the field, above threshold",
                )
                .help("give --amplitude MA, or leave the field out"));
            }
            (_, Some(_), false) => {
                return wrong("amplitude_mA has no effect: there is no extracellular field");
            }
            (Some(_), _, _) if !study.injections.is_empty() || !study.conditioning.is_empty() => {
                return wrong("synapse: found an injected current, too; expected one start");
            }
            _ => {}
        }
        if let (Some(_), Some(_)) = (self.at, self.nodes) {
            return wrong("at and nodes: found both, expected one of them");
        }
        if study.injections.iter().any(|spec| spec.amp_na.is_none()) {
            return wrong("inject: found no amp_nA, expected one: nothing is looked for");
        }
        Ok(())
    }

    fn describe(&self, study: &Study, request: &mut Request) {
        request.put("start_by", self.start(study));
        request.put("amplitude_mA", self.amplitude_ma);
        request.put("synapse", json!(self.synapse));
        let sites = match self.nodes {
            Some(nodes) => json!({"nodes": nodes}),
            None => json!({"at": self.at.unwrap_or(SITES)}),
        };
        request.put("sites", sites);
    }

    fn arrange(&self, plan: &mut Plan) -> Result<(), StudyError> {
        if plan.study.numerics.tstop_ms.is_some() {
            return Ok(());
        }
        let flows = plan.study.field.flows();
        let Plan { models, cases, .. } = plan;
        let mut extents = Vec::new();
        for (model, setup) in models.iter() {
            extents.push(setup.extents(model)?);
        }
        for planned in cases {
            let extents = &mut extents[planned.member.group];
            if let Ok(case) = &mut planned.case {
                case.tstop_ms = self.tstop_ms(case, extents, flows)?;
            }
        }
        Ok(())
    }

    fn check_case(&self, case: &Case) -> Result<(), StudyError> {
        let (key, [a, b]) = match (self.nodes, self.at) {
            (Some(sites), _) => ("nodes (--sites)", sites.map(Site::Node)),
            (None, at) => ("at", at.unwrap_or(SITES).map(Site::Fraction)),
        };
        let [a, b] = [node_of(key, a, case)?, node_of(key, b, case)?];
        if a == b {
            return Err(StudyError::request(format!(
                "the sites of the velocity: found node {a} twice, expected two different nodes"
            ))
            .help("choose them with nodes (--sites) or at (--at)"));
        }
        let Some(synapse) = &self.synapse else {
            return Ok(());
        };
        let key = match synapse.node {
            Some(_) => "synapse: node",
            None => "synapse: at",
        };
        node_of(key, synapse.site(), case)?;
        check_time("synapse: delay_ms", synapse.delay_ms, case)
    }

    fn columns(&self, _plan: &Plan) -> Vec<String> {
        COLUMNS.map(str::to_owned).to_vec()
    }

    fn answer(
        &self,
        plan: &Plan,
        cases: Vec<(usize, &Case)>,
        _progress: &mut dyn FnMut(f64),
    ) -> Result<Vec<(usize, Answer)>, StudyError> {
        let start = self.start(&plan.study);
        let mut answers = Vec::with_capacity(cases.len());
        if let Some(synapse) = &self.synapse {
            let all: Vec<&Case> = cases.iter().map(|(_, case)| *case).collect();
            let found = self.synaptic(synapse, &all).map_err(of_one)?;
            for ((index, case), found) in cases.iter().zip(&found) {
                let why = message(found, case, None);
                answers.push((*index, Answer::of_rows(vec![row(found, start, why)])));
            }
            return Ok(answers);
        }
        let mut diverged = |index: usize, error: StudyError| {
            answers.push((index, failed_row(COLUMNS.len(), "diverged", &error)));
        };
        let ready = Batch::settled(cases, &mut diverged)?;
        let Some((cases, batch)) = ready else {
            return Ok(answers);
        };
        let amplitude = Amplitudes::Same(self.amplitude_ma.unwrap_or(0.0));
        let sites = self.sites(cases[0].1);
        let stimulus: &Stimulus = &batch.stimulus;
        let found = batch
            .simulation
            .conduction_velocities(stimulus, amplitude, &sites)?;
        for (fiber, ((index, case), found)) in cases.iter().zip(&found).enumerate() {
            let why = message(found, case, Some((&batch.simulation, fiber)));
            answers.push((*index, Answer::of_rows(vec![row(found, start, why)])));
        }
        Ok(answers)
    }

    fn failed(&self, _plan: &Plan, status: &str, error: &StudyError) -> Answer {
        failed_row(COLUMNS.len(), status, error)
    }

    fn finish(&self, _plan: &Plan, results: &mut Results) -> Result<(), StudyError> {
        let statuses = Statuses::of(&results.table);
        let rows = results.table.rows.len();
        results.summary.insert("rows".into(), json!(rows));
        let mut words = format!("{}: {}", counted(rows, "velocity"), statuses.words());
        if rows != 1 {
            words = words.replacen("velocitys", "velocities", 1);
        }
        results.words.push(words);
        // Velocity per um of diameter is what textbooks state.
        let velocities = results.table.numbers("cv_m_per_s");
        let diameters = results.table.numbers("diameter_um");
        let ratios: Vec<f64> = velocities
            .iter()
            .zip(&diameters)
            .filter_map(|(cv, diameter)| Some((*cv)? / (*diameter)?))
            .collect();
        if !ratios.is_empty() {
            let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
            let most = ratios.iter().copied().fold(0.0, f64::max);
            results.words.push(format!(
                "velocity over diameter: {} to {} m/s per um",
                significant(least, 3),
                significant(most, 3)
            ));
        }
        statuses.insert(&mut results.summary);
        Ok(())
    }
}

/// The node of a site in a case's fiber, which must have it, and not cut off.
fn node_of(key: &str, site: Site, case: &Case) -> Result<usize, StudyError> {
    if let Site::Node(node) = site {
        check_node(key, node, case)?;
    }
    let node = site.node(case.fiber.nodes)?;
    check_node(key, node as i64, case)?;
    Ok(node)
}

/// The reason for which there is no velocity.
fn message(
    found: &ConductionVelocity,
    case: &Case,
    simulation: Option<(&Simulation, usize)>,
) -> String {
    match found.conduction {
        Conduction::NotInOrder { .. } => {
            "the action potential begins at a site or between the two: choose sites on one side of its start".to_owned()
        }
        Conduction::PropagationFailure { .. } => {
            "an action potential begins but does not pass both sites: it fails, or tstop ends before it arrives".to_owned()
        }
        Conduction::NoActivation => "nothing fires: raise the current, conductance or amplitude".to_owned(),
        Conduction::Diverged(status) => {
            let why = simulation.and_then(|(of, fiber)| of.divergence(fiber, status));
            why.map_or_else(
                || format!("the solution diverged within {} ms", case.tstop_ms),
                |error| of_one(error).message(),
            )
        }
        _ => String::new(),
    }
}

fn row(found: &ConductionVelocity, start: &str, message: String) -> Vec<Cell> {
    let times = match found.conduction {
        Conduction::Conducted { t_a_ms, t_b_ms, .. } => [Some(t_a_ms), Some(t_b_ms)],
        _ => [None; 2],
    };
    vec![
        Cell::maybe(found.m_per_s()),
        Cell::integer(found.node_a),
        Cell::integer(found.node_b),
        Cell::maybe(times[0]),
        Cell::maybe(times[1]),
        Cell::Number(found.distance_um),
        Cell::text(start),
        found
            .start()
            .map_or(Cell::Missing, |at| Cell::integer(at.node)),
        Cell::text(found.status()),
        Cell::text(message),
    ]
}
