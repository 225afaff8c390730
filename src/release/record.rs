//! What a release says of itself, `release.json` in its folder: of which state of which data set it is, and its files with hashes. No names of people or pages.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::ReleaseError;
use crate::ledger::manifest::FileEntry;
use crate::publish::set::Version;
use crate::store;
use crate::workspace::Workspace;

/// The record.
pub const RECORD: &str = "release.json";
/// Checksums of all files but this one and its signature.
pub const SUMS: &str = "SHA256SUMS";
/// The signature of the checksums.
pub const SIGNATURE: &str = "SHA256SUMS.sig";
/// What the publisher says, as it was given.
pub const FACTS: &str = "facts.toml";
/// How the folder of a release begins that is not finished.
pub(super) const UNFINISHED: &str = ".new-";
/// How the name of a shard ends that takes the place of another one.
pub(super) const BESIDE: &str = ".parquet.new";

/// A file of a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleasedFile {
    /// Below the folder of the release, parts joined by `/`.
    pub path: String,
    /// SHA-256, hex.
    pub sha256: String,
    /// SHA-256 of what it was before the last takedown: a takedown that died may have left that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// Size.
    pub bytes: u64,
    /// Documents.
    pub rows: u64,
    /// Token ids.
    pub tokens: u64,
}

/// A report of a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportFile {
    /// Below the folder of the release.
    pub path: String,
    /// SHA-256, hex.
    pub sha256: String,
    /// Size.
    pub bytes: u64,
}

/// `release.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleaseRecord {
    /// Version of this format: 1.
    pub version: u32,
    /// Its name.
    pub name: String,
    /// The data set.
    pub dataset: String,
    /// Number of the newest manifest that it contains.
    pub manifest: u64,
    /// Number of the last takedown that it honours.
    pub takedown_sequence: u64,
    /// The day, YYYY-MM-DD.
    pub released: String,
    /// The version of tamis that made it.
    pub tamis: String,
    /// Shards.
    pub files: Vec<ReleasedFile>,
    /// Reports; none since a takedown erased something and until they are made anew.
    pub reports: Vec<ReportFile>,
}

impl ReleaseRecord {
    /// Documents.
    #[must_use]
    pub fn documents(&self) -> u64 {
        self.files.iter().map(|file| file.rows).sum()
    }

    /// Bytes of its shards.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// What of the data set it is, with its files below `root`.
    #[must_use]
    pub(super) fn as_version(&self, root: &Path) -> Version {
        let files = self.files.iter().filter(|file| file.rows > 0).map(ReleasedFile::entry).collect();
        Version {
            dataset: self.dataset.clone(),
            files,
            root: root.to_owned(),
            manifest: self.manifest,
            takedown: Some(self.takedown_sequence),
            day: Some(self.released.clone()),
        }
    }
}

impl ReleasedFile {
    pub(super) fn entry(&self) -> FileEntry {
        let ReleasedFile { path, sha256, bytes, rows, tokens, .. } = self.clone();
        FileEntry { path, staged: String::new(), sha256, replaces: None, rows, bytes, tokens }
    }
}

impl ReportFile {
    pub(super) fn entry(&self) -> FileEntry {
        let ReportFile { path, sha256, bytes } = self.clone();
        FileEntry { path, staged: String::new(), sha256, replaces: None, rows: 0, bytes, tokens: 0 }
    }
}

/// A release with its folder.
#[derive(Clone, Debug)]
pub struct Release {
    /// Where it lies.
    pub folder: PathBuf,
    /// What it says of itself.
    pub record: ReleaseRecord,
}

impl Release {
    /// Reads the release in `folder`.
    ///
    /// # Errors
    /// When its record cannot be read.
    pub fn read(folder: &Path) -> Result<Release, ReleaseError> {
        let path = folder.join(RECORD);
        let wrong = |why: String| ReleaseError::Record { path: path.clone(), why };
        let bytes = std::fs::read(&path).map_err(|error| wrong(error.to_string()))?;
        let record: ReleaseRecord = serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
        if record.version != 1 {
            return Err(wrong(format!("it has version {}, not 1", record.version)));
        }
        Ok(Release { folder: folder.to_owned(), record })
    }

    /// The release that `path` lies in.
    ///
    /// # Errors
    /// When it lies in none, or the record cannot be read.
    pub fn of_file(workspace: &Workspace, path: &Path) -> Result<Release, ReleaseError> {
        Release::read(&folder_of(workspace, path)?)
    }

    /// `path` as the record has it.
    #[must_use]
    pub fn name_of(&self, path: &Path) -> String {
        path.strip_prefix(&self.folder).unwrap_or(path).to_string_lossy().into_owned()
    }

    /// Writes the record.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn write(&self) -> Result<(), ReleaseError> {
        Ok(store::write_over(&self.folder.join(RECORD), &to_json(&self.record))?)
    }
}

pub(super) fn to_json(record: &ReleaseRecord) -> Vec<u8> {
    let mut json = serde_json::to_vec_pretty(record).expect("strings, numbers and lists are JSON");
    json.push(b'\n');
    json
}

fn folder_of(workspace: &Workspace, path: &Path) -> Result<PathBuf, ReleaseError> {
    let none = || ReleaseError::NotReleased { path: path.to_owned() };
    let below = path.strip_prefix(workspace.releases()).map_err(|_| none())?;
    Ok(workspace.releases().join(below.components().next().ok_or_else(none)?))
}

/// All releases of a workspace, by name.
///
/// # Errors
/// When a folder or a record cannot be read.
pub fn all(workspace: &Workspace) -> Result<Vec<Release>, ReleaseError> {
    let mut folders: Vec<PathBuf> = Vec::new();
    for path in store::files_below(&workspace.releases())?.iter().filter(|path| path.ends_with(RECORD)) {
        let folder = folder_of(workspace, path)?;
        if folder.join(RECORD) == *path && !is_unfinished(&folder) {
            folders.push(folder);
        }
    }
    folders.iter().map(|folder| Release::read(folder)).collect()
}

fn is_unfinished(folder: &Path) -> bool {
    folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with(UNFINISHED))
}

/// What a file below `releases/` is to a takedown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A shard.
    Shard,
    /// A report, what the publisher says, or a stranger: it may name whom a takedown is about.
    Told,
    /// Record, checksums and signature: they name nobody.
    Own,
    /// What a release or a takedown that died left.
    Leftover,
}

/// What the file at `path` below `releases/` is, by its name.
///
/// # Errors
/// When it lies elsewhere.
pub fn part_of(workspace: &Workspace, path: &Path) -> Result<Part, ReleaseError> {
    let folder = folder_of(workspace, path)?;
    if is_unfinished(&folder) || path.to_string_lossy().ends_with(BESIDE) {
        return Ok(Part::Leftover);
    }
    let name = path.strip_prefix(&folder).unwrap_or(path);
    Ok(match name.to_str() {
        Some(RECORD | SUMS | SIGNATURE) => Part::Own,
        _ if name.starts_with("data") && name.extension().is_some_and(|ending| ending == "parquet") => Part::Shard,
        _ => Part::Told,
    })
}

/// Whether a released shard still is the very file that is published at its path: a link, no copy.
#[must_use]
pub fn is_link_of_published(workspace: &Workspace, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let Ok(folder) = folder_of(workspace, path) else { return false };
    let Ok(below) = path.strip_prefix(folder) else { return false };
    let (Ok(here), Ok(there)) = (path.metadata(), workspace.root().join(below).metadata()) else { return false };
    (here.dev(), here.ino()) == (there.dev(), there.ino())
}
