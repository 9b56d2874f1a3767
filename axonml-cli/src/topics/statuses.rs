//! Statuses, from the library's tables of them.

use axonml::simulation::{
    BLOCK_STATUSES, STATUSES, Status, TRANSMISSION_STATES, VELOCITY_STATUSES,
};

use super::layout::{paragraph, rows};

/// The text of `axonml help statuses`.
pub(super) fn text() -> String {
    let mut out = String::new();
    list(
        &mut out,
        "Statuses of thresholds, in the column `status`; in brackets the columns that are empty then:",
        STATUSES,
    );
    out.push('\n');
    paragraph(
        &mut out,
        "threshold_mA is the smallest amplitude that fired (= upper_mA), lower_mA the largest below it that did not; both were \
         simulated. start_node, start_um and start_ms tell where and when the first action potential began. \
         --end-excitation accept reports end_excitation as ok; error makes the exit code 1.",
    );
    out.push('\n');
    paragraph(
        &mut out,
        "Runs (axonml run) end as ok, end_excitation, diverged or error. A fiber that diverged has no counts, as crossings \
         on the way to divergence are no action potentials.",
    );
    out.push('\n');
    paragraph(
        &mut out,
        "Optimizations (axonml optimize) end as done, stopped: REASON (max_seconds, max_evaluations) or interrupted; \
         what is found is verified in any case.",
    );
    let others = [
        (
            "Statuses of block thresholds (threshold --block):",
            BLOCK_STATUSES,
        ),
        (
            "States of responses (response), in the column `state`:",
            TRANSMISSION_STATES,
        ),
        ("Statuses of velocities (cv):", VELOCITY_STATUSES),
    ];
    for (title, statuses) in others {
        out.push('\n');
        list(&mut out, title, statuses);
    }
    out
}

fn list(out: &mut String, title: &str, statuses: &[Status]) {
    out.push_str(title);
    out.push_str("\n\n");
    for status in statuses {
        let empty = match status.empty {
            [] => String::new(),
            columns => format!(" [{}]", columns.join(", ")),
        };
        rows(
            out,
            2,
            22,
            [(status.name, format!("{}{empty}", status.meaning))],
        );
    }
}
