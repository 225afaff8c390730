//! Stage `extract`: from markup to the main content as plain text, with the title, language and licence that the page states.
//!
//! Three steps, each linear in the page's bytes. [`tokens`] and [`builder`] make one pass over the markup and leave a flat list of
//! block elements and of blocks of text, no DOM. [`judge`] decides for each block whether it is content. [`render`] writes the kept
//! blocks as lines. Depth and number of elements are bounded, for tree builders are quadratic on nested lists.

mod builder;
mod clean;
mod entities;
mod hints;
mod judge;
mod measure;
mod render;
mod stated;
mod tag;
mod tokens;
mod tree;

use schemars::JsonSchema;
use serde::Deserialize;

use self::builder::{Limits, build};
pub use self::render::Format;
use self::tree::Page;
use crate::doc::Document;
use crate::size::ByteSize;
use crate::stage::{Field, Room, Stage, Verdict};

/// The room.
pub const ROOM: Room = Room {
    name: "extract",
    summary: "main content of a page as plain text, with title, language and licence as stated",
    reasons: &["no-text", "too-many-nodes"],
    signals: &[],
    needs: &[],
    gives: &[Field::Text],
    schema: || schemars::schema_for!(Extract),
    build: |settings, _| Ok(Box::new(Extract::deserialize(settings)?)),
};

/// Settings of the stage.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Extract {
    /// The form of the text: `text` or `markdown`.
    pub format: Format,
    /// Shorter texts fall as `no-text`.
    pub text_bytes_min: ByteSize,
    /// Longer texts are cut here, at the end of a line.
    pub text_bytes_max: ByteSize,
    /// Pages with more elements or blocks fall as `too-many-nodes`.
    pub nodes_max: usize,
    /// Elements nested deeper are read as text of the element at this depth.
    pub depth_max: usize,
}

impl Default for Extract {
    fn default() -> Extract {
        Extract { format: Format::Text, text_bytes_min: ByteSize(1), text_bytes_max: ByteSize::mib(4), nodes_max: 500_000, depth_max: 512 }
    }
}

impl Stage for Extract {
    fn judge(&self, doc: &mut Document) -> Verdict {
        let html = std::mem::take(&mut doc.html);
        if html.is_empty() {
            let mut text = String::with_capacity(doc.text.len());
            clean::clean_into(&doc.text, false, &mut text);
            doc.text = clean::nfc(text).trim().to_owned();
        } else {
            let limits = Limits { nodes_max: self.nodes_max, depth_max: self.depth_max };
            let page = match build(&html, limits) {
                Ok(page) => page,
                Err(many) => return Verdict::broke("too-many-nodes", many.0 as f32, self.nodes_max as f32),
            };
            self.fill(&page, doc);
        }
        cut(&mut doc.text, self.text_bytes_max.as_usize());
        if doc.text.is_empty() || (doc.text.len() as u64) < self.text_bytes_min.0 {
            return Verdict::broke("no-text", doc.text.len() as f32, self.text_bytes_min.0 as f32);
        }
        Verdict::Keep
    }
}

impl Extract {
    /// Writes what was found in `page` into `doc`.
    fn fill(&self, page: &Page, doc: &mut Document) {
        let keep = judge::judge(page);
        doc.text = render::render(page, &keep, self.format).trim().to_owned();
        let heading = page.blocks.iter().find(|block| page.nodes[block.node as usize].tag.heading() == Some(1));
        doc.title = page.stated.best_title(heading.map(|block| page.text_of(block))).or(doc.title.take());
        let lang = page.stated.html_lang.as_ref().or(page.stated.meta_lang.as_ref()).filter(|lang| !lang.trim().is_empty());
        doc.declared_lang = lang.map(|lang| lang.trim().to_owned()).or(doc.declared_lang.take());
        doc.licence = page.stated.licence_at(&doc.url).or(doc.licence.take());
    }
}

/// Cuts `text` behind the last whole line within `bytes_max`, or behind the last whole character.
fn cut(text: &mut String, bytes_max: usize) {
    if text.len() <= bytes_max {
        return;
    }
    let within = &text[..text.floor_char_boundary(bytes_max)];
    let end = within.rfind('\n').unwrap_or(within.len());
    text.truncate(end);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extracted(html: &str) -> Document {
        let mut doc = Document { html: html.to_owned(), url: "https://www.example.fi/a/".to_owned(), ..Document::default() };
        assert_eq!(Extract::default().judge(&mut doc), Verdict::Keep, "{html}");
        doc
    }

    #[track_caller]
    fn check(html: &str, want: &str) {
        assert_eq!(extracted(html).text, want);
    }

    const PROSE: &str =
        "Kirjasto avaa uuden lukusalin maanantaina, ja kaikki saaren asukkaat ovat tervetulleita tutustumaan siihen koko viikon ajan.";

    #[test]
    fn menus_footers_and_banners_fall_and_the_article_stays() {
        let html = format!(
            "<body><nav><a href=/>Etusivu</a> <a href=/u>Uutiset</a></nav><main><h1>Lukusali</h1><p>{PROSE}</p></main>\
             <div class=cookie-consent><p>Käytämme evästeitä, jotta sivusto toimii.</p></div><footer>© Saaren kirjasto</footer></body>"
        );
        check(&html, &format!("Lukusali\n{PROSE}"));
    }

    #[test]
    fn a_plain_small_page_comes_out_whole() {
        check(
            &format!("<html><head><title>t</title></head><body><h1>Otsikko</h1><p>{PROSE}</p><p>Tervetuloa!</p></body></html>"),
            &format!("Otsikko\n{PROSE}\nTervetuloa!"),
        );
        check("<p>Dobrý den", "Dobrý den");
    }

    #[test]
    fn hidden_elements_scripts_and_styles_are_no_text() {
        check(
            &format!(
                "<p>{PROSE}</p><p hidden>salaa</p><div style='display: none'>piilossa</div><script>let a = '<p>x</p>';</script><style>p{{}}</style>"
            ),
            PROSE,
        );
    }

    #[test]
    fn words_of_neighbouring_elements_are_not_glued_and_entities_are_decoded() {
        let doc = extracted("<div>Üks</div><div>kaks &amp; kolm<br>neli</div><table><tr><td>viis</td><td>kuus&shy;teist</td></tr></table>");
        let words: Vec<&str> = doc.text.split_whitespace().collect();
        assert_eq!(words, ["Üks", "kaks", "&", "kolm", "neli", "viis", "kuusteist"]);
    }

    #[test]
    fn title_language_and_licence_are_taken_as_stated() {
        let doc = extracted(&format!(
            "<html lang=fi><head><title>Lukusali | Saaren kirjasto</title><link rel=license href=https://creativecommons.org/licenses/by/4.0/></head><p>{PROSE}"
        ));
        assert_eq!(doc.declared_lang.as_deref(), Some("fi"));
        assert!(doc.title.is_some_and(|title| title.starts_with("Lukusali")));
        assert_eq!(doc.licence.as_deref(), Some("https://creativecommons.org/licenses/by/4.0/"));
    }

    #[test]
    fn a_page_sixty_thousand_elements_deep_takes_no_longer_than_it_must() {
        let html = format!("{}{PROSE}{}", "<div><ul><li>".repeat(20_000), "</li></ul></div>".repeat(20_000));
        check(&html, &format!("- {PROSE}"));
    }

    #[test]
    fn plain_text_goes_through_without_controls() {
        let mut doc = Document { text: " Laba\u{202e} diena\0. \n".to_owned(), ..Document::default() };
        assert_eq!(Extract::default().judge(&mut doc), Verdict::Keep);
        assert_eq!(doc.text, "Laba diena.");
    }

    #[test]
    fn a_page_without_text_falls() {
        let mut doc = Document { html: "<html><body><img src=a></body></html>".to_owned(), ..Document::default() };
        assert_eq!(Extract::default().judge(&mut doc), Verdict::broke("no-text", 0.0, 1.0));
    }

    #[test]
    fn a_long_text_is_cut_at_the_end_of_a_line() {
        let mut text = "viens divi\ntrīs četri".to_owned();
        cut(&mut text, 16);
        assert_eq!(text, "viens divi");
    }
}
