//! A measured figure, as the table and the file show it.

use serde_json::{Value, json};

/// Unit of a figure.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Unit {
    NodeStepsPerSecond,
    /// Candidates whose every fiber was decided.
    CandidatesPerSecond,
    /// Time of a gradient in times of a forward run.
    ForwardRuns,
    Milliseconds,
    Microseconds,
    Seconds,
    Megabytes,
}

impl Unit {
    /// The unit's name in files.
    fn name(self) -> &'static str {
        match self {
            Unit::NodeStepsPerSecond => "node-steps/s",
            Unit::CandidatesPerSecond => "candidates/s",
            Unit::ForwardRuns => "forward runs",
            Unit::Milliseconds => "ms",
            Unit::Microseconds => "us",
            Unit::Seconds => "s",
            Unit::Megabytes => "MB",
        }
    }

    /// The unit of the table, and how many of it one of the file's is.
    fn shown(self) -> (&'static str, f64) {
        match self {
            Unit::NodeStepsPerSecond => ("M/s", 1e-6),
            other => (other.name(), 1.0),
        }
    }
}

/// Target of a figure.
#[derive(Clone, Copy)]
pub(super) enum Goal {
    AtLeast(f64),
    AtMost(f64),
}

/// The median of some measurements.
pub(super) struct Row {
    pub(super) name: String,
    sorted: Vec<f64>,
    unit: Unit,
    goal: Option<Goal>,
    /// The benchmark.
    what: String,
}

impl Row {
    /// A figure from its measurements, of which there is at least one.
    pub(super) fn new(
        name: &str,
        mut measured: Vec<f64>,
        unit: Unit,
        goal: Option<Goal>,
        what: String,
    ) -> Self {
        measured.sort_by(f64::total_cmp);
        Row {
            name: name.to_owned(),
            sorted: measured,
            unit,
            goal,
            what,
        }
    }

    fn median(&self) -> f64 {
        self.sorted[self.sorted.len() / 2]
    }

    fn spread(&self) -> (f64, f64) {
        (self.sorted[0], self.sorted[self.sorted.len() - 1])
    }

    fn missed(&self) -> bool {
        match self.goal {
            Some(Goal::AtLeast(goal)) => self.median() < goal,
            Some(Goal::AtMost(goal)) => self.median() > goal,
            None => false,
        }
    }

    /// The head of the table whose lines [`Row::line`] gives.
    pub(super) fn head() -> String {
        format!(
            "{:<34} {:>9} {:<12} {:>18} {:>10}",
            "name", "median", "unit", "min..max", "goal"
        )
    }

    pub(super) fn line(&self) -> String {
        let (unit, factor) = self.unit.shown();
        let number = |x: f64| match x * factor {
            x if x < 10.0 => format!("{x:.2}"),
            x => format!("{x:.1}"),
        };
        let goal = match self.goal {
            Some(Goal::AtLeast(goal)) => format!(">= {}", goal * factor),
            Some(Goal::AtMost(goal)) => format!("<= {}", goal * factor),
            None => "-".to_owned(),
        };
        let (least, most) = self.spread();
        let spread = format!("{}..{}", number(least), number(most));
        let missed = if self.missed() { "  MISSED" } else { "" };
        format!(
            "{:<34} {:>9} {:<12} {:>18} {:>10}{missed}",
            self.name,
            number(self.median()),
            unit,
            spread,
            goal
        )
    }

    /// `{name, value, unit, note}`.
    pub(super) fn json(&self, machine: &str) -> Value {
        let (least, most) = self.spread();
        json!({
            "name": self.name,
            "value": self.median(),
            "unit": self.unit.name(),
            "note": format!("{machine}; {}; min {least:.4e}, max {most:.4e}", self.what),
        })
    }
}
