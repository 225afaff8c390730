//! What templates leave behind. A pattern is text with the template's arguments in it: `$1` the first without a name, `$2` .., `$last`
//! the last one. Only templates whose text belongs to the sentence around them are listed; infoboxes, notices and sources leave nothing.
//!
//! The table was made from the documentation of the templates themselves; names are those of several Wikipedias, which do not collide.

use std::collections::HashMap;

use super::Patterns;

const TABLE: &[(&str, &[&str])] = &[
    (
        "$1",
        &[
            "nowrap",
            "nobr",
            "small",
            "big",
            "smaller",
            "larger",
            "abbr",
            "abbrlink",
            "formatnum",
            "nombre",
            "val",
            "num",
            "math",
            "mvar",
            "ill",
            "interlanguage link",
            "lien",
            "illm",
            "tooltip",
            "hint",
            "ruby",
            "em",
            "strong",
            "smallcaps",
            "sc",
            "petit",
            "souligner",
            "kursiv",
            "tlg",
            "not a typo",
            "as written",
            "sic",
            "visible anchor",
            "vanchor",
            "anchor text",
            "quote",
            "cquote",
            "blockquote",
            "quotation",
            "citation bloc",
            "citation",
            "cytat",
            "zitat",
            "citat",
            "cita",
            "citazione",
            "bq",
            "poem",
            "poemquote",
            "red",
            "nwr",
            "s-rød",
            "ws",
            "term",
            "linktext",
            "unbulleted list",
            "kbd",
            "code",
            "samp",
            "tt",
            "color text",
            "underline",
            "uline",
            "hlist",
        ],
    ),
    (
        "$2",
        &[
            "lang",
            "langx",
            "langue",
            "lingua",
            "idioma",
            "język",
            "lang1",
            "spr",
            "språk",
            "color",
            "font color",
            "fontcolor",
            "script",
            "transl",
        ],
    ),
    ("$last", &["nihongo2", "hebrew", "hebr", "arab", "polytonic", "unicode", "ipa-text"]),
    ("$1 $2", &["unité", "unit", "unidade", "cvt", "convert", "conversion", "convertir", "converti", "units"]),
    ("$1–$2", &["jahre", "années"]),
    ("$1/$2", &["frac", "sfrac", "fraction", "fract"]),
    ("c. $1", &["circa", "c.", "ca."]),
    ("as of $1", &["as of"]),
    ("$1e siècle", &["s", "siècle"]),
    ("$1. – $2.", &["stoljeća"]),
    ("|", &["!"]),
    ("=", &["="]),
    (" – ", &["spaced ndash", "spnd", "snd", "spaced en dash", "–"]),
    ("–", &["ndash", "en dash"]),
    ("—", &["mdash", "em dash", "—"]),
    (" · ", &["·", "dot", "middot", "•", "bull"]),
    (" ", &["nbsp", "spaces", "space", "sp", "pad", "zwsp", "clear", "-", "wbr"]),
    ("'", &["'", "apostrophe"]),
    ("re", &["re"]),
    ("er", &["er"]),
    ("e", &["e"]),
];

/// Patterns by the name of the template, in lower case.
#[derive(Clone, Debug)]
pub struct Templates(HashMap<String, String>);

impl Default for Templates {
    fn default() -> Templates {
        let rows = TABLE.iter().flat_map(|(pattern, names)| names.iter().map(|name| ((*name).to_owned(), (*pattern).to_owned())));
        Templates(rows.collect())
    }
}

impl Templates {
    /// The table of the house with `more` in it.
    #[must_use]
    pub fn with(more: &Patterns) -> Templates {
        let mut templates = Templates::default();
        templates.0.extend(more.iter().map(|(name, pattern)| (name.trim().replace('_', " ").to_lowercase(), pattern.clone())));
        templates
    }

    /// Writes what the template leaves: `parts` are its name and its arguments.
    pub(super) fn expand(&self, parts: &[&str], out: &mut String) {
        let Some((name, arguments)) = parts.split_first() else { return };
        let name = name.trim();
        if name.len() > 64 || name.starts_with('#') {
            return;
        }
        let name = name.replace('_', " ").to_lowercase();
        if let Some(pattern) = self.0.get(name.as_str()) {
            return fill(pattern, arguments, out);
        }
        // `{{lang-lv|labdien}}` of the older Wikipedias, and what the software itself formats.
        if let Some(code) = name.strip_prefix("lang-")
            && code.len() <= 12
        {
            fill("$1", arguments, out);
        } else if let Some((function, value)) = name.split_once(':')
            && matches!(function, "formatnum" | "lc" | "lcfirst" | "uc" | "ucfirst")
        {
            out.push_str(value.trim());
        }
    }
}

fn fill(pattern: &str, arguments: &[&str], out: &mut String) {
    let mut rest = pattern;
    while let Some((before, behind)) = rest.split_once('$') {
        out.push_str(before);
        if let Some(behind) = behind.strip_prefix("last") {
            out.push_str(places(arguments).last().unwrap_or(""));
            rest = behind;
            continue;
        }
        match behind.bytes().next().filter(|digit| matches!(digit, b'1'..=b'9')) {
            Some(digit) => {
                out.push_str(argument(arguments, usize::from(digit - b'0')));
                rest = &behind[1..];
            }
            None => {
                out.push('$');
                rest = behind;
            }
        }
    }
    out.push_str(rest);
}

/// Argument `number`, counted from one: the one named so, else the one at that place among those without a name.
fn argument<'a>(arguments: &[&'a str], number: usize) -> &'a str {
    let named = arguments.iter().find_map(|argument| {
        let (name, value) = argument.split_once('=')?;
        (name.trim().parse() == Ok(number)).then_some(value.trim())
    });
    named.or_else(|| places(arguments).nth(number - 1)).unwrap_or("")
}

/// The arguments without a name. A name is a word or two; an equals sign farther on belongs to a sentence.
fn places<'a>(arguments: &[&'a str]) -> impl Iterator<Item = &'a str> {
    let is_named = |argument: &str| {
        argument.split_once('=').is_some_and(|(name, _)| {
            let name = name.trim();
            !name.is_empty() && name.len() <= 24 && name.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '-' | ' '))
        })
    };
    arguments.iter().copied().filter(move |argument| !is_named(argument)).map(str::trim)
}
