//! The recipe that flags and a recipe file amount to.

use std::path::{Path, PathBuf};

use axonml::table::conditions::RESISTIVITY_OHM_CM;
use axonml::train::dataset::{Arithmetic, FieldKind, FieldSource, KeyValue, Range, Recipe};

use crate::args::PrecisionArg;
use crate::args::dataset::GenerateArgs;
use crate::error::CliError;

/// The recipe, and the folder that its relative paths start from.
pub(super) fn recipe(args: &GenerateArgs) -> Result<(Recipe, PathBuf), CliError> {
    let mut recipe = match &args.recipe {
        None => Recipe::default(),
        Some(path) => read(path)?,
    };
    let beside = args.recipe.as_deref().and_then(Path::parent);
    let beside = beside.unwrap_or(Path::new(""));
    recipe = match &args.model {
        // Flags name files of the working folder.
        Some(name) => Recipe {
            model: name.as_str().into(),
            ..recipe
        }
        .with_model_read(Path::new(""))?,
        None => recipe.with_model_read(beside)?,
    };
    let numerics = &args.numerics;
    set(&mut recipe.count, args.count);
    set(&mut recipe.seed, numerics.seed);
    set(&mut recipe.nodes, args.nodes);
    set(&mut recipe.dt_ms, numerics.dt);
    set(&mut recipe.tstop_ms, numerics.tstop);
    set(&mut recipe.diameter_um, args.diameter.map(|range| range.0));
    let precision = numerics.precision.map(|precision| match precision {
        PrecisionArg::F32 => Arithmetic::F32,
        PrecisionArg::F64 => Arithmetic::F64,
    });
    set(&mut recipe.precision, precision);
    for pulse in &mut recipe.pulses {
        set(&mut pulse.amplitude_ma, args.amplitude.map(|range| range.0));
        set(&mut pulse.delay_ms, args.delay.map(|range| range.0));
        if let Some(range) = args.pw {
            let width = KeyValue::Range(range.0);
            pulse.keys.insert("pw".to_owned(), width);
        }
    }
    let given = fields(args);
    let own_fields = given.is_empty();
    if !own_fields {
        recipe.fields = given;
    }
    let base = match (&args.recipe, own_fields) {
        (Some(_), true) => beside.to_owned(),
        _ => PathBuf::new(),
    };
    let base = [base, PathBuf::new(), source_tree()]
        .into_iter()
        .find(|base| has_all(&recipe, base));
    Ok((recipe, base.unwrap_or_default()))
}

fn set<T>(setting: &mut T, flag: Option<T>) {
    if let Some(value) = flag {
        *setting = value;
    }
}

fn read(path: &Path) -> Result<Recipe, CliError> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        CliError::request(format!("cannot read `{}`: {error}", path.display()))
            .help("`axonml dataset generate --print-recipe` prints a recipe to begin with")
    })?;
    Recipe::from_toml(&text).map_err(|error| CliError::from(error).at(path.display()))
}

/// The fields that flags ask for.
fn fields(args: &GenerateArgs) -> Vec<FieldSource> {
    let nerve = |folder: &PathBuf| {
        FieldSource::new(FieldKind::Nerve {
            folder: folder.clone(),
            extend: false,
        })
    };
    let point = args.point.map(|range| {
        FieldSource::new(FieldKind::Point {
            distance_um: Range::log(range.0.low, range.0.high),
            z_um: Range::fixed(0.0),
            resistivity_ohm_cm: RESISTIVITY_OHM_CM,
        })
    });
    args.nerve.iter().map(nerve).chain(point).collect()
}

/// Where the default pool lies if not in the working folder: in the source that this program was built from.
fn source_tree() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn has_all(recipe: &Recipe, base: &Path) -> bool {
    recipe.fields.iter().all(|field| match &field.kind {
        FieldKind::Nerve { folder, .. } => base.join(folder).is_dir(),
        FieldKind::Point { .. } => true,
    })
}
