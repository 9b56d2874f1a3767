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
    /// Number of sums.
    pub(crate) sums: usize,
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
            sums: targets
                .iter()
                .filter(|target| matches!(target, Target::Sum(_)))
                .count(),
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
                Item::Sum(output, sum) => (
                    Action::Add,
                    Destination::Sum(sum),
                    std::slice::from_ref(&fused.outputs[output]),
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
    /// Adds an output to a sum.
    Sum(usize, usize),
}

/// The order of computation, and where steps live.
struct Plan {
    items: Vec<Item>,
    /// Array output that a step is, if it is one: the first of several.
    array_of: Vec<Option<usize>>,
    /// Position of each step in `items`.
    item_of: Vec<usize>,
    slots: Slots,
}

impl Plan {
    fn new(fused: &FusedProgram, targets: &[Target]) -> Plan {
        let steps = fused.steps.len();
        let mut array_of = vec![None; steps];
        let mut sums_of: Vec<Vec<(usize, usize)>> = vec![Vec::new(); steps];
        let mut constant_sums = Vec::new();
        for (output, (argument, target)) in fused.outputs.iter().zip(targets).enumerate().rev() {
            match (*argument, *target) {
                (FusedArgument::Step(step), Target::Array(array)) => array_of[step] = Some(array),
                (FusedArgument::Step(step), Target::Sum(sum)) => sums_of[step].push((output, sum)),
                (FusedArgument::Number(0.0), Target::Sum(_)) | (_, Target::Array(_)) => {}
                (_, Target::Sum(sum)) => constant_sums.push(Item::Sum(output, sum)),
            }
        }
        let mut read = vec![false; steps];
        for argument in fused.steps.iter().flat_map(|step| &step.arguments) {
            if let FusedArgument::Step(step) = argument {
                read[*step] = true;
            }
        }
        let mut items = Vec::new();
        let mut item_of = vec![0; steps];
        for step in 0..steps {
            item_of[step] = items.len();
            let product = fused.steps[step].op == FusedOp::Apply(Op::Mul);
            match sums_of[step][..] {
                [(_, sum)] if product && !read[step] && array_of[step].is_none() => {
                    items.push(Item::Product(step, sum));
                }
                ref sums => {
                    items.push(Item::Step(step));
                    items.extend(sums.iter().map(|&(output, sum)| Item::Sum(output, sum)));
                }
            }
        }
        items.extend(constant_sums);

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
                Item::Sum(output, _) => steps_in(&fused.outputs[output..=output]),
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
