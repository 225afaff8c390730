//! The copy of a workspace on this machine: its folder, what of it is at home, and what was changed since.
//!
//! Beside the folder lies one record of every file that is at home: its hash, and how the file here looked when it had that hash (size, time of change,
//! number on its disk). A file that looks the same is not read again.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::HomeError;
use super::state::{Change, State};
use crate::store::{self, StoreError};

/// What belongs to this machine and is never brought home: the lock, tasks that are being tried, and lists of where documents lie, which name files of
/// this disk and are made anew where they are missing.
const OURS_ALONE: [&str; 3] = ["_tamis/lock", "_tamis/attempts/", "_tamis/locator/"];

/// How a file looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    bytes: u64,
    modified_ns: i64,
    inode: u64,
}

/// What is known of one file that is at home.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    sha256: String,
    bytes: u64,
    /// How it looks here; nothing where it was not fetched.
    here: Option<Stamp>,
}

/// The record.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Record {
    address: String,
    /// The last state that the copy follows; 0 before the first.
    last: u64,
    /// The transaction that is being sent.
    in_flight: Option<String>,
    files: BTreeMap<String, Known>,
}

/// The copy; nobody else of this machine works in it while this lives.
pub(super) struct Copy {
    folder: PathBuf,
    record: Record,
    _lock: File,
}

impl Copy {
    /// The copy in `folder` of the workspace at `address`; an empty one if there is none.
    pub(super) fn open(address: &str, folder: &Path) -> Result<Copy, HomeError> {
        store::create_folder(&folder.join("workspace"))?;
        let path = folder.join("lock");
        let refused = |source| StoreError::io(&path, source);
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(refused)?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Err(HomeError::Busy { address: address.to_owned(), folder: folder.to_owned() }),
            Err(errno) => return Err(refused(errno.into()).into()),
        }
        // Without a record that is ours nothing is known of what lies there: every file is looked at.
        let read = std::fs::read(folder.join("copy.json")).ok().and_then(|bytes| serde_json::from_slice::<Record>(&bytes).ok());
        let record = read.filter(|record| record.address == address).unwrap_or_default();
        Ok(Copy { folder: folder.to_owned(), record: Record { address: address.to_owned(), ..record }, _lock: lock })
    }

    pub(super) fn workspace(&self) -> PathBuf {
        self.folder.join("workspace")
    }

    pub(super) fn last(&self) -> u64 {
        self.record.last
    }

    pub(super) fn in_flight(&self) -> Option<&str> {
        self.record.in_flight.as_deref()
    }

    /// Notes, before anything is sent, what is: a later process removes it if this one dies.
    pub(super) fn set_in_flight(&mut self, transaction: Option<&str>) -> Result<(), StoreError> {
        if self.record.in_flight.as_deref() == transaction {
            return Ok(());
        }
        self.record.in_flight = transaction.map(str::to_owned);
        self.save()
    }

    /// Puts the record on disk.
    pub(super) fn save(&self) -> Result<(), StoreError> {
        let json = serde_json::to_vec(&self.record).expect("strings, numbers and lists are JSON");
        store::write_over(&self.folder.join("copy.json"), &json)
    }

    /// Takes over what is at home after state `last`: files that are there and here alike are known, others are missing.
    pub(super) fn follow(&mut self, last: u64, tree: &BTreeMap<String, Change>) -> Result<(), StoreError> {
        let gone: Vec<String> = self.record.files.keys().filter(|path| !tree.contains_key(*path)).cloned().collect();
        for path in gone {
            // What this copy removed itself is not there; what another removed goes here too, unless it was changed since.
            if self.record.files.remove(&path).is_some_and(|known| known.here.is_some() && known.here == stamp(&self.file(&path))) {
                store::remove_file(&self.file(&path))?;
            }
        }
        for (path, change) in tree {
            let known = self.record.files.get(path);
            let here = known.filter(|known| known.sha256 == change.sha256).and_then(|known| known.here);
            // What another machine changed must not be taken for a change of ours: the old file goes, and is fetched when it is wanted.
            if known.is_some_and(|known| known.sha256 != change.sha256 && known.here.is_some() && known.here == stamp(&self.file(path))) {
                store::remove_file(&self.file(path))?;
            }
            self.record.files.insert(path.clone(), Known { sha256: change.sha256.clone(), bytes: change.bytes, here });
        }
        self.record.last = last;
        self.save()
    }

    /// The files at home that are not here as they are there.
    pub(super) fn missing(&self) -> Vec<Change> {
        let missing = self.record.files.iter().filter(|(_, known)| known.here.is_none());
        missing.map(|(path, known)| Change { path: path.clone(), sha256: known.sha256.clone(), bytes: known.bytes }).collect()
    }

    /// Notes that the file at `path` is here as it is at home.
    pub(super) fn note_here(&mut self, path: &str) {
        let looks = stamp(&self.file(path));
        if let Some(known) = self.record.files.get_mut(path) {
            known.here = looks;
        }
    }

    /// Notes how the files that `state` brought home look.
    pub(super) fn restamp(&mut self, state: &State) -> Result<(), StoreError> {
        for change in &state.changed {
            self.note_here(&change.path);
        }
        self.save()
    }

    /// Files that are new here or have other bytes than at home.
    pub(super) fn changes(&mut self) -> Result<Vec<Change>, StoreError> {
        let mut changes = Vec::new();
        for file in store::files_below(&self.workspace())? {
            let Some(path) = self.path_of(&file) else { continue };
            let known = self.record.files.get(&path);
            let looks = stamp(&file);
            if known.is_some_and(|known| known.here.is_some() && known.here == looks) {
                continue;
            }
            let sha256 = store::sha256_file(&file)?;
            match self.record.files.get_mut(&path).filter(|known| known.sha256 == sha256) {
                Some(known) => known.here = looks,
                None => changes.push(Change { path, sha256, bytes: looks.map_or(0, |looks| looks.bytes) }),
            }
        }
        Ok(changes)
    }

    /// Paths of files at home that were here and are not any more.
    pub(super) fn removals(&self) -> Vec<String> {
        let had = self.record.files.iter().filter(|(_, known)| known.here.is_some());
        had.map(|(path, _)| path).filter(|path| !self.file(path).exists()).cloned().collect()
    }

    /// Forgets all that was changed here and not brought home.
    pub(super) fn discard(&mut self, tree: &BTreeMap<String, Change>) -> Result<(), StoreError> {
        for change in self.changes()? {
            // A file that another machine brought home with the same bytes is as it should be.
            if tree.get(&change.path).is_none_or(|there| there.sha256 != change.sha256) {
                store::remove_file(&self.file(&change.path))?;
            }
        }
        for path in self.removals() {
            self.record.files.remove(&path);
        }
        let changed: Vec<String> = self.record.files.keys().filter(|path| stamp(&self.file(path)).is_none()).cloned().collect();
        for path in changed {
            if let Some(known) = self.record.files.get_mut(&path) {
                known.here = None;
            }
        }
        Ok(())
    }

    fn file(&self, path: &str) -> PathBuf {
        self.workspace().join(path)
    }

    /// The path at home of a file here; nothing for what is this machine's own.
    fn path_of(&self, file: &Path) -> Option<String> {
        let inside = file.strip_prefix(self.workspace()).ok()?;
        let path = inside.iter().map(|part| part.to_str()).collect::<Option<Vec<_>>>()?.join("/");
        let is_temporary = file.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        (!is_temporary && !OURS_ALONE.iter().any(|ours| path.starts_with(ours))).then_some(path)
    }
}

/// How the file looks; nothing where there is none.
fn stamp(file: &Path) -> Option<Stamp> {
    let about = std::fs::metadata(file).ok()?;
    let modified_ns = about.mtime().saturating_mul(1_000_000_000).saturating_add(about.mtime_nsec());
    Some(Stamp { bytes: about.len(), modified_ns, inode: about.ino() })
}
