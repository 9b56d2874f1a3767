use std::path::{Path, PathBuf};

use axonml_files::Memory;
use axonml_models::Device;
use axonml_models::weights::ModelFile;

use super::*;
use crate::config::Config;

mod own_models;

const RECIPE: &str = "\
seed = 5
count = 12
nodes = 11
tstop_ms = 0.6
offset_spacings = { low = -0.5, high = 0.5 }
[[fields]]
kind = \"point\"
distance_um = { low = 400, high = 1500, spacing = \"log\" }
[[pulses]]
shape = \"monophasic\"
polarity = \"cathodic\"
amplitude_ma = { low = 0.05, high = 0.5 }
pw = { low = 0.05, high = 0.2 }
";

const CONFIG: &str = "\
seed = 3
save_dir = \"out\"
save_every = 100
postfix = [\"gl\"]
set = { gl = 0.08, el = -60 }
train = { recipe = \"recipe.toml\" }
[valid]
every = 2
traces = { recipe = \"recipe.toml\", seed = 6, count = 4 }
thresholds = { recipe = \"recipe.toml\", seed = 7, count = 4, detect_nodes = [1, -2] }
[[stage]]
kind = \"trajectory\"
batch = 5
learning_rate = 0.02
warmup = 1
[[stage]]
kind = \"trajectory\"
epochs = 2
batch = 5
truncation = 40
accumulate = 1
loss = { weights = { v = 1, m = 2 } }
";

fn folder(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("axonml-run-{}-{name}", std::process::id()));
    _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap();
    std::fs::write(path.join("recipe.toml"), RECIPE).unwrap();
    path
}

fn open(folder: &Path, settings: &[&str], resume: bool) -> Result<Training, TrainError> {
    open_config(CONFIG, folder, settings, resume)
}

fn open_config(
    config: &str,
    folder: &Path,
    settings: &[&str],
    resume: bool,
) -> Result<Training, TrainError> {
    let settings: Vec<String> = settings.iter().map(|s| (*s).to_owned()).collect();
    let config = Config::from_toml(config, &settings).unwrap();
    Training::open(
        &config,
        folder,
        &Device::cpu().unwrap(),
        &Memory::available(),
        resume,
    )
}

/// Stops before step `at`.
struct StopAt(usize, usize);

impl Watch for StopAt {
    fn stepped(&mut self, progress: &Progress<'_>) {
        self.0 = progress.step;
        assert!(progress.report.loss.is_finite());
        assert_eq!(progress.postfix[0].0, "gl");
    }

    fn stop(&self) -> bool {
        self.0 == self.1
    }
}

fn refused(folder: &Path, settings: &[&str], resume: bool) -> String {
    open(folder, settings, resume).err().unwrap().to_string()
}

/// Stopped at any step, in any stage, and gone on with: the same weights, log and best weights, byte for byte.
#[test]
fn an_interrupted_training_is_the_unbroken_one() {
    let whole = folder("whole");
    let mut training = open(&whole, &[], false).unwrap();
    assert_eq!(training.steps(), 9);
    assert_eq!(training.run(&mut StopAt(0, 99)).unwrap(), Ending::Finished);
    assert_eq!(training.step(), 9);
    let best = training.best().unwrap().clone();
    drop(training);
    let file = |folder: &Path, name: &str| std::fs::read(folder.join("out").join(name)).unwrap();
    let log = String::from_utf8(file(&whole, Training::LOG)).unwrap();
    assert_eq!(log.lines().count(), 10, "{log}");
    assert!(log.starts_with(
        "step,stage,kind,loss,epoch,gradient_norm,learning_rate,left_out,valid_loss,valid_left_out,valid_mape_pct,\
         valid_worst_pct,valid_missed,gl\n1,0,trajectory,"
    ), "{log}");

    let broken = folder("broken");
    for (stop, resume) in [(1, false), (2, true), (3, true), (5, true), (99, true)] {
        let mut training = open(&broken, &[], resume).unwrap();
        let done = training.step();
        training.run(&mut StopAt(done, stop)).unwrap();
        drop(training);
        if stop == 5 {
            // Rows that no checkpoint knows of, as a kill leaves them.
            let path = broken.join("out").join(Training::LOG);
            let mut text = std::fs::read_to_string(&path).unwrap();
            text.push_str("6,1,traj");
            std::fs::write(path, text).unwrap();
        }
    }
    for name in [
        Training::LOG,
        Training::LAST,
        Training::BEST,
        Training::CHECKPOINT,
    ] {
        assert!(file(&broken, name) == file(&whole, name), "{name}");
    }

    // The weights record their provenance and domain.
    let weights = ModelFile::from_bytes(&file(&whole, Training::BEST)).unwrap();
    assert_eq!(weights.domain.diameter_um, Some((5.7, 14.0)));
    assert_eq!(weights.domain.dt_ms, Some(0.005));
    assert_eq!(weights.domain.source_distance_um, Some(400.0));
    let (least, greatest) = weights.domain.pulse_width_ms.unwrap();
    assert!(
        least >= 0.0499 && greatest < 0.2001 && greatest > 2.0 * least,
        "{least} {greatest}"
    );
    assert_eq!(weights.provenance["step"], best.step.to_string());
    assert!(weights.provenance["settings"].contains("train.recipe.seed = 5"));
    assert_eq!(weights.sampling, "hold");

    // A finished training has nothing left to do; another request is refused by the name of the setting that differs.
    let mut finished = open(&whole, &["save_every=1"], true).unwrap();
    assert_eq!(finished.run(&mut StopAt(0, 99)).unwrap(), Ending::Finished);
    drop(finished);
    assert!(file(&broken, Training::LAST) == file(&whole, Training::LAST));
    let error = refused(&whole, &["stage.1.epochs=3"], true);
    assert!(
        error.contains("stage[1].epochs = 2, but 3 is requested"),
        "{error}"
    );
    assert!(refused(&whole, &[], false).contains("holds a training already"));
    std::fs::write(whole.join("recipe.toml"), RECIPE.replace("1500", "1400")).unwrap();
    let error = refused(&whole, &[], true);
    assert!(
        error.contains("train.recipe.fields[0].distance_um.high = 1500"),
        "{error}"
    );
    for folder in [whole, broken] {
        std::fs::remove_dir_all(folder).unwrap();
    }
}

/// Without improvement a stage ends, and the next one begins with the best weights.
#[test]
fn stages_end_early_and_restore_the_best() {
    let path = folder("early");
    let settings = [
        "valid.patience=2",
        "valid.every=1",
        "valid.restore_best=true",
        "valid.score=loss",
        // Nothing counts as an improvement after the first validation.
        "valid.least_improvement=0.999",
    ];
    let mut training = open(&path, &settings, false).unwrap();
    assert_eq!(training.run(&mut StopAt(0, 99)).unwrap(), Ending::Finished);
    // One validation improves on nothing, two do not; the second stage waits for two of its own.
    assert_eq!(training.step(), 5);
    assert_eq!(training.best().unwrap().step, 1);
    assert_eq!(training.x(), training.best().unwrap().x);
    drop(training);
    let out = path.join("out");
    let values = |name: &str| {
        ModelFile::from_bytes(&std::fs::read(out.join(name)).unwrap())
            .unwrap()
            .parameters
    };
    assert_eq!(values(Training::LAST), values(Training::BEST));
    std::fs::remove_dir_all(path).unwrap();
}

#[test]
fn wrong_requests_are_answered_before_anything_is_written() {
    let path = folder("wrong");
    for (setting, part) in [
        (
            "valid.traces.seed=5",
            "valid.traces.seed: found 5, the seed of the training set",
        ),
        (
            "to_train=[\"conductanse\"]",
            "to_train: model `smf` has no parameter or group `conductanse` (did you mean",
        ),
        ("postfix=[\"gnabr\"]", "did you mean `gnabar`?"),
        ("model=snf", "smf"),
        (
            "model=mrg;set={};postfix=[];to_train=[\"all\"]",
            "needs the field at",
        ),
        ("start=none.safetensors", "cannot read"),
        ("stage.1.loss.weights.q=1", "no state `q`"),
        ("train.recipe=other.toml", "other.toml"),
        (
            "stage.1.truncation=7;train.every=2",
            "stage[1].truncation: found 7, expected a multiple of 2",
        ),
    ] {
        let settings: Vec<&str> = setting.split(';').collect();
        let error = refused(&path, &settings, false);
        assert!(error.contains(part), "{setting}: {error}");
        assert!(!path.join("out").exists(), "{setting}");
    }
    std::fs::remove_dir_all(path).unwrap();
}

/// A failed write is an error, and the previous checkpoint is still valid.
#[test]
fn a_disk_that_refuses_costs_nothing() {
    let path = folder("disk");
    let mut training = open(&path, &["save_every=2"], false).unwrap();
    training.run(&mut StopAt(0, 2)).unwrap();
    let readonly = |readonly: bool| {
        let file = path.join("out/checkpoint.bin");
        let mut permissions = std::fs::metadata(&file).unwrap().permissions();
        permissions.set_readonly(readonly);
        std::fs::set_permissions(file, permissions).unwrap();
    };
    readonly(true);
    let error = training.run(&mut StopAt(2, 99)).unwrap_err();
    assert!(
        error.is_failure() && error.to_string().contains("checkpoint.bin"),
        "{error}"
    );
    drop(training);
    readonly(false);
    assert_eq!(open(&path, &[], true).unwrap().step(), 2);
    std::fs::remove_dir_all(path).unwrap();
}

/// Two trainings in one folder: the second one is refused at once, whatever its request, and changes nothing.
#[test]
fn only_one_trains_in_a_folder() {
    let path = folder("locked");
    let mut first = open(&path, &["save_every=1"], false).unwrap();
    for resume in [false, true] {
        let error = refused(&path, &[], resume);
        assert!(
            error.starts_with("save_dir: ") && error.contains("being written by another process"),
            "{error}"
        );
    }
    first.run(&mut StopAt(0, 2)).unwrap();
    drop(first);
    assert!(path.join("out/.lock").exists());
    assert_eq!(open(&path, &[], true).unwrap().step(), 2);
    std::fs::remove_dir_all(path).unwrap();
}
