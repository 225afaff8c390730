//! One document: its text beside the page that it was made of, where it came from, what was measured, and its way through the stages.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use maud::{Markup, html};
use serde_json::{Map, Value};

use super::bars::plain;
use super::layout::{Tab, page, section};
use super::search::{tag_of, text, title_of};
use super::{Page, path_with};
use crate::doc::DocId;
use crate::inspect::cuts::{Is, Line, cuts};
use crate::inspect::find::{Fate, Name, erased};
use crate::inspect::original::has_original;
use crate::inspect::trail::{Outcome, Step};
use crate::serve::failure::Failure;
use crate::serve::house::House;
use crate::serve::messages::Messages;
use crate::serve::shelf::Set;
use crate::serve::visit::{Me, Visit};

/// Bytes of a text that a page shows.
const TEXT_BYTES_MAX: usize = 512 << 10;
/// Columns that say where a document came from.
const PROVENANCE: &[&str] = &[
    "id",
    "url",
    "host",
    "lang",
    "script",
    "lang_score",
    "token_count",
    "source",
    "source_file",
    "source_offset",
    "fetched_at",
    "content_digest",
    "licence",
    "cluster_id",
    "cluster_size",
    "recipe_hash",
];

/// An id as a path has it.
pub(super) fn id_of(text: &str) -> Result<DocId, Failure> {
    let is_id = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let id = if is_id { text.to_ascii_lowercase().parse().ok() } else { None };
    id.ok_or(Failure::NotFound)
}

pub(super) async fn document(State(house): State<Arc<House>>, Extension(visit): Me, Path(id): Path<String>) -> Page {
    let id = id_of(&id)?;
    house.audit.note(&visit, "document", &id.to_string())?;
    house
        .look(move |house| {
            let snapshot = house.snapshot()?;
            for set in snapshot.sets.values() {
                if let Some(fate) = set.dataset.fate(&Name::Id(id))? {
                    return Ok(shown(&visit, set, id, &fate));
                }
            }
            Err(absent(house, id))
        })
        .await
}

/// Why there is no such document, as far as that is known.
pub(super) fn absent(house: &House, id: DocId) -> Failure {
    let settings = &house.settings;
    erased(&settings.workspace, &Name::Id(id), &settings.suppression_key).map_or(Failure::NotFound, Failure::Gone)
}

fn shown(visit: &Visit, set: &Set, id: DocId, fate: &Fate) -> Markup {
    let m = visit.m;
    let (Fate::Kept { row, .. } | Fate::Dropped { row, .. }) = fate;
    let has_original = has_original(text(row, "source"));
    let page_lines = set.dataset.original(row).and_then(|page| cuts(&page, text(row, "text")));
    let body = html! {
        h1 { bdi { (title_of(row)) } }
        p.address { bdi { (text(row, "url")) } }
        (verdict(m, id, fate))
        @if visit.is_officer() { p { a href=(path_with("/takedown", &[("kind", "id"), ("value", &id.to_string())])) { (m.plan_erasure_of_this) } } }
        div.beside {
            (section("text", m.text, &html! { (the_text(m, row)) (the_page(m, row, page_lines.as_deref())) }))
            (section("original", m.original, &html! {
                @if has_original {
                    iframe src=(format!("/document/{id}/original")) sandbox="" referrerpolicy="no-referrer" loading="lazy" title=(m.original_frame) {}
                    p.note { (m.original_told) }
                } @else { p { (m.no_original.replace("{source}", text(row, "source"))) } }
            }))
        }
        (section("trail", m.trail, &trail(m, &set.dataset.trail(fate))))
        (section("provenance", m.provenance, &facts(m.provenance, PROVENANCE.iter().filter_map(|name| Some(((*name).to_owned(), row.get(*name)?))))))
        @for (id, name, column) in [("signals", m.signals, "quality"), ("pii", m.personal_data, "pii"), ("optout", m.optout, "optout")] {
            @if let Some(Value::Object(inner)) = row.get(column) {
                (section(id, name, &facts(name, inner.iter().map(|(name, value)| (name.clone(), value)))))
            }
        }
    };
    page(visit, Tab::Search, title_of(row), &body)
}

fn verdict(m: &Messages, id: DocId, fate: &Fate) -> Markup {
    match fate {
        Fate::Kept { shard, row } => {
            let size = row.get("cluster_size").and_then(Value::as_u64).unwrap_or(1);
            html! {
                p.verdict.kept { strong { (m.is_kept) } " " code { (shard) } }
                @if size > 1 {
                    p { a href=(format!("/document/{id}/cluster")) { (m.stands_for.replace("{n}", &size.to_string())) } }
                }
            }
        }
        Fate::Dropped { row, .. } => html! {
            p.verdict.fell { strong { (m.is_dropped) } " " code { (text(row, "stage")) "/" (text(row, "reason")) } (measured(m, row)) }
            @if !text(row, "duplicate_of").is_empty() {
                p { (m.repeats) " " a href=(format!("/document/{}", text(row, "duplicate_of"))) { code { (text(row, "duplicate_of")) } }
                    @if !text(row, "duplicate_in").is_empty() { " (" code { (text(row, "duplicate_in")) } ")" }
                    @if let Some(share) = row.get("jaccard").and_then(Value::as_f64) { ", " (m.similarity) " " (format!("{share:.2}")) } }
            }
        },
    }
}

/// The value that a stage found, and its limit.
fn measured(m: &Messages, row: &Map<String, Value>) -> Markup {
    let number = |name: &str| row.get(name).filter(|value| value.is_number()).map(Value::to_string);
    html! {
        @if let Some(value) = number("value") {
            "; " (m.value) " " (value)
            @if let Some(limit) = number("limit") { ", " (m.limit) " " (limit) }
        }
    }
}

fn the_text(m: &Messages, row: &Map<String, Value>) -> Markup {
    let whole = text(row, "text");
    let shown = &whole[..whole.floor_char_boundary(TEXT_BYTES_MAX)];
    html! {
        div.text tabindex="0" role="group" aria-label=(m.text) dir="auto" lang=[tag_of(row)] {
            @for line in shown.split('\n').filter(|line| !line.trim().is_empty()) { p dir="auto" { (line) } }
            @if whole.trim().is_empty() { p.empty { (m.no_text) } }
        }
        @if shown.len() < whole.len() { p.note { (m.text_cut) } }
    }
}

/// Names and values, without those that are not there.
fn facts<'a>(caption: &str, rows: impl Iterator<Item = (String, &'a Value)>) -> Markup {
    let cell = |value: &Value| html! { bdi { (plain_value(value)) } };
    let rows = rows.filter(|(_, value)| !value.is_null());
    let lines: Vec<Vec<Markup>> = rows.map(|(name, value)| vec![html! { code { (name) } }, cell(value)]).collect();
    html! { div.facts { (plain(caption, &["", ""], 9, &lines)) } }
}

/// All lines of the page, with those marked that are not in the text.
fn the_page(m: &Messages, row: &Map<String, Value>, lines: Option<&[Line]>) -> Markup {
    let Some(lines) = lines else { return html! {} };
    let count = |is: Is| lines.iter().filter(|line| line.is == is).count().to_string();
    let mut bytes = 0;
    let shown: Vec<&Line> = lines
        .iter()
        .take_while(|line| {
            bytes += line.line.len();
            bytes <= TEXT_BYTES_MAX
        })
        .collect();
    html! {
        details.cuts {
            summary { (m.cuts.replace("{cut}", &count(Is::Cut)).replace("{kept}", &count(Is::Kept))) }
            div.text tabindex="0" role="group" aria-label=(m.cuts_label) dir="auto" lang=[tag_of(row)] {
                @for Line { is, line } in &shown {
                    @match is {
                        Is::Kept => p dir="auto" { (line) },
                        Is::Cut => p.cut dir="auto" { del { (line) } },
                        Is::Written => p.written dir="auto" { ins { (line) } },
                    }
                }
            }
            @if shown.len() < lines.len() { p.note { (m.text_cut) } }
        }
    }
}

/// The stages of the recipe in their order: which ones the document passed and what they measured, where it fell, which ones never saw it.
fn trail(m: &Messages, steps: &[Step]) -> Markup {
    html! {
        ol.trail {
            @for Step { stage, outcome, measured } in steps {
                @let (told, class) = match outcome {
                    Outcome::Passed => (m.passed, "kept"),
                    Outcome::Fell => (m.fell_here, "fell"),
                    Outcome::NotReached => (m.not_reached, "unseen"),
                };
                li.(class) {
                    code { (stage) } " " span { (told) }
                    @if !measured.is_empty() {
                        ul.measured { @for (name, value) in measured { li { code { (name) } " " bdi { (plain_value(value)) } } } }
                    }
                }
            }
        }
    }
}

fn plain_value(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
