//! The search of an optimization: montages, then descents or an evolution, then the grid of the converter.

use axonml_core::Random;
use axonml_models::CancelToken;
use axonml_optimize::{Initial, Spread};

use super::Unwatched;
use super::record::Finding;
use super::request;
use super::subject::Subject;
use crate::design::{
    Course, Delivered, DesignError, Ends, Judged, Problem, Reached, Run, Scan, Scanned, Start,
    best_reached,
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
        let scan = self.problem.scan_in(&mut run);
        let scan = scan.map_err(|error| self.named(error))?;
        if scan.montages.is_empty() && run.stopped.is_some() {
            return Err(StudyError::canceled());
        }
        self.narrow(&scan);
        let mut reached = self.montages(&scan, &mut run)?;
        let mut starts = Vec::new();
        let mut iterations = 0;
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
                let evolved = self.evolve(&scan, &mut run)?;
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
        self.finding(best, scan, starts, method, iterations, run)
    }

    /// Refuses files of starts that are wrong, before anything is written.
    pub(super) fn check(&self) -> Result<(), StudyError> {
        let given = match (
            self.protocol.method(),
            self.study.gd.init(),
            self.study.de.init(),
        ) {
            (Method::Gd, GdInit::File(path), _) | (Method::De, _, DeInit::File(path)) => path,
            (Method::Gd, GdInit::Amplitudes(amplitudes_ma), _) => {
                return self.check_count(amplitudes_ma.len(), "init");
            }
            _ => return Ok(()),
        };
        let amplitudes_ma = read_amplitudes(&given)?;
        self.check_count(amplitudes_ma.len(), &given.display().to_string())
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
            self.problem.unit = self.problem.unit.min(TIMES * peak_ma);
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

    /// A point, judged.
    fn judged(&self, x: &[f64]) -> Result<Judged, StudyError> {
        let judged = self.even_if_canceled(|problem| {
            let stimulus = problem.stimulus(x);
            problem.judge(vec![stimulus], None, &mut |_| ())
        })?;
        let first = judged.into_iter().next();
        first.ok_or_else(|| StudyError::failure("no stimulus was judged"))
    }

    /// What a canceled optimization still needs to end with its best stimulus: simulated again by fibers that are not
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
        Ok(needed(&request::problem(&subject, self.study)?)?)
    }

    /// The starts of descents.
    fn starts(&self, scan: &Scan) -> Result<Vec<Start>, StudyError> {
        let count = self.study.gd.starts();
        let given = |init: &str, amplitudes_ma: &[f64]| {
            let x = self.problem.start(amplitudes_ma)?;
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
            GdInit::Random => (0..count).filter_map(|start| self.random(start)).collect(),
            GdInit::Zero => {
                return Err(StudyError::request(
                    "init: found zero, expected currents that thresholds can be found of",
                )
                .at("gd")
                .help("give init = \"scan\" or \"random\""));
            }
            GdInit::Amplitudes(amplitudes_ma) => {
                self.check_count(amplitudes_ma.len(), "init")?;
                given("amplitudes", &amplitudes_ma).into_iter().collect()
            }
            GdInit::File(path) => {
                let record = read_amplitudes(&path)?;
                self.check_count(record.len(), &path.display().to_string())?;
                given(&path.display().to_string(), &record)
                    .into_iter()
                    .collect()
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

    fn check_count(&self, found: usize, place: &str) -> Result<(), StudyError> {
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
    fn random(&self, start: usize) -> Option<Start> {
        let mut random = Random::of(self.study.numerics.seed.unwrap_or(0), PURPOSE, start);
        let contacts = self.subject.population.contacts();
        let amplitudes: Vec<f64> = (0..contacts)
            .map(|_| self.problem.unit * (2.0 * random.unit() - 1.0))
            .collect();
        Some(Start {
            init: format!("random {start}"),
            x: self.problem.start(&amplitudes)?,
        })
    }

    /// The best member of an evolution.
    fn evolve(&self, scan: &Scan, run: &mut Run<'_>) -> Result<Option<Reached>, StudyError> {
        let problem = &self.problem;
        let mut options = request::evolution(self.study, problem.ranges().len())?;
        let population = options.settings.population;
        let of = |spread, members: Vec<Vec<f64>>| Initial { members, spread };
        options.settings.initial = match self.study.de.init() {
            DeInit::Random => of(Spread::Random, Vec::new()),
            DeInit::Rlhs => of(Spread::Rlhs, Vec::new()),
            DeInit::Mlhs => of(Spread::Mlhs, Vec::new()),
            DeInit::Scan => {
                // A quarter of the members are the best montages.
                let best = scan
                    .montages
                    .iter()
                    .filter_map(|scanned| problem.start(&scanned.amplitudes_ma));
                of(Spread::Rlhs, best.take(population.div_ceil(4)).collect())
            }
            DeInit::File(path) => {
                let amplitudes = read_amplitudes(&path)?;
                self.check_count(amplitudes.len(), &path.display().to_string())?;
                of(
                    Spread::Rlhs,
                    problem.start(&amplitudes).into_iter().collect(),
                )
            }
        };
        Ok(problem.evolve(&options, run)?.best)
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

    fn finding(
        &self,
        best: Judged,
        scan: Scan,
        starts: Vec<Reached>,
        method: String,
        iterations: usize,
        run: Run<'_>,
    ) -> Result<Finding, StudyError> {
        let delivered = best.delivered();
        let violations = self.problem.limits.violations(&delivered);
        if let Some(violation) = violations.first() {
            return Err(StudyError::failure(format!(
                "the stimulus found exceeds a limit: {violation}"
            )));
        }
        let thresholds = best.thresholds();
        Ok(Finding {
            active: self.problem.goal.active_at(&thresholds, 1.0),
            widths: self.widths(&best, &starts),
            limits: self
                .problem
                .limits
                .active(&delivered)
                .iter()
                .map(ToString::to_string)
                .collect(),
            shannon_k: self.problem.limits.electrodes.shannon_k(&delivered),
            compliance_v: self.problem.limits.electrodes.peak_v(&delivered),
            status: match &run.stopped {
                None => "done".into(),
                Some(why) if why == "interrupted" => why.clone(),
                Some(why) => format!("stopped: {why}"),
            },
            seconds: run.seconds(),
            tally: run.tally,
            history: run.history,
            delivered,
            scan,
            starts,
            method,
            iterations,
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

/// The amplitudes in the best.json of an optimization, in its results, or of any object with `amplitudes_mA`.
fn read_amplitudes(path: &std::path::Path) -> Result<Vec<f64>, StudyError> {
    let at = |why: String| StudyError::request(why).at(path.display());
    let text = std::fs::read_to_string(path).map_err(|error| at(error.to_string()))?;
    let value: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| at(error.to_string()))?;
    // The best.json of a folder, or the results that a command wrote.
    let result = value.pointer("/results/0").unwrap_or(&value);
    let amplitudes = result.get("amplitudes_mA").and_then(|list| list.as_array());
    let numbers = amplitudes.map(|list| list.iter().map(serde_json::Value::as_f64).collect());
    let numbers: Option<Vec<f64>> = numbers.flatten();
    numbers.ok_or_else(|| {
        at("found no list of numbers called amplitudes_mA, expected the best.json of an optimization".into())
    })
}
