//! What two texts have in common for a hash: their text without regard to white space (exact), or their words (near).
//!
//! Words are runs of letters, digits, marks and `_`, in NFKC and lower case; punctuation, symbols and white space only separate them.
//! Scripts written without spaces (Han, kana, Thai, Lao, Khmer, Burmese) give one word a letter with its marks, so that a shingle spans
//! a few letters there. Soft hyphens, joiners and direction marks count for nothing. ASCII goes byte by byte, the rest of the scripts of
//! Europe through a table; NFKC proper runs only on words that hold marks which may combine.

use std::sync::LazyLock;

use unicode_normalization::char::{canonical_combining_class, is_combining_mark};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

/// Version of these rules and of what is made of the words (sketches, band keys); signatures of different versions cannot be compared. 2: band
/// keys are made of the sketch as it is kept.
pub const NORMALISATION: u32 = 2;

/// The text with every run of white space made one space, and none at its ends. White space is what Unicode says, and the four ASCII
/// separators 1C to 1F.
#[must_use]
pub fn fold_white_space(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut folded = Vec::with_capacity(bytes.len());
    let (mut at, mut span) = (0, 0);
    while at < bytes.len() {
        let width = match WHITE[usize::from(bytes[at])] {
            White::Never => 0,
            White::Always => 1,
            White::Perhaps => text[at..].chars().next().filter(|c| c.is_whitespace()).map_or(0, char::len_utf8),
        };
        if width > 0 {
            push_span(&mut folded, &bytes[span..at]);
            at += width;
            span = at;
        } else {
            at += 1;
        }
    }
    push_span(&mut folded, &bytes[span..]);
    folded
}

fn push_span(folded: &mut Vec<u8>, span: &[u8]) {
    if span.is_empty() {
        return;
    }
    if !folded.is_empty() {
        folded.push(b' ');
    }
    folded.extend_from_slice(span);
}

#[derive(Clone, Copy, PartialEq)]
enum White {
    Never,
    Always,
    /// First byte of some white space beyond ASCII: U+0085, U+00A0, U+1680, U+2000.., U+3000.
    Perhaps,
}

const WHITE: [White; 256] = {
    let mut table = [White::Never; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b' ' | 9..=13 | 0x1c..=0x1f => White::Always,
            0xc2 | 0xe1..=0xe3 => White::Perhaps,
            _ => White::Never,
        };
        byte += 1;
    }
    table
};

/// Calls `word` with each normalised word of `text`, in order, as UTF-8.
pub fn for_each_word(text: &str, mut word: impl FnMut(&[u8])) {
    let bytes = text.as_bytes();
    let table = FOLDED.as_slice();
    let mut open = Word::default();
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        if byte < 0x80 {
            match ASCII[usize::from(byte)] {
                0 => open.close(text, at, &mut word),
                folded => {
                    open.begin(text, at, open.alone, &mut word);
                    open.letters.push(folded);
                }
            }
            at += 1;
            continue;
        }
        let Some(c) = text[at..].chars().next() else { break };
        match table.get(c as usize).copied().unwrap_or_else(|| fold(c)) {
            Folded::Separator => open.close(text, at, &mut word),
            Folded::Nothing => {}
            Folded::Mark if open.letters.is_empty() => {}
            Folded::Mark => open.marked = true,
            Folded::Letter(letter) => {
                open.begin(text, at, open.alone, &mut word);
                push_char(&mut open.letters, letter);
            }
            Folded::Joined(mark) => {
                open.begin(text, at, false, &mut word);
                push_char(&mut open.letters, mark);
            }
            Folded::Alone(letter) => {
                open.begin(text, at, true, &mut word);
                open.alone = true;
                push_char(&mut open.letters, letter);
            }
            Folded::Several => {
                open.begin(text, at, open.alone, &mut word);
                expand(c).for_each(|c| push_char(&mut open.letters, c));
            }
        }
        at += c.len_utf8();
    }
    open.close(text, at, &mut word);
}

/// The word being read.
#[derive(Default)]
struct Word {
    /// Its letters so far, normalised.
    letters: Vec<u8>,
    /// Where it begins in the text.
    start: usize,
    /// It holds marks that may combine, so its letters must be made again from the text.
    marked: bool,
    /// It is a letter of a script without spaces: the next letter begins a new word.
    alone: bool,
}

impl Word {
    /// Makes ready for a letter that stands at `at`, of a new word if `split`.
    #[inline]
    fn begin(&mut self, text: &str, at: usize, split: bool, word: &mut impl FnMut(&[u8])) {
        if split {
            self.close(text, at, word);
        }
        if self.letters.is_empty() {
            self.start = at;
        }
    }

    /// Hands over the word that ends before `end`, if there is one.
    #[inline]
    fn close(&mut self, text: &str, end: usize, word: &mut impl FnMut(&[u8])) {
        if self.letters.is_empty() {
            return;
        }
        if self.marked {
            self.combine(&text[self.start..end]);
        }
        word(&self.letters);
        self.letters.clear();
        self.alone = false;
    }

    #[cold]
    fn combine(&mut self, raw: &str) {
        self.letters.clear();
        for c in raw.nfkc().filter(|c| fold(*c) != Folded::Nothing) {
            for lower in c.to_lowercase() {
                push_char(&mut self.letters, if lower == 'ς' { 'σ' } else { lower });
            }
        }
        self.marked = false;
    }
}

#[inline]
fn push_char(letters: &mut Vec<u8>, c: char) {
    letters.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

/// What a character becomes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Folded {
    /// It ends a word.
    Separator,
    /// It is left out, as if it were not there.
    Nothing,
    /// One letter.
    Letter(char),
    /// A mark that stays as it is, in one word with the letter before it.
    Joined(char),
    /// One letter of a script that is written without spaces.
    Alone(char),
    /// More than one letter: a ligature, or a capital whose small form is written with a mark.
    Several,
    /// A mark that may combine with what stands before it.
    Mark,
}

/// ASCII letters, digits and `_` in lower case; 0 for what separates words.
const ASCII: [u8; 128] = {
    let mut table = [0; 128];
    let mut byte = 0;
    while byte < 128 {
        let c = byte as u8;
        if c.is_ascii_alphanumeric() || c == b'_' {
            table[byte] = c.to_ascii_lowercase();
        }
        byte += 1;
    }
    table
};

/// [`fold`] of the characters below U+3000: every alphabet of Europe.
static FOLDED: LazyLock<Vec<Folded>> =
    LazyLock::new(|| (0..0x3000).map(|code| char::from_u32(code).map_or(Folded::Separator, fold)).collect());

fn fold(c: char) -> Folded {
    match c {
        '\u{ad}' | '\u{34f}' | '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' => return Folded::Nothing,
        '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' => return Folded::Nothing,
        '\u{4e00}'..='\u{9fff}' => return Folded::Alone(c),
        '\u{ac00}'..='\u{d7a3}' => return Folded::Letter(c),
        _ => {}
    }
    if canonical_combining_class(c) != 0 || is_nfkc_quick(std::iter::once(c)) == IsNormalized::Maybe {
        return Folded::Mark;
    }
    let mut letters = expand(c);
    match (letters.next(), letters.next()) {
        (None, _) => Folded::Separator,
        (Some(letter), None) if is_combining_mark(letter) => Folded::Joined(letter),
        (Some(letter), None) if is_written_without_spaces(letter) => Folded::Alone(letter),
        (Some(letter), None) => Folded::Letter(letter),
        _ => Folded::Several,
    }
}

/// The letters of one character in NFKC and lower case, without what separates words.
fn expand(c: char) -> impl Iterator<Item = char> {
    std::iter::once(c)
        .nfkc()
        .flat_map(char::to_lowercase)
        .map(|c| if c == 'ς' { 'σ' } else { c })
        .filter(|c| c.is_alphanumeric() || *c == '_' || is_combining_mark(*c))
}

fn is_written_without_spaces(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let mut words = Vec::new();
        for_each_word(text, |word| words.push(String::from_utf8(word.to_vec()).unwrap()));
        words
    }

    #[test]
    fn white_space_of_every_kind_folds_to_one_space() {
        let folded = |text: &str| String::from_utf8(fold_white_space(text)).unwrap();
        assert_eq!(folded("  Sveiki,\t\r\n\u{a0}\u{2009}pasaule \u{3000}\u{1c}\u{85}!\u{2029}"), "Sveiki, pasaule !");
        assert_eq!(folded(" \u{1680}\n"), "");
        assert_eq!(folded("Â¡€ひ"), "Â¡€ひ");
    }

    #[test]
    fn case_punctuation_and_composition_make_no_difference() {
        assert_eq!(words("Dobrý den, SVĚTE! foo_bar"), ["dobrý", "den", "světe", "foo_bar"]);
        assert_eq!(words("Dobry\u{301} den – „SVE\u{30c}TE“ … foo_bar"), words("Dobrý den, SVĚTE! foo_bar"));
        assert_eq!(words("Großer ﬁnn Straße 2²"), ["großer", "finn", "straße", "22"]);
        assert_eq!(words("ΟΔΟΣ οδός οδοσ"), ["οδοσ", "οδόσ", "οδοσ"]);
        assert_eq!(words("Sil\u{ad}ben\u{ad}tren\u{200d}nung\u{feff} \u{202b}שלום\u{202c}"), ["silbentrennung", "שלום"]);
        assert_eq!(words("l’eau d'Ève\u{a0}№\u{a0}5 \u{301}a"), ["l", "eau", "d", "ève", "no", "5", "a"]);
    }

    #[test]
    fn scripts_without_spaces_give_a_word_a_letter() {
        assert_eq!(words("東京へ行くABC 1"), ["東", "京", "へ", "行", "く", "abc", "1"]);
        assert_eq!(words("ที่นี่").len(), 2);
        assert_eq!(words("が"), words("か\u{3099}"));
        assert_eq!(words("안녕하세요 세계"), ["안녕하세요", "세계"]);
    }

    #[test]
    fn a_text_without_words_gives_none() {
        assert!(words("— … !?\u{200b}\n😀").is_empty());
        assert!(words("").is_empty());
    }
}
