//! Source `parquet`: rows of Parquet files that hold text already, such as curated corpora or shards of other pipelines.
//!
//! Columns are named by settings. String columns are read as Parquet stores them, whatever Arrow type their writer had in mind. One
//! row group is read at a time, so a damaged one costs itself and not the file; a batch is small where rows are large.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, TimeUnit};
use data_encoding::HEXLOWER;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::errors::ParquetError;
use schemars::JsonSchema;
use serde::Deserialize;
use xxhash_rust::xxh3::xxh3_128;

use crate::doc::{DocId, Document, Lang};
use crate::size::ByteSize;
use crate::source::{Damage, Input, Offer, RawRecord, Record, Records, Room, Source, SourceError};
use crate::stage::{BuildError, Field};
use crate::text::language;

/// The row of this source in `sources::ROOMS`.
pub const ROOM: Room = Room {
    name: NAME,
    summary: "rows of Parquet files with a column of text",
    endings: &[".parquet"],
    reasons: &[NO_TEXT, TEXT_TOO_LONG, NO_DOCUMENT],
    signals: &[],
    gives: &[Field::Text],
    schema: || schemars::schema_for!(Parquet),
    build,
};

const NAME: &str = "parquet";
const NO_TEXT: &str = "no-text";
const TEXT_TOO_LONG: &str = "text-too-long";
const NO_DOCUMENT: &str = "not-a-row";

/// Rows in one batch, where they are small.
const BATCH_ROWS_MAX: usize = 256;
/// Text in one batch, judged by the mean of its row group.
const BATCH_BYTES_MAX: u64 = 8 << 20;

/// Settings of source `parquet`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Parquet {
    /// Column that holds the text.
    pub text_column: String,
    /// Column that holds the address; passed over where a file lacks it.
    pub url_column: String,
    /// Column that names a row. Ids of 32 hex digits are kept as they are; other names stand in for a missing address when ids are made.
    pub id_column: Option<String>,
    /// Column that holds the title.
    pub title_column: Option<String>,
    /// Column that states the language of the text, such as `lang` or `language`: rows are filed under it until stage `langid` looks, which takes it as
    /// a hint.
    pub lang_column: Option<String>,
    /// Column that holds the licence.
    pub licence_column: Option<String>,
    /// Column that says when a row was fetched: a timestamp, or text such as `2026-11-23T12:00:00Z`.
    pub fetched_at_column: Option<String>,
    /// Licence of all rows that state none.
    pub licence: Option<String>,
    /// Rows with longer text are dropped.
    pub text_bytes_max: ByteSize,
}

impl Default for Parquet {
    fn default() -> Parquet {
        Parquet {
            text_column: "text".to_owned(),
            url_column: "url".to_owned(),
            id_column: None,
            title_column: None,
            lang_column: None,
            licence_column: None,
            fetched_at_column: None,
            licence: None,
            text_bytes_max: ByteSize::mib(4),
        }
    }
}

fn build(settings: toml::de::ValueDeserializer<'_>) -> Result<Box<dyn Source>, BuildError> {
    let settings = Parquet::deserialize(settings)?;
    if settings.text_column.is_empty() {
        return Err(BuildError::Contradiction("`text_column` is empty; name the column that holds the text".to_owned()));
    }
    Ok(Box::new(settings))
}

impl Source for Parquet {
    fn open(&self, input: Input) -> Result<Box<dyn Records>, SourceError> {
        let Some(file) = input.file else {
            return Err(SourceError::NotThisFormat("Parquet is read from its end, so it must be a file, not a stream".to_owned()));
        };
        // Types are taken from Parquet itself: a string is a string, whether its writer thought of large strings, views or dictionaries.
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let metadata = caught(|| ArrowReaderMetadata::load(&file, options)).map_err(SourceError::NotThisFormat)?;
        let wanted = self.wanted(&metadata)?;
        let rows = Rows {
            settings: self.clone(),
            name: input.name,
            file,
            size: input.size,
            metadata,
            wanted,
            group: 0,
            row: 0,
            next_group_row: 0,
            reader: None,
            batch: None,
        };
        Ok(Box::new(rows))
    }

    fn jumps(&self) -> bool {
        true
    }

    fn decode(&self, record: RawRecord) -> Offer {
        let doc = Document { source: NAME, source_file: record.file, source_offset: record.offset, ..Document::default() };
        Offer::Dropped(Box::new(doc), NO_DOCUMENT)
    }
}

impl Parquet {
    /// Top-level columns to read.
    fn wanted(&self, metadata: &ArrowReaderMetadata) -> Result<ProjectionMask, SourceError> {
        let schema = metadata.schema();
        let there = |name: &str| schema.fields().iter().any(|field| field.name() == name);
        let named = [&self.id_column, &self.title_column, &self.lang_column, &self.licence_column, &self.fetched_at_column];
        let asked = named.into_iter().flatten().chain([&self.text_column]);
        for name in asked.clone() {
            if !there(name) {
                let names: Vec<_> = schema.fields().iter().map(|field| field.name().as_str()).collect();
                return Err(SourceError::NotThisFormat(format!("it has no column `{name}`; its columns are {}", names.join(", "))));
            }
        }
        let field = schema.field_with_name(&self.text_column).map_err(|error| SourceError::NotThisFormat(error.to_string()))?;
        if !matches!(field.data_type(), DataType::Utf8 | DataType::Binary) {
            return Err(SourceError::NotThisFormat(format!("its column `{}` is {}, not text", self.text_column, field.data_type())));
        }
        let names: Vec<&str> = asked.map(String::as_str).chain([self.url_column.as_str()]).collect();
        let roots = schema.fields().iter().enumerate().filter(|(_, field)| names.contains(&field.name().as_str())).map(|(place, _)| place);
        Ok(ProjectionMask::roots(metadata.parquet_schema(), roots))
    }

    fn offer(&self, name: &Arc<str>, row_number: u64, batch: &RecordBatch, row: usize) -> Offer {
        let value = |column: &str| batch.column_by_name(column).and_then(|array| text_at(array, row));
        let optional = |column: &Option<String>| column.as_ref().and_then(|column| value(column)).filter(|text| !text.is_empty());
        let text = value(&self.text_column).unwrap_or_default();
        let url = value(&self.url_column).unwrap_or_default();
        let named = optional(&self.id_column);
        let mut doc = Box::new(Document {
            id: id_of(named.as_deref(), &url, &text),
            url,
            title: optional(&self.title_column),
            declared_lang: optional(&self.lang_column),
            source: NAME,
            source_file: name.clone(),
            source_offset: row_number,
            fetched_at: self.fetched_at_column.as_ref().and_then(|column| time_at(batch.column_by_name(column)?, row)),
            content_digest: format!("xxh3-128:{}", HEXLOWER.encode(&xxh3_128(text.as_bytes()).to_be_bytes())),
            licence: optional(&self.licence_column).or_else(|| self.licence.clone()),
            ..Document::default()
        });
        if text.is_empty() {
            return Offer::Dropped(doc, NO_TEXT);
        }
        if text.len() > self.text_bytes_max.as_usize() {
            return Offer::Dropped(doc, TEXT_TOO_LONG);
        }
        doc.lang = doc.declared_lang.as_deref().and_then(|written| language::stated(written, &text)).map(Lang::new);
        doc.text = text;
        Offer::Document(doc)
    }
}

/// An id that is one of ours is kept; else one is made of the content.
fn id_of(named: Option<&str>, url: &str, text: &str) -> DocId {
    let ours =
        named.filter(|name| name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit())).and_then(|name| name.parse().ok());
    ours.unwrap_or_else(|| DocId::of(if url.is_empty() { named.unwrap_or("") } else { url }, text.as_bytes()))
}

/// The text of one cell; bytes that are not UTF-8 become replacement characters, numbers are written out.
fn text_at(array: &dyn Array, row: usize) -> Option<String> {
    if array.is_null(row) {
        return None;
    }
    match array.data_type() {
        DataType::Utf8 => Some(array.as_string::<i32>().value(row).to_owned()),
        DataType::Binary => Some(String::from_utf8_lossy(array.as_binary::<i32>().value(row)).into_owned()),
        DataType::Int64 => Some(array.as_primitive::<Int64Type>().value(row).to_string()),
        _ => None,
    }
}

/// The time of one cell in ms since 1970, UTC.
fn time_at(array: &dyn Array, row: usize) -> Option<i64> {
    if array.is_null(row) {
        return None;
    }
    match array.data_type() {
        DataType::Timestamp(TimeUnit::Second, _) => array.as_primitive::<TimestampSecondType>().value(row).checked_mul(1_000),
        DataType::Timestamp(TimeUnit::Millisecond, _) => Some(array.as_primitive::<TimestampMillisecondType>().value(row)),
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            Some(array.as_primitive::<TimestampMicrosecondType>().value(row).div_euclid(1_000))
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            Some(array.as_primitive::<TimestampNanosecondType>().value(row).div_euclid(1_000_000))
        }
        DataType::Utf8 => array.as_string::<i32>().value(row).parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond),
        _ => None,
    }
}

/// The rows of one file.
struct Rows {
    settings: Parquet,
    name: Arc<str>,
    file: File,
    size: u64,
    metadata: ArrowReaderMetadata,
    wanted: ProjectionMask,
    /// The row group to open next.
    group: usize,
    /// Number of the next row.
    row: u64,
    /// Number of the first row behind the open row group.
    next_group_row: u64,
    reader: Option<ParquetRecordBatchReader>,
    batch: Option<(RecordBatch, usize)>,
}

impl Records for Rows {
    fn next(&mut self) -> Option<Record> {
        loop {
            if let Some(offer) = self.next_of_batch() {
                return Some(Record::Offer(offer));
            }
            let Some(reader) = &mut self.reader else {
                match self.open_group()? {
                    Ok(()) => continue,
                    Err(what) => return Some(self.damage(what)),
                }
            };
            match caught(|| reader.next().transpose()) {
                Ok(Some(batch)) => self.batch = Some((batch, 0)),
                Ok(None) => self.reader = None,
                Err(what) => return Some(self.damage(what)),
            }
        }
    }

    fn bytes_taken(&self) -> u64 {
        let rows = self.metadata.metadata().file_metadata().num_rows().unsigned_abs();
        let taken = u128::from(self.size) * u128::from(self.row) / u128::from(rows.max(1));
        u64::try_from(taken).unwrap_or(u64::MAX).min(self.size)
    }
}

impl Rows {
    fn next_of_batch(&mut self) -> Option<Offer> {
        let (batch, at) = self.batch.as_mut()?;
        if *at == batch.num_rows() {
            self.batch = None;
            return None;
        }
        let offer = self.settings.offer(&self.name, self.row, batch, *at);
        *at += 1;
        self.row += 1;
        Some(offer)
    }

    /// Opens the next row group; none at the end of the file.
    fn open_group(&mut self) -> Option<Result<(), String>> {
        let group = self.metadata.metadata().row_groups().get(self.group)?;
        let rows = group.num_rows().unsigned_abs();
        let bytes = group.total_byte_size().unsigned_abs();
        self.row = self.next_group_row;
        self.next_group_row += rows;
        let number = self.group;
        self.group += 1;
        let batch_rows =
            BATCH_BYTES_MAX.saturating_mul(rows).checked_div(bytes).map_or(BATCH_ROWS_MAX, |rows| usize::try_from(rows).unwrap_or(1));
        let opened = caught(|| {
            ParquetRecordBatchReaderBuilder::new_with_metadata(self.file.try_clone()?, self.metadata.clone())
                .with_projection(self.wanted.clone())
                .with_row_groups(vec![number])
                .with_batch_size(batch_rows.clamp(1, BATCH_ROWS_MAX))
                .build()
        });
        Some(opened.map(|reader| self.reader = Some(reader)))
    }

    /// Gives the open row group up.
    fn damage(&mut self, what: String) -> Record {
        let offset = self.row;
        self.row = self.next_group_row;
        self.reader = None;
        Record::Damage(Damage { offset, what: format!("row group {} breaks off: {what}", self.group.saturating_sub(1)), fatal: false })
    }
}

/// The answer of the Parquet library, or what is wrong in words. Damaged files make it panic here and there, which must not end a night.
fn caught<T, E: Into<ParquetError>>(work: impl FnOnce() -> Result<T, E>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(done) => done.map_err(|error| error.into().to_string()),
        Err(_) => Err("the file contradicts itself".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::{ArrayRef, Int32Array, StringArray, TimestampMicrosecondArray};
    use parquet::arrow::ArrowWriter;
    use parquet::file::properties::WriterProperties;

    use super::*;

    fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
            .expect("columns of one length")
    }

    fn written(batch: &RecordBatch, group_rows: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        let properties = WriterProperties::builder().set_max_row_group_row_count(Some(group_rows)).set_dictionary_enabled(false).build();
        let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).expect("plain columns");
        writer.write(batch).expect("room");
        writer.close().expect("room");
        bytes
    }

    fn open(settings: &Parquet, bytes: &[u8]) -> Result<Box<dyn Records>, SourceError> {
        let mut file = tempfile::tempfile().expect("a temporary file");
        std::io::Write::write_all(&mut file, bytes).expect("room");
        settings.open(Input {
            name: "c.parquet".into(),
            bytes: Box::new(std::io::empty()),
            file: Some(file),
            size: bytes.len() as u64,
            reader_bytes_max: 64 << 20,
        })
    }

    fn told(settings: &Parquet, bytes: &[u8]) -> Vec<String> {
        let mut records = open(settings, bytes).expect("it is Parquet");
        let mut told = Vec::new();
        while let Some(record) = records.next() {
            told.push(match record {
                Record::Offer(Offer::Document(doc)) => format!("{} {}", doc.source_offset, doc.text),
                Record::Offer(Offer::Dropped(doc, reason)) => format!("{} {reason}", doc.source_offset),
                Record::Damage(damage) => format!("damage at {}", damage.offset),
                Record::Raw(_) | Record::Other(_) | Record::Again(_) => unreachable!("not of this source"),
            });
        }
        told
    }

    fn texts(texts: &[Option<&str>]) -> RecordBatch {
        batch(vec![("text", Arc::new(texts.iter().copied().collect::<StringArray>()))])
    }

    #[test]
    fn rows_become_documents_and_empty_or_endless_ones_fall_with_a_reason() {
        let bytes = written(&texts(&[Some("Dobrý den"), None, Some(""), Some("Dobrý večer, jak se máte?")]), 2);
        let settings = Parquet { text_bytes_max: ByteSize(20), ..Parquet::default() };
        assert_eq!(told(&settings, &bytes), ["0 Dobrý den", "1 no-text", "2 no-text", "3 text-too-long"]);
    }

    #[test]
    fn named_columns_fill_the_document() {
        let column = |text: &str| Arc::new(StringArray::from(vec![text])) as ArrayRef;
        let time = Arc::new(TimestampMicrosecondArray::from(vec![1_700_000_000_123_999])) as ArrayRef;
        let bytes = written(
            &batch(vec![
                ("content", column("Tänään sataa")),
                ("address", column("https://www.example.fi/")),
                ("name", column("0123456789abcdef0123456789abcdef")),
                ("head", column("Sää")),
                ("language", column("fin")),
                ("date", time),
                ("other", Arc::new(Int32Array::from(vec![1]))),
            ]),
            9,
        );
        let name = |name: &str| Some(name.to_owned());
        let settings = Parquet {
            text_column: "content".to_owned(),
            url_column: "address".to_owned(),
            id_column: name("name"),
            title_column: name("head"),
            lang_column: name("language"),
            fetched_at_column: name("date"),
            licence: name("CC-BY-4.0"),
            ..Parquet::default()
        };
        let mut records = open(&settings, &bytes).expect("it is Parquet");
        let Some(Record::Offer(Offer::Document(doc))) = records.next() else { panic!("a document") };
        assert_eq!((doc.text.as_str(), doc.url.as_str()), ("Tänään sataa", "https://www.example.fi/"));
        assert_eq!(doc.id.to_string(), "0123456789abcdef0123456789abcdef");
        assert_eq!(
            (doc.title.as_deref(), doc.declared_lang.as_deref(), doc.licence.as_deref()),
            (Some("Sää"), Some("fin"), Some("CC-BY-4.0"))
        );
        assert_eq!(doc.lang, Some(Lang::new("fi")), "a column that is named states the language");
        assert_eq!(doc.fetched_at, Some(1_700_000_000_123));
        assert_eq!(records.bytes_taken(), bytes.len() as u64);
        assert!(records.next().is_none());
    }

    #[test]
    fn ids_come_from_content_where_no_id_is_stated() {
        assert_eq!(id_of(None, "https://www.example.sk/", "Ahoj"), DocId::of("https://www.example.sk/", b"Ahoj"));
        assert_eq!(id_of(Some("row-7"), "", "Ahoj"), DocId::of("row-7", b"Ahoj"));
        assert_ne!(id_of(Some("row-7"), "", "Ahoj"), id_of(Some("row-8"), "", "Ahoj"));
    }

    #[test]
    fn what_is_not_such_a_file_is_told_in_words() {
        let error = |settings: &Parquet, bytes: &[u8]| open(settings, bytes).err().expect("it cannot be read").to_string();
        let good = written(&texts(&[Some("x")]), 1);
        let other = Parquet { text_column: "body".to_owned(), ..Parquet::default() };
        assert_eq!(error(&other, &good), "it has no column `body`; its columns are text");
        let numbers = written(&batch(vec![("text", Arc::new(Int32Array::from(vec![1])))]), 1);
        assert_eq!(error(&Parquet::default(), &numbers), "its column `text` is Int32, not text");
        for bad in [&b""[..], b"PAR1", b"\x1f\x8b garbage with another name", &good[..good.len() / 2]] {
            assert!(!error(&Parquet::default(), bad).is_empty());
        }
    }

    #[test]
    fn a_damaged_row_group_costs_itself_and_not_the_file() {
        let mut bytes = written(&texts(&[Some("viena"), Some("dvi"), Some("trys"), Some("keturios")]), 2);
        // The first page begins behind the four magic bytes.
        bytes[4..16].fill(0xff);
        assert_eq!(told(&Parquet::default(), &bytes), ["damage at 0", "2 trys", "3 keturios"]);
    }

    #[test]
    fn no_flipped_byte_panics() {
        let good = written(&texts(&[Some("Здравей, свят"), Some("Добър ден"), None]), 2);
        for position in 0..good.len() {
            let mut bytes = good.clone();
            bytes[position] ^= 0x55;
            if let Ok(mut records) = open(&Parquet::default(), &bytes) {
                for _ in 0..10 {
                    if records.next().is_none() {
                        break;
                    }
                }
            }
        }
    }
}
