//! Fiber models, and simulations of them.
//!
//! A [`FiberModel`] states geometry and membrane over symbols; a [`Simulation`] is a batch of fibers of one model with
//! numeric parameters; a [`Stimulus`] holds the sources that act on them. The library places the fibers: users give
//! fields in space (or potentials at the sample points that the simulation names), never guesses at nodes.
//!
//! ```
//! use std::sync::Arc;
//! use axonml_core::{Medium, PointSource, Waveform};
//! use axonml_models::{Device, Fiber, Settings, Simulation, Stimulus, ThresholdSearch, model};
//!
//! // A 10 um MRG fiber, an electrode 1 mm away, a 0.1 ms cathodic pulse.
//! let fibers = vec![Fiber::new(10.0, 53)];
//! let simulation = Simulation::new(&model("mrg")?, fibers, &Settings::default(), &Device::auto()?)?;
//! let electrode = PointSource { x_um: 1000.0, y_um: 0.0, z_um: 0.0, medium: Medium::isotropic(500.0) };
//! let pulse: Waveform = "monophasic:pw=0.1,delay=0.1".parse()?;
//! let stimulus = Stimulus::uniform(1, Arc::new(electrode), pulse);
//! let threshold = simulation.thresholds(&stimulus, &ThresholdSearch::default(), &mut |_| ())?[0];
//! let threshold_ma = threshold.upper_ma().expect("the fiber fires");
//! assert!(threshold_ma > 0.0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod action_potentials;
mod arrays;
mod block;
mod built;
pub mod conditions;
pub mod description;
mod detection;
mod device;
mod drift;
mod ends;
mod error;
mod extent;
mod files;
mod geometry;
mod gradient;
mod instability;
mod lower;
pub mod mechanisms;
mod membrane;
pub mod memory;
mod model;
mod model_group;
pub mod models;
mod nerve_folder;
mod parts;
mod population;
pub mod provenance;
mod recruitment;
mod response;
mod scaling;
mod schema;
mod settings;
mod simulation;
mod site;
mod spike_shape;
mod stability;
mod statistics;
mod statuses;
mod stimulus;
mod synapse;
mod taped_run;
mod threshold;
mod threshold_gradient;
mod twin;
mod validation;
mod velocity;
pub mod weights;

pub use arrays::{ArrayError, NpyElement, NpyNumber, Npz, NpzWriter, npy_header};
pub use axonml_autodiff::adjoint::{
    Evaluation, GradientRequest, Objective, RecordedCotangent, SourceCotangent,
};
pub use axonml_autodiff::engine::{
    Backend, BackendError, Buffer, CancelToken, Crossing, FiberOutcome, FiberState, FiberStatus,
    Ion, LARGEST_MV, LinearScheme, Membrane, NodeSelection, Observation, ObserverKind,
    ObserverSpec, Outcome, Recording, Rollout, SectionKind, Start, TABLE_TOLERANCE, Traces,
    VOLTAGE,
};
pub use axonml_autodiff::ir::{Expr, Precision};
pub use axonml_autodiff::tape;
pub use block::{
    BlockSearch, BlockStatus, BlockThreshold, Bracket, TestPulses, Transmission, TransmissionState,
};
pub use detection::{Detection, REGENERATION_MV, SpikeStart};
pub use device::{Device, DeviceReport};
pub use drift::{DRIFT_MS, drift_mv};
pub use ends::Ends;
pub use error::SimulationError;
pub use extent::{DEFAULT_NODES, DEFAULT_TSTOP_MS, Extents, FiberExtent, FiberLength, NODES_LIMIT};
pub use files::read_text_file;
pub use geometry::{
    Geometry, Insulated, Myelinated, MyelinatedSection, Reduced, Surrogate, Unmyelinated,
};
pub use gradient::{FiberDerivative, Gradient};
pub use instability::{Instability, StableGeometry};
pub use model::{FiberModel, FiberSymbols, Patch};
pub use model_group::ModelGroup;
pub use models::{MODELS, Model, Models, model};
pub use nerve_folder::{
    NerveFolderError, NerveNote, NerveOptions, NerveReading, nerve_from_files, read_array,
    read_flags, read_nerve, read_nerve_with,
};
pub use parts::{Course, Look};
pub use population::{Activation, ActivationOptions, Basis, LossBound, Pair, StateSum};
pub use recruitment::{RecruitmentStep, recruitment};
pub use response::{Response, ResponseDifference};
pub use scaling::{Scaling, SourceGain};
pub use schema::{ConductionSpeed, DeclaredStart, Parameter, Physical, Scale, Schema, Text};
pub use settings::{Fiber, InitialState, RateEvaluation, Settings};
pub use simulation::{Amplitudes, Simulation};
pub use site::Site;
pub use spike_shape::{SpikeShape, spike_shape};
pub use statistics::{ErrorSummary, quantile};
pub use statuses::{BLOCK_STATUSES, STATUSES, Status, TRANSMISSION_STATES, VELOCITY_STATUSES};
pub use stimulus::{NA_PER_MA, Stimulus};
pub use synapse::{SYNAPTIC_CONDUCTANCE, Synapse, WithSynapse};
pub use taped_run::{StateTensors, TapedRun, TapedRunError, TapedThresholds, Trajectories};
pub use threshold::{DetectedRun, Progress, Threshold, ThresholdKind, ThresholdSearch};
pub use threshold_gradient::ThresholdGradient;
pub use validation::{Difference, Validation};
pub use velocity::{Conduction, ConductionVelocity, VelocitySites};
