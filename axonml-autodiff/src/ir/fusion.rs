//! Lowered programs: loop-invariant code hoisted to coefficients, multiply-adds contracted.
//!
//! In the node part of a [`SplitProgram`] a product that only feeds a sum becomes a fused multiply-add; nothing changes
//! by more than last bits. Which rewrites are made follows from the program alone, never from a lane's numbers, so a
//! lane's results do not depend on its companions.

use crate::ir::SplitProgram;
use crate::ir::op::Op;
use crate::ir::{Program, Value, ValueId};

/// A number per lane.
pub type LaneValues = Vec<f64>;

/// Operation of a fused step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FusedOp {
    /// An operation of the table.
    Apply(Op),
    /// `a * b + c`.
    MulAdd,
    /// `a * b - c`.
    MulSub,
    /// `c - a * b`.
    NegMulAdd,
    /// A function whose derivative costs little more once it is known: the next step is [`FusedOp::Derivative`].
    WithDerivative(PairedFunction),
    /// The derivative of the step before, which is its argument and has been computed along with it.
    Derivative,
}

/// Functions that are computed along with their derivative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PairedFunction {
    /// [`Op::Exprelr`] and [`Op::ExprelrD1`].
    Exprelr,
    /// [`Op::Sigmoid`] `y` and `y - y^2`.
    Sigmoid,
}

/// Where an executor finds the inputs of a program and puts its outputs.
#[derive(Clone, Debug, PartialEq)]
pub struct ProgramLayout {
    /// The array that holds an input of node extent; `None` of inputs that are constants. Per input of the program.
    pub arrays: Vec<Option<usize>>,
    /// Destination of each output.
    pub targets: Vec<Target>,
}

impl ProgramLayout {
    /// Number of arrays that are read.
    pub fn inputs(&self) -> usize {
        self.arrays
            .iter()
            .flatten()
            .max()
            .map_or(0, |last| last + 1)
    }

    /// Number of arrays that are written.
    pub fn outputs(&self) -> usize {
        let arrays = self.targets.iter();
        arrays
            .filter(|target| matches!(target, Target::Array(_)))
            .count()
    }
}

/// Destination of a program's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A per-node array that the run produces, by its place among those.
    Array(usize),
    /// A sum over the nodes of each lane (and over runs), by its place among those.
    Sum(usize),
}

impl Target {
    /// Every one of `outputs` outputs an array.
    pub fn arrays(outputs: usize) -> Vec<Target> {
        (0..outputs).map(Target::Array).collect()
    }
}

/// Where a fused step, or an output, takes a number from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FusedArgument {
    /// The result of an earlier step, by index.
    Step(usize),
    /// An input of node extent, by its index in [`Program::inputs`].
    Input(usize),
    /// A coefficient: an output of [`SplitProgram::coefficients`], the same at every node of a fiber.
    Coefficient(usize),
    /// A number, the same everywhere.
    Number(f64),
}

/// One computation.
#[derive(Clone, Debug, PartialEq)]
pub struct FusedStep {
    /// Operation.
    pub op: FusedOp,
    /// Operands; the first factor of a fused product is never a coefficient or number.
    pub arguments: Vec<FusedArgument>,
}

/// A program ready to be executed: coefficients once per fiber, then the steps at every node.
#[derive(Clone, Debug, PartialEq)]
pub struct FusedProgram {
    /// The program in two parts; `steps` compute the second.
    pub split: SplitProgram,
    /// Steps in order.
    pub steps: Vec<FusedStep>,
    /// Where the program's outputs are found, in their order.
    pub outputs: Vec<FusedArgument>,
}

impl FusedProgram {
    /// Splits and fuses `program`, and pairs functions with their derivatives.
    pub fn new(program: &Program) -> Self {
        FusedProgram::unpaired(program).paired()
    }

    /// The same with its steps in an order in which few results are needed at a time: for long programs with many
    /// outputs, such as adjoints.
    pub(crate) fn scheduled(program: &Program) -> Self {
        FusedProgram::unpaired(program).rescheduled().paired()
    }

    fn unpaired(program: &Program) -> Self {
        let split = program.split();
        let drafts = Drafts::new(&split);
        let (steps, outputs) = drafts.number(&split);
        FusedProgram {
            split,
            steps,
            outputs,
        }
    }

    /// The coefficients, `[coefficient][lane]`: `constants[lane][input]` holds the inputs of shared and fiber extent.
    ///
    /// # Panics
    /// If an input of shared or fiber extent has no constant.
    pub fn coefficients(&self, constants: &[Vec<Option<f64>>]) -> Vec<LaneValues> {
        let program = &self.split.coefficients;
        let mut coefficients = vec![Vec::with_capacity(constants.len()); program.outputs().len()];
        for lane in constants {
            let inputs: Vec<f64> = self
                .split
                .coefficient_inputs
                .iter()
                .map(|&input| lane[input].expect("inputs of shared and fiber extent are constants"))
                .collect();
            for (values, value) in coefficients.iter_mut().zip(program.eval(&inputs)) {
                values.push(value);
            }
        }
        coefficients
    }
}

impl FusedProgram {
    /// Identifies the computation at a node by a 64-bit hash of operations, arguments, numbers and destinations. Coefficients
    /// count by index: their values do not matter.
    pub fn fingerprint(&self, layout: &ProgramLayout) -> u64 {
        let mut hash = Fnv::new();
        let argument = |hash: &mut Fnv, argument: &FusedArgument| match *argument {
            FusedArgument::Step(step) => hash.words([0, step as u64]),
            FusedArgument::Input(input) => {
                let array = layout.arrays[input];
                hash.words([1, array.map_or(u64::MAX, |array| array as u64)]);
            }
            FusedArgument::Coefficient(index) => hash.words([2, index as u64]),
            FusedArgument::Number(number) => hash.words([3, number.to_bits()]),
        };
        for step in &self.steps {
            match step.op {
                FusedOp::Apply(op) => hash.bytes(op.row().name.as_bytes()),
                FusedOp::MulAdd => hash.bytes(b"mul_add"),
                FusedOp::MulSub => hash.bytes(b"mul_sub"),
                FusedOp::NegMulAdd => hash.bytes(b"neg_mul_add"),
                FusedOp::WithDerivative(PairedFunction::Exprelr) => hash.bytes(b"exprelr_pair"),
                FusedOp::WithDerivative(PairedFunction::Sigmoid) => hash.bytes(b"sigmoid_pair"),
                FusedOp::Derivative => hash.bytes(b"derivative"),
            }
            hash.words([step.arguments.len() as u64]);
            step.arguments.iter().for_each(|x| argument(&mut hash, x));
        }
        for (output, target) in self.outputs.iter().zip(&layout.targets) {
            argument(&mut hash, output);
            match *target {
                Target::Array(array) => hash.words([4, array as u64]),
                Target::Sum(sum) => hash.words([5, sum as u64]),
            }
        }
        hash.0
    }

    /// The same program with functions and their derivatives at one argument computed together, as pairs of neighboring
    /// steps.
    #[must_use]
    fn paired(self) -> Self {
        let pairs = pairs(&self.steps, &self.outputs);
        let mut order = Vec::with_capacity(self.steps.len());
        for step in 0..self.steps.len() {
            match pairs
                .iter()
                .find(|pair| pair.value == step || pair.derivative == step)
            {
                Some(pair) if pair.value.min(pair.derivative) == step => {
                    order.extend([pair.value, pair.derivative]);
                }
                Some(_) => {}
                None => order.push(step),
            }
        }
        let mut program = self.reordered(&order);
        let mut position = vec![0; order.len()];
        for (at, &step) in order.iter().enumerate() {
            position[step] = at;
        }
        for pair in pairs {
            let (value, derivative) = (position[pair.value], position[pair.derivative]);
            program.steps[value].op = FusedOp::WithDerivative(pair.function);
            program.steps[derivative] = FusedStep {
                op: FusedOp::Derivative,
                arguments: vec![FusedArgument::Step(value)],
            };
        }
        program
    }

    /// The same steps in another order, `order[place]` by their present index.
    #[must_use]
    pub(super) fn reordered(self, order: &[usize]) -> Self {
        let mut position = vec![0; order.len()];
        for (at, &step) in order.iter().enumerate() {
            position[step] = at;
        }
        let moved = |argument: &FusedArgument| match *argument {
            FusedArgument::Step(step) => FusedArgument::Step(position[step]),
            other => other,
        };
        let steps = order.iter().map(|&step| FusedStep {
            op: self.steps[step].op,
            arguments: self.steps[step].arguments.iter().map(moved).collect(),
        });
        FusedProgram {
            steps: steps.collect(),
            outputs: self.outputs.iter().map(moved).collect(),
            split: self.split,
        }
    }
}

/// How an output is added to its sum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Accumulation {
    /// The sum, by its place.
    pub sum: usize,
    /// Whether the sum is accumulated with the opposite sign: that of negatives is the negative of the sum.
    pub negated: bool,
    /// The summand.
    pub term: Term,
    /// The step after which it is known; `None` for what is no step.
    pub after: Option<usize>,
}

/// The summand of a sum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Term {
    /// Nothing: it is zero.
    Zero,
    /// A number.
    Value(FusedArgument),
    /// The product that a step computes, of its two arguments, by a fused multiply-add.
    Product(usize),
}

impl FusedProgram {
    /// How outputs are added to sums, and for each step whether it need not be computed by itself because of that.
    pub fn accumulations(&self, targets: &[Target]) -> (Vec<Accumulation>, Vec<bool>) {
        let mut reads = vec![0_usize; self.steps.len()];
        let arguments = self.steps.iter().flat_map(|step| &step.arguments);
        for argument in arguments.chain(&self.outputs) {
            if let FusedArgument::Step(step) = *argument {
                reads[step] += 1;
            }
        }
        let mut skipped = vec![false; self.steps.len()];
        let mut accumulations = Vec::new();
        for (output, target) in self.outputs.iter().zip(targets) {
            let Target::Sum(sum) = *target else { continue };
            let (mut argument, mut only_here) = (*output, true);
            let (mut negated, mut after) = (false, None);
            if let FusedArgument::Step(step) = argument {
                after = Some(step);
                only_here = reads[step] == 1;
                if self.steps[step].op == FusedOp::Apply(Op::Neg) {
                    negated = true;
                    skipped[step] = only_here;
                    argument = self.steps[step].arguments[0];
                }
            }
            let is_product = |step: usize| self.steps[step].op == FusedOp::Apply(Op::Mul);
            let term = match argument {
                FusedArgument::Number(0.0) => Term::Zero,
                FusedArgument::Step(step) if only_here && reads[step] == 1 && is_product(step) => {
                    skipped[step] = true;
                    Term::Product(step)
                }
                _ => Term::Value(argument),
            };
            accumulations.push(Accumulation {
                sum,
                negated,
                term,
                after,
            });
        }
        (accumulations, skipped)
    }
}

/// Steps that are a function and its derivative at one argument that differs from node to node.
struct Pair {
    value: usize,
    derivative: usize,
    function: PairedFunction,
}

/// Pairs of which neither is an output: those are wanted in places of their own.
fn pairs(steps: &[FusedStep], outputs: &[FusedArgument]) -> Vec<Pair> {
    let mut pairs: Vec<Pair> = Vec::new();
    let is = |step: usize, op: Op| steps[step].op == FusedOp::Apply(op);
    for (derivative, FusedStep { op, arguments }) in steps.iter().enumerate() {
        let found = match (*op, arguments[0]) {
            (FusedOp::Apply(Op::ExprelrD1), argument) => {
                let same = |&value: &usize| {
                    is(value, Op::Exprelr) && steps[value].arguments[0] == argument
                };
                (0..steps.len())
                    .find(same)
                    .map(|value| (value, PairedFunction::Exprelr))
            }
            // y - y y.
            (FusedOp::NegMulAdd, FusedArgument::Step(value))
                if is(value, Op::Sigmoid) && arguments.iter().all(|x| *x == arguments[0]) =>
            {
                Some((value, PairedFunction::Sigmoid))
            }
            _ => None,
        };
        let Some((value, function)) = found else {
            continue;
        };
        let of_node = matches!(
            steps[value].arguments[0],
            FusedArgument::Step(_) | FusedArgument::Input(_)
        );
        let inside = [value, derivative]
            .iter()
            .all(|&step| !outputs.contains(&FusedArgument::Step(step)));
        if of_node && inside && pairs.iter().all(|pair| pair.value != value) {
            pairs.push(Pair {
                value,
                derivative,
                function,
            });
        }
    }
    pairs
}

/// The FNV-1a hash, which stays the same from build to build.
struct Fnv(u64);

impl Fnv {
    fn new() -> Self {
        Fnv(0xcbf2_9ce4_8422_2325)
    }

    fn bytes(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn words<const N: usize>(&mut self, words: [u64; N]) {
        words
            .iter()
            .for_each(|word| self.bytes(&word.to_le_bytes()));
    }
}

/// A computation before steps are numbered: arguments are values of the node part.
#[derive(Clone)]
struct Draft {
    op: FusedOp,
    arguments: Vec<ValueId>,
}

/// The computations of a node part, by value.
struct Drafts<'s> {
    node: &'s Program,
    drafts: Vec<Option<Draft>>,
    uses: Vec<usize>,
}

impl<'s> Drafts<'s> {
    fn new(split: &'s SplitProgram) -> Self {
        let node = &split.node;
        let mut uses = vec![0_usize; node.values().len()];
        for (_, id) in node.outputs() {
            uses[*id] += 2; // An output must exist: it is never swallowed by a fusion.
        }
        let draft = |value: &Value| match value {
            Value::Apply(op, arguments) => Some(Draft {
                op: FusedOp::Apply(*op),
                arguments: arguments.clone(),
            }),
            Value::Constant(_) | Value::Input(_) => None,
        };
        let drafts: Vec<Option<Draft>> = node.values().iter().map(draft).collect();
        for draft in drafts.iter().flatten() {
            draft.arguments.iter().for_each(|&a| uses[a] += 1);
        }
        let mut drafts = Drafts { node, drafts, uses };
        drafts.fuse(split.node_inputs.len());
        drafts
    }

    /// Turns sums with a product that nothing else reads into fused multiply-adds. A product with a coefficient goes into
    /// every sum with a coefficient that reads it: `k x + c` is one step.
    fn fuse(&mut self, node_inputs: usize) {
        let node = self.node;
        let constant = |id: ValueId| match node.values()[id] {
            Value::Constant(_) => true,
            Value::Input(input) => input >= node_inputs,
            Value::Apply(..) => false,
        };
        for id in 0..self.drafts.len() {
            let Some(Draft {
                op: FusedOp::Apply(op @ (Op::Add | Op::Sub)),
                arguments,
            }) = &self.drafts[id]
            else {
                continue;
            };
            let (op, a, b) = (*op, arguments[0], arguments[1]);
            // The factors of a product, one that differs from node to node first.
            let product = |x: ValueId, other: ValueId| match &self.drafts[x] {
                Some(Draft {
                    op: FusedOp::Apply(Op::Mul),
                    arguments,
                }) => {
                    let (first, second) = match constant(arguments[0]) {
                        true => (arguments[1], arguments[0]),
                        false => (arguments[0], arguments[1]),
                    };
                    let line = constant(second) && constant(other);
                    (self.uses[x] == 1 || line).then_some((x, first, second))
                }
                _ => None,
            };
            let (fused, (product, first, second), other) = match (op, product(a, b), product(b, a))
            {
                (Op::Add, Some(factors), _) => (FusedOp::MulAdd, factors, b),
                (Op::Add, None, Some(factors)) => (FusedOp::MulAdd, factors, a),
                (Op::Sub, _, Some(factors)) => (FusedOp::NegMulAdd, factors, a),
                (Op::Sub, Some(factors), None) => (FusedOp::MulSub, factors, b),
                _ => continue,
            };
            self.uses[product] -= 1;
            if self.uses[product] == 0 {
                self.drafts[product] = None;
            }
            self.drafts[id] = Some(Draft {
                op: fused,
                arguments: vec![first, second, other],
            });
        }
    }

    fn number(&self, split: &SplitProgram) -> (Vec<FusedStep>, Vec<FusedArgument>) {
        let node_inputs = split.node_inputs.len();
        let mut index_of = vec![None; self.drafts.len()];
        let mut steps = Vec::new();
        let place = |id: ValueId, index_of: &[Option<usize>]| match self.node.values()[id] {
            Value::Constant(c) => FusedArgument::Number(c),
            Value::Input(input) if input < node_inputs => {
                FusedArgument::Input(split.node_inputs[input])
            }
            Value::Input(input) => FusedArgument::Coefficient(input - node_inputs),
            Value::Apply(..) => {
                FusedArgument::Step(index_of[id].expect("arguments are computed before their use"))
            }
        };
        for (id, draft) in self.drafts.iter().enumerate() {
            let Some(draft) = draft else { continue };
            let arguments = draft.arguments.iter().map(|&a| place(a, &index_of));
            steps.push(FusedStep {
                op: draft.op,
                arguments: arguments.collect(),
            });
            index_of[id] = Some(steps.len() - 1);
        }
        let outputs = self.node.outputs().iter();
        let outputs = outputs.map(|&(_, id)| place(id, &index_of)).collect();
        (steps, outputs)
    }
}
