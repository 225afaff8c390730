//! What stands in front of a record's block: a WARC head of fields (versions 0.17 to 1.1) or ARC's single line (versions 1 and 2).
//!
//! An ARC line is `URL IP date type length`, version 2 with five more fields before the length. URLs with spaces and types with
//! spaces occur, so the line is read around the pair of address and date, which is unmistakable.

use super::date;
use super::fields::{self, Fields, first_line};

/// The longest head that is read.
pub const HEAD_BYTES_MAX: usize = 64 << 10;

/// One record's head.
#[derive(Clone, Copy, Debug)]
pub enum Head<'a> {
    /// A WARC record.
    Warc(Fields<'a>),
    /// An ARC record.
    Arc(ArcLine<'a>),
}

/// The line in front of an ARC record.
#[derive(Clone, Copy, Debug)]
pub struct ArcLine<'a> {
    url: &'a [u8],
    date: &'a [u8],
    content_type: &'a [u8],
    length: &'a [u8],
}

/// Kinds of records, as far as the standard names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// About the file.
    Warcinfo,
    /// An answer of a server.
    Response,
    /// A document without the message around it.
    Resource,
    /// What a crawler asked.
    Request,
    /// About another record.
    Metadata,
    /// Seen before: the body lies elsewhere.
    Revisit,
    /// Made from another record: text, in WET files.
    Conversion,
    /// A further segment of a record.
    Continuation,
    /// What the standard does not name.
    Unknown,
}

const KINDS: [(Kind, &str); 9] = [
    (Kind::Warcinfo, "warcinfo"),
    (Kind::Response, "response"),
    (Kind::Resource, "resource"),
    (Kind::Request, "request"),
    (Kind::Metadata, "metadata"),
    (Kind::Revisit, "revisit"),
    (Kind::Conversion, "conversion"),
    (Kind::Continuation, "continuation"),
    (Kind::Unknown, "unknown"),
];

impl Kind {
    /// The name of the kind; `unknown` for all that the standard does not name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        KINDS.iter().find(|(kind, _)| *kind == self).map_or("unknown", |(_, name)| name)
    }
}

/// What stands at the beginning of some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// A head, so many bytes long.
    Head(usize),
    /// A head that does not end within the bytes.
    Unfinished,
    /// No head.
    None,
}

/// Measures the head that begins with the first byte.
#[must_use]
pub fn measure(bytes: &[u8]) -> Measure {
    if is_warc(bytes) {
        return fields::length_to_empty_line(bytes).map_or(Measure::Unfinished, Measure::Head);
    }
    if matches!(bytes.len(), 1..6) && bytes.eq_ignore_ascii_case(&b"WARC/"[..bytes.len().min(5)]) {
        return Measure::Unfinished;
    }
    let line = first_line(bytes);
    if ArcLine::parse(line).is_none() {
        Measure::None
    } else if line.ends_with(b"\n") {
        Measure::Head(line.len())
    } else {
        Measure::Unfinished
    }
}

/// Whether a head begins with the first byte, however much of it there is.
#[must_use]
pub fn begins(bytes: &[u8]) -> bool {
    is_warc(bytes) || ArcLine::parse(first_line(bytes)).is_some()
}

fn is_warc(bytes: &[u8]) -> bool {
    bytes.get(..5).is_some_and(|name| name.eq_ignore_ascii_case(b"WARC/")) && bytes.get(5).is_some_and(u8::is_ascii_digit)
}

impl<'a> Head<'a> {
    /// The head that `bytes` begin with.
    #[must_use]
    pub fn parse(bytes: &'a [u8]) -> Option<Head<'a>> {
        let line = first_line(bytes);
        if is_warc(bytes) { Some(Head::Warc(Fields::new(&bytes[line.len()..]))) } else { ArcLine::parse(line).map(Head::Arc) }
    }

    /// A field of a WARC head.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<String> {
        match self {
            Head::Warc(fields) => fields.text(name).filter(|value| !value.is_empty()),
            Head::Arc(_) => None,
        }
    }

    /// The kind of record.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Head::Warc(fields) => {
                let name = fields.get("warc-type").unwrap_or_default();
                KINDS.iter().find(|(_, known)| name.eq_ignore_ascii_case(known.as_bytes())).map_or(Kind::Unknown, |(kind, _)| *kind)
            }
            Head::Arc(line) if line.is_file_head() => Kind::Warcinfo,
            Head::Arc(_) => Kind::Response,
        }
    }

    /// The kind as the record itself calls it, in lower case.
    #[must_use]
    pub fn kind_as_written(&self) -> String {
        self.field("warc-type").map_or_else(|| self.kind().as_str().to_owned(), |name| name.to_lowercase())
    }

    /// How many bytes the block has, as the head claims.
    #[must_use]
    pub fn block_length(&self) -> Option<u64> {
        let digits = match self {
            Head::Warc(fields) => fields.get("content-length")?,
            Head::Arc(line) => line.length.into(),
        };
        std::str::from_utf8(&digits).ok()?.parse().ok()
    }

    /// The address as recorded, without the angle brackets that some writers put around it.
    #[must_use]
    pub fn url(&self) -> Option<String> {
        match self {
            Head::Warc(_) => self.field("warc-target-uri").map(|uri| match uri.strip_prefix('<').and_then(|uri| uri.strip_suffix('>')) {
                Some(bare) => bare.to_owned(),
                None => uri,
            }),
            Head::Arc(line) => Some(fields::text(line.url)),
        }
    }

    /// When it was captured, as written.
    #[must_use]
    pub fn date(&self) -> Option<String> {
        match self {
            Head::Warc(_) => self.field("warc-date"),
            Head::Arc(line) => Some(fields::text(line.date)),
        }
    }

    /// When it was captured: ms since 1970, UTC.
    #[must_use]
    pub fn fetched_at(&self) -> Option<i64> {
        date::milliseconds(&self.date()?)
    }

    /// The type of the block, as written.
    #[must_use]
    pub fn content_type(&self) -> Option<String> {
        match self {
            Head::Warc(_) => self.field("content-type"),
            Head::Arc(line) => Some(fields::text(line.content_type)),
        }
    }

    /// Whether the block may begin with an HTTP head: in WARC its type says so, in ARC only the block itself can tell.
    #[must_use]
    pub fn may_hold_http(&self) -> bool {
        match self {
            Head::Warc(_) => self.content_type().is_none_or(|kind| kind.to_ascii_lowercase().starts_with("application/http")),
            Head::Arc(line) => !line.is_file_head(),
        }
    }
}

impl<'a> ArcLine<'a> {
    fn parse(line: &'a [u8]) -> Option<ArcLine<'a>> {
        let line = line.trim_ascii_end();
        let words: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
        let (length, content_type) = (words.last()?, words.get(words.len().checked_sub(2)?)?);
        if line.starts_with(b"filedesc:") {
            return Some(ArcLine { url: words[0], date: words.get(2)?, content_type, length });
        }
        // Version 1 has two fields behind the date, version 2 seven.
        let date = (2..words.len() - 2).rev().find(|at| is_date(words[*at]) && is_address(words[at - 1]))?;
        let url = &line[..words[..date - 1].iter().map(|word| word.len() + 1).sum::<usize>() - 1];
        memchr::memchr(b':', url)?;
        Some(ArcLine { url, date: words[date], content_type: words[date + 1], length })
    }

    fn is_file_head(&self) -> bool {
        self.url.starts_with(b"filedesc:")
    }
}

fn is_date(word: &[u8]) -> bool {
    word == b"null" || (matches!(word.len(), 8..=18) && word.iter().all(u8::is_ascii_digit))
}

fn is_address(word: &[u8]) -> bool {
    let digits = word.iter().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':'));
    word == b"-" || (digits && word.iter().any(|byte| matches!(byte, b'.' | b':')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warc_head_is_read_whatever_its_case_and_line_ends() {
        let bytes =
            b"warc/1.1\nwarc-type: RESPONSE\nwarc-target-uri: <https://www.example.mt/>\ncontent-length: 5\nWARC-Date: 2026-05-01\n\nbongu";
        assert_eq!(measure(bytes), Measure::Head(bytes.len() - 5));
        let head = Head::parse(bytes).unwrap();
        assert_eq!(head.kind(), Kind::Response);
        assert_eq!(head.url().as_deref(), Some("https://www.example.mt/"));
        assert_eq!(head.block_length(), Some(5));
        assert_eq!(head.fetched_at(), Some(1_777_593_600_000));
        assert_eq!(measure(&bytes[..40]), Measure::Unfinished);
    }

    #[test]
    fn arc_lines_of_both_versions_are_read_around_address_and_date() {
        let one = b"http://example.pt/a b c 10.0.0.1 20140216050221 text/html 1591\r\n";
        let two = b"http://example.pt/ 10.0.0.1 20140216050221 text/html 200 XYZ - 4711 x.arc 99\n";
        let head = Head::parse(one).unwrap();
        assert_eq!((head.url().as_deref(), head.block_length()), (Some("http://example.pt/a b c"), Some(1591)));
        let head = Head::parse(two).unwrap();
        assert_eq!((head.content_type().as_deref(), head.block_length()), (Some("text/html"), Some(99)));
        assert_eq!(Head::parse(b"filedesc://x.arc 0.0.0.0 20060305082251 text/plain 76\n").unwrap().kind(), Kind::Warcinfo);
        for prose in [&b"The monkeys are coming!\n"[..], b"2 0 InternetArchive\n", b"\n", b"a: b c d e f g\n", b""] {
            assert_eq!(measure(prose), Measure::None, "{}", fields::text(prose));
        }
    }
}
