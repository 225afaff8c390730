//! Counts over the text of one block: the signals that no markup gives.

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
    pub(super) capitals: u32,
    /// `|`, `•`, `·`, `»`, `©`, `/`, `›`: what menus and footers put between things.
    pub(super) separators: u32,
    pub(super) ends_as_sentence: bool,
    pub(super) begins_small: bool,
}

impl Measure {
    /// Counts over `text`, of which `link_bytes` bytes are in links.
    pub(super) fn of(text: &str, link_bytes: u32) -> Measure {
        let bytes = text.as_bytes();
        let mut measure = Measure { bytes: bytes.len() as u32, ..Measure::default() };
        let (mut in_word, mut wide) = (false, 0);
        for (at, &byte) in bytes.iter().enumerate() {
            match byte {
                b'a'..=b'z' | 0xc0..=0xdf | 0xee..=0xff => in_word = measure.letter(in_word),
                b'A'..=b'Z' => {
                    in_word = measure.letter(in_word);
                    measure.capitals += 1;
                }
                b'0'..=b'9' => {
                    in_word = measure.letter(in_word);
                    measure.digits += 1;
                }
                b' ' | b'\n' | b'\t' => in_word = false,
                b'.' | b'!' | b'?' => {
                    measure.stops += u32::from(bytes.get(at + 1).is_none_or(|next| next.is_ascii_whitespace() || *next == b'"'))
                }
                b',' | b';' => measure.commas += 1,
                b'|' | b'/' => measure.separators += 1,
                0xe0..=0xe2 => {
                    in_word = measure.letter(in_word);
                    measure.separators += u32::from(matches!(&bytes[at..], [0xe2, 0x80, 0xa2 | 0xba, ..]));
                }
                0xe3..=0xed => wide += 1,
                _ => {}
            }
        }
        measure.words += wide / 2;
        measure.separators += u32::from(text.contains(['©', '·', '»']));
        let end = text.trim_end_matches(['"', '”', '“', '»', ')', '\'', '’']);
        measure.ends_as_sentence = end.ends_with(['.', '!', '?', '…', ':', '。', ';']);
        measure.begins_small = text.chars().next().is_some_and(char::is_lowercase);
        measure.link_words = (u64::from(measure.words) * u64::from(link_bytes) / u64::from(measure.bytes.max(1))) as u32;
        measure
    }

    fn letter(&mut self, in_word: bool) -> bool {
        self.words += u32::from(!in_word);
        true
    }

    /// Share of words in links, per mille.
    pub(super) fn link_density(&self) -> u32 {
        per_mille(self.link_words, self.words)
    }

    /// Whether it looks like running text: at least ten words (boilerpipe's and jusText's shortest "good" block), few of them links.
    pub(super) fn is_prose(&self) -> bool {
        self.words >= 10 && self.link_density() <= 333
    }
}

/// `part` of `whole` in thousandths, at most 1,000.
pub(super) fn per_mille(part: u32, whole: u32) -> u32 {
    if whole == 0 { 0 } else { (u64::from(part) * 1000 / u64::from(whole)).min(1000) as u32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_sentences_are_counted_in_any_script() {
        let measure = Measure::of("Το ποτάμι, που κυλά. Ναι!", 0);
        assert_eq!((measure.words, measure.stops, measure.commas), (5, 2, 1));
        assert!(measure.ends_as_sentence);
        assert_eq!(Measure::of("世界人权宣言", 0).words, 3);
    }

    #[test]
    fn links_count_by_their_share_of_bytes() {
        let measure = Measure::of("Sākums Ziņas Kontakti", "Sākums Ziņas".len() as u32);
        assert!((333..=667).contains(&measure.link_density()));
    }
}
