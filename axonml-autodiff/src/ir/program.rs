//! Programs: straight-line scalar computations in static single assignment form.

use std::fmt;

use crate::ir::op::Op;

/// Index of a value within its program.
pub type ValueId = usize;

/// How far a value reaches: which lanes share it. Ordered from widest sharing to none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Extent {
    /// One value for all fibers.
    Shared,
    /// One value per fiber.
    Fiber,
    /// One value per node of every fiber.
    Node,
}

/// A named input of a program.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Input {
    /// Name, by which the input is bound.
    pub name: String,
    /// Which lanes share it.
    pub extent: Extent,
}

/// How a value of a program comes about.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A number.
    Constant(f64),
    /// Input by index.
    Input(usize),
    /// An operation on earlier values.
    Apply(Op, Vec<ValueId>),
}

/// A traced and simplified computation from named inputs to named outputs, one lane at a time.
#[derive(Clone, Debug, PartialEq)]
pub struct Program {
    inputs: Vec<Input>,
    values: Vec<Value>,
    outputs: Vec<(String, ValueId)>,
}

impl Program {
    /// Keeps the `values` that `outputs` depend on, in order; all inputs stay (their order is the calling convention).
    pub(crate) fn new(
        inputs: Vec<Input>,
        values: Vec<Value>,
        outputs: Vec<(String, ValueId)>,
    ) -> Self {
        let mut needed = vec![false; values.len()];
        for &(_, id) in &outputs {
            needed[id] = true;
        }
        for id in (0..values.len()).rev() {
            if let (true, Value::Apply(_, arguments)) = (needed[id], &values[id]) {
                arguments
                    .iter()
                    .for_each(|&argument| needed[argument] = true);
            }
        }
        let mut renumbered = vec![usize::MAX; values.len()];
        let mut kept = Vec::new();
        for (id, value) in values.into_iter().enumerate().filter(|(id, _)| needed[*id]) {
            renumbered[id] = kept.len();
            kept.push(match value {
                Value::Apply(op, arguments) => {
                    Value::Apply(op, arguments.iter().map(|&a| renumbered[a]).collect())
                }
                leaf => leaf,
            });
        }
        let outputs = outputs
            .into_iter()
            .map(|(name, id)| (name, renumbered[id]))
            .collect();
        Program {
            inputs,
            values: kept,
            outputs,
        }
    }

    /// Inputs, in the order in which [`Program::eval`] takes them.
    pub fn inputs(&self) -> &[Input] {
        &self.inputs
    }

    /// Values in order of computation: arguments come before their use.
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// Outputs: name and value.
    pub fn outputs(&self) -> &[(String, ValueId)] {
        &self.outputs
    }

    /// Index of an input by name.
    pub fn input(&self, name: &str) -> Option<usize> {
        self.inputs.iter().position(|input| input.name == name)
    }

    /// The outputs for one lane, by the canonical meaning of every operation.
    ///
    /// # Panics
    /// If there are fewer inputs than the program has.
    pub fn eval(&self, inputs: &[f64]) -> Vec<f64> {
        let mut values: Vec<f64> = Vec::with_capacity(self.values.len());
        for value in &self.values {
            let result = match value {
                Value::Constant(c) => *c,
                Value::Input(index) => inputs[*index],
                Value::Apply(op, arguments) => {
                    let mut scratch = [0.0; 4];
                    for (slot, &argument) in scratch.iter_mut().zip(arguments) {
                        *slot = values[argument];
                    }
                    (op.row().value)(&scratch[..arguments.len()])
                }
            };
            values.push(result);
        }
        self.outputs.iter().map(|&(_, id)| values[id]).collect()
    }

    /// Extent of every value: constants are shared, an operation reaches as far as its narrowest-shared argument.
    ///
    /// Values of shared or fiber extent do not change from node to node, nor (their inputs being parameters) from step
    /// to step: executors compute them once per run.
    pub fn extents(&self) -> Vec<Extent> {
        let mut extents: Vec<Extent> = Vec::with_capacity(self.values.len());
        for value in &self.values {
            extents.push(match value {
                Value::Constant(_) => Extent::Shared,
                Value::Input(index) => self.inputs[*index].extent,
                Value::Apply(_, arguments) => arguments
                    .iter()
                    .map(|&a| extents[a])
                    .max()
                    .unwrap_or(Extent::Shared),
            });
        }
        extents
    }
}

impl fmt::Display for Program {
    /// One line per value: `%7 = mul %3 %6`, then the outputs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (id, value) in self.values.iter().enumerate() {
            match value {
                Value::Constant(c) => writeln!(f, "%{id} = {c:?}")?,
                Value::Input(index) => {
                    let Input { name, extent } = &self.inputs[*index];
                    writeln!(f, "%{id} = {name} ({extent:?})")?;
                }
                Value::Apply(op, arguments) => {
                    write!(f, "%{id} = {}", op.row().name)?;
                    arguments.iter().try_for_each(|a| write!(f, " %{a}"))?;
                    writeln!(f)?;
                }
            }
        }
        self.outputs
            .iter()
            .try_for_each(|(name, id)| writeln!(f, "{name} = %{id}"))
    }
}
