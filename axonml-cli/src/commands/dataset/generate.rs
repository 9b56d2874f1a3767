//! `axonml dataset generate`.

use std::sync::atomic::Ordering;
use std::time::Instant;

use axonml_train::dataset::{self, Cases, Plan, Recording, Tally, size_text};

use super::inspect::tell;
use super::keep_shards;
use crate::args::dataset::GenerateArgs;
use crate::error::CliError;
use crate::messages::Messages;
use crate::report::print;

/// Generates a set.
pub(super) fn generate(args: &GenerateArgs, messages: Messages) -> Result<(), CliError> {
    let (recipe, base) = super::recipe::recipe(args)?;
    if args.print_recipe {
        recipe.check()?;
        return print(&recipe.to_toml()?);
    }
    let device = args.numerics.device()?;
    let cases = Cases::open(&recipe, &base)?;
    messages.explain(format_args!("backend: {}", device.name()));
    let recording = Recording {
        every: args.every.unwrap_or(1),
        states: args.states.clone(),
    };
    let started = Instant::now();
    let rate = |fibers: usize| {
        let seconds = started.elapsed().as_secs_f64();
        format!(
            "in {seconds:.1} s, {:.0} fibres/s",
            fibers as f64 / seconds.max(1e-9)
        )
    };
    let Some(folder) = &args.output else {
        let recording = recording.resolve(&cases)?;
        let mut tally = Tally::new(&recording.states, recipe.dt_ms, recording.every);
        let mut progress = messages.progress("fibres", recipe.count);
        cases.simulate(0..recipe.count, &device, &recording, &mut |trace| {
            tally.add(&trace);
            progress.update(trace.index + 1);
            Ok(())
        })?;
        drop(progress);
        return print(&format!(
            "simulated {} fibres {}\n\n{}",
            recipe.count,
            rate(recipe.count),
            tell(&tally.survey)
        ));
    };
    let shard_fibers = args.shard.unwrap_or(Plan::SHARD_FIBERS);
    let plan = Plan::new(&cases, &device, &recording, shard_fibers, folder)?;
    let (shards, done, bytes) = (plan.shards, plan.shards_done, plan.bytes);
    messages.note(format_args!(
        "{} fibres: {} in {shards} shards; {} free",
        recipe.count,
        size_text(bytes),
        size_text(plan.bytes_free)
    ));
    if done > 0 {
        messages.note(format_args!(
            "{done} shards are finished, their checksums right; {} to go",
            size_text(plan.bytes_left)
        ));
    }
    if args.dry_run {
        return Ok(plan.check_space()?);
    }
    let mut progress = messages.progress("fibres", recipe.count);
    let (keeper, finished) = keep_shards(folder, shards);
    finished.store(done, Ordering::Relaxed);
    let generated = dataset::generate(
        &cases,
        &device,
        plan,
        &mut |fibers| progress.update(fibers),
        &mut |shards| {
            finished.store(shards, Ordering::Relaxed);
            messages.explain(format_args!("{shards} shards finished"));
        },
    );
    drop(keeper);
    drop(progress);
    let generated = generated?;
    print(&format!(
        "{}: {} fibres, {}; simulated {} {}\n",
        folder.display(),
        generated.kept + generated.simulated,
        size_text(generated.bytes),
        generated.simulated,
        rate(generated.simulated)
    ))
}
