//! A plan that waits: what it would erase, and the decision of a second officer; and how a search or an erasure goes on.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Form};
use maud::{Markup, html};
use serde::Deserialize;

use super::bars::plain;
use super::layout::{Tab, csrf, page, section};
use super::search::{text, title_of};
use super::{Page, go_to};
use crate::inspect::find::Name;
use crate::serve::console::{Job, Outcome, Pending, begin_apply};
use crate::serve::failure::Failure;
use crate::serve::house::House;
use crate::serve::messages::Messages;
use crate::serve::visit::{Me, Visit};
use crate::size::{ByteSize, grouped};
use crate::takedown::stores::Store;
use crate::takedown::survey::Failure as Unerased;

/// Documents that a page shows.
const DOCUMENTS_SHOWN: usize = 50;

pub(super) async fn job(State(house): State<Arc<House>>, Extension(visit): Me, Path(number): Path<u64>) -> Result<Response, Failure> {
    visit.must_be_officer()?;
    let job = house.console.job(number).ok_or(Failure::NotFound)?;
    Ok(match job.outcome() {
        Some(Outcome::Planned(hash)) => go_to(&format!("/takedown/pending/{hash}")),
        Some(Outcome::Erased(number)) => go_to(&format!("/takedown/receipt/{number}")),
        Some(outcome) => ended(&visit, &job, &outcome).into_response(),
        None => under_way(&visit, &job).into_response(),
    })
}

fn under_way(visit: &Visit, job: &Job) -> Markup {
    let (m, (read, of)) = (visit.m, job.progress());
    let title = if job.plan.is_some() { m.erasing } else { m.searching };
    let body = html! {
        h1 { (title) }
        p role="status" data-again { (m.under_way_told) }
        @if of > 0 { p { progress max=(of) value=(read) aria-label=(title) {} " " span.done { (ByteSize(read)) " " (m.of) " " (ByteSize(of)) } } }
        p { a href=(visit.path) { (m.look_again) } }
    };
    page(visit, Tab::Takedown, title, &body)
}

fn ended(visit: &Visit, job: &Job, outcome: &Outcome) -> Markup {
    let m = visit.m;
    let body = html! {
        h1 { (m.not_done) }
        @match outcome {
            Outcome::Failed(why) => { p role="alert" { (m.failed_told) } p.quote { (why) } },
            Outcome::Partly(failures) => { p role="alert" { (m.partly_told) } (unerased(m, failures)) },
            Outcome::Planned(_) | Outcome::Erased(_) => {},
        }
        @if let Some(plan) = &job.plan { p { a href=(format!("/takedown/pending/{plan}")) { (m.back_to_plan) } } }
        p { a href="/takedown" { (m.takedowns) } }
    };
    page(visit, Tab::Takedown, m.not_done, &body)
}

fn unerased(m: &Messages, failures: &[Unerased]) -> Markup {
    let line = |failure: &Unerased| vec![html! { code { (failure.path) } }, html! { (failure.store.name()) }, html! { (failure.why) }];
    plain(m.unerased_files, &[m.file, m.store, m.reason], 9, &failures.iter().map(line).collect::<Vec<_>>())
}

pub(super) async fn pending(State(house): State<Arc<House>>, Extension(visit): Me, Path(hash): Path<String>) -> Page {
    visit.must_be_officer()?;
    house.audit.note(&visit, "preview", &hash)?;
    house.look(move |house| {
        let (m, waiting) = (visit.m, house.console.plan(&hash)?);
        let is_running = house.console.job_of(&hash).is_some_and(|job| job.outcome().is_none());
        let body = html! {
            h1 { (m.plan) }
            (told(m, &waiting))
            (section("decision", m.decision, &html! {
                @if is_running { p role="status" data-again { (m.erasing) } p { a href=(visit.path) { (m.look_again) } } } @else { (decision(&visit, &waiting)) }
            }))
            @if !waiting.plan.failures.is_empty() { (section("failures", m.unerased_files, &unerased(m, &waiting.plan.failures))) }
            (section("stores", m.stores, &stores(m, &waiting)))
            (section("hosts", m.hosts, &counts(m, m.hosts, m.host, waiting.plan.hosts.iter().map(|(host, count)| (host.as_str(), *count)))))
            (section("languages", m.languages, &counts(m, m.languages, m.language, waiting.plan.languages.iter().map(|(lang, count)| (lang.as_str(), *count)))))
            (section("documents", m.documents, &documents(house, m, &waiting)?))
        };
        Ok(page(&visit, Tab::Takedown, m.plan, &body))
    })
    .await
}

fn told(m: &Messages, waiting: &Pending) -> Markup {
    let plan = &waiting.plan;
    html! {
        dl.figures {
            div { dt { (m.documents) } dd { (grouped(plan.documents)) small { " " (m.of) " " (grouped(plan.documents_of)) } } }
            div { dt { (m.files) } dd { (grouped(plan.files.len() as u64)) } }
            div { dt { (m.about_time) } dd { (format!("{:.1} s", plan.effort.ms as f64 / 1e3)) } }
            div { dt { (m.reason) } dd { (plan.reason) } }
            div { dt { (m.received) } dd { (plan.received) } }
            div { dt { (m.made_by) } dd { (waiting.made.by) } }
        }
        p { (m.plan_hash) " " code.hash { (plan.hash) } @if let Some(day) = &plan.expires { ", " (m.expires) " " (day) } }
        @if plan.files.is_empty() { p.note role="note" { (m.nothing_to_erase) } }
        @if plan.is_large() { p.note role="note" { (m.large_told) } }
    }
}

/// Forms for who may decide; the maker of a plan can only withdraw it.
fn decision(visit: &Visit, waiting: &Pending) -> Markup {
    let (m, hash) = (visit.m, &waiting.plan.hash);
    let is_own = waiting.made.by == visit.visitor.name;
    html! {
        @if is_own { p { (m.own_told) } } @else {
            form.stacked method="post" action=(format!("/takedown/pending/{hash}/approve")) {
                (csrf(visit))
                @if waiting.plan.is_large() { label.check { input type="checkbox" name="large" value="yes" required; " " (m.large_meant) } }
                label.check { input type="checkbox" name="sure" value="yes" required; " " (m.looked_at_plan) }
                button.danger type="submit" { (m.approve_and_erase) }
            }
        }
        form.stacked method="post" action=(format!("/takedown/pending/{hash}/withdraw")) {
            (csrf(visit))
            button.quiet type="submit" { (m.withdraw) }
        }
    }
}

fn stores(m: &Messages, waiting: &Pending) -> Markup {
    let line = |store: Store| {
        let files: Vec<_> = waiting.plan.files.iter().filter(|file| file.store == store).collect();
        let (count, bytes) = (files.iter().map(|file| file.count).sum(), files.iter().map(|file| file.bytes).sum());
        let cells = vec![html! { (store.name()) }, html! { (grouped(count)) }, html! { (files.len()) }, html! { (ByteSize(bytes)) }];
        (!files.is_empty()).then_some(cells)
    };
    let lines: Vec<Vec<Markup>> = Store::ALL.into_iter().filter_map(line).collect();
    plain(m.stores, &[m.store, m.entries, m.files, m.size], 1, &lines)
}

fn counts<'a>(m: &Messages, caption: &str, head: &str, counts: impl Iterator<Item = (&'a str, u64)>) -> Markup {
    let mut counts: Vec<(&str, u64)> = counts.collect();
    counts.sort_by_key(|(name, count)| (std::cmp::Reverse(*count), *name));
    let line = |(name, count): &(&str, u64)| vec![html! { bdi { (name) } }, html! { (grouped(*count)) }];
    let lines: Vec<Vec<Markup>> = counts.iter().take(DOCUMENTS_SHOWN).map(line).collect();
    plain(caption, &[head, m.documents], 1, &lines)
}

/// Some of the documents that would go, as they stand now.
fn documents(house: &House, m: &Messages, waiting: &Pending) -> Result<Markup, Failure> {
    let snapshot = house.snapshot()?;
    let mut lines: Vec<Vec<Markup>> = Vec::new();
    for id in waiting.plan.targets.ids.iter().take(DOCUMENTS_SHOWN) {
        for set in snapshot.sets.values() {
            if let Some((_, row)) = set.dataset.published(&Name::Id(*id))? {
                let title = html! { a href=(format!("/document/{id}")) { bdi { (title_of(&row)) } } };
                lines.push(vec![title, html! { bdi { (text(&row, "url")) } }]);
            }
        }
    }
    let more = waiting.plan.targets.ids.len().saturating_sub(DOCUMENTS_SHOWN);
    Ok(html! {
        @if lines.is_empty() { p.empty { (m.none_found) } } @else { (plain(m.documents_that_go, &[m.document, m.address], 9, &lines)) }
        @if more > 0 { p { (m.more_lines.replace("{n}", &grouped(more as u64))) } }
    })
}

/// What the second officer says.
#[derive(Deserialize)]
pub(super) struct Decided {
    #[serde(default)]
    large: String,
    #[serde(default)]
    sure: String,
}

pub(super) async fn approve(
    State(house): State<Arc<House>>,
    Extension(visit): Me,
    Path(hash): Path<String>,
    Form(decided): Form<Decided>,
) -> Result<Response, Failure> {
    visit.must_be_officer()?;
    if decided.sure != "yes" {
        return Err(Failure::Wrong("say in the form that you looked at the plan".to_owned()));
    }
    house.audit.note(&visit, "approve", &hash)?;
    let number = begin_apply(&house, &hash, &visit.visitor.name, decided.large == "yes")?;
    Ok(go_to(&format!("/takedown/job/{number}")))
}

pub(super) async fn withdraw(State(house): State<Arc<House>>, Extension(visit): Me, Path(hash): Path<String>) -> Result<Response, Failure> {
    visit.must_be_officer()?;
    house.audit.note(&visit, "withdraw", &hash)?;
    if house.console.job_of(&hash).is_some_and(|job| job.outcome().is_none()) {
        return Err(Failure::Busy("this plan is being carried out".to_owned()));
    }
    house.console.forget(&hash)?;
    Ok(go_to("/takedown"))
}
