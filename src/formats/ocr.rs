//! What character recognition leaves: ALTO, PAGE XML and hOCR. All three are pages of regions of lines, so one collector puts them in
//! order, joins what was hyphenated and weighs how sure the machine was.
//!
//! A region is a paragraph and its lines stay together, so columns are not mixed where the regions were told apart. The reading order
//! is the one stated; what it does not name follows in the order of the file.

use std::collections::HashMap;

use super::xml::{Rigour, Tag, Visit, walk};
use super::{Fault, Paper};

#[derive(Default)]
struct Region {
    id: String,
    lines: Vec<String>,
    /// Text of the whole region, for those that have no lines.
    whole: String,
    /// Page numbers and running heads are no text.
    dropped: bool,
}

/// The regions of a file, as they are read.
#[derive(Default)]
struct Collector {
    regions: Vec<Region>,
    /// Stated order: rank and id of a region.
    order: Vec<(usize, String)>,
    /// Sum of confidences, each times the letters of its word.
    sure: f64,
    letters: f64,
    lang: Option<String>,
}

impl Collector {
    fn begin_region(&mut self, id: String) {
        self.regions.push(Region { id, ..Region::default() });
    }

    fn region(&mut self) -> &mut Region {
        if self.regions.is_empty() {
            self.begin_region(String::new());
        }
        self.regions.last_mut().expect("one was just made")
    }

    fn begin_line(&mut self) {
        self.region().lines.push(String::new());
    }

    fn line(&mut self) -> &mut String {
        if self.region().lines.is_empty() {
            self.begin_line();
        }
        self.region().lines.last_mut().expect("one was just made")
    }

    fn word(&mut self, word: &str) {
        let line = self.line();
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word.trim());
    }

    /// `confidence` is from 0 to 1; what is none of that is not counted.
    fn weigh(&mut self, word: &str, confidence: Option<f64>) {
        if let Some(confidence) = confidence.filter(|confidence| (0.0..=1.0).contains(confidence)) {
            let letters = word.chars().count() as f64;
            self.sure += confidence * letters;
            self.letters += letters;
        }
    }

    fn finish(mut self) -> Paper {
        self.sort();
        let mut text = String::new();
        for region in self.regions.iter().filter(|region| !region.dropped) {
            let lines: Vec<&str> = match region.lines.is_empty() {
                true => region.whole.lines().collect(),
                false => region.lines.iter().map(String::as_str).collect(),
            };
            let paragraph = joined(&lines);
            if !paragraph.is_empty() {
                text.push_str(&paragraph);
                text.push('\n');
            }
        }
        text.truncate(text.trim_end().len());
        let ocr_confidence = (self.letters > 0.0).then(|| (self.sure / self.letters) as f32);
        Paper { text, lang: self.lang, ocr_confidence, ..Paper::default() }
    }

    fn sort(&mut self) {
        self.order.sort_by_key(|(rank, _)| *rank);
        let mut ranks: HashMap<&str, usize> = HashMap::new();
        for (place, (_, id)) in self.order.iter().enumerate() {
            ranks.entry(id).or_insert(place);
        }
        self.regions.sort_by_cached_key(|region| ranks.get(region.id.as_str()).copied().unwrap_or(usize::MAX));
    }
}

/// Lines as one paragraph. A word that was divided at the end of a line is whole again.
pub(super) fn joined(lines: &[&str]) -> String {
    let mut out = String::new();
    for line in lines.iter().map(|line| line.trim()).filter(|line| !line.is_empty()) {
        if let Some(stem) = divided(&out, line) {
            out.truncate(stem);
        } else if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(line);
    }
    out
}

/// Adds the text of the next page; a word that was divided at the end of the one before is whole again.
pub(super) fn append_page(text: &mut String, page: &str) {
    match divided(text, page) {
        Some(stem) => text.truncate(stem),
        None if text.is_empty() => {}
        None => text.push('\n'),
    }
    text.push_str(page);
}

/// How much of `text` stays where its last word goes on in `next`: a hyphen behind a letter, and a small letter in front of it.
fn divided(text: &str, next: &str) -> Option<usize> {
    let hyphen = text.chars().next_back().filter(|sign| matches!(sign, '-' | '\u{ad}' | '\u{2010}' | '¬' | '⸗' | '='))?;
    let stem = &text[..text.len() - hyphen.len_utf8()];
    let goes_on = stem.chars().next_back().is_some_and(char::is_alphabetic) && next.chars().next().is_some_and(char::is_lowercase);
    goes_on.then_some(stem.len())
}

/// Reads an ALTO file.
pub(super) fn alto(xml: &str) -> Result<Paper, Fault> {
    let mut alto = Alto::default();
    walk(xml, Rigour::Xml, &mut alto)?;
    Ok(alto.0.finish())
}

#[derive(Default)]
struct Alto(Collector);

impl Visit for Alto {
    fn open(&mut self, name: &str, tag: &Tag<'_>) {
        let value = |name| tag.attribute(name).unwrap_or_default().into_owned();
        match name {
            "String" => self.string(tag),
            "TextLine" => self.0.begin_line(),
            "TextBlock" => {
                self.0.begin_region(value("ID"));
                self.0.lang = self.0.lang.take().or_else(|| tag.attribute("LANG").map(Into::into));
            }
            "ElementRef" => {
                let rank = self.0.order.len();
                self.0.order.push((rank, value("REF")));
            }
            // A word that was not marked as divided still is where its hyphen is.
            "HYP" => {
                let line = self.0.line();
                if !line.is_empty() && !line.ends_with(['-', '\u{ad}', '¬']) {
                    line.push('-');
                }
            }
            _ => {}
        }
    }

    fn close(&mut self) {}

    fn text(&mut self, _: &str) {}
}

impl Alto {
    fn string(&mut self, tag: &Tag<'_>) {
        let content = tag.attribute("CONTENT").unwrap_or_default();
        let confidence = tag.attribute("WC").and_then(|value| value.parse().ok());
        self.0.weigh(&content, confidence);
        self.0.word(&content);
    }
}

/// Reads a PAGE XML file.
pub(super) fn page_xml(xml: &str) -> Result<Paper, Fault> {
    let mut page = PageXml::default();
    walk(xml, Rigour::Xml, &mut page)?;
    Ok(page.collector.finish())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Region,
    Line,
    /// A word or a glyph, whose text the line has too.
    Word,
    /// A reading; whether it is the first of its line or region.
    Equiv(bool),
    Unicode,
    Other,
}

#[derive(Default)]
struct PageXml {
    collector: Collector,
    open: Vec<Part>,
    confidence: Option<f64>,
    unicode: String,
}

impl Visit for PageXml {
    fn open(&mut self, name: &str, tag: &Tag<'_>) {
        let within_word = self.open.contains(&Part::Word);
        let part = match name {
            "TextRegion" => {
                self.collector.begin_region(tag.attribute("id").unwrap_or_default().into_owned());
                self.collector.region().dropped = tag.attribute("type").is_some_and(|kind| {
                    matches!(&*kind, "page-number" | "header" | "footer" | "signature-mark" | "catch-word" | "marginalia")
                });
                Part::Region
            }
            "TextLine" => {
                self.collector.begin_line();
                Part::Line
            }
            "Word" | "Glyph" => Part::Word,
            "TextEquiv" if !within_word => {
                self.confidence = tag.attribute("conf").and_then(|value| value.parse().ok());
                let is_first = match self.open.last() {
                    Some(Part::Line) => self.collector.line().is_empty(),
                    _ => self.collector.region().whole.is_empty(),
                };
                Part::Equiv(is_first)
            }
            "Unicode" if self.open.last() == Some(&Part::Equiv(true)) => {
                self.unicode.clear();
                Part::Unicode
            }
            "RegionRefIndexed" | "RegionRef" => {
                let rank = tag.attribute("index").and_then(|index| index.parse().ok()).unwrap_or(self.collector.order.len());
                self.collector.order.push((rank, tag.attribute("regionRef").unwrap_or_default().into_owned()));
                Part::Other
            }
            _ => Part::Other,
        };
        if part == Part::Line || part == Part::Region {
            let lang = tag.attribute("primaryLanguage").map(Into::into);
            self.collector.lang = self.collector.lang.take().or(lang);
        }
        self.open.push(part);
    }

    fn close(&mut self) {
        if self.open.pop() != Some(Part::Unicode) {
            return;
        }
        let text = std::mem::take(&mut self.unicode);
        // The reading stands in a line or in a region.
        if self.open.iter().rev().nth(1) == Some(&Part::Line) {
            let confidence = self.confidence.take();
            self.collector.weigh(&text, confidence);
            self.collector.word(&text);
        } else {
            self.collector.region().whole = text;
        }
    }

    fn text(&mut self, text: &str) {
        if self.open.last() == Some(&Part::Unicode) {
            self.unicode.push_str(text);
        }
    }
}

/// Reads an hOCR file.
pub(super) fn hocr(html: &str) -> Result<Paper, Fault> {
    let mut hocr = Hocr::default();
    walk(html, Rigour::Html, &mut hocr)?;
    Ok(hocr.collector.finish())
}

#[derive(Default)]
struct Hocr {
    collector: Collector,
    /// Whether each open element is a word, with its confidence.
    open: Vec<Option<Option<f64>>>,
    word: String,
}

impl Visit for Hocr {
    fn open(&mut self, _: &str, tag: &Tag<'_>) {
        let class = tag.attribute("class").unwrap_or_default();
        let class = class.split_ascii_whitespace().find(|class| class.starts_with("ocr")).unwrap_or("");
        let mut word = None;
        match class {
            "ocr_par" => {
                self.collector.begin_region(String::new());
                self.collector.lang = self.collector.lang.take().or_else(|| tag.attribute("lang").map(Into::into));
            }
            "ocr_line" | "ocr_header" | "ocr_caption" | "ocr_textfloat" => self.collector.begin_line(),
            "ocrx_word" | "ocr_word" => {
                let title = tag.attribute("title").unwrap_or_default();
                let stated = title.split(';').find_map(|part| part.trim().strip_prefix("x_wconf ")?.trim().parse::<f64>().ok());
                word = Some(stated.map(|percent| percent / 100.0));
                self.word.clear();
            }
            _ => {}
        }
        self.open.push(word);
    }

    fn close(&mut self) {
        if let Some(Some(confidence)) = self.open.pop() {
            let word = std::mem::take(&mut self.word);
            if !word.trim().is_empty() {
                self.collector.weigh(word.trim(), confidence);
                self.collector.word(&word);
            }
        }
    }

    fn text(&mut self, text: &str) {
        if self.open.iter().rev().take(4).any(Option::is_some) {
            self.word.push_str(text);
        }
    }
}
