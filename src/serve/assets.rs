//! The style, the script and the sign of the page: the only files that are shown to anybody.

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

const STYLE: &str = include_str!("assets/style.css");
const SCRIPT: &str = include_str!("assets/page.js");
const SIGN: &str = include_str!("assets/sign.svg");

/// Where a token is taken.
pub(super) const ENTER: &str = "/enter";
/// Paths that need no token.
pub(super) const OPEN: [&str; 4] = ["/style.css", "/page.js", "/sign.svg", ENTER];

fn file(kind: &'static str, text: &'static str) -> Response {
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "max-age=300")], text).into_response()
}

pub(super) async fn style() -> Response {
    file("text/css; charset=utf-8", STYLE)
}

pub(super) async fn script() -> Response {
    file("text/javascript; charset=utf-8", SCRIPT)
}

pub(super) async fn sign() -> Response {
    file("image/svg+xml", SIGN)
}
