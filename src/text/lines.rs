//! Lines, paragraphs and sentence ends of a text, for every script that the house meets.
//!
//! A line is what stands between line breaks, trimmed; empty ones do not count. Where a sentence ends is told from its last mark
//! alone, so that a line of any language can be asked: closing quotes and brackets (`.»`, `?“`) and the spaces that French puts
//! before its marks are looked through, and `;` ends a question where the letter before it is Greek.

use xxhash_rust::xxh3::xxh3_64;

/// The lines of `text` that are not empty, trimmed.
pub fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').map(str::trim).filter(|line| !line.is_empty())
}

/// The paragraphs of `text`, trimmed: what stands between empty lines.
pub fn paragraphs(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start();
        if rest.is_empty() {
            return None;
        }
        let end = paragraph_end(rest);
        let paragraph = rest[..end].trim_end();
        rest = &rest[end..];
        Some(paragraph)
    })
}

/// Byte of the line break after which only white space comes before the next one.
fn paragraph_end(text: &str) -> usize {
    for end in memchr::memchr_iter(b'\n', text.as_bytes()) {
        let next = text[end + 1..].split('\n').next().unwrap_or("");
        if next.trim().is_empty() {
            return end;
        }
    }
    text.len()
}

/// How much of a list of pieces of text came before in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Duplicates {
    /// Pieces.
    pub pieces: usize,
    /// Characters of all pieces.
    pub chars: usize,
    /// Pieces equal to an earlier one.
    pub duplicate_pieces: usize,
    /// Characters of those.
    pub duplicate_chars: usize,
}

impl Duplicates {
    /// Counts the repeats among `pieces`.
    pub fn of<'a>(pieces: impl Iterator<Item = &'a str>) -> Duplicates {
        let mut found = Duplicates::default();
        let mut seen: Vec<(u64, usize)> = pieces.map(|piece| (xxh3_64(piece.as_bytes()), piece.chars().count())).collect();
        found.pieces = seen.len();
        found.chars = seen.iter().map(|(_, chars)| chars).sum();
        seen.sort_unstable();
        for pair in seen.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
            found.duplicate_pieces += 1;
            found.duplicate_chars += pair[1].1;
        }
        found
    }

    /// Share of the pieces that came before, 0 to 1.
    #[must_use]
    pub fn piece_fraction(&self) -> f32 {
        fraction(self.duplicate_pieces, self.pieces)
    }

    /// Share of the characters that are in such pieces, 0 to 1.
    #[must_use]
    pub fn char_fraction(&self) -> f32 {
        fraction(self.duplicate_chars, self.chars)
    }
}

/// `part` of `whole`; 0 where there is nothing to take a part of.
#[must_use]
pub fn fraction(part: usize, whole: usize) -> f32 {
    if whole == 0 { 0.0 } else { (part as f64 / whole as f64) as f32 }
}

/// Whether `line` ends as a sentence does.
#[must_use]
pub fn ends_sentence(line: &str) -> bool {
    let bare = line.trim_end_matches(|c: char| c.is_whitespace() || is_closing(c));
    match bare.chars().next_back() {
        Some(';') => ends_greek(&bare[..bare.len() - 1]),
        Some(c) => is_sentence_end(c),
        None => false,
    }
}

/// Whether `line` breaks off with an ellipsis.
#[must_use]
pub fn ends_in_ellipsis(line: &str) -> bool {
    let bare = line.trim_end_matches(|c: char| c.is_whitespace() || is_closing(c));
    bare.ends_with('…') || bare.ends_with("...")
}

/// Whether `line` begins as an item of a list does. Long dashes are left out: they open speech in most of Europe.
#[must_use]
pub fn starts_with_bullet(line: &str) -> bool {
    let first = line.trim_start().chars().next();
    first.is_some_and(|c| matches!(c, '•' | '-' | '*' | '·' | '‣' | '◦' | '▪' | '▫' | '●' | '○' | '■' | '□' | '∙' | '⁃' | '►' | '➢' | '✓'))
}

/// Sentences of `line`, and what is left behind the last one. A sentence ends at a mark before white space and no small letter, or at
/// the end of the line. A number before a full stop (`5. Mai`) and a single letter (`z. B.`) end none inside a line.
#[must_use]
pub fn sentences(line: &str) -> (usize, &str) {
    let (mut found, mut at, mut left) = (0, 0, line);
    while let Some(ahead) = line.as_bytes()[at..].iter().position(|byte| MAY_END[usize::from(*byte)]) {
        let before = &line[..at + ahead];
        let Some(mark) = line[before.len()..].chars().next() else { break };
        at = before.len() + mark.len_utf8();
        if !is_sentence_end(mark) && mark != ';' {
            continue;
        }
        let rest = line[at..].trim_start_matches(|c| is_sentence_end(c) || is_closing(c));
        at = line.len() - rest.len();
        if is_boundary(before, mark, rest) {
            found += 1;
            left = rest;
        }
    }
    (found, left.trim())
}

/// First bytes of the characters that may end a sentence, so that letters are skipped without being decoded.
const MAY_END: [bool; 256] = {
    let marks = b".!?;\xcd\xd6\xd8\xdb\xe0\xe1\xe2\xe3\xef";
    let mut table = [false; 256];
    let mut place = 0;
    while place < marks.len() {
        table[marks[place] as usize] = true;
        place += 1;
    }
    table
};

/// Whether mark `mark` between `before` and `rest` ends a sentence.
fn is_boundary(before: &str, mark: char, rest: &str) -> bool {
    if mark == ';' && !ends_greek(before) {
        return false;
    }
    let after = rest.trim_start();
    if after.is_empty() {
        return true;
    }
    // Marks of Chinese and Japanese need no space after them.
    if after.len() == rest.len() && u32::from(mark) < 0x3000 {
        return false;
    }
    if mark == '.' && is_abbreviation(before) {
        return false;
    }
    // Quotes, dashes and Spanish marks may open what follows; further away nothing is looked for, so that the work stays linear.
    !after.chars().take(4).find(|c| c.is_alphanumeric()).is_some_and(char::is_lowercase)
}

/// Whether a full stop after `before` more likely stands for something left out: after digits or a single letter.
fn is_abbreviation(before: &str) -> bool {
    let mut back = before.chars().rev();
    match back.next() {
        Some(c) if c.is_numeric() => true,
        Some(c) if c.is_alphabetic() => !back.next().is_some_and(char::is_alphabetic),
        _ => false,
    }
}

/// Whether the last letter of `text` is Greek.
fn ends_greek(text: &str) -> bool {
    text.chars().next_back().is_some_and(|c| matches!(u32::from(c), 0x370..=0x3ff | 0x1f00..=0x1fff))
}

/// Marks that end a sentence, of the scripts in use on the web (Unicode property Sentence_Terminal), and the ellipsis.
fn is_sentence_end(c: char) -> bool {
    matches!(
        c,
        '.' | '!' | '?' | '…' | '‼' | '⁇' | '⁈' | '⁉' | '‽'
        | '\u{37e}' // Greek question mark; its canonical form is `;`
        | '\u{589}' // Armenian full stop
        | '\u{61f}' | '\u{6d4}' // Arabic question mark, Urdu full stop
        | '\u{964}' | '\u{965}' // danda
        | '\u{104a}' | '\u{104b}' // Myanmar
        | '\u{1362}' | '\u{1367}' | '\u{1368}' // Ethiopic
        | '\u{17d4}' | '\u{17d5}' // Khmer
        | '\u{f0d}' | '\u{f0e}' // Tibetan
        | '。' | '！' | '？' | '．' | '｡'
    )
}

/// Marks that may close a sentence after its end mark: quotes of all countries, brackets.
fn is_closing(c: char) -> bool {
    matches!(
        c,
        '"' | '\''
            | ')'
            | ']'
            | '}'
            | '»'
            | '«'
            | '“'
            | '”'
            | '„'
            | '‘'
            | '’'
            | '‚'
            | '›'
            | '‹'
            | '」'
            | '』'
            | '）'
            | '】'
            | '》'
            | '*'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_of_europe_may_end_its_sentences_in_its_own_way() {
        for line in [
            "Es regnet.",
            "Er rief: „Komm her!“",
            "Il demanda : « Tu viens ? »",
            "Il demanda : «\u{a0}Tu viens\u{a0}?\u{a0}»",
            "Τι κάνεις;",
            "Τι κάνεις\u{37e}",
            "¿Qué hora es?",
            "»Kdaj prideš?«",
            "Բարեւ ձեզ։",
            "Мария се усмихна…",
            "Hann kom (loksins).",
            "我们走吧。",
        ] {
            assert!(ends_sentence(line), "{line}");
        }
    }

    #[test]
    fn a_heading_a_label_and_a_clause_end_no_sentence() {
        for line in ["Inhalt", "Contact :", "Wir kommen;", "1 299,00 €", "»", "", "Lees verder →", "mit ;"] {
            assert!(!ends_sentence(line), "{line}");
        }
    }

    #[test]
    fn sentences_are_counted_and_abbreviations_and_dates_are_not_taken_for_ends() {
        for (line, expected) in [
            ("Am 5. Mai kam z. B. Frau K. Weber an. Sie blieb.", 2),
            ("Vytautas gimė 1990 m. kovo 11 d. Vilniuje.", 1),
            ("Tu viens ? Oui ! « Bien. » Allons-y...", 4),
            ("Πού πας; Δεν ξέρω· μάλλον σπίτι.", 2),
            ("Siehe www.example.org für 3.5 Zoll.", 1),
            ("今日は雨です。明日は晴れます。", 2),
            ("Kontakt", 0),
            ("", 0),
        ] {
            assert_eq!(sentences(line).0, expected, "{line}");
        }
    }

    #[test]
    fn what_no_mark_ends_is_left_over() {
        assert_eq!(sentences("Er kam. Sie blieb noch eine Weile"), (1, "Sie blieb noch eine Weile"));
        assert_eq!(sentences("Kontakt und Anfahrt"), (0, "Kontakt und Anfahrt"));
        assert_eq!(sentences("Er kam.»"), (1, ""));
    }

    #[test]
    fn marks_without_end_take_no_longer_than_letters() {
        let marks = "! ".repeat(200_000);
        assert_eq!(sentences(&marks).0, 200_000);
        let stops = ".".repeat(400_000);
        assert_eq!(sentences(&stops), (1, ""));
    }

    #[test]
    fn no_mark_that_ends_a_sentence_is_skipped_by_its_first_byte() {
        for mark in ('\0'..=char::MAX).filter(|c| is_sentence_end(*c)) {
            assert!(MAY_END[usize::from(mark.to_string().as_bytes()[0])], "{mark}");
        }
    }

    #[test]
    fn repeated_lines_are_counted_without_their_first_occurrence() {
        let found = Duplicates::of(lines("Domov\n\n Kontakt \nDomov\nDomov"));
        assert_eq!(found, Duplicates { pieces: 4, chars: 22, duplicate_pieces: 2, duplicate_chars: 10 });
        assert_eq!(Duplicates::of(lines("")).piece_fraction().to_bits(), 0);
    }

    #[test]
    fn paragraphs_are_parted_by_empty_lines() {
        let text = "\n\nErste Zeile\nzweite Zeile\n \nDritte\n\n\n\nVierte\n";
        assert_eq!(paragraphs(text).collect::<Vec<_>>(), ["Erste Zeile\nzweite Zeile", "Dritte", "Vierte"]);
        assert_eq!(paragraphs(" \n").count(), 0);
    }

    #[test]
    fn speech_that_opens_with_a_dash_is_no_bullet() {
        assert!(starts_with_bullet("• Produkte"));
        assert!(starts_with_bullet("- Produits"));
        assert!(!starts_with_bullet("— ¿Quién es?"));
        assert!(!starts_with_bullet("– Kto tam?"));
    }

    #[test]
    fn a_line_may_break_off_inside_quotes() {
        assert!(ends_in_ellipsis("Weiterlesen …"));
        assert!(ends_in_ellipsis("„Also...“"));
        assert!(!ends_in_ellipsis("Also."));
    }
}
