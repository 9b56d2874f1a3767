//! The search of an optimization: montages, then descents or an evolution, then the grid of the converter.

use axonml_core::Random;
use axonml_models::CancelToken;

use super::Unwatched;
use super::given::read_amplitudes;
use super::record::{Finding, Found};
use super::request;
use super::subject::Subject;
use crate::design::{
    Course, Delivered, DesignError, Ends, Judged, ParetoPoint, Problem, Reached, Run, Scan,
    Scanned, Set, Start, best_reached,
};
use crate::study::{DeInit, GdInit, Machine, Method, OptimizeProtocol, Study, StudyError};

/// Purpose of the random numbers of starts.
const PURPOSE: u64 = 0x57a7;

/// Points of a search that the grid of a converter is tried around.
const AROUND: usize = 3;

/// A search for the best stimulus.
pub(super) struct Search<'a> {
    pub(super) subject: &'a Subject,
    /// Studies of all nerves that share the stimulus, and the first of them.
    pub(super) studies: &'a [Study],
    pub(super) study: &'a Study,
    pub(super) machine: &'a Machine,
    pub(super) protocol: &'a OptimizeProtocol,
    /// The question on the nerve as it is, which montages are compared by.
    pub(super) nerve: Problem,
    /// The question that is answered: the same, or that over copies that differ by chance.
    pub(super) problem: Problem,
}

impl Search<'_> {
    /// Looks for the best stimulus.
    pub(super) fn perform(
        &mut self,
        course: &mut dyn Course,
        ends: Ends,
    ) -> Result<Finding, StudyError> {
        let mut run = Run::new(course, ends);
        run.stage("montages");
        let scan = self.nerve.scan_in(&mut run);
        let scan = scan.map_err(|error| self.named(error))?;
        if scan.montages.is_empty() && run.stopped.is_some() {
            return Err(StudyError::canceled());
        }
        self.narrow(&scan);
        let mut reached = self.montages(&scan, &mut run)?;
        let mut starts = Vec::new();
        let mut iterations = 0;
        let mut pareto = Vec::new();
        let mut method = self.protocol.method().to_string();
        match self.protocol.method() {
            Method::Scan => {}
            Method::Gd => {
                run.stage("descent");
                let from = self.starts(&scan)?;
                starts = self
                    .problem
                    .descend(&from, &request::descent(self.study), &mut run)?;
            }
            Method::De => {
                run.stage("generations");
                let (evolved, front) = self.evolve(&scan, &mut run)?;
                if !front.is_empty() {
                    // The best is one of the front, which holds nothing that the best montage is better than in both aims.
                    reached.clear();
                }
                pareto = front;
                iterations = evolved.as_ref().map_or(0, |best| best.iterations);
                starts.extend(evolved);
                if self.protocol.then == Some(Method::Gd)
                    && let Some(best) = starts.first()
                {
                    run.stage("descent");
                    method.push_str(", then gd");
                    let from = Start {
                        init: "de".into(),
                        x: best.x.clone(),
                    };
                    let options = request::descent(self.study);
                    starts.extend(self.problem.descend(&[from], &options, &mut run)?);
                }
            }
        }
        let steps = starts.iter().map(|start| start.iterations);
        iterations = steps.max().unwrap_or(0).max(iterations);
        reached.extend(starts.iter().cloned());
        let Some(best) = best_reached(&reached) else {
            return Err(StudyError::failure(
                "found no stimulus within the limits whose thresholds are known",
            )
            .help("relax a limit, or give other starts"));
        };
        let mut best = self.judged(&best.x)?;
        if self.problem.limits.dac_ma.is_some() {
            run.stage("grid");
            best = self.on_grid(&reached, &mut run)?;
        }
        let best = self.found(&best, &starts)?;
        // The best of a front need not be the one that misclassifies least.
        let montages = match pareto.is_empty() {
            true => self.rivals(&scan, &best.delivered)?,
            false => Vec::new(),
        };
        Ok(Finding {
            best,
            montages,
            status: match &run.stopped {
                None => "done".into(),
                Some(why) if why == "interrupted" => why.clone(),
                Some(why) => format!("stopped: {why}"),
            },
            seconds: run.seconds(),
            tally: run.tally,
            history: run.history,
            scan,
            starts,
            method,
            iterations,
            pareto,
        })
    }

    /// Refuses files of starts that are wrong, before anything is written.
    pub(super) fn check(&self) -> Result<(), StudyError> {
        match (
            self.protocol.method(),
            self.study.gd.init(),
            self.study.de.init(),
        ) {
            (Method::Gd, GdInit::File(path), _) => {
                let amplitudes = read_amplitudes(&path)?;
                let place = path.display().to_string();
                amplitudes
                    .iter()
                    .try_for_each(|one| self.check_count(one.len(), &place))
            }
            (Method::Gd, GdInit::Amplitudes(amplitudes_ma), _) => {
                self.check_count(amplitudes_ma.len(), "init")
            }
            (Method::De, _, DeInit::File(path)) => self.members_of(&path).map(drop),
            _ => Ok(()),
        }
    }

    /// Where amplitudes count as they are, a coordinate of 1 is a few times what the best montage needs, and not all that a
    /// contact may deliver, which fires everything.
    fn narrow(&mut self, scan: &Scan) {
        const TIMES: f64 = 3.0;
        if self.problem.is_scale_free() || !self.problem.limits.is_scale_free() {
            return;
        }
        let peak_ma = scan.best().map_or(0.0, |best| best.score().dose.peak_ma);
        if peak_ma > 0.0 {
            for problem in [&mut self.nerve, &mut self.problem] {
                problem.unit = problem.unit.min(TIMES * peak_ma);
            }
        }
    }

    /// An error of the first simulation, with the name of the fiber.
    fn named(&self, error: DesignError) -> StudyError {
        match error {
            DesignError::Spontaneous { fiber } => StudyError::request(format!(
                "{} fires without stimulus: no stimulus spares it, and none activates it",
                self.subject.fibers[fiber].name
            ))
            .help("leave it out, or change its membrane or start"),
            other => other.into(),
        }
    }

    /// The best montage that obeys all limits, as a point, so that none is better than what is returned; where none does,
    /// what the limits leave of the best.
    fn montages(&self, scan: &Scan, run: &mut Run<'_>) -> Result<Vec<Reached>, StudyError> {
        let mut within = scan.montages.iter().filter(|scanned| scanned.within_limits);
        let mut points = Vec::new();
        if let Some(scanned) = within.next().or(scan.best())
            && let Some(x) = self.problem.start(&scanned.amplitudes_ma)
        {
            let judged = self.judged(&x)?;
            run.offer(&judged)?;
            points.push(Reached {
                init: init(scanned),
                x,
                score: judged.score,
                iterations: 0,
            });
        }
        Ok(points)
    }

    /// The best montage of each kind that obeys all limits, but for the stimulus that was found.
    fn rivals(&self, scan: &Scan, best: &Delivered) -> Result<Vec<Found>, StudyError> {
        let mut kinds = Vec::new();
        let mut rivals = Vec::new();
        for scanned in scan.montages.iter().filter(|scanned| scanned.within_limits) {
            let kind = scanned.montage.kind.name();
            if kinds.contains(&kind) {
                continue;
            }
            kinds.push(kind);
            if let Some(x) = self.problem.start(&scanned.amplitudes_ma) {
                let rival = self.found(&self.judged(&x)?, &[]);
                rivals.extend(rival.ok().filter(|rival| rival.delivered != *best));
            }
        }
        Ok(rivals)
    }

    /// A point, judged.
    fn judged(&self, x: &[f64]) -> Result<Judged, StudyError> {
        let judged = self.even_if_canceled(|problem| {
            let stimulus = problem.stimulus(x);
            problem.judge(vec![stimulus], None, &mut |_| ())
        })?;
        let first = judged.into_iter().next();
        first.ok_or_else(|| StudyError::failure("no stimulus was judged"))
    }

    /// Simulations that a canceled optimization still needs to end with its best stimulus: done again by fibers that are not
    /// canceled.
    fn even_if_canceled<T>(
        &self,
        mut needed: impl FnMut(&Problem) -> Result<T, DesignError>,
    ) -> Result<T, StudyError> {
        match needed(&self.problem) {
            Err(error) if error.is_canceled() => {}
            other => return Ok(other?),
        }
        let machine = Machine {
            cancel: CancelToken::default(),
            ..self.machine.clone()
        };
        let subject = Subject::of(self.studies, &machine, &mut Unwatched)?;
        let mut problem = match request::problem_over_copies(&subject, self.study)? {
            Some((problem, _)) => problem,
            None => request::problem(&subject, self.study)?,
        };
        problem.unit = self.problem.unit;
        Ok(needed(&problem)?)
    }

    /// The starts of descents.
    fn starts(&self, scan: &Scan) -> Result<Vec<Start>, StudyError> {
        let count = self.study.gd.starts();
        let set = self.problem.set();
        let given = |init: &str, amplitudes_ma: &[f64]| {
            let x = set.start(amplitudes_ma)?;
            Some(Start {
                init: init.to_owned(),
                x,
            })
        };
        let starts: Vec<Start> = match self.study.gd.init() {
            GdInit::Scan => {
                // The best of each kind, then the best of all.
                let firsts = ["monopolar", "bipolar", "tripolar"]
                    .into_iter()
                    .filter_map(|kind| {
                        let mut all = scan.montages.iter();
                        all.find(|scanned| scanned.montage.kind.name() == kind)
                    });
                let mut chosen: Vec<&Scanned> = Vec::new();
                let best = scan.montages.first();
                for scanned in best.into_iter().chain(firsts).chain(&scan.montages) {
                    let is_new = chosen.iter().all(|known| known.montage != scanned.montage);
                    if is_new && chosen.len() < count {
                        chosen.push(scanned);
                    }
                }
                let each = chosen.into_iter();
                each.filter_map(|scanned| given(&init(scanned), &scanned.amplitudes_ma))
                    .collect()
            }
            GdInit::Random => (0..count)
                .filter_map(|start| self.random(start, &set))
                .collect(),
            // Of the quotient only: others are refused before the search.
            GdInit::Zero => {
                let contacts = self.subject.population.contacts();
                given("zero", &vec![0.0; contacts]).into_iter().collect()
            }
            GdInit::Amplitudes(amplitudes_ma) => {
                self.check_count(amplitudes_ma.len(), "init")?;
                given("amplitudes", &amplitudes_ma).into_iter().collect()
            }
            GdInit::File(path) => {
                let name = path.display().to_string();
                let best = read_amplitudes(&path)?.swap_remove(0);
                self.check_count(best.len(), &name)?;
                given(&name, &best).into_iter().collect()
            }
        };
        match starts.is_empty() {
            false => Ok(starts),
            true => Err(StudyError::request(
                "init: found no start that the limits leave anything of",
            )
            .at("gd")
            .help("relax a limit, or give other starts")),
        }
    }

    pub(super) fn check_count(&self, found: usize, place: &str) -> Result<(), StudyError> {
        let contacts = self.subject.population.contacts();
        match found == contacts {
            true => Ok(()),
            false => Err(StudyError::request(format!(
                "found {found} amplitudes, expected {contacts}: one per contact"
            ))
            .at(place)),
        }
    }

    /// A start at random: amplitudes within -1 and 1, as the limits leave them.
    fn random(&self, start: usize, set: &Set<'_>) -> Option<Start> {
        let mut random = Random::of(self.study.numerics.seed.unwrap_or(0), PURPOSE, start);
        let contacts = self.subject.population.contacts();
        let amplitudes: Vec<f64> = (0..contacts)
            .map(|_| self.problem.unit * (2.0 * random.unit() - 1.0))
            .collect();
        Some(Start {
            init: format!("random {start}"),
            x: set.start(&amplitudes)?,
        })
    }

    /// The best member of an evolution; of one of two aims, with its front.
    fn evolve(
        &self,
        scan: &Scan,
        run: &mut Run<'_>,
    ) -> Result<(Option<Reached>, Vec<ParetoPoint>), StudyError> {
        let problem = &self.problem;
        let mut options = request::evolution(self.study, problem.ranges().len())?;
        let population = options.settings.population;
        let mut initial = self.first_members(scan, population)?;
        let Some(aims) = request::aims(self.protocol)? else {
            options.settings.initial = initial;
            return Ok((problem.evolve(&options, run)?.best, Vec::new()));
        };
        let montage = scan.montages.iter().find(|of| of.within_limits);
        let montage = montage.and_then(|of| problem.start(&of.amplitudes_ma));
        if let Some(x) = montage.filter(|x| !initial.members.contains(x)) {
            initial.members.truncate(population.saturating_sub(1));
            initial.members.push(x);
        }
        options.settings.initial = initial;
        let front = problem.evolve_front(&aims, &options, run)?;
        let members: Vec<Reached> = front
            .points
            .iter()
            .map(|point| Reached {
                init: format!("population of {population}"),
                x: point.x.clone(),
                score: point.score,
                iterations: front.generations,
            })
            .collect();
        let mut points = Vec::with_capacity(front.points.len());
        for point in &front.points {
            let delivered = problem.delivered(point);
            if problem.limits.violations(&delivered).is_empty() {
                let unknowns = problem.unknowns(&point.x);
                let widths = problem.parameterization.widths_ms(&unknowns);
                points.push(ParetoPoint {
                    amplitudes_ma: delivered.amplitudes_ma,
                    objectives: point.objectives,
                    pw_ms: widths.pw_ms,
                    gap_ms: widths.gap_ms,
                });
            }
        }
        Ok((best_reached(&members).cloned(), points))
    }

    /// The best stimulus on the grid of the converter, around the best points.
    fn on_grid(&self, reached: &[Reached], run: &mut Run<'_>) -> Result<Judged, StudyError> {
        let mut reached = reached.to_vec();
        let scores: Vec<_> = reached.iter().map(|point| point.score).collect();
        let order = axonml_optimize::ranking(&scores);
        reached = order
            .into_iter()
            .map(|place| reached[place].clone())
            .collect();
        let around: Vec<Vec<f64>> = reached
            .into_iter()
            .take(AROUND)
            .map(|point| point.x)
            .collect();
        let found = self.even_if_canceled(|problem| problem.on_grid(&around, run))?;
        found.ok_or_else(|| {
            StudyError::failure("found no stimulus on the converter's grid that obeys all limits")
                .help("give a finer step (dac_mA, --dac), or relax a limit")
        })
    }

    /// A judged stimulus as it is delivered.
    ///
    /// # Errors
    /// If it exceeds a limit: by code that the search does not use.
    fn found(&self, judged: &Judged, starts: &[Reached]) -> Result<Found, StudyError> {
        let delivered = judged.delivered();
        let limits = &self.problem.limits;
        if let Some(violation) = limits.violations(&delivered).first() {
            return Err(StudyError::failure(format!(
                "the stimulus found exceeds a limit: {violation}"
            )));
        }
        Ok(Found {
            active: self.subject.active(&judged.thresholds()),
            widths: self.widths(judged, starts),
            limits: limits
                .active(&delivered)
                .iter()
                .map(ToString::to_string)
                .collect(),
            shannon_k: limits.electrodes.shannon_k(&delivered),
            compliance_v: limits.electrodes.peak_v(&delivered),
            delivered,
        })
    }

    /// The widths of the best stimulus, where they were varied.
    fn widths(&self, best: &Judged, starts: &[Reached]) -> crate::design::Widths {
        let same = |start: &&Reached| {
            let stimulus: Delivered = self.problem.stimulus(&start.x);
            stimulus.waveforms == best.stimulus.waveforms
        };
        let x = starts
            .iter()
            .find(same)
            .map(|start| self.problem.unknowns(&start.x));
        x.map(|x| self.problem.parameterization.widths_ms(&x))
            .unwrap_or_default()
    }
}

/// A montage as the start of something.
fn init(scanned: &Scanned) -> String {
    let contacts: Vec<String> = scanned
        .montage
        .contacts
        .iter()
        .map(usize::to_string)
        .collect();
    format!("{} {}", scanned.montage.kind.name(), contacts.join(","))
}
