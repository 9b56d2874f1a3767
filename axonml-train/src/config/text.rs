//! Reads configurations; errors name the place and the nearest valid key.

use axonml_core::names;
use serde::Deserialize;
use toml::{Table, Value};

use super::{Config, ConfigError};

impl Config {
    /// Reads a configuration; `settings` (`key=value`, with dots between tables and numbers for the entries of lists:
    /// `stage.0.learning_rate=0.02`) override it.
    ///
    /// # Errors
    /// [`ConfigError`] with line and column, and for a key that there is not the one most like it. Values are checked
    /// by [`Config::check`].
    pub fn from_toml(text: &str, settings: &[String]) -> Result<Self, ConfigError> {
        let read = || toml::from_str(text).map_err(|error| explain(&error, Some(text)));
        if settings.is_empty() {
            return read();
        }
        let parsed = toml::from_str(text).map_err(|error| explain(&error, Some(text)));
        let mut table: Table = parsed?;
        for setting in settings {
            apply(&mut table, setting)?;
        }
        Config::deserialize(table).map_err(|error| {
            // Errors of the file itself have a place.
            let of_file = read().err();
            of_file.unwrap_or_else(|| explain(&error, None))
        })
    }
}

/// Puts `key=value` into `table`; a value that is no TOML is text.
fn apply(table: &mut Table, setting: &str) -> Result<(), ConfigError> {
    let wrong = |problem: &str| ConfigError::Setting {
        setting: setting.to_owned(),
        problem: problem.to_owned(),
    };
    let (path, value) = setting
        .split_once('=')
        .ok_or_else(|| wrong("expected key=value, such as seed=3 or stage.0.batch=8"))?;
    let value = value.trim();
    let parsed = toml::from_str::<Table>(&format!("value = {value}"));
    let value = parsed.ok().and_then(|mut table| table.remove("value"));
    let value = value.unwrap_or_else(|| {
        let (_, text) = setting.split_once('=').unwrap_or_default();
        Value::String(text.trim().to_owned())
    });
    let mut keys: Vec<&str> = path.split('.').map(str::trim).collect();
    let last = keys.pop().filter(|key| !key.is_empty());
    let last = last.ok_or_else(|| wrong("expected a key before the ="))?;
    let mut place = table;
    let mut keys = keys.into_iter();
    while let Some(key) = keys.next() {
        let entry = place
            .entry(key)
            .or_insert_with(|| Value::Table(Table::new()));
        let table = match entry {
            Value::Table(table) => Some(table),
            Value::Array(entries) => {
                let index = keys.next().and_then(|index| index.parse::<usize>().ok());
                let index = index.ok_or_else(|| {
                    wrong(&format!(
                        "`{key}` is a list: name an entry by its number, {key}.0"
                    ))
                })?;
                entries.get_mut(index).and_then(Value::as_table_mut)
            }
            _ => None,
        };
        place = table.ok_or_else(|| wrong(&format!("`{key}` has no such table")))?;
    }
    place.insert(last.to_owned(), value);
    Ok(())
}

/// The error of the TOML reader with the place in `text`, and the key that was meant.
fn explain(error: &toml::de::Error, text: Option<&str>) -> ConfigError {
    let start = error.span().map(|span| span.start);
    let message = error.message().trim();
    let at = |offset: usize| {
        let text = text.unwrap_or_default();
        let before = &text[..offset.min(text.len())];
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        format!("line {line}, column {column}: ")
    };
    let Some((found, valid)) = unknown_field(message) else {
        let place = start.filter(|_| text.is_some()).map(at);
        return ConfigError::Text {
            place: place.unwrap_or_default(),
            problem: message.to_owned(),
        };
    };
    // Inside of a stage the reader knows where the stage begins only.
    let place = text.zip(start).and_then(|(text, start)| {
        let rest = text.get(start..)?;
        let mut offset = start;
        for line in rest.split_inclusive('\n') {
            let indent = line.len() - line.trim_start().len();
            let key = line.trim_start().split(['=', '.', ' ', ']']).next();
            if key.is_some_and(|key| key.trim_matches('"') == found) {
                return Some(offset + indent);
            }
            offset += line.len();
        }
        Some(start)
    });
    ConfigError::UnknownKey {
        place: place.map(at).unwrap_or_default(),
        nearest: names::nearest(&found, valid.iter().map(String::as_str)).map(str::to_owned),
        found,
        valid,
    }
}

/// The key and the valid keys of serde's message "unknown field `a`, expected one of `b`, `c`".
fn unknown_field(message: &str) -> Option<(String, Vec<String>)> {
    let rest = message.strip_prefix("unknown field ")?;
    let mut quoted = rest.split('`').skip(1).step_by(2).map(str::to_owned);
    Some((quoted.next()?, quoted.collect()))
}
