//! Features of the elements around a block: what they say of themselves, how near, and what else they hold.
//!
//! A block is seldom known by its own text: the same five words are a heading of the article or of a teaser. What tells is the
//! subtree that it stands in, at several heights, as in text density (Sun, Song, Liao 2011) and Readability's scoring of parents.

use super::super::hints::{Hints, names_of_kinds};
use super::super::tag::Tag;
use super::super::tree::{Block, Node};
use super::columns::{Columns, count, ratio, share};
use super::sums::Counted;

/// Elements further up are not looked at.
const LEVELS_MAX: usize = 48;
/// Heights at which the elements around a block are measured: 0 is the innermost.
const HEIGHTS: [(usize, &str); 6] = [(0, "0"), (1, "1"), (2, "2"), (3, "3"), (5, "5"), (7, "7")];
/// An element holds the bulk of a page with this share of its prose, in quarters.
const BULKS: [(u32, &str); 3] = [(1, "a quarter"), (2, "half"), (3, "three quarters")];

/// What is known of the elements around one block.
#[derive(Clone, Debug)]
struct Around {
    /// For each kind of hint one more than the height of the nearest element with it; 0 if there is none.
    near: [u8; Hints::KINDS],
    at: [u32; HEIGHTS.len()],
    /// The height of the lowest element that holds such a bulk of the prose, and the element below it on the way to the block.
    bulk: [(u8, u32); BULKS.len()],
    paragraph: bool,
    item: u8,
    cell: u8,
    lists: u8,
    tables: u8,
    heading: u8,
    quote: bool,
}

pub(super) fn push(columns: &mut Columns, counted: &Counted<'_>) {
    let around = walk(counted);
    let all = counted.all();
    for (kind, name) in names_of_kinds() {
        columns.push(("near", name), around.iter().map(|around| around.near[kind]));
    }
    for (place, (_, height)) in HEIGHTS.iter().enumerate() {
        let sums: Vec<_> = around.iter().map(|around| counted.in_node(&counted.page.nodes[around.at[place] as usize])).collect();
        columns.push(("height words", height), sums.iter().map(|sum| count(sum.words)));
        columns.push(("height link density", height), sums.iter().map(|sum| share(sum.link_words, sum.words)));
        columns.push(("height prose", height), sums.iter().map(|sum| share(sum.prose, all.prose)));
        columns.push(("height words a block", height), sums.iter().map(|sum| ratio(sum.words, sum.blocks)));
        columns.push(("height stops", height), sums.iter().map(|sum| share(sum.stops * 4, sum.words)));
    }
    for (place, (_, bulk)) in BULKS.iter().enumerate() {
        let branch = |around: &Around| counted.in_node(&counted.page.nodes[around.bulk[place].1 as usize]);
        columns.push(("bulk height", bulk), around.iter().map(|around| around.bulk[place].0));
        columns.push(("bulk branch words", bulk), around.iter().map(|around| count(branch(around).words)));
        columns
            .push(("bulk branch link density", bulk), around.iter().map(|around| share(branch(around).link_words, branch(around).words)));
        columns.push(("bulk branch prose", bulk), around.iter().map(|around| share(branch(around).prose, all.prose)));
    }
    columns.push(("around", "paragraph"), around.iter().map(|around| u8::from(around.paragraph)));
    columns.push(("around", "item"), around.iter().map(|around| around.item));
    columns.push(("around", "cell"), around.iter().map(|around| around.cell));
    columns.push(("around", "lists"), around.iter().map(|around| around.lists));
    columns.push(("around", "tables"), around.iter().map(|around| around.tables));
    columns.push(("around", "heading"), around.iter().map(|around| around.heading));
    columns.push(("around", "quote"), around.iter().map(|around| u8::from(around.quote)));
}

/// Looks at the elements around each block; blocks of one element share the walk.
fn walk(counted: &Counted<'_>) -> Vec<Around> {
    let all = counted.all().prose;
    let mut found: Vec<Around> = Vec::with_capacity(counted.page.blocks.len());
    for (at, block) in counted.page.blocks.iter().enumerate() {
        let again = at.checked_sub(1).filter(|before| counted.page.blocks[*before].node == block.node);
        let around = match again {
            Some(before) => found[before].clone(),
            None => look(counted, block, all),
        };
        found.push(around);
    }
    found
}

fn look(counted: &Counted<'_>, block: &Block, all: u32) -> Around {
    let mut around = Around {
        near: [0; Hints::KINDS],
        at: [block.node; HEIGHTS.len()],
        bulk: [(u8::MAX, block.node); BULKS.len()],
        paragraph: false,
        item: 0,
        cell: 0,
        lists: 0,
        tables: 0,
        heading: 0,
        quote: false,
    };
    let mut below = block.node;
    for (height, (at, node)) in counted.page.around(block).take(LEVELS_MAX).enumerate() {
        let mut hints = node.own.0;
        while hints != 0 {
            let kind = hints.trailing_zeros() as usize;
            hints &= hints - 1;
            if around.near[kind] == 0 {
                around.near[kind] = height as u8 + 1;
            }
        }
        for (place, (wanted, _)) in HEIGHTS.iter().enumerate() {
            if *wanted >= height {
                around.at[place] = at;
            }
        }
        note_bulk(&mut around, counted.prose_in(node), all, height as u8, below);
        note_tag(&mut around, node, height as u8);
        below = at;
    }
    around
}

fn note_bulk(around: &mut Around, prose: u32, all: u32, height: u8, below: u32) {
    for (bulk, (quarters, _)) in around.bulk.iter_mut().zip(BULKS) {
        if bulk.0 == u8::MAX && u64::from(prose) * 4 >= u64::from(all) * u64::from(quarters) {
            *bulk = (height, below);
        }
    }
}

fn note_tag(around: &mut Around, node: &Node, height: u8) {
    match node.tag {
        Tag::P => around.paragraph = true,
        Tag::Li | Tag::Dd | Tag::Dt if around.item == 0 => around.item = height + 1,
        Tag::Td | Tag::Th if around.cell == 0 => around.cell = height + 1,
        Tag::Ul | Tag::Ol | Tag::Dl => around.lists += 1,
        Tag::Table => around.tables += 1,
        Tag::Blockquote => around.quote = true,
        tag => around.heading = around.heading.max(tag.heading().map_or(0, |level| 7 - level)),
    }
}
