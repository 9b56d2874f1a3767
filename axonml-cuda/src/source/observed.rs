//! Observers, and their seed cotangents, as members of structs.

use std::fmt::Write;

use axonml_autodiff::engine::{ObserverKind, Rollout};

/// The state variables that a recorder records, by index, as template arguments.
fn recorded(rollout: &Rollout, kind: &ObserverKind) -> String {
    let known = &rollout.membrane.states;
    let (states, _) = kind.recorded().unwrap_or_default();
    let indices = states
        .iter()
        .filter_map(|name| known.iter().position(|state| state == name));
    let indices: Vec<String> = indices.map(|index| index.to_string()).collect();
    indices.join(", ")
}

/// `struct Seeds`: one member per recorder.
pub(super) fn seeds(rollout: &Rollout) -> String {
    let mut text =
        "struct Seeds {\n  DEVICE_MEMBER void add(const Context& x, u32 state, REAL (&u)[P], REAL \
                    (&states)[P][STATES_OR_1]) const {\n"
            .to_owned();
    for (index, spec) in rollout.observers.iter().enumerate() {
        if let ObserverKind::Recorder { .. } = &spec.kind {
            let states = recorded(rollout, &spec.kind);
            let _ = writeln!(
                text,
                "    RecordedSeeds<{states}>().add(x, {index}, state, u, states);"
            );
        }
    }
    text + "  }\n};\n"
}

/// `struct Observers`: one member per observer, of a type that follows from its kind.
pub(super) fn observers(rollout: &Rollout) -> String {
    let kinds: Vec<String> = rollout
        .observers
        .iter()
        .map(|spec| match &spec.kind {
            ObserverKind::Active { .. } => "Active".to_owned(),
            ObserverKind::ActionPotentialCount => "Count".to_owned(),
            ObserverKind::Raster => "Raster".to_owned(),
            ObserverKind::Maximum => "Maximum".to_owned(),
            ObserverKind::Recorder { .. } | ObserverKind::Traces { .. } => {
                format!("Recorder<{}>", recorded(rollout, &spec.kind))
            }
        })
        .collect();
    let mut text = "struct Observers {\n".to_owned();
    for (index, kind) in kinds.iter().enumerate() {
        let _ = writeln!(text, "  {kind} o{index};");
    }
    let each = |text: &mut String, signature: &str, call: &str| {
        let _ = writeln!(text, "  DEVICE_MEMBER void {signature} {{");
        for index in 0..kinds.len() {
            let call = call.replace('#', &index.to_string());
            let _ = writeln!(text, "    o{index}.{call};");
        }
        text.push_str("  }\n");
    };
    each(&mut text, "load(const Context& x)", "load(x, #)");
    each(
        &mut text,
        "see(const Context& x, u32 state, const REAL (&u)[P], const REAL (&before)[P], const REAL (&states)[P][STATES_OR_1])",
        "see(x, state, u, before, states)",
    );
    each(&mut text, "finish(const Context& x) const", "finish(x)");
    let answered = rollout
        .stop_when_active
        .map_or("false".to_owned(), |index| format!("o{index}.answered()"));
    let _ = writeln!(
        text,
        "  DEVICE_MEMBER bool answered() const {{ return {answered}; }}\n}};"
    );
    text
}
