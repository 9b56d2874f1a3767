//! The questions of studies with their settings. What a question does is in the file of its name in `protocol`.

use axonml_models::Precision;
use serde::{Deserialize, Serialize};

use super::list::pair;
use super::{Numbers, OneOrMany, OptimizeProtocol};

/// The question of a study with its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
pub enum Protocol {
    /// Thresholds of conduction block.
    #[serde(rename = "block")]
    Block(BlockProtocol),
    /// Thresholds over distance.
    #[serde(rename = "current-distance")]
    CurrentDistance(CurrentDistanceProtocol),
    /// Conduction velocities.
    #[serde(rename = "cv")]
    Cv(CvProtocol),
    /// Currents through contacts that activate some fibers and spare others.
    #[serde(rename = "optimize")]
    Optimize(OptimizeProtocol),
    /// Thresholds after a conditioning action potential.
    #[serde(rename = "recovery")]
    Recovery(RecoveryProtocol),
    /// The fraction of fibers that amplitudes activate.
    #[serde(rename = "recruitment")]
    Recruitment(RecruitmentProtocol),
    /// Counts of action potentials over amplitude.
    #[serde(rename = "response")]
    Response(ResponseProtocol),
    /// Rheobases.
    #[serde(rename = "rheobase")]
    Rheobase(RheobaseProtocol),
    /// Runs at one amplitude.
    #[serde(rename = "run")]
    Run(RunProtocol),
    /// Thresholds over pulse width.
    #[serde(rename = "strength-duration")]
    StrengthDuration(StrengthDurationProtocol),
    /// Activation thresholds.
    #[serde(rename = "threshold")]
    Threshold(ThresholdProtocol),
}

impl Default for Protocol {
    fn default() -> Self {
        Protocol::Threshold(ThresholdProtocol::default())
    }
}

impl Protocol {
    /// The names of all questions.
    pub const KINDS: &[&str] = &[
        "block",
        "current-distance",
        "cv",
        "optimize",
        "recovery",
        "recruitment",
        "response",
        "rheobase",
        "run",
        "strength-duration",
        "threshold",
    ];

    /// Its name in studies.
    pub fn kind(&self) -> &'static str {
        match self {
            Protocol::Block(_) => "block",
            Protocol::CurrentDistance(_) => "current-distance",
            Protocol::Cv(_) => "cv",
            Protocol::Optimize(_) => "optimize",
            Protocol::Recovery(_) => "recovery",
            Protocol::Recruitment(_) => "recruitment",
            Protocol::Response(_) => "response",
            Protocol::Rheobase(_) => "rheobase",
            Protocol::Run(_) => "run",
            Protocol::StrengthDuration(_) => "strength-duration",
            Protocol::Threshold(_) => "threshold",
        }
    }

    /// Default arithmetic: single precision for counts over many long runs and for searches among many stimuli, else double.
    pub fn precision(&self) -> Precision {
        match self {
            Protocol::Response(_) | Protocol::Optimize(_) => Precision::F32,
            _ => Precision::F64,
        }
    }
}

/// `kind = "threshold"`: the activation threshold of every case. Its settings are those of [`Study::search`](super::Study::search).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ThresholdProtocol {}

/// `kind = "run"`: every case at one amplitude.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RunProtocol {
    /// Amplitude of the extracellular stimulus, mA (of a basis: its multiple); 1 by default.
    ///
    /// Key: `amplitude_mA`.
    #[serde(rename = "amplitude_mA", skip_serializing_if = "Option::is_none")]
    pub amplitude_ma: Option<f64>,
    /// Recording; none by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<RecordSpec>,
}

/// Recording of a run: the voltage, and the state variables named here.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RecordSpec {
    /// State variables; `all` for all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub states: Vec<String>,
    /// Steps between recorded rows; 1 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every: Option<usize>,
    /// Nodes, negative from the end; all by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nodes: Option<Vec<i64>>,
}

/// `kind = "block"`: excitation threshold, block threshold and re-excitation threshold of a kHz signal.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BlockProtocol {
    /// The test pulses whose transmission is judged.
    pub test_pulse: TestPulseSpec,
}

/// Test pulses: currents into one node, each of which starts an action potential that arrives at the last detection site or
/// does not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TestPulseSpec {
    /// 0-based node; negative from the end.
    pub node: i64,
    /// Current, nA.
    ///
    /// Key: `amp_nA`.
    #[serde(rename = "amp_nA")]
    pub amp_na: f64,
    /// Pulse width, ms.
    pub pw_ms: f64,
    /// Onsets, ms.
    pub at_ms: OneOrMany<f64>,
}

impl Default for TestPulseSpec {
    fn default() -> Self {
        TestPulseSpec {
            node: 5,
            amp_na: 2.0,
            pw_ms: 0.1,
            at_ms: OneOrMany(vec![20.0, 25.0, 30.0, 35.0]),
        }
    }
}

/// `kind = "response"`: how many action potentials arrive at the last detection site, at each amplitude of each case.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ResponseProtocol {
    /// Amplitudes, mA: a list, or `start:stop:count`; 0 to 2 in 21 steps by default.
    ///
    /// Key: `amplitude_mA`.
    #[serde(rename = "amplitude_mA", skip_serializing_if = "Option::is_none")]
    pub amplitude_ma: Option<Numbers>,
    /// Test pulses whose transmission is judged; without them only counts are told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_pulse: Option<TestPulseSpec>,
}

/// `kind = "cv"`: the conduction velocity between two sites.
///
/// The action potential is started by the study's injected current, by its field at `amplitude_mA`, or by a synapse; by a
/// current at a tenth of the length where it has none of these.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CvProtocol {
    /// The sites as fractions of the length.
    #[serde(
        deserialize_with = "pair::deserialize",
        skip_serializing_if = "Option::is_none"
    )]
    pub at: Option<[f64; 2]>,
    /// The sites as nodes, negative from the end.
    #[serde(
        deserialize_with = "pair::deserialize",
        skip_serializing_if = "Option::is_none"
    )]
    pub nodes: Option<[i64; 2]>,
    /// Amplitude of the field, mA.
    ///
    /// Key: `amplitude_mA`.
    #[serde(rename = "amplitude_mA", skip_serializing_if = "Option::is_none")]
    pub amplitude_ma: Option<f64>,
    /// The synapse that starts it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub synapse: Option<SynapseSpec>,
}

/// A synapse: a conductance that opens at once and decays exponentially.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SynapseSpec {
    /// 0-based node; negative from the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<i64>,
    /// The same as a fraction of the length; 0.1 where no node is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<f64>,
    /// Conductance, uS.
    ///
    /// Key: `g_uS`.
    #[serde(rename = "g_uS")]
    pub g_us: f64,
    /// Time constant of its decay, ms.
    pub tau_ms: f64,
    /// Reversal potential, mV.
    ///
    /// Key: `e_mV`.
    #[serde(rename = "e_mV")]
    pub e_mv: f64,
    /// Time of its opening, ms.
    pub delay_ms: f64,
}

impl Default for SynapseSpec {
    fn default() -> Self {
        SynapseSpec {
            node: None,
            at: None,
            g_us: 0.1,
            tau_ms: 0.1,
            e_mv: 0.0,
            delay_ms: 1.0,
        }
    }
}

/// `kind = "recovery"`: the threshold of a test stimulus after a conditioning action potential, relative to its threshold
/// without one, over the interval between the onsets of the two.
///
/// The conditioning current is the study's, or 3 nA for 0.2 ms into the middle node at 1 ms. The stimulus begins an interval
/// after its onset, in place of the pulse's own delay.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RecoveryProtocol {
    /// Intervals from the onset of the conditioning current to the onset of the stimulus, ms; 2, 3, 5, 10, 20,
    /// 40, 70 and 100 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intervals_ms: Option<OneOrMany<f64>>,
}

/// `kind = "recruitment"`: the weighted fraction of fibers that each amplitude activates.
///
/// A fiber of a nerve counts by the share that its line stands for, a group by its `weight`. Fibers without a threshold
/// are never active; those whose threshold is not known (`spontaneous`, `diverged`, `error`) are named and not counted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RecruitmentProtocol {
    /// Amplitudes at which the fractions are told, mA.
    ///
    /// Key: `at_mA`.
    #[serde(rename = "at_mA", skip_serializing_if = "Option::is_none")]
    pub at_ma: Option<OneOrMany<f64>>,
}

/// `kind = "strength-duration"`: thresholds over pulse width, and the laws of Weiss and Lapicque fitted to them.
///
/// The widths are those of the source (`pulse_width_ms`); 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2 and 5 ms by default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StrengthDurationProtocol {}

/// `kind = "current-distance"`: thresholds over the distance of a point electrode from the fiber, and the law of Stoney,
/// Thompson and Asanuma fitted to them.
///
/// The distances are those of the field (`distance_um`); 200, 300, 500, 750, 1000, 1500 and 2000 um by default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CurrentDistanceProtocol {}

/// `kind = "rheobase"`: the threshold of a rectangular pulse of `pw_ms`, which is the rheobase of every fiber that fires at
/// its beginning or not at all.
///
/// A fit of thresholds at several widths ([`StrengthDurationProtocol`]) extrapolates; this is
/// a threshold that was simulated.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RheobaseProtocol {
    /// Pulse width, ms; 20 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pw_ms: Option<f64>,
}
