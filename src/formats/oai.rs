//! Answers of OAI-PMH 2.0 (openarchives.org/OAI/openarchivesprotocol.html): what a repository says of itself, and a page of its records with
//! Dublin Core. How it is asked is the crawler's part.
//!
//! Of the metadata every element that holds text is taken by its name, so qualified Dublin Core is read like the plain one.

use super::Fault;
use super::xml::{Rigour, Tag, Visit, walk};

/// Fields of one record that are kept.
const FIELDS_MAX: usize = 200;
/// Bytes of one field that are kept.
const FIELD_BYTES_MAX: usize = 8 << 10;

/// An answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The repository's own time, as it wrote it.
    pub response_date: String,
    /// Errors: code and words.
    pub errors: Vec<(String, String)>,
    /// What the repository says of itself.
    pub identify: Identify,
    /// The records of this page.
    pub records: Vec<Harvested>,
    /// What to ask for the next page with; none at the end of the list.
    pub token: Option<String>,
}

/// What a repository says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identify {
    /// Its name.
    pub name: String,
    /// The earliest date of a record.
    pub earliest: String,
    /// The form of its dates: `YYYY-MM-DD` or `YYYY-MM-DDThh:mm:ssZ`.
    pub granularity: String,
    /// Whether it tells of deleted records: `no`, `transient`, `persistent`.
    pub deleted: String,
}

/// A record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Harvested {
    /// Its name in the repository.
    pub identifier: String,
    /// When it changed, as the repository wrote it.
    pub datestamp: String,
    /// Whether it was deleted.
    pub is_deleted: bool,
    /// Its metadata: names without prefix, and values.
    pub fields: Vec<(String, String)>,
}

impl Harvested {
    /// The values of a field.
    pub fn all<'r>(&'r self, name: &'r str) -> impl Iterator<Item = &'r str> {
        self.fields.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl Answer {
    /// Whether the repository answers with this error.
    #[must_use]
    pub fn has_error(&self, code: &str) -> bool {
        self.errors.iter().any(|(known, _)| known == code)
    }
}

/// Reads an answer.
///
/// # Errors
/// Where it is none, or breaks off.
pub fn read(bytes: Vec<u8>) -> Result<Answer, Fault> {
    let mut reading = Reading::default();
    walk(&super::as_text(bytes), Rigour::Xml, &mut reading)?;
    if reading.is_ours { Ok(reading.answer) } else { Err(Fault::UnknownFormat) }
}

#[derive(Default)]
struct Reading {
    answer: Answer,
    is_ours: bool,
    depth: usize,
    /// How deep the open `metadata` stands, if one is open.
    metadata: Option<usize>,
    /// How deep an open `about` stands: what it says of the record is not the record.
    about: Option<usize>,
    names: Vec<String>,
    code: String,
    text: String,
}

impl Visit for Reading {
    fn open(&mut self, name: &str, tag: &Tag<'_>) {
        self.depth += 1;
        self.text.clear();
        self.names.push(name.to_owned());
        match name {
            "OAI-PMH" if self.depth == 1 => self.is_ours = true,
            "record" if self.metadata.is_none() => self.answer.records.push(Harvested::default()),
            "header" if self.metadata.is_none() && tag.has("status", "deleted") => {
                if let Some(record) = self.answer.records.last_mut() {
                    record.is_deleted = true;
                }
            }
            "metadata" if self.metadata.is_none() => self.metadata = Some(self.depth),
            "about" if self.metadata.is_none() && self.about.is_none() => self.about = Some(self.depth),
            "error" if self.depth == 2 => self.code = tag.attribute("code").unwrap_or_default().into_owned(),
            _ => {}
        }
    }

    fn close(&mut self) {
        let name = self.names.pop().unwrap_or_default();
        let text = std::mem::take(&mut self.text).split_whitespace().collect::<Vec<_>>().join(" ");
        self.take(&name, text);
        for open in [&mut self.metadata, &mut self.about] {
            if *open == Some(self.depth) {
                *open = None;
            }
        }
        self.depth = self.depth.saturating_sub(1);
    }

    fn text(&mut self, text: &str) {
        if self.text.len() < FIELD_BYTES_MAX {
            self.text.push_str(text);
        }
    }
}

impl Reading {
    fn take(&mut self, name: &str, mut text: String) {
        text.truncate(text.floor_char_boundary(FIELD_BYTES_MAX));
        let answer = &mut self.answer;
        if self.metadata.is_some() {
            if let Some(record) = answer.records.last_mut().filter(|record| !text.is_empty() && record.fields.len() < FIELDS_MAX) {
                record.fields.push((name.to_owned(), text));
            }
            return;
        }
        match (name, self.depth) {
            _ if self.about.is_some() => {}
            ("responseDate", 2) => answer.response_date = text,
            ("error", 2) => answer.errors.push((std::mem::take(&mut self.code), text)),
            ("resumptionToken", _) if !text.is_empty() => answer.token = Some(text),
            ("repositoryName", _) => answer.identify.name = text,
            ("earliestDatestamp", _) => answer.identify.earliest = text,
            ("granularity", _) => answer.identify.granularity = text,
            ("deletedRecord", _) => answer.identify.deleted = text,
            ("identifier", _) => answer.records.last_mut().into_iter().for_each(|record| record.identifier.clone_from(&text)),
            ("datestamp", _) => answer.records.last_mut().into_iter().for_each(|record| record.datestamp.clone_from(&text)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "<?xml version='1.0'?><OAI-PMH xmlns='http://www.openarchives.org/OAI/2.0/'><responseDate>2026-11-26T01:00:00Z</responseDate>\
        <request verb='ListRecords'>https://repo.example.lt/oai</request><ListRecords>\
        <record><header><identifier>oai:repo:1</identifier><datestamp>2026-11-25</datestamp><setSpec>a</setSpec></header><metadata>\
        <oai_dc:dc xmlns:oai_dc='x' xmlns:dc='y'><dc:title>Žuvys &amp;\n tinklai</dc:title><dc:identifier>https://repo.example.lt/1</dc:identifier>\
        <dc:identifier>10.1000/1</dc:identifier></oai_dc:dc></metadata><about><provenance><identifier>oai:other:9</identifier></provenance></about></record>\
        <record><header status='deleted'><identifier>oai:repo:2</identifier><datestamp>2026-11-26</datestamp></header></record>\
        <resumptionToken completeListSize='7'>abc</resumptionToken></ListRecords></OAI-PMH>";

    #[test]
    fn a_page_gives_records_deletions_and_the_way_on() {
        let answer = read(PAGE.as_bytes().to_vec()).expect("an answer");
        assert_eq!((answer.response_date.as_str(), answer.token.as_deref()), ("2026-11-26T01:00:00Z", Some("abc")));
        let [first, second] = &answer.records[..] else { panic!("{answer:?}") };
        assert_eq!((first.identifier.as_str(), first.datestamp.as_str(), first.is_deleted), ("oai:repo:1", "2026-11-25", false));
        assert_eq!(first.all("title").collect::<Vec<_>>(), ["Žuvys & tinklai"]);
        assert_eq!(first.all("identifier").collect::<Vec<_>>(), ["https://repo.example.lt/1", "10.1000/1"]);
        assert_eq!((second.identifier.as_str(), second.is_deleted), ("oai:repo:2", true));
    }

    #[test]
    fn what_a_repository_says_of_itself_and_its_errors_are_read() {
        let identify = "<OAI-PMH><responseDate>x</responseDate><Identify><repositoryName>R</repositoryName><earliestDatestamp>2001-01-01</earliestDatestamp>\
            <deletedRecord>transient</deletedRecord><granularity>YYYY-MM-DD</granularity></Identify></OAI-PMH>";
        let answer = read(identify.as_bytes().to_vec()).expect("an answer");
        assert_eq!((answer.identify.earliest.as_str(), answer.identify.deleted.as_str()), ("2001-01-01", "transient"));
        let error = b"<OAI-PMH><error code=\"badResumptionToken\">too old</error></OAI-PMH>".to_vec();
        assert!(read(error).expect("an answer").has_error("badResumptionToken"));
        let last = b"<OAI-PMH><ListRecords><resumptionToken/></ListRecords></OAI-PMH>".to_vec();
        assert_eq!(read(last).expect("an answer").token, None);
    }

    #[test]
    fn what_is_no_answer_or_breaks_off_is_told() {
        assert_eq!(read(b"<html><body>Error</body></html>".to_vec()), Err(Fault::UnknownFormat));
        for cut in 40..PAGE.len() - 1 {
            let cut = PAGE.floor_char_boundary(cut);
            assert!(read(PAGE.as_bytes()[..cut].to_vec()).is_err(), "{cut}");
        }
    }
}
