//! All that a training's results depend on, as a list of places and values.

use toml::Value;

use super::sets::{NamedRecipe, Set, fields};
use crate::TrainError;
use crate::config::Config;
use crate::dataset::Source;

/// Settings that may change when a training resumes: its results do not depend on them.
pub(super) const FREE: [&str; 2] = ["save_dir", "save_every"];

/// The settings of the configuration without those that are [`FREE`], with the content of the files that it names
/// instead of their names.
pub(super) fn list(
    config: &Config,
    sets: &[(&str, &Set, &Source)],
    thresholds: Option<&NamedRecipe>,
    fits: &[(String, NamedRecipe)],
    start_sha256: Option<&str>,
) -> Result<Vec<(String, String)>, TrainError> {
    let mut all = Vec::new();
    flatten("", &value(config)?, &mut all);
    all.retain(|(key, _)| !FREE.contains(&key.as_str()) && !key.ends_with("recipe"));
    for (place, set, source) in sets {
        if let Some(recipe) = set.recipe(source) {
            flatten(&format!("{place}.recipe"), &value(recipe)?, &mut all);
        }
        for record in fields(source) {
            all.push((
                format!("{place}.fields.{}", record.folder),
                record.sha256.clone(),
            ));
        }
    }
    if let Some(named) = thresholds {
        flatten("valid.thresholds.recipe", &value(&named.recipe)?, &mut all);
    }
    for (place, named) in fits {
        flatten(place, &value(&named.recipe)?, &mut all);
    }
    if let Some(sha256) = start_sha256 {
        all.push(("start.sha256".to_owned(), sha256.to_owned()));
    }
    Ok(all)
}

fn value<T: serde::Serialize>(value: &T) -> Result<Value, TrainError> {
    Value::try_from(value).map_err(|error| {
        TrainError::value("the configuration", error, "numbers that TOML can hold")
    })
}

fn flatten(place: &str, value: &Value, all: &mut Vec<(String, String)>) {
    let within = |key: &str| match place {
        "" => key.to_owned(),
        place => format!("{place}.{key}"),
    };
    match value {
        Value::Table(table) => {
            for (key, value) in table {
                flatten(&within(key), value, all);
            }
        }
        Value::Array(values) if values.iter().any(|value| value.is_table()) => {
            for (index, value) in values.iter().enumerate() {
                flatten(&format!("{place}[{index}]"), value, all);
            }
        }
        value => all.push((place.to_owned(), value.to_string())),
    }
}
