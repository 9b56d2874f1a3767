//! Results of an optimization, from what its search found and its proof confirmed.

use std::collections::BTreeMap;

use super::folder::WAVEFORMS;
use super::proof::{Claim, Proof};
use super::subject::Subject;
use crate::design::{
    Baseline, Delivered, DesignResult, Dose, FiberResult, HistoryRow, Judged, ParetoPoint, Reached,
    Scan, Scanned, StartResult, Tally, Widths,
};
use crate::study::{OptimizeProtocol, Study, StudyError, Varied};

/// A stimulus that may be delivered, with what the limits have to do with it.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) delivered: Delivered,
    pub(super) active: Vec<bool>,
    pub(super) widths: Widths,
    pub(super) limits: Vec<String>,
    pub(super) shannon_k: Vec<Option<f64>>,
    pub(super) compliance_v: Option<Vec<f64>>,
}

/// The stimulus that a search ended with, and its way.
#[derive(Clone, Debug)]
pub(super) struct Finding {
    pub(super) best: Found,
    /// The best montages of each kind that obey the limits, where they are other stimuli.
    pub(super) montages: Vec<Found>,
    pub(super) status: String,
    pub(super) seconds: f64,
    pub(super) tally: Tally,
    pub(super) history: Vec<HistoryRow>,
    pub(super) scan: Scan,
    pub(super) starts: Vec<Reached>,
    pub(super) method: String,
    pub(super) iterations: usize,
    pub(super) pareto: Vec<ParetoPoint>,
}

impl Found {
    /// The stimulus as it is verified.
    pub(super) fn claim(&self) -> Claim {
        Claim {
            stimulus: self.delivered.clone(),
            active: self.active.clone(),
        }
    }
}

/// The parts of results that are known before the search.
pub(super) struct Draft<'a> {
    subject: &'a Subject,
    base: DesignResult,
    with_baselines: bool,
}

impl<'a> Draft<'a> {
    pub(super) fn new(subject: &'a Subject, study: &Study, protocol: &OptimizeProtocol) -> Self {
        let of_samples = study.stimulus.varies(Varied::Samples);
        Draft {
            subject,
            base: DesignResult {
                nerve: subject.name(),
                method: protocol.method().to_string(),
                objective: objective(protocol),
                seed: study.numerics.seed.unwrap_or(0),
                status: "running".into(),
                // Elsewhere contacts share one, that of the request.
                waveform: of_samples.then(|| WAVEFORMS.to_owned()),
                ..DesignResult::default()
            },
            with_baselines: protocol.baselines(),
        }
    }

    pub(super) fn nerve(&self) -> &str {
        &self.base.nerve
    }

    /// A stimulus on the way, as its search has it.
    pub(super) fn claimed(&self, judged: &Judged, tally: &Tally, seconds: f64) -> DesignResult {
        let (delivered, thresholds) = (judged.delivered(), judged.thresholds());
        let active = self.subject.active(&thresholds);
        // Those of copies follow.
        let own = &thresholds[..active.len()];
        let mut result = self.of(&delivered, own, &active, None);
        self.count(&mut result, tally, seconds);
        result
    }

    /// A stimulus that the search ended with, with the figures of its proof.
    pub(super) fn verified(
        &self,
        found: &Finding,
        stimulus: &Found,
        proof: &Proof,
        baselines: BTreeMap<String, Baseline>,
    ) -> DesignResult {
        let best = baselines.get(BEST).map(|best| best.thresholds.clone());
        let best = best.or_else(|| Some(best_montage(&found.scan)?.thresholds.clone()));
        let best = best.as_deref();
        let mut result = self.of(&stimulus.delivered, &proof.thresholds, &proof.active, best);
        self.count(&mut result, &found.tally, found.seconds);
        result.status.clone_from(&found.status);
        result.pw_ms = stimulus.widths.pw_ms;
        result.gap_ms = stimulus.widths.gap_ms;
        result.limits_active.clone_from(&stimulus.limits);
        let knows = stimulus.shannon_k.iter().any(Option::is_some);
        result.shannon_k = knows.then(|| stimulus.shannon_k.clone());
        result.compliance_v.clone_from(&stimulus.compliance_v);
        result.iterations = found.iterations;
        result.pareto.clone_from(&found.pareto);
        result.starts = found.starts.iter().map(start).collect();
        result.baselines = baselines;
        result.verified = Some(proof.figures.clone());
        result
    }

    fn count(&self, result: &mut DesignResult, tally: &Tally, seconds: f64) {
        result.evaluations = tally.evaluations;
        result.thresholds = tally.thresholds;
        result.gradients = tally.gradients;
        result.seconds = seconds;
        result.candidate_nerves_per_s = match seconds > 0.0 {
            true => tally.candidates() as f64 / seconds,
            false => 0.0,
        };
    }

    fn of(
        &self,
        delivered: &Delivered,
        thresholds: &[Option<f64>],
        active: &[bool],
        baseline: Option<&[Option<f64>]>,
    ) -> DesignResult {
        let goal = &self.subject.goal;
        let outcome = goal.outcome(active);
        let dose = Dose::of(delivered);
        let steps = delivered
            .waveforms
            .first()
            .map_or(0, |waveform| waveform.len());
        let currents = delivered.in_ma();
        let sums = (0..steps).map(|step| currents.iter().map(|of| of[step]).sum::<f64>());
        let finite = |number: f64| number.is_finite().then_some(number);
        let [last_target, first_other] = goal.target_window(thresholds);
        DesignResult {
            amplitudes_ma: delivered.amplitudes_ma.clone(),
            target_pct: outcome.target_pct,
            offtarget_pct: outcome.offtarget_pct,
            misclassified: outcome.misclassified,
            wbce: outcome.wbce,
            separation: finite(goal.separation(thresholds)),
            window: [finite(last_target), finite(first_other)],
            charge_nc: dose.charge_nc,
            charge_phase_nc: (0..delivered.contacts())
                .map(|of| delivered.charge_phase_nc(of))
                .collect(),
            energy: dose.energy_ma2_ms,
            peak_ma: dose.peak_ma,
            sum_ma: sums.fold(0.0, |most: f64, sum| most.max(sum.abs())),
            fibers: self.fibers(thresholds, active, baseline),
            ..self.base.clone()
        }
    }

    fn fibers(
        &self,
        thresholds: &[Option<f64>],
        active: &[bool],
        baseline: Option<&[Option<f64>]>,
    ) -> Vec<FiberResult> {
        let each = self.subject.fibers.iter().enumerate();
        each.map(|(fiber, who)| {
            let nerve = self.subject.nerve(who.nerve);
            let xy = nerve.and_then(|nerve| nerve.fibers_xy_um());
            let line = who.member.line.unwrap_or(who.member.fiber);
            FiberResult {
                fiber: who.member.fiber,
                group: who.member.group_name.clone(),
                fascicle: who.member.fascicle,
                diameter_um: who.member.diameter_um,
                xy_um: xy.and_then(|xy| Some([*xy.get((line, 0))?, *xy.get((line, 1))?])),
                target: self.subject.goal.targets()[fiber],
                weight: self.subject.goal.weights()[fiber],
                threshold: thresholds[fiber],
                active: active[fiber],
                baseline_threshold: baseline.and_then(|of| of[fiber]),
            }
        })
        .collect()
    }

    /// The best montage of each kind and the best of all that obey the limits, if the result is compared with them.
    pub(super) fn montages<'s>(&self, scan: &'s Scan) -> Vec<(&'static str, &'s Scanned)> {
        if !self.with_baselines {
            return Vec::new();
        }
        let mut montages: Vec<(&'static str, &Scanned)> = Vec::new();
        for scanned in &scan.montages {
            let kind = scanned.montage.kind.name();
            if montages.iter().all(|(known, _)| *known != kind) {
                montages.push((kind, scanned));
            }
        }
        montages.extend(best_montage(scan).map(|best| (BEST, best)));
        montages
    }
}

/// Name of the best montage among those that a result is compared with.
const BEST: &str = "best";

/// A montage as it is verified.
pub(super) fn claim(scanned: &Scanned) -> Claim {
    let active = |threshold: &Option<f64>| threshold.is_some_and(|least| least <= 1.0);
    Claim {
        stimulus: scanned.judged.delivered(),
        active: scanned.thresholds.iter().map(active).collect(),
    }
}

/// The montages with the figures of their proofs, without those that have none.
pub(super) fn baselines(
    montages: &[(&'static str, &Scanned)],
    proofs: impl Iterator<Item = Result<Proof, StudyError>>,
) -> BTreeMap<String, Baseline> {
    let each = montages.iter().zip(proofs);
    let proven = each.filter_map(|((name, scanned), proof)| {
        let Proof {
            figures,
            thresholds,
            ..
        } = proof.ok()?;
        let verified = Baseline {
            target_pct: figures.target_pct,
            offtarget_pct: figures.offtarget_pct,
            misclassified: figures.misclassified,
            wbce: figures.wbce,
            separation: figures.separation,
            thresholds,
            ..baseline(scanned)
        };
        Some(((*name).to_owned(), verified))
    });
    proven.collect()
}

/// Name of the objective, or of the two of a front.
fn objective(protocol: &OptimizeProtocol) -> String {
    match protocol.pareto() {
        Some([first, second]) => format!("{first},{second}"),
        None => protocol.objective().to_string(),
    }
}

/// The best montage that obeys the limits; where none does, the best of all.
fn best_montage(scan: &Scan) -> Option<&Scanned> {
    let mut within = scan.montages.iter().filter(|scanned| scanned.within_limits);
    within.next().or(scan.best())
}

/// A montage as the search has it.
pub(super) fn baseline(scanned: &Scanned) -> Baseline {
    let score = scanned.score();
    Baseline {
        amplitudes_ma: scanned.amplitudes_ma.clone(),
        contacts: scanned.montage.contacts.clone(),
        target_pct: scanned.outcome.target_pct,
        offtarget_pct: scanned.outcome.offtarget_pct,
        misclassified: scanned.outcome.misclassified,
        wbce: scanned.outcome.wbce,
        separation: score.separation.is_finite().then_some(score.separation),
        charge_nc: score.dose.charge_nc,
        peak_ma: score.dose.peak_ma,
        thresholds: scanned.thresholds.clone(),
    }
}

fn start(reached: &Reached) -> StartResult {
    StartResult {
        init: reached.init.clone(),
        misclassified: reached.score.misclassified,
        separation: reached
            .score
            .separation
            .is_finite()
            .then_some(reached.score.separation),
        iterations: reached.iterations,
    }
}
