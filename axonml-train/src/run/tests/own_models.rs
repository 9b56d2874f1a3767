//! Trainings of fibers of one's own, towards fibers of one's own.

use super::*;

const SQUID: &str = include_str!("../../../../examples/fibers/hodgkin_huxley.toml");

/// Short squid axons near an electrode; the model is to be named.
const SQUIDS: &str = "\
seed = 5
count = 8
nodes = 21
tstop_ms = 1.5
diameter_um = { low = 0.5, high = 2 }
[[fields]]
kind = \"point\"
distance_um = { low = 60, high = 200, spacing = \"log\" }
[[pulses]]
shape = \"monophasic\"
polarity = \"cathodic\"
amplitude_ma = { low = 0.05, high = 0.5 }
pw = { low = 0.05, high = 0.2 }
";

const SQUID_CONFIG: &str = "\
save_dir = \"out\"
save_every = 100
postfix = [\"gl\"]
to_train = [\"gna\", \"gk\"]
set = { gna = 0.1 }
train = { recipe = \"recipe.toml\" }
[valid]
every = 2
traces = { recipe = \"recipe.toml\", seed = 6, count = 2 }
thresholds = { recipe = \"recipe.toml\", seed = 7, count = 2, detect_nodes = [1, -2] }
[[stage]]
kind = \"trajectory\"
epochs = 2
batch = 4
learning_rate = 0.02
warmup = 1
loss = { weights = { v = 1, n = 2 } }
";

/// A folder with a fiber file, and a recipe of this exact model.
fn squids(name: &str, exact: &str) -> PathBuf {
    let path = folder(name);
    std::fs::create_dir(path.join("fibers")).unwrap();
    std::fs::write(path.join("fibers/squid.toml"), SQUID).unwrap();
    std::fs::write(
        path.join("recipe.toml"),
        format!("model = \"{exact}\"\n{SQUIDS}"),
    )
    .unwrap();
    path
}

fn open_squids(folder: &Path, settings: &[&str], resume: bool) -> Result<Training, TrainError> {
    open_config(SQUID_CONFIG, folder, settings, resume)
}

fn weights(folder: &Path) -> ModelFile {
    let bytes = std::fs::read(folder.join("out").join(Training::LAST)).unwrap();
    ModelFile::from_bytes(&bytes).unwrap()
}

/// Everything that a log says of a training, whatever the model is called.
fn log(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("out").join(Training::LOG)).unwrap()
}

/// The bundled `hh` and a fiber file of it have the same equations: as trainee, as target or as both they give the
/// same numbers, to the bit.
#[test]
fn a_bundled_model_and_its_fiber_file_train_to_the_same_numbers() {
    let trained = |name: &str, trainee: &str, exact: &str| {
        let path = squids(name, exact);
        let model = format!("model={trainee}");
        let mut training = open_squids(&path, &[&model], false).unwrap();
        assert_eq!(training.run(&mut StopAt(0, 99)).unwrap(), Ending::Finished);
        drop(training);
        let (file, log) = (weights(&path), log(&path));
        std::fs::remove_dir_all(path).unwrap();
        (file, log)
    };
    let own = "fibers/squid.toml";
    let (bundled, expected) = trained("both-bundled", "hh", "hh");
    assert!(bundled.parameters["gna"] != 0.1 && bundled.parameters["gk"] != 0.036);
    for (name, trainee, exact) in [
        ("own-trainee", own, "hh"),
        ("own-target", "hh", own),
        ("both-own", own, own),
    ] {
        let (file, log) = trained(name, trainee, exact);
        assert_eq!(file.parameters, bundled.parameters, "{name}");
        assert_eq!(log, expected, "{name}");
        let is_own = trainee == own;
        assert_eq!(file.model, if is_own { "my-squid" } else { "hh" });
        // Whoever has the weights has the fiber, too.
        let text = file.provenance.get("fiber_file");
        assert_eq!(
            text.map(
                |text| axonml_models::description::FiberDescription::from_toml(text)
                    .unwrap()
                    .id
            ),
            is_own.then(|| "my-squid".to_owned())
        );
    }
}

/// The stage of thresholds simulates the exact fiber in more places: stimulated, and at rest.
#[test]
fn thresholds_of_a_fiber_of_ones_own_are_fitted() {
    let fitted = |name: &str, exact: &str| {
        let path = squids(name, exact);
        let long =
            format!("model = \"{exact}\"\n{SQUIDS}").replace("tstop_ms = 1.5", "tstop_ms = 6");
        std::fs::write(path.join("long.toml"), long).unwrap();
        let stage = "stage=[{kind=\"thresholds\",recipe=\"long.toml\",cases=4,iterations=1}]";
        let settings = ["model=fibers/squid.toml", stage, "train.count=4"];
        let mut training = open_squids(&path, &settings, false).unwrap();
        training.run(&mut StopAt(0, 99)).unwrap();
        drop(training);
        let file = weights(&path);
        std::fs::remove_dir_all(path).unwrap();
        file.parameters
    };
    let own = fitted("fit-own", "fibers/squid.toml");
    assert_ne!(own["gna"], 0.1);
    assert_eq!(own, fitted("fit-bundled", "hh"));
}

/// A checkpoint holds the descriptions of both models: it resumes to the same bytes, and where a file has another by
/// then it does not.
#[test]
fn a_training_resumes_with_the_fibers_that_it_was_begun_with() {
    let own = ["model=fibers/squid.toml", "save_every=1"];
    let whole = squids("own-whole", "fibers/squid.toml");
    open_squids(&whole, &own, false)
        .unwrap()
        .run(&mut StopAt(0, 99))
        .unwrap();
    let broken = squids("own-broken", "fibers/squid.toml");
    for (stop, resume) in [(1, false), (3, true), (99, true)] {
        let mut training = open_squids(&broken, &own, resume).unwrap();
        let done = training.step();
        training.run(&mut StopAt(done, stop)).unwrap();
    }
    for name in [Training::LOG, Training::LAST, Training::CHECKPOINT] {
        let file = |folder: &Path| std::fs::read(folder.join("out").join(name)).unwrap();
        assert!(file(&broken) == file(&whole), "{name}");
    }

    let refused = |settings: &[&str]| {
        open_squids(&broken, settings, true)
            .err()
            .unwrap()
            .to_string()
    };
    // Comments and layout are not the fiber.
    let path = broken.join("fibers/squid.toml");
    let reworded = format!(
        "# The same.\n{}",
        SQUID.replace("gna*m^3*h", "gna * m^3 * h")
    );
    std::fs::write(&path, reworded).unwrap();
    assert_eq!(open_squids(&broken, &own, true).unwrap().step(), 4);
    std::fs::write(&path, SQUID.replace("value = 0.036", "value = 0.037")).unwrap();
    let error = refused(&own);
    assert!(
        error.contains("begun with model.param.gk.value = 0.036, but 0.037 is requested"),
        "{error}"
    );
    // The trainee as it was, the exact fiber changed.
    std::fs::write(broken.join("fibers/same.toml"), SQUID).unwrap();
    let error = refused(&["model=fibers/same.toml"]);
    assert!(
        error.contains("begun with train.recipe.model.param.gk.value = 0.036, but 0.037"),
        "{error}"
    );
    std::fs::write(&path, SQUID.replace("gk*n^4", "gk*n^3")).unwrap();
    let error = refused(&["model=fibers/same.toml"]);
    assert!(
        error.contains("train.recipe.model.current[1].g = \"gk*n^4\""),
        "{error}"
    );
    for path in [whole, broken] {
        std::fs::remove_dir_all(path).unwrap();
    }
}

#[test]
fn wrong_fibers_are_answered_before_anything_is_written() {
    let path = squids("own-wrong", "hh");
    let file = |name: &str, text: &str| std::fs::write(path.join(name), text).unwrap();
    file("taken.toml", &SQUID.replace("my-squid", "hh"));
    file("broken.toml", &SQUID.replace("gk*n^4", "gk*k^4"));
    file(
        "coarse.toml",
        &SQUID.replace("delta_z_um = 8.333", "delta_z_um = 25"),
    );
    file(
        "still.toml",
        &SQUID
            .replace("[param]", "[param]\nshare = { value = 0 }")
            .replace("\"gk*n^4\"", "\"gk*n^4*(1 + share)\""),
    );
    file(
        "mrg.toml",
        include_str!("../../../../examples/fibers/mrg_node.toml"),
    );
    file(
        "recipe-mrg.toml",
        &SQUIDS.replace("low = 0.5, high = 2 }", "low = 5.7, high = 14 }"),
    );
    file(
        "recipe-broken.toml",
        &format!("model = \"broken.toml\"\n{SQUIDS}"),
    );
    for (settings, parts) in [
        (
            "model=absent.toml",
            [
                "model: cannot read",
                "name a bundled model, or an existing fiber file",
            ],
        ),
        (
            "model=taken.toml",
            ["taken.toml: line 4", "an id that no bundled model has"],
        ),
        (
            "model=broken.toml",
            ["broken.toml: line 37, column 5", "found `k`"],
        ),
        (
            "model=fibers/squid.toml;to_train=[]",
            [
                "no parameter of model `my-squid` is left to train",
                "in the fiber file",
            ],
        ),
        (
            "model=coarse.toml",
            ["nodes are 25 um apart", "expected 8.333 um"],
        ),
        (
            "model=still.toml;to_train=[\"all\"]",
            ["share starts from 0", "{ shift = SIZE }"],
        ),
        (
            "model=mrg.toml;set={};postfix=[];train.recipe=recipe-mrg.toml;stage.0.loss={weights={v=1}}",
            ["my-mrg, which needs the field at", "a surrogate"],
        ),
        (
            "model=fibers/squid.toml;train.recipe=recipe-broken.toml",
            ["train: model of the recipe", "broken.toml: line 37"],
        ),
        (
            "model=squid",
            ["unknown model `squid`", "named by its file, FILE.toml"],
        ),
    ] {
        let settings: Vec<&str> = settings.split(';').collect();
        let error = open_squids(&path, &settings, false)
            .err()
            .unwrap()
            .to_string();
        for part in parts {
            assert!(error.contains(part), "{settings:?}: {error}");
        }
        assert!(!path.join("out").exists(), "{settings:?}");
    }
    std::fs::remove_dir_all(path).unwrap();
}

/// Those that the file has a `train` for are trained, and potentials are shifted whether it has or not.
#[test]
fn a_fiber_file_says_what_is_trained() {
    let path = squids("own-train", "hh");
    let text = SQUID
        .replace(
            "value = 0.12, unit = \"S/cm2\"",
            "value = 0.12, unit = \"S/cm2\", train = \"factor\"",
        )
        .replace(
            "value = 1, unit = \"uF/cm2\"",
            "value = 1, unit = \"uF/cm2\", train = { shift = 0.5 }",
        );
    std::fs::write(path.join("fibers/squid.toml"), text).unwrap();
    let model = "model=fibers/squid.toml";
    let training = open_squids(&path, &[model, "to_train=[]", "save_dir=declared"], false).unwrap();
    let surrogate = training.surrogate();
    assert_eq!(surrogate.names(), ["cm", "gna"]);
    let value = |surrogate: &Surrogate, name: &str, x: &[f64]| {
        surrogate.values(x)[surrogate.position(name).unwrap()]
    };
    assert_eq!(value(surrogate, "cm", &[1.0, 0.0]), 1.5);
    // No step makes a capacitance negative.
    assert!(value(surrogate, "cm", &[-3.0, 0.0]) > 0.0);
    let all = open_squids(&path, &[model, "to_train=[\"all\"]", "save_dir=all"], false).unwrap();
    let surrogate = all.surrogate();
    let x: Vec<f64> = surrogate
        .names()
        .iter()
        .map(|name| f64::from(u8::from(*name == "ena")))
        .collect();
    assert_eq!(surrogate.len(), 8);
    assert_eq!(value(surrogate, "ena", &x), 60.0);
    let group = open_squids(
        &path,
        &[model, "to_train=[\"conductance\"]", "save_dir=group"],
        false,
    )
    .unwrap();
    assert_eq!(group.surrogate().names(), ["gk", "gl", "gna"]);
    std::fs::remove_dir_all(path).unwrap();
}
