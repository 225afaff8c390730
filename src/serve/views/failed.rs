//! The page of a question that got no answer: what is the matter, and what helps.

use maud::{Markup, html};

use super::enter;
use super::layout::{Tab, bare, page as layout};
use crate::serve::failure::Failure;
use crate::serve::messages::Messages;
use crate::serve::visit::Visit;

/// The page.
pub(in crate::serve) fn page(visit: Option<&Visit>, m: &Messages, failure: &Failure) -> Markup {
    let (title, told) = told(m, failure);
    let body = html! {
        h1 { (title) }
        p role="alert" { (told) }
        @if let Failure::Wrong(why) | Failure::Busy(why) | Failure::Trouble(why) = failure { p.quote { (why) } }
        @match visit {
            None => (enter::form(m)),
            Some(_) => p { a href="/" { (m.back_to_overview) } },
        }
    };
    match visit {
        Some(visit) => layout(visit, Tab::None, &title, &body),
        None => bare(
            m,
            &title,
            None,
            &html! { header.top { span.sign { img src="/sign.svg" alt="" width="28" height="28"; span { "tamis" } } } },
            &body,
        ),
    }
}

fn told(m: &Messages, failure: &Failure) -> (String, String) {
    let (title, told) = match failure {
        Failure::Enter => (m.enter_title, m.enter_told),
        Failure::WrongToken => (m.wrong_token_title, m.wrong_token_told),
        Failure::TooMany => (m.too_many_title, m.too_many_told),
        Failure::Forged => (m.forged_title, m.forged_told),
        Failure::NoOfficer => (m.no_officer_title, m.no_officer_told),
        Failure::Own => (m.own_title, m.own_told),
        Failure::NotFound => (m.not_found_title, m.not_found_told),
        Failure::Gone(number) => {
            return (m.gone_title.to_owned(), m.gone_told.replace("{n}", &number.to_string()));
        }
        Failure::Wrong(_) => (m.wrong_title, m.wrong_told),
        Failure::Busy(_) => (m.busy_title, m.busy_told),
        Failure::Trouble(_) => (m.trouble_title, m.trouble_told),
    };
    (title.to_owned(), told.to_owned())
}
