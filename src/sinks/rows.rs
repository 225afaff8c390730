//! Rows of stored files, shards and rejects, read by their numbers and by the columns that are asked for.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder, RowSelection,
};
use parquet::errors::ParquetError;
use parquet::file::metadata::PageIndexPolicy;

use super::chunks::Chunks;
use super::documents::ReadError;

/// An open file; a clone shares it.
#[derive(Clone, Debug)]
pub struct RowsFile {
    path: PathBuf,
    file: Chunks,
    metadata: ArrowReaderMetadata,
}

/// Which rows of a row group are read.
#[derive(Clone, Copy, Debug)]
pub enum Wanted<'a> {
    /// All of them.
    All,
    /// These, in ascending order.
    Rows(&'a [u32]),
}

impl RowsFile {
    /// Opens the file at `path`.
    ///
    /// # Errors
    /// When it cannot be read or is no Parquet.
    pub fn open(path: &Path) -> Result<RowsFile, ReadError> {
        RowsFile::open_with(path, ArrowReaderOptions::new())
    }

    /// Opens the file at `path`, with all that a copy of its column chunks must say in its footer.
    ///
    /// # Errors
    /// As [`RowsFile::open`].
    pub(super) fn open_to_copy(path: &Path) -> Result<RowsFile, ReadError> {
        // As a mask alone, the encodings of pages would be missing in the copy's footer.
        let options = ArrowReaderOptions::new().with_encoding_stats_as_mask(false).with_offset_index_policy(PageIndexPolicy::Optional);
        RowsFile::open_with(path, options)
    }

    /// What it is read with.
    pub(super) fn parts(&self) -> (Chunks, ArrowReaderMetadata) {
        (self.file.clone(), self.metadata.clone())
    }

    fn open_with(path: &Path, options: ArrowReaderOptions) -> Result<RowsFile, ReadError> {
        let file = File::open(path).and_then(Chunks::open).map_err(|source| ReadError::Io { path: path.to_owned(), source })?;
        let metadata = ArrowReaderMetadata::load(&file, options);
        let metadata = metadata.map_err(|source| ReadError::Parquet { path: path.to_owned(), source })?;
        Ok(RowsFile { path: path.to_owned(), file, metadata })
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many row groups it has.
    #[must_use]
    pub fn groups(&self) -> usize {
        self.metadata.metadata().num_row_groups()
    }

    /// How many rows a row group has.
    #[must_use]
    pub fn rows_in(&self, group: usize) -> usize {
        usize::try_from(self.metadata.metadata().row_group(group).num_rows()).unwrap_or(0)
    }

    /// Sees that there is a row group number `group`, and says how many rows it has.
    ///
    /// # Errors
    /// [`ReadError::NoSuchGroup`] where there is none.
    pub(super) fn expect_group(&self, group: usize) -> Result<usize, ReadError> {
        if group >= self.groups() {
            return Err(ReadError::NoSuchGroup { path: self.path.clone(), group });
        }
        Ok(self.rows_in(group))
    }

    /// What its footer says under `key`.
    #[must_use]
    pub fn says(&self, key: &str) -> Option<&str> {
        let pairs = self.metadata.metadata().file_metadata().key_value_metadata();
        pairs.into_iter().flatten().find(|pair| pair.key == key)?.value.as_deref()
    }

    /// The columns that `takes` says of rows of a row group, at most `rows_max` rows at a time.
    ///
    /// # Errors
    /// When the file breaks off.
    pub fn read(
        &self,
        group: usize,
        wanted: Wanted<'_>,
        takes: &dyn Fn(&str) -> bool,
        rows_max: usize,
    ) -> Result<ParquetRecordBatchReader, ReadError> {
        let fields = self.metadata.schema().fields().iter().enumerate();
        let columns: Vec<usize> = fields.filter(|(_, field)| takes(field.name())).map(|(place, _)| place).collect();
        let mask = ProjectionMask::roots(self.metadata.parquet_schema(), columns);
        let chunks = self.metadata.metadata().row_group(group).columns().iter().enumerate();
        let ranges = chunks.filter(|(place, _)| mask.leaf_included(*place)).map(|(_, chunk)| chunk.byte_range());
        let file = self.file.holding(ranges).map_err(|source| ReadError::Io { path: self.path.clone(), source })?;
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.metadata.clone());
        let mut builder = builder.with_row_groups(vec![group]).with_projection(mask).with_batch_size(rows_max);
        if let Wanted::Rows(rows) = wanted {
            let ranges = rows.iter().map(|row| *row as usize..*row as usize + 1);
            builder = builder.with_row_selection(RowSelection::from_consecutive_ranges(ranges, self.rows_in(group)));
        }
        builder.build().map_err(|error| self.refused(error))
    }

    /// What stands against reading it.
    #[must_use]
    pub fn refused(&self, source: ParquetError) -> ReadError {
        ReadError::Parquet { path: self.path.clone(), source }
    }

    /// What stands against reading row group number `group`, which has fewer rows than it should.
    #[must_use]
    pub fn lacking_rows(&self, group: u32) -> ReadError {
        self.refused(ParquetError::General(format!("row group {group} lacks rows")))
    }

    /// The same, row by row, `count` of them; at most `rows_max` are held at a time, and read at once where there are no more.
    ///
    /// # Errors
    /// When the file breaks off.
    pub fn read_rows(
        &self,
        group: usize,
        (wanted, count): (Wanted<'_>, usize),
        takes: &dyn Fn(&str) -> bool,
        rows_max: usize,
    ) -> Result<RowReader, ReadError> {
        let reader = self.read(group, wanted, takes, rows_max)?;
        let mut rows = RowReader { path: self.path.clone(), reader: Some(reader), batch: None, next: 0 };
        if count <= rows_max {
            rows.read_on()?;
            rows.reader = None;
        }
        Ok(rows)
    }

    /// All different values of a column of text in a row group.
    ///
    /// # Errors
    /// When the file breaks off.
    pub fn texts(&self, group: usize, column: &str) -> Result<BTreeSet<String>, ReadError> {
        let mut texts = BTreeSet::new();
        for batch in self.read(group, Wanted::All, &|name| name == column, self.rows_in(group))? {
            let batch = batch.map_err(|error| self.refused(error.into()))?;
            for text in batch.column_by_name(column).and_then(|column| column.as_string_opt::<i32>()).into_iter().flatten().flatten() {
                if !texts.contains(text) {
                    texts.insert(text.to_owned());
                }
            }
        }
        Ok(texts)
    }
}

/// Columns of some rows, and the number of one of them.
pub type Columns = (RecordBatch, usize);

/// Reads the columns of rows of one row group, one row after the other.
pub struct RowReader {
    path: PathBuf,
    /// None once all is read.
    reader: Option<ParquetRecordBatchReader>,
    batch: Option<RecordBatch>,
    /// The next row of the batch.
    next: usize,
}

impl RowReader {
    /// The columns of the next row.
    ///
    /// # Errors
    /// When the file breaks off, or no row is left.
    pub fn pull(&mut self) -> Result<Columns, ReadError> {
        if self.batch.as_ref().is_none_or(|batch| self.next == batch.num_rows()) {
            self.read_on()?;
        }
        let batch = self.batch.clone().ok_or_else(|| self.refused(lacks_rows()))?;
        self.next += 1;
        Ok((batch, self.next - 1))
    }

    fn read_on(&mut self) -> Result<(), ReadError> {
        // What was read before is let go of first.
        (self.batch, self.next) = (None, 0);
        let batch = self.reader.as_mut().and_then(Iterator::next).ok_or_else(|| self.refused(lacks_rows()))?;
        self.batch = Some(batch.map_err(|error| self.refused(error.into()))?);
        Ok(())
    }

    fn refused(&self, source: ParquetError) -> ReadError {
        ReadError::Parquet { path: self.path.clone(), source }
    }
}

fn lacks_rows() -> ParquetError {
    ParquetError::General("a row group lacks rows".to_owned())
}
