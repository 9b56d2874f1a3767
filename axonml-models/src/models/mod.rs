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

use axonml_core::{CoreError, names};

use crate::FiberModel;

/// All bundled models, in the order in which listings show them: myelinated fibers, their surrogates, fibers without
/// myelin.
pub static MODELS: &[&dyn FiberModel] = &[
    &Mrg,
    &MrgDiscrete,
    &MrgInterpolation,
    &SmallMrgInterpolation,
    &Pena,
    &Sweeney,
    &TwoMode,
    &Smf,
    &Sundt,
    &SundtExplicit,
    &Rattay,
    &Tigerholm,
    &Schild94,
    &Schild97,
    &ThioAutonomic,
    &ThioCutaneous,
    &HodgkinHuxley,
];

/// Other names under which published tables know a model.
const ALIASES: &[(&str, &str)] = &[("mrg-poly", "mrg"), ("hodgkin-huxley", "hh")];

/// A bundled model ([`MODELS`]) by its id, without regard to case, `_` and `-` alike.
///
/// # Errors
/// [`CoreError::UnknownName`] with the nearest id.
pub fn model(id: &str) -> Result<&'static dyn FiberModel, CoreError> {
    let wanted = names::canonical(id);
    let wanted = ALIASES
        .iter()
        .find(|(alias, _)| *alias == wanted)
        .map_or(wanted.as_str(), |(_, id)| id);
    MODELS
        .iter()
        .copied()
        .find(|model| model.schema().id == wanted)
        .ok_or_else(|| {
            let valid: Vec<String> = MODELS
                .iter()
                .map(|model| model.schema().id.to_owned())
                .collect();
            CoreError::UnknownName {
                what: "model".into(),
                found: id.into(),
                nearest: names::nearest(wanted, valid.iter().map(String::as_str))
                    .map(str::to_owned),
                valid,
            }
        })
}
