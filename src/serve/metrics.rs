//! `/metrics`: what Prometheus may know of a workspace, in its text format, for whoever can connect, where `--metrics` says so.
//!
//! Names of data sets, languages, stages and reasons, and numbers: nothing for which a page wants a token. It is made at most once in some seconds, so asking
//! often costs nothing.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use super::failure::Failure;
use super::house::House;
use super::live::Running;
use super::shelf::{Set, Snapshot};
use crate::ledger::receipt::Receipts;
use crate::night::metrics::{Lines, Page};
use crate::night::record::{Record, Records};
use crate::store::free_bytes;
use crate::takedown::register::{Register, State as Of};

/// Where it is.
pub(super) const PATH: &str = "/metrics";
/// How long an answer holds.
const HOLDS: Duration = Duration::from_secs(5);

/// Name, type and meaning of every metric beside those of nights; the list in docs/night.md is this one.
pub const METRICS: &[(&str, &str, &str)] = &[
    ("tamis_serve_info", "gauge", "That the page is served, and its version."),
    ("tamis_dataset_documents", "gauge", "Published documents, by data set and language."),
    ("tamis_dataset_tokens", "gauge", "Published token ids, by data set and language."),
    ("tamis_dataset_shards", "gauge", "Published shards, by data set."),
    ("tamis_dataset_bytes", "gauge", "Size of the published shards, by data set."),
    ("tamis_manifests_unapplied", "gauge", "Manifests that are written and not published to the end."),
    ("tamis_workspace_free_bytes", "gauge", "Room on the disk of the workspace."),
    ("tamis_run_tasks_done", "gauge", "Tasks that are done of the stage at which a run is; missing while none is under way."),
    ("tamis_run_documents_read", "gauge", "Documents that the run has read so far."),
    ("tamis_run_documents_kept", "gauge", "Documents that its first stage has kept so far."),
    ("tamis_run_input_bytes", "gauge", "Bytes of input that it has read so far."),
    ("tamis_run_input_wanted_bytes", "gauge", "Bytes of input that it will read."),
    ("tamis_takedowns_total", "counter", "Takedowns that are done, each with a receipt."),
    ("tamis_takedown_requests_open", "gauge", "Requests in the register that are open."),
    ("tamis_takedown_requests_overdue", "gauge", "Open requests whose due date has passed."),
];

/// The last answer.
#[derive(Default)]
pub(super) struct Kept(Mutex<Option<(Instant, String)>>);

pub(super) async fn metrics(State(house): State<Arc<House>>) -> Result<Response, Failure> {
    if !house.settings.metrics {
        return Err(Failure::NotFound);
    }
    let text = house.look(now).await?;
    Ok(([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8"), (CACHE_CONTROL, "no-store")], text).into_response())
}

fn now(house: &House) -> Result<String, Failure> {
    let mut kept = house.metrics.0.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((made, text)) = &*kept
        && made.elapsed() < HOLDS
    {
        return Ok(text.clone());
    }
    let text = text(house)?;
    *kept = Some((Instant::now(), text.clone()));
    Ok(text)
}

fn text(house: &House) -> Result<String, Failure> {
    let workspace = &house.settings.workspace;
    let snapshot = house.snapshot()?;
    let mut nights = Vec::new();
    for name in snapshot.sets.keys() {
        // What cannot be read is told by `tamis doctor`; all other numbers are no less true.
        if let Ok(records) = Records::open(workspace, name) {
            let last = records.all().rev().find(|record| record.state == crate::night::record::State::Done).cloned();
            nights.extend(records.newest().cloned().map(|newest| (newest, last)));
        }
    }
    let nights: Vec<(&Record, Option<&Record>)> = nights.iter().map(|(newest, last)| (newest, last.as_ref())).collect();
    let running = house.running.borrow().clone();
    let today = jiff::tz::TimeZone::UTC.to_datetime((house.settings.now)()).date();
    let register = Register::open(workspace).ok();
    let open: Vec<_> = register.iter().flat_map(|register| register.entries()).filter(|entry| entry.state == Of::Open).collect();
    let takedowns = Receipts::open(workspace).map_or(0, |receipts| receipts.last_number());
    let mut page = Page::default();
    for (name, kind, help) in METRICS {
        let lines = match *name {
            "tamis_serve_info" => vec![(vec![("version", env!("CARGO_PKG_VERSION").to_owned())], 1.0)],
            "tamis_manifests_unapplied" => one(snapshot.unapplied.len() as f64),
            "tamis_workspace_free_bytes" => free_bytes(workspace.root()).map_or_else(|_| Vec::new(), |free| one(free as f64)),
            "tamis_takedowns_total" => one(takedowns as f64),
            "tamis_takedown_requests_open" => one(open.len() as f64),
            "tamis_takedown_requests_overdue" => one(open.iter().filter(|entry| entry.due() < today).count() as f64),
            _ if name.starts_with("tamis_run_") => of_run(name, running.as_deref()),
            _ => of_sets(name, &snapshot),
        };
        page.series((name, kind, help), &lines);
    }
    Ok(page.text() + &crate::night::metrics::text(&nights))
}

fn one(value: f64) -> Lines {
    vec![(Vec::new(), value)]
}

fn of_sets(name: &str, snapshot: &Snapshot) -> Lines {
    let whole = |count: fn(&Set) -> u64| -> Lines {
        snapshot.sets.iter().map(|(set, known)| (vec![("dataset", set.clone())], count(known) as f64)).collect()
    };
    let by_language = |count: fn(&crate::ledger::tally::Share) -> u64| -> Lines {
        let mut lines = Lines::new();
        for (set, known) in &snapshot.sets {
            let labels = |lang: &String| vec![("dataset", set.clone()), ("lang", lang.clone())];
            lines.extend(known.tally().languages.iter().map(|(lang, share)| (labels(lang), count(share) as f64)));
        }
        lines
    };
    match name {
        "tamis_dataset_documents" => by_language(|share| share.documents),
        "tamis_dataset_tokens" => by_language(|share| share.tokens),
        "tamis_dataset_shards" => whole(|set| set.shards as u64),
        "tamis_dataset_bytes" => whole(|set| set.bytes),
        _ => Lines::new(),
    }
}

fn of_run(name: &str, running: Option<&Running>) -> Lines {
    let Some(running) = running else { return Lines::new() };
    let labels = || vec![("dataset", running.dataset.clone())];
    let value = match name {
        "tamis_run_tasks_done" => return vec![([labels(), vec![("stage", running.stage.to_string())]].concat(), running.done as f64)],
        "tamis_run_documents_read" => running.read,
        "tamis_run_documents_kept" => running.kept,
        "tamis_run_input_bytes" => running.input_bytes,
        "tamis_run_input_wanted_bytes" => running.input_bytes_of,
        _ => return Lines::new(),
    };
    vec![(labels(), value as f64)]
}
