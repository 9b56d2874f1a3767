//! Which currents through a cuff activate the target fascicle and spare the others: the best of all montages, and what a
//! descent makes of three of them.
//!
//! `cargo run --release --package axonml --example selective_currents [NERVE FOLDER]`

use std::sync::Arc;

use axonml::design::{DescentOptions, Goal, MontageKind, contacts, descend, scan};
use axonml::field::{Extension, Interpolation};
use axonml::{Device, Fiber, Precision, Settings, Simulation, ThresholdSearch, Waveform};

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
    let simulation = Simulation::new(axonml::model("mrg")?, fibers, &settings, &Device::auto()?)?;
    let pulse: Arc<Waveform> = Arc::new("biphasic:pw=0.2,delay=0.2".parse()?);
    let stimulus = contacts(&nerve, 1, &pulse, Interpolation::Cubic, Extension::Refuse)?;
    let basis = simulation.basis(&stimulus)?;

    let goal = Goal::of_nerve(&nerve, 1)?;
    let waveform = pulse.sample(simulation.grid())?;
    let search = ThresholdSearch::default();
    let found = scan(&basis, &goal, &waveform, &search, &mut |_| ())?;

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
            best.score.dose.peak_ma,
            best.outcome.target_pct,
            best.outcome.offtarget_pct,
            best.score.separation,
            best.score.dose.charge_nc,
        );
    }

    let starts: Vec<Vec<f64>> = found
        .montages
        .iter()
        .take(3)
        .map(|best| best.amplitudes_ma.clone())
        .collect();
    let options = DescentOptions::default();
    let designed = descend(&basis, &goal, &waveform, &starts, &options, &mut |_| ())?;
    let each: Vec<String> = designed
        .amplitudes_ma
        .iter()
        .map(|ma| format!("{ma:.4}"))
        .collect();
    println!("\ndescent: [{}] mA", each.join(", "));
    println!(
        "target {:.1} %, off-target {:.1} %, separation {:.3}, {:.1} nC",
        designed.outcome.target_pct,
        designed.outcome.offtarget_pct,
        designed.score.separation,
        designed.score.dose.charge_nc,
    );
    let separations: Vec<String> = designed
        .starts
        .iter()
        .map(|score| format!("{:.3}", score.separation))
        .collect();
    println!("best separation of each start: {}", separations.join(", "));
    Ok(())
}
