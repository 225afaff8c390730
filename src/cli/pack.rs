//! `tamis pack`: sequences for trainers.

use std::path::PathBuf;

use clap::Args;
use comfy_table::CellAlignment;

use super::exit::Exit;
use super::table::plain;
use crate::packing::mixture::{Group, Mixture};
use crate::packing::pack::{Packed, pack as make, plan};
use crate::packing::record::{Fit, PackRecord, PackedFile, Settings};
use crate::size::grouped;
use crate::workspace::Workspace;

/// Arguments of `tamis pack`.
#[derive(Debug, Args)]
pub struct PackArgs {
    /// Folder of the data set: WORKSPACE/data/NAME
    #[arg(value_parser = super::away::place)]
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
    /// A TOML file with the mixture: how often documents of each language and source are taken (docs/training.md)
    #[arg(long, value_name = "FILE")]
    mixture: Option<PathBuf>,
    /// Tells what would be packed, tokens by language before and after the mixture, and packs nothing
    #[arg(long)]
    plan: bool,
    /// Writes the record of the packed data set as JSON
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
        mixture: args.mixture.as_deref().map(Mixture::read).transpose()?,
    };
    if args.plan {
        let planned = plan(&workspace, &dataset, &args.out, &settings, &args.decontaminate)?;
        warn(&planned);
        match args.json {
            true => println!("{}", serde_json::to_string_pretty(&planned)?),
            false => println!("{}", groups(&planned.groups)),
        }
        return Ok(Exit::Done);
    }
    let record = match make(&workspace, &dataset, &args.out, &settings, &args.decontaminate)? {
        Packed::Now(record) => record,
        Packed::Before(record) => {
            eprintln!("nothing to do: it was packed before, of the same data with the same settings");
            record
        }
    };
    warn(&record);
    if args.json {
        println!("{}", serde_json::to_string_pretty(&record)?);
        return Ok(Exit::Done);
    }
    if settings.mixture.is_some() {
        println!("{}\n", groups(&record.groups));
    }
    let sum = |count: fn(&PackedFile) -> u64| grouped(record.files.iter().map(count).sum());
    println!(
        "{}: {} documents, {} sequences, {} tokens, {:.2} % padding",
        workspace.packed().join(&args.out).display(),
        grouped(record.documents),
        sum(|file| file.sequences),
        sum(|file| file.tokens),
        100.0 * record.padding_share()
    );
    Ok(Exit::Done)
}

/// Says what a user may not expect.
fn warn(record: &PackRecord) {
    for known in &record.benchmarks {
        eprintln!(
            "{}: {} documents repeat it and are left out; {} items have too few words",
            known.file, known.documents, known.short_items
        );
    }
    for other in &record.yielded {
        eprintln!("{}: {} documents repeat it and are left out", other.dataset, grouped(other.documents));
    }
    if record.empty_documents > 0 {
        eprintln!("note: {} documents have no token and are left out", grouped(record.empty_documents));
    }
    let Some(mixture) = &record.settings.mixture else { return };
    let strangers = mixture.strangers(&record.groups);
    if !strangers.is_empty() {
        eprintln!("note: the mixture names {}, which the data set does not have", strangers.join(", "));
    }
    let after: u64 = record.groups.iter().map(|group| group.tokens_after).sum();
    if let Some(wanted) = mixture.tokens.filter(|wanted| after < *wanted - *wanted / 100) {
        eprintln!(
            "note: {} tokens are wanted, but there are {} when nothing is taken more than {} times; raise epochs_max, or want fewer",
            grouped(wanted),
            grouped(after),
            mixture.epochs_max
        );
    }
}

/// The split for training by language and source, as a table.
fn groups(groups: &[Group]) -> String {
    let mut table = plain(&["language", "source", "documents", "tokens before", "share", "tokens after", "share", "epochs"]);
    let sum = |count: fn(&Group) -> u64| groups.iter().map(count).sum::<u64>();
    let (before, after) = (sum(|group| group.tokens_before), sum(|group| group.tokens_after));
    let percent = |part: u64, all: u64| format!("{:.2} %", 100.0 * part as f64 / (all as f64).max(1.0));
    let mut row = |lang: &str, source: &str, documents: u64, tokens: [u64; 2]| {
        let epochs = format!("{:.2}", tokens[1] as f64 / (tokens[0] as f64).max(1.0));
        let (documents, one, two) = (grouped(documents), grouped(tokens[0]), grouped(tokens[1]));
        let (was, is) = (percent(tokens[0], before), percent(tokens[1], after));
        table.add_row([lang, source, &documents, &one, &was, &two, &is, &epochs]);
    };
    for group in groups {
        row(&group.lang, &group.source, group.documents, [group.tokens_before, group.tokens_after]);
    }
    row("all", "", sum(|group| group.documents), [before, after]);
    for column in 2..8 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.to_string()
}
