//! Groups of fiber models, by their cables.

use axonml_autodiff::ir::Tracer;

use crate::geometry::GeometryKind;
use crate::model::{FiberModel, FiberSymbols, Symbols};

/// The groups that fiber models are listed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ModelGroup {
    /// Myelinated fibers with all that their publication has.
    Myelinated,
    /// Fibers without myelin.
    Unmyelinated,
    /// Models that stand for a myelinated fiber, reduced so that they run faster or can be trained.
    Surrogate,
}

impl ModelGroup {
    /// All groups, in the order of listings.
    pub const ALL: [ModelGroup; 3] = [
        ModelGroup::Myelinated,
        ModelGroup::Unmyelinated,
        ModelGroup::Surrogate,
    ];

    /// The group of a model, by its cable.
    pub fn of(model: &dyn FiberModel) -> Self {
        let (schema, tracer) = (model.schema(), Tracer::new());
        let symbols = Symbols {
            tracer: &tracer,
            schema: &schema,
        };
        match model.geometry(&FiberSymbols(symbols)).kind() {
            GeometryKind::Myelinated | GeometryKind::Insulated => ModelGroup::Myelinated,
            GeometryKind::Unmyelinated | GeometryKind::UnmyelinatedExplicit => {
                ModelGroup::Unmyelinated
            }
            GeometryKind::Surrogate | GeometryKind::Reduced => ModelGroup::Surrogate,
        }
    }

    /// Name of the group: `myelinated`, `unmyelinated`, `surrogate`.
    pub fn name(self) -> &'static str {
        match self {
            ModelGroup::Myelinated => "myelinated",
            ModelGroup::Unmyelinated => "unmyelinated",
            ModelGroup::Surrogate => "surrogate",
        }
    }
}
