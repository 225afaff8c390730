//! Tells the language of a document and keeps the wanted ones.
//!
//! A wrong label costs a small language more than a lost page, so doubt is a reason of its own. What finds the language stands behind
//! one function (`guess::identify`), so that a better model can take its place; the room, its settings and its reasons stay.

mod count;
mod guess;
mod lists;
mod sample;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::de::ValueDeserializer;

use crate::doc::{Document, Lang};
use crate::stage::{BuildError, Field, Resources, Room, Stage, Verdict};

const NO_LETTERS: &str = "no-letters";
const UNSURE: &str = "unsure";
const OTHER_LANGUAGE: &str = "other-language";

/// The row of this stage.
pub const ROOM: Room = Room {
    name: "langid",
    summary: "tells the language and keeps the wanted ones",
    reasons: &[NO_LETTERS, UNSURE, OTHER_LANGUAGE],
    signals: &[],
    needs: &[Field::Text],
    gives: &[Field::Lang],
    schema: || schemars::schema_for!(Langid),
    build,
};

/// Tells the language of a document, its script and how sure that is, and keeps the wanted languages.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Langid {
    /// Languages to keep, as BCP 47 tags; `sr` keeps `sr-Cyrl` and `sr-Latn`. Empty keeps every language.
    pub keep: Vec<String>,
    /// The least `lang_score` (0 to 1) that a document needs. With 0.4, 96 % of the labels of 3,500 real pages were right; with 0.7, 97 %
    /// of the nine tenths that it left.
    pub min_score: f32,
    /// How much of a text is looked at, in bytes: four windows of whole words, spread evenly.
    pub sample_bytes_max: usize,
    /// Take the language that the page declares as a hint where the text leaves a doubt.
    pub trust_declared: bool,
}

impl Default for Langid {
    fn default() -> Langid {
        Langid { keep: Vec::new(), min_score: 0.4, sample_bytes_max: 4_000, trust_declared: true }
    }
}

struct Identifying {
    settings: Langid,
    table: count::FunctionWords,
}

fn build(settings: ValueDeserializer<'_>, _: &dyn Resources) -> Result<Box<dyn Stage>, BuildError> {
    let settings = Langid::deserialize(settings)?;
    if !(0.0..=1.0).contains(&settings.min_score) {
        return Err(BuildError::Contradiction(format!("`min_score` is {}, but scores are between 0 and 1", settings.min_score)));
    }
    if settings.sample_bytes_max < 200 {
        return Err(BuildError::Contradiction("`sample_bytes_max` must be at least 200".to_owned()));
    }
    Ok(Box::new(Identifying { settings, table: count::FunctionWords::new() }))
}

impl Langid {
    fn wants(&self, lang: &Lang) -> bool {
        self.keep.is_empty() || self.keep.iter().any(|tag| tag == lang.as_str() || tag == lang.primary())
    }
}

impl Stage for Identifying {
    fn judge(&self, doc: &mut Document) -> Verdict {
        let declared = doc.declared_lang.as_deref().filter(|_| self.settings.trust_declared);
        let Some(guess) = guess::identify(&doc.text, declared, self.settings.sample_bytes_max, &self.table) else {
            return Verdict::drop(NO_LETTERS);
        };
        let lang = Lang::new(&guess.lang);
        let wanted = self.settings.wants(&lang);
        doc.lang = Some(lang);
        doc.script = Some(guess.script);
        doc.lang_score = Some(guess.score);
        if guess.score < self.settings.min_score {
            return Verdict::broke(UNSURE, guess.score, self.settings.min_score);
        }
        if wanted { Verdict::Keep } else { Verdict::drop(OTHER_LANGUAGE) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct NoFiles;

    impl Resources for NoFiles {
        fn read(&self, _: &str) -> std::io::Result<Vec<u8>> {
            Err(std::io::ErrorKind::NotFound.into())
        }
    }

    fn stage(table: &str) -> Result<Box<dyn Stage>, BuildError> {
        (ROOM.build)(ValueDeserializer::parse(table).unwrap(), &NoFiles)
    }

    fn judge(table: &str, text: &str, declared: Option<&str>) -> (Document, Verdict) {
        let mut doc = Document { text: text.to_owned(), declared_lang: declared.map(str::to_owned), ..Document::default() };
        let verdict = stage(table).unwrap().judge(&mut doc);
        (doc, verdict)
    }

    fn reason(verdict: Verdict) -> Option<&'static str> {
        match verdict {
            Verdict::Keep => None,
            Verdict::Drop(dropped) => Some(dropped.reason),
        }
    }

    const ENGLISH: &str = "The ferry to the island leaves at nine in the morning and comes back when the last visitors have been seen at the harbour, \
        so it is better not to be late. They have told us that the tickets can also be bought on board from the captain.";

    #[test]
    fn running_text_gets_its_language_and_its_script() {
        for (text, lang, script) in [
            (ENGLISH, "en", "Latn"),
            (
                "Laev sõidab saarele kell üheksa ja tuleb tagasi siis, kui viimased külalised on sadamas. See ei ole kaugel, aga pileteid ei saa enam osta, sest neid on vähe ja kõik tahavad ära sõita.",
                "et",
                "Latn",
            ),
            (
                "Fágann an bád farantóireachta ag a naoi ar maidin agus tagann sé ar ais nuair atá na cuairteoirí deireanacha ag an gcuan. Tá sé níos fearr gan a bheith déanach, mar níl aon bhád eile ann go dtí an lá ina dhiaidh sin.",
                "ga",
                "Latn",
            ),
            (
                "Il-vapur lejn il-gżira jitlaq fid-disgħa ta' filgħodu u jiġi lura meta l-aħħar viżitaturi jkunu fil-port. Dan huwa l-uniku vapur għal dak il-jum, u għalhekk kull min irid imur għandu jasal kmieni jew jistenna sal-għada.",
                "mt",
                "Latn",
            ),
            (
                "Feribot je na otoku u devet sati, a vraća se kad su posljednji gosti u luci. Bolje je ne kasniti, jer nakon toga nema drugog broda, a karte se mogu kupiti i na brodu ako još ima mjesta.",
                "hr",
                "Latn",
            ),
            (
                "Трајект за острво полази у девет сати и враћа се када су последњи гости у луци. Боље је не каснити, јер после тога нема другог брода, а карте се могу купити и на броду ако још има места.",
                "sr-Cyrl",
                "Cyrl",
            ),
            (
                "Фериботът за острова тръгва в девет часа сутринта и се връща, когато последните гости са на пристанището. По-добре е да не закъснявате, защото след това няма друг кораб, а билети се купуват и на борда.",
                "bg",
                "Cyrl",
            ),
            (
                "Ferja går til øya klokka ni om morgenen og kommer tilbake når de siste gjestene er på kaia. Det er best å ikke være sen, for etter dette går det ikke noen båt før neste dag, og da må vi bli her.",
                "nb",
                "Latn",
            ),
            ("Το πλοίο για το νησί φεύγει στις εννέα το πρωί.", "el", "Grek"),
            ("ბორანი კუნძულზე დილის ცხრა საათზე გადის.", "ka", "Geor"),
        ] {
            let (doc, verdict) = judge("{}", text, None);
            assert_eq!((verdict, doc.lang, doc.script), (Verdict::Keep, Some(Lang::new(lang)), Some(script)), "{text}");
        }
    }

    #[test]
    fn a_price_list_has_no_language() {
        let (doc, verdict) = judge(r#"{ keep = ["lt"] }"#, "2024 | 1 299,00 | +49 30 901820", None);
        assert_eq!((reason(verdict), doc.lang), (Some(NO_LETTERS), None));
    }

    #[test]
    fn names_and_part_numbers_leave_a_doubt() {
        let (doc, verdict) = judge("{ min_score = 0.7 }", "XK-200 Maxi Turbo ABS Nova GTX", None);
        assert_eq!(reason(verdict), Some(UNSURE), "{:?} {:?}", doc.lang, doc.lang_score);
    }

    #[test]
    fn unwanted_languages_fall_and_a_primary_subtag_keeps_every_script() {
        assert_eq!(reason(judge(r#"{ keep = ["et", "mt"] }"#, ENGLISH, None).1), Some(OTHER_LANGUAGE));
        let serbian =
            "Све што је било на столу сада је у торби, али није за пут него за оне који су остали код куће и чекају да се вратимо.";
        for (keep, kept) in [("sr", true), ("sr-Cyrl", true), ("sr-Latn", false)] {
            assert_eq!(reason(judge(&format!("{{ keep = ['{keep}'] }}"), serbian, None).1).is_none(), kept, "{keep}");
        }
    }

    #[test]
    fn a_wrong_declaration_does_not_win_over_a_sure_guess() {
        for declared in ["de-DE", "mt", "tlh", "xx", "", "---"] {
            assert_eq!(judge("{}", ENGLISH, Some(declared)).0.lang, Some(Lang::new("en")), "{declared}");
        }
    }

    #[test]
    fn a_declaration_decides_between_neighbours() {
        let text =
            "Ne može se reći da je to sve, jer je on na brodu i ne zna što je bilo, a ona je u kući i čeka da se vrati za dan ili dva. "
                .repeat(3);
        assert_eq!(judge("{}", &text, Some("sr-Latn-RS")).0.lang, Some(Lang::new("sr-Latn")));
        assert_eq!(judge("{}", &text, Some("hr")).0.lang, Some(Lang::new("hr")));
    }

    #[test]
    fn a_quotation_does_not_outweigh_the_text_around_it() {
        let german = "Die Fähre zur Insel fährt um neun Uhr ab und kommt zurück, wenn die letzten Gäste am Hafen sind. Man sollte nicht zu spät sein, weil es danach kein anderes Schiff mehr gibt. ";
        let text = format!("{german}{german}{german}{ENGLISH} {german}{german}{german}");
        assert_eq!(judge("{}", &text, None).0.lang, Some(Lang::new("de")));
    }

    #[test]
    fn settings_that_make_no_sense_are_refused() {
        for table in ["{ min_score = 40 }", "{ sample_bytes_max = 10 }", "{ kep = [] }"] {
            assert!(stage(table).is_err(), "{table}");
        }
    }
}
