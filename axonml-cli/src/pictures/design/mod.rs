//! Pictures of optimized stimuli: a figure of all panels, or the panels one by one for a report.

mod convergence;
mod currents;
mod delivery;
#[cfg(test)]
pub(crate) mod sample;
mod sections;
#[cfg(test)]
mod tests;

use std::path::Path;

use axonml::design::{DesignRecord, FiberResult};
use axonml::simulation::recruitment;
use axonml::study::significant;

use super::Layout;
use crate::error::CliError;
use crate::plot::{DesignFigure, DesignPlot, FrontPanel, Picture, RecruitedCurve, RecruitedPanel};

pub(crate) use convergence::losses;
pub(crate) use delivery::{Delivery, Form, Phase};

/// How much of a large nerve is drawn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Detail {
    /// Fibers drawn in a cross-section at most.
    pub(crate) fibers: usize,
    /// Fibers up to which each has a hint.
    pub(crate) hints: usize,
    /// Points of the lines of a panel together, at most.
    pub(crate) points: usize,
}

impl Default for Detail {
    fn default() -> Self {
        Detail {
            fibers: 4000,
            hints: 500,
            points: 40_000,
        }
    }
}

/// Draws designs into a file, each with all its panels.
///
/// # Errors
/// [`CliError`] if the layout asks for an axis of its own, there is nothing to draw, or the file cannot be written.
pub(crate) fn draw(records: &[DesignRecord], path: &Path, layout: &Layout) -> Result<(), CliError> {
    layout.refuse_x("the figure of a design")?;
    Ok(figure(records).save(path, &layout.page)?)
}

/// The figure of designs.
fn figure(records: &[DesignRecord]) -> DesignFigure {
    let detail = Detail::default();
    DesignFigure {
        designs: records.iter().map(|record| plot(record, detail)).collect(),
    }
}

/// The panels of a design, as far as the record has their data.
pub(crate) fn plot(record: &DesignRecord, detail: Detail) -> DesignPlot {
    let result = &record.result;
    let delivery = Delivery::of(record);
    DesignPlot {
        title: title(record),
        subtitle: subtitle(record),
        sections: sections::panel(record, &delivery, detail),
        recruited: recruited(record),
        currents: currents::panel(record, &delivery, detail),
        convergence: convergence::panel(record, detail),
        front: (!result.pareto.is_empty()).then(|| front(record, detail)),
    }
}

/// The Pareto front; of many stimuli only some are drawn.
fn front(record: &DesignRecord, detail: Detail) -> FrontPanel {
    /// Points of lines that a mark counts for.
    const MARK: usize = 16;
    let stimuli = &record.result.pareto;
    let every = stimuli.len().div_ceil((detail.points / MARK).max(1));
    let shown = stimuli.iter().step_by(every.max(1));
    FrontPanel {
        names: objectives(record),
        points: shown
            .map(|point| (point.objectives, amplitudes_words(&point.amplitudes_ma)))
            .collect(),
    }
}

/// Nerve, method and objective.
pub(crate) fn title(record: &DesignRecord) -> String {
    let result = &record.result;
    let nerve = match result.nerve.as_str() {
        "" => "a nerve".to_owned(),
        name => format!("nerve {name}"),
    };
    let how = match result.objective.as_str() {
        _ if is_scan(record) => "best of all montages".to_owned(),
        "" => result.method.clone(),
        objective => format!("{}, objective {objective}", result.method),
    };
    match how.as_str() {
        "" => format!("Selective stimulation of {nerve}"),
        how => format!("Selective stimulation of {nerve}: {how}"),
    }
}

/// Whether the result is a montage, so that there is no better one to compare it with.
pub(crate) fn is_scan(record: &DesignRecord) -> bool {
    record.result.method == "scan"
}

/// Figures of the result and of the best montage in a line.
fn subtitle(record: &DesignRecord) -> String {
    let result = &record.result;
    let whose = match &result.verified {
        Some(verified) => format!("verified ({}, {})", verified.model, verified.precision),
        None => "not verified".to_owned(),
    };
    let found = figures(result.target_pct, result.offtarget_pct, result.separation);
    let mut line = format!("{found}; {whose}");
    if let Some(best) = result.baselines.get("best").filter(|_| !is_scan(record)) {
        let before = figures(best.target_pct, best.offtarget_pct, best.separation);
        line += &format!(". Best montage: {before}");
    }
    line
}

/// Activated areas and separation in a line.
fn figures(target_pct: f64, offtarget_pct: f64, separation: Option<f64>) -> String {
    let separation = separation.map_or("unlimited".to_owned(), |s| significant(s, 3));
    format!(
        "target {} %, off-target {} %, separation {separation}",
        significant(target_pct, 3),
        significant(offtarget_pct, 3)
    )
}

/// Recruitment of targets and others over multiples of the stimulus, behind it that of the best montage.
fn recruited(record: &DesignRecord) -> Option<RecruitedPanel> {
    let result = &record.result;
    if result.fibers.is_empty() {
        return None;
    }
    let curve = |is_target: bool, is_before: bool| {
        let fibers = result.fibers.iter();
        let own = fibers.filter(|fiber| fiber.target == is_target && fiber.weight > 0.0);
        let threshold = |fiber: &FiberResult| match is_before {
            true => fiber.baseline_threshold,
            false => fiber.threshold,
        };
        let number = |threshold: Option<f64>| threshold.filter(|t| t.is_finite() && *t > 0.0);
        let (thresholds, weights): (Vec<Option<f64>>, Vec<f64>) = own
            .map(|fiber| (number(threshold(fiber)), fiber.weight))
            .unzip();
        let kind = if is_target { "target" } else { "off-target" };
        RecruitedCurve {
            label: match is_before {
                true => "best montage".to_owned(),
                false => kind.to_owned(),
            },
            is_target,
            is_before,
            // Weights that are no numbers leave the curve empty.
            steps: recruitment(&thresholds, Some(&weights)).unwrap_or_default(),
        }
    };
    let mut curves = Vec::new();
    if has_before(record) {
        curves.extend([curve(true, true), curve(false, true)]);
    }
    curves.extend([curve(true, false), curve(false, false)]);
    Some(RecruitedPanel {
        curves,
        window: (result.window != [None, None]).then_some(result.window),
    })
}

/// Whether there is a montage to compare with, fiber by fiber.
fn has_before(record: &DesignRecord) -> bool {
    let result = &record.result;
    let known = |fiber: &FiberResult| fiber.baseline_threshold.is_some();
    !is_scan(record) && result.baselines.contains_key("best") && result.fibers.iter().any(known)
}

/// Names of two objectives: those of the request, if it has them.
pub(crate) fn objectives(record: &DesignRecord) -> [String; 2] {
    fn named(value: &serde_json::Value) -> Option<[String; 2]> {
        let object = value.as_object()?;
        let names: Option<Vec<String>> = match object.get("objectives") {
            Some(serde_json::Value::String(text)) => {
                Some(text.split(',').map(|name| name.trim().to_owned()).collect())
            }
            Some(serde_json::Value::Array(list)) => {
                let names = list.iter().map(|name| name.as_str().map(str::to_owned));
                names.collect()
            }
            _ => None,
        };
        let pair = names.and_then(|names| <[String; 2]>::try_from(names).ok());
        pair.or_else(|| object.values().find_map(named))
    }
    named(&record.request)
        .unwrap_or_else(|| ["first objective", "second objective"].map(Into::into))
}

/// Amplitudes in a line, mA.
pub(crate) fn amplitudes_words(amplitudes_ma: &[f64]) -> String {
    let each: Vec<String> = amplitudes_ma.iter().map(|ma| significant(*ma, 3)).collect();
    format!("{} mA", each.join(", "))
}

/// A montage in words: its center, and the contacts that return the current.
pub(crate) fn montage_words(contacts: &[usize]) -> String {
    match contacts {
        [] => "none".to_owned(),
        [one] => one.to_string(),
        [center, others @ ..] => {
            let others: Vec<String> = others.iter().map(usize::to_string).collect();
            format!("{center} against {}", others.join(" and "))
        }
    }
}
