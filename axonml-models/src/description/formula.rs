//! Formulas of membranes as data: owned, shared in parts, traced when a model is used.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use axonml_autodiff::ir::{Expr, Tracer};

/// Levels that a formula may be nested: recursion over it never exhausts a stack.
const DEEPEST: u32 = 400;

/// A formula over names: membrane potential, temperature, parameters and states.
///
/// Clones share their parts; a part that several formulas have is traced once.
///
/// # Example
/// ```
/// use axonml_models::description::Formula;
///
/// let rate: Formula = "0.1*exprelr(-(v + 40)/10)".parse()?;
/// assert_eq!(rate.to_string(), "0.1*exprelr(-(v + 40)/10)");
/// assert_eq!(rate.names(), ["v"]);
/// # Ok::<(), axonml_models::description::FormulaError>(())
/// ```
#[derive(Clone)]
pub struct Formula(Arc<Node>);

struct Node {
    part: Part,
    depth: u32,
    /// Operations, shared ones counted as often as they are used.
    operations: u64,
}

/// Its text.
impl fmt::Debug for Formula {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// The outermost operation of a formula.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Part {
    /// A number.
    Number(f64),
    /// A name.
    Name(Arc<str>),
    /// `-x`.
    Negative(Formula),
    /// `x + y` and its like.
    Binary(Binary, Formula, Formula),
    /// `x^n` with a constant natural number, by multiplications.
    Power(Formula, u32),
    /// A function of one or two arguments.
    Call(Function, Vec<Formula>),
    /// `where(a < b, x, y)`: x where a < b, else y.
    Where([Formula; 4]),
}

/// An operation on two formulas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    /// `x + y`.
    Add,
    /// `x - y`.
    Subtract,
    /// `x*y`.
    Multiply,
    /// `x/y`.
    Divide,
}

/// Declares the functions once: variant, name, arguments, and how they are traced.
macro_rules! functions {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $arity:literal, $trace:expr;)+) => {
        /// A function that formulas may call.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Function { $($(#[$doc])* $variant,)+ }

        impl Function {
            /// All functions.
            pub const ALL: &[Function] = &[$(Function::$variant),+];

            /// Name in formulas.
            pub fn name(self) -> &'static str {
                match self { $(Function::$variant => $name,)+ }
            }

            /// Number of arguments.
            pub fn arity(self) -> usize {
                match self { $(Function::$variant => $arity,)+ }
            }

            fn trace<'t>(self, arguments: &[Expr<'t>], names: &dyn Names<'t>) -> Expr<'t> {
                match self {
                    $(Function::$variant => {
                        let trace: fn(&[Expr<'t>], &dyn Names<'t>) -> Expr<'t> = $trace;
                        trace(arguments, names)
                    })+
                }
            }
        }
    };
}

functions! {
    /// `e^x`.
    Exp = "exp", 1, |x, _| x[0].exp();
    /// `e^x - 1`.
    Expm1 = "expm1", 1, |x, _| x[0].expm1();
    /// Natural logarithm.
    Log = "log", 1, |x, _| x[0].ln();
    /// Square root.
    Sqrt = "sqrt", 1, |x, _| x[0].sqrt();
    /// `x/(e^x - 1)`, 1 at 0.
    Exprelr = "exprelr", 1, |x, _| x[0].exprelr();
    /// `1/(1 + e^-x)`.
    Sigmoid = "sigmoid", 1, |x, _| x[0].sigmoid();
    /// The smaller of two.
    Min = "min", 2, |x, _| x[0].min(x[1]);
    /// The larger of two.
    Max = "max", 2, |x, _| x[0].max(x[1]);
    /// `x^y` of a number that is not negative.
    Pow = "pow", 2, |x, _| x[0].powf(x[1]);
    /// Temperature factor `x^((celsius - y)/10)`.
    Q10 = "q10", 2, |x, names| q10(x[0], x[1], names.find(CELSIUS));
}

/// Name of the membrane potential, mV, in formulas.
pub const VOLTAGE: &str = "v";
/// Name of the temperature, degrees Celsius, in formulas.
pub const CELSIUS: &str = "celsius";
/// Name of the fiber's diameter, um, in formulas.
pub const DIAMETER: &str = "diameter_um";

/// The temperature factor, by the constant's own logarithm where the factor is one.
fn q10<'t>(factor: Expr<'t>, reference: Expr<'t>, celsius: Expr<'t>) -> Expr<'t> {
    let above = celsius - reference;
    match factor.as_constant() {
        Some(factor) => (above * (factor.ln() / 10.0)).exp(),
        None => (above * (factor.ln() / 10.0)).exp(),
    }
}

/// Expressions that names stand for.
pub(super) trait Names<'t> {
    /// The expression of a name; unknown ones are reported by the trace.
    fn find(&self, name: &str) -> Expr<'t>;
}

/// A formula that cannot be read or made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct FormulaError {
    /// Character of the text at which it was noticed, from 0; none where there is no text.
    pub at: Option<usize>,
    /// The text found, and the text expected instead.
    pub problem: String,
}

impl FormulaError {
    pub(super) fn at(at: usize, problem: impl Into<String>) -> Self {
        FormulaError {
            at: Some(at),
            problem: problem.into(),
        }
    }
}

impl Formula {
    /// A formula of its outermost operation.
    ///
    /// # Errors
    /// [`FormulaError`] if it is nested more than 400 levels deep, or a function lacks arguments.
    pub fn new(part: Part) -> Result<Self, FormulaError> {
        if let Part::Call(function, arguments) = &part
            && arguments.len() != function.arity()
        {
            return Err(FormulaError {
                at: None,
                problem: format!(
                    "found {} arguments of {}, expected {}",
                    arguments.len(),
                    function.name(),
                    function.arity()
                ),
            });
        }
        let below = part.operands().map(|operand| operand.0.depth).max();
        let depth = below.map_or(0, |below| below + 1);
        if depth > DEEPEST {
            return Err(FormulaError {
                at: None,
                problem: format!(
                    "found a formula of more than {DEEPEST} levels, expected a shallower one: group its terms with parentheses"
                ),
            });
        }
        let operations = part.operands().map(|operand| operand.0.operations);
        let operations = operations.fold(1, u64::saturating_add);
        Ok(Formula(Arc::new(Node {
            part,
            depth,
            operations,
        })))
    }

    /// A number.
    pub fn number(value: f64) -> Self {
        Formula::leaf(Part::Number(value))
    }

    /// A name.
    pub fn name(name: &str) -> Self {
        Formula::leaf(Part::Name(name.into()))
    }

    fn leaf(part: Part) -> Self {
        Formula(Arc::new(Node {
            part,
            depth: 0,
            operations: 1,
        }))
    }

    /// The outermost operation.
    pub fn part(&self) -> &Part {
        &self.0.part
    }

    /// The names in it, in the order in which they come first.
    pub fn names(&self) -> Vec<&str> {
        let mut names = Vec::new();
        self.each(&mut |formula| {
            if let Part::Name(name) = formula.part()
                && !names.contains(&&**name)
            {
                names.push(&**name);
            }
        });
        names
    }

    /// Shows every part once, operands before their operation.
    pub(super) fn each<'f>(&'f self, show: &mut dyn FnMut(&'f Formula)) {
        fn visit<'f>(
            formula: &'f Formula,
            seen: &mut HashSet<usize>,
            show: &mut dyn FnMut(&'f Formula),
        ) {
            if seen.insert(formula.key()) {
                for operand in formula.part().operands() {
                    visit(operand, seen, show);
                }
                show(formula);
            }
        }
        visit(self, &mut HashSet::new(), show);
    }

    /// Operations and names in it, shared ones counted as often as they are used.
    pub fn operations(&self) -> u64 {
        self.0.operations
    }

    /// Identity of the shared part.
    pub(super) fn key(&self) -> usize {
        Arc::as_ptr(&self.0) as usize
    }

    /// The expression of the formula in a trace.
    pub(super) fn trace<'t>(
        &self,
        tracer: &'t Tracer,
        names: &dyn Names<'t>,
        known: &mut HashMap<usize, Expr<'t>>,
    ) -> Expr<'t> {
        if let Some(&known) = known.get(&self.key()) {
            return known;
        }
        let mut of = |formula: &Formula| formula.trace(tracer, names, known);
        let traced = match self.part() {
            Part::Number(value) => tracer.constant(*value),
            Part::Name(name) => names.find(name),
            Part::Negative(x) => -of(x),
            Part::Binary(operation, x, y) => {
                let (x, y) = (of(x), of(y));
                match operation {
                    Binary::Add => x + y,
                    Binary::Subtract => x - y,
                    Binary::Multiply => x * y,
                    Binary::Divide => x / y,
                }
            }
            Part::Power(x, exponent) => of(x).powi(*exponent),
            Part::Call(function, arguments) => {
                let arguments: Vec<Expr<'t>> = arguments.iter().map(of).collect();
                function.trace(&arguments, names)
            }
            Part::Where([a, b, x, y]) => {
                let (a, b) = (of(a), of(b));
                a.select_lt(b, of(x), of(y))
            }
        };
        known.insert(self.key(), traced);
        traced
    }
}

/// Whether they do the same operations on the same numbers and names.
impl PartialEq for Formula {
    fn eq(&self, other: &Self) -> bool {
        fn same(a: &Formula, b: &Formula, equal: &mut HashSet<(usize, usize)>) -> bool {
            if a.key() == b.key() || equal.contains(&(a.key(), b.key())) {
                return true;
            }
            let alike = match (a.part(), b.part()) {
                (Part::Number(a), Part::Number(b)) => a.to_bits() == b.to_bits(),
                (Part::Name(a), Part::Name(b)) => a == b,
                (Part::Binary(a, ..), Part::Binary(b, ..)) => a == b,
                (Part::Power(_, a), Part::Power(_, b)) => a == b,
                (Part::Call(a, _), Part::Call(b, _)) => a == b,
                (Part::Negative(_), Part::Negative(_)) | (Part::Where(_), Part::Where(_)) => true,
                _ => false,
            };
            let mut operands = a.part().operands().zip(b.part().operands());
            let alike = alike && operands.all(|(a, b)| same(a, b, equal));
            if alike {
                equal.insert((a.key(), b.key()));
            }
            alike
        }
        self.operations() == other.operations() && same(self, other, &mut HashSet::new())
    }
}

impl Part {
    /// `base^exponent`: by multiplications where the exponent is a natural number of at most 64.
    pub fn power(base: Formula, exponent: Formula) -> Part {
        match exponent.part() {
            Part::Number(n) if (0.0..=64.0).contains(n) && n.fract() == 0.0 => {
                Part::Power(base, *n as u32)
            }
            _ => Part::Call(Function::Pow, vec![base, exponent]),
        }
    }

    /// A choice by `<` (`less`) or `>` of two formulas, or by `<=` or `>=` (`or_equal`), as one by `<`.
    pub fn choice(
        less: bool,
        or_equal: bool,
        [left, right]: [Formula; 2],
        [then, otherwise]: [Formula; 2],
    ) -> Part {
        Part::Where(match (less, or_equal) {
            (true, false) => [left, right, then, otherwise],
            (false, false) => [right, left, then, otherwise],
            (true, true) => [right, left, otherwise, then],
            (false, true) => [left, right, otherwise, then],
        })
    }

    /// The formulas that the operation is done on.
    pub fn operands(&self) -> impl Iterator<Item = &Formula> {
        let several: &[Formula] = match self {
            Part::Call(_, arguments) => arguments,
            Part::Where(operands) => operands,
            Part::Negative(x) | Part::Power(x, _) => std::slice::from_ref(x),
            Part::Number(_) | Part::Name(_) | Part::Binary(..) => &[],
        };
        let two = match self {
            Part::Binary(_, x, y) => [Some(x), Some(y)],
            _ => [None, None],
        };
        several.iter().chain(two.into_iter().flatten())
    }
}
