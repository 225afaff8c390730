//! What flows through the river: a [`Document`] and its marks.
//!
//! A document is born in a source, marked and judged by stages, and ends in a shard or among the rejects. Its id is made from
//! what it says and where it was found, never from a position, so it is the same on every machine and in every order of work.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use xxhash_rust::xxh3::Xxh3;

/// The 128-bit name of a document: xxh3-128 of its URL as recorded, a zero byte, and its payload bytes. Written as 32 hex digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocId(pub u128);

impl DocId {
    /// The id of `payload` found at `url`.
    #[must_use]
    pub fn of(url: &str, payload: &[u8]) -> DocId {
        let mut hasher = Xxh3::new();
        hasher.update(url.as_bytes());
        hasher.update(&[0]);
        hasher.update(payload);
        DocId(hasher.digest128())
    }
}

impl fmt::Display for DocId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl FromStr for DocId {
    type Err = std::num::ParseIntError;

    fn from_str(hex: &str) -> Result<DocId, Self::Err> {
        u128::from_str_radix(hex, 16).map(DocId)
    }
}

impl Serialize for DocId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DocId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<DocId, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A language as a BCP 47 tag: `de`, `nn`, `sr-Latn`; `und` where no language can be told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct Lang(pub String);

impl Lang {
    /// The tag `tag`, unchecked.
    #[must_use]
    pub fn new(tag: &str) -> Lang {
        Lang(tag.to_owned())
    }

    /// The tag of a document whose language nobody told.
    #[must_use]
    pub fn undetermined() -> Lang {
        Lang::new("und")
    }

    /// The tag as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The primary subtag: `sr` of `sr-Latn`.
    #[must_use]
    pub fn primary(&self) -> &str {
        self.0.split('-').next().unwrap_or("")
    }
}

impl fmt::Display for Lang {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A language and how likely it is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LangScore {
    /// The language.
    pub lang: Lang,
    /// 0 to 1.
    pub score: f32,
}

/// A language's part of a text.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LangPart {
    /// The language.
    pub lang: Lang,
    /// Of the letters that have a language, 0 to 1.
    pub share: f32,
}

/// Values by name, in the order in which they were first set. The names are those of `schemas/document.v1.json`.
#[derive(Clone, Debug, PartialEq)]
pub struct Marks<T>(Vec<(&'static str, T)>);

impl<T> Default for Marks<T> {
    fn default() -> Marks<T> {
        Marks(Vec::new())
    }
}

/// Each name once.
impl<T> FromIterator<(&'static str, T)> for Marks<T> {
    fn from_iter<I: IntoIterator<Item = (&'static str, T)>>(marks: I) -> Marks<T> {
        Marks(marks.into_iter().collect())
    }
}

impl<T: Copy> Marks<T> {
    /// Sets `name` to `value`, in place of an earlier value.
    pub fn set(&mut self, name: &'static str, value: T) {
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some(mark) => mark.1 = value,
            None => self.0.push((name, value)),
        }
    }

    /// The value of `name`, if it was set.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<T> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    /// All marks.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, T)> + '_ {
        self.0.iter().copied()
    }

    /// Whether nothing was marked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A place of a text that holds personal data.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PiiSpan {
    /// First byte.
    pub start: usize,
    /// The byte behind the last one.
    pub end: usize,
    /// As in the column `pii`: `email`, `national_id`.
    pub kind: &'static str,
    /// Which of its kind: `pl-pesel`, a country, or empty.
    pub which: &'static str,
    /// 0 to 1.
    pub confidence: f32,
}

/// What an owner said about the use of a document, as found beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OptOut {
    /// `allowed`, `reserved` or `unknown`.
    pub verdict: String,
    /// Which signal decided: `tdmrep-meta`, `x-robots-tag`, `robots-meta`, ..
    pub protocol: String,
    /// When it was looked at: ms since 1970, UTC.
    pub checked_at: Option<i64>,
}

/// The near-duplicates of which a document is the one that stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// The smallest id among the members.
    pub id: DocId,
    /// How many members there are, the kept one among them.
    pub size: u32,
}

/// What deduplication needs to know of a document, made where its text is at hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// xxh3-128 of the normalised text.
    pub exact: u128,
    /// The sketch cut to 8 bits a value, from which a pair's Jaccard similarity is estimated and the keys of bands are made; empty where the text has too
    /// few words to be compared.
    pub sketch: Vec<u8>,
}

/// One document and everything that is known of it. Fields are empty until somebody fills them.
#[derive(Clone, Debug, Default)]
pub struct Document {
    /// Content-derived id.
    pub id: DocId,
    /// Address as recorded, then in canonical form once stage `url` has run.
    pub url: String,
    /// Host of the address, lower case, without port; empty where there is none.
    pub host: String,
    /// Decoded markup; stage `extract` turns it into `text` and empties it. At most the source's `body_bytes_max`.
    pub html: String,
    /// Plain text: paragraphs on lines of their own.
    pub text: String,
    /// Title, where one is stated.
    pub title: Option<String>,
    /// Who wrote it, where that is stated.
    pub author: Option<String>,
    /// When it was published, as stated: a date or a time of ISO 8601, or what is written in place of it.
    pub published: Option<String>,
    /// The address that the page calls its own, absolute.
    pub canonical: Option<String>,
    /// Language that the page or the server declares, as written there.
    pub declared_lang: Option<String>,
    /// Language found: `und` where there is none, `mul` where none has half of the text. Until stage `langid` looks, the one that a source of
    /// edited texts states.
    pub lang: Option<Lang>,
    /// ISO 15924 code of the script that most letters have: `Latn`, `Cyrl`, `Grek`.
    pub script: Option<&'static str>,
    /// How sure the language is, 0 to 1.
    pub lang_score: Option<f32>,
    /// The next likely language, and how likely it is.
    pub lang_second: Option<LangScore>,
    /// The languages of its parts, where it has several, the largest first.
    pub lang_parts: Vec<LangPart>,
    /// Kind of source: `warc`, `wet`, `jsonl`, `parquet`, ..
    pub source: &'static str,
    /// Input file as the recipe's glob found it.
    pub source_file: Arc<str>,
    /// Where the record begins in that file: byte of the gzip member, zstd frame, plain record or line; in Parquet the row number.
    pub source_offset: u64,
    /// When it was fetched: ms since 1970, UTC.
    pub fetched_at: Option<i64>,
    /// Digest of the payload as the archive states it, else `xxh3-128:<hex>` of the payload.
    pub content_digest: String,
    /// HTTP status, where there is one.
    pub http_status: Option<u16>,
    /// Response headers that say something about use or language, names in lower case: `x-robots-tag`, `tdm-reservation`, `tdm-policy`,
    /// `content-usage`, `content-language`, `link`.
    pub policy_headers: Vec<(String, String)>,
    /// Measured signals, by name.
    pub quality: Marks<f32>,
    /// Personal data found: how often, by kind.
    pub pii: Marks<u32>,
    /// Where personal data stands in the text, if stage `pii` was asked to annotate.
    pub pii_spans: Vec<PiiSpan>,
    /// Licence, where one is stated.
    pub licence: Option<String>,
    /// What its owner says about its use.
    pub optout: Option<OptOut>,
    /// Set by stage `sign`.
    pub signature: Option<Box<Signature>>,
    /// Set where near-duplicates were folded into this document.
    pub cluster: Option<Cluster>,
    /// Token ids, set by stage `tokenize`.
    pub input_ids: Vec<u32>,
    /// Number of token ids; `None` until tokenised.
    pub token_count: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_depends_on_address_and_payload_and_reads_back() {
        let id = DocId::of("https://www.example.lv/", b"labdien");
        assert_ne!(id, DocId::of("https://www.example.lv/a", b"labdien"));
        assert_ne!(id, DocId::of("https://www.example.lv/", b"labvakar"));
        assert_eq!(id.to_string().len(), 32);
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn a_mark_set_twice_keeps_the_newer_value() {
        let mut marks = Marks::default();
        marks.set("words", 3.0);
        marks.set("words", 4.0);
        assert_eq!(marks.iter().collect::<Vec<_>>(), [("words", 4.0)]);
    }
}
