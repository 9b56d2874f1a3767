//! `[de]`: differential evolution.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use axonml_models::conditions::cell;
use axonml_optimize::{Boundary, Control, Crossover, Mutation, Strategy};
use serde::{Deserialize, Serialize};

use super::names::BoundarySpec;
use super::span::Span;
use super::written::{as_text, unknown};
use crate::study::StudyError;
use crate::study::spec::check::{idle, optional};

/// Differential evolution.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeSpec {
    /// Composition of mutants and their crossover; `best1bin` by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strategy: Option<Strategy>,
    /// Scale factor of differences, or the ends of a range from which each trial draws its own; 0.8 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mutation: Option<Span>,
    /// Probability that a number is the mutant's; 1 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recombination: Option<f64>,
    /// Adaptation of both: `none`, by default, or `jade:c=0.1,p=0.15,archive=0`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adaptation: Option<AdaptationSpec>,
    /// Members; by default 10 for each unknown, or 300 where the objective is one of activation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub population: Option<usize>,
    /// Generations; 100 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generations: Option<usize>,
    /// The first members: `scan` (the best montages among random ones), by default, `random`, `rlhs`, `mlhs` (Latin
    /// hypercubes) or `FILE` (.npy or .json).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub init: Option<DeInit>,
    /// Treatment of numbers beyond their bounds; `reinit` by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boundary: Option<BoundarySpec>,
    /// Generations without a better best member after which it ends; 20 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patience: Option<usize>,
    /// A loss that is good enough; none by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_loss: Option<f64>,
}

impl DeSpec {
    /// Members of a population whose objective is one of activation.
    const OF_ACTIVATION: usize = 300;
    /// Members for each unknown.
    const EACH: usize = 10;

    pub(in crate::study::spec) fn is_empty(&self) -> bool {
        *self == DeSpec::default()
    }

    /// Composition of mutants and their crossover.
    pub fn strategy(&self) -> Strategy {
        self.strategy.unwrap_or(Strategy {
            mutation: Mutation::Best1,
            crossover: Crossover::Binomial,
        })
    }

    /// Least and greatest scale factor.
    pub fn mutation(&self) -> [f64; 2] {
        self.mutation.map_or([0.8, 0.8], |span| span.0)
    }

    /// Probability that a number is the mutant's.
    pub fn recombination(&self) -> f64 {
        self.recombination.unwrap_or(1.0)
    }

    /// Adaptation of scale factor and recombination.
    pub fn adaptation(&self) -> AdaptationSpec {
        self.adaptation.unwrap_or(AdaptationSpec::None)
    }

    /// The choice of scale factors and recombination rates, in the optimizer's terms.
    pub fn control(&self) -> Control {
        match self.adaptation() {
            AdaptationSpec::Jade(jade) => Control::Jade { c: jade.c },
            AdaptationSpec::None => {
                let [low, high] = self.mutation();
                Control::Fixed {
                    mutation: (low, high),
                    recombination: self.recombination(),
                }
            }
        }
    }

    /// Members, of so many unknowns.
    pub fn population(&self, unknowns: usize, is_of_activation: bool) -> usize {
        let least = self.strategy().least_population();
        self.population.unwrap_or(match is_of_activation {
            true => Self::OF_ACTIVATION,
            false => unknowns.saturating_mul(Self::EACH).max(least),
        })
    }

    /// Generations.
    pub fn generations(&self) -> usize {
        self.generations.unwrap_or(100)
    }

    /// The first members.
    pub fn init(&self) -> DeInit {
        self.init.clone().unwrap_or(DeInit::Scan)
    }

    /// Treatment of numbers beyond their bounds.
    pub fn boundary(&self) -> BoundarySpec {
        self.boundary.unwrap_or(BoundarySpec::Reinit)
    }

    /// Generations without a better best member after which it ends.
    pub fn patience(&self) -> usize {
        self.patience.unwrap_or(20)
    }
}

impl DeSpec {
    /// The same table with every default that acts written out, but for the population, which follows from the number of
    /// unknowns.
    #[must_use]
    pub fn completed(&self) -> Self {
        let fixed = self.adaptation() == AdaptationSpec::None;
        DeSpec {
            strategy: Some(self.strategy()),
            mutation: fixed.then(|| Span(self.mutation())),
            recombination: fixed.then(|| self.recombination()),
            adaptation: Some(self.adaptation()),
            population: self.population,
            generations: Some(self.generations()),
            init: Some(self.init()),
            boundary: Some(self.boundary()),
            patience: Some(self.patience()),
            target_loss: self.target_loss,
        }
    }
}

impl DeSpec {
    pub(super) fn check(&self) -> Result<(), StudyError> {
        let strategy = self.strategy();
        let least = strategy.least_population();
        if let Some(population) = self.population.filter(|population| *population < least) {
            return Err(StudyError::request(format!(
                "population: found {population}, expected {least} or more, which {strategy} needs"
            ))
            .help("raise it, or leave it out for the default"));
        }
        if let Some(Span([low, high])) = self.mutation
            && !(0.0 <= low && low <= high && high > 0.0 && high <= 2.0)
        {
            return Err(StudyError::request(format!(
                "mutation: found {}, expected a scale factor above 0, at most 2, or a range of them, the lower one first",
                Span([low, high])
            ))
            .help("give one such as 0.8, or 0.5:1"));
        }
        optional(
            "recombination",
            self.recombination,
            cell::between("", 0.0, 1.0),
        )?;
        for (key, count) in [
            ("generations", self.generations),
            ("patience", self.patience),
        ] {
            if count == Some(0) {
                let problem = format!("{key}: found 0, expected 1 or more");
                return Err(StudyError::request(problem)
                    .help("correct the number, or leave it out for the default"));
            }
        }
        optional("target_loss", self.target_loss, cell::finite(""))?;
        let adapted = [
            ("mutation", self.mutation.is_some()),
            ("recombination", self.recombination.is_some()),
        ];
        match (self.adaptation(), adapted.iter().find(|(_, given)| *given)) {
            (AdaptationSpec::Jade(_), Some((key, _))) => {
                Err(idle(key, "jade adapts it").help("leave it out, or set adaptation = \"none\""))
            }
            _ => Ok(()),
        }
    }
}

impl From<BoundarySpec> for Boundary {
    fn from(boundary: BoundarySpec) -> Self {
        match boundary {
            BoundarySpec::Resample => Boundary::Resample,
            BoundarySpec::Clip => Boundary::Clip,
            BoundarySpec::Reflect => Boundary::Reflect,
            BoundarySpec::Wrap => Boundary::Wrap,
            BoundarySpec::Midpoint => Boundary::Midpoint,
            BoundarySpec::Reinit => Boundary::Reinit,
        }
    }
}

/// Adaptation of scale factor and recombination rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AdaptationSpec {
    /// They stay.
    None,
    /// By JADE.
    Jade(Jade),
}

/// Settings of JADE.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Jade {
    /// Weight of a generation in the means.
    pub c: f64,
    /// Share of the population that `currenttopbest` chooses its best members from.
    pub p: f64,
    /// Replaced parents kept, at most.
    pub archive: usize,
}

impl Default for Jade {
    fn default() -> Self {
        Jade {
            c: 0.1,
            p: 0.15,
            archive: 0,
        }
    }
}

impl AdaptationSpec {
    /// The settings of JADE; its defaults where nothing is adapted.
    pub fn jade(self) -> Jade {
        match self {
            AdaptationSpec::Jade(jade) => jade,
            AdaptationSpec::None => Jade::default(),
        }
    }
}

impl fmt::Display for AdaptationSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AdaptationSpec::None => f.write_str("none"),
            AdaptationSpec::Jade(Jade { c, p, archive }) => {
                write!(f, "jade:c={c},p={p},archive={archive}")
            }
        }
    }
}

impl FromStr for AdaptationSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const EXAMPLE: &str = "jade:c=0.1,p=0.15,archive=0";
        let (name, settings) = text.split_once(':').unwrap_or((text, ""));
        match (name.trim(), settings) {
            ("none", "") => return Ok(AdaptationSpec::None),
            ("jade", _) => {}
            _ => return Err(unknown(text, ["none", "jade", EXAMPLE].into_iter())),
        }
        let mut jade = Jade::default();
        for setting in settings.split(',').filter(|one| !one.trim().is_empty()) {
            let (key, value) = setting.split_once('=').ok_or_else(|| {
                format!("found `{setting}`, expected key=value, such as {EXAMPLE}")
            })?;
            let (key, value) = (key.trim(), value.trim());
            let share = || {
                let parsed = value.parse().ok().filter(|x: &f64| *x > 0.0 && *x <= 1.0);
                parsed.ok_or_else(|| {
                    format!("{key} is `{value}`, expected a number above 0, at most 1")
                })
            };
            match key {
                "c" => jade.c = share()?,
                "p" => jade.p = share()?,
                "archive" => {
                    jade.archive = value.parse().map_err(|_| {
                        format!("archive is `{value}`, expected a number of members, 0 or more")
                    })?;
                }
                _ => return Err(unknown(key, ["c", "p", "archive"].into_iter())),
            }
        }
        Ok(AdaptationSpec::Jade(jade))
    }
}

as_text!(AdaptationSpec);

/// The first members of a population.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeInit {
    /// The best montages, and random ones.
    Scan,
    /// Uniformly at random.
    Random,
    /// A random Latin hypercube.
    Rlhs,
    /// A maximin Latin hypercube.
    Mlhs,
    /// Given members, `(member, unknown)`.
    File(PathBuf),
}

impl fmt::Display for DeInit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DeInit::Scan => f.write_str("scan"),
            DeInit::Random => f.write_str("random"),
            DeInit::Rlhs => f.write_str("rlhs"),
            DeInit::Mlhs => f.write_str("mlhs"),
            DeInit::File(path) => path.display().fmt(f),
        }
    }
}

impl FromStr for DeInit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim() {
            "scan" => Ok(DeInit::Scan),
            "random" => Ok(DeInit::Random),
            "rlhs" => Ok(DeInit::Rlhs),
            "mlhs" => Ok(DeInit::Mlhs),
            file if [".npy", ".json"].iter().any(|end| file.ends_with(end)) => {
                Ok(DeInit::File(file.into()))
            }
            other => {
                let valid = ["scan", "random", "rlhs", "mlhs", "FILE.npy", "FILE.json"];
                Err(unknown(other, valid.into_iter()))
            }
        }
    }
}

as_text!(DeInit);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adaptations_are_read_as_they_are_written() {
        for text in ["none", "jade:c=0.2,p=0.05,archive=30"] {
            assert_eq!(text.parse::<AdaptationSpec>().unwrap().to_string(), text);
        }
        let short: AdaptationSpec = "jade:p=0.3".parse().unwrap();
        assert_eq!(
            short.jade(),
            Jade {
                p: 0.3,
                ..Jade::default()
            }
        );
        assert_eq!("jade".parse(), Ok(AdaptationSpec::Jade(Jade::default())));
        for (wrong, part) in [
            ("jad", "did you mean `jade`"),
            ("none:c=1", "expected none, jade"),
            ("jade:c=0", "c is `0`, expected a number above 0, at most 1"),
            ("jade:archive=-1", "0 or more"),
            ("jade:archiv=1", "did you mean `archive`"),
            ("jade:0.1", "key=value"),
        ] {
            let why = wrong.parse::<AdaptationSpec>().unwrap_err();
            assert!(why.contains(part), "{why}");
        }
    }

    #[test]
    fn populations_grow_with_the_unknowns() {
        let de = DeSpec::default();
        assert_eq!(de.population(6, false), 60);
        assert_eq!(de.population(6, true), 300);
        let few = DeSpec {
            population: Some(7),
            ..DeSpec::default()
        };
        assert_eq!(few.population(6, true), 7);
    }
}
