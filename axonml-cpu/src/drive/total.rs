//! The sources of a group, joined: what all of them do together in a step.
//!
//! Most waveforms are constant for many steps at a time, while in a group of fibers with a few contacts each some source
//! is on most of the time. So the sum over sources is kept, and made anew only in lanes where a strength has changed.

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
    /// `[slot][lane]`: the strengths that `fields` is the sum for, or would be if it were `kept`.
    strengths: Vec<R>,
    kept: bool,
    /// Whether any of them is not zero.
    on: bool,
    /// Whether many lanes changed in the step last asked for: if they do so again, the sum is not worth keeping.
    restless: bool,
    /// Scratch, `[slot][lane]`.
    new: Vec<R>,
}

/// How a sum that is not at hand is computed.
#[derive(Clone, Copy)]
enum How<'a> {
    /// By summing these lanes anew.
    Lanes(&'a [usize]),
    /// By summing all lanes anew.
    Anew,
    /// Without keeping it.
    Passing,
}

/// A source's strength per lane and its field.
type Term<'a, R, const L: usize> = (&'a [R; L], &'a [R]);

impl<R: Real> Total<R> {
    /// For `slots` fields in arrays of `lanes` lanes.
    pub(super) fn new(slots: &[&Fields<R>], lanes: usize) -> Self {
        let longest = |of: fn(&Fields<R>) -> usize| {
            let lengths = slots.iter().map(|&fields| of(fields));
            vec![R::default(); lengths.max().unwrap_or(0)]
        };
        let strengths = vec![R::default(); slots.len() * lanes];
        Total {
            fields: Fields {
                nodes: longest(|fields| fields.nodes.len()),
                modes: longest(|fields| fields.modes.len()),
            },
            new: strengths.clone(),
            strengths,
            kept: true,
            on: false,
            restless: false,
        }
    }

    /// Adds the sum for the strengths that `set` fills in, `[slot][lane]`, to currents into nodes and to modes. The sum
    /// of a lane depends on nothing but the lane's own sources.
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
        if self.kept && self.new == self.strengths {
            self.restless = false;
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
        let how = match (self.kept, few) {
            (true, true) => How::Lanes(&changed),
            (_, false) if self.restless => How::Passing,
            _ => How::Anew,
        };
        self.kept = !matches!(how, How::Passing);
        self.restless = !few;
        std::mem::swap(&mut self.strengths, &mut self.new);

        let strengths = lanes::<R, L>(&self.strengths);
        let is_on = |&slot: &usize| strengths[slot] != [R::default(); L];
        let on: Vec<usize> = (0..strengths.len()).filter(is_on).collect();
        self.on = !on.is_empty();
        let terms = |of: fn(&Fields<R>) -> &[R]| -> Vec<Term<'_, R, L>> {
            let all = on.iter().map(|&slot| (&strengths[slot], of(field(slot))));
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
        How::Anew => dispatch(isa, Sum { terms, sum }),
        How::Passing => return dispatch(isa, AddSum { terms, to }),
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

/// Sums all lanes and adds the sums, without keeping them.
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
