//! What is remembered of repositories from night to night: which state of each record was taken, where each list stands, what was deleted, and
//! how far archives are written. One transactional file (redb).
//!
//! Records are known by hashes of 128 bits, never by name: that something was taken stays when its document is erased, and tells nobody what
//! it was.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use crate::crawl::archive::Acknowledged;
use crate::formats::oai::Harvested;

const FILE: &str = "harvest.redb";

/// A record: the state that was taken, and how often its text could not be had.
const KNOWN: TableDefinition<'_, u128, (u64, u32)> = TableDefinition::new("known");
const DELETED: TableDefinition<'_, u128, ()> = TableDefinition::new("deleted");
const LISTS: TableDefinition<'_, &str, &str> = TableDefinition::new("lists");
const ARCHIVES: TableDefinition<'_, &str, u64> = TableDefinition::new("archives");

/// Why it cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot use what is known of repositories, `{path}`: {why}", path = path.display())]
pub struct MemoryError {
    path: PathBuf,
    why: String,
}

/// Where the list of one repository stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Standing {
    /// The date from which it is asked; empty for the beginning.
    pub from: String,
    /// The repository's time when the list that is under way was begun, ms since 1970; 0 where none is.
    pub began_ms: u64,
    /// What to ask for the next page with, where a list was left at a limit.
    pub token: String,
    /// Whether texts of the list that is under way could not be had.
    pub missed: bool,
    /// The last night that is over.
    pub night: String,
}

/// The name of a record without its name.
#[must_use]
pub fn key_of(repository: &str, identifier: &str) -> u128 {
    xxh3_128(format!("{repository}\n{identifier}").as_bytes())
}

/// The state of a record: its date and all that it says.
#[must_use]
pub fn state_of(record: &Harvested) -> u64 {
    let mut whole = format!("{}\n{}", record.datestamp, record.is_deleted);
    record.fields.iter().for_each(|(name, value)| whole.extend(["\n", name, "\t", value]));
    xxh3_64(whole.as_bytes())
}

/// Changes that are made together.
#[derive(Clone, Debug, Default)]
pub struct Learnt {
    /// Records that were settled, with the state that was.
    pub known: Vec<(u128, u64)>,
    /// Records whose text could not be had tonight.
    pub failed: Vec<(u128, u64)>,
    /// Records that their repository has deleted.
    pub deleted: Vec<u128>,
    /// How far archives are written.
    pub archives: Vec<Acknowledged>,
    /// Where lists stand.
    pub lists: Vec<(String, Standing)>,
}

/// The memory.
pub struct Memory {
    db: Database,
    path: PathBuf,
}

impl Memory {
    /// Opens it in `folder`; makes it where there is none.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub fn open(folder: &Path) -> Result<Memory, MemoryError> {
        let path = folder.join(FILE);
        let begin = || -> Result<Database, redb::Error> {
            let db = redb::Builder::new().set_cache_size(64 << 20).create(&path)?;
            let change = db.begin_write()?;
            change.open_table(KNOWN)?;
            change.open_table(DELETED)?;
            change.open_table(LISTS)?;
            change.open_table(ARCHIVES)?;
            change.commit()?;
            Ok(db)
        };
        match begin() {
            Ok(db) => Ok(Memory { db, path }),
            Err(error) => Err(MemoryError { path, why: error.to_string() }),
        }
    }

    fn refused(&self, error: &redb::Error) -> MemoryError {
        MemoryError { path: self.path.clone(), why: error.to_string() }
    }

    /// What is known of a record: the state that was settled or failed last, and how often it failed.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn known(&self, key: u128) -> Result<Option<(u64, u32)>, MemoryError> {
        let read = || -> Result<_, redb::Error> { Ok(self.db.begin_read()?.open_table(KNOWN)?.get(key)?.map(|found| found.value())) };
        read().map_err(|error| self.refused(&error))
    }

    /// Where the list of `repository` stands.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn standing(&self, repository: &str) -> Result<Standing, MemoryError> {
        let read = || -> Result<_, redb::Error> {
            let found = self.db.begin_read()?.open_table(LISTS)?.get(repository)?;
            Ok(found.and_then(|json| serde_json::from_str(json.value()).ok()).unwrap_or_default())
        };
        read().map_err(|error| self.refused(&error))
    }

    /// How far archives are written.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn archives(&self) -> Result<Vec<Acknowledged>, MemoryError> {
        let read = || -> Result<_, redb::Error> {
            let mut found = Vec::new();
            for row in self.db.begin_read()?.open_table(ARCHIVES)?.iter()? {
                let (name, length) = row?;
                found.push((name.value().to_owned(), length.value()));
            }
            Ok(found)
        };
        read().map_err(|error| self.refused(&error))
    }

    /// Records that their repositories have deleted, and of which something may still be here.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn deleted(&self) -> Result<BTreeSet<u128>, MemoryError> {
        let read =
            || -> Result<_, redb::Error> { self.db.begin_read()?.open_table(DELETED)?.iter()?.map(|row| Ok(row?.0.value())).collect() };
        read().map_err(|error| self.refused(&error))
    }

    /// Notes all of `learnt` at once, on disk.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn learn(&self, learnt: &Learnt) -> Result<(), MemoryError> {
        self.write(learnt).map_err(|error| self.refused(&error))?;
        crate::store::lasting_change();
        Ok(())
    }

    fn write(&self, learnt: &Learnt) -> Result<(), redb::Error> {
        let change = self.db.begin_write()?;
        {
            let (mut known, mut deleted) = (change.open_table(KNOWN)?, change.open_table(DELETED)?);
            for (key, state) in &learnt.known {
                known.insert(key, (*state, 0))?;
                deleted.remove(key)?;
            }
            for (key, state) in &learnt.failed {
                let tries = known.get(key)?.map(|found| found.value()).filter(|(before, _)| before == state).map_or(0, |(_, tries)| tries);
                known.insert(key, (*state, tries + 1))?;
            }
            for key in &learnt.deleted {
                deleted.insert(key, ())?;
            }
            let mut archives = change.open_table(ARCHIVES)?;
            for (name, length) in &learnt.archives {
                archives.insert(name.as_str(), length)?;
            }
            let mut lists = change.open_table(LISTS)?;
            for (repository, standing) in &learnt.lists {
                let json = serde_json::to_string(standing).expect("strings and numbers are JSON");
                lists.insert(repository.as_str(), json.as_str())?;
            }
        }
        change.commit()?;
        Ok(())
    }

    /// Forgets deletions of which nothing is here any more.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn settle_deleted(&self, gone: &BTreeSet<u128>) -> Result<(), MemoryError> {
        let write = || -> Result<(), redb::Error> {
            let change = self.db.begin_write()?;
            {
                let mut deleted = change.open_table(DELETED)?;
                for key in gone {
                    deleted.remove(key)?;
                }
            }
            change.commit()?;
            Ok(())
        };
        write().map_err(|error| self.refused(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_learnt_is_there_when_it_is_opened_again_and_names_nobody() {
        let folder = tempfile::tempdir().expect("a folder");
        let (key, standing) =
            (key_of("https://r.example/oai", "oai:r:Kapitonas"), Standing { from: "2026-11-01".to_owned(), ..Standing::default() });
        let learnt = Learnt { known: vec![(key, 7)], lists: vec![("r".to_owned(), standing.clone())], ..Learnt::default() };
        Memory::open(folder.path()).expect("room").learn(&learnt).expect("room");
        let memory = Memory::open(folder.path()).expect("room");
        assert_eq!((memory.known(key).expect("a file"), memory.standing("r").expect("a file")), (Some((7, 0)), standing));
        for (state, tries) in [(8, 1), (8, 2), (9, 1)] {
            memory.learn(&Learnt { failed: vec![(key, state)], deleted: vec![key], ..Learnt::default() }).expect("room");
            assert_eq!(memory.known(key).expect("a file"), Some((state, tries)));
        }
        assert_eq!(memory.deleted().expect("a file").into_iter().collect::<Vec<_>>(), [key]);
        memory.learn(&Learnt { known: vec![(key, 9)], ..Learnt::default() }).expect("room");
        assert!(memory.deleted().expect("a file").is_empty(), "a record that is back is not deleted");
        let bytes = std::fs::read(folder.path().join(FILE)).expect("a file");
        assert!(memchr::memmem::find(&bytes, b"Kapitonas").is_none());
    }
}
