//! The deduplication index of a data set, as the manifests publish it: which runs there are, and how a plan is held to them.
//!
//! Its files lie in `_tamis/index/<data set>/`, three a run. They are published by the manifest that publishes the run's shards, so after
//! a crash both are there or neither is.

use std::collections::BTreeSet;
use std::path::Path;

use super::job::{Job, JobError};
use crate::dedup::erase::{self, Erased, Orphans, erase};
use crate::dedup::index::{Index, IndexError, RunFiles};
use crate::dedup::settings::DedupSettings;
use crate::dedup::sign::Scheme;
use crate::doc::DocId;
use crate::engine::plan::{Plan, PlannedIndexFile, PlannedYield};
use crate::ledger::manifest::{FileEntry, Manifests, NewCommit, StagedIndexFile};
use crate::store;
use crate::workspace::Workspace;

/// What the index of `dataset` is now, for a plan.
pub(super) fn index_now(manifests: &Manifests, dataset: &str) -> Vec<PlannedIndexFile> {
    let planned = |file: &FileEntry| PlannedIndexFile { path: file.path.clone(), sha256: file.sha256.clone() };
    manifests.index_of(dataset).into_iter().map(planned).collect()
}

/// The runs that `plan` decides against, oldest first.
pub(super) fn planned_runs(plan: &Plan, workspace: &Workspace) -> Vec<RunFiles> {
    runs_of(&plan.index, workspace)
}

/// The runs of the index of `dataset` as it is published now, oldest first.
///
/// # Errors
/// When a manifest cannot be read.
pub fn index_runs(workspace: &Workspace, dataset: &str) -> Result<Vec<RunFiles>, JobError> {
    Ok(runs_of(&index_now(&Manifests::read(workspace)?, dataset), workspace))
}

pub(super) fn runs_of(files: &[PlannedIndexFile], workspace: &Workspace) -> Vec<RunFiles> {
    RunFiles::all(&files.iter().map(|file| workspace.root().join(&file.path)).collect::<Vec<_>>())
}

/// Why the data sets that go before another one cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum YieldError {
    /// Nothing is known of it.
    #[error(
        "the data set `{dataset}` of dedup.yield_to has no index in this workspace{known}; run its recipe first (with dedup.remember), or take \
         `{dataset}` from dedup.yield_to"
    )]
    NoIndex { dataset: String, known: String },
    /// It yields in its turn.
    #[error(
        "the data sets yield to one another in a circle ({circle}), so none goes before the others; take one out of dedup.yield_to of its recipe"
    )]
    Circle { circle: String },
    /// Its index cannot be read, or was made otherwise.
    #[error(transparent)]
    Index(#[from] IndexError),
}

/// The indexes of the data sets to which `settings` yield as they are now, for a plan that writes `dataset`.
pub(super) fn yields_now(manifests: &Manifests, dataset: &str, settings: &DedupSettings) -> Result<Vec<PlannedYield>, YieldError> {
    let planned = |other: &String| PlannedYield { dataset: other.clone(), index: index_now(manifests, other) };
    let yields: Vec<PlannedYield> = settings.yield_to.iter().map(planned).collect();
    for PlannedYield { dataset: other, index } in &yields {
        if index.is_empty() {
            return Err(YieldError::NoIndex { dataset: other.clone(), known: known_indexes(manifests) });
        }
        Index::open_other(other, &runs_of(index, manifests.workspace()), Scheme::of(settings))?;
    }
    refuse_circles(manifests, dataset, &settings.yield_to)?;
    Ok(yields)
}

/// Which data sets have an index, in words.
fn known_indexes(manifests: &Manifests) -> String {
    let known: Vec<&str> = manifests.datasets().into_iter().filter(|known| !index_now(manifests, known).is_empty()).collect();
    if known.is_empty() { String::new() } else { format!(" (there is one of {})", known.join(", ")) }
}

/// Goes from data set to data set, as the last run of each yields to others; none of them may be `dataset`.
fn refuse_circles(manifests: &Manifests, dataset: &str, yield_to: &[String]) -> Result<(), YieldError> {
    let mut open: Vec<Vec<String>> = yield_to.iter().map(|other| vec![dataset.to_owned(), other.clone()]).collect();
    let mut seen = BTreeSet::new();
    while let Some(way) = open.pop() {
        let Some(last) = way.last().filter(|last| seen.insert((*last).clone())) else { continue };
        let next = yielded_by_last_run(manifests, last);
        if next.iter().any(|other| other == dataset) {
            return Err(YieldError::Circle { circle: [way, vec![dataset.to_owned()]].concat().join(" -> ") });
        }
        open.extend(next.into_iter().map(|other| [way.clone(), vec![other]].concat()));
    }
    Ok(())
}

/// The data sets to which the last run of `dataset` yielded; none where its plan is no more.
fn yielded_by_last_run(manifests: &Manifests, dataset: &str) -> Vec<String> {
    let runs = manifests.of_dataset(dataset);
    let last = runs.iter().rev().find(|run| run.ledger.is_some());
    let plan = last.and_then(|run| Plan::load(&manifests.workspace().plans().join(format!("{}.json", run.transaction))).ok());
    plan.map_or_else(Vec::new, |plan| plan.yields.into_iter().map(|other| other.dataset).collect())
}

/// The runs of the data sets that go before the one of `plan`, each oldest first.
pub(super) fn yielded_runs(plan: &Plan, workspace: &Workspace) -> Vec<(String, Vec<RunFiles>)> {
    plan.yields.iter().map(|other| (other.dataset.clone(), runs_of(&other.index, workspace))).collect()
}

/// Sees that the data sets that go before the job's are what its plan was made for. What was decided stays right when they grow afterwards, so
/// only `decide` asks.
pub(super) fn check_yields_unchanged(job: &Job) -> Result<(), JobError> {
    let manifests = Manifests::read(job.place.workspace())?;
    let as_planned = |name: &&String| {
        let planned = job.plan.yields.iter().find(|other| other.dataset == **name);
        planned.is_some_and(|other| other.index == index_now(&manifests, name))
    };
    match job.recipe.dedup.yield_to.iter().find(|name| !as_planned(name)) {
        Some(name) => Err(JobError::YieldChanged { dataset: name.clone() }),
        None => Ok(()),
    }
}

/// Sees that the index is what `job`'s plan was made for. A plan that was sealed already has changed it itself.
pub(super) fn check_unchanged(job: &Job) -> Result<(), JobError> {
    let manifests = Manifests::read(job.place.workspace())?;
    let dataset = &job.plan.dataset;
    let sealed = || manifests.of_dataset(dataset).iter().any(|manifest| manifest.transaction == job.place.plan());
    let unchanged = !job.recipe.dedup.remember || job.plan.index == index_now(&manifests, dataset) || sealed();
    if unchanged { Ok(()) } else { Err(JobError::IndexChanged) }
}

/// Where a file of the index is published: the run is called after its plan.
pub(super) fn published_name(plan: &str, name: &str) -> String {
    let ending = Path::new(name).extension().unwrap_or_default().to_string_lossy();
    format!("{plan}.{ending}")
}

/// How many rows of the indexes of all data sets are documents of `ids`.
///
/// # Errors
/// When an index cannot be read or is damaged.
pub fn count_in_indexes(workspace: &Workspace, ids: &BTreeSet<DocId>) -> Result<u64, JobError> {
    let manifests = Manifests::read(workspace)?;
    let runs = manifests.datasets().into_iter().map(|dataset| runs_of(&index_now(&manifests, dataset), workspace));
    runs.filter(|runs| !runs.is_empty()).map(|runs| Ok(erase::count(&runs, ids)?)).sum()
}

/// Takes documents out of the index of `dataset` for good, in one transaction: nothing is done twice under one name.
///
/// The takedown that asks for it names the transaction, and says what becomes of clusters whose winner goes. Staging holds no part of the
/// index while no run is open; while one is, its plan was made for the old index, and it must be planned anew.
///
/// # Errors
/// When the index is damaged or cannot be written.
pub fn erase_from_index(
    workspace: &Workspace,
    dataset: &str,
    transaction: &str,
    takedown_sequence: u64,
    ids: &BTreeSet<DocId>,
    orphans: Orphans,
) -> Result<Erased, JobError> {
    let mut manifests = Manifests::open(workspace)?;
    if manifests.of_dataset(dataset).iter().any(|manifest| manifest.transaction == transaction) {
        return Ok(Erased::default());
    }
    let planned = index_now(&manifests, dataset);
    let runs = runs_of(&planned, workspace);
    let staging = workspace.staging(transaction);
    store::remove_folder(&staging)?;
    store::create_folder(&staging)?;
    let erased = erase(&runs, ids, orphans, &staging)?;
    let index = erased.files.iter().map(|(run, output)| {
        let ending = Path::new(&output.name).extension().unwrap_or_default();
        let path = planned[run * 3..][..3].iter().find(|file| Path::new(&file.path).extension() == Some(ending));
        let name = path.and_then(|file| file.path.rsplit('/').next()).unwrap_or_default().to_owned();
        let (sha256, rows, bytes) = (output.sha256.clone(), output.rows, output.bytes);
        StagedIndexFile { staged: staging.join(&output.name), name, sha256, rows, bytes, is_fresh: true }
    });
    let (index, owned) = (index.collect(), str::to_owned);
    manifests.commit(NewCommit {
        transaction: owned(transaction),
        dataset: owned(dataset),
        plan: String::new(),
        recipe_hash: String::new(),
        tokenizer: String::new(),
        takedown_sequence,
        ledger: None,
        files: Vec::new(),
        replacements: Vec::new(),
        index,
        retired: Vec::new(),
    })?;
    store::remove_folder(&staging)?;
    Ok(erased)
}
