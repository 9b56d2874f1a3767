//! `cargo xtask bench`: how many node-steps per second the simulator takes, and what gradients and training sets cost.
//!
//! A node-step is one node of Ranvier (with its internode, where the model has one) over one time step. The run is 1024
//! fibers of 53 nodes, 5 ms in steps of 0.005 ms, stimulated by a point source for 0.1 ms, no early stop. Set-up
//! (geometry, modes, tape) is part of the time. What else is measured: see [`gradients`], [`activation`],
//! [`optimization`], [`setup`] and [`stream`]; [`against`] compares two checkouts.

mod activation;
mod against;
mod gradients;
mod optimization;
mod row;
mod setup;
mod stream;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use axonml_core::{Medium, PointSource, Waveform};
use axonml_models::weights::Weights;
use axonml_models::{
    Device, Fiber, Precision, RateEvaluation, Settings, Simulation, Stimulus, model,
};
use clap::Args;
use row::{Goal, Row, Unit};

#[derive(Args)]
pub(crate) struct Bench {
    /// Write the figures as JSON: a list of {name, value, unit, note}.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Number of fibers.
    #[arg(long, default_value_t = 1024)]
    fibers: usize,
    /// Repetitions; the median is reported, with the spread.
    #[arg(long, default_value = "7")]
    repeat: NonZeroUsize,
    /// Measure CUDA device 0 over numbers of fibers, nodes and precisions instead.
    #[arg(long)]
    sweep: bool,
    /// Only measurements whose name contains this; `stream` also measures a training set of 65,536 fibers.
    #[arg(long, default_value = "")]
    only: String,
    /// Nerve folder of the activation and optimization rows; by default the bundled nerve N1.
    #[arg(long, value_name = "FOLDER")]
    nerve: Option<PathBuf>,
    /// Compare with a built checkout of another commit: processor time of child processes with fixed work, the sides in
    /// turns; ratios above 1 mean that the present checkout is faster.
    #[arg(long, value_name = "PATH", conflicts_with = "sweep")]
    against: Option<PathBuf>,
    /// Pairs of every command with --against; the median of their ratios is reported, with the spread.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u16).range(7..), requires = "against")]
    pairs: u16,
    /// Pairs of whole benchmarks with --against, for rows that only a process itself can measure; 0: none.
    #[arg(long, default_value_t = 3, requires = "against")]
    wall_pairs: u16,
    /// With --against: fail if the median ratio of a row is below this.
    #[arg(long, value_name = "RATIO", value_parser = ratio, requires = "against")]
    min: Option<f64>,
}

/// A ratio as an argument.
fn ratio(text: &str) -> Result<f64, String> {
    let number = text
        .parse()
        .ok()
        .filter(|x: &f64| x.is_finite() && *x > 0.0);
    number.ok_or_else(|| "expected a number above 0, such as 0.95".to_owned())
}

/// Where a measurement runs.
#[derive(Clone, Copy, PartialEq)]
enum Where {
    /// One core.
    Core,
    /// All cores.
    Cores,
    /// CUDA device 0.
    Cuda,
}

struct Measurement {
    name: String,
    model: &'static str,
    precision: Precision,
    rates: RateEvaluation,
    on: Where,
    fibers: usize,
    nodes: usize,
    steps: usize,
    must_reach: Option<f64>,
}

const STEPS: usize = 1000;

impl Bench {
    /// The standard list, or the sizes of `--sweep`.
    fn measurements(&self) -> Vec<Measurement> {
        use Precision::{F32, F64};
        let one = |name: &str, model, precision, on, must_reach| Measurement {
            name: name.to_owned(),
            model,
            precision,
            rates: RateEvaluation::Exact,
            on,
            fibers: if on == Where::Cuda {
                100_000
            } else {
                self.fibers
            },
            nodes: 53,
            steps: STEPS,
            must_reach,
        };
        if !self.sweep {
            let mut list = vec![
                one("smf.f32.core", "smf", F32, Where::Core, Some(100e6)),
                one("smf.f64.core", "smf", F64, Where::Core, None),
                one("mrg.f32.core", "mrg", F32, Where::Core, Some(80e6)),
                one("mrg.f64.core", "mrg", F64, Where::Core, Some(30e6)),
                one("mrg.f32.all", "mrg", F32, Where::Cores, None),
                one("sundt.f32.core", "sundt", F32, Where::Core, None),
                one("sundt.f64.core", "sundt", F64, Where::Core, None),
            ];
            for (name, model) in [
                ("mrg.f32.table.core", "mrg"),
                ("sundt.f32.table.core", "sundt"),
            ] {
                list.push(Measurement {
                    rates: RateEvaluation::Table,
                    ..one(name, model, F32, Where::Core, None)
                });
            }
            if cfg!(feature = "cuda") {
                list.push(one("smf.f32.cuda", "smf", F32, Where::Cuda, Some(5e10)));
                list.push(one("mrg.f32.cuda", "mrg", F32, Where::Cuda, Some(2e10)));
            }
            return list;
        }
        let mut list = Vec::new();
        for model in ["smf", "mrg"] {
            for precision in [F32, F64] {
                for nodes in [53, 101] {
                    for fibers in [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000] {
                        let name =
                            format!("{model}.{}.cuda.{nodes}nodes.{fibers}", precision.name());
                        let standard = one(&name, model, precision, Where::Cuda, None);
                        list.push(Measurement {
                            fibers,
                            nodes,
                            ..standard
                        });
                    }
                }
            }
        }
        // A kHz study: 47,600 fibers of 101 nodes for 100 ms at 0.001 ms.
        let khz = one("mrg.f32.cuda.khz", "mrg", F32, Where::Cuda, None);
        list.push(Measurement {
            fibers: 47_600,
            nodes: 101,
            steps: 100_000,
            ..khz
        });
        list
    }
}

impl Bench {
    pub(crate) fn run(&self) -> Result<(), String> {
        let machine = machine();
        if let Some(path) = &self.against {
            let comparison = against::Comparison {
                path,
                pairs: self.pairs.into(),
                wall_pairs: self.wall_pairs.into(),
                only: &self.only,
                least: self.min,
                json: self.json.as_deref(),
                machine: &machine,
                fibers: self.fibers,
                repeat: self.repeat.get(),
            };
            return comparison.run();
        }
        println!("{machine}\n\n{}", Row::head());
        let mut rows = Vec::new();
        let mut show = |row: Row| {
            println!("{}", row.line());
            rows.push(row.json(&machine));
        };
        if !self.sweep {
            let asked = |name: &str| name.contains(&self.only);
            gradients::measure(&asked, self.repeat.get(), &mut show).map_err(|e| e.to_string())?;
            let bundled = crate::workspace::root().join("examples/nerves/N1");
            let nerve = self.nerve.as_deref().unwrap_or(&bundled);
            activation::measure(&asked, nerve, self.repeat.get(), &mut show)
                .map_err(|e| format!("activation: {e}"))?;
            optimization::measure(&asked, nerve, self.repeat.get(), &mut show)
                .map_err(|e| format!("optimization: {e}"))?;
        }
        if !self.sweep && setup::NAME.contains(&self.only) {
            let row = setup::measure(self.repeat.get());
            show(row.map_err(|e| format!("{}: {e}", setup::NAME))?);
        }
        let named = |m: &&Measurement| m.name.contains(&self.only);
        for measurement in self.measurements().iter().filter(named) {
            let device = match measurement.on {
                Where::Cuda => match Device::cuda(0) {
                    Ok(device) => device,
                    Err(error) => {
                        println!("{:<34} DID NOT RUN: {error}", measurement.name);
                        continue;
                    }
                },
                Where::Core | Where::Cores => Device::cpu().map_err(|e| e.to_string())?,
            };
            let rates = self
                .measure(measurement, &device)
                .map_err(|e| format!("{}: {e}", measurement.name))?;
            let Measurement {
                name,
                fibers,
                nodes,
                steps,
                must_reach,
                ..
            } = measurement;
            show(Row::new(
                name,
                rates,
                Unit::NodeStepsPerSecond,
                must_reach.map(Goal::AtLeast),
                format!(
                    "{}; {fibers} fibers, {nodes} nodes, {steps} steps",
                    device.name()
                ),
            ));
        }
        if !self.only.is_empty() && stream::NAME.contains(&self.only) {
            show(stream::measure().map_err(|e| format!("{}: {e}", stream::NAME))?);
        }
        if cfg!(feature = "cuda") && !self.sweep {
            let asked = |name: &str| name.contains(&self.only);
            gradients::measure_on_device(&asked, self.repeat.get(), &mut show)?;
        }
        if let Some(file) = &self.json {
            let text = serde_json::to_string_pretty(&rows).map_err(|e| e.to_string())?;
            std::fs::write(file, text + "\n")
                .map_err(|e| format!("cannot write {}: {e}", file.display()))?;
        }
        Ok(())
    }

    fn measure(
        &self,
        measurement: &Measurement,
        device: &Device,
    ) -> Result<Vec<f64>, Box<dyn std::error::Error>> {
        let threads = if measurement.on == Where::Core { 1 } else { 0 };
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()?;
        let diameter = |i: usize| match measurement.model {
            "sundt" => 0.8 + 0.4 * (i % 16) as f64 / 16.0,
            _ => 5.7 + 8.3 * (i % 64) as f64 / 64.0,
        };
        let fibers: Vec<Fiber> = (0..measurement.fibers)
            .map(|i| Fiber::new(diameter(i), measurement.nodes))
            .collect();
        let dt_ms = if measurement.steps > STEPS {
            0.001
        } else {
            0.005
        };
        let settings = Settings {
            precision: measurement.precision,
            rates: measurement.rates,
            dt_ms,
            tstop_ms: dt_ms * measurement.steps as f64,
            weights: Weights::Published,
            ..Settings::default()
        };
        let simulation = Simulation::new(&model(measurement.model)?, fibers, &settings, device)?;
        let source = PointSource {
            x_um: 1000.0,
            y_um: 0.0,
            z_um: 0.0,
            medium: Medium::isotropic(500.0),
        };
        let pulse: Waveform = match measurement.steps > STEPS {
            true => "sine:freq=10,delay=0.5".parse()?,
            false => "monophasic:pw=0.1,delay=0.1".parse()?,
        };
        let stimulus = Stimulus::uniform(measurement.fibers, Arc::new(source), pulse);
        let node_steps =
            (measurement.fibers * measurement.nodes * simulation.grid().steps()) as f64;
        let mut rates = Vec::new();
        // The first run warms caches, the thread pool and the compiler's cache; one is enough for the longest.
        let repeat = if measurement.steps > STEPS {
            1
        } else {
            self.repeat.get()
        };
        for _ in 0..=repeat {
            let start = Instant::now();
            let outcome = pool.install(|| simulation.run(&stimulus, 0.2, &[]))?;
            let seconds = start.elapsed().as_secs_f64();
            if let Some(error) = outcome
                .fibers
                .iter()
                .enumerate()
                .find_map(|(i, fiber)| simulation.divergence(i, fiber.status))
            {
                return Err(error.into());
            }
            rates.push(node_steps / seconds);
        }
        Ok(rates.split_off(1))
    }
}

/// Processor, cores and compiler flags in one line.
fn machine() -> String {
    let processor = std::fs::read_to_string("/proc/cpuinfo")
        .ok()
        .and_then(|text| {
            text.lines()
                .find_map(|line| line.strip_prefix("model name\t: ").map(str::to_owned))
        })
        .unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let device = Device::cpu().map_or_else(|e| e.to_string(), |device| device.name());
    format!(
        "{processor}, {cores} cores, {device}, axonml {}",
        env!("CARGO_PKG_VERSION")
    )
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        bench: Bench,
    }

    fn parse(flags: &[&str]) -> Result<Bench, String> {
        let line = Line::try_parse_from(std::iter::once(&"bench").chain(flags));
        line.map(|line| line.bench).map_err(|e| e.to_string())
    }

    #[test]
    fn flags_of_a_comparison_are_refused_where_they_make_no_sense() {
        let bench = parse(&["--against", "x", "--min", "0.95"]).unwrap();
        assert_eq!((bench.pairs, bench.min), (7, Some(0.95)));
        for (flags, part) in [
            (&["--pairs", "9"][..], "--against"),
            (&["--min", "0.95"], "--against"),
            (&["--against", "x", "--pairs", "3"], "7.."),
            (&["--against", "x", "--min", "nan"], "a number above 0"),
            (&["--against", "x", "--min=-1"], "a number above 0"),
            (&["--against", "x", "--sweep"], "--sweep"),
        ] {
            let message = parse(flags).err().unwrap_or_default();
            assert!(message.contains(part), "{flags:?}: {message}");
        }
    }
}
