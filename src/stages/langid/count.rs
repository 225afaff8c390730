//! What a sample of text holds: letters by script, words, and function words by language. One pass over the bytes.

use crate::text::script::ScriptCount;

use super::lists::LISTS;

/// Function words longer than this are not in the lists (`vuoigatvuohta`).
const WORD_BYTES_MAX: usize = 24;
/// Slots of the table; four times the number of different words, so that probing is short.
const SLOTS: usize = 1 << 13;

/// All function words with the languages that use them, as a set of bits. Open addressing over FNV-1a, because words are short.
pub(super) struct FunctionWords(Vec<(&'static str, u64)>);

impl FunctionWords {
    pub(super) fn new() -> FunctionWords {
        let mut table = FunctionWords(vec![("", 0); SLOTS]);
        for (language, (_, _, _, words)) in LISTS.iter().enumerate() {
            for word in words.split(' ') {
                let slot = table.slot(word.as_bytes());
                table.0[slot].0 = word;
                table.0[slot].1 |= 1 << language;
            }
        }
        table
    }

    /// The languages that have `word` in their list, one bit each.
    fn languages(&self, word: &[u8]) -> u64 {
        self.0[self.slot(word)].1
    }

    /// Where `word` is, or the empty slot where it would be.
    fn slot(&self, word: &[u8]) -> usize {
        let hash = word.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
        let mut slot = (hash ^ hash >> 32) as usize % SLOTS;
        while !self.0[slot].0.is_empty() && self.0[slot].0.as_bytes() != word {
            slot = (slot + 1) % SLOTS;
        }
        slot
    }
}

/// What [`count`] found.
pub(super) struct Counts {
    pub(super) scripts: ScriptCount,
    /// Words of any length.
    pub(super) words: u32,
    /// Points by language, in the order of [`LISTS`].
    pub(super) points: [u32; LISTS.len()],
}

/// Points of a function word: the fewer languages share it, the more it says.
fn points_of(languages: u64) -> u32 {
    (12 / languages.count_ones()).max(2)
}

/// A word in lower case while it is read; `bytes` goes on counting where the word is too long for the lists.
#[derive(Default)]
struct Word {
    text: [u8; WORD_BYTES_MAX],
    bytes: usize,
}

impl Word {
    fn push(&mut self, letter: char) {
        let mut utf8 = [0; 4];
        for byte in letter.encode_utf8(&mut utf8).bytes() {
            self.push_byte(byte);
        }
    }

    fn push_byte(&mut self, byte: u8) {
        if let Some(place) = self.text.get_mut(self.bytes) {
            *place = byte;
        }
        self.bytes += 1;
    }

    /// The word, and an empty place for the next one.
    fn take(&mut self) -> &[u8] {
        let bytes = std::mem::take(&mut self.bytes);
        self.text.get(..bytes).unwrap_or_default()
    }
}

impl Counts {
    fn end_word(&mut self, word: &mut Word, table: &FunctionWords) {
        if word.bytes == 0 {
            return;
        }
        self.words += 1;
        let mut languages = table.languages(word.take());
        let points = if languages == 0 { 0 } else { points_of(languages) };
        while languages != 0 {
            self.points[languages.trailing_zeros() as usize] += points;
            languages &= languages - 1;
        }
    }
}

/// Counts the letters and words of `samples`.
pub(super) fn count(samples: &[&str], table: &FunctionWords) -> Counts {
    let mut counts = Counts { scripts: ScriptCount::default(), words: 0, points: [0; LISTS.len()] };
    let mut word = Word::default();
    let mut ascii_letters = 0;
    for sample in samples {
        for letter in sample.chars() {
            if letter.is_ascii_alphabetic() {
                ascii_letters += 1;
                word.push_byte(letter.to_ascii_lowercase() as u8);
            } else if !letter.is_ascii() && letter.is_alphabetic() {
                counts.scripts.add(letter);
                letter.to_lowercase().for_each(|small| word.push(small));
            } else {
                counts.end_word(&mut word, table);
            }
        }
        counts.end_word(&mut word, table);
    }
    counts.scripts.add_ascii(ascii_letters);
    counts
}
