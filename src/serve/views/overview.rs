//! The overview of a data set: what is in it, what became of what was read, and what was counted of the shards.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Extension;
use axum::extract::{Query, State};
use maud::{Markup, html};
use serde::Deserialize;

use super::bars::{Line, plain, table};
use super::layout::{Tab, page, section};
use super::{Page, live, path_with, signals};
use crate::ledger::tally::Tally;
use crate::report::{funnel_of, largest_first};
use crate::serve::counted::Told;
use crate::serve::failure::Failure;
use crate::serve::house::House;
use crate::serve::messages::Messages;
use crate::serve::shelf::{Set, Snapshot};
use crate::serve::visit::{Me, Visit};
use crate::size::{ByteSize, grouped};

/// Lines that a table shows before it says how many more there are.
const LINES_MAX: usize = 30;
/// Nights that stand beside one another.
const NIGHTS_MAX: usize = 6;
/// Languages that stand there.
const LANGUAGES_MAX: usize = 12;

/// Which data set, and which language of it for what was counted.
#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    set: String,
    #[serde(default)]
    lang: String,
}

pub(super) async fn overview(State(house): State<Arc<House>>, Extension(visit): Me, Query(asked): Query<Asked>) -> Page {
    house.audit.note(&visit, "overview", "")?;
    let asker = Arc::clone(&visit);
    house
        .look(move |house| {
            let snapshot = house.snapshot()?;
            let m = asker.m;
            let running = house.running.borrow().clone();
            let body = html! {
                h1 { (m.overview) }
                (notes(m, &snapshot))
                (live::now(m, running.as_deref()))
                @match choose(&snapshot, &asked.set)? {
                    None => p.empty { (m.nothing_published) },
                    Some((name, set)) => {
                        (chooser(m, &snapshot, "/", name))
                        (of_set(house, &asker, name, set, &asked.lang))
                    }
                }
            };
            Ok(page(&asker, Tab::Overview, m.overview, &body))
        })
        .await
}

/// The data set that was asked for, or the first one.
pub(super) fn choose<'a>(snapshot: &'a Snapshot, asked: &str) -> Result<Option<(&'a str, &'a Set)>, Failure> {
    let mut sets = snapshot.sets.iter().map(|(name, set)| (name.as_str(), set));
    if asked.is_empty() { Ok(sets.next()) } else { sets.find(|(name, _)| *name == asked).map(Some).ok_or(Failure::NotFound) }
}

/// A page about one data set: its title, what is not as it should be, the ways to the other data sets, and what `of_set` has of the one
/// that was asked for.
pub(super) fn about_set(
    m: &Messages,
    snapshot: &Snapshot,
    asked: &str,
    (path, title): (&str, &str),
    of_set: impl FnOnce(&str, &Set) -> Result<Markup, Failure>,
) -> Result<Markup, Failure> {
    Ok(html! {
        h1 { (title) }
        (notes(m, snapshot))
        @match choose(snapshot, asked)? {
            None => p.empty { (m.nothing_published) },
            Some((name, set)) => {
                (chooser(m, snapshot, path, name))
                (of_set(name, set)?)
            }
        }
    })
}

/// What is not as it should be in the workspace.
pub(super) fn notes(m: &Messages, snapshot: &Snapshot) -> Markup {
    html! { @if !snapshot.unapplied.is_empty() { p.note role="note" { (m.half_published) } } }
}

/// Links to the other data sets, where there are some.
pub(super) fn chooser(m: &Messages, snapshot: &Snapshot, path: &str, here: &str) -> Markup {
    html! {
        @if snapshot.sets.len() > 1 {
            nav.sets aria-label=(m.data_set) { ul {
                @for name in snapshot.sets.keys() {
                    li { a href=(path_with(path, &[("set", name)])) aria-current=[(name == here).then_some("true")] { (name) } }
                }
            } }
        } @else {
            p.set { (m.data_set) ": " strong { (here) } }
        }
    }
}

fn of_set(house: &House, visit: &Visit, name: &str, set: &Set, lang: &str) -> Markup {
    let (m, tally) = (visit.m, set.tally());
    let counted = house.counted.told(name, lang);
    html! {
        (figures(m, set, &tally))
        (section("languages", m.languages, &languages(m, name, &tally)))
        (section("nights", m.nights, &nights(m, set)))
        (section("funnel", m.funnel, &funnel(m, &tally)))
        (section("reasons", m.reasons, &reasons(m, &tally)))
        @match counted {
            None => section aria-labelledby="counting" { h2 #counting { (m.counting) } p { (still_counting(m, house.counted.progress())) } },
            Some(told) => {
                form.inline method="get" action="/" {
                    input type="hidden" name="set" value=(name);
                    label for="lang" { (m.counted_in) }
                    select #lang name="lang" {
                        option value="" { (m.all_languages) }
                        @for tag in tally.languages.keys() { option value=(tag) selected[tag == lang] { (tag) } }
                    }
                    button type="submit" { (m.show) }
                }
                (section("hosts", m.hosts, &hosts(m, name, lang, &told)))
                (section("clusters", m.clusters, &clusters(m, &told)))
                (section("signals", m.signals, &signals::all(m, &told.signals)))
            }
        }
    }
}

fn still_counting(m: &Messages, (done, of): (usize, usize)) -> String {
    m.counting_told.replace("{n}", &grouped(done as u64)).replace("{of}", &grouped(of as u64))
}

fn figures(m: &Messages, set: &Set, tally: &Tally) -> Markup {
    let share = if tally.read == 0 { 0.0 } else { tally.kept as f64 * 100.0 / tally.read as f64 };
    let text: u64 = tally.languages.values().map(|share| share.text_bytes).sum();
    html! {
        dl.figures {
            div { dt { (m.documents) } dd { (grouped(tally.kept)) } }
            div { dt { (m.tokens) } dd { (grouped(tally.tokens())) } }
            div { dt { (m.text) } dd { (ByteSize(text)) } }
            div { dt { (m.languages) } dd { (tally.languages.len()) } }
            div { dt { (m.nights) } dd { (grouped(set.nights.len() as u64)) } }
            div { dt { (m.shards) } dd { (grouped(set.shards as u64)) small { " " (ByteSize(set.bytes)) } } }
            div { dt { (m.read) } dd { (grouped(tally.read)) } }
            div { dt { (m.kept) } dd { (format!("{share:.1} %")) } }
        }
    }
}

fn languages(m: &Messages, set: &str, tally: &Tally) -> Markup {
    let mut sorted: Vec<_> = tally.languages.iter().collect();
    sorted.sort_by_key(|(lang, share)| (Reverse(share.documents), lang.as_str()));
    let line = |(lang, share): &(&String, &crate::ledger::tally::Share)| Line {
        label: html! { a href=(path_with("/search", &[("set", set), ("lang", lang)])) { (lang) } },
        count: share.documents,
        more: vec![grouped(share.tokens), ByteSize(share.text_bytes).to_string()],
    };
    let lines: Vec<Line> = sorted.iter().map(line).collect();
    folded(m, m.languages_caption, &[m.language, m.documents, m.tokens, m.text], "kept", lines)
}

/// A table of bars whose smallest lines are folded away.
fn folded(m: &Messages, caption: &str, heads: &[&str], kind: &str, mut lines: Vec<Line>) -> Markup {
    let rest = lines.split_off(lines.len().min(LINES_MAX));
    html! {
        (table(caption, heads, kind, &lines))
        @if !rest.is_empty() {
            details {
                summary { (m.more_lines.replace("{n}", &grouped(rest.len() as u64))) }
                (table(caption, heads, kind, &rest))
            }
        }
    }
}

fn nights(m: &Messages, set: &Set) -> Markup {
    let lines = set.nights.iter().rev().map(|night| {
        let total = night.ledger.total();
        Line {
            label: html! { (night.number) " · " (night.when()) },
            count: total.kept,
            more: vec![grouped(total.tokens()), grouped(total.read), grouped(night.ledger.shards.len() as u64)],
        }
    });
    html! {
        (folded(m, m.nights_caption, &[m.night, m.kept, m.tokens, m.read, m.shards], "kept", lines.collect()))
        @if set.nights.len() > 1 { (by_language_and_night(m, set)) }
    }
}

fn by_language_and_night(m: &Messages, set: &Set) -> Markup {
    let shown: Vec<_> = set.nights.iter().rev().take(NIGHTS_MAX).map(|night| (night, night.ledger.total())).collect();
    let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
    for (lang, share) in shown.iter().flat_map(|(_, total)| &total.languages) {
        *sums.entry(lang).or_default() += share.documents;
    }
    let mut langs: Vec<(&str, u64)> = sums.into_iter().collect();
    langs.sort_by_key(|(lang, count)| (Reverse(*count), *lang));
    let heads: Vec<String> = shown.iter().map(|(night, _)| format!("{} {}", m.night, night.number)).collect();
    let heads: Vec<&str> = std::iter::once(m.language).chain(heads.iter().map(String::as_str)).collect();
    let cell = |total: &Tally, lang: &str| {
        let share = total.languages.get(lang).copied().unwrap_or_default();
        html! { (grouped(share.documents)) br; small { (grouped(share.tokens)) } }
    };
    let line = |(lang, _): &(&str, u64)| {
        let cells = shown.iter().map(|(_, total)| cell(total, lang));
        std::iter::once(html! { (lang) }).chain(cells).collect()
    };
    let lines: Vec<Vec<Markup>> = langs.iter().take(LANGUAGES_MAX).map(line).collect();
    plain(m.by_language_and_night, &heads, 1, &lines)
}

fn funnel(m: &Messages, tally: &Tally) -> Markup {
    let name = |stage: Option<&str>| match stage {
        None => html! { (m.read) },
        Some(stage) => html! { (m.after) " " code { (stage) } },
    };
    let lines: Vec<Line> = funnel_of(tally).into_iter().map(|(stage, left)| Line::new(name(stage), left)).collect();
    table(m.funnel_caption, &[m.stage, m.documents], "kept", &lines)
}

fn reasons(m: &Messages, tally: &Tally) -> Markup {
    let all =
        tally.dropped.iter().flat_map(|(stage, reasons)| reasons.iter().map(move |(reason, count)| (format!("{stage}/{reason}"), *count)));
    let lines = largest_first(all).into_iter().map(|(reason, count)| Line::new(html! { code { (reason) } }, count)).collect();
    folded(m, m.reasons_caption, &[m.reason, m.documents], "fell", lines)
}

fn hosts(m: &Messages, set: &str, lang: &str, told: &Told) -> Markup {
    let link = |host: &str| path_with("/search", &[("set", set), ("lang", lang), ("host", host)]);
    let line = |(host, count): &(String, u64)| Line::new(html! { a href=(link(host)) { bdi { (host) } } }, *count);
    let lines: Vec<Line> = told.hosts.iter().map(line).collect();
    let of = m.hosts_told.replace("{n}", &grouped(told.hosts_of as u64)).replace("{of}", &grouped(told.documents));
    html! {
        p { (of) @if told.hosts_left_out > 0 { " " (m.hosts_left_out.replace("{n}", &grouped(told.hosts_left_out))) } }
        (table(m.hosts_caption, &[m.host, m.documents], "size", &lines))
    }
}

fn clusters(m: &Messages, told: &Told) -> Markup {
    let classes = crate::inspect::signals::CLUSTERS.iter().zip(told.clusters);
    let name = |(from, to): (u32, u32)| match to {
        u32::MAX => format!("{from}+"),
        to if to == from => from.to_string(),
        to => format!("{from}–{to}"),
    };
    let lines: Vec<Line> = classes.map(|(class, count)| Line::new(html! { (name(*class)) }, count)).collect();
    html! {
        (table(m.clusters_caption, &[m.cluster_size, m.clusters], "size", &lines))
        @if !told.largest.is_empty() {
            h3 { (m.largest_clusters) }
            ol.plain { @for (size, id) in &told.largest {
                li { a href=(format!("/document/{id}/cluster")) { code { (id) } } ": " (grouped(u64::from(*size))) " " (m.documents) }
            } }
        }
    }
}
