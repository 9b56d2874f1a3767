//! Twins of many currents through the same contacts: sums of the responses to each contact alone.

use std::collections::BTreeMap;

use super::{Trace, Twins};
use crate::SimulationError;

/// The twins of a population's fibers under each contact alone, from which those at any gains are summed.
#[derive(Debug)]
pub(crate) struct ContactTwins<'s> {
    /// Twins at a gain of 1 of one contact, `[fiber, contact]`.
    units: Twins<'s>,
    contacts: usize,
    /// Of each fiber of the rollout that is asked about: the fiber of the population, and the gains of the contacts.
    members: Vec<(usize, Vec<f64>)>,
}

impl<'s> ContactTwins<'s> {
    /// `units` are the twins of fibers under one contact each, `[fiber, contact]`; a member is a fiber, as counted there,
    /// with the gains of its contacts.
    pub(crate) fn new(units: Twins<'s>, contacts: usize, members: Vec<(usize, Vec<f64>)>) -> Self {
        ContactTwins {
            units,
            contacts,
            members,
        }
    }

    /// The responses of `members` at `nodes` at least, up to the state `last`.
    pub(super) fn responses(
        &mut self,
        members: &[usize],
        nodes: &[usize],
        last: usize,
    ) -> Result<Vec<(usize, Trace)>, SimulationError> {
        let units = members.iter().flat_map(|&member| {
            let first = self.members[member].0 * self.contacts;
            (first..first + self.contacts).map(|unit| (unit, nodes.to_vec()))
        });
        let wanted: BTreeMap<usize, Vec<usize>> = units.collect();
        self.units.look_at(&wanted, last)?;
        Ok(members
            .iter()
            .map(|&member| (member, self.sum(member)))
            .collect())
    }

    /// Voltage of a member without contacts, where its response is known.
    pub(super) fn base(&self, member: usize) -> Trace {
        let unit = self.members[member].0 * self.contacts;
        let base = &self.units.bases[&self.units.equal[unit]];
        Trace {
            end: None,
            ..base.clone()
        }
    }

    fn sum(&self, member: usize) -> Trace {
        let (fiber, gains) = &self.members[member];
        let units = (0..self.contacts).map(|contact| fiber * self.contacts + contact);
        let known = units.filter_map(|unit| self.units.units.get(&unit));
        let mut known = known.zip(gains);
        let Some((first, gain)) = known.next() else {
            unreachable!("a population has a contact, and its twins were looked at")
        };
        // Fibers are looked at with all of their contacts, so that nodes and states are the same; nothing is known beyond the
        // state at which one of them diverged.
        let mut last = first.last;
        let mut sum: Vec<f64> = scaled(first, *gain).collect();
        for (of_contact, gain) in known {
            last = last.max(of_contact.last);
            sum.truncate(of_contact.v_mv.len());
            sum.iter_mut()
                .zip(scaled(of_contact, *gain))
                .for_each(|(sum, x)| *sum += x);
        }
        Trace {
            nodes: first.nodes.clone(),
            last,
            v_mv: sum.into_iter().map(|x| x as f32).collect(),
            end: None,
            scale: 1.0,
        }
    }
}

fn scaled(trace: &Trace, gain: f64) -> impl Iterator<Item = f64> {
    let factor = gain / trace.scale;
    trace.v_mv.iter().map(move |&x| factor * f64::from(x))
}
