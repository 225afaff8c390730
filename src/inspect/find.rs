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
    /// Its address, canonical; and as it was asked for, which goes before others that lead to the same page.
    Address(Address, String),
}

impl Name {
    /// The name that `text` is: 32 hex digits, or an address.
    #[must_use]
    pub fn read(text: &str) -> Option<Name> {
        let is_id = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        match is_id {
            true => text.to_ascii_lowercase().parse().ok().map(Name::Id),
            false => Address::of(text).map(|address| Name::Address(address, text.trim().to_owned())),
        }
    }

    fn key(&self) -> Key {
        match self {
            Name::Id(id) => Key::of_id(*id),
            Name::Address(address, _) => Key::of_address(address.as_str()),
        }
    }

    fn is(&self, id: DocId, url: &str) -> bool {
        match self {
            Name::Id(known) => *known == id,
            Name::Address(known, _) => Address::of(url).as_ref() == Some(known),
        }
    }

    /// Whether a row is called just as it was asked for.
    fn is_spelt(&self, row: &Map<String, Value>) -> bool {
        match self {
            Name::Id(_) => true,
            Name::Address(_, asked) => row.get("url").and_then(Value::as_str) == Some(asked),
        }
    }
}

/// What became of a document.
#[derive(Clone, Debug, PartialEq)]
pub enum Fate {
    /// It stands in this shard (path below the workspace).
    Kept { shard: String, row: Map<String, Value> },
    /// It was dropped, the newest time by the run of this plan.
    Dropped { run: String, row: Map<String, Value> },
}

/// The number of the takedown that erased the document called `name`; nobody can tell without the key of the list, which lies at `key`.
#[must_use]
pub fn erased(workspace: &Workspace, name: &Name, key: &Path) -> Option<u64> {
    let list = Suppression::open(workspace, key).ok()??;
    match name {
        Name::Id(id) => list.takedown_of(suppression::Kind::Id, &id.to_string()),
        Name::Address(address, _) => list.takedown_of(suppression::Kind::Url, address.as_str()),
    }
}

impl Dataset {
    /// What became of the document called `name`: published is published, whatever fell beside it; else the last run that dropped it
    /// tells. Of several addresses of one page, as with `http` and with `https`, the one that was asked for goes first. `None` where nobody
    /// read it, or it was erased.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn fate(&self, name: &Name) -> Result<Option<Fate>, InspectError> {
        let published = self.published(name)?;
        if let Some((shard, row)) = published.clone().filter(|(_, row)| name.is_spelt(row)) {
            return Ok(Some(Fate::Kept { shard, row }));
        }
        let mut dropped = None;
        for path in &self.rejects {
            let rows = self.rows(path, name)?;
            let fate = |row: &Map<String, Value>| Fate::Dropped { run: self.run_of(path), row: row.clone() };
            if let Some(row) = rows.iter().rev().find(|row| name.is_spelt(row)) {
                return Ok(Some(fate(row)));
            }
            dropped = dropped.or(rows.last().map(fate));
        }
        let kept = published.map(|(shard, row)| Fate::Kept { shard, row });
        Ok(kept.or(dropped))
    }

    /// The plan whose run left the file `path` of rejects.
    fn run_of(&self, path: &Path) -> String {
        self.runs.iter().find(|run| path.starts_with(self.workspace.rejects(run))).cloned().unwrap_or_default()
    }

    /// The published document called `name`, and the shard that it stands in.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn published(&self, name: &Name) -> Result<Option<(String, Map<String, Value>)>, InspectError> {
        let mut found = None;
        for path in &self.shards {
            for row in self.rows(path, name)? {
                let shard = path.strip_prefix(self.workspace.root()).unwrap_or(path).to_string_lossy().into_owned();
                if name.is_spelt(&row) {
                    return Ok(Some((shard, row)));
                }
                found = Some((shard, row));
            }
        }
        Ok(found)
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
