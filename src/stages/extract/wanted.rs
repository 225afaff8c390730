//! What the standard, the settings or the page itself decide, whatever the trees say: hidden elements, tables, comment sections, texts that
//! the page cut off because they go on elsewhere.

use super::features::Counted;
use super::hints::Hints;
use super::tag::Tag;
use super::tree::{Block, Node, Page};

/// A comment has at least so many words outside of links; names, dates and buttons have fewer.
const COMMENT_WORDS_MIN: u32 = 5;

/// Drops what is not shown, unless it is most of the page's text: then a script shows it.
pub(super) fn drop_hidden(counted: &Counted<'_>, keep: &mut [bool]) {
    set_within(counted, keep, |node| node.own.has(Hints::HIDDEN) && !counted.holds_half(node), |_| Some(false));
}

/// Drops tables of data. Tables for layout, whose cells hold more than a line, stay.
pub(super) fn drop_tables(counted: &Counted<'_>, keep: &mut [bool]) {
    set_within(counted, keep, |node| node.tag == Tag::Table && is_data(counted.page, node), |_| Some(false));
}

/// Keeps comment sections, of which the trees were taught to keep only what is a thread of its own.
pub(super) fn keep_comments(counted: &Counted<'_>, keep: &mut [bool]) {
    let long = |at: usize| {
        let measure = &counted.measures[at];
        (measure.words >= COMMENT_WORDS_MIN + measure.link_words).then_some(true)
    };
    set_within(counted, keep, |node| node.own.has(Hints::COMMENT) && !node.own.has(Hints::FORM), long);
}

/// Most blocks of a teaser: heading, text, date, a link to the rest.
const TEASER_BLOCKS_MAX: u32 = 4;

/// Drops teasers beside the content: a text that ends in an ellipsis right below a link that heads it. Where teasers are a quarter of what was
/// kept, as in a list of articles, they are the content and stay.
pub(super) fn drop_teasers(counted: &Counted<'_>, keep: &mut [bool]) {
    let words = |at: &usize| u64::from(counted.measures[*at].words);
    let teasers: Vec<usize> = (1..keep.len()).filter(|at| keep[*at] && is_teaser(counted.page, *at)).collect();
    let kept: u64 = (0..keep.len()).filter(|at| keep[*at]).map(|at| words(&at)).sum();
    if teasers.iter().map(words).sum::<u64>() * 4 < kept {
        for at in teasers {
            keep[at] = false;
            keep[at - 1] = false;
        }
    }
}

/// Whether block `at` is cut off and the block before it is a link in the same small element.
fn is_teaser(page: &Page, at: usize) -> bool {
    let (heading, text) = (&page.blocks[at - 1], &page.blocks[at]);
    let is_link = heading.link_bytes > 0 && heading.link_bytes * 5 >= (heading.end - heading.start) * 4;
    let is_cut = page.text_of(text).trim_end_matches([']', ')', ' ']).ends_with('…') || page.text_of(text).ends_with("...");
    let around_both = |node: &Node| (node.first_block as usize) < at && node.end_block as usize > at;
    is_link && is_cut && page.around(text).any(|(_, node)| around_both(node) && node.end_block - node.first_block <= TEASER_BLOCKS_MAX)
}

/// Sets the blocks of the outermost elements for which `is` holds to what `to` says of each, if anything.
fn set_within(counted: &Counted<'_>, keep: &mut [bool], is: impl Fn(&Node) -> bool, to: impl Fn(usize) -> Option<bool>) {
    let mut done = 0;
    for node in counted.page.nodes.iter().filter(|node| node.end_block as usize > node.first_block as usize) {
        if node.first_block < done || !is(node) {
            continue;
        }
        done = node.end_block;
        let rows = node.first_block as usize..node.end_block as usize;
        for (at, keep) in rows.clone().zip(&mut keep[rows]) {
            *keep = to(at).unwrap_or(*keep);
        }
    }
}

/// Whether most cells of a table that have text are plain.
fn is_data(page: &Page, table: &Node) -> bool {
    let blocks = &page.blocks[table.first_block as usize..table.end_block as usize];
    let plain = blocks.iter().filter(|block| is_plain_cell(page, block)).count();
    plain > 1 && plain * 3 >= blocks.len() * 2
}

/// Whether a block is all that its cell holds.
pub(super) fn is_plain_cell(page: &Page, block: &Block) -> bool {
    page.around(block).take(3).find(|(_, node)| node.tag.is_cell()).is_some_and(|(_, cell)| cell.end_block - cell.first_block == 1)
}
