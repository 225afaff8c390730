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
    pub(super) const DATELINE: Hints = Hints(1 << 29);
    pub(super) const TOPIC: Hints = Hints(1 << 30);
    pub(super) const ENTRY: Hints = Hints(1 << 19);
    pub(super) const PERSON: Hints = Hints(1 << 40);
    pub(super) const CARD: Hints = Hints(1 << 49);
    pub(super) const PRODUCT: Hints = Hints(1 << 34);
    pub(super) const POST: Hints = Hints(1 << 48);
    /// How many kinds of hints there are.
    pub(super) const KINDS: usize = 50;

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
            "author" | "datePublished" | "dateModified" => Hints::DATELINE,
            _ => Hints::default(),
        }
    }

    /// What its schema.org type says: the end of `https://schema.org/Comment`.
    pub(super) fn of_type(kind: &str) -> Hints {
        match kind.rsplit(['/', ' ']).next().unwrap_or("") {
            "Comment" | "UserComments" => Hints::COMMENT,
            "Article" | "NewsArticle" | "BlogPosting" | "TechArticle" | "Report" => Hints::ARTICLE,
            "Answer" | "Question" | "DiscussionForumPosting" | "Review" => Hints::POST,
            "SiteNavigationElement" | "BreadcrumbList" => Hints::NAV,
            "WPFooter" => Hints::FOOTER,
            "WPHeader" => Hints::HEADER,
            "WPSideBar" => Hints::ASIDE,
            "Product" | "Offer" => Hints::PRODUCT,
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

/// Names of the hints that elements, roles and properties give, in the order of their bits.
const TAG_KINDS: [&str; 18] = [
    "article element",
    "main element",
    "nav element",
    "aside element",
    "footer element",
    "header element",
    "form",
    "table",
    "list",
    "quote",
    "figure",
    "details",
    "dialog",
    "button",
    "address",
    "hidden",
    "aria hidden",
    "body property",
];

/// Every kind of hint with its name.
pub(super) fn names_of_kinds() -> impl Iterator<Item = (usize, &'static str)> {
    TAG_KINDS.into_iter().enumerate().chain(FAMILIES.iter().map(|(bit, name, _)| (*bit as usize, *name)))
}

/// Families of stems, each with its bit.
const FAMILIES: &[(u32, &str, &[&str])] = &[
    (18, "content", &["content", "maincontent", "main", "primary", "contenu", "inhalt", "center"]),
    (19, "entry", &["article", "entry", "story", "blog", "news", "post"]),
    (20, "comments", &["comment", "disqus", "respond", "kommentar", "discussion"]),
    (21, "share", &["share", "sharing", "social", "follow", "addthis", "facebook", "twitter", "sns"]),
    (22, "menu", &["nav", "menu", "breadcrumb", "crumb", "toolbar", "topbar", "submenu", "mainnav", "mainmenu"]),
    (23, "side", &["side", "aside", "rail", "secondary", "rightcol", "leftcol"]),
    (24, "foot", &["foot", "bottom", "colophon", "imprint"]),
    (25, "head", &["header", "masthead", "top", "logo", "hero"]),
    (26, "advert", &["ad", "ads", "advert", "adv", "sponsor", "promo", "banner", "teaser", "dfp", "outbrain", "taboola", "cta"]),
    (27, "consent", &["cookie", "consent", "gdpr", "onetrust", "cmp", "privacy", "cookiebar"]),
    (28, "sign_up", &["newsletter", "subscri", "signup", "login", "signin", "register", "paywall", "optin", "donate", "account"]),
    (29, "dateline", &["author", "byline", "date", "time", "meta", "posted", "publish", "dateline", "info"]),
    (30, "topic", &["tag", "tags", "categor", "topic", "keyword", "label", "badge"]),
    (31, "picture", &["caption", "credit", "gallery", "image", "photo", "img", "slider", "carousel", "media", "video", "swiper"]),
    (32, "pages", &["pagination", "pager", "next", "prev", "page-numbers", "paging"]),
    (33, "widget", &["widget", "module", "portlet", "box"]),
    (34, "product", &["price", "product", "cart", "sku", "shop", "buy", "stock", "variant", "spec"]),
    (35, "outline", &["toc", "table-of-contents", "contents", "index", "outline"]),
    (36, "title", &["title", "headline", "heading", "subtitle"]),
    (37, "lead", &["lead", "intro", "summary", "excerpt", "desc", "dek", "standfirst", "abstract", "overview", "about"]),
    (38, "overlay", &["modal", "popup", "popover", "overlay", "lightbox", "tooltip", "dropdown", "drawer", "offcanvas", "flyout", "mega"]),
    (
        39,
        "unseen",
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
    (40, "person", &["avatar", "user", "profile", "signature", "member", "bio", "poster", "sig"]),
    (41, "action", &["edit", "action", "btn", "button", "vote", "rating", "control", "tool", "filter", "sort", "search"]),
    (42, "legal", &["copyright", "legal", "disclaimer", "terms", "license"]),
    (43, "reference", &["reference", "footnote", "infobox", "navbox", "reflist", "catlinks", "mw-", "hatnote", "metadata"]),
    (44, "code", &["code", "highlight", "syntax", "snippet", "prettyprint"]),
    (45, "tab", &["tab", "accordion", "collaps", "faq", "panel", "toggle", "expand"]),
    (
        46,
        "related",
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
        "body",
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
    (48, "post", &["message", "thread", "reply", "topic-body", "question", "answer", "forum", "postbody", "msg", "review", "bbcode"]),
    (49, "card", &["card", "grid", "list", "item", "row", "tile", "feed", "result", "archive", "loop"]),
];

static FAMILY_OF_STEM: LazyLock<Vec<u64>> =
    LazyLock::new(|| FAMILIES.iter().flat_map(|(bit, _, stems)| stems.iter().map(move |_| 1 << bit)).collect());

static STEMS: LazyLock<AhoCorasick> = LazyLock::new(|| {
    AhoCorasick::builder()
        .kind(Some(AhoCorasickKind::DFA))
        .match_kind(MatchKind::Standard)
        .ascii_case_insensitive(true)
        .build(FAMILIES.iter().flat_map(|(_, _, stems)| stems.iter()))
        .expect("a few hundred short stems make a small automaton")
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stems_count_at_the_beginning_of_words_only() {
        assert!(Hints::of_names("site-Comments").has(Hints::COMMENT));
        assert!(Hints::of_names("productBanner").has(Hints::PRODUCT));
        assert_eq!(Hints::of_names("canvas xcomment"), Hints::default());
    }
}
