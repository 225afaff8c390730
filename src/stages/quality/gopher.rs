//! Gopher's quality rules: is this prose, by its words (Rae et al. 2021, arXiv:2112.11446, appendix A)?
//!
//! Defaults are the published ones. Where the paper leaves the measure open, this is how it is read here, and how datatrove's
//! `GopherQualityFilter` (huggingface/datatrove a649de7) differs: words carry no punctuation, so that `#` and ellipses are counted
//! against fewer words; the share of alphabetic words is taken of everything that stands between white space, where datatrove takes
//! it of words and punctuation marks (which is why FineWeb-2's limits for it are lower and are not carried over); lines that are
//! empty do not count; stop words are found in any case.

use std::collections::BTreeMap;

use memchr::{memchr_iter, memmem};

use crate::doc::Document;
use crate::stage::{BuildError, Field, Resources, Room, Stage, Verdict};
use crate::stages::limits::{Limits, limits};
use crate::text::lines::{ends_in_ellipsis, fraction, lines, starts_with_bullet};
use crate::text::stopwords::{self, StopWords};
use crate::text::words::Words;

/// Room `gopher-quality`.
pub const ROOM: Room = Room {
    name: "gopher-quality",
    summary: "drops what is no prose by its words: too few or too many, too short or too long, symbols, bullets, no function words (Gopher)",
    reasons: REASONS,
    signals: &[
        "words",
        "mean_word_chars",
        "hashes_per_word",
        "ellipses_per_word",
        "bullet_line_fraction",
        "ellipsis_line_fraction",
        "alphabetic_word_fraction",
        "stop_words",
    ],
    needs: &[Field::Text, Field::Lang],
    gives: &[],
    schema: || schemars::schema_for!(GopherQuality),
    build,
};

limits! {
    /// Settings of `gopher-quality`. Defaults as published for English, Rae et al. 2021, appendix A.
    struct GopherQuality;
    languages GopherQualityLanguage;
    room "gopher-quality";
    rules {
        /// Fewest words of a document.
        words_min = 50.0, words below => "too-few-words";
        /// Most words of a document.
        words_max = 100_000.0, words above => "too-many-words";
        /// Smallest mean length of the words, in characters.
        mean_word_chars_min = 3.0, mean_word_chars below => "words-too-short";
        /// Greatest mean length of the words, in characters.
        mean_word_chars_max = 10.0, mean_word_chars above => "words-too-long";
        /// Most hash signs a word.
        hashes_per_word_max = 0.1, hashes_per_word above => "too-many-hashes";
        /// Most ellipses (`…` or `...`) a word.
        ellipses_per_word_max = 0.1, ellipses_per_word above => "too-many-ellipses";
        /// Greatest share of lines that begin with a bullet.
        bullet_line_fraction_max = 0.9, bullet_line_fraction above => "too-many-bullet-lines";
        /// Greatest share of lines that end in an ellipsis.
        ellipsis_line_fraction_max = 0.3, ellipsis_line_fraction above => "too-many-ellipsis-lines";
        /// Smallest share of words with a letter.
        alphabetic_word_fraction_min = 0.8, alphabetic_word_fraction below => "too-few-alphabetic-words";
        /// Fewest different stop words of the document's language. Does not apply where the house has no list for it.
        stop_words_min = 2.0, stop_words below => "too-few-stop-words";
    }
    settings {}
}

/// The settings, made ready.
struct Gopher {
    limits: Limits,
    stop_words: BTreeMap<&'static str, StopWords>,
}

fn build(settings: toml::de::ValueDeserializer<'_>, _: &dyn Resources) -> Result<Box<dyn Stage>, BuildError> {
    let settings: GopherQuality = serde::Deserialize::deserialize(settings)?;
    let stop_words = stopwords::languages().filter_map(|lang| Some((lang, StopWords::of(lang)?))).collect();
    Ok(Box::new(Gopher { limits: settings.limits()?, stop_words }))
}

impl Stage for Gopher {
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

impl Gopher {
    fn measure(&self, doc: &mut Document) {
        let words = Words::of(&doc.text);
        let chars = words.spans().iter().map(|word| word.chars as usize).sum();
        let alphabetic = words.spans().iter().filter(|word| word.alphabetic).count();
        let ellipses = memmem::find_iter(doc.text.as_bytes(), "...").count() + memmem::find_iter(doc.text.as_bytes(), "…").count();
        let hashes = memchr_iter(b'#', doc.text.as_bytes()).count();
        let shape = LineShapes::of(&doc.text);
        let stop_words = doc.lang.as_ref().and_then(|lang| self.stop_words.get(lang.primary())).map(|known| known.distinct(words.iter()));

        let marks = &mut doc.quality;
        marks.set("words", count(words.len()));
        marks.set("mean_word_chars", fraction(chars, words.len()));
        marks.set("hashes_per_word", fraction(hashes, words.len().max(1)));
        marks.set("ellipses_per_word", fraction(ellipses, words.len().max(1)));
        marks.set("bullet_line_fraction", fraction(shape.bullets, shape.lines));
        marks.set("ellipsis_line_fraction", fraction(shape.ellipses, shape.lines));
        marks.set("alphabetic_word_fraction", fraction(alphabetic, words.len() + words.lone_symbols()));
        if let Some(found) = stop_words {
            marks.set("stop_words", count(found as usize));
        }
    }
}

/// How lines begin and end.
#[derive(Default)]
struct LineShapes {
    lines: usize,
    bullets: usize,
    ellipses: usize,
}

impl LineShapes {
    fn of(text: &str) -> LineShapes {
        let mut shapes = LineShapes::default();
        for line in lines(text) {
            shapes.lines += 1;
            shapes.bullets += usize::from(starts_with_bullet(line));
            shapes.ellipses += usize::from(ends_in_ellipsis(line));
        }
        shapes
    }
}

fn count(n: usize) -> f32 {
    fraction(n, 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stages::limits::trial::{falls, judged, stage, stays};

    /// 52 words.
    const GERMAN: &str = "Am frühen Morgen stand der Fischer schon am Ufer und sah hinaus auf den See. Es war kalt, und über dem Wasser lag ein \
        dünner Nebel, der sich nur langsam hob. Er wartete auf seinen Bruder, der die Netze bringen wollte, doch der Weg aus dem Dorf war weit, und \
        niemand kam.";
    /// 53 words.
    const FRENCH: &str = "Le matin, le pêcheur se tenait déjà sur la rive et regardait le lac. Il faisait froid, et sur l'eau flottait une brume \
        légère qui ne se levait que lentement. Il attendait son frère, qui devait apporter les filets, mais le chemin du village était long, et \
        personne ne venait encore ce jour-là.";
    /// 52 words with a mean length above 10.
    const FINNISH: &str = "Kaupunginvaltuusto hyväksyi maanantaina liikennesuunnitelman. Rautatieaseman ympäristöön rakennetaan \
        pyöräilyreittejä, linja-autopysäkkejä ja kävelykeskusta. Rakennustöiden kustannusarvio ylittää alkuperäisen määrärahan huomattavasti, joten \
        lisärahoituksesta neuvotellaan valtiovarainministeriön kanssa. Kaupunginhallituksen puheenjohtaja korosti yhteistyön merkitystä. \
        Asukasyhdistykset puolestaan arvostelivat päätöksentekoa kiirehtimisestä. Ympäristövaikutusten arviointimenettely käynnistyy \
        syyskuussa, ja asukkaille järjestetään keskustelutilaisuuksia. Rakentamisaikataulu tarkentuu kilpailutuksen jälkeen. \
        Liikennejärjestelyistä tiedotetaan paikallislehdissä sekä verkkosivuilla. Kaupunkisuunnitteluvirasto vastaanottaa muistutuksia.";

    #[test]
    fn prose_of_each_language_stays() {
        for (lang, text) in [("de", GERMAN), ("fr", FRENCH), ("fi", FINNISH)] {
            stays(&ROOM, "", lang, text);
        }
    }

    #[test]
    fn forty_nine_words_are_too_few_and_fifty_are_enough() {
        let first = |n: usize| GERMAN.split_whitespace().take(n).collect::<Vec<_>>().join(" ");
        falls(&ROOM, "", "de", &first(49), "too-few-words");
        stays(&ROOM, "", "de", &first(50));
        stays(&ROOM, "words_min = 20", "de", &first(20));
        stays(&ROOM, "languages.de.words_min = 20", "de", &first(20));
        falls(&ROOM, "", "de", "", "too-few-words");
    }

    #[test]
    fn endless_texts_fall() {
        falls(&ROOM, "words_max = 52", "fr", FRENCH, "too-many-words");
        stays(&ROOM, "words_max = 53", "fr", FRENCH);
    }

    #[test]
    fn letters_set_apart_are_too_short_and_short_words_are_not() {
        falls(&ROOM, "", "pl", &"w z o i a u K L e m ".repeat(6), "words-too-short");
        stays(&ROOM, "", "pl", &"nie ma to jak dom, bo tam jest mi tak dobrze. ".repeat(6));
    }

    #[test]
    fn finnish_words_may_be_longer_than_english_ones() {
        falls(&ROOM, "", "en", FINNISH, "words-too-long");
        stays(&ROOM, "", "fi", FINNISH);
        let glued = "kaupunginvaltuustonliikennesuunnitelma ja ".repeat(30);
        falls(&ROOM, "", "fi", &glued, "words-too-long");
    }

    #[test]
    fn six_hashes_in_fifty_words_are_too_many_and_five_are_not() {
        falls(&ROOM, "", "de", &format!("{GERMAN} {}", "# ".repeat(6)), "too-many-hashes");
        stays(&ROOM, "", "de", &format!("{GERMAN} {}", "#".repeat(5)));
    }

    #[test]
    fn both_ways_to_write_an_ellipsis_count() {
        falls(&ROOM, "", "fr", &format!("Hier… Non... Oui… Si… Bon... Ah… {FRENCH}"), "too-many-ellipses");
        stays(&ROOM, "", "fr", &format!("Hier… Non... Oui… Si… Bon... {FRENCH}"));
    }

    #[test]
    fn a_page_of_bullets_falls_and_a_page_with_a_list_stays() {
        let item = "• la casa de la abuela en el pueblo\n";
        falls(&ROOM, "", "es", &item.repeat(10), "too-many-bullet-lines");
        stays(&ROOM, "", "es", &format!("{}En la lista hay nueve casas.", item.repeat(9)));
        stays(&ROOM, "", "es", &"— ¿Quién es el que llama a la puerta?\n".repeat(10));
    }

    #[test]
    fn teasers_that_break_off_fall_and_one_among_others_stays() {
        let teaser = "Burmistrz zapowiedział w poniedziałek, że nowy most przez rzekę będzie gotowy na wiosnę i …\n";
        let whole = "Burmistrz zapowiedział w poniedziałek, że nowy most przez rzekę będzie gotowy na wiosnę.\n";
        falls(&ROOM, "", "pl", &format!("{}{}", teaser.repeat(2), whole.repeat(4)), "too-many-ellipsis-lines");
        stays(&ROOM, "", "pl", &format!("{teaser}{}", whole.repeat(4)));
    }

    #[test]
    fn a_price_list_has_too_few_alphabetic_words_and_a_text_with_figures_has_enough() {
        falls(&ROOM, "", "de", &"Die Schrauben und der 12,50 | 30 | 8 mm ".repeat(12), "too-few-alphabetic-words");
        stays(&ROOM, "", "de", &"Die 30 Schrauben und der Dübel zu 12,50 Euro das Stück. ".repeat(6));
    }

    #[test]
    fn text_without_function_words_falls_and_where_no_list_is_known_it_stays() {
        let names = "Schrauben Muttern Dübel Zangen Hammer Säge Bohrer Leiter Farbe Pinsel ".repeat(6);
        falls(&ROOM, "", "de", &names, "too-few-stop-words");
        stays(&ROOM, "", "de", &format!("{names} Schrauben und Muttern für Werkstätten"));
        falls(&ROOM, "", "de-AT", &names, "too-few-stop-words");
        stays(&ROOM, "", "hsb", &names);
    }

    #[test]
    fn curated_text_can_be_asked_for_its_words_alone() {
        let settings = "rules = [\"too-few-words\"]\nwords_min = 3";
        stays(&ROOM, settings, "de", "### ### 1 2 3 ...");
        falls(&ROOM, settings, "de", "### ### 1 2", "too-few-words");
    }

    #[test]
    fn a_document_that_falls_for_its_first_rule_carries_all_signals() {
        assert!(matches!(judged(&ROOM, "", "de", "Zu kurz.").1, Verdict::Drop(_)));
    }

    #[test]
    fn a_misspelt_limit_is_an_error() {
        let error = stage(&ROOM, "languages.fi.mean_word_char_max = 14").err().expect("refused");
        assert!(error.contains("unknown field `mean_word_char_max`"), "{error}");
    }
}
