//! The sum over the sources of a group, cached between steps.
//!
//! Most waveforms are constant for many steps at a time, while in a group of fibers with a few contacts each some
//! source is on most of the time. So the sum over sources is cached, and recomputed only in lanes where a strength has
//! changed.

use axonml_autodiff::ir::Real;

use super::Fields;
use crate::cable::{lanes, lanes_mut};
use crate::isa::{Isa, Kernel, dispatch};

/// Lanes that are summed one by one where no more have changed; else all are summed at once.
const FEW: usize = 2;

/// The sum of sources, each times its strength per lane.
#[derive(Debug)]
pub(super) struct Total<R> {
    fields: Fields<R>,
    /// `[source][lane]`: the strengths that `fields` is the sum for, or would be if it were `cached`.
    strengths: Vec<R>,
    cached: bool,
    /// Whether any strength is not zero.
    on: bool,
    /// Whether many lanes changed in the last requested step: if many change again, the sum is not worth caching.
    volatile: bool,
    /// Scratch, `[source][lane]`.
    new: Vec<R>,
}

/// How a sum that is not cached is computed.
#[derive(Clone, Copy)]
enum How<'a> {
    /// Recomputes these lanes.
    Lanes(&'a [usize]),
    /// Recomputes all lanes.
    Recompute,
    /// Computes all lanes without caching the sum.
    Uncached,
}

/// A source's strength per lane and its field.
type Term<'a, R, const L: usize> = (&'a [R; L], &'a [R]);

impl<R: Real> Total<R> {
    /// Creates a sum of `sources` in arrays of `lanes` lanes.
    pub(super) fn new(sources: &[&Fields<R>], lanes: usize) -> Self {
        let longest = |of: fn(&Fields<R>) -> usize| {
            let lengths = sources.iter().map(|&fields| of(fields));
            vec![R::default(); lengths.max().unwrap_or(0)]
        };
        let strengths = vec![R::default(); sources.len() * lanes];
        Total {
            fields: Fields {
                nodes: longest(|fields| fields.nodes.len()),
                modes: longest(|fields| fields.modes.len()),
            },
            new: strengths.clone(),
            strengths,
            cached: true,
            on: false,
            volatile: false,
        }
    }

    /// Adds the sum for the strengths that `set` fills in, `[source][lane]`, to currents into nodes and to modes. The
    /// sum  of a lane depends on nothing but the lane's own sources.
    pub(super) fn add<'f, const L: usize>(
        &mut self,
        isa: Isa,
        field: impl Fn(usize) -> &'f Fields<R>,
        set: impl FnOnce(&mut [[R; L]]),
        current: &mut [R],
        modes: Option<&mut [R]>,
    ) {
        set(lanes_mut(&mut self.new));
        let modes = modes.filter(|_| !self.fields.modes.is_empty());
        if self.cached && self.new == self.strengths {
            self.volatile = false;
            if self.on {
                dispatch(
                    isa,
                    Add {
                        x: &self.fields.nodes,
                        to: current,
                    },
                );
                if let Some(to) = modes {
                    dispatch(
                        isa,
                        Add {
                            x: &self.fields.modes,
                            to,
                        },
                    );
                }
            }
            return;
        }
        let (new, old) = (lanes::<R, L>(&self.new), lanes::<R, L>(&self.strengths));
        let differs = |&lane: &usize| new.iter().zip(old).any(|(new, old)| new[lane] != old[lane]);
        let changed: Vec<usize> = (0..L).filter(differs).collect();
        let few = changed.len() <= FEW;
        let how = match (self.cached, few) {
            (true, true) => How::Lanes(&changed),
            (_, false) if self.volatile => How::Uncached,
            _ => How::Recompute,
        };
        self.cached = !matches!(how, How::Uncached);
        self.volatile = !few;
        std::mem::swap(&mut self.strengths, &mut self.new);

        let strengths = lanes::<R, L>(&self.strengths);
        let is_on = |&source: &usize| strengths[source] != [R::default(); L];
        let on: Vec<usize> = (0..strengths.len()).filter(is_on).collect();
        self.on = !on.is_empty();
        let terms = |of: fn(&Fields<R>) -> &[R]| -> Vec<Term<'_, R, L>> {
            let all = on
                .iter()
                .map(|&source| (&strengths[source], of(field(source))));
            all.filter(|(_, field)| !field.is_empty()).collect()
        };
        add_sum(
            isa,
            how,
            &terms(|f| &f.nodes),
            &mut self.fields.nodes,
            current,
        );
        if let Some(to) = modes {
            add_sum(isa, how, &terms(|f| &f.modes), &mut self.fields.modes, to);
        }
    }
}

fn add_sum<R: Real, const L: usize>(
    isa: Isa,
    how: How<'_>,
    terms: &[Term<'_, R, L>],
    sum: &mut [R],
    to: &mut [R],
) {
    match how {
        How::Lanes(changed) => {
            for &lane in changed {
                dispatch(isa, SumLane { terms, lane, sum });
            }
        }
        How::Recompute => dispatch(isa, Sum { terms, sum }),
        How::Uncached => return dispatch(isa, AddSum { terms, to }),
    }
    if !terms.is_empty() {
        dispatch(isa, Add { x: sum, to });
    }
}

/// Sums all lanes.
struct Sum<'a, R, const L: usize> {
    terms: &'a [Term<'a, R, L>],
    sum: &'a mut [R],
}

impl<R: Real, const L: usize> Kernel for Sum<'_, R, L> {
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        for (row, sum) in lanes_mut::<R, L>(self.sum).iter_mut().enumerate() {
            *sum = sum_of::<R, L, FUSED>(self.terms, row);
        }
    }
}

/// Sums all lanes and adds the sums, without caching them.
struct AddSum<'a, R, const L: usize> {
    terms: &'a [Term<'a, R, L>],
    to: &'a mut [R],
}

impl<R: Real, const L: usize> Kernel for AddSum<'_, R, L> {
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        for (row, to) in lanes_mut::<R, L>(self.to).iter_mut().enumerate() {
            let sum = sum_of::<R, L, FUSED>(self.terms, row);
            for l in 0..L {
                to[l] += sum[l];
            }
        }
    }
}

/// The sum over sources in one row: from 0, in their order, so that a source that is off, or is not there, changes
/// nothing, not even a sign.
#[inline(always)]
fn sum_of<R: Real, const L: usize, const FUSED: bool>(
    terms: &[Term<'_, R, L>],
    row: usize,
) -> [R; L] {
    let mut sum = [R::default(); L];
    for (strength, field) in terms {
        let field = &lanes::<R, L>(field)[row];
        for l in 0..L {
            sum[l] = strength[l].fma::<FUSED>(field[l], sum[l]);
        }
    }
    sum
}

/// Sums one lane.
struct SumLane<'a, R, const L: usize> {
    terms: &'a [Term<'a, R, L>],
    lane: usize,
    sum: &'a mut [R],
}

impl<R: Real, const L: usize> Kernel for SumLane<'_, R, L> {
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let lane = self.lane;
        let rows = lanes_mut::<R, L>(self.sum);
        rows.iter_mut().for_each(|row| row[lane] = R::default());
        let own = |(strength, _): &&Term<'_, R, L>| strength[lane] != R::default();
        for (strength, field) in self.terms.iter().filter(own) {
            for (row, field) in rows.iter_mut().zip(lanes::<R, L>(field)) {
                row[lane] = strength[lane].fma::<FUSED>(field[lane], row[lane]);
            }
        }
    }
}

/// `to += x`.
struct Add<'a, R> {
    x: &'a [R],
    to: &'a mut [R],
}

impl<R: Real> Kernel for Add<'_, R> {
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let n = self.to.len();
        let (x, to) = (&self.x[..n], self.to);
        for i in 0..n {
            to[i] += x[i];
        }
    }
}

#[cfg(test)]
mod tests;
