//! Looks into a data set: [`find`] one document and its fate, its [`trail`], its [`original`] and what of it was
//! [`cuts`], the [`members`] of its cluster, a [`sample`] of what is
//! there, a [`search`] page by page, [`signals`] counted shard by shard, a [`row`] as JSON, and, with feature `sql`, questions in SQL. It
//! changes nothing, and prints nothing: the command line and pages for researchers ask the same questions here.

pub mod cuts;
pub mod diff;
pub mod find;
pub mod kinds;
pub mod labels;
pub mod members;
pub mod original;
pub mod personal;
pub mod row;
pub mod sample;
pub mod search;
pub mod signals;
#[cfg(feature = "sql")]
pub mod sql;
pub mod trail;

use std::path::PathBuf;

use crate::ledger::manifest::{ManifestError, Manifests};
use crate::locator::LocateError;
use crate::store::{StoreError, files_below};
use crate::workspace::Workspace;

/// Why a data set cannot be looked into.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// The manifests.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The system refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file cannot be searched.
    #[error(transparent)]
    Locate(#[from] LocateError),
    /// A list of labels is damaged.
    #[error("line {line} of `{path}` is no label; mend it, or remove it", path = path.display())]
    Labels { path: PathBuf, line: usize },
    /// A pattern is none.
    #[error("`{pattern}` is no regular expression: {why}")]
    Pattern { pattern: String, why: String },
}

/// A data set as its last manifest has it.
pub struct Dataset {
    workspace: Workspace,
    /// Published shards, in order of their paths.
    shards: Vec<PathBuf>,
    /// Files of dropped documents, those of the last run first.
    rejects: Vec<PathBuf>,
    /// Plans of its runs, the oldest first.
    runs: Vec<String>,
}

impl Dataset {
    /// The data set `name` of `workspace`; `runs` are its plans, the oldest first.
    ///
    /// # Errors
    /// When manifests or folders cannot be read.
    pub fn open(workspace: Workspace, name: &str, runs: &[String]) -> Result<Dataset, InspectError> {
        let manifests = Manifests::read(&workspace)?;
        Dataset::of(workspace, name, runs, &manifests)
    }

    /// The same of `manifests` that were read before.
    ///
    /// # Errors
    /// When folders cannot be read.
    pub fn of(workspace: Workspace, name: &str, runs: &[String], manifests: &Manifests) -> Result<Dataset, InspectError> {
        let shards = manifests.current(name).into_keys().map(|path| workspace.root().join(path)).collect();
        let mut rejects = Vec::new();
        for plan in runs.iter().rev() {
            rejects.extend(files_below(&workspace.rejects(plan))?);
        }
        Ok(Dataset { workspace, shards, rejects, runs: runs.to_vec() })
    }

    /// Published shards, in order of their paths.
    #[must_use]
    pub fn shards(&self) -> &[PathBuf] {
        &self.shards
    }
}
