//! The pages, a file each, and the list of their paths.

mod bars;
mod cluster;
mod compare;
mod document;
mod draw;
mod enter;
pub(super) mod failed;
mod frame;
mod layout;
mod live;
mod overview;
mod pending;
mod recipes;
mod register;
mod search;
mod signals;
mod takedown;

use std::sync::Arc;

use axum::Router;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header::{LOCATION, SET_COOKIE};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use maud::Markup;

use super::failure::Failure;
use super::house::House;
use super::{assets, guard, metrics};

/// What a page answers.
type Page = Result<Markup, Failure>;

/// All paths. What is not in [`assets::OPEN`] is shown only to who came in.
pub(super) fn routes(house: Arc<House>) -> Router {
    Router::new()
        .route("/style.css", get(assets::style))
        .route("/page.js", get(assets::script))
        .route("/sign.svg", get(assets::sign))
        .route(metrics::PATH, get(metrics::metrics))
        .route("/enter", get(enter::by_link).post(enter::by_form))
        .route("/leave", post(enter::leave))
        .route("/language/{code}", get(enter::language))
        .route("/", get(overview::overview))
        .route("/live", get(live::events))
        .route("/search", get(search::search))
        .route("/draw", get(draw::draw))
        .route("/document/{id}", get(document::document))
        .route("/document/{id}/cluster", get(cluster::cluster))
        .route("/document/{id}/original", get(frame::original_page))
        .route("/recipes", get(recipes::recipes))
        .route("/recipes/{plan}", get(recipes::recipe))
        .route("/compare", get(compare::compare))
        .route("/takedown", get(takedown::console))
        .route("/takedown/plan", post(takedown::plan))
        .route("/takedown/job/{number}", get(pending::job))
        .route("/takedown/pending/{hash}", get(pending::pending))
        .route("/takedown/pending/{hash}/approve", post(pending::approve))
        .route("/takedown/pending/{hash}/withdraw", post(pending::withdraw))
        .route("/takedown/register", post(register::enter))
        .route("/takedown/register/{number}/extend", post(register::extend))
        .route("/takedown/register/{number}/refuse", post(register::refuse))
        .route("/takedown/receipt/{number}", get(register::receipt))
        .fallback(async || Failure::NotFound)
        .method_not_allowed_fallback(async || Failure::NotFound)
        .layer(axum::middleware::from_fn_with_state(Arc::clone(&house), guard::guard))
        .with_state(house)
}

/// Sends the browser to another page of ours.
fn go_to(path: &str) -> Response {
    let location = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(LOCATION, location)]).into_response()
}

/// The same, with a cookie.
fn go_to_with(path: &str, cookie: &str) -> Result<Response, Failure> {
    let mut response = go_to(path);
    response.headers_mut().insert(SET_COOKIE, HeaderValue::from_str(cookie)?);
    Ok(response)
}

/// A path with a query in which every value is escaped.
fn path_with(path: &str, query: &[(&str, &str)]) -> String {
    let mut pairs = url::form_urlencoded::Serializer::new(String::new());
    pairs.extend_pairs(query.iter().filter(|(_, value)| !value.is_empty()));
    let query = pairs.finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}
