//! A study as data: what its TOML or JSON text may say.
//!
//! Every key is optional unless its page says otherwise; what is not given has the default of the command line's flag of
//! that meaning. Physical numbers carry their unit in the key.

pub(super) mod check;
mod design;
mod distribution;
mod fibers;
mod field;
mod list;
mod numbers;
mod option;
mod protocol;
mod search;
mod stimulus;
mod text;

use std::borrow::Cow;
use std::path::PathBuf;

use axonml_models::description::FiberDescription;
use axonml_models::{Detection, NodeSelection, Precision, RateEvaluation};
use serde::{Deserialize, Serialize};

pub use design::*;
pub use distribution::{Diameters, Distribution};
pub use fibers::{FiberGroup, Offset, StartSpec};
pub use field::{FieldSpec, PointSpec, Resistivity};
pub use list::OneOrMany;
pub use numbers::Numbers;
pub use protocol::*;
pub use search::{EndExcitation, SearchSpec};
pub use stimulus::{ConditioningSpec, InjectionSpec, PULSE, SourceSpec};

/// Time step unless a study says otherwise, ms.
pub const DT_MS: f64 = 0.005;

/// An experiment as data: fibers, field, stimulus, protocol, numerics.
///
/// It is written as TOML or JSON; unknown keys are refused with the nearest valid one. The same study gives the same
/// bytes of results, whatever the threads, batches or shares it is computed in.
///
/// # Example
/// ```
/// use axonml::study::Study;
///
/// let study = Study::from_toml(r#"
///     [fibers]
///     model = "mrg"
///     diameter_um = [5.7, 8.7]
///
///     [field]
///     distance_um = 1000
///
///     [[source]]
///     pulse = "monophasic:pw=0.1,delay=0.1"
///
///     [protocol]
///     kind = "threshold"
/// "#)?;
/// assert_eq!(study.fibers[0].model.as_deref(), Some("mrg"));
///
/// let wrong = Study::from_toml("[fibers]\ndiametr_um = 5.7").unwrap_err();
/// assert!(wrong.to_string().contains("did you mean `diameter_um`?"));
/// # Ok::<(), axonml::study::StudyError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Study {
    /// The fibers: one table, or a list of tables, one per group.
    #[serde(with = "list::tables", skip_serializing_if = "Vec::is_empty")]
    pub fibers: Vec<FiberGroup>,
    /// Fiber models of one's own, in the form of fiber files; the groups name them by id.
    ///
    /// Key: `model`.
    #[serde(
        rename = "model",
        with = "list::tables",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub models: Vec<FiberDescription>,
    /// The extracellular field; nothing flows outside the fibers without one.
    #[serde(skip_serializing_if = "FieldSpec::is_empty")]
    pub field: FieldSpec,
    /// Waveforms of the field, or of single contacts or points: one table, or a list.
    ///
    /// Key: `source`.
    #[serde(
        rename = "source",
        with = "list::tables",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub sources: Vec<SourceSpec>,
    /// Currents injected into nodes.
    ///
    /// Key: `inject`.
    #[serde(
        rename = "inject",
        with = "list::tables",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub injections: Vec<InjectionSpec>,
    /// Currents injected to start an action potential before the stimulus under study.
    #[serde(with = "list::tables", skip_serializing_if = "Vec::is_empty")]
    pub conditioning: Vec<ConditioningSpec>,
    /// A table of conditions, one case a row, in place of `fibers` and `field`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conditions: Option<ConditionsSpec>,
    /// Detection of action potentials.
    #[serde(skip_serializing_if = "DetectionSpec::is_empty")]
    pub detection: DetectionSpec,
    /// The question.
    pub protocol: Protocol,
    /// Stimuli to choose from, of an optimization.
    #[serde(skip_serializing_if = "StimulusSpec::is_empty")]
    pub stimulus: StimulusSpec,
    /// Limits that stimuli obey, of an optimization.
    #[serde(skip_serializing_if = "LimitsSpec::is_empty")]
    pub limits: LimitsSpec,
    /// Gradient descent, of an optimization.
    #[serde(skip_serializing_if = "GdSpec::is_empty")]
    pub gd: GdSpec,
    /// Differential evolution, of an optimization.
    #[serde(skip_serializing_if = "DeSpec::is_empty")]
    pub de: DeSpec,
    /// Copies that differ by chance, of an optimization.
    #[serde(skip_serializing_if = "RobustSpec::is_empty")]
    pub robust: RobustSpec,
    /// Search for thresholds, of the protocols that have one.
    #[serde(skip_serializing_if = "SearchSpec::is_empty")]
    pub search: SearchSpec,
    /// Steps, duration, arithmetic.
    #[serde(skip_serializing_if = "NumericsSpec::is_empty")]
    pub numerics: NumericsSpec,
    /// Handling of cases that cannot be computed.
    #[serde(skip_serializing_if = "OutputSpec::is_empty")]
    pub output: OutputSpec,
}

impl Study {
    /// The waveforms of the study's sources: those it has, or the default one; that of `[stimulus]` in an optimization.
    pub(in crate::study) fn sources_or_default(&self) -> Cow<'_, [SourceSpec]> {
        match &self.protocol {
            Protocol::Optimize(_) => Cow::Owned(vec![SourceSpec {
                pulse: Some(self.stimulus.waveform().to_owned().into()),
                ..SourceSpec::default()
            }]),
            _ if self.sources.is_empty() => Cow::Owned(vec![SourceSpec::default()]),
            _ => Cow::Borrowed(&self.sources),
        }
    }
}

/// A table of conditions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConditionsSpec {
    /// The table.
    pub file: PathBuf,
    /// The folder of the nerve folders that rows name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nerves: Option<PathBuf>,
}

/// Detection of action potentials.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DetectionSpec {
    /// Nodes where an action potential counts once it arrives there, any of them; negative from the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nodes: Option<OneOrMany<i64>>,
    /// The same as fractions of the fiber's length.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<OneOrMany<f64>>,
    /// Level of the upward crossing, mV.
    ///
    /// Key: `threshold_mV`.
    #[serde(rename = "threshold_mV", skip_serializing_if = "Option::is_none")]
    pub threshold_mv: Option<f64>,
    /// Crossings before this time do not count, ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after_ms: Option<f64>,
}

impl DetectionSpec {
    fn is_empty(&self) -> bool {
        *self == DetectionSpec::default()
    }

    /// The sites, if they are given.
    pub fn sites(&self) -> Option<NodeSelection> {
        let nodes = self.nodes.as_ref();
        let at = self.at.as_ref();
        nodes
            .map(|nodes| NodeSelection::Nodes(nodes.0.clone()))
            .or_else(|| at.map(|at| NodeSelection::Fractions(at.0.clone())))
    }

    /// The criterion, with the library's defaults.
    pub fn detection(&self) -> Detection {
        let default = Detection::default();
        Detection {
            sites: self.sites().unwrap_or(default.sites),
            threshold_mv: self.threshold_mv.unwrap_or(default.threshold_mv),
            after_ms: self.after_ms.unwrap_or(default.after_ms),
        }
    }
}

/// Steps, duration, arithmetic.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NumericsSpec {
    /// Time step, ms; 0.005 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dt_ms: Option<f64>,
    /// Duration, ms; by default 5, or what an action potential needs to arrive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tstop_ms: Option<f64>,
    /// `f32` or `f64`.
    #[serde(with = "text::optional", skip_serializing_if = "Option::is_none")]
    pub precision: Option<PrecisionSpec>,
    /// Evaluation of rates: `exact`, by default, or `table`.
    #[serde(with = "text::optional", skip_serializing_if = "Option::is_none")]
    pub rates: Option<RatesSpec>,
    /// `auto`, `cpu`, `cuda` or `cuda:N`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backend: Option<String>,
    /// Seed of what is drawn at random: diameters, places.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

impl NumericsSpec {
    fn is_empty(&self) -> bool {
        *self == NumericsSpec::default()
    }

    /// Time step, ms.
    pub fn dt_ms(&self) -> f64 {
        self.dt_ms.unwrap_or(DT_MS)
    }

    /// Duration, ms, where nothing needs longer.
    pub fn tstop_ms(&self) -> f64 {
        self.tstop_ms.unwrap_or(axonml_models::DEFAULT_TSTOP_MS)
    }
}

/// Arithmetic, as studies write it: `f32` or `f64`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrecisionSpec(pub Precision);

impl std::fmt::Display for PrecisionSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.name())
    }
}

impl std::str::FromStr for PrecisionSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = [Precision::F32, Precision::F64];
        let found = all.into_iter().find(|precision| precision.name() == text);
        found
            .map(PrecisionSpec)
            .ok_or_else(|| format!("found `{text}`, expected f32 or f64"))
    }
}

/// Evaluation of rates, as studies write it: `exact` or `table`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RatesSpec(pub RateEvaluation);

impl std::fmt::Display for RatesSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.name())
    }
}

impl std::str::FromStr for RatesSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rates = text.parse().map(RatesSpec);
        rates.map_err(|_| format!("found `{text}`, expected exact or table"))
    }
}

/// Handling of cases that cannot be computed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OutputSpec {
    /// Whether a case that cannot be computed is reported as `error` instead of refusing the study.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub keep_going: bool,
}

impl OutputSpec {
    fn is_empty(&self) -> bool {
        *self == OutputSpec::default()
    }
}
