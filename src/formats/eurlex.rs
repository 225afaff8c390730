//! What EU law carries beside its text: the CELEX number by which EUR-Lex knows a document, and the running heads of the Official Journal's
//! XHTML, which tell date and language.
//!
//! CELEX numbers are built as the Publications Office describes (eur-lex.europa.eu, "How CELEX numbers are composed"): sector, year, type,
//! number, and what tells corrigenda, parts and consolidated states.

use super::marked::{Field, Role, state};
use super::xml::Tag;
use super::{Fault, Paper, marked, styles};

/// A numeral in front of a point or a recital, in a cell of its own, is no longer than this.
const LABEL_CHARS_MAX: usize = 8;

/// The CELEX number that `text` begins with.
fn celex_at(text: &str) -> Option<&str> {
    let bytes = text.as_bytes();
    let digits = |from: usize| bytes[from.min(bytes.len())..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let sector = *bytes.first()?;
    if !(sector.is_ascii_digit() || matches!(sector, b'C' | b'E')) || digits(1) != 4 || !matches!(bytes.get(1), Some(b'1' | b'2')) {
        return None;
    }
    let kind = bytes[5..].iter().take_while(|byte| byte.is_ascii_uppercase()).count();
    let number = digits(5 + kind);
    if !(1..=2).contains(&kind) || !(2..=4).contains(&number) {
        return None;
    }
    let mut end = 5 + kind + number;
    if bytes.get(end) == Some(&b'R') && digits(end + 1) == 0 && bytes.get(end + 1) == Some(&b'(') {
        end += 1;
    }
    if bytes.get(end) == Some(&b'(') && matches!(digits(end + 1), 1..=2) && bytes.get(end + 1 + digits(end + 1)) == Some(&b')') {
        end += 2 + digits(end + 1);
    }
    if bytes.get(end) == Some(&b'-') && digits(end + 1) == 8 {
        end += 9;
    }
    let goes_on = bytes.get(end).is_some_and(u8::is_ascii_alphanumeric);
    (!goes_on).then(|| &text[..end])
}

/// The CELEX number in the name of a file, as EUR-Lex names downloads: `CELEX_32016R0679_ET_TXT.xml`, `CELEX%3A32016R0679_EN_TXT.html`.
#[must_use]
pub fn celex_in(name: &str) -> Option<&str> {
    let name = name.rsplit('/').next().unwrap_or(name);
    let mark = name.find("CELEX")?;
    let rest = &name[mark + "CELEX".len()..];
    let rest = ["%3A", ":", "_", "-"].iter().find_map(|sign| rest.strip_prefix(sign)).unwrap_or(rest);
    celex_at(rest)
}

/// A value that is a CELEX number, and nothing else.
pub(super) fn celex(value: &str) -> Option<&str> {
    let value = value.trim();
    celex_at(value).filter(|found| *found == value)
}

/// The number of the state of a law on a day, of the law's own number: `02014R0910-20241018` of `32014R0910`.
fn consolidated(celex: &str, day: &str) -> String {
    if day.len() == 8 && celex.starts_with('3') { format!("0{}-{day}", &celex[1..]) } else { celex.to_owned() }
}

/// Where EUR-Lex shows a document, in its language where that is known.
#[must_use]
pub fn address(celex: &str, lang: Option<&str>) -> String {
    match lang.filter(|lang| lang.len() == 2 && lang.bytes().all(|byte| byte.is_ascii_alphabetic())) {
        Some(lang) => format!("https://eur-lex.europa.eu/legal-content/{}/TXT/?uri=CELEX:{celex}", lang.to_ascii_uppercase()),
        None => format!("http://publications.europa.eu/resource/celex/{celex}"),
    }
}

/// Reads Formex.
pub(super) fn formex(xml: &str) -> Result<Paper, Fault> {
    let mut paper = marked::read(xml, &styles::FORMEX)?;
    // Of a consolidated law the day stands in front, as the first date.
    if let Some(day) = consolidated_on(xml) {
        paper.celex = paper.celex.map(|celex| consolidated(&celex, &day));
    }
    Ok(paper)
}

/// The day of a consolidated state, which the element that stands first states.
fn consolidated_on(xml: &str) -> Option<String> {
    let at = memchr::memmem::find(xml.as_bytes(), b"<INFO.CONSLEG")?;
    let tag = &xml[at..at + xml[at..].find('>')?];
    let (_, rest) = tag.split_once("START.DATE=")?;
    rest.get(1..9).filter(|day| day.bytes().all(|byte| byte.is_ascii_digit())).map(str::to_owned)
}

/// Reads strict HTML, that of the Official Journal among it.
pub(super) fn xhtml(html: &str) -> Result<Paper, Fault> {
    let mut paper = marked::read(html, &styles::XHTML)?;
    if memchr::memmem::find(html.as_bytes(), b"oj-normal").is_some() {
        paper.text = with_labels(&paper.text);
        paper.published = paper.published.map(|date| in_order(&date).unwrap_or(date));
    }
    Ok(paper)
}

/// What an element of the Official Journal is, by its class.
pub(super) fn role(tag: &Tag<'_>) -> Option<Role> {
    let class = tag.attribute("class")?;
    match &*class {
        "oj-hd-lg" => Some(Role::Aside(Field::Lang)),
        "oj-hd-date" => Some(Role::Aside(Field::Published)),
        "oj-hd-ti" | "oj-hd-oj" | "oj-note" | "oj-note-tag" => Some(Role::Dropped),
        "eli-main-title" => Some(Role::Title),
        _ => None,
    }
}

/// What the attributes of `meta` say of a law.
pub(super) fn state_of_meta(tag: &Tag<'_>, paper: &mut Paper) {
    let name = tag.attribute("name").or_else(|| tag.attribute("property")).unwrap_or_default();
    let value = tag.attribute("content").or_else(|| tag.attribute("resource")).unwrap_or_default();
    match &*name {
        "eli:id_local" | "DC.identifier" | "WT.z_docID" => {
            // The number, or an address that ends in it.
            let last = value.rsplit(['/', ':']).next().unwrap_or_default();
            celex(last).into_iter().for_each(|number| state(paper, Field::Celex, number));
        }
        "eli:date_document" => state(paper, Field::Published, &value),
        _ => {}
    }
}

/// Lines in which recitals and points have their numerals in front, which the layout puts into cells of their own.
fn with_labels(text: &str) -> String {
    let is_label = |cell: &str| {
        let is_short = cell.chars().count() <= LABEL_CHARS_MAX;
        is_short && (cell.starts_with('(') && cell.ends_with(')') || cell.ends_with(['.', ')']) || matches!(cell, "—" | "–" | "-" | "•"))
    };
    let lines = text.lines().map(|line| match line.split_once(" | ") {
        Some((cell, rest)) if is_label(cell) && !rest.contains(" | ") => format!("{cell} {rest}"),
        _ => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// `4.5.2016`, as all languages of the Official Journal write days in its head, in the order of ISO 8601.
fn in_order(date: &str) -> Option<String> {
    let mut parts = date.split('.').map(|part| part.trim().parse::<u32>());
    let (Some(Ok(day)), Some(Ok(month)), Some(Ok(year)), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return None;
    };
    ((1..=31).contains(&day) && (1..=12).contains(&month) && year > 1950).then(|| format!("{year:04}-{month:02}-{day:02}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn celex_numbers_are_told_from_what_looks_like_them() {
        for sound in
            ["32016R0679", "62022CJ0203", "62015CV0001(01)", "32016R0679R(02)", "02014R0910-20241018", "C2023/00123", "52021PC0206"]
        {
            let expected = (sound != "C2023/00123").then_some(sound);
            assert_eq!(celex(sound), expected, "{sound}");
        }
        for wrong in ["", "2016/679", "32016", "32016R", "92016R06791", "39016R0679", "32016r0679", "32016R0679x"] {
            assert_eq!(celex(wrong), None, "{wrong}");
        }
        assert_eq!(celex_in("law/CELEX_32016R0679_ET_TXT.xml"), Some("32016R0679"));
        assert_eq!(celex_in("CELEX%3A02014R0910-20241018_EN_TXT.html"), Some("02014R0910-20241018"));
        assert_eq!(celex_in("32016R0679.xml"), None);
    }

    #[test]
    fn a_consolidated_law_has_the_number_of_its_day_and_not_that_of_the_laws_that_changed_it() {
        let law = "<CONS.ACT><INFO.CONSLEG START.DATE=\"20241018\"/><CONS.DOC><BIB.INSTANCE><LG.DOC>SV</LG.DOC></BIB.INSTANCE><FAM.COMP>\
            <GR.MOD.ACT><MOD.ACT><BIB.DATA><NO.CELEX>32024R1183</NO.CELEX><TITLE><TI><P>ändring</P></TI></TITLE></BIB.DATA></MOD.ACT></GR.MOD.ACT>\
            <BIB.DATA><NO.CELEX>32014R0910</NO.CELEX><DATE ISO=\"20140723\">x</DATE></BIB.DATA></FAM.COMP>\
            <TITLE><TI><P>Förordning</P></TI></TITLE><ARTICLE><TI.ART>Artikel 1</TI.ART><ALINEA>Text.</ALINEA></ARTICLE></CONS.DOC></CONS.ACT>";
        let paper = formex(law).expect("a law");
        assert_eq!((paper.celex.as_deref(), paper.lang.as_deref()), (Some("02014R0910-20241018"), Some("SV")));
        assert_eq!((paper.text.as_str(), paper.published.as_deref()), ("Förordning\nArtikel 1\nText.", Some("2014-07-23")));
    }

    #[test]
    fn the_official_journal_in_xhtml_gives_date_language_and_number_and_no_running_head() {
        let page = "<html><head><title>L_2016119ET.xml</title><meta property=\"eli:id_local\" content=\"32016R0679\"/></head><body><table><tr>\
            <td><p class=\"oj-hd-date\">4.5.2016</p></td><td><p class=\"oj-hd-lg\">ET</p></td><td><p class=\"oj-hd-ti\">Euroopa Liidu Teataja</p></td></tr>\
            </table><div class=\"eli-main-title\"><p class=\"oj-doc-ti\">MÄÄRUS 2016/679</p></div>\
            <table><tr><td><p class=\"oj-normal\">(1)</p></td><td><p class=\"oj-normal\">Füüsiliste isikute kaitse <a class=\"oj-note-tag\">(<span>2</span>)</a>. Andmete <a class=\"oj-note-tag\">(3)</a> kaitse <a class=\"oj-note-tag\">(4)</a>on õigus.</p></td></tr></table>\
            <table class=\"oj-table\"><tr><td><p class=\"oj-tbl-txt\">Riik</p></td><td><p class=\"oj-tbl-txt\">Aasta</p></td></tr></table>\
            <p class=\"oj-note\">(2) ELT C 229.</p></body></html>";
        let paper = xhtml(page).expect("a law");
        assert_eq!(paper.text, "MÄÄRUS 2016/679\n(1) Füüsiliste isikute kaitse. Andmete kaitse on õigus.\nRiik | Aasta");
        assert_eq!(
            (paper.celex.as_deref(), paper.lang.as_deref(), paper.published.as_deref()),
            (Some("32016R0679"), Some("ET"), Some("2016-05-04"))
        );
        assert_eq!(paper.title.as_deref(), Some("MÄÄRUS 2016/679"), "the name of a file is no title");
        assert_eq!(address("32016R0679", paper.lang.as_deref()), "https://eur-lex.europa.eu/legal-content/ET/TXT/?uri=CELEX:32016R0679");
    }
}
