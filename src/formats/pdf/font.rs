//! Fonts, as far as text needs them: from codes to letters and widths. A `ToUnicode` map decides; without one, the names of the glyphs or
//! the encoding do. A composite font without a map has codes that only its glyphs explain, so it gives no text.

use std::collections::HashMap;

use hayro_syntax::object::{Array, Dict, Name, Object, Stream};
use unicode_normalization::UnicodeNormalization;

/// Entries that a map may have; a font has at most 65,536 glyphs.
const ENTRIES_MAX: usize = 1 << 16;
/// Marks behind the base letter in the names of glyphs, and the sign that combines.
const ACCENTS: &[(&str, char)] = &[
    ("acute", '\u{301}'),
    ("grave", '\u{300}'),
    ("circumflex", '\u{302}'),
    ("dieresis", '\u{308}'),
    ("tilde", '\u{303}'),
    ("caron", '\u{30c}'),
    ("cedilla", '\u{327}'),
    ("commaaccent", '\u{327}'),
    ("ogonek", '\u{328}'),
    ("ring", '\u{30a}'),
    ("macron", '\u{304}'),
    ("breve", '\u{306}'),
    ("dotaccent", '\u{307}'),
    ("hungarumlaut", '\u{30b}'),
];
/// Names of glyphs that are no letters (Adobe Glyph List).
const GLYPHS: &[(&str, &str)] = &[
    ("space", " "),
    ("nbspace", " "),
    ("exclam", "!"),
    ("quotedbl", "\""),
    ("numbersign", "#"),
    ("dollar", "$"),
    ("percent", "%"),
    ("ampersand", "&"),
    ("quotesingle", "'"),
    ("parenleft", "("),
    ("parenright", ")"),
    ("asterisk", "*"),
    ("plus", "+"),
    ("comma", ","),
    ("hyphen", "-"),
    ("period", "."),
    ("slash", "/"),
    ("zero", "0"),
    ("one", "1"),
    ("two", "2"),
    ("three", "3"),
    ("four", "4"),
    ("five", "5"),
    ("six", "6"),
    ("seven", "7"),
    ("eight", "8"),
    ("nine", "9"),
    ("colon", ":"),
    ("semicolon", ";"),
    ("less", "<"),
    ("equal", "="),
    ("greater", ">"),
    ("question", "?"),
    ("at", "@"),
    ("bracketleft", "["),
    ("backslash", "\\"),
    ("bracketright", "]"),
    ("underscore", "_"),
    ("bar", "|"),
    ("braceleft", "{"),
    ("braceright", "}"),
    ("quoteleft", "‘"),
    ("quoteright", "’"),
    ("quotedblleft", "“"),
    ("quotedblright", "”"),
    ("quotesinglbase", "‚"),
    ("quotedblbase", "„"),
    ("guillemotleft", "«"),
    ("guillemotright", "»"),
    ("guilsinglleft", "‹"),
    ("guilsinglright", "›"),
    ("endash", "–"),
    ("emdash", "—"),
    ("ellipsis", "…"),
    ("bullet", "•"),
    ("degree", "°"),
    ("section", "§"),
    ("paragraph", "¶"),
    ("Euro", "€"),
    ("sterling", "£"),
    ("fi", "fi"),
    ("fl", "fl"),
    ("ff", "ff"),
    ("ffi", "ffi"),
    ("ffl", "ffl"),
    ("germandbls", "ß"),
    ("ae", "æ"),
    ("AE", "Æ"),
    ("oe", "œ"),
    ("OE", "Œ"),
    ("oslash", "ø"),
    ("Oslash", "Ø"),
    ("aring", "å"),
    ("Aring", "Å"),
    ("dcroat", "đ"),
    ("Dcroat", "Đ"),
    ("lslash", "ł"),
    ("Lslash", "Ł"),
    ("thorn", "þ"),
    ("Thorn", "Þ"),
    ("eth", "ð"),
    ("Eth", "Ð"),
    ("dotlessi", "ı"),
    ("minus", "−"),
    ("multiply", "×"),
];

/// A font.
#[derive(Default)]
pub(super) struct Font {
    /// Bytes of a code.
    code_bytes: usize,
    letters: HashMap<u32, String>,
    /// In thousandths of the font's size.
    widths: HashMap<u32, f64>,
    width: f64,
    /// What codes mean that no map names; `None` in composite fonts.
    encoding: Option<&'static encoding_rs::Encoding>,
}

impl Font {
    pub(super) fn of(dict: &Dict<'_>) -> Font {
        let is_composite = dict.get::<Name<'_>>("Subtype").is_some_and(|kind| &*kind == b"Type0");
        let mut font =
            Font { code_bytes: if is_composite { 2 } else { 1 }, width: if is_composite { 1000.0 } else { 500.0 }, ..Font::default() };
        if is_composite {
            font.composite_widths(dict);
        } else {
            font.simple(dict);
        }
        if let Some(map) = dict.get::<Stream<'_>>("ToUnicode").and_then(|map| map.decoded().ok().map(|bytes| bytes.into_owned())) {
            font.read_map(&map);
        }
        font
    }

    fn simple(&mut self, dict: &Dict<'_>) {
        let encoding = dict.get::<Dict<'_>>("Encoding");
        let base =
            encoding.as_ref().and_then(|encoding| encoding.get::<Name<'_>>("BaseEncoding")).or_else(|| dict.get::<Name<'_>>("Encoding"));
        let is_mac = base.is_some_and(|name| &*name == b"MacRomanEncoding");
        self.encoding = Some(if is_mac { encoding_rs::MACINTOSH } else { encoding_rs::WINDOWS_1252 });
        let mut code = 0;
        for item in encoding
            .and_then(|encoding| encoding.get::<Array<'_>>("Differences"))
            .iter()
            .flat_map(Array::iter::<Object<'_>>)
            .take(ENTRIES_MAX)
        {
            match item {
                Object::Number(number) => code = u32::try_from(number.as_i64()).unwrap_or(0),
                Object::Name(name) => {
                    self.letters.extend(glyph(name.as_str()).map(|letters| (code, letters)));
                    code = code.saturating_add(1);
                }
                _ => {}
            }
        }
        let first = dict.get::<f32>("FirstChar").map_or(0, |first| first as u32);
        let widths = dict.get::<Array<'_>>("Widths");
        for (code, width) in (first..).zip(widths.iter().flat_map(Array::iter::<f32>).take(256)) {
            self.widths.insert(code, f64::from(width));
        }
    }

    /// Widths of a composite font: `c [w1 w2 ..]` and `first last w`.
    fn composite_widths(&mut self, dict: &Dict<'_>) {
        let Some(inner) = dict.get::<Array<'_>>("DescendantFonts").and_then(|fonts| fonts.iter::<Dict<'_>>().next()) else { return };
        self.width = inner.get::<f32>("DW").map_or(1000.0, f64::from);
        let mut numbers: Vec<f64> = Vec::new();
        let mut left = 2 * ENTRIES_MAX;
        for item in inner.get::<Array<'_>>("W").iter().flat_map(Array::iter::<Object<'_>>).take(ENTRIES_MAX) {
            match item {
                Object::Number(number) => numbers.push(number.as_f64()),
                Object::Array(widths) => {
                    let first = numbers.pop().unwrap_or(0.0) as u32;
                    self.widths.extend((first..).zip(widths.iter::<f32>().map(f64::from)).take(ENTRIES_MAX));
                    numbers.clear();
                }
                _ => {}
            }
            if let [first, last, width] = numbers[..] {
                let codes = first as u32..=last as u32;
                // Ranges that repeat themselves would be work without an end in sight.
                let count = ((last as u32).saturating_sub(first as u32) as usize + 1).min(left);
                left -= count;
                self.widths.extend(codes.map(|code| (code, width)).take(count));
                numbers.clear();
            }
        }
    }

    /// Reads a `ToUnicode` map: `<0041> <0061>` between `beginbfchar` and `endbfchar`, `<00> <20> <0061>` or `<00> <20> [<0061> ..]` in ranges.
    fn read_map(&mut self, map: &[u8]) {
        let mut hexes: Vec<Vec<u8>> = Vec::new();
        let (mut ranges, mut chars, mut within_array) = (false, false, false);
        let mut at = 0;
        while at < map.len() && self.letters.len() <= ENTRIES_MAX {
            match map[at] {
                b'<' if map.get(at + 1) != Some(&b'<') => {
                    let end = memchr::memchr(b'>', &map[at..]).map_or(map.len(), |end| at + end);
                    hexes.push(hex(&map[at + 1..end]));
                    at = end;
                    let is_full = if chars { hexes.len() == 2 } else { hexes.len() == 3 && !within_array };
                    if (chars || ranges) && is_full {
                        self.enter(&std::mem::take(&mut hexes), chars);
                    }
                }
                // A dictionary begins.
                b'<' => at += 1,
                b'[' => within_array = true,
                b']' => {
                    within_array = false;
                    if ranges && hexes.len() > 2 {
                        let first = number(&hexes[0]);
                        self.letters.extend((first..).zip(hexes[2..].iter().map(|text| utf16(text))));
                    }
                    hexes.clear();
                }
                b'b' | b'e' if map[at..].len() > 10 => {
                    let word = &map[at..at + 11.min(map.len() - at)];
                    if word.starts_with(b"beginbfchar") {
                        (chars, ranges) = (true, false);
                        hexes.clear();
                    } else if word.starts_with(b"beginbfrang") {
                        (chars, ranges) = (false, true);
                        hexes.clear();
                    } else if word.starts_with(b"begincodesp") {
                        hexes.clear();
                    } else if word.starts_with(b"endbf") || word.starts_with(b"endcodespac") {
                        if word.starts_with(b"endcodespac") && self.encoding.is_none() {
                            self.code_bytes = hexes.first().map_or(2, |code| code.len().clamp(1, 4));
                        }
                        (chars, ranges) = (false, false);
                        hexes.clear();
                    }
                }
                _ => {}
            }
            at += 1;
        }
    }

    fn enter(&mut self, hexes: &[Vec<u8>], is_char: bool) {
        if is_char {
            self.letters.insert(number(&hexes[0]), utf16(&hexes[1]));
            return;
        }
        let (first, last) = (number(&hexes[0]), number(&hexes[1]));
        let text = utf16(&hexes[2]);
        let Some(end) = text.chars().next_back() else { return };
        let stem = &text[..text.len() - end.len_utf8()];
        for code in (first..=last).take(ENTRIES_MAX.saturating_sub(self.letters.len())) {
            if let Some(letter) = char::from_u32(end as u32 + (code - first)) {
                self.letters.insert(code, format!("{stem}{letter}"));
            }
        }
    }

    /// Each code of a shown string: its letters, its width in thousandths, and whether it is the space that word spacing widens.
    pub(super) fn show(&self, bytes: &[u8], mut each: impl FnMut(&str, f64, bool)) {
        for code in bytes.chunks(self.code_bytes.max(1)) {
            let number = number(code);
            let width = self.widths.get(&number).copied().unwrap_or(self.width);
            let is_space = code == b" ";
            match (self.letters.get(&number), self.encoding) {
                (Some(letters), _) => each(letters, width, is_space),
                (None, Some(encoding)) => each(&encoding.decode_without_bom_handling(code).0, width, is_space),
                (None, None) => each("", width, is_space),
            }
        }
    }
}

/// The letters of a glyph by its name: `uni0161`, `scaron`, `s`, `fi`.
fn glyph(name: &str) -> Option<String> {
    let name = name.split('.').next().unwrap_or(name);
    if let Some((_, letters)) = GLYPHS.iter().find(|(known, _)| *known == name) {
        return Some((*letters).to_owned());
    }
    if name.len() == 1 {
        return Some(name.to_owned());
    }
    let code = name.strip_prefix("uni").or_else(|| name.strip_prefix('u')).filter(|code| matches!(code.len(), 4..=6));
    if let Some(letter) = code.and_then(|code| char::from_u32(u32::from_str_radix(code, 16).ok()?)) {
        return Some(letter.to_string());
    }
    let base = name.chars().next()?;
    let (_, accent) = ACCENTS.iter().find(|(accent, _)| name[base.len_utf8()..] == **accent)?;
    Some([base, *accent].into_iter().nfc().collect())
}

fn hex(digits: &[u8]) -> Vec<u8> {
    let digits: Vec<u8> = digits.iter().filter_map(|digit| char::from(*digit).to_digit(16)).map(|digit| digit as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair.get(1).unwrap_or(&0)).collect()
}

fn number(code: &[u8]) -> u32 {
    code.iter().take(4).fold(0, |number, byte| number << 8 | u32::from(*byte))
}

fn utf16(bytes: &[u8]) -> String {
    let units = bytes.chunks(2).map(|pair| if pair.len() == 2 { u16::from_be_bytes([pair[0], pair[1]]) } else { u16::from(pair[0]) });
    let text: String = char::decode_utf16(units).filter_map(Result::ok).collect();
    // Ligatures are letters again.
    if text.chars().any(|letter| matches!(letter, '\u{fb00}'..='\u{fb06}')) { text.nfkc().collect() } else { text }
}
