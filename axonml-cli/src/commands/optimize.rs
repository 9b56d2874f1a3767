//! `axonml optimize`: currents through contacts that activate some fibers and spare others.

use std::path::{Path, PathBuf};

use axonml::design::{Baseline, DesignRecord, Moment};
use axonml::optimization::{
    self, Order, Watcher, folder_of, results_json, results_npz, results_table,
};
use axonml::simulation::CancelToken;
use axonml::study::{Fault, Listener, Machine, OptimizeProtocol, Results, Study, json_text};

use crate::args::optimize::{CommonArgs, ReportArgs};
use crate::args::{OptimizeCommand, PlotArgs, StudyArgs, TableFormat};
use crate::error::CliError;
use crate::input::{self, Input};
use crate::interrupt::OnSignal;
use crate::messages::{Messages, Progress, StudyListener};
use crate::pictures::{self, Layout};
use crate::report::{Form, Outputs, Target, design, print, replace};

/// Looks for a stimulus.
pub(crate) fn optimize(command: &OptimizeCommand, messages: Messages) -> Result<(), CliError> {
    match command {
        OptimizeCommand::Scan(args) => perform(&args.study()?, &args.common, messages),
        OptimizeCommand::Gd(args) => perform(&args.study()?, &args.common, messages),
        OptimizeCommand::De(args) => perform(&args.study()?, &args.common, messages),
        OptimizeCommand::Report(args) => report(args, messages),
    }
}

/// The study that flags mean.
fn perform(study: &Study, common: &CommonArgs, messages: Messages) -> Result<(), CliError> {
    study.check_numbers()?;
    if common.output.print_study {
        return print(&commented(&study.with_design_defaults())?);
    }
    let outputs = Outputs::of(
        &common.output.output,
        common.output.html.as_deref(),
        &common.output.plot,
    )?;
    let folder = folder(study, common.work.save_dir.as_deref());
    let order = Order {
        study: study.clone(),
        folder: Some(folder.clone()),
        resume: common.work.resume,
        save_every: common.work.save_every.unwrap_or(1),
    };
    let show = Show {
        format: common.output.format,
        html: common.output.html.as_deref(),
        plot: &common.output.plot,
        folder: Some(&folder),
    };
    let goes_on = "the same command with --resume goes on";
    let open = || common.numerics.machine(messages);
    carry_out(&order, &outputs, &show, goes_on, open, messages)
}

/// The study in a file. What is kept of it goes on by itself, as rows of other studies do.
pub(crate) fn of_file(
    study: &Study,
    args: &StudyArgs,
    open: impl FnOnce() -> Result<Machine, CliError>,
    messages: Messages,
) -> Result<(), CliError> {
    if args.output.part.is_some() {
        return Err(CliError::request(
            "--part has no effect: an optimization is done as a whole, not row by row",
        )
        .help("leave it out"));
    }
    if args.output.print_study {
        return print(&commented(&study.with_design_defaults())?);
    }
    let outputs = Outputs::of(&args.output.output, None, &args.plot)?;
    outputs.keep(&[Input::of("the study", &args.file)])?;
    let folder = args.save_dir.clone().unwrap_or_else(|| {
        let name = args.file.file_stem().unwrap_or_default();
        format!("optimize-{}", name.to_string_lossy()).into()
    });
    let order = Order {
        folder: Some(folder.clone()),
        resume: true,
        ..Order::new(study.clone())
    };
    let show = Show {
        format: args.output.format,
        html: None,
        plot: &args.plot,
        folder: Some(&folder),
    };
    carry_out(
        &order,
        &outputs,
        &show,
        "the same command goes on",
        open,
        messages,
    )
}

/// Looks for the stimulus of an order, writes and shows what is found.
fn carry_out(
    order: &Order,
    outputs: &Outputs,
    show: &Show<'_>,
    goes_on: &str,
    open: impl FnOnce() -> Result<Machine, CliError>,
    messages: Messages,
) -> Result<(), CliError> {
    outputs.keep(&input::of_study(&order.study))?;
    if order.study.field.demonstration {
        messages.note("no field given: running the bundled demonstration nerve N1");
    }
    let cancel = CancelToken::default();
    let machine = Machine {
        cancel: cancel.clone(),
        ..open()?
    };
    let folder = show.folder.unwrap_or(Path::new("")).display().to_string();
    let kept = format!("the best so far is kept in {folder}; {goes_on}");
    let on_signal = OnSignal::cancel(cancel);
    // Where the proof of the best takes long, it is left out.
    let unproven = kept.clone();
    let _on_signal = OnSignal::keep(move || vec![unproven.clone()]);
    let mut watcher = DesignWatcher::new(messages);
    let records = optimization::optimize(order, &machine, &mut watcher);
    drop(watcher);
    let records = match records {
        Err(error) if error.fault() == Fault::Canceled => {
            return Err(
                on_signal.interrupted(&format!("nothing was found yet; {goes_on} in {folder}"))
            );
        }
        records => records?,
    };
    // First what takes nothing from the user's wishes to fail.
    if let Some(folder) = &order.folder {
        for record in &records {
            let own = folder_of(&order.study, folder, &record.result.nerve);
            let page = design::html(std::slice::from_ref(record));
            replace(&own.join("report.html"), page.as_bytes())?;
        }
    }
    show.all(&records, &outputs.targets, messages)?;
    messages.note(format_args!("kept in {folder}"));
    let is_interrupted = |record: &DesignRecord| record.result.status == "interrupted";
    match records.iter().any(is_interrupted) {
        true => Err(on_signal.interrupted(&kept)),
        false => Ok(()),
    }
}

/// The folder that keeps an optimization: the one that was named, or one named after the nerves.
fn folder(study: &Study, given: Option<&Path>) -> PathBuf {
    if let Some(given) = given {
        return given.to_owned();
    }
    let nerves: Vec<String> = OptimizeProtocol::of_each_nerve(study)
        .iter()
        .map(|study| match &study.field.nerve {
            Some(path) => path
                .file_name()
                .map_or("nerve".into(), |name| name.to_string_lossy().into_owned()),
            None => "N1".into(),
        })
        .collect();
    format!("optimize-{}", nerves.join("-")).into()
}

/// The report of a folder again.
fn report(args: &ReportArgs, messages: Messages) -> Result<(), CliError> {
    let outputs = Outputs::of(&[], args.html.as_deref(), &args.plot)?;
    let record = optimization::read_record(&args.folder)?;
    let show = Show {
        format: args.format,
        html: args.html.as_deref(),
        plot: &args.plot,
        folder: Some(&args.folder),
    };
    show.all(&[record], &outputs.targets, messages)
}

/// How results are shown.
struct Show<'a> {
    format: Option<TableFormat>,
    html: Option<&'a Path>,
    plot: &'a PlotArgs,
    folder: Option<&'a Path>,
}

impl Show<'_> {
    /// For people: what to deliver, and what it does.
    fn text(&self, records: &[DesignRecord]) -> String {
        let of = |record: &DesignRecord| match record.result.method.as_str() {
            "scan" => design::scan_text(record, &montages(record), self.folder),
            _ => design::text(record, self.folder),
        };
        records.iter().map(of).collect::<Vec<_>>().join("\n")
    }

    fn all(
        &self,
        records: &[DesignRecord],
        targets: &[Target],
        messages: Messages,
    ) -> Result<(), CliError> {
        for target in targets {
            write(records, target)?;
            messages.note(format_args!("wrote {}", target.name()));
        }
        let text = match self.format.unwrap_or(TableFormat::Table) {
            TableFormat::Json => json_text(&results_json(records)?),
            TableFormat::Csv => table(records)?.to_csv(),
            TableFormat::Table => self.text(records),
        };
        print(&text)?;
        if let Some(path) = self.html {
            replace(path, design::html(records).as_bytes())?;
            messages.note(format_args!("wrote {}", path.display()));
        }
        if let Some(path) = &self.plot.plot {
            pictures::design::draw(records, path, &Layout::of(self.plot)?)?;
            messages.note(format_args!("drew {}", path.display()));
        }
        Ok(())
    }
}

/// The best montages of a scan.
fn montages(record: &DesignRecord) -> Vec<Baseline> {
    record.montages.clone()
}

/// Results as a table with its request and summary.
fn table(records: &[DesignRecord]) -> Result<Results, CliError> {
    let object = results_json(records)?;
    Ok(Results {
        request: object["request"].clone(),
        table: results_table(records),
        summary: object["summary"].as_object().cloned().unwrap_or_default(),
        ..Results::default()
    })
}

fn write(records: &[DesignRecord], target: &Target) -> Result<(), CliError> {
    match target.form {
        Form::Csv => {
            let results = table(records)?;
            target.write(results.to_csv().as_bytes())?;
            target.sidecar().write(results.to_sidecar().as_bytes())
        }
        Form::Json => target.write(json_text(&results_json(records)?).as_bytes()),
        Form::Npz => target.write(&results_npz(records)?),
    }
}

/// Tells of an optimization: a bar or now and then a line, with the best so far.
struct DesignWatcher {
    messages: Messages,
    listener: StudyListener,
    stage: Option<(&'static str, Option<Progress>)>,
}

impl DesignWatcher {
    fn new(messages: Messages) -> Self {
        DesignWatcher {
            messages,
            listener: StudyListener::by_unit(messages),
            stage: None,
        }
    }
}

impl Listener for DesignWatcher {
    fn note(&mut self, text: String) {
        self.listener.note(text);
    }

    fn warn(&mut self, text: String) {
        self.listener.warn(text);
    }

    fn explain(&mut self, text: String) {
        self.listener.explain(text);
    }
}

impl Watcher for DesignWatcher {
    fn stage(&mut self, nerve: &str, stage: &'static str) {
        self.messages
            .explain(format_args!("nerve {nerve}: {stage}"));
        self.stage = Some((stage, None));
    }

    fn reached(&mut self, moment: &Moment) {
        let Some((stage, progress)) = &mut self.stage else {
            return;
        };
        let messages = self.messages;
        let progress = progress.get_or_insert_with(|| messages.progress(stage, moment.of));
        if let Some(best) = &moment.best {
            progress.remark(format!(
                "misclassified {:.2} %, separation {:.3}, {} stimuli",
                100.0 * best.misclassified,
                best.separation,
                moment.tally.candidates()
            ));
        }
        progress.update(moment.iteration);
    }
}

/// Meanings of the tables of an optimization.
const TABLES: &[(&str, &str)] = &[
    (
        "[protocol]",
        "what is wanted, how it is measured and looked for",
    ),
    (
        "[stimulus]",
        "what contacts may deliver, and which numbers of it vary",
    ),
    ("[limits]", "what every stimulus obeys"),
    ("[gd]", "gradient descent"),
    (
        "[de]",
        "differential evolution; population: 10 per unknown, or 300 for losses on activation, unless given",
    ),
    (
        "[robust]",
        "copies that differ by chance, on which the result is tried; rotation_deg: 5 where the cuff can be rotated",
    ),
];

/// The study as TOML, its tables with their meanings.
fn commented(study: &Study) -> Result<String, CliError> {
    let mut text = String::new();
    for line in study.to_toml()?.lines() {
        if let Some((_, meaning)) = TABLES.iter().find(|(table, _)| *table == line) {
            text.push_str(&format!("# {meaning}\n"));
        }
        text.push_str(line);
        text.push('\n');
    }
    Ok(text)
}
