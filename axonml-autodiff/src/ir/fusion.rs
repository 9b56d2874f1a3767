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
    /// Splits and fuses `program`.
    pub fn new(program: &Program) -> Self {
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
