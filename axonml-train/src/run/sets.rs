//! The sets that a configuration names.

use std::path::{Path, PathBuf};

use axonml_models::Device;

use crate::TrainError;
use crate::config::{Config, SetConfig};
use crate::dataset::{
    Cases, Dataset, DatasetError, FieldKind, FieldRecord, Manifest, Recipe, Recording, Source,
};

/// A recipe that was read, with the configuration's own numbers in it.
#[derive(Clone, Debug)]
pub(super) struct NamedRecipe {
    pub(super) recipe: Recipe,
    /// The folder that relative nerve folders start from.
    base: PathBuf,
}

impl NamedRecipe {
    /// Reads the file `path`, which lies in `folder` if it is relative, and the fiber file that it names beside it.
    pub(super) fn read(
        config: &Config,
        folder: &Path,
        path: &Path,
        place: &str,
    ) -> Result<Self, TrainError> {
        let path = folder.join(path);
        let text = std::fs::read_to_string(&path).map_err(TrainError::read(&path))?;
        let mut recipe = Recipe::from_toml(&text)
            .map_err(TrainError::set(&format!("{place}: {}", path.display())))?;
        let beside = path.parent().unwrap_or(Path::new("")).to_owned();
        recipe = recipe
            .with_model_read(&beside)
            .map_err(TrainError::set(place))?;
        recipe.nodes = config.nodes.unwrap_or(recipe.nodes);
        recipe.dt_ms = config.dt_ms.unwrap_or(recipe.dt_ms);
        let bases = [beside.clone(), PathBuf::new()];
        let base = bases.into_iter().find(|base| has_all(&recipe, base));
        Ok(NamedRecipe {
            recipe,
            base: base.unwrap_or(beside),
        })
    }

    pub(super) fn cases(&self, place: &str) -> Result<Cases, TrainError> {
        Cases::open(&self.recipe, &self.base).map_err(TrainError::set(place))
    }
}

fn has_all(recipe: &Recipe, base: &Path) -> bool {
    recipe.fields.iter().all(|field| match &field.kind {
        FieldKind::Nerve { folder, .. } => base.join(folder).is_dir(),
        FieldKind::Point { .. } => true,
    })
}

/// A set of the configuration: the source of its cases.
#[derive(Clone, Debug)]
pub(super) enum Set {
    Recipe(NamedRecipe, usize),
    Folder(PathBuf),
}

impl Set {
    /// Reads the source that `set` names.
    pub(super) fn read(
        config: &Config,
        folder: &Path,
        set: &SetConfig,
        place: &str,
    ) -> Result<Self, TrainError> {
        match (&set.recipe, &set.folder) {
            (Some(path), _) => {
                let mut named = NamedRecipe::read(config, folder, path, place)?;
                named.recipe.seed = set.seed.unwrap_or(named.recipe.seed);
                named.recipe.count = set.count.unwrap_or(named.recipe.count);
                Ok(Set::Recipe(named, set.every.unwrap_or(1)))
            }
            (None, Some(path)) => Ok(Set::Folder(folder.join(path))),
            (None, None) => Err(TrainError::value(place, "nothing", "a recipe or a folder")),
        }
    }

    /// The source of the cases with these states.
    pub(super) fn open(
        &self,
        config: &Config,
        states: &[String],
        device: &Device,
        place: &str,
    ) -> Result<Source, TrainError> {
        let set = TrainError::set;
        match self {
            Set::Recipe(named, every) => {
                let cases = named.cases(place)?;
                let recording = Recording {
                    every: *every,
                    states: states.to_vec(),
                };
                Ok(Source::Recipe {
                    recording: recording.resolve(&cases).map_err(set(place))?,
                    device: device.clone(),
                    cases,
                })
            }
            Set::Folder(path) => {
                let dataset = Dataset::open(path).map_err(set(place))?;
                for state in states {
                    dataset.state(state).map_err(set(place))?;
                }
                let request = dataset.request();
                let path = path.display();
                if let Some(nodes) = config.nodes.filter(|nodes| *nodes != request.nodes) {
                    let expected = format!("{}, as `{path}` has it", request.nodes);
                    return Err(TrainError::value("nodes", nodes, expected));
                }
                if let Some(dt_ms) = config.dt_ms.filter(|dt_ms| *dt_ms != request.dt_ms) {
                    let expected = format!("{}, as `{path}` has it", request.dt_ms);
                    return Err(TrainError::value("dt_ms", dt_ms, expected));
                }
                Ok(Source::Folder(dataset))
            }
        }
    }

    /// Nodes, steps, and steps between rows.
    pub(super) fn sizes(&self) -> Result<[usize; 3], DatasetError> {
        match self {
            Set::Recipe(named, every) => {
                let steps = named.recipe.grid()?.steps();
                Ok([named.recipe.nodes, steps, (*every).max(1)])
            }
            Set::Folder(path) => {
                let request = Manifest::read(path)?.request;
                Ok([request.nodes, request.steps, request.every])
            }
        }
    }

    /// The recipe of the set, if it is known.
    pub(super) fn recipe<'a>(&'a self, source: &'a Source) -> Option<&'a Recipe> {
        match (self, source) {
            (Set::Recipe(named, _), _) => Some(&named.recipe),
            (_, Source::Folder(set)) => set.request().recipe.as_ref(),
            _ => None,
        }
    }
}

/// Checksums of the fields of a source.
pub(super) fn fields(source: &Source) -> &[FieldRecord] {
    match source {
        Source::Recipe { cases, .. } => cases.field_records(),
        Source::Folder(set) => &set.request().fields,
    }
}

/// Refuses a validation set that holds cases of the training set.
pub(super) fn refuse_same(
    train: &Set,
    train_recipe: Option<&Recipe>,
    valid: &Set,
    valid_recipe: Option<&Recipe>,
    place: &str,
) -> Result<(), TrainError> {
    if let (Some(train), Some(valid)) = (train_recipe, valid_recipe)
        && train.seed == valid.seed
    {
        return Err(TrainError::value(
            format!("{place}.seed"),
            format!("{}, the seed of the training set", valid.seed),
            "another seed, so that validation does not use the training cases",
        ));
    }
    if let (Set::Folder(train), Set::Folder(valid)) = (train, valid)
        && same_file(train, valid)
    {
        return Err(TrainError::value(
            format!("{place}.folder"),
            format!("`{}`, the folder of the training set", valid.display()),
            "another folder, so that validation does not use the training cases",
        ));
    }
    Ok(())
}

fn same_file(a: &Path, b: &Path) -> bool {
    let canonical = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    canonical(a) == canonical(b)
}

/// Diameter of a source's first fiber, and where its nodes lie, um.
pub(super) fn first_fiber(
    source: &Source,
    device: &Device,
) -> Result<(f64, Vec<f64>), DatasetError> {
    match source {
        Source::Recipe { cases, .. } => {
            let case = cases.case(0)?;
            let diameter_um = case.diameter_um;
            let (exact, _) = cases.exact(&[case], device)?;
            Ok((diameter_um, exact.nodes_um(0)))
        }
        Source::Folder(set) => {
            let trace = set.fiber(0)?;
            Ok((trace.diameter_um, trace.node_z_um.to_vec()))
        }
    }
}

/// Diameters, phase widths and distances of the first cases of a source.
pub(super) fn phases_ms(source: &Source) -> Result<Option<(f64, f64)>, DatasetError> {
    /// Enough that the ends of the range are seen.
    const CASES: usize = 256;
    let mut widths = None;
    for index in 0..source.len().min(CASES) {
        let mut add = |samples: &[f64]| {
            let found = axonml_models::weights::phase_widths_ms(samples, source.dt_ms());
            for width in found
                .into_iter()
                .flat_map(|(least, greatest)| [least, greatest])
            {
                axonml_models::weights::Usage::widen(&mut widths, width);
            }
        };
        match source {
            Source::Recipe { cases, .. } => {
                for steps_ma in cases.case(index)?.waveforms_ma.rows() {
                    add(&steps_ma.to_vec());
                }
            }
            Source::Folder(set) => {
                for steps_ma in set.fiber(index)?.waveforms_ma.rows() {
                    add(&steps_ma.mapv(f64::from).to_vec());
                }
            }
        }
    }
    Ok(widths)
}
