//! Source `jsonl`: one JSON object a line, plain, `.gz` (any number of members) or `.zst`.
//!
//! A line's place is its byte offset in the unpacked stream, as lines know nothing of members. Lines are strict JSON in UTF-8: what
//! is not falls as `malformed-json` instead of being mended, because a mended text would be a text that nobody wrote.

use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use xxhash_rust::xxh3::xxh3_128;

use crate::archive::{Step, Unpacked, address, date};
use crate::doc::{DocId, Document, Lang};
use crate::size::ByteSize;
use crate::source::{Input, Offer, RawRecord, Record, Records, Room, Source, SourceError};
use crate::stage::{BuildError, Field};
use crate::text::language;

/// The row of this source in `sources::ROOMS`.
pub const ROOM: Room = Room {
    name: NAME,
    summary: "one JSON object a line, with text or markup; plain, .gz, .zst",
    endings: &[".jsonl", ".jsonl.gz", ".jsonl.zst", ".ndjson", ".ndjson.gz", ".ndjson.zst"],
    reasons: &[MALFORMED_JSON, NO_TEXT, LINE_TOO_LONG],
    signals: &[],
    gives: &[Field::Html, Field::Text],
    schema: || schemars::schema_for!(Jsonl),
    build,
};

const NAME: &str = "jsonl";
/// The field of the language where no other is named.
const LANG: &str = "lang";
const MALFORMED_JSON: &str = "malformed-json";
const NO_TEXT: &str = "no-text";
const LINE_TOO_LONG: &str = "line-too-long";

/// Settings of source `jsonl`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Jsonl {
    /// Field that holds the text. Other fields that are read: `id`, `url`, `html`, `title`, `lang`, `licence`, `fetched_at`.
    pub text_field: String,
    /// Field that states the language of the text, such as `lang` or `language`: documents are filed under it until stage `langid` looks. Without this
    /// setting `lang` is only what somebody declared, which `langid` takes as a hint.
    pub lang_field: Option<String>,
    /// Licence of all documents that state none.
    pub licence: Option<String>,
    /// Longer lines are dropped.
    pub line_bytes_max: ByteSize,
}

impl Default for Jsonl {
    fn default() -> Jsonl {
        Jsonl { text_field: "text".to_owned(), lang_field: None, licence: None, line_bytes_max: ByteSize::mib(16) }
    }
}

fn build(settings: toml::de::ValueDeserializer<'_>) -> Result<Box<dyn Source>, BuildError> {
    let settings = Jsonl::deserialize(settings)?;
    if matches!(settings.text_field.as_str(), "" | "id" | "url" | "html" | "title" | "lang" | "licence" | "fetched_at") {
        let what = format!("`text_field` is `{}`, which cannot hold the text; name the field that does", settings.text_field);
        return Err(BuildError::Contradiction(what));
    }
    let taken = ["", "id", "url", "html", "title", "licence", "fetched_at", settings.text_field.as_str()];
    if let Some(field) = settings.lang_field.as_deref().filter(|field| taken.contains(field)) {
        let what = format!("`lang_field` is `{field}`, which holds something else; name the field that holds the language, such as `lang`");
        return Err(BuildError::Contradiction(what));
    }
    if settings.line_bytes_max.0 == 0 {
        return Err(BuildError::Contradiction("`line_bytes_max` must be larger than 0".to_owned()));
    }
    Ok(Box::new(settings))
}

impl Source for Jsonl {
    fn open(&self, input: Input) -> Result<Box<dyn Records>, SourceError> {
        let unpacked = Unpacked::open(input.bytes, &input.name)?.within(input.reader_bytes_max);
        if unpacked.is_empty() {
            return Err(SourceError::NotThisFormat("the file is empty".to_owned()));
        }
        Ok(Box::new(Lines { unpacked, file: input.name, line_bytes_max: self.line_bytes_max.as_usize() }))
    }

    fn decode(&self, record: RawRecord) -> Offer {
        let mut doc = new_document(&record.file, record.offset);
        let line = record.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&record.bytes);
        let mut json = serde_json::Deserializer::from_slice(line);
        let lang_field = self.lang_field.as_deref().unwrap_or(LANG);
        let row = RowOf { text_field: &self.text_field, lang_field }.deserialize(&mut json).and_then(|row| json.end().map(|()| row));
        let Ok(row) = row else {
            doc.id = DocId::of("", line);
            return Offer::Dropped(Box::new(doc), MALFORMED_JSON);
        };
        self.fill(&mut doc, row);
        if doc.html.trim().is_empty() && doc.text.trim().is_empty() {
            return Offer::Dropped(Box::new(doc), NO_TEXT);
        }
        Offer::Document(Box::new(doc))
    }
}

impl Jsonl {
    fn fill(&self, doc: &mut Document, row: Row) {
        doc.url = row.url.unwrap_or_default();
        doc.host = address::host(&doc.url);
        doc.html = without_zeros(row.html.unwrap_or_default());
        doc.text = without_zeros(row.text.unwrap_or_default());
        doc.title = row.title;
        doc.declared_lang = row.lang;
        if let (Some(_), Some(written)) = (&self.lang_field, &doc.declared_lang) {
            doc.lang = language::stated(written, &doc.text).map(Lang::new);
        }
        doc.licence = row.licence.or_else(|| self.licence.clone());
        doc.fetched_at = row.fetched_at.and_then(|moment| match moment {
            Moment::Milliseconds(count) => Some(count),
            Moment::Written(text) => date::milliseconds(&text),
        });
        let payload = if doc.html.is_empty() { &doc.text } else { &doc.html };
        let name = row.id.unwrap_or_default();
        let kept = Some(name.as_str()).filter(|name| name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit()));
        // A name that is no id of ours stands in for a missing address.
        let place = if doc.url.is_empty() { &name } else { &doc.url };
        doc.id = kept.and_then(|hex| hex.parse().ok()).unwrap_or_else(|| DocId::of(place, payload.as_bytes()));
        doc.content_digest = format!("xxh3-128:{:032x}", xxh3_128(payload.as_bytes()));
    }
}

fn new_document(file: &Arc<str>, offset: u64) -> Document {
    Document { source: NAME, source_file: Arc::clone(file), source_offset: offset, ..Document::default() }
}

fn without_zeros(text: String) -> String {
    if memchr::memchr(0, text.as_bytes()).is_none() { text } else { text.replace('\0', " ") }
}

/// The fields of a line that are read.
#[derive(Default)]
struct Row {
    id: Option<String>,
    url: Option<String>,
    html: Option<String>,
    text: Option<String>,
    title: Option<String>,
    lang: Option<String>,
    licence: Option<String>,
    fetched_at: Option<Moment>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Moment {
    Milliseconds(i64),
    Written(String),
}

/// Reads a [`Row`] whose text and language stand in fields named by the settings.
struct RowOf<'a> {
    text_field: &'a str,
    lang_field: &'a str,
}

impl<'de> DeserializeSeed<'de> for RowOf<'_> {
    type Value = Row;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Row, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RowOf<'_> {
    type Value = Row;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Row, A::Error> {
        let mut row = Row::default();
        while let Some(name) = map.next_key::<String>()? {
            match name.as_str() {
                name if name == self.text_field => row.text = map.next_value()?,
                name if name == self.lang_field => row.lang = map.next_value()?,
                "id" => row.id = map.next_value()?,
                "url" => row.url = map.next_value()?,
                "html" => row.html = map.next_value()?,
                "title" => row.title = map.next_value()?,
                "licence" => row.licence = map.next_value()?,
                "fetched_at" => row.fetched_at = map.next_value()?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(row)
    }
}

/// The lines of one file.
struct Lines {
    unpacked: Unpacked,
    file: Arc<str>,
    line_bytes_max: usize,
}

impl Records for Lines {
    fn next(&mut self) -> Option<Record> {
        let mut offset = self.unpacked.position();
        let mut line = Vec::new();
        let mut too_long = false;
        loop {
            let ended = match self.unpacked.step() {
                Step::Bytes => self.take_line(&mut line, &mut too_long),
                Step::MemberEnd => continue,
                // Bytes are missing here, so what stands before and behind is no line.
                Step::Broken(Some(damage)) => return Some(Record::Damage(damage)),
                Step::Broken(None) => {
                    (offset, too_long) = (self.unpacked.position(), false);
                    line.clear();
                    continue;
                }
                Step::End if line.is_empty() => return None,
                Step::End => true,
            };
            if !ended {
                continue;
            }
            if !line.trim_ascii().is_empty() {
                return Some(self.record(offset, line, too_long));
            }
            line.clear();
            (offset, too_long) = (self.unpacked.position(), false);
        }
    }

    fn bytes_taken(&self) -> u64 {
        self.unpacked.taken()
    }
}

impl Lines {
    /// Adds what is at hand to `line`, up to the limit; returns whether the line ended.
    fn take_line(&mut self, line: &mut Vec<u8>, too_long: &mut bool) -> bool {
        let held = self.unpacked.held();
        let end = memchr::memchr(b'\n', held);
        let length = end.unwrap_or(held.len());
        let count = length.min(self.line_bytes_max - line.len());
        line.extend_from_slice(&held[..count]);
        *too_long |= count < length;
        self.unpacked.consume(end.map_or(length, |end| end + 1));
        end.is_some()
    }

    fn record(&self, offset: u64, line: Vec<u8>, too_long: bool) -> Record {
        if !too_long {
            return Record::Raw(RawRecord { file: Arc::clone(&self.file), offset, bytes: line, truncated: false });
        }
        let mut doc = new_document(&self.file, offset);
        doc.id = DocId::of("", &line);
        Record::Offer(Offer::Dropped(Box::new(doc), LINE_TOO_LONG))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Cursor, Read};

    use proptest::prelude::*;

    use super::*;

    /// Texts of documents and reasons of drops with their offsets, or what is damaged.
    fn read_stream(settings: &Jsonl, bytes: Box<dyn Read + Send>, name: &str) -> Vec<(u64, String)> {
        let mut records = settings.open(Input { name: name.into(), bytes, file: None, size: 0, reader_bytes_max: 64 << 20 }).unwrap();
        let mut seen = Vec::new();
        while let Some(record) = records.next() {
            let offer = match record {
                Record::Raw(raw) => settings.decode(raw),
                Record::Offer(offer) => offer,
                Record::Damage(damage) => {
                    seen.push((damage.offset, format!("damage: {}", damage.what)));
                    continue;
                }
                Record::Other(kind) => unreachable!("{kind}"),
                Record::Again(_) => unreachable!("no source gives documents of an earlier run"),
            };
            seen.push(match offer {
                Offer::Document(doc) => (doc.source_offset, doc.text + &doc.html),
                Offer::Dropped(doc, reason) => {
                    assert!(ROOM.reasons.contains(&reason));
                    (doc.source_offset, reason.to_owned())
                }
            });
        }
        seen
    }

    fn read(bytes: &[u8]) -> Vec<(u64, String)> {
        read_stream(&Jsonl::default(), Box::new(Cursor::new(bytes.to_vec())), "x.jsonl")
    }

    fn offer(line: &str) -> Offer {
        Jsonl::default().decode(RawRecord { file: "x".into(), offset: 0, bytes: line.as_bytes().to_vec(), truncated: false })
    }

    #[test]
    fn lines_become_documents_plain_and_packed_at_their_unpacked_offset() {
        let lines = "{\"text\":\"Labrīt\"}\n\n  \n{\"html\":\"<p>Tere\"}\r\n{\"text\":\"Huomenta\"}".as_bytes();
        let want: Vec<(u64, String)> = [(0, "Labrīt"), (23, "<p>Tere"), (43, "Huomenta")].map(|(at, text)| (at, text.to_owned())).to_vec();
        assert_eq!(read(lines), want);
        let (one, two) = lines.split_at(30);
        let pack = |bytes: &[u8]| {
            let mut packed = Vec::new();
            flate2::read::GzEncoder::new(bytes, flate2::Compression::fast()).read_to_end(&mut packed).unwrap();
            packed
        };
        assert_eq!(read(&[pack(one), pack(two)].concat()), want);
        assert_eq!(read(&zstd::encode_all(lines, 1).unwrap()), want);
    }

    #[test]
    fn all_fields_arrive_and_a_foreign_id_is_not_kept() {
        let line = r#"{"id":"00000000000000000000000000abcdef","url":"https://www.Example.fi/","text":"Hyvää päivää","title":"T","lang":"fi",
            "licence":"CC0-1.0","fetched_at":"2026-05-01T01:19:10Z","extra":{"deep":[1,2]}}"#;
        let Offer::Document(doc) = offer(line) else { panic!("kept") };
        assert_eq!((doc.id, doc.host.as_str(), doc.fetched_at), (DocId(0x00ab_cdef), "www.example.fi", Some(1_777_598_350_000)));
        assert_eq!((doc.title.as_deref(), doc.declared_lang.as_deref(), doc.licence.as_deref()), (Some("T"), Some("fi"), Some("CC0-1.0")));
        let Offer::Document(doc) = offer(r#"{"id":"doc-7","text":"Moi","fetched_at":5,"url":null}"#) else { panic!("kept") };
        assert_eq!((doc.id, doc.fetched_at), (DocId::of("doc-7", b"Moi"), Some(5)));
    }

    #[test]
    fn a_field_that_states_the_language_files_the_document_and_one_that_is_not_named_only_declares_it() {
        let line = r#"{"text":"Добро јутро, Србијо","lang":"ru","language":"srp"}"#.as_bytes().to_vec();
        for (lang_field, lang, declared) in
            [(None, None, "ru"), (Some("lang"), Some("ru"), "ru"), (Some("language"), Some("sr-Cyrl"), "srp")]
        {
            let settings = Jsonl { lang_field: lang_field.map(str::to_owned), ..Jsonl::default() };
            let record = RawRecord { file: "x".into(), offset: 0, bytes: line.clone(), truncated: false };
            let Offer::Document(doc) = settings.decode(record) else { panic!("kept") };
            assert_eq!((doc.lang, doc.declared_lang.as_deref()), (lang.map(Lang::new), Some(declared)), "{lang_field:?}");
        }
        for field in ["", "text", "title"] {
            let table = format!("lang_field = \"{field}\"");
            let told = build(toml::de::ValueDeserializer::parse(&format!("{{ {table} }}")).unwrap()).err().map(|error| error.to_string());
            assert!(told.as_deref().is_some_and(|told| told.contains("holds something else")), "{field}: {told:?}");
        }
    }

    #[test]
    fn what_is_no_document_falls_with_a_reason() {
        for (line, want) in [
            ("{\"text\":", MALFORMED_JSON),
            ("[1]", MALFORMED_JSON),
            ("{\"text\":7}", MALFORMED_JSON),
            ("{\"text\":\"a\"} {}", MALFORMED_JSON),
            ("{\"title\":\"a\"}", NO_TEXT),
            ("{\"text\":\" \\u0000 \"}", NO_TEXT),
        ] {
            let Offer::Dropped(_, reason) = offer(line) else { panic!("{line}") };
            assert_eq!(reason, want, "{line}");
        }
        assert_eq!(read(b"{\"text\":\"\xff\"}\n"), [(0, MALFORMED_JSON.to_owned())]);
        assert_eq!(read(&[b"[".repeat(100_000), b"\n".to_vec()].concat()), [(0, MALFORMED_JSON.to_owned())]);
    }

    #[test]
    fn a_line_of_a_gigabyte_is_dropped_without_being_held() {
        let line_bytes_max = ByteSize(1 << 20);
        let settings = Jsonl { line_bytes_max, ..Jsonl::default() };
        let stream = io::repeat(b'x').take(1 << 30).chain(Cursor::new(b"\n{\"text\":\"Zdravo\"}\n".to_vec()));
        let seen = read_stream(&settings, Box::new(stream), "x.jsonl");
        assert_eq!(seen, [(0, LINE_TOO_LONG.to_owned()), ((1 << 30) + 1, "Zdravo".to_owned())]);
    }

    #[test]
    fn garbage_under_a_packed_name_and_a_cut_file_are_damage() {
        let seen = read_stream(&Jsonl::default(), Box::new(Cursor::new(b"\xff\x00\x81 no gzip".to_vec())), "x.jsonl.gz");
        assert_eq!(seen, [(0, "damage: 11 bytes that are no gzip member".to_owned())]);
        let packed = zstd::encode_all(&b"{\"text\":\"Zdravo\"}\n"[..], 1).unwrap();
        let seen = read(&packed[..packed.len() - 4]);
        assert!(seen.last().unwrap().1.starts_with("damage: the zstd frame ends early"), "{seen:?}");
    }

    proptest! {
        #[test]
        fn no_line_makes_the_decoder_panic(line in prop::collection::vec(prop::sample::select(b"{}[]\":,\\u0 tex1\xc3\xa4".to_vec()), 0..60)) {
            let _ = Jsonl::default().decode(RawRecord { file: "x".into(), offset: 0, bytes: line, truncated: false });
        }
    }
}
