//! Studies of fibers of one's own: carried in the study, or named by file.

use std::path::PathBuf;

use axonml::Device;
use axonml::study::{Execution, Listener, Machine, Plan, Results, Silent, Study, StudyError};

const SQUID: &str = include_str!("../../../examples/fibers/hodgkin_huxley.toml");

/// A study of thresholds near a point source; `tables` come first.
fn study(tables: &str, fibers: &str) -> Study {
    Study::from_toml(&format!(
        "[fibers]\n{fibers}\ndiameter_um = [1.0, 2.0]\nnodes = 41\n[field]\ndistance_um = 100\n[protocol]\nkind = \
         \"threshold\"\n[detection]\nnodes = [30]\n[numerics]\ntstop_ms = 3\n{tables}"
    ))
    .unwrap()
}

fn results(study: &Study) -> Result<Results, StudyError> {
    let machine = Machine::new(Device::cpu().unwrap());
    let plan = Plan::new(study, &machine, &mut Silent)?;
    let outcome = plan.run(&Execution::default(), &mut Silent)?;
    plan.results(&outcome)
}

/// A file of this text in a folder of the test's own.
fn file(test: &str, name: &str, text: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("axonml-own-{test}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn named(path: &std::path::Path) -> String {
    format!("model = '{}'", path.display())
}

/// `[[model]]` with everything in it one level down.
fn carried(text: &str) -> String {
    let text = text
        .replace("[[", "[[model.")
        .replace("\n[param]", "\n[model.param]");
    format!("[[model]]\n{text}")
}

#[test]
fn a_file_a_table_and_the_bundled_twin_give_the_same_thresholds() {
    let path = file("same", "squid.toml", SQUID);
    let thresholds = |study: &Study| results(study).unwrap().table.numbers("threshold_mA");
    let expected = thresholds(&study("", "model = \"hh\""));
    assert!(expected.iter().all(Option::is_some), "{expected:?}");
    let by_file = study("", &named(&path));
    assert_eq!(thresholds(&by_file), expected);
    let by_table = study(&carried(SQUID), "model = \"my-squid\"");
    assert_eq!(thresholds(&by_table), expected);

    // The request carries the model: it is repeated without the file.
    let found = results(&by_file).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert!(
        results(&by_file)
            .unwrap_err()
            .to_string()
            .contains("cannot read")
    );
    let again: Study = serde_json::from_value(found.request["study"].clone()).unwrap();
    assert_eq!(again.fibers[0].model.as_deref(), Some("my-squid"));
    assert_eq!(thresholds(&again), expected);
    assert_eq!(Study::from_toml(&again.to_toml().unwrap()).unwrap(), again);
    let hashes = found.request["model_hash"].to_string();
    assert!(hashes.contains("sha256"), "{}", found.request);
}

#[test]
fn tables_of_conditions_know_the_models_of_their_study() {
    let rows =
        "model,diameter_um,n_nodes,distance_um,tstop_ms\nmy-squid,1,41,100,3\nhh,1,41,100,3\n";
    let table = file("conditions", "rows.csv", rows);
    let text = |models: &str| {
        format!(
            "[conditions]\nfile = '{}'\n[detection]\nnodes = [30]\n[protocol]\nkind = \"threshold\"\n{models}",
            table.display()
        )
    };
    let found = results(&Study::from_toml(&text(&carried(SQUID))).unwrap()).unwrap();
    let thresholds = found.table.numbers("threshold_mA");
    assert!(
        thresholds[0].is_some() && thresholds[0] == thresholds[1],
        "{thresholds:?}"
    );
    let error = results(&Study::from_toml(&text("")).unwrap())
        .unwrap_err()
        .to_string();
    assert!(error.contains("my-squid"), "{error}");
}

#[test]
fn what_is_wrong_with_own_models_is_said() {
    let wrong = file("wrong", "wrong.toml", &SQUID.replace("gk*n^4", "gk*k^4"));
    let other = file("wrong", "other.toml", &SQUID.replace("0.12", "0.13"));
    let cases = [
        (
            study("", &named(&wrong)),
            ["wrong.toml", "line 37, column 5: current 2, g: found `k`"],
        ),
        (
            study("", "model = 'absent.toml'"),
            ["absent.toml", "bundled model, or an existing fiber file"],
        ),
        (
            study("", "model = 'my-squid'"),
            ["unknown model `my-squid`", "valid"],
        ),
        (
            study(&carried(SQUID), &named(&other)),
            ["other.toml", "give one of them another id"],
        ),
        (
            study(&carried(SQUID), "model = 'hh'"),
            ["my-squid", "no fibers"],
        ),
    ];
    for (study, words) in cases {
        let error = results(&study).unwrap_err();
        let text = format!("{error} {:?}", error);
        assert!(
            words.iter().all(|word| text.contains(word)),
            "{words:?}: {text}"
        );
    }
    let twice = format!("{}\n{}", carried(SQUID), carried(SQUID));
    let error = results(&study(&twice, "model = 'my-squid'"))
        .unwrap_err()
        .to_string();
    assert!(error.contains("an id that no other model has"), "{error}");
    let text = format!("{}\n", carried(&SQUID.replace("gk*n^4", "gk*n^")));
    let error = Study::from_toml(&text).unwrap_err().to_string();
    assert!(error.contains("current 2, g at character 6"), "{error}");
}

/// The listener hears nothing of models that are used.
#[test]
fn own_models_are_planned_in_silence() {
    struct Nothing;
    impl Listener for Nothing {
        fn note(&mut self, text: String) {
            panic!("{text}")
        }
    }
    let machine = Machine::new(Device::cpu().unwrap());
    let study = study(&carried(SQUID), "model = \"My_Squid\"");
    let plan = Plan::new(&study, &machine, &mut Nothing).unwrap();
    assert_eq!(plan.cases.len(), 2);
}
