//! Writes formulas as text that is read back to the same operations.

use std::collections::HashMap;
use std::fmt;

use super::formula::{Binary, Formula, Part};

/// Operations that a formula shows as text; parts that are shared many times could fill the memory.
const LONGEST: u64 = 20_000;

/// Parts that have names of their own, by identity.
pub(super) type Named = HashMap<usize, String>;

impl fmt::Display for Formula {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.operations() {
            0..=LONGEST => f.write_str(&text(self, &Named::new())),
            operations => write!(f, "(a formula of {operations} operations)"),
        }
    }
}

/// Text with the parts that have names replaced by them; the formula itself is written out.
pub(super) fn text(formula: &Formula, named: &Named) -> String {
    let mut out = String::new();
    write(formula, named, 0, true, &mut out);
    out
}

/// Levels of precedence: sums 1, products 2, signs 3, powers 4, the rest 5.
fn level(formula: &Formula) -> u8 {
    match formula.part() {
        Part::Binary(Binary::Add | Binary::Subtract, ..) => 1,
        Part::Binary(Binary::Multiply | Binary::Divide, ..) => 2,
        Part::Negative(_) => 3,
        Part::Number(value) if value.is_sign_negative() => 3,
        Part::Power(..) => 4,
        Part::Number(_) | Part::Name(_) | Part::Call(..) | Part::Where(_) => 5,
    }
}

/// Writes a formula where one of at least `least` is needed.
fn write(formula: &Formula, named: &Named, least: u8, outermost: bool, out: &mut String) {
    if let Some(name) = named.get(&formula.key())
        && !outermost
    {
        out.push_str(name);
        return;
    }
    let own = level(formula);
    if own < least {
        out.push('(');
    }
    let operand = |x: &Formula, least: u8, out: &mut String| write(x, named, least, false, out);
    match formula.part() {
        Part::Number(value) => out.push_str(&value.to_string()),
        Part::Name(name) => out.push_str(name),
        Part::Negative(x) => {
            out.push('-');
            operand(x, 3, out);
        }
        Part::Binary(operation, x, y) => {
            operand(x, own, out);
            out.push_str(match operation {
                Binary::Add => " + ",
                Binary::Subtract => " - ",
                Binary::Multiply => "*",
                Binary::Divide => "/",
            });
            // Sums and products are read from the left.
            operand(y, own + 1, out);
        }
        Part::Power(x, exponent) => {
            operand(x, 5, out);
            out.push('^');
            out.push_str(&exponent.to_string());
        }
        Part::Call(function, arguments) => {
            out.push_str(function.name());
            for (index, argument) in arguments.iter().enumerate() {
                out.push_str(if index == 0 { "(" } else { ", " });
                operand(argument, 0, out);
            }
            out.push(')');
        }
        Part::Where([a, b, x, y]) => {
            out.push_str("where(");
            operand(a, 0, out);
            out.push_str(" < ");
            operand(b, 0, out);
            out.push_str(", ");
            operand(x, 0, out);
            out.push_str(", ");
            operand(y, 0, out);
            out.push(')');
        }
    }
    if own < least {
        out.push(')');
    }
}
