//! Looks for what is meant in Parquet files: by the columns of ids and addresses where those name it, by the texts where not.
//!
//! The filters of shards are not asked: an address may be stored in another spelling than it is asked in, and a row that is missed stays.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::errors::ParquetError;
use parquet::file::reader::FileReader;
use parquet::file::serialized_reader::SerializedFileReader;

use super::request::Targets;
use crate::dedup::minhash::jaccard;
use crate::dedup::normalise::fold_white_space;
use crate::dedup::settings::DedupSettings;
use crate::dedup::sign::Signer;
use crate::doc::{DocId, Signature};
use crate::sinks::splice::Rows;

/// Rows that are read at a time where texts are looked at.
const BATCH_ROWS: usize = 512;

/// A file that cannot be searched.
#[derive(Debug, thiserror::Error)]
#[error("cannot search `{path}`", path = path.display())]
pub struct FindError {
    path: PathBuf,
    source: ParquetError,
}

/// A document that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Its id.
    pub id: DocId,
    /// Its address as the file has it.
    pub url: String,
    /// Its host.
    pub host: String,
    /// Its language, where the file has one.
    pub lang: String,
    /// Its text.
    pub text: String,
}

/// What was found in one file.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Where.
    pub rows: Rows,
    /// What.
    pub hits: Vec<Hit>,
}

/// Texts and words to look for.
pub struct Alike {
    words: Vec<String>,
    signer: Signer,
    jaccard_min: f32,
    texts: BTreeSet<Vec<u8>>,
    sketches: Vec<Signature>,
}

impl Default for Alike {
    fn default() -> Alike {
        let settings = DedupSettings::default();
        let (signer, jaccard_min) = (Signer::new(&settings), settings.jaccard_min);
        Alike { words: Vec::new(), signer, jaccard_min, texts: BTreeSet::new(), sketches: Vec::new() }
    }
}

impl Alike {
    /// Looks for documents in which these words stand, in whatever case.
    pub fn add_words(&mut self, words: &str) {
        self.words.push(words.to_lowercase());
    }

    /// Looks for documents like this text.
    pub fn add_text(&mut self, text: &str) {
        let folded = fold_white_space(text);
        if !folded.is_empty() && self.texts.insert(folded) {
            self.sketches.push(self.signer.sign(text));
        }
    }

    /// Whether nothing is looked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.is_empty() && self.texts.is_empty()
    }

    fn has(&self, url: &str, title: &str, text: &str) -> bool {
        let holds = |words: &String| [url, title, text].iter().any(|place| place.to_lowercase().contains(words));
        if self.words.iter().any(holds) {
            return true;
        }
        if self.texts.is_empty() {
            return false;
        }
        if self.texts.contains(&fold_white_space(text)) {
            return true;
        }
        let signature = self.signer.sign(text);
        let meets = |known: &&Signature| known.bands.iter().zip(&signature.bands).any(|(a, b)| a == b);
        self.sketches.iter().filter(meets).any(|known| jaccard(&known.sketch, &signature.sketch) >= self.jaccard_min)
    }
}

/// The ids of the documents of the Parquet file `path` that `wanted` takes, by id, address and text.
///
/// # Errors
/// When the file cannot be read.
pub fn ids_of(path: &Path, mut wanted: impl FnMut(DocId, &str, &str) -> bool) -> Result<Vec<DocId>, FindError> {
    let mut ids = Vec::new();
    let mut look = || {
        let file = File::open(path)?;
        for group in 0..SerializedFileReader::new(file.try_clone()?)?.num_row_groups() {
            for_each_row(&file, group, &["id", "url", "text"], |_, row| {
                if wanted(row.id(), row.text("url"), row.text("text")) {
                    ids.push(row.id());
                }
            })?;
        }
        Ok(())
    };
    look().map_err(|source| FindError { path: path.to_owned(), source })?;
    Ok(ids)
}

/// The rows of the Parquet file `path` that are meant by `targets`, or are `alike`.
///
/// # Errors
/// When the file cannot be read.
pub fn find(path: &Path, targets: &Targets, alike: &Alike) -> Result<Found, FindError> {
    search(path, targets, alike).map_err(|source| FindError { path: path.to_owned(), source })
}

fn search(path: &Path, targets: &Targets, alike: &Alike) -> Result<Found, ParquetError> {
    let file = File::open(path)?;
    let mut found = Found::default();
    let columns = if alike.is_empty() { &["id", "url"][..] } else { &["id", "url", "title", "text"][..] };
    for group in 0..SerializedFileReader::new(file.try_clone()?)?.num_row_groups() {
        let mut rows = BTreeSet::new();
        for_each_row(&file, group, columns, |number, row| {
            let url = row.text("url");
            if targets.has(row.id(), url) || !alike.is_empty() && alike.has(url, row.text("title"), row.text("text")) {
                rows.insert(number);
            }
        })?;
        if !rows.is_empty() {
            found.hits.extend(hits(&file, group, &rows)?);
            found.rows.insert(group, rows);
        }
    }
    Ok(found)
}

/// The rows themselves, read again with their texts.
fn hits(file: &File, group: usize, rows: &BTreeSet<usize>) -> Result<Vec<Hit>, ParquetError> {
    let mut hits = Vec::new();
    for_each_row(file, group, &["id", "url", "host", "lang", "text"], |number, row| {
        if rows.contains(&number) {
            let [url, host, lang, text] = ["url", "host", "lang", "text"].map(|name| row.text(name).to_owned());
            hits.push(Hit { id: row.id(), url, host, lang, text });
        }
    })?;
    Ok(hits)
}

/// One row of a batch.
struct Row<'a> {
    batch: &'a RecordBatch,
    row: usize,
}

impl<'a> Row<'a> {
    /// A column of text; empty where there is no value or no such column.
    fn text(&self, name: &str) -> &'a str {
        let column = self.batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
        column.filter(|column| column.is_valid(self.row)).map_or("", |column| column.value(self.row))
    }

    fn id(&self) -> DocId {
        self.text("id").parse().unwrap_or_default()
    }
}

/// Calls `each` with every row of a row group and its number, with these columns.
fn for_each_row(file: &File, group: usize, columns: &[&str], mut each: impl FnMut(usize, Row<'_>)) -> Result<(), ParquetError> {
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file.try_clone()?, options)?;
    let roots = builder.schema().fields().iter().enumerate().filter(|(_, field)| columns.contains(&field.name().as_str()));
    let mask = ProjectionMask::roots(builder.parquet_schema(), roots.map(|(place, _)| place).collect::<Vec<_>>());
    let mut number = 0;
    for batch in builder.with_row_groups(vec![group]).with_projection(mask).with_batch_size(BATCH_ROWS).build()? {
        let batch = batch?;
        for row in 0..batch.num_rows() {
            each(number, Row { batch: &batch, row });
            number += 1;
        }
    }
    Ok(())
}
