//! The tables of a design.

use axonml::design::{Baseline, DesignRecord, FiberResult, Spread};
use axonml::study::significant;

use super::figures::{column, percent, separation};
use super::grid::Grid;
use crate::pictures::design::{
    Delivery, Form, Phase, amplitudes_words, is_scan, montage_words, objectives,
};

/// Current of each contact, and the largest it may deliver.
pub(super) fn delivered(record: &DesignRecord, delivery: &Delivery) -> Grid {
    let result = &record.result;
    let contacts = result.amplitudes_ma.len().max(record.currents_ma.len());
    let numbers: Vec<String> = (0..contacts).map(|contact| contact.to_string()).collect();
    let mut columns = vec![("contact", numbers)];
    let phase = |nth: usize, value: fn(&Phase) -> f64| -> Vec<Option<f64>> {
        let of = |contact| {
            delivery
                .phases
                .get(contact)
                .and_then(|phases: &Vec<Phase>| phases.get(nth))
        };
        (0..contacts)
            .map(|contact| of(contact).map(value))
            .collect()
    };
    let known = |values: &[f64]| -> Vec<Option<f64>> {
        (0..contacts)
            .map(|contact| values.get(contact).copied())
            .collect()
    };
    match delivery.form {
        Form::Pulses => {
            let names = [["first mA", "us", "nC"], ["then mA", "us", "nC"]];
            for (nth, [ma, us, nc]) in names.into_iter().enumerate() {
                let peaks = phase(nth, |phase| phase.peak_ma);
                if peaks.iter().all(Option::is_none) {
                    continue;
                }
                // A contact without a phase delivers nothing.
                let peaks: Vec<Option<f64>> = peaks.iter().map(|ma| ma.or(Some(0.0))).collect();
                columns.push((ma, column(&peaks, 4)));
                columns.push((us, column(&phase(nth, |phase| 1e3 * phase.width_ms), 4)));
                columns.push((nc, column(&phase(nth, |phase| phase.charge_nc.abs()), 3)));
            }
        }
        Form::Waveforms => {
            let fold = |of: fn(f64, f64) -> f64| -> Vec<Option<f64>> {
                let each = record.currents_ma.iter();
                each.map(|ma| Some(ma.iter().copied().fold(0.0, of)))
                    .collect()
            };
            let each = delivery.phases.iter();
            let on = each.map(|phases| Some(1e3 * phases.iter().map(|p| p.width_ms).sum::<f64>()));
            let phases = delivery
                .phases
                .iter()
                .map(|phases| phases.len().to_string());
            columns.push(("least mA", column(&fold(f64::min), 4)));
            columns.push(("largest mA", column(&fold(f64::max), 4)));
            columns.push(("us", column(&on.collect::<Vec<_>>(), 4)));
            columns.push(("phases", phases.collect()));
            columns.push(("nC / phase", column(&known(&result.charge_phase_nc), 3)));
        }
        Form::Amplitudes => {
            columns.push(("amplitude mA", column(&known(&result.amplitudes_ma), 4)));
            let width = result.pw_ms.map(|ms| 1e3 * ms);
            columns.push(("us", column(&vec![width; contacts], 4)));
            columns.push(("nC / phase", column(&known(&result.charge_phase_nc), 3)));
        }
    }
    if !record.bounds_ma.is_empty() {
        let allowed = |contact: usize| {
            let [lo, hi] = record.bounds_ma.get(contact)?;
            Some(format!(
                "{} to {}",
                significant(*lo, 4),
                significant(*hi, 4)
            ))
        };
        let cells = (0..contacts).map(|contact| allowed(contact).unwrap_or_default());
        columns.push(("allowed mA", cells.collect()));
    }
    if let Some(k) = &result.shannon_k {
        columns.push(("Shannon k", column(k, 3)));
    }
    if let Some(volts) = &result.compliance_v {
        columns.push(("V", column(&known(volts), 3)));
    }
    columns.retain(|(_, cells)| cells.iter().any(|cell| !cell.is_empty()));
    Grid::of_columns(columns, &[])
}

/// The design beside the best montages; `all` columns, or those that fit a line of text.
pub(super) fn comparison(record: &DesignRecord, all: bool) -> Grid {
    let mut header = vec![
        "stimulus",
        "contacts",
        "target %",
        "off-target %",
        "misclass. %",
        "separation",
        "charge nC",
    ];
    if all {
        header.extend(["peak mA", "WBCE"]);
    }
    let mut grid = Grid::new(&header, &[0, 1]);
    let result = &record.result;
    let mut rows: Vec<(String, String, &Baseline)> = Vec::new();
    let found = Baseline {
        target_pct: result.target_pct,
        offtarget_pct: result.offtarget_pct,
        misclassified: result.misclassified,
        wbce: result.wbce,
        separation: result.separation,
        charge_nc: result.charge_nc,
        peak_ma: result.peak_ma,
        ..Baseline::default()
    };
    if !is_scan(record) {
        let used = result.amplitudes_ma.iter().filter(|ma| **ma != 0.0).count();
        let contacts = format!("{used} of {}", result.amplitudes_ma.len());
        rows.push(("found".to_owned(), contacts, &found));
    }
    let kinds = ["monopolar", "bipolar", "tripolar", "best"];
    let others = result.baselines.keys().map(String::as_str);
    let others = others.filter(|name| !kinds.contains(name));
    for name in kinds.into_iter().chain(others) {
        if let Some(baseline) = result.baselines.get(name) {
            rows.push((name.to_owned(), montage_words(&baseline.contacts), baseline));
        }
    }
    let charges = column(
        &rows
            .iter()
            .map(|(.., of)| Some(of.charge_nc))
            .collect::<Vec<_>>(),
        4,
    );
    let peaks = column(
        &rows
            .iter()
            .map(|(.., of)| Some(of.peak_ma))
            .collect::<Vec<_>>(),
        3,
    );
    for (((name, contacts, of), charge), peak) in rows.into_iter().zip(charges).zip(peaks) {
        let mut row = vec![name, contacts];
        row.extend(figures(of));
        row.push(charge);
        if all {
            row.extend([peak, format!("{:.3}", of.wbce)]);
        }
        grid.add(row);
    }
    grid
}

/// Areas and separation of a stimulus.
fn figures(of: &Baseline) -> [String; 4] {
    [
        percent(of.target_pct),
        percent(of.offtarget_pct),
        percent(100.0 * of.misclassified),
        separation(of.separation),
    ]
}

/// Montages in their order, with the current of the first phase at their centers.
pub(super) fn montages(montages: &[Baseline], delivery: &Delivery) -> Grid {
    let header = [
        "",
        "contacts",
        "center mA",
        "target %",
        "off-target %",
        "misclass. %",
        "separation",
        "charge nC",
    ];
    let mut grid = Grid::new(&header, &[1]);
    let center = |montage: &Baseline| {
        let contact = montage.contacts.first()?;
        let ma = montage.amplitudes_ma.get(*contact)?;
        Some(delivery.first_phase_ma(*ma))
    };
    let centers: Vec<Option<f64>> = montages.iter().map(center).collect();
    let charges: Vec<Option<f64>> = montages.iter().map(|m| Some(m.charge_nc)).collect();
    let columns = column(&centers, 4).into_iter().zip(column(&charges, 4));
    for ((place, montage), (center, charge)) in montages.iter().enumerate().zip(columns) {
        let mut row = vec![
            (place + 1).to_string(),
            montage_words(&montage.contacts),
            center,
        ];
        row.extend(figures(montage));
        row.push(charge);
        grid.add(row);
    }
    grid
}

/// The design under small changes; none if that was not looked at.
pub(super) fn robust(record: &DesignRecord) -> Option<Grid> {
    let robust = record.result.robust.as_ref()?;
    let header = ["perturbed copies", "mean", "5 % are worse than", "worst"];
    let mut grid = Grid::new(&header, &[0]);
    let mut add = |name: &str, spread: &Spread, show: fn(f64) -> String| {
        let each = [spread.mean, spread.p95, spread.worst].map(show);
        grid.add([name.to_owned()].into_iter().chain(each).collect());
    };
    add("target %", &robust.target_pct, percent);
    add("off-target %", &robust.offtarget_pct, percent);
    add("WBCE", &robust.wbce, |value| format!("{value:.3}"));
    Some(grid)
}

/// Misclassified area where only one thing changes.
pub(super) fn robust_by(record: &DesignRecord) -> Grid {
    let mut grid = Grid::new(&["only this changes", "mean misclassified %"], &[0]);
    let robust = record.result.robust.iter();
    for (name, misclassified) in robust.flat_map(|robust| &robust.by) {
        grid.add(vec![name.clone(), percent(100.0 * misclassified)]);
    }
    grid
}

/// Result of each start; at most `most`.
pub(super) fn starts(record: &DesignRecord, most: usize) -> Grid {
    let header = [
        "start",
        "began at",
        "misclassified %",
        "separation",
        "updates",
    ];
    let mut grid = Grid::new(&header, &[1]);
    for (number, start) in record.result.starts.iter().enumerate().take(most) {
        grid.add(vec![
            number.to_string(),
            start.init.clone(),
            percent(100.0 * start.misclassified),
            separation(start.separation),
            start.iterations.to_string(),
        ]);
    }
    grid
}

/// The stimuli of a Pareto front, at most `most`.
pub(super) fn front(record: &DesignRecord, most: usize) -> Grid {
    let [first, second] = objectives(record);
    let mut grid = Grid::new(&[&first, &second, "amplitudes"], &[2]);
    for point in record.result.pareto.iter().take(most) {
        let [a, b] = point.objectives.map(|value| significant(value, 4));
        grid.add(vec![a, b, amplitudes_words(&point.amplitudes_ma)]);
    }
    grid
}

/// The fibers by their thresholds, those that never fire last; at most `most`.
pub(super) fn fibers(record: &DesignRecord, most: usize) -> Grid {
    let mut fibers: Vec<&FiberResult> = record.result.fibers.iter().collect();
    let rank = |fiber: &FiberResult| fiber.threshold.unwrap_or(f64::INFINITY);
    fibers.sort_by(|a, b| rank(a).total_cmp(&rank(b)).then(a.fiber.cmp(&b.fiber)));
    let threshold =
        |value: Option<f64>| value.map_or("never".to_owned(), |value| significant(value, 4));
    let has_before = fibers
        .iter()
        .any(|fiber| fiber.baseline_threshold.is_some());
    let cells = |cell: &dyn Fn(&FiberResult) -> String| -> Vec<String> {
        fibers.iter().take(most).map(|fiber| cell(fiber)).collect()
    };
    let wanted = |fiber: &FiberResult| match (fiber.weight > 0.0, fiber.target) {
        (false, _) => "not counted",
        (true, true) => "target",
        (true, false) => "off-target",
    };
    let does = |fiber: &FiberResult| match (fiber.weight > 0.0, fiber.active, fiber.target) {
        (true, true, false) => "fires, should not",
        (true, false, true) => "silent, should fire",
        (_, true, _) => "fires",
        (_, false, _) => "silent",
    };
    let fascicle = |fiber: &FiberResult| fiber.fascicle.map_or(String::new(), |f| f.to_string());
    let mut columns = vec![
        ("fiber", cells(&|fiber| fiber.fiber.to_string())),
        ("threshold", cells(&|fiber| threshold(fiber.threshold))),
        (
            "at best montage",
            cells(&|fiber| threshold(fiber.baseline_threshold)),
        ),
        ("fascicle", cells(&fascicle)),
        (
            "diameter um",
            cells(&|fiber| significant(fiber.diameter_um, 4)),
        ),
        (
            "area %",
            cells(&|fiber| significant(100.0 * fiber.weight, 3)),
        ),
        ("wanted", cells(&|fiber| wanted(fiber).to_owned())),
        ("delivered", cells(&|fiber| does(fiber).to_owned())),
        ("group", cells(&|fiber| fiber.group.clone())),
    ];
    columns.retain(|(name, cells)| {
        let filled = cells.iter().any(|cell| !cell.is_empty());
        filled && (has_before || *name != "at best montage")
    });
    let names = ["wanted", "delivered", "group"];
    let words: Vec<usize> = (0..columns.len())
        .filter(|&at| names.contains(&columns[at].0))
        .collect();
    Grid::of_columns(columns, &words)
}
