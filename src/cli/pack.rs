//! `tamis pack` and `tamis export`: sequences for trainers, and files in their formats.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::exit::Exit;
use crate::packing::PackError;
use crate::packing::export::{Dtype, Format};
use crate::packing::pack::{Packed, pack as make};
use crate::packing::record::{Fit, Settings};
use crate::size::grouped;
use crate::workspace::{Workspace, WorkspaceError};

/// Arguments of `tamis pack`.
#[derive(Debug, Args)]
pub struct PackArgs {
    /// Folder of the data set: WORKSPACE/data/NAME
    dataset: PathBuf,
    /// Name of the packed data set: it will lie at WORKSPACE/packed/NAME
    #[arg(long, value_name = "NAME")]
    out: String,
    /// Token ids of a sequence
    #[arg(long, value_name = "N", default_value_t = 4096)]
    sequence_tokens: u32,
    /// How documents are put into sequences
    #[arg(long, value_enum, default_value = "best")]
    fit: Fit,
    /// Seed of the order and of the splits
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Share of the documents that goes to the split `validation`; near-duplicates stay together
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    validation: f64,
    /// Share of the documents that goes to the split `test`
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    test: f64,
    /// Sequences of a shard
    #[arg(long, value_name = "N", default_value_t = 16_384)]
    shard_sequences_max: u64,
    /// The id in free places
    #[arg(long, value_name = "ID", default_value_t = 0)]
    pad_id: u32,
    /// A benchmark, an item a line, as JSON with "text" or as plain text: documents that repeat it are left out; may be given several times
    #[arg(long, value_name = "FILE")]
    decontaminate: Vec<PathBuf>,
    /// Words of a run by which a document repeats a benchmark
    #[arg(long, value_name = "N", default_value_t = 13)]
    benchmark_words: u32,
    /// Adds the column position_ids, which begins anew with each document
    #[arg(long)]
    position_ids: bool,
    /// Writes the record of the packed data set as JSON
    #[arg(long)]
    json: bool,
}

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
}

#[derive(Debug, Args)]
struct To {
    /// Folder of the packed data set: WORKSPACE/packed/NAME
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

/// Packs a data set.
///
/// # Errors
/// When there is none, a setting is wrong, or the name is taken.
pub fn pack(args: &PackArgs) -> anyhow::Result<Exit> {
    let (workspace, dataset) = Workspace::of_dataset(&args.dataset)?;
    let _lock = workspace.lock()?;
    let settings = Settings {
        sequence_tokens: args.sequence_tokens,
        fit: args.fit,
        seed: args.seed,
        validation: args.validation,
        test: args.test,
        shard_sequences_max: args.shard_sequences_max,
        pad_id: args.pad_id,
        benchmark_words: args.benchmark_words,
        position_ids: args.position_ids,
    };
    let record = match make(&workspace, &dataset, &args.out, &settings, &args.decontaminate)? {
        Packed::Now(record) => record,
        Packed::Before(record) => {
            eprintln!("nothing to do: it was packed before, of the same data with the same settings");
            record
        }
    };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&record)?);
        return Ok(Exit::Done);
    }
    let sum = |count: fn(&crate::packing::record::PackedFile) -> u64| grouped(record.files.iter().map(count).sum());
    println!(
        "{}: {} documents, {} sequences, {} tokens, {:.2} % padding",
        workspace.packed().join(&args.out).display(),
        grouped(record.documents),
        sum(|file| file.sequences),
        sum(|file| file.tokens),
        100.0 * record.padding_share()
    );
    for known in &record.benchmarks {
        eprintln!(
            "{}: {} documents repeat it and are left out; {} items have too few words",
            known.file, known.documents, known.short_items
        );
    }
    if record.empty_documents > 0 {
        eprintln!("note: {} documents have no token and are left out", grouped(record.empty_documents));
    }
    Ok(Exit::Done)
}

/// Exports a packed data set.
///
/// # Errors
/// When there is none, or the folder is not empty.
pub fn export(args: &ExportArgs) -> anyhow::Result<Exit> {
    let (to, format) = match &args.format {
        ExportFormat::Megatron(to) => (to, Format::Megatron),
        ExportFormat::Numpy(to) => (to, Format::Numpy),
    };
    let none = || PackError::NotPacked { path: to.packed.clone() };
    let full = to.packed.canonicalize().map_err(|_| none())?;
    let name = full.file_name().and_then(|name| name.to_str()).ok_or_else(none)?;
    let root = full.parent().filter(|parent| parent.ends_with("packed")).and_then(|parent| parent.parent()).ok_or_else(none)?;
    if !full.join("pack.json").is_file() {
        return Err(none().into());
    }
    let workspace = Workspace::open(root).map_err(|error: WorkspaceError| error)?;
    let _lock = workspace.lock()?;
    let record = crate::packing::export::export(&workspace, name, &to.out, format, to.dtype)?;
    if to.json {
        println!("{}", serde_json::to_string_pretty(&record)?);
    } else {
        println!("{}: {} files", record.folder.display(), record.files.len());
    }
    Ok(Exit::Done)
}
