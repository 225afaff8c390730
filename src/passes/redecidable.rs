//! Whether a sealed run can be decided anew under another recipe, and the plan of doing so.
//!
//! Only limits may differ before deduplication: whatever else changed would have measured or written something else. After that all may
//! differ, for deduplication, tokens and shards are made anew.

use super::index::{YieldError, index_now, yields_now};
use crate::dedup::settings::DedupSettings;
use crate::dedup::sign::Scheme;
use crate::engine::plan::{Plan, PlanError};
use crate::ledger::manifest::{ManifestError, Manifests};
use crate::recipe::{Placed, Recipe, RecipeErrors};
use crate::stages;
use crate::store;
use crate::workspace::Workspace;

/// Rooms that change the text: what is measured before them and after them is not the same.
const REWRITING: [&str; 4] = ["extract", "langid", "c4-quality", "pii"];

/// Why a data set cannot be decided anew.
#[derive(Debug, thiserror::Error)]
pub enum RedecideError {
    /// The manifests cannot be read.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The plan of an earlier run cannot be read.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The recipe of an earlier run cannot be built any more.
    #[error(transparent)]
    Recipe(#[from] RecipeErrors),
    /// The data sets that go before it cannot be asked.
    #[error(transparent)]
    Yield(#[from] YieldError),
    /// A shard cannot be read.
    #[error(transparent)]
    Store(#[from] store::StoreError),
    /// A shard is not what was published.
    #[error("the shard `{path}` is not what was published; `tamis verify` says more, and nothing is decided on it")]
    Damaged { path: String },
    /// There is no such data set.
    #[error("no run has written the data set `{dataset}` in this workspace{known}; name one with --from")]
    NoRuns { dataset: String, known: String },
    /// The data set to write is there already.
    #[error("the data set `{dataset}` is there already; write the decision into another one, for example --set dataset={dataset}-2")]
    Taken { dataset: String },
    /// Runs of several recipes.
    #[error("the data set `{dataset}` was written by several recipes, so its documents were not measured alike; run the recipe in full")]
    SeveralRecipes { dataset: String },
    /// More than limits differ.
    #[error("{what}; only limits of rules can be decided anew, so run the recipe in full")]
    MoreThanLimits { what: String },
}

/// The plan of judging all documents that the runs of `dataset` have read by the limits of `recipe`.
///
/// # Errors
/// See [`RedecideError`].
pub fn plan_again(workspace: &Workspace, dataset: &str, recipe: &Recipe, fresh: &Plan) -> Result<Plan, RedecideError> {
    let manifests = Manifests::open(workspace)?;
    let runs: Vec<_> = manifests.of_dataset(dataset).into_iter().filter(|run| run.ledger.is_some()).collect();
    let Some(first) = runs.first() else {
        let known = manifests.datasets().into_iter().collect::<Vec<_>>().join(", ");
        let known = if known.is_empty() { String::new() } else { format!(" (there is {known})") };
        return Err(RedecideError::NoRuns { dataset: dataset.to_owned(), known });
    };
    if runs.iter().any(|run| run.recipe_hash != first.recipe_hash) {
        return Err(RedecideError::SeveralRecipes { dataset: dataset.to_owned() });
    }
    let plans =
        runs.iter().map(|run| Plan::load(&workspace.plans().join(format!("{}.json", run.transaction)))).collect::<Result<Vec<_>, _>>()?;
    let old = Recipe::of_plan(&plans[0])?;
    compare(&plans[0], &old, recipe).map_err(|what| RedecideError::MoreThanLimits { what })?;
    let no_takedown_since = plans.iter().all(|plan| plan.takedowns == fresh.takedowns);
    let carries = no_takedown_since && signed_alike(&old.dedup, &recipe.dedup) && !index_now(&manifests, dataset).is_empty();
    let yields = yields_now(&manifests, &fresh.dataset, &recipe.dedup)?;
    let again = runs.into_iter().map(|run| run.transaction).collect();
    let mut plan = Plan { again, carries, yields, inputs: Vec::new(), tasks: Vec::new(), ..fresh.clone() };
    for earlier in plans {
        let before = u32::try_from(plan.inputs.len()).unwrap_or(u32::MAX);
        plan.inputs.extend(earlier.inputs);
        plan.tasks.extend(earlier.tasks.into_iter().map(|task| task.into_iter().map(|input| before + input).collect()));
    }
    let taken = manifests.of_dataset(&plan.dataset).into_iter().any(|run| run.transaction != plan.id());
    if taken || plan.dataset == dataset {
        return Err(RedecideError::Taken { dataset: plan.dataset });
    }
    Ok(plan)
}

/// Whether the signatures that a run with the settings `old` has remembered are those that `new` asks for, and no paragraphs have to be read: then
/// stored rows can be carried over. What the gate of takedowns says of a row stays the same as long as none was applied.
fn signed_alike(old: &DedupSettings, new: &DedupSettings) -> bool {
    old.remember && Scheme::of(old) == Scheme::of(new) && new.paragraph_pages_min.is_none()
}

/// Sees that the shards of `dataset` are those that were published.
///
/// # Errors
/// [`RedecideError::Damaged`] for the first that is not.
pub fn check_shards(workspace: &Workspace, dataset: &str) -> Result<(), RedecideError> {
    for (path, file) in Manifests::read(workspace)?.current(dataset) {
        let whole = workspace.root().join(path);
        if whole.exists() && store::sha256_file(&whole)? != file.sha256 {
            return Err(RedecideError::Damaged { path: path.to_owned() });
        }
    }
    Ok(())
}

/// What stands against deciding by `new` on what `old` has measured.
fn compare(plan: &Plan, old: &Recipe, new: &Recipe) -> Result<(), String> {
    if plan.tamis != env!("CARGO_PKG_VERSION") {
        return Err(format!("the data set was made by tamis {}, which may measure otherwise", plan.tamis));
    }
    if old.source_room.name != new.source_room.name || old.source_settings != new.source_settings {
        return Err("[source] is not that of the earlier run".to_owned());
    }
    let names = |recipe: &Recipe| recipe.clean.iter().map(|placed| placed.room.name).collect::<Vec<_>>();
    if names(old) != names(new) {
        return Err("[[clean]] has other stages, or another order, than in the earlier run".to_owned());
    }
    for (old, new) in old.clean.iter().zip(&new.clean) {
        if measuring(old) != measuring(new) {
            return Err(format!("stage `{}` has other settings than in the earlier run, and not of its limits alone", old.room.name));
        }
    }
    if old.dedup.paragraph_pages_min.is_some() {
        return Err("the earlier run has cut recurring paragraphs out of its documents (dedup.paragraph_pages_min)".to_owned());
    }
    if let Some(placed) = old.emit.iter().find(|placed| placed.room.name != stages::tokenize::ROOM.name) {
        return Err(format!("stage `{}` of [[emit]] has worked on the documents of the earlier run", placed.room.name));
    }
    check_order(&old.clean)
}

/// The settings that do more than decide.
fn measuring(placed: &Placed) -> Vec<&(String, String)> {
    let decides = placed.stage.decides();
    placed.settings.iter().filter(|(key, _)| !decides.contains(&key.split('.').next().unwrap_or(""))).collect()
}

/// Sees that from the first rules on every stage can go on with what columns hold, and that no signal was measured twice on two texts.
fn check_order(clean: &[Placed]) -> Result<(), String> {
    for (place, placed) in clean.iter().enumerate() {
        if clean[..place].iter().any(|before| before.room.name == placed.room.name) {
            return Err(format!(
                "stage `{}` stands twice in [[clean]], and what it measured last covers what it measured first",
                placed.room.name
            ));
        }
    }
    let first = clean.iter().position(|placed| !placed.stage.decides().is_empty()).unwrap_or(clean.len());
    if let Some(placed) = clean[first..].iter().find(|placed| !placed.stage.resumes()) {
        return Err(format!("stage `{}` stands behind rules and needs more of a page than was kept; put it before them", placed.room.name));
    }
    for (place, placed) in clean.iter().enumerate() {
        let rewritten = clean[place + 1..].iter().position(|later| REWRITING.contains(&later.room.name));
        let after = rewritten.map_or(&[][..], |ahead| &clean[place + 2 + ahead..]);
        if let Some(signal) = placed.room.signals.iter().find(|signal| after.iter().any(|later| later.room.signals.contains(signal))) {
            return Err(format!("`{signal}` was measured twice, and the text was changed in between"));
        }
    }
    Ok(())
}
