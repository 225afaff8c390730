//! Tells what a file is: by its first bytes, and by its name only where they say nothing, because archives are full of wrong endings.

use memchr::memmem;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Tei,
    AkomaNtoso,
    Formex,
    Xhtml,
    Alto,
    PageXml,
    Hocr,
    /// METS with the pages that it names; see [`super::issue`].
    Issue,
    Epub,
    OpenDocument,
    Docx,
    Pdf,
    Plain,
    Unknown,
}

impl Kind {
    /// All kinds that are read.
    pub const ALL: &'static [Kind] = &[
        Kind::Tei,
        Kind::AkomaNtoso,
        Kind::Formex,
        Kind::Xhtml,
        Kind::Alto,
        Kind::PageXml,
        Kind::Hocr,
        Kind::Issue,
        Kind::Epub,
        Kind::OpenDocument,
        Kind::Docx,
        Kind::Pdf,
        Kind::Plain,
    ];

    /// In a word, as settings and documentation name it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Tei => "tei",
            Kind::AkomaNtoso => "akoma-ntoso",
            Kind::Formex => "formex",
            Kind::Xhtml => "xhtml",
            Kind::Alto => "alto",
            Kind::PageXml => "page-xml",
            Kind::Hocr => "hocr",
            Kind::Issue => "mets",
            Kind::Epub => "epub",
            Kind::OpenDocument => "odt",
            Kind::Docx => "docx",
            Kind::Pdf => "pdf",
            Kind::Plain => "plain",
            Kind::Unknown => "unknown",
        }
    }
}

/// How far into a file its root element is looked for.
const HEAD_BYTES: usize = 64 << 10;
/// Where the content of the first member of a zip stands if its name is `mimetype`: behind 30 bytes of head and the name.
const MIMETYPE: std::ops::Range<usize> = 30..100;

/// What the file called `name` is.
#[must_use]
pub fn kind_of(name: &str, bytes: &[u8]) -> Kind {
    if bytes.starts_with(b"PK\x03\x04") {
        return kind_of_package(bytes);
    }
    if bytes.starts_with(super::issue::MAGIC) {
        return Kind::Issue;
    }
    if memmem::find(&bytes[..bytes.len().min(1024)], b"%PDF-").is_some() {
        return Kind::Pdf;
    }
    // UTF-16 shows its markup once the zeros are gone.
    let head: Vec<u8> = bytes.iter().take(HEAD_BYTES).copied().filter(|byte| *byte != 0).collect();
    let head = String::from_utf8_lossy(&head);
    if let Some(root) = root_of(&head) {
        return kind_of_root(root, &head);
    }
    let name = name.to_ascii_lowercase();
    let is_text = [".txt", ".text", ".md"].iter().any(|ending| name.ends_with(ending)) && !has_controls(bytes);
    if is_text { Kind::Plain } else { Kind::Unknown }
}

fn kind_of_package(bytes: &[u8]) -> Kind {
    let first = bytes.get(MIMETYPE).unwrap_or(&[]);
    if first.starts_with(b"mimetypeapplication/epub+zip") {
        Kind::Epub
    } else if first.starts_with(b"mimetypeapplication/vnd.oasis.opendocument.text") {
        Kind::OpenDocument
    } else if memmem::find(bytes, b"word/document.xml").is_some() {
        Kind::Docx
    } else if memmem::find(bytes, b"META-INF/container.xml").is_some() {
        Kind::Epub
    } else {
        Kind::Unknown
    }
}

fn kind_of_root(root: &str, head: &str) -> Kind {
    match root {
        "TEI" | "TEI.2" | "teiCorpus" => Kind::Tei,
        "akomaNtoso" => Kind::AkomaNtoso,
        "alto" => Kind::Alto,
        "PcGts" => Kind::PageXml,
        "html" | "HTML" if head.contains("ocr_page") || head.contains("ocr-system") => Kind::Hocr,
        "html" | "HTML" => Kind::Xhtml,
        "ACT" | "CONS.ACT" | "AGR" | "GENERAL" | "JUDGMENT" | "OPINION" | "ORDER" | "ANNEX" | "CORR" | "DECISION.ECB" | "SUMMARY"
        | "CONS.ANNEX" | "CONS.DOC" | "CONCLUSION" | "CASE" | "LETTER" | "PROPOSAL" => Kind::Formex,
        _ => Kind::Unknown,
    }
}

/// The name of the root element, without prefix.
fn root_of(head: &str) -> Option<&str> {
    let mut rest = head.trim_start_matches(['\u{feff}', '\u{fffd}']).trim_start();
    loop {
        rest = rest.trim_start();
        rest = if let Some(comment) = rest.strip_prefix("<!--") {
            comment.split_once("-->")?.1
        } else if rest.starts_with("<?") {
            rest.split_once("?>")?.1
        } else if rest.get(..9).is_some_and(|begin| begin.eq_ignore_ascii_case("<!doctype")) {
            let end = rest.find('>')?;
            match rest[..end].contains('[') {
                true => rest.split_once("]")?.1.split_once('>')?.1,
                false => &rest[end + 1..],
            }
        } else {
            let name = rest.strip_prefix('<')?;
            let end = name.find(|sign: char| sign.is_whitespace() || matches!(sign, '>' | '/'))?;
            return name[..end].rsplit(':').next().filter(|name| name.starts_with(|letter: char| letter.is_alphabetic()));
        };
    }
}

/// Whether the beginning has signs that no text has; those of UTF-16 are its zeros.
fn has_controls(bytes: &[u8]) -> bool {
    let is_wide = bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff");
    !is_wide && bytes.iter().take(4096).any(|byte| matches!(byte, 0..=8 | 14..=26 | 28..=31))
}
