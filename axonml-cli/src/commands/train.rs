//! `axonml train`.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

use axonml::train::checkpoint::CheckpointError;
use axonml::train::config::{Config, Score};
use axonml::train::dataset::DatasetError;
use axonml::train::run::{Ending, Progress, Watch};
use axonml::train::{TrainError, Training};

use crate::args::{TrainArgs, memory, open};
use crate::error::CliError;
use crate::interrupt::OnSignal;
use crate::messages::{self, Messages};
use crate::plot::{Format, LogCurve, Page, Picture, TrainingPlot};
use crate::report::{check_regular, print};

/// Trains what a configuration asks for.
pub(crate) fn train(args: &TrainArgs, messages: Messages) -> Result<(), CliError> {
    let page = args.plot.page()?;
    if let Some(path) = &args.plot.plot {
        check_regular(path)?;
        Format::of(path)?;
    }
    let path = args.config.display();
    let text = std::fs::read_to_string(&args.config).map_err(|error| {
        CliError::request(format!("cannot read `{path}`: {error}"))
            .help("name a configuration file; examples/train/short.toml is a commented one")
    })?;
    let config = Config::from_toml(&text, &args.set)
        .map_err(|error| CliError::from(TrainError::from(error)).at(&path))?;
    let device = open(args.backend.as_deref(), args.threads)?;
    let base = args.config.parent().unwrap_or(Path::new(""));
    let memory = memory(args.max_memory);
    let opened = Training::open(&config, base, &device, &memory, args.resume);
    let mut training = opened.map_err(|error| CliError::from(error).at(&path))?;
    messages.explain(format_args!("backend: {}", device.name()));
    messages.explain(format_args!(
        "{} parameters: {}",
        training.surrogate().len(),
        training.surrogate().names().join(", ")
    ));
    training.notes().iter().for_each(|note| messages.note(note));
    let folder = training.folder().to_owned();
    let (done, steps) = (training.step(), training.steps());
    if done > 0 {
        messages.note(format_args!(
            "{} resumes after step {done} of {steps}",
            folder.display()
        ));
    }

    let stop = Arc::new(AtomicBool::new(false));
    let (tell, told) = mpsc::channel();
    let flag = stop.clone();
    let finished = format!("the training in {} is finished", folder.display());
    // A signal waits for the step under way and the checkpoint behind it.
    let keeper = OnSignal::keep(move || {
        flag.store(true, Ordering::Relaxed);
        vec![told.recv().unwrap_or_else(|_| finished.clone())]
    });
    let mut bar = Bar {
        progress: messages.progress("steps", steps).from(done),
        stop,
    };
    let ended = training.run(&mut bar);
    let stopped = bar.stop.clone();
    drop(bar);
    let drawn = match &args.plot.plot {
        Some(path) if training.step() > 0 => draw(&folder, path, &page),
        _ => Ok(()),
    };
    let step = training.step();
    if stopped.load(Ordering::Relaxed) {
        let kept = match &ended {
            Err(error) => error.to_string(),
            Ok(_) => format!(
                "{step} of {steps} steps are kept in {}; the same command with --resume goes on",
                folder.display()
            ),
        };
        _ = tell.send(kept);
        // The answer to the signal ends the program.
        loop {
            std::thread::park();
        }
    }
    drop(tell);
    drop(keeper);
    debug_assert!(ended.is_err() || ended.as_ref().is_ok_and(|end| *end == Ending::Finished));
    ended?;
    drawn?;
    let mut text = format!("{}: {step} steps", folder.join(Training::LAST).display());
    if let (Some(best), Some(valid)) = (training.best(), &config.valid) {
        let (name, unit) = match valid.score() {
            Score::Loss => ("loss", ""),
            Score::Mape => ("error of thresholds", " %"),
        };
        let path = folder.join(Training::BEST);
        text.push_str(&format!(
            "\n{}: validation {name} {:.4}{unit}, after step {}",
            path.display(),
            best.score,
            best.step
        ));
    }
    text.push('\n');
    print(&text)
}

/// Progress, and whether a signal asked to stop.
struct Bar {
    progress: messages::Progress,
    stop: Arc<AtomicBool>,
}

impl Watch for Bar {
    fn stepped(&mut self, now: &Progress<'_>) {
        let mut remark = format!("loss {:.4}", now.report.loss);
        if now.stage.1 > 1 {
            remark = format!("stage {} of {}, {remark}", now.stage.0 + 1, now.stage.1);
        }
        for (name, value) in now.postfix {
            remark.push_str(&format!(", {name} {value:.4}"));
        }
        if let Some(validated) = now.validated {
            if let Some(loss) = validated.loss {
                remark.push_str(&format!(", validation loss {loss:.4}"));
            }
            if let Some(errors) = &validated.thresholds {
                remark.push_str(&format!(
                    ", thresholds off by {:.2} % (worst {:.1} %, {} of {} missed)",
                    errors.mape_pct, errors.worst_pct, errors.missed, errors.count
                ));
            }
        }
        self.progress.remark(remark);
        match now.validated {
            Some(_) => self.progress.tell(now.step),
            None => self.progress.update(now.step),
        }
    }

    fn stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// Draws the log of a training.
fn draw(folder: &Path, path: &Path, page: &Page) -> Result<(), CliError> {
    let log = folder.join(Training::LOG);
    let unreadable = |error: csv::Error| {
        CliError::failure(format!("cannot read `{}`: {error}", log.display()))
            .help("leave --plot out")
    };
    let mut reader = csv::Reader::from_path(&log).map_err(unreadable)?;
    let columns = reader.headers().map_err(unreadable)?.clone();
    let rows: Vec<csv::StringRecord> = reader
        .records()
        .collect::<Result<_, _>>()
        .map_err(unreadable)?;
    let number = |row: &csv::StringRecord, column: &str| -> Option<f64> {
        let at = columns.iter().position(|name| name == column)?;
        row.get(at)?.parse().ok()
    };
    let curve = |label: &str, column: &str| LogCurve {
        label: label.to_owned(),
        points: rows
            .iter()
            .filter_map(|row| Some((number(row, "step")?, number(row, column)?)))
            .collect(),
    };
    let begins = rows.windows(2).filter_map(|pair| {
        let same = number(&pair[0], "stage") == number(&pair[1], "stage");
        (!same).then(|| number(&pair[1], "step")).flatten()
    });
    let plot = TrainingPlot {
        title: format!("Training in {}", folder.display()),
        stages: begins.collect(),
        panels: vec![
            (
                "loss".to_owned(),
                vec![curve("training", "loss"), curve("validation", "valid_loss")],
            ),
            (
                "error of thresholds (%)".to_owned(),
                vec![
                    curve("mean", "valid_mape_pct"),
                    curve("worst", "valid_worst_pct"),
                ],
            ),
        ],
    };
    Ok(plot.save(path, page)?)
}

impl From<TrainError> for CliError {
    fn from(error: TrainError) -> Self {
        let help = match &error {
            TrainError::Exists { .. } => "give --resume to go on with it, or name another save_dir",
            TrainError::Diverging { .. } => {
                "the checkpoint holds the step before: lower learning_rate, freeze parameters, or start from other weights"
            }
            TrainError::Write { .. } | TrainError::Checkpoint(CheckpointError::Write { .. }) => {
                "make room, then give the same command with --resume"
            }
            TrainError::Checkpoint(CheckpointError::Other { .. }) => {
                "repeat the settings of the checkpoint, or name another save_dir"
            }
            TrainError::Checkpoint(_) => {
                "restore the file from a copy, or name another save_dir to begin anew"
            }
            TrainError::Log { .. } => "restore the log from a copy, or name another save_dir",
            TrainError::Memory(_) => "lower the stage's batch, or allow more with --max-memory GB",
            TrainError::Set { source, .. } => match **source {
                DatasetError::MissingState { .. } => {
                    "leave its weight out of the loss, or generate the set with it"
                }
                DatasetError::NotFinite { .. } => {
                    "mend or leave out this fiber where the set was made"
                }
                _ => "",
            },
            _ => "",
        };
        let failed = error.is_failure();
        let error = match error {
            TrainError::Simulation(error) if !failed => return error.into(),
            error if failed => CliError::failure(error),
            error => CliError::request(error),
        };
        match help {
            "" => error,
            help => error.help(help),
        }
    }
}
