//! From flags and tables to rows of thresholds to be searched.

use std::sync::Arc;

use axonml::FiberModel;
use axonml::TimeGrid;
use axonml::simulation::provenance::sha256;

use crate::args::ThresholdArgs;
use crate::batch::refused;
use crate::common::Common;
use crate::conditions::{Overridden, Reader, Sheet, overrides};
use crate::error::CliError;
use crate::fibers::{self, Flags, asked, check_applicable, describe_points};
use crate::job::Job;
use crate::messages::Messages;
use crate::pictures;
use crate::report::Cell;
use crate::request::Request;

/// A row of results in the making.
pub(crate) struct Line {
    /// Cells of the row before its results.
    pub(crate) settings: Vec<Cell>,
    /// A threshold to compare with, mA.
    pub(crate) reference_ma: Option<f64>,
    /// The search, or why it is impossible.
    pub(crate) job: Result<Job, CliError>,
    /// Name of the row in messages.
    pub(crate) name: String,
}

/// All rows of results in the making.
pub(crate) struct Work {
    /// Columns that stand before the results.
    pub(crate) columns: Vec<String>,
    /// The rows.
    pub(crate) lines: Vec<Line>,
    /// Whether there are thresholds to compare with.
    pub(crate) has_references: bool,
    /// All settings.
    pub(crate) request: Request,
    /// The picture, before its results are known.
    pub(crate) picture: pictures::Thresholds,
}

/// Rows that cannot be computed, and why.
pub(crate) type Refused = Vec<(usize, CliError)>;

impl Work {
    /// The rows that cannot be computed, in order; with `keep_going` they are told, else they are an error.
    pub(crate) fn refused(
        &self,
        common: &Common,
        keep_going: bool,
        messages: Messages,
    ) -> Result<Refused, CliError> {
        let mut errors: Refused = Vec::new();
        for (index, line) in self.lines.iter().enumerate() {
            if let Err(error) = &line.job {
                errors.push((index, error.clone()));
            }
        }
        for (index, error) in refused(self.jobs(), common) {
            errors.push((index, error.at(&self.lines[index].name)));
        }
        errors.sort_by_key(|(index, _)| *index);
        if !errors.is_empty() && !keep_going {
            let errors: Vec<CliError> = errors.into_iter().map(|(_, error)| error).collect();
            let help = "fix the input, or give --keep-going to skip what cannot be computed";
            return CliError::of_many(&errors)
                .map_or(Ok(Vec::new()), |error| Err(error.or_help(help)));
        }
        messages.skipped(errors.iter().map(|(_, error)| error.message()));
        Ok(errors)
    }

    /// Searches by row.
    pub(crate) fn jobs(&self) -> impl Iterator<Item = (usize, &Job)> {
        let lines = self.lines.iter().enumerate();
        lines.filter_map(|(index, line)| Some((index, line.job.as_ref().ok()?)))
    }
}

/// A line for each fiber that the flags ask for.
pub(super) fn of_fibers(
    args: &ThresholdArgs,
    common: &Common,
    messages: Messages,
) -> Result<Work, CliError> {
    let model = args.model.model()?;
    common.weights.check_used(&[model])?;
    common.check(model, args.numerics.dt_ms(), args.numerics.tstop_ms())?;
    let waveform = Arc::new(args.waveform.waveform()?);
    let injections = fibers::injections(&args.injection)?;
    if !injections.is_empty() && args.field.is_empty() {
        return Err(CliError::request(
            "--inject alone leaves nothing to search: injected currents are not scaled by the amplitude",
        )
        .help("add a field with --point, --nerve or --basis"));
    }
    let mut request = Request::new("threshold", &[model], common)?;
    let flags = Flags {
        fiber: &args.fiber,
        field: &args.field,
        numerics: &args.numerics,
        waveform: waveform.clone(),
        waveform_given: args.waveform.is_given(),
        injections: injections.clone(),
        detection: args.detection.detection(),
        one_grid: false,
    };
    let fibers = asked(model, &flags, common, true, messages)?;
    if fibers.has_waveform() {
        request.put_waveform(&args.waveform, &waveform)?;
    }
    request.put_injections(&injections);
    request.put("field", fibers.description.clone());

    let nerve = fibers.nerve().cloned();
    let place = if nerve.is_some() { "nerve" } else { "model" };
    let columns = [place, "fiber", "diameter_um", "n_nodes"];
    let columns = columns.map(str::to_owned).to_vec();
    let first = nerve
        .as_ref()
        .map_or(model.schema().id.to_owned(), |nerve| {
            nerve.name().to_owned()
        });
    let names: Vec<String> = fibers
        .asked
        .iter()
        .map(|asked| fibers.name(asked))
        .collect();
    let picture = pictures::Thresholds::new(&fibers, model.schema().id, &common.title(model));
    let lines = fibers
        .asked
        .into_iter()
        .zip(names)
        .map(|(asked, name)| Line {
            settings: vec![
                Cell::Text(first.clone()),
                Cell::integer(asked.fiber),
                Cell::Number(asked.diameter_um),
                asked
                    .job
                    .as_ref()
                    .map_or(Cell::Missing, |job| Cell::integer(job.fiber.nodes)),
            ],
            reference_ma: None,
            job: asked.job.map_err(|error| error.at(&name)),
            name,
        });
    Ok(Work {
        columns,
        lines: lines.collect(),
        has_references: false,
        request,
        picture,
    })
}

/// A line for each row of a table of conditions.
pub(crate) fn of_table(
    args: &ThresholdArgs,
    sheet: Sheet,
    common: &Common,
    messages: Messages,
) -> Result<Work, CliError> {
    let injections = fibers::injections(&args.injection)?;
    let overrides = overrides(args)?;
    let settings = |model: &dyn FiberModel| common.settings(model);
    let room = |grid: &TimeGrid| common.check_steps(grid).map_err(|error| error.message());
    let mut reader = Reader::new(&sheet, &overrides, &settings, &room, injections.clone());

    // Columns of ours replace those of the same name; a reference keeps its value under another name.
    let reference = sheet.column("threshold_mA");
    let mut ours = vec![
        "threshold_mA",
        "lower_mA",
        "upper_mA",
        "error_pct",
        "start_node",
        "start_um",
        "start_ms",
        "status",
        "message",
    ];
    if reference.is_some() {
        ours.push("reference_mA");
    }
    let kept: Vec<usize> = (0..sheet.columns.len())
        .filter(|&column| !ours.contains(&sheet.columns[column].as_str()))
        .collect();
    let overridden = Overridden::by(&overrides, &sheet);
    overridden.tell(messages);
    let mut lines = Vec::with_capacity(sheet.records.len());
    for record in &sheet.records {
        let reference_ma = reader.reference_ma(record);
        let setting = |column: usize| match sheet.columns[column].as_str() {
            name if reader.ignores(record, name) => Cell::Missing,
            name => overridden.cell(name, &record.cells[column]),
        };
        lines.push(Line {
            settings: kept.iter().map(|&column| setting(column)).collect(),
            reference_ma: reference_ma.clone().unwrap_or(None),
            job: reference_ma.and_then(|_| reader.job(record)),
            name: sheet.place(record),
        });
    }
    let (points, nerves) = reader.kinds_of_fields();
    check_applicable(&args.field, points, nerves)?;
    reader.tell(messages);
    let mut models: Vec<&'static dyn FiberModel> = Vec::new();
    for job in lines.iter().filter_map(|line| line.job.as_ref().ok()) {
        if !models
            .iter()
            .any(|model| model.schema().id == job.model.schema().id)
        {
            models.push(job.model);
        }
    }
    common.weights.check_used(&models)?;
    let mut request = Request::new("threshold", &models, common)?;
    request.put("conditions", sheet.path.display().to_string());
    request.put("conditions_sha256", sha256(&sheet.bytes));
    request.put("rows", sheet.records.len());
    for (name, hashes) in reader.files() {
        request.put(name, hashes);
    }
    if args.waveform.pulse.is_some() {
        request.put_waveform(&args.waveform, &args.waveform.waveform()?)?;
    }
    if let Some(polarity) = args.waveform.polarity {
        request.put("polarity", polarity.name());
    }
    if !args.field.point.is_empty() {
        request.put("field", describe_points(&args.field));
    }
    request.put_injections(&injections);
    let titles: Vec<String> = models.iter().map(|model| common.title(*model)).collect();
    let picture = pictures::Thresholds::of_table(&sheet, &titles);
    let columns = kept
        .iter()
        .map(|&column| match sheet.columns[column].as_str() {
            "fibre" => "fiber".to_owned(),
            name => name.to_owned(),
        })
        .collect();
    let has_references = reference.is_some();
    Ok(Work {
        columns,
        lines,
        has_references,
        request,
        picture,
    })
}
