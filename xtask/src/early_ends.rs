//! `cargo xtask early-ends`: searches whose trials end early, against searches that take no short cut.
//!
//! Conditions are drawn by a seed: anodic, asymmetric and long pulses, bursts of 5 and 20 kHz, conditioning action
//! potentials, in all models that declare when their trials may end. A row that differs is named, with what its fiber does
//! at all four ends of both brackets in whole runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use axonml_core::{Medium, PointSource, Random, Waveform};
use axonml_models::{
    Detection, Device, Fiber, Precision, Settings, Simulation, Stimulus, Threshold,
    ThresholdSearch, model,
};
use clap::Args;

/// Onset of the stimulus after a conditioning action potential, ms.
const CONDITIONED_MS: f64 = 2.5;

#[derive(Args)]
pub(crate) struct EarlyEnds {
    /// Seed of the conditions
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Number of conditions
    #[arg(long, default_value_t = 500)]
    count: usize,
    /// Width of the brackets relative to their upper ends
    #[arg(long, default_value_t = 1e-4)]
    resolution: f64,
}

/// A model, and what its fibers may be like.
struct Kind {
    id: &'static str,
    nodes: usize,
    tstop_ms: f64,
    diameters_um: [f64; 2],
    distances_um: [f64; 2],
    /// Current that conditions a fiber, nA.
    conditioning_na: f64,
}

const KINDS: [Kind; 4] = [
    Kind {
        id: "mrg",
        nodes: 53,
        tstop_ms: 7.0,
        diameters_um: [3.0, 15.0],
        distances_um: [200.0, 2000.0],
        conditioning_na: 3.0,
    },
    Kind {
        id: "smf",
        nodes: 53,
        tstop_ms: 7.0,
        diameters_um: [6.0, 15.0],
        distances_um: [200.0, 2000.0],
        conditioning_na: 3.0,
    },
    Kind {
        id: "two-mode",
        nodes: 53,
        tstop_ms: 7.0,
        diameters_um: [6.0, 15.0],
        distances_um: [200.0, 2000.0],
        conditioning_na: 3.0,
    },
    Kind {
        id: "sundt",
        nodes: 121,
        tstop_ms: 15.0,
        diameters_um: [0.5, 2.0],
        distances_um: [100.0, 500.0],
        conditioning_na: 0.3,
    },
];

/// One fiber, its electrode and its pulse.
struct Condition {
    /// Index of the row.
    row: usize,
    fiber: Fiber,
    source: PointSource,
    pulse: String,
    is_conditioned: bool,
}

/// Conditions that are searched together: of one model, precision, and with or without conditioning.
type Batch = (usize, bool, bool);

impl EarlyEnds {
    pub(crate) fn run(&self) -> Result<(), String> {
        let mut batches: BTreeMap<Batch, Vec<Condition>> = BTreeMap::new();
        for row in 0..self.count {
            let (batch, condition) = drawn(self.seed, row);
            batches.entry(batch).or_default().push(condition);
        }
        let mut differing = 0;
        let mut statuses: BTreeMap<&str, usize> = BTreeMap::new();
        for ((kind, is_single, is_conditioned), conditions) in &batches {
            let kind = &KINDS[*kind];
            let precision = match is_single {
                true => Precision::F32,
                false => Precision::F64,
            };
            let detection = Detection {
                after_ms: if *is_conditioned { CONDITIONED_MS } else { 0.0 },
                ..Detection::default()
            };
            let group = Group {
                kind,
                precision,
                detection,
            };
            let found = |early_end| group.thresholds(conditions, self.resolution, early_end);
            let (with, without) = (found(true)?, found(false)?);
            for ((condition, with), without) in conditions.iter().zip(&with).zip(&without) {
                *statuses.entry(without.status()).or_default() += 1;
                if with != without {
                    differing += 1;
                    println!("{}", group.named(condition, with, without)?);
                }
            }
        }
        let each = statuses
            .iter()
            .map(|(status, count)| format!("{count} {status}"));
        let statuses = each.collect::<Vec<_>>().join(", ");
        println!(
            "{} conditions by seed {}: {statuses}",
            self.count, self.seed
        );
        match differing {
            0 => Ok(()),
            _ => Err(format!("{differing} answers depend on early ends")),
        }
    }
}

/// Condition `row` of a seed, and the batch that it belongs to.
fn drawn(seed: u64, row: usize) -> (Batch, Condition) {
    let mut random = Random::new(seed, row);
    let index = row % KINDS.len();
    let kind = &KINDS[index];
    let mut between = |[low, high]: [f64; 2]| low + (high - low) * random.unit();
    let fiber = Fiber::new(between(kind.diameters_um), kind.nodes);
    let source = PointSource {
        x_um: between(kind.distances_um),
        y_um: 0.0,
        z_um: between([-1000.0, 1000.0]),
        medium: Medium::isotropic(500.0),
    };
    let width_ms = between([0.02, 0.5]);
    let lasting_ms = between([0.5, 2.0]);
    let is_conditioned = random.index(5) == 0;
    let onset_ms = if is_conditioned { CONDITIONED_MS } else { 0.1 };
    let shape = match random.index(8) {
        0 => format!("monophasic:pw={width_ms}"),
        1 => format!("biphasic:pw={width_ms}"),
        2 => format!("asymmetric-biphasic:pw={width_ms}"),
        3 => "monophasic:pw=2".to_owned(),
        4 => format!("sine:freq=5,dur={lasting_ms}"),
        5 => format!("sine:freq=20,dur={lasting_ms}"),
        6 => format!("charge-balanced:pw1={width_ms},gap=0.1"),
        _ => format!("exp:pw={lasting_ms},tau={width_ms}"),
    };
    let polarity = if random.index(2) == 0 { 1 } else { -1 };
    let condition = Condition {
        row,
        fiber,
        source,
        pulse: format!("{shape},delay={onset_ms},scale={polarity}"),
        is_conditioned,
    };
    let is_single = random.index(2) == 0;
    ((index, is_single, is_conditioned), condition)
}

/// Searches of one batch.
struct Group {
    kind: &'static Kind,
    precision: Precision,
    detection: Detection,
}

impl Group {
    fn simulation(&self, conditions: &[&Condition]) -> Result<(Simulation, Stimulus), String> {
        let failed = |error: &dyn std::fmt::Display| error.to_string();
        let settings = Settings {
            tstop_ms: self.kind.tstop_ms,
            precision: self.precision,
            ..Settings::default()
        };
        let fibers = conditions.iter().map(|condition| condition.fiber).collect();
        let device = Device::cpu().map_err(|error| failed(&error))?;
        let kind = model(self.kind.id).map_err(|error| failed(&error))?;
        let simulation = Simulation::new(&kind, fibers, &settings, &device);
        let simulation = simulation.map_err(|error| failed(&error))?;
        let current: Waveform = "monophasic:pw=0.2,delay=0.1,scale=-1"
            .parse()
            .map_err(|error| failed(&error))?;
        let current = Arc::new(current);
        let mut stimulus = Stimulus::none(conditions.len());
        for (fiber, condition) in conditions.iter().enumerate() {
            let pulse: Waveform = condition.pulse.parse().map_err(|error| failed(&error))?;
            let source = Arc::new(condition.source);
            stimulus = stimulus.source(fiber, source, Arc::new(pulse));
            if condition.is_conditioned {
                let na = self.kind.conditioning_na;
                stimulus = stimulus.inject(fiber, 0, na, Arc::clone(&current));
            }
        }
        Ok((simulation, stimulus))
    }

    fn thresholds(
        &self,
        conditions: &[Condition],
        resolution: f64,
        early_end: bool,
    ) -> Result<Vec<Threshold>, String> {
        let (simulation, stimulus) = self.simulation(&conditions.iter().collect::<Vec<_>>())?;
        let search = ThresholdSearch {
            detection: self.detection.clone(),
            resolution,
            early_end,
            ..ThresholdSearch::default()
        };
        let found = simulation.thresholds(&stimulus, &search, &mut |_| ());
        found.map_err(|error| error.to_string())
    }

    /// A row that differs, and whether its fiber fires at the ends of both brackets.
    fn named(
        &self,
        condition: &Condition,
        with: &Threshold,
        without: &Threshold,
    ) -> Result<String, String> {
        let (simulation, stimulus) = self.simulation(&[condition])?;
        let ends = [with, without].into_iter();
        let ends = ends.flat_map(|found| [found.lower_ma(), found.upper_ma()]);
        let mut fires = Vec::new();
        for amplitude_ma in ends.flatten() {
            let run = simulation.run_detected(&stimulus, amplitude_ma, &self.detection, &[]);
            let run = run.map_err(|error| error.to_string())?;
            let word = if run.starts[0].is_some() {
                "fires"
            } else {
                "fails"
            };
            fires.push(format!("{amplitude_ma} mA {word}"));
        }
        let Condition {
            row,
            fiber,
            source,
            pulse,
            is_conditioned,
        } = condition;
        let after = if *is_conditioned {
            " after an action potential"
        } else {
            ""
        };
        Ok(format!(
            "row {row}: {} in {}, {} um, electrode at x {} um, z {} um, {pulse}{after}\n  with early ends {with:?}\n  without \
             {without:?}\n  {}",
            self.kind.id,
            self.precision.name(),
            fiber.diameter_um,
            source.x_um,
            source.z_um,
            fires.join(", "),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_drawn_by_their_seed_and_can_be_simulated() {
        let mut pulses = Vec::new();
        for row in 0..40 {
            let (batch, condition) = drawn(3, row);
            let (again, same) = drawn(3, row);
            assert_eq!(
                (batch, &condition.pulse, condition.fiber),
                (again, &same.pulse, same.fiber)
            );
            let group = Group {
                kind: &KINDS[batch.0],
                precision: Precision::F64,
                detection: Detection::default(),
            };
            group.simulation(&[&condition]).unwrap();
            pulses.push(condition.pulse);
        }
        for shape in ["pw=2,", "freq=5,", "freq=20,", "asymmetric", "scale=-1"] {
            assert!(pulses.iter().any(|pulse| pulse.contains(shape)), "{shape}");
        }
        assert_ne!(drawn(4, 0).1.pulse, pulses[0]);
    }
}
