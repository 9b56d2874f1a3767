//! The distribution that cases are drawn from, as data: the content of a recipe file.

use std::path::{Path, PathBuf};

use axonml_core::TimeGrid;
use axonml_files::Memory;
use axonml_models::description::ModelChoice;
use axonml_models::memory::BatchSize;
use axonml_models::{Model, Precision, Schema};
use serde::{Deserialize, Serialize};

use super::pulses::{PulseFamily, one};
use super::{DatasetError, Range};

/// A distribution of fibers, fields and pulses, and a seed.
///
/// The default is the distribution that AxonML's surrogates were trained on (Hussain, Grill & Pelot 2024, Nat Commun
/// 15:7597): 65,536 fibers of 53 nodes, diameters uniform in 5.7 to 14 um, the middle node anywhere within half a node
/// spacing of the middle of a random line of the pool, a monophasic pulse of its own on every contact (up to 0.2 mA of
/// either sign, up to 2 ms long, up to 2 ms late), 5 ms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Recipe {
    /// Key of the random numbers.
    pub seed: u64,
    /// Number of cases.
    pub count: usize,
    /// The exact model.
    pub model: ModelChoice,
    /// Nodes of each fiber.
    pub nodes: usize,
    /// Time step, ms.
    pub dt_ms: f64,
    /// Duration, ms.
    pub tstop_ms: f64,
    /// Arithmetic of the simulation.
    pub precision: Arithmetic,
    /// Fiber diameter, um.
    pub diameter_um: Range,
    /// Position of the middle node, in node spacings from the middle of the field.
    pub offset_spacings: Range,
    /// Sources of fields; one is chosen for each case by weight.
    pub fields: Vec<FieldSource>,
    /// The pulses that contacts deliver, chosen by weight.
    pub pulses: Vec<PulseFamily>,
    /// The relation between the pulses of a case's contacts.
    pub contacts: Contacts,
}

/// The relation between the pulses of the contacts of one case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Contacts {
    /// Each contact delivers a pulse of its own.
    #[default]
    Independent,
    /// All deliver the same pulse, each times a factor of its own, uniform in -1 to 1; a single contact as it is.
    Together,
}

impl Default for Recipe {
    fn default() -> Self {
        Recipe {
            seed: 0,
            count: 65_536,
            model: "mrg".into(),
            nodes: 53,
            dt_ms: 0.005,
            tstop_ms: 5.0,
            precision: Arithmetic::F32,
            diameter_um: Range::uniform(5.7, 14.0),
            offset_spacings: Range::uniform(-0.5, 0.5),
            fields: vec![FieldSource::new(FieldKind::Nerve {
                folder: Recipe::POOL.into(),
                extend: false,
            })],
            pulses: vec![PulseFamily::default()],
            contacts: Contacts::Independent,
        }
    }
}

/// Arithmetic of a simulation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Arithmetic {
    /// Single precision.
    F32,
    /// Double precision.
    F64,
}

impl From<Arithmetic> for Precision {
    fn from(arithmetic: Arithmetic) -> Self {
        match arithmetic {
            Arithmetic::F32 => Precision::F32,
            Arithmetic::F64 => Precision::F64,
        }
    }
}

/// One origin of fields.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FieldSource {
    /// Relative frequency of its choice.
    #[serde(default = "one")]
    pub weight: f64,
    /// Its kind.
    #[serde(flatten)]
    pub kind: FieldKind,
}

impl FieldSource {
    /// A source of weight 1.
    pub fn new(kind: FieldKind) -> Self {
        FieldSource { weight: 1.0, kind }
    }
}

/// The sources of extracellular fields.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum FieldKind {
    /// A random line of a nerve folder; all its contacts deliver a pulse.
    Nerve {
        /// The folder.
        folder: PathBuf,
        /// Whether lines are extrapolated beyond their ends as the field of a point source.
        #[serde(default)]
        extend: bool,
    },
    /// One point electrode in an unbounded medium.
    Point {
        /// Its distance from the fiber, um.
        distance_um: Range,
        /// Its place along the fiber from the middle of the field, um.
        #[serde(default = "Recipe::centerd")]
        z_um: Range,
        /// Resistivity of the medium, ohm-cm.
        #[serde(default = "Recipe::resistivity")]
        resistivity_ohm_cm: f64,
    },
}

impl Recipe {
    /// The pool of the default recipe: a folder of the source tree.
    pub const POOL: &'static str = "examples/nerves/T1";

    fn centerd() -> Range {
        Range::fixed(0.0)
    }

    fn resistivity() -> f64 {
        500.0
    }

    /// Reads a recipe file; omitted settings are those of [`Recipe::default`].
    ///
    /// # Errors
    /// [`DatasetError::RecipeText`] with line and column. Values are checked by [`Recipe::check`].
    pub fn from_toml(text: &str) -> Result<Self, DatasetError> {
        toml::from_str(text).map_err(|error| DatasetError::RecipeText {
            problem: error.to_string().trim_end().to_owned(),
        })
    }

    /// The recipe as a file that [`Recipe::from_toml`] reads.
    ///
    /// # Errors
    /// [`DatasetError::RecipeText`] if a number is larger than TOML has it.
    pub fn to_toml(&self) -> Result<String, DatasetError> {
        toml::to_string(self).map_err(|error| DatasetError::RecipeText {
            problem: error.to_string(),
        })
    }

    /// The same recipe with the fiber file of its model read into it; a relative path starts from `base`.
    ///
    /// # Errors
    /// [`DatasetError::Model`] for a file that cannot be read or is not in order.
    pub fn with_model_read(&self, base: &Path) -> Result<Self, DatasetError> {
        let model = self.model.read(base)?;
        Ok(Recipe {
            model,
            ..self.clone()
        })
    }

    /// Checks every setting, of a recipe whose model has been read ([`Recipe::with_model_read`]).
    ///
    /// # Errors
    /// [`DatasetError`] naming the first setting that makes no sense.
    pub fn check(&self) -> Result<(), DatasetError> {
        let schema = self.schema()?;
        let grid = self.grid()?;
        self.check_memory()?;
        if self.count == 0 {
            return Err(DatasetError::recipe("count", 0, "1 or more"));
        }
        if self.nodes < 3 {
            return Err(DatasetError::recipe("nodes", self.nodes, "3 or more"));
        }
        self.diameter_um.check("diameter_um", f64::MIN_POSITIVE)?;
        let range = &schema.diameters_um;
        for diameter_um in [self.diameter_um.low, self.diameter_um.high] {
            if !range.contains(&diameter_um) {
                return Err(DatasetError::recipe(
                    "diameter_um",
                    format!("{diameter_um} um"),
                    format!(
                        "{} to {} um, as model `{}` has it",
                        range.start(),
                        range.end(),
                        schema.id
                    ),
                ));
            }
        }
        self.offset_spacings.check("offset_spacings", f64::MIN)?;
        check_weights("fields", self.fields.iter().map(|field| field.weight))?;
        for (index, field) in self.fields.iter().enumerate() {
            if let FieldKind::Point {
                distance_um,
                z_um,
                resistivity_ohm_cm,
            } = &field.kind
            {
                let place = |key: &str| format!("fields[{index}].{key}");
                distance_um.check(&place("distance_um"), f64::MIN_POSITIVE)?;
                z_um.check(&place("z_um"), f64::MIN)?;
                if !(*resistivity_ohm_cm > 0.0 && resistivity_ohm_cm.is_finite()) {
                    return Err(DatasetError::recipe(
                        place("resistivity_ohm_cm"),
                        resistivity_ohm_cm,
                        "a finite number above 0",
                    ));
                }
            }
        }
        check_weights("pulses", self.pulses.iter().map(|pulse| pulse.weight))?;
        for (index, pulse) in self.pulses.iter().enumerate() {
            pulse.check(&format!("pulses[{index}]"), &grid)?;
        }
        Ok(())
    }

    /// Refuses fibers or runs that memory has no room for, before anything of their size is made.
    pub(super) fn check_memory(&self) -> Result<(), DatasetError> {
        let steps = self.grid()?.steps();
        let size = BatchSize {
            fibers: 1,
            nodes: self.nodes,
            steps,
            waveforms: 1,
            threads: 1,
        };
        let what = format!("a fiber of {} nodes and a run of {steps} steps", self.nodes);
        Ok(Memory::available().check(&what, size.bytes())?)
    }

    /// Bytes of the traces of `fibers` cases in single precision; saturates at the largest number. `every`
    /// and
    /// `states` as in a recording, of which 0 states are all the model's.
    ///
    /// # Errors
    /// [`DatasetError`] for an unknown model and an impossible time grid.
    pub fn trace_bytes(
        &self,
        fibers: usize,
        every: usize,
        states: usize,
    ) -> Result<u128, DatasetError> {
        let states = match states {
            0 => self.schema()?.states.len() + 1,
            some => some,
        };
        let rows = self.grid()?.steps() / every.max(1) + 1;
        let sizes = [fibers, rows, states, self.nodes];
        let traces = sizes
            .iter()
            .fold(4_u128, |bytes, &n| bytes.saturating_mul(n as u128));
        Ok(traces)
    }

    /// The time grid.
    ///
    /// # Errors
    /// [`DatasetError::Core`] for an impossible one.
    pub fn grid(&self) -> Result<TimeGrid, DatasetError> {
        TimeGrid::new(self.dt_ms, self.tstop_ms)
            .map_err(DatasetError::core("dt_ms, tstop_ms of the recipe"))
    }

    pub(crate) fn model(&self) -> Result<Model, DatasetError> {
        Ok(self.model.model()?)
    }

    pub(super) fn schema(&self) -> Result<Schema, DatasetError> {
        Ok(self.model()?.schema())
    }
}

fn check_weights(
    what: &str,
    weights: impl ExactSizeIterator<Item = f64>,
) -> Result<(), DatasetError> {
    if weights.len() == 0 {
        return Err(DatasetError::recipe(what, "none", "one or more"));
    }
    for (index, weight) in weights.enumerate() {
        if !(weight > 0.0 && weight.is_finite()) {
            return Err(DatasetError::recipe(
                format!("{what}[{index}].weight"),
                weight,
                "a finite number above 0",
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
