//! Differences between requests.

use serde_json::Value;

use super::StudyError;

/// Place and values of the first difference.
pub(super) fn first_difference(
    place: &str,
    a: &Value,
    b: &Value,
) -> Option<(String, Value, Value)> {
    match (a, b) {
        (Value::Object(x), Value::Object(y)) => x.keys().chain(y.keys()).find_map(|key| {
            let at = |object: &serde_json::Map<String, Value>| {
                object.get(key).cloned().unwrap_or_default()
            };
            let place = match place {
                "" => key.clone(),
                place => format!("{place}.{key}"),
            };
            first_difference(&place, &at(x), &at(y))
        }),
        _ if a == b => None,
        _ => Some((place.to_owned(), a.clone(), b.clone())),
    }
}

/// The first difference between two requests in words, after a colon; nothing where they are equal.
pub(crate) fn difference_text(there: &Value, here: &Value) -> String {
    match first_difference("", there, here) {
        Some((place, a, b)) => format!(": {place} is {} there and {} here", short(&a), short(&b)),
        None => String::new(),
    }
}

/// A value that may be a long list.
pub(super) fn short(value: &Value) -> String {
    const LONGEST: usize = 60;
    let text = value.to_string();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

/// Refuses a request that is not the one that results were computed for, backends aside: what is put together or compared
/// may have been computed elsewhere.
pub(super) fn check_unchanged(computed: &Value, now: &Value) -> Result<(), StudyError> {
    let without_backend = |value: &Value| {
        let mut value = value.clone();
        if let Value::Object(fields) = &mut value {
            fields.remove("backend");
        }
        value
    };
    match first_difference("", &without_backend(computed), &without_backend(now)) {
        None => Ok(()),
        Some((field, computed, now)) => Err(StudyError::request(format!(
            "`{field}` has changed since the results were computed: {} then, {} now",
            short(&computed),
            short(&now)
        ))
        .help("give the files and the version that the results were computed with")),
    }
}
