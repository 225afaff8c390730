//! The elements that extraction tells apart, and what each does to the flow of text.

/// An element's kind. Elements that act alike share a kind: `center` is a `Div`, all of `span`, `em`, `font` are `Inline`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Tag {
    Html,
    Head,
    Body,
    Title,
    Meta,
    Link,
    Div,
    Section,
    Article,
    Main,
    Nav,
    Aside,
    Footer,
    Header,
    Form,
    P,
    Ul,
    Ol,
    Li,
    Dl,
    Dt,
    Dd,
    Table,
    Caption,
    TableSection,
    Tr,
    Td,
    Th,
    H1,
    H2,
    H3,
    H4,
    H5,
    H6,
    Blockquote,
    Pre,
    Figure,
    Figcaption,
    Details,
    Summary,
    Address,
    Dialog,
    Button,
    Label,
    Custom,
    Hr,
    Br,
    A,
    Inline,
    /// No text of its own, but a gap between words: `img`, `input`.
    Gap,
    /// Without any effect: `wbr`, `col`, `source`.
    Void,
    /// Raw text up to its end tag, never shown as text.
    Raw,
    /// An element whose content is markup that is not text of the page: `template`, `select`, `video`.
    Template,
    Svg,
    Select,
    Media,
}

impl Tag {
    /// The kind of an element by its name, in any case.
    pub(super) fn of(name: &[u8]) -> Tag {
        let mut lower = [0u8; 10];
        let Some(place) = lower.get_mut(..name.len()) else {
            return if name.contains(&b'-') { Tag::Custom } else { Tag::other(name) };
        };
        place.copy_from_slice(name);
        place.make_ascii_lowercase();
        match &*place {
            b"div" | b"center" => Tag::Div,
            b"a" => Tag::A,
            b"p" => Tag::P,
            b"li" => Tag::Li,
            b"ul" | b"menu" | b"dir" => Tag::Ul,
            b"ol" => Tag::Ol,
            b"br" => Tag::Br,
            b"td" => Tag::Td,
            b"tr" => Tag::Tr,
            b"th" => Tag::Th,
            b"h1" => Tag::H1,
            b"h2" => Tag::H2,
            b"h3" => Tag::H3,
            b"h4" => Tag::H4,
            b"h5" => Tag::H5,
            b"h6" => Tag::H6,
            b"hr" => Tag::Hr,
            b"dl" => Tag::Dl,
            b"dt" => Tag::Dt,
            b"dd" => Tag::Dd,
            b"svg" => Tag::Svg,
            b"nav" => Tag::Nav,
            b"pre" | b"listing" => Tag::Pre,
            b"img" | b"input" | b"image" => Tag::Gap,
            b"wbr" | b"col" | b"source" | b"track" | b"param" | b"area" | b"base" | b"embed" => Tag::Void,
            b"html" => Tag::Html,
            b"head" => Tag::Head,
            b"body" => Tag::Body,
            b"meta" => Tag::Meta,
            b"link" => Tag::Link,
            b"main" => Tag::Main,
            b"form" => Tag::Form,
            b"table" => Tag::Table,
            b"tbody" | b"thead" | b"tfoot" => Tag::TableSection,
            b"title" => Tag::Title,
            b"style" | b"script" | b"noscript" | b"iframe" | b"noframes" | b"noembed" | b"textarea" | b"xmp" => Tag::Raw,
            b"template" => Tag::Template,
            b"select" | b"datalist" => Tag::Select,
            b"video" | b"audio" | b"canvas" => Tag::Media,
            b"aside" => Tag::Aside,
            b"label" => Tag::Label,
            b"button" => Tag::Button,
            b"header" => Tag::Header,
            b"footer" => Tag::Footer,
            b"figure" => Tag::Figure,
            b"dialog" => Tag::Dialog,
            b"section" | b"hgroup" | b"search" => Tag::Section,
            b"article" => Tag::Article,
            b"caption" => Tag::Caption,
            b"details" => Tag::Details,
            b"summary" => Tag::Summary,
            b"address" => Tag::Address,
            b"fieldset" => Tag::Div,
            b"legend" => Tag::Label,
            b"figcaption" => Tag::Figcaption,
            b"blockquote" => Tag::Blockquote,
            other => Tag::other(other),
        }
    }

    fn other(name: &[u8]) -> Tag {
        if name.contains(&b'-') { Tag::Custom } else { Tag::Inline }
    }

    /// Whether the element stands in the tree and breaks the line before and after it.
    pub(super) fn is_block(self) -> bool {
        (self as u8) >= Tag::Div as u8 && (self as u8) <= Tag::Custom as u8
    }

    /// Whether its start ends an open paragraph (HTML 13.2.6.4.7).
    pub(super) fn ends_paragraph(self) -> bool {
        self.is_block() && !matches!(self, Tag::Button | Tag::Label | Tag::Custom | Tag::Td | Tag::Th | Tag::Tr | Tag::TableSection)
    }

    /// Whether an end tag outside may not reach through it (HTML 13.2.4.2, "in scope").
    pub(super) fn bounds_scope(self) -> bool {
        matches!(self, Tag::Table | Tag::Td | Tag::Th | Tag::Caption)
    }

    /// The level of a heading, 1 to 6.
    pub(super) fn heading(self) -> Option<u8> {
        let level = (self as u8).wrapping_sub(Tag::H1 as u8);
        (level < 6).then(|| level + 1)
    }

    /// Whether it is a cell of a table.
    pub(super) fn is_cell(self) -> bool {
        matches!(self, Tag::Td | Tag::Th)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_in_any_case_and_unknown_ones_are_inline() {
        assert_eq!(Tag::of(b"DIV"), Tag::Div);
        assert_eq!(Tag::of(b"blockQuote"), Tag::Blockquote);
        assert_eq!(Tag::of(b"shreddit-comment-tree"), Tag::Custom);
        assert_eq!(Tag::of(b"x-y"), Tag::Custom);
        assert_eq!(Tag::of(b"blink"), Tag::Inline);
        assert_eq!(Tag::of(b"abbreviations"), Tag::Inline);
    }

    #[test]
    fn headings_know_their_level() {
        assert_eq!(Tag::H1.heading(), Some(1));
        assert_eq!(Tag::H6.heading(), Some(6));
        assert_eq!(Tag::P.heading(), None);
    }
}
