//! What `axonml help` is asked about.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Command, Error};

use crate::topics::TOPICS;

/// Reads any word: `axonml help` answers unknown ones itself, with the nearest. Shells complete topics.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject;

impl TypedValueParser for Subject {
    type Value = String;

    fn parse_ref(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &OsStr,
    ) -> Result<String, Error> {
        StringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let topics = TOPICS.iter().map(|topic| PossibleValue::new(topic.name));
        Some(Box::new(topics))
    }
}
