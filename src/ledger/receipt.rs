//! Receipts: what was erased, when, from which files, signed and chained to the receipt before. They hold no personal data.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::store::{self, StoreError};
use crate::suppression::{Key, KeyError};
use crate::workspace::Workspace;

/// Version of the format.
pub const VERSION: u32 = 1;

/// A receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// Version of this format.
    pub version: u32,
    /// Number of the takedown, which the suppression list and shards name too. Numbers rise; one is left out where an entry of the list
    /// expired.
    pub number: u64,
    /// Hash of the plan that was carried out.
    pub plan: String,
    /// Why.
    pub reason: String,
    /// The day on which the request came.
    pub received: String,
    /// What was asked: the kind of each request with its keyed hash.
    pub asked: Vec<String>,
    /// When it was begun.
    pub began: String,
    /// When it was finished.
    pub finished: String,
    /// ms that its last run took until this receipt was written.
    pub took_ms: u64,
    /// ms that it would take on the machine whose rates the plan knows.
    pub rated_ms: u64,
    /// Bytes of Parquet files that its last run encoded anew; all others were copied.
    pub bytes_encoded: u64,
    /// Version of tamis.
    pub tamis: String,
    /// Number of the newest manifest afterwards.
    pub manifest: u64,
    /// Published documents that were erased.
    pub documents: u64,
    /// What was erased, by store.
    pub stores: BTreeMap<String, StoreCount>,
    /// The files that changed.
    pub files: Vec<ReceiptFile>,
    /// Files that were searched once more afterwards, and held nothing of it: else there would be no receipt.
    pub files_searched: u64,
    /// SHA-256 of the receipt before; empty for the first.
    pub previous: String,
    /// Public key of the signature, hex.
    pub public_key: String,
    /// Ed25519 signature (RFC 8032) of the receipt's JSON with this field empty, hex.
    pub signature: String,
}

/// What was erased from one store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreCount {
    /// Files that changed.
    pub files: u64,
    /// Documents, records or lines that went.
    pub erased: u64,
    /// Bytes of those files before.
    pub bytes: u64,
}

/// A file that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptFile {
    /// Its store.
    pub store: String,
    /// Path below the workspace.
    pub path: String,
    /// SHA-256 before.
    pub before: String,
    /// SHA-256 afterwards; empty where the file is gone.
    pub after: String,
    /// What runs knew an archive by, and know it by now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etags: Option<(String, String)>,
}

/// Why receipts cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptError {
    /// The system refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The signing key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The signing key is another one.
    #[error(
        "receipts of this workspace are signed with the key {expected}, and the one at `{path}` is {found}; restore the right key file from a \
         backup, or name another folder with --keys: nothing was done",
        path = path.display()
    )]
    OtherSigner { path: PathBuf, expected: String, found: String },
    /// The signing key is gone.
    #[error(
        "this workspace has receipts, but the key that signed them is not at `{path}`; restore the file from a backup, or name another folder \
         with --keys: nothing was done",
        path = path.display()
    )]
    NoSigner { path: PathBuf },
    /// A file is no receipt.
    #[error("`{path}` is no receipt that this version of tamis can read: {why}", path = path.display())]
    Format { path: PathBuf, why: String },
}

/// The key that signs.
pub struct Signer(SigningKey);

impl Signer {
    fn of(key: &Key) -> Signer {
        Signer(SigningKey::from_bytes(key.bytes()))
    }

    /// Its public key, hex.
    #[must_use]
    pub fn public_key(&self) -> String {
        HEXLOWER.encode(self.0.verifying_key().as_bytes())
    }

    /// The Ed25519 signature (RFC 8032) of `bytes`, hex.
    #[must_use]
    pub fn sign(&self, bytes: &[u8]) -> String {
        HEXLOWER.encode(&self.0.sign(bytes).to_bytes())
    }
}

/// Whether `signature` is the one of `bytes` by the owner of `public_key`, both hex.
#[must_use]
pub fn is_signed_by(public_key: &str, signature: &str, bytes: &[u8]) -> bool {
    let decode = |hex: &str| HEXLOWER.decode(hex.as_bytes()).ok();
    let key = decode(public_key).and_then(|bytes| VerifyingKey::from_bytes(&bytes.try_into().ok()?).ok());
    let signature = decode(signature).and_then(|bytes| Some(Signature::from_bytes(&bytes.try_into().ok()?)));
    match (key, signature) {
        (Some(key), Some(signature)) => key.verify_strict(bytes, &signature).is_ok(),
        _ => false,
    }
}

impl Receipt {
    fn to_json(&self) -> Vec<u8> {
        let mut json = serde_json::to_vec_pretty(self).expect("strings, numbers and lists are JSON");
        json.push(b'\n');
        json
    }

    fn unsigned(&self) -> Vec<u8> {
        Receipt { signature: String::new(), ..self.clone() }.to_json()
    }

    fn sha256(&self) -> String {
        HEXLOWER.encode(&Sha256::digest(self.to_json()))
    }

    /// Whether its signature is of its own public key and of what it says.
    #[must_use]
    pub fn is_signed(&self) -> bool {
        is_signed_by(&self.public_key, &self.signature, &self.unsigned())
    }
}

/// All receipts of a workspace.
#[derive(Debug)]
pub struct Receipts {
    folder: PathBuf,
    all: Vec<Receipt>,
}

impl Receipts {
    /// Reads them.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn open(workspace: &Workspace) -> Result<Receipts, ReceiptError> {
        let folder = workspace.receipts();
        let mut all = Vec::new();
        for path in store::files_below(&folder)?.into_iter().filter(|path| path.parent() == Some(&*folder) && is_receipt(path)) {
            let bytes = std::fs::read(&path).map_err(|error| StoreError::io(&path, error))?;
            all.push(serde_json::from_slice(&bytes).map_err(|source| ReceiptError::Format { path, why: source.to_string() })?);
        }
        Ok(Receipts { folder, all })
    }

    /// All of them, oldest first.
    #[must_use]
    pub fn all(&self) -> &[Receipt] {
        &self.all
    }

    /// The one of the plan with this hash.
    #[must_use]
    pub fn of_plan(&self, hash: &str) -> Option<&Receipt> {
        self.all.iter().find(|receipt| receipt.plan == hash)
    }

    /// Number of the last one; 0 before the first.
    #[must_use]
    pub fn last_number(&self) -> u64 {
        self.all.last().map_or(0, |receipt| receipt.number)
    }

    /// The key at `path`, which signs the next receipt. It is made only for the first one: a chain has one key.
    ///
    /// # Errors
    /// When it is gone or another one, others may read it, or a new one cannot be written.
    pub fn signer(&self, path: &Path) -> Result<Signer, ReceiptError> {
        let Some(last) = self.all.last() else { return Ok(Signer::of(&Key::load_or_make(path)?)) };
        let key = Key::load(path)?.ok_or_else(|| ReceiptError::NoSigner { path: path.to_owned() })?;
        let (signer, expected) = (Signer::of(&key), last.public_key.clone());
        match signer.public_key() {
            found if found == expected => Ok(signer),
            found => Err(ReceiptError::OtherSigner { path: path.to_owned(), expected, found }),
        }
    }

    /// Chains `receipt` to the last one, signs and writes it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add(&self, receipt: Receipt, signer: &Signer) -> Result<Receipt, ReceiptError> {
        let previous = self.all.last().map(Receipt::sha256).unwrap_or_default();
        let mut receipt = Receipt { previous, public_key: signer.public_key(), ..receipt };
        receipt.signature = signer.sign(&receipt.unsigned());
        store::write_new(&path_of(&self.folder, receipt.number), &receipt.to_json())?;
        Ok(receipt)
    }

    /// What is wrong with them, in words; empty if they all hold. Needs no key and no network.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut before: Option<&Receipt> = None;
        for receipt in &self.all {
            let number = receipt.number;
            let mut fault = |what: &str| faults.push(format!("receipt {number}: {what}"));
            if before.is_some_and(|before| number <= before.number) {
                fault("its number is not behind the one before it");
            }
            if !receipt.is_signed() {
                fault("the signature does not fit what it says: it was changed after it was signed");
            }
            if receipt.previous != before.map(Receipt::sha256).unwrap_or_default() {
                fault("it does not follow the receipt before it: one was changed, added or removed");
            }
            if before.is_some_and(|before| before.public_key != receipt.public_key) {
                fault("it is signed with another key than the receipt before it");
            }
            before = Some(receipt);
        }
        faults
    }
}

/// Whether a file is named by a number, as receipts are; other files of the folder are notes and the register.
fn is_receipt(path: &Path) -> bool {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    path.extension().is_some_and(|ending| ending == "json") && stem.len() == 8 && stem.bytes().all(|byte| byte.is_ascii_digit())
}

fn path_of(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:08}.json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receipt(number: u64) -> Receipt {
        Receipt {
            version: VERSION,
            number,
            plan: format!("{number}"),
            reason: "gdpr-17".to_owned(),
            received: "2026-11-20".to_owned(),
            asked: Vec::new(),
            began: String::new(),
            finished: String::new(),
            took_ms: 0,
            rated_ms: 0,
            bytes_encoded: 0,
            tamis: String::new(),
            manifest: 1,
            documents: 2,
            stores: BTreeMap::from([("shards".to_owned(), StoreCount { files: 1, erased: 2, bytes: 3 })]),
            files: Vec::new(),
            files_searched: 4,
            previous: String::new(),
            public_key: String::new(),
            signature: String::new(),
        }
    }

    #[test]
    fn receipts_hold_and_any_change_to_one_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let workspace = Workspace::open(&folder.path().join("w")).expect("a free place");
        let path = folder.path().join("signing.key");
        for number in 1..=3 {
            let receipts = Receipts::open(&workspace).expect("they are sound");
            receipts.add(receipt(number), &receipts.signer(&path).expect("the same key")).expect("room");
        }
        let receipts = Receipts::open(&workspace).expect("they are sound");
        assert!(receipts.faults().is_empty(), "{:?}", receipts.faults());
        assert_eq!((receipts.last_number(), receipts.of_plan("2").map(|receipt| receipt.number)), (3, Some(2)));
        let path = path_of(&workspace.receipts(), 2);
        let whole = std::fs::read_to_string(&path).expect("it is there");
        std::fs::write(&path, whole.replacen("\"documents\": 2", "\"documents\": 1", 1)).expect("room");
        let faults = Receipts::open(&workspace).expect("they can be read").faults();
        assert!(faults[0].starts_with("receipt 2: the signature") && faults[1].starts_with("receipt 3: it does not follow"), "{faults:?}");
        // Signed anew with another key it holds by itself, but not in its chain.
        let other = folder.path().join("other.key");
        assert!(matches!(receipts.signer(&other), Err(ReceiptError::NoSigner { .. })));
        let other_signer = Signer::of(&Key::load_or_make(&other).expect("room"));
        assert!(matches!(receipts.signer(&other), Err(ReceiptError::OtherSigner { .. })));
        std::fs::write(&path, "").and_then(|()| std::fs::remove_file(&path)).expect("it is ours");
        let first = Receipts { folder: workspace.receipts(), all: receipts.all()[..1].to_vec() };
        first.add(Receipt { documents: 1, ..receipt(2) }, &other_signer).expect("room");
        assert_eq!(Receipts::open(&workspace).expect("they can be read").faults().len(), 3);
    }
}
