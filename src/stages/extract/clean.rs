//! Characters that are no text, taken out: controls, bidirectional overrides, soft hyphens, zero-width characters; and NFC.
//!
//! Bidirectional controls go because they let shown and stored text differ (UTS 55), and none of the languages here needs them.
//! Joiners stay between letters of scripts that are shaped by them and inside emoji, which is anything from U+0590 on.

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// Appends `text` without such characters. White space becomes single spaces, line ends stay; if `verbatim`, all of it stays.
pub(super) fn clean_into(text: &str, verbatim: bool, out: &mut String) {
    if !text.bytes().any(is_suspicious) {
        return out.push_str(text);
    }
    let begin = out.len();
    let mut before = ' ';
    for character in text.chars() {
        let kept = match character {
            '\n' => '\n',
            '\t' if verbatim => '\t',
            '\u{2028}' | '\u{2029}' | '\u{b}' | '\u{c}' => '\n',
            '\u{85}' | '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' | '\t' | '\r' => ' ',
            '\u{200c}' | '\u{200d}' if before >= '\u{590}' => character,
            _ if is_dropped(character) => continue,
            _ => character,
        };
        let needless = kept == ' ' && !verbatim && (out.len() == begin || out.ends_with([' ', '\n']));
        if !needless {
            out.push(kept);
            before = kept;
        }
    }
}

/// Whether a byte may belong to a character that is not kept as it is.
fn is_suspicious(byte: u8) -> bool {
    (byte < b' ' && byte != b'\n') || matches!(byte, 0x7f | 0xc2 | 0xd8 | 0xe1 | 0xe2 | 0xe3 | 0xef | 0xf0..)
}

fn is_dropped(character: char) -> bool {
    matches!(character,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff0}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e0fff}')
}

/// `text` in normalisation form C. Below U+0300 all characters are, so most text costs one look at its bytes.
pub(super) fn nfc(text: String) -> String {
    if text.bytes().all(|byte| byte < 0xcc) || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        return text;
    }
    text.nfc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let mut out = String::new();
        clean_into(text, false, &mut out);
        assert_eq!(nfc(out), expected);
    }

    #[test]
    fn invisible_characters_are_taken_out() {
        check("Donau\u{ad}dampf\u{200b}schiff\u{feff}", "Donaudampfschiff");
        check("a\0b\u{1b}c\u{85}d\u{202e}e\u{2066}f", "abc def");
    }

    #[test]
    fn spaces_of_all_kinds_become_one() {
        check("10\u{a0}000\u{202f}\u{2009}€ \u{a0}x", "10 000 € x");
    }

    #[test]
    fn joiners_stay_where_they_shape_letters() {
        check("می\u{200c}خواهم", "می\u{200c}خواهم");
        check("Auf\u{200c}lage", "Auflage");
    }

    #[test]
    fn text_comes_out_in_form_c() {
        check("e\u{301}le\u{300}ve", "élève");
        check("Ελλάδα, Ёлка", "Ελλάδα, Ёлка");
    }
}
