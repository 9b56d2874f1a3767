//! Descent with a learning rate.

use serde::{Deserialize, Serialize};

use super::adam::Adam;
use super::lookahead::Lookahead;
use super::moments::Momenta;
use super::rectified::RectifiedAdam;
use super::schedule::Schedule;
use super::slope::{Slope, all_finite, norm};
use crate::error::{OptimizeError, check_count, check_length, check_positive};
use crate::fitness::Fitness;
use crate::optimizer::{Optimizer, Point, Stop, check_start, keep_best};
use crate::projection::{Projection, projected_gradient};

/// The rule of an update.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Rule {
    /// [`Adam`].
    #[default]
    Adam,
    /// [`RectifiedAdam`] within a [`Lookahead`].
    Ranger {
        /// Updates after which the slow coordinates follow.
        period: usize,
        /// Share of the way that they go.
        share: f64,
    },
}

impl Rule {
    /// Ranger with the period of 6 and the share of 0.5 by which it became known.
    pub const RANGER: Rule = Rule::Ranger {
        period: 6,
        share: 0.5,
    };
}

/// Settings of a descent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DescentSettings {
    /// The rule of an update.
    pub rule: Rule,
    /// Decay of its running means.
    pub momenta: Momenta,
    /// Learning rate, in units of the coordinates.
    pub rate: f64,
    /// Updates during which the learning rate rises.
    pub warmup: usize,
    /// Learning-rate schedule after warm-up.
    pub schedule: Schedule,
    /// Share of the learning rate that a falling schedule ends with.
    pub final_share: f64,
    /// Updates.
    pub steps: usize,
    /// A longer gradient is shortened to this length.
    pub clip: Option<f64>,
    /// Gradient centralization: subtracts the mean of the gradient's components, so that they, and with them the
    /// coordinates' changes before adaptive rates, sum to zero. It is not a regularization here, but a constraint.
    ///
    /// # Source
    /// H. Yong et al., "Gradient centralization: a new optimization technique for deep neural networks", ECCV 2020,
    /// arXiv:2004.01461, equation 1.
    pub centralize: bool,
}

impl Default for DescentSettings {
    fn default() -> Self {
        DescentSettings {
            rule: Rule::Adam,
            momenta: Momenta::default(),
            rate: 0.01,
            warmup: 0,
            schedule: Schedule::Cosine,
            final_share: 0.1,
            steps: 100,
            clip: None,
            centralize: false,
        }
    }
}

impl DescentSettings {
    /// Checks every number.
    ///
    /// # Errors
    /// [`OptimizeError::Setting`] naming the first that makes no sense.
    pub fn check(&self) -> Result<(), OptimizeError> {
        check_positive("rate", self.rate)?;
        check_positive("epsilon", self.momenta.epsilon)?;
        if let Some(clip) = self.clip {
            check_positive("clip", clip)?;
        }
        let decays = [("beta1", self.momenta.beta1), ("beta2", self.momenta.beta2)];
        for (what, found) in decays {
            if !(0.0..1.0).contains(&found) {
                let expected = "a number from 0 to below 1";
                return Err(OptimizeError::setting(what, found, expected));
            }
        }
        let least = match self.schedule {
            Schedule::Exponential => f64::MIN_POSITIVE,
            _ => 0.0,
        };
        if !(least..=1.0).contains(&self.final_share) {
            let expected = "a number from 0 to 1, above 0 for an exponential schedule";
            return Err(OptimizeError::setting(
                "final share",
                self.final_share,
                expected,
            ));
        }
        if let Rule::Ranger { period, share } = self.rule {
            if period == 0 {
                return Err(OptimizeError::setting("period", period, "1 or more"));
            }
            if !(share > 0.0 && share <= 1.0) {
                let expected = "a number above 0, 1 at most";
                return Err(OptimizeError::setting("share", share, expected));
            }
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Memory {
    Adam(Adam),
    Ranger(RectifiedAdam, Lookahead),
}

/// Descent along gradients with a learning rate, from one start, within a feasible set.
///
/// Losses need not be comparable from step to step (they may be annealed): updates depend on gradients alone, and the
/// best point is kept by the fitness that is told beside them. The point after the last update is evaluated, too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Descent<F> {
    settings: DescentSettings,
    x: Vec<f64>,
    memory: Memory,
    updates: usize,
    best: Option<Point<F>>,
    stop: Option<Stop>,
}

impl<F: Fitness> Descent<F> {
    /// A descent from `start`, moved into `set`.
    ///
    /// # Errors
    /// [`OptimizeError::Setting`] for settings or a start that make no sense.
    pub fn new(
        settings: DescentSettings,
        mut start: Vec<f64>,
        set: &dyn Projection,
    ) -> Result<Self, OptimizeError> {
        settings.check()?;
        check_start(&mut start, set)?;
        let memory = match settings.rule {
            Rule::Adam => Memory::Adam(Adam::new(start.len())),
            Rule::Ranger { period, share } => Memory::Ranger(
                RectifiedAdam::new(start.len()),
                Lookahead::new(start.clone(), period, share),
            ),
        };
        Ok(Descent {
            settings,
            memory,
            x: start,
            updates: 0,
            best: None,
            stop: None,
        })
    }

    /// Updates made.
    pub fn updates(&self) -> usize {
        self.updates
    }

    /// The gradient as the rule sees it: along the feasible set. With the whole gradient, adaptive rates would come to
    /// rest where its rescaled components leave the set, and not where it does itself.
    fn prepared(&self, mut gradient: Vec<f64>, set: &dyn Projection) -> Vec<f64> {
        if self.settings.centralize {
            let mean = gradient.iter().sum::<f64>() / gradient.len().max(1) as f64;
            gradient.iter_mut().for_each(|g| *g -= mean);
        }
        gradient = projected_gradient(&self.x, &gradient, self.settings.rate, set);
        if let Some(clip) = self.settings.clip {
            let length = norm(&gradient);
            if length > clip {
                gradient.iter_mut().for_each(|g| *g *= clip / length);
            }
        }
        gradient
    }
}

impl<F: Fitness> Optimizer for Descent<F> {
    type Told = Slope<F>;
    type Fitness = F;

    fn ask(&self) -> Vec<Vec<f64>> {
        match self.stop {
            None => vec![self.x.clone()],
            Some(_) => Vec::new(),
        }
    }

    fn check(&self, told: &[Slope<F>]) -> Result<(), OptimizeError> {
        check_count(told.len(), usize::from(self.stop.is_none()))?;
        told.iter()
            .try_for_each(|told| check_length("gradient", 0, told.gradient.len(), self.x.len()))
    }

    fn tell(&mut self, told: Vec<Slope<F>>, set: &dyn Projection) -> Result<(), OptimizeError> {
        self.check(&told)?;
        for Slope { fitness, gradient } in told {
            keep_best(&mut self.best, &self.x, &fitness);
            if !(fitness.is_number() && all_finite(&gradient)) {
                self.stop = Some(Stop::NotFinite);
            } else if self.updates == self.settings.steps {
                self.stop = Some(Stop::Steps);
            } else {
                let gradient = self.prepared(gradient, set);
                let settings = &self.settings;
                let share = settings.schedule.share(
                    self.updates,
                    settings.steps,
                    settings.warmup,
                    settings.final_share,
                );
                let (rate, momenta) = (share * settings.rate, settings.momenta);
                match &mut self.memory {
                    Memory::Adam(adam) => adam.update(&mut self.x, &gradient, rate, momenta),
                    Memory::Ranger(radam, lookahead) => {
                        radam.update(&mut self.x, &gradient, rate, momenta);
                        // The slow coordinates shall follow feasible ones.
                        set.project(&mut self.x);
                        lookahead.follow(&mut self.x);
                    }
                }
                set.project(&mut self.x);
                self.updates += 1;
            }
        }
        Ok(())
    }

    fn best(&self) -> Option<&Point<F>> {
        self.best.as_ref()
    }

    fn stop(&self) -> Option<Stop> {
        self.stop
    }
}
