//! A named pulse, its keys, and the settings that a text gives for them.

use super::Waveform;
use crate::error::CoreError;
use crate::names::canonical;

/// A named pulse.
#[derive(Debug)]
pub struct PulseKind {
    /// Its name.
    pub name: &'static str,
    /// Other names it answers to.
    pub aliases: &'static [&'static str],
    /// Its form in words.
    pub summary: &'static str,
    /// Its own keys; [`COMMON_KEYS`] are valid for all.
    pub keys: &'static [PulseKey],
    pub(super) build: fn(&Given) -> Result<Waveform, CoreError>,
}

impl PulseKind {
    /// All its keys.
    pub(super) fn all_keys(&self) -> impl Iterator<Item = &'static PulseKey> + Clone + use<> {
        self.keys.iter().chain(&COMMON_KEYS)
    }
}

/// A key of a pulse.
#[derive(Debug)]
pub struct PulseKey {
    /// Its name.
    pub name: &'static str,
    /// Its meaning, with its unit.
    pub summary: &'static str,
    /// Its value where it is not given, as text; `None` if it may be absent.
    pub default: Option<&'static str>,
}

pub(super) const fn key(
    name: &'static str,
    default: &'static str,
    summary: &'static str,
) -> PulseKey {
    PulseKey {
        name,
        summary,
        default: Some(default),
    }
}

/// The keys that every pulse has. The delay of a train's pulse defaults to 0, as the train has its own.
pub static COMMON_KEYS: [PulseKey; 2] = [
    key("delay", "0.1", "onset in ms"),
    key("scale", "1", "factor; negative flips the polarity"),
];

/// The settings of one pulse.
#[derive(Debug)]
pub(super) struct Given<'a> {
    kind: &'static PulseKind,
    /// Trains around the pulse.
    pub(super) depth: usize,
    values: Vec<(&'static str, &'a str)>,
}

impl<'a> Given<'a> {
    pub(super) fn parse(
        kind: &'static PulseKind,
        settings: &'a str,
        depth: usize,
        wrong: impl Fn(String) -> CoreError,
    ) -> Result<Self, CoreError> {
        let mut given = Self {
            kind,
            depth,
            values: Vec::new(),
        };
        if settings.trim().is_empty() {
            return Ok(given);
        }
        let mut open = 0;
        let commas_outside = |c: char| {
            open += depth_change(c);
            c == ',' && open == 0
        };
        for setting in settings.split(commas_outside) {
            let (key, value) = setting.split_once('=').ok_or_else(|| {
                wrong(format!("`{}` is not of the form key=value", setting.trim()))
            })?;
            let key = given.key(key.trim())?.name;
            if given.get(key).is_some() {
                return Err(wrong(format!("`{key}` is given twice")));
            }
            given.values.push((key, value.trim()));
        }
        Ok(given)
    }

    fn key(&self, name: &str) -> Result<&'static PulseKey, CoreError> {
        self.kind
            .all_keys()
            .find(|key| key.name == canonical(name))
            .ok_or_else(|| {
                let what = format!("key of pulse {}", self.kind.name);
                CoreError::unknown_name(what, name, self.kind.all_keys().map(|key| key.name))
            })
    }

    /// The name of a value in messages.
    pub(super) fn what(&self, key: &str) -> String {
        format!("{key} of {}", self.kind.name)
    }

    /// The text given for a key.
    pub(super) fn get(&self, key: &str) -> Option<&'a str> {
        self.values
            .iter()
            .find(|&&(given, _)| given == key)
            .map(|&(_, value)| value)
    }

    /// The text given for a key or its default; empty if it has none.
    pub(super) fn text(&self, key: &str) -> &str {
        let default = || {
            self.kind
                .all_keys()
                .find(|known| known.name == key)?
                .default
        };
        self.get(key).or_else(default).unwrap_or_default()
    }

    /// A number.
    pub(super) fn number(&self, key: &str) -> Result<f64, CoreError> {
        let text = self.text(key);
        text.parse().map_err(|_| {
            let meaning = self.key(key).map_or("", |key| key.summary);
            CoreError::bad_value(self.what(key), text, format!("a number: {meaning}"))
        })
    }

    /// A number that may be absent.
    pub(super) fn optional_number(&self, key: &str) -> Result<Option<f64>, CoreError> {
        self.get(key).map(|_| self.number(key)).transpose()
    }

    /// A count.
    pub(super) fn count(&self, key: &str) -> Result<u32, CoreError> {
        let text = self.text(key);
        text.parse()
            .map_err(|_| CoreError::bad_value(self.what(key), text, "a whole number, 1 or more"))
    }
}

/// By how much a character changes how many parentheses are open.
pub(super) fn depth_change(c: char) -> i32 {
    i32::from(c == '(') - i32::from(c == ')')
}
