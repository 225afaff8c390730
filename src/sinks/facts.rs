//! What is known of stored documents without their texts: the columns that decide over them, and that signatures and the layout of shards need.

use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Float32Type, TimestampMillisecondType, UInt32Type, UInt64Type};
use arrow_array::{Array, Float32Array, PrimitiveArray, RecordBatch, StringArray};

use crate::columns::{ColumnsError, DOCUMENT};
use crate::doc::{DocId, Document, Lang};
use crate::stage::Finding;

/// The columns that are read.
pub const FACTS: [&str; 14] = [
    "id",
    "url",
    "title",
    "host",
    "lang",
    "quality",
    "source_file",
    "source_offset",
    "fetched_at",
    "token_count",
    "stage",
    "reason",
    "value",
    "limit",
];

/// Those columns of a row group.
pub struct Facts<'a> {
    ids: &'a StringArray,
    urls: &'a StringArray,
    titles: &'a StringArray,
    hosts: &'a StringArray,
    langs: &'a StringArray,
    source_files: &'a StringArray,
    source_offsets: &'a PrimitiveArray<UInt64Type>,
    fetched: &'a PrimitiveArray<TimestampMillisecondType>,
    tokens: Option<&'a PrimitiveArray<UInt32Type>>,
    /// The signals that somebody has set.
    signals: Vec<(&'static str, &'a Float32Array)>,
    verdicts: Option<Verdicts<'a>>,
}

/// What rejects say beside that.
struct Verdicts<'a> {
    stages: &'a StringArray,
    reasons: &'a StringArray,
    values: &'a Float32Array,
    limits: &'a Float32Array,
}

/// What is known of one stored document.
#[derive(Debug)]
pub struct StoredFacts<'a> {
    /// Its language and its signals, and nothing else.
    pub judged: Document,
    /// Its id.
    pub id: DocId,
    /// Its address.
    pub url: &'a str,
    /// Bytes of its title.
    pub title_bytes: usize,
    /// Its host.
    pub host: &'a str,
    /// Its input file.
    pub source_file: &'a str,
    /// Where its record begins there.
    pub source_offset: u64,
    /// When it was fetched: ms since 1970.
    pub fetched_at: Option<i64>,
    /// Its token ids: how many; 0 where none were made, and none for a reject.
    pub tokens: Option<u32>,
    /// Stage and reason why it fell, and the numbers, where it is a reject.
    pub fell: Option<(&'a str, &'a str, Option<Finding>)>,
}

impl<'a> Facts<'a> {
    /// The facts in `batch`, which has the columns [`FACTS`], those of verdicts where it is of rejects.
    ///
    /// # Errors
    /// When a column is missing or of another type.
    pub fn of(batch: &'a RecordBatch) -> Result<Facts<'a>, ColumnsError> {
        let quality = batch.column_by_name("quality").and_then(|column| column.as_struct_opt());
        let quality = quality.ok_or_else(|| ColumnsError::Missing("quality".to_owned()))?;
        let names = DOCUMENT.fields_of("quality").into_iter();
        let signals = names.filter_map(|name| Some((name, quality.column_by_name(name)?.as_primitive_opt::<Float32Type>()?)));
        let verdicts = match batch.column_by_name("stage") {
            None => None,
            Some(_) => Some(Verdicts {
                stages: strings(batch, "stage")?,
                reasons: strings(batch, "reason")?,
                values: numbers(batch, "value")?,
                limits: numbers(batch, "limit")?,
            }),
        };
        Ok(Facts {
            ids: strings(batch, "id")?,
            urls: strings(batch, "url")?,
            titles: strings(batch, "title")?,
            hosts: strings(batch, "host")?,
            langs: strings(batch, "lang")?,
            source_files: strings(batch, "source_file")?,
            source_offsets: numbers(batch, "source_offset")?,
            fetched: numbers(batch, "fetched_at")?,
            tokens: batch.column_by_name("token_count").and_then(|column| column.as_primitive_opt()),
            signals: signals.filter(|(_, values)| values.null_count() < values.len()).collect(),
            verdicts,
        })
    }

    /// The input file of row number `row`.
    #[must_use]
    pub fn source_file(&self, row: usize) -> &'a str {
        self.source_files.value(row)
    }

    /// What is known of row number `row`.
    #[must_use]
    pub fn row(&self, row: usize) -> StoredFacts<'a> {
        let signals = self.signals.iter().filter(|(_, values)| values.is_valid(row)).map(|(name, values)| (*name, values.value(row)));
        let lang = self.langs.is_valid(row).then(|| Lang::new(self.langs.value(row)));
        StoredFacts {
            judged: Document { lang, quality: signals.collect(), ..Document::default() },
            id: self.ids.value(row).parse().unwrap_or_default(),
            url: self.urls.value(row),
            title_bytes: if self.titles.is_valid(row) { self.titles.value(row).len() } else { 0 },
            host: self.hosts.value(row),
            source_file: self.source_files.value(row),
            source_offset: self.source_offsets.value(row),
            fetched_at: self.fetched.is_valid(row).then(|| self.fetched.value(row)),
            tokens: self.tokens.map(|tokens| if tokens.is_valid(row) { tokens.value(row) } else { 0 }),
            fell: self.verdicts.as_ref().map(|verdicts| verdicts.of(row)),
        }
    }
}

impl<'a> Verdicts<'a> {
    fn of(&self, row: usize) -> (&'a str, &'a str, Option<Finding>) {
        let numbers = self.values.is_valid(row) && self.limits.is_valid(row);
        let finding = numbers.then(|| Finding { value: self.values.value(row), limit: self.limits.value(row) });
        (self.stages.value(row), self.reasons.value(row), finding)
    }
}

fn strings<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a StringArray, ColumnsError> {
    let column = batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
    column.ok_or_else(|| ColumnsError::Missing(name.to_owned()))
}

fn numbers<'a, T: ArrowPrimitiveType>(batch: &'a RecordBatch, name: &str) -> Result<&'a PrimitiveArray<T>, ColumnsError> {
    let column = batch.column_by_name(name).and_then(|column| column.as_primitive_opt::<T>());
    column.ok_or_else(|| ColumnsError::Missing(name.to_owned()))
}
