//! Recordings as archives: `t_ms`, `v_mV` (time, fiber, node), one array per state, `z_um`, `diameter_um`.

use axonml::simulation::Recording;
use ndarray::{Array1, Array2, Array3};
use serde_json::Value;

use crate::error::CliError;
use crate::report::{Npz, Report};

/// Recording of one fiber.
pub(crate) struct Recorded<'r> {
    /// Voltages and states.
    pub(crate) recording: &'r Recording,
    /// Position of all nodes, um.
    pub(crate) z_um: &'r [f64],
    /// Number of the fiber.
    pub(crate) fiber: i64,
    /// Its diameter, um.
    pub(crate) diameter_um: f64,
}

/// The archive of recordings that have times and nodes in common.
pub(crate) fn archive(
    recorded: &[Recorded<'_>],
    states: &[String],
    report: &Report,
) -> Result<Vec<u8>, CliError> {
    let (t_ms, nodes) = match recorded.first() {
        Some(first) => (first.recording.t_ms.clone(), first.recording.nodes.clone()),
        None => (Vec::new(), Vec::new()),
    };
    let (times, fibers, columns) = (t_ms.len(), recorded.len(), nodes.len());
    let interleaved = |values: &dyn Fn(&Recording) -> &[f64]| {
        let of_fiber: Vec<&[f64]> = recorded
            .iter()
            .map(|recorded| values(recorded.recording))
            .collect();
        Array3::from_shape_fn((times, fibers, columns), |(t, fiber, node)| {
            of_fiber[fiber][t * columns + node]
        })
    };
    let mut npz = Npz::new();
    npz.add("t_ms", &Array1::from(t_ms))?;
    npz.add("v_mV", &interleaved(&|recording| &recording.v_mv))?;
    for (index, state) in states.iter().enumerate() {
        npz.add(state, &interleaved(&|recording| &recording.states[index]))?;
    }
    let z = |(fiber, column): (usize, usize)| recorded[fiber].z_um[nodes[column]];
    npz.add("z_um", &Array2::from_shape_fn((fibers, columns), z))?;
    npz.add(
        "diameter_um",
        &recorded
            .iter()
            .map(|recorded| recorded.diameter_um)
            .collect::<Array1<f64>>(),
    )?;
    npz.add(
        "fiber",
        &recorded
            .iter()
            .map(|recorded| recorded.fiber)
            .collect::<Array1<i64>>(),
    )?;
    npz.add(
        "node",
        &nodes
            .iter()
            .map(|node| *node as i64)
            .collect::<Array1<i64>>(),
    )?;
    npz.finish(&report.request, &Value::Object(report.summary.clone()))
}
