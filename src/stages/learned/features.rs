//! From text to the features of a learned score: words, marks and line ends, alone and in pairs, as hashes.
//!
//! One pass without allocation, as fastText reads text (Joulin et al. 2016, arXiv:1607.01759): a bag of words and of pairs of neighbours,
//! hashed so that no vocabulary is kept (Weinberger et al. 2009, arXiv:0902.2206). Letters are lower-cased and composed, figures count as
//! figures whatever they say, and marks and line ends are words too, since a list tells itself from prose by them.

use unicode_normalization::char::compose;

/// What stands for every digit: a year says that there is a year.
const DIGIT: u32 = 0x30;
/// What stands before the first word, and for the end of a line.
const LINE_END: u64 = 0x6c69_6e65;
/// A mark is another word than a letter with its number could be.
const MARK: u64 = 0x6d61_726b;

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
    fn letter(&mut self, letter: u32) {
        self.word = step(self.word, u64::from(letter));
    }

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

    fn other(&mut self, character: char) {
        if character.is_alphabetic() {
            for lower in character.to_lowercase() {
                // At the end of a word sigma looks otherwise, in lower case only.
                self.letter(if lower == 'ς' { u32::from('σ') } else { u32::from(lower) });
            }
        } else if character.is_numeric() {
            self.letter(DIGIT);
        } else if character.is_whitespace() {
            self.end_word();
        } else if !matches!(character, '\u{300}'..='\u{36f}' | '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{feff}') {
            self.mark(step(MARK, u64::from(u32::from(character))));
        }
    }
}

/// Tells `each` the hash of every feature of `text`.
#[inline]
pub fn read(text: &str, each: impl FnMut(u64)) {
    let mut words = Words { each, word: 0, last: LINE_END };
    let mut characters = text.chars().peekable();
    while let Some(mut character) = characters.next() {
        match character {
            'a'..='z' | 'A'..='Z' if !matches!(characters.peek(), Some('\u{300}'..='\u{36f}')) => {
                words.letter(u32::from(character.to_ascii_lowercase()));
            }
            '0'..='9' => words.letter(DIGIT),
            ' ' => words.end_word(),
            '\n' => words.mark(LINE_END),
            _ => {
                while let Some(composed) =
                    characters.peek().filter(|mark| matches!(mark, '\u{300}'..='\u{36f}')).and_then(|mark| compose(character, *mark))
                {
                    character = composed;
                    characters.next();
                }
                words.other(character);
            }
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
