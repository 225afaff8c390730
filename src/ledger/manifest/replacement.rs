//! Files that take the place of published ones: the path stays, what stands there changes in one step.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{FileEntry, ManifestError, Manifests};

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
    /// Documents and token ids that takedowns took out of the shards of `dataset` since they were first published, by language.
    #[must_use]
    pub fn erased(&self, dataset: &str) -> BTreeMap<String, (u64, u64)> {
        let mut first: BTreeMap<&str, &FileEntry> = BTreeMap::new();
        for file in self.all.iter().filter(|manifest| manifest.dataset == dataset).flat_map(|manifest| &manifest.files) {
            first.entry(&file.path).or_insert(file);
        }
        let mut erased: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        for (path, now) in self.current(dataset) {
            let lang = path.split('/').find_map(|part| part.strip_prefix("lang=")).unwrap_or("und");
            let gone = first.get(path).map_or((0, 0), |then| (then.rows.saturating_sub(now.rows), then.tokens.saturating_sub(now.tokens)));
            if gone != (0, 0) {
                let sum = erased.entry(lang.to_owned()).or_default();
                *sum = (sum.0 + gone.0, sum.1 + gone.1);
            }
        }
        erased
    }

    /// The file that took the place of the one at `path` with SHA-256 `before`.
    #[must_use]
    pub fn successor(&self, path: &str, before: &str) -> Option<&FileEntry> {
        let files = self.all.iter().flat_map(|manifest| &manifest.files);
        files.into_iter().find(|file| file.path == path && file.replaces.as_deref() == Some(before))
    }

    pub(super) fn replacing_entry(&self, file: &Replacement) -> Result<FileEntry, ManifestError> {
        // Its hash was taken while it was written, a moment ago, and it is flushed: it has not waited in staging as a run's shards do.
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
