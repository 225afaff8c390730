//! What all pages have: head, ways to the other pages, languages, and the foot.

use maud::{DOCTYPE, Markup, html};

use super::path_with;
use crate::serve::messages::{self, Messages};
use crate::serve::visit::Visit;

/// The page that a visitor is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tab {
    Overview,
    Search,
    Recipes,
    Compare,
    Takedown,
    None,
}

/// A page for who came in.
pub(super) fn page(visit: &Visit, tab: Tab, title: &str, body: &Markup) -> Markup {
    let m = visit.m;
    let tabs = [
        (Tab::Overview, "/", m.overview),
        (Tab::Search, "/search", m.search),
        (Tab::Compare, "/compare", m.compare),
        (Tab::Recipes, "/recipes", m.recipes),
        (Tab::Takedown, "/takedown", m.takedowns),
    ];
    let shown = tabs.into_iter().filter(|(tab, ..)| *tab != Tab::Takedown || visit.is_officer());
    let top = html! {
        header.top {
            a.sign href="/" { img src="/sign.svg" alt="" width="28" height="28"; span { "tamis" } }
            nav aria-label=(m.pages) { ul {
                @for (one, path, name) in shown {
                    li { a href=(path) aria-current=[(one == tab).then_some("page")] { (name) } }
                }
            } }
            form.leave method="post" action="/leave" {
                (csrf(visit))
                span.who { (m.you_are) " " bdi { (visit.visitor.name) } }
                button.quiet type="submit" { (m.leave) }
            }
        }
    };
    bare(m, title, Some(&visit.path), &top, body)
}

/// A page for anybody.
pub(super) fn bare(m: &Messages, title: &str, path: Option<&str>, top: &Markup, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(m.code) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · tamis" }
                link rel="icon" href="/sign.svg";
                link rel="stylesheet" href="/style.css";
                script src="/page.js" defer {}
            }
            body {
                a.skip href="#main" { (m.skip) }
                (top)
                main id="main" tabindex="-1" { (body) }
                footer {
                    @if let Some(path) = path {
                        nav aria-label=(m.language) { ul {
                            @for one in messages::ALL {
                                li {
                                    a href=(path_with(&format!("/language/{}", one.code), &[("back", path)])) lang=(one.code) hreflang=(one.code)
                                        aria-current=[(one.code == m.code).then_some("true")] { (one.language_name) }
                                }
                            }
                        } }
                    }
                    p { "tamis " (env!("CARGO_PKG_VERSION")) }
                }
            }
        }
    }
}

/// The secret that a form has to say.
pub(super) fn csrf(visit: &Visit) -> Markup {
    html! { input type="hidden" name="csrf" value=(visit.visitor.csrf); }
}

/// A part of a page with a heading of its own.
pub(super) fn section(id: &str, title: &str, body: &Markup) -> Markup {
    html! { section aria-labelledby=(id) { h2 id=(id) { (title) } (body) } }
}

/// A short hash or id, whole for who points at it.
pub(super) fn short(hash: &str) -> Markup {
    html! { code title=(hash) { (hash.get(..12).unwrap_or(hash)) } }
}
