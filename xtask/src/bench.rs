//! `cargo xtask bench`: how many node-steps per second the simulator takes.
//!
//! A node-step is one node of Ranvier (with its internode, where the model has one) over one time step. The run is 1024
//! fibres of 53 nodes, 5 ms in steps of 0.005 ms, stimulated by a point source for 0.1 ms, no early stop. Set-up
//! (geometry, modes, tape) is part of the time.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use axonml_core::{Medium, PointSource, Waveform};
use axonml_models::{Device, Fiber, Precision, Settings, Simulation, Stimulus, model};
use clap::Args;
use serde_json::json;

#[derive(Args)]
pub(crate) struct Bench {
    /// Write the figures as JSON: a list of {name, value, unit, note}.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Number of fibres.
    #[arg(long, default_value_t = 1024)]
    fibers: usize,
    /// Repetitions; the median is reported, with the spread.
    #[arg(long, default_value_t = 7)]
    repeat: usize,
    /// Only measurements whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
}

struct Measurement {
    name: &'static str,
    model: &'static str,
    precision: Precision,
    /// Threads; 0 for all cores.
    threads: usize,
    must_reach: Option<f64>,
}

const MEASUREMENTS: &[Measurement] = &[
    Measurement {
        name: "smf.f32.core",
        model: "smf",
        precision: Precision::F32,
        threads: 1,
        must_reach: Some(100e6),
    },
    Measurement {
        name: "smf.f64.core",
        model: "smf",
        precision: Precision::F64,
        threads: 1,
        must_reach: None,
    },
    Measurement {
        name: "mrg.f32.core",
        model: "mrg",
        precision: Precision::F32,
        threads: 1,
        must_reach: Some(80e6),
    },
    Measurement {
        name: "mrg.f64.core",
        model: "mrg",
        precision: Precision::F64,
        threads: 1,
        must_reach: Some(30e6),
    },
    Measurement {
        name: "mrg.f32.all",
        model: "mrg",
        precision: Precision::F32,
        threads: 0,
        must_reach: None,
    },
    Measurement {
        name: "sundt.f64.core",
        model: "sundt",
        precision: Precision::F64,
        threads: 1,
        must_reach: None,
    },
];

impl Bench {
    pub(crate) fn run(&self) -> Result<(), String> {
        let machine = machine();
        println!("{machine}");
        println!(
            "{} fibres x 53 nodes x 1000 steps, stimulus on for 0.1 of 5 ms\n",
            self.fibers
        );
        println!(
            "{:<16} {:>10} {:>22} {:>12}",
            "name", "M/s", "spread (min..max)", "must reach"
        );
        let mut rows = Vec::new();
        for measurement in MEASUREMENTS.iter().filter(|m| m.name.contains(&self.only)) {
            let mut rates = self
                .measure(measurement)
                .map_err(|e| format!("{}: {e}", measurement.name))?;
            rates.sort_by(f64::total_cmp);
            let (median, least, most) = (rates[rates.len() / 2], rates[0], rates[rates.len() - 1]);
            let goal = measurement
                .must_reach
                .map_or("-".into(), |goal| format!("{:.0}", goal / 1e6));
            println!(
                "{:<16} {:>10.1} {:>22} {:>12}",
                measurement.name,
                median / 1e6,
                format!("{:.1}..{:.1}", least / 1e6, most / 1e6),
                goal
            );
            rows.push(json!({
                "name": measurement.name,
                "value": median,
                "unit": "node-steps/s",
                "note": format!("{machine}; {} fibres, 53 nodes; min {least:.4e}, max {most:.4e}", self.fibers),
            }));
        }
        if let Some(file) = &self.json {
            let text = serde_json::to_string_pretty(&rows).map_err(|e| e.to_string())?;
            std::fs::write(file, text + "\n")
                .map_err(|e| format!("cannot write {}: {e}", file.display()))?;
        }
        Ok(())
    }

    fn measure(&self, measurement: &Measurement) -> Result<Vec<f64>, Box<dyn std::error::Error>> {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(measurement.threads)
            .build()?;
        let diameter = |i: usize| match measurement.model {
            "sundt" => 0.8 + 0.4 * (i % 16) as f64 / 16.0,
            _ => 5.7 + 8.3 * (i % 64) as f64 / 64.0,
        };
        let fibers: Vec<Fiber> = (0..self.fibers)
            .map(|i| Fiber::new(diameter(i), 53))
            .collect();
        let settings = Settings {
            precision: measurement.precision,
            ..Settings::default()
        };
        let simulation = Simulation::new(
            model(measurement.model)?,
            fibers,
            &settings,
            &Device::cpu()?,
        )?;
        let source = PointSource {
            x_um: 1000.0,
            y_um: 0.0,
            z_um: 0.0,
            medium: Medium::isotropic(500.0),
        };
        let pulse: Waveform = "monophasic:pw=0.1,delay=0.1".parse()?;
        let stimulus = Stimulus::uniform(self.fibers, Arc::new(source), pulse);
        let node_steps = (self.fibers * 53 * simulation.grid().steps()) as f64;
        let mut rates = Vec::new();
        for _ in 0..=self.repeat {
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
        // The first run warms caches and the thread pool.
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
