//! Lowering of a program to a tape: instructions for a group of lanes, ready for the block interpreter.

use axonml_autodiff::{FusedArgument, FusedOp, FusedProgram, Op, PerLane, Real, Slots};

/// Where an instruction finds an operand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Operand<R> {
    /// The same number in every lane.
    Scalar(R),
    /// One number per lane, repeated over the block: index into [`Tape::tiles`].
    Tile(usize),
    /// A per-node array given to the run.
    Input(usize),
    /// A per-node array that the run produces.
    Output(usize),
    /// An intermediate result.
    Slot(usize),
}

/// Where an instruction writes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Destination {
    Output(usize),
    Slot(usize),
    /// Adds to a running sum over the nodes of each lane.
    Sum(usize),
}

/// What becomes of a program's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A per-node array that the run produces, by its place among those.
    Array(usize),
    /// A sum over the nodes of each lane (and over runs), by its place among those.
    Sum(usize),
}

impl Target {
    /// Every one of `outputs` outputs an array.
    pub(crate) fn arrays(outputs: usize) -> Vec<Target> {
        (0..outputs).map(Target::Array).collect()
    }
}

/// What an instruction does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Action {
    Compute(FusedOp),
    /// Copies the first operand.
    Copy,
    /// Adds the first operand to the destination.
    Add,
    /// Adds the product of the first two operands to the destination.
    AddProduct,
}

#[derive(Clone, Debug)]
pub(crate) struct Instruction<R> {
    pub(crate) action: Action,
    pub(crate) to: Destination,
    /// Unused operands repeat the first.
    pub(crate) from: [Operand<R>; 4],
}

/// A program specialised to the parameters of a group of lanes.
#[derive(Debug)]
pub(crate) struct Tape<R> {
    pub(crate) instructions: Vec<Instruction<R>>,
    /// Per-lane constants, each of `lanes` numbers.
    pub(crate) tiles: Vec<Vec<R>>,
    /// Number of lanes.
    pub(crate) lanes: usize,
    /// Number of slots.
    pub(crate) slots: usize,
    /// For every sum, whether it is collected with the opposite sign.
    pub(crate) negated: Vec<bool>,
}

impl<R: Real> Tape<R> {
    /// Lowers `fused` for `lanes` lanes. `coefficients[coefficient][lane]` are its coefficients; `node_inputs[input]` is
    /// the array that holds an input of node extent; `targets[output]` says what becomes of an output.
    pub(crate) fn new(
        fused: &FusedProgram,
        coefficients: &[PerLane],
        node_inputs: &[Option<usize>],
        targets: &[Target],
        lanes: usize,
    ) -> Self {
        let plan = Plan::new(fused, targets);
        let mut tape = Tape {
            instructions: Vec::new(),
            tiles: Vec::new(),
            lanes,
            slots: plan.slots.count,
            negated: plan.negated.clone(),
        };
        let place = |argument: FusedArgument, tiles: &mut Vec<Vec<R>>| match argument {
            FusedArgument::Number(value) => Operand::Scalar(R::from_f64(value)),
            FusedArgument::Coefficient(index) => constant(&coefficients[index], tiles),
            FusedArgument::Input(input) => Operand::Input(
                node_inputs[input].expect("inputs of node extent are bound to arrays"),
            ),
            FusedArgument::Step(step) => match plan.destination(step) {
                Destination::Output(output) => Operand::Output(output),
                Destination::Slot(slot) => Operand::Slot(slot),
                Destination::Sum(_) => unreachable!("sums are not read"),
            },
        };
        for item in &plan.items {
            let (action, to, from) = match *item {
                Item::Step(step) => (
                    Action::Compute(fused.steps[step].op),
                    plan.destination(step),
                    &fused.steps[step].arguments[..],
                ),
                Item::Product(step, sum) => (
                    Action::AddProduct,
                    Destination::Sum(sum),
                    &fused.steps[step].arguments[..],
                ),
                Item::Sum(ref argument, sum) => (
                    Action::Add,
                    Destination::Sum(sum),
                    std::slice::from_ref(argument),
                ),
            };
            let from: Vec<Operand<R>> = from
                .iter()
                .map(|&argument| place(argument, &mut tape.tiles))
                .collect();
            tape.push(action, to, &from);
        }
        for (output, target) in fused.outputs.iter().zip(targets) {
            // Outputs that are inputs, constants, or repeat another output.
            let Target::Array(array) = *target else {
                continue;
            };
            let from = place(*output, &mut tape.tiles);
            if from != Operand::Output(array) {
                tape.push(Action::Copy, Destination::Output(array), &[from]);
            }
        }
        tape
    }

    fn push(&mut self, action: Action, to: Destination, from: &[Operand<R>]) {
        let mut operands = [from[0]; 4];
        operands[..from.len()].copy_from_slice(from);
        self.instructions.push(Instruction {
            action,
            to,
            from: operands,
        });
    }
}

/// What is done one after the other.
#[derive(Clone, Copy)]
enum Item {
    /// Computes a step.
    Step(usize),
    /// Adds a step that is a product and that nothing else reads to a sum, without storing it.
    Product(usize, usize),
    /// Adds a number to a sum.
    Sum(FusedArgument, usize),
}

/// The order of computation, and where steps live.
struct Plan {
    items: Vec<Item>,
    /// Array output that a step is, if it is one: the first of several.
    array_of: Vec<Option<usize>>,
    /// Position of each step in `items`.
    item_of: Vec<usize>,
    slots: Slots,
    negated: Vec<bool>,
}

impl Plan {
    fn new(fused: &FusedProgram, targets: &[Target]) -> Plan {
        let steps = fused.steps.len();
        let mut array_of = vec![None; steps];
        let mut reads = vec![0_usize; steps];
        for argument in fused.steps.iter().flat_map(|step| &step.arguments) {
            if let FusedArgument::Step(step) = *argument {
                reads[step] += 1;
            }
        }
        for (argument, target) in fused.outputs.iter().zip(targets).rev() {
            if let FusedArgument::Step(step) = *argument {
                reads[step] += 1;
                if let Target::Array(array) = *target {
                    array_of[step] = Some(array);
                }
            }
        }

        // What is added to sums after each step, and in the end.
        let is_sum = |target: &&Target| matches!(target, Target::Sum(_));
        let mut negated = vec![false; targets.iter().filter(is_sum).count()];
        let mut skipped = vec![false; steps];
        let mut after: Vec<Vec<Item>> = vec![Vec::new(); steps + 1];
        for (output, target) in fused.outputs.iter().zip(targets) {
            let Target::Sum(sum) = *target else { continue };
            let (mut argument, mut only_here) = (*output, true);
            let mut at = steps;
            if let FusedArgument::Step(step) = argument {
                at = step;
                only_here = reads[step] == 1;
                // The sum of negatives is the negative of the sum.
                if fused.steps[step].op == FusedOp::Apply(Op::Neg) {
                    negated[sum] = true;
                    skipped[step] = only_here;
                    argument = fused.steps[step].arguments[0];
                }
            }
            match argument {
                FusedArgument::Number(0.0) => {}
                FusedArgument::Step(step)
                    if only_here
                        && reads[step] == 1
                        && fused.steps[step].op == FusedOp::Apply(Op::Mul) =>
                {
                    skipped[step] = true;
                    after[at].push(Item::Product(step, sum));
                }
                _ => after[at].push(Item::Sum(argument, sum)),
            }
        }
        let mut items = Vec::new();
        let mut item_of = vec![0; steps];
        for step in 0..steps {
            item_of[step] = items.len();
            if !skipped[step] {
                items.push(Item::Step(step));
            }
            items.append(&mut after[step]);
        }
        items.append(&mut after[steps]);

        let steps_in = |arguments: &[FusedArgument]| -> Option<Vec<usize>> {
            let steps = arguments.iter().filter_map(|argument| match argument {
                FusedArgument::Step(step) => Some(item_of[*step]),
                _ => None,
            });
            Some(steps.collect())
        };
        let reads: Vec<Option<Vec<usize>>> = items
            .iter()
            .map(|item| match *item {
                Item::Step(step) | Item::Product(step, _) => steps_in(&fused.steps[step].arguments),
                Item::Sum(argument, _) => steps_in(&[argument]),
            })
            .collect();
        // A step that is an array output lives there; the others take slots.
        let stored: Vec<bool> = items
            .iter()
            .map(|item| matches!(*item, Item::Step(step) if array_of[step].is_none()))
            .collect();
        let slots = Slots::assign(&reads, &stored, &[]);
        Plan {
            items,
            array_of,
            item_of,
            slots,
            negated,
        }
    }

    fn destination(&self, step: usize) -> Destination {
        match (self.array_of[step], self.slots.of_value[self.item_of[step]]) {
            (Some(array), _) => Destination::Output(array),
            (None, Some(slot)) => Destination::Slot(slot),
            (None, None) => unreachable!("every step has a place"),
        }
    }
}

/// A constant operand: a scalar where all lanes agree, else a tile.
fn constant<R: Real>(values: &[f64], tiles: &mut Vec<Vec<R>>) -> Operand<R> {
    if values
        .iter()
        .all(|value| value.to_bits() == values[0].to_bits())
    {
        return Operand::Scalar(R::from_f64(values[0]));
    }
    let tile: Vec<R> = values.iter().map(|&value| R::from_f64(value)).collect();
    let known = tiles.iter().position(|known| *known == tile);
    Operand::Tile(known.unwrap_or_else(|| {
        tiles.push(tile);
        tiles.len() - 1
    }))
}
