//! Selects the weights that a model runs with; the only place that decides, for the library and all its users.

use std::sync::Arc;

use super::{Bundled, ModelFile, bundled};
use crate::{Schema, SimulationError};

/// Parameter values of a model; individual parameters of [`Settings`](crate::Settings) override them.
///
/// ```
/// use axonml_models::weights::Weights;
/// use axonml_models::{Device, Fiber, Settings, Simulation, model};
///
/// // The default: the surrogate with the bundled weights that its schema names.
/// let bundled = Simulation::new(&model("smf")?, vec![Fiber::new(10.0, 53)], &Settings::default(), &Device::auto()?)?;
/// let published = Settings { weights: Weights::Published, ..Settings::default() };
/// let published = Simulation::new(&model("smf")?, vec![Fiber::new(10.0, 53)], &published, &Device::auto()?)?;
/// assert_ne!(bundled.schema().parameters, published.schema().parameters);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Weights {
    /// The bundled weights that the model's schema names ([`Schema::weights`]); the constants it declares if it names
    /// none.
    #[default]
    Default,
    /// The constants that the model itself declares.
    Published,
    /// Bundled weights by name, see [`bundled`].
    Named(String),
    /// A model file.
    File(Arc<ModelFile>),
}

impl From<ModelFile> for Weights {
    fn from(file: ModelFile) -> Self {
        Weights::File(Arc::new(file))
    }
}

/// A model file that replaces the constants that a model declares.
#[derive(Clone, Debug)]
pub struct ChosenWeights {
    /// The file.
    pub file: Arc<ModelFile>,
    /// The bundled weights of the file, if it is bundled.
    pub bundled: Option<&'static Bundled>,
}

impl Weights {
    /// The weights that a model with this schema runs with; none where its declared constants run.
    ///
    /// # Errors
    /// [`SimulationError::Core`] for a name that is not bundled, [`SimulationError::Weights`] for a file of another
    /// model, an incomplete or a damaged one.
    pub fn choose(&self, schema: &Schema) -> Result<Option<ChosenWeights>, SimulationError> {
        let chosen = match (self, schema.weights) {
            (Weights::Published, _) | (Weights::Default, None) => return Ok(None),
            (Weights::Default, Some(name)) => named(name)?,
            (Weights::Named(name), _) => named(name)?,
            (Weights::File(file), _) => ChosenWeights {
                file: file.clone(),
                bundled: None,
            },
        };
        chosen.file.check(schema)?;
        Ok(Some(chosen))
    }
}

fn named(name: &str) -> Result<ChosenWeights, SimulationError> {
    let bundled = bundled(name)?;
    Ok(ChosenWeights {
        file: Arc::new(ModelFile::from_bytes(bundled.bytes)?),
        bundled: Some(bundled),
    })
}
