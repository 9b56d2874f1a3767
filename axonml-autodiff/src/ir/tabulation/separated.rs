//! The part of a program that depends on nothing but one node input and numbers.

use std::collections::HashMap;

use crate::ir::{Expr, Extent, Op, Program, Tracer, Value, ValueId};

/// Role of a program's input in tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The variable that tables run over.
    Variable,
    /// The same number for all fibers.
    Number,
    /// Anything else: what depends on it is computed.
    Other,
}

/// Functions of the variable in a program, and where it uses them.
#[derive(Clone, Debug)]
pub struct Separated {
    /// The functions, from the variable and the numbers.
    pub functions: Program,
    /// Index in the program of each input of `functions`.
    pub inputs: Vec<usize>,
    /// Index of the variable among the inputs of `functions`.
    pub variable: usize,
    /// Values of the program that can be had from functions.
    pub candidates: Vec<Candidate>,
}

/// A value of the program that tables replace.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    value: ValueId,
    form: Form,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    /// A function itself.
    Function(usize),
    /// `x + (gain - decay x)` of the input `x`: the update of a gate, whose coefficients are small where it is slow, so that
    /// single precision keeps their digits.
    Update { x: usize, decay: usize, gain: usize },
}

impl Candidate {
    /// The functions that it needs, by index.
    pub fn functions(&self) -> Vec<usize> {
        match self.form {
            Form::Function(function) => vec![function],
            Form::Update { decay, gain, .. } => vec![decay, gain],
        }
    }

    /// Decay and gain of an update; none of a function.
    pub fn update(&self) -> Option<(usize, usize)> {
        match self.form {
            Form::Function(_) => None,
            Form::Update { decay, gain, .. } => Some((decay, gain)),
        }
    }

    /// The function whose largest magnitude is the scale of all of them: that of a gate's update is its decay, for the update
    /// of a gate between 0 and 1 is at most as large.
    pub fn scale(&self) -> usize {
        self.functions()[0]
    }
}

/// Class of a value for tables; expressions are in the trace of the functions.
#[derive(Clone, Copy)]
enum Class<'t> {
    Number(Expr<'t>),
    /// Whether it costs more than some sums and products.
    Function(Expr<'t>, bool),
    /// `a x + b` of an input that is no number, with functions or numbers `a` and `b`.
    Affine {
        x: usize,
        a: Expr<'t>,
        b: Expr<'t>,
        costly: bool,
    },
    Other,
}

impl Separated {
    /// Finds the functions of a program, given the role of each input and, for each output that updates an input of role
    /// [`Role::Other`], that input. None if it has no variable.
    ///
    /// # Panics
    /// If there is not one role per input and one update per output.
    pub fn new(program: &Program, roles: &[Role], updates: &[Option<usize>]) -> Option<Self> {
        assert_eq!(roles.len(), program.inputs().len());
        assert_eq!(updates.len(), program.outputs().len());
        let tracer = Tracer::new();
        let inputs: Vec<usize> = (0..roles.len())
            .filter(|&input| roles[input] != Role::Other)
            .collect();
        let variable = inputs.iter().position(|&x| roles[x] == Role::Variable)?;
        for &input in &inputs {
            let input = &program.inputs()[input];
            tracer.input(&input.name, input.extent);
        }
        let mut classes: Vec<Class<'_>> = Vec::with_capacity(program.values().len());
        for value in program.values() {
            classes.push(classify(program, roles, &tracer, value, &classes));
        }

        let mut functions: Vec<Expr<'_>> = Vec::new();
        let mut function = |e: Expr<'_>| match functions.iter().position(|f| f.id() == e.id()) {
            Some(known) => known,
            None => {
                // Of the same trace: lifetimes of both are that of the tracer.
                functions.push(tracer.expression(e.id()));
                functions.len() - 1
            }
        };
        let mut candidates = Vec::new();
        for (&(_, value), update) in program.outputs().iter().zip(updates) {
            if let Class::Affine {
                x,
                a,
                b,
                costly: true,
            } = classes[value]
                && *update == Some(x)
            {
                let decay = 1.0 - a;
                let gain = match relaxing_to(a, b) {
                    Some(steady) => steady * decay,
                    None => b,
                };
                let (decay, gain) = (function(decay), function(gain));
                let form = Form::Update { x, decay, gain };
                candidates.push(Candidate { value, form });
            }
        }
        // Functions that are read by computations of more than functions, updates apart.
        let mut wanted = vec![false; classes.len()];
        for &(_, value) in program.outputs() {
            wanted[value] = true;
        }
        for (value, class) in program.values().iter().zip(&classes) {
            if let (Value::Apply(_, arguments), Class::Other) = (value, class) {
                arguments
                    .iter()
                    .for_each(|&argument| wanted[argument] = true);
            }
        }
        for (value, class) in classes.iter().enumerate() {
            if let (true, Class::Function(e, true)) = (wanted[value], class) {
                let form = Form::Function(function(*e));
                candidates.push(Candidate { value, form });
            }
        }
        let outputs: Vec<(String, Expr<'_>)> = functions
            .iter()
            .enumerate()
            .map(|(index, e)| (format!("function {index}"), *e))
            .collect();
        let functions = tracer
            .finish(&outputs)
            .expect("a part of a valid program has no trace error");
        Some(Separated {
            functions,
            inputs,
            variable,
            candidates,
        })
    }

    /// The program with the functions of some candidates as inputs of node extent, in the order of `kept` and, within a
    /// candidate, of [`Candidate::functions`]; they follow the program's own inputs.
    pub fn rest(&self, program: &Program, kept: &[&Candidate]) -> Program {
        let tracer = Tracer::new();
        let own: Vec<Expr<'_>> = program
            .inputs()
            .iter()
            .map(|input| tracer.input(&input.name, input.extent))
            .collect();
        let mut tables = 0;
        let mut replaced: HashMap<ValueId, Expr<'_>> = HashMap::new();
        for candidate in kept {
            let mut next = || {
                tables += 1;
                tracer.input(&format!("table {}", tables - 1), Extent::Node)
            };
            let e = match candidate.form {
                Form::Function(_) => next(),
                Form::Update { x, .. } => {
                    let (decay, gain) = (next(), next());
                    own[x] + (gain - decay * own[x])
                }
            };
            replaced.insert(candidate.value, e);
        }
        let mut values: Vec<Expr<'_>> = Vec::with_capacity(program.values().len());
        for (id, value) in program.values().iter().enumerate() {
            values.push(match (replaced.get(&id), value) {
                (Some(e), _) => *e,
                (None, Value::Constant(c)) => tracer.constant(*c),
                (None, Value::Input(input)) => own[*input],
                (None, Value::Apply(op, arguments)) => {
                    let of: Vec<Expr<'_>> = arguments.iter().map(|&a| values[a]).collect();
                    Expr::apply(*op, &of)
                }
            });
        }
        let outputs: Vec<(String, Expr<'_>)> = program
            .outputs()
            .iter()
            .map(|(name, id)| (name.clone(), values[*id]))
            .collect();
        tracer
            .finish(&outputs)
            .expect("a part of a valid program has no trace error")
    }
}

fn classify<'t>(
    program: &Program,
    roles: &[Role],
    tracer: &'t Tracer,
    value: &Value,
    classes: &[Class<'t>],
) -> Class<'t> {
    let (op, arguments) = match value {
        Value::Constant(c) => return Class::Number(tracer.constant(*c)),
        Value::Input(index) => {
            let input = &program.inputs()[*index];
            let itself = || tracer.input(&input.name, input.extent);
            return match roles[*index] {
                Role::Number => Class::Number(itself()),
                Role::Variable => Class::Function(itself(), false),
                Role::Other => Class::Affine {
                    x: *index,
                    a: tracer.constant(1.0),
                    b: tracer.constant(0.0),
                    costly: false,
                },
            };
        }
        Value::Apply(op, arguments) => (*op, arguments),
    };
    let of: Vec<Class<'t>> = arguments.iter().map(|&a| classes[a]).collect();
    let known: Option<Vec<Expr<'t>>> = of.iter().map(Class::function).collect();
    if let Some(operands) = known {
        let e = Expr::apply(op, &operands);
        let varies = of.iter().any(|class| matches!(class, Class::Function(..)));
        return match varies {
            true => Class::Function(e, of.iter().any(Class::costly) || costs(op, &of)),
            false => Class::Number(e),
        };
    }
    let costly = of.iter().any(Class::costly);
    let affine = |x: usize, a: Expr<'t>, b: Expr<'t>| Class::Affine { x, a, b, costly };
    match (op, &of[..]) {
        (Op::Neg, &[Class::Affine { x, a, b, .. }]) => affine(x, -a, -b),
        (
            Op::Add | Op::Sub,
            &[
                Class::Affine { x, a, b, .. },
                Class::Affine {
                    x: y, a: c, b: d, ..
                },
            ],
        ) if x == y => affine(x, Expr::apply(op, &[a, c]), Expr::apply(op, &[b, d])),
        (_, &[Class::Affine { x, a, b, .. }, second]) => match (op, second.function()) {
            (Op::Add, Some(f)) => affine(x, a, b + f),
            (Op::Sub, Some(f)) => affine(x, a, b - f),
            (Op::Mul, Some(f)) => affine(x, a * f, b * f),
            (Op::Div, Some(f)) => affine(x, a / f, b / f),
            _ => Class::Other,
        },
        (_, &[first, Class::Affine { x, a, b, .. }]) => match (op, first.function()) {
            (Op::Add, Some(f)) => affine(x, a, f + b),
            (Op::Sub, Some(f)) => affine(x, -a, f - b),
            (Op::Mul, Some(f)) => affine(x, f * a, f * b),
            _ => Class::Other,
        },
        _ => Class::Other,
    }
}

/// The steady state `s` of an update `a x + b` with `b = s - s a`, as `s + (x - s) a` has it. As the product `s (1 - a)` it is
/// computed without cancellation, and enclosed more tightly.
fn relaxing_to<'t>(a: Expr<'t>, b: Expr<'t>) -> Option<Expr<'t>> {
    let tracer = b.tracer();
    let Value::Apply(Op::Sub, arguments) = tracer.value(b.id()) else {
        return None;
    };
    let steady = tracer.expression(arguments[0]);
    let (p, q) = tracer.expression(arguments[1]).factors()?;
    let (p, q) = (p.id(), q.id());
    let same = (p == steady.id() && q == a.id()) || (q == steady.id() && p == a.id());
    same.then_some(steady)
}

/// Whether an operation takes much longer than a sum or product.
fn costs(op: Op, of: &[Class<'_>]) -> bool {
    match op {
        Op::Add | Op::Sub | Op::Mul | Op::Neg | Op::Min | Op::Max | Op::SelectLt => false,
        // By a number it becomes a product.
        Op::Div => matches!(of[1], Class::Function(..)),
        Op::Exp
        | Op::Expm1
        | Op::Log
        | Op::Sqrt
        | Op::Exprelr
        | Op::ExprelrD1
        | Op::ExprelrD2
        | Op::Sigmoid => true,
    }
}

impl<'t> Class<'t> {
    /// Its expression, if it depends on nothing but the variable and numbers.
    fn function(&self) -> Option<Expr<'t>> {
        match *self {
            Class::Number(e) | Class::Function(e, _) => Some(e),
            Class::Affine { .. } | Class::Other => None,
        }
    }

    fn costly(&self) -> bool {
        match *self {
            Class::Function(_, costly) | Class::Affine { costly, .. } => costly,
            Class::Number(_) | Class::Other => false,
        }
    }
}
