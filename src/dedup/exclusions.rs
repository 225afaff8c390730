//! The decisions as a file, and as a map that the emit pass asks.
//!
//! One row for each document that has duplicates, winners among them, sorted by id and occurrence. A row names the occurrence because
//! the same page may have been captured twice under one id, and only one of the two may stay.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::doc::{Cluster, DocId, Document};
use crate::sink::{Output, OutputKind, SinkError};
use crate::stage::Verdict;

use super::clusters::{Fate, Member};
use super::columns::{Column, ColumnError, ColumnFile, ColumnWriter};
use super::decide::{fate_bytes, fate_of};
use super::settings::DedupSettings;
use super::signatures::occurrence;

/// Reason of a document whose text another one has.
pub const EXACT_DUPLICATE: &str = "exact-duplicate";
/// Reason of a document that is like another one.
pub const NEAR_DUPLICATE: &str = "near-duplicate";
/// Reason of a document whose text another data set has, which goes before this one.
pub const EXACT_ELSEWHERE: &str = "exact-elsewhere";
/// Reason of a document that is like one of another data set, which goes before this one.
pub const NEAR_ELSEWHERE: &str = "near-elsewhere";
/// Reason of a document whose address was captured again later.
pub const OLDER_CAPTURE: &str = "older-capture";

const ID: usize = 0;
const OCCURRENCE: usize = 1;
const FATE: usize = 2;
const WINNER: usize = 3;
const CLUSTER: usize = 4;
const SIZE: usize = 5;
const JACCARD: usize = 6;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct About {
    settings: DedupSettings,
}

fn columns() -> Vec<Column> {
    let columns = [("id", 16), ("occurrence", 8), ("fate", 1), ("winner", 16), ("cluster", 16), ("size", 4), ("jaccard", 4)];
    columns.into_iter().map(|(name, width)| Column::new(name, width)).collect()
}

/// Writes decisions, which come sorted by id and occurrence.
#[derive(Debug)]
pub struct ExclusionsWriter {
    writer: ColumnWriter,
    about: About,
}

impl ExclusionsWriter {
    /// Begins a file at `path`.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn create(path: &Path, settings: &DedupSettings) -> Result<ExclusionsWriter, SinkError> {
        Ok(ExclusionsWriter { writer: ColumnWriter::create(path, columns())?, about: About { settings: settings.clone() } })
    }

    /// Writes one decision.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&mut self, member: &Member) -> Result<(), SinkError> {
        let (fate, jaccard) = fate_bytes(member.fate);
        let writer = &mut self.writer;
        writer.set(ID, &member.id.0.to_le_bytes());
        writer.set(OCCURRENCE, &member.occurrence.to_le_bytes());
        writer.set(FATE, &[fate]);
        writer.set(WINNER, &member.winner.0.to_le_bytes());
        writer.set(CLUSTER, &member.cluster.0.to_le_bytes());
        writer.set(SIZE, &member.size.to_le_bytes());
        writer.set(JACCARD, &jaccard.to_le_bytes());
        writer.end_row()
    }

    /// Ends the file, flushes it to disk and describes it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn finish(self) -> Result<Output, SinkError> {
        self.writer.finish(OutputKind::Exclusions, &self.about)
    }
}

/// What was decided about one document.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decision {
    /// Whether it stays, or why it falls.
    pub fate: Fate,
    /// The document that stays, perhaps this one.
    pub winner: DocId,
    /// The cluster that both belong to.
    pub cluster: Cluster,
}

/// All decisions of a job, to be asked by document. Some 100 bytes for each document that has duplicates.
#[derive(Debug)]
pub struct Exclusions {
    /// Sorted.
    keys: Vec<(DocId, u64)>,
    decisions: Vec<Decision>,
    jaccard_min: f32,
    yield_to: Vec<String>,
}

impl Exclusions {
    /// Reads the decisions at `path`.
    ///
    /// # Errors
    /// When the file cannot be read, is damaged, or something else.
    pub fn load(path: &Path) -> Result<Exclusions, ColumnError> {
        let file = ColumnFile::<About>::open(path)?;
        file.expect_columns(&columns())?;
        let DedupSettings { jaccard_min, yield_to, .. } = file.about().settings.clone();
        let mut exclusions = Exclusions { keys: Vec::new(), decisions: Vec::new(), jaccard_min, yield_to };
        for block in 0..file.blocks().len() {
            let [ids, winners, clusters] = [file.read(ID, block)?, file.read(WINNER, block)?, file.read(CLUSTER, block)?];
            let [occurrences, sizes, jaccards] = [file.read(OCCURRENCE, block)?, file.read(SIZE, block)?, file.read(JACCARD, block)?];
            let id = |column: &[u8], row: usize| DocId(u128::from_le_bytes(column.as_chunks().0[row]));
            for (row, fate) in file.read(FATE, block)?.into_iter().enumerate() {
                let fate = fate_of(fate, f32::from_le_bytes(jaccards.as_chunks().0[row]));
                let cluster = Cluster { id: id(&clusters, row), size: u32::from_le_bytes(sizes.as_chunks().0[row]) };
                exclusions.keys.push((id(&ids, row), u64::from_le_bytes(occurrences.as_chunks().0[row])));
                exclusions.decisions.push(Decision { fate, winner: id(&winners, row), cluster });
            }
        }
        Ok(exclusions)
    }

    /// What was decided about the document `id` captured at `occurrence`; `None` where it has no duplicates.
    #[must_use]
    pub fn get(&self, id: DocId, occurrence: u64) -> Option<Decision> {
        self.keys.binary_search(&(id, occurrence)).ok().map(|row| self.decisions[row])
    }

    /// The name of the data set that has the winner of a decision, where that is another one.
    #[must_use]
    pub fn elsewhere(&self, decision: &Decision) -> Option<&str> {
        let Fate::Yields { to, .. } = decision.fate else { return None };
        self.yield_to.get(usize::from(to)).map(String::as_str)
    }

    /// Drops `doc` if it is a duplicate, with the estimated similarity beside the limit; else marks it with its cluster, if it has one.
    pub fn judge(&self, doc: &mut Document) -> Verdict {
        let Some(decision) = self.get(doc.id, occurrence(&doc.source_file, doc.source_offset)) else { return Verdict::Keep };
        let verdict = self.verdict(&decision);
        if verdict == Verdict::Keep {
            doc.cluster = Some(decision.cluster);
        }
        verdict
    }

    /// What follows from a decision.
    pub fn verdict(&self, decision: &Decision) -> Verdict {
        match decision.fate {
            Fate::Winner => Verdict::Keep,
            Fate::Exact => Verdict::drop(EXACT_DUPLICATE),
            Fate::Older => Verdict::drop(OLDER_CAPTURE),
            Fate::Near(jaccard) => Verdict::broke(NEAR_DUPLICATE, jaccard, self.jaccard_min),
            Fate::Yields { jaccard: None, .. } => Verdict::drop(EXACT_ELSEWHERE),
            Fate::Yields { jaccard: Some(jaccard), .. } => Verdict::broke(NEAR_ELSEWHERE, jaccard, self.jaccard_min),
        }
    }

    /// Documents that have duplicates, those that stay among them.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether no document has duplicates.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}
