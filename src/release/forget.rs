//! How a release forgets. The record gets the new hash before the file is swapped, and reports and checksums go before that, so a takedown that is killed
//! goes on, and nothing ever vouches for what was erased.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::ReleaseError;
use super::record::{BESIDE, FACTS, Part, Release, SIGNATURE, SUMS, part_of};
use crate::ledger::manifest::{FileEntry, Manifests};
use crate::sinks::splice::Spliced;
use crate::store;
use crate::workspace::Workspace;

/// A shard of a release at the time of a takedown.
pub struct Forget<'a> {
    workspace: &'a Workspace,
    release: Release,
    name: String,
}

impl<'a> Forget<'a> {
    /// The release of the shard at `path`.
    ///
    /// # Errors
    /// When it is none, or the record cannot be read.
    pub fn open(workspace: &'a Workspace, path: &Path) -> Result<Forget<'a>, ReleaseError> {
        let release = Release::of_file(workspace, path)?;
        let name = release.name_of(path);
        Ok(Forget { workspace, release, name })
    }

    /// The hash that the shard should have, where it is neither what the record says nor what it was before a takedown that died.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn fault(&self) -> Result<Option<(String, String)>, ReleaseError> {
        let found = store::sha256_file(&self.release.folder.join(&self.name))?;
        let expected = self.release.record.files.iter().find(|file| file.path == self.name);
        Ok(match expected {
            Some(file) if file.sha256 != found && file.before.as_deref() != Some(&found) => Some((file.sha256.clone(), found)),
            _ => None,
        })
    }

    /// The published file that the same takedown has made of the same bytes, if there is one: the release can have it as it is.
    ///
    /// # Errors
    /// When manifests or files cannot be read.
    pub fn heir(&self) -> Result<Option<(PathBuf, Spliced)>, ReleaseError> {
        let manifests = Manifests::read(self.workspace)?;
        let now = store::sha256_file(&self.release.folder.join(&self.name))?;
        let heir = manifests.successor(&self.name, &now);
        let current = manifests.all_current().get(self.name.as_str()).map(|file| file.sha256.clone());
        let heir = heir.filter(|heir| Some(&heir.sha256) == current.as_ref());
        Ok(heir.map(|FileEntry { path, sha256, rows, bytes, tokens, .. }| {
            let (sha256, tokens_erased) = (sha256.clone(), self.tokens().saturating_sub(*tokens));
            let new = Spliced { sha256, rows: *rows, bytes: *bytes, bytes_encoded: 0, tokens_erased, groups_gone: BTreeSet::new() };
            (self.workspace.root().join(path), new)
        }))
    }

    /// Token ids of the shard, as the record has it.
    fn tokens(&self) -> u64 {
        self.release.record.files.iter().find(|file| file.path == self.name).map_or(0, |file| file.tokens)
    }

    /// Puts the finished file `staged` in the place of the shard.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn swap(mut self, staged: &Path, new: &Spliced, number: u64) -> Result<(), ReleaseError> {
        let path = self.release.folder.join(&self.name);
        let before = store::sha256_file(&path)?;
        // Beside its place: the release may lie on another disk than the staging.
        let beside = path.with_extension(BESIDE.trim_start_matches('.'));
        store::remove_file(&beside)?;
        store::link_or_copy(staged, &beside)?;
        self.release.record.takedown_sequence = self.release.record.takedown_sequence.max(number);
        let entry = self.release.record.files.iter_mut().find(|file| file.path == self.name);
        // A takedown that died may have come as far as the record, and tokens are taken off once.
        if let Some(file) = entry.filter(|file| file.sha256 != new.sha256) {
            file.before = Some(before);
            file.tokens = file.tokens.saturating_sub(new.tokens_erased);
            (file.sha256, file.bytes, file.rows) = (new.sha256.clone(), new.bytes, new.rows);
        }
        unvouch(&mut self.release)?;
        Ok(store::replace(&beside, &path)?)
    }
}

/// Removes a file of a release that is no shard: a report, and all others with it; or what something that died left.
///
/// # Errors
/// When the system refuses.
pub fn remove(workspace: &Workspace, path: &Path) -> Result<(), ReleaseError> {
    store::remove_file(path)?;
    match part_of(workspace, path)? {
        Part::Leftover => Ok(()),
        _ => unvouch(&mut Release::of_file(workspace, path)?),
    }
}

/// Takes away what vouches for a release or counts it: signature, checksums, reports. What the publisher says stays.
fn unvouch(release: &mut Release) -> Result<(), ReleaseError> {
    for name in [SIGNATURE, SUMS] {
        store::remove_file(&release.folder.join(name))?;
    }
    for report in release.record.reports.iter().filter(|report| report.path != FACTS) {
        store::remove_file(&release.folder.join(&report.path))?;
    }
    release.record.reports.clear();
    release.write()
}
