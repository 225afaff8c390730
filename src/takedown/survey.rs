//! What all stores hold of what is meant, and what of them could not be searched.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::apply::TakedownError;
use super::find::{Found, Hit};
use super::request::Targets;
use super::stores::{Holding, Store, search};
use super::tombstone::TombstoneError;
use crate::ledger::manifest::Manifests;
use crate::locator::LocateError;
use crate::packing::PackError;
use crate::release::ReleaseError;
use crate::sink::SinkError;
use crate::store;
use crate::workspace::Workspace;

/// A file out of which nothing can be taken as it is: missing, damaged, or packed in a way that leaves no room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// Where it belongs.
    pub store: Store,
    /// Path below the workspace.
    pub path: String,
    /// SHA-256 as the manifest has it, else as it is now; empty where there is neither.
    pub sha256: String,
    /// What is wrong.
    pub why: String,
}

impl Failure {
    /// The failure to search or change `path`.
    #[must_use]
    pub fn new(workspace: &Workspace, store: Store, path: &Path, why: String) -> Failure {
        let relative = relative(workspace, path);
        let manifests = Manifests::read(workspace).ok();
        let published = manifests.as_ref().and_then(|manifests| Some(manifests.all_current().get(relative.as_str())?.sha256.clone()));
        let sha256 = published.or_else(|| store::sha256_file(path).ok()).unwrap_or_default();
        Failure { store, path: relative, sha256, why }
    }
}

/// What one file holds.
#[derive(Debug)]
pub struct Held {
    /// Where it belongs.
    pub store: Store,
    /// The file.
    pub path: PathBuf,
    /// What it holds.
    pub holding: Holding,
}

/// What a search of all stores finds.
#[derive(Debug, Default)]
pub struct Survey {
    /// Each file that holds something, with what it holds.
    pub holdings: Vec<Held>,
    /// Files that could not be searched.
    pub failures: Vec<Failure>,
    /// How many files were looked into.
    pub files: u64,
}

impl Survey {
    /// Published shards that hold something, with what.
    pub fn shards(&self) -> impl Iterator<Item = (&Path, &Found)> {
        self.holdings.iter().filter_map(|held| match (&held.holding, held.store) {
            (Holding::Rows(found), Store::Shards) => Some((held.path.as_path(), found)),
            _ => None,
        })
    }

    /// Files of published and released documents that hold something, with what; of links the published one.
    pub fn documents(&self) -> impl Iterator<Item = (&Path, &Found)> {
        self.holdings.iter().filter_map(|held| match (&held.holding, held.store) {
            (Holding::Rows(found), Store::Shards | Store::Releases) => Some((held.path.as_path(), found)),
            _ => None,
        })
    }

    /// Published documents that are meant.
    pub fn published(&self) -> impl Iterator<Item = &Hit> {
        self.shards().flat_map(|(_, found)| &found.hits)
    }
}

/// `path` below the workspace.
pub(super) fn relative(workspace: &Workspace, path: &Path) -> String {
    path.strip_prefix(workspace.root()).unwrap_or(path).to_string_lossy().into_owned()
}

/// Searches every store for what is meant. A file that cannot be searched stops nothing: it is told.
///
/// # Errors
/// When the workspace cannot be used.
pub fn survey(workspace: &Workspace, targets: &Targets) -> Result<Survey, TakedownError> {
    let mut survey = Survey::default();
    for store in Store::ALL {
        for path in store.files(workspace)? {
            survey.files += 1;
            match search(workspace, store, &path, targets) {
                Ok(Some(holding)) => survey.holdings.push(Held { store, path, holding }),
                Ok(None) => {}
                Err(error) => survey.failures.push(Failure::new(workspace, store, &path, of_one_file(error)?)),
            }
        }
    }
    Ok(survey)
}

/// What is wrong with one file, if it is that: then all others can be done.
///
/// # Errors
/// Any other error.
pub(super) fn of_one_file(error: TakedownError) -> Result<String, TakedownError> {
    let with_cause = |error: &dyn std::error::Error| match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    };
    match error {
        TakedownError::Locate(error @ (LocateError::Parquet { .. } | LocateError::Io { .. })) => Ok(with_cause(&error)),
        TakedownError::Archive(TombstoneError::Locate(LocateError::Store(error))) => Err(error.into()),
        TakedownError::Archive(error) => Ok(with_cause(&error)),
        TakedownError::Packing(PackError::Store(error)) => Err(error.into()),
        TakedownError::Packing(error) => Ok(with_cause(&error)),
        TakedownError::Release(error @ ReleaseError::Record { .. }) => Ok(with_cause(&error)),
        TakedownError::Frontier(error) => Ok(error.to_string()),
        TakedownError::Corrupt { .. } => Ok(error.to_string()),
        TakedownError::Sink(error @ SinkError::Parquet { .. }) => Ok(with_cause(&error)),
        other => Err(other),
    }
}
