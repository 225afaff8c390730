//! Coming in by a link or by a token that is typed, going out, and the choice of a language.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::{Extension, Form};
use maud::{Markup, html};
use serde::Deserialize;

use super::{go_to, go_to_with};
use crate::serve::failure::Failure;
use crate::serve::house::House;
use crate::serve::messages::{self, Messages};
use crate::serve::visit::{LANGUAGE_COOKIE, Me, cookie};

/// What comes with a link or a form.
#[derive(Deserialize)]
pub(super) struct Token {
    #[serde(default)]
    token: String,
}

pub(super) async fn by_link(State(house): State<Arc<House>>, Query(token): Query<Token>) -> Result<Response, Failure> {
    if token.token.is_empty() { Err(Failure::Enter) } else { come_in(&house, &token.token) }
}

pub(super) async fn by_form(State(house): State<Arc<House>>, Form(token): Form<Token>) -> Result<Response, Failure> {
    come_in(&house, &token.token)
}

fn come_in(house: &House, token: &str) -> Result<Response, Failure> {
    let Some((cookie, name)) = house.door.enter(token)? else {
        house.audit.note_of("", "", "wrong-token", "")?;
        return Err(Failure::WrongToken);
    };
    house.audit.note_of("", &name, "enter", "")?;
    let secure = if house.settings.behind_proxy { "; Secure" } else { "" };
    go_to_with("/", &format!("{}={cookie}; Path=/; HttpOnly; SameSite=Strict{secure}", house.cookie))
}

pub(super) async fn leave(State(house): State<Arc<House>>, Extension(visit): Me, headers: HeaderMap) -> Result<Response, Failure> {
    cookie(&headers, &house.cookie).iter().for_each(|cookie| house.door.leave(cookie));
    house.audit.note(&visit, "leave", "")?;
    go_to_with("/", &format!("{}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0", house.cookie))
}

/// Where to go back to.
#[derive(Deserialize)]
pub(super) struct Back {
    #[serde(default)]
    back: String,
}

pub(super) async fn language(Path(code): Path<String>, Query(back): Query<Back>) -> Result<Response, Failure> {
    let chosen = messages::of(&code).ok_or(Failure::NotFound)?;
    let is_ours = back.back.starts_with('/') && !back.back.starts_with("//") && !back.back.contains('\\');
    let path = if is_ours { back.back.as_str() } else { "/" };
    let year = "Max-Age=31536000";
    match go_to_with(path, &format!("{LANGUAGE_COOKIE}={}; Path=/; HttpOnly; SameSite=Strict; {year}", chosen.code)) {
        Ok(response) => Ok(response),
        Err(_) => Ok(go_to("/")),
    }
}

/// The form for a token.
pub(super) fn form(m: &Messages) -> Markup {
    html! {
        form.enter method="post" action="/enter" {
            label for="token" { (m.token) }
            input #token type="password" name="token" autocomplete="current-password" required;
            button type="submit" { (m.come_in) }
        }
    }
}
