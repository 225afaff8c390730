//! Carries out a plan: the suppression list first, then store after store, at last the receipt; after it the reports of releases.
//!
//! Nothing says how far a takedown came but the files themselves: each step searches and changes what still holds something, so after a
//! crash the same command goes on. A note that it was begun tells the goal apart from a data set that changed since the plan was made.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::feed;
use super::find::texts;
use super::forget::{Forgetting, Forgotten};
use super::plan::{PlannedFile, TakedownPlan, planned_files};
use super::request::{Request, RequestError};
use super::stores::Store;
use super::survey::{Failure, Survey, survey};
use super::tombstone::TombstoneError;
use crate::crawl::frontier::FrontierError;
use crate::ledger::manifest::{ManifestError, Manifests};
use crate::ledger::receipt::{Receipt, ReceiptError, ReceiptFile, Receipts, StoreCount};
use crate::locator::LocateError;
use crate::packing::PackError;
use crate::passes::{JobError, count_in_indexes};
use crate::release::ReleaseError;
use crate::release::freeze::renew_all;
use crate::sink::SinkError;
use crate::store::{self, StoreError};
use crate::suppression::{Collector, Key, KeyError, Kind, ListError, append, list_key, sequence};
use crate::workspace::Workspace;

/// Why a takedown was not planned or not finished.
#[derive(Debug, thiserror::Error)]
pub enum TakedownError {
    /// A request names nothing.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// A file cannot be searched.
    #[error(transparent)]
    Locate(#[from] LocateError),
    /// An archive cannot be searched or rewritten.
    #[error(transparent)]
    Archive(#[from] TombstoneError),
    /// A file cannot be written.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// The system refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The manifests.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// What the crawler knows.
    #[error(transparent)]
    Frontier(#[from] FrontierError),
    /// A packed data set or an export.
    #[error(transparent)]
    Packing(#[from] PackError),
    /// A release.
    #[error(transparent)]
    Release(#[from] ReleaseError),
    /// The index.
    #[error(transparent)]
    Index(#[from] JobError),
    /// The key of the list.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The list.
    #[error(transparent)]
    List(#[from] ListError),
    /// The receipts.
    #[error(transparent)]
    Receipt(#[from] ReceiptError),
    /// A file is no plan.
    #[error("`{path}` is no plan of a takedown that this version of tamis can read: {why}", path = path.display())]
    NoPlan { path: PathBuf, why: String },
    /// A plan was changed by hand.
    #[error("the plan `{path}` was changed after it was made, so nobody has reviewed what it says now; make it again", path = path.display())]
    Tampered { path: PathBuf },
    /// The workspace is not what it was.
    #[error(
        "the workspace is not the one that was planned for, or changed since: {what}; nothing was changed: plan again, and review what is new"
    )]
    Changed { what: String },
    /// The plan is large.
    #[error(
        "this plan erases {documents} of {of} documents, or a whole domain; look at it once more, and say --confirm-large if that is meant"
    )]
    Large { documents: u64, of: u64 },
    /// Another takedown is half done.
    #[error("a takedown with plan hash {hash} was begun and not finished; run the same `tamis takedown apply` again for that plan first")]
    OtherOpen { hash: String },
    /// A note cannot be read.
    #[error("`{path}` is damaged; remove it, and plan the takedown again", path = path.display())]
    Note { path: PathBuf },
    /// A shard is not what was published.
    #[error("`{path}` is damaged: its SHA-256 is {found}, the manifest says {expected}; restore it from a backup", path = path.display())]
    Corrupt { path: PathBuf, expected: String, found: String },
    /// Something is left.
    #[error("after the takedown `{path}` still holds what should be gone; please report this")]
    Left { path: String },
}

/// Where keys lie, and what time it is.
#[derive(Clone, Debug)]
pub struct Means {
    /// Key of the suppression list.
    pub suppression_key: PathBuf,
    /// Key that signs receipts.
    pub signing_key: PathBuf,
    /// Now, as receipts tell it.
    pub now: String,
}

/// What became of a plan.
#[derive(Clone, Debug)]
pub enum Applied {
    /// It is done.
    Now(Box<Receipt>),
    /// It was done before.
    Before(Box<Receipt>),
    /// All of it is done but for these files. There is no receipt yet: the same command goes on when they are mended.
    Partly(Vec<Failure>),
}

/// That a takedown was begun. It holds no personal data.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Begun {
    plan: String,
    number: u64,
    began: String,
    /// Rows of the deduplication index that will go: afterwards nothing there tells.
    index_documents: u64,
}

/// Carries out `plan`, or goes on with it. The caller holds the lock of the workspace.
///
/// # Errors
/// See [`TakedownError`]. Before the note is written nothing is changed.
pub fn apply(workspace: &Workspace, plan: &TakedownPlan, confirm_large: bool, means: &Means) -> Result<Applied, TakedownError> {
    let receipts = Receipts::open(workspace)?;
    if let Some(receipt) = receipts.of_plan(&plan.hash) {
        end(workspace, &receipt.plan)?;
        renew_all(workspace, &receipts.signer(&means.signing_key)?)?;
        return Ok(Applied::Before(Box::new(receipt.clone())));
    }
    let clock = Instant::now();
    Manifests::open(workspace)?;
    let key = list_key(workspace, &means.suppression_key)?;
    let signer = receipts.signer(&means.signing_key)?;
    let (begun, found) = begin(workspace, plan, confirm_large, (means, &key), &receipts)?;
    let mut forgetting = Forgetting::begin(workspace, plan, begun.number)?;
    forgetting.shards(&found)?;
    forgetting.indexes()?;
    forgetting.files(&found)?;
    let searched = forgetting.search_again()?;
    let Forgotten { failures, bytes_encoded } = forgetting.end()?;
    if !failures.is_empty() {
        return Ok(Applied::Partly(failures));
    }
    let mut receipt = write_up(workspace, plan, &begun, searched, &key, means)?;
    (receipt.bytes_encoded, receipt.took_ms) = (bytes_encoded, clock.elapsed().as_millis() as u64);
    let receipt = receipts.add(receipt, &signer)?;
    end(workspace, &plan.hash)?;
    // All is erased and there is proof of it: releases whose reports went with what they counted get new ones.
    renew_all(workspace, &signer)?;
    Ok(Applied::Now(Box::new(receipt)))
}

fn note_path(workspace: &Workspace) -> PathBuf {
    workspace.receipts().join("begun.json")
}

fn open_note(workspace: &Workspace) -> Result<Option<Begun>, TakedownError> {
    let path = note_path(workspace);
    match std::fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|_| TakedownError::Note { path }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::io(&path, error).into()),
    }
}

/// Sees that the workspace is what was planned for, notes that the takedown begins, and writes its suppression list; or goes on where
/// that ended. Answers what is there to erase.
fn begin(
    workspace: &Workspace,
    plan: &TakedownPlan,
    confirm_large: bool,
    (means, key): (&Means, &Key),
    receipts: &Receipts,
) -> Result<(Begun, Survey), TakedownError> {
    let listed = sequence(workspace)?;
    // Before its list is written a takedown has changed nothing, and after its receipt it is over: then its note binds nobody.
    let under_way = open_note(workspace)?.filter(|begun| listed >= begun.number && receipts.of_plan(&begun.plan).is_none());
    match under_way {
        Some(begun) if begun.plan == plan.hash => return Ok((begun, survey(workspace, &plan.targets)?)),
        Some(other) => return Err(TakedownError::OtherOpen { hash: other.plan }),
        None => {}
    }
    if plan.is_large() && !confirm_large {
        return Err(TakedownError::Large { documents: plan.documents, of: plan.documents_of });
    }
    let found = survey(workspace, &plan.targets)?;
    check_unchanged(plan, &planned_files(workspace, &found)?)?;
    let number = receipts.last_number().max(listed) + 1;
    let index_documents = count_in_indexes(workspace, &plan.targets.ids)?;
    let begun = Begun { plan: plan.hash.clone(), number, began: means.now.clone(), index_documents };
    let json = serde_json::to_vec_pretty(&begun).expect("strings and numbers are JSON");
    store::write_over(&note_path(workspace), &json)?;
    feed::write(workspace, begun.number, &found, key)?;
    keep_out(workspace, plan, key, begun.number, &found)?;
    Ok((begun, found))
}

/// What runs have begun changes by itself, so it is no part of the comparison.
fn check_unchanged(plan: &TakedownPlan, now: &[PlannedFile]) -> Result<(), TakedownError> {
    let fixed = |files: &[PlannedFile]| -> BTreeMap<String, PlannedFile> {
        files.iter().filter(|file| file.store != Store::Unsealed).map(|file| (file.path.clone(), file.clone())).collect()
    };
    let (planned, now) = (fixed(&plan.files), fixed(now));
    let changed = planned.iter().find(|(path, file)| now.get(*path) != Some(file)).map(|(path, _)| format!("`{path}` is not what it was"));
    let new = now.keys().find(|path| !planned.contains_key(*path)).map(|path| format!("`{path}` holds more of it now"));
    match changed.or(new) {
        Some(what) => Err(TakedownError::Changed { what }),
        None => Ok(()),
    }
}

/// Writes the suppression list of this takedown, with the texts of the documents that are `published` still.
fn keep_out(workspace: &Workspace, plan: &TakedownPlan, key: &Key, number: u64, found: &Survey) -> Result<(), TakedownError> {
    let mut collector = Collector::new(key);
    let targets = &plan.targets;
    let kinds = [
        (Kind::Url, &targets.addresses),
        (Kind::UrlPrefix, &targets.prefixes),
        (Kind::Host, &targets.hosts),
        (Kind::Domain, &targets.domains),
    ];
    for (kind, names) in kinds {
        names.iter().for_each(|name| collector.add(kind, name));
    }
    targets.ids.iter().for_each(|id| collector.add(Kind::Id, &id.to_string()));
    // A dropped document may be a page of three words, or say what a thousand others say: its text keeps nothing out.
    for (path, rows) in found.documents() {
        texts(path, &rows.rows)?.iter().for_each(|text| collector.add_text(text));
    }
    append(workspace, key, &collector.segment(number, &plan.reason, plan.expires.clone()))?;
    Ok(())
}

fn write_up(
    workspace: &Workspace,
    plan: &TakedownPlan,
    begun: &Begun,
    files_searched: u64,
    key: &Key,
    means: &Means,
) -> Result<Receipt, TakedownError> {
    let mut stores: BTreeMap<String, StoreCount> = BTreeMap::new();
    let mut files = Vec::new();
    let manifests = Manifests::read(workspace)?;
    let published = manifests.all_current();
    for file in &plan.files {
        let count = stores.entry(file.store.name().to_owned()).or_default();
        count.files += 1;
        count.erased += file.count;
        count.bytes += file.bytes;
        let path = workspace.root().join(&file.path);
        let after = match published.get(file.path.as_str()) {
            Some(published) => published.sha256.clone(),
            None if path.exists() => store::sha256_file(&path)?,
            None => String::new(),
        };
        let etag = |path: &Path| crate::engine::plan::etag(path).map_err(|error| StoreError::io(path, error));
        let etags = match file.store {
            Store::Archives => Some((file.etag.clone(), etag(&path)?)),
            _ => None,
        };
        files.push(ReceiptFile { store: file.store.name().to_owned(), path: file.path.clone(), before: file.sha256.clone(), after, etags });
    }
    stores.entry(Store::Index.name().to_owned()).or_default().erased = begun.index_documents;
    let asked = plan.requests.iter().map(|request| key_of_request(request, key)).collect::<BTreeSet<_>>().into_iter().collect();
    Ok(Receipt {
        version: crate::ledger::receipt::VERSION,
        number: begun.number,
        plan: plan.hash.clone(),
        reason: plan.reason.clone(),
        received: plan.received.clone(),
        asked,
        began: begun.began.clone(),
        finished: means.now.clone(),
        tamis: env!("CARGO_PKG_VERSION").to_owned(),
        manifest: manifests.last_number(),
        took_ms: 0,
        rated_ms: plan.effort.rated_ms,
        bytes_encoded: 0,
        documents: plan.documents,
        stores,
        files,
        files_searched,
        previous: String::new(),
        public_key: String::new(),
        signature: String::new(),
    })
}

/// The kind of a request with its keyed hash: who has the key can see that it was this one, nobody else what it was.
fn key_of_request(request: &Request, key: &Key) -> String {
    let json = serde_json::to_string(request).expect("strings are JSON");
    let kind = json.split('"').nth(1).unwrap_or_default();
    format!("{kind}:{}", data_encoding::HEXLOWER.encode(&key.mac("request", json.as_bytes())))
}

fn end(workspace: &Workspace, hash: &str) -> Result<(), TakedownError> {
    match open_note(workspace)? {
        Some(begun) if begun.plan == hash => Ok(store::remove_file(&note_path(workspace))?),
        _ => Ok(()),
    }
}
