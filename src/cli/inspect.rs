//! `tamis inspect`: looks into a data set. `summary` says what is in it and what became of everything that was read for it.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::exit::Exit;
use super::table::tally_tables;
use crate::ledger::run::RunLedger;
use crate::ledger::tally::Tally;
use crate::passes::History;
use crate::size::{ByteSize, grouped};
use crate::workspace::Workspace;

/// Arguments of `tamis inspect`.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// The data set's folder: WORKSPACE/data/NAME
    dataset: PathBuf,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Documents, tokens and bytes by language, and how many were dropped for which reason
    Summary {
        /// Writes one JSON object
        #[arg(long)]
        json: bool,
    },
}

/// Looks into a data set.
///
/// # Errors
/// When there is no such data set, or its ledgers cannot be read.
pub fn inspect(args: &InspectArgs) -> anyhow::Result<Exit> {
    let What::Summary { json } = args.what;
    let (workspace, dataset) = Workspace::of_dataset(&args.dataset)?;
    let ledgers = History::open(&workspace, &dataset)?.ledgers()?;
    anyhow::ensure!(!ledgers.is_empty(), "the data set `{dataset}` has no finished run; `tamis run` ends one");
    if json {
        println!("{}", summary_json(&ledgers));
        return Ok(Exit::Done);
    }
    let tally = sum(&ledgers);
    let shards: Vec<_> = ledgers.iter().flat_map(|ledger| &ledger.shards).collect();
    let bytes = ByteSize(shards.iter().map(|shard| shard.bytes).sum());
    println!("{}\n", tally_tables(&tally));
    println!(
        "shards: {}, {bytes}; runs: {}; parts of the input set aside: {}",
        grouped(shards.len() as u64),
        grouped(ledgers.len() as u64),
        grouped(tally.damages + tally.quarantined)
    );
    Ok(Exit::Done)
}

fn sum(ledgers: &[RunLedger]) -> Tally {
    ledgers.iter().fold(Tally::default(), |mut sum, ledger| {
        sum.add(&ledger.total());
        sum
    })
}

/// The summary of some runs of one data set as one JSON object.
#[must_use]
pub fn summary_json(ledgers: &[RunLedger]) -> Value {
    let tally = sum(ledgers);
    let shards: Vec<_> = ledgers.iter().flat_map(|ledger| &ledger.shards).collect();
    let languages: serde_json::Map<String, Value> =
        tally.languages.iter().map(|(lang, share)| (lang.clone(), json!(share.documents))).collect();
    json!({
        "dataset": ledgers.first().map(|ledger| &ledger.dataset),
        "runs": ledgers.len(),
        "read": tally.read,
        "kept": tally.kept,
        "dropped": tally.dropped,
        "languages": languages,
        "by_language": tally.languages,
        "tokens": tally.tokens(),
        "text_bytes": tally.languages.values().map(|share| share.text_bytes).sum::<u64>(),
        "input_bytes": tally.input_bytes,
        "shards": shards.len(),
        "bytes": shards.iter().map(|shard| shard.bytes).sum::<u64>(),
        "hosts": tally.hosts,
        "other_records": tally.other_records,
        "quarantined": tally.quarantined,
        "damages": tally.damages,
    })
}
