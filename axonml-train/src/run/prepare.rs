//! From a configuration to a training.

use std::path::Path;

use axonml_files::{FolderLock, LockError, Memory};
use axonml_models::Device;
use axonml_models::weights::{ModelFile, bundled};
use sha2::{Digest, Sha256};

use super::log::Log;
use super::sets::{NamedRecipe, Set, first_fiber, phases_ms, refuse_same};
use super::stage::{Stage, ThresholdRun, TrajectoryRun};
use super::validation::{ThresholdCheck, Validation};
use super::weights::Origin;
use super::{Saved, Training, columns, settings};
use crate::checkpoint;
use crate::config::{Config, StageConfig};
use crate::dataset::Source;
use crate::dataset::file_record::hex;
use crate::trajectory::{TrajectoryFit, TrajectoryLoss, check_samples};
use crate::{Surrogate, SurrogateError, TrainError};

/// The value of `start` for the constants that a model itself declares.
const PUBLISHED: &str = "published";

impl Training {
    /// Reads and checks all that a configuration names, the fiber file of its model included; relative paths start from `base`, batches must fit into
    /// `memory`. With `resume` it resumes from the checkpoint of the folder, or begins if there is none yet.
    ///
    /// # Errors
    /// [`TrainError::Exists`] if a training is there already and `resume` was not requested;
    /// [`TrainError::Checkpoint`] for a damaged checkpoint, and for one of other settings; [`TrainError`] that names
    /// the setting or file that is wrong; [`TrainError::Set`] at once if another process trains in the folder. The
    /// content of the folder is left as it was.
    pub fn open(
        config: &Config,
        base: &Path,
        device: &Device,
        memory: &Memory,
        resume: bool,
    ) -> Result<Self, TrainError> {
        config.check()?;
        let config = &config.with_model_read(base)?;
        let folder = base.join(&config.save_dir);
        // An existing folder is locked before any decision, a missing one after all checks have passed.
        let early = folder.is_dir().then(|| lock(&folder)).transpose()?;
        let found = match early {
            Some(_) => standing(&folder, resume)?,
            None => None,
        };
        let (surrogate, start_sha256) = surrogate(config, base)?;
        let position = |name: &String| match surrogate.position(name) {
            Ok(at) => Ok((name.clone(), at)),
            Err(source) => Err(wrong("postfix")(source)),
        };
        let postfix = config
            .postfix
            .iter()
            .map(position)
            .collect::<Result<Vec<_>, _>>()?;

        let train = Set::read(config, base, &config.train, "train")?;
        check_memory(config, &train, memory)?;
        let (stages, source, fit_recipes) = stages(config, base, &train, device)?;
        let recipe = train.recipe(&source).cloned();
        let (diameter_um, node_z_um) =
            first_fiber(&source, device).map_err(TrainError::set("train"))?;
        check_samples(&surrogate, diameter_um, &node_z_um, device)?;

        let precision = config.precision.into();
        let mut validation = None;
        let mut valid = None;
        let mut threshold_recipe = None;
        if let Some(settings) = &config.valid {
            let mut traces = None;
            if let Some(set) = &settings.traces {
                let place = "valid.traces";
                let loss = config.valid_loss();
                let states = loss.states();
                let set_read = Set::read(config, base, set, place)?;
                let open = || set_read.open(config, &states, device, place);
                let opened = open()?;
                let valid_recipe = set_read.recipe(&opened);
                refuse_same(&train, recipe.as_ref(), &set_read, valid_recipe, place)?;
                let count = set.count.unwrap_or(usize::MAX);
                let batch = settings.batch;
                let of_traces =
                    TrajectoryLoss::new(&loss, open()?, count, batch, precision, device)?;
                traces = Some(of_traces);
                valid = Some((set_read, opened));
            }
            let mut thresholds = None;
            if let Some(set) = &settings.thresholds {
                let place = "valid.thresholds";
                let mut named = NamedRecipe::read(config, base, &set.recipe, place)?;
                named.recipe.seed = set.seed.unwrap_or(named.recipe.seed);
                named.recipe.count = set.count;
                let as_set = Set::Recipe(named.clone(), 1);
                refuse_same(&train, recipe.as_ref(), &as_set, Some(&named.recipe), place)?;
                let cases = named.cases(place)?;
                thresholds = Some(ThresholdCheck::new(
                    set, &cases, &surrogate, precision, device,
                )?);
                threshold_recipe = Some(named);
            }
            let score = settings.score();
            let of = Validation {
                traces,
                thresholds,
                score,
            };
            validation = Some((of, settings.clone()));
        }

        let mut sets = vec![("train", &train, &source)];
        sets.extend(
            valid
                .iter()
                .map(|(set, source)| ("valid.traces", set, source)),
        );
        let requested = settings::list(
            config,
            &sets,
            threshold_recipe.as_ref(),
            &fit_recipes,
            start_sha256.as_deref(),
        )?;
        let widths = phases_ms(&source).map_err(TrainError::set("train"))?;
        let backend = device.name();
        let origin = Origin::new(
            &surrogate,
            config.model.description(),
            &requested,
            recipe.as_ref(),
            source.dt_ms(),
            widths,
            &backend,
        )?;
        let mut figures: Vec<&'static str> = Vec::new();
        for figure in stages.iter().flat_map(|stage| stage.figures()) {
            if !figures.contains(figure) {
                figures.push(figure);
            }
        }
        let all_columns = columns(&figures, validation.as_ref().map(|(of, _)| of), &postfix);

        let (lock, found) = match early {
            Some(lock) => (lock, found),
            None => {
                let lock = lock(&folder)?;
                // Another process may have been here since.
                (lock, standing(&folder, resume)?)
            }
        };
        let mut notes = Vec::new();
        if let Some(found) = &found {
            let path = folder.join(Self::CHECKPOINT);
            checkpoint::refuse_other(&path, &found.settings, &requested, &settings::FREE)?;
            if found.backend != backend {
                notes.push(format!(
                    "the checkpoint was written on {}; on {backend} the last bits of the numbers may differ",
                    found.backend
                ));
            }
        } else if resume {
            notes.push(format!(
                "`{}` has no checkpoint yet: the training begins",
                folder.display()
            ));
        }
        let log_path = folder.join(Self::LOG);
        let fresh = found.is_none();
        let (saved, log) = match found {
            Some(saved) => {
                let log = Log::resume(&log_path, saved.log_bytes)?;
                (saved, log)
            }
            None => {
                let saved = Saved {
                    settings: requested,
                    backend,
                    step: 0,
                    stage: 0,
                    stage_step: 0,
                    state: None,
                    x: vec![0.0; surrogate.len()],
                    best: None,
                    waited: 0,
                    log_bytes: 0,
                };
                (saved, Log::create(&log_path, &all_columns)?)
            }
        };
        let mut training = Training {
            surrogate,
            stages,
            validation,
            save_every: config.save_every,
            postfix,
            origin,
            figures,
            saved,
            log,
            folder,
            notes,
            _lock: lock,
        };
        if let (Some(state), Some(stage)) = (
            &training.saved.state,
            training.stages.get_mut(training.saved.stage),
        ) {
            stage.restore(state)?;
        }
        if fresh {
            training.save()?;
        }
        Ok(training)
    }
}

/// Refuses batches that memory has no room for: the traces to be learned from, those of the surrogate with their
/// cotangents, and the states kept for the gradient.
fn check_memory(config: &Config, train: &Set, memory: &Memory) -> Result<(), TrainError> {
    /// Numbers in double precision kept of each that is compared.
    const COPIES: u128 = 5;
    let [nodes, steps, every] = train.sizes().map_err(TrainError::set("train"))?;
    for (index, stage) in config.stage.iter().enumerate() {
        let StageConfig::Trajectory(stage) = stage else {
            continue;
        };
        let rows = steps / every + 1;
        let fibers = stage.batch.min(config.train.count.unwrap_or(usize::MAX));
        let sizes = [fibers, rows, nodes, stage.states().len() + 1];
        let numbers = sizes
            .iter()
            .fold(8_u128, |bytes, &n| bytes.saturating_mul(n as u128));
        memory.check(
            &format!("stage[{index}]: a batch of {fibers} fibers"),
            numbers.saturating_mul(COPIES),
        )?;
    }
    Ok(())
}

/// Keeps other processes out of the folder of a training, which is made if need be.
fn lock(folder: &Path) -> Result<FolderLock, TrainError> {
    FolderLock::take(folder).map_err(|error| match error {
        LockError::Io { path, source } => TrainError::Write { path, source },
        held => TrainError::Set {
            place: "save_dir".to_owned(),
            source: Box::new(held.into()),
        },
    })
}

/// The checkpoint of the training in a locked folder, if there is one, which only `resume` may continue.
fn standing(folder: &Path, resume: bool) -> Result<Option<Saved>, TrainError> {
    let path = folder.join(Training::CHECKPOINT);
    match path.exists() {
        false => Ok(None),
        true if resume => Ok(Some(checkpoint::load(&path)?)),
        true => Err(TrainError::Exists {
            folder: folder.display().to_string(),
        }),
    }
}

fn wrong(place: &str) -> impl FnOnce(SurrogateError) -> TrainError {
    let place = place.to_owned();
    move |source| TrainError::Surrogate {
        place,
        source: Box::new(source),
    }
}

/// The surrogate with its start and its selection, and the checksum of the weights that it starts from.
fn surrogate(config: &Config, base: &Path) -> Result<(Surrogate, Option<String>), TrainError> {
    let model = config.model.model()?;
    let start = config.start.as_str();
    let named = |source| TrainError::Weights {
        place: format!("start = \"{start}\""),
        source,
    };
    let is_path = start.contains(['/', '\\']) || start.ends_with(".safetensors");
    let bytes = match start {
        PUBLISHED => None,
        path if is_path => {
            let path = base.join(path);
            Some(std::fs::read(&path).map_err(TrainError::read(&path))?)
        }
        name => {
            let found = bundled(name).map_err(|error| named(error.into()))?;
            Some(found.bytes.to_vec())
        }
    };
    let sha256 = bytes.as_ref().map(|bytes| hex(&Sha256::digest(bytes)));
    let file = bytes.map(|bytes| ModelFile::from_bytes(&bytes)).transpose();
    let file = file.map_err(named)?;
    let mut surrogate = Surrogate::new(model, file.as_ref()).map_err(wrong("start"))?;
    for name in &config.reset {
        surrogate.reset(name).map_err(wrong("reset"))?;
    }
    for (name, value) in &config.set {
        surrogate.set(name, *value).map_err(wrong("set"))?;
    }
    if !config.to_train.is_empty() {
        surrogate
            .train_only(&config.to_train)
            .map_err(wrong("to_train"))?;
    }
    for name in &config.freeze {
        surrogate.freeze(name).map_err(wrong("freeze"))?;
    }
    if surrogate.is_empty() {
        let model = surrogate.schema().id.to_string();
        return Err(wrong("to_train")(SurrogateError::Nothing { model }));
    }
    surrogate.check_start().map_err(wrong("to_train"))?;
    Ok((surrogate, sha256))
}

/// The stages, and the training set for callers that report it.
#[allow(clippy::type_complexity)]
fn stages(
    config: &Config,
    base: &Path,
    train: &Set,
    device: &Device,
) -> Result<(Vec<Box<dyn Stage>>, Source, Vec<(String, NamedRecipe)>), TrainError> {
    let mut stages: Vec<Box<dyn Stage>> = Vec::new();
    let mut recipes = Vec::new();
    for (index, stage) in config.stage.iter().enumerate() {
        match stage {
            StageConfig::Trajectory(stage) => {
                let source = train.open(config, &stage.states(), device, "train")?;
                let count = config.train.count.unwrap_or(usize::MAX);
                // Every stage has an order of its own.
                let seed = config.seed ^ (index as u64) << 32;
                let precision = config.precision.into();
                let fit = TrajectoryFit::new(stage, source, count, seed, precision, device)
                    .map_err(|error| error.within(&format!("stage[{index}]")))?;
                stages.push(Box::new(TrajectoryRun::new(fit)));
            }
            StageConfig::Thresholds(stage) => {
                let place = format!("stage[{index}]");
                let mut named = match (&stage.recipe, train) {
                    (Some(path), _) => NamedRecipe::read(config, base, path, &place)?,
                    (None, Set::Recipe(named, _)) => named.clone(),
                    (None, Set::Folder(_)) => {
                        let expected = "a recipe file, as the training set has none";
                        return Err(TrainError::value(
                            format!("{place}.recipe"),
                            "nothing",
                            expected,
                        ));
                    }
                };
                named.recipe.seed = stage.seed.unwrap_or(named.recipe.seed);
                let cases = named.cases(&place)?;
                let precision = config.precision.into();
                let run = ThresholdRun::new(stage.clone(), cases, precision, device.clone());
                stages.push(Box::new(run));
                recipes.push((format!("{place}.recipe"), named));
            }
        }
    }
    let source = train.open(config, &["v".to_owned()], device, "train")?;
    Ok((stages, source, recipes))
}
