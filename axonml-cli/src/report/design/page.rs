//! A design as a page: one file that needs no other, and prints.

use axonml::design::DesignRecord;
use axonml::study::significant;

use super::figures::{percent, separation};
use super::grid::Grid;
use super::words::sentence;
use super::{tables, words};
use crate::pictures::design::{self, Delivery, Detail, title};
use crate::plot::{Panel, escape};

const STYLE: &str = include_str!("style.css");

/// Amounts that are drawn of all designs of a page together, so that it stays below 2 MB.
const DETAIL: Detail = Detail {
    fibers: 1800,
    hints: 500,
    points: 9000,
};
/// Rows of the tables of fibers, of all designs together, as of those below.
const ROWS: usize = 1000;
/// Bytes of the requests that are shown.
const REQUEST: usize = 60_000;
/// Designs of which there are pictures.
const PICTURED: usize = 5;
/// Rows of the table of starts.
const STARTS: usize = 400;
/// Rows of the table of a Pareto front.
const FRONT: usize = 200;

/// The report of designs: a page of HTML with its pictures and its style, without scripts and without any request.
pub(crate) fn html(records: &[DesignRecord]) -> String {
    let heading = match records {
        [one] => title(one),
        several => format!("Selective stimulation of {} nerves", several.len()),
    };
    let mut body = format!("<h1>{}</h1>\n", escape(&heading));
    body += &format!(
        "<p class=\"muted\">axonml {}</p>\n",
        escape(env!("CARGO_PKG_VERSION"))
    );
    if records.len() > 1 {
        body += &overview(records).to_html();
    }
    let share = records.len().clamp(1, PICTURED);
    let detail = Detail {
        fibers: DETAIL.fibers / share,
        hints: DETAIL.hints / share,
        points: DETAIL.points / share,
    };
    for (nth, record) in records.iter().enumerate() {
        if records.len() > 1 {
            body += &format!("<h2>{}</h2>\n", escape(&title(record)));
        }
        let pictures = (nth < PICTURED).then_some(detail);
        body += &design(record, pictures, records.len());
    }
    body += &request(records);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n",
        escape(&heading)
    )
}

/// A row for each nerve.
fn overview(records: &[DesignRecord]) -> Grid {
    let header = [
        "nerve",
        "target %",
        "off-target %",
        "misclassified %",
        "separation",
    ];
    let mut grid = Grid::new(&header, &[0]);
    for record in records {
        let result = &record.result;
        grid.add(vec![
            result.nerve.clone(),
            percent(result.target_pct),
            percent(result.offtarget_pct),
            percent(100.0 * result.misclassified),
            separation(result.separation),
        ]);
    }
    grid
}

/// The sections of one of `designs`; without pictures where there is no detail.
fn design(record: &DesignRecord, detail: Option<Detail>, designs: usize) -> String {
    let rows = ROWS / designs;
    let delivery = Delivery::of(record);
    let plot = detail
        .map(|detail| design::plot(record, detail))
        .unwrap_or_default();
    let mut out = figures(record);

    section(&mut out, "What to deliver");
    paragraph(&mut out, &sentence(words::convention(&delivery)));
    out += &tables::delivered(record, &delivery).to_html();
    paragraph(&mut out, &sentence(&words::returning(record)));
    picture(&mut out, plot.currents.as_ref(), 1180.0, "");

    section(&mut out, "What it activates");
    out += &facts(record);

    section(&mut out, "Cross-section before and after");
    match &plot.sections {
        Some(_) => picture(&mut out, plot.sections.as_ref(), 1100.0, ""),
        None => absent(
            &mut out,
            detail,
            "It is not known where the fibers lie in the nerve.",
        ),
    }

    section(&mut out, "Recruitment");
    paragraph(&mut out, &sentence(&words::drift(record)));
    match &plot.recruited {
        Some(_) => picture(&mut out, plot.recruited.as_ref(), 900.0, "narrow"),
        None => absent(&mut out, detail, "The thresholds of fibers are not known."),
    }

    section(&mut out, "Convergence");
    let losses = detail.and_then(|detail| design::losses(record, detail));
    match (&plot.convergence, losses) {
        (Some(best), Some(losses)) => {
            out += "<div class=\"pair\">\n";
            picture(&mut out, Some(best), 680.0, "");
            picture(&mut out, Some(&losses), 680.0, "");
            out += "</div>\n";
        }
        _ => absent(&mut out, detail, "There is no history."),
    }
    table(&mut out, &tables::starts(record, STARTS / designs));
    paragraph(
        &mut out,
        &sentence(&format!("cost: {}", words::cost(record))),
    );

    if !record.result.pareto.is_empty() {
        section(&mut out, "Pareto front");
        picture(&mut out, plot.front.as_ref(), 860.0, "narrow");
        let front = tables::front(record, FRONT / designs).to_html();
        out += &folded("amplitudes of its stimuli, mA", &front);
    }

    section(&mut out, "Robustness");
    match tables::robust(record) {
        None => paragraph(&mut out, "The response to small changes was not looked at."),
        Some(grid) => {
            paragraph(&mut out, &sentence(&words::robust(record)));
            out += &grid.to_html();
            table(&mut out, &tables::robust_by(record));
        }
    }

    section(&mut out, "Comparison with montages");
    match words::compared(record) {
        Some(compared) => paragraph(&mut out, &sentence(&compared)),
        None if record.result.baselines.is_empty() => {
            paragraph(&mut out, "Montages were not looked at.");
        }
        None => {}
    }
    out += &tables::comparison(record, true).to_html();

    section(&mut out, "Fibers by threshold");
    paragraph(
        &mut out,
        "A threshold is the least multiple of the stimulus delivered that fires the fiber: up to 1 it fires.",
    );
    let all = record.result.fibers.len();
    let words = match all <= rows {
        true => format!("all {all} fibers"),
        false => format!("the {rows} fibers with the lowest thresholds, of {all}"),
    };
    out += &folded(&words, &tables::fibers(record, rows).to_html());

    section(&mut out, "What was not verified");
    let each = words::unverified(record);
    let each: String = each
        .iter()
        .map(|words| format!("<li>{}</li>\n", escape(words)))
        .collect();
    out + &format!("<ul>\n{each}</ul>\n")
}

/// The figures that matter most, in large.
fn figures(record: &DesignRecord) -> String {
    let result = &record.result;
    let figures = [
        (
            format!("{} %", percent(result.target_pct)),
            "of the target area activated",
        ),
        (
            format!("{} %", percent(result.offtarget_pct)),
            "of the off-target area activated",
        ),
        (separation(result.separation), "separation"),
        (
            format!("{} nC", significant(result.charge_nc, 4)),
            "charge, sum over contacts",
        ),
        (
            format!("{} mA", significant(result.peak_ma, 4)),
            "largest current",
        ),
    ];
    let each: String = figures
        .iter()
        .map(|(figure, words)| {
            format!("<div><b>{}</b><span>{words}</span></div>\n", escape(figure))
        })
        .collect();
    format!("<div class=\"key\">\n{each}</div>\n")
}

/// Facts about the stimulus, each with its name.
fn facts(record: &DesignRecord) -> String {
    let mut facts = vec![("activates", words::activates(record))];
    facts.extend(words::misclassified(record).map(|wrong| ("misclassified", wrong)));
    facts.extend([
        ("separation", words::separation_words(record)),
        ("limits", words::limits(record)),
        ("verified", words::verified(record)),
    ]);
    facts.extend(words::doubts(record).into_iter().map(|doubt| ("", doubt)));
    let status = match record.result.status.as_str() {
        "" => "unknown",
        status => status,
    };
    facts.push(("status", format!("{status}, seed {}", record.result.seed)));
    let each: String = facts
        .iter()
        .map(|(name, words)| format!("<dt>{name}</dt><dd>{}</dd>\n", escape(words)))
        .collect();
    format!("<dl>\n{each}</dl>\n")
}

/// The requests, folded.
fn request(records: &[DesignRecord]) -> String {
    let mut out = String::new();
    section(&mut out, "Request");
    // Designs of one run share theirs.
    let mut requests: Vec<&serde_json::Value> = Vec::new();
    for record in records {
        if !requests.contains(&&record.request) {
            requests.push(&record.request);
        }
    }
    let mut room = REQUEST;
    for request in requests {
        let text = serde_json::to_string_pretty(request).unwrap_or_else(|error| error.to_string());
        let mut end = 0;
        for (at, letter) in text.char_indices() {
            let wide = escape(letter.encode_utf8(&mut [0; 4])).len();
            if wide > room {
                break;
            }
            room -= wide;
            end = at + letter.len_utf8();
        }
        let rest = if end < text.len() { "\n… (cut)" } else { "" };
        let shown = format!("<pre>{}{rest}</pre>\n", escape_lines(&text[..end]));
        out += &folded("all settings", &shown);
    }
    out
}

/// As [`escape`], line by line: it takes line breaks for blanks.
fn escape_lines(text: &str) -> String {
    text.lines().map(escape).collect::<Vec<_>>().join("\n")
}

fn section(out: &mut String, heading: &str) {
    *out += &format!("<h3>{}</h3>\n", escape(heading));
}

fn paragraph(out: &mut String, words: &str) {
    *out += &format!("<p>{}</p>\n", escape(words));
}

/// That a picture is missing, and why.
fn absent(out: &mut String, detail: Option<Detail>, why: &str) {
    let words = match detail {
        Some(_) => why,
        None => "Pictures are drawn of the first designs only; each design by itself has its own.",
    };
    *out += &format!("<p class=\"muted\">{}</p>\n", escape(words));
}

fn table(out: &mut String, grid: &Grid) {
    if !grid.is_empty() {
        *out += &grid.to_html();
    }
}

/// A panel that is laid out `width` px wide; nothing if there is none.
fn picture<P: Panel>(out: &mut String, panel: Option<&P>, width: f64, class: &str) {
    if let Some(panel) = panel {
        let class = match class {
            "" => String::new(),
            class => format!(" class=\"{class}\""),
        };
        *out += &format!("<figure{class}>\n{}</figure>\n", panel.inline(width));
    }
}

fn folded(summary: &str, inner: &str) -> String {
    format!(
        "<details>\n<summary>{}</summary>\n{inner}</details>\n",
        escape(summary)
    )
}
