//! `axonml run`: fibers at one amplitude.

mod recorder;
mod results;
mod work;

use std::sync::Arc;

use axonml::TimeGrid;
use axonml::{ObserverKind, ObserverSpec};

use crate::args::{Injection, RunArgs};
use crate::common::Common;
use crate::error::CliError;
use crate::fibers::{self, Flags, asked};
use crate::interrupt::OnSignal;
use crate::job::Injections;
use crate::messages::Messages;
use crate::plot::Picture;
use crate::report::{Form, Outputs, Target, output};
use crate::request::Request;
use recorder::{check_size, recorder};
use results::Runs;
use work::Work;

/// Runs the fibers.
pub(crate) fn run(args: &RunArgs, messages: Messages) -> Result<(), CliError> {
    let outputs = Outputs::checked(&args.output, &args.plot)?;
    outputs.keep(&args.inputs())?;
    let targets = &outputs.targets;
    let common = Common::from_args(&args.model, &args.fiber, &args.numerics, messages)?;
    messages.explain(format_args!("backend: {}", common.device.name()));
    let model = args.model.model()?;
    common.weights.check_used(&[model])?;
    common.check(model, args.numerics.dt_ms(), args.numerics.tstop_ms())?;
    refuse_without_field(args)?;
    let waveform = args.waveform.waveform()?;
    let injections = injections(args, messages)?;
    let flags = Flags {
        fiber: &args.fiber,
        field: &args.field,
        numerics: &args.numerics,
        waveform: Arc::new(waveform.clone()),
        waveform_given: args.waveform.is_given(),
        injections: injections.clone(),
        detection: args.detection.detection(),
        one_grid: true,
    };
    let fibers = asked(model, &flags, &common, false, messages)?;
    let jobs = || {
        fibers
            .asked
            .iter()
            .filter_map(|asked| asked.job.as_ref().ok())
    };
    let tstop_ms = jobs().next().map(|job| job.tstop_ms);
    let grid = TimeGrid::new(
        args.numerics.dt_ms(),
        tstop_ms.unwrap_or(args.numerics.tstop_ms()),
    )?;
    let amplitude_ma = args.amplitude.unwrap_or(1.0);

    let record = targets.iter().any(|target| target.form == Form::Npz);
    for job in jobs() {
        common.check_fiber(job.fiber.nodes, &grid, 1 + injections.len())?;
    }
    let recorder = recorder(
        &args.recording,
        record,
        &model.schema(),
        &grid,
        jobs().map(|job| job.fiber.nodes),
    )?;
    if let Some(spec) = &recorder {
        let nodes = jobs().map(|job| job.fiber.nodes);
        check_size(spec, &grid, nodes, &common.memory)?;
    }

    common.warn(jobs(), messages);
    let mut request = Request::new("run", &[model], &common)?;
    if fibers.has_waveform() {
        request.put_waveform(&args.waveform, &waveform)?;
    }
    if !args.field.is_empty() {
        request.put("amplitude_mA", amplitude_ma);
    }
    request.put_injections(&injections);
    request.put("field", fibers.description.clone());
    request.put_jobs(jobs());
    if let Some(ObserverSpec {
        kind: ObserverKind::Recorder { states, every },
        ..
    }) = &recorder
    {
        request.put("record", states.clone());
        request.put("every", *every);
        request.put(
            "record_nodes",
            args.recording
                .record_nodes
                .as_ref()
                .map(|nodes| nodes.0.clone()),
        );
    }

    let runs = Arc::new(Runs::new(
        &fibers,
        model,
        args.recording.states(&model.schema()),
        flags.detection.clone(),
        request.value(),
    ));
    let work = Work {
        model,
        grid,
        common,
        amplitude_ma,
        recorder,
        messages,
    };
    let refused = work.refuse(&fibers, args.keep_going, &runs)?;
    let keeper = {
        let (runs, targets) = (runs.clone(), targets.to_vec());
        OnSignal::keep(move || runs.salvage(&targets))
    };
    if let Err(error) = work.run(&fibers, &runs) {
        // What is finished is kept whatever ended the work.
        let kept = runs.salvage(targets);
        kept.iter().for_each(|kept| messages.note(kept));
        return Err(error);
    }

    let (recordings, others): (Vec<Target>, Vec<Target>) = targets
        .iter()
        .cloned()
        .partition(|target| target.form == Form::Npz);
    let report = runs.report(false);
    for target in &recordings {
        target.write(&runs.archive(&report)?)?;
        messages.note(format_args!("wrote {}", target.name()));
    }
    // A recording shows no results: print the table as if there were no file.
    output(&report, &others, &args.output, messages)?;
    drop(keeper);
    if let Some(path) = &args.plot.plot {
        work.draw(&fibers, &runs)
            .and_then(|plot| Ok(plot.save(path)?))?;
        messages.note(format_args!("drew {}", path.display()));
    }
    runs.verdict(&fibers, refused)
}

/// Refuses flags of an extracellular stimulus without one.
fn refuse_without_field(args: &RunArgs) -> Result<(), CliError> {
    let given = [
        ("--amplitude", args.amplitude.is_some()),
        ("--pulse", args.waveform.pulse.is_some()),
        ("--polarity", args.waveform.polarity.is_some()),
    ];
    match given.iter().find(|(_, given)| *given) {
        Some((flag, _)) if args.field.is_empty() => Err(CliError::request(format!(
            "{flag} has no effect: there is no extracellular field"
        ))
        .help("give --point, --nerve or --basis, or leave it out")),
        _ => Ok(()),
    }
}

/// The currents injected; one by default where nothing else would stimulate.
fn injections(args: &RunArgs, messages: Messages) -> Result<Injections, CliError> {
    let injections = fibers::injections(&args.injection)?;
    if !injections.is_empty() || !args.field.is_empty() {
        return Ok(injections);
    }
    let injection = Injection::default();
    messages.note(format_args!(
        "no field and no current given: injecting {} nA for {} ms into node {} at {} ms",
        injection.amp_na, injection.pw_ms, injection.node, injection.delay_ms
    ));
    Ok(Arc::new(vec![(injection, Arc::new(injection.waveform()?))]))
}
