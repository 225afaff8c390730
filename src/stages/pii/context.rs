//! The words around a number: what it is said to be, in the language of the page.
//!
//! One automaton knows all words of all languages; those of other languages than the page's are not listened to, where the page has one.
//! Only numbers that could be somebody's are asked about, in a window of fixed size, so that the cost stays linear.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};

/// How far words speak for a number, in bytes before and behind it.
const BEFORE_BYTES: usize = 72;
const BEHIND_BYTES: usize = 28;

/// What words can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    Phone,
    Bank,
    Card,
    Vat,
    Id,
    Plate,
    Birth,
    Address,
    /// An order, an invoice, a book: no person.
    Order,
}

const SAID: [(&str, Said); 9] = [
    ("phone", Said::Phone),
    ("bank", Said::Bank),
    ("card", Said::Card),
    ("vat", Said::Vat),
    ("id", Said::Id),
    ("plate", Said::Plate),
    ("birth", Said::Birth),
    ("address", Said::Address),
    ("order", Said::Order),
];

struct Words {
    automaton: AhoCorasick,
    meanings: Vec<(Said, &'static str)>,
}

static WORDS: LazyLock<Words> = LazyLock::new(|| {
    let (mut words, mut meanings) = (Vec::new(), Vec::new());
    for row in include_str!("context_words.tsv").lines() {
        let mut cells = row.split('\t');
        let (name, lang, list) = (cells.next().unwrap_or(""), cells.next().unwrap_or(""), cells.next().unwrap_or(""));
        let Some((_, said)) = SAID.iter().find(|(known, _)| *known == name) else { continue };
        for word in list.split(',') {
            words.push(word);
            meanings.push((*said, lang));
        }
    }
    let automaton = AhoCorasick::builder().match_kind(MatchKind::Standard).build(&words).expect("a few hundred short words");
    Words { automaton, meanings }
});

/// The countries whose identifiers, phone and VAT numbers a page in `lang` most likely has.
pub fn countries_of(lang: &str) -> &'static [&'static str] {
    match lang {
        "de" => &["de", "at", "ch", "li", "lu", "be"],
        "fr" => &["fr", "be", "ch", "lu", "mc"],
        "nl" => &["nl", "be"],
        "en" => &["gb", "ie", "mt", "cy", "gi"],
        "it" => &["it", "ch", "sm"],
        "es" | "ca" | "gl" | "eu" => &["es", "ad"],
        "pt" => &["pt"],
        "el" => &["gr", "cy"],
        "tr" => &["tr", "cy"],
        "mt" => &["mt"],
        "ga" => &["ie"],
        "cy" | "gd" => &["gb"],
        "sv" => &["se", "fi"],
        "fi" => &["fi"],
        "da" => &["dk"],
        "fo" => &["fo"],
        "no" | "nb" | "nn" => &["no"],
        "is" => &["is"],
        "et" => &["ee"],
        "lv" => &["lv"],
        "lt" => &["lt"],
        "pl" => &["pl"],
        "cs" => &["cz"],
        "sk" => &["sk"],
        "hu" => &["hu"],
        "ro" => &["ro", "md"],
        "bg" => &["bg"],
        "hr" => &["hr", "ba"],
        "bs" => &["ba"],
        "sr" | "sh" => &["rs", "ba", "me"],
        "mk" => &["mk"],
        "sl" => &["si"],
        "sq" => &["al", "xk"],
        "lb" => &["lu"],
        "uk" => &["ua"],
        "be" => &["by"],
        "ru" => &["ru"],
        _ => &[],
    }
}

/// What the surroundings of a number say.
#[derive(Default)]
pub struct Context {
    /// By meaning, the distance in bytes of the nearest word.
    nearest: [Option<usize>; SAID.len()],
    /// Languages of the words for identifiers that stand there.
    id_langs: Vec<&'static str>,
}

impl Context {
    /// The words around `start..end` of `text`, a page in `lang` (its primary subtag).
    pub fn around(text: &str, start: usize, end: usize, lang: Option<&str>) -> Context {
        let mut context = Context::default();
        let before = &text[text.ceil_char_boundary(start.saturating_sub(BEFORE_BYTES))..start];
        let behind = &text[end..text.floor_char_boundary((end + BEHIND_BYTES).min(text.len()))];
        let behind = behind.split('\n').next().unwrap_or("");
        context.listen(before, lang, |side, word_end| side - word_end);
        context.listen(behind, lang, |_, word_end| BEFORE_BYTES / 2 + word_end);
        context
    }

    fn listen(&mut self, side: &str, lang: Option<&str>, distance: impl Fn(usize, usize) -> usize) {
        let lower = side.to_lowercase();
        for found in WORDS.automaton.find_overlapping_iter(&lower) {
            let (said, word_lang) = WORDS.meanings[found.pattern().as_usize()];
            let is_listened_to = word_lang == "*" || word_lang == "en" || lang.is_none_or(|lang| lang == word_lang || said == Said::Id);
            let begins_word = !lower[..found.start()].ends_with(char::is_alphanumeric);
            if !is_listened_to || !begins_word && found.len() < 7 {
                continue;
            }
            let is_short = found.len() < 5;
            if is_short && lower[found.end()..].starts_with(char::is_alphabetic) && said != Said::Birth {
                continue;
            }
            let far = distance(lower.len(), found.end());
            let known = &mut self.nearest[said as usize];
            *known = Some(known.map_or(far, |near| near.min(far)));
            if said == Said::Id {
                self.id_langs.push(word_lang);
            }
        }
    }

    /// Whether the nearest word that speaks of numbers says `said`, and no word for orders stands nearer.
    pub fn says(&self, said: Said) -> bool {
        let Some(near) = self.nearest[said as usize] else { return false };
        self.nearest[Said::Order as usize].is_none_or(|order| near <= order)
    }

    /// The distance of the nearest word that says `said`.
    pub fn distance(&self, said: Said) -> Option<usize> {
        self.nearest[said as usize]
    }

    /// Whether a word for orders, invoices or books stands nearest.
    pub fn says_no_person(&self) -> bool {
        let order = self.nearest[Said::Order as usize];
        let others = self.nearest[..Said::Order as usize].iter().flatten().min();
        order.is_some_and(|order| others.is_none_or(|other| order < *other))
    }

    /// How much the words speak for an identifier of one of `countries`: for just that, for some identifier, or not.
    pub fn speaks_for_id(&self, countries: &[&str]) -> f32 {
        if !self.says(Said::Id) {
            return 0.0;
        }
        let names_it = self.id_langs.iter().any(|lang| countries_of(lang).iter().any(|country| countries.contains(country)));
        if names_it {
            0.4
        } else if self.id_langs.contains(&"en") {
            0.3
        } else {
            0.0
        }
    }
}
