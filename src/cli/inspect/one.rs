//! `tamis inspect D show ID` and `explain ID|URL`: one document, and what became of it.

use anyhow::{Context, Result};
use clap::Args;
use serde_json::{Map, Value, json};

use super::{Keys, safe, short};
use crate::cli::exit::Exit;
use crate::inspect::Dataset;
use crate::inspect::find::{Fate, Name, erased};
use crate::workspace::Workspace;

/// Arguments of `show`.
#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// The document's id, or its address
    document: String,
    /// Writes one JSON object with all columns
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    keys: Keys,
}

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// The document's id, or its address
    document: String,
    /// Writes one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    keys: Keys,
}

fn name_of(text: &str) -> Result<Name> {
    Name::read(text).with_context(|| format!("`{}` is neither an id (32 hex digits) nor an address", safe(text)))
}

/// Columns that `show` leaves to JSON: the text stands below, and ids of tokens say nothing to people.
const LONG: [&str; 2] = ["text", "input_ids"];

pub(super) fn show(dataset: &Dataset, workspace: &Workspace, args: &ShowArgs) -> Result<Exit> {
    let name = name_of(&args.document)?;
    let Some((shard, row)) = dataset.published(&name)? else {
        return absent(dataset, workspace, &name, &args.document, &args.keys);
    };
    if args.json {
        println!("{}", Value::Object(row));
        return Ok(Exit::Done);
    }
    println!("{:<16} {shard}", "shard");
    fields(&row);
    println!("\n{}", safe(row.get("text").and_then(Value::as_str).unwrap_or_default()));
    Ok(Exit::Done)
}

/// Prints every column that has a value, signals a line each.
fn fields(row: &Map<String, Value>) {
    for (name, value) in row.iter().filter(|(name, value)| !value.is_null() && !LONG.contains(&name.as_str())) {
        match value {
            Value::Object(inner) => {
                let inner: Vec<_> = inner.iter().filter(|(_, value)| !value.is_null()).collect();
                inner.iter().for_each(|(inner, value)| println!("{:<16} {}", format!("{name}.{inner}"), short(value)));
            }
            value => println!("{name:<16} {}", short(value)),
        }
    }
}

/// Says why there is nothing to show, as far as that is known.
fn absent(dataset: &Dataset, workspace: &Workspace, name: &Name, asked: &str, keys: &Keys) -> Result<Exit> {
    let asked = safe(asked);
    match (dataset.fate(name)?, erased(workspace, name, &keys.suppression())) {
        (_, Some(number)) => eprintln!("`{asked}` is gone: takedown {number} erased it; its receipt is _tamis/receipts/{number:08}.json"),
        (Some(_), None) => eprintln!("`{asked}` was dropped and is not published; `tamis inspect .. explain {asked}` says why"),
        (None, None) => eprintln!("`{asked}` is not in this data set, and no run of it dropped it"),
    }
    Ok(Exit::Quarantined)
}

pub(super) fn explain(dataset: &Dataset, workspace: &Workspace, args: &ExplainArgs) -> Result<Exit> {
    let name = name_of(&args.document)?;
    let Some(fate) = dataset.fate(&name)? else {
        let number = erased(workspace, &name, &args.keys.suppression()).filter(|_| args.json);
        let Some(number) = number else { return absent(dataset, workspace, &name, &args.document, &args.keys) };
        println!("{}", json!({"kept": false, "stage": "takedown", "reason": "erased", "takedown": number}));
        return Ok(Exit::Done);
    };
    if args.json {
        println!("{}", told(&fate));
        return Ok(Exit::Done);
    }
    match &fate {
        Fate::Kept { shard, row } => {
            println!("kept: it stands in {shard}");
            cluster(row);
            fields(row);
        }
        Fate::Dropped { row } => {
            println!("dropped: {}", why(row));
            fields(row);
        }
    }
    Ok(Exit::Done)
}

/// What one line says of why a document fell.
fn why(row: &Map<String, Value>) -> String {
    let text = |name: &str| row.get(name).filter(|value| !value.is_null()).map(short);
    let mut why = format!("{}/{}", text("stage").unwrap_or_default(), text("reason").unwrap_or_default());
    if let Some(value) = text("value") {
        why += &format!(": the value is {value}");
        why += &text("limit").map_or(String::new(), |limit| format!(", the limit {limit}"));
    }
    if let Some(other) = text("duplicate_of") {
        why += &format!(": it repeats {other}");
        why += &text("jaccard").map_or(String::new(), |share| format!(", with a similarity of {share}"));
    }
    why
}

fn cluster(row: &Map<String, Value>) {
    if let Some(size) = row.get("cluster_size").and_then(Value::as_u64).filter(|size| *size > 1) {
        println!("it stands for {} documents that are alike, itself among them", size);
    }
}

/// A fate as one object.
fn told(fate: &Fate) -> Value {
    let (mut told, row, names): (Map<String, Value>, _, &[&str]) = match fate {
        Fate::Kept { shard, row } => {
            let told = [("kept".to_owned(), json!(true)), ("shard".to_owned(), json!(shard))];
            (told.into_iter().collect(), row, &["id", "url", "lang", "cluster_id", "cluster_size", "quality", "optout", "fetched_at"])
        }
        Fate::Dropped { row } => {
            let names = &["id", "url", "lang", "stage", "reason", "value", "limit", "duplicate_of", "jaccard", "fetched_at"];
            ([("kept".to_owned(), json!(false))].into_iter().collect(), row, names)
        }
    };
    told.extend(names.iter().filter_map(|name| Some(((*name).to_owned(), row.get(*name)?.clone()))));
    Value::Object(told)
}
