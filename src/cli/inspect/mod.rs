//! `tamis inspect`: looks into a data set. `summary` says what is in it and what became of everything that was read for it, `sample` shows
//! some documents, `show` one, `explain` what became of one and why, and `sql` answers any question.

mod one;
mod sample;
#[cfg(feature = "sql")]
mod sql;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::exit::Exit;
use super::run::Keys;
use super::table::tally_tables;
use super::warc::is_unsafe;
use crate::inspect::Dataset;
use crate::ledger::manifest::Manifests;
use crate::ledger::run::{Erased, RunLedger, sum};
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
    /// Some published documents, drawn by chance; the same seed draws the same ones
    Sample(sample::SampleArgs),
    /// One published document with all that is known of it
    Show(one::ShowArgs),
    /// What became of a document, by id or address: where it is published, or which rule dropped it, with which value
    Explain(one::ExplainArgs),
    /// Answers a question in SQL over the tables documents, rejects and ledger
    #[cfg(feature = "sql")]
    Sql(sql::SqlArgs),
}

/// Looks into a data set.
///
/// # Errors
/// When there is no such data set, or its ledgers cannot be read.
pub fn inspect(args: &InspectArgs) -> anyhow::Result<Exit> {
    let (workspace, name) = Workspace::of_dataset(&args.dataset)?;
    let ledgers = History::open(&workspace, &name)?.ledgers()?;
    anyhow::ensure!(!ledgers.is_empty(), "the data set `{name}` has no finished run; `tamis run` ends one");
    let dataset = || {
        let runs: Vec<String> = ledgers.iter().map(|ledger| ledger.plan.clone()).collect();
        Dataset::open(workspace.clone(), &name, &runs)
    };
    match &args.what {
        What::Summary { json } => summary(&ledgers, &Manifests::read(&workspace)?.erased(&name), *json),
        What::Sample(args) => sample::sample(&dataset()?, args),
        What::Show(args) => one::show(&dataset()?, &workspace, args),
        What::Explain(args) => one::explain(&dataset()?, &workspace, args),
        #[cfg(feature = "sql")]
        What::Sql(args) => sql::sql(&dataset()?, &ledgers, args),
    }
}

fn summary(ledgers: &[RunLedger], erased: &Erased, json: bool) -> anyhow::Result<Exit> {
    if json {
        println!("{}", summary_json(ledgers, erased));
        return Ok(Exit::Done);
    }
    let tally = sum(ledgers, erased);
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

/// Words of strangers without what moves a terminal's cursor or hides what they say; line ends stay.
fn safe(text: &str) -> String {
    text.chars().map(|sign| if sign != '\n' && is_unsafe(sign) { '\u{fffd}' } else { sign }).collect()
}

/// A value on one line.
fn short(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    safe(&text).replace('\n', " ")
}

/// The summary of some runs of one data set as one JSON object.
#[must_use]
pub fn summary_json(ledgers: &[RunLedger], erased: &Erased) -> Value {
    let tally = sum(ledgers, erased);
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
