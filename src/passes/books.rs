//! The books of one task: counts, rejects and the quarantine list. Every document that a task reads is entered here once.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatch;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::doc::Document;
use crate::engine::plan::TaskName;
use crate::ledger::tally::Tally;
use crate::sink::{Output, OutputKind, SinkError};
use crate::sinks::rejects::{Duplicate, InputOrder, RejectsSink};
use crate::source::Damage;
use crate::stage::Dropped;

/// A part of an input, or a document, that was set aside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantined {
    /// Input file.
    pub file: String,
    /// Where it begins in that file.
    pub offset: u64,
    /// Stage that could not finish; `read` for the source.
    pub stage: String,
    /// What went wrong, in words.
    pub what: String,
}

/// Open books; [`Books::close`] ends them.
pub(super) struct Books {
    pub(super) tally: Tally,
    attempt: PathBuf,
    task: TaskName,
    /// Made when the first document falls.
    rejects: Option<RejectsSink>,
    order: Option<Arc<InputOrder>>,
    quarantine: Vec<Quarantined>,
}

impl Books {
    /// Opens the books of `task` in the folder `attempt`.
    pub(super) fn open(attempt: &Path, task: TaskName) -> Books {
        Books { tally: Tally::default(), attempt: attempt.to_owned(), task, rejects: None, order: None, quarantine: Vec::new() }
    }

    /// The same for documents that do not come in the order of the input, which is `order`: rejects stand in it, and are held until the end.
    pub(super) fn ordered_by(self, order: Arc<InputOrder>) -> Books {
        Books { order: Some(order), ..self }
    }

    fn rejects(&mut self) -> Result<&mut RejectsSink, SinkError> {
        let rejects = match self.rejects.take() {
            Some(rejects) => rejects,
            None => RejectsSink::create(&self.attempt, &format!("{}.rejects.parquet", self.task), self.order.clone())?,
        };
        Ok(self.rejects.insert(rejects))
    }

    /// Enters a document that goes on.
    pub(super) fn keep(&mut self) {
        self.tally.read += 1;
        self.tally.kept += 1;
    }

    /// Enters a document that fell.
    pub(super) fn drop(&mut self, doc: Document, stage: &str, dropped: Dropped, duplicate: Option<Duplicate>) -> Result<(), SinkError> {
        self.tally.read += 1;
        self.tally.drop_one(stage, dropped.reason);
        self.rejects()?.write(doc, stage, dropped.reason, dropped.finding, duplicate)
    }

    /// Enters row number `row` of `batch`, a stored document that fell.
    pub(super) fn drop_row(
        &mut self,
        row: (&RecordBatch, usize),
        stage: &str,
        dropped: Dropped,
        duplicate: Option<Duplicate>,
    ) -> Result<(), SinkError> {
        self.tally.read += 1;
        self.tally.drop_one(stage, dropped.reason);
        self.rejects()?.write_row(row, stage, dropped.reason, dropped.finding, duplicate)
    }

    /// Enters a document that `stage` could not finish.
    pub(super) fn set_aside(&mut self, doc: Document, stage: &str, reason: &'static str, what: String) -> Result<(), SinkError> {
        self.tally.quarantined += 1;
        self.quarantine.push(Quarantined { file: doc.source_file.to_string(), offset: doc.source_offset, stage: stage.to_owned(), what });
        self.drop(doc, stage, Dropped { reason, finding: None }, None)
    }

    /// Enters row number `row` of `batch`, a stored document from `place` (file and offset) that `stage` could not finish.
    pub(super) fn set_aside_row(
        &mut self,
        row: (&RecordBatch, usize),
        (file, offset): (&str, u64),
        (stage, reason): (&str, &'static str),
        what: String,
    ) -> Result<(), SinkError> {
        self.tally.quarantined += 1;
        self.quarantine.push(Quarantined { file: file.to_owned(), offset, stage: stage.to_owned(), what });
        self.drop_row(row, stage, Dropped { reason, finding: None }, None)
    }

    /// Enters a part of `file` that cannot be read.
    pub(super) fn damage(&mut self, file: &str, damage: Damage) {
        self.tally.damages += 1;
        let stage = crate::engine::flow::READ.to_owned();
        self.quarantine.push(Quarantined { file: file.to_owned(), offset: damage.offset, stage, what: damage.what });
    }

    /// Ends the books: their files, of which there is none without an entry, and the counts.
    pub(super) fn close(self) -> Result<(Vec<Output>, Tally), SinkError> {
        let mut outputs = Vec::new();
        if let Some(rejects) = self.rejects {
            outputs.push(rejects.finish()?);
        }
        if !self.quarantine.is_empty() {
            outputs.push(write_list(&self.attempt.join(format!("{}.jsonl", self.task)), &self.quarantine)?);
        }
        Ok((outputs, self.tally))
    }
}

/// Writes the quarantine list: one JSON object a line, in the order of the input.
fn write_list(path: &Path, list: &[Quarantined]) -> Result<Output, SinkError> {
    let mut bytes = Vec::new();
    for entry in list {
        serde_json::to_writer(&mut bytes, entry).expect("strings and numbers are JSON");
        bytes.push(b'\n');
    }
    let io = |error| SinkError::io(path, error);
    let mut file = std::fs::File::create(path).map_err(io)?;
    file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(io)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let sha256 = data_encoding::HEXLOWER.encode(&Sha256::digest(&bytes));
    let (bytes, rows) = (bytes.len() as u64, list.len() as u64);
    Ok(Output { name, kind: OutputKind::Quarantine, bytes, rows, tokens: 0, sha256, groups: Vec::new() })
}
