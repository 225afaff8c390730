//! Releases: a version of a data set, frozen under a name, with all its reports inside, ready to be given away as it lies.
//!
//! A release is a small house of its own: `releases/<name>/data/<data set>/lang=<tag>/part-<n>.parquet` as hard links of the published shards (copies where
//! the disk is another one), the reports beside `data/`, a [`record`], checksums and their signature. What comes later does not reach it, but for a
//! takedown: a release is a store, so links do not let old bytes live on. Its reports, which count and name domains, go with the first document that is erased,
//! and [`freeze::renew`] makes them anew from what is left.

pub mod forget;
pub mod freeze;
pub mod record;
mod reports;
pub mod verify;

use std::path::PathBuf;

use crate::ledger::manifest::ManifestError;
use crate::ledger::receipt::ReceiptError;
use crate::publish::set::SetError;
use crate::store::StoreError;
use crate::suppression::ListError;

/// Why something was not released.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// The system refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The manifests.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The list of what must not come back.
    #[error(transparent)]
    List(#[from] ListError),
    /// The key that signs.
    #[error(transparent)]
    Receipt(#[from] ReceiptError),
    /// The reports.
    #[error(transparent)]
    Set(#[from] SetError),
    /// A name that is none.
    #[error(
        "`{name}` cannot be the name of a release; take letters, digits, `-`, `_` and `.`, with a letter or a digit first, and not `list`"
    )]
    Name { name: String },
    /// The name is taken.
    #[error("`{name}` is a release of `{dataset}` already; take another name")]
    Taken { name: String, dataset: String },
    /// Nothing to release.
    #[error("`{dataset}` has no published document to release; run its recipe first")]
    Nothing { dataset: String },
    /// A shard is not what was published.
    #[error("`{path}` is damaged: it is not the file that the manifest names; restore it from a backup, and see `tamis verify`", path = path.display())]
    Corrupt { path: PathBuf },
    /// No release.
    #[error("`{path}` belongs to no release of this workspace; `tamis release list` names them", path = path.display())]
    NotReleased { path: PathBuf },
    /// A record cannot be read.
    #[error("cannot read the record of a release `{path}`: {why}; restore it from a backup, or remove the folder of the release", path = path.display())]
    Record { path: PathBuf, why: String },
    /// What the publisher says cannot be read.
    #[error("{0}")]
    Facts(String),
}
