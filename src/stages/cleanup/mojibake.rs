//! UTF-8 that somebody read byte by byte as an old charset of Windows, put right.
//!
//! A line is repaired if, in one of five charsets, every run of letters beyond ASCII has bytes that are valid UTF-8 for letters and marks of
//! European text, and that for at least two letters: right text does not have that, for after a byte that leads, UTF-8 wants one from 0x80
//! to 0xBF, which in these charsets are signs and rare letters (the reasoning of ftfy, Speer 2019, without its table of costs). What was
//! read wrongly twice is repaired twice. Bytes that a charset has no letter for are lost when a page is cleaned, so such lines stay.

use encoding_rs::{Encoding, WINDOWS_1250, WINDOWS_1251, WINDOWS_1252, WINDOWS_1253, WINDOWS_1257};

const CHARSETS: [&Encoding; 5] = [WINDOWS_1252, WINDOWS_1250, WINDOWS_1251, WINDOWS_1253, WINDOWS_1257];
/// Letters that a repair must yield, so that no chance does.
const LETTERS_MIN: usize = 2;
/// How often a text may have been read wrongly.
const TURNS_MAX: usize = 2;

/// Repairs the lines of `text` that are broken; the number of letters that came of it.
pub(super) fn repair(text: &mut String) -> usize {
    if !text.contains(is_lead) {
        return 0;
    }
    let mut repaired = 0;
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        match repaired_line(line) {
            Some((right, letters)) => {
                repaired += letters;
                out.push_str(&right);
            }
            None => out.push_str(line),
        }
    }
    if repaired > 0 {
        *text = out;
    }
    repaired
}

/// What the bytes that lead in UTF-8 (C2 to C5, CE to D1, E2) are in one of the charsets: where a line has none, it is not broken.
fn is_lead(sign: char) -> bool {
    matches!(
        sign,
        'Â' | 'Ã' | 'Ä' | 'Å' | 'Î' | 'Ï' | 'Ð' | 'Ñ' | 'â' // 1252
        | 'Ă' | 'Ĺ' | 'Ď' | 'Đ' | 'Ń' // 1250
        | 'В' | 'Г' | 'Д' | 'Е' | 'О' | 'П' | 'Р' | 'С' | 'в' // 1251
        | 'Β' | 'Γ' | 'Δ' | 'Ε' | 'Ξ' | 'Ο' | 'Π' | 'Ρ' | 'β' // 1253
        | 'Ā' | 'Ć' | 'Ī' | 'Š' | 'ā' // 1257
    )
}

/// A line put right, and how many of its letters were not.
fn repaired_line(line: &str) -> Option<(String, usize)> {
    let (mut right, mut letters) = (None::<String>, 0);
    for _ in 0..TURNS_MAX {
        let now = right.as_deref().unwrap_or(line);
        let Some((better, count)) = CHARSETS.iter().find_map(|charset| read_anew(now, charset)) else { break };
        letters = count;
        right = Some(better);
    }
    right.map(|right| (right, letters))
}

/// `line` as it is if it was read in `charset` while it was UTF-8, and how many letters it then has beyond ASCII; none if it was not.
fn read_anew(line: &str, charset: &'static Encoding) -> Option<(String, usize)> {
    if !line.contains(is_lead) {
        return None;
    }
    let (mut right, mut letters) = (String::with_capacity(line.len()), 0);
    let mut rest = line;
    while let Some(begin) = rest.find(|sign: char| !sign.is_ascii()) {
        right.push_str(&rest[..begin]);
        rest = &rest[begin..];
        let end = rest.find(|sign: char| sign.is_ascii()).unwrap_or(rest.len());
        let (bytes, _, is_unmappable) = charset.encode(&rest[..end]);
        if is_unmappable {
            return None;
        }
        let run = std::str::from_utf8(&bytes).ok().filter(|run| run.chars().all(is_european))?;
        letters += run.chars().count();
        right.push_str(run);
        rest = &rest[end..];
    }
    right.push_str(rest);
    (letters >= LETTERS_MIN).then_some((right, letters))
}

/// Whether a sign is one that European text has and that UTF-8 writes in more than one byte.
fn is_european(sign: char) -> bool {
    matches!(sign,
        '\u{a0}'..='\u{17f}' | '\u{218}'..='\u{21b}' | '\u{2bc}' | '\u{386}'..='\u{3ce}' | '\u{400}'..='\u{45f}' | '\u{490}' | '\u{491}'
        | '\u{1e02}'..='\u{1e85}' | '\u{1e9e}' | '\u{2010}'..='\u{2044}' | '\u{20ac}' | '\u{2116}' | '\u{2122}' | '\u{2190}'..='\u{2193}' | '\u{2212}')
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: &[(&str, &Encoding)] = &[
        ("Käsityöläiset näyttävät töitään, sanoi Väinö.", WINDOWS_1252),
        ("L’été, la fête dure jusqu’à l’aube – c’est promis…", WINDOWS_1252),
        ("Größere Schiffe können bei Sturm nicht einlaufen.", WINDOWS_1252),
        ("Żółw gęsiego chodzi źle.", WINDOWS_1250),
        ("Příliš žluťoučký kůň úpěl ďábelské ódy.", WINDOWS_1250),
        ("Лодката стига до кея и чака.", WINDOWS_1251),
        ("Ζητάμε τη θάλασσα και τον ήλιο.", WINDOWS_1253),
        ("Šiandien žvejai grįžo vėlai.", WINDOWS_1257),
    ];

    fn broken(text: &str, charset: &'static Encoding) -> String {
        charset.decode_without_bom_handling(text.as_bytes()).0.into_owned()
    }

    #[test]
    fn what_was_broken_is_put_right_once_or_twice() {
        for (right, charset) in TEXTS {
            let once = broken(right, charset);
            assert_ne!(once, *right);
            let mut text = format!("Ascii only.\n{once}\nEnd");
            assert!(repair(&mut text) >= LETTERS_MIN, "{once}");
            assert_eq!(text, format!("Ascii only.\n{right}\nEnd"));
        }
        let (right, charset) = TEXTS[0];
        let mut twice = broken(&broken(right, charset), charset);
        repair(&mut twice);
        assert_eq!(twice, right);
    }

    #[test]
    fn right_text_of_every_language_stays() {
        let declared = [
            "Всички хора се раждат свободни и равни. Рі, Сі, Дё, «Обед»",
            "Všichni lidé rodí se svobodní a sobě rovní. «Ž»",
            "Alle mennesker er født frie. Å»",
            "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι. «Ρ»",
            "«LIBERTÉ» et «FRATERNITÉ», À «L’ÉCOLE»",
            "Kõik inimesed sünnivad vabadena. Ä»",
            "Visi cilvēki piedzimst brīvi. Ā°",
            "Visi žmonės gimsta laisvi. Š»",
            "Wszyscy ludzie rodzą się wolni. Ż¹",
            "Toate ființele umane se nasc libere. Ă¢",
            "Todos los seres humanos nacen libres. ¿Señor Ñ°?",
            "Vsi ljudje se rodijo svobodni. Č»",
            "Всі люди народжуються вільними. Рівні, Сільські",
            "Bütün insanlar hür doğar. İ°",
        ];
        for right in declared {
            let mut text = right.to_owned();
            assert_eq!((repair(&mut text), text.as_str()), (0, right));
        }
    }

    proptest::proptest! {
        /// Whatever a repair gives, broken again it is the line that came.
        #[test]
        fn a_repair_is_the_way_back(text in "[ÃÂâ€™äö¤¶Ä…Å\u{a0}Рїв a-z]{0,40}") {
            for charset in CHARSETS {
                if let Some((right, _)) = read_anew(&text, charset) {
                    proptest::prop_assert_eq!(broken(&right, charset), text.clone());
                }
            }
        }
    }
}
