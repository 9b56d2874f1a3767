//! A design as text for people.

use std::path::Path;

use axonml::design::{Baseline, DesignRecord};

use super::{tables, words};
use crate::pictures::design::{Delivery, is_scan, title};

/// Columns of a line.
const WIDTH: usize = 100;
/// Columns of what a line is about.
const LABEL: usize = 12;

/// A design for people: first what to deliver, then what that does, and how that is known. `folder` is where its files are.
pub(crate) fn text(record: &DesignRecord, folder: Option<&Path>) -> String {
    let delivery = Delivery::of(record);
    let mut text = heading(record);
    text += "\n";
    item(&mut text, "deliver", words::convention(&delivery));
    text += &tables::delivered(record, &delivery).to_text();
    item(&mut text, "return", &words::returning(record));
    if record.result.waveform.is_some() {
        let words = "currents over time are in waveforms.csv, a column for each contact, mA";
        item(&mut text, "waveforms", words);
    }
    text += "\n";
    item(&mut text, "activates", &words::activates(record));
    if let Some(wrong) = words::misclassified(record) {
        item(&mut text, "", &wrong);
    }
    item(&mut text, "drift", &words::drift(record));
    item(&mut text, "separation", &words::separation_words(record));
    item(&mut text, "limits", &words::limits(record));
    item(&mut text, "verified", &words::verified(record));
    for doubt in words::doubts(record) {
        item(&mut text, "", &doubt);
    }
    item(&mut text, "robust", &words::robust(record));
    let left_out = record
        .result
        .robust
        .iter()
        .flat_map(|robust| &robust.left_out);
    for what in left_out {
        item(&mut text, "", &format!("not changed: {what}"));
    }
    montages(&mut text, record);
    cost(&mut text, record, folder);
    text
}

/// The scan of all montages for people: the best of each kind, and the first ten of `montages`, which are in the order of
/// results.
pub(crate) fn scan_text(
    record: &DesignRecord,
    montages: &[Baseline],
    folder: Option<&Path>,
) -> String {
    let delivery = Delivery::of(record);
    let mut text = heading(record);
    text += "\nbest montage of each kind\n";
    text += &tables::comparison(record, false).to_text();
    let first = &montages[..montages.len().min(10)];
    if !first.is_empty() {
        text += &match montages.len() {
            n if n > 10 => format!("\nbest 10 of {n} montages\n"),
            n => format!("\nall {n} montages\n"),
        };
        text += &tables::montages(first, &delivery).to_text();
        let sign = match delivery.polarity {
            Some(_) => {
                "current of the first phase at the center, negative is cathodic; the others return it"
            }
            None => "amplitude at the center, which the others return",
        };
        item(&mut text, "center", sign);
    }
    text += "\n";
    item(&mut text, "activates", &words::activates(record));
    item(&mut text, "drift", &words::drift(record));
    item(&mut text, "separation", &words::separation_words(record));
    item(&mut text, "verified", &words::verified(record));
    for doubt in words::doubts(record) {
        item(&mut text, "", &doubt);
    }
    cost(&mut text, record, folder);
    text
}

fn heading(record: &DesignRecord) -> String {
    let result = &record.result;
    let mut parts = Vec::new();
    if !is_scan(record) {
        parts.push(format!("seed {}", result.seed));
    }
    if !result.status.is_empty() {
        parts.push(result.status.clone());
    }
    let mut text = String::new();
    let line = match parts.is_empty() {
        true => title(record),
        false => format!("{} ({})", title(record), parts.join(", ")),
    };
    for line in wrapped(&line, WIDTH) {
        text += &line;
        text.push('\n');
    }
    text
}

fn montages(text: &mut String, record: &DesignRecord) {
    *text += "\n";
    if record.result.baselines.is_empty() {
        item(text, "montages", "not looked at");
        return;
    }
    if let Some(compared) = words::compared(record) {
        item(text, "montages", &compared);
    }
    *text += &tables::comparison(record, false).to_text();
}

fn cost(text: &mut String, record: &DesignRecord, folder: Option<&Path>) {
    *text += "\n";
    item(text, "cost", &words::cost(record));
    let more = match folder {
        Some(folder) => format!(
            "{} (every fiber, figures, the request)",
            folder.join("report.html").display()
        ),
        None => "--html FILE writes a report with every fiber, figures and the request".to_owned(),
    };
    item(text, "more", &more);
}

/// A line about something, wrapped under itself.
fn item(text: &mut String, label: &str, words: &str) {
    for (nth, line) in wrapped(words, WIDTH - LABEL).iter().enumerate() {
        let label = if nth == 0 { label } else { "" };
        *text += format!("{label:<LABEL$}{line}").trim_end();
        text.push('\n');
    }
}

/// Words in lines of at most `width` columns; a longer word, such as a path, stays whole.
fn wrapped(words: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
