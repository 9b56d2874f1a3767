//! Lowering of a program to a tape: instructions for a group of lanes, ready for the block interpreter.

use axonml_autodiff::ir::{
    FusedArgument, FusedOp, FusedProgram, LaneValues, Op, PairedFunction, ProgramLayout, Real,
    Slots, Target, Term,
};

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

/// Operation of an instruction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Action {
    Compute(FusedOp),
    /// Copies the first operand.
    Copy,
    /// Adds the first operand to the destination.
    Add,
    /// Adds the product of the first two operands to the destination.
    AddProduct,
    /// The product of three operands: of the first two, times the third.
    Product,
    /// A function into the destination and its derivative into another.
    ValueAndDerivative(PairedFunction),
}

/// Affine prologue applied to a function's argument, with the scalar operands that follow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Prologue {
    Nothing,
    /// It is multiplied by one.
    Scaled,
    /// It is multiplied by one, and another one is added.
    Affine,
}

#[derive(Clone, Debug)]
pub(crate) struct Instruction<R> {
    pub(crate) action: Action,
    pub(crate) to: Destination,
    /// Slot of the second result, of actions that have one.
    pub(crate) second: Option<usize>,
    pub(crate) before: Prologue,
    /// Unused operands repeat the first.
    pub(crate) from: [Operand<R>; 4],
}

/// A program specialized to the parameters of a group of lanes.
#[derive(Debug)]
pub(crate) struct Tape<R> {
    pub(crate) instructions: Vec<Instruction<R>>,
    /// Per-lane constants, each of `lanes` numbers.
    pub(crate) tiles: Vec<Vec<R>>,
    /// Number of lanes.
    pub(crate) lanes: usize,
    /// Number of registers.
    pub(crate) slots: usize,
    /// For every sum, whether it is accumulated with the opposite sign.
    pub(crate) negated: Vec<bool>,
}

impl<R: Real> Tape<R> {
    /// Lowers `fused` for `lanes` lanes. `coefficients[coefficient][lane]` are its coefficients.
    pub(crate) fn new(
        fused: &FusedProgram,
        coefficients: &[LaneValues],
        layout: &ProgramLayout,
        lanes: usize,
    ) -> Self {
        Tape::lower(fused, coefficients, layout, lanes, true)
    }

    /// The same; `fold` tells whether steps may be inlined into others, which changes no bit of the results.
    pub(crate) fn lower(
        fused: &FusedProgram,
        coefficients: &[LaneValues],
        layout: &ProgramLayout,
        lanes: usize,
        fold: bool,
    ) -> Self {
        let targets = &layout.targets;
        let uniform = |argument: &FusedArgument| match *argument {
            FusedArgument::Number(_) => true,
            FusedArgument::Coefficient(index) => same_everywhere(&coefficients[index]),
            FusedArgument::Input(_) | FusedArgument::Step(_) => false,
        };
        let plan = Plan::new(fused, targets, &uniform, fold);
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
                layout.arrays[input].expect("inputs of node extent are bound to arrays"),
            ),
            FusedArgument::Step(step) => match plan.destination(step) {
                Destination::Output(output) => Operand::Output(output),
                Destination::Slot(slot) => Operand::Slot(slot),
                Destination::Sum(_) => unreachable!("sums are not read"),
            },
        };
        for item in &plan.items {
            let (action, to) = match *item {
                Item::Slope(..) => continue,
                Item::ValueAndDerivative(step, _, paired) => {
                    (Action::ValueAndDerivative(paired), plan.destination(step))
                }
                Item::Step(step) => match plan.folds[step] {
                    Fold::Product(_) => (Action::Product, plan.destination(step)),
                    _ => (
                        Action::Compute(fused.steps[step].op),
                        plan.destination(step),
                    ),
                },
                Item::Product(_, sum) => (Action::AddProduct, Destination::Sum(sum)),
                Item::Sum(_, sum) => (Action::Add, Destination::Sum(sum)),
            };
            let mut operands = plan.arguments(fused, item).into_iter();
            let first = operands
                .next()
                .expect("something is computed from something");
            let first = place(first, &mut tape.tiles);
            let mut from = [first; 4];
            for (to, argument) in from[1..].iter_mut().zip(operands) {
                *to = place(argument, &mut tape.tiles);
            }
            let (second, before) = match *item {
                Item::ValueAndDerivative(step, slope, _) => match plan.destination(slope) {
                    Destination::Slot(slot) => (Some(slot), plan.before(fused, step)),
                    _ => unreachable!("only values in registers are paired"),
                },
                Item::Step(step) => (None, plan.before(fused, step)),
                _ => (None, Prologue::Nothing),
            };
            tape.instructions.push(Instruction {
                action,
                to,
                second,
                before,
                from,
            });
        }
        for (output, target) in fused.outputs.iter().zip(targets) {
            // Outputs that are inputs, constants, or repeat another output.
            let Target::Array(array) = *target else {
                continue;
            };
            let from = place(*output, &mut tape.tiles);
            if from != Operand::Output(array) {
                tape.instructions.push(Instruction {
                    action: Action::Copy,
                    to: Destination::Output(array),
                    second: None,
                    before: Prologue::Nothing,
                    from: [from; 4],
                });
            }
        }
        tape
    }
}

/// Items in order of execution.
#[derive(Clone, Copy)]
enum Item {
    /// Computes a step.
    Step(usize),
    /// Computes a step and another one, which is its derivative.
    ValueAndDerivative(usize, usize, PairedFunction),
    /// Follows at once and does nothing: the place of the derivative, and the function that comes with it.
    Slope(usize, usize),
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
    folds: Vec<Fold>,
}

/// Operations inlined into a step, so that their results need not be stored; bit for bit as two steps would give.
#[derive(Clone, Copy, PartialEq)]
enum Fold {
    Nothing,
    /// The step that its argument is: a product with a number, and perhaps the sum with another.
    Argument(usize),
    /// A product that is one of its factors.
    Product(usize),
    /// It is itself done within another.
    Inlined,
}

impl Plan {
    /// `uniform` tells whether an argument is one number for all nodes and lanes.
    fn new(
        fused: &FusedProgram,
        targets: &[Target],
        uniform: &dyn Fn(&FusedArgument) -> bool,
        fold: bool,
    ) -> Plan {
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

        // Additions to sums after each step, and at the end.
        let (accumulations, skipped) = fused.accumulations(targets);
        let mut negated = vec![false; accumulations.len()];
        let mut after: Vec<Vec<Item>> = vec![Vec::new(); steps + 1];
        for accumulation in accumulations {
            let sum = accumulation.sum;
            negated[sum] = accumulation.negated;
            let after = &mut after[accumulation.after.unwrap_or(steps)];
            match accumulation.term {
                Term::Zero => {}
                Term::Product(step) => after.push(Item::Product(step, sum)),
                Term::Value(argument) => after.push(Item::Sum(argument, sum)),
            }
        }
        let partner = pairs(fused, &array_of);
        let folds = folds(fused, &partner, uniform, &skipped, &|step| {
            fold && reads[step] == 1 && array_of[step].is_none() && !skipped[step]
        });
        let mut items = Vec::new();
        let mut item_of = vec![usize::MAX; steps];
        for step in 0..steps {
            if item_of[step] == usize::MAX {
                item_of[step] = items.len();
                match partner[step] {
                    Some((value, slope, paired)) => {
                        item_of[value] = items.len();
                        item_of[slope] = items.len() + 1;
                        let both = Item::ValueAndDerivative(value, slope, paired);
                        items.extend([both, Item::Slope(slope, value)]);
                    }
                    None if skipped[step] || folds[step] == Fold::Inlined => {}
                    None => items.push(Item::Step(step)),
                }
            }
            items.append(&mut after[step]);
        }
        items.append(&mut after[steps]);

        let mut plan = Plan {
            items,
            array_of,
            item_of,
            slots: Slots {
                of_value: Vec::new(),
                count: 0,
            },
            negated,
            folds,
        };
        let reads: Vec<Option<Vec<usize>>> = plan
            .items
            .iter()
            .map(|item| {
                let arguments = plan.arguments(fused, item).into_iter();
                let steps = arguments.filter_map(|argument| match argument {
                    FusedArgument::Step(step) => Some(plan.item_of[step]),
                    _ => None,
                });
                Some(steps.collect())
            })
            .collect();
        // A step that is an array output lives there; the others take registers.
        let stored: Vec<bool> = plan
            .items
            .iter()
            .map(|item| match *item {
                Item::Step(step) | Item::ValueAndDerivative(step, ..) | Item::Slope(step, _) => {
                    plan.array_of[step].is_none()
                }
                Item::Product(..) | Item::Sum(..) => false,
            })
            .collect();
        plan.slots = Slots::assign(&reads, &stored, &[]);
        plan
    }

    /// Operands of an item. A derivative's register must not be one that its function still reads.
    fn arguments(&self, fused: &FusedProgram, item: &Item) -> Vec<FusedArgument> {
        let step = match *item {
            Item::Sum(argument, _) => return vec![argument],
            Item::Step(step)
            | Item::ValueAndDerivative(step, ..)
            | Item::Slope(_, step)
            | Item::Product(step, _) => step,
        };
        let own = &fused.steps[step].arguments;
        match self.folds[step] {
            Fold::Argument(inner) => node_first(&fused.steps[inner].arguments),
            Fold::Product(inner) => {
                let other = own.iter().filter(|&&x| x != FusedArgument::Step(inner));
                let mut arguments = node_first(&fused.steps[inner].arguments);
                arguments.extend(other);
                arguments
            }
            Fold::Nothing | Fold::Inlined => own.clone(),
        }
    }

    fn before(&self, fused: &FusedProgram, step: usize) -> Prologue {
        match self.folds[step] {
            Fold::Argument(inner) if fused.steps[inner].op == FusedOp::MulAdd => Prologue::Affine,
            Fold::Argument(_) => Prologue::Scaled,
            _ => Prologue::Nothing,
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

/// Of two factors (and their operands) the one that differs from node to node first.
fn node_first(arguments: &[FusedArgument]) -> Vec<FusedArgument> {
    let mut arguments = arguments.to_vec();
    if !differs_from_node_to_node(&arguments[0]) {
        arguments.swap(0, 1);
    }
    arguments
}

fn differs_from_node_to_node(argument: &FusedArgument) -> bool {
    matches!(argument, FusedArgument::Step(_) | FusedArgument::Input(_))
}

/// For each step that is a function computed along with its derivative, or that derivative: both, where both are kept in
/// registers.
fn pairs(
    fused: &FusedProgram,
    array_of: &[Option<usize>],
) -> Vec<Option<(usize, usize, PairedFunction)>> {
    let mut pairs = vec![None; fused.steps.len()];
    for (value, step) in fused.steps.iter().enumerate() {
        if let FusedOp::WithDerivative(paired) = step.op {
            let derivative = value + 1;
            assert!(
                array_of[value].is_none() && array_of[derivative].is_none(),
                "functions with derivatives are intermediate results"
            );
            pairs[value] = Some((value, derivative, paired));
            pairs[derivative] = pairs[value];
        }
    }
    pairs
}

/// Operations inlined into steps. Those `skipped` are not computed as steps; `only(step)` tells whether a step has one
/// reader.
fn folds(
    fused: &FusedProgram,
    pairs: &[Option<(usize, usize, PairedFunction)>],
    uniform: &dyn Fn(&FusedArgument) -> bool,
    skipped: &[bool],
    only: &dyn Fn(usize) -> bool,
) -> Vec<Fold> {
    let mut folds = vec![Fold::Nothing; fused.steps.len()];
    let op = |step: usize| fused.steps[step].op;
    let prepares = |step: usize| {
        let arguments = node_first(&fused.steps[step].arguments);
        matches!(op(step), FusedOp::MulAdd | FusedOp::Apply(Op::Mul))
            && differs_from_node_to_node(&arguments[0])
            && arguments[1..].iter().all(uniform)
    };
    for step in 0..fused.steps.len() {
        // Of a pair the function itself stands for both.
        if pairs[step].is_some_and(|(value, ..)| value != step) {
            continue;
        }
        let arguments = &fused.steps[step].arguments;
        match op(step) {
            FusedOp::Apply(Op::Exp | Op::Exprelr | Op::Sigmoid) | FusedOp::WithDerivative(_) => {
                if let FusedArgument::Step(inner) = arguments[0]
                    && only(inner)
                    && prepares(inner)
                    && folds[inner] == Fold::Nothing
                {
                    folds[step] = Fold::Argument(inner);
                    folds[inner] = Fold::Inlined;
                }
            }
            FusedOp::Apply(Op::Mul) => {
                let inner = arguments.iter().find_map(|argument| match *argument {
                    FusedArgument::Step(inner)
                        if op(inner) == FusedOp::Apply(Op::Mul)
                            && only(inner)
                            && folds[inner] == Fold::Nothing =>
                    {
                        Some(inner)
                    }
                    _ => None,
                });
                if let (Some(inner), false) = (inner, skipped[step]) {
                    folds[step] = Fold::Product(inner);
                    folds[inner] = Fold::Inlined;
                }
            }
            _ => {}
        }
    }
    folds
}

/// A constant operand: a scalar where all lanes agree, else a tile.
fn constant<R: Real>(values: &[f64], tiles: &mut Vec<Vec<R>>) -> Operand<R> {
    if same_everywhere(values) {
        return Operand::Scalar(R::from_f64(values[0]));
    }
    let tile: Vec<R> = values.iter().map(|&value| R::from_f64(value)).collect();
    let known = tiles.iter().position(|known| *known == tile);
    Operand::Tile(known.unwrap_or_else(|| {
        tiles.push(tile);
        tiles.len() - 1
    }))
}

fn same_everywhere(values: &[f64]) -> bool {
    values
        .iter()
        .all(|value| value.to_bits() == values[0].to_bits())
}
