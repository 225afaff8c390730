//! FineWeb's own rules: is this a page of lines that belong together (Penedo et al. 2024, arXiv:2406.17557)?
//!
//! Three of them are the paper's; the fourth, line breaks a word, is in datatrove's `FineWebQualityFilter` (huggingface/datatrove
//! a649de7) and in FineWeb-2. What differs from there: a line may close quotes or brackets after its end mark, an ellipsis ends a
//! line, Greek `;` does; lines are trimmed; words carry no punctuation, so that line breaks are counted against fewer words.
//! For characters in repeated lines datatrove's default is 0.01; the paper says 0.1, and FineWeb-2 used that.

use crate::doc::Document;
use crate::stage::{BuildError, Field, Resources, Room, Stage, Verdict};
use crate::stages::limits::{Limits, limits};
use crate::text::lines::{Duplicates, ends_sentence, fraction, lines};
use crate::text::words;

/// Room `fineweb-quality`.
pub const ROOM: Room = Room {
    name: "fineweb-quality",
    summary: "drops lists and menus by their lines: unfinished, short, repeated, too many for their words (FineWeb)",
    reasons: REASONS,
    signals: &["line_punctuation_fraction", "short_line_fraction", "duplicate_line_char_fraction", "newlines_per_word"],
    needs: &[Field::Text, Field::Lang],
    gives: &[],
    schema: || schemars::schema_for!(FinewebQuality),
    build,
};

limits! {
    /// Settings of `fineweb-quality`. Defaults as published for English, Penedo et al. 2024.
    struct FinewebQuality;
    languages FinewebQualityLanguage;
    room "fineweb-quality";
    rules {
        /// Smallest share of lines that end as a sentence does.
        line_punctuation_fraction_min = 0.12, line_punctuation_fraction below => "too-few-finished-lines";
        /// Greatest share of lines of at most `short_line_chars` characters.
        short_line_fraction_max = 0.67, short_line_fraction above => "too-many-short-lines";
        /// Greatest share of characters in lines that came before.
        duplicate_line_char_fraction_max = 0.1, duplicate_line_char_fraction above => "too-many-repeated-lines";
        /// Most line breaks a word.
        newlines_per_word_max = 0.3, newlines_per_word above => "too-many-line-breaks";
    }
    settings {
        /// Characters up to which a line is short.
        short_line_chars: usize = 30;
    }
}

/// The settings, made ready.
struct Fineweb {
    limits: Limits,
    short_line_chars: usize,
}

fn build(settings: toml::de::ValueDeserializer<'_>, _: &dyn Resources) -> Result<Box<dyn Stage>, BuildError> {
    let settings: FinewebQuality = serde::Deserialize::deserialize(settings)?;
    Ok(Box::new(Fineweb { limits: settings.limits()?, short_line_chars: settings.short_line_chars }))
}

impl Stage for Fineweb {
    fn judge(&self, doc: &mut Document) -> Verdict {
        self.measure(doc);
        self.limits.decide(doc)
    }

    fn decide(&self, doc: &Document) -> Option<Verdict> {
        Some(self.limits.decide(doc))
    }

    fn decides(&self) -> &'static [&'static str] {
        DECIDES
    }
}

impl Fineweb {
    fn measure(&self, doc: &mut Document) {
        let text = doc.text.trim();
        let (mut all, mut finished, mut short) = (0, 0, 0);
        for line in lines(text) {
            all += 1;
            finished += usize::from(ends_sentence(line));
            short += usize::from(line.chars().nth(self.short_line_chars).is_none());
        }
        let newlines = memchr::memchr_iter(b'\n', text.as_bytes()).count();
        let newlines_per_word = fraction(newlines, words::count(text).max(1));
        let repeated = Duplicates::of(lines(text)).char_fraction();

        let marks = &mut doc.quality;
        marks.set("line_punctuation_fraction", fraction(finished, all));
        marks.set("short_line_fraction", fraction(short, all));
        marks.set("duplicate_line_char_fraction", repeated);
        marks.set("newlines_per_word", newlines_per_word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stages::limits::trial::{falls, stays};

    #[test]
    fn a_page_of_unfinished_lines_falls_and_one_finished_line_in_eight_saves_it() {
        let heading = |n: usize| (0..n).map(|i| format!("Τα νέα της ημέρας από την πόλη, μέρος {i}\n")).collect::<String>();
        falls(&ROOM, "", "el", &heading(8), "too-few-finished-lines");
        stays(&ROOM, "", "el", &format!("{}Πού πάμε σήμερα το απόγευμα εμείς;", heading(7)));
        stays(&ROOM, "", "th", &heading(8));
    }

    #[test]
    fn short_lines_fall_when_more_than_two_in_three() {
        let short = ["Úvod.", "Novinky.", "Obchod.", "Kontakt."];
        let long = ["Most přes řeku zůstane zavřený až do jara příštího roku.", "Autobusy zatím jezdí objížďkou přes sousední vesnici."];
        falls(&ROOM, "newlines_per_word_max = 9", "cs", &[&short[..], &long[..1]].concat().join("\n"), "too-many-short-lines");
        stays(&ROOM, "newlines_per_word_max = 9", "cs", &[&short[..], &long[..]].concat().join("\n"));
        let thirty = "Abcdefghij klmnopqrst uvwxyz a.";
        assert_eq!(thirty.chars().count(), 31);
        stays(&ROOM, "newlines_per_word_max = 9", "cs", thirty);
        falls(&ROOM, "newlines_per_word_max = 9", "cs", &thirty.replace(" a.", "a."), "too-many-short-lines");
    }

    #[test]
    fn a_line_said_again_falls_when_it_is_a_tenth_of_the_text() {
        let story = "Il ponte sul fiume resta chiuso fino alla primavera, e gli autobus fanno un giro più lungo per il paese vicino.";
        let again = "Leggi anche le notizie di ieri.";
        let other = "Leggi anche le notizie di oggi.";
        falls(&ROOM, "", "it", &[story, again, again].join("\n"), "too-many-repeated-lines");
        stays(&ROOM, "", "it", &[story, again, other].join("\n"));
        stays(&ROOM, "", "it", &[story, &story.to_uppercase(), &story.to_lowercase(), again, again].join("\n"));
    }

    #[test]
    fn a_break_every_three_words_is_too_many() {
        let verse = |words: &str, n: usize| (0..n).map(|i| format!("{words} {i}.\n")).collect::<String>();
        let settings = "short_line_fraction_max = 1";
        falls(&ROOM, settings, "hu", &verse("Szép zöld", 30), "too-many-line-breaks");
        stays(&ROOM, settings, "hu", &verse("Szép zöld erdő", 30));
    }

    #[test]
    fn nothing_is_no_page() {
        falls(&ROOM, "", "sv", " \n ", "too-few-finished-lines");
    }
}
