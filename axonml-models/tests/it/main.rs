//! Fiber models against NEURON and PyTorch data (see `golden/README.md`), and what must hold of any model.

mod axonml;
mod backends;
mod block;
mod block_statuses;
mod cancellation;
mod conditioning;
mod conditions;
mod currents;
#[allow(dead_code)]
#[path = "../../../examples/custom_mechanism.rs"]
mod custom_mechanism;
#[allow(dead_code)]
#[path = "../../../examples/custom_model.rs"]
mod custom_model;
mod description;
mod ends;
mod failures;
mod golden;
mod gradients;
mod intracellular;
mod invariants;
mod mechanisms;
mod models;
mod nerves;
mod neuron;
mod parts;
mod population;
mod pyfibers;
mod pyfibers_myelinated;
mod pytorch;
mod rates;
mod several_sources;
mod spikes;
mod state_sums;
mod synapse;
mod taped_run;
mod threshold_gradients;
mod transposes;
mod two_mode;
mod validation;
mod velocity;
mod weights;

/// The device that derivatives are compared on.
fn device() -> axonml_models::Device {
    axonml_models::Device::cpu().unwrap()
}
