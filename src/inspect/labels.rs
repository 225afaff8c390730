//! What people said of documents: good or bad, and why. One list a data set, a line a label; the last one of a document holds.
//!
//! The list names documents by their ids and nothing else, and is a store that takedowns go through.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::InspectError;
use crate::doc::DocId;
use crate::store::{self, StoreError};
use crate::workspace::Workspace;

/// What a document is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// A model should learn from it.
    Good,
    /// It should not.
    Bad,
}

/// One label.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Label {
    /// The document.
    pub id: DocId,
    /// What it is called.
    pub label: Verdict,
    /// Why, in a few words; may be empty.
    pub reason: String,
}

/// All labels of a data set, by document.
#[derive(Clone, Debug, Default)]
pub struct Labels {
    path: PathBuf,
    all: BTreeMap<DocId, Label>,
}

impl Labels {
    /// Reads the labels of `dataset`; there may be none yet.
    ///
    /// # Errors
    /// When the list cannot be read or is damaged.
    pub fn open(workspace: &Workspace, dataset: &str) -> Result<Labels, InspectError> {
        let path = workspace.labels().join(format!("{dataset}.jsonl"));
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(StoreError::io(&path, error).into()),
        };
        let mut all = BTreeMap::new();
        for (line, json) in (1..).zip(text.lines()) {
            let label: Label = serde_json::from_str(json).map_err(|_| InspectError::Labels { path: path.clone(), line })?;
            all.insert(label.id, label);
        }
        Ok(Labels { path, all })
    }

    /// All labels, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Label> {
        self.all.values()
    }

    /// Whether a document has one.
    #[must_use]
    pub fn has(&self, id: DocId) -> bool {
        self.all.contains_key(&id)
    }

    /// Sets labels and writes the list. The caller holds the lock of the workspace.
    ///
    /// # Errors
    /// When the list cannot be written.
    pub fn set(&mut self, labels: impl IntoIterator<Item = Label>) -> Result<(), InspectError> {
        self.all.extend(labels.into_iter().map(|label| (label.id, label)));
        let lines: String = self.all.values().map(|label| serde_json::to_string(label).expect("strings are JSON") + "\n").collect();
        store::create_folder(self.path.parent().unwrap_or(Path::new(".")))?;
        Ok(store::write_over(&self.path, lines.as_bytes())?)
    }
}
