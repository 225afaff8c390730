//! From text to n-grams: letters 1 to 5 inside words with their borders, and whole words, as hashes.
//!
//! One pass without allocation. An n-gram is hashed from its last letter backwards, so that all the n-grams that end at a letter share
//! the work; a model looks the hashes up as they come. Borders count as letters: `<de>` is another 4-gram than `nden`.

use unicode_normalization::char::compose;

use super::letters::{Alphabet, Family, Kind};

const START: u32 = 1;
const END: u32 = 2;
const APOSTROPHE: u32 = 0x27;
/// Words up to three letters are n-grams with both borders; longer ones than this are no words that one meets again.
const WORD_LETTERS: std::ops::RangeInclusive<u32> = 4..=28;
/// The longest n-gram, borders included.
const ORDER_MAX: usize = 5;

/// Takes what [`read`] finds.
pub trait Sink {
    /// A feature of a word of `family`.
    fn feature(&mut self, family: Family, hash: u64);
    /// A letter of a family, of so many bytes.
    fn letter(&mut self, family: Family, bytes: u32);
    /// A letter of any other script.
    fn other_letter(&mut self, letter: char);
}

/// FxHash's step: one multiplication a letter, the upper half is well mixed.
#[inline]
pub fn step(hash: u64, letter: u32) -> u64 {
    (hash.rotate_left(5) ^ u64::from(letter)).wrapping_mul(0x517c_c1b7_2722_0a95)
}

/// The place of a hash among `rows`.
#[inline]
pub fn row_of(hash: u64, rows: u64) -> usize {
    (((hash >> 32) * rows) >> 32) as usize
}

/// A word while it is read: its last letters, the newest first, and the hash of all.
struct Word {
    last: [u32; ORDER_MAX - 1],
    hash: u64,
    letters: u32,
    family: Family,
}

impl Word {
    fn begin(family: Family) -> Word {
        Word { last: [START, 0, 0, 0], hash: 0, letters: 0, family }
    }

    fn is_empty(&self) -> bool {
        self.last[0] == START
    }

    #[inline]
    fn push(&mut self, letter: u32, sink: &mut impl Sink) {
        let mut hash = step(0, letter);
        if letter > 0x7f {
            sink.feature(self.family, hash);
        }
        for earlier in self.last {
            hash = step(hash, earlier);
            sink.feature(self.family, hash);
            if earlier == START {
                break;
            }
        }
        self.last = [letter, self.last[0], self.last[1], self.last[2]];
    }

    #[inline]
    fn push_letter(&mut self, letter: u32, sink: &mut impl Sink) {
        self.push(letter, sink);
        self.hash = step(self.hash, letter);
        self.letters += 1;
    }

    /// The part before an apostrophe is a word too: `dell'`, `qu'`.
    fn push_apostrophe(&mut self, sink: &mut impl Sink) {
        self.tell_word(sink);
        self.push(APOSTROPHE, sink);
    }

    fn tell_word(&mut self, sink: &mut impl Sink) {
        if WORD_LETTERS.contains(&self.letters) {
            sink.feature(self.family, step(self.hash, END));
        }
        (self.hash, self.letters) = (0, 0);
    }

    fn end(&mut self, sink: &mut impl Sink) {
        if !self.is_empty() {
            self.tell_word(sink);
            self.push(END, sink);
            *self = Word::begin(self.family);
        }
    }
}

/// Tells `sink` all letters and features of `text`.
#[inline]
pub fn read(text: &str, alphabet: &Alphabet, sink: &mut impl Sink) {
    let mut word = Word::begin(Family::Latin);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let character = match characters.peek() {
            Some(mark @ '\u{300}'..='\u{36f}') => compose(character, *mark).unwrap_or(character),
            _ => character,
        };
        match alphabet.kind(character) {
            Kind::Letter(family, letter) => {
                if family != word.family {
                    word.end(sink);
                    word.family = family;
                }
                sink.letter(family, character.len_utf8() as u32);
                word.push_letter(letter, sink);
            }
            Kind::OtherLetter => {
                word.end(sink);
                sink.other_letter(character);
            }
            Kind::NoLetter => match character {
                '\'' | '’' | 'ʼ' if !word.is_empty() => word.push_apostrophe(sink),
                '\u{300}'..='\u{36f}' | '\u{ad}' | '\u{200b}'..='\u{200d}' | '·' if !word.is_empty() => {}
                _ => word.end(sink),
            },
        }
    }
    word.end(sink);
}
