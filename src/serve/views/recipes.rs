//! The recipes of the nights, from their plans.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use maud::{Markup, html};

use super::Page;
use super::bars::plain;
use super::layout::{Tab, page, section, short};
use crate::engine::plan::Plan;
use crate::serve::failure::Failure;
use crate::serve::house::House;
use crate::serve::shelf::{Night, Snapshot};
use crate::serve::visit::{Me, Visit};
use crate::size::{ByteSize, grouped};

/// Inputs that a page names.
const INPUTS_SHOWN: usize = 50;

pub(super) async fn recipes(State(house): State<Arc<House>>, Extension(visit): Me) -> Page {
    house.audit.note(&visit, "recipes", "")?;
    house
        .look(move |house| {
            let (snapshot, m) = (house.snapshot()?, visit.m);
            let line = |(name, night): (&String, &Night)| {
                let ledger = &night.ledger;
                vec![
                    html! { a href=(format!("/recipes/{}", ledger.plan)) { (ledger.name) } },
                    html! { (name) },
                    html! { (night.number) " · " (night.when()) },
                    short(&ledger.recipe_hash),
                    html! { (ledger.tamis) },
                ]
            };
            let nights = snapshot.sets.iter().flat_map(|(name, set)| set.nights.iter().rev().map(move |night| (name, night)));
            let lines: Vec<Vec<Markup>> = nights.map(line).collect();
            let body = html! {
                h1 { (m.recipes) }
                @if lines.is_empty() { p.empty { (m.nothing_published) } }
                @else { (plain(m.recipes_caption, &[m.recipe, m.data_set, m.night, m.recipe_hash, "tamis"], 9, &lines)) }
            };
            Ok(page(&visit, Tab::Recipes, m.recipes, &body))
        })
        .await
}

/// The plan of a night, by its id.
pub(super) fn plan_of(house: &House, snapshot: &Snapshot, plan: &str) -> Result<Plan, Failure> {
    let is_known = snapshot.sets.values().flat_map(|set| &set.nights).any(|night| night.ledger.plan == plan);
    if !is_known {
        return Err(Failure::NotFound);
    }
    Ok(Plan::load(&house.settings.workspace.plans().join(format!("{plan}.json")))?)
}

pub(super) async fn recipe(State(house): State<Arc<House>>, Extension(visit): Me, Path(plan): Path<String>) -> Page {
    house.audit.note(&visit, "recipe", "")?;
    house
        .look(move |house| {
            let snapshot = house.snapshot()?;
            let plan = plan_of(house, &snapshot, &plan)?;
            Ok(page(&visit, Tab::Recipes, &plan.name, &shown(&visit, &plan)))
        })
        .await
}

fn shown(visit: &Visit, plan: &Plan) -> Markup {
    let m = visit.m;
    let input = |input: &crate::engine::plan::PlannedInput| vec![html! { bdi { (input.name) } }, html! { (ByteSize(input.bytes)) }];
    let inputs: Vec<Vec<Markup>> = plan.inputs.iter().take(INPUTS_SHOWN).map(input).collect();
    let resources: Vec<Vec<Markup>> = plan.resources.iter().map(|(name, hash)| vec![html! { bdi { (name) } }, short(hash)]).collect();
    html! {
        h1 { (m.recipe) ": " (plan.name) }
        p { (m.data_set) ": " strong { (plan.dataset) } ", " (m.recipe_hash) " " (short(&plan.recipe_hash)) ", tamis " (plan.tamis) }
        (section("settings", m.settings, &html! { pre tabindex="0" { code { (plan.recipe) } } }))
        @if !resources.is_empty() { (section("resources", m.resources, &plain(m.resources, &[m.file, "SHA-256"], 9, &resources))) }
        (section("inputs", m.inputs, &html! {
            p { (grouped(plan.inputs.len() as u64)) " " (m.files) ", " (ByteSize(plan.input_bytes())) }
            (plain(m.inputs, &[m.file, m.size], 1, &inputs))
            @if plan.inputs.len() > INPUTS_SHOWN { p { (m.more_lines.replace("{n}", &grouped((plan.inputs.len() - INPUTS_SHOWN) as u64))) } }
        }))
    }
}
