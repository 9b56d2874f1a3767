//! Training sets: exact fibers in random fields under random pulses.
//!
//! A [`Recipe`] is the distribution and the seed; nothing else is needed to train. [`Cases`] draws from it: case `i` is
//! a pure function of seed and `i`. [`Cases::simulate`] runs a range of cases and hands out one [`Trace`] after the
//! other. [`generate`] writes traces into a folder of checksummed shards, which [`Dataset`] reads. [`Source`] is
//! either of the two: training requests a [`Batch`] of cases by number from it, whichever it is.
//!
//! ```
//! use axonml_models::Device;
//! use axonml_train::dataset::{FieldKind, FieldSource, Range, Recipe, Recording, Source};
//!
//! let recipe = Recipe {
//!     count: 1000,
//!     nodes: 21,
//!     fields: vec![FieldSource::new(FieldKind::Point {
//!         distance_um: Range::log(250.0, 2500.0),
//!         z_um: Range::fixed(0.0),
//!         resistivity_ohm_cm: 500.0,
//!     })],
//!     ..Recipe::default()
//! };
//! let source = Source::from_recipe(&recipe, &Device::cpu()?, Recording::default())?;
//! let batch = source.batch(&[17, 4, 999])?;
//! // [fiber, row, state, node]; the states are m, h, p, s, v, a row every step, the start included.
//! assert_eq!(batch.states.dim(), (3, 1001, 5, 21));
//! assert_eq!(batch.waveforms_ma.dim(), (3, 1, 1000));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Folder
//! `manifest.json` holds the request and lists the shards with the size and SHA-256 of every file. A shard is a
//! folder of `.npy` files with one row per fiber: `diameter_um` (fiber), `node_z_um` (fiber, node),
//! `basis_mv_per_ma` (fiber, contact, node), `waveforms_ma` (fiber, contact, step), `states` (fiber, row, state,
//! node), all single precision except the first two; and `t_ms` (row). The extracellular potential of node n in the
//! step `t_k -> t_(k+1)` is the sum over contacts of `waveforms_ma[k]` times `basis_mv_per_ma[n]`.

mod batch;
mod cases;
mod error;
mod fields;
pub(crate) mod file_record;
mod folder;
pub(crate) mod generate;
#[cfg(feature = "hdf5")]
mod hdf5;
mod manifest;
mod npy;
mod pipeline;
mod pulses;
mod range;
mod recipe;
mod request;
#[cfg(feature = "hdf5")]
mod separate;
mod shard;
mod simulate;
mod sizes;
mod survey;
#[cfg(test)]
mod tests;

pub use batch::{Batch, Source};
pub(crate) use cases::spacing_um;
pub use cases::{Case, Cases};
pub use error::DatasetError;
pub use file_record::FileRecord;
pub use folder::Dataset;
pub use generate::{Generated, Outlook, Plan, generate};
#[cfg(feature = "hdf5")]
pub use hdf5::{ExportReport, ImportReport, ImportSettings, export_hdf5, import_hdf5};
pub use manifest::{Manifest, ShardRecord};
pub use pulses::{KeyValue, Polarity, PulseFamily};
pub use range::{Range, Spacing};
pub use recipe::{Arithmetic, Contacts, FieldKind, FieldSource, Recipe};
pub use request::{FieldRecord, Request};
pub use simulate::{Recording, Trace};
pub use survey::{Survey, Tally};

/// Hears now and then how many fibers are done, those of earlier runs included.
pub type Progress<'p> = dyn FnMut(usize) + 'p;
