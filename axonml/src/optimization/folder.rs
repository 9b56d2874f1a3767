//! The folder of an optimization: its request, its best so far, and every finished batch, so that a kill at any moment
//! costs one batch.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use axonml_files::{FolderLock, Journal, check_writable, replace};
use serde_json::{Value, json};

use crate::design::{Delivered, DesignError, DesignRecord, DesignResult, HistoryRow};
use crate::study::{StudyError, difference_text, json_text};

/// Settings of an optimization that may differ when it goes on.
const MAY_DIFFER: [&str; 2] = ["max_seconds", "max_evaluations"];

/// File of the current of each contact over time.
pub(super) const WAVEFORMS: &str = "waveforms.csv";

/// A folder that keeps an optimization.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    journal: Journal,
    /// Batches of earlier runs that were not recalled yet, by their number.
    kept: BTreeMap<usize, String>,
    /// Number of the next batch.
    next: usize,
    _lock: FolderLock,
}

impl Folder {
    /// Begins a folder, or goes on in one of the same request.
    pub(super) fn open(path: &Path, request: &Value, resume: bool) -> Result<Self, StudyError> {
        let of = |error: std::io::Error| {
            StudyError::request(error)
                .at(path.display())
                .help("give another folder with --save-dir")
        };
        let file = path.join("request.json");
        if path.exists() && !file.exists() {
            // A folder of other things is left as it is.
            check_empty(path)?;
        }
        std::fs::create_dir_all(path).map_err(of)?;
        let lock = FolderLock::take(path)
            .map_err(|error| StudyError::request(error).at(path.display()))?;
        match std::fs::read_to_string(&file) {
            Ok(text) => check_same(&file, &text, request, resume)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                check_empty(path)?;
                check_writable(&file).map_err(of)?;
                replace(&file, json_text(request).as_bytes()).map_err(of)?;
            }
            Err(error) => return Err(of(error)),
        }
        let opened = Journal::open(
            &path.join("batches.journal"),
            &identity(request).to_string(),
        )
        .map_err(|error| StudyError::request(error).help("give another folder with --save-dir"))?;
        Ok(Folder {
            path: path.to_owned(),
            journal: opened.journal,
            // Of a batch that was damaged and made again, the last one counts.
            kept: opened
                .pieces
                .iter()
                .filter_map(|piece| numbered(piece))
                .collect(),
            next: 0,
            _lock: lock,
        })
    }

    /// Batches that were kept and not recalled yet.
    pub(super) fn kept(&self) -> usize {
        self.kept.len()
    }

    /// The next batch, if it was kept.
    pub(super) fn recall(&mut self) -> Option<String> {
        let found = self.kept.remove(&self.next)?;
        self.next += 1;
        Some(found)
    }

    /// Keeps the next batch, under its number: one that is damaged later costs no other.
    pub(super) fn keep(&mut self, batch: &str) -> Result<(), DesignError> {
        let kept = self
            .journal
            .append(&format!("{} {batch}", self.next))
            .and_then(|()| self.journal.sync());
        self.next += 1;
        kept.map_err(|error| DesignError::Keep(error.to_string()))
    }

    /// Writes the best stimulus: its figures, and its waveforms.
    pub(super) fn best(
        &self,
        result: &DesignResult,
        stimulus: &Delivered,
    ) -> Result<(), StudyError> {
        let value = serde_json::to_value(result).map_err(StudyError::failure)?;
        self.write(WAVEFORMS, &waveforms_csv(stimulus))?;
        self.write("best.json", &json_text(&value))
    }

    /// Writes the steps or generations so far.
    pub(super) fn history(&self, history: &[HistoryRow]) -> Result<(), StudyError> {
        self.write("history.csv", &history_csv(history))
    }

    fn write(&self, name: &str, text: &str) -> Result<(), StudyError> {
        let path = self.path.join(name);
        let written = replace(&path, text.as_bytes());
        written.map_err(|error| StudyError::failure(error).at(path.display()))
    }
}

/// A batch with its number.
fn numbered(piece: &str) -> Option<(usize, String)> {
    let (number, batch) = piece.split_once(' ')?;
    Some((number.parse().ok()?, batch.to_owned()))
}

/// The request without what may differ from run to run.
fn identity(request: &Value) -> Value {
    let mut request = request.clone();
    for table in ["optimize", "study"] {
        let Some(table) = request.get_mut(table) else {
            continue;
        };
        let protocol = match table.get("protocol") {
            Some(_) => table.get_mut("protocol"),
            None => Some(table),
        };
        if let Some(Value::Object(protocol)) = protocol {
            for key in MAY_DIFFER {
                protocol.remove(key);
            }
        }
    }
    request
}

fn check_same(file: &Path, text: &str, request: &Value, resume: bool) -> Result<(), StudyError> {
    let folder = file.parent().unwrap_or(Path::new("")).display();
    let there: Value = serde_json::from_str(text).map_err(|error| {
        StudyError::request(format!("{error}, expected the request of an optimization"))
            .at(file.display())
    })?;
    if identity(&there) != identity(request) {
        let which = difference_text(&identity(&there), &identity(request));
        return Err(
            StudyError::request(format!("{folder} holds another optimization{which}"))
                .help("give another folder with --save-dir, or remove this one"),
        );
    }
    match resume {
        true => Ok(()),
        false => Err(
            StudyError::request(format!("{folder} holds this optimization already"))
                .help("go on with --resume, or give another folder with --save-dir"),
        ),
    }
}

/// Refuses a folder of other things.
fn check_empty(path: &Path) -> Result<(), StudyError> {
    let help = "give another folder with --save-dir";
    let of = |error| StudyError::request(error).at(path.display()).help(help);
    let files = std::fs::read_dir(path).map_err(of)?;
    let names = files.filter_map(|file| file.ok()?.file_name().into_string().ok());
    // The lock is ours.
    match names.into_iter().find(|name| !name.starts_with('.')) {
        None => Ok(()),
        Some(name) => Err(StudyError::request(format!(
            "{} holds `{name}`, expected a folder of an optimization, or an empty one",
            path.display()
        ))
        .help(help)),
    }
}

/// Currents as a table that `--pulse file:` reads: a row for each change, contacts in columns.
pub(super) fn waveforms_csv(stimulus: &Delivered) -> String {
    let currents = stimulus.in_ma();
    let mut text = String::from("time_ms");
    for contact in 0..currents.len() {
        // A string takes everything.
        let _ = write!(text, ",contact_{contact}_mA");
    }
    text.push('\n');
    let steps = currents.first().map_or(0, |currents| currents.len());
    for step in 0..steps {
        let _ = write!(text, "{}", rounded(step as f64 * stimulus.dt_ms));
        for currents in &currents {
            // -0 + 0 is 0.
            let _ = write!(text, ",{}", currents[step] + 0.0);
        }
        text.push('\n');
    }
    text
}

/// A time without the rounding of its multiplication.
fn rounded(ms: f64) -> f64 {
    (ms * 1e9).round() / 1e9
}

const HISTORY: &str = "start,iteration,seconds,evaluations,loss,median_loss,misclassified,separation,charge_nC,mu_F,mu_CR";

fn history_csv(history: &[HistoryRow]) -> String {
    let mut text = format!("{HISTORY}\n");
    let maybe = |number: Option<f64>| number.map_or(String::new(), |number| number.to_string());
    for row in history {
        let _ = writeln!(
            text,
            "{},{},{:.3},{},{},{},{},{},{},{},{}",
            row.start,
            row.iteration,
            row.seconds,
            row.evaluations,
            row.loss,
            maybe(row.median_loss),
            row.misclassified,
            maybe(row.separation),
            row.charge_nc,
            maybe(row.mu_f),
            maybe(row.mu_cr),
        );
    }
    text
}

/// Reads the record of a folder: of a finished optimization, or of an interrupted one.
///
/// # Errors
/// [`StudyError`] if the folder is not that of an optimization, or nothing was found yet.
pub fn read_record(folder: &Path) -> Result<DesignRecord, StudyError> {
    let read = |name: &str| {
        let path = folder.join(name);
        std::fs::read_to_string(&path).map_err(|error| {
            StudyError::request(format!("{error}; expected the folder of an optimization"))
                .at(path.display())
                .help("give the folder that --save-dir named")
        })
    };
    let wrong = |name: &str, why: String| StudyError::request(why).at(folder.join(name).display());
    let request: Value = serde_json::from_str(&read("request.json")?)
        .map_err(|why| wrong("request.json", why.to_string()))?;
    if !folder.join("best.json").exists() {
        return Err(StudyError::request(
            "found nothing yet: the optimization ended before its first stimulus was known",
        )
        .at(folder.join("best.json").display())
        .help("go on with its command and --resume"));
    }
    let result: DesignResult = serde_json::from_str(&read("best.json")?)
        .map_err(|why| wrong("best.json", why.to_string()))?;
    if result.amplitudes_ma.is_empty() {
        let why = "found no currents, expected the result of an optimization";
        return Err(wrong("best.json", why.into()));
    }
    // One that was stopped before its first step has none.
    let history = match folder.join("history.csv").exists() {
        true => read_history(&read("history.csv")?).map_err(|why| wrong("history.csv", why))?,
        false => Vec::new(),
    };
    let (times_ms, currents_ma) =
        read_waveforms(&read(WAVEFORMS)?).map_err(|why| wrong(WAVEFORMS, why))?;
    let bounds = request.get("bounds_mA").cloned().unwrap_or(json!([]));
    let geometry = request.get("geometry").cloned().unwrap_or(Value::Null);
    Ok(DesignRecord {
        bounds_ma: serde_json::from_value(bounds)
            .map_err(|why| wrong("request.json", why.to_string()))?,
        geometry: serde_json::from_value(geometry)
            .map_err(|why| wrong("request.json", why.to_string()))?,
        request,
        result,
        montages: Vec::new(),
        history,
        times_ms,
        currents_ma,
    })
}

fn read_history(text: &str) -> Result<Vec<HistoryRow>, String> {
    let mut lines = text.lines();
    match lines.next() {
        None => return Ok(Vec::new()),
        Some(HISTORY) => {}
        Some(other) => return Err(format!("found the columns `{other}`, expected `{HISTORY}`")),
    }
    let row = |(place, line): (usize, &str)| {
        let cells: Vec<&str> = line.split(',').collect();
        let [
            start,
            iteration,
            seconds,
            evaluations,
            loss,
            median,
            misclassified,
            separation,
            charge,
            mu_f,
            mu_cr,
        ] = cells[..]
        else {
            return Err(format!(
                "row {}: found {} cells, expected 11",
                place + 1,
                cells.len()
            ));
        };
        let count = |text: &str| {
            text.parse()
                .map_err(|_| format!("row {}: found `{text}`, expected a count", place + 1))
        };
        let number = |text: &str| {
            let wrong = |_| format!("row {}: found `{text}`, expected a number", place + 1);
            text.parse::<f64>().map_err(wrong)
        };
        let maybe = |text: &str| match text {
            "" => Ok(None),
            text => number(text).map(Some),
        };
        Ok(HistoryRow {
            start: count(start)?,
            iteration: count(iteration)?,
            seconds: number(seconds)?,
            evaluations: count(evaluations)?,
            loss: number(loss)?,
            median_loss: maybe(median)?,
            misclassified: number(misclassified)?,
            separation: maybe(separation)?,
            charge_nc: number(charge)?,
            mu_f: maybe(mu_f)?,
            mu_cr: maybe(mu_cr)?,
        })
    };
    lines.enumerate().map(row).collect()
}

fn read_waveforms(text: &str) -> Result<(Vec<f64>, Vec<Vec<f64>>), String> {
    let mut lines = text.lines();
    let contacts = lines
        .next()
        .map_or(0, |header| header.split(',').count().saturating_sub(1));
    let (mut times_ms, mut currents_ma) = (Vec::new(), vec![Vec::new(); contacts]);
    for (place, line) in lines.enumerate() {
        let cells: Result<Vec<f64>, _> = line.split(',').map(str::parse).collect();
        let cells = cells.map_err(|why| format!("row {}: {why}", place + 1))?;
        if cells.len() != contacts + 1 {
            return Err(format!(
                "row {}: found {} cells, expected {}",
                place + 1,
                cells.len(),
                contacts + 1
            ));
        }
        times_ms.push(cells[0]);
        for (currents, ma) in currents_ma.iter_mut().zip(&cells[1..]) {
            currents.push(*ma);
        }
    }
    Ok((times_ms, currents_ma))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn histories_and_waveforms_come_back() {
        let history = vec![
            HistoryRow {
                start: 1,
                iteration: 2,
                evaluations: 3,
                loss: f64::NAN,
                ..HistoryRow::default()
            },
            HistoryRow {
                loss: -0.1,
                median_loss: Some(0.25),
                separation: Some(1.0 / 3.0),
                mu_f: Some(0.5),
                mu_cr: Some(0.9),
                ..HistoryRow::default()
            },
        ];
        let back = read_history(&history_csv(&history)).unwrap();
        assert_eq!(back[1], history[1]);
        assert!(back[0].loss.is_nan() && back[0].evaluations == 3);
        assert!(read_history("a,b\n").unwrap_err().contains("expected"));
        assert!(read_history(&format!("{HISTORY}\n1,2\n")).is_err());

        let waveform = Arc::new(vec![0.0, -1.0, 1.0 / 3.0]);
        let stimulus = Delivered::of_one(vec![0.3, 0.0], &waveform, 0.005);
        let (times_ms, currents_ma) = read_waveforms(&waveforms_csv(&stimulus)).unwrap();
        assert_eq!(times_ms, [0.0, 0.005, 0.01]);
        assert_eq!(currents_ma[0], [0.0, -0.3, 0.3 / 3.0]);
        assert_eq!(currents_ma[1].iter().map(|x| x.abs()).sum::<f64>(), 0.0);
    }

    #[test]
    fn what_may_differ_is_no_difference() {
        let request = |seconds: f64, steps: u32| json!({"optimize": {"max_seconds": seconds}, "study": {"protocol": {"max_seconds": seconds}, "gd": {"steps": steps}}});
        assert_eq!(identity(&request(1.0, 5)), identity(&request(2.0, 5)));
        assert_ne!(identity(&request(1.0, 5)), identity(&request(1.0, 6)));
    }
}
