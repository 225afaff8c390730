//! Cuts a text into segments and gathers the evidence of each, in one pass.
//!
//! A segment is a paragraph or a run of them with enough letters to be judged. Lines that are too short to be sentences (menus, buttons,
//! captions) go into a segment of their own that counts only where there is little else. What is mostly figures or program code has no
//! language, whatever words it contains.

use super::letters::Family;
use super::model::{Evidence, Model};
use super::ngrams::{Sink, read};
use crate::text::script::ScriptCount;

/// A run of lines is closed once it has so many bytes of letters.
const SEGMENT_LETTER_BYTES_MIN: u32 = 120;
/// A longer line is cut behind the first sentence that ends after so many bytes.
const SENTENCES_BYTES_MIN: usize = 300;
/// A line with fewer bytes of letters is a scrap, unless it ends as sentences do.
const SENTENCE_LETTER_BYTES_MIN: u32 = 40;
/// Of the bytes that are no blanks, at least one in so many must belong to a letter.
const LETTER_BYTES_RARITY_MAX: u32 = 3;
/// Where more than one byte in so many is a sign of program code, the text is code.
const CODE_BYTES_RARITY_MIN: u32 = 10;

/// What was found in one segment.
pub(super) struct Segment {
    /// Where its lines lie in the text; empty for scraps, which lie anywhere.
    pub(super) range: std::ops::Range<usize>,
    /// Evidence by family.
    pub(super) families: [Evidence; Family::ALL.len()],
    /// Letters of scripts that name their language, if there are any.
    pub(super) others: Option<Box<ScriptCount>>,
    other_letter_bytes: u32,
    /// Bytes that are no blanks.
    ink_bytes: u32,
    code_bytes: u32,
}

impl Segment {
    fn new() -> Segment {
        Segment {
            range: 0..0,
            families: [Evidence::NONE; Family::ALL.len()],
            others: None,
            other_letter_bytes: 0,
            ink_bytes: 0,
            code_bytes: 0,
        }
    }

    /// Bytes of letters of all scripts.
    pub(super) fn letter_bytes(&self) -> u32 {
        self.families.iter().map(|evidence| evidence.letter_bytes).sum::<u32>() + self.other_letter_bytes
    }

    /// Whether it may have a language.
    pub(super) fn is_language(&self) -> bool {
        let letters = self.letter_bytes();
        letters > 0 && letters * LETTER_BYTES_RARITY_MAX >= self.ink_bytes && self.code_bytes * CODE_BYTES_RARITY_MIN <= self.ink_bytes
    }

    /// The script that most letters are written in and its share, 0 to 1.
    pub(super) fn script(&self) -> Option<(&'static str, f32)> {
        let Some(others) = &self.others else {
            let (family, evidence) = Family::ALL.iter().zip(&self.families).rev().max_by_key(|(_, evidence)| evidence.letter_bytes)?;
            return (evidence.letter_bytes > 0).then(|| (family.script(), evidence.letter_bytes as f32 / self.letter_bytes() as f32));
        };
        let mut count = (**others).clone();
        for (family, evidence) in Family::ALL.iter().zip(&self.families) {
            count.add_weight(family.script(), evidence.letter_bytes);
        }
        count.most()
    }

    fn join(&mut self, other: Segment) {
        for (mine, more) in self.families.iter_mut().zip(&other.families) {
            mine.join(more);
        }
        match (&mut self.others, other.others) {
            (Some(mine), Some(more)) => mine.join(&more),
            (mine @ None, more) => *mine = more,
            (Some(_), None) => {}
        }
        self.other_letter_bytes += other.other_letter_bytes;
        self.ink_bytes += other.ink_bytes;
        self.code_bytes += other.code_bytes;
        self.range = self.range.start.min(other.range.start)..self.range.end.max(other.range.end);
    }
}

/// The line that is read.
struct Reading<'m> {
    model: &'m Model,
    line: Segment,
}

impl Sink for Reading<'_> {
    #[inline]
    fn feature(&mut self, family: Family, hash: u64) {
        self.model.add(&mut self.line.families[family as usize], hash);
    }

    #[inline]
    fn letter(&mut self, family: Family, bytes: u32) {
        self.line.families[family as usize].letter_bytes += bytes;
    }

    fn other_letter(&mut self, letter: char) {
        self.line.other_letter_bytes += letter.len_utf8() as u32;
        self.line.others.get_or_insert_default().add(letter);
    }
}

impl Reading<'_> {
    fn read(&mut self, line: &str, start: usize) -> Segment {
        read(line, &self.model.alphabet, self);
        let mut segment = std::mem::replace(&mut self.line, Segment::new());
        for evidence in &mut segment.families {
            *evidence = evidence.take();
        }
        segment.range = start..start + line.len();
        let mut before = b' ';
        for byte in line.bytes() {
            segment.ink_bytes += u32::from(byte > b' ');
            segment.code_bytes += u32::from(is_code(byte) && byte != before);
            before = byte;
        }
        segment
    }
}

/// Signs that programs are full of and prose is not. Those of addresses, handles and numbers are not among them, and rulers made of one
/// sign count once.
fn is_code(byte: u8) -> bool {
    matches!(
        byte,
        b'{' | b'}' | b'[' | b']' | b'<' | b'>' | b'=' | b';' | b'_' | b'\\' | b'|' | b'$' | b'&' | b'*' | b'+' | b'^' | b'~' | b'`'
    )
}

/// What a text is made of.
pub(super) struct Segments {
    /// Paragraphs and runs of them.
    pub(super) running: Vec<Segment>,
    /// All lines that are no sentences, together.
    pub(super) scraps: Segment,
}

/// Reads `pieces` of a text, each with its place.
pub(super) fn segments(pieces: &[(usize, &str)], model: &Model) -> Segments {
    let mut found = Segments { running: Vec::new(), scraps: Segment::new() };
    let mut reading = Reading { model, line: Segment::new() };
    for (start, piece) in pieces {
        let mut open: Option<Segment> = None;
        let mut place = *start;
        for line in piece.split_inclusive('\n').flat_map(runs_of_sentences) {
            let segment = reading.read(line, place);
            place += line.len();
            if is_scrap(&segment, line) {
                found.scraps.join(segment);
                continue;
            }
            match &mut open {
                Some(run) => run.join(segment),
                None => open = Some(segment),
            }
            if let Some(run) = open.take_if(|run| run.letter_bytes() >= SEGMENT_LETTER_BYTES_MIN) {
                found.running.push(run);
            }
        }
        found.running.extend(open);
    }
    found.scraps.range = 0..0;
    found
}

/// A long line in pieces that end with sentences.
fn runs_of_sentences(line: &str) -> impl Iterator<Item = &str> {
    let mut rest = line;
    std::iter::from_fn(move || {
        let ends = rest.as_bytes().windows(2).enumerate().skip(SENTENCES_BYTES_MIN);
        let end = ends.filter(|(_, pair)| matches!(pair, [b'.' | b'!' | b'?', b' '])).map(|(place, _)| place + 2).next();
        let (run, after) = rest.split_at(end.unwrap_or(rest.len()));
        rest = after;
        (!run.is_empty()).then_some(run)
    })
}

fn is_scrap(segment: &Segment, line: &str) -> bool {
    !segment.is_language()
        || segment.letter_bytes() < SENTENCE_LETTER_BYTES_MIN && !line.trim_end().ends_with(['.', '!', '?', '…', '。', '։', ';'])
}
