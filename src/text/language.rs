//! The language that a source states, as a tag that stage `langid` could have found.
//!
//! Libraries write `lit`, EUR-Lex `ET`, wikis `no`, editors `sr_RS`. A document is filed under one name of its language, whoever told it,
//! or its copies would never meet. What `langid` does not know has no tag here either: a folder of its own for a slip of the pen helps nobody.

use super::script::ScriptCount;

/// Letters that tell in which script a text is written.
const LETTERS_MAX: usize = 2000;

/// Tags as `langid` writes them, but for Serbian, whose tag says its script. Sorted.
const KNOWN: &[&str] = &[
    "af", "am", "an", "ar", "ast", "az", "ba", "be", "bg", "bn", "bo", "br", "bs", "ca", "ceb", "chr", "ckb", "cnr", "co", "cs", "csb",
    "cv", "cy", "da", "de", "dsb", "dv", "el", "en", "eo", "es", "et", "eu", "fa", "fi", "fo", "fr", "fur", "fy", "ga", "gd", "gl", "gsw",
    "gu", "ha", "he", "hi", "hr", "hsb", "ht", "hu", "hy", "ia", "id", "ig", "ii", "io", "is", "it", "iu", "ja", "jv", "ka", "kab", "kk",
    "km", "kn", "ko", "ku", "ky", "la", "lb", "lg", "li", "lij", "lo", "lt", "ltg", "lv", "mg", "mi", "mk", "ml", "mn", "mr", "ms", "mt",
    "my", "nb", "nds", "ne", "nl", "nn", "oc", "or", "os", "pa", "pl", "ps", "pt", "rm", "ro", "ru", "rue", "sa", "sc", "sco", "sd", "se",
    "si", "sk", "sl", "sn", "so", "sq", "st", "su", "sv", "sw", "szl", "ta", "te", "tg", "th", "tk", "tl", "tn", "tr", "ts", "tt", "ug",
    "uk", "ur", "uz", "vec", "vi", "wa", "xh", "yi", "yo", "zgh", "zh", "zu",
];

/// Other names of these languages: ISO 639-2 in both forms (Library of Congress, code list of 2017), withdrawn codes and macrolanguages as
/// the IANA registry of subtags lists them. `no` is taken for Bokmål, as nearly all that bears it is, and the Norwegian Wikipedia's dumps are.
const ALIASES: &[(&str, &str)] = &[
    ("afr", "af"),
    ("alb", "sq"),
    ("ara", "ar"),
    ("arg", "an"),
    ("arm", "hy"),
    ("aze", "az"),
    ("baq", "eu"),
    ("bel", "be"),
    ("bos", "bs"),
    ("bre", "br"),
    ("bul", "bg"),
    ("cat", "ca"),
    ("ces", "cs"),
    ("chi", "zh"),
    ("cos", "co"),
    ("cym", "cy"),
    ("cze", "cs"),
    ("dan", "da"),
    ("deu", "de"),
    ("dut", "nl"),
    ("ekk", "et"),
    ("ell", "el"),
    ("eng", "en"),
    ("epo", "eo"),
    ("est", "et"),
    ("eus", "eu"),
    ("fao", "fo"),
    ("fas", "fa"),
    ("fil", "tl"),
    ("fin", "fi"),
    ("fra", "fr"),
    ("fre", "fr"),
    ("fry", "fy"),
    ("geo", "ka"),
    ("ger", "de"),
    ("gla", "gd"),
    ("gle", "ga"),
    ("glg", "gl"),
    ("gre", "el"),
    ("heb", "he"),
    ("hin", "hi"),
    ("hrv", "hr"),
    ("hun", "hu"),
    ("hye", "hy"),
    ("ice", "is"),
    ("in", "id"),
    ("isl", "is"),
    ("ita", "it"),
    ("iw", "he"),
    ("ji", "yi"),
    ("jpn", "ja"),
    ("kat", "ka"),
    ("kaz", "kk"),
    ("kor", "ko"),
    ("kur", "ku"),
    ("lat", "la"),
    ("lav", "lv"),
    ("lim", "li"),
    ("lit", "lt"),
    ("ltz", "lb"),
    ("lvs", "lv"),
    ("mac", "mk"),
    ("mkd", "mk"),
    ("mlt", "mt"),
    ("mo", "ro"),
    ("nld", "nl"),
    ("nno", "nn"),
    ("no", "nb"),
    ("nob", "nb"),
    ("nor", "nb"),
    ("oci", "oc"),
    ("per", "fa"),
    ("pol", "pl"),
    ("por", "pt"),
    ("roh", "rm"),
    ("ron", "ro"),
    ("rum", "ro"),
    ("rus", "ru"),
    ("slk", "sk"),
    ("slo", "sk"),
    ("slv", "sl"),
    ("sme", "se"),
    ("spa", "es"),
    ("sqi", "sq"),
    ("srd", "sc"),
    ("srp", "sr"),
    ("swe", "sv"),
    ("tat", "tt"),
    ("tur", "tr"),
    ("ukr", "uk"),
    ("uzb", "uz"),
    ("wel", "cy"),
    ("wln", "wa"),
    ("yid", "yi"),
    ("zho", "zh"),
];

/// The tag of the language that a source states as `written` for `text`; `None` where that is no language of ours, or where several are
/// stated, for nobody said which of them the text is in. The text only tells the script of languages that have two.
///
/// ```
/// assert_eq!(tamis::text::language::stated("lit", "Labas rytas"), Some("lt"));
/// assert_eq!(tamis::text::language::stated("sr_RS", "Добро јутро"), Some("sr-Cyrl"));
/// assert_eq!(tamis::text::language::stated("lat, grc", "Salve"), None);
/// ```
#[must_use]
pub fn stated(written: &str, text: &str) -> Option<&'static str> {
    let mut tags = written.split([',', ';', ' ']).filter(|part| !part.is_empty()).map(|part| known(part, text));
    let first = tags.next()??;
    tags.all(|other| other == Some(first)).then_some(first)
}

fn known(written: &str, text: &str) -> Option<&'static str> {
    let mut subtags = written.trim().split(['-', '_']);
    let primary = subtags.next()?.to_ascii_lowercase();
    let name = ALIASES.iter().find(|(other, _)| *other == primary).map_or(primary.as_str(), |(_, tag)| tag);
    let plain = KNOWN.binary_search(&name).ok().map(|place| KNOWN[place]);
    if !matches!(name, "az" | "sr" | "uz") {
        return plain;
    }
    let stated = subtags.find(|subtag| subtag.len() == 4 && subtag.bytes().all(|byte| byte.is_ascii_alphabetic()));
    match (name, stated.or_else(|| script(text))?.to_ascii_lowercase().as_str()) {
        ("sr", "latn") => Some("sr-Latn"),
        ("sr", "cyrl") => Some("sr-Cyrl"),
        ("az", "cyrl") => Some("az-Cyrl"),
        ("uz", "cyrl") => Some("uz-Cyrl"),
        _ => plain,
    }
}

/// The script that most letters at the beginning of `text` have.
fn script(text: &str) -> Option<&'static str> {
    let mut count = ScriptCount::default();
    text.chars().filter(|letter| letter.is_alphabetic()).take(LETTERS_MAX).for_each(|letter| count.add(letter));
    count.most().map(|(script, _)| script)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_archives_state_becomes_the_tag_that_langid_writes() {
        for (written, text, tag) in [
            ("lit", "Labas rytas", Some("lt")),
            ("ET", "Tere hommikust", Some("et")),
            ("de-AT", "Grüß Gott", Some("de")),
            ("dut", "Goedemorgen", Some("nl")),
            ("no", "God morgen", Some("nb")),
            ("nno", "God morgon", Some("nn")),
            ("be-tarask", "Добрай раніцы", Some("be")),
            ("sr", "Добро јутро, Србијо", Some("sr-Cyrl")),
            ("srp", "Dobro jutro, Srbijo", Some("sr-Latn")),
            ("sr-latn-RS", "Добро јутро", Some("sr-Latn")),
            ("uz", "Xayrli tong", Some("uz")),
            ("uz_Cyrl", "", Some("uz-Cyrl")),
            ("fr, fra", "Bonjour", Some("fr")),
            ("fi; sv", "Hyvää huomenta", None),
            ("sr", "", None),
            ("und", "?", None),
            ("Deutsch", "Guten Morgen", None),
            ("", "Dobré ráno", None),
            ("ä-Ö", "", None),
        ] {
            assert_eq!(stated(written, text), tag, "{written} {text}");
        }
    }

    #[test]
    fn tags_are_sorted_and_every_other_name_leads_to_one() {
        assert!(KNOWN.is_sorted());
        assert!(ALIASES.is_sorted());
        for (other, tag) in ALIASES {
            assert!(*tag == "sr" || KNOWN.contains(tag), "{other}");
        }
    }
}
