//! Lowering of a program to a tape: instructions for a group of lanes, ready for the block interpreter.
//!
//! What does not change from node to node is computed here, in f64, per lane. Chains of additions and multiplications
//! by such constants collapse into one `k x + c`, divisions by them become multiplications, and a product that only
//! feeds a sum becomes a fused multiply-add. These rewrites change last bits, never more; they are the same for every
//! lane, so a lane's results do not depend on its companions.

use axonml_autodiff::{Extent, Op, Program, Real, Slots, Value, ValueId};

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
}

/// What an instruction computes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Action {
    /// An operation of the table.
    Apply(Op),
    /// `a * b + c`.
    MulAdd,
    /// `a * b - c`.
    MulSub,
    /// `c - a * b`.
    NegMulAdd,
    /// `a`.
    Copy,
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
}

/// A number per lane.
type PerLane = Vec<f64>;

/// A per-node value as `k * base + c`.
#[derive(Clone)]
struct Affine {
    base: ValueId,
    k: PerLane,
    c: PerLane,
}

struct Lowering<'p> {
    program: &'p Program,
    lanes: usize,
    /// Value per lane of everything of shared or fibre extent.
    hoisted: Vec<Option<PerLane>>,
    affine: Vec<Option<Affine>>,
}

impl<R: Real> Tape<R> {
    /// Lowers `program` for `lanes` lanes. `constants[lane][input]` holds the inputs of shared and fibre extent;
    /// `node_inputs[input]` is the array that holds an input of node extent.
    pub(crate) fn new(
        program: &Program,
        constants: &[Vec<Option<f64>>],
        node_inputs: &[Option<usize>],
    ) -> Self {
        Lowering::new(program, constants).emit(node_inputs)
    }
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
            Affine {
                base: form.base,
                k,
                c,
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

    /// Decides which values become instructions, then emits them in order.
    fn emit<R: Real>(&self, node_inputs: &[Option<usize>]) -> Tape<R> {
        let values = self.program.values();
        let mut steps: Vec<Option<(Action, Vec<ValueId>)>> = vec![None; values.len()];
        let mut constants_of: Vec<Option<(PerLane, PerLane)>> = vec![None; values.len()];
        let mut needed = vec![false; values.len()];
        let mut uses = vec![0_usize; values.len()];
        for (_, id) in self.program.outputs() {
            needed[*id] = true;
            uses[*id] += 2; // An output must exist: it is never swallowed by a fusion.
        }
        // What each needed value reads, last value first, so that needs are known before a value is reached.
        for id in (0..values.len())
            .rev()
            .filter(|&id| self.hoisted[id].is_none())
        {
            if !needed[id] {
                continue;
            }
            if self.is_plain(id) {
                if let Value::Apply(op, arguments) = &values[id] {
                    steps[id] = Some((Action::Apply(*op), arguments.clone()));
                    for &a in arguments {
                        needed[a] = true;
                        uses[a] += 1;
                    }
                }
            } else if let Some(form) = &self.affine[id] {
                let base = form.base;
                steps[id] = Some((Action::MulAdd, vec![base]));
                constants_of[id] = Some((form.k.clone(), form.c.clone()));
                needed[base] = true;
                uses[base] += 1;
            }
        }
        self.fuse(&mut steps, &uses);
        self.assemble(&steps, &constants_of, node_inputs)
    }

    /// Turns sums with a product that nothing else reads into fused multiply-adds.
    fn fuse(&self, steps: &mut [Option<(Action, Vec<ValueId>)>], uses: &[usize]) {
        for id in 0..steps.len() {
            let Some((Action::Apply(op @ (Op::Add | Op::Sub)), arguments)) = &steps[id] else {
                continue;
            };
            let (op, a, b) = (*op, arguments[0], arguments[1]);
            let product = |x: ValueId| match &steps[x] {
                Some((Action::Apply(Op::Mul), factors)) if uses[x] == 1 => Some(factors.clone()),
                _ => None,
            };
            let (action, swallowed, factors, other) = match (op, product(a), product(b)) {
                (Op::Add, Some(factors), _) => (Action::MulAdd, a, factors, b),
                (Op::Add, None, Some(factors)) => (Action::MulAdd, b, factors, a),
                (Op::Sub, _, Some(factors)) => (Action::NegMulAdd, b, factors, a),
                (Op::Sub, Some(factors), None) => (Action::MulSub, a, factors, b),
                _ => continue,
            };
            if a == b {
                continue;
            }
            steps[swallowed] = None;
            steps[id] = Some((action, vec![factors[0], factors[1], other]));
        }
    }

    fn assemble<R: Real>(
        &self,
        steps: &[Option<(Action, Vec<ValueId>)>],
        affine_constants: &[Option<(PerLane, PerLane)>],
        node_inputs: &[Option<usize>],
    ) -> Tape<R> {
        let values = self.program.values();
        // The first output that is a given value is where that value lives.
        let mut output_of = vec![None; values.len()];
        for (index, &(_, id)) in self.program.outputs().iter().enumerate().rev() {
            output_of[id] = Some(index);
        }
        let arguments: Vec<Option<Vec<ValueId>>> = steps
            .iter()
            .map(|step| step.as_ref().map(|(_, arguments)| arguments.clone()))
            .collect();
        let stored: Vec<bool> = output_of.iter().map(Option::is_none).collect();
        let slots = Slots::assign(&arguments, &stored, &[]);

        let mut tape = Tape {
            instructions: Vec::new(),
            tiles: Vec::new(),
            lanes: self.lanes,
            slots: slots.count,
        };
        for id in 0..values.len() {
            let Some((action, arguments)) = &steps[id] else {
                continue;
            };
            let mut from: Vec<Operand<R>> = arguments
                .iter()
                .map(|&a| self.operand(a, &slots, &output_of, node_inputs, &mut tape.tiles))
                .collect();
            let mut action = *action;
            if let Some((k, c)) = &affine_constants[id] {
                // k x + c with the cheapest instruction that does it.
                let all = |values: &PerLane, x: f64| values.iter().all(|&value| value == x);
                if all(k, 1.0) {
                    action = Action::Apply(Op::Add);
                    from.push(constant(c, &mut tape.tiles));
                } else if all(c, 0.0) {
                    action = Action::Apply(Op::Mul);
                    from.push(constant(k, &mut tape.tiles));
                } else {
                    from.push(constant(k, &mut tape.tiles));
                    from.push(constant(c, &mut tape.tiles));
                }
            }
            let to = match output_of[id] {
                Some(index) => Destination::Output(index),
                None => {
                    Destination::Slot(slots.of_value[id].expect("every computed value has a place"))
                }
            };
            tape.push(action, to, &from);
        }
        for (index, &(_, id)) in self.program.outputs().iter().enumerate() {
            if output_of[id] == Some(index) && steps[id].is_some() {
                continue;
            }
            // Outputs that are inputs, constants, or repeat another output.
            let from = match output_of[id] {
                Some(first) if first != index => Operand::Output(first),
                _ => self.operand(
                    id,
                    &slots,
                    &vec![None; values.len()],
                    node_inputs,
                    &mut tape.tiles,
                ),
            };
            tape.push(Action::Copy, Destination::Output(index), &[from]);
        }
        tape
    }

    fn operand<R: Real>(
        &self,
        id: ValueId,
        slots: &Slots,
        output_of: &[Option<usize>],
        node_inputs: &[Option<usize>],
        tiles: &mut Vec<Vec<R>>,
    ) -> Operand<R> {
        match (&self.hoisted[id], &self.program.values()[id]) {
            (Some(values), _) => constant(values, tiles),
            (None, Value::Input(index)) => Operand::Input(
                node_inputs[*index].expect("inputs of node extent are bound to arrays"),
            ),
            (None, _) => match (output_of[id], slots.of_value[id]) {
                (Some(index), _) => Operand::Output(index),
                (None, Some(slot)) => Operand::Slot(slot),
                (None, None) => unreachable!("operand %{id} was never computed"),
            },
        }
    }
}

/// A constant operand: a scalar where all lanes agree, else a tile.
fn constant<R: Real>(values: &PerLane, tiles: &mut Vec<Vec<R>>) -> Operand<R> {
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

impl<R: Real> Tape<R> {
    fn push(&mut self, action: Action, to: Destination, from: &[Operand<R>]) {
        let mut operands = [from[0]; 4];
        operands[..from.len()].copy_from_slice(from);
        // Selections read all their operands as arrays: a scalar becomes a tile.
        if action == Action::Apply(Op::SelectLt) {
            for operand in &mut operands {
                if let Operand::Scalar(x) = *operand {
                    self.tiles.push(vec![x; self.lanes]);
                    *operand = Operand::Tile(self.tiles.len() - 1);
                }
            }
        }
        self.instructions.push(Instruction {
            action,
            to,
            from: operands,
        });
    }
}
