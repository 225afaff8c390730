//! Row groups of earlier shards, for a shard that holds the same documents again: their column chunks are copied byte for byte, and only
//! the few columns that a decision changes are encoded.
//!
//! What is copied is what encoding would give, for a column chunk depends on its values and on how shards are written alone. Documents are the
//! same where their ids and their places in the inputs are: all else was read from that very shard.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::UInt64Type;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::arrow::arrow_writer::{ArrowRowGroupWriterFactory, compute_leaves};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::metadata::PageIndexPolicy;
use parquet::file::writer::SerializedFileWriter;
use sha2::{Digest, Sha256};

use super::HashedFile;
use super::documents::ReadError;
use super::shards::{TAKEDOWN_SEQUENCE, TOKENIZER_HASH};
use crate::columns::{DOCUMENT, column};
use crate::doc::Document;

/// The columns that are encoded anew in a row group that is copied; each is one column chunk. Of signed numbers the writer states the smallest and
/// largest value a second time, as readers before 2018 look for them, and reading a footer forgets that it did.
const FRESH: [&str; 4] = ["fetched_at", "cluster_id", "cluster_size", "recipe_hash"];

/// The columns that say which documents a row group holds.
const KEYS: [&str; 3] = ["id", "source_file", "source_offset"];

/// Which documents a row group holds, in their order.
type Sum = [u8; 32];

/// The row groups of earlier shards.
#[derive(Default)]
pub struct Taken {
    groups: BTreeMap<Sum, Same>,
}

/// A row group with the same documents.
pub struct Same {
    path: PathBuf,
    group: usize,
}

impl Taken {
    /// Adds the row groups of the shard `path`, unless its token ids are of another vocabulary than the one whose hash is `tokenizer` (empty
    /// for none), or a takedown later than `takedowns` has written it anew, for that is not how a run writes one.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn add(&mut self, path: &Path, tokenizer: &str, takedowns: u64) -> Result<(), ReadError> {
        let refused = |source| ReadError::Parquet { path: path.to_owned(), source };
        let file = File::open(path).map_err(|source| ReadError::Io { path: path.to_owned(), source })?;
        let metadata = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()).map_err(refused)?;
        let pairs = metadata.metadata().file_metadata().key_value_metadata();
        let value = |key: &str| pairs?.iter().find(|pair| pair.key == key)?.value.as_deref();
        if value(TOKENIZER_HASH).unwrap_or("") != tokenizer || value(TAKEDOWN_SEQUENCE) != Some(takedowns.to_string().as_str()) {
            return Ok(());
        }
        for group in 0..metadata.metadata().num_row_groups() {
            let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(
                file.try_clone().map_err(|error| refused(error.into()))?,
                metadata.clone(),
            );
            let mask = ProjectionMask::columns(builder.parquet_schema(), KEYS);
            let reader = builder.with_row_groups(vec![group]).with_projection(mask).build().map_err(refused)?;
            let mut sum = Sha256::new();
            for batch in reader {
                add_rows(&mut sum, &batch.map_err(|error| refused(error.into()))?).map_err(refused)?;
            }
            self.groups.insert(sum.finalize().into(), Same { path: path.to_owned(), group });
        }
        Ok(())
    }

    /// The row group that holds `docs` and no others, in this order.
    #[must_use]
    pub fn same(&self, docs: &[Document]) -> Option<&Same> {
        if self.groups.is_empty() {
            return None;
        }
        let mut sum = Sha256::new();
        for doc in docs {
            add_row(&mut sum, &doc.id.to_string(), &doc.source_file, doc.source_offset);
        }
        self.groups.get(&Sum::from(sum.finalize()))
    }
}

fn add_rows(sum: &mut Sha256, batch: &RecordBatch) -> Result<(), ParquetError> {
    let missing = || ParquetError::General("it does not hold documents".to_owned());
    let text = |name: &str| batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>()).ok_or_else(missing);
    let offsets = batch.column_by_name(KEYS[2]).and_then(|column| column.as_primitive_opt::<UInt64Type>()).ok_or_else(missing)?;
    for ((id, file), offset) in text(KEYS[0])?.iter().zip(text(KEYS[1])?).zip(offsets) {
        add_row(sum, id.unwrap_or(""), file.unwrap_or(""), offset.unwrap_or(0));
    }
    Ok(())
}

fn add_row(sum: &mut Sha256, id: &str, file: &str, offset: u64) {
    sum.update(id);
    sum.update((file.len() as u64).to_le_bytes());
    sum.update(file);
    sum.update(offset.to_le_bytes());
}

impl Same {
    /// Writes the row group with what `docs` say now in the columns that are encoded anew.
    pub(super) fn copy(
        &self,
        docs: &[Document],
        recipe_hash: &str,
        encoders: &ArrowRowGroupWriterFactory,
        writer: &mut SerializedFileWriter<HashedFile>,
    ) -> Result<(), ParquetError> {
        let file = File::open(&self.path)?;
        // As a mask alone, the encodings of pages would be missing in the copy's footer.
        let options = ArrowReaderOptions::new().with_encoding_stats_as_mask(false).with_offset_index_policy(PageIndexPolicy::Optional);
        let from = ParquetRecordBatchReaderBuilder::new_with_metadata(file.try_clone()?, ArrowReaderMetadata::load(&file, options)?);
        let group = from.metadata().row_group(self.group);
        let pages = from.metadata().offset_index().and_then(|groups| groups.get(self.group));
        let fresh = encoders.create_column_writers(writer.flushed_row_groups().len())?;
        let mut out = writer.next_row_group()?;
        for ((place, chunk), mut encoder) in group.columns().iter().enumerate().zip(fresh) {
            let name = chunk.column_path().string();
            if FRESH.contains(&name.as_str()) {
                let array = column(&name, docs, Some(recipe_hash)).map_err(|error| ParquetError::External(Box::new(error)))?;
                for leaf in compute_leaves(DOCUMENT.arrow().field_with_name(&name)?, &array)? {
                    encoder.write(&leaf)?;
                }
                encoder.close()?.append_to_row_group(&mut out)?;
                continue;
            }
            let close = ColumnCloseResult {
                bytes_written: chunk.compressed_size() as u64,
                rows_written: group.num_rows() as u64,
                metadata: chunk.clone(),
                bloom_filter: from.get_row_group_column_bloom_filter(self.group, place)?,
                column_index: None,
                offset_index: pages.and_then(|pages| pages.get(place)).cloned(),
            };
            out.append_column(&file, close)?;
        }
        out.close()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::doc::{Cluster, DocId, Lang};
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

    fn shard(path: &Path, options: ShardOptions, docs: Vec<Document>, taken: Taken) -> Output {
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
        let sink = ShardSink::create(path.parent().expect("a folder"), name, options).expect("a fresh name");
        let mut sink = Box::new(sink.taking(Arc::new(taken)));
        docs.into_iter().for_each(|doc| sink.write(doc).expect("room on disk"));
        sink.finish().expect("room on disk").remove(0)
    }

    #[test]
    fn a_shard_whose_row_groups_are_copied_has_the_bytes_of_one_that_is_encoded() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        shard(&at("old.parquet"), options("old"), (1..9).map(|number| doc(number, 5)).collect(), Taken::default());
        // One document is new in the second row group, and other clusters are found.
        let docs = || (1..9).map(|number| doc(if number == 5 { 50 } else { number }, 3)).collect::<Vec<_>>();
        let mut taken = Taken::default();
        taken.add(&at("old.parquet"), "ab12", 0).expect("a shard");
        let same: Vec<bool> = docs().chunks(3).map(|docs| taken.same(docs).is_some()).collect();
        assert_eq!(same, [true, false, true]);
        let copied = shard(&at("copied.parquet"), options("new"), docs(), taken);
        let encoded = shard(&at("encoded.parquet"), options("new"), docs(), Taken::default());
        assert!(std::fs::read(at("copied.parquet")).expect("a file") == std::fs::read(at("encoded.parquet")).expect("a file"));
        assert_eq!(
            (copied.sha256, copied.rows, copied.tokens, copied.groups),
            (encoded.sha256, encoded.rows, encoded.tokens, encoded.groups)
        );
    }

    #[test]
    fn nothing_is_taken_from_a_shard_of_another_vocabulary_or_one_that_a_takedown_wrote_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("old.parquet");
        let docs: Vec<Document> = (1..3).map(|number| doc(number, 0)).collect();
        shard(&path, ShardOptions { takedown_sequence: 2, ..options("old") }, docs.clone(), Taken::default());
        for (tokenizer, takedowns, found) in [("ab12", 2, true), ("cd34", 2, false), ("", 2, false), ("ab12", 1, false)] {
            let mut taken = Taken::default();
            taken.add(&path, tokenizer, takedowns).expect("a shard");
            assert_eq!(taken.same(&docs).is_some(), found, "{tokenizer:?}, {takedowns}");
            assert!(taken.same(&docs[..1]).is_none());
        }
    }
}
