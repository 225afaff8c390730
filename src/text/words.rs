//! Words of a text, in any script, in one pass without a dictionary.
//!
//! A word is a run of letters and digits with the marks on them; one apostrophe, hyphen or underscore inside it (`l'homme`,
//! `e-mail`) and a full stop or comma between digits (`1.299,50`) belong to it. Han, kana and the scripts of South-East Asia do not
//! put spaces between words, so there each letter counts as a word, which is what UAX #29 does without a dictionary. Compared with
//! UAX #29, hyphens join instead of separating: compounds are single words in most languages of Europe.
//! The class of a character is looked up in a table of the first 12,544 code points, so Cyrillic and Greek cost no more than accents.

use std::sync::LazyLock;

use unicode_normalization::char::is_combining_mark;

/// What a character does to a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// Ends a word.
    Break,
    /// Makes a word.
    Letter,
    /// Makes a word, though not an alphabetic one.
    Digit,
    /// A letter that is a word of its own.
    Alone,
    /// Stays with the character before it.
    Mark,
    /// Joins what stands on both sides.
    Join,
    /// Joins digits.
    JoinDigits,
}

/// Code points whose class is looked up rather than worked out: up to the symbols and CJK punctuation.
const TABLED: usize = 0x3100;

static CLASSES: LazyLock<[Class; TABLED]> =
    LazyLock::new(|| std::array::from_fn(|code| u32::try_from(code).ok().and_then(char::from_u32).map_or(Class::Break, class_of)));

/// A word: where it stands, how long it is, and whether it has a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    /// First byte.
    pub start: usize,
    /// Byte after the last one.
    pub end: usize,
    /// Characters, marks not counted.
    pub chars: u32,
    /// Whether one of them is a letter.
    pub alphabetic: bool,
}

/// All words of a text, found once and read as often as needed.
#[derive(Clone, Debug)]
pub struct Words<'a> {
    text: &'a str,
    spans: Vec<Word>,
}

impl<'a> Words<'a> {
    /// Finds the words of `text`.
    #[must_use]
    pub fn of(text: &'a str) -> Words<'a> {
        let mut spans = Vec::with_capacity(text.len() / 6);
        spans.extend(Scan::of(text));
        Words { text, spans }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// The words with their places.
    #[must_use]
    pub fn spans(&self) -> &[Word] {
        &self.spans
    }

    /// The words.
    pub fn iter(&self) -> impl Iterator<Item = &'a str> + '_ {
        self.spans.iter().map(|word| &self.text[word.start..word.end])
    }

    /// Runs of symbols with white space, or an end of the text, on both sides: the dash of `a – b`, the bar of `a | b`.
    #[must_use]
    pub fn lone_symbols(&self) -> usize {
        let mut symbols = 0;
        let mut from = 0;
        for word in &self.spans {
            symbols += lone_in(&self.text[from..word.start], from == 0, false);
            from = word.end;
        }
        symbols + lone_in(&self.text[from..], from == 0, true)
    }
}

/// Pieces of `gap` that touch no word. At the text's ends the outer piece touches none either.
fn lone_in(gap: &str, at_start: bool, at_end: bool) -> usize {
    if gap.len() < 2 || (gap.len() < 3 && !at_start && !at_end) {
        return 0;
    }
    let pieces = gap.split_whitespace().count();
    let touching_left = !at_start && !gap.starts_with(char::is_whitespace);
    let touching_right = !at_end && !gap.ends_with(char::is_whitespace);
    pieces.saturating_sub(usize::from(touching_left) + usize::from(touching_right))
}

/// The words of `text`.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    Scan::of(text).map(move |word| &text[word.start..word.end])
}

/// How many words `text` has.
#[must_use]
pub fn count(text: &str) -> usize {
    Scan::of(text).count()
}

/// Finds one word after the other.
struct Scan<'a> {
    text: &'a str,
    at: usize,
    classes: &'static [Class; TABLED],
}

impl<'a> Scan<'a> {
    fn of(text: &'a str) -> Scan<'a> {
        Scan { text, at: 0, classes: &CLASSES }
    }

    /// Class and length in bytes of the character at byte `at`; a break of no length at the end of the text.
    #[inline]
    fn look(&self, at: usize) -> (Class, usize) {
        match self.text.as_bytes()[at..] {
            [] => (Class::Break, 0),
            [first, ..] if first < 0x80 => (self.classes[usize::from(first)], 1),
            [first, second, ..] if first < 0xe0 => (self.classes[usize::from(first & 0x1f) << 6 | usize::from(second & 0x3f)], 2),
            _ => self.look_far(at),
        }
    }

    /// The same for characters of three and four bytes.
    fn look_far(&self, at: usize) -> (Class, usize) {
        let Some(c) = self.text[at..].chars().next() else { return (Class::Break, 0) };
        (self.classes.get(c as usize).copied().unwrap_or_else(|| class_of(c)), c.len_utf8())
    }

    /// Goes to where the next word begins and says what it begins with, if there is one.
    #[inline]
    fn skip_breaks(&mut self) -> Option<(Class, usize)> {
        loop {
            let (class, len) = self.look(self.at);
            if matches!(class, Class::Letter | Class::Digit | Class::Alone) {
                return Some((class, len));
            }
            if len == 0 {
                return None;
            }
            self.at += len;
        }
    }
}

impl Iterator for Scan<'_> {
    type Item = Word;

    #[inline]
    fn next(&mut self) -> Option<Word> {
        let (mut before, len) = self.skip_breaks()?;
        let mut word = Word { start: self.at, end: self.at + len, chars: 1, alphabetic: before != Class::Digit };
        loop {
            let (class, len) = self.look(word.end);
            match class {
                Class::Mark => {}
                _ if before == Class::Alone => break,
                Class::Letter => {
                    word.chars += 1;
                    word.alphabetic = true;
                    before = class;
                }
                Class::Digit => {
                    word.chars += 1;
                    before = class;
                }
                Class::Join | Class::JoinDigits if joins(before, class, self.look(word.end + len).0) => word.chars += 1,
                _ => break,
            }
            word.end += len;
        }
        self.at = word.end;
        Some(word)
    }
}

/// Whether `joint` holds together what stands before it and after it.
fn joins(before: Class, joint: Class, after: Class) -> bool {
    match after {
        Class::Digit => joint == Class::Join || before == Class::Digit,
        Class::Letter => joint == Class::Join,
        _ => false,
    }
}

/// The class of `c`, worked out.
fn class_of(c: char) -> Class {
    match c {
        '0'..='9' => Class::Digit,
        // Apostrophes, hyphens, the middle dot of Catalan `col·legi`, the underscore.
        '\'' | '-' | '_' | '\u{b7}' | '\u{2010}' | '\u{2011}' | '\u{2019}' | '\u{2027}' => Class::Join,
        '.' | ',' => Class::JoinDigits,
        // Soft hyphen, zero-width joiners.
        '\u{ad}' | '\u{200c}' | '\u{200d}' => Class::Mark,
        '\u{4e00}'..='\u{9fff}' => Class::Alone,
        '\u{ac00}'..='\u{d7a3}' => Class::Letter,
        _ if is_combining_mark(c) => Class::Mark,
        _ if c.is_alphabetic() && is_unspaced(c) => Class::Alone,
        _ if c.is_alphabetic() => Class::Letter,
        _ if c.is_numeric() => Class::Digit,
        _ => Class::Break,
    }
}

/// Whether `c` belongs to a script that puts no space between words. Katakana and Hangul runs count as words.
fn is_unspaced(c: char) -> bool {
    matches!(
        u32::from(c),
        0x0e00..=0x0eff // Thai, Lao
        | 0x1000..=0x109f // Myanmar
        | 0x1780..=0x17ff // Khmer
        | 0x3005..=0x3007 // 々〆〇
        | 0x3040..=0x309f // Hiragana
        | 0x3400..=0x4dbf // Han, extension A
        | 0x4e00..=0x9fff // Han
        | 0xf900..=0xfaff // Han, compatibility
        | 0x2_0000..=0x3_ffff // Han, later extensions
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        assert_eq!(words(text).collect::<Vec<_>>(), expected, "{text}");
        assert_eq!(Words::of(text).iter().collect::<Vec<_>>(), expected, "{text}");
        assert_eq!(count(text), expected.len(), "{text}");
    }

    #[test]
    fn apostrophes_and_hyphens_inside_a_word_hold_it_together() {
        check("L’été, c’est l'arc-en-ciel !", &["L’été", "c’est", "l'arc-en-ciel"]);
        check("Tá an t-uisce fuar; an bhean 'maith'.", &["Tá", "an", "t-uisce", "fuar", "an", "bhean", "maith"]);
        check("el col·legi -- il-kelb ta' Ġorġ", &["el", "col·legi", "il-kelb", "ta", "Ġorġ"]);
    }

    #[test]
    fn stops_and_commas_hold_digits_together_but_not_words() {
        check("1.299,50 Euro,bitte.Danke 2024.", &["1.299,50", "Euro", "bitte", "Danke", "2024"]);
    }

    #[test]
    fn every_script_of_europe_is_cut_at_its_spaces() {
        check("Καλημέρα, τι κάνεις;", &["Καλημέρα", "τι", "κάνεις"]);
        check("Це — «п’ять» слів?", &["Це", "п’ять", "слів"]);
        check("Բարեւ ձեզ։ გამარჯობა!", &["Բարեւ", "ձեզ", "გამარჯობა"]);
    }

    #[test]
    fn marks_stay_with_their_letter_and_are_not_counted() {
        let text = "e\u{301}te\u{301} Donau\u{ad}schiff";
        check(text, &["e\u{301}te\u{301}", "Donau\u{ad}schiff"]);
        assert_eq!(Words::of(text).spans()[0].chars, 3);
    }

    #[test]
    fn scripts_without_spaces_give_a_word_a_letter() {
        check("東京へ行く", &["東", "京", "へ", "行", "く"]);
        check("สวัส", &["ส", "วั", "ส"]);
        check("カタカナ 한국어", &["カタカナ", "한국어"]);
    }

    #[test]
    fn symbols_alone_are_counted_and_those_at_a_word_are_not() {
        for (text, symbols) in
            [("a | b – c", 2), ("a, b. (c)", 0), ("« Oui ! » dit-il.", 3), ("→ ja ←", 2), ("=== ===", 2), ("", 0), ("a ?!", 1), ("a b", 0)]
        {
            assert_eq!(Words::of(text).lone_symbols(), symbols, "{text}");
        }
    }

    #[test]
    fn a_number_has_no_letter() {
        let letters: Vec<bool> = Words::of("2024 H2O ½ Ж").spans().iter().map(|word| word.alphabetic).collect();
        assert_eq!(letters, [false, true, false, true]);
    }
}
