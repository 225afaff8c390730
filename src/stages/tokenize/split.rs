//! Cuts a text into the pieces of the widely used split patterns, by hand: what a regular expression with backtracking finds, in one pass.
//!
//! Three patterns cover nearly all byte-level vocabularies: GPT-2's, that of cl100k_base, and that of o200k_base (tiktoken's
//! `openai_public.py`; Hugging Face files write the same ones in other words). Each function finds the end of the piece that begins at a
//! place; which alternative of the pattern it stands for is said beside it. The classes of characters are those of crate regex-syntax, so
//! they are of the same version of Unicode as the regular expressions that the tests compare with.

use std::sync::LazyLock;

use regex_syntax::hir::{Class, HirKind};

/// `\p{L}`.
const LETTER: u8 = 1;
/// `\p{N}`.
const NUMBER: u8 = 2;
/// `\s`.
const SPACE: u8 = 4;
/// `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`: what may stand in the capital part of a word of o200k_base.
const UPPER: u8 = 8;
/// `[\p{Ll}\p{Lm}\p{Lo}\p{M}]`: what may stand in its small part.
const LOWER: u8 = 16;
/// `[\r\n]`.
const LINE_END: u8 = 32;

/// The classes of every code point.
static CLASSES: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut classes = vec![0; 0x11_0000];
    for (pattern, flag) in [
        (r"\p{L}", LETTER),
        (r"\p{N}", NUMBER),
        (r"\s", SPACE),
        (r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", UPPER),
        (r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]", LOWER),
        (r"[\r\n]", LINE_END),
    ] {
        let parsed = regex_syntax::parse(pattern).expect("a class that is written here");
        let HirKind::Class(Class::Unicode(class)) = parsed.kind() else { continue };
        for range in class.ranges() {
            classes[range.start() as usize..=range.end() as usize].iter_mut().for_each(|known| *known |= flag);
        }
    }
    classes
});

/// A split pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pattern {
    /// That of GPT-2, of r50k_base and p50k_base, and of `ByteLevel` with `use_regex`.
    Gpt2,
    /// That of cl100k_base.
    Cl100k {
        /// Whether white space that ends the text is one piece, as tiktoken has it; else it is cut behind its last line end.
        whole_tail: bool,
        /// How many digits a piece has at most.
        digits: usize,
    },
    /// That of o200k_base.
    O200k,
}

/// Split patterns as `tokenizer.json` files write them.
const WRITTEN: &[(&str, Pattern)] = &[
    (r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+", Pattern::Gpt2),
    (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        Pattern::Cl100k { whole_tail: false, digits: 3 },
    ),
    (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        Pattern::Cl100k { whole_tail: false, digits: 1 },
    ),
    (
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+",
        Pattern::Cl100k { whole_tail: false, digits: 3 },
    ),
    (Pattern::O200K_WRITTEN, Pattern::O200k),
];

impl Pattern {
    /// The pattern of o200k_base as a `tokenizer.json` has it.
    pub(super) const O200K_WRITTEN: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    /// The pattern that is written so, if it is one of those known here.
    pub(super) fn written(regex: &str) -> Option<Pattern> {
        WRITTEN.iter().find(|(written, _)| *written == regex).map(|(_, pattern)| *pattern)
    }

    /// Calls `found` with every piece of `text`: where it begins and ends. The pieces are the whole text.
    pub(super) fn for_each_piece(self, text: &str, found: impl FnMut(usize, usize)) {
        let scan = Scan { text: text.as_bytes(), classes: &CLASSES };
        match self {
            Pattern::Gpt2 => scan.each(found, |at| scan.gpt2(at)),
            Pattern::Cl100k { whole_tail, digits } => scan.each(found, |at| scan.cl100k(at, whole_tail, digits)),
            Pattern::O200k => scan.each(found, |at| scan.o200k(at)),
        }
    }
}

/// A text under the table of classes. Its bytes are UTF-8, and places are at the beginnings of characters.
#[derive(Clone, Copy)]
struct Scan<'a> {
    text: &'a [u8],
    classes: &'a [u8],
}

impl Scan<'_> {
    #[inline]
    fn each(self, mut found: impl FnMut(usize, usize), end_of: impl Fn(usize) -> usize) {
        let mut at = 0;
        while at < self.text.len() {
            let end = end_of(at);
            found(at, end);
            at = end;
        }
    }

    /// Classes of the character at `at` and its length in bytes; 0 and 0 at the end.
    #[inline]
    fn class(self, at: usize) -> (u8, usize) {
        let Some(&lead) = self.text.get(at) else { return (0, 0) };
        if lead < 0x80 {
            return (self.classes[usize::from(lead)], 1);
        }
        let tail = |behind: usize| usize::from(self.text.get(at + behind).copied().unwrap_or(0) & 0x3F);
        let (point, length) = match lead {
            ..0xE0 => (usize::from(lead & 0x1F) << 6 | tail(1), 2),
            0xE0..0xF0 => (usize::from(lead & 0x0F) << 12 | tail(1) << 6 | tail(2), 3),
            _ => (usize::from(lead & 0x07) << 18 | tail(1) << 12 | tail(2) << 6 | tail(3), 4),
        };
        (self.classes.get(point).copied().unwrap_or(0), length)
    }

    /// The end of the run of characters at `at` that are of one of `classes`.
    #[inline]
    fn run(self, mut at: usize, classes: u8) -> usize {
        loop {
            let (class, length) = self.class(at);
            if class & classes == 0 {
                return at;
            }
            at += length;
        }
    }

    /// The end of the run of at most `most` numbers at `at`.
    fn numbers(self, mut at: usize, most: usize) -> usize {
        for _ in 0..most {
            let (class, length) = self.class(at);
            if class & NUMBER == 0 {
                break;
            }
            at += length;
        }
        at
    }

    /// The end of the run of characters at `at` that are no space, letter or number: `[^\s\p{L}\p{N}]*`.
    fn marks(self, mut at: usize) -> usize {
        loop {
            let (class, length) = self.class(at);
            if length == 0 || class & (SPACE | LETTER | NUMBER) != 0 {
                return at;
            }
            at += length;
        }
    }

    /// The length of an English contraction at `at`: `'s`, `'t`, `'re`, `'ve`, `'m`, `'ll`, `'d`; 0 where there is none. Without regard to
    /// case the long s counts as an s, as Unicode folds it.
    #[inline]
    fn contraction(self, at: usize, any_case: bool) -> usize {
        let rest = &self.text[at.min(self.text.len())..];
        if rest.first() != Some(&b'\'') {
            return 0;
        }
        let fold = |byte: u8| if any_case { byte.to_ascii_lowercase() } else { byte };
        match (rest.get(1).map(|byte| fold(*byte)), rest.get(2).map(|byte| fold(*byte))) {
            (Some(b's' | b't' | b'm' | b'd'), _) => 2,
            (Some(b'r' | b'v'), Some(b'e')) | (Some(b'l'), Some(b'l')) => 3,
            (Some(0xC5), Some(0xBF)) if any_case => 3,
            _ => 0,
        }
    }

    /// White space at `at`: `\s+(?!\S)|\s+`: up to the last one before a word, which takes that; a single one is a piece.
    fn spaces(self, at: usize) -> usize {
        let end = self.run(at, SPACE);
        if end == self.text.len() {
            return end;
        }
        let last = (at..end).rev().find(|place| self.text[*place] & 0xC0 != 0x80).unwrap_or(at);
        if last > at { last } else { end }
    }

    /// White space with line ends: `\s*[\r\n]+`, else [`Scan::spaces`].
    fn lines(self, at: usize) -> usize {
        let end = self.run(at, SPACE);
        let last = self.text[at..end].iter().rposition(|byte| matches!(byte, b'\r' | b'\n'));
        last.map_or_else(|| self.spaces(at), |last| at + last + 1)
    }

    /// `'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`.
    fn gpt2(self, at: usize) -> usize {
        let contraction = self.contraction(at, false);
        if contraction > 0 {
            return at + contraction;
        }
        let start = at + usize::from(self.text[at] == b' ');
        let (class, length) = self.class(start);
        match class {
            class if class & LETTER != 0 => self.run(start + length, LETTER),
            class if class & NUMBER != 0 => self.run(start + length, NUMBER),
            class if class & SPACE == 0 && length > 0 => self.marks(start + length),
            _ => self.spaces(at),
        }
    }

    /// `'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`; tiktoken writes `\s++$`
    /// before the white space.
    fn cl100k(self, at: usize, whole_tail: bool, digits: usize) -> usize {
        let contraction = self.contraction(at, true);
        if contraction > 0 {
            return at + contraction;
        }
        let (class, length) = self.class(at);
        if class & LETTER != 0 {
            return self.run(at + length, LETTER);
        }
        if class & NUMBER != 0 {
            return self.numbers(at, digits);
        }
        if class & LINE_END == 0 {
            let (next, next_length) = self.class(at + length);
            if next & LETTER != 0 {
                return self.run(at + length + next_length, LETTER);
            }
        }
        let start = at + usize::from(self.text[at] == b' ');
        let end = self.marks(start);
        if end > start {
            return self.run(end, LINE_END);
        }
        if whole_tail && self.run(at, SPACE) == self.text.len() { self.text.len() } else { self.lines(at) }
    }

    /// `[^\r\n\p{L}\p{N}]?U*W+C?|[^\r\n\p{L}\p{N}]?U+W*C?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`, with U for capitals and
    /// what has no case, W for small letters and what has no case, C for a contraction.
    fn o200k(self, at: usize) -> usize {
        let (class, length) = self.class(at);
        let behind = if class & (LINE_END | LETTER | NUMBER) == 0 { at + length } else { at };
        if let Some(end) = self.word(behind, at) {
            return end + self.contraction(end, true);
        }
        if class & NUMBER != 0 {
            return self.numbers(at, 3);
        }
        let start = at + usize::from(self.text[at] == b' ');
        let end = self.marks(start);
        if end > start {
            let line_ends = self.text[end..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n' | b'/')).count();
            return end + line_ends;
        }
        self.lines(at)
    }

    /// The end of a word of o200k_base that begins at `behind` its first sign, or else `at` it: first with a small part, then without.
    #[inline]
    fn word(self, behind: usize, at: usize) -> Option<usize> {
        if let Some(end) = self.small_word(behind) {
            return Some(end);
        }
        if behind > at
            && let Some(end) = self.small_word(at)
        {
            return Some(end);
        }
        // Without any small part: no character of the run has one, nor the one behind it.
        [behind, at].into_iter().find_map(|start| Some(self.run(start, UPPER)).filter(|end| *end > start))
    }

    /// `U*W+` at `start`: the capitals give back as much as the small part needs.
    #[inline]
    fn small_word(self, start: usize) -> Option<usize> {
        let (mut at, mut last_of_both) = (start, None);
        loop {
            let (class, length) = self.class(at);
            if class & UPPER == 0 {
                return match class & LOWER {
                    0 => last_of_both,
                    _ => Some(self.run(at + length, LOWER)),
                };
            }
            at += length;
            if class & LOWER != 0 {
                last_of_both = Some(at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Patterns as the reference implementations have them: tiktoken's and those that Hugging Face files write.
    static PATTERNS: LazyLock<Vec<(Pattern, fancy_regex::Regex)>> = LazyLock::new(|| {
        let tiktoken = [
            (Pattern::Gpt2, r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"),
            (
                Pattern::Cl100k { whole_tail: true, digits: 3 },
                r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
            ),
        ];
        let all = tiktoken.into_iter().chain(WRITTEN.iter().map(|(written, pattern)| (*pattern, *written)));
        all.map(|(pattern, regex)| (pattern, fancy_regex::Regex::new(regex).unwrap())).collect()
    });

    fn check(text: &str) {
        for (pattern, regex) in &*PATTERNS {
            let wanted: Vec<&str> = regex.find_iter(text).map(|found| found.unwrap().as_str()).collect();
            let mut cut = Vec::new();
            pattern.for_each_piece(text, |at, end| cut.push(&text[at..end]));
            assert_eq!(cut, wanted, "{pattern:?}, {}", regex.as_str());
        }
    }

    #[test]
    fn texts_are_cut_as_the_patterns_cut_them() {
        for text in [
            "",
            " ",
            "Dors, mon ange, la nuit s'étend; L'ÉTÉ, c'est fini!  Et\n\nvoilà\tencore:\r\n 12 345,67 € (TTC).",
            "Ο Όμηρος ἄειδε θεὰ — «Οδύσσεια», 24 ραψωδίες...",
            "Ţară și țară: ŞTIRI Știri; camelCase HTTPServer don't DON'T iPhone's I'LL we'Ve 'ſ x'ſ",
            "e\u{301}te\u{301} I\u{307}stanbul ªº ǅ ŉ ĸ \u{345} x\u{300}\u{301} , . ;\n \n\n  \n fin \n  ",
            "日本語とEnglishとру́сский١٢٣½ a1b2c3 _x_ //a/b\n/c \u{301}\u{301} \u{301}A \u{301}a A\u{301}B",
            "a\u{a0}\u{a0}b \u{2028}c\u{3000}d \t\te \r\r\nf\u{85}",
        ] {
            check(text);
        }
    }

    #[test]
    fn every_character_is_cut_as_the_patterns_cut_it_among_neighbours_of_every_kind() {
        let mut text = String::new();
        for point in (0..0x3100).chain(0xA000..0xB000).chain(0xFB00..0x10800).chain(0x1D400..0x1D800).filter_map(char::from_u32) {
            for (before, behind) in [("a", "B"), (" ", "c"), ("'", " "), ("1", "\n")] {
                text.extend([before, point.to_string().as_str(), behind]);
            }
        }
        check(&text);
    }

    proptest! {
        #[test]
        fn random_texts_are_cut_as_the_patterns_cut_them(
            text in "([ \t\n\r\u{a0}\u{2003}]{0,3}|[a-cA-C]{0,4}|'([sStTlLvVrReEmMdDſ]{0,3})|[žŽßéǅªʰאあ]{0,3}|[\u{300}\u{301}\u{345}]{0,2}|[0-9٣½]{0,5}|[.,;/_€\u{1F600}]{0,3}){0,12}",
        ) {
            check(&text);
        }
    }
}
