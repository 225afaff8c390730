//! The door of every source: a file in, records out, each turned into a document or a drop with a reason.
//!
//! Reading is split in two, so that all cores can work on one archive: [`Source::open`] cuts the stream into records (cheap, in
//! order, on one thread), [`Source::decode`] makes a document of one record (dear, pure, on any thread).

use std::io::Read;
use std::sync::Arc;

use crate::doc::Document;
use crate::remote::RemoteError;
use crate::stage::Dropped;

/// A kind of input.
pub trait Source: Send + Sync {
    /// Begins to read one file. Damage found later comes as [`Record::Damage`].
    ///
    /// # Errors
    /// Where the beginning of the stream already shows that nothing can be read.
    fn open(&self, input: Input) -> Result<Box<dyn Records>, SourceError>;

    /// Whether it must jump in a file, so that a stream is not enough.
    fn jumps(&self) -> bool {
        false
    }

    /// Makes a document of one record. Pure, and never panics on any bytes.
    fn decode(&self, record: RawRecord) -> Offer;
}

/// One file to read.
pub struct Input {
    /// The file's name as the recipe's glob found it; it becomes `source_file`.
    pub name: Arc<str>,
    /// Its bytes from the beginning, as stored.
    pub bytes: Box<dyn Read + Send>,
    /// The file itself, for formats that must jump (Parquet).
    pub file: Option<std::fs::File>,
    /// Size in bytes, as stored.
    pub size: u64,
    /// Bytes that reading may hold beside one record: blocks unpacked ahead, dictionaries.
    pub reader_bytes_max: usize,
}

/// The records of one file, in file order.
pub trait Records: Send {
    /// The next record, or `None` at the end. After [`Record::Damage`] with `fatal`, the end follows.
    fn next(&mut self) -> Option<Record>;

    /// How many bytes of the file as stored were taken so far, for progress.
    fn bytes_taken(&self) -> u64;

    /// What kept it from reading on, where that is no damage of the file: asked after the end.
    fn unreached(&self) -> Option<RemoteError> {
        None
    }
}

/// What a reader finds.
pub enum Record {
    /// A record that [`Source::decode`] makes a document of.
    Raw(RawRecord),
    /// A document, or a drop, where cutting and decoding are one step.
    Offer(Offer),
    /// A document of an earlier run, at the place that it had reached.
    Again(Box<Again>),
    /// A record that is no document (`warcinfo`, `request`, `metadata`): counted by kind, not read.
    Other(&'static str),
    /// A part of the file that cannot be read.
    Damage(Damage),
}

/// A document that an earlier run has judged. It is judged anew by what that run measured, and goes on where it had stopped.
pub struct Again {
    /// The document, with all marks that it had.
    pub doc: Document,
    /// How many steps lie behind it; only what they decide is asked again.
    pub steps_done: usize,
    /// Why it fell, unless it went through: in the step after those, if that one has the name; elsewhere before all of them.
    pub fell: Option<Fell>,
}

/// How a document fell in an earlier run.
pub struct Fell {
    /// Name of the stage.
    pub stage: &'static str,
    /// Why.
    pub dropped: Dropped,
    /// What went wrong, where it was set aside.
    pub set_aside: Option<String>,
}

/// One record as cut from the stream.
pub struct RawRecord {
    /// The file that holds it.
    pub file: Arc<str>,
    /// Where it begins in the file as stored.
    pub offset: u64,
    /// Its bytes, unpacked; at most the source's limit.
    pub bytes: Vec<u8>,
    /// Whether bytes are missing at the end, by limit or by damage.
    pub truncated: bool,
}

/// What a record turned into. Every offer counts as read.
pub enum Offer {
    /// A document for the first stage.
    Document(Box<Document>),
    /// Something that can be no document, with the source's reason: `not-html`, `revisit`, `http-error`.
    Dropped(Box<Document>, &'static str),
}

/// A part of an input that could not be read. It is listed in the quarantine; the night goes on.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Damage {
    /// Where it begins in the file as stored.
    pub offset: u64,
    /// What is wrong, in words: `the gzip member ends early`.
    pub what: String,
    /// Whether the rest of the file is lost with it.
    pub fatal: bool,
}

/// Why a file cannot be read at all. It is quarantined; the night goes on.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The system refused.
    #[error("cannot read it: {0}")]
    Io(#[from] std::io::Error),
    /// It is not what its source expects.
    #[error("{0}")]
    NotThisFormat(String),
}

/// A source as the house knows it: one row in `sources::ROOMS`.
pub struct Room {
    /// Name in recipes and in the column `source`.
    pub name: &'static str,
    /// One line for `tamis stages`.
    pub summary: &'static str,
    /// Endings of the files that it takes from a directory: `.warc.gz`.
    pub endings: &'static [&'static str],
    /// Every reason for which it drops.
    pub reasons: &'static [&'static str],
    /// Every `quality.*` signal that it sets.
    pub signals: &'static [&'static str],
    /// What its documents have.
    pub gives: &'static [crate::stage::Field],
    /// JSON Schema of its settings.
    pub schema: fn() -> schemars::Schema,
    /// Makes the source from its settings (a TOML table without the key `kind`).
    pub build: fn(toml::de::ValueDeserializer<'_>) -> Result<Box<dyn Source>, crate::stage::BuildError>,
}
