//! One question of one visitor: who asks, in which language, and for what.

use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::header::{ACCEPT_LANGUAGE, COOKIE};

use super::door::{Role, Visitor};
use super::failure::Failure;
use super::messages::{self, Messages};

/// The cookie that keeps the language.
pub(super) const LANGUAGE_COOKIE: &str = "tamis-language";

/// Who asks.
pub(super) struct Visit {
    pub(super) visitor: Visitor,
    /// The words of their language.
    pub(super) m: &'static Messages,
    /// Path and query of the question.
    pub(super) path: String,
}

/// How handlers get it.
pub(super) type Me = axum::Extension<Arc<Visit>>;

impl Visit {
    pub(super) fn is_officer(&self) -> bool {
        self.visitor.role == Role::Officer
    }

    /// The role, for the audit log.
    pub(super) fn role_word(&self) -> &'static str {
        if self.is_officer() { "officer" } else { "reader" }
    }

    /// Readers may not do this.
    pub(super) fn must_be_officer(&self) -> Result<(), Failure> {
        if self.is_officer() { Ok(()) } else { Err(Failure::NoOfficer) }
    }
}

/// The value of a cookie.
pub(super) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let pairs = headers.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(';'));
    pairs.filter_map(|pair| pair.trim().split_once('=')).find(|(key, _)| *key == name).map(|(_, value)| value)
}

/// The words of the language that was chosen, else of the first that the browser asks for and we have.
pub(super) fn language(headers: &HeaderMap) -> &'static Messages {
    let chosen = cookie(headers, LANGUAGE_COOKIE).and_then(messages::of);
    let asked = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let first = || asked.split(',').find_map(|tag| messages::of(tag.trim().get(..2)?));
    chosen.or_else(first).unwrap_or(&messages::ENGLISH)
}
