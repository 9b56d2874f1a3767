//! Sentences about a design.

use axonml::design::{DesignRecord, FiberResult};
use axonml::study::significant;

use super::figures::{factor, list, percent, separation};
use crate::pictures::design::{Delivery, Form, is_scan};

/// Areas that differ by less are equal, as in the order of results.
const SAME_AREA: f64 = 1e-9;

/// Sign convention of the currents.
pub(super) fn convention(delivery: &Delivery) -> &'static str {
    match (delivery.form, delivery.polarity) {
        (Form::Amplitudes, None) => {
            "amplitudes are multiples of the waveform in mA; negative currents are cathodic"
        }
        _ => "negative currents are cathodic: they flow into the contact",
    }
}

/// Where the current of all contacts returns.
pub(super) fn returning(record: &DesignRecord) -> String {
    let result = &record.result;
    let balanced = result.sum_ma <= 1e-9 * result.peak_ma.max(f64::MIN_POSITIVE);
    match balanced {
        true => "the contacts' currents add up to 0: none returns at a distance".to_owned(),
        false => format!(
            "up to {} mA return at a distance",
            significant(result.sum_ma, 4)
        ),
    }
}

/// Area that the stimulus activates.
pub(super) fn activates(record: &DesignRecord) -> String {
    let result = &record.result;
    let whose = match &result.verified {
        Some(_) => "verified",
        None => "not verified",
    };
    format!(
        "{} % of the target area, {} % of the off-target area; {} % misclassified ({whose})",
        percent(result.target_pct),
        percent(result.offtarget_pct),
        percent(100.0 * result.misclassified)
    )
}

/// Fibers that do what they should not.
pub(super) fn misclassified(record: &DesignRecord) -> Option<String> {
    let wrong = |target: bool| -> Vec<usize> {
        let fibers = record.result.fibers.iter();
        let wrong = fibers
            .filter(|fiber| fiber.weight > 0.0 && fiber.target == target && fiber.active != target);
        wrong.map(|fiber: &FiberResult| fiber.fiber).collect()
    };
    let (missed, extra) = (wrong(true), wrong(false));
    let mut parts = Vec::new();
    if !missed.is_empty() {
        parts.push(format!(
            "{} of the targets {}",
            fibers(&missed),
            do_not_fire(&missed)
        ));
    }
    if !extra.is_empty() {
        let fire = if extra.len() == 1 { "fires" } else { "fire" };
        parts.push(format!("{} {fire} though off-target", fibers(&extra)));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn do_not_fire(fibers: &[usize]) -> &'static str {
    if fibers.len() == 1 {
        "does not fire"
    } else {
        "do not fire"
    }
}

/// How far the amplitude may drift.
pub(super) fn drift(record: &DesignRecord) -> String {
    let number = |end: Option<f64>| end.filter(|end| end.is_finite() && *end > 0.0);
    let window = record.result.window;
    let same = "the same fibers fire";
    match (number(window[0]), number(window[1])) {
        (Some(lo), Some(hi)) => format!(
            "the amplitude may drift from {} to {} times this: {same}",
            factor(lo, true),
            factor(hi, false)
        ),
        (Some(lo), None) => format!(
            "the amplitude may drift down to {} times this and upward without a known end: {same}",
            factor(lo, true)
        ),
        (None, Some(hi)) => format!(
            "the amplitude may drift up to {} times this: {same}",
            factor(hi, false)
        ),
        (None, None) => "it is not known how far the amplitude may drift".to_owned(),
    }
}

/// The separation in words.
pub(super) fn separation_words(record: &DesignRecord) -> String {
    let value = record.result.separation;
    match value.filter(|value| value.is_finite()) {
        None => "unlimited: no off-target fiber fires at any amplitude that was tried".to_owned(),
        Some(value) if value <= 0.0 => {
            "0: a target fiber fires at no amplitude that was tried".to_owned()
        }
        Some(value) if value > 1.0 => format!(
            "{0}: the first off-target fiber fires at {0} times the amplitude that activates the last target",
            separation(Some(value))
        ),
        Some(value) => format!(
            "{0}: no amplitude activates all targets alone; the first off-target fiber fires at {0} times the \
             amplitude of the last target",
            separation(Some(value))
        ),
    }
}

/// Limits that bind.
pub(super) fn limits(record: &DesignRecord) -> String {
    match record.result.limits_active.as_slice() {
        [] => "none is reached".to_owned(),
        limits => format!("reached: {}", limits.join("; ")),
    }
}

/// How the design compares with the best montage; none without one.
pub(super) fn compared(record: &DesignRecord) -> Option<String> {
    let result = &record.result;
    let best = result.baselines.get("best").filter(|_| !is_scan(record))?;
    let less = best.misclassified - result.misclassified;
    let [ours, theirs] = [result.separation, best.separation].map(|s| s.unwrap_or(f64::INFINITY));
    let shown = [result.separation, best.separation].map(separation);
    Some(if less.abs() > SAME_AREA {
        let percents = [result.misclassified, best.misclassified].map(|m| percent(100.0 * m));
        let [ours, theirs] = percents;
        let better = if less > 0.0 { "better" } else { "worse" };
        format!(
            "{better} than the best montage: {ours} % of the area misclassified, not {theirs} %"
        )
    } else if ours > theirs {
        format!(
            "better than the best montage: separation {}, not {}",
            shown[0], shown[1]
        )
    } else if ours == theirs {
        format!("as good as the best montage: separation {}", shown[0])
    } else {
        format!(
            "verified, it separates less than the best montage: {}, not {}; both misclassify the same area",
            shown[0], shown[1]
        )
    })
}

/// On what fiber the stimulus was verified.
pub(super) fn verified(record: &DesignRecord) -> String {
    let Some(verified) = &record.result.verified else {
        return "nothing: all figures are those of the search".to_owned();
    };
    let [least, most] = verified.nodes;
    let nodes = match least == most {
        true => format!("{least} nodes"),
        false => format!("{least} to {most} nodes"),
    };
    let agreed = match verified.disagreeing_fibers.is_empty() {
        true => "; every fiber does what its threshold says",
        false => "",
    };
    format!(
        "{}, {}, dt {} ms, {nodes}{agreed}",
        verified.model, verified.precision, verified.dt_ms
    )
}

/// Fibers whose figures have to be taken with care.
pub(super) fn doubts(record: &DesignRecord) -> Vec<String> {
    let Some(verified) = &record.result.verified else {
        return Vec::new();
    };
    let mut doubts = Vec::new();
    if !verified.disagreeing_fibers.is_empty() {
        let numbers = &verified.disagreeing_fibers;
        let (does, its) = match numbers.len() {
            1 => ("does", "its threshold"),
            _ => ("do", "their thresholds"),
        };
        doubts.push(format!(
            "{} {does} not do what {its} or the search said (block, re-excitation, another extent)",
            fibers(numbers)
        ));
    }
    if !verified.end_excitation.is_empty() {
        let numbers = &verified.end_excitation;
        let its = if numbers.len() == 1 {
            "its threshold is that"
        } else {
            "thresholds are those"
        };
        doubts.push(format!(
            "the action potential of {} begins at an end of the simulated piece: {its} of the piece",
            fibers(numbers)
        ));
    }
    doubts
}

/// Fibers with their numbers.
fn fibers(numbers: &[usize]) -> String {
    let noun = if numbers.len() == 1 {
        "fiber"
    } else {
        "fibers"
    };
    format!("{noun} {}", list(numbers))
}

/// The response to small changes in a line.
pub(super) fn robust(record: &DesignRecord) -> String {
    let Some(robust) = &record.result.robust else {
        return "not looked at".to_owned();
    };
    let (target, others) = (&robust.target_pct, &robust.offtarget_pct);
    format!(
        "{}: target {} % on average (worst {} %), off-target {} % (worst {} %)",
        counted(robust.n, ["perturbed copy", "perturbed copies"]),
        percent(target.mean),
        percent(target.worst),
        percent(others.mean),
        percent(others.worst)
    )
}

/// Work and time of the optimization.
pub(super) fn cost(record: &DesignRecord) -> String {
    let result = &record.result;
    let mut parts = Vec::new();
    for (count, noun) in [
        (result.evaluations, ["activation", "activations"]),
        (
            result.thresholds,
            ["threshold search", "threshold searches"],
        ),
        (result.gradients, ["gradient", "gradients"]),
        (result.iterations, ["iteration", "iterations"]),
    ] {
        if count > 0 {
            parts.push(counted(count, noun));
        }
    }
    let seconds = format!("{} s", significant(result.seconds, 3));
    parts.push(match result.candidate_nerves_per_s > 0.0 {
        true => format!(
            "{seconds} ({} stimuli a second)",
            significant(result.candidate_nerves_per_s, 3)
        ),
        false => seconds,
    });
    parts.join(", ")
}

/// A number of things, of which there is one or are many.
fn counted(n: usize, [one, many]: [&str; 2]) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// Parts that were not verified, sentence by sentence.
pub(super) fn unverified(record: &DesignRecord) -> Vec<String> {
    let result = &record.result;
    let mut list = Vec::new();
    if result.verified.is_none() {
        list.push("The stimulus was not run again in double precision: all figures are those of the search.".to_owned());
    }
    list.extend(doubts(record).iter().map(|doubt| sentence(doubt)));
    match &result.robust {
        None => list.push("How it responds to small changes was not looked at.".to_owned()),
        Some(robust) => {
            let each = robust.left_out.iter();
            list.extend(
                each.map(|what| sentence(&format!("not changed in perturbed copies: {what}"))),
            );
        }
    }
    if result.status != "done" && !result.status.is_empty() {
        list.push(sentence(&format!(
            "the optimization was not finished ({})",
            result.status
        )));
    }
    let unknown = |k: &Option<f64>| k.is_none();
    if result
        .shannon_k
        .as_ref()
        .is_none_or(|k| k.iter().any(unknown))
    {
        list.push("Shannon's k: the area of some contact is not known.".to_owned());
    }
    if result.compliance_v.is_none() {
        list.push("Voltages of the contacts: their impedances are not known.".to_owned());
    }
    list.push(
        "The potentials of the contacts, that is tissue conductivities and geometry, are taken as they were given; fibers are \
         those of the request, at its diameters only."
            .to_owned(),
    );
    list
}

/// A capital at the beginning, a period at the end.
pub(super) fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters
        .next()
        .map(|letter| letter.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str())
}
