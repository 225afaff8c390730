//! Reads some columns of a Parquet file row by row, a row group or some rows of it at a time.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, UInt32Type};
use arrow_array::{Array, RecordBatch};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection};
use parquet::errors::ParquetError;
use parquet::file::metadata::PageIndexPolicy;

use super::InBlock;
use crate::doc::DocId;

/// Rows that are read at a time.
const BATCH_ROWS: usize = 512;

/// An open file of documents.
pub struct Documents {
    file: File,
    metadata: ArrowReaderMetadata,
}

/// One row.
pub struct Row<'a> {
    batch: &'a RecordBatch,
    row: usize,
}

impl<'a> Row<'a> {
    /// A column of text; empty where there is no value or no such column.
    #[must_use]
    pub fn text(&self, name: &str) -> &'a str {
        let column = self.batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
        column.filter(|column| column.is_valid(self.row)).map_or("", |column| column.value(self.row))
    }

    /// Text in a column of values by name, as `optout` is; empty where there is none.
    #[must_use]
    pub fn text_in(&self, column: &str, name: &str) -> &'a str {
        let values = self.batch.column_by_name(column).and_then(|column| column.as_struct_opt());
        let values = values.and_then(|values| values.column_by_name(name)).and_then(|values| values.as_string_opt::<i32>());
        values.filter(|values| values.is_valid(self.row)).map_or("", |values| values.value(self.row))
    }

    /// A number in a column of numbers by name, as `quality` and `pii` are.
    #[must_use]
    pub fn number_in(&self, column: &str, name: &str) -> Option<f64> {
        let signals = self.batch.column_by_name(column)?.as_struct_opt()?;
        let values = signals.column_by_name(name).filter(|values| values.is_valid(self.row))?;
        let signal = values.as_primitive_opt::<Float32Type>().map(|values| f64::from(values.value(self.row)));
        signal.or_else(|| values.as_primitive_opt::<UInt32Type>().map(|values| f64::from(values.value(self.row))))
    }

    /// The batch that the row is of.
    #[must_use]
    pub fn batch(&self) -> &'a RecordBatch {
        self.batch
    }

    /// Its number in that batch.
    #[must_use]
    pub fn number(&self) -> usize {
        self.row
    }

    /// The document's id.
    #[must_use]
    pub fn id(&self) -> DocId {
        self.text("id").parse().unwrap_or_default()
    }
}

impl Documents {
    /// Opens `path`.
    ///
    /// # Errors
    /// When it is no Parquet file.
    pub fn open(path: &Path) -> Result<Documents, ParquetError> {
        Documents::open_with(path, PageIndexPolicy::Optional)
    }

    /// The same to read whole row groups, for which nobody has to know where pages lie.
    ///
    /// # Errors
    /// When it is no Parquet file.
    pub fn open_to_read_all(path: &Path) -> Result<Documents, ParquetError> {
        Documents::open_with(path, PageIndexPolicy::Skip)
    }

    fn open_with(path: &Path, pages: PageIndexPolicy) -> Result<Documents, ParquetError> {
        let file = File::open(path)?;
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true).with_offset_index_policy(pages);
        let metadata = ArrowReaderMetadata::load(&file, options)?;
        Ok(Documents { file, metadata })
    }

    /// Number of rows of each row group.
    #[must_use]
    pub fn groups(&self) -> Vec<usize> {
        self.metadata.metadata().row_groups().iter().map(|group| usize::try_from(group.num_rows()).unwrap_or(0)).collect()
    }

    /// Names of all columns.
    #[must_use]
    pub fn columns(&self) -> Vec<&str> {
        self.metadata.schema().fields().iter().map(|field| field.name().as_str()).collect()
    }

    /// Bytes of the values of a column, before they are packed.
    #[must_use]
    pub fn column_bytes(&self, name: &str) -> u64 {
        let columns = self.metadata.metadata().row_groups().iter().flat_map(|group| group.columns());
        let of_name = columns.filter(|column| column.column_path().parts().first().is_some_and(|part| part == name));
        of_name.map(|column| column.uncompressed_size().max(0) as u64).sum()
    }

    /// Calls `each` with the rows of row group `group` that are wanted, and their numbers, with these columns.
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn for_each(
        &self,
        group: usize,
        wanted: &InBlock,
        columns: &[&str],
        mut each: impl FnMut(usize, Row<'_>),
    ) -> Result<(), ParquetError> {
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(self.file.try_clone()?, self.metadata.clone());
        let fields = builder.schema().fields().iter().enumerate().filter(|(_, field)| columns.contains(&field.name().as_str()));
        let mask = ProjectionMask::roots(builder.parquet_schema(), fields.map(|(place, _)| place).collect::<Vec<_>>());
        let mut builder = builder.with_row_groups(vec![group]).with_projection(mask).with_batch_size(BATCH_ROWS);
        let count = self.groups().get(group).copied().unwrap_or(0);
        let mut numbers: Box<dyn Iterator<Item = usize>> = Box::new(0..count);
        if let InBlock::Rows(rows) = wanted {
            let rows: BTreeSet<usize> = rows.range(..count).copied().collect();
            builder = builder.with_row_selection(RowSelection::from_consecutive_ranges(rows.iter().map(|row| *row..row + 1), count));
            numbers = Box::new(rows.into_iter());
        }
        for batch in builder.build()? {
            let batch = batch?;
            for (row, number) in (0..batch.num_rows()).zip(&mut numbers) {
                each(number, Row { batch: &batch, row });
            }
        }
        Ok(())
    }
}
