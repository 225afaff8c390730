use proptest::prelude::*;

use super::*;

fn read(wikitext: &str) -> String {
    let hidden = ["file", "image", "category", "attēls", "kategorija"].map(str::to_owned);
    text(wikitext, &Rules { hidden: &hidden, templates: &Templates::default(), tables: true })
}

#[track_caller]
fn check(wikitext: &str, want: &str) {
    assert_eq!(read(wikitext), want, "{wikitext}");
}

#[test]
fn links_show_their_labels_and_emphasis_goes() {
    check("'''Klusā sala''' ir [[sala]] [[Ziemeļu jūra|jūrā]]s malā.", "Klusā sala ir sala jūrās malā.");
    check("Vaata [[:Kategooria:Saared]] ja [[#Ajalugu]].", "Vaata Kategooria:Saared ja Ajalugu.");
    check(
        "[[Attēls:Sala.jpg|thumb|Sala no [[jūra|jūras]] puses]]Te dzīvo zvejnieki.[[Kategorija:Salas]]\n[[de:Insel]]",
        "Te dzīvo zvejnieki.",
    );
    check("Mehr [https://www.example.org/a?b=1 beim Amt] und [https://www.example.org/].", "Mehr beim Amt und.");
    check("L''''eau''' et '''''le vent''''', l'été.", "L'eau et le vent, l'été.");
}

#[test]
fn templates_vanish_or_leave_what_belongs_to_the_sentence() {
    check("{{Infobox sala\n| nosaukums = {{lang|lv|Sala}}\n| garums = 3 [[km]]\n}}\nSala ir maza.", "Sala ir maza.");
    check("Ein {{lang|fr|petit bateau}} von {{nowrap|12 Metern}}, {{frac|1|2}} Stunde.", "Ein petit bateau von 12 Metern, 1/2 Stunde.");
    check("Az út {{convert|5|km|mi|abbr=on}} hosszú.", "Az út 5 km hosszú.");
    check("Rīga ({{IPA|lv|ˈriːɡa}}; {{lang-de|Riga}}) ir pilsēta.", "Rīga (Riga) ir pilsēta.");
    check("Oslo ({{IPA|no|x}}, {{audio|x.ogg}}) er en by {{Sfn|Hansen|2020}}.", "Oslo er en by.");
    check("{{{1|Standardtext}}} bleibt.", "Standardtext bleibt.");
}

#[test]
fn the_settings_add_templates_and_change_known_ones() {
    let more = [("Skip_me", "($2: $1)"), ("nowrap", "")].map(|(name, pattern)| (name.to_owned(), pattern.to_owned())).into();
    let rules = Rules { hidden: &[], templates: &Templates::with(&more), tables: true };
    assert_eq!(text("a {{skip me|x|2=y}} {{nowrap|z}} b", &rules), "a (y: x) b");
}

#[test]
fn references_formulas_and_comments_are_cut() {
    check("Tā ir<ref name=\"a\">{{cite|x}}</ref> liela<ref name=a /> sala<!-- vai ne? -->.<ref>nav beigu", "Tā ir liela sala.nav beigu");
    check("Somme <math>\\sum x</math> et <nowiki>[[texte]]</nowiki>.", "Somme et [[texte]].");
    check("Eerste regel<br />tweede <small>regel</small>. 3 < 4", "Eerste regel\ntweede regel. 3 < 4");
}

#[test]
fn sections_that_are_empty_after_all_have_no_heading() {
    check(
        "== Historia ==\nMuinoin.\n=== Nimi ===\n{{stub}}\n== Katso myös ==\n* [[Saari]]\n== Lähteet ==\n<references/>\n== Linkit ==\n",
        "Historia\nMuinoin.\nKatso myös\n- Saari",
    );
}

#[test]
fn tables_and_lists_keep_a_light_structure() {
    let table = "{| class=\"wikitable\" style=\"x\"\n|+ Hafen\n! Jahr !! scope=\"col\" | Schiffe\n|-\n| 1900 || align=right | 12\n|-\n| 1901\n| [[Boot|13 Boote]]\n|}\nEnde.";
    check(table, "Hafen\nJahr | Schiffe\n1900 | 12\n1901 | 13 Boote\nEnde.");
    let rules = Rules { hidden: &[], templates: &Templates::default(), tables: false };
    assert_eq!(text(table, &rules), "Ende.");
    check("# prvi\n## drugi\n: odgovor\n; pojam", "- prvi\n- drugi\nodgovor\npojam");
    check("Prvi redak\nisti odlomak.\n\nDrugi odlomak.", "Prvi redak isti odlomak.\nDrugi odlomak.");
}

#[test]
fn what_never_closes_is_text_after_all() {
    check("Neuzavřená {{šablona a [[odkaz\n\nDalší odstavec.", "Neuzavřená šablona a odkaz\nDalší odstavec.");
    check("a }} b ]] c", "a }} b ]] c");
    check("__NOTOC__Текст __ПРИНУДИТОЛК__ и ещё_раз", "Текст и ещё_раз");
    check("A&nbsp;B &ndash; C &amp; D &nosuch; &#8364;", "A B – C & D &nosuch; €");
}

/// Twice the text may take four times as long only if something is quadratic; the limit leaves room for a busy machine.
/// What this thread has taken of a core, in seconds: how busy the machine is does not show in it.
fn cpu_seconds() -> i64 {
    rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime).tv_sec
}

#[test]
fn openings_without_an_end_are_read_in_linear_time() {
    for piece in [
        "{{",
        "[[",
        "<ref>",
        "<!--",
        "{{a|",
        "[http://a",
        "<a",
        "{{{",
        "-{",
        "''",
        "{|\n",
        "__A",
        "&a",
        "|",
        "}}",
        "]]",
        "(",
        "<nowiki>",
        "[[a|{{b|",
    ] {
        let begun = cpu_seconds();
        read(&piece.repeat(200_000 / piece.len()));
        let spent = cpu_seconds() - begun;
        assert!(spent < 5, "{piece}: {spent} s of a core");
    }
}

proptest! {
    #[test]
    fn no_wikitext_makes_the_parser_panic(pieces in prop::collection::vec(prop::sample::select(vec![
        "{{", "}}", "{{{", "}}}", "[[", "]]", "[", "]", "|", "||", "\n", "{|", "|}", "|-", "!", "=", "==", "'", "''", "<ref>", "</ref>", "<ref/>",
        "<!--", "-->", "<br>", "<nowiki>", "</nowiki>", "__", "__A__", "-{", "}-", "&amp;", "&#x41;", "&", "(", ")", ",", " ", "\u{a0}", "ž", "a", "http://",
        "File:", ":", "*", "#", ";", "lang", "$1", "\u{fffd}", "𝔘",
    ]), 0..80)) {
        let source: String = pieces.concat();
        prop_assert!(!read(&source).contains('\n') || source.contains(['\n', '<']));
    }
}
