//! Whole documents read back from what a sealed run left: its shards, and its rejects with their verdicts.
//!
//! Clusters are left behind, for they are made anew by whoever reads on; token ids are taken along where the shard's footer names the
//! vocabulary that is asked for. Row groups in which nothing is wanted are told by their column of input files alone.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Float32Type;
use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch, new_null_array};
use arrow_schema::{Field, Schema};
use arrow_select::filter::filter_record_batch;
use parquet::arrow::arrow_reader::ParquetRecordBatchReader;
use parquet::errors::ParquetError;

use super::documents::ReadError;
use super::rows::{RowsFile, Wanted};
use super::shards::TOKENIZER_HASH;
use crate::columns::{ColumnsError, DOCUMENT, from_batch};
use crate::doc::{Document, Lang};
use crate::stage::Finding;

/// Rows decoded at a time: many files are open at once, so that each holds little.
const ROWS_MAX: usize = 64;
/// Columns that are made anew; the first two are not where their vocabulary stays.
pub const LEFT_BEHIND: [&str; 5] = ["input_ids", "token_count", "cluster_id", "cluster_size", "recipe_hash"];
const IDS: usize = 2;

/// A document as it was written.
pub struct Stored {
    /// The document.
    pub doc: Document,
    /// Why it fell; none in a shard.
    pub fell: Option<StoredVerdict>,
}

/// A verdict as the rejects hold it.
pub struct StoredVerdict {
    /// Name of the stage.
    pub stage: String,
    /// Why.
    pub reason: String,
    /// The numbers, where there are such.
    pub finding: Option<Finding>,
}

/// One file, row group by row group.
pub struct StoredFile {
    file: RowsFile,
    left_behind: &'static [&'static str],
    next_group: usize,
    open: Option<Group>,
}

/// A row group that is being read.
struct Group {
    reader: ParquetRecordBatchReader,
    rows_left: usize,
}

impl StoredFile {
    /// Opens a shard or a file of rejects. Token ids are read where they are of the vocabulary whose hash is `ids_of`.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn open(path: &Path, ids_of: Option<&str>) -> Result<StoredFile, ReadError> {
        let file = RowsFile::open(path)?;
        let vocabulary = file.says(TOKENIZER_HASH);
        let left_behind = if ids_of.is_some() && ids_of == vocabulary { &LEFT_BEHIND[IDS..] } else { &LEFT_BEHIND };
        Ok(StoredFile { file, left_behind, next_group: 0, open: None })
    }

    /// The next documents that came from the input files `wanted`, or from whichever where none are named, in file order; no more of them at the end.
    ///
    /// # Errors
    /// When the file breaks off or does not hold documents.
    pub fn next(&mut self, wanted: Option<&BTreeSet<String>>) -> Result<Vec<Stored>, ReadError> {
        loop {
            let Some(group) = &mut self.open else {
                if self.next_group == self.file.groups() {
                    return Ok(Vec::new());
                }
                self.open_group(wanted)?;
                continue;
            };
            match group.reader.next() {
                None => self.open = None,
                Some(batch) => {
                    // Each column has a decompressor of its own, and many files are open at once: none is held that has given all.
                    group.rows_left -= batch.as_ref().map_or(group.rows_left, |batch| batch.num_rows().min(group.rows_left));
                    if group.rows_left == 0 {
                        self.open = None;
                    }
                    let stored = batch.map_err(ParquetError::from).and_then(|batch| Ok(rows_of(&batch, wanted)?));
                    let stored = stored.map_err(|error| self.file.refused(error))?;
                    let stored = stored_in(&stored, self.left_behind);
                    let stored = stored.map_err(|source| ReadError::Columns { path: self.file.path().to_owned(), source })?;
                    if !stored.is_empty() {
                        return Ok(stored);
                    }
                }
            }
        }
    }

    /// Goes to the next row group; opens it if something in it is wanted.
    fn open_group(&mut self, wanted: Option<&BTreeSet<String>>) -> Result<(), ReadError> {
        let group = self.next_group;
        self.next_group += 1;
        if wanted.is_none() || self.holds_any(group, wanted)? {
            let reader = self.file.read(group, Wanted::All, &|name| !self.left_behind.contains(&name), ROWS_MAX)?;
            self.open = Some(Group { reader, rows_left: self.file.rows_in(group) });
        }
        Ok(())
    }

    /// Whether something in a row group came from the files `wanted`.
    fn holds_any(&self, group: usize, wanted: Option<&BTreeSet<String>>) -> Result<bool, ReadError> {
        for batch in self.file.read(group, Wanted::All, &|name| name == "source_file", ROWS_MAX)? {
            let batch = batch.map_err(|error| self.file.refused(error.into()))?;
            if rows_of(&batch, wanted).map_err(|error| self.file.refused(error.into()))?.num_rows() > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// The rows of `batch` that came from the files `wanted`.
fn rows_of(batch: &RecordBatch, wanted: Option<&BTreeSet<String>>) -> Result<RecordBatch, arrow_schema::ArrowError> {
    let files = batch.column_by_name("source_file").and_then(|column| column.as_string_opt::<i32>());
    let Some((files, wanted)) = files.zip(wanted) else { return Ok(batch.clone()) };
    let chosen: BooleanArray = files.iter().map(|file| Some(file.is_some_and(|file| wanted.contains(file)))).collect();
    filter_record_batch(batch, &chosen)
}

/// The document in row number `row` of `batch`, without what is left behind.
///
/// # Errors
/// When the columns are not those of a document.
pub fn document_in(batch: &RecordBatch, row: usize) -> Result<Document, ColumnsError> {
    let mut stored = stored_in(&batch.slice(row, 1), &LEFT_BEHIND)?;
    stored.pop().map(|stored| stored.doc).ok_or_else(|| ColumnsError::Missing("id".to_owned()))
}

/// The documents of `batch`, with their verdicts where it has any.
fn stored_in(batch: &RecordBatch, left_behind: &[&str]) -> Result<Vec<Stored>, ColumnsError> {
    let mut docs = from_batch(&completed(batch, left_behind)?)?;
    let text = |name: &str| batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
    // Among rejects "no language was found" and "none was looked for" are two things.
    for (doc, tag) in docs.iter_mut().zip(text("lang").into_iter().flatten()) {
        doc.lang = tag.map(Lang::new);
    }
    let number = |name: &str, row: usize| {
        let column = batch.column_by_name(name)?.as_primitive_opt::<Float32Type>()?;
        column.is_valid(row).then(|| column.value(row))
    };
    let (stages, reasons) = (text("stage"), text("reason"));
    let verdict = |row: usize| {
        let finding = number("value", row).zip(number("limit", row)).map(|(value, limit)| Finding { value, limit });
        Some(StoredVerdict { stage: stages?.value(row).to_owned(), reason: reasons?.value(row).to_owned(), finding })
    };
    Ok(docs.into_iter().enumerate().map(|(row, doc)| Stored { doc, fell: verdict(row) }).collect())
}

/// `batch` with nothing in the columns that are left behind.
fn completed(batch: &RecordBatch, left_behind: &[&str]) -> Result<RecordBatch, ColumnsError> {
    let found = batch.schema_ref().fields().iter().cloned().zip(batch.columns().iter().cloned());
    let (mut fields, mut columns): (Vec<Arc<Field>>, Vec<ArrayRef>) =
        found.filter(|(field, _)| !left_behind.contains(&field.name().as_str())).unzip();
    for name in left_behind {
        let kind = DOCUMENT.arrow().field_with_name(name)?.data_type().clone();
        columns.push(new_null_array(&kind, batch.num_rows()));
        fields.push(Arc::new(Field::new(*name, kind, true)));
    }
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::Sink;
    use crate::sinks::shards::{ShardOptions, ShardSink, Tokenizer};

    #[test]
    fn token_ids_are_read_where_their_vocabulary_is_asked_for_and_nowhere_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let tokenizer = Some(Tokenizer { name: "o200k_base".to_owned(), hash: "ab12".to_owned(), vocabulary_size: 9 });
        let options = ShardOptions { tokenizer, ..ShardOptions::default() };
        let mut sink = Box::new(ShardSink::create(folder.path(), "s.parquet", options).expect("a fresh folder"));
        let (text, source_file) = ("Dobrý den".to_owned(), "a.warc.gz".into());
        let doc =
            Document { text, source_file, lang: Some(Lang::new("cs")), input_ids: vec![7, 8], token_count: Some(2), ..Document::default() };
        sink.write(doc).expect("room on disk");
        sink.finish().expect("room on disk");
        for (ids_of, want) in [(Some("ab12"), Some(2)), (Some("cd34"), None), (None, None)] {
            let mut file = StoredFile::open(&folder.path().join("s.parquet"), ids_of).expect("it was just written");
            let stored = file.next(Some(&BTreeSet::from(["a.warc.gz".to_owned()]))).expect("it was just written").remove(0);
            assert_eq!((stored.doc.token_count, stored.doc.input_ids.len()), (want, want.unwrap_or(0) as usize), "{ids_of:?}");
            assert!(stored.doc.text == "Dobrý den" && stored.fell.is_none());
        }
    }
}
