//! The report of a run, and that of vocabularies: one HTML page that needs nothing beside it, to be opened from the workspace or sent to a colleague.
//!
//! The charts are SVG, drawn by plotters when the page is written, so the page has no script and works offline. Everything that stands
//! in a chart stands in a table too.

pub mod charts;
mod fit;
mod page;

pub use page::{funnel_of, largest_first};

use crate::engine::watch::Sample;
use crate::ledger::run::RunLedger;
use crate::tokenizer::report::OfLanguage;

/// What the report tells about.
pub struct Run<'a> {
    /// The counts of the run.
    pub ledger: &'a RunLedger,
    /// How long it took.
    pub seconds: f64,
    /// How it went on.
    pub samples: &'a [Sample],
}

/// The style of all our pages: no script, nothing from elsewhere.
pub const STYLE: &str = page::STYLE;

/// A chart of bars as SVG; empty without rows.
#[must_use]
pub fn bar_chart(rows: &[(String, u64)]) -> String {
    page::chart_of(rows)
}

/// The report as one HTML page.
#[must_use]
pub fn report_html(run: &Run<'_>) -> String {
    page::page(run).into_string()
}

/// How vocabularies fit the languages of a corpus, as one HTML page; `names` are those of the vocabularies.
#[must_use]
pub fn tokenizers_html(names: &[&str], languages: &[OfLanguage]) -> String {
    fit::page(names, languages).into_string()
}
