//! Settings of a kernel as definitions, the first part of its text.

use std::fmt::{Display, Write};

use axonml_autodiff::adjoint::GradientRequest;
use axonml_autodiff::cable::{ExplicitCable, ReducedCable};
use axonml_autodiff::engine::{LARGEST_MV, LARGEST_REFERENCE_MV, Rollout};
use axonml_autodiff::ir::{Precision, Real};

use super::Role;
use crate::layout::{WARPS, is_explicit, modes, state_rows};
use crate::literal::literal;

/// Appends a definition.
pub(super) fn define(text: &mut String, name: &str, value: &dyn Display) {
    let _ = writeln!(text, "#define {name} {value}");
}

/// The definitions that every kernel takes.
pub(super) fn settings<R: Real>(
    rollout: &Rollout,
    nodes_per_lane: usize,
    role: Role,
    request: GradientRequest,
    blocks: usize,
) -> String {
    let states = rollout.membrane.states.len();
    let explicit = is_explicit(rollout);
    let mut text = String::new();
    let mut set = |name: &str, value: &dyn Display| define(&mut text, name, value);
    set("KERNEL", &role.name());
    set("REAL_IS_FLOAT", &u8::from(R::PRECISION == Precision::F32));
    set("P", &nodes_per_lane);
    set("WARPS", &WARPS);
    set("BLOCKS_PER_MULTIPROCESSOR", &blocks);
    set("STATES", &states);
    set("STATES_OR_1", &states.max(1));
    set("EXPLICIT_CABLE", &u8::from(explicit));
    set("MODES", &modes(rollout));
    set("STATE_ROWS", &state_rows(rollout));
    // In the adjoint pass the seed cotangents of the last states overwrite these.
    set(
        "FINAL_STATES",
        &u8::from(rollout.final_states || role != Role::Run),
    );
    set("QUIET_END", &u8::from(ends_early(rollout, role)));
    set("GRADIENT", &u8::from(role != Role::Run));
    set("REVERSE", &u8::from(role == Role::Reverse));
    if role != Role::Run {
        let kept = Kept::new(rollout, request);
        set("KEEP_G", &u8::from(kept.conductances));
        set("KEEP_J", &u8::from(kept.sources));
        set("KEEP_MODES", &u8::from(kept.modes));
    }
    set("LOG2_E", &literal::<R>(R::LOG2_E.to_f64()));
    set("SUSPECT_SCALE", &literal::<R>(suspect_scale::<R>()));
    if explicit {
        for (name, value) in [
            ("QUARTER", 0.25),
            ("STABLE", ExplicitCable::STABLE),
            ("LARGEST_STABILITY", ExplicitCable::LARGEST_STABILITY),
            (
                "LARGEST_AMPLIFICATION",
                ExplicitCable::LARGEST_AMPLIFICATION,
            ),
        ] {
            set(name, &literal::<R>(value));
        }
    }
    set("EXP_MAX", &literal::<R>(R::EXP_MAX.to_f64()));
    if R::PRECISION == Precision::F64 {
        for (name, value) in [
            ("LN2_HI", R::LN2_HI),
            ("LN2_LO", R::LN2_LO),
            ("ROUND", R::ROUND),
            ("EXPM1_MIN", R::EXPM1_MIN),
        ] {
            set(name, &literal::<R>(value.to_f64()));
        }
        set("EXPM1_POLYNOMIAL(r)", &horner::<R>(R::EXPM1_POLY));
    }
    text.push('\n');
    text
}

/// Whether fibers may end before the last step because they will not fire any more; never where a run is differentiated.
pub(super) fn ends_early(rollout: &Rollout, role: Role) -> bool {
    rollout.quiet_end.is_some() && role == Role::Run
}

/// Factor that takes every voltage that may be beyond [`LARGEST_MV`], for any reference potential, beyond the largest
/// finite number.
fn suspect_scale<R: Real>() -> f64 {
    let most = match R::PRECISION {
        Precision::F32 => f64::from(f32::MAX),
        Precision::F64 => f64::MAX,
    };
    // With a margin for rounding.
    most / (0.8 * (LARGEST_MV - LARGEST_REFERENCE_MV))
}

/// Rows that are stored of every state besides voltages and state variables.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kept {
    conductances: bool,
    sources: bool,
    modes: bool,
}

impl Kept {
    pub(crate) fn new(rollout: &Rollout, request: GradientRequest) -> Self {
        Kept {
            conductances: !is_explicit(rollout) || request.cables,
            sources: request.cables,
            modes: request.cables,
        }
    }

    /// Rows over a fiber that a stored state takes.
    pub(crate) fn rows(self, rollout: &Rollout) -> usize {
        let modes = if self.modes { modes(rollout) } else { 0 };
        let densities = usize::from(self.conductances) + usize::from(self.sources);
        1 + rollout.membrane.states.len() + densities + modes
    }
}

/// A polynomial in `r`, lowest order first.
fn horner<R: Real>(coefficients: &[R]) -> String {
    let mut terms = coefficients.iter().rev().map(|c| literal::<R>(c.to_f64()));
    let first = terms.next().unwrap_or_default();
    terms.fold(first, |sum, c| format!("F(fma)({sum}, r, {c})"))
}

/// How many blocks should fit a multiprocessor at once: bounds the registers of a thread, of which each quarter of a
/// multiprocessor has 16,384. The state of long fibers and of large membranes does not fit few registers; the compiler
/// is then left alone.
pub(super) fn blocks<R: Real>(rollout: &Rollout, nodes_per_lane: usize) -> usize {
    let double = modes(rollout) > ReducedCable::MODES;
    let warps = match (double, nodes_per_lane * words::<R>()) {
        _ if is_large(rollout) => 1,
        (true, 1) | (false, 1 | 2) => 20,
        (true, 2) => 16,
        (true, 3) | (false, 3 | 4) => 12,
        _ => 1,
    };
    warps / WARPS
}

/// The same for the adjoint pass.
pub(super) fn reverse_blocks<R: Real>(rollout: &Rollout, nodes_per_lane: usize) -> usize {
    let warps = match (modes(rollout), nodes_per_lane * words::<R>()) {
        _ if is_large(rollout) => 1,
        (_, 1) | (0, 2) => 16,
        (..=ReducedCable::MODES, 2) => 12,
        (_, 2) => 8,
        _ => 1,
    };
    warps / WARPS
}

/// Registers that a number takes.
fn words<R: Real>() -> usize {
    match R::PRECISION {
        Precision::F32 => 1,
        Precision::F64 => 2,
    }
}

/// Whether a membrane has more states than the registers of a busy multiprocessor hold.
fn is_large(rollout: &Rollout) -> bool {
    rollout.membrane.states.len() > 8
}
