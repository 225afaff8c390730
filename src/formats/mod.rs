//! What stands in files that are no web pages: encyclopaedias, digitised books, laws, minutes, office documents. Each format is a pure
//! function from bytes to a [`Paper`]; how files are found, opened and cut is the sources' part.
//!
//! Everything works in time linear in its input and within limits of depth and size, because these files come from strangers too.

mod bundle;
mod entities;
pub mod eurlex;
pub mod issue;
mod kind;
mod marked;
pub mod oai;
mod ocr;
mod pdf;
mod prose;
mod styles;
pub mod wiki;
mod xml;

pub use bundle::Limits;
pub use kind::{Kind, kind_of};

/// What a file says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Paper {
    /// Plain text, a paragraph a line.
    pub text: String,
    /// Title, where one is stated.
    pub title: Option<String>,
    /// Who wrote it.
    pub author: Option<String>,
    /// Language as stated.
    pub lang: Option<String>,
    /// Date of publication or session as stated.
    pub published: Option<String>,
    /// Licence as stated: a name, an address, or a sentence.
    pub licence: Option<String>,
    /// Address as stated.
    pub url: Option<String>,
    /// The CELEX number of a document of EU law.
    pub celex: Option<String>,
    /// Statements on text and data mining, as the headers of a response would make them: `tdm-reservation`, `tdm-policy`.
    pub policies: Vec<(String, String)>,
    /// How sure a character recognition was of its words, 0 to 1, weighed by their length.
    pub ocr_confidence: Option<f32>,
}

/// Why a file gives no text. The reasons are those under which sources drop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The markup breaks its own rules.
    MalformedXml,
    /// It declares entities, with which a few bytes can become gigabytes; they are not expanded, and none is fetched.
    XmlEntities,
    /// Elements stand inside of each other more than [`xml::DEPTH_MAX`] deep.
    TooDeep,
    /// The package (zip) cannot be read, or lacks what its format asks for.
    MalformedPackage,
    /// It unpacks to more than the limit.
    TooLarge,
    /// It is encrypted.
    Encrypted,
    /// Nothing in it is text: scanned pages without recognition, for example.
    NoText,
    /// It is of no kind that is read.
    UnknownFormat,
    /// The PDF cannot be read.
    MalformedPdf,
}

impl Fault {
    const ALL: [Fault; 9] = [
        Fault::MalformedXml,
        Fault::XmlEntities,
        Fault::TooDeep,
        Fault::MalformedPackage,
        Fault::TooLarge,
        Fault::Encrypted,
        Fault::NoText,
        Fault::UnknownFormat,
        Fault::MalformedPdf,
    ];

    /// All reasons.
    pub const REASONS: &'static [&'static str] = &Fault::reasons();

    const fn reasons() -> [&'static str; Fault::ALL.len()] {
        let mut reasons = [""; Fault::ALL.len()];
        let mut at = 0;
        while at < reasons.len() {
            reasons[at] = Fault::ALL[at].reason();
            at += 1;
        }
        reasons
    }

    /// As a reason for a drop.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Fault::MalformedXml => "malformed-xml",
            Fault::XmlEntities => "xml-entities",
            Fault::TooDeep => "too-deep",
            Fault::MalformedPackage => "malformed-package",
            Fault::TooLarge => "unpacks-too-large",
            Fault::Encrypted => "encrypted",
            Fault::NoText => "no-text",
            Fault::UnknownFormat => "unknown-format",
            Fault::MalformedPdf => "malformed-pdf",
        }
    }
}

/// Reads a file of the kind named.
///
/// # Errors
/// Why it gives no text.
pub fn read(kind: Kind, bytes: Vec<u8>, limits: &Limits) -> Result<Paper, Fault> {
    let paper = match kind {
        Kind::Tei => marked::read(&as_text(bytes), &styles::TEI),
        Kind::AkomaNtoso => marked::read(&as_text(bytes), &styles::AKOMA_NTOSO),
        Kind::Formex => eurlex::formex(&as_text(bytes)),
        Kind::Xhtml => eurlex::xhtml(&as_text(bytes)),
        Kind::Alto => ocr::alto(&as_text(bytes)),
        Kind::PageXml => ocr::page_xml(&as_text(bytes)),
        Kind::Hocr => ocr::hocr(&as_text(bytes)),
        Kind::Issue => issue::read(&bytes),
        Kind::Epub => bundle::epub(&bytes, limits),
        Kind::OpenDocument => bundle::open_document(&bytes, limits),
        Kind::Docx => bundle::docx(&bytes, limits),
        Kind::Pdf => pdf::read(bytes, limits),
        Kind::Plain => Ok(Paper { text: plain(&decoded(bytes, false)), ..Paper::default() }),
        Kind::Unknown => Err(Fault::UnknownFormat),
    }?;
    if paper.text.trim().is_empty() && paper.policies.is_empty() { Err(Fault::NoText) } else { Ok(paper) }
}

fn as_text(bytes: Vec<u8>) -> String {
    decoded(bytes, true)
}

/// Text in whatever encoding it is declared to be in, or looks like.
fn decoded(bytes: Vec<u8>, markup: bool) -> String {
    crate::archive::charset::decode(bytes, crate::archive::charset::Hints { markup, ..Default::default() }).0
}

/// Plain text with one kind of line end.
fn plain(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace(['\r', '\u{c}'], "\n");
    text.trim().to_owned()
}

#[cfg(test)]
mod tests;
