//! Instruction sets and the one place where code is compiled for more than the baseline.

mod look_up;

use std::fmt;

pub(crate) use look_up::{LookUp, WIDTH, look_up};

/// An instruction set that this processor has; values exist only for sets that were detected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Isa(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// Baseline of the compilation target: SSE2 on x86-64, NEON on AArch64.
    Baseline,
}

impl Isa {
    /// All instruction sets of this processor that kernels are compiled for, best first.
    pub fn available() -> Vec<Isa> {
        #[allow(unused_mut)]
        let mut found = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            let avx512 = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512bw");
            if avx2 && avx512 {
                found.push(Isa(Kind::Avx512));
            }
            if avx2 {
                found.push(Isa(Kind::Avx2));
            }
        }
        found.push(Isa(Kind::Baseline));
        found
    }

    /// The best instruction set of this processor.
    pub fn best() -> Isa {
        Isa::available()[0]
    }

    /// Name, as `axonml devices` shows it.
    pub fn name(self) -> &'static str {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => "avx512",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => "avx2+fma",
            Kind::Baseline if cfg!(target_arch = "aarch64") => "neon",
            Kind::Baseline => "baseline",
        }
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A piece of work that profits from wide instructions: ordinary loops, marked `#[inline(always)]` together with all
/// they call, so that they are compiled once per instruction set.
pub(crate) trait Kernel {
    /// Does the work; `FUSED` tells whether fused multiply-add is an instruction.
    fn run<const FUSED: bool>(self);
}

/// Runs a kernel as compiled for `isa`.
#[inline]
#[allow(unsafe_code)]
pub(crate) fn dispatch<K: Kernel>(isa: Isa, kernel: K) {
    match isa.0 {
        // SAFETY: an `Isa` of this kind is only made by `Isa::available` after detecting exactly these features.
        #[cfg(target_arch = "x86_64")]
        Kind::Avx512 => unsafe { x86::avx512(kernel) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Kind::Avx2 => unsafe { x86::avx2(kernel) },
        Kind::Baseline => baseline(kernel),
    }
}

/// AArch64 has fused multiply-add in its baseline; SSE2 would call libm for every element.
#[inline(never)]
fn baseline<K: Kernel>(kernel: K) {
    kernel.run::<{ cfg!(target_arch = "aarch64") }>();
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::Kernel;

    #[inline(never)]
    #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
    pub(super) fn avx512<K: Kernel>(kernel: K) {
        kernel.run::<true>();
    }

    #[inline(never)]
    #[target_feature(enable = "avx2,fma")]
    pub(super) fn avx2<K: Kernel>(kernel: K) {
        kernel.run::<true>();
    }
}
