//! Rows of earlier shards, for a shard that holds the same documents again.
//!
//! A row group whose documents are those of a stored one is copied byte for byte but for the few columns that a decision changes: a column chunk
//! depends on its values and on how shards are written alone. Other rows are read with all their columns and encoded anew.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, RecordBatch, UInt32Array};
use arrow_schema::{Field, Schema, SchemaRef};
use arrow_select::concat::concat_batches;
use arrow_select::take::take_record_batch;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::arrow::arrow_writer::{ArrowRowGroupWriterFactory, compute_leaves};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::writer::SerializedFileWriter;

use super::HashedFile;
use super::documents::ReadError;
use super::rows::{RowsFile, Wanted};
use crate::columns::DOCUMENT;
use crate::doc::{Cluster, DocId};

/// Where a stored document lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowAt {
    /// Number of the file in a list of files.
    pub file: u32,
    /// Row group.
    pub group: u32,
    /// Row in it.
    pub row: u32,
}

/// A document of an earlier shard that stays.
#[derive(Clone, Copy, Debug)]
pub struct Kept {
    /// Where it lies.
    pub at: RowAt,
    /// Its id.
    pub id: DocId,
    /// Bytes of its text.
    pub text_bytes: usize,
    /// Its token ids.
    pub tokens: u32,
    /// Its near-duplicates, as they are found now.
    pub cluster: Option<Cluster>,
}

/// The columns that are made anew in any case. `fetched_at` is among them because of signed numbers the writer states the smallest and largest value a
/// second time, as readers before 2018 look for them, and reading a footer forgets that it did.
const FRESH: [&str; 4] = ["fetched_at", "cluster_id", "cluster_size", "recipe_hash"];

/// Those of them that the stored row does not have.
pub const CHANGED: [&str; 3] = ["cluster_id", "cluster_size", "recipe_hash"];

/// A batch, and the numbers of the rows in it that were asked for.
type Found = (RecordBatch, Vec<u32>);

/// A row group that is at most so large, with all its columns in memory, is held beside another one.
const SMALL_BYTES_MAX: usize = 8 << 20;

/// Stored files by number.
#[derive(Debug, Default)]
pub struct Stored {
    files: Vec<PathBuf>,
    open: BTreeMap<u32, RowsFile>,
    /// Whether the shards among them were written as a shard is written now.
    alike: bool,
    /// The row groups that were asked for last, whole, by file and number; the newest first.
    whole: Vec<((u32, u32), RecordBatch)>,
}

impl Stored {
    /// The files at `files`. `alike` says that the shards among them are as this job would write them, but for the documents.
    #[must_use]
    pub fn new(files: Vec<PathBuf>, alike: bool) -> Stored {
        Stored { files, open: BTreeMap::new(), alike, whole: Vec::new() }
    }

    /// The number of the file at `path`, which is added if it is new.
    pub fn number_of(&mut self, path: PathBuf) -> u32 {
        let known = self.files.iter().position(|known| *known == path);
        let number = known.unwrap_or_else(|| {
            self.files.push(path);
            self.files.len() - 1
        });
        number as u32
    }

    /// Where file number `number` lies.
    #[must_use]
    pub fn path(&self, number: u32) -> &Path {
        self.files.get(number as usize).map_or(Path::new(""), PathBuf::as_path)
    }

    fn file(&mut self, number: u32) -> Result<&RowsFile, ReadError> {
        if !self.open.contains_key(&number) {
            let path = self.path(number);
            let file = if self.alike { RowsFile::open_to_copy(path)? } else { RowsFile::open(path)? };
            self.open.insert(number, file);
        }
        Ok(&self.open[&number])
    }

    /// A row group, with all columns but those that are made anew for each shard. What was read last is at hand: rows that fall, rows that stay and rows
    /// that become documents lie side by side.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn whole(&mut self, at: (u32, u32)) -> Result<RecordBatch, ReadError> {
        if let Some(place) = self.whole.iter().position(|(known, _)| *known == at) {
            self.whole[..=place].rotate_right(1);
            return Ok(self.whole[0].1.clone());
        }
        self.whole.truncate(1);
        self.whole.retain(|(_, batch)| batch.get_array_memory_size() <= SMALL_BYTES_MAX);
        let batch = self.read(at, Wanted::All, &|name| !CHANGED.contains(&name))?;
        self.whole.insert(0, (at, batch.clone()));
        Ok(batch)
    }

    /// Closes all files. What was read last stays at hand.
    pub(super) fn close(&mut self) {
        self.open.clear();
    }

    /// Copies of `rows` of a row group, in this order, with the columns that `takes` says.
    ///
    /// # Errors
    /// When the file cannot be read, or lacks a row.
    pub fn copies(&mut self, at: (u32, u32), rows: Vec<u32>, takes: &dyn Fn(&str) -> bool) -> Result<RecordBatch, ReadError> {
        let whole = self.whole(at)?;
        if rows.iter().any(|row| *row as usize >= whole.num_rows()) {
            return Err(self.file(at.0)?.lacking_rows(at.1));
        }
        let fields = whole.schema_ref().fields().iter().enumerate();
        let columns: Vec<usize> = fields.filter(|(_, field)| takes(field.name())).map(|(place, _)| place).collect();
        let copies = whole.project(&columns).and_then(|whole| take_record_batch(&whole, &UInt32Array::from(rows)));
        let path = self.path(at.0).to_owned();
        copies.map_err(|error| ReadError::Parquet { path, source: error.into() })
    }

    /// A batch in which rows of one row group are, with all those columns, and the number in it of each of `rows`, which ascend.
    pub(super) fn rows(&mut self, at: (u32, u32), rows: &[u32]) -> Result<Found, ReadError> {
        let file = self.file(at.0)?;
        let in_group = file.expect_group(at.1 as usize)?;
        if rows.last().is_none_or(|last| *last as usize >= in_group) {
            return Err(file.lacking_rows(at.1));
        }
        // Passing over single rows costs more than reading them.
        let all = 2 * rows.len() >= in_group || self.whole.iter().any(|(known, _)| *known == at);
        let (batch, numbers) = match all {
            true => (self.whole(at)?, rows.to_vec()),
            false => (self.read(at, Wanted::Rows(rows), &|name| !CHANGED.contains(&name))?, (0..rows.len() as u32).collect()),
        };
        match numbers.last().is_some_and(|last| (*last as usize) < batch.num_rows()) {
            true => Ok((batch, numbers)),
            false => Err(self.file(at.0)?.lacking_rows(at.1)),
        }
    }

    fn read(&mut self, (file, group): (u32, u32), wanted: Wanted<'_>, takes: &dyn Fn(&str) -> bool) -> Result<RecordBatch, ReadError> {
        let file = self.file(file)?;
        let rows = file.expect_group(group as usize)?;
        let batches = file.read(group as usize, wanted, takes, rows.max(1))?.collect::<Result<Vec<_>, _>>();
        let mut batches = batches.map_err(|error| file.refused(error.into()))?;
        match batches.len() {
            0 => Err(file.lacking_rows(group)),
            1 => Ok(batches.remove(0)),
            _ => concat_batches(&batches[0].schema(), &batches).map_err(|error| file.refused(error.into())),
        }
    }

    /// The row group whose rows are `rows` and no others, if its chunks may be copied.
    pub(super) fn whole_group(&mut self, rows: &[Kept]) -> Result<Option<(u32, u32)>, ReadError> {
        let Some(first) = rows.first().filter(|_| self.alike).map(|row| row.at) else { return Ok(None) };
        let in_order = rows.iter().zip(0..).all(|(row, number)| row.at == RowAt { row: number, ..first });
        if !in_order || self.file(first.file)?.rows_in(first.group as usize) != rows.len() {
            return Ok(None);
        }
        Ok(Some((first.file, first.group)))
    }

    /// Writes the row group `group` of file `file`, which holds `rows`, with what `rows` say now.
    pub(super) fn copy(
        &mut self,
        (file, group): (u32, u32),
        rows: &[Kept],
        recipe_hash: &str,
        encoders: &ArrowRowGroupWriterFactory,
        writer: &mut SerializedFileWriter<HashedFile>,
    ) -> Result<(), ParquetError> {
        let batch = self.read((file, group), Wanted::All, &|name| name == "id" || name == FRESH[0]).map_err(external)?;
        check_ids(&batch, rows.iter().map(|row| (row.at.row, row.id)))?;
        let mut fresh = vec![batch.column_by_name(FRESH[0]).cloned().ok_or_else(|| no_column(FRESH[0]))?];
        fresh.extend(changed(rows.iter().map(|row| row.cluster), recipe_hash));
        let (file, metadata) = self.file(file).map_err(external)?.parts();
        let from = ParquetRecordBatchReaderBuilder::new_with_metadata(file.clone(), metadata);
        let chunks = from.metadata().row_group(group as usize);
        let pages = from.metadata().offset_index().and_then(|groups| groups.get(group as usize));
        let encoders = encoders.create_column_writers(writer.flushed_row_groups().len())?;
        let mut out = writer.next_row_group()?;
        for ((place, chunk), mut encoder) in chunks.columns().iter().enumerate().zip(encoders) {
            let name = chunk.column_path().string();
            if let Some(number) = FRESH.iter().position(|fresh| *fresh == name) {
                for leaf in compute_leaves(DOCUMENT.arrow().field_with_name(&name)?, &fresh[number])? {
                    encoder.write(&leaf)?;
                }
                encoder.close()?.append_to_row_group(&mut out)?;
                continue;
            }
            let close = ColumnCloseResult {
                bytes_written: chunk.compressed_size() as u64,
                rows_written: chunks.num_rows() as u64,
                metadata: chunk.clone(),
                bloom_filter: from.get_row_group_column_bloom_filter(group as usize, place)?,
                column_index: None,
                offset_index: pages.and_then(|pages| pages.get(place)).cloned(),
            };
            out.append_column(&file, close)?;
        }
        out.close()?;
        Ok(())
    }
}

/// The columns [`CHANGED`].
pub(super) fn changed(clusters: impl ExactSizeIterator<Item = Option<Cluster>> + Clone, recipe_hash: &str) -> [ArrayRef; 3] {
    let (mut ids, mut hashes) = (StringBuilder::new(), StringBuilder::new());
    for cluster in clusters.clone() {
        ids.append_option(cluster.map(|cluster| cluster.id.to_string()));
        hashes.append_value(recipe_hash);
    }
    let sizes: UInt32Array = clusters.map(|cluster| cluster.map(|cluster| cluster.size)).collect();
    [Arc::new(ids.finish()), Arc::new(sizes), Arc::new(hashes.finish())]
}

/// The schema of a document without the columns [`CHANGED`].
pub(super) fn unchanged() -> SchemaRef {
    let fields =
        DOCUMENT.arrow().fields().iter().filter(|field| !CHANGED.contains(&field.name().as_str())).cloned().collect::<Vec<Arc<Field>>>();
    Arc::new(Schema::new(fields))
}

/// Sees that rows of `batch` are documents with these ids.
pub(super) fn check_ids(batch: &RecordBatch, mut rows: impl Iterator<Item = (u32, DocId)>) -> Result<(), ParquetError> {
    let found = batch.column_by_name("id").and_then(|ids| ids.as_string_opt::<i32>()).ok_or_else(|| no_column("id"))?;
    match rows.all(|(row, id)| found.value(row as usize).parse() == Ok(id)) {
        true => Ok(()),
        false => Err(ParquetError::General("its rows are not those that were judged: it changed meanwhile".to_owned())),
    }
}

fn no_column(name: &str) -> ParquetError {
    ParquetError::General(format!("there is no column `{name}`"))
}

fn external(error: ReadError) -> ParquetError {
    ParquetError::External(Box::new(error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doc::{Document, Lang};
    use crate::sink::{Output, Sink};
    use crate::sinks::shards::{ShardOptions, ShardSink, Tokenizer};

    fn options(recipe_hash: &str) -> ShardOptions {
        let tokenizer = Some(Tokenizer { name: "o200k_base".to_owned(), hash: "ab12".to_owned(), vocabulary_size: 9 });
        ShardOptions { group_documents_max: 3, recipe_hash: recipe_hash.to_owned(), tokenizer, ..ShardOptions::default() }
    }

    fn doc(number: u32, clusters: u32) -> Document {
        let text = format!("Pranešimas {number}. ").repeat(1_000 * number as usize);
        let mut doc = Document {
            id: DocId::of("https://www.example.lt/", &number.to_le_bytes()),
            url: format!("https://www.example.lt/{number}"),
            lang: Some(Lang::new("lt")),
            script: Some("Latn"),
            fetched_at: Some(1_764_201_600_000 + i64::from(number)),
            source: "warc",
            source_file: "a.warc.gz".into(),
            source_offset: u64::from(number),
            input_ids: (0..number * 1_000).collect(),
            token_count: Some(number * 1_000),
            text,
            ..Document::default()
        };
        doc.cluster = (number < clusters).then(|| Cluster { id: doc.id, size: number + 2 });
        doc.quality.set("words", number as f32);
        doc
    }

    fn sink(path: &Path, recipe_hash: &str) -> ShardSink {
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
        ShardSink::create(path.parent().expect("a folder"), name, options(recipe_hash)).expect("a fresh name")
    }

    fn written(mut sink: Box<ShardSink>, docs: impl Iterator<Item = Document>) -> Output {
        docs.for_each(|doc| sink.write(doc).expect("room on disk"));
        sink.finish().expect("room on disk").remove(0)
    }

    /// Documents 1 to 8 lie in rows of `old`, three a row group; all others are new.
    fn taken(old: &Path, alike: bool, path: &Path, numbers: &[u32]) -> Output {
        let mut sink = Box::new(sink(path, "new"));
        sink.take_from(Stored::new(vec![old.to_owned()], alike));
        for number in numbers {
            let doc = doc(*number, 3);
            match number.checked_sub(1).filter(|row| *row < 8) {
                Some(row) => {
                    let at = RowAt { file: 0, group: row / 3, row: row % 3 };
                    let (text_bytes, tokens) = (doc.text.len(), doc.input_ids.len() as u32);
                    sink.write_row("lt", Kept { at, id: doc.id, text_bytes, tokens, cluster: doc.cluster }).expect("it is there");
                }
                None => sink.write(doc).expect("room on disk"),
            }
        }
        sink.finish().expect("room on disk").remove(0)
    }

    #[test]
    fn a_shard_of_stored_rows_has_the_bytes_of_one_whose_documents_were_read_and_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        written(Box::new(sink(&at("old.parquet"), "old")), (1..9).map(|number| doc(number, 5)));
        for (case, numbers) in
            [&[1, 2, 3, 4, 50, 6, 7, 8][..], &[2, 3, 4, 5, 6, 7, 8], &[1, 2, 3, 4, 5, 6, 7, 8], &[8, 60, 1, 7]].iter().enumerate()
        {
            let want = written(Box::new(sink(&at(&format!("want-{case}.parquet")), "new")), numbers.iter().map(|number| doc(*number, 3)));
            for alike in [true, false] {
                let path = at(&format!("taken-{case}-{alike}.parquet"));
                let found = taken(&at("old.parquet"), alike, &path, numbers);
                assert_eq!(
                    (&found.sha256, found.rows, found.tokens, &found.groups),
                    (&want.sha256, want.rows, want.tokens, &want.groups),
                    "{case} {alike}"
                );
            }
        }
    }

    #[test]
    fn the_row_groups_that_were_asked_for_last_are_at_hand_and_rows_beyond_one_are_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let old = folder.path().join("old.parquet");
        written(Box::new(sink(&old, "old")), (1..9).map(|number| doc(number, 5)));
        let mut stored = Stored::new(vec![old.clone()], true);
        let first = stored.whole((0, 0)).expect("it is there");
        for at in [(0, 1), (0, 0), (0, 2)] {
            stored.whole(at).expect("it is there");
        }
        stored.close();
        std::fs::remove_file(&old).expect("it is there");
        assert_eq!(stored.whole((0, 0)).expect("it was asked for before the last one"), first);
        assert!(stored.whole((0, 1)).is_err(), "two are held");
        let copies = |stored: &mut Stored, rows: &[u32]| stored.copies((0, 0), rows.to_vec(), &|name| name == "url");
        let copied = copies(&mut stored, &[0, 2]).expect("at hand");
        assert_eq!((copied.num_rows(), copied.num_columns()), (2, 1));
        assert!(copies(&mut stored, &[3]).is_err(), "a row group of three");
    }

    #[test]
    fn a_row_that_is_another_document_than_it_was_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let (old, new) = (folder.path().join("old.parquet"), folder.path().join("new.parquet"));
        written(Box::new(sink(&old, "old")), (1..4).map(|number| doc(number, 0)));
        for (row, id) in [(1, doc(3, 0).id), (3, doc(4, 0).id)] {
            let mut sink = Box::new(sink(&new, "new"));
            sink.take_from(Stored::new(vec![old.clone()], true));
            let at = RowAt { file: 0, group: 0, row };
            sink.write_row("lt", Kept { at, id, text_bytes: 1, tokens: 1, cluster: None }).expect("it is read later");
            assert!(sink.finish().is_err(), "{row}");
        }
    }
}
