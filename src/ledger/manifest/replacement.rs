//! Files that take the place of published ones: the path stays, what stands there changes in one step.

use std::path::PathBuf;

use super::{FileEntry, ManifestError, Manifests, check_hash};

/// A finished shard that waits in staging to take the place of a published one.
#[derive(Clone, Debug)]
pub struct Replacement {
    /// Where it is, inside the workspace.
    pub staged: PathBuf,
    /// Path of the published file, below the workspace.
    pub path: String,
    /// SHA-256 of the published file, hex.
    pub replaces: String,
    /// SHA-256, hex.
    pub sha256: String,
    /// Documents.
    pub rows: u64,
    /// Size.
    pub bytes: u64,
    /// Token ids.
    pub tokens: u64,
}

impl Manifests {
    pub(super) fn replacing_entry(&self, file: &Replacement) -> Result<FileEntry, ManifestError> {
        check_hash(&file.staged, &file.sha256)?;
        Ok(FileEntry {
            path: file.path.clone(),
            staged: self.relative(&file.staged)?,
            sha256: file.sha256.clone(),
            replaces: Some(file.replaces.clone()),
            rows: file.rows,
            bytes: file.bytes,
            tokens: file.tokens,
        })
    }
}
