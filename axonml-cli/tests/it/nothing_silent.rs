//! Requests that contradict themselves or say something twice are refused before the work; what is rounded or zero is told.

use crate::support::{Folder, repository};

const POINT: &str = "threshold --point 1000,0,0 --diameter 10 --nodes 21 --tstop 1";

#[test]
fn recordings_are_checked_before_the_run() {
    let folder = Folder::new("recordings");
    for (flags, parts) in [
        ("--record m,m", ["--record: found `m` twice", "once"]),
        (
            "--record m --record h,m",
            ["--record: found `m` twice", "once"],
        ),
        (
            "--every 201",
            ["--every: found 201, expected 1 to 200", "200 steps"],
        ),
    ] {
        folder
            .axonml(&format!("run --tstop 1 {flags} -o r.npz"))
            .refused(&parts);
    }
    assert!(folder.files().is_empty());
    let all = "run --tstop 1 --inject node=0,delay=0 --record m,h --every 200 -o r.npz";
    folder.axonml(all).done();
}

#[test]
fn a_parameter_is_set_once() {
    let folder = Folder::new("set-twice");
    for (set, found) in [
        (
            "--set conductance.gna=2 --set gna=3",
            "conductance.gna=2 and gna=3",
        ),
        ("--set gna=2 --set gna=2", "gna=2 and gna=2"),
    ] {
        let expected = ["parameter conductance.gna", found, "leave out one"];
        folder.axonml(&format!("{POINT} {set}")).refused(&expected);
        folder
            .axonml(&format!("run --tstop 0.2 {set}"))
            .refused(&expected);
        folder
            .axonml(&format!("export --model mrg {set} -o m.safetensors"))
            .refused(&expected);
    }
    assert!(folder.files().is_empty());
}

#[test]
fn columns_that_are_said_elsewhere_are_refused() {
    let folder = Folder::new("elsewhere");
    for (column, place) in [
        ("gap_ms", "biphasic:pw=0.1,gap=0.05"),
        ("x_um", "`distance_um`"),
        ("y_um", "`distance_um`"),
        ("z_um", "`z_offset_um`"),
        ("gna", "--set conductance.gna=VALUE"),
        ("conductance.gna", "--set conductance.gna=VALUE"),
    ] {
        folder.write(
            "t.csv",
            format!("diameter_um,distance_um,{column}\n10,1000,1\n"),
        );
        folder.axonml("threshold --conditions t.csv").refused(&[
            &format!("the column `{column}` would have no effect"),
            place,
            "rename it",
        ]);
    }
}

#[test]
fn cells_that_contradict_each_other_are_refused() {
    let folder = Folder::new("contradicting-cells");
    folder.write("fiber.csv", "diameter_um,distance_um,fiber\n10,1000,3\n");
    folder.axonml("threshold --conditions fiber.csv").refused(&[
        "row 1",
        "column fiber: found `3`, which has no effect",
        "point electrode",
    ]);
    for shape in ["anodic", "biphasic_anodic_first", "Anodic"] {
        for polarity in ["anodic", "cathodic"] {
            let row = format!("10,1000,{shape},{polarity}");
            folder.write(
                "t.csv",
                format!("diameter_um,distance_um,shape,polarity\n{row}\n"),
            );
            folder.axonml("threshold --conditions t.csv").refused(&[
                "row 1",
                &format!("column polarity: found `{polarity}` and the shape `{shape}`"),
                "leave polarity empty",
            ]);
        }
    }
    folder.write("t.csv", "diameter_um,distance_um,shape\n10,1000,anodic\n");
    folder
        .axonml("threshold --conditions t.csv --polarity anodic")
        .refused(&[
            "found --polarity anodic and the shape `anodic`",
            "leave --polarity out",
        ]);
    folder.axonml("threshold --conditions t.csv").done();
}

#[test]
fn a_misspelt_key_of_units_is_refused() {
    let folder = Folder::new("field-unit");
    folder.nerve("nerve");
    for key in ["field_unit", "fieldUnits", "Field-Units"] {
        folder.write(
            "nerve/nerve.json",
            format!("{{\"{key}\": {{\"z\": \"mm\"}}}}"),
        );
        folder
            .axonml("run --nerve nerve --diameter 10 --nodes 5")
            .refused(&[
                &format!("the key `{key}`"),
                "expected `field_units`",
                "rename it",
            ]);
    }
    folder.write("nerve/nerve.json", "{\"note\": \"units of the field: mV\"}");
    let run = "run --nerve nerve --diameter 10 --nodes 5 --detect-nodes 2 --tstop 0.3";
    folder.axonml(run).done();
}

#[test]
fn a_duration_that_is_rounded_is_told_once() {
    let folder = Folder::new("rounded");
    let note = "note: tstop 5.05 ms is no multiple of dt 0.1 ms: 50 steps are simulated, to 5 ms";
    let once = |command: &str| {
        let answer = folder.axonml(command).done();
        assert_eq!(
            answer.stderr.matches("no multiple").count(),
            1,
            "{answer:#?}"
        );
        assert!(answer.stderr.contains(note), "{answer:#?}");
    };
    once("run --dt 0.1 --tstop 5.05 --inject node=0 --diameter 10,12");
    once("threshold --dt 0.1 --tstop 5.05 --point 1000,0,0 --diameter 10,12 --pulse mono:pw=0.4");
    folder.write(
        "t.csv",
        "diameter_um,distance_um,dt_ms,tstop_ms,pw_ms\n10,1000,0.1,5.05,0.4\n12,1000,0.1,5.05,0.4\n",
    );
    once("threshold --conditions t.csv");
    let whole = folder
        .axonml("run --dt 0.1 --tstop 5.1 --inject node=0")
        .done();
    assert!(!whole.stderr.contains("no multiple"), "{whole:#?}");
}

#[test]
fn numbers_in_messages_are_short() {
    let folder = Folder::new("short-numbers");
    let answer = folder.axonml(&format!(
        "{POINT} --pulse monophasic:pw=0.1,scale=1e300 --format csv"
    ));
    let message = answer.done().stdout;
    assert!(
        message.contains("e-293 mA") && !message.contains("0000000"),
        "{message}"
    );
    folder
        .axonml("run --dt 1e-300 --inject node=0")
        .refused(&["dt = 1e-300 ms"]);
}

#[test]
fn a_stimulus_of_zero_is_named() {
    let folder = Folder::new("zero");
    let n1 = repository("examples/nerves/N1");
    for command in [
        format!("threshold --nerve {n1} --contacts 0,0,0,0,0,0 --diameter 10"),
        format!("threshold --nerve {n1} --pulse monophasic:pw=0.1,scale=0 --diameter 10"),
        "threshold --point 1000,0,0,0 --diameter 10".to_owned(),
        "threshold --point 1000,0,0 --point 1000,0,0,-1 --diameter 10".to_owned(),
        "threshold --point 1000,0,0 --diameter 10 --pulse monophasic:pw=0.1,scale=0".to_owned(),
    ] {
        let answer = folder.axonml(&format!("{command} --format json")).done();
        for row in answer.json()["results"].as_array().unwrap() {
            assert_eq!(row["status"], "no_activation", "{command}");
            let message = row["message"].as_str().unwrap_or_default();
            assert!(
                message.starts_with("the stimulus is zero: "),
                "{command}: {message}"
            );
        }
        assert!(!answer.stderr.contains("drives the ends"), "{answer:#?}");
    }
    let far = folder.axonml("threshold --point 1000000,0,0 --diameter 10 --format json");
    let row = far.done().json()["results"][0].clone();
    assert_eq!(row["status"], "no_activation");
    assert!(row["message"].is_null() || row["message"] == "", "{row}");
}
