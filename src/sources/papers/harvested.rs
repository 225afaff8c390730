//! Source `oai-pmh`: what tamis harvested from repositories, read from the archives that the harvest wrote. The head of a record holds what the
//! repository says of it, its payload the full text, in any format of the source `papers`.
//!
//! The repository's word on title, language, licence and date goes before the file's own, as a catalogue is kept by people; what a file
//! reserves counts in any case.

use serde::Deserialize;
use xxhash_rust::xxh3::xxh3_128;

use super::Papers;
use crate::archive::head::{Head, Measure, measure};
use crate::archive::http::Response;
use crate::archive::raws::RawRecords;
use crate::archive::{address, coding};
use crate::crawl::harvest::keep::{CREATOR, DATE, DATESTAMP, DESCRIPTION, IDENTIFIER, LANGUAGE, RIGHTS, TITLE};
use crate::crawl::harvest::settings::HarvestSettings;
use crate::doc::{DocId, Document};
use crate::formats::{self, Paper};
use crate::source::{Input, Offer, RawRecord, Records, Room, Source, SourceError};
use crate::stage::{BuildError, Field};

/// The row of this source in `sources::ROOMS`.
pub const ROOM: Room = Room {
    name: NAME,
    summary: "records of repositories that tamis harvests itself by OAI-PMH, every night what is new; needs no `input`",
    endings: &[".warc.gz"],
    reasons: &REASONS,
    signals: super::ROOM.signals,
    gives: &[Field::Text],
    schema: || schemars::schema_for!(HarvestSettings),
    build,
};

/// Name of the source.
pub const NAME: &str = "oai-pmh";
const NO_FULL_TEXT: &str = "no-full-text";
const UNDECODABLE_BODY: &str = "undecodable-body";

const OWN: [&str; 2] = [NO_FULL_TEXT, UNDECODABLE_BODY];
const REASONS: [&str; OWN.len() + super::REASONS.len()] = super::joined(&OWN, &super::REASONS);
/// Bytes of a record beside its body: two heads.
const HEADS_BYTES: u64 = 256 << 10;

struct HarvestedPapers {
    papers: Papers,
    abstracts: bool,
}

fn build(settings: toml::de::ValueDeserializer<'_>) -> Result<Box<dyn Source>, BuildError> {
    let settings = HarvestSettings::deserialize(settings)?;
    if settings.body_bytes_max.0 == 0 {
        return Err(BuildError::Contradiction("`body_bytes_max` must be larger than 0".to_owned()));
    }
    let papers = Papers {
        licence: settings.licence,
        lang: settings.lang,
        drop_reserved: settings.drop_reserved,
        file_bytes_max: settings.body_bytes_max,
        ..Papers::default()
    };
    Ok(Box::new(HarvestedPapers { papers, abstracts: settings.abstracts }))
}

impl Source for HarvestedPapers {
    fn open(&self, input: Input) -> Result<Box<dyn Records>, SourceError> {
        let bytes_max = usize::try_from(self.papers.file_bytes_max.0.saturating_add(HEADS_BYTES)).unwrap_or(usize::MAX);
        Ok(Box::new(RawRecords::open(input, bytes_max, |head| head.field(IDENTIFIER).is_some())?))
    }

    fn decode(&self, record: RawRecord) -> Offer {
        let mut doc = Box::new(Document { source: NAME, source_file: record.file, source_offset: record.offset, ..Document::default() });
        let head = match measure(&record.bytes) {
            Measure::Head(block) => Head::parse(&record.bytes).map(|head| (head, block)),
            _ => None,
        };
        let Some((head, block)) = head else {
            doc.id = DocId::of("", &record.bytes);
            return Offer::Dropped(doc, super::MALFORMED_RECORD);
        };
        let field = |name: &str| head.field(name);
        doc.url = head.url().unwrap_or_default();
        doc.host = address::host(&doc.url);
        doc.fetched_at = head.fetched_at();
        let stated = Stated::of(&head);
        let name = format!("{} {}", field(IDENTIFIER).unwrap_or_default(), field(DATESTAMP).unwrap_or_default());
        let description = field(DESCRIPTION);
        match payload(&record.bytes[block..], self.papers.file_bytes_max.as_usize()) {
            Payload::None => {
                doc.id = DocId::of(&doc.url, name.as_bytes());
                doc.content_digest = format!("oai-pmh:{name}");
                match description.filter(|_| self.abstracts) {
                    Some(text) => self.papers.settle(doc, stated.over(Paper { text, ..Paper::default() })),
                    None => Offer::Dropped(doc, NO_FULL_TEXT),
                }
            }
            Payload::Bytes(bytes) if !record.truncated => self.read(doc, stated, &name, bytes),
            Payload::Bytes(_) | Payload::Undecodable => {
                doc.id = DocId::of(&doc.url, &record.bytes[block..]);
                Offer::Dropped(doc, UNDECODABLE_BODY)
            }
        }
    }
}

impl HarvestedPapers {
    fn read(&self, mut doc: Box<Document>, stated: Stated, name: &str, bytes: Vec<u8>) -> Offer {
        doc.id = DocId::of(&doc.url, &bytes);
        // Which record of which date it was, and what was fetched for it.
        doc.content_digest = format!("oai-pmh:{name}:xxh3-128:{:032x}", xxh3_128(&bytes));
        let kind = formats::kind_of(doc.url.split(['?', '#']).next().unwrap_or_default(), &bytes);
        match formats::read(kind, bytes, &self.papers.limits()) {
            Ok(paper) => self.papers.settle(doc, stated.over(paper)),
            Err(fault) => Offer::Dropped(doc, fault.reason()),
        }
    }
}

/// What a repository says of a record.
struct Stated {
    title: Option<String>,
    author: Option<String>,
    lang: Option<String>,
    published: Option<String>,
    licence: Option<String>,
}

impl Stated {
    fn of(head: &Head<'_>) -> Stated {
        let field = |name: &str| head.field(name);
        Stated { title: field(TITLE), author: field(CREATOR), lang: field(LANGUAGE), published: field(DATE), licence: field(RIGHTS) }
    }

    /// The paper, where this says nothing else.
    fn over(self, paper: Paper) -> Paper {
        Paper {
            title: self.title.or(paper.title),
            author: self.author.or(paper.author),
            lang: self.lang.or(paper.lang),
            published: self.published.or(paper.published),
            licence: self.licence.or(paper.licence),
            ..paper
        }
    }
}

/// What a record holds beside its head.
enum Payload {
    /// No answer of a server: there was no text to be had.
    None,
    Bytes(Vec<u8>),
    Undecodable,
}

fn payload(block: &[u8], bytes_max: usize) -> Payload {
    let Some(response) = Response::parse(block) else { return Payload::None };
    let coding = response.fields.text("content-encoding").unwrap_or_default();
    match coding::decode(block[response.body..].to_vec(), &coding, bytes_max) {
        Ok(body) if !body.truncated => Payload::Bytes(body.bytes),
        _ => Payload::Undecodable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "OAI-Identifier: oai:repo:7\r\nOAI-Datestamp: 2026-11-25\r\nDC-Title: Žuvų kelias\r\nDC-Language: lit\r\n\
        DC-Rights: https://creativecommons.org/licenses/by/4.0/\r\nDC-Date: 2021-05-01\r\nDC-Description: Apie žuvis.\r\n";

    fn offer(settings: &str, kind: &str, block: &str) -> Offer {
        let record = format!(
            "WARC/1.1\r\nWARC-Type: {kind}\r\nWARC-Target-URI: https://repo.example.lt/7.xml\r\nWARC-Date: 2026-11-26T01:00:00Z\r\n{HEAD}\
             Content-Length: {}\r\n\r\n{block}",
            block.len()
        );
        let source = build(toml::de::ValueDeserializer::parse(settings).unwrap()).unwrap();
        source.decode(RawRecord { file: "a.warc.gz".into(), offset: 3, bytes: record.into_bytes(), truncated: false })
    }

    fn document(offer: Offer) -> Document {
        match offer {
            Offer::Document(doc) => *doc,
            Offer::Dropped(_, reason) => panic!("{reason}"),
        }
    }

    #[test]
    fn a_text_carries_what_the_repository_says_of_it() {
        let text = "HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\n\r\n<TEI><teiHeader><title>x</title></teiHeader><text><p>Žuvys plaukia.</p></text></TEI>";
        let doc = document(offer("{}", "response", text));
        assert_eq!(
            (doc.text.as_str(), doc.title.as_deref(), doc.declared_lang.as_deref()),
            ("Žuvys plaukia.", Some("Žuvų kelias"), Some("lit"))
        );
        assert_eq!(doc.lang, Some(crate::doc::Lang::new("lt")), "what stage `langid` would call it");
        assert_eq!(
            (doc.licence.as_deref(), doc.published.as_deref()),
            (Some("https://creativecommons.org/licenses/by/4.0/"), Some("2021-05-01"))
        );
        assert_eq!((doc.url.as_str(), doc.source, doc.source_offset), ("https://repo.example.lt/7.xml", NAME, 3));
        assert!(doc.content_digest.starts_with("oai-pmh:oai:repo:7 2026-11-25:xxh3-128:"), "{}", doc.content_digest);
    }

    #[test]
    fn a_record_without_a_text_falls_or_becomes_its_abstract() {
        let fields = "note: no-full-text\r\n";
        assert!(matches!(offer("{}", "metadata", fields), Offer::Dropped(_, NO_FULL_TEXT)));
        assert_eq!(document(offer("{ abstracts = true }", "metadata", fields)).text, "Apie žuvis.");
        assert!(matches!(offer("{}", "response", "HTTP/1.1 200 OK\r\n\r\n\x01\x02"), Offer::Dropped(_, "unknown-format")));
        let reserved =
            "HTTP/1.1 200 OK\r\n\r\n<html><head><meta name=\"tdm-reservation\" content=\"1\"/></head><body><p>Tekstas</p></body></html>";
        assert!(matches!(offer("{}", "response", reserved), Offer::Dropped(_, "reserved")));
    }
}
