//! Tables whose figures are drawn as bars beside them: a chart that a screen reader reads and a phone shows.
//!
//! The length stands in an attribute of the SVG, so no style has to stand in the page.

use maud::{Markup, html};

use crate::size::grouped;

/// A line of such a table.
pub(super) struct Line {
    /// What is counted.
    pub(super) label: Markup,
    pub(super) count: u64,
    /// What stands beside it.
    pub(super) more: Vec<String>,
}

impl Line {
    pub(super) fn new(label: Markup, count: u64) -> Line {
        Line { label, count, more: Vec::new() }
    }
}

/// A table with a bar for each line; `kind` chooses the colour, `heads` are the names of the columns.
pub(super) fn table(caption: &str, heads: &[&str], kind: &str, lines: &[Line]) -> Markup {
    let longest = lines.iter().map(|line| line.count).max().unwrap_or(0).max(1);
    html! {
        div.scroll tabindex="0" role="group" aria-label=(caption) {
            table.bars {
                caption { (caption) }
                thead { tr {
                    th scope="col" { (heads.first().copied().unwrap_or_default()) }
                    th.n scope="col" { (heads.get(1).copied().unwrap_or_default()) }
                    td.bar {}
                    @for head in heads.iter().skip(2) { th.n scope="col" { (head) } }
                } }
                tbody { @for line in lines { tr {
                    th scope="row" { (line.label) }
                    td.n { (grouped(line.count)) }
                    td.bar { (bar(kind, line.count as f64 / longest as f64)) }
                    @for more in &line.more { td.n { (more) } }
                } } }
            }
        }
    }
}

/// A bar of `share` of the width.
pub(super) fn bar(kind: &str, share: f64) -> Markup {
    html! {
        svg.bar.(kind) width="100%" height="12" aria-hidden="true" focusable="false" {
            rect width=(format!("{:.2}%", (share * 100.0).clamp(0.0, 100.0))) height="12" rx="2" {}
        }
    }
}

/// A plain table: names of columns, and lines of cells of which the first is the line's name; figures stand to the right from column
/// `figures_from` on.
pub(super) fn plain(caption: &str, heads: &[&str], figures_from: usize, lines: &[Vec<Markup>]) -> Markup {
    html! {
        div.scroll tabindex="0" role="group" aria-label=(caption) {
            table {
                caption { (caption) }
                thead { tr { @for (at, head) in heads.iter().enumerate() { th.n[at >= figures_from] scope="col" { (head) } } } }
                tbody { @for line in lines { tr {
                    @for (at, cell) in line.iter().enumerate() {
                        @if at == 0 { th scope="row" { (cell) } } @else { td.n[at >= figures_from] { (cell) } }
                    }
                } } }
            }
        }
    }
}

/// A histogram: a rectangle for each bin, told in one sentence to who cannot see it.
pub(super) fn histogram(label: &str, bins: &[u64]) -> Markup {
    let highest = bins.iter().copied().max().unwrap_or(0).max(1) as f64;
    let width = 100.0 / bins.len().max(1) as f64;
    html! {
        svg.histogram role="img" aria-label=(label) viewBox="0 0 100 40" preserveAspectRatio="none" focusable="false" {
            @for (at, count) in bins.iter().enumerate() {
                @let height = *count as f64 / highest * 38.0;
                rect x=(format!("{:.2}", at as f64 * width + 0.3)) y=(format!("{:.2}", 40.0 - height)) width=(format!("{:.2}", width - 0.6))
                    height=(format!("{height:.2}")) {}
            }
        }
    }
}
