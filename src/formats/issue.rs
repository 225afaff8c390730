//! An issue of a newspaper, or a book, whose pages lie in files of their own: METS says which pages and in which order (loc.gov/standards/mets),
//! each page is a file of its recognised text. Together they are one document.
//!
//! The container's reader puts METS and pages into one piece with [`pack`], as documents are made of one piece.

use std::collections::BTreeMap;

use super::kind::{Kind, kind_of};
use super::marked::{Field, state};
use super::xml::{Rigour, Tag, Visit, walk};
use super::{Fault, Paper, as_text, ocr};

/// How a packed issue begins.
pub(super) const MAGIC: &[u8] = b"\0tamis issue\n";
/// Pages of one issue.
const PAGES_MAX: usize = 20_000;

/// Puts METS and pages into one piece.
#[must_use]
pub fn pack(mets: &[u8], pages: &[Vec<u8>]) -> Vec<u8> {
    let whole = MAGIC.len() + 4 + mets.len() + pages.iter().map(|page| page.len() + 4).sum::<usize>();
    let mut packed = Vec::with_capacity(whole);
    packed.extend_from_slice(MAGIC);
    for piece in std::iter::once(mets).chain(pages.iter().map(Vec::as_slice)) {
        packed.extend_from_slice(&(piece.len() as u32).to_le_bytes());
        packed.extend_from_slice(piece);
    }
    packed
}

/// The files of the pages that a METS file names, in the order of its physical structure; none where it names no pages.
///
/// # Errors
/// Where it cannot be read.
pub fn pages_of(mets: &[u8]) -> Result<Vec<String>, Fault> {
    let mut reading = Reading::default();
    walk(&as_text(mets.to_vec()), Rigour::Xml, &mut reading)?;
    Ok(reading.pages())
}

/// Reads a packed issue. A page that cannot be read is left out, unless it is the only one.
pub(super) fn read(packed: &[u8]) -> Result<Paper, Fault> {
    let mut pieces = Pieces(packed.get(MAGIC.len()..).unwrap_or_default());
    let mut about = Reading::default();
    walk(&as_text(pieces.next().unwrap_or_default().to_vec()), Rigour::Xml, &mut about)?;
    let mut whole = about.paper;
    let (mut text, mut sure, mut letters, mut fault) = (String::new(), 0.0_f64, 0.0_f64, Fault::NoText);
    for page in pieces {
        match read_page(page) {
            Ok(page) => {
                let count = page.text.chars().count() as f64;
                if let Some(confidence) = page.ocr_confidence {
                    sure += f64::from(confidence) * count;
                    letters += count;
                }
                whole.lang = whole.lang.or(page.lang);
                // A word that is divided at the end of a page goes on with the next one.
                ocr::append_page(&mut text, &page.text);
            }
            Err(why) => fault = why,
        }
    }
    if text.is_empty() {
        return Err(fault);
    }
    Ok(Paper { text, ocr_confidence: (letters > 0.0).then(|| (sure / letters) as f32), ..whole })
}

fn read_page(page: &[u8]) -> Result<Paper, Fault> {
    match kind_of("", page) {
        Kind::Alto => ocr::alto(&as_text(page.to_vec())),
        Kind::PageXml => ocr::page_xml(&as_text(page.to_vec())),
        Kind::Hocr => ocr::hocr(&as_text(page.to_vec())),
        _ => Err(Fault::UnknownFormat),
    }
}

/// The pieces of a packed issue.
struct Pieces<'p>(&'p [u8]);

impl<'p> Iterator for Pieces<'p> {
    type Item = &'p [u8];

    fn next(&mut self) -> Option<&'p [u8]> {
        let (length, rest) = self.0.split_first_chunk::<4>()?;
        let length = (u32::from_le_bytes(*length) as usize).min(rest.len());
        let (piece, rest) = rest.split_at(length);
        self.0 = rest;
        Some(piece)
    }
}

/// What is read of METS.
#[derive(Default)]
struct Reading {
    paper: Paper,
    names: Vec<String>,
    text: String,
    /// Files by their id.
    files: BTreeMap<String, String>,
    /// The file that is open.
    file: String,
    /// Whether the structure map that is open is the physical one, and whether there is one.
    in_physical: bool,
    has_physical: bool,
    in_map: bool,
    /// Orders of the divisions that are open.
    orders: Vec<u64>,
    /// Files of pages: where they stand, whether in the physical map, and the id of the file.
    pointers: Vec<(Vec<u64>, bool, String)>,
    /// Divisions that came, for those that state no order.
    count: u64,
}

impl Reading {
    fn pages(mut self) -> Vec<String> {
        let wanted = self.has_physical;
        self.pointers.retain(|(_, physical, _)| *physical == wanted);
        self.pointers.sort_by(|(one, ..), (other, ..)| one.cmp(other));
        let mut pages: Vec<String> = Vec::new();
        let is_text = |href: &str| !href.is_empty() && href.to_ascii_lowercase().ends_with(".xml");
        for href in self.pointers.iter().filter_map(|(.., id)| self.files.get(id)).filter(|href| is_text(href)) {
            if pages.last() != Some(href) && pages.len() < PAGES_MAX {
                pages.push(href.clone());
            }
        }
        pages
    }

    fn stands_in(&self, name: &str) -> bool {
        self.names.iter().any(|open| open == name)
    }
}

impl Visit for Reading {
    fn open(&mut self, name: &str, tag: &Tag<'_>) {
        self.text.clear();
        match name {
            "file" => self.file = tag.attribute("ID").unwrap_or_default().into_owned(),
            "FLocat" => {
                let href = tag.attribute("href").unwrap_or_default().into_owned();
                self.files.insert(self.file.clone(), href);
            }
            "structMap" => {
                self.in_map = true;
                self.in_physical = tag.attribute("TYPE").is_some_and(|kind| kind.eq_ignore_ascii_case("physical"));
                self.has_physical |= self.in_physical;
            }
            "div" if self.in_map => {
                self.count += 1;
                let stated = tag.attribute("ORDER").and_then(|order| order.trim().parse().ok());
                self.orders.push(stated.unwrap_or(self.count));
            }
            "fptr" | "area" if self.in_map => {
                if let Some(id) = tag.attribute("FILEID") {
                    self.pointers.push((self.orders.clone(), self.in_physical, id.into_owned()));
                }
            }
            _ => {}
        }
        self.names.push(name.to_owned());
    }

    fn close(&mut self) {
        let name = self.names.pop().unwrap_or_default();
        let text = std::mem::take(&mut self.text);
        match name.as_str() {
            "structMap" => (self.in_map, self.in_physical) = (false, false),
            "div" if self.in_map => drop(self.orders.pop()),
            // What a part of the issue is called says nothing of the whole, and the whole comes first.
            "title" if self.stands_in("mods") => state(&mut self.paper, Field::Title, &text),
            "dateIssued" => state(&mut self.paper, Field::Published, &text),
            "languageTerm" => state(&mut self.paper, Field::Lang, &text),
            "accessCondition" | "license" => state(&mut self.paper, Field::Licence, &text),
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        self.text.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const METS: &str = "<mets:mets xmlns:mets='m' xmlns:mods='o'><mets:dmdSec><mods:mods><mods:titleInfo><mods:title>Vakarų žinios</mods:title></mods:titleInfo>\
        <mods:originInfo><mods:dateIssued>1911-05-02</mods:dateIssued></mods:originInfo><mods:language><mods:languageTerm>lit</mods:languageTerm></mods:language>\
        </mods:mods></mets:dmdSec><mets:fileSec><mets:fileGrp><mets:file ID='I1'><mets:FLocat xlink:href='file://./img/1.tif'/></mets:file>\
        <mets:file ID='A1'><mets:FLocat xlink:href='file://./alto/b.xml'/></mets:file><mets:file ID='A2'><mets:FLocat xlink:href='file://./alto/a.xml'/></mets:file>\
        </mets:fileGrp></mets:fileSec><mets:structMap TYPE='LOGICAL'><mets:div><mets:fptr FILEID='A2'/></mets:div></mets:structMap>\
        <mets:structMap TYPE='PHYSICAL'><mets:div ORDER='1'><mets:div ORDER='2'><mets:fptr FILEID='A2'/></mets:div>\
        <mets:div ORDER='1'><mets:fptr FILEID='I1'/><mets:fptr><mets:area FILEID='A1'/></mets:fptr></mets:div></mets:div></mets:structMap></mets:mets>";

    fn alto(line: &str, sure: &str) -> Vec<u8> {
        let words: String = line.split(' ').map(|word| format!("<String CONTENT=\"{word}\" WC=\"{sure}\"/>")).collect();
        format!("<alto><Layout><TextBlock><TextLine>{words}</TextLine></TextBlock></Layout></alto>").into_bytes()
    }

    #[test]
    fn pages_stand_in_the_order_of_the_physical_structure_and_pictures_are_none() {
        assert_eq!(pages_of(METS.as_bytes()), Ok(vec!["file://./alto/b.xml".to_owned(), "file://./alto/a.xml".to_owned()]));
        assert_eq!(pages_of(b"<mets><dmdSec/></mets>"), Ok(Vec::new()));
    }

    #[test]
    fn an_issue_is_one_text_with_what_mets_says_of_it() {
        let packed = pack(METS.as_bytes(), &[alto("Laivas išplaukė į jū-", "1.0"), b"<alto>".to_vec(), alto("rą anksti.", "0.5")]);
        let paper = read(&packed).expect("an issue");
        assert_eq!(paper.text, "Laivas išplaukė į jūrą anksti.");
        assert_eq!(
            (paper.title.as_deref(), paper.published.as_deref(), paper.lang.as_deref()),
            (Some("Vakarų žinios"), Some("1911-05-02"), Some("lit"))
        );
        assert!(paper.ocr_confidence.is_some_and(|sure| (0.8..0.9).contains(&sure)), "{:?}", paper.ocr_confidence);
        for cut in 0..packed.len() {
            let _ = read(&packed[..cut]);
        }
        assert_eq!(read(&pack(METS.as_bytes(), &[])), Err(Fault::NoText));
    }
}
