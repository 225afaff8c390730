//! How the signals of quality are spread: a small histogram each.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::bars::histogram;
use crate::inspect::signals::{BINS, Spread, bin_start};
use crate::serve::messages::Messages;
use crate::size::grouped;

/// Where the middle document lies: the start of its bin.
fn middle(signal: &str, spread: &Spread) -> f64 {
    let half = spread.bins.iter().sum::<u64>().div_ceil(2);
    let mut seen = 0;
    let bin = spread.bins.iter().position(|count| {
        seen += count;
        seen >= half
    });
    bin_start(signal, bin.unwrap_or(0))
}

fn number(value: f64) -> String {
    if value.fract() == 0.0 { grouped(value as u64) } else { format!("{value:.2}") }
}

/// All signals that some document has.
pub(super) fn all(m: &Messages, signals: &BTreeMap<Box<str>, Spread>) -> Markup {
    html! {
        @if signals.is_empty() { p { (m.no_signals) } }
        ul.small-multiples { @for (signal, spread) in signals {
            @let last = spread.bins.iter().rposition(|count| *count > 0).unwrap_or(0);
            @let label = m.histogram.replace("{signal}", signal).replace("{middle}", &number(middle(signal, spread)));
            li {
                h3 { code { (signal) } }
                (histogram(&label, &spread.bins[..=last]))
                p.axis aria-hidden="true" { span { "0" } span { (number(bin_start(signal, (last + 1).min(BINS)))) } }
                p { (m.middle) " " (number(middle(signal, spread))) }
            }
        } }
    }
}
