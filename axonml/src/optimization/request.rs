//! From the tables of a study to the settings of an optimization.

use std::path::Path;
use std::sync::Arc;

use axonml_core::{TimeGrid, Waveform};
use axonml_models::ThresholdSearch;
use axonml_models::conditions::{Polarity, PulseText};
use axonml_optimize::{EvolutionSettings, Projection, Rule, Schedule};

use super::copies::{self, Copies};
use super::subject::{Subject, population, protocol};
use crate::design::{
    Aim, Amplitudes, DescentOptions, Electrodes, EvolutionOptions, Expansion, Goal, Limit, Limits,
    Objective, Parameterization, Penalty, Population, Problem, PulseShape, Pulses, Quotient,
    Samples, Steps, ThresholdLoss, Violation,
};
use crate::study::{
    Criterion, DescentRule, ExpansionSpec, GdInit, LimitsSpec, ObjectiveSpec, OptimizeProtocol,
    PenaltyName, ScheduleSpec, Study, StudyError, Varied,
};

/// The question that a study asks of a subject.
pub(super) fn problem(subject: &Subject, study: &Study) -> Result<Problem, StudyError> {
    problem_of(
        subject,
        study,
        subject.population.clone(),
        subject.goal.clone(),
    )
}

/// The same question about copies that differ by chance, the same ones for every stimulus, after the nerve as it is; with
/// what cannot be changed in copies. None where a study asks for no copies.
pub(super) fn problem_over_copies(
    subject: &Subject,
    study: &Study,
) -> Result<Option<(Problem, Vec<String>)>, StudyError> {
    let count = study.robust.in_loop();
    if count == 0 {
        return Ok(None);
    }
    let (sizes, left_out) = copies::sizes(subject, &study.robust)?;
    let copies = Copies {
        subject,
        seed: study.numerics.seed.unwrap_or(0),
        purpose: copies::SEARCH,
    };
    let mut fibers = subject.fibers.clone();
    for copy in 0..count {
        fibers.extend(copies.fibers(copy, &sizes)?);
    }
    let goal = subject.goal.over_copies(count)?;
    let problem = problem_of(subject, study, population(&fibers)?, goal)?;
    Ok(Some((problem, left_out)))
}

fn problem_of(
    subject: &Subject,
    study: &Study,
    population: Population,
    goal: Goal,
) -> Result<Problem, StudyError> {
    let planned = &subject.plans[0].study;
    let protocol = protocol(study)?;
    let is_quotient = protocol.objective() == ObjectiveSpec::Quotient;
    if protocol.descends() && study.gd.init() == GdInit::Zero && !is_quotient {
        return Err(StudyError::request(
            "init: found zero, expected currents that thresholds can be found of",
        )
        .at("gd")
        .help(
            "give init = \"scan\" or \"random\", or objective quotient, which has a gradient there",
        ));
    }
    let mut problem = Problem::new(population, goal);
    problem.search = ThresholdSearch {
        first_part: problem.search.first_part,
        ..planned.search.search(planned.detection.detection(), false)
    };
    match (aims(protocol)?, objective(protocol.objective())) {
        (Some(aims), _) => problem.objective = leading(aims),
        (None, Some(objective)) => problem.objective = Arc::new(objective),
        (None, None) => problem.quotient = Some(quotient(&problem.population)?),
    }
    problem.penalty = penalty(protocol);
    problem.parameterization = parameterization(&problem.population, study)?;
    problem.limits = limits(subject, study)?;
    problem
        .check()
        .map_err(|error| StudyError::from(error).at("limits"))?;
    if !problem.is_scale_free() {
        // Amplitudes count as they are: coordinates are parts of what a contact may deliver.
        let ends = problem.limits.bounds_ma.iter().flatten();
        problem.unit = ends.fold(0.0, |most: f64, end| most.max(end.abs()));
    }
    check_possible(&problem)?;
    Ok(problem)
}

/// Part of a limit by which a projection may exceed it before none of its neighbors can be said to obey.
const UNSURE: f64 = 1e-3;

/// Refuses frozen currents beside which no currents of the other contacts obey the limits.
fn check_possible(problem: &Problem) -> Result<(), StudyError> {
    let limits = &problem.limits;
    if limits.frozen_ma.iter().flatten().all(|ma| *ma == 0.0) {
        return Ok(());
    }
    let nothing = vec![0.0; problem.population.contacts()];
    let mut x = problem.coordinates(&problem.parameterization.start(&nothing));
    problem.set().project(&mut x);
    let violations = limits.violations(&problem.stimulus(&x));
    // What is searched for afterwards is no matter of projections.
    let is_sure = |violation: &&Violation| {
        let beyond = (violation.found - violation.allowed).abs();
        let is_searched = matches!(violation.limit, Limit::Dac { .. } | Limit::MaxContacts);
        !is_searched && beyond > UNSURE * violation.allowed.abs()
    };
    match violations.iter().find(is_sure) {
        None => Ok(()),
        Some(violation) => Err(StudyError::request(format!(
            "frozen_mA contradicts the {violation}, whatever the other contacts deliver"
        ))
        .at("limits")
        .help("raise the limit, or freeze contacts at less (--frozen)")),
    }
}

/// The loss on thresholds of a name; none for the quotient, which is one on gates.
fn objective(spec: ObjectiveSpec) -> Option<Objective> {
    Some(match spec {
        ObjectiveSpec::Selective => Objective::Selective,
        ObjectiveSpec::Margin => Objective::Margin,
        ObjectiveSpec::Area => Objective::Area,
        ObjectiveSpec::Wbce => Objective::Wbce,
        ObjectiveSpec::Jaccard => Objective::Jaccard,
        ObjectiveSpec::Dice => Objective::Dice,
        ObjectiveSpec::Hamming => Objective::Hamming,
        ObjectiveSpec::Quotient => return None,
    })
}

/// The quotient of fibers that all have its gate.
fn quotient(population: &Population) -> Result<Quotient, StudyError> {
    let quotient = Quotient::default();
    match quotient.check(population) {
        Ok(()) => Ok(quotient),
        Err(error) => Err(StudyError::from(error)
            .at("protocol: objective")
            .help("take another objective (--objective selective), or a model with an m gate (--model mrg)")),
    }
}

/// The two things that are lowered at once, where there is a front.
pub(super) fn aims(protocol: &OptimizeProtocol) -> Result<Option<[Aim; 2]>, StudyError> {
    let aim = |criterion| -> Result<Aim, StudyError> {
        Ok(match criterion {
            Criterion::Objective(spec) => match objective(spec) {
                Some(objective) => Aim::Loss(Arc::new(objective)),
                None => {
                    return Err(StudyError::request(format!(
                        "objectives: found {spec}, expected a loss of activation or thresholds"
                    )));
                }
            },
            Criterion::Penalty(name) => Aim::Cost(weighted(|of| f64::from(u8::from(of == name)))),
        })
    };
    match protocol.pareto() {
        None => Ok(None),
        Some([first, second]) => Ok(Some([aim(first)?, aim(second)?])),
    }
}

/// Of two aims the loss that tells how strong stimuli are judged: as delivered, if that matters to one of them.
fn leading(aims: [Aim; 2]) -> Arc<dyn ThresholdLoss> {
    let losses = aims.into_iter().filter_map(|aim| match aim {
        Aim::Loss(loss) => Some(loss),
        Aim::Cost(_) => None,
    });
    let mut losses: Vec<Arc<dyn ThresholdLoss>> = losses.collect();
    losses.sort_by_key(|loss| loss.is_scale_free());
    let first = losses.into_iter().next();
    first.unwrap_or_else(|| Arc::new(Objective::Selective))
}

fn penalty(protocol: &OptimizeProtocol) -> Penalty {
    weighted(|name| protocol.penalty.weight(name))
}

fn weighted(weight: impl Fn(PenaltyName) -> f64) -> Penalty {
    Penalty {
        charge: weight(PenaltyName::Charge),
        energy: weight(PenaltyName::Energy),
        peak: weight(PenaltyName::Peak),
        smooth: weight(PenaltyName::Smooth),
        contacts: weight(PenaltyName::Contacts),
    }
}

/// The waveform that the contacts share before it is varied.
fn reference(study: &Study) -> Result<Waveform, StudyError> {
    let read = PulseText::read(study.stimulus.waveform())
        .map_err(|error| StudyError::request(error).at("stimulus: waveform"))?;
    Ok(Polarity::Cathodic.of(read.waveform))
}

fn parameterization(
    population: &Population,
    study: &Study,
) -> Result<Arc<dyn Parameterization>, StudyError> {
    let contacts = population.contacts();
    let waveform = population.waveform();
    let grid = grid(population)?;
    let spec = &study.stimulus;
    let at = |error| StudyError::from(error).at("stimulus");
    if spec.varies(Varied::Samples) {
        let Some(window_ms) = spec.window_ms() else {
            return Err(StudyError::request(
                "window_ms: found none, expected the window of the samples",
            )
            .at("stimulus")
            .help("give window_ms = [0.2, 1.2] (--window 0.2:1.2)"));
        };
        let expansion = match spec.expand() {
            ExpansionSpec::Samples => Expansion::Samples,
            ExpansionSpec::Spline(count) => Expansion::Splines(count),
            ExpansionSpec::Fourier(count) => Expansion::Fourier(count),
        };
        let sample_ms = spec.sample_ms(grid.dt_ms());
        let samples = Samples::new(contacts, waveform, &grid, window_ms, sample_ms, expansion);
        return Ok(Arc::new(samples.map_err(at)?));
    }
    let shapes = [
        (Varied::Pw, PulseShape::Width, spec.pw_range_ms()),
        (Varied::Gap, PulseShape::Gap, spec.gap_range_ms()),
        (
            Varied::Asymmetry,
            PulseShape::Asymmetry,
            spec.asymmetry_range(),
        ),
    ];
    let varied: Vec<(PulseShape, [f64; 2])> = shapes
        .into_iter()
        .filter(|(name, ..)| spec.varies(*name))
        .map(|(_, shape, range)| (shape, range))
        .collect();
    match varied.is_empty() {
        true => Ok(Arc::new(Amplitudes::new(
            contacts,
            waveform.clone(),
            grid.dt_ms(),
        ))),
        false => {
            let pulses = Pulses::new(contacts, &reference(study)?, &grid, varied);
            Ok(Arc::new(pulses.map_err(|error| {
                at(error).help("lower the upper end of pw_range_ms (--pw-range 0.05:0.5), or raise tstop_ms (--tstop)")
            })?))
        }
    }
}

fn grid(population: &Population) -> Result<TimeGrid, StudyError> {
    let mut parts = population.parts();
    let first = parts.next().map(|(basis, _)| *basis.simulation().grid());
    first.ok_or_else(|| StudyError::request("found no fiber, expected one or more"))
}

/// Limits of a study on the contacts of its nerves; electrodes are those of the first nerve.
fn limits(subject: &Subject, study: &Study) -> Result<Limits, StudyError> {
    let spec = &study.limits;
    let contacts = subject.population.contacts();
    let geometry = subject.nerve(0).and_then(|nerve| nerve.geometry());
    let mut electrodes = geometry.map_or_else(Electrodes::default, Electrodes::of_nerve);
    for contact in 0..contacts {
        if let Some(area_cm2) = spec.contact_area_cm2(contact) {
            electrodes.areas_cm2.resize(contacts, None);
            electrodes.areas_cm2[contact] = Some(area_cm2);
        }
    }
    check_known(spec, &electrodes, contacts)?;
    let mut frozen_ma = vec![None; contacts];
    for (&contact, &ma) in &spec.frozen_ma {
        match frozen_ma.get_mut(contact) {
            Some(frozen) => *frozen = Some(ma),
            None => {
                return Err(StudyError::request(format!(
                    "frozen_mA: found contact {contact}, expected 0 to {}",
                    contacts - 1
                ))
                .at("limits")
                .help("contacts are counted from 0"));
            }
        }
    }
    Ok(Limits {
        bounds_ma: match &spec.bounds {
            Some(path) => bounds(path, contacts, spec)?,
            None => vec![[-spec.bound_ma(), spec.bound_ma()]; contacts],
        },
        sum_zero: spec.sum_zero,
        balanced: study.stimulus.varies(Varied::Samples) && !spec.unbalanced,
        charge_max_nc: spec.charge_max_nc,
        shannon_max: spec.shannon_k,
        compliance_max_v: spec.compliance_v,
        dac_ma: spec.dac_ma,
        max_contacts: spec.max_contacts,
        frozen_ma,
        electrodes: electrodes.with_access(spec.contact_ohm()),
    })
}

/// Refuses limits that need more of the contacts than is known.
fn check_known(
    spec: &LimitsSpec,
    electrodes: &Electrodes,
    contacts: usize,
) -> Result<(), StudyError> {
    let area_cm2 = |contact: &usize| electrodes.areas_cm2.get(*contact).copied().flatten();
    let unknown = (0..contacts).find(|contact| area_cm2(contact).is_none());
    if let (Some(k), Some(contact)) = (spec.shannon_k, unknown) {
        return Err(StudyError::request(format!(
            "shannon_k: found {k} and contact {contact} of unknown area, expected contacts of known area"
        ))
        .at("limits")
        .help("give contact_area_cm2 (--contact-area CM2), or area_cm2 or the diameter of discs in nerve.json"));
    }
    match spec.compliance_v {
        Some(volt) if electrodes.impedance_ohm.is_none() => Err(StudyError::request(format!(
            "compliance_V: found {volt} and contacts of unknown impedance, expected `impedance_ohm` in nerve.json"
        ))
        .at("limits")
        .help("add the matrix (ohm, a row for each contact) to nerve.json, or leave compliance_V (--compliance) out")),
        _ => Ok(()),
    }
}

/// Reads the bounds of contacts: a table `contact,min_mA,max_mA`; contacts that it leaves out have the common bound.
fn bounds(path: &Path, contacts: usize, spec: &LimitsSpec) -> Result<Vec<[f64; 2]>, StudyError> {
    let at = |error: StudyError| error.at(path.display());
    let text = std::fs::read_to_string(path).map_err(|error| at(StudyError::request(error)))?;
    let mut bounds = vec![None; contacts];
    let mut lines = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty());
    let header = lines.next().map(|(_, line)| line.trim());
    if header != Some("contact,min_mA,max_mA") {
        return Err(at(StudyError::request(format!(
            "found the columns `{}`, expected `contact,min_mA,max_mA`",
            header.unwrap_or_default()
        ))));
    }
    for (line, text) in lines {
        let wrong = |expected: &str| {
            at(StudyError::request(format!(
                "line {}: found `{text}`, expected {expected}",
                line + 1
            )))
        };
        let cells: Vec<&str> = text.split(',').map(str::trim).collect();
        let [contact, least, largest] = cells[..] else {
            return Err(wrong("a contact and two currents in mA"));
        };
        let (Ok(contact), Ok(least), Ok(largest)) = (
            contact.parse::<usize>(),
            least.parse::<f64>(),
            largest.parse::<f64>(),
        ) else {
            return Err(wrong("a contact and two currents in mA"));
        };
        if !(least < largest && least.is_finite() && largest.is_finite()) {
            return Err(wrong("two finite currents in mA, the lower one first"));
        }
        match bounds.get_mut(contact) {
            Some(place @ None) => *place = Some([least, largest]),
            Some(Some(_)) => return Err(wrong("each contact once")),
            None => return Err(wrong(&format!("a contact from 0 to {}", contacts - 1))),
        }
    }
    let common = [-spec.bound_ma(), spec.bound_ma()];
    Ok(bounds
        .into_iter()
        .map(|own| own.unwrap_or(common))
        .collect())
}

/// The settings of descents.
pub(super) fn descent(study: &Study) -> DescentOptions {
    let gd = &study.gd;
    DescentOptions {
        rule: match gd.rule() {
            DescentRule::Adam => Steps::Adam,
            DescentRule::Ranger => Steps::Rated(Rule::RANGER),
            DescentRule::Lbfgs => Steps::Lbfgs,
        },
        steps: gd.steps(),
        rate: gd.lr(study.stimulus.varies(Varied::Samples)),
        final_share: gd.lr_end(),
        schedule: match gd.schedule() {
            ScheduleSpec::Constant => Schedule::Constant,
            ScheduleSpec::Cosine => Schedule::Cosine,
            ScheduleSpec::Exponential => Schedule::Exponential,
        },
        clip: gd.clip,
        centralize: gd.centralize,
        softness: gd.softness(),
        early_stop: gd.early_stop(),
    }
}

/// The settings of an evolution of so many unknowns, but for its first members.
pub(super) fn evolution(study: &Study, unknowns: usize) -> Result<EvolutionOptions, StudyError> {
    let de = &study.de;
    let protocol = protocol(study)?;
    let jade = de.adaptation().jade();
    Ok(EvolutionOptions {
        settings: EvolutionSettings {
            population: de.population(
                unknowns,
                protocol.pareto().is_none() && protocol.objective().is_of_activation(),
            ),
            strategy: de.strategy(),
            control: de.control(),
            pbest: jade.p,
            archive: jade.archive,
            boundary: de.boundary().into(),
            seed: study.numerics.seed.unwrap_or(0),
            ..EvolutionSettings::default()
        },
        generations: de.generations(),
        patience: de.patience(),
        target: de.target_loss,
    })
}
