//! Printed text of a model, under review as snapshots. `AXONML_UPDATE_SNAPSHOTS=1` writes the files anew.

use std::path::Path;

use axonml_autodiff::ir::Precision;
use axonml_cuda::KernelSource;

use crate::cases::rollout;

/// The printed parts of a kernel: settings, membrane, observers. The rest is in files of its own.
fn printed(kernel: &KernelSource) -> String {
    let text = &kernel.text;
    let part = |from: &str, to: &[&str]| {
        let rest = &text[text.find(from).unwrap()..];
        let length = to.iter().filter_map(|to| rest.find(to)).min().unwrap();
        rest[..length].trim_end().to_owned()
    };
    [
        part("#define REAL_IS_FLOAT", &["// Common prelude"]),
        part(
            "#define PARAMETERS",
            &["// The node rows", "// Explicit cables"],
        ),
        part("struct Observers {", &["// The kernel: one warp"]),
    ]
    .join("\n\n")
        + "\n"
}

#[test]
fn kernels_are_printed_as_reviewed() {
    for (id, precision) in [("mrg", Precision::F32), ("smf", Precision::F64)] {
        let kernels = KernelSource::for_rollout(&rollout(id, 0.005, 300, precision));
        let kernel = kernels.iter().find(|k| k.nodes_per_lane == 2).unwrap();
        let found = printed(kernel);
        let name = format!("tests/snapshots/{id}_{}.cu", precision.name());
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        if std::env::var_os("AXONML_UPDATE_SNAPSHOTS").is_some() {
            std::fs::write(&path, &found).unwrap();
        }
        let expected = std::fs::read_to_string(&path).unwrap_or_default();
        let differ = found
            .lines()
            .zip(expected.lines())
            .position(|(found, expected)| found != expected)
            .unwrap_or(found.lines().count().min(expected.lines().count()));
        assert!(
            found == expected,
            "{} differs from line {} on; AXONML_UPDATE_SNAPSHOTS=1 writes it anew. Found: {:?}",
            path.display(),
            differ + 1,
            found.lines().nth(differ)
        );
    }
}
