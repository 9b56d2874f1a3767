//! Experiments as data: a [`Study`] says which fibers, which field, which stimulus and which question; it can be printed,
//! repeated, split over machines and put together again.
//!
//! A study goes through three steps. [`Plan::new`] reads its files and lays out its [`Case`]s, so that everything wrong
//! is refused before work starts. [`Plan::run`] answers the cases batch by batch, in the size that suits memory and
//! threads, tells a [`Listener`] of every answer, keeps answers in a file that survives a kill, and can be canceled.
//! [`Plan::results`] makes of the answers typed tables with their provenance. None of the ways in which a study can be
//! run (threads, batches, [`Share`]s, interruptions) changes a byte of its results.
//!
//! # Example
//! Thresholds of two fibers at two distances:
//! ```
//! use axonml::Device;
//! use axonml::study::{Execution, Machine, Plan, Silent, Study};
//!
//! let study = Study::from_toml(r#"
//!     [fibers]
//!     diameter_um = [5.7, 10]
//!
//!     [field]
//!     distance_um = [500, 1000]
//!
//!     [protocol]
//!     kind = "threshold"
//! "#)?;
//! let machine = Machine::new(Device::auto()?);
//! let plan = Plan::new(&study, &machine, &mut Silent)?;
//! let outcome = plan.run(&Execution::default(), &mut Silent)?;
//! let results = plan.results(&outcome)?;
//!
//! let thresholds_ma = results.table.numbers("threshold_mA");
//! assert_eq!(thresholds_ma.len(), 4);
//! // The 10 um fiber 1 mm away.
//! assert!((thresholds_ma[3].unwrap() - 0.1236).abs() < 1e-4);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Keys
//! Tables and keys are the fields of [`Study`], with SI spelling of units (`amp_nA`, `threshold_mV`, `frequency_kHz`); fields
//! whose key differs say so. A study with every table:
//! ```
//! # use axonml::study::Study;
//! # let study = Study::from_toml(r#"
//! [[fibers]]                     # FiberGroup; one table [fibers], or several groups
//! name = "motor"
//! model = "mrg"                  # an id of axonml::MODELS, of a [[model]] of the study, or the path of a fiber file (.toml)
//! diameter_um = { normal = { mean_um = 8, sd_um = 2, min_um = 5.7, max_um = 14 } }   # or one number, or a list
//! count = 100                    # needed where diameters are drawn
//! nodes = 53                     # or length_um
//! offset_um = "random"
//! weight = 2.0
//! set = { gl = 0.008 }           # parameters of the model
//!
//! [field]                        # FieldSpec: nerve with contacts, distance_um, points, or a basis
//! point = [{ x_um = 1000, z_um = -1500 }, { x_um = 1000, z_um = 1500, factor = -1 }]
//! resistivity_ohm_cm = 500
//!
//! [[source]]                     # SourceSpec; a waveform for all of the field, or for one contact or point
//! point = 0
//! pulse = "monophasic:pw=0.1,delay=2"
//! pulse_width_ms = [0.1, 0.2]    # lists make a grid
//!
//! [[inject]]                     # InjectionSpec; without amp_nA it is the unknown, where there is no field
//! node = 26
//! amp_nA = 0.1
//! pw_ms = 1.0
//! delay_ms = 2.0
//!
//! [conditioning]                 # ConditioningSpec: a current that starts an action potential before
//! node = 26
//! amp_nA = 3.0
//! pw_ms = 0.2
//! at_ms = 1.0
//!
//! [detection]                    # DetectionSpec
//! nodes = [5, -5]
//! threshold_mV = 0
//! after_ms = 2.0
//!
//! [protocol]                     # Protocol: the question and its settings
//! kind = "threshold"
//!
//! [search]                       # SearchSpec
//! max_amplitude_mA = 20
//! resolution = 1e-4
//!
//! [numerics]                     # NumericsSpec
//! dt_ms = 0.005
//! tstop_ms = 10.0
//! precision = "f64"
//! seed = 1                       # of all that is drawn
//!
//! [output]                       # OutputSpec
//! keep_going = true
//! # "#)?;
//! # assert_eq!(study.injections[0].amp_na, Some(0.1));
//! # Ok::<(), axonml::study::StudyError>(())
//! ```
//! In place of `[fibers]` and `[field]`, `[conditions]` names a table with one case a row.
//!
//! # Questions and their tables
//! [`Results::table`] has the columns that tell cases apart (`model`, `fiber`, `diameter_um`, `n_nodes`, what the grid varies),
//! then:
//!
//! | `kind` | columns | further tables |
//! | --- | --- | --- |
//! | `threshold` | `threshold_mA`, `lower_mA`, `upper_mA` (nA where a current is the unknown), `start_node`, `start_um`, `start_ms`, `status`, `message` | |
//! | `rheobase` | the same, `rheobase_mA` in place of `threshold_mA` | |
//! | `strength-duration` | those of `threshold` | `fits`: `law`, `rheobase_mA`, `chronaxie_ms`, `misfit_pct` |
//! | `current-distance` | those of `threshold` | `fits`: `i0_mA`, `k_mA_per_mm2`, `misfit_pct` |
//! | `recovery` | those of `threshold`, and `delay_ms`, `interval_ms`, `unconditioned_mA`, `ratio` | |
//! | `recruitment` | `amplitude_mA`, `of`, `group`, `fascicle`, `diameter_um`, `fraction` | `at` (the same at given amplitudes), `thresholds` |
//! | `block` | `excitation_lower_mA`, `excitation_mA`, `block_lower_mA`, `block_mA`, `reexcitation_lower_mA`, `reexcitation_mA`, `status`, `message` | |
//! | `response` | `amplitude_mA`, `n_ap`, `n_ap_expected`, `state`, `message` | |
//! | `cv` | `cv_m_per_s`, `node_a`, `node_b`, `t_a_ms`, `t_b_ms`, `site_distance_um`, `start`, `start_node`, `status`, `message` | |
//! | `run` | `active_nodes`, `first_node`, `first_ms`, `detected_spikes`, `start_node`, `v_max_mV`, `status`, `message` | `spikes`: `node`, `z_um`, `t_ms` |
//!
//! Statuses are those of [`STATUSES`](crate::simulation::STATUSES), [`BLOCK_STATUSES`](crate::simulation::BLOCK_STATUSES),
//! [`TRANSMISSION_STATES`](crate::simulation::TRANSMISSION_STATES) and [`VELOCITY_STATUSES`](crate::simulation::VELOCITY_STATUSES).

mod answer;
mod batch;
mod case;
mod difference;
mod doubts;
mod error;
mod execute;
mod journal;
mod listener;
mod merge;
mod own_models;
mod pace;
mod plan;
mod planning;
mod protocol;
mod report;
mod rerun;
mod setup;
mod share;
mod spec;
mod unused;
mod weights;

pub use answer::{Answer, FiberRecording};
pub use batch::{Batch, ReadyBatch, groups, most_at_once, of_one, refused};
pub use case::{Case, CaseInjection, CaseInjections, CaseSource};
pub(crate) use difference::difference_text;
pub use doubts::{rounding, warn_of_doubts};
pub use error::{Fault, StudyError};
pub use execute::{Execution, Outcome};
pub use listener::{Listener, Silent};
pub use merge::{merge, share_text};
pub use own_models::{DEFAULT_MODEL, model_named};
pub use plan::{
    Member, ModelSetup, Place, Plan, PlannedCase, Record, Refused, Request, SETTINGS, Sheet, device,
};
pub(crate) use plan::{injections, placed_injections};
pub use protocol::{Found, recordings_npz, search_thresholds};
pub use report::{
    Cell, NpzArchive, Results, Statuses, Table, counted, error_summary, json_text, significant,
};
pub use rerun::{Repetition, is_result, rerun, study_of};
pub use setup::{Machine, Setup};
pub use share::Share;
pub use spec::*;
pub use weights::{NamedWeights, PUBLISHED, WeightChoice, bundled_for, weights_named};
