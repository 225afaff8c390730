//! The deduplication index of a data set, as the manifests publish it: which runs there are, and how a plan is held to them.
//!
//! Its files lie in `_tamis/index/<data set>/`, three a run. They are published by the manifest that publishes the run's shards, so after
//! a crash both are there or neither is.

use std::path::Path;

use super::job::{Job, JobError};
use crate::dedup::index::RunFiles;
use crate::engine::plan::{Plan, PlannedIndexFile};
use crate::ledger::manifest::{FileEntry, Manifests};
use crate::workspace::Workspace;

/// What the index of `dataset` is now, for a plan.
pub(super) fn index_now(manifests: &Manifests, dataset: &str) -> Vec<PlannedIndexFile> {
    let planned = |file: &FileEntry| PlannedIndexFile { path: file.path.clone(), sha256: file.sha256.clone() };
    manifests.index_of(dataset).into_iter().map(planned).collect()
}

/// The runs that `plan` decides against, oldest first. The three files of a run stand side by side, in order of their endings.
pub(super) fn planned_runs(plan: &Plan, workspace: &Workspace) -> Vec<RunFiles> {
    let path = |file: &PlannedIndexFile| workspace.root().join(&file.path);
    let runs = plan.index.as_chunks::<3>().0.iter();
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
