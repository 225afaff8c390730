//! What can be wrong with manifests, each with what to do about it.

use std::path::PathBuf;

use crate::store::StoreError;

/// Why manifests cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A manifest is damaged.
    #[error("the manifest `{path}` is damaged; restore it from a backup: it says what is published", path = path.display())]
    Damaged { path: PathBuf, source: serde_json::Error },
    /// A manifest is of a later format.
    #[error("the manifest `{path}` was written by a newer tamis (version {version} of the format); look at this workspace with that one", path = path.display())]
    Newer { path: PathBuf, version: u64 },
    /// A manifest has the wrong number, or one is missing.
    #[error("manifest {number} is missing from `{folder}`; restore it from a backup: it says what is published", folder = folder.display())]
    Gap { folder: PathBuf, number: u64 },
    /// A name that must not become a folder's.
    #[error("`{name}` cannot be the name of a {what}: letters, digits, `-`, `_` and `.` only, and no dot first")]
    Name { what: &'static str, name: String },
    /// A staged file that cannot be moved by rename.
    #[error("the staged file `{path}` does not lie in the workspace", path = path.display())]
    Outside { path: PathBuf },
    /// A staged file is not what its task wrote.
    #[error(
        "`{path}` changed on disk while it waited (its SHA-256 is not {sha256}); nothing was published: remove it and its commit record, \
         and run the same command again",
        path = path.display()
    )]
    Changed { path: PathBuf, sha256: String },
    /// The same transaction was committed with other files.
    #[error(
        "NONDETERMINISM: transaction {transaction} was committed as manifest {number} with other files; nothing was changed, please report this"
    )]
    OtherFiles { transaction: String, number: u64 },
    /// A file that a manifest names is neither staged nor published.
    #[error(
        "manifest {number} names `{path}`, which is neither staged nor published with SHA-256 {sha256}; restore the file from a backup"
    )]
    Lost { number: u64, path: String, sha256: String },
}
