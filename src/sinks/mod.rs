//! The sinks, and what they share: a Parquet file whose SHA-256 is computed while it is written.
//!
//! The same documents give the same bytes: no clock, host or thread shows in a file, and row groups end where the documents say so,
//! never where a caller's batch ends.

mod chunks;
pub mod documents;
pub mod facts;
mod mixture;
pub mod rejects;
pub mod rows;
pub mod shards;
pub mod splice;
pub mod stored;
pub mod taken;

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use data_encoding::HEXLOWER;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{ArrowRowGroupWriterFactory, ArrowWriterOptions, compute_leaves};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnPath;
use sha2::{Digest, Sha256};

use crate::columns::{ColumnKind, Columns, ColumnsError, to_batch};
use crate::doc::Document;
use crate::sink::{Output, OutputKind, RowGroup, SinkError};
use taken::{Kept, Stored};

/// What stands in every footer as the writer: fixed, so that an update of a library alone changes no byte.
const CREATED_BY: &str = "tamis";

/// A file that counts and hashes what goes through it.
struct HashedFile {
    file: File,
    sha256: Sha256,
    bytes: u64,
}

impl HashedFile {
    /// Flushes it to disk and says how long it is and what its SHA-256 is, in hex.
    fn seal(self) -> io::Result<(u64, String)> {
        self.file.sync_all()?;
        Ok((self.bytes, HEXLOWER.encode(&self.sha256.finalize())))
    }
}

impl Write for HashedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.sha256.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// A Parquet file in the making: each call writes one row group.
struct ParquetFile {
    path: PathBuf,
    output: Output,
    writer: SerializedFileWriter<HashedFile>,
    encoders: ArrowRowGroupWriterFactory,
}

impl ParquetFile {
    fn create(
        folder: &Path,
        name: &str,
        kind: OutputKind,
        schema: SchemaRef,
        properties: WriterProperties,
    ) -> Result<ParquetFile, SinkError> {
        let path = folder.join(name);
        let file = File::create(&path).map_err(|error| SinkError::io(&path, error))?;
        let file = HashedFile { file, sha256: Sha256::new(), bytes: 0 };
        // The Arrow schema is not embedded: Parquet's own types say all of it, and the copy would only be one more thing to read.
        let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
        let writer = ArrowWriter::try_new_with_options(file, schema, options).and_then(ArrowWriter::into_serialized_writer);
        let (writer, encoders) = writer.map_err(|source| refused(&path, source))?;
        let output = Output { name: name.to_owned(), kind, bytes: 0, rows: 0, tokens: 0, sha256: String::new(), groups: Vec::new() };
        Ok(ParquetFile { path, output, writer, encoders })
    }

    /// Writes `batch` as one row group.
    fn row_group(&mut self, batch: &RecordBatch) -> Result<(), SinkError> {
        self.encode(batch).map_err(|source| refused(&self.path, source))?;
        self.output.rows += batch.num_rows() as u64;
        Ok(())
    }

    fn encode(&mut self, batch: &RecordBatch) -> Result<(), ParquetError> {
        let mut encoders = self.encoders.create_column_writers(self.writer.flushed_row_groups().len())?.into_iter();
        let mut group = self.writer.next_row_group()?;
        for (field, array) in batch.schema_ref().fields().iter().zip(batch.columns()) {
            for leaf in compute_leaves(field, array)? {
                let mut encoder = encoders.next().ok_or_else(|| ParquetError::General("a column has no writer".to_owned()))?;
                encoder.write(&leaf)?;
                encoder.close()?.append_to_row_group(&mut group)?;
            }
        }
        group.close()?;
        Ok(())
    }

    /// Writes documents of one language as one row group.
    fn documents(&mut self, lang: &str, docs: &[Document], recipe_hash: Option<&str>) -> Result<(), SinkError> {
        let batch = to_batch(docs, recipe_hash).map_err(|error| self.misfit(error))?;
        self.row_group(&batch)?;
        let bytes = docs.iter().map(|doc| doc.text.len() as u64).sum();
        let tokens = docs.iter().map(|doc| u64::from(doc.token_count.unwrap_or(0))).sum();
        self.count(RowGroup { lang: lang.to_owned(), rows: docs.len() as u64, bytes }, tokens);
        Ok(())
    }

    /// Writes a stored row group of which `rows` are all the rows.
    fn copy_group(&mut self, stored: &mut Stored, whole: (u32, u32), rows: &[Kept], recipe_hash: &str) -> Result<(), ParquetError> {
        stored.copy(whole, rows, recipe_hash, &self.encoders, &mut self.writer)
    }

    /// Counts a row group that was written.
    fn count(&mut self, group: RowGroup, tokens: u64) {
        self.output.tokens += tokens;
        self.output.groups.push(group);
    }

    fn misfit(&self, error: ColumnsError) -> SinkError {
        refused(&self.path, ParquetError::External(Box::new(error)))
    }

    /// Writes the footer, flushes the file to disk and describes it.
    fn finish(self) -> Result<Output, SinkError> {
        let path = self.path;
        let file = self.writer.into_inner().map_err(|source| refused(&path, source))?;
        let (bytes, sha256) = file.seal().map_err(|error| SinkError::io(&path, error))?;
        Ok(Output { bytes, sha256, ..self.output })
    }
}

/// A refusal of the Parquet library; one that comes from the system is told as the system's.
fn refused(path: &Path, source: ParquetError) -> SinkError {
    let of_library = |source| SinkError::Parquet { path: path.to_owned(), source };
    match source {
        ParquetError::External(source) => match source.downcast::<io::Error>() {
            Ok(source) => SinkError::io(path, *source),
            Err(source) => of_library(ParquetError::External(source)),
        },
        source => of_library(source),
    }
}

/// Properties that all our files share: zstd, no statistics, no places of pages, no dictionaries, a fixed writer's name. A value's first
/// bytes never reach a footer that way; what may is turned on column by column.
fn plain_properties(zstd_level: i32) -> WriterPropertiesBuilder {
    WriterProperties::builder()
        .set_created_by(CREATED_BY.to_owned())
        .set_compression(zstd(zstd_level))
        .set_statistics_enabled(EnabledStatistics::None)
        .set_offset_index_disabled(true)
        .set_dictionary_enabled(false)
        .set_max_row_group_row_count(None)
}

/// zstd at this level; at the library's own where there is no such level.
fn zstd(level: i32) -> Compression {
    Compression::ZSTD(ZstdLevel::try_new(level).unwrap_or_default())
}

/// Encodes columns by what the schema says of them: values that repeat as a dictionary, whole numbers by their differences, which are small where documents
/// of one crawl stand in its order, and short numbers as they are, of which zstd saves next to nothing. Without zstd: see [`with_dictionary`].
fn with_encodings(mut properties: WriterPropertiesBuilder, columns: &Columns) -> WriterPropertiesBuilder {
    for (path, column) in columns.leaves() {
        let path = ColumnPath::new(path);
        properties = match column.kind {
            _ if column.dictionary => with_dictionary(properties, path),
            ColumnKind::Float32 | ColumnKind::UInt32 => properties.set_column_compression(path, Compression::UNCOMPRESSED),
            ColumnKind::UInt64 | ColumnKind::Timestamp => {
                let properties = properties.set_column_encoding(path.clone(), Encoding::DELTA_BINARY_PACKED);
                properties.set_column_compression(path, Compression::UNCOMPRESSED)
            }
            ColumnKind::String | ColumnKind::UInt32List | ColumnKind::Struct => properties,
        };
    }
    properties
}

/// Stores the values of a column once a row group. What is left of it is small, and zstd would make it larger; the library makes a compressor and a
/// decompressor for each packed column chunk that it reads or writes, which took a quarter of the time of `tamis decide`.
fn with_dictionary(properties: WriterPropertiesBuilder, path: ColumnPath) -> WriterPropertiesBuilder {
    properties.set_column_dictionary_enabled(path.clone(), true).set_column_compression(path, Compression::UNCOMPRESSED)
}
