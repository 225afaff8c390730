//! The way of a document through the stages of its recipe: which ones it passed and what they measured, where it fell and by which limit,
//! which ones never saw it.
//!
//! Nothing is computed again: the row holds what was measured, the frozen plan holds the stages in their order.

use serde_json::{Map, Value};

use super::Dataset;
use super::find::Fate;
use crate::engine::flow::READ;
use crate::engine::plan::Plan;
use crate::stage::Field;
use crate::stages::ROOMS;

/// One stage on the way.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Step {
    /// Its name in the recipe; `read` and `dedup` beside these.
    pub stage: String,
    /// What it did.
    pub outcome: Outcome,
    /// What it left in the row: signals, language, tokens, by column.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub measured: Map<String, Value>,
}

/// What a stage did to a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It let it through.
    Passed,
    /// It dropped it.
    Fell,
    /// It never saw it.
    NotReached,
}

impl Dataset {
    /// The way of the document with this `fate`. Where its plan is no more, the newest one's stages are told.
    #[must_use]
    pub fn trail(&self, fate: &Fate) -> Vec<Step> {
        let (row, fell) = match fate {
            Fate::Kept { row, .. } => (row, None),
            Fate::Dropped { row, .. } => (row, row.get("stage").and_then(Value::as_str)),
        };
        let mut stages = self.plan_of(fate).map_or_else(Vec::new, |plan| stages_of(&plan));
        if let Some(fell) = fell.filter(|fell| !stages.iter().any(|stage| stage == fell)) {
            stages.push(fell.to_owned());
        }
        let at = fell.and_then(|fell| stages.iter().position(|stage| stage == fell));
        let outcome = |place: usize| match at {
            Some(at) if place == at => Outcome::Fell,
            Some(at) if place > at => Outcome::NotReached,
            _ => Outcome::Passed,
        };
        let steps = stages.into_iter().enumerate().map(|(place, stage)| (outcome(place), stage));
        steps.map(|(outcome, stage)| Step { measured: measured(row, &stage, outcome), stage, outcome }).collect()
    }

    /// The plan by which the document was judged: that of the run that dropped it, or the newest with the recipe of its shard.
    fn plan_of(&self, fate: &Fate) -> Option<Plan> {
        let load = |run: &String| Plan::load(&self.workspace.plans().join(format!("{run}.json"))).ok();
        match fate {
            Fate::Dropped { run, .. } => load(run),
            Fate::Kept { row, .. } => {
                let hash = row.get("recipe_hash").and_then(Value::as_str);
                let mut plans = self.runs.iter().rev().filter_map(load);
                plans.find(|plan| Some(plan.recipe_hash.as_str()) == hash).or_else(|| self.runs.iter().rev().find_map(load))
            }
        }
    }
}

/// All stages of a plan's recipe in their order, between reading and publishing.
fn stages_of(plan: &Plan) -> Vec<String> {
    let recipe: toml::Table = plan.recipe.parse().unwrap_or_default();
    let named = |pass: &str| {
        let stages = recipe.get(pass).and_then(toml::Value::as_array).into_iter().flatten();
        stages.filter_map(|stage| stage.get("stage")?.as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    [vec![READ.to_owned()], named("clean"), vec!["dedup".to_owned()], named("emit")].concat()
}

/// What `stage` left in `row`, if it saw it.
fn measured(row: &Map<String, Value>, stage: &str, outcome: Outcome) -> Map<String, Value> {
    if outcome == Outcome::NotReached {
        return Map::new();
    }
    let mut found = Map::new();
    let mut take = |name: String, value: Option<&Value>| match value {
        None | Some(Value::Null) => {}
        Some(Value::Object(inner)) => {
            let inner = inner.iter().filter(|(_, value)| !value.is_null());
            found.extend(inner.map(|(part, value)| (format!("{name}.{part}"), value.clone())));
        }
        Some(value) => _ = found.insert(name, value.clone()),
    };
    let inner = |column: &str, name: &str| row.get(column).and_then(|column| column.get(name));
    if let Some(room) = ROOMS.iter().find(|room| room.name == stage) {
        room.signals.iter().for_each(|signal| take(format!("quality.{signal}"), inner("quality", signal)));
        for field in room.gives {
            let columns: &[&str] = match field {
                Field::Lang => &["lang", "lang_score"],
                Field::Tokens => &["token_count"],
                Field::Html | Field::Text | Field::Signature => &[],
            };
            columns.iter().for_each(|name| take((*name).to_owned(), row.get(*name)));
        }
    }
    let own: &[&str] = match stage {
        "dedup" => &["cluster_size", "duplicate_of", "duplicate_in", "jaccard"],
        "licence" => &["licence"],
        "optout" => &["optout"],
        "pii" => &["pii"],
        READ => &["source", "source_file", "source_offset"],
        _ => &[],
    };
    own.iter().for_each(|name| take((*name).to_owned(), row.get(*name)));
    if outcome == Outcome::Fell {
        ["reason", "value", "limit"].into_iter().for_each(|name| take(name.to_owned(), row.get(name)));
    }
    found
}
