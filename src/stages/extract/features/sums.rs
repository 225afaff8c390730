//! What was counted in the blocks of a page, summed up so that any range of blocks is one subtraction.

use super::super::measure::Measure;
use super::super::tree::{Node, Page};
use super::topic::Topics;

/// Sums over a range of blocks.
#[derive(Clone, Copy, Debug, Default)]
pub(in super::super) struct Sum {
    pub(super) blocks: u32,
    pub(super) words: u32,
    pub(super) link_words: u32,
    /// Words of blocks that look like running text.
    pub(super) prose: u32,
    pub(super) stops: u32,
    pub(super) links: u32,
}

/// A page with its counts.
pub(in super::super) struct Counted<'p> {
    pub(in super::super) page: &'p Page,
    pub(in super::super) measures: Vec<Measure>,
    pub(super) topics: Topics,
    /// Sums of the blocks before each block, and of all.
    before: Vec<Sum>,
}

impl<'p> Counted<'p> {
    pub(in super::super) fn of(page: &'p Page) -> Counted<'p> {
        let measures: Vec<Measure> = page.blocks.iter().map(|block| Measure::of(page.text_of(block), block.link_bytes)).collect();
        let mut before = Vec::with_capacity(measures.len() + 1);
        let mut sum = Sum::default();
        for (measure, block) in measures.iter().zip(&page.blocks) {
            before.push(sum);
            sum.blocks += 1;
            sum.words += measure.words;
            sum.link_words += measure.link_words;
            sum.prose += if measure.is_prose() { measure.words } else { 0 };
            sum.stops += measure.stops;
            sum.links += u32::from(block.links);
        }
        before.push(sum);
        Counted { page, measures, topics: Topics::of(page), before }
    }

    /// The blocks from `first` up to `end`.
    pub(super) fn between(&self, first: usize, end: usize) -> Sum {
        let end = end.min(self.measures.len());
        let (first, end) = (self.before[first.min(end)], self.before[end]);
        Sum {
            blocks: end.blocks - first.blocks,
            words: end.words - first.words,
            link_words: end.link_words - first.link_words,
            prose: end.prose - first.prose,
            stops: end.stops - first.stops,
            links: end.links - first.links,
        }
    }

    /// The blocks of an element.
    pub(super) fn in_node(&self, node: &Node) -> Sum {
        self.between(node.first_block as usize, node.end_block as usize)
    }

    /// All blocks.
    pub(super) fn all(&self) -> Sum {
        self.before.last().copied().unwrap_or_default()
    }

    /// All words of the page.
    pub(in super::super) fn all_words(&self) -> u32 {
        self.all().words
    }

    /// Whether an element holds at least half of the page's words of running text.
    pub(in super::super) fn holds_half(&self, node: &Node) -> bool {
        u64::from(self.in_node(node).prose) * 2 >= u64::from(self.all().prose.max(1))
    }

    /// Words of running text in an element.
    pub(in super::super) fn prose_in(&self, node: &Node) -> u32 {
        self.in_node(node).prose
    }
}
