//! What the room promises, with short texts in many languages.

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
fn what_holds_no_language_is_undetermined_and_falls_with_a_reason() {
    let program = "if (x[0] != y[1]) { return f(&z->a, b_c) || g(d); } /* } */ #define A(x) ((x)<<2) ".repeat(20);
    for (text, expected) in [
        ("", NO_LETTERS),
        (" \n\t ", NO_LETTERS),
        ("2024 | 1 299,00 | +49 30 901820", NO_LETTERS),
        ("😀 🎉🎉 👩‍👩‍👧‍👦", NO_LETTERS),
        ("\u{301}\u{302}\u{200b}", NO_LETTERS),
        ("EUR 1 299,00 | 12 450,75 | 8 001 200 | kg 33 019,50", NO_LANGUAGE),
        (program.as_str(), NO_LANGUAGE),
    ] {
        let (doc, verdict) = judge("{ min_score = 0 }", text, Some("lt"));
        assert_eq!((reason(verdict), doc.lang), (Some(expected), Some(Lang::undetermined())), "{text}");
    }
}

#[test]
fn names_and_part_numbers_leave_a_doubt() {
    let (doc, verdict) = judge("{ min_score = 0.9 }", "XK-200 Maxi Turbo ABS Nova GTX", None);
    assert_eq!(reason(verdict), Some(UNSURE), "{:?} {:?}", doc.lang, doc.lang_score);
}

#[test]
fn a_word_of_ten_million_bytes_is_sampled_or_read_in_one_go() {
    for (bytes, settings) in [(10 << 20, "{}"), (1 << 20, "{ sample_bytes_max = 100000000 }")] {
        for letters in ["a", "žš", "東", "aб"] {
            let (doc, _) = judge(settings, &letters.repeat(bytes / letters.len()), None);
            assert!(doc.lang.is_some() && doc.lang_score.is_some_and(|score| (0.0..=1.0).contains(&score)), "{:?}", doc.lang_score);
        }
    }
}

#[test]
fn letters_of_another_script_inside_words_do_not_change_the_language() {
    let disguised = ENGLISH.replace("captain", "cаptаin").replace("morning", "mоrning").replace("harbour", "hаrbоur");
    assert!(disguised.chars().filter(|letter| matches!(letter, 'а' | 'о')).count() == 5);
    let (doc, _) = judge("{ min_score = 0 }", &disguised, None);
    assert_eq!((doc.lang, doc.script), (Some(Lang::new("en")), Some("Latn")));
}

#[test]
fn accents_may_be_written_as_marks_of_their_own() {
    let czech = "Nejdřív jsme jeli vlakem do Českých Budějovic a pak pěšky přes les, protože žádný autobus v neděli večer už nejezdil.";
    let apart: String = unicode_normalization::UnicodeNormalization::nfd(czech).collect();
    let (whole, parted) = (judge("{}", czech, None).0, judge("{}", &apart, None).0);
    assert_eq!((whole.lang.clone(), whole.lang_score), (parted.lang, parted.lang_score));
    assert_eq!(whole.lang, Some(Lang::new("cs")));
}

#[test]
fn the_runner_up_is_told_and_both_are_probabilities() {
    let (doc, _) = judge("{}", "Det er ikke alltid lett å si hvilket av de to språkene en kort tekst er skrevet på.", None);
    let (score, second) = (doc.lang_score.expect("a score"), doc.lang_second.expect("a runner-up"));
    assert_eq!(doc.lang, Some(Lang::new("nb")));
    assert!(["da", "nn", "sv"].contains(&second.lang.as_str()), "{second:?}");
    assert!(second.score <= score && score + second.score <= 1.001, "{score} {second:?}");
}

const GERMAN: &str = "Die Fähre zur Insel fährt um neun Uhr ab und kommt zurück, wenn die letzten Gäste am Hafen sind. Man sollte nicht zu spät sein, weil es danach kein anderes Schiff mehr gibt und alle Zimmer am Ort belegt sind.";

#[test]
fn a_page_of_two_languages_tells_their_shares() {
    let text = format!("{GERMAN}\n{GERMAN}\n{ENGLISH}\n{GERMAN}");
    let (doc, verdict) = judge("{}", &text, None);
    let parts: Vec<(&str, bool)> = doc.lang_parts.iter().map(|part| (part.lang.as_str(), part.share > 0.5)).collect();
    assert_eq!((verdict, doc.lang, parts), (Verdict::Keep, Some(Lang::new("de")), vec![("de", true), ("en", false)]));
    let share = doc.quality.get("lang_share").expect("a share");
    assert!((0.65..0.85).contains(&share), "{share}");
}

#[test]
fn a_page_of_two_languages_is_cut_or_dropped_where_the_recipe_says_so() {
    let text = format!("{GERMAN}\n{ENGLISH}\n{GERMAN}\n");
    let (doc, verdict) = judge("{ mixed = 'cut' }", &text, None);
    assert_eq!((verdict, doc.text), (Verdict::Keep, format!("{GERMAN}\n{GERMAN}")));
    assert_eq!(reason(judge("{ mixed = 'drop' }", &text, None).1), Some(MIXED));
    assert_eq!(reason(judge("{ mixed = 'drop', share_min = 0.5 }", &text, None).1), None);
    assert_eq!(reason(judge("{ mixed = 'drop' }", GERMAN, None).1), None);
}

#[test]
fn one_long_line_of_two_languages_is_seen_too() {
    let text = format!("{GERMAN} {GERMAN} {GERMAN} {ENGLISH} {ENGLISH} {ENGLISH} {ENGLISH}");
    let (doc, _) = judge("{ mixed = 'cut' }", &text, None);
    assert_eq!((doc.lang, doc.lang_parts.len()), (Some(Lang::new("en")), 2));
    assert!(!doc.text.contains("Fähre zur Insel fährt um neun Uhr ab und kommt zurück, wenn die letzten Gäste am Hafen sind. Man sollte nicht zu spät sein, weil es danach kein anderes Schiff mehr gibt und alle Zimmer am Ort belegt sind. Die Fähre"), "{}", doc.text);
    assert!(doc.text.ends_with(ENGLISH));
}

#[test]
fn where_no_language_has_half_of_the_text_it_is_multilingual() {
    let finnish = "Lautta saarelle lähtee yhdeksältä aamulla ja palaa, kun viimeiset vieraat ovat satamassa. On parempi olla ajoissa, koska sen jälkeen ei enää kulje muita laivoja, ja liput myydään laivalla kapteenin luona.";
    let text = format!("{GERMAN}\n{finnish}\n{ENGLISH}");
    let (doc, verdict) = judge("{ keep = ['mul'] }", &text, None);
    assert_eq!((reason(verdict), doc.lang, doc.lang_parts.len()), (None, Some(Lang::new("mul")), 3));
    assert_eq!(reason(judge("{ keep = ['de', 'fi', 'en'] }", &text, None).1), Some(OTHER_LANGUAGE));
}

#[test]
fn short_lines_of_menus_do_not_decide() {
    let menu = "Home\nContact us\nAbout us\nPrivacy policy\nTerms of use\nSign in\nShare this page\n";
    let maltese = "Il-vapur lejn il-gżira jitlaq fid-disgħa ta' filgħodu u jiġi lura meta l-aħħar viżitaturi jkunu fil-port. Dan huwa l-uniku vapur għal dak il-jum, u għalhekk kull min irid imur għandu jasal kmieni jew jistenna sal-għada.";
    let (doc, _) = judge("{}", &format!("{menu}{maltese}\n{menu}"), None);
    assert_eq!((doc.lang, doc.lang_parts), (Some(Lang::new("mt")), Vec::new()));
}

#[test]
fn a_second_opinion_drops_what_two_models_call_by_two_names() {
    for (text, tag) in [(GERMAN, "de"), (ENGLISH, "en")] {
        assert_eq!(reason(judge("{ second_opinion = true }", text, None).1), None, "{tag}");
        assert!(!second::disagrees(tag, text) && second::disagrees("fi", text), "{tag}");
    }
    assert!(!second::disagrees("mt", GERMAN), "whatlang knows no Maltese, so it cannot object");
}

#[test]
fn serbian_is_told_in_both_scripts_and_montenegrin_by_its_letters() {
    let latin = "Voz za more polazi u sedam sati uveče i vraća se tek posle podne. Deca su bila vesela, ali su se uplašila kada je na stanici nestalo struje, pa smo svi sedeli u mraku i čekali da neko dođe.";
    let cyrillic = "Воз за море полази у седам сати увече и враћа се тек после подне. Деца су била весела, али су се уплашила када је на станици нестало струје, па смо сви седели у мраку и чекали да неко дође.";
    let montenegrin = "Śutra ćemo na Ćetinje, a preksjutra śever zemlje. Śedi ovđe i ne iźedi sve, jer śekira i śeme nijesu za đecu, a śevernjak koji izjutra duva stiže i do mora.";
    for (text, tag) in [(latin, "sr-Latn"), (cyrillic, "sr-Cyrl"), (montenegrin, "cnr")] {
        assert_eq!(judge("{ min_score = 0 }", text, None).0.lang, Some(Lang::new(tag)), "{text}");
    }
}

#[test]
fn unwanted_languages_fall_and_a_primary_subtag_keeps_every_script() {
    assert_eq!(reason(judge(r#"{ keep = ["et", "mt"] }"#, ENGLISH, None).1), Some(OTHER_LANGUAGE));
    let serbian = "Све што је било на столу сада је у торби, али није за пут него за оне који су остали код куће и чекају да се вратимо.";
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
    let text = "Ne može se reći da je to sve, jer je on na brodu i ne zna što je bilo, a ona je u kući.";
    for (declared, tag) in [("sr-Latn-RS", "sr-Latn"), ("hr", "hr")] {
        assert_eq!(judge("{ min_score = 0 }", text, Some(declared)).0.lang, Some(Lang::new(tag)));
    }
    let distrusted = |declared| judge("{ min_score = 0, trust_declared = false }", text, Some(declared)).0.lang;
    assert_eq!(distrusted("sr-Latn"), distrusted("hr"));
    let short = "Hun er student i Oslo.";
    assert_eq!(judge("{ min_score = 0 }", short, Some("da")).0.lang, Some(Lang::new("da")));
    assert_eq!(judge("{ min_score = 0 }", short, Some("nb")).0.lang, Some(Lang::new("nb")));
}

#[test]
fn a_quotation_does_not_outweigh_the_text_around_it() {
    let german = "Die Fähre zur Insel fährt um neun Uhr ab und kommt zurück, wenn die letzten Gäste am Hafen sind. Man sollte nicht zu spät sein, weil es danach kein anderes Schiff mehr gibt. ";
    let text = format!("{german}{german}{german}{ENGLISH} {german}{german}{german}");
    assert_eq!(judge("{}", &text, None).0.lang, Some(Lang::new("de")));
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    for table in ["{ min_score = 40 }", "{ share_min = 2 }", "{ sample_bytes_max = 10 }", "{ kep = [] }", "{ mixed = 'split' }"] {
        assert!(stage(table).is_err(), "{table}");
    }
}
