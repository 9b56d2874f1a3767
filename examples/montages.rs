//! Which montages of a cuff activate the target fascicle and spare the others: the thresholds of all of them, in a table.
//!
//! `cargo run --release --example montages [NERVE FOLDER]`

use std::sync::Arc;

use axonml::design::{Goal, MontageKind, contacts, scan};
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
    Ok(())
}
