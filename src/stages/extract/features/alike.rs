//! Features of repetition: the parts of a list of teasers, of a thread, of a menu are alike, and each says what the others are.

use super::super::tree::Page;
use super::columns::{Columns, count, ratio, share};
use super::sums::{Counted, Sum};

/// Elements further up are not looked at.
const LEVELS_MAX: usize = 16;

/// Elements of one parent that are alike.
#[derive(Clone, Copy, Debug, Default)]
struct Group {
    members: u32,
    sum: Sum,
    /// Its members' words in blocks that look like running text, at the one that has most.
    prose_max: u32,
}

/// The group that an element belongs to, and how many of it stand before.
#[derive(Clone, Copy, Debug, Default)]
struct Membership {
    group: u32,
    order: u32,
}

pub(super) fn push(columns: &mut Columns, counted: &Counted<'_>) {
    let (groups, memberships) = groups(counted);
    let found: Vec<Option<(u8, u32)>> = lowest(counted.page, &groups, &memberships);
    let all = counted.all();
    let of = |value: fn(&Group, Sum) -> u8| {
        let (groups, memberships) = (&groups, &memberships);
        found.iter().map(move |found| found.map_or(0, |(_, node)| value(&groups[memberships[node as usize].group as usize], all)))
    };
    columns.push(("alike", "height"), found.iter().map(|found| found.map_or(255, |(height, _)| height)));
    columns.push(("alike", "members"), of(|group, _| count(group.members)));
    columns.push(("alike", "words a member"), of(|group, _| count(group.sum.words / group.members.max(1))));
    columns.push(("alike", "blocks a member"), of(|group, _| ratio(group.sum.blocks, group.members)));
    columns.push(("alike", "link density"), of(|group, _| share(group.sum.link_words, group.sum.words)));
    columns.push(("alike", "words of page"), of(|group, all| share(group.sum.words, all.words)));
    columns.push(("alike", "prose of page"), of(|group, all| share(group.sum.prose, all.prose)));
    columns.push(("alike", "prose of group"), of(|group, _| share(group.sum.prose, group.sum.words)));
    columns.push(("alike", "most prose"), of(|group, _| share(group.prose_max, group.sum.prose)));
    columns.push(("alike", "links a member"), of(|group, _| ratio(group.sum.links, group.members)));
    columns.push(("alike", "order"), found.iter().map(|found| found.map_or(0, |(_, node)| count(memberships[node as usize].order))));
    let member = |node: u32| counted.in_node(&counted.page.nodes[node as usize]);
    columns.push(("alike", "own words"), found.iter().map(|found| found.map_or(0, |(_, node)| count(member(node).words))));
    columns.push(
        ("alike", "own link density"),
        found.iter().map(|found| found.map_or(0, |(_, node)| share(member(node).link_words, member(node).words))),
    );
    same_text(columns, counted);
}

/// Groups the elements that hold text by parent and names.
fn groups(counted: &Counted<'_>) -> (Vec<Group>, Vec<Membership>) {
    let nodes = &counted.page.nodes;
    let mut keys: Vec<(u64, u32)> = nodes
        .iter()
        .enumerate()
        .filter(|(_, node)| node.end_block > node.first_block)
        .map(|(at, node)| (u64::from(node.parent) << 32 | u64::from(node.names), at as u32))
        .collect();
    keys.sort_unstable();
    let mut memberships = vec![Membership::default(); nodes.len()];
    let mut groups: Vec<Group> = vec![Group::default()];
    for run in keys.chunk_by(|one, two| one.0 == two.0) {
        let mut group = Group::default();
        for (order, (_, at)) in run.iter().enumerate() {
            let sum = counted.in_node(&nodes[*at as usize]);
            group.members += 1;
            group.prose_max = group.prose_max.max(sum.prose);
            group.sum.words += sum.words;
            group.sum.link_words += sum.link_words;
            group.sum.prose += sum.prose;
            group.sum.blocks += sum.blocks;
            group.sum.links += sum.links;
            memberships[*at as usize] = Membership { group: groups.len() as u32, order: order as u32 };
        }
        groups.push(group);
    }
    (groups, memberships)
}

/// For each block the element around it that is one of three or more and is more than a paragraph: the innermost such within reach.
fn lowest(page: &Page, groups: &[Group], memberships: &[Membership]) -> Vec<Option<(u8, u32)>> {
    let mut found: Vec<Option<(u8, u32)>> = Vec::with_capacity(page.blocks.len());
    for (at, block) in page.blocks.iter().enumerate() {
        let again = at.checked_sub(1).filter(|before| page.blocks[*before].node == block.node);
        found.push(match again {
            Some(before) => found[before],
            None => {
                let mut chain = page.around(block).take(LEVELS_MAX).enumerate();
                chain.find_map(|(height, (node, _))| {
                    let group = &groups[memberships[node as usize].group as usize];
                    (group.members >= 3 && group.sum.blocks > group.members).then_some((height as u8, node))
                })
            }
        });
    }
    found
}

/// How often the text of a block is on the page.
fn same_text(columns: &mut Columns, counted: &Counted<'_>) {
    let mut hashes: Vec<u64> = counted.measures.iter().map(|measure| measure.hash).collect();
    hashes.sort_unstable();
    let times = |hash: u64| hashes.partition_point(|other| *other <= hash) - hashes.partition_point(|other| *other < hash);
    columns.push(("alike", "same text"), counted.measures.iter().map(|measure| count(times(measure.hash) as u32)));
}
