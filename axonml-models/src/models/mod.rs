//! The models: one file each.

mod hh;
mod mrg;
mod rattay;
mod schild;
mod smf;
mod sundt;
mod sweeney;
mod thio;
mod tigerholm;
mod trainable_node;
pub mod two_mode;

pub use hh::HodgkinHuxley;
pub use mrg::{Mrg, MrgDiscrete, MrgInterpolation, Pena, SmallMrgInterpolation};
pub use rattay::Rattay;
pub use schild::{Schild94, Schild97};
pub use smf::Smf;
pub use sundt::{Sundt, SundtExplicit};
pub use sweeney::Sweeney;
pub use thio::{ThioAutonomic, ThioCutaneous};
pub use tigerholm::Tigerholm;
pub use two_mode::TwoMode;

use std::fmt;
use std::sync::Arc;

use axonml_core::{CoreError, names};

use axonml_autodiff::engine::{Membrane, SectionKind};

use crate::{FiberModel, FiberSymbols, Geometry, Patch, Schema};

/// A fiber model to keep and to hand on: bundled, or made at run time.
#[derive(Clone)]
pub struct Model(Kept);

#[derive(Clone)]
enum Kept {
    Bundled(&'static dyn FiberModel),
    Own(Arc<dyn FiberModel>),
}

impl Model {
    /// A model of one's own.
    pub fn new(model: impl FiberModel + 'static) -> Self {
        Model(Kept::Own(Arc::new(model)))
    }

    /// Names, parameters, ranges and sources.
    pub fn schema(&self) -> Schema {
        self.as_ref().schema()
    }

    const fn bundled(model: &'static dyn FiberModel) -> Self {
        Model(Kept::Bundled(model))
    }
}

impl AsRef<dyn FiberModel> for Model {
    fn as_ref(&self) -> &(dyn FiberModel + 'static) {
        match &self.0 {
            Kept::Bundled(model) => *model,
            Kept::Own(model) => &**model,
        }
    }
}

impl FiberModel for Model {
    fn schema(&self) -> Schema {
        self.as_ref().schema()
    }

    fn geometry<'t>(&self, fiber: &FiberSymbols<'t>) -> Geometry<'t> {
        self.as_ref().geometry(fiber)
    }

    fn membrane<'t>(&self, section: SectionKind, patch: &Patch<'t>) -> Membrane<'t> {
        self.as_ref().membrane(section, patch)
    }
}

/// The model's id.
impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_ref())
    }
}

/// All bundled models, in the order in which listings show them: myelinated fibers, their surrogates, fibers without
/// myelin.
pub static MODELS: &[Model] = &[
    Model::bundled(&Mrg),
    Model::bundled(&MrgDiscrete),
    Model::bundled(&MrgInterpolation),
    Model::bundled(&SmallMrgInterpolation),
    Model::bundled(&Pena),
    Model::bundled(&Sweeney),
    Model::bundled(&TwoMode),
    Model::bundled(&Smf),
    Model::bundled(&Sundt),
    Model::bundled(&SundtExplicit),
    Model::bundled(&Rattay),
    Model::bundled(&Tigerholm),
    Model::bundled(&Schild94),
    Model::bundled(&Schild97),
    Model::bundled(&ThioAutonomic),
    Model::bundled(&ThioCutaneous),
    Model::bundled(&HodgkinHuxley),
];

/// Other names under which published tables know a model.
const ALIASES: &[(&str, &str)] = &[("mrg-poly", "mrg"), ("hodgkin-huxley", "hh")];

/// A bundled model ([`MODELS`]) by its id, without regard to case, `_` and `-` alike.
///
/// # Errors
/// [`CoreError::UnknownName`] with the nearest id.
pub fn model(id: &str) -> Result<Model, CoreError> {
    Models::default().find(id)
}

/// The models that names stand for: the bundled ones, and some of one's own.
#[derive(Clone, Debug, Default)]
pub struct Models {
    own: Vec<Model>,
}

impl Models {
    /// The bundled models and these.
    ///
    /// # Errors
    /// [`CoreError::BadValue`] for an id that another of them or a bundled one has.
    pub fn with(own: impl IntoIterator<Item = Model>) -> Result<Self, CoreError> {
        let mut models = Models::default();
        for model in own {
            let id = model.schema().id.to_string();
            if models.find(&id).is_ok() {
                return Err(CoreError::BadValue {
                    what: "id of a model".into(),
                    found: id,
                    expected: "an id that no other model has".into(),
                });
            }
            models.own.push(model);
        }
        Ok(models)
    }

    /// All of them, one's own first.
    pub fn iter(&self) -> impl Iterator<Item = &Model> {
        self.own.iter().chain(MODELS)
    }

    /// A model by its id, without regard to case, `_` and `-` alike.
    ///
    /// # Errors
    /// [`CoreError::UnknownName`] with the nearest id.
    pub fn find(&self, id: &str) -> Result<Model, CoreError> {
        let wanted = names::canonical(id);
        let alias = ALIASES.iter().find(|(alias, _)| *alias == wanted);
        let wanted = alias.map_or(wanted.as_str(), |(_, id)| id);
        let is_wanted = |model: &&Model| names::canonical(&model.schema().id) == wanted;
        self.iter().find(is_wanted).cloned().ok_or_else(|| {
            let valid: Vec<String> = self.iter().map(|m| m.schema().id.to_string()).collect();
            CoreError::UnknownName {
                what: "model".into(),
                found: id.into(),
                nearest: names::nearest(wanted, valid.iter().map(String::as_str))
                    .map(str::to_owned),
                valid,
            }
        })
    }
}
