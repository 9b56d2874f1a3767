//! Golden tests: fibre models against NEURON and PyTorch data (see `golden/README.md`), and what must hold of any model.

mod axonml;
mod golden;
mod models;
mod neuron;
