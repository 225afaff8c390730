//! Stage `extract`: from markup to the main content as plain text, with title, author, date, language, licence and address as stated.
//!
//! Four steps, each linear in the page's bytes. [`tokens`] and [`builder`] make one pass over the markup and leave a flat list of block
//! elements and of blocks of text, no DOM: that alone is what parsers with a DOM need most of their time for. [`features`] describes each
//! block by some two hundred bytes, [`judge`] lets a forest of small trees say how likely each block is content and chooses the blocks
//! with the best F-measure to be expected, [`render`] writes them as lines. Depth and number of elements are bounded, for tree builders
//! are quadratic on nested lists.
//!
//! *What is learned*: which blocks are content. The features are the ones that this field has found since 2001: link density (Finn,
//! Kushmerick, Smyth 2001; Gottron 2008), shallow text features of a block and its neighbours (boilerpipe: Kohlschuetter, Fankhauser,
//! Nejdl 2010; jusText: Pomikalek 2011), text density of subtrees (Sun, Song, Liao 2011), hints in names and schema.org's properties
//! (Readability, Trafilatura: Barbaresi 2021), learned as in Web2Text (Vogels and others 2018), without its neural nets. Features are of
//! markup, punctuation and counts; no word of any language is known, so a page in Maltese is judged as one in English.
//!
//! *What is a rule* ([`wanted`]): what the HTML standard says is not shown; what settings turn off or on.
//! `training/extract` makes the model; `docs/extraction.md` says how good it is.

mod builder;
mod clean;
mod describe;
mod entities;
mod features;
mod hints;
mod judge;
pub mod lesson;
mod linked;
mod measure;
mod render;
mod stated;
mod tag;
mod tokens;
mod tree;
mod trees;
mod wanted;

use schemars::JsonSchema;
use serde::Deserialize;

use self::builder::{Limits, build};
use self::features::Counted;
pub use self::judge::Favour;
pub use self::render::Format;
use self::tree::Page;
use crate::doc::Document;
use crate::size::ByteSize;
use crate::stage::{BuildError, Field, Room, Stage, Verdict};

/// The room.
pub const ROOM: Room = Room {
    name: "extract",
    summary: "main content of a page as plain text, with title, language and licence as stated",
    reasons: &["no-text", "no-main-content", "too-many-nodes"],
    signals: &[],
    needs: &[],
    gives: &[Field::Text],
    schema: || schemars::schema_for!(Extract),
    build: |settings, _| Extract::deserialize(settings)?.checked(),
};

/// Settings of the stage.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Extract {
    /// The form of the text: `text` or `markdown`.
    pub format: Format,
    /// What to favour where it is not clear what is content: `precision`, `balanced` or `recall`.
    pub favour: Favour,
    /// Whether links keep their addresses; in Markdown only.
    pub links: bool,
    /// Whether tables of data are kept.
    pub tables: bool,
    /// Whether comment sections are kept below what is commented on. Posts of a forum always are.
    pub comments: bool,
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
        Extract {
            format: Format::Text,
            favour: Favour::Balanced,
            links: false,
            tables: true,
            comments: false,
            text_bytes_min: ByteSize(1),
            text_bytes_max: ByteSize::mib(4),
            nodes_max: 500_000,
            depth_max: 512,
        }
    }
}

impl Stage for Extract {
    fn judge(&self, doc: &mut Document) -> Verdict {
        let html = std::mem::take(&mut doc.html);
        let mut longest = self.text_bytes_max.as_usize();
        if html.is_empty() {
            let mut text = String::with_capacity(doc.text.len());
            clean::clean_into(&doc.text, false, &mut text);
            doc.text = clean::nfc(text).trim().to_owned();
        } else {
            longest = longest.min(html.len());
            let limits = Limits { links: self.links, nodes_max: self.nodes_max, depth_max: self.depth_max };
            let page = match build(&html, limits) {
                Ok(page) => page,
                Err(many) => return Verdict::broke("too-many-nodes", many.0 as f32, self.nodes_max as f32),
            };
            self.fill(&page, doc);
            if doc.text.is_empty() && !page.blocks.is_empty() {
                return Verdict::drop("no-main-content");
            }
        }
        cut(&mut doc.text, longest);
        if doc.text.is_empty() || (doc.text.len() as u64) < self.text_bytes_min.0 {
            return Verdict::broke("no-text", doc.text.len() as f32, self.text_bytes_min.0 as f32);
        }
        Verdict::Keep
    }
}

/// All text of the page `html`, whatever of it is content, in the form that the stage writes by default; `None` if it has more elements than
/// the stage takes by default.
#[must_use]
pub fn whole_text(html: &str) -> Option<String> {
    let Extract { nodes_max, depth_max, .. } = Extract::default();
    let page = build(html, Limits { links: false, nodes_max, depth_max }).ok()?;
    Some(render::render(&page, &vec![true; page.blocks.len()], Format::Text))
}

impl Extract {
    fn checked(self) -> Result<Box<dyn Stage>, BuildError> {
        if self.links && self.format == Format::Text {
            return Err(BuildError::Contradiction(
                "`links = true` needs `format = \"markdown\"`: plain text has no place for addresses".to_owned(),
            ));
        }
        Ok(Box::new(self))
    }

    /// Writes what was found in `page` into `doc`.
    fn fill(&self, page: &Page, doc: &mut Document) {
        let keep = self.keep(page, &doc.url);
        doc.text = render::render(page, &keep, self.format).trim().to_owned();
        let stated = &page.stated;
        let heading = page.blocks.iter().find(|block| page.nodes[block.node as usize].tag.heading() == Some(1));
        doc.title = stated.best_title(heading.map(|block| page.text_of(block))).or(doc.title.take());
        doc.author = stated.clean_author().or(doc.author.take());
        doc.published = stated.clean_date().or(doc.published.take());
        doc.canonical = stated.canonical_at(&doc.url).or(doc.canonical.take());
        let lang = stated.html_lang.as_ref().or(stated.meta_lang.as_ref()).filter(|lang| !lang.trim().is_empty());
        doc.declared_lang = lang.map(|lang| lang.trim().to_owned()).or(doc.declared_lang.take());
        doc.licence = stated.licence_at(&doc.url).or(doc.licence.take());
    }

    /// Which blocks are kept.
    fn keep(&self, page: &Page, url: &str) -> Vec<bool> {
        let counted = Counted::of(page);
        let mut keep = judge::choose(&counted, &judge::judge(&counted, url), self.favour);
        if self.comments {
            wanted::keep_comments(&counted, &mut keep);
        }
        if !self.tables {
            wanted::drop_tables(&counted, &mut keep);
        }
        wanted::drop_hidden(&counted, &mut keep);
        wanted::drop_teasers(&counted, &mut keep);
        keep
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

    #[test]
    fn what_is_stated_is_taken_over() {
        let doc = extracted(&format!(
            "<head><meta name=author content='Aino Saari'><meta property=article:published_time content=2024-03-01T08:00:00+02:00>\
             <link rel=canonical href=/lukusali></head><h1>Lukusali</h1><p>{PROSE}</p>"
        ));
        assert_eq!(doc.author.as_deref(), Some("Aino Saari"));
        assert_eq!(doc.published.as_deref(), Some("2024-03-01T08:00:00+02:00"));
        assert_eq!(doc.canonical.as_deref(), Some("https://www.example.fi/lukusali"));
    }

    #[test]
    fn a_page_of_menus_has_no_main_content() {
        let links: String = (0..60).map(|at| format!("<li><a href=/{at}>Osasto {at}</a></li>")).collect();
        let html =
            format!("<body><nav><ul>{links}</ul></nav><footer><a href=/t>Tietosuoja</a> <a href=/y>Yhteystiedot</a></footer></body>");
        let mut doc = Document { html, ..Document::default() };
        assert_eq!(Extract::default().judge(&mut doc), Verdict::drop("no-main-content"));
        assert_eq!(doc.text, "");
    }

    #[test]
    fn text_is_never_longer_than_its_markup() {
        let html = "<h6>a".repeat(200);
        let mut doc = Document { html: html.clone(), ..Document::default() };
        let stage = Extract { format: Format::Markdown, ..Extract::default() };
        assert_eq!(stage.judge(&mut doc), Verdict::Keep);
        assert!(doc.text.len() <= html.len(), "{}", doc.text.len());
    }

    #[test]
    fn links_keep_their_addresses_if_that_is_wanted() {
        let stage = Extract { format: Format::Markdown, links: true, ..Extract::default() };
        let mut doc = Document { html: "<p>Lisää <a href='/saari'> saaresta </a>täällä.</p>".to_owned(), ..Document::default() };
        assert_eq!(stage.judge(&mut doc), Verdict::Keep);
        assert_eq!(doc.text, "Lisää [saaresta](/saari) täällä.");
        assert!(Extract { links: true, ..Extract::default() }.checked().is_err());
    }

    #[test]
    fn tables_of_data_can_be_left_out() {
        let stage = Extract { tables: false, ..Extract::default() };
        let html = format!("<p>{PROSE}</p><table><tr><th>Päivä<th>Aika<tr><td>Maanantai<td>9-17<tr><td>Tiistai<td>10-18</table>");
        let mut doc = Document { html, ..Document::default() };
        assert_eq!(stage.judge(&mut doc), Verdict::Keep);
        assert_eq!(doc.text, PROSE);
    }

    #[test]
    fn comments_are_kept_if_that_is_wanted() {
        let comment = "Olipa mukava kuulla, että lukusali vihdoin avataan uudelleen tänä keväänä.";
        let html = format!(
            "<article><p>{PROSE}</p><p>{PROSE} Uudestaan.</p></article><div class=comments><div class=comment><p>{comment}</p></div></div>"
        );
        let stage = Extract { comments: true, ..Extract::default() };
        let mut doc = Document { html, ..Document::default() };
        assert_eq!(stage.judge(&mut doc), Verdict::Keep);
        assert!(doc.text.ends_with(comment), "{}", doc.text);
    }

    const PROSE: &str =
        "Kirjasto avaa uuden lukusalin maanantaina, ja kaikki saaren asukkaat ovat tervetulleita tutustumaan siihen koko viikon ajan.";

    #[test]
    fn menus_footers_and_banners_fall_and_the_article_stays() {
        let html = format!(
            "<body><nav><ul><li><a href=/>Etusivu</a><li><a href=/u>Uutiset</a></ul></nav><main><p>{PROSE}</p><p>{PROSE} Uudestaan.</p></main>\
             <div class=cookie-consent><p>Käytämme evästeitä, jotta sivusto toimii.</p></div><footer><p>© Saaren kirjasto</p></footer></body>"
        );
        check(&html, &format!("{PROSE}\n{PROSE} Uudestaan."));
    }

    #[test]
    fn teasers_that_the_page_cut_off_fall_beside_an_article_and_stay_where_they_are_all() {
        let teaser = |number: u8| {
            format!(
                "<div class=card><h3><a href=/{number}>Saaren uusi laituri {number}</a></h3><p>Laiturin rakentaminen alkoi viime syksynä, kun jäät …</p></div>"
            )
        };
        let cards = [1, 2, 3].map(teaser).concat();
        let article = format!(
            "<div class=entry-content><h2>Lukusali</h2><p>{PROSE}</p><p>{PROSE} Se oli hyvä uutinen.</p><p>Niin he sanoivat: {PROSE}</p></div>"
        );
        assert!(!extracted(&format!("<body><div class=page>{cards}{article}</div></body>")).text.contains("jäät"));
        assert!(extracted(&format!("<body><div class=page>{cards}</div></body>")).text.contains("jäät"));
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
