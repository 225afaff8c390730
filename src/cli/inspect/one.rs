//! `tamis inspect D show ID` and `explain ID|URL`: one document, and what became of it.

use anstyle::{AnsiColor, Style};
use anyhow::{Context, Result};
use clap::Args;
use serde_json::{Map, Value, json};

use super::{Keys, safe, short};
use crate::cli::exit::Exit;
use crate::inspect::Dataset;
use crate::inspect::cuts::{Is, Line, cuts};
use crate::inspect::find::{Fate, Name, erased};
use crate::inspect::original::has_original;
use crate::inspect::trail::{Outcome, Step};
use crate::remote::is_remote;
use crate::workspace::Workspace;

/// Arguments of `show`.
#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// The document's id, or its address
    document: String,
    /// Shows all lines of the page that it was made of instead of its text: `-` what was left out, `+` what a stage wrote
    #[arg(long)]
    page: bool,
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
    let Some((shard, mut row)) = dataset.published(&name)? else {
        return absent(dataset, workspace, &name, &args.document, &args.keys);
    };
    let lines = args.page.then(|| page_lines(dataset, &row)).transpose()?;
    if args.json {
        if let Some(lines) = lines {
            row.insert("page".to_owned(), serde_json::to_value(lines)?);
        }
        println!("{}", Value::Object(row));
        return Ok(Exit::Done);
    }
    println!("{:<16} {shard}", "shard");
    fields(&row);
    println!();
    match lines {
        Some(lines) => lines.iter().for_each(marked),
        None => println!("{}", safe(row.get("text").and_then(Value::as_str).unwrap_or_default())),
    }
    Ok(Exit::Done)
}

/// The lines of the page that the document of `row` was made of.
fn page_lines(dataset: &Dataset, row: &Map<String, Value>) -> Result<Vec<Line>> {
    let text = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default();
    let page = dataset.original(row).with_context(|| match has_original(text("source")) {
        true if is_remote(text("source_file")) => {
            format!("the page lies on another machine, in `{}`; fetch that file to look at it", safe(text("source_file")))
        }
        true => format!("`{}` does not hold the page any more: it was moved, changed or erased", safe(text("source_file"))),
        false => format!("documents of source `{}` have no page in an archive; leave out --page", safe(text("source"))),
    })?;
    cuts(&page, text("text")).context("the page has too many elements to be shown line by line")
}

/// Prints a line of a page, dim and with `-` what was cut, green and with `+` what a stage wrote; colours for terminals only.
fn marked(Line { is, line }: &Line) {
    let (mark, style) = match is {
        Is::Kept => (' ', Style::new()),
        Is::Cut => ('-', Style::new().dimmed()),
        Is::Written => ('+', AnsiColor::Green.on_default()),
    };
    anstream::println!("{style}{mark} {}{style:#}", safe(line));
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
        let mut told = told(&fate);
        told["trail"] = serde_json::to_value(dataset.trail(&fate))?;
        println!("{told}");
        return Ok(Exit::Done);
    }
    match &fate {
        Fate::Kept { shard, row } => {
            println!("kept: it stands in {shard}");
            cluster(row);
        }
        Fate::Dropped { row, .. } => println!("dropped: {}", why(row)),
    }
    let (Fate::Kept { row, .. } | Fate::Dropped { row, .. }) = &fate;
    for name in ["id", "url", "title", "lang", "fetched_at"] {
        if let Some(value) = row.get(name).filter(|value| !value.is_null()) {
            println!("{name:<16} {}", short(value));
        }
    }
    println!();
    dataset.trail(&fate).iter().for_each(step);
    Ok(Exit::Done)
}

/// Prints one stage of a document's way, and what it measured.
fn step(Step { stage, outcome, measured }: &Step) {
    let (told, style) = match outcome {
        Outcome::Passed => ("passed", AnsiColor::Green.on_default()),
        Outcome::Fell => ("dropped here", AnsiColor::Red.on_default().bold()),
        Outcome::NotReached => ("not reached", Style::new().dimmed()),
    };
    let measured: Vec<String> = measured.iter().map(|(name, value)| format!("{name} {}", rounded(value))).collect();
    anstream::println!("{stage:<20} {style}{told:<12}{style:#}  {}", measured.join(", "));
}

/// A value on one line, fractions to three places.
fn rounded(value: &Value) -> String {
    match value.as_f64().filter(|number| value.is_f64() && number.fract() != 0.0 && number.abs() >= 0.001) {
        Some(number) => format!("{number:.3}"),
        None => short(value),
    }
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
        why += &text("duplicate_in").map_or(String::new(), |dataset| format!(" of the data set {dataset}"));
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
        Fate::Dropped { row, .. } => {
            let names =
                &["id", "url", "lang", "stage", "reason", "value", "limit", "duplicate_of", "duplicate_in", "jaccard", "fetched_at"];
            ([("kept".to_owned(), json!(false))].into_iter().collect(), row, names)
        }
    };
    told.extend(names.iter().filter_map(|name| Some(((*name).to_owned(), row.get(*name)?.clone()))));
    Value::Object(told)
}
