//! Thresholds over one number of the grid, fiber by fiber.

use crate::study::StudyError;
use crate::study::plan::Plan;
use crate::study::report::{Cell, Results, counted};
use crate::study::spec::Study;

/// The thresholds of one fiber over one number.
#[derive(Clone, Debug)]
pub(super) struct Curve {
    /// The cells that tell the fiber apart.
    pub(super) settings: Vec<Cell>,
    /// Its name.
    pub(super) name: String,
    /// (number, threshold in mA) of the rows whose threshold is one.
    pub(super) points: Vec<(f64, f64)>,
    /// Rows without such a threshold.
    pub(super) without: usize,
}

impl Curve {
    /// Says that rows were left out, where some were.
    pub(super) fn left_out(&self) -> String {
        match self.without {
            0 => String::new(),
            n => format!("{} without a threshold left out", counted(n, "row")),
        }
    }
}

/// The curves of all fibers over the column `over`, and the columns that tell them apart.
///
/// Only thresholds with status `ok` are points: a law is not fitted to those of a fiber's end.
pub(super) fn by_fiber(plan: &Plan, results: &Results, over: &str) -> (Vec<String>, Vec<Curve>) {
    let table = &results.table;
    let settings = plan.columns.len();
    let varied = plan.columns.iter().position(|column| column == over);
    let kept: Vec<usize> = (0..settings)
        .filter(|at| Some(*at) != varied && plan.columns[*at] != "n_nodes")
        .collect();
    let status = table.column("status");
    let threshold = table.column("threshold_mA");
    let mut curves: Vec<Curve> = Vec::new();
    for (row, planned) in table.rows.iter().zip(&plan.cases) {
        let cells: Vec<Cell> = kept.iter().map(|&at| row[at].clone()).collect();
        let place = curves.iter().rposition(|curve| curve.settings == cells);
        let place = place.unwrap_or_else(|| {
            curves.push(Curve {
                settings: cells,
                name: planned.name.clone(),
                points: Vec::new(),
                without: 0,
            });
            curves.len() - 1
        });
        let number = varied.and_then(|at| row[at].number());
        let found = threshold.and_then(|at| row[at].number());
        let is_ok = status.is_some_and(|at| row[at].exact() == "ok");
        match number.zip(found).filter(|_| is_ok) {
            Some(point) => curves[place].points.push(point),
            None => curves[place].without += 1,
        }
    }
    let columns = kept.iter().map(|&at| plan.columns[at].clone()).collect();
    (columns, curves)
}

/// Refuses curves without a field that a waveform drives.
pub(super) fn check_field(study: &Study) -> Result<(), StudyError> {
    if study.conditions.is_some() {
        return Err(StudyError::request(
            "conditions: a curve has a grid of its own, not rows of a table",
        )
        .help("give fibers and a field, or ask for thresholds of the table"));
    }
    match study.field.flows() {
        true => Ok(()),
        false => Err(StudyError::request("found no field, expected one")
            .help("give --distance UM, --point X,Y,Z or --nerve DIR")),
    }
}
