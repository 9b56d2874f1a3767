//! Reads formulas: `0.1*exprelr(-(v + 40)/10)`.
//!
//! Precedence from the loosest: `+ -`, `* /`, a leading `-`, `^` (to the right). `where(a < b, x, y)` is the only place for
//! a comparison.

use std::str::FromStr;

use axonml_core::names::nearest;

use super::formula::{Binary, Formula, FormulaError, Function, Part};

/// Characters that a formula may have.
const LONGEST: usize = 20_000;
/// Parentheses, signs and powers within each other that are read.
const NESTED: usize = 100;

/// Meaning of a name that a definition has given.
pub(super) type Definitions<'d> = &'d dyn Fn(&str) -> Option<Formula>;

impl FromStr for Formula {
    type Err = FormulaError;

    fn from_str(text: &str) -> Result<Self, FormulaError> {
        parse(text, &|_| None)
    }
}

/// A formula, with what definitions stand for in place of their names.
pub(super) fn parse(text: &str, defined: Definitions<'_>) -> Result<Formula, FormulaError> {
    if text.len() > LONGEST {
        let problem = format!(
            "found {} characters, expected at most {LONGEST}",
            text.len()
        );
        return Err(FormulaError::at(0, problem));
    }
    let mut parser = Parser {
        text: text.chars().collect(),
        at: 0,
        nested: 0,
        defined,
    };
    let formula = parser.sum()?;
    match parser.peek() {
        None => Ok(formula),
        Some(_) => Err(parser.unexpected("an operator or the end")),
    }
}

struct Parser<'d> {
    text: Vec<char>,
    at: usize,
    nested: usize,
    defined: Definitions<'d>,
}

impl Parser<'_> {
    /// The next character that is no blank.
    fn peek(&mut self) -> Option<char> {
        while self.text.get(self.at).is_some_and(|c| c.is_whitespace()) {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, wanted: char) -> Result<(), FormulaError> {
        match self.take(wanted) {
            true => Ok(()),
            false => Err(self.unexpected(&format!("`{wanted}`"))),
        }
    }

    fn unexpected(&mut self, expected: &str) -> FormulaError {
        let found = match self.peek() {
            Some(c) => format!("`{c}`"),
            None => "the end".into(),
        };
        FormulaError::at(self.at, format!("found {found}, expected {expected}"))
    }

    fn made(&self, at: usize, part: Part) -> Result<Formula, FormulaError> {
        Formula::new(part).map_err(|error| FormulaError::at(at, error.problem))
    }

    fn within(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<Formula, FormulaError>,
    ) -> Result<Formula, FormulaError> {
        if self.nested == NESTED {
            let problem = format!("found more than {NESTED} levels, expected fewer");
            return Err(FormulaError::at(self.at, problem));
        }
        self.nested += 1;
        let found = read(self);
        self.nested -= 1;
        found
    }

    fn sum(&mut self) -> Result<Formula, FormulaError> {
        let mut sum = self.product()?;
        loop {
            let at = self.at;
            let operation = match self.peek() {
                Some('+') => Binary::Add,
                Some('-') => Binary::Subtract,
                _ => return Ok(sum),
            };
            self.at += 1;
            let term = self.product()?;
            sum = self.made(at, Part::Binary(operation, sum, term))?;
        }
    }

    fn product(&mut self) -> Result<Formula, FormulaError> {
        let mut product = self.signed()?;
        loop {
            let at = self.at;
            let operation = match self.peek() {
                Some('*') => Binary::Multiply,
                Some('/') => Binary::Divide,
                _ => return Ok(product),
            };
            self.at += 1;
            if self.text.get(self.at) == Some(&'*') {
                let problem = "found `**`, expected `^` for powers";
                return Err(FormulaError::at(self.at - 1, problem));
            }
            let factor = self.signed()?;
            product = self.made(at, Part::Binary(operation, product, factor))?;
        }
    }

    fn signed(&mut self) -> Result<Formula, FormulaError> {
        let at = self.at;
        if self.take('-') {
            let negated = self.within(Parser::signed)?;
            return match negated.part() {
                Part::Number(value) => Ok(Formula::number(-value)),
                _ => self.made(at, Part::Negative(negated)),
            };
        }
        match self.take('+') {
            true => self.within(Parser::signed),
            false => self.power(),
        }
    }

    fn power(&mut self) -> Result<Formula, FormulaError> {
        let base = self.primary()?;
        let at = self.at;
        if !self.take('^') {
            return Ok(base);
        }
        let exponent = self.within(Parser::signed)?;
        self.made(at, Part::power(base, exponent))
    }

    fn primary(&mut self) -> Result<Formula, FormulaError> {
        match self.peek() {
            Some('(') => {
                self.at += 1;
                let inner = self.within(Parser::sum)?;
                self.expect(')')?;
                Ok(inner)
            }
            Some(c) if c.is_ascii_digit() || c == '.' => self.number(),
            Some(c) if c.is_ascii_alphabetic() || c == '_' => self.name(),
            _ => Err(self.unexpected("a number, a name or `(`")),
        }
    }

    fn number(&mut self) -> Result<Formula, FormulaError> {
        let start = self.at;
        let digits = |parser: &mut Self| {
            while parser.text.get(parser.at).is_some_and(char::is_ascii_digit) {
                parser.at += 1;
            }
        };
        digits(self);
        if self.text.get(self.at) == Some(&'.') {
            self.at += 1;
            digits(self);
        }
        if let Some('e' | 'E') = self.text.get(self.at) {
            let sign = matches!(self.text.get(self.at + 1), Some('+' | '-'));
            let first = self.at + 1 + usize::from(sign);
            if self.text.get(first).is_some_and(char::is_ascii_digit) {
                self.at = first;
                digits(self);
            }
        }
        let written: String = self.text[start..self.at].iter().collect();
        match written.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(Formula::number(value)),
            _ => Err(FormulaError::at(
                start,
                format!("found `{written}`, expected a finite number"),
            )),
        }
    }

    fn name(&mut self) -> Result<Formula, FormulaError> {
        let start = self.at;
        let belongs = |c: &char| c.is_ascii_alphanumeric() || *c == '_' || *c == '.';
        while self.text.get(self.at).is_some_and(belongs) {
            self.at += 1;
        }
        let name: String = self.text[start..self.at].iter().collect();
        if self.peek() != Some('(') {
            return Ok((self.defined)(&name).unwrap_or_else(|| Formula::name(&name)));
        }
        self.at += 1;
        self.within(|parser| match name.as_str() {
            "where" => parser.choice(start),
            _ => parser.call(start, &name),
        })
    }

    fn call(&mut self, start: usize, name: &str) -> Result<Formula, FormulaError> {
        let known = |function: &&Function| function.name() == name;
        let Some(&function) = Function::ALL.iter().find(known) else {
            let names = Function::ALL.iter().map(|function| function.name());
            let hint = nearest(name, names.chain(["where"]))
                .map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            let problem = format!("found `{name}`, which is no function{hint}");
            return Err(FormulaError::at(start, problem));
        };
        let mut arguments = vec![self.sum()?];
        while self.take(',') {
            arguments.push(self.sum()?);
        }
        self.expect(')')?;
        self.made(start, Part::Call(function, arguments))
    }

    /// The rest of `where(a < b, x, y)`; other comparisons are brought into that form.
    fn choice(&mut self, start: usize) -> Result<Formula, FormulaError> {
        let left = self.sum()?;
        let comparison = self.peek();
        if !matches!(comparison, Some('<' | '>')) {
            return Err(self.unexpected("`<` or `>`"));
        }
        self.at += 1;
        let or_equal = self.text.get(self.at) == Some(&'=');
        self.at += usize::from(or_equal);
        let right = self.sum()?;
        self.expect(',')?;
        let then = self.sum()?;
        self.expect(',')?;
        let otherwise = self.sum()?;
        self.expect(')')?;
        let less = comparison == Some('<');
        self.made(
            start,
            Part::choice(less, or_equal, [left, right], [then, otherwise]),
        )
    }
}
