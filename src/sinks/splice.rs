//! Takes rows out of a finished file: row groups without any of them are copied byte for byte, the others are encoded anew.
//!
//! Schema, order, codec, filters and what the footer says stay; only the number of the takedown that the file honours changes. A page
//! knows nothing of its neighbours in other row groups, so nothing of an erased row is left.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;
use arrow_array::{BooleanArray, RecordBatch};
use arrow_select::concat::concat_batches;
use arrow_select::filter::filter_record_batch;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::arrow::arrow_writer::{ArrowRowGroupWriterFactory, compute_leaves};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{ReaderProperties, WriterProperties};
use parquet::file::reader::FileReader;
use parquet::file::serialized_reader::{ReadOptionsBuilder, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use sha2::{Digest, Sha256};

use super::rejects::reject_properties;
use super::shards::{ShardOptions, TAKEDOWN_SEQUENCE};
use super::{HashedFile, refused};
use crate::sink::SinkError;

/// Rows to erase: row group to rows in it.
pub type Rows = BTreeMap<usize, BTreeSet<usize>>;

/// Which file it is, and so how its row groups are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A shard.
    Shard,
    /// Dropped documents.
    Rejects,
}

/// A file without the rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spliced {
    /// SHA-256, hex.
    pub sha256: String,
    /// Rows that are left.
    pub rows: u64,
    /// Size.
    pub bytes: u64,
    /// Token ids of the rows that are gone.
    pub tokens_erased: u64,
}

/// Writes `path` without `rows` to `out`, flushed to disk, and says in the footer that it honours takedown `sequence`.
///
/// # Errors
/// When a file cannot be read or written.
pub fn splice(kind: Kind, path: &Path, rows: &Rows, sequence: u64, out: &Path) -> Result<Spliced, SinkError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| SinkError::Io { path, source }
    };
    let from = File::open(path).map_err(io(path))?;
    let file = File::create(out).map_err(io(out))?;
    let to = HashedFile { file, sha256: Sha256::new(), bytes: 0 };
    let (to, mut spliced) = copy(kind, &from, rows, sequence, to).map_err(|error| refused(path, error))?;
    let (bytes, sha256) = to.seal().map_err(io(out))?;
    (spliced.bytes, spliced.sha256) = (bytes, sha256);
    Ok(spliced)
}

fn copy(kind: Kind, from: &File, rows: &Rows, sequence: u64, to: HashedFile) -> Result<(HashedFile, Spliced), ParquetError> {
    let options = ReadOptionsBuilder::new().with_reader_properties(ReaderProperties::builder().set_read_bloom_filter(true).build()).build();
    let reader = SerializedFileReader::new_with_options(from.try_clone()?, options)?;
    let metadata = reader.metadata();
    let schema = metadata.file_metadata().schema_descr().root_schema_ptr();
    let key_values = metadata.file_metadata().key_value_metadata().cloned();
    let properties = properties(kind, key_values, sequence);
    let mut writer = SerializedFileWriter::new(to, schema, Arc::new(properties))?;
    let builder = || -> Result<_, ParquetError> {
        ParquetRecordBatchReaderBuilder::try_new_with_options(from.try_clone()?, ArrowReaderOptions::new().with_skip_arrow_metadata(true))
    };
    let factory = ArrowRowGroupWriterFactory::new(&writer, builder()?.schema().clone());
    let mut spliced = Spliced { sha256: String::new(), rows: 0, bytes: 0, tokens_erased: 0 };
    for number in 0..reader.num_row_groups() {
        match rows.get(&number).filter(|rows| !rows.is_empty()) {
            None => copy_group(&reader, from, number, &mut writer)?,
            Some(erased) => {
                let count = usize::try_from(metadata.row_group(number).num_rows()).unwrap_or(0);
                let group = builder()?.with_row_groups(vec![number]).with_batch_size(count.max(1)).build()?;
                let schema = builder()?.schema().clone();
                let batches: Vec<RecordBatch> = group.collect::<Result<_, _>>()?;
                let batch = concat_batches(&schema, &batches)?;
                spliced.tokens_erased += tokens(&batch, erased);
                let keep: BooleanArray = (0..batch.num_rows()).map(|row| Some(!erased.contains(&row))).collect();
                let left = filter_record_batch(&batch, &keep)?;
                if left.num_rows() > 0 {
                    let written = writer.flushed_row_groups().len();
                    write_group(&factory, written, &left, &mut writer)?;
                }
            }
        }
    }
    spliced.rows = writer.flushed_row_groups().iter().map(|group| group.num_rows() as u64).sum();
    Ok((writer.into_inner()?, spliced))
}

fn properties(kind: Kind, key_values: Option<Vec<KeyValue>>, sequence: u64) -> WriterProperties {
    let updated = key_values.map(|pairs| {
        let update = |mut pair: KeyValue| {
            if pair.key == TAKEDOWN_SEQUENCE {
                pair.value = Some(sequence.to_string());
            }
            pair
        };
        pairs.into_iter().map(update).collect()
    });
    match kind {
        Kind::Shard => ShardOptions::default().properties(updated),
        Kind::Rejects => reject_properties(updated),
    }
}

/// Copies a row group as it is, with its filters.
fn copy_group(
    reader: &SerializedFileReader<File>,
    from: &File,
    number: usize,
    writer: &mut SerializedFileWriter<HashedFile>,
) -> Result<(), ParquetError> {
    let group = reader.get_row_group(number)?;
    let mut out = writer.next_row_group()?;
    for (place, column) in group.metadata().columns().iter().enumerate() {
        let close = ColumnCloseResult {
            bytes_written: column.compressed_size() as u64,
            rows_written: group.metadata().num_rows() as u64,
            metadata: column.clone(),
            bloom_filter: group.get_column_bloom_filter(place).cloned(),
            column_index: None,
            offset_index: None,
        };
        out.append_column(from, close)?;
    }
    out.close()?;
    Ok(())
}

fn write_group(
    factory: &ArrowRowGroupWriterFactory,
    number: usize,
    batch: &RecordBatch,
    writer: &mut SerializedFileWriter<HashedFile>,
) -> Result<(), ParquetError> {
    let mut columns = factory.create_column_writers(number)?;
    let mut next = columns.iter_mut();
    for (field, array) in batch.schema().fields().iter().zip(batch.columns()) {
        for leaf in compute_leaves(field, array)? {
            let column = next.next().ok_or_else(|| ParquetError::General("a column has no writer".to_owned()))?;
            column.write(&leaf)?;
        }
    }
    let mut group = writer.next_row_group()?;
    for column in columns {
        column.close()?.append_to_row_group(&mut group)?;
    }
    group.close()?;
    Ok(())
}

/// Token ids of the erased rows.
fn tokens(batch: &RecordBatch, erased: &BTreeSet<usize>) -> u64 {
    let counts = batch.column_by_name("token_count").and_then(|column| column.as_primitive_opt::<UInt32Type>());
    counts.map_or(0, |counts| erased.iter().filter(|row| **row < counts.len()).map(|row| u64::from(counts.value(*row))).sum())
}
