//! `axonml dataset inspect`.

use axonml::train::dataset::{Dataset, Survey, Tally};
use serde_json::{Value, json};

use crate::args::dataset::InspectArgs;
use crate::error::CliError;
use crate::messages::Messages;
use crate::plot::{Picture, SetPlot};
use crate::report::{check_picture, plain, print, print_json};
use axonml::study::{Cell, Table};

/// Looks into a set.
pub(super) fn inspect(args: &InspectArgs, messages: Messages) -> Result<(), CliError> {
    let page = args.plot.page()?;
    if let Some(path) = &args.plot.plot {
        check_picture(path)?;
    }
    let set = Dataset::open(&args.set)?;
    let request = set.request();
    let mut progress = messages.progress("fibers", set.len());
    if args.verify {
        set.verify(&mut |fibers| progress.update(fibers))?;
        drop(progress);
        return print(&format!(
            "{}: {} fibers in {} shards: all checksums are right, all numbers finite\n",
            args.set.display(),
            set.len(),
            set.manifest().shards.len()
        ));
    }
    let mut tally = Tally::new(&request.states, request.dt_ms, request.every);
    let fibers: Vec<usize> = (0..set.len()).collect();
    set.read(&fibers, &mut |trace| {
        tally.add(&trace);
        progress.update(trace.index + 1);
        Ok(())
    })?;
    drop(progress);
    let survey = tally.survey;
    if args.json {
        print_json(&describe(&set, &survey))?;
    } else {
        let origin = match (&request.recipe, &request.imported_from) {
            (Some(recipe), _) => format!("model {}, seed {}", recipe.model, recipe.seed),
            (None, Some(file)) => format!("imported from {file}"),
            (None, None) => "origin unknown".to_owned(),
        };
        print(&format!(
            "{}: {} fibers of {} nodes, {origin}\n{} steps of {} ms; a row every {} ms: {}\n{} shards, {} contacts, {}\n\n{}",
            args.set.display(),
            set.len(),
            request.nodes,
            request.steps,
            request.dt_ms,
            request.every as f64 * request.dt_ms,
            request.states.join(" "),
            set.manifest().shards.len(),
            set.contacts(),
            request.program,
            tell(&survey)
        ))?;
    }
    if let Some(path) = &args.plot.plot {
        let name = args.set.file_name().unwrap_or(args.set.as_os_str());
        let name = name.to_string_lossy();
        let plot = SetPlot {
            title: format!("{name}: {} fibers", set.len()),
            diameters_um: survey.diameters_um,
            firing: survey.action_potentials.iter().map(|&n| n > 0).collect(),
            peaks_ma: survey.peaks_ma,
            active_ms: survey.active_ms,
        };
        plot.save(path, &page)?;
        messages.note(format_args!("drew {}", path.display()));
    }
    Ok(())
}

/// Least, mean and greatest of some numbers.
fn spread(values: &[f64]) -> Option<[f64; 3]> {
    let least = values.iter().copied().reduce(f64::min)?;
    let greatest = values.iter().copied().reduce(f64::max)?;
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    Some([least, mean, greatest])
}

/// The figures for people.
pub(super) fn tell(survey: &Survey) -> String {
    let row = |name: &str, values: &[f64]| {
        let numbers = spread(values).map_or([None; 3], |numbers| numbers.map(Some));
        let mut cells = vec![Cell::text(name), Cell::integer(values.len())];
        cells.extend(numbers.map(Cell::maybe));
        cells
    };
    let table = Table {
        columns: ["quantity", "n", "min", "mean", "max"]
            .map(str::to_owned)
            .to_vec(),
        rows: vec![
            row("diameter_um", &survey.diameters_um),
            row("peak_mA", &survey.peaks_ma),
            row("active_ms", &survey.active_ms),
        ],
    };
    let mut text = plain(&table);
    if let (Some(firing), Some((low, high))) = (survey.firing(), survey.v_range_mv) {
        let percent = 100.0 * firing as f64 / survey.fibers() as f64;
        text.push_str(&format!(
            "{firing} of {} fibers fire ({percent:.1} %); v from {low:.1} to {high:.1} mV\n",
            survey.fibers()
        ));
    } else {
        text.push_str("whether fibers fire is unknown: v was not recorded\n");
    }
    text
}

/// The figures for programs.
fn describe(set: &Dataset, survey: &Survey) -> Value {
    let range = |values: &[f64]| match spread(values) {
        Some([min, mean, max]) => json!({"n": values.len(), "min": min, "mean": mean, "max": max}),
        None => json!({"n": 0}),
    };
    json!({
        "request": set.request(),
        "summary": {
            "fibers": set.len(),
            "shards": set.manifest().shards.len(),
            "contacts": set.contacts(),
            "diameter_um": range(&survey.diameters_um),
            "peak_mA": range(&survey.peaks_ma),
            "active_ms": range(&survey.active_ms),
            "firing": survey.firing(),
            "v_range_mV": survey.v_range_mv.map(|(low, high)| [low, high]),
        },
    })
}
