//! Pictures as commands draw them: what lies on the axes, how many fibers, how large.

use crate::support::Folder;

const TABLE: &str = "\
model,diameter_um,n_nodes,distance_um,shape,pw_ms,delay_ms,tstop_ms,dt_ms,threshold_mA
mrg,10,21,250,mono,0.1,0.1,2,0.01,0.02
mrg,10,21,500,mono,0.1,0.1,2,0.01,0.05
mrg,10,21,250,biphasic,0.1,0.1,2,0.01,0.02
mrg,10,21,500,biphasic,0.1,0.1,2,0.01,0.05
";

fn holds(svg: &str, labels: &[&str]) {
    for label in labels {
        assert!(
            svg.contains(&format!(">{label}</text>")),
            "no label `{label}`"
        );
    }
}

#[test]
fn what_varies_lies_on_the_horizontal_axis() {
    let folder = Folder::new("pictures-x");
    let without: String = TABLE
        .lines()
        .map(|line| format!("{}\n", line.rsplit_once(',').unwrap().0))
        .collect();
    folder.write("t.csv", &without);
    let draw = |more: &str| {
        folder
            .axonml(&format!(
                "threshold -q --conditions t.csv --resolution 0.05 --plot p.svg {more}"
            ))
            .done();
        folder.text("p.svg")
    };
    let svg = draw("");
    holds(
        &svg,
        &[
            "electrode distance (µm)",
            "threshold (mA)",
            "mono",
            "biphasic",
        ],
    );
    assert!(svg.contains("diameter 10 µm; pulse width 0.1 ms"));
    holds(
        &draw("--x shape"),
        &["pulse shape", "distance 250 µm", "distance 500 µm"],
    );
    folder
        .axonml("threshold --conditions t.csv --plot q.svg --x distence_um")
        .refused(&["--x distence_um", "did you mean `distance_um`?", "n_nodes"]);
    assert!(!folder.has("q.svg"));
    // Beside references the error is drawn, unless a column is asked for.
    folder.write("t.csv", TABLE);
    holds(&draw(""), &["predicted threshold (mA)"]);
    holds(&draw("--x distance_um"), &["electrode distance (µm)"]);
}

#[test]
fn titles_name_the_pulse_and_the_electrode() {
    let folder = Folder::new("pictures-titles");
    folder
        .axonml(
            "threshold -q --point 300,400,0 --diameter 8,10 --nodes 21 --tstop 2 --resolution 0.05 --polarity anodic \
             --pulse biphasic:pw=0.1 --max-amplitude 1 --plot p.svg",
        )
        .done();
    let svg = folder.text("p.svg");
    for part in [
        "Activation thresholds: mrg",
        "biphasic:pw=0.1",
        "anodic first",
        "point electrode 500 µm from the fiber",
        "21 nodes",
        "fiber diameter (µm)",
    ] {
        assert!(svg.contains(part), "{part}");
    }
}

#[test]
fn every_fiber_of_a_run_is_drawn() {
    let folder = Folder::new("pictures-runs");
    let run = |diameters: &str| {
        folder
            .axonml(&format!(
                "run -q --point 500,0,1000 --amplitude 0.3 --nodes 21 --tstop 2 --dt 0.01 --plot p.svg --diameter {diameters}"
            ))
            .done();
        folder.text("p.svg")
    };
    let svg = run("8,10");
    holds(
        &svg,
        &[
            "fiber 0, 8 µm",
            "fiber 1, 10 µm",
            "5 detection",
            "electrode",
        ],
    );
    assert!(svg.contains(" start</text>") && svg.contains("detection</text>"));
    assert_eq!(svg.matches(">stimulus (mA)<").count(), 1);
    let svg = run("6:14:30");
    assert!(svg.contains("30 fibers, all drawn"));
    assert_eq!(svg.matches("class=\"start").count(), 30);
}

#[test]
fn a_nerve_without_places_shows_its_recruitment() {
    let folder = Folder::new("pictures-recruitment");
    folder.nerve("n");
    folder
        .axonml("threshold -q --nerve n --nodes 5 --detect-nodes 4 --diameter 10 --resolution 0.05 --plot p.svg")
        .done();
    let svg = folder.text("p.svg");
    assert!(svg.contains("Recruitment in nerve n"));
    holds(&svg, &["10 µm", "amplitude (mA)"]);
}

#[test]
fn pictures_have_the_size_that_is_asked_for() {
    let folder = Folder::new("pictures-size");
    let draw = |more: &str| {
        folder.axonml(&format!(
            "threshold -q --point 500,0,0 --diameter 8,10 --nodes 21 --tstop 2 --resolution 0.05 {more}"
        ))
    };
    draw("--plot p.svg --size 85x60").done();
    assert!(
        folder
            .text("p.svg")
            .contains("width=\"85mm\" height=\"60mm\"")
    );
    draw("--plot p.png --size 127x254 --dpi 100").done();
    let png = folder.read("p.png");
    let side = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
    assert_eq!((side(16), side(20)), (500, 1000));
    draw("--plot p.svg --dpi 300").refused(&["--dpi 300 has no effect", "p.svg", ".png"]);
    draw("--plot p.svg --size 85").refused(&["--size", "in mm", "85x60"]);
    draw("--plot p.png --dpi 1e9").refused(&["--dpi", "30"]);
    for flag in ["--size 85x60", "--dpi 100", "--x diameter_um"] {
        draw(flag).refused(&["--plot"]);
    }
}

#[test]
fn sets_have_pictures_of_any_size() {
    let folder = Folder::new("pictures-set");
    folder
        .axonml("dataset generate -q -o set --count 8 --nodes 21 --tstop 1 --dt 0.01 --every 50 --point 500:1000 --pw 0.05:0.2 --delay 0:0.2")
        .done();
    folder
        .axonml("dataset inspect set --plot p.svg --size 120x90")
        .done();
    assert!(
        folder
            .text("p.svg")
            .contains("width=\"120mm\" height=\"90mm\"")
    );
    folder
        .axonml("dataset inspect set --plot p.svg --dpi 100")
        .refused(&["--dpi 100 has no effect"]);
}

#[test]
fn models_have_a_picture_of_their_action_potential() {
    let folder = Folder::new("pictures-models");
    // At the diameter whose velocity the model states, and at another.
    folder.axonml("models mrg --plot thin.svg").done();
    folder
        .axonml("models mrg --diameter 10 --nodes 21 --plot thick.svg")
        .done();
    let [thin, thick] = ["thin.svg", "thick.svg"].map(|name| folder.text(name));
    holds(
        &thin,
        &["mrg, 5.7 µm", "time from peak (ms)", "mV", "myelinated"],
    );
    holds(&thick, &["mrg, 10 µm"]);
    // Rest and peak of docs/validation.md, which are those of another command.
    assert!(
        thick.contains("rest -80 mV") && thick.contains("peak 28.4 mV"),
        "{thick}"
    );
    assert!(!thick.contains("unmyelinated"));
    folder
        .axonml("models mrg --plot p.svg --x t_ms")
        .refused(&["--x t_ms has no effect"]);
    folder.axonml("models mrg --plot p.gif").refused(&["p.gif"]);
    assert!(!folder.has("p.svg"));
}
