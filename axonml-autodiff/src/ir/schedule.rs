//! Liveness of values and register allocation (registers of a block executor or locals of a printed kernel).

use crate::ir::{Extent, Program, Value, ValueId};
use crate::ir::{FusedArgument, FusedProgram, FusedStep};

/// A register for every value that needs one, reused when its value is no longer live.
#[derive(Clone, Debug, PartialEq)]
pub struct Slots {
    /// Slot of each value; `None` for values that were not to be stored.
    pub of_value: Vec<Option<usize>>,
    /// Number of registers.
    pub count: usize,
}

impl Slots {
    /// Assigns registers in order of computation. `arguments[id]` lists the operands of value `id`, or is `None` if it
    /// is not computed; `stored[id]` tells whether it needs a register (it may live elsewhere); `live_to_end` are the
    /// values read after the last computation.
    ///
    /// A value never gets the register of one of its own arguments, so executors may read these while they write.
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
                // The most recently freed register is the one most likely still in cache.
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
    /// Slots for the per-node operations of the program; constants, inputs and values of shared or fiber extent have
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

impl FusedProgram {
    /// The same program with its steps in an order in which few results are needed at a time, so that executors keep
    /// them close: of some orders, the one with the fewest registers. For long programs with many outputs, such as
    /// adjoints.
    pub(super) fn rescheduled(self) -> Self {
        let readers = readers(&self);
        let slots = |order: &[usize]| {
            let mut position = vec![0; order.len()];
            order
                .iter()
                .enumerate()
                .for_each(|(at, &step)| position[step] = at);
            let reads: Vec<_> = order
                .iter()
                .map(|&step| Some(arguments(&self.steps[step]).map(|a| position[a]).collect()))
                .collect();
            let stored: Vec<bool> = order.iter().map(|&step| readers[step] > 0).collect();
            Slots::assign(&reads, &stored, &[]).count
        };
        let outputs: Vec<usize> = self.outputs.iter().filter_map(step_of).collect();
        let backwards: Vec<usize> = outputs.iter().rev().copied().collect();
        let candidates = [
            (0..self.steps.len()).collect(),
            Scheduling::new(&self, &readers).order(&outputs),
            Scheduling::new(&self, &readers).order(&backwards),
        ];
        let best = candidates.into_iter().min_by_key(|order| slots(order));
        let order: Vec<usize> = best.unwrap_or_default();
        self.reordered(&order)
    }
}

fn step_of(argument: &FusedArgument) -> Option<usize> {
    match *argument {
        FusedArgument::Step(step) => Some(step),
        _ => None,
    }
}

/// The steps that a step reads, each once.
fn arguments(step: &FusedStep) -> impl Iterator<Item = usize> {
    let mut steps: Vec<usize> = step.arguments.iter().filter_map(step_of).collect();
    steps.sort_unstable();
    steps.dedup();
    steps.into_iter()
}

/// How many steps read each step.
fn readers(program: &FusedProgram) -> Vec<usize> {
    let mut readers = vec![0; program.steps.len()];
    for step in program.steps.iter().flat_map(arguments) {
        readers[step] += 1;
    }
    readers
}

/// An order as it grows.
struct Scheduling<'p> {
    program: &'p FusedProgram,
    readers: &'p [usize],
    /// Readers of each step that are still to come.
    waiting: Vec<usize>,
    done: Vec<bool>,
    order: Vec<usize>,
}

impl<'p> Scheduling<'p> {
    fn new(program: &'p FusedProgram, readers: &'p [usize]) -> Self {
        Scheduling {
            program,
            readers,
            waiting: readers.to_vec(),
            done: vec![false; readers.len()],
            order: Vec::with_capacity(readers.len()),
        }
    }

    /// Computes `outputs`, always the one that needs the fewest further steps, of equal ones the first.
    fn order(mut self, outputs: &[usize]) -> Vec<usize> {
        loop {
            let open = outputs.iter().filter(|&&output| !self.done[output]);
            let Some(&next) = open.min_by_key(|&&output| self.missing(output)) else {
                return self.order;
            };
            self.compute(next);
        }
    }

    /// Number of steps to be done before `step` is.
    fn missing(&self, step: usize) -> usize {
        let mut seen = self.done.clone();
        let mut stack = vec![step];
        let mut count = 0;
        while let Some(step) = stack.pop() {
            if !std::mem::replace(&mut seen[step], true) {
                count += 1;
                stack.extend(arguments(&self.program.steps[step]));
            }
        }
        count
    }

    /// Schedules `step` after its operands, the longest branch first.
    fn compute(&mut self, step: usize) {
        if self.done[step] {
            return;
        }
        let mut needed: Vec<usize> = arguments(&self.program.steps[step]).collect();
        needed.sort_by_key(|&argument| std::cmp::Reverse(self.missing(argument)));
        for argument in needed {
            self.compute(argument);
        }
        // One of the branches may have brought it along.
        if !self.done[step] {
            self.emit(step);
            while let Some(step) = self.free_of_cost() {
                self.emit(step);
            }
        }
    }

    fn emit(&mut self, step: usize) {
        self.done[step] = true;
        self.order.push(step);
        for argument in arguments(&self.program.steps[step]) {
            self.waiting[argument] -= 1;
        }
    }

    /// A step that can be done and is the last reader of at least as many results as it adds.
    fn free_of_cost(&self) -> Option<usize> {
        (0..self.done.len()).find(|&step| {
            let ready = !self.done[step]
                && arguments(&self.program.steps[step]).all(|argument| self.done[argument]);
            let last = |&argument: &usize| self.waiting[argument] == 1;
            let added = usize::from(self.readers[step] > 0);
            ready && arguments(&self.program.steps[step]).filter(last).count() >= added
        })
    }
}
