//! Which fiber model, with which parameters.

use std::path::Path;
use std::str::FromStr;

use axonml::model::{Model, Models};
use axonml::study::{DEFAULT_MODEL, model_named};
use clap::Args;

use super::number::between;
use crate::error::CliError;
use crate::input::Input;

/// Flags of the model.
#[derive(Debug, Args)]
#[command(next_help_heading = "Model")]
pub(crate) struct ModelArgs {
    /// Name from `axonml models`, or FILE.toml of one's own [default: mrg]
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) model: Option<String>,
    /// Bundled name, .safetensors or published [default: the model's]
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) weights: Option<String>,
    /// Set a parameter that `axonml models NAME` lists (repeatable)
    #[arg(long, value_name = "GROUP.PARAM=VALUE")]
    pub(crate) set: Vec<Setting>,
    /// Temperature, degrees Celsius [default: the model's]
    #[arg(long, value_name = "CELSIUS", value_parser = between("degrees Celsius", -20.0, 100.0), allow_negative_numbers = true)]
    pub(crate) temperature: Option<f64>,
}

impl ModelArgs {
    /// The model asked for, or the default one.
    pub(crate) fn model(&self) -> Result<Model, CliError> {
        Ok(model_named(self.model.as_deref().unwrap_or(DEFAULT_MODEL))?)
    }

    /// The models that names stand for: the bundled ones, and the one of `--model FILE`.
    pub(crate) fn models(&self) -> Result<Models, CliError> {
        let model = self.model()?;
        let is_bundled = axonml::model(&model.schema().id).is_ok();
        Ok(Models::with((!is_bundled).then_some(model))?)
    }

    /// The files that model and weights come from.
    pub(crate) fn inputs(&self) -> Vec<Input> {
        let given = [("--model", &self.model), ("--weights", &self.weights)].into_iter();
        let files = given.filter_map(|(flag, name)| {
            let path = Path::new(name.as_deref()?);
            path.is_file().then(|| Input::of(flag, path))
        });
        files.collect()
    }

    /// The parameters that differ from the model's defaults.
    pub(crate) fn parameters(&self) -> Vec<(String, f64)> {
        let pair = |setting: &Setting| (setting.name.clone(), setting.value);
        self.set.iter().map(pair).collect()
    }
}

/// A parameter with its new value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Setting {
    name: String,
    value: f64,
}

impl FromStr for Setting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const EXPECTED: &str =
            "expected group.param=value with a finite number, e.g. conductance.gna=2.5";
        let (name, value) = text.split_once('=').ok_or(EXPECTED)?;
        let value: f64 = value.trim().parse().map_err(|_| EXPECTED)?;
        if name.trim().is_empty() || !value.is_finite() {
            return Err(EXPECTED.to_owned());
        }
        Ok(Setting {
            name: name.trim().to_owned(),
            value,
        })
    }
}
