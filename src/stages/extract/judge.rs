//! Which blocks of a page are its content, by rules.
//!
//! A block is judged by its link density and length, as in boilerpipe (Kohlschütter, Fankhauser, Nejdl 2010, "Boilerplate Detection
//! using Shallow Text Features") and jusText (Pomikálek 2011), inside the element that holds the content: the `article`, `main` or
//! schema.org body that holds most of the page's prose, else the smallest element that does. What elements say of themselves
//! (navigation, footer, consent, comments, hidden) counts only where they hold less than half of the prose, for class names lie.

use super::hints::Hints;
use super::measure::Measure;
use super::tree::{Block, Node, Page};

/// Elements whose text is no content, wherever they stand.
const NEVER: Hints = Hints(
    Hints::NAV.0
        | Hints::ASIDE.0
        | Hints::FOOTER.0
        | Hints::DIALOG.0
        | Hints::BUTTON.0
        | Hints::HIDDEN.0
        | Hints::ARIA_HIDDEN.0
        | Hints::COMMENT.0
        | Hints::CONSENT.0,
);
/// Elements that hold content by their own word.
const CONTENT: Hints = Hints(Hints::ARTICLE.0 | Hints::MAIN.0 | Hints::BODY_PROPERTY.0);
/// Per mille of a block's words that may stand in links (jusText drops a block above 0.2 to 0.4, boilerpipe above 0.33).
const LINK_DENSITY_MAX: u32 = 400;
/// The same for cells and items of lists, where a link is often the first word.
const ITEM_LINK_DENSITY_MAX: u32 = 600;

/// A page with what was counted in it.
struct Counted<'a> {
    page: &'a Page,
    measures: Vec<Measure>,
    /// Words of prose in the blocks before each block.
    prose_before: Vec<u32>,
}

/// Which blocks of `page` to keep.
pub(super) fn judge(page: &Page) -> Vec<bool> {
    let measures: Vec<Measure> = page.blocks.iter().map(|block| Measure::of(page.text_of(block), block.link_bytes)).collect();
    let mut prose_before = Vec::with_capacity(measures.len() + 1);
    let mut words = 0;
    for measure in &measures {
        prose_before.push(words);
        words += if measure.is_prose() { measure.words } else { 0 };
    }
    prose_before.push(words);
    let counted = Counted { page, measures, prose_before };
    let outside: Vec<bool> = page.blocks.iter().map(|block| counted.is_outside(block)).collect();
    let root = counted.root();
    let mut keep: Vec<bool> = (0..page.blocks.len()).map(|at| !outside[at] && holds(root, at) && counted.is_content(at)).collect();
    drop_lonely_headings(page, &mut keep);
    let kept = counted.words(&keep);
    let inside: Vec<bool> = outside.iter().map(|outside| !outside).collect();
    // A page without prose (a price list, a poem, a table) is given whole rather than not at all.
    if kept * 4 < counted.words(&inside) {
        keep = (0..page.blocks.len()).map(|at| !outside[at] && counted.measures[at].link_density() <= ITEM_LINK_DENSITY_MAX).collect();
    }
    if !keep.contains(&true) {
        keep = page.blocks.iter().map(|block| !counted.is_hidden(block)).collect();
    }
    keep
}

fn holds(node: &Node, block: usize) -> bool {
    (node.first_block as usize..node.end_block as usize).contains(&block)
}

impl Counted<'_> {
    fn prose_in(&self, node: &Node) -> u32 {
        self.prose_before[node.end_block as usize] - self.prose_before[node.first_block as usize]
    }

    fn all_prose(&self) -> u32 {
        self.prose_before.last().copied().unwrap_or(0)
    }

    fn words(&self, which: &[bool]) -> u32 {
        self.measures.iter().zip(which).filter(|(_, which)| **which).map(|(measure, _)| measure.words).sum()
    }

    fn is_hidden(&self, block: &Block) -> bool {
        self.page.around(block).any(|(_, node)| node.own.has(Hints::HIDDEN))
    }

    /// Whether an element around the block says that it is no content, and does not hold half of the prose.
    fn is_outside(&self, block: &Block) -> bool {
        self.page
            .around(block)
            .any(|(_, node)| node.own.has(NEVER) && (node.own.has(Hints::HIDDEN) || self.prose_in(node) * 2 < self.all_prose().max(1)))
    }

    /// The element that holds the content.
    fn root(&self) -> &Node {
        let all = self.all_prose();
        let stated = self.page.nodes.iter().filter(|node| node.own.has(CONTENT) && !node.own.has(NEVER));
        if let Some(most) = stated.max_by_key(|node| (self.prose_in(node), std::cmp::Reverse(node.first_block)))
            && self.prose_in(most) * 5 >= all * 2
            && all > 0
        {
            return most;
        }
        let whole =
            self.page.nodes.iter().filter(|node| all > 0 && node.end_block - node.first_block > 1 && self.prose_in(node) * 5 >= all * 4);
        whole.max_by_key(|node| node.depth).unwrap_or(&self.page.nodes[0])
    }

    /// Whether the block itself reads like content.
    fn is_content(&self, at: usize) -> bool {
        let block = &self.page.blocks[at];
        let measure = &self.measures[at];
        let node = &self.page.nodes[block.node as usize];
        if block.verbatim || node.tag.heading().is_some() {
            return true;
        }
        let in_item = self.page.around(block).take(3).any(|(_, node)| node.own.has(Hints::LIST.and(Hints::TABLE)));
        let links_max = if in_item { ITEM_LINK_DENSITY_MAX } else { LINK_DENSITY_MAX };
        measure.link_density() <= links_max
    }
}

/// Headings without kept text behind them head something that was dropped.
fn drop_lonely_headings(page: &Page, keep: &mut [bool]) {
    let mut level_below = 0;
    for at in (0..keep.len()).rev().filter(|at| *at < page.blocks.len()) {
        if !keep[at] {
            continue;
        }
        match page.nodes[page.blocks[at].node as usize].tag.heading() {
            None => level_below = u8::MAX,
            Some(level) if level_below > level => level_below = level,
            // The first heading is the title and stays.
            Some(_) if level_below == 0 && keep[..at].contains(&true) => keep[at] = false,
            Some(level) => level_below = level,
        }
    }
}
