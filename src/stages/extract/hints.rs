//! What an element says of itself in its name, role, class and id, as a set of hints.
//!
//! Class names are a vocabulary of markup: pages in every language use the same English stems, so they are read here and words
//! of the text never are. A stem counts only at the beginning of a word (`nav` in `main-nav`, `navBar`, not in `canvas`). The
//! families follow the ones that Readability, boilerpipe, Trafilatura and resiliparse weigh; here they decide nothing alone, they are features.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::tag::Tag;

/// A set of hints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Hints(pub(super) u64);

impl Hints {
    pub(super) const ARTICLE: Hints = Hints(1);
    pub(super) const MAIN: Hints = Hints(1 << 1);
    pub(super) const NAV: Hints = Hints(1 << 2);
    pub(super) const ASIDE: Hints = Hints(1 << 3);
    pub(super) const FOOTER: Hints = Hints(1 << 4);
    pub(super) const HEADER: Hints = Hints(1 << 5);
    pub(super) const FORM: Hints = Hints(1 << 6);
    pub(super) const TABLE: Hints = Hints(1 << 7);
    pub(super) const LIST: Hints = Hints(1 << 8);
    pub(super) const QUOTE: Hints = Hints(1 << 9);
    pub(super) const FIGURE: Hints = Hints(1 << 10);
    pub(super) const DETAILS: Hints = Hints(1 << 11);
    pub(super) const DIALOG: Hints = Hints(1 << 12);
    pub(super) const BUTTON: Hints = Hints(1 << 13);
    pub(super) const ADDRESS: Hints = Hints(1 << 14);
    /// Not shown: attribute `hidden`, or a style that says so.
    pub(super) const HIDDEN: Hints = Hints(1 << 15);
    /// Kept from screen readers: `aria-hidden`.
    pub(super) const ARIA_HIDDEN: Hints = Hints(1 << 16);
    /// schema.org's text properties: `articleBody`, `text`, `description`, ..
    pub(super) const BODY_PROPERTY: Hints = Hints(1 << 17);
    pub(super) const COMMENT: Hints = Hints(1 << 20);
    pub(super) const CONSENT: Hints = Hints(1 << 27);

    pub(super) fn has(self, other: Hints) -> bool {
        self.0 & other.0 != 0
    }

    pub(super) fn and(self, other: Hints) -> Hints {
        Hints(self.0 | other.0)
    }

    /// What the element's name says.
    pub(super) fn of_tag(tag: Tag) -> Hints {
        match tag {
            Tag::Article => Hints::ARTICLE,
            Tag::Main => Hints::MAIN,
            Tag::Nav => Hints::NAV,
            Tag::Aside => Hints::ASIDE,
            Tag::Footer => Hints::FOOTER,
            Tag::Header => Hints::HEADER,
            Tag::Form => Hints::FORM,
            Tag::Table => Hints::TABLE,
            Tag::Ul | Tag::Ol | Tag::Dl => Hints::LIST,
            Tag::Blockquote => Hints::QUOTE,
            Tag::Figure | Tag::Figcaption => Hints::FIGURE,
            Tag::Details | Tag::Summary => Hints::DETAILS,
            Tag::Dialog => Hints::DIALOG,
            Tag::Button | Tag::Label => Hints::BUTTON,
            Tag::Address => Hints::ADDRESS,
            _ => Hints::default(),
        }
    }

    /// What its ARIA role says.
    pub(super) fn of_role(role: &str) -> Hints {
        match role {
            "main" => Hints::MAIN,
            "article" => Hints::ARTICLE,
            "navigation" | "menu" | "menubar" | "tablist" | "menuitem" => Hints::NAV,
            "complementary" => Hints::ASIDE,
            "banner" => Hints::HEADER,
            "contentinfo" => Hints::FOOTER,
            "dialog" | "alertdialog" => Hints::DIALOG,
            "search" | "form" => Hints::FORM,
            "button" => Hints::BUTTON,
            _ => Hints::default(),
        }
    }

    /// What its schema.org property says.
    pub(super) fn of_property(property: &str) -> Hints {
        match property {
            "articleBody" | "text" | "description" | "reviewBody" | "mainContentOfPage" | "acceptedAnswer" => Hints::BODY_PROPERTY,
            "comment" => Hints::COMMENT,
            "author" | "datePublished" | "dateModified" => Hints(1 << 29),
            _ => Hints::default(),
        }
    }

    /// What its class or id says.
    pub(super) fn of_names(names: &str) -> Hints {
        let bytes = names.as_bytes();
        let mut found = 0;
        for stem in STEMS.find_overlapping_iter(names) {
            let begins = match stem.start().checked_sub(1).map(|before| bytes[before]) {
                None => true,
                Some(before) => !before.is_ascii_alphabetic() || (before.is_ascii_lowercase() && bytes[stem.start()].is_ascii_uppercase()),
            };
            if begins {
                found |= FAMILY_OF_STEM[stem.pattern().as_usize()];
            }
        }
        Hints(found)
    }
}

/// Families of stems, each with its bit.
const FAMILIES: &[(u32, &[&str])] = &[
    (18, &["content", "maincontent", "main", "primary", "contenu", "inhalt", "center"]),
    (19, &["article", "entry", "story", "blog", "news", "post"]),
    (20, &["comment", "disqus", "respond", "kommentar", "discussion"]),
    (21, &["share", "sharing", "social", "follow", "addthis", "facebook", "twitter", "sns"]),
    (22, &["nav", "menu", "breadcrumb", "crumb", "toolbar", "topbar", "submenu", "mainnav", "mainmenu"]),
    (23, &["side", "aside", "rail", "secondary", "rightcol", "leftcol"]),
    (24, &["foot", "bottom", "colophon", "imprint"]),
    (25, &["header", "masthead", "top", "logo", "hero"]),
    (26, &["ad", "ads", "advert", "adv", "sponsor", "promo", "banner", "teaser", "dfp", "outbrain", "taboola", "cta"]),
    (27, &["cookie", "consent", "gdpr", "onetrust", "cmp", "privacy", "cookiebar"]),
    (28, &["newsletter", "subscri", "signup", "login", "signin", "register", "paywall", "optin", "donate", "account"]),
    (29, &["author", "byline", "date", "time", "meta", "posted", "publish", "dateline", "info"]),
    (30, &["tag", "tags", "categor", "topic", "keyword", "label", "badge"]),
    (31, &["caption", "credit", "gallery", "image", "photo", "img", "slider", "carousel", "media", "video", "swiper"]),
    (32, &["pagination", "pager", "next", "prev", "page-numbers", "paging"]),
    (33, &["widget", "module", "portlet", "box"]),
    (34, &["price", "product", "cart", "sku", "shop", "buy", "stock", "variant", "spec"]),
    (35, &["toc", "table-of-contents", "contents", "index", "outline"]),
    (36, &["title", "headline", "heading", "subtitle"]),
    (37, &["lead", "intro", "summary", "excerpt", "desc", "dek", "standfirst", "abstract", "overview", "about"]),
    (38, &["modal", "popup", "popover", "overlay", "lightbox", "tooltip", "dropdown", "drawer", "offcanvas", "flyout", "mega"]),
    (
        39,
        &[
            "sr-only",
            "screen-reader",
            "visually-hidden",
            "visuallyhidden",
            "skip",
            "noprint",
            "hidden",
            "hide",
            "invisible",
            "print",
            "d-none",
            "a11y",
        ],
    ),
    (40, &["avatar", "user", "profile", "signature", "member", "bio", "poster", "sig"]),
    (41, &["edit", "action", "btn", "button", "vote", "rating", "control", "tool", "filter", "sort", "search"]),
    (42, &["copyright", "legal", "disclaimer", "terms", "license"]),
    (43, &["reference", "footnote", "infobox", "navbox", "reflist", "catlinks", "mw-", "hatnote", "metadata"]),
    (44, &["code", "highlight", "syntax", "snippet", "prettyprint"]),
    (45, &["tab", "accordion", "collaps", "faq", "panel", "toggle", "expand"]),
    (
        46,
        &[
            "related",
            "recommend",
            "popular",
            "trending",
            "latest",
            "recent",
            "similar",
            "more",
            "readmore",
            "also",
            "upsell",
            "recirc",
            "most",
        ],
    ),
    (
        47,
        &[
            "text",
            "body",
            "copy",
            "paragraph",
            "richtext",
            "rte",
            "rich",
            "markdown",
            "prose",
            "wysiwyg",
            "articlebody",
            "postbody",
            "field--name-body",
        ],
    ),
    (48, &["message", "thread", "reply", "topic-body", "question", "answer", "forum", "postbody", "msg", "review", "bbcode"]),
    (49, &["card", "grid", "list", "item", "row", "tile", "feed", "result", "archive", "loop"]),
];

static FAMILY_OF_STEM: LazyLock<Vec<u64>> =
    LazyLock::new(|| FAMILIES.iter().flat_map(|(bit, stems)| stems.iter().map(move |_| 1 << bit)).collect());

static STEMS: LazyLock<AhoCorasick> = LazyLock::new(|| {
    AhoCorasick::builder()
        .kind(Some(AhoCorasickKind::DFA))
        .match_kind(MatchKind::Standard)
        .ascii_case_insensitive(true)
        .build(FAMILIES.iter().flat_map(|(_, stems)| stems.iter()))
        .expect("a few hundred short stems make a small automaton")
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stems_count_at_the_beginning_of_words_only() {
        assert!(Hints::of_names("site-Comments").has(Hints::COMMENT));
        assert!(Hints::of_names("cookieBanner").has(Hints::CONSENT));
        assert_eq!(Hints::of_names("canvas xcomment"), Hints::default());
    }
}
