//! Kernels as text: the membrane of a rollout printed, the rest of the kernel included.

mod observed;
mod settings;

use axonml_autodiff::adjoint::GradientRequest;
use axonml_autodiff::engine::Rollout;
use axonml_autodiff::ir::{LaneValues, Precision, Real};

use crate::layout::{Header, LANES, ObserverWords, WARPS, is_explicit, modes, result};
use crate::membrane::{Constants, MembraneText, ParameterSets};
use crate::sums::{FLUSH_STEPS, SumLayout};
use observed::{observers, seeds};
pub(crate) use settings::Kept;
use settings::{blocks, define, ends_early, reverse_blocks, settings};

const PRELUDE: &str = include_str!("kernel/prelude.cu");
const EXPRELR: &str = include_str!("kernel/exprelr.cu");
const CONTEXT: &str = include_str!("kernel/context.cu");
const IMPLICIT: &str = include_str!("kernel/cable_implicit.cu");
const EXPLICIT: &str = include_str!("kernel/cable_explicit.cu");
const INTERNODES: &str = include_str!("kernel/internodes.cu");
const MODES: &str = include_str!("kernel/modes.cu");
const DRIVE: &str = include_str!("kernel/drive.cu");
const OBSERVERS: &str = include_str!("kernel/observers.cu");
const QUIET: &str = include_str!("kernel/quiet.cu");
const ROLLOUT: &str = include_str!("kernel/rollout.cu");
const KEPT: &str = include_str!("kernel/kept.cu");
const KEEP: &str = include_str!("kernel/keep.cu");
const SUMS: &str = include_str!("kernel/sums.cu");
const MODES_BACK: &str = include_str!("kernel/modes_back.cu");
const CABLE_BACK: &str = include_str!("kernel/cable_back.cu");
const DRIVE_BACK: &str = include_str!("kernel/drive_back.cu");
const SEEDS: &str = include_str!("kernel/seeds.cu");
const REVERSE: &str = include_str!("kernel/reverse.cu");

/// A kernel for one model, time step, precision and range of fiber lengths.
#[derive(Clone, Debug, PartialEq)]
pub struct KernelSource {
    /// CUDA C++ (17) text, complete.
    pub text: String,
    /// Name of the kernel within it.
    pub name: &'static str,
    /// Its arithmetic.
    pub precision: Precision,
    /// Nodes per lane of a warp: the kernel takes fibers of up to 32 times as many nodes.
    pub nodes_per_lane: usize,
    /// Numbers that differ between fibers, `[parameter][set]`.
    pub(crate) parameters: Vec<LaneValues>,
    /// Whether it takes the tables of gradients too.
    pub(crate) of_gradients: bool,
}

/// Most bytes of shared memory that a block takes without asking.
const SHARED_BYTES: usize = 48 << 10;

/// Role of a kernel.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Role {
    /// Forward.
    Run,
    /// Forward pass of a gradient: stores trajectory and checkpoints.
    Keep,
    /// Adjoint pass.
    Reverse,
}

impl Role {
    /// Name of the kernel.
    fn name(self) -> &'static str {
        match self {
            Role::Run => "axonml_rollout",
            Role::Keep => "axonml_rollout_keeping",
            Role::Reverse => "axonml_reverse",
        }
    }
}

impl KernelSource {
    /// The kernels that running `rollout` takes: one for each number of nodes per lane that occurs.
    pub fn for_rollout(rollout: &Rollout) -> Vec<KernelSource> {
        each_class(rollout, |sets, nodes_per_lane| {
            vec![match rollout.precision {
                Precision::F32 => KernelSource::new::<f32>(rollout, sets, nodes_per_lane),
                Precision::F64 => KernelSource::new::<f64>(rollout, sets, nodes_per_lane),
            }]
        })
    }

    /// The kernels that differentiating `rollout` takes: a forward and an adjoint one for each number of nodes per lane
    /// that occurs.
    pub fn for_gradients(rollout: &Rollout, request: GradientRequest) -> Vec<KernelSource> {
        each_class(rollout, |sets, nodes_per_lane| {
            let both = match rollout.precision {
                Precision::F32 => {
                    KernelSource::of_gradients::<f32>(rollout, sets, nodes_per_lane, request)
                }
                Precision::F64 => {
                    KernelSource::of_gradients::<f64>(rollout, sets, nodes_per_lane, request)
                }
            };
            both.into()
        })
    }

    pub(crate) fn new<R: Real>(
        rollout: &Rollout,
        sets: &ParameterSets,
        nodes_per_lane: usize,
    ) -> Self {
        KernelSource::forward::<R>(
            rollout,
            sets,
            nodes_per_lane,
            Role::Run,
            GradientRequest::default(),
        )
    }

    /// The forward and the adjoint kernel.
    pub(crate) fn of_gradients<R: Real>(
        rollout: &Rollout,
        sets: &ParameterSets,
        nodes_per_lane: usize,
        request: GradientRequest,
    ) -> [Self; 2] {
        [
            KernelSource::forward::<R>(rollout, sets, nodes_per_lane, Role::Keep, request),
            KernelSource::reverse::<R>(rollout, sets, nodes_per_lane, request),
        ]
    }

    fn forward<R: Real>(
        rollout: &Rollout,
        sets: &ParameterSets,
        nodes_per_lane: usize,
        role: Role,
        request: GradientRequest,
    ) -> Self {
        let membrane = MembraneText::new::<R>(rollout, sets, constants(role, request));
        let fit = blocks::<R>(rollout, nodes_per_lane);
        let head = settings::<R>(rollout, nodes_per_lane, role, request, fit);
        let [kept, keep] = match role {
            Role::Keep => [KEPT, KEEP],
            Role::Run | Role::Reverse => ["", ""],
        };
        let observers = observers(rollout);
        let quiet = match ends_early(rollout, role) {
            true => QUIET,
            false => "",
        };
        let parts = [
            &membrane.text,
            cable(rollout),
            INTERNODES,
            MODES,
            DRIVE,
            OBSERVERS,
            &observers,
            quiet,
            kept,
            keep,
            ROLLOUT,
        ];
        let text = assemble(head, &membrane, &parts);
        KernelSource::of::<R>(role, nodes_per_lane, text, membrane)
    }

    fn reverse<R: Real>(
        rollout: &Rollout,
        sets: &ParameterSets,
        nodes_per_lane: usize,
        request: GradientRequest,
    ) -> Self {
        let constants = constants(Role::Reverse, request);
        let membrane = MembraneText::adjoints::<R>(rollout, sets, request.parameters, constants);
        let sums = SumLayout::new(rollout, nodes_per_lane, request);
        let fit = reverse_blocks::<R>(rollout, nodes_per_lane);
        let mut head = settings::<R>(rollout, nodes_per_lane, Role::Reverse, request, fit);
        let numbers = sums.held() * LANES + 2 * modes(rollout);
        let shared = WARPS * numbers * size_of::<R>() <= SHARED_BYTES;
        for (name, value) in [
            ("OF_CABLES", usize::from(request.cables)),
            ("COEFFICIENTS", sums.coefficients.step),
            ("CURRENTS_COEFFICIENTS", sums.coefficients.currents),
            ("FIBER_TOTALS", sums.totals),
            ("LANE_SUMS", sums.of_lane),
            ("SHARED_SUMS", usize::from(shared)),
            ("FLUSH_STEPS", FLUSH_STEPS),
        ] {
            define(&mut head, name, &value);
        }
        let seeds = seeds(rollout);
        let parts = [
            SUMS,
            &membrane.text,
            cable(rollout),
            INTERNODES,
            MODES_BACK,
            CABLE_BACK,
            DRIVE,
            DRIVE_BACK,
            SEEDS,
            &seeds,
            KEPT,
            REVERSE,
        ];
        let text = assemble(head, &membrane, &parts);
        KernelSource::of::<R>(Role::Reverse, nodes_per_lane, text, membrane)
    }

    fn of<R: Real>(
        role: Role,
        nodes_per_lane: usize,
        text: String,
        membrane: MembraneText,
    ) -> Self {
        KernelSource {
            text,
            name: role.name(),
            precision: R::PRECISION,
            nodes_per_lane,
            parameters: membrane.parameters,
            of_gradients: role != Role::Run,
        }
    }

    /// Threads of a block.
    pub(crate) fn threads(&self) -> usize {
        WARPS * LANES
    }
}

/// Gradients by parameters or cables imply updates of these: constants stay in memory.
fn constants(role: Role, request: GradientRequest) -> Constants {
    match role != Role::Run && (request.parameters || request.cables) {
        true => Constants::Read,
        false => Constants::Printed,
    }
}

/// Makes kernels for each number of nodes per lane that occurs.
fn each_class(
    rollout: &Rollout,
    make: impl Fn(&ParameterSets, usize) -> Vec<KernelSource>,
) -> Vec<KernelSource> {
    let classes = crate::plan::classes(rollout).into_iter();
    classes
        .flat_map(|(nodes_per_lane, fibers)| {
            make(&ParameterSets::new(rollout, &fibers), nodes_per_lane)
        })
        .collect()
}

/// A kernel's text: its settings, the common prelude, and its own parts, separated by lines.
fn assemble(head: String, membrane: &MembraneText, parts: &[&str]) -> String {
    let declarations = declarations();
    let common = [PRELUDE, exprelr(membrane), &declarations, CONTEXT];
    let mut text = head;
    for part in common.iter().chain(parts).filter(|part| !part.is_empty()) {
        text.push('\n');
        text += part;
    }
    text
}

/// The cable's part of a kernel.
fn cable(rollout: &Rollout) -> &'static str {
    match is_explicit(rollout) {
        true => EXPLICIT,
        false => IMPLICIT,
    }
}

fn declarations() -> String {
    Header::declaration() + &ObserverWords::declaration() + &result::declaration()
}

/// Derivatives of `x/(e^x - 1)`, where a membrane has any.
fn exprelr(membrane: &MembraneText) -> &'static str {
    match membrane.text.contains("exprelr_d") {
        true => EXPRELR,
        false => "",
    }
}
