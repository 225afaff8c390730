//! What fell, with its reason: one row a dropped document, so that every removal can be read back and argued with, and undone.
//!
//! Text is kept as far as it got, and so is all that was measured and found: `tamis decide` lets a document go on from here. Markup is
//! not: `source_file` and `source_offset` lead back to the archive.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use arrow_array::builder::{Float32Builder, StringBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::UInt64Type;
use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions, StringArray, UInt32Array};
use arrow_schema::{ArrowError, FieldRef};
use arrow_select::take::take_record_batch;
use parquet::basic::Compression;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;

use super::mixture::Mixture;
use super::{ParquetFile, plain_properties, refused, with_dictionary, with_encodings};
pub use crate::columns::rejects::has_column;
use crate::columns::rejects::{OF_DOCUMENT, schema};
use crate::columns::{ColumnsError, DOCUMENT, to_batch};
use crate::doc::{DocId, Document, Lang};
use crate::sink::{Output, OutputKind, SinkError};
use crate::stage::Finding;

/// Rows in one row group.
const GROUP_ROWS_MAX: usize = 10_000;
/// Text in one row group, but for the document that goes beyond it. Rows are held, put in order and packed, which takes several times as much memory;
/// with 8 MiB the rejects of real pages are 1.2 % smaller.
const GROUP_TEXT_BYTES_MAX: usize = 2 << 20;
/// Rejects are many and seldom read.
const ZSTD_LEVEL: i32 = 1;

/// The document in whose favour another one fell.
#[derive(Clone, Debug, PartialEq)]
pub struct Duplicate {
    /// The one that stays.
    pub of: DocId,
    /// The data set that has it, if it is another one.
    pub elsewhere: Option<String>,
    /// Estimated Jaccard similarity of the two, 1 for equal text; none where something else than the text decided.
    pub jaccard: Option<f32>,
}

/// Numbers of input files by their names.
pub type InputOrder = BTreeMap<String, usize>;

/// Writes dropped documents.
pub struct RejectsSink {
    file: ParquetFile,
    rows: Rows,
    order: Option<Arc<InputOrder>>,
}

impl RejectsSink {
    /// Begins the file `name` in `folder`. With an `order` documents stand in the order of the input, by the numbers of their files and their places in
    /// these, whatever the order in which they come, and all of them are held until the end.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn create(folder: &Path, name: &str, order: Option<Arc<InputOrder>>) -> Result<RejectsSink, SinkError> {
        let file = ParquetFile::create(folder, name, OutputKind::Rejects, schema(), reject_properties(None))?;
        Ok(RejectsSink { file, rows: Rows::default(), order })
    }

    /// Takes one document that fell in `stage` for `reason`.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(
        &mut self,
        doc: Document,
        stage: &str,
        reason: &str,
        finding: Option<Finding>,
        duplicate: Option<Duplicate>,
    ) -> Result<(), SinkError> {
        self.rows.add_document(doc);
        self.told(stage, reason, finding, duplicate)
    }

    /// Takes row number `row` of `batch`, which came from a shard or from rejects, as a document that fell.
    ///
    /// # Errors
    /// When the file cannot be written, or the batch lacks a column of a document.
    pub fn write_row(
        &mut self,
        (batch, row): (&RecordBatch, usize),
        stage: &str,
        reason: &str,
        finding: Option<Finding>,
        duplicate: Option<Duplicate>,
    ) -> Result<(), SinkError> {
        self.rows.add_row(batch, row).map_err(|error| refused(&self.file.path, error.into()))?;
        self.told(stage, reason, finding, duplicate)
    }

    fn told(&mut self, stage: &str, reason: &str, finding: Option<Finding>, duplicate: Option<Duplicate>) -> Result<(), SinkError> {
        self.rows.tell(stage, reason, finding, duplicate);
        let is_full = self.rows.len() >= GROUP_ROWS_MAX || self.rows.text_bytes >= GROUP_TEXT_BYTES_MAX;
        if is_full && self.order.is_none() {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        if self.rows.len() == 0 {
            return Ok(());
        }
        let columns = self.rows.take().map_err(|error| self.file.misfit(error))?;
        let batch = RecordBatch::try_new(schema(), columns);
        let batch = batch.and_then(|batch| self.order.as_ref().map_or(Ok(batch.clone()), |order| ordered(&batch, order)));
        let batch = batch.map_err(|error| refused(&self.file.path, error.into()))?;
        groups(&batch).into_iter().try_for_each(|rows| self.file.row_group(&batch.slice(rows.start, rows.len())))
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

/// The rows of `batch` in the order of the input.
fn ordered(batch: &RecordBatch, order: &InputOrder) -> Result<RecordBatch, ArrowError> {
    let (files, places) =
        (strings(batch, "source_file"), batch.column_by_name("source_offset").map(|column| column.as_primitive::<UInt64Type>()));
    let number = |row: usize| files.and_then(|files| order.get(files.value(row))).copied().unwrap_or(usize::MAX);
    let mut rows: Vec<(usize, u64, u32)> =
        (0..batch.num_rows()).map(|row| (number(row), places.map_or(0, |places| places.value(row)), row as u32)).collect();
    rows.sort_unstable();
    take_record_batch(batch, &rows.into_iter().map(|(_, _, row)| row).collect::<UInt32Array>())
}

/// Which rows of `batch` make up each row group.
fn groups(batch: &RecordBatch) -> Vec<Range<usize>> {
    let texts = ["text", "url"].map(|name| strings(batch, name));
    let (mut groups, mut start, mut bytes) = (Vec::new(), 0, 0);
    for row in 0..batch.num_rows() {
        bytes += texts.iter().flatten().map(|texts| texts.value(row).len()).sum::<usize>();
        if row + 1 - start >= GROUP_ROWS_MAX || bytes >= GROUP_TEXT_BYTES_MAX || row + 1 == batch.num_rows() {
            groups.push(start..row + 1);
            (start, bytes) = (row + 1, 0);
        }
    }
    groups
}

fn strings<'a>(batch: &'a RecordBatch, name: &str) -> Option<&'a StringArray> {
    batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>())
}

/// Properties of a file of rejects whose footer says `key_values`.
pub(super) fn reject_properties(key_values: Option<Vec<KeyValue>>) -> WriterProperties {
    let properties = with_encodings(plain_properties(ZSTD_LEVEL).set_key_value_metadata(key_values), &DOCUMENT);
    let numbers = ["value", "limit", "jaccard"].map(ColumnPath::from);
    let properties =
        numbers.into_iter().fold(properties, |properties, path| properties.set_column_compression(path, Compression::UNCOMPRESSED));
    ["stage", "reason", "duplicate_in"]
        .into_iter()
        .fold(properties, |properties, column| with_dictionary(properties, ColumnPath::from(column)))
        .build()
}

/// Rows in the making.
#[derive(Default)]
struct Rows {
    docs: Vec<Document>,
    mixture: Mixture,
    text_bytes: usize,
    stage: StringBuilder,
    reason: StringBuilder,
    value: Float32Builder,
    limit: Float32Builder,
    duplicate_of: StringBuilder,
    jaccard: Float32Builder,
    duplicate_in: StringBuilder,
}

impl Rows {
    fn len(&self) -> usize {
        self.mixture.len()
    }

    fn add_document(&mut self, doc: Document) {
        self.text_bytes += doc.text.len() + doc.url.len();
        self.docs.push(Document { html: String::new(), signature: None, input_ids: Vec::new(), ..doc });
        self.mixture.add_document();
    }

    fn add_row(&mut self, batch: &RecordBatch, row: usize) -> Result<(), ArrowError> {
        self.text_bytes +=
            ["text", "url"].map(|name| strings(batch, name).map_or(0, |values| values.value(row).len())).iter().sum::<usize>();
        self.mixture.add_row(batch, row, &OF_DOCUMENT)
    }

    fn tell(&mut self, stage: &str, reason: &str, finding: Option<Finding>, duplicate: Option<Duplicate>) {
        self.stage.append_value(stage);
        self.reason.append_value(reason);
        self.value.append_option(finding.map(|finding| finding.value));
        self.limit.append_option(finding.map(|finding| finding.limit));
        self.duplicate_of.append_option(duplicate.as_ref().map(|duplicate| duplicate.of.to_string()));
        self.jaccard.append_option(duplicate.as_ref().and_then(|duplicate| duplicate.jaccard));
        self.duplicate_in.append_option(duplicate.and_then(|duplicate| duplicate.elsewhere));
    }

    /// The columns in the order of [`schema`]; empty afterwards.
    fn take(&mut self) -> Result<Vec<ArrayRef>, ColumnsError> {
        self.text_bytes = 0;
        let docs = std::mem::take(&mut self.docs);
        let found = std::mem::take(&mut self.mixture).into_batch(&of_documents(&docs)?)?;
        let mut columns = found.columns().to_vec();
        columns.extend([
            Arc::new(self.stage.finish()) as ArrayRef,
            Arc::new(self.reason.finish()),
            Arc::new(self.value.finish()),
            Arc::new(self.limit.finish()),
            Arc::new(self.duplicate_of.finish()),
            Arc::new(self.jaccard.finish()),
            Arc::new(self.duplicate_in.finish()),
        ]);
        Ok(columns)
    }
}

/// The columns of [`OF_DOCUMENT`].
fn of_documents(docs: &[Document]) -> Result<RecordBatch, ColumnsError> {
    let found = to_batch(docs, None)?;
    let langs: StringArray = docs.iter().map(|doc| doc.lang.as_ref().map(Lang::as_str)).collect();
    let column = |field: &FieldRef| match field.name().as_str() {
        "lang" => Ok(Arc::new(langs.clone()) as ArrayRef),
        name => found.column_by_name(name).cloned().ok_or_else(|| ColumnsError::Missing(name.to_owned())),
    };
    let columns = OF_DOCUMENT.fields().iter().map(column).collect::<Result<_, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(docs.len()));
    Ok(RecordBatch::try_new_with_options(OF_DOCUMENT.clone(), columns, &options)?)
}

#[cfg(test)]
mod tests {
    use arrow_array::Array;
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
        let mut sink = RejectsSink::create(folder.path(), "r.parquet", None).expect("a fresh folder");
        let mut doc =
            Document { url: "https://www.example.pt/".to_owned(), text: "Olá".to_owned(), source_offset: 77, ..Document::default() };
        doc.quality.set("words", 1.0);
        let original = DocId::of("https://www.example.pt/original", "Olá".as_bytes());
        sink.write(doc.clone(), "quality", "too-few-words", Some(Finding { value: 1.0, limit: 50.0 }), None).expect("room on disk");
        let repeats =
            |elsewhere: Option<&str>| Some(Duplicate { of: original, elsewhere: elsewhere.map(str::to_owned), jaccard: Some(0.9) });
        sink.write(doc.clone(), "dedup", "near-duplicate", None, repeats(None)).expect("room on disk");
        sink.write(doc.clone(), "dedup", "near-elsewhere", None, repeats(Some("laws"))).expect("room on disk");
        let output = sink.finish().expect("room on disk");
        assert_eq!((output.rows, output.kind), (3, OutputKind::Rejects));

        let rows = read(&folder.path().join("r.parquet"));
        let text = |name: &str, row| rows.column_by_name(name).expect("a column").as_string::<i32>().value(row).to_owned();
        let float = |name: &str, row| rows.column_by_name(name).expect("a column").as_primitive::<Float32Type>().value(row);
        assert_eq!((text("stage", 0), text("reason", 0)), ("quality".to_owned(), "too-few-words".to_owned()));
        assert_eq!((float("value", 0), float("limit", 0)), (1.0, 50.0));
        let words = rows.column_by_name("quality").expect("a column").as_struct().column_by_name("words").expect("a signal").clone();
        assert_eq!(words.as_primitive::<Float32Type>().value(0), 1.0, "what was measured is kept");
        assert!(rows.column_by_name("lang").expect("a column").is_null(0));
        assert_eq!((text("duplicate_of", 1), float("jaccard", 1)), (original.to_string(), 0.9));
        assert_eq!((text("duplicate_in", 2), text("duplicate_of", 2)), ("laws".to_owned(), original.to_string()));
        assert!(rows.column_by_name("duplicate_in").expect("a column").is_null(1), "its own data set needs no name");
        assert_eq!((text("text", 1), text("url", 1)), ("Olá".to_owned(), doc.url));
        assert_eq!(rows.column_by_name("source_offset").expect("a column").as_primitive::<UInt64Type>().value(1), 77);
    }

    #[test]
    fn documents_of_many_languages_stand_in_the_order_of_the_input() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let order: InputOrder = [("b.warc".to_owned(), 0), ("a.warc".to_owned(), 1)].into();
        let mut sink = RejectsSink::create(folder.path(), "r.parquet", Some(Arc::new(order))).expect("a fresh folder");
        for (file, offset, text) in [("a.warc", 5, "aici"), ("b.warc", 90, "dort"), ("b.warc", 7, "ici"), ("a.warc", 5, "tu")] {
            let doc = Document {
                source_file: file.into(),
                source_offset: offset,
                text: text.repeat(GROUP_TEXT_BYTES_MAX),
                ..Document::default()
            };
            sink.write(doc, "dedup", "exact-duplicate", None, None).expect("room on disk");
        }
        let output = sink.finish().expect("room on disk");
        let file = std::fs::File::open(folder.path().join("r.parquet")).expect("it is there");
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).expect("it is Parquet");
        assert_eq!((output.rows, reader.metadata().num_row_groups()), (4, 4), "each is a row group's worth of text");
        let starts = reader.build().expect("it is Parquet").flat_map(|batch| {
            let batch = batch.expect("rows");
            (0..batch.num_rows()).map(|row| strings(&batch, "text").expect("a column").value(row)[..2].to_owned()).collect::<Vec<_>>()
        });
        assert_eq!(starts.collect::<Vec<_>>(), ["ic", "do", "ai", "tu"]);
    }

    #[test]
    fn a_file_without_rejects_is_still_a_file() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let output = RejectsSink::create(folder.path(), "r.parquet", None).expect("a fresh folder").finish().expect("room on disk");
        assert_eq!(output.rows, 0);
        assert!(output.bytes > 0);
    }
}
