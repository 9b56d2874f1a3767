//! Studies of several groups of fibers, each of a model of its own.

use serde_json::Value;

use crate::support::{Folder, repository};

/// The rows of a table of results that are of a group.
fn of_group<'r>(rows: &'r Value, group: &str) -> Vec<&'r Value> {
    let rows = rows.as_array().unwrap().iter();
    rows.filter(|row| row["group"] == group).collect()
}

/// The study that is shipped, near an electrode instead of in a nerve, with C fibers that are short.
#[test]
fn recruitment_of_three_models_has_a_curve_for_each() {
    let folder = Folder::new("groups-recruitment");
    let shipped = repository("examples/studies/abc_recruitment.toml");
    let mut study = std::fs::read_to_string(shipped).unwrap();
    for (from, to) in [
        ("nerve = \"examples/nerves/N1\"", "distance_um = 200"),
        ("length_um = 40000", "length_um = 3000"),
    ] {
        assert!(study.contains(from), "{study}");
        study = study.replace(from, to);
    }
    folder.write("abc.toml", &study);
    folder
        .axonml("study abc.toml -o abc.json --plot abc.svg")
        .done();
    let found = folder.json("abc.json");
    let thresholds = ["A", "B", "C"].map(|group| {
        let rows = of_group(&found["thresholds"], group);
        assert_eq!(rows.len(), 1, "{group}");
        rows[0]["threshold_mA"].as_f64().unwrap()
    });
    // Thin fibers need more, those without myelin most.
    assert!(thresholds.is_sorted(), "{thresholds:?}");
    for (group, threshold) in ["A", "B", "C"].into_iter().zip(thresholds) {
        for row in of_group(&found["at"], group) {
            let fires = row["amplitude_mA"].as_f64().unwrap() >= threshold;
            assert_eq!(row["fraction"], f64::from(u8::from(fires)), "{row}");
        }
    }
    // A fiber's threshold is that of a study of its own.
    let alone = "threshold --model mrg-interpolation --diameter 3 --distance 200 --pulse monophasic:pw=0.5,delay=0.1 \
                 --precision f32 -o alone.json";
    folder.axonml(alone).done();
    let alone = &folder.json("alone.json")["results"][0]["threshold_mA"];
    assert_eq!(alone.as_f64(), Some(thresholds[1]));
    // The curves of diameters are those of the groups, and drawn once.
    let picture = folder.text("abc.svg");
    for group in ["group A", "group B", "group C"] {
        assert!(picture.contains(group), "{group}");
    }
    assert!(!picture.contains("diameter 10"), "{picture}");
}

#[test]
fn every_question_names_the_groups_of_its_answers() {
    let folder = Folder::new("groups-questions");
    for protocol in [
        "kind = \"threshold\"",
        "kind = \"rheobase\"",
        "kind = \"cv\"",
        "kind = \"response\"\namplitude_mA = [0.05, 1]",
        "kind = \"current-distance\"\n[field]\ndistance_um = [300, 500]",
        "kind = \"strength-duration\"",
    ] {
        let field = match protocol {
            with if with.contains("[field]") || with.contains("cv") => "",
            _ => "[field]\ndistance_um = 300\n",
        };
        let study = format!(
            "[[fibers]]\nname = \"thick\"\ndiameter_um = 10\nnodes = 21\n[[fibers]]\nname = \"thin\"\n\
             model = \"mrg-interpolation\"\ndiameter_um = 3\nnodes = 21\n{field}[protocol]\n{protocol}\n"
        );
        folder.write("study.toml", &study);
        folder.axonml("study study.toml -o answer.csv").done();
        let rows = folder.rows("answer.csv");
        for group in ["thick", "thin"] {
            assert!(rows.iter().any(|row| row["group"] == group), "{study}");
        }
    }
}
