//! `tamis inspect`: looks into a data set. `summary` says what is in it and what became of everything that was read for it, `sample` shows
//! some documents, `show` one, `diff` two nights, `labels` what people said of documents, `explain` what became of one and why, and `sql` answers any question.

mod diff;
mod labels;
mod one;
mod personal;
mod sample;
#[cfg(feature = "sql")]
mod sql;

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use comfy_table::{Cell, CellAlignment, Table};
use serde_json::{Value, json};

use super::exit::Exit;
use super::run::Keys;
use super::table::{plain, tally_tables};
use super::warc::is_unsafe;
use crate::inspect::Dataset;
use crate::inspect::kinds::{Count, Kinds};
use crate::ledger::manifest::Manifests;
use crate::ledger::run::{Erased, RunLedger, sum};
use crate::passes::History;
use crate::size::{ByteSize, grouped};
use crate::workspace::Workspace;

/// Arguments of `tamis inspect`.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// The data set's folder: WORKSPACE/data/NAME
    #[arg(value_parser = crate::cli::away::place)]
    dataset: PathBuf,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Documents, tokens and bytes by language, and how many were dropped for which reason
    Summary {
        /// Counts by source, licence, what owners say and top-level domain too; reads those columns of all shards
        #[arg(long)]
        kinds: bool,
        /// Writes one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Personal data that was found, by kind, language and host; passages to review, masked
    Pii(personal::PiiArgs),
    /// Some published documents, drawn by chance; the same seed draws the same ones
    Sample(sample::SampleArgs),
    /// One published document with all that is known of it
    Show(one::ShowArgs),
    /// What became of a document, by id or address: where it is published, or which rule dropped it, with which value
    Explain(one::ExplainArgs),
    /// Two nights side by side: what each read, kept and dropped, by language, reason and host
    Diff(diff::DiffArgs),
    /// Documents that people called good or bad, and why
    Labels(labels::LabelsArgs),
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
        What::Summary { kinds, json } => {
            let kinds = if *kinds { Some(dataset()?.kinds()?) } else { None };
            summary(&ledgers, &Manifests::read(&workspace)?.erased(&name), kinds, *json)
        }
        What::Pii(args) => personal::pii(&dataset()?, args),
        What::Sample(args) => sample::sample(&dataset()?, args),
        What::Show(args) => one::show(&dataset()?, &workspace, args),
        What::Explain(args) => one::explain(&dataset()?, &workspace, args),
        What::Diff(args) => diff::compare(&ledgers, args),
        What::Labels(args) => labels::labels(&dataset()?, &workspace, &name, args),
        #[cfg(feature = "sql")]
        What::Sql(args) => sql::sql(&dataset()?, &ledgers, args),
    }
}

fn summary(ledgers: &[RunLedger], erased: &Erased, kinds: Option<Kinds>, json: bool) -> anyhow::Result<Exit> {
    if json {
        let mut told = summary_json(ledgers, erased);
        if let (Some(kinds), Some(told)) = (kinds, told.as_object_mut()) {
            told.insert("kinds".to_owned(), serde_json::to_value(kinds)?);
        }
        println!("{told}");
        return Ok(Exit::Done);
    }
    let tally = sum(ledgers, erased);
    let shards: Vec<_> = ledgers.iter().flat_map(|ledger| &ledger.shards).collect();
    let bytes = ByteSize(shards.iter().map(|shard| shard.bytes).sum());
    println!("{}\n", tally_tables(&tally));
    if let Some(Kinds { sources, licences, optouts, domains }) = kinds {
        for (head, counts) in [("source", sources), ("licence", licences), ("owners say", optouts), ("domain", domains)] {
            println!("{}\n", kind_table(head, counts));
        }
    }
    println!(
        "shards: {}, {bytes}; runs: {}; parts of the input set aside: {}",
        grouped(shards.len() as u64),
        grouped(ledgers.len() as u64),
        grouped(tally.damages + tally.quarantined)
    );
    Ok(Exit::Done)
}

/// Kinds of a table.
const KINDS: usize = 20;

fn kind_table(head: &str, counts: BTreeMap<String, Count>) -> Table {
    let mut table = plain(&[head, "documents", "tokens"]);
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by(|one, other| other.1.documents.cmp(&one.1.documents).then_with(|| one.0.cmp(&other.0)));
    let rest = counts.split_off(counts.len().min(KINDS));
    let sum = |count: fn(&Count) -> u64| rest.iter().map(|(_, one)| count(one)).sum::<u64>();
    let others = Count { documents: sum(|count| count.documents), tokens: sum(|count| count.tokens) };
    for (name, count) in counts.into_iter().chain((!rest.is_empty()).then(|| (format!("{} others", rest.len()), others))) {
        let number = |number: u64| Cell::new(grouped(number)).set_alignment(CellAlignment::Right);
        table.add_row([Cell::new(safe(&name)), number(count.documents), number(count.tokens)]);
    }
    table
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
