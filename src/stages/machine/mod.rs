//! Was this text put together by a machine: words without the small words that tie them, rows of a table, strings of keywords?
//!
//! The rules of the other rooms were made for prose that was damaged. A list of products or a page of search words has no damage: its
//! lines are different, its words are real ones. What gives it away is that nobody says anything in it. Three measures of that, which
//! need no model: the share of words that are function words of the language; the share of characters in rows of one shape
//! (`shapes`); the share of words in long runs of short items between commas (`keywords`).
//!
//! The measures are shares of the whole text, and each limit asks for most of it, so that a recipe, a statute with numbered articles
//! or a report with its table stays. Function words differ by language more than any other signal (Finnish has endings where English
//! has prepositions), so each language has its limit, at a fifth of what nearly all clean text of it has; docs/quality.md says of which texts.

use std::collections::BTreeMap;

use crate::doc::Document;
use crate::stage::{BuildError, Field, Resources, Room, Stage, Verdict};
use crate::stages::limits::{Limits, limits};
use crate::text::lines::fraction;
use crate::text::stopwords::{self, StopWords};
use crate::text::words::Words;

mod keywords;
mod shapes;

/// Room `machine-made`.
pub const ROOM: Room = Room {
    name: "machine-made",
    summary: "drops what a machine put together: hardly any function words, rows of one shape, strings of keywords",
    reasons: REASONS,
    signals: &["function_word_fraction", "alike_line_char_fraction", "keyword_run_fraction"],
    needs: &[Field::Text, Field::Lang],
    gives: &[],
    schema: || schemars::schema_for!(MachineMade),
    build,
};

limits! {
    /// Settings of `machine-made`. Limits are the house's own, found on clean texts as docs/quality.md tells.
    struct MachineMade;
    languages MachineMadeLanguage;
    room "machine-made";
    rules {
        /// Smallest share of words that are function words of the document's language. Does not apply where the house has no list for
        /// it, or the text has fewer than `words_min` words.
        function_word_fraction_min = 0.05, function_word_fraction below => "too-few-function-words";
        /// Greatest share of characters in rows: lines of figures and names whose shape (figures, words and marks in one order) stands
        /// `alike_lines_min` times.
        alike_line_char_fraction_max = 0.5, alike_line_char_fraction above => "alike-lines";
        /// Greatest share of words in runs of `keyword_items_min` or more short items between commas.
        keyword_run_fraction_max = 0.5, keyword_run_fraction above => "keyword-runs";
    }
    settings {
        /// Words from which on a text has enough of them to take a share of.
        words_min: usize = 40;
        /// How often the shape of a row must stand in a text.
        alike_lines_min: usize = 6;
        /// Items from which on a run of keywords counts.
        keyword_items_min: usize = 8;
    }
}

/// The settings, made ready.
struct Machine {
    limits: Limits,
    stop_words: BTreeMap<&'static str, StopWords>,
    words_min: usize,
    alike_lines_min: usize,
    keyword_items_min: usize,
}

fn build(settings: toml::de::ValueDeserializer<'_>, _: &dyn Resources) -> Result<Box<dyn Stage>, BuildError> {
    let settings: MachineMade = serde::Deserialize::deserialize(settings)?;
    Ok(Box::new(Machine {
        limits: settings.limits()?,
        stop_words: stopwords::languages().filter_map(|lang| Some((lang, StopWords::of(lang)?))).collect(),
        words_min: settings.words_min,
        alike_lines_min: settings.alike_lines_min,
        keyword_items_min: settings.keyword_items_min,
    }))
}

impl Stage for Machine {
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

impl Machine {
    fn measure(&self, doc: &mut Document) {
        let words = Words::of(&doc.text);
        let known = doc.lang.as_ref().and_then(|lang| self.stop_words.get(lang.primary()));
        let function: Option<Vec<bool>> = known.map(|known| words.iter().map(|word| known.has(word)).collect());
        let share = function.as_ref().map(|marks| fraction(marks.iter().filter(|mark| **mark).count(), words.len()));
        let rows = shapes::row_char_fraction(&doc.text, &words, self.alike_lines_min);
        let keywords = keywords::run_fraction(&doc.text, &words, function.as_deref(), self.keyword_items_min);

        let marks = &mut doc.quality;
        if let Some(share) = share.filter(|_| words.len() >= self.words_min) {
            marks.set("function_word_fraction", share);
        }
        marks.set("alike_line_char_fraction", rows);
        marks.set("keyword_run_fraction", keywords);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::doc::Lang;
    use crate::stage::Finding;
    use crate::stages::limits::trial::{falls, judged, stage, stays};

    /// Settings under which only the rule with this reason is in force.
    fn only(reason: &str) -> String {
        format!("rules = [\"{reason}\"]")
    }

    /// The signal as measured on `text`.
    fn signal(lang: &str, text: &str, name: &str) -> Option<f32> {
        let mut doc = Document { text: text.to_owned(), lang: Some(Lang::new(lang)), ..Document::default() };
        assert_eq!(stage(&ROOM, "rules = []").expect("the defaults make sense").judge(&mut doc), Verdict::Keep);
        doc.quality.get(name)
    }

    #[test]
    fn a_finnish_and_an_estonian_poem_stay() {
        stays(
            &ROOM,
            "",
            "fi",
            "Mieleni minun tekevi,\naivoni ajattelevi\nlähteäni laulamahan,\nsaa'ani sanelemahan,\nsukuvirttä suoltamahan,\nlajivirttä laulamahan.\n\
             Sanat suussani sulavat,\npuhe'et putoelevat,\nkielelleni kerkiävät,\nhampahilleni hajoovat.\n\
             Veli kulta, veikkoseni,\nkaunis kasvinkumppalini!\nLähe nyt kanssa laulamahan,\nsaa kera sanelemahan\nyhtehen yhyttyämme,\nkahta'alta käytyämme!\n\
             Harvoin yhtehen yhymme,\nsaamme toinen toisihimme\nnäillä raukoilla rajoilla,\npoloisilla Pohjan mailla.\n\
             Lyökämme käsi kätehen,\nsormet sormien lomahan,\nlauloaksemme hyviä,\nparahia pannaksemme,\nkuulla noien kultaisien,\n\
             tietä mielitehtoisien,\nnuorisossa nousevassa,\nkansassa kasuavassa:\n\
             noita saamia sanoja,\nvirsiä virittämiä\nvyöltä vanhan Väinämöisen,\nalta ahjon Ilmarisen,\npäästä kalvan Kaukomielen,\n\
             Joukahaisen jousen tiestä,\nPohjan peltojen periltä,\nKalevalan kankahilta.",
        );
        stays(
            &ROOM,
            "",
            "et",
            "Mu isamaa, mu õnn ja rõõm,\nkui kaunis oled sa!\nEi leia mina iial teal\nsee suure, laia ilma peal,\nmis mull' nii armas oleks ka,\n\
             kui sa, mu isamaa!\nSa oled mind ju sünnitand\nja üles kasvatand;\nsind tänan mina alati\nja jään sull' truuiks surmani!\nMul kõige armsam oled sa,\n\
             mu kallis isamaa!",
        );
    }

    #[test]
    fn a_french_recipe_stays_with_all_its_quantities() {
        let recipe = "Le gâteau de ma grand-mère se fait en une heure et se garde plusieurs jours.\n200 g de farine\n150 g de sucre\n4 œufs\n10 cl de lait\n\
            100 g de beurre\n1 sachet de levure\n2 pommes\n1 pincée de sel\nMélangez la farine, le sucre et la levure dans un grand saladier, puis \
            ajoutez les œufs un par un. Faites fondre le beurre avec le lait et versez le tout sur la pâte.\nÉpluchez les pommes, coupez-les en \
            fines tranches et posez-les sur le dessus. Laissez cuire quarante minutes dans un four bien chaud, et servez encore tiède.";
        stays(&ROOM, "", "fr", recipe);
        assert_eq!(signal("fr", recipe, "alike_line_char_fraction").map(|share| share < 0.3), Some(true));
    }

    #[test]
    fn a_german_law_with_numbered_articles_stays() {
        let article = |number: usize, said: &str| format!("§ {number}\n({number}) {said}\n");
        let said = [
            "Die Brücke darf nur zu Fuß überquert werden.",
            "Wer Tiere führt, hat sie an der Leine zu halten.",
            "Das Betreten bei Eis ist verboten.",
            "Der Brückenwart erhebt die Gebühr vor dem Betreten.",
            "Kinder unter sechs Jahren zahlen nichts.",
            "Fahrräder sind zu schieben.",
            "Der Rat kann Ausnahmen zulassen.",
            "Verstöße werden mit Geldbuße geahndet.",
        ];
        stays(&ROOM, "", "de", &said.iter().zip(1..).map(|(said, number)| article(number, said)).collect::<String>());
    }

    #[test]
    fn a_polish_dialogue_and_a_maltese_litany_stay() {
        let dialogue = "— Kto tam?\n— To ja, Janek.\n— Czego chcesz?\n— Chcę wejść, bo zimno.\n— Nie ma nikogo w domu.\n— A ty?\n— Ja też wychodzę.\n\
            — Dokąd, tak późno?\n— Do siostry, na wieś.\n— To pójdę z tobą.\n— Nie pójdziesz, bo daleko.\n— A może jednak?\n— No dobrze, ale szybko.\n— Już idę!";
        stays(&ROOM, "", "pl", dialogue);
        let saints = ["Marija", "Ġużeppi", "Mikiel", "Pietru", "Pawl", "Indrì", "Ġwann", "Tumas", "Mattew", "Ġakbu"];
        let litany =
            saints.map(|saint| format!("San {saint} għażiż, itlob għalina u għal dawk li huma fil-bżonn, biex ikollna s-sliem.\n"));
        stays(&ROOM, "", "mt", &litany.concat());
    }

    #[test]
    fn a_finnish_report_of_a_match_stays_with_its_results() {
        let report = "Kotijoukkue voitti illan ottelun, vaikka se oli ensimmäisen erän jälkeen kaksi maalia perässä. Valmentaja sanoi, että joukkue \
            jaksoi nyt pelata loppuun asti, ja kiitti yleisöä. Maalivahti torjui rangaistuslaukauksen juuri ennen viimeistä summeria.\n\
            Tappara – Ilves 3–2\nKärpät – TPS 1–4\nLukko – HIFK 2–2\nPelicans – Ässät 5–1\nJYP – KalPa 0–3\nSaiPa – HPK 2–1";
        stays(&ROOM, "", "fi", report);
    }

    #[test]
    fn a_greek_article_stays_with_its_bibliography() {
        let article = "Το λιμάνι της πόλης χτίστηκε πριν από δύο αιώνες και ήταν για πολλά χρόνια το μεγαλύτερο της περιοχής. Οι έμποροι έφερναν \
            λάδι, κρασί και σταφίδα από τα χωριά, ενώ τα πλοία έφευγαν για τη Μασσαλία και την Τεργέστη. Με τον σιδηρόδρομο η κίνηση έπεσε.\n\
            Παπαδόπουλος, Ν. (1987). Το λιμάνι και οι έμποροι. Αθήνα: Εστία, 45–67.\nΓεωργίου, Μ. (1992). Πλοία και πόλεις. Αθήνα: Ίκαρος, 12–30.\n\
            Νικολάου, Α. (2001). Σταφίδα. Πάτρα: Αχαϊκές, 3–9.\nΔημητρίου, Ε. (2004). Ο σιδηρόδρομος. Αθήνα: Κέδρος, 88–91.";
        stays(&ROOM, "", "el", article);
    }

    #[test]
    fn price_lists_fall_in_any_language_with_the_share_of_their_rows() {
        let goods = ["Kruunuruuvi", "Pieni vasara", "Iso vasara", "Saha", "Mitta", "Pora", "Pihdit", "Tikkaat puusta", "Sivellin", "Maali"];
        let list: String = goods.iter().zip(3..).map(|(good, price)| format!("{good} {price},50 €\n")).collect();
        falls(&ROOM, &only("alike-lines"), "fi", &list, "alike-lines");
        let Verdict::Drop(dropped) = judged(&ROOM, &only("alike-lines"), "fi", &list).1 else { panic!("stays") };
        assert_eq!(dropped.finding, Some(Finding { value: 1.0, limit: 0.5 }));
        stays(&ROOM, "alike_lines_min = 11\nrules = [\"alike-lines\"]", "fi", &list);
    }

    #[test]
    fn time_tables_results_directories_and_logs_fall() {
        let stops = ["Praha", "Kolín", "Pardubice", "Brno město", "Břeclav", "Olomouc", "Ostrava", "Plzeň"];
        let times: String = stops.iter().zip(10..).map(|(stop, hour)| format!("{stop} {hour}:05 | {hour}:35 | {hour}:55\n")).collect();
        falls(&ROOM, &only("alike-lines"), "cs", &times, "alike-lines");
        let names = ["A. Berzins", "J. Kalnins", "P. Ozols", "M. Liepa", "K. Zarins", "R. Egle", "S. Vitols"];
        let results: String = names.iter().zip(1..).map(|(name, place)| format!("{place}. {name} (LAT) {place}:0{place},3\n")).collect();
        falls(&ROOM, &only("alike-lines"), "lv", &results, "alike-lines");
        let people: String =
            names.iter().zip(1..).map(|(name, door)| format!("{name}, Rua Nova {door}, tel. 21 555 01 0{door}\n")).collect();
        falls(&ROOM, &only("alike-lines"), "pt", &people, "alike-lines");
        let log: String =
            (10..40).map(|second| format!("2024-03-01 12:00:{second} INFO server[{second}]: request done in {second} ms\n")).collect();
        falls(&ROOM, &only("alike-lines"), "en", &log, "alike-lines");
    }

    #[test]
    fn a_string_of_keywords_falls_and_a_sentence_with_a_long_list_stays() {
        let spam = "dzīvokļi Rīga, lēti dzīvokļi, dzīvokļu īre, māju pārdošana, zeme Jūrmala, telpu noma, biroji centrā, garāžas, \
            pirkt dzīvokli, mākleris Rīga, sludinājumi, nekustamais īpašums, īres dzīvokļi, istaba Rīgā";
        falls(&ROOM, &only("keyword-runs"), "lv", spam, "keyword-runs");
        falls(&ROOM, &only("keyword-runs"), "szl", spam, "keyword-runs");
        let list = "Na targu były jabłka, gruszki, śliwki, wiśnie, maliny, jagody, orzechy, grzyby, miód i sery z gór. Kupiliśmy po trochu \
            wszystkiego, bo dzieci prosiły, a potem poszliśmy nad rzekę, gdzie w cieniu starych wierzb zjedliśmy to, co najlepsze.";
        stays(&ROOM, "", "pl", list);
    }

    #[test]
    fn names_and_products_without_a_function_word_fall_where_the_language_is_known_and_words_are_enough() {
        let products = "Schrauben Muttern Dübel Zangen Hammer Säge Bohrer Leiter Farbe Pinsel ";
        falls(&ROOM, "", "de", &products.repeat(4), "too-few-function-words");
        falls(&ROOM, "", "de-AT", &products.repeat(4), "too-few-function-words");
        stays(&ROOM, "", "szl", &products.repeat(4));
        stays(&ROOM, "", "de", &products.repeat(3));
        falls(&ROOM, "words_min = 30", "de", &products.repeat(3), "too-few-function-words");
        assert_eq!(signal("de", &format!("{} und die der und", products.repeat(4)), "function_word_fraction"), Some(4.0 / 44.0));
        assert_eq!(signal("szl", &products.repeat(4), "function_word_fraction"), None);
    }

    #[test]
    fn what_was_measured_is_decided_again_by_other_limits_without_the_text() {
        let log = "12:01 INFO start\n".repeat(20);
        let mut doc = Document { text: log, lang: Some(Lang::new("et")), ..Document::default() };
        assert_eq!(stage(&ROOM, "rules = []").expect("sound").judge(&mut doc), Verdict::Keep);
        doc.text.clear();
        let again = |settings: &str| stage(&ROOM, settings).expect("sound").decide(&doc);
        assert_eq!(
            again("languages.et.alike_line_char_fraction_max = 1\nlanguages.et.function_word_fraction_min = 0"),
            Some(Verdict::Keep)
        );
        assert_eq!(again(""), Some(Verdict::broke("too-few-function-words", 0.0, 0.02)));
        assert_eq!(again("rules = [\"alike-lines\"]"), Some(Verdict::broke("alike-lines", 1.0, 0.5)));
    }

    #[test]
    fn rows_without_end_take_no_longer_than_words() {
        for sign in ["1", "\n", ",", "a,", "1\n", ", ", "|\n", "a 1\n", ",\n"] {
            let text = sign.repeat(200_000 / sign.len());
            for lang in ["fi", "szl"] {
                let (after, _) = judged(&ROOM, "", lang, &text);
                assert_eq!(after, text);
            }
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_room_stumble_and_shares_are_shares(text in "[a-zäИ α0-9,;|.€\\n\u{301}東-]{0,400}", lang in "fi|el|zh|szl") {
            let mut doc = Document { text, lang: Some(Lang::new(&lang)), ..Document::default() };
            let stage = stage(&ROOM, "words_min = 1\nalike_lines_min = 2\nkeyword_items_min = 2").expect("sound");
            let _verdict = stage.judge(&mut doc);
            prop_assert!(doc.quality.iter().all(|(_, share)| (0.0..=1.0).contains(&share)), "{:?}", doc.quality);
        }

        #[test]
        fn any_text_at_all_is_judged(text in "\\PC{0,200}") {
            prop_assert_eq!(judged(&ROOM, "rules = []", "pl", &text), (text, Verdict::Keep));
        }
    }
}
