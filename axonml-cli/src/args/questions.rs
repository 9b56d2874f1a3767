//! Flags of the questions about fibers in a field: recruitment, curves, responses, velocities.

use std::str::FromStr;

use axonml::study::{Numbers, SynapseSpec, TestPulseSpec};
use axonml::table::names;
use clap::{Args, Subcommand};

use super::number::{Fractions, Nodes, NotNegatives, Positives, finite};
use super::{
    DetectionArgs, FiberArgs, FieldArgs, InjectionArgs, ModelArgs, NumericsArgs, OutputArgs,
    PlotArgs, SearchArgs, WaveformArgs,
};

/// Fibers, field and stimulus of a question, and where its results go.
#[derive(Debug, Args)]
pub(crate) struct QuestionArgs {
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    #[command(flatten)]
    pub(crate) fiber: FiberArgs,
    #[command(flatten)]
    pub(crate) field: FieldArgs,
    #[command(flatten)]
    pub(crate) waveform: WaveformArgs,
    #[command(flatten)]
    pub(crate) injection: InjectionArgs,
    #[command(flatten)]
    pub(crate) detection: DetectionArgs,
    #[command(flatten)]
    pub(crate) search: SearchArgs,
    #[command(flatten)]
    pub(crate) numerics: NumericsArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) plot: PlotArgs,
}

/// Flags of `axonml recruitment`.
#[derive(Debug, Args)]
pub(crate) struct RecruitmentArgs {
    /// Amplitudes at which the activated fractions are told, mA
    #[arg(
        long,
        value_name = "MA",
        allow_hyphen_values = true,
        help_heading = "Recruitment"
    )]
    pub(crate) at: Option<NotNegatives>,
    #[command(flatten)]
    pub(crate) question: QuestionArgs,
}

/// The curves.
#[derive(Debug, Subcommand)]
pub(crate) enum CurveCommand {
    /// Thresholds over pulse width, with rheobase and chronaxie
    StrengthDuration(CurveArgs),
    /// Thresholds over the distance of a point electrode
    CurrentDistance(CurveArgs),
    /// Thresholds after a conditioning action potential, over the interval
    Recovery(RecoveryArgs),
}

/// Flags of a curve.
#[derive(Debug, Args)]
pub(crate) struct CurveArgs {
    #[command(flatten)]
    pub(crate) question: QuestionArgs,
}

/// Flags of `axonml curve recovery`.
#[derive(Debug, Args)]
pub(crate) struct RecoveryArgs {
    /// From conditioning onset to stimulus onset, ms [default: 2,3,5,10,20,40,70,100]
    #[arg(
        long,
        value_name = "MS",
        allow_hyphen_values = true,
        help_heading = "Recovery"
    )]
    pub(crate) interval: Option<Positives>,
    #[command(flatten)]
    pub(crate) question: QuestionArgs,
}

/// Flags of conduction block, for `axonml threshold --block`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Conduction block")]
pub(crate) struct BlockArgs {
    /// Excitation, block and re-excitation thresholds of a kHz signal
    #[arg(long, conflicts_with = "conditions")]
    pub(crate) block: bool,
    /// Test pulses: node=5,amp=2,pw=0.1,at=20,25,30,35 (nA, ms)
    #[arg(
        long,
        value_name = "KEY=VALUE,...",
        allow_hyphen_values = true,
        requires = "block"
    )]
    pub(crate) test_pulse: Option<TestPulse>,
}

/// Flags of `axonml response`.
#[derive(Debug, Args)]
pub(crate) struct ResponseArgs {
    /// Amplitudes, mA: 0.1,0.2 or start:stop:count [default: 0:2:21]
    #[arg(
        long,
        value_name = "MA",
        allow_hyphen_values = true,
        help_heading = "Response"
    )]
    pub(crate) amplitude: Option<Numbers>,
    /// Test pulses: node=5,amp=2,pw=0.1,at=20,25,30,35 (nA, ms)
    #[arg(
        long,
        value_name = "KEY=VALUE,...",
        allow_hyphen_values = true,
        help_heading = "Response"
    )]
    pub(crate) test_pulse: Option<TestPulse>,
    #[command(flatten)]
    pub(crate) question: QuestionArgs,
}

/// Flags of `axonml cv`.
#[derive(Debug, Args)]
pub(crate) struct CvArgs {
    /// Sites as fractions of the length [default: 0.25,0.75]
    #[arg(
        long,
        value_name = "A,B",
        conflicts_with = "sites",
        help_heading = "Velocity"
    )]
    pub(crate) at: Option<Fractions>,
    /// Sites as nodes, from 0, negative from the end
    #[arg(
        long,
        value_name = "A,B",
        allow_hyphen_values = true,
        help_heading = "Velocity"
    )]
    pub(crate) sites: Option<Nodes>,
    /// Amplitude of the field, mA, where it starts the action potential
    #[arg(long, value_name = "MA", value_parser = finite("mA"), allow_negative_numbers = true, help_heading = "Velocity")]
    pub(crate) amplitude: Option<f64>,
    /// Start: intracellular, extracellular or synapse:node=..,g=..,tau=..
    #[arg(
        long,
        value_name = "HOW",
        allow_hyphen_values = true,
        help_heading = "Velocity"
    )]
    pub(crate) start_by: Option<StartBy>,
    #[command(flatten)]
    pub(crate) question: QuestionArgs,
}

/// Start of an action potential.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum StartBy {
    /// An injected current.
    Intracellular,
    /// The field.
    Extracellular,
    /// A synapse.
    Synapse(SynapseSpec),
}

impl FromStr for StartBy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const NAMES: [&str; 3] = ["intracellular", "extracellular", "synapse"];
        let (name, settings) = text.split_once(':').unwrap_or((text, ""));
        match (name.trim(), settings.trim()) {
            ("intracellular", "") => Ok(StartBy::Intracellular),
            ("extracellular", "") => Ok(StartBy::Extracellular),
            ("synapse", settings) => synapse(settings).map(StartBy::Synapse),
            (name, _) => Err(unknown("start", name, &NAMES)),
        }
    }
}

fn unknown(what: &str, found: &str, valid: &[&str]) -> String {
    let hint = names::nearest(found, valid.iter().copied())
        .map(|nearest| format!(" (did you mean `{nearest}`?)"))
        .unwrap_or_default();
    format!(
        "unknown {what} `{found}`{hint}; valid: {}",
        valid.join(", ")
    )
}

fn number(key: &str, text: &str) -> Result<f64, String> {
    let parsed = text.trim().parse().ok();
    parsed
        .filter(|x: &f64| x.is_finite())
        .ok_or_else(|| format!("{key} is `{text}`: expected a finite number"))
}

fn node(text: &str) -> Result<i64, String> {
    text.trim().parse().map_err(|_| {
        format!("node is `{text}`: expected a whole number, 0 being the first node and -1 the last")
    })
}

/// A synapse: node or at (fraction), g in uS, tau and delay in ms, e in mV.
fn synapse(settings: &str) -> Result<SynapseSpec, String> {
    const KEYS: [&str; 6] = ["node", "at", "g", "tau", "e", "delay"];
    let mut spec = SynapseSpec::default();
    for setting in settings
        .split(',')
        .filter(|setting| !setting.trim().is_empty())
    {
        let (key, value) = setting
            .split_once('=')
            .ok_or("expected synapse:key=value,..., e.g. synapse:node=10,g=0.1,tau=0.1")?;
        let key = key.trim();
        match key {
            "node" => spec.node = Some(node(value)?),
            "at" => spec.at = Some(number(key, value)?),
            "g" => spec.g_us = number(key, value)?,
            "tau" => spec.tau_ms = number(key, value)?,
            "e" => spec.e_mv = number(key, value)?,
            "delay" => spec.delay_ms = number(key, value)?,
            _ => return Err(unknown("key", key, &KEYS)),
        }
    }
    Ok(spec)
}

/// Test pulses: `node=5,amp=2,pw=0.1,at=20,25,30,35`, numbers without a key being further onsets.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TestPulse(pub(crate) TestPulseSpec);

impl FromStr for TestPulse {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const KEYS: [&str; 4] = ["node", "amp", "pw", "at"];
        let mut spec = TestPulseSpec::default();
        let mut onsets: Option<Vec<f64>> = None;
        for setting in text.split(',') {
            let Some((key, value)) = setting.split_once('=') else {
                // A further onset.
                let onset = number("at", setting)?;
                match &mut onsets {
                    Some(onsets) => onsets.push(onset),
                    None => {
                        return Err(format!(
                            "found `{setting}`, expected key=value,..., e.g. node=5,amp=2,pw=0.1,at=20,25,30,35"
                        ));
                    }
                }
                continue;
            };
            let key = key.trim();
            match key {
                "node" => spec.node = node(value)?,
                "amp" => spec.amp_na = number(key, value)?,
                "pw" => spec.pw_ms = number(key, value)?,
                "at" => onsets = Some(vec![number(key, value)?]),
                _ => return Err(unknown("key", key, &KEYS)),
            }
        }
        if let Some(onsets) = onsets {
            spec.at_ms = onsets.into();
        }
        Ok(TestPulse(spec))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_pulses_and_starts_are_read_and_refused() {
        let read = |text: &str| text.parse::<TestPulse>().map(|pulse| pulse.0);
        let found = read("node=-6,amp=3,pw=0.2,at=10,12.5,15").unwrap();
        assert_eq!((found.node, found.amp_na, found.pw_ms), (-6, 3.0, 0.2));
        assert_eq!(found.at_ms.0, [10.0, 12.5, 15.0]);
        assert_eq!(read("at=10,20,node=7").unwrap().node, 7);
        assert!(read("10,20").unwrap_err().contains("key=value"));
        assert!(read("nod=1").unwrap_err().contains("did you mean `node`"));

        let start = |text: &str| text.parse::<StartBy>();
        let StartBy::Synapse(found) = start("synapse:node=18,g=0.2,tau=0.5").unwrap() else {
            panic!("it is a synapse");
        };
        assert_eq!((found.node, found.g_us, found.tau_ms), (Some(18), 0.2, 0.5));
        assert!(
            start("synaps")
                .unwrap_err()
                .contains("did you mean `synapse`")
        );
    }
}
