//! Source `cdx`: pages of web archives that an index chooses, each fetched alone by its place, from a disk or another machine.
//!
//! Inputs are indexes: CDXJ as pywb and tamis write it, and as Common Crawl publishes it (`cdx-00000.gz`). A line that is not wanted costs
//! its reading; a page that is wanted costs one range of its archive. Records come in the order of the index, some under way ahead, so
//! the same index gives the same documents. What an index says of a page is a hint: the record decides, and one that is another page
//! than its line says is told as damage.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Cursor};
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::warc::{ROOM as WARC, Warc};
use crate::archive::head::Head;
use crate::archive::raws::RawRecords;
use crate::archive::unpacked::Unpacked;
use crate::remote::{Part, RemoteError};
use crate::size::ByteSize;
use crate::source::{Damage, Input, Offer, RawRecord, Record, Records, Room, Source, SourceError};
use crate::stage::{BuildError, Field};

/// The row of this source in `sources::ROOMS`.
pub const ROOM: Room = Room {
    name: NAME,
    summary: "single pages of web archives, chosen by a CDXJ index and fetched by their place",
    endings: &[".cdxj", ".cdxj.gz", ".cdx.gz"],
    reasons: WARC.reasons,
    signals: &[],
    gives: &[Field::Html],
    schema: || schemars::schema_for!(Cdx),
    build,
};

const NAME: &str = "cdx";
/// What a line that is not wanted is counted as.
const NOT_CHOSEN: &str = "not-chosen";
/// Parts under way at a time.
const PARTS_MAX: usize = 24;
/// .. and their bytes together; one part may be larger.
const PARTS_BYTES_MAX: u64 = 32 << 20;
/// A longer line is no line of an index.
const LINE_BYTES_MAX: usize = 1 << 20;

/// Settings of source `cdx`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Cdx {
    /// What stands before the archives' names in the index: a folder, or an address such as `https://data.commoncrawl.org/`.
    pub archives: String,
    /// Only pages whose first language the index names so (`lav`, as Common Crawl has it); empty for all.
    pub languages: Vec<String>,
    /// Only pages of these hosts and of those below them; empty for all.
    pub hosts: Vec<String>,
    /// Only answers with these statuses.
    pub statuses: Vec<u16>,
    /// Only pages of these media types, as detected or else as stated; empty for all.
    pub content_types: Vec<String>,
    /// Bodies are unpacked up to this size; what goes on behind it is cut.
    pub body_bytes_max: ByteSize,
    /// Records are read up to this size; an index line that names a longer part is damage.
    pub record_bytes_max: ByteSize,
}

impl Default for Cdx {
    fn default() -> Cdx {
        let Warc { body_bytes_max, record_bytes_max, content_types, .. } = Warc::default();
        Cdx {
            archives: String::new(),
            languages: Vec::new(),
            hosts: Vec::new(),
            statuses: vec![200],
            content_types,
            body_bytes_max,
            record_bytes_max,
        }
    }
}

fn build(settings: toml::de::ValueDeserializer<'_>) -> Result<Box<dyn Source>, BuildError> {
    let mut settings = Cdx::deserialize(settings)?;
    for list in [&mut settings.languages, &mut settings.hosts, &mut settings.content_types] {
        list.iter_mut().for_each(|name| name.make_ascii_lowercase());
    }
    Ok(Box::new(settings))
}

impl Cdx {
    /// How a record is read that was fetched.
    fn warc(&self) -> Warc {
        let Warc { content_types, keep_truncated, .. } = Warc::default();
        let content_types = if self.content_types.is_empty() { content_types } else { self.content_types.clone() };
        Warc { body_bytes_max: self.body_bytes_max, record_bytes_max: self.record_bytes_max, content_types, keep_truncated }
    }

    fn wants(&self, line: &Line) -> bool {
        let below = |host: &str, wanted: &str| host == wanted || host.strip_suffix(wanted).is_some_and(|before| before.ends_with('.'));
        let host = url::Url::parse(&line.url).ok().and_then(|url| url.host_str().map(str::to_ascii_lowercase)).unwrap_or_default();
        (self.statuses.is_empty() || self.statuses.contains(&line.status))
            && (self.hosts.is_empty() || self.hosts.iter().any(|wanted| below(&host, wanted)))
            && (self.languages.is_empty() || self.languages.iter().any(|wanted| line.language.eq_ignore_ascii_case(wanted)))
            && (self.content_types.is_empty() || self.content_types.iter().any(|wanted| line.mime.eq_ignore_ascii_case(wanted)))
    }
}

impl Source for Cdx {
    fn open(&self, input: Input) -> Result<Box<dyn Records>, SourceError> {
        let lines = BufReader::new(Unpacked::open(input.bytes, &input.name)?.within(input.reader_bytes_max));
        Ok(Box::new(Chosen {
            settings: self.clone(),
            lines,
            read: 0,
            under_way: VecDeque::new(),
            bytes: 0,
            bytes_max: PARTS_BYTES_MAX.min(input.reader_bytes_max as u64),
            unreached: None,
            ended: false,
        }))
    }

    fn decode(&self, record: RawRecord) -> Offer {
        let mut offer = self.warc().decode(record);
        let (Offer::Document(doc) | Offer::Dropped(doc, _)) = &mut offer;
        doc.source = NAME;
        offer
    }
}

/// What a line of an index says.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    url: String,
    mime: String,
    status: u16,
    language: String,
    filename: String,
    offset: u64,
    length: u64,
}

impl Line {
    /// `<key> <time> <JSON>`; numbers may stand as text.
    fn read(line: &str) -> Option<Line> {
        let json: Value = serde_json::from_str(line.get(line.find('{')?..)?).ok()?;
        let text = |name: &str| json.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let number = |name: &str| json.get(name).and_then(|value| value.as_u64().or_else(|| value.as_str()?.parse().ok()));
        let mime = [text("mime-detected"), text("mime")].into_iter().find(|mime| !mime.is_empty()).unwrap_or_default();
        Some(Line {
            url: text("url"),
            mime,
            status: number("status").and_then(|status| u16::try_from(status).ok()).unwrap_or(0),
            language: text("languages").split(',').next().unwrap_or_default().to_owned(),
            filename: Some(text("filename")).filter(|name| is_sound(name))?,
            offset: number("offset")?,
            length: number("length").filter(|length| *length > 0)?,
        })
    }
}

/// Whether a name leads to a file below where the archives lie.
fn is_sound(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with('/')
        && !name.contains("://")
        && !name.chars().any(char::is_control)
        && !name.split('/').any(|part| part == "..")
}

/// What comes of a line.
enum Under {
    Part(Line, Arc<str>, Part),
    Ready(Record),
}

/// The records that an index chooses.
struct Chosen {
    settings: Cdx,
    lines: BufReader<Unpacked>,
    /// Bytes of the index so far, unpacked.
    read: u64,
    under_way: VecDeque<Under>,
    /// Bytes of the parts under way, and how many may be.
    bytes: u64,
    bytes_max: u64,
    unreached: Option<RemoteError>,
    ended: bool,
}

impl Chosen {
    /// Reads the index on until enough is under way.
    fn ask_ahead(&mut self) {
        while !self.ended && self.under_way.len() < PARTS_MAX && (self.bytes < self.bytes_max || self.under_way.is_empty()) {
            match self.line() {
                Ok(Some(line)) => self.take_line(&line),
                Ok(None) => self.ended = true,
                Err(damage) => {
                    self.ended = true;
                    self.under_way.push_back(Under::Ready(Record::Damage(damage)));
                }
            }
        }
    }

    fn line(&mut self) -> Result<Option<String>, Damage> {
        let damage = |read: u64, what: String| Damage { offset: read, what, fatal: true };
        let mut line = Vec::new();
        let mut limited = std::io::Read::take(&mut self.lines, LINE_BYTES_MAX as u64);
        let count =
            limited.read_until(b'\n', &mut line).map_err(|error| damage(self.read, format!("the index cannot be read on: {error}")))?;
        if count == LINE_BYTES_MAX {
            return Err(damage(self.read, "it has a line longer than any of an index".to_owned()));
        }
        self.read += count as u64;
        Ok((count > 0).then(|| String::from_utf8_lossy(&line).into_owned()))
    }

    fn take_line(&mut self, text: &str) {
        let text = text.trim();
        if text.is_empty() || text.starts_with('!') {
            return;
        }
        let damage = |what: String| Under::Ready(Record::Damage(Damage { offset: self.read, what, fatal: false }));
        let next = match Line::read(text) {
            None => damage("a line of the index says neither where its record lies nor how long it is".to_owned()),
            Some(line) if !self.settings.wants(&line) => Under::Ready(Record::Other(NOT_CHOSEN)),
            Some(line) if line.length > self.settings.record_bytes_max.0 => {
                damage(format!("the record of {} has {} bytes, more than record_bytes_max", line.url, line.length))
            }
            Some(line) => {
                let name: Arc<str> = match self.settings.archives.as_str() {
                    "" => line.filename.as_str().into(),
                    archives => format!("{}/{}", archives.trim_end_matches('/'), line.filename).into(),
                };
                self.bytes += line.length;
                let part = Part::of(&name, line.offset..line.offset.saturating_add(line.length));
                Under::Part(line, name, part)
            }
        };
        self.under_way.push_back(next);
    }

    /// The record that came for `line`.
    fn record(&mut self, line: &Line, name: &Arc<str>, part: Part) -> Option<Record> {
        let bytes = match part.take() {
            Ok(bytes) => bytes,
            Err(error) => {
                self.unreached = Some(error);
                self.under_way.clear();
                self.ended = true;
                return None;
            }
        };
        let wrong = |what: &str| Some(Record::Damage(Damage { offset: line.offset, what: format!("{name}: {what}"), fatal: false }));
        let input = Input {
            name: Arc::clone(name),
            size: bytes.len() as u64,
            bytes: Box::new(Cursor::new(bytes)),
            file: None,
            reader_bytes_max: 0,
        };
        let records = RawRecords::open(input, self.settings.record_bytes_max.as_usize(), |_| true);
        match records.ok().and_then(|mut records| records.next()) {
            Some(Record::Raw(raw)) if !is_of(&raw.bytes, &line.url) => wrong("another page lies where the index says it is"),
            Some(Record::Raw(raw)) => Some(Record::Raw(RawRecord { offset: line.offset, ..raw })),
            Some(Record::Damage(damage)) => wrong(&damage.what),
            _ => wrong("no record lies where the index says it is"),
        }
    }
}

/// Whether a record is the capture of `url`.
fn is_of(record: &[u8], url: &str) -> bool {
    url.is_empty() || Head::parse(record).and_then(|head| head.url()).is_some_and(|of| of == url)
}

impl Records for Chosen {
    fn next(&mut self) -> Option<Record> {
        self.ask_ahead();
        match self.under_way.pop_front()? {
            Under::Ready(record) => Some(record),
            Under::Part(line, name, part) => {
                self.bytes -= line.length;
                self.record(&line, &name, part)
            }
        }
    }

    fn bytes_taken(&self) -> u64 {
        self.lines.get_ref().taken()
    }

    fn unreached(&self) -> Option<RemoteError> {
        self.unreached.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"lv,example,avize)/a 20260502030405 {"url": "https://avize.example.lv/a", "mime": "unk", "mime-detected": "text/html", "status": "200", "length": "900", "offset": "77", "filename": "crawl/a.warc.gz", "languages": "lav,eng"}"#;

    fn settings(recipe: &str) -> Cdx {
        toml::from_str(recipe).expect("settings")
    }

    #[test]
    fn a_line_says_where_a_page_lies_with_numbers_as_text_or_not() {
        let line = Line::read(LINE).expect("a line");
        assert_eq!((line.offset, line.length, line.status, line.language.as_str(), line.mime.as_str()), (77, 900, 200, "lav", "text/html"));
        assert_eq!(Line::read(&LINE.replace("\"77\"", "77").replace("\"200\"", "200")), Some(line));
        for (from, to) in [("77", "x"), ("900", "0"), ("crawl/a", "../a"), ("crawl/a", "/a"), ("crawl/a", "https://x/a"), ("{", "")] {
            assert_eq!(Line::read(&LINE.replacen(from, to, 1)), None, "{to}");
        }
    }

    #[test]
    fn only_lines_of_the_wanted_hosts_languages_and_answers_are_fetched() {
        let line = Line::read(LINE).expect("a line");
        for (recipe, is_wanted) in [
            ("", true),
            ("hosts = ['example.lv']", true),
            ("hosts = ['ample.lv']", false),
            ("languages = ['lav']", true),
            ("languages = ['eng']", false),
            ("statuses = [404]", false),
            ("content_types = ['text/plain']", false),
            ("content_types = []\nstatuses = []", true),
        ] {
            assert_eq!(settings(recipe).wants(&line), is_wanted, "{recipe}");
        }
    }
}
