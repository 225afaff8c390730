//! The tables that a run and `tamis inspect` end with: what was read, kept and dropped for which reason, and the languages.

use comfy_table::{Attribute, Cell, CellAlignment, ContentArrangement, Table, presets};

use crate::ledger::tally::Tally;
use crate::size::{ByteSize, grouped};

/// The funnel and the languages of a tally, as text for a terminal.
#[must_use]
pub fn tally_tables(tally: &Tally) -> String {
    format!("{}\n\n{}", funnel(tally), languages(tally))
}

fn funnel(tally: &Tally) -> Table {
    let mut table = plain(&["", "documents", "of read"]);
    let share = |part: u64| if tally.read == 0 { String::new() } else { format!("{:.1} %", part as f64 * 100.0 / tally.read as f64) };
    let mut row = |name: String, part: u64| {
        table.add_row(vec![Cell::new(name), number(grouped(part)), number(share(part))]);
    };
    row("read".to_owned(), tally.read);
    let mut reasons: Vec<(String, u64)> = tally
        .dropped
        .iter()
        .flat_map(|(stage, reasons)| reasons.iter().map(move |(reason, documents)| (format!("  dropped: {stage}/{reason}"), *documents)))
        .collect();
    reasons.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    for (name, documents) in reasons {
        row(name, documents);
    }
    row("kept".to_owned(), tally.kept);
    table
}

fn languages(tally: &Tally) -> Table {
    let mut table = plain(&["language", "documents", "text", "tokens"]);
    let mut rows: Vec<_> = tally.languages.iter().collect();
    rows.sort_by(|a, b| b.1.documents.cmp(&a.1.documents).then_with(|| a.0.cmp(b.0)));
    for (lang, share) in rows {
        let text = ByteSize(share.text_bytes).to_string();
        table.add_row(vec![Cell::new(lang), number(grouped(share.documents)), number(text), number(grouped(share.tokens))]);
    }
    let text = ByteSize(tally.languages.values().map(|share| share.text_bytes).sum());
    table.add_row(vec![Cell::new("all"), number(grouped(tally.kept)), number(text.to_string()), number(grouped(tally.tokens()))]);
    table
}

pub(super) fn plain(heads: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(heads.iter().enumerate().map(|(at, head)| {
        let cell = Cell::new(head).add_attribute(Attribute::Bold);
        if at == 0 { cell } else { cell.set_alignment(CellAlignment::Right) }
    }));
    table
}

fn number(text: String) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_funnel_names_stage_and_reason_with_the_largest_first() {
        let mut tally = Tally { read: 10, kept: 7, ..Tally::default() };
        tally.drop_one("langid", "unsure");
        tally.drop_one("dedup", "near-duplicate");
        tally.drop_one("dedup", "near-duplicate");
        let text = tally_tables(&tally);
        assert!(text.find("dedup/near-duplicate") < text.find("langid/unsure"), "{text}");
        assert!(text.contains("70.0 %"), "{text}");
    }
}
