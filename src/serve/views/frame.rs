//! The page that a document was made of, as the archive has it, for the frame beside its text.
//!
//! It stands in a sandbox of its own origin: no script, no form, no style, no picture and no connection, by its own policy, and our page
//! lets the frame go nowhere else. Opened on its own it is the same.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_FRAME_OPTIONS};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use super::document::{absent, id_of};
use crate::inspect::find::{Fate, Name};
use crate::serve::failure::Failure;
use crate::serve::guard::SANDBOX;
use crate::serve::house::House;
use crate::serve::shelf::Set;
use crate::serve::visit::Me;

pub(super) async fn original_page(
    State(house): State<Arc<House>>,
    Extension(visit): Me,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let id = id_of(&id)?;
    house.audit.note(&visit, "original", &id.to_string())?;
    let gone = visit.m.original_gone;
    house
        .look(move |house| {
            for set in house.snapshot()?.sets.values() {
                if let Some(Fate::Kept { row, .. } | Fate::Dropped { row, .. }) = set.dataset.fate(&Name::Id(id))? {
                    return Ok(framed(set, &row).unwrap_or_else(|| boxed("text/plain; charset=utf-8", gone.to_owned())));
                }
            }
            Err(absent(house, id))
        })
        .await
}

fn framed(set: &Set, row: &Map<String, Value>) -> Option<Response> {
    let document = set.dataset.original(row)?;
    Some(match document.html.is_empty() {
        true => boxed("text/plain; charset=utf-8", document.text),
        false => boxed("text/html; charset=utf-8", document.html),
    })
}

fn boxed(kind: &'static str, page: String) -> Response {
    ([(CONTENT_SECURITY_POLICY, SANDBOX), (X_FRAME_OPTIONS, "SAMEORIGIN"), (CONTENT_TYPE, kind)], page).into_response()
}
