//! `tamis inspect D diff`: two nights side by side.

use anyhow::{Result, bail};
use clap::Args;
use comfy_table::{CellAlignment, Table};

use super::safe;
use crate::cli::exit::Exit;
use crate::cli::table::plain;
use crate::inspect::diff::{Diff, Pair, diff};
use crate::ledger::run::RunLedger;
use crate::size::grouped;

/// Hosts that are named.
const HOSTS: usize = 10;

/// Arguments of `diff`.
#[derive(Debug, Args)]
pub(super) struct DiffArgs {
    /// The first night: its number, 1 for the oldest; or `last`, `previous`; or the beginning of the name of its plan
    #[arg(default_value = "previous")]
    first: String,
    /// The second night
    #[arg(default_value = "last")]
    second: String,
    /// Writes one JSON object: each count in the first night and in the second
    #[arg(long)]
    json: bool,
}

pub(super) fn compare(ledgers: &[RunLedger], args: &DiffArgs) -> Result<Exit> {
    let (first, second) = (night(ledgers, &args.first)?, night(ledgers, &args.second)?);
    let found = diff(&ledgers[first], &ledgers[second]);
    if args.json {
        println!("{}", serde_json::to_string(&found)?);
        return Ok(Exit::Done);
    }
    println!("night {} ({}) and night {} ({})\n", first + 1, found.plans[0], second + 1, found.plans[1]);
    println!("{}\n\n{}", funnel(&found), languages(&found));
    let hosts = found.moved_hosts(HOSTS);
    if !hosts.is_empty() {
        let mut table = plain(&["host", "first", "second", "change"]);
        hosts.into_iter().for_each(|(host, pair)| row(&mut table, &safe(host), pair, &change(pair)));
        println!("\n{}", right(table));
    }
    Ok(Exit::Done)
}

/// The place of a night in the list of runs.
fn night(ledgers: &[RunLedger], name: &str) -> Result<usize> {
    let count = ledgers.len();
    let found = match name {
        "last" => count.checked_sub(1),
        "previous" => count.checked_sub(2),
        name => match name.parse::<usize>() {
            Ok(number) if (1..=count).contains(&number) => Some(number - 1),
            _ => ledgers.iter().position(|ledger| name.len() >= 4 && ledger.plan.starts_with(name)),
        },
    };
    match found {
        Some(place) => Ok(place),
        None if count == 1 => bail!("there is one night only; `diff` compares two"),
        None => bail!("there is no night `{}`; give 1 to {count}, `last`, `previous`, or the beginning of a plan's name", safe(name)),
    }
}

fn row(table: &mut Table, name: &str, pair: Pair, third: &str) {
    table.add_row([name, &grouped(pair[0]), &grouped(pair[1]), third]);
}

/// By how much a count changed, in percent; a new one has no percentage.
fn change(pair: Pair) -> String {
    match pair {
        [0, 0] => String::new(),
        [0, _] => "new".to_owned(),
        [_, 0] => "gone".to_owned(),
        [one, two] => format!("{:+.1} %", 100.0 * (two as f64 - one as f64) / one as f64),
    }
}

/// The share of what was read, in points of percent: nights of different sizes are comparable by it.
fn points(pair: Pair, read: Pair) -> String {
    let share = |run: usize| 100.0 * pair[run] as f64 / (read[run] as f64).max(1.0);
    format!("{:.1} % > {:.1} %", share(0), share(1))
}

fn funnel(found: &Diff) -> Table {
    let mut table = plain(&["", "first", "second", "of read"]);
    row(&mut table, "read", found.read, "");
    let mut dropped: Vec<_> = found.dropped.iter().collect();
    dropped.sort_by_key(|(reason, pair)| (std::cmp::Reverse(pair[0] + pair[1]), reason.as_str()));
    dropped.into_iter().for_each(|(reason, pair)| row(&mut table, &format!("  dropped: {reason}"), *pair, &points(*pair, found.read)));
    row(&mut table, "kept", found.kept, &points(found.kept, found.read));
    row(&mut table, "tokens", found.tokens, "");
    right(table)
}

fn languages(found: &Diff) -> Table {
    let mut table = plain(&["language", "first", "second", "change"]);
    let mut languages: Vec<_> = found.languages.iter().collect();
    languages.sort_by_key(|(lang, share)| (std::cmp::Reverse(share.documents[0] + share.documents[1]), lang.as_str()));
    languages.into_iter().for_each(|(lang, share)| row(&mut table, lang, share.documents, &change(share.documents)));
    right(table)
}

fn right(mut table: Table) -> Table {
    for column in 1..4 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}
