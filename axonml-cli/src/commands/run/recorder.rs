//! Contents of a recording.

use axonml::TimeGrid;
use axonml::file::Memory;
use axonml::model::Schema;
use axonml::simulation::memory::recording_bytes;
use axonml::table::names;
use axonml::{NodeSelection, ObserverKind, ObserverSpec};

use crate::args::RecordingArgs;
use crate::error::CliError;

impl RecordingArgs {
    /// The states asked for.
    pub(super) fn states(&self, schema: &Schema) -> Vec<String> {
        let all = || schema.states.iter().map(|state| (*state).to_owned());
        if self.record.iter().any(|state| state == "all") {
            return all().collect();
        }
        // The voltage is always recorded.
        self.record
            .iter()
            .filter(|state| *state != "v")
            .cloned()
            .collect()
    }
}

/// The recorder, if a recording is wanted; flags of a recording without one are refused.
pub(super) fn recorder(
    args: &RecordingArgs,
    wanted: bool,
    schema: &Schema,
    grid: &TimeGrid,
    nodes: impl Iterator<Item = usize>,
) -> Result<Option<ObserverSpec>, CliError> {
    let states = args.states(schema);
    if let Some(unknown) = states
        .iter()
        .find(|state| !schema.states.contains(&state.as_str()))
    {
        let hint = names::nearest(unknown, schema.states.iter().copied())
            .map(|nearest| format!(" (did you mean `{nearest}`?)"))
            .unwrap_or_default();
        return Err(CliError::request(format!(
            "--record: found `{unknown}`{hint}, expected states of model `{}`: {}",
            schema.id,
            schema.states.join(", ")
        )));
    }
    let mut listed = args.record.iter().enumerate();
    if let Some((_, twice)) = listed.find(|(index, state)| args.record[..*index].contains(state)) {
        return Err(CliError::request(format!(
            "--record: found `{twice}` twice, expected it once"
        ))
        .help("name every state once, or give --record all"));
    }
    if let Some(every) = args.every.filter(|every| *every > grid.steps()) {
        let steps = grid.steps();
        return Err(CliError::request(format!(
            "--every {every}: expected {steps} or less, as the run has {steps} steps"
        ))
        .help("lower --every, or raise --tstop"));
    }
    let selection = match &args.record_nodes {
        None => NodeSelection::All,
        Some(list) => {
            let selection = NodeSelection::Nodes(list.0.clone());
            if let Some(nodes) = nodes.min() {
                selection.resolve(nodes).map_err(|node| {
                    CliError::request(format!(
                        "--record-nodes: found `{node}`, expected 0 to {} or -{nodes} to -1, as fibers have {nodes} nodes",
                        nodes - 1
                    ))
                })?;
            }
            selection
        }
    };
    let asked = !args.record.is_empty() || args.every.is_some() || args.record_nodes.is_some();
    if asked && !wanted {
        return Err(CliError::request(
            "--record, --every and --record-nodes have no effect without a recording",
        )
        .help("add -o FILE.npz, or leave them out"));
    }
    let kind = ObserverKind::Recorder {
        states,
        every: args.every.unwrap_or(1),
    };
    Ok(wanted.then(|| ObserverSpec::new(kind, selection)))
}

/// Refuses recordings that fill the memory.
pub(super) fn check_size(
    recorder: &ObserverSpec,
    grid: &TimeGrid,
    nodes: impl Iterator<Item = usize>,
    memory: &Memory,
) -> Result<(), CliError> {
    let ObserverKind::Recorder { states, every } = &recorder.kind else {
        return Ok(());
    };
    let recorded = |nodes: usize| match &recorder.nodes {
        NodeSelection::All => nodes,
        NodeSelection::Nodes(list) => list.len(),
        NodeSelection::Fractions(list) => list.len(),
    };
    let rows = grid.steps() / every + 1;
    let needed = nodes.fold(0_u128, |bytes, nodes| {
        bytes.saturating_add(recording_bytes(1, rows, recorded(nodes), 1 + states.len()))
    });
    memory.check("the recording", needed).map_err(|error| {
        CliError::request(error).help(
            "record fewer rows with --every, fewer nodes with --record-nodes, or fewer fibers, or allow more with \
             --max-memory GB",
        )
    })
}
