//! Gopher's repetition rules: does a text say the same things again (Rae et al. 2021, arXiv:2112.11446, appendix A, table A1)?
//!
//! Lines, paragraphs and word n-grams are measured as datatrove does in `GopherRepetitionFilter` (huggingface/datatrove a649de7), so
//! that published thresholds keep their meaning: a repeat is what came before, the first occurrence is none; repeated n-grams of 5 to
//! 10 words do not overlap and are measured without the spaces in them, the top n-gram of 2 to 4 words with them; both as a share of
//! the text's characters. What differs: a top n-gram must stand at least three times, however short the text; of n-grams that are
//! equally frequent the longest counts; words carry no punctuation, and lines are trimmed. A text without empty lines is one paragraph.
//!
//! Signals keep the published names (`duplicate_line_fraction`). Reasons say `repeated`: in the ledger a duplicate is one document of two.

use crate::doc::Document;
use crate::stage::{BuildError, Field, Resources, Room, Stage, Verdict};
use crate::stages::limits::{Limits, limits};
use crate::text::lines::{Duplicates, lines, paragraphs};
use crate::text::words::Words;

mod ngrams;

/// Room `repetition`.
pub const ROOM: Room = Room {
    name: "repetition",
    summary: "drops texts that repeat their lines, paragraphs or phrases (Gopher)",
    reasons: REASONS,
    signals: &[
        "duplicate_line_fraction",
        "duplicate_line_char_fraction",
        "duplicate_paragraph_fraction",
        "duplicate_paragraph_char_fraction",
        "top_2_gram_char_fraction",
        "top_3_gram_char_fraction",
        "top_4_gram_char_fraction",
        "duplicate_5_gram_char_fraction",
        "duplicate_6_gram_char_fraction",
        "duplicate_7_gram_char_fraction",
        "duplicate_8_gram_char_fraction",
        "duplicate_9_gram_char_fraction",
        "duplicate_10_gram_char_fraction",
    ],
    needs: &[Field::Text],
    gives: &[],
    schema: || schemars::schema_for!(Repetition),
    build,
};

limits! {
    /// Settings of `repetition`. Defaults as published, Rae et al. 2021, table A1; some are looser for some languages.
    struct Repetition;
    languages RepetitionLanguage;
    room "repetition";
    rules {
        /// Greatest share of lines that came before.
        duplicate_line_fraction_max = 0.3, duplicate_line_fraction above => "repeated-lines";
        /// Greatest share of characters in lines that came before.
        duplicate_line_char_fraction_max = 0.2, duplicate_line_char_fraction above => "repeated-line-chars";
        /// Greatest share of paragraphs that came before.
        duplicate_paragraph_fraction_max = 0.3, duplicate_paragraph_fraction above => "repeated-paragraphs";
        /// Greatest share of characters in paragraphs that came before.
        duplicate_paragraph_char_fraction_max = 0.2, duplicate_paragraph_char_fraction above => "repeated-paragraph-chars";
        /// Greatest share of characters in the most frequent run of 2 words.
        top_2_gram_char_fraction_max = 0.2, top_2_gram_char_fraction above => "top-2-gram";
        /// Greatest share of characters in the most frequent run of 3 words.
        top_3_gram_char_fraction_max = 0.18, top_3_gram_char_fraction above => "top-3-gram";
        /// Greatest share of characters in the most frequent run of 4 words.
        top_4_gram_char_fraction_max = 0.16, top_4_gram_char_fraction above => "top-4-gram";
        /// Greatest share of characters in runs of 5 words that came before.
        duplicate_5_gram_char_fraction_max = 0.15, duplicate_5_gram_char_fraction above => "repeated-5-grams";
        /// Greatest share of characters in runs of 6 words that came before.
        duplicate_6_gram_char_fraction_max = 0.14, duplicate_6_gram_char_fraction above => "repeated-6-grams";
        /// Greatest share of characters in runs of 7 words that came before.
        duplicate_7_gram_char_fraction_max = 0.13, duplicate_7_gram_char_fraction above => "repeated-7-grams";
        /// Greatest share of characters in runs of 8 words that came before.
        duplicate_8_gram_char_fraction_max = 0.12, duplicate_8_gram_char_fraction above => "repeated-8-grams";
        /// Greatest share of characters in runs of 9 words that came before.
        duplicate_9_gram_char_fraction_max = 0.11, duplicate_9_gram_char_fraction above => "repeated-9-grams";
        /// Greatest share of characters in runs of 10 words that came before.
        duplicate_10_gram_char_fraction_max = 0.1, duplicate_10_gram_char_fraction above => "repeated-10-grams";
    }
    settings {}
}

/// Signals of the runs of 2, 3, .. 10 words.
const GRAM_SIGNALS: [&str; 9] = [
    "top_2_gram_char_fraction",
    "top_3_gram_char_fraction",
    "top_4_gram_char_fraction",
    "duplicate_5_gram_char_fraction",
    "duplicate_6_gram_char_fraction",
    "duplicate_7_gram_char_fraction",
    "duplicate_8_gram_char_fraction",
    "duplicate_9_gram_char_fraction",
    "duplicate_10_gram_char_fraction",
];

/// The settings, made ready.
struct Repeats(Limits);

fn build(settings: toml::de::ValueDeserializer<'_>, _: &dyn Resources) -> Result<Box<dyn Stage>, BuildError> {
    let settings: Repetition = serde::Deserialize::deserialize(settings)?;
    Ok(Box::new(Repeats(settings.limits()?)))
}

impl Stage for Repeats {
    fn judge(&self, doc: &mut Document) -> Verdict {
        measure(doc);
        self.0.decide(doc)
    }

    fn decide(&self, doc: &Document) -> Option<Verdict> {
        Some(self.0.decide(doc))
    }

    fn decides(&self) -> &'static [&'static str] {
        DECIDES
    }
}

fn measure(doc: &mut Document) {
    let text = doc.text.trim();
    let repeated_lines = Duplicates::of(lines(text));
    let repeated_paragraphs = Duplicates::of(paragraphs(text));
    let grams = ngrams::fractions(&Words::of(text), text.chars().count());

    let marks = &mut doc.quality;
    marks.set("duplicate_line_fraction", repeated_lines.piece_fraction());
    marks.set("duplicate_line_char_fraction", repeated_lines.char_fraction());
    marks.set("duplicate_paragraph_fraction", repeated_paragraphs.piece_fraction());
    marks.set("duplicate_paragraph_char_fraction", repeated_paragraphs.char_fraction());
    for (signal, value) in GRAM_SIGNALS.into_iter().zip(grams) {
        marks.set(signal, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stages::limits::trial::{falls, stays};

    const POEM: &str = "Lær mig, o skov, at visne glad,\nsom sent i høst dit gule blad,\net bedre forår kommer,\nder grønt mit træ skal herligt stå\n\
        og sine dybe rødder slå\ni evighedens sommer.";

    /// Settings under which only the rule with this reason is in force.
    fn only(reason: &str) -> String {
        format!("rules = [\"{reason}\"]")
    }

    #[test]
    fn a_poem_stays() {
        stays(&ROOM, "", "da", POEM);
        stays(&ROOM, "", "da", "");
    }

    #[test]
    fn lines_said_again_fall_when_more_than_three_in_ten() {
        let lines = |again: usize| format!("{POEM}\nomkvæd{}", "\nomkvæd".repeat(again));
        falls(&ROOM, "", "da", &lines(4), "repeated-lines");
        stays(&ROOM, &only("repeated-lines"), "da", &lines(3));
    }

    #[test]
    fn a_long_line_said_again_falls_by_its_characters() {
        let long = "Il fiume scorreva lento sotto il ponte vecchio della città, e nessuno guardava l'acqua.";
        let lines = ["Uno.", "Due.", "Tre.", "Quattro.", long];
        falls(&ROOM, "", "it", &[&lines[..], &[long]].concat().join("\n"), "repeated-line-chars");
        stays(&ROOM, "", "it", &[&lines[..], &["Uno."]].concat().join("\n"));
    }

    #[test]
    fn paragraphs_said_again_fall() {
        let paragraphs = |all: &[&str]| all.join("\n\n");
        let (long, short) = ("Kedves olvasó, ez a könyv régen íródott.\nAz író már nem él, de szavai itt vannak velünk.", "Vége.");
        falls(&ROOM, &only("repeated-paragraphs"), "hu", &paragraphs(&[short, short, long]), "repeated-paragraphs");
        stays(&ROOM, &only("repeated-paragraphs"), "hu", &paragraphs(&[short, short, long, "Folytatás."]));
        falls(&ROOM, &only("repeated-paragraph-chars"), "hu", &paragraphs(&[long, short, long]), "repeated-paragraph-chars");
        stays(&ROOM, &only("repeated-paragraph-chars"), "hu", &paragraphs(&[long, short, short]));
        stays(&ROOM, &only("repeated-paragraphs"), "hu", &"Egy sor.\n".repeat(9));
    }

    #[test]
    fn a_slogan_of_two_three_or_four_words_falls_by_its_share() {
        for (length, slogan) in [(2, "osta nyt"), (3, "osta nyt halvalla"), (4, "osta nyt halvalla meiltä")] {
            let reason = format!("top-{length}-gram");
            let text = |times: usize| {
                let said = (0..times).map(|i| format!("{slogan} kenkä{i} ")).collect::<String>();
                format!(
                    "{said} Kaupan takana on vanha pihapiiri, jossa kasvaa omenapuita ja jonka läpi kulkee kapea polku järven rantaan saakka. \
                    Siellä istuu usein kalastaja, joka katsoo veneitä ja odottaa iltaa."
                )
            };
            falls(&ROOM, &only(&reason), "fi", &text(12), &reason);
            stays(&ROOM, &only(&reason), "fi", &text(2));
        }
    }

    #[test]
    fn a_heading_that_the_first_sentence_takes_up_is_no_repetition() {
        let heading = "Podul peste râu rămâne încă închis";
        let text = format!(
            "{heading}\n{heading} până în primăvară, a spus primarul orașului luni seara. Autobuzele vor ocoli pe drumul vechi, iar locuitorii \
             din satul vecin cer de mult o trecere mai bună pentru copiii care merg la școală."
        );
        stays(&ROOM, "", "ro", &text);
    }

    #[test]
    fn runs_of_five_to_ten_words_said_again_fall_each_by_its_own_limit() {
        let said = "un kalns tur tālumā zilgo kā jūra pirms rīta saules gaismas";
        let other = "Bērni skrēja pa pļavu, kur ziedēja margrietiņas, un vecmāmiņa gaidīja viņus mājās ar siltu maizi, medu un pienu. Vakarā visi sēdēja \
            pie uguns un klausījās stāstus par senām dienām, kad mežos vēl dzīvoja lāči un upēs peldēja lielas zivis. Neviens \
            nezināja, cik daudz no tā bija patiesība, bet visi ticēja vecmāmiņai.";
        for length in 5..=10 {
            let reason = format!("repeated-{length}-grams");
            let run = said.split(' ').take(length).collect::<Vec<_>>().join(" ");
            let again = (0..6).map(|i| format!("{run} vārds{i} ")).collect::<String>();
            falls(&ROOM, &only(&reason), "lv", &format!("{again} {other}"), &reason);
            stays(&ROOM, &only(&reason), "lv", &format!("{run} vārds1 {run} {other}"));
            let shorter = said.split(' ').take(length - 1).collect::<Vec<_>>().join(" ");
            let varied = (0..6).map(|i| format!("{shorter} vārds{i} ")).collect::<String>();
            stays(&ROOM, &only(&reason), "lv", &format!("{varied} {other}"));
        }
    }
}
