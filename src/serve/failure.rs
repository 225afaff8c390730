//! Why a question got no answer. A handler only names it; the guard makes the page, for it knows the visitor's language.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// Why.
#[derive(Clone, Debug)]
pub(super) enum Failure {
    /// Nobody is known by this cookie.
    Enter,
    /// A token that is none.
    WrongToken,
    /// Too many questions.
    TooMany,
    /// A form of another page, or an old one.
    Forged,
    /// Readers may not do that.
    NoOfficer,
    /// An officer may not approve their own plan.
    Own,
    /// There is no such thing.
    NotFound,
    /// It was erased, by this takedown.
    Gone(u64),
    /// What was asked makes no sense, for this reason.
    Wrong(String),
    /// Something else is being done.
    Busy(String),
    /// The workspace cannot be read.
    Trouble(String),
}

impl Failure {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Failure::Enter | Failure::WrongToken => StatusCode::UNAUTHORIZED,
            Failure::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Failure::Forged | Failure::NoOfficer | Failure::Own => StatusCode::FORBIDDEN,
            Failure::NotFound => StatusCode::NOT_FOUND,
            Failure::Gone(_) => StatusCode::GONE,
            Failure::Wrong(_) => StatusCode::BAD_REQUEST,
            Failure::Busy(_) => StatusCode::CONFLICT,
            Failure::Trouble(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// An error of the workspace, with its causes.
impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Failure {
        let mut told = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            told += &format!(": {error}");
            cause = error.source();
        }
        Failure::Trouble(told)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}
