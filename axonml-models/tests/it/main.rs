//! Golden tests: fibre models against NEURON and PyTorch data (see `golden/README.md`).

mod axonml;
mod golden;
mod neuron;
