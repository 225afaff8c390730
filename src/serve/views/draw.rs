//! Documents drawn by chance: of a language or host, and where a signal of quality lies within bounds. The seed stands in the address, so a
//! draw can be shown to somebody else.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Query, State};
use maud::{Markup, html};
use serde::Deserialize;

use super::layout::{Tab, page};
use super::overview::about_set;
use super::search::{languages, patience, result};
use super::{Page, path_with};
use crate::columns::DOCUMENT;
use crate::inspect::sample::{Bound, Wish};
use crate::inspect::search::Question;
use crate::serve::failure::Failure;
use crate::serve::house::House;
use crate::serve::messages::Messages;
use crate::serve::shelf::Set;
use crate::serve::visit::Me;
use crate::size::grouped;

/// Documents of one draw.
const DRAWN_MAX: usize = 50;

/// Every signal that a document may have.
fn signals() -> Vec<&'static str> {
    DOCUMENT.fields_of("quality")
}

/// What is drawn.
#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    set: String,
    #[serde(default)]
    lang: String,
    #[serde(default)]
    host: String,
    #[serde(default)]
    signal: String,
    #[serde(default)]
    least: String,
    #[serde(default)]
    most: String,
    #[serde(default)]
    n: String,
    #[serde(default)]
    seed: String,
}

impl Asked {
    fn documents(&self) -> Option<usize> {
        if self.n.is_empty() { Some(10) } else { self.n.trim().parse().ok().map(|n: usize| n.clamp(1, DRAWN_MAX)) }
    }

    fn seed(&self) -> Option<u64> {
        if self.seed.is_empty() { Some(1) } else { self.seed.trim().parse().ok() }
    }

    /// What the visitor wishes; none where a field makes no sense.
    fn wish(&self) -> Option<Wish> {
        let signal = self.signal.trim().trim_start_matches("quality.");
        if !(signal.is_empty() || signals().contains(&signal)) {
            return None;
        }
        let bound = |text: &str| -> Option<Vec<Bound>> {
            match text.trim() {
                "" => Some(Vec::new()),
                text => Some(vec![(signal.to_owned(), text.replace(',', ".").parse().ok()?)]),
            }
        };
        let (at_least, at_most) = (bound(&self.least)?, bound(&self.most)?);
        if signal.is_empty() && !(at_least.is_empty() && at_most.is_empty()) {
            return None;
        }
        let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        Some(Wish {
            documents: self.documents()?,
            seed: self.seed()?,
            lang: given(&self.lang),
            host: given(&self.host.to_lowercase()),
            at_least,
            at_most,
            ..Wish::default()
        })
    }

    fn with_seed(&self, seed: u64) -> String {
        let (seed, n) = (seed.to_string(), self.documents().unwrap_or_default().to_string());
        let fields = [("set", &self.set), ("lang", &self.lang), ("host", &self.host), ("signal", &self.signal), ("least", &self.least)];
        let fields = fields.into_iter().chain([("most", &self.most), ("n", &n), ("seed", &seed)]);
        path_with("/draw", &fields.map(|(name, value)| (name, value.as_str())).collect::<Vec<_>>())
    }
}

pub(super) async fn draw(State(house): State<Arc<House>>, Extension(visit): Me, Query(asked): Query<Asked>) -> Page {
    house.audit.note(&visit, "draw", &format!("{} {} {}", asked.lang, asked.host, asked.signal))?;
    house
        .look(move |house| {
            let snapshot = house.snapshot()?;
            let m = visit.m;
            let body = about_set(m, &snapshot, &asked.set, ("/draw", m.draw_some), |name, set| {
                Ok(html! { (form(m, name, set, &asked)) (drawn(m, set, &asked)?) })
            })?;
            Ok(page(&visit, Tab::Search, m.draw_some, &body))
        })
        .await
}

fn form(m: &Messages, name: &str, set: &Set, asked: &Asked) -> Markup {
    let number = |id: &'static str, label: &str, value: &str, mode: &str| {
        html! { div { label for=(id) { (label) } input id=(id) type="text" inputmode=(mode) name=(id) value=(value) maxlength="30" size="8"; } }
    };
    html! {
        form.search.draw method="get" action="/draw" {
            input type="hidden" name="set" value=(name);
            (languages(m, set, &asked.lang))
            div {
                label for="host" { (m.host) }
                input #host type="text" name="host" value=(asked.host) autocapitalize="none" spellcheck="false" maxlength="253";
            }
            div {
                label for="signal" { (m.signal) }
                select #signal name="signal" {
                    option value="" { "–" }
                    @for signal in signals() { option value=(signal) selected[signal == asked.signal] { (signal) } }
                }
            }
            (number("least", m.draw_least, &asked.least, "decimal"))
            (number("most", m.draw_most, &asked.most, "decimal"))
            (number("n", m.draw_number, &asked.documents().map_or(asked.n.clone(), |n| n.to_string()), "numeric"))
            (number("seed", m.draw_seed, &asked.seed().map_or(asked.seed.clone(), |seed| seed.to_string()), "numeric"))
            button type="submit" { (m.draw) }
        }
    }
}

fn drawn(m: &Messages, set: &Set, asked: &Asked) -> Result<Markup, Failure> {
    let Some(wish) = asked.wish() else { return Ok(html! { p.note role="alert" { (m.draw_wrong) } }) };
    let draw = set.dataset.draw(&wish, &mut patience())?;
    let (seen, of) = draw.groups;
    let none = Question::default();
    Ok(html! {
        h2 { (m.documents) }
        @if draw.rows.is_empty() { p.empty role="status" { (m.none_found) } }
        ol.results data-keys="results" {
            @for row in &draw.rows {
                li { (result(m, &none, row))
                    @if let Some(value) = row.get("quality").and_then(|quality| quality.get(&asked.signal)).filter(|value| value.is_number()) {
                        p.facts { span { code { (asked.signal) } " " (value) } }
                    } }
            }
        }
        @if seen < of { p role="status" { (m.draw_cut.replace("{seen}", &grouped(seen as u64)).replace("{of}", &grouped(of as u64))) } }
        nav.pages aria-label=(m.more_results) { a.next href=(asked.with_seed(wish.seed.wrapping_add(1))) { (m.draw_others) } }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(fields: &[(&str, &str)]) -> Asked {
        serde_json::from_value(fields.iter().map(|(name, value)| (*name, *value)).collect::<serde_json::Value>()).expect("fields")
    }

    #[test]
    fn a_draw_without_fields_is_ten_documents_of_seed_one() {
        let wish = asked(&[]).wish().expect("a wish");
        assert_eq!((wish.documents, wish.seed, wish.lang, wish.at_most.len()), (10, 1, None, 0));
    }

    #[test]
    fn bounds_are_of_a_signal_that_there_is() {
        let wish = asked(&[("signal", "words"), ("most", "80,5"), ("n", "500"), ("lang", "cs")]).wish().expect("a wish");
        assert_eq!((wish.documents, wish.at_most, wish.at_least), (DRAWN_MAX, vec![("words".to_owned(), 80.5)], Vec::new()));
        for wrong in [
            &[("most", "3")][..],
            &[("signal", "wrds"), ("most", "3")],
            &[("signal", "words"), ("least", "many")],
            &[("seed", "-1")],
            &[("n", "x")],
        ] {
            assert!(asked(wrong).wish().is_none(), "{wrong:?}");
        }
    }

    #[test]
    fn a_draw_can_be_shown_to_somebody_else() {
        let path = asked(&[("lang", "cs"), ("signal", "words"), ("most", "80")]).with_seed(2);
        assert_eq!(path, "/draw?lang=cs&signal=words&most=80&n=10&seed=2");
    }
}
