//! Weights that are compiled into the library.

use axonml_core::{CoreError, names};

/// A model file that the library carries.
#[derive(Clone, Copy, Debug)]
pub struct Bundled {
    /// Its name, as `--weights` takes it.
    pub name: &'static str,
    /// Id of its model.
    pub model: &'static str,
    /// The file.
    pub bytes: &'static [u8],
}

/// All of them: one line each, `Bundled { name: "NAME", model: "smf", bytes:
/// include_bytes!("../../weights/NAME.safetensors") }`.
pub static BUNDLED: &[Bundled] = &[
    Bundled {
        name: "smf-mrg",
        model: "smf",
        bytes: include_bytes!("../../weights/smf-mrg.safetensors"),
    },
    Bundled {
        name: "two-mode-mrg",
        model: "two-mode",
        bytes: include_bytes!("../../weights/two-mode-mrg.safetensors"),
    },
];

/// Bundled weights by name, without regard to case, `_` and `-` alike.
///
/// # Errors
/// [`CoreError::UnknownName`] with the nearest name.
pub fn bundled(name: &str) -> Result<&'static Bundled, CoreError> {
    find(BUNDLED, name)
}

fn find<'b>(all: &'b [Bundled], name: &str) -> Result<&'b Bundled, CoreError> {
    let wanted = names::canonical(name);
    all.iter()
        .find(|weights| names::canonical(weights.name) == wanted)
        .ok_or_else(|| CoreError::UnknownName {
            what: "bundled weights".into(),
            found: name.into(),
            nearest: names::nearest(name, all.iter().map(|w| w.name)).map(str::to_owned),
            valid: match all {
                [] => vec!["none are bundled in this version".into()],
                all => all.iter().map(|w| w.name.to_owned()).collect(),
            },
        })
}

#[cfg(test)]
mod tests {
    use super::super::ModelFile;
    use super::*;

    #[test]
    fn all_bundled_weights_fit_their_models_and_defaults_exist() {
        for weights in BUNDLED {
            let schema = crate::model(weights.model).unwrap().schema();
            let file = ModelFile::from_bytes(weights.bytes).unwrap();
            file.check(&schema).unwrap();
            assert!(file.domain.dt_ms.is_some(), "{}", weights.name);
            assert!(!file.provenance.is_empty(), "{}", weights.name);
        }
        for model in crate::MODELS {
            if let Some(name) = model.schema().weights {
                assert_eq!(bundled(name).unwrap().model, model.schema().id);
            }
        }
    }

    #[test]
    fn names_are_found_and_slips_answered() {
        let file = ModelFile::new(&crate::model("smf").unwrap());
        let bytes: &'static [u8] = file.to_bytes().unwrap().leak();
        let all = [Bundled {
            name: "smf-mrg",
            model: "smf",
            bytes,
        }];
        let found = find(&all, "SMF_MRG").unwrap();
        assert_eq!(ModelFile::from_bytes(found.bytes).unwrap(), file);
        let Err(CoreError::UnknownName { nearest, .. }) = find(&all, "smf-mgr") else {
            panic!("a name that does not exist was found")
        };
        assert_eq!(nearest.as_deref(), Some("smf-mrg"));
    }
}
