//! Where a document lies: for every file of documents or captures a sorted list of keys (id, address, digest, host, registrable domain), so that
//! a document is found without reading the corpus.
//!
//! A list belongs to one state of one file, told by its length, time of change and inode: of a file that changed since, nothing is
//! believed, and its list is made anew from the file itself. So a list can be lost without harm, and a question is always answered from
//! what the file holds now. Lists are made when a run is sealed. A key is 64 bits; that two different ones are equal is found out when
//! the row is read.
//!
//! Whoever erases documents brings the list of the changed file up to date: the blocks that were written anew are read again, what the
//! list says of the others is carried over. See [`Locator::carry_over`] and [`Locator::take_out`].

mod archives;
mod documents;
mod file;
pub mod rows;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::{xxh3_64_with_seed, xxh3_128};

pub use archives::{Part, parts};
use file::{ANY_ROW, Entry};
pub use file::{Block, Locator, Stamp};

use crate::doc::DocId;
use crate::store::{StoreError, write_loose, write_over};
use crate::text::address::Address;
use crate::text::host::registrable_domain;
use crate::workspace::Workspace;

/// What kind of file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Documents in Parquet: a block is a row group.
    Documents,
    /// A web archive: a block is a stretch of whole members.
    Archive,
}

/// Rows of one block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InBlock {
    /// All of it has to be looked at.
    Anywhere,
    /// These rows.
    Rows(BTreeSet<usize>),
}

/// Blocks of a file, by number, and what of them has to be looked at.
pub type Places = BTreeMap<usize, InBlock>;

/// Why a file cannot be searched.
#[derive(Debug, thiserror::Error)]
pub enum LocateError {
    /// A Parquet file cannot be read.
    #[error("cannot search `{path}`", path = path.display())]
    Parquet { path: PathBuf, source: parquet::errors::ParquetError },
    /// A file cannot be read.
    #[error("cannot search `{path}`", path = path.display())]
    Io { path: PathBuf, source: std::io::Error },
    /// Its list cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl LocateError {
    fn io(path: &Path, source: std::io::Error) -> LocateError {
        LocateError::Io { path: path.to_owned(), source }
    }
}

/// What a document can be asked for by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key(u64);

impl Key {
    /// The key of a document's id.
    #[must_use]
    pub fn of_id(id: DocId) -> Key {
        Key(id.0 as u64) // an id is a hash already
    }

    /// The key of an address in canonical form.
    #[must_use]
    pub fn of_address(address: &str) -> Key {
        Key(xxh3_64_with_seed(address.as_bytes(), 1))
    }

    /// The key of the digest of a payload, as the column `content_digest` has it.
    #[must_use]
    pub fn of_digest(digest: &str) -> Key {
        Key(xxh3_64_with_seed(digest.as_bytes(), 4))
    }

    /// The key of a host.
    #[must_use]
    pub fn of_host(host: &str) -> Key {
        Key(xxh3_64_with_seed(host.as_bytes(), 2))
    }

    /// The key of a registrable domain.
    #[must_use]
    pub fn of_domain(domain: &str) -> Key {
        Key(xxh3_64_with_seed(domain.as_bytes(), 3))
    }
}

/// The entries of one block in the making.
struct Entries {
    block: u32,
    entries: Vec<Entry>,
    anywhere: BTreeSet<Key>,
}

impl Entries {
    fn of_block(block: usize) -> Entries {
        Entries { block: block as u32, entries: Vec::new(), anywhere: BTreeSet::new() }
    }

    fn add(&mut self, key: Key, row: u32) {
        self.entries.push(Entry { key, block: self.block, row });
    }

    /// Adds what `url` is asked for by; its hosts stand once a block.
    fn add_url(&mut self, url: &str, row: u32) {
        if let Some(address) = Address::of(url) {
            self.add(Key::of_address(address.as_str()), row);
            self.anywhere.extend([Key::of_host(address.host()), Key::of_domain(registrable_domain(address.host()))]);
        }
    }

    fn finish(mut self) -> Vec<Entry> {
        let block = self.block;
        self.entries.extend(self.anywhere.into_iter().map(|key| Entry { key, block, row: ANY_ROW }));
        self.entries
    }
}

/// The file that holds the list of `path`, which lies in `workspace`.
#[must_use]
pub fn list_path(workspace: &Workspace, path: &Path) -> PathBuf {
    let relative = path.strip_prefix(workspace.root()).unwrap_or(path).to_string_lossy().into_owned();
    workspace.locator().join(format!("{:032x}.loc", xxh3_128(relative.as_bytes())))
}

/// The list of `path` if it has one that is up to date.
///
/// # Errors
/// When `path` cannot be looked at.
pub fn present(workspace: &Workspace, path: &Path) -> Result<Option<Locator>, LocateError> {
    let stamp = Stamp::of(path).map_err(|error| LocateError::io(path, error))?;
    Ok(Locator::open(&list_path(workspace, path), &stamp))
}

/// The list of `path`, made from the file where there is none.
///
/// # Errors
/// When the file cannot be read, or the list cannot be written.
pub fn of(workspace: &Workspace, kind: Kind, path: &Path) -> Result<Locator, LocateError> {
    match present(workspace, path)? {
        Some(locator) => Ok(locator),
        // An old list may name what was erased since, and must not come back with the power.
        None if list_path(workspace, path).exists() => make(workspace, kind, path, write_over),
        None => make(workspace, kind, path, write_loose),
    }
}

/// How a list comes to the disk.
type Store = fn(&Path, &[u8]) -> Result<(), StoreError>;

fn make(workspace: &Workspace, kind: Kind, path: &Path, store: Store) -> Result<Locator, LocateError> {
    let stamp = Stamp::of(path).map_err(|error| LocateError::io(path, error))?;
    let (blocks, entries) = match kind {
        Kind::Documents => documents::read(path)?,
        Kind::Archive => archives::read(path)?,
    };
    Ok(Locator::write(&list_path(workspace, path), &stamp, blocks, entries, store)?)
}

/// Where in `path` something with one of `keys` can lie.
///
/// # Errors
/// As [`of`].
pub fn places(workspace: &Workspace, kind: Kind, path: &Path, keys: &[Key]) -> Result<(Locator, Places), LocateError> {
    let mut locator = of(workspace, kind, path)?;
    if let Some(places) = locator.find(keys) {
        return Ok((locator, places));
    }
    // A damaged list is made anew; the new one was just written and checked, and is read back once more.
    locator = make(workspace, kind, path, write_over)?;
    match locator.find(keys) {
        Some(places) => Ok((locator, places)),
        None => Err(LocateError::io(&list_path(workspace, path), std::io::ErrorKind::InvalidData.into())),
    }
}

/// Removes all lists that belong to none of `files`, or to another state of one.
///
/// # Errors
/// When a list cannot be removed.
pub fn sweep(workspace: &Workspace, files: &[PathBuf]) -> Result<(), LocateError> {
    let mut needed = BTreeSet::new();
    for path in files.iter().filter(|path| path.exists()) {
        if present(workspace, path)?.is_some() {
            needed.insert(list_path(workspace, path));
        }
    }
    let folder = workspace.locator();
    let entries = std::fs::read_dir(&folder).map_err(|error| LocateError::io(&folder, error))?;
    for entry in entries {
        let path = entry.map_err(|error| LocateError::io(&folder, error))?.path();
        if !needed.contains(&path) {
            crate::store::remove_file(&path)?;
        }
    }
    Ok(())
}

impl Locator {
    /// Writes the list of the archive `path` after the blocks `changed` of it were written anew: those are read again, all other entries
    /// are taken from this list, which is the one of `path` before.
    ///
    /// # Errors
    /// When the file cannot be read, or the list cannot be written.
    pub fn carry_over(&self, workspace: &Workspace, path: &Path, changed: &BTreeSet<usize>) -> Result<(), LocateError> {
        let Some(mut entries) = self.entries() else {
            make(workspace, Kind::Archive, path, write_over)?;
            return Ok(());
        };
        let stamp = Stamp::of(path).map_err(|error| LocateError::io(path, error))?;
        entries.retain(|entry| !changed.contains(&(entry.block as usize)));
        for block in changed {
            entries.extend(archives::read_block(path, *block, &self.blocks()[*block])?);
        }
        Locator::write(&list_path(workspace, path), &stamp, self.blocks().to_vec(), entries, write_over)?;
        Ok(())
    }

    /// Writes the list of the Parquet file `path` after `rows`, with the addresses `urls`, were taken out of it: this list is the one of
    /// `path` before, and its entries move up. Only whether a block still has a host of what was erased is read from the file.
    ///
    /// # Errors
    /// When the file cannot be read, or the list cannot be written.
    pub fn take_out<'a>(
        &self,
        workspace: &Workspace,
        path: &Path,
        rows: &BTreeMap<usize, BTreeSet<usize>>,
        urls: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), LocateError> {
        let Some(mut entries) = self.entries() else {
            make(workspace, Kind::Documents, path, write_over)?;
            return Ok(());
        };
        let stamp = Stamp::of(path).map_err(|error| LocateError::io(path, error))?;
        let moves = Moves::of(self.blocks(), rows);
        entries = entries.into_iter().filter_map(|entry| moves.apply(entry)).collect();
        let changed = rows.keys().filter_map(|block| moves.block(*block)).collect();
        let (blocks, lost) = documents::hosts_lost(path, &changed, urls)?;
        entries.retain(|entry| entry.row != ANY_ROW || !lost.contains(&(entry.block, entry.key)));
        Locator::write(&list_path(workspace, path), &stamp, blocks, entries, write_over)?;
        Ok(())
    }
}

/// Where rows and blocks of a Parquet file are after some rows were taken out; a block that lost all its rows is gone.
struct Moves {
    /// Erased rows, in order, by block.
    erased: BTreeMap<usize, Vec<u32>>,
    gone: BTreeSet<usize>,
}

impl Moves {
    fn of(blocks: &[Block], rows: &BTreeMap<usize, BTreeSet<usize>>) -> Moves {
        let count = |block: usize| blocks.get(block).map_or(0, |block| block.end - block.start);
        let gone = rows.iter().filter(|(block, rows)| rows.len() as u64 >= count(**block)).map(|(block, _)| *block).collect();
        let erased = rows.iter().map(|(block, rows)| (*block, rows.iter().map(|row| *row as u32).collect())).collect();
        Moves { erased, gone }
    }

    fn block(&self, block: usize) -> Option<usize> {
        (!self.gone.contains(&block)).then(|| block - self.gone.range(..block).count())
    }

    fn apply(&self, entry: Entry) -> Option<Entry> {
        let block = self.block(entry.block as usize)? as u32;
        let erased = self.erased.get(&(entry.block as usize)).filter(|_| entry.row != ANY_ROW);
        let row = match erased.map(|erased| erased.binary_search(&entry.row)) {
            None => entry.row,
            Some(Ok(_)) => return None,
            Some(Err(before)) => entry.row - before as u32,
        };
        Some(Entry { block, row, ..entry })
    }
}

#[cfg(test)]
mod tests;
