//! Counts over the text of one block: the signals that no markup gives, in one pass over its bytes and for every script alike.

/// What was counted in a block.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Measure {
    pub(super) bytes: u32,
    /// Runs of letters or digits between white space; in scripts without spaces every second character.
    pub(super) words: u32,
    /// Words that are in links.
    pub(super) link_words: u32,
    /// Sentence ends: `.`, `!`, `?`, `…`, `。` before white space or the end.
    pub(super) stops: u32,
    pub(super) commas: u32,
    pub(super) digits: u32,
    /// Words that begin with a capital letter, Latin, Greek or Cyrillic.
    pub(super) capitals: u32,
    /// `|`, `•`, `·`, `»`, `©`, `/`, `›`: what menus and footers put between things.
    pub(super) separators: u32,
    /// Signs of currencies.
    pub(super) currencies: u32,
    pub(super) colons: u32,
    pub(super) questions: u32,
    pub(super) brackets: u32,
    pub(super) lines: u32,
    /// Kind of the last character, see [`ending`].
    pub(super) ending: u8,
    /// Kind of the first character, see [`beginning`].
    pub(super) beginning: u8,
    pub(super) copyright: bool,
    pub(super) at_sign: bool,
    /// FNV-1a of the bytes, to find blocks that say the same.
    pub(super) hash: u64,
}

impl Measure {
    /// Counts over `text`, of which `link_bytes` bytes are in links.
    pub(super) fn of(text: &str, link_bytes: u32) -> Measure {
        let bytes = text.as_bytes();
        let mut measure = Measure { bytes: bytes.len() as u32, lines: 1, hash: 0xcbf2_9ce4_8422_2325, ..Measure::default() };
        let (mut in_word, mut wide) = (false, 0);
        for (at, &byte) in bytes.iter().enumerate() {
            measure.hash = (measure.hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            match byte {
                b'a'..=b'z' => in_word = measure.letter(in_word, false),
                b'A'..=b'Z' => in_word = measure.letter(in_word, true),
                0xc3..=0xdf => in_word = measure.letter(in_word, is_capital(byte, bytes.get(at + 1).copied().unwrap_or(0))),
                0xee..=0xff => in_word = measure.letter(in_word, false),
                b'0'..=b'9' => {
                    in_word = measure.letter(in_word, false);
                    measure.digits += 1;
                }
                b' ' | b'\t' => in_word = false,
                b'\n' => {
                    in_word = false;
                    measure.lines += 1;
                }
                b'.' | b'!' => measure.stop(bytes, at),
                b'?' => {
                    measure.questions += 1;
                    measure.stop(bytes, at);
                }
                b',' | b';' => measure.commas += 1,
                b':' => measure.colons += 1,
                b'|' | b'/' => measure.separators += 1,
                b'$' => measure.currencies += 1,
                b'(' | b'[' => measure.brackets += 1,
                b'@' => measure.at_sign = true,
                0xc2 => measure.latin_sign(bytes.get(at + 1).copied().unwrap_or(0)),
                0xe0..=0xe2 => {
                    in_word = measure.letter(in_word, false);
                    measure.separators += u32::from(matches!(&bytes[at..], [0xe2, 0x80, 0xa2 | 0xba, ..]));
                    measure.currencies += u32::from(matches!(&bytes[at..], [0xe2, 0x82, 0xa0..=0xbf, ..]));
                }
                0xe3..=0xed => wide += 1,
                _ => {}
            }
        }
        measure.words += wide / 2;
        measure.ending = ending(text);
        measure.beginning = text.chars().next().map_or(0, beginning);
        measure.link_words = (u64::from(measure.words) * u64::from(link_bytes) / u64::from(measure.bytes.max(1))) as u32;
        measure
    }

    fn letter(&mut self, in_word: bool, capital: bool) -> bool {
        self.words += u32::from(!in_word);
        self.capitals += u32::from(!in_word && capital);
        true
    }

    fn stop(&mut self, bytes: &[u8], at: usize) {
        self.stops += u32::from(bytes.get(at + 1).is_none_or(|next| next.is_ascii_whitespace() || *next == b'"'));
    }

    /// U+0080 to U+00BF.
    fn latin_sign(&mut self, second: u8) {
        self.copyright |= second == 0xa9;
        self.separators += u32::from(matches!(second, 0xa9 | 0xb7 | 0xbb));
        self.currencies += u32::from(matches!(second, 0xa3 | 0xa5));
    }

    /// Whether it looks like running text: at least ten words (boilerpipe's and jusText's shortest "good" block), at most a third of
    /// them in links.
    pub(super) fn is_prose(&self) -> bool {
        self.words >= 10 && self.link_words * 3 <= self.words
    }
}

/// Words of fewer bytes say nothing of a topic.
const TOPIC_WORD_BYTES_MIN: usize = 4;

/// Calls `found` with a hash of each word of four bytes and more; the case of ASCII letters does not count.
pub(super) fn each_word(text: &str, mut found: impl FnMut(u32)) {
    let (mut hash, mut length) = (0x811c_9dc5_u32, 0);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || byte >= 0xc3 {
            hash = (hash ^ u32::from(byte | 0x20)).wrapping_mul(0x0100_0193);
            length += 1;
        } else if byte >= 0x80 {
            hash = (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
            length += 1;
        } else {
            if length >= TOPIC_WORD_BYTES_MIN {
                found(hash);
            }
            (hash, length) = (0x811c_9dc5, 0);
        }
    }
    if length >= TOPIC_WORD_BYTES_MIN {
        found(hash);
    }
}

/// Whether two bytes are a capital letter: À-Þ, Greek Α-Ϋ and the accented ones before, Cyrillic Ѐ-Я.
fn is_capital(first: u8, second: u8) -> bool {
    match first {
        0xc3 => second < 0x9f,
        0xc4 | 0xc5 => second.is_multiple_of(2),
        0xce => (0x86..=0xab).contains(&second),
        0xd0 => second < 0xb0,
        _ => false,
    }
}

/// 1 ends a sentence, 2 announces (`:`), 3 is a letter or digit, 4 a separator or arrow, 0 anything else.
fn ending(text: &str) -> u8 {
    let last = text.trim_end_matches(['"', '”', '“', '»', ')', '\'', '’', ']']).chars().next_back();
    match last {
        Some('.' | '!' | '?' | '…' | '。' | ';' | '！' | '？') => 1,
        Some(':' | '：') => 2,
        Some('›' | '>' | '→' | '|' | '/' | '+' | '▼' | '▾') => 4,
        Some(letter) if letter.is_alphanumeric() => 3,
        _ => 0,
    }
}

/// 1 is a capital letter, 2 a small one, 3 a digit, 4 a bullet or other sign, 5 a quotation mark.
fn beginning(first: char) -> u8 {
    match first {
        '"' | '“' | '„' | '«' | '»' | '‘' | '‚' => 5,
        _ if first.is_lowercase() => 2,
        _ if first.is_alphabetic() => 1,
        _ if first.is_numeric() => 3,
        _ => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_sentences_are_counted_in_any_script() {
        let measure = Measure::of("Το ποτάμι, που κυλά. Ναι!", 0);
        assert_eq!((measure.words, measure.stops, measure.commas, measure.capitals), (5, 2, 1, 2));
        assert_eq!(measure.ending, 1);
        assert_eq!(Measure::of("世界人权宣言", 0).words, 3);
        let measure = Measure::of("Градът Елин Пелин © 2019", 0);
        assert_eq!((measure.words, measure.capitals, measure.digits, measure.copyright), (4, 3, 4, true));
    }

    #[test]
    fn links_count_by_their_share_of_bytes() {
        let measure = Measure::of("Sākums Ziņas Kontakti", "Sākums Ziņas".len() as u32);
        assert_eq!((measure.words, measure.link_words), (3, 1));
    }

    #[test]
    fn endings_are_told_apart() {
        assert_eq!(["Taip.", "Reikia:", "Meniu", "Daugiau ›", "(Ne!)"].map(ending), [1, 2, 3, 4, 1]);
    }
}
