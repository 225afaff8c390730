//! The deduplication index of a data set among its manifests: runs are added, stand in for others, and are replaced in their place.

use std::path::PathBuf;

use super::{FileEntry, ManifestError, Manifests};

/// A finished file of the index that waits in staging.
#[derive(Clone, Debug)]
pub struct StagedIndexFile {
    /// Where it is, inside the workspace.
    pub staged: PathBuf,
    /// Its name in `_tamis/index/<data set>/`.
    pub name: String,
    /// SHA-256, hex.
    pub sha256: String,
    /// Rows.
    pub rows: u64,
    /// Size.
    pub bytes: u64,
    /// Whether it was written and hashed a moment ago, and need not be hashed again.
    pub is_fresh: bool,
}

impl Manifests {
    /// The files of the deduplication index of one data set as they stand now, in the order in which runs were added.
    #[must_use]
    pub fn index_of(&self, dataset: &str) -> Vec<&FileEntry> {
        let mut files: Vec<&FileEntry> = Vec::new();
        for manifest in self.all.iter().filter(|manifest| manifest.dataset == dataset) {
            files.retain(|file| !manifest.retired.contains(&file.path));
            for file in &manifest.index {
                match files.iter_mut().find(|known| known.path == file.path) {
                    Some(known) => *known = file,
                    None => files.push(file),
                }
            }
        }
        files
    }

    pub(super) fn index_entry(&self, dataset: &str, file: &StagedIndexFile) -> Result<FileEntry, ManifestError> {
        Ok(FileEntry {
            path: format!("_tamis/index/{dataset}/{}", file.name),
            staged: self.relative(&file.staged)?,
            sha256: file.sha256.clone(),
            replaces: None,
            rows: file.rows,
            bytes: file.bytes,
            tokens: 0,
        })
    }
}
