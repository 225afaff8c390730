//! Search by language, host and words, a page at a time; an id or an address leads to its document.
//!
//! A page of results costs the same on the first night and on the thousandth: rows are taken in the order in which they lie, and where a
//! search for rare words takes longer than a visitor waits, the page shows what was found and goes on from there.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Extension;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::layout::{Tab, page};
use super::overview::about_set;
use super::{go_to, path_with};
use crate::inspect::find::{Fate, Name, erased};
use crate::inspect::search::{self, Place, Question};
use crate::serve::failure::Failure;
use crate::serve::house::House;
use crate::serve::messages::Messages;
use crate::serve::shelf::Set;
use crate::serve::visit::Me;
use crate::size::grouped;

/// Documents on a page.
const ROWS: usize = 20;
/// How long a search may go on before it shows what it found.
const PATIENCE: Duration = Duration::from_millis(600);
/// Characters of a text that are shown around a hit.
const AROUND: usize = 110;

/// What is searched for.
#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    set: String,
    #[serde(default)]
    lang: String,
    #[serde(default)]
    host: String,
    #[serde(default)]
    q: String,
    /// Shard, row group and row to go on from.
    #[serde(default)]
    from: String,
}

impl Asked {
    fn question(&self) -> Question {
        let given = |text: &str| Some(text.trim().to_lowercase()).filter(|text| !text.is_empty());
        let lang = Some(self.lang.trim().to_owned()).filter(|lang| !lang.is_empty());
        Question::new(lang, given(&self.host), &self.q)
    }

    fn place(&self) -> Option<Place> {
        let mut parts = self.from.split('.').map(str::parse);
        let place = Place { shard: parts.next()?.ok()?, group: parts.next()?.ok()?, row: parts.next()?.ok()? };
        parts.next().is_none().then_some(place)
    }

    fn path(&self, from: Option<Place>) -> String {
        let from = from.map(|place| format!("{}.{}.{}", place.shard, place.group, place.row)).unwrap_or_default();
        path_with("/search", &[("set", &self.set), ("lang", &self.lang), ("host", &self.host), ("q", &self.q), ("from", &from)])
    }

    /// The document that is named, if one is.
    fn name(&self) -> Option<Name> {
        let text = self.q.trim();
        let is_named = text.len() == 32 || text.starts_with("http://") || text.starts_with("https://");
        Name::read(text).filter(|_| is_named)
    }
}

/// A clock that says whether to go on.
pub(super) fn patience() -> impl FnMut() -> bool {
    let begun = Instant::now();
    move || begun.elapsed() < PATIENCE
}

pub(super) async fn search(State(house): State<Arc<House>>, Extension(visit): Me, Query(asked): Query<Asked>) -> Result<Response, Failure> {
    house.audit.note(&visit, "search", &format!("{} {} {}", asked.lang, asked.host, asked.q))?;
    house
        .look(move |house| {
            if let Some(name) = asked.name() {
                return named(house, &name).map(|id| go_to(&format!("/document/{id}")));
            }
            let snapshot = house.snapshot()?;
            let m = visit.m;
            let body = about_set(m, &snapshot, &asked.set, ("/search", m.search), |name, set| {
                Ok(html! { (form(m, name, set, &asked)) (results(m, set, &asked)?) })
            })?;
            Ok(page(&visit, Tab::Search, m.search, &body).into_response())
        })
        .await
}

/// The id of the document called `name`, in whatever data set it is.
fn named(house: &House, name: &Name) -> Result<String, Failure> {
    let snapshot = house.snapshot()?;
    for set in snapshot.sets.values() {
        if let Some(Fate::Kept { row, .. } | Fate::Dropped { row, .. }) = set.dataset.fate(name)? {
            return Ok(text(&row, "id").to_owned());
        }
    }
    let settings = &house.settings;
    Err(erased(&settings.workspace, name, &settings.suppression_key).map_or(Failure::NotFound, Failure::Gone))
}

/// A field to choose a language of `set` with.
pub(super) fn languages(m: &Messages, set: &Set, chosen: &str) -> Markup {
    let langs: std::collections::BTreeSet<&str> = set.dataset.shards().iter().map(|shard| search::lang_of(shard)).collect();
    html! {
        div {
            label for="lang" { (m.language) }
            select #lang name="lang" {
                option value="" { (m.all_languages) }
                @for lang in langs { option value=(lang) selected[lang == chosen] { (lang) } }
            }
        }
    }
}

fn form(m: &Messages, name: &str, set: &Set, asked: &Asked) -> Markup {
    html! {
        form.search role="search" method="get" action="/search" {
            input type="hidden" name="set" value=(name);
            div {
                label for="q" { (m.words_or_id) }
                input #q type="search" name="q" value=(asked.q) accesskey="s" maxlength="500";
            }
            (languages(m, set, &asked.lang))
            div {
                label for="host" { (m.host) }
                input #host type="text" name="host" value=(asked.host) autocapitalize="none" spellcheck="false" maxlength="253";
            }
            button type="submit" { (m.search) }
        }
        p { a href=(path_with("/draw", &[("set", name), ("lang", &asked.lang), ("host", &asked.host)])) { (m.draw_some) } }
    }
}

fn results(m: &Messages, set: &Set, asked: &Asked) -> Result<Markup, Failure> {
    let question = asked.question();
    let from = asked.place().unwrap_or_default();
    let page = set.dataset.search(&question, from, ROWS, &mut patience())?;
    Ok(html! {
        h2 { (m.documents) }
        @if page.rows.is_empty() {
            p.empty role="status" { @if page.is_cut { (m.none_so_far) } @else { (m.none_found) } }
        }
        ol.results data-keys="results" { @for row in &page.rows { li { (result(m, &question, row)) } } }
        @if page.is_cut && !page.rows.is_empty() { p role="status" { (m.cut_short) } }
        nav.pages aria-label=(m.more_results) {
            @if from != Place::default() { a href=(asked.path(None)) { (m.from_start) } }
            @if page.next.is_some() { a.next rel="next" href=(asked.path(page.next)) { @if page.is_cut { (m.search_on) } @else { (m.next_page) } } }
        }
    })
}

/// A column of text.
pub(super) fn text<'a>(row: &'a Map<String, Value>, name: &str) -> &'a str {
    row.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The language of a row for browsers, where one is known.
pub(super) fn tag_of(row: &Map<String, Value>) -> Option<&str> {
    Some(text(row, "lang")).filter(|lang| !["", "und", "mul"].contains(lang))
}

/// A title, or where there is none the address.
pub(super) fn title_of(row: &Map<String, Value>) -> &str {
    match text(row, "title").trim() {
        "" => text(row, "url"),
        title => title,
    }
}

/// One document among others.
pub(super) fn result(m: &Messages, question: &Question, row: &Map<String, Value>) -> Markup {
    let number = |name: &str| row.get(name).and_then(Value::as_u64).unwrap_or(0);
    let whole = text(row, "text");
    html! {
        article {
            h3 { a href=(format!("/document/{}", text(row, "id"))) { bdi { (title_of(row)) } } }
            p.address { bdi { (text(row, "url")) } }
            p.snippet dir="auto" lang=[tag_of(row)] { (snippet(whole, question)) }
            p.facts {
                span { (m.language) ": " (text(row, "lang")) }
                span { (grouped(number("token_count"))) " " (m.tokens) }
                @if number("cluster_size") > 1 { span { (m.cluster_of) " " (grouped(number("cluster_size"))) } }
            }
        }
    }
}

/// What stands around the first hit, or at the beginning.
fn snippet(whole: &str, question: &Question) -> Markup {
    let Some(hit) = question.first_in(whole) else {
        let beginning: String = whole.chars().take(2 * AROUND).collect();
        return html! { (beginning) @if beginning.len() < whole.len() { "…" } };
    };
    let before: String = whole[..hit.start].chars().rev().take(AROUND).collect::<Vec<_>>().into_iter().rev().collect();
    let after: String = whole[hit.end..].chars().take(AROUND).collect();
    html! { @if before.len() < hit.start { "…" } (before) mark { (&whole[hit.clone()]) } (after) @if hit.end + after.len() < whole.len() { "…" } }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(q: &str, from: &str) -> Asked {
        let none = String::new;
        Asked { set: none(), lang: none(), host: none(), q: q.to_owned(), from: from.to_owned() }
    }

    #[test]
    fn an_id_or_an_address_names_a_document_and_words_do_not() {
        for (q, is_named) in [("https://a.eu/x", true), (&*"0".repeat(32), true), ("ein Haus", false), ("a.eu", false)] {
            assert_eq!(asked(q, "").name().is_some(), is_named, "{q}");
        }
    }

    #[test]
    fn a_place_is_three_numbers_or_none() {
        assert_eq!(asked("", "1.2.3").place(), Some(Place { shard: 1, group: 2, row: 3 }));
        for wrong in ["", "1.2", "1.2.3.4", "a.b.c", "-1.0.0"] {
            assert_eq!(asked("", wrong).place(), None, "{wrong}");
        }
    }

    #[test]
    fn a_snippet_marks_the_hit_and_escapes_all_of_it() {
        let question = Question::new(None, None, "<B>");
        let shown = snippet("é <b>&x", &question).into_string();
        assert_eq!(shown, "é <mark>&lt;b&gt;</mark>&amp;x");
    }
}
