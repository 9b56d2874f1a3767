//! Results of an optimization, as its files and reports have them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Score;

/// The result of an optimization on one nerve (or on several that share a stimulus).
///
/// Figures of the stimulus as a whole (`target_pct` to `separation`) are those of [`Verified`], where it was verified.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DesignResult {
    /// The nerve.
    pub nerve: String,
    /// `scan`, `gd`, `de`, or `de, then gd`.
    pub method: String,
    /// Objective.
    pub objective: String,
    /// Seed of all that is random.
    pub seed: u64,
    /// `done`, `stopped: REASON` or `interrupted`.
    pub status: String,
    /// Amplitude of each contact, mA: its current is this times its waveform.
    #[serde(rename = "amplitudes_mA")]
    pub amplitudes_ma: Vec<f64>,
    /// Width of the first phase, ms, where the waveform has one.
    pub pw_ms: Option<f64>,
    /// Pause between the phases, ms, where the waveform has one.
    pub gap_ms: Option<f64>,
    /// File with the waveform of each contact.
    pub waveform: Option<String>,
    /// Part of the targets' area that fires, %.
    pub target_pct: f64,
    /// Part of the others' area that fires, %.
    pub offtarget_pct: f64,
    /// Area that does what it should not.
    pub misclassified: f64,
    /// Weighted binary cross-entropy.
    pub wbce: f64,
    /// Least threshold of the others over the largest of the targets; none where no other fiber ever fires.
    pub separation: Option<f64>,
    /// Multiples of the stimulus between which it does the same; none where there is no end.
    pub window: [Option<f64>; 2],
    /// Sum over contacts of the charge of the larger phase, nC.
    #[serde(rename = "charge_nC")]
    pub charge_nc: f64,
    /// Charge of the larger phase of each contact, nC.
    #[serde(rename = "charge_phase_nC")]
    pub charge_phase_nc: Vec<f64>,
    /// Sum over contacts of the integral of the squared current, mA2 ms.
    pub energy: f64,
    /// Largest current of a contact, mA.
    #[serde(rename = "peak_mA")]
    pub peak_ma: f64,
    /// Largest sum of the contacts' currents, without sign, mA: what returns at a distance.
    #[serde(rename = "sum_mA")]
    pub sum_ma: f64,
    /// Shannon's k of each contact; none where its area is not known.
    pub shannon_k: Option<Vec<Option<f64>>>,
    /// Voltage of each contact, V; none where impedances are not known.
    #[serde(rename = "compliance_V")]
    pub compliance_v: Option<Vec<f64>>,
    /// Limits that the stimulus reaches.
    pub limits_active: Vec<String>,
    /// Stimuli whose activation of the nerve was simulated.
    pub evaluations: usize,
    /// Stimuli whose thresholds were searched.
    pub thresholds: usize,
    /// Stimuli whose gradients were computed.
    pub gradients: usize,
    /// Time that the optimization took, s.
    pub seconds: f64,
    /// Stimuli looked at in a second.
    pub candidate_nerves_per_s: f64,
    /// Steps or generations.
    pub iterations: usize,
    /// The best of each start.
    pub starts: Vec<StartResult>,
    /// The best montages: `monopolar`, `bipolar`, `tripolar`, and `best` of those that obey the limits (of all, where none
    /// does).
    pub baselines: BTreeMap<String, Baseline>,
    /// The stimulus in double precision, at the default extent of fibers.
    pub verified: Option<Verified>,
    /// The stimulus under small changes.
    pub robust: Option<Robust>,
    /// Every fiber at the stimulus as delivered.
    pub fibers: Vec<FiberResult>,
    /// Stimuli of which none is better in both objectives.
    pub pareto: Vec<ParetoPoint>,
}

/// The best that a start led to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StartResult {
    /// Where it began.
    pub init: String,
    /// Area that does what it should not.
    pub misclassified: f64,
    /// As [`DesignResult::separation`].
    pub separation: Option<f64>,
    /// Updates.
    pub iterations: usize,
}

/// A montage at its best scale.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// Amplitude of each contact, mA.
    #[serde(rename = "amplitudes_mA")]
    pub amplitudes_ma: Vec<f64>,
    /// Its contacts, the center first.
    pub contacts: Vec<usize>,
    /// As [`DesignResult::target_pct`].
    pub target_pct: f64,
    /// As [`DesignResult::offtarget_pct`].
    pub offtarget_pct: f64,
    /// As [`DesignResult::misclassified`].
    pub misclassified: f64,
    /// As [`DesignResult::wbce`].
    pub wbce: f64,
    /// As [`DesignResult::separation`].
    pub separation: Option<f64>,
    /// As [`DesignResult::charge_nc`].
    #[serde(rename = "charge_nC")]
    pub charge_nc: f64,
    /// As [`DesignResult::peak_ma`].
    #[serde(rename = "peak_mA")]
    pub peak_ma: f64,
    /// Threshold of each fiber as a multiple of these amplitudes; none where a fiber never fires.
    pub thresholds: Vec<Option<f64>>,
}

/// A stimulus on the exact fiber.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Verified {
    /// The models.
    pub model: String,
    /// Arithmetic.
    pub precision: String,
    /// Time step, ms.
    pub dt_ms: f64,
    /// Least and largest number of nodes of the fibers.
    pub nodes: [usize; 2],
    /// As [`DesignResult::target_pct`].
    pub target_pct: f64,
    /// As [`DesignResult::offtarget_pct`].
    pub offtarget_pct: f64,
    /// As [`DesignResult::misclassified`].
    pub misclassified: f64,
    /// As [`DesignResult::wbce`].
    pub wbce: f64,
    /// As [`DesignResult::separation`].
    pub separation: Option<f64>,
    /// Fibers whose response to the stimulus is not that which their threshold says, or which the optimization had
    /// otherwise.
    pub disagreeing_fibers: Vec<usize>,
    /// Fibers whose action potential begins at an end of the simulated piece: their thresholds are those of the piece.
    pub end_excitation: Vec<usize>,
}

/// Mean, 5th or 95th percentile, and the worst of perturbed copies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Mean.
    pub mean: f64,
    /// The percentile on the bad side: 5th of targets, 95th of others and of losses.
    pub p95: f64,
    /// The worst.
    pub worst: f64,
}

/// A stimulus under small changes of itself and of the fibers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Robust {
    /// Perturbed copies.
    pub n: usize,
    /// Part of the targets' area that fires, %.
    pub target_pct: Spread,
    /// Part of the others' area that fires, %.
    pub offtarget_pct: Spread,
    /// Weighted binary cross-entropy.
    pub wbce: Spread,
    /// Mean of `misclassified` where only one thing changes: amplitude, diameter, offset, rotation, dt.
    pub by: BTreeMap<String, f64>,
    /// Changes that could not be made, and why.
    pub left_out: Vec<String>,
}

/// A fiber at the stimulus as delivered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FiberResult {
    /// Its number in the nerve.
    pub fiber: usize,
    /// Its group, where there are several.
    pub group: String,
    /// Its fascicle, where the nerve tells.
    pub fascicle: Option<usize>,
    /// Diameter, um.
    pub diameter_um: f64,
    /// Where it lies across the nerve, um.
    pub xy_um: Option<[f64; 2]>,
    /// Whether it should fire.
    pub target: bool,
    /// Share of the nerve that it stands for.
    pub weight: f64,
    /// The least multiple of the stimulus that fires it; none if none below the limits does.
    pub threshold: Option<f64>,
    /// Whether it fires at the stimulus as delivered.
    pub active: bool,
    /// The same at the best montage.
    pub baseline_threshold: Option<f64>,
}

/// A stimulus of a front.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ParetoPoint {
    /// Amplitude of each contact, mA.
    #[serde(rename = "amplitudes_mA")]
    pub amplitudes_ma: Vec<f64>,
    /// The two objectives, by the names of the request.
    pub objectives: [f64; 2],
    /// Width of the first phase, ms, where it varies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pw_ms: Option<f64>,
    /// Pause between the phases, ms, where it varies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gap_ms: Option<f64>,
}

/// A row of the history: a step or a generation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HistoryRow {
    /// The start, of descents.
    pub start: usize,
    /// Step or generation, from 0.
    pub iteration: usize,
    /// Time since the beginning, s.
    #[serde(default)]
    pub seconds: f64,
    /// Stimuli looked at so far.
    pub evaluations: usize,
    /// Loss of this point, or the least of the members after this generation.
    pub loss: f64,
    /// Median loss of the members after the generation.
    pub median_loss: Option<f64>,
    /// Best so far.
    pub misclassified: f64,
    /// Best so far; none where no other fiber ever fires.
    pub separation: Option<f64>,
    /// Of the best so far, nC.
    #[serde(rename = "charge_nC")]
    pub charge_nc: f64,
    /// JADE's mean scale factor.
    #[serde(rename = "mu_F")]
    pub mu_f: Option<f64>,
    /// JADE's mean recombination rate.
    #[serde(rename = "mu_CR")]
    pub mu_cr: Option<f64>,
}

/// The columns of a history row that tell of the best so far.
pub(super) fn best_so_far(best: Option<&Score>) -> HistoryRow {
    let Some(best) = best else {
        return HistoryRow::default();
    };
    HistoryRow {
        misclassified: best.misclassified,
        separation: finite(best.separation),
        charge_nc: best.dose.charge_nc,
        ..HistoryRow::default()
    }
}

/// A number; none where it is infinite.
pub(super) fn finite(number: f64) -> Option<f64> {
    number.is_finite().then_some(number)
}

/// A result with all that its report shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DesignRecord {
    /// The request, as results carry it.
    pub request: serde_json::Value,
    /// The result.
    pub result: DesignResult,
    /// The best montages, in the order of results; none in the record of a folder.
    pub montages: Vec<Baseline>,
    /// Steps or generations.
    pub history: Vec<HistoryRow>,
    /// Begin of each step, ms.
    pub times_ms: Vec<f64>,
    /// Current of each contact over time, mA.
    pub currents_ma: Vec<Vec<f64>>,
    /// Least and largest current that each contact may deliver, mA.
    pub bounds_ma: Vec<[f64; 2]>,
    /// The cross-section of the nerve, where it is known.
    pub geometry: Option<axonml_core::NerveGeometry>,
}
