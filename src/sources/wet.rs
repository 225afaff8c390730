//! Source `wet`: texts that others extracted, as the `conversion` records of Common Crawl's WET files hold them.
//!
//! The text is taken as it stands; its first line is often the title, but nothing in the format says so.

use schemars::JsonSchema;
use serde::Deserialize;
use xxhash_rust::xxh3::xxh3_128;

use crate::archive::address;
use crate::archive::head::{Head, Kind, Measure, measure};
use crate::archive::raws::RawRecords;
use crate::archive::sniff;
use crate::doc::{DocId, Document};
use crate::size::ByteSize;
use crate::source::{Input, Offer, RawRecord, Records, Room, Source, SourceError};
use crate::stage::{BuildError, Field};

/// The row of this source in `sources::ROOMS`.
pub const ROOM: Room = Room {
    name: NAME,
    summary: "texts in WET archives, extracted by others; plain, .gz, .zst",
    endings: &[".wet", ".wet.gz", ".wet.zst"],
    reasons: &[NOT_TEXT, EMPTY_TEXT, TRUNCATED, MALFORMED_RECORD],
    signals: &[],
    gives: &[Field::Text],
    schema: || schemars::schema_for!(Wet),
    build,
};

const NAME: &str = "wet";
const NOT_TEXT: &str = "not-text";
const EMPTY_TEXT: &str = "empty-text";
const TRUNCATED: &str = "truncated";
const MALFORMED_RECORD: &str = "malformed-record";

/// Settings of source `wet`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Wet {
    /// Records are read up to this size; what goes on behind it is cut.
    pub record_bytes_max: ByteSize,
    /// Whether texts that were cut are used as far as they go.
    pub keep_truncated: bool,
}

impl Default for Wet {
    fn default() -> Wet {
        Wet { record_bytes_max: ByteSize::mib(16), keep_truncated: true }
    }
}

fn build(settings: toml::de::ValueDeserializer<'_>) -> Result<Box<dyn Source>, BuildError> {
    let settings = Wet::deserialize(settings)?;
    if settings.record_bytes_max.0 == 0 {
        return Err(BuildError::Contradiction("`record_bytes_max` must be larger than 0".to_owned()));
    }
    Ok(Box::new(settings))
}

impl Source for Wet {
    fn open(&self, input: Input) -> Result<Box<dyn Records>, SourceError> {
        Ok(Box::new(RawRecords::open(input, self.record_bytes_max.as_usize(), |head| head.kind() == Kind::Conversion)?))
    }

    fn decode(&self, record: RawRecord) -> Offer {
        let mut doc = Document { source: NAME, source_file: record.file, source_offset: record.offset, ..Document::default() };
        let (Measure::Head(block), Some(head)) = (measure(&record.bytes), Head::parse(&record.bytes)) else {
            doc.id = DocId::of("", &record.bytes);
            return Offer::Dropped(Box::new(doc), MALFORMED_RECORD);
        };
        doc.url = head.url().unwrap_or_default();
        doc.host = address::host(&doc.url);
        doc.fetched_at = head.fetched_at();
        doc.declared_lang = head.field("warc-identified-content-language");
        let is_text = head.content_type().is_none_or(|kind| sniff::essence(&kind) == "text/plain");
        let truncated = record.truncated || head.field("warc-truncated").is_some();
        let stated = head.field("warc-block-digest");
        let block = &record.bytes[block..];
        doc.id = DocId::of(&doc.url, block);
        doc.content_digest = stated.unwrap_or_else(|| format!("xxh3-128:{:032x}", xxh3_128(block)));
        if !is_text {
            return Offer::Dropped(Box::new(doc), NOT_TEXT);
        }
        if block.trim_ascii().is_empty() {
            return Offer::Dropped(Box::new(doc), EMPTY_TEXT);
        }
        if truncated && !self.keep_truncated {
            return Offer::Dropped(Box::new(doc), TRUNCATED);
        }
        // The format is UTF-8 by its definition; what is broken shows as U+FFFD.
        doc.text = String::from_utf8_lossy(block).replace('\0', " ");
        Offer::Document(Box::new(doc))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(record: &str) -> Offer {
        Wet::default().decode(RawRecord { file: "x.wet".into(), offset: 7, bytes: record.as_bytes().to_vec(), truncated: false })
    }

    #[test]
    fn a_conversion_becomes_a_text_with_the_language_that_was_identified() {
        let record = "WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Target-URI: https://www.example.lt/\r\nContent-Type: text/plain\r\n\
                      WARC-Identified-Content-Language: lit,eng\r\nContent-Length: 20\r\n\r\nLabas rytas, Lietuva!";
        let Offer::Document(doc) = offer(record) else { panic!("kept") };
        assert_eq!((doc.text.as_str(), doc.declared_lang.as_deref()), ("Labas rytas, Lietuva!", Some("lit,eng")));
        assert_eq!((doc.host.as_str(), doc.source_offset), ("www.example.lt", 7));
    }

    #[test]
    fn what_is_no_text_falls_with_a_reason() {
        let head = "WARC/1.0\r\nWARC-Type: conversion\r\nContent-Type:";
        for (record, want) in [
            (format!("{head} image/png\r\n\r\nx"), NOT_TEXT),
            (format!("{head} text/plain\r\n\r\n \n"), EMPTY_TEXT),
            ("no record".to_owned(), MALFORMED_RECORD),
        ] {
            let Offer::Dropped(_, reason) = offer(&record) else { panic!("dropped") };
            assert_eq!(reason, want);
        }
    }
}
