//! Liveness of values and their assignment to slots (registers of a block executor or locals of a printed kernel).

use crate::program::{Extent, Program, Value, ValueId};

/// A slot for every value that needs one, reused when its value is no longer needed.
#[derive(Clone, Debug, PartialEq)]
pub struct Slots {
    /// Slot of each value; `None` for values that were not to be stored.
    pub of_value: Vec<Option<usize>>,
    /// Number of slots.
    pub count: usize,
}

impl Slots {
    /// Assigns slots in order of computation. `arguments[id]` lists what value `id` is computed from, or is `None` if it
    /// is not computed; `stored[id]` says whether it needs a slot (it may live elsewhere); `live_to_end` are the values
    /// read after the last computation.
    ///
    /// A value never gets the slot of one of its own arguments, so executors may read these while they write.
    pub fn assign(
        arguments: &[Option<Vec<ValueId>>],
        stored: &[bool],
        live_to_end: &[ValueId],
    ) -> Slots {
        let mut last_use = vec![0; arguments.len()];
        for (id, list) in arguments.iter().enumerate() {
            list.iter()
                .flatten()
                .for_each(|&argument| last_use[argument] = id);
        }
        live_to_end.iter().for_each(|&id| last_use[id] = usize::MAX);

        let mut of_value: Vec<Option<usize>> = vec![None; arguments.len()];
        let mut free: Vec<usize> = Vec::new();
        let mut count = 0;
        for (id, list) in arguments.iter().enumerate() {
            let Some(list) = list else { continue };
            if stored[id] {
                // The most recently freed slot is the one most likely still in cache.
                of_value[id] = Some(free.pop().unwrap_or_else(|| {
                    count += 1;
                    count - 1
                }));
            }
            let mut done: Vec<ValueId> = list
                .iter()
                .copied()
                .filter(|&a| last_use[a] == id)
                .collect();
            done.sort_unstable();
            done.dedup();
            free.extend(done.into_iter().filter_map(|a| of_value[a]));
        }
        Slots { of_value, count }
    }
}

impl Program {
    /// Slots for the per-node operations of the program; constants, inputs and values of shared or fibre extent have
    /// none. Outputs stay live to the end.
    pub fn slots(&self) -> Slots {
        let extents = self.extents();
        let arguments: Vec<Option<Vec<ValueId>>> = self
            .values()
            .iter()
            .zip(&extents)
            .map(|(value, extent)| match (value, extent) {
                (Value::Apply(_, arguments), Extent::Node) => Some(arguments.clone()),
                _ => None,
            })
            .collect();
        let outputs: Vec<ValueId> = self.outputs().iter().map(|&(_, id)| id).collect();
        Slots::assign(&arguments, &vec![true; arguments.len()], &outputs)
    }
}
