//! Kernels as text: the membrane of a rollout printed, the rest of the kernel included.

use std::fmt::Write;

use axonml_autodiff::cable::ReducedCable;
use axonml_autodiff::{Cable, ObserverKind, PerLane, Precision, Real, Rollout};

use crate::layout::{Header, LANES, ObserverWords, WARPS};
use crate::literal::literal;
use crate::membrane::{MembraneText, ParameterSets};

const PRELUDE: &str = include_str!("kernel/prelude.cu");
const EXPRELR: &str = include_str!("kernel/exprelr.cu");
const CONTEXT: &str = include_str!("kernel/context.cu");
const IMPLICIT: &str = include_str!("kernel/cable_implicit.cu");
const EXPLICIT: &str = include_str!("kernel/cable_explicit.cu");
const MODES: &str = include_str!("kernel/modes.cu");
const DRIVE: &str = include_str!("kernel/drive.cu");
const OBSERVERS: &str = include_str!("kernel/observers.cu");
const ROLLOUT: &str = include_str!("kernel/rollout.cu");

/// A kernel for one model, time step, precision and range of fibre lengths.
#[derive(Clone, Debug, PartialEq)]
pub struct KernelSource {
    /// CUDA C++ (17) text, complete.
    pub text: String,
    /// Its arithmetic.
    pub precision: Precision,
    /// Nodes per lane of a warp: the kernel takes fibres of up to 32 times as many nodes.
    pub nodes_per_lane: usize,
    /// Numbers that differ between fibres, `[parameter][set]`.
    pub(crate) parameters: Vec<PerLane>,
}

impl KernelSource {
    /// The kernels that running `rollout` takes: one for each number of nodes per lane that occurs.
    pub fn for_rollout(rollout: &Rollout) -> Vec<KernelSource> {
        crate::plan::classes(rollout)
            .into_iter()
            .map(|(nodes_per_lane, fibers)| {
                let sets = ParameterSets::new(rollout, &fibers);
                match rollout.precision {
                    Precision::F32 => KernelSource::new::<f32>(rollout, &sets, nodes_per_lane),
                    Precision::F64 => KernelSource::new::<f64>(rollout, &sets, nodes_per_lane),
                }
            })
            .collect()
    }

    pub(crate) fn new<R: Real>(
        rollout: &Rollout,
        sets: &ParameterSets,
        nodes_per_lane: usize,
    ) -> Self {
        let membrane = MembraneText::new::<R>(rollout, sets);
        let kind = rollout.fibers.first().map(|fiber| &*fiber.cable);
        let modes = crate::layout::modes(rollout);
        let explicit = matches!(kind, Some(Cable::Explicit(_)));
        let states = rollout.membrane.states.len();
        let mut text = String::new();
        let mut define = |name: &str, value: &dyn std::fmt::Display| {
            let _ = writeln!(text, "#define {name} {value}");
        };
        define("REAL_IS_FLOAT", &u8::from(R::PRECISION == Precision::F32));
        define("P", &nodes_per_lane);
        define("WARPS", &WARPS);
        define(
            "BLOCKS_PER_MULTIPROCESSOR",
            &blocks_per_multiprocessor(R::PRECISION, nodes_per_lane, modes),
        );
        define("STATES", &states);
        define("STATES_OR_1", &states.max(1));
        define("EXPLICIT_CABLE", &u8::from(explicit));
        define("MODES", &modes);
        define("STATE_ROWS", &crate::layout::state_rows(rollout));
        define("FINAL_STATES", &u8::from(rollout.final_states));
        define("LOG2_E", &literal::<R>(R::LOG2_E.to_f64()));
        define("EXP_MAX", &literal::<R>(R::EXP_MAX.to_f64()));
        if R::PRECISION == Precision::F64 {
            for (name, value) in [
                ("LN2_HI", R::LN2_HI),
                ("LN2_LO", R::LN2_LO),
                ("ROUND", R::ROUND),
                ("EXPM1_MIN", R::EXPM1_MIN),
            ] {
                define(name, &literal::<R>(value.to_f64()));
            }
            define("EXPM1_POLYNOMIAL(r)", &horner::<R>(R::EXPM1_POLY));
        }
        text.push('\n');
        text += PRELUDE;
        if membrane.text.contains("exprelr_d") {
            text.push('\n');
            text += EXPRELR;
        }
        text.push('\n');
        text += &Header::declaration();
        text += &ObserverWords::declaration();
        let cable = if explicit { EXPLICIT } else { IMPLICIT };
        let modes = if modes > 0 { MODES } else { "" };
        for part in [CONTEXT, &membrane.text, cable, modes, DRIVE, OBSERVERS] {
            text.push('\n');
            text += part;
        }
        text.push('\n');
        text += &observers(rollout);
        text.push('\n');
        text += ROLLOUT;
        KernelSource {
            text,
            precision: R::PRECISION,
            nodes_per_lane,
            parameters: membrane.parameters,
        }
    }

    pub(crate) fn bytes_of_a_number(&self) -> usize {
        match self.precision {
            Precision::F32 => 4,
            Precision::F64 => 8,
        }
    }

    /// Threads of a block.
    pub(crate) fn threads(&self) -> usize {
        WARPS * LANES
    }
}

/// A polynomial in `r`, lowest order first.
fn horner<R: Real>(coefficients: &[R]) -> String {
    let mut terms = coefficients.iter().rev().map(|c| literal::<R>(c.to_f64()));
    let first = terms.next().unwrap_or_default();
    terms.fold(first, |sum, c| format!("F(fma)({sum}, r, {c})"))
}

/// How many blocks should fit a multiprocessor at once: bounds the registers of a thread, of which each quarter of a
/// multiprocessor has 16,384. State of long fibres does not fit registers anyway; the compiler is then left alone.
fn blocks_per_multiprocessor(precision: Precision, nodes_per_lane: usize, modes: usize) -> usize {
    let double = modes > ReducedCable::MODES;
    let words = match precision {
        Precision::F32 => 1,
        Precision::F64 => 2,
    };
    let warps = match (double, nodes_per_lane * words) {
        (true, 1) | (false, 1 | 2) => 20,
        (true, 2) => 16,
        (true, 3) | (false, 3 | 4) => 12,
        _ => 1,
    };
    warps / WARPS
}

/// `struct Observers`: one member per observer, of a type that follows from its kind.
fn observers(rollout: &Rollout) -> String {
    let kinds: Vec<String> = rollout
        .observers
        .iter()
        .map(|spec| match &spec.kind {
            ObserverKind::Active { .. } => "Active".to_owned(),
            ObserverKind::ActionPotentialCount => "Count".to_owned(),
            ObserverKind::Raster => "Raster".to_owned(),
            ObserverKind::Maximum => "Maximum".to_owned(),
            ObserverKind::Recorder { states, .. } => {
                let known = &rollout.membrane.states;
                let indices: Vec<String> = states
                    .iter()
                    .filter_map(|name| known.iter().position(|state| state == name))
                    .map(|index| index.to_string())
                    .collect();
                format!("Recorder<{}>", indices.join(", "))
            }
        })
        .collect();
    let mut text = "struct Observers {\n".to_owned();
    for (index, kind) in kinds.iter().enumerate() {
        let _ = writeln!(text, "  {kind} o{index};");
    }
    let each = |text: &mut String, signature: &str, call: &str| {
        let _ = writeln!(text, "  DEVICE_MEMBER void {signature} {{");
        for index in 0..kinds.len() {
            let call = call.replace('#', &index.to_string());
            let _ = writeln!(text, "    o{index}.{call};");
        }
        text.push_str("  }\n");
    };
    each(&mut text, "load(const Context& x)", "load(x, #)");
    each(
        &mut text,
        "see(const Context& x, u32 state, const REAL (&u)[P], const REAL (&before)[P], const REAL (&states)[P][STATES_OR_1])",
        "see(x, state, u, before, states)",
    );
    each(&mut text, "finish(const Context& x) const", "finish(x)");
    let answered = rollout
        .stop_when_active
        .map_or("false".to_owned(), |index| format!("o{index}.answered()"));
    let _ = writeln!(
        text,
        "  DEVICE_MEMBER bool answered() const {{ return {answered}; }}\n}};"
    );
    text
}
