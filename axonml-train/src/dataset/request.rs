//! The request: everything that a set depends on, as stored in `manifest.json`.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{DatasetError, Recipe};

/// Everything that a set depends on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Program and version that wrote the set.
    pub program: String,
    /// The recipe; none for a set from elsewhere.
    pub recipe: Option<Recipe>,
    /// The file that the set was imported from.
    pub imported_from: Option<String>,
    /// The nerve folders of the recipe, in their order.
    pub fields: Vec<FieldRecord>,
    /// Backend with its instruction set, on which the last bits depend.
    pub backend: Option<String>,
    /// Number of fibers.
    pub count: usize,
    /// Nodes of each fiber.
    pub nodes: usize,
    /// Time step, ms.
    pub dt_ms: f64,
    /// Number of steps.
    pub steps: usize,
    /// Steps between the recorded rows.
    pub every: usize,
    /// Number of rows, the start included.
    pub rows: usize,
    /// Recorded states in their order, `v` (mV) among them.
    pub states: Vec<String>,
    /// Fibers of a shard; the last may have fewer.
    pub shard_fibers: usize,
}

/// A nerve folder that fields were drawn from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FieldRecord {
    /// The folder as the recipe names it.
    pub folder: String,
    /// SHA-256 over its arrays of potentials and positions.
    pub sha256: String,
}

impl Request {
    /// Checks that the numbers make sense and fit each other.
    pub(super) fn check(&self) -> Result<(), String> {
        let request = self;
        let positive = [
            ("count", request.count),
            ("nodes", request.nodes),
            ("steps", request.steps),
            ("every", request.every),
            ("rows", request.rows),
            ("shard_fibers", request.shard_fibers),
            ("states", request.states.len()),
        ];
        if let Some((name, _)) = positive.iter().find(|(_, number)| *number == 0) {
            return Err(format!("`request.{name}` is 0 or empty"));
        }
        if request.rows > request.steps / request.every + 1 {
            return Err(format!(
                "`request.rows` is {}, more than {} steps give",
                request.rows, request.steps
            ));
        }
        if !(request.dt_ms > 0.0 && request.dt_ms.is_finite()) {
            return Err(format!("`request.dt_ms` is {}", request.dt_ms));
        }
        for (index, state) in request.states.iter().enumerate() {
            if state.is_empty() || request.states[..index].contains(state) {
                return Err(format!(
                    "`request.states[{index}]` is `{state}`, expected each state once"
                ));
            }
        }
        if let Some(recipe) = &request.recipe {
            let steps = recipe
                .grid()
                .map_err(|error| format!("`request.recipe`: {error}"))?
                .steps();
            if steps != request.steps {
                return Err(format!(
                    "`request.steps` is {}, but the recipe has {steps}",
                    request.steps
                ));
            }
            recipe
                .check()
                .map_err(|error| format!("`request.recipe`: {error}"))?;
            let same = [
                ("count", recipe.count, request.count),
                ("nodes", recipe.nodes, request.nodes),
            ];
            if let Some((name, of_recipe, requested)) = same.iter().find(|(_, a, b)| a != b) {
                return Err(format!(
                    "`request.{name}` is {requested}, but `request.recipe.{name}` is {of_recipe}"
                ));
            }
        }
        Ok(())
    }

    /// The error that another request for the same folder is.
    pub(super) fn refuse_other(&self, other: &Request, folder: &Path) -> Result<(), DatasetError> {
        let value = |request: &Request| serde_json::to_value(request).unwrap_or_default();
        match difference("request", &value(self), &value(other)) {
            None => Ok(()),
            Some((field, found, requested)) => Err(DatasetError::OtherRequest {
                folder: folder.display().to_string(),
                field,
                found: found.to_string(),
                requested: requested.to_string(),
            }),
        }
    }
}

/// Place and values of the first difference.
fn difference(place: &str, a: &Value, b: &Value) -> Option<(String, Value, Value)> {
    match (a, b) {
        (Value::Object(x), Value::Object(y)) => x.keys().chain(y.keys()).find_map(|key| {
            let part = |object: &serde_json::Map<String, Value>| {
                object.get(key).cloned().unwrap_or_default()
            };
            difference(&format!("{place}.{key}"), &part(x), &part(y))
        }),
        (Value::Array(x), Value::Array(y)) if x.len() == y.len() => {
            let mut pairs = x.iter().zip(y).enumerate();
            pairs.find_map(|(index, (a, b))| difference(&format!("{place}[{index}]"), a, b))
        }
        _ if a == b => None,
        _ => Some((place.to_owned(), a.clone(), b.clone())),
    }
}
