//! Rows: lines of figures and names that follow one pattern, as price lists, time tables, tables of results, directories and logs have.
//!
//! The shape of a line is what stands in it in order: a figure (any run of words with a digit), words (any run of words without), and
//! marks one by one; white space is left out. So `Novi Sad 12,50 €` and `Zagreb 3,40 €` have one shape. A line is a row only where
//! figures and technical marks hold it together: at least one figure or two such marks, and at most [`WORDS_MAX`] words for each.
//! Without that, verses, lines of a play and numbered articles would be rows, since `Ne, gospod.` has the shape of a hundred others.
//!
//! What counts is characters, not lines: half the lines of a statute are `Article 12`, and a fifth of its characters at most.

use std::ops::Range;

use xxhash_rust::xxh3::xxh3_64;

use crate::text::lines::fraction;
use crate::text::words::{Word, Words};

/// Words a row may have for each of its figures and technical marks.
const WORDS_MAX: usize = 4;
/// Technical marks without a figure that make a row.
const MARKS_MIN: usize = 2;

/// Characters in rows of `text`, which has these `words`, whose shape stands at least `times` times, of those of all its lines.
pub fn row_char_fraction(text: &str, words: &Words<'_>, times: usize) -> f32 {
    let (mut rows, mut chars) = (Vec::new(), 0);
    let mut shape = Shape::default();
    let mut rest = words.spans();
    let mut start = 0;
    for line in text.split('\n') {
        let end = start + line.len();
        let (of_line, after) = rest.split_at(rest.iter().take_while(|word| word.start < end).count());
        let of_row = line.trim().chars().count();
        chars += of_row;
        if may_be_row(line, of_line) && shape.take(text, start..end, of_line).is_row() {
            rows.push((xxh3_64(shape.pattern.as_bytes()), of_row));
        }
        rest = after;
        start = end + 1;
    }
    fraction(alike_chars(&mut rows, times), chars)
}

/// Whether `line` may be a row, by a bound that costs a look at each byte: most lines of prose have too many words for their figures.
fn may_be_row(line: &str, words: &[Word]) -> bool {
    let marks = line.bytes().filter(|byte| MAY_MARK[usize::from(*byte)]).count();
    let hints = marks + words.iter().filter(|word| !word.alphabetic).count();
    hints > 0 && words.len() <= (WORDS_MAX + 1) * hints
}

/// Bytes of which every technical mark, and every figure that counts as alphabetic, has one: marks and digits of ASCII, and the first
/// bytes of the currencies.
const MAY_MARK: [bool; 256] = {
    let marks = b"0123456789|/\\=<>@#$%&+~^{}[]\xc2\xe2";
    let mut table = [false; 256];
    let mut place = 0;
    while place < marks.len() {
        table[marks[place] as usize] = true;
        place += 1;
    }
    table
};

/// Characters of those `rows`, each the hash of its shape and its length, that are at least `times` of a shape.
fn alike_chars(rows: &mut [(u64, usize)], times: usize) -> usize {
    rows.sort_unstable();
    rows.chunk_by(|one, next| one.0 == next.0).filter(|alike| alike.len() >= times).flatten().map(|(_, chars)| chars).sum()
}

/// The shape of one line.
#[derive(Debug, Default)]
struct Shape {
    /// `0` for a run of figures, `a` for a run of words, and the marks between them.
    pattern: String,
    words: usize,
    figures: usize,
    technical: usize,
}

impl Shape {
    /// Becomes the shape of the line at bytes `place` of `text`, which has these `words`.
    fn take(&mut self, text: &str, place: Range<usize>, words: &[Word]) -> &Shape {
        self.pattern.clear();
        (self.words, self.figures, self.technical) = (0, 0, 0);
        let mut from = place.start;
        for word in words {
            self.take_marks(&text[from..word.start]);
            self.take_word(is_figure(word, text));
            from = word.end;
        }
        self.take_marks(&text[from..place.end]);
        self
    }

    fn take_word(&mut self, figure: bool) {
        let sign = if figure { '0' } else { 'a' };
        self.figures += usize::from(figure);
        self.words += usize::from(!figure);
        if !self.pattern.ends_with(sign) {
            self.pattern.push(sign);
        }
    }

    fn take_marks(&mut self, gap: &str) {
        if gap == " " {
            return;
        }
        for mark in gap.chars().filter(|c| !c.is_whitespace()) {
            self.technical += usize::from(is_technical(mark));
            self.pattern.push(mark);
        }
    }

    fn is_row(&self) -> bool {
        (self.figures > 0 || self.technical >= MARKS_MIN) && self.words <= WORDS_MAX * (self.figures + self.technical)
    }
}

/// Whether `word` has a digit: `12,50`, `128GB`, `½`.
fn is_figure(word: &Word, text: &str) -> bool {
    !word.alphabetic || text.as_bytes()[word.start..word.end].iter().any(u8::is_ascii_digit)
}

/// Marks that machines put between the parts of a row, and currencies. Marks of prose are none, quotes, brackets, bullets and long
/// dashes neither.
fn is_technical(c: char) -> bool {
    "|/\\=<>@#$%&+~^{}[]€£₽₺₴".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(line: &str) -> Shape {
        let mut shape = Shape::default();
        let words = Words::of(line);
        assert!(!shape.take(line, 0..line.len(), words.spans()).is_row() || may_be_row(line, words.spans()), "{line}");
        shape
    }

    fn share(text: &str, times: usize) -> f32 {
        row_char_fraction(text, &Words::of(text), times)
    }

    #[test]
    fn names_of_one_word_and_of_three_have_one_shape_and_so_have_prices_of_any_length() {
        for line in ["Zagreb 3,40 €", "Novi Sad 12,50 €", "  Sveti Ivan Zelina 1 299,00  €", "Osijek 7 €"] {
            assert_eq!(shape(line).pattern, "a0€", "{line}");
        }
        assert_eq!(shape("12:05 | Gleis 3a").pattern, "0:0|a0");
        assert_eq!(shape("").pattern, "");
    }

    #[test]
    fn figures_and_technical_marks_make_a_row_and_prose_verses_and_speech_are_none() {
        for line in ["Kolín 10:05", "§ 12", "name = value / other", "| Praha | Brno |", "INFO server[7]: done", "4GB", "२०"] {
            assert!(shape(line).is_row(), "{line}");
        }
        for line in [
            "Ne, gospod, ne!",
            "— Кој е тука? — Јас сум, Ана.",
            "« Oui », dit-il.",
            "(1) Kinder unter sechs Jahren zahlen nichts.",
            "Müller | Schmidt",
            "Sulejówek, Warszawa, Łódź",
            "",
        ] {
            assert!(!shape(line).is_row(), "{line}");
        }
    }

    #[test]
    fn rows_count_by_their_characters_from_the_stated_number_of_a_shape_on() {
        let text = "Saha 3 €\nPora 4 €\n\nSe oli siinä ja.";
        assert_eq!(share(text, 2), 16.0 / 32.0);
        assert_eq!(share(text, 3), 0.0);
        assert_eq!(share("", 1), 0.0);
    }

    #[test]
    fn every_technical_mark_has_a_byte_of_the_bound() {
        for mark in ('\0'..=char::MAX).filter(|c| is_technical(*c)) {
            assert!(mark.to_string().bytes().any(|byte| MAY_MARK[usize::from(byte)]), "{mark}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_row_is_kept_out_by_the_bound(line in "[a-zäИ0-9२½東,|/€£ .-]{0,40}") {
            shape(&line);
        }
    }
}
