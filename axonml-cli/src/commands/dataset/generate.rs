//! `axonml dataset generate`.

use std::sync::atomic::Ordering;
use std::time::Instant;

use axonml::file::size_text;
use axonml::train::dataset::{self, Cases, Outlook, Plan, Recipe, Recording, Tally};

use super::inspect::tell;
use super::keep_shards;
use crate::args::Rates;
use crate::args::dataset::GenerateArgs;
use crate::error::CliError;
use crate::messages::Messages;
use crate::report::print;
use axonml::study::rounding;

/// Generates a set.
pub(super) fn generate(args: &GenerateArgs, messages: Messages) -> Result<(), CliError> {
    if args.numerics.rates == Some(Rates::Table) {
        return Err(
            CliError::request("--rates table: datasets have exact rates")
                .help("leave --rates out, or give --rates exact"),
        );
    }
    let (recipe, base) = super::recipe::recipe(args)?;
    if args.print_recipe {
        recipe.check()?;
        return print(&recipe.to_toml()?);
    }
    let device = args.numerics.device()?;
    let recording = Recording {
        every: args.every.unwrap_or(1),
        states: args.states.clone(),
    };
    let shard_fibers = args.shard.unwrap_or(Plan::SHARD_FIBERS);
    check_memory(args, &recipe, &recording, shard_fibers)?;
    let cases = Cases::open(&recipe, &base)?;
    let rounded = rounding(cases.grid(), recipe.tstop_ms);
    rounded.iter().for_each(|note| messages.note(note));
    messages.explain(format_args!("backend: {}", device.name()));
    let started = Instant::now();
    let rate = |fibers: usize| {
        let seconds = started.elapsed().as_secs_f64();
        format!(
            "in {seconds:.1} s, {:.0} fibers/s",
            fibers as f64 / seconds.max(1e-9)
        )
    };
    let Some(folder) = &args.output else {
        let recording = recording.resolve(&cases)?;
        let mut tally = Tally::new(&recording.states, recipe.dt_ms, recording.every);
        let mut progress = messages.progress("fibers", recipe.count);
        cases.simulate(0..recipe.count, &device, &recording, &mut |trace| {
            tally.add(&trace);
            progress.update(trace.index + 1);
            Ok(())
        })?;
        drop(progress);
        return print(&format!(
            "simulated {} fibers {}\n\n{}",
            recipe.count,
            rate(recipe.count),
            tell(&tally.survey)
        ));
    };
    let announce = |outlook: &Outlook| {
        messages.note(format_args!(
            "{} fibers: {} in {} shards; {} free",
            recipe.count,
            size_text(outlook.bytes),
            outlook.shards,
            size_text(outlook.bytes_free.into())
        ));
        if outlook.shards_done > 0 {
            messages.note(format_args!(
                "{} shards are finished, their checksums right; {} to go",
                outlook.shards_done,
                size_text(outlook.bytes_left)
            ));
        }
    };
    if args.dry_run {
        let outlook = Plan::outlook_of(&cases, &device, &recording, shard_fibers, folder)?;
        announce(&outlook);
        return Ok(outlook.check_space()?);
    }
    let plan = Plan::new(&cases, &device, &recording, shard_fibers, folder)?;
    announce(plan.outlook());
    let (shards, done) = (plan.outlook().shards, plan.outlook().shards_done);
    let mut progress = messages.progress("fibers", recipe.count);
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
        "{}: {} fibers, {}; simulated {} {}\n",
        folder.display(),
        generated.kept + generated.simulated,
        size_text(generated.bytes),
        generated.simulated,
        rate(generated.simulated)
    ))
}

/// Refuses what memory has no room for: a shard, or the figures of all fibers where nothing is written.
fn check_memory(
    args: &GenerateArgs,
    recipe: &Recipe,
    recording: &Recording,
    shard_fibers: usize,
) -> Result<(), CliError> {
    /// Bytes of a fiber's number and figures.
    const FIGURES: u128 = 64;
    let memory = args.numerics.memory();
    let (what, needed) = match args.output {
        Some(_) => {
            let needed = Plan::memory_bytes(recipe, recording, shard_fibers)?;
            ("a shard under way", needed)
        }
        None => {
            let traces = Plan::memory_bytes(recipe, recording, 1)?;
            let figures = FIGURES.saturating_mul(recipe.count as u128);
            ("the simulation", traces.saturating_add(figures))
        }
    };
    memory.check(what, needed).map_err(|error| {
        CliError::request(error).help(
            "ask for smaller shards (--shard), fewer fibers (--count), rows (--every), states (--states) or nodes, or \
             allow more with --max-memory GB",
        )
    })
}
