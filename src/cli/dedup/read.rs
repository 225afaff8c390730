//! Documents of `tamis dedup`, from JSON lines or Parquet. What is no document is told and counted, and the rest goes on.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

use anyhow::Context;
use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use serde::Deserialize;

use super::Id;
use crate::archive::{Step, Unpacked};
use crate::dedup::signatures::language_hash;
use crate::doc::Lang;

/// Longest line that is read; a longer one is left out and told.
const LINE_BYTES_MAX: u64 = 256 << 20;
/// Rows of Parquet that are held at a time.
const ROWS_MAX: usize = 256;
/// Bad parts that are told one by one.
const TOLD_MAX: u64 = 5;

/// A document to be compared.
pub(super) struct Document<'a> {
    pub(super) id: Id,
    pub(super) text: Cow<'a, str>,
    /// A number for its language; equal where nobody told.
    pub(super) lang: u64,
}

type Each<'a> = &'a mut dyn FnMut(Document<'_>) -> anyhow::Result<()>;

#[derive(Deserialize)]
struct Line<'a> {
    id: Id,
    #[serde(borrow)]
    text: Cow<'a, str>,
    #[serde(default)]
    lang: Option<String>,
}

/// Reads, and counts what is no document.
#[derive(Default)]
pub(super) struct Reader {
    pub(super) bad: u64,
}

impl Reader {
    /// Reads JSON lines: plain, gzip or zstd.
    pub(super) fn jsonl(&mut self, name: &str, bytes: Box<dyn Read + Send>, each: Each<'_>) -> anyhow::Result<()> {
        let cannot = || format!("cannot read {name}");
        let unpacked = Unpacked::open(bytes, name).with_context(cannot)?;
        let mut input = BufReader::with_capacity(1 << 18, Plain { unpacked, broken: 0 });
        let mut line = Vec::new();
        for number in 1_u64.. {
            line.clear();
            let taken = input.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line).with_context(cannot)?;
            if taken == 0 {
                break;
            }
            if taken as u64 == LINE_BYTES_MAX && line.last() != Some(&b'\n') {
                input.skip_until(b'\n').with_context(cannot)?;
                self.refuse(&format!("{name}, line {number}: it is longer than 256 MiB"));
            } else if !line.trim_ascii().is_empty() {
                match serde_json::from_slice::<Line<'_>>(&line) {
                    Ok(Line { id, text, lang }) => each(Document { id, text, lang: lang_number(lang.as_deref()) })?,
                    Err(why) => self.refuse(&format!("{name}, line {number}: {why}")),
                }
            }
        }
        for _ in 0..input.get_ref().broken {
            self.refuse(&format!("{name}: a part of it cannot be unpacked"));
        }
        Ok(())
    }

    /// Reads the columns `id`, `text` and, if there is one, `lang`.
    pub(super) fn parquet(&mut self, name: &str, file: File, each: Each<'_>) -> anyhow::Result<()> {
        let cannot = || format!("cannot read `{name}`");
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options).with_context(cannot)?;
        for wanted in ["id", "text"] {
            let names: Vec<_> = builder.schema().fields().iter().map(|field| field.name().clone()).collect();
            anyhow::ensure!(
                names.iter().any(|name| name == wanted),
                "`{name}` has no column `{wanted}`; its columns are {}",
                names.join(", ")
            );
        }
        let roots: Vec<usize> = (0..)
            .zip(builder.schema().fields())
            .filter(|(_, field)| matches!(field.name().as_str(), "id" | "text" | "lang"))
            .map(|(place, _)| place)
            .collect();
        let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
        let mut row = 0_u64;
        for batch in builder.with_projection(mask).with_batch_size(ROWS_MAX).build().with_context(cannot)? {
            let batch = match batch {
                Ok(batch) => batch,
                Err(why) => {
                    self.refuse(&format!("{name}, from row {row} on: {why}"));
                    return Ok(());
                }
            };
            for at in 0..batch.num_rows() {
                match document_at(&batch, at) {
                    Some(document) => each(document)?,
                    None => self.refuse(&format!("{name}, row {row}: it lacks `id` or `text`")),
                }
                row += 1;
            }
        }
        Ok(())
    }

    fn refuse(&mut self, why: &str) {
        self.bad += 1;
        if self.bad <= TOLD_MAX {
            eprintln!("{why}");
        }
    }
}

fn lang_number(lang: Option<&str>) -> u64 {
    language_hash(&lang.map_or_else(Lang::undetermined, Lang::new))
}

fn document_at(batch: &RecordBatch, row: usize) -> Option<Document<'_>> {
    let cell = |name: &str| batch.column_by_name(name).filter(|column| column.is_valid(row));
    let ids = cell("id")?;
    let id = match ids.data_type() {
        DataType::Int64 => Id::Number(ids.as_primitive::<Int64Type>().value(row)),
        DataType::Int32 => Id::Number(i64::from(ids.as_primitive::<Int32Type>().value(row))),
        _ => Id::Text(text_at(ids, row)?.into_owned()),
    };
    let text = text_at(cell("text")?, row)?;
    let lang = cell("lang").and_then(|column| text_at(column, row));
    Some(Document { id, text, lang: lang_number(lang.as_deref()) })
}

fn text_at(column: &dyn Array, row: usize) -> Option<Cow<'_, str>> {
    match column.data_type() {
        DataType::Utf8 => Some(Cow::Borrowed(column.as_string::<i32>().value(row))),
        DataType::Binary => Some(String::from_utf8_lossy(column.as_binary::<i32>().value(row))),
        _ => None,
    }
}

/// The unpacked bytes of a stored file.
struct Plain {
    unpacked: Unpacked,
    broken: u64,
}

impl Read for Plain {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.unpacked.step() {
                Step::Bytes => {
                    let held = self.unpacked.held();
                    let length = held.len().min(out.len());
                    out[..length].copy_from_slice(&held[..length]);
                    self.unpacked.consume(length);
                    return Ok(length);
                }
                Step::MemberEnd => {}
                Step::Broken(told) => self.broken += u64::from(told.is_some()),
                Step::End => return Ok(0),
            }
        }
    }
}
