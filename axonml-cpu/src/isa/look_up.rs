//! Values of tables: on AVX-512 two registers hold the numbers of all segments.

#[cfg(test)]
mod tests;

use axonml_autodiff::ir::Real;
use axonml_autodiff::ir::tabulation::SEGMENTS;

use super::{Isa, Kernel, Kind, dispatch};

/// Numbers that tables are looked up for at a time: a register of AVX-512.
pub(crate) const WIDTH: usize = 16;

/// Looks values of a table up: on AVX-512 in registers, elsewhere one by one, with the same bits where multiply-adds are
/// fused.
#[inline]
#[allow(unsafe_code)]
pub(crate) fn look_up(isa: Isa, look_up: LookUp<'_>) {
    match isa.0 {
        // SAFETY: an `Isa` of this kind is only made by `Isa::available` after detecting exactly these features.
        #[cfg(target_arch = "x86_64")]
        Kind::Avx512 => unsafe { x86::look_up(look_up) },
        _ => dispatch(isa, look_up),
    }
}

/// Values of a table at places, whose number is a multiple of [`WIDTH`].
pub(crate) struct LookUp<'a> {
    pub(crate) coefficients: &'a [[f32; SEGMENTS]],
    pub(crate) segments: &'a [u32],
    pub(crate) offsets: &'a [f32],
    pub(crate) values: &'a mut [f32],
}

impl LookUp<'_> {
    #[inline(always)]
    fn of_degree<const N: usize, const FUSED: bool>(
        coefficients: &[[f32; SEGMENTS]; N],
        segments: &[u32],
        offsets: &[f32],
        values: &mut [f32],
    ) {
        for ((&segment, &offset), value) in segments.iter().zip(offsets).zip(values) {
            let segment = segment as usize % SEGMENTS;
            let mut sum = coefficients[N - 1][segment];
            for power in (0..N - 1).rev() {
                sum = sum.fma::<FUSED>(offset, coefficients[power][segment]);
            }
            *value = sum;
        }
    }
}

impl Kernel for LookUp<'_> {
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let LookUp {
            coefficients,
            segments,
            offsets,
            values,
        } = self;
        macro_rules! degrees {
            ($($n:literal),+) => {
                match coefficients.len() {
                    $($n => if let Some(of) = coefficients.first_chunk::<$n>() {
                        Self::of_degree::<$n, FUSED>(of, segments, offsets, values);
                    },)+
                    count => unreachable!("tables have 4 to 7 coefficients, not {count}"),
                }
            };
        }
        degrees!(4, 5, 6, 7);
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{
        __m512, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_loadu_si512, _mm512_permutex2var_ps,
        _mm512_setzero_ps, _mm512_storeu_ps,
    };

    use axonml_autodiff::ir::tabulation::SEGMENTS;

    use super::{LookUp, WIDTH};

    /// A table's numbers in two registers are permuted by the segments in a third.
    #[inline(never)]
    #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
    pub(super) fn look_up(look_up: LookUp<'_>) {
        let coefficients = look_up.coefficients;
        macro_rules! degrees {
            ($($n:literal),+) => {
                match coefficients.len() {
                    $($n => if let Some(of) = coefficients.first_chunk::<$n>() {
                        of_degree::<$n>(of, look_up);
                    },)+
                    count => unreachable!("tables have 4 to 7 coefficients, not {count}"),
                }
            };
        }
        degrees!(4, 5, 6, 7);
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
    #[allow(unsafe_code)]
    fn of_degree<const N: usize>(coefficients: &[[f32; SEGMENTS]; N], look_up: LookUp<'_>) {
        // SAFETY: it reads 64 bytes, of any alignment, which the array has.
        let load = |x: &[f32; WIDTH]| unsafe { _mm512_loadu_ps(x.as_ptr()) };
        let (mut low, mut high): ([__m512; N], [__m512; N]) =
            ([_mm512_setzero_ps(); N], [_mm512_setzero_ps(); N]);
        for (k, row) in coefficients.iter().enumerate() {
            let (halves, _) = row.as_chunks::<WIDTH>();
            (low[k], high[k]) = (load(&halves[0]), load(&halves[1]));
        }
        let (segments, _) = look_up.segments.as_chunks::<WIDTH>();
        let (offsets, _) = look_up.offsets.as_chunks::<WIDTH>();
        let (values, _) = look_up.values.as_chunks_mut::<WIDTH>();
        for ((segments, offsets), values) in segments.iter().zip(offsets).zip(values) {
            // SAFETY: it reads 64 bytes, of any alignment, which the array has.
            let index = unsafe { _mm512_loadu_si512(segments.as_ptr().cast()) };
            let offset = load(offsets);
            // Of an index the permutation takes the lowest five bits: every one is a segment.
            let mut sum = _mm512_permutex2var_ps(low[N - 1], index, high[N - 1]);
            for power in (0..N - 1).rev() {
                let c = _mm512_permutex2var_ps(low[power], index, high[power]);
                sum = _mm512_fmadd_ps(sum, offset, c);
            }
            // SAFETY: it writes 64 bytes, of any alignment, which the array has.
            unsafe { _mm512_storeu_ps(values.as_mut_ptr(), sum) };
        }
    }
}
