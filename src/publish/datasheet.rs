//! A sheet of what is in a data set, with charts: for a person who weighs whether to use it.

use super::ai_act::title;
use super::counts::{Amount, Counts};
use super::facts::Facts;
use super::page::{Page, Section};
use crate::report::bar_chart;
use crate::size::{ByteSize, grouped};

/// Bars of a chart.
const BARS_MAX: usize = 30;

/// The sheet. `dropped` counts what fell, by stage and reason, over all runs.
#[must_use]
pub fn page(counts: &Counts, facts: &Facts, read: u64, dropped: &[(String, u64)]) -> Page {
    let figures = Section::new("In short")
        .field("Documents", grouped(counts.total.documents))
        .field("Tokens", grouped(counts.total.tokens))
        .field("Text", format!("{} ({} bytes)", ByteSize(counts.total.text_bytes), counts.total.text_bytes))
        .field("Languages", counts.languages.len().to_string())
        .field("Registrable domains", grouped(counts.domains))
        .field("Files", format!("{} Parquet files, {}", counts.files, ByteSize(counts.file_bytes)))
        .field("Fetched", if counts.fetched.0.is_empty() { String::new() } else { format!("{} to {}", counts.fetched.0, counts.fetched.1) })
        .field("Licence of the data set", facts.licence.as_str())
        .field("Limits", facts.limitations.as_str());
    let languages: Vec<(String, Amount)> = by_size(counts.languages.iter().map(|(tag, of)| (tag.clone(), *of)));
    let bars: Vec<(String, u64)> = languages.iter().map(|(tag, of)| (tag.clone(), of.documents)).collect();
    let rows =
        languages.iter().map(|(tag, of)| vec![tag.clone(), of.documents.to_string(), of.text_bytes.to_string(), of.tokens.to_string()]);
    let count_rows = |rows: Vec<(String, u64)>| rows.into_iter().map(|(name, count)| vec![name, count.to_string()]).collect::<Vec<_>>();
    let mut fell = dropped.to_vec();
    fell.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let sections = vec![
        figures,
        Section::new("Languages").chart(chart(&bars)).table(&["language", "documents", "bytes of text", "tokens"], rows.collect()),
        Section::new("Why documents fell")
            .field("Documents read by all runs", grouped(read))
            .chart(chart(&fell))
            .table(&["stage/reason", "documents"], count_rows(fell)),
        Section::new("What owners say")
            .table(&["verdict and protocol", "documents"], count_rows(counts.optouts.clone().into_iter().collect())),
        Section::new("Licences that pages state")
            .table(&["licence", "documents"], count_rows(counts.licences.clone().into_iter().collect())),
        Section::new("Personal data that was found").table(&["kind", "found"], count_rows(counts.pii.clone().into_iter().collect())),
    ];
    Page {
        title: title(counts, facts),
        about: format!("Datasheet of {}, manifest {}, by tamis {}.", counts.dataset, counts.manifest, env!("CARGO_PKG_VERSION")),
        sections,
    }
}

fn chart(rows: &[(String, u64)]) -> String {
    bar_chart(&rows[..rows.len().min(BARS_MAX)])
}

fn by_size(rows: impl Iterator<Item = (String, Amount)>) -> Vec<(String, Amount)> {
    let mut rows: Vec<_> = rows.collect();
    rows.sort_by(|a, b| b.1.documents.cmp(&a.1.documents).then_with(|| a.0.cmp(&b.0)));
    rows
}
