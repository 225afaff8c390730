//! Numbered manifests: the one authority on which files are published.
//!
//! A commit writes manifest n+1, which fails if somebody else did, then moves the staged files over their published names, then marks
//! the manifest as applied. The write decides: whoever opens the workspace after a crash finishes what a written manifest says. A
//! manifest is a delta, so an append never conflicts with a takedown; it holds paths, hashes and counts, and nothing that a document
//! says.

mod error;
mod index;
mod replacement;
mod staged;

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use error::ManifestError;
pub use index::StagedIndexFile;
pub use replacement::Replacement;

use crate::store::{self, StoreError};
use crate::workspace::Workspace;

/// Version of the format.
const VERSION: u32 = 1;

/// One manifest: what one transaction changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of this format.
    pub version: u32,
    /// Its number, from 1 without gaps.
    pub number: u64,
    /// Who wrote it: the same transaction is never written twice.
    pub transaction: String,
    /// The data set that changed.
    pub dataset: String,
    /// Id of the plan.
    pub plan: String,
    /// Hash of the recipe.
    pub recipe_hash: String,
    /// Hash of the tokenizer's vocabulary; empty without tokenizer.
    pub tokenizer: String,
    /// Number of the last takedown that the files honour.
    pub takedown_sequence: u64,
    /// File name of the run's ledger under `_tamis/ledger/`.
    pub ledger: Option<String>,
    /// The files that it publishes.
    pub files: Vec<FileEntry>,
    /// The files that it adds to the deduplication index of the data set, or puts in the place of others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub index: Vec<FileEntry>,
    /// Paths of index files that it removes, because others hold what they held.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retired: Vec<String>,
}

/// One published file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Path below the workspace, parts joined by `/`.
    pub path: String,
    /// Where the finished file waits to be moved to `path`, in the same form.
    pub staged: String,
    /// SHA-256, hex.
    pub sha256: String,
    /// SHA-256 of the file that stood at `path` before; none for a new path.
    pub replaces: Option<String>,
    /// Documents.
    pub rows: u64,
    /// Size.
    pub bytes: u64,
    /// Token ids.
    pub tokens: u64,
}

/// What a run wants to publish.
#[derive(Clone, Debug)]
pub struct NewCommit {
    /// Names the attempt for good: committing the same transaction again changes nothing.
    pub transaction: String,
    /// The data set.
    pub dataset: String,
    /// Id of the plan.
    pub plan: String,
    /// Hash of the recipe.
    pub recipe_hash: String,
    /// Hash of the tokenizer's vocabulary; empty without tokenizer.
    pub tokenizer: String,
    /// Number of the last takedown that the files honour.
    pub takedown_sequence: u64,
    /// File name of the run's ledger under `_tamis/ledger/`, if it is a run.
    pub ledger: Option<String>,
    /// New shards, in the order in which their parts are numbered.
    pub files: Vec<StagedFile>,
    /// Files that take the place of published ones.
    pub replacements: Vec<Replacement>,
    /// New files of the index, in order.
    pub index: Vec<StagedIndexFile>,
    /// Paths of index files that the new ones stand in for.
    pub retired: Vec<String>,
}

/// A finished shard that waits in staging.
#[derive(Clone, Debug)]
pub struct StagedFile {
    /// Where it is, inside the workspace.
    pub staged: PathBuf,
    /// BCP 47 tag of its language.
    pub lang: String,
    /// SHA-256, hex.
    pub sha256: String,
    /// Documents.
    pub rows: u64,
    /// Size.
    pub bytes: u64,
    /// Token ids.
    pub tokens: u64,
}

/// All manifests of a workspace.
#[derive(Debug)]
pub struct Manifests {
    workspace: Workspace,
    all: Vec<Manifest>,
    applied: BTreeSet<u64>,
}

impl Manifests {
    /// Reads all manifests and finishes what a killed process left half published.
    ///
    /// # Errors
    /// See [`ManifestError`].
    pub fn open(workspace: &Workspace) -> Result<Manifests, ManifestError> {
        let mut manifests = Manifests::read(workspace)?;
        manifests.roll_forward()?;
        Ok(manifests)
    }

    /// Reads all manifests and changes nothing.
    ///
    /// # Errors
    /// When one is missing or damaged.
    pub fn read(workspace: &Workspace) -> Result<Manifests, ManifestError> {
        let folder = workspace.manifest();
        let mut all = Vec::new();
        for number in 1.. {
            match read_one(&folder, number)? {
                Some(manifest) => all.push(manifest),
                None => break,
            }
        }
        let applied = numbers_in(&folder, "applied")?;
        Ok(Manifests { workspace: workspace.clone(), all, applied })
    }

    /// The workspace that they are of.
    #[must_use]
    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// Whether the run of this plan was published, and all its files stand in their place.
    #[must_use]
    pub fn has_run(&self, plan: &str) -> bool {
        let is_it = |manifest: &&Manifest| manifest.ledger.is_some() && manifest.plan == plan;
        self.all.iter().find(is_it).is_some_and(|manifest| self.applied.contains(&manifest.number))
    }

    /// The plan of the last run that was published.
    #[must_use]
    pub fn last_run(&self) -> Option<&str> {
        self.all.iter().rev().find(|manifest| manifest.ledger.is_some()).map(|manifest| manifest.plan.as_str())
    }

    /// The manifests of one data set, oldest first.
    #[must_use]
    pub fn of_dataset(&self, dataset: &str) -> Vec<Manifest> {
        self.all.iter().filter(|manifest| manifest.dataset == dataset).cloned().collect()
    }

    /// The files of one data set as they stand now, by path.
    #[must_use]
    pub fn current(&self, dataset: &str) -> BTreeMap<&str, &FileEntry> {
        let manifests = self.all.iter().filter(|manifest| manifest.dataset == dataset);
        manifests.flat_map(|manifest| &manifest.files).map(|file| (file.path.as_str(), file)).collect()
    }

    /// The files of all data sets as they stand now, by path.
    #[must_use]
    pub fn all_current(&self) -> BTreeMap<&str, &FileEntry> {
        self.all.iter().flat_map(|manifest| &manifest.files).map(|file| (file.path.as_str(), file)).collect()
    }

    /// Names of all data sets, in order.
    #[must_use]
    pub fn datasets(&self) -> BTreeSet<&str> {
        self.all.iter().map(|manifest| manifest.dataset.as_str()).collect()
    }

    /// Number of the newest manifest; 0 before the first.
    #[must_use]
    pub fn last_number(&self) -> u64 {
        self.all.last().map_or(0, |manifest| manifest.number)
    }

    /// The paths of all published files of all data sets.
    #[must_use]
    pub fn paths(&self) -> BTreeSet<&str> {
        self.all.iter().flat_map(|manifest| &manifest.files).map(|file| file.path.as_str()).collect()
    }

    /// Numbers of manifests that were written but are not known to be fully published.
    #[must_use]
    pub fn unapplied(&self) -> Vec<u64> {
        self.all.iter().map(|manifest| manifest.number).filter(|number| !self.applied.contains(number)).collect()
    }

    /// Publishes files in one transaction. Answers the number of its manifest; the first one, if it was committed before.
    ///
    /// # Errors
    /// See [`ManifestError`].
    pub fn commit(&mut self, new: NewCommit) -> Result<u64, ManifestError> {
        let number = self.write(&new)?;
        self.roll_forward()?;
        Ok(number)
    }

    /// Writes the manifest of `new` under the next free number: from here on it is decided.
    fn write(&mut self, new: &NewCommit) -> Result<u64, ManifestError> {
        loop {
            if let Some(number) = self.number_of(new)? {
                return Ok(number);
            }
            let manifest = self.draft(new)?;
            let path = file_of(&self.workspace.manifest(), manifest.number);
            let mut json = serde_json::to_vec_pretty(&manifest).expect("strings, numbers and lists are JSON");
            json.push(b'\n');
            match store::write_new(&path, &json) {
                Ok(_) => {
                    self.all.push(manifest);
                    return Ok(self.all.len() as u64);
                }
                Err(StoreError::Different { .. }) => *self = Manifests::read(&self.workspace)?,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The number under which this transaction was committed already.
    fn number_of(&self, new: &NewCommit) -> Result<Option<u64>, ManifestError> {
        let Some(known) = self.all.iter().find(|manifest| manifest.transaction == new.transaction) else { return Ok(None) };
        let replacing = new.replacements.iter().map(|file| &file.sha256);
        let same = known.dataset == new.dataset
            && known.files.iter().map(|file| &file.sha256).eq(new.files.iter().map(|file| &file.sha256).chain(replacing))
            && known.index.iter().map(|file| &file.sha256).eq(new.index.iter().map(|file| &file.sha256));
        if !same {
            return Err(ManifestError::OtherFiles { transaction: new.transaction.clone(), number: known.number });
        }
        Ok(Some(known.number))
    }

    /// The manifest of `new` on top of what is known: parts are numbered on from the last one of their language.
    fn draft(&self, new: &NewCommit) -> Result<Manifest, ManifestError> {
        check_name("data set", &new.dataset)?;
        let current = self.current(&new.dataset);
        let mut next: BTreeMap<&str, u64> = BTreeMap::new();
        let mut files = Vec::with_capacity(new.files.len());
        for file in &new.files {
            check_name("language", &file.lang)?;
            let folder = format!("data/{}/lang={}", new.dataset, file.lang);
            let part = next.entry(&file.lang).or_insert_with(|| next_part(&folder, current.keys()));
            let path = format!("{folder}/part-{part:05}.parquet");
            *part += 1;
            files.push(FileEntry {
                path,
                staged: self.relative(&file.staged)?,
                sha256: file.sha256.clone(),
                replaces: None,
                rows: file.rows,
                bytes: file.bytes,
                tokens: file.tokens,
            });
        }
        let replaced = new.replacements.iter().map(|file| self.replacing_entry(file));
        files.extend(replaced.collect::<Result<Vec<_>, _>>()?);
        staged::check(new)?;
        Ok(Manifest {
            version: VERSION,
            number: self.all.len() as u64 + 1,
            transaction: new.transaction.clone(),
            dataset: new.dataset.clone(),
            plan: new.plan.clone(),
            recipe_hash: new.recipe_hash.clone(),
            tokenizer: new.tokenizer.clone(),
            takedown_sequence: new.takedown_sequence,
            ledger: new.ledger.clone(),
            files,
            index: new.index.iter().map(|file| self.index_entry(&new.dataset, file)).collect::<Result<_, _>>()?,
            retired: new.retired.clone(),
        })
    }

    fn relative(&self, staged: &Path) -> Result<String, ManifestError> {
        let outside = || ManifestError::Outside { path: staged.to_owned() };
        let inside = staged.strip_prefix(self.workspace.root()).map_err(|_| outside())?;
        let parts = inside.iter().map(|part| part.to_str().ok_or_else(outside)).collect::<Result<Vec<_>, _>>()?;
        Ok(parts.join("/"))
    }

    /// Publishes, in order, all manifests that are not marked as applied.
    fn roll_forward(&mut self) -> Result<(), ManifestError> {
        for number in self.unapplied() {
            let manifest = &self.all[number as usize - 1];
            self.publish(manifest)?;
            store::write_new(&self.workspace.manifest().join(format!("{number:08}.applied")), b"")?;
            self.applied.insert(number);
        }
        Ok(())
    }

    /// Moves the staged files of `manifest` over their published names.
    fn publish(&self, manifest: &Manifest) -> Result<(), ManifestError> {
        let files = || manifest.files.iter().chain(&manifest.index);
        let targets: Vec<PathBuf> = files().map(|file| self.workspace.root().join(&file.path)).collect();
        store::create_folders(targets.iter().filter_map(|target| target.parent()))?;
        let mut touched = BTreeSet::new();
        for (file, target) in files().zip(targets) {
            let staged = self.workspace.root().join(&file.staged);
            self.publish_file(manifest.number, file, &staged, &target)?;
            touched
                .extend([staged, target].into_iter().filter_map(|path| path.parent().map(Path::to_owned)).filter(|folder| folder.is_dir()));
        }
        store::fsync_folders(touched.iter().map(PathBuf::as_path))?;
        manifest.retired.iter().try_for_each(|path| store::remove_file(&self.workspace.root().join(path)))?;
        Ok(())
    }

    fn publish_file(&self, number: u64, file: &FileEntry, staged: &Path, target: &Path) -> Result<(), ManifestError> {
        let lost = || ManifestError::Lost { number, path: file.path.clone(), sha256: file.sha256.clone() };
        match std::fs::rename(staged, target) {
            Ok(()) => {
                store::lasting_change();
                return Ok(());
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {} // it was moved already
            Err(error) => return Err(StoreError::io(target, error).into()),
        }
        let later = || self.all.iter().filter(|manifest| manifest.number >= number);
        if !target.exists() {
            let retired = later().any(|later| later.retired.contains(&file.path));
            return if retired { Ok(()) } else { Err(lost()) };
        }
        let published = store::sha256_file(target)?;
        let later = later().flat_map(|manifest| manifest.files.iter().chain(&manifest.index));
        let known = later.filter(|later| later.path == file.path).any(|later| later.sha256 == published);
        if known { Ok(()) } else { Err(lost()) }
    }
}

fn file_of(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:08}.json"))
}

/// Manifest `number`, if it was written.
fn read_one(folder: &Path, number: u64) -> Result<Option<Manifest>, ManifestError> {
    let path = file_of(folder, number);
    let gap = || ManifestError::Gap { folder: folder.to_owned(), number };
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        // A higher number that appeared meanwhile is no gap if this one is there now.
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let higher = numbers_in(folder, "json")?.last().is_some_and(|last| *last > number);
            return if higher && !path.exists() { Err(gap()) } else { Ok(None) };
        }
        Err(error) => return Err(StoreError::io(&path, error).into()),
    };
    let later = serde_json::from_slice::<serde_json::Value>(&bytes).ok().and_then(|json| json.get("version")?.as_u64());
    if let Some(version) = later.filter(|version| *version > u64::from(VERSION)) {
        return Err(ManifestError::Newer { path, version });
    }
    let manifest: Manifest = serde_json::from_slice(&bytes).map_err(|source| ManifestError::Damaged { path, source })?;
    if manifest.number == number { Ok(Some(manifest)) } else { Err(gap()) }
}

/// The numbers that stand before `.ending` in the names of a folder, in order. Other names, such as temporary files of killed writers,
/// are passed over.
fn numbers_in(folder: &Path, ending: &str) -> Result<BTreeSet<u64>, StoreError> {
    let refused = |error| StoreError::io(folder, error);
    let mut numbers = BTreeSet::new();
    for entry in std::fs::read_dir(folder).map_err(refused)? {
        let name = entry.map_err(refused)?.file_name();
        let number = name.to_str().and_then(|name| name.split_once('.')).filter(|(_, rest)| *rest == ending);
        numbers.extend(number.and_then(|(number, _)| number.parse::<u64>().ok()));
    }
    Ok(numbers)
}

/// The number after the highest part of the folder.
fn next_part<'a>(folder: &str, paths: impl Iterator<Item = &'a &'a str>) -> u64 {
    let part = |path: &&str| path.strip_prefix(folder)?.strip_prefix("/part-")?.strip_suffix(".parquet")?.parse::<u64>().ok();
    paths.filter_map(part).max().map_or(0, |last| last + 1)
}

fn check_name(what: &'static str, name: &str) -> Result<(), ManifestError> {
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.starts_with('.') || !name.chars().all(fine) {
        return Err(ManifestError::Name { what, name: name.to_owned() });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
