//! Fibre models against NEURON and PyTorch data (see `golden/README.md`), and what must hold of any model.

mod axonml;
mod backends;
mod failures;
mod golden;
mod gradients;
mod invariants;
mod models;
mod nerves;
mod neuron;
mod pytorch;
mod threshold_gradients;
mod two_mode;
mod weights;
