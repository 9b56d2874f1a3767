//! Detection, searches and test pulses, as the package's Python hands them over.

use axonml::NodeSelection;
use axonml::simulation::{Detection, TestPulses, ThresholdSearch};
use pyo3::prelude::*;

/// Sites of detection, its level and its beginning.
pub(crate) fn detection(
    nodes: Option<Vec<i64>>,
    at: Option<Vec<f64>>,
    threshold_mv: f64,
    after_ms: f64,
) -> Detection {
    let sites = match (nodes, at) {
        (Some(nodes), _) => NodeSelection::Nodes(nodes),
        (None, Some(fractions)) => NodeSelection::Fractions(fractions),
        (None, None) => Detection::default().sites,
    };
    Detection {
        sites,
        threshold_mv,
        after_ms,
    }
}

/// Detection and search of thresholds.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct SearchSpec {
    nodes: Option<Vec<i64>>,
    at: Option<Vec<f64>>,
    threshold_mv: f64,
    after_ms: f64,
    first_ma: Option<f64>,
    max_ma: f64,
    resolution: f64,
    early_end: bool,
    /// Guesses of thresholds, mA.
    pub(crate) guesses_ma: Option<Vec<f64>>,
}

impl SearchSpec {
    /// Detection in the library's terms.
    pub(crate) fn detection(&self) -> Detection {
        detection(
            self.nodes.clone(),
            self.at.clone(),
            self.threshold_mv,
            self.after_ms,
        )
    }

    /// The search in the library's terms.
    pub(crate) fn search(&self) -> ThresholdSearch {
        ThresholdSearch {
            detection: self.detection(),
            first_ma: self.first_ma,
            max_ma: self.max_ma,
            resolution: self.resolution,
            early_end: self.early_end,
            ..ThresholdSearch::default()
        }
    }
}

/// Test pulses.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct TestSpec {
    node: i64,
    na: f64,
    pw_ms: f64,
    at_ms: Vec<f64>,
}

impl From<TestSpec> for TestPulses {
    fn from(spec: TestSpec) -> Self {
        TestPulses::new(spec.node, spec.na, spec.pw_ms, &spec.at_ms)
    }
}
