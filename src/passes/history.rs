//! What earlier runs did to a data set: so that the same command goes on or says that all is done, and another night adds only what
//! is new.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;

use super::index::{YieldError, index_now, yields_now};
use crate::engine::attempt::Place;
use crate::engine::inputs::are_unchanged;
use crate::engine::plan::{Plan, PlanError, PlannedIndexFile, PlannedYield, StageName, TaskName};
use crate::ledger::manifest::{Manifest, ManifestError, Manifests};
use crate::ledger::receipt::Receipts;
use crate::ledger::run::RunLedger;
use crate::recipe::{Existing, Recipe};
use crate::workspace::Workspace;

/// The sealed runs of one data set.
pub struct History {
    workspace: Workspace,
    dataset: String,
    runs: Vec<Manifest>,
    index: Vec<PlannedIndexFile>,
}

/// What is left to do of a plan.
pub enum Left {
    /// The inputs that no earlier run has read.
    New(Box<Plan>),
    /// All inputs were read; the ledger of the last run.
    NothingNew(Box<RunLedger>),
}

/// Why a run cannot go into its data set, or its history cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The manifests cannot be read.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A plan of an earlier run cannot be read.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A ledger cannot be read.
    #[error("cannot read the ledger `{path}`: {source}", path = path.display())]
    Ledger { path: PathBuf, source: io::Error },
    /// The data set was written by another recipe.
    #[error(
        "the data set `{dataset}` in this workspace was written by another recipe or other settings (hash {theirs}, this one has {ours}); \
         use another --workspace or `dataset`, or set output.existing=\"append\" to mix them"
    )]
    OtherRecipe { dataset: String, theirs: String, ours: String },
    /// The data set has other tokens.
    #[error(
        "the data set `{dataset}` in this workspace was tokenised with another vocabulary; tokens are never mixed: use another `dataset` or --workspace"
    )]
    OtherTokenizer { dataset: String },
    /// The data sets that go before it cannot be asked.
    #[error(transparent)]
    Yield(#[from] YieldError),
    /// The recipe says so.
    #[error("the data set `{dataset}` is there already, and output.existing is \"refuse\"; use another --workspace or `dataset`")]
    Refused { dataset: String },
}

impl History {
    /// Reads what happened to `dataset`; rolls forward what a killed run left half published.
    ///
    /// # Errors
    /// When manifests cannot be read.
    pub fn open(workspace: &Workspace, dataset: &str) -> Result<History, HistoryError> {
        Ok(History::of(workspace, dataset, &Manifests::open(workspace)?))
    }

    /// What `manifests` say of `dataset`; changes nothing.
    #[must_use]
    pub fn of(workspace: &Workspace, dataset: &str, manifests: &Manifests) -> History {
        let runs = manifests.of_dataset(dataset).into_iter().filter(|run| run.ledger.is_some()).collect();
        History { workspace: workspace.clone(), dataset: dataset.to_owned(), runs, index: index_now(manifests, dataset) }
    }

    /// The manifests of all runs, oldest first.
    #[must_use]
    pub fn runs(&self) -> &[Manifest] {
        &self.runs
    }

    /// The ledgers of all runs, oldest first.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn ledgers(&self) -> Result<Vec<RunLedger>, HistoryError> {
        self.runs.iter().map(|run| self.ledger(run)).collect()
    }

    /// The ledger of the run of `plan`, if it was sealed.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn ledger_of(&self, plan: &str) -> Result<Option<RunLedger>, HistoryError> {
        self.runs.iter().find(|run| run.transaction == plan).map(|run| self.ledger(run)).transpose()
    }

    /// The paths of all inputs that sealed runs have read.
    ///
    /// # Errors
    /// When a plan cannot be read.
    pub fn read_inputs(&self) -> Result<BTreeSet<PathBuf>, HistoryError> {
        let mut read = BTreeSet::new();
        for run in &self.runs {
            let plan = Plan::load(&self.workspace.plans().join(format!("{}.json", run.transaction)))?;
            read.extend(plan.inputs.into_iter().map(|input| PathBuf::from(input.name)));
        }
        Ok(read)
    }

    /// A plan that was begun and not sealed, if it can still be gone on with: made by the same recipe, against the index as it is now, after
    /// the last takedown, and its inputs are as they were. Data sets that go before it may have grown once all was decided.
    #[must_use]
    pub fn open_plan(&self, id: &str, recipe: &Recipe, takedowns: u64) -> Option<Plan> {
        let plan = Plan::load(&self.workspace.plans().join(format!("{id}.json"))).ok()?;
        let is_open = !self.runs.iter().any(|run| run.transaction == id);
        let is_same = plan.recipe_hash == recipe.hash() && plan.takedowns == takedowns && plan.dataset == self.dataset;
        let index_is_same = !recipe.dedup.remember || plan.index == self.index;
        let decided = || Place::new(&self.workspace, &plan).is_done(TaskName { stage: StageName::Decide, index: 0 }).unwrap_or(false);
        let yields_hold = self.yields_of(recipe).is_ok_and(|yields| plan.yields == yields) || decided();
        (is_open && is_same && index_is_same && yields_hold && are_unchanged(&plan.inputs)).then_some(plan)
    }

    fn ledger(&self, run: &Manifest) -> Result<RunLedger, HistoryError> {
        let path = self.workspace.ledger().join(run.ledger.as_deref().unwrap_or_default());
        let read = std::fs::read(&path).and_then(|bytes| Ok(serde_json::from_slice(&bytes)?));
        read.map_err(|source| HistoryError::Ledger { path, source })
    }

    /// The indexes to which `recipe` yields, as they are now.
    fn yields_of(&self, recipe: &Recipe) -> Result<Vec<PlannedYield>, HistoryError> {
        if recipe.dedup.yield_to.is_empty() {
            return Ok(Vec::new());
        }
        Ok(yields_now(&Manifests::read(&self.workspace)?, &self.dataset, &recipe.dedup)?)
    }

    /// Leaves out of `plan` what earlier runs of the same recipe have read, freezes the deduplication index that they left and those of the
    /// data sets that go before it, and sees that it may be added.
    ///
    /// # Errors
    /// When the data set must not be added to, or one that goes before it is not there.
    pub fn left_of(&self, plan: &Plan, recipe: &Recipe) -> Result<Left, HistoryError> {
        Ok(match self.new_of(plan, recipe)? {
            Left::New(plan) => Left::New(Box::new(Plan { yields: self.yields_of(recipe)?, ..*plan })),
            left => left,
        })
    }

    /// The same without the data sets that go before it.
    pub(super) fn new_of(&self, plan: &Plan, recipe: &Recipe) -> Result<Left, HistoryError> {
        let dataset = || self.dataset.clone();
        if self.runs.is_empty() {
            return Ok(Left::New(Box::new(plan.clone())));
        }
        let existing = recipe.output.existing;
        if existing == Existing::Refuse {
            return Err(HistoryError::Refused { dataset: dataset() });
        }
        let options = recipe.shard_options(&plan.recipe_hash);
        if self.runs.iter().any(|run| run.tokenizer != options.tokenizer_hash()) {
            return Err(HistoryError::OtherTokenizer { dataset: dataset() });
        }
        let other = self.runs.iter().find(|run| run.recipe_hash != plan.recipe_hash);
        if let (Existing::SameRecipe, Some(other)) = (existing, other) {
            return Err(HistoryError::OtherRecipe {
                dataset: dataset(),
                theirs: other.recipe_hash.clone(),
                ours: plan.recipe_hash.clone(),
            });
        }
        let left = self.new_inputs(plan, recipe.limits.task_bytes_max.0)?;
        Ok(match left {
            Left::New(plan) if recipe.dedup.remember => Left::New(Box::new(Plan { index: self.index.clone(), ..*plan })),
            left => left,
        })
    }

    fn new_inputs(&self, plan: &Plan, task_bytes_max: u64) -> Result<Left, HistoryError> {
        let mut read = BTreeSet::new();
        let mut same = self.runs.iter().filter(|run| run.recipe_hash == plan.recipe_hash);
        for run in same.clone() {
            let old = Plan::load(&self.workspace.plans().join(format!("{}.json", run.transaction)))?;
            read.extend(old.inputs.into_iter().map(|input| (input.name, input.etag)));
        }
        for (before, after) in tombstoned(&self.workspace)? {
            let known: Vec<_> = read.iter().filter(|(_, etag)| *etag == before).map(|(name, _)| (name.clone(), after.clone())).collect();
            read.extend(known);
        }
        let new: Vec<_> = plan.inputs.iter().filter(|input| !read.contains(&(input.name.clone(), input.etag.clone()))).cloned().collect();
        match same.next_back() {
            Some(last) if new.is_empty() => Ok(Left::NothingNew(Box::new(self.ledger(last)?))),
            _ => Ok(Left::New(Box::new(plan.with_inputs(new, task_bytes_max)))),
        }
    }
}

/// The archives from which records were erased: what they were known by, and are known by now, oldest first. They are no new inputs.
fn tombstoned(workspace: &Workspace) -> Result<Vec<(String, String)>, HistoryError> {
    let path = workspace.receipts();
    let receipts = Receipts::open(workspace).map_err(|error| HistoryError::Ledger { path, source: io::Error::other(error) })?;
    Ok(receipts.all().iter().flat_map(|receipt| receipt.files.iter().filter_map(|file| file.etags.clone())).collect())
}
