//! `tamis inspect D pii`: how much personal data was found, and passages to review, masked.

use anyhow::Result;
use clap::Args;
use comfy_table::{Cell, CellAlignment, Table};
use serde_json::json;

use super::{safe, short};
use crate::cli::exit::Exit;
use crate::cli::table::plain;
use crate::inspect::Dataset;
use crate::inspect::personal::{ByKind, Personal, kinds, passages};
use crate::inspect::sample::Wish;
use crate::size::grouped;

/// Hosts that a table shows.
const HOSTS: usize = 20;

/// Arguments of `pii`.
#[derive(Debug, Args)]
pub(super) struct PiiArgs {
    /// Shows so many documents with findings, drawn by chance, with masks in their place
    #[arg(long, value_name = "N")]
    review: Option<usize>,
    /// Only documents with findings of this kind
    #[arg(long, requires = "review", value_parser = kind)]
    kind: Option<String>,
    /// Only this language
    #[arg(long, value_name = "TAG", requires = "review")]
    lang: Option<String>,
    /// Another seed draws other documents
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Writes JSON: one object, or with --review one a document
    #[arg(long)]
    json: bool,
}

fn kind(text: &str) -> Result<String, String> {
    let kinds = kinds();
    if kinds.contains(&text) { Ok(text.to_owned()) } else { Err(format!("`{text}` is no kind that is counted: {}", kinds.join(", "))) }
}

pub(super) fn pii(dataset: &Dataset, args: &PiiArgs) -> Result<Exit> {
    match args.review {
        Some(documents) => review(dataset, args, documents),
        None => counts(&dataset.personal()?, args.json),
    }
}

fn counts(personal: &Personal, json: bool) -> Result<Exit> {
    if json {
        println!("{}", serde_json::to_value(personal)?);
        return Ok(Exit::Done);
    }
    if personal.documents == 0 {
        eprintln!("nobody looked for personal data: no document went through stage `pii`");
        return Ok(Exit::Done);
    }
    let mut table = plain(&["kind", "findings", "documents", "of those read"]);
    for (kind, findings) in &personal.findings {
        let with = personal.with.get(kind).copied().unwrap_or(0);
        let share = format!("{:.2} %", with as f64 * 100.0 / personal.documents as f64);
        table.add_row([Cell::new(kind), right(grouped(*findings)), right(grouped(with)), right(share)]);
    }
    println!("{table}\n");
    println!("{}\n", by("language", personal.languages.iter().map(|(lang, kinds)| (lang.as_str(), kinds))));
    println!("{}", by("host", personal.largest_hosts(HOSTS).into_iter()));
    if personal.hosts.len() > HOSTS {
        println!(" {} other hosts", grouped((personal.hosts.len() - HOSTS) as u64));
    }
    Ok(Exit::Done)
}

fn right(text: String) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

/// A line for each name, a column for each kind that somebody has.
fn by<'a>(head: &str, lines: impl Iterator<Item = (&'a str, &'a ByKind)>) -> Table {
    let lines: Vec<(&str, &ByKind)> = lines.collect();
    let found: Vec<&str> = kinds().into_iter().filter(|kind| lines.iter().any(|(_, kinds)| kinds.contains_key(kind))).collect();
    let mut table = plain(&[&[head], &found[..]].concat());
    for (name, kinds) in lines {
        let numbers = found.iter().map(|kind| right(kinds.get(kind).map_or_else(String::new, |count| grouped(*count))));
        table.add_row([Cell::new(safe(name))].into_iter().chain(numbers).collect::<Vec<_>>());
    }
    table
}

fn review(dataset: &Dataset, args: &PiiArgs, documents: usize) -> Result<Exit> {
    let personal = Some(args.kind.clone().unwrap_or_default());
    let rows = dataset.sample(&Wish { documents, seed: args.seed, lang: args.lang.clone(), personal, ..Wish::default() })?;
    if rows.is_empty() && !args.json {
        eprintln!("no document is like that");
    }
    for row in rows {
        let lines = passages(&row);
        if args.json {
            println!("{}", json!({"id": row["id"], "lang": row["lang"], "host": row["host"], "pii": row["pii"], "passages": lines}));
            continue;
        }
        println!("{}  {}  {}", short(&row["id"]), short(&row["lang"]), short(&row["host"]));
        lines.iter().for_each(|line| println!("    .. {} ..", safe(line)));
        println!();
    }
    Ok(Exit::Done)
}
