//! What every question passes through: who asks, how often, whether a form is ours; and what every answer says to the browser.
//!
//! Browsers keep nothing (`no-store`): what they kept could not be erased. Scripts, styles, pictures and connections are our own files or
//! nothing at all, and nobody may frame our pages.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS, X_DNS_PREFETCH_CONTROL, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::assets;
use super::door::Answer;
use super::failure::Failure;
use super::house::House;
use super::metrics;
use super::views::failed;
use super::visit::{Visit, cookie, language};

/// What our pages may load.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; \
    form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/// What a crawled page may do in its frame: nothing.
pub(super) const SANDBOX: &str = "sandbox; default-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'";
/// Bytes of a form.
const FORM_BYTES_MAX: usize = 256 << 10;

/// Lets a question through to its page, and dresses the answer.
pub(super) async fn guard(State(house): State<Arc<House>>, request: Request, next: Next) -> Response {
    let words = language(request.headers());
    let is_open = is_open(&house, request.uri().path());
    let (visit, answer) = match admit(&house, request).await {
        Ok((visit, request)) => (visit, next.run(request).await),
        Err(failure) => (None, failure.into_response()),
    };
    let mut answer = match answer.extensions().get::<Arc<Failure>>().cloned() {
        Some(failure) => (failure.status(), failed::page(visit.as_deref(), words, &failure)).into_response(),
        None => answer,
    };
    if answer.status() == axum::http::StatusCode::TOO_MANY_REQUESTS {
        answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("2"));
    }
    dress(answer.headers_mut(), is_open);
    answer
}

/// Whether a path needs no token.
fn is_open(house: &House, path: &str) -> bool {
    assets::OPEN.contains(&path) || (house.settings.metrics && path == metrics::PATH)
}

/// Whoever asks, if they may; their form is read here and passed on.
async fn admit(house: &House, request: Request) -> Result<(Option<Arc<Visit>>, Request), Failure> {
    let (mut parts, mut body) = request.into_parts();
    if parts.uri.path() == assets::ENTER && !house.door.stranger_may_ask() {
        return Err(Failure::TooMany);
    }
    if is_open(house, parts.uri.path()) {
        return Ok((None, Request::from_parts(parts, body)));
    }
    let visitor = match house.door.ask(cookie(&parts.headers, &house.cookie)) {
        Answer::Known(visitor) => visitor,
        Answer::Unknown => return Err(Failure::Enter),
        Answer::TooMany => return Err(Failure::TooMany),
    };
    if !matches!(parts.method, Method::GET | Method::HEAD) {
        if !is_from_here(&parts.headers) {
            return Err(Failure::Forged);
        }
        let bytes = to_bytes(body, FORM_BYTES_MAX).await.map_err(|_| Failure::Wrong(format!("a form may have {FORM_BYTES_MAX} bytes")))?;
        let is_ours = url::form_urlencoded::parse(&bytes).any(|(name, value)| name == "csrf" && value == visitor.csrf);
        if !is_ours {
            return Err(Failure::Forged);
        }
        body = Body::from(bytes);
    }
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let visit = Arc::new(Visit { visitor, m: language(&parts.headers), path });
    parts.extensions.insert(Arc::clone(&visit));
    Ok((Some(visit), Request::from_parts(parts, body)))
}

/// Whether a browser says that a form was sent from our own page; old ones say nothing, and the form's secret decides alone.
fn is_from_here(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_none_or(|site| site == "same-origin")
}

fn dress(headers: &mut HeaderMap, is_open: bool) {
    let mut unless_said = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    unless_said(CONTENT_SECURITY_POLICY, POLICY);
    unless_said(X_FRAME_OPTIONS, "DENY");
    unless_said(X_CONTENT_TYPE_OPTIONS, "nosniff");
    unless_said(REFERRER_POLICY, "no-referrer");
    unless_said(X_DNS_PREFETCH_CONTROL, "off");
    unless_said(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    unless_said(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    unless_said(HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=()");
    if !is_open {
        unless_said(CACHE_CONTROL, "no-store");
    }
}
