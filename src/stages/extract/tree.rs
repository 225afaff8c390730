//! What is left of a page for judging: elements in document order and, between their boundaries, blocks of text.
//!
//! This is no DOM. Elements lie in one flat list, a parent before its children, and a subtree is a range of it; inline elements are
//! not in it. All text is in one buffer, with white space already collapsed, and a block is a range of that.

use super::hints::Hints;
use super::tag::Tag;

/// A block-level element.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) tag: Tag,
    pub(super) depth: u16,
    /// What the element says of itself.
    pub(super) own: Hints,
    /// A hash of its kind and the first of its class names: alike for the parts of a list.
    pub(super) names: u32,
    pub(super) parent: u32,
    /// First block in its subtree.
    pub(super) first_block: u32,
    /// One past the last block in its subtree.
    pub(super) end_block: u32,
}

/// A run of text between two boundaries of block-level elements.
#[derive(Clone, Debug, Default)]
pub(super) struct Block {
    /// Range in [`Page::text`], in bytes.
    pub(super) start: u32,
    pub(super) end: u32,
    /// The innermost element around it.
    pub(super) node: u32,
    /// Bytes of its text that are in links.
    pub(super) link_bytes: u32,
    /// Bytes of its text that are in `b`, `strong`, `em` or `i`.
    pub(super) emphasis_bytes: u32,
    /// Links that begin in it.
    pub(super) links: u16,
    /// Pictures in it and between it and the block before.
    pub(super) pictures: u16,
    /// Whether white space counts, as in `pre`.
    pub(super) verbatim: bool,
}

/// A link in the text, where links were asked for.
#[derive(Clone, Debug)]
pub(super) struct Anchor {
    /// Range in [`Page::text`], in bytes.
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) address: String,
}

/// What a page states about itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Stated {
    pub(super) title: Option<String>,
    pub(super) social_title: Option<String>,
    pub(super) html_lang: Option<String>,
    pub(super) meta_lang: Option<String>,
    pub(super) licence: Option<String>,
    pub(super) author: Option<String>,
    pub(super) date: Option<String>,
    pub(super) canonical: Option<String>,
    pub(super) social_address: Option<String>,
    /// The one licence deed that the page links to; see [`super::stated`].
    pub(super) deed: Deed,
    /// Kinds of page that it calls itself, a bit each: the lower ones by JSON-LD, the upper ones by Open Graph.
    pub(super) kinds: u16,
}

/// Links to Creative Commons deeds that do not say `rel=license`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Deed {
    #[default]
    None,
    One(String),
    /// A page about licences rather than one under a licence.
    Several,
}

/// A page, cut up.
#[derive(Clone, Debug, Default)]
pub(super) struct Page {
    pub(super) text: String,
    pub(super) nodes: Vec<Node>,
    pub(super) blocks: Vec<Block>,
    pub(super) anchors: Vec<Anchor>,
    /// What the `body` element says of itself.
    pub(super) body: Hints,
    pub(super) stated: Stated,
}

impl Page {
    /// The text of a block.
    pub(super) fn text_of(&self, block: &Block) -> &str {
        &self.text[block.start as usize..block.end as usize]
    }

    /// The element around a block, and that one's ancestors, innermost first.
    pub(super) fn around(&self, block: &Block) -> impl Iterator<Item = (u32, &Node)> {
        let mut next = Some(block.node);
        std::iter::from_fn(move || {
            let at = next?;
            let node = &self.nodes[at as usize];
            next = (at != 0).then_some(node.parent);
            Some((at, node))
        })
    }
}
