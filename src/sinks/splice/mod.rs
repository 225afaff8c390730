//! Takes rows out of a finished file: row groups without any of them are copied byte for byte, and so are, in the others, all pages of
//! the large columns without any of them; only the rest is encoded anew.
//!
//! Schema, order, codec, filters and what the footer says stay; only the number of the takedown that the file honours changes. A page
//! of a column without dictionary knows nothing of its neighbours, so nothing of an erased row is left.

mod padding;
mod pages;
mod parts;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;
use arrow_array::{BooleanArray, RecordBatch};
use arrow_schema::Schema;
use arrow_select::concat::concat_batches;
use arrow_select::filter::filter_record_batch;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection};
use parquet::arrow::arrow_writer::{ArrowRowGroupWriterFactory, compute_leaves};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::metadata::{KeyValue, PageIndexPolicy, ParquetMetaData};
use parquet::file::properties::{ReaderProperties, WriterProperties, WriterPropertiesPtr};
use parquet::file::reader::FileReader;
use parquet::file::serialized_reader::{ReadOptionsBuilder, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use sha2::{Digest, Sha256};

use padding::Padded;
use parts::{Part, Parts};

use super::rejects::reject_properties;
use super::shards::{LARGE_COLUMNS, ShardOptions, TAKEDOWN_SEQUENCE};
use super::{HashedFile, refused};
use crate::sink::SinkError;

/// The highest level of zstd that needs no more memory than usual to unpack.
const ZSTD_LEVEL_MAX: i32 = 19;

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
    /// Bytes of it that were encoded anew; all others are copies.
    pub bytes_encoded: u64,
    /// Token ids of the rows that are gone.
    pub tokens_erased: u64,
    /// Row groups that lost all their rows, and so are gone.
    pub groups_gone: BTreeSet<usize>,
}

/// Writes `path` without `rows` to `out`, flushed to disk, and says in the footer that it honours takedown `sequence`. A shard is as long
/// as the one whose place it will take: see [`padding`]. Where what is encoded anew became larger than it was, as after a run that packs
/// harder than usual, it is packed as hard as can be; should even that not do, the shard is longer.
///
/// # Errors
/// When a file cannot be read or written.
pub fn splice(kind: Kind, path: &Path, rows: &Rows, sequence: u64, out: &Path) -> Result<Spliced, SinkError> {
    let spliced = splice_at(ShardOptions::default().zstd_level, kind, path, rows, sequence, out)?;
    let before = std::fs::metadata(path).map_err(|error| SinkError::io(path, error))?.len();
    match kind {
        Kind::Shard if spliced.bytes > before => splice_at(ZSTD_LEVEL_MAX, kind, path, rows, sequence, out),
        _ => Ok(spliced),
    }
}

fn splice_at(zstd_level: i32, kind: Kind, path: &Path, rows: &Rows, sequence: u64, out: &Path) -> Result<Spliced, SinkError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |error| SinkError::io(&path, error)
    };
    let from = File::open(path).map_err(io(path))?;
    let file = File::create(out).map_err(io(out))?;
    let to = HashedFile { file, sha256: Sha256::new(), bytes: 0 };
    let refused = |error| refused(path, error);
    let source = Source::open(from).map_err(refused)?;
    let key_values = source.metadata().file_metadata().key_value_metadata().cloned();
    let properties = properties(kind, zstd_level, key_values, sequence);
    // A file without places of pages, as older ones are, gets none: they would make it longer.
    let without = properties.offset_index_disabled() || source.pages_of(0, 0).is_none();
    let properties = properties.into_builder().set_offset_index_disabled(without).build();
    let (to, mut spliced) = source.copy(kind, rows, properties, to).map_err(refused)?;
    let (bytes, sha256) = to.seal().map_err(io(out))?;
    (spliced.bytes, spliced.sha256) = (bytes, sha256);
    Ok(spliced)
}

/// Bytes that [`splice`] would copy and encode anew, about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effort {
    /// Bytes that stay as they are.
    pub copied: u64,
    /// Bytes that are encoded anew.
    pub encoded: u64,
}

/// How much work it is to take `rows` out of `path`. Reads the footer alone.
///
/// # Errors
/// When it is no Parquet file.
pub fn effort(path: &Path, rows: &Rows) -> Result<Effort, SinkError> {
    let file = File::open(path).map_err(|error| SinkError::io(path, error))?;
    let source = Source::open(file).map_err(|error| refused(path, error))?;
    let mut effort = Effort::default();
    for group in 0..source.metadata().num_row_groups() {
        let columns = source.metadata().row_group(group).columns();
        let whole: u64 = columns.iter().map(|column| column.compressed_size() as u64).sum();
        let encoded = rows.get(&group).filter(|rows| !rows.is_empty()).map_or(0, |erased| source.encoded_bytes(group, erased));
        effort.encoded += encoded;
        effort.copied += whole - encoded.min(whole);
    }
    Ok(effort)
}

/// The file from which rows are taken.
struct Source {
    file: Arc<File>,
    arrow: ArrowReaderMetadata,
    filters: SerializedFileReader<File>,
}

impl Source {
    fn open(file: File) -> Result<Source, ParquetError> {
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true).with_offset_index_policy(PageIndexPolicy::Optional);
        let arrow = ArrowReaderMetadata::load(&file, options)?;
        let with_filters = ReaderProperties::builder().set_read_bloom_filter(true).build();
        let options = ReadOptionsBuilder::new().with_reader_properties(with_filters).build();
        let filters = SerializedFileReader::new_with_options(file.try_clone()?, options)?;
        Ok(Source { file: Arc::new(file), arrow, filters })
    }

    fn metadata(&self) -> &ParquetMetaData {
        self.arrow.metadata()
    }

    fn copy(&self, kind: Kind, rows: &Rows, properties: WriterProperties, to: HashedFile) -> Result<(HashedFile, Spliced), ParquetError> {
        let about = self.metadata().file_metadata();
        let properties = Arc::new(properties);
        let mut writer = SerializedFileWriter::new(Padded::new(to), about.schema_descr().root_schema_ptr(), properties.clone())?;
        let factory = ArrowRowGroupWriterFactory::new(&writer, self.arrow.schema().clone());
        let mut spliced =
            Spliced { sha256: String::new(), rows: 0, bytes: 0, bytes_encoded: 0, tokens_erased: 0, groups_gone: BTreeSet::new() };
        for group in 0..self.metadata().num_row_groups() {
            match rows.get(&group).filter(|rows| !rows.is_empty()) {
                None => self.copy_group(group, &mut writer)?,
                Some(erased) => self.splice_group((group, erased), (&factory, &properties), &mut writer, &mut spliced)?,
            }
        }
        spliced.rows = writer.flushed_row_groups().iter().map(|group| group.num_rows() as u64).sum();
        let bytes = match kind {
            Kind::Shard => self.file.metadata()?.len(),
            Kind::Rejects => 0,
        };
        writer.flush()?;
        writer.inner_mut().hold();
        Ok((writer.into_inner()?.release(bytes)?, spliced))
    }

    /// Copies a row group as it is, with its filters and the places of its pages.
    fn copy_group(&self, number: usize, writer: &mut SerializedFileWriter<Padded>) -> Result<(), ParquetError> {
        let group = self.filters.get_row_group(number)?;
        let mut out = writer.next_row_group()?;
        for (place, column) in group.metadata().columns().iter().enumerate() {
            let close = ColumnCloseResult {
                bytes_written: column.compressed_size() as u64,
                rows_written: group.metadata().num_rows() as u64,
                metadata: column.clone(),
                bloom_filter: group.get_column_bloom_filter(place).cloned(),
                column_index: None,
                offset_index: self.pages_of(number, place).cloned(),
            };
            let (start, length) = column.byte_range();
            out.append_column(&Parts::new(&self.file, [Part::Copied(start..start + length)]), close)?;
        }
        out.close()?;
        Ok(())
    }

    /// Writes a row group without the rows `erased`; nothing, where none is left.
    fn splice_group(
        &self,
        (group, erased): (usize, &BTreeSet<usize>),
        (factory, properties): (&ArrowRowGroupWriterFactory, &WriterPropertiesPtr),
        writer: &mut SerializedFileWriter<Padded>,
        spliced: &mut Spliced,
    ) -> Result<(), ParquetError> {
        let fields = self.arrow.schema().fields();
        let (paged, whole): (Vec<usize>, Vec<usize>) = (0..fields.len()).partition(|root| self.is_paged(group, *root));
        let batch = self.read(group, &whole, None)?;
        spliced.tokens_erased += tokens(&batch, erased);
        let kept = filter_record_batch(&batch, &keep(0..batch.num_rows(), erased))?;
        if kept.num_rows() == 0 {
            spliced.groups_gone.insert(group);
            return Ok(());
        }
        let mut columns = factory.create_column_writers(writer.flushed_row_groups().len())?.into_iter();
        let mut out = writer.next_row_group()?;
        let mut kept_columns = kept.columns().iter();
        for (root, field) in fields.iter().enumerate() {
            if paged.contains(&root) {
                columns.next();
                let chunk = self.splice_pages((group, erased), (root, field), properties)?;
                spliced.bytes_encoded += chunk.bytes_encoded;
                out.append_column(&chunk.parts, chunk.close)?;
                continue;
            }
            let array = kept_columns.next().ok_or_else(|| ParquetError::General("a column is missing".to_owned()))?;
            for leaf in compute_leaves(field, array)? {
                let mut column = columns.next().ok_or_else(|| ParquetError::General("a column has no writer".to_owned()))?;
                column.write(&leaf)?;
                let chunk = column.close()?;
                spliced.bytes_encoded += chunk.close().bytes_written;
                chunk.append_to_row_group(&mut out)?;
            }
        }
        out.close()?;
        Ok(())
    }

    /// Whether the pages of the column `root` can be taken one by one: large, without dictionary, their places known.
    fn is_paged(&self, group: usize, root: usize) -> bool {
        let Some(place) = self.leaf_of(root).filter(|_| LARGE_COLUMNS.contains(&self.arrow.schema().field(root).name().as_str())) else {
            return false;
        };
        let column = self.metadata().row_group(group).column(place);
        column.dictionary_page_offset().is_none() && self.pages_of(group, place).is_some_and(|pages| !pages.page_locations.is_empty())
    }

    /// Bytes of a row group that have to be encoded anew: small columns, and of the large ones the pages with erased rows.
    fn encoded_bytes(&self, group: usize, erased: &BTreeSet<usize>) -> u64 {
        let columns = self.metadata().row_group(group).columns();
        let schema = self.arrow.parquet_schema();
        let rows = usize::try_from(self.metadata().row_group(group).num_rows()).unwrap_or(0);
        let bytes = |(place, column): (usize, &parquet::file::metadata::ColumnChunkMetaData)| {
            let pages = self.pages_of(group, place).filter(|_| self.is_paged(group, schema.get_column_root_idx(place)));
            match pages {
                None => column.compressed_size() as u64,
                Some(pages) => pages::touched(pages, rows, erased).map(|page| page.compressed_page_size as u64).sum(),
            }
        };
        columns.iter().enumerate().map(bytes).sum()
    }

    /// The place of the only stored column of `root`.
    fn leaf_of(&self, root: usize) -> Option<usize> {
        let schema = self.arrow.parquet_schema();
        let mut leaves = (0..schema.num_columns()).filter(|leaf| schema.get_column_root_idx(*leaf) == root);
        let first = leaves.next();
        first.filter(|_| leaves.next().is_none())
    }

    /// Reads columns of a row group, all rows or those of `ranges`, as one batch.
    fn read(&self, group: usize, roots: &[usize], ranges: Option<&[Range<usize>]>) -> Result<RecordBatch, ParquetError> {
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(self.file.try_clone()?, self.arrow.clone());
        let mask = ProjectionMask::roots(builder.parquet_schema(), roots.iter().copied());
        let rows = usize::try_from(self.metadata().row_group(group).num_rows()).unwrap_or(0);
        let mut builder = builder.with_row_groups(vec![group]).with_projection(mask).with_batch_size(rows.max(1));
        if let Some(ranges) = ranges {
            builder = builder.with_row_selection(RowSelection::from_consecutive_ranges(ranges.iter().cloned(), rows));
        }
        let reader = builder.build()?;
        let schema = arrow_array::RecordBatchReader::schema(&reader);
        let batches: Vec<RecordBatch> = reader.collect::<Result<_, _>>()?;
        Ok(concat_batches(&Arc::new(Schema::new(schema.fields().clone())), &batches)?)
    }
}

/// Which of `rows` stay.
fn keep(rows: Range<usize>, erased: &BTreeSet<usize>) -> BooleanArray {
    rows.map(|row| Some(!erased.contains(&row))).collect()
}

fn properties(kind: Kind, zstd_level: i32, key_values: Option<Vec<KeyValue>>, sequence: u64) -> WriterProperties {
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
        Kind::Shard => ShardOptions { zstd_level, ..ShardOptions::default() }.properties(updated),
        Kind::Rejects => reject_properties(updated),
    }
}

/// Token ids of the erased rows.
fn tokens(batch: &RecordBatch, erased: &BTreeSet<usize>) -> u64 {
    let counts = batch.column_by_name("token_count").and_then(|column| column.as_primitive_opt::<UInt32Type>());
    counts.map_or(0, |counts| erased.iter().filter(|row| **row < counts.len()).map(|row| u64::from(counts.value(*row))).sum())
}

#[cfg(test)]
mod tests;
