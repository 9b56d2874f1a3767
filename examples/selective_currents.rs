//! Which currents through a cuff activate the target fascicle and spare the others: the best of all montages, and what a
//! descent makes of three of them.
//!
//! `cargo run --release --package axonml --example selective_currents [NERVE FOLDER]`

use std::sync::Arc;

use axonml::design::{
    DescentOptions, Ends, Goal, MontageKind, Population, Problem, Run, Start, Unkept, best_reached,
    contacts,
};
use axonml::field::{Extension, Interpolation};
use axonml::{Device, Fiber, Precision, Settings, Simulation, Waveform};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1);
    let nerve = match &folder {
        Some(folder) => axonml::read_nerve(folder.as_ref())?,
        None => axonml::demonstration::nerve()?,
    };
    let settings = Settings {
        precision: Precision::F32,
        tstop_ms: 2.5,
        ..Settings::default()
    };
    let fibers = vec![Fiber::new(5.7, 53); nerve.fibers()];
    let simulation = Simulation::new(&axonml::model("mrg")?, fibers, &settings, &Device::auto()?)?;
    let pulse: Arc<Waveform> = Arc::new("biphasic:pw=0.2,delay=0.2".parse()?);
    let stimulus = contacts(&nerve, 1, &pulse, Interpolation::Cubic, Extension::Refuse)?;
    let waveform = Arc::new(pulse.sample(simulation.grid())?);
    let population = Population::new(simulation.basis(&stimulus)?, waveform)?;
    let problem = Problem::new(population, Goal::of_nerve(&nerve, 1)?);

    let found = problem.scan(&mut |_| ())?;
    println!(
        "best of {} montages of nerve {}",
        found.montages.len(),
        nerve.name()
    );
    println!("            contacts    mA      target %  off-target %  separation  charge nC");
    for kind in [
        MontageKind::Monopolar,
        MontageKind::Bipolar,
        MontageKind::Tripolar,
    ] {
        let Some(best) = found.best_of(kind) else {
            continue;
        };
        println!(
            "{:<10}  {:<10}  {:6.4}  {:8.1}  {:12.1}  {:10.3}  {:9.1}",
            kind.name(),
            format!("{:?}", best.montage.contacts),
            best.score().dose.peak_ma,
            best.outcome.target_pct,
            best.outcome.offtarget_pct,
            best.score().separation,
            best.score().dose.charge_nc,
        );
    }

    let best = found.montages.iter().take(3);
    let starts = best.filter_map(|best| {
        Some(Start {
            init: format!("{} {:?}", best.montage.kind.name(), best.montage.contacts),
            x: problem.start(&best.amplitudes_ma)?,
        })
    });
    let starts: Vec<Start> = starts.collect();
    let mut course = Unkept;
    let mut run = Run::new(&mut course, Ends::default());
    let reached = problem.descend(&starts, &DescentOptions::default(), &mut run)?;
    println!("\ndescents of {} steps from the best montages:", 60);
    for start in &reached {
        println!(
            "{:<20}  separation {:.3}",
            start.init, start.score.separation
        );
    }
    let Some(best) = best_reached(&reached) else {
        return Err("no start has a score".into());
    };
    let judged = problem.judge(vec![problem.stimulus(&best.x)], None, &mut |_| ())?;
    let delivered = judged[0].delivered();
    let outcome = problem
        .goal
        .outcome(&problem.goal.active_at(&judged[0].thresholds(), 1.0));
    let each = delivered.amplitudes_ma.iter().map(|ma| format!("{ma:.4}"));
    println!("deliver [{}] mA", each.collect::<Vec<_>>().join(", "));
    println!(
        "target {:.1} %, off-target {:.1} %, separation {:.3}, {:.1} nC",
        outcome.target_pct,
        outcome.offtarget_pct,
        judged[0].score.separation,
        judged[0].score.dose.charge_nc,
    );
    Ok(())
}
