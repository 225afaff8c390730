//! One large column of a row group, page by page: a page without an erased row is copied as it is, another is encoded anew without it.

use std::collections::BTreeSet;
use std::fs::File;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use arrow_schema::{Field, Schema};
use arrow_select::filter::filter;
use bytes::Bytes;
use parquet::arrow::arrow_writer::{ArrowRowGroupWriterFactory, compute_leaves};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetOffsetIndex};
use parquet::file::page_index::offset_index::{OffsetIndexMetaData, PageLocation};
use parquet::file::properties::{WriterProperties, WriterPropertiesPtr};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{ColumnPath, Type};

use super::parts::{Part, Parts};
use super::{Source, keep};

/// The pages of a chunk with `rows` rows in which one of `erased` lies.
pub(super) fn touched<'a>(
    pages: &'a OffsetIndexMetaData,
    rows: usize,
    erased: &'a BTreeSet<usize>,
) -> impl Iterator<Item = &'a PageLocation> {
    with_rows(pages, rows).filter(|(_, of_page)| erased.range(of_page.clone()).next().is_some()).map(|(page, _)| page)
}

/// The pages of a chunk with `rows` rows, each with the rows that it holds.
fn with_rows(pages: &OffsetIndexMetaData, rows: usize) -> impl Iterator<Item = (&PageLocation, Range<usize>)> {
    let starts = pages.page_locations.iter().map(|page| page.first_row_index as usize);
    let ends = starts.clone().skip(1).chain([rows]);
    pages.page_locations.iter().zip(starts.zip(ends).map(|(start, end)| start..end))
}

/// A column chunk without some rows.
pub(super) struct Chunk {
    pub(super) parts: Parts,
    pub(super) close: ColumnCloseResult,
    pub(super) bytes_encoded: u64,
}

/// A column chunk in the making.
#[derive(Default)]
struct Building {
    parts: Vec<Part>,
    bytes: u64,
    pages: Vec<PageLocation>,
    rows: usize,
    bytes_encoded: u64,
}

impl Building {
    /// Adds a page as it stands.
    fn add(&mut self, page: Part, rows: usize) {
        let bytes = page.bytes();
        let location = PageLocation { offset: self.bytes as i64, compressed_page_size: bytes as i32, first_row_index: self.rows as i64 };
        self.pages.push(location);
        self.bytes += bytes;
        self.rows += rows;
        match (self.parts.last_mut(), page) {
            (Some(Part::Copied(last)), Part::Copied(next)) if last.end == next.start => last.end = next.end,
            (_, page) => self.parts.push(page),
        }
    }
}

impl Source {
    /// Where the pages of a column chunk lie, if the file says so.
    pub(super) fn pages_of(&self, group: usize, place: usize) -> Option<&OffsetIndexMetaData> {
        let index: &ParquetOffsetIndex = self.metadata().offset_index()?;
        index.get(group)?.get(place).filter(|pages| !pages.page_locations.is_empty())
    }

    /// The chunk of column `root` in `group` without the rows `erased`.
    pub(super) fn splice_pages(
        &self,
        (group, erased): (usize, &BTreeSet<usize>),
        (root, field): (usize, &Field),
        properties: &WriterPropertiesPtr,
    ) -> Result<Chunk, ParquetError> {
        let unknown = || ParquetError::General(format!("the pages of column `{}` are not known", field.name()));
        let place = self.leaf_of(root).ok_or_else(unknown)?;
        let pages = self.pages_of(group, place).ok_or_else(unknown)?;
        let rows_in_group = usize::try_from(self.metadata().row_group(group).num_rows()).unwrap_or(0);
        let touched: Vec<Range<usize>> =
            with_rows(pages, rows_in_group).map(|(_, rows)| rows).filter(|rows| erased.range(rows.clone()).next().is_some()).collect();
        let batch = self.read(group, &[root], Some(&touched))?;
        let (mut building, mut lost, mut read) = (Building::default(), Lost::default(), 0);
        for (page, rows) in with_rows(pages, rows_in_group) {
            if erased.range(rows.clone()).next().is_none() {
                let start = page.offset as u64;
                building.add(Part::Copied(start..start + page.compressed_page_size as u64), rows.len());
                continue;
            }
            let array = batch.column(0).slice(read, rows.len());
            read += rows.len();
            erased.range(rows.clone()).for_each(|row| lost.add(&array, row - rows.start));
            let left = filter(&array, &keep(rows, erased))?;
            if !left.is_empty() {
                self.encode(root, field, &left, properties, &mut building)?;
            }
        }
        let column = self.metadata().row_group(group).column(place);
        building.close(column, &lost, &self.file)
    }

    /// Encodes `array` as a page of column `root` and adds it.
    fn encode(
        &self,
        root: usize,
        field: &Field,
        array: &ArrayRef,
        properties: &WriterPropertiesPtr,
        building: &mut Building,
    ) -> Result<(), ParquetError> {
        let one = self.metadata().file_metadata().schema_descr().root_schema().get_fields()[root].clone();
        let schema = Arc::new(Type::group_type_builder("schema").with_fields(vec![one]).build()?);
        // What is left of a page stays one page: two would be larger than the one was.
        let place = ColumnPath::new(self.arrow.parquet_schema().column(self.leaf_of(root).unwrap_or_default()).path().parts().to_vec());
        let properties = WriterProperties::clone(properties).into_builder().set_column_data_page_size_limit(place, usize::MAX).build();
        let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties))?;
        let factory = ArrowRowGroupWriterFactory::new(&writer, Arc::new(Schema::new(vec![field.clone()])));
        let mut group = writer.next_row_group()?;
        let mut locations = Vec::new();
        for (leaf, mut column) in compute_leaves(field, array)?.iter().zip(factory.create_column_writers(0)?) {
            column.write(leaf)?;
            let chunk = column.close()?;
            locations = chunk.close().offset_index.as_ref().map(|index| index.page_locations.clone()).unwrap_or_default();
            chunk.append_to_row_group(&mut group)?;
        }
        let (start, length) = group.close()?.column(0).byte_range();
        let bytes = Bytes::from(writer.into_inner()?).slice(start as usize..(start + length) as usize);
        let first = locations.first().map_or(0, |page| page.offset);
        let ends = locations.iter().skip(1).map(|page| page.first_row_index).chain([array.len() as i64]);
        for (page, end) in locations.iter().zip(ends) {
            let at = (page.offset - first) as usize;
            let page_bytes = bytes.slice(at..at + page.compressed_page_size as usize);
            building.add(Part::New(page_bytes), (end - page.first_row_index) as usize);
        }
        building.bytes_encoded += length;
        Ok(())
    }
}

/// What went with erased rows.
#[derive(Default)]
struct Lost {
    /// Entries of the column: one for a text, one for each number of a list and for an empty one.
    values: i64,
    /// Bytes of them as they are before they are packed.
    bytes: i64,
    /// Bytes of texts among them.
    text_bytes: i64,
}

impl Lost {
    fn add(&mut self, array: &ArrayRef, row: usize) {
        let (values, bytes) = if let Some(texts) = array.as_string_opt::<i32>() {
            let length = if texts.is_null(row) { 0 } else { texts.value_length(row) };
            self.text_bytes += i64::from(length);
            (1, if texts.is_null(row) { 0 } else { 4 + length as usize })
        } else if let Some(lists) = array.as_list_opt::<i32>() {
            let length = if lists.is_null(row) { 0 } else { lists.value_length(row) as usize };
            (length.max(1), 4 * length)
        } else {
            (1, 0)
        };
        self.values += values as i64;
        self.bytes += bytes as i64;
    }
}

impl Building {
    /// The chunk, described as `before` was.
    fn close(self, before: &ColumnChunkMetaData, lost: &Lost, file: &Arc<File>) -> Result<Chunk, ParquetError> {
        let text_bytes = before.unencoded_byte_array_data_bytes().map(|bytes| bytes - lost.text_bytes);
        let mut metadata = ColumnChunkMetaData::builder(before.column_descr_ptr())
            .set_compression_codec(before.compression_codec())
            .set_encodings_mask(*before.encodings_mask())
            .set_total_compressed_size(self.bytes as i64)
            .set_total_uncompressed_size(before.uncompressed_size() - lost.bytes)
            .set_num_values(before.num_values() - lost.values)
            .set_data_page_offset(0)
            .set_unencoded_byte_array_data_bytes(text_bytes);
        if let Some(stats) = before.page_encoding_stats() {
            metadata = metadata.set_page_encoding_stats(stats.clone());
        }
        let close = ColumnCloseResult {
            bytes_written: self.bytes,
            rows_written: self.rows as u64,
            metadata: metadata.build()?,
            bloom_filter: None,
            column_index: None,
            offset_index: Some(OffsetIndexMetaData { page_locations: self.pages, unencoded_byte_array_data_bytes: None }),
        };
        Ok(Chunk { parts: Parts::new(file, self.parts), close, bytes_encoded: self.bytes_encoded })
    }
}
