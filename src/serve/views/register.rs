//! The register of requests with its due dates, and receipts.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use axum::{Extension, Form};
use jiff::civil::Date;
use maud::{Markup, html};
use serde::Deserialize;

use super::bars::plain;
use super::layout::{Tab, csrf, page, section, short};
use super::takedown::today;
use super::{Page, go_to};
use crate::ledger::receipt::{Receipt, Receipts};
use crate::serve::failure::Failure;
use crate::serve::house::House;
use crate::serve::messages::Messages;
use crate::serve::visit::{Me, Visit};
use crate::size::{ByteSize, grouped};
use crate::takedown::deadline::days_left;
use crate::takedown::register::{Entry, Register, RegisterError, State as How};

/// Receipts that the console shows.
const RECEIPTS_SHOWN: usize = 50;

/// Requests, the open ones with the least time first, and the form for a new one.
pub(super) fn table(visit: &Visit, register: &Register, today: Date) -> Markup {
    let m = visit.m;
    let mut entries: Vec<&Entry> = register.entries().iter().collect();
    entries.sort_by_key(|entry| {
        (entry.state != How::Open, if entry.state == How::Open { entry.due() } else { Date::MAX }, std::cmp::Reverse(entry.number))
    });
    let lines: Vec<Vec<Markup>> = entries.iter().map(|entry| line(visit, entry, today)).collect();
    html! {
        @if lines.is_empty() { p.empty { (m.no_requests) } }
        @else { (plain(m.requests, &[m.number, m.received, m.reason, m.reference, m.state, m.due, m.change], 9, &lines)) }
        details {
            summary { (m.enter_request) }
            form.stacked method="post" action="/takedown/register" {
                (csrf(visit))
                label for="new-received" { (m.received) }
                input #new-received type="date" name="received" value=(today) max=(today) required;
                label for="new-reason" { (m.reason) }
                input #new-reason name="reason" value="gdpr-17" maxlength="60" required;
                label for="new-reference" { (m.reference) }
                input #new-reference name="reference" maxlength="120" aria-describedby="reference-told";
                p #reference-told .hint { (m.reference_told) }
                button type="submit" { (m.enter_request) }
            }
        }
    }
}

fn line(visit: &Visit, entry: &Entry, today: Date) -> Vec<Markup> {
    let m = visit.m;
    let state = match &entry.state {
        How::Open => match days_left(entry.due(), today) {
            days @ 0.. => html! { (m.days_left.replace("{n}", &days.to_string())) },
            days => html! { strong.late { (m.overdue.replace("{n}", &(-days).to_string())) } },
        },
        How::Done { receipt, on } => {
            html! { (m.done_on) " " (on) ", " a href=(format!("/takedown/receipt/{receipt}")) { (m.receipt) " " (receipt) } }
        }
        How::Refused { why, on } => html! { (m.refused_on) " " (on) ": " (why) },
    };
    let change = html! { @if entry.state == How::Open { (change(visit, entry)) } };
    vec![
        html! { (entry.number) },
        html! { (entry.received) },
        html! { (entry.reason) },
        html! { bdi { (entry.reference.as_deref().unwrap_or_default()) } },
        state,
        html! { (entry.due()) @if entry.extended.is_some() { " " small { (m.extended) } } },
        change,
    ]
}

fn change(visit: &Visit, entry: &Entry) -> Markup {
    let (m, number) = (visit.m, entry.number);
    let form = |verb: &str, name: &str| {
        html! {
            form.inline method="post" action=(format!("/takedown/register/{number}/{verb}")) {
                (csrf(visit))
                label for=(format!("{verb}-{number}")) { (m.why) }
                input id=(format!("{verb}-{number}")) name="why" required maxlength="500";
                button.quiet type="submit" { (name) }
            }
        }
    };
    html! {
        details {
            summary { (m.change_request) " " (number) }
            @if entry.extended.is_none() { (form("extend", m.extend)) }
            (form("refuse", m.refuse))
        }
    }
}

/// What the form of a new request says.
#[derive(Deserialize)]
pub(super) struct New {
    received: String,
    reason: String,
    #[serde(default)]
    reference: String,
}

/// Why something is done.
#[derive(Deserialize)]
pub(super) struct Why {
    why: String,
}

/// What the register refuses is the officer's to mend, but for what the system refuses.
fn refused(error: RegisterError) -> Failure {
    match error {
        RegisterError::Store(_) | RegisterError::Damaged { .. } => Failure::from(error),
        other => Failure::Wrong(other.to_string()),
    }
}

/// Changes the register as nobody else does meanwhile.
fn change_register(house: &House, change: impl FnOnce(&mut Register) -> Result<(), RegisterError>) -> Result<Response, Failure> {
    let _one = house.console.register.lock();
    change(&mut Register::open(&house.settings.workspace)?).map_err(refused)?;
    Ok(go_to("/takedown"))
}

pub(super) async fn enter(State(house): State<Arc<House>>, Extension(visit): Me, Form(new): Form<New>) -> Result<Response, Failure> {
    visit.must_be_officer()?;
    house.audit.note(&visit, "request", &new.reference)?;
    let received: Date = new.received.parse().map_err(|_| Failure::Wrong(format!("`{}` is no day, as 2026-11-20", new.received)))?;
    let reference = Some(new.reference.trim().to_owned()).filter(|text| !text.is_empty());
    let today = today(&house);
    house
        .look(move |house| {
            change_register(house, |register| register.enter(received, new.reason.trim().to_owned(), reference, today).map(drop))
        })
        .await
}

pub(super) async fn extend(
    State(house): State<Arc<House>>,
    Extension(visit): Me,
    Path(number): Path<u64>,
    Form(why): Form<Why>,
) -> Result<Response, Failure> {
    visit.must_be_officer()?;
    house.audit.note(&visit, "extend", &number.to_string())?;
    let today = today(&house);
    house.look(move |house| change_register(house, |register| register.extend(number, why.why, today).map(drop))).await
}

pub(super) async fn refuse(
    State(house): State<Arc<House>>,
    Extension(visit): Me,
    Path(number): Path<u64>,
    Form(why): Form<Why>,
) -> Result<Response, Failure> {
    visit.must_be_officer()?;
    house.audit.note(&visit, "refuse", &number.to_string())?;
    let state = How::Refused { why: why.why, on: today(&house).to_string() };
    house.look(move |house| change_register(house, |register| register.end(number, state))).await
}

/// Receipts, the newest first.
pub(super) fn receipts(m: &Messages, receipts: &Receipts) -> Markup {
    let faults = receipts.faults();
    let line = |receipt: &Receipt| {
        vec![
            html! { a href=(format!("/takedown/receipt/{}", receipt.number)) { (m.receipt) " " (receipt.number) } },
            html! { (receipt.received) },
            html! { (receipt.finished) },
            html! { (receipt.reason) },
            html! { (grouped(receipt.documents)) },
        ]
    };
    let lines: Vec<Vec<Markup>> = receipts.all().iter().rev().take(RECEIPTS_SHOWN).map(line).collect();
    html! {
        @if lines.is_empty() { p.empty { (m.no_receipts) } } @else {
            @if faults.is_empty() { p { (m.receipts_hold) } }
            @else { p.note role="alert" { (m.receipts_broken) } ul { @for fault in &faults { li { (fault) } } } }
            (plain(m.receipts, &[m.receipt, m.received, m.finished, m.reason, m.documents], 4, &lines))
        }
    }
}

pub(super) async fn receipt(State(house): State<Arc<House>>, Extension(visit): Me, Path(number): Path<u64>) -> Page {
    visit.must_be_officer()?;
    house.audit.note(&visit, "receipt", &number.to_string())?;
    house
        .look(move |house| {
            let m = visit.m;
            let receipts = Receipts::open(&house.settings.workspace)?;
            let receipt = receipts.all().iter().find(|receipt| receipt.number == number).ok_or(Failure::NotFound)?;
            let title = format!("{} {number}", m.receipt);
            let stores = receipt.stores.iter().map(|(store, count)| {
                vec![
                    html! { (store) },
                    html! { (grouped(count.erased)) },
                    html! { (grouped(count.files)) },
                    html! { (ByteSize(count.bytes)) },
                ]
            });
            let files = receipt.files.iter().map(|file| vec![html! { code { (file.path) } }, short(&file.before), short(&file.after)]);
            let body = html! {
                h1 { (title) }
                p role="status" { (if receipt.is_signed() { m.signature_holds } else { m.signature_broken }) }
                dl.figures {
                    div { dt { (m.documents) } dd { (grouped(receipt.documents)) } }
                    div { dt { (m.files_searched) } dd { (grouped(receipt.files_searched)) } }
                    div { dt { (m.reason) } dd { (receipt.reason) } }
                    div { dt { (m.received) } dd { (receipt.received) } }
                    div { dt { (m.finished) } dd { (receipt.finished) } }
                }
                (section("stores", m.stores, &plain(m.stores, &[m.store, m.entries, m.files, m.size], 1, &stores.collect::<Vec<_>>())))
                (section("files", m.files, &plain(m.files, &[m.file, m.before, m.afterwards], 9, &files.collect::<Vec<_>>())))
                p { (m.plan_hash) " " code.hash { (receipt.plan) } }
                p { (m.public_key) " " code.hash { (receipt.public_key) } }
            };
            Ok(page(&visit, Tab::Takedown, &title, &body))
        })
        .await
}
