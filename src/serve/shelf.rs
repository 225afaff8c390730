//! What the manifests and ledgers say, read once for each state of them. Nothing is changed: what a killed run left half published is told,
//! and left to whoever works in the workspace.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use super::failure::Failure;
use super::live::modified;
use crate::inspect::Dataset;
use crate::ledger::manifest::Manifests;
use crate::ledger::run::{Erased, RunLedger, sum};
use crate::ledger::tally::Tally;
use crate::passes::History;
use crate::workspace::Workspace;

/// The state of the workspace's manifests.
pub(super) struct Snapshot {
    /// Which state it is.
    pub(super) version: Version,
    /// Data sets by name.
    pub(super) sets: BTreeMap<String, Set>,
    /// Manifests that are written and not published to the end.
    pub(super) unapplied: Vec<u64>,
    /// Plans that were sealed.
    pub(super) sealed: BTreeSet<String>,
}

/// One data set.
pub(super) struct Set {
    pub(super) dataset: Dataset,
    /// Its nights, oldest first.
    pub(super) nights: Vec<Night>,
    pub(super) erased: Erased,
    /// Size of the shards.
    pub(super) bytes: u64,
    pub(super) shards: usize,
}

/// A run that was published.
pub(super) struct Night {
    /// From 1, in the order in which they were published.
    pub(super) number: usize,
    pub(super) ledger: RunLedger,
    /// When its manifest was written, as its file says.
    pub(super) published: Option<Timestamp>,
}

impl Night {
    /// The day and time on which it was published.
    pub(super) fn when(&self) -> String {
        self.published.map_or_else(|| "?".to_owned(), |at| at.strftime("%Y-%m-%d %H:%M").to_string())
    }
}

impl Set {
    /// What became of everything that was read.
    pub(super) fn tally(&self) -> Tally {
        sum(self.nights.iter().map(|night| &night.ledger), &self.erased)
    }
}

/// Snapshots, of which the last is kept.
#[derive(Default)]
pub(super) struct Shelf(Mutex<Option<Arc<Snapshot>>>);

/// What tells one state of the manifests from another: the folder's time, and how much is in it.
pub(super) type Version = (Option<Timestamp>, usize);

impl Shelf {
    /// What the manifests of `workspace` say now.
    pub(super) fn now(&self, workspace: &Workspace) -> Result<Arc<Snapshot>, Failure> {
        let version = version(&workspace.manifest());
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(snapshot) = &*kept
            && snapshot.version == version
        {
            return Ok(Arc::clone(snapshot));
        }
        let snapshot = Arc::new(read(workspace, version)?);
        *kept = Some(Arc::clone(&snapshot));
        Ok(snapshot)
    }
}

fn version(folder: &Path) -> Version {
    (modified(folder), std::fs::read_dir(folder).map_or(0, Iterator::count))
}

fn read(workspace: &Workspace, version: Version) -> Result<Snapshot, Failure> {
    let manifests = Manifests::read(workspace)?;
    let mut sets = BTreeMap::new();
    for name in manifests.datasets() {
        sets.insert(name.to_owned(), set(workspace, name, &manifests)?);
    }
    let all = manifests.datasets().into_iter().flat_map(|name| manifests.of_dataset(name));
    Ok(Snapshot { version, sets, unapplied: manifests.unapplied(), sealed: all.map(|manifest| manifest.transaction).collect() })
}

fn set(workspace: &Workspace, name: &str, manifests: &Manifests) -> Result<Set, Failure> {
    let history = History::of(workspace, name, manifests);
    let mut nights = Vec::new();
    for (ledger, run) in history.ledgers()?.into_iter().zip(history.runs()) {
        let file: PathBuf = workspace.manifest().join(format!("{:08}.json", run.number));
        nights.push(Night { number: nights.len() + 1, ledger, published: modified(&file) });
    }
    let runs: Vec<String> = nights.iter().map(|night| night.ledger.plan.clone()).collect();
    let files = manifests.current(name);
    Ok(Set {
        dataset: Dataset::of(workspace.clone(), name, &runs, manifests)?,
        nights,
        erased: manifests.erased(name),
        bytes: files.values().map(|file| file.bytes).sum(),
        shards: files.len(),
    })
}
