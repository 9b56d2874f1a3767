//! Texts of studies: TOML and JSON, with errors that name the place and the nearest valid key.

use axonml_core::names;
use serde::{Deserialize, Deserializer, Serializer};

use super::Study;
use crate::study::StudyError;

impl Study {
    /// Reads a study from TOML.
    ///
    /// # Errors
    /// [`StudyError`] with line and column, and for an unknown key the nearest valid one.
    pub fn from_toml(text: &str) -> Result<Self, StudyError> {
        toml::from_str(text).map_err(|error| {
            let offset = error.span().map(|span| span.start);
            explain(error.message().trim(), text, offset)
        })
    }

    /// Reads a study from JSON.
    ///
    /// # Errors
    /// As [`Study::from_toml`].
    pub fn from_json(text: &str) -> Result<Self, StudyError> {
        serde_json::from_str(text).map_err(|error| {
            let lines = text.split_inclusive('\n').take(error.line().max(1) - 1);
            let offset = lines.map(str::len).sum::<usize>() + error.column().max(1) - 1;
            let whole = error.to_string();
            let message = whole.split(" at line ").next().unwrap_or(&whole);
            explain(message, text, Some(offset))
        })
    }

    /// The study as TOML, which [`Study::from_toml`] reads back.
    ///
    /// # Errors
    /// [`StudyError`] for a number that TOML cannot write: a seed of 2^63 or more.
    pub fn to_toml(&self) -> Result<String, StudyError> {
        toml::to_string(self).map_err(|error| {
            let error = StudyError::request(format!("TOML cannot write this study: {error}"));
            match self
                .numerics
                .seed
                .filter(|seed| i64::try_from(*seed).is_err())
            {
                Some(_) => error.help(format!("give a --seed of at most {}", i64::MAX)),
                None => error,
            }
        })
    }
}

/// The error with its place in `text`, and the key that was meant.
pub(super) fn explain(message: &str, text: &str, offset: Option<usize>) -> StudyError {
    let place = |offset: usize| {
        let before = text.get(..offset.min(text.len())).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        format!("line {line}, column {column}")
    };
    let Some((found, valid)) = unknown(message) else {
        let error = StudyError::request(message);
        return offset.map_or(error.clone(), |offset| error.at(place(offset)));
    };
    let nearest = names::nearest(&found, valid.iter().map(String::as_str));
    let hint = nearest.map(|name| format!(" (did you mean `{name}`?)"));
    let what = match message.starts_with("unknown variant") {
        true => "value",
        false => "key",
    };
    let error = StudyError::request(format!(
        "unknown {what} `{found}`{}; valid: {}",
        hint.unwrap_or_default(),
        valid.join(", ")
    ));
    offset.map_or(error.clone(), |offset| {
        error.at(place(key_at(text, offset, &found)))
    })
}

/// Where the key (or the value) `found` stands behind `offset`: inside of buffered tables readers know where these begin
/// only.
fn key_at(text: &str, offset: usize, found: &str) -> usize {
    let Some(rest) = text.get(offset..) else {
        return offset;
    };
    let is_part = |c: char| c.is_alphanumeric() || "_-".contains(c);
    let stands_alone = |&(at, _): &(usize, &str)| {
        let before = rest[..at].chars().next_back();
        let after = rest[at + found.len()..].chars().next();
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    };
    let mut places = rest.match_indices(found).filter(stands_alone);
    places.next().map_or(offset, |(at, _)| offset + at)
}

/// The name and the valid names of serde's messages "unknown field `a`, expected one of `b`, `c`" and "unknown variant".
fn unknown(message: &str) -> Option<(String, Vec<String>)> {
    let rest = message
        .strip_prefix("unknown field ")
        .or_else(|| message.strip_prefix("unknown variant "))?;
    let mut quoted = rest.split('`').skip(1).step_by(2).map(str::to_owned);
    Some((quoted.next()?, quoted.collect()))
}

/// Values that are written as text.
pub(super) mod optional {
    use std::fmt::Display;
    use std::str::FromStr;

    use super::*;

    /// Writes the value's text.
    pub(in crate::study::spec) fn serialize<T: Display, S: Serializer>(
        value: &Option<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => serializer.serialize_str(&value.to_string()),
            None => serializer.serialize_none(),
        }
    }

    /// Reads a value from its text.
    pub(in crate::study::spec) fn deserialize<'de, T, D>(
        deserializer: D,
    ) -> Result<Option<T>, D::Error>
    where
        T: FromStr,
        T::Err: Display,
        D: Deserializer<'de>,
    {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Some).map_err(|why: T::Err| {
            let why = why.to_string();
            serde::de::Error::custom(match why.contains(&text) {
                true => why,
                false => format!("found `{text}`, {why}"),
            })
        })
    }
}
