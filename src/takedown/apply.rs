//! Carries out a plan: the suppression list first, then store after store, at last the receipt.
//!
//! Nothing says how far a takedown came but the files themselves: each step searches and changes what still holds something, so after a
//! crash the same command goes on. A note that it was begun tells the goal apart from a data set that changed since the plan was made.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::find::{FindError, Hit};
use super::plan::{PlannedFile, TakedownPlan, planned_files, survey};
use super::request::{Request, RequestError};
use super::stores::{Holding, Store, search};
use super::tombstone::{self, TombstoneError};
use crate::dedup::erase::Orphans;
use crate::ledger::manifest::{ManifestError, Manifests, NewCommit, Replacement};
use crate::ledger::receipt::{Receipt, ReceiptError, ReceiptFile, Receipts, StoreCount};
use crate::passes::{JobError, erase_from_index};
use crate::sink::SinkError;
use crate::sinks::splice::{Kind as File, splice};
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
    Find(#[from] FindError),
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
}

/// That a takedown was begun. It holds no personal data.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Begun {
    plan: String,
    number: u64,
    began: String,
}

/// Carries out `plan`, or goes on with it. The caller holds the lock of the workspace.
///
/// # Errors
/// See [`TakedownError`]. Before the note is written nothing is changed.
pub fn apply(workspace: &Workspace, plan: &TakedownPlan, confirm_large: bool, means: &Means) -> Result<Applied, TakedownError> {
    let receipts = Receipts::open(workspace)?;
    if let Some(receipt) = receipts.of_plan(&plan.hash) {
        end(workspace, &receipt.plan)?;
        return Ok(Applied::Before(Box::new(receipt.clone())));
    }
    Manifests::open(workspace)?;
    let key = list_key(workspace, &means.suppression_key)?;
    let signer = receipts.signer(&means.signing_key)?;
    let begun = begin(workspace, plan, confirm_large, (means, &key), &receipts)?;
    let staging = workspace.staging(&transaction(begun.number));
    store::create_folder(&staging)?;
    replace_shards(workspace, plan, begun.number, &staging)?;
    let erased = erase_from_indexes(workspace, plan, begun.number)?;
    for store in Store::ALL.into_iter().filter(|store| !matches!(store, Store::Shards | Store::Index)) {
        forget(workspace, store, plan, begun.number, &staging)?;
    }
    let searched = verify(workspace, plan, &staging)?;
    let receipt = write_up(workspace, plan, &begun, (erased, searched), &key, means)?;
    let receipt = receipts.add(receipt, &signer)?;
    end(workspace, &plan.hash)?;
    store::remove_folder(&staging)?;
    Ok(Applied::Now(Box::new(receipt)))
}

fn transaction(number: u64) -> String {
    format!("takedown-{number}")
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
/// that ended. All of it needs one search of everything, while nothing is erased yet.
fn begin(
    workspace: &Workspace,
    plan: &TakedownPlan,
    confirm_large: bool,
    (means, key): (&Means, &Key),
    receipts: &Receipts,
) -> Result<Begun, TakedownError> {
    let listed = sequence(workspace)?;
    // Before its list is written a takedown has changed nothing, and after its receipt it is over: then its note binds nobody.
    let under_way = open_note(workspace)?.filter(|begun| listed >= begun.number && receipts.of_plan(&begun.plan).is_none());
    match under_way {
        Some(begun) if begun.plan == plan.hash => return Ok(begun),
        Some(other) => return Err(TakedownError::OtherOpen { hash: other.plan }),
        None => {}
    }
    if plan.is_large() && !confirm_large {
        return Err(TakedownError::Large { documents: plan.documents, of: plan.documents_of });
    }
    let found = survey(workspace, &plan.targets)?;
    check_unchanged(plan, &planned_files(workspace, &found)?)?;
    let begun = Begun { plan: plan.hash.clone(), number: receipts.last_number().max(listed) + 1, began: means.now.clone() };
    let json = serde_json::to_vec_pretty(&begun).expect("strings and numbers are JSON");
    store::write_over(&note_path(workspace), &json)?;
    keep_out(workspace, plan, key, begun.number, &found.published)?;
    Ok(begun)
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
fn keep_out(workspace: &Workspace, plan: &TakedownPlan, key: &Key, number: u64, published: &[Hit]) -> Result<(), TakedownError> {
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
    published.iter().for_each(|hit| collector.add_text(&hit.text));
    append(workspace, key, &collector.segment(number, &plan.reason))?;
    Ok(())
}

/// Takes the documents out of all shards, one transaction a data set.
fn replace_shards(workspace: &Workspace, plan: &TakedownPlan, number: u64, staging: &Path) -> Result<(), TakedownError> {
    let mut manifests = Manifests::open(workspace)?;
    let datasets: Vec<String> = manifests.datasets().into_iter().map(str::to_owned).collect();
    for dataset in datasets {
        let mut replacements = Vec::new();
        let current: Vec<_> = manifests.current(&dataset).into_values().cloned().collect();
        for file in current {
            let path = workspace.root().join(&file.path);
            let Some(Holding::Rows(found)) = search(Store::Shards, &path, &plan.targets)? else {
                continue;
            };
            let staged = staging.join(format!("{dataset}-{:05}.parquet", replacements.len()));
            let spliced = splice(File::Shard, &path, &found.rows, number, &staged)?;
            replacements.push(Replacement {
                staged,
                path: file.path,
                replaces: file.sha256,
                sha256: spliced.sha256,
                rows: spliced.rows,
                bytes: spliced.bytes,
                tokens: file.tokens.saturating_sub(spliced.tokens_erased),
            });
        }
        if !replacements.is_empty() {
            manifests.commit(commit_of(&manifests, &dataset, number, replacements))?;
        }
    }
    Ok(())
}

fn commit_of(manifests: &Manifests, dataset: &str, number: u64, replacements: Vec<Replacement>) -> NewCommit {
    let last = manifests.of_dataset(dataset).pop();
    let (recipe_hash, tokenizer) = last.map(|last| (last.recipe_hash, last.tokenizer)).unwrap_or_default();
    NewCommit {
        transaction: format!("{}-{dataset}", transaction(number)),
        dataset: dataset.to_owned(),
        plan: String::new(),
        recipe_hash,
        tokenizer,
        takedown_sequence: number,
        ledger: None,
        files: Vec::new(),
        replacements,
        index: Vec::new(),
        retired: Vec::new(),
    }
}

/// Takes the documents out of what deduplication remembers. Answers how many there were.
fn erase_from_indexes(workspace: &Workspace, plan: &TakedownPlan, number: u64) -> Result<u64, TakedownError> {
    let manifests = Manifests::open(workspace)?;
    let mut erased = 0;
    for dataset in manifests.datasets().into_iter().filter(|dataset| !manifests.index_of(dataset).is_empty()) {
        let name = format!("{}-{dataset}-index", transaction(number));
        // Copies of what was erased stay out with it: the list refuses them too.
        erased += erase_from_index(workspace, dataset, &name, number, &plan.targets.ids, Orphans::Block)?.documents;
    }
    Ok(erased)
}

/// Changes every file of one store that still holds something.
fn forget(workspace: &Workspace, store: Store, plan: &TakedownPlan, number: u64, staging: &Path) -> Result<(), TakedownError> {
    let staged = staging.join("file");
    for path in store.files(workspace)?.into_iter().filter(|path| !path.starts_with(staging)) {
        match search(store, &path, &plan.targets)? {
            None => {}
            Some(Holding::Rows(found)) => {
                splice(File::Rejects, &path, &found.rows, number, &staged)?;
                store::replace(&staged, &path)?;
            }
            Some(Holding::Records(extents)) => {
                tombstone::rewrite(&path, &extents, &staged)?;
                store::replace(&staged, &path)?;
            }
            Some(Holding::Lines(lines)) => {
                let bytes = std::fs::read(&path).map_err(|error| StoreError::io(&path, error))?;
                let left = bytes.split_inclusive(|byte| *byte == b'\n').enumerate().filter(|(number, _)| !lines.contains(number));
                store::write_over(&path, &left.flat_map(|(_, line)| line.iter().copied()).collect::<Vec<u8>>())?;
            }
            Some(Holding::Whole) => store::remove_file(&path)?,
        }
    }
    Ok(())
}

/// Searches all stores once more, but for what the takedown itself has in `staging`. Answers how many files were looked into.
fn verify(workspace: &Workspace, plan: &TakedownPlan, staging: &Path) -> Result<u64, TakedownError> {
    let left = survey(workspace, &plan.targets)?;
    if let Some((_, path, _)) = left.holdings.iter().find(|(_, path, _)| !path.starts_with(staging)) {
        return Err(TakedownError::Left { path: path.display().to_string() });
    }
    Store::ALL.iter().try_fold(0, |sum, store| Ok(sum + store.files(workspace)?.len() as u64))
}

fn write_up(
    workspace: &Workspace,
    plan: &TakedownPlan,
    begun: &Begun,
    (index_documents, files_searched): (u64, u64),
    key: &Key,
    means: &Means,
) -> Result<Receipt, TakedownError> {
    let mut stores: BTreeMap<String, StoreCount> = BTreeMap::new();
    let mut files = Vec::new();
    for file in &plan.files {
        let count = stores.entry(file.store.name().to_owned()).or_default();
        count.files += 1;
        count.erased += file.count;
        count.bytes += file.bytes;
        let path = workspace.root().join(&file.path);
        let after = if path.exists() { store::sha256_file(&path)? } else { String::new() };
        let etag = |path: &Path| crate::engine::plan::etag(path).map_err(|error| StoreError::io(path, error));
        let etags = match file.store {
            Store::Archives => Some((file.etag.clone(), etag(&path)?)),
            _ => None,
        };
        files.push(ReceiptFile { store: file.store.name().to_owned(), path: file.path.clone(), before: file.sha256.clone(), after, etags });
    }
    stores.entry(Store::Index.name().to_owned()).or_default().erased = index_documents;
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
        manifest: Manifests::read(workspace)?.last_number(),
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
