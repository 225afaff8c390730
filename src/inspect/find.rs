//! One document: where it lies, what is known of it, and what became of it.
//!
//! The locator's lists tell the row, so that a million documents are asked in the time of a few reads. An address is looked for in its
//! canonical form, whatever its scheme.

use std::path::Path;

use parquet::errors::ParquetError;
use serde_json::{Map, Value};

use super::row::json_of;
use super::{Dataset, InspectError};
use crate::doc::DocId;
use crate::locator::rows::Documents;
use crate::locator::{Key, Kind, LocateError, places};
use crate::suppression::{self, Suppression};
use crate::text::address::Address;
use crate::workspace::Workspace;

/// What a document is asked for by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// Its id.
    Id(DocId),
    /// Its address, canonical.
    Address(Address),
}

impl Name {
    /// The name that `text` is: 32 hex digits, or an address.
    #[must_use]
    pub fn read(text: &str) -> Option<Name> {
        let is_id = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        match is_id {
            true => text.to_ascii_lowercase().parse().ok().map(Name::Id),
            false => Address::of(text).map(Name::Address),
        }
    }

    fn key(&self) -> Key {
        match self {
            Name::Id(id) => Key::of_id(*id),
            Name::Address(address) => Key::of_address(address.as_str()),
        }
    }

    fn is(&self, id: DocId, url: &str) -> bool {
        match self {
            Name::Id(known) => *known == id,
            Name::Address(known) => Address::of(url).as_ref() == Some(known),
        }
    }
}

/// What became of a document.
#[derive(Clone, Debug, PartialEq)]
pub enum Fate {
    /// It stands in this shard (path below the workspace).
    Kept { shard: String, row: Map<String, Value> },
    /// It was dropped; the newest time that it was.
    Dropped { row: Map<String, Value> },
}

/// The number of the takedown that erased the document called `name`; nobody can tell without the key of the list, which lies at `key`.
#[must_use]
pub fn erased(workspace: &Workspace, name: &Name, key: &Path) -> Option<u64> {
    let list = Suppression::open(workspace, key).ok()??;
    match name {
        Name::Id(id) => list.takedown_of(suppression::Kind::Id, &id.to_string()),
        Name::Address(address) => list.takedown_of(suppression::Kind::Url, address.as_str()),
    }
}

impl Dataset {
    /// What became of the document called `name`: published is published, whatever fell beside it; else the last run that dropped it
    /// tells. `None` where nobody read it, or it was erased.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn fate(&self, name: &Name) -> Result<Option<Fate>, InspectError> {
        if let Some((shard, row)) = self.published(name)? {
            return Ok(Some(Fate::Kept { shard, row }));
        }
        for path in &self.rejects {
            if let Some(row) = self.rows(path, name)?.pop() {
                return Ok(Some(Fate::Dropped { row }));
            }
        }
        Ok(None)
    }

    /// The published document called `name`, and the shard that it stands in.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn published(&self, name: &Name) -> Result<Option<(String, Map<String, Value>)>, InspectError> {
        for path in &self.shards {
            if let Some(row) = self.rows(path, name)?.pop() {
                let shard = path.strip_prefix(self.workspace.root()).unwrap_or(path);
                return Ok(Some((shard.to_string_lossy().into_owned(), row)));
            }
        }
        Ok(None)
    }

    /// All rows of the file `path` that are called `name`.
    fn rows(&self, path: &Path, name: &Name) -> Result<Vec<Map<String, Value>>, InspectError> {
        let (_, places) = places(&self.workspace, Kind::Documents, path, &[name.key()])?;
        let mut found = Vec::new();
        let mut read = || -> Result<(), ParquetError> {
            if places.is_empty() {
                return Ok(());
            }
            let documents = Documents::open(path)?;
            for (group, rows) in &places {
                documents.for_each(*group, rows, &documents.columns(), |_, row| {
                    if name.is(row.id(), row.text("url")) {
                        found.push(json_of(row.batch(), row.number()));
                    }
                })?;
            }
            Ok(())
        };
        read().map_err(|source| LocateError::Parquet { path: path.to_owned(), source })?;
        Ok(found)
    }
}
