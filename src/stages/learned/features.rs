//! From text to the features of a learned score: words, marks and line ends, alone and in pairs, as hashes.
//!
//! One pass without allocation, as fastText reads text (Joulin et al. 2016, arXiv:1607.01759): a bag of words and of pairs of neighbours,
//! hashed so that no vocabulary is kept (Weinberger et al. 2009, arXiv:0902.2206). Letters are lower-cased and composed, figures count as
//! figures whatever they say, and marks and line ends are words too, since a list tells itself from prose by them.

use std::sync::LazyLock;

use unicode_normalization::char::compose;

/// What stands for every digit: a year says that there is a year.
const DIGIT: u32 = 0x30;
/// What stands before the first word, and for the end of a line.
const LINE_END: u64 = 0x6c69_6e65;
/// A mark is another word than a letter with its number could be.
const MARK: u64 = 0x6d61_726b;
/// Code points whose sign is looked up rather than worked out: up to the symbols and CJK punctuation.
const TABLED: usize = 0x3100;

/// What a character does to the word that is being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    /// Goes on with it, as this letter.
    Letter(u32),
    /// Ends it.
    Space,
    /// Ends it, and a line.
    LineEnd,
    /// Ends it, and is a word of its own.
    Mark,
    /// Nothing: it is not seen, or stands on a letter with which it makes none.
    Nothing,
}

static SIGNS: LazyLock<[Sign; TABLED]> =
    LazyLock::new(|| std::array::from_fn(|code| u32::try_from(code).ok().and_then(char::from_u32).map_or(Sign::Mark, sign_of)));

fn sign_of(character: char) -> Sign {
    match character {
        '\n' => Sign::LineEnd,
        // At the end of a word sigma looks otherwise, in lower case only.
        'ς' => Sign::Letter(u32::from('σ')),
        '\u{300}'..='\u{36f}' | '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{feff}' => Sign::Nothing,
        _ if character.is_alphabetic() => Sign::Letter(character.to_lowercase().next().map_or(0, u32::from)),
        _ if character.is_numeric() => Sign::Letter(DIGIT),
        _ if character.is_whitespace() => Sign::Space,
        _ => Sign::Mark,
    }
}

/// Mixes one more number into a hash: one multiplication, and the upper half is well mixed.
#[inline]
fn step(hash: u64, number: u64) -> u64 {
    (hash.rotate_left(5) ^ number).wrapping_mul(0x517c_c1b7_2722_0a95)
}

/// The words of a text as they are read.
struct Words<F> {
    each: F,
    /// The hash of the word that is being read; 0 between words.
    word: u64,
    /// The word, mark or line end before it.
    last: u64,
}

impl<F: FnMut(u64)> Words<F> {
    #[inline]
    fn end_word(&mut self) {
        if self.word != 0 {
            let word = std::mem::take(&mut self.word);
            self.tell(word);
        }
    }

    /// A mark or a line end. A row of the same counts once, or rules of dashes would outweigh the text.
    #[inline]
    fn mark(&mut self, mark: u64) {
        self.end_word();
        if mark != self.last {
            self.tell(mark);
        }
    }

    #[inline]
    fn tell(&mut self, word: u64) {
        (self.each)(step(word, 1));
        (self.each)(step(self.last, word));
        self.last = word;
    }
}

/// Tells `each` the hash of every feature of `text`.
#[inline]
pub fn read(text: &str, each: impl FnMut(u64)) {
    let signs = &*SIGNS;
    let sign = |character: char| signs.get(character as usize).copied().unwrap_or_else(|| sign_of(character));
    let mut words = Words { each, word: 0, last: LINE_END };
    let mut characters = text.chars().peekable();
    while let Some(mut character) = characters.next() {
        while let Some(mark @ '\u{300}'..='\u{36f}') = characters.peek() {
            let Some(composed) = compose(character, *mark) else { break };
            character = composed;
            characters.next();
        }
        match sign(character) {
            Sign::Letter(letter) => words.word = step(words.word, u64::from(letter)),
            Sign::Space => words.end_word(),
            Sign::LineEnd => words.mark(LINE_END),
            Sign::Mark => words.mark(step(MARK, u64::from(u32::from(character)))),
            Sign::Nothing => {}
        }
    }
    words.end_word();
}

/// The place of a hash among `buckets`.
#[inline]
#[must_use]
pub fn bucket_of(hash: u64, buckets: usize) -> usize {
    (((hash >> 32) * buckets as u64) >> 32) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn features(text: &str) -> Vec<u64> {
        let mut found = Vec::new();
        read(text, |hash| found.push(hash));
        found
    }

    #[test]
    fn case_composition_figures_and_invisible_signs_make_no_difference() {
        for (one, other) in [
            ("Český Krumlov", "C\u{30c}esky\u{301} krumlov"),
            ("ΟΔΟΣ ΑΘΗΝΩΝ", "οδος αθηνων"),
            ("im Jahr 1998", "im jahr 2024"),
            ("Donau\u{ad}dampf", "donaudampf"),
            ("a  b\t c", "a b c"),
            ("Ja!!! ------", "ja! -"),
            ("eins\n\n\nzwei", "eins\nzwei"),
        ] {
            assert_eq!(features(one), features(other), "{one} {other}");
        }
    }

    #[test]
    fn words_order_lines_and_marks_make_one() {
        for (one, other) in [
            ("der Hund", "Hund der"),
            ("der Hund", "der\nHund"),
            ("wer?", "wer!"),
            ("im Jahr 1998", "im Jahr 98"),
            ("sk", "šk"),
            ("a b", "ab"),
        ] {
            assert_ne!(features(one), features(other), "{one} {other}");
        }
    }

    #[test]
    fn each_word_counts_alone_and_with_the_one_before_it() {
        assert_eq!(features("Der Hund schläft").len(), 6);
        let (first, second) = (features("eine graue Katze"), features("keine graue Katze"));
        assert_eq!(first.iter().filter(|hash| second.contains(hash)).count(), 3, "two words and their pair");
        assert!(features(" \t ").is_empty());
    }

    #[test]
    fn buckets_are_used_alike() {
        let mut used = [0_u32; 64];
        for number in 0..6_400 {
            let word: String = format!("{number:04}").bytes().map(|digit| char::from(digit + 49)).collect();
            read(&word, |hash| used[bucket_of(hash, 64)] += 1);
        }
        assert!(used.iter().all(|count| (100..320).contains(count)), "{used:?}");
    }
}
