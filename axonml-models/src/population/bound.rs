//! Candidates that have lost: a bound on a loss that is a sum over fibers.

use axonml_core::CoreError;

/// Fibers that are simulated before losses are compared with the limit again.
const STAGE: usize = 8;

/// A loss of candidates that is a sum over fibers, and a limit beyond which it need not be known.
///
/// Fibers are simulated in stages, those on which the loss depends most first. After each stage a candidate whose loss
/// is above the limit whatever its remaining fibers do is given up, and these fibers are
/// [`Activation::NotRun`](crate::Activation::NotRun). Which fibers are run depends on the candidate's own loss alone.
#[derive(Clone, Debug, PartialEq)]
pub struct LossBound {
    if_fires: Vec<f64>,
    if_silent: Vec<f64>,
    limit: f64,
    /// Limits of candidates that have one of their own; empty if all have the same.
    limits: Vec<f64>,
    stages: Vec<Vec<usize>>,
}

impl LossBound {
    /// A loss to which each fiber adds one number if it fires (also without the stimulus), and another if it does not; a
    /// fiber whose run diverges adds the smaller one.
    ///
    /// # Errors
    /// [`CoreError`] if there are not equally many of both, or one of them or the limit is not a number of 0 or more.
    pub fn new(if_fires: Vec<f64>, if_silent: Vec<f64>, limit: f64) -> Result<Self, CoreError> {
        if if_fires.len() != if_silent.len() {
            return Err(CoreError::Shape {
                what: "the losses of silent fibers".into(),
                expected: format!("{}, one per fiber", if_fires.len()),
                found: if_silent.len().to_string(),
            });
        }
        let all = if_fires.iter().chain(&if_silent).chain([&limit]);
        if let Some(bad) = all.into_iter().find(|x| x.is_nan() || **x < 0.0) {
            return Err(CoreError::BadValue {
                what: "a loss of a fiber, or the limit".into(),
                found: bad.to_string(),
                expected: "a number of 0 or more".into(),
            });
        }
        let mut order: Vec<usize> = (0..if_fires.len()).collect();
        let weight = |&fiber: &usize| (if_fires[fiber] - if_silent[fiber]).abs();
        order.sort_by(|a, b| weight(b).total_cmp(&weight(a)));
        let stages = order.chunks(STAGE).map(<[usize]>::to_vec).collect();
        Ok(LossBound {
            if_fires,
            if_silent,
            limit,
            limits: Vec::new(),
            stages,
        })
    }

    /// The same with a limit of its own for each candidate.
    ///
    /// # Errors
    /// [`CoreError`] if a limit is not a number of 0 or more.
    pub fn with_limits(self, limits: Vec<f64>) -> Result<Self, CoreError> {
        let mut each = limits.iter().enumerate();
        if let Some((candidate, bad)) = each.find(|(_, x)| x.is_nan() || **x < 0.0) {
            return Err(CoreError::BadValue {
                what: format!("the limit of candidate {candidate}"),
                found: bad.to_string(),
                expected: "a number of 0 or more".into(),
            });
        }
        Ok(LossBound { limits, ..self })
    }

    /// The loss of a candidate whose every fiber has fired, or not; `None` of diverged ones.
    pub fn loss(&self, fires: impl IntoIterator<Item = Option<bool>>) -> f64 {
        let each = fires.into_iter().enumerate();
        each.map(|(fiber, fires)| self.of_fiber(fiber, fires)).sum()
    }

    pub(super) fn check(&self, candidates: usize, fibers: usize) -> Result<(), CoreError> {
        let same = |what: &str, found: usize, expected: usize, of: &str| match found == expected {
            true => Ok(()),
            false => Err(CoreError::Shape {
                what: what.into(),
                expected: format!("{expected}, one per {of}"),
                found: found.to_string(),
            }),
        };
        same("the losses of fibers", self.if_fires.len(), fibers, "fiber")?;
        match self.limits.len() {
            0 => Ok(()),
            found => same("the limits of losses", found, candidates, "candidate"),
        }
    }

    /// The fibers of each stage.
    pub(super) fn stages(&self) -> &[Vec<usize>] {
        &self.stages
    }

    /// Part of a fiber in the loss; the smaller one if it is not known whether it fires.
    pub(super) fn of_fiber(&self, fiber: usize, fires: Option<bool>) -> f64 {
        match fires {
            Some(true) => self.if_fires[fiber],
            Some(false) => self.if_silent[fiber],
            None => self.if_fires[fiber].min(self.if_silent[fiber]),
        }
    }

    pub(super) fn is_lost(&self, candidate: usize, least_loss: f64) -> bool {
        least_loss > *self.limits.get(candidate).unwrap_or(&self.limit)
    }
}
