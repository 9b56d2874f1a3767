//! Model files and checkpoints of PyTorch.

use axonml_models::model;
use axonml_models::weights::ModelFile;
use axonml_models::weights::pytorch::{read_checkpoint, smf_from_checkpoint};

use crate::Outcome;

/// A `.safetensors` file of weights: written and read again it is the same.
pub(super) fn model_file(bytes: &[u8]) -> Outcome {
    let file = match ModelFile::from_bytes(bytes) {
        Ok(file) => file,
        Err(error) => return Outcome::refused(bytes.len(), error),
    };
    survives(&file);
    // Whether it fits a model is another question, whose answer must be one in either case.
    match model(&file.model).map(|model| file.check(&model.schema())) {
        Ok(Ok(())) => Outcome::Accepted,
        Ok(Err(error)) => Outcome::refused(bytes.len(), error),
        Err(error) => Outcome::refused(bytes.len(), error),
    }
}

/// A file of `torch.save` and the weights that it holds.
pub(super) fn pytorch(bytes: &[u8]) -> Outcome {
    let checkpoint = match read_checkpoint(bytes) {
        Ok(checkpoint) => checkpoint,
        Err(error) => return Outcome::refused(bytes.len(), error),
    };
    for (key, tensor) in &checkpoint.tensors {
        assert_eq!(tensor.shape.iter().product::<usize>(), tensor.values.len());
        assert!(tensor.values.iter().all(|value| value.is_finite()), "{key}");
    }
    match smf_from_checkpoint(&checkpoint) {
        Err(error) => Outcome::refused(bytes.len(), error),
        Ok(file) => {
            survives(&file);
            Outcome::Accepted
        }
    }
}

fn survives(file: &ModelFile) {
    let written = file.to_bytes().expect("an accepted file can be written");
    let again = ModelFile::from_bytes(&written).expect("a written file is read");
    assert_eq!(again, *file, "written and read it is another file");
}
