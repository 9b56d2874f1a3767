//! `axonml import` and `axonml export`: model files from checkpoints and from models.

use std::path::{Path, PathBuf};

use axonml::model;
use axonml::model::Schema;
use axonml::model::weights::ModelFile;
use axonml::model::weights::pytorch::import_checkpoint;
use axonml::simulation::provenance::sha256;

use crate::args::{ExportArgs, ImportArgs};
use crate::error::CliError;
use crate::input::Input;
use crate::messages::Messages;
use crate::report::{check_regular, check_writable, plain, print, refuse_overwriting, replace};
use axonml::study::WeightChoice;
use axonml::study::{Cell, Table};

/// Writes the model file of a checkpoint of PyTorch AxonML.
pub(crate) fn import(args: &ImportArgs, messages: Messages) -> Result<(), CliError> {
    let path = &args.checkpoint;
    let wrong =
        |error: &dyn std::fmt::Display| CliError::request(error.to_string()).at(path.display());
    let bytes = std::fs::read(path)
        .map_err(|error| wrong(&error).help("name an existing file of torch.save"))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let (file, place) = import_checkpoint(&bytes, &name).map_err(|error| wrong(&error))?;
    let output = match &args.output {
        Some(output) => output.clone(),
        None => beside(path)?,
    };
    check_output(&output)?;
    let what = format!("-o {}", output.display());
    refuse_overwriting(&what, &output, &[Input::of("the checkpoint", path)])?;
    let schema = model(&file.model)?.schema();
    let written = write(&file, &output)?;
    let place = match place.as_str() {
        "" => "the state dict".to_owned(),
        path => format!("`{path}`"),
    };
    messages.note(format_args!(
        "read {place}: {} parameters of model {}",
        file.parameters.len(),
        file.model
    ));
    messages.note(
        "dt 0.005 ms, 37 degrees and the published start are assumed: a checkpoint does not say",
    );
    tell(&file, &schema, &output, &written)
}

/// Writes the model file of a model as flags have it.
pub(crate) fn export(args: &ExportArgs, messages: Messages) -> Result<(), CliError> {
    check_output(&args.output)?;
    let what = format!("-o {}", args.output.display());
    refuse_overwriting(&what, &args.output, &args.model.inputs())?;
    let model = args.model.model()?;
    let schema = model.schema();
    let weights = WeightChoice::of(args.model.weights.as_deref(), &args.model.models()?)?;
    weights.check_used(std::slice::from_ref(&model))?;
    let mut file = match weights.of_model(&schema.id) {
        Some(weights) => {
            let mut file = (*weights.file).clone();
            let from = format!("{} (sha256 {})", weights.name, weights.sha256);
            file.provenance.insert("exported from".to_owned(), from);
            file
        }
        None => ModelFile::published(&model),
    };
    let parameters = args.model.parameters();
    schema
        .refuse_repeated(&parameters)
        .map_err(|error| CliError::from(error).at("--set"))?;
    file.set_by_hand(&schema, &parameters)
        .map_err(|error| CliError::request(error).at("--set"))?;
    if let Some(celsius) = args.model.temperature {
        file.domain.celsius = Some(celsius);
    }
    let written = write(&file, &args.output)?;
    messages.note(format_args!(
        "{} parameters of model {}",
        file.parameters.len(),
        file.model
    ));
    tell(&file, &schema, &args.output, &written)
}

/// Where a checkpoint's model file goes if nobody says.
fn beside(checkpoint: &Path) -> Result<PathBuf, CliError> {
    let stem = checkpoint.file_stem().unwrap_or_default();
    let output = PathBuf::from(stem).with_extension("safetensors");
    match output.exists() {
        false => Ok(output),
        true => Err(CliError::request(format!("`{}` exists", output.display()))
            .help("give -o FILE.safetensors to choose another name, or the same to replace it")),
    }
}

fn check_output(path: &Path) -> Result<(), CliError> {
    check_regular(path)?;
    if path
        .extension()
        .is_none_or(|e| !e.eq_ignore_ascii_case("safetensors"))
    {
        return Err(CliError::request(format!(
            "output `{}`: expected .safetensors",
            path.display()
        ))
        .help("rename the file"));
    }
    check_writable(path)
}

/// Writes the file; returns its hash.
fn write(file: &ModelFile, path: &Path) -> Result<String, CliError> {
    let bytes = file.to_bytes().map_err(CliError::request)?;
    replace(path, &bytes)?;
    Ok(sha256(&bytes))
}

/// Prints what differs from the model's own constants, and what was written.
fn tell(file: &ModelFile, schema: &Schema, path: &Path, sha256: &str) -> Result<(), CliError> {
    let row = |p: &axonml::model::Parameter| {
        let value = file.parameters.get(&*p.name).copied().unwrap_or(f64::NAN);
        let change_pct = (p.value != 0.0).then(|| 100.0 * (value - p.value) / p.value);
        (value != p.value).then(|| {
            vec![
                Cell::Text(format!("{}.{}", p.group, p.name)),
                Cell::text(p.unit.clone()),
                Cell::Number(p.value),
                Cell::Number(value),
                Cell::maybe(change_pct),
            ]
        })
    };
    let table = Table {
        columns: ["parameter", "unit", "published", "file", "change_pct"]
            .map(str::to_owned)
            .to_vec(),
        rows: schema.parameters.iter().filter_map(row).collect(),
    };
    let differing = match table.rows.len() {
        0 => "all parameters are the published ones\n".to_owned(),
        _ => plain(&table),
    };
    print(&format!(
        "{differing}wrote {}, sha256 {sha256}\n",
        path.display()
    ))
}
