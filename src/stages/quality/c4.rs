//! C4's rules: pages that hold code, filler or too few sentences, and lines that a page shows about itself (Raffel et al. 2020, JMLR
//! 21:140, section 2.2).
//!
//! Whole pages fall for a curly bracket, *lorem ipsum* or too few sentences; lines of the kinds in `remove_lines` are cut out of the
//! pages that stay, and sentences are counted in what is left. The published code (tensorflow/datasets, `text/c4_utils.py`) also cuts
//! lines without an end mark and lines of fewer than 5 words. Both are offered, and neither is on: FineWeb found that the first alone
//! takes three tenths of all text, and the second takes every heading. What differs otherwise: a line falls for JavaScript only where
//! it asks for it, so that pages about programming keep theirs; notices are known in the official languages of the EU, and only
//! lines of at most `notice_words_max` words count as such; what no mark ends counts as a sentence from `line_words_min` words on (as in
//! datatrove, without the least length); the swear-word list and `[edit]` marks are left out.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, AhoCorasickKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::c4_phrases::{POLICY, SCRIPT_NOTICE};
use crate::doc::Document;
use crate::stage::{BuildError, Field, Resources, Room, Stage, Verdict};
use crate::stages::limits::{Limits, limits};
use crate::text::lines::{ends_in_ellipsis, ends_sentence, fraction, lines, sentences};
use crate::text::words;

/// Room `c4-quality`.
pub const ROOM: Room = Room {
    name: "c4-quality",
    summary: "drops pages of code, filler or too few sentences, and cuts out notices about cookies, terms and JavaScript (C4)",
    reasons: REASONS,
    signals: &["curly_brackets", "lorem_ipsums", "removed_lines", "sentences"],
    needs: &[Field::Text],
    gives: &[],
    schema: || schemars::schema_for!(C4Quality),
    build,
};

limits! {
    /// Settings of `c4-quality`. Defaults as published for English, Raffel et al. 2020, unless they say otherwise.
    struct C4Quality;
    languages C4QualityLanguage;
    room "c4-quality";
    rules {
        /// Most curly brackets, `{`, of a page.
        curly_brackets_max = 0.0, curly_brackets above => "curly-bracket";
        /// Most occurrences of *lorem ipsum*.
        lorem_ipsums_max = 0.0, lorem_ipsums above => "lorem-ipsum";
        /// Fewest sentences, once lines were removed.
        sentences_min = 3.0, sentences below => "too-few-sentences";
    }
    settings {
        /// Lines to cut out of the pages that stay.
        remove_lines: Vec<LineKind> = vec![LineKind::LongWord, LineKind::JavascriptNotice, LineKind::PolicyNotice];
        /// Characters of a word from which it is no word; for `long-word`.
        word_chars_max: usize = 1000;
        /// Fewest words of a line, for `short`; and of what no mark ends in a line, to count as a sentence all the same.
        line_words_min: usize = 5;
        /// Words up to which a line may be a notice; for `javascript-notice` and `policy-notice`. C4 has no such limit.
        notice_words_max: usize = 60;
    }
}

/// Lines that C4 removes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LineKind {
    /// Has no mark of a sentence's end, or breaks off with an ellipsis.
    Unfinished,
    /// Has too few words.
    Short,
    /// Has a word that is too long to be one.
    LongWord,
    /// Asks to switch JavaScript on.
    JavascriptNotice,
    /// Speaks of cookies, privacy or terms of use.
    PolicyNotice,
}

/// What a phrase found in a text says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phrase {
    Lorem,
    Javascript,
    Policy,
}

/// All phrases, found in one pass. ASCII letters match in any case, others as they are and as capitals: notices begin with a capital
/// letter or are all capitals, and lower-casing every text would cost more than the search.
struct Phrases {
    automaton: AhoCorasick,
    kinds: Vec<Phrase>,
}

static PHRASES: LazyLock<Phrases> = LazyLock::new(|| {
    let fixed = [("lorem ipsum", Phrase::Lorem), ("javascript", Phrase::Javascript)];
    let mut patterns: Vec<(String, Phrase)> = Vec::new();
    for (text, kind) in fixed.into_iter().chain(POLICY.iter().map(|text| (*text, Phrase::Policy))) {
        for variant in [text.to_owned(), capitalised(text), text.to_uppercase()] {
            if !patterns.iter().any(|(known, _)| known.eq_ignore_ascii_case(&variant)) {
                patterns.push((variant, kind));
            }
        }
    }
    let automaton = AhoCorasickBuilder::new()
        .ascii_case_insensitive(true)
        .kind(Some(AhoCorasickKind::DFA))
        .build(patterns.iter().map(|(text, _)| text))
        .expect("a hundred short patterns are far below the limits of the automaton");
    Phrases { automaton, kinds: patterns.into_iter().map(|(_, kind)| kind).collect() }
});

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// The settings, made ready.
struct C4 {
    limits: Limits,
    settings: C4Quality,
}

fn build(settings: toml::de::ValueDeserializer<'_>, _: &dyn Resources) -> Result<Box<dyn Stage>, BuildError> {
    let settings: C4Quality = Deserialize::deserialize(settings)?;
    Ok(Box::new(C4 { limits: settings.limits()?, settings }))
}

impl Stage for C4 {
    fn judge(&self, doc: &mut Document) -> Verdict {
        let brackets = memchr::memchr_iter(b'{', doc.text.as_bytes()).count();
        let found = Found::of(&doc.text);
        let removed = self.remove_lines(&mut doc.text, &found);
        let sentences = lines(&doc.text).map(|line| self.sentences(line)).sum();

        doc.quality.set("curly_brackets", fraction(brackets, 1));
        doc.quality.set("lorem_ipsums", fraction(found.lorem_ipsums, 1));
        doc.quality.set("removed_lines", fraction(removed, 1));
        doc.quality.set("sentences", fraction(sentences, 1));
        self.limits.decide(doc)
    }

    fn decide(&self, doc: &Document) -> Option<Verdict> {
        Some(self.limits.decide(doc))
    }

    fn decides(&self) -> &'static [&'static str] {
        DECIDES
    }
}

/// Where a text has phrases, by byte, in order.
#[derive(Default)]
struct Found {
    lorem_ipsums: usize,
    notices: Vec<(usize, Phrase)>,
}

impl Found {
    fn of(text: &str) -> Found {
        let mut found = Found::default();
        for hit in PHRASES.automaton.find_iter(text) {
            match PHRASES.kinds[hit.pattern()] {
                // Cicero's own words are `dolorem ipsum`.
                Phrase::Lorem => found.lorem_ipsums += usize::from(!text[..hit.start()].ends_with(char::is_alphabetic)),
                kind => found.notices.push((hit.start(), kind)),
            }
        }
        found
    }

    /// Whether a phrase of `kind` begins in bytes `start..end`.
    fn has(&self, kind: Phrase, start: usize, end: usize) -> bool {
        let from = self.notices.partition_point(|(at, _)| *at < start);
        self.notices[from..].iter().take_while(|(at, _)| *at < end).any(|(_, found)| *found == kind)
    }
}

impl C4 {
    /// Cuts out the lines of the wanted kinds and says how many they were.
    fn remove_lines(&self, text: &mut String, found: &Found) -> usize {
        let mut kept = String::new();
        let (mut removed, mut start) = (0, 0);
        for piece in text.split_inclusive('\n') {
            let end = start + piece.len();
            let line = piece.trim();
            if !line.is_empty() && self.settings.remove_lines.iter().any(|kind| self.is(*kind, line, found, start, end)) {
                if removed == 0 {
                    kept.push_str(&text[..start]);
                }
                removed += 1;
            } else if removed > 0 {
                kept.push_str(piece);
            }
            start = end;
        }
        if removed > 0 {
            kept.truncate(kept.trim_end().len());
            *text = kept;
        }
        removed
    }

    /// Whether `line`, bytes `start..end` of its text, is of `kind`.
    fn is(&self, kind: LineKind, line: &str, found: &Found, start: usize, end: usize) -> bool {
        match kind {
            LineKind::Unfinished => !ends_sentence(line) || ends_in_ellipsis(line),
            LineKind::Short => !has_words(line, self.settings.line_words_min),
            LineKind::LongWord => {
                let longest = self.settings.word_chars_max;
                line.len() > longest && line.split_whitespace().any(|word| word.len() > longest && word.chars().count() > longest)
            }
            LineKind::JavascriptNotice => found.has(Phrase::Javascript, start, end) && self.is_notice(line) && asks_for_javascript(line),
            LineKind::PolicyNotice => found.has(Phrase::Policy, start, end) && self.is_notice(line),
        }
    }

    fn is_notice(&self, line: &str) -> bool {
        !has_words(line, self.settings.notice_words_max + 1)
    }

    /// Sentences of `line`; what no mark ends counts as one where it is long enough, since headlines and verse are text too.
    fn sentences(&self, line: &str) -> usize {
        let (finished, left) = sentences(line);
        finished + usize::from(!left.is_empty() && has_words(left, self.settings.line_words_min))
    }
}

/// Whether `line` has at least `least` words.
fn has_words(line: &str, least: usize) -> bool {
    words::words(line).take(least).count() >= least
}

fn asks_for_javascript(line: &str) -> bool {
    let line = line.to_lowercase();
    SCRIPT_NOTICE.iter().any(|stem| line.contains(stem))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stages::limits::trial::{falls, judged, stays};

    const PROSE: &str = "Die Brücke wurde im Herbst gesperrt. Seitdem fährt der Bus einen Umweg.\nIm Frühjahr soll sie wieder offen sein.";

    #[test]
    fn a_page_with_a_curly_bracket_falls_and_one_with_other_brackets_stays() {
        falls(&ROOM, "", "de", &format!("{PROSE}\nfunction f() {{ return 1; }}"), "curly-bracket");
        stays(&ROOM, "", "de", &format!("{PROSE}\nDie Kosten [2] trägt (noch) das Land."));
    }

    #[test]
    fn filler_falls_in_any_case_and_latin_stays() {
        falls(&ROOM, "", "it", "Chi siamo. Dove siamo. Contatti.\nLOREM IPSUM dolor sit amet.", "lorem-ipsum");
        stays(&ROOM, "", "la", "Gallia est omnis divisa in partes tres. Unam incolunt Belgae. Dolorem ipsum quia dolor sit.");
    }

    #[test]
    fn two_sentences_are_too_few_and_three_are_enough() {
        falls(&ROOM, "", "el", "Η θάλασσα ήταν ήρεμη. Πού πάμε; Αθήνα", "too-few-sentences");
        stays(&ROOM, "", "el", "Η θάλασσα ήταν ήρεμη. Πού πάμε; Στο νησί!");
        falls(&ROOM, "", "fi", "Etusivu\nUutiset\nYhteystiedot\nTapahtumat kesällä", "too-few-sentences");
        stays(&ROOM, "languages.fi.sentences_min = 0", "fi", "Etusivu\nUutiset\nYhteystiedot");
    }

    #[test]
    fn a_headline_of_five_words_counts_as_a_sentence() {
        stays(&ROOM, "", "ro", "Podul din centrul orașului rămâne închis\nLucrările continuă. Traficul este deviat.");
        falls(&ROOM, "", "ro", "Podul rămâne închis\nLucrările continuă. Traficul este deviat.", "too-few-sentences");
    }

    #[test]
    fn notices_are_cut_out_in_every_language_and_text_about_them_stays() {
        for notice in [
            "This site uses cookies to improve your visit.",
            "Този сайт ИЗПОЛЗВА БИСКВИТКИ.",
            "Πολιτική απορρήτου",
            "Datenschutzerklärung | Impressum",
            "Ta strona używa plików cookie.",
            "Please enable JavaScript in your browser.",
            "Pro správné zobrazení povolte JavaScript.",
        ] {
            let (text, verdict) = judged(&ROOM, "", "de", &format!("{PROSE}\n{notice}\nEnde der Meldung."));
            assert_eq!(text, format!("{PROSE}\nEnde der Meldung."), "{notice}");
            assert_eq!(verdict, Verdict::Keep, "{notice}");
        }
        for line in
            ["JavaScript ist eine Sprache für Webseiten.", "Sie backt Cookies mit Schokolade.", "Die Erklärung zum Datenschutz war lang."]
        {
            let text = format!("{PROSE}\n{line}");
            assert_eq!(judged(&ROOM, "", "de", &text).0, text);
        }
    }

    #[test]
    fn a_long_paragraph_that_mentions_a_policy_is_no_notice() {
        let paragraph =
            format!("Das Gericht nannte die Datenschutzerklärung unklar. {}", "Der Konzern will das Urteil prüfen lassen. ".repeat(9));
        assert_eq!(judged(&ROOM, "", "de", paragraph.trim()).0, paragraph.trim());
    }

    #[test]
    fn sentences_of_removed_lines_do_not_count() {
        falls(
            &ROOM,
            "",
            "en",
            "Read our privacy policy. It is long. It is dull.\nThe mill burned down. Nobody was hurt.",
            "too-few-sentences",
        );
    }

    #[test]
    fn lines_without_an_end_short_lines_and_endless_words_are_removed_on_demand() {
        let cut = |kind: &str, text: &str| judged(&ROOM, &format!("remove_lines = [\"{kind}\"]"), "nl", text).0;
        assert_eq!(
            cut("unfinished", "Nieuws\nDe brug is dicht.\nLees verder...\nMorgen gaat hij open!"),
            "De brug is dicht.\nMorgen gaat hij open!"
        );
        assert_eq!(cut("short", "Nieuws van de dag\nDe brug blijft nog dicht."), "De brug blijft nog dicht.");
        let endless = "x".repeat(1001);
        assert_eq!(cut("long-word", &format!("De brug is dicht.\n{endless}")), "De brug is dicht.");
        let long = "x".repeat(1000);
        assert_eq!(cut("long-word", &format!("Dicht.\n{long}")), format!("Dicht.\n{long}"));
    }

    #[test]
    fn a_text_without_such_lines_is_left_as_it_is() {
        let text = "  Zeile eins. \n\n Zeile zwei. Zeile drei. \n";
        assert_eq!(judged(&ROOM, "", "de", text).0, text);
    }
}
