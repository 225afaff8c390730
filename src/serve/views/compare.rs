//! Two nights side by side: languages, reasons, and what changed in the recipe.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Extension;
use axum::extract::{Query, State};
use maud::{Markup, html};
use serde::Deserialize;

use super::Page;
use super::bars::plain;
use super::layout::{Tab, page, section};
use super::overview::about_set;
use super::recipes::plan_of;
use crate::inspect::diff::{Pair, diff};
use crate::serve::failure::Failure;
use crate::serve::house::House;
use crate::serve::messages::Messages;
use crate::serve::shelf::{Night, Set, Snapshot};
use crate::serve::visit::Me;
use crate::size::grouped;

/// Which nights, by number; the last two without.
#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    set: String,
    #[serde(default)]
    a: String,
    #[serde(default)]
    b: String,
}

pub(super) async fn compare(State(house): State<Arc<House>>, Extension(visit): Me, Query(asked): Query<Asked>) -> Page {
    house.audit.note(&visit, "compare", "")?;
    house
        .look(move |house| {
            let (snapshot, m) = (house.snapshot()?, visit.m);
            let body =
                about_set(m, &snapshot, &asked.set, ("/compare", m.compare), |name, set| of_set(house, m, &snapshot, name, set, &asked))?;
            Ok(page(&visit, Tab::Compare, m.compare, &body))
        })
        .await
}

fn of_set(house: &House, m: &Messages, snapshot: &Snapshot, name: &str, set: &Set, asked: &Asked) -> Result<Markup, Failure> {
    let count = set.nights.len();
    let night = |asked: &str, or: usize| -> Result<Option<&Night>, Failure> {
        let number = if asked.is_empty() { or } else { asked.parse().map_err(|_| Failure::NotFound)? };
        Ok(set.nights.iter().find(|night| night.number == number))
    };
    let (Some(a), Some(b)) = (night(&asked.a, count.saturating_sub(1).max(1))?, night(&asked.b, count)?) else {
        return Err(Failure::NotFound);
    };
    let choice = |id: &str, label: &str, chosen: &Night| {
        html! {
            label for=(id) { (label) }
            select id=(id) name=(id) {
                @for night in set.nights.iter().rev() {
                    option value=(night.number) selected[night.number == chosen.number] { (night.number) " · " (night.when()) }
                }
            }
        }
    };
    let found = diff(&a.ledger, &b.ledger);
    let sums = [(m.read, found.read), (m.kept, found.kept), (m.tokens, found.tokens), (m.input_bytes, found.input_bytes)];
    let languages = found.languages.iter().map(|(lang, share)| (lang.as_str(), share.documents));
    let reasons = found.dropped.iter().map(|(reason, pair)| (reason.as_str(), *pair));
    Ok(html! {
        form.inline method="get" action="/compare" {
            input type="hidden" name="set" value=(name);
            (choice("a", m.one_night, a)) (choice("b", m.other_night, b))
            button type="submit" { (m.compare) }
        }
        @if count < 2 { p.note { (m.one_night_only) } }
        (section("sums", m.sums, &table(m, m.sums, m.what, sums.into_iter())))
        (section("languages", m.languages, &table(m, m.languages, m.language, languages)))
        (section("reasons", m.reasons, &table(m, m.reasons, m.reason, reasons)))
        (section("recipe", m.recipe, &recipes(house, m, snapshot, a, b)?))
    })
}

/// Counts of two nights under the same names, with what changed.
fn table<'a>(m: &Messages, caption: &str, head: &str, counts: impl Iterator<Item = (&'a str, Pair)>) -> Markup {
    let line = |(name, [was, is]): (&str, Pair)| vec![html! { (name) }, html! { (grouped(was)) }, html! { (grouped(is)) }, change(was, is)];
    let lines: Vec<Vec<Markup>> = counts.map(line).collect();
    plain(caption, &[head, m.one_night, m.other_night, m.change], 1, &lines)
}

fn change(was: u64, is: u64) -> Markup {
    let sign = match is.cmp(&was) {
        std::cmp::Ordering::Less => "−",
        std::cmp::Ordering::Equal => "",
        std::cmp::Ordering::Greater => "+",
    };
    let share = if was == 0 { String::new() } else { format!(" ({sign}{:.1} %)", is.abs_diff(was) as f64 * 100.0 / was as f64) };
    html! { (sign) (grouped(is.abs_diff(was))) @if !share.is_empty() && was != is { small { (share) } } }
}

/// Lines of the canonical recipe that only one of them has.
fn recipes(house: &House, m: &Messages, snapshot: &Snapshot, a: &Night, b: &Night) -> Result<Markup, Failure> {
    if a.ledger.recipe_hash == b.ledger.recipe_hash {
        return Ok(html! { p { (m.same_recipe) } });
    }
    let (one, other) = (plan_of(house, snapshot, &a.ledger.plan)?.recipe, plan_of(house, snapshot, &b.ledger.plan)?.recipe);
    let lines = |text: &str| -> BTreeSet<String> { text.lines().map(str::to_owned).collect() };
    let (in_one, in_other) = (lines(&one), lines(&other));
    let only = |text: &str, without: &BTreeSet<String>| -> Vec<String> {
        text.lines().filter(|line| !without.contains(*line) && !line.trim().is_empty()).map(str::to_owned).collect()
    };
    Ok(html! {
        h3 { (m.only_in) " " (m.one_night) }
        pre tabindex="0" { code { (only(&one, &in_other).join("\n")) } }
        h3 { (m.only_in) " " (m.other_night) }
        pre tabindex="0" { code { (only(&other, &in_one).join("\n")) } }
    })
}
