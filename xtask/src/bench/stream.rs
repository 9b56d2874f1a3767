//! How long a training set takes that is simulated as it is read.

use std::path::Path;
use std::time::Instant;

use axonml_models::Device;
use axonml_train::dataset::{Cases, Recipe, Recording};

use super::row::{Goal, Row, Unit};

/// The row's name: measured only if it is named, for it takes a minute.
pub(super) const NAME: &str = "mrg.stream_65536_s";

/// All cases of the default recipe, every state of every node at every step, on all cores; nothing is written. The
/// nerve's folder is looked for where the repository has it, so this runs in its root.
pub(super) fn measure() -> Result<Row, Box<dyn std::error::Error>> {
    let recipe = Recipe::default();
    let cases = Cases::open(&recipe, Path::new(""))?;
    let device = Device::cpu()?;
    let start = Instant::now();
    let mut fibers = 0;
    cases.simulate(0..recipe.count, &device, &Recording::default(), &mut |_| {
        fibers += 1;
        Ok(())
    })?;
    let seconds = start.elapsed().as_secs_f64();
    if fibers != recipe.count {
        return Err(format!("{fibers} of {} fibers came", recipe.count).into());
    }
    Ok(Row::new(
        NAME,
        vec![seconds],
        Unit::Seconds,
        Some(Goal::AtMost(60.0)),
        format!(
            "{fibers} fibers, {} nodes, {} ms, f32, all states of every step, {} threads",
            recipe.nodes,
            recipe.tstop_ms,
            rayon::current_num_threads()
        ),
    ))
}
