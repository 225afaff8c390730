//! What mirrors are told: of each takedown the shards that changed, their hashes before and after, and the erased documents under keys.
//!
//! A key is SHA-256 of a salt that is new for every takedown and of the document's id. Whoever has the document finds it again; whoever
//! has it not learns nothing. A mirror that takes the rows out with the same splice ends with the same bytes as the publisher.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::apply::TakedownError;
use super::survey::{Survey, relative};
use crate::doc::DocId;
use crate::ledger::manifest::Manifests;
use crate::ledger::receipt::{Receipts, Signer, is_signed_by};
use crate::locator::InBlock;
use crate::locator::LocateError;
use crate::locator::rows::Documents;
use crate::sinks::splice::{Kind, Rows, splice};
use crate::store::{self, StoreError};
use crate::suppression::Key;
use crate::workspace::Workspace;

/// Version of the format.
const VERSION: u32 = 1;
/// Bytes of a key that are told.
const KEY_BYTES: usize = 16;

/// One takedown, as mirrors are told of it: a line of the feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tombstones {
    /// Version of this format.
    pub version: u32,
    /// Number of the takedown.
    pub takedown: u64,
    /// What the keys were made with, hex.
    pub salt: String,
    /// The shards that changed.
    pub shards: Vec<ShardTombstones>,
    /// Public key of the signature, hex.
    #[serde(default)]
    pub public_key: String,
    /// Ed25519 signature of this line with this field empty, hex.
    #[serde(default)]
    pub signature: String,
}

/// One shard that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShardTombstones {
    /// Path below the workspace: `data/<data set>/lang=<tag>/part-<n>.parquet`.
    pub path: String,
    /// SHA-256 before.
    pub before: String,
    /// SHA-256 afterwards.
    #[serde(default)]
    pub after: String,
    /// Documents that went.
    pub rows: u64,
    /// Their keys, hex.
    pub documents: BTreeSet<String>,
}

/// What became of one shard of a mirror.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The rows are gone, and the file is what the publisher has.
    Same,
    /// It was so already.
    Already,
    /// The mirror does not have it.
    Absent,
    /// The rows are gone, but the file is another one than the publisher's.
    Differs,
    /// None of the rows is in it, and it is another file than the publisher's.
    Unknown,
}

fn key(salt: &[u8], id: DocId) -> String {
    let hash = Sha256::new().chain_update(salt).chain_update(id.0.to_be_bytes()).finalize();
    HEXLOWER.encode(&hash[..KEY_BYTES])
}

fn path_of(workspace: &Workspace, number: u64) -> PathBuf {
    workspace.feed().join(format!("{number:08}.json"))
}

/// Notes what mirrors will be told of takedown `number`, while the documents are still there.
///
/// # Errors
/// When it cannot be written.
pub(super) fn write(workspace: &Workspace, number: u64, found: &Survey, secret: &Key) -> Result<(), TakedownError> {
    let salt = &secret.mac("feed", &number.to_be_bytes());
    let manifests = Manifests::read(workspace)?;
    let published = manifests.all_current();
    let shard = |path: &Path, ids: BTreeSet<String>| {
        let path = relative(workspace, path);
        let before = published.get(path.as_str()).map(|file| file.sha256.clone()).unwrap_or_default();
        ShardTombstones { path, before, after: String::new(), rows: ids.len() as u64, documents: ids }
    };
    let shards = found.shards().map(|(path, found)| shard(path, found.hits.iter().map(|hit| key(salt, hit.id)).collect())).collect();
    let told = Tombstones {
        version: VERSION,
        takedown: number,
        salt: HEXLOWER.encode(salt),
        shards,
        public_key: String::new(),
        signature: String::new(),
    };
    Ok(store::write_over(&path_of(workspace, number), &told.to_json())?)
}

impl Tombstones {
    fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("strings, numbers and lists are JSON")
    }

    fn unsigned(&self) -> Vec<u8> {
        Tombstones { signature: String::new(), ..self.clone() }.to_json()
    }

    /// Reads one line of a feed.
    ///
    /// # Errors
    /// When it is none, or was changed after it was signed, or somebody else than the owner of `public_key` signed it.
    pub fn parse(line: &str, public_key: Option<&str>) -> Result<Tombstones, String> {
        let told: Tombstones = serde_json::from_str(line).map_err(|error| format!("it is no line of a feed: {error}"))?;
        if told.version != VERSION {
            return Err(format!("it has version {}, not {VERSION}", told.version));
        }
        if !is_signed_by(&told.public_key, &told.signature, &told.unsigned()) {
            return Err("it was changed after it was signed".to_owned());
        }
        match public_key {
            Some(expected) if expected != told.public_key => Err(format!("it is signed with the key {}, not {expected}", told.public_key)),
            _ => Ok(told),
        }
    }
}

/// What mirrors are to be told, signed: every finished takedown that changed shards and is newer than `since`.
///
/// # Errors
/// When notes, manifests or receipts cannot be read.
pub fn read(workspace: &Workspace, since: u64, signer: &Signer) -> Result<Vec<Tombstones>, TakedownError> {
    let manifests = Manifests::read(workspace)?;
    let mut all = Vec::new();
    for receipt in Receipts::open(workspace)?.all().iter().filter(|receipt| receipt.number > since) {
        let path = path_of(workspace, receipt.number);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(StoreError::io(&path, error).into()),
        };
        let mut told: Tombstones =
            serde_json::from_slice(&bytes).map_err(|error| TakedownError::NoPlan { path: path.clone(), why: error.to_string() })?;
        for shard in &mut told.shards {
            shard.after = manifests.successor(&shard.path, &shard.before).map(|file| file.sha256.clone()).unwrap_or_default();
        }
        told.public_key = signer.public_key();
        told.signature = signer.sign(&told.unsigned());
        all.extend(Some(told).filter(|told| !told.shards.is_empty()));
    }
    Ok(all)
}

/// Takes the rows of one shard out of the mirror's copy at `path`.
///
/// # Errors
/// When the copy cannot be read or replaced.
pub fn apply(told: &Tombstones, shard: &ShardTombstones, path: &Path) -> Result<Outcome, TakedownError> {
    if !path.exists() {
        return Ok(Outcome::Absent);
    }
    let now = store::sha256_file(path)?;
    if now == shard.after {
        return Ok(Outcome::Already);
    }
    let rows = rows_of(told, shard, path)?;
    if rows.is_empty() {
        return Ok(Outcome::Unknown);
    }
    // Readers of the mirror glob its folder, so the new file waits beside it under a name that they pass over.
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let staged = path.with_file_name(format!(".{name}.takedown"));
    let spliced = splice(Kind::Shard, path, &rows, told.takedown, &staged)?;
    store::replace(&staged, path)?;
    Ok(if spliced.sha256 == shard.after { Outcome::Same } else { Outcome::Differs })
}

fn rows_of(told: &Tombstones, shard: &ShardTombstones, path: &Path) -> Result<Rows, TakedownError> {
    let refused = |source| LocateError::Parquet { path: path.to_owned(), source };
    let salt = HEXLOWER.decode(told.salt.as_bytes()).unwrap_or_default();
    let documents = Documents::open(path).map_err(refused)?;
    let mut rows = Rows::new();
    for group in 0..documents.groups().len() {
        let add = |number: usize, row: crate::locator::rows::Row<'_>| {
            if shard.documents.contains(&key(&salt, row.id())) {
                rows.entry(group).or_default().insert(number);
            }
        };
        documents.for_each(group, &InBlock::Anywhere, &["id"], add).map_err(refused)?;
    }
    Ok(rows)
}
