//! The page of `tamis tokenizer report`: how many tokens a word each vocabulary needs, language by language.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use plotters::style::RGBColor;

use super::charts::{Bar, bars};
use super::page::STYLE;
use crate::size::{ByteSize, grouped};
use crate::tokenizer::report::OfLanguage;

/// Colours of vocabularies, in turn.
const COLOURS: [RGBColor; 4] = [RGBColor(46, 125, 110), RGBColor(191, 87, 62), RGBColor(70, 98, 160), RGBColor(140, 100, 150)];
/// More languages than this stand in the table alone.
const BARS_MAX: usize = 40;

pub(super) fn page(names: &[&str], languages: &[OfLanguage]) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "tamis: tokens a word" }
                style { (PreEscaped(STYLE)) }
            }
            body { main {
                h1 { "Tokens a word" }
                p.note { "Fewer is better: a language that needs more tokens costs more to train and to read. The largest language of the corpus stands first." }
                @for (place, name) in names.iter().enumerate() { section {
                    h2 { (name) }
                    (PreEscaped(bars(&of_vocabulary(place, languages), COLOURS[place % COLOURS.len()], &|value| format!("{value:.1}"))))
                } }
                section {
                    h2 { "All figures" }
                    (table(names, languages))
                }
            } }
        }
    }
}

fn of_vocabulary(place: usize, languages: &[OfLanguage]) -> Vec<Bar> {
    let shown = languages.iter().take(BARS_MAX);
    shown.filter_map(|language| Some(Bar { label: language.lang.clone(), value: language.fits.get(place)?.fertility })).collect()
}

fn table(names: &[&str], languages: &[OfLanguage]) -> Markup {
    html! {
        table {
            thead { tr {
                th { "language" } th.n { "documents" } th.n { "text" }
                @for name in names { th.n { (name) ": tokens a word" } th.n { "bytes a token" } }
            } }
            tbody { @for language in languages { tr {
                td { (language.lang) } td.n { (grouped(language.documents)) } td.n { (ByteSize(language.bytes)) }
                @for fit in &language.fits { td.n { (format!("{:.2}", fit.fertility)) } td.n { (format!("{:.2}", fit.bytes_a_token)) } }
            } } }
        }
    }
}
