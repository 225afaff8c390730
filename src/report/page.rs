//! The page around the charts.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use plotters::style::RGBColor;

use super::Run;
use super::charts::{Bar, bars, line};
use crate::engine::flow::READ;
use crate::engine::plan::StageName;
use crate::engine::watch::Sample;
use crate::ledger::tally::Tally;
use crate::size::{ByteSize, grouped};

const KEPT: RGBColor = RGBColor(46, 125, 110);
const FELL: RGBColor = RGBColor(191, 87, 62);
const SIZE: RGBColor = RGBColor(70, 98, 160);
/// More bars than this are summed up in one.
const BARS_MAX: usize = 40;

pub(super) const STYLE: &str = "
:root { color-scheme: light; --ink: #263238; --pale: #d8dee2; }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: #f5f6f4; margin: 0; }
main { max-width: 60rem; margin: 0 auto; padding: 2rem 1rem 4rem; }
h1 { font-size: 1.8rem; margin: 0 0 .2rem; } h2 { font-size: 1.15rem; margin: 0 0 .6rem; }
section { background: #fff; border: 1px solid var(--pale); border-radius: 8px; padding: 1.2rem; margin-top: 1.2rem; }
svg { width: 100%; height: auto; } .note { color: #5a6b73; margin: .2rem 0; overflow-wrap: anywhere; }
.figures { display: flex; flex-wrap: wrap; gap: 1rem; } .figures div { flex: 1 1 8rem; }
.figures b { display: block; font-size: 1.5rem; font-variant-numeric: tabular-nums; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .25rem .5rem; border-bottom: 1px solid var(--pale); } td.n, th.n { text-align: right; }
details { margin-top: .8rem; } summary { cursor: pointer; }
";

pub(super) fn page(run: &Run<'_>) -> Markup {
    let ledger = run.ledger;
    let total = ledger.total();
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "tamis: " (ledger.name) }
                style { (PreEscaped(STYLE)) }
            }
            body { main {
                h1 { (ledger.name) }
                p.note { "Data set " b { (ledger.dataset) } ", plan " code { (ledger.plan) } ", recipe " code { (ledger.recipe_hash) } ", tamis " (ledger.tamis) }
                (figures(run, &total))
                (funnel(&total))
                (reasons(&total))
                (languages(&total))
                (hosts(&total))
                (sizes(run))
                (throughput(run.samples))
                (set_aside(run, &total))
            } }
        }
    }
}

fn figures(run: &Run<'_>, total: &Tally) -> Markup {
    let share = if total.read == 0 { 0.0 } else { total.kept as f64 * 100.0 / total.read as f64 };
    let shards: u64 = run.ledger.shards.iter().map(|shard| shard.bytes).sum();
    html! {
        section.figures {
            div { b { (grouped(total.read)) } "documents read" }
            div { b { (grouped(total.kept)) } "kept, " (format!("{share:.1} %")) }
            div { b { (grouped(total.tokens())) } "tokens" }
            div { b { (total.languages.len()) } "languages" }
            div { b { (ByteSize(total.input_bytes)) } "input, " (run.ledger.input_files) " files" }
            div { b { (ByteSize(shards)) } "in " (run.ledger.shards.len()) " shards" }
            div { b { (format!("{:.1} s", run.seconds)) } "in all" }
        }
    }
}

/// Bars of counts, in the colour of what was kept.
pub(super) fn chart_of(rows: &[(String, u64)]) -> String {
    let shown: Vec<Bar> = rows.iter().map(|(label, value)| Bar { label: label.clone(), value: *value as f64 }).collect();
    bars(&shown, KEPT, &whole)
}

/// A section with a chart, and the same figures as a table to unfold.
fn section(title: &str, note: &str, chart: &str, heads: &[&str], rows: &[Vec<String>]) -> Markup {
    html! {
        section {
            h2 { (title) }
            p.note { (note) }
            (PreEscaped(chart))
            details {
                summary { "as a table" }
                table {
                    thead { tr { @for (at, head) in heads.iter().enumerate() { th.n[at > 0] { (head) } } } }
                    tbody { @for row in rows { tr { @for (at, cell) in row.iter().enumerate() { td.n[at > 0] { (cell) } } } } }
                }
            }
        }
    }
}

fn bar_section(title: &str, note: &str, heads: &[&str], rows: &[(String, u64)], colour: RGBColor) -> Markup {
    let mut shown: Vec<Bar> = rows.iter().take(BARS_MAX).map(|(label, value)| Bar { label: label.clone(), value: *value as f64 }).collect();
    if rows.len() > BARS_MAX {
        let rest: u64 = rows[BARS_MAX..].iter().map(|row| row.1).sum();
        shown.push(Bar { label: format!("{} others", rows.len() - BARS_MAX), value: rest as f64 });
    }
    let table: Vec<Vec<String>> = rows.iter().map(|(label, value)| vec![label.clone(), grouped(*value)]).collect();
    section(title, note, &bars(&shown, colour, &whole), heads, &table)
}

/// How many documents were left after each stage that dropped some, in the order of the river; the first is what was read.
#[must_use]
pub fn funnel_of(total: &Tally) -> Vec<(Option<&str>, u64)> {
    let mut left = total.read;
    let mut rows = vec![(None, left)];
    let mut stages: Vec<(&String, u64)> = total.dropped.iter().map(|(stage, reasons)| (stage, reasons.values().sum())).collect();
    stages.sort_by_key(|(stage, _)| order(stage));
    for (stage, fell) in stages {
        left = left.saturating_sub(fell);
        rows.push((Some(stage.as_str()), left));
    }
    rows
}

fn funnel(total: &Tally) -> Markup {
    let name = |stage: Option<&str>| stage.map_or_else(|| "read".to_owned(), |stage| format!("after {stage}"));
    let rows: Vec<(String, u64)> = funnel_of(total).into_iter().map(|(stage, left)| (name(stage), left)).collect();
    bar_section("The funnel", "Documents that were left after each stage that dropped some.", &["stage", "documents"], &rows, KEPT)
}

/// Where a stage usually stands; the tally does not know the recipe's order.
fn order(stage: &str) -> usize {
    let rooms = crate::stages::ROOMS.iter().map(|room| room.name);
    std::iter::once(READ).chain(rooms).position(|name| name == stage).unwrap_or(usize::MAX)
}

fn reasons(total: &Tally) -> Markup {
    let all = total
        .dropped
        .iter()
        .flat_map(|(stage, reasons)| reasons.iter().map(move |(reason, number)| (format!("{stage}/{reason}"), *number)));
    bar_section(
        "Why documents fell",
        "Each dropped document is counted once, at the first stage that dropped it.",
        &["stage/reason", "documents"],
        &largest_first(all),
        FELL,
    )
}

fn languages(total: &Tally) -> Markup {
    let rows = largest_first(total.languages.iter().map(|(lang, share)| (lang.clone(), share.documents)));
    bar_section("Languages", "Kept documents by language (BCP 47).", &["language", "documents"], &rows, KEPT)
}

fn hosts(total: &Tally) -> Markup {
    let rows = largest_first(total.hosts.iter().map(|(class, share)| (class.clone(), share.kept)));
    bar_section("Classes of hosts", "Kept documents by what their host's name says.", &["class", "documents"], &rows, KEPT)
}

fn sizes(run: &Run<'_>) -> Markup {
    let mut shards: Vec<_> = run.ledger.shards.iter().collect();
    shards.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.lang.cmp(&b.lang)));
    let shown: Vec<Bar> = shards.iter().take(BARS_MAX).map(|shard| Bar { label: shard.lang.clone(), value: shard.bytes as f64 }).collect();
    let rows: Vec<Vec<String>> = shards
        .iter()
        .map(|shard| vec![shard.lang.clone(), grouped(shard.rows), grouped(shard.tokens), ByteSize(shard.bytes).to_string()])
        .collect();
    let chart = bars(&shown, SIZE, &|bytes| ByteSize(bytes as u64).to_string());
    section("Sizes of shards", "The largest shards, as stored.", &chart, &["language", "documents", "tokens", "size"], &rows)
}

fn throughput(samples: &[Sample]) -> Markup {
    let points = rates(samples);
    if points.len() < 2 {
        return html! { section { h2 { "Throughput" } p.note { "The run was too short to draw its throughput." } } };
    }
    let rows: Vec<Vec<String>> = points.iter().map(|(at, rate)| vec![format!("{at:.1} s"), whole(*rate)]).collect();
    section(
        "Throughput",
        "Documents read a second in stage clean, over the time of the run.",
        &line(&points, SIZE, &whole),
        &["at", "documents a second"],
        &rows,
    )
}

/// Documents a second between neighbouring samples of stage `clean`.
fn rates(samples: &[Sample]) -> Vec<(f64, f64)> {
    let clean: Vec<&Sample> = samples.iter().filter(|sample| sample.stage == StageName::Clean).collect();
    clean
        .windows(2)
        .filter(|pair| pair[1].at_ms > pair[0].at_ms)
        .map(|pair| {
            let seconds = (pair[1].at_ms - pair[0].at_ms) as f64 / 1e3;
            (pair[1].at_ms as f64 / 1e3, (pair[1].read - pair[0].read) as f64 / seconds)
        })
        .collect()
}

fn set_aside(run: &Run<'_>, total: &Tally) -> Markup {
    html! {
        section {
            h2 { "Set aside" }
            @if total.damages + total.quarantined == 0 {
                p.note { "All input could be read, and every stage finished every document." }
            } @else {
                p { (grouped(total.damages)) " parts of the input could not be read; " (grouped(total.quarantined)) " documents could not be finished by a stage." }
                p.note { "Listed in " @for name in &run.ledger.quarantine { code { "_tamis/quarantine/" (run.ledger.plan) "/" (name) } " " } }
            }
        }
    }
}

/// Counts without those of nothing, the largest first.
#[must_use]
pub fn largest_first(rows: impl Iterator<Item = (String, u64)>) -> Vec<(String, u64)> {
    let mut rows: Vec<_> = rows.filter(|row| row.1 > 0).collect();
    rows.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    rows
}

fn whole(value: f64) -> String {
    grouped(value.max(0.0) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::run::{LedgerShard, RunLedger};
    use crate::ledger::tally::Share;
    use crate::report::report_html;

    #[test]
    fn a_report_stands_alone_and_escapes_what_it_is_told() {
        let mut clean = Tally { read: 4, kept: 3, ..Tally::default() };
        clean.drop_one("extract", "no-text");
        let mut emit = Tally { read: 3, kept: 3, ..Tally::default() };
        emit.languages.insert("mt".to_owned(), Share { documents: 3, tokens: 700, text_bytes: 2_000 });
        let ledger = RunLedger {
            version: 1,
            plan: "0123".to_owned(),
            name: "<script>alert(1)</script>".to_owned(),
            dataset: "d".to_owned(),
            recipe_hash: "f".to_owned(),
            tamis: "0".to_owned(),
            input_files: 1,
            clean,
            emit,
            shards: vec![LedgerShard { lang: "mt".to_owned(), rows: 3, bytes: 4_096, tokens: 700 }],
            quarantine: Vec::new(),
        };
        let sample = |at_ms, read| Sample { stage: StageName::Clean, at_ms, bytes: 0, read, kept: 0 };
        let samples = [sample(0, 0), sample(200, 2), sample(400, 4)];
        let html = report_html(&Run { ledger: &ledger, seconds: 0.4, samples: &samples });
        assert!(!html.contains("<script"), "the name must be escaped");
        for outside in ["http://", "https://", "src=", "@import"] {
            assert!(!html.replace("http://www.w3.org/2000/svg", "").contains(outside), "{outside}");
        }
        assert_eq!(html.matches("<svg").count(), 5, "funnel, reasons, languages, sizes, throughput, and no chart of hosts without hosts");
    }
}
