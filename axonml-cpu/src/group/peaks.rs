//! The largest voltage of every node of every lane, for observers of maxima: all lanes at once.

use axonml_autodiff::engine::{ObserverKind, Rollout};
use axonml_autodiff::ir::Real;

use crate::cable::{lanes, lanes_mut};
use crate::isa::{Isa, Kernel, dispatch};

/// Largest deviations since the states at which observers of maxima begin.
#[derive(Debug)]
pub(super) struct Peaks<R> {
    since: Vec<Since<R>>,
}

#[derive(Debug)]
struct Since<R> {
    first_state: usize,
    /// `[node][lane]`
    largest: Vec<R>,
}

impl<R: Real> Peaks<R> {
    /// For arrays of `len` numbers.
    pub(super) fn new(rollout: &Rollout, len: usize) -> Self {
        let maxima = rollout.observers.iter();
        let maxima = maxima.filter(|observer| matches!(observer.kind, ObserverKind::Maximum));
        let mut first: Vec<usize> = maxima
            .map(|observer| observer.first_state(&rollout.grid))
            .collect();
        first.sort_unstable();
        first.dedup();
        let since = first.into_iter().map(|first_state| Since {
            first_state,
            largest: vec![R::from_f64(f64::NEG_INFINITY); len],
        });
        Peaks {
            since: since.collect(),
        }
    }

    /// Looks at the lanes of a state that are open.
    pub(super) fn look<const L: usize>(
        &mut self,
        isa: Isa,
        state: usize,
        u: &[R],
        open: impl Fn(usize) -> bool,
    ) {
        let bound = |lane| {
            if open(lane) {
                f64::INFINITY
            } else {
                f64::NEG_INFINITY
            }
        };
        let below = &std::array::from_fn(|lane| R::from_f64(bound(lane)));
        for Since {
            first_state,
            largest,
        } in &mut self.since
        {
            if state >= *first_state {
                dispatch(isa, Raise::<R, L> { u, below, largest });
            }
        }
    }

    /// The largest deviations since a state, `[node][lane]`.
    pub(super) fn since(&self, first_state: usize) -> Option<&[R]> {
        let known = self.since.iter().find(|x| x.first_state == first_state)?;
        Some(&known.largest)
    }
}

struct Raise<'a, R, const L: usize> {
    u: &'a [R],
    /// Bound of what counts: nothing in closed lanes, all numbers in open ones.
    below: &'a [R; L],
    largest: &'a mut [R],
}

impl<R: Real, const L: usize> Kernel for Raise<'_, R, L> {
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        // A few rows at a time, for the reason that `AddScaled` gives.
        const ROWS: usize = 4;
        let (below, none) = (self.below, R::from_f64(f64::NEG_INFINITY));
        let (u, u_rest) = lanes::<R, L>(self.u).as_chunks::<ROWS>();
        let (largest, largest_rest) = lanes_mut::<R, L>(self.largest).as_chunks_mut::<ROWS>();
        let raise = |largest: &mut R, u: R, below: R| {
            // NaN does not count.
            let counted = if u < below { u } else { none };
            *largest = if counted > *largest {
                counted
            } else {
                *largest
            };
        };
        for (largest, u) in largest.iter_mut().zip(u) {
            for l in 0..L {
                for row in 0..ROWS {
                    raise(&mut largest[row][l], u[row][l], below[l]);
                }
            }
        }
        for (largest, u) in largest_rest.iter_mut().zip(u_rest) {
            for l in 0..L {
                raise(&mut largest[l], u[l], below[l]);
            }
        }
    }
}
