//! How the starts of an optimization converged.

use std::collections::BTreeMap;

use axonml::design::{DesignRecord, HistoryRow};

use super::{Detail, is_scan};
use crate::plot::{ConvergencePanel, Course, Role, Track};

/// Areas that differ by less are equal, as in the order of results.
const SAME_AREA: f64 = 1e-9;

/// Best misclassified area and separation so far, of every start.
pub(super) fn panel(record: &DesignRecord, detail: Detail) -> Option<ConvergencePanel> {
    let starts = starts(record)?;
    let best = record.result.baselines.get("best");
    let best = best.filter(|_| !is_scan(record));
    let mut area = track(&starts, "misclassified (%)", |row| {
        100.0 * row.misclassified
    });
    area.is_from_zero = true;
    area.before = best.map(|best| 100.0 * best.misclassified);
    let mut separation = track(&starts, "separation", |row| {
        row.separation.unwrap_or(f64::INFINITY)
    });
    separation.before = best.and_then(|best| best.separation);
    let values = || area.courses.iter().flat_map(|course| &course.points);
    let constant = values()
        .chain(&area.before.map(|before| (0.0, before)))
        .all(|(_, percent)| percent.abs() <= 100.0 * SAME_AREA);
    let infinite = record.history.iter().any(|row| row.separation.is_none());
    let mut notes = Vec::new();
    if constant {
        notes.push("no area is misclassified from the first step on");
    }
    if infinite {
        notes.push("where a line of separation ends, no off-target fiber fires at all");
    }
    Some(ConvergencePanel {
        x: counted(record).to_owned(),
        points: detail.points,
        tracks: match constant {
            true => vec![separation],
            false => vec![area, separation],
        },
        note: notes.join("; "),
    })
}

/// Loss of every start, as it was lowered, with the median of generations where there is one.
pub(crate) fn losses(record: &DesignRecord, detail: Detail) -> Option<ConvergencePanel> {
    let starts = starts(record)?;
    let mut track = track(&starts, "loss", |row| row.loss);
    track.is_staircase = false;
    let medians = record.history.iter();
    let medians = medians.filter_map(|row| Some((row.iteration as f64, row.median_loss?)));
    let medians: Vec<(f64, f64)> = medians.collect();
    if !medians.is_empty() {
        track.courses.push(Course {
            label: "median of the generation".to_owned(),
            role: Role::Median,
            points: medians,
        });
    }
    Some(ConvergencePanel {
        x: counted(record).to_owned(),
        points: detail.points,
        tracks: vec![track],
        note: String::new(),
    })
}

fn counted(record: &DesignRecord) -> &'static str {
    let generations = record.history.iter().any(|row| row.median_loss.is_some());
    if generations { "generation" } else { "step" }
}

/// Rows of a start.
struct Start<'r> {
    label: String,
    role: Role,
    rows: Vec<&'r HistoryRow>,
}

/// The history by starts; none if there is none.
fn starts(record: &DesignRecord) -> Option<Vec<Start<'_>>> {
    let mut by_start: BTreeMap<usize, Vec<&HistoryRow>> = BTreeMap::new();
    for row in &record.history {
        by_start.entry(row.start).or_default().push(row);
    }
    let best = best_start(&by_start)?;
    let others = by_start.len() - 1;
    let label = |start: usize| {
        let init = record.result.starts.get(start).map(|start| &start.init);
        match init.filter(|init| !init.is_empty()) {
            _ if start != best => match others {
                1 => "1 other start".to_owned(),
                n => format!("{n} other starts"),
            },
            Some(init) if others > 0 => format!("start {start} ({init}), the best"),
            _ if others > 0 => format!("start {start}, the best"),
            _ => "best so far".to_owned(),
        }
    };
    let starts = by_start.into_iter().map(|(start, mut rows)| {
        rows.sort_by_key(|row| row.iteration);
        Start {
            label: label(start),
            role: if start == best {
                Role::Best
            } else {
                Role::Other
            },
            rows,
        }
    });
    Some(starts.collect())
}

/// The start whose last row is the best, in the order of results.
fn best_start(by_start: &BTreeMap<usize, Vec<&HistoryRow>>) -> Option<usize> {
    let last = by_start.iter().filter_map(|(start, rows)| {
        let row = rows.iter().max_by_key(|row| row.iteration)?;
        Some((
            *start,
            row.misclassified,
            row.separation.unwrap_or(f64::INFINITY),
        ))
    });
    let best = last.reduce(|best, next| {
        let less = next.1 - best.1;
        let better = less < -SAME_AREA || (less <= SAME_AREA && next.2 > best.2);
        if better { next } else { best }
    });
    best.map(|(start, ..)| start)
}

fn track(starts: &[Start<'_>], name: &str, value: impl Fn(&HistoryRow) -> f64) -> Track {
    let course = |start: &Start<'_>| Course {
        label: start.label.clone(),
        role: start.role,
        points: start
            .rows
            .iter()
            .map(|row| (row.iteration as f64, value(row)))
            .collect(),
    };
    Track {
        name: name.to_owned(),
        is_staircase: true,
        courses: starts.iter().map(course).collect(),
        ..Track::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(start: usize, iteration: usize, misclassified: f64, separation: f64) -> HistoryRow {
        HistoryRow {
            start,
            iteration,
            misclassified,
            separation: Some(separation),
            ..HistoryRow::default()
        }
    }

    #[test]
    fn the_best_start_has_the_least_area_then_the_most_separation() {
        let history = vec![
            row(0, 0, 0.0, 9.0),
            row(0, 1, 0.1, 3.0),
            row(1, 1, 1e-12, 1.2),
            row(2, 1, 0.0, 1.5),
            row(3, 1, 0.0, 1.4),
        ];
        let record = DesignRecord {
            history,
            ..DesignRecord::default()
        };
        let roles: Vec<Role> = starts(&record).unwrap().iter().map(|s| s.role).collect();
        assert_eq!(roles, [Role::Other, Role::Other, Role::Best, Role::Other]);
        assert!(starts(&DesignRecord::default()).is_none());
    }

    #[test]
    fn an_area_that_is_never_misclassified_needs_no_frame() {
        let with = |misclassified: f64| DesignRecord {
            history: vec![row(0, 0, misclassified, 1.0), row(0, 1, 0.0, 2.0)],
            ..DesignRecord::default()
        };
        assert_eq!(
            panel(&with(0.0), Detail::default()).unwrap().tracks.len(),
            1
        );
        assert_eq!(
            panel(&with(0.2), Detail::default()).unwrap().tracks.len(),
            2
        );
        assert!(losses(&with(0.0), Detail::default()).is_some());
    }
}
