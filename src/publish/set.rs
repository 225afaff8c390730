//! A data set, or a frozen version of it, with all that its reports tell: counts from its shards, and of ledgers, nights and receipts those that it
//! contains. A version that lies elsewhere has the paths of the workspace below a root of its own.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::ai_act::Removed;
use super::counts::{CountError, Counts, count, files};
use super::facts::Facts;
use crate::ledger::manifest::{FileEntry, ManifestError, Manifests};
use crate::ledger::receipt::{ReceiptError, Receipts};
use crate::ledger::run::RunLedger;
use crate::night::record::{RecordError, Records};
use crate::passes::{History, HistoryError};
use crate::workspace::Workspace;

/// Which state of a data set is meant.
#[derive(Clone, Debug)]
pub struct Version {
    /// The data set.
    pub dataset: String,
    /// Its files with documents, in order, by paths below `root`.
    pub files: Vec<FileEntry>,
    /// Where they lie.
    pub root: PathBuf,
    /// Number of the newest manifest that it contains.
    pub manifest: u64,
    /// Number of the last takedown that it honours; none: of all there are.
    pub takedown: Option<u64>,
    /// Its last day, YYYY-MM-DD; none: today.
    pub day: Option<String>,
}

/// A version with all that is counted of it.
pub struct Set {
    /// Which one.
    pub version: Version,
    /// What its publisher says.
    pub facts: Facts,
    /// What stands in its shards.
    pub counts: Counts,
    /// Its runs, oldest first.
    pub ledgers: Vec<RunLedger>,
    /// What was kept out and taken out.
    pub removed: Removed,
}

/// Why nothing can be told.
#[derive(Debug, thiserror::Error)]
pub enum SetError {
    /// The shards.
    #[error(transparent)]
    Count(#[from] CountError),
    /// The manifests.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The ledgers.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The nights.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The receipts.
    #[error(transparent)]
    Receipt(#[from] ReceiptError),
    /// No run.
    #[error("`{dataset}` was published by no run; name a data set of this workspace")]
    NoRun { dataset: String },
}

impl Version {
    /// The published state of `dataset`.
    ///
    /// # Errors
    /// When manifests cannot be read.
    pub fn published(workspace: &Workspace, dataset: &str) -> Result<Version, SetError> {
        let manifest = Manifests::read(workspace)?.of_dataset(dataset).last().map_or(0, |manifest| manifest.number);
        let (files, root) = (files(workspace, dataset)?, workspace.root().to_owned());
        Ok(Version { dataset: dataset.to_owned(), files, root, manifest, takedown: None, day: None })
    }
}

impl Set {
    /// Counts `version`. Changes nothing.
    ///
    /// # Errors
    /// When its shards, or what is known of its runs, cannot be read; when no run published it.
    pub fn open(workspace: &Workspace, version: Version, facts: Facts) -> Result<Set, SetError> {
        let history = History::of(workspace, &version.dataset, &Manifests::read(workspace)?);
        let numbers = history.runs().iter().map(|run| run.number);
        let ledgers = history.ledgers()?.into_iter().zip(numbers).filter(|(_, number)| *number <= version.manifest);
        let ledgers: Vec<RunLedger> = ledgers.map(|(ledger, _)| ledger).collect();
        if ledgers.is_empty() {
            return Err(SetError::NoRun { dataset: version.dataset });
        }
        let counts = count(workspace, &version, &facts)?;
        let removed = removed(workspace, &version, &ledgers)?;
        Ok(Set { version, facts, counts, ledgers, removed })
    }

    /// Documents that all its runs read, and what fell by stage and reason.
    #[must_use]
    pub fn dropped(&self) -> (u64, Vec<(String, u64)>) {
        let (mut read, mut dropped) = (0, BTreeMap::new());
        for ledger in &self.ledgers {
            let total = ledger.total();
            read += total.read;
            for (stage, reasons) in &total.dropped {
                reasons.iter().for_each(|(reason, count)| *dropped.entry(format!("{stage}/{reason}")).or_default() += count);
            }
        }
        (read, dropped.into_iter().collect())
    }
}

fn removed(workspace: &Workspace, version: &Version, ledgers: &[RunLedger]) -> Result<Removed, SetError> {
    let mut removed = Removed::default();
    ledgers.iter().for_each(|ledger| removed.add_dropped(&ledger.total().dropped));
    let nights = Records::open(workspace, &version.dataset)?;
    for record in nights.all().filter(|record| version.day.as_ref().is_none_or(|day| record.date <= *day)) {
        let refused = record.crawl.iter().flat_map(|crawl| &crawl.refused);
        for (reason, count) in refused.filter(|(reason, _)| reason.starts_with("reserved") || *reason == "robots") {
            *removed.refused.entry(reason.clone()).or_default() += count;
        }
    }
    let receipts = Receipts::open(workspace)?;
    for receipt in receipts.all().iter().filter(|receipt| version.takedown.is_none_or(|last| receipt.number <= last)) {
        *removed.takedowns.entry(receipt.reason.clone()).or_default() += receipt.documents;
    }
    Ok(removed)
}
