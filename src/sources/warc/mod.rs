//! Source `warc`: pages in web archives, WARC 1.0 and 1.1 or old ARC, plain, `.gz` or `.zst`.
//!
//! Every response is read and counted: what is no page falls with a reason, so that `read` can be held against the archive's own
//! count. Headers are hints: bodies are unpacked, joined and decoded by what they are.

pub mod crawled;

use schemars::JsonSchema;
use serde::Deserialize;
use xxhash_rust::xxh3::xxh3_128;

use crate::archive::address;
use crate::archive::charset::{self, Hints};
use crate::archive::fields::text;
use crate::archive::head::{Head, Kind, Measure, measure};
use crate::archive::http::Response;
use crate::archive::raws::RawRecords;
use crate::archive::sniff::{self, Looks};
use crate::archive::{chunked, coding};
use crate::doc::{DocId, Document};
use crate::size::ByteSize;
use crate::source::{Input, Offer, RawRecord, Records, Room, Source, SourceError};
use crate::stage::{BuildError, Field};

/// The row of this source in `sources::ROOMS`.
pub const ROOM: Room = Room {
    name: NAME,
    summary: "pages in web archives: WARC 1.0 and 1.1, ARC; plain, .gz, .zst",
    endings: &[".warc", ".warc.gz", ".warc.zst", ".arc", ".arc.gz", ".arc.zst"],
    reasons: &[REVISIT, REDIRECT, HTTP_ERROR, NOT_HTML, EMPTY_BODY, MALFORMED_HTTP, UNDECODABLE_BODY, TRUNCATED, MALFORMED_RECORD],
    signals: &[],
    gives: &[Field::Html],
    schema: || schemars::schema_for!(Warc),
    build,
};

const NAME: &str = "warc";
const REVISIT: &str = "revisit";
const REDIRECT: &str = "redirect";
const HTTP_ERROR: &str = "http-error";
const NOT_HTML: &str = "not-html";
const EMPTY_BODY: &str = "empty-body";
const MALFORMED_HTTP: &str = "malformed-http";
const UNDECODABLE_BODY: &str = "undecodable-body";
const TRUNCATED: &str = "truncated";
const MALFORMED_RECORD: &str = "malformed-record";

/// Response headers that are kept: they say something about use or language.
const POLICY_HEADERS: [&str; 7] =
    ["x-robots-tag", "tdm-reservation", "tdm-policy", "content-usage", "content-signal", "content-language", "link"];
/// Types by which servers say that they do not know the type.
const VAGUE_TYPES: [&str; 5] = ["", "application/octet-stream", "*/*", "unknown/unknown", "application/unknown"];

/// Settings of source `warc`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Warc {
    /// Bodies are unpacked up to this size; what goes on behind it is cut.
    pub body_bytes_max: ByteSize,
    /// Records are read up to this size, as unpacked from the archive; what goes on behind it is cut.
    pub record_bytes_max: ByteSize,
    /// Media types of pages. Where a server states none, or a vague one, pages are told by their first bytes.
    pub content_types: Vec<String>,
    /// Whether pages that were cut, by a limit or by whoever recorded them, are used as far as they go.
    pub keep_truncated: bool,
}

impl Default for Warc {
    fn default() -> Warc {
        Warc {
            body_bytes_max: ByteSize::mib(8),
            record_bytes_max: ByteSize::mib(16),
            content_types: ["text/html", "application/xhtml+xml", "text/plain"].map(str::to_owned).to_vec(),
            keep_truncated: true,
        }
    }
}

fn build(settings: toml::de::ValueDeserializer<'_>) -> Result<Box<dyn Source>, BuildError> {
    let mut settings = Warc::deserialize(settings)?;
    if settings.content_types.is_empty() {
        return Err(BuildError::Contradiction("`content_types` is empty, so no page could pass; name at least `text/html`".to_owned()));
    }
    if settings.body_bytes_max.0 == 0 || settings.record_bytes_max.0 == 0 {
        return Err(BuildError::Contradiction("`body_bytes_max` and `record_bytes_max` must be larger than 0".to_owned()));
    }
    settings.content_types.iter_mut().for_each(|name| name.make_ascii_lowercase());
    Ok(Box::new(settings))
}

impl Source for Warc {
    fn open(&self, input: Input) -> Result<Box<dyn Records>, SourceError> {
        Ok(Box::new(RawRecords::open(input, self.record_bytes_max.as_usize(), is_page_record)?))
    }

    fn decode(&self, record: RawRecord) -> Offer {
        let mut doc = Document { source: NAME, source_file: record.file, source_offset: record.offset, ..Document::default() };
        let Some(found) = Captured::read(&record.bytes, &mut doc) else {
            doc.id = DocId::of("", &record.bytes);
            return Offer::Dropped(Box::new(doc), MALFORMED_RECORD);
        };
        let truncated = record.truncated || found.truncated;
        let mut payload = record.bytes;
        payload.drain(..found.payload);
        doc.id = DocId::of(&doc.url, &payload);
        let fate = found.fate.and_then(|()| self.fill(&mut doc, &found, payload, truncated));
        match fate {
            Ok(()) => Offer::Document(Box::new(doc)),
            Err(reason) => Offer::Dropped(Box::new(doc), reason),
        }
    }
}

/// Records that may be pages. `revisit` is among them, so that it is counted with a reason.
fn is_page_record(head: &Head<'_>) -> bool {
    match head.kind() {
        Kind::Response | Kind::Revisit => true,
        Kind::Resource => {
            head.content_type().is_some_and(|kind| matches!(sniff::essence(&kind).as_str(), "text/html" | "application/xhtml+xml"))
        }
        _ => false,
    }
}

/// What the heads of a record say, as far as it decides how its payload is read.
struct Captured {
    /// Where the payload begins in the record.
    payload: usize,
    /// Whether it can still be a page.
    fate: Result<(), &'static str>,
    content_type: String,
    content_encoding: String,
    is_chunked: bool,
    truncated: bool,
}

impl Captured {
    /// Reads both heads and marks `doc` with them; `None` where there is no record's head.
    fn read(bytes: &[u8], doc: &mut Document) -> Option<Captured> {
        let Measure::Head(block) = measure(bytes) else { return None };
        let head = Head::parse(bytes)?;
        doc.url = head.url().unwrap_or_default();
        doc.host = address::host(&doc.url);
        doc.fetched_at = head.fetched_at();
        doc.content_digest = head.field("warc-payload-digest").unwrap_or_default();
        let mut found = Captured {
            payload: block,
            fate: if head.kind() == Kind::Revisit { Err(REVISIT) } else { Ok(()) },
            content_type: head.content_type().unwrap_or_default(),
            content_encoding: String::new(),
            is_chunked: false,
            truncated: head.field("warc-truncated").is_some(),
        };
        if head.kind() != Kind::Resource && head.may_hold_http() {
            found.read_response(&bytes[block..], matches!(head, Head::Arc(_)), doc);
        } else if head.kind() == Kind::Response {
            // Lookups of names and the like.
            found.fate = Err(NOT_HTML);
        }
        Some(found)
    }

    fn read_response(&mut self, block: &[u8], may_be_bare: bool, doc: &mut Document) {
        let Some(response) = Response::parse(block) else {
            // Old ARC files also hold bodies without any HTTP head; their line has the type.
            if self.fate.is_ok() && (!may_be_bare || block.get(..5).is_some_and(|begin| begin.eq_ignore_ascii_case(b"HTTP/"))) {
                self.fate = Err(MALFORMED_HTTP);
            }
            return;
        };
        self.payload += response.body;
        self.content_type.clear();
        self.read_fields(&response, doc);
        doc.http_status = Some(response.status);
        if self.fate.is_ok() {
            self.fate = match response.status {
                200 => Ok(()),
                300..=399 => Err(REDIRECT),
                _ => Err(HTTP_ERROR),
            };
        }
    }

    fn read_fields(&mut self, response: &Response<'_>, doc: &mut Document) {
        for (name, value) in response.fields.iter() {
            let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
            if is("content-type") {
                if self.content_type.is_empty() {
                    self.content_type = text(&value);
                }
            } else if is("content-encoding") {
                if !self.content_encoding.is_empty() {
                    self.content_encoding.push(',');
                }
                self.content_encoding.push_str(&text(&value));
            } else if is("transfer-encoding") {
                self.is_chunked |= value.to_ascii_lowercase().windows(7).any(|word| word == b"chunked");
            } else if let Some(known) = POLICY_HEADERS.into_iter().find(|known| is(known)) {
                let value = text(&value);
                if known == "content-language" && doc.declared_lang.is_none() && !value.is_empty() {
                    doc.declared_lang = Some(value.clone());
                }
                doc.policy_headers.push((known.to_owned(), value));
            }
        }
    }
}

impl Warc {
    /// Decodes the payload into `doc`.
    fn fill(&self, doc: &mut Document, found: &Captured, mut payload: Vec<u8>, mut truncated: bool) -> Result<(), &'static str> {
        if payload.is_empty() {
            return Err(EMPTY_BODY);
        }
        let essence = sniff::essence(&found.content_type);
        let is_vague = VAGUE_TYPES.contains(&essence.as_str());
        if !is_vague && !self.content_types.contains(&essence) {
            return Err(NOT_HTML);
        }
        if found.is_chunked {
            truncated |= !chunked::join(&mut payload);
        }
        let body = coding::decode(payload, &found.content_encoding, self.body_bytes_max.as_usize()).map_err(|_| UNDECODABLE_BODY)?;
        truncated |= body.truncated;
        doc.id = DocId::of(&doc.url, &body.bytes);
        if doc.content_digest.is_empty() {
            doc.content_digest = format!("xxh3-128:{:032x}", xxh3_128(&body.bytes));
        }
        let is_markup = match (essence.as_str(), sniff::look(&body.bytes)) {
            (_, Looks::Binary) => return Err(NOT_HTML),
            ("text/plain", looks) => looks == Looks::Html,
            (_, Looks::Text) if is_vague => return Err(NOT_HTML),
            _ => true,
        };
        if body.bytes.trim_ascii().is_empty() {
            return Err(EMPTY_BODY);
        }
        if truncated && !self.keep_truncated {
            return Err(TRUNCATED);
        }
        let hints = Hints { http: sniff::charset(&found.content_type), tld: address::top_level(&doc.host), markup: is_markup };
        let (page, _) = charset::decode(body.bytes, hints);
        if is_markup {
            doc.html = page;
        } else {
            doc.text = with_line_feeds(page);
        }
        Ok(())
    }
}

fn with_line_feeds(text: String) -> String {
    if memchr::memchr(b'\r', text.as_bytes()).is_none() { text } else { text.replace("\r\n", "\n").replace('\r', "\n") }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::fs::File;
    use std::io::{Cursor, Read};
    use std::path::Path;

    use proptest::prelude::*;
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::archive::Unpacked;
    use crate::source::Record;

    const PAGE: &str = "<html><p>Dzień dobry, jak się masz? Źdźbło trawy i żółw.</html>";

    fn response(http: &str, body: &[u8]) -> Vec<u8> {
        let block = [http.as_bytes(), b"\r\n\r\n", body].concat();
        let head = format!(
            "WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: <https://WWW.Example.PL/a>\r\nWARC-Date: 2026-05-01T01:19:10Z\r\n\
             Content-Type: application/http; msgtype=response\r\nContent-Length: {}\r\n\r\n",
            block.len()
        );
        [head.as_bytes(), &block].concat()
    }

    fn offer(bytes: Vec<u8>) -> Offer {
        Warc::default().decode(RawRecord { file: "x.warc".into(), offset: 9, bytes, truncated: false })
    }

    fn check(bytes: Vec<u8>, want: Result<(&str, &str), &str>) {
        match (offer(bytes), want) {
            (Offer::Document(doc), want) => assert_eq!(Ok((doc.html.as_str(), doc.text.as_str())), want),
            (Offer::Dropped(doc, reason), want) => {
                assert_eq!(Err(reason), want);
                assert_eq!((doc.source_offset, doc.html.as_str(), doc.text.as_str()), (9, "", ""));
                assert!(ROOM.reasons.contains(&reason) && doc.id != DocId::default());
            }
        }
    }

    #[test]
    fn a_page_carries_what_its_heads_say() {
        let http =
            "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nX-Robots-Tag: noai\r\nSet-Cookie: a=b\r\nContent-Language: pl";
        let Offer::Document(doc) = offer(response(http, PAGE.as_bytes())) else { panic!("kept") };
        assert_eq!((doc.url.as_str(), doc.host.as_str(), doc.http_status), ("https://WWW.Example.PL/a", "www.example.pl", Some(200)));
        assert_eq!((doc.fetched_at, doc.declared_lang.as_deref()), (Some(1_777_598_350_000), Some("pl")));
        let headers = [("x-robots-tag", "noai"), ("content-language", "pl")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(doc.policy_headers, headers);
        assert_eq!(doc.id, DocId::of(&doc.url, PAGE.as_bytes()));
        assert!(doc.content_digest.starts_with("xxh3-128:"));
    }

    #[test]
    fn bodies_become_pages_or_fall_with_a_reason() {
        let html = "HTTP/1.1 200 OK\r\nContent-Type: text/html";
        check(response(html, PAGE.as_bytes()), Ok((PAGE, "")));
        check(response("HTTP/1.1 200 OK", PAGE.as_bytes()), Ok((PAGE, "")));
        check(response("HTTP/1.1 200 OK\r\nContent-Type: text/plain", b"Tere\r\nhommikust"), Ok(("", "Tere\nhommikust")));
        check(response(&format!("{html}\r\nTransfer-Encoding: chunked"), b"3\r\n<p>\r\n4\r\ntere\r\n0\r\n\r\n"), Ok(("<p>tere", "")));
        check(response("HTTP/1.1 200 OK\r\nContent-Type: image/png", PAGE.as_bytes()), Err(NOT_HTML));
        check(response(html, b"%PDF-1.7 and so on"), Err(NOT_HTML));
        check(response("HTTP/1.1 200 OK", b"just words"), Err(NOT_HTML));
        check(response("HTTP/1.1 301 Moved\r\nLocation: /b", b""), Err(REDIRECT));
        check(response("HTTP/1.1 404 Not Found", PAGE.as_bytes()), Err(HTTP_ERROR));
        check(response(html, b""), Err(EMPTY_BODY));
        check(response(html, b" \r\n"), Err(EMPTY_BODY));
        check(response("200 OK", PAGE.as_bytes()), Err(MALFORMED_HTTP));
        check(response(&format!("{html}\r\nContent-Encoding: br"), b"\xff\xfe\0\x01\xff\xfe\0\x01\x02"), Err(UNDECODABLE_BODY));
        check(b"no record at all".to_vec(), Err(MALFORMED_RECORD));
        let revisit = b"WARC/1.0\r\nWARC-Type: revisit\r\nContent-Length: 0\r\n\r\n";
        check(revisit.to_vec(), Err(REVISIT));
        let lookup = b"WARC/1.0\r\nWARC-Type: response\r\nContent-Type: text/dns\r\nContent-Length: 3\r\n\r\nabc";
        check(lookup.to_vec(), Err(NOT_HTML));
        let bare = format!("http://example.pl/ 10.0.0.1 19970417175710 text/html {}\n{PAGE}", PAGE.len());
        check(bare.into_bytes(), Ok((PAGE, "")));
    }

    #[test]
    fn a_cut_page_is_used_unless_the_settings_say_no() {
        let bytes = response("HTTP/1.1 200 OK\r\nContent-Type: text/html", PAGE.as_bytes());
        for (keep_truncated, kept) in [(true, true), (false, false)] {
            let record = RawRecord { file: "x".into(), offset: 0, bytes: bytes.clone(), truncated: true };
            let offer = Warc { keep_truncated, ..Warc::default() }.decode(record);
            assert_eq!(matches!(offer, Offer::Document(_)), kept);
        }
    }

    #[test]
    fn settings_that_make_no_sense_are_refused() {
        for (settings, complaint) in
            [("content_types = []", "content_types"), ("body_bytes_max = 0", "larger than 0"), ("body_bytes_min = 1", "unknown field")]
        {
            let built = build(toml::de::ValueDeserializer::parse(&format!("{{ {settings} }}")).unwrap());
            assert!(built.err().unwrap().to_string().contains(complaint), "{settings}");
        }
    }

    fn walk(bytes: Vec<u8>, name: &str) {
        let size = bytes.len() as u64;
        let input = Input { name: name.into(), bytes: Box::new(Cursor::new(bytes)), file: None, size, reader_bytes_max: 64 << 20 };
        let source = Warc::default();
        let Ok(mut records) = source.open(input) else { return };
        while let Some(record) = records.next() {
            if let Record::Raw(raw) = record {
                let _ = source.decode(raw);
            }
        }
    }

    fn sample(packing: u8) -> Vec<u8> {
        let one = response("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip", PAGE.as_bytes());
        let two = b"http://example.pl/ 10.0.0.1 19970417175710 text/html 12\nhello, world\n".to_vec();
        let records = [one.clone(), b"\r\n\r\n".to_vec(), two, one];
        let pack = |bytes: &Vec<u8>| match packing {
            0 => bytes.clone(),
            1 => {
                let mut packed = Vec::new();
                flate2::read::GzEncoder::new(&bytes[..], flate2::Compression::fast()).read_to_end(&mut packed).unwrap();
                packed
            }
            _ => zstd::encode_all(&bytes[..], 1).unwrap(),
        };
        records.iter().flat_map(pack).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn no_bytes_make_the_reader_panic(
            packing in 0..3_u8,
            hits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut bytes = sample(packing);
            for (place, value) in hits {
                let place = place.index(bytes.len());
                bytes[place] = value;
            }
            bytes.truncate(cut.index(bytes.len()) + 1);
            walk(bytes, "x.warc.gz");
        }

        #[test]
        fn no_bytes_make_the_decoder_panic(hits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..20), tail in any::<Vec<u8>>()) {
            for coding in ["gzip", "deflate", "br", "zstd", "gzip, br"] {
                let http = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: {coding}\r\nContent-Type: text/html");
                let mut bytes = response(&http, &[b"5\r\n<meta".to_vec(), tail.clone()].concat());
                for (place, value) in &hits {
                    let place = place.index(bytes.len());
                    bytes[place] = *value;
                }
                let _ = offer(bytes);
            }
        }
    }

    #[derive(Deserialize)]
    struct Truth {
        offset: u64,
        kind: String,
        status: Option<u16>,
        charset_true: Option<String>,
        payload_sha256: Option<String>,
        payload_bytes: Option<u64>,
    }

    /// The decoded payload, and what became of the record.
    fn decoded(raw: RawRecord) -> (Vec<u8>, Offer) {
        let source = Warc::default();
        let mut doc = Document::default();
        let found = Captured::read(&raw.bytes, &mut doc).expect("a record");
        let mut payload = raw.bytes[found.payload..].to_vec();
        if found.is_chunked {
            chunked::join(&mut payload);
        }
        let body = coding::decode(payload, &found.content_encoding, usize::MAX >> 1).map(|body| body.bytes).unwrap_or_default();
        (body, source.decode(raw))
    }

    #[test]
    fn every_page_of_the_corpus_is_decoded_as_its_truth_says() {
        let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/corpus"));
        let Ok(truth) = File::open(folder.join("corpus-5m.truth.jsonl.gz")) else {
            eprintln!("SKIPPED: no shared/data beside this checkout, so no real pages were decoded");
            return;
        };
        let mut lines = String::new();
        Unpacked::open(Box::new(truth), "truth.gz").unwrap().read_to_string(&mut lines).unwrap();
        let mut truths: HashMap<u64, Truth> =
            lines.lines().map(|line| serde_json::from_str::<Truth>(line).unwrap()).map(|truth| (truth.offset, truth)).collect();
        let file = File::open(folder.join("corpus-5m.warc.gz")).unwrap();
        let input = Input {
            name: "corpus".into(),
            size: file.metadata().unwrap().len(),
            bytes: Box::new(file),
            file: None,
            reader_bytes_max: 64 << 20,
        };
        let mut records = Warc::default().open(input).unwrap();
        let (mut pages, mut wrong) = (0, Vec::new());
        while let Some(record) = records.next() {
            let Record::Raw(raw) = record else { continue };
            let truth = truths.remove(&raw.offset).expect("every response is in the truth");
            let (body, offer) = decoded(raw);
            if let Some(want) = &truth.payload_sha256
                && truth.payload_bytes.unwrap_or(0) > 0
            {
                assert_eq!(&data_encoding::HEXLOWER.encode(&Sha256::digest(&body)), want, "offset {}", truth.offset);
            }
            let is_page = matches!(truth.kind.as_str(), "page" | "exact_dup" | "near_dup") && truth.status == Some(200);
            let Offer::Document(doc) = offer else {
                assert!(!is_page, "the page at {} fell", truth.offset);
                continue;
            };
            let Some(label) = truth.charset_true.filter(|_| is_page) else { continue };
            let encoding = encoding_rs::Encoding::for_label(label.as_bytes()).unwrap_or(encoding_rs::UTF_8);
            let want = encoding.decode(&body).0.replace('\0', " ").replace("\r\n", "\n");
            let got = if doc.html.is_empty() { doc.text } else { doc.html }.replace("\r\n", "\n");
            pages += 1;
            if want != got {
                wrong.push((truth.offset, label));
            }
        }
        assert!(truths.is_empty(), "{} responses were not read", truths.len());
        assert!(pages > 1_000 && wrong.len() * 200 <= pages, "{} of {pages} pages decoded wrongly: {wrong:?}", wrong.len());
    }
}
