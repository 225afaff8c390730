//! Source `papers`: files that are documents of their own (TEI, ALTO, PAGE XML, hOCR, Akoma Ntoso, Formex, EPUB, OpenDocument, DOCX, PDF,
//! strict HTML, plain text), as they lie in folders or in zip, tar and 7z containers.
//!
//! What a file is, its beginning tells. Cutting hands over whole files, as nearly all of these formats are only readable whole; all
//! cores read them. A member's place is where it begins in its container (in tar: in the unpacked one; in 7z: its number).

pub mod harvested;
mod seven_zip;
mod tar;
mod zipped;

use std::io::Read;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;
use xxhash_rust::xxh3::xxh3_128;

use crate::archive::{Step, Unpacked, address};
use crate::doc::{DocId, Document, Lang, OptOut};
use crate::formats::{self, Fault, Kind, Limits, Paper, eurlex};
use crate::optout::{Agents, Evidence, Verdict};
use crate::size::ByteSize;
use crate::source::{Damage, Input, Offer, RawRecord, Record, Records, Room, Source, SourceError};
use crate::stage::{BuildError, Field};
use crate::text::language;

/// The row of this source in `sources::ROOMS`.
pub const ROOM: Room = Room {
    name: NAME,
    summary: "files of archives and libraries: TEI, ALTO, PAGE, hOCR, laws, EPUB, ODT, DOCX, PDF, text; alone or in zip, tar and 7z",
    endings: &[
        ".xml", ".xml.gz", ".zip", ".7z", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.zst", ".epub", ".odt", ".docx", ".pdf", ".hocr",
        ".xhtml", ".txt", ".txt.gz",
    ],
    reasons: &REASONS,
    signals: &[OCR_CONFIDENCE],
    gives: &[Field::Text],
    schema: || schemars::schema_for!(Papers),
    build,
};

const NAME: &str = "papers";
const FILE_TOO_LONG: &str = "file-too-long";
const UNSAFE_NAME: &str = "unsafe-name";
const OTHER_FORMAT: &str = "other-format";
const RESERVED: &str = "reserved";
const OCR_UNSURE: &str = "ocr-unsure";
const MALFORMED_RECORD: &str = "malformed-record";
const OCR_CONFIDENCE: &str = "ocr_confidence";

/// What this source itself drops for; all else are the faults of formats.
const OWN: [&str; 6] = [FILE_TOO_LONG, UNSAFE_NAME, OTHER_FORMAT, RESERVED, OCR_UNSURE, MALFORMED_RECORD];
const REASONS: [&str; OWN.len() + Fault::REASONS.len()] = joined(&OWN, Fault::REASONS);

/// Two lists as one, so that neither has to be written twice.
const fn joined<const N: usize>(first: &[&'static str], second: &[&'static str]) -> [&'static str; N] {
    let mut all = [""; N];
    let mut at = 0;
    while at < N {
        all[at] = if at < first.len() { first[at] } else { second[at - first.len()] };
        at += 1;
    }
    all
}

/// Settings of source `papers`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Papers {
    /// Only files of these formats are read; empty for all of them: `tei`, `akoma-ntoso`, `formex`, `alto`, `page-xml`, `hocr`, `mets`, `xhtml`,
    /// `epub`, `odt`, `docx`, `pdf`, `plain`.
    pub formats: Vec<String>,
    /// Licence of all documents that state none.
    pub licence: Option<String>,
    /// Language of all documents that state none.
    pub lang: Option<String>,
    /// Recognised pages whose words are less sure than this on average, from 0 to 1, are dropped. Those that say nothing stay.
    pub ocr_confidence_min: f32,
    /// Drop what its metadata reserve from text and data mining. Without it documents are only marked.
    pub drop_reserved: bool,
    /// Longer files are dropped; also what a package such as EPUB may unpack to.
    pub file_bytes_max: ByteSize,
    /// Members that a container may hold.
    pub members_max: usize,
    /// How many times its own size a container may unpack to.
    pub unpacked_ratio_max: u64,
    /// A 7z file whose dictionary takes more memory than this is set aside; `--memory-max` does not count it. 256 MiB is what the strongest
    /// setting of 7-Zip wants, 64 MiB the strongest usual one.
    pub dictionary_bytes_max: ByteSize,
}

impl Default for Papers {
    fn default() -> Papers {
        Papers {
            formats: Vec::new(),
            licence: None,
            lang: None,
            ocr_confidence_min: 0.0,
            drop_reserved: true,
            file_bytes_max: ByteSize::mib(64),
            members_max: 1_000_000,
            unpacked_ratio_max: 200,
            dictionary_bytes_max: ByteSize::mib(300),
        }
    }
}

fn build(settings: toml::de::ValueDeserializer<'_>) -> Result<Box<dyn Source>, BuildError> {
    let settings = Papers::deserialize(settings)?;
    if settings.file_bytes_max.0 == 0 || settings.members_max == 0 || settings.unpacked_ratio_max == 0 {
        let what = "`file_bytes_max`, `members_max` and `unpacked_ratio_max` must be larger than 0";
        return Err(BuildError::Contradiction(what.to_owned()));
    }
    if let Some(unknown) = settings.formats.iter().find(|name| !Kind::ALL.iter().any(|kind| kind.as_str() == **name)) {
        let known: Vec<&str> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
        return Err(BuildError::Contradiction(format!("`formats` names `{unknown}`; known are {}", known.join(", "))));
    }
    Ok(Box::new(settings))
}

/// What containers have in common: the limits, and how a member becomes a record.
#[derive(Clone)]
struct Members {
    file: Arc<str>,
    file_bytes_max: usize,
    members_max: usize,
    /// Bytes that all members together may unpack to.
    unpacked_bytes_max: u64,
}

impl Members {
    /// A file as a record: its name in the first line, then its bytes.
    fn record(&self, name: &str, offset: u64, content: &[u8]) -> Record {
        let mut bytes = name.replace(['\n', '\r'], " ").into_bytes();
        bytes.push(b'\n');
        bytes.extend_from_slice(content);
        Record::Raw(RawRecord { file: Arc::clone(&self.file), offset, bytes, truncated: false })
    }

    fn dropped(&self, name: &str, offset: u64, reason: &'static str) -> Record {
        let place = format!("{}\t{name}", self.file);
        let id = DocId::of(&place, &[]);
        let doc = Document { id, source: NAME, source_file: Arc::clone(&self.file), source_offset: offset, ..Document::default() };
        Record::Offer(Offer::Dropped(Box::new(doc), reason))
    }
}

/// Whether a member's name could lead out of a folder that it is unpacked into. None is, but such a container is made to do harm.
fn is_unsafe(name: &str) -> bool {
    let drive = name.as_bytes().get(1) == Some(&b':');
    name.starts_with(['/', '\\']) || drive || name.contains('\0') || name.split(['/', '\\']).any(|part| part == "..")
}

impl Source for Papers {
    fn open(&self, input: Input) -> Result<Box<dyn Records>, SourceError> {
        let members = Members {
            file: Arc::clone(&input.name),
            file_bytes_max: self.file_bytes_max.as_usize(),
            members_max: self.members_max,
            unpacked_bytes_max: input.size.max(1 << 20).saturating_mul(self.unpacked_ratio_max),
        };
        let mut bytes = input.bytes;
        let mut first = Vec::new();
        bytes.by_ref().take(4).read_to_end(&mut first)?;
        if first.is_empty() {
            return Err(SourceError::NotThisFormat("the file is empty".to_owned()));
        }
        let is_zip = first.starts_with(b"PK\x03\x04") || first.starts_with(b"PK\x05\x06");
        let is_seven_zip = first == seven_zip::MAGIC;
        let bytes: Box<dyn Read + Send> = Box::new(std::io::Cursor::new(first).chain(bytes));
        if is_seven_zip {
            return seven_zip::open(members, bytes, input.file, input.size, self.dictionary_bytes_max.as_usize());
        }
        if is_zip {
            return zipped::open(members, bytes, input.file);
        }
        let mut unpacked = Unpacked::open(bytes, &input.name)?.within(input.reader_bytes_max);
        let is_tar = tar::begins(unpacked.want(tar::BLOCK_BYTES));
        if is_tar { Ok(Box::new(tar::Tar::new(members, unpacked))) } else { Ok(Box::new(Single { members, unpacked, done: false })) }
    }

    fn jumps(&self) -> bool {
        true
    }

    fn decode(&self, record: RawRecord) -> Offer {
        let mut doc = Box::new(Document { source: NAME, source_file: record.file, source_offset: record.offset, ..Document::default() });
        let Some(end) = memchr::memchr(b'\n', &record.bytes) else {
            doc.id = DocId::of("", &record.bytes);
            return Offer::Dropped(doc, MALFORMED_RECORD);
        };
        let name = String::from_utf8_lossy(&record.bytes[..end]).into_owned();
        let mut content = record.bytes;
        content.drain(..=end);
        doc.content_digest = format!("xxh3-128:{:032x}", xxh3_128(&content));
        doc.id = DocId::of(&name, &content);
        let kind = formats::kind_of(&name, &content);
        if !self.formats.is_empty() && !self.formats.iter().any(|format| format == kind.as_str()) {
            return Offer::Dropped(doc, OTHER_FORMAT);
        }
        match formats::read(kind, content, &self.limits()) {
            Ok(paper) => self.settle(doc, named_law(paper, kind, &name)),
            Err(fault) => Offer::Dropped(doc, fault.reason()),
        }
    }
}

impl Papers {
    fn limits(&self) -> Limits {
        Limits { unpacked_bytes_max: self.file_bytes_max.0, members_max: self.members_max }
    }

    /// The document with what the paper says, or a drop for what it says.
    fn settle(&self, mut doc: Box<Document>, paper: Paper) -> Offer {
        if doc.url.is_empty() {
            doc.url = paper.url.filter(|url| url.starts_with("http://") || url.starts_with("https://")).unwrap_or_default();
            doc.host = address::host(&doc.url);
        }
        doc.title = paper.title;
        doc.author = paper.author;
        doc.published = paper.published;
        doc.declared_lang = paper.lang.or_else(|| self.lang.clone());
        doc.licence = paper.licence.or_else(|| self.licence.clone());
        doc.policy_headers = paper.policies;
        if let Some(celex) = paper.celex {
            self.note_law(&mut doc, &celex);
        }
        if let Some(confidence) = paper.ocr_confidence {
            doc.quality.set(OCR_CONFIDENCE, confidence);
        }
        if self.is_reserved(&mut doc) && self.drop_reserved {
            return Offer::Dropped(doc, RESERVED);
        }
        if paper.ocr_confidence.is_some_and(|confidence| confidence < self.ocr_confidence_min) {
            return Offer::Dropped(doc, OCR_UNSURE);
        }
        doc.text = paper.text.replace('\0', " ");
        doc.lang = doc.declared_lang.as_deref().and_then(|written| language::stated(written, &doc.text)).map(Lang::new);
        if doc.text.trim().is_empty() { Offer::Dropped(doc, Fault::NoText.reason()) } else { Offer::Document(doc) }
    }

    /// Which document of EU law it is, in which language and of which date, so that it can be found again.
    fn note_law(&self, doc: &mut Document, celex: &str) {
        let lang = doc.declared_lang.as_deref().map(str::to_ascii_uppercase);
        let place = [Some(celex), lang.as_deref(), doc.published.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ");
        doc.content_digest = format!("celex:{place}:{}", doc.content_digest);
        if doc.url.is_empty() {
            doc.url = eurlex::address(celex, lang.as_deref());
            doc.host = address::host(&doc.url);
        }
    }

    /// Asks the one place that knows what statements mean, and notes its answer where the file says anything.
    fn is_reserved(&self, doc: &mut Document) -> bool {
        if doc.policy_headers.is_empty() {
            return false;
        }
        let evidence = Evidence { url: &doc.url, headers: &doc.policy_headers, ..Evidence::default() };
        let finding = crate::optout::find(&evidence, &Agents::default());
        let protocol = finding.decisive().map_or("none", |signal| signal.protocol).to_owned();
        let is_reserved = finding.verdict == Verdict::Reserved;
        doc.optout = Some(OptOut { verdict: finding.verdict.as_str().to_owned(), protocol, checked_at: None });
        is_reserved
    }
}

/// The paper with the CELEX number that its file is named by, where it says none itself.
fn named_law(paper: Paper, kind: Kind, name: &str) -> Paper {
    let may_be = paper.celex.is_none() && matches!(kind, Kind::Formex | Kind::Xhtml | Kind::Pdf);
    match eurlex::celex_in(name).filter(|_| may_be) {
        Some(celex) => Paper { celex: Some(celex.to_owned()), ..paper },
        None => paper,
    }
}

/// A file that is one document, packed or not.
struct Single {
    members: Members,
    unpacked: Unpacked,
    done: bool,
}

impl Records for Single {
    fn next(&mut self) -> Option<Record> {
        if std::mem::replace(&mut self.done, true) {
            return None;
        }
        let mut bytes = Vec::new();
        loop {
            match self.unpacked.step() {
                Step::Bytes => {
                    bytes.extend_from_slice(self.unpacked.held());
                    self.unpacked.consume(usize::MAX);
                    if bytes.len() > self.members.file_bytes_max {
                        return Some(self.members.dropped("", 0, FILE_TOO_LONG));
                    }
                }
                Step::MemberEnd => {}
                Step::Broken(damage) => {
                    let damage = damage.unwrap_or(Damage { offset: 0, what: "the file is broken".to_owned(), fatal: true });
                    return Some(Record::Damage(Damage { fatal: true, ..damage }));
                }
                Step::End => {
                    let name = Arc::clone(&self.members.file);
                    let name = name.rsplit('/').next().unwrap_or("");
                    let bare = [".gz", ".bz2", ".zst"].iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name);
                    return Some(self.members.record(bare, 0, &bytes));
                }
            }
        }
    }

    fn bytes_taken(&self) -> u64 {
        self.unpacked.taken()
    }
}

#[cfg(test)]
mod tests;
