//! Designs and studies through the library: nothing in them is ignored, and work that is canceled ends at once.

mod cancellation;
mod conformance;
mod design;
mod extrapolation;
mod front;
mod nothing_ignored;
mod optimize_request;
mod own_models;
mod proof;
mod quotient;
