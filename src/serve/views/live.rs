//! The line of the running night: in the page as it is now, and by server-sent events as it goes on.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;
use futures_util::stream::unfold;
use maud::{Markup, PreEscaped, html};
use plotters::style::RGBColor;
use serde_json::json;

use crate::engine::plan::StageName;
use crate::report::charts::line;
use crate::serve::house::House;
use crate::serve::live::Running;
use crate::serve::messages::Messages;
use crate::serve::visit::Me;
use crate::size::{ByteSize, grouped};

/// Colour of the line.
const LINE: RGBColor = RGBColor(46, 125, 110);

/// What is said of a night under way, or of none.
fn told(m: &Messages, running: Option<&Running>) -> String {
    let Some(running) = running else { return m.no_night.to_owned() };
    let stage = match running.stage {
        StageName::Clean => m.stage_clean,
        StageName::Decide => m.stage_decide,
        StageName::Emit => m.stage_emit,
    };
    let of = running.of.map_or_else(|| "?".to_owned(), |of| grouped(of as u64));
    let speed = running.per_second().map(|speed| format!(", {} {}", grouped(speed.round() as u64), m.per_second)).unwrap_or_default();
    format!(
        "{} → {}: {stage}, {} {} {of}; {} {}, {} {}; {} {} {}{speed}",
        running.name,
        running.dataset,
        grouped(running.done as u64),
        m.of,
        grouped(running.read),
        m.read,
        grouped(running.kept),
        m.kept,
        ByteSize(running.input_bytes),
        m.of,
        ByteSize(running.input_bytes_of),
    )
}

/// How far it is: done and of how many.
fn share(running: Option<&Running>) -> (usize, usize) {
    running.map_or((0, 1), |running| (running.done, running.of.unwrap_or(1).max(1)))
}

/// The line for a page, with a chart of the documents read so far.
pub(super) fn now(m: &Messages, running: Option<&Running>) -> Markup {
    let (done, of) = share(running);
    let seconds = |seconds: f64| grouped(seconds as u64);
    html! {
        div.live {
            p #live-told data-events="/live" role="status" { (told(m, running)) }
            progress #live-share max=(of) value=(done) hidden[running.is_none()] aria-label=(m.progress_of_stage) { (done) "/" (of) }
            @if let Some(running) = running {
                div.chart { (PreEscaped(line(&running.points, LINE, &seconds))) }
            }
        }
    }
}

/// The same whenever it changes, until the server ends.
pub(super) async fn events(State(house): State<Arc<House>>, Extension(visit): Me) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let seen = house.running.subscribe();
    let stream = unfold((house, seen, true), move |(house, mut seen, is_first)| {
        let m = visit.m;
        async move {
            if !is_first {
                tokio::select! {
                    changed = seen.changed() => changed.ok()?,
                    () = house.until_stopped() => return None,
                }
            }
            let running = seen.borrow_and_update().clone();
            let (done, of) = share(running.as_deref());
            let data = json!({"told": told(m, running.as_deref()), "done": done, "of": of, "runs": running.is_some()});
            Some((Ok(Event::default().data(data.to_string())), (house, seen, false)))
        }
    });
    Sse::new(stream).keep_alive(KeepAlive::default())
}
