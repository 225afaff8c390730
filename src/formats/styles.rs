//! The tables of the XML formats whose text stands in reading order. Elements that a table does not name are part of the line around them.
//!
//! Sources: TEI P5 and the ParlaMint schema (clarin-eric.github.io/ParlaMint), OASIS Akoma Ntoso 1.0, Formex 4 (op.europa.eu),
//! OpenDocument 1.3, ECMA-376 (WordprocessingML), EPUB 3.3 and TDMRep 1.0 (w3.org).

use super::marked::{Field, Role, Style, state};
use super::xml::{Rigour, Tag};
use super::{Paper, eurlex};

/// TEI, in particular the parliamentary corpora in the encoding of ParlaMint: each turn with its speaker's announcement.
pub(super) const TEI: Style = Style { role: tei_role, state: tei_state, rigour: Rigour::Xml };

fn tei_role(name: &str, tag: &Tag<'_>, parent: Role) -> Role {
    match name {
        "teiHeader" => Role::Head,
        "title" if parent == Role::Head => Role::Stated(Field::Title),
        "licence" => Role::Stated(Field::Licence),
        "idno" if parent == Role::Head && tag.attribute("type").is_some_and(|kind| matches!(&*kind, "URI" | "URL")) => {
            Role::Stated(Field::Url)
        }
        "u" => Role::Turn,
        "seg" if parent == Role::Turn => Role::Block,
        // Who speaks is told by a note; other notes tell what happened in the hall, or are the editor's.
        "note" if tag.has("type", "speaker") => Role::Block,
        "note" | "fw" | "gap" | "desc" | "figDesc" | "incident" | "kinesic" | "vocal" | "standOff" | "listBibl" => Role::Dropped,
        "w" | "pc" => Role::Word(tag.attribute("join").is_some_and(|join| matches!(&*join, "right" | "both"))),
        "lb" | "pb" if tag.has("break", "no") => Role::Inline,
        "lb" | "pb" | "cb" => Role::Space,
        "row" => Role::Row,
        "cell" => Role::Cell,
        "p" | "head" | "l" | "ab" | "item" | "speaker" | "stage" | "salute" | "opener" | "closer" | "dateline" | "signed" | "byline"
        | "div" | "quote" | "docTitle" | "lg" | "sp" => Role::Block,
        _ => Role::Inline,
    }
}

fn tei_state(name: &str, tag: &Tag<'_>, paper: &mut Paper) {
    match name {
        "TEI" => tag.attribute("lang").into_iter().for_each(|lang| state(paper, Field::Lang, &lang)),
        "licence" => tag.attribute("target").into_iter().for_each(|licence| state(paper, Field::Licence, &licence)),
        "date" => tag.attribute("when").into_iter().for_each(|date| state(paper, Field::Published, &date)),
        _ => {}
    }
}

/// Akoma Ntoso: laws, bills and debates.
pub(super) const AKOMA_NTOSO: Style = Style { role: akoma_role, state: akoma_state, rigour: Rigour::Xml };

fn akoma_role(name: &str, _: &Tag<'_>, _: Role) -> Role {
    match name {
        "meta" => Role::Head,
        "authorialNote" | "noteRef" | "remark" | "recordedTime" | "components" => Role::Dropped,
        "docTitle" => Role::InlineTitle,
        "num" => Role::Label,
        "tr" => Role::Row,
        "td" | "th" => Role::Cell,
        "eol" | "br" => Role::Space,
        "p" | "heading" | "subheading" | "block" | "li" | "item" | "longTitle" | "from" | "crossHeading" | "listIntroduction"
        | "listWrapUp" | "formula" | "blockList" | "article" | "paragraph" | "point" | "speech" => Role::Block,
        _ => Role::Inline,
    }
}

fn akoma_state(name: &str, tag: &Tag<'_>, paper: &mut Paper) {
    let (attribute, field) = match name {
        "FRBRdate" => ("date", Field::Published),
        "FRBRlanguage" => ("language", Field::Lang),
        "FRBRthis" | "FRBRuri" => ("value", Field::Url),
        "FRBRalias" => ("value", Field::Title),
        _ => return,
    };
    if let Some(value) = tag.attribute(attribute)
        && (field != Field::Url || value.contains("://"))
    {
        state(paper, field, &value);
    }
}

/// Formex 4, in which the Publications Office keeps the Official Journal.
pub(super) const FORMEX: Style = Style { role: formex_role, state: formex_state, rigour: Rigour::Xml };

fn formex_role(name: &str, tag: &Tag<'_>, _: Role) -> Role {
    match name {
        // What the laws that changed this one are called.
        "GR.MOD.ACT" | "MOD.ACT" => Role::Dropped,
        "INFO.CONSLEG" | "FAM.COMP" => Role::Head,
        _ if name.starts_with("BIB.") => Role::Head,
        "LG.DOC" => Role::Stated(Field::Lang),
        "NO.CELEX" => Role::Stated(Field::Celex),
        "NOTE" | "GR.NOTES" | "INCL.ELEMENT" => Role::Dropped,
        "TITLE" => Role::Title,
        "NO.P" | "NO.PARAG" | "NO.POINT" => Role::Label,
        "ROW" => Role::Row,
        "CELL" => Role::Cell,
        "QUOT.START" | "QUOT.END" => {
            let code = tag.attribute("CODE").and_then(|code| char::from_u32(u32::from_str_radix(&code, 16).ok()?));
            code.map_or(Role::Inline, Role::Sign)
        }
        "P" | "TI" | "STI" | "TI.ART" | "STI.ART" | "ALINEA" | "TXT" | "NP" | "ITEM" | "VISA" | "CONSID" | "ARTICLE" | "PARAG"
        | "INTRO" | "SIGNATORY" | "PL.DATE" | "GR.SEQ" | "FINAL" => Role::Block,
        _ => Role::Inline,
    }
}

fn formex_state(name: &str, tag: &Tag<'_>, paper: &mut Paper) {
    if name == "DATE"
        && let Some(date) = tag.attribute("ISO")
    {
        state(paper, Field::Published, &dashed(&date));
    }
}

/// A date of eight digits with its dashes.
fn dashed(date: &str) -> String {
    if date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit()) {
        format!("{}-{}-{}", &date[..4], &date[4..6], &date[6..])
    } else {
        date.to_owned()
    }
}

/// Chapters of e-books and other strict HTML.
pub(super) const XHTML: Style = Style { role: xhtml_role, state: xhtml_state, rigour: Rigour::Html };

fn xhtml_role(name: &str, tag: &Tag<'_>, _: Role) -> Role {
    if let "p" | "div" | "a" | "span" = name
        && let Some(role) = eurlex::role(tag)
    {
        return role;
    }
    match name {
        "head" => Role::Head,
        "title" => Role::Stated(Field::Title),
        "script" | "style" | "nav" | "svg" | "template" | "math" => Role::Dropped,
        "br" => Role::Break,
        "tr" => Role::Row,
        "td" | "th" => Role::Cell,
        "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "li" | "blockquote" | "div" | "section" | "pre" | "dt" | "dd" | "hr"
        | "caption" | "figcaption" | "table" | "ul" | "ol" => Role::Block,
        _ => Role::Inline,
    }
}

fn xhtml_state(name: &str, tag: &Tag<'_>, paper: &mut Paper) {
    match name {
        "html" => tag.attribute("lang").into_iter().for_each(|lang| state(paper, Field::Lang, &lang)),
        "meta" => {
            if let (Some(known), Some(value)) = (tag.attribute("name").as_deref().and_then(policy), tag.attribute("content")) {
                paper.policies.push((known.to_owned(), value.trim().to_owned()));
            }
            eurlex::state_of_meta(tag, paper);
        }
        _ => {}
    }
}

/// The header that says the same as a property of TDMRep.
pub(super) fn policy(name: &str) -> Option<&'static str> {
    match name.trim().to_ascii_lowercase().as_str() {
        "tdm-reservation" | "tdm:reservation" => Some("tdm-reservation"),
        "tdm-policy" | "tdm:policy" => Some("tdm-policy"),
        _ => None,
    }
}

/// The text of an OpenDocument file.
pub(super) const OPEN_DOCUMENT: Style = Style { role: open_document_role, state: no_state, rigour: Rigour::Xml };

fn open_document_role(name: &str, _: &Tag<'_>, _: Role) -> Role {
    match name {
        "annotation" | "note" | "tracked-changes" | "scripts" | "font-face-decls" | "automatic-styles" | "sequence-decls" | "forms" => {
            Role::Dropped
        }
        "p" | "h" | "list-item" => Role::Block,
        "s" | "tab" => Role::Space,
        "line-break" => Role::Break,
        "table-row" => Role::Row,
        "table-cell" => Role::Cell,
        _ => Role::Inline,
    }
}

/// The body of a DOCX file. What Word writes twice for older readers (`Fallback`) is read once.
pub(super) const WORD: Style = Style { role: word_role, state: no_state, rigour: Rigour::Xml };

fn word_role(name: &str, _: &Tag<'_>, _: Role) -> Role {
    match name {
        "p" => Role::Block,
        "instrText" | "delText" | "del" | "moveFrom" | "Fallback" => Role::Dropped,
        "tab" => Role::Space,
        "br" | "cr" => Role::Break,
        "tr" => Role::Row,
        "tc" => Role::Cell,
        _ => Role::Inline,
    }
}

fn no_state(_: &str, _: &Tag<'_>, _: &mut Paper) {}

/// Dublin Core and its like, in OPF packages, `meta.xml` and `core.xml`: all of it is head.
pub(super) const METADATA: Style = Style { role: metadata_role, state: metadata_state, rigour: Rigour::Xml };

fn metadata_role(name: &str, tag: &Tag<'_>, parent: Role) -> Role {
    match name {
        "package" | "document-meta" | "coreProperties" | "RDF" | "xmpmeta" => Role::Head,
        _ if parent != Role::Head => Role::Dropped,
        "meta" if tag.attribute("property").as_deref().and_then(policy).is_some() => {
            Role::Stated(Field::Policy(tag.attribute("property").as_deref().and_then(policy).unwrap_or("tdm-policy")))
        }
        "reservation" => Role::Stated(Field::Policy("tdm-reservation")),
        "policy" => Role::Stated(Field::Policy("tdm-policy")),
        "title" => Role::Stated(Field::Title),
        "creator" => Role::Stated(Field::Author),
        "language" => Role::Stated(Field::Lang),
        "date" if tag.attribute("event").is_none() => Role::Stated(Field::Published),
        "rights" | "license" => Role::Stated(Field::Licence),
        "source" => Role::Stated(Field::Url),
        _ => Role::Head,
    }
}

fn metadata_state(name: &str, tag: &Tag<'_>, paper: &mut Paper) {
    // XMP has properties as attributes too.
    for attribute in ["reservation", "policy"] {
        if name == "Description"
            && let (Some(known), Some(value)) = (policy(&format!("tdm:{attribute}")), tag.attribute(attribute))
        {
            paper.policies.push((known.to_owned(), value.trim().to_owned()));
        }
    }
    // EPUB 2 has a property in two attributes.
    if name == "meta"
        && let (Some(known), Some(value)) = (tag.attribute("name").as_deref().and_then(policy), tag.attribute("content"))
    {
        paper.policies.push((known.to_owned(), value.trim().to_owned()));
    }
}
