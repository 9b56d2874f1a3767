//! Checkpoints in, model files out.

use std::path::PathBuf;

use clap::Args;

use super::model::ModelArgs;

/// Flags of `axonml import`.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// A file of torch.save: a state dict of AxonML's surrogate, or a training checkpoint that holds one
    #[arg(value_name = "CHECKPOINT.pt")]
    pub(crate) checkpoint: PathBuf,
    /// Model file to write [default: the checkpoint's name with .safetensors, in this folder, unless it exists]
    #[arg(short, long, value_name = "FILE.safetensors")]
    pub(crate) output: Option<PathBuf>,
}

/// Flags of `axonml export`.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    /// Model file to write
    #[arg(short, long, value_name = "FILE.safetensors")]
    pub(crate) output: PathBuf,
}
