//! The console of takedowns: requests with their due dates, plans that wait, the form for a new one, receipts.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::response::Response;
use axum::{Extension, Form};
use jiff::civil::Date;
use maud::{Markup, html};
use serde::Deserialize;

use super::bars::plain;
use super::layout::{Tab, csrf, page, section, short};
use super::{Page, go_to, register};
use crate::doc::DocId;
use crate::ledger::receipt::Receipts;
use crate::serve::console::{Pending, Wish, begin_plan};
use crate::serve::failure::Failure;
use crate::serve::house::House;
use crate::serve::messages::Messages;
use crate::serve::visit::{Me, Visit};
use crate::size::grouped;
use crate::takedown::plan::Grounds;
use crate::takedown::register::{Entry, Register, State as How};
use crate::takedown::request::{Request, Targets};

/// What can be asked for: the word in forms, and its name.
fn kinds(m: &Messages) -> [(&'static str, &'static str); 8] {
    [
        ("url", m.kind_url),
        ("url-prefix", m.kind_url_prefix),
        ("host", m.kind_host),
        ("domain", m.kind_domain),
        ("id", m.kind_id),
        ("content-hash", m.kind_content_hash),
        ("containing", m.kind_containing),
        ("text", m.kind_text),
    ]
}

/// What a form begins with.
#[derive(Default, Deserialize)]
pub(super) struct Prefilled {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    value: String,
}

/// Today, by the house's clock.
pub(super) fn today(house: &House) -> Date {
    jiff::tz::TimeZone::UTC.to_datetime((house.settings.now)()).date()
}

pub(super) async fn console(State(house): State<Arc<House>>, Extension(visit): Me, Query(prefilled): Query<Prefilled>) -> Page {
    visit.must_be_officer()?;
    house.audit.note(&visit, "console", "")?;
    house
        .look(move |house| {
            let (m, today) = (visit.m, today(house));
            let register = Register::open(&house.settings.workspace)?;
            let receipts = Receipts::open(&house.settings.workspace)?;
            let pending: Vec<Pending> = house.console.pending()?.iter().map(|hash| house.console.plan(hash)).collect::<Result<_, _>>()?;
            let body = html! {
                h1 { (m.takedowns) }
                @if house.settings.officers.len() < 2 { p.note role="note" { (m.second_officer_missing) } }
                (section("requests", m.requests, &register::table(&visit, &register, today)))
                (section("waiting", m.waiting_plans, &waiting(m, &pending)))
                (section("new-plan", m.new_plan, &form(&visit, &register, &prefilled, today)))
                (section("receipts", m.receipts, &register::receipts(m, &receipts)))
            };
            Ok(page(&visit, Tab::Takedown, m.takedowns, &body))
        })
        .await
}

fn waiting(m: &Messages, pending: &[Pending]) -> Markup {
    let line = |pending: &Pending| {
        vec![
            html! { a href=(format!("/takedown/pending/{}", pending.plan.hash)) { (short(&pending.plan.hash)) } },
            html! { (pending.plan.reason) },
            html! { (pending.made.by) },
            html! { (pending.made.at) },
            html! { (grouped(pending.plan.documents)) },
        ]
    };
    let lines: Vec<Vec<Markup>> = pending.iter().map(line).collect();
    html! {
        @if lines.is_empty() { p.empty { (m.no_plans) } }
        @else { (plain(m.waiting_plans, &[m.plan, m.reason, m.made_by, m.made_at, m.documents], 4, &lines)) }
    }
}

fn form(visit: &Visit, register: &Register, prefilled: &Prefilled, today: Date) -> Markup {
    let m = visit.m;
    let open: Vec<&Entry> = register.entries().iter().filter(|entry| entry.state == How::Open).collect();
    html! {
        p { (m.new_plan_told) }
        form.stacked method="post" action="/takedown/plan" {
            (csrf(visit))
            label for="kind" { (m.what_goes) }
            select #kind name="kind" {
                @for (word, name) in kinds(m) { option value=(word) selected[word == prefilled.kind] { (name) } }
            }
            label for="value" { (m.which) }
            textarea #value name="value" rows="3" required aria-describedby="value-told" spellcheck="false" { (prefilled.value) }
            p #value-told .hint { (m.which_told) }
            label.check { input type="checkbox" name="near" value="yes"; " " (m.near_duplicates) }
            label for="request" { (m.for_request) }
            select #request name="request" {
                option value="" { (m.no_request) }
                @for entry in open { option value=(entry.number) { (entry.number) ", " (entry.reason) ", " (m.due) " " (entry.due()) } }
            }
            label for="reason" { (m.reason) }
            input #reason name="reason" value="gdpr-17" maxlength="60";
            label for="received" { (m.received) }
            input #received type="date" name="received" value=(today) max=(today);
            label for="expires" { (m.expires) }
            input #expires type="date" name="expires" min=(today);
            button type="submit" { (m.search_and_plan) }
        }
    }
}

/// What the form says.
#[derive(Deserialize)]
pub(super) struct Wanted {
    kind: String,
    value: String,
    #[serde(default)]
    near: String,
    #[serde(default)]
    request: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    received: String,
    #[serde(default)]
    expires: String,
}

impl Wanted {
    /// A line is a thing to erase; a text is one whole.
    fn requests(&self) -> Result<Vec<Request>, Failure> {
        let lines = self.value.lines().map(str::trim).filter(|line| !line.is_empty());
        let each = |make: fn(String) -> Request| lines.clone().map(|line| make(line.to_owned())).collect::<Vec<_>>();
        let requests = match self.kind.as_str() {
            "url" => each(Request::Url),
            "url-prefix" => each(Request::UrlPrefix),
            "host" => each(Request::Host),
            "domain" => each(Request::Domain),
            "content-hash" => each(Request::ContentHash),
            "containing" => each(Request::Containing),
            "text" => vec![Request::Text(self.value.replace("\r\n", "\n"))],
            "id" => {
                let id = |line: &str| line.parse::<DocId>().map_err(|_| Failure::Wrong(format!("`{line}` is no id: 32 hex digits")));
                lines.map(id).map(|id| id.map(Request::Id)).collect::<Result<_, _>>()?
            }
            other => return Err(Failure::Wrong(format!("`{other}` is nothing that can be erased"))),
        };
        if requests.is_empty() {
            return Err(Failure::Wrong("nothing is asked for".to_owned()));
        }
        // What makes no sense is told before anything is searched.
        let mut targets = Targets::default();
        requests.iter().try_for_each(|request| targets.add(request)).map_err(|error| Failure::Wrong(error.to_string()))?;
        Ok(requests)
    }

    fn grounds(&self, house: &House) -> Result<Grounds, Failure> {
        let day = |text: &str| text.parse::<Date>().map_err(|_| Failure::Wrong(format!("`{text}` is no day, as 2026-11-20")));
        let expires = if self.expires.is_empty() { None } else { Some(day(&self.expires)?.to_string()) };
        if !self.request.is_empty() {
            let number = self.request.parse().map_err(|_| Failure::Wrong("no number of a request".to_owned()))?;
            let register = Register::open(&house.settings.workspace)?;
            let entry = register.entry(number).map_err(|error| Failure::Wrong(error.to_string()))?;
            return Ok(Grounds { reason: entry.reason.clone(), received: entry.received.to_string(), request: Some(number), expires });
        }
        let received = day(&self.received)?;
        if received > today(house) {
            return Err(Failure::Wrong(format!("a request cannot have come on {received}, which is after today")));
        }
        if self.reason.trim().is_empty() {
            return Err(Failure::Wrong("a takedown needs a reason".to_owned()));
        }
        Ok(Grounds { reason: self.reason.trim().to_owned(), received: received.to_string(), request: None, expires })
    }
}

pub(super) async fn plan(State(house): State<Arc<House>>, Extension(visit): Me, Form(wanted): Form<Wanted>) -> Result<Response, Failure> {
    visit.must_be_officer()?;
    house.audit.note(&visit, "plan", &wanted.value)?;
    let wish = Wish {
        requests: wanted.requests()?,
        near_duplicates: wanted.near == "yes",
        grounds: wanted.grounds(&house)?,
        by: visit.visitor.name.clone(),
    };
    let number = begin_plan(&house, wish)?;
    Ok(go_to(&format!("/takedown/job/{number}")))
}
