//! Conduction block by kHz stimulation: transmission of test pulses, and the amplitudes at which it begins and ends.

mod pulses;
mod search;
mod transmission;
mod trials;

use axonml_autodiff::engine::FiberStatus;
use axonml_autodiff::ir::Precision;
use axonml_core::CoreError;
use axonml_core::error::short;

use crate::{Detection, Progress, Simulation, SimulationError, Stimulus};
pub use pulses::TestPulses;
use search::{Answer, Known, decide, grid, speculate};
pub use transmission::{Transmission, TransmissionState};
use trials::{Kind, Rollouts, Trial, Trials};

/// Simulations per thread that a round may have so that vector lanes are not idle: while few fibers are searched, answers
/// that a search may need next are computed in advance.
const ROUND_PER_THREAD: usize = 16;

/// Fraction of its search that a fiber which is not finished has done, at most.
const MOST_UNFINISHED: f64 = 0.95;

/// Settings of searches for block thresholds. Amplitudes are positive.
#[derive(Clone, Debug, PartialEq)]
pub struct BlockSearch {
    /// The test pulses whose transmission is judged.
    pub pulses: TestPulses,
    /// Detection criterion of an action potential. Test pulses are looked for at the last of its sites, from its
    /// `after_ms` on, so that action potentials at the onset of the kHz signal do not count; excitation at all of them,
    /// from the start.
    pub detection: Detection,
    /// The scan begins at the largest grid point that is not above this, mA.
    pub first_ma: f64,
    /// Largest amplitude tried, mA.
    pub max_ma: f64,
    /// Width of the final brackets relative to their upper ends.
    pub resolution: f64,
}

impl BlockSearch {
    /// A search from 1 uA to 20 mA with a resolution of 1e-4 and default detection sites, from the first of the test
    /// pulses on.
    pub fn new(pulses: TestPulses) -> Self {
        let after_ms = pulses.at_ms.first().copied().unwrap_or(0.0);
        BlockSearch {
            pulses,
            detection: Detection {
                after_ms,
                ..Detection::default()
            },
            first_ma: 1e-3,
            max_ma: 20.0,
            resolution: 1e-4,
        }
    }

    fn check(&self, simulation: &Simulation) -> Result<(), CoreError> {
        let bad = |what: &str, found: String, expected: String| {
            Err(CoreError::BadValue {
                what: what.into(),
                found,
                expected,
            })
        };
        // Amplitudes closer than this are the same run.
        let finest = match simulation.precision() {
            Precision::F32 => 1e-6,
            Precision::F64 => 1e-12,
        };
        if !(finest..1.0).contains(&self.resolution) {
            return bad(
                "the resolution of the block search",
                self.resolution.to_string(),
                format!(
                    "a number from {finest} (in {}) to 1",
                    simulation.precision().name()
                ),
            );
        }
        let range = |ma: f64| (1e-12..=1e12).contains(&ma);
        if !range(self.max_ma) {
            return bad(
                "the largest amplitude",
                short(self.max_ma),
                "a number from 1e-12 to 1e12 mA".into(),
            );
        }
        if !(range(self.first_ma) && self.first_ma <= self.max_ma) {
            return bad(
                "the first amplitude",
                short(self.first_ma),
                format!(
                    "a number of mA from 1e-12 to the largest amplitude, {}",
                    short(self.max_ma)
                ),
            );
        }
        self.pulses.check(simulation.grid())?;
        let windows = self
            .pulses
            .windows(simulation.grid(), self.detection.after_ms);
        match windows.onsets.is_empty() {
            false => Ok(()),
            true => bad(
                "the beginning of detection",
                format!("{} ms", self.detection.after_ms),
                "a time before the last test pulse".into(),
            ),
        }
    }
}

/// Two simulated amplitudes between which the response changes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bracket {
    /// Largest amplitude with the response below, mA.
    pub lower_ma: f64,
    /// Smallest amplitude with the response above, mA.
    pub upper_ma: f64,
}

/// How a search for block thresholds ended.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum BlockStatus {
    /// Block was found, in both directions.
    Ok,
    /// No amplitude up to the largest blocks.
    NoBlock,
    /// No amplitude blocks, but some transmit only part of the test pulses.
    PartialBlock,
    /// At the block threshold, test pulses that run the other way, from the mirrored node to the mirrored site, arrive.
    OneWayBlock,
    /// Without the sources, a test pulse does not start an action potential, or none arrives in its window.
    NoActivation,
    /// The fiber fires without any stimulus.
    Spontaneous,
    /// The solution diverged before the search ended.
    Diverged {
        /// Amplitude at which it diverged, mA.
        amplitude_ma: f64,
        /// The divergence: a [`FiberStatus::Diverged`].
        status: FiberStatus,
    },
}

impl BlockStatus {
    /// Its name in result files.
    pub fn name(&self) -> &'static str {
        match self {
            BlockStatus::Ok => "ok",
            BlockStatus::NoBlock => "no_block",
            BlockStatus::PartialBlock => "partial_block",
            BlockStatus::OneWayBlock => "one_way_block",
            BlockStatus::NoActivation => "no_activation",
            BlockStatus::Spontaneous => "spontaneous",
            BlockStatus::Diverged { .. } => "diverged",
        }
    }
}

/// Amplitudes at which a fiber's response to kHz stimulation changes. Both ends of every bracket were simulated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BlockThreshold {
    /// The sources alone, without test pulses, start an action potential that reaches a detection site at the upper end,
    /// and none at the lower. None if they do not up to the largest amplitude.
    pub excitation: Option<Bracket>,
    /// No action potential arrives at the upper end, some do at the lower: the block threshold.
    pub block: Option<Bracket>,
    /// Block ends above it: no action potential arrives at the lower end, some do at the upper. None if the largest
    /// amplitude still blocks.
    pub reexcitation: Option<Bracket>,
    /// How the search ended. What was found before a divergence is kept.
    pub status: BlockStatus,
}

impl Simulation {
    /// Excitation threshold, block threshold and re-excitation threshold of every fiber for the stimulus, usually a kHz
    /// signal.
    ///
    /// Amplitudes are scanned upward on a grid of 1 uA times powers of 2^(1/4), and the cells in which the response
    /// changes are halved. Below half the excitation threshold only the powers of two are tried for block. A region of
    /// amplitudes that block, or do not, may be missed if it is narrower than a cell (19 %). Currents that the stimulus
    /// itself injects act in the runs with test pulses only: excitation is that of the scaled sources.
    ///
    /// All runs go to the end, except those of the sources alone, which end once an action potential has reached a
    /// site. All fibers are searched at once; a fiber's result depends neither on the others nor on how many are
    /// simulated together.
    ///
    /// # Shape
    /// One result per fiber.
    ///
    /// # Units
    /// mA.
    ///
    /// # Errors
    /// [`SimulationError`] if the stimulus, the test pulses or the detection sites do not fit a fiber or the run, if an
    /// option is invalid, if the last site lies within three nodes of the test pulses, or if the work is canceled.
    ///
    /// # Example
    /// ```
    /// use std::sync::Arc;
    /// use axonml_core::{Medium, PointSource, Waveform};
    /// use axonml_models::{BlockSearch, Detection, Device, Fiber, Settings, Simulation, Stimulus, TestPulses, model};
    ///
    /// // A sine of 10 kHz; action potentials that start at node 5 from 10 ms on arrive at node 48, or do not.
    /// let settings = Settings { tstop_ms: 15.0, ..Settings::default() };
    /// let fibers = vec![Fiber::new(10.0, 53)];
    /// let simulation = Simulation::new(&model("mrg")?, fibers, &settings, &Device::auto()?)?;
    /// let electrode = PointSource { x_um: 1000.0, y_um: 0.0, z_um: 0.0, medium: Medium::isotropic(500.0) };
    /// let sine: Waveform = "sine:freq=10,delay=0.5".parse()?;
    /// let stimulus = Stimulus::uniform(1, Arc::new(electrode), sine);
    ///
    /// let search = BlockSearch {
    ///     detection: Detection { after_ms: 9.0, ..Detection::at_nodes(&[5, 48]) },
    ///     first_ma: 0.1,
    ///     max_ma: 1.0,
    ///     resolution: 1e-2,
    ///     ..BlockSearch::new(TestPulses::new(5, 2.0, 0.1, &[10.0, 12.5]))
    /// };
    /// let found = simulation.block_thresholds(&stimulus, &search, &mut |_| ())?[0];
    /// assert_eq!(found.status.name(), "ok");
    /// assert!(found.excitation.expect("it is excited").upper_ma < found.block.expect("it is blocked").upper_ma);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn block_thresholds(
        &self,
        stimulus: &Stimulus,
        options: &BlockSearch,
        progress: &mut Progress<'_>,
    ) -> Result<Vec<BlockThreshold>, SimulationError> {
        options.check(self)?;
        let rollouts = Rollouts::new(self, stimulus, Some(&options.pulses), &options.detection)?;
        let windows = options
            .pulses
            .windows(self.grid(), options.detection.after_ms);
        let mut trials = Trials::new(self, &rollouts, &options.detection)?;
        let (grid, resolution) = (grid(options), options.resolution);
        let fibers = self.fibers().len();
        // Two scans and three bisections of a cell.
        let trials_expected = 2.0 * grid.len() as f64 - 3.0 * resolution.log2();
        let mut found: Vec<BlockThreshold> = Vec::with_capacity(fibers);
        progress(0.0);
        for room in trials.rooms() {
            let mut known = vec![Known::default(); room.len()];
            let mut done: Vec<Option<BlockThreshold>> = vec![None; room.len()];
            loop {
                let each = known.iter().zip(&mut done);
                for (known, done) in each.filter(|(_, done)| done.is_none()) {
                    *done = decide(known, &grid, resolution).ok();
                }
                let open: Vec<usize> = (0..room.len()).filter(|&k| done[k].is_none()).collect();
                let unfinished = open
                    .iter()
                    .map(|&k| known[k].len() as f64 / trials_expected);
                let unfinished: f64 = unfinished.map(|part| part.min(MOST_UNFINISHED)).sum();
                let finished = (found.len() + room.len() - open.len()) as f64;
                progress((finished + unfinished) / fibers as f64);
                if open.is_empty() {
                    break;
                }
                let most = trials.threads() * ROUND_PER_THREAD / open.len();
                let wanted: Vec<Trial> = open
                    .into_iter()
                    .flat_map(|k| {
                        let questions = speculate(&known[k], &grid, resolution, most);
                        let fiber = room.start + k;
                        questions.into_iter().map(move |question| Trial {
                            fiber,
                            amplitude_ma: question.amplitude_ma,
                            kind: question.kind,
                        })
                    })
                    .collect();
                for batch in wanted.chunks(trials.batch()) {
                    for seen in trials.run(batch)? {
                        let Trial {
                            fiber,
                            amplitude_ma,
                            kind,
                        } = seen.trial;
                        let answer = match (seen.status, kind) {
                            (status @ FiberStatus::Diverged { .. }, _) => Answer::Diverged(status),
                            (_, Kind::Alone) => Answer::Fires(!seen.arrivals.is_empty()),
                            (status, _) => {
                                let counted = Transmission::of(
                                    amplitude_ma,
                                    &seen.arrivals,
                                    &windows,
                                    status,
                                );
                                Answer::Passes(counted.state, counted.all_arrive())
                            }
                        };
                        known[fiber - room.start].insert(kind, amplitude_ma, answer);
                    }
                }
            }
            found.extend(done.into_iter().flatten());
            trials.forget();
        }
        Ok(found)
    }
}
