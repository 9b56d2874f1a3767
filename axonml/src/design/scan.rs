//! Thresholds of all montages of a cuff.

use axonml_models::{Basis, Progress, ThresholdSearch};
use axonml_optimize::ranking;
use ndarray::Array2;

use super::multiples::{self, Multiples};
use super::{DesignError, Dose, Goal, Montage, MontageKind, Outcome, Scale, Score};

/// The montages of a cuff with their scores, best first.
#[derive(Clone, Debug, PartialEq)]
pub struct Scan {
    /// All montages in the order of results (that of [`Score`]).
    pub montages: Vec<Scanned>,
}

/// A montage at its best scale.
#[derive(Clone, Debug, PartialEq)]
pub struct Scanned {
    /// The montage.
    pub montage: Montage,
    /// Threshold of each fiber, as a multiple of the montage; `None` of fibers that never fire below the limits.
    pub thresholds: Vec<Option<f64>>,
    /// Fibers whose action potential begins at an end of the simulated piece: their thresholds are those of the piece.
    pub end_excitation: Vec<usize>,
    /// The multiple at which it serves the goal best.
    pub best: Scale,
    /// Currents of the contacts at that multiple, mA.
    pub amplitudes_ma: Vec<f64>,
    /// Area that it activates there.
    pub outcome: Outcome,
    /// Its score there.
    pub score: Score,
}

impl Scan {
    /// The best montage of a kind; `None` if the cuff has none.
    pub fn best_of(&self, kind: MontageKind) -> Option<&Scanned> {
        self.montages
            .iter()
            .find(|scanned| scanned.montage.kind == kind)
    }

    /// The best montage.
    pub fn best(&self) -> Option<&Scanned> {
        self.montages.first()
    }
}

/// Finds the thresholds of all [montages](Montage::all), and the multiple of each that serves the goal best.
///
/// # Errors
/// [`DesignError`] if the goal has another number of fibers than the basis, a fiber fires without stimulus or diverges, or
/// the simulation fails.
pub fn scan(
    basis: &Basis,
    goal: &Goal,
    waveform: &[f64],
    search: &ThresholdSearch,
    progress: &mut Progress<'_>,
) -> Result<Scan, DesignError> {
    let simulation = basis.simulation();
    multiples::check(basis, goal)?;
    let montages = Montage::all(basis.contacts());
    let gains = Array2::from_shape_fn((montages.len(), basis.contacts()), |(montage, contact)| {
        montages[montage].gains[contact]
    });
    let found = basis.thresholds(gains.view(), search, None, progress)?;
    let dt_ms = simulation.grid().dt_ms();
    let mut scanned = Vec::with_capacity(montages.len());
    for (candidate, montage) in montages.into_iter().enumerate() {
        let Multiples {
            thresholds,
            end_excitation,
        } = Multiples::of(candidate, found.row(candidate))?;
        let best = goal.best_scale(&thresholds, search.max_ma);
        let amplitudes_ma: Vec<f64> = montage.gains.iter().map(|gain| gain * best.scale).collect();
        let dose = Dose::of(&amplitudes_ma, waveform, dt_ms);
        scanned.push(Scanned {
            outcome: goal.outcome(&goal.active_at(&thresholds, best.scale)),
            score: Score::new(goal, &thresholds, best.scale, dose),
            montage,
            thresholds,
            end_excitation,
            best,
            amplitudes_ma,
        });
    }
    let scores: Vec<Score> = scanned.iter().map(|scanned| scanned.score).collect();
    let in_order = ranking(&scores)
        .into_iter()
        .map(|place| scanned[place].clone());
    Ok(Scan {
        montages: in_order.collect(),
    })
}
