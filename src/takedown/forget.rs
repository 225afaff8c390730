//! How each store forgets: shards by one transaction a data set, everything else file by file.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::apply::TakedownError;
use super::find::Found;
use super::plan::TakedownPlan;
use super::stores::{Holding, Store};
use super::survey::{Failure, Held, Survey, of_one_file, relative, survey};
use super::tombstone::{self, Extent};
use crate::crawl::frontier;
use crate::dedup::erase::Orphans;
use crate::ledger::manifest::{FileEntry, Manifests, NewCommit, Replacement};
use crate::locator::{self, Locator};
use crate::packing::Forget;
use crate::passes::erase_from_index;
use crate::release;
use crate::sinks::splice::{Kind as File, Spliced, splice};
use crate::store::{self, StoreError};
use crate::workspace::Workspace;

/// A takedown at work.
pub(super) struct Forgetting<'a> {
    workspace: &'a Workspace,
    plan: &'a TakedownPlan,
    number: u64,
    staging: PathBuf,
    failures: Vec<Failure>,
    bytes_encoded: Cell<u64>,
}

/// What a takedown came to.
pub(super) struct Forgotten {
    /// What could not be done.
    pub(super) failures: Vec<Failure>,
    /// Bytes of Parquet files that were encoded anew.
    pub(super) bytes_encoded: u64,
}

/// A file out of which documents are taken, and where they lay.
struct Spared<'a> {
    path: PathBuf,
    before: Option<Locator>,
    found: &'a Found,
}

fn transaction(number: u64) -> String {
    format!("takedown-{number}")
}

impl<'a> Forgetting<'a> {
    pub(super) fn begin(workspace: &'a Workspace, plan: &'a TakedownPlan, number: u64) -> Result<Forgetting<'a>, TakedownError> {
        let staging = workspace.staging(&transaction(number));
        store::create_folder(&staging)?;
        Ok(Forgetting { workspace, plan, number, staging, failures: Vec::new(), bytes_encoded: Cell::new(0) })
    }

    fn fails(&mut self, store: Store, path: &Path, error: TakedownError) -> Result<(), TakedownError> {
        let why = of_one_file(error)?;
        self.failures.push(Failure::new(self.workspace, store, path, why));
        Ok(())
    }

    /// Takes the documents out of all shards.
    pub(super) fn shards(&mut self, found: &Survey) -> Result<(), TakedownError> {
        let mut manifests = Manifests::open(self.workspace)?;
        let datasets: Vec<String> = manifests.datasets().into_iter().map(str::to_owned).collect();
        let held: BTreeMap<String, &Found> = found.shards().map(|(path, found)| (relative(self.workspace, path), found)).collect();
        for dataset in datasets {
            let (mut replacements, mut spared) = (Vec::new(), Vec::new());
            let current: Vec<FileEntry> = manifests.current(&dataset).into_values().cloned().collect();
            for file in current {
                let Some(found) = held.get(&file.path) else { continue };
                let path = self.workspace.root().join(&file.path);
                let staged = self.staging.join(format!("{dataset}-{:05}.parquet", replacements.len()));
                match self.splice_shard(&file, &path, found, &staged) {
                    Ok((replacement, shard)) => {
                        replacements.push(replacement);
                        spared.push(shard);
                    }
                    Err(error) => self.fails(Store::Shards, &path, error)?,
                }
            }
            if !replacements.is_empty() {
                let begun = format!("{}-{dataset}", transaction(self.number));
                let before = manifests.of_dataset(&dataset).iter().filter(|manifest| manifest.transaction.starts_with(&begun)).count();
                manifests.commit(commit_of(&manifests, &dataset, format!("{begun}-{}", before + 1), (self.number, replacements)))?;
            }
            spared.iter().try_for_each(|shard| self.locate_again(Store::Shards, shard))?;
        }
        Ok(())
    }

    fn splice_shard<'f>(
        &self,
        file: &FileEntry,
        path: &Path,
        found: &'f Found,
        staged: &Path,
    ) -> Result<(Replacement, Spared<'f>), TakedownError> {
        let now = store::sha256_file(path)?;
        if now != file.sha256 {
            return Err(TakedownError::Corrupt { path: path.to_owned(), expected: file.sha256.clone(), found: now });
        }
        let before = locator::present(self.workspace, path)?;
        let spliced = splice(File::Shard, path, &found.rows, self.number, staged)?;
        let Spliced { sha256, rows, bytes, bytes_encoded, tokens_erased, .. } = spliced;
        self.bytes_encoded.set(self.bytes_encoded.get() + bytes_encoded);
        let replacement = Replacement {
            staged: staged.to_owned(),
            path: file.path.clone(),
            replaces: file.sha256.clone(),
            sha256,
            rows,
            bytes,
            tokens: file.tokens.saturating_sub(tokens_erased),
        };
        Ok((replacement, Spared { path: path.to_owned(), before, found }))
    }

    /// Brings the locator's list of a file with other rows up to date.
    fn locate_again(&self, store: Store, file: &Spared<'_>) -> Result<(), TakedownError> {
        let urls = file.found.hits.iter().map(|hit| hit.url.as_str());
        match (store.located(), &file.before) {
            (Some(_), Some(before)) => Ok(before.take_out(self.workspace, &file.path, &file.found.rows, urls)?),
            (Some(kind), None) => Ok(locator::of(self.workspace, kind, &file.path).map(drop)?),
            (None, _) => Ok(()),
        }
    }

    /// Takes the documents out of what deduplication remembers.
    pub(super) fn indexes(&self) -> Result<(), TakedownError> {
        let manifests = Manifests::open(self.workspace)?;
        for dataset in manifests.datasets().into_iter().filter(|dataset| !manifests.index_of(dataset).is_empty()) {
            let name = format!("{}-{dataset}-index", transaction(self.number));
            // Copies of what was erased stay out with it: the list refuses them too.
            erase_from_index(self.workspace, dataset, &name, self.number, &self.plan.targets.ids, Orphans::Block)?;
        }
        Ok(())
    }

    /// Changes every other file that holds something.
    pub(super) fn files(&mut self, found: &Survey) -> Result<(), TakedownError> {
        let staging = self.staging.clone();
        for held in found.holdings.iter().filter(|held| held.store != Store::Shards && !held.path.starts_with(&staging)) {
            if let Err(error) = self.file(held) {
                self.fails(held.store, &held.path, error)?;
            }
        }
        Ok(())
    }

    fn file(&self, Held { store, path, holding }: &Held) -> Result<(), TakedownError> {
        match holding {
            Holding::Rows(found) if *store == Store::Releases => self.released(path, found),
            Holding::Rows(found) => self.rows(*store, path, found),
            Holding::Records(extents) => self.records(*store, path, extents),
            Holding::Lines(lines) => {
                let bytes = std::fs::read(path).map_err(|error| StoreError::io(path, error))?;
                let left = bytes.split_inclusive(|byte| *byte == b'\n').enumerate().filter(|(number, _)| !lines.contains(number));
                Ok(store::write_over(path, &left.flat_map(|(_, line)| line.iter().copied()).collect::<Vec<u8>>())?)
            }
            Holding::Addresses(_) => {
                frontier::forget(&self.workspace.frontier(), &|url| self.plan.targets.has_url(url))?;
                Ok(())
            }
            Holding::Pieces(_) => Ok(Forget { workspace: self.workspace, ids: &self.plan.targets.ids, number: self.number }.file(path)?),
            Holding::Whole if *store == Store::Releases => Ok(release::forget::remove(self.workspace, path)?),
            Holding::Whole => Ok(store::remove_file(path)?),
        }
    }

    fn rows(&self, store: Store, path: &Path, found: &Found) -> Result<(), TakedownError> {
        let staged = self.staging.join("file");
        let before = locator::present(self.workspace, path)?;
        let spliced = splice(File::Rejects, path, &found.rows, self.number, &staged)?;
        self.bytes_encoded.set(self.bytes_encoded.get() + spliced.bytes_encoded);
        store::replace(&staged, path)?;
        self.locate_again(store, &Spared { path: path.to_owned(), before, found })
    }

    /// Takes documents out of a shard of a release: it gets the file that was made for the published one where both were the same, else one of its own.
    fn released(&self, path: &Path, found: &Found) -> Result<(), TakedownError> {
        let shard = release::forget::Forget::open(self.workspace, path)?;
        if let Some((expected, found)) = shard.fault()? {
            return Err(TakedownError::Corrupt { path: path.to_owned(), expected, found });
        }
        let before = locator::present(self.workspace, path)?;
        if let Some((published, new)) = shard.heir()? {
            shard.swap(&published, &new, self.number)?;
        } else {
            // A link of it may stand in the release already, and what is written into it would stand there too.
            let staged = self.staging.join("released.parquet");
            store::remove_file(&staged)?;
            let spliced = splice(File::Shard, path, &found.rows, self.number, &staged)?;
            self.bytes_encoded.set(self.bytes_encoded.get() + spliced.bytes_encoded);
            shard.swap(&staged, &spliced, self.number)?;
            store::remove_file(&staged)?;
        }
        self.locate_again(Store::Releases, &Spared { path: path.to_owned(), before, found })
    }

    fn records(&self, store: Store, path: &Path, extents: &[Extent]) -> Result<(), TakedownError> {
        let staged = self.staging.join("file");
        let before = locator::present(self.workspace, path)?;
        tombstone::rewrite(path, extents, &staged)?;
        store::replace(&staged, path)?;
        let block_of = |before: &Locator, extent: &Extent| before.blocks().partition_point(|block| block.end <= extent.start);
        match (store.located(), before) {
            (Some(_), Some(before)) => {
                let changed = extents.iter().map(|extent| block_of(&before, extent)).collect();
                Ok(before.carry_over(self.workspace, path, &changed)?)
            }
            (Some(kind), None) => Ok(locator::of(self.workspace, kind, path).map(drop)?),
            (None, _) => Ok(()),
        }
    }

    /// Searches all stores once more, but for what the takedown itself has in staging. Answers how many files were looked into.
    pub(super) fn search_again(&mut self) -> Result<u64, TakedownError> {
        locator::sweep(self.workspace, &located(self.workspace)?)?;
        let left = survey(self.workspace, &self.plan.targets)?;
        let failed: BTreeSet<String> = self.failures.iter().chain(&left.failures).map(|failure| failure.path.clone()).collect();
        let is_left = |held: &&Held| !held.path.starts_with(&self.staging) && !failed.contains(&relative(self.workspace, &held.path));
        if let Some(held) = left.holdings.iter().find(is_left) {
            return Err(TakedownError::Left { path: held.path.display().to_string() });
        }
        let known: BTreeSet<String> = self.failures.iter().map(|failure| failure.path.clone()).collect();
        self.failures.extend(left.failures.into_iter().filter(|failure| !known.contains(&failure.path)));
        Ok(left.files)
    }

    /// Clears the staging away, and says what it came to.
    pub(super) fn end(self) -> Result<Forgotten, TakedownError> {
        store::remove_folder(&self.staging)?;
        Ok(Forgotten { failures: self.failures, bytes_encoded: self.bytes_encoded.get() })
    }
}

/// The files of which the locator keeps lists.
fn located(workspace: &Workspace) -> Result<Vec<PathBuf>, TakedownError> {
    let mut files = Vec::new();
    for store in Store::ALL.into_iter().filter(|store| store.located().is_some()) {
        files.extend(store.files(workspace)?);
    }
    Ok(files)
}

fn commit_of(manifests: &Manifests, dataset: &str, transaction: String, (number, replacements): (u64, Vec<Replacement>)) -> NewCommit {
    let last = manifests.of_dataset(dataset).pop();
    let (recipe_hash, tokenizer) = last.map(|last| (last.recipe_hash, last.tokenizer)).unwrap_or_default();
    NewCommit {
        transaction,
        dataset: dataset.to_owned(),
        plan: String::new(),
        recipe_hash,
        tokenizer,
        takedown_sequence: number,
        ledger: None,
        files: Vec::new(),
        replacements,
        index: Vec::new(),
        retired: Vec::new(),
    }
}
