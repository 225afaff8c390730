//! Postal addresses: a word for a street and a house number, with a postcode and a place behind them.
//!
//! Off by default: many addresses are of offices and shops, and words for streets are weaker evidence than a check digit.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

/// Parts of words that name streets, in lower case. A blank behind a word means that only the whole word counts.
const STREETS: &[&str] = &[
    "straße",
    "strasse",
    "str.",
    "gasse ",
    "weg ",
    "platz ",
    "rue ",
    "avenue ",
    "boulevard ",
    "chemin ",
    "via ",
    "viale ",
    "piazza ",
    "corso ",
    "calle ",
    "avda",
    "plaza ",
    "paseo ",
    "rua ",
    "avenida ",
    "praça ",
    "straat",
    "laan ",
    "plein ",
    "gracht",
    "gatan",
    "vägen",
    "katu ",
    "tie ",
    "kuja ",
    "vej ",
    "gade ",
    "allé ",
    "gata ",
    "veien",
    "tänav",
    "puiestee",
    "iela ",
    "gatvė",
    "g. ",
    "ulica ",
    "ul. ",
    "ulice ",
    "třída",
    "náměstí",
    "utca",
    "út ",
    "tér ",
    "strada ",
    "bulevardul",
    "ул. ",
    "улица ",
    "бул. ",
    "οδός ",
    "οδού ",
    "λεωφόρος ",
    "cesta ",
    "trg ",
    "triq ",
    "sráid ",
    "bóthar ",
    "street",
    "road",
    "lane ",
    "ulici ",
];

static STREET_WORDS: LazyLock<AhoCorasick> = LazyLock::new(|| AhoCorasick::new(STREETS).expect("a few dozen short words"));

/// How far a street's name reaches from its number, and postcode and place behind it, in bytes.
const STREET_BYTES: usize = 48;

/// The address whose house number is at `place`, and whether a postcode stands behind it.
pub fn address(text: &str, place: usize) -> Option<(Range<usize>, bool)> {
    let bytes = text.as_bytes();
    let digits = bytes[place..].iter().take(5).take_while(|byte| byte.is_ascii_digit()).count();
    if digits > 4 {
        return None;
    }
    let number_end = place + digits + usize::from(bytes.get(place + digits).is_some_and(u8::is_ascii_alphabetic));
    let before = &text[text.ceil_char_boundary(place.saturating_sub(STREET_BYTES))..place];
    let before = before.rsplit(['\n', ',', ';', ':', '(']).next().unwrap_or("");
    let (start, end) = match street_in(before) {
        Some(at) => (place - before.len() + at, number_end),
        None => (place, number_end + street_behind(&text[number_end..])?),
    };
    let behind = &text[end..text.floor_char_boundary((end + STREET_BYTES).min(text.len()))];
    let place_name = postcode_and_place(behind.split('\n').next().unwrap_or(""));
    Some((start..end + place_name.unwrap_or(0), place_name.is_some()))
}

/// Where the street's name begins in `before`, which ends at the number: at the first word with a capital of the last words up to it.
fn street_in(before: &str) -> Option<usize> {
    if !has_letters(before) {
        return None;
    }
    let lower = before.to_lowercase();
    if lower.len() != before.len() {
        return None;
    }
    let at = STREET_WORDS.find_overlapping_iter(&lower).map(|street| street.start()).max()?;
    let mut word = last_word(before.get(..at)?);
    // `Pikk tänav 12`: where the kind of street ends the name, the name is the word before it.
    let is_last = before[at..].split_whitespace().count() == 1;
    if word == at && is_last && word > 0 {
        word = last_word(before[..word].trim_end());
    }
    (!before[at..].contains(". ") || before[at..].find(". ").is_some_and(|dot| dot < 5)).then_some(word)
}

/// Where the last word of `text` begins: behind its last white space, which may have several bytes.
fn last_word(text: &str) -> usize {
    text.len() - text.rsplit(char::is_whitespace).next().map_or(0, str::len)
}

/// Whether there is a letter, or a byte of one that is not ASCII, so that there may be a word.
fn has_letters(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_alphabetic() || !byte.is_ascii())
}

/// How long a street's name behind the number is: `12 rue Victor Hugo`, `12 Mill Road`.
fn street_behind(behind: &str) -> Option<usize> {
    let window = &behind[..behind.floor_char_boundary(STREET_BYTES.min(behind.len()))];
    let name = window.split(['\n', ';', '(', ',']).find(|part| !part.trim().is_empty())?;
    let offset = name.as_ptr() as usize - window.as_ptr() as usize;
    if offset > 2 || !has_letters(name) {
        return None;
    }
    let lower = name.to_lowercase() + " ";
    let has_street = STREET_WORDS.find_overlapping_iter(&lower).any(|street| street.start() < 24);
    (has_street && name.split_whitespace().count() <= 6).then_some(offset + name.trim_end_matches(['.', ' ']).len())
}

/// How long postcode and place at the beginning of `behind` are: `, 10117 Berlin`, `, 00-950 Warszawa`, `, 1012 AB Amsterdam`.
fn postcode_and_place(behind: &str) -> Option<usize> {
    let begin = behind.find(|letter: char| !matches!(letter, ',' | ' ' | '\u{a0}'))?;
    let code = &behind[begin..];
    let code_end = code.find(|sign: char| !(sign.is_ascii_digit() || sign.is_ascii_uppercase() || matches!(sign, ' ' | '-')))?;
    let digits = code[..code_end].bytes().filter(u8::is_ascii_digit).count();
    let town = code[code_end..].find(|letter: char| !letter.is_alphabetic()).unwrap_or(code.len() - code_end);
    (begin <= 3 && begin > 0 && matches!(digits, 3..=7) && town > 1).then_some(begin + code_end + town)
}
