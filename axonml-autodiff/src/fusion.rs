//! Programs as executors want them: what is the same at every node computed, chains of constants collapsed, and
//! products fused into sums.
//!
//! What does not change from node to node is computed here, in f64, per lane. Chains of additions and multiplications
//! by such constants collapse into one `k x + c`, divisions by them become multiplications, and a product that only
//! feeds a sum becomes a fused multiply-add. A collapsed `k (x - a)` errs by a rounding of `k a`, no longer relative to
//! a vanishing result; nothing else changes by more than last bits. Which rewrites are made follows from the program
//! alone, never from a lane's numbers, so a lane's results do not depend on its companions.

use crate::op::Op;
use crate::program::{Extent, Program, Value, ValueId};

/// A number per lane.
pub type PerLane = Vec<f64>;

/// What a fused step computes.
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
#[derive(Clone, Debug, PartialEq)]
pub enum FusedArgument {
    /// The result of an earlier step, by index.
    Step(usize),
    /// An input of node extent, by its index in [`Program::inputs`].
    Input(usize),
    /// A number per lane.
    Constant(PerLane),
}

/// One computation.
#[derive(Clone, Debug, PartialEq)]
pub struct FusedStep {
    /// What is computed.
    pub op: FusedOp,
    /// From what; the first factor of a fused product is never a constant.
    pub arguments: Vec<FusedArgument>,
}

/// A program specialised to the parameters of some lanes.
#[derive(Clone, Debug, PartialEq)]
pub struct FusedProgram {
    /// Number of lanes: length of every [`FusedArgument::Constant`].
    pub lanes: usize,
    /// Steps in order.
    pub steps: Vec<FusedStep>,
    /// Where the program's outputs are found, in their order.
    pub outputs: Vec<FusedArgument>,
}

impl FusedProgram {
    /// Specialises `program` to lanes: `constants[lane][input]` holds the inputs of shared and fibre extent.
    ///
    /// # Panics
    /// If an input of shared or fibre extent has no constant, or there are no lanes.
    pub fn new(program: &Program, constants: &[Vec<Option<f64>>]) -> Self {
        assert!(
            !constants.is_empty(),
            "a program is specialised to at least one lane"
        );
        Lowering::new(program, constants).emit()
    }
}

/// What a draft step reads: values by their id in the program.
#[derive(Clone)]
enum Argument {
    Value(ValueId),
    Constant(PerLane),
}

/// A computation before steps are numbered.
#[derive(Clone)]
struct Draft {
    op: FusedOp,
    arguments: Vec<Argument>,
}

impl Draft {
    fn values(&self) -> impl Iterator<Item = ValueId> + '_ {
        self.arguments.iter().filter_map(|argument| match argument {
            Argument::Value(id) => Some(*id),
            Argument::Constant(_) => None,
        })
    }
}

/// A per-node value as `k * base + c`.
#[derive(Clone)]
struct Affine {
    base: ValueId,
    k: PerLane,
    c: PerLane,
    /// Whether the chain contains a multiplication or division, and an addition or subtraction: what is computed must
    /// not depend on whether a lane's `k` happens to be 1 or its `c` 0.
    scaled: bool,
    shifted: bool,
}

struct Lowering<'p> {
    program: &'p Program,
    lanes: usize,
    /// Value per lane of everything of shared or fibre extent.
    hoisted: Vec<Option<PerLane>>,
    affine: Vec<Option<Affine>>,
}

impl<'p> Lowering<'p> {
    fn new(program: &'p Program, constants: &[Vec<Option<f64>>]) -> Self {
        let extents = program.extents();
        let lanes = constants.len();
        let mut lowering = Lowering {
            program,
            lanes,
            hoisted: Vec::new(),
            affine: Vec::new(),
        };
        for (id, value) in program.values().iter().enumerate() {
            let hoisted = (extents[id] != Extent::Node).then(|| lowering.hoist(value, constants));
            lowering.hoisted.push(hoisted);
            let affine = (extents[id] == Extent::Node).then(|| lowering.affine_form(id, value));
            lowering.affine.push(affine);
        }
        lowering
    }

    fn hoist(&self, value: &Value, constants: &[Vec<Option<f64>>]) -> PerLane {
        (0..self.lanes)
            .map(|lane| match value {
                Value::Constant(c) => *c,
                Value::Input(index) => constants[lane][*index]
                    .expect("inputs of shared and fibre extent are constants"),
                Value::Apply(op, arguments) => {
                    let operands: Vec<f64> = arguments
                        .iter()
                        .map(|&a| {
                            self.hoisted[a]
                                .as_ref()
                                .expect("arguments of a hoisted value are hoisted")[lane]
                        })
                        .collect();
                    (op.row().value)(&operands)
                }
            })
            .collect()
    }

    /// The value as `k * base + c` of a per-node value that is not itself of this form.
    fn affine_form(&self, id: ValueId, value: &Value) -> Affine {
        let itself = || Affine {
            base: id,
            k: vec![1.0; self.lanes],
            c: vec![0.0; self.lanes],
            scaled: false,
            shifted: false,
        };
        let Value::Apply(op, arguments) = value else {
            return itself();
        };
        let (form, constant, form_first) = match arguments[..] {
            [a] => (self.affine[a].as_ref(), None, true),
            [a, b] => match (
                &self.affine[a],
                &self.hoisted[b],
                &self.hoisted[a],
                &self.affine[b],
            ) {
                (Some(form), Some(constant), _, _) => (Some(form), Some(constant), true),
                (_, _, Some(constant), Some(form)) => (Some(form), Some(constant), false),
                _ => return itself(),
            },
            _ => return itself(),
        };
        let Some(form) = form else { return itself() };
        let map = |f: &dyn Fn(f64, f64, f64) -> (f64, f64)| {
            let each = |lane: usize| {
                f(
                    form.k[lane],
                    form.c[lane],
                    constant.map_or(0.0, |x| x[lane]),
                )
            };
            let (k, c) = (0..self.lanes).map(each).unzip();
            let negates = *op == Op::Neg || (*op == Op::Sub && !form_first);
            let scaled = form.scaled || negates || matches!(op, Op::Mul | Op::Div);
            let shifted = form.shifted || matches!(op, Op::Add | Op::Sub);
            Affine {
                base: form.base,
                k,
                c,
                scaled,
                shifted,
            }
        };
        match (op, constant.is_some(), form_first) {
            (Op::Neg, false, _) => map(&|k, c, _| (-k, -c)),
            (Op::Add, true, _) => map(&|k, c, x| (k, c + x)),
            (Op::Sub, true, true) => map(&|k, c, x| (k, c - x)),
            (Op::Sub, true, false) => map(&|k, c, x| (-k, x - c)),
            (Op::Mul, true, _) => map(&|k, c, x| (k * x, c * x)),
            (Op::Div, true, true) => map(&|k, c, x| (k / x, c / x)),
            _ => itself(),
        }
    }

    fn is_plain(&self, id: ValueId) -> bool {
        self.affine[id].as_ref().is_some_and(|form| form.base == id)
    }

    /// Decides which values become steps, then numbers them in order.
    fn emit(&self) -> FusedProgram {
        let values = self.program.values();
        let mut drafts: Vec<Option<Draft>> = vec![None; values.len()];
        let mut uses = vec![0_usize; values.len()];
        for (_, id) in self.program.outputs() {
            uses[*id] += 2; // An output must exist: it is never swallowed by a fusion.
        }
        // Last value first, so that uses are known before a value is reached.
        for id in (0..values.len())
            .rev()
            .filter(|&id| self.hoisted[id].is_none())
        {
            if uses[id] == 0 {
                continue;
            }
            drafts[id] = if self.is_plain(id) {
                self.plain(&values[id])
            } else {
                self.collapsed(id)
            };
            drafts[id]
                .iter()
                .flat_map(Draft::values)
                .for_each(|value| uses[value] += 1);
        }
        fuse(&mut drafts, &uses);
        self.number(&drafts)
    }

    fn plain(&self, value: &Value) -> Option<Draft> {
        let Value::Apply(op, arguments) = value else {
            return None;
        };
        let argument = |&id: &ValueId| match &self.hoisted[id] {
            Some(values) => Argument::Constant(values.clone()),
            None => Argument::Value(id),
        };
        Some(Draft {
            op: FusedOp::Apply(*op),
            arguments: arguments.iter().map(argument).collect(),
        })
    }

    /// `k x + c` with the cheapest operation that does it.
    fn collapsed(&self, id: ValueId) -> Option<Draft> {
        let Affine {
            base,
            k,
            c,
            scaled,
            shifted,
        } = self.affine[id].as_ref()?;
        let base = Argument::Value(*base);
        let (factor, term) = (Argument::Constant(k.clone()), Argument::Constant(c.clone()));
        Some(if !scaled {
            Draft {
                op: FusedOp::Apply(Op::Add),
                arguments: vec![base, term],
            }
        } else if !shifted {
            Draft {
                op: FusedOp::Apply(Op::Mul),
                arguments: vec![base, factor],
            }
        } else {
            Draft {
                op: FusedOp::MulAdd,
                arguments: vec![base, factor, term],
            }
        })
    }

    fn number(&self, drafts: &[Option<Draft>]) -> FusedProgram {
        let mut index_of = vec![None; drafts.len()];
        let mut steps = Vec::new();
        let place = |id: ValueId, index_of: &[Option<usize>]| match (
            &self.hoisted[id],
            &self.program.values()[id],
        ) {
            (Some(values), _) => FusedArgument::Constant(values.clone()),
            (None, Value::Input(input)) => FusedArgument::Input(*input),
            (None, _) => {
                FusedArgument::Step(index_of[id].expect("arguments are computed before their use"))
            }
        };
        for (id, draft) in drafts.iter().enumerate() {
            let Some(draft) = draft else { continue };
            let arguments = draft.arguments.iter().map(|argument| match argument {
                Argument::Constant(values) => FusedArgument::Constant(values.clone()),
                Argument::Value(value) => place(*value, &index_of),
            });
            steps.push(FusedStep {
                op: draft.op,
                arguments: arguments.collect(),
            });
            index_of[id] = Some(steps.len() - 1);
        }
        let outputs = self
            .program
            .outputs()
            .iter()
            .map(|&(_, id)| place(id, &index_of))
            .collect();
        FusedProgram {
            lanes: self.lanes,
            steps,
            outputs,
        }
    }
}

/// Turns sums with a product that nothing else reads into fused multiply-adds.
fn fuse(drafts: &mut [Option<Draft>], uses: &[usize]) {
    for id in 0..drafts.len() {
        let Some(Draft {
            op: FusedOp::Apply(op @ (Op::Add | Op::Sub)),
            arguments,
        }) = &drafts[id]
        else {
            continue;
        };
        let (op, a, b) = (*op, arguments[0].clone(), arguments[1].clone());
        // The factors of a product, an array first.
        let product = |argument: &Argument| match argument {
            Argument::Value(x) if uses[*x] == 1 => match &drafts[*x] {
                Some(Draft {
                    op: FusedOp::Apply(Op::Mul),
                    arguments,
                }) => {
                    let constant_first = matches!(arguments[0], Argument::Constant(_));
                    let (first, second) = if constant_first { (1, 0) } else { (0, 1) };
                    Some((*x, arguments[first].clone(), arguments[second].clone()))
                }
                _ => None,
            },
            _ => None,
        };
        let (fused, (swallowed, first, second), other) = match (op, product(&a), product(&b)) {
            (Op::Add, Some(factors), _) => (FusedOp::MulAdd, factors, b),
            (Op::Add, None, Some(factors)) => (FusedOp::MulAdd, factors, a),
            (Op::Sub, _, Some(factors)) => (FusedOp::NegMulAdd, factors, a),
            (Op::Sub, Some(factors), None) => (FusedOp::MulSub, factors, b),
            _ => continue,
        };
        drafts[swallowed] = None;
        drafts[id] = Some(Draft {
            op: fused,
            arguments: vec![first, second, other],
        });
    }
}
