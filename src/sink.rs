//! The door of every sink: documents in, finished files in an attempt's folder out.
//!
//! A sink never publishes: it writes below the folder it was given, and says what it wrote. The engine commits it.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::doc::Document;

/// Writes documents in the order in which they come.
pub trait Sink: Send {
    /// Takes one document.
    ///
    /// # Errors
    /// When the file cannot be written; the task then fails and can be tried again.
    fn write(&mut self, doc: Document) -> Result<(), SinkError>;

    /// Ends all files, flushes them to disk (fsync) and describes them, sorted by name.
    ///
    /// # Errors
    /// As for [`Sink::write`].
    fn finish(self: Box<Self>) -> Result<Vec<Output>, SinkError>;
}

/// One finished file, as a commit record holds it: a pure function of plan and task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// File name inside the attempt's folder.
    pub name: String,
    /// What is in it.
    pub kind: OutputKind,
    /// Size.
    pub bytes: u64,
    /// Documents.
    pub rows: u64,
    /// Sum of `token_count`.
    pub tokens: u64,
    /// SHA-256 of the file, hex.
    pub sha256: String,
    /// Row groups, where later stages pick some of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<RowGroup>,
}

/// What an output is, so that the store knows where it belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutputKind {
    /// Documents between two passes.
    Documents,
    /// Where documents between two passes are stored that were not read for it.
    Places,
    /// Signatures for deduplication.
    Signatures,
    /// Decisions of deduplication.
    Exclusions,
    /// Keys of paragraphs, to find those that recur.
    Paragraphs,
    /// Keys of the paragraphs that recur.
    RecurringParagraphs,
    /// A part of the deduplication index, to be published under `_tamis/index/`.
    Index,
    /// A shard to publish.
    Shard,
    /// Dropped documents with their reasons.
    Rejects,
    /// What could not be read or finished, one JSON object a line.
    Quarantine,
}

/// One row group of a Parquet output: all its documents have one language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowGroup {
    /// BCP 47 tag.
    pub lang: String,
    /// Documents.
    pub rows: u64,
    /// Bytes of text, unpacked.
    pub bytes: u64,
}

/// Why a sink could not write.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// No room.
    #[error("no space left for `{path}`; make room on that disk and run the same command again: nothing that was finished is lost", path = path.display())]
    DiskFull { path: PathBuf, source: std::io::Error },
    /// The system refused for another reason.
    #[error("cannot write `{path}`", path = path.display())]
    Io { path: PathBuf, source: std::io::Error },
    /// The Parquet library refused.
    #[error("cannot write `{path}`", path = path.display())]
    Parquet { path: PathBuf, source: parquet::errors::ParquetError },
}

impl SinkError {
    /// The error for what the system said about `path`.
    #[must_use]
    pub fn io(path: &Path, source: std::io::Error) -> SinkError {
        use std::io::ErrorKind::{QuotaExceeded, StorageFull};
        let path = path.to_owned();
        match source.kind() {
            StorageFull | QuotaExceeded => SinkError::DiskFull { path, source },
            _ => SinkError::Io { path, source },
        }
    }
}
