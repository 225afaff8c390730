//! The documents that were folded into one.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use maud::{Markup, html};
use serde_json::{Map, Value};

use super::Page;
use super::bars::plain;
use super::document::{absent, id_of};
use super::layout::{Tab, page};
use super::search::{patience, text, title_of};
use crate::inspect::find::Name;
use crate::serve::house::House;
use crate::serve::visit::Me;

/// Members on the page.
const MEMBERS_MAX: usize = 200;

pub(super) async fn cluster(State(house): State<Arc<House>>, Extension(visit): Me, Path(id): Path<String>) -> Page {
    let id = id_of(&id)?;
    house.audit.note(&visit, "cluster", &id.to_string())?;
    house
        .look(move |house| {
            let (snapshot, m) = (house.snapshot()?, visit.m);
            for set in snapshot.sets.values() {
                let Some((_, winner)) = set.dataset.published(&Name::Id(id))? else { continue };
                let members = set.dataset.members(id, MEMBERS_MAX, &mut patience())?;
                let lines: Vec<Vec<Markup>> = members.rows.iter().map(line).collect();
                let size = winner.get("cluster_size").and_then(Value::as_u64).unwrap_or(1).to_string();
                let body = html! {
                    h1 { (m.cluster) ": " bdi { (title_of(&winner)) } }
                    p { a href=(format!("/document/{id}")) { (m.winner) } ", " (m.stands_for.replace("{n}", &size)) }
                    (plain(m.cluster_caption, &[m.document, m.address, m.reason, m.similarity], 3, &lines))
                    @if members.is_cut { p.note { (m.cut_short) } }
                };
                return Ok(page(&visit, Tab::Search, m.cluster, &body));
            }
            Err(absent(house, id))
        })
        .await
}

fn line(row: &Map<String, Value>) -> Vec<Markup> {
    let share = row.get("jaccard").and_then(Value::as_f64);
    vec![
        html! { a href=(format!("/document/{}", text(row, "id"))) { bdi { (title_of(row)) } } },
        html! { bdi { (text(row, "url")) } },
        html! { code { (text(row, "reason")) } },
        html! { @if let Some(share) = share { (format!("{share:.2}")) } },
    ]
}
