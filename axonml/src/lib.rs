//! How nerve fibers respond to electrical stimulation: exact models and surrogates, on processors and NVIDIA GPUs,
//! differentiable end to end.
//!
//! This crate is the front door. Its modules sort by purpose what the other crates of the workspace hold; depend on this
//! one alone.
//!
//! | you want | look in |
//! | --- | --- |
//! | potentials of electrodes, nerves from files, waveforms | [`mod@field`], [`nerve`], [`waveform`] |
//! | fiber models, weights of surrogates, a model of your own | [`mod@model`] |
//! | runs, recordings, activation and block thresholds, recruitment | [`simulation`] |
//! | experiments as data: thresholds, curves, recruitment, block, velocities; shares of a cluster | [`mod@study`] |
//! | a model against reference thresholds, action potentials and traces; backends against the scalar reference | [`evaluation`], [`verification`] |
//! | laws fitted to thresholds: rheobase and chronaxie, current and distance | [`curve`] |
//! | many currents through the contacts of a cuff: activation, thresholds, derivatives by each current | [`population`] |
//! | which currents activate the targets and spare the rest: goals, montages, limits, descents, evolutions | [`mod@design`] |
//! | such an optimization from a study, verified and kept on the disk | [`mod@optimization`] |
//! | gradients of runs and thresholds; losses on a tape | [`simulation`], [`tape`] |
//! | tables of conditions, arrays, files that survive a kill | [`table`], [`mod@file`] |
//! | training sets and trainings | `train` (feature `train`) |
//! | a backend of your own, or what backends see | [`backend`], [`ir`] |
//!
//! # Units, signs, places
//! ms, mV, mA (extracellular current), nA (injected current), um, uF/cm2, S/cm2, ohm cm. Numbers carry their unit in their
//! name. Cathodic current is negative; pulses are cathodic first, amplitudes positive. A fiber lies along z, its middle at
//! z = 0.
//!
//! # Activation thresholds
//! A 10 um MRG fiber, an electrode 1 mm away, a 0.1 ms cathodic pulse:
//! ```
//! use std::sync::Arc;
//! use axonml::{Device, Fiber, Medium, PointSource, Settings, Simulation, Stimulus, ThresholdSearch, Waveform};
//!
//! let fibers = vec![Fiber::new(10.0, 53)];
//! let mrg = axonml::model("mrg")?;
//! let simulation = Simulation::new(&mrg, fibers, &Settings::default(), &Device::auto()?)?;
//!
//! let electrode = PointSource { x_um: 1000.0, y_um: 0.0, z_um: 0.0, medium: Medium::isotropic(500.0) };
//! let pulse: Waveform = "monophasic:pw=0.1,delay=0.1".parse()?;
//! let stimulus = Stimulus::uniform(1, Arc::new(electrode), pulse);
//!
//! let found = simulation.thresholds(&stimulus, &ThresholdSearch::default(), &mut |_| ())?[0];
//! assert_eq!(found.status(), "ok");
//! assert!((found.upper_ma().expect("it fires") - 0.1236).abs() < 1e-4);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # A nerve
//! Potentials along its fibers, mV per mA from each contact, come from a folder of arrays; the library samples them where
//! each fiber's nodes and internodes lie. Contact 0 delivers the pulse, contact 3 takes it back:
//! ```
//! use std::sync::Arc;
//! use axonml::field::{Extension, Interpolation};
//! use axonml::{Device, Fiber, Settings, Simulation, Stimulus, ThresholdSearch, Waveform};
//!
//! # std::env::set_current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))?;
//! let nerve = axonml::nerve::read_nerve("examples/nerves/N1".as_ref())?;
//! let fibers = vec![Fiber::new(10.0, 53); nerve.fibers()];
//! let simulation = Simulation::new(&axonml::model("mrg")?, fibers, &Settings::default(), &Device::auto()?)?;
//!
//! let contacts = [1.0, 0.0, 0.0, -1.0, 0.0, 0.0];
//! let pulse: Arc<Waveform> = Arc::new("biphasic:pw=0.1,delay=0.1".parse()?);
//! let mut stimulus = Stimulus::none(nerve.fibers());
//! for fiber in 0..nerve.fibers() {
//!     let field = nerve.field(fiber, &contacts, Interpolation::Cubic, 0.0, Extension::Refuse)?;
//!     stimulus = stimulus.source(fiber, Arc::new(field), Arc::clone(&pulse));
//! }
//! let thresholds = simulation.thresholds(&stimulus, &ThresholdSearch::default(), &mut |_| ())?;
//! let fired: f64 = thresholds
//!     .iter()
//!     .zip(nerve.weights())
//!     .filter(|(threshold, _)| threshold.status() == "ok" && threshold.upper_ma() <= Some(0.3))
//!     .map(|(_, weight)| weight)
//!     .sum();
//! println!("{:.0} % of the nerve's fibers fire at 0.3 mA", 100.0 * fired);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Gradients
//! Derivatives of thresholds by every value of the waveform. A stimulus of twice the strength has half the threshold:
//! weighted with the waveform, the derivatives of the logarithm add up to -1.
//! ```
//! use std::sync::Arc;
//! use axonml::simulation::GradientRequest;
//! use axonml::{Device, Fiber, Medium, PointSource, Settings, Simulation, Stimulus, ThresholdSearch, TimeGrid, Waveform};
//!
//! let simulation = Simulation::new(&axonml::model("mrg")?, vec![Fiber::new(10.0, 53)], &Settings::default(), &Device::auto()?)?;
//! let electrode = PointSource { x_um: 1000.0, y_um: 0.0, z_um: 0.0, medium: Medium::isotropic(500.0) };
//! let pulse: Waveform = "monophasic:pw=0.1,delay=0.1".parse()?;
//! let waveform = pulse.sample(&TimeGrid::new(0.005, 5.0)?)?;
//! let stimulus = Stimulus::uniform(1, Arc::new(electrode), pulse);
//!
//! let search = ThresholdSearch::default();
//! let found = simulation.thresholds(&stimulus, &search, &mut |_| ())?;
//! let known: Vec<Option<f64>> = found.iter().map(|threshold| threshold.upper_ma()).collect();
//! let request = GradientRequest { waveforms: true, ..GradientRequest::default() };
//! let gradients = simulation.threshold_gradients(&stimulus, &search, &known, request)?;
//! let by_step = &gradients[0].as_ref().expect("it fires").sources[0].waveform;
//! let along: f64 = by_step.iter().zip(&waveform).map(|(d, w)| d * w).sum();
//! assert!((along + 1.0).abs() < 1e-3, "{along}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! There are three ways to a gradient: [`Simulation::threshold_gradients`](Simulation::threshold_gradients) of thresholds, as
//! above; [`Simulation::differentiate`](Simulation::differentiate) of a loss on what runs record; and the tape.
//! On a [`tape`] a whole design (electrode positions, contact factors, phases) is differentiated through runs and threshold
//! searches; `examples/differentiable_stimulus.rs` descends on the six currents of a cuff.
//!
//! # An experiment as data
//! What the command line asks is a [`Study`](study::Study): a value that is written as TOML, printed, repeated, split over
//! machines and put together again, to the same bytes. Recruitment of the bundled nerve, by the weights of its fibers:
//! ```
//! use axonml::Device;
//! use axonml::study::{Execution, Machine, Plan, Silent, Study};
//!
//! let study = Study::from_toml(r#"
//!     [fibers]
//!     diameter_um = 10
//!
//!     [field]
//!     demonstration = true
//!
//!     [protocol]
//!     kind = "recruitment"
//!     at_mA = 0.1039
//! "#)?;
//! let plan = Plan::new(&study, &Machine::new(Device::auto()?), &mut Silent)?;
//! let outcome = plan.run(&Execution::default(), &mut Silent)?;
//! let results = plan.results(&outcome)?;
//! let at = results.further("at").expect("amplitudes were asked for");
//! assert!((at.numbers("fraction")[0].unwrap() - 0.531).abs() < 1e-3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Work that can be canceled
//! [`Settings::cancel`](simulation::Settings::cancel) is a token that another thread (a signal handler, a user interface) may
//! cancel: runs, searches and gradients end in the middle with an error for which
//! [`is_canceled`](SimulationError::is_canceled) holds.
//!
//! # A model of your own
//! One definition of geometry and membrane runs on every backend and in reverse:
//! ```
//! use axonml::model::{FiberModel, FiberSymbols, Geometry, Membrane, Patch, Schema, SectionKind};
//! use axonml::{Device, Fiber, Settings, Simulation};
//!
//! struct Leak;
//!
//! impl FiberModel for Leak {
//!     fn schema(&self) -> Schema {
//!         Schema::new("leak", "a passive cylinder")
//!             .param("conductance", "gl", 1e-4, "S/cm2")
//!             .param("passive", "cm", 1.0, "uF/cm2")
//!             .param("passive", "ra", 100.0, "ohm cm")
//!             .compartment_um(50.0)
//!             .start_mv(-70.0)
//!     }
//!
//!     fn geometry<'t>(&self, fiber: &FiberSymbols<'t>) -> Geometry<'t> {
//!         Geometry::Unmyelinated(fiber.cylinder())
//!     }
//!
//!     fn membrane<'t>(&self, _section: SectionKind, x: &Patch<'t>) -> Membrane<'t> {
//!         Membrane::new().ohmic(x.param("gl"), x.number(-70.0))
//!     }
//! }
//!
//! static LEAK: Leak = Leak;
//! let simulation = Simulation::new(&LEAK, vec![Fiber::new(1.0, 101)], &Settings::default(), &Device::auto()?)?;
//! # let _ = simulation;
//! # Ok::<(), axonml::SimulationError>(())
//! ```
//! [`mod@model`] shows a whole published membrane. The command line and studies know the models of [`MODELS`]; one of your
//! own runs through [`Simulation`].
//!
//! # Features
//! - `cpu` (default): the processor backend, vectorized and on all cores, and the scalar reference.
//! - `cuda`: NVIDIA GPUs. Nothing of CUDA is needed to build; a driver and its runtime compiler are looked for when a device
//!   is opened.
//! - `train`: training sets and the training of surrogates (`train`).
//! - `hdf5`: AxonML's HDF5 training sets in and out; implies `train`.
#![forbid(unsafe_code)]

#[cfg(feature = "cpu")]
pub mod conformance;
pub mod curve;
pub mod demonstration;
pub mod design;
pub mod evaluation;
pub mod optimization;
pub mod study;
pub mod verification;

pub use axonml_core::{CoreError, Field, Medium, Nerve, PULSES, PointSource, TimeGrid, Waveform};
pub use axonml_models::{
    Device, Fiber, FiberModel, MODELS, Model, NodeSelection, Observation, ObserverKind,
    ObserverSpec, Precision, Settings, Simulation, SimulationError, Stimulus, Threshold,
    ThresholdSearch, model, read_nerve,
};

pub mod field {
    //! Extracellular potentials: point sources, sampled lines, and how they are interpolated.
    pub use axonml_core::{
        CubicSpline, Extension, Field, Interpolation, Interpolator, Medium, PointSource,
        SampledLine, SampledPotentials, SplineBasis, Superposition,
    };
}

pub mod waveform {
    //! Waveforms: pulses by name, tables and samples, and what a time step makes of them.
    pub use axonml_core::waveform::*;
    pub use axonml_core::{TimeGrid, Waveform};
}

pub mod nerve {
    //! Nerves in cuffs: the potential of each contact along each fiber, from arrays or from a folder.
    pub use axonml_core::{
        ContactGeometry, FascicleGeometry, GapRepair, GeometryChecks, Nerve, NerveArrays,
        NerveGeometry, SamplingError,
    };
    pub use axonml_models::{
        NerveFolderError, NerveNote, NerveOptions, NerveReading, nerve_from_files, read_nerve,
        read_nerve_with,
    };
}

pub mod model {
    //! Fiber models: the bundled ones, what a model of your own states, and weights of surrogates.
    //!
    //! # A published membrane
    //! `examples/custom_model.rs`, which names the crates behind this one (`axonml_core`, `axonml_models`); their items are
    //! [`axonml::field`](mod@crate::field), [`axonml::model`](mod@crate::model) and [`axonml::simulation`](crate::simulation) here:
    #![doc = concat!("```no_run\n", include_str!("../../examples/custom_model.rs"), "```")]
    //! # Mechanisms, ions and concentrations
    //! `examples/custom_mechanism.rs`:
    #![doc = concat!("```no_run\n", include_str!("../../examples/custom_mechanism.rs"), "```")]
    pub use axonml_models::description::{
        self, DescriptionError, FiberDescription, ModelChoice, ModelChoiceError,
    };
    pub use axonml_models::mechanisms;
    pub use axonml_models::weights;
    pub use axonml_models::{
        Buffer, ConductionSpeed, DeclaredStart, Difference, Expr, FiberModel, FiberSymbols,
        Geometry, Ion, LinearScheme, MODELS, Membrane, Model, ModelGroup, Models, Myelinated,
        MyelinatedSection, Parameter, Patch, Physical, Reduced, Scale, Schema, SectionKind,
        Surrogate, Text, Unmyelinated, Validation, model,
    };
}

pub mod simulation {
    //! Fibers with numbers put in: runs, recordings, activation and block thresholds, recruitment and their gradients.
    pub use axonml_models::memory;
    pub use axonml_models::provenance;
    pub use axonml_models::{
        Amplitudes, BLOCK_STATUSES, BlockSearch, BlockStatus, BlockThreshold, Bracket, CancelToken,
        Conduction, ConductionVelocity, Course, Crossing, DEFAULT_NODES, DEFAULT_TSTOP_MS,
        DRIFT_MS, DetectedRun, Detection, Device, DeviceReport, Ends, ErrorSummary, Evaluation,
        Extents, Fiber, FiberDerivative, FiberExtent, FiberLength, FiberOutcome, FiberState,
        FiberStatus, Gradient, GradientRequest, InitialState, Instability, LARGEST_MV, Look,
        NA_PER_MA, NODES_LIMIT, NodeSelection, Objective, Observation, ObserverKind, ObserverSpec,
        Outcome, Precision, Progress, REGENERATION_MV, RateEvaluation, RecordedCotangent,
        Recording, RecruitmentStep, Response, ResponseDifference, STATUSES, SYNAPTIC_CONDUCTANCE,
        Settings, Simulation, SimulationError, Site, SourceCotangent, SpikeShape, SpikeStart,
        StableGeometry, Start, Status, Stimulus, Synapse, TABLE_TOLERANCE, TRANSMISSION_STATES,
        TestPulses, Threshold, ThresholdGradient, ThresholdKind, ThresholdSearch, Traces,
        Transmission, TransmissionState, VELOCITY_STATUSES, VOLTAGE, VelocitySites, WithSynapse,
        drift_mv, quantile, recruitment, spike_shape,
    };
}

pub mod population {
    //! Populations under the contacts of a cuff: currents are rows of a matrix, and a question is one call for all of
    //! them and all fibers ([`Basis`]).
    pub use axonml_models::{
        Activation, ActivationOptions, Basis, LossBound, Pair, Scaling, SourceGain, StateSum,
    };
}

pub mod error {
    //! Errors, and how messages show numbers.
    pub use axonml_autodiff::engine::BackendError;
    pub use axonml_autodiff::ir::TraceError;
    pub use axonml_core::error::{exact, short};
    pub use axonml_core::{CoreError, format_ms};
    pub use axonml_models::SimulationError;
}

pub mod table {
    //! Tables: conditions, delimited text, arrays, and names that are nearly right.
    pub use axonml_core::delimited;
    pub use axonml_core::names;
    pub use axonml_models::conditions;
    pub use axonml_models::{ArrayError, NpyElement, Npz, NpzWriter, read_array, read_text_file};
}

pub mod file {
    //! Files that survive a kill or a full disk, and how much room there is.
    pub use axonml_files::*;
}

pub mod tape {
    //! Tensors whose operations are recorded and differentiated, runs and thresholds among them.
    pub use axonml_autodiff::tape::*;
    pub use axonml_models::{StateTensors, TapedRun, TapedRunError, TapedThresholds, Trajectories};
    pub use ndarray;
}

pub mod ir {
    //! Traced expressions and programs, their derivatives, and the form that executors take.
    pub use axonml_autodiff::ir::*;
}

pub mod backend {
    //! What runs rollouts: the contract, cables, reverse mode, and the backends of this build.
    pub use axonml_autodiff::adjoint;
    pub use axonml_autodiff::cable;
    pub use axonml_autodiff::engine::*;
    #[cfg(feature = "cpu")]
    pub use axonml_cpu::{CpuBackend, Isa, Reference};
    #[cfg(feature = "cuda")]
    pub use axonml_cuda::{CudaBackend, CudaDevice, CudaError, DeviceStatus, HostKernels};
}

#[cfg(feature = "train")]
pub mod train {
    //! Training sets from exact fiber models, and the training of surrogates on them.
    pub use axonml_train::*;
}

/// The examples of the README, so that they stay true.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
