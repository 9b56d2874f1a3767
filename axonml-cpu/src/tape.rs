//! Lowering of a program to a tape: instructions for a group of lanes, ready for the block interpreter.

use axonml_autodiff::{FusedArgument, FusedOp, FusedProgram, Program, Real, Slots};

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

/// What an instruction does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Action {
    Compute(FusedOp),
    /// Copies the first operand.
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

impl<R: Real> Tape<R> {
    /// Lowers `program`. `constants[lane][input]` holds the inputs of shared and fibre extent; `node_inputs[input]` is
    /// the array that holds an input of node extent.
    pub(crate) fn new(
        program: &Program,
        constants: &[Vec<Option<f64>>],
        node_inputs: &[Option<usize>],
    ) -> Self {
        let fused = FusedProgram::new(program, constants);
        // A step that is an output lives there (in the first of several); the others take slots.
        let mut output_of = vec![None; fused.steps.len()];
        for (index, output) in fused.outputs.iter().enumerate().rev() {
            if let FusedArgument::Step(step) = output {
                output_of[*step] = Some(index);
            }
        }
        let reads: Vec<Option<Vec<usize>>> = fused
            .steps
            .iter()
            .map(|step| {
                let steps = step.arguments.iter().filter_map(|argument| match argument {
                    FusedArgument::Step(step) => Some(*step),
                    FusedArgument::Input(_) | FusedArgument::Constant(_) => None,
                });
                Some(steps.collect())
            })
            .collect();
        let stored: Vec<bool> = output_of.iter().map(Option::is_none).collect();
        let slots = Slots::assign(&reads, &stored, &[]);

        let mut tape = Tape {
            instructions: Vec::new(),
            tiles: Vec::new(),
            lanes: fused.lanes,
            slots: slots.count,
        };
        let place = |argument: &FusedArgument, tiles: &mut Vec<Vec<R>>| match argument {
            FusedArgument::Constant(values) => constant(values, tiles),
            FusedArgument::Input(input) => Operand::Input(
                node_inputs[*input].expect("inputs of node extent are bound to arrays"),
            ),
            FusedArgument::Step(step) => match (output_of[*step], slots.of_value[*step]) {
                (Some(output), _) => Operand::Output(output),
                (None, Some(slot)) => Operand::Slot(slot),
                (None, None) => unreachable!("every step has a place"),
            },
        };
        for (index, step) in fused.steps.iter().enumerate() {
            let from: Vec<Operand<R>> = step
                .arguments
                .iter()
                .map(|a| place(a, &mut tape.tiles))
                .collect();
            let to = match (output_of[index], slots.of_value[index]) {
                (Some(output), _) => Destination::Output(output),
                (None, Some(slot)) => Destination::Slot(slot),
                (None, None) => unreachable!("every step has a place"),
            };
            tape.push(Action::Compute(step.op), to, &from);
        }
        for (index, output) in fused.outputs.iter().enumerate() {
            // Outputs that are inputs, constants, or repeat another output.
            let from = place(output, &mut tape.tiles);
            if from != Operand::Output(index) {
                tape.push(Action::Copy, Destination::Output(index), &[from]);
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
