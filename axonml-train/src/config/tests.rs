use super::*;
use crate::trajectory::Schedule;

const TEXT: &str = "\
save_dir = \"out\"
seed = 7

[train]
recipe = \"r.toml\"

[[stage]]
kind = \"trajectory\"
batch = 8
loss = { penalty = \"squared\", weights = { v = 1, m = 10 } }
";

fn refused(text: &str) -> String {
    Config::from_toml(text, &[]).unwrap_err().to_string()
}

#[test]
fn what_is_left_out_has_its_default() {
    let config = Config::from_toml(TEXT, &[]).unwrap();
    config.check().unwrap();
    assert_eq!(
        (config.model.to_string(), config.seed, config.save_every),
        ("smf".to_owned(), 7, 20)
    );
    let [StageConfig::Trajectory(stage)] = &config.stage[..] else {
        panic!("{config:?}")
    };
    assert_eq!((stage.batch, stage.schedule), (8, Schedule::Cosine));
    assert_eq!(stage.states(), ["m", "v"]);
    let again = Config::from_toml(&toml::to_string(&config).unwrap(), &[]).unwrap();
    assert_eq!(again, config);
}

#[test]
fn slips_are_answered_with_place_and_nearest_key() {
    let error = refused(&TEXT.replace("seed", "sead"));
    assert!(
        error.starts_with("line 2, column 1: unknown key `sead` (did you mean `seed`?)"),
        "{error}"
    );
    let error = refused(&TEXT.replace("batch = 8", "  bacth = 8"));
    assert!(
        error.starts_with("line 9, column 3: unknown key `bacth` (did you mean `batch`?)"),
        "{error}"
    );
    let error = refused(&TEXT.replace("penalty", "penality"));
    assert!(
        error.contains("`penality` (did you mean `penalty`?)"),
        "{error}"
    );
    let error = refused(&TEXT.replace("recipe =", "receipe ="));
    assert!(
        error.starts_with("line 5, column 1: unknown key `receipe` (did you mean `recipe`?)"),
        "{error}"
    );
    let error = refused(&TEXT.replace("seed = 7", "seed = \"a\""));
    assert!(error.starts_with("line 2, column 8: "), "{error}");
    let error = refused(&TEXT.replace("trajectory", "trajektory"));
    assert!(
        error.contains("line ") && error.contains("`trajectory`"),
        "{error}"
    );
}

#[test]
fn settings_stand_above_the_file() {
    let set = |settings: &[&str]| {
        let settings: Vec<String> = settings.iter().map(|s| (*s).to_owned()).collect();
        Config::from_toml(TEXT, &settings)
    };
    let config = set(&[
        "stage.0.batch=4",
        "train.count = 16",
        "model=two-mode",
        "set.gl=0.1",
    ])
    .unwrap();
    let StageConfig::Trajectory(stage) = &config.stage[0] else {
        panic!("{:?}", config.stage)
    };
    assert_eq!((stage.batch, config.train.count), (4, Some(16)));
    assert_eq!((config.model, config.set["gl"]), ("two-mode".into(), 0.1));
    for (setting, part) in [
        ("seed", "key=value"),
        ("stage.batch=4", "stage.0"),
        ("stage.3.batch=4", "no such table"),
        ("seed.a=4", "no such table"),
        ("sede=4", "did you mean `seed`"),
    ] {
        let error = set(&[setting]).unwrap_err().to_string();
        assert!(error.contains(part), "{setting}: {error}");
    }
}

#[test]
fn values_that_make_no_sense_are_named() {
    for (setting, part) in [
        ("save_every=0", "save_every: found 0"),
        ("stage.0.batch=0", "stage[0].batch: found 0"),
        ("stage.0.beta2=1", "stage[0].beta2: found 1"),
        (
            "stage.0.learning_rate=-1",
            "stage[0].learning_rate: found -1",
        ),
        (
            "stage.0.learning_rate=nan",
            "stage[0].learning_rate: found NaN",
        ),
        (
            "stage.0.loss.weights.m=-1",
            "stage[0].loss.weights.m: found -1",
        ),
        ("stage.0.accumulate=2", "stage[0].accumulate: found 2"),
        (
            "train.folder=x",
            "train.recipe: found a recipe and a folder",
        ),
        ("valid.every=3", "valid.traces: found nothing"),
        ("stage=[]", "stage: found none"),
    ] {
        let config = Config::from_toml(TEXT, &[setting.to_owned()]).unwrap();
        let error = config.check().unwrap_err().to_string();
        assert!(error.starts_with(part), "{setting}: {error}");
    }
}
