//! `tamis export`: packed data sets in the formats of trainers.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::exit::Exit;
use crate::packing::PackError;
use crate::packing::export::{Dtype, Format};
use crate::workspace::Workspace;

/// Arguments of `tamis export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    #[command(subcommand)]
    format: ExportFormat,
}

#[derive(Debug, Subcommand)]
enum ExportFormat {
    /// Megatron-LM's indexed data set: SPLIT.bin and SPLIT.idx
    Megatron(To),
    /// NumPy arrays: SPLIT.npy with all ids, SPLIT.lengths.npy
    Numpy(To),
    /// MosaicML's streaming format: SPLIT/index.json, SPLIT/shard.N.mds with a column `tokens`
    Mds(To),
    /// WebDataset: SPLIT/shard-N.tar with a NumPy array `input_ids.npy` a sequence
    Webdataset(To),
    /// JSON lines: SPLIT/part-N.jsonl with `input_ids` and `doc_lengths`, without padding
    Jsonl(To),
}

#[derive(Debug, Args)]
struct To {
    /// Folder of the packed data set: WORKSPACE/packed/NAME
    #[arg(value_parser = super::away::place)]
    packed: PathBuf,
    /// A new folder for the files; takedowns look for them there
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Type of the ids
    #[arg(long, value_enum, default_value = "auto")]
    dtype: Dtype,
    /// Writes the record of the export as JSON
    #[arg(long)]
    json: bool,
}

/// Exports a packed data set.
///
/// # Errors
/// When there is none, or the folder is not empty.
pub fn export(args: &ExportArgs) -> anyhow::Result<Exit> {
    let (to, format) = match &args.format {
        ExportFormat::Megatron(to) => (to, Format::Megatron),
        ExportFormat::Numpy(to) => (to, Format::Numpy),
        ExportFormat::Mds(to) => (to, Format::Mds),
        ExportFormat::Webdataset(to) => (to, Format::Webdataset),
        ExportFormat::Jsonl(to) => (to, Format::Jsonl),
    };
    let (workspace, name) = Workspace::of_packed(&to.packed).ok_or_else(|| PackError::NotPacked { path: to.packed.clone() })?;
    let _lock = workspace.lock()?;
    let record = crate::packing::export::export(&workspace, &name, &to.out, format, to.dtype)?;
    if to.json {
        println!("{}", serde_json::to_string_pretty(&record)?);
    } else {
        println!("{}: {} files", record.folder_in(&workspace).display(), record.files.len());
    }
    Ok(Exit::Done)
}
