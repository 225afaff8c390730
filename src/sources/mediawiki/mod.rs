//! Source `mediawiki`: the pages of a MediaWiki XML dump (`pages-articles`), plain, `.gz`, `.zst` or `.bz2`, also multistream.
//!
//! One thread cuts pages, all cores read them. The door takes one record for one document, so a bzip2 stream of a hundred pages is not
//! handed on packed; instead the unpacking itself works on several blocks at once ([`crate::archive::Unpacked`]), which serves dumps
//! of a single stream too and needs no index beside the dump. A page's place is its byte offset in the unpacked dump.

mod page;
mod pages;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::archive::Unpacked;
use crate::doc::{DocId, Document, Lang};
use crate::formats::wiki::{self, Patterns, Rules, Templates};
use crate::size::ByteSize;
use crate::source::{Input, Offer, RawRecord, Records, Room, Source, SourceError};
use crate::stage::{BuildError, Field};
use crate::text::language;

use page::{Page, Site};
use pages::Pages;

/// The row of this source in `sources::ROOMS`.
pub const ROOM: Room = Room {
    name: NAME,
    summary: "pages of MediaWiki XML dumps (Wikipedia and others); plain, .gz, .bz2, .zst",
    endings: &[".xml", ".xml.gz", ".xml.bz2", ".xml.zst"],
    reasons: &[OTHER_NAMESPACE, REDIRECT, NOT_WIKITEXT, NO_TEXT, PAGE_TOO_LONG, MALFORMED_PAGE],
    signals: &[],
    gives: &[Field::Text],
    schema: || schemars::schema_for!(Mediawiki),
    build,
};

const NAME: &str = "mediawiki";
const OTHER_NAMESPACE: &str = "other-namespace";
const REDIRECT: &str = "redirect";
const NOT_WIKITEXT: &str = "not-wikitext";
const NO_TEXT: &str = "no-text";
const PAGE_TOO_LONG: &str = "page-too-long";
const MALFORMED_PAGE: &str = "malformed-page";

/// Settings of source `mediawiki`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Mediawiki {
    /// Namespaces whose pages are read, by number: 0 holds the articles. The others are dropped.
    pub namespaces: Vec<i32>,
    /// What templates leave in the text, by name: `{ nihongo = "$1", "sic" = "" }`. `$1` is the first argument, `$last` the last one.
    /// Templates that neither this table nor the one of the house knows leave nothing.
    pub templates: Patterns,
    /// Whether tables are kept, a row a line.
    pub tables: bool,
    /// Licence of all pages. Without it those of Wikimedia's wikis have the licence that is in force there, others none.
    pub licence: Option<String>,
    /// Longer pages are dropped.
    pub page_bytes_max: ByteSize,
}

impl Default for Mediawiki {
    fn default() -> Mediawiki {
        Mediawiki { namespaces: vec![0], templates: Patterns::new(), tables: true, licence: None, page_bytes_max: ByteSize::mib(16) }
    }
}

/// The source: its settings, and the table of templates that was made of them.
struct Reader {
    settings: Mediawiki,
    templates: Templates,
}

fn build(settings: toml::de::ValueDeserializer<'_>) -> Result<Box<dyn Source>, BuildError> {
    let settings = Mediawiki::deserialize(settings)?;
    if settings.page_bytes_max.0 == 0 {
        return Err(BuildError::Contradiction("`page_bytes_max` must be larger than 0".to_owned()));
    }
    if settings.namespaces.is_empty() {
        return Err(BuildError::Contradiction("`namespaces` names none, so no page would be read; 0 holds the articles".to_owned()));
    }
    let templates = Templates::with(&settings.templates);
    Ok(Box::new(Reader { settings, templates }))
}

impl Source for Reader {
    fn open(&self, input: Input) -> Result<Box<dyn Records>, SourceError> {
        let unpacked = Unpacked::open(input.bytes, &input.name)?.within(input.reader_bytes_max);
        if unpacked.is_empty() {
            return Err(SourceError::NotThisFormat("the file is empty".to_owned()));
        }
        Ok(Box::new(Pages::new(unpacked, input.name, self.settings.page_bytes_max.as_usize())))
    }

    fn decode(&self, record: RawRecord) -> Offer {
        let mut doc = Box::new(Document { source: NAME, source_file: record.file, source_offset: record.offset, ..Document::default() });
        let text = String::from_utf8_lossy(&record.bytes);
        let parsed = text.split_once('\n').and_then(|(head, page)| Some((Site::from_line(head)?, Page::parse(page)?)));
        let Some((site, page)) = parsed else {
            doc.id = DocId::of("", &record.bytes);
            return Offer::Dropped(doc, MALFORMED_PAGE);
        };
        self.describe(&mut doc, &site, &page);
        match self.read(&site, &page) {
            Ok(text) => {
                doc.text = text;
                doc.lang = language::stated(&site.lang, &doc.text).map(Lang::new);
                Offer::Document(doc)
            }
            Err(reason) => Offer::Dropped(doc, reason),
        }
    }
}

impl Reader {
    /// What is known of a page without reading its text.
    fn describe(&self, doc: &mut Document, site: &Site, page: &Page<'_>) {
        doc.url = site.address(&page.title);
        doc.host = crate::archive::address::host(&doc.url);
        doc.id = DocId::of(&doc.url, page.wikitext.as_bytes());
        // The dump's own names of what was read: page, revision, and the SHA-1 of its wikitext in base 36.
        doc.content_digest = format!("mediawiki:{}:{}:{}", page.id, page.revision, page.sha1);
        doc.published = (!page.timestamp.is_empty()).then(|| page.timestamp.to_owned());
        doc.declared_lang = (!site.lang.is_empty()).then(|| site.lang.clone());
        doc.licence = self.settings.licence.clone().or_else(|| licence_of(&doc.host).map(str::to_owned));
        doc.title = Some(page.title.clone());
    }

    fn read(&self, site: &Site, page: &Page<'_>) -> Result<String, &'static str> {
        if !self.settings.namespaces.contains(&page.namespace) {
            return Err(OTHER_NAMESPACE);
        }
        if page.is_redirect {
            return Err(REDIRECT);
        }
        if !matches!(page.model, "" | "wikitext") {
            return Err(NOT_WIKITEXT);
        }
        let wikitext = page::unescaped(page.wikitext);
        let rules = Rules { hidden: &site.hidden, templates: &self.templates, tables: self.settings.tables };
        let text = wiki::text(&wikitext, &rules);
        if text.is_empty() { Err(NO_TEXT) } else { Ok(text.replace('\0', " ")) }
    }
}

/// The licence of the text of Wikimedia's wikis, as their terms of use have it since 2023; Wikinews has another, Wikidata's text is CC0.
fn licence_of(host: &str) -> Option<&'static str> {
    const SHARED: &[&str] =
        &["wikipedia.org", "wiktionary.org", "wikibooks.org", "wikiquote.org", "wikisource.org", "wikiversity.org", "wikivoyage.org"];
    let domain = host.split_once('.')?.1;
    SHARED.contains(&domain).then_some("CC-BY-SA-4.0")
}

#[cfg(test)]
mod tests;
