//! Configurations of trainings, recipes, checkpoints.

use axonml_train::checkpoint::{decode, encode, from_bytes};
use axonml_train::config::Config;
use axonml_train::dataset::Recipe;
use axonml_train::run::Saved;

use crate::Outcome;

/// The text of a training's configuration; lines `#set KEY=VALUE` are settings of the command line.
pub(super) fn config(bytes: &[u8]) -> Outcome {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => return Outcome::refused(bytes.len(), error),
    };
    let settings: Vec<String> = text
        .lines()
        .filter_map(|line| Some(line.strip_prefix("#set ")?.to_owned()))
        .collect();
    let config = match Config::from_toml(text, &settings) {
        Ok(config) => config,
        Err(error) => return Outcome::refused(bytes.len(), error),
    };
    match config.check() {
        Ok(()) => Outcome::Accepted,
        Err(error) => Outcome::refused(bytes.len(), error),
    }
}

/// The text of a recipe: written and read again it is the same.
pub(super) fn recipe(bytes: &[u8]) -> Outcome {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => return Outcome::refused(bytes.len(), error),
    };
    let recipe = match Recipe::from_toml(text) {
        Ok(recipe) => recipe,
        Err(error) => return Outcome::refused(bytes.len(), error),
    };
    if let Err(error) = recipe.check() {
        return Outcome::refused(bytes.len(), error);
    }
    match recipe.to_toml() {
        // A seed beyond the integers of TOML can be given but not written.
        Err(error) => Outcome::refused(bytes.len(), error),
        Ok(written) => {
            let again = Recipe::from_toml(&written).expect("a written recipe is read");
            let rewritten = again.to_toml().expect("what was read can be written");
            assert_eq!(rewritten, written, "written and read it is another recipe");
            // Written, shared parts of a fiber's formulas have names.
            if recipe.model.description().is_none() {
                assert_eq!(again, recipe, "written and read it is another recipe");
            }
            Outcome::Accepted
        }
    }
}

/// A checkpoint of a training.
pub(super) fn checkpoint(bytes: &[u8]) -> Outcome {
    match from_bytes::<Saved>("fuzzed", bytes) {
        Err(error) => Outcome::refused(bytes.len(), error),
        Ok(saved) => {
            // As bytes, since numbers that are none are not equal to themselves.
            let written = encode(&saved).expect("what was read can be written");
            let again: Saved = decode(&written).expect("what was written is read");
            let rewritten = encode(&again).expect("what was read can be written");
            assert!(written == rewritten, "written and read it is another state");
            Outcome::Accepted
        }
    }
}
