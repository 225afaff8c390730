//! The one list of places that can hold a document, and how each forgets.
//!
//! A new store is a new variant here; the compiler then asks how it is searched and how it forgets, and the test that plants a canary in
//! every store fails until one is planted there too.

use std::path::{Path, PathBuf};

use super::apply::TakedownError;
use super::find::{Found, find};
use super::request::Targets;
use super::tombstone;
use crate::crawl::frontier;
use crate::ledger::manifest::Manifests;
use crate::locator::Kind;
use crate::packing;
use crate::packing::record::{packed_shards, side_files};
use crate::release::record::{Part, part_of};
use crate::store::{StoreError, files_below};
use crate::workspace::Workspace;

/// A kind of place that can hold a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Store {
    /// Published shards of all data sets.
    Shards,
    /// What deduplication remembers: ids, hashes, sketches, clusters.
    Index,
    /// Dropped documents.
    Rejects,
    /// Archives that belong to the workspace.
    Archives,
    /// Indexes of those archives (CDXJ).
    ArchiveIndexes,
    /// Lists of what could not be read or finished.
    Quarantine,
    /// Finished files of runs that were not published, attempts, and their commit records: documents, signatures, exclusions.
    Unsealed,
    /// Ledgers and reports.
    Reports,
    /// Logs.
    Logs,
    /// What the crawler knows of the web: addresses that wait or were fetched, and their hosts.
    Frontier,
    /// Releases: frozen versions of data sets, with their reports.
    Releases,
    /// Packed data sets.
    Packed,
    /// Exports of packed data sets, wherever they lie.
    Exports,
    /// What people said of documents.
    Labels,
    /// Lists of where documents lie.
    Locator,
}

impl Store {
    /// All stores, in the order in which a takedown goes through them: what readers see goes first.
    pub const ALL: [Store; 15] = [
        Store::Shards,
        Store::Releases,
        Store::Index,
        Store::Rejects,
        Store::Archives,
        Store::ArchiveIndexes,
        Store::Quarantine,
        Store::Unsealed,
        Store::Reports,
        Store::Logs,
        Store::Frontier,
        Store::Packed,
        Store::Exports,
        Store::Labels,
        Store::Locator,
    ];

    /// Its name for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Store::Shards => "published shards",
            Store::Index => "deduplication index",
            Store::Rejects => "rejects",
            Store::Archives => "archives",
            Store::ArchiveIndexes => "archive indexes",
            Store::Quarantine => "quarantine lists",
            Store::Unsealed => "unfinished runs",
            Store::Reports => "ledgers and reports",
            Store::Logs => "logs",
            Store::Frontier => "crawl frontier",
            Store::Releases => "releases",
            Store::Packed => "packed data sets",
            Store::Exports => "exports",
            Store::Labels => "labels",
            Store::Locator => "locator lists",
        }
    }

    /// What its files are to the locator, if it keeps lists of them.
    #[must_use]
    pub fn located(self) -> Option<Kind> {
        match self {
            Store::Shards | Store::Rejects | Store::Releases => Some(Kind::Documents),
            Store::Archives => Some(Kind::Archive),
            Store::Index
            | Store::ArchiveIndexes
            | Store::Quarantine
            | Store::Unsealed
            | Store::Reports
            | Store::Logs
            | Store::Frontier
            | Store::Packed
            | Store::Exports
            | Store::Labels
            | Store::Locator => None,
        }
    }

    /// Its files, sorted.
    ///
    /// # Errors
    /// When manifests or folders cannot be read.
    pub fn files(self, workspace: &Workspace) -> Result<Vec<PathBuf>, TakedownError> {
        let ending = |path: &Path, endings: &[&str]| {
            let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
            endings.iter().any(|ending| name.ends_with(ending))
        };
        let archive = || files_below(&workspace.archive());
        Ok(match self {
            Store::Shards => {
                let manifests = Manifests::read(workspace)?;
                manifests.paths().iter().map(|path| workspace.root().join(path)).collect()
            }
            Store::Index => {
                let manifests = Manifests::read(workspace)?;
                let datasets: Vec<String> = manifests.datasets().into_iter().map(str::to_owned).collect();
                let files = datasets.iter().flat_map(|dataset| manifests.index_of(dataset));
                files.map(|file| workspace.root().join(&file.path)).collect()
            }
            Store::Rejects => files_below(&workspace.all_rejects())?,
            Store::Archives => archive()?.into_iter().filter(|path| !ending(path, INDEX_ENDINGS)).collect(),
            Store::ArchiveIndexes => archive()?.into_iter().filter(|path| ending(path, INDEX_ENDINGS)).collect(),
            Store::Quarantine => files_below(&workspace.all_quarantine())?,
            Store::Unsealed => unsealed(workspace)?,
            Store::Reports => files_below(&workspace.ledger())?,
            Store::Logs => files_below(&workspace.logs())?,
            Store::Frontier => frontier::file_in(&workspace.frontier()).into_iter().collect(),
            Store::Releases => files_below(&workspace.releases())?,
            Store::Packed => packed_shards(workspace)?,
            Store::Exports => side_files(workspace)?,
            Store::Labels => files_below(&workspace.labels())?,
            Store::Locator => files_below(&workspace.locator())?,
        })
    }
}

/// Endings of the indexes of archives.
const INDEX_ENDINGS: &[&str] = &[".cdxj", ".cdx"];

/// Files of runs that were begun and not published. Their commit records go with them, so the next run does their work anew.
fn unsealed(workspace: &Workspace) -> Result<Vec<PathBuf>, TakedownError> {
    let manifests = Manifests::read(workspace)?;
    let sealed: std::collections::BTreeSet<String> =
        manifests.datasets().into_iter().flat_map(|dataset| manifests.of_dataset(dataset)).map(|manifest| manifest.transaction).collect();
    let mut files = Vec::new();
    for folder in workspace.all_unsealed() {
        for path in files_below(&folder)? {
            let plan = path.strip_prefix(&folder).ok().and_then(|path| path.components().next());
            let is_sealed = plan.is_some_and(|plan| sealed.contains(&*plan.as_os_str().to_string_lossy()));
            // Staging and attempts of a sealed run are leftovers of a crash; its commit records hold no document.
            if !is_sealed || !path.starts_with(&workspace.all_unsealed()[0]) {
                files.push(path);
            }
        }
    }
    Ok(files)
}

/// What one file holds of what is meant.
#[derive(Clone, Debug)]
pub enum Holding {
    /// Rows of a Parquet file.
    Rows(Found),
    /// Records of an archive.
    Records(Vec<tombstone::Extent>),
    /// Lines of a text, by number.
    Lines(std::collections::BTreeSet<usize>),
    /// Addresses of the frontier: how many.
    Addresses(u64),
    /// Pieces of documents in sequences: how many.
    Pieces(u64),
    /// The whole file goes.
    Whole,
}

impl Holding {
    /// How many documents, records or lines.
    #[must_use]
    pub fn count(&self) -> u64 {
        match self {
            Holding::Rows(found) => found.hits.len() as u64,
            Holding::Records(extents) => extents.len() as u64,
            Holding::Lines(lines) => lines.len() as u64,
            Holding::Addresses(count) | Holding::Pieces(count) => *count,
            Holding::Whole => 1,
        }
    }
}

/// Looks into one file of `store`; `None` where it holds nothing that is meant. The index is searched by ids when it is rewritten, and a
/// list of the locator that is up to date holds what its file holds.
///
/// # Errors
/// When it cannot be read.
pub fn search(workspace: &Workspace, store: Store, path: &Path, targets: &Targets) -> Result<Option<Holding>, TakedownError> {
    let holding = match store {
        Store::Shards | Store::Rejects => Holding::Rows(find(workspace, path, targets)?),
        Store::Releases => return released(workspace, path, targets),
        Store::Archives => Holding::Records(tombstone::find(workspace, path, targets)?),
        Store::ArchiveIndexes | Store::Quarantine | Store::Logs | Store::Labels => Holding::Lines(lines(path, targets)?),
        // A ledger is counts alone; a report could quote, and can be done without.
        Store::Reports if path.extension().is_some_and(|ending| ending == "html") && !lines(path, targets)?.is_empty() => Holding::Whole,
        Store::Reports | Store::Index | Store::Locator => return Ok(None),
        Store::Frontier => Holding::Addresses(frontier::count(&workspace.frontier(), &|url| targets.has_url(url))?),
        Store::Packed | Store::Exports => Holding::Pieces(packing::hits(workspace, path, &targets.ids)?),
        Store::Unsealed => Holding::Whole,
    };
    Ok(Some(holding).filter(|holding| holding.count() > 0))
}

/// What a file of a release holds. A report goes whole, since all are made anew; so does what something that died left.
fn released(workspace: &Workspace, path: &Path, targets: &Targets) -> Result<Option<Holding>, TakedownError> {
    let holding = match part_of(workspace, path)? {
        Part::Shard => Holding::Rows(find(workspace, path, targets)?),
        Part::Told if !lines(path, targets)?.is_empty() => Holding::Whole,
        Part::Leftover => Holding::Whole,
        Part::Told | Part::Own => return Ok(None),
    };
    Ok(Some(holding).filter(|holding| holding.count() > 0))
}

/// Numbers of the lines that name what is meant.
fn lines(path: &Path, targets: &Targets) -> Result<std::collections::BTreeSet<usize>, TakedownError> {
    let bytes = std::fs::read(path).map_err(|error| StoreError::io(path, error))?;
    let names = targets.names();
    let lines = bytes.split_inclusive(|byte| *byte == b'\n').enumerate();
    Ok(lines.filter(|(_, line)| names.stand_in(line)).map(|(number, _)| number).collect())
}
