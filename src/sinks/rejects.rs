//! What fell, with its reason: one row a dropped document, so that every removal can be read back and argued with.
//!
//! Text is kept as far as it got. Markup is not: `source_file` and `source_offset` lead back to the archive.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use arrow_array::builder::{Float32Builder, StringBuilder, TimestampMillisecondBuilder, UInt64Builder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;

use super::{ParquetFile, plain_properties, refused};
use crate::doc::{DocId, Document, Lang};
use crate::sink::{Output, OutputKind, SinkError};
use crate::stage::Finding;

/// Rows in one row group.
const GROUP_ROWS_MAX: usize = 10_000;
/// Text in one row group, unless one document alone is larger.
const GROUP_TEXT_BYTES_MAX: usize = 8 << 20;
/// Rejects are many and seldom read.
const ZSTD_LEVEL: i32 = 1;

/// The document in whose favour another one fell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Duplicate {
    /// The one that stays.
    pub of: DocId,
    /// Estimated Jaccard similarity of the two, 1 for equal text; none where something else than the text decided.
    pub jaccard: Option<f32>,
}

/// Writes dropped documents.
pub struct RejectsSink {
    file: ParquetFile,
    rows: Rows,
}

impl RejectsSink {
    /// Begins the file `name` in `folder`.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn create(folder: &Path, name: &str) -> Result<RejectsSink, SinkError> {
        let file = ParquetFile::create(folder, name, OutputKind::Rejects, schema(), reject_properties(None))?;
        Ok(RejectsSink { file, rows: Rows::default() })
    }

    /// Takes one document that fell in `stage` for `reason`.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(
        &mut self,
        doc: &Document,
        stage: &str,
        reason: &str,
        finding: Option<Finding>,
        duplicate: Option<Duplicate>,
    ) -> Result<(), SinkError> {
        self.rows.append_document(doc);
        self.rows.append_verdict(stage, reason, finding, duplicate);
        if self.rows.count >= GROUP_ROWS_MAX || self.rows.text_bytes >= GROUP_TEXT_BYTES_MAX {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        if self.rows.count == 0 {
            return Ok(());
        }
        let batch = RecordBatch::try_new(schema(), self.rows.take()).map_err(|error| refused(&self.file.path, error.into()))?;
        self.file.row_group(&batch)
    }

    /// Ends the file, flushes it to disk and describes it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn finish(mut self) -> Result<Output, SinkError> {
        self.flush()?;
        self.file.finish()
    }
}

/// Properties of a file of rejects whose footer says `key_values`.
pub(super) fn reject_properties(key_values: Option<Vec<KeyValue>>) -> WriterProperties {
    let mut properties = plain_properties(ZSTD_LEVEL).set_key_value_metadata(key_values);
    for repeating in ["host", "lang", "source", "source_file", "stage", "reason"] {
        properties = properties.set_column_dictionary_enabled(ColumnPath::from(repeating), true);
    }
    properties.build()
}

fn schema() -> SchemaRef {
    let text = |name: &str, nullable| Field::new(name, DataType::Utf8, nullable);
    let number = |name: &str| Field::new(name, DataType::Float32, true);
    Arc::new(Schema::new(vec![
        text("id", false),
        text("url", false),
        text("host", false),
        text("lang", true),
        text("title", true),
        text("text", false),
        text("source", false),
        text("source_file", false),
        Field::new("source_offset", DataType::UInt64, false),
        Field::new("fetched_at", DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())), true),
        text("stage", false),
        text("reason", false),
        number("value"),
        number("limit"),
        text("duplicate_of", true),
        number("jaccard"),
    ]))
}

/// Columns in the making.
struct Rows {
    count: usize,
    text_bytes: usize,
    id: StringBuilder,
    url: StringBuilder,
    host: StringBuilder,
    lang: StringBuilder,
    title: StringBuilder,
    text: StringBuilder,
    source: StringBuilder,
    source_file: StringBuilder,
    source_offset: UInt64Builder,
    fetched_at: TimestampMillisecondBuilder,
    stage: StringBuilder,
    reason: StringBuilder,
    value: Float32Builder,
    limit: Float32Builder,
    duplicate_of: StringBuilder,
    jaccard: Float32Builder,
}

impl Default for Rows {
    fn default() -> Rows {
        Rows {
            count: 0,
            text_bytes: 0,
            id: StringBuilder::new(),
            url: StringBuilder::new(),
            host: StringBuilder::new(),
            lang: StringBuilder::new(),
            title: StringBuilder::new(),
            text: StringBuilder::new(),
            source: StringBuilder::new(),
            source_file: StringBuilder::new(),
            source_offset: UInt64Builder::new(),
            fetched_at: TimestampMillisecondBuilder::new().with_timezone("UTC"),
            stage: StringBuilder::new(),
            reason: StringBuilder::new(),
            value: Float32Builder::new(),
            limit: Float32Builder::new(),
            duplicate_of: StringBuilder::new(),
            jaccard: Float32Builder::new(),
        }
    }
}

impl Rows {
    fn append_document(&mut self, doc: &Document) {
        append_id(&mut self.id, Some(doc.id));
        self.url.append_value(&doc.url);
        self.host.append_value(&doc.host);
        self.lang.append_option(doc.lang.as_ref().map(Lang::as_str));
        self.title.append_option(doc.title.as_deref());
        self.text.append_value(&doc.text);
        self.source.append_value(doc.source);
        self.source_file.append_value(&doc.source_file);
        self.source_offset.append_value(doc.source_offset);
        self.fetched_at.append_option(doc.fetched_at);
        self.count += 1;
        self.text_bytes += doc.text.len() + doc.url.len();
    }

    fn append_verdict(&mut self, stage: &str, reason: &str, finding: Option<Finding>, duplicate: Option<Duplicate>) {
        self.stage.append_value(stage);
        self.reason.append_value(reason);
        self.value.append_option(finding.map(|finding| finding.value));
        self.limit.append_option(finding.map(|finding| finding.limit));
        append_id(&mut self.duplicate_of, duplicate.map(|duplicate| duplicate.of));
        self.jaccard.append_option(duplicate.and_then(|duplicate| duplicate.jaccard));
    }

    /// The columns in the order of [`schema`]; empty afterwards.
    fn take(&mut self) -> Vec<ArrayRef> {
        self.count = 0;
        self.text_bytes = 0;
        vec![
            Arc::new(self.id.finish()),
            Arc::new(self.url.finish()),
            Arc::new(self.host.finish()),
            Arc::new(self.lang.finish()),
            Arc::new(self.title.finish()),
            Arc::new(self.text.finish()),
            Arc::new(self.source.finish()),
            Arc::new(self.source_file.finish()),
            Arc::new(self.source_offset.finish()),
            Arc::new(self.fetched_at.finish()),
            Arc::new(self.stage.finish()),
            Arc::new(self.reason.finish()),
            Arc::new(self.value.finish()),
            Arc::new(self.limit.finish()),
            Arc::new(self.duplicate_of.finish()),
            Arc::new(self.jaccard.finish()),
        ]
    }
}

fn append_id(builder: &mut StringBuilder, id: Option<DocId>) {
    match id {
        None => builder.append_null(),
        Some(id) => {
            write!(builder, "{id}").expect("a string builder takes all text");
            builder.append_value("");
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::cast::AsArray;
    use arrow_array::types::{Float32Type, UInt64Type};
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    use super::*;

    fn read(path: &Path) -> RecordBatch {
        let file = std::fs::File::open(path).expect("it is there");
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).expect("it is Parquet").build().expect("it is Parquet");
        let batches: Vec<_> = reader.map(|batch| batch.expect("rows")).collect();
        batches.into_iter().next().expect("one batch")
    }

    #[test]
    fn a_dropped_document_can_be_read_back_with_its_reason() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut sink = RejectsSink::create(folder.path(), "r.parquet").expect("a fresh folder");
        let doc = Document { url: "https://www.example.pt/".to_owned(), text: "Olá".to_owned(), source_offset: 77, ..Document::default() };
        let original = DocId::of("https://www.example.pt/original", "Olá".as_bytes());
        sink.write(&doc, "quality", "too-few-words", Some(Finding { value: 1.0, limit: 50.0 }), None).expect("room on disk");
        sink.write(&doc, "dedup", "near-duplicate", None, Some(Duplicate { of: original, jaccard: Some(0.9) })).expect("room on disk");
        let output = sink.finish().expect("room on disk");
        assert_eq!((output.rows, output.kind), (2, OutputKind::Rejects));

        let rows = read(&folder.path().join("r.parquet"));
        let text = |name: &str, row| rows.column_by_name(name).expect("a column").as_string::<i32>().value(row).to_owned();
        let float = |name: &str, row| rows.column_by_name(name).expect("a column").as_primitive::<Float32Type>().value(row);
        assert_eq!((text("stage", 0), text("reason", 0)), ("quality".to_owned(), "too-few-words".to_owned()));
        assert_eq!((float("value", 0), float("limit", 0)), (1.0, 50.0));
        assert_eq!((text("duplicate_of", 1), float("jaccard", 1)), (original.to_string(), 0.9));
        assert_eq!((text("text", 1), text("url", 1)), ("Olá".to_owned(), doc.url));
        assert_eq!(rows.column_by_name("source_offset").expect("a column").as_primitive::<UInt64Type>().value(1), 77);
    }

    #[test]
    fn a_file_without_rejects_is_still_a_file() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let output = RejectsSink::create(folder.path(), "r.parquet").expect("a fresh folder").finish().expect("room on disk");
        assert_eq!(output.rows, 0);
        assert!(output.bytes > 0);
    }
}
