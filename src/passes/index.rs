//! The deduplication index of a data set, as the manifests publish it: which runs there are, and how a plan is held to them.
//!
//! Its files lie in `_tamis/index/<data set>/`, three a run. They are published by the manifest that publishes the run's shards, so after
//! a crash both are there or neither is.

use std::collections::BTreeSet;
use std::path::Path;

use super::job::{Job, JobError};
use crate::dedup::erase::{self, Erased, Orphans, erase};
use crate::dedup::index::RunFiles;
use crate::doc::DocId;
use crate::engine::plan::{Plan, PlannedIndexFile};
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

/// The three files of a run stand side by side, in order of their endings.
fn runs_of(files: &[PlannedIndexFile], workspace: &Workspace) -> Vec<RunFiles> {
    let path = |file: &PlannedIndexFile| workspace.root().join(&file.path);
    let runs = files.as_chunks::<3>().0.iter();
    runs.map(|[bands, documents, exact]| RunFiles { bands: path(bands), documents: path(documents), exact: path(exact) }).collect()
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
