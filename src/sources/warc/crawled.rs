//! Source `crawl`: what tamis itself fetched, read from the archives that the crawl wrote.

use serde::Deserialize;

use super::Warc;
use crate::crawl::settings::CrawlSettings;
use crate::doc::DocId;
use crate::source::{Input, Offer, RawRecord, Records, Room, Source, SourceError};
use crate::stage::{BuildError, Field};

/// The row of this source in `sources::ROOMS`.
pub const ROOM: Room = Room {
    name: NAME,
    summary: "pages that tamis fetches itself, politely, every night; needs no `input`",
    endings: &[".warc.gz"],
    reasons: &[
        "revisit",
        "redirect",
        "http-error",
        "not-html",
        "empty-body",
        "malformed-http",
        "undecodable-body",
        "truncated",
        "malformed-record",
        ROBOTS_TXT,
    ],
    signals: &[],
    gives: &[Field::Html],
    schema: || schemars::schema_for!(CrawlSettings),
    build,
};

/// Name of the source.
pub const NAME: &str = "crawl";
/// What a site allows is evidence, not a page.
const ROBOTS_TXT: &str = "robots-txt";

struct Crawled(Warc);

fn build(settings: toml::de::ValueDeserializer<'_>) -> Result<Box<dyn Source>, BuildError> {
    let settings = CrawlSettings::deserialize(settings)?;
    if settings.body_bytes_max.0 == 0 {
        return Err(BuildError::Contradiction("`body_bytes_max` must be larger than 0".to_owned()));
    }
    Ok(Box::new(Crawled(Warc { body_bytes_max: settings.body_bytes_max, ..Warc::default() })))
}

impl Source for Crawled {
    fn open(&self, input: Input) -> Result<Box<dyn Records>, SourceError> {
        self.0.open(input)
    }

    fn decode(&self, record: RawRecord) -> Offer {
        let named = |mut doc: Box<crate::doc::Document>| {
            doc.source = NAME;
            doc
        };
        match self.0.decode(record) {
            Offer::Document(doc) if doc.url.ends_with("/robots.txt") && doc.url.matches('/').count() == 3 => {
                let mut doc = named(doc);
                doc.id = DocId::of(&doc.url, doc.text.as_bytes());
                Offer::Dropped(doc, ROBOTS_TXT)
            }
            Offer::Document(doc) => Offer::Document(named(doc)),
            Offer::Dropped(doc, reason) => Offer::Dropped(named(doc), reason),
        }
    }
}

/// Settings of a crawl that say how its pages are read; all others say what is fetched, and change no document.
pub const READING: [&str; 2] = ["kind", "body_bytes_max"];

#[cfg(test)]
mod tests {
    use super::super::ROOM as WARC;
    use super::*;

    #[test]
    fn it_drops_for_the_reasons_of_archives_and_one_of_its_own() {
        assert!(WARC.reasons.iter().chain(&[ROBOTS_TXT]).eq(ROOM.reasons));
    }
}
