//! Descriptions as TOML text: errors name line and column.

use toml::de::{DeTable, DeValue};

use super::check::{Place, Problem};
use super::raw::{RawDescription, read};
use super::{DescriptionError, FiberDescription};

impl FiberDescription {
    /// A description in TOML.
    ///
    /// # Errors
    /// [`DescriptionError`] with line and column.
    pub fn from_toml(text: &str) -> Result<Self, DescriptionError> {
        let raw: RawDescription = toml::from_str(text).map_err(|error| DescriptionError {
            line_column: error.span().map(|span| line_column(text, span.start)),
            place: "fiber file".into(),
            problem: error.message().to_owned(),
        })?;
        read(raw).map_err(|problem| DescriptionError {
            line_column: byte_of(text, &problem).map(|byte| line_column(text, byte)),
            place: problem.place.to_string(),
            problem: problem.problem,
        })
    }

    /// The description in TOML; [`FiberDescription::from_toml`] reads it back.
    ///
    /// # Errors
    /// [`DescriptionError`] if the description is not in order.
    pub fn to_toml(&self) -> Result<String, DescriptionError> {
        self.check()?;
        toml::to_string(self).map_err(|error| DescriptionError {
            line_column: None,
            place: "fiber".into(),
            problem: error.to_string(),
        })
    }
}

/// Place in the text of the entry that has a problem, or of the table that lacks it.
fn byte_of(text: &str, problem: &Problem) -> Option<usize> {
    let Place {
        list,
        index,
        name,
        key,
    } = &problem.place;
    let top = DeTable::parse(text).ok()?;
    let found = top.get_ref().iter().find(|(key, _)| key.get_ref() == list);
    let mut value = found?.1;
    let within = |value: &toml::Spanned<DeValue<'_>>| value.span().start;
    let mut at = within(value);
    if let (Some(index), DeValue::Array(entries)) = (index, value.get_ref()) {
        value = entries.get(*index)?;
        at = within(value);
    }
    for key in [name.as_deref(), *key].into_iter().flatten() {
        let DeValue::Table(table) = value.get_ref() else {
            return Some(at);
        };
        let Some((_, found)) = table.iter().find(|(own, _)| own.get_ref() == key) else {
            return Some(at);
        };
        value = found;
        at = within(value);
    }
    match (problem.at, value.get_ref()) {
        (Some(character), DeValue::String(content)) => {
            // As long as nothing is escaped, the text is that of the formula.
            let written = &text[value.span()];
            let begins = written.find(&**content)?;
            let before = content.chars().take(character).map(char::len_utf8);
            Some(at + begins + before.sum::<usize>())
        }
        _ => Some(at),
    }
}

/// Line and column of a byte, from 1; columns are characters.
fn line_column(text: &str, byte: usize) -> (usize, usize) {
    let before = &text[..byte.min(text.len())];
    let line = before.matches('\n').count() + 1;
    let begins = before.rfind('\n').map_or(0, |newline| newline + 1);
    (line, before[begins..].chars().count() + 1)
}
