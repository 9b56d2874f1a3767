//! Voltages and constants that no fiber has: refused, or reported as diverged, never a number with `ok`.

use crate::support::Folder;

#[test]
fn explicit_fibers_that_are_unstable_at_rest_are_refused_with_what_would_do() {
    let folder = Folder::new("unstable");
    for arguments in [
        "threshold --model smf --point 1000,0,0 --diameter 16",
        "run --model smf --point 1000,0,0 --amplitude 0.2 --diameter 16 --format csv",
    ] {
        let answer = folder.axonml(arguments).refused(&[
            "16 um",
            "0.005 ms is unstable at rest",
            "stability number",
            "at most 2",
            "a dt of at most 0.00",
            "a diameter of at most 1",
        ]);
        assert_eq!(answer.stdout, "");
    }
    folder
        .axonml("run --model smf --weights published --point 1000,0,0 --dt 0.1")
        .refused(&["0.1 ms is unstable at rest", "10 um"]);
    folder
        .axonml("threshold --model sundt-explicit --point 150,0,0 --diameter 1 --dt 0.1")
        .refused(&["unstable at rest", "compartments of at least"]);
}

#[test]
fn fibers_whose_spikes_are_ringing_of_the_explicit_step_are_a_divergence() {
    let folder = Folder::new("ringing");
    // Stable at rest (1.84); smaller steps show one spike where this one shows eight.
    let thick = "run --model smf --point 1000,0,0 --diameter 14.6 --amplitude 0.3 --format csv";
    let answer = folder.axonml(thick).failed(
        1,
        &["14.6 um", "amplify differences between nodes", "reduce dt"],
    );
    assert!(answer.stdout.contains(",diverged,"), "{answer:#?}");
    let finer = folder.axonml(&format!("{thick} --dt 0.004")).done();
    assert!(finer.stdout.contains(",53,26,"), "{finer:#?}");
    assert!(finer.stdout.contains(",ok"), "{finer:#?}");
}

#[test]
fn voltages_that_no_membrane_has_are_a_divergence() {
    let folder = Folder::new("kilovolts");
    let answer = folder
        .axonml("run --model hh --point 1000,0,0 --amplitude 1e300 --format csv")
        .failed(1, &["diverged at 0.105 ms, node", "exceeds 10000 mV"]);
    assert!(answer.stdout.contains(",diverged,"), "{answer:#?}");
    assert!(
        answer.stderr.lines().all(|line| line.len() < 300),
        "{answer:#?}"
    );
}

#[test]
fn constants_out_of_their_range_are_refused_by_name() {
    let folder = Folder::new("constants");
    for (set, parts) in [
        (
            "conductance.gl=-1",
            ["conductance.gl of model `mrg`", "-1 S/cm2", "at least 0"],
        ),
        (
            "passive.cm=0",
            ["passive.cm of model `mrg`", "0 uF/cm2", "above 0"],
        ),
        (
            "passive.ra=-70",
            ["passive.ra of model `mrg`", "-70 ohm cm", "above 0"],
        ),
    ] {
        for command in ["run --amplitude 0.2", "threshold"] {
            let arguments = format!("{command} --model mrg --point 1000,0,0 --set={set}");
            folder.axonml(&arguments).refused(&parts);
        }
    }
}

#[test]
fn divergence_names_fiber_node_and_time() {
    let folder = Folder::new("divergence");
    // The step is stable at rest, and not while sodium channels are open.
    let answer = folder
        .axonml("run --model smf --weights published --point 250,0,0 --amplitude 2 --dt 0.0108 --format csv")
        .failed(1, &["fiber 0, 10 um", "stability number", "reduce dt"]);
    assert!(
        answer.stdout.contains("smf,0,10,53,,,,,,,,,,diverged,"),
        "{answer:#?}"
    );
    let answer = folder
        .axonml("threshold --model smf --weights published --point 1000,0,0 --format csv")
        .done();
    assert!(
        answer.stdout.contains("smf,0,10,53,,,,,,,spontaneous,"),
        "{answer:#?}"
    );
}
