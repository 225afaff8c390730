//! Stretches without letters, as tables of numbers are: where no word is near, most kinds need not be looked for.
//!
//! The walk asks from left to right, and each stretch is measured once, so that rows of digits cost no more for being long.

/// Bytes without a letter on either side of a number: more than the words that speak for it, the street that it belongs to and any form of it
/// reach. Behind it the number itself is counted too.
const BEFORE_BYTES: usize = 80;
const BEHIND_BYTES: usize = 128;

/// The stretch that was measured last, in bytes.
#[derive(Default)]
pub struct Quiet {
    start: usize,
    end: usize,
}

impl Quiet {
    /// Whether no letter is near the number that begins at `place`, which is not before the place that was asked about last.
    pub fn is_around(&mut self, text: &[u8], place: usize) -> bool {
        if place >= self.end {
            let before = text[..place].iter().rev().take(BEFORE_BYTES).take_while(|byte| !is_of_word(**byte)).count();
            let behind = text[place..].iter().take_while(|byte| !is_of_word(**byte)).count();
            (self.start, self.end) = (place - before, place + behind);
        }
        let is_before = self.start == 0 || place - self.start >= BEFORE_BYTES;
        is_before && (self.end == text.len() || self.end - place >= BEHIND_BYTES)
    }
}

/// Whether a byte may be of a word: a letter, or any that is not ASCII.
fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || !byte.is_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_that_speaks_for_a_number_breaks_the_quiet() {
        for word in include_str!("context_words.tsv").lines().filter_map(|row| row.split('\t').nth(2)).flat_map(|list| list.split(',')) {
            assert!(word.bytes().any(is_of_word), "`{word}` has no letter");
        }
    }

    #[test]
    fn it_is_quiet_far_from_letters_and_at_both_ends_of_a_text_without_any() {
        let quiet_places = |text: &str| {
            let mut quiet = Quiet::default();
            (0..text.len()).filter(|place| quiet.is_around(text.as_bytes(), *place)).collect::<Vec<_>>()
        };
        assert_eq!(quiet_places("1 2"), [0, 1, 2]);
        let row = "1 ".repeat(110);
        assert_eq!(quiet_places(&format!("ő{row}ő")), (2 + BEFORE_BYTES..=2 + row.len() - BEHIND_BYTES).collect::<Vec<_>>());
        assert_eq!(quiet_places(&format!("{row}a")), (0..=row.len() - BEHIND_BYTES).collect::<Vec<_>>());
        assert_eq!(quiet_places(&format!("a{row}")), (1 + BEFORE_BYTES..1 + row.len()).collect::<Vec<_>>());
    }
}
