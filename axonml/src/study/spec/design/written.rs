//! Values that are written as text, by files and flags alike.

use axonml_core::names;

/// Lets serde write a type by its `Display` and read it by its `FromStr`.
macro_rules! as_text {
    ($name:ty) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

pub(super) use as_text;

/// Says that a name is none of the valid ones, and which of them is nearest.
pub(super) fn unknown<'a>(found: &str, valid: impl Iterator<Item = &'a str> + Clone) -> String {
    let hint = names::nearest(found, valid.clone())
        .map(|nearest| format!(" (did you mean `{nearest}`?)"))
        .unwrap_or_default();
    let valid: Vec<&str> = valid.collect();
    format!("found `{found}`{hint}, expected {}", valid.join(", "))
}
