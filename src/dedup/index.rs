//! What a data set remembers of earlier nights: sorted runs of keys with document numbers, and a row for every document.
//!
//! A run is three files: `exact` and `bands`, sorted keys ([`super::keys`]), and `documents`, a row each in the order of their numbers.
//! A document's number counts over all runs, oldest first, and never changes: merging neighbouring runs keeps it, and an erased
//! document leaves an empty row. So a smaller number means an earlier night, and rows may point at one another.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::doc::DocId;
use crate::sink::{Output, OutputKind, SinkError};

use super::columns::{Column, ColumnError, ColumnFile, ColumnWriter};
use super::keys::{self, KeysAbout};
use super::settings::DedupSettings;
use super::sign::Scheme;
use super::sorter::array;

pub(super) const ID: usize = 0;
pub(super) const OCCURRENCE: usize = 1;
pub(super) const RANK: usize = 2;
pub(super) const EXACT: usize = 3;
pub(super) const WINNER: usize = 4;
pub(super) const CLUSTER: usize = 5;
pub(super) const SKETCH: usize = 6;
pub(super) const COLUMNS: usize = 7;

/// Documents in a block: single ones are looked up among millions, so a block is short, 90 KB.
const BLOCK_ROWS: u32 = 512;

/// Runs of one level that are merged when there are so many. A document is written anew once a level, and a night asks at most three
/// runs a level.
const FANOUT: u64 = 4;

/// The files of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFiles {
    /// Keys of whole texts.
    pub exact: PathBuf,
    /// Keys of bands.
    pub bands: PathBuf,
    /// A row for each document.
    pub documents: PathBuf,
}

impl RunFiles {
    /// Endings of the three files, in order of the alphabet.
    pub const ENDINGS: [&'static str; 3] = ["bands", "documents", "exact"];

    /// The files of the run called `stem` in `folder`.
    #[must_use]
    pub fn of(folder: &Path, stem: &str) -> RunFiles {
        let [bands, documents, exact] = RunFiles::ENDINGS.map(|ending| folder.join(format!("{stem}.{ending}")));
        RunFiles { exact, bands, documents }
    }

    /// The runs whose files are `paths`: the three of a run side by side, in order of their endings.
    #[must_use]
    pub fn all(paths: &[PathBuf]) -> Vec<RunFiles> {
        let runs = paths.as_chunks::<3>().0.iter().cloned();
        runs.map(|[bands, documents, exact]| RunFiles { exact, bands, documents }).collect()
    }
}

/// What the documents of a run say of themselves.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocumentsAbout {
    /// How they were signed.
    pub scheme: Scheme,
    /// Whether equal texts of different languages are duplicates.
    pub exact: bool,
    /// Clusters of earlier nights that these documents joined: the one that is no longer, and the one that it became.
    pub joins: Vec<(u64, u64)>,
}

/// Why an index cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// A file of it cannot be used.
    #[error(transparent)]
    File(#[from] ColumnError),
    /// It was made with other settings.
    #[error(
        "the index of earlier nights was made with other settings of deduplication (`{path}`: {found}; wanted: {wanted}); \
         put the settings back, or set dedup.remember=false to compare with no earlier night; what another version of tamis normalised cannot be compared",
        path = path.display()
    )]
    OtherScheme { path: PathBuf, found: String, wanted: String },
    /// Another data set was signed with other settings.
    #[error(
        "the data set `{dataset}` of yield_to was signed otherwise: {setting} is {theirs} there and {ours} here; give both recipes the same, \
         or take `{dataset}` from yield_to"
    )]
    OtherDataSet { dataset: String, setting: &'static str, theirs: String, ours: String },
    /// The three files of a run do not belong together.
    #[error("`{path}` does not belong to the documents beside it; restore the index from a backup", path = path.display())]
    Mixed { path: PathBuf },
}

/// One run, opened.
#[derive(Debug)]
pub struct Run {
    pub(super) exact: ColumnFile<KeysAbout>,
    pub(super) bands: ColumnFile<KeysAbout>,
    pub(super) documents: ColumnFile<DocumentsAbout>,
    /// Number of its first document.
    pub(super) base: u64,
}

impl Run {
    fn open(files: &RunFiles, base: u64) -> Result<Run, IndexError> {
        let (exact, bands) = (keys::open::<u128>(&files.exact)?, keys::open::<u64>(&files.bands)?);
        let documents = ColumnFile::<DocumentsAbout>::open(&files.documents)?;
        documents.expect_columns(&columns(documents.about().scheme))?;
        for keys in [&exact, &bands] {
            if keys.about().scheme != documents.about().scheme {
                return Err(IndexError::Mixed { path: keys.path().to_owned() });
            }
        }
        Ok(Run { exact, bands, documents, base })
    }

    /// How many documents it holds.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.documents.rows() as u64
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.documents.rows() == 0
    }
}

/// All runs, oldest first.
#[derive(Debug)]
pub struct Index {
    pub(super) runs: Vec<Run>,
    joins: HashMap<u64, u64>,
}

/// A document of an earlier night.
#[derive(Clone, Debug)]
pub struct Remembered {
    /// Its id; 0 if it was erased.
    pub id: DocId,
    /// Which capture it was.
    pub occurrence: u64,
    /// Its rank.
    pub rank: u64,
    /// Its exact hash.
    pub exact: u128,
    /// The document that stands for its cluster, perhaps itself.
    pub winner: DocId,
    /// Number that names its cluster.
    pub cluster: u64,
    /// Its sketch.
    pub sketch: Vec<u8>,
}

impl Index {
    /// Opens `runs`, which must have been made as `settings` say.
    ///
    /// # Errors
    /// When a file cannot be read, is damaged, or was made in another way.
    pub fn open(settings: &DedupSettings, runs: &[RunFiles]) -> Result<Index, IndexError> {
        let index = Index::open_any(runs)?;
        let wanted = (Scheme::of(settings), settings.exact);
        for run in &index.runs {
            let about = run.documents.about();
            if (about.scheme, about.exact) != wanted {
                let told = |(scheme, exact): (Scheme, bool)| format!("{scheme}, exact = {exact}");
                let (path, found) = (run.documents.path().to_owned(), told((about.scheme, about.exact)));
                return Err(IndexError::OtherScheme { path, found, wanted: told(wanted) });
            }
        }
        Ok(index)
    }

    /// Opens the `runs` of another data set, whose documents are held against those that are signed by `scheme`.
    ///
    /// # Errors
    /// When a file cannot be read, is damaged, or its documents were signed otherwise.
    pub fn open_other(dataset: &str, runs: &[RunFiles], scheme: Scheme) -> Result<Index, IndexError> {
        let index = Index::open_any(runs)?;
        let difference = index.runs.iter().find_map(|run| run.documents.about().scheme.difference(scheme));
        match difference {
            None => Ok(index),
            Some((setting, theirs, ours)) => Err(IndexError::OtherDataSet { dataset: dataset.to_owned(), setting, theirs, ours }),
        }
    }

    /// An index that knows nothing.
    #[must_use]
    pub fn none() -> Index {
        Index { runs: Vec::new(), joins: HashMap::new() }
    }

    /// How its documents were signed, and whether equal texts of different languages are duplicates; `None` if it has none.
    #[must_use]
    pub fn scheme(&self) -> Option<(Scheme, bool)> {
        self.runs.first().map(|run| (run.documents.about().scheme, run.documents.about().exact))
    }

    /// Opens `runs`, however they were made.
    ///
    /// # Errors
    /// When a file cannot be read or is damaged.
    pub fn open_any(runs: &[RunFiles]) -> Result<Index, IndexError> {
        let mut index = Index::none();
        for files in runs {
            let run = Run::open(files, index.len())?;
            index.joins.extend(run.documents.about().joins.iter().copied());
            index.runs.push(run);
        }
        Ok(index)
    }

    /// How many documents it numbers.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.runs.last().map_or(0, |run| run.base + run.len())
    }

    /// Whether it has no run.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// The cluster that `cluster` has become.
    #[must_use]
    pub fn cluster_now(&self, mut cluster: u64) -> u64 {
        while let Some(next) = self.joins.get(&cluster).filter(|next| **next < cluster) {
            cluster = *next;
        }
        cluster
    }

    /// How many of the last runs a night of `documents` is merged with: a level of the log-structured merge at a time, as long as it
    /// makes [`FANOUT`] runs of that level.
    #[must_use]
    pub fn to_merge(&self, documents: u64) -> usize {
        merge_with(&self.runs.iter().map(Run::len).collect::<Vec<_>>(), documents)
    }

    /// Calls `each` with the documents that have `numbers` (ascending) and with the place of the number.
    ///
    /// # Errors
    /// When a file cannot be read or is damaged.
    pub fn look_up<E: From<ColumnError>>(
        &self,
        numbers: &[u64],
        mut each: impl FnMut(usize, Remembered) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut wanted = numbers.iter().copied().enumerate().peekable();
        let mut columns = Columns::default();
        for run in &self.runs {
            let mut first = run.base;
            let file = run.documents.open_again()?;
            for (block, rows) in run.documents.blocks().enumerate() {
                let end = first + rows as u64;
                if wanted.peek().is_some_and(|(_, number)| *number < end) {
                    columns.fill(&run.documents, &file, block)?;
                    while let Some((place, number)) = wanted.next_if(|(_, number)| *number < end) {
                        each(place, columns.row((number - first) as usize))?;
                    }
                }
                first = end;
            }
        }
        Ok(())
    }
}

/// The documents of an index in the order of their numbers.
#[derive(Debug)]
pub struct Rows {
    index: Index,
    /// The block that is read next: of which run, and which one there.
    next: (usize, usize),
    columns: Columns,
    row: usize,
}

impl Index {
    /// Its documents from number `first` on.
    ///
    /// # Errors
    /// When a file cannot be read or is damaged.
    pub fn rows_from(self, first: u64) -> Result<Rows, ColumnError> {
        let run = self.runs.partition_point(|run| run.base + run.len() <= first);
        let mut rows = Rows { next: (run, 0), columns: Columns::default(), row: 0, index: self };
        let Some(run) = rows.index.runs.get(run) else { return Ok(rows) };
        let mut before = run.base;
        for count in run.documents.blocks() {
            if before + count as u64 > first {
                break;
            }
            before += count as u64;
            rows.next.1 += 1;
        }
        rows.fill()?;
        rows.row = first.saturating_sub(before) as usize;
        Ok(rows)
    }
}

impl Rows {
    /// The next document, erased ones among them; none at the end.
    ///
    /// # Errors
    /// When a file cannot be read or is damaged.
    pub fn pull(&mut self) -> Result<Option<Remembered>, ColumnError> {
        if self.row == self.columns.rows() && !self.fill()? {
            return Ok(None);
        }
        self.row += 1;
        Ok(Some(self.columns.row(self.row - 1)))
    }

    /// Reads the next block, if there is one.
    fn fill(&mut self) -> Result<bool, ColumnError> {
        self.row = 0;
        while let Some(run) = self.index.runs.get(self.next.0) {
            if self.next.1 < run.documents.blocks().len() {
                self.columns.fill(&run.documents, &run.documents.open_again()?, self.next.1)?;
                self.next.1 += 1;
                return Ok(true);
            }
            self.next = (self.next.0 + 1, 0);
        }
        self.columns = Columns::default();
        Ok(false)
    }
}

/// How many of the last of `runs` (their sizes) a run of `documents` is merged with.
fn merge_with(runs: &[u64], documents: u64) -> usize {
    let level = |size: u64| size.max(1).ilog(FANOUT);
    let (mut merged, mut size) = (0, documents);
    loop {
        let rest = &runs[..runs.len() - merged];
        let same = rest.iter().rev().take_while(|run| level(**run) <= level(size)).count();
        if (same as u64) < FANOUT - 1 {
            return merged;
        }
        size += rest[rest.len() - same..].iter().sum::<u64>();
        merged += same;
    }
}

/// All columns of one block.
#[derive(Debug, Default)]
pub(super) struct Columns(pub(super) [Vec<u8>; COLUMNS]);

impl Columns {
    pub(super) fn read(file: &ColumnFile<DocumentsAbout>, block: usize) -> Result<Columns, ColumnError> {
        let mut columns = Columns::default();
        columns.fill(file, &file.open_again()?, block)?;
        Ok(columns)
    }

    fn fill(&mut self, documents: &ColumnFile<DocumentsAbout>, file: &File, block: usize) -> Result<(), ColumnError> {
        for (number, column) in self.0.iter_mut().enumerate() {
            documents.read_into(file, number, block, column)?;
        }
        Ok(())
    }

    pub(super) fn rows(&self) -> usize {
        self.0[OCCURRENCE].len() / 8
    }

    pub(super) fn row(&self, row: usize) -> Remembered {
        let wide = |column: usize| u128::from_le_bytes(array(&self.0[column][16 * row..]));
        let number = |column: usize| u64::from_le_bytes(array(&self.0[column][8 * row..]));
        let values = self.0[SKETCH].len() / self.rows().max(1);
        Remembered {
            id: DocId(wide(ID)),
            occurrence: number(OCCURRENCE),
            rank: number(RANK),
            exact: wide(EXACT),
            winner: DocId(wide(WINNER)),
            cluster: number(CLUSTER),
            sketch: self.0[SKETCH][row * values..(row + 1) * values].to_vec(),
        }
    }
}

fn columns(scheme: Scheme) -> Vec<Column> {
    let values = scheme.banding.map_or(0, super::settings::Banding::values);
    let columns = [("id", 16), ("occurrence", 8), ("rank", 8), ("exact", 16), ("winner", 16), ("cluster", 8), ("sketch", values)];
    columns.into_iter().map(|(name, width)| Column::new(name, width)).collect()
}

/// Writes the documents of a run.
#[derive(Debug)]
pub(super) struct DocumentsWriter {
    writer: ColumnWriter,
    about: DocumentsAbout,
}

impl DocumentsWriter {
    pub(super) fn create(path: &Path, about: DocumentsAbout) -> Result<DocumentsWriter, SinkError> {
        let writer = ColumnWriter::create(path, columns(about.scheme))?.with_block_rows(BLOCK_ROWS);
        Ok(DocumentsWriter { writer, about })
    }

    pub(super) fn write(&mut self, row: &Remembered) -> Result<(), SinkError> {
        self.writer.set(ID, &row.id.0.to_le_bytes());
        self.writer.set(OCCURRENCE, &row.occurrence.to_le_bytes());
        self.writer.set(RANK, &row.rank.to_le_bytes());
        self.writer.set(EXACT, &row.exact.to_le_bytes());
        self.writer.set(WINNER, &row.winner.0.to_le_bytes());
        self.writer.set(CLUSTER, &row.cluster.to_le_bytes());
        self.writer.set(SKETCH, &row.sketch);
        self.writer.end_row()
    }

    /// Writes a block of another run as it stands.
    pub(super) fn copy_block<E>(&mut self, from: &ColumnFile<DocumentsAbout>, block: usize) -> Result<(), E>
    where
        E: From<ColumnError> + From<SinkError>,
    {
        self.writer.copy_block(from, &from.open_again()?, block)
    }

    pub(super) fn finish(self) -> Result<Output, SinkError> {
        self.writer.finish(OutputKind::Index, &self.about)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_one_level_are_merged_and_every_document_is_written_anew_once_a_level() {
        let mut runs: Vec<u64> = Vec::new();
        let (mut written, nights) = (0, 4_u64.pow(5));
        for _ in 0..nights {
            let merged = merge_with(&runs, 100);
            let size = 100 + runs.split_off(runs.len() - merged).iter().sum::<u64>();
            written += size;
            runs.push(size);
            assert!(runs.len() <= 16, "{runs:?}");
        }
        assert_eq!(runs.iter().sum::<u64>(), nights * 100);
        assert!(written <= nights * 100 * 7, "{written}");
        assert_eq!(merge_with(&[1_000_000, 10, 10], 10), 0);
        assert_eq!(merge_with(&[1_000_000, 10, 10, 10], 10), 3);
    }
}
